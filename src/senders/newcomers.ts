import { boundOf, type Forgotten } from './forgotten.js'

/** What is known of a sender that was noted once. */
export interface Newcomer {
  readonly key: number | string
  /** How often it may have been counted before it was forgotten. */
  readonly before: number
  readonly weight: number
  readonly reason: number
  readonly route: string | null
  readonly time: number
}

/**
 * A place for each sender that called once, which the next one with the same place takes: what a flood of strangers passes
 * through at the cost of a few writes, while a sender that calls again is found and counted.
 */
export class Newcomers {
  readonly #forgotten: Forgotten
  readonly #mask: number
  readonly #keys: (number | string | undefined)[]
  readonly #bounds: Uint16Array
  readonly #befores: Float64Array
  readonly #weights: Float64Array
  readonly #reasons: Uint8Array
  readonly #routes: (string | null)[]
  readonly #times: Float64Array
  #size = 0

  /** @param places a power of two */
  constructor(places: number, forgotten: Forgotten) {
    this.#forgotten = forgotten
    this.#mask = places - 1
    this.#keys = new Array(places).fill(undefined)
    this.#bounds = new Uint16Array(places)
    this.#befores = new Float64Array(places)
    this.#weights = new Float64Array(places)
    this.#reasons = new Uint8Array(places)
    this.#routes = new Array(places).fill(null)
    this.#times = new Float64Array(places)
  }

  get size(): number {
    return this.#size
  }

  /** Takes a sender in, and forgets who had its place. */
  put(key: number | string, hashed: number, reason: number, route: string | null, time: number, weight: number): void {
    const place = hashed & this.#mask
    if (this.#keys[place] === undefined) this.#size++
    else this.#forgotten.add(this.#bounds[place]!, this.#befores[place]! + this.#weights[place]!)
    const bound = boundOf(hashed)
    this.#keys[place] = key
    this.#bounds[place] = bound
    this.#befores[place] = this.#forgotten.countAt(bound)
    this.#weights[place] = weight
    this.#reasons[place] = reason
    this.#routes[place] = route
    this.#times[place] = time
  }

  /** Gives a sender up that is counted from now on; undefined where it did not call, or was forgotten. */
  take(key: number | string, hashed: number): Newcomer | undefined {
    const place = hashed & this.#mask
    if (this.#keys[place] !== key) return undefined
    const newcomer = this.#at(place)
    this.#keys[place] = undefined
    this.#size--
    return newcomer
  }

  #at(place: number): Newcomer {
    return {
      key: this.#keys[place]!,
      before: this.#befores[place]!,
      weight: this.#weights[place]!,
      reason: this.#reasons[place]!,
      route: this.#routes[place]!,
      time: this.#times[place]!
    }
  }

  *values(): Generator<Newcomer> {
    for (const [place, key] of this.#keys.entries()) if (key !== undefined) yield this.#at(place)
  }
}
