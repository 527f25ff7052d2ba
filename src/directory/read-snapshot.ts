import { type Problem, problemLine, SnapshotError } from '../errors.js'
import { type Address, parseAddress } from '../ip/address.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import type { PrefixMistake } from '../ip/prefix-mistake.js'
import { coverHalf } from '../ip/special.js'
import { AWAIT_FIX, fixFor, isUnwantedPromise, isWholePromise } from '../lib/promise.js'
import { atOnce, each, type Steps } from '../lib/steps.js'
import { shown } from '../lib/text.js'
import { isDay } from '../lib/time.js'
import { CHANNELS, type Channel, DATA_CENTERS, type DataCenter } from './names.js'
import type { DerivedCell, Snapshot } from './snapshot.js'

/** A cell whose prefixes were read. */
export type ReadCell = readonly Prefix[] | 'NA' | DerivedCell

/** A snapshot without mistakes. */
export interface ReadSnapshot {
  readonly provenance: Snapshot['provenance']
  readonly cells: ReadonlyMap<string, ReadCell>
  readonly unknown: readonly {
    /** The data center, as the page names it. */
    readonly dataCenter: string
    /** The row's name on the page. */
    readonly name: string
    /** The content of the cell. */
    readonly cell: ReadCell
  }[]
  readonly notes: readonly { readonly address: Address; readonly dataCenter: DataCenter; readonly text: string }[]
}

/** The key of a cell. */
export const cellKey = (dataCenter: DataCenter, channel: Channel) => `${dataCenter} ${channel}`

/**
 * Checks a snapshot, which may come from a file or another machine, and reads its prefixes.
 *
 * @throws SnapshotError (`MOE_ERR_SNAPSHOT`) with all mistakes
 */
export function readSnapshot(snapshot: unknown): ReadSnapshot {
  return atOnce(readingSnapshot(snapshot))
}

/** Like {@link readSnapshot}, in steps. */
export function* readingSnapshot(snapshot: unknown): Steps<ReadSnapshot> {
  const problems: Problem[] = []
  const report = (path: string, value: unknown, message: string, fix: string) => {
    const found = isUnwantedPromise(value) ? PROMISE : { message, fix }
    problems.push({ code: 'MOE_ERR_SNAPSHOT', path, value, ...found })
  }
  const { provenance, rows, unknown, notes } = asRecord(snapshot) ?? {}
  const known: Known = new Map()
  const read = {
    provenance: readProvenance(provenance, report),
    cells: yield* readRows(rows, known, report),
    unknown: yield* readUnknown(unknown, known, report),
    notes: readNotes(notes, report)
  }
  if (problems.length === 0) return read
  throw new SnapshotError({
    value: snapshot,
    message: `The snapshot is damaged:\n${problems.map((problem) => `  - ${problemLine(problem)}`).join('\n')}\n`,
    fix: fixFor(snapshot, 'Load it again from its source.')
  })
}

/** The prefixes that were read, by their texts: MoEngage publishes most of them for several cells, and each is kept once. */
type Known = Map<unknown, Prefix>

type Report = (path: string, value: unknown, message: string, fix: string) => void

/** What is wrong with a promise, whatever is due in its place. */
const PROMISE = { message: 'It is a promise.', fix: AWAIT_FIX }

/** Reports a promise in the place of an object, of which every field would be missing. */
function isReported(path: string, value: unknown, report: Report): boolean {
  if (!isWholePromise(value)) return false
  report(path, value, PROMISE.message, PROMISE.fix)
  return true
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}

function readProvenance(value: unknown, report: Report): Snapshot['provenance'] {
  if (isReported('provenance', value, report)) return value as Snapshot['provenance']
  const { page, revision, retrieved, checked } = asRecord(value) ?? {}
  for (const [name, text] of Object.entries({ page, revision })) {
    if (typeof text !== 'string' || text === '') {
      report(`provenance.${name}`, text, 'It is missing.', 'Name where the list comes from.')
    }
  }
  for (const [name, day] of Object.entries({ retrieved, ...(checked !== undefined && { checked }) })) {
    if (!isDay(day)) report(`provenance.${name}`, day, `${shown(day)} is not a day.`, 'Write it like 2026-11-23.')
  }
  if (isDay(checked) && isDay(retrieved) && checked < retrieved) {
    report('provenance.checked', checked, `It is before ${retrieved}, when the list was taken.`, 'Leave it out.')
  }
  const provenance = { page, revision, retrieved, ...(checked !== undefined && { checked }) }
  return Object.freeze(provenance) as Snapshot['provenance']
}

function* readRows(rows: unknown, known: Known, report: Report): Steps<ReadSnapshot['cells']> {
  const cells = new Map<string, ReadCell>()
  if (!Array.isArray(rows) || rows.length === 0) {
    report('rows', rows, 'There are no rows.', 'Give the rows of the page.')
    return cells
  }
  for (const [i, row] of rows.entries()) yield* readRow(row, `rows[${i}]`, cells, known, report)
  const lists = [...cells.values()].filter(isList)
  if (lists.length === 0) {
    report('rows', rows, 'No row has an address.', 'Give the addresses of the page.')
  }
  yield
  if (coverHalf(lists.flat())) {
    report('rows', rows, 'They cover half of the internet or more.', 'Give the addresses of MoEngage only.')
  }
  for (const [key, cell] of cells) {
    if (cell === 'NA' || isList(cell)) continue
    const [dataCenter] = key.split(' ') as [DataCenter]
    for (const channel of cell.derivedFrom) {
      if (!isDerived(cells.get(cellKey(dataCenter, channel)))) continue
      report(
        'rows',
        key,
        `${key} is derived from ${channel}, which is derived itself.`,
        'Name the rows with addresses.'
      )
    }
  }
  return cells
}

