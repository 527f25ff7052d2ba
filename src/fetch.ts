/**
 * The guard for servers of `Request` and `Response`: Hono, Bun, Deno.
 *
 * @module moengage-allowlist/fetch
 */

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { type Incoming, NodeIncoming, UNIX_PEER } from './client-ip/incoming.js'
import type { PolicyOptions } from './guard/guard.js'
import { hasProperty, propertyOf } from './lib/option.js'
import { isPromise } from './lib/promise.js'
import { refusal } from './lib/refusal.js'
import { defaultLogger } from './log/default-logger.js'
import { type GuardMethods, Standalone, type StandaloneOptions } from './server/standalone.js'
import {
  type Checked,
  ON_REJECT,
  type OnReject,
  type RouteOptions,
  refuseNoRequest,
  WebVerdicts
} from './server/web.js'
import type { Verdict } from './verdict/verdict.js'

export { type SecretHeaderOptions, type SecretRequest, secretHeader } from './evidence/secret-header.js'
export type { LineLevel, Logger, LogLevel } from './log/logger.js'
export type { Checked, OnReject, RouteOptions } from './server/web.js'

/** Options of the guard. `clientIp: 'request.ip'` is the peer: there is no framework to tell another. */
export interface MoEngageAllowlistOptions extends StandaloneOptions<Request, OnReject> {}

/**
 * What servers report of a connection: Bun's `server.requestIP(request)`, Deno's `info.remoteAddr`, Hono's `getConnInfo(c)`. On Node
 * behind a proxy it is not enough: see {@link Peer}.
 */
export type ConnectionInfo =
  | {
      /** The socket's remote address. */
      readonly address?: string | undefined
    }
  | {
      /** The socket's remote address, as Deno names it. */
      readonly hostname: string
    }
  | {
      /** A unix socket, as Deno reports it: it has no address. */
      readonly transport: 'unix' | 'unixpacket'
    }
  | {
      /** The other end of the connection, as Hono reports it. */
      readonly remote: {
        /** The socket's remote address. */
        readonly address?: string | undefined
      }
    }
  | {
      /** The socket's remote address, as the second argument of Deno's handlers holds it. */
      readonly remoteAddr: {
        /** The socket's remote address. */
        readonly hostname?: string | undefined
        /** `'unix'` for a unix socket. */
        readonly transport?: string | undefined
      }
    }
  | {
      /** The socket's remote address, as Node's sockets name it. */
      readonly remoteAddress?: string | undefined
    }

/**
 * Where a request comes from, as the server's adapter reports it: the socket's remote address, or the object that holds it. On Node pass
 * its own request, of HTTP/1 or HTTP/2 (Hono's `c.env.incoming`): by it alone the guard knows unix sockets, and sees that Node dropped
 * header lines, the last of which is the proxy's. Neither an address nor a socket nor `getConnInfo(c)` shows that.
 */
export type Peer = string | null | undefined | ConnectionInfo | IncomingMessage | Http2ServerRequest

/** A guard of servers that speak `Request` and `Response`. */
export interface FetchGuard extends GuardMethods {
  /**
   * Judges a request, logs a rejection, and makes its answer. Where there is a response, return it.
   *
   * @param options of the route, where they differ from the guard's. Pass the same object every time: it is read once
   * @throws (rejects with) OptionsError (`MOE_ERR_OPTIONS`) when the request, the peer or the options are wrong, and what your functions throw
   */
  check(request: Request, peer: Peer, options?: RouteOptions): Promise<Checked>
  /**
   * Judges a request. Counts it once, also where the guard judges it as well, but neither rejects nor logs.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the request, the peer or the policy is wrong; NotReadyError (`MOE_ERR_NOT_READY`)
   */
  judge(request: Request, peer: Peer, policy?: PolicyOptions): Verdict
}

/**
 * Makes a guard for Hono, Bun, Deno and other servers of `Request` and `Response`. The peer is handed over by whoever has
 * it: a `Request` does not know where it came from.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options
 * @example
 * const guard = moengageAllowlist({ dataCenters: 'DC-01' })
 * const { response } = await guard.check(request, server.requestIP(request)?.address) // Bun
 * if (response) return response
 */
