import { compileMatcher } from './matcher.js'
import { type Prefix, parsePrefix } from './prefix.js'
import { wordMask } from './read-network.js'

/** The part of IPv6 that is handed out to the public so far (RFC 4291 section 2.4): an eighth of the whole. */
const GLOBAL_UNICAST = parsePrefix('2000::/3')

/** Whether prefixes cover half of the public addresses of a family or more, alone or together. */
export function coverHalf(prefixes: readonly Prefix[]): boolean {
  const outermost = withoutNested(prefixes)
  const ipv4 = outermost.filter(({ address }) => address.family === 4)
  const ipv6 = outermost.filter(({ address }) => address.family === 6)
  return (
    share(ipv4, 0) >= 0.5 ||
    ipv6.some(({ length }) => length <= 1) ||
    contains(ipv6, GLOBAL_UNICAST) ||
    share(
      ipv6.filter((prefix) => holds(GLOBAL_UNICAST, prefix)),
      3
    ) >= 0.5
  )
}

function share(prefixes: readonly Prefix[], shared: number): number {
  return prefixes.reduce((sum, { length }) => sum + 2 ** (shared - length), 0)
}

/** The prefixes that lie in no other one, each once. */
function withoutNested(prefixes: readonly Prefix[]): Prefix[] {
  const distinct = [...new Map(prefixes.map((prefix) => [`${prefix}`, prefix])).values()]
  const matcher = compileMatcher(distinct.map((prefix) => ({ prefix, grant: prefix })))
  return distinct.filter((prefix) => matcher.entriesFor(prefix.address).at(-1)!.grant === prefix)
}

/** Whether every address of `inner` lies in one of the prefixes. */
export function contains(prefixes: readonly Prefix[], inner: Prefix): boolean {
  return prefixes.some((prefix) => holds(prefix, inner))
}

/** The prefixes that share an address with one of the others. */
export function overlapping(prefixes: readonly Prefix[], others: readonly Prefix[]): Prefix[] {
  return prefixes.filter((prefix) => others.some((other) => holds(prefix, other) || holds(other, prefix)))
}

function holds(outer: Prefix, inner: Prefix): boolean {
  return (
    outer.length <= inner.length &&
    outer.address.family === inner.address.family &&
    outer.address.words.every((word, i) => ((word ^ inner.address.words[i]!) & wordMask(outer.length, i)) === 0)
  )
}
