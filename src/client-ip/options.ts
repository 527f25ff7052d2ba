import { ParsedAddress } from '../ip/address.js'
import type { Prefix } from '../ip/prefix.js'
import type { Option, OptionTable } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import { flag } from '../lib/option-rules.js'
import { shown } from '../lib/text.js'
import { checkIncoming } from './given.js'
import { FORWARDED_HEADERS, type HeadersInput, mayLackHeaders } from './incoming.js'
import { ClientIpResolver, hasZone, isList } from './resolver.js'
import {
  DEFAULT_HEADER,
  NO_TRUSTED_PROXIES,
  PROVIDERS,
  readTrustedProxies,
  senderHeaderOf,
  TRUSTED_PROXIES_EXAMPLE,
  writesHeader
} from './trusted-proxies.js'
import { type Failure, INVALID_PEER, TOO_MANY_HEADERS, type Unresolved } from './unresolved.js'

/** How our own resolver finds the client IP. */
export interface ClientIpOptions {
  /**
   * The proxies whose header is read: addresses, prefixes, the names `loopback`, `linklocal`, `uniquelocal`, `unix` for
   * connections over a unix socket, and the presets `cloudflare`, `fastly`, `google-cloud-load-balancing`. The header of any
   * other peer is ignored.
   */
  readonly trustedProxies: readonly string[]
  /**
   * The one header that is read (`'x-forwarded-for'`). `forwarded` is read as RFC 7239 has it and
   * `cloudfront-viewer-address` as CloudFront writes it; every other name is a header with a single address.
   */
  readonly header?: string | undefined
  /**
   * Whether a request that a trusted proxy sends without the header is unresolved (`false`: the proxy itself is the client).
   */
  readonly requireHeader?: boolean | undefined
}

/** The options of the resolver, by name. */
export const CLIENT_IP_OPTIONS = {
  trustedProxies: {
    fallback: NO_TRUSTED_PROXIES,
    example: TRUSTED_PROXIES_EXAMPLE,
    required: `Write trustedProxies: ${TRUSTED_PROXIES_EXAMPLE}, the addresses from which your proxies connect.`,
    aliases: ['trustProxy', 'trustedProxy', 'proxies'],
    decidesTrust: true,
    read: readTrustedProxies
  },
  header: { fallback: DEFAULT_HEADER, example: `'${DEFAULT_HEADER}'`, decidesTrust: true, read: readHeader },
  requireHeader: { ...flag(false), decidesTrust: true }
} satisfies OptionTable

/** A resolver, and what others must know of its options. */
export interface ReadResolver {
  readonly resolver: ClientIpResolver
  readonly header: string
  readonly trustedProxies: readonly Prefix[]
}

/** Makes the resolver of the options. */
export function readResolver(reader: OptionReader<typeof CLIENT_IP_OPTIONS>): ReadResolver {
  const { trustedProxies, header, requireHeader } = reader.readAll()
  const { prefixes, unix, names } = trustedProxies
  warnOfHeader(header, names, reader.optionAt('header', header))
  return {
    resolver: new ClientIpResolver({ trustedProxies: prefixes, trustUnix: unix, header, requireHeader }),
    header,
    trustedProxies: prefixes
  }
}

/** Headers that clients send, and in which no proxy writes their address. */
const OF_CLIENTS =
  /^(?:(?:proxy-)?authorization|connection|cookie|date|expect|from|host|origin|pragma|range|referer|te|trailer|transfer-encoding|upgrade|user-agent|(?:accept|cache|content|if|sec)(?:-[a-z-]+)?|x-forwarded-(?:host|port|proto)|x-requested-with)$/

/** A name as HTTP allows it. */
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/

function readHeader(option: Option): string | undefined {
  const { value } = option
  // One name in a list is answered like the name.
  const only: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
  const text = typeof only === 'string' ? only.toLowerCase() : ''
  const other = `Write '${DEFAULT_HEADER}', or another header in which your proxy writes the address.`
  const meant = fromEnvironment(text)
  if (meant !== undefined) {
    return option.refuse(`${shown(value)} is how CGI and logs write a header.`, `Did you mean "${meant}"?`)
  }
  if (PEER_VARIABLE.test(text))
    return option.refuse(`${shown(value)} is the address of the peer, and no header.`, other)
  if (UNFILLED.test(text)) {
    return option.refuse(`${shown(value)} is a variable whose value was not filled in, and no header.`, other)
  }
  if (text.startsWith('$')) return option.refuse(`${shown(value)} is a variable of a proxy, and no header.`, other)
  if (OF_CLIENTS.test(text)) {
    return option.refuse(`${shown(value)} is a header of clients; no proxy writes an address there.`, other)
  }
  if (typeof value === 'string' && HEADER_NAME.test(text)) return text
  // Which of several a proxy writes itself, is not guessed.
  const named = Array.isArray(only) ? only : text.split(/[\s,;]+/).filter((word) => FORWARDED_HEADERS.includes(word))
  if (named.length > 1) return option.refuse(`${shown(value)} is not the name of one header.`, other)
  // What remains of ['X-Real-IP'], "X Real IP" or "X-Real-IP: 10.0.0.1".
  const near = text.split(/[:,;]/)[0]!.trim().replaceAll(/\s+/g, '-')
  const isAccepted = near !== value && option.attempt(near, readHeader).length === 0
  const name = isAccepted && !near.includes(`'`) ? near : DEFAULT_HEADER
  return option.refuse(`${shown(value)} is not the name of one header.`, `Write '${name}'.`)
}

