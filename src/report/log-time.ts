import { parsed } from '../lib/json.js'
import { isDay } from '../lib/time.js'
import { asFields, type Fields } from './fields.js'
import { behindLogFile, isPrefix, isRequest, REQUEST } from './places.js'

/** A time as a line of a log has it. */
export interface LogTime {
  /** Milliseconds since 1970; undefined if neither the line nor its envelope has a time. */
  readonly time: number | undefined
  /** Whether the time is taken as UTC, because it names no zone, or one such as IST. */
  readonly isZoneAssumed: boolean
}

/** The time of any line of a log: in the fields of its JSON, or in front. A time elsewhere may be a client's. */
export function timeOfLine(line: string): number | undefined {
  return timeOfText(behindLogFile(line))
}

function timeOfText(line: string): number | undefined {
  const brace = line.indexOf('{')
  const front = brace < 0 ? line : line.slice(0, brace)
  const fields = brace < 0 || !isPrefix(front) ? undefined : asFields(parsed(line.slice(brace)))
  if (fields !== undefined) return (timeOf(fields) ?? timeInFront(front))?.time
  return (isRequest(line) ? timeOfRequest(line) : timeInFront(line))?.time
}

/** The time of a line of an access log: in brackets directly in front of the request, or in front of all that a client may have written. */
function timeOfRequest(line: string): LogTime | undefined {
  const [found, other] = line.matchAll(TIME_OF_REQUEST)
  // The log writes one of them. A user's name may hold another.
  if (other !== undefined) return undefined
  const request = line.search(REQUEST)
  if (found !== undefined && found.index + found[0].length === request) return logTime(found[1])
  const front = line.slice(0, Math.min(request, MAX_FRONT))
  const time = TIME_IN_FRONT.exec(front)
  // Behind the address of a client stands the name of the user.
  return time === null || ADDRESS.test(front.slice(0, time.index)) ? undefined : timeInFront(front)
}

