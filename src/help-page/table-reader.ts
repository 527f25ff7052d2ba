import type { Cell } from '../directory/snapshot.js'
import type { PageCell } from '../errors.js'
import { type Flaw, type Said, STRIKE, shown } from './cell-text.js'
import { type DataCenters, readAddressCell, readDataCenterCell } from './cells.js'
import { type Columns, readColumns } from './columns.js'
import type { Label, Row, Slot } from './html.js'
import { mayBeOutdatedBy, saysRowOver } from './outdated.js'
import { type RowName, readRowName } from './row-name.js'
import {
  isUnreadable,
  looksLikeAddress,
  MAX_NAME,
  reversal,
  reversalByTitles,
  STRUCK,
  strangeAddress,
  type Unreadable,
  unreadable
} from './words.js'

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

/** The column of a problem that the header as a whole has. */
export const HEADER = 'header'

const textAt = (row: Row, column: number) => row[column]!.text
const NOTHING: Said = { text: '', titles: [] }

/** Reads the rows of one table, from its header on. */
export class TableReader {
  readonly #heading: string
  readonly #rows: PageRow[] = []
  readonly #unread: PageCell[] = []
  /** By their place and text: every row repeats what its name has in brackets. */
  readonly #asides = new Map<string, Aside>()
  #columns: Columns | undefined
  /** The name of the rows that have none of their own. */
  #name = NOTHING
  /** Whether rows repeat the name of the row before: then a row without a name has lost it. */
  #repeats = false
  /** A name that is alone in its row, until a row below uses it. */
  #lonely: Said | undefined
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
    return { rows: this.#rows, unread: this.#unread, asides: [...this.#asides.values()] }
  }

