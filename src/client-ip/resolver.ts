import type { ParsedAddress } from '../ip/address.js'
import { compileMatcher, type Matcher } from '../ip/matcher.js'
import type { Prefix } from '../ip/prefix.js'
import { parseForwardedHop } from './forwarded.js'
import { isHidden, MAX_ENTRY, type ParseHop, parseListHop, parseSingle, parseViewerAddress, trimEnd } from './hops.js'
import { headerText, type Incoming, UNIX_PEER } from './incoming.js'
import {
  type Failure,
  HEADER_MISSING,
  HIDDEN_CLIENT,
  INVALID_ENTRY,
  INVALID_PEER,
  NO_PEER,
  SEVERAL_ADDRESSES,
  TOO_MANY_HOPS
} from './unresolved.js'

/** Checked settings of a {@link ClientIpResolver}. */
export interface ClientIpSettings {
  readonly trustedProxies: readonly Prefix[]
  readonly trustUnix: boolean
  /** The one header that is read, in lower case. */
  readonly header: string
  readonly requireHeader: boolean
}

/** Nobody has more proxies in a row; 16 KB of forged trusted hops would cost 2 ms to walk. */
export const MAX_TRUSTED_HOPS = 32

/** How each header is parsed; a header that is not named here holds a single address. */
const LISTS: ReadonlyMap<string, ParseHop> = new Map([
  ['x-forwarded-for', parseListHop],
  ['forwarded', parseForwardedHop]
])

/** Whether a header lists every hop, so that trusted ones are skipped. */
export function isList(header: string): boolean {
  return LISTS.has(header)
}

/** How the hops of a header are parsed, from the right. */
export function hopParserOf(header: string): ParseHop {
  return LISTS.get(header) ?? onlyHop(header)
}

/** Parses a header with a single address as a list of one hop. */
function onlyHop(header: string): ParseHop {
  return (text, end, hop) => {
    singleParser(header)(text, trimEnd(text, end), hop)
    return -1
  }
}

/** How a header with a single address is parsed. */
function singleParser(header: string): typeof parseSingle {
  return header === 'cloudfront-viewer-address' ? parseViewerAddress : parseSingle
}

/** Our own source of the client IP: the peer and one header, which is believed of trusted proxies only. */
export class ClientIpResolver {
  readonly settings: ClientIpSettings
  readonly #trusted: Matcher<true>
  readonly #parseHop: ParseHop | undefined
  /** The peer that was found trusted last: behind a proxy it is nearly always the same. */
  #trustedPeer: string | undefined
  /**
   * The trusted hops that were walked past last, from the comma before them on, and how many they are: the proxies in front
   * of a server are nearly always the same, and comparing their text is worth 40 ns a hop.
   */
  #trustedTail = ''
  #tailHops = 0

  constructor(settings: ClientIpSettings) {
    this.settings = settings
    this.#trusted = compileMatcher(settings.trustedProxies.map((prefix) => ({ prefix, grant: true as const })))
    this.#parseHop = LISTS.get(settings.header)
  }

  /**
   * Resolves the client IP into `client`, or returns why there is none.
   *
   * Whoever brings `headers` may run code when they are read, and that code may resolve another request: nothing that was
   * parsed before is used after it.
   */
  resolve(_request: unknown, { peer, headers }: Incoming, client: ParsedAddress): Failure | null {
    if (!peer) return NO_PEER
    if (peer === UNIX_PEER) {
      if (!this.settings.trustUnix) return NO_PEER
    } else if (peer !== this.#trustedPeer) {
      const failure = parsePeer(peer, client)
      // What failed to be parsed is not trusted either.
      if (!this.trusts(client)) return failure
      this.#trustedPeer = peer
    }
    const { header, requireHeader } = this.settings
    const text = headerText(headers, header)
    if (text !== undefined) {
      return this.#parseHop === undefined ? this.#single(text, client) : this.#walk(text, this.#parseHop, client)
    }
    if (requireHeader) return HEADER_MISSING
    return peer === UNIX_PEER ? NO_PEER : parsePeer(peer, client)
  }

  /** Whether a proxy at this address is believed. */
  trusts(address: ParsedAddress): boolean {
    return this.#trusted.lookup(address) !== 0
  }

  /** From the right, past the trusted hops, to the first that is not; nothing left of it is looked at. */
  #walk(text: string, parseHop: ParseHop, client: ParsedAddress): Failure | null {
    const knownHops = this.#trustedTail !== '' && text.endsWith(this.#trustedTail) ? this.#tailHops : 0
    let end = knownHops === 0 ? text.length : text.length - this.#trustedTail.length
    for (let hops = knownHops; hops <= MAX_TRUSTED_HOPS; hops++) {
      const comma = parseHop(text, end, client)
      if (client.family === 0) return isHidden(client) ? HIDDEN_CLIENT : INVALID_ENTRY
      if (comma < 0 || !this.trusts(client)) {
        if (hops > knownHops) {
          this.#trustedTail = text.slice(end)
          this.#tailHops = hops
        }
        return null
      }
      end = comma
    }
    return TOO_MANY_HOPS
  }

  /** Two values, or two lines, are two claims: nobody knows whose is which. */
  #single(text: string, client: ParsedAddress): Failure | null {
    const end = trimEnd(text, text.length)
    if (end > MAX_ENTRY) return INVALID_ENTRY
    if (text.includes(',')) return SEVERAL_ADDRESSES
    return singleParser(this.settings.header)(text, end, client) === 0 ? INVALID_ENTRY : null
  }
}

/**
 * Parses the address of a peer without the zone that Node adds to a link-local address (`fe80::1%eth0`): the name of an interface
 * is no part of what can be trusted. Every other zone stays, and makes the peer invalid.
 */
export function parsePeer(peer: string, client: ParsedAddress): Failure | null {
  return client.parse(peer, 0, hasZone(peer) ? peer.indexOf('%') : peer.length) === 0 ? INVALID_PEER : null
}

/** Whether a peer is a link-local address with a zone. */
export function hasZone(peer: string): boolean {
  return peer.charCodeAt(0) === LETTER_F && LINK_LOCAL_ZONE.test(peer)
}

const LETTER_F = 102
/** `fe80::/10`, as Node writes it. */
const LINK_LOCAL_ZONE = /^fe[89ab][0-9a-f]:[0-9a-f:]*%[^%]+$/
