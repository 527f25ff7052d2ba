import ipaddr from '#ipaddr'
import { lazily } from '../lib/lazily.js'
import { type Address, ParsedAddress } from './address.js'
import { compileMatcher, type Entry } from './matcher.js'
import { type Prefix, parsePrefix } from './prefix.js'

/** What a special-purpose prefix is set aside for (the IANA special-purpose address registries, RFC 6890). */
export interface SpecialPurpose {
  /** `private`, `loopback`, `documentation` and so on: the names of `ipaddr.js`, but that documentation is one of its own. */
  readonly name: string
  /** How a sentence about an address goes on: "192.0.2.1 is for documentation". */
  readonly about: string
  /** Whether hosts of one's own network have such addresses: proxies, containers, the machine itself. */
  readonly isInternal: boolean
  /** Whether a translator or a tunnel shows an IPv4 host by such an address, who may be anybody. */
  readonly isTranslated: boolean
  /** Whether Cloudflare's Pseudo IPv4 shows an IPv6 visitor by such an address, who may be anybody. */
  readonly isPseudo: boolean
}

/** RFC 5737, RFC 3849, RFC 9637; `ipaddr.js` counts them among the reserved ones. */
const DOCUMENTATION = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20']

/** Where hosts of one's own network have their addresses. */
const INTERNAL = new Set(['loopback', 'linkLocal', 'private', 'uniqueLocal', 'carrierGradeNat', 'deprecatedSiteLocal'])

/** NAT64 (RFC 6052), the translation without states (RFC 7915), tunnels (RFC 3056, RFC 4380), and RFC 4291 section 2.5.5.1. */
const TRANSLATED = new Set(['rfc6052', 'rfc6145', '6to4', 'teredo', 'ipv4Compatible'])
const ABOUT_TRANSLATED = 'is how a translator (NAT64) shows an IPv4 host'

const ABOUT: Readonly<Record<string, string>> = {
  documentation: 'is for documentation',
  unspecified: 'is not an address of a host',
  broadcast: 'is for broadcast',
  multicast: 'is for multicast',
  linkLocal: 'is a link-local address',
  loopback: 'is a loopback address, of the machine itself',
  carrierGradeNat: 'is carrier-grade NAT space, also used by Tailscale',
  private: 'is a private address',
  uniqueLocal: 'is a private address (unique local)',
  rfc6052: ABOUT_TRANSLATED,
  rfc6145: ABOUT_TRANSLATED,
  '6to4': 'is how a tunnel (6to4) shows an IPv4 host',
  teredo: 'is how a tunnel (Teredo) shows an IPv4 host',
  ipv4Compatible: 'is an outdated way to write an IPv4 host (IPv4-compatible)'
}

type Ranges = Readonly<Record<string, [ipaddr.IPv4 | ipaddr.IPv6, number] | [ipaddr.IPv4 | ipaddr.IPv6, number][]>>

/** The tables by which `ipaddr.js` answers `range()`; its types leave them out. */
const rangesOf = (family: { prototype: object }) => (family.prototype as { SpecialRanges: Ranges }).SpecialRanges

/** Cloudflare's Pseudo IPv4 gives every IPv6 visitor an address of this prefix. */
const PSEUDO_IPV4 = '240.0.0.0/4'

const PURPOSES = new Map<string, SpecialPurpose>()

function entryOf(name: string, prefix: string): Entry<SpecialPurpose> {
  const isPseudo = prefix === PSEUDO_IPV4
  const key = isPseudo ? prefix : name
  let purpose = PURPOSES.get(key)
  if (purpose === undefined) {
    purpose = {
      name,
      about: ABOUT[name] ?? 'is reserved',
      isInternal: INTERNAL.has(name),
      isTranslated: TRANSLATED.has(name),
      isPseudo
    }
    PURPOSES.set(key, purpose)
  }
  return { prefix, grant: purpose }
}

const isReserved = ({ grant }: Entry<SpecialPurpose>) => grant.name === 'reserved'

