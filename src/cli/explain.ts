import { Command } from 'commander'
import type { Directory, DirectoryEntry, Grant } from '../directory/directory.js'
import { type Channel, DATA_CENTERS, type DataCenter } from '../directory/names.js'
import { OptionsError, PrefixError } from '../errors.js'
import { CompiledList } from '../guard/compiled-list.js'
import { Counters } from '../guard/counters.js'
import { type Explanation, explain } from '../guard/explain.js'
import { Policy } from '../guard/policy.js'
import { type Address, parseAddress } from '../ip/address.js'
import { compileMatcher } from '../ip/matcher.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import { purposeOf } from '../ip/special.js'
import { editDistance } from '../lib/text.js'
import { channelOption, dataCenterOption, fromOption, jsonOption, type Names, readList } from './input.js'
import { Exit, type Io, writeJson } from './io.js'
import { addressText, grantsText, printable, provenanceText, type Style, styleFor } from './text.js'

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
      const address = readIp(ip)
      const list = await readList(from, io)
      const finding = find(address, list, { dataCenters: dataCenter, channels: channel })
      if (json) writeJson(io.stdout, asJson(finding, list))
      else io.stdout.write(findingText(finding, list, styleFor(io)))
      if (!finding.explanation.verdict.verified) throw new Exit(1)
    })
}

function readIp(text: string): Address {
  const address = parseAddress(text)
  if (address !== undefined) return address
  const prefix = readPrefix(text)
  const refusal =
    prefix instanceof Prefix
      ? {
          message: `"${text}" is a prefix, not one address.`,
          fix: `Write an address of it, such as ${prefix.address}.`
        }
      : prefix
  throw new PrefixError({ value: text, ...refusal })
}

/** Everything that is known of an address. */
interface Finding {
  readonly address: Address
  readonly explanation: Explanation
  readonly entries: readonly DirectoryEntry[]
  readonly notes: readonly { readonly dataCenter: DataCenter; readonly text: string }[]
  /** Empty if the address is listed. */
  readonly nearest: readonly Neighbour[]
}

function find(
  address: Address,
  list: Directory,
  selection: { readonly dataCenters: Names<DataCenter>; readonly channels: Names<Channel> }
): Finding {
  const { cells, problems } = list.read(selection)
  if (problems.length > 0) throw new OptionsError(problems)
  const counters = new Counters()
  const own = { allow: [], deny: [], cacheSize: 1, trustedProxies: [] }
  const policy = new Policy(
    new CompiledList({ directory: list, own, removals: [], overrides: [], isStale: false }, counters),
    cells,
    counters
  )
  const entries = compileMatcher(list.entries).entriesFor(address)
  return {
    address,
    explanation: explain(address.toString(), policy),
    entries,
    notes: DATA_CENTERS.flatMap((dataCenter) => {
      const text = list.note(address, dataCenter)
      return text === undefined ? [] : [{ dataCenter, text }]
    }),
    nearest: entries.length > 0 ? [] : neighboursOf(address, list)
  }
}

/** A listed prefix that is near an address. */
interface Neighbour {
  readonly prefix: Prefix
  readonly grants: readonly Grant[]
  /** How far apart the addresses are: 1 for the next one. */
  readonly distance: bigint
  /** Number of leading bits that both share. */
  readonly commonBits: number
  /** Number of edits from one text to the other. */
  readonly edits: number
}

/** MoEngage may have taken another address of the same block. */
const NEAR_BITS = { 4: 24, 6: 64 }
/** One typing error. */
const NEAR_EDITS = 1

/**
 * The listed prefixes near an address that is not listed: in the same block, or one typing error away. At most three: one by
 * typing, and the two nearest by number.
 */
function neighboursOf(address: Address, list: Directory): Neighbour[] {
  const text = address.toString()
  const number = numberOf(address)
  const known = new Map<string, Neighbour & { grants: Grant[] }>()
  for (const { prefix, grant } of list.entries) {
    if (prefix.address.family !== address.family) continue
    const key = prefix.toString()
    const neighbour = known.get(key) ?? {
      prefix,
      grants: [],
      ...nearness(number, prefix),
      edits: editDistance(text, prefix.toShortString())
    }
    known.set(key, neighbour)
    neighbour.grants.push(grant)
  }
  const near = [...known.values()].filter(
    ({ commonBits, edits }) => commonBits >= NEAR_BITS[address.family] || edits <= NEAR_EDITS
  )
  const byNumber = near.toSorted((a, b) => (a.distance < b.distance ? -1 : 1))
  const byTyping = byNumber.filter(({ edits }) => edits <= NEAR_EDITS)
  return [...new Set([...byTyping.slice(0, 1), ...byNumber.slice(0, 2)])]
}

function nearness(number: bigint, { address, length }: Prefix): Pick<Neighbour, 'distance' | 'commonBits'> {
  const bits = address.words.length * 32
  const first = numberOf(address)
  const last = first + (1n << BigInt(bits - length)) - 1n
  const differing = (number ^ first).toString(2)
  return {
    distance: number < first ? first - number : number - last,
    commonBits: Math.min(length, bits - differing.length)
  }
}

function numberOf({ words }: Address): bigint {
  return words.reduce((number, word) => (number << 32n) | BigInt(word), 0n)
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
    const purpose = purposeOf(address.toString())
    if (purpose !== undefined) {
      lines.push('', `${address} ${purpose.about}: no request can come from there over the internet.`)
    }
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

function neighbourText({ prefix, grants, distance, commonBits, edits }: Neighbour): string {
  const near = []
  if (commonBits >= NEAR_BITS[prefix.address.family]) {
    near.push(`${distance} ${distance === 1n ? 'address' : 'addresses'} away`, `${commonBits} leading bits in common`)
  }
  if (edits <= NEAR_EDITS) near.push('1 keystroke apart')
  return `${addressText(`${prefix}`)} (${near.join(', ')}): ${grantsText(grants)}`
}
