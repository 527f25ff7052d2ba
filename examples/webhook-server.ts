/**
 * A webhook server that only MoEngage can reach: connector campaigns, streams, segment syncs and catalog feeds, behind a
 * proxy on this machine. Started by `npm start`; port 3000, or PORT.
 */
import Fastify from 'fastify'
import moengageAllowlist from 'moengage-allowlist'

const app = Fastify({ logger: true, bodyLimit: 4 * 1024 * 1024 })

app.get('/health', async () => ({ ok: true }))

await app.register(async (hooks) => {
  await hooks.register(moengageAllowlist, {
    dataCenters: 'DC-01',
    clientIp: { trustedProxies: ['loopback'] }
  })

  // Connector bodies are what the marketer composed: JSON, a form or plain text.
  hooks.addContentTypeParser(['application/x-www-form-urlencoded', 'text/plain'], { parseAs: 'string' }, (_, body, done) =>
    done(null, body)
  )

  // MoEngage counts a connector call as failed on anything but 200.
  hooks.route({
    method: ['GET', 'POST', 'PUT', 'DELETE'],
    url: '/moengage/*',
    handler: async (request) => ({ received: request.moengage })
  })
  hooks.post('/streams', async () => ({ status: 'ok' }))
  hooks.post('/segments', { config: { moengage: { channels: 'segment-sync' } } }, async () => ({ status: 'ok' }))
  hooks.get('/feeds/catalog.csv', { config: { moengage: { channels: 'catalog' } } }, async (_, reply) =>
    reply.type('text/csv').send('id,title\nsku-1,Trench coat\n')
  )
})

const origin = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })

const listed = '52.6.248.125'
const stranger = '198.51.100.7'
console.log(`
${app.printRoutes({ commonPrefix: false })}
From MoEngage's DC-01, as the proxy on this machine reports it:
  curl -i -X POST ${origin}/segments -H 'x-forwarded-for: ${listed}' -H 'content-type: application/json' -d '{"type":"segment_sync"}'

From a stranger:
  curl -i -X POST ${origin}/segments -H 'x-forwarded-for: ${stranger}' -H 'content-type: application/json' -d '{"type":"segment_sync"}'
`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => app.close())
}
