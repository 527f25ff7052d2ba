import { createHash } from 'node:crypto'
import moengage from '../directory/moengage.json' with { type: 'json' }
import { CHANNELS, DATA_CENTERS, rowName } from '../directory/names.js'
import { type Cell, readSnapshot, type Snapshot } from '../directory/snapshot.js'
import { PageError } from '../errors.js'
import { quoted } from '../lib/text.js'
import type { Problem } from '../problem.js'
import { collectRows } from './collect-rows.js'
import { type Page, readHtml } from './html.js'
import { looksLikeHtml } from './looks-like-html.js'
import { markdownToHtml } from './markdown.js'
import { type Aside, readTable, splitAtRules } from './read-table.js'
import { rowsOutside } from './rows-outside.js'
import { strayAddresses } from './stray-addresses.js'

/** What a page is, as whoever loaded it knows. */
export interface AboutPage {
  /** Where the page stands. */
  readonly page: string
  /** The revision of the page, as its repository names it (the first 12 hex digits of a hash of what the page says). */
  readonly revision?: string | undefined
  /** The day on which the page was loaded, as `YYYY-MM-DD`. */
  readonly retrieved: string
  /** How the page is written (told by its first characters). Markdown includes MDX. */
  readonly format?: PageFormat | undefined
}

/** How a page is written. */
export type PageFormat = 'markdown' | 'html'

/** A page that was read as a whole. */
export interface Imported {
  readonly snapshot: Snapshot
  /** What was read but may surprise: rows we don't know, rows that are gone, words that were left aside. */
  readonly warnings: readonly Problem[]
}

/** The largest page that is read, in bytes. */
const LARGEST_PAGE = 5_000_000

/**
 * Reads MoEngage's help page: its Markdown or MDX source, or saved HTML of the docs site or the help centre. It reads all of
 * the page's tables or none.
 *
 * @throws PageError (`MOE_ERR_PAGE`) with every cell that could not be read or whose text got lost
 * @throws SnapshotError (`MOE_ERR_SNAPSHOT`) where what the page says is no sound snapshot: no address, or half of the internet
 * @example
 * const { snapshot, warnings } = importPage(await readFile('page.mdx', 'utf8'), { page: 'page.mdx', retrieved: '2026-11-23' })
 */
export function importPage(text: string, about: AboutPage): Imported {
  if (text.length > LARGEST_PAGE) {
    throw new PageError({
      value: `${text.length} characters`,
      message: `The page is longer than ${LARGEST_PAGE} characters.`,
      fix: 'Give the help page only.'
    })
  }
  const page = readPage(text.replaceAll(/\r\n?/g, '\n'), about.format)
  const tables = page.tables.flatMap(splitAtRules).map((table) => ({ table, read: readTable(table) }))
  const read = tables.flatMap((table) => table.read ?? [])
  const { rows, unknown, conflicts } = collectRows(read.flatMap((table) => table.rows))
  const unread = [...read.flatMap((table) => table.unread), ...conflicts, ...rowsOutside(page.prose)]
  if (unread.length > 0) {
    const lines = unread.map(
      (cell) =>
        `  - ${[cell.table, cell.row, cell.column].filter((name) => name !== '').join(' | ')}: ${cell.message}${cell.text === '' ? '' : ` It says ${quoted(cell.text)}.`}`
    )
    throw new PageError(
      {
        value: about.page,
        message: `${unread.length === 1 ? 'One cell' : `${unread.length} cells`} of the page could not be read, so nothing was taken from it:\n${lines.join('\n')}\n`,
        fix: 'Take the page from its source again; if it really says so, correct a copy of it by hand.'
      },
      unread
    )
  }
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
      ...read.flatMap((table) => table.asides).map(warnOfAside),
      ...strayAddresses(page.prose, unreadTables, snapshot)
    ]
  }
}

function readPage(text: string, format: PageFormat | undefined): Page {
  return readHtml((format ?? (looksLikeHtml(text) ? 'html' : 'markdown')) === 'html' ? text : markdownToHtml(text))
}

/** The same for the same meaning, whatever the format and the order. Verdicts show 12 characters of a revision. */
function revisionOf(rows: Snapshot['rows'], unknown: NonNullable<Snapshot['unknown']>): string {
  const meaning = (addresses: Cell) => JSON.stringify(Array.isArray(addresses) ? addresses.toSorted() : addresses)
  const lines = [
    ...rows.map((row) => `${row.dataCenter}\t${row.channel}\t${meaning(row.addresses)}`),
    ...unknown.map((row) => `${row.dataCenter}\t${row.name}\t${meaning(row.addresses)}`)
  ]
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 12)
}

/** What is doubtful about an address stays so, until the page lists it for that data center again. */
function notesFor(rows: Snapshot['rows']): Pick<Snapshot, 'notes'> {
  const { notes } = moengage as Snapshot
  const kept = notes!.filter((note) => {
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

function warnOfUnknown(row: NonNullable<Snapshot['unknown']>[number]): Problem {
  return warning(
    'unknown',
    row,
    `The page has a row that this version does not know: ${quoted(row.name)} in ${quoted(row.dataCenter)}.`,
    'It is kept, but no request is matched against it; look for a newer version of moengage-allowlist.'
  )
}

/** Rows that the bundled snapshot has and the page has not, a warning for each channel. */
function missingRows(rows: Snapshot['rows']): Problem[] {
  const has = (list: Snapshot['rows'], dataCenter: string, channel: string) =>
    list.some((row) => row.dataCenter === dataCenter && row.channel === channel)
  return CHANNELS.flatMap((channel) => {
    const gone = DATA_CENTERS.filter(
      (dataCenter) => has((moengage as Snapshot).rows, dataCenter, channel) && !has(rows, dataCenter, channel)
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

function warnOfAside({ place, text }: Aside): Problem {
  return warning(place, text, `${quoted(text)} was left aside.`, 'Look at the page whether it changes what is meant.')
}
