import { html } from 'ghtml'
import { builtin } from '../lib/builtin.js'
import { STYLE } from './style.js'

const STYLE_HASH = builtin('node:crypto').createHash('sha256').update(STYLE).digest('base64')

/** The content security policy of a document without a script. The style is allowed by its hash, the icon is part of the document. */
export const STATIC_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'`

/** The policy of a page that has our script, and forms that lead back to it. */
export const PAGE_POLICY =
  `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; script-src 'self'; connect-src 'self'; form-action 'self'; ` +
  "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types moengage-status"

/** A tick on green: without an icon of its own, a browser would ask the server for one. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0f6e56"/><path d="M4 8.5l3 3 5-6" fill="none" stroke="#fff" stroke-width="2"/></svg>'
)}`

/** The parts of a document; `head` and `body` are HTML. */
export interface Document {
  readonly title: string
  readonly head?: string
  readonly body: string
}

/** What cannot be seen, or turns the direction of a text. */
const UNSEEN = /[^\P{C}\n\t]+|[\p{Zl}\p{Zp}]+/gu

/** A whole document, with its style inside. A text of a log or of a client does not change how the others look. */
export function documentOf({ title, head = '', body }: Document): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="${ICON}">
!${head}<style>!${STYLE}</style>
</head>
<body>
!${body.replaceAll(UNSEEN, ' ')}
</body>
</html>
`
}

/** A section with its heading; `body` is HTML. */
export interface Section {
  readonly id: string
  readonly title: string
  readonly body: string
  /** Whether its content changes while the page is open. */
  readonly isLive?: boolean
}

export function sectionOf({ id, title, body, isLive = false }: Section): string {
  return html`<section aria-labelledby="${id}-title" id="${id}">
<h2 id="${id}-title">${title}</h2>
<div id="${id}-body" !${isLive ? 'data-live' : ''}>
!${body}
</div>
</section>
`
}

/** A cell of a table: a text, or HTML. */
export type Cell = string | { readonly html: string }

/** A table that scrolls on a narrow screen, with a caption for those who do not see it. */
export interface Table {
  readonly caption: string
  readonly header: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  /** Whether each row becomes a card on a narrow screen. */
  readonly isCards?: boolean
}

export function tableOf({ caption, header, rows, isCards = false }: Table): string {
  const columns = header.map((title) => html`<th scope="col" role="columnheader">${title}</th>`)
  const body = rows.map((cells) => {
    const inner = cells.map((cell, i) => {
      const content = typeof cell === 'string' ? html`${cell}` : cell.html
      return i === 0
        ? html`<th scope="row" role="rowheader">!${content}</th>`
        : html`<td role="cell" data-label="${header[i]}">!${content}</td>`
    })
    return html`<tr role="row">!${inner}</tr>`
  })
  const table = html`<table role="table" class="!${isCards ? 'cards' : ''}"><caption class="hidden">${caption}</caption>
<thead role="rowgroup"><tr role="row">!${columns}</tr></thead>
<tbody role="rowgroup">!${body.join('\n')}</tbody></table>`
  return scrolling(caption, table)
}

/** A part that is wider than a narrow screen, and can be scrolled by keyboard. */
export function scrolling(name: string, content: string): string {
  return html`<div class="scroll" role="region" aria-label="${name}" tabindex="0">!${content}</div>`
}

export const listOf = (items: readonly string[]): string =>
  items.length === 0 ? '' : html`<ul>!${items.map((item) => html`<li>${item}</li>`)}</ul>`
