import { countedBy, type Incoming } from '../client-ip/incoming.js'
import { type Problem, RejectedError } from '../errors.js'
import type { PolicyOptions } from '../guard/guard.js'
import { hasProperty } from '../lib/option.js'
import { answerOf } from '../lib/promise.js'
import { refusal } from '../lib/refusal.js'
import { kindOf } from '../lib/text.js'
import type { RejectedVerdict, Verdict } from '../verdict/verdict.js'
import { type Failure, failureBody } from './failure.js'
import { type ActionOptions, withMode } from './routes.js'
import type { Standalone } from './standalone.js'

/**
 * Your own answer to a rejected request. Its status is yours: a `Response` without one has 200, as if all were well. What the function throws,
 * `check` rejects with.
 *
 * @example
 * onReject: (request, verdict) => new Response('no', { status: 403 })
 */
export type OnReject = (request: Request, verdict: RejectedVerdict) => Response | Promise<Response>

/** Options of one route; what is left out is the guard's. */
export interface RouteOptions extends PolicyOptions, ActionOptions<OnReject> {}

/** What became of a request: let through, or to be answered with `response`. `verdict` is null where there is no list yet. */
export type Checked =
  | {
      /** The request is let through. */
      readonly response: undefined
      /** The verdict; in mode `'tag'` it may be a rejected one. */
      readonly verdict: Verdict
    }
  | {
      /** What the request is to be answered with. */
      readonly response: Response
      /** Why it is rejected; null where there is no list yet, which is answered with 503. */
      readonly verdict: RejectedVerdict | null
    }

/** How `onReject` is written where requests and responses are those of the Fetch standard. */
export const ON_REJECT = {
  words: [],
  example: `(request, verdict) => new Response('no', { status: 403 })`,
  routePath: 'options'
}

/**
 * Refuses what is not a `Request`, such as Hono's own.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
export function refuseNoRequest(request: unknown): void {
  if (typeof request === 'object' && request !== null && hasProperty(request, 'headers')) return
  throw refusal(
    'request',
    request,
    'is not a Request',
    'Pass the Request that the server received: in Hono, c.req.raw.'
  )
}

/** Verdicts on requests of the Fetch standard: a request that is judged again is counted once. */
export class WebVerdicts {
  readonly #verdicts = new WeakMap<Request, Verdict>()

  /** The verdict by which a request was counted before. */
  of(request: Request): Verdict | undefined {
    return this.#verdicts.get(request)
  }

  /**
   * Judges a request, logs a rejection, and makes its answer.
   *
   * @param read reads where the request comes from
   */
  async check(
    standalone: Standalone<Request, OnReject>,
    request: Request,
    read: () => Incoming,
    routeOptions: RouteOptions | undefined
  ): Promise<Checked> {
    let incoming = read()
    if (standalone.ready === undefined) {
      try {
        await standalone.wait()
      } catch (error) {
        return { response: failureResponse(error as Failure), verdict: null }
      }
      // A connection that was closed during the wait has no peer any more; another check may have judged the request.
      incoming = { ...incoming, earlier: this.#verdicts.get(request) }
    }
    const { guard, routes } = standalone.guard
    const chosen = routes.of(routeOptions)
    const verdict = guard.decide(chosen.policy, request, incoming, null)
    const route = withMode(chosen, guard.mode)
    const { actions } = route
    this.#verdicts.set(request, countedBy(incoming.earlier as Verdict | undefined, verdict))
    standalone.report(verdict, incoming, route, request)
    if (verdict.verified || actions.mode === 'tag') return { response: undefined, verdict }
    const own = await answerOf(() => actions.onReject?.(request, verdict))
    if (isResponse(own)) {
      if (own.ok) standalone.guard.log.warning(success(own.status))
      return { response: own, verdict }
    }
    if (own !== undefined) standalone.guard.log.warning(noResponse(own))
    return { response: failureResponse(new RejectedError(verdict, actions.statusCode)), verdict }
  }
}

/** Whether something is a `Response`, of whatever class: a server, or a program that asks `if (response)`, cannot do with anything else. */
function isResponse(own: unknown): own is Response {
  if (typeof own !== 'object' || own === null) return false
  const { status, headers } = own as Partial<Response>
  return typeof status === 'number' && typeof headers?.get === 'function'
}

/** A warning about an `onReject` whose answer cannot be sent, such as the object that one of Lambda returns. */
function noResponse(own: unknown): Problem {
  return {
    code: 'MOE_WARN_NO_RESPONSE',
    path: 'onReject',
    value: kindOf(own),
    message: `${kindOf(own)} is not a Response: the rejected request was answered with the JSON of the guard.`,
    fix: `Return a Response: new Response('no', { status: 403 }).`
  }
}

/** A warning about an answer of `onReject`, whose status cannot be known to be meant: without one, a `Response` has 200. */
function success(status: number): Problem {
  return {
    code: 'MOE_WARN_ANSWER_STATUS',
    path: 'onReject',
    value: status,
    message: `onReject answered a rejected request with the status ${status}, as if all were well.`,
    fix: `Give the Response a status: new Response('no', { status: 403 }).`
  }
}

function failureResponse(failure: Failure): Response {
  return new Response(failureBody(failure), {
    status: failure.statusCode,
    headers: { 'content-type': 'application/json; charset=utf-8' }
  })
}
