/** A tag of HTML or of a component. */
export interface Tag {
  readonly name: string
  readonly isEnd: boolean
  /** Whether it ends itself: `<Card />`. */
  readonly isEmpty: boolean
  readonly attributes: readonly Attribute[]
  /** The place behind it. */
  readonly end: number
}

/** An attribute of a tag. */
export interface Attribute {
  /** Undefined if it stands for attributes with unknown names: `{...rest}`. */
  readonly name: string | undefined
  /** The text between quotes or braces. Undefined if the name stands alone. */
  readonly value: string | undefined
  /** Whether the value stands between braces. */
  readonly isExpression: boolean
}

const START = /<(\/?)([A-Za-z][\w.:-]*)/y
const END = /\s*(\/?)>/y
const NAME = /\s+([\w:@.-]+)(\s*=\s*)?/y
const TEXT = /"([^"]*)"|'([^']*)'|([^\s"'<>=`{}]+)/y
const SPREAD = /\s*(?=\{)/y
/** Far longer than any expression in a tag of a help page; it bounds the time for a hostile one. */
const MAX_EXPRESSION = 1000

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/**
 * Reads the tag that begins at a place of a text. It may span lines.
 *
 * @returns undefined if there is no whole tag
 */
export function readTag(text: string, start: number): Tag | undefined {
  const [begin, slash, name] = match(START, text, start)!
  const attributes: Attribute[] = []
  let at = start + begin.length
  for (;;) {
    const end = match(END, text, at)
    if (end !== null) {
      return { name: name!, isEnd: slash !== '', isEmpty: end[1] !== '', attributes, end: at + end[0].length }
    }
    const read = readAttribute(text, at)
    if (read === undefined) return undefined
    attributes.push(read.attribute)
    at = read.end
  }
}

function readAttribute(text: string, start: number): { attribute: Attribute; end: number } | undefined {
  const named = match(NAME, text, start)
  const name = named?.[1]
  if (named !== null && named[2] === undefined) {
    return { attribute: { name, value: undefined, isExpression: false }, end: start + named[0].length }
  }
  const at = start + (named ?? match(SPREAD, text, start) ?? [''])[0].length
  if (text[at] === '{') {
    const end = endOfExpression(text, at)
    return end === undefined
      ? undefined
      : { attribute: { name, value: text.slice(at + 1, end - 1), isExpression: true }, end }
  }
  const written = named && match(TEXT, text, at)
  if (written === null) return undefined
  const value = written[1] ?? written[2] ?? written[3]
  return { attribute: { name, value, isExpression: false }, end: at + written[0].length }
}

/** The place behind the brace that closes the one at a place. Braces in strings do not count. */
function endOfExpression(text: string, start: number): number | undefined {
  let depth = 0
  for (const { index, 0: found } of text
    .slice(start, start + MAX_EXPRESSION)
    .matchAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|[{}]/g)) {
    if (found === '{') depth++
    if (found === '}' && --depth === 0) return start + index + 1
  }
  return undefined
}
