/** Characters that cannot be seen, or are easily confused with others, are written as their number. */
const UNCLEAR = /[^ -~…]/gu
const MAX_LENGTH = 60
/** As much of a text is looked at: enough to find the end of a password, and little enough for a hostile page. */
const MAX_SEEN = 1000
const MAX_ITEMS = 10

/**
 * A text as a message shows it: in quotes, cut where it is long, and as {@link withoutSecrets}. A no-break space, a NUL or a
 * full-width digit is shown as its number.
 */
export function quoted(text: string): string {
  return `"${clear(text)}"`
}

function clear(text: string): string {
  const seen = withoutSecrets(text.slice(0, MAX_SEEN))
  const cut = seen.length > MAX_LENGTH ? `${seen.slice(0, MAX_LENGTH)}…` : seen
  return cut.replaceAll(UNCLEAR, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`)
}

/** Private keys: in PEM, also with the line breaks as escapes; PEM in base64, as in variables of CI; and the content of one of Ed25519. */
const PRIVATE_KEYS =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)|(?:LS0tLS1CRUdJTi|MC4CAQAwBQYDK2VwBCIE)[\w+/=-]+/gs

/**
 * A text without what often holds secrets: private keys, user, password, query and fragment of its URLs, and in other words what looks
 * like a user with a password, or like a query.
 *
 * @param known secrets that are replaced wherever they stand
 */
export function withoutSecrets(text: string, known: readonly string[] = []): string {
  return (
    known
      .reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
      .replaceAll(PRIVATE_KEYS, '…')
      // Some have no scheme, and some a slash too many.
      .replaceAll(/(\/{2,3})[^\s/?#]*@/g, '$1…@')
      // A match ends with its URL, so that the time grows with the length of the text only.
      .replaceAll(/\/\/[^\s?#]*(?:[?#]\S+)?/g, (url) => url.replace(/([?#]).*$/s, '$1…'))
      .replaceAll(/\S+/g, (word) => withoutQuery(word.includes('//') ? word : withoutUser(word)))
  )
}

/** `user:password@host` without a scheme. */
function withoutUser(word: string): string {
  const end = word.lastIndexOf('@')
  return word.slice(0, Math.max(end, 0)).includes(':') ? `…${word.slice(end)}` : word
}

/** A question mark at the end of a word, or before the end of a quotation, begins no query. */
function withoutQuery(word: string): string {
  const start = word.search(/\?[^"'),.;:!?…\]}]/)
  return start === -1 ? word : `${word.slice(0, start)}?…`
}

/**
 * Any value as a message shows it, short in any case: a text in single quotes, a list with its first items, an object by the
 * names of its properties alone, since their values may be secrets.
 */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return enclosed('[', value.map(shownItem), ']')
  if (typeof value === 'object' && value !== null) return shownObject(value)
  return shownItem(value)
}

/** A value of the wrong kind, as the subject of a sentence that does not show it. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'An array' : `A value of type ${typeof value}`
}

function shownItem(value: unknown): string {
  if (typeof value === 'string') return `'${clear(value)}'`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}'
  return String(value)
}

function shownObject(value: object): string {
  const { constructor: made, [Symbol.toStringTag]: tag } = value as Partial<Record<string | symbol, unknown>>
  const name = typeof made === 'function' && !Object.hasOwn(value, 'constructor') ? made.name : ''
  if (name !== '' && name !== 'Object') return `an object of the class ${clear(name)}`
  // Node names some of its objects, such as `console`.
  return typeof tag === 'string' ? clear(tag) : enclosed('{ ', Object.keys(value).map(clear), ' }')
}

function enclosed(open: string, items: readonly string[], close: string): string {
  if (items.length === 0) return `${open.trim()}${close.trim()}`
  const first = items.length > MAX_ITEMS ? [...items.slice(0, MAX_ITEMS), '…'] : items
  return `${open}${first.join(', ')}${close}`
}

/** A value as an error may carry it: small, and without what may be a secret. */
export function bounded(value: unknown): unknown {
  if (typeof value === 'string') return withoutSecrets(value)
  if (Array.isArray(value)) return value.map((item) => (Array.isArray(item) ? shown(item) : bounded(item)))
  const isOpaque = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isOpaque ? shown(value) : value
}

/** A value as it is written in code; undefined where that would be long or show a secret, or is not a matter of texts and numbers. */
export function literal(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const items = value.map(literal)
    return items.length > MAX_ITEMS || items.includes(undefined) ? undefined : `[${items.join(', ')}]`
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const isPlain = typeof value === 'string' && /^[ -&(-[\]-~]*$/.test(value) && value.length <= MAX_LENGTH
  return isPlain && withoutSecrets(value) === value ? `'${value}'` : undefined
}

/**
 * The message of whatever was thrown, with that of its cause: `fetch` writes no more than "fetch failed". An error without a
 * message has a code or a name, such as the AggregateError of a refused connection. A property that throws when it is read is
 * not there.
 */
export function messageOf(thrown: unknown): string {
  const own = ownMessage(thrown)
  const cause = textOf(thrown, 'message') === undefined ? undefined : propertyOrNothing(thrown, 'cause')
  return typeof cause === 'object' && cause !== null ? `${own}: ${ownMessage(cause)}` : own
}

/** A message as the end of a sentence of ours: with a full stop, which most errors leave out. */
export const withFullStop = (message: string): string => message.replace(/\.?$/, '.')

function ownMessage(thrown: unknown): string {
  if (typeof thrown === 'string' && thrown !== '') return thrown
  return (
    textOf(thrown, 'message') ?? textOf(thrown, 'code') ?? textOf(thrown, 'name') ?? 'What was thrown is not an error.'
  )
}

/** A property of whatever was thrown, where it is a text. */
export function textOf(thrown: unknown, name: string): string | undefined {
  const text = propertyOrNothing(thrown, name)
  return typeof text === 'string' && text !== '' ? text : undefined
}

function propertyOrNothing(thrown: unknown, name: string): unknown {
  try {
    return (thrown as Record<string, unknown> | null | undefined)?.[name]
  } catch {
    return undefined
  }
}

/** The longest message that is written into a sentence of ours. */
const MAX_MESSAGE = 300

/**
 * {@link messageOf} for a sentence of ours: one line, cut where it is long, without the secrets of URLs, and with every invisible
 * character as its number. The user's code may have put anything into its message, also what a sender wrote.
 */
export function messageLineOf(thrown: unknown): string {
  const line = withoutSecrets(messageOf(thrown).slice(0, MAX_SEEN)).replaceAll(/\s+/g, ' ')
  return visible(line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line)
}

/** A text of several lines in which every control, format and separator character is shown as its number. */
export function visible(text: string): string {
  return text.replaceAll(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`)
}

