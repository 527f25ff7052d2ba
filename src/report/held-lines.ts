import { asFields, type Fields } from './fields.js'
import { isNameOfClients, isOfApplication } from './fields-of-lines.js'
import { objectsIn } from './json-in-text.js'
import { timeOf } from './log-time.js'
import { hasMessageOfRecord, isMessageOfRecord, placeOfMessage } from './messages.js'
import { isBehindPath, isPrefix } from './places.js'
import { recordIn } from './record.js'

/** Whole lines of the guard in a place where a client may write as well: they are not counted, and are a doubt. */

/** Whether an object is a line of a logger with a record of the guard. */
const isLine = (fields: Fields) => recordIn(fields) !== undefined && ('level' in fields || timeOf(fields) !== undefined)

/** Whether it has the message that the guard writes beside a record. */
const isLineOfGuard = (fields: Fields) =>
  isLine(fields) && Object.entries(fields).some(([name, value]) => !isNameOfClients(name) && isMessageOfRecord(value))

/** Whether a text ends with a line of the guard, behind a line that is cut off or a path. What a client sent would not end the line. */
export function endsWithLine(text: string): boolean {
  const { objects, outside } = objectsIn(text)
  const { before = '', value } = objects.at(-1) ?? {}
  const fields = asFields(value)
  if (fields === undefined || recordIn(fields) === undefined || outside.trimEnd().length > before.length + 2)
    return false
  if (isLine(fields) && isCutLine(before)) return true
  const message = placeOfMessage(before)
  // A URL has no space. The message of the guard has some, also as it is written.
  if (message === undefined && !(isLineOfGuard(fields) && hasMessageOfRecord(text))) return false
  return isBehindPath(before.slice(0, message))
}

/** Whether a text without the objects in it is the start of a line of a logger. */
function isCutLine(text: string): boolean {
  const start = text.indexOf('{"')
  return start >= 0 && isPrefix(text.slice(0, start))
}

/** Names of fields in which stores keep a line, and applications what a client sent. */
const OF_STORES: ReadonlySet<string> = new Set(['event', 'data', 'payload', 'body'])
/** Names of what else is known of a request. */
const OF_REQUESTS = /^(?:method|status(?:_?code)?|.*ip|.*addr(?:ess)?|duration.*|level)$/i

/** The fields of an object that hold a line of the guard, where a store keeps one: the object is about no request. */
export function fieldsWithLine(fields: Fields): string[] {
  if (isOfApplication(fields)) return []
  const names = Object.keys(fields)
  const held = names.filter((name) => OF_STORES.has(name.toLowerCase()) && holdsLine(fields[name]))
  const isOfRequest = (name: string) =>
    OF_REQUESTS.test(name) || (isNameOfClients(name) && name !== 'host' && !OF_STORES.has(name.toLowerCase()))
  return held.length > 0 && names.some(isOfRequest) ? [] : held
}

function holdsLine(value: unknown): boolean {
  if (typeof value === 'string') {
    return (
      hasMessageOfRecord(value) &&
      objectsIn(value).objects.some(({ before, value }) => isPrefix(before) && holdsLine(value))
    )
  }
  if (Array.isArray(value)) return value.some(holdsLine)
  const fields = asFields(value)
  if (fields === undefined) return false
  return (
    isLineOfGuard(fields) ||
    Object.entries(fields).some(([name, inside]) => !isNameOfClients(name) && holdsLine(inside))
  )
}
