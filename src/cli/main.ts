import { createRequire } from 'node:module'
import type { Writable } from 'node:stream'
import { Command, CommanderError } from 'commander'
import type { OptionsError, PageError } from '../errors.js'
import { withoutSecrets } from '../lib/text.js'
import { diffCommand } from './diff.js'
import { egressCommand } from './egress.js'
import { explainCommand } from './explain.js'
import { exportCommand } from './export.js'
import { fleetCommand } from './fleet.js'
import { historyCommand } from './history.js'
import { importCommand } from './import.js'
import { Exit, type Io, notify, writeJson } from './io.js'
import { keygenCommand } from './keygen.js'
import { listCommand } from './list.js'
import { overrideCommand } from './override.js'
import { publishCommand, rollbackCommand } from './publish.js'
import { refuseSecondValues } from './repeatable.js'
import { reportCommand } from './report.js'
import { signCommand } from './sign.js'

const { version } = createRequire(import.meta.url)('moengage-allowlist/package.json') as { version: string }

const COMMANDS = [
  listCommand,
  explainCommand,
  importCommand,
  diffCommand,
  historyCommand,
  keygenCommand,
  signCommand,
  exportCommand,
  reportCommand,
  egressCommand,
  publishCommand,
  rollbackCommand,
  overrideCommand,
  fleetCommand
]

const EXIT_CODES = `
Exit codes: 0 same or accepted, 1 different or rejected, 2 an error. Errors go
to standard error; with --json they are an object.
Help and examples of a command: moengage-allowlist explain --help`

/**
 * The command line.
 *
 * @param argv the arguments behind the name of the program
 * @returns the exit code: 0: same or accepted. 1: different or rejected. 2: error, printed on stderr, with `--json` as JSON
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  // The reader may close the pipe early (`… | head`); that is not an error.
  io.stderr.on('error', () => {})
  const written = watch(io.stdout)
  const code = await run(argv, io)
  const failure = await written()
  if (failure === undefined || failure.code === 'EPIPE') return code
  return fail(failure, io, argv)
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const program = new Command('moengage-allowlist')
    .description('Which addresses MoEngage calls from, by data center and channel.')
    .version(version)
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) =>
        isJson(argv) ? void fail(new Error(text.trim().replace(/^error: /, '')), io, argv) : write(shownError(text)),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80
    })
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
  for (const command of COMMANDS) program.addCommand(inherit(command(io), program))
  refuseSecondValues(program)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof Exit) return error.code
    // Commander has printed it.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return fail(error as Failure, io, argv)
  }
}

/** Hands the settings of the program to a command and those below it, which were made before. */
function inherit(command: Command, program: Command): Command {
  for (const inner of command.commands) inherit(inner, program)
  return command.copyInheritedSettings(program)
}

/** The fields of an error that are printed. */
interface Failure extends Error {
  readonly code?: string | undefined
  readonly path?: string | undefined
  readonly fix?: string | undefined
  readonly cells?: PageError['cells'] | undefined
  readonly mistakes?: OptionsError['mistakes'] | undefined
}

/** Prints an error on stderr: in words, or with `--json` as an object, without the value, which may be a whole page. */
function fail({ code, path, message, fix, cells, mistakes }: Failure, io: Io, argv: readonly string[]): number {
  const shown = shownError(message)
  if (isJson(argv)) writeJson(io.stderr, { code, path, message: shown, fix, cells, mistakes })
  else notify(io, 'error', shown)
  return 2
}

/** An error without what may be secret in an argument, which it repeats: commander's errors also repeat `--option=value`. */
const shownError = (text: string) => withoutSecrets(text.replaceAll(/(--[\w-]+=)[^'\s]+/g, '$1…'))

const isJson = (argv: readonly string[]) => argv.includes('--json')

/** Returns a function that waits until everything is written, and returns the error if there was one. */
function watch(stream: Writable): () => Promise<NodeJS.ErrnoException | undefined> {
  let failure: NodeJS.ErrnoException | undefined
  stream.on('error', (error) => {
    failure ??= error
  })
  // The stream emits the error right after the callbacks of the writes that failed.
  return () => new Promise((resolve) => stream.write('', () => setImmediate(() => resolve(failure))))
}
