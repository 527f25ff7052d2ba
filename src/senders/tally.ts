import { LRUCache } from 'lru-cache'
import { BOUNDS, boundOf, Forgotten } from './forgotten.js'
import { Frequent } from './frequent.js'
import { hash } from './hash.js'
import { type Newcomer, Newcomers } from './newcomers.js'

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

/** A smaller tally has no places for newcomers: they would be too few to meet anybody again. */
const SMALL = 64

/**
 * Counts senders in constant memory. While no more came than are counted, every count is exact. Beyond that two kinds are
 * counted, half of the places for each: those seen last, and those counted most often; and whoever is new waits in a place
 * for newcomers until it calls again. A flood of strangers passes through those places, and pushes out nobody who calls more
 * than once; see docs/decisions.md.
 *
 * Rejections are noted first and counted in batches, or when somebody asks: between requests the entries are out of the
 * processor's caches, and counting each at once was most of what judging a stranger cost.
 */
export class Tally<Reason extends string> {
  readonly #reasons: readonly Reason[]
  readonly #recent: LRUCache<number | string, Entry>
  readonly #frequent: Frequent
  readonly #newcomers: Newcomers | undefined
  readonly #forgotten = new Forgotten()
  /** How many counted senders share a bound: where there is none, two look-ups are spared, which is half of a stranger's cost. */
  readonly #counted = new Uint16Array(BOUNDS)
  readonly #keys: (number | string)[] = new Array(BATCH).fill(0)
  readonly #reasonIndexes = new Uint8Array(BATCH)
  readonly #routes: (string | null)[] = new Array(BATCH).fill(null)
  readonly #times = new Float64Array(BATCH)
  readonly #weights = new Float64Array(BATCH)
  #noted = 0

  /** @param reasons all that there are, at most 256 */
  constructor(capacity: number, reasons: readonly Reason[]) {
    const places = capacity < SMALL ? 0 : 2 ** Math.floor(Math.log2(capacity / 4))
    const recent = Math.ceil((capacity - places) / 2)
    this.#reasons = reasons
    this.#recent = new LRUCache({ max: recent })
    this.#frequent = new Frequent(capacity - places - recent, this.#forgotten)
    this.#newcomers = places === 0 ? undefined : new Newcomers(places, this.#forgotten)
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
      const key = this.#keys[i]!
      const reason = this.#reasonIndexes[i]!
      const weight = this.#weights[i]!
      const time = this.#times[i]!
      const route = this.#routes[i]!
      const hashed = hash(key)
      const known =
        this.#counted[boundOf(hashed)] === 0 ? undefined : (this.#recent.get(key) ?? this.#frequent.get(key))
      if (known !== undefined) add(known, reason, route, time, weight)
      else this.#countNew(key, hashed, reason, route, time, weight)
    }
    this.#noted = 0
  }

  /** Whoever cannot be among the frequent yet is counted from its second call on, and its first call with it. */
  #countNew(
    key: number | string,
    hashed: number,
    reason: number,
    route: string | null,
    time: number,
    weight: number
  ): void {
    const bound = boundOf(hashed)
    const before = this.#forgotten.countAt(bound)
    const newcomer = this.#newcomers?.take(key, hashed)
    if (newcomer !== undefined) {
      const entry = this.#newEntry(key, bound, newcomer.before)
      add(entry, newcomer.reason, newcomer.route, newcomer.time, newcomer.weight)
      add(entry, reason, route, time, weight)
    } else if (this.#newcomers === undefined || before + weight > this.#frequent.floor) {
      add(this.#newEntry(key, bound, before), reason, route, time, weight)
    } else {
      this.#newcomers.put(key, hashed, reason, route, time, weight)
    }
  }

  /** An entry for a sender, made out of the one that it pushes out. */
  #newEntry(key: number | string, bound: number, before: number): Entry {
    const dropped = this.#recent.size === this.#recent.max ? this.#frequent.offer(this.#recent.pop()!) : undefined
    if (dropped !== undefined) this.#counted[boundOf(hash(dropped.key))]!--
    this.#counted[bound]!++
    const entry = begin(dropped ?? emptyEntry(this.#reasons.length), key, before)
    this.#recent.set(key, entry)
    return entry
  }

  /** How many senders are remembered. */
  get size(): number {
    this.#count()
    return this.#recent.size + this.#frequent.size + (this.#newcomers?.size ?? 0)
  }

  /** Whether every sender that ever came is remembered, with its exact count. */
  get isExact(): boolean {
    this.#count()
    return this.#forgotten.isEmpty
  }

  /** All that are remembered, in no order. The entries are the tally's own. */
  *entries(): Generator<Readonly<Entry>> {
    this.#count()
    yield* this.#recent.values()
    yield* this.#frequent.values()
    for (const newcomer of this.#newcomers?.values() ?? []) yield this.#entryFor(newcomer)
  }

  #entryFor({ key, before, weight, reason, route, time }: Newcomer): Entry {
    const entry = begin(emptyEntry(this.#reasons.length), key, before)
    add(entry, reason, route, time, weight)
    return entry
  }
}

function emptyEntry(reasons: number): Entry {
  return {
    key: 0,
    count: 0,
    countError: 0,
    firstSeen: 0,
    lastSeen: 0,
    byReason: new Array<number>(reasons).fill(0),
    routes: NONE
  }
}

/** Makes an entry that of another sender, which may have been counted before it was forgotten. */
function begin(entry: Entry, key: number | string, before: number): Entry {
  entry.key = key
  entry.count = before
  entry.countError = before
  entry.firstSeen = Number.POSITIVE_INFINITY
  entry.lastSeen = Number.NEGATIVE_INFINITY
  entry.byReason.fill(0)
  entry.routes = NONE
  return entry
}

function add(entry: Entry, reason: number, route: string | null, time: number, weight: number): void {
  entry.count += weight
  entry.byReason[reason]! += weight
  if (time < entry.firstSeen) entry.firstSeen = time
  if (time > entry.lastSeen) entry.lastSeen = time
  if (route !== null && entry.routes.length < ROUTES && !entry.routes.includes(route)) {
    entry.routes = entry.routes === NONE ? [route] : [...entry.routes, route]
  }
}
