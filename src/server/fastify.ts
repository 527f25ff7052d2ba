import type {
  RouteOptions as AddedRoute,
  FastifyContextConfig,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
  LogLevel,
  onRequestHookHandler
} from 'fastify'
import fp from 'fastify-plugin'
import { givenIncoming } from '../client-ip/given.js'
import { countedBy, type Incoming, isNews, NodeIncoming, type NodeRequest } from '../client-ip/incoming.js'
import { OptionsError, type Problem, RejectedError, RouteError } from '../errors.js'
import { loadGuard } from '../guard/create-guard.js'
import { refuseNoFastify } from '../guard/given-fastify.js'
import { accessTo, type Guard, type GuardAccess, type PolicyOptions } from '../guard/guard.js'
import { type GuardOptions, type GuardRequest, NO_OPTIONS_FIX } from '../guard/options.js'
import { hasProperty, propertyOf } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import { answerOf, drop, isPromise } from '../lib/promise.js'
import { quoted } from '../lib/text.js'
import { SafeLogger } from '../log/logger.js'
import type { LogOptions } from '../log/rejection-log.js'
import { RejectionLog } from '../log/rejection-log.js'
import type { RejectedVerdict, Verdict } from '../verdict/verdict.js'
import { routesIn, routesOutside } from './early-routes.js'
import { thrown } from './failure.js'
import { fastifyIp } from './framework-ip.js'
import { NO_LAMBDA_PEER, readLambdaEvent } from './lambda-event.js'
import { misplacedOptions, placeOf } from './misplaced-options.js'
import { noteGuarded } from './placement.js'
import {
  type ActionOptions,
  doorOptions,
  type OnVerdict,
  type Route,
  Routes,
  readActions,
  VerdictListener,
  withMode
} from './routes.js'
import { claimScope } from './scopes.js'
import { logWatch } from './watch-log.js'

/**
 * Your own answer to a rejected request: send it and `return reply`, or return a payload. The status is the rejection's
 * until you set another; what it throws is thrown, with a status of its own.
 */
export type OnReject = (request: FastifyRequest, reply: FastifyReply, verdict: RejectedVerdict) => unknown

/** Options of one route, as `config.moengage` or for `app.verifyMoEngage`; what is left out is the plugin's. */
export interface RouteOptions extends PolicyOptions, ActionOptions<OnReject> {}

/** Options of the plugin. */
export interface MoEngageAllowlistOptions extends GuardOptions<FastifyRequest>, ActionOptions<OnReject> {
  /** The level at which a rejection is logged (`'warn'`). */
  readonly logLevel?: LogLevel
  /** How many lines about rejections are written, in bounds that no flood exceeds. */
  readonly log?: LogOptions | undefined
  /** Called with every verdict. An error that it throws is logged once and does not affect the request. */
  readonly onVerdict?: OnVerdict<FastifyRequest> | undefined
}

/** The guard of a scope, as `app.moengage`. */
export interface FastifyGuard extends GuardAccess, Pick<Guard, 'fleet'> {
  /**
   * Judges a Fastify request, or one that Fastify does not handle, such as an upgrade: the request of `node:http`, or its peer and
   * headers. Counts a Fastify request once, also where the guard judges it as well, but neither rejects nor logs. Of a Fastify request
   * pass the request itself: its `raw` is judged without `trustProxy`, a `clientIp` function and `carriesSecret`, and counted anew.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the request or the policy is wrong
   */
  judge(request: FastifyRequest | NodeRequest | GuardRequest, policy?: PolicyOptions): Verdict
}

/**
 * Makes a name that {@link RouteOptions} do not have an error of the compiler. Fastify infers the type of `config` from what
 * is written there, so any name fits. `this` is what was inferred, and every object has the method, so its type is compared.
 */
export interface NoOtherOptions {
  /** Names the first option that does not exist. */
  readonly propertyIsEnumerable?: [Exclude<keyof this, keyof RouteOptions | 'propertyIsEnumerable'>] extends [never]
    ? unknown
    : `there is no option ${Exclude<keyof this, keyof RouteOptions | 'propertyIsEnumerable' | number | symbol>}`
}

/**
 * What the compiler compares a wrong value with: a union without this member would be reduced to `never`, and its message
 * would not name the value. The compiler prefers the last member of a union, so this is the first.
 */
