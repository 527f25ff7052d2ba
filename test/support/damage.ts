import { randomBytes } from 'node:crypto'
import type { Snapshot } from '../../src/core.js'
import { CORE, listOf } from './soak.js'

/** The revision of every damaged list that can be read. A verdict by it is wrong. */
const REVISION = 'damaged'
const DAY = 86_400_000

function spoiled(change: (snapshot: Snapshot) => object): () => string {
  return () => {
    const list = listOf(7)
    return JSON.stringify(change({ ...list, provenance: { ...list.provenance, revision: REVISION } }))
  }
}

const withAddresses = (...addresses: string[]) =>
  spoiled((list) => ({ ...list, rows: list.rows.map((row) => ({ ...row, addresses })) }))

const retrieved = (date: string) =>
  spoiled((list) => ({ ...list, provenance: { ...list.provenance, retrieved: date } }))

/** What a source may hold instead of a list: unreadable, malformed, out of bounds or suspicious. None comes into use. */
export const DAMAGE: Readonly<Record<string, () => string | Buffer>> = {
  'an empty text': () => '',
  'no JSON': () => 'moengage',
  'half of a list': () => JSON.stringify(listOf(7)).slice(0, 60),
  'random bytes': () => randomBytes(500),
  'JSON of something else': () => '[]',
  'a list without rows': spoiled((list) => ({ ...list, rows: [] })),
  'a list without provenance': () => JSON.stringify({ rows: listOf(7).rows }),
  'a cell that cannot be read': withAddresses(...CORE, '9.9.9.256'),
  'host bits': withAddresses(...CORE, '9.9.9.1/24'),
  'an unknown data center': spoiled((list) => ({
    ...list,
    rows: list.rows.map((row) => ({ ...row, dataCenter: 'DC-77' }))
  })),
  'a wide prefix': withAddresses(...CORE, '9.0.0.0/8'),
  'all of the internet': withAddresses(...CORE, '0.0.0.0/0'),
  'a private address': withAddresses(...CORE, '10.0.0.1'),
  'few of the addresses': withAddresses(CORE[0]!),
  'an older list': retrieved('2020-01-01'),
  'a list of the future': retrieved(new Date(Date.now() + 30 * DAY).toISOString().slice(0, 10)),
  'too many values': withAddresses(...Array.from({ length: 21_000 }, (_, i) => `9.8.${i >> 8}.${i & 255}`)),
  'too many bytes': () => `${' '.repeat(2 ** 20)}${JSON.stringify(listOf(7))}`
}
