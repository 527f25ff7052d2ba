import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { importCommand } from './import.js'
import { Exit, type Io } from './io.js'
import { listCommand } from './list.js'

const { version } = createRequire(import.meta.url)('moengage-allowlist/package.json') as { version: string }

/** What stands in the shell for each outcome; the help says so too. */
export const EXIT = { same: 0, different: 1, error: 2 } as const

/**
 * The command line.
 *
 * @param argv what stands behind the name of the program
 * @returns the exit code: 0, 1 where a command found a difference or a rejection, 2 for an error
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const program = new Command('moengage-allowlist')
    .description('Which addresses MoEngage calls from, by data center and channel.')
    .version(version)
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text)
    })
    .showSuggestionAfterError()
    .exitOverride()
  for (const command of [listCommand, importCommand]) {
    program.addCommand(command(io).copyInheritedSettings(program))
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
    return EXIT.same
  } catch (error) {
    if (error instanceof Exit) return error.code
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.same : EXIT.error
    io.stderr.write(`${(error as Error).message}\n`)
    return EXIT.error
  }
}
