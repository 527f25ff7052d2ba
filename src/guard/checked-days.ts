import type { Directory } from '../directory/directory.js'
import { type Dating, type NotedDay, pastDay } from '../directory/noted-day.js'
import type { OpenSource } from '../directory/source/source.js'
import { isToCome } from './status.js'

/** How many days are kept. Of those of a right clock, the last one is enough; a wrong one notes a day of its own each day. */
const MOST = 100

/** The days of a list. */
interface Days {
  /** By the list itself. */
  readonly own: readonly NotedDay[]
  /** By a watched list without a difference. */
  readonly confirmed: readonly NotedDay[]
}

const NONE: Days = { own: [], confirmed: [] }

/**
 * The days on which the list in use was known to be current. The clock decides at each reading which of them is the last one: one that was
 * wrong for a while, in either direction, must not leave anything behind.
 */
export class CheckedDays {
  readonly #clock: Dating
  #inUse: Directory | undefined
  #days: Days = NONE

  constructor(clock: Dating) {
    this.#clock = clock
  }

  /** A list of a source is in use. */
  follow(directory: Directory, source: OpenSource): void {
    this.#days = this.#daysOf(directory, source)
    this.#inUse = directory
  }

  /** A watched list says that the list in use was current on a day. */
  confirm(day: string): void {
    const { own, confirmed } = this.#days
    this.#days = { own, confirmed: this.#with(day, confirmed) }
  }

  /** The last day on which a list of a source was known to be current; it need not be in use yet. */
  last(directory: Directory, source: OpenSource): string {
    const { own, confirmed } = this.#daysOf(directory, source)
    return [...own, ...confirmed]
      .map((one) => pastDay(one, this.#clock))
      .sort()
      .at(-1)!
  }

  #daysOf(directory: Directory, { isDatedHere }: OpenSource): Days {
    if (directory === this.#inUse) return this.#days
    const isSame = this.#inUse !== undefined && isSameList(directory, this.#inUse)
    const { own, confirmed } = isSame ? this.#days : NONE
    const day = directory.checked
    // A list from outside whose date was corrected counts by the new date.
    return { own: this.#with(day, isDatedHere ? own : own.filter((one) => one.day <= day)), confirmed }
  }

  /** Notes a day. A list that is dated ahead of the clock is not newer each time that it is loaded. */
  #with(day: string, noted: readonly NotedDay[]): readonly NotedDay[] {
    const isKnown = noted.some((one) => one.day === day)
    if (isKnown && isToCome(day, this.#clock.now())) return noted
    const others = noted.filter((one) => one.day !== day)
    return [...others, { day, at: this.#clock.elapsed() }].slice(-MOST)
  }
}

/** Whether two lists have the same entries. Their revisions do not count: somebody may have written one by hand. */
function isSameList(one: Directory, other: Directory): boolean {
  const { entries } = other
  return (
    one.entries.length === entries.length &&
    one.entries.every(
      ({ prefix, grant }, i) => grant === entries[i]!.grant && String(prefix) === String(entries[i]!.prefix)
    )
  )
}
