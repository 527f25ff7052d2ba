/** Adds one to an address in place; false when it was the last one. */
export function increment(words: Uint32Array): boolean {
  for (let k = words.length - 1; k >= 0; k--) {
    words[k]!++
    if (words[k] !== 0) return true
  }
  return false
}

/** Negative, zero or positive, as the first address comes before, is or comes after the second. */
export function compareWords(a: Uint32Array, b: Uint32Array): number {
  for (let k = 0; k < a.length; k++) {
    if (a[k] !== b[k]) return a[k]! - b[k]!
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

  /** Starts an interval; one that starts where the last one did replaces it. */
  push(start: Uint32Array, set: number): void {
    if (this.#count > 0 && compareWords(start, this.start(this.#count - 1)) === 0) this.#count--
    if ((this.#count > 0 ? this.#sets[this.#count - 1] : 0) === set) return
    this.#starts.set(start, this.#count * this.#width)
    this.#sets[this.#count++] = set
  }

  get count(): number {
    return this.#count
  }

  /** The first address of an interval. */
  start(interval: number): Uint32Array {
    return this.#starts.subarray(interval * this.#width, (interval + 1) * this.#width)
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
