/** One replica: a server behind a balancer, whose list and overrides come from the fleet. `story.ts` starts three of them. */
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import moengageAllowlist from 'moengage-allowlist'
import { redisFleet } from 'moengage-allowlist/redis'

const client = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379', { lazyConnect: true })
const fleet = redisFleet({
  client,
  name: 'story',
  ...(process.env.COPY !== undefined && { copy: process.env.COPY }),
  poll: '1s',
  report: '500ms'
})

const app = Fastify()
await app.register(moengageAllowlist, {
  dataCenters: 'DC-01',
  clientIp: { trustedProxies: ['loopback'] },
  logLevel: 'silent',
  fleet
})
app.post('/moengage/connector', async () => ({ ok: true }))
await app.listen({ port: 0, host: '127.0.0.1' })
process.send?.({ port: (app.server.address() as AddressInfo).port })
process.on('disconnect', () => process.exit())
