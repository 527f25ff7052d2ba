import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A fenced block of a page. */
export interface Block {
  readonly page: string
  /** The line of its fence. */
  readonly line: number
  /** The word behind the fence; empty where there is none. */
  readonly language: string
  readonly code: string
}

/** Every page that is written by hand. */
export const PAGES: readonly string[] = [
  ...readdirSync('.').filter((file) => file.endsWith('.md')),
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.startsWith('api'))
    .map((file) => join('docs', file))
]

/** The fenced blocks of a page; an indented fence, as in a list, counts too. */
export function blocksOf(page: string): Block[] {
  const found: Block[] = []
  let open: { line: number; language: string; indent: string; code: string[] } | undefined
  for (const [i, text] of readFileSync(page, 'utf8').split('\n').entries()) {
    const [, indent = '', language] = /^(\s*)```(.*)$/.exec(text) ?? []
    if (language === undefined) open?.code.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text)
    else if (open === undefined) open = { line: i + 1, language: language.trim(), indent, code: [] }
    else {
      found.push({ page, line: open.line, language: open.language, code: `${open.code.join('\n')}\n` })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line} is never closed`)
  return found
}
