import { REASONS, type Reason, sumOf } from '../verdict/verdict.js'
import type { Counts, RejectedEvent, SummaryEvent } from './read-event.js'
import type { ProcessId } from './unwrap.js'

const MINUTE = 60_000
/** Time is looked at in slots of this length. */
const SLOT = 10 * MINUTE
/** A guard that rejects writes a summary every hour. This many slots later there is one. */
const SUMMARY_WITHIN = 7
/** Maximum number of processes, of starts and of slots that are kept. */
const MAX_KEPT = 10_000
/** Maximum number of processes that are named. */
const NAMED = 3

type MutableCounts = Partial<Record<Reason, number>>

/** What the log has of one process. */
class LoggedProcess {
  readonly id: ProcessId
  /** Slots with a rejection, and slots with a summary. */
  readonly rejections = new Set<number>()
  readonly summaries = new Set<number>()
  /** Rejections that lines count, and summaries as those without a line. */
  readonly #logged: MutableCounts = {}
  /** All rejections, by all summaries and by those that were asked for. */
  readonly #total: MutableCounts = {}
  readonly #wanted: MutableCounts = {}
  /** When it started, rejected and wrote a summary last. */
  started = Number.NEGATIVE_INFINITY
  rejected = Number.NEGATIVE_INFINITY
  summarized = Number.NEGATIVE_INFINITY
  /** Whether a process started under its name while its last summary was missing. */
  isKilled = false

  constructor(id: ProcessId) {
    this.id = id
  }

  /** Whether it rejected since its last summary. */
  get isOpen(): boolean {
    return this.rejected > this.summarized
  }