/** No name that is suggested is longer, so a longer text is not near one. */
const MAX_NAME = 50

/** A shorter text is part of too much. */
const MIN_PART = 3

/**
 * The candidate that `text` is, but for the case of its letters; else the only one that it is a part of; else the one that takes the
 * fewest edits to reach, if these are few enough for a slip of the keyboard.
 */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  if (text.length > MAX_NAME) return undefined
  const part = text.toLowerCase()
  const wholes = candidates.filter((candidate) => candidate.toLowerCase().includes(part))
  const same = wholes.find(({ length }) => length === part.length)
  if (same !== undefined) return same
  if (wholes.length === 1 && part.length >= MIN_PART) return wholes[0]
  let best: string | undefined
  let fewest = Math.round(part.length / 3) + 1
  for (const candidate of candidates) {
    const edits = editDistance(part, candidate.toLowerCase())
    if (edits < fewest) {
      best = candidate
      fewest = edits
    }
  }
  return best
}

/**
 * "Did you mean …?" with the candidate that is nearest to a text, or the list of all. A value that is no text has none.
 *
 * @param all what is listed, where some of it is not to be guessed
 */
export function suggestion(value: unknown, candidates: readonly string[], all = candidates): string {
  const near = typeof value === 'string' ? nearest(value, candidates) : undefined
  return near === undefined ? `Use one of: ${all.join(', ')}.` : `Did you mean "${near}"?`
}

/** Levenshtein distance, row by row. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}

/**
 * Reads UTF-8 from a file or a body as a whole.
 *
 * @throws Error if it is larger than `maxBytes`, or not UTF-8
 */
export async function readText(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  // Also drops a byte order mark.
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    // Leaving the loop ends the stream.
    if (length > maxBytes) throw new Error(`It is larger than ${maxBytes} bytes (maxBytes).`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
