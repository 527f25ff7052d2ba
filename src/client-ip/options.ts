import { OptionsError } from '../errors.js'
import { ParsedAddress } from '../ip/address.js'
import type { Prefix } from '../ip/prefix.js'
import { checkNames, mistake, type Report, shown } from '../lib/option-reader.js'
import type { Problem } from '../problem.js'
import type { HeadersInput } from './headers.js'
import { mayLackHeaders } from './incoming.js'
import { ClientIpResolver, isList } from './resolver.js'
import { readTrustedProxies } from './trusted-proxies.js'
import { type Failure, TOO_MANY_HEADERS, type Unresolved } from './unresolved.js'

/** How to tell the client IP by our own resolver. */
export interface ClientIpOptions {
  /**
   * The proxies that are believed: addresses, prefixes, the names `loopback`, `linklocal`, `uniquelocal`, `unix` for
   * connections over a unix socket, and the presets `cloudflare`, `fastly`, `google-cloud-load-balancing`. A header from
   * anyone else is ignored.
   */
  readonly trustedProxies: readonly string[]
  /**
   * The one header that is read (`'x-forwarded-for'`). `forwarded` is read as RFC 7239 has it and
   * `cloudfront-viewer-address` as CloudFront writes it; every other name is a header with a single address.
   */
  readonly header?: string | undefined
  /** Whether a trusted proxy that sends no such header leaves the client unresolved (`false`: it is the client itself). */
  readonly requireHeader?: boolean | undefined
}

/** Reads the options of the resolver alone. */
export function readResolver(
  options: ClientIpOptions,
  path: string,
  refuse: Report,
  warn: Report
): { resolver: ClientIpResolver; header: string; trustedProxies: readonly Prefix[] } {
  const at = (name: string) => (path === '' ? name : `${path}.${name}`)
  checkNames(options, ['trustedProxies', 'header', 'requireHeader'], path, refuse)
  const { header = 'x-forwarded-for', requireHeader = false } = options
  const trusted = readTrustedProxies(options.trustedProxies, at('trustedProxies'), refuse, warn)
  if (Array.isArray(options.trustedProxies) && options.trustedProxies.length === 0) {
    warn({
      code: 'MOE_WARN_TRUSTED_PROXIES',
      path: at('trustedProxies'),
      value: options.trustedProxies,
      message: 'The list is empty, so no header is ever read and the client is always the peer.',
      fix: `Add your proxies, or write clientIp: 'request.ip'.`
    })
  }
  const name = typeof header === 'string' ? header.toLowerCase() : ''
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
    const near = name.trim().replaceAll(/:$/g, '').replaceAll(/\s+/g, '-')
    refuse(
      mistake(
        at('header'),
        header,
        `${shown(header)} is not a header name.`,
        `Write one name, like '${near || 'x-forwarded-for'}'.`
      )
    )
  }
  warnOfHeader(name, options.trustedProxies, at('header'), warn)
  if (typeof requireHeader !== 'boolean') {
    refuse(
      mistake(
        at('requireHeader'),
        requireHeader,
        `${shown(requireHeader)} is neither true nor false.`,
        'Write true or false.'
      )
    )
  }
  const { prefixes, unix } = trusted
  return {
    resolver: new ClientIpResolver({ trustedProxies: prefixes, trustUnix: unix, header: name, requireHeader }),
    header: name,
    trustedProxies: prefixes
  }
}

/** Headers that clients can set where the provider was not told to replace them, by the providers' own documentation. */
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

function warnOfHeader(header: string, trustedProxies: unknown, path: string, warn: Report): void {
  const surprise = (message: string, fix: string) => {
    warn({ code: 'MOE_WARN_TRUSTED_PROXIES', path, value: header, message, fix })
  }
  const forgeable = FORGEABLE.get(header)
  if (forgeable !== undefined) surprise(...forgeable)
  const shared = SHARED_EDGES.find((name) => Array.isArray(trustedProxies) && trustedProxies.includes(name))
  if (shared !== undefined && isList(header)) {
    surprise(
      `Other customers' code can send from the addresses of ${shared}, and a list skips them as trusted hops.`,
      'Read the single-address header of the provider, as its page in docs/recipes shows.'
    )
  }
}

/** The client IP that was told. */
export interface ResolvedClientIp {
  /** In canonical text: `::ffff:3.6.251.95` is `3.6.251.95`. */
  readonly clientIp: string
}

/**
 * Tells the client IP of a request.
 *
 * @param peer the socket's remote address, or `'unix'` for a connection over a unix socket
 * @param headers `request.headers`, or `request.rawHeaders` where order and repeats matter
 */
export type ResolveClientIp = (peer: string | null | undefined, headers: HeadersInput) => ResolvedClientIp | Unresolved

/**
 * Makes a function that tells the client IP behind your own proxies: the first address from the right that is not one of
 * them. What cannot be read, or was hidden, is never skipped: then there is no client IP, and a reason.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options
 * @example
 * const resolve = createClientIpResolver({ trustedProxies: ['10.0.0.0/8'] })
 * resolve('10.0.0.1', { 'x-forwarded-for': '6.6.6.6, 3.6.251.95' }) // { clientIp: '3.6.251.95' }
 * resolve('10.0.0.1', { 'x-forwarded-for': '3.6.251.95, unknown' }) // { clientIp: null, reason: 'hidden-client' }
 */
export function createClientIpResolver(options: ClientIpOptions): ResolveClientIp {
  const mistakes: Problem[] = []
  const { resolver } = readResolver(
    options,
    '',
    (problem) => mistakes.push(problem),
    () => {}
  )
  if (mistakes.length > 0) throw new OptionsError(mistakes, options)
  const client = new ParsedAddress()
  return (peer, headers) => {
    const failure: Failure | null = mayLackHeaders({ peer, headers })
      ? TOO_MANY_HEADERS
      : resolver.resolve(peer, headers, client)
    if (failure === null) return { clientIp: client.toString() }
    return Object.freeze({ clientIp: null, reason: failure.reason as Unresolved['reason'] })
  }
}
