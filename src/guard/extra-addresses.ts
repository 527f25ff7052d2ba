import { coverHalf } from '../ip/coverage.js'
import { compileMatcher } from '../ip/matcher.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import type { Option, OptionRule } from '../lib/option.js'
import { refuseNoList } from '../lib/option-rules.js'

/** Addresses that no request comes from, with the reason: usually a placeholder that was left in place. */
const NO_CLIENT = compileMatcher(
  [
    ['192.0.2.0/24', 'is for documentation'],
    ['198.51.100.0/24', 'is for documentation'],
    ['203.0.113.0/24', 'is for documentation'],
    ['2001:db8::/32', 'is for documentation'],
    ['0.0.0.0/8', 'is not the address of a host'],
    ['::/128', 'is not the address of a host'],
    ['224.0.0.0/4', 'is for multicast'],
    ['ff00::/8', 'is for multicast'],
    ['240.0.0.0/4', 'is reserved, and where Cloudflare Pseudo IPv4 puts every IPv6 visitor']
  ].map(([prefix, why]) => ({ prefix: prefix!, grant: why! }))
)

const EXAMPLE = `['9.9.9.9']`

/** The user's own lists of addresses and prefixes. */
export const EXTRA_ADDRESSES = {
  allow: {
    fallback: [],
    example: EXAMPLE,
    aliases: ['allowlist', 'allowList', 'whitelist'],
    read: (option) =>
      readAddresses(option, true, 'It covers half of the internet or more, so it would verify strangers.')
  },
  deny: {
    fallback: [],
    example: EXAMPLE,
    aliases: ['denylist', 'denyList', 'blocklist', 'blacklist'],
    read: (option) =>
      readAddresses(option, false, 'It covers half of the internet or more, so it would reject everyone.')
  }
} satisfies Record<string, OptionRule<readonly Prefix[]>>

/** @param isAccepting whether the addresses are expected to send requests */
function readAddresses(option: Option, isAccepting: boolean, tooWide: string): readonly Prefix[] | undefined {
  const { value } = option
  const read = (other: Option) => readAddresses(other, isAccepting, tooWide)
  if (!Array.isArray(value)) return refuseNoList(option, read, 'addresses and prefixes', EXAMPLE)
  const places = new Map<string, string>()
  const prefixes = option.items(value).flatMap((item) => {
    const prefix = readPrefix(item.value)
    if (!(prefix instanceof Prefix)) {
      item.refuse(prefix.message, prefix.fix, 'MOE_ERR_PREFIX')
      return []
    }
    const text = `${prefix}`
    const twin = places.get(text)
    const [why] = isAccepting ? NO_CLIENT.match(prefix.address) : []
    if (twin !== undefined) item.warn('MOE_WARN_EXTRA_ADDRESS', `${text} repeats ${twin}.`, 'Remove one of them.')
    else if (why !== undefined) {
      const message = `${text} ${why}; no request comes from it.`
      item.warn('MOE_WARN_EXTRA_ADDRESS', message, 'Replace it with the address that you mean.')
    }
    places.set(text, item.path)
    return [prefix]
  })
  if (coverHalf(prefixes)) option.refuse(tooWide, 'List the addresses that you mean.', 'MOE_ERR_TRUSTS_EVERYONE')
  return prefixes
}
