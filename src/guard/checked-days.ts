import type { Directory } from '../directory/directory.js'
import { type Dating, type NotedDay, pastDay } from '../directory/noted-day.js'
import { isToCome } from './status.js'

/** How many days are kept; more than one only where a clock was set back, or a watched list goes back. */
const MOST = 100

/**
 * The days on which the list in use was known to be current. The clock decides at each reading which of them is the last one: one that was
 * wrong for a while, in either direction, must not leave anything behind.
 */
export class CheckedDays {
  readonly #clock: Dating
  #inUse: Directory | undefined
  /** Each has an earlier day than the one before: a day says nothing more when a later one is noted. */
  #noted: readonly NotedDay[] = []

  constructor(clock: Dating) {
    this.#clock = clock
  }

  /** A list is in use. What is known of its revision stays. */
  follow(directory: Directory): void {
    if (directory === this.#inUse) return
    if (directory.revision !== this.#inUse?.revision) this.#noted = []
    this.#inUse = directory
    this.note(directory.checked)
  }

  /** The list in use was known to be current on a day. */
  note(day: string): void {
    this.#noted = this.#with(day, this.#noted)
  }

  /** The last day on which a list was known to be current, which need not be in use yet. */
  last(directory: Directory): string {
    const known = directory.revision === this.#inUse?.revision ? this.#noted : []
    const noted = directory === this.#inUse ? known : this.#with(directory.checked, known)
    return noted
      .map((one) => pastDay(one, this.#clock))
      .sort()
      .at(-1)!
  }

  /** Notes a day. A list that is dated ahead of the clock is not newer each time that it is loaded. */
  #with(day: string, noted: readonly NotedDay[]): readonly NotedDay[] {
    const isAhead = isToCome(day, this.#clock.now())
    if (isAhead && noted.some((one) => one.day === day)) return noted
    const later = noted.filter((one) => one.day > day)
    return [...later, { day, at: this.#clock.elapsed() }].slice(-MOST)
  }
}