export interface WrongValue {
  readonly [option: string]: 'one of the values in docs/options.md'
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The guard of this scope; undefined outside of the scope that registers the plugin, and before it is loaded. */
    moengage: FastifyGuard | undefined
    /** A hook that verifies a request, for `@fastify/auth` and routes that the scope's own hook leaves out. */
    verifyMoEngage(routeOptions?: RouteOptions): onRequestHookHandler
  }
  interface FastifyRequest {
    /**
     * The verdict on this request; null where the guard did not run, undefined in scopes that have no guard and in those
     * that were loaded before it.
     */
    moengage: Verdict | null | undefined
  }
  interface FastifyContextConfig {
    /** `false` leaves the route unguarded; an object changes what it accepts and what a rejection does. */
    moengage?: WrongValue | false | (RouteOptions & NoOtherOptions & object) | undefined
  }
}

/** What a request's route accepts and does; false where it is not guarded. */
type ChooseRoute = (config: false | RouteOptions | undefined, request: FastifyRequest) => Route<OnReject> | false
const ON_REJECT = {
  words: [],
  example: `(request, reply, verdict) => reply.send('no')`,
  routePath: 'config.moengage'
}
const OPTIONS = doorOptions(ON_REJECT)
/** Options of Fastify itself. */
const FOREIGN = {
  logger:
    'The logger is that of Fastify: write Fastify({ loggerInstance: pino() }) with your own, or Fastify({ logger: true }).',
  prefix: 'Give the prefix to the scope that registers the plugin: app.register(scope, { prefix }).'
}

