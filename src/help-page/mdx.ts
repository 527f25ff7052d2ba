import { PageError } from '../errors.js'

/** A line with nothing but a component's tag: `<Note>`, `</Tabs>`, `<Card title="x" />`. */
const COMPONENT = /^[ \t]*<\/?[A-Z][^<>]*>[ \t]*$/
/** The module syntax of MDX, which stands at the start of a line. */
const MODULE = /^(?:import\s[^\n]*\bfrom\b|import\s*['"]|export\s+(?:const|default|let|function)\b)/
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/
/** `rowSpan={6}`; and any other attribute that is an expression, up to two braces deep. */
const NUMBER_ATTRIBUTE = /=\{\s*(\d{1,5})\s*\}/g
const ATTRIBUTE = /(\s[\w:-]{1,50})=\{(?:[^{}]|\{[^{}]{0,1000}\}){0,1000}\}/g
const SPACE = /\{\s*(['"])\s*\1\s*\}/g

/**
 * Takes out of an MDX page what Markdown does not know, so that the Markdown in and around it is read: comments, module
 * lines, tags of components that stand alone, attributes that are expressions. Code blocks are left as they are.
 *
 * @throws PageError (`MOE_ERR_PAGE`) where a comment never ends: it would hide the rest of the page
 */
export function mdxToMarkdown(text: string): string {
  let fence: string | undefined
  let inComment = false
  const lines = text.split('\n').map((line) => {
    if (!inComment) {
      const [, marker] = FENCE.exec(line) ?? []
      if (fence !== undefined) {
        const closes = marker !== undefined && marker[0] === fence[0] && marker.length >= fence.length
        if (closes && line.trim() === marker) fence = undefined
        return line
      }
      if (marker !== undefined) {
        fence = marker
        return line
      }
    }
    const [rest, open] = withoutComments(line, inComment)
    inComment = open
    if (COMPONENT.test(rest) || MODULE.test(rest)) return ''
    // MDX has no indented code: a table inside of a component is indented as its author likes.
    return rest
      .replace(/^[ \t]+(?=\|)/, '')
      .replaceAll(NUMBER_ATTRIBUTE, '="$1"')
      .replaceAll(ATTRIBUTE, '$1=""')
      .replaceAll(SPACE, ' ')
  })
  if (inComment) {
    throw new PageError({
      value: '{/*',
      message: 'The page was cut: a comment that begins with {/* never ends.',
      fix: 'Load it again, or end the comment.'
    })
  }
  return lines.join('\n')
}

/** A line without the comments in it, and whether one is still open at its end. */
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
