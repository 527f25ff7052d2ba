/** A record of a CSV file, with the line on which it begins. */
export interface CsvRecord {
  readonly line: number
  readonly fields: readonly string[]
}

/** What keeps a text from being CSV. */
export interface CsvMistake {
  readonly line: number
  readonly message: string
  readonly fix: string
}

/**
 * Reads CSV as RFC 4180 defines it, strictly: fields are separated by commas, and quoted where they hold a comma, a quote or a
 * line break. Empty lines and lines that begin with `#` are skipped. Reads up to the first mistake, and no more than `most` records.
 */
export function readCsv(
  text: string,
  most: number
): { readonly records: readonly CsvRecord[]; readonly mistake?: CsvMistake } {
  const records: CsvRecord[] = []
  let line = 1
  let at = 0
  while (at < text.length && records.length < most) {
    const begin = line
    const fields: string[] = []
    if (text[at] === '#') at = find(/[\r\n]/g, text, at)
    else {
      for (;;) {
        const field = text[at] === '"' ? readQuoted(text, at) : readBare(text, at)
        if ('message' in field) return { records, mistake: { line: begin, ...field } }
        fields.push(field.value)
        line += field.lines
        at = field.end
        if (text[at] !== ',') break
        at++
      }
      if (fields.length > 1 || fields[0]!.trim() !== '') records.push({ line: begin, fields })
    }
    if (text.startsWith('\r\n', at)) at++
    at++
    line++
  }
  return { records }
}

/** Where the next of some characters stands, or the text ends. */
function find(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return pattern.exec(text)?.index ?? text.length
}

type Field = { readonly value: string; readonly end: number; readonly lines: number }
type Refused = { readonly message: string; readonly fix: string }

function readBare(text: string, start: number): Field | Refused {
  const end = find(/[",\r\n]/g, text, start)
  if (text[end] === '"') {
    return { message: 'A quote stands inside of a field without quotes.', fix: 'Quote the field: "a ""b"" c".' }
  }
  return { value: text.slice(start, end), end, lines: 0 }
}

function readQuoted(text: string, start: number): Field | Refused {
  let end = text.indexOf('"', start + 1)
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2)
  if (end < 0) return { message: 'A quoted field has no end.', fix: 'Close the quote.' }
  if (end + 1 < text.length && !/[,\r\n]/.test(text[end + 1]!)) {
    return { message: 'Text stands behind a quoted field.', fix: 'Write a comma or a line break after the quote.' }
  }
  const value = text.slice(start + 1, end).replaceAll('""', '"')
  return { value, end: end + 1, lines: value.split(/\r\n|\r|\n/).length - 1 }
}

/** A field of CSV. */
export const csvField = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
