import type { Directory } from '../directory/directory.js'
import { readBounded } from '../directory/source/load-directory.js'
import type { Verify } from '../directory/source/signed.js'
import type { FleetOverride } from '../guard/fleet.js'
import { parseJson } from '../lib/json.js'
import { shown } from '../lib/text.js'
import { refuseReplay, type VerifiedDocument, verifyDocument } from '../signing/signed-document.js'
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

/** A state whose form and signatures are right; what it says is still to be checked by the guard. */
export interface ReadState {
  readonly stored: StoredState
  /** Undefined where the store has no list, or none that is accepted. */
  readonly directory: Directory | undefined
  readonly overrides: readonly FleetOverride[]
  /** The signed documents, to recognize a replay. */
  readonly signed: { readonly list?: VerifiedDocument; readonly overrides?: VerifiedDocument }
}

/**
 * Reads a state that comes from a store or a local copy.
 *
 * @param last the state that was in use before, of which nothing may get lost
 * @throws (rejects with) an error that says what is wrong with it
 */
export async function readState(
  stored: StoredState,
  rules: StateRules,
  last: ReadState | undefined
): Promise<ReadState> {
  const { version } = stored
  if (!Number.isSafeInteger(version) || version < 1) throw new Error(`Its version is ${shown(version)}.`)
  if (last !== undefined && version < last.stored.version) {
    throw new Error(`It is version ${version}, older than ${last.stored.version}, which is in use.`)
  }
  if (stored.list === null && last?.stored.list) throw new Error('It has lost its list. Publish it again.')
  // A publisher without a key can lose overrides together with the data of the store; one with a key signs that there are none.
  if (stored.overrides === null && last?.signed.overrides) throw new Error('It has lost its overrides. Set them again.')
  const list =
    rules.accept.has('list') && stored.list !== null ? await content(stored.list, 'list', rules, last) : undefined
  const overrides = stored.overrides === null ? undefined : await content(stored.overrides, 'overrides', rules, last)
  return {
    stored,
    directory: list && (list.text === last?.stored.list && last.directory ? last.directory : readBounded(list.payload)),
    overrides: readOverrides(overrides?.payload, rules),
    signed: {
      ...(list?.document && { list: list.document }),
      ...(overrides?.document && { overrides: overrides.document })
    }
  }
}

interface Content {
  readonly text: string
  readonly payload: unknown
  readonly document?: VerifiedDocument
}

async function content(
  text: string,
  part: 'list' | 'overrides',
  { name, verify }: StateRules,
  last: ReadState | undefined
): Promise<Content> {
  try {
    if (verify === undefined) return { text, payload: parseJson(text) }
    const kind = part === 'list' ? 'list' : 'override'
    // What has expired while it was in use stays in use, and does not keep the other part from changing.
    const now = text === last?.stored[part] ? 0 : Date.now()
    const document = await verifyDocument(text, { publicKeys: verify.publicKeys, name, kind, now })
    refuseReplay(document, last?.signed[part])
    return { text, payload: document.payload, document }
  } catch (error) {
    throw new Error(`Its ${part} ${part === 'list' ? 'is' : 'are'} refused. ${(error as Error).message}`, {
      cause: error
    })
  }
}

const ID = /^[\w-]{1,36}$/

/**
 * Reads the overrides of a state.
 *
 * @throws Error that says what is wrong with them
 */
export function readOverrides(payload: unknown, { accept }: Pick<StateRules, 'accept'>): FleetOverride[] {
  if (payload === undefined) return []
  const list =
    typeof payload === 'object' && payload !== null ? (payload as { overrides?: unknown }).overrides : undefined
  if (!Array.isArray(list)) throw new Error('Its overrides are not a list.')
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
    const isAccepted = (['allow', 'deny', 'mode'] as const).every(
      (part) => options[part] === undefined || accept.has(part)
    )
    return isAccepted ? [{ id, since, options }] : []
  })
}
