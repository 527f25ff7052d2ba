import { asFields, type Fields } from './fields.js'
import { isEnvelope, isNameOfClients, isOfApplication } from './fields-of-lines.js'
import { objectsIn } from './json-in-text.js'
import { isNameOfTime, timeOf } from './log-time.js'
import { hasMessageOfRecord, isMessageOfRecord, placeOfMessage, withoutColours } from './messages.js'
import { isOfLogger, isPrefix, isRequest } from './places.js'
import { recordIn } from './record.js'

/** Whole lines of the guard in a place where a client may write as well. */

/** Whether an object is a line of a logger. */
const isLine = (fields: Fields) => 'level' in fields || timeOf(fields) !== undefined

/** The object that a text ends with, and the text in front of it. What a client sent would seldom end the line. */
function lastObject(text: string): { readonly before: string; readonly fields: Fields } | undefined {
  const { objects, outside } = objectsIn(text)
  const { before = '', value } = objects.at(-1) ?? {}
  const fields = asFields(value)
  return fields === undefined || outside.trimEnd().length > before.length + 2 ? undefined : { before, fields }
}

/** Whether a text ends with a line of the guard behind one of a logger that is cut off. */
export function endsWithLine(text: string): boolean {
  const last = lastObject(text)
  if (last === undefined || !holdsRecord(last.fields, 0)) return false
  const start = last.before.indexOf('{"')
  return start >= 0 && isPrefix(last.before.slice(0, start))
}

/** Whether an object is a line with a record, or an envelope that holds the text of one. */
function holdsRecord(fields: Fields, depth: number): boolean {
  if (recordIn(fields) !== undefined) return isLine(fields)
  return Object.entries(fields).some(([name, value]) => {
    if (depth === MAX_DEPTH || typeof value !== 'string' || !isEnvelope(name, value, fields)) return false
    const last = lastObject(value)
    return last !== undefined && holdsRecord(last.fields, depth + 1)
  })
}

/** Whether a text behind a path is a whole line of the guard up to its end, which has the message of the guard. A URL has no space. */
export const isWholeLine = (text: string) => hasMessageOfRecord(text) && lastObject(text) !== undefined

/**
 * What a text behind the path of a log file is: `grep` writes such paths in front of lines, and a client may ask for such a path. A URL has
 * no space, and its status stands behind it.
 */
export function behindLogFileIs(text: string): 'line' | 'doubt' | 'url' {
  const { objects, outside } = objectsIn(text)
  // Text alone, or a line that is cut off.
  if (objects.length === 0 || /\{(?!\})/.test(outside)) return 'line'
  const rest = outside.slice(outside.lastIndexOf('{}') + 2)
  if (!text.slice(0, text.length - rest.length).includes(' ') || /^ (?:- )?[1-5]\d\d\b/.test(rest)) return 'url'
  return /^[\]\s]*$/.test(rest) ? 'line' : 'doubt'
}

/** Whether a text is a message that the guard writes beside a record, behind what a logger writes in front of it. */
export function isLoggedMessage(text: string): boolean {
  const plain = withoutColours(text)
  const place = placeOfMessage(plain)
  // The sign in front of a message belongs to it: a quote is of another program.
  return place !== undefined && !isRequest(plain) && isOfLogger(plain.slice(0, place + 1))
}

/** Whether a value is such a message up to its end, and nothing else is in front of it than what a logger writes. */
export function isMessageAlone(value: unknown): boolean {
  if (!isMessageOfRecord(value)) return false
  const text = withoutColours(value as string).trim()
  return placeOfMessage(text) === 0 || isLoggedMessage(text)
}

/** Names of fields in which stores keep a line, and applications what a client sent. */
const OF_STORES: ReadonlySet<string> = new Set(['event', 'data', 'payload', 'body'])
/** What stores write beside such a field, and applications seldom. */
const BESIDE_THESE =
  /^(?:host|index|source|samplerate|specversion|datacontenttype|schema|attributes|observedTimestamp|_sysTime|_rowId)$/
/** What CloudEvents has as well. */
const OF_CLOUD_EVENTS = /^(?:id|type|subject)$/
/** Maximum depth of a line in such a field. */
const MAX_DEPTH = 8

/** The fields of an object that hold a line of the guard, where a store keeps one: nothing else stands in the object. */
export function fieldsWithLine(fields: Fields): string[] {
  if (isOfApplication(fields)) return []
  const isOfStore = (name: string) => OF_STORES.has(name.toLowerCase())
  const isBeside = (name: string) =>
    BESIDE_THESE.test(name) || isNameOfTime(name) || ('specversion' in fields && OF_CLOUD_EVENTS.test(name))
  const names = Object.keys(fields)
  if (!names.every((name) => isOfStore(name) || isBeside(name))) return []
  return names.filter((name) => isOfStore(name) && holdsLine(fields[name], 0))
}

function holdsLine(value: unknown, depth: number): boolean {
  if (depth > MAX_DEPTH) return false
  const holds = (inside: unknown) => holdsLine(inside, depth + 1)
  if (typeof value === 'string') {
    const text = withoutColours(value)
    return (
      hasMessageOfRecord(text) && objectsIn(text).objects.some(({ before, value }) => isPrefix(before) && holds(value))
    )
  }
  if (Array.isArray(value)) return value.some(holds)
  const fields = asFields(value)
  return fields !== undefined && (isLineOfGuard(fields) || ownValues(fields).some(holds))
}

/** Whether an object is a line with a record and the message that the guard writes beside it. */
const isLineOfGuard = (fields: Fields) =>
  recordIn(fields) !== undefined && isLine(fields) && ownValues(fields).some(isMessageOfRecord)

const ownValues = (fields: Fields) =>
  Object.entries(fields)
    .filter(([name]) => !isNameOfClients(name))
    .map(([, value]) => value)
