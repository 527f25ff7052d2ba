import { Command, InvalidArgumentError, Option } from 'commander'
import { OptionsError } from '../errors.js'
import { partsIn } from '../lib/list-in-text.js'
import { isDay, parseTime, timeOfTomorrow } from '../lib/time.js'
import {
  addChangeOptions,
  type ChangeFlags,
  type ConfirmFlags,
  changeBy,
  confirmOption,
  finish,
  readTime,
  withFleet
} from './fleet-options.js'
import { readWords } from './input.js'
import { type Io, notify } from './io.js'
import { overridesTable } from './overrides-table.js'

const EXAMPLES = `
remove ends whole overrides, at once and for good. It takes the id of one, as
fleet status shows it, or all that an override holds: its address, a,b, or mode.
It refuses what names only a part of an override, or is in several; then name
the id.

--for and --until end an override; --expires ends only what a signature is good
for: replicas that use the override go on with it.

Examples:
  $ moengage-allowlist override allow 203.0.114.9 --for 24h --note "ticket 4711"
  $ moengage-allowlist override deny 198.51.101.0/24
  $ moengage-allowlist override mode tag --for 2h --wait
  $ moengage-allowlist override remove 203.0.114.9`

/** The actions, each with the options that it has no use for. */
const ACTIONS: Readonly<Record<string, readonly (keyof Flags)[]>> = {
  allow: [],
  deny: [],
  mode: ['confirm'],
  remove: ['for', 'until', 'note', 'confirm']
}
const NAMES = Object.keys(ACTIONS).join(', ')

interface Flags extends ChangeFlags, ConfirmFlags {
  readonly for?: string
  readonly until?: string
  readonly note?: string
}

/** `override`: what all replicas accept or reject besides the list. */
export function overrideCommand(io: Io): Command {
  const command: Command = new Command('override')
    .usage('[options] <action> <value>')
    .description('accept or reject an address on all replicas of a fleet, or change their mode')
    .argument('<action>', NAMES)
    .argument('[value]', 'an address or prefix (or a,b); for mode: tag or reject; for remove: see below', readWords)
    .addOption(new Option('--for <time>', 'how long it holds, like 24h (until it is removed)').argParser(readFor))
    .addOption(new Option('--until <time>', 'when it ends, YYYY-MM-DDTHH:MMZ').argParser(readEnd))
    .option('--note <text>', 'why')
    .addOption(confirmOption())
  return addChangeOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (action: string, value: string | undefined, flags: Flags) => {
      if (!Object.hasOwn(ACTIONS, action)) {
        command.error(`error: ${action} is not one of ${NAMES}. To see the overrides: moengage-allowlist fleet status`)
      }
      if (value === undefined) command.error(`error: missing required argument 'value'`)
      const unused = ACTIONS[action]!.find((name) => flags[name] !== undefined)
      if (unused !== undefined) {
        const about = action === 'remove' ? ' It ends overrides at once and for good.' : ''
        command.error(`error: ${action} has no use for --${unused}.${about} Leave --${unused} out.`)
      }
      const change = await changeBy(flags, io, action === 'remove' ? undefined : endBy)
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
        const end = override.until === null ? ', no end' : ` until ${override.until}`
        if (flags.expires !== undefined && override.until === null) {
          notify(io, 'warning', `The override has no end: --expires is about the signature. ${endBy(flags.expires)}`)
        }
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

/** How an override ends when a document would expire. */
const endBy = (expires: string) =>
  `For an end of the override, write ${isDay(expires) ? `--until ${expires}T00:00Z` : `--for ${expires}`}.`

/** The text itself: an error of the option repeats it. */
function readFor(text: string): string {
  readTime(text)
  return text
}

function readEnd(text: string): string {
  if (parseTime(text) !== undefined) return text
  throw new InvalidArgumentError(`Write a time with its zone, like ${timeOfTomorrow(Date.now())}.`)
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
