import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VERIFY } from '../directory/source/signed.js'
import type { VerifyOptions } from '../directory/source/source.js'
import { type Fleet, JOIN } from '../guard/fleet.js'
import type { Option, OptionRule, OptionTable, OptionValues } from '../lib/option.js'
import { duration, number, refuseNoList } from '../lib/option-rules.js'
import { shown } from '../lib/text.js'
import { type Duration, HOUR, LONGEST_TIMER, MINUTE, SECOND } from '../lib/time.js'
import { Member } from './member.js'
import { isName, NO_NAME } from './name.js'
import { PARTS, type Part } from './state.js'
import type { ReplicaStore } from './store.js'

/** How a replica takes part in a fleet. */
export interface ReplicaOptions {
  /** The name of the fleet: letters, digits, `.`, `_` and `-`. Signed documents carry it. */
  readonly name: string
  /**
   * A file in which the replica keeps the state that it accepted last, readable by its owner only. It starts with it when the store is
   * away or holds something that is refused (none: then it starts with its own `source`).
   */
  readonly copy?: string | URL | undefined
  /** Accepts only lists and overrides that are signed with one of these keys (whoever can write to the store is believed). */
  readonly verify?: Pick<VerifyOptions, 'publicKeys'> | undefined
  /** What is accepted of the store: the list, and overrides by what they do (all of them). */
  readonly accept?: readonly ('list' | 'allow' | 'deny' | 'mode')[] | undefined
  /** How often the store is asked for its version, in case that a message got lost, from `'100ms'` (`'5s'`). */
  readonly poll?: Duration | undefined
  /** How long an answer of the store may take. No request waits for it (`'500ms'`). */
  readonly timeout?: Duration | undefined
  /** How often the replica reports what it saw, from `'100ms'`; `false`: never (`'5s'`). */
  readonly report?: Duration | false | undefined
  /** Maximum number of rejected senders in a report, up to 50 (`10`). */
  readonly senders?: number | undefined
}

const NAME_EXAMPLE = `'webhooks'`

/** Reads a name that is part of keys in the store. */
export function readName(option: Option): string | undefined {
  const { value } = option
  if (typeof value === 'string' && isName(value)) return value
  return option.refuse(`${shown(value)} ${NO_NAME}`, `Write ${NAME_EXAMPLE}.`)
}

const INTERVAL = duration({
  fallback: 5 * SECOND,
  example: `'5s'`,
  min: 100,
  max: LONGEST_TIMER,
  doubtful: 100
})

/** Infinite where the replica never reports. */
const REPORT: OptionRule<number> = {
  ...INTERVAL,
  read: (option) => (option.value === false ? Number.POSITIVE_INFINITY : INTERVAL.read(option))
}

/** The options of a replica, by name. */
export const REPLICA_OPTIONS = {
  name: { fallback: '', example: NAME_EXAMPLE, required: `Write name: ${NAME_EXAMPLE}.`, read: readName },
  copy: { fallback: undefined, example: `'/var/lib/app/moengage-fleet.json'`, read: readPath },
  verify: VERIFY,
  accept: { fallback: new Set(PARTS), example: `['list', 'deny']`, read: readAccept },
  poll: duration({ fallback: 5 * SECOND, example: `'5s'`, min: 100, max: HOUR, doubtful: 100 }),
  timeout: duration({ fallback: 500, example: `'500ms'`, min: 10, max: MINUTE, doubtful: 10 }),
  report: REPORT,
  senders: number({ fallback: 10, of: 'senders', min: 0, max: 50 })
} satisfies OptionTable

function readPath(option: Option): string | undefined {
  const { value } = option
  if (value instanceof URL && value.protocol === 'file:') return fileURLToPath(value)
  if (typeof value === 'string' && value !== '') return resolve(value)
  return option.refuse(`${shown(value)} is not a path.`, `Write '/var/lib/app/moengage-fleet.json', or another path.`)
}

function readAccept(option: Option): ReadonlySet<Part> | undefined {
  const { value } = option
  if (!Array.isArray(value)) return refuseNoList(option, readAccept, 'parts', `['list', 'deny']`)
  for (const item of option.items(value)) {
    if (PARTS.includes(item.value as Part)) continue
    // Not guessed: it decides what the store is believed.
    const fix = `Use one of: ${PARTS.join(', ')}. For all of them, leave accept out.`
    item.refuse(`${shown(item.value)} is not a part of what a fleet shares.`, fix)
  }
  return new Set(value)
}

/** Opens a fleet whose options were read. Every guard that joins it has connections of its own. */
export function fleetOf(
  { copy, ...settings }: OptionValues<typeof REPLICA_OPTIONS>,
  openStore: () => ReplicaStore
): Fleet {
  return { [JOIN]: (base) => new Member(base, openStore(), { copy, ...settings }) }
}