  add(counts: Counts): void {
    addTo(this.#logged, counts)
  }

  addTotal(counts: Counts, isWanted: boolean): void {
    addTo(this.#total, counts)
    if (isWanted) addTo(this.#wanted, counts)
  }

  /** The rejections that only summaries count. Files may come in any order, so all of them are compared. */
  get missing(): Counts {
    return countsBy((reason) => (this.#total[reason] ?? 0) - (this.#logged[reason] ?? 0))
  }

  /** Those of them that the summaries can be about that were asked for. */
  get unlogged(): Counts {
    const { missing } = this
    return countsBy((reason) => Math.min(missing[reason] ?? 0, this.#wanted[reason] ?? 0))
  }

  /** The first slot with a rejection that no summary follows in time; undefined if there is none. */
  firstGap(lastSlot: number): number | undefined {
    const hasSummary = (slot: number) =>
      Array.from({ length: SUMMARY_WITHIN + 1 }, (_, i) => slot + i).some((later) => this.summaries.has(later))
    const gaps = [...this.rejections].filter((slot) => slot + SUMMARY_WITHIN < lastSlot && !hasSummary(slot))
    return gaps.length === 0 ? undefined : Math.min(...gaps)
  }
}

function addTo(counts: MutableCounts, more: Counts): void {
  for (const [reason, count] of Object.entries(more) as [Reason, number][])
    counts[reason] = (counts[reason] ?? 0) + count
}

/** Counts by reason, without those that are not above zero. */
function countsBy(countOf: (reason: Reason) => number): Counts {
  return Object.fromEntries(
    REASONS.map((reason) => [reason, countOf(reason)] as const).filter(([, count]) => count > 0)
  )
}

/** A server that began to listen. */
interface Start {
  readonly hostname: string
  readonly time: number
}

/** Looks for summaries that are missing: a process that was killed, or lines that got lost. */
export class Processes {
  readonly #byName = new Map<string, LoggedProcess>()
  readonly #starts: Start[] = []
  #lastSlot = Number.NEGATIVE_INFINITY
  /** Lines without a time are ordered by their place in the log. */
  #lines = 0

  /**
   * Counts a rejection and the earlier ones that its line counts.
   *
   * @param isInTime whether a summary of it matters
   */
  rejected(
    id: ProcessId,
    { reason, count }: Pick<RejectedEvent, 'reason' | 'count'>,
    { time, isInTime }: { readonly time: number | undefined; readonly isInTime: boolean }
  ): void {
    const process = this.#of(id)
    process.add({ [reason]: count })
    if (!isInTime) return
    process.rejected = Math.max(process.rejected, this.#placeOf(time))
    this.#mark(process.rejections, time)
  }

  /** Counts the rejections of a summary, which may be of another time than the report. */
  summarized(
    id: ProcessId,
    { suppressed, rejected }: SummaryEvent,
    { time, isWanted }: { readonly time: number | undefined; readonly isWanted: boolean }
  ): void {
    const process = this.#of(id)
    process.summarized = Math.max(process.summarized, this.#placeOf(time))
    this.#mark(process.summaries, time)
    for (const counts of Object.values(suppressed)) process.add(counts)
    if (rejected !== undefined) process.addTotal(rejected, isWanted)
  }

  /** Since when the next summary of a process counts: its last one, or its start. */
  countedFrom(id: ProcessId): number {
    const { started, summarized } = this.#of(id)
    return Math.max(started, summarized)
  }

  /** A server began to listen. A process under its name whose last summary is missing was killed. */
  started(id: ProcessId, time: number | undefined): void {
    const process = this.#of(id)
    const place = this.#placeOf(time)
    if (process.isOpen && process.rejected <= place) process.isKilled = true
    process.started = Math.max(process.started, place)
    if (this.#starts.length < MAX_KEPT) this.#starts.push({ hostname: id.hostname, time: place })
  }

  #placeOf(time: number | undefined): number {
    this.#lines++
    return time ?? this.#lines
  }

  /** The latest time of any line. */
  seen(time: number): void {
    this.#lastSlot = Math.max(this.#lastSlot, Math.floor(time / SLOT))
  }

  #of(id: ProcessId): LoggedProcess {
    const name = `${id.pid}@${id.hostname}`
    let process = this.#byName.get(name)
    if (process === undefined) {
      process = new LoggedProcess(id)
      if (this.#byName.size < MAX_KEPT) this.#byName.set(name, process)
    }
    return process
  }

  #mark(slots: Set<number>, time: number | undefined): void {
    if (time === undefined) return
    this.seen(time)
    if (slots.size < MAX_KEPT) slots.add(Math.floor(time / SLOT))
  }

  /** The rejections that only summaries count: their lines got lost. */
  missing(): Record<Reason, number> {
    return sumOf(...[...this.#byName.values()].map(({ missing }) => missing))
  }

  /** Those of them that are of the time that was asked for. */
  unlogged(): Record<Reason, number> {
    return sumOf(...[...this.#byName.values()].map(({ unlogged }) => unlogged))
  }

  /** A sentence for each process whose summaries are missing, in the order of the log. */
  doubts(): string[] {
    const doubts = [...this.#byName.values()].flatMap((process) => this.#doubtOf(process) ?? [])
    if (doubts.length <= NAMED) return doubts
    return [...doubts.slice(0, NAMED), `The same holds for ${doubts.length - NAMED} other processes.`]
  }

  #doubtOf(process: LoggedProcess): string | undefined {
    const { pid, hostname } = process.id
    const name = pid === '' ? 'the server' : `process ${pid}${hostname === '' ? '' : ` on ${hostname}`}`
    const lost = 'Its verified requests and the rejections without a line since then are not counted.'
    if (process.isKilled || this.#isReplaced(process))
      return `The last summary of ${name} is missing, and a server started after it: was it killed? ${lost}`
    const gap = process.firstGap(this.#lastSlot)
    if (gap === undefined) return undefined
    const time = new Date(gap * SLOT).toISOString().slice(0, 16).replace('T', ' ')
    return (
      `No summary of ${name} follows the rejections of ${time} UTC within an hour: was it killed, does it log above level "info", or ` +
      `are lines missing? ${lost}`
    )
  }

  /** Whether another process started on its host, and its last summary never came. */
  #isReplaced({ id, isOpen, rejected }: LoggedProcess): boolean {
    return isOpen && this.#starts.some((start) => start.hostname === id.hostname && start.time >= rejected)
  }
}
