import type { GrantSets } from './grant-sets.js'
import { compareRows, Intervals, increment } from './intervals.js'
import { narrow, type Values } from './narrow.js'
import { wordMask } from './read-network.js'

/** Where the upper half of a 64-bit integer lies when it is seen as two 32-bit ones; which depends on the machine. */
const UPPER = 1 - new Uint32Array(new BigUint64Array([1n << 32n]).buffer)[0]!

/**
 * The networks of one family with their grants, sorted by first address and length, in flat arrays: a million of them
 * as objects would take 200 MB.
 */
export class Networks {
  /** Words of an address: 1 for IPv4, 4 for IPv6. */
  readonly width: 1 | 4
  #count = 0
  #words: Uint32Array
  #lengths = new Uint8Array(64)
  #grants: Values = new Uint32Array(64)

  constructor(width: 1 | 4) {
    this.width = width
    this.#words = new Uint32Array(64 * width)
  }

  /** Adds a network; all are added before {@link sort}. */
  add(words: ArrayLike<number>, length: number, grant: number): void {
    const { width } = this
    if (this.#count === this.#lengths.length) this.#grow()
    for (let i = 0; i < width; i++) this.#words[this.#count * width + i] = words[i]!
    this.#lengths[this.#count] = length
    this.#grants[this.#count++] = grant
  }

  #grow(): void {
    const capacity = this.#count * 2
    const grown = { words: new Uint32Array(capacity * this.width), lengths: new Uint8Array(capacity) }
    grown.words.set(this.#words)
    grown.lengths.set(this.#lengths)
    this.#words = grown.words
    this.#lengths = grown.lengths
    const grants = new Uint32Array(capacity)
    grants.set(this.#grants)
    this.#grants = grants
  }

  /** Sorts by first address, then shortest prefix first, so that a network follows those that contain it. */
  sort(): void {
    const { width } = this
    const order = this.#order()
    const words = new Uint32Array(this.#count * width)
    const lengths = new Uint8Array(this.#count)
    const grants = new Uint32Array(this.#count)
    for (let i = 0; i < this.#count; i++) {
      const from = order[i]!
      for (let k = 0; k < width; k++) words[i * width + k] = this.#words[from * width + k]!
      lengths[i] = this.#lengths[from]!
      grants[i] = this.#grants[from]!
    }
    this.#words = words
    this.#lengths = lengths
    this.#grants = narrow(grants)
  }

  /**
   * Numbers sort natively, rows only through a callback, which takes five times as long. So the first word and the row
   * are sorted as one 64-bit number, and only rows that share their first word are compared in full.
   */
  #order(): Uint32Array {
    const keys = new BigUint64Array(this.#count)
    const halves = new Uint32Array(keys.buffer)
    for (let i = 0; i < this.#count; i++) {
      halves[2 * i + UPPER] = this.#words[i * this.width]!
      halves[2 * i + 1 - UPPER] = i
    }
    keys.sort()
    const order = new Uint32Array(this.#count)
    for (let i = 0; i < this.#count; i++) order[i] = halves[2 * i + 1 - UPPER]!
    let from = 0
    for (let to = 1; to <= this.#count; to++) {
      if (to < this.#count && halves[2 * to + UPPER] === halves[2 * from + UPPER]) continue
      if (to - from > 1) order.subarray(from, to).sort((a, b) => this.#compare(a, b))
      from = to
    }
    return order
  }

  #compare(a: number, b: number): number {
    const difference = compareRows(this.#words, a, this.#words, b, this.width)
    return difference || this.#lengths[a]! - this.#lengths[b]! || a - b
  }

  /**
   * Cuts the address space into intervals with one set of grants each. Networks nest or are disjoint, so a stack of
   * those that are open holds all that a step needs.
   */
  intervals<G>(sets: GrantSets<G>): Intervals {
    const { width } = this
    const words = this.#words
    const result = new Intervals(width, this.#count)
    const ends = new Uint32Array(width * (32 * width + 1))
    const openSets = new Uint32Array(32 * width + 2)
    let depth = 0
    const closeTop = () => {
      depth--
      if (increment(ends, depth, width)) result.push(ends, depth, openSets[depth]!)
    }
    for (let i = 0; i < this.#count; i++) {
      const length = this.#lengths[i]!
      if (i > 0 && length === this.#lengths[i - 1] && compareRows(words, i, words, i - 1, width) === 0) {
        openSets[depth] = sets.with(openSets[depth]!, this.#grants[i]!)
      } else {
        while (depth > 0 && compareRows(ends, depth - 1, words, i, width) < 0) closeTop()
        for (let k = 0; k < width; k++) ends[depth * width + k] = words[i * width + k]! | ~wordMask(length, k)
        depth++
        openSets[depth] = sets.with(openSets[depth - 1]!, this.#grants[i]!)
      }
      result.push(words, i, openSets[depth]!)
    }
    while (depth > 0) closeTop()
    return result
  }

  /** The rows whose network holds the address, longest prefix first. */
  containing(words: ArrayLike<number>): { words: Uint32Array; length: number; grant: number }[] {
    const { width } = this
    const rows: { words: Uint32Array; length: number; grant: number }[] = []
    const network = new Uint32Array(width)
    for (let length = 32 * width; length >= 0; length--) {
      for (let k = 0; k < width; k++) network[k] = words[k]! & wordMask(length, k)
      for (
        let i = this.#firstRow(network, length);
        i < this.#count && this.#compareRow(i, network, length) === 0;
        i++
      ) {
        rows.push({ words: network.slice(), length, grant: this.#grants[i]! })
      }
    }
    return rows
  }

  #firstRow(network: Uint32Array, length: number): number {
    let from = 0
    let to = this.#count
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#compareRow(middle, network, length) < 0) from = middle + 1
      else to = middle
    }
    return from
  }

  #compareRow(row: number, network: Uint32Array, length: number): number {
    return compareRows(this.#words, row, network, 0, this.width) || this.#lengths[row]! - length
  }

  /** The bytes that the arrays hold. */
  get byteLength(): number {
    return this.#words.byteLength + this.#lengths.byteLength + this.#grants.byteLength
  }
}
