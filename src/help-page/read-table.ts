import type { Cell } from '../directory/snapshot.js'
import type { PageCell } from '../errors.js'
import {
  type DataCenters,
  isUnreadable,
  looksLikeAddress,
  type RowName,
  readAddressCell,
  readDataCenterCell,
  readRowName,
  type Unreadable,
  unreadable
} from './cells.js'
import { type Columns, isAddressHeader, readColumns } from './columns.js'
import { type Row, STRIKE, type Table } from './html.js'

/** One row of the page. */
export interface PageRow {
  readonly table: string
  readonly place: string
  readonly column: string
  readonly name: RowName
  /** Whether its name is that of a row above. */
  readonly isInherited: boolean
  readonly dataCenters: DataCenters
  readonly addresses: Cell
  /** The text of the address cell. */
  readonly text: string
}

/** Text that was left aside. It is reported because it may matter. */
export interface Aside {
  readonly place: string
  readonly text: string
}

/** The rows of a table, and what could not be read. */
export interface ReadTable {
  readonly rows: readonly PageRow[]
  readonly unread: readonly PageCell[]
  readonly asides: readonly Aside[]
}

const textAt = (row: Row, column: number) => row[column]!.text
const isRule = (row: Row) => {
  const texts = row.map((slot) => slot.text).filter((text) => text !== '')
  return texts.length > 0 && texts.every((text) => /^:?-{3,}:?$/.test(text))
}

/** A text copy of a page loses the lines between its tables. A rule below a row then shows that the row heads another table. */
export function splitAtRules(table: Table): Table[] {
  const tables: { heading: string; rows: Row[] }[] = [{ heading: table.heading, rows: [] }]
  for (const row of table.rows) {
    const { rows } = tables.at(-1)!
    if (!isRule(row)) rows.push(row)
    else if (rows.length > 0) tables.push({ heading: table.heading, rows: rows.splice(-1) })
  }
  return tables.filter(({ rows }) => rows.length > 0)
}

/**
 * Reads a table of addresses by data center.
 *
 * @returns undefined if the table is about something else
 */
