import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { createGuard, loadGuard, type ReloadEvent, type Snapshot, type VerdictEvent } from '../src/core.js'
import { registerMetrics } from '../src/prometheus.js'
import { LISTED, STRANGER } from './support/addresses.js'

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
    ['hooks_verdict_cache_hit_ratio', 3 / 6]
  ]
  for (const [name, value] of table) t.equal(found.get(name), value, name)
})

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
