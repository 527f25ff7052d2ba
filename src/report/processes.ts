import { DAY, HOUR, MINUTE } from '../lib/time.js'
import { REASONS, type Reason, sumOf, totalOf } from '../verdict/verdict.js'
import type { Counts, RejectedEvent, SummaryEvent } from './read-event.js'
import type { ProcessId } from './record.js'

/** Time is looked at in slots of this length. */
const SLOT = 10 * MINUTE
/** A guard that rejects writes a summary every hour, unless it is set or hosted otherwise. This many slots later there is one. */
const SUMMARY_WITHIN = 7
/** No log goes on for longer after the last line of a guard. */
const LONGEST_PAUSE = 366 * DAY
/** Maximum number of processes, of starts, of slots and of senders that are kept. */
const MAX_KEPT = 10_000
/** Maximum number of processes that are named. */
const NAMED = 3

const slotOf = (time: number) => Math.floor(time / SLOT)

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
  /** Those of summaries that reach beyond the span or may, and those of lines that may. */
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
  /** How many rejections a summary counts, with a line or without; undefined where it does not say. */
  readonly rejected?: number | undefined
  /** What the summaries up to the next one have to count. */
  readonly counts: MutableCounts
}

/** What the log has of one process. */
class LoggedProcess {
  readonly id: ProcessId
  /** Slots with a rejection, each with the time of its last one, and slots with a summary, each with the first slot that it is about. */
  readonly #rejections = new Map<number, number>()
  readonly summaries = new Map<number, number>()
  /** The last rejection before the time that was asked for, which is no entry yet. */
  #before: number | undefined
  /** Rejections that lines count besides their own, by slot, with the time of the first line. */
  readonly #earlier = new Map<number, { time: number; count: number }>()
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

