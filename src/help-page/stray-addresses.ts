import type { Snapshot } from '../directory/snapshot.js'
import { compileMatcher } from '../ip/matcher.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import { quoted } from '../lib/text.js'
import type { Problem } from '../problem.js'
import type { Table } from './html.js'

/** Addresses that only examples have: RFC 5737, RFC 3849, RFC 1918 and the like. */
const EXAMPLES = compileMatcher(
  [
    '192.0.2.0/24',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '2001:db8::/32',
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '127.0.0.0/8',
    '0.0.0.0/8'
  ].map((prefix) => ({ prefix, grant: 'example' }))
)
const MOST_WARNINGS = 20

/** A warning for each address that stands on the page but not in a table that was read: a list may have moved into prose. */
export function strayAddresses(prose: string, unread: readonly Table[], snapshot: Snapshot): Problem[] {
  const listed = new Set(
    [...snapshot.rows, ...(snapshot.unknown ?? [])].flatMap(({ addresses }) =>
      Array.isArray(addresses) ? addresses : []
    )
  )
  const texts = [prose, ...unread.flatMap(({ rows }) => rows.flatMap((row) => row.map((slot) => slot.text)))]
  const stray = new Set<string>()
  for (const text of texts) {
    for (const [word] of text.matchAll(/[\da-f.:/]{7,60}/gi)) {
      const written = word.replace(/^[./]+|[./:]+$/g, '')
      const prefix = readPrefix(written)
      if (!(prefix instanceof Prefix) || listed.has(written)) continue
      if (EXAMPLES.match(prefix.address.toString()).length === 0) stray.add(written)
    }
  }
  return [...stray].slice(0, MOST_WARNINGS).map((address) => ({
    code: 'MOE_WARN_PAGE',
    path: 'page',
    value: address,
    message: `${quoted(address)} stands on the page, but in no table of addresses by data center.`,
    fix: 'Look at the page whether it belongs to the list.'
  }))
}
