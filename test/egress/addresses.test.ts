import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import t from 'tap'
import { checkEgress, type EgressTarget, formatEgress } from '../../src/core.js'
import { runs } from '../support/properties.js'
import { FORMS, TICKET } from './forms.js'

/** A family, with a small part of it of which every address can be counted. */
interface Space {
  readonly bits: number
  /** How many bits of the part vary. */
  readonly free: number
  readonly write: (offset: number) => string
  /** The offset of an address, read by another library than the one under test. */
  readonly read: (address: string) => number
}

const low = (address: string, base: string) => {
  const bytes = ipaddr.parse(address).toByteArray()
  if (
    !ipaddr
      .parse(base)
      .toByteArray()
      .slice(0, -1)
      .every((byte, i) => byte === bytes[i])
  )
    throw new Error(address)
  return bytes.at(-1)!
}
const IPV4: Space = { bits: 32, free: 8, write: (n) => `9.9.8.${n}`, read: (text) => low(text, '9.9.8.0') }
const IPV6: Space = {
  bits: 128,
  free: 8,
  write: (n) => `2620:fe::${n.toString(16)}`,
  read: (text) => low(text, '2620:fe::')
}

/** The offsets of an entry: an address, a prefix, or a range. */
function offsets(entry: string, space: Space): number[] {
  const [, first, length, last] = /^([^\s/]+)(?:\/(\d+)| - (\S+))?$/.exec(entry)!
  const from = space.read(first!)
  const count =
    length === undefined ? (last === undefined ? 1 : space.read(last) - from + 1) : 2 ** (space.bits - Number(length))
  return Array.from({ length: count }, (_, i) => from + i)
}

const union = (entries: readonly string[], space: Space) => new Set(entries.flatMap((entry) => offsets(entry, space)))
const sorted = (set: ReadonlySet<number>) => [...set].sort((a, b) => a - b)

/** Any list of addresses and prefixes of a space, and of ranges where the family has them. */
function list(space: Space, hasRanges: boolean) {
  const size = 2 ** space.free
  const offset = fc.integer({ min: 0, max: size - 1 })
  const prefix = fc.tuple(offset, fc.integer({ min: 0, max: 5 })).map(([n, free]) => {
    return `${space.write(n - (n % 2 ** free))}/${space.bits - free}`
  })
  const range = fc
    .tuple(offset, offset)
    .map(([a, b]) => `${space.write(Math.min(a, b))} - ${space.write(Math.max(a, b))}`)
  const entry = fc.oneof(offset.map(space.write), prefix, ...(hasRanges ? [range] : []))
  return fc.array(entry, { minLength: 1, maxLength: 12 })
}

/** The fewest prefixes for a set, by the definition: a half that is whole is one prefix. */
function fewest(set: ReadonlySet<number>, from: number, size: number): number {
  let count = 0
  for (let i = 0; i < size; i++) if (set.has(from + i)) count++
  if (count === 0 || count === size) return count === 0 ? 0 : 1
  return fewest(set, from, size / 2) + fewest(set, from + size / 2, size / 2)
}

const stretches = (set: ReadonlySet<number>) => sorted(set).filter((n) => !set.has(n - 1)).length

for (const [name, space, hasRanges] of [
  ['IPv4', IPV4, true],
  ['IPv6', IPV6, false]
] as const) {
  t.test(`the shortest ${name} list has the same addresses, each once, and no shorter one has`, async () => {
    fc.assert(
      fc.property(list(space, hasRanges), fc.constantFrom(undefined, ...FORMS), (entries, target) => {
        const { ok, shortest } = checkEgress(entries, target)
        const all = union(entries, space)
        const fromShortest = shortest.flatMap((entry) => offsets(entry, space))
        const least =
          target === 'open-analytics'
            ? all.size
            : (target === undefined || target === 'api-firewall') && hasRanges
              ? stretches(all)
              : fewest(all, 0, 2 ** space.free)
        return ok && JSON.stringify(fromShortest) === JSON.stringify(sorted(all)) && shortest.length === least
      }),
      runs(300)
    )
  })

  t.test(`what a form gets has the addresses of the ${name} list, and nothing else`, async () => {
    fc.assert(
      fc.property(list(space, hasRanges), fc.constantFrom(...FORMS), (entries, target) => {
        const values = valuesOf(entries, target)
        const isTaken = values.every((value) => TAKEN[target].test(value))
        return (
          isTaken &&
          new Set(values).size === values.length &&
          JSON.stringify(sorted(union(values, space))) === JSON.stringify(sorted(union(entries, space)))
        )
      }),
      runs(300)
    )
  })
}

/** What the pages say that a form takes. */
const TAKEN: Readonly<Record<EgressTarget, RegExp>> = {
  'api-firewall': /^(?:[^\s/]+(?:\/\d+)?|[\d.]+ - [\d.]+)$/,
  'data-api': /^[^\s/]+(?:\/\d+)?$/,
  dashboard: /^[^\s/]+(?:\/\d+)?$/,
  'open-analytics': /^[^\s/]+$/
}

function valuesOf(entries: readonly string[], target: EgressTarget): string[] {
  const { rules, entries: written } = JSON.parse(formatEgress(entries, { ...TICKET[target], target, format: 'json' }))
  return (rules ?? written).map(({ value }: { value: string }) => value)
}

/** An IPv4 address as a number, by the definition. */
const numberOf = (address: string) => address.split('.').reduce((number, octet) => number * 256n + BigInt(octet), 0n)
const addressOf = (number: number) => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')

t.test('a range of any size is split into prefixes that follow one another', async () => {
  // Between 11.0.0.0 and 99.255.255.255 all is public.
  const address = fc.integer({ min: 11 * 2 ** 24, max: 100 * 2 ** 24 - 1 })
  fc.assert(
    fc.property(address, address, (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)]
      let next = BigInt(first)
      for (const value of valuesOf([`${addressOf(first)} - ${addressOf(last)}`], 'dashboard')) {
        const [from, length = '32'] = value.split('/') as [string, string?]
        const size = 2n ** (32n - BigInt(length))
        if (numberOf(from) !== next || next % size !== 0n) return false
        next += size
      }
      return next === BigInt(last) + 1n
    }),
    runs(300)
  )
})

t.test('an IPv6 prefix of any length stays as it is', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 128 }), fc.uint8Array({ minLength: 14, maxLength: 14 }), (length, rest) => {
      const address = ipaddr.fromByteArray([0x2a, 0x00, ...rest])
      const network = ipaddr.IPv6.networkAddressFromCIDR(`${address}/${length}`).toRFC5952String()
      const [value, ...others] = valuesOf([`${network}/${length}`], 'api-firewall')
      return others.length === 0 && value === (length === 128 ? network : `${network}/${length}`)
    }),
    runs(200)
  )
})
