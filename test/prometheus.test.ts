import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import { AggregatorRegistry, Gauge, Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { createGuard, loadGuard, type ReloadEvent, type Snapshot, type VerdictEvent } from '../src/core.js'
import guardExpress from '../src/express.js'
import guardFetch from '../src/fetch.js'
import moengageAllowlist from '../src/index.js'
import { registerMetrics } from '../src/prometheus.js'
import { LISTED, STRANGER, UNLISTED } from './support/addresses.js'
import { until } from './support/http.js'
import { lineLogger } from './support/logger.js'

const from = (peer: string) => ({ peer, headers: {} })

async function samples(registry: Registry): Promise<Map<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

t.test('verdicts are counted by result, reason and what the route accepts', async (t) => {
  const registry = new Registry()
  const guard = createGuard({ dataCenters: ['DC-01', 'DC-03'], channels: ['connector', 'sms'] })
  registerMetrics(guard, { registry })
  for (let i = 0; i < 3; i++) guard.judge(from(LISTED))
  guard.judge(from(STRANGER))
  guard.judge(from(''))
  guard.judge(from(LISTED), { channels: 'catalog' })
  const found = await samples(registry)
  const policy = 'policy_data_centers="DC-01 DC-03",policy_channels="connector sms"'
  const catalog = 'policy_data_centers="DC-01 DC-03",policy_channels="catalog"'
  const table: [name: string, value: number][] = [
    [`moengage_verdicts_total{result="verified",reason="",${policy}}`, 3],
    [`moengage_verdicts_total{result="rejected",reason="not-listed",${policy}}`, 1],
    [`moengage_verdicts_total{result="rejected",reason="unresolved",${policy}}`, 1],
    [`moengage_verdicts_total{result="rejected",reason="denied",${policy}}`, 0],
    [`moengage_verdicts_total{result="verified",reason="",${catalog}}`, 0],
    [`moengage_verdicts_total{result="rejected",reason="other-channel",${catalog}}`, 1],
    [`moengage_prefix_hits_total{prefix="${LISTED}/32",data_center="DC-01"}`, 3],
    ['moengage_prefix_hits_total{prefix="3.6.251.95/32",data_center="DC-03"}', 0],
    ['moengage_reloads_total{result="succeeded"}', 0],
    ['moengage_up', 1],
    ['moengage_senders', 2],
    ['moengage_list_entries', guard.status().entries],
    ['moengage_verdict_cache_hit_ratio', 2 / 3]
  ]
  for (const [name, value] of table) t.equal(found.get(name), value, name)
  t.ok(found.get('moengage_list_age_seconds')! > 0)
  const again = await samples(registry)
  // A second may have passed.
  for (const both of [found, again]) both.delete('moengage_list_age_seconds')
  t.strictSame(again, found, 'asking twice counts nothing twice')
})

t.test('what carried the secret is counted, without a label that a client chooses', async (t) => {
  const registry = new Registry()
  const guard = createGuard({
    dataCenters: 'DC-01',
    expectSecret: true,
    carriesSecret: ({ headers }) => {
      const { secret } = headers as { secret?: string }
      if (secret === undefined) throw new Error('no secret')
      return secret === 'right'
    }
  })
  registerMetrics(guard, { registry })
  const judge = (peer: string, secret?: string) =>
    guard.judge({ peer, headers: secret === undefined ? {} : { secret } })
  for (const secret of ['right', 'right', 'wrong', undefined]) judge(UNLISTED, secret)
  for (const secret of ['right', 'wrong', 'wrong', undefined]) judge(LISTED, secret)
  judge('', 'right')
  guard.judge({ peer: LISTED, headers: { secret: 'right' } }, { channels: 'catalog' })
  const found = await samples(registry)
  const table: [name: string, value: number][] = [
    ['moengage_rejected_with_secret_total{reason="not-listed"}', 2],
    ['moengage_rejected_with_secret_total{reason="unresolved"}', 1],
    ['moengage_rejected_with_secret_total{reason="other-channel"}', 1],
    ['moengage_rejected_with_secret_total{reason="denied"}', 0],
    ['moengage_verified_without_secret_total', 2],
    ['moengage_secret_checks_failed_total', 2],
    ['moengage_unlisted_senders_with_secret', 1]
  ]
  for (const [name, value] of table) t.equal(found.get(name), value, name)
})

t.test('a watched source shows how much it differs, and when it was loaded', async (t) => {
  const watch = {
    name: 'theirs',
    load: (): Snapshot => ({
      provenance: { page: 'a test', revision: 'r', retrieved: '2026-11-23' },
      rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses: [LISTED, '9.9.9.9'] }]
    })
  }
  const registry = new Registry()
  const guard = await loadGuard({ dataCenters: 'DC-01', watch })
  t.teardown(() => guard.close())
  registerMetrics(guard, { registry })
  const names = ['moengage_watch_differences', 'moengage_watch_checked_timestamp_seconds'] as const
  const before = await samples(registry)
  t.notOk(
    names.some((name) => before.has(name)),
    'absent until it was loaded'
  )
  await until(() => guard.status().watch!.checkedAt !== null)
  const { checkedAt, differences } = guard.status().watch!
  const found = await samples(registry)
  t.strictSame(
    names.map((name) => found.get(name)),
    [guard.metrics().watch!.differences, checkedAt! / 1000]
  )
  t.equal(differences!.same, false)
})

