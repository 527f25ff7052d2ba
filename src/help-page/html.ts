import {
  type DefaultTreeAdapterMap,
  type DefaultTreeAdapterTypes,
  defaultTreeAdapter,
  type ParserError,
  parse
} from 'parse5'
import { PageError } from '../errors.js'
import { quoted } from '../lib/text.js'

type Node = DefaultTreeAdapterTypes.ChildNode
type Element = DefaultTreeAdapterTypes.Element

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
  /** The heading above it; empty if there is none. */
  readonly heading: string
  readonly rows: readonly Row[]
}

/** The tables of a page, and its other text. */
export interface Page {
  readonly tables: readonly Table[]
  /** The text outside of the tables. */
  readonly prose: string
}

const MAX_ELEMENTS = 250_000
const MAX_DEPTH = 500
const MAX_ROWS = 20_000
const MAX_COLUMNS = 50

/** Comments and white space, which may stand before HTML and before Markdown. */
const LEADING = /^(?:\ufeff|\s+|<\?xml[^>]*>|<!--.*?-->)/s

/** Whether a page is HTML: a document, or a part of one that holds a table and no Markdown of its own. */
export function looksLikeHtml(text: string): boolean {
  let rest = text
  for (let match = LEADING.exec(rest); match !== null; match = LEADING.exec(rest)) rest = rest.slice(match[0].length)
  if (/^<(?:!doctype\s+html|html|head|body)\b/i.test(rest)) return true
  return /^<[a-z]/.test(rest) && /<\/table\s*>/i.test(rest) && !/^ {0,3}(?:#{1,6} |\|?[ \t]*:?-{3,})/m.test(rest)
}

/**
 * Reads the tables of a page in HTML.
 *
 * @throws PageError (`MOE_ERR_PAGE`) if the page is too large, nests too deep, or was cut off
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
  // Recursion is safe: the adapter bounds the depth of the tree.
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

/** Counts elements while the tree grows: a hostile page can make a tree that is far larger than its text. */
function boundedAdapter() {
  let elements = 0
  let depth = 0
  return {
    ...defaultTreeAdapter,
    createElement(...args: Parameters<typeof defaultTreeAdapter.createElement>) {
      if (++elements > MAX_ELEMENTS) throw tooLarge(args[0], `The page has more than ${MAX_ELEMENTS} elements.`)
      return defaultTreeAdapter.createElement(...args)
    },
    onItemPush({ nodeName }: DefaultTreeAdapterMap['element']) {
      if (++depth > MAX_DEPTH) throw tooLarge(nodeName, `The page nests its elements deeper than ${MAX_DEPTH}.`)
    },
    onItemPop() {
      depth--
    }
  }
}

const tooLarge = (value: string, message: string) =>
  new PageError({ value, message, fix: 'Give the help page only, as it was published.' })

/** A comment or tag that never ends hides the rest of the page. */
function refuseOpen({ code }: ParserError): void {
  if (code !== 'eof-in-comment' && code !== 'eof-in-tag') return
  throw new PageError({
    value: code,
    message: `The page was cut off: a ${code === 'eof-in-tag' ? 'tag' : 'comment'} never ends.`,
    fix: 'Load it again.'
  })
}

/** HTML requires the end tag of these elements. If it is missing, the page or the cell was cut off. */
function refuseCut(element: Element): void {
  if (element.sourceCodeLocation?.endTag != null || element.sourceCodeLocation == null) return
  throw new PageError({
    value: `<${element.tagName}>`,
    message: `The page was cut off: <${element.tagName}> is never closed after ${quoted(cellText(element).slice(-60))}.`,
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
    if (rows.length + elements.length > MAX_ROWS) {
      throw tooLarge(`${rows.length + elements.length} rows`, `A table has more than ${MAX_ROWS} rows.`)
    }
    const first = rows.length
    for (const _ of elements) rows.push([])
    for (const [i, element] of elements.entries()) placeRow(element, rows, first + i)
  }
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0)
  return rows.map((row) => Array.from({ length: width }, (_, column) => row[column] ?? EMPTY))
}

/** Fills a place of a row without a cell. */
const EMPTY: Slot = { text: '', span: 1 }

/** Puts the cells of a row into the first free places, and into the places below that they span. */
function placeRow(element: Element, rows: readonly Slot[][], index: number): void {
  const row = rows[index]!
  let column = 0
  for (const cell of children(element, ['td', 'th'])) {
    while (row[column] !== undefined) column++
    const span = spanOf(cell, 'colspan')
    if (column + span > MAX_COLUMNS) {
      throw tooLarge(`${column + span} columns`, `A table has more than ${MAX_COLUMNS} columns.`)
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

const isElement = (node: Node): node is Element => 'tagName' in node
const attribute = (element: Element, name: string) => element.attrs.find((attr) => attr.name === name)?.value

/** Elements that start a new line. */
const BLOCKS = new Set(
  'address article aside blockquote dd details div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr main nav ol p pre section summary td th tr ul'.split(
    ' '
  )
)
const SILENT = new Set(['script', 'style', 'template', 'svg', 'noscript'])
/** Elements that show something that is not in their text. */
const OPAQUE = new Set(['img', 'table', 'object', 'iframe', 'video', 'canvas', 'input', 'textarea', 'select'])
const STRUCK = new Set(['del', 's', 'strike'])
/** Characters that a browser does not show: soft hyphen, zero-width characters, marks of the direction, byte order mark. */
const INVISIBLE = /[\u00ad\u061c\u200b-\u200f\u2060\ufeff]/g
/** Hyphens that look like the one on the keyboard. */
const HYPHENS = /[\u2010\u2011]/g

/** Stands for an element that shows something other than text. */
export const OBJECT = '\ufffc'
/** Stands before every item of a list, so that an empty item can be detected. */
export const BULLET = '•'
/** Stands around a text that is struck out. */
export const STRIKE = '~~'

/** The text of an element as a reader sees it: one line for each block, item and line break. */
function cellText(element: Element): string {
  const parts: string[] = []
  for (const child of element.childNodes) addText(child, parts)
  return parts
    .join('')
    .replaceAll(INVISIBLE, '')
    .replaceAll(HYPHENS, '-')
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(new RegExp(`${BULLET}\\s+`, 'g'), BULLET)
    .replaceAll(/ ?\n[ \n]*/g, '\n')
    .trim()
}

function addText(node: Node, parts: string[]): void {
  if ('data' in node) {
    // The HTML parser reads a CDATA section as a comment; its author meant text.
    const [, data] = /^\[CDATA\[(.*?)(?:\]\])?$/s.exec(node.data) ?? []
    if (data !== undefined) parts.push(data)
    return
  }
  if ('value' in node) {
    parts.push(node.value.replaceAll('\n', ' '))
    return
  }
  // The only other kind of node, a document type, cannot be in a cell.
  const element = node as Element
  if (SILENT.has(element.tagName)) return
  if (OPAQUE.has(element.tagName) || isHidden(element)) {
    parts.push(OBJECT)
    return
  }
  const [before, after] = around(element)
  parts.push(before)
  for (const child of element.childNodes) addText(child, parts)
  parts.push(after)
}

const styleOf = (element: Element) => attribute(element, 'style') ?? ''

/** Whether a reader of the page does not see an element, as far as its own attributes say. */
function isHidden(element: Element): boolean {
  if (attribute(element, 'hidden') !== undefined) return true
  return /(?:^|[;{,])\s*(?:display\s*:\s*'?\s*none|visibility\s*:\s*'?\s*(?:hidden|collapse))/i.test(styleOf(element))
}

function around(element: Element): [before: string, after: string] {
  const { tagName } = element
  if (tagName === 'br') return ['\n', '']
  if (tagName === 'li') return [`\n${BULLET}`, '\n']
  // Without brackets the mark of a footnote would become a digit of the address before it.
  if (tagName === 'sup' || tagName === 'sub') return ['[^', ']']
  if (STRUCK.has(tagName) || /line-through/i.test(styleOf(element))) return [STRIKE, STRIKE]
  return BLOCKS.has(tagName) ? ['\n', '\n'] : ['', '']
}
