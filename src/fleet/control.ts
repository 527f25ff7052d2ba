import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { directory as bundled } from '../directory/directory.js'
import { formatSnapshot, type Snapshot } from '../directory/snapshot.js'
import { readBounded } from '../directory/source/load-directory.js'
import { FleetError } from '../errors.js'
import type { FleetStatus } from '../guard/fleet.js'
import { openOverride } from '../guard/overrides.js'
import type { Override } from '../guard/status.js'
import { parseJson } from '../lib/json.js'
import { messageLineOf, withFullStop } from '../lib/text.js'
import { DAY } from '../lib/time.js'
import { loadJose, signDocument } from '../signing/signed-document.js'
import { namedBy } from './named-overrides.js'
import { readSums } from './report.js'
import { digestsOf, markOf, type SignerMemory, Signing } from './signing.js'
import { LIMITS } from './state.js'
import type { FleetStore, StoredState } from './store.js'
import { isSigned, overrideOf, type StoredOverride, shownOverrides, words } from './stored-override.js'

/** How a change is made. */
export interface ChangeOptions {
  /** The Ed25519 private key that signs it; without one it is not signed. */
  readonly sign?: KeyObject | undefined
  /** When a signed document expires, in milliseconds since 1970 (in 90 days). */
  readonly expires?: number | undefined
  /** What was signed last: a state of the store that is older is refused. */
  readonly memory?: SignerMemory | undefined
  /**
   * Goes on from overrides that are refused: the digest of those that the refusal shows, or `none` to start without any.
   */
  readonly adopt?: string | undefined
  /** Called with all overrides that a change has signed. */
  readonly onSigned?: ((overrides: readonly Override[]) => void) | undefined
  /** Makes the change only if this is the version in the store; `0`: if there is none. */
  readonly expect?: number | undefined
}

/** One change, as the log of the store has it. */
export interface Change {
  readonly version: number
  /** When it was made (ISO 8601), by the clock of who made it. */
  readonly at: string
  /** Who made it: user and host. */
  readonly by: string
  /** What was done, in a few words. */
  readonly what: string
  /** What it changed. */
  readonly part: 'list' | 'overrides'
  /** The content of the list that was published; absent for other changes, for one that is signed, and for one that is too long for the log. */
  readonly list?: string
}

/** A list that is longer is not kept in the log. */
const MAX_LOGGED = 128_000
/** The longest description of overrides in the log. */
const MAX_WORDS = 500
const forLog = (text: string) => (text.length > MAX_WORDS ? `${text.slice(0, MAX_WORDS)}…` : text)
/** How often a change is tried again that another one came before. */
const ATTEMPTS = 20

/** What a change does, from what there is; the overrides are read only by those that change them. */
type MakeDraft = (overrides: () => Promise<readonly StoredOverride[]>, now: number) => Draft | Promise<Draft>

interface Draft {
  readonly list?: string
  readonly overrides?: readonly StoredOverride[]
  readonly what: string
}

/** Changes what a fleet shares, and reads what it reports. */
export class FleetControl {
  readonly #store: FleetStore
  readonly #name: string

  /** @param name of the fleet, which signed documents carry */
  constructor(store: FleetStore, name: string) {
    this.#store = store
    this.#name = name
  }

