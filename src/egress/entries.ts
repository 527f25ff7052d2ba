import type { Problem } from '../errors.js'
import { AWAIT_FIX, drop, isUnwantedPromise } from '../lib/promise.js'
import { quoted, shown } from '../lib/text.js'
import { type Block, blockText } from './block.js'
import { type EgressList, MOST_ENTRIES, type Row, type RowMistake, readRows } from './read-list.js'
import { readValue } from './value.js'

/** A mistake in a list of your addresses, or a warning about it. */
export interface EgressProblem extends Problem {
  /** The line of the file, from 1; undefined where the list is no file, or the problem is not that of a line. */
  readonly line: number | undefined
}

/** A sound entry. */
export interface ReadEntry extends Pick<Row, 'path' | 'line'> {
  /** In canonical form. */
  readonly value: string
  readonly name: string | undefined
  readonly block: Block
}

const LONGEST_NAME = 200

/** Reads the entries of a list, with every mistake in it. */
export function readEntries(list: EgressList): { entries: ReadEntry[]; errors: EgressProblem[] } {
  const { rows, mistakes } = readRows(list)
  const errors = mistakes.map(problemOf)
  const refuse = ({ path, line, value }: Pick<Row, 'path' | 'line' | 'value'>, message: string, fix: string) => {
    errors.push(problemOf({ path, line, value, message, fix }))
  }
  const whole = { path: '', line: undefined, value: rows.length }
  if (rows.length > MOST_ENTRIES) {
    refuse(whole, `The list has more than ${MOST_ENTRIES} entries.`, 'Write prefixes, or split the list.')
    drop([list])
    return { entries: [], errors }
  }
  const entries: ReadEntry[] = []
  for (const row of rows) {
    const { path, line, value, name } = row
    const nameMistake = explainName(name)
    if (nameMistake !== undefined) refuse({ ...row, value: name }, nameMistake, 'Write a short name in one line.')
    if (typeof value !== 'string') {
      refuse(row, `${shown(value)} is not a text.`, 'Write the address as a string.')
      continue
    }
    const block = readValue(value)
    if ('message' in block) refuse(row, block.message, block.fix)
    else if (nameMistake === undefined) {
      entries.push({ path, line, value: blockText(block), name: name as string | undefined, block })
    }
  }
  if (rows.length === 0 && errors.length === 0) refuse(whole, 'The list has no entry.', 'Write one address a line.')
  if (errors.length > 0) drop([list])
  return { entries, errors: errors.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
}

function problemOf({ fix, value, ...mistake }: RowMistake): EgressProblem {
  return { code: 'MOE_ERR_EGRESS', ...mistake, value: cut(value), fix: isUnwantedPromise(value) ? AWAIT_FIX : fix }
}

/** A value can be as long as the file. */
const cut = (value: unknown) => (typeof value === 'string' && value.length > 200 ? `${value.slice(0, 200)}…` : value)

function explainName(name: unknown): string | undefined {
  if (name === undefined) return undefined
  if (typeof name !== 'string' || name.trim() === '') return `${shown(name)} is not a name.`
  if (name.length > LONGEST_NAME) return `The name ${quoted(name)} is longer than ${LONGEST_NAME} characters.`
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(name))
    return `The name ${quoted(name)} holds a character that cannot be seen.`
  return undefined
}
