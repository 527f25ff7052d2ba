import { Random } from '../measure/random.js'
import { colons, dotted, type List, randomAddress6 } from './lists.js'
import type { Reference } from './reference.js'

/** Who asks. */
export type TrafficName = 'senders' | 'flood' | 'neighbours' | 'mapped' | 'senders6' | 'flood6'

export const TRAFFIC: Record<TrafficName, string> = {
  senders: 'Genuine senders: 8 listed IPv4 addresses, over and over',
  flood: 'Flood: each address a new one, unlisted',
  neighbours: 'Flood from next door: each address a new one, unlisted, its first two octets those of a listed one',
  mapped: 'Mapped IPv4: the genuine senders as `::ffff:a.b.c.d`',
  senders6: 'Genuine IPv6 senders: 8 listed addresses',
  flood6: 'Flood of IPv6: each address a new one, unlisted'
}

/** How the timings of a subject with some traffic are named. */
export const lane = (subject: string, traffic: TrafficName) => `${subject} / ${traffic}`

/** More than any cache in the field holds, so that a flood never repeats itself within reach. */
const FLOOD = 100_000

/** The texts of one kind of traffic, in the order in which they come. */
export function makeTraffic(name: TrafficName, list: List, reference: Reference): string[] {
  const random = new Random(7)
  const unlisted = (make: () => string) => {
    const texts = new Set<string>()
    while (texts.size < FLOOD) {
      const text = make()
      if (!reference.has(text)) texts.add(text)
    }
    return [...texts]
  }
  switch (name) {
    case 'senders':
      return few(random, listedAddresses(list, 4))
    case 'mapped':
      return few(random, listedAddresses(list, 4)).map((text) => `::ffff:${text}`)
    case 'senders6':
      return few(random, listedAddresses(list, 6))
    case 'flood':
      return unlisted(() => dotted(0x01000000 + random.below(0xdf000000)))
    case 'neighbours': {
      const networks = list.texts.filter((text) => !text.includes(':')).map((text) => text.split('.', 2).join('.'))
      return unlisted(() => `${random.pick(networks)}.${random.below(256)}.${random.below(256)}`)
    }
    case 'flood6':
      return unlisted(() => colons(randomAddress6(random)))
  }
}

/** Eight addresses of the list, drawn at random: an array that is asked for again and again. */
function few(random: Random, listed: readonly string[]): string[] {
  const senders = random.shuffle(listed).slice(0, 8)
  return Array.from({ length: 4096 }, () => random.pick(senders))
}

/** The first address of each prefix of a family. */
function listedAddresses({ texts }: List, family: 4 | 6): string[] {
  return texts.filter((text) => text.includes(':') === (family === 6)).map((text) => text.replace(/\/.*/, ''))
}

/**
 * Hands out texts as the HTTP parser does: each time a new string in flat memory, one byte a character, of which no hash
 * is known yet.
 */
export function freshStrings(texts: readonly string[]): () => string {
  const bytes = Buffer.from(texts.join(''), 'latin1')
  const ends = new Uint32Array(texts.length)
  let end = 0
  for (const [i, text] of texts.entries()) {
    end += text.length
    ends[i] = end
  }
  let next = 0
  return () => {
    const start = next === 0 ? 0 : ends[next - 1]!
    const text = bytes.toString('latin1', start, ends[next]!)
    next = next + 1 === ends.length ? 0 : next + 1
    return text
  }
}

/** Texts that are no address in the list, though a careless reader may take them for `address`, which is. */
export function oddSpellings(address: string): string[] {
  const octets = address.split('.').map(Number) as [number, number, number, number]
  const [a, b, c, d] = octets
  const value = octets.reduce((sum, octet) => sum * 256 + octet, 0)
  return [
    octets.map((octet) => String(octet).padStart(4, '0')).join('.'),
    octets.map((octet) => `0${octet.toString(8)}`).join('.'),
    octets.map((octet) => `0x${octet.toString(16)}`).join('.'),
    `${value}`,
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${b * 65536 + c * 256 + d}`,
    ` ${address}`,
    `${address} `,
    `${address}\0`,
    `${address}\0.evil.example`,
    `${address}.`,
    `${address}.0`,
    `${address}, 198.51.100.7`,
    `${address}:443`,
    `${address}/32`,
    `${a + 256}.${b}.${c}.${d}`,
    `${a}.${b}.${c}.${d + 256}`,
    `${a}.${b}.${c}.${d}e0`,
    `-${address}`,
    `::${address}`,
    `::ffff:0:${address}`,
    `64:ff9b::${address}`,
    `::ffff:${address}%eth0`,
    `[::ffff:${address}]`
  ]
}
