import { directory, type Entry } from 'moengage-allowlist/core'
import { Random } from '../measure/random.js'

/** The lists that matchers are compiled from. */
export type ListName = 'real' | '10k' | '50k'

export interface List {
  readonly name: ListName
  /** What ours is compiled from. */
  readonly entries: readonly Entry<unknown>[]
  /** What peers are compiled from: each prefix once, single addresses without a length. */
  readonly texts: readonly string[]
}

export function makeList(name: ListName): List {
  if (name === 'real') {
    const { entries } = directory
    return { name, entries, texts: [...new Set(entries.map(({ prefix }) => bare(`${prefix}`)))] }
  }
  const texts = mixedPrefixes(name === '10k' ? 10_000 : 50_000)
  return { name, texts, entries: texts.map((prefix) => ({ prefix, grant: 'listed' })) }
}

/** A prefix in CIDR notation also where it is one address. */
export function cidr(text: string): string {
  return text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`
}

function bare(text: string): string {
  return text.replace(/^([^:]+)\/32$|^(.*:.*)\/128$/, '$1$2')
}

/** Half IPv4, half IPv6; a third single addresses, the others as long as those that clouds and networks announce. */
function mixedPrefixes(count: number): string[] {
  const random = new Random(count)
  const texts = new Set<string>()
  while (texts.size < count) {
    const length4 = random.pick([32, 32, 32, 29, 28, 26, 24, 22, 20])
    const length6 = random.pick([128, 128, 128, 64, 56, 48, 44, 40, 36])
    texts.add(texts.size % 2 === 0 ? prefix4(random, length4) : prefix6(random, length6))
  }
  return [...texts]
}

function prefix4(random: Random, length: number): string {
  // 1.0.0.0 to 223.255.255.255: the rest is no one's.
  const address = 0x01000000 + random.below(0xdf000000)
  const network = length === 32 ? address : (address & ~(0xffffffff >>> length)) >>> 0
  return length === 32 ? dotted(network) : `${dotted(network)}/${length}`
}

function prefix6(random: Random, length: number): string {
  let network = randomAddress6(random)
  const hostBits = BigInt(128 - length)
  network = (network >> hostBits) << hostBits
  return length === 128 ? colons(network) : `${colons(network)}/${length}`
}

/** In 2000::/7, of which the registries have handed out a part; the interface is random, as a flood's would be. */
export function randomAddress6(random: Random): bigint {
  const words = [0x20000000 | random.below(0x02000000), random.word(), random.word(), random.word()]
  return words.reduce((address, word) => (address << 32n) | BigInt(word), 0n)
}

export function dotted(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

/** Eight groups without leading zeros, a run of zeros at the end as `::`. */
export function colons(address: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => (address >> BigInt(112 - 16 * i)) & 0xffffn)
  return groups
    .map((group) => group.toString(16))
    .join(':')
    .replace(/(?::0){2,}$/, '::')
}
