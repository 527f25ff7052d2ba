import { Argument, Command, Option } from 'commander'
import { DATA_CENTERS, type DataCenter } from '../directory/names.js'
import { readToolOutput, TOOL_NAMES, TOOLS, type ToolName } from '../egress/from-tool.js'
import { outboundHosts, squidRules } from '../egress/hosts.js'
import { explainRefusal } from '../egress/refusal.js'
import { egressCheckCommand } from './egress-check.js'
import { egressExportCommand } from './egress-export.js'
import { egressVerifyCommand } from './egress-verify.js'
import { dataCenterOption, jsonOption, type Names, readArgument } from './input.js'
import { Exit, type Io, notify, writeJson } from './io.js'
import { printable, table } from './text.js'

const HELP = `
MoEngage lets your addresses in at four places: the API Firewall, the Data API
whitelisting, the Dashboard Firewall and Open Analytics. docs/egress.md has them
side by side.

Examples:
  $ moengage-allowlist egress check egress.txt --for data-api
  $ moengage-allowlist egress verify egress.txt --url https://echo.example.com`

/** `egress`: your own addresses, which MoEngage must let in. */
export function egressCommand(io: Io): Command {
  return new Command('egress')
    .description('your own addresses, which MoEngage must let in')
    .addCommand(egressCheckCommand(io))
    .addCommand(egressExportCommand(io))
    .addCommand(fromCommand(io))
    .addCommand(egressVerifyCommand(io))
    .addCommand(explainCommand(io))
    .addCommand(hostsCommand(io))
    .addHelpText('after', HELP)
}

const FROM_HELP = `
Reads what these print on standard input:
${TOOL_NAMES.map((name) => `  ${name.padEnd(17)} ${TOOLS[name].command}`).join('\n')}

Nothing is asked of a cloud. What is left out is named on standard error.

Examples:
  $ aws ec2 describe-nat-gateways | moengage-allowlist egress from aws-nat
  $ terraform output -json | moengage-allowlist egress from terraform-output`

function fromCommand(io: Io): Command {
  return new Command('from')
    .description("make a list from the JSON that a cloud's tool prints")
    .addArgument(new Argument('<tool>', 'one of the tools below').choices(TOOL_NAMES))
    .argument('[file]', 'a file instead of standard input', '-')
    .addOption(jsonOption())
    .addHelpText('after', FROM_HELP)
    .action(async (tool: ToolName, file: string, { json }: { json?: true }) => {
      const { entries, leftOut } = readToolOutput(tool, await readArgument(file, io))
      for (const sentence of leftOut) notify(io, 'warning', `Left out: ${sentence}`)
      if (json) writeJson(io.stdout, entries)
      else io.stdout.write(`${table(entries.map(({ value, name }) => [value, `# ${name}`]))}\n`)
    })
}

const EXPLAIN_HELP = `
Reads the body with which MoEngage answered a call, not its headers.

Exit codes: 0 a document names the mechanism, 1 none does, 2 an error.

Examples:
  $ moengage-allowlist egress explain-403 body.json
  $ curl -s "$URL" | moengage-allowlist egress explain-403`

function explainCommand(io: Io): Command {
  return new Command('explain-403')
    .description('say which mechanism refused a call, and what that does not prove')
    .argument('[file]', 'the body: a file, or "-" for standard input', '-')
    .addOption(jsonOption())
    .addHelpText('after', EXPLAIN_HELP)
    .action(async (file: string, { json }: { json?: true }) => {
      const explanation = explainRefusal(await readArgument(file, io))
      const { mechanism, summary, shows, doesNotShow } = explanation
      if (json) writeJson(io.stdout, explanation)
      else {
        io.stdout.write(`${summary}\n\nIt shows:\n${listed(shows)}\nIt does not show:\n${listed(doesNotShow)}`)
      }
      if (mechanism === null) throw new Exit(1)
    })
}

const listed = (sentences: readonly string[]) => sentences.map((sentence) => `  - ${printable(sentence)}\n`).join('')

const HOSTS_HELP = `
MoEngage asks to allow these names in your own firewall, not their addresses,
which change. Whether a data center has every one of them is not stated.

Examples:
  $ moengage-allowlist egress hosts -d DC-01
  $ moengage-allowlist egress hosts -d DC-01 --format squid > moengage.conf`

function hostsCommand(io: Io): Command {
  return new Command('hosts')
    .description('the hosts of MoEngage that your own firewall must let out')
    .addOption(dataCenterOption().makeOptionMandatory())
    .addOption(new Option('--format <format>', 'how they are written').choices(['text', 'squid']).default('text'))
    .addOption(jsonOption().conflicts('format'))
    .addHelpText('after', HOSTS_HELP)
    .action(({ dataCenter, format, json }: { dataCenter: Names<DataCenter>; format: string; json?: true }) => {
      const dataCenters = dataCenter === 'all' ? DATA_CENTERS : dataCenter
      if (json) writeJson(io.stdout, Object.fromEntries(dataCenters.map((name) => [name, outboundHosts(name)])))
      else if (format === 'squid') io.stdout.write(squidRules(dataCenters))
      else io.stdout.write(`${dataCenters.flatMap(outboundHosts).join('\n')}\n`)
    })
}
