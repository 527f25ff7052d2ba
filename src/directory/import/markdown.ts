import { Lexer, Parser, Tokenizer } from 'marked'
import { PageError } from '../../errors.js'
import { mdxToMarkdown } from './mdx.js'

/** The page has 12 KB. */
const LONGEST_PAGE = 512 * 1024
/** A longer text is left as it stands: the parser's time for one text grows with the square of its length. */
const LONGEST_TEXT = 10_000
const LONGEST_EMPHASIS = 500
/** Lists and quotes nested deeper than any page's; the parser recurses into each. */
const TOO_DEEP = /^(?:[ \t]|>|[*+-][ \t]|\d{1,9}[.)][ \t]){200}/m

/** Emphasis is looked for from every mark to the end of the text, so only in short ones. */
class BoundedTokenizer extends Tokenizer {
  override emStrong(...[text, masked, before]: Parameters<Tokenizer['emStrong']>) {
    return masked.length > LONGEST_EMPHASIS ? undefined : super.emStrong(text, masked, before)
  }
}

class BoundedLexer extends Lexer {
  override inline(...[text, tokens = []]: Parameters<Lexer['inline']>) {
    if (text.length <= LONGEST_TEXT) return super.inline(text, tokens)
    tokens.push({ type: 'text', raw: text, text, escaped: false })
    return tokens
  }
}

/**
 * Turns the Markdown or MDX source of a page into HTML.
 *
 * @throws PageError (`MOE_ERR_PAGE`)
 */
export function markdownToHtml(text: string): string {
  if (text.length > LONGEST_PAGE) {
    throw new PageError({
      value: `${text.length} characters`,
      message: `The page is longer than ${LONGEST_PAGE} characters of Markdown.`,
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
      fix: 'Load it again: it was cut.'
    })
  }
  const options = { gfm: true, tokenizer: new BoundedTokenizer() }
  return Parser.parse(new BoundedLexer(options).lex(mdxToMarkdown(text)), options)
}
