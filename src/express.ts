/**
 * The guard as a middleware for Express 4 and 5, Connect and Nest.
 *
 * @module moengage-allowlist/express
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PolicyOptions } from './guard/guard.js'
import type { GuardRequest } from './guard/options.js'
import { refusal } from './lib/refusal.js'
import { defaultLogger } from './log/default-logger.js'
import { expressIp } from './server/framework-ip.js'
import { NodeGuard, type NodeOnReject } from './server/node-guard.js'
import type { ActionOptions } from './server/routes.js'
import { type GuardMethods, Standalone, type StandaloneOptions } from './server/standalone.js'
import type { Verdict } from './verdict/verdict.js'

export { type SecretHeaderOptions, type SecretRequest, secretHeader } from './evidence/secret-header.js'
export type { LineLevel, Logger, LogLevel } from './log/logger.js'

declare global {
  // The namespace is Express's own way to be extended; whoever has no Express sees two lines more.
  namespace Express {
    interface Request {
      /** What the guard said of this request; undefined where it did not run. */
      moengage?: Verdict
    }
  }
}

/** A request of Express, Connect or `node:http`. */
export type ExpressRequest = IncomingMessage & Express.Request

/**
 * What happens to a rejected request instead of a JSON error. `'next'` hands the error to `next(error)`, for your own error
 * handler; Express's built-in one would answer with HTML and print each rejection. A function answers itself, as a handler
 * does: the status is the rejection's until it sets another, and what it throws goes to `next(error)`.
 */
export type OnReject<Request = ExpressRequest, Response = ServerResponse> = NodeOnReject<Request, Response>

/** Options of one route; what is left out is the guard's. */
export interface RouteOptions<Request = ExpressRequest, Response = ServerResponse>
  extends PolicyOptions,
    ActionOptions<OnReject<Request, Response>> {}

/** Options of the middleware. */
export interface MoEngageAllowlistOptions<Request = ExpressRequest, Response = ServerResponse>
  extends StandaloneOptions<Request, OnReject<Request, Response>> {}

/** A middleware for Express 4 and 5, Connect, and all that takes their middleware. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void

/** The middleware, and the guard that it stands for. */
export interface ExpressGuard<Request = ExpressRequest, Response = ServerResponse> extends Middleware, GuardMethods {
  /**
   * A middleware of one route, by the same guard. It stands alone: a route behind the guard's own middleware is judged by
   * both.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`)
   */
  route(options: RouteOptions<Request, Response>): Middleware
  /**
   * Judges a request, or the peer and headers of a connection that Express does not handle, such as an upgrade. Counts it
   * once, also where the guard judges it as well, but neither rejects nor logs.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the request or the policy is wrong; NotReadyError (`MOE_ERR_NOT_READY`)
   */
  judge(request: Request | GuardRequest, policy?: PolicyOptions): Verdict
}

const ON_REJECT = {
  words: ['next'],
  example: `(request, response, verdict) => response.end('no')`,
  routePath: 'route'
}

const PASS_ON =
  'Pass the guard on without calling it: app.use(guard). For a route with options of its own, write ' +
  `app.post('/segments', guard.route({ channels: 'segment-sync' }), handler).`

/**
 * The pattern of the route in its own router: known to a middleware of the route, and not to one that is mounted before it.
 * What the router is mounted at is left out, since Express only keeps the path that the client asked for.
 */
function patternOf(request: IncomingMessage): string | null {
  const { route } = request as { route?: { path?: unknown } }
  return typeof route?.path === 'string' ? route.path : null
}

/**
 * Guards what is mounted behind it: a request that does not come from an address which MoEngage publishes for your data
 * center and channels is rejected before its body is read. Mount it before body parsers.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options
 * @example
 * const guard = moengageAllowlist({ dataCenters: 'DC-01' })
 * app.use('/moengage', guard)
 * app.post('/segments', guard.route({ channels: 'segment-sync' }), handler)
 */
export default function moengageAllowlist<
  Request extends IncomingMessage = ExpressRequest,
  Response extends ServerResponse = ServerResponse
>(options: MoEngageAllowlistOptions<Request, Response>): ExpressGuard<Request, Response> {
  const standalone = new Standalone<Request, OnReject<Request, Response>>(options, {
    framework: expressIp(),
    onReject: ON_REJECT,
    defaultLogger,
    patternOf
  })
  const guard = new NodeGuard(standalone, PASS_ON)

  function middleware(routeOptions?: RouteOptions<Request, Response>): Middleware {
    return function moengageAllowlist(request, response, next) {
      if (typeof next !== 'function' && typeof response === 'object' && response !== null) {
        throw refusal('next', next, 'is not a function', PASS_ON)
      }
      guard.handle(request as Request, response as Response, routeOptions, { pass: () => next(), fail: next })
    }
  }

  return Object.assign(middleware(), standalone.methods(), {
    route(routeOptions: RouteOptions<Request, Response>) {
      standalone.addRoute(routeOptions)
      return middleware(routeOptions)
    },
    judge: (request: Request | GuardRequest, policy?: PolicyOptions) => guard.judge(request, policy)
  })
}
