import { CHANNELS, type Channel, DATA_CENTERS, type DataCenter } from '../directory/names.js'
import type { Cell, Snapshot } from '../directory/snapshot.js'
import type { PageCell } from '../errors.js'
import type { PageRow } from './read-table.js'

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
}

/** Joins the rows of all tables, in the order of our data centers and channels. */
export function collectRows(pageRows: readonly PageRow[]): Collected {
  const found = new Map<string, Found>()
  const conflicts: PageCell[] = []
  for (const row of pageRows) {
    for (const cell of cellsOf(row)) {
      const key = JSON.stringify([cell.dataCenter, cell.channel ?? cell.name.toLowerCase()])
      const before = found.get(key)
      if (before === undefined) found.set(key, cell)
      else if (row.isInherited || meaning(before.addresses) !== meaning(cell.addresses)) {
        conflicts.push({
          table: row.table,
          row: `${cell.name}, ${cell.dataCenter}`,
          column: row.column,
          text: row.text,
          message: `An earlier row of the same name and data center says ${meaning(before.addresses)}.`
        })
      }
    }
  }
  const rows: Snapshot['rows'][number][] = []
  const unknown: NonNullable<Snapshot['unknown']>[number][] = []
  for (const { dataCenter, name, channel, addresses } of found.values()) {
    if (channel !== undefined && isDataCenter(dataCenter)) rows.push({ dataCenter, channel, addresses })
    else unknown.push({ dataCenter, name, addresses })
  }
  rows.sort((a, b) => place(a) - place(b))
  return { rows, unknown, conflicts }
}

function cellsOf({ name, dataCenters, addresses }: PageRow): Found[] {
  const channels = name.channels.length > 0 ? name.channels : [undefined]
  return dataCenters.flatMap((dataCenter) =>
    channels.map((channel) => ({
      dataCenter: typeof dataCenter === 'string' ? dataCenter : dataCenter.unknown,
      name: name.name,
      channel,
      addresses
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
