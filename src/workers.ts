/**
 * The guard for Cloudflare Workers.
 *
 * @module moengage-allowlist/workers
 */

import { type Incoming, UNIX_PEER } from './client-ip/incoming.js'
import type { PolicyOptions } from './guard/guard.js'
import { propertyOf } from './lib/option.js'
import { refusal } from './lib/refusal.js'
import { consoleLogger } from './log/console-logger.js'
import { OnDemand, type OnDemandMethods, type OnDemandOptions } from './server/on-demand.js'
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
export type { OnDemandMethods } from './server/on-demand.js'
export type { Checked, OnReject, RouteOptions } from './server/web.js'

/** Options of the guard. `clientIp: 'request.ip'` is the address that Cloudflare writes into `cf-connecting-ip`. */
export interface MoEngageAllowlistOptions extends OnDemandOptions<Request, OnReject> {}

/** The context of an event, the third argument of `fetch` in a Worker. */
export interface WorkerContext {
  /** Keeps the Worker running until a promise has settled. */
  waitUntil(promise: Promise<unknown>): void
}

/** A guard of a Worker. */
export interface WorkersGuard extends OnDemandMethods {
  /**
   * Judges a request, logs a rejection, and makes its answer. Where there is a response, return it. A reload or a summary that is due
   * runs behind the answer, by `context.waitUntil`.
   *
   * @param options of the route, where they differ from the guard's. Pass the same object every time: it is read once
   * @throws (rejects with) OptionsError (`MOE_ERR_OPTIONS`) when the request or the options are wrong or there is no context, and what your functions
   * throw
   */
  check(request: Request, context: WorkerContext, options?: RouteOptions): Promise<Checked>
  /**
   * Judges a request. Counts it once, also where the guard judges it as well, but neither rejects nor logs. A reload that is due
   * begins, but the Worker does not stay alive for it: only `check` has the context.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the request or the policy is wrong; NotReadyError (`MOE_ERR_NOT_READY`)
   */
  judge(request: Request, policy?: PolicyOptions): Verdict
}

/**
 * Makes a guard for a Worker, at module level: its options are checked when the Worker is deployed, and everything else is made by the
 * first request.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options
 * @example
 * const guard = moengageAllowlist({ dataCenters: 'DC-01' })
 *
 * export default {
 *   async fetch(request, env, context) {
 *     const { response } = await guard.check(request, context)
 *     return response ?? new Response('ok')
 *   }
 * }
 */
export default function moengageAllowlist(options: MoEngageAllowlistOptions): WorkersGuard {
  const onDemand = new OnDemand<Request, OnReject>(options, {
    onReject: ON_REJECT,
    patternOf: () => null,
    defaultLogger: consoleLogger
  })
  const verdicts = new WebVerdicts()
  function incomingOf(request: Request): Incoming {
    refuseNoRequest(request)
    return { ...peerOf(request), headers: request.headers, earlier: verdicts.of(request) }
  }

  return {
    ...onDemand.methods(),
    async check(request, context, routeOptions) {
      refuseWithoutContext(context)
      const before = onDemand.count
      const due = onDemand.runDue()
      // What the user's functions return at its end, too.
      if (due !== undefined) context.waitUntil(due.then(() => onDemand.settle(before)))
      const { current } = onDemand
      // The request that began to load the first list may end before others that wait for it.
      if (current.ready === undefined) context.waitUntil(current.wait().catch(() => {}))
      try {
        return await verdicts.check(current, request, () => incomingOf(request), routeOptions)
      } finally {
        const unsettled = onDemand.settle(before)
        if (unsettled !== undefined) context.waitUntil(unsettled)
      }
    },
    judge(request, policy) {
      onDemand.runDue()
      return onDemand.current.guard.guard.ask(policy, request, incomingOf(request), null)
    }
  }
}

/** The context is only needed now and then: without it, a request after a working one would fail. */
function refuseWithoutContext(context: unknown): void {
  if (typeof (context as Partial<WorkerContext> | null | undefined)?.waitUntil === 'function') return
  const fix = 'Pass the third argument of fetch: guard.check(request, context).'
  throw refusal('context', context, 'is not the context of an event, which has waitUntil', fix)
}

/**
 * The client's address as Cloudflare writes it; null where it may be what a client wrote. A subrequest of another Worker carries
 * \`cf-worker\`, and within one zone its \`cf-connecting-ip\` is what that Worker wrote into \`x-real-ip\`. Without \`cf\` the runtime is not
 * Cloudflare's, which removes a client's own \`cf-connecting-ip\`.
 */
function peerOf(request: Request): Pick<Incoming, 'peer' | 'noPeer'> {
  const { headers } = request
  const cf = propertyOf(request, 'cf')
  if (typeof cf !== 'object' || cf === null) return { peer: null, noPeer: NO_CF }
  if (headers.has('cf-worker')) return { peer: null, noPeer: OTHER_WORKER }
  const peer = headers.get('cf-connecting-ip')
  return { peer: peer === UNIX_PEER ? null : peer, noPeer: NO_ADDRESS }
}

const NO_CF =
  'The request has no cf: the Worker does not run on Cloudflare, or your code made the request. Anybody can write cf-connecting-ip there.'

const OTHER_WORKER =
  'The request came from another Worker (cf-worker), which may have written its address: Cloudflare itself did not.'

const NO_ADDRESS =
  'The request carries no address in cf-connecting-ip: your zone removes it, by the managed transform "Remove visitor IP headers". Leave that ' +
  'transform off.'
