import { parsed } from '../lib/json.js'
import { MINUTE } from '../lib/time.js'
import { NOT_JUDGED } from '../log/lines.js'
import { asFields, type Fields } from './fields.js'
import { type LogTime, logTime, timeInText, timeOf } from './log-time.js'
import { PARTIAL_MARKS } from './partial-lines.js'
import {
  countOwn,
  hasMessageOfRecord,
  isEnvelope,
  isMessageOfGuard,
  isMessageOfRecord,
  isNamedValue,
  isNameOfClients,
  isNameOfEvent,
  isOfClient,
  isPartOfOwn,
  isPrefix,
  isRequest,
  LABELLED,
  nameOfField,
  quotedIn
} from './places.js'
import type { Mark } from './read-lines.js'

/** One of our records, found in a line of a log. */
export interface FoundRecord extends LogTime {
  /** The fields that the guard logged under `moengage`. */
  readonly record: Fields
  /** The process that logged it, as far as the line names one. */
  readonly process: ProcessId
  /** What it was taken out of, such as `field "log"`; empty for a line as pino writes it. */
  readonly wrapping: string
}

/** A process by its fields `pid` and `hostname`; empty texts if there are none. */
export interface ProcessId {
  readonly pid: string
  readonly hostname: string
}

/** A part of a line, with what the parts around it say. */
type Part = Omit<FoundRecord, 'record'>

const NOTHING: Part = {
  time: undefined,
  isZoneAssumed: false,
  process: { pid: '', hostname: '' },
  wrapping: ''
}

