import type { DefaultTreeAdapterTypes } from 'parse5'

export type Node = DefaultTreeAdapterTypes.ChildNode
export type Element = DefaultTreeAdapterTypes.Element

/** Elements that start a new line. */
const BLOCKS = new Set(
  'address article aside blockquote dd details div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr main nav ol p pre section summary td th tr ul'.split(
    ' '
  )
)
const SILENT = new Set(['script', 'style', 'template', 'svg', 'noscript'])
/** Elements that show what their text does not say. */
const OPAQUE = new Set(['img', 'table', 'object', 'iframe', 'video', 'canvas', 'input', 'textarea', 'select'])
const STRUCK = new Set(['del', 's', 'strike'])
/** What a browser shows nothing of: soft hyphen, zero-width characters, byte order mark. */
const INVISIBLE = /[\u00ad\u200b-\u200d\u2060\ufeff]/g

/** The hyphens that look like the one on the keyboard. */
const HYPHENS = /[\u2010\u2011]/g

/** Stands for an element that shows something which is not text. */
export const OBJECT = '\ufffc'
/** Stands before every item of a list, so that an empty one can be told. */
export const BULLET = '•'
/** Stands around a text that is struck out. */
export const STRIKE = '~~'

export const isElement = (node: Node): node is Element => 'tagName' in node
export const attribute = (element: Element, name: string) => element.attrs.find((attr) => attr.name === name)?.value

/** The text of an element as a reader sees it: one line for each block, item and line break. */
export function cellText(element: Element): string {
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
    // HTML takes a CDATA section for a comment, its author did not.
    const [, data] = /^\[CDATA\[(.*?)(?:\]\])?$/s.exec(node.data) ?? []
    if (data !== undefined) parts.push(data)
    return
  }
  if ('value' in node) {
    parts.push(node.value.replaceAll('\n', ' '))
    return
  }
  // What else there is, a document type, stands in no cell.
  const element = node as Element
  if (SILENT.has(element.tagName)) return
  if (OPAQUE.has(element.tagName)) {
    parts.push(OBJECT)
    return
  }
  const [before, after] = around(element)
  parts.push(before)
  for (const child of element.childNodes) addText(child, parts)
  parts.push(after)
}

function around({ tagName }: Element): [before: string, after: string] {
  if (tagName === 'br') return ['\n', '']
  if (tagName === 'li') return [`\n${BULLET}`, '\n']
  // Without its brackets the mark of a footnote would become a digit of the address before it.
  if (tagName === 'sup' || tagName === 'sub') return ['[^', ']']
  if (STRUCK.has(tagName)) return [STRIKE, STRIKE]
  return BLOCKS.has(tagName) ? ['\n', '\n'] : ['', '']
}
