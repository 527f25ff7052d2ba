import { REASONS, type Reason, sumOf, totalOf } from '../verdict/verdict.js'
import type { Counts, RejectedEvent, SummaryEvent } from './read-event.js'
import type { ProcessId } from './unwrap.js'

const MINUTE = 60_000
/** Time is looked at in slots of this length. */
const SLOT = 10 * MINUTE
/** A guard that rejects writes a summary every hour. This many slots later there is one. */
const SUMMARY_WITHIN = 7
/** Maximum number of processes, of starts, of slots and of senders that are kept. */
const MAX_KEPT = 10_000
/** Maximum number of processes that are named. */
const NAMED = 3

type MutableCounts = Partial<Record<Reason, number>>

/** The part of the time that was asked for. */
export interface Span {
  readonly since: number
  readonly until: number
}

/** What counts of the summaries that are about a span, or about a time beside it as well. */
export interface SummariesOf {
  /** Rejections without a line that any of them counts. */
  readonly withheld: number
  /** Those of summaries that reach beyond the span. */
  readonly beyond: number
  /** Verified requests of summaries inside of the span, and of those that reach beyond it. */
  readonly verified: number
  readonly verifiedBeyond: number
}

/** A rejection, a summary or a start of a process. Files may come in any order, so all of them are judged at the end. */
interface Entry {
  readonly kind: 'rejected' | 'summary' | 'start'
  place: number
  /** Since when a summary counts, in milliseconds since 1970; null where it does not say. */
  readonly since: number | null
  readonly withheld: number
  readonly verified: number
  /** What the summaries up to the next one have to count. */
  readonly counts: MutableCounts
}

/** What the log has of one process. */
class LoggedProcess {
  readonly id: ProcessId
  /** Slots with a rejection, and slots with a summary. */
  readonly rejections = new Set<number>()
  readonly summaries = new Set<number>()
  /** Rejections that lines count, and summaries as those without a line. */
  readonly #logged: MutableCounts = {}
  /** All rejections, by all summaries, by those since the time that was asked for, and by those that were asked for. */
  readonly #total: MutableCounts = {}
  readonly #totalSince: MutableCounts = {}
  readonly #wanted: MutableCounts = {}
  readonly #entries: Entry[] = []
  #isSorted = true
  /** Whether a summary does not say how many rejections there were. */
  #isTotalUnknown = false

  constructor(id: ProcessId) {
    this.id = id
  }

