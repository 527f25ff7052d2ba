import pino from 'pino'
import { NotReadyError } from '../errors.js'
import { startGuard } from '../guard/create-guard.js'
import type { Guard, PolicyOptions } from '../guard/guard.js'
import type { GuardOptions } from '../guard/options.js'
import { mistake, shown } from '../lib/option-reader.js'
import type { Facts } from '../log/lines.js'
import { type LogOptions, readLogOptions } from '../log/options.js'
import { GuardLog, isLogger, type Logger, type LogLevel } from '../log/rejection-log.js'
import type { Problem } from '../problem.js'
import type { Verdict } from '../verdict/verdict.js'
import { type ActionOptions, defaultActions, type OnRejectForm, readActions } from './actions.js'
import { type FrameworkIp, RequestJudge } from './request-judge.js'
import { type Route, Routes } from './routes.js'
import { type OnVerdict, readOnVerdict, VerdictListener } from './verdict-listener.js'

/** Options of a guard outside Fastify. */
export interface StandaloneOptions<Request, OnReject> extends GuardOptions<Request>, ActionOptions<OnReject> {
  /** The level at which a rejection is logged (`'warn'`). */
  readonly logLevel?: LogLevel | undefined
  /** Any logger with pino's methods, for requests that bring none as `request.log` (a pino logger on standard output). */
  readonly logger?: Logger | undefined
  /** How many lines about rejections are written, in bounds that no flood exceeds. */
  readonly log?: LogOptions | undefined
  /** Hears of every verdict on a request. What it throws is logged once, and changes nothing. */
  readonly onVerdict?: OnVerdict<Request> | undefined
}

/** What a guard offers besides judging, whatever it guards. */
export interface GuardMethods extends Pick<Guard, 'explain' | 'status' | 'reload' | 'senders' | 'metrics'> {
  /**
   * Resolves when the first list is there: at once with the bundled one. Await it before you listen, so that a source that
   * fails keeps the server from starting. Until then requests wait, and after a failure they are answered with 503.
   *
   * @throws (rejects with) SourceError (`MOE_ERR_SOURCE`); OptionsError (`MOE_ERR_OPTIONS`) when the list has no address for
   * what is accepted
   */
  ready(): Promise<void>
  /**
   * Ends what runs in the background, and tells the last summary: the source is no longer looked at, and nothing keeps the
   * process from ending. Call it when the server is closed. Requests that come nevertheless are judged by the list in use.
   */
  close(): void
}

/** How one kind of server differs from the others. */
export interface Kind<Request> {
  readonly framework: FrameworkIp<Request> | undefined
  /** What else can be done, in the framework, about a proxy that is not trusted. */
  readonly frameworkFix: string
  readonly onReject: OnRejectForm
  /** The pattern of the route that a request is on, as far as the framework knows it when the guard runs. */
  readonly routeOf: (request: Request) => string | null
}

/** A guard that has its list, with all that judges, answers and logs by it. */
export interface Started<Request, OnReject> {
  readonly guard: Guard<Request>
  readonly log: GuardLog<Request | undefined>
  readonly routes: Routes<OnReject>
  readonly requests: RequestJudge<Request>
}

/** A guard outside Fastify, whose first list may come later than the first request. */
export class Start<Request, OnReject> {
  /** Undefined as long as there is no list. */
  now: Started<Request, OnReject> | undefined
  readonly logger: Logger
  readonly routeOf: (request: Request) => string | null
  readonly #listener: VerdictListener<Request> | undefined
  readonly #make: (guard: Guard<Request>) => Started<Request, OnReject>
  readonly #load: (() => Promise<Guard<Request>>) | undefined
  #loading: Promise<Started<Request, OnReject>>
  #isClosed = false
  /** Options of routes that wait for the list to be checked by. */
  readonly #waiting: (PolicyOptions & ActionOptions<OnReject>)[] = []