export function readTable(table: Table): ReadTable | undefined {
  const read = readRows(table)
  if (read === undefined || read.unread.length === 0 || !isAboutSomethingElse(table, read)) return read
  const place = table.heading === '' ? 'a table' : `table "${table.heading}"`
  return { rows: [], unread: [], asides: [{ place, text: table.rows[0]!.map((slot) => slot.text).join(' | ') }] }
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
  const headless = withoutHeader({ heading: table.heading, rows: before })
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

class TableReader {
  readonly #heading: string
  readonly #rows: PageRow[] = []
  readonly #unread: PageCell[] = []
  readonly #asides: Aside[] = []
  #columns: Columns | undefined
  /** The name of the rows that have none of their own. */
  #name = ''
  /** Whether rows repeat the name of the row before: then a row without a name has lost it. */
  #repeats = false
  /** A name that is alone in its row, until a row below uses it. */
  #lonely: string | undefined
  /** The name of the row before, if that row has the addresses of other channels. */
  #derived: { readonly name: string; readonly addresses: Cell } | undefined

  constructor(heading: string) {
    this.#heading = heading
  }

  read(row: Row): void {
    const columns = readColumns(row)
    if (columns !== undefined) this.#start(columns, row)
    else if (this.#columns !== undefined && row.some((slot) => slot.text !== '')) this.#readRow(row, this.#columns)
  }

  end(): ReadTable {
    this.#dropLonely()
    for (const { isInherited, place } of this.#repeats ? this.#rows : []) {
      if (isInherited) this.#refuse(place, '', unreadable('The name of the row is missing.'), 'name')
    }
    return { rows: this.#rows, unread: this.#unread, asides: this.#asides }
  }

  #start(columns: Columns | Unreadable, row: Row): void {
    this.#dropLonely()
    this.#derived = undefined
    this.#columns = isUnreadable(columns) ? undefined : columns
    if (isUnreadable(columns)) {
      this.#refuse('', row.map((slot) => slot.text).join(' | '), columns, 'header')
      return
    }
    this.#name = columns.name === undefined ? this.#heading : ''
    for (const column of columns.others.filter((column) => columns.headers[column] !== '')) {
      this.#asides.push({ place: `column "${columns.headers[column]}"`, text: columns.headers[column]! })
    }
  }

  #readRow(row: Row, columns: Columns): void {
    if (row.length > 1 && row[0]?.span === row.length) {
      this.#readBand(row[0].text, columns)
      return
    }
    const { name, dataCenter, addresses } = columns
    if (name === 0 && isLonely(row)) {
      this.#dropLonely()
      this.#lonely = textAt(row, 0)
      if (looksLikeAddress(this.#lonely)) this.#dropLonely()
      else this.#name = this.#lonely
      return
    }
    const isShifted = name === 0 && dataCenter === 1 && addresses === 2 && lostItsName(row)
    const cells = isShifted
      ? { dataCenter: textAt(row, 0), addresses: textAt(row, 1) }
      : { dataCenter: textAt(row, dataCenter), addresses: textAt(row, addresses) }
    const written = name === undefined || isShifted ? '' : textAt(row, name)
    const isInherited = name !== undefined && written === ''
    if (isInherited) this.#lonely = undefined
    else {
      this.#dropLonely()
      if (written !== '' && written === this.#name) this.#repeats = true
      if (written !== '') this.#name = written
    }
    this.#readCells(this.#name, isInherited, cells.dataCenter, cells.addresses, columns)
    for (const column of columns.others) {
      const text = textAt(row, column)
      const header = columns.headers[column]!
      const place = `${this.#name}, ${cells.dataCenter}`
      if (looksLikeAddress(text)) {
        this.#refuse(
          place,
          text,
          unreadable('There is an address in a column that is not headed as addresses.'),
          header
        )
      } else if (header === '' && text !== '') {
        this.#refuse(place, text, unreadable('The row has more cells than the header, or its column has none.'), header)
      }
    }
  }

  #readCells(
    written: string,
    isInherited: boolean,
    dataCenterText: string,
    addressText: string,
    columns: Columns
  ): void {
    const place = [written, dataCenterText]
      .filter((text) => text !== '')
      .map(firstLine)
      .join(', ')
    const header = (column: number | undefined) => (column === undefined ? 'heading' : columns.headers[column]!)
    const name = written.includes(STRIKE) ? STRUCK : readRowName(written)
    const dataCenters = dataCenterText.includes(STRIKE) ? STRUCK : readDataCenterCell(dataCenterText)
    const addresses = this.#readAddresses(written, addressText, place)
    if (isUnreadable(name)) this.#refuse(place, written, name, header(columns.name))
    if (isUnreadable(dataCenters)) this.#refuse(place, dataCenterText, dataCenters, header(columns.dataCenter))
    if (isUnreadable(addresses)) this.#refuse(place, addressText, addresses, header(columns.addresses))
    if (isUnreadable(name) || isUnreadable(dataCenters) || isUnreadable(addresses)) return
    if (name.rest !== undefined) this.#asides.push({ place, text: name.rest })
    this.#rows.push({
      table: this.#heading,
      place,
      column: header(columns.addresses),
      name,
      isInherited,
      dataCenters,
      addresses,
      text: addressText
    })
  }

  #readAddresses(name: string, text: string, place: string): Cell | Unreadable {
    if (text.includes(STRIKE)) return STRUCK
    // A sentence may span the cells below. On a page without spans these are empty.
    if (text === '' && this.#derived?.name === name) return this.#derived.addresses
    const read = readAddressCell(text)
    this.#derived = undefined
    if (isUnreadable(read)) return read
    if (typeof read.addresses === 'object' && 'derivedFrom' in read.addresses) {
      this.#derived = { name, addresses: read.addresses }
    }
    for (const remark of read.remarks) this.#asides.push({ place, text: `(${remark})` })
    return read.addresses
  }

  /** A cell across the whole table: the name of the rows below if they have none, else a remark. */
  #readBand(text: string, columns: Columns): void {
    this.#dropLonely()
    if (looksLikeAddress(text))
      this.#refuse('', text, unreadable('There is an address in a cell across all columns.'), 'all')
    else if (columns.name === undefined) this.#name = text
    else this.#asides.push({ place: 'a row across all columns', text })
  }

  #dropLonely(): void {
    if (this.#lonely === undefined) return
    const message = unreadable('The row has nothing but this cell: the rest of it got lost.')
    this.#refuse(firstLine(this.#lonely), this.#lonely, message, 'name')
    this.#lonely = undefined
  }

  #refuse(row: string, text: string, { unreadable: message }: Unreadable, column: string): void {
    this.#unread.push({ table: this.#heading, row, column, text, message })
  }
}

const STRUCK = unreadable('Its text is struck out.')
/** Enough of a name to find the row. */
const firstLine = (text: string) => text.split('\n')[0]!.slice(0, 60)

/** Whether a row holds only its first cell, and that does not name a data center. */
function isLonely(row: Row): boolean {
  const filled = row.filter((slot) => slot.text !== '')
  return filled.length === 1 && textAt(row, 0) !== '' && isUnreadable(readDataCenterCell(textAt(row, 0)))
}

/** Whether a row begins with its data center: the name above spanned it, and the span got lost. */
function lostItsName(row: Row): boolean {
  return textAt(row, 2) === '' && !isUnreadable(readDataCenterCell(textAt(row, 0)))
}
