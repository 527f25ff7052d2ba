import { SOURCE } from '../directory/source/read-source.js'
import type { SourceOption } from '../directory/source/source.js'
import { SUSPICIONS, type Suspicion } from '../errors.js'
import type { Option, OptionTable, OptionValues } from '../lib/option.js'
import { callback, duration, flag, refuseNoList } from '../lib/option-rules.js'
import { suggestion } from '../lib/suggest.js'
import { shown } from '../lib/text.js'
import { DAY, type Duration, HOUR } from '../lib/time.js'
import type { GuardStatus } from './status.js'

/** Where the list is loaded from, and what is expected of it. */
export interface ListOptions {
  /**
   * Where the directory is loaded from: `{ file }`, `{ url }`, an async function, `{ name, load }`, or `'bundled'`, the
   * snapshot that is part of this package (`'bundled'`).
   */
  readonly source?: SourceOption | undefined
  /**
   * Suspicions about a list that you have checked and accept: `'wide'` (a prefix shorter than /16, IPv6 /32), `'private'`
   * (private or reserved), `'shrunk'` (more than half of the addresses of a data center in use gone), `'older'` (than the
   * list in use), `'future'` (dated in the future) (`[]`).
   */
  readonly confirm?: readonly Suspicion[] | undefined
  /** How long an address stays accepted after it was removed from the list; `0`: not at all (`'1d'`). */
  readonly gracePeriod?: Duration | undefined
  /** The age from which a list is stale (`'90d'`). */
  readonly staleAfter?: Duration | undefined
  /** Rejects what a stale list would accept, with the reason `stale-list` (`false`: a stale list is a warning). */
  readonly rejectWhenStale?: boolean | undefined
  /**
   * Called after every reload, manual or automatic, that changed the list or failed: with null and the new status, or with
   * the error. A failure that repeats is reported once.
   */
  readonly onReload?: ((error: Error | null, status: GuardStatus) => void) | undefined
}

/** A century: far away, and yet a date. */
const LONGEST = 36_525 * DAY

/** Options that concern the list, by name. */
export const LIST_OPTIONS = {
  source: SOURCE,
  confirm: { fallback: new Set(), example: `['shrunk']`, read: readConfirm },
  gracePeriod: duration({ fallback: DAY, example: `'1d'`, min: 0, max: LONGEST, doubtful: HOUR, unit: 'd' }),
  // MoEngage's addresses "change frequently".
  staleAfter: duration({ fallback: 90 * DAY, example: `'90d'`, min: 1, max: LONGEST, doubtful: DAY, unit: 'd' }),
  rejectWhenStale: flag(false),
  onReload: callback<NonNullable<ListOptions['onReload']>>('(error, status) => console.log(error, status.revision)')
} satisfies OptionTable

/** {@link ListOptions} that are right. */
export type ListSettings = Readonly<OptionValues<typeof LIST_OPTIONS>>

function readConfirm(option: Option): ReadonlySet<Suspicion> | undefined {
  const { value } = option
  if (!Array.isArray(value)) return refuseNoList(option, readConfirm, 'suspicions', `['shrunk']`)
  for (const item of option.items(value)) {
    const word = item.value
    if (SUSPICIONS.includes(word as Suspicion)) continue
    item.refuse(
      `${shown(word)} is not a known suspicion.`,
      suggestion(typeof word === 'string' ? word : '', SUSPICIONS)
    )
  }
  return new Set(value)
}
