import { CHANNELS, DATA_CENTERS } from '../directory/names.js'
import type { ListedFor } from '../senders/senders.js'
import { REASONS, type Reason } from '../verdict/verdict.js'

type Counts = Partial<Record<Reason, number>>

/** One of our lines, as far as a report needs it. */
export type LoggedEvent = Rejected | Summary

/** A rejection, and those that the same line tells besides. */
export interface Rejected {
  readonly event: 'rejected'
  /** Milliseconds since 1970; undefined where the line tells no time. */
  readonly time: number | undefined
  readonly mode: 'reject' | 'tag'
  readonly reason: Reason
  readonly clientIp: string | null
  readonly route: string | null
  readonly listedFor: readonly ListedFor[]
  readonly removed: string | null
  readonly dataCenters: readonly string[]
  readonly count: number
}

/** Rejections that no line tells, and how many requests were verified. */
export interface Summary {
  readonly event: 'summary'
  readonly time: number | undefined
  readonly suppressed: { readonly reject: Counts; readonly tag: Counts }
  /** Those of them that are of a sender which the log names. */
  readonly suppressedOf: readonly { readonly clientIp: string; readonly reason: Reason; readonly count: number }[]
  readonly verified: number
}

/** A line is broken when it is no JSON object, or says that it is ours and is not whole. */
export type LineKind = LoggedEvent | 'broken' | 'other'

/** Later times have more digits, and are surely wrong. */
const YEAR_10000 = 253_402_300_800_000

const DAY = /^\d{4}-\d\d-\d\d$/

/** The longest text that is taken from a log. */
const LONGEST_TEXT = 200

/** Reads a line of pino or Fastify, also where `nestedKey` puts our fields one level down. */
export function readEvent(line: string): LineKind {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    return 'broken'
  }
  const fields = asRecord(parsed)
  if (fields === undefined) return 'broken'
  const own = ownFields(fields)
  if (own === undefined) return 'other'
  const time = timeOf(fields)
  if (own.event === 'moengage.rejected') return readRejected(own, time) ?? 'broken'
  return readSummary(own, time) ?? 'broken'
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isRecord ? (value as Record<string, unknown>) : undefined
}

function ownFields(fields: Record<string, unknown>): Record<string, unknown> | undefined {
  for (const holder of [fields, ...Object.values(fields)]) {
    const own = asRecord(asRecord(holder)?.moengage)
    if (own?.event === 'moengage.rejected' || own?.event === 'moengage.summary') return own
  }
  return undefined
}

/** pino writes milliseconds, or with `stdTimeFunctions` seconds or ISO 8601, under `time` or `timestamp`. */
function timeOf(fields: Record<string, unknown>): number | undefined {
  const value = fields.time ?? fields.timestamp ?? fields['@timestamp']
  const time = typeof value === 'string' ? Date.parse(value) : typeof value === 'number' ? value : Number.NaN
  // What is below would be before 1973 in milliseconds, and is until 5138 in seconds.
  const milliseconds = typeof value === 'number' && time < 1e11 ? time * 1000 : time
  return milliseconds >= 0 && milliseconds < YEAR_10000 ? milliseconds : undefined
}

function readRejected(own: Record<string, unknown>, time: number | undefined): Rejected | undefined {
  const { mode, reason, clientIp, route, suppressed } = own
  if (mode !== 'reject' && mode !== 'tag') return undefined
  if (!REASONS.includes(reason as Reason) || !isCount(suppressed)) return undefined
  // A logger's own redaction may have taken the address away; the rejection counts nevertheless.
  if (typeof (clientIp ?? '') !== 'string') return undefined
  return {
    event: 'rejected',
    time,
    mode,
    reason: reason as Reason,
    clientIp: typeof clientIp === 'string' ? bounded(clientIp) : null,
    route: typeof route === 'string' ? bounded(route) : null,
    listedFor: readListedFor(own.listedFor),
    removed: typeof own.removed === 'string' && DAY.test(own.removed) ? own.removed : null,
    dataCenters: known(asRecord(own.policy)?.dataCenters, DATA_CENTERS),
    count: 1 + suppressed
  }
}

function readSummary(own: Record<string, unknown>, time: number | undefined): Summary | undefined {
  const { verified } = own
  const reject = readCounts(asRecord(own.suppressed)?.reject)
  const tag = readCounts(asRecord(own.suppressed)?.tag)
  if (!isCount(verified) || reject === undefined || tag === undefined) return undefined
  return { event: 'summary', time, suppressed: { reject, tag }, suppressedOf: readSenders(own.suppressedOf), verified }
}

/** Written anew where it is cut: a slice would keep the whole line alive. */
const bounded = (text: string) =>
  text.length > LONGEST_TEXT ? Buffer.from(text.slice(0, LONGEST_TEXT)).toString() : text

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function readCounts(value: unknown): Counts | undefined {
  const counts = asRecord(value)
  if (counts === undefined) return undefined
  const isSound = ([reason, count]: [string, unknown]) => REASONS.includes(reason as Reason) && isCount(count)
  return Object.entries(counts).every(isSound) ? (counts as Counts) : undefined
}

function readSenders(value: unknown): Summary['suppressedOf'] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item) => {
    const { clientIp, reason, count } = asRecord(item) ?? {}
    if (typeof clientIp !== 'string' || !REASONS.includes(reason as Reason) || !isCount(count)) return []
    return [{ clientIp: bounded(clientIp), reason: reason as Reason, count }]
  })
}

function readListedFor(value: unknown): ListedFor[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item) => {
    const { dataCenter, channels } = asRecord(item) ?? {}
    return known([dataCenter], DATA_CENTERS).map((dataCenter) => ({ dataCenter, channels: known(channels, CHANNELS) }))
  })
}

function known(value: unknown, names: readonly string[]): string[] {
  return Array.isArray(value) ? value.filter((name) => names.includes(name)) : []
}
