import { createHash, type KeyObject } from 'node:crypto'
import { FleetError } from '../errors.js'
import { HOUR } from '../lib/time.js'
import { claimedDocument, SIGN_AGAIN, type VerifiedDocument, verifyDocument } from '../signing/signed-document.js'
import type { StoredState } from './store.js'
import { listed, readStored, type StoredOverride, shownOverrides } from './stored-override.js'

/** One signed document, as its signer remembers it. */
export type SignedMark = Pick<VerifiedDocument, 'version' | 'digest'>

/** What was signed last for a fleet, by part of its state. */
export type SignedMarks = Partial<Readonly<Record<'list' | 'overrides', SignedMark>>>

/** What a signer remembers of a fleet. */
export interface Remembered {
  readonly marks: SignedMarks
  /** The server that the overrides were signed for, where none were for the one that is named now: it may be the same by another name. */
  readonly server?: string | undefined
}

/** What a signer remembers, where the store cannot change it. */
export interface SignerMemory {
  read(): Promise<Remembered>
  /**
   * Adds the marks of a change to what is remembered.
   *
   * @param replaced the digests of the documents that the change was made from: a server that one of them is remembered of is the same store
   */
  write(marks: SignedMarks, replaced: readonly string[]): Promise<void>
}

/** A version in the store that is further ahead of the clock is not followed: no replica would accept the next one. */
const MAX_AHEAD = HOUR
/** What a signed change is made from; anybody may have written what stands in the store. */
export class Signing {
  readonly #name: string
  readonly #key: KeyObject
  readonly #last: SignedMarks
  readonly #elsewhere: string
  readonly #reported: number
  readonly #adopt: string | undefined
  readonly now: number

  /** @param reported the newest version that a replica reports */
  constructor(about: {
    readonly name: string
    readonly key: KeyObject
    readonly now: number
    readonly remembered: Remembered
    readonly reported: number
    readonly adopt: string | undefined
  }) {
    this.#name = about.name
    this.#key = about.key
    this.now = about.now
    const { marks, server } = about.remembered
    this.#last = marks
    this.#elsewhere = server === undefined ? '' : ` for ${server}, which may be this store by another name`
    this.#reported = about.reported
    this.#adopt = about.adopt
  }

  /**
   * The overrides of a state, to be signed again.
   *
   * @throws (rejects with) FleetError (`MOE_ERR_FLEET`) unless they were signed with the same key and are the latest, or were adopted
   */
  async overridesIn(stored: StoredState | null): Promise<readonly StoredOverride[]> {
    const text = stored?.overrides || null
    if (this.#adopt === 'none') return []
    if (this.#adopt !== undefined) return adopted(text, this.#adopt)
    this.checkOverrides(stored)
    if (text === null) return []
    const expected = { publicKeys: [this.#key], kind: 'override', name: this.#name, now: this.now } as const
    const { payload } = await verifyDocument(text, expected).catch((error: Error) => {
      throw refusedOverrides(text, reasonOf(error))
    })
    return readStored(payload, this.now)
  }

  /** Refuses overrides that no replica would accept, or that are older than others. */
  checkOverrides(stored: StoredState | null): void {
    const text = stored?.overrides || null
    const why = this.#doubt(text, 'overrides') ?? this.#olderThanReported(stored)
    if (why !== undefined) throw refusedOverrides(text, why)
  }

  /** Refuses a list that no replica would accept. */
  checkList(stored: StoredState | null): void {
    const why = this.#doubt(stored?.list || null, 'list')
    if (why === undefined) return
    throw new FleetError({
      value: 'list',
      message: `The list in the store would be refused by replicas. ${why}`,
      fix: 'Publish the list again: moengage-allowlist publish LIST --sign KEY.'
    })
  }

  /** A version that replicas take for newer than those that are signed in a state. */
  versionAfter(stored: StoredState | null): number {
    const signed = [...claimsOf(stored), ...Object.values(this.#last)].map(({ version }) => version)
    const known = [0, this.#reported, ...signed]
    return Math.max(...known.filter((version) => version <= this.now + MAX_AHEAD)) + 1
  }

  #doubt(text: string | null, part: 'list' | 'overrides'): string | undefined {
    const last = this.#last[part]
    if (text === null) {
      return (
        last &&
        `There ${part === 'list' ? 'is none' : 'are none'}, and version ${last.version} was signed here${this.#elsewhere}.`
      )
    }
    let claimed: VerifiedDocument
    try {
      claimed = claimedDocument(text)
    } catch (error) {
      return reasonOf(error as Error)
    }
    const { version, digest } = claimed
    if (version > this.now + MAX_AHEAD) {
      return `It is version ${version}, which is ahead of the clock of this machine (${this.now}).`
    }
    if (last === undefined || version > last.version) return undefined
    if (version < last.version)
      return `It is version ${version}, and version ${last.version} was signed here later${this.#elsewhere}.`
    if (digest === last.digest) return undefined
    return `It is version ${version} with another content than was signed here${this.#elsewhere}.`
  }

  #olderThanReported(stored: StoredState | null): string | undefined {
    const claims = claimsOf(stored)
    const newest = claims.length === 0 ? (stored?.version ?? 0) : Math.max(...claims.map(({ version }) => version))
    if (newest >= this.#reported) return undefined
    const state = newest === 0 ? 'The store has no state' : `The state of the store is of version ${newest}`
    return `${state}, and a replica reports version ${this.#reported}.`
  }
}

/** Why a document is refused, without the advice for lists in files. */
const reasonOf = (error: Error) => error.message.split(` ${SIGN_AGAIN}`)[0]!

/** What the signed documents of a state say of themselves, as far as they can be read. */
function claimsOf(stored: StoredState | null): VerifiedDocument[] {
  return [stored?.list, stored?.overrides].flatMap((text) => {
    try {
      return text ? [claimedDocument(text)] : []
    } catch {
      return []
    }
  })
}

/** Names the signed documents of a state. */
export const digestsOf = (stored: StoredState | null) => claimsOf(stored).map(({ digest }) => digest)

export function markOf(text: string): SignedMark {
  const { version, digest } = claimedDocument(text)
  return { version, digest }
}

/** Names overrides by their text, whatever it is. */
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 40)

/** Overrides that were refused before, and were looked at. */
function adopted(text: string | null, digest: string): readonly StoredOverride[] {
  if (text !== null && digestOf(text) === digest) return shownOverrides(text)
  throw new FleetError({
    value: digest,
    message: 'The overrides in the store are not those that were shown.',
    fix: 'Leave --adopt out to see them.'
  })
}

/** An error that shows what stands there, and how to go on. */
function refusedOverrides(text: string | null, why: string): FleetError {
  let [shownThere, fix] = ['', 'To start without any override, add --adopt none.']
  if (text !== null) {
    try {
      const overrides = shownOverrides(text)
      shownThere = overrides.length === 0 ? ' They are an empty list.' : ` They are:\n${listed(overrides)}\n`
      fix = `Look at them. If all of them are to be signed, add --adopt ${digestOf(text)}. ${fix}`
    } catch (error) {
      shownThere = ` They cannot be read: ${(error as Error).message}`
    }
  }
  return new FleetError({
    value: 'overrides',
    message: `The overrides in the store are not signed again. ${why}${shownThere}`,
    fix
  })
}
