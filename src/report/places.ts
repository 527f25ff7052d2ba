import { METHODS } from 'node:http'
import { REASONS } from '../verdict/verdict.js'
import { asFields, type Fields } from './fields.js'

/**
 * Where in a line a record can stand. A client chooses a URL, a header or a body, and applications log these under any name. So a record
 * counts only where a logger or a collector writes one.
 */

/** Names under which a collector keeps a line as text, or its fields. No application names a client's text so. */
const OF_COLLECTORS = named(
  'moengage log log_processed _raw @message textPayload jsonPayload _source hits logEvents LogMessage LogEntry Log_s resourceLogs scopeLogs logRecords stringValue kvlistValue'
)
/** Names that applications use as well, beside a text of theirs. */
const OF_BOTH = named(
  'line raw original events logs records entries results result tables values messages content fields json pino properties streams'
)
/** Names of GELF, which has numbers as levels. */
const OF_GELF = named('short_message full_message')
/** Names by which an OpenTelemetry record is known, and what else an object with a `body` is if it is a line in an envelope. */
const BESIDE_BODY = ['severityText', 'severity_text', 'severityNumber', 'severity_number', 'timeUnixNano', 'level']
/** Names of rsyslog, which calls a line `msg` as pino calls its message. */
const OF_RSYSLOG = ['syslogtag', 'programname', 'syslogfacility', 'syslogfacility-text', 'pri', 'app-name', 'facility']
/** Names in the answers of Loki and Datadog. */
const BESIDE_DATA = ['status', 'meta', 'links']
/** Names in the events of Datadog. */
const BESIDE_ATTRIBUTES = ['service', 'tags', 'status', 'host', 'type']

function named(names: string): ReadonlySet<string> {
  return new Set(names.toLowerCase().split(' '))
}

/** Whether an object is a line of pino, so that what is in it is of the application. */
const isOfPino = ({ level, reqId, msg }: Fields) =>
  typeof level === 'number' || reqId !== undefined || typeof msg === 'string'

/** Whether an object is one field: OpenTelemetry and CloudWatch Insights write a list of fields, each with its name beside its value. */
export const isNamedValue = (fields: Fields) => 'value' in fields && typeof (fields.key ?? fields.field) === 'string'

/** The name of a field, also of one in such a list. */
export function nameOfField(name: string, fields: Fields): string {
  return name === 'value' && isNamedValue(fields) ? ((fields.key ?? fields.field) as string) : name
}

/** Whether a field holds a line of a log, or the fields of one. */
export function isEnvelope(name: string, value: unknown, fields: Fields): boolean {
  const lower = nameOfField(name, fields).toLowerCase()
  // What stands beside a field of a list is not known.
  if (name === 'value' && lower !== name) return OF_COLLECTORS.has(lower)
  if (lower === 'moengage' || OF_GELF.has(lower)) return true
  const has = (names: readonly string[]) => names.some((name) => name in fields)
  if (lower === 'msg' || lower === 'rawmsg') return typeof fields.level !== 'number' && has(OF_RSYSLOG)
  if (isOfPino(fields)) return false
  if (lower === 'message' || OF_COLLECTORS.has(lower)) return true
  const hasText = typeof fields.message === 'string'
  if (lower === 'attributes') return !hasText || (has(BESIDE_ATTRIBUTES) && !('level' in fields))
  if (hasText) return lower === 'event' && isOriginal(value, fields)
  if (lower === 'body') return has(BESIDE_BODY) && !('headers' in fields)
  if (lower === 'data') return has(BESIDE_DATA) && typeof value === 'object'
  if (lower === 'rows') return 'columns' in fields
  if (lower === 'event') return 'sourcetype' in fields || isOriginal(value, fields)
  return OF_BOTH.has(lower)
}

/** `event.original` of Elastic's Common Schema. */
const isOriginal = (value: unknown, { level }: Fields) =>
  level === undefined && typeof asFields(value)?.original === 'string'

/** Names of what a client chose. */
const OF_CLIENTS =
  /^(?:https?(?:_.*|request.*)?|x[-_].*|req.*|headers?|args?|ua|host|err(?:or)?|event|data|input|form|origin|remote_user|.*(?:forwarded.*|headers|cookies?|query.*|params?|ur[il]|path(?:name)?|user[-_ ]?agent.*|referr?er|body|payload|target|content[-_]?type))$/i

/** Whether an object is a line with a message, so that what is in it is of the application. */
const isOfApplication = (fields: Fields) => isOfPino(fields) || typeof fields.message === 'string'

/** The guard's own field; GELF puts a sign in front. No application may name another one so. */
const OF_GUARD = /^_?moengage$/i

