import { parsed } from '../lib/json.js'
import { asFields, type Fields } from './fields.js'
import type { LogTime } from './log-time.js'

/** One of our records, found in a line of a log. */
export interface FoundRecord extends LogTime {
  /** The fields that the guard logged under `moengage`. */
  readonly record: Fields
  /** The process that logged it, as far as the line names one. */
  readonly process: ProcessId
  /** What it was taken out of, such as `field "log"`; empty for a line as pino writes it. */
  readonly wrapping: string
  /** Where the text in quotes ends that holds it, such as a cell of CSV; 0 if none does. */
  readonly cell: number
}

/** A process by its fields `pid` and `hostname`; empty texts if there are none. */
export interface ProcessId {
  readonly pid: string
  readonly hostname: string
}

/** The events of our records. */
export const EVENTS: ReadonlySet<unknown> = new Set([
  'moengage.rejected',
  'moengage.summary',
  'moengage.without-secret'
])

const isOurs = (fields: Fields | undefined): fields is Fields => EVENTS.has(fields?.event)

/** Our fields, if an object has them: nested, flattened or at its top. */
export function recordIn(fields: Fields): Fields | undefined {
  const nested = asFields(fields.moengage)
  return isOurs(nested) ? nested : [unflattened(fields), fields].find(isOurs)
}

const PREFIX = 'moengage.'

/** Our fields where a log store has flattened them: `"moengage.event": "moengage.rejected"`. */
function unflattened(fields: Fields): Fields | undefined {
  if (!(`${PREFIX}event` in fields)) return undefined
  const record: Record<string, unknown> = Object.create(null)
  for (const [name, value] of Object.entries(fields)) {
    if (!name.startsWith(PREFIX)) continue
    const path = name.slice(PREFIX.length).split('.')
    const last = path.pop()!
    let holder = record
    for (const step of path) {
      holder[step] ??= Object.create(null)
      holder = (asFields(holder[step]) ?? {}) as Record<string, unknown>
    }
    holder[last] = unwrittenValue(value)
  }
  return record.event === 'moengage.summary' ? withEmptyParts(record) : record
}

/** A value that a log store has written as text: a list, an object, a number or a truth value. */
function unwrittenValue(value: unknown): unknown {
  return typeof value === 'string' && /^(?:\[.*\]|\{.*\}|\d{1,15}|true|false|null)$/s.test(value)
    ? (parsed(value) ?? null)
    : value
}

/** A flattened summary with the objects that had no field, of which flattening leaves nothing. */
function withEmptyParts(record: Fields): Fields {
  const { suppressed = {}, rejected = {} } = record
  const parts = asFields(suppressed)
  return { ...record, rejected, suppressed: parts === undefined ? suppressed : { reject: {}, tag: {}, ...parts } }
}

/** The process in the fields of a line. */
export function processOf({ pid, hostname }: Fields): ProcessId | undefined {
  if (pid === undefined && hostname === undefined) return undefined
  return { pid: shortText(pid), hostname: shortText(hostname) }
}

/** The process in a text in front of a record. */
export function processInText(text: string): ProcessId | undefined {
  const [, pid = ''] = /\bpid\W{1,20}(\d{1,10})/.exec(text) ?? []
  const [, hostname = ''] = /\bhostname\W{1,20}([\w.-]{1,100})/.exec(text) ?? []
  return pid === '' && hostname === '' ? undefined : { pid, hostname }
}

const shortText = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' ? `${value}`.slice(0, 100) : ''
