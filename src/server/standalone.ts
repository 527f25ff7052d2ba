import { type Incoming, isNews } from '../client-ip/incoming.js'
import { directory } from '../directory/directory.js'
import { NotReadyError } from '../errors.js'
import { checkOptions, type FirstLoad, type Framework, type GuardExtras, startGuard } from '../guard/create-guard.js'
import { refuseFastify } from '../guard/given-fastify.js'
import { accessTo, type Guard, type GuardAccess, type PolicyOptions } from '../guard/guard.js'
import type { GuardOptions } from '../guard/options.js'
import { retryAfter } from '../guard/retry.js'
import type { OptionTable } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import type { Keep } from '../lib/promise.js'
import { messageLineOf } from '../lib/text.js'
import { CLOCK, type Clock } from '../lib/time.js'
import { type LoggedRequest, NOT_JUDGED } from '../log/lines.js'
import { type Logger, type LogLevel, SafeLogger } from '../log/logger.js'
import { type LogOptions, RejectionLog } from '../log/rejection-log.js'
import { HourlyThrottle } from '../log/throttle.js'
import type { Verdict } from '../verdict/verdict.js'
import { Placement } from './placement.js'
import {
  type ActionOptions,
  type Actions,
  doorOptions,
  LOGGER,
  type OnRejectForm,
  type OnVerdict,
  type Route,
  Routes,
  readActions,
  VerdictListener
} from './routes.js'
import { logWatch } from './watch-log.js'

/** What to do where something else was passed: a framework calls a function that should have been called before. */
const NO_OPTIONS_FIX = `Write moengageAllowlist({ dataCenters: 'DC-01' }), and use what it returns.`

/** Options of a guard outside Fastify. */
export interface StandaloneOptions<Request, OnReject> extends GuardOptions<Request>, ActionOptions<OnReject> {
  /** The level at which a rejection is logged (`'warn'`). */
  readonly logLevel?: LogLevel | undefined
  /** Any logger with pino's methods, for requests that bring none as `request.log` (a pino logger on standard output). */
  readonly logger?: Logger | undefined
  /** How many lines about rejections are written, in bounds that no flood exceeds. */
  readonly log?: LogOptions | undefined
  /** Called with every verdict on a request. An error that it throws is logged once and does not affect the request. */
  readonly onVerdict?: OnVerdict<Request> | undefined
}

/** What a guard offers besides judging, whatever it guards. */
export interface GuardMethods extends GuardAccess, Pick<Guard, 'fleet'> {
  /**
   * Resolves when the first list is there: at once with the bundled one. Await it before you listen, so that a source that
   * fails keeps the server from starting. Until then requests wait, and after a failure they are answered with 503.
   *
   * @throws (rejects with) SourceError (`MOE_ERR_SOURCE`); OptionsError (`MOE_ERR_OPTIONS`) when the list has no address for
   * what is accepted
   */
  ready(): Promise<void>
  /**
   * Ends what runs in the background, and logs the last summary: the source is no longer looked at, and nothing keeps the
   * process from ending. Call it when the server is closed. Requests that come nevertheless are judged by the list in use. Resolves when
   * a replica of a fleet has written its last report, and after a second at the latest: await it before `process.exit()`. Never rejects.
   */
  close(): Promise<void>
}

/** What one kind of server brings to a standalone guard. */
export interface Door<Request> {
  readonly framework?: Framework<Request>
  readonly onReject: OnRejectForm
  /** The pattern of the route that a request is on, as far as the framework knows it when the guard runs. */
  readonly patternOf: (request: Request) => string | null
  /** Makes the logger where the options have none. */
  readonly defaultLogger: () => Logger
  /** What a line of the log says about a request (its `method` and `id`, and the pattern of its route). */
  readonly loggedRequest?: (request: Request) => LoggedRequest
  /** Called with every promise that the user's logger and functions return, where the server has to wait for them. */
  readonly keep?: Keep
  /** The time and the timers (those of the runtime). */
  readonly clock?: Clock
  /** Options that are read otherwise than in all doors. */
  readonly options?: OptionTable
}

/** A guard that has its list, with what belongs to its requests. */
export interface ReadyGuard<Request, OnReject> {
  readonly guard: Guard<Request>
  readonly log: RejectionLog<Request | undefined>
  readonly routes: Routes<OnReject>
}

