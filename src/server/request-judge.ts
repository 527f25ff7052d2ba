import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { UNIX_PEER } from '../client-ip/resolver.js'
import type { Guard, PolicyOptions } from '../guard/guard.js'
import type { GuardOptions, GuardRequest } from '../guard/options.js'
import type { Verdict } from '../verdict/verdict.js'

/** What is read of a request of `node:http` or `node:http2`. */
export interface Incoming {
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** What is read of the server that a request came to. */
export interface IncomingServer {
  readonly maxHeadersCount?: number | null
  address(): unknown
}

/** A request of Node's own servers. */
export type NodeRequest = IncomingMessage | Http2ServerRequest

/** The server that a request came to. Node's servers note it at the socket; requests that were made up have none. */
export function serverOf({ socket }: NodeRequest): IncomingServer | undefined {
  return (socket as { server?: IncomingServer } | undefined)?.server
}

/** How a framework tells the client IP by itself. */
export interface FrameworkIp<Request> {
  ip(request: Request): unknown
  /** Whether that can be chosen by whoever sends the request, because the framework trusts everybody. */
  isPermissive(request: Request): boolean
  /** What to say then. */
  readonly permissiveTrust: string
}

/** Judges the requests of a Node server, however the client IP is told. */
export class RequestJudge<Request> {
  readonly #guard: Guard<Request>
  readonly #clientIp: NonNullable<GuardOptions<Request>['clientIp']>
  readonly #framework: FrameworkIp<Request> | undefined

  /** @param framework none where there is nothing but the peer */
  constructor(
    guard: Guard<Request>,
    clientIp: GuardOptions<Request>['clientIp'],
    framework: FrameworkIp<Request> | undefined
  ) {
    this.#guard = guard
    this.#clientIp = clientIp ?? 'request.ip'
    this.#framework = framework
  }

  judge(
    request: Request,
    incoming: Incoming,
    server: IncomingServer | undefined,
    policyOptions: PolicyOptions | undefined,
    route: string | null
  ): Verdict {
    const guard = this.#guard
    const clientIp = this.#clientIp
    const framework = this.#framework
    const { socket, headers, rawHeaders } = incoming
    const policy = guard.policy(policyOptions)
    const peer = socket.remoteAddress || (typeof server?.address() === 'string' ? UNIX_PEER : null)
    if (rawHeaders.length >= keptHeaders(server)) return guard.rejectUnresolved('too-many-headers', peer, policy, route)
    if (typeof clientIp === 'function') return guard.judgeClient(clientIp(request), peer, headers, policy, route)
    if (typeof clientIp === 'object' || framework === undefined) return guard.judgePeer(peer, headers, policy, route)
    return framework.isPermissive(request)
      ? guard.rejectPermissiveTrust(framework.permissiveTrust, peer, policy, route)
      : guard.judgeClient(framework.ip(request), peer, headers, policy, route)
  }

  /** Judges a connection that the framework does not handle. */
  judgeConnection({ headers, peer: address }: GuardRequest, policyOptions: PolicyOptions | undefined): Verdict {
    const peer = address || null
    const policy = this.#guard.policy(policyOptions)
    // A function for the framework's requests cannot tell the client of anything else.
    if (typeof this.#clientIp === 'function') return this.#guard.judgeClient(undefined, peer, headers, policy, null)
    return this.#guard.judgePeer(peer, headers, policy, null)
  }
}

/**
 * How many elements of `rawHeaders` Node keeps; further lines are dropped without a word, and the last one is the one
 * that a proxy added.
 */
function keptHeaders(server: IncomingServer | undefined): number {
  const maxHeadersCount = server?.maxHeadersCount
  return maxHeadersCount === 0 ? Number.POSITIVE_INFINITY : 2 * (maxHeadersCount ?? 1000)
}
