import type { Directory } from '../directory/directory.js'
import { loadDirectory, sourceError } from '../directory/source/load-directory.js'
import type { OpenSource, SourceBehind } from '../directory/source/source.js'
import { inTime } from '../lib/promise.js'
import { type Clock, DAY, HOUR, hasPassed } from '../lib/time.js'
import { waitAfter } from './retry.js'
import { Subscription, type SubscriptionTo } from './subscription.js'

/**
 * How long after its timeout a load that has not ended counts as cut off: a server that runs only while it answers may end it with the
 * request that began it, together with the timer of its timeout, and its promise never settles.
 */
const CUT_OFF = 10_000

/** Where a refresh puts what it loaded, and reports to. */
export interface RefreshTo {
  /** Prepares to put a directory in use; rejects with what speaks against it, and so may what it returns, which puts it in use. */
  readonly prepare: (directory: Directory) => Promise<() => void>
  /** Called with the outcome of every load: null, or the error. */
  readonly count: (error: Error | null) => void
  /** Called only when the outcome differs from the previous one. */
  readonly notify: (error: Error | null) => void
  /** Called once a day, whatever the source does. */
  readonly onDay?: (() => void) | undefined
}

/**
 * Reloads the list, on demand and by itself. One load is under way at a time, and one that was aborted or cut off is never waited for
 * again, so a late answer can never take the place of a newer one.
 */
export class Refresh {
  readonly #source: OpenSource
  readonly #to: RefreshTo
  readonly #clock: Clock
  #loading: Promise<void> | undefined
  /** The load that begins when the one under way has ended. */
  #next: Promise<void> | undefined
  #stop: AbortController | undefined
  /** How to call off what waits for its time. */
  readonly #waiting: Partial<Record<'look' | 'day' | 'news', () => void>> = {}
  readonly #subscriptions: readonly Subscription[]
  #isClosed = false
  #failures = 0
  /** When a load began last, successful or not. */
  #triedAt: number
  /** How many loads have begun. */
  #begun = 0
  #loadedAt: number
  #lastError: string | null = null

