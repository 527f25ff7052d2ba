import type { FastifyRequest } from 'fastify'
import type { Framework } from '../guard/create-guard.js'
import { trustsStrangers } from './strangers.js'

const CLAIMED = '192.0.2.99'

/**
 * Fastify's `request.ip`. Its `trustProxy` cannot be read back, so we probe it on the first request: `request.ip` is read
 * from an object made on the request's own prototype, with a peer and a header made up.
 */
export function fastifyIp(): Framework<FastifyRequest> {
  let permissive: boolean | undefined
  return {
    ip: (request) => request.ip,
    isPermissive: (request) => {
      permissive ??= trustsStrangers((stranger) => ipOf(request, stranger) === CLAIMED)
      return permissive
    },
    permissiveTrust:
      "Fastify's trustProxy believes every sender's X-Forwarded-For, so anyone can choose their address. List your proxies' " +
      'addresses in trustProxy, or pass them as clientIp: { trustedProxies: [...] }.',
    trustFix: ", or list it in Fastify's trustProxy (a number there trusts nobody since Fastify 5.12.1)"
  }
}

function ipOf(request: FastifyRequest, remoteAddress: string): unknown {
  const socket = { remoteAddress }
  const raw = { socket, connection: socket, headers: { 'x-forwarded-for': CLAIMED } }
  return (Object.create(Object.getPrototypeOf(request), { raw: { value: raw } }) as { ip?: unknown }).ip
}