function timeInFront(line: string): LogTime | undefined {
  const found = TIME_IN_FRONT.exec(line.slice(0, MAX_FRONT))
  if (found === null) return undefined
  const front = line.slice(0, found.index)
  if (!isPrefix(front.replace(/(?:^|=)"$|\[$/, '')) || IN_MESSAGE.test(front)) return undefined
  return timeInText(found[0])
}

/** Words with which a message names the time behind them, such as `Next backup at `, and fields that are so called. */
const IN_MESSAGE =
  /(?<![\w.@-])(?:(?:at|on|from|by|before|after)[: ]{1,2}["(]?|(?:next(?: [a-z]{1,20})?|until|till|since|for|expires?|due)[: ]{0,2}=?["(]?)$/i

/** The names of a time, those of the logger before those of envelopes. */
const TIMES = [
  'time',
  'timestamp',
  '@timestamp',
  'ts',
  '_SOURCE_REALTIME_TIMESTAMP',
  '__REALTIME_TIMESTAMP',
  'instant',
  'date',
  'receiveTimestamp'
]

/** The time in the fields of a line. */
export function timeOf(fields: Fields): LogTime | undefined {
  for (const name of TIMES) {
    const time = logTime(fields[name])
    if (time !== undefined) return time
  }
  // Some write `Time` or `EventTime`.
  for (const [name, value] of Object.entries(fields)) {
    const time = TIME_NAME.test(name) ? logTime(value) : undefined
    if (time !== undefined) return time
  }
  return undefined
}

const TIME_NAME = /^@?(?:event|log|_)*(?:date_?time|time_?stamp|time|date|t)$/i

/** Whether a field is the time of a line, by its name. */
export const isNameOfTime = (name: string) => TIMES.includes(name) || TIME_NAME.test(name)

/** Later times have more digits than any date, and are certainly wrong. */
const YEAR_10000 = 253_402_300_800_000

/** The time that a field holds; undefined if it holds none. */
export function logTime(value: unknown): LogTime | undefined {
  const text = typeof value === 'string' ? value.trim().replace(OTHER_ZONE, '') : value
  const time = readTime(text)
  return time === undefined ? undefined : { time, isZoneAssumed: typeof text === 'string' && WITHOUT_ZONE.test(text) }
}

/** Reads a time in ISO 8601, of a mail (RFC 2822) or of an access log (CLF), in (nano-, micro-, milli-)seconds since 1970, or as `{ seconds, nanos }`. */
export function readTime(value: unknown): number | undefined {
  const time =
    typeof value === 'number'
      ? ofNumber(value)
      : typeof value === 'string'
        ? ofString(value.trim())
        : ofParts(asFields(value))
  return time >= 0 && time < YEAR_10000 ? time : undefined
}

/** The unit follows from the size: until the year 5138 a number of seconds is smaller than one of milliseconds since 1973. */
function ofNumber(value: number): number {
  if (value < 1e11) return value * 1e3
  if (value < 1e14) return value
  return value < 1e17 ? value / 1e3 : value / 1e6
}

const ZONE = '(?:Z|UTC|GMT|[+-](?:0\\d|1[0-4]):?[0-5]\\d)'
/** The name of another zone: several have the same one, such as IST. */
const OTHER_ZONE = / (?!UTC|GMT)[A-Z]{2,5}$/
const WITHOUT_ZONE = /(?<![+-])\b\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?$/
const ISO = new RegExp(`^(\\d{4}-\\d\\d-\\d\\d)[ T](\\d\\d:\\d\\d(?::\\d\\d)?)(?:[.,](\\d{1,9}))?\\s*(${ZONE})?$`)

function ofString(text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return ofNumber(Number(text))
  const [, day, time, fraction = '0', zone = 'Z'] = ISO.exec(asIso(text)) ?? []
  if (!isDay(day)) return Number.NaN
  const offset = zone.replace(/^(?:UTC|GMT)$/, 'Z').replace(/^(...)(\d\d)$/, '$1:$2')
  return Date.parse(`${day}T${time}${offset}`) + Math.floor(Number(`0.${fraction}`) * 1000)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const WITH_MONTH =
  /^(?:[A-Z][a-z]{2}, ?)?(\d{1,2})[ /]([A-Z][a-z]{2})[ /](\d{4})[ :](\d\d:\d\d(?::\d\d)?)(?: (GMT|UTC|Z|[+-]\d{4}))?$/

/** A time with the name of its month in ISO 8601; any other text as it is. */
function asIso(text: string): string {
  const [, day, month, year, time, zone = ''] = WITH_MONTH.exec(text) ?? []
  if (day === undefined) return text
  const number = `${MONTHS.indexOf(month!) + 1}`.padStart(2, '0')
  return `${year}-${number}-${day.padStart(2, '0')}T${time}${zone}`
}

function ofParts(fields: Fields | undefined): number {
  const seconds = fields?.seconds ?? fields?.epochSecond
  const nanos = fields?.nanos ?? fields?.nanoOfSecond ?? 0
  return seconds === undefined ? Number.NaN : Number(seconds) * 1e3 + Math.floor(Number(nanos) / 1e6)
}

const TIME_IN_TEXT = new RegExp(
  `\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(?::\\d\\d(?:[.,]\\d{1,9})?)?(?: ?${ZONE}\\b)?|\\d{1,2}[ /][A-Z][a-z]{2}[ /]\\d{4}[ :]\\d\\d:\\d\\d:\\d\\d(?: ${ZONE}\\b)?`
)

/** The time in a text, such as a line up to its JSON. */
export function timeInText(text: string): LogTime | undefined {
  const [, number] = /\btime\W{1,20}(\d{10,19})(?!\d)/.exec(text) ?? []
  return logTime(number) ?? logTime(TIME_IN_TEXT.exec(text)?.[0])
}

/** How much of a line is looked at for a time in front. */
const MAX_FRONT = 200
/** A number that ends with its line may be cut off. */
const TIME_IN_FRONT = new RegExp(`\\btime\\W{1,20}\\d{10,19}(?=\\D)|${TIME_IN_TEXT.source}`)
/** The time of the common log format, up to the request. */
const TIME_OF_REQUEST = new RegExp(
  `\\[(\\d{2}/[A-Z][a-z]{2}/\\d{4}:\\d\\d:\\d\\d:\\d\\d(?: [+-]\\d{4})?)\\] "(?=${REQUEST.source})`,
  'g'
)
const ADDRESS = /\d\.\d|:[\da-f]*:/i
