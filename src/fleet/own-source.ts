import type { Directory } from '../directory/directory.js'
import { loadDirectory } from '../directory/source/load-directory.js'
import type { OpenSource } from '../directory/source/source.js'
import { waitAfter } from '../guard/retry.js'
import { CLOCK, HOUR, hasPassed } from '../lib/time.js'

/**
 * The guard's own source, whose list is in use while the store has none. It is looked at as without a fleet, but no more often than the
 * store is polled.
 */
export class OwnSource {
  readonly #source: OpenSource
  /** The list that was loaded last; undefined while the list of the store is offered. */
  #offered: Directory | undefined
  /** The list that came into use last. */
  #inUse: Directory | undefined
  #triedAt = 0
  /** How many loads in a row failed, or gave a list that was refused. */
  #failures = 0
  /** How long after the last load it is looked at again; see {@link waitAfter}. */
  #wait: number | undefined
  /** Whether it is to be loaded as soon as possible. */
  #isDue = false

  constructor(source: OpenSource) {
    this.#source = source
  }

  /** The list, loaded anew. */
  async load(signal?: AbortSignal): Promise<Directory> {
    signal?.throwIfAborted()
    this.#isDue = false
    this.#triedAt = CLOCK.now()
    // Until its list is in use.
    this.#count(this.#failures + 1)
    const stop = new AbortController()
    signal?.addEventListener('abort', () => stop.abort(signal.reason), { once: true })
    const loaded = (await loadDirectory(this.#source, stop)) ?? this.#inUse!
    // An answer that is late must not take the place of what was offered since.
    stop.signal.throwIfAborted()
    if (loaded === this.#inUse) this.#count(0)
    return this.offer(loaded)
  }

  /** Offers a list that was loaded before. */
  offer(directory: Directory): Directory {
    this.#offered = directory
    return directory
  }

  #count(failures: number): void {
    this.#failures = failures
    this.#wait = waitAfter(failures, this.#source)
  }

  /** The list, loaded anew; undefined where it is the one in use. */
  async loadNew(signal: AbortSignal): Promise<Directory | undefined> {
    const loaded = await this.load(signal)
    return loaded === this.#inUse ? undefined : loaded
  }

  /** The list that came into use last; before there is one, the list, loaded anew. */
  async lastOrLoaded(signal: AbortSignal): Promise<Directory> {
    return this.#inUse === undefined ? this.load(signal) : this.offer(this.#inUse)
  }

  /** What was offered last is not any more. */
  withdraw(): void {
    this.#offered = undefined
  }

  /** What was offered last came into use. */
  accepted(): void {
    if (this.#offered === undefined || this.#offered === this.#inUse) return
    this.#source.accepted?.()
    this.#inUse = this.#offered
    this.#count(0)
  }

  /** It has changed: it is to be loaded, also if the load that follows fails at the store. */
  changed(): void {
    this.#isDue = true
  }

  /** Whether it may have something new. */
  async isDue(): Promise<boolean> {
    if (this.#isDue) return true
    const now = CLOCK.now()
    if (this.#wait === undefined || !hasPassed(this.#wait, this.#triedAt, now)) return false
    const { hasChanged } = this.#source
    if (hasChanged === undefined || (await hasChanged.call(this.#source))) return true
    // What was refused may be right an hour later.
    return this.#failures > 0 && hasPassed(HOUR, this.#triedAt, now)
  }

  /** Whether a list of it is offered. */
  get isOffered(): boolean {
    return this.#offered !== undefined
  }

  /** Whether a list of it is offered that follows another one of it. */
  get isFollowing(): boolean {
    return this.isOffered && this.#inUse !== undefined
  }

  /** Whether that list is another one. */
  get isNew(): boolean {
    return this.isFollowing && this.#offered !== this.#inUse
  }
}
