import type { Directory } from '../directory/directory.js'
import { loadDirectory, sourceError } from '../directory/source/load-directory.js'
import type { OpenSource } from '../directory/source/source.js'
import { callBack, inTime, isPromise, settled } from '../lib/promise.js'
import { type Clock, DAY, HOUR, hasPassed } from '../lib/time.js'

/** The first wait after a failure; each further one doubles it, up to the interval. */
const RETRY = 10_000
/**
 * How long after its timeout a load that has not ended counts as cut off: a server that runs only while it answers may end it with the
 * request that began it, together with the timer of its timeout, and its promise never settles.
 */
const CUT_OFF = 10_000

/**
 * How long to wait after failures in a row, in milliseconds; at random, since servers that were started together fail together.
 *
 * @param interval the source's own, which is never exceeded
 */
export function retryAfter(failures: number, interval: number): number {
  return Math.min(interval, RETRY * 2 ** (failures - 1)) * (1 - Math.random() / 2)
}

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
  readonly #waiting: Partial<Record<'look' | 'day' | 'watch' | 'missed' | 'news', () => void>> = {}
  /** Made for the first subscription: a Worker may not make one at module level. */
  #closing: AbortController | undefined
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
      this.#waiting.look = clock.after(0, () => this.#loadAndSchedule())
    }
    if (to.onDay !== undefined) this.#everyDay(to.onDay)
    if (source.watch !== undefined) this.#watch(0)
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
    if (this.#loading !== undefined && this.#isSince(this.#source.timeout + CUT_OFF)) this.#giveUp()
    if (this.#loading === undefined) {
      const loading = this.#load().finally(() => {
        if (this.#loading === loading) this.#loading = undefined
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
        return this.load()
      })
    return this.#next
  }

  /** Ends timers, and the load under way. */
  close(): void {
    this.#isClosed = true
    for (const cancel of Object.values(this.#waiting)) cancel()
    this.#closing?.abort(CLOSED)
    this.#stop?.abort(CLOSED)
  }

  async #load(): Promise<void> {
    const stop = new AbortController()
    this.#stop = stop
    this.#triedAt = this.#clock.now()
    this.#begun++
    if (this.#isClosed) stop.abort(CLOSED)
    try {
      const directory = await loadDirectory(this.#source, stop)
      const put = directory && (await this.#to.prepare(directory))
      // The load was given up, and a newer one may be in use.
      if (this.#stop !== stop) return
      stop.signal.throwIfAborted()
      put?.()
      if (put !== undefined) this.#source.accepted?.()
      this.#loadedAt = this.#clock.now()
      const isNews = directory !== undefined || this.#lastError !== null
      this.#failures = 0
      this.#lastError = null
      this.#to.count(null)
      if (isNews) this.#to.notify(null)
    } catch (error) {
      if (this.#stop === stop) this.#fail(error as Error)
      throw error
    }
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

  #schedule(): void {
    const { interval } = this.#source
    if (interval === undefined || this.#isClosed) return
    // Servers that were started together do not ask together.
    const wait = this.#failures === 0 ? interval * (1 - Math.random() / 10) : retryAfter(this.#failures, interval)
    // A load that was given up may end after all.
    this.#waiting.look?.()
    this.#waiting.look = this.#clock.after(wait, () => this.#look())
  }

  /** Whether the last load began some milliseconds ago. */
  #isSince(milliseconds: number): boolean {
    return hasPassed(milliseconds, this.#triedAt, this.#clock.now())
  }

  /**
   * Subscribes to the changes of the source; again after a failure. What changed before the subscription stood is loaded: nobody can know
   * whether it stands when the call returns, or when its promise is fulfilled.
   */
  #watch(failures: number): void {
    this.#closing ??= new AbortController()
    const { signal } = this.#closing
    let hasFailed = false
    // `load()` reports the failure of a load.
    const changed = () => void (signal.aborted || hasFailed || this.load().catch(() => {}))
    const stands = () => {
      // A source that is polled for changes gives what was missed at the next poll.
      if (!signal.aborted && this.#source.hasChanged === undefined) this.#loadMissed()
    }
    callBack(
      () => {
        const answer = this.#source.watch!(changed, signal)
        stands()
        if (!isPromise(answer)) return answer
        return settled(answer).then((result) => {
          stands()
          return result
        })
      },
      (error) => {
        if (signal.aborted) return
        hasFailed = true
        this.#waiting.missed?.()
        // The guard may still be in the making.
        this.#waiting.watch = this.#clock.after(0, () => {
          this.#fail(sourceError(this.#source, error))
          this.#waiting.watch = this.#clock.after(retryAfter(failures + 1, HOUR), () => {
            this.#watch(failures + 1)
            this.#loadMissed()
          })
        })
      }
    )
  }

  /** Loads soon, unless a load begins until then. */
  #loadMissed(): void {
    const begun = this.#begun
    this.#waiting.missed?.()
    this.#waiting.missed = this.#clock.after(0, async () => {
      // `load()` reports the failure.
      if (this.#begun === begun) await this.load().catch(() => {})
    })
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
    if (isChanged || isDue) await this.#loadAndSchedule()
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

  async #loadAndSchedule(): Promise<void> {
    // `load()` reports the failure.
    await this.load().catch(() => {})
    this.#schedule()
  }
}

const CLOSED = new Error('The guard is closed.')
