import { formatWords } from '../ip/address.js'
import { REASONS, type Reason } from '../verdict/verdict.js'
import type { Redact } from './redact.js'
import { type Entry, ROUTES, Tally } from './tally.js'

/** A data center, and the channels in it, that an address is published for. */
export interface ListedFor {
  /** The data center. */
  readonly dataCenter: string
  /** Its channels that the address is published for. */
  readonly channels: readonly string[]
}

/** A client IP that was rejected, and how often. Times are milliseconds since 1970. */
export interface Sender {
  /** In canonical text, or what stands for it by `redactAddress`. */
  readonly clientIp: string
  /** How often it was rejected. */
  readonly count: number
  /**
   * By how much `count` may be too high, never too low: 0 unless the sender was forgotten for a while, because more came
   * than are remembered.
   */
  readonly countError: number
  /** When it was rejected first, as far as it is remembered. */
  readonly firstSeen: number
  /** When it was rejected last. */
  readonly lastSeen: number
  /** How often for each reason, since `firstSeen`. */
  readonly reasons: Readonly<Partial<Record<Reason, number>>>
  /** The routes that it called, the first eight. */
  readonly routes: readonly string[]
  /** What MoEngage publishes the address for; empty for strangers. */
  readonly listedFor: readonly ListedFor[]
  /** The day on which the address was found to be gone from MoEngage's list, where that was seen. */
  readonly removed: string | null
}

/** What the list in use knows of an address. */
export type About = (clientIp: string) => Pick<Sender, 'listedFor' | 'removed'>

/** Which senders are asked for. */
export interface Asked {
  /** The most of them (all). */
  readonly limit?: number
  /** Only those that were rejected for this reason, by how often they were. */
  readonly reason?: Reason
}

/** Remembers who was rejected, in constant memory. */
export class Senders {
  readonly #tally: Tally<Reason>
  readonly #redact: Redact | undefined

  constructor(capacity: number, redact: Redact | undefined) {
    this.#tally = new Tally(capacity, REASONS)
    this.#redact = redact
  }

  /** Notes a rejection; see {@link Tally.record}. */
  record(key: number | string, reason: Reason, route: string | null, time: number, weight = 1): void {
    this.#tally.record(key, reason, route, time, weight)
  }

  get size(): number {
    return this.#tally.size
  }

  /** Whether more senders came than are remembered. */
  get isCrowd(): boolean {
    return !this.#tally.isExact
  }

  /** The remembered senders, those that certainly called most first. */
  list(about: About, { limit = Number.POSITIVE_INFINITY, reason }: Asked = {}): Sender[] {
    const index = reason === undefined ? -1 : REASONS.indexOf(reason)
    const rank = (entry: Readonly<Entry>) => (index === -1 ? entry.count - entry.countError : entry.byReason[index]!)
    const ranked = [...this.#tally.entries()]
      .filter((entry) => index === -1 || entry.byReason[index]! > 0)
      .sort((a, b) => rank(b) - rank(a) || b.lastSeen - a.lastSeen)
    if (this.#redact === undefined) return ranked.slice(0, limit).map((entry) => senderOf(entry, about))
    const certain = ({ count, countError, reasons }: Sender) =>
      reason === undefined ? count - countError : reasons[reason]!
    return joined(
      ranked.map((entry) => senderOf(entry, about)),
      this.#redact
    )
      .sort((a, b) => certain(b) - certain(a))
      .slice(0, limit)
  }
}

function senderOf({ key, byReason, ...entry }: Readonly<Entry>, about: About): Sender {
  const clientIp = typeof key === 'number' ? formatWords(4, [key]) : key
  const reasons: Partial<Record<Reason, number>> = {}
  for (const [i, reason] of REASONS.entries()) {
    if (byReason[i]! > 0) reasons[reason] = byReason[i]!
  }
  return { clientIp, ...entry, reasons, ...about(clientIp) }
}

/** Several addresses may be one when they are redacted. */
function joined(senders: readonly Sender[], redact: Redact): Sender[] {
  const byName = new Map<string, Sender>()
  for (const sender of senders) {
    const clientIp = redact(sender.clientIp)
    const other = byName.get(clientIp)
    byName.set(clientIp, other === undefined ? { ...sender, clientIp } : join(other, sender))
  }
  return [...byName.values()]
}

function join(a: Sender, b: Sender): Sender {
  const reasons = { ...a.reasons }
  for (const reason of REASONS) {
    const count = b.reasons[reason]
    if (count !== undefined) reasons[reason] = (reasons[reason] ?? 0) + count
  }
  return {
    clientIp: a.clientIp,
    count: a.count + b.count,
    countError: a.countError + b.countError,
    firstSeen: Math.min(a.firstSeen, b.firstSeen),
    lastSeen: Math.max(a.lastSeen, b.lastSeen),
    reasons,
    routes: [...new Set([...a.routes, ...b.routes])].slice(0, ROUTES),
    listedFor: a.listedFor.length > 0 ? a.listedFor : b.listedFor,
    removed: a.removed ?? b.removed
  }
}