/** One of our records, also behind escapes, and also cut off in its first field. */
const MENTION =
  /event(?:&(?:amp;)*(?:\w{2,6}|#\w{2,4});|\\u[\da-f]{4}|\W){1,99}moengage(?:\.(?:rejected|summary|without-secret)|\.[a-z-]{0,14}$|$)/
const MENTIONS = new RegExp(MENTION, 'g')
/** An event, whatever names it. */
const EVENT = /moengage\.(?:rejected|summary|without-secret)/
const EVENT_NAMES = new RegExp(EVENT, 'g')
/** journald writes a message as a list of bytes if it is not plain text, and as null if it is long. */
const JOURNALD = /MESSAGE\W{1,99}(?:\[\W{0,9}\d|null)/
/** How messages begin that are no records, and what each of them says. */
const NOTICES = [
  { text: 'Server listening at', part: 'Server listening at', kind: 'starts' },
  { text: NOT_JUDGED, part: 'judged.', kind: 'notJudged' }
] as const
/** Every line that {@link findRecords} finds something in holds one of these texts. */
export const MARKS: readonly Mark[] = [
  { text: 'moengage', part: 'gage' },
  { text: 'MESSAGE', part: 'MESSAGE' },
  ...NOTICES,
  ...PARTIAL_MARKS
]
/** Envelopes nest a few levels; an endless nesting is an attack on the parser. */
const MAX_DEPTH = 32
/** Maximum number of braces in front of the JSON of a line. */
const MAX_BRACES = 8

type Notice = Pick<Part, 'time' | 'process'>

/** What a line says about us. */
export interface LineContent {
  readonly records: FoundRecord[]
  /** Servers that say here that they listen. */
  readonly starts: Notice[]
  /** Guards that say here that they have no list, and so can judge no request. */
  readonly notJudged: Notice[]
  /** Number of texts that mention a record and cannot be read. */
  unreadable: number
  /** Number of messages that journald has left out. */
  leftOut: number
  /** Whether a message stands in it that the guard writes beside a record. */
  hasMessage: boolean
}

/** What is found in a line while it is read. */
interface Search extends LineContent {
  /** The fields of the part that is read that seem to hold a record and cannot be read. */
  mentioning: Entry[]
  /** The same, and what stands beside them. */
  beside: Entry[]
  /** Number of mentions in the parts read so far that repeat records. */
  copied: number
}

type Entry = readonly [name: string, value: unknown]

/**
 * Finds our records in a line: as pino writes them, or inside of prefixes and envelopes (Docker, CRI, `kubectl logs`, syslog,
 * journald, CloudWatch, Elastic, CSV, a nested key).
 *
 * @returns undefined if the line is not about us
 */
export function findRecords(line: string): LineContent | undefined {
  if (!isAboutUs(line)) return undefined
  const found: Search = {
    records: [],
    starts: [],
    notJudged: [],
    unreadable: 0,
    leftOut: 0,
    hasMessage: false,
    mentioning: [],
    beside: [],
    copied: 0
  }
  readPart(found, () => readText(line, NOTHING, found, 0))
  const { records, starts, notJudged, leftOut, hasMessage } = found
  if (hasMessage && records.length === 0 && found.unreadable === 0) found.unreadable++
  return { records: withoutCopies(records), starts, notJudged, unreadable: found.unreadable, leftOut, hasMessage }
}

/** Reads a line or an entry of a list, and looks whether what mentions records in it repeats those that were found in it. */
function readPart(found: Search, read: () => void): void {
  const { mentioning, beside } = found
  const { length } = found.records
  found.mentioning = []
  found.beside = []
  read()
  if (found.mentioning.length > 0) {
    const [text, around] = [found.mentioning, found.beside].map((entries) => JSON.stringify(entries))
    if (isCopied(text!, around!, found.records.slice(length))) found.copied += [...text!.matchAll(MENTIONS)].length
    else found.unreadable++
  }
  found.mentioning = mentioning
  found.beside = beside
}

const isAboutUs = (text: string) =>
  mentions(text) || NOTICES.some((notice) => text.includes(notice.text)) || JOURNALD.test(text)

/** Some envelopes hold a record as text and beside it in fields of their own. */
function withoutCopies(records: FoundRecord[]): FoundRecord[] {
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
  if (one.wrapping === other.wrapping) return false
  const differs = (part: 'pid' | 'hostname') => {
    const [own, others] = [one.process[part], other.process[part]]
    return own !== '' && others !== '' && own !== others
  }
  if (differs('pid') || differs('hostname')) return false
  // An envelope has a time of its own, which is soon after.
  return !(Math.abs(one.time! - other.time!) > MINUTE) || one.isZoneAssumed || other.isZoneAssumed
}

/** Whether a text seems to hold one of our records, or the start or a part of one. */
export const mentions = (text: string) =>
  text.includes('moengage') && (MENTION.test(text) || EVENT.test(text) || hasMessageOfRecord(text))

/** Reads JSON: alone, as a member of an object whose other lines are elsewhere, or between other text. */
function readText(text: string, part: Part, found: Search, depth: number): void {
  const whole = parsed(text) ?? (text.includes('{') ? parsed(`{${text.replace(/,\s*$/, '')}}`) : undefined)
  if (whole !== undefined) {
    visit(whole, part, found, depth)
    return
  }
  readLine(withoutStructuredData(text), part, found, depth)
}

/** The header of a line of syslog (RFC 5424) up to its structured data, which no client can write, and the byte order mark behind that. */
const STRUCTURED_DATA =
  /^((?:\d{1,7} )?<\d{1,3}>\d{1,2}(?: \S{1,255}){5} )(?:-|(?:\[[^\s="\]]+(?: [^\s="\]]+="(?:[^"\\\]]|\\.)*")*\])+) \ufeff?/s

const withoutStructuredData = (text: string) => text.replace(STRUCTURED_DATA, '$1- ')

/** Reads a line that is not JSON as a whole. */
function readLine(text: string, part: Part, found: Search, depth: number): void {
  for (const { text: notice, kind } of depth === 0 ? NOTICES : []) {
    const start = text.indexOf(notice)
    if (start >= 0 && isPrefix(text.slice(0, start))) found[kind].push({ ...part, time: timeInText(text)?.time })
  }
  const { length } = found.records
  const { unreadable, copied } = found
  readAround(text, part, found, depth)
  const records = found.records.slice(length)
  const own = text.replace(LABELLED, (labels) => (isCopied(labels, labels, records) ? '' : labels))
  // A record that is cut off, with another line behind it.
  const read = records.length + found.copied - copied
  if (found.unreadable === unreadable && countMentions(own) > read) found.unreadable++
}

/** Reads the JSON in a text, which may be quoted or escaped as a whole. */
function readAround(text: string, part: Part, found: Search, depth: number): void {
  const { records, starts, notJudged } = found
  const foundSoFar = () => records.length + starts.length + notJudged.length
  const isFound = () => foundSoFar() > before
  const before = foundSoFar()
  readObjects(text, { part, how: '' }, found, depth)
  if (isFound()) return
  for (const { text: quoted, how, before } of quotedIn(text)) {
    if (!mentions(quoted)) continue
    readPart(found, () => readText(quoted, within(behind(before, part), how), found, depth + 1))
  }
  const plain = withoutEntities(text)
  if (plain !== text && !isFound()) readObjects(plain, { part, how: 'escapes of XML' }, found, depth)
}

/** As much of the text before a record is looked at for its time and process. A line may hold thousands of records. */
const MAX_BEFORE = 10_000

/** What stands behind a text. A line that is cut off behind our fields has its time and process before them. */
function behind(text: string, part: Part): Part {
  const before = text.slice(-MAX_BEFORE)
  return within(
    { ...part, ...timeInText(before), process: processInText(before) ?? part.process },
    'text around the JSON'
  )
}

function readObjects(
  text: string,
  { part, how }: { readonly part: Part; readonly how: string },
  found: Search,
  depth: number
): void {
  const { objects, outside } = objectsIn(text)
  if (isRequest(outside)) return
  for (const { before, value } of objects) {
    if (!isPrefix(before)) continue
    readPart(found, () => visit(value, within(behind(before, part), how), found, depth))
  }
}

/** How often a text mentions a record, where no client can have written it. */
const countMentions = (text: string) =>
  countOwn(
    text,
    [...text.matchAll(MENTIONS)].map(({ index }) => index)
  )

const ENTITIES: Readonly<Record<string, string>> = {
  quot: '"',
  '#34': '"',
  '#x22': '"',
  apos: "'",
  '#39': "'",
  '#x27': "'",
  lt: '<',
  gt: '>',
  amp: '&'
}

/** A text as it was before HTML or XML, perhaps twice. */
function withoutEntities(text: string): string {
  return text.replaceAll(/&(?:amp;)*(quot|apos|lt|gt|amp|#34|#39|#x22|#x27);/g, (_, name: string) => ENTITIES[name]!)
}

/** The objects that stand in a text, each with the text before it, and the text without them: some stores write them one after another. */
function objectsIn(text: string): { objects: { before: string; value: unknown }[]; outside: string } {
  const objects: { before: string; value: unknown }[] = []
  let outside = ''
  let from = 0
  let start = text.indexOf('{')
  for (let failures = 0; start >= 0 && failures < MAX_BRACES; ) {
    const end = endOfObject(text, start)
    const value = parsed(text.slice(start, end))
    if (value === undefined) {
      failures++
      start = text.indexOf('{', start + 1)
    } else {
      outside += text.slice(from, start)
      objects.push({ before: outside, value })
      outside += '{}'
      from = end
      start = text.indexOf('{', end)
    }
  }
  return { objects, outside: outside + text.slice(from) }
}

/** Where the braces are balanced again, those in texts not counted; the start where they never are. */
function endOfObject(text: string, start: number): number {
  // A text that never ends is one token up to the end: it must not be read again from each quote in it.
  const tokens = /"(?:[^"\\]|\\.)*(?:"|\\?$)|[{}]/gs
  tokens.lastIndex = start
  let open = 0
  for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    if (token[0] === '{') open++
    else if (token[0] === '}' && --open === 0) return tokens.lastIndex
  }
  return start
}

function within(part: Part, how: string): Part {
  if (how === '') return part
  return { ...part, wrapping: part.wrapping === '' ? how : `${part.wrapping}, ${how}` }
}

function visit(value: unknown, part: Part, found: Search, depth: number): void {
  if (depth > MAX_DEPTH) {
    found.unreadable++
  } else if (typeof value === 'string') {
    if (isAboutUs(value)) readText(value, part, found, depth + 1)
  } else if (Array.isArray(value)) {
    visitArray(value, part, found, depth)
  } else {
    const fields = asFields(value)
    if (fields !== undefined) visitFields(fields, part, found, depth)
  }
}

function visitArray(values: readonly unknown[], part: Part, found: Search, depth: number): void {
  if (values.length > 0 && values.every(isByte)) {
    visit(Buffer.from(values).toString('utf8'), part, found, depth + 1)
    return
  }
  // Loki writes an entry as its time and its text.
  const [first] = values
  const time = typeof first === 'string' && /^\d{10,19}$/.test(first) ? logTime(first) : undefined
  for (const value of values) {
    const read = () => visit(value, { ...part, ...time }, found, depth + 1)
    const fields = asFields(value)
    if (fields !== undefined && isNamedValue(fields)) read()
    else readPart(found, read)
  }
}

const isByte = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < 256

function visitFields(fields: Fields, part: Part, found: Search, depth: number): void {
  const here = { ...part, ...timeOf(fields), process: processOf(fields) ?? part.process }
  const record = recordIn(fields)
  if (record !== undefined) {
    found.records.push({ ...here, record })
    return
  }
  const messages = [fields.msg, fields.message].filter((text) => typeof text === 'string')
  const notice = NOTICES.find(({ text }) => messages.some((message) => message.startsWith(text)))
  if (notice !== undefined) {
    found[notice.kind].push(here)
    return
  }
  if (fields.MESSAGE === null) found.leftOut++
  const entries = Object.entries(fields)
  const isGuards = isOfGuard(entries)
  const others = entries.filter(([name, value]) => !visitField(name, value, { fields, here, isGuards }, found, depth))
  const mentioning = others.filter(([name, value]) => seemsToHoldRecord(name, value, fields))
  for (const entry of mentioning) {
    found.mentioning.push(entry)
    found.beside.push(entry)
  }
  if (mentioning.length === 0 && !isNamedValue(fields)) return
  for (const [name, value] of others) {
    const isOwn = isPartOfOwn(name) || !isOfClient(name, fields)
    if (isOwn && asFields(onlyValue(value)) === undefined)
      found.beside.push([nameOfField(name, fields), onlyValue(value)])
  }
}

/** Whether a field holds a line, which is then read. */
function visitField(
  name: string,
  value: unknown,
  { fields, here, isGuards }: { readonly fields: Fields; readonly here: Part; readonly isGuards: boolean },
  found: Search,
  depth: number
): boolean {
  if (typeof value !== 'object' && typeof value !== 'string') return false
  const own = nameOfField(name, fields)
  const isLine = isEnvelope(name, value, fields)
  found.hasMessage ||= (isLine || /^(?:msg|message)$/i.test(own)) && isMessageOfRecord(onlyValue(value))
  const inside = asFields(value)
  if (!isLine && (inside === undefined || recordIn(inside) === undefined || !isGuards)) return false
  visit(value, nested(here, own), found, depth + 1)
  return true
}

/** Whether a field that holds no line seems to hold a record, or names the event of one beside it. */
function seemsToHoldRecord(name: string, value: unknown, fields: Fields): boolean {
  if (EVENTS.has(onlyValue(value)) && isNameOfEvent(name, fields)) return true
  return !isOfClient(name, fields) && MENTION.test(JSON.stringify(value))
}

/**
 * Whether a text mentions records that were found beside it, and no other: Loki writes the fields of a line, or some of them, among its
 * labels.
 *
 * @param beside where the fields of these may stand
 */
function isCopied(text: string, beside: string, records: readonly FoundRecord[]): boolean {
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

/** A value that stands alone in a list, as in Elastic's answers, or in an object, as in those of OpenTelemetry. */
function onlyValue(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : (asFields(value)?.stringValue ?? value)
}

/**
 * Whether the message of a line is one that the guard writes: a nested key of pino is known by it, since what a client sent stands beside
 * other texts.
 */
const isOfGuard = (entries: readonly Entry[]) =>
  entries.some(([name, value]) => !isNameOfClients(name) && isMessageOfGuard(value))

const EVENTS: ReadonlySet<unknown> = new Set(['moengage.rejected', 'moengage.summary', 'moengage.without-secret'])

const isOurs = (fields: Fields | undefined): fields is Fields => EVENTS.has(fields?.event)

/** Our fields, if an object has them: nested, flattened or at its top. */
function recordIn(fields: Fields): Fields | undefined {
  const nested = asFields(fields.moengage)
  return isOurs(nested) ? nested : [unflattened(fields), fields].find(isOurs)
}

/** `field "_source.message"`: names of nested fields become a path. */
function nested(part: Part, name: string): Part {
  const path = /^(.*field ".*)"$/s.exec(part.wrapping)
  return path === null ? within(part, `field "${name}"`) : { ...part, wrapping: `${path[1]}.${name}"` }
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

function processOf({ pid, hostname }: Fields): ProcessId | undefined {
  if (pid === undefined && hostname === undefined) return undefined
  return { pid: shortText(pid), hostname: shortText(hostname) }
}

function processInText(text: string): ProcessId | undefined {
  const [, pid = ''] = /\bpid\W{1,20}(\d{1,10})/.exec(text) ?? []
  const [, hostname = ''] = /\bhostname\W{1,20}([\w.-]{1,100})/.exec(text) ?? []
  return pid === '' && hostname === '' ? undefined : { pid, hostname }
}

const shortText = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' ? `${value}`.slice(0, 100) : ''