/** A guard outside Fastify, whose first list may come later than the first request. */
export class Standalone<Request, OnReject> {
  /** Undefined as long as there is no list. */
  ready: ReadyGuard<Request, OnReject> | undefined
  readonly logger: SafeLogger
  readonly patternOf: (request: Request) => string | null
  readonly #listener: VerdictListener<Request> | undefined
  readonly #actions: Actions<OnReject>
  readonly #make: (guard: Guard<Request>) => ReadyGuard<Request, OnReject>
  readonly #load: FirstLoad<Request> | undefined
  readonly #isReplica: boolean
  #loading: Promise<ReadyGuard<Request, OnReject>>
  /** Whether the last attempt at the first list has failed, and none is under way. */
  #hasFailed = false
  #isClosed = false
  readonly placement: Placement
  #failures = 0
  readonly #failedRequests: HourlyThrottle
  readonly #clock: Clock
  #stopRetry: (() => void) | undefined
  /** Undefined as long as there is no list that has an address for each of them. */
  #routes: Routes<OnReject> | undefined
  /** Options of routes that are checked when the list is there. */
  readonly #unchecked: (PolicyOptions & ActionOptions<OnReject>)[] = []

  /** @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake that can be found without the list */
  constructor(options: StandaloneOptions<Request, OnReject>, door: Door<Request>) {
    const { patternOf, clock = CLOCK } = door
    this.patternOf = patternOf
    this.#clock = clock
    const { actions, logLevel, logger, pace, onVerdict, extras } = read<Request, OnReject>(options, door, clock, {
      // Nothing is reloaded, and no day passes, before the guard is made.
      onReload: (error, status) => this.ready!.log.reloaded(error, status),
      onDay: () => this.ready!.log.warnings(),
      onWatch: (watch, news) => logWatch(watch, news, this.ready!.log, this.logger),
      logFailure: (error, message) => this.logger.error({ err: error }, message)
    })
    const started = startGuard<Request>(options, extras)
    this.#isReplica = options.fleet !== undefined
    this.placement = new Placement()
    this.logger = new SafeLogger(logger ?? door.defaultLogger(), door.keep)
    this.#failedRequests = new HourlyThrottle(pace.linesPerSecond)
    this.#listener = onVerdict === undefined ? undefined : new VerdictListener(onVerdict, this.logger, door.keep)
    this.#actions = actions
    this.#make = (guard) => {
      const log = new RejectionLog<Request | undefined>(guard, {
        level: logLevel,
        pace,
        logger: this.logger,
        loggedRequest: (request) => loggedRequest(request, door),
        clock
      })
      log.warnings()
      const { repeated } = this.placement
      if (repeated !== undefined) log.warning(repeated)
      const hasJudged = () => {
        const { verified, rejected } = guard.status()
        return verified > 0 || Object.values(rejected).some((count) => count > 0)
      }
      this.placement.countRequests(hasJudged, (problem) => log.warning(problem))
      return { guard, routes: this.#routes!, log }
    }
    if (typeof started === 'function') {
      this.#load = started
      this.#loading = this.#first()
    } else {
      this.#addRoutes((policy) => started.addRoute(policy))
      this.ready = this.#make(started)
      this.#loading = Promise.resolve(this.ready)
    }
  }

  /**
   * Checks options as far as that can be done without a source, a timer or the time of day, and makes nothing that lasts.
   *
   * @param routeOptions options of a route, which are checked as well. What they name is checked by the list that the package holds; the
   * list of another source is not there yet
   * @throws OptionsError (`MOE_ERR_OPTIONS`)
   */
  static check<Request, OnReject>(
    options: StandaloneOptions<Request, OnReject>,
    door: Door<Request>,
    routeOptions?: PolicyOptions & ActionOptions<OnReject>
  ): void {
    const { actions, extras } = read<Request, OnReject>(options, door, STILL, {})
    const guard = checkOptions(extras)
    guard?.close()
    new Routes<OnReject>((policy) => guard?.addRoute(policy), actions).of(routeOptions)
  }

  /** @throws OptionsError (`MOE_ERR_OPTIONS`) */
  #addRoutes(addRoute: (policy: PolicyOptions) => void): void {
    const routes = new Routes<OnReject>(addRoute, this.#actions)
    for (const routeOptions of this.#unchecked) routes.of(routeOptions)
    this.#routes = routes
  }

  #first(): Promise<ReadyGuard<Request, OnReject>> {
    this.#stopRetry?.()
    this.#hasFailed = false
    const loading = this.#load!((addRoute) => this.#addRoutes(addRoute)).then((guard) => {
      this.ready = this.#make(guard)
      // After the requests that waited, so that the last summary counts them.
      if (this.#isClosed) this.#clock.after(0, () => this.#close())
      return this.ready
    })
    loading.catch((error) => {
      this.logger.error({ err: error }, NOT_JUDGED)
      this.#hasFailed = true
      if (this.#isClosed) this.#load!.close()
      else this.#retry()
    })
    return loading
  }

