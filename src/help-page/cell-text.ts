import type { DefaultTreeAdapterTypes } from 'parse5'

export type Node = DefaultTreeAdapterTypes.ChildNode
export type Element = DefaultTreeAdapterTypes.Element

/** Why readers of the page do not take a text for what it says, as far as the attributes of its elements say. */
export type Flaw = 'hidden' | 'struck'

export const isElement = (node: Node): node is Element => 'tagName' in node
export const attribute = (element: Element, name: string) => element.attrs.find((attr) => attr.name === name)?.value

/** Elements that start a new line. */
export const BLOCKS = new Set(
  'address article aside blockquote dd details div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr main nav ol p pre section summary td th tr ul'.split(
    ' '
  )
)
const SILENT = new Set(['script', 'style', 'template', 'noscript'])
/** Elements that show something that is not in their text. */
const OPAQUE = new Set(['img', 'table', 'object', 'iframe', 'video', 'canvas', 'input', 'textarea', 'select'])
const STRUCK = new Set(['del', 's', 'strike'])
/** Characters that a browser does not show: soft hyphen, zero-width characters, marks of the direction, byte order mark. */
const INVISIBLE = /[\u00ad\u061c\u200b-\u200f\u2060\ufeff]/g
const visibleIn = (text: string) => text.replaceAll(INVISIBLE, '')
/** Hyphens that look like the one on the keyboard. */
const HYPHENS = /[\u2010\u2011]/g
/** A text as its readers see it. */
export const plain = (text: string) => visibleIn(text).replaceAll(HYPHENS, '-')

/** Stands for an element that shows something other than text. */
export const OBJECT = '\ufffc'
const LINE_OR_OBJECT = new RegExp(`[\\n${OBJECT}]+`, 'g')
/** Stands before every item of a list, so that an empty item can be detected. */
export const BULLET = '•'
const SEPARATORS = new RegExp(`[\\s,;()${BULLET}]+`, 'g')
/** Stands around a text that is struck out. */
export const STRIKE = '~~'

/** Attributes that hold text: titles, captions, labels, tips and the like, of elements and of components. */
const HOLDS_TEXT =
  /^(?:aria-)?\w*(?:title|head(?:ing|line|er)|caption|label|summary|description|text|tip|hint|note|message|badge|status|alt)$|^data-(?:tip|tooltip)$/

/** The texts in the attributes of an element. */
export const titlesOf = ({ attrs }: Element): readonly string[] =>
  attrs.filter(({ name }) => HOLDS_TEXT.test(name)).map(({ value }) => plain(value))

/** What an element says. */
export interface Said {
  /** Its text as a reader sees it: one line for each block, item and line break. */
  readonly text: string
  /** What the attributes of its tags, and its drawings, say beyond that. */
  readonly titles: readonly string[]
}

export function readText(element: Element): Said {
  const titles = [...titlesOf(element)]
  const text = textOf(element, titles)
  const said = titles.length > MAX_TITLES ? '' : flat(text)
  const beyond = new Set(titles.map(flat).filter((title) => title.trim() !== '' && !said.includes(title)))
  return { text: text === '' && beyond.size > 0 ? OBJECT : text, titles: [...beyond].map((title) => title.trim()) }
}

/** What an element says, in one text: its titles stand behind it in brackets. */
export const shown = ({ text, titles }: Said) => [text, ...titles.map((title) => `(${title})`)].join(' ')

/** The text of a cell is searched for each of its titles only up to this many. */
const MAX_TITLES = 100

const flat = (text: string) => ` ${text.replaceAll(SEPARATORS, ' ').trim()} `

function textOf(element: Element, titles: string[]): string {
  const parts: string[] = []
  for (const child of element.childNodes) addText(child, parts, titles)
  return plain(parts.join(''))
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(new RegExp(`${BULLET}\\s+`, 'g'), BULLET)
    .replaceAll(/ ?\n[ \n]*/g, '\n')
    .trim()
}

function addText(node: Node, parts: string[], titles: string[]): void {
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
  titles.push(...titlesOf(element))
  if (SILENT.has(element.tagName)) return
  if (element.tagName === 'svg') {
    titles.push(textOf(element, titles))
    return
  }
  if (OPAQUE.has(element.tagName) || isHidden(element)) {
    parts.push(OBJECT)
    return
  }
  const [before, after] = around(element, parts)
  parts.push(before)
  for (const child of element.childNodes) addText(child, parts, titles)
  parts.push(after)
}

/** A text in one line, without what stands for images and the like. */
export const inOneLine = (text: string) => text.replaceAll(LINE_OR_OBJECT, ' ').trim()

