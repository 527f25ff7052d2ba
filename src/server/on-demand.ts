import { accessTo } from '../guard/guard.js'
import type { Option } from '../lib/option.js'
import { type Clock, MINUTE } from '../lib/time.js'
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

/** What waits for its time, or runs; `at` is when it is due, or due again. */
interface Entry {
  at: number
  readonly run: () => unknown
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

  after(milliseconds: number, run: () => unknown): () => void {
    const entry = { at: this.now() + milliseconds, run }
    this.#entries.add(entry)
    return () => this.#entries.delete(entry)
  }

  /** Runs what is due. Resolves when all of it has ended; undefined where nothing is due. */
  runDue(): Promise<unknown> | undefined {
    const now = this.now()
    const due = [...this.#entries].filter(({ at }) => at <= now)
    if (due.length === 0) return undefined
    return Promise.all(due.map((entry) => this.#run(entry, now + MINUTE)))
  }

  async #run(entry: Entry, again: number): Promise<void> {
    entry.at = again
    await entry.run()
    // Another run of it may be under way.
    if (entry.at === again) this.#entries.delete(entry)
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
  /** Promises of the user's logger and functions that have not settled. */
  readonly #kept = new Set<PromiseLike<unknown>>()
  #current: Standalone<Request, OnReject> | undefined
  #madeAt = 0

  /** @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake that can be found without the list */
  constructor(options: OnDemandOptions<Request, OnReject>, door: Omit<Door<Request>, 'clock' | 'keep' | 'options'>) {
    this.#options = options
    const keep = (promise: PromiseLike<unknown>) => {
      const kept = promise.then(() => void this.#kept.delete(kept))
      this.#kept.add(kept)
    }
    this.#door = { ...door, clock: this.#clock, keep, options: OPTIONS }
    Standalone.check<Request, OnReject>(options, this.#door)
  }

  /**
   * The guard, made when it is first needed. One without a list is made anew after a minute: the request that was to load the list may
   * have been cut off, which nobody notices.
   */
  get current(): Standalone<Request, OnReject> {
    const now = this.#clock.now()
    if (this.#current?.ready === undefined && now >= this.#madeAt + MINUTE) {
      this.#current?.methods().close()
      this.#current = undefined
    }
    if (this.#current === undefined) {
      this.#current = new Standalone(this.#options, this.#door)
      this.#madeAt = now
    }
    return this.#current
  }

  /** Runs reloads and summaries that are due. Resolves when they have ended; undefined where nothing is due. Never rejects. */
  runDue(): Promise<unknown> | undefined {
    return this.#clock.runDue()
  }

  /** Resolves when the user's logger and functions have ended; undefined where they have. Never rejects. */
  settle(): Promise<unknown> | undefined {
    return this.#kept.size === 0 ? undefined : Promise.all(this.#kept)
  }

  methods(): OnDemandMethods {
    return {
      ...accessTo(() => this.current.methods()),
      close: () => this.#current?.methods().close()
    }
  }
}
