/**
 * Rolling the guard out without rejecting anybody: `mode: 'tag'` lets every request through with its verdict and logs
 * what would be rejected. When the report says that nothing genuine would be, drop the mode. See docs/roll-out.md.
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

  // Which senders would have been rejected, and why. Do not expose this route to the internet.
  hooks.get('/senders', { config: { moengage: false } }, async () => ({
    status: hooks.moengage!.status().rejected,
    senders: hooks.moengage!.senders()
  }))
})

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })

// Closing the server writes the last summary; a killed process loses it. See docs/shutting-down.md.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => app.close())
