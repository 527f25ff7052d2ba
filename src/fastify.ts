import type { FastifyInstance, FastifyReply, FastifyRequest, LogLevel, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { UNIX_PEER } from './client-ip/resolve.js'
import { RegisteredTwiceError, RejectedError, RouteError } from './errors.js'
import { PERMISSIVE_TRUST, TRUST_PROXY_FIX, trustsStrangers } from './fastify-trust.js'
import { type ActionOptions, type Actions, readActions, readRouteOptions } from './guard/actions.js'
import { loadGuard } from './guard/create-guard.js'
import type { Guard, PolicyOptions } from './guard/guard.js'
import { reloadNews } from './guard/news.js'
import type { GuardOptions, GuardRequest } from './guard/options.js'
import type { GuardStatus } from './guard/status.js'
import type { Reason, RejectedVerdict, Verdict } from './guard/verdict.js'
import { type Problem, problemLine } from './problem.js'

/**
 * Your own answer to a rejected request: send it and `return reply`, or give back a payload. The status is the rejection's
 * until you set another; what it throws is thrown, with a status of its own.
 */
export type OnReject = (request: FastifyRequest, reply: FastifyReply, verdict: RejectedVerdict) => unknown

/** Options of one route, as `config.moengage` or for `app.verifyMoEngage`; what is left out is the plugin's. */
export interface RouteOptions extends PolicyOptions, ActionOptions<OnReject> {}

/** Options of the plugin. */
export interface MoEngageAllowlistOptions extends GuardOptions<FastifyRequest>, ActionOptions<OnReject> {
  /** The level at which a rejection is logged (`'warn'`). */
  readonly logLevel?: LogLevel
}

/** The guard of a scope, as `app.moengage`. */
export interface FastifyGuard extends Pick<Guard, 'explain' | 'status' | 'reload' | 'senders'> {
  /**
   * Judges a Fastify request, or the peer and headers of a connection that Fastify does not handle, such as an upgrade.
   * Counts it as judged, but neither rejects nor logs.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the policy is wrong
   */
  judge(request: FastifyRequest | GuardRequest, policy?: PolicyOptions): Verdict
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The guard of this scope. */
    moengage: FastifyGuard
    /** A hook that verifies a request, for `@fastify/auth` and routes that the scope's own hook leaves out. */
    verifyMoEngage(routeOptions?: RouteOptions): onRequestHookHandler
  }
  interface FastifyRequest {
    /** What the guard said of this request; null where it did not run. */
    moengage: Verdict | null
  }
  interface FastifyContextConfig {
    /** `false` leaves the route unguarded; an object changes what it accepts and what a rejection does. */
    moengage?: false | RouteOptions
  }
}

/** What one route accepts and does; `policy` is undefined where it is the plugin's. */
interface Route {
  readonly policy: PolicyOptions | undefined
  readonly actions: Actions<OnReject>
}

