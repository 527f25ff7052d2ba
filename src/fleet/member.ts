import { randomUUID } from 'node:crypto'
import { directory as bundled, type Directory } from '../directory/directory.js'
import { sourceError } from '../directory/source/load-directory.js'
import { type OpenSource, UNCHANGED } from '../directory/source/source.js'
import {
  type FirstState,
  type FleetMember,
  type FleetOverride,
  isOver,
  type MemberStatus,
  type ReportingGuard
} from '../guard/fleet.js'
import { OneByOne } from '../lib/one-by-one.js'
import { inTime } from '../lib/promise.js'
import { messageLineOf } from '../lib/text.js'
import { CLOCK, DAY, HOUR, hasPassed, SECOND } from '../lib/time.js'
import { LocalCopy } from './copy.js'
import { OwnSource } from './own-source.js'
import { FleetSums, type Report, readSums, reportOf } from './report.js'
import {
  hasExpired,
  isSameState,
  isSameStored,
  LIMITS,
  type ReadState,
  readState,
  type SignedParts,
  type StateRules
} from './state.js'
import type { ReplicaStore, StoredState } from './store.js'

/** How a replica takes part in a fleet. Times are milliseconds. */
export interface MemberSettings extends StateRules {
  readonly copy: string | undefined
  readonly poll: number
  readonly timeout: number
  /** Infinite where nothing is reported. */
  readonly report: number
  readonly senders: number
}

/** How long the report of a replica that is gone is shown. */
const KEEP = DAY
/** How long the first state must be in use before it is copied: until then, a route may be added that it has no address for. */
const SETTLED = 2 * SECOND
/** How long a server that ends is held up for the last report. */
const LAST_REPORT = SECOND

/** A state that was refused, by its form or by the guard. */
interface Refusal {
  readonly stored: StoredState | null
  readonly error: Error
  readonly at: number
}

/** One replica: its list and overrides come from the store, from its local copy, or from the source of the guard. */
export class Member implements FleetMember {
  readonly source: OpenSource
  failure: Error | undefined
  /** The guard's own source. */
  readonly #own: OwnSource
  readonly #store: ReplicaStore
  readonly #settings: MemberSettings
  readonly #copy: LocalCopy | undefined
  readonly #id = randomUUID()
  readonly #started = CLOCK.now()
  /** What the store failed with, though a list was loaded. */
  #storeFailure: Error | undefined
  /** What the guard's own source failed with last; undefined since its list came into use. */
  #ownFailure: Error | undefined
  /** What the last poll failed with. */
  #pollFailure: Error | undefined
  #refusal: Refusal | undefined
  /** Whether a caller waits for the next load. */
  #isAsked = false
  /** The version that was read last, whatever came of it; undefined where that failed. */
  #seen: number | null | undefined
  #offered: ReadState | undefined
  #inUse: ReadState | undefined
  /** The signed documents that were accepted last, by this process or the one that wrote the copy; whether they are in use or not. */
  #signed: SignedParts = {}
  #guard: ReportingGuard | undefined
  readonly #reports = new OneByOne(() => this.#writeReport())
  #reportError: string | null = null
  #isClosed = false
  #closing: Promise<void> | undefined
  readonly #waiting: { report?: () => void; copy?: () => void } = {}

