import type { Fields } from './fields.js'
import { isEnvelope, isNameOfEvent } from './fields-of-lines.js'

/** The first line of a file in CSV, which names the columns: what stands in a row is known by it. */
export interface Header {
  readonly separator: string
  readonly names: readonly string[]
}

/** Names of columns, also with a unit or a zone. */
const NAME = /^[\w@.:#%/() [\]-]{1,100}$/

/** The columns of a table with lines of a log; undefined for a line that is no header of one. */
export function headerOf(line: string): Header | undefined {
  const [separator] = /[,;\t]/.exec(line) ?? []
  if (separator === undefined) return undefined
  const names = cellsOf(line, separator)
  if (names === undefined || !names.every((name) => NAME.test(name))) return undefined
  return names.some((name) => isEnvelope(name, '', {}) || isNameOfEvent(name, {})) ? { separator, names } : undefined
}

/** A row as fields; undefined if it has other columns. */
export function rowOf(line: string, { separator, names }: Header): Fields | undefined {
  const cells = cellsOf(line, separator)
  if (cells?.length !== names.length) return undefined
  return Object.fromEntries(names.map((name, i) => [name, cells[i]!]).filter(([, cell]) => cell !== ''))
}

/** The cells of a line; undefined if it is not whole. */
function cellsOf(line: string, separator: string): string[] | undefined {
  const cells: string[] = []
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${separator}][^${separator}]*|))(${separator}|$)`, 'y')
  for (let end: string | undefined = separator; end === separator; ) {
    const found = cell.exec(line)
    if (found === null) return undefined
    cells.push(found[1]?.replaceAll('""', '"') ?? found[2]!)
    end = found[3]
  }
  return cells
}
