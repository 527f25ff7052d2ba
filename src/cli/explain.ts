import { Command } from 'commander'
import {
  type AboutAddress,
  aboutAddress,
  addressOrMistake,
  grantsText,
  neighbourText
} from '../directory/about-address.js'
import type { Directory } from '../directory/directory.js'
import type { Channel, DataCenter } from '../directory/names.js'
import { OptionsError, PrefixError } from '../errors.js'
import { CompiledList } from '../guard/compiled-list.js'
import { Counters } from '../guard/counters.js'
import { type Explanation, explain } from '../guard/explain.js'
import { NO_PROXIES } from '../guard/options.js'
import { Policy } from '../guard/policy.js'
import { Rejections } from '../guard/rejections.js'
import { Address } from '../ip/address.js'
import { purposeText } from '../ip/special.js'
import { atOnce } from '../lib/steps.js'
import {
  channelOption,
  dataCenterOption,
  fromOption,
  jsonOption,
  type Names,
  readTrustedList,
  withoutAddresses
} from './input.js'
import { Exit, type Io, writeJson } from './io.js'
import { printable, provenanceText, type Style, styleFor } from './text.js'

const EXAMPLES = `
Reports whether a guard with these data centers and channels accepts the
address, and if not, why.

Exit codes: 0 it would be accepted, 1 it would be rejected, 2 an error.

Examples:
  $ moengage-allowlist explain 52.6.248.125
  $ moengage-allowlist explain 52.6.248.125 --data-center DC-03
  $ moengage-allowlist explain ::ffff:3.6.251.95 -d DC-03 -c sms,push --json`

interface Options {
  readonly from: string
  readonly dataCenter: Names<DataCenter>
  readonly channel: Names<Channel>
  readonly json?: true
}

/** `explain`: what an address is listed for, and whether a guard would accept it. */
export function explainCommand(io: Io): Command {
  return new Command('explain')
    .description('say what an address is listed for, and why a guard would reject it')
    .argument('<ip>', 'an IPv4 or IPv6 address')
    .addOption(dataCenterOption().default('all'))
    .addOption(channelOption().default('all'))
    .addOption(fromOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (ip: string, { from, dataCenter, channel, json }: Options) => {
      const { list } = await readTrustedList(from, io)
      const address = readIp(ip, list)
      const finding = find(address, list, { dataCenters: dataCenter, channels: channel })
      if (json) writeJson(io.stdout, asJson(finding, list))
      else io.stdout.write(findingText(finding, list, styleFor(io)))
      if (!finding.explanation.verdict.verified) throw new Exit(1)
    })
}

function readIp(text: string, list: Directory): Address {
  const address = addressOrMistake(text, list)
  if (address instanceof Address) return address
  throw new PrefixError({ value: text, ...address })
}

/** Everything that is known of an address. */
interface Finding extends AboutAddress {
  readonly address: Address
  readonly explanation: Explanation
}

function find(
  address: Address,
  list: Directory,
  selection: { readonly dataCenters: Names<DataCenter>; readonly channels: Names<Channel> }
): Finding {
  const { cells, problems } = list.read(selection)
  if (problems.length > 0) throw new OptionsError(problems.map((problem) => withoutAddresses(problem, cells)))
  const counters = new Counters()
  const own = { ...NO_PROXIES, clientIp: 'request.ip', allow: [], deny: [], cacheSize: 1, redact: undefined } as const
  const parts = { directory: list, own, removals: [], overrides: [], isStale: false }
  const policy = new Policy(atOnce(CompiledList.compiling(parts)), cells, counters)
  const rejections = new Rejections(own, '', undefined)
  return {
    address,
    explanation: explain(address.toString(), policy, { rejections, resolver: own.resolver }),
    ...aboutAddress(address, list)
  }
}

function asJson({ explanation, entries, notes, nearest }: Finding, list: Directory) {
  return {
    verdict: explanation.verdict,
    entries: entries.map(({ prefix, grant }) => ({ prefix: `${prefix}`, ...grant })),
    notes,
    nearest: nearest.map(({ prefix, grants, distance, commonBits, edits }) => ({
      prefix: `${prefix}`,
      grants,
      // Exact for IPv4; JSON has no larger numbers.
      distance: Number(distance),
      commonBits,
      edits
    })),
    list: list.provenance
  }
}

function findingText(
  { address, explanation, entries, notes, nearest }: Finding,
  list: Directory,
  style: Style
): string {
  const lines = [style(explanation.verdict.verified ? 'green' : 'red', printable(explanation.text))]
  if (entries.length > 0) {
    lines.push('', `Listed for: ${grantsText(entries.map(({ grant }) => grant))}`)
    const purpose = purposeText(address.toString())
    if (purpose !== undefined) lines.push('', purpose)
  }
  // The hint about another data center contains the note already.
  for (const { dataCenter, text } of notes.filter(({ text }) => !explanation.text.includes(text))) {
    lines.push('', `Note for ${dataCenter}: ${printable(text)}`)
  }
  if (nearest.length > 0) {
    lines.push('', 'Near it on the list:', ...nearest.map((neighbour) => `  ${neighbourText(neighbour)}`))
    lines.push('Being near proves nothing: the next address of a cloud is another customer.')
  } else if (!list.entries.some(({ prefix }) => prefix.address.family === address.family)) {
    lines.push('', `The list has no IPv${address.family} address.`)
  }
  lines.push('', provenanceText(list.provenance))
  return `${lines.join('\n')}\n`
}
