/**
 * A webhook server that only MoEngage can reach, behind a proxy on this machine: what `npm start` runs.
 * The status page is at /status, metrics for Prometheus at /metrics.
 * From the environment: PORT (3000), DATA_CENTERS (DC-01; several with commas, or all), TRUSTED_PROXIES (loopback),
 * HEADER (x-forwarded-for), and MOENGAGE_SECRET (none), which MoEngage sends as X-Moe-Token: the log then shows whether the list has aged.
 */
import Fastify, { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import moengageAllowlist, { secretHeader } from 'moengage-allowlist'
import {
  DATA_CENTERS as ALL,
  type Channel,
  createClientIpResolver,
  directory,
  parseDataCenter
} from 'moengage-allowlist/core'
import { registerMetrics } from 'moengage-allowlist/prometheus'
import statusPage from 'moengage-allowlist/status-page'
import { Registry } from 'prom-client'

const { PORT = '3000', DATA_CENTERS = 'DC-01', TRUSTED_PROXIES = 'loopback', HEADER = 'x-forwarded-for' } = process.env

const { MOENGAGE_SECRET } = process.env

const clientIp = { trustedProxies: TRUSTED_PROXIES.split(',').map((text) => text.trim()), header: HEADER }
const dataCenters = DATA_CENTERS === 'all' ? ALL : DATA_CENTERS.split(',').map(parseDataCenter)

/**
 * Fastify itself logs each request twice, and each error: in a flood of strangers, far more than the guard does. Here a
 * request has one line, with its method, route, verdict and status, when it is completed; a rejected one has the guard's line.
 */
class WebhookLog extends LogController {
  override incomingRequest(): void {}

  override isLogDisabled(request: FastifyRequest): boolean {
    return request.moengage?.verified === false
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    if (this.isLogDisabled(request)) return
    const { method, routeOptions, moengage } = request
    const line = { method, route: routeOptions.url, verdict: moengage, status: reply.statusCode, ms: reply.elapsedTime }
    if (error) request.log.error({ ...line, err: error }, 'request errored')
    else request.log.info(line, 'request completed')
  }
}

// On a terminal the lines are for people; elsewhere they are JSON.
const logger = process.stdout.isTTY ? { transport: { target: 'pino-pretty' } } : true
// A segment sync carries up to 10,000 users: more than Fastify's limit of 1 MiB.
const app = Fastify({ logger, logController: new WebhookLog(), bodyLimit: 8 * 1024 * 1024 })

// Closing writes the last summary of the log. Before the server listens, so that no signal comes too early.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => app.close())
}

const routes: string[] = []
app.addHook('onRoute', ({ method, url }) => {
  if (method !== 'HEAD') routes.push(`${[method].flat().join(' ')} ${url}`)
})

app.get('/health', async () => ({ ok: true }))

await app.register(async (hooks) => {
  await hooks.register(moengageAllowlist, {
    dataCenters,
    clientIp,
    ...(MOENGAGE_SECRET !== undefined && { carriesSecret: secretHeader('x-moe-token', MOENGAGE_SECRET) })
  })

  // A connector sends what the marketer composed: JSON, plain text or a form.
  hooks.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
    done(null, body)
  )

  // Every channel of the data center may call these. Answer 200: a connector counts anything else as a failure.
  const handler = async (request: FastifyRequest) => ({ status: 'ok', sender: request.moengage })
  hooks.route({ method: ['GET', 'POST', 'PUT', 'DELETE'], url: '/moengage/*', handler })
  hooks.route({ method: ['GET', 'POST'], url: '/sms/send', handler })
  hooks.post('/integrations/moengage/rcs/send', handler)
  hooks.post('/whatsapp/messages', handler)
  hooks.post('/email/send', handler)
  hooks.post('/events', handler)
  hooks.get('/recommendations', handler)
  hooks.post('/coupons/lookup', handler)
  hooks.get('/pii/contact', handler)
  hooks.post('/pii/contacts', handler)
  hooks.post('/moengage-callback', handler)
  hooks.get('/exports/segment-users.csv', async (_, reply) => reply.type('text/csv').send('uid\nC10042\n'))

  // The strict choice: only what is published for this one channel, where your data center has addresses for it.
  hooks.post('/segments', only('segment-sync'), handler)
  hooks.get('/feeds/catalog.csv', only('catalog'), async (_, reply) =>
    reply.type('text/csv').send('id,title\nsku-1,Trench coat\n')
  )

  // For the people who run this server. A request that came through the proxy is not theirs.
  await hooks.register(statusPage, { guard: hooks.moengage, prefix: '/status', hooks: { onRequest: fromThisMachine } })
  const registry = new Registry()
  registerMetrics(hooks.moengage!, { registry })
  hooks.get('/metrics', { config: { moengage: false }, onRequest: fromThisMachine }, async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics())
  )

  // MoEngage publishes no addresses for its OAuth calls: check the client secret here. See docs/unlisted-calls.md.
  hooks.post('/oauth/token', { config: { moengage: false } }, async () => ({ access_token: 'demo', expires_in: 3600 }))
})

/** Lets programs of this machine in that name no other client. In production, use your own login here. */
async function fromThisMachine({ raw, headers, hostname }: FastifyRequest, reply: FastifyReply) {
  const isLocal = ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(`${raw.socket.remoteAddress}`)
  const isForwarded = Object.keys(headers).some(
    (name) => name === HEADER.toLowerCase() || /forwarded|real-ip/.test(name)
  )
  // A name of another site that resolves to this machine is refused, too.
  const isNamed = ['127.0.0.1', '::1', '[::1]', 'localhost'].includes(hostname)
  if (!isLocal || !isNamed || isForwarded) return reply.code(403).send({ error: 'Only for this machine' })
}

/** Options of a route for one channel; without addresses for it, the route accepts what its scope accepts. */
function only(channel: Channel) {
  return isPublished(channel) ? { config: { moengage: { channels: channel } } } : {}
}

function isPublished(channel: Channel): boolean {
  return dataCenters.every((dataCenter) => directory.prefixes(dataCenter, channel).length > 0)
}

const origin = await app.listen({ host: '127.0.0.1', port: Number(PORT) })

const channels = isPublished('segment-sync') ? 'segment-sync' : 'all'
const [sender] = directory.select({ dataCenters, channels }) as [ReturnType<typeof directory.select>[number]]

/** What the proxy writes into the header. */
const reported = (client: string) => (HEADER.toLowerCase() === 'forwarded' ? `for=${client}` : client)
const curl = (client: string) =>
  `curl -i ${origin}/segments -H '${HEADER}: ${reported(client)}' -H 'content-type: application/json' -d '{"type":"segment_sync"}'`

const address = `${sender.prefix.address}`
const resolve = createClientIpResolver(clientIp)
const isProxyHere = resolve('127.0.0.1', { [HEADER.toLowerCase()]: reported(address) }).clientIp === address
const genuine = isProxyHere
  ? `As MoEngage's ${sender.grant.dataCenter}, reported by the proxy on this machine:
  ${curl(address)}`
  : `No call from this machine is MoEngage's: TRUSTED_PROXIES (${TRUSTED_PROXIES}) has no proxy here.`

console.log(`
Open ${origin}/status (for this machine only): the calls below appear on the page.

${routes.join('\n')}

${genuine}

As a stranger:
  ${curl('198.51.100.7')}
`)
