import type { Family, ParsedAddress } from '../ip/address.js'

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
const COLON = 58
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const UNDERSCORE = 95

/** No entry is longer than a bracketed IPv6 address with a port; the rest is room for an obfuscated one. */
export const MAX_ENTRY = 128

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

/**
 * Parses one entry of X-Forwarded-For or of a single-address header: an address, `v4:port`, `[v6]` or `[v6]:port`. A port
 * is checked and dropped.
 */
export function parseEntry(text: string, start: number, end: number, address: ParsedAddress): Family {
  return address.parse(text, start, end) || parseWithPort(text, start, end, address)
}

/**
 * Parses an RFC 7239 section 6 node, which differs from an entry of X-Forwarded-For in two ways: an IPv6 address stands
 * in brackets, and a port may be obfuscated.
 */
export function parseNode(text: string, start: number, end: number, address: ParsedAddress): Family {
  if (end - start > MAX_ENTRY) return address.clear()
  if (address.parse(text, start, end) === 0) return parseWithPort(text, start, end, address, isObfuscatedPort)
  return lastColon(text, start, end) < 0 ? address.family : address.clear()
}

/**
 * Whether what was parsed last, and is not an address, is what RFC 7239 section 6 provides for proxies that keep addresses to
 * themselves, in either header.
 */
export function isHidden({ text, start, end }: ParsedAddress): boolean {
  if (start === end) return false
  return (
    text.charCodeAt(start) === UNDERSCORE || text.slice(start, Math.min(end, start + 8)).toLowerCase() === 'unknown'
  )
}

function parseWithPort(
  text: string,
  start: number,
  end: number,
  address: ParsedAddress,
  isOtherPort: typeof isPort = isPort
): Family {
  const colon = lastColon(text, start, end)
  // An IPv6 address has a colon of its own, so without one there is neither that nor a port.
  if (colon < 0) return 0
  const isBracketed = text.charCodeAt(start) === OPEN_BRACKET
  const hasPort = text.charCodeAt(end - 1) !== CLOSE_BRACKET
  if (hasPort && !isPort(text, colon + 1, end) && !isOtherPort(text, colon + 1, end)) return 0
  const addressEnd = hasPort ? colon : end
  if (isBracketed && text.charCodeAt(addressEnd - 1) !== CLOSE_BRACKET) return 0
  const from = isBracketed ? start + 1 : start
  const to = isBracketed ? addressEnd - 1 : addressEnd
  // Brackets are for IPv6 only, and only an address without colons may have a port behind it without them.
  return isBracketed === lastColon(text, from, to) >= 0 ? address.parse(text, from, to) : 0
}

/** Bounded by the entry: `lastIndexOf` would search the whole header. */
function lastColon(text: string, start: number, end: number): number {
  for (let i = end - 1; i >= start; i--) {
    if (text.charCodeAt(i) === COLON) return i
  }
  return -1
}

/** One to five digits, at most 65535. */
export function isPort(text: string, start: number, end: number): boolean {
  if (end - start < 1 || end - start > 5) return false
  let port = 0
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= 65535
}

function isObfuscatedPort(text: string, start: number, end: number): boolean {
  return text.charCodeAt(start) === UNDERSCORE && /^_[A-Za-z0-9._-]+$/.test(text.slice(start, end))
}