async function plugin(app: FastifyInstance, options: MoEngageAllowlistOptions): Promise<void> {
  const scopes = claimScope(app)
  const reader = OptionReader.open(OPTIONS, options, NO_OPTIONS_FIX, FOREIGN)
  const actions = readActions<OnReject>(reader, ON_REJECT)
  const level = reader.read('logLevel')
  const pace = reader.read('log')
  const onVerdict = reader.read('onVerdict') as OnVerdict<FastifyRequest> | undefined
  const logger = new SafeLogger(app.log)
  const guard = await loadGuard<FastifyRequest>(options, {
    reader,
    framework: fastifyIp(app),
    onReload: (error, status) => log.reloaded(error, status),
    onDay: () => log.warnings(),
    onWatch: (watch, news) => logWatch(watch, news, log, logger),
    logFailure: (error, message) => logger.error({ err: error }, message)
  })
  const log = new RejectionLog<FastifyRequest>(guard, {
    level,
    pace,
    logger,
    loggedRequest: ({ routeOptions, method, id }) => ({ pattern: routeOptions.url ?? null, method, requestId: id })
  })
  app.addHook('onClose', async () => {
    const closed = guard.close()
    log.close()
    await closed
  })
  const listener = onVerdict === undefined ? undefined : new VerdictListener(onVerdict, logger)
  log.warnings()
  const routes = new Routes((policy) => guard.addRoute(policy), actions)

  let isLambda = false
  app.addHook('onReady', async () => {
    isLambda = app.hasRequestDecorator('awsLambda')
  })

  /** What AWS writes about a request, where `@fastify/aws-lambda` made it of an event; undefined where it came over a socket. */
  function lambdaOf(request: FastifyRequest): Incoming | undefined {
    if (!isLambda) return undefined
    const event = propertyOf((request as FastifyRequest & { awsLambda: object }).awsLambda, 'event')
    if (event === undefined) return undefined
    return readLambdaEvent(event)?.incoming ?? { peer: null, headers: request.headers, noPeer: NO_LAMBDA_PEER }
  }

  /** The verdict by which this guard counted a request; `request.moengage` is the latest, and may be another scope's. */
  const own = Symbol('moengage-allowlist')

  function incomingOf(request: FastifyRequest): Incoming {
    const earlier = (request as { readonly [own]?: Incoming['earlier'] | null })[own] ?? undefined
    const lambda = lambdaOf(request)
    return lambda === undefined ? new NodeIncoming(request.raw, earlier) : { ...lambda, earlier }
  }

  /** @param isFinal whether nothing else may let a request in that is rejected; an answer without a status has that of the error then */
  function guarding(chooseRoute: ChooseRoute, isFinal: boolean): onRequestHookHandler {
    const refuse = (reply: FastifyReply, done: HookHandlerDoneFunction, error: Error, status: number) => {
      if (isFinal) keepStatus(reply, status)
      done(error)
    }
    return function verifyMoEngage(request, reply, done) {
      let route: Route<OnReject> | false
      let incoming: Incoming
      let verdict: Verdict
      try {
        incoming = incomingOf(request)
        // Fastify makes this object anew whenever it is asked for.
        const { config, url } = request.routeOptions
        route = chooseRoute(configOf(config), request)
        if (route === false) return done()
        noteGuarded(request.raw)
        verdict = guard.decide(route.policy, request, incoming, url ?? null)
      } catch (error) {
        return refuse(reply, done, thrown(error), 500)
      }
      request.moengage = verdict
      ;(request as { [own]?: Incoming['earlier'] | null })[own] = countedBy(incoming.earlier, verdict)
      const isFirst = isNews(incoming.earlier, verdict.verified)
      if (isFirst) listener?.notify(verdict, request)
      if (verdict.verified) {
        if (isFirst && verdict.carriesSecret === false) log.withoutSecret(request.log, verdict, request)
        return done()
      }
      const inForce = withMode(route, guard.mode)
      const { mode, statusCode, onReject } = inForce.actions
      log.rejection(request.log, verdict, incoming.earlier, inForce, request)
      if (mode === 'tag') return done()
      if (onReject === undefined) return refuse(reply, done, new RejectedError(verdict, statusCode), statusCode)
      answer(onReject, request, reply, verdict, statusCode, refuse.bind(undefined, reply, done))
    }
  }

  app.decorate('moengage', {
    judge(request, policy) {
      if (!isFastifyRequest(request)) return guard.decide(policy, undefined, givenIncoming(request), null)
      noteGuarded(request.raw)
      return guard.ask(policy, request, incomingOf(request), request.routeOptions.url ?? null)
    },
    ...accessTo(() => guard),
    fleet: guard.fleet
  } satisfies FastifyGuard)

  app.decorate('verifyMoEngage', (routeOptions) => {
    const route = routes.of(routeOptions, 'verifyMoEngage')
    return guarding(() => route, false)
  })
  app.decorateRequest('moengage', null)
  app.decorateRequest(own, null)

  const wrongRoutes: Problem[] = []
  /** The options that were checked, by the route that they stand in. */
  const checked = new Map<string, Set<unknown>>()
  const check = (route: AddedRoute) => {
    const { config, method, url } = route
    for (const problem of misplacedOptions(route)) {
      // Fastify adds a HEAD route to each GET route, with the same options.
      const paths = [problem.path, problem.path.replace(/^HEAD /, 'GET ')]
      if (!wrongRoutes.some(({ path }) => paths.includes(path))) wrongRoutes.push(problem)
    }
    const given = configOf(config)
    if (given === undefined || given === false) return
    const place = placeOf(route)
    const known = checked.get(place) ?? new Set()
    if (known.has(given)) return
    checked.set(place, known.add(given))
    try {
      routes.of(given)
    } catch (error) {
      if (method === 'HEAD' && checked.get(`GET ${url}`)?.has(given)) return
      const { mistakes } = error as OptionsError
      wrongRoutes.push(...mistakes.map((mistake) => ({ ...mistake, path: pathOnRoute(place, mistake.path) })))
    }
  }
  // Also the routes of servers that were made before this package was loaded.
  app.addHook('onRoute', check)
  app.addHook('onReady', async () => {
    for (const route of routesIn(app)) check(route)
    if (wrongRoutes.length > 0) throw new OptionsError(wrongRoutes)
    // One guard of the server speaks for all.
    if (scopes[0] === app) for (const warning of unguardedRoutes(routesOutside(scopes, app))) log.warning(warning)
  })
  /** What was logged about routes that could not be checked at the start. */
  const failed = new Set<string>()
  app.addHook(
    'onRequest',
    // Read here and not in onRoute, which misses the routes that stand before this plugin was loaded.
    guarding((config, request) => {
      if (config === false) return false
      try {
        return routes.of(config)
      } catch (error) {
        const { message } = error as Error
        const isKnown = failed.has(message)
        failed.add(message)
        if (!isKnown) logger.write(() => ({ level: 'error', fields: { err: error }, message }), undefined, request.log)
        throw new RouteError()
      }
    }, true)
  )
}

