import { LRUCache } from 'lru-cache'
import { Frequent } from './frequent.js'

/** What is known of one sender. */
export interface Entry {
  key: number | string
  /** How often it was counted, at most `countError` too high. */
  count: number
  countError: number
  firstSeen: number
  lastSeen: number
  /** How often for each reason, in the order of the tally's reasons. */
  readonly byReason: number[]
  /** The routes it called, the first few of them. */
  routes: readonly string[]
}

/** A push onto an emptied array takes room for 16 more, which doubled the cost of a stranger. */
const NONE: readonly string[] = []

/** So many rejections wait to be counted together. */
const BATCH = 256

/** So many routes are kept of a sender. */
export const ROUTES = 8

/**
 * Counts senders in constant memory. While no more than `capacity` of them came, every count is exact. Beyond that two
 * kinds are remembered, half of the capacity for each: those seen last, and those counted most often. A flood of
 * strangers pushes out neither a sender that calls often nor the ones that called just now; see docs/decisions.md.
 *
 * Rejections are noted first and counted in batches, or when somebody asks: between requests the entries are out of the
 * processor's caches, and counting each at once was most of what judging a stranger cost.
 */
export class Tally<Reason extends string> {
  readonly #reasons: readonly Reason[]
  readonly #recent: LRUCache<number | string, Entry>
  readonly #frequent: Frequent
  readonly #keys: (number | string)[] = new Array(BATCH).fill(0)
  readonly #reasonIndexes = new Uint8Array(BATCH)
  readonly #routes: (string | null)[] = new Array(BATCH).fill(null)
  readonly #times = new Float64Array(BATCH)
  readonly #weights = new Float64Array(BATCH)
  #noted = 0

  /** @param reasons all that there are, at most 256 */
  constructor(capacity: number, reasons: readonly Reason[]) {
    const recent = Math.ceil(capacity / 2)
    this.#reasons = reasons
    this.#recent = new LRUCache({ max: recent })
    this.#frequent = new Frequent(capacity - recent)
  }

  /**
   * Notes a rejection.
   *
   * @param key an IPv4 address as its word: a number is quicker to hash than a text, and a text cut out of a header would
   * keep all 16 KB of the header alive; an IPv6 address as its canonical text, which was written anew
   * @param weight how many rejections this stands for
   */
  record(key: number | string, reason: Reason, route: string | null, time: number, weight = 1): void {
    const at = this.#noted++
    this.#keys[at] = key
    this.#reasonIndexes[at] = this.#reasons.indexOf(reason)
    this.#routes[at] = route
    this.#times[at] = time
    this.#weights[at] = weight
    if (this.#noted === BATCH) this.#count()
  }

  #count(): void {
    for (let i = 0; i < this.#noted; i++) {
      const entry = this.#entryOf(this.#keys[i]!)
      const weight = this.#weights[i]!
      const time = this.#times[i]!
      const route = this.#routes[i]!
      entry.count += weight
      entry.byReason[this.#reasonIndexes[i]!]! += weight
      if (time < entry.firstSeen) entry.firstSeen = time
      if (time > entry.lastSeen) entry.lastSeen = time
      if (route !== null && entry.routes.length < ROUTES && !entry.routes.includes(route)) {
        entry.routes = entry.routes === NONE ? [route] : [...entry.routes, route]
      }
    }
    this.#noted = 0
  }

  /** The entry of a sender, made anew where there is none, and then out of the one that it pushes out. */
  #entryOf(key: number | string): Entry {
    const known = this.#recent.get(key) ?? this.#frequent.get(key)
    if (known !== undefined) return known
    const dropped = this.#recent.size === this.#recent.max ? this.#frequent.offer(this.#recent.pop()!) : undefined
    const entry = dropped ?? this.#newEntry()
    const before = this.#frequent.forgotten(key)
    entry.key = key
    entry.count = before
    entry.countError = before
    entry.firstSeen = Number.POSITIVE_INFINITY
    entry.lastSeen = Number.NEGATIVE_INFINITY
    for (let i = 0; i < entry.byReason.length; i++) entry.byReason[i] = 0
    entry.routes = NONE
    this.#recent.set(key, entry)
    return entry
  }

  #newEntry(): Entry {
    const byReason = new Array<number>(this.#reasons.length).fill(0)
    return { key: 0, count: 0, countError: 0, firstSeen: 0, lastSeen: 0, byReason, routes: NONE }
  }

  /** How many senders are remembered. */
  get size(): number {
    this.#count()
    return this.#recent.size + this.#frequent.size
  }

  /** Whether more senders came than are remembered, so that counts may be too high. */
  get isExact(): boolean {
    this.#count()
    return this.#frequent.isExact
  }

  /** All that are remembered, in no order. The entries are the tally's own. */
  *entries(): Generator<Readonly<Entry>> {
    this.#count()
    yield* this.#recent.values()
    yield* this.#frequent.values()
  }
}
