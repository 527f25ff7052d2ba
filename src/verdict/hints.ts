import type { UnresolvedReason } from '../client-ip/unresolved.js'
import type { Grant } from '../directory/directory.js'

/** Where the client IP comes from, as far as hints name it. */
export interface ClientIpOrigin {
  /** The header that the resolver reads; null where the framework or a function tells the client IP. */
  readonly header: string | null
  /** How to make the proxy known, as a sentence. */
  readonly trustFix: (peer: string) => string
}

const list = (names: Iterable<string>) => [...new Set(names)].join(', ')

export function notListed(revision: string, retrieved: string): string {
  return (
    `The address is not on MoEngage's list of ${retrieved} (revision ${revision}). If the request is genuine: has MoEngage ` +
    'enabled static IPs for this channel, and has its list changed since?'
  )
}

export function staleList(revision: string, retrieved: string): string {
  return (
    `The address is on the list, but the list is stale: it was taken on ${retrieved} (revision ${revision}), and ` +
    'rejectWhenStale is set. Load a newer one.'
  )
}

export function otherDataCenter(grants: readonly Grant[], accepted: readonly string[]): string {
  const own = list(grants.map((grant) => grant.dataCenter))
  return (
    `The address is MoEngage's, but of ${own}; this route accepts ${accepted.join(', ')}. If your workspace is in ${own}, ` +
    'add it to "dataCenters".'
  )
}

export function otherChannel(grants: readonly Grant[], accepted: readonly string[]): string {
  return (
    `The address is of your data center, but published for ${list(grants.map((grant) => grant.channel))}; this route ` +
    `accepts ${accepted.join(', ')}. MoEngage may use any address of a data center: consider channels: 'all'.`
  )
}

export const DENIED = 'The address is in your "deny" list.'

export function proxyNotConfigured(peer: string, { trustFix }: ClientIpOrigin): string {
  return (
    `${peer} is an internal address and the request carries a forwarded header, so it seems to be your proxy, and every ` +
    `sender looks like ${peer}. If it is: ${trustFix(peer)}`
  )
}

export function otherHeader(peer: string, header: string, present: string): string {
  return (
    `The trusted proxy ${peer} sends ${present}, not ${header}, so every sender looks like ${peer}. Set clientIp.header to ` +
    'the one header that the proxy itself writes.'
  )
}

/** The words for every way in which a client IP can be unresolved, where `header` is read. */
export function unresolvedHints(header: string | null): Record<UnresolvedReason, string> {
  const name = header ?? 'the forwarded header'
  return {
    'no-peer':
      'The connection has no address: it was closed early, or came in over a unix socket. If that is your proxy, add ' +
      "'unix' to clientIp.trustedProxies and let it send the header.",
    'invalid-peer':
      'The address of the connection cannot be read as one; an address with a zone (fe80::1%eth0) has none.',
    'header-missing': `A trusted proxy sent no ${name}, which requireHeader demands: the header was removed on the way, or the proxy does not write it.`,
    'invalid-entry': `An entry of ${name} that decides is malformed: what your proxy wrote there is no address.`,
    'hidden-client': `A trusted proxy keeps the client's address to itself ("unknown" or "_…" in ${name}).`,
    'several-addresses': `${name} holds one address, but came with several: your proxy must replace what clients send.`,
    'too-many-hops': `${name} names more than 32 trusted proxies in a row: somebody forges them.`,
    'too-many-headers':
      'The request has as many header lines as Node keeps, so the line that your proxy wrote may be missing. No sender of ' +
      'MoEngage sends that many.',
    'no-answer': 'Nobody could tell the client IP: request.ip or your clientIp function gave nothing.',
    'invalid-answer':
      'What request.ip or your clientIp function gave is no address (does it carry a port?). ' +
      'clientIp: { trustedProxies: [...] } reads what proxies write.'
  }
}

/**
 * How to make a proxy known, by the way in which the client IP is told.
 *
 * @param frameworkFix what else can be done where the framework tells it
 */
export function trustFix(clientIp: unknown, frameworkFix: string): (peer: string) => string {
  if (clientIp === 'trusted-proxies') return (peer) => `add '${peer}' to clientIp.trustedProxies.`
  if (typeof clientIp === 'function') return () => 'let your clientIp function read the header of that proxy.'
  return (peer) => `pass clientIp: { trustedProxies: ['${peer}'] }${frameworkFix}.`
}
