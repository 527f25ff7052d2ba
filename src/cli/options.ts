import { InvalidArgumentError, Option } from 'commander'
import { type Channel, type DataCenter, type Outcome, readChannel, readDataCenter } from '../directory/names.js'

/** The list that a command reads; see `readList`. */
export const fromOption = () =>
  new Option(
    '--from <list>',
    '"bundled", a snapshot or help page (file or https URL), or "-" for standard input'
  ).default('bundled')

/** The selected data centers: `'all'`, or their ids. */
export const dataCenterOption = () =>
  namesOption<DataCenter>(
    '-d, --data-center <name>',
    'a data center, like DC-01 (repeat it, or a,b), or all',
    readDataCenter
  )

/** The selected channels: `'all'`, or their ids. */
export const channelOption = () =>
  namesOption<Channel>('-c, --channel <name>', 'a channel, like segment-sync (repeat it, or a,b), or all', readChannel)

export const jsonOption = () => new Option('--json', 'write JSON')

/** The names given with an option, or all. */
export type Names<T> = 'all' | readonly T[]

function namesOption<T>(flags: string, description: string, read: (text: string) => Outcome<T>): Option {
  return new Option(flags, description).argParser((text: string, before: Names<T> = 'all'): Names<T> => {
    if (text === 'all') return 'all'
    const names = text.split(',').map((name) => {
      const outcome = read(name.trim())
      if ('ok' in outcome) return outcome.ok
      throw new InvalidArgumentError(`${outcome.problem.message} ${outcome.problem.fix}`)
    })
    return [...new Set([...(before === 'all' ? [] : before), ...names])]
  })
}
