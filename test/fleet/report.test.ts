import fc from 'fast-check'
import t from 'tap'
import { createGuard, type GuardStatus } from '../../src/core.js'
import { FleetSums, MAX_BYTES, type Report, readReport, reportOf } from '../../src/fleet/report.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { runs } from '../support/properties.js'

const BASIS = { id: 'a', started: 1, every: 1000, senders: 10 }

function reported(id: string, peers: readonly string[], version: number | null = 7, isClosed = false): Report {
  const guard = createGuard({ dataCenters: 'DC-01' })
  for (const peer of peers) guard.judge({ peer, headers: {} })
  return reportOf(guard, { ...BASIS, id }, version, isClosed)
}

t.test('a report is read as it was written', async (t) => {
  const report = reported('a', [LISTED, STRANGER])
  t.strictSame(readReport(JSON.stringify(report)), JSON.parse(JSON.stringify(report)))
  t.match(report, {
    verified: 1,
    rejected: { 'not-listed': 1 },
    senders: [{ clientIp: STRANGER }],
    lastVerified: [{ dataCenter: 'DC-01' }]
  })
})

t.test('reports are added up, each replica once', async (t) => {
  const sums = new FleetSums(7)
  sums.add(reported('a', [LISTED, LISTED, STRANGER, '3.6.251.95']), 0)
  sums.add(reported('b', [STRANGER, STRANGER, '198.51.100.8'], 6), 2999)
  sums.add(reported('c', [LISTED], 7), 3001)
  sums.add(reported('d', [], null, true), 999_999)
  const { senders } = reported('e', [STRANGER])
  sums.add({ ...reported('e', []), senders: [{ ...senders[0]!, reasons: { denied: 1 } }] }, 0)
  const result = sums.result()
  t.match(result, {
    version: 7,
    live: 3,
    current: 2,
    verified: 3,
    rejected: { 'not-listed': 4, 'other-data-center': 1 },
    replicas: [
      { state: 'live' },
      { state: 'live' },
      { state: 'live' },
      { id: 'c', state: 'gone', verified: 1 },
      { id: 'd', state: 'closed', lastVerified: null }
    ]
  })
  const [first] = result.senders
  t.match(first, { clientIp: STRANGER, count: 4, reasons: { 'not-listed': 3, denied: 1 } })
  t.equal(
    result.senders.reduce((sum, { count }) => sum + count, 0),
    6
  )
  t.equal(result.lastVerified.length, 1, 'the latest of the same route')
})

t.test('a report is short, whatever was seen', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  for (let i = 0; i < 50; i++) {
    for (let route = 0; route < 8; route++)
      guard.decide(undefined, undefined, { peer: `198.51.100.${i}`, headers: {} }, `/${'x'.repeat(200)}/${route}`)
  }
  const status: GuardStatus = { ...guard.status(), lastError: 'e'.repeat(10_000) }
  const report = reportOf(
    { status: () => status, senders: (limit) => guard.senders(limit) },
    { ...BASIS, senders: 50 },
    7,
    false
  )
  const text = JSON.stringify(report)
  t.ok(Buffer.byteLength(text) <= MAX_BYTES)
  t.ok(report.senders.length > 0)
  t.ok(readReport(text))
})

t.test('a text that is not a report is left out', async (t) => {
  const report = reported('a', [LISTED, STRANGER])
  const texts = [
    '',
    '{',
    'null',
    '7',
    '[]',
    '{}',
    '"text"',
    ...Object.keys(report).map((name) => JSON.stringify({ ...report, [name]: {} }))
  ]
  for (const text of texts.filter((text) => !text.includes('"rejected":{}')))
    t.equal(readReport(text), undefined, text.slice(0, 60))
  const wrong: object[] = [
    { rejected: { 'not-listed': -1 } },
    { rejected: { constructor: 1 } },
    { version: 1.5 },
    { host: 'x'.repeat(501) },
    { senders: new Array(1001).fill(report.senders[0]) },
    { senders: [{ ...report.senders[0], listedFor: [{ dataCenter: 'DC-01', channels: [7] }] }] },
    { lastVerified: [{ at: 9e15, dataCenter: null, channels: [], route: null }] }
  ]
  for (const change of wrong)
    t.equal(readReport(JSON.stringify({ ...report, ...change })), undefined, JSON.stringify(change).slice(0, 80))
  fc.assert(
    fc.property(fc.json(), (text) => readReport(text) === undefined),
    runs(500)
  )
})
