import { type Finding, findingsOf } from '../evidence/findings.js'
import { HOUR } from '../lib/time.js'
import { counted, diagnose } from '../senders/diagnosis.js'
import type { PlacesContext } from '../senders/places.js'
import { Refusals } from '../senders/refusals.js'
import { type AddressBook, type Sender, Senders } from '../senders/senders.js'
import { isRefusal, isUnresolved, noCounts, REASONS, type Reason, sumOf, totalOf } from '../verdict/verdict.js'
import { type CanReject, canReject, type Genuine, genuine, knownOf, unlistedWithSecret } from './conclusion.js'
import { type Bar, Histogram } from './histogram.js'
import { timeOfLine } from './log-time.js'
import { PartialLines } from './partial-lines.js'
import { Processes } from './processes.js'
import { type LoggedEvent, type RejectedEvent, readEvent, type SummaryEvent } from './read-event.js'
import type { LineSink } from './read-lines.js'
import type { FoundRecord } from './record.js'
import { adviceFor, MANY_IN_ONE_LINE } from './unreadable.js'
import { findRecords, mentions, mentionsEvent } from './unwrap.js'
import { WithoutSecretLog } from './without-secret.js'

/** The part of a log to report on. */
export interface ReportFilter {
  /** Milliseconds since 1970; lines without a time are left out if one of both is given. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Patterns of routes; all of them if empty. Summaries do not name routes, so they are left out. */
  readonly routes?: readonly string[] | undefined
}

/** Numbers of rejections, by reason. */
export interface Rejections {
  readonly total: number
  readonly byReason: Readonly<Record<Reason, number>>
}

/** The report on a log. */
export interface Report {
  readonly lines: {
    /** All lines that are not blank. */
    readonly read: number
    /** Lines among them that hold none of the words of a record, and were not looked at further. */
    readonly skipped: number
    /** Lines with one of our records, in the part of the log that was asked for. */
    readonly own: number
    /** Lines that mention a record and could not be read. */
    readonly unreadable: number
  }
  /** What our records were taken out of, with the number of records. */
  readonly unwrapped: readonly { readonly wrapping: string; readonly records: number }[]
  /** The first line that could not be read, and how to make it readable; null if there is none. */
  readonly firstUnreadable: { readonly text: string; readonly advice: string } | null
  /** The times of our first and last line (ISO 8601); null if no line has one. */
  readonly from: string | null
  readonly to: string | null
  /** Number of verified requests; null if no summary counts them. */
  readonly verified: number | null
  /** Those of them that `allow` alone verified, the option's or an override's; null if no summary counts them. */
  readonly verifiedByAllow: number | null
  /** Requests that were rejected, and those that mode "tag" let through. */
  readonly rejected: Rejections
  readonly tagged: Rejections
  /** Rejections that summaries count, and that have neither a line nor a mode. */
  readonly unlogged: Rejections
  /** Rejected senders, those with the highest counts first. */
  readonly senders: readonly Sender[]
  /** The senders that are not among them, and how often they were rejected; `isLeast` where there were more of them than are remembered. */
  readonly moreSenders: { readonly senders: number; readonly isLeast: boolean; readonly rejections: number }
  /** Number of rejections without a known sender: counted by a summary, or without a client IP. */
  readonly withoutSender: number
  /** Rejections over time, and the width of a bar in milliseconds. */
  readonly histogram: { readonly width: number; readonly bars: readonly Bar[] }
  readonly diagnosis: readonly string[]
  /** What the secret gives away, with what to paste; empty for a log of guards without `carriesSecret`. */
  readonly evidence: readonly Finding[]
  /** What was assumed, a sentence each. */
  readonly notes: readonly string[]
  /** Why the counts may be too low, a sentence each. */
  readonly doubts: readonly string[]
  /** Null for a log in mode "reject". */
  readonly canReject: CanReject | null
  /** Null if no request was rejected. */
  readonly genuine: Genuine | null
}

/** Maximum number of senders that are kept. */
const MAX_SENDERS = 10_000
/** Maximum number of routes of a log that are named where others were asked for. */
const MAX_SHOWN_ROUTES = 10
/** Maximum number of revisions of the list that are named. */
const MAX_REVISIONS = 3
/** Maximum number of ways to wrap a record that are told apart. */
const MAX_WRAPPINGS = 20
/** How far zones are from UTC. */
const EAST = 14 * HOUR
const WEST = 12 * HOUR
/** Maximum number of files that are compared. */
const MAX_FILES = 10_000
/** The start of an unreadable line that is shown. */
const MAX_SHOWN = 200

