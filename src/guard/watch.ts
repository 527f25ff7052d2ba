import { comparison, type DirectoryDiff } from '../directory/diff.js'
import type { Directory, Grant } from '../directory/directory.js'
import { DATA_CENTERS, type DataCenter } from '../directory/names.js'
import { SOURCE } from '../directory/source/read-source.js'
import type { OpenSource, SourceOption } from '../directory/source/source.js'
import type { Problem, Suspicion, SuspiciousReason } from '../errors.js'
import { type Prefix, parsePrefix } from '../ip/prefix.js'
import { frozen } from '../lib/frozen.js'
import type { OptionRule, OptionTable, OptionValues } from '../lib/option.js'
import { callback } from '../lib/option-rules.js'
import { atOnce, inSlices, type Steps } from '../lib/steps.js'
import { type Clock, DAY } from '../lib/time.js'
import { Refresh } from './refresh.js'
import type { GuardStatus, WatchMetrics, WatchStatus } from './status.js'
import { suspicionsOf, unconfirmed } from './suspicions.js'

/** A second source that is compared with the list in use. */
export interface WatchOptions {
  /**
   * A source that is loaded and only compared with the list in use, never applied: such as MoEngage's help page beside the bundled
   * list. A source without an interval is loaded once a day (none).
   */
  readonly watch?: SourceOption | undefined
  /**
   * Called when the watched source begins to differ from the list in use, differs in something else, or has the same list again
   * (`differences.same`). An error that it throws is logged once.
   */
  readonly onDrift?: ((differences: DirectoryDiff, status: GuardStatus) => void) | undefined
}

/** Options that concern the watched source, by name. */
export const WATCH_OPTIONS = {
  // Without the group of the source: advice about an option at a wrong place names one place.
  watch: {
    read: SOURCE.read,
    fallback: undefined,
    example: `{ page: 'https://example.com/ip-whitelisting-in-moengage.mdx' }`
  } as OptionRule<OpenSource | undefined>,
  onDrift: callback<NonNullable<WatchOptions['onDrift']>>('(differences) => console.log(differences.added)')
} satisfies OptionTable

/** {@link WatchOptions} that are right. */
export type WatchSettings = Readonly<OptionValues<typeof WATCH_OPTIONS>>

/** What a watch compares with, and reports to. */
export interface WatchTo {
  readonly inUse: () => Directory
  /** Called when there is no difference, with the day on which the watched list was last known to be current. */
  readonly confirm: (day: string) => void
  /** Called when the differences are others than before, or a load fails for another reason than before. */
  readonly notify: (news: 'drift' | 'failure') => void
  /** Suspicions that the options of the guard confirm. */
  readonly confirmed: ReadonlySet<Suspicion>
}

/** What the guard makes of an address that only the watched source has. */
export interface Accepting {
  /** The data centers that the guard accepts. */
  readonly dataCenters: readonly DataCenter[]
  /** Whether a prefix is neither accepted nor denied, and may be a sender's. */
  readonly lacks: (prefix: Prefix) => boolean
}

/** How the watched list differs from the one in use, and why it would be refused in its place. */
interface Compared {
  readonly differences: DirectoryDiff
  readonly suspicions: readonly SuspiciousReason[]
}

/** Loads a second source and compares it with the list in use. */
export class Watch {
  readonly #source: OpenSource
  readonly #to: WatchTo
  readonly #clock: Clock
  readonly #refresh: Refresh
  #watched: Directory | undefined
  #compared: Compared | null = null
  /** What the differences consist of; empty while there is none. */
  #drift = ''
  #since: number | null = null
  #failingSince: number | null = null

  constructor(source: OpenSource, to: WatchTo, clock: Clock) {
    this.#source = source
    this.#to = to
    this.#clock = clock
    const prepare = async (directory: Directory) => {
      const report = await this.#compare(to.inUse, () => directory)
      return () => {
        this.#watched = directory
        report()
      }
    }
    const count = () => {
      // A load that succeeds need not end what else the source failed with.
      this.#failingSince = this.#refresh.lastError === null ? null : (this.#failingSince ?? clock.now())
    }
    const notify = (error: Error | null) => {
      if (error !== null) to.notify('failure')
    }
    const daily = { ...source, interval: source.interval ?? DAY }
    this.#refresh = new Refresh(daily, { prepare, count, notify }, clock, { isLoaded: false })
  }

