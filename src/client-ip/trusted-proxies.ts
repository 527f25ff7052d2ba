import { coverHalf } from '../ip/coverage.js'
import { Prefix, parsePrefix, readPrefix } from '../ip/prefix.js'
import type { Report } from '../lib/option-reader.js'
import { suggestion } from '../lib/suggest.js'
import type { Problem } from '../problem.js'
import { UNIX_PEER } from './incoming.js'
import cloudflare from './presets/cloudflare.json' with { type: 'json' }
import fastly from './presets/fastly.json' with { type: 'json' }
import googleCloudLoadBalancing from './presets/google-cloud-load-balancing.json' with { type: 'json' }

/** A provider of proxies, with the prefixes from which they connect to origins. */
export interface Provider {
  readonly name: string
  readonly prefixes: readonly string[]
}

/** Providers that publish few such prefixes; each list is dated and names its source. */
export const PROVIDERS: readonly Provider[] = [cloudflare, fastly, googleCloudLoadBalancing]

/** Names for groups of proxies: `proxy-addr`'s, and those of the presets. */
const NAMED: ReadonlyMap<string, readonly Prefix[]> = new Map(
  [
    { name: 'loopback', prefixes: ['127.0.0.0/8', '::1/128'] },
    { name: 'linklocal', prefixes: ['169.254.0.0/16', 'fe80::/10'] },
    { name: 'uniquelocal', prefixes: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'] },
    ...PROVIDERS
  ].map(({ name, prefixes }) => [name, prefixes.map(parsePrefix)])
)

/** What a list of trusted proxies stands for. */
export interface TrustedProxies {
  readonly prefixes: readonly Prefix[]
  /** Whether a unix socket's peer is trusted, which has no address. */
  readonly unix: boolean
}

/**
 * Reads a list of trusted proxies: addresses, prefixes and names. Refuses what would trust everyone, warns of what may
 * hold strangers.
 */
export function readTrustedProxies(value: unknown, path: string, refuse: Report, warn: Report): TrustedProxies {
  if (!Array.isArray(value)) {
    refuse(notAList(value, path))
    return { prefixes: [], unix: false }
  }
  const prefixes: Prefix[] = []
  for (const [i, text] of value.entries()) {
    if (text === UNIX_PEER) continue
    const place = `${path}[${i}]`
    const named = typeof text === 'string' ? NAMED.get(text.toLowerCase()) : undefined
    if (named !== undefined) {
      prefixes.push(...named)
      continue
    }
    const prefix = readPrefix(text)
    if (!(prefix instanceof Prefix)) {
      refuse({ code: 'MOE_ERR_PREFIX', path: place, value: text, ...prefix, ...meantName(text) })
      continue
    }
    prefixes.push(prefix)
    warnOfStrangers(prefix, text, place, warn)
  }
  if (coverHalf(prefixes)) {
    refuse({
      code: 'MOE_ERR_TRUSTS_EVERYONE',
      path,
      value,
      message: 'It trusts half of the internet or more, so any sender could choose its own address with one header.',
      fix: 'List the addresses of your proxies only.'
    })
  } else {
    warnOfWidth(prefixes, value, path, warn)
  }
  return { prefixes, unix: value.includes(UNIX_PEER) }
}

function notAList(value: unknown, path: string): Problem {
  const fix = `List the addresses of your proxies: ['10.0.1.0/24'].`
  const code = value === true || typeof value === 'function' ? 'MOE_ERR_TRUSTS_EVERYONE' : 'MOE_ERR_OPTION_VALUE'
  if (value === true) {
    return { code, path, value, message: 'true trusts every peer, so any sender could choose its own address.', fix }
  }
  if (typeof value === 'number') {
    const message = `${value} is a hop count; it cannot tell your proxy from a stranger who connects directly.`
    return { code, path, value, message, fix }
  }
  if (typeof value === 'function') {
    return { code, path, value, message: 'A function may trust strangers, and nobody could tell.', fix }
  }
  if (typeof value === 'string') {
    return { code, path, value, message: `It must be a list, not a text.`, fix: `Write ['${value}'].` }
  }
  return { code, path, value, message: 'It must be a list of addresses, prefixes and names.', fix }
}

/** A word that is none of the names, but near one. */
function meantName(text: unknown): { fix?: string } {
  if (typeof text !== 'string' || !/^[a-z][a-z-]*$/i.test(text)) return {}
  return { fix: suggestion(text, [...NAMED.keys(), UNIX_PEER]) }
}

const CARRIER_NAT = parsePrefix('100.64.0.0/10')

function warnOfStrangers(prefix: Prefix, text: string, path: string, warn: Report): void {
  if (prefix.length < 32 && prefix.overlaps(CARRIER_NAT)) {
    warn({
      code: 'MOE_WARN_TRUSTED_PROXIES',
      path,
      value: text,
      message: `${prefix} is carrier-grade NAT space, also used by Tailscale: strangers may share it.`,
      fix: 'Trust the single addresses of your proxies.'
    })
  }
}

const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(parsePrefix)

function warnOfWidth(prefixes: readonly Prefix[], value: unknown, path: string, warn: Report): void {
  if (PRIVATE.every((network) => prefixes.some((prefix) => prefix.contains(network)))) {
    warn({
      code: 'MOE_WARN_TRUSTED_PROXIES',
      path,
      value,
      message: 'It covers all private networks: any machine in your network, pod or office can forge client addresses.',
      fix: 'Trust the network of your proxies only.'
    })
  }
}
