import type { Family, ParsedAddress } from '../ip/address.js'
import { isPort, MAX_ENTRY, parseEntry } from './entry.js'

/**
 * Parses the hop that ends before `end`; its family is 0 when it is not an address. Returns the place of the comma before
 * it, at which the next hop ends: −1 at the beginning of the header.
 */
export type ParseHop = (text: string, end: number, address: ParsedAddress) => number

/** How much white space is taken for an accident. A walker that skips all of it pays 31 µs for 16 KB of blanks. */
const MAX_SPACE = 64
const SPACE = 32
const TAB = 9
const COMMA = 44
const DOT = 46
const ZERO = 48
const OPEN_BRACKET = 91

/** Where the text before `end` ends when trailing blanks are left out, at most {@link MAX_SPACE} of them. */
export function trimEnd(text: string, end: number): number {
  const limit = Math.max(end - MAX_SPACE, 0)
  let i = end
  while (i > limit && isSpace(text.charCodeAt(i - 1))) i--
  return i
}

/** Where the text in `[start, end)` starts when leading blanks are left out. */
export function trimStart(text: string, start: number, end: number): number {
  let i = start
  while (i < end && isSpace(text.charCodeAt(i))) i++
  return i
}

function isSpace(code: number): boolean {
  return code === SPACE || code === TAB
}

/** Parses a hop of X-Forwarded-For: what stands between two commas. */
export const parseListHop: ParseHop = (text, end, address) => {
  const comma = parseDottedHop(text, end, address)
  return comma === NOT_DOTTED ? parseOtherHop(text, end, address) : comma
}

const NOT_DOTTED = -2

/**
 * Parses a hop that is a plain IPv4 address from its end, where the walk comes from: each character once, which halves the
 * cost of a hop. It accepts nothing that {@link ParsedAddress.parse} would not accept; whatever else there is, it leaves to that.
 */
function parseDottedHop(text: string, end: number, address: ParsedAddress): number {
  let word = 0
  let i = end - 1
  let code = codeAt(text, i)
  for (let shift = 0; ; shift += 8) {
    let octet = code - ZERO
    if (octet < 0 || octet > 9) return NOT_DOTTED
    code = codeAt(text, --i)
    const tens = code - ZERO
    if (tens >= 0 && tens <= 9) {
      octet += 10 * tens
      code = codeAt(text, --i)
      const hundreds = code - ZERO
      if (hundreds >= 0 && hundreds <= 9) {
        octet += 100 * hundreds
        if (octet > 255 || hundreds === 0) return NOT_DOTTED
        code = codeAt(text, --i)
      } else if (tens === 0) return NOT_DOTTED
    }
    word |= octet << shift
    if (shift === 24) break
    if (code !== DOT) return NOT_DOTTED
    code = codeAt(text, --i)
  }
  const before = isSpace(code) ? trimEnd(text, i) - 1 : i
  if (before >= 0 && text.charCodeAt(before) !== COMMA) return NOT_DOTTED
  address.setIPv4(word, text, i + 1, end)
  return before
}

/** A character of the list, which ends before its first one as it does at a comma. */
function codeAt(text: string, i: number): number {
  return i < 0 ? COMMA : text.charCodeAt(i)
}

function parseOtherHop(text: string, end: number, address: ParsedAddress): number {
  const last = trimEnd(text, end)
  const limit = Math.max(last - MAX_ENTRY, 0)
  let start = last
  while (start > limit && text.charCodeAt(start - 1) !== COMMA) start--
  // Cut off at the limit, the entry is too long for an address, and whatever its last characters spell is not one.
  if (start > 0 && text.charCodeAt(start - 1) !== COMMA) address.clear()
  else parseEntry(text, trimStart(text, start, last), last, address)
  return start - 1
}

/** Parses a header that holds one address. */
export function parseSingle(text: string, end: number, address: ParsedAddress): Family {
  return parseEntry(text, trimStart(text, 0, end), end, address)
}

/**
 * Parses `CloudFront-Viewer-Address`, which holds address and port with a colon between them, also where the address is
 * IPv6: `2001:db8::1:46532`, or `[2001:db8::1]:46532`. The port is always there, so the last colon is its own.
 */
export function parseViewerAddress(text: string, end: number, address: ParsedAddress): Family {
  const colon = text.lastIndexOf(':')
  if (colon < 0 || !isPort(text, colon + 1, end)) return address.clear()
  const start = trimStart(text, 0, colon)
  return text.charCodeAt(start) === OPEN_BRACKET
    ? parseEntry(text, start, end, address)
    : address.parse(text, start, colon)
}