/** Makes a report of a log in constant memory. */
export class ReportBuilder implements LineSink {
  readonly #filter: { readonly since: number; readonly until: number; readonly routes: readonly string[] }
  readonly #lines = { read: 0, skipped: 0, own: 0, unreadable: 0 }
  readonly #wrappings = new Map<string, number>()
  readonly #counts = { reject: noCounts(), tag: noCounts() }
  readonly #senders = new Senders(MAX_SENDERS, undefined)
  readonly #refusals = new Refusals()
  /** Facts about senders that are listed or were: not more than MoEngage's page has addresses. */
  readonly #about = new Map<string, Pick<Sender, 'listedFor' | 'removed'>>()
  readonly #dataCenters = new Set<string>()
  /** Addresses that are part of the receiver's own set-up. */
  readonly #own = new Set<string>()
  readonly #withoutSecret = new WithoutSecretLog()
  readonly #revisions = new Set<string>()
  /** Rejections for `not-listed` that are known not to carry the secret. */
  #unlistedWithoutSecret = 0
  /** Rejections with the secret whose sender no line names. */
  #unnamedWithSecret = 0
  /** Rejections for `not-listed` of addresses of the receiver's own set-up that no line names. */
  #unnamedOwn = 0
  /** Rejections with the secret and without a client IP. */
  #unresolvedWithSecret = 0
  readonly #histogram = new Histogram()
  readonly #processes: Processes
  readonly #damages: string[] = []
  /** The first record of each file that has a time, with the name of the file. */
  readonly #firsts = new Map<string, string>()
  #isFirst = true
  /** Files that begin with the same record as an earlier one. */
  readonly #copies: string[] = []
  #firstUnreadable: Report['firstUnreadable'] = null
  #withoutTime = 0
  #zonesAssumed = 0
  /** Those of them that another zone would move into the time that was asked for, or out of it. */
  #doubtfulZones = 0
  /** Lines of guards without a list. */
  #notJudged = 0
  /** Messages that journald has left out. */
  #leftOut = 0
  /** Routes that were asked for, and that no line names so far. */
  readonly #unknownRoutes: Set<string>
  /** Routes that lines name. */
  readonly #routes = new Set<string>()
  /** Rejections that a line counts without their route, where routes were asked for. */
  #withoutRoute = 0
  #hasSummary = false
  #withoutSender = 0
  #verified: number | null = null
  #verifiedByAllow: number | null = null
  #from = Number.POSITIVE_INFINITY
  #to = Number.NEGATIVE_INFINITY
  #file = ''
  #last = ''
  #hasUnwanted = false
  /** The last line, if it is a message of the guard without its record: pino-pretty writes that over the lines behind it. */
  #message: string | undefined
  readonly #partial = new PartialLines()

  constructor({ since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, routes = [] }: ReportFilter = {}) {
    this.#filter = { since, until, routes }
    this.#unknownRoutes = new Set(routes)
    this.#processes = new Processes({ since, until })
  }

