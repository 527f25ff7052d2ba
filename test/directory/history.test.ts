import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import type { Cell, Snapshot } from '../../src/core.js'
import { append, formatHistory, HISTORY, type HistoryEntry, replay } from '../../src/directory/history.js'
import { runs } from '../support/properties.js'
import { snapshotOf } from '../support/snapshots.js'

const bundled: Snapshot = JSON.parse(readFileSync('src/directory/moengage.json', 'utf8'))

/** The rows by their cells, whose order does not matter. */
const cellsOf = (rows: Snapshot['rows']) =>
  Object.fromEntries(
    rows
      .map(({ dataCenter, channel, addresses }) => [`${dataCenter} ${channel}`, addresses] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
  )

t.test('the history, replayed, gives the bundled list', async (t) => {
  t.strictSame(cellsOf(replay(HISTORY)), cellsOf(bundled.rows))
  t.equal(HISTORY.at(-1)!.revision, bundled.provenance.revision)
  t.equal(append(HISTORY, bundled), HISTORY, 'nothing is to be appended')
})

t.test('the four known revisions say what they added, and what of them is inferred', async (t) => {
  t.strictSame(
    HISTORY.slice(0, 4).map(({ revision, seen, added, removed, cells }) => [
      revision.slice(0, 7),
      seen,
      added.length,
      removed.length,
      cells.length
    ]),
    [
      ['help-ce', null, 40, 0, 72],
      ['00ee00a', null, 0, 0, 0],
      ['0be9a6f', null, 1, 0, 1],
      ['f7b9336', '2026-11-23', 0, 0, 2]
    ]
  )
  for (const { revision, seen, inferred } of HISTORY) t.ok(seen !== null || inferred !== null, revision)
  for (const [i, { revision, added, removed }] of HISTORY.entries()) {
    const addresses = (entries: readonly HistoryEntry[]) =>
      replay(entries).flatMap(({ addresses }) => (Array.isArray(addresses) ? addresses : []))
    const [before, after] = [addresses(HISTORY.slice(0, i)), addresses(HISTORY.slice(0, i + 1))]
    t.strictSame([...new Set(after)].filter((address) => !before.includes(address)).sort(), [...added].sort(), revision)
    t.strictSame(
      [...new Set(before)].filter((address) => !after.includes(address)).sort(),
      [...removed].sort(),
      revision
    )
  }
})

t.test('the file is as the script would write it', async (t) => {
  t.equal(readFileSync('src/directory/history.json', 'utf8'), formatHistory(HISTORY))
})

t.test('whatever lists follow each other, the history gives the last one', async () => {
  const cell = fc.oneof(
    fc.constant<Cell>('NA'),
    fc.uniqueArray(fc.constantFrom('9.9.9.1', '9.9.9.2', '9.9.9.3'), { minLength: 1 }),
    fc.constant<Cell>({ derivedFrom: ['sms'] })
  )
  const list = fc.dictionary(fc.constantFrom('DC-01 sms', 'DC-01 push', 'DC-02 sms', 'DC-02 content-api'), cell)
  fc.assert(
    fc.property(fc.array(list), (lists) => {
      let history: readonly HistoryEntry[] = []
      for (const [i, cells] of lists.entries()) history = append(history, snapshotOf(cells, { revision: `r${i}` }))
      const sorted = (rows: Snapshot['rows']) =>
        JSON.stringify(cellsOf(rows.map((row) => ({ ...row, addresses: sortedCell(row.addresses) }))))
      const parsed: readonly HistoryEntry[] = JSON.parse(formatHistory(history))
      return sorted(replay(parsed)) === sorted(snapshotOf(lists.at(-1) ?? {}).rows)
    }),
    runs(500)
  )
})

const sortedCell = (cell: Cell): Cell => (Array.isArray(cell) ? cell.toSorted() : cell)

t.test('a history that contradicts itself is refused', async (t) => {
  const [first] = HISTORY
  t.throws(() => replay([first!, first!]), {
    message: /help-centre-35329024618772: DC-01 connector was another before/
  })
})
