import { CHANNELS, DATA_CENTERS } from '../directory/names.js'
import { ParsedPrefix } from '../ip/parsed-prefix.js'
import { isCount } from '../lib/json.js'
import type { ListedFor } from '../senders/senders.js'
import { REASONS, type Reason } from '../verdict/verdict.js'
import { asFields, type Fields } from './fields.js'
import { readTime } from './log-time.js'

/** Counts by reason; a reason without a count is left out. */
export type Counts = Readonly<Partial<Record<Reason, number>>>

/** One of our lines, as far as a report needs it. */
export type LoggedEvent = RejectedEvent | SummaryEvent | WithoutSecretEvent

/** A rejection, and the earlier ones that the same line counts. */
export interface RejectedEvent {
  readonly event: 'rejected'
  readonly mode: 'reject' | 'tag'
  readonly reason: Reason
  readonly clientIp: string | null
  readonly route: string | null
  readonly listedFor: readonly ListedFor[]
  readonly removed: string | null
  /** What the route accepts; empty where the line does not say. */
  readonly dataCenters: readonly string[]
  readonly channels: readonly string[]
  readonly count: number
  /** Whether the requests carried the secret: null where that was not asked or is not known. */
  readonly carriesSecret: boolean | null
  /** Whether the address is part of the receiver's own set-up. */
  readonly isOwn: boolean
  readonly revision: string | null
}

/** Verified requests of one address without the secret. */
export interface WithoutSecretEvent {
  readonly event: 'without-secret'
  readonly clientIp: string | null
  /** Whether the receiver's own `allow` verified them. */
  readonly isOwn: boolean
  readonly route: string | null
  readonly count: number
}

/** Counts since the summary before. */
export interface SummaryEvent {
  readonly event: 'summary'
  /** When the summary before was written, or the guard was made, in milliseconds since 1970; null where an earlier version did not say. */
  readonly since: number | null
  /** Rejections without a line. */
  readonly suppressed: { readonly reject: Counts; readonly tag: Counts }
  /** Those of them whose sender is named. */
  readonly suppressedOf: readonly {
    readonly clientIp: string
    /** Null where the line does not say. */
    readonly mode: RejectedEvent['mode'] | null
    readonly reason: Reason
    readonly count: number
    readonly withSecret: boolean
  }[]
  /** How many of `suppressed` carried the secret. */
  readonly suppressedWithSecret: number
  readonly verified: number
  /** Those that `allow` alone verified; null where an earlier version did not count them. */
  readonly verifiedByAllow: number | null
  /** Those without the secret. */
  readonly verifiedWithoutSecret: number
  /** All rejections, with a line or without; undefined if the line does not say. */
  readonly rejected: Counts | undefined
  /** The senders with the most rejections, with what MoEngage publishes them for. */
  readonly top: readonly { readonly clientIp: string; readonly listedFor: readonly ListedFor[] }[]
}

const DAY = /^\d{4}-\d\d-\d\d$/
/** Maximum length of a text that is kept of a log. */
const MAX_TEXT = 200

/** Reads one of our records; undefined if it is not whole. */
export function readEvent(record: Fields): LoggedEvent | undefined {
  if (record.event === 'moengage.rejected') return readRejected(record)
  return record.event === 'moengage.summary' ? readSummary(record) : readWithoutSecret(record)
}

function readWithoutSecret({ clientIp, dataCenter, route, suppressed }: Fields): WithoutSecretEvent | undefined {
  if (typeof (clientIp ?? '') !== 'string' || !isCount(suppressed)) return undefined
  return {
    event: 'without-secret',
    clientIp: readSender(clientIp),
    isOwn: dataCenter === null,
    route: typeof route === 'string' ? bounded(route) : null,
    count: 1 + suppressed
  }
}

function readRejected(record: Fields): RejectedEvent | undefined {
  const { mode, reason, clientIp, route, suppressed } = record
  if (!isMode(mode)) return undefined
  if (!isReason(reason) || !isCount(suppressed)) return undefined
  // A logger's own redaction may have removed the address, or replaced it. The rejection counts nevertheless.
  if (typeof (clientIp ?? '') !== 'string') return undefined
  return {
    event: 'rejected',
    mode,
    reason,
    clientIp: readSender(clientIp),
    route: typeof route === 'string' ? bounded(route) : null,
    listedFor: readListedFor(record.listedFor),
    removed: typeof record.removed === 'string' && DAY.test(record.removed) ? record.removed : null,
    dataCenters: known(asFields(record.policy)?.dataCenters, DATA_CENTERS),
    channels: known(asFields(record.policy)?.channels, CHANNELS),
    count: 1 + suppressed,
    // Earlier versions did not ask.
    carriesSecret: typeof record.carriesSecret === 'boolean' ? record.carriesSecret : null,
    isOwn: record.isOwn === true,
    revision: typeof record.revision === 'string' ? bounded(record.revision) : null
  }
}

