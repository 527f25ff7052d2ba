import { CHANNELS, type Channel, DATA_CENTERS, type DataCenter } from '../directory/names.js'
import type { Cell, Snapshot } from '../directory/snapshot.js'
import type { PageCell, Problem } from '../errors.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import { specialPurpose } from '../ip/special.js'
import { quoted } from '../lib/text.js'
import type { Table } from './html.js'
import type { PageRow } from './table-reader.js'

/** The rows of a snapshot. */
export interface Collected {
  readonly rows: Snapshot['rows']
  readonly unknown: NonNullable<Snapshot['unknown']>
  /** Second cells of a data center and name that differ from the first, or whose name is that of a row above. */
  readonly conflicts: readonly PageCell[]
}

interface Found {
  readonly dataCenter: string
  readonly name: string
  readonly channel: Channel | undefined
  readonly addresses: Cell
  readonly row: PageRow
}

/** Joins the rows of all tables, in the order of our data centers and channels. */
export function collectRows(pageRows: readonly PageRow[]): Collected {
  const found = new Map<string, Found>()
  const conflicts: PageCell[] = []
  const refuse = ({ name, dataCenter, row: { table, column, text } }: Found, message: string) =>
    conflicts.push({ table, row: `${name}, ${dataCenter}`, column, text, message })
  for (const row of pageRows) {
    for (const cell of cellsOf(row)) {
      const key = keyOf(cell.dataCenter, cell.channel ?? cell.name.toLowerCase())
      const before = found.get(key)
      if (before === undefined) found.set(key, cell)
      else if (row.isInherited || meaning(before.addresses) !== meaning(cell.addresses)) {
        refuse(cell, `An earlier row of the same name and data center says ${meaning(before.addresses)}.`)
      }
    }
  }
  const rows: Snapshot['rows'][number][] = []
  const unknown: NonNullable<Snapshot['unknown']>[number][] = []
  for (const cell of found.values()) {
    const { dataCenter, name, channel } = cell
    const addresses = withoutChains(cell, found)
    if (addresses === undefined) {
      refuse(cell, 'It leads back to its own row, directly or by way of another one, so it names no address.')
      continue
    }
    if (channel !== undefined && isDataCenter(dataCenter)) rows.push({ dataCenter, channel, addresses })
    else unknown.push({ dataCenter, name, addresses })
  }
  rows.sort((a, b) => place(a) - place(b))
  return { rows, unknown, conflicts }
}

const keyOf = (dataCenter: string, name: string) => JSON.stringify([dataCenter, name])

/**
 * A cell with the addresses of other channels, which may have those of others themselves. A snapshot names the ones at the end.
 *
 * @returns undefined if they lead back to the cell
 */
function withoutChains({ dataCenter, channel, addresses }: Found, found: ReadonlyMap<string, Found>): Cell | undefined {
  const sourcesOf = (cell: Cell | undefined) =>
    typeof cell === 'object' && 'derivedFrom' in cell ? cell.derivedFrom : []
  const reached = new Set(sourcesOf(addresses))
  if (reached.size === 0) return addresses
  const ends: Channel[] = []
  for (const source of reached) {
    const next = sourcesOf(found.get(keyOf(dataCenter, source))?.addresses)
    if (next.length === 0) ends.push(source)
    // The loop goes on to these.
    for (const channel of next) reached.add(channel)
  }
  return reached.has(channel!) ? undefined : { derivedFrom: ends }
}

function cellsOf(row: PageRow): Found[] {
  const { name, dataCenters, addresses } = row
  const channels = name.channels.length > 0 ? name.channels : [undefined]
  return dataCenters.flatMap((dataCenter) =>
    channels.map((channel) => ({
      dataCenter: typeof dataCenter === 'string' ? dataCenter : dataCenter.unknown,
      name: name.name,
      channel,
      addresses,
      row
    }))
  )
}

const isDataCenter = (name: string): name is DataCenter => DATA_CENTERS.includes(name as DataCenter)
const place = ({ dataCenter, channel }: { dataCenter: DataCenter; channel: Channel }) =>
  CHANNELS.indexOf(channel) * DATA_CENTERS.length + DATA_CENTERS.indexOf(dataCenter)

/** The same text for cells with the same meaning. */
function meaning(cell: Cell): string {
  if (cell === 'NA') return 'NA'
  return 'derivedFrom' in cell ? `those of ${cell.derivedFrom.join(', ')}` : cell.toSorted().join(', ')
}

const DATA_CENTER = /^(?:all )?(?:dc|data[ -]?cent(?:er|re)s?)\b/i

/**
 * Rows that became text because the line before them is empty or broken: in Markdown that ends a table. Only lines with pipes
 * and the name of a data center are reported.
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
        'It looks like a row, but is outside of any table: is the line before it empty, or is it in a code block?'
    }))
}

const MAX_WARNINGS = 20

/**
 * A warning for each public address of the page that is in no table that was read: a list may have moved into the text. Addresses
 * for special purposes are examples.
 */
export function strayAddresses(prose: string, unread: readonly Table[], snapshot: Snapshot): Problem[] {
  const listed = new Set(
    [...snapshot.rows, ...(snapshot.unknown ?? [])].flatMap(({ addresses }) =>
      Array.isArray(addresses) ? addresses : []
    )
  )
  const texts = [prose, ...unread.flatMap(({ rows }) => rows.flatMap((row) => row.map((slot) => slot.text)))]
  const stray = new Set<string>()
  for (const text of texts) {
    for (const [word] of text.matchAll(/[\da-f.:/]{7,60}/gi)) {
      const written = word.replace(/^[./]+|[./:]+$/g, '')
      const prefix = readPrefix(written)
      if (!(prefix instanceof Prefix) || listed.has(written)) continue
      if (specialPurpose(prefix) === undefined) stray.add(written)
    }
  }
  return [...stray].slice(0, MAX_WARNINGS).map((address) => ({
    code: 'MOE_WARN_PAGE',
    path: 'page',
    value: address,
    message: `${quoted(address)} is on the page, but in no table of addresses by data center.`,
    fix: 'Check on the page whether it belongs to the list.'
  }))
}
