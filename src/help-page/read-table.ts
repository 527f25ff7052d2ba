import type { PageCell } from '../errors.js'
import { readAddressCell } from './cells.js'
import { isAddressHeader, readColumns } from './columns.js'
import type { Row, Table } from './html.js'
import { readRowName } from './row-name.js'
import { HEADER, type ReadTable, TableReader } from './table-reader.js'
import { isUnreadable, looksLikeAddress } from './words.js'

const isRule = (row: Row) => {
  const texts = row.map((slot) => slot.text).filter((text) => text !== '')
  return texts.length > 0 && texts.every((text) => /^:?-{3,}:?$/.test(text))
}

/** A text copy of a page loses the lines between its tables. A rule below a row then shows that the row heads another table. */
export function splitAtRules(table: Table): Table[] {
  const tables: (Table & { rows: Row[] })[] = [{ ...table, rows: [] }]
  for (const row of table.rows) {
    const { rows } = tables.at(-1)!
    if (!isRule(row)) rows.push(row)
    else if (rows.length > 0) tables.push({ ...table, rows: rows.splice(-1) })
  }
  return tables.filter(({ rows }) => rows.length > 0)
}

/**
 * Reads a table of addresses by data center.
 *
 * @returns undefined if the table is about something else
 */
export function readTable(table: Table): ReadTable | undefined {
  const found = readRows(table)
  if (found === undefined) return undefined
  const place = table.heading === '' ? 'a table' : `table "${table.heading}"`
  const doubts = table.doubts.map(({ where, text }) => ({ place: `the ${where} ${place}`, text }))
  const read = { ...found, unread: [...reversedTable(table), ...found.unread], asides: [...doubts, ...found.asides] }
  if (read.unread.length === 0 || !isAboutSomethingElse(table, read)) return read
  return { rows: [], unread: [], asides: [{ place, text: table.rows[0]!.map((slot) => slot.text).join(' | ') }] }
}

function reversedTable({ heading, reversedBy }: Table): PageCell[] {
  if (reversedBy === undefined) return []
  return [{ table: heading, row: '', column: HEADER, text: reversedBy.text, message: reversedBy.unreadable }]
}

/** A word, and not what is left of an address. */
const WORD = /[g-z]/i

/** Whether a table has other values where addresses belong: no text of it is an address or the name of a channel, and none got lost. */
function isAboutSomethingElse({ heading, rows }: Table, { unread }: ReadTable): boolean {
  const texts = [heading, ...rows.flatMap((row) => row.map((slot) => slot.text))]
  return (
    unread.every(({ column, text }) => WORD.test(text) && (column === '' || isAddressHeader(column))) &&
    !texts.some((text) => looksLikeAddress(text) || namesChannel(text))
  )
}

function namesChannel(text: string): boolean {
  const name = readRowName(text)
  return !isUnreadable(name) && name.channels.length > 0
}

function readRows(table: Table): ReadTable | undefined {
  const start = table.rows.findIndex((row) => readColumns(row) !== undefined)
  const columns = start < 0 ? undefined : readColumns(table.rows[start]!)
  const before = table.rows.slice(0, start < 0 ? undefined : start)
  const headless = withoutHeader({ ...table, rows: before })
  if (columns === undefined) return headless.length > 0 ? { rows: [], unread: headless, asides: [] } : undefined
  const reader = new TableReader(table.heading)
  for (const row of table.rows.slice(start)) reader.read(row)
  const { rows, unread, asides } = reader.end()
  return { rows, unread: [...headless, ...unread], asides }
}

/** The cells of rows that belong to a data center or channel, but are not below a header. */
function withoutHeader({ heading, rows }: Table): PageCell[] {
  const isListed = (row: Row) => {
    const texts = row.map((slot) => slot.text)
    const isNamed = texts.some((text) => /^(?:dc|data[ -]?cent(?:er|re))[-_ ]?\d/i.test(text) || namesChannel(text))
    return isNamed && texts.some((text) => looksLikeAddress(text) || !isUnreadable(readAddressCell(text)))
  }
  return rows.filter(isListed).map((row) => ({
    table: heading,
    row: row.map((slot) => slot.text).join(', '),
    column: '',
    text: row.findLast((slot) => slot.text !== '')!.text,
    message: 'The table has no header that names its columns, or lost it.'
  }))
}