/** Whether a field seems to be a part of the guard's own one, which a collector has flattened. */
export const isPartOfOwn = (name: string) => /^_?moengage[._]/i.test(name)

export const isNameOfClients = (name: string) => OF_CLIENTS.test(name)

/** Whether a record in a field that is no envelope is certainly a client's. */
export function isOfClient(name: string, fields: Fields): boolean {
  const own = nameOfField(name, fields)
  return isOfApplication(fields) ? !OF_GUARD.test(own) : isNameOfClients(own)
}

/** Whether a field may name an event of the guard, such as `json.moengage.event`. */
export function isNameOfEvent(name: string, fields: Fields): boolean {
  const [, path] = /^(.*?)[._]?event$/i.exec(nameOfField(name, fields)) ?? []
  if (path === undefined) return false
  if (isOfApplication(fields)) return OF_GUARD.test(path)
  return ![path, ...path.split(/[._]/)].some((part) => isNameOfClients(part) && !OF_COLLECTORS.has(part.toLowerCase()))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
const COLOURS = /\u001b\[[\d;]*m/g

/** How the message of a summary begins. */
const COUNTS = '[\\d,]{1,20} rejections?, [\\d,]{1,20} requests? verified, [\\d,]{1,20} lines? left out'
/** What the guard writes beside a record, perhaps behind a prefix of the logger's: what a client sent stands beside other texts. */
const MESSAGE_OF_GUARD = new RegExp(
  [
    '^\\S.{0,160} (?:would be rejected|rejected): [a-z-]+(?:, and carries your secret)?$',
    '^\\S.{0,160} verified, without your secret$',
    `^(?:\\S.{0,80} )?${COUNTS}(?:$|: )`
  ].join('|')
)

/** Whether a text is a message that the guard writes. */
export const isMessageOfGuard = (value: unknown) =>
  typeof value === 'string' && MESSAGE_OF_GUARD.test(value.replaceAll(COLOURS, '').trim())

const CLIENT = '(?:Unknown client|hmac:[\\da-f]{16}|[\\da-f.:]{2,45}(?:/\\d{1,3})?)'
/** The same, in words that no application chances to write. */
const MESSAGE_OF_RECORD = new RegExp(
  `(?:(?:^|[\\s"])${CLIENT} (?:(?:would be )?rejected: (?:${REASONS.join('|')})|verified, without your secret)|${COUNTS})(?![\\w-])`
)

/** Whether a text holds a message that the guard writes beside a record, and certainly nobody else. */
export const hasMessageOfRecord = (text: string) => MESSAGE_OF_RECORD.test(text)

/** Whether a value is such a message. */
export const isMessageOfRecord = (value: unknown) => isMessageOfGuard(value) && hasMessageOfRecord(value as string)

/** What pino-pretty and winston write in front of a message. */
const LEVEL = '(?:^|\\s)(?:trace|debug|info|warn|error|fatal|http|verbose|silly)(?: \\([^()]*\\))?: '
/** The causes in the message of a summary, which quote options and routes. */
const CAUSES_IN_TEXT = new RegExp(`(?<=${LEVEL}${COUNTS}): .*$`, 'is')
const METHOD = `\\b(?:${METHODS.join('|')})`
/** A request as access logs have it. What else stands in such a line is of the client. */
export const REQUEST = new RegExp(`${METHOD} \\S+ HTTP/\\d`)
/** What stands in front of a client's text only: a method (one of them is a level as well), a URL or a path. */
const SIGN = new RegExp(`${METHOD}(?<!TRACE)[ :]|HTTP/\\d|[A-Za-z]:/|(?:^|[\\s"'=(:,[])/\\S`)
const SIGNS = new RegExp(SIGN, 'g')
/** The name of what a client chose, in front of JSON. */
const NAME_OF_CLIENTS =
  /\b(?:body|payload|path|ur[il]|headers?|query|params|args|user-?agent|ua|referr?er|cookie)["'>]?\s?[:=]?\s*["']?\{/i
/** JSON in quotes that are not escaped in it: an error quotes a text. */
const QUOTED = /[^,;\t\\=:[({]"\{"\w/
/** What `grep` writes in front of a line of a file. */
const FILE =
  /^(?:(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL) )?\/[\w./@+-]*\.(?:log|out|err|json|txt)[\w.-]*:(?:\d+:)?/

const QUOTED_VALUE = '"(?:[^"\\\\]|\\\\.)*"'
/** The labels that Loki writes in front of a line. */
const LABELS = `\\{[\\w.-]+=${QUOTED_VALUE}(?:, ?[\\w.-]+=${QUOTED_VALUE})*\\}`
/** A line of Loki up to the end of its labels. */
export const LABELLED = new RegExp(`^[^{"]*${LABELS}(?=\\s)`)
const TOKENS = [
  '[\\p{L}\\p{N}_.@+:,;|$#~()<> \\t\\0\\r-]',
  '(?<=[\\p{L}\\p{N}_.\\])-])/',
  '\\[[^[\\]"\'{}?]*\\]',
  '</',
  `(?<=\\w)=(?:${QUOTED_VALUE})?`,
  '\\{[\\w. -]*\\}',
  LABELS
]
/** The start of a line of pino that is cut off behind our fields. */
const CUT = '\\{(?:"[\\w@.-]+":(?:-?\\d[\\d.]*|"[^"\\\\]*"|true|false|null|\\{\\}),)*"moengage":'
const PREFIX = new RegExp(`^\\[?(?:${TOKENS.join('|')})*(?:${CUT})?$`, 'su')
/** Maximum length of a prefix. */
const MAX_PREFIX = 1000

/** Whether a text is of a kind that collectors put in front of a line, and holds nothing that a client chose. */
export function isPrefix(text: string): boolean {
  if (text.length > MAX_PREFIX) return false
  const plain = text.replaceAll(COLOURS, '').replace(FILE, '').replace(CAUSES_IN_TEXT, '')
  return PREFIX.test(plain) && !SIGN.test(plain) && !NAME_OF_CLIENTS.test(`${plain}{`)
}

/** Whether a line is one of an access log, by its text outside of JSON. */
export const isRequest = (outside: string) => REQUEST.test(outside) && !outside.startsWith('{')

/** A text in CSV that quotes need, or a value of logfmt, which holds a text of its own. */
export interface QuotedText {
  readonly text: string
  readonly how: string
  readonly before: string
}

/** The texts in quotes that collectors write: cells of CSV, and values of logfmt. */
export function* quotedIn(text: string): Generator<QuotedText> {
  // Searched once: a line may have a cell in every few characters.
  const signs = [...text.matchAll(SIGNS)].map(({ index }) => index)
  const [first = Number.POSITIVE_INFINITY] = signs
  const last = signs.at(-1) ?? Number.NEGATIVE_INFINITY
  for (const { index, 1: cell, 0: all } of text.matchAll(/(?:^|[,;\t])"((?:[^"]|"")*)(?:"(?=[,;\t]|\s*$)|$)/g)) {
    if (!cell!.includes('""') || first < index || last >= index + all.length) continue
    yield { text: cell!.replaceAll('""', '"'), how: 'doubled quotes', before: text.slice(0, index) }
  }
  for (const { index, 1: name, 2: value } of text.matchAll(/(?<=^|\s)([\w.@-]+)="((?:[^"\\]|\\.)*)(?:"|$)/gs)) {
    const before = text.slice(0, index)
    if (!value!.includes('\\"') || !isEnvelope(name!, value, {}) || !isPrefix(before)) continue
    yield { text: value!.replaceAll(/\\(["\\])/g, '$1'), how: 'escaped quotes', before }
  }
}

/** Maximum length of a name in logfmt. */
const MAX_KEY = 50

/** How many of these places in a text no client can have written to. */
export function countOwn(text: string, places: readonly number[]): number {
  const plain = text.replace(FILE, (file) => ' '.repeat(file.length))
  const quote = signIn(plain, QUOTED)
  let isOfClient = isRequest(plain)
  let count = 0
  let next = 0
  const take = (end: number, sign: number) => {
    for (; next < places.length && places[next]! < end; next++) {
      if (!isOfClient && places[next]! < Math.min(sign, quote)) count++
    }
  }
  let from = 0
  for (const { index, 0: string } of plain.matchAll(/"(?:[^"\\]|\\.)*"?/gs)) {
    const between =
      from + Math.min(...[SIGN, NAME_OF_CLIENTS].map((pattern) => signIn(plain.slice(from, index + 2), pattern)))
    take(index, between)
    isOfClient ||= between < index
    from = index + string.length
    const [, key = ''] = /([\w.-]+)=$/.exec(plain.slice(Math.max(0, index - MAX_KEY), index)) ?? []
    const inside = OF_CLIENTS.test(key) ? 0 : signIn(string, SIGN)
    take(from, index + inside)
    // A quote that JSON ends, whose own quotes are not escaped.
    isOfClient ||= Number.isFinite(inside) && string.endsWith('{"')
  }
  take(plain.length, from + Math.min(...[SIGN, NAME_OF_CLIENTS].map((pattern) => signIn(plain.slice(from), pattern))))
  return count
}

/** Where a pattern matches first; infinite if it does not. */
function signIn(text: string, pattern: RegExp): number {
  const at = text.search(pattern)
  return at === -1 ? Number.POSITIVE_INFINITY : at
}
