import { createHash } from 'node:crypto'
import moengage from '../directory/moengage.json' with { type: 'json' }
import { CHANNELS, type Channel, DATA_CENTERS, ROW_NAMES, rowName } from '../directory/names.js'
import { readSnapshot } from '../directory/read-snapshot.js'
import type { Cell, Snapshot } from '../directory/snapshot.js'
import { type PageCell, PageError, type Problem } from '../errors.js'
import { parsePrefix } from '../ip/prefix.js'
import { specialPurpose } from '../ip/special.js'
import { quoted, visible } from '../lib/text.js'
import { collectRows, rowsOutside, strayAddresses } from './collect-rows.js'
import { looksLikeHtml, type Page, readHtml } from './html.js'
import { markdownToHtml } from './markdown.js'
import { readTable, splitAtRules } from './read-table.js'
import { wordsOf } from './row-name.js'
import type { Aside } from './table-reader.js'

/** Facts about a page that only its reader knows. */
export interface AboutPage {
  /** The URL of the page, or another name for the place it comes from. */
  readonly page: string
  /** The revision of the page, as its repository names it (the first 12 hex digits of a hash of the cells). */
  readonly revision?: string | undefined
  /** The day on which the page was loaded, as `YYYY-MM-DD`. */
  readonly retrieved: string
  /** How the page is written (detected from its first characters). Markdown includes MDX. */
  readonly format?: PageFormat | undefined
}

/** How a page is written. */
export type PageFormat = 'markdown' | 'html'

/** A page that was read as a whole. */
export interface Imported {
  readonly snapshot: Snapshot
  /** Valid, but probably not intended: unknown rows, missing rows, words that were left aside. */
  readonly warnings: readonly Problem[]
}

/** The largest page that is read, in characters. */
const MAX_PAGE = 5_000_000

/**
 * Reads MoEngage's help page: its Markdown or MDX source, or saved HTML of the docs site or the help centre. It reads all of
 * the page's tables or none.
 *
 * @throws PageError (`MOE_ERR_PAGE`) with every cell that could not be read or whose text got lost
 * @throws SnapshotError (`MOE_ERR_SNAPSHOT`) if the cells make no sound snapshot: no address, or half of the internet
 * @example
 * const { snapshot, warnings } = importPage(await readFile('page.mdx', 'utf8'), { page: 'page.mdx', retrieved: '2026-11-23' })
 */
export function importPage(text: string, about: AboutPage): Imported {
  if (text.length > MAX_PAGE) {
    throw new PageError({
      value: `${text.length} characters`,
      message: `The page is longer than ${MAX_PAGE} characters.`,
      fix: 'Give the help page only.'
    })
  }
  const page = readPage(text.replaceAll(/\r\n?/g, '\n'), about.format)
  const tables = page.tables.flatMap(splitAtRules).map((table) => ({ table, read: readTable(table) }))
  const read = tables.flatMap((table) => table.read ?? [])
  const { rows, unknown, conflicts } = collectRows(read.flatMap((table) => table.rows))
  refuseUnread(about.page, [
    ...read.flatMap((table) => table.unread),
    ...conflicts,
    ...disguisedRows(rows, unknown),
    ...rowsOutside(page.prose)
  ])
  if (rows.length === 0) {
    throw new PageError({
      value: about.page,
      message:
        unknown.length === 0
          ? 'The page has no table of addresses by data center.'
          : 'Every row of the page is unknown to this version.',
      fix: 'Give the page "IP Whitelisting in MoEngage": its source, or as your browser saves it.'
    })
  }
  const snapshot: Snapshot = {
    provenance: {
      page: about.page,
      revision: about.revision ?? revisionOf(rows, unknown),
      retrieved: about.retrieved
    },
    rows,
    ...(unknown.length > 0 && { unknown }),
    ...notesFor(rows)
  }
  readSnapshot(snapshot)
  const unreadTables = tables.flatMap(({ table, read }) => (read === undefined ? [table] : []))
  return {
    snapshot,
    warnings: [
      ...unknown.map(warnOfUnknown),
      ...missingRows(rows),
      ...specialPrefixes(rows),
      ...read.flatMap((table) => table.asides).map(warnOfAside),
      ...strayAddresses(page.prose, unreadTables, snapshot)
    ]
  }
}

function readPage(text: string, format: PageFormat | undefined): Page {
  return readHtml((format ?? (looksLikeHtml(text) ? 'html' : 'markdown')) === 'html' ? text : markdownToHtml(text))
}

type Rows = Snapshot['rows']
type UnknownRows = NonNullable<Snapshot['unknown']>

