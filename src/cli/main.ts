import { createRequire } from 'node:module'
import type { Writable } from 'node:stream'
import { Command, CommanderError } from 'commander'
import type { OptionsError, PageError } from '../errors.js'
import { diffCommand } from './diff.js'
import { explainCommand } from './explain.js'
import { exportCommand } from './export.js'
import { importCommand } from './import.js'
import { Exit, type Io, tell, writeJson } from './io.js'
import { listCommand } from './list.js'
import { reportCommand } from './report.js'

const { version } = createRequire(import.meta.url)('moengage-allowlist/package.json') as { version: string }

const COMMANDS = [listCommand, explainCommand, importCommand, diffCommand, exportCommand, reportCommand]

const EXIT_CODES = `
Exit codes: 0 all is well (same, verified), 1 it is not (different, rejected),
2 an error. It is told on standard error, with --json as an object.
Help and examples of a command: moengage-allowlist explain --help`

/**
 * The command line.
 *
 * @param argv what stands behind the name of the program
 * @returns the exit code: 0; 1 where a command found a difference or a rejection; 2 for an error, which is told on stderr, with
 * `--json` as JSON
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  // Whoever reads us may leave early, as `head` does; that is no error of ours.
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
        isJson(argv) ? void fail(new Error(text.trim().replace(/^error: /, '')), io, argv) : write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80
    })
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
  for (const command of COMMANDS) program.addCommand(command(io).copyInheritedSettings(program))
  try {
    await program.parseAsync(argv, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof Exit) return error.code
    // Has been told by commander.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return fail(error as Failure, io, argv)
  }
}

/** What an error may tell beside its message. */
interface Failure extends Error {
  readonly code?: string | undefined
  readonly path?: string | undefined
  readonly fix?: string | undefined
  readonly cells?: PageError['cells'] | undefined
  readonly mistakes?: OptionsError['mistakes'] | undefined
}

/** Tells an error on stderr: in words, or with `--json` as an object, without the value, which may be a whole page. */
function fail({ code, path, message, fix, cells, mistakes }: Failure, io: Io, argv: readonly string[]): number {
  if (isJson(argv)) writeJson(io.stderr, { code, path, message, fix, cells, mistakes })
  else tell(io, 'error', message)
  return 2
}

const isJson = (argv: readonly string[]) => argv.includes('--json')

/** Gives a function that waits until all is written, and tells what failed, if something did. */
function watch(stream: Writable): () => Promise<NodeJS.ErrnoException | undefined> {
  let failure: NodeJS.ErrnoException | undefined
  stream.on('error', (error) => {
    failure ??= error
  })
  // The error is emitted right after the callbacks of what could not be written.
  return () => new Promise((resolve) => stream.write('', () => setImmediate(() => resolve(failure))))
}
