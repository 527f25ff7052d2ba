import type { Family, ParsedAddress } from '../ip/address.js'

const COLON = 58
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const UNDERSCORE = 95

/** No entry is longer than a bracketed IPv6 address with a port; the rest is room for an obfuscated one. */
export const MAX_ENTRY = 128

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
