import {
  type DefaultTreeAdapterMap,
  type DefaultTreeAdapterTypes,
  defaultTreeAdapter,
  type ParserError,
  parse
} from 'parse5'
import { PageError } from '../errors.js'
import { attribute, cellText, type Element, isElement, type Node } from './cell-text.js'

/** One place in a table. A cell that spans several has the same text in each. */
export interface Slot {
  readonly text: string
  /** The number of columns that the cell spans. */
  readonly span: number
}

/** As long as every other row of its table. */
export type Row = readonly Slot[]

/** A table of the page, its spans filled out. */
export interface Table {
  /** The heading above it; empty where there is none. */
  readonly heading: string
  readonly rows: readonly Row[]
}

/** What a page holds. */
export interface Page {
  readonly tables: readonly Table[]
  /** The text outside of the tables. */
  readonly prose: string
}

const MOST_ELEMENTS = 250_000
const DEEPEST = 500
const MOST_ROWS = 20_000
const MOST_COLUMNS = 50

const tooMuch = (value: string, message: string) =>
  new PageError({ value, message, fix: 'Give the help page only, as it was published.' })

/** Counts while the tree grows: a hostile page would otherwise make a tree that is far larger than itself. */
function boundedAdapter() {
  let elements = 0
  let depth = 0
  return {
    ...defaultTreeAdapter,
    createElement(...args: Parameters<typeof defaultTreeAdapter.createElement>) {
      if (++elements > MOST_ELEMENTS) throw tooMuch(args[0], `The page has more than ${MOST_ELEMENTS} elements.`)
      return defaultTreeAdapter.createElement(...args)
    },
    onItemPush({ nodeName }: DefaultTreeAdapterMap['element']) {
      if (++depth > DEEPEST) throw tooMuch(nodeName, `The page nests its elements deeper than ${DEEPEST}.`)
    },
    onItemPop() {
      depth--
    }
  }
}

/**
 * Reads the tables of a page in HTML.
 *
 * @throws PageError (`MOE_ERR_PAGE`) where the page is too large, too deep, or was cut
 */
export function readHtml(html: string): Page {
  const document = parse(html, {
    treeAdapter: boundedAdapter(),
    sourceCodeLocationInfo: true,
    onParseError: refuseOpen
  })
  const tables: Table[] = []
  const prose: string[] = []
  let heading = ''
  // The tree is no deeper than the adapter let it become.
  const walk = (node: DefaultTreeAdapterTypes.Document | Node, inTable: boolean) => {
    if ('value' in node && !inTable) prose.push(node.value)
    if (!('childNodes' in node)) return
    const tag = isElement(node as Node) ? (node as Element).tagName : ''
    if (tag === 'script' || tag === 'style') return
    if (/^h[1-6]$/.test(tag)) heading = cellText(node as Element).replaceAll('\n', ' ')
    if (tag === 'table') tables.push({ heading, rows: readGrid(node as Element) })
    if (tag === 'table' || tag === 'ul' || tag === 'ol') refuseCut(node as Element)
    for (const child of node.childNodes) walk(child, inTable || tag === 'table')
  }
  walk(document, false)
  return { tables, prose: prose.join(' ') }
}

/** A comment or tag that never ends hides the rest of the page. */
function refuseOpen({ code }: ParserError): void {
  if (code !== 'eof-in-comment' && code !== 'eof-in-tag') return
  throw new PageError({
    value: code,
    message: `The page was cut: a ${code === 'eof-in-tag' ? 'tag' : 'comment'} never ends.`,
    fix: 'Load it again.'
  })
}

/** The end tag of these may not be left out, so without it the page, or the cell, was cut. */
function refuseCut(element: Element): void {
  if (element.sourceCodeLocation?.endTag != null || element.sourceCodeLocation == null) return
  throw new PageError({
    value: `<${element.tagName}>`,
    message: `The page was cut: <${element.tagName}> is never closed after "${cellText(element).slice(-60)}".`,
    fix: 'Load it again.'
  })
}

const children = (element: Element, tags: readonly string[]) =>
  element.childNodes.filter((node): node is Element => isElement(node) && tags.includes(node.tagName))

/** Fills out the spans, within each group of rows as a browser does. */
function readGrid(table: Element): Row[] {
  const rows: Slot[][] = []
  for (const group of children(table, ['thead', 'tbody', 'tfoot'])) {
    const elements = children(group, ['tr'])
    if (rows.length + elements.length > MOST_ROWS) {
      throw tooMuch(`${rows.length + elements.length} rows`, `A table has more than ${MOST_ROWS} rows.`)
    }
    const first = rows.length
    for (const _ of elements) rows.push([])
    for (const [i, element] of elements.entries()) placeRow(element, rows, first + i)
  }
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0)
  return rows.map((row) => Array.from({ length: width }, (_, column) => row[column] ?? NOTHING))
}

/** Where a row has no cell. */
const NOTHING: Slot = { text: '', span: 1 }

/** Puts the cells of a row into the first free places, and into those below that they span. */
function placeRow(element: Element, rows: readonly Slot[][], index: number): void {
  const row = rows[index]!
  let column = 0
  for (const cell of children(element, ['td', 'th'])) {
    while (row[column] !== undefined) column++
    const span = spanOf(cell, 'colspan')
    if (column + span > MOST_COLUMNS) {
      throw tooMuch(`${column + span} columns`, `A table has more than ${MOST_COLUMNS} columns.`)
    }
    const slot = { text: cellText(cell), span }
    const height = attribute(cell, 'rowspan')?.trim() === '0' ? rows.length : spanOf(cell, 'rowspan')
    for (const spanned of rows.slice(index, index + height)) {
      for (let i = 0; i < span; i++) spanned[column + i] ??= slot
    }
  }
}

function spanOf(cell: Element, name: string): number {
  const number = Number.parseInt(attribute(cell, name) ?? '', 10)
  return number > 0 ? number : 1
}