  #start(columns: Columns | Unreadable, row: Row): void {
    this.#dropLonely()
    this.#derived = undefined
    const flawed = row.find(isFlawed)
    const read = flawed === undefined ? columns : reasonOf(flawed.flaw)
    this.#columns = isUnreadable(read) ? undefined : read
    if (isUnreadable(read)) {
      this.#refuse('', row.map(shown).join(' | '), read, HEADER)
      return
    }
    this.#name = read.name === undefined ? { ...NOTHING, text: this.#heading } : NOTHING
    for (const column of read.others.filter((column) => read.headers[column] !== '')) {
      this.#setAside(`column "${read.headers[column]}"`, read.headers[column]!)
    }
    for (const { column, text } of read.remarks) this.#setAside(`column "${read.headers[column]}"`, `(${text})`)
  }

  #readRow(row: Row, columns: Columns): void {
    const flawed = row.findLast(isFlawed)
    if (flawed !== undefined) {
      const name = columns.name === undefined ? '' : textAt(row, columns.name)
      const place = placeOf(name, textAt(row, columns.dataCenter))
      this.#lonely = undefined
      const text = typeof flawed.flaw === 'string' ? flawed.text : flawed.flaw.text
      this.#refuse(place, text, reasonOf(flawed.flaw), columns.headers[row.indexOf(flawed)]!)
      return
    }
    if (row.length > 1 && row[0]?.span === row.length) {
      this.#readBand(row[0], columns)
      return
    }
    const { name, dataCenter, addresses } = columns
    if (name === 0 && isLonely(row)) {
      this.#dropLonely()
      this.#lonely = row[0]!
      if (looksLikeAddress(this.#lonely.text)) this.#dropLonely()
      else this.#name = this.#lonely
      return
    }
    const isShifted = name === 0 && dataCenter === 1 && addresses === 2 && lostItsName(row)
    const cells = isShifted
      ? { dataCenter: row[0]!, addresses: row[1]! }
      : { dataCenter: row[dataCenter]!, addresses: row[addresses]! }
    const written = name === undefined || isShifted ? NOTHING : row[name]!
    const isInherited = name !== undefined && written.text === ''
    if (isInherited) this.#lonely = undefined
    else {
      this.#dropLonely()
      if (written.text !== '' && written.text === this.#name.text) this.#repeats = true
      if (written.text !== '') this.#name = written
    }
    this.#readCells(this.#name, isInherited, cells.dataCenter, cells.addresses, columns)
    for (const column of columns.others) {
      const text = textAt(row, column)
      const header = columns.headers[column]!
      const place = `${this.#name.text}, ${cells.dataCenter.text}`
      if (looksLikeAddress(text)) {
        this.#refuse(
          place,
          text,
          unreadable('There is an address in a column that is not headed as addresses.'),
          header
        )
      } else if (header === '' && text !== '') {
        this.#refuse(place, text, unreadable('The row has more cells than the header, or its column has none.'), header)
      } else if (text.length <= MAX_NAME && saysRowOver(header, text)) {
        this.#refuse(place, text, unreadable('It says that its row is over, or not to be used.'), header)
      } else if (mayBeOutdatedBy(text)) {
        this.#setAside(place, `${header}: ${text}`)
      }
    }
  }

  #readCells(written: Said, isInherited: boolean, dataCenterCell: Said, addressCell: Said, columns: Columns): void {
    const place = placeOf(written.text, dataCenterCell.text)
    const header = (column: number | undefined) => (column === undefined ? 'heading' : columns.headers[column]!)
    const name = readName(written)
    const dataCenters = refusalOf(dataCenterCell) ?? readDataCenterCell(dataCenterCell.text)
    const addresses = this.#readAddresses(written.text, addressCell, place)
    if (isUnreadable(name)) this.#refuse(place, shown(written), name, header(columns.name))
    if (isUnreadable(dataCenters)) this.#refuse(place, shown(dataCenterCell), dataCenters, header(columns.dataCenter))
    if (isUnreadable(addresses)) this.#refuse(place, shown(addressCell), addresses, header(columns.addresses))
    if (isUnreadable(name) || isUnreadable(dataCenters) || isUnreadable(addresses)) return
    for (const remark of [...name.remarks, ...written.titles.map((title) => `(${title})`)]) {
      this.#setAside(firstLine(written.text), remark)
    }
    for (const remark of [...dataCenters.remarks, ...dataCenterCell.titles]) this.#setAside(place, `(${remark})`)
    this.#rows.push({
      table: this.#heading,
      place,
      column: header(columns.addresses),
      name,
      isInherited,
      dataCenters: dataCenters.dataCenters,
      addresses,
      text: addressCell.text
    })
  }

  #readAddresses(name: string, cell: Said, place: string): Cell | Unreadable {
    const { text, titles } = cell
    const refusal = refusalOf(cell) ?? strangeAddress(cell)
    if (refusal !== undefined) return refusal
    // A sentence may span the cells below. On a page without spans these are empty.
    if (text === '' && this.#derived?.name === name) return this.#derived.addresses
    const read = readAddressCell(text)
    this.#derived = undefined
    if (isUnreadable(read)) return read
    if (typeof read.addresses === 'object' && 'derivedFrom' in read.addresses) {
      this.#derived = { name, addresses: read.addresses }
    }
    for (const remark of [...read.remarks, ...titles]) this.#setAside(place, `(${remark})`)
    return read.addresses
  }

  /** A cell across the whole table: the name of the rows below if they have none, else a remark. */
  #readBand(band: Slot, columns: Columns): void {
    const { text } = band
    this.#dropLonely()
    const reason = looksLikeAddress(text)
      ? unreadable('There is an address in a cell across all columns.')
      : (reversal(text) ?? reversalByTitles(band))
    if (reason !== undefined) this.#refuse('', shown(band), reason, 'all')
    else if (columns.name === undefined) this.#name = band
    else this.#setAside('a row across all columns', shown(band))
  }

  #setAside(place: string, text: string): void {
    this.#asides.set(JSON.stringify([place, text]), { place, text })
  }

  #dropLonely(): void {
    if (this.#lonely === undefined) return
    const message = unreadable('The row has nothing but this cell: the rest of it got lost.')
    this.#refuse(firstLine(this.#lonely.text), shown(this.#lonely), message, 'name')
    this.#lonely = undefined
  }

  #refuse(row: string, text: string, { unreadable: message }: Unreadable, column: string): void {
    this.#unread.push({ table: this.#heading, row, column, text, message })
  }
}

const FLAWS: Record<Flaw, Unreadable> = {
  hidden: unreadable(
    'It is hidden, or a style that is an expression may hide it: it may be out of date, a copy for small screens, or in a tab that is closed.'
  ),
  struck: STRUCK
}
const reasonOf = (flaw: Flaw | Label) => (typeof flaw === 'string' ? FLAWS[flaw] : flaw)
const isFlawed = (slot: Slot): slot is Slot & { flaw: Flaw | Label } => slot.flaw !== undefined && slot.text !== ''

/** Reads the name of a row. Whether the name of an unknown row still holds does not matter: no request is matched against it. */
function readName(cell: Said): RowName | Unreadable {
  const name = cell.text.includes(STRIKE) ? STRUCK : readRowName(cell.text)
  if (isUnreadable(name) || name.channels.length === 0) return name
  return reversal(cell.text) ?? reversalByTitles(cell) ?? name
}

/** Why a cell is not taken, whatever it names. */
const refusalOf = (cell: Said) => (cell.text.includes(STRIKE) ? STRUCK : reversalByTitles(cell))

/** Where a row is, by its name and data center. */
const placeOf = (name: string, dataCenter: string) =>
  [name, dataCenter]
    .filter((text) => text !== '')
    .map(firstLine)
    .join(', ')
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
