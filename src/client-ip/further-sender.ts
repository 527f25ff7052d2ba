import { ParsedAddress } from '../ip/address.js'
import { isHidden, parseListHop } from './hops.js'
import { hopParserOf, MAX_TRUSTED_HOPS } from './resolver.js'

/** What a forwarded header says of a further sender, for whom a client forwarded the request. */
export type FurtherSender = 'left-of-client' | 'elsewhere' | 'hidden' | 'none'

/** A hop that a header names. */
interface Hop {
  /** In canonical text; undefined where it is hidden, or cannot be read. */
  readonly address: string | undefined
  /** Whether it is a proxy, which may stand alone in a header. */
  readonly isKnown: boolean
}

/** The hops of a header, the last one first. */
interface Hops {
  readonly hops: readonly Hop[]
  /** The hop that the others stand right of; undefined where the list is too long to be read. */
  readonly first: Hop | undefined
}

/**
 * Looks in forwarded headers for somebody else than a client: an address, or a text that hides one. A proxy that appends to a list writes
 * its client there as well, so in a list with the client only what stands left of it counts. The client is the first one from the right with
 * its address: the hops right of it are proxies that are trusted. Where the client begins a list, the others are proxies between.
 *
 * @param headers names in lower case, with their texts
 * @param isKnown whether an address is that of a proxy, which may stand alone in a header
 * @returns one answer for each header
 */
export function furtherSenders(
  headers: readonly (readonly [name: string, text: string])[],
  client: string,
  isKnown: (hop: ParsedAddress) => boolean
): FurtherSender[] {
  const read = headers.map(([name, text]) => hopsIn(text, name, isKnown))
  const begun = read.filter(({ first }) => first?.address === client)
  const between = new Set(begun.flatMap(({ hops }) => hops.map(({ address }) => address)))
  return read.map((one) => (begun.includes(one) ? 'none' : placeIn(one.hops, client, between)))
}

function placeIn(hops: readonly Hop[], client: string, between: ReadonlySet<string | undefined>): FurtherSender {
  let found: FurtherSender = 'none'
  for (const [place, { address, isKnown }] of hops.entries()) {
    if (address === client) return hops.slice(place).some((hop) => hop.address !== client) ? 'left-of-client' : 'none'
    if (address === undefined) found = found === 'none' ? 'hidden' : found
    else if (!(isKnown || between.has(address))) found = 'elsewhere'
  }
  return found
}

function hopsIn(text: string, header: string, isKnown: (hop: ParsedAddress) => boolean): Hops {
  // Some are lists that the resolver does not know, since no recipe reads them.
  const parseHop = header.endsWith('forwarded-for') ? parseListHop : hopParserOf(header)
  const hops: Hop[] = []
  const hop = new ParsedAddress()
  let end = text.length
  // Entries without a hop count as well: a stranger may send thousands of commas.
  for (let walked = 0; end >= 0 && walked <= MAX_TRUSTED_HOPS; walked++) {
    const last = end
    end = parseHop(text, last, hop)
    let entry = text.slice(Math.max(end, 0), last)
    if (header === 'forwarded' && hop.family === 0 && !isHidden(hop)) {
      // Platforms write elements that RFC 7239 does not allow, and elements that name nobody.
      end = last === 0 ? -1 : text.lastIndexOf(',', last - 1)
      entry = FOR.exec(text.slice(end + 1, last))?.[1] ?? ''
      parseListHop(entry, entry.length, hop)
    }
    if (hop.family !== 0) hops.push({ address: hop.toString(), isKnown: isKnown(hop) })
    else if (!NOBODY.test(entry)) hops.push(HIDDEN)
  }
  return { hops, first: end < 0 ? hops.at(-1) : undefined }
}

const HIDDEN: Hop = { address: undefined, isKnown: false }

/** An empty entry, and what nginx writes of a peer on a unix socket. */
const NOBODY = /^[\s,]*(?:unix:\s*)?$/

/** Whom an element of Forwarded names. */
const FOR = /(?:^|;)\s*for\s*=\s*"?([^";]*)/i
