import { type Family, words } from '../ip/address.js'
import { entry, MAX_ENTRY, noEntry, readEntry } from './entry.js'

/** Reads the hop that ends before `end`, into {@link entry} and the shared words; 0 when it is no address. */
export type ReadHop = (text: string, end: number) => Family

/** How much white space is taken for an accident. A walker that skips all of it pays 31 µs for 16 KB of blanks. */
const MAX_SPACE = 64
const SPACE = 32
const TAB = 9
const COMMA = 44
const DOT = 46
const ZERO = 48

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

/** Reads a hop of X-Forwarded-For: what stands between two commas. */
export const readListHop: ReadHop = (text, end) => readDottedHop(text, end) || readOtherHop(text, end)

/**
 * Reads a hop that is a plain IPv4 address from its end, where the walk comes from: each character once, which halves the
 * cost of a hop. It takes nothing that `readAddress` would not take; whatever else there is, it leaves to that.
 */
function readDottedHop(text: string, end: number): Family {
  let word = 0
  let i = end - 1
  let code = codeAt(text, i)
  for (let shift = 0; ; shift += 8) {
    let octet = code - ZERO
    if (octet < 0 || octet > 9) return 0
    code = codeAt(text, --i)
    const tens = code - ZERO
    if (tens >= 0 && tens <= 9) {
      octet += 10 * tens
      code = codeAt(text, --i)
      const hundreds = code - ZERO
      if (hundreds >= 0 && hundreds <= 9) {
        octet += 100 * hundreds
        if (octet > 255 || hundreds === 0) return 0
        code = codeAt(text, --i)
      } else if (tens === 0) return 0
    }
    word |= octet << shift
    if (shift === 24) break
    if (code !== DOT) return 0
    code = codeAt(text, --i)
  }
  const before = isSpace(code) ? trimEnd(text, i) - 1 : i
  if (before >= 0 && text.charCodeAt(before) !== COMMA) return 0
  words[0] = word
  entry.start = i + 1
  entry.end = end
  entry.comma = before
  return 4
}

/** A character of the list, which ends before its first one as it does at a comma. */
function codeAt(text: string, i: number): number {
  return i < 0 ? COMMA : text.charCodeAt(i)
}

function readOtherHop(text: string, end: number): Family {
  const last = trimEnd(text, end)
  const limit = Math.max(last - MAX_ENTRY, 0)
  let start = last
  while (start > limit && text.charCodeAt(start - 1) !== COMMA) start--
  entry.comma = start - 1
  // Cut off at the limit, the entry is too long for an address, and whatever its last characters spell is not one.
  if (start > 0 && text.charCodeAt(start - 1) !== COMMA) return noEntry()
  return readEntry(text, trimStart(text, start, last), last)
}