t.test('a watched source that was never loaded shows that it fails; without one there is nothing', async (t) => {
  const name = 'moengage_watch_failing'
  let isDown = true
  const load = (): Snapshot => {
    if (isDown) throw new Error('down')
    return {
      provenance: { page: 'a test', revision: 'r', retrieved: '2026-11-23' },
      rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses: [LISTED] }]
    }
  }
  const registry = new Registry()
  const guard = await loadGuard({ dataCenters: 'DC-01', watch: { name: 'theirs', interval: '1s', load } })
  t.teardown(() => guard.close())
  registerMetrics(guard, { registry })
  await until(() => guard.metrics().watch!.failing)
  const failing = await samples(registry)
  t.equal(failing.get(name), 1)
  t.notOk(failing.has('moengage_watch_checked_timestamp_seconds'))
  t.equal(failing.get('moengage_source_failing'), 0, 'the list itself is loaded')
  isDown = false
  await until(() => !guard.metrics().watch!.failing)
  t.equal((await samples(registry)).get(name), 0)
  const plain = new Registry()
  registerMetrics(createGuard({ dataCenters: 'DC-01' }), { registry: plain })
  t.notOk((await samples(plain)).has(name))
})

t.test('the age of a list counts from the day on which it was last checked', async (t) => {
  const checked = new Date().toISOString().slice(0, 10)
  const source = () => ({
    provenance: { page: 'a test', revision: 'r', retrieved: '2020-01-31', checked },
    rows: [{ dataCenter: 'DC-01' as const, channel: 'connector' as const, addresses: ['9.9.9.9'] }]
  })
  const registry = new Registry()
  registerMetrics(await loadGuard({ dataCenters: 'DC-01', source }), { registry })
  const age = (await samples(registry)).get('moengage_list_age_seconds')!
  t.ok(age < 2 * 86_400, `${age} seconds`)
})

t.test('what your own allow verifies is counted from 0 on, so that its first request is a step', async (t) => {
  const registry = new Registry()
  const guard = createGuard({ dataCenters: 'DC-01', allow: ['192.0.2.0/24'], confirm: ['private'] })
  registerMetrics(guard, { registry })
  const hitsOf = async (prefix: string) =>
    (await samples(registry)).get(`moengage_prefix_hits_total{prefix="${prefix}",data_center=""}`)
  t.equal(await hitsOf('192.0.2.0/24'), 0, 'the option')
  guard.judge(from('192.0.2.1'))
  t.equal(await hitsOf('192.0.2.0/24'), 1)
  t.equal(await hitsOf('9.9.9.9/32'), undefined)
  const { id } = guard.override({ allow: ['9.9.9.9'] })
  t.equal(await hitsOf('9.9.9.9/32'), 0, 'an override')
  guard.removeOverride(id)
  t.equal(await hitsOf('9.9.9.9/32'), undefined, 'an override that has ended, and verified nothing')
})