const isList = (cell: ReadCell): cell is readonly Prefix[] => Array.isArray(cell)
const isDerived = (cell: ReadCell | undefined) => typeof cell === 'object' && !isList(cell)

const isDataCenter = (value: unknown): value is DataCenter => DATA_CENTERS.includes(value as DataCenter)
const isChannel = (value: unknown): value is Channel => CHANNELS.includes(value as Channel)

function reportUnknown(path: string, value: unknown, known: readonly string[], report: Report): void {
  report(path, value, `${shown(value)} is unknown.`, `Use one of: ${known.join(', ')}.`)
}

function* readRow(
  value: unknown,
  path: string,
  cells: Map<string, ReadCell>,
  known: Known,
  report: Report
): Steps<void> {
  if (isReported(path, value, report)) return
  const { dataCenter, channel, addresses } = asRecord(value) ?? {}
  if (!isDataCenter(dataCenter)) reportUnknown(`${path}.dataCenter`, dataCenter, DATA_CENTERS, report)
  if (!isChannel(channel)) reportUnknown(`${path}.channel`, channel, CHANNELS, report)
  const cell = yield* readCell(addresses, `${path}.addresses`, known, report)
  if (!isDataCenter(dataCenter) || !isChannel(channel)) return
  const key = cellKey(dataCenter, channel)
  if (cells.has(key)) report(path, key, `A second row for ${key}.`, 'Put the addresses into one row.')
  cells.set(key, cell)
}

function* readCell(value: unknown, path: string, known: Known, report: Report): Steps<ReadCell> {
  if (value === 'NA') return 'NA'
  const derivedFrom = Array.isArray(value) ? undefined : asRecord(value)?.derivedFrom
  const isAwaited = [derivedFrom].flat().some((item) => isReported(`${path}.derivedFrom`, item, report))
  if (isAwaited) return 'NA'
  if (Array.isArray(derivedFrom) && derivedFrom.length > 0 && derivedFrom.every(isChannel)) {
    return Object.freeze({ derivedFrom: Object.freeze([...new Set(derivedFrom)]) })
  }
  if (!Array.isArray(value) || value.length === 0) {
    report(
      path,
      value,
      'It is neither a list of addresses, "NA" nor derived.',
      'Write "NA" if the page gives no address.'
    )
    return 'NA'
  }
  const prefixes: Prefix[] = []
  yield* each(value, (text, i) => {
    const prefix = readOnce(text, known)
    if (prefix instanceof Prefix) prefixes.push(prefix)
    else report(`${path}[${i}]`, text, prefix.message, prefix.fix)
  })
  return Object.freeze(prefixes)
}

/** The same object for the same prefix, in whatever spelling. */
function readOnce(text: unknown, known: Known): Prefix | PrefixMistake {
  const seen = known.get(text)
  if (seen !== undefined) return seen
  const prefix = readPrefix(text)
  if (!(prefix instanceof Prefix)) return prefix
  const canonical = prefix.toShortString()
  const kept = known.get(canonical) ?? prefix
  known.set(canonical, kept)
  known.set(text, kept)
  return kept
}

const MAX_UNKNOWN = 1000
const MAX_NAME = 200

function* readUnknown(rows: unknown, known: Known, report: Report): Steps<ReadSnapshot['unknown']> {
  if (rows === undefined) return []
  if (!Array.isArray(rows) || rows.length > MAX_UNKNOWN) {
    const message = Array.isArray(rows) ? `It has more than ${MAX_UNKNOWN} rows.` : 'It is not a list.'
    report('unknown', rows, message, 'Leave it out, or write a list of { dataCenter, name, addresses }.')
    return []
  }
  const read: ReadSnapshot['unknown'][number][] = []
  for (const [i, row] of rows.entries()) {
    if (isReported(`unknown[${i}]`, row, report)) continue
    const { dataCenter, name, addresses } = asRecord(row) ?? {}
    for (const [field, text] of Object.entries({ dataCenter, name })) {
      if (typeof text === 'string' && text !== '' && text.length <= MAX_NAME) continue
      const message = `${shown(text)} is not a name of 1 to ${MAX_NAME} characters.`
      report(`unknown[${i}].${field}`, text, message, 'Write it as the page does.')
    }
    const cell = yield* readCell(addresses, `unknown[${i}].addresses`, known, report)
    read.push(Object.freeze({ dataCenter, name, cell } as ReadSnapshot['unknown'][number]))
  }
  return Object.freeze(read)
}

function readNotes(value: unknown, report: Report): ReadSnapshot['notes'] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    report('notes', value, 'It is not a list.', 'Leave it out, or write a list of { address, dataCenter, text }.')
    return []
  }
  return value.flatMap((note, i) => {
    if (isReported(`notes[${i}]`, note, report)) return []
    const { address, dataCenter, text } = asRecord(note) ?? {}
    const read = parseAddress(address as string)
    if (read === undefined) {
      report(`notes[${i}].address`, address, `${shown(address)} is not an address.`, 'Write one address.')
    }
    if (!isDataCenter(dataCenter)) reportUnknown(`notes[${i}].dataCenter`, dataCenter, DATA_CENTERS, report)
    if (typeof text !== 'string' || text === '') {
      report(`notes[${i}].text`, text, 'It is missing.', 'Write what is doubtful about the address.')
    }
    return [{ address: read, dataCenter, text } as ReadSnapshot['notes'][number]]
  })
}