  /** Loads the first list again after a failure, as a reload would be repeated. */
  #retry(): void {
    const { longestRetry } = this.#load!
    this.#failures++
    if (longestRetry === undefined) return
    this.#stopRetry = this.#clock.after(retryAfter(this.#failures, longestRetry), () => {
      this.#loading = this.#first()
      return this.#loading.catch(() => {})
    })
  }

  /**
   * Checks the options of a route: at once, or when the list is there.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`)
   */
  addRoute(options: (PolicyOptions & ActionOptions<OnReject>) | undefined): void {
    if (this.#routes !== undefined) this.#routes.of(options)
    else if (options !== undefined) this.#unchecked.push(options)
  }

  /** @throws (rejects with) NotReadyError when the list could not be loaded */
  async wait(): Promise<ReadyGuard<Request, OnReject>> {
    try {
      return await this.#loading
    } catch {
      // The log has the reason; the sender does not learn it.
      throw new NotReadyError()
    }
  }

  /**
   * Calls `onVerdict`, and logs a secret that is missing, once a request; logs a rejection.
   *
   * @param request undefined for a bare connection
   */
  report(
    verdict: Verdict,
    incoming: Incoming,
    route: Route<OnReject>,
    request: Request | undefined,
    logger?: Logger
  ): void {
    const { earlier } = incoming
    const isFirst = isNews(earlier, verdict.verified)
    if (isFirst && request !== undefined) this.#listener?.notify(verdict, request)
    if (!verdict.verified) this.guard.log.rejection(logger, verdict, earlier, route, request)
    else if (isFirst && verdict.carriesSecret === false) this.guard.log.withoutSecret(logger, verdict, request)
  }

  /**
   * Logs the error of a request that no framework logs: of each message one line an hour, with the number of errors in between. Why there
   * is no list, the log says already.
   */
  failed(error: Error): void {
    if (error instanceof NotReadyError) return
    const suppressed = this.#failedRequests.admit(messageLineOf(error), this.#clock.now())
    if (suppressed !== undefined) this.logger.error({ err: error, moengage: { suppressed } }, error.message)
  }

  /** @throws NotReadyError (`MOE_ERR_NOT_READY`) as long as there is no list */
  get guard(): ReadyGuard<Request, OnReject> {
    if (this.ready === undefined) throw new NotReadyError()
    return this.ready
  }

  /** The methods that every guard outside Fastify has. */
  methods(): GuardMethods {
    return {
      ...accessTo(() => this.guard.guard),
      ready: async () => void (await this.#loading),
      reload: () => this.#reload(),
      fleet: this.#isReplica ? { status: () => this.guard.guard.fleet!.status() } : undefined,
      close: () => this.#close()
    }
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    this.placement.close()
    this.#stopRetry?.()
    // An attempt that is under way is ended when its outcome is known: requests wait for it.
    const closed = this.#hasFailed ? this.#load!.close() : this.ready?.guard.close()
    this.ready?.log.close()
    await closed
  }

  async #reload() {
    if (this.ready === undefined) {
      const loading = this.#loading
      await loading.catch(() => {
        // Calls that overlap share one attempt, and a guard that is closed makes none.
        if (loading === this.#loading && !this.#isClosed) this.#loading = this.#first()
      })
      return (await this.#loading).guard.status()
    }
    return this.ready.guard.reload()
  }
}

/** A clock that stands still on the day of the bundled list, which is not suspicious then. */
const STILL: Clock = { ...CLOCK, now: () => Date.parse(directory.checked) }

/** Reads the options of a door, and what it adds to those of the guard, which are read when it is started. */
function read<Request, OnReject>(
  options: StandaloneOptions<Request, OnReject>,
  { onReject, framework, keep, options: own }: Door<Request>,
  clock: Clock,
  callbacks: Pick<GuardExtras<Request>, 'onReload' | 'onDay' | 'onWatch' | 'logFailure'>
) {
  refuseFastify(options)
  const reader = OptionReader.open({ ...doorOptions(onReject), logger: LOGGER, ...own }, options, NO_OPTIONS_FIX)
  const actions = readActions<OnReject>(reader, onReject)
  const logLevel = reader.read('logLevel')
  const logger = reader.read('logger')
  const pace = reader.read('log')
  const onVerdict = reader.read('onVerdict') as OnVerdict<Request> | undefined
  const extras = { reader, framework, keep, clock, ...callbacks }
  return { actions, logLevel, logger, pace, onVerdict, extras }
}

/** What a line of the log says about a request. */
function loggedRequest<Request>(
  request: Request | undefined,
  { patternOf, loggedRequest }: Door<Request>
): LoggedRequest {
  if (request === undefined) return { pattern: null, method: null, requestId: null }
  if (loggedRequest !== undefined) return loggedRequest(request)
  const { method, id } = request as { method?: string; id?: unknown }
  const hasId = typeof id === 'string' || typeof id === 'number'
  return { pattern: patternOf(request), method: method ?? null, requestId: hasId ? String(id) : null }
}
