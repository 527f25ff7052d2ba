import type { FastifyInstance, FastifyReply, FastifyRequest, LogLevel, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { RegisteredTwiceError, RejectedError, RouteError } from './errors.js'
import { fastifyIp, TRUST_PROXY_FIX } from './fastify-trust.js'
import { GuardLog } from './glue/guard-log.js'
import { RequestJudge } from './glue/request-judge.js'
import { type Route, Routes } from './glue/routes.js'
import { thrown } from './glue/thrown.js'
import { type ActionOptions, defaultActions, readActions } from './guard/actions.js'
import { loadGuard } from './guard/create-guard.js'
import type { Guard, PolicyOptions } from './guard/guard.js'
import type { GuardOptions, GuardRequest } from './guard/options.js'
import type { RejectedVerdict, Verdict } from './guard/verdict.js'
import type { Problem } from './problem.js'

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

const ON_REJECT = { words: [], fix: 'Write (request, reply, verdict) => ….', routePath: 'config.moengage' }

async function plugin(app: FastifyInstance, options: MoEngageAllowlistOptions): Promise<void> {
  if (app.hasDecorator('moengage')) {
    throw new RegisteredTwiceError({
      value: app.prefix,
      message: 'moengage-allowlist is registered in this scope already, or in one around it.',
      fix: 'Register it once a scope; for routes that differ, set config.moengage or use sibling scopes.'
    })
  }
  const mistakes: Problem[] = []
  const actions = readActions<OnReject>(options, mistakes, defaultActions(ON_REJECT))
  const guard = await loadGuard<FastifyRequest>(options, {
    names: ['mode', 'statusCode', 'onReject', 'logLevel'],
    mistakes,
    frameworkFix: TRUST_PROXY_FIX
  })
  const log = new GuardLog(guard, options.logLevel ?? 'warn')
  log.warnings(app.log)
  const routes = new Routes((policy) => guard.addRoute(policy), actions)
  const requests = new RequestJudge(guard, options.clientIp, fastifyIp())

  function judge(request: FastifyRequest, policy: PolicyOptions | undefined): Verdict {
    return requests.judge(request, request.raw, app.server, policy)
  }

  function guarding(chooseRoute: (request: FastifyRequest) => Route<OnReject> | false): onRequestHookHandler {
    return function verifyMoEngage(request, reply, done) {
      let route: Route<OnReject> | false
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
      log.rejection(request.log, verdict, mode)
      if (mode === 'tag') return done()
      const rejection = new RejectedError(verdict, statusCode)
      if (onReject === undefined) return done(rejection)
      answer(onReject, request, reply, verdict, rejection).then((error) => {
        if (error !== undefined) done(error)
      })
    }
  }

  app.decorate('moengage', {
    judge: (request, policy) => ('raw' in request ? judge(request, policy) : requests.judgeConnection(request, policy)),
    explain: (ip, policy) => guard.explain(ip, policy),
    status: () => guard.status(),
    reload: () => guard.reload().finally(() => log.warnings(app.log)),
    senders: () => guard.senders()
  } satisfies FastifyGuard)

  app.decorate('verifyMoEngage', (routeOptions) => {
    const route = routes.of(routeOptions)
    return guarding(() => route)
  })
  app.decorateRequest('moengage', null)

  app.addHook('onRoute', ({ config }) => {
    if (config?.moengage !== undefined && config.moengage !== false) routes.of(config.moengage)
  })
  app.addHook(
    'onRequest',
    guarding((request) => {
      // Read here and not in onRoute, which misses the routes that stand before this plugin was loaded.
      const config = request.routeOptions.config?.moengage
      if (config === false) return false
      try {
        return routes.of(config)
      } catch (error) {
        request.log.error(error)
        throw new RouteError()
      }
    })
  )
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
