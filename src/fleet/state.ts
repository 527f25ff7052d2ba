import type { Directory } from '../directory/directory.js'
import { readBounded } from '../directory/source/load-directory.js'
import type { Verify } from '../directory/source/signed.js'
import type { FleetOverride } from '../guard/fleet.js'
import { parseJson } from '../lib/json.js'
import { quoted, shown } from '../lib/text.js'
import { DAY, parseTime } from '../lib/time.js'
import { refuseReplay, SIGN_AGAIN, type VerifiedDocument, verifyDocument } from '../signing/signed-document.js'
import type { StoredState } from './store.js'

/** Bounds of a state. A signed document is longer than its content by a third. */
export const LIMITS = { list: 1_500_000, overrides: 150_000 }
const MAX_OVERRIDES = 1000

/** What a replica accepts of the store. */
export const PARTS = ['list', 'allow', 'deny', 'mode'] as const
export type Part = (typeof PARTS)[number]

/** How the state of a store is read. */
export interface StateRules {
  /** The name of the fleet, which a signed document has to carry. */
  readonly name: string
  readonly verify: Verify | undefined
  readonly accept: ReadonlySet<Part>
}

/** The signed documents of a state. */
export interface SignedParts {
  readonly list?: VerifiedDocument
  readonly overrides?: VerifiedDocument
}

/** A state whose form and signatures are right; what it says is still to be checked by the guard. */
export interface ReadState {
  readonly stored: StoredState
  /**
   * The version that counts: that of the store, or the newest one that is signed where signatures are verified; null where nothing is
   * signed.
   */
  readonly version: number | null
  /** Undefined where the store has no list, or none that is accepted. */
  readonly directory: Directory | undefined
  readonly overrides: readonly FleetOverride[]
  readonly signed: SignedParts
}

/** What a state is compared with. */
export interface Known {
  /** The state that is in use, of which nothing may get lost. */
  readonly inUse: ReadState | undefined
  /** The signed documents that were accepted last, in use or not, to recognize a replay. */
  readonly signed: SignedParts
}

/** A version is a time in milliseconds; one that is further ahead of the clock would keep all later ones out. */
const MAX_AHEAD = DAY

/**
 * Reads a state that comes from a store or a local copy.
 *
 * @param now milliseconds since 1970; undefined where neither expiry nor a version ahead of the clock matters
 * @throws (rejects with) an error that says what is wrong with it
 */
export async function readState(
  stored: StoredState,
  rules: StateRules,
  { inUse, signed }: Known,
  now: number | undefined
): Promise<ReadState> {
  const { version } = stored
  if (!Number.isSafeInteger(version) || version < 1) throw new Error(`Its version is ${shown(version)}.`)
  // Where signatures are verified, anybody may have written this version: those inside of the signatures count.
  if (rules.verify === undefined && inUse !== undefined && version < inUse.stored.version) {
    const newest = inUse.stored.version
    // What a publisher sees of a report that is so far ahead is not believed.
    const isAhead = now !== undefined && newest > now + MAX_AHEAD
    const fix = ` That is more than a day ahead of the clock, so no change counts on from it. Set the version in the store to ${newest + 1}.`
    throw new Error(`It is version ${version}, older than ${newest}, which is in use.${isAhead ? fix : ''}`)
  }
  if (stored.list === null && (inUse?.stored.list || signed.list)) {
    throw new Error('It has lost its list. Publish it again.')
  }
  // A publisher without a key can lose overrides together with the data of the store; one with a key signs that there are none.
  if (stored.overrides === null && signed.overrides) throw new Error('It has lost its overrides. Set them again.')
  const isListAccepted = rules.accept.has('list')
  const about = { rules, inUse, signed, now }
  const list = isListAccepted && stored.list !== null ? await content(stored.list, 'list', about) : undefined
  const overrides = stored.overrides === null ? undefined : await content(stored.overrides, 'overrides', about)
  const versions = [
    list?.document?.version ?? (isListAccepted ? undefined : await versionOf(stored.list, rules)),
    overrides?.document?.version
  ].filter((signedVersion) => signedVersion !== undefined)
  return {
    stored,
    version: rules.verify === undefined ? version : versions.length === 0 ? null : Math.max(...versions),
    directory:
      list && (list.text === inUse?.stored.list && inUse.directory ? inUse.directory : readBounded(list.payload)),
    overrides: readOverrides(overrides?.payload, rules),
    signed: {
      ...(list?.document && { list: list.document }),
      ...(overrides?.document && { overrides: overrides.document })
    }
  }
}

