import type { Reason } from '../verdict/verdict.js'
import type { Counts, SummaryEvent } from './read-event.js'
import type { ProcessId } from './unwrap.js'

const MINUTE = 60_000
/** Time is looked at in slots of this length. */
const SLOT = 10 * MINUTE
/** A guard that rejects writes a summary every hour. This many slots later there is one. */
const SUMMARY_WITHIN = 7
/** Maximum number of processes and of slots that are kept. */
const MAX_KEPT = 10_000
/** Maximum number of processes that are named. */
const NAMED = 3

/** What the log has of one process. */
class LoggedProcess {
  readonly id: ProcessId
  /** Slots with a rejection, and slots with a summary. */
  readonly rejections = new Set<number>()
  readonly summaries = new Set<number>()
  /** Rejections that lines count, and those that summaries count, by reason. */
  readonly #logged: Partial<Record<Reason, number>> = {}
  readonly #total: Partial<Record<Reason, number>> = {}
  /** The rejections that summaries count and lines do not, at the last summary. */
  unlogged: Counts = {}
  /** Whether there was a rejection since the last summary. */
  isOpen = false
  /** Whether a process started after it on the same host, while its last summary was missing. */
  isReplaced = false

  constructor(id: ProcessId) {
    this.id = id
  }

  add(reason: Reason, count: number): void {
    this.#logged[reason] = (this.#logged[reason] ?? 0) + count
  }

  /** Compares with the total of a summary. */
  compare(total: Counts): void {
    const unlogged: Partial<Record<Reason, number>> = {}
    for (const reason of Object.keys(total) as Reason[]) {
      this.#total[reason] = (this.#total[reason] ?? 0) + total[reason]!
    }
    for (const [reason, count] of Object.entries(this.#total) as [Reason, number][]) {
      unlogged[reason] = Math.max(0, count - (this.#logged[reason] ?? 0))
    }
    this.unlogged = unlogged
  }

  /** The first slot with a rejection that no summary follows in time; undefined if there is none. */
  firstGap(lastSlot: number): number | undefined {
    const hasSummary = (slot: number) =>
      Array.from({ length: SUMMARY_WITHIN + 1 }, (_, i) => slot + i).some((later) => this.summaries.has(later))
    const gaps = [...this.rejections].filter((slot) => slot + SUMMARY_WITHIN < lastSlot && !hasSummary(slot))
    return gaps.length === 0 ? undefined : Math.min(...gaps)
  }
}

/** Looks for summaries that are missing: a process that was killed, or lines that got lost. */
export class Processes {
  readonly #byName = new Map<string, LoggedProcess>()
  #lastSlot = Number.NEGATIVE_INFINITY

  /** Counts a rejection and the earlier ones that its line counts. */
  rejected(id: ProcessId, reason: Reason, count: number, time: number | undefined): void {
    const process = this.#of(id)
    process.isOpen = true
    process.isReplaced = false
    process.add(reason, count)
    this.#mark(process.rejections, time)
  }

  /** Counts the rejections of a summary. */
  summarized(id: ProcessId, { suppressed, rejected }: SummaryEvent, time: number | undefined): void {
    this.sawSummary(id, time)
    const process = this.#of(id)
    for (const counts of Object.values(suppressed)) {
      for (const [reason, count] of Object.entries(counts) as [Reason, number][]) process.add(reason, count)
    }
    if (rejected !== undefined) process.compare(rejected)
  }

  /** Notes that there is a summary, which may be of another time than the report. */
  sawSummary(id: ProcessId, time: number | undefined): void {
    const process = this.#of(id)
    process.isOpen = false
    process.isReplaced = false
    this.#mark(process.summaries, time)
  }

  /** A server began to listen: a process of the same host whose last summary is missing may have been killed. */
  started(hostname: string): void {
    for (const process of this.#byName.values()) {
      if (process.isOpen && process.id.hostname === hostname) process.isReplaced = true
    }
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

  /** The rejections that only summaries count: their lines got lost, or come later. */
  unlogged(): Counts {
    const sum: Partial<Record<Reason, number>> = {}
    for (const { unlogged } of this.#byName.values()) {
      for (const [reason, count] of Object.entries(unlogged) as [Reason, number][])
        sum[reason] = (sum[reason] ?? 0) + count
    }
    return sum
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
    if (process.isReplaced)
      return `The last summary of ${name} is missing, and a server started after it: was it killed? ${lost}`
    const gap = process.firstGap(this.#lastSlot)
    if (gap === undefined) return undefined
    const time = new Date(gap * SLOT).toISOString().slice(0, 16).replace('T', ' ')
    return (
      `No summary of ${name} follows the rejections of ${time} UTC within an hour: was it killed, does it log above level "info", or ` +
      `are lines missing? ${lost}`
    )
  }
}
