import { METHODS } from 'node:http'
import { isEnvelope, isNameOfClients } from './fields-of-lines.js'
import { COUNTS } from './messages.js'

/**
 * Where in a line a record can stand. A client chooses a URL, a header or a body, and applications log these under any name. So a record
 * counts only where a logger or a collector writes one.
 */

/** The causes in the message of a summary, which quote options and routes. */
const CAUSES_IN_TEXT = new RegExp(`(?<=${COUNTS}): .*$`, 's')
const METHOD = `\\b(?:${METHODS.join('|')})`
/** A request as access logs have it. What else stands in such a line is of the client. */
export const REQUEST = /(?<![^\s"])[^\s"]+ \S+ HTTP\/\d/
/** What stands in front of a client's text only: a method (one of them is a level as well), a URL or a path. */
const SIGN = new RegExp(`${METHOD}(?<!TRACE)[ :]|HTTP/\\d|[A-Za-z]:/|(?:^|[\\s"'=(:,[])/\\S`)
const SIGNS = new RegExp(SIGN, 'g')
const NAMES = 'body|payload|path|ur[il]|headers?|query|params|args|user[- ]?agent|ua|referr?er|cookie'
/** The name of what a client chose, in front of JSON. */
const NAME_OF_CLIENTS = new RegExp(`\\b(?:${NAMES})["'>]?\\s?[:=]?\\s*["']?\\{`, 'i')
/** Such a name as a word of its own: JSON behind it may be the end of what it names, whatever sign stands between. */
const WORD_OF_CLIENTS = new RegExp(`(?<![\\w./-])(?:${NAMES})(?![\\w.-])`, 'i')
/** A name with its sign, in front of a text: JSON behind it may be the end of that text. */
const NAMED_TEXT = /(?<![\p{L}\w.-])((?:(?:content|query|remote|user) )?[\p{L}\w.-]{1,60})["'>]?\s?([:=])/giu
/** The names that loggers and collectors write in front of a `=`. An application has others for what a client sent. */
const OF_LOGFMT =
  /^(?:@?time(?:stamp)?|at|ts|date|level|lvl|severity|log(?:ger)?|pid|app|service|component|module|thread|stream|source(?:type)?|index|container|pod|namespace|tag|env|stage|region|zone|node|cluster|job|instance|facility|program|caller|version|(?:trace|span|req|request)[-_.]?id)$/i
/** Names in front of a `:` that people fill, besides those that are of clients elsewhere. */
const OF_PEOPLE =
  /^(?:user(?:_?name)?|login|e-?mail|name|comment|subject|search|token|session|text|content|title|value|q)$/i
/** Names that are of clients elsewhere: levels, and the numbers that a framework gives to requests. */
const OF_LOGGERS_AS_WELL = /^(?:err|error|(?:req|request)[-_.]?id)$/i
/** JSON in quotes that are not escaped in it: an error quotes a text. */
const QUOTED = /[^,;\t\\=:[({]"\{"\w/
/** What `grep` writes in front of a line of a file that is a log by its name; applications write a blank in front of a body. */
const LOG_FILE = /^\/[\w./@+-]{0,500}\.(?:log|out|err|json|txt)[\w.-]{0,500}:(?!(?:\d+:)? \{)(?:\d+:)?/
const PATH = '(?:[A-Za-z]:)?[\\\\/][^":{}]{0,500}'
/** Paths that other programs write in front of a line, and applications in front of what a client sent. */
const OTHER_PATHS = [
  // `awk '{ print FILENAME ": " $0 }'`
  '^()/(?:var/log/[\\w./@+-]{0,500}|[\\w./@+-]{0,500}\\.(?:log|out|err)[\\w.-]{0,500}):(?:\\d+:)?(?= \\{)',
  // `grep` over other files
  `^()${PATH}:(?!(?:\\d+:)?\\s)(?:\\d+:)?`,
  // `awslogs get`: a group, in front of a stream
  `^()/[^\\s":{}]{0,500} (?=[^\\s/"']{1,255}/[^\\s/"']{1,255}/\\S+ )`,
  // `data:    /srv/web/server.js:7 - ` of forever
  '^()(?:data|error): {3,}(?:[A-Za-z]:)?[^":{}]{1,500}:\\d+ - ',
  // The tag of syslog
  `^([A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\S{1,255} )/[^\\s":{}[]{0,500}(?=(?:\\[\\d+\\])?: )`,
  // The source of Splunk
  '^(source=)/[^\\s":{}]{0,500}(?=\\s)'
].map((path) => new RegExp(path))

/** A text without the path in front of it. */
export interface BehindPath {
  readonly text: string
  /** Whether it is the path of a file that is a log by its name. */
  readonly isLogFile: boolean
}

/** A line without the path of a log file in front of it. */
export const behindLogFile = (line: string) => line.replace(LOG_FILE, '')

/** What stands behind the path that a line begins with; undefined if it begins with none. */
export function behindPath(line: string): BehindPath | undefined {
  if (LOG_FILE.test(line)) return { text: behindLogFile(line), isLogFile: true }
  const path = OTHER_PATHS.find((path) => path.test(line))
  return path === undefined ? undefined : { text: line.replace(path, '$1'), isLogFile: false }
}

const QUOTED_VALUE = '"(?:[^"\\\\]|\\\\.)*"'
/** The labels that Loki writes in front of a line. */
const LABELS = `\\{[\\w.-]+=${QUOTED_VALUE}(?:, ?[\\w.-]+=${QUOTED_VALUE})*\\}`
/** A line of Loki up to the end of its labels. */
export const LABELLED = new RegExp(`^[^{"]*${LABELS}(?=\\s)`)
const AMONG_LABELS = new RegExp(`${LABELS}(?=\\s)`, 'g')
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
  const plain = text.replace(CAUSES_IN_TEXT, '')
  return PREFIX.test(plain) && !SIGN.test(plain) && !NAME_OF_CLIENTS.test(`${plain}{`) && !namesTextOfClient(plain)
}

/** Whether a text has the name of what a client chose, other than among labels, where a collector writes the names. */
function namesTextOfClient(text: string): boolean {
  const plain = text.replace(AMONG_LABELS, ' ')
  if (WORD_OF_CLIENTS.test(plain)) return true
  return [...plain.matchAll(NAMED_TEXT)].some(([, name, sign]) => {
    const inWords = name!.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
    if (sign === '=') return !OF_LOGFMT.test(inWords)
    // Loggers write names in ASCII.
    const isOfClient = isNameOfClients(inWords) || OF_PEOPLE.test(inWords) || /[^ -~]/.test(inWords)
    return isOfClient && !OF_LOGGERS_AS_WELL.test(inWords)
  })
}

const DAY = '\\d{1,4}[/-]\\d{1,2}[/-]\\d{1,4}'
const CLOCK = '\\d{1,2}:\\d\\d(?::\\d\\d)?(?:\\.\\d{1,9})?(?:Z|[+-]\\d\\d:?\\d\\d)?'
/** What tells that a logger wrote it: a time, a level, or a name in brackets, which stands here without it. */
const OF_LOGGERS = new RegExp(
  `^(?:${DAY}(?:T${CLOCK})?|${CLOCK}|\\[\\]|trace|debug|verbose|silly|http|log|info|notice|warn(?:ing)?|err(?:or)?|crit|critical|fatal):?$`,
  'i'
)
/** What may stand beside it: the number of a process, the rest of a time, signs, and the stream of CRI. */
const BESIDE_THESE = /^(?:\(?(?:[\w@./-]{1,60}\/)?\d{1,10}\)?:?|[AP]M|Z|UTC|GMT|[+-]\d\d:?\d\d|-|stdout|stderr|F|)$/
/** A name, a level, a time or a number in brackets: no address, and no time of an access log. */
const BRACKETS = /\[(?!\d+\.\d+\.\d|[\da-f]*:[\da-f]*:[\da-f]*:|\d+\/[A-Z])[^[\]"'{}]{0,100}\]/g

/** Whether a text in front of a message is all of a logger: no other words, no address, no name of a host. */
export function isOfLogger(text: string): boolean {
  if (text.length > MAX_PREFIX) return false
  const words = text.replaceAll(BRACKETS, ' [] ').split(/[\s|,]+/)
  return (
    words.some((word) => OF_LOGGERS.test(word)) &&
    words.every((word) => OF_LOGGERS.test(word) || BESIDE_THESE.test(word))
  )
}

/** Whether a line is one of an access log, by its text outside of JSON. */
export const isRequest = (outside: string) => REQUEST.test(outside) && !outside.startsWith('{')

/** A text in CSV that quotes need, or a value of logfmt, which holds a text of its own. */
export interface QuotedText {
  readonly text: string
  readonly how: string
  readonly before: string
  /** Where it ends in the line, with its quotes. */
  readonly end: number
}

/** The texts in quotes that collectors write: cells of CSV, and values of logfmt. */
export function* quotedIn(text: string): Generator<QuotedText> {
  // Searched once: a line may have a cell in every few characters.
  const signs = [...text.matchAll(SIGNS)].map(({ index }) => index)
  const [first = Number.POSITIVE_INFINITY] = signs
  const last = signs.at(-1) ?? Number.NEGATIVE_INFINITY
  for (const { index, 1: cell, 0: all } of text.matchAll(/(?:^|[,;\t])"((?:[^"]|"")*)(?:"(?=[,;\t]|\s*$)|$)/g)) {
    if (!cell!.includes('""') || first < index || last >= index + all.length) continue
    // What stands behind a name is no cell.
    if (/[:=>]\s*$/.test(text.slice(Math.max(0, index - 2), index + 1))) continue
    yield {
      text: cell!.replaceAll('""', '"'),
      how: 'doubled quotes',
      before: text.slice(0, index),
      end: index + all.length
    }
  }
  for (const { index, 0: all, 1: name, 2: value } of text.matchAll(/(?<=^|\s)([\w.@-]+)="((?:[^"\\]|\\.)*)(?:"|$)/gs)) {
    const before = text.slice(0, index)
    if (!value!.includes('\\"') || !isEnvelope(name!, value, {}) || !isPrefix(before)) continue
    yield { text: value!.replaceAll(/\\(["\\])/g, '$1'), how: 'escaped quotes', before, end: index + all.length }
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

/** Where a pattern matches first; infinite if it does not. */
function signIn(text: string, pattern: RegExp): number {
  const at = text.search(pattern)
  return at === -1 ? Number.POSITIVE_INFINITY : at
}