function refuseUnread(page: string, unread: readonly PageCell[]): void {
  if (unread.length === 0) return
  const lines = unread.map((cell) => {
    const place = [cell.table, cell.row, cell.column].filter((name) => name !== '').join(' | ')
    return `  - ${visible(place)}: ${cell.message}${cell.text === '' ? '' : ` It says ${quoted(cell.text)}.`}`
  })
  throw new PageError(
    {
      value: page,
      message: `${unread.length === 1 ? 'One cell' : `${unread.length} cells`} of the page could not be read, so nothing was taken from it:\n${lines.join('\n')}\n`,
      fix: 'Take the page from its source again; if it really says so, correct a copy of it by hand.'
    },
    unread
  )
}

const { rows: bundledRows, notes: bundledNotes } = moengage as Snapshot

const hasRow = (rows: Rows, dataCenter: string, channel: string) =>
  rows.some((row) => row.dataCenter === dataCenter && row.channel === channel)

/**
 * Rows with an unknown name that contains the name of a row which the bundled snapshot has and the page has not. The name of that
 * row was probably joined with other text, and the whole channel would get lost.
 */
function disguisedRows(rows: Rows, unknown: UnknownRows): PageCell[] {
  return unknown.flatMap(({ dataCenter, name }) => {
    const words = ` ${wordsOf(name).join(' ')} `
    const isIn = (channel: Channel) =>
      ROW_NAMES[channel].some((known) => words.includes(` ${wordsOf(known).join(' ')} `))
    const lost = CHANNELS.filter(
      (channel) => isIn(channel) && hasRow(bundledRows, dataCenter, channel) && !hasRow(rows, dataCenter, channel)
    )
    if (lost.length === 0) return []
    const names = lost.map((channel) => `"${rowName(channel)}"`).join(', ')
    const message = `It contains the names of rows that the page lacks for this data center: ${names}.`
    return [{ table: '', row: `${name}, ${dataCenter}`, column: 'name', text: name, message }]
  })
}

/** The same for pages with the same cells, in any format and order. Verdicts show 12 characters of a revision. */
function revisionOf(rows: Rows, unknown: UnknownRows): string {
  const meaning = (addresses: Cell) => JSON.stringify(Array.isArray(addresses) ? addresses.toSorted() : addresses)
  const lines = [
    ...rows.map((row) => `${row.dataCenter}\t${row.channel}\t${meaning(row.addresses)}`),
    ...unknown.map((row) => `${row.dataCenter}\t${row.name}\t${meaning(row.addresses)}`)
  ]
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 12)
}

/** The notes about addresses that the page lists, but not for the data center of the note. */
function notesFor(rows: Rows): Pick<Snapshot, 'notes'> {
  const kept = bundledNotes!.filter((note) => {
    const lists = (dataCenter?: string) =>
      rows.some(
        (row) =>
          (dataCenter === undefined || row.dataCenter === dataCenter) &&
          Array.isArray(row.addresses) &&
          row.addresses.includes(note.address)
      )
    return lists() && !lists(note.dataCenter)
  })
  return kept.length > 0 ? { notes: kept } : {}
}

const warning = (path: string, value: unknown, message: string, fix: string): Problem => ({
  code: 'MOE_WARN_PAGE',
  path,
  value,
  message,
  fix
})

function warnOfUnknown(row: UnknownRows[number]): Problem {
  return warning(
    'unknown',
    row,
    `The page has a row that this version does not know: ${quoted(row.name)} in ${quoted(row.dataCenter)}.`,
    'It is kept, but no request is matched against it; look for a newer version of moengage-allowlist.'
  )
}

/** Rows that the bundled snapshot has and the page has not: a warning for each channel. */
function missingRows(rows: Rows): Problem[] {
  return CHANNELS.flatMap((channel) => {
    const gone = DATA_CENTERS.filter(
      (dataCenter) => hasRow(bundledRows, dataCenter, channel) && !hasRow(rows, dataCenter, channel)
    )
    if (gone.length === 0) return []
    return warning(
      'rows',
      channel,
      `The page has no row "${rowName(channel)}" for ${gone.join(', ')}, which the bundled snapshot has.`,
      'Look at the page: was the row removed, renamed, or cut off?'
    )
  })
}

/** Prefixes from which no request can come over the internet. A guard refuses a list that has one. */
function specialPrefixes(rows: Rows): Problem[] {
  const written = new Set(rows.flatMap(({ addresses }) => (Array.isArray(addresses) ? addresses : [])))
  return [...written].flatMap((text) => {
    const purpose = specialPurpose(parsePrefix(text))
    if (purpose === undefined) return []
    return warning(
      'rows',
      text,
      `The page lists ${text}, which ${purpose.about}: no request can come from there over the internet.`,
      "Ask MoEngage's support which address is meant. A guard refuses this list until the option confirm names 'private'."
    )
  })
}

function warnOfAside({ place, text }: Aside): Problem {
  return warning(
    visible(place),
    text,
    `${quoted(text)} was left aside.`,
    'Check on the page whether it changes the meaning.'
  )
}