function readSummary(record: Fields): SummaryEvent | undefined {
  const { verified } = record
  const reject = readCounts(asFields(record.suppressed)?.reject)
  const tag = readCounts(asFields(record.suppressed)?.tag)
  const rejected = readCounts(record.rejected)
  if (!isCount(verified) || reject === undefined || tag === undefined) return undefined
  if (record.rejected !== undefined && rejected === undefined) return undefined
  return {
    event: 'summary',
    since: readTime(record.since) ?? null,
    suppressed: { reject, tag },
    suppressedOf: readSenders(record.suppressedOf),
    suppressedWithSecret: sumOf(asFields(record.suppressedWithSecret)),
    verified,
    verifiedByAllow: isCount(record.verifiedByAllow) ? record.verifiedByAllow : null,
    verifiedWithoutSecret: isCount(record.verifiedWithoutSecret) ? record.verifiedWithoutSecret : 0,
    rejected,
    top: listOf(record.top).flatMap(({ clientIp, listedFor }) => {
      const sender = readSender(clientIp)
      return sender === null ? [] : [{ clientIp: sender, listedFor: readListedFor(listedFor) }]
    })
  }
}

/** Both modes together; 0 where an earlier version did not count. */
function sumOf(counts: Fields | undefined): number {
  return [counts?.reject, counts?.tag]
    .flatMap((byReason) => Object.values(readCounts(byReason) ?? {}))
    .reduce((sum, count) => sum + count, 0)
}

/** A text of JSON has memory of its own. A slice of it would keep all of it, so that is a new string. */
const bounded = (text: string) => (text.length <= MAX_TEXT ? text : Buffer.from(text.slice(0, MAX_TEXT)).toString())

/** Used again for each text; an address is a prefix as well. */
const prefix = new ParsedPrefix()
/** What `redactAddress` with a key writes. */
const HASH = /^hmac:[0-9a-f]{16}$/

/**
 * An address, or what `redactAddress` makes of one; null for all else. What the logger's own redaction writes may be the same for all
 * senders, so that the facts about one would be those of another.
 */
function readSender(value: unknown): string | null {
  if (typeof value !== 'string') return null
  return prefix.parse(value) > 0 || HASH.test(value) ? value : null
}

const isMode = (value: unknown): value is RejectedEvent['mode'] => value === 'reject' || value === 'tag'

const isReason = (value: unknown): value is Reason => REASONS.includes(value as Reason)

function readCounts(value: unknown): Counts | undefined {
  const counts = asFields(value)
  const isSound = ([reason, count]: [string, unknown]) => isReason(reason) && isCount(count)
  return counts !== undefined && Object.entries(counts).every(isSound) ? (counts as Counts) : undefined
}

/** The elements of a list that are objects. */
function listOf(value: unknown): Fields[] {
  const items: unknown[] = Array.isArray(value) ? value : []
  return items.map(asFields).filter((item) => item !== undefined)
}

function readSenders(value: unknown): SummaryEvent['suppressedOf'] {
  return listOf(value).flatMap(({ clientIp, mode, reason, count, withSecret }) => {
    const sender = readSender(clientIp)
    if (sender === null || !isReason(reason) || !isCount(count)) return []
    const known = isMode(mode) ? mode : null
    return [{ clientIp: sender, mode: known, reason, count, withSecret: withSecret === true }]
  })
}

function readListedFor(value: unknown): ListedFor[] {
  return listOf(value).flatMap(({ dataCenter, channels }) =>
    known([dataCenter], DATA_CENTERS).map((dataCenter) => ({ dataCenter, channels: known(channels, CHANNELS) }))
  )
}

function known(value: unknown, names: readonly string[]): string[] {
  return Array.isArray(value) ? value.filter((name) => names.includes(name)) : []
}