t.test('counters outlive the list, and dead entries show', async (t) => {
  let addresses = ['9.9.9.9', '8.8.8.8']
  const load = (): Snapshot => {
    if (addresses.length === 0) throw new Error('down')
    return {
      provenance: { page: 'a test', revision: 'r', retrieved: '2026-11-23' },
      rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses }]
    }
  }
  const guard = await loadGuard({ dataCenters: 'DC-01', allow: ['1.1.1.1'], source: { name: 'test', load } })
  const registry = new Registry()
  registerMetrics(guard, { registry, prefix: 'hooks_' })
  t.equal((await samples(registry)).get('hooks_verdict_cache_hit_ratio'), 0)
  for (let i = 0; i < 4; i++) guard.judge(from('9.9.9.9'))
  addresses = ['9.9.9.9', '7.7.7.7']
  await guard.reload()
  for (const peer of ['9.9.9.9', '1.1.1.1']) guard.judge(from(peer))
  addresses = []
  await t.rejects(guard.reload())
  const found = await samples(registry)
  const table: [name: string, value: number][] = [
    ['hooks_prefix_hits_total{prefix="9.9.9.9/32",data_center="DC-01"}', 5],
    ['hooks_prefix_hits_total{prefix="8.8.8.8/32",data_center="DC-01"}', 0],
    ['hooks_prefix_hits_total{prefix="7.7.7.7/32",data_center="DC-01"}', 0],
    ['hooks_prefix_hits_total{prefix="1.1.1.1/32",data_center=""}', 1],
    ['hooks_reloads_total{result="succeeded"}', 1],
    ['hooks_reloads_total{result="failed"}', 1],
    ['hooks_source_failing', 1],
    ['hooks_verdict_cache_hit_ratio', 3 / 6]
  ]
  for (const [name, value] of table) t.equal(found.get(name), value, name)
  addresses = ['9.9.9.9', '7.7.7.7']
  await guard.reload()
  t.equal((await samples(registry)).get('hooks_source_failing'), 0)
})

t.test(
  'a counter does not fall where a verified request is rejected later, and goes on when others come',
  async (t) => {
    const registry = new Registry()
    const guard = guardFetch({
      dataCenters: 'DC-01',
      expectSecret: true,
      carriesSecret: () => false,
      logger: lineLogger([])
    })
    t.teardown(() => guard.close())
    registerMetrics(guard, { registry })
    const verified = async () => {
      const found = await samples(registry)
      const counts = [...found].filter(([name]) => name.includes('result="verified"')).map(([, value]) => value)
      const names = [
        'moengage_verified_without_secret_total',
        `moengage_prefix_hits_total{prefix="${LISTED}/32",data_center="DC-01"}`
      ]
      return [counts[0], ...names.map((name) => found.get(name))]
    }
    const request = new Request('http://x/')
    await guard.check(request, LISTED)
    t.strictSame(await verified(), [1, 1, 1])
    await guard.check(request, LISTED, { channels: 'catalog' })
    t.match(guard.status(), { verified: 0, rejected: { 'other-channel': 1 } })
    t.strictSame(await verified(), [1, 1, 1], 'Prometheus would take a lower value for a restart')
    for (const count of [1, 2]) {
      await guard.check(new Request('http://x/'), LISTED)
      t.strictSame(await verified(), [count, count, count])
    }
  }
)

