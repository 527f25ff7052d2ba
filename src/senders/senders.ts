import { LRUCache } from 'lru-cache'

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
  readonly #tallies: LRUCache<string, Tally>

  constructor(capacity: number) {
    this.#tallies = new LRUCache({ max: capacity })
  }

  record(clientIp: string, reason: string): void {
    const now = Date.now()
    const tally = this.#tallies.get(clientIp)
    if (tally === undefined) {
      // Copied: a client IP cut out of a header would keep all 16 KB of the header alive.
      const copy = Buffer.from(clientIp, 'latin1').toString('latin1')
      this.#tallies.set(copy, { reason, count: 1, firstSeen: now, lastSeen: now })
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
    return [...this.#tallies.entries()].map(([clientIp, tally]) => ({ clientIp, ...tally }))
  }
}