async function plugin(app: FastifyInstance, options: MoEngageAllowlistOptions): Promise<void> {
  if (app.hasDecorator('moengage')) {
    throw new RegisteredTwiceError({
      value: app.prefix,
      message: 'moengage-allowlist is registered in this scope already, or in one around it.',
      fix: 'Register it once a scope; for routes that differ, set config.moengage or use sibling scopes.'
    })
  }
  const mistakes: Problem[] = []
  const actions = readActions<OnReject>(options, mistakes)
  const guard = await loadGuard<FastifyRequest>(options, {
    names: ['mode', 'statusCode', 'onReject', 'logLevel'],
    mistakes,
    frameworkFix: TRUST_PROXY_FIX,
    onReload: logReload,
    onDay: logWarnings
  })
  app.addHook('onClose', async () => guard.close())
  const warned = new Set<string>()
  logWarnings()

  const logLevel = options.logLevel ?? 'warn'
  const { clientIp = 'request.ip' } = options
  const plain: Route = { policy: undefined, actions }
  const routes = new WeakMap<RouteOptions, Route>()
  const diagnosed = new Set<Reason>()
  let permissive: boolean | undefined

  function routeOf(routeOptions: RouteOptions | undefined): Route {
    if (routeOptions === undefined) return plain
    let route = routes.get(routeOptions)
    if (route === undefined) {
      route = readRouteOptions(routeOptions, actions)
      if (route.policy !== undefined) guard.addRoute(route.policy)
      routes.set(routeOptions, route)
    }
    return route
  }

  function judge(request: FastifyRequest, policyOptions: PolicyOptions | undefined): Verdict {
    const { socket, headers, rawHeaders } = request.raw
    const policy = guard.policy(policyOptions)
    const peer = socket.remoteAddress ?? (typeof app.server.address() === 'string' ? UNIX_PEER : null)
    if (rawHeaders.length >= keptHeaders()) return guard.rejectUnresolved('too-many-headers', peer)
    if (typeof clientIp === 'object') return guard.judgePeer(peer, headers, policy)
    if (typeof clientIp === 'function') return guard.judgeClient(clientIp(request), peer, headers, policy)
    permissive ??= trustsStrangers(request)
    return permissive
      ? guard.rejectPermissiveTrust(PERMISSIVE_TRUST, peer)
      : guard.judgeClient(request.ip, peer, headers, policy)
  }

  /**
   * How many elements of `rawHeaders` Node keeps; further lines are dropped without a word, and the last one is the one
   * that a proxy added.
   */
  function keptHeaders(): number {
    const { maxHeadersCount } = app.server
    return maxHeadersCount === 0 ? Number.POSITIVE_INFINITY : 2 * (maxHeadersCount ?? 1000)
  }

  function logWarnings(): void {
    for (const warning of guard.status().warnings) {
      const line = problemLine(warning)
      if (!warned.has(line)) app.log.warn({ moengage: warning }, line)
      warned.add(line)
    }
  }

  function logReload(error: Error | null, status: GuardStatus): void {
    const { level, line, moengage } = reloadNews(error, status)
    app.log[level]({ moengage }, line)
    logWarnings()
  }

  function guarding(chooseRoute: (request: FastifyRequest) => Route | false): onRequestHookHandler {
    return function verifyMoEngage(request, reply, done) {
      let route: Route | false
      let verdict: Verdict
      try {
        route = chooseRoute(request)
        if (route === false) return done()
        verdict = judge(request, route.policy)
      } catch (error) {
        return done(thrown(error))
      }
      request.moengage = verdict
      if (verdict.verified) return done()
      const { mode, statusCode, onReject } = route.actions
      log(request, verdict, mode)
      if (mode === 'tag') return done()
      const rejection = new RejectedError(verdict, statusCode)
      if (onReject === undefined) return done(rejection)
      answer(onReject, request, reply, verdict, rejection).then((error) => {
        if (error !== undefined) done(error)
      })
    }
  }

  function log(request: FastifyRequest, verdict: RejectedVerdict, mode: Actions<OnReject>['mode']): void {
    const { clientIp, reason, hint } = verdict
    if (isDiagnosis(reason) && !diagnosed.has(reason)) {
      diagnosed.add(reason)
      request.log.error({ moengage: verdict }, `${reason}: ${hint}`)
    }
    if (logLevel === 'silent') return
    const outcome = mode === 'tag' ? 'would be rejected' : 'rejected'
    request.log[logLevel]({ moengage: verdict }, `${clientIp ?? 'Unknown client'} ${outcome}: ${reason}`)
  }

  app.decorate('moengage', {
    judge: (request, policy) => ('raw' in request ? judge(request, policy) : judgeConnection(request, policy)),
    explain: (ip, policy) => guard.explain(ip, policy),
    status: () => guard.status(),
    reload: () => guard.reload(),
    senders: () => guard.senders()
  } satisfies FastifyGuard)

  function judgeConnection(connection: GuardRequest, policyOptions: PolicyOptions | undefined): Verdict {
    const { headers } = connection
    const peer = connection.peer || null
    const policy = guard.policy(policyOptions)
    // A function for Fastify requests cannot tell the client of anything else.
    if (typeof clientIp === 'function') return guard.judgeClient(undefined, peer, headers, policy)
    return guard.judgePeer(peer, headers, policy)
  }

  app.decorate('verifyMoEngage', (routeOptions) => {
    const route = routeOf(routeOptions)
    return guarding(() => route)
  })
  app.decorateRequest('moengage', null)

  app.addHook('onRoute', ({ config }) => {
    if (config?.moengage !== undefined && config.moengage !== false) routeOf(config.moengage)
  })
  app.addHook(
    'onRequest',
    guarding((request) => {
      // Read here and not in onRoute, which misses the routes that stand before this plugin was loaded.
      const config = request.routeOptions.config?.moengage
      if (config === false) return false
      try {
        return routeOf(config)
      } catch (error) {
        request.log.error(error)
        throw new RouteError()
      }
    })
  )
}

/** Whether a reason says more about the set-up than about the sender; such a one is told once, as an error. */
function isDiagnosis(reason: Reason): boolean {
  return reason === 'permissive-trust' || reason === 'proxy-not-configured'
}

/** Lets the user answer. Gives back what is left to throw: the rejection where the user's function did nothing. Never rejects. */
async function answer(
  onReject: OnReject,
  request: FastifyRequest,
  reply: FastifyReply,
  verdict: RejectedVerdict,
  rejection: RejectedError
): Promise<Error | undefined> {
  // Whoever only sends a body does not mean 200.
  reply.code(rejection.statusCode)
  try {
    // A reply can be awaited: it is done when it was sent.
    const payload = await onReject(request, reply, verdict)
    if (reply.sent) return undefined
    if (payload === undefined) return rejection
    reply.send(payload)
    return undefined
  } catch (error) {
    // Fastify takes the status of an error only where the reply has none.
    reply.code(200)
    return error ? thrown(error) : rejection
  }
}

/** What was thrown, as something that `done` does not take for "go on". */
function thrown(error: unknown): Error {
  return (error || new Error('Something that is nothing was thrown.')) as Error
}

/**
 * Guards the routes of the scope that it is registered in: a request that does not come from an address which MoEngage
 * publishes for your data center and channels is rejected before its body is read.
 *
 * @throws (at start-up) OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options; RegisteredTwiceError
 * (`MOE_ERR_REGISTERED_TWICE`); SourceError (`MOE_ERR_SOURCE`)
 * @example
 * await app.register(async (hooks) => {
 *   await hooks.register(moengageAllowlist, { dataCenters: 'DC-01' })
 *   hooks.post('/moengage/connector', async () => ({ ok: true }))
 * })
 */
export const moengageAllowlist = fp<MoEngageAllowlistOptions>(plugin, { name: 'moengage-allowlist', fastify: '5.x' })
