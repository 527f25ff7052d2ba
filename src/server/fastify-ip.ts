import type { FastifyRequest } from 'fastify'
import type { FrameworkIp } from './request-judge.js'
import { trustsStrangers } from './strangers.js'

const CLAIMED = '192.0.2.99'

/**
 * The client IP as a Fastify tells it. Its `trustProxy` cannot be asked for, so it is tried at the first request:
 * `request.ip` is read from an object made on the request's own prototype, with a peer and a header made up.
 */
export function fastifyIp(): FrameworkIp<FastifyRequest> {
  let permissive: boolean | undefined
  return {
    ip: (request) => request.ip,
    isPermissive: (request) => {
      permissive ??= trustsStrangers((stranger) => ipOf(request, stranger) === CLAIMED)
      return permissive
    },
    permissiveTrust:
      "Fastify's trustProxy believes every sender's X-Forwarded-For, so anyone can choose their address. List your proxies' " +
      'addresses in trustProxy, or pass them as clientIp: { trustedProxies: [...] }.'
  }
}

function ipOf(request: FastifyRequest, remoteAddress: string): unknown {
  const socket = { remoteAddress }
  const raw = { socket, connection: socket, headers: { 'x-forwarded-for': CLAIMED } }
  return (Object.create(Object.getPrototypeOf(request), { raw: { value: raw } }) as { ip?: unknown }).ip
}

/** What can be done in Fastify about a proxy that is not trusted. */
export const TRUST_PROXY_FIX =
  ", or list it in Fastify's trustProxy (a number there trusts nobody since Fastify 5.12.1)"
