import type { IncomingHttpHeaders } from 'node:http'
import { type Family, formatWords, readAddress, words } from '../ip/address.js'
import { compileMatcher, type Matcher } from '../ip/matcher.js'
import type { Prefix } from '../ip/prefix.js'
import { entry } from './entry.js'
import { readForwardedHop } from './forwarded.js'
import { type ReadHop, readListHop } from './hops.js'
import { readSingle, readViewerAddress } from './single.js'
import {
  HEADER_MISSING,
  HIDDEN_CLIENT,
  INVALID_ENTRY,
  INVALID_PEER,
  NO_PEER,
  TOO_MANY_HOPS,
  type Unresolved
} from './unresolved.js'

/** The `Headers` of a Fetch `Request`, as far as they are read. */
export interface FetchHeaders {
  /** The lines of a header joined by commas, or null. */
  get(name: string): string | null
}

/**
 * Request headers: Node's object (`request.headers`), its flat list (`request.rawHeaders`) where the order of repeated
 * lines matters, or the `Headers` of a Fetch `Request`.
 */
export type HeadersInput = IncomingHttpHeaders | readonly string[] | FetchHeaders

/** The peer of a request that came in over a unix socket, which has no address. */
export const UNIX_PEER = 'unix'

/** Checked settings of a {@link ClientIpResolver}. */
export interface ClientIpSettings {
  readonly trustedProxies: readonly (Prefix | string)[]
  readonly trustUnix: boolean
  /** The one header that is read, in lower case. */
  readonly header: string
  readonly requireHeader: boolean
}

/** Nobody has more proxies in a row; 16 KB of forged trusted hops would cost 2 ms to walk. */
const MAX_TRUSTED_HOPS = 32

/** How each header is read; a header that is not named here holds a single address. */
const LISTS: ReadonlyMap<string, ReadHop> = new Map([
  ['x-forwarded-for', readListHop],
  ['forwarded', readForwardedHop]
])

/** Whether a header lists every hop, so that trusted ones are skipped. */
export function isList(header: string): boolean {
  return LISTS.has(header)
}

/** Tells the client IP of a request from its peer and one header, which only trusted proxies are believed. */
export class ClientIpResolver {
  readonly #trusted: Matcher<true>
  readonly #settings: ClientIpSettings
  readonly #readHop: ReadHop | undefined
  /** The peer that was found trusted last: behind a proxy it is nearly always the same. */
  #trustedPeer: string | undefined
  /**
   * The trusted hops that were walked past last, from the comma before them on, and how many they are: the proxies in front
   * of a server are nearly always the same, and comparing their text is worth 40 ns a hop.
   */
  #trustedTail = ''
  #tailHops = 0
  /** The text that the client IP was read from last, the peer's or the header's; where it stands in it is in `entry`. */
  #text = ''
  #family: Family = 0

  constructor(settings: ClientIpSettings) {
    this.#settings = settings
    this.#trusted = compileMatcher(settings.trustedProxies.map((prefix) => ({ prefix, grant: true as const })))
    this.#readHop = LISTS.get(settings.header)
  }

