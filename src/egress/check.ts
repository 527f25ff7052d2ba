import { OptionsError } from '../errors.js'
import { fixFor } from '../lib/promise.js'
import { bounded, shown, suggestion } from '../lib/text.js'
import { blockText, merge, sizeOf } from './block.js'
import { type EgressProblem, readEntries } from './entries.js'
import { EGRESS_TARGETS, type EgressTarget, FORMS, MOST_ADDRESSES, splitFor } from './forms.js'
import type { EgressList } from './read-list.js'
import { warningsOf } from './warnings.js'

/** An entry that was read. */
export interface CheckedEntry {
  /** In canonical form: `203.0.113.9`, `203.0.113.0/24`, or `203.0.113.5 - 203.0.113.9` where no one prefix covers the range. */
  readonly value: string
  /** What sends from there. */
  readonly name: string | undefined
  /** The line of the file, from 1; undefined where the list is no file. */
  readonly line: number | undefined
}

/** What {@link checkEgress} found. */
export interface EgressCheck {
  /** Whether there is no error. There may be warnings. */
  readonly ok: boolean
  /** The form that the list was checked for; null where none was named. */
  readonly target: EgressTarget | null
  /** The entries that are sound, in the order of the list. */
  readonly entries: readonly CheckedEntry[]
  /** What keeps the list from being used (`MOE_ERR_EGRESS`). */
  readonly errors: readonly EgressProblem[]
  /** What may be meant as it is, but locks people out or lets others in where it is not (`MOE_WARN_EGRESS`). */
  readonly warnings: readonly EgressProblem[]
  /** The shortest list with the same addresses as the sound entries, as the form takes them. */
  readonly shortest: readonly string[]
}

/**
 * Checks a list of your own addresses before MoEngage gets it: whether each can be a caller's address on the internet, and
 * whether the form takes it.
 *
 * Nothing is fetched, and nothing is known about the list that MoEngage has.
 *
 * @param list the text of a file (one entry a line with its name behind a `#`, CSV with the header `value,name,comment`, or a
 * JSON array), or the entries
 * @param target the form to check for; without one, what holds for all of them is checked
 * @throws OptionsError (`MOE_ERR_OPTIONS`) when there is no such form
 * @example
 * checkEgress('10.0.0.5 # office', 'data-api').errors[0].message // '"10.0.0.5" is private: …'
 */
export function checkEgress(list: EgressList, target?: EgressTarget): EgressCheck {
  if (target !== undefined && !EGRESS_TARGETS.includes(target)) {
    const message = `${shown(target)} is not a form of MoEngage.`
    const fix = fixFor(target, suggestion(target, EGRESS_TARGETS))
    throw new OptionsError([{ code: 'MOE_ERR_OPTION_VALUE', path: 'target', value: bounded(target), message, fix }])
  }
  const { entries, errors } = readFor(list, target)
  const blocks = merge(entries.map(({ block }) => block))
  return {
    ok: errors.length === 0,
    target: target ?? null,
    entries: entries.map(({ value, name, line }) => ({ value, name, line })),
    errors,
    warnings: warningsOf(entries, target),
    shortest: blocks.flatMap((block) => splitFor(takesOf(target), block)).map(blockText)
  }
}

const takesOf = (target: EgressTarget | undefined) => (target === undefined ? 'ranges' : FORMS[target].takes)

/** Reads a list for a form: without errors, the form takes every entry as it is or split. */
export function readFor(list: EgressList, target: EgressTarget | undefined) {
  const read = readEntries(list)
  if (takesOf(target) !== 'addresses') return read
  const count = merge(read.entries.map(({ block }) => block)).reduce((sum, block) => sum + sizeOf(block), 0n)
  if (count <= MOST_ADDRESSES) return read
  const message = `${FORMS[target!].title} takes single addresses, and these are ${count}.`
  const fix = `List the addresses that you really send from, ${MOST_ADDRESSES} at most.`
  read.errors.push({ code: 'MOE_ERR_EGRESS', path: '', line: undefined, value: `${count}`, message, fix })
  return { entries: [], errors: read.errors }
}