t.test('senders that share a place among the remembered verdicts are counted all the same', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', cacheSize: 1, allow: ['1.1.1.1', '1.0.0.1'] })
  for (const peer of ['1.1.1.1', '1.0.0.1', '1.1.1.1', '1.1.1.1']) guard.judge(from(peer))
  guard.explain('1.1.1.1')
  const { hits, cache } = guard.metrics()
  t.match(
    hits.filter(({ dataCenter }) => dataCenter === null),
    [
      { prefix: '1.1.1.1/32', count: 3 },
      { prefix: '1.0.0.1/32', count: 1 }
    ]
  )
  t.strictSame(cache, { hits: 1, misses: 3 })
})

t.test('the last verified request has a time by route and by what its address is published for', async (t) => {
  const app = Fastify()
  await app.register(moengageAllowlist, {
    dataCenters: ['DC-01', 'DC-03'],
    allow: ['10.1.1.1'],
    channels: ['connector', 'sms']
  })
  app.get('/hooks/:id', async () => 'ok')
  await app.ready()
  const registry = new Registry()
  registerMetrics(app.moengage!, { registry })
  t.notOk(
    [...(await samples(registry)).keys()].some((name) => name.startsWith('moengage_last_verified')),
    'none yet'
  )
  const before = Date.now()
  for (const remoteAddress of [LISTED, '10.1.1.1', STRANGER]) await app.inject({ url: '/hooks/4711', remoteAddress })
  const found = [...(await samples(registry))].filter(([name]) => name.startsWith('moengage_last_verified'))
  t.strictSame(found.map(([name]) => name).sort(), [
    'moengage_last_verified_timestamp_seconds{data_center="",channels="",route="/hooks/:id"}',
    'moengage_last_verified_timestamp_seconds{data_center="DC-01",channels="connector sms",route="/hooks/:id"}'
  ])
  for (const [, value] of found) t.ok(value >= before / 1000 && value <= Date.now() / 1000)
})

t.test('in a cluster, each metric is aggregated as it has to be', async (t) => {
  const load = (addresses: string[], retrieved: string) => (): Snapshot => ({
    provenance: { page: 'a test', revision: 'r', retrieved },
    rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses }]
  })
  const day = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
  const workers = [
    { load: load(['9.9.9.9', '8.8.8.8'], day(1)), peers: ['9.9.9.9', '9.9.9.9', STRANGER] },
    { load: load(['9.9.9.9'], day(3)), peers: [STRANGER, '198.51.100.8'] },
    { load: load(['9.9.9.9', '8.8.8.8'], day(1)), peers: ['9.9.9.9'] }
  ]
  const responses = []
  let last = 0
  for (const { load, peers } of workers) {
    const guard = createGuard({ dataCenters: 'DC-01', channels: 'connector', source: { name: 'test', load } })
    for (const peer of peers) guard.judge(from(peer))
    last = Math.max(last, ...guard.status().lastVerified.map(({ at }) => at))
    const registry = new Registry()
    registerMetrics(guard, { registry })
    responses.push(await registry.getMetricsAsJSON())
  }
  const found = await samples(AggregatorRegistry.aggregate(responses) as Registry)
  const policy = 'policy_data_centers="DC-01",policy_channels="connector"'
  const table: [name: string, value: number][] = [
    ['moengage_up', 1],
    ['moengage_list_entries', 1],
    ['moengage_senders', 3],
    ['moengage_verdict_cache_hit_ratio', (1 / 2 + 0 + 0) / 3],
    [`moengage_verdicts_total{result="verified",reason="",${policy}}`, 3],
    ['moengage_last_verified_timestamp_seconds{data_center="DC-01",channels="connector",route=""}', last / 1000]
  ]
  for (const [name, value] of table) t.equal(found.get(name), value, name)
  const age = found.get('moengage_list_age_seconds')!
  t.ok(age >= 3 * 86_400 && age < 4 * 86_400 + 60, `the oldest list is reported: ${age}`)
})

