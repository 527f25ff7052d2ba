import type { Channel, DataCenter, Snapshot } from '../../src/core.js'
import { Directory } from '../../src/directory/directory.js'

export const REVISION = 'f7b9336c727cc1a0f232a9588d49a6ae9e257d13'
export const RETRIEVED = '2026-11-23'

/** A directory with these addresses. */
export function listOf(
  rows: readonly (readonly [dataCenter: DataCenter, channel: Channel, ...addresses: string[]])[],
  provenance: Partial<Snapshot['provenance']> = {}
): Directory {
  return new Directory({
    provenance: { page: 'https://example.com/page', revision: REVISION, retrieved: RETRIEVED, ...provenance },
    rows: rows.map(([dataCenter, channel, ...addresses]) => ({ dataCenter, channel, addresses }))
  })
}

/** Both families, prefixes inside of others, addresses in several cells, and none of it in order. */
export const MIXED = listOf([
  ['DC-03', 'connector', '203.0.113.7', '2001:db8:ffff::/48', '9.0.0.1', '10.0.0.0/24'],
  ['DC-03', 'catalog', '9.0.0.1', '10.0.0.9', '9.0.0.1'],
  ['DC-02', 'catalog', '9.0.0.1', '2001:db8:2::/64', '100.64.0.0/10'],
  ['DC-01', 'sms', '8.8.8.8']
])

/** What of it DC-02 and DC-03 have, as numbers order it. */
export const MIXED_IPV4 = ['9.0.0.1/32', '10.0.0.0/24', '10.0.0.9/32', '100.64.0.0/10', '203.0.113.7/32']
export const MIXED_IPV6 = ['2001:db8:2::/64', '2001:db8:ffff::/48']