/** The one table of special-purpose prefixes. Of two that nest, the narrower comes first: the wider one is reserved for what may come. */
export const specialEntries = lazily((): readonly Entry<SpecialPurpose>[] =>
  [
    ...DOCUMENTATION.map((prefix) => entryOf('documentation', prefix)),
    ...[ipaddr.IPv4, ipaddr.IPv6].flatMap((family) =>
      Object.entries(rangesOf(family)).flatMap(([name, ranges]) =>
        // An IPv4-mapped address is the IPv4 address that it carries.
        name === 'ipv4Mapped'
          ? []
          : (Array.isArray(ranges[0]) ? (ranges as [ipaddr.IPv4, number][]) : [ranges as [ipaddr.IPv4, number]]).map(
              ([address, length]) => entryOf(name, `${address}/${length}`)
            )
      )
    ),
    entryOf('ipv4Compatible', '::/96')
  ].toSorted((a, b) => Number(isReserved(a)) - Number(isReserved(b)))
)

const special = lazily(() => compileMatcher(specialEntries()))

/** Who sends from an address that is set aside, as a sentence about it goes on. */
export function originOf({ isInternal, isTranslated, isPseudo }: SpecialPurpose): string {
  if (isInternal) return 'it is a host or a proxy of your own network'
  if (isPseudo) return "Cloudflare's Pseudo IPv4 shows IPv6 visitors by such addresses"
  return isTranslated ? 'the guard does not read the IPv4 address in it' : 'nobody on the internet sends from it'
}

/** The part of IPv6 that is handed out to the public so far (RFC 4291 section 2.4): an eighth of the whole. */
export const GLOBAL_UNICAST = parsePrefix('2000::/3')

const UNASSIGNED: SpecialPurpose = {
  name: 'unassigned',
  about: 'is not assigned to anybody',
  isInternal: false,
  isTranslated: false,
  isPseudo: false
}

/** What a listed address is set aside for, and whether requests can come from it; undefined where it is public. */
export function purposeText(address: string): string | undefined {
  const purpose = special().grantsOf(special().find(address))[0]
  if (purpose === undefined) return undefined
  const isAnybody = purpose.isTranslated || purpose.isPseudo
  return `${address} ${purpose.about}: ${isAnybody ? originOf(purpose) : 'no request can come from there over the internet'}.`
}

/** Room for the address that is looked up: the tables read one kind of words only, which V8 likes. */
const looked = new ParsedAddress()

function purposeAt({ family, words }: Address): SpecialPurpose | undefined {
  looked.family = family
  looked.words.set(words)
  return special().grantsOf(special().lookup(looked))[0]
}

/**
 * The purpose of a prefix where nobody on the internet sends from it: `private`, `loopback`, `reserved` and so on. Undefined
 * where its first and last address are public.
 */
export function specialPurpose(prefix: Prefix): SpecialPurpose | undefined {
  const purpose = purposeAt(prefix.address) ?? (prefix.isSingle ? undefined : purposeAt(prefix.lastAddress))
  if (purpose !== undefined) return purpose
  return prefix.address.family === 6 && !GLOBAL_UNICAST.contains(prefix) ? UNASSIGNED : undefined
}

/** Whether a prefix holds nothing but addresses for documentation. */
export function isForDocumentation(prefix: Prefix): boolean {
  const around = special().entriesFor(prefix.address)
  return around.some(({ prefix: whole, grant }) => grant.name === 'documentation' && whole.contains(prefix))
}

/** Whether prefixes cover half of the public addresses of a family or more, alone or together. */
export function coverHalf(prefixes: readonly Prefix[]): boolean {
  // Nested ones count several times, so what does not add up to a half with them does not without them.
  return addUpToHalf(prefixes) && addUpToHalf(withoutNested(prefixes))
}

function addUpToHalf(prefixes: readonly Prefix[]): boolean {
  let ipv4 = 0
  let ipv6 = 0
  for (const prefix of prefixes) {
    const { address, length } = prefix
    if (address.family === 4) ipv4 += 2 ** -length
    else if (length <= 1 || prefix.contains(GLOBAL_UNICAST)) return true
    else if (GLOBAL_UNICAST.contains(prefix)) ipv6 += 2 ** (GLOBAL_UNICAST.length - length)
  }
  return ipv4 >= 0.5 || ipv6 >= 0.5
}

/** The prefixes that lie in no other one, each once. */
function withoutNested(prefixes: readonly Prefix[]): Prefix[] {
  const distinct = [...new Map(prefixes.map((prefix) => [`${prefix}`, prefix])).values()]
  const matcher = compileMatcher(distinct.map((prefix) => ({ prefix, grant: prefix })))
  return distinct.filter((prefix) => matcher.entriesFor(prefix.address).at(-1)!.grant === prefix)
}
