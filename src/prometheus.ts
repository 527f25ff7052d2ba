/**
 * The metrics of a guard, for `prom-client`.
 *
 * @module moengage-allowlist/prometheus
 */

import { type Aggregator, Counter, Gauge, type Registry } from 'prom-client'
import { refuseNoGuard } from './guard/given-guard.js'
import type { Guard } from './guard/guard.js'
import type { OptionRule, OptionTable } from './lib/option.js'
import { OptionReader } from './lib/option-reader.js'
import { literal, quoted, shown } from './lib/text.js'
import { REASONS } from './verdict/verdict.js'

/** What is read of a guard: `app.moengage` in Fastify, or the return value of `createGuard` and of the other doors. */
export type MeasuredGuard = Pick<Guard, 'metrics'>

type Metrics = ReturnType<MeasuredGuard['metrics']>

/** Options of the metrics. */
export interface MetricsOptions {
  /** Where to register, such as `register` of `prom-client`. */
  readonly registry: Registry
  /** The beginning of all names (`'moengage_'`). Give each guard of a process its own. */
  readonly prefix?: string
}

/** A value of a metric with its labels. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

interface MetricRow {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  readonly samples: (metrics: Metrics) => readonly Sample[]
}

interface GaugeRow extends MetricRow {
  /** How `AggregatorRegistry` of prom-client makes one value of those of all workers; counters are added up. */
  readonly aggregator: Aggregator
}

const COUNTERS: readonly MetricRow[] = [
  {
    name: 'verdicts_total',
    help: 'Requests judged, by result, reason of a rejection, and what the route accepts.',
    labels: ['result', 'reason', 'policy_data_centers', 'policy_channels'],
    samples: ({ verdicts }) =>
      verdicts.flatMap(({ dataCenters, channels, verified, rejected }) => {
        const policy = { policy_data_centers: dataCenters.join(' '), policy_channels: channels.join(' ') }
        return [
          [{ result: 'verified', reason: '', ...policy }, verified] as const,
          ...REASONS.map((reason) => [{ result: 'rejected', reason, ...policy }, rejected[reason]] as const)
        ]
      })
  },
  {
    name: 'rejected_with_secret_total',
    help: 'Rejected requests that carried your secret, by reason: MoEngage, whose list has aged or whose call reaches you in another way.',
    labels: ['reason'],
    samples: ({ verdicts }) =>
      REASONS.map((reason) => [
        { reason },
        verdicts.reduce((sum, { rejectedWithSecret }) => sum + rejectedWithSecret[reason], 0)
      ])
  },
  {
    name: 'verified_without_secret_total',
    help: 'Verified requests that did not carry your secret; counted with expectSecret.',
    samples: ({ verdicts }) => [
      [{}, verdicts.reduce((sum, { verifiedWithoutSecret }) => sum + verifiedWithoutSecret, 0)]
    ]
  },
  {
    name: 'secret_checks_failed_total',
    help: 'Calls of carriesSecret that threw, or returned something else than true or false.',
    samples: ({ secretChecksFailed }) => [[{}, secretChecksFailed]]
  },
  {
    name: 'prefix_hits_total',
    help: 'Requests verified, by the prefix that verified them; 0 for prefixes that never did.',
    labels: ['prefix', 'data_center'],
    samples: ({ hits }) =>
      hits.map(({ prefix, dataCenter, count }) => [{ prefix, data_center: dataCenter ?? '' }, count] as const)
  },
  {
    name: 'reloads_total',
    help: 'Loads of the list after the first one, by result.',
    labels: ['result'],
    samples: ({ reloads: { succeeded, failed } }) => [
      [{ result: 'succeeded' }, succeeded],
      [{ result: 'failed' }, failed]
    ]
  }
]

const GAUGES: readonly GaugeRow[] = [
  {
    name: 'last_verified_timestamp_seconds',
    help: 'When the last request was verified, by route and by what its address is published for.',
    labels: ['data_center', 'channels', 'route'],
    aggregator: 'max',
    samples: ({ lastVerified }) =>
      lastVerified.map(({ at, dataCenter, channels, route }) => {
        const labels = { data_center: dataCenter ?? '', channels: channels.join(' '), route: route ?? '' }
        return [labels, at / 1000] as const
      })
  },
  {
    name: 'list_age_seconds',
    help: 'How long ago the list was taken or last checked, from the start of that day (UTC).',
    aggregator: 'max',
    samples: ({ age }) => [[{}, Math.floor(age / 1000)]]
  },
  {
    name: 'list_entries',
    help: 'Entries of the list: addresses, once for each data center and channel.',
    aggregator: 'min',
    samples: ({ entries }) => [[{}, entries]]
  },
  {
    name: 'source_failing',
    help: '1 while the source of the list fails (its last load, or its watch), 0 otherwise; the list in use stays in use.',
    aggregator: 'max',
    samples: ({ sourceFailing }) => [[{}, Number(sourceFailing)]]
  },
  {
    name: 'watch_differences',
    help: 'Addresses and cells in which the watched source differs from the list in use; absent without one.',
    aggregator: 'max',
    samples: ({ watch }) => sampleOf(watch?.differences)
  },
  {
    name: 'watch_checked_timestamp_seconds',
    help: 'When the watched source was last loaded; absent without one.',
    aggregator: 'min',
    samples: ({ watch }) => sampleOf(watch?.checkedAt).map(([labels, time]) => [labels, time / 1000] as const)
  },
  {
    name: 'watch_failing',
    help: '1 while the watched source fails (its last load, or its watch), 0 otherwise; absent without one.',
    aggregator: 'max',
    samples: ({ watch }) => sampleOf(watch && Number(watch.failing))
  },
  {
    name: 'unlisted_senders_with_secret',
    help: 'Addresses that are not listed and sent your secret in the last seven days: more than 0 means that the list has aged.',
    aggregator: 'max',
    samples: ({ unlistedWithSecret }) => [[{}, unlistedWithSecret]]
  },
  {
    name: 'senders',
    help: 'Rejected senders that are remembered.',
    aggregator: 'sum',
    samples: ({ senders }) => [[{}, senders]]
  },
  {
    name: 'verdict_cache_hit_ratio',
    help: 'The share of verified requests whose verdict came from the cache.',
    aggregator: 'average',
    samples: ({ cache: { hits, misses } }) => [[{}, hits + misses === 0 ? 0 : hits / (hits + misses)]]
  }
]

