import { type Clock, HOUR, MINUTE } from '../lib/time.js'

/** What a guard has counted since its start. */
export interface Totals {
  readonly verified: number
  readonly rejected: number
}

/** The requests of one minute or hour. */
export interface Bar extends Totals {
  /** Its first moment, in milliseconds since 1970. */
  readonly from: number
}

/** Number of bars that are kept, by their width. */
const KEPT = { [MINUTE]: 60, [HOUR]: 48 } as const

/** Requests by minute for an hour, and by hour for two days, from samples of the guard's counters. */
export class Samples {
  /** When the first sample was taken, in milliseconds since 1970: there are no bars of the time before. */
  readonly since: number
  readonly #read: () => Totals | undefined
  readonly #clock: Clock
  readonly #rings = { minutes: new Ring(MINUTE), hours: new Ring(HOUR) }
  #last: Totals
  #lastAt: number
  #cancel: () => void

  /**
   * @param read the counters; undefined while the guard has no list
   */
  constructor(read: () => Totals | undefined, clock: Clock) {
    this.#read = read
    this.#clock = clock
    this.since = clock.now()
    this.#lastAt = this.since
    this.#last = read() ?? { verified: 0, rejected: 0 }
    this.#cancel = this.#atNextMinute()
  }

  /** A sample at the end of each minute, so that requests count for the minute in which they came. */
  #atNextMinute(): () => void {
    return this.#clock.after(MINUTE - (this.#clock.now() % MINUTE), () => {
      this.take()
      this.#cancel = this.#atNextMinute()
    })
  }

  /** Counts the requests since the last sample, for the minute in which that sample was taken. */
  take(totals = this.#read()): void {
    if (totals !== undefined) {
      const verified = totals.verified - this.#last.verified
      const rejected = totals.rejected - this.#last.rejected
      for (const ring of Object.values(this.#rings)) ring.add(this.#lastAt, verified, rejected)
      this.#last = totals
    }
    this.#lastAt = this.#clock.now()
  }

  /** The bars of the last hour, one for each minute, the oldest first. */
  get minutes(): Bar[] {
    return this.#rings.minutes.bars(this.since, this.#clock.now())
  }

  /** The bars of the last two days, one for each hour, the oldest first. */
  get hours(): Bar[] {
    return this.#rings.hours.bars(this.since, this.#clock.now())
  }

  close(): void {
    this.#cancel()
  }
}

class Ring {
  readonly #width: keyof typeof KEPT
  /** Each bar has the place of its number, modulo the number of bars. */
  readonly #bars: (Bar | undefined)[]

  constructor(width: keyof typeof KEPT) {
    this.#width = width
    this.#bars = new Array(KEPT[width]).fill(undefined)
  }

  add(time: number, verified: number, rejected: number): void {
    const number = Math.floor(time / this.#width)
    const place = number % this.#bars.length
    const from = number * this.#width
    const before = this.#bars[place]
    const isSame = before?.from === from
    this.#bars[place] = {
      from,
      verified: verified + (isSame ? before.verified : 0),
      rejected: rejected + (isSame ? before.rejected : 0)
    }
  }

  /** Every bar from the first sample on, those without a request too. */
  bars(since: number, now: number): Bar[] {
    const last = Math.floor(now / this.#width)
    const first = Math.max(Math.floor(since / this.#width), last - this.#bars.length + 1)
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
      const from = (first + i) * this.#width
      const bar = this.#bars[(first + i) % this.#bars.length]
      return bar?.from === from ? bar : { from, verified: 0, rejected: 0 }
    })
  }
}
