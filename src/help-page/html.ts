import { type DefaultTreeAdapterMap, defaultTreeAdapter, type ParserError, parse } from 'parse5'
import { PageError } from '../errors.js'
import { quoted } from '../lib/text.js'
import {
  attribute,
  BLOCKS,
  type Element,
  type Flaw,
  flawOf,
  inOneLine,
  isElement,
  type Node,
  plain,
  readText,
  type Said,
  shown,
  struck,
  titlesOf
} from './cell-text.js'
import { mayBeOutdatedAbove, mayBeOutdatedBelow, mayBeOutdatedBy, saysOver, saysOverAbove } from './outdated.js'
import { mayBeReversed, reversal, reversalByTitles, reversalOfHeading, type Unreadable, unreadable } from './words.js'

/** One place in a table. A cell that spans several has the same text in each. */
export interface Slot extends Said {
  /** The flaw of the cell, or of anything around it, or what the title of its row says. */
  readonly flaw: Flaw | Label | undefined
  /** The number of columns that the cell spans. */
  readonly span: number
}

/** As long as every other row of its table. */
export type Row = readonly Slot[]

/** A table of the page, its spans filled out. */
export interface Table {
  /** The heading above it; empty if there is none. */
  readonly heading: string
  /** What says that it does not hold: a heading or the text above it, a title or summary around it, or its caption. */
  readonly reversedBy: Label | undefined
  /** Lines of text around it that may speak against its addresses. */
  readonly doubts: readonly Doubt[]
  readonly rows: readonly Row[]
}

type Mutable = { -readonly [Name in keyof Table]: Table[Name] }

/** A line of text that a person has to read. */
export interface Doubt {
  readonly where: 'heading of' | 'text above' | 'text below'
  readonly text: string
}