  /** Whether a part of the time was asked for. */
  get #isPartOfTime(): boolean {
    const { since, until } = this.#filter
    return Number.isFinite(since) || Number.isFinite(until)
  }

  /** Begins a file. */
  file(name: string): void {
    this.#endFile()
    this.#file = name
    this.#isFirst = true
  }

  /** Two lines of one process at one time, with the same fields, are one line. */
  #lookForCopy({ record, time, process }: FoundRecord): void {
    if (!this.#isFirst || time === undefined) return
    this.#isFirst = false
    const key = JSON.stringify([time, process, record])
    const before = this.#firsts.get(key)
    if (before !== undefined) this.#copies.push(`${before} and ${this.#file}`)
    else if (this.#firsts.size < MAX_FILES) this.#firsts.set(key, this.#file)
  }

  /** A log goes on to its last line, also if that is not ours. */
  #endFile(): void {
    for (const line of this.#partial.takeOpen()) this.#read(line)
    this.#endMessage()
    const time = timeOfLine(this.#last)
    if (time !== undefined) this.#processes.ended(time)
    this.#last = ''
  }

  damaged(what: string): void {
    const sentence = `${this.#file} ${what}; all that could be unpacked is counted.`
    if (!this.#damages.includes(sentence)) this.#damages.push(sentence)
  }

  matters(part: string): boolean {
    return mentions(part)
  }

  tooLong(start: string, hasMattered: boolean): void {
    this.#lines.read++
    if (hasMattered) this.#unreadable(start, MANY_IN_ONE_LINE)
  }

  line(line: string): boolean {
    if (line.trim() !== '') this.#lines.read++
    const whole = this.#partial.add(line)
    if (whole !== undefined) this.#read(whole)
    return this.#partial.isOpen
  }

  #read(line: string): void {
    // To JavaScript, a byte order mark and the CR of CRLF are white space.
    const text = line.trim()
    if (text === '') return
    this.#last = text
    const content = findRecords(text)
    if (content === undefined) return
    // A record that a message announced is one doubt with it.
    if (content.unreadable === 0 || content.hasMessage) this.#endMessage()
    this.#message = undefined
    for (const { process, time } of content.starts) this.#processes.started(process, time)
    for (const { time } of content.notJudged) {
      if (this.#isInTime(time)) this.#notJudged++
      else this.#hasUnwanted = true
    }
    this.#leftOut += content.leftOut
    const added = content.records.map((found) => this.#add(found))
    if (added.includes('counted')) this.#lines.own++
    if (content.unreadable === 0 && !added.includes('unreadable')) return
    if (mentionsEvent(text)) this.#unreadable(text, adviceFor(text))
    else this.#message = text
  }

  skipped(count: number, last: string | undefined): void {
    this.#lines.read += count
    this.#lines.skipped += count
    if (last !== undefined) this.#last = last
  }

  #endMessage(): void {
    if (this.#message !== undefined) this.#unreadable(this.#message, adviceFor(this.#message))
    this.#message = undefined
  }

  #unreadable(text: string, advice: string): void {
    this.#lines.unreadable++
    this.#firstUnreadable ??= { text: text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text, advice }
  }

  #add(found: FoundRecord): 'counted' | 'unwanted' | 'unreadable' {
    const { record, time, isZoneAssumed, process, wrapping } = found
    const read = readEvent(record)
    if (read === undefined) return 'unreadable'
    this.#lookForCopy(found)
    if (read.event !== 'summary' && read.route !== null) this.#noteRoute(read.route)
    const isInTime = this.#isInTime(time)
    const event = this.#ofOneRoute(read, isInTime)
    const isWanted = isInTime && this.#isOnRoute(event)
    if (isZoneAssumed && this.#dependsOnZone(time!)) this.#doubtfulZones++
    if (read.event === 'rejected') {
      this.#processes.rejected(process, read, { time, isInTime })
    } else if (read.event === 'summary') {
      this.#hasSummary = true
      this.#processes.summarized(process, read, { time, isWanted })
    }
    if (!isWanted) {
      this.#hasUnwanted = true
      return 'unwanted'
    }
    if (wrapping !== '' && (this.#wrappings.has(wrapping) || this.#wrappings.size < MAX_WRAPPINGS)) {
      this.#wrappings.set(wrapping, (this.#wrappings.get(wrapping) ?? 0) + 1)
    }
    let count = 0
    if (event.event === 'rejected') {
      count = this.#addRejected(event, time)
    } else if (event.event === 'without-secret') {
      this.#withoutSecret.line(process, event)
    } else {
      this.#withoutSecret.summary(process, event.verifiedWithoutSecret)
      count = this.#addSummary(event, time)
    }
    if (isZoneAssumed) this.#zonesAssumed++
    if (time === undefined) return 'counted'
    this.#from = Math.min(this.#from, time)
    this.#to = Math.max(this.#to, time)
    if (count > 0) this.#histogram.add(time, count)
    return 'counted'
  }

  #noteRoute(route: string): void {
    this.#unknownRoutes.delete(route)
    if (this.#routes.size < MAX_SHOWN_ROUTES) this.#routes.add(route)
  }

  #isInTime(time: number | undefined): boolean {
    if (!this.#isPartOfTime) return true
    if (time === undefined) this.#withoutTime++
    return time !== undefined && time >= this.#filter.since && time < this.#filter.until
  }

  /** Whether a zone of the earth would move a time over a border of what was asked for. */
  #dependsOnZone(time: number): boolean {
    const { since, until } = this.#filter
    return [since, until].some((border) => time - EAST < border && border <= time + WEST)
  }

  #isOnRoute(event: LoggedEvent): boolean {
    const { routes } = this.#filter
    return routes.length === 0 || (event.event !== 'summary' && event.route !== null && routes.includes(event.route))
  }

  /** A line names the route of its own request. The earlier ones that it counts may be of others. */
  #ofOneRoute(event: LoggedEvent, isInTime: boolean): LoggedEvent {
    const { routes } = this.#filter
    if (routes.length === 0 || event.event === 'summary' || event.count === 1) return event
    if (event.event === 'rejected' && isInTime) this.#withoutRoute += event.count - 1
    return { ...event, count: 1 }
  }

  #addRejected(event: RejectedEvent, time: number | undefined): number {
    const { mode, reason, clientIp, route, count, revision, carriesSecret } = event
    this.#counts[mode][reason] += count
    for (const dataCenter of event.dataCenters) this.#dataCenters.add(dataCenter)
    if (revision !== null && this.#revisions.size < MAX_REVISIONS) this.#revisions.add(revision)
    const withSecret = carriesSecret === true
    if (reason === 'not-listed' && carriesSecret === false) this.#unlistedWithoutSecret += count
    if (clientIp === null) {
      this.#withoutSender += count
      if (withSecret && isUnresolved(reason)) this.#unresolvedWithSecret += count
      else if (withSecret) this.#unnamedWithSecret += count
      if (event.isOwn && reason === 'not-listed') this.#unnamedOwn += count
      return count
    }
    if (event.isOwn && this.#own.size < MAX_SENDERS) this.#own.add(clientIp)
    this.#senders.record({ key: clientIp, reason, pattern: route, time: time ?? 0, count, withSecret, policies: 0 })
    const { dataCenters, channels } = event
    if (isRefusal(reason) && dataCenters.length > 0) {
      this.#refusals.note(clientIp, { reason, route, dataCenters, channels })
    }
    this.#learn(clientIp, event)
    return count
  }

  #learn(clientIp: string, { listedFor, removed }: Pick<Sender, 'listedFor' | 'removed'>): void {
    if ((listedFor.length > 0 || removed !== null) && this.#about.size < MAX_SENDERS) {
      this.#about.set(clientIp, { listedFor, removed })
    }
  }

  #addSummary(summary: SummaryEvent, time: number | undefined): number {
    const { suppressed, suppressedOf, suppressedWithSecret, verified, verifiedByAllow, top } = summary
    let count = 0
    this.#unnamedWithSecret += suppressedWithSecret
    for (const mode of ['reject', 'tag'] as const) {
      for (const reason of REASONS) {
        const withheld = suppressed[mode][reason] ?? 0
        this.#counts[mode][reason] += withheld
        count += withheld
      }
    }
    this.#withoutSender += count
    for (const { clientIp, reason, count, withSecret } of suppressedOf) {
      this.#senders.record({ key: clientIp, reason, pattern: null, time: time ?? 0, count, withSecret, policies: 0 })
      this.#withoutSender -= count
      if (withSecret) this.#unnamedWithSecret -= count
    }
    for (const { clientIp, listedFor } of top) this.#learn(clientIp, { listedFor, removed: null })
    this.#verified = (this.#verified ?? 0) + verified
    if (verifiedByAllow !== null) this.#verifiedByAllow = (this.#verifiedByAllow ?? 0) + verifiedByAllow
    return count
  }

  /** @param limit maximum number of senders to list */
  report(limit: number): Report {
    this.#endFile()
    const { reject, tag } = this.#counts
    const unlogged = this.#processes.unlogged()
    const all = sumOf(reject, tag, unlogged)
    const book: AddressBook = {
      listedFor: (clientIp) => this.#about.get(clientIp)?.listedFor ?? [],
      removed: (clientIp) => this.#about.get(clientIp)?.removed ?? null,
      isOwn: (clientIp) => this.#own.has(clientIp)
    }
    const time = (at: number) => (Number.isFinite(at) ? new Date(at).toISOString() : null)
    const doubts = this.#doubts()
    const findings = this.#findings(book)
    const everyone = this.#senders.list(book)
    const senders = this.#senders.list(book, { limit })
    const known = knownOf(everyone)
    const evidence = (rejected: Readonly<Record<Reason, number>>) => ({
      span: this.#to - this.#from,
      hasVerified: this.#hasVerified || (this.#verified === 0 ? false : null),
      aboutVerified: this.#aboutVerified(),
      rejected,
      ...known,
      findings,
      unlistedWithSecret: unlistedWithSecret(everyone),
      unnamedWithSecret: Math.max(0, this.#unnamedWithSecret),
      withoutSecret: Math.min(rejected['not-listed'], this.#unlistedWithoutSecret),
      isIncomplete: doubts.length > 0
    })
    const rejected = rejectionsOf(reject)
    const tagged = rejectionsOf(tag)
    return {
      lines: { ...this.#lines },
      unwrapped: [...this.#wrappings].map(([wrapping, records]) => ({ wrapping, records })),
      firstUnreadable: this.#firstUnreadable,
      from: time(this.#from),
      to: time(this.#to),
      verified: this.#verified,
      verifiedByAllow: this.#verifiedByAllow,
      rejected,
      tagged,
      unlogged: rejectionsOf(unlogged),
      senders,
      moreSenders: {
        senders: everyone.length - senders.length,
        isLeast: this.#senders.isCrowd,
        rejections:
          rejected.total + tagged.total - this.#withoutSender - senders.reduce((sum, { count }) => sum + count, 0)
      },
      withoutSender: this.#withoutSender,
      histogram: { width: this.#histogram.width, bars: this.#histogram.bars() },
      diagnosis: [
        ...findings.map(({ sentence }) => sentence),
        ...diagnose({
          hasVerified: this.#hasVerified,
          rejected: all,
          own: this.#senders
            .list(book, { reason: 'not-listed', isWanted: (clientIp) => this.#own.has(clientIp) })
            .reduce((sum, { reasons }) => sum + reasons['not-listed']!, this.#unnamedOwn),
          ...this.#places(),
          senders: (query) => this.#senders.list(book, query),
          isCrowd: this.#senders.isCrowd
        })
      ],
      evidence: findings,
      notes: this.#notes(),
      doubts,
      canReject: rejected.total > 0 && tagged.total === 0 ? null : this.#canReject(evidence(sumOf(tag, unlogged))),
      genuine: rejected.total === 0 ? null : genuine(evidence(sumOf(reject, unlogged)))
    }
  }

  /** Where no summary counts those that `allow` verified, nothing is known of them. */
  get #hasVerified(): boolean | null {
    return this.#verified === null ? null : this.#verified > (this.#verifiedByAllow ?? 0)
  }

  #aboutVerified(): string {
    if (this.#verified === null) {
      if (this.#filter.routes.length > 0) {
        return 'Summaries do not name routes, so the number of verified requests is unknown.'
      }
      return this.#hasSummary
        ? 'No summary is of the time that was asked for, so the number of verified requests is unknown.'
        : 'The log has no summary, so the number of verified requests is unknown.'
    }
    const verified = `${counted(this.#verified, 'request')} verified`
    if (!this.#verifiedByAllow) return `${verified}.`
    return this.#hasVerified
      ? `${verified}, ${this.#verifiedByAllow.toLocaleString('en-US')} of them by your own "allow" and not by MoEngage's list.`
      : `${verified}, by your own "allow" and none by MoEngage's list: whether MoEngage sent them is not known.`
  }

  #places(): PlacesContext {
    return { dataCenters: [...this.#dataCenters].sort(), refusals: (clientIp) => this.#refusals.of(clientIp) }
  }

  #findings(book: AddressBook): Finding[] {
    return findingsOf({
      senders: (reason, isOwn) =>
        this.#senders.list(book, {
          reason,
          withSecret: true,
          isWanted: (clientIp) => isOwn === undefined || this.#own.has(clientIp) === isOwn
        }),
      unresolved: this.#unresolvedWithSecret,
      withoutSecret: this.#withoutSecret.senders(),
      unnamedWithoutSecret: this.#withoutSecret.unnamed,
      failures: 0,
      ...this.#places(),
      list: `(revision ${[...this.#revisions].join(', ')})`
    })
  }

  #canReject(evidence: Parameters<typeof canReject>[0]): CanReject {
    return this.#lines.own === 0 ? { answer: 'unclear', evidence: [] } : canReject(evidence)
  }

  #notes(): string[] {
    const [unknown, known] = [this.#unknownRoutes, this.#routes].map((routes) => [...routes].join(', ')) as [
      string,
      string
    ]
    return [
      ...(this.#zonesAssumed > 0 ? [`${withoutZone(this.#zonesAssumed)}.`] : []),
      ...(unknown !== '' && known !== ''
        ? [`No line names ${unknown}. A route has the name of its pattern, and the log names ${known}.`]
        : [])
    ]
  }

  #doubts(): string[] {
    const { read, own, unreadable } = this.#lines
    const count = (number: number, one: string, many: string) =>
      number === 1 ? `One line ${one}` : `${number.toLocaleString('en-US')} lines ${many}`
    return [
      ...(unreadable > 0
        ? [
            `${count(unreadable, 'mentions', 'mention')} a record of the guard and could not be read: what it says is not counted.`
          ]
        : []),
      ...this.#damages,
      ...this.#copies.map(
        (files) =>
          `${files} begin with the same line about senders: if they are the same log, its counts are twice too high. Name it once.`
      ),
      ...(this.#withoutTime > 0
        ? [
            `${count(this.#withoutTime, 'has', 'have')} no time, so it is unknown whether it belongs to the time that was asked for.`
          ]
        : []),
      ...(this.#doubtfulZones > 0
        ? [
            `${withoutZone(this.#doubtfulZones)}: if it is another, whether these belong to the time that was asked for is unknown.`
          ]
        : []),
      ...(this.#leftOut > 0
        ? [
            `journald has left out the text of ${counted(this.#leftOut, 'long line')}, which may be the guard's: journalctl --all -o json | moengage-allowlist report`
          ]
        : []),
      ...(this.#notJudged > 0
        ? [
            `${count(this.#notJudged, 'says', 'say')} that requests cannot be judged, for the reason in the error beside it: until a list is loaded, the guard answers all of them with 503 (MOE_ERR_NOT_READY), and no line counts them.`
          ]
        : []),
      ...(own === 0 && unreadable === 0 && this.#notJudged === 0 ? [emptiness(read, this.#hasUnwanted)] : []),
      ...this.#borders(),
      ...this.#processes.doubts()
    ]
  }

  /** Rejections of which it is unknown whether they belong to what was asked for. */
  #borders(): string[] {
    const { routes } = this.#filter
    const doubts: string[] = []
    const { withheld, ...summaries } = this.#processes.about()
    const withoutRoute = this.#withoutRoute + (routes.length > 0 ? withheld + totalOf(this.#processes.missing()) : 0)
    if (withoutRoute > 0) {
      doubts.push(
        `The log counts ${counted(withoutRoute, 'more rejection')} without a route: how many of them are of the routes that were asked for is unknown.`
      )
    }
    if (!this.#isPartOfTime || routes.length > 0) return doubts
    const beyond = summaries.beyond + totalOf(this.#processes.unlogged())
    if (beyond > 0) {
      doubts.push(
        `Lines and summaries that reach beyond the time that was asked for count ${counted(beyond, 'rejection')} without a line: how many of them belong to it is unknown.`
      )
    }
    if (summaries.verified === 0 && summaries.verifiedBeyond > 0) {
      doubts.push(
        `Only summaries that reach beyond the time that was asked for count verified requests (${summaries.verifiedBeyond.toLocaleString('en-US')}): whether any of them belongs to it is unknown.`
      )
    }
    return doubts
  }
}

const withoutZone = (count: number) =>
  `${count === 1 ? 'One record has a time' : `${count.toLocaleString('en-US')} records have times`} without a zone such as Z or +05:30, taken as UTC`

function emptiness(read: number, hasUnwanted: boolean): string {
  if (read === 0) return 'The log is empty.'
  if (hasUnwanted) return 'No line about senders is of the time and the routes that were asked for.'
  return 'No line is about senders: is this the log of a guarded server, at level "info"?'
}

function rejectionsOf(byReason: Readonly<Record<Reason, number>>): Rejections {
  return { total: totalOf(byReason), byReason: { ...byReason } }
}