const UP = { name: 'up', help: '1 while the guard has a list, 0 while it has none.' }

/** A value without labels, if there is one. */
function sampleOf(value: number | null | undefined): readonly Sample[] {
  return typeof value === 'number' ? [[{}, value]] : []
}

const REGISTRY_FIX = "Write { registry: register }, with import { register } from 'prom-client'."

const OPTIONS = {
  registry: {
    fallback: undefined as never,
    example: 'register',
    required: REGISTRY_FIX,
    read: (option) =>
      typeof (option.value as { registerMetric?: unknown } | null)?.registerMetric === 'function'
        ? (option.value as Registry)
        : option.refuse(`${shown(option.value)} is not a registry of prom-client.`, REGISTRY_FIX)
  } as OptionRule<Registry>,
  prefix: {
    fallback: 'moengage_',
    example: `'hooks_'`,
    read: (option) =>
      typeof option.value === 'string' && /^(?:[a-z_:][\w:]*)?$/i.test(option.value)
        ? option.value
        : option.refuse(`${shown(option.value)} is not the beginning of a metric's name.`, `Write 'hooks_'.`)
  } as OptionRule<string>
} satisfies OptionTable

/** @throws OptionsError (`MOE_ERR_OPTIONS`) where a name is taken: before the first one is registered, so that none is left behind */
function readMetricsOptions(options: unknown): Required<MetricsOptions> {
  const reader = OptionReader.open(OPTIONS, options, REGISTRY_FIX)
  reader.checkNames()
  const { registry, prefix } = reader.readAll()
  reader.throwMistakes()
  const names = [UP, ...COUNTERS, ...GAUGES].map(({ name }) => `${prefix}${name}`)
  const taken = names.find((name) => registry.getSingleMetric(name) !== undefined)
  if (taken !== undefined) {
    const fix = `Give each guard of a registry a prefix of its own: prefix: ${literal(`${prefix}2_`)}.`
    reader
      .optionAt('prefix', prefix)
      .refuse(`The registry has a metric ${quoted(taken)}: it has already been registered.`, fix)
    reader.throwMistakes()
  }
  return { registry, prefix }
}

/**
 * Registers the metrics of a guard. They are read from its counters when Prometheus scrapes, so that requests cost nothing.
 * Labels hold names of yours and of MoEngage's page, and nothing that a client sends; `docs/metrics.md` lists them. While the
 * guard has no list, `up` is 0 and its other metrics are absent.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) when `guard` is not a guard, for example because the plugin is registered in another
 * scope, an option is wrong, or a name is registered already: then nothing is registered
 * @example
 * import { register } from 'prom-client'
 * registerMetrics(app.moengage, { registry: register })
 * app.get('/metrics', async (_, reply) => reply.type(register.contentType).send(await register.metrics()))
 */
export function registerMetrics(guard: MeasuredGuard, options: MetricsOptions): void {
  refuseNoGuard(guard, 'registerMetrics(hooks.moengage, { registry })')
  const { registry, prefix } = readMetricsOptions(options)
  const registers = [registry]
  const config = ({ name, help, labels = [] }: Omit<MetricRow, 'samples'>) => ({
    name: `${prefix}${name}`,
    help,
    labelNames: [...labels],
    registers
  })
  new Gauge({
    ...config(UP),
    aggregator: 'min',
    collect() {
      this.set(read(guard) === undefined ? 0 : 1)
    }
  })
  for (const row of COUNTERS) {
    const highest = new Highest()
    new Counter({
      ...config(row),
      collect() {
        this.reset()
        // As for gauges: without labels it begins with a 0.
        if (row.labels === undefined) this.remove()
        for (const [labels, value] of samplesOf(row, guard)) this.inc(labels, highest.of(labels, value))
      }
    })
  }
  for (const row of GAUGES) {
    new Gauge({
      ...config(row),
      aggregator: row.aggregator,
      collect() {
        this.reset()
        // A gauge without labels begins with a 0, which would look like a value of the guard.
        if (row.labels === undefined) this.remove()
        for (const [labels, value] of samplesOf(row, guard)) this.set(labels, value)
      }
    })
  }
}

/**
 * The highest values of a counter. A request that was counted as verified may be rejected later, and is then counted as rejected alone; to
 * Prometheus a counter that falls has begun anew, and all that it had counted would count again.
 */
class Highest {
  readonly #values = new Map<string, number>()

  of(labels: Sample[0], value: number): number {
    const key = JSON.stringify(labels)
    const before = this.#values.get(key) ?? 0
    // A prefix that never verified a request leaves nothing here.
    if (value <= before) return before
    this.#values.set(key, value)
    return value
  }
}

/** The metrics; undefined while the guard has no list: an error here would take the metrics of the whole process away. */
function read(guard: MeasuredGuard): Metrics | undefined {
  try {
    return guard.metrics()
  } catch {
    return undefined
  }
}

function samplesOf({ samples }: MetricRow, guard: MeasuredGuard): readonly Sample[] {
  const metrics = read(guard)
  return metrics === undefined ? [] : samples(metrics)
}
