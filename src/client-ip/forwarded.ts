import { ParsedAddress } from '../ip/address.js'
import { isHidden, MAX_ENTRY, type ParseHop, parseNode, trimEnd } from './hops.js'

const TAB = 9
const QUOTE = 34
const COMMA = 44
const SEMICOLON = 59
const EQUALS = 61
const BACKSLASH = 92

/**
 * RFC 7239 sets no bounds. These leave room for anything that proxies write, and bound what 16 KB of hostile header cost.
 */
const MAX_PAIRS = 32
const MAX_TOKEN = 256
const MAX_QUOTED = 1024

/** tchar of RFC 9110 section 5.6.2, by character code. */
const TOKEN = characters("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
/**
 * Unquoted values as proxies write them: OpenShift's router leaves the colon and the brackets of hosts and nodes unquoted. No
 * separator of the header is among them, so they are unambiguous.
 */
const VALUE = TOKEN.slice()
for (const char of ':[]') VALUE[char.charCodeAt(0)] = 1

function characters(list: string): Uint8Array {
  const table = new Uint8Array(128)
  for (const char of list) table[char.charCodeAt(0)] = 1
  return table
}

/**
 * Parses an element of Forwarded (RFC 7239 section 4) from its end. From the right, because that is where our own proxy
 * writes: what it appended is parsed whole and alone, and no quote that a client left open further left can swallow it.
 * In a well-formed header a quote delimits a string exactly if an even number of backslashes stands before it, so both
 * directions agree.
 */
export const parseForwardedHop: ParseHop = (text, end, address) => {
  let seen = 0
  let others: string[] | undefined
  let i = trimEnd(text, end)
  for (let pairs = 0; pairs < MAX_PAIRS; pairs++) {
    const last = text.charCodeAt(i - 1)
    if (i > 0 && last !== SEMICOLON && last !== COMMA) {
      const isQuoted = last === QUOTE
      const value = isQuoted ? openingQuote(text, i - 1) : startOf(VALUE, text, i)
      if (value === i || text.charCodeAt(value - 1) !== EQUALS) break
      const start = startOf(TOKEN, text, value - 1)
      if (start === value - 1) break
      // RFC 7239 section 4: each parameter occurs at most once in an element.
      const name = nameOf(text, start, value - 1)
      if (name === EXTENSION) {
        const other = text.slice(start, value - 1).toLowerCase()
        if (others?.includes(other)) break
        others = [...(others ?? []), other]
      } else {
        if (seen & (1 << name)) break
        seen |= 1 << name
      }
      const from = isQuoted ? value + 1 : value
      const to = isQuoted ? i - 1 : i
      if (name === FOR) {
        const family = isQuoted ? parseQuoted(text, from, to, address) : parseNode(text, from, to, address)
        if (family === 0) return -1
      }
      if (name === BY && !isNode(text, from, to)) break
      i = trimEnd(text, start)
    }
    if (i === 0 || text.charCodeAt(i - 1) === COMMA) {
      if ((seen & (1 << FOR)) === 0) address.clear()
      return i - 1
    }
    if (text.charCodeAt(i - 1) !== SEMICOLON) break
    i = trimEnd(text, i - 1)
  }
  address.clear()
  return -1
}

/** The parameters of RFC 7239 section 5, by number. */
const FOR = 0
const BY = 1
const HOST = 2
const PROTO = 3
const EXTENSION = 4

/** Their lengths all differ, so that one comparison decides. */
function nameOf(text: string, start: number, end: number): number {
  switch (end - start) {
    case 2:
      return isName(text, start, 'by') ? BY : EXTENSION
    case 3:
      return isName(text, start, 'for') ? FOR : EXTENSION
    case 4:
      return isName(text, start, 'host') ? HOST : EXTENSION
    case 5:
      return isName(text, start, 'proto') ? PROTO : EXTENSION
    default:
      return EXTENSION
  }
}

function isName(text: string, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if ((text.charCodeAt(start + i) | 32) !== name.charCodeAt(i)) return false
  }
  return true
}

/** Where the run of characters that ends before `end` starts, or its last ones; `end` itself when there is none. */
function startOf(allowed: Uint8Array, text: string, end: number): number {
  const limit = Math.max(end - MAX_TOKEN, 0)
  let i = end
  for (; i > limit; i--) {
    const code = text.charCodeAt(i - 1)
    if (code >= 128 || allowed[code] !== 1) break
  }
  return i
}

/**
 * The quote that opens the string which the quote at `closing` closes, or 0 when there is none or the string is broken. Reads
 * each character once: a quote is judged when the backslashes before it have been counted.
 */
function openingQuote(text: string, closing: number): number {
  const limit = Math.max(closing - MAX_QUOTED, 0)
  let quote = closing
  let isJudged = false
  for (let i = closing - 1; i >= limit; i--) {
    const code = text.charCodeAt(i)
    if (code === BACKSLASH) continue
    if (!isJudged) {
      const isEscaped = (quote - i) % 2 === 0
      if (isEscaped === (quote === closing)) return isEscaped ? 0 : quote
      isJudged = true
    }
    if (code === QUOTE) {
      quote = i
      isJudged = false
    } else if ((code < 32 && code !== TAB) || code === 127) return 0
  }
  return 0
}

/** Parses the node of a quoted string, in which any character may be escaped. */
function parseQuoted(text: string, start: number, end: number, address: ParsedAddress): number {
  if (end - start > MAX_ENTRY || !text.slice(start, end).includes('\\')) return parseNode(text, start, end, address)
  const plain = text.slice(start, end).replaceAll(/\\(.)/g, '$1')
  return parseNode(plain, 0, plain.length, address)
}

/** Whether a value is a node of RFC 7239 section 6, hidden ones included. */
function isNode(text: string, start: number, end: number): boolean {
  const address = new ParsedAddress()
  return parseQuoted(text, start, end, address) !== 0 || isHidden(address)
}
