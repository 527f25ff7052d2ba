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

/**
 * Remembers who was rejected, most recent last to be forgotten. Bounded: a flood of strangers pushes out those that were
 * not seen for longest, never a sender that keeps trying.
 */
export class Senders {
  readonly #tallies: LRUCache<number | string, Tally>

  constructor(capacity: number) {
    this.#tallies = new LRUCache({ max: capacity })
  }

  /**
   * Counts a rejection.
   *
   * @param key an IPv4 address as its word: a number is quicker to hash than a text, and a text cut out of a header would
   * keep all 16 KB of the header alive; an IPv6 address as its canonical text, which was written anew
   */
  record(key: number | string, reason: string): void {
    const now = Date.now()
    const tally = this.#tallies.get(key)
    if (tally === undefined) {
      this.#tallies.set(key, { reason, count: 1, firstSeen: now, lastSeen: now })
    } else {
      tally.reason = reason
      tally.count++
      tally.lastSeen = now
    }
  }

  get size(): number {
    return this.#tallies.size
  }

  /** The remembered senders, most recent first. */
  list(): Sender[] {
    return [...this.#tallies.entries()].map(([key, tally]) => ({
      clientIp: typeof key === 'number' ? formatWords(4, [key]) : key,
      ...tally
    }))
  }
}