  constructor(base: OpenSource, store: ReplicaStore, settings: MemberSettings) {
    this.#own = new OwnSource(base)
    this.#store = store
    this.#settings = settings
    this.#copy = settings.copy === undefined ? undefined : new LocalCopy(settings.copy, settings.name)
    this.source = {
      name: `fleet ${settings.name}`,
      timeout: 4 * settings.timeout + base.timeout,
      interval: settings.poll,
      // Errors of the guard's own source name its proxy, and show no secret of it.
      via: undefined,
      secrets: undefined,
      maxChangedCells: undefined,
      isOrdered: true,
      // Of a list in the store, the publisher's clock, or a person, wrote the days.
      isDatedHere: undefined,
      load: (signal) => this.#load(signal),
      hasChanged: () => this.#hasChanged(),
      watch: (changed, signal) => store.watch(changed, signal),
      behind: { ...base, isInUse: () => this.#isOwnInUse, changed: () => this.#own.changed() },
      origin: () => this.#origin(base),
      accepted: () => this.#accepted(),
      refused: (error) => this.#refusedAtLoad(error),
      asked: () => {
        this.#isAsked = true
        this.#own.changed()
      },
      failure: () => this.#storeFailure ?? (this.#isOwnInUse ? this.#ownFailure : undefined),
      warnings: (now) => (this.#isOwnInUse && base.warnings?.(now)) || []
      // The compiler refuses a property of a source that is forgotten here.
    } satisfies OpenSource & Record<keyof OpenSource, unknown>
  }

  get overrides(): readonly FleetOverride[] {
    return this.#offered?.overrides ?? []
  }

  /** A list of the guard's own source has its name; the rules for what follows another list hold for one of its own only. */
  #origin(base: OpenSource): OpenSource | undefined {
    if (this.#own.isFollowing) return base
    return this.#own.isOffered ? { ...this.source, name: base.name } : undefined
  }

  async *firstStates(): AsyncGenerator<FirstState> {
    this.failure = undefined
    let loading: Promise<Directory> | undefined
    // It may hang: one attempt is enough for all states.
    const own = async () => {
      loading ??= this.#own.load()
      return this.#own.offer(await loading)
    }
    const [stored, copy] = await Promise.all([this.#read().catch((error: Error) => error), this.#readCopy()])
    // What has expired is remembered, and used no more.
    const usable = copy === undefined || hasExpired(copy, Date.now()) ? undefined : copy
    const spare = [...(usable?.directory === undefined ? [] : [usable.directory]), bundled]
    if (stored instanceof Error) this.failure = sourceError(this.source, stored)
    else if (stored !== null || copy !== undefined) {
      try {
        yield await this.#firstState(
          await this.#stateOf(stored, { inUse: usable, last: copy }),
          { before: copy?.directory, spare },
          own
        )
      } catch (error) {
        this.failure = sourceError(this.source, error)
      }
    }
    if (usable !== undefined) {
      try {
        yield await this.#firstState(usable, { before: undefined, spare: [bundled] }, own)
      } catch {
        // What the store failed with says more.
      }
    }
    this.#offered = undefined
    yield { directory: await own(), overrides: [], before: undefined, spare: [] }
  }

  async #firstState(
    state: ReadState,
    rest: Pick<FirstState, 'before' | 'spare'>,
    own: () => Promise<Directory>
  ): Promise<FirstState> {
    this.#own.withdraw()
    const directory = state.directory ?? (await own())
    this.#offered = state
    // For the guard's own list no other one takes its place, as without a fleet.
    const spare = state.directory === undefined ? [] : rest.spare
    return { directory, overrides: state.overrides, before: rest.before, spare }
  }

  refused(error: Error): void {
    this.failure ??= error
    const state = this.#offered ?? this.#inUse
    if (state !== undefined) this.#remember(state.stored, error)
    this.#offered = undefined
    this.#inUse = undefined
    this.#waiting.copy?.()
  }

  async #readCopy(): Promise<ReadState | undefined> {
    const stored = await this.#copy?.read()
    if (stored === undefined) return undefined
    try {
      const copy = await readState(stored, this.#settings, { inUse: undefined, signed: {} }, undefined)
      this.#signed = copy.signed
      return copy
    } catch {
      // A copy that is refused is no reason not to start.
      return undefined
    }
  }

  #remember(stored: StoredState | null, error: Error): void {
    this.#refusal = { stored, error, at: CLOCK.now() }
  }

  async #read(signal?: AbortSignal): Promise<StoredState | null> {
    this.#seen = undefined
    const stored = await this.#store.read(LIMITS)
    // An answer that is late must not take the place of a newer one.
    signal?.throwIfAborted()
    this.#seen = stored === null ? null : stored.version
    return stored
  }