  /** Publishes a list to all replicas. Resolves with its version. */
  publish(snapshot: Snapshot, options: ChangeOptions = {}): Promise<number> {
    readBounded(snapshot)
    const { revision, retrieved } = snapshot.provenance
    return this.#change(options, () => ({
      list: formatSnapshot(snapshot),
      what: `list ${revision.slice(0, 12)} of ${retrieved}`
    }))
  }

  /**
   * Publishes the list that was published before the last one, as a new version. Resolves with it, the version that it was, and the new one.
   *
   * @throws (rejects with) FleetError (`MOE_ERR_FLEET`) where lists are signed: the log of the store is not, and anybody may have written it; and
   * where the log has no such list, or not its content
   */
  async rollback(options: ChangeOptions = {}): Promise<{ list: Snapshot; published: number; version: number }> {
    if (options.sign !== undefined || isSigned((await this.#store.read(LIMITS))?.list)) {
      throw new FleetError({
        value: this.#name,
        message: 'A list of the log is not signed: anybody who can write to the store may have written it.',
        fix: 'Publish the file of the list that you mean: moengage-allowlist publish LIST --sign KEY.'
      })
    }
    const [, before] = (await this.log()).filter(({ part }) => part === 'list')
    if (before === undefined) {
      throw new FleetError({
        value: this.#name,
        message: 'The log of the store has no list before the last one.',
        fix: 'Publish a list: moengage-allowlist publish LIST.'
      })
    }
    const [list, published] = [loggedList(before), before.version]
    const version = await this.#change(options, () => ({
      list: formatSnapshot(list),
      what: `rollback to the list of version ${published}`
    }))
    return { list, published, version }
  }

  /** Sets an override on all replicas. Resolves with it and the version. */
  async override(options: unknown, change: ChangeOptions = {}): Promise<{ override: Override; version: number }> {
    let set: Override | undefined
    const id = randomUUID().slice(0, 8)
    const version = await this.#change(change, async (before, now) => {
      const fleet = { id, since: new Date(now).toISOString() }
      // Each replica checks it again, against the list and the routes that it has.
      const { override } = openOverride(options, {
        directory: bundled,
        inUse: [],
        confirmed: new Set(),
        now,
        fleet
      })
      set = override
      const { allow, deny, mode, until, note } = override
      const stored = {
        ...fleet,
        ...(allow.length > 0 && { allow }),
        ...(deny.length > 0 && { deny }),
        ...(mode !== null && { mode }),
        ...(until !== null && { until }),
        ...(note !== null && { note })
      }
      return { overrides: [...(await before()), stored], what: forLog(`override ${words(override)}`) }
    })
    return { override: set!, version }
  }

  /**
   * Ends overrides. Resolves with them, and with the version.
   *
   * @param name see {@link namedBy}
   * @throws (rejects with) FleetError (`MOE_ERR_FLEET`) where it names none, or not all that would end
   */
  async removeOverride(
    name: string,
    change: ChangeOptions = {}
  ): Promise<{ removed: readonly Override[]; version: number }> {
    let removed: readonly Override[] = []
    const version = await this.#change(change, async (overrides) => {
      const before = await overrides()
      const named = namedBy(name, before)
      removed = named.map(overrideOf)
      const what = removed.map((override) => `override ${override.id} removed: ${words(override)}`).join('; ')
      return { overrides: before.filter((override) => !named.includes(override)), what: forLog(what) }
    })
    return { removed, version }
  }

  /** Reads what all replicas reported, and the overrides in force. */
  async status(): Promise<FleetStatus> {
    const [sums, stored] = await Promise.all([readSums(this.#store), this.#store.read(LIMITS)])
    if (stored !== null && !Number.isSafeInteger(stored.version)) throw damaged(this.#store.name)
    const overrides = this.#overridesIn(stored).map(overrideOf)
    return {
      name: this.#name,
      self: null,
      isSigned: false,
      trustsReports: false,
      ...sums,
      overrides,
      lastError: null,
      warnings: []
    }
  }

  /**
   * Whether the store has lost what a change set: it has a later state without that. A later list takes the place of one in any case.
   *
   * @param what the override that was set, or `list`
   */
  async hasLost(what: Override | 'list', version: number): Promise<boolean> {
    const stored = await this.#store.read(LIMITS)
    if (stored === null || stored.version <= version) return false
    if (what === 'list') return stored.list === null
    const { id, until } = what
    if (until !== null && Date.parse(until) <= Date.now()) return false
    if (this.#overridesIn(stored).some((other) => other.id === id)) return false
    return !(await this.log()).some((change) => change.what.includes(`override ${id} removed`))
  }

  /** The last fifty changes, the latest first. */
  async log(): Promise<Change[]> {
    return (await this.#store.log()).flatMap((entry) => {
      try {
        const { version, at, by, what, list, ...rest } = JSON.parse(entry) as Change
        const isRight = Number.isSafeInteger(version) && [at, by, what].every((text) => typeof text === 'string')
        if (!isRight) return []
        // An earlier version wrote no part.
        const part = rest.part ?? (what.startsWith('override ') ? 'overrides' : 'list')
        return [{ version, at, by, what, part, ...(typeof list === 'string' && { list }) }]
      } catch {
        return []
      }
    })
  }

  close(): void {
    this.#store.close()
  }

  #overridesIn(stored: StoredState | null): readonly StoredOverride[] {
    try {
      return shownOverrides(stored?.overrides ?? null)
    } catch (error) {
      throw new FleetError({
        value: this.#name,
        message: `The overrides in the store cannot be read. ${withFullStop(messageLineOf(error))}`,
        fix: `Remove them, and set them again: redis-cli HDEL '${this.#store.name}:state' overrides.`
      })
    }
  }

  /** Reads, changes and writes; again if another change came in between. */
  async #change(options: ChangeOptions, draft: MakeDraft): Promise<number> {
    const { sign } = options
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Read before the state: a change in between is in the state, then.
      const reported = await this.#reported(sign !== undefined)
      const signing = sign === undefined ? undefined : await this.#signing(sign, options, reported)
      const [stored, time] = await Promise.all([
        this.#store.read(LIMITS),
        // A server that is not trusted does not say what time it is.
        signing?.now ?? this.#store.time()
      ])
      if (stored !== null && !isFollowed(stored.version, sign !== undefined)) throw damaged(this.#store.name)
      if (options.expect !== undefined && options.expect !== (stored?.version ?? 0))
        throw conflict(options.expect, stored)
      const overridesBefore = async () =>
        signing === undefined ? this.#overridesIn(stored) : signing.overridesIn(stored)
      const { list, what, ...rest } = await draft(overridesBefore, time)
      let { overrides } = rest
      if (signing === undefined) {
        if (list !== undefined) refuseUnsigned('list', stored?.list)
        if (overrides !== undefined) refuseUnsigned('overrides', stored?.overrides)
      } else {
        if (list === undefined) signing.checkList(stored)
        // Where documents are signed, a replica must be able to tell none from lost.
        if (overrides === undefined && (options.adopt !== undefined || !stored?.overrides))
          overrides = await overridesBefore()
        if (overrides === undefined) signing.checkOverrides(stored)
      }
      // A store that lost its data, and whose clock is behind, goes on with a higher version than any replica has seen.
      const before = Math.max(stored?.version ?? 0, newestOf(reported, time))
      const version = Math.max(time, signing === undefined ? before + 1 : signing.versionAfter(stored))
      const next: StoredState = {
        version,
        list: list === undefined ? (stored?.list ?? null) : await this.#sealed('list', list, version, options),
        overrides:
          overrides === undefined
            ? (stored?.overrides ?? null)
            : await this.#sealed('override', JSON.stringify({ overrides }), version, options)
      }
      for (const part of ['list', 'overrides'] as const) refuseLong(part, next[part])
      const by = `${userInfo().username}@${hostname()}`
      const entry: Change = {
        version,
        at: new Date(time).toISOString(),
        by,
        what,
        part: list === undefined ? 'overrides' : 'list',
        ...(list !== undefined && sign === undefined && list.length <= MAX_LOGGED && { list })
      }
      if (await this.#store.write({ expect: stored?.version ?? null, state: next, entry: JSON.stringify(entry) })) {
        if (sign !== undefined) {
          const marks = {
            ...(list !== undefined && { list: markOf(next.list!) }),
            ...(overrides !== undefined && { overrides: markOf(next.overrides!) })
          }
          await options.memory?.write(marks, digestsOf(stored))
          if (overrides !== undefined) options.onSigned?.(overrides.map(overrideOf))
        }
        return version
      }
    }
    throw new FleetError({
      value: this.#name,
      message: `Other changes came in between, ${ATTEMPTS} times in a row.`,
      fix: 'Try again.'
    })
  }

  /** The versions that replicas report. Without a signature they only raise the next version: what cannot be read keeps nobody from changing the state. */
  async #reported(isToBeSigned: boolean): Promise<readonly number[]> {
    try {
      const { replicas } = await readSums(this.#store)
      return replicas.flatMap(({ version }) => version ?? [])
    } catch (error) {
      if (isToBeSigned) throw error
      return []
    }
  }

  async #signing(key: KeyObject, { memory, adopt }: ChangeOptions, reported: readonly number[]): Promise<Signing> {
    // Whatever is refused from now on is refused for its signature.
    await loadJose()
    const now = Date.now()
    return new Signing({
      name: this.#name,
      key: createPublicKey(key),
      now,
      remembered: (await memory?.read()) ?? { marks: {} },
      reported: newestOf(reported, now),
      adopt
    })
  }

  async #sealed(
    kind: 'list' | 'override',
    text: string,
    version: number,
    { sign, expires }: ChangeOptions
  ): Promise<string> {
    if (sign === undefined) return text
    const end = new Date(expires ?? Date.now() + 90 * DAY).toISOString()
    return signDocument({ kind, name: this.#name, version, expires: end, payload: JSON.parse(text) }, sign)
  }
}

/** The newest of the versions that replicas report; one that is more than a day ahead is not believed. */
const newestOf = (versions: readonly number[], now: number) =>
  Math.max(0, ...versions.filter((version) => version <= now + DAY))

/**
 * The list of a change that the log has.
 *
 * @throws FleetError (`MOE_ERR_FLEET`) where it has none that replicas would read
 */
function loggedList({ version, what, list }: Change): Snapshot {
  try {
    if (list === undefined) throw new Error('It was too long for the log, or signed.')
    const snapshot = parseJson(list) as Snapshot
    readBounded(snapshot)
    return snapshot
  } catch (error) {
    throw new FleetError({
      value: version,
      message: `The log of the store has no list for version ${version} (${what}). ${withFullStop(messageLineOf(error))}`,
      fix: 'Publish the file of the list that you mean: moengage-allowlist publish LIST.'
    })
  }
}

/** A replica that verifies signatures would refuse what is not signed. */
function refuseUnsigned(part: 'list' | 'overrides', text: string | null | undefined): void {
  if (!isSigned(text)) return
  throw new FleetError({
    value: part,
    message: `The ${part} in the store ${part === 'list' ? 'is' : 'are'} signed, and this change is not.`,
    fix: 'Name the private key: --sign KEY.'
  })
}

/** Whether a change can follow a version in the store; one that is signed has a version of its own. */
const isFollowed = (version: number, isToBeSigned: boolean) =>
  Number.isSafeInteger(version) && (isToBeSigned || version < Number.MAX_SAFE_INTEGER)

function damaged(key: string): FleetError {
  return new FleetError({
    value: key,
    message: 'The version in the store is not one that another can follow.',
    fix: `Set it, and run the command again: redis-cli HSET '${key}:state' version 1.`
  })
}

function conflict(expect: number, stored: StoredState | null): FleetError {
  return new FleetError({
    value: expect,
    message: `The store has ${stored === null ? 'no state' : `version ${stored.version}`}, not ${expect}.`,
    fix: 'Look at the change that came in between: moengage-allowlist fleet log.'
  })
}

function refuseLong(part: 'list' | 'overrides', text: string | null): void {
  if (text === null || Buffer.byteLength(text) <= LIMITS[part]) return
  throw new FleetError({
    value: part,
    message: `The ${part} would take more than ${LIMITS[part]} bytes, which no replica reads.`,
    fix: part === 'list' ? "Publish MoEngage's list, which takes 12 KB." : 'Remove overrides that are no longer needed.'
  })
}
