import type { Family } from '../ip/address.js'
import { compileMatcher } from '../ip/matcher.js'
import { type HeadersInput, headerText, isList } from './resolver.js'

/** Private, loopback, link-local and carrier-grade NAT space: where proxies stand, and no sender of MoEngage's. */
const INTERNAL = compileMatcher(
  [
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '127.0.0.0/8',
    '169.254.0.0/16',
    '100.64.0.0/10',
    '::1/128',
    'fc00::/7',
    'fe80::/10'
  ].map((prefix) => ({ prefix, grant: true }))
)

/** Headers by which proxies hand on the client's address. */
const FORWARDED_HEADERS = [
  'x-forwarded-for',
  'forwarded',
  'x-real-ip',
  'cf-connecting-ip',
  'true-client-ip',
  'cloudfront-viewer-address',
  'fastly-client-ip',
  'fly-client-ip',
  'x-azure-clientip',
  'x-azure-socketip'
]

/** Whether the address that was read last is one that no sender on the internet has. */
export function isInternalLast(family: Family): boolean {
  return INTERNAL.findLast(family) !== 0
}

/** The first header of the request that says it was forwarded; `own` is one that the user declared. */
export function forwardedHeader(headers: HeadersInput, own: string | null): string | undefined {
  const names = own === null ? FORWARDED_HEADERS : [own, ...FORWARDED_HEADERS]
  return names.find((name) => headerText(headers, name) !== undefined)
}

/** Whether a header that lists hops names more than one. */
export function listsSeveral(headers: HeadersInput, own: string | null): boolean {
  const name = own ?? 'x-forwarded-for'
  return isList(name) && (headerText(headers, name)?.includes(',') ?? false)
}
