import { coverHalf } from '../ip/coverage.js'
import { compileMatcher } from '../ip/matcher.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import type { Report } from '../lib/option-reader.js'

/** Addresses that no request comes from, with why; whoever lists them usually left a placeholder in place. */
const NO_CLIENT = compileMatcher(
  [
    ['192.0.2.0/24', 'is for documentation'],
    ['198.51.100.0/24', 'is for documentation'],
    ['203.0.113.0/24', 'is for documentation'],
    ['2001:db8::/32', 'is for documentation'],
    ['0.0.0.0/8', 'is no address of a host'],
    ['::/128', 'is no address of a host'],
    ['224.0.0.0/4', 'is for multicast'],
    ['ff00::/8', 'is for multicast'],
    ['240.0.0.0/4', 'is reserved, and where Cloudflare Pseudo IPv4 puts every IPv6 visitor']
  ].map(([prefix, why]) => ({ prefix: prefix!, grant: why! }))
)

/** Reads the `allow` or `deny` list of the user. */
export function readExtraAddresses(
  value: unknown,
  option: 'allow' | 'deny',
  refuse: Report,
  warn: Report
): readonly Prefix[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    const fix = typeof value === 'string' ? `Write ['${value}'].` : `Write a list: ['203.0.113.9'].`
    refuse({
      code: 'MOE_ERR_OPTION_VALUE',
      path: option,
      value,
      message: 'It must be a list of addresses and prefixes.',
      fix
    })
    return []
  }
  const prefixes: Prefix[] = []
  const places = new Map<string, string>()
  for (const [i, text] of value.entries()) {
    const path = `${option}[${i}]`
    const prefix = readPrefix(text)
    if (!(prefix instanceof Prefix)) {
      refuse({ code: 'MOE_ERR_PREFIX', path, value: text, ...prefix })
      continue
    }
    prefixes.push(prefix)
    const warning = surprise(prefix, places.get(`${prefix}`), option)
    if (warning !== undefined) warn({ code: 'MOE_WARN_EXTRA_ADDRESS', path, value: text, ...warning })
    places.set(`${prefix}`, path)
  }
  if (coverHalf(prefixes)) {
    refuse({
      code: 'MOE_ERR_TRUSTS_EVERYONE',
      path: option,
      value,
      message: `It covers half of the internet or more, so it would ${option === 'allow' ? 'verify strangers' : 'reject everyone'}.`,
      fix: 'List the addresses that you mean.'
    })
  }
  return prefixes
}

function surprise(
  prefix: Prefix,
  twin: string | undefined,
  option: string
): { message: string; fix: string } | undefined {
  if (twin !== undefined) return { message: `${prefix} repeats ${twin}.`, fix: 'Remove one of them.' }
  const [why] = NO_CLIENT.match(prefix.address)
  if (why !== undefined && option === 'allow') {
    return { message: `${prefix} ${why}; no request comes from it.`, fix: 'Replace it with the address that you mean.' }
  }
  return undefined
}