/** A warning for each route that has options of a guard, and stands where no guard is. */
function unguardedRoutes(routes: readonly AddedRoute[]): Problem[] {
  const unguarded = routes.filter(({ config }) => configOf(config) !== undefined && configOf(config) !== false)
  // Fastify adds a HEAD route to each GET route.
  return [...new Set(unguarded.map(({ url }) => url))].map((url) => ({
    code: 'MOE_WARN_UNGUARDED_ROUTE',
    path: 'config.moengage',
    value: url,
    message: `The route ${quoted(url)} has options of the guard, and no scope around it registers the guard: they have no effect. Unless a hook of its own verifies its requests, it is open to everybody.`,
    fix: 'Add the route in the scope that registers moengage-allowlist, or remove its config.moengage.'
  }))
}

function isFastifyRequest(request: unknown): request is FastifyRequest {
  return typeof request === 'object' && request !== null && hasProperty(request, 'raw')
}

/** The route's own `config.moengage`: whoever pollutes `Object.prototype` must not open a route. */
function configOf(config: FastifyContextConfig | undefined): false | RouteOptions | undefined {
  const given = config?.moengage
  return given === undefined || Object.hasOwn(config!, 'moengage') ? given : undefined
}

/** Where a mistake stands: `POST /hook config.moengage.channels`. */
function pathOnRoute(place: string, path: string): string {
  return `${place} ${path.startsWith('config.moengage') ? path : `config.moengage.${path}`}`
}

/** Gives the answer to an error a status: an error handler of the user's that sends without one would answer with 200. */
function keepStatus(reply: FastifyReply, statusCode: number): void {
  const { send } = reply
  reply.send = (payload?: unknown) => {
    // Fastify itself sends the error first, and calls the handler.
    if (reply.statusCode === 200 && !(payload instanceof Error)) reply.code(statusCode)
    return send.call(reply, payload)
  }
}

/** The status that Fastify gives an error. */
function statusOf({
  statusCode,
  status
}: Error & { readonly statusCode?: unknown; readonly status?: unknown }): number {
  const own = Number(statusCode || status)
  return own >= 400 ? own : 500
}

/**
 * Whether an answer was sent, by all that is done with the reply from now on. `reply.sent` is false until the body has ended: with a stream or
 * an asynchronous `onSend` hook, that is later.
 */
function noteAnswer(reply: FastifyReply): () => boolean {
  let wasSent = false
  const { send } = reply
  reply.send = (payload?: unknown) => {
    send.call(reply, payload)
    wasSent = true
    return reply
  }
  return () => wasSent || reply.sent
}

/** Calls `onReject`; rejects as usual if it sent nothing. */
function answer(
  onReject: OnReject,
  request: FastifyRequest,
  reply: FastifyReply,
  verdict: RejectedVerdict,
  statusCode: number,
  refuse: (error: Error, status: number) => void
): void {
  const isAnswered = noteAnswer(reply)
  const finish = (payload: unknown) => {
    if (isAnswered()) return
    if (payload === undefined) refuse(new RejectedError(verdict, statusCode), statusCode)
    else reply.send(payload)
  }
  const fail = (error: unknown) => {
    // A second answer would break the first one off; a client that goes away while that is sent is a failure, too.
    if (isAnswered()) return
    // Fastify takes the status of an error only where the reply has none.
    reply.code(200)
    const reason = error ? thrown(error) : new RejectedError(verdict, statusCode)
    refuse(reason, statusOf(reason))
  }
  // A function that only sends a body does not mean 200.
  reply.code(statusCode)
  try {
    const outcome = onReject(request, reply, verdict)
    // An answer that was sent at once needs no promise, which would cost as much as the answer.
    if (outcome === reply && isAnswered()) return
    // A returned reply is thenable and resolves once it is sent.
    if (isPromise(outcome))
      answerOf(() => outcome)
        .then(finish)
        .catch(fail)
    else {
      drop(outcome)
      finish(outcome)
    }
  } catch (error) {
    drop(error)
    fail(error)
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
export const moengageAllowlist = fp<MoEngageAllowlistOptions>(
  (app, options) => {
    // Outside of the promise: what calls the plugin outside of Fastify does not wait for it.
    refuseNoFastify(app)
    return plugin(app, options)
  },
  { name: 'moengage-allowlist', fastify: '5.x' }
)
