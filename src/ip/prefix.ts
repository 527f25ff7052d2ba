import { PrefixError } from '../errors.js'
import { type Address, lastAddress } from './address.js'
import { explainPrefix, type Refusal } from './prefix-mistake.js'
import { networkLength, readNetwork } from './read-network.js'

/** One IPv4 or IPv6 network: the address of its first host and the number of leading bits that its hosts share. */
export class Prefix {
  /** The first address; every bit behind `length` is zero. */
  readonly address: Address
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly length: number

  constructor(address: Address, length: number) {
    this.address = address
    this.length = length
    Object.freeze(this)
  }

  /** The canonical text in CIDR notation, always with the length: `52.6.248.125/32`. */
  toString(): string {
    return `${this.address}/${this.length}`
  }
}

/**
 * Reads a prefix in CIDR notation, strictly. A bare address is the prefix of that one address; an IPv4-mapped prefix of
 * /96 or longer is the IPv4 prefix it carries.
 *
 * @throws PrefixError (`MOE_ERR_PREFIX`) on anything else, host bits included: `10.0.0.1/8` may mean the host or the network
 * @example
 * parsePrefix('3.6.251.95').toString() // '3.6.251.95/32'
 * parsePrefix('::ffff:10.0.0.0/104').toString() // '10.0.0.0/8'
 */
export function parsePrefix(text: string): Prefix {
  const family = readNetwork(text)
  if (family === 0) refusePrefix(text)
  return new Prefix(lastAddress(family), networkLength)
}

/** Throws what is wrong with a text that {@link readNetwork} refused. */
export function refusePrefix(text: unknown): never {
  throw new PrefixError({ value: text, ...explainPrefix(text) })
}

/** Like {@link parsePrefix}, but gives back what is wrong instead of throwing it. */
export function readPrefix(text: unknown): Prefix | Refusal {
  const family = readNetwork(text)
  if (family !== 0) return new Prefix(lastAddress(family), networkLength)
  return explainPrefix(text)
}

/** The canonical text, without the length where the prefix is one address. */
export function shortText({ address, length }: Prefix): string {
  return length === 32 * address.words.length ? `${address}` : `${address}/${length}`
}

/** For sorting: IPv4 first, then by number, the wider of two first. */
export function comparePrefixes({ address: a, length }: Prefix, { address: b, length: otherLength }: Prefix): number {
  if (a.family !== b.family) return a.family - b.family
  for (const [i, word] of a.words.entries()) {
    if (word !== b.words[i]) return word - b.words[i]!
  }
  return length - otherLength
}
