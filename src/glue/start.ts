import pino from 'pino'
import { NotReadyError } from '../errors.js'
import { type ActionOptions, defaultActions, type OnRejectForm, readActions } from '../guard/actions.js'
import { startGuard } from '../guard/create-guard.js'
import type { Guard, PolicyOptions } from '../guard/guard.js'
import type { GuardOptions } from '../guard/options.js'
import { mistake, shown } from '../mistakes.js'
import type { Problem } from '../problem.js'
import { GuardLog, isLogger, type Logger, type LogLevel } from './guard-log.js'
import { type FrameworkIp, RequestJudge } from './request-judge.js'
import { Routes } from './routes.js'

/** Options of a guard outside Fastify. */
export interface StandaloneOptions<Request, OnReject> extends GuardOptions<Request>, ActionOptions<OnReject> {
  /** The level at which a rejection is logged (`'warn'`). */
  readonly logLevel?: LogLevel | undefined
  /** Any logger with pino's methods, for requests that bring none as `request.log` (a pino logger on standard output). */
  readonly logger?: Logger | undefined
}

/** What a guard offers besides judging, whatever it guards. */
export interface GuardMethods extends Pick<Guard, 'explain' | 'status' | 'reload' | 'senders'> {
  /**
   * Resolves when the first list is there: at once with the bundled one. Await it before you listen, so that a source that
   * fails keeps the server from starting. Until then requests wait, and after a failure they are answered with 503.
   *
   * @throws (rejects with) SourceError (`MOE_ERR_SOURCE`); OptionsError (`MOE_ERR_OPTIONS`) when the list has no address for
   * what is accepted
   */
  ready(): Promise<void>
}

/** How one kind of server differs from the others. */
export interface Kind<Request> {
  readonly framework: FrameworkIp<Request> | undefined
  /** What else can be done, in the framework, about a proxy that is not trusted. */
  readonly frameworkFix: string
  readonly onReject: OnRejectForm
}

/** A guard that has its list, with all that judges, answers and logs by it. */
export interface Started<Request, OnReject> {
  readonly guard: Guard<Request>
  readonly log: GuardLog
  readonly routes: Routes<OnReject>
  readonly requests: RequestJudge<Request>
}

/** A guard outside Fastify, whose first list may come later than the first request. */
export class Start<Request, OnReject> {
  /** Undefined as long as there is no list. */
  now: Started<Request, OnReject> | undefined
  readonly logger: Logger
  readonly #make: (guard: Guard<Request>) => Started<Request, OnReject>
  readonly #load: (() => Promise<Guard<Request>>) | undefined
  #loading: Promise<Started<Request, OnReject>>
  /** Options of routes that wait for the list to be checked by. */
  readonly #waiting: (PolicyOptions & ActionOptions<OnReject>)[] = []

  /** @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake that can be told without the list */
  constructor(options: StandaloneOptions<Request, OnReject>, { framework, frameworkFix, onReject }: Kind<Request>) {
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
    const names = ['mode', 'statusCode', 'onReject', 'logLevel', 'logger']
    const started = startGuard<Request>(options, { names, mistakes, frameworkFix })
    this.logger = logger ?? pino({ name: 'moengage-allowlist' })
    this.#make = (guard) => {
      const made = {
        guard,
        log: new GuardLog(guard, logLevel),
        routes: new Routes((policy) => guard.addRoute(policy), actions),
        requests: new RequestJudge(guard, options.clientIp, framework)
      }
      for (const routeOptions of this.#waiting) made.routes.of(routeOptions)
      made.log.warnings(this.logger)
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
      reload: () => this.#reload()
    }
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
    const { guard, log } = this.now
    return guard.reload().finally(() => log.warnings(this.logger))
  }
}
