import { parse } from 'parse5'

interface Node {
  readonly nodeName: string
  readonly tagName?: string
  readonly value?: string
  readonly attrs?: readonly { readonly name: string; readonly value: string }[]
  readonly childNodes?: readonly Node[]
}

/** A page as a browser reads it: its elements and its text. */
export interface ReadPage {
  /** All elements in their order. */
  readonly elements: readonly { readonly name: string; readonly attributes: Readonly<Record<string, string>> }[]
  /** The text of the page, but that of `style` and `script`, with single blanks. */
  readonly text: string
  /** The text of the element with this id. */
  textOf(id: string): string
}

/** Reads a page with parse5. */
export function readPage(html: string): ReadPage {
  const root = parse(html) as unknown as Node
  const elements: ReadPage['elements'][number][] = []
  const byId = new Map<string, Node>()
  const visit = (node: Node) => {
    if (node.tagName !== undefined) {
      const attributes = Object.fromEntries((node.attrs ?? []).map(({ name, value }) => [name, value]))
      elements.push({ name: node.tagName, attributes })
      if (attributes.id !== undefined) byId.set(attributes.id, node)
    }
    for (const child of node.childNodes ?? []) visit(child)
  }
  visit(root)
  return {
    elements,
    text: textIn(root),
    textOf: (id) => {
      const node = byId.get(id)
      return node === undefined ? '' : textIn(node)
    }
  }
}

/** Elements that a browser shows as a block or a cell, so that texts beside each other are apart. */
const APART = /^(?:p|li|td|th|dt|dd|h[1-6]|option|summary|div|br|pre)$/

function textIn(node: Node): string {
  const parts: string[] = []
  const visit = ({ nodeName, value, childNodes = [] }: Node) => {
    if (nodeName === 'style' || nodeName === 'script') return
    if (nodeName === '#text') parts.push(`${value}`)
    for (const child of childNodes) visit(child)
    if (APART.test(nodeName)) parts.push(' ')
  }
  visit(node)
  return parts.join('').replaceAll(/\s+/g, ' ').trim()
}
