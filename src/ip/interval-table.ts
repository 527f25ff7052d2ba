import { narrow, type Values } from './narrow.js'

/** Above this many index bits the rest of a word fits 16 bits. */
const MAX_BITS = 16

/**
 * Maps every 32-bit word to the value of the interval it lies in. The intervals are disjoint and touch each other; each
 * is known by its first word. An index over the upper bits, as many as the list is worth, leaves a binary search of a few
 * steps: 2 KB and 5 ns at 41 addresses; at a million, 3 bytes an interval.
 */
export class IntervalTable {
  /** A bit for each upper half of a word under which some value is not 0. */
  readonly leading = new Int32Array(2048)
  readonly #shift: number
  readonly #lowMask: number
  readonly #first: Uint32Array
  readonly #lows: Uint16Array | Uint32Array
  readonly #values: Values

  /**
   * @param starts the first words of the intervals, ascending; what lies before the first has the value 0
   * @param values the value of each interval
   */
  constructor(starts: Uint32Array, values: Uint32Array) {
    const count = starts.length
    const bits = Math.min(Math.ceil(Math.log2(count + 1)) + 3, MAX_BITS)
    this.#shift = 32 - bits
    this.#lowMask = 0xffffffff >>> bits
    const lows = starts.map((start) => start & this.#lowMask)
    this.#lows = bits === MAX_BITS ? Uint16Array.from(lows) : lows
    const shifted = new Uint32Array(count + 1)
    shifted.set(values, 1)
    this.#values = narrow(shifted)
    this.#first = new Uint32Array((1 << bits) + 1)
    for (let i = 0, bucket = 0; bucket < this.#first.length; bucket++) {
      while (i < count && starts[i]! >>> this.#shift < bucket) i++
      this.#first[bucket] = i
    }
    for (let i = 0; i < count; i++) {
      if (shifted[i + 1] !== 0) this.#markLeading(starts[i]!, i + 1 < count ? starts[i + 1]! - 1 : 0xffffffff)
    }
  }

  #markLeading(from: number, to: number): void {
    for (let upper = from >>> 16; upper <= to >>> 16; upper++) this.leading[upper >>> 5]! |= 1 << (upper & 31)
  }

  /** The value of the interval that holds `word`, which may be signed or unsigned. */
  find(word: number): number {
    const bucket = word >>> this.#shift
    const low = (word & this.#lowMask) >>> 0
    let from = this.#first[bucket]!
    let to = this.#first[bucket + 1]!
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#lows[middle]! <= low) from = middle + 1
      else to = middle
    }
    return this.#values[from]!
  }

  /** The bytes that the table holds. */
  get byteLength(): number {
    return this.leading.byteLength + this.#first.byteLength + this.#lows.byteLength + this.#values.byteLength
  }
}
