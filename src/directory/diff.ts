import { comparePrefixes, type Prefix } from '../ip/prefix.js'
import { atOnce, each, filtered, type Steps, sorted } from '../lib/steps.js'
import type { Directory, DirectoryEntry, Grant } from './directory.js'
import { refuseNoDirectory } from './given-directory.js'
import { CHANNELS, type Channel, DATA_CENTERS, type DataCenter } from './names.js'
import type { ReadCell } from './read-snapshot.js'
import type { Cell, Snapshot } from './snapshot.js'

/** A prefix that is in only one of two lists. */
export interface AddressChange {
  /** In CIDR notation, always with the length: `52.6.248.125/32`. */
  readonly prefix: string
  /** The data centers and channels that it is, or was, published for. */
  readonly grants: readonly Grant[]
}

/** A prefix that is in both lists, published for other data centers or channels. */
export interface AddressMove {
  /** In CIDR notation, always with the length: `52.6.248.125/32`. */
  readonly prefix: string
  /** All data centers and channels that it was published for. */
  readonly from: readonly Grant[]
  /** All data centers and channels that it is published for now. */
  readonly to: readonly Grant[]
  /** Those in `from` only. */
  readonly lost: readonly Grant[]
  /** Those in `to` only. */
  readonly gained: readonly Grant[]
}

/** A cell that was added or removed, or changed its kind: addresses, `'NA'`, or derived. */
export interface CellChange {
  /** The cell's data center. */
  readonly dataCenter: DataCenter
  /** The cell's channel. */
  readonly channel: Channel
  /** The cell before; null if the page had no such row. */
  readonly from: Cell | null
  /** The cell now; null if the page has no such row. */
  readonly to: Cell | null
}

/** A row of a data center or channel that this version does not know, and that was added, removed or changed. */
export interface UnknownChange {
  /** As the page names it. */
  readonly dataCenter: string
  /** The row's name on the page. */
  readonly name: string
  /** The cell before; null if the page had no such row. */
  readonly from: Cell | null
  /** The cell now; null if the page has no such row. */
  readonly to: Cell | null
}

/** The changes from one list to another, as plain data: it can be written as JSON. */
export interface DirectoryDiff {
  /** Whether nothing changed; the provenance does not count. */
  readonly same: boolean
  /** Page, revision and day of the list before. */
  readonly before: Snapshot['provenance']
  /** Page, revision and day of the list after. */
  readonly after: Snapshot['provenance']
  /** Prefixes that only the list after has, in the order of their addresses, IPv4 first. */
  readonly added: readonly AddressChange[]
  /** Prefixes that only the list before has, in the same order. */
  readonly removed: readonly AddressChange[]
  /** Prefixes that both lists have, for other data centers or channels, in the same order. */
  readonly moved: readonly AddressMove[]
  /** Cells in the order of data centers, then channels. */
  readonly cells: readonly CellChange[]
  /** Rows that no request is matched against. */
  readonly unknown: readonly UnknownChange[]
}

/**
 * Compares two lists. Published prefixes are compared as such, not by the addresses they contain. The order of rows and of the
 * addresses in a cell does not matter.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) for what is not a directory
 * @example
 * const { same, added, removed, moved } = diffDirectories(before, after)
 * if (!same) console.log(`${added.length} added, ${removed.length} removed, ${moved.length} moved`)
 */
export function diffDirectories(before: Directory, after: Directory): DirectoryDiff {
  refuseNoDirectory(before, 'before')
  refuseNoDirectory(after, 'after')
  return atOnce(comparison(before, after))
}

/** {@link diffDirectories} as work that pauses. */
export function* comparison(before: Directory, after: Directory): Steps<DirectoryDiff> {
  const old = yield* byPrefix(before.entries)
  const now = yield* byPrefix(after.entries)
  const added = (yield* inOrder(now, ({ text }) => !old.has(text))).map(change)
  const removed = (yield* inOrder(old, ({ text }) => !now.has(text))).map(change)
  const isMoved = ({ text, grants }: Listed) => {
    const to = now.get(text)?.grants
    return to !== undefined && (without(grants, to).length > 0 || without(to, grants).length > 0)
  }
  const moved = (yield* inOrder(old, isMoved)).map(({ text, grants: from }) => {
    const to = now.get(text)!.grants
    return { prefix: text, from, to, lost: without(from, to), gained: without(to, from) }
  })
  const cells = changedCells(before, after)
  const unknown = changedUnknown(before, after)
  return {
    same: added.length + removed.length + moved.length + cells.length + unknown.length === 0,
    before: before.provenance,
    after: after.provenance,
    added,
    removed,
    moved,
    cells,
    unknown
  }
}

