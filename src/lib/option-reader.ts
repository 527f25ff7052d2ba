import { inspect } from 'node:util'
import type { Problem } from '../problem.js'
import { suggestion } from './suggest.js'

/** Takes note of a mistake or a warning, so that all of them can be told at once. */
export type Report = (problem: Problem) => void

/** An option's value that is not acceptable. */
export function mistake(path: string, value: unknown, message: string, fix: string): Problem {
  return { code: 'MOE_ERR_OPTION_VALUE', path, value, message, fix }
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  return typeof value === 'function'
    ? 'A function'
    : inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 100, maxArrayLength: 10 })
}

/** Refuses options that do not exist: a misspelled one would otherwise be ignored without a word. */
export function checkNames(options: object, names: readonly string[], parent: string, refuse: Report): void {
  for (const [name, value] of Object.entries(options)) {
    if (names.includes(name)) continue
    refuse({
      code: 'MOE_ERR_UNKNOWN_OPTION',
      path: parent === '' ? name : `${parent}.${name}`,
      value,
      message: `There is no option "${name}".`,
      fix: suggestion(name, names)
    })
  }
}
