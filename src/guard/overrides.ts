import type { Cells, Directory } from '../directory/directory.js'
import type { Problem, Suspicion } from '../errors.js'
import type { Entry } from '../ip/matcher.js'
import type { Prefix } from '../ip/prefix.js'
import type { Option, OptionRule, OptionTable } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import { duration, oneOf } from '../lib/option-rules.js'
import { shown } from '../lib/text.js'
import { DAY, type Duration, MINUTE, parseTime, SECOND, timeOfTomorrow } from '../lib/time.js'
import type { VerdictOverride } from '../verdict/verdict.js'
import { CONFIRM, EXTRA_ADDRESSES } from './list-options.js'
import type { Override } from './status.js'
import { suspicionsOfOverride } from './suspicions.js'

/** What `guard.override` takes: `allow`, `deny` or `mode`, or several of them. */
export interface OverrideOptions {
  /** Addresses or prefixes to accept, on every route. */
  readonly allow?: readonly string[] | undefined
  /** Addresses or prefixes to reject, whatever else accepts them. */
  readonly deny?: readonly string[] | undefined
  /** Replaces the mode of the guard, on all routes that do not set their own. Of several overrides the last one decides. */
  readonly mode?: 'reject' | 'tag' | undefined
  /** How long it holds, from `'1s'` (until it is removed). */
  readonly for?: Duration | undefined
  /** When it ends: a `Date`, or a time in ISO 8601 with its zone (until it is removed). */
  readonly until?: Date | string | undefined
  /** Why it is set, in at most 200 characters: shown in the status, and in the verdicts that it decides. */
  readonly note?: string | undefined
  /**
   * Suspicions that you have checked and accept: `'wide'` (a prefix shorter than /16, IPv6 /32), `'private'` (private or reserved
   * addresses are allowed), `'shrunk'` (more than half of the addresses in use of a data center are denied) (`[]`).
   */
  readonly confirm?: readonly ('wide' | 'private' | 'shrunk')[] | undefined
}

/** What an address is granted by an override. */
export interface OverrideGrant {
  readonly effect: 'allow' | 'deny'
  readonly override: VerdictOverride
}

/** An override that was checked. */
export interface OpenOverride {
  readonly override: Override
  readonly allow: readonly Prefix[]
  readonly deny: readonly Prefix[]
  /** Milliseconds since 1970; infinite where it has no end. */
  readonly endsAt: number
  /** What is valid about it, and probably not intended. */
  readonly warnings: readonly Problem[]
}

/** What an override is checked against. */
export interface OverrideContext {
  readonly directory: Directory
  /** What routes accept. */
  readonly inUse: readonly Cells[]
  /** Suspicions that the options of the guard confirm. */
  readonly confirmed: ReadonlySet<Suspicion>
  readonly now: number
  /** What the fleet says about an override of its own. */
  readonly fleet?: Pick<Override, 'id' | 'since'>
}

const MAX_NOTE = 200
const LONGEST = 36_525 * DAY

/** The rule for `until`. */
function untilFrom(now: number): OptionRule<number | undefined> {
  const example = `'${timeOfTomorrow(now)}'`
  return {
    fallback: undefined,
    example,
    read(option) {
      const { value } = option
      const time = value instanceof Date ? value.getTime() : typeof value === 'string' ? parseTime(value) : undefined
      if (time === undefined || Number.isNaN(time)) {
        return option.refuse(
          `${shown(value)} is not a time.`,
          `Write new Date(…), or a time with its zone: ${example}.`
        )
      }
      if (time > now) return time
      return option.refuse('It is over already.', `Write a time that is still to come, such as ${example}.`)
    }
  }
}

const tableAt = (now: number) =>
  ({
    ...EXTRA_ADDRESSES,
    mode: { ...oneOf<'reject' | 'tag'>(['reject', 'tag'], 'mode', 'tag'), fallback: undefined } as OptionRule<
      'reject' | 'tag' | undefined
    >,
    for: duration({ fallback: undefined, example: `'24h'`, min: SECOND, max: LONGEST, doubtful: MINUTE }),
    until: untilFrom(now),
    note: {
      fallback: undefined,
      example: `'ticket 4711'`,
      read(option: Option): string | undefined {
        const { value } = option
        if (typeof value === 'string' && value !== '' && value.length <= MAX_NOTE) return value
        return option.refuse(`${shown(value)} is not a note of 1 to ${MAX_NOTE} characters.`, `Write 'ticket 4711'.`)
      }
    },
    confirm: CONFIRM
  }) satisfies OptionTable

/**
 * Checks an override.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake and every suspicion that is not confirmed
 */
export function openOverride(
  options: unknown,
  { directory, inUse, confirmed, now, fleet }: OverrideContext
): OpenOverride {
  const reader = OptionReader.open(
    tableAt(now),
    options,
    `Write { allow: […], for: '24h' } with the addresses to accept, or deny or mode.`
  )
  reader.checkNames()
  const { allow, deny, mode, for: lasts, until, note, confirm } = reader.readAll()
  const { mistakes } = reader.findings
  if (mistakes.length === 0 && allow.length + deny.length === 0 && mode === undefined) {
    reader.optionAt('allow', options).refuse('The override changes nothing.', 'Write allow, deny or mode.')
  }
  if (lasts !== undefined && until !== undefined) {
    reader.optionAt('until', until).refuse('The override has two ends.', 'Keep "for" or "until".')
  }
  const endsAt = until ?? (lasts === undefined ? Number.POSITIVE_INFINITY : now + lasts)
  for (const { suspicion, message } of suspicionsOfOverride({ allow, deny }, directory, inUse)) {
    if (confirmed.has(suspicion) || confirm.has(suspicion)) continue
    const name = suspicion === 'shrunk' ? 'deny' : allow.length > 0 ? 'allow' : 'deny'
    reader
      .optionAt(name, name === 'allow' ? allow.map(String) : deny.map(String))
      .refuse(message, `Look at it. If it is right, confirm it: confirm: ['${suspicion}'].`, 'MOE_ERR_SUSPICIOUS')
  }
  reader.throwMistakes()
  const override: Override = Object.freeze({
    id: fleet?.id ?? crypto.randomUUID().slice(0, 8),
    allow: Object.freeze(allow.map(String)),
    deny: Object.freeze(deny.map(String)),
    mode: mode ?? null,
    since: fleet?.since ?? new Date(now).toISOString(),
    until: endsAt === Number.POSITIVE_INFINITY ? null : new Date(endsAt).toISOString(),
    note: note ?? null,
    origin: fleet === undefined ? 'local' : 'fleet'
  })
  const warnings = reader.findings.warnings.map((warning) => ({
    ...warning,
    path: `override ${override.id} ${warning.path}`
  }))
  return { override, allow, deny, endsAt, warnings }
}

/** The entries of the compiled list that an override adds. */
export function overrideEntries({ override, allow, deny }: OpenOverride): Entry<OverrideGrant>[] {
  const { id, until, note } = override
  const decided: VerdictOverride = Object.freeze({ id, until, note })
  const entries = (effect: OverrideGrant['effect'], prefixes: readonly Prefix[]) => {
    const grant: OverrideGrant = { effect, override: decided }
    return prefixes.map((prefix) => ({ prefix, grant }))
  }
  return [...entries('allow', allow), ...entries('deny', deny)]
}
