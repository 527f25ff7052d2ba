import type { PageCell } from '../errors.js'

const DATA_CENTER = /^(?:all )?(?:dc|data[ -]?cent(?:er|re)s?)\b/i

/**
 * Rows that are text now, because a line before them is empty or broken: in Markdown, that ends a table. Only those with
 * pipes and the name of a data center are told.
 */
export function rowsOutside(prose: string): PageCell[] {
  return prose
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => {
      const parts = line.split('|')
      return parts.length > 2 && parts.some((part) => DATA_CENTER.test(part.trim()))
    })
    .map((line) => ({
      table: '',
      row: line.slice(0, 60),
      column: '',
      text: line,
      message:
        'It looks like a row, but stands outside of any table: is the line before it empty, or is it in a code block?'
    }))
}
