import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import moengageAllowlist, { type MoEngageAllowlistOptions } from '../../src/index.js'
import { logging } from './http.js'

/**
 * A Fastify whose routes are guarded, by default for DC-01 behind a proxy on this machine.
 *
 * @param routes adds the routes; by default one, which answers with the verdict
 */
export async function guarded(
  options: Partial<MoEngageAllowlistOptions> = {},
  routes: (app: FastifyInstance) => void = (app) => void app.all('/', async (request) => request.moengage),
  fastify: FastifyServerOptions = {}
) {
  const { app, lines } = logging(fastify)
  await app.register(moengageAllowlist, {
    dataCenters: 'DC-01',
    clientIp: { trustedProxies: ['loopback'] },
    ...options
  })
  routes(app)
  await app.ready()
  return { app, lines, rejections: () => lines.filter(({ moengage }) => moengage?.reason !== undefined) }
}
