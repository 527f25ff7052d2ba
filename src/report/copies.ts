import { MINUTE } from '../lib/time.js'
import type { FoundRecord } from './record.js'

/** An event, whatever names it. */
const EVENT_NAMES = /moengage\.(?:rejected|summary|without-secret)/g

/** Some envelopes hold a record as text and beside it in fields of their own. */
export function withoutCopies(records: FoundRecord[]): FoundRecord[] {
  if (records.length === 1) return records
  const kept = new Map<string, FoundRecord[]>()
  return records.filter((found) => {
    const { event, clientIp, reason, route, requestId, verified, suppressed, rejected } = found.record
    const id = requestId ?? found.time
    const key = JSON.stringify([event, clientIp, reason, route, id, verified, suppressed, rejected])
    const alike = kept.get(key) ?? []
    if (alike.some((other) => isCopy(found, other))) return false
    alike.push(found)
    kept.set(key, alike)
    return true
  })
}

/** Whether two records that are alike are one. Processes may number their requests alike, and a client may choose the id of its requests. */
function isCopy(one: FoundRecord, other: FoundRecord): boolean {
  if (one.wrapping === other.wrapping && one.cell === other.cell) return false
  const differs = (part: 'pid' | 'hostname') => {
    const [own, others] = [one.process[part], other.process[part]]
    return own !== '' && others !== '' && own !== others
  }
  if (differs('pid') || differs('hostname')) return false
  // An envelope has a time of its own, which is soon after.
  return !(Math.abs(one.time! - other.time!) > MINUTE) || one.isZoneAssumed || other.isZoneAssumed
}

/**
 * Whether a text mentions records that were found beside it, and no other: Loki writes the fields of a line, or some of them, among its
 * labels.
 *
 * @param beside where the fields of these may stand
 */
export function isCopied(text: string, beside: string, records: readonly FoundRecord[]): boolean {
  const mentioned = new Map<unknown, number>()
  for (const [event] of text.matchAll(EVENT_NAMES)) mentioned.set(event, (mentioned.get(event) ?? 0) + 1)
  let repeated = records.map(({ record }) => record).filter(({ event }) => mentioned.has(event))
  for (const [name, pattern] of REPEATED) {
    const values = new Set<unknown>([...beside.matchAll(pattern)].map(([, value]) => value))
    const own = new Set(repeated.map((record) => record[name]))
    const isWithout = [...own].some((value) => typeof value !== 'string')
    if (!isWithout && [...values].some((value) => !own.has(value))) return false
    if (values.size > 0) repeated = repeated.filter(({ [name]: own }) => typeof own !== 'string' || values.has(own))
  }
  for (const { event } of repeated) mentioned.set(event, mentioned.get(event)! - 1)
  return [...mentioned.values()].every((count) => count <= 0)
}

/** What tells the records of an event apart, and where a text has it. One that lacks it may be a copy, one with another value is none. */
const REPEATED = [
  ['reason', valuesOf('reason')],
  ['clientIp', valuesOf('(?:client_?)?ip')],
  ['requestId', valuesOf('requestId')],
  ['since', valuesOf('since')]
] as const

/** The values that fields with a name have in JSON, also escaped, in lists of names and values, and in labels; undefined for null. */
function valuesOf(name: string): RegExp {
  return new RegExp(
    `(?:(?<![\\w.])|(?<=moengage[._]))${name}(?:\\\\*"\\s*[:,]\\s*\\[?|=)(?:\\\\*"([^"\\\\]*)|null)`,
    'gi'
  )
}