/** How many cells of two lists differ, whatever differs in them. Derived cells have no addresses of their own. */
export function* countChangedCells(before: Directory, after: Directory): Steps<number> {
  let count = 0
  for (const dataCenter of DATA_CENTERS) {
    for (const channel of CHANNELS) {
      const from = before.cell(dataCenter, channel)
      const to = after.cell(dataCenter, channel)
      if (kindOf(from) !== kindOf(to) || !(yield* areSame(listOf(from), listOf(to)))) count++
    }
  }
  return count
}

const listOf = (cell: ReadCell | undefined): readonly Prefix[] =>
  cell === undefined || cell === 'NA' || 'derivedFrom' in cell ? [] : cell

/** Whether two lists hold the same prefixes, in any order. */
function* areSame(from: readonly Prefix[], to: readonly Prefix[]): Steps<boolean> {
  const before = yield* textsOf(from)
  const after = yield* textsOf(to)
  return before.size === after.size && (yield* filtered(before, (text) => !after.has(text))).length === 0
}

function* textsOf(prefixes: readonly Prefix[]): Steps<Set<string>> {
  const texts = new Set<string>()
  yield* each(prefixes, (prefix) => texts.add(prefix.toString()))
  return texts
}

interface Listed {
  readonly prefix: Prefix
  readonly text: string
  /** A cell is always the same object, so grants are compared by identity. */
  readonly grants: Grant[]
}

/** Each prefix once with all its grants, by its text. */
function* byPrefix(entries: readonly DirectoryEntry[]): Steps<Map<string, Listed>> {
  const listed = new Map<string, Listed>()
  yield* each(entries, ({ prefix, grant }) => {
    const text = prefix.toString()
    const known = listed.get(text)
    if (known === undefined) listed.set(text, { prefix, text, grants: [grant] })
    else if (!known.grants.includes(grant)) known.grants.push(grant)
  })
  return listed
}

/** The prefixes that are wanted, in the order of their addresses. */
function* inOrder(listed: ReadonlyMap<string, Listed>, isWanted: (prefix: Listed) => boolean): Steps<Listed[]> {
  const wanted = yield* filtered(listed.values(), isWanted)
  return yield* sorted(wanted, (a, b) => comparePrefixes(a.prefix, b.prefix))
}

const without = (grants: readonly Grant[], others: readonly Grant[]) =>
  grants.filter((grant) => !others.includes(grant))

const change = ({ text, grants }: Listed): AddressChange => ({ prefix: text, grants })

function changedCells(before: Directory, after: Directory): CellChange[] {
  return DATA_CENTERS.flatMap((dataCenter) =>
    CHANNELS.flatMap((channel) => {
      const from = before.cell(dataCenter, channel)
      const to = after.cell(dataCenter, channel)
      return kindOf(from) === kindOf(to) ? [] : [{ dataCenter, channel, from: plain(from), to: plain(to) }]
    })
  )
}

function changedUnknown(before: Directory, after: Directory): UnknownChange[] {
  const old = unknownRows(before)
  const now = unknownRows(after)
  const names = new Map([...old, ...now])
  return [...names]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, { dataCenter, name }]) => {
      const from = old.get(key)?.cell
      const to = now.get(key)?.cell
      return meaning(from) === meaning(to) ? [] : [{ dataCenter, name, from: plain(from), to: plain(to) }]
    })
}

function unknownRows({ unknown }: Directory) {
  return new Map(unknown.map((row) => [`${row.dataCenter}\n${row.name}`, row]))
}

/** The same for the same addresses, or the same channels, in any order. */
function meaning(cell: ReadCell | undefined): string {
  return [kindOf(cell), ...[...new Set(listOf(cell).map(String))].sort()].join()
}

/** The kind of a cell, apart from the addresses themselves. */
function kindOf(cell: ReadCell | undefined): string | undefined {
  if (cell === undefined || cell === 'NA') return cell
  return 'derivedFrom' in cell ? cell.derivedFrom.toSorted().join() : 'addresses'
}

function plain(cell: ReadCell | undefined): Cell | null {
  if (cell === undefined) return null
  if (cell === 'NA' || 'derivedFrom' in cell) return cell
  return cell.map(String)
}
