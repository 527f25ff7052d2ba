import { isIPv6 } from 'node:net'
import fc from 'fast-check'

/** Addresses and prefixes the naive way: a regular expression, Node's URL parser, `BigInt`. Nothing of `src` is used. */

export interface Oracle {
  readonly family: 4 | 6
  readonly value: bigint
}

export const BITS = { 4: 32n, 6: 128n } as const

const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const IPV4 = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}$`)

/** What a text is, by the rules of the design; undefined when it is no address. */
export function readOracle(text: string): Oracle | undefined {
  const octets = IPV4.exec(text)
  if (octets !== null) {
    return { family: 4, value: octets.slice(1).reduce((value, octet) => value * 256n + BigInt(octet), 0n) }
  }
  if (!isIPv6(text) || text.includes('%') || text.includes('\0')) return undefined
  const value = groupsOf(urlText(text)).reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffffffffn } : { family: 6, value }
}

/** The canonical text of an address. */
export function formatOracle({ family, value }: Oracle): string {
  return family === 4 ? dotted(value) : urlText(plainGroups(value).join(':'))
}

export function dotted(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
}

/** The eight groups of an IPv6 address, without any shortening but leading zeros. */
export function plainGroups(value: bigint): string[] {
  return Array.from({ length: 8 }, (_, i) => ((value >> (112n - 16n * BigInt(i))) & 0xffffn).toString(16))
}

/** Canonical by the WHATWG URL standard, which serialises IPv6 as RFC 5952 does, but has no dotted form. */
function urlText(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1)
}

function groupsOf(canonical: string): string[] {
  const [head = '', tail] = canonical.split('::')
  const before = head.split(':').filter(Boolean)
  const after = (tail ?? '').split(':').filter(Boolean)
  return tail === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill('0'), ...after]
}

/** The first address of the network that an address lies in. */
export function networkOf({ family, value }: Oracle, length: number): bigint {
  const host = BITS[family] - BigInt(length)
  return (value >> host) << host
}

/** An address of either family: anywhere, or among the few where prefixes are dense, blocks meet and spaces end. */
export const addresses: fc.Arbitrary<Oracle> = fc.oneof(
  dense(4, [0n, 0x0a000000n, 0x0a00ff00n, 0x7fffffffn, 0x80000000n, 0xc0a80100n, 0xffffffffn]).filter(isReadAsItself),
  dense(
    6,
    [
      '::',
      '::1',
      '::1:0:0',
      '2001:db8::',
      '2001:db8:0:1::',
      '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
      '2001:db9::',
      '64:ff9b::a00:1',
      '7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      '8000::',
      'ffff:fffe:ffff:ffff:ffff:ffff:ffff:ffff',
      'ffff:ffff::',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
    ].map((text) => readOracle(text)!.value)
  ).filter(isReadAsItself)
)

function dense(family: 4 | 6, bases: bigint[]): fc.Arbitrary<Oracle> {
  const max = (1n << BITS[family]) - 1n
  const near = fc
    .tuple(fc.constantFrom(...bases), fc.bigInt(-3n, 3n), fc.nat(Number(BITS[family]) - 1))
    .map(([base, offset, shift]) => base + (offset << BigInt(shift)))
    .filter((value) => value >= 0n && value <= max)
  return fc.oneof(near, near, fc.bigInt(0n, max)).map((value) => ({ family, value }))
}

/** IPv4-mapped values are IPv4 addresses, so they are no IPv6 ones. */
function isReadAsItself({ family, value }: Oracle): boolean {
  return family === 4 || value >> 32n !== 0xffffn
}

/** A way to spell an address: leading zeros, case, `::` over a run of zeros, a dotted end, IPv4-mapped. */
export interface Spelling {
  readonly zeros: readonly number[]
  readonly isUpper: boolean
  readonly hasDots: boolean
  readonly shortFrom: number
  readonly shortLength: number
  readonly isMapped: boolean
}

/** All of them. */
export const spellings: fc.Arbitrary<Spelling> = fc.record({
  zeros: fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }),
  isUpper: fc.boolean(),
  hasDots: fc.boolean(),
  shortFrom: fc.nat(7),
  shortLength: fc.nat(8),
  isMapped: fc.boolean()
})

/** An address in one of its spellings. */
export function spell({ family, value }: Oracle, spelling: Spelling): string {
  if (family === 6) return spellIPv6(value, spelling)
  return spelling.isMapped ? spellIPv6((0xffffn << 32n) | value, spelling) : dotted(value)
}

function spellIPv6(value: bigint, { zeros, isUpper, hasDots, shortFrom: from, shortLength }: Spelling): string {
  const plain = plainGroups(value)
  const written = plain.map((group, i) => group.padStart(Math.min(4, group.length + zeros[i]!), '0'))
  if (hasDots) written.splice(6, 2, dotted(value & 0xffffffffn))
  const run = Math.min(shortLength, written.length - from, hasDots ? 6 - from : 8)
  const isShort = run > 0 && plain.slice(from, from + run).every((group) => group === '0')
  const text = isShort
    ? `${written.slice(0, from).join(':')}::${written.slice(from + run).join(':')}`
    : written.join(':')
  return isUpper ? text.toUpperCase() : text
}

/** An address and one of its spellings. */
export const spelledAddresses: fc.Arbitrary<[address: Oracle, text: string]> = fc
  .tuple(addresses, spellings)
  .map(([address, spelling]) => [address, spell(address, spelling)])
