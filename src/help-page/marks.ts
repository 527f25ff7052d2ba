/** Why a cell could not be read. */
export interface Unreadable {
  /** One sentence. */
  readonly unreadable: string
}

export const unreadable = (sentence: string): Unreadable => ({ unreadable: sentence })
export const isUnreadable = (value: unknown): value is Unreadable =>
  typeof value === 'object' && value !== null && 'unreadable' in value

/** A footnote's mark behind a word: `[1]`, `[^a]`, `(2)`, `*`, `†`, `¹`. */
const FOOTNOTE = /(?:\[\^?[\w*†‡§]{1,3}\]|\(\d{1,2}\)|[*†‡§¹²³⁴⁵⁶⁷⁸⁹⁰]{1,3})(?=[\s,;]|$)/g

/** A text without the marks of footnotes. */
export const withoutFootnotes = (text: string) => text.replaceAll(FOOTNOTE, ' ')

/**
 * A text without what stands in brackets and tells nothing that has to be read.
 *
 * @param keep tells which words in brackets have to be read after all
 */
export function withoutBrackets(text: string, keep: (words: string) => boolean): string {
  let rest = text
  // From the inside out; brackets nested deeper are left, and then not understood.
  for (let depth = 0; depth < 3; depth++) {
    rest = rest.replaceAll(/\(([^()]*)\)/g, (whole, words: string) => (keep(words) ? whole : ' '))
  }
  return rest
}

/** An address or prefix, or what looks like one that got damaged. */
export const looksLikeAddress = (text: string) => /\d{1,3}(?:\.\d{1,3}){2}|[\da-f]{1,4}:[\da-f:]*:/i.test(text)

/** No name on the page is longer; whole pages in one cell, as layout tables have them, are. */
export const LONGEST_NAME_CELL = 2000
/** About a thousand addresses. */
export const LONGEST_ADDRESS_CELL = 20_000
