import { readSource } from '../directory/source/read-source.js'
import type { OpenSource, SourceOption } from '../directory/source/source.js'
import { mistake, type Report, shown } from '../lib/option-reader.js'
import { suggestion } from '../lib/suggest.js'
import { SUSPICIONS, type Suspicion } from '../problem.js'
import type { GuardStatus } from './status.js'

/** Where the list comes from, and what is expected of it. */
export interface ListOptions {
  /**
   * Where the directory comes from: `{ file }`, `{ url }`, an async function, `{ name, load }`, or `'bundled'`, the
   * snapshot that is part of this package (`'bundled'`).
   */
  readonly source?: SourceOption | undefined
  /**
   * What is right about a list though it looks suspicious: `'wide'` (shorter than /16, IPv6 /32), `'private'` (private or
   * reserved), `'shrunk'` (more than half of the addresses of a data center in use gone), `'older'` (than the list in use),
   * `'future'` (dated in the future) (`[]`).
   */
  readonly confirm?: readonly Suspicion[] | undefined
  /** How long an address stays accepted after it was removed from the list, in milliseconds; 0: not at all (a day). */
  readonly gracePeriod?: number | undefined
  /** The age from which a list is stale, in milliseconds (90 days). */
  readonly staleAfter?: number | undefined
  /** Rejects what a stale list would accept, with the reason `stale-list` (`false`: a stale list is a warning). */
  readonly rejectWhenStale?: boolean | undefined
  /**
   * Told of every reload that came to something, by hand or by itself: null and the new status, or what it failed with. A
   * failure is told once until something changes.
   */
  readonly onReload?: ((error: Error | null, status: GuardStatus) => void) | undefined
}

/** {@link ListOptions} that were found right. */
export interface ListSettings {
  readonly source: OpenSource
  readonly confirm: ReadonlySet<Suspicion>
  readonly gracePeriod: number
  readonly staleAfter: number
  readonly rejectWhenStale: boolean
  readonly onReload: ListOptions['onReload']
}

export const DAY = 24 * 60 * 60 * 1000
/** MoEngage's addresses "change frequently". */
const STALE_AFTER = 90 * DAY
/** A century: far away, and yet a date. */
const LONGEST = 36_525 * DAY

/** Reads what concerns the list. */
export function readListOptions(options: ListOptions, refuse: Report): ListSettings {
  const { confirm = [], gracePeriod = DAY, staleAfter = STALE_AFTER, rejectWhenStale = false, onReload } = options
  readDuration('gracePeriod', gracePeriod, 0, refuse)
  readDuration('staleAfter', staleAfter, 1, refuse)
  if (typeof rejectWhenStale !== 'boolean') {
    refuse(
      mistake(
        'rejectWhenStale',
        rejectWhenStale,
        `${shown(rejectWhenStale)} is not true or false.`,
        'Write true or false.'
      )
    )
  }
  if (onReload !== undefined && typeof onReload !== 'function') {
    refuse(mistake('onReload', onReload, `${shown(onReload)} is not a function.`, 'Write (error, status) => ….'))
  }
  return {
    source: readSource(options.source, refuse),
    confirm: readConfirm(confirm, refuse),
    gracePeriod,
    staleAfter,
    rejectWhenStale,
    onReload
  }
}

function readDuration(name: string, value: unknown, least: number, refuse: Report): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= LONGEST) return
  const fix = `Write a whole number of milliseconds from ${least} to ${LONGEST}; a day is ${DAY}.`
  refuse(mistake(name, value, `${shown(value)} is not a number of milliseconds.`, fix))
}

function readConfirm(value: unknown, refuse: Report): ReadonlySet<Suspicion> {
  if (!Array.isArray(value)) {
    refuse(mistake('confirm', value, `${shown(value)} is no list.`, `Write a list: confirm: ['shrunk'].`))
    return new Set()
  }
  for (const [i, word] of value.entries()) {
    if (SUSPICIONS.includes(word)) continue
    const message = `${shown(word)} is nothing that can be confirmed.`
    refuse(
      mistake(`confirm[${i}]`, word, message, suggestion(typeof word === 'string' ? word.slice(0, 50) : '', SUSPICIONS))
    )
  }
  return new Set(value)
}
