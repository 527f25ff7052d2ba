import { createReadStream } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { diffDirectories } from '../directory/diff.js'
import { Directory } from '../directory/directory.js'
import { dayOf, formatSnapshot, type Snapshot } from '../directory/snapshot.js'
import { PageError, problemLine } from '../errors.js'
import { futureWarnings, isToCome } from '../guard/status.js'
import { suspicionWarnings } from '../guard/suspicions.js'
import type { Imported, PageFormat } from '../help-page/import-page.js'
import { parseJson } from '../lib/json.js'
import { readText, visible } from '../lib/text.js'
import { isDay } from '../lib/time.js'
import { MAX_BYTES, outputFile, placeOf, readOutput, readUnsigned, withoutQuery } from './input.js'
import { type Io, writeJson } from './io.js'
import { findOutput, type OutputFile, replaceOutput } from './output.js'

interface Options {
  readonly output?: string
  readonly revision?: string
  readonly retrieved?: string
  readonly page?: string
  readonly format?: PageFormat
  readonly json?: true
}

const HELP = `
PAGE is a file, "-" for standard input, or an https URL. The snapshot goes to
standard output, the report to standard error; with --output the report goes to
standard output. If one cell of the page cannot be read, there is no snapshot.

If the file of --output has the same list already, it keeps its revision and
day, and only the day of the check is updated.

Exit code: 0 if the whole page was read, also with warnings; 2 if not.

Examples:
  $ moengage-allowlist import page.mdx --output moengage.json
  $ moengage-allowlist import https://docs.example/page.mdx > moengage.json
  $ pbpaste | moengage-allowlist import - --page https://help.moengage.com/`

export function importCommand(io: Io): Command {
  return new Command('import')
    .description("turn MoEngage's help page (Markdown, MDX or HTML) into a snapshot")
    .argument('<page>', 'file, URL, or "-" for standard input')
    .option('-o, --output <file>', 'write the snapshot to a file; an existing file must be a snapshot', readOutput)
    .option('--revision <id>', 'revision of the page (default: a hash of its cells)', readWord)
    .option('--retrieved <day>', 'day on which the page was loaded (default: today)', dayReader(io))
    .option('--page <url>', 'where the page is (default: its URL without the query, or the name of the file)', readWord)
    .addOption(
      new Option('--format <format>', 'how the page is written (default: detected)').choices(['markdown', 'html'])
    )
    .option('--json', 'write the report, or the error, as JSON')
    .addHelpText('after', HELP)
    .action((page: string, options: Options) => run(page, options, io))
}

function readWord(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty. Leave it out, or write something.')
  return text
}

function dayReader({ now }: Io) {
  return (text: string): string => {
    if (!isDay(text)) throw new InvalidArgumentError(`It is not a day. Write it like ${dayOf(now())}.`)
    if (!isToCome(text, now().getTime())) return text
    throw new InvalidArgumentError(`The day is still to come. Write the day on which the page was loaded.`)
  }
}

async function run(place: string, options: Options, io: Io): Promise<void> {
  const output = outputFile(options.output)
  // Loads the readers of Markdown and HTML for this command only.
  const { importPage } = await import('../help-page/import-page.js')
  const { snapshot: fresh, warnings: onPage } = importPage(await readUnsigned(place, io), {
    page: options.page === undefined ? placeOf(place) : withoutQuery(options.page),
    revision: options.revision,
    retrieved: options.retrieved ?? dayOf(io.now()),
    format: options.format
  })
  const snapshot = output === undefined ? fresh : await replaceSnapshot(output, fresh, io)
  if (output === undefined) io.stdout.write(formatSnapshot(snapshot))
  const list = new Directory(snapshot)
  // Of each address that nobody sends from, the page has a warning of its own.
  const suspicious = suspicionWarnings(list, output ?? placeOf(place)).filter(({ value }) => value !== 'private')
  // The file of --output may be ahead of the clock.
  const warnings = [...onPage, ...futureWarnings(list, io.now().getTime(), output), ...suspicious]
  const report = output === undefined ? io.stderr : io.stdout
  if (options.json) writeJson(report, reportJson({ snapshot, warnings }))
  else report.write(reportText({ snapshot, warnings }))
}

/**
 * Writes a snapshot to a file. An existing file must be a snapshot. If it has the same list, only its day of the check changes.
 *
 * @returns the snapshot as written
 * @throws PageError (`MOE_ERR_PAGE`)
 */
async function replaceSnapshot(file: string, fresh: Snapshot, io: Io): Promise<Snapshot> {
  const refuse = (what: string, fix: string) => new PageError({ value: file, message: `${file} ${what}`, fix })
  let found: OutputFile
  try {
    found = await findOutput(file)
  } catch (error) {
    throw refuse(`could not be read: ${(error as Error).message}.`, 'Name a file.')
  }
  let before: Snapshot | undefined
  try {
    before = found.before && (await readSnapshotFile(found.path))
  } catch {
    throw refuse('is not a snapshot, so it is not replaced.', 'Name another file, or remove this one.')
  }
  const snapshot = before === undefined ? fresh : checkedAgain(before, fresh)
  try {
    await replaceOutput(found, formatSnapshot(snapshot), io)
  } catch (error) {
    throw refuse(`could not be written: ${(error as Error).message}.`, 'Check the folder.')
  }
  return snapshot
}

async function readSnapshotFile(path: string): Promise<Snapshot> {
  const snapshot = parseJson(await readText(createReadStream(path), MAX_BYTES)) as Snapshot
  new Directory(snapshot)
  return snapshot
}

/** The snapshot before with the day of the check, if the page still has the same list; else the new one. */
function checkedAgain(before: Snapshot, fresh: Snapshot): Snapshot {
  const old = new Directory(before)
  if (!diffDirectories(old, new Directory(fresh)).same) return fresh
  const day = fresh.provenance.retrieved
  return day <= old.checked ? before : { ...before, provenance: { ...before.provenance, checked: day } }
}

function reportJson({ snapshot, warnings }: Imported) {
  const cells = [...snapshot.rows, ...(snapshot.unknown ?? [])].map(({ addresses }) => addresses)
  return {
    ...snapshot.provenance,
    rows: snapshot.rows.length,
    unknown: snapshot.unknown?.length ?? 0,
    addresses: new Set(cells.flatMap((cell) => (Array.isArray(cell) ? cell : []))).size,
    warnings
  }
}

function reportText(imported: Imported): string {
  const { page, revision, retrieved, checked, rows, unknown, addresses, warnings } = reportJson(imported)
  const kept = unknown === 0 ? '' : `, ${unknown} of them unknown`
  const last = checked === undefined ? '' : `; the same list as before, checked ${checked}`
  const lines = [
    `${page}: ${rows + unknown} rows${kept}, ${addresses} addresses (revision ${revision}, ${retrieved}${last}).`,
    ...warnings.map((warning) => `warning: ${problemLine(warning)}`)
  ]
  return `${visible(lines.join('\n'))}\n`
}
