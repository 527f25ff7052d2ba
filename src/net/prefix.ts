import { PrefixError } from '../errors.js'
import { type Address, type Family, formatWords, lastAddress, parseAddress, readAddress, words } from './address.js'
import { explainPrefix, type Refusal } from './explain-prefix.js'

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

/** The bits of word `index` that belong to the first `length` bits of an address. */
export function wordMask(length: number, index: number): number {
  const bits = length - 32 * index
  return bits >= 32 ? -1 : bits <= 0 ? 0 : ~(0xffffffff >>> bits)
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
  throw new PrefixError({ value: text, ...(explainHostBits(text) ?? explainPrefix(text)) })
}

/** Like {@link parsePrefix}, but gives back what is wrong instead of throwing it. */
export function readPrefix(text: unknown): Prefix | Refusal {
  const family = readNetwork(text)
  if (family !== 0) return new Prefix(lastAddress(family), networkLength)
  return explainHostBits(text) ?? explainPrefix(text)
}

/** The prefix length that {@link readNetwork} read last. */
export let networkLength = 0

/**
 * Reads a prefix into the shared words and {@link networkLength} without making an object, so that a million entries
 * compile in a second.
 *
 * @returns the family, or 0 when the text is no prefix or has host bits
 */
export function readNetwork(text: unknown): Family {
  if (typeof text !== 'string') return 0
  const slash = text.indexOf('/')
  const end = slash < 0 ? text.length : slash
  const family = readAddress(text, 0, end)
  if (family === 0) return 0
  const mapped = family === 4 && text.indexOf(':') >= 0
  const bits = family === 4 && !mapped ? 32 : 128
  const written = slash < 0 ? bits : readLength(text, slash + 1)
  const length = mapped ? written - 96 : written
  if (length < 0 || written > bits) return 0
  for (let i = 0; i < (family === 4 ? 1 : 4); i++) {
    if ((words[i]! & ~wordMask(length, i)) !== 0) return 0
  }
  networkLength = length
  return family
}

/** Reads one to three digits without a leading zero; −1 for anything else. */
function readLength(text: string, start: number): number {
  const digits = text.length - start
  if (digits < 1 || digits > 3 || (digits > 1 && text.charCodeAt(start) === 48)) return -1
  let length = 0
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length
}

/** A prefix that would be right but for the bits behind its length: names the network and the host. */
function explainHostBits(text: unknown): Refusal | undefined {
  if (typeof text !== 'string') return undefined
  const slash = text.indexOf('/')
  const address = parseAddress(text.slice(0, Math.max(slash, 0)))
  const written = readLength(text, slash + 1)
  if (address === undefined || written < 0 || written > (text.includes(':') ? 128 : 32)) return undefined
  // `::ffff:10.0.0.0/8` was meant as 10.0.0.0/8; read literally it would cover every IPv4 address.
  const length = address.family === 4 && written > 32 ? Math.max(written - 96, 0) : written
  const network = formatWords(
    address.family,
    address.words.map((word, i) => word & wordMask(length, i))
  )
  return {
    message: `"${text}" has bits set behind its prefix length, so it may mean the host or the network.`,
    fix: `Write ${network}/${length} for the network, or ${address} for the one address.`
  }
}
