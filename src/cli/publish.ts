import { Command } from 'commander'
import type { Directory } from '../directory/directory.js'
import type { Snapshot } from '../directory/snapshot.js'
import { FleetError } from '../errors.js'
import { suspicionWarnings } from '../guard/suspicions.js'
import {
  addChangeOptions,
  type ChangeFlags,
  type ConfirmFlags,
  changeBy,
  confirmOption,
  finish,
  withFleet
} from './fleet-options.js'
import { nameOf, readListAndSnapshot } from './input.js'
import type { Io } from './io.js'
import { printable } from './text.js'

const PUBLISH_EXAMPLES = `
Examples:
  $ moengage-allowlist publish moengage.json --name webhooks --wait
  $ moengage-allowlist publish moengage.json --sign key.pem --expect 1795642810112`

/** `publish`: a list for all replicas of a fleet. */
export function publishCommand(io: Io): Command {
  const command = new Command('publish')
    .description('publish a list to all replicas of a fleet')
    .argument('<list>', '"bundled", a snapshot or help page (file or https URL), or "-" for standard input')
  return addChangeOptions(command.addOption(confirmOption()))
    .addHelpText('after', PUBLISH_EXAMPLES)
    .action(async (argument: string, flags: ChangeFlags & ConfirmFlags) => {
      const read = await readListAndSnapshot(argument, io)
      const snapshot = read.snapshot as Snapshot
      refuseSuspicious(read.list, argument, flags)
      const change = await changeBy(flags, io)
      await withFleet(flags, io, async (control) => {
        const version = await control.publish(snapshot, change)
        await finish(control, { version, text: `published: ${listName(snapshot)}` }, change, flags, io)
      })
    })
}

/** A list that every replica refuses keeps each later change out as well, also the override that would stop somebody. */
function refuseSuspicious(list: Directory, argument: string, { confirm = [] }: ConfirmFlags): void {
  const words = suspicionWarnings(list, argument).map(({ value }) => `${value}`)
  const open = words.filter((word) => !confirm.includes(word))
  if (open.length === 0) return
  throw new FleetError({
    value: open.join(', '),
    message: `Every replica refuses ${nameOf(argument)}, and each later change with it, unless its own option confirm names ${open.map((word) => `'${word}'`).join(' and ')}.`,
    fix: `Look at the list. If it is right, name them in the options of each replica, and publish it with --confirm ${open.join(',')}.`
  })
}

/** A list, which anybody may have written into the log of the store, as a line shows it. */
const listName = ({ provenance: { revision, retrieved } }: Snapshot) =>
  `revision ${printable(revision).slice(0, 12)} of ${retrieved}`

/** `rollback`: the list before the last one. */
export function rollbackCommand(io: Io): Command {
  const command = new Command('rollback').description('publish the list before the last one again, as a new version')
  return addChangeOptions(command).action(async (flags: ChangeFlags) => {
    const change = await changeBy(flags, io)
    await withFleet(flags, io, async (control) => {
      const { version, list, published } = await control.rollback(change)
      const text = `rolled back to ${listName(list)}, which was version ${published}`
      await finish(control, { version, text, revision: list.provenance.revision }, change, flags, io)
    })
  })
}