  /** @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake that can be told without the list */
  constructor(
    options: StandaloneOptions<Request, OnReject>,
    { framework, frameworkFix, onReject, routeOf }: Kind<Request>
  ) {
    this.routeOf = routeOf
    const mistakes: Problem[] = []
    const given = options ?? {}
    const actions = readActions<OnReject>(given, mistakes, defaultActions(onReject))
    const { logLevel = 'warn', logger } = given
    if (logger !== undefined && !isLogger(logger)) {
      mistakes.push(
        mistake(
          'logger',
          logger,
          `${shown(logger)} is no logger.`,
          "Pass one with pino's methods: fatal, error, warn, info, debug and trace."
        )
      )
    }
    const pace = readLogOptions(given.log, mistakes)
    const onVerdict = readOnVerdict<Request>(given.onVerdict, mistakes)
    const started = startGuard<Request>(options, {
      names: ['mode', 'statusCode', 'onReject', 'logLevel', 'logger', 'log', 'onVerdict'],
      mistakes,
      frameworkFix,
      // Nothing is loaded anew, and no day passes, before the guard is made.
      onReload: (error, status) => this.now!.log.reloaded(error, status),
      onDay: () => this.now!.log.warnings()
    })
    this.logger = logger ?? pino({ name: 'moengage-allowlist' })
    this.#listener = onVerdict === undefined ? undefined : new VerdictListener(onVerdict, this.logger)
    this.#make = (guard) => {
      const routes = new Routes<OnReject>((policy) => guard.addRoute(policy), actions)
      try {
        for (const routeOptions of this.#waiting) routes.of(routeOptions)
      } catch (error) {
        guard.close()
        throw error
      }
      const made = {
        guard,
        routes,
        log: new GuardLog<Request | undefined>(guard, {
          level: logLevel,
          pace,
          logger: this.logger,
          facts: (request) => factsOf(request, routeOf)
        }),
        requests: new RequestJudge(guard, options.clientIp, framework)
      }
      made.log.warnings()
      return made
    }
    if (typeof started === 'function') {
      this.#load = started
      this.#loading = this.#first()
    } else {
      this.now = this.#make(started)
      this.#loading = Promise.resolve(this.now)
    }
  }

  #first(): Promise<Started<Request, OnReject>> {
    const loading = this.#load!().then((guard) => {
      this.now = this.#make(guard)
      // After those that waited, so that the last summary counts them.
      if (this.#isClosed) setImmediate(() => this.#close())
      return this.now
    })
    loading.catch((error) => this.logger.error({ err: error }, 'MoEngage requests cannot be judged.'))
    return loading
  }

  /**
   * Checks the options of a route: at once, or when the list is there.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`)
   */
  addRoute(options: (PolicyOptions & ActionOptions<OnReject>) | undefined): void {
    if (this.now !== undefined) this.now.routes.of(options)
    else if (options !== undefined) this.#waiting.push(options)
  }

  /** @throws (rejects with) NotReadyError when the list could not be loaded */
  async wait(): Promise<Started<Request, OnReject>> {
    try {
      return await this.#loading
    } catch {
      // The log has the reason; the sender is told nothing of it.
      throw new NotReadyError()
    }
  }

  /** Tells the user's function, and the log where it is a rejection; `request` is undefined for a bare connection. */
  tell(
    verdict: Verdict,
    { policy, actions }: Route<OnReject>,
    request: Request | undefined,
    logger = this.logger
  ): void {
    if (request !== undefined) this.#listener?.tell(verdict, request)
    if (!verdict.verified) this.started.log.rejection(logger, verdict, actions.mode, policy, request)
  }

  /** @throws NotReadyError (`MOE_ERR_NOT_READY`) as long as there is no list */
  get started(): Started<Request, OnReject> {
    if (this.now === undefined) throw new NotReadyError()
    return this.now
  }

  /** The methods that every guard outside Fastify has. */
  methods(): GuardMethods {
    return {
      ready: async () => void (await this.#loading),
      explain: (ip, policy) => this.started.guard.explain(ip, policy),
      status: () => this.started.guard.status(),
      senders: () => this.started.guard.senders(),
      metrics: () => this.started.guard.metrics(),
      reload: () => this.#reload(),
      close: () => this.#close()
    }
  }

  #close(): void {
    this.#isClosed = true
    this.now?.guard.close()
    this.now?.log.close()
  }

  async #reload() {
    if (this.now === undefined) {
      const loading = this.#loading
      await loading.catch(() => {
        // Calls that overlap share one attempt.
        if (loading === this.#loading) this.#loading = this.#first()
      })
      return (await this.#loading).guard.status()
    }
    return this.now.guard.reload()
  }
}

/** What a line of the log says of a request. */
function factsOf<Request>(request: Request | undefined, routeOf: (request: Request) => string | null): Facts {
  if (request === undefined) return { route: null, method: null, requestId: null }
  const { method, id } = request as { method?: string; id?: unknown }
  const hasId = typeof id === 'string' || typeof id === 'number'
  return { route: routeOf(request), method: method ?? null, requestId: hasId ? String(id) : null }
}