/** A text that heads a part of the page, and why that part cannot be taken as it is. */
export interface Label extends Unreadable {
  readonly text: string
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

/** Whether a page is HTML: a document, or a part of one that holds a table, and nothing of Markdown or MDX. */
export function looksLikeHtml(text: string): boolean {
  let rest = text
  for (let match = LEADING.exec(rest); match !== null; match = LEADING.exec(rest)) rest = rest.slice(match[0].length)
  if (/^<(?:!doctype\s+html|html|head|body)\b/i.test(rest)) return true
  if (/<[a-z][^<>]*\s[\w:-]+=\{/i.test(rest)) return false
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
  const tables: Mutable[] = []
  const prose: string[] = []
  let headings: Heading[] = []
  /** The last block of text so far. */
  let above: { readonly block: Element | undefined; text: string } = { block: undefined, text: '' }
  /** The table that the text so far is below. */
  let last: Mutable | undefined
  const sayBelow = (lines: readonly string[]) => {
    if (last === undefined) return
    last.reversedBy ??= lines.map((line) => overIn('text below', line)).find((label) => label !== undefined)
    last.doubts = [...last.doubts, ...lines.filter(mayBeOutdatedAbove).map((text) => doubt('text below', text))]
  }
  const say = (text: string, { block, flaw, isTool }: Around) => {
    if (flaw !== undefined || isTool) return
    if (above.block !== block) {
      if (!/[\p{L}\p{N}]/u.test(text)) return
      sayBelow(linesOf(above.text))
      above = { block, text: '' }
    }
    above.text += text
  }
  /** What an image shows is no text, unless it speaks of the table below. */
  const sayTitle = (title: string, around: Around) => {
    if (saysOver(title)) say(title, around)
  }
  // Recursion is safe: the adapter bounds the depth of the tree.
  const walk = (node: Node, around: Around) => {
    if ('value' in node && !around.inTable) prose.push(node.value)
    if ('value' in node) say(node.value.replaceAll('\n', ' '), around)
    if (!isElement(node)) return
    const { tagName: tag } = node
    if (tag === 'script' || tag === 'style') return
    const flaw = around.flaw ?? flawOf(node)
    const label = reversingLabel(node, around.inLabel)
    const reversedBy = around.reversedBy ?? label
    refuseUnclosed(node, label)
    const level = around.inHeading ? undefined : levelOf(node)
    if (level !== undefined && flaw !== 'hidden') {
      const said = readText(node)
      const line = inOneLine(said.text)
      const text = flaw === 'struck' ? struck(line) : line
      const reversedBy = asHeading({ ...said, text })
      headings = [...headings.filter((above) => above.level < level), { level, text, reversedBy }]
      sayBelow(linesOf(above.text))
      last = undefined
    }
    if (tag === 'br') say('\n', around)
    if (tag === 'img') sayTitle(titlesOf(node).join(' '), { ...around, flaw })
    let table: Mutable | undefined
    if (tag === 'table') {
      const lines = linesOf(above.text)
      const line = lines.pop()!
      sayBelow(lines)
      last = undefined
      const heading = headings.at(-1)?.text ?? ''
      table = {
        heading,
        reversedBy:
          reversedBy ?? headings.findLast((heading) => heading.reversedBy)?.reversedBy ?? overIn('text above', line),
        doubts: [
          ...headings
            .filter(({ text }) => mayBeReversed(text) || mayBeOutdatedBy(text))
            .map(({ text }) => doubt('heading of', text)),
          ...(line !== heading && mayBeOutdatedBelow(line) ? [doubt('text above', line)] : [])
        ],
        rows: readGrid(node, flaw)
      }
      tables.push(table)
    }
    if (tag === 'table' || tag === 'ul' || tag === 'ol') refuseCut(node)
    // The text of a caption is not in the rows.
    const inTable = tag === 'table' || (around.inTable && tag !== 'caption')
    const block = BLOCKS.has(tag) || tag === 'li' ? node : around.block
    const isTool = around.isTool || TOOLS.has(tag)
    // The text around a table does not have the table's.
    const inHeading = tag !== 'table' && (around.inHeading || level !== undefined)
    const inLabel = tag !== 'table' && (around.inLabel || inHeading || LABELS.includes(tag))
    for (const child of node.childNodes) walk(child, { inTable, flaw, reversedBy, block, isTool, inHeading, inLabel })
    if (table !== undefined) {
      above = { block: undefined, text: '' }
      last = table
    }
  }
  for (const child of document.childNodes) walk(child, OUTSIDE)
  sayBelow(linesOf(above.text))
  return { tables, prose: prose.join(' ') }
}

/** What is known of the elements around a part of the page. */
interface Around {
  readonly inTable: boolean
  readonly flaw: Flaw | undefined
  readonly reversedBy: Label | undefined
  /** The element whose line of text it is in. */
  readonly block: Element | undefined
  /** Whether it belongs to what readers work with, and not to the text of the page. */
  readonly isTool: boolean
  /** Whether it is in a heading, which is read as a whole: to read each heading in it again would take quadratic time. */
  readonly inHeading: boolean
  /** The same for headings and other labels. */
  readonly inLabel: boolean
}

const OUTSIDE: Around = {
  inTable: false,
  flaw: undefined,
  reversedBy: undefined,
  block: undefined,
  isTool: false,
  inHeading: false,
  inLabel: false
}

const TOOLS = new Set(['button', 'select', 'textarea', 'svg'])

interface Heading {
  readonly level: string
  readonly text: string
  readonly reversedBy: Label | undefined
}

/** The level of a heading, in an order of texts. */
function levelOf(element: Element): string | undefined {
  if (/^h[1-6]$/.test(element.tagName)) return element.tagName
  return attribute(element, 'role') === 'heading' ? `h${attribute(element, 'aria-level') ?? 2}` : undefined
}

/** Attributes that components have the titles of their tabs in. The name of a link is a place of the page. */
const TABS = new Set(['name', 'value', 'items'])

/** Elements whose text heads what is in their parent. */
const LABELS = ['summary', 'caption', 'figcaption', 'legend', 'dt']

/** The first text that heads what is in an element, and says that it does not hold. */
function reversingLabel(element: Element, inLabel: boolean): Label | undefined {
  const tabs = element.attrs
    .filter(({ name }) => TABS.has(name) && element.tagName !== 'a')
    .map(({ value }) => plain(value))
  const attributes = [...titlesOf(element), ...tabs].map((text) => ({ text, titles: [] }))
  const labels = inLabel ? [] : children(element, LABELS).map(readText)
  return [...attributes, ...labels].map(asLabel).find((label) => label !== undefined)
}

const asLabel = (said: Said) => labelOf(said, reversal(said.text))
const asHeading = (said: Said) => labelOf(said, reversalOfHeading(said.text) ?? overIn('heading of', said.text))

function labelOf(said: Said, ofText: Unreadable | undefined): Label | undefined {
  const reason = ofText ?? reversalByTitles(said)
  return reason && { text: inOneLine(shown(said)), ...reason }
}

/** What the titles of a row, or of a group of rows, say against it. */
function reversingTitle(element: Element): Label | undefined {
  const titles = titlesOf(element)
  const reason = reversalByTitles({ titles })
  return reason && { text: titles.join(' '), ...reason }
}

/** What directly heads a table is shorter. */
const MAX_LINE = 20_000
const linesOf = (text: string) =>
  plain(text)
    .trim()
    .split('\n')
    .map((line) => line.slice(-MAX_LINE).replaceAll(/\s+/g, ' ').trim())

const doubt = (where: Doubt['where'], text: string): Doubt => ({ where, text })

/** Why a table does not hold, if a text around it says so in clear words. */
function overIn(where: Doubt['where'], text: string): Label | undefined {
  if (!(where === 'text below' ? saysOverAbove(text) : saysOver(text))) return undefined
  const place = where === 'text above' ? 'text directly above' : where
  return { text, ...unreadable(`The ${place} the table says that its addresses are over, or not to be used.`) }
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
    message: `The page was cut off: <${element.tagName}> is never closed after ${quoted(readText(element).text.slice(-60))}.`,
    fix: 'Load it again.'
  })
}

