import { parsed } from '../lib/json.js'
import { NOT_JUDGED } from '../log/lines.js'
import { isCopied, withoutCopies } from './copies.js'
import { asFields, type Fields } from './fields.js'
import {
  isEnvelope,
  isNamedValue,
  isNameOfClients,
  isNameOfEvent,
  isOfApplication,
  isOfClient,
  isPartOfOwn,
  nameOfField
} from './fields-of-lines.js'
import {
  behindLogFileIs,
  endsWithLine,
  fieldsWithLine,
  isLoggedMessage,
  isMessageAlone,
  isWholeLine
} from './held-lines.js'
import { objectsIn, withoutEntities } from './json-in-text.js'
import { logTime, timeInText, timeOf } from './log-time.js'
import { hasMessageOfRecord, isMessageOfGuard, MESSAGE_MARKS, withoutColours } from './messages.js'
import { PARTIAL_MARKS } from './partial-lines.js'
import { behindPath, countOwn, isPrefix, isRequest, LABELLED, type QuotedText, quotedIn } from './places.js'
import { readEvent } from './read-event.js'
import type { Mark } from './read-lines.js'
import { EVENTS, type FoundRecord, processInText, processOf, recordIn } from './record.js'

/** A part of a line, with what the parts around it say. */
type Part = Omit<FoundRecord, 'record'>

const NOTHING: Part = {
  time: undefined,
  isZoneAssumed: false,
  process: { pid: '', hostname: '' },
  wrapping: '',
  cell: 0
}

/** One of our records, also behind escapes, and also cut off in its first field. */
const MENTION =
  /event(?:&(?:amp;)*(?:\w{2,6}|#\w{2,4});|\\u[\da-f]{4}|\W){1,99}moengage(?:\.(?:rejected|summary|without-secret)|\.[a-z-]{0,14}$|$)/
const MENTIONS = new RegExp(MENTION, 'g')
/** An event, whatever names it. */
const EVENT = /moengage\.(?:rejected|summary|without-secret)/
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
  ...MESSAGE_MARKS,
  ...PARTIAL_MARKS
]
/** Envelopes nest a few levels; an endless nesting is an attack on the parser. */
const MAX_DEPTH = 32

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
  const text = withoutColours(line)
  return isAboutUs(text) ? contentOfLine(text, NOTHING, MAX_PATHS) : undefined
}

/** Maximum number of paths in front of a line: `grep` writes one in front of that of syslog. */
const MAX_PATHS = 2

/**
 * A client may have sent a path and what stands behind it: so a line is read only behind the path of a log file, and is a doubt behind
 * others.
 */
function contentOfLine(line: string, part: Part, paths: number): LineContent {
  const content = contentOf(line, part)
  const behind = paths === 0 || !isEmpty(content) ? undefined : behindPath(line)
  if (behind === undefined || !isAboutUs(behind.text)) return content
  const { text, isLogFile } = behind
  const inside = contentOfLine(text, within(NOTHING, 'path of a file'), paths - 1)
  const kind = isLogFile ? behindLogFileIs(text) : isWholeLine(text) ? 'doubt' : 'url'
  if (kind === 'line') return inside
  const isDoubt = kind === 'doubt' && inside.records.length + inside.unreadable > 0
  return isDoubt ? { ...content, unreadable: 1 } : content
}

const isEmpty = ({ records, starts, notJudged, unreadable, leftOut }: LineContent) =>
  records.length + starts.length + notJudged.length + unreadable + leftOut === 0

