import { Command } from 'commander'
import type { Directory } from '../directory/directory.js'
import type { Channel, DataCenter } from '../directory/names.js'
import { NoAddressesError, problemLine } from '../errors.js'
import {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportOptions,
  exportDirectory,
  FORMATS
} from '../export/export-directory.js'
import {
  channelOption,
  dataCenterOption,
  fromOption,
  type Names,
  outputFile,
  readOutput,
  readTrustedList,
  withoutAddresses,
  wordsIn
} from './input.js'
import { type Io, notify } from './io.js'
import { writeOutput } from './output.js'
import { RepeatableOption } from './repeatable.js'

const COLUMNS = 80

const NOTES = `
Formats:
${EXPORT_FORMATS.map((format) => `  ${format}\n${wrapped(FORMATS[format].about, 6)}`).join('\n')}

Most files shut everyone else out where they are used; the first comment of each
says so. Let your own clients in with --allow. docs/export.md says how each
format is used, and which names and ports it accepts.

Exit codes: 0 written, 2 an error; then nothing is written.

Examples:
  $ moengage-allowlist export nginx -d DC-03 --output moengage.conf
  $ moengage-allowlist export nftables -d DC-01 --port 5432 --allow 10.0.0.0/8
  $ moengage-allowlist export sshd-match-address -d DC-01 -c catalog --name sftp
  $ moengage-allowlist export snowflake-network-policy -d DC-02 -c data-import
  $ moengage-allowlist export text --data-center all`

/** A text in lines that break between words. */
function wrapped(text: string, indent: number): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = `${lines.at(-1)} ${word}`.trimStart()
    if (indent + line.length <= COLUMNS) lines[lines.length - 1] = line
    else lines.push(word)
  }
  return lines.map((line) => ' '.repeat(indent) + line).join('\n')
}

interface Options {
  readonly dataCenter: Names<DataCenter>
  readonly channel: Names<Channel>
  readonly from: string
  readonly name?: string
  readonly port?: number | string
  readonly allow?: readonly string[]
  readonly output?: string
  readonly json?: true
}

/** `export`: firewall rules and plain lists. */
export function exportCommand(io: Io): Command {
  return new Command('export')
    .description('write the addresses as firewall rules, or as a plain list')
    .argument('[format]', 'one of the formats below (json with --json)')
    .addOption(dataCenterOption().makeOptionMandatory())
    .addOption(channelOption().default('all'))
    .addOption(fromOption())
    .option('--name <name>', 'name of what is made: a table, a group, a user (default: "moengage")')
    .option('--port <port>', 'TCP port that is guarded, in formats that guard one (default: 443)', readPort)
    .addOption(
      new RepeatableOption(
        '--allow <prefix>',
        'your own address or prefix to let in as well (repeat it, or a,b)'
      ).argParser(readPrefixes)
    )
    .option('-o, --output <file>', 'write a file instead of standard output', readOutput)
    .option('--json', 'the same as the format json')
    .addHelpText('after', NOTES)
    .action(async (argument: string | undefined, options: Options, command: Command) => {
      const format = options.json ? (argument ?? 'json') : argument
      if (format === undefined) command.error('error: Name a format; see moengage-allowlist export --help')
      if (options.json && format !== 'json')
        command.error(`error: --json is the format json, not ${format}. Leave one out.`)
      const { list } = await readTrustedList(options.from, io)
      const selection = { dataCenters: options.dataCenter, channels: options.channel }
      const { name, port, allow } = options
      const output = outputFile(options.output)
      const request = { ...selection, format: format as ExportFormat, name, port: port as number, allow }
      const text = written(list, request)
      for (const warning of list.read(selection).warnings) notify(io, 'warning', problemLine(warning))
      if (output === undefined) io.stdout.write(text)
      else await writeOutput(output, text, io)
    })
}

function written(list: Directory, request: ExportOptions): string {
  try {
    return exportDirectory(list, request)
  } catch (error) {
    if (!(error instanceof NoAddressesError)) throw error
    const { cells, problems } = list.read(request)
    const also =
      request.allow === undefined ? ' An address that MoEngage gave you beside its page goes into --allow.' : ''
    throw new NoAddressesError(withoutAddresses(problems[0]!, cells, also))
  }
}

/** The export itself refuses wrong prefixes, all at once. */
const readPrefixes = (text: string, before: readonly string[] = []) => [...before, ...wordsIn(text)]

/** The export itself refuses a text that is not a number. */
const readPort = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text)
