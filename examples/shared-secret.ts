/**
 * An address is shared by all customers of a MoEngage data center, so the guard is a first layer. Here a shared secret
 * stands behind it: MoEngage sends it as a bearer token, `@fastify/bearer-auth` checks it, `@fastify/auth` combines the two.
 */
import auth from '@fastify/auth'
import bearerAuth from '@fastify/bearer-auth'
import Fastify from 'fastify'
import moengageAllowlist from 'moengage-allowlist'

const app = Fastify({ logger: true })

await app.register(async (hooks) => {
  await hooks.register(auth)
  await hooks.register(bearerAuth, { keys: [process.env.MOENGAGE_SECRET ?? 'shared-secret-1'], addHook: false })
  await hooks.register(moengageAllowlist, {
    dataCenters: 'DC-01',
    clientIp: { trustedProxies: ['loopback'] }
  })

  // The scope's own hook checks the address before the token is read.
  hooks.post('/moengage/connector', { preHandler: hooks.verifyBearerAuth! }, async () => ({ ok: true }))

  // Or both in one place, for a route that the scope's hook leaves out.
  const both = hooks.auth([hooks.verifyMoEngage({ channels: 'streams' }), hooks.verifyBearerAuth!], { relation: 'and' })
  hooks.post('/streams', { config: { moengage: false }, onRequest: both }, async () => ({ ok: true }))
})

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })
