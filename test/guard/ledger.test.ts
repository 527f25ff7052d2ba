import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import t from 'tap'
import { createGuard, type VerdictEvent } from '../../src/core.js'
import { loadGuard } from '../../src/guard/create-guard.js'
import moengageAllowlist from '../../src/index.js'
import { TestClock } from '../support/clock.js'
import { snapshotOf } from '../support/snapshots.js'

const LISTED = '52.6.248.125'
const from = (peer: string) => ({ peer, headers: {} })

t.test('status and metrics know when which requests were verified last', async (t) => {
  const clock = new TestClock('2026-11-23T10:00:00Z')
  const start = clock.now()
  const source = {
    name: 'test',
    load: () =>
      snapshotOf({ 'DC-01 connector': ['9.9.9.1'], 'DC-01 sms': ['9.9.9.1', '9.9.9.2'], 'DC-02 sms': ['8.8.8.1'] })
  }
  const options = { dataCenters: ['DC-01', 'DC-02'] as const, allow: ['1.1.1.1'], source }
  const guard = await loadGuard({ ...options, confirm: ['shrunk'] }, { clock })
  t.strictSame(guard.status().lastVerified, [], 'nothing was verified')
  const requests: [peer: string, policy?: { channels: 'sms' }][] = [
    ['9.9.9.1'],
    ['9.9.9.2'],
    ['8.8.8.1'],
    ['1.1.1.1'],
    ['9.9.9.1', { channels: 'sms' }],
    ['198.51.100.7'],
    ['9.9.9.1']
  ]
  for (const [peer, policy] of requests) {
    guard.judge(from(peer), policy)
    clock.pass(1000)
  }
  const expected = [
    { at: start + 6000, dataCenter: 'DC-01', channels: ['connector', 'sms'], route: null },
    // By both addresses: the one by itself, the other on a route that accepts no more.
    { at: start + 4000, dataCenter: 'DC-01', channels: ['sms'], route: null },
    { at: start + 3000, dataCenter: null, channels: [], route: null },
    { at: start + 2000, dataCenter: 'DC-02', channels: ['sms'], route: null }
  ]
  t.strictSame(guard.status().lastVerified, expected)
  t.strictSame(guard.metrics().lastVerified, expected)
  t.equal(guard.metrics().age, 3 * 24 * 3_600_000 + 10 * 3_600_000 + 7000, 'from the start of the day of the list')
})

t.test('a request that another policy rejects is not the last verified one', async (t) => {
  const clock = new TestClock('2026-11-23T10:00:00Z')
  const start = clock.now()
  const guard = await loadGuard({ dataCenters: ['DC-01', 'DC-03'] }, { clock })
  const strict = { channels: 'catalog' } as const
  const call = (clientIp: string, route: string) => {
    clock.pass(1000)
    return guard.decide(undefined, undefined, from(clientIp), route)
  }
  const takeBack = (earlier: ReturnType<typeof call>) =>
    guard.decide(strict, undefined, { ...from(earlier.clientIp!), earlier }, '/strict')
  const times = () => guard.status().lastVerified.map(({ at, dataCenter, route }) => [at - start, dataCenter, route])

  takeBack(call(LISTED, '/a'))
  t.strictSame(times(), [], 'the only one')
  for (const [clientIp, route] of [
    [LISTED, '/a'],
    [LISTED, '/b'],
    ['3.6.251.95', '/b']
  ] as const)
    call(clientIp, route)
  const [first, second] = [call(LISTED, '/b'), call(LISTED, '/b')]
  takeBack(second)
  const before = [
    [4000, 'DC-03', '/b'],
    [2000, 'DC-01', '/a']
  ]
  t.strictSame(times(), [[5000, 'DC-01', '/b'], ...before], 'the one before it is the last')
  takeBack(first)
  t.strictSame(times(), before, 'the one before that is not remembered')
  for (const earlier of [first, first]) takeBack(earlier)
  t.strictSame(times(), [[4000, 'DC-03', '/b']], 'nothing is left to take back')
  t.equal(guard.status().verified, 1)
})

t.test('the clock is read ten times a second at most, and no timer runs without requests', async (t) => {
  const clock = new TestClock('2026-11-23T10:00:00Z')
  const start = clock.now()
  const guard = await loadGuard({ dataCenters: 'DC-01' }, { clock })
  const atRest = clock.waiting.length
  const times = [0, 60, 60, 5000].map((wait) => {
    clock.pass(wait)
    guard.judge(from(LISTED))
    return guard.status().lastVerified[0]!.at - start
  })
  t.strictSame(times, [0, 0, 120, 5120])
  clock.pass(100)
  t.equal(clock.waiting.length, atRest)
})

t.test('a framework names the route', async (t) => {
  const app = Fastify()
  await app.register(moengageAllowlist, { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } })
  app.post('/hooks/:id', async () => 'ok')
  const before = Date.now()
  await app.inject({ method: 'POST', url: '/hooks/4711', headers: { 'x-forwarded-for': LISTED } })
  t.match(app.moengage!.status().lastVerified, [{ dataCenter: 'DC-01', route: '/hooks/:id' }])
  const { at } = app.moengage!.status().lastVerified[0]!
  t.ok(at >= before && at <= Date.now())
})

t.test('routes of senders and events are bounded, however many patterns come', async (t) => {
  const events: VerdictEvent[] = []
  const onMessage = (message: unknown) => void events.push(message as VerdictEvent)
  subscribe('moengage-allowlist:verdict', onMessage)
  t.teardown(() => unsubscribe('moengage-allowlist:verdict', onMessage))
  const guard = createGuard({ dataCenters: 'DC-01' })
  for (let i = 0; i < 1200; i++) {
    guard.decide(undefined, undefined, from('198.51.100.7'), `/${i}`)
    guard.decide(undefined, undefined, from(LISTED), `/${i}`)
  }
  guard.decide(undefined, undefined, from('198.51.100.8'), '/1100')
  guard.decide(undefined, undefined, from('198.51.100.8'), `/${'x'.repeat(20_000)}`)
  t.equal(new Set(events.map(({ route }) => route)).size, 1001)
  t.equal(events.at(-1)?.route, '(other)')
  t.strictSame(
    guard.senders().map(({ routes }) => routes),
    [Array.from({ length: 8 }, (_, i) => `/${i}`), ['(other)']]
  )
  t.equal(guard.status().lastVerified.length, 1001)
})

t.test('a removed address is named in the diagnosis, however many strangers are louder', async (t) => {
  let addresses = ['9.9.9.1', '9.9.9.2', '9.9.9.3']
  const source = { name: 'test', load: () => snapshotOf({ 'DC-01 connector': addresses }) }
  const guard = await loadGuard({ dataCenters: 'DC-01', gracePeriod: 0, source })
  addresses = ['9.9.9.1', '9.9.9.2']
  await guard.reload()
  for (let i = 0; i < 200; i++) for (let n = 0; n < 3; n++) guard.judge(from(`198.51.100.${i}`))
  guard.judge(from('9.9.9.3'))
  guard.judge(from('9.9.9.1'))
  t.match(guard.status().diagnosis, [/^9\.9\.9\.3 \(1 rejection\) was removed from MoEngage's page/])
})
