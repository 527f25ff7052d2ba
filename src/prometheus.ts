/**
 * The metrics of a guard, for `prom-client`.
 *
 * @module moengage-allowlist/prometheus
 */

import { Counter, Gauge, type Registry } from 'prom-client'
import type { Guard } from './guard/guard.js'
import { REASONS } from './verdict/verdict.js'

/** What is asked of a guard: `app.moengage` in Fastify, or what `createGuard` gives. */
export type MeasuredGuard = Pick<Guard, 'metrics'>

/** Options of the metrics. */
export interface MetricsOptions {
  /** Where to register, such as `register` of `prom-client`. */
  readonly registry: Registry
  /** What the names begin with (`'moengage_'`). Give each guard of a process its own. */
  readonly prefix?: string
}

/**
 * Registers the metrics of a guard. They are read from its counters when Prometheus asks, so that requests cost nothing.
 * Labels hold names of yours and of MoEngage's page and nothing that a client sends; `docs/metrics.md` lists them.
 *
 * @throws Error of `prom-client` when the names are registered already
 * @example
 * import { register } from 'prom-client'
 * registerMetrics(app.moengage, { registry: register })
 * app.get('/metrics', async (_, reply) => reply.type(register.contentType).send(await register.metrics()))
 */
export function registerMetrics(guard: MeasuredGuard, { registry, prefix = 'moengage_' }: MetricsOptions): void {
  const registers = [registry]
  const POLICY = ['policy_data_centers', 'policy_channels'] as const
  new Counter({
    name: `${prefix}verdicts_total`,
    help: 'Requests judged, by result, reason of a rejection, and what the route accepts.',
    labelNames: ['result', 'reason', ...POLICY],
    registers,
    collect() {
      this.reset()
      for (const { dataCenters, channels, verified, rejected } of guard.metrics().verdicts) {
        const policy = { policy_data_centers: dataCenters.join(' '), policy_channels: channels.join(' ') }
        this.inc({ result: 'verified', reason: '', ...policy }, verified)
        for (const reason of REASONS) this.inc({ result: 'rejected', reason, ...policy }, rejected[reason])
      }
    }
  })
  new Counter({
    name: `${prefix}prefix_hits_total`,
    help: 'Requests verified, by the prefix that verified them; 0 for prefixes that never did.',
    labelNames: ['prefix', 'data_center'],
    registers,
    collect() {
      this.reset()
      for (const { prefix, dataCenter, count } of guard.metrics().hits) {
        this.inc({ prefix, data_center: dataCenter ?? '' }, count)
      }
    }
  })
  new Counter({
    name: `${prefix}reloads_total`,
    help: 'Loads of the list after the first one, by result.',
    labelNames: ['result'],
    registers,
    collect() {
      const { succeeded, failed } = guard.metrics().reloads
      this.reset()
      this.inc({ result: 'succeeded' }, succeeded)
      this.inc({ result: 'failed' }, failed)
    }
  })
  const gauge = (name: string, help: string, read: (metrics: ReturnType<MeasuredGuard['metrics']>) => number) =>
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers,
      collect() {
        this.set(read(guard.metrics()))
      }
    })
  gauge(
    'list_age_seconds',
    'How long ago the list was taken or last checked, from the start of that day (UTC).',
    ({ checked }) => Math.floor((Date.now() - Date.parse(checked)) / 1000)
  )
  gauge(
    'list_entries',
    'Entries of the list: addresses, once for each data center and channel.',
    ({ entries }) => entries
  )
  gauge('senders', 'Rejected senders that are remembered.', ({ senders }) => senders)
  gauge('verdict_cache_hit_ratio', 'Verified requests whose verdict was remembered, of all.', ({ cache }) =>
    cache.hits + cache.misses === 0 ? 0 : cache.hits / (cache.hits + cache.misses)
  )
}
