import { compileMatcher } from './matcher.js'
import type { Prefix } from './prefix.js'
import { GLOBAL_UNICAST } from './special.js'

/** Whether prefixes cover half of the public addresses of a family or more, alone or together. */
export function coverHalf(prefixes: readonly Prefix[]): boolean {
  const outermost = withoutNested(prefixes)
  const ipv4 = outermost.filter(({ address }) => address.family === 4)
  const ipv6 = outermost.filter(({ address }) => address.family === 6)
  return (
    share(ipv4, 0) >= 0.5 ||
    ipv6.some((prefix) => prefix.length <= 1 || prefix.contains(GLOBAL_UNICAST)) ||
    share(
      ipv6.filter((prefix) => GLOBAL_UNICAST.contains(prefix)),
      GLOBAL_UNICAST.length
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
