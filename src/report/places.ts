import { METHODS } from 'node:http'
import { isEnvelope, isNameOfClients } from './fields-of-lines.js'
import { COLOURS, COUNTS } from './messages.js'

/**
 * Where in a line a record can stand. A client chooses a URL, a header or a body, and applications log these under any name. So a record
 * counts only where a logger or a collector writes one.
 */

/** The causes in the message of a summary, which quote options and routes. */
const CAUSES_IN_TEXT = new RegExp(`(?<=${COUNTS}): .*$`, 's')
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
/** A file, a program, or a group of CloudWatch. */
const PATH = '(?:[A-Za-z]:)?[\\\\/][\\w./\\\\@+,~-]{0,500}'
const LEVEL = '(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL) '
/** Names of values that are such a path. */
const OF_SOURCES = '(?:source|file(?:_?name)?|log(?:_?(?:file|group))?|group|program|tag|container(?:_?name)?)'
/** A path that stands in front of a line: what is before it, and the path. Alone before JSON it would be that of a request and its body. */
const SOURCES = [
  // `grep`
  `^((?:${LEVEL})?)${PATH}:(?:\\d+:)?(?!\\s)`,
  // `awslogs get`: a group and a stream
  `^()${PATH}(?= [^\\s/"']+/[^\\s/"']+/\\S+ )`,
  // `data:    /srv/web/server.js:7 - ` of forever
  `^((?:data|error): {3,})${PATH}:\\d+(?= - )`,
  // The tag of syslog
  `^((?:<\\d{1,3}>)?[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\S{1,255} )${PATH}(?=(?:\\[\\d+\\])?:)`,
  `^((?:<\\d{1,3}>)?\\d{4}-\\d\\d-\\d\\dT\\S{1,40} \\S{1,255} )${PATH}(?=\\[\\d+\\]:)`,
  `^(<\\d{1,3}>\\d \\S{1,40} \\S{1,255} )${PATH}(?= \\S+ \\S+ )`,
  // `source=/var/log/web `
  `^((?:[\\w.@-]+=[^\\s"'{}/]*\\s)*${OF_SOURCES}=)${PATH}(?=\\s)`
].map((source) => new RegExp(source))
/** The same for a file that can be nothing else. */
const LOG_FILE = new RegExp(`^(?:${LEVEL})?/[\\w./@+-]{0,500}\\.(?:log|out|err|json|txt)[\\w.-]{0,500}:(?:\\d+:)?`)

/**
 * A text without the path that a collector puts in front of a line. A URL may look like one. But it has no space, and the JSON behind it
 * would be a part of it.
 */
export function withoutSource(text: string): string {
  const plain = text.replace(LOG_FILE, '')
  return hasSpaceInJson(plain)
    ? SOURCES.reduce((text, source) => text.replace(source, '$1-').replace(/^-/, ''), plain)
    : plain
}

/** Whether a string of JSON in a text holds a space. */
function hasSpaceInJson(text: string): boolean {
  const json = text.slice(text.search(/\{|$/))
  for (const { index, 0: string } of json.matchAll(/"(?:[^"\\]|\\.)*"?/gs)) {
    if (string.includes(' ') && /[,}\]]/.test(json.charAt(index + string.length))) return true
  }
  return false
}

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
  const plain = text.replaceAll(COLOURS, '').replace(CAUSES_IN_TEXT, '')
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
  const quote = signIn(text, QUOTED)
  let isOfClient = isRequest(text)
  let count = 0
  let next = 0
  const take = (end: number, sign: number) => {
    for (; next < places.length && places[next]! < end; next++) {
      if (!isOfClient && places[next]! < Math.min(sign, quote)) count++
    }
  }
  let from = 0
  for (const { index, 0: string } of text.matchAll(/"(?:[^"\\]|\\.)*"?/gs)) {
    const between =
      from + Math.min(...[SIGN, NAME_OF_CLIENTS].map((pattern) => signIn(text.slice(from, index + 2), pattern)))
    take(index, between)
    isOfClient ||= between < index
    from = index + string.length
    const [, key = ''] = /([\w.-]+)=$/.exec(text.slice(Math.max(0, index - MAX_KEY), index)) ?? []
    const inside = isNameOfClients(key) ? 0 : signIn(string, SIGN)
    take(from, index + inside)
    // A quote that JSON ends, whose own quotes are not escaped.
    isOfClient ||= Number.isFinite(inside) && string.endsWith('{"')
  }
  take(text.length, from + Math.min(...[SIGN, NAME_OF_CLIENTS].map((pattern) => signIn(text.slice(from), pattern))))
  return count
}

/** A path that no message names, with the name of a stream behind it; the tag of a program; the value of a name. */
const PATHS_OF_COLLECTORS = new RegExp(
  [
    `(?<=^|[\\s([|])(?<!\\w:? )${PATH}(?= {1,4}(?:[-|] )?[^\\s"'{}]{0,100}[a-z][^\\s"'{}]{0,100}\\d)`,
    `(?<=\\s)${PATH}(?=\\[\\d{1,10}\\]:\\s)`,
    `(?<=(?:^|\\s)${OF_SOURCES}=)${PATH}(?=\\s)`
  ].join('|'),
  'gi'
)

/** Whether nothing but paths says that what stands behind a text is a client's, and these are such as a collector writes. */
export function isBehindPath(text: string): boolean {
  const plain = text.replaceAll(PATHS_OF_COLLECTORS, '')
  return countOwn(`${plain}{`, [plain.length]) === 1
}

/** Where a pattern matches first; infinite if it does not. */
function signIn(text: string, pattern: RegExp): number {
  const at = text.search(pattern)
  return at === -1 ? Number.POSITIVE_INFINITY : at
}
