import { LRUCache } from 'lru-cache'
import { formatWords } from '../net/address.js'

/** A client IP that was rejected, and how often. Times are milliseconds since 1970. */
export interface Sender {
  readonly clientIp: string
  /** Why it was rejected last. */
  readonly reason: string
  readonly count: number
  readonly firstSeen: number
  readonly lastSeen: number
}

interface Tally {
  reason: string
  count: number
  firstSeen: number
  lastSeen: number
}

/** So many rejections wait to be counted together. */
const BATCH = 256

/**
 * Remembers who was rejected, those seen last for longest. Bounded: a flood of strangers pushes out who was not seen
 * while as many others came as are remembered.
 *
 * Rejections are noted first and counted in batches, or when somebody asks: between requests the tallies are out of the
 * processor's caches, and counting each at once was most of what judging a stranger cost.
 */
export class Senders {
  readonly #tallies: LRUCache<number | string, Tally>
  readonly #keys: (number | string)[] = new Array(BATCH).fill(0)
  readonly #reasons: string[] = new Array(BATCH).fill('')
  readonly #times = new Float64Array(BATCH)
  #noted = 0

  constructor(capacity: number) {
    this.#tallies = new LRUCache({ max: capacity })
  }

  /**
   * Notes a rejection.
   *
   * @param key an IPv4 address as its word: a number is quicker to hash than a text, and a text cut out of a header would
   * keep all 16 KB of the header alive; an IPv6 address as its canonical text, which was written anew
   */
  record(key: number | string, reason: string): void {
    this.#keys[this.#noted] = key
    this.#reasons[this.#noted] = reason
    this.#times[this.#noted] = Date.now()
    if (++this.#noted === BATCH) this.#count()
  }

  #count(): void {
    for (let i = 0; i < this.#noted; i++) {
      const key = this.#keys[i]!
      const reason = this.#reasons[i]!
      const seen = this.#times[i]!
      const tally = this.#tallies.get(key)
      if (tally === undefined) {
        this.#tallies.set(key, { reason, count: 1, firstSeen: seen, lastSeen: seen })
      } else {
        tally.reason = reason
        tally.count++
        tally.lastSeen = seen
      }
    }
    this.#noted = 0
  }

  get size(): number {
    this.#count()
    return this.#tallies.size
  }

  /** The remembered senders, most recent first. */
  list(): Sender[] {
    this.#count()
    return [...this.#tallies.entries()].map(([key, tally]) => ({
      clientIp: typeof key === 'number' ? formatWords(4, [key]) : key,
      ...tally
    }))
  }
}
