/** A small deterministic random number generator (mulberry32), so that every run asks the same questions. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** An unsigned 32-bit integer. */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** An integer from 0 to `bound` − 1. */
  below(bound: number): number {
    return Math.floor((this.word() / 2 ** 32) * bound)
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }

  /** A new array with the same values in random order. */
  shuffle<T>(values: readonly T[]): T[] {
    const result = [...values]
    for (let i = result.length - 1; i > 0; i--) {
      const other = this.below(i + 1)
      ;[result[i], result[other]] = [result[other]!, result[i]!]
    }
    return result
  }
}
