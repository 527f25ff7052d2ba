import type { ParsedAddress } from '../ip/address.js'
import { drop, isPromise } from '../lib/promise.js'
import { messageLineOf } from '../lib/text.js'
import { type Incoming, UNIX_PEER } from './incoming.js'
import { type ClientIpResolver, parsePeer } from './resolver.js'
import {
  type Failure,
  INVALID_ANSWER,
  NO_ANSWER,
  NO_PEER,
  NOT_ASKED,
  PERMISSIVE_TRUST,
  PROMISE_ANSWER
} from './unresolved.js'

/** How the client IP of a request is resolved: chosen once, when the guard is made. */
export interface ClientIpSource<Request> {
  /**
   * Resolves the client IP into `client`, or returns why there is none.
   *
   * @param request undefined for a connection that the framework does not handle
   */
  resolve(request: Request | undefined, incoming: Incoming, client: ParsedAddress): Failure | null
}

/** How a framework resolves the client IP by itself. */
export interface FrameworkIp<Request> {
  /** Whether the framework resolves the client IP of a request; never of a connection without one. */
  handles(request: Request | undefined, incoming: Incoming): boolean
  ip(request: Request): unknown
  /** Whether what `ip` returned is a proxy that the framework trusts: then it trusts every hop that the request passed. */
  trustsClient(request: Request): boolean
  /**
   * Whether the client can choose the outcome, because the framework believes strangers.
   *
   * @param forwarded what `ip` returned; undefined where that is the peer
   */
  isPermissive(request: Request, forwarded: unknown): boolean
}

const hasNoAddress = (peer: string | null | undefined) => !peer || peer === UNIX_PEER

/** Nothing but the peer, where there is no framework. */
const PEER_SOURCE: ClientIpSource<unknown> = {
  resolve: (_, { peer }, client) => (!peer || peer === UNIX_PEER ? NO_PEER : parsePeer(peer, client))
}

/** The framework's own `request.ip`. */
function frameworkSource<Request>(framework: FrameworkIp<Request>): ClientIpSource<Request> {
  return {
    resolve(request, incoming, client) {
      try {
        if (!framework.handles(request, incoming)) return PEER_SOURCE.resolve(request, incoming, client)
        const answer = framework.ip(request!)
        // What the framework has without a proxy is the peer, in the peer's own spelling.
        const isPeer = answer === incoming.peer || (!answer && hasNoAddress(incoming.peer))
        if (framework.isPermissive(request!, isPeer ? undefined : answer)) return PERMISSIVE_TRUST
        return isPeer ? PEER_SOURCE.resolve(request, incoming, client) : parseAnswer(answer, incoming, client)
      } catch (error) {
        return failedAnswer(error)
      }
    }
  }
}

/** A function of the user's. */
function functionSource<Request>(clientIp: (request: Request) => unknown): ClientIpSource<Request> {
  return {
    resolve(request, incoming, client) {
      // It resolves the framework's requests, and cannot know anything about another connection.
      if (request === undefined) return NOT_ASKED
      try {
        return parseAnswer(clientIp(request), incoming, client)
      } catch (error) {
        return failedAnswer(error)
      }
    }
  }
}

function parseAnswer(answer: unknown, { peer }: Incoming, client: ParsedAddress): Failure | null {
  if (typeof answer === 'string' && answer !== '') {
    if (client.parse(answer, 0, answer.length) !== 0) return null
    return answer === peer ? parsePeer(answer, client) : INVALID_ANSWER
  }
  if (answer === undefined || answer === null || answer === '') return NO_ANSWER
  drop(answer)
  return isPromise(answer) ? PROMISE_ANSWER : INVALID_ANSWER
}

function failedAnswer(error: unknown): Failure {
  drop(error)
  return { reason: 'failed-answer', detail: messageLineOf(error) }
}

/** How a guard resolves the client IP, by the option `clientIp` as it was read. */
export function chooseSource<Request>(
  clientIp: 'request.ip' | 'trusted-proxies' | ((request: Request) => unknown),
  resolver: ClientIpResolver,
  framework: FrameworkIp<Request> | undefined
): ClientIpSource<Request> {
  if (typeof clientIp === 'function') return functionSource(clientIp)
  if (clientIp === 'trusted-proxies') return resolver
  return framework === undefined ? PEER_SOURCE : frameworkSource(framework)
}
