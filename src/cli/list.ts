import { Command } from 'commander'
import { addressText } from '../directory/about-address.js'
import type { Cells, Directory } from '../directory/directory.js'
import { CHANNELS, type Channel, DATA_CENTERS, type DataCenter } from '../directory/names.js'
import { channelOption, dataCenterOption, fromOption, jsonOption, type Names, readList } from './input.js'
import { type Io, writeJson } from './io.js'
import { provenanceText, styleFor, table } from './text.js'

const EXAMPLES = `
Without a filter the matrix only; with a filter also the addresses.

Examples:
  $ moengage-allowlist list
  $ moengage-allowlist list --data-center DC-01
  $ moengage-allowlist list -d DC-01,DC-03 -c segment-sync --json
  $ moengage-allowlist list --from https://example.com/moengage.json`

interface Options {
  readonly from: string
  readonly dataCenter: Names<DataCenter>
  readonly channel: Names<Channel>
  readonly json?: true
}

/** `list`: the matrix of data centers and channels, and the addresses of selected cells. */
export function listCommand(io: Io): Command {
  return new Command('list')
    .description('print the list as a matrix of data centers and channels; with a filter, the addresses')
    .addOption(dataCenterOption().default('all'))
    .addOption(channelOption().default('all'))
    .addOption(fromOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async ({ from, dataCenter, channel, json }: Options) => {
      const list = await readList(from, io)
      const cells = {
        dataCenters: dataCenter === 'all' ? DATA_CENTERS : DATA_CENTERS.filter((name) => dataCenter.includes(name)),
        channels: channel === 'all' ? CHANNELS : CHANNELS.filter((name) => channel.includes(name))
      }
      if (json) writeJson(io.stdout, { ...list.provenance, cells: cellsOf(list, cells) })
      else io.stdout.write(listText(list, cells, dataCenter !== 'all' || channel !== 'all', io))
    })
}

/** The cells that the page has, with their addresses. */
function cellsOf(list: Directory, { dataCenters, channels }: Cells) {
  return dataCenters.flatMap((dataCenter) =>
    channels.flatMap((channel) => {
      const cell = list.cell(dataCenter, channel)
      if (cell === undefined) return []
      const addresses = list.prefixes(dataCenter, channel).map(String)
      if (cell === 'NA') return [{ dataCenter, channel, published: false, addresses }]
      const derivedFrom = 'derivedFrom' in cell ? { derivedFrom: cell.derivedFrom } : {}
      return [{ dataCenter, channel, published: true, ...derivedFrom, addresses }]
    })
  )
}

function listText(list: Directory, cells: Cells, isFiltered: boolean, io: Io): string {
  const style = styleFor(io)
  const [head, ...body] = table([
    ['', ...cells.dataCenters],
    ...cells.channels.map((channel) => [
      channel,
      ...cells.dataCenters.map((dataCenter) => cellText(list, dataCenter, channel))
    ])
  ]).split('\n')
  const sections = [
    [
      style('bold', head!),
      ...body.map((line) => line.replaceAll(/\bNA\b|(?<= )-(?= |$)/g, (text) => style('dim', text)))
    ]
  ]
  if (isFiltered) {
    const rows = cellsOf(list, cells).flatMap(({ dataCenter, channel, addresses }) =>
      addresses.map((prefix) => [dataCenter, channel, addressText(prefix)])
    )
    if (rows.length > 0) sections.push([table(rows)])
  }
  sections.push([LEGEND, provenanceText(list.provenance)])
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

const LEGEND = `Numbers of addresses; with + those of other channels; NA: no static address
published, which does not mean no traffic; -: no such row.`

function cellText(list: Directory, dataCenter: DataCenter, channel: Channel): string {
  const cell = list.cell(dataCenter, channel)
  if (cell === undefined) return '-'
  if (cell === 'NA') return 'NA'
  return `${list.prefixes(dataCenter, channel).length}${'derivedFrom' in cell ? '+' : ''}`
}
