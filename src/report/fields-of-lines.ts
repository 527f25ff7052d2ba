import { asFields, type Fields } from './fields.js'

/** Which fields hold a line of a log, and which hold what a client chose. */

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
export const isOfApplication = (fields: Fields) => isOfPino(fields) || typeof fields.message === 'string'

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
