/** Adds one to the address at row `row` in place; false when it was the last one. */
export function increment(words: Uint32Array, row: number, width: number): boolean {
  for (let k = (row + 1) * width - 1; k >= row * width; k--) {
    words[k]!++
    if (words[k] !== 0) return true
  }
  return false
}

/** Negative, zero or positive, as the address at row `i` of `a` comes before, is or comes after that at row `j` of `b`. */
export function compareRows(a: Uint32Array, i: number, b: Uint32Array, j: number, width: number): number {
  for (let k = 0; k < width; k++) {
    const difference = a[i * width + k]! - b[j * width + k]!
    if (difference !== 0) return difference
  }
  return 0
}

/** Consecutive intervals, each known by its first address and the set of grants that holds from there on. */
export class Intervals {
  readonly #width: number
  readonly #starts: Uint32Array
  readonly #sets: Uint32Array
  #count = 0

  constructor(width: number, networks: number) {
    this.#width = width
    this.#starts = new Uint32Array(networks * 2 * width)
    this.#sets = new Uint32Array(networks * 2)
  }

  /** Starts an interval at the address at `row` of `words`; one that starts where the last one did replaces it. */
  push(words: Uint32Array, row: number, set: number): void {
    const width = this.#width
    if (this.#count > 0 && compareRows(words, row, this.#starts, this.#count - 1, width) === 0) this.#count--
    if ((this.#count > 0 ? this.#sets[this.#count - 1] : 0) === set) return
    for (let k = 0; k < width; k++) this.#starts[this.#count * width + k] = words[row * width + k]!
    this.#sets[this.#count++] = set
  }

  get count(): number {
    return this.#count
  }

  /** All first addresses, word by word. */
  get starts(): Uint32Array {
    return this.#starts.subarray(0, this.#count * this.#width)
  }

  /** The set of grants of each interval. */
  get sets(): Uint32Array {
    return this.#sets.subarray(0, this.#count)
  }
}
