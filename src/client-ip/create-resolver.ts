import { OptionsError, type Problem } from '../errors.js'
import { checkNames, mistake, type Report, shown } from '../mistakes.js'
import type { Prefix } from '../net/prefix.js'
import { ClientIpResolver, type HeadersInput } from './resolve.js'
import { readTrustedProxies } from './trusted-proxies.js'
import type { Unresolved } from './unresolved.js'

/** How to tell the client IP by our own resolver. */
export interface ClientIpOptions {
  /**
   * The proxies that are believed: addresses, prefixes, the names `loopback`, `linklocal`, `uniquelocal`, and `unix` for
   * connections over a unix socket. A header from anyone else is ignored.
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
  if (typeof header !== 'string' || !/^[a-z0-9!#$%&'*+.^_`|~-]+$/i.test(header)) {
    const name = String(header).trim().replaceAll(/:$/g, '').replaceAll(/\s+/g, '-').toLowerCase()
    refuse(
      mistake(
        at('header'),
        header,
        `${shown(header)} is not a header name.`,
        `Write one name, like '${name || 'x-forwarded-for'}'.`
      )
    )
  }
  if (String(header).toLowerCase() === 'x-azure-clientip') {
    warn({
      code: 'MOE_WARN_TRUSTED_PROXIES',
      path: at('header'),
      value: header,
      message:
        'Clients can set X-Azure-ClientIP; Front Door writes the address that connected to it into X-Azure-SocketIP.',
      fix: `Write 'x-azure-socketip'.`
    })
  }
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
  const name = String(header).toLowerCase()
  const { prefixes, unix } = trusted
  return {
    resolver: new ClientIpResolver({ trustedProxies: prefixes, trustUnix: unix, header: name, requireHeader }),
    header: name,
    trustedProxies: prefixes
  }
}

/**
 * Tells the client IP of a request.
 *
 * @param peer the socket's remote address, or `'unix'` for a connection over a unix socket
 * @param headers `request.headers`, or `request.rawHeaders` where order and repeats matter
 */
export type ResolveClientIp = (
  peer: string | null | undefined,
  headers: HeadersInput
) => { readonly clientIp: string } | Unresolved

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
  return (peer, headers) => {
    const client = resolver.resolve(peer, headers)
    return typeof client === 'string' ? { clientIp: client } : client
  }
}