t.test('a guard without a list takes no other metrics away, and has none of its own', async (t) => {
  let isDown = true
  const load = (): Promise<Snapshot> =>
    isDown
      ? Promise.reject(new Error('down'))
      : Promise.resolve({
          provenance: { page: 'a test', revision: 'r', retrieved: '2026-11-23' },
          rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses: ['9.9.9.9'] }]
        })
  const guard = guardExpress({ dataCenters: 'DC-01', logger: lineLogger([]), source: { name: 'test', load } })
  t.teardown(() => guard.close())
  const registry = new Registry()
  registerMetrics(guard, { registry })
  new Gauge({ name: 'own', help: 'of the application', registers: [registry] }).set(5)
  await t.rejects(guard.ready())
  t.strictSame(
    [...(await samples(registry))],
    [
      ['moengage_up', 0],
      ['own', 5]
    ]
  )
  isDown = false
  await guard.reload()
  const found = await samples(registry)
  t.equal(found.get('moengage_up'), 1)
  t.equal(found.get('moengage_list_entries'), 1)
})

t.test('what is not a guard is refused at once, and a scope without one is named', async (t) => {
  const app = Fastify()
  await app.register(async (hooks) => {
    await hooks.register(moengageAllowlist, { dataCenters: 'DC-01' })
    t.doesNotThrow(() => registerMetrics(hooks.moengage!, { registry: new Registry() }))
  })
  await app.ready()
  const registry = new Registry()
  t.throws(() => registerMetrics(app.moengage!, { registry }), {
    code: 'MOE_ERR_OPTIONS',
    message:
      /There is no guard in this scope: Fastify has app\.moengage only in the scope that registers the plugin.*hooks\.moengage/s,
    mistakes: [{ path: 'guard', value: 'undefined' }]
  })
  for (const other of [null, {}, 'guard']) {
    t.throws(() => registerMetrics(other as never, { registry }), { message: /is not a guard/ })
  }
  t.throws(() => registerMetrics(Promise.reject(new Error('away')) as never, { registry }), {
    message: /The guard is a promise\. Await it before you pass it\./
  })
  t.strictSame(await registry.getMetricsAsJSON(), [], 'nothing was registered')
})

t.test('whatever clients send, there are no more series', async (t) => {
  const registry = new Registry()
  const guard = createGuard({ dataCenters: 'all', clientIp: { trustedProxies: ['10.0.0.1'] } })
  registerMetrics(guard, { registry })
  guard.judge(from(STRANGER))
  const before = (await samples(registry)).size
  for (let i = 0; i < 500; i++) {
    guard.judge({ peer: '10.0.0.1', headers: { 'x-forwarded-for': `198.51.${i >> 8}.${i & 255}` } })
    guard.judge({ peer: '10.0.0.1', headers: { 'x-forwarded-for': `"} ${i}` } })
  }
  t.equal((await samples(registry)).size, before)
})

/** Collects what is published to a channel. */
function listen<Event>(t: Test, name: string): Event[] {
  const events: Event[] = []
  const onMessage = (message: unknown) => void events.push(message as Event)
  subscribe(name, onMessage)
  t.teardown(() => unsubscribe(name, onMessage))
  return events
}

t.test('verdicts and reloads are published while somebody listens', async (t) => {
  let error: Error | undefined
  const load = (): Snapshot => {
    if (error !== undefined) throw error
    return {
      provenance: { page: 'a test', revision: 'revision-1', retrieved: '2026-11-23' },
      rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses: ['9.9.9.9'] }]
    }
  }
  const guard = await loadGuard({ dataCenters: 'DC-01', redactAddress: 'truncate', source: { name: 'test', load } })
  guard.judge(from('9.9.9.9'))
  await guard.reload()
  const verdicts = listen<VerdictEvent>(t, 'moengage-allowlist:verdict')
  const reloads = listen<ReloadEvent>(t, 'moengage-allowlist:reload')
  for (const peer of ['9.9.9.9', STRANGER, '']) guard.judge(from(peer))
  await guard.reload()
  error = new Error('down')
  await t.rejects(guard.reload())
  t.match(verdicts, [
    { verdict: { verified: true, clientIp: '9.9.9.9' }, policy: { dataCenters: ['DC-01'] }, route: null },
    { verdict: { verified: false, clientIp: '198.51.100.0/24', peer: '198.51.100.0/24' } },
    { verdict: { reason: 'unresolved', clientIp: null, peer: null } }
  ])
  t.match(reloads, [
    { revision: 'revision-1', error: null },
    { revision: 'revision-1', error: /down/ }
  ])
})

