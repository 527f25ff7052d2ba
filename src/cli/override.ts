import { Command, Option } from 'commander'
import { addChangeOptions, type ChangeFlags, changeBy, finish, readTime, withFleet } from './fleet-options.js'
import type { Io } from './io.js'

const EXAMPLES = `
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
  const command = new Command('override')
    .description('accept or reject an address on all replicas of a fleet, or change their mode')
    .argument('<action>', ACTIONS.join(', '))
    .argument('<value>', 'an address or prefix; for mode: tag or reject; for remove: also an id, or mode')
    .addOption(new Option('--for <time>', 'how long it holds, like 24h (until it is removed)').argParser(readTime))
    .option('--until <time>', 'when it ends (YYYY-MM-DDTHH:MMZ)')
    .option('--note <text>', 'why')
    .option('--confirm <suspicion...>', 'wide or private; each replica needs it in its own options as well')
  return addChangeOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (action: string, value: string, flags: Flags) => {
      if (!ACTIONS.includes(action)) command.error(`error: ${action} is not one of ${ACTIONS.join(', ')}.`)
      const change = await changeBy(flags, io)
      await withFleet(flags, io, async (control) => {
        if (action === 'remove') {
          const version = await control.removeOverride(value, change)
          await finish(control, { version, text: `removed: ${value}` }, flags, io)
          return
        }
        const { for: lasts, until, note, confirm } = flags
        const subject = action === 'mode' ? { mode: value } : { [action]: [value] }
        const { override, version } = await control.override({ ...subject, for: lasts, until, note, confirm }, change)
        const end = override.until === null ? '' : ` until ${override.until}`
        await finish(
          control,
          { version, text: `override ${override.id}: ${action} ${value}${end}`, override },
          flags,
          io
        )
      })
    })
}
