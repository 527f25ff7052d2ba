import type { Directory } from '../directory/directory.js'
import { loadDirectory } from '../directory/source/load-directory.js'
import type { OpenSource } from '../directory/source/source.js'
import type { Clock } from '../lib/time.js'
import { DAY } from './list-options.js'

/** The first wait after a failure; each further one doubles it, up to the interval. */
const RETRY = 10_000

/** What a refresh does with what it got. */
export interface RefreshTo {
  /** Puts a directory in use, or throws what speaks against it. */
  readonly replace: (directory: Directory) => void
  /** Told of what came of every load: null, or what it failed with. */
  readonly count: (error: Error | null) => void
  /** Told of what came of it where that is news. */
  readonly tell: (error: Error | null) => void
}

/**
 * Loads the list anew, when asked to and by itself. One load is under way at a time and what is given up is not waited for
 * again, so a late answer can never take the place of a newer one.
 */
export class Refresh {
  readonly #source: OpenSource
  readonly #to: RefreshTo
  readonly #clock: Clock
  #loading: Promise<void> | undefined
  #stop: AbortController | undefined
  /** How to call off what waits for its time. */
  readonly #waiting: { look?: () => void; day?: () => void } = {}
  #isClosed = false
  #failures = 0
  #loadedAt: number
  #lastError: string | null = null

  /**
   * The first list has come into use already.
   *
   * @param onDay called once a day, whatever the source does
   */
  constructor(source: OpenSource, to: RefreshTo, onDay: (() => void) | undefined, clock: Clock) {
    this.#source = source
    this.#to = to
    this.#clock = clock
    this.#loadedAt = clock.now()
    source.accepted?.()
    this.#schedule()
    if (onDay !== undefined) this.#everyDay(onDay)
  }

  /** When the source last gave a list that was accepted, or said that there is no newer one. */
  get loadedAt(): number {
    return this.#loadedAt
  }

  /** What the last load failed with, or null. */
  get lastError(): string | null {
    return this.#lastError
  }

  /** Loads now. Calls that overlap share one load. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  /** Ends timers, and the load under way. */
  close(): void {
    this.#isClosed = true
    this.#waiting.look?.()
    this.#waiting.day?.()
    this.#stop?.abort(CLOSED)
  }

  async #load(): Promise<void> {
    this.#stop = new AbortController()
    if (this.#isClosed) this.#stop.abort(CLOSED)
    try {
      const directory = await loadDirectory(this.#source, this.#stop)
      if (directory !== undefined) {
        this.#to.replace(directory)
        this.#source.accepted?.()
      }
      this.#loadedAt = this.#clock.now()
      const isNews = directory !== undefined || this.#lastError !== null
      this.#failures = 0
      this.#lastError = null
      this.#to.count(null)
      if (isNews) this.#to.tell(null)
    } catch (error) {
      this.#fail(error as Error)
      throw error
    }
  }

  #fail(error: Error): void {
    if (this.#isClosed) return
    const isNews = error.message !== this.#lastError
    this.#failures++
    this.#lastError = error.message
    this.#to.count(error)
    if (isNews) this.#to.tell(error)
  }

  #schedule(): void {
    const { interval } = this.#source
    if (interval === undefined || this.#isClosed) return
    // Servers that were started together do not ask together.
    const wait =
      this.#failures === 0
        ? interval * (1 - Math.random() / 10)
        : Math.min(interval, RETRY * 2 ** (this.#failures - 1)) * (1 - Math.random() / 2)
    this.#waiting.look = this.#clock.after(wait, () => void this.#look())
  }

  #everyDay(run: () => void): void {
    this.#waiting.day = this.#clock.after(DAY, () => {
      this.#everyDay(run)
      run()
    })
  }

  async #look(): Promise<void> {
    const source = this.#source
    // A failure is told where all are.
    if (source.hasChanged === undefined || (await source.hasChanged())) await this.load().catch(() => {})
    this.#schedule()
  }
}

const CLOSED = new Error('The guard is closed.')
