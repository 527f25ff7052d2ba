import { parsed } from '../lib/json.js'

/** Maximum number of braces in front of the JSON of a line. */
const MAX_BRACES = 8

const ENTITIES: Readonly<Record<string, string>> = {
  quot: '"',
  '#34': '"',
  '#x22': '"',
  apos: "'",
  '#39': "'",
  '#x27': "'",
  lt: '<',
  gt: '>',
  amp: '&'
}

/** A text as it was before HTML or XML, perhaps twice. */
export function withoutEntities(text: string): string {
  return text.replaceAll(/&(?:amp;)*(quot|apos|lt|gt|amp|#34|#39|#x22|#x27);/g, (_, name: string) => ENTITIES[name]!)
}

/** An object in a text. */
export interface ObjectInText {
  /** The text before it, without other objects. */
  readonly before: string
  readonly value: unknown
  /** Where it stands in the text. */
  readonly start: number
  readonly end: number
}

/** The objects that stand in a text, and the text without them: some stores write them one after another. */
export function objectsIn(text: string): { objects: ObjectInText[]; outside: string } {
  const objects: ObjectInText[] = []
  let outside = ''
  let from = 0
  let start = text.indexOf('{')
  for (let failures = 0; start >= 0 && failures < MAX_BRACES; ) {
    const end = endOfObject(text, start)
    const value = parsed(text.slice(start, end))
    if (value === undefined) {
      failures++
      start = text.indexOf('{', start + 1)
    } else {
      outside += text.slice(from, start)
      objects.push({ before: outside, value, start, end })
      outside += '{}'
      from = end
      start = text.indexOf('{', end)
    }
  }
  return { objects, outside: outside + text.slice(from) }
}

/** Where the braces are balanced again, those in texts not counted; the start where they never are. */
function endOfObject(text: string, start: number): number {
  // A text that never ends is one token up to the end: it must not be read again from each quote in it.
  const tokens = /"(?:[^"\\]|\\.)*(?:"|\\?$)|[{}]/gs
  tokens.lastIndex = start
  let open = 0
  for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    if (token[0] === '{') open++
    else if (token[0] === '}' && --open === 0) return tokens.lastIndex
  }
  return start
}
