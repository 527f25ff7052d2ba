/** A footnote's mark behind a word: `[1]`, `[^a]`, `(2)`, `*`, `†`, `¹`. */
const FOOTNOTE = /(?:\[\^?[\w*†‡§]{1,3}\]|\(\d{1,2}\)|[*†‡§¹²³⁴⁵⁶⁷⁸⁹⁰]+)(?=[\s,;]|$)/g

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
