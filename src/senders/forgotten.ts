/** Half a megabyte of bounds: of a million strangers some 15 share one, so that a sender with more calls stands out. */
export const BOUNDS = 0x10000

/** Where the bound of a key lies, by its hash. */
export const boundOf = (hashed: number) => hashed & (BOUNDS - 1)

/**
 * What is left of senders that are not remembered: a small table of upper bounds of what they had. Whoever returns starts with
 * its bound, so that no count is ever too low, and each says by how much it may be too high. (Filtered Space-Saving, Homem and
 * Carvalho 2010, with maxima instead of sums in the filter: whoever is forgotten leaves its count, so nothing is counted
 * while it is forgotten.)
 */
export class Forgotten {
  /** Made when the first sender is forgotten. */
  #bounds: Float64Array | undefined

  get isEmpty(): boolean {
    return this.#bounds === undefined
  }

  /** How often a key with this bound may have been counted before it was forgotten. */
  countAt(bound: number): number {
    return this.#bounds === undefined ? 0 : this.#bounds[bound]!
  }

  /** Notes the count of a sender that is forgotten; `bound` is where its bound lies. */
  add(bound: number, count: number): void {
    this.#bounds ??= new Float64Array(BOUNDS)
    if (this.#bounds[bound]! < count) this.#bounds[bound] = count
  }
}
