import { type Family, readAddress } from '../ip/address.js'

const COLON = 58
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const UNDERSCORE = 95

/**
 * Where the entry that was read last stands in its header: the address alone in `[start, end)`, and before it the comma
 * that the next entry ends at, −1 at the beginning of the header. Shared and overwritten, as the words of an address are.
 */
export const entry = { start: 0, end: 0, comma: 0 }

/** Notes that what was read last is no entry that could tell more. */
export function noEntry(): 0 {
  entry.start = 0
  entry.end = 0
  return 0
}

/** No entry is longer than a bracketed IPv6 address with a port; the rest is room for an obfuscated one. */
export const MAX_ENTRY = 128

/**
 * Reads one entry of X-Forwarded-For or of a single-address header into the shared words: an address, `v4:port`, `[v6]`
 * or `[v6]:port`. A port is checked and dropped.
 */
export function readEntry(text: string, start: number, end: number): Family {
  entry.start = start
  entry.end = end
  return readAddress(text, start, end) || readWithPort(text, start, end, false)
}

/**
 * Reads an RFC 7239 section 6 node, which differs from an entry of X-Forwarded-For in two ways: an IPv6 address stands
 * in brackets, and a port may be obfuscated.
 */
export function readNode(text: string, start: number, end: number): Family {
  entry.start = start
  entry.end = end
  if (end - start > MAX_ENTRY) return 0
  const family = readAddress(text, start, end)
  if (family === 0) return readWithPort(text, start, end, true)
  return lastColon(text, start, end) < 0 ? family : 0
}

function readWithPort(text: string, start: number, end: number, obfuscated: boolean): Family {
  const isPort = (from: number) => isPortNumber(text, from, end) || (obfuscated && isObfuscatedPort(text, from, end))
  const colon = lastColon(text, start, end)
  // An IPv6 address has a colon of its own, so without one there is neither that nor a port.
  if (colon < 0) return 0
  const isBracketed = text.charCodeAt(start) === OPEN_BRACKET
  const hasPort = text.charCodeAt(end - 1) !== CLOSE_BRACKET
  if (hasPort && !isPort(colon + 1)) return 0
  const addressEnd = hasPort ? colon : end
  if (isBracketed) {
    if (text.charCodeAt(addressEnd - 1) !== CLOSE_BRACKET) return 0
    entry.start = start + 1
    entry.end = addressEnd - 1
  } else {
    entry.end = addressEnd
  }
  // Brackets are for IPv6 only, and only an address without colons may have a port behind it without them.
  return isBracketed === lastColon(text, entry.start, entry.end) >= 0 ? readAddress(text, entry.start, entry.end) : 0
}

/** Bounded by the entry: `lastIndexOf` would search the whole header. */
function lastColon(text: string, start: number, end: number): number {
  for (let i = end - 1; i >= start; i--) {
    if (text.charCodeAt(i) === COLON) return i
  }
  return -1
}

/** One to five digits, at most 65535. */
export function isPortNumber(text: string, start: number, end: number): boolean {
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
