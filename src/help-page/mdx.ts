import { PageError } from '../errors.js'
import { UNKNOWN_STYLE } from './cell-text.js'
import { type Attribute, readTag, type Tag } from './mdx-tag.js'

/** The module syntax of MDX, which stands at the start of a line. */
const MODULE = /^(?:import\s[^\n]*\bfrom\b|import\s*['"]|export\s+(?:const|default|let|function)\b)/
const FENCE = /^([ \t]*(?:(?:[*+-]|\d{1,9}[.)])[ \t]+)*)(`{3,}(?=[^`]*$)|~{3,})/
const SPACE = /\{\s*(['"])\s*\1\s*\}/g
/**
 * MDX has no indented code: authors indent a table, tag or heading inside of a component as they like. Without its indent, a table
 * is in no item of a list. So a tag that begins an item leaves it too: else it would end with the item, before the table in it.
 */
const INDENT = /^[ \t]+(?=\||#{1,6}\s)|^[ \t]*(?:(?:[*+-]|\d{1,9}[.)])[ \t]+)*(?=<|:{3}|\{%)/

/**
 * Removes what MDX adds to Markdown, so that the Markdown in and around it is read: comments, module lines, attributes that are
 * expressions. Tags of components become those of blocks, since their attributes may hide what is in them, or give it a title.
 * So do the marks of admonitions and tabs. Code blocks stay as they are.
 *
 * @throws PageError (`MOE_ERR_PAGE`) if a comment never ends, since it would hide the rest of the page, or if the tag of a
 * component cannot be read
 */
export function mdxToMarkdown(text: string): string {
  let fence: { readonly marker: string; readonly indent: number } | undefined
  let inComment = false
  const parts: string[] = []
  let prose: string[] = []
  const endProse = () => {
    if (prose.length > 0) parts.push(withBlocks(withPlainTags(prose.join('\n'))))
    prose = []
  }
  for (const line of text.split('\n')) {
    const [, indent = '', marker] = inComment ? [] : (FENCE.exec(line) ?? [])
    if (fence !== undefined) {
      const closes = line.trim() === marker && marker.startsWith(fence.marker) && indent.length < fence.indent + 4
      parts.push(closes ? marker : line)
      if (closes) fence = undefined
    } else if (marker !== undefined) {
      fence = { marker, indent: indent.length }
      endProse()
      // Without its indent, as the tables around it.
      parts.push(line.slice(indent.length))
    } else {
      const [rest, open] = withoutComments(line, inComment)
      inComment = open
      prose.push(MODULE.test(rest) ? '' : rest.replace(INDENT, '').replaceAll(SPACE, ' '))
    }
  }
  endProse()
  if (inComment) {
    throw new PageError({
      value: '{/*',
      message: 'The page was cut off: a comment that begins with {/* never ends.',
      fix: 'Load it again, or end the comment.'
    })
  }
  return parts.join('\n')
}

/** A text whose tags are those of HTML, each in one line. */
function withPlainTags(text: string): string {
  const parts: string[] = []
  let end = 0
  for (const { index, 0: start } of text.matchAll(/<\/?[A-Za-z]/g)) {
    if (index < end) continue
    const tag = readTag(text, index)
    if (tag === undefined) {
      const isBlock = /[A-Z]$/.test(start) && (index === 0 || text[index - 1] === '\n')
      if (isBlock) throw unreadableTag(text.slice(index, index + 40))
      continue
    }
    const behind = isComponent(tag) ? endOfEmpty(text, tag) : undefined
    parts.push(text.slice(end, index), behind === undefined ? plainTag(tag) : imageFor(tag))
    end = behind ?? tag.end
  }
  return parts.join('') + text.slice(end)
}

const unreadableTag = (value: string) =>
  new PageError({
    value,
    message: 'The tag of a component cannot be read: it may hide what is in it.',
    fix: 'Load the page again; if it really says so, correct the tag in a copy of it by hand.'
  })

const plainTag = ({ isEnd, name, attributes, isEmpty }: Tag) =>
  `<${isEnd ? '/' : ''}${name}${attributes.map(plainAttribute).join('')}${isEmpty ? ' /' : ''}>`

const isComponent = ({ name, isEnd }: Tag) => /^[A-Z]/.test(name) && !isEnd

/** The place behind a component that has nothing in it. */
function endOfEmpty(text: string, { name, isEmpty, end }: Tag): number | undefined {
  if (isEmpty) return end
  END_TAG.lastIndex = end
  const [whole, ended] = END_TAG.exec(text) ?? []
  return ended === name ? end + whole!.length : undefined
}

const END_TAG = /\s*<\/([\w.:-]+)\s*>/y

/** Attributes that are never shown. */
const UNSEEN = new Set(['href', 'src', 'id', 'key', 'class', 'className', 'style', 'hidden'])

/** A component without text is an image. What its tag says may be what it shows. */
function imageFor({ attributes }: Tag): string {
  const shown = attributes.filter(({ name = 'style' }) => !UNSEEN.has(name))
  const texts = shown.map(({ name = '', value = name }) => plainText(value))
  const hiding = attributes.filter(({ name = 'style' }) => name === 'style' || name === 'hidden')
  return `<Img alt="${texts.join(' ')}"${hiding.map(plainAttribute).join('')} />`
}

const plainText = (value: string) => value.replaceAll(/["`\\<>&|\n]/g, ' ').trim()

/** A style may hide its text, and other attributes hold titles. What is no text of HTML in them becomes a space. */
function plainAttribute({ name, value, isExpression }: Attribute): string {
  if (name === undefined) return ` style="${UNKNOWN_STYLE}"`
  if (value === undefined) return ` ${name}`
  if (!isExpression) return ` ${name}="${value.replaceAll(/["<>|\n]/g, ' ')}"`
  if (name === 'hidden' && /^\s*(?:false|undefined|null)\s*$/.test(value)) return ''
  const isUnknown = name === 'style' && !STYLE.test(value)
  return ` ${name}="${isUnknown ? UNKNOWN_STYLE : plainText(value)}"`
}

/** An object of literals. */
const LITERAL = `'[^']*'|"[^"]*"|\`[^\`$]*\`|-?[\\d.]+`
const STYLE = new RegExp(
  `^\\s*\\{(?:\\s*(?:[\\w-]+|'[^']*'|"[^"]*")\\s*:\\s*(?:${LITERAL})\\s*(?:,|(?=\\})))*\\s*\\}\\s*$`
)

const COMPONENT = /<(\/?)[A-Z][\w.]*(?![\w.])([^<>]*)>/g
/** A line that begins with a tag, and is no row of a table. */
const TAG_LINE = /^<\/?[A-Za-z][^|]*$/
/** An admonition of Docusaurus or VitePress: `:::danger Deprecated`, and at its end `:::`. */
const ADMONITION = /^\s*:{3,}(.*)$/
/** A tag of GitBook or Markdoc: `{% tab title="IPs" %}`. */
const LIQUID = /^\s*\{%(.*)%\}\s*$/

/** Tags of blocks for those of components. Between empty lines, Markdown takes them for HTML. */
function withBlocks(text: string): string {
  let open = 0
  return text
    .split('\n')
    .map((line) => {
      if (TAG_LINE.test(line)) return line.replaceAll(COMPONENT, blockFor)
      const [, words] = ADMONITION.exec(line) ?? LIQUID.exec(line) ?? []
      if (words === undefined || /\/\s*$/.test(words)) return line
      if (!/^\s*(?:$|\/|end)/.test(words)) {
        open++
        return `\n<div title="${words.replaceAll(/["<>|]/g, ' ').trim()}">\n`
      }
      if (open === 0) return line
      open--
      return '\n</div>\n'
    })
    .join('\n')
}

const blockFor = (_: string, slash: string, attributes: string) =>
  `\n\n<${attributes.endsWith('/') ? 'img' : `${slash}div`}${attributes}>\n\n`

/** A line without the comments in it, and whether a comment is still open at its end. */
function withoutComments(line: string, inComment: boolean): [rest: string, open: boolean] {
  let rest = ''
  let at = 0
  if (inComment) {
    const end = line.indexOf('*/}')
    if (end < 0) return ['', true]
    at = end + 3
  }
  for (;;) {
    const start = line.indexOf('{/*', at)
    if (start < 0) return [rest + line.slice(at), false]
    rest += `${line.slice(at, start)} `
    const end = line.indexOf('*/}', start + 3)
    if (end < 0) return [rest, true]
    at = end + 3
  }
}
