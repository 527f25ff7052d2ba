import type { Cell, Snapshot } from '../../src/core.js'

/** The provenance of a snapshot, where it is not the default. */
type About = Partial<Snapshot['provenance']>

/** A snapshot of cells as `DC-01 sms: [...]`. */
export function snapshotOf(
  cells: Readonly<Record<string, Cell>>,
  { revision = 'r1', retrieved = '2026-11-20', checked }: About = {}
): Snapshot {
  return {
    provenance: { page: 'a test', revision, retrieved, ...(checked !== undefined && { checked }) },
    rows: Object.entries(cells).map(([cell, addresses]) => {
      const [dataCenter, channel] = cell.split(' ')
      return { dataCenter, channel, addresses } as Snapshot['rows'][number]
    })
  }
}

/** Four addresses, of which one can go without suspicion. */
export const FOUR = ['9.9.9.1', '9.9.9.2', '9.9.9.3', '9.9.9.4']

/** DC-01 with four addresses, and DC-02 with one. */
export const sound = (about: About = {}, addresses: readonly string[] = FOUR) =>
  snapshotOf({ 'DC-01 connector': addresses, 'DC-02 connector': ['8.8.4.4'] }, about)
