/**
 * The guard for servers of `node:http`, `node:https`, `node:http2` and `node:net`.
 *
 * @module moengage-allowlist/http
 */

import type { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import { NodeIncoming, type NodeRequest } from './client-ip/incoming.js'
import { NotReadyError } from './errors.js'
import type { PolicyOptions } from './guard/guard.js'
import type { GuardRequest } from './guard/options.js'
import { hasProperty } from './lib/option.js'
import { once } from './lib/promise.js'
import { defaultLogger } from './log/default-logger.js'
import { NOT_JUDGED } from './server/failure.js'
import { answerFailure, NodeGuard } from './server/node-guard.js'
import { type ActionOptions, checkConnectionOptions, refuseNoFunction, withMode } from './server/routes.js'
import { type GuardMethods, Standalone, type StandaloneOptions } from './server/standalone.js'
import type { RejectedVerdict, Verdict } from './verdict/verdict.js'

export { type SecretHeaderOptions, type SecretRequest, secretHeader } from './evidence/secret-header.js'
export type { LineLevel, Logger, LogLevel } from './log/logger.js'

/** A request of `node:http`, `node:https` or `node:http2`. */
export type Request = NodeRequest

/** A response of `node:http`, `node:https` or `node:http2`. */
export type Response = ServerResponse | Http2ServerResponse

/**
 * Your own answer to a rejected request. The status is the rejection's until you set another; what it throws is answered with 500 and
 * logged, each message once an hour.
 */
export type OnReject = (request: Request, response: Response, verdict: RejectedVerdict) => unknown

/** Options of one listener; what is left out is the guard's. */
export interface ListenerOptions extends PolicyOptions, ActionOptions<OnReject> {}

/** Options of one listener for connections. */
export interface ConnectionOptions extends PolicyOptions, Pick<ActionOptions<OnReject>, 'mode'> {}

/** Options of the guard. `clientIp: 'request.ip'` is the peer: there is no framework to tell another. */
export interface MoEngageAllowlistOptions extends StandaloneOptions<Request, OnReject> {}

/** A guard of Node's own servers. */
export interface HttpGuard extends GuardMethods {
  /**
   * Wraps a request listener of `node:http`, `node:https` or `node:http2`. It is called for requests that are let through,
   * with the verdict.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`)
   */
  listener<Req extends Request, Res extends Response>(
    listener: (request: Req, response: Res, verdict: Verdict) => unknown,
    options?: ListenerOptions
  ): (request: Req, response: Res) => void
  /**
   * Wraps a connection listener of `node:net`: whoever is not let through is cut off before a byte is exchanged. The client
   * is the peer, since a bare connection has no headers.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`)
   */
  connectionListener(
    listener: (socket: Socket, verdict: Verdict) => unknown,
    options?: ConnectionOptions
  ): (socket: Socket) => void
  /**
   * Judges a request, or the peer and headers of a connection. Counts it once, also where the guard judges it as well, but neither
   * rejects nor logs.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the request or the policy is wrong; NotReadyError (`MOE_ERR_NOT_READY`)
   */
  judge(request: Request | GuardRequest, policy?: PolicyOptions): Verdict
}

const ON_REJECT = {
  words: [],
  example: `(request, response, verdict) => response.end('no')`,
  routePath: 'options'
}

const LISTENER_CALL = `createServer(guard.listener((request, response) => response.end('ok')))`
const CONNECTION_CALL = `createServer(guard.connectionListener((socket) => socket.end('ok')))`

/**
 * Makes a guard for servers of `node:http`, `node:https`, `node:http2` and `node:net`.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options
 * @example
 * const guard = moengageAllowlist({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['10.0.0.0/8'] } })
 * createServer(guard.listener((request, response) => response.end('ok'))).listen(3000)
 */
export default function moengageAllowlist(options: MoEngageAllowlistOptions): HttpGuard {
  const standalone = new Standalone<Request, OnReject>(options, {
    onReject: ON_REJECT,
    defaultLogger,
    patternOf: () => null
  })
  const guard = new NodeGuard(standalone, `Pass it on without calling it: ${LISTENER_CALL}.`)

  function judgeSocket(
    socket: Socket,
    listener: (socket: Socket, verdict: Verdict) => unknown,
    options: ConnectionOptions | undefined
  ): void {
    const { guard, routes } = standalone.guard
    const route = withMode(routes.of(options), guard.mode)
    const incoming = new NodeIncoming({ socket }, undefined)
    const verdict = guard.decide(route.policy, undefined, incoming, null)
    standalone.report(verdict, incoming, route, undefined)
    if (verdict.verified || route.actions.mode === 'tag') listener(socket, verdict)
    else socket.destroy()
  }

  const logNoFunction = once((error) => standalone.logger.error({ err: error }, (error as Error).message))

  /**
   * Whether a server called a method itself, and not what it returns: an error would end the process, so it is logged.
   *
   * @param sign a property of what servers call listeners with
   * @throws OptionsError (`MOE_ERR_OPTIONS`) where a user called it with something else than a function
   */
  function isCalledByServer(given: unknown, sign: string, path: string, call: string): boolean {
    try {
      refuseNoFunction(given, path, call)
      return false
    } catch (error) {
      if (typeof given !== 'object' || given === null || !hasProperty(given, sign)) throw error
      logNoFunction(error)
      return true
    }
  }

  return {
    ...standalone.methods(),
    listener(listener, options) {
      if (isCalledByServer(listener, 'rawHeaders', 'listener', LISTENER_CALL)) {
        answerFailure(listener as unknown as Request, options as unknown as Response, NOT_JUDGED)
        return () => {}
      }
      standalone.addRoute(options)
      standalone.placement.listensTo.add('requests')
      return (request, response) => {
        guard.handle(request, response, options, {
          pass: (verdict) => listener(request, response, verdict),
          fail(error) {
            standalone.failed(error)
            answerFailure(request, response, error instanceof NotReadyError ? error : NOT_JUDGED)
          }
        })
      }
    },
    connectionListener(listener, options) {
      if (isCalledByServer(listener, 'remoteAddress', 'connectionListener', CONNECTION_CALL)) {
        ;(listener as unknown as Socket).destroy()
        return () => {}
      }
      if (options !== undefined) checkConnectionOptions(options)
      standalone.addRoute(options)
      standalone.placement.listensTo.add('connections')
      return (socket) => {
        if (standalone.ready !== undefined) {
          judgeSocket(socket, listener, options)
          return
        }
        // An error that nobody listens for would end the process.
        const ignore = () => {}
        socket.on('error', ignore)
        standalone.wait().then(
          () => {
            socket.off('error', ignore)
            if (!socket.destroyed) judgeSocket(socket, listener, options)
          },
          () => socket.destroy()
        )
      }
    },
    judge: (request, policy) => guard.judge(request, policy)
  }
}
