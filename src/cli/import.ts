import { Command, InvalidArgumentError, Option } from 'commander'
import { formatSnapshot } from '../directory/format-snapshot.js'
import { dayOf, isDay } from '../directory/snapshot.js'
import { type Imported, importPage, type PageFormat } from '../help-page/import-page.js'
import { problemLine } from '../problem.js'
import { type Io, writeJson } from './io.js'
import { placeOf, readArgument } from './read-text.js'
import { replaceSnapshot } from './replace-snapshot.js'

interface Options {
  readonly output?: string
  readonly revision?: string
  readonly retrieved?: string
  readonly page?: string
  readonly format?: PageFormat
  readonly json?: true
}

const HELP = `
PAGE is a file, "-" for standard input, or an http(s) URL. The snapshot goes to standard output, the report to standard
error; with --output the report goes to standard output. A page of which one cell cannot be read gives no snapshot.

Exit code: 0 if the whole page was read, also with warnings; 2 if not.

Examples:
  $ moengage-allowlist import page.mdx --output moengage.json
  $ moengage-allowlist import https://docs.example/ip-whitelisting.mdx --revision f7b9336c727c > moengage.json
  $ pbpaste | moengage-allowlist import - --page https://help.moengage.com/ --json > moengage.json`

export function importCommand(io: Io): Command {
  return new Command('import')
    .description("turn MoEngage's help page (Markdown, MDX or HTML) into a snapshot")
    .argument('<page>', 'file, URL, or "-" for standard input')
    .option('-o, --output <file>', 'write the snapshot to a file; of those that exist only a snapshot is replaced')
    .option('--revision <id>', 'revision of the page (default: a hash of what it says)', readWord)
    .option('--retrieved <day>', 'day on which the page was loaded (default: today)', readDay)
    .option('--page <url>', 'where the page stands (default: the URL or name of the file)', readWord)
    .addOption(
      new Option('--format <format>', 'how the page is written (default: told by its text)').choices([
        'markdown',
        'html'
      ])
    )
    .option('--json', 'write the report, or the error, as JSON')
    .addHelpText('after', HELP)
    .action((page: string, options: Options) => run(page, options, io))
}

function readWord(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty. Leave it out, or write something.')
  return text
}

function readDay(text: string): string {
  if (!isDay(text)) throw new InvalidArgumentError('It is not a day. Write it like 2026-11-23.')
  return text
}

async function run(place: string, options: Options, io: Io): Promise<void> {
  const report = options.output === undefined ? io.stderr : io.stdout
  const imported = importPage(await readArgument(place, io), {
    page: options.page ?? placeOf(place),
    revision: options.revision,
    retrieved: options.retrieved ?? dayOf(io.now()),
    format: options.format
  })
  const text = formatSnapshot(imported.snapshot)
  if (options.output === undefined) io.stdout.write(text)
  else await replaceSnapshot(options.output, text)
  if (options.json) writeJson(report, reportJson(imported))
  else report.write(reportText(imported))
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
  const { page, revision, retrieved, rows, unknown, addresses, warnings } = reportJson(imported)
  const kept = unknown === 0 ? '' : `, ${unknown} of them unknown`
  return [
    `${page}: ${rows + unknown} rows${kept}, ${addresses} addresses (revision ${revision}, ${retrieved}).`,
    ...warnings.map((warning) => `warning: ${problemLine(warning)}`),
    ''
  ].join('\n')
}
