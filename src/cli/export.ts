import { Command } from 'commander'
import type { Channel, DataCenter } from '../directory/names.js'
import { ExportError, problemLine } from '../errors.js'
import { exportDirectory } from '../export/export-directory.js'
import { EXPORT_FORMATS, type ExportFormat, FORMATS } from '../export/formats.js'
import { readList } from './input.js'
import { type Io, notify } from './io.js'
import { channelOption, dataCenterOption, fromOption, type Names } from './options.js'
import { findOutput, replaceOutput } from './output.js'

const NOTES = `
Formats:
${EXPORT_FORMATS.map((format) => `  ${format.padEnd(33)} ${FORMATS[format].about}`).join('\n')}

The names that --name and the ports that --port may give, and how each format is put to use, stand in docs/export.md.

Exit codes: 0 written, 2 an error; then nothing is written.

Examples:
  $ moengage-allowlist export nginx --data-center DC-03 --output /etc/nginx/moengage.conf
  $ moengage-allowlist export sshd-match-address -d DC-01 -c catalog --name moengage-sftp
  $ moengage-allowlist export nftables -d DC-01,DC-03 -c data-import --port 5432
  $ moengage-allowlist export snowflake-network-policy -d DC-02 -c warehouse-export
  $ moengage-allowlist export text --data-center all`

interface Options {
  readonly dataCenter: Names<DataCenter>
  readonly channel: Names<Channel>
  readonly from: string
  readonly name?: string
  readonly port?: number | string
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
    .option('--name <name>', 'what to call the thing that is made: a table, a group, a user (default: "moengage")')
    .option('--port <port>', 'the TCP port that is guarded, in formats that guard one (default: 443)', readPort)
    .option('-o, --output <file>', 'write a file instead of standard output')
    .option('--json', 'the same as the format json')
    .addHelpText('after', NOTES)
    .action(async (argument: string | undefined, options: Options, command: Command) => {
      const format = options.json ? (argument ?? 'json') : argument
      if (format === undefined) command.error('error: Name a format; see moengage-allowlist export --help')
      if (options.json && format !== 'json')
        command.error(`error: --json is the format json, not ${format}. Leave one out.`)
      const list = await readList(options.from, io)
      const selection = { dataCenters: options.dataCenter, channels: options.channel }
      const { name, port, output } = options
      const text = exportDirectory(list, { ...selection, format: format as ExportFormat, name, port: port as number })
      for (const warning of list.read(selection).warnings) notify(io, 'warning', problemLine(warning))
      if (output === undefined) io.stdout.write(text)
      else await writeOutput(output, text, io)
    })
}

async function writeOutput(file: string, text: string, io: Io): Promise<void> {
  try {
    await replaceOutput(await findOutput(file), text, io)
  } catch (error) {
    throw new ExportError({
      value: file,
      message: `${file} could not be written: ${(error as Error).message}.`,
      fix: 'Check the folder.'
    })
  }
}

/** What is no number is left for the export to refuse. */
const readPort = (text: string) => (/^\d+$/.test(text) ? Number(text) : text)