t.test('metrics without a registry are refused with what to write', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  const registry = new Registry()
  const wrong: [options: unknown, message: RegExp, fix: RegExp][] = [
    [undefined, /There are no options/, /^Write \{ registry: register \}/],
    [null, /There are no options/, /^Write \{ registry: register \}/],
    [registry, /was passed instead of options/, /^Write \{ registry: register \}/],
    [{}, /missing/, /^Write \{ registry: register \}/],
    [{ registry: 'x' }, /is not a registry/, /^Write \{ registry: register \}/],
    [{ registry: null }, /is not a registry/, /^Write \{ registry: register \}/],
    [{ registry, prefx: 'a_' }, /no option "prefx"/, /"prefix"/],
    [{ registry, prefix: 'my-app-' }, /'my-app-' is not the beginning/, /^Write 'hooks_'/],
    [{ registry, prefix: null }, /null is not the beginning/, /^Write 'hooks_'/]
  ]
  for (const [options, message, fix] of wrong) {
    t.throws(() => registerMetrics(guard, options as never), { code: 'MOE_ERR_OPTIONS', mistakes: [{ message, fix }] })
  }
  t.strictSame(registry.getMetricsAsArray(), [])
})

t.test('where a name is taken nothing is registered, and the fix is taken', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  for (const [name, prefix, length] of [
    ['moengage_up', undefined, 1],
    ['moengage_senders', undefined, 1],
    ['hooks_reloads_total', 'hooks_', 1]
  ] as const) {
    const registry = new Registry()
    new Gauge({ name, help: 'of another', registers: [registry] })
    const options = { registry, ...(prefix !== undefined && { prefix }) }
    const mistake = { path: 'prefix', message: new RegExp(`"${name}".*already been registered`), fix: /'\w+_2_'/ }
    t.throws(() => registerMetrics(guard, options), { code: 'MOE_ERR_OPTIONS', mistakes: [mistake] })
    t.equal(registry.getMetricsAsArray().length, length, name)
    registerMetrics(guard, { registry, prefix: `${prefix ?? 'moengage_'}2_` })
    registry.removeSingleMetric(name)
    registerMetrics(guard, options)
  }
})

t.test('a list that changes again and again does not grow the metrics without end', async (t) => {
  let third = 0
  const load = (): Snapshot => ({
    provenance: { page: 'a test', revision: 'r', retrieved: '2026-11-23' },
    rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses: ['9.9.9.9', `8.8.${third}.8`, `8.8.${third}.9`] }]
  })
  const guard = await loadGuard({
    dataCenters: 'DC-01',
    gracePeriod: 0,
    confirm: ['shrunk'],
    source: { name: 'test', load }
  })
  guard.judge(from('8.8.0.8'))
  for (third = 1; third < 20; third++) {
    guard.metrics()
    await guard.reload()
  }
  t.match(
    guard.metrics().hits.map(({ prefix, count }) => [prefix, count]),
    [
      ['8.8.0.8/32', 1],
      ['9.9.9.9/32', 0],
      ['8.8.19.8/32', 0],
      ['8.8.19.9/32', 0]
    ],
    'what verified a request stays'
  )
  t.equal(guard.metrics().hits.length, 4)
})
