/**
 * The guard for AWS Lambda behind API Gateway, function URLs and Application Load Balancers.
 *
 * @module moengage-allowlist/lambda
 */

import { countedBy, type Incoming } from './client-ip/incoming.js'
import { EventError, RejectedError } from './errors.js'
import type { PolicyOptions } from './guard/guard.js'
import { answerOf, drop, isPromise, settled } from './lib/promise.js'
import { consoleLogger } from './log/console-logger.js'
import type { Failure } from './server/failure.js'
import { type LambdaAnswer, type LambdaEvent, readLambdaEvent } from './server/lambda-event.js'
import { OnDemand, type OnDemandMethods, type OnDemandOptions } from './server/on-demand.js'
import { type ActionOptions, refuseNoFunction, withMode } from './server/routes.js'
import type { RejectedVerdict, Verdict } from './verdict/verdict.js'

export { type SecretHeaderOptions, type SecretRequest, secretHeader } from './evidence/secret-header.js'
export type { LineLevel, Logger, LogLevel } from './log/logger.js'
export type { LambdaAnswer, LambdaEvent } from './server/lambda-event.js'
export type { OnDemandMethods } from './server/on-demand.js'

/**
 * Your own answer to a rejected event, with the status of the rejection where it has no `statusCode`. Without an object, the event is
 * answered as if there was no function. What it throws, the handler rejects with.
 */
export type OnReject = (event: LambdaEvent, verdict: RejectedVerdict) => unknown

/** Options of one handler; what is left out is the guard's. */
export interface HandlerOptions extends PolicyOptions, ActionOptions<OnReject> {}

/** Options of the guard. `clientIp: 'request.ip'` is the address that AWS writes into the event. */
export interface MoEngageAllowlistOptions extends OnDemandOptions<LambdaEvent, OnReject> {}

/** A guard of Lambda functions. */
export interface LambdaGuard extends OnDemandMethods {
  /**
   * Wraps a handler. It is called for events that are let through, with the verdict. The call ends when the handler has answered, what
   * your logger and functions returned has settled (two seconds at most), and a reload that was due has ended: Lambda freezes the
   * process then.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the options are wrong
   * @throws (rejects with) EventError (`MOE_ERR_EVENT`) on an event of unknown shape, and what the handler throws
   */
  handler<Event extends LambdaEvent, Context, Answer>(
    handler: (event: Event, context: Context, verdict: Verdict) => Answer | Promise<Answer>,
    options?: HandlerOptions
  ): (event: Event, context: Context) => Promise<Answer | LambdaAnswer>
  /**
   * Judges an event. Counts it once, also where the guard judges it as well, but neither rejects nor logs.
   *
   * @throws EventError (`MOE_ERR_EVENT`); OptionsError (`MOE_ERR_OPTIONS`) when the policy is wrong; NotReadyError (`MOE_ERR_NOT_READY`)
   */
  judge(event: LambdaEvent, policy?: PolicyOptions): Verdict
}

const ON_REJECT = {
  words: [],
  example: `(event, verdict) => ({ statusCode: 404 })`,
  routePath: 'options'
}

/**
 * Makes a guard for Lambda functions, outside of the handler: its options are checked when the function starts, and everything else is
 * made by the first event.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options
 * @example
 * const guard = moengageAllowlist({ dataCenters: 'DC-01' })
 * export const handler = guard.handler(async (event) => ({ statusCode: 200, body: '{"status":"ok"}' }))
 */
export default function moengageAllowlist(options: MoEngageAllowlistOptions): LambdaGuard {
  const onDemand = new OnDemand<LambdaEvent, OnReject>(options, {
    onReject: ON_REJECT,
    patternOf: (event) => read(event).route,
    loggedRequest(event) {
      const { route, method, requestId } = read(event)
      return { pattern: route, method, requestId }
    },
    defaultLogger: consoleLogger
  })

  /** The verdicts by which events were counted. */
  const verdicts = new WeakMap<LambdaEvent, Verdict>()

  const withEarlier = (event: LambdaEvent, incoming: Incoming): Incoming => ({
    ...incoming,
    earlier: verdicts.get(event)
  })

  /** @returns the answer to a rejected event, or the verdict on one that is let through */
  async function check(
    event: LambdaEvent,
    options: HandlerOptions | undefined
  ): Promise<{ readonly answer: unknown } | { readonly verdict: Verdict }> {
    const { current } = onDemand
    const { incoming: given, route: pattern, answer } = read(event)
    try {
      await current.wait()
    } catch (error) {
      return { answer: answer(error as Failure) }
    }
    const { guard, routes } = current.guard
    const chosen = routes.of(options)
    const incoming = withEarlier(event, given)
    const verdict = guard.decide(chosen.policy, event, incoming, pattern)
    const route = withMode(chosen, guard.mode)
    const { mode, onReject, statusCode } = route.actions
    verdicts.set(event, countedBy(verdicts.get(event), verdict))
    current.report(verdict, incoming, route, event)
    if (verdict.verified || mode === 'tag') return { verdict }
    const own = await answerOf(() => onReject?.(event, verdict))
    if (typeof own !== 'object' || own === null) return { answer: answer(new RejectedError(verdict, statusCode)) }
    return { answer: { ...own, statusCode: (own as Partial<LambdaAnswer>).statusCode ?? statusCode } }
  }

  return {
    ...onDemand.methods(),
    handler: <Event extends LambdaEvent, Context, Answer>(
      handler: (event: Event, context: Context, verdict: Verdict) => Answer | Promise<Answer>,
      options?: HandlerOptions
    ) => {
      refuseNoFunction(handler, 'handler', 'guard.handler(async (event) => ({ statusCode: 200 }))')
      if (options !== undefined) onDemand.checkRoute(options)
      return async function moengageAllowlist(event: Event, context: Context): Promise<Answer | LambdaAnswer> {
        const before = onDemand.count
        const due = onDemand.runDue()
        try {
          const checked = await check(event, options)
          if ('answer' in checked) return checked.answer as LambdaAnswer
          const own = handler(event, context, checked.verdict)
          // What it holds besides is the handler's own matter, as it would be without a guard.
          return (await (isPromise(own) ? settled(own) : own)) as Answer
        } finally {
          await due
          await onDemand.settleInTime(before)
          await onDemand.current.logger.flush()
        }
      }
    },
    judge(event, policy) {
      onDemand.runDue()
      const { current } = onDemand
      const { incoming } = read(event)
      return current.guard.guard.ask(policy, event, withEarlier(event, incoming), current.patternOf(event))
    }
  }
}

function read(event: LambdaEvent) {
  const request = readLambdaEvent(event)
  if (request !== undefined) return request
  drop(event)
  throw new EventError({
    path: 'event',
    value: typeof event,
    message: 'The event is neither of API Gateway, nor of a function URL, nor of an Application Load Balancer.',
    fix: 'Wrap only the handler that receives webhooks.'
  })
}
