import { accessTo, type PolicyOptions } from '../guard/guard.js'
import type { Option } from '../lib/option.js'
import { inTime, once } from '../lib/promise.js'
import { type Clock, hasPassed, MINUTE, SECOND } from '../lib/time.js'
import { emitWarning } from '../lib/warning.js'
import type { ActionOptions } from './routes.js'
import { type Door, type GuardMethods, Standalone, type StandaloneOptions } from './standalone.js'

/** Options of a guard that runs only while it answers. */
export type OnDemandOptions<Request, OnReject> = Omit<StandaloneOptions<Request, OnReject>, 'fleet'>

const OPTIONS = {
  fleet: {
    fallback: undefined,
    example: 'undefined',
    read: (option: Option) =>
      option.refuse(
        'A replica of a fleet polls the store and reports to it between requests, while this guard runs only during requests.',
        `Leave it out. A source that is polled, such as source: { url: 'https://…' }, brings one list to all instances.`
      )
  }
}

/** What a guard offers besides judging, where it is made by the first request. */
export interface OnDemandMethods extends Omit<GuardMethods, 'ready' | 'fleet'> {}

/** How long an answer is held back for the user's logger and functions: MoEngage waits five seconds for it. */
const LONGEST_SETTLE = 2 * SECOND

/** What waits for its time, or runs: it is due, or due again, when `wait` milliseconds have passed. */
interface Entry {
  since: number
  wait: number
  readonly run: () => unknown
}

/** A promise of the user's logger and functions that has not settled. */
interface Kept {
  /** How many there were before it. */
  readonly number: number
  readonly since: number
  readonly ended: PromiseLike<unknown>
}

/**
 * A clock without timers, for servers that run only while they answer: what has become due runs when a request asks for it. What has not
 * ended a minute later was cut off with the request that started it, and runs again.
 */
class DueClock implements Clock {
  readonly #entries = new Set<Entry>()

  now(): number {
    return Date.now()
  }

  elapsed(): number {
    return performance.now()
  }

  after(milliseconds: number, run: () => unknown): () => void {
    const entry = { since: this.now(), wait: milliseconds, run }
    this.#entries.add(entry)
    return () => this.#entries.delete(entry)
  }

  /** Runs what is due. Resolves when all of it has ended; undefined where nothing is due. */
  runDue(): Promise<unknown> | undefined {
    const now = this.now()
    const due = [...this.#entries].filter(({ since, wait }) => hasPassed(wait, since, now))
    if (due.length === 0) return undefined
    return Promise.all(due.map((entry) => this.#run(entry, now)))
  }

  async #run(entry: Entry, now: number): Promise<void> {
    entry.since = now
    entry.wait = MINUTE
    await entry.run()
    // Another run of it may be under way.
    if (entry.since === now) this.#entries.delete(entry)
  }
}

/**
 * A guard that stands at module level and does nothing there but to check its options: it is made by the first request. Workers allow
 * neither timers nor requests at module level and have no time of day there; the time between two calls of a Lambda function does not
 * exist for it.
 */
export class OnDemand<Request, OnReject> {
  readonly #options: StandaloneOptions<Request, OnReject>
  readonly #door: Door<Request>
  readonly #clock = new DueClock()
  /** In the order in which they came. */
  readonly #kept = new Set<Kept>()
  #count = 0
  #current: Standalone<Request, OnReject> | undefined
  #madeAt = 0

  /** @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake that can be found without the list */
  constructor(options: OnDemandOptions<Request, OnReject>, door: Omit<Door<Request>, 'clock' | 'keep' | 'options'>) {
    this.#options = options
    const keep = (promise: PromiseLike<unknown>) => {
      const since = this.#clock.now()
      const ended = promise.then(() => void this.#kept.delete(kept))
      const kept = { number: this.#count++, since, ended }
      this.#forgetCutOff(since)
      this.#kept.add(kept)
    }
    this.#door = { ...door, clock: this.#clock, keep, options: OPTIONS }
    Standalone.check<Request, OnReject>(options, this.#door)
  }

  /**
   * Checks the options of a route as far as that can be done before the guard is made.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`)
   */
  checkRoute(options: PolicyOptions & ActionOptions<OnReject>): void {
    Standalone.check<Request, OnReject>(this.#options, this.#door, options)
  }

  /**
   * The guard, made when it is first needed. One without a list is made anew after a minute: the request that was to load the list may
   * have been cut off, which nobody notices.
   */
  get current(): Standalone<Request, OnReject> {
    const now = this.#clock.now()
    if (this.#current?.ready === undefined && hasPassed(MINUTE, this.#madeAt, now)) {
      this.#current?.methods().close()
      this.#current = undefined
    }
    if (this.#current === undefined) {
      this.#current = new Standalone(this.#options, this.#door)
      this.#madeAt = now
    }
    return this.#current
  }

  /** What was cut off with the request that began it never settles. */
  #forgetCutOff(now: number): void {
    for (const kept of this.#kept) {
      if (!hasPassed(MINUTE, kept.since, now)) return
      this.#kept.delete(kept)
    }
  }

  /** How many promises the user's logger and functions have returned: those of a call are the further ones. */
  get count(): number {
    return this.#count
  }

  /** Runs reloads and summaries that are due. Resolves when they have ended; undefined where nothing is due. Never rejects. */
  runDue(): Promise<unknown> | undefined {
    return this.#clock.runDue()
  }

  /**
   * Resolves when what the user's logger and functions have returned has ended; undefined where it has. Never rejects.
   *
   * @param before the {@link count} before the call: what is older belongs to another one, and may never settle
   */
  settle(before: number): Promise<unknown> | undefined {
    const own = [...this.#kept].filter(({ number }) => number >= before)
    return own.length === 0 ? undefined : Promise.all(own.map(({ ended }) => ended))
  }

  /** The same, in two seconds at most. */
  async settleInTime(before: number): Promise<void> {
    const unsettled = this.settle(before)
    if (unsettled === undefined || (await inTime(unsettled, LONGEST_SETTLE))) return
    this.#warnOfEndless()
  }

  readonly #warnOfEndless = once(() =>
    emitWarning(
      `What a function or the logger of yours returned to moengage-allowlist has not ended within ${LONGEST_SETTLE} ms, for which the ` +
        'answer was held back. Let it end, or return nothing. Further ones are not reported.'
    )
  )

  methods(): OnDemandMethods {
    return {
      ...accessTo(() => this.current.methods()),
      close: async () => this.#current?.methods().close()
    }
  }
}
