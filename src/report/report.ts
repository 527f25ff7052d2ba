import { counted, diagnose } from '../senders/diagnosis.js'
import { type AddressBook, type Sender, Senders } from '../senders/senders.js'
import { noCounts, REASONS, type Reason } from '../verdict/verdict.js'
import { type Bar, Histogram } from './histogram.js'
import { type Rejected, readEvent, type Summary } from './read-event.js'
import type { LineSink } from './read-lines.js'
import { spanText } from './span.js'

/** How many rejections there were, by reason. */
export interface Rejections {
  readonly total: number
  readonly byReason: Readonly<Record<Reason, number>>
}

/** What a log says of rejected senders. */
export interface Report {
  /** How many lines were read, and how many of them were ours, broken, or too long to be read. */
  readonly lines: { readonly read: number; readonly own: number; readonly broken: number; readonly tooLong: number }
  /** The times of our first and last line (ISO 8601); null where no line tells one. */
  readonly from: string | null
  readonly to: string | null
  /** How many requests were verified; null where no summary tells it. */
  readonly verified: number | null
  /** Requests that were rejected, and such that would have been, in `mode: 'tag'`. */
  readonly rejected: Rejections
  readonly tagged: Rejections
  /** Rejected senders, those with the highest counts first. */
  readonly senders: readonly Sender[]
  /** How many rejections are of no sender: told by a summary, or without a client IP. */
  readonly withoutSender: number
  /** Rejections over time, and how many milliseconds a bar is wide. */
  readonly histogram: { readonly width: number; readonly bars: readonly Bar[] }
  readonly diagnosis: readonly string[]
  readonly canReject: { readonly answer: 'yes' | 'no' | 'unclear'; readonly evidence: readonly string[] }
}

/** So many senders are remembered. */
const SENDERS = 10_000

const sum = (counts: Readonly<Record<Reason, number>>) =>
  Object.values(counts).reduce((total, count) => total + count, 0)

/** Makes a report of a log in constant memory. */
export class ReportBuilder implements LineSink {
  readonly #lines = { read: 0, own: 0, broken: 0, tooLong: 0 }
  readonly #counts = { reject: noCounts(), tag: noCounts() }
  readonly #senders = new Senders(SENDERS, undefined)
  /** What is known of senders that are listed or were: there are no more than MoEngage's page has addresses. */
  readonly #about = new Map<string, Pick<Sender, keyof AddressBook>>()
  readonly #dataCenters = new Set<string>()
  readonly #histogram = new Histogram()
  #withoutSender = 0
  #verified: number | null = null
  #from = Number.POSITIVE_INFINITY
  #to = Number.NEGATIVE_INFINITY

  tooLong(): void {
    this.#lines.read++
    this.#lines.tooLong++
  }

  line(line: string): void {
    // A byte order mark and the CR of CRLF are white space to JavaScript, not to JSON.
    const text = line.trim()
    if (text === '') return
    this.#lines.read++
    const event = readEvent(text)
    if (event === 'other') return
    if (event === 'broken') {
      this.#lines.broken++
      return
    }
    this.#lines.own++
    const count = event.event === 'rejected' ? this.#addRejected(event) : this.#addSummary(event)
    if (event.time === undefined) return
    this.#from = Math.min(this.#from, event.time)
    this.#to = Math.max(this.#to, event.time)
    if (count > 0) this.#histogram.add(event.time, count)
  }

