import { pino } from 'pino'
import { directory } from '../../src/directory/directory.js'
import type { Problem } from '../../src/errors.js'
import { secretHeader } from '../../src/evidence/secret-header.js'
import { readOptions } from '../../src/guard/options.js'
import type { Findings } from '../../src/lib/option.js'
import { OptionReader } from '../../src/lib/option-reader.js'
import { doorOptions, LOGGER, readActions } from '../../src/server/routes.js'

/** How the options of the Express guard are read; it has every option. */
export const FORM = { words: ['next'], example: `(request, response) => response.end('no')`, routePath: 'route' }
export const TABLE = { ...doorOptions(FORM), logger: LOGGER }

/** What is wrong or doubtful with options, without making a guard of them: its source would be loaded. */
export function findingsOf(options: unknown): Findings {
  const reader = OptionReader.open(TABLE, options, `Write { dataCenters: 'DC-01' }.`)
  readActions(reader, FORM)
  for (const name of ['logLevel', 'logger', 'log', 'onVerdict'] as const) reader.read(name)
  const { selection } = readOptions<never>(reader)
  const mistakes = [...directory.read(selection).problems, ...reader.findings.mistakes]
  return { mistakes, warnings: reader.findings.warnings }
}

type Tree = Record<string, unknown>

/**
 * Options after the advice of a problem was followed to the letter: `Write X.`, `Did you mean "x"?`, and each word of
 * `Use one of: x, y.`. Empty where the advice is prose.
 */
export function followed(options: object, problem: Problem): object[] {
  const { path, code, fix } = problem
  const isName = code === 'MOE_ERR_UNKNOWN_OPTION'
  const [, meant] = /^Did you mean "(.+)"\?$/.exec(fix) ?? []
  if (meant !== undefined) return [isName ? renamed(options, path, meant) : withValue(options, path, meant)]
  const [, words] = /^Use one of: (.+)\.$/.exec(fix) ?? []
  if (words !== undefined && !isName) return words.split(', ').map((word) => withValue(options, path, word))
  // An address or prefix is written without quotes.
  const written = code === 'MOE_ERR_PREFIX' ? addressIn(fix) : writtenIn(fix)
  if (written === undefined) return []
  if ('value' in written) return [withValue(options, path, written.value)]
  const group = isName || !path.includes('.') ? '' : path.slice(0, path.lastIndexOf('.'))
  return [merged(isName ? renamed(options, path, undefined) : options, group, written.entries)]
}

/** What a fix says to write: a value for the place, or entries of an object; undefined where it says so in prose. */
function writtenIn(fix: string): { value: unknown } | { entries: Tree } | undefined {
  const [, text] = /^Write (?:a list, such as )?([\s\S]+)$/.exec(fix) ?? []
  if (text === undefined) return undefined
  for (let end = text.length; end > 0; end--) {
    const code = text.slice(0, end)
    const value = evaluated(`(${code})`)
    if (value !== undefined) return { value }
    const entries = evaluated(`({ ${code} })`)
    if (entries !== undefined && Object.keys(entries as Tree).length > 0) return { entries: entries as Tree }
  }
  return undefined
}

function addressIn(fix: string): { value: string } | undefined {
  const [, value] = /^Write (\S+?)[.,]?(?: |$)/.exec(fix) ?? []
  return value === undefined || !/[.:/]/.test(value) ? undefined : { value }
}

const NAMES = { pino, snapshot: {}, secretHeader, undefined: undefined }

function evaluated(code: string): unknown {
  try {
    return new Function(...Object.keys(NAMES), `'use strict'; return ${code}`)(...Object.values(NAMES))
  } catch {
    return undefined
  }
}

const keysOf = (path: string) => path.split(/[.[\]]+/).filter((key) => key !== '')

/** A copy with another value at a path; undefined removes it. */
function withValue(options: object, path: string, value: unknown): object {
  const [key, ...rest] = keysOf(path)
  if (key === undefined) return value as object
  const copy = (Array.isArray(options) ? [...options] : { ...options }) as Tree
  copy[key] = rest.length === 0 ? value : withValue((copy[key] ?? {}) as object, rest.join('.'), value)
  if (copy[key] === undefined) delete copy[key]
  return copy
}

function renamed(options: object, path: string, name: string | undefined): object {
  const keys = keysOf(path)
  const value = keys.reduce<unknown>((tree, key) => (tree as Tree)[key], options)
  const without = withValue(options, path, undefined)
  return name === undefined ? without : withValue(without, [...keys.slice(0, -1), name].join('.'), value)
}

/** A copy with entries added to the group at a path, into groups that are there. */
function merged(options: object, path: string, entries: Tree): object {
  const [key, ...rest] = keysOf(path)
  const copy = { ...options } as Tree
  if (key !== undefined) return { ...copy, [key]: merged((copy[key] ?? {}) as object, rest.join('.'), entries) }
  for (const [name, value] of Object.entries(entries)) {
    const isGroup = [copy[name], value].every((side) => typeof side === 'object' && !Array.isArray(side))
    copy[name] = isGroup ? { ...(copy[name] as Tree), ...(value as Tree) } : value
  }
  return copy
}
