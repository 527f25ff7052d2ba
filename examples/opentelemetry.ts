/**
 * The guard's events as OpenTelemetry metrics, with your own SDK. The package publishes each verdict and each reload to a
 * diagnostics channel of Node, without OpenTelemetry; here they are counted and printed. Replace the ConsoleMetricExporter
 * by your exporter.
 */
import { subscribe } from 'node:diagnostics_channel'
import { metrics } from '@opentelemetry/api'
import { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import Fastify from 'fastify'
import moengageAllowlist, { type ReloadEvent, type VerdictEvent } from 'moengage-allowlist'

const reader = new PeriodicExportingMetricReader({
  exporter: new ConsoleMetricExporter(),
  exportIntervalMillis: 60_000
})
const provider = new MeterProvider({ readers: [reader] })
metrics.setGlobalMeterProvider(provider)

const meter = metrics.getMeter('moengage-allowlist')
const verdicts = meter.createCounter('moengage.verdicts', { description: 'Requests judged' })
const reloads = meter.createCounter('moengage.reloads', { description: 'Loads of the list after the first one' })

// Nothing that a client sends becomes an attribute, so the number of series is bounded.
subscribe('moengage-allowlist:verdict', (message) => {
  const { verdict, policy, route } = message as VerdictEvent
  verdicts.add(1, {
    result: verdict.verified ? 'verified' : 'rejected',
    ...(verdict.verified ? {} : { reason: verdict.reason }),
    data_centers: policy.dataCenters.join(' '),
    route: route ?? 'none'
  })
})
subscribe('moengage-allowlist:reload', (message) => {
  const { error } = message as ReloadEvent
  reloads.add(1, { result: error === null ? 'succeeded' : 'failed' })
})

const app = Fastify({ logger: true })

await app.register(async (hooks) => {
  await hooks.register(moengageAllowlist, { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } })
  hooks.post('/moengage/connector', async () => ({ ok: true }))
  hooks.post('/reload', { config: { moengage: false } }, async () => ({
    revision: (await hooks.moengage!.reload()).revision
  }))
})

// The last counts are exported when the server closes.
app.addHook('onClose', () => provider.shutdown())
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => app.close())
