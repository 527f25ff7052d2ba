import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createGuard, type GuardStatus } from '../../src/core.js'
import { RedisStore } from '../../src/fleet/redis/store.js'
import { FleetSums, MAX_BYTES, type Report, readReport, readSums, reportOf } from '../../src/fleet/report.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { FakeRedis, idOf } from '../support/fake-redis.js'
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

t.test('what became of requests is in the report, and is not known of an older version', async (t) => {
  const { verifiedByAllow, tagged, turnedAway, ...older } = reported('a', [STRANGER, STRANGER])
  t.strictSame([verifiedByAllow, tagged, turnedAway], [0, 0, 2])
  const sums = new FleetSums()
  sums.add(readReport(JSON.stringify({ ...older, verifiedByAllow, tagged, turnedAway }))!, 0)
  sums.add(readReport(JSON.stringify({ ...older, id: 'b' }))!, 0)
  t.match(sums.result(7).replicas, [
    { id: 'a', rejected: 2, verifiedByAllow: 0, tagged: 0, turnedAway: 2 },
    { id: 'b', rejected: 2, verifiedByAllow: null, tagged: null, turnedAway: null }
  ])
})

t.test('reports are added up, each replica once', async (t) => {
  const sums = new FleetSums()
  sums.add(reported('a', [LISTED, LISTED, STRANGER, '3.6.251.95']), 0)
  sums.add(reported('b', [STRANGER, STRANGER, '198.51.100.8'], 6), 2999)
  sums.add(reported('c', [LISTED], 7), 3001)
  sums.add(reported('d', [], null, true), 999_999)
  const { senders } = reported('e', [STRANGER])
  sums.add({ ...reported('e', []), senders: [{ ...senders[0]!, reasons: { denied: 1 } }] }, 0)
  const result = sums.result(7)
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

t.test(
  'an error that is too long for a report loses its middle, with a mark, and never what it says to do',
  async (t) => {
    const guard = createGuard({ dataCenters: 'DC-01' })
    const last = (lastError: string | null) =>
      reportOf({ status: () => ({ ...guard.status(), lastError }), senders: () => [] }, BASIS, 7, false).lastError
    for (const kept of [null, 'e', 'e'.repeat(500)]) t.equal(last(kept), kept)
    const cut = last(
      `The list is suspicious. ${'It is wide. '.repeat(50)}If it is right, confirm it: confirm: ['wide'].`
    )!
    t.equal(cut.length, 499)
    t.match(cut, /^The list is suspicious\. .*…[^…]*If it is right, confirm it: confirm: \['wide'\]\.$/)
  }
)

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
  for (const text of texts.filter((text) => !/"(?:rejected|open)":\{\}/.test(text)))
    t.equal(readReport(text), undefined, text.slice(0, 60))
  const wrong: object[] = [
    { rejected: { 'not-listed': -1 } },
    { rejected: { constructor: 1 } },
    { open: { 'not-listed': -1 } },
    { open: { 'not-listed': 1000 } },
    { senders: [{ ...report.senders[0], open: { reasons: { 'not-listed': 1 } } }] },
    { senders: [{ ...report.senders[0], open: { reasons: { 'not-listed': 1000 }, withSecret: {} } }] },
    { senders: [{ ...report.senders[0], open: { reasons: {}, withSecret: { 'not-listed': 1 } } }] },
    { version: 1.5 },
    { host: 'x'.repeat(501) },
    { senders: new Array(1001).fill(report.senders[0]) },
    { senders: [{ ...report.senders[0], reasons: {} }] },
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

/** A store with the reports of many replicas, each of which rejected one sender of its own and one that all of them rejected. */
function storeOf(t: Test, replicas: number) {
  const redis = new FakeRedis()
  const { senders, ...report } = reported('', [LISTED, STRANGER])
  const [sender] = senders
  const scores = new Map<string, number>()
  redis.scores.set('{moengage:many}:replicas', scores)
  for (let i = 0; i < replicas; i++) {
    const own = { ...sender, clientIp: `45.0.${i >> 8}.${i & 255}`, count: 1 }
    const text = JSON.stringify({
      ...report,
      id: idOf(i),
      verified: i,
      rejected: { denied: 2 },
      senders: [own, sender]
    })
    scores.set(idOf(i), i)
    redis.texts.set(`{moengage:many}:replicas:${idOf(i)}`, { text, end: Date.now() + 86_400_000 })
  }
  const store = new RedisStore({ client: redis.io(), scope: 'moengage', name: 'many', timeout: 5000, poll: 5000 })
  t.teardown(() => store.close())
  return { redis, store }
}

t.test('a thousand replicas are added up, with two commands for each', async (t) => {
  const { redis, store } = storeOf(t, 1000)
  const sums = await readSums(store)
  t.match(sums, { live: 1000, verified: (999 * 1000) / 2, rejected: { denied: 2000 } })
  t.equal(sums.replicas.length, 1000)
  t.equal(sums.senders.length, 100, 'those with the most rejections')
  t.match(sums.senders[0], { clientIp: STRANGER, count: 1000 })
  t.equal(sums.lastVerified.length, 1)
  t.ok(redis.received.length <= 4 + 2 * 1000, `${redis.received.length} commands`)
})

t.test('of more replicas than two thousand, those are read that reported last', async (t) => {
  const { redis, store } = storeOf(t, 3000)
  const sums = await readSums(store)
  t.equal(sums.replicas.length, 2000)
  t.match(sums, { live: 2000, verified: ((1000 + 2999) * 2000) / 2 })
  t.ok(redis.received.length <= 6 + 2 * 2000, `${redis.received.length} commands`)
})

t.test('an index that a stranger filled is refused, with the command that mends it', async (t) => {
  const { redis, store } = storeOf(t, 100)
  const index = redis.scores.get('{moengage:many}:replicas')!
  for (let i = 0; i < 90_000; i++) index.set(`stranger ${i}`, 9e9 + i)
  t.match(await readSums(store), { live: 100 }, 'what is no replica is looked over')
  for (let i = 0; i < 90_000; i++) index.set(`another ${i}`, 9e9 + i)
  const error = await readSums(store).catch(({ message }: Error) => message)
  const [, command, key] = /has more than 100000 members\. .*: redis-cli (DEL) '(.*)'\.$/.exec(error as string)!
  t.match([command, key], ['DEL', '{moengage:many}:replicas'])
  redis.scores.delete(key!)
  for (const n of [1, 2]) await store.report({ id: idOf(n), text: redis.texts.get(`${key}:${idOf(n)}`)!.text }, 60_000)
  t.match(await readSums(store), { live: 2 })
})

t.test('a report that is no text is left out, and an index that is none is an error with its fix', async (t) => {
  const { redis, store } = storeOf(t, 10)
  redis.errors.set('GETRANGE', 'WRONGTYPE Operation against a key holding the wrong kind of value')
  t.match(await readSums(store), { live: 0 })
  redis.errors.set('GETRANGE', 'NOPERM no')
  await t.rejects(readSums(store), { message: 'NOPERM no' })
  redis.errors.set('ZSCAN', 'WRONGTYPE Operation against a key holding the wrong kind of value')
  const fix = /value\. Delete it, .*: redis-cli DEL '\{moengage:many\}:replicas'\.$/
  await t.rejects(readSums(store), fix)
  await t.rejects(store.report({ id: idOf(1), text: '{}' }, 60_000), fix)
})

t.test('who may not scan the index reports all the same', async (t) => {
  const { redis, store } = storeOf(t, 0)
  redis.errors.set('ZSCAN', "NOPERM User replica has no permissions to run the 'zscan' command")
  await store.report({ id: idOf(1), text: JSON.stringify(reported(idOf(1), [])) }, 60_000)
  await t.rejects(readSums(store), /'zscan' command\. Add \+zscan to the rule of this user in the ACL\.$/)
  redis.errors.clear()
  t.match(await readSums(store), { live: 1 })
})

t.test('a field that is too long is refused unread, with the command that mends it', async (t) => {
  const table: [field: string, bytes: number, fix: string][] = [
    ['version', 17, "Set it, and publish the list again: redis-cli HSET '{moengage:many}:state' version 1."],
    ['list', 1001, "Remove it, and publish the list again: redis-cli HDEL '{moengage:many}:state' list."],
    ['overrides', 101, "Remove it, and set the overrides again: redis-cli HDEL '{moengage:many}:state' overrides."]
  ]
  for (const [field, bytes, fix] of table) {
    const { redis, store } = storeOf(t, 0)
    redis.hash('{moengage:many}:state').set('version', '1').set(field, '7'.repeat(bytes))
    const message = `Its ${field} has ${bytes} bytes, more than ${bytes - 1}. ${fix}`
    await t.rejects(store.read({ list: 1000, overrides: 100 }), { message })
    if (field === 'version') await t.rejects(store.poll(), { message })
    else t.equal(await store.poll(), 1)
    t.notOk(redis.received.includes('HMGET'))
  }
})
