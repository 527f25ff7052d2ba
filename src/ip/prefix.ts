import { PrefixError } from '../errors.js'
import { Address } from './address.js'
import { ParsedPrefix, wordMask } from './parsed-prefix.js'
import { explainPrefix, type PrefixMistake } from './prefix-mistake.js'

/** One IPv4 or IPv6 prefix: its first address, and the number of leading bits that its addresses share. Immutable. */
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

  /** Whether the prefix is one address. */
  get isSingle(): boolean {
    return this.length === 32 * this.address.words.length
  }

  /** The last address. */
  get lastAddress(): Address {
    const { family, words } = this.address
    return new Address(
      family,
      words.map((word, i) => word | ~wordMask(this.length, i))
    )
  }

  /** Whether every address of the other prefix is one of this prefix. An IPv6 prefix never contains IPv4. */
  contains({ address, length }: Prefix): boolean {
    const { family, words } = this.address
    if (this.length > length || family !== address.family) return false
    for (let i = 0; i < words.length; i++) {
      if (((words[i]! ^ address.words[i]!) & wordMask(this.length, i)) !== 0) return false
    }
    return true
  }

  /** Whether some address is one of both prefixes. */
  overlaps(other: Prefix): boolean {
    return this.contains(other) || other.contains(this)
  }

  /** The canonical text in CIDR notation, always with the length: `52.6.248.125/32`. */
  toString(): string {
    return `${this.address}/${this.length}`
  }

  /** The canonical text, without the length where the prefix is one address. */
  toShortString(): string {
    return this.isSingle ? `${this.address}` : `${this}`
  }
}

/**
 * Parses a prefix in CIDR notation, strictly. A bare address is the prefix of that one address; an IPv4-mapped prefix of
 * /96 or longer is the IPv4 prefix that it carries.
 *
 * @throws PrefixError (`MOE_ERR_PREFIX`) on anything else, host bits included: `10.0.0.1/8` may mean the host or the prefix
 * @example
 * parsePrefix('3.6.251.95').toString() // '3.6.251.95/32'
 * parsePrefix('::ffff:10.0.0.0/104').toString() // '10.0.0.0/8'
 */
export function parsePrefix(text: string): Prefix {
  const prefix = readPrefix(text)
  if (prefix instanceof Prefix) return prefix
  throw new PrefixError({ value: text, ...prefix })
}

/** Used again for each text: a long list would make a hundred thousand. */
const parsed = new ParsedPrefix()

/**
 * Like {@link parsePrefix}, but returns the mistake instead of throwing it.
 *
 * @param severalFix what to do about several entries in one text, where that is not an element of an array
 */
export function readPrefix(text: unknown, severalFix?: string): Prefix | PrefixMistake {
  return parsed.parse(text) === 0
    ? explainPrefix(text, severalFix)
    : new Prefix(parsed.address.toAddress(), parsed.length)
}

/** For sorting: IPv4 first, then by address, the wider of two first. */
export function comparePrefixes({ address: a, length }: Prefix, { address: b, length: otherLength }: Prefix): number {
  if (a.family !== b.family) return a.family - b.family
  for (let i = 0; i < a.words.length; i++) {
    if (a.words[i] !== b.words[i]) return a.words[i]! - b.words[i]!
  }
  return length - otherLength
}
