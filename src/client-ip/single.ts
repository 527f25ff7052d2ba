import { readAddress } from '../ip/address.js'
import { entry, isPortNumber, MAX_ENTRY, readEntry } from './entry.js'
import { trimEnd, trimStart } from './hops.js'
import { INVALID_ENTRY, SEVERAL_ADDRESSES, type Unresolved } from './unresolved.js'

/** Reads a header that holds one address. Two values, or two lines, are two claims: nobody knows whose is which. */
export function readSingle(text: string): 4 | 6 | Unresolved {
  const end = trimEnd(text, text.length)
  if (end > MAX_ENTRY) return INVALID_ENTRY
  if (text.includes(',')) return SEVERAL_ADDRESSES
  return readEntry(text, trimStart(text, 0, end), end) || INVALID_ENTRY
}

/**
 * Reads `CloudFront-Viewer-Address`, which holds address and port with a colon between them, also where the address is
 * IPv6: `2001:db8::1:46532`. The port is always there, so the last colon is its own.
 */
export function readViewerAddress(text: string): 4 | 6 | Unresolved {
  const end = trimEnd(text, text.length)
  if (end > MAX_ENTRY) return INVALID_ENTRY
  if (text.includes(',')) return SEVERAL_ADDRESSES
  const colon = text.lastIndexOf(':')
  if (colon < 0 || !isPortNumber(text, colon + 1, end)) return INVALID_ENTRY
  entry.start = trimStart(text, 0, colon)
  entry.end = colon
  return readAddress(text, entry.start, colon) || INVALID_ENTRY
}
