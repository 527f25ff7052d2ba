import { Command, InvalidArgumentError, Option } from 'commander'
import { OptionsError } from '../errors.js'
import { partsIn } from '../lib/list-in-text.js'
import { parseTime, timeOfTomorrow } from '../lib/time.js'
import { addChangeOptions, type ChangeFlags, changeBy, finish, readTime, withFleet } from './fleet-options.js'
import type { Io } from './io.js'
import { overridesTable } from './overrides-table.js'

const EXAMPLES = `
remove ends whole overrides. It takes the id of one, as fleet status shows it,
or all that an override holds: its address, a,b, or mode. It refuses what names
only a part of an override, or is in several; then name the id.

Examples:
  $ moengage-allowlist override allow 203.0.114.9 --for 24h --note "ticket 4711"
  $ moengage-allowlist override deny 198.51.101.0/24
  $ moengage-allowlist override mode tag --for 2h --wait
  $ moengage-allowlist override remove 203.0.114.9`

const ACTIONS = ['allow', 'deny', 'mode', 'remove']

interface Flags extends ChangeFlags {
  readonly for?: number
  readonly until?: string
  readonly note?: string
  readonly confirm?: readonly string[]
}

/** `override`: what all replicas accept or reject besides the list. */
export function overrideCommand(io: Io): Command {
  const command: Command = new Command('override')
    .usage('[options] <action> <value>')
    .description('accept or reject an address on all replicas of a fleet, or change their mode')
    .argument('<action>', ACTIONS.join(', '))
    .argument('[value]', 'an address or prefix (or a,b); for mode: tag or reject; for remove: see below')
    .addOption(new Option('--for <time>', 'how long it holds, like 24h (until it is removed)').argParser(readTime))
    .addOption(new Option('--until <time>', 'when it ends, YYYY-MM-DDTHH:MMZ').argParser(readEnd))
    .option('--note <text>', 'why')
    .addOption(
      new Option(
        '--confirm <suspicion...>',
        'wide or private; each replica needs it in its own options as well'
      ).argParser(readConfirmed)
    )
  return addChangeOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (action: string, value: string | undefined, flags: Flags) => {
      if (!ACTIONS.includes(action)) {
        command.error(
          `error: ${action} is not one of ${ACTIONS.join(', ')}. To see the overrides: moengage-allowlist fleet status`
        )
      }
      if (value === undefined) command.error(`error: missing required argument 'value'`)
      const change = await changeBy(flags, io)
      await withFleet(flags, io, async (control) => {
        if (action === 'remove') {
          const { removed, version } = await control.removeOverride(value, change)
          const text = `removed:\n${overridesTable(removed)}`
          await finish(control, { version, text, removed }, change, flags, io)
          return
        }
        const { for: lasts, until, note, confirm } = flags
        const subject = action === 'mode' ? { mode: value } : { [action]: partsIn(value) }
        const { override, version } = await control
          .override({ ...subject, for: lasts, until, note, confirm }, change)
          .catch((error) => {
            throw asTyped(error)
          })
        const end = override.until === null ? '' : ` until ${override.until}`
        await finish(
          control,
          { version, text: `override ${override.id}: ${action} ${value}${end}`, override },
          change,
          flags,
          io
        )
      })
    })
}

function readEnd(text: string): string {
  if (parseTime(text) !== undefined) return text
  throw new InvalidArgumentError(`Write a time with its zone, like ${timeOfTomorrow(Date.now())}.`)
}

const SUSPICIONS = ['wide', 'private']

/** Commander gives the values one by one; people write them with commas as well. */
function readConfirmed(text: string, before: readonly string[] = []): readonly string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  if (words.every((word) => SUSPICIONS.includes(word))) return [...before, ...words]
  throw new InvalidArgumentError(`Write one or more of: ${SUSPICIONS.join(', ')}.`)
}

/** An error whose fixes are written as on a command line. */
function asTyped(error: unknown): unknown {
  if (!(error instanceof OptionsError)) return error
  return new OptionsError(
    error.mistakes.map((mistake) => ({
      ...mistake,
      fix: mistake.fix
        .replace(/confirm: \['(\w+)'\]/, '--confirm $1')
        .replace(/^Write one entry a string: .*$/, 'Write a comma between them.')
    }))
  )
}
