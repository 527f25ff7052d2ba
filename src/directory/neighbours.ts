import type { Address } from '../ip/address.js'
import type { Prefix } from '../ip/prefix.js'
import { editDistance } from '../lib/suggest.js'
import type { Directory, Grant } from './directory.js'

/** A listed prefix that is near an address in some way. */
export interface Neighbour {
  readonly prefix: Prefix
  readonly grants: readonly Grant[]
  /** How many addresses lie between: 1 for the next one. */
  readonly distance: bigint
  /** How many leading bits both share. */
  readonly commonBits: number
  /** How many keystrokes lead from one text to the other. */
  readonly edits: number
}

/** More typing errors than these are no slip. */
const SLIPS = 2

/**
 * The listed prefixes that are nearest to an address that is not listed: by number and by leading bits (MoEngage may have
 * taken the next address of its block), and by typing. At most three; none where no address of the family is listed.
 */
export function neighbours(address: Address, directory: Directory): Neighbour[] {
  const text = address.toString()
  const number = numberOf(address)
  const known = new Map<string, Neighbour & { grants: Grant[] }>()
  for (const { prefix, grant } of directory.entries) {
    if (prefix.address.family !== address.family) continue
    const key = prefix.toString()
    let neighbour = known.get(key)
    if (neighbour === undefined) {
      neighbour = { prefix, grants: [], ...nearness(number, prefix), edits: editDistance(text, prefix.toShortString()) }
      known.set(key, neighbour)
    }
    neighbour.grants.push(grant)
  }
  const all = [...known.values()].sort((a, b) => (a.distance < b.distance ? -1 : 1))
  const byBits = all.toSorted((a, b) => b.commonBits - a.commonBits)
  const byTyping = all.filter(({ edits }) => edits <= SLIPS).sort((a, b) => a.edits - b.edits)
  return [...new Set([...byTyping.slice(0, 1), ...all.slice(0, 1), ...byBits.slice(0, 1)])]
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