/** Whether a state that was read brings nothing new. */
export function isSameState(state: ReadState, inUse: ReadState | undefined, { verify }: StateRules): boolean {
  if (inUse === undefined) return false
  if (verify === undefined) return state.version === inUse.version
  return state.stored.list === inUse.stored.list && state.stored.overrides === inUse.stored.overrides
}

/** Whether two states of a store have the same content. */
export const isSameStored = (a: StoredState | null, b: StoredState | null): boolean =>
  a?.version === b?.version && a?.list === b?.list && a?.overrides === b?.overrides

/** Whether a document of a state has expired. */
export const hasExpired = ({ signed }: ReadState, now: number): boolean =>
  Object.values(signed).some((document: VerifiedDocument) => now >= Date.parse(document.expires))

/** The version of a signed list that is not accepted: the replica goes with the fleet all the same. */
async function versionOf(list: string | null, { name, verify }: StateRules): Promise<number | undefined> {
  if (verify === undefined || list === null) return undefined
  try {
    const { version } = await verifyDocument(list, { publicKeys: verify.publicKeys, name, kind: 'list', now: 0 })
    return version
  } catch {
    return undefined
  }
}

interface Content {
  readonly text: string
  readonly payload: unknown
  readonly document?: VerifiedDocument
}

/** What to do about a signed part that is refused. */
const ADVICE = {
  list: 'Publish the list again: moengage-allowlist publish LIST --sign KEY.',
  overrides: 'Look at them and sign them again: moengage-allowlist override, with --sign KEY.'
}

async function content(
  text: string,
  part: 'list' | 'overrides',
  {
    rules: { name, verify },
    inUse,
    signed,
    now = 0
  }: Known & { readonly rules: StateRules; readonly now?: number | undefined }
): Promise<Content> {
  try {
    if (verify === undefined) return { text, payload: parseJson(text) }
    const kind = part === 'list' ? 'list' : 'override'
    // What has expired while it was in use stays in use, and does not keep the other part from changing.
    const at = text === inUse?.stored[part] ? 0 : now
    const document = await verifyDocument(text, { publicKeys: verify.publicKeys, name, kind, now: at })
    if (at > 0 && document.version > at + MAX_AHEAD) {
      throw new Error(`It is version ${document.version}, more than a day ahead of the clock. ${ADVICE[part]}`)
    }
    refuseReplay(document, signed[part])
    return { text, payload: document.payload, document }
  } catch (error) {
    const why = (error as Error).message.replace(SIGN_AGAIN, ADVICE[part])
    throw new Error(`Its ${part} ${part === 'list' ? 'is' : 'are'} refused. ${why}`)
  }
}

const ID = /^[\w-]{1,36}$/

const isText = (value: unknown) => typeof value === 'string'
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText)

/** What an override of a fleet may have, besides its id and time. */
const MEMBERS = {
  allow: isTexts,
  deny: isTexts,
  mode: (value: unknown) => value === 'tag' || value === 'reject',
  until: (value: unknown) => typeof value === 'string' && parseTime(value) !== undefined,
  note: isText
}

/**
 * Reads the overrides of a state.
 *
 * @throws Error that says what is wrong with them
 */
export function readOverrides(payload: unknown, { accept }: Pick<StateRules, 'accept'>): FleetOverride[] {
  if (payload === undefined) return []
  const list =
    typeof payload === 'object' && payload !== null ? (payload as { overrides?: unknown }).overrides : undefined
  if (!Array.isArray(list))
    throw new Error('Its overrides are not a list: they have to be an object with a list named overrides.')
  if (list.length > MAX_OVERRIDES) throw new Error(`It has more than ${MAX_OVERRIDES} overrides.`)
  return list.flatMap((item: unknown, i) => {
    if (typeof item !== 'object' || item === null) throw new Error(`Its override ${i} is ${shown(item)}.`)
    const { id, since, ...options } = item as Record<string, unknown>
    if (typeof id !== 'string' || !ID.test(id)) throw new Error(`The id of its override ${i} is ${shown(id)}.`)
    if (typeof since !== 'string' || Number.isNaN(Date.parse(since))) {
      throw new Error(`The time of its override ${i} is ${shown(since)}.`)
    }
    // A replica confirms suspicions by its own options only.
    if ('confirm' in options) throw new Error(`Its override ${i} confirms itself.`)
    for (const [name, value] of Object.entries(options)) {
      if (Object.hasOwn(MEMBERS, name) && MEMBERS[name as keyof typeof MEMBERS](value)) continue
      throw new Error(`Its override ${i} has ${quoted(name)} with the value ${shown(value)}.`)
    }
    const isAccepted = (['allow', 'deny', 'mode'] as const).every(
      (part) => options[part] === undefined || accept.has(part)
    )
    return isAccepted ? [{ id, since, options }] : []
  })
}