/** The start of a property in a style: in CSS, or in the object of MDX. */
const PROPERTY = String.raw`(?:^|[;{,])[\s']*`
const ZERO = String.raw`(?:0+(?:\.0*)?|\.0+)(?![\d.])`
const HIDING = new RegExp(
  String.raw`${PROPERTY}(?:display[\s']*:[\s']*none|(?:content-?)?visibility[\s']*:[\s']*(?:hidden|collapse)|(?:opacity|font-?size)[\s']*:[\s']*${ZERO})`,
  'i'
)
/**
 * Without a size, an element shows its text beyond its edges, unless it cuts that off. A minimum gives it one, and so does the layout of a
 * table or a row to the width of an element whose text ends with an ellipsis.
 */
const SIZES = [
  ['height', String.raw`(?:min-?height[\s']*:[\s']*(?!${ZERO})[^\s']|padding-?bottom[\s']*:[\s']*(?!${ZERO})[\d.]+%)`],
  [
    'width',
    String.raw`(?:min-?width[\s']*:[\s']*(?!${ZERO})[^\s']|flex(?:-?grow)?[\s']*:[\s']*(?:auto|(?!${ZERO})[\d.])|text-?overflow[\s']*:[\s']*ellipsis)`
  ]
].map(([size, given]) => ({
  zero: new RegExp(String.raw`${PROPERTY}(?:max-?)?${size}[\s']*:[\s']*${ZERO}`, 'i'),
  given: new RegExp(`${PROPERTY}${given}`, 'i')
}))
const CUTTING_OFF = new RegExp(String.raw`${PROPERTY}overflow(?:-?[xy])?[\s']*:[\s']*(?:hidden|clip)`, 'i')

/** A comment of CSS, which ends with the style at the latest. */
const COMMENT = /\/\*.*?(?:\*\/|$)/gs

const styleOf = (element: Element) => (attribute(element, 'style') ?? '').replaceAll(COMMENT, ' ')

/** Stands for a style that only the code of the page knows. */
export const UNKNOWN_STYLE = 'unknown'

/** Whether a reader of the page does not see an element, as far as its own attributes say, or may not see it. */
function isHidden(element: Element): boolean {
  if (['hidden', 'popover'].some((name) => attribute(element, name) !== undefined)) return true
  if (element.tagName === 'dialog' && attribute(element, 'open') === undefined) return true
  const style = styleOf(element)
  return style === UNKNOWN_STYLE || HIDING.test(style) || (!CELLS.has(element.tagName) && isCutOff(style))
}

/** They grow with their text, whatever size their style asks for. */
const CELLS = new Set(['td', 'th'])
const isCutOff = (style: string) =>
  CUTTING_OFF.test(style) && SIZES.some(({ zero, given }) => zero.test(style) && !given.test(style))

const isStruck = (element: Element) => STRUCK.has(element.tagName) || /line-through/i.test(styleOf(element))
export const struck = (text: string) => `${STRIKE}${text}${STRIKE}`

/** The flaw of an element, by its own attributes. */
export function flawOf(element: Element): Flaw | undefined {
  if (isHidden(element)) return 'hidden'
  return isStruck(element) ? 'struck' : undefined
}

/** Stands before a raised number that directly follows a digit: a mark of a footnote, or the end of the number before it. */
export const RAISED = '[^^'

/** Whether an element is a number, which links to no footnote, directly behind a digit. */
function isRaisedDigit(element: Element, above: readonly string[]): boolean {
  const parent = element.parentNode!
  const isLinked = parent.nodeName === 'a' && parent.childNodes.length === 1
  const before = above.findLast((part) => visibleIn(part) !== '') ?? ''
  return /\d$/.test(visibleIn(before)) && !isLinked && isNumber(element)
}

const isNumber = (node: Node): boolean =>
  'value' in node
    ? /^[\s\d]*$/.test(node.value)
    : !isElement(node) || (node.tagName !== 'a' && node.childNodes.every(isNumber))

function around(element: Element, above: readonly string[]): [before: string, after: string] {
  const { tagName } = element
  if (tagName === 'br') return ['\n', '']
  if (tagName === 'li') return [`\n${BULLET}`, '\n']
  // Without brackets the mark of a footnote would become a digit of the address before it.
  if (tagName === 'sup' || tagName === 'sub') return [isRaisedDigit(element, above) ? RAISED : '[^', ']']
  if (isStruck(element)) return [STRIKE, STRIKE]
  return BLOCKS.has(tagName) ? ['\n', '\n'] : ['', '']
}
