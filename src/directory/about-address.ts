import { type Address, parseAddress } from '../ip/address.js'
import { Prefix, parsePrefix, readPrefix } from '../ip/prefix.js'
import type { PrefixMistake } from '../ip/prefix-mistake.js'
import { editDistance } from '../lib/text.js'
import type { Directory, DirectoryEntry, Grant } from './directory.js'
import { DATA_CENTERS, type DataCenter } from './names.js'

/** Parses one address; of a prefix or another text, returns what is wrong with it, and which addresses of the list may be meant. */
export function addressOrMistake(text: string, list: Directory): Address | PrefixMistake {
  const address = parseAddress(text)
  if (address !== undefined) return address
  const prefix = readPrefix(text, 'Ask about one address at a time.')
  if (prefix instanceof Prefix) {
    return { message: `"${text}" is a prefix, not one address.`, fix: addressOf(prefix, 'it', list) }
  }
  // Where a prefix may stand, that is the advice.
  const [, advised] = /^Write (\S+\/\d+)/.exec(prefix.fix) ?? []
  if (advised === undefined) return prefix
  return {
    message: prefix.message,
    fix: addressOf(parsePrefix(advised), advised, list, parseAddress(text.split(/[\s/]/)[0]!))
  }
}

/** Maximum number of listed addresses that are named. */
const NAMED = 5

/** Says to write one address of a prefix: one that was written, or that the list has. */
function addressOf(prefix: Prefix, named: string, list: Directory, written?: Address): string {
  const listed = [
    ...new Set(list.entries.filter((entry) => entry.prefix.overlaps(prefix)).map((entry) => entry.prefix))
  ]
  const texts = [...new Set(listed.map((entry) => entry.toShortString()))]
  const [first] = listed
  const example = written ?? (first !== undefined && prefix.contains(first) ? first : prefix).address
  const more = texts.length > NAMED ? ` and ${texts.length - NAMED} more` : ''
  const said = texts.length === 0 ? 'no address' : `${texts.slice(0, NAMED).join(', ')}${more}`
  return `Write an address of ${named}, such as ${example}. The list has ${said} in ${named}.`
}

/** Everything that a list says about an address. */
export interface AboutAddress {
  /** The entries that contain it, the longest prefix first. */
  readonly entries: readonly DirectoryEntry[]
  /** Doubts about it, by the data center that it is expected of. */
  readonly notes: readonly { readonly dataCenter: DataCenter; readonly text: string }[]
  /** Listed prefixes that are near; empty if the address is listed. */
  readonly nearest: readonly Neighbour[]
}

/** Looks an address up in a list. */
export function aboutAddress(address: Address, list: Directory): AboutAddress {
  const entries = list.matcher.entriesFor(address)
  return {
    entries,
    notes: DATA_CENTERS.flatMap((dataCenter) => {
      const text = list.note(address, dataCenter)
      return text === undefined ? [] : [{ dataCenter, text }]
    }),
    nearest: entries.length > 0 ? [] : neighboursOf(address, list)
  }
}

/** A listed prefix that is near an address. */
export interface Neighbour {
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

/** A neighbour in one line, with why it is near. */
export function neighbourText({ prefix, grants, distance, commonBits, edits }: Neighbour): string {
  const near = []
  if (commonBits >= NEAR_BITS[prefix.address.family]) {
    near.push(`${distance} ${distance === 1n ? 'address' : 'addresses'} away`, `${commonBits} leading bits in common`)
  }
  if (edits <= NEAR_EDITS) near.push('1 keystroke apart')
  return `${addressText(`${prefix}`)} (${near.join(', ')}): ${grantsText(grants)}`
}

/** A prefix without its length if it is one address. */
export function addressText(prefix: string): string {
  return prefix.replace(prefix.includes(':') ? /\/128$/ : /\/32$/, '')
}

/** Grants by data center: `DC-01 (connector, sms), DC-02 (sms)`. */
export function grantsText(grants: readonly Grant[]): string {
  return DATA_CENTERS.flatMap((dataCenter) => {
    const channels = grants.filter((grant) => grant.dataCenter === dataCenter).map(({ channel }) => channel)
    return channels.length === 0 ? [] : [`${dataCenter} (${channels.join(', ')})`]
  }).join(', ')
}