  /** Compares with a list that is about to come into use; what it returns reports the outcome when it is in use. */
  async prepare(next: Directory): Promise<() => void> {
    return this.#compare(
      () => next,
      () => this.#watched
    )
  }

  /** Compares in slices. If one of the two lists is another one when the outcome is reported, they are compared again, at once. */
  async #compare(inUse: () => Directory, watched: () => Directory | undefined): Promise<() => void> {
    const [before, after] = [inUse(), watched()]
    const compared = after && (await inSlices(this.#comparing(before, after)))
    return () => {
      const now = watched()
      if (now === undefined) return
      const isCurrent = compared !== undefined && before === inUse() && after === now
      this.#report(isCurrent ? compared : atOnce(this.#comparing(inUse(), now)))
    }
  }

  *#comparing(inUse: Directory, watched: Directory): Steps<Compared> {
    const differences = frozen(yield* comparison(inUse, watched))
    const found = yield* suspicionsOf(watched, inUse, [], this.#clock.now())
    return { differences, suspicions: unconfirmed(found, this.#to.confirmed, this.#source) }
  }

  #report(compared: Compared): void {
    const { same, added, removed, moved, cells, unknown } = compared.differences
    const drift = same ? '' : JSON.stringify([added, removed, moved, cells, unknown])
    this.#compared = compared
    if (same) this.#to.confirm(this.#watched!.checked)
    if (drift === this.#drift) return
    this.#drift = drift
    this.#since = same ? null : (this.#since ?? this.#clock.now())
    this.#to.notify('drift')
  }

  status(): WatchStatus {
    return {
      source: this.#source.name,
      checkedAt: this.#watched === undefined ? null : this.#refresh.loadedAt,
      revision: this.#watched?.revision ?? null,
      differences: this.#compared?.differences ?? null,
      since: this.#since,
      error: this.#refresh.lastError
    }
  }

  metrics(): WatchMetrics {
    const { differences, checkedAt, error } = this.status()
    return { differences: differences === null ? null : countOf(differences), checkedAt, failing: error !== null }
  }

  warnings(accepting: Accepting): Problem[] {
    const { source, since, error } = this.status()
    const warnings: Problem[] = []
    if (since !== null) warnings.push(driftWarning(source, this.#compared!, since, accepting))
    if (error !== null) {
      warnings.push({
        code: 'MOE_WARN_WATCH',
        path: 'watch',
        value: source,
        message: `The watched source has been failing since ${timeText(this.#failingSince!)}: ${error}`,
        fix: 'Until it works again, a change of its list may not be noticed.'
      })
    }
    return warnings
  }

  close(): void {
    this.#refresh.close()
  }
}

const countOf = ({ added, removed, moved, cells, unknown }: DirectoryDiff) =>
  added.length + removed.length + moved.length + cells.length + unknown.length

const timeText = (time: number) => new Date(time).toISOString().replace(/\.\d+/, '')

/** Maximum number of addresses that a warning names. */
const NAMED = 5

function driftWarning(
  source: string,
  { differences, suspicions }: Compared,
  since: number,
  accepting: Accepting
): Problem {
  const { added, removed, moved, cells, unknown, after } = differences
  const counts = [
    [added.length, 'added'],
    [removed.length, 'removed'],
    [moved.length, 'moved'],
    [cells.length, `cell${cells.length === 1 ? '' : 's'} changed`],
    [unknown.length, `unknown row${unknown.length === 1 ? '' : 's'} changed`]
  ] as const
  const what = counts.flatMap(([count, name]) => (count === 0 ? [] : [`${count} ${name}`])).join(', ')
  const touched = [
    ...[...added, ...removed].flatMap(({ grants }) => grants),
    ...moved.flatMap(({ lost, gained }) => [...lost, ...gained]),
    ...cells
  ].map(({ dataCenter }) => dataCenter)
  const own = DATA_CENTERS.filter(
    (dataCenter) => touched.includes(dataCenter) && accepting.dataCenters.includes(dataCenter)
  )
  const concerned = own.length === 0 ? 'no data center that this guard accepts' : own.join(', ')
  const isOwn = ({ dataCenter }: Grant) => own.includes(dataCenter)
  const ofOwn = added.filter(({ grants }) => grants.some(isOwn))
  const missing = ofOwn.length > NAMED ? [] : ofOwn.map(({ prefix }) => parsePrefix(prefix)).filter(accepting.lacks)
  const paste =
    missing.length === 0
      ? ''
      : ` To accept what was added until then: allow: [${missing.map((prefix) => `'${prefix}'`).join(', ')}].`
  return {
    code: 'MOE_WARN_DRIFT',
    path: 'watch',
    value: source,
    message: `"${source}", revision ${after.revision.slice(0, 12)}, differs from the list in use since ${timeText(since)}: ${what}. It concerns ${concerned}.`,
    fix:
      suspicions.length === 0
        ? `Look at the differences and update the list.${paste}`
        : `Look at the differences before you accept any of them. ${suspicions.map(({ message }) => message).join(' ')}`
  }
}