/** Elements that HTML lets end without an end tag. */
const MAY_STAY_OPEN = new Set(
  'area base br col embed hr img input link meta source track wbr html head body colgroup thead tbody tfoot tr th td p li dt dd option optgroup rt rp'.split(
    ' '
  )
)
/** Elements of which a child says what is in them. */
const ENTITLED = new Set(['details', 'figure', 'fieldset', 'dl'])

/**
 * An element without its end tag ends with the list, cell or paragraph that it begins in. Its author meant more to be in it: a table
 * behind that place, which it hides or gives a title.
 */
function refuseUnclosed(element: Element, label: Label | undefined): void {
  const { tagName: tag, attrs, sourceCodeLocation: place } = element
  if (place == null || place.endTag != null || MAY_STAY_OPEN.has(tag)) return
  if (!ENTITLED.has(tag) && flawOf(element) === undefined && label === undefined) return
  const written = `<${[tag, ...attrs.map(({ name, value }) => (value === '' ? name : `${name}="${value}"`))].join(' ')}>`
  throw new PageError({
    value: written.slice(0, 80),
    message: `The element ${quoted(written.slice(0, 80))} is never closed where it begins, in a list or paragraph: a table below it may be part of it.`,
    fix: 'Load the page again; if it really says so, close the element behind its last part in a copy of the page by hand.'
  })
}

const children = (element: Element, tags: readonly string[]) =>
  element.childNodes.filter((node): node is Element => isElement(node) && tags.includes(node.tagName))

/** Fills out the spans, within each group of rows as a browser does. */
function readGrid(table: Element, outer: Flaw | undefined): Row[] {
  const flawIn = (element: Element, outer: Flaw | Label | undefined) =>
    outer ?? flawOf(element) ?? reversingTitle(element)
  const rows: Slot[][] = []
  for (const group of children(table, ['thead', 'tbody', 'tfoot'])) {
    const elements = children(group, ['tr'])
    if (rows.length + elements.length > MAX_ROWS) {
      throw tooLarge(`${rows.length + elements.length} rows`, `A table has more than ${MAX_ROWS} rows.`)
    }
    const first = rows.length
    for (const _ of elements) rows.push([])
    const flaw = flawIn(group, outer)
    for (const [i, element] of elements.entries()) placeRow(element, rows, first + i, flawIn(element, flaw))
  }
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0)
  return rows.map((row) => Array.from({ length: width }, (_, column) => row[column] ?? EMPTY))
}

/** Fills a place of a row without a cell. */
const EMPTY: Slot = { text: '', titles: [], span: 1, flaw: undefined }

/** Puts the cells of a row into the first free places, and into the places below that they span. */
function placeRow(element: Element, rows: readonly Slot[][], index: number, outer: Slot['flaw']): void {
  const row = rows[index]!
  let column = 0
  for (const cell of children(element, ['td', 'th'])) {
    while (row[column] !== undefined) column++
    const span = spanOf(cell, 'colspan')
    if (column + span > MAX_COLUMNS) {
      throw tooLarge(`${column + span} columns`, `A table has more than ${MAX_COLUMNS} columns.`)
    }
    const slot = { ...readText(cell), span, flaw: outer ?? flawOf(cell) }
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