  #addRejected({ mode, reason, clientIp, route, time, count, dataCenters, ...about }: Rejected): number {
    this.#counts[mode][reason] += count
    for (const dataCenter of dataCenters) this.#dataCenters.add(dataCenter)
    if (clientIp === null) {
      this.#withoutSender += count
      return count
    }
    this.#senders.record({ key: clientIp, reason, pattern: route, time: time ?? 0, count })
    const { listedFor, removed } = about
    if ((listedFor.length > 0 || removed !== null) && this.#about.size < SENDERS) {
      this.#about.set(clientIp, { listedFor, removed })
    }
    return count
  }

  #addSummary({ suppressed, suppressedOf, verified, time }: Summary): number {
    let count = 0
    for (const mode of ['reject', 'tag'] as const) {
      for (const reason of REASONS) {
        const missing = suppressed[mode][reason] ?? 0
        this.#counts[mode][reason] += missing
        count += missing
      }
    }
    this.#withoutSender += count
    for (const { clientIp, reason, count } of suppressedOf) {
      this.#senders.record({ key: clientIp, reason, pattern: null, time: time ?? 0, count })
      this.#withoutSender -= count
    }
    this.#verified = (this.#verified ?? 0) + verified
    return count
  }

  /** @param limit how many senders to list at most */
  report(limit: number): Report {
    const { reject, tag } = this.#counts
    const all = noCounts()
    for (const reason of REASONS) all[reason] = reject[reason] + tag[reason]
    const book: AddressBook = {
      listedFor: (clientIp) => this.#about.get(clientIp)?.listedFor ?? [],
      removed: (clientIp) => this.#about.get(clientIp)?.removed ?? null
    }
    const removed = this.#senders.list(book, { reason: 'not-listed', only: 'removed' })
    const time = (at: number) => (Number.isFinite(at) ? new Date(at).toISOString() : null)
    return {
      lines: { ...this.#lines },
      from: time(this.#from),
      to: time(this.#to),
      verified: this.#verified,
      rejected: { total: sum(reject), byReason: { ...reject } },
      tagged: { total: sum(tag), byReason: { ...tag } },
      senders: this.#senders.list(book, { limit }),
      withoutSender: this.#withoutSender,
      histogram: { width: this.#histogram.width, bars: this.#histogram.bars() },
      diagnosis: diagnose({
        verified: this.#verified,
        rejected: all,
        dataCenters: [...this.#dataCenters].sort(),
        senders: (query) => this.#senders.list(book, query),
        isCrowd: this.#senders.isCrowd
      }),
      canReject: canReject({
        isEmpty: this.#lines.own === 0,
        span: this.#to - this.#from,
        verified: this.#verified,
        rejected: all,
        removed: removed.reduce((sum, { reasons }) => sum + reasons['not-listed']!, 0)
      })
    }
  }
}

/** Why each reason speaks against rejecting: these requests may well be genuine. */
const DOUBTS: Partial<Record<Reason, string>> = {
  'other-data-center': "from MoEngage's addresses of other data centers",
  'other-channel': "from MoEngage's addresses of other channels",
  'proxy-not-configured': 'from what seems to be your own proxy',
  'permissive-trust': 'while every sender could choose its address',
  'stale-list': 'from listed addresses, while the list was stale',
  unresolved: 'without a client IP that can be relied on'
}

/** What the answer is made of. */
interface Evidence {
  /** Whether no line was ours. */
  readonly isEmpty: boolean
  /** Milliseconds between our first line and the last; not finite where no line tells a time. */
  readonly span: number
  readonly verified: number | null
  readonly rejected: Readonly<Record<Reason, number>>
  /** How many rejections are of addresses that MoEngage's page had before. */
  readonly removed: number
}

/** Whether requests that are tagged now could be rejected, and what speaks for it or against it. */
function canReject({ isEmpty, span, verified, rejected, removed }: Evidence): Report['canReject'] {
  if (isEmpty) {
    return {
      answer: 'unclear',
      evidence: ['No line is about senders: is this the log of a guarded server, at level "info"?']
    }
  }
  const doubts = REASONS.flatMap((reason) => {
    const words = DOUBTS[reason]
    return words === undefined || rejected[reason] === 0 ? [] : [`${counted(rejected[reason], 'request')} ${words}.`]
  })
  if (removed > 0) doubts.push(`${counted(removed, 'request')} from addresses that were removed from MoEngage's page.`)
  const strangers = rejected['not-listed'] - removed
  const evidence = [
    verified === null
      ? 'The log has no summary, so nothing tells how many requests were verified.'
      : `${counted(verified, 'request')} verified.`,
    ...doubts,
    ...(strangers > 0
      ? [`${counted(strangers, 'request')} from addresses that are not listed: do you know any of them?`]
      : []),
    ...(Number.isFinite(span) ? [`The log covers ${spanText(span, 2)}: did every channel call in that time?`] : [])
  ]
  if (doubts.length > 0 || verified === 0) return { answer: 'no', evidence }
  return { answer: verified === null || strangers > 0 ? 'unclear' : 'yes', evidence }
}