  add(counts: Counts): void {
    addTo(this.#logged, counts)
  }

  addTotal(counts: Counts | undefined, { isSince, isWanted }: SummaryTime): void {
    if (counts === undefined) {
      this.#isTotalUnknown = true
      return
    }
    addTo(this.#total, counts)
    if (isSince) addTo(this.#totalSince, counts)
    if (isWanted) addTo(this.#wanted, counts)
  }

  enter(entry: Entry): void {
    const last = this.#entries.at(-1)
    this.#isSorted &&= last === undefined || last.place <= entry.place
    // Several rejections in a row are as one at the place of the last.
    if (entry.kind === 'rejected' && last?.kind === 'rejected' && last.place <= entry.place) {
      last.place = entry.place
      addTo(last.counts, entry.counts)
    } else if (this.#entries.length < MAX_KEPT) this.#entries.push(entry)
  }

  /** In the order of time. */
  get entries(): readonly Entry[] {
    if (!this.#isSorted) this.#entries.sort((a, b) => a.place - b.place)
    this.#isSorted = true
    return this.#entries
  }

  /** The last rejection that no summary follows; undefined if there is none. */
  get open(): number | undefined {
    const last = this.entries.findLast(({ kind }) => kind !== 'start')
    return last?.kind === 'rejected' ? last.place : undefined
  }

  /** Whether a process started under its name while its last summary was missing. */
  get isKilled(): boolean {
    let isOpen = false
    for (const { kind } of this.entries) {
      if (kind === 'start' && isOpen) return true
      isOpen = kind === 'rejected' || (kind === 'start' && isOpen)
    }
    return false
  }

  /** Whether lines in front of its last summary count more than all summaries. */
  get hasLostSummary(): boolean {
    const last = this.entries.findLast(({ kind }) => kind === 'summary')
    if (this.#isTotalUnknown || last === undefined) return false
    const counted: MutableCounts = {}
    for (const { kind, place, counts } of this.entries) {
      if (kind === 'summary' || place < last.place) addTo(counted, counts)
    }
    return REASONS.some((reason) => (counted[reason] ?? 0) > (this.#totalSince[reason] ?? 0))
  }

  /** What its summaries say of a span. One that does not say since when it counts does so since the one before, or since the start. */
  about({ since, until }: Span): SummariesOf {
    const sums = { withheld: 0, beyond: 0, verified: 0, verifiedBeyond: 0 }
    let before = Number.NEGATIVE_INFINITY
    for (const { kind, place, since: own, withheld, verified } of this.entries) {
      if (kind === 'rejected') continue
      // The clock of the guard may have been set back.
      const from = Math.min(own ?? before, place)
      if (kind === 'summary' && place >= since && from < until) {
        const reachesBeyond = from < since || place >= until
        sums.withheld += withheld
        if (reachesBeyond) sums.beyond += withheld
        sums[reachesBeyond ? 'verifiedBeyond' : 'verified'] += verified
      }
      before = place
    }
    return sums
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

/** What rejections must have in common for one line to count them. */
interface LoggedSender extends Pick<RejectedEvent, 'clientIp' | 'reason'> {
  readonly mode: RejectedEvent['mode'] | null
  readonly withSecret: boolean
}

const senderKey = (id: ProcessId, { clientIp, mode, reason, withSecret }: LoggedSender) =>
  `${nameOf(id)} ${mode} ${reason} ${withSecret} ${clientIp}`

export const nameOf = ({ pid, hostname }: ProcessId) => `${pid}@${hostname}`

/** Whether a summary is of the time that was asked for, or behind it; and whether it is wanted. */
interface SummaryTime {
  readonly isSince: boolean
  readonly isWanted: boolean
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
  readonly #since: number
  #lastSlot = Number.NEGATIVE_INFINITY
  /** Lines without a time are ordered by their place in the log. */
  #lines = 0
  /** The first lines of senders in the time that was asked for. */
  readonly #firsts = new Map<string, number>()

  /** @param since the start of the time that was asked for */
  constructor(since: number) {
    this.#since = since
  }

  /**
   * Counts a rejection and the earlier ones that its line counts.
   *
   * @param isInTime whether a summary of it matters
   */
  rejected(
    id: ProcessId,
    { clientIp, mode, reason, carriesSecret, count }: RejectedEvent,
    { time, isInTime }: { readonly time: number | undefined; readonly isInTime: boolean }
  ): void {
    const process = this.#of(id)
    process.add({ [reason]: count })
    if (!isInTime) return
    const place = this.#placeOf(time)
    const counts: MutableCounts = {}
    // Lines without a time have no order among several files.
    if (time !== undefined) {
      const sender = { clientIp, mode, reason, withSecret: carriesSecret === true }
      counts[reason] = this.#isKnown(id, sender, time) ? count : 1
      this.#know(id, sender, time)
    }
    process.enter({ kind: 'rejected', place, since: null, withheld: 0, verified: 0, counts })
    this.#mark(process.rejections, time)
  }

  /** Counts the rejections of a summary, which may be of another time than the report. */
  summarized(
    id: ProcessId,
    { since, suppressed, suppressedOf, rejected, verified }: SummaryEvent,
    { time, isWanted }: { readonly time: number | undefined; readonly isWanted: boolean }
  ): void {
    const process = this.#of(id)
    const withheld = totalOf(suppressed.reject) + totalOf(suppressed.tag)
    const counts: MutableCounts = {}
    for (const sender of suppressedOf) {
      if (time !== undefined && this.#isKnown(id, sender, time)) addTo(counts, { [sender.reason]: sender.count })
    }
    process.enter({ kind: 'summary', place: this.#placeOf(time), since, withheld, verified, counts })
    this.#mark(process.summaries, time)
    for (const ofMode of Object.values(suppressed)) process.add(ofMode)
    process.addTotal(rejected, { isSince: time === undefined || time >= this.#since, isWanted })
  }

  /**
   * Whether the log has an earlier line of a sender. Its rejections without a line are later than that, so a summary of this log
   * counts them; those of another sender may be older than the log.
   */
  #isKnown(id: ProcessId, sender: LoggedSender, time: number): boolean {
    return time > (this.#firsts.get(senderKey(id, sender)) ?? Number.POSITIVE_INFINITY)
  }

  #know(id: ProcessId, sender: LoggedSender, time: number): void {
    const key = senderKey(id, sender)
    const first = this.#firsts.get(key)
    if (sender.clientIp === null || (first === undefined && this.#firsts.size === MAX_KEPT)) return
    this.#firsts.set(key, Math.min(time, first ?? time))
  }

  /** What all summaries say of a span. */
  about(span: Span): SummariesOf {
    const sums = { withheld: 0, beyond: 0, verified: 0, verifiedBeyond: 0 }
    for (const process of this.#byName.values()) {
      const { withheld, beyond, verified, verifiedBeyond } = process.about(span)
      sums.withheld += withheld
      sums.beyond += beyond
      sums.verified += verified
      sums.verifiedBeyond += verifiedBeyond
    }
    return sums
  }

  /** A server began to listen. A process under its name whose last summary is missing was killed. */
  started(id: ProcessId, time: number | undefined): void {
    const place = this.#placeOf(time)
    this.#of(id).enter({ kind: 'start', place, since: null, withheld: 0, verified: 0, counts: {} })
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
    const name = nameOf(id)
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
    if (gap === undefined) {
      return process.hasLostSummary
        ? `The lines of ${name} count more rejections than its summaries, so one of these is missing: was it killed, or has another guard of it not written its summary yet? ${lost}`
        : undefined
    }
    const time = new Date(gap * SLOT).toISOString().slice(0, 16).replace('T', ' ')
    return (
      `No summary of ${name} follows the rejections of ${time} UTC within an hour: was it killed, does it log above level "info", or ` +
      `are lines missing? ${lost}`
    )
  }

  /** Whether another process started on its host, and its last summary never came. */
  #isReplaced({ id, open }: LoggedProcess): boolean {
    return open !== undefined && this.#starts.some((start) => start.hostname === id.hostname && start.time >= open)
  }
}
