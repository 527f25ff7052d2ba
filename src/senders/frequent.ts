import { boundOf, type Forgotten } from './forgotten.js'
import { hash } from './hash.js'
import type { Entry } from './tally.js'

/** Remembers the entries with the highest counts. */
export class Frequent {
  readonly #capacity: number
  readonly #byKey = new Map<number | string, Entry>()
  readonly #entries: Entry[] = []
  #floor = 0
  /** Where the search for the lowest count goes on. */
  #cursor = 0

  readonly #forgotten: Forgotten

  constructor(capacity: number, forgotten: Forgotten) {
    this.#capacity = capacity
    this.#forgotten = forgotten
  }

  get(key: number | string): Entry | undefined {
    return this.#byKey.get(key)
  }

  get size(): number {
    return this.#entries.length
  }

  /** No entry has a lower count; 0 as long as there is room. */
  get floor(): number {
    return this.#floor
  }

  values(): Iterable<Entry> {
    return this.#entries
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
    this.#forgotten.add(boundOf(hash(entry.key)), entry.count)
    return entry
  }
}
