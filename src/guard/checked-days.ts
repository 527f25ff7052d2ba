import type { Directory } from '../directory/directory.js'
import { type Dating, type NotedDay, pastDay } from '../directory/noted-day.js'
import type { OpenSource } from '../directory/source/source.js'
import { isToCome } from './status.js'

/** How many days are kept. Of those of a right clock, the last one is enough; a wrong one notes a day of its own each day. */
const MOST = 100

/**
 * The days on which the list in use was known to be current. The clock decides at each reading which of them is the last one: one that was
 * wrong for a while, in either direction, must not leave anything behind.
 */
export class CheckedDays {
  readonly #clock: Dating
  #inUse: Directory | undefined
  /** By the list itself. */
  #own: readonly NotedDay[] = []
  /** By a watched list without a difference. */
  #confirmed: readonly NotedDay[] = []

  constructor(clock: Dating) {
    this.#clock = clock
  }

  /** A list of a source is in use. */
  follow(directory: Directory, source: OpenSource): void {
    this.#own = this.#ownOf(directory, source)
    this.#confirmed = this.#confirmedOf(directory)
    this.#inUse = directory
  }

  /** A watched list says that the list in use was current on a day. */
  confirm(day: string): void {
    this.#confirmed = this.#with(day, this.#confirmed)
  }

  /** The last day on which a list of a source was known to be current; it need not be in use yet. */
  last(directory: Directory, source: OpenSource): string {
    const noted = [...this.#ownOf(directory, source), ...this.#confirmedOf(directory)]
    return noted
      .map((one) => pastDay(one, this.#clock))
      .sort()
      .at(-1)!
  }

  #ownOf(directory: Directory, { isDatedHere }: OpenSource): readonly NotedDay[] {
    if (directory === this.#inUse) return this.#own
    const day = directory.checked
    const known = this.#isInUse(directory) ? this.#own : []
    // A list from outside whose date was corrected counts by the new date.
    return this.#with(day, isDatedHere ? known : known.filter((one) => one.day <= day))
  }

  #confirmedOf(directory: Directory): readonly NotedDay[] {
    return this.#isInUse(directory) ? this.#confirmed : []
  }

  #isInUse(directory: Directory): boolean {
    return directory === this.#inUse || (this.#inUse !== undefined && isSameList(directory, this.#inUse))
  }

  /** Notes a day. A list that is dated ahead of the clock is not newer each time that it is loaded. */
  #with(day: string, noted: readonly NotedDay[]): readonly NotedDay[] {
    const isKnown = noted.some((one) => one.day === day)
    if (isKnown && isToCome(day, this.#clock.now())) return noted
    const others = noted.filter((one) => one.day !== day)
    return [...others, { day, at: this.#clock.elapsed() }].slice(-MOST)
  }
}

/** Whether two lists have one revision and the same entries: a revision that somebody wrote by hand may have stayed, or begin like another one. */
function isSameList(one: Directory, other: Directory): boolean {
  const { entries } = other
  return (
    one.provenance.revision === other.provenance.revision &&
    one.entries.length === entries.length &&
    one.entries.every(
      ({ prefix, grant }, i) => grant === entries[i]!.grant && String(prefix) === String(entries[i]!.prefix)
    )
  )
}
