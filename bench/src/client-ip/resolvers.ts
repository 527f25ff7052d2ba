import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import fastifyProxyAddr from '@fastify/proxy-addr'
import { createClientIpResolver } from 'moengage-allowlist/core'
import proxyAddr from 'proxy-addr'
import { type HeaderName, TRUSTED } from './headers.js'

/** As much of a request as is needed to tell the client IP. */
export interface Request {
  readonly socket: { readonly remoteAddress: string }
  readonly headers: IncomingHttpHeaders
}

/** The client IP, or what was said instead. */
export type Resolve = (request: Request) => string

export const OURS = 'ours'
export const FASTIFY_PROXY_ADDR = '@fastify/proxy-addr'
export const PROXY_ADDR = 'proxy-addr'

/** Makes the resolvers that can read a header; a function each, so that none is compiled by what V8 learned of another. */
export function resolversFor(header: HeaderName): Record<string, Resolve> {
  const resolve = createClientIpResolver({ trustedProxies: TRUSTED, header })
  const ours: Resolve = ({ socket, headers }) => {
    const client = resolve(socket.remoteAddress, headers)
    return client.clientIp ?? (client as { reason: string }).reason
  }
  if (header === 'forwarded') return { [OURS]: ours }
  const trustsByFastify = fastifyProxyAddr.compile(TRUSTED)
  const trusts = proxyAddr.compile(TRUSTED)
  return {
    [OURS]: ours,
    [FASTIFY_PROXY_ADDR]: (request) => fastifyProxyAddr(request as IncomingMessage, trustsByFastify),
    [PROXY_ADDR]: (request) => proxyAddr(request as IncomingMessage, trusts)
  }
}
