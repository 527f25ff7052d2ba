import t from 'tap'
import { Counters, RouteRecords } from '../../src/guard/counters.js'
import type { VerifiedVerdict } from '../../src/verdict/verdict.js'

const verdict = (dataCenter: 'DC-01' | 'DC-02' | null, ...channels: VerifiedVerdict['channels']): VerifiedVerdict => ({
  verified: true,
  clientIp: '9.9.9.9',
  dataCenter,
  channels,
  matched: '9.9.9.9/32',
  graceUntil: null,
  override: null,
  peer: null,
  revision: 'r1',
  carriesSecret: null
})

t.test('the last verified request is known by route, data center and set of channels, the latest first', async (t) => {
  const records = new RouteRecords()
  const table: [pattern: string | null, verdict: VerifiedVerdict, time: number][] = [
    ['/a', verdict('DC-01', 'sms', 'streams'), 10],
    ['/a', verdict('DC-01', 'sms'), 20],
    ['/a', verdict('DC-02', 'sms'), 30],
    ['/b', verdict('DC-01', 'sms'), 40],
    [null, verdict(null), 50],
    ['/a', verdict('DC-01', 'sms', 'streams'), 60],
    ['/a', verdict('DC-01', 'sms', 'catalog'), 15]
  ]
  for (const [pattern, verdict, time] of table) records.of(pattern).verified(verdict, { time })
  t.strictSame(records.lastVerified(), [
    { at: 60, dataCenter: 'DC-01', channels: ['sms', 'streams'], route: '/a' },
    { at: 50, dataCenter: null, channels: [], route: null },
    { at: 40, dataCenter: 'DC-01', channels: ['sms'], route: '/b' },
    { at: 30, dataCenter: 'DC-02', channels: ['sms'], route: '/a' },
    { at: 20, dataCenter: 'DC-01', channels: ['sms'], route: '/a' },
    { at: 15, dataCenter: 'DC-01', channels: ['sms', 'catalog'], route: '/a' }
  ])
})

t.test('a thousand routes are told apart, and all further ones share a name', async (t) => {
  const records = new RouteRecords()
  t.equal(records.of(null).route, null)
  for (let i = 0; i < 1000; i++) t.equal(records.of(`/${i}`).route, `/${i}`)
  for (let i = 1000; i < 3000; i++) records.of(`/${i}`).verified(verdict('DC-01', 'sms'), { time: i })
  t.equal(records.of('/1000').route, '(other)')
  t.equal(records.of('/999').route, '/999', 'the first thousand keep their names')
  t.strictSame(records.lastVerified(), [{ at: 2999, dataCenter: 'DC-01', channels: ['sms'], route: '(other)' }])
})

t.test('a pattern that is too long to be one has the name of the others', async (t) => {
  const records = new RouteRecords()
  t.equal(records.of(`/${'a'.repeat(255)}`).route?.length, 256)
  t.equal(records.of(`/${'a'.repeat(256)}`).route, '(other)')
})

t.test('a route remembers a bounded number of data centers and sets of channels, the latest', async (t) => {
  const record = new RouteRecords().of('/a')
  const names = [
    'connector',
    'sms',
    'streams',
    'catalog',
    'rcs',
    'email',
    'push'
  ] as VerifiedVerdict['channels'][number][]
  // Each number has another set of channels.
  const setOf = (i: number) => names.filter((_, bit) => (i & (1 << bit)) !== 0)
  for (let i = 0; i < 65; i++) record.verified(verdict('DC-01', ...setOf(i)), { time: i === 5 ? -1 : i })
  t.equal(record.lastVerified.length, 64)
  t.notOk(
    record.lastVerified.some(({ at }) => at === -1),
    'the oldest is forgotten'
  )
  t.ok(record.lastVerified.some(({ at }) => at === 64))
})

t.test('hits are those of prefixes that verified a request, and zeros for further ones, each once', async (t) => {
  const counters = new Counters()
  const first = { matched: '9.9.9.9/32', dataCenter: 'DC-01' } as const
  counters.hitsOf(first).count += 2
  counters.hitsOf(first).count++
  counters.hitsOf({ matched: '9.9.9.9/32', dataCenter: null }).count = 5
  const listed = { prefix: '9.9.9.9/32', dataCenter: 'DC-01' } as const
  const idle = { prefix: '8.8.0.0/16', dataCenter: 'DC-02' } as const
  const hits = counters.hits([listed, idle, idle])
  t.strictSame(hits, [
    { ...listed, count: 3 },
    { ...listed, dataCenter: null, count: 5 },
    { ...idle, count: 0 }
  ])
  t.equal(counters.hits([]).length, 2, 'what never verified a request is not remembered')
  counters.hitsOf(first).count++
  t.equal(hits[0]!.count, 3, 'what was given away does not change')
})

t.test('counts are given away as copies', async (t) => {
  const counters = new Counters()
  const cells = { dataCenters: ['DC-01'], channels: ['sms'] } as const
  const growing = counters.of(cells)
  t.equal(counters.of({ ...cells }), growing, 'the same for all that accept the same')
  growing.rejected.denied++
  growing.rejectedWithSecret['not-listed']++
  const [copy] = counters.policies()
  growing.rejected.denied++
  growing.rejectedWithSecret['not-listed']++
  growing.verified++
  t.match(copy, { ...cells, verified: 0, rejected: { denied: 1 }, rejectedWithSecret: { 'not-listed': 1 } })
  t.match(counters.total(), { verified: 1, rejected: { denied: 2 }, rejectedWithSecret: { 'not-listed': 2 } })
})
