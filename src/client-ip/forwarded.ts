import type { Family } from '../net/address.js'
import { entry, noEntry, readNode } from './entry.js'
import { type ReadHop, trimEnd } from './hop.js'

const TAB = 9
const QUOTE = 34
const COMMA = 44
const SEMICOLON = 59
const EQUALS = 61
const BACKSLASH = 92

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
  for (;;) {
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
}

function isFor(text: string, start: number, end: number): boolean {
  return (
    end - start === 3 &&
    (text.charCodeAt(start) | 32) === 102 &&
    (text.charCodeAt(start + 1) | 32) === 111 &&
    (text.charCodeAt(start + 2) | 32) === 114
  )
}

/** Where the token that ends before `end` starts; `end` itself when there is none. */
function tokenStart(text: string, end: number): number {
  let i = end
  while (i > 0 && isTokenChar(text.charCodeAt(i - 1))) i--
  return i
}

function isTokenChar(code: number): boolean {
  return code < 128 && TOKEN[code] === 1
}

/** The quote that opens the string which the quote at `closing` closes, or 0 when there is none or the string is broken. */
function openingQuote(text: string, closing: number): number {
  if (isEscaped(text, closing)) return 0
  for (let i = closing - 1; i > 0; i--) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      const backslashes = backslashesBefore(text, i)
      if (backslashes % 2 === 0) return i
      i -= backslashes
    } else if ((code < 32 && code !== TAB) || code === 127) return 0
  }
  return 0
}

function isEscaped(text: string, i: number): boolean {
  return backslashesBefore(text, i) % 2 === 1
}

function backslashesBefore(text: string, i: number): number {
  let start = i
  while (start > 0 && text.charCodeAt(start - 1) === BACKSLASH) start--
  return i - start
}

/** Reads a node from inside a quoted string, where any character may be escaped. */
function readQuoted(text: string, start: number, end: number): Family {
  for (let i = start; i < end; i++) {
    if (text.charCodeAt(i) !== BACKSLASH) continue
    const plain = text.slice(start, end).replaceAll(/\\(.)/g, '$1')
    const node = readNode(plain, 0, plain.length)
    noEntry()
    return node
  }
  return readNode(text, start, end)
}
