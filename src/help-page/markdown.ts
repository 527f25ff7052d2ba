import { Lexer, Parser, Tokenizer, type Tokens } from 'marked'
import { PageError } from '../errors.js'
import { mdxToMarkdown } from './mdx.js'

/** MoEngage's page has 12 KB. */
const MAX_PAGE = 512 * 1024
/** Longer texts are left as they are: the parser's time for one text grows with the square of its length. */
const MAX_TEXT = 10_000
const MAX_EMPHASIS = 500
/** Maximum number of cells beyond the header. */
const MAX_BEYOND = 50
/** Lists and quotes nested deeper than any page's; the parser recurses into each. */
const TOO_DEEP = /^(?:[ \t]|>|[*+-][ \t]|\d{1,9}[.)][ \t]){200}/m

/**
 * Turns the Markdown or MDX source of a page into HTML.
 *
 * @throws PageError (`MOE_ERR_PAGE`)
 */
export function markdownToHtml(text: string): string {
  if (text.length > MAX_PAGE) {
    throw new PageError({
      value: `${text.length} characters`,
      message: `The page is longer than ${MAX_PAGE} characters of Markdown.`,
      fix: 'Give the help page only.'
    })
  }
  if (TOO_DEEP.test(text)) {
    throw new PageError({
      value: 'lists or quotes',
      message: 'The page nests lists or quotes too deep.',
      fix: 'Look at what the file holds.'
    })
  }
  const lastLine = text.trimEnd().split('\n').at(-1)!.trim()
  if (/^\|.*[^|]$/.test(lastLine)) {
    throw new PageError({
      value: lastLine,
      message: 'The page ends in the middle of a table row.',
      fix: 'Load it again: it was cut off.'
    })
  }
  const options = { gfm: true, tokenizer: new PageTokenizer() }
  return Parser.parse(new BoundedLexer(options).lex(mdxToMarkdown(text)), options)
}

class PageTokenizer extends Tokenizer {
  /** The parser looks for emphasis from every mark to the end of the text, so only short texts get it. */
  override emStrong(...[text, masked, before]: Parameters<Tokenizer['emStrong']>) {
    return masked.length > MAX_EMPHASIS ? undefined : super.emStrong(text, masked, before)
  }

  /** The text of a footnote is not the address of a link: its mark in a cell stays a mark. */
  override def(text: string): Tokens.Def | undefined {
    const definition = super.def(text)
    return definition?.tag.startsWith('^') ? undefined : definition
  }

  /** Markdown drops the cells that a row has beyond its header. We keep them as columns without a header. */
  override table(text: string): Tokens.Table | undefined {
    const table = super.table(text)
    if (table === undefined) return undefined
    const lines = table.raw.split('\n').slice(2)
    const beyond = table.rows.map((_, i) => cellsOf(lines[i]!).slice(table.header.length))
    const width = beyond.reduce((most, cells) => Math.max(most, cells.length), 0)
    if (width > MAX_BEYOND) throw tooWide(width)
    for (let column = 0; column < width; column++) {
      table.align.push(null)
      table.header.push(this.#cell('', true))
      for (const [i, row] of table.rows.entries()) row.push(this.#cell(beyond[i]![column] ?? '', false))
    }
    return table
  }

  #cell(text: string, header: boolean): Tokens.TableCell {
    return { text, tokens: this.lexer.inline(text), header, align: null }
  }
}

const tooWide = (width: number) =>
  new PageError({
    value: `${width} cells`,
    message: `A row has ${width} cells more than its header.`,
    fix: 'Look at what the file holds.'
  })

/** The cells of a row; a pipe behind a backslash is part of one. */
function cellsOf(line: string): string[] {
  const cells = line
    .replaceAll(/\\.|\|/g, (found) => (found === '|' ? '\n' : found))
    .split('\n')
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
  if (cells[0] === '') cells.shift()
  if (cells.at(-1) === '') cells.pop()
  return cells
}

class BoundedLexer extends Lexer {
  override inline(...[text, tokens = []]: Parameters<Lexer['inline']>) {
    if (text.length <= MAX_TEXT) return super.inline(text, tokens)
    tokens.push({ type: 'text', raw: text, text, escaped: false })
    return tokens
  }
}
