import { hash } from '../senders/hash.js'

/** How many lines may be written, and when a sender is worth another one. Times are milliseconds. */
export interface Pace {
  /** Lines a second in the long run; ten seconds' worth may come at once. */
  readonly linesPerSecond: number
  /** How long a sender is quiet after its first line; it is twice as long after each further one. */
  readonly repeatAfter: number
  /** The longest that a sender is quiet. One that stays away for so long is new again. */
  readonly repeatAtMost: number
}

/** Rejections of one sender and kind. */
export interface WithheldSender {
  readonly sender: string
  readonly kind: number
  readonly count: number
}

/** Rejections that no line tells. */
export interface Withheld {
  readonly byKind: readonly number[]
  /** Those of them whose sender had a line before. */
  readonly bySender: readonly WithheldSender[]
}

/** So many senders with a line are remembered. */
const SLOTS = 4096

/** So many seconds' worth of lines may come at once. */
const BURST_SECONDS = 10

/** What {@link Throttle.admit} answers where no line is to be written. */
export const WITHHELD = -1

/**
 * Decides which rejections are worth a line. Its state is a table of fixed size, where a sender may take the place of
 * another: the other one gets a line too many, and the bucket pays for it.
 *
 * Every rejection is told exactly once: by its own line, by the next line of its sender, or by {@link take}.
 */
export class Throttle {
  readonly #pace: Pace
  /** What is in each bucket, and when it was filled last. */
  readonly #tokens: Float64Array
  readonly #filled: Float64Array
  readonly #senders: string[] = new Array(SLOTS).fill('')
  readonly #kinds = new Uint8Array(SLOTS)
  readonly #quietUntil = new Float64Array(SLOTS)
  readonly #quietFor = new Float64Array(SLOTS)
  /** How many rejections wait for the next line of their sender. */
  readonly #waiting = new Float64Array(SLOTS)
  /** How many no line will tell, by kind. */
  readonly #withheld: Float64Array

  /**
   * @param kinds how many kinds of rejections there are, at most 256
   * @param buckets how many buckets there are to draw lines from
   */
  constructor(pace: Pace, kinds: number, buckets: number) {
    this.#pace = pace
    this.#tokens = new Float64Array(buckets).fill(pace.linesPerSecond * BURST_SECONDS)
    this.#filled = new Float64Array(buckets)
    this.#withheld = new Float64Array(kinds)
  }

  /**
   * Whether a rejection gets a line. An empty bucket is found first: then nobody looks the sender up.
   *
   * @returns how many earlier rejections of this sender and kind the line has to tell, or {@link WITHHELD}
   */
  admit(sender: string, kind: number, bucket: number, now: number): number {
    if (!this.#fill(bucket, now)) {
      this.#withheld[kind]!++
      return WITHHELD
    }
    const slot = (hash(sender) + 31 * kind) % SLOTS
    const isKnown = this.#senders[slot] === sender && this.#kinds[slot] === kind
    if (isKnown && now < this.#quietUntil[slot]! && !this.#isAhead(slot, now)) {
      this.#waiting[slot]!++
      return WITHHELD
    }
    this.#tokens[bucket]!--
    const waiting = this.#waiting[slot]!
    this.#waiting[slot] = 0
    if (!isKnown) {
      this.#withheld[this.#kinds[slot]!]! += waiting
      // A text cut out of a header would keep the whole header alive.
      this.#senders[slot] = Buffer.from(sender, 'latin1').toString('latin1')
      this.#kinds[slot] = kind
    }
    const isAgain = isKnown && now < this.#quietUntil[slot]! + this.#pace.repeatAtMost
    this.#quietFor[slot] = isAgain
      ? Math.min(2 * this.#quietFor[slot]!, this.#pace.repeatAtMost)
      : this.#pace.repeatAfter
    this.#quietUntil[slot] = now + this.#quietFor[slot]!
    return isKnown ? waiting : 0
  }

  /** Whether the sender's line was written later than now: the clock was set back, and its quiet time means nothing. */
  #isAhead(slot: number, now: number): boolean {
    return now < this.#quietUntil[slot]! - this.#quietFor[slot]!
  }

  /** Fills a bucket up to now. Says whether there is a line in it. */
  #fill(bucket: number, now: number): boolean {
    const { linesPerSecond } = this.#pace
    // A clock that was set back fills nothing.
    const passed = Math.max(0, now - this.#filled[bucket]!)
    this.#tokens[bucket] = Math.min(
      linesPerSecond * BURST_SECONDS,
      this.#tokens[bucket]! + (passed / 1000) * linesPerSecond
    )
    this.#filled[bucket] = now
    return this.#tokens[bucket]! >= 1
  }

  /**
   * Tells how many rejections no line has told or will tell, and forgets them: those that found the bucket empty, and those
   * whose sender did not come again for a while when it could have had a line.
   *
   * @param isLast whether nothing comes after this, so that nothing may be left waiting
   */
  take(now: number, isLast: boolean): Withheld {
    const bySender: WithheldSender[] = []
    for (let slot = 0; slot < SLOTS; slot++) {
      const count = this.#waiting[slot]!
      // One that calls all the time is to have the chance to tell it.
      const isLate = now >= this.#quietUntil[slot]! + this.#pace.repeatAfter || this.#isAhead(slot, now)
      if (count === 0 || !(isLate || isLast)) continue
      const kind = this.#kinds[slot]!
      bySender.push({ sender: this.#senders[slot]!, kind, count })
      this.#withheld[kind]! += count
      this.#waiting[slot] = 0
    }
    const byKind = [...this.#withheld]
    this.#withheld.fill(0)
    return { byKind, bySender }
  }
}