  /**
   * The family of the client IP, with its words in the shared ones; or why there is none. Its text is made by
   * {@link lastClientIp}, only where it is needed.
   */
  resolve(peer: string | null | undefined, headers: HeadersInput): 4 | 6 | Unresolved {
    if (!peer) return NO_PEER
    if (peer === UNIX_PEER) {
      if (!this.#settings.trustUnix) return NO_PEER
    } else if (peer !== this.#trustedPeer) {
      const client = this.readClient(peer)
      if (typeof client !== 'number' || this.#trusted.findLast(client) === 0) return client
      this.#trustedPeer = peer
    }
    const text = headerText(headers, this.#settings.header)
    if (text !== undefined) return this.#readHop === undefined ? this.#single(text) : this.#walk(text, this.#readHop)
    if (this.#settings.requireHeader) return HEADER_MISSING
    return peer === UNIX_PEER ? NO_PEER : this.readClient(peer)
  }

  /** Takes a text that somebody else resolved for the client IP. */
  readClient(text: string): 4 | 6 | Unresolved {
    const family = readAddress(text, 0, text.length)
    if (family === 0) return INVALID_PEER
    entry.start = 0
    entry.end = text.length
    return this.#found(text, family)
  }

  /** The canonical text of the client IP that was resolved last. */
  lastClientIp(): string {
    return clientText(this.#text, entry.start, entry.end, this.#family)
  }

  /** Whether a proxy at this address would be believed. */
  trusts(peer: string): boolean {
    return this.#trusted.find(peer) !== 0
  }

  /** From the right, past the trusted hops, to the first that is not; nothing left of it is looked at. */
  #walk(text: string, readHop: ReadHop): 4 | 6 | Unresolved {
    const knownHops = this.#trustedTail !== '' && text.endsWith(this.#trustedTail) ? this.#tailHops : 0
    let end = knownHops === 0 ? text.length : text.length - this.#trustedTail.length
    for (let hops = knownHops; hops <= MAX_TRUSTED_HOPS; hops++) {
      const family = readHop(text, end)
      if (family === 0) return isHidden(text) ? HIDDEN_CLIENT : INVALID_ENTRY
      if (entry.comma < 0 || this.#trusted.findLast(family) === 0) {
        if (hops > knownHops) this.#rememberTail(text, end, hops)
        return this.#found(text, family)
      }
      end = entry.comma
    }
    return TOO_MANY_HOPS
  }

  #rememberTail(text: string, start: number, hops: number): void {
    this.#trustedTail = text.slice(start)
    this.#tailHops = hops
  }

  #single(text: string): 4 | 6 | Unresolved {
    const family = this.#settings.header === 'cloudfront-viewer-address' ? readViewerAddress(text) : readSingle(text)
    return typeof family === 'number' ? this.#found(text, family) : family
  }

  #found(text: string, family: 4 | 6): 4 | 6 {
    this.#text = text
    this.#family = family
    return family
  }
}

/** The lines of a header, in order, as one text; undefined when there is none. */
export function headerText(headers: HeadersInput, name: string): string | undefined {
  if (!Array.isArray(headers)) {
    const value: unknown = (headers as IncomingHttpHeaders)[name]
    if (typeof value === 'string') return value
    if (Array.isArray(value)) return value.join()
    // A header may be named like something that every object inherits, but no header's value is a function.
    const { get } = headers as FetchHeaders
    return typeof get === 'function' ? (get.call(headers, name) ?? undefined) : undefined
  }
  let text: string | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.length !== name.length || headers[i]!.toLowerCase() !== name) continue
    text = text === undefined ? headers[i + 1]! : `${text},${headers[i + 1]!}`
  }
  return text
}

/** What RFC 7239 section 6 provides for proxies that keep addresses to themselves, in either header. */
function isHidden(text: string): boolean {
  const shown = text.slice(entry.start, Math.min(entry.end, entry.start + 8))
  return shown.startsWith('_') || shown.toLowerCase() === 'unknown'
}

/** The canonical text of an address that stands in `[start, end)`. Dotted decimal, strictly read, is canonical as it is. */
function clientText(text: string, start: number, end: number, family: Family): string {
  return family === 4 && end > start && isDotted(text, start)
    ? text.slice(start, end)
    : formatWords(family as 4 | 6, words)
}

const DOT = 46
const COLON = 58

/** Whether an IPv4 address is written as one, and not as an IPv4-mapped IPv6 address, whose first dot comes later. */
function isDotted(text: string, start: number): boolean {
  return (
    text.charCodeAt(start) !== COLON &&
    (text.charCodeAt(start + 1) === DOT || text.charCodeAt(start + 2) === DOT || text.charCodeAt(start + 3) === DOT)
  )
}
