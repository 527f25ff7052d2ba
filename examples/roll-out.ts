/**
 * Rolling the guard out without rejecting anybody: `mode: 'tag'` lets every request through with its verdict and logs
 * what would be rejected. When the log has been quiet for as long as you want, drop the mode.
 */
import Fastify from 'fastify'
import moengageAllowlist from 'moengage-allowlist'

const app = Fastify({ logger: true })

await app.register(async (hooks) => {
  await hooks.register(moengageAllowlist, {
    dataCenters: 'DC-01',
    mode: 'tag',
    clientIp: { trustedProxies: ['loopback'] }
  })

  hooks.post('/moengage/connector', async (request) => ({ verified: request.moengage?.verified }))

  // Segment syncs are enforced already: a route can be ahead of its scope.
  hooks.post('/segments', { config: { moengage: { mode: 'reject' } } }, async () => ({ status: 'ok' }))

  // Who would have been rejected, and why. Keep such a route to yourself.
  hooks.get('/senders', { config: { moengage: false } }, async () => ({
    status: hooks.moengage.status().rejected,
    senders: hooks.moengage.senders()
  }))
})

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })

// Closing the server writes the last summary; a process that is killed keeps it to itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => app.close())