function contentOf(text: string, part: Part): LineContent {
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
  try {
    readPart(found, () => readText(text, part, found, 0))
  } catch {
    // JSON may be nested more deeply than the stack is.
    found.unreadable++
  }
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

/** Whether a text seems to hold one of our records, or the start or a part of one. */
export const mentions = (text: string) => mentionsEvent(text) || hasMessageOfRecord(text)

/** Whether a text seems to name an event of ours, or the start of one. */
export const mentionsEvent = (text: string) => text.includes('moengage') && (MENTION.test(text) || EVENT.test(text))

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
  for (const { text: notice, kind } of depth === 0 && !isRequest(text) ? NOTICES : []) {
    const start = text.indexOf(notice)
    if (start >= 0 && isPrefix(text.slice(0, start))) found[kind].push({ ...part, time: timeInText(text)?.time })
  }
  const foundSoFar = () => found.records.length + found.starts.length + found.notJudged.length
  const before = foundSoFar()
  const { length } = found.records
  const { unreadable } = found
  // What JSON that was read mentions was judged with its fields.
  const unquoted = readObjects(text, { part, how: '' }, found, depth)
  const outside = foundSoFar() === before ? readQuoted(unquoted, part, found, depth) : unquoted
  const { length: inside } = found.records
  const { copied } = found
  const plain = withoutEntities(text)
  if (plain !== text && foundSoFar() === before) readObjects(plain, { part, how: 'escapes of XML' }, found, depth)
  const records = found.records.slice(length)
  const own = outside.replace(LABELLED, (labels) => (isCopied(labels, labels, records) ? '' : labels))
  // A record that is cut off, with another line behind it.
  const read = found.records.length - inside + found.copied - copied
  if (found.unreadable === unreadable && (countMentions(own) > read || (records.length === 0 && endsWithLine(text))))
    found.unreadable++
  found.hasMessage ||= depth === 0 && isLoggedMessage(text)
}

/** Reads the JSON in a text that is quoted. Returns the text without what was read. */
function readQuoted(text: string, part: Part, found: Search, depth: number): string {
  const read: QuotedText[] = []
  for (const quoted of quotedIn(text)) {
    if (!mentions(quoted.text)) continue
    const inside = { ...within(behind(quoted.before, part), quoted.how), cell: quoted.end }
    readPart(found, () => readText(quoted.text, inside, found, depth + 1))
    read.push(quoted)
  }
  let rest = ''
  let from = 0
  for (const { before, end } of read.sort((a, b) => a.end - b.end)) {
    rest += `${text.slice(from, before.length)}""`
    from = end
  }
  return rest + text.slice(from)
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

/** Reads the JSON in a text. Returns the text without what was read. */
function readObjects(
  text: string,
  { part, how }: { readonly part: Part; readonly how: string },
  found: Search,
  depth: number
): string {
  const { objects, outside } = objectsIn(text)
  if (isRequest(outside)) return text
  let rest = ''
  let from = 0
  for (const { before, value, start, end } of objects) {
    if (!isPrefix(before)) continue
    readPart(found, () => visit(value, within(behind(before, part), how), found, depth))
    rest += `${text.slice(from, start)}{}`
    from = end
  }
  return rest + text.slice(from)
}

/** How often a text mentions a record, where no client can have written it. */
const countMentions = (text: string) =>
  countOwn(
    text,
    [...text.matchAll(MENTIONS)].map(({ index }) => index)
  )

function within(part: Part, how: string): Part {
  if (how === '') return part
  return { ...part, wrapping: part.wrapping === '' ? how : `${part.wrapping}, ${how}` }
}

function visit(value: unknown, part: Part, found: Search, depth: number): void {
  if (depth > MAX_DEPTH) {
    found.unreadable++
  } else if (typeof value === 'string') {
    const text = withoutColours(value)
    if (isAboutUs(text)) readText(text, part, found, depth + 1)
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
  // Beside a part of a flattened record may stand the line that it was taken from.
  const isPart = record !== fields && record !== fields.moengage && record !== undefined && !readEvent(record)
  if (record !== undefined && !isPart) {
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
  const { length } = found.records
  const entries = Object.entries(fields)
  const isGuards = isOfGuard(entries)
  const others = entries.filter(([name, value]) => !visitField(name, value, { fields, here, isGuards }, found, depth))
  if (record !== undefined && found.records.length === length) {
    found.records.push({ ...here, record })
    return
  }
  const held = fieldsWithLine(fields)
  const mentioning = others.filter(([name, value]) => held.includes(name) || seemsToHoldRecord(name, value, fields))
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
  const text = onlyValue(value)
  found.hasMessage ||= (isLine || /^(?:msg|message)$/i.test(own)) && isMessageAlone(text)
  // Behind a prefix in the message of an application stands what a client sent.
  found.hasMessage ||= isLine && typeof text === 'string' && !isOfApplication(fields) && isLoggedMessage(text)
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

/** `field "_source.message"`: names of nested fields become a path. */
function nested(part: Part, name: string): Part {
  const path = /^(.*field ".*)"$/s.exec(part.wrapping)
  return path === null ? within(part, `field "${name}"`) : { ...part, wrapping: `${path[1]}.${name}"` }
}
