import type { Family } from '../ip/address.js'
import { entry, MAX_ENTRY, noEntry, readNode } from './entry.js'
import { type ReadHop, trimEnd } from './hops.js'

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
const MAX_QUOTED = 8192

/** tchar of RFC 9110 section 5.6.2, by character code. */
const TOKEN = new Uint8Array(128)
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  TOKEN[char.charCodeAt(0)] = 1
}

/**
 * Reads an element of Forwarded (RFC 7239 section 4) from its end. From the right, because that is where our own proxy
 * writes: what it appended is read whole and alone, and no quote that a client left open further left can swallow it.
 * In a well-formed header a quote delimits a string exactly if an even number of backslashes stands before it, so both
 * directions agree.
 */
export const readForwardedHop: ReadHop = (text, end) => {
  let node: Family | undefined
  let i = trimEnd(text, end)
  for (let pairs = 0; pairs < MAX_PAIRS; pairs++) {
    const last = text.charCodeAt(i - 1)
    if (i > 0 && last !== SEMICOLON && last !== COMMA) {
      const valueEnd = i
      const value = last === QUOTE ? openingQuote(text, i - 1) : tokenStart(text, i)
      if (value === valueEnd || value < 2 || text.charCodeAt(value - 1) !== EQUALS) return noEntry()
      i = tokenStart(text, value - 1)
      if (i === value - 1) return noEntry()
      if (isFor(text, i, value - 1)) {
        if (node !== undefined) return noEntry()
        node = last === QUOTE ? readQuoted(text, value + 1, valueEnd - 1) : readNode(text, value, valueEnd)
        if (node === 0) return 0
      }
      i = trimEnd(text, i)
    }
    if (i === 0 || text.charCodeAt(i - 1) === COMMA) {
      entry.comma = i - 1
      return node ?? noEntry()
    }
    if (text.charCodeAt(i - 1) !== SEMICOLON) return noEntry()
    i = trimEnd(text, i - 1)
  }
  return noEntry()
}

function isFor(text: string, start: number, end: number): boolean {
  return (
    end - start === 3 &&
    (text.charCodeAt(start) | 32) === 102 &&
    (text.charCodeAt(start + 1) | 32) === 111 &&
    (text.charCodeAt(start + 2) | 32) === 114
  )
}

/** Where the token that ends before `end` starts, or its last characters; `end` itself when there is none. */
function tokenStart(text: string, end: number): number {
  const limit = Math.max(end - MAX_TOKEN, 0)
  let i = end
  while (i > limit && isTokenChar(text.charCodeAt(i - 1))) i--
  return i
}

function isTokenChar(code: number): boolean {
  return code < 128 && TOKEN[code] === 1
}

/** The quote that opens the string which the quote at `closing` closes, or 0 when there is none or the string is broken. */
function openingQuote(text: string, closing: number): number {
  if (backslashesBefore(text, closing) % 2 === 1) return 0
  const limit = Math.max(closing - MAX_QUOTED, 0)
  for (let i = closing - 1; i > limit; i--) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      const backslashes = backslashesBefore(text, i)
      if (backslashes % 2 === 0) return i
      i -= backslashes
    } else if ((code < 32 && code !== TAB) || code === 127) return 0
  }
  return 0
}

function backslashesBefore(text: string, i: number): number {
  const limit = Math.max(i - MAX_QUOTED, 0)
  let start = i
  while (start > limit && text.charCodeAt(start - 1) === BACKSLASH) start--
  return i - start
}

/** Reads a node from inside a quoted string, where any character may be escaped. */
function readQuoted(text: string, start: number, end: number): Family {
  if (end - start > MAX_ENTRY || !text.slice(start, end).includes('\\')) return readNode(text, start, end)
  const plain = text.slice(start, end).replaceAll(/\\(.)/g, '$1')
  const node = readNode(plain, 0, plain.length)
  noEntry()
  return node
}