/** A variable of a shell or of a template. */
const UNFILLED = /^\$\{/

/** Where CGI and nginx have the address of the peer. */
const PEER_VARIABLE = /^\$?remote_addr$/

/** The header that is written as a variable of CGI or nginx, such as `HTTP_X_FORWARDED_FOR` or `$http_x_forwarded_for`. */
function fromEnvironment(text: string): string | undefined {
  const name = text.replace(/^\$?(?:http_)?/, '').replaceAll('_', '-')
  return name !== text && FORWARDED_HEADERS.includes(name) ? name : undefined
}

/** Headers that clients can set where the provider was not configured to replace them, by the providers' documentation. */
const FORGEABLE: ReadonlyMap<string, readonly [message: string, fix: string]> = new Map([
  [
    'x-azure-clientip',
    ['Clients can set X-Azure-ClientIP.', `Write 'x-azure-socketip', the address that connected to Front Door.`]
  ],
  [
    'fastly-client-ip',
    [
      'Fastly keeps the Fastly-Client-IP that a client sends, unless your VCL sets it.',
      'Set it in VCL as docs/recipes/fastly.md shows.'
    ]
  ],
  [
    'true-client-ip',
    [
      'Cloudflare keeps the True-Client-IP that a client sends, unless its Managed Transform is on.',
      `At Cloudflare write 'cf-connecting-ip'; elsewhere make sure that your provider replaces it.`
    ]
  ]
])

/** CDNs whose addresses their other customers' code can send from, and so add hops to a list. */
const SHARED_EDGES = ['cloudflare', 'fastly']

function warnOfHeader(header: string, proxies: ReadonlySet<string>, option: Option): void {
  const forgeable = FORGEABLE.get(header)
  if (forgeable !== undefined) option.warn('MOE_WARN_TRUSTED_PROXIES', ...forgeable)
  warnOfClientsHeader(header, proxies, option)
  const shared = SHARED_EDGES.find((name) => proxies.has(name))
  if (shared === undefined || !isList(header)) return
  const message = `Other customers' code can send from the addresses of ${shared}, and a list skips them as trusted hops.`
  const fix = 'Read the single-address header of the provider, as its page in docs/recipes shows.'
  option.warn('MOE_WARN_TRUSTED_PROXIES', message, fix)
}

/** A provider that passes a header on hands over what clients wrote. Somebody may have configured it to write that header. */
function warnOfClientsHeader(header: string, proxies: ReadonlySet<string>, option: Option): void {
  const provider = PROVIDERS.find(({ name }) => proxies.has(name) && !writesHeader(name, header))?.name
  if (provider === undefined) return
  const { header: own, recipe } = senderHeaderOf(provider)
  const message = `${provider} is a trusted proxy, and passes on ${header} as clients send it, unless you configured it to write that header.`
  option.warn(
    'MOE_WARN_TRUSTED_PROXIES',
    message,
    `If ${provider} connects to your server itself, read '${own}', which it writes itself, as ${recipe} shows. If a proxy of yours stands between and writes ${header} itself, remove '${provider}'.`
  )
}

/** The client IP that was resolved. */
export interface ResolvedClientIp {
  /** In canonical text: `::ffff:3.6.251.95` is `3.6.251.95`. */
  readonly clientIp: string
}

/**
 * Resolves the client IP of a request.
 *
 * @param peer the socket's remote address, or `'unix'` for a connection over a unix socket
 * @param headers `request.headers`, or `request.rawHeaders` where order and repeats matter
 */
export type ResolveClientIp = (peer: string | null | undefined, headers: HeadersInput) => ResolvedClientIp | Unresolved

/**
 * Makes a function that resolves the client IP behind your own proxies: the first address from the right that is not one of
 * them. An entry that is malformed or hidden is never skipped: then there is no client IP, and a reason. The function throws an
 * OptionsError where it gets no headers, or a peer that is no text.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options
 * @example
 * const resolve = createClientIpResolver({ trustedProxies: ['10.0.0.0/8'] })
 * resolve('10.0.0.1', { 'x-forwarded-for': '6.6.6.6, 3.6.251.95' }) // { clientIp: '3.6.251.95' }
 * resolve('10.0.0.1', { 'x-forwarded-for': '3.6.251.95, unknown' }) // { clientIp: null, reason: 'hidden-client' }
 */
export function createClientIpResolver(options: ClientIpOptions): ResolveClientIp {
  const reader = OptionReader.open(CLIENT_IP_OPTIONS, options, `Write { trustedProxies: ${TRUSTED_PROXIES_EXAMPLE} }.`)
  reader.checkNames()
  const { resolver } = readResolver(reader)
  reader.throwMistakes()
  const client = new ParsedAddress()
  return (peer, headers) => {
    checkIncoming(peer, headers)
    const incoming = { peer, headers }
    let failure: Failure | null
    if (mayLackHeaders(incoming)) failure = TOO_MANY_HEADERS
    // A guard cuts off the zone that Node adds; a caller that names a peer has written it.
    else if (peer && hasZone(peer)) failure = INVALID_PEER
    else failure = resolver.resolve(undefined, incoming, client)
    if (failure === null) return { clientIp: client.toString() }
    return Object.freeze({ clientIp: null, reason: failure.reason as Unresolved['reason'] })
  }
}