  /** @param start whether the first list has come into use already; if not, it is loaded at once, in the background */
  constructor(source: OpenSource, to: RefreshTo, clock: Clock, start = { isLoaded: true }) {
    this.#source = source
    this.#to = to
    this.#clock = clock
    this.#loadedAt = clock.now()
    this.#triedAt = this.#loadedAt
    if (start.isLoaded) {
      source.accepted?.()
      this.#schedule()
    } else {
      this.#waiting.look = clock.after(0, () => this.#loadByItself())
    }
    if (to.onDay !== undefined) this.#everyDay(to.onDay)
    const followed = {
      load: () => this.#loadByItself(),
      begun: () => this.#begun,
      isInUse: () => true,
      fail: (error: Error) => this.#fail(error)
    }
    const { behind } = source
    this.#subscriptions = [
      ...(source.watch === undefined ? [] : [new Subscription(source, followed, clock)]),
      ...(behind?.watch === undefined ? [] : [new Subscription(behind, whileInUse(behind, followed), clock)])
    ]
  }

  /** When the source last gave a list that was accepted, or said that there is no newer one. */
  get loadedAt(): number {
    return this.#loadedAt
  }

  /** What the last load failed with, or null. */
  get lastError(): string | null {
    return this.#lastError
  }

  /**
   * Loads now. A call during a load gets one more load after it, since the one under way may have read the old list already;
   * all calls during it share that next one.
   */
  load(): Promise<void> {
    this.#source.asked?.()
    return this.#begin()
  }

  #begin(): Promise<void> {
    if (this.#loading !== undefined && this.#isSince(this.#source.timeout + CUT_OFF)) this.#giveUp()
    if (this.#loading === undefined) {
      const loading = this.#load().finally(() => {
        // It was given up.
        if (this.#loading !== loading) return
        this.#loading = undefined
        this.#schedule()
      })
      this.#loading = loading
      return loading
    }
    this.#next ??= this.#loading
      .catch(() => {
        // Its own callers get the error.
      })
      .then(() => {
        this.#next = undefined
        return this.#begin()
      })
    return this.#next
  }

  /** Ends timers, and the load under way. */
  close(): void {
    this.#isClosed = true
    for (const cancel of Object.values(this.#waiting)) cancel()
    for (const subscription of this.#subscriptions) subscription.close(CLOSED)
    this.#stop?.abort(CLOSED)
  }

  async #load(): Promise<void> {
    const stop = new AbortController()
    this.#stop = stop
    this.#triedAt = this.#clock.now()
    this.#begun++
    if (this.#isClosed) stop.abort(CLOSED)
    let isLoaded = false
    try {
      const directory = await loadDirectory(this.#source, stop)
      isLoaded = directory !== undefined
      const put = directory && (await this.#to.prepare(directory))
      // The load was given up, and a newer one may be in use.
      if (this.#stop !== stop) return
      stop.signal.throwIfAborted()
      put?.()
      if (put !== undefined) this.#source.accepted?.()
      this.#loadedAt = this.#clock.now()
      const failure = this.#source.failure?.() ?? this.#subscriptionFailure
      const isKnown = failure?.message === this.#lastError
      const isNews = directory !== undefined || (this.#lastError !== null && failure === undefined)
      this.#failures = 0
      // A failure that lasts is not over in between.
      if (!isKnown) this.#lastError = null
      this.#to.count(null)
      if (isNews) this.#to.notify(null)
      if (failure !== undefined && !isKnown) this.fail(failure)
    } catch (error) {
      if (this.#stop === stop) {
        if (isLoaded) this.#source.refused?.(error as Error)
        this.#fail(error as Error)
      }
      throw error
    }
  }

  get #subscriptionFailure(): Error | undefined {
    return this.#subscriptions.find(({ failure }) => failure !== undefined)?.failure
  }

  /** Forgets the load under way. It is not aborted: what belongs to another request must not be touched in a Worker. */
  #giveUp(): void {
    this.#loading = undefined
    this.#next = undefined
    this.#stop = undefined
    this.#fail(
      sourceError(
        this.#source,
        new Error(`The server ended the load before its timeout of ${this.#source.timeout} ms.`)
      )
    )
  }

  /** Reports a failure that is not that of a load. The guard may still be in the making. */
  fail(error: Error): void {
    this.#lastError = error.message
    this.#to.count(error)
    if (!this.#isClosed) this.#waiting.news = this.#clock.after(0, () => this.#to.notify(error))
  }

  #fail(error: Error): void {
    if (this.#isClosed) return
    const isNews = error.message !== this.#lastError
    this.#failures++
    this.#lastError = error.message
    this.#to.count(error)
    if (isNews) this.#to.notify(error)
  }

  /** Sets the time of the next look, whatever led to the last load: also one that failed after a change or a call is repeated. */
  #schedule(): void {
    this.#waiting.look?.()
    const wait = waitAfter(this.#failures, this.#source)
    if (wait !== undefined && !this.#isClosed) this.#waiting.look = this.#clock.after(wait, () => this.#look())
  }

  /** Whether the last load began some milliseconds ago. */
  #isSince(milliseconds: number): boolean {
    return hasPassed(milliseconds, this.#triedAt, this.#clock.now())
  }

  #everyDay(run: () => void): void {
    this.#waiting.day = this.#clock.after(DAY, () => {
      this.#everyDay(run)
      run()
    })
  }

  async #look(): Promise<void> {
    const { hasChanged } = this.#source
    const isChanged = hasChanged === undefined || (await this.#answerOf(() => hasChanged.call(this.#source)))
    // What was refused may be right an hour later: the clock was wrong, or something that the source loads was missing.
    const isDue = this.#failures > 0 && this.#isSince(HOUR)
    if (isChanged || isDue) await this.#loadByItself()
    else this.#schedule()
  }

  /** A source that does not say so in time is loaded: that ends in time as well, and is reported. */
  async #answerOf(hasChanged: () => Promise<boolean>): Promise<boolean> {
    let isChanged = true
    const answered = hasChanged().then((answer) => {
      isChanged = answer
    })
    await inTime(answered, this.#source.timeout)
    return isChanged
  }

  /** Loads where nobody waits for the outcome. */
  async #loadByItself(): Promise<void> {
    // It reports the failure.
    await this.#begin().catch(() => {})
  }
}

/** What a subscription to a source that stands behind leads to: nothing while its list is not in use. */
function whileInUse(behind: SourceBehind, followed: SubscriptionTo): SubscriptionTo {
  let begun = 0
  return {
    ...followed,
    isInUse: () => behind.isInUse(),
    load: async () => {
      if (!behind.isInUse()) return
      behind.changed()
      begun++
      await followed.load()
    },
    // Other loads may not load the source behind.
    begun: () => begun
  }
}

const CLOSED = new Error('The guard is closed.')
