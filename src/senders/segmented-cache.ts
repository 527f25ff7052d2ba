import { LRUCache } from 'lru-cache'

/** The share of all places that is kept for keys which were noted more than once. */
const PROTECTED_SHARE = 0.8

/**
 * Remembers at most `capacity` values in two LRU caches. A new key goes to the probationary cache, and moves to the protected
 * one when it is noted again. A flood of keys that come once passes through the probationary cache and pushes out no key that
 * came twice, as long as those fit into the protected cache. A key that the protected cache has no room for returns to the
 * probationary cache; a key that this one has no room for is forgotten. Either cache may use the places that the other
 * leaves free, so nothing is forgotten before `capacity` keys came.
 */
export class SegmentedCache<Key extends {}, Value extends {}> {
  readonly #capacity: number
  readonly #protectedPlaces: number
  readonly #probationary: LRUCache<Key, Value>
  readonly #protected: LRUCache<Key, Value>
  #hasForgotten = false
  /** All values, until a key comes or goes. */
  #values: readonly Value[] | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#protectedPlaces = Math.floor(PROTECTED_SHARE * capacity)
    this.#probationary = growingCache(capacity)
    this.#protected = growingCache(capacity, (value, key) => this.#probationary.set(key, value))
  }

  /** How many values are remembered. */
  get size(): number {
    return this.#probationary.size + this.#protected.size
  }

  /** Whether a key was forgotten since the start. */
  get hasForgotten(): boolean {
    return this.#hasForgotten
  }

  /** Notes a key again and returns its value; undefined for a key that is new or forgotten, which is not noted. */
  again(key: Key): Value | undefined {
    const known = this.#protected.get(key)
    if (known !== undefined) return known
    const newcomer = this.#probationary.get(key)
    if (newcomer === undefined) return undefined
    this.#probationary.delete(key)
    this.#protect(key, newcomer)
    return newcomer
  }

  /**
   * Remembers a key for which {@link again} returned undefined.
   *
   * @param isReturning whether the key stands for several calls already, so that it goes to the protected cache at once
   */
  add(key: Key, value: Value, isReturning: boolean): void {
    this.#values = undefined
    // The protected cache never has all of the places, so the probationary one has a key to give up.
    if (this.size === this.#capacity) {
      this.#probationary.pop()
      this.#hasForgotten = true
    }
    if (isReturning) this.#protect(key, value)
    else this.#probationary.set(key, value)
  }

  /** Forgets a key, and returns its value. */
  take(key: Key): Value | undefined {
    this.#values = undefined
    const value = this.#protected.peek(key) ?? this.#probationary.peek(key)
    // What the protected cache deletes would return to the probationary one.
    this.#protected.delete(key)
    this.#probationary.delete(key)
    return value
  }

  #protect(key: Key, value: Value): void {
    this.#protected.set(key, value)
    if (this.#protected.size > this.#protectedPlaces) this.#protected.pop()
  }

  /** All values, in no particular order. Collected once for several readers: lru-cache looks each key up for it. */
  values(): readonly Value[] {
    if (this.#values !== undefined) return this.#values
    const values: Value[] = []
    for (const cache of [this.#probationary, this.#protected]) cache.forEach((value) => void values.push(value))
    this.#values = values
    return values
  }
}

/** With `max`, lru-cache would allocate all places at once; with `maxSize` it grows. */
function growingCache<Key extends {}, Value extends {}>(
  places: number,
  dispose?: (value: Value, key: Key) => void
): LRUCache<Key, Value> {
  return new LRUCache({ maxSize: places, sizeCalculation: () => 1, ...(dispose !== undefined && { dispose }) })
}
