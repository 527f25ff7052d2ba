import { REASONS, type Reason } from '../guard/verdict.js'
import { counted, diagnose } from '../senders/diagnosis.js'
import { type ListedFor, type Sender, Senders } from '../senders/senders.js'
import { type Bar, Histogram } from './histogram.js'
import { type Rejected, readEvent, type Summary } from './read-event.js'
import type { LineSink } from './read-lines.js'

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

const noCounts = () => Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>
const sum = (counts: Readonly<Record<Reason, number>>) =>
  Object.values(counts).reduce((total, count) => total + count, 0)

/** Makes a report of a log in constant memory. */
export class ReportBuilder implements LineSink {
  readonly #lines = { read: 0, own: 0, broken: 0, tooLong: 0 }
  readonly #counts = { reject: noCounts(), tag: noCounts() }
  readonly #senders = new Senders(SENDERS, undefined)
  /** What listed senders are listed for: there are no more than MoEngage's page has addresses. */
  readonly #listedFor = new Map<string, readonly ListedFor[]>()
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

  line(text: string): void {
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

  #addRejected({ mode, reason, clientIp, route, time, count, listedFor, dataCenters }: Rejected): number {
    this.#counts[mode][reason] += count
    for (const dataCenter of dataCenters) this.#dataCenters.add(dataCenter)
    if (clientIp === null) {
      this.#withoutSender += count
      return count
    }
    this.#senders.record(clientIp, reason, route, time ?? 0, count)
    if (listedFor.length > 0 && this.#listedFor.size < SENDERS) this.#listedFor.set(clientIp, listedFor)
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
      this.#senders.record(clientIp, reason, null, time ?? 0, count)
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
    const about = (clientIp: string) => ({ listedFor: this.#listedFor.get(clientIp) ?? [], removed: null })
    const time = (at: number) => (Number.isFinite(at) ? new Date(at).toISOString() : null)
    return {
      lines: { ...this.#lines },
      from: time(this.#from),
      to: time(this.#to),
      verified: this.#verified,
      rejected: { total: sum(reject), byReason: { ...reject } },
      tagged: { total: sum(tag), byReason: { ...tag } },
      senders: this.#senders.list(about, { limit }),
      withoutSender: this.#withoutSender,
      histogram: { width: this.#histogram.width, bars: this.#histogram.bars() },
      diagnosis: diagnose({
        verified: this.#verified,
        rejected: all,
        dataCenters: [...this.#dataCenters].sort(),
        senders: (asked) => this.#senders.list(about, asked)
      }),
      canReject: canReject(this.#verified, all)
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

/** Whether requests that are tagged now could be rejected, and what speaks for it or against it. */
function canReject(verified: number | null, rejected: Readonly<Record<Reason, number>>): Report['canReject'] {
  const doubts = REASONS.flatMap((reason) => {
    const words = DOUBTS[reason]
    return words === undefined || rejected[reason] === 0 ? [] : [`${counted(rejected[reason], 'request')} ${words}.`]
  })
  const strangers = rejected['not-listed']
  const evidence = [
    verified === null
      ? 'The log has no summary, so nothing tells how many requests were verified.'
      : `${counted(verified, 'request')} verified.`,
    ...doubts,
    ...(strangers === 0
      ? []
      : [`${counted(strangers, 'request')} from addresses that are not listed: do you know any of them?`])
  ]
  if (doubts.length > 0 || verified === 0) return { answer: 'no', evidence }
  return { answer: verified === null || strangers > 0 ? 'unclear' : 'yes', evidence }
}
