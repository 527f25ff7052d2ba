import ipaddr from 'ipaddr.js'
import { contains } from './coverage.js'
import { type Prefix, parsePrefix } from './prefix.js'
import { wordMask } from './read-network.js'

/** The part of IPv6 that is handed out to the public so far (RFC 4291 section 2.4). */
const GLOBAL_UNICAST = [parsePrefix('2000::/3')]

/**
 * What a prefix is set aside for where nobody on the internet sends from it: `private`, `loopback`, `reserved` and the like.
 * Undefined where its first and last address are public.
 */
export function specialPurpose(prefix: Prefix): string | undefined {
  const { address, length } = prefix
  const last = address.words.map((word, i) => (word | ~wordMask(length, i)) >>> 0)
  const purpose = purposeOf(address.words) ?? purposeOf(last)
  if (purpose !== undefined) return purpose
  return address.family === 6 && !contains(GLOBAL_UNICAST, prefix) ? 'unassigned' : undefined
}

function purposeOf(words: readonly number[]): string | undefined {
  const bytes = words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255])
  const purpose = ipaddr.fromByteArray(bytes).range()
  return purpose === 'unicast' ? undefined : purpose
}