  /** @param last the state that was in use last; the store had one */
  async #stateOf(
    stored: StoredState | null,
    { inUse, last = inUse }: { readonly inUse: ReadState | undefined; readonly last?: ReadState | undefined },
    signal?: AbortSignal
  ): Promise<ReadState> {
    try {
      if (stored === null) throw emptied(last!, inUse !== undefined)
      const state = await readState(stored, this.#settings, { inUse, signed: this.#signed }, Date.now())
      signal?.throwIfAborted()
      return state
    } catch (error) {
      signal?.throwIfAborted()
      this.#remember(stored, error as Error)
      throw error
    }
  }

  async #load(signal: AbortSignal): Promise<unknown> {
    // A caller that cannot wait aborts at once.
    await Promise.resolve()
    signal.throwIfAborted()
    const isAsked = this.#isAsked
    this.#isAsked = false
    this.#storeFailure = this.#pollFailure
    let state: ReadState | undefined
    try {
      state = await this.#newState(signal)
    } catch (error) {
      signal.throwIfAborted()
      const own = await this.#loadOwnDespite(sourceError(this.source, error), signal)
      if (own === undefined) throw error
      return own
    }
    if (state === undefined) {
      const own = (await this.#isOwnDue(signal)) ? await this.#loadOwn(signal) : UNCHANGED
      this.#offered = this.#inUse
      return own
    }
    if (this.#isRefused(state)) {
      const own = await this.#loadOwnDespite(this.#refusal!.error, signal)
      // Else the guard refuses it again, with the same error.
      if (own !== undefined) return own
    }
    if (state.directory === undefined) {
      // Overrides do not wait for the guard's own source unless a caller does: it may be down, or have a list that is refused.
      const own = isAsked ? await this.#loadOwn(signal).catch(() => UNCHANGED) : UNCHANGED
      const directory = own === UNCHANGED ? await this.#own.lastOrLoaded(signal) : own
      signal.throwIfAborted()
      this.#offered = state
      return directory
    }
    this.#own.withdraw()
    this.#offered = state
    return state.directory
  }

  /** A store that is away, or has a state that is refused, does not keep the guard's own source from being followed. */
  async #loadOwnDespite(failure: Error, signal: AbortSignal): Promise<Directory | typeof UNCHANGED | undefined> {
    if (!(await this.#isOwnDue(signal))) return undefined
    // Of two failures at a time, that of the store is reported.
    const own = await this.#loadOwn(signal).catch(() => undefined)
    signal.throwIfAborted()
    if (own === undefined) return undefined
    this.#offered = this.#inUse
    this.#storeFailure = failure
    return own
  }

  async #loadOwn(signal: AbortSignal): Promise<Directory | typeof UNCHANGED> {
    try {
      const own = await this.#own.loadNew(signal)
      this.#ownFailure = undefined
      return own ?? UNCHANGED
    } catch (error) {
      signal.throwIfAborted()
      this.#ownFailure = sourceError(this.source, error)
      throw error
    }
  }

  /** Whether the guard's own source, whose list is in use, may have something new. */
  async #isOwnDue(signal: AbortSignal): Promise<boolean> {
    const isDue = this.#isOwnInUse && (await this.#own.isDue())
    signal.throwIfAborted()
    return isDue
  }

  /** The state of the store; undefined where it is the one in use. */
  async #newState(signal: AbortSignal): Promise<ReadState | undefined> {
    const stored = await this.#read(signal)
    if (stored !== null || this.#inUse !== undefined) {
      const state = await this.#stateOf(stored, { inUse: this.#inUse }, signal)
      if (!isSameState(state, this.#inUse, this.#settings)) return state
    }
    this.#refusal = undefined
    return undefined
  }

  /** Whether the guard refused a state within the hour. What it refused may be right an hour later. */
  #isRefused({ stored }: ReadState): boolean {
    return this.#refusal !== undefined && isSameStored(stored, this.#refusal.stored) && !this.#isRefusalOver
  }

  get #isRefusalOver(): boolean {
    return this.#refusal !== undefined && hasPassed(HOUR, this.#refusal.at, CLOCK.now())
  }

  /** The guard refused what was loaded last. */
  #refusedAtLoad(error: Error): void {
    const state = this.#offered
    if (state === undefined || state === this.#inUse) this.#ownFailure = error
    // The list may be at fault instead: the state is offered once more, with the list in use.
    else if (this.#own.isNew) this.#seen = undefined
    else this.#remember(state.stored, error)
    this.#offered = this.#inUse
    this.#own.withdraw()
  }

  /** Whether the list in use is that of the guard's own source. */
  get #isOwnInUse(): boolean {
    return this.#inUse?.directory === undefined
  }

  /** Never rejects: after a failure there is something to load, which reports it. */
  async #hasChanged(): Promise<boolean> {
    this.#copy?.retry()
    const before = this.#pollFailure
    try {
      const version = await this.#store.poll()
      this.#pollFailure = undefined
      if (version !== this.#seen) return true
    } catch (error) {
      this.#pollFailure = sourceError(this.source, error)
    }
    if (this.#pollFailure !== before || this.#isRefusalOver) return true
    return this.#isOwnInUse && this.#own.isDue()
  }

  #accepted(): void {
    this.#own.accepted()
    const isFirst = this.#guard === undefined
    if (this.#offered !== undefined && this.#offered !== this.#inUse) {
      this.#inUse = this.#offered
      const { stored, signed } = this.#offered
      this.#signed = { ...this.#signed, ...signed }
      if (isFirst) this.#waiting.copy = CLOCK.after(SETTLED, () => this.#copy?.write(stored))
      else {
        this.#waiting.copy?.()
        this.#copy?.write(stored)
      }
    }
    if (!isFirst) this.#report()
  }

  joined(guard: ReportingGuard): void {
    this.#guard = guard
    this.#report()
  }

  #reportNow(isClosed: boolean): Report {
    const { senders, report: every } = this.#settings
    const basis = { id: this.#id, started: this.#started, every, senders }
    return reportOf(this.#guard!, basis, this.#inUse?.version ?? null, isClosed)
  }

  /** Writes the report, now or when the one under way is written; and again after the interval. */
  #report(): void {
    if (this.#settings.report !== Number.POSITIVE_INFINITY) this.#reports.request()
  }

  async #writeReport(): Promise<void> {
    try {
      const report = this.#reportNow(this.#isClosed)
      await this.#store.report({ id: report.id, text: JSON.stringify(report) }, KEEP)
      this.#reportError = null
    } catch (error) {
      this.#reportError = `This replica could not report: ${messageLineOf(error)}`
    }
    this.#waiting.report?.()
    if (!this.#isClosed) this.#waiting.report = CLOCK.after(this.#settings.report, () => this.#report())
  }

  async status(): Promise<MemberStatus> {
    const { name, verify } = this.#settings
    const own = { name, self: this.#id, isSigned: verify !== undefined }
    const overrides = this.#guard!.status().overrides.filter(({ origin }) => origin === 'fleet')
    const warnings = [this.#reportError, this.#copy?.lastError].filter((text) => typeof text === 'string')
    try {
      const sums = await readSums(this.#store, this.#id)
      return { ...own, ...sums, overrides, lastError: null, warnings }
    } catch (error) {
      const sums = new FleetSums(this.#id)
      sums.add(this.#reportNow(this.#isClosed), 0)
      return {
        ...own,
        ...sums.result(this.#inUse?.version ?? null),
        overrides,
        lastError: messageLineOf(error),
        warnings
      }
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    this.#isClosed = true
    this.#waiting.report?.()
    this.#waiting.copy?.()
    // Without a guard there is nothing to report.
    if (this.#guard !== undefined) this.#report()
    const ended = Promise.all([this.#reports.ended(), this.#copy?.written()])
    await inTime(ended, LAST_REPORT)
    this.#store.close()
  }
}

/**
 * The store has lost its state. Where that had no list, none must be published: it would take the place of the one that each replica has.
 *
 * @param last the state that was in use last
 * @param isInUse whether it is still, since it has not expired
 */
function emptied(last: ReadState, isInUse: boolean): Error {
  const hadList = last.stored.list !== null
  const what = 'The store has no state any more'
  if (!isInUse) return new Error(`${what}. ${hadList ? 'Publish it again.' : 'Set its overrides again.'}`)
  const inForce = last.overrides.filter((override) => !isOver(override, CLOCK.now()))
  const these = `these overrides again, which status().overrides has: ${inForce.map(({ id }) => id).join(', ')}.`
  const advice = hadList
    ? ['Publish it again.', `That ends what is still in force here: set ${these}`]
    : ['The next override ends that.', `It ends all others that are still in force here: set ${these}`]
  return new Error(`${what}; version ${last.version} is in use. ${advice.slice(0, inForce.length + 1).join(' ')}`)
}
