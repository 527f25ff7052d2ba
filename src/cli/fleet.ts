import { Command, Option } from 'commander'
import type { FleetControl } from '../fleet/control.js'
import type { FleetStatus } from '../guard/fleet.js'
import { messageLineOf, withFullStop } from '../lib/text.js'
import { totalOf } from '../verdict/verdict.js'
import { addFleetOptions, type FleetOptions, readTime, withFleet } from './fleet-options.js'
import { type Io, notify, writeJson } from './io.js'
import { overridesTable } from './overrides-table.js'
import { printable, table } from './text.js'

/** `fleet`: what the replicas of a fleet report. */
export function fleetCommand(io: Io): Command {
  return new Command('fleet')
    .description('what the replicas of a fleet report')
    .addCommand(
      reader('status', 'the replicas, their versions and counts, and the overrides', io, async (control) => {
        const status = await control.status()
        return { value: status, text: statusText(status) }
      })
    )
    .addCommand(
      reader('senders', 'the senders that were rejected most, by all replicas together', io, async (control) => {
        const { senders } = await control.status()
        return { value: senders, text: sendersText(senders) }
      })
    )
    .addCommand(
      reader('log', 'the last fifty changes', io, async (control) => {
        const changes = (await control.log()).map(({ list, ...change }) => change)
        const rows = changes.map(({ version, at, by, what }) => [
          `${version}`,
          printable(at),
          printable(by),
          printable(what)
        ])
        return { value: changes, text: rows.length === 0 ? 'no change' : table(rows) }
      })
    )
    .addCommand(watchCommand(io))
}

function reader(
  name: string,
  about: string,
  io: Io,
  read: (control: FleetControl) => Promise<{ value: unknown; text: string }>
): Command {
  return addFleetOptions(new Command(name).description(about)).action((options: FleetOptions) =>
    withFleet(options, io, async (control) => {
      const { value, text } = await read(control)
      if (options.json) writeJson(io.stdout, value)
      else io.stdout.write(`${text}\n`)
    })
  )
}

/** How often `watch` looks. */
const LOOK = 500

function watchCommand(io: Io): Command {
  return addFleetOptions(new Command('watch').description('a line for each change, until it is interrupted'))
    .addOption(
      new Option('--for <time>', 'how long')
        .argParser(readTime)
        .default(Number.POSITIVE_INFINITY, 'until it is interrupted')
    )
    .action((options: FleetOptions & { readonly for: number }) =>
      withFleet(options, io, async (control) => {
        const end = Date.now() + options.for
        let last = ''
        const show = ({ version, live, current, replicas, overrides }: FleetStatus) => {
          const gone = replicas.filter(({ state }) => state === 'gone').length
          const state = { version, live, current, gone, overrides: overrides.length }
          const line = options.json
            ? JSON.stringify(state)
            : `version ${version ?? 'none'}: ${current} of ${live} live replicas, ${gone} gone, ${overrides.length} overrides`
          if (line !== last) io.stdout.write(`${line}\n`)
          last = line
        }
        show(await control.status())
        while (Date.now() < end) {
          await new Promise((resolve) => setTimeout(resolve, LOOK))
          try {
            show(await control.status())
          } catch (error) {
            const failure = `The store could not be read, and is asked again: ${withFullStop(messageLineOf(error))}`
            if (failure !== last) notify(io, 'warning', failure)
            last = failure
          }
        }
      })
    )
}

function statusText({ name, version, live, current, replicas, verified, rejected, overrides }: FleetStatus): string {
  const reasons = Object.entries(rejected).map(([reason, count]) => `${reason} ${count}`)
  const lines = [
    `${name}: version ${version ?? 'none'}, used by ${current} of ${live} live replicas`,
    `verified ${verified}, rejected ${totalOf(rejected)}${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}`
  ]
  if (replicas.length > 0) {
    lines.push(
      '',
      table([
        ['replica', 'state', 'version', 'revision', 'verified', 'rejected', 'last error'],
        ...replicas.map((replica) => [
          `${printable(replica.host)} ${replica.pid}`,
          replica.state,
          `${replica.version ?? 'none'}`,
          printable(replica.revision),
          `${replica.verified}`,
          `${replica.rejected}`,
          printable(replica.lastError ?? '')
        ])
      ])
    )
  }
  if (overrides.length > 0) lines.push('', overridesTable(overrides))
  return lines.join('\n')
}

function sendersText(senders: FleetStatus['senders']): string {
  if (senders.length === 0) return 'no sender was rejected'
  return table([
    ['sender', 'count', 'reasons', 'listed for', 'last seen'],
    ...senders.map(({ clientIp, count, reasons, listedFor, lastSeen }) => [
      printable(clientIp),
      `${count}`,
      Object.entries(reasons)
        .map(([reason, times]) => `${reason} ${times}`)
        .join(', '),
      printable(listedFor.map(({ dataCenter, channels }) => `${dataCenter} (${channels.join(', ')})`).join(', ')),
      new Date(lastSeen).toISOString()
    ])
  ])
}