  addRejection(time: number): void {
    const slot = slotOf(time)
    const last = this.#rejections.get(slot)
    if (last === undefined && this.#rejections.size === MAX_KEPT) return
    this.#rejections.set(slot, Math.max(time, last ?? time))
  }

  /** Notes a rejection before the time that was asked for. Its process may have been killed within that time. */
  addBefore(time: number): void {
    this.#before = Math.max(time, this.#before ?? time)
  }

  addSummary(time: number, since: number | null): void {
    const slot = slotOf(time)
    // One of an earlier version does not say since when it counts.
    const from = since === null ? slot - SUMMARY_WITHIN : slotOf(Math.min(since, time))
    const before = this.summaries.get(slot)
    if (before === undefined && this.summaries.size === MAX_KEPT) return
    this.summaries.set(slot, Math.min(from, before ?? from))
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
    if (this.#before !== undefined) {
      this.#entries.push({ kind: 'rejected', place: this.#before, since: null, withheld: 0, verified: 0, counts: {} })
      this.#before = undefined
      this.#isSorted = false
    }
    if (!this.#isSorted) this.#entries.sort((a, b) => a.place - b.place)
    this.#isSorted = true
    return this.#entries
  }

  /** The last rejection that no summary follows; undefined if there is none. */
  get open(): number | undefined {
    const last = this.entries.findLast(({ kind }) => kind !== 'start')
    return last?.kind === 'rejected' ? last.place : undefined
  }

  /**
   * Whether a process started under its name, in the time that was asked for or behind it, while its last summary was missing. Several
   * processes may have one name: a later summary that counts since before a rejection is of the process that rejected.
   */
  isKilled({ since }: Span): boolean {
    let start = Number.NEGATIVE_INFINITY
    let countedSince = Number.POSITIVE_INFINITY
    for (const entry of this.entries.toReversed()) {
      if (entry.kind === 'start') start = entry.place
      else if (entry.kind === 'rejected') {
        if (start >= Math.max(entry.place, since) && entry.place < countedSince) return true
      } else {
        start = Number.NEGATIVE_INFINITY
        if (entry.rejected !== 0) countedSince = Math.min(countedSince, entry.since ?? Number.POSITIVE_INFINITY)
      }
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

  /**
   * What its summaries say of a span. One that does not say since when it counts does so since the one before, or since the start. A
   * rejection without a line waits up to an hour for the next line of its sender, and so may be older than the summary that counts it.
   */
  about({ since, until }: Span): SummariesOf {
    const sums = { withheld: 0, beyond: 0, verified: 0, verifiedBeyond: 0 }
    let before = Number.NEGATIVE_INFINITY
    let start = Number.NEGATIVE_INFINITY
    for (const { kind, place, since: own, withheld, verified } of this.entries) {
      if (kind === 'rejected') continue
      // The clock of the guard may have been set back.
      const from = Math.min(own ?? before, place)
      if (kind === 'start') start = place
      else if (place >= since) {
        // Nothing is older than the guard that its process started with.
        const oldest = start >= from ? from : Math.max(from - HOUR, start)
        const isBehind = place >= until
        if (oldest < until) sums.withheld += withheld
        if (oldest < until && (oldest < since || isBehind)) sums.beyond += withheld
        if (from < until) sums[from < since || isBehind ? 'verifiedBeyond' : 'verified'] += verified
      }
      before = place
    }
    sums.beyond += this.#earlierBeyond({ since, until })
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

  /**
   * The first slot with a rejection that no summary is about, though there was time for one; undefined if there is none.
   *
   * @param from rejections before this time do not matter
   */
  firstGap(from: number, lastSlot: number): number | undefined {
    const summaries = [...this.summaries].sort(([, a], [, b]) => a - b)
    let summed = Number.NEGATIVE_INFINITY
    let next = 0
    for (const [slot, time] of [...this.#rejections].sort(([a], [b]) => a - b)) {
      if (time < from) continue
      for (; next < summaries.length && summaries[next]![1] <= slot; next++) {
        summed = Math.max(summed, summaries[next]![0])
      }
      if (summed < slot) return slot + SUMMARY_WITHIN < lastSlot ? slot : undefined
    }
    return undefined
  }

  /** @param isBehind whether the line is behind the time that was asked for */
  addEarlier(time: number, count: number, isBehind: boolean): void {
    const place = slotOf(time) + (isBehind ? 0.5 : 0)
    const before = this.#earlier.get(place)
    if (before === undefined && this.#earlier.size === MAX_KEPT) return
    this.#earlier.set(place, { time: Math.min(time, before?.time ?? time), count: count + (before?.count ?? 0) })
  }

  /** The rejections that lines count besides their own, and that may be of a span or of a time beside it. */
  #earlierBeyond({ since, until }: Span): number {
    return [...this.#earlier.values()].reduce((sum, { time, count }) => {
      const from = this.#reachOf(time)
      return from < until && (from < since || time >= until) ? sum + count : sum
    }, 0)
  }

  /**
   * How far back a line may count. A sender gets its next line within an hour, or a summary counts it. Where summaries are further
   * apart, since the option says so or no timer runs, a line may count what is older than the one before.
   */
  #reachOf(time: number): number {
    const next = this.entries.find(({ kind, place }) => kind === 'summary' && place >= time)
    const last = this.entries.findLast(({ kind, place }) => kind !== 'rejected' && place <= time)
    const since = Math.min(time, next?.since ?? last?.place ?? Number.NEGATIVE_INFINITY)
    return (time - since <= SUMMARY_WITHIN * SLOT ? time : since) - HOUR
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
  readonly #span: Span
  /** The latest time of the guard's lines, and the times of the last lines of files. */
  #last = Number.NEGATIVE_INFINITY
  readonly #ends: number[] = []
  /** Lines without a time are ordered by their place in the log. */
  #lines = 0
  /** The first lines of senders in the time that was asked for. */
  readonly #firsts = new Map<string, number>()

  /** @param span the time that was asked for */
  constructor(span: Span) {
    this.#span = span
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
    const { since, until } = this.#span
    if (count > 1 && time !== undefined && time >= since) process.addEarlier(time, count - 1, time >= until)
    if (time !== undefined && time < since) process.addBefore(time)
    if (time !== undefined && time < until) {
      this.#last = Math.max(this.#last, time)
      if (time >= since - HOUR) process.addRejection(time)
    }
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
    const all = rejected && totalOf(rejected)
    process.enter({ kind: 'summary', place: this.#placeOf(time), since, withheld, verified, rejected: all, counts })
    if (time !== undefined) {
      this.#last = Math.max(this.#last, time)
      process.addSummary(time, since)
    }
    for (const ofMode of Object.values(suppressed)) process.add(ofMode)
    process.addTotal(rejected, { isSince: time === undefined || time >= this.#span.since, isWanted })
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

  /** What all lines and summaries say of the time that was asked for. */
  about(): SummariesOf {
    const sums = { withheld: 0, beyond: 0, verified: 0, verifiedBeyond: 0 }
    for (const process of this.#byName.values()) {
      const { withheld, beyond, verified, verifiedBeyond } = process.about(this.#span)
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

  /** The time of the last line of a file, whosever it is. */
  ended(time: number): void {
    this.#ends.push(time)
  }

  /** The slot of the latest line. A line that is not the guard's may have any time, and its clock may be wrong. */
  get #lastSlot(): number {
    const possible = this.#ends.filter((time) => time < this.#last + LONGEST_PAUSE)
    return slotOf(Math.max(this.#last, ...possible))
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
    const lastSlot = this.#lastSlot
    const doubts = [...this.#byName.values()].flatMap((process) => this.#doubtOf(process, lastSlot) ?? [])
    if (doubts.length <= NAMED) return doubts
    return [...doubts.slice(0, NAMED), `The same holds for ${doubts.length - NAMED} other processes.`]
  }

  #doubtOf(process: LoggedProcess, lastSlot: number): string | undefined {
    const { pid, hostname } = process.id
    const name = pid === '' ? 'the server' : `process ${pid}${hostname === '' ? '' : ` on ${hostname}`}`
    const lost = 'Its verified requests and the rejections without a line since then are not counted.'
    const starts = this.#starts.filter((start) => start.hostname === hostname).map(({ time }) => time)
    if (process.isKilled(this.#span) || this.#isReplaced(process, starts))
      return `The last summary of ${name} is missing, and a server started after it: was it killed? ${lost}`
    const { since } = this.#span
    // A process that was replaced before the time that was asked for does not matter.
    const from = starts.reduce((latest, start) => (start < since ? Math.max(latest, start) : latest), since - HOUR)
    const gap = process.firstGap(from, lastSlot)
    if (gap === undefined) {
      return process.hasLostSummary
        ? `The lines of ${name} count more rejections than its summaries, so one of these is missing: was it killed, or has another guard of it not written its summary yet? ${lost}`
        : undefined
    }
    const time = new Date(gap * SLOT).toISOString().slice(0, 16).replace('T', ' ')
    return (
      `No summary of ${name} follows the rejections of ${time} UTC within an hour: was it killed, does it log above level "info", is its ` +
      `next summary still to come (log.summaryEvery, or a server without timers), or are lines missing? ${lost}`
    )
  }

  /** Whether the next start on its host is in the time that was asked for or behind it, and its last summary never came. */
  #isReplaced({ open }: LoggedProcess, starts: readonly number[]): boolean {
    if (open === undefined) return false
    const next = Math.min(...starts.filter((start) => start >= open))
    return next >= this.#span.since && next < Number.POSITIVE_INFINITY
  }
}