export default function moengageAllowlist(options: MoEngageAllowlistOptions): FetchGuard {
  const standalone = new Standalone<Request, OnReject>(options, {
    onReject: ON_REJECT,
    defaultLogger,
    patternOf: () => null
  })
  const verdicts = new WebVerdicts()

  function incomingOf(request: Request, peer: Peer): Incoming {
    refuseNoRequest(request)
    const earlier = verdicts.of(request)
    if (isNodeRequest(peer)) {
      standalone.placement.noteRequest(peer)
      return new NodeIncoming(peer, earlier)
    }
    refuseNoPeer(peer)
    const address = addressOf(peer)
    if (address === undefined) refuseLateAddress(peer)
    const noPeer = peer === undefined || peer === null ? NOTHING_PASSED : undefined
    return { peer: address, headers: request.headers, noPeer, earlier }
  }

  return {
    ...standalone.methods(),
    check: (request, peer, options) => verdicts.check(standalone, request, () => incomingOf(request, peer), options),
    judge: (request, peer, policy) => standalone.guard.guard.ask(policy, request, incomingOf(request, peer), null)
  }
}

/** Servers report nothing of a connection that is closed, too. */
const NOTHING_PASSED =
  'No peer was passed, or the connection was closed early, of which servers report no address. Pass the address of each connection as the ' +
  'second argument, as the adapter of your server reports it.'

function isNodeRequest(peer: Peer): peer is IncomingMessage | Http2ServerRequest {
  return typeof peer === 'object' && peer !== null && hasProperty(peer, 'rawHeaders')
}

/** The names that servers give to the other end of a connection. */
const PEER_NAMES = ['address', 'hostname', 'remoteAddress', 'transport', 'remote', 'remoteAddr']
const OPTION_NAMES = ['dataCenters', 'channels', 'mode', 'statusCode', 'onReject']

/**
 * Refuses what can never hold an address. A connection whose address is undefined is closed, and no mistake of the program.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
function refuseNoPeer(peer: unknown): void {
  if (peer === undefined || peer === null || typeof peer === 'string') return
  if (isPromise(peer) || typeof peer !== 'object' || !isConnection(peer))
    throw refusal('peer', peer, 'is not where a request comes from', peerFix(peer))
}

/**
 * Refuses a promise in the place of an address: a connection without one would be taken for closed.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
function refuseLateAddress(peer: unknown): void {
  const late = Object.values(Object(peer)).find(isPromise)
  if (late !== undefined) throw refusal('peer', late, 'is not an address as a text', 'Pass the address as a text.')
}

/** Whether an object may be what a server reports of a connection; an empty one is of a connection that was closed. */
const isConnection = (peer: object) =>
  PEER_NAMES.some((name) => hasProperty(peer, name)) ||
  (Object.keys(peer).length === 0 && Object.getPrototypeOf(peer) === Object.prototype)

function peerFix(peer: unknown): string {
  if (typeof peer === 'function') return 'Call it, as in guard.check(request, server.requestIP(request)).'
  if (OPTION_NAMES.some((name) => Object.hasOwn(Object(peer), name))) {
    return 'Pass the peer as the second argument, and the options as the third: guard.check(request, peer, options).'
  }
  return (
    'Pass the address of the connection, or what the server reports of it: an object with address, hostname, remoteAddress, remote or ' +
    'remoteAddr; on Node its own request.'
  )
}

/** Deno's names for unix sockets. */
const UNIX_TRANSPORTS: readonly unknown[] = ['unix', 'unixpacket']

/**
 * The address in what servers report of a connection: Bun and Node have it as `address`, sockets as `remoteAddress`, Deno as `hostname`,
 * Hono and Deno's `info` one level deeper. Undefined where there is none.
 */
function addressOf(peer: unknown, isInner = false): string | undefined {
  if (typeof peer === 'string') return peer
  if (typeof peer !== 'object' || peer === null) return undefined
  const property = (name: string) => propertyOf(peer, name)
  if (UNIX_TRANSPORTS.includes(property('transport'))) return UNIX_PEER
  const found = ['address', 'hostname', 'remoteAddress'].map(property).find((value) => typeof value === 'string')
  if (found !== undefined || isInner) return found as string | undefined
  return addressOf(property('remote') ?? property('remoteAddr'), true)
}
