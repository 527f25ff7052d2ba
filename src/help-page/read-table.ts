import type { Cell } from '../directory/snapshot.js'
import type { PageCell } from '../errors.js'
import { readAddressCell } from './address-cell.js'
import { STRIKE } from './cell-text.js'
import { type Columns, readColumns } from './columns.js'
import { type DataCenters, readDataCenterCell } from './data-center-cell.js'
import type { Row, Table } from './html.js'
import { isUnreadable, looksLikeAddress, type Unreadable, unreadable } from './marks.js'
import { type RowName, readRowName } from './row-name.js'

/** One row of the page. */
export interface PageRow {
  readonly table: string
  readonly place: string
  readonly column: string
  readonly name: RowName
  /** Whether its name stands in a row above. */
  readonly isInherited: boolean
  readonly dataCenters: DataCenters
  readonly addresses: Cell
  /** The text of the address cell. */
  readonly text: string
}

/** Text that was left aside: reported, since it may matter. */
export interface Aside {
  readonly place: string
  readonly text: string
}

/** What a table says. */
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

/** A text copy of a page loses the lines between its tables; a rule below a row tells that it heads another. */
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
 * @returns undefined where the table is about something else
 */
export function readTable(table: Table): ReadTable | undefined {
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

/** The cells of rows that belong to a data center or channel, but stand below no header. */
function withoutHeader({ heading, rows }: Table): PageCell[] {
  const isListed = (row: Row) => {
    const texts = row.map((slot) => slot.text)
    const isNamed = texts.some((text) => {
      if (/^(?:dc|data[ -]?cent(?:er|re))[-_ ]?\d/i.test(text)) return true
      const name = readRowName(text)
      return !isUnreadable(name) && name.channels.length > 0
    })
    return isNamed && texts.some((text) => looksLikeAddress(text) || !isUnreadable(readAddressCell(text)))
  }
  return rows.filter(isListed).map((row) => ({
    table: heading,
    row: row.map((slot) => slot.text).join(', '),
    column: '',
    text: row.findLast((slot) => slot.text !== '')!.text,
    message: 'The table has no header that tells its columns, or lost it.'
  }))
}

class TableReader {
  readonly #heading: string
  readonly #rows: PageRow[] = []
  readonly #unread: PageCell[] = []
  readonly #asides: Aside[] = []
  #columns: Columns | undefined
  /** The name that rows without one belong to. */
  #name = ''
  /** Whether rows repeat the name of the row before: then one without a name has lost it. */
  #repeats = false
  /** A name that stood alone in its row, as long as no row took it up. */
  #lonely: string | undefined
  /** The name of the row before, where it says that the addresses are those of the channels. */
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
    // Where a sentence spanned the cells below, a page without spans leaves those empty.
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

  /** A cell across the whole table: the name of what follows where rows have none, a remark elsewhere. */
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
/** As much of a name as tells which row is meant. */
const firstLine = (text: string) => text.split('\n')[0]!.slice(0, 60)

/** Whether a row holds its first cell only, which does not even name a data center. */
function isLonely(row: Row): boolean {
  const filled = row.filter((slot) => slot.text !== '')
  return filled.length === 1 && textAt(row, 0) !== '' && isUnreadable(readDataCenterCell(textAt(row, 0)))
}

/** Whether a row begins with its data center, as it does below a spanning name whose span got lost. */
function lostItsName(row: Row): boolean {
  return textAt(row, 2) === '' && !isUnreadable(readDataCenterCell(textAt(row, 0)))
}
