import { hash } from './hash.js'
import type { Entry } from './tally.js'

/** Half a megabyte of bounds: of a million strangers some 15 share one, so that a sender with more calls stands out. */
const SLOTS = 0x10000

/**
 * Remembers the entries with the highest counts. What is not remembered leaves its count behind in a small table of
 * bounds, so that whoever returns starts with an upper bound of what it had: no count is ever too low, and each says by how
 * much it may be too high. (Filtered Space-Saving, Homem and Carvalho 2010, with maxima instead of sums in the filter:
 * entries come here with their counts, so nothing is counted while it is forgotten.)
 */
export class Frequent {
  readonly #capacity: number
  readonly #byKey = new Map<number | string, Entry>()
  readonly #entries: Entry[] = []
  /** The highest count that was forgotten, for every slot of keys; made when the first is. */
  #bounds: Float64Array | undefined
  /** No entry has a lower count. */
  #floor = 0
  /** Where the search for the lowest count goes on. */
  #cursor = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: number | string): Entry | undefined {
    return this.#byKey.get(key)
  }

  get size(): number {
    return this.#entries.length
  }

  get isExact(): boolean {
    return this.#bounds === undefined
  }

  values(): Iterable<Entry> {
    return this.#entries
  }

  /** How often a key may have been counted before it was forgotten. */
  forgotten(key: number | string): number {
    return this.#bounds === undefined ? 0 : this.#bounds[hash(key) % SLOTS]!
  }

  /**
   * Takes an entry in if there is room, or if one with a lower count can go.
   *
   * @returns the entry that is forgotten, this one or another, free to be used again
   */
  offer(entry: Entry): Entry | undefined {
    if (this.#entries.length < this.#capacity) {
      this.#entries.push(entry)
      this.#byKey.set(entry.key, entry)
      return undefined
    }
    const lowest = entry.count > this.#floor ? this.#findLowest() : -1
    if (lowest === -1 || this.#entries[lowest]!.count >= entry.count) return this.#forget(entry)
    const other = this.#entries[lowest]!
    this.#entries[lowest] = entry
    this.#byKey.delete(other.key)
    this.#byKey.set(entry.key, entry)
    return this.#forget(other)
  }

  /**
   * The place of an entry with the lowest count. The search goes on where it ended; only when it came round without
   * finding one is the floor raised, and that takes as many rejections as there are entries. So a search is cheap on average.
   */
  #findLowest(): number {
    let lowest = -1
    for (let steps = 0; steps < this.#entries.length; steps++) {
      const at = this.#cursor
      const { count } = this.#entries[at]!
      if (count <= this.#floor) return at
      if (lowest === -1 || count < this.#entries[lowest]!.count) lowest = at
      this.#cursor = (at + 1) % this.#entries.length
    }
    if (lowest !== -1) this.#floor = this.#entries[lowest]!.count
    return lowest
  }

  #forget(entry: Entry): Entry {
    this.#bounds ??= new Float64Array(SLOTS)
    const slot = hash(entry.key) % SLOTS
    this.#bounds[slot] = Math.max(this.#bounds[slot]!, entry.count)
    return entry
  }
}
