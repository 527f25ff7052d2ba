import { randomUUID } from 'node:crypto'
import { directory as bundled, type Directory } from '../directory/directory.js'
import { sourceError } from '../directory/source/load-directory.js'
import { type OpenSource, UNCHANGED } from '../directory/source/source.js'
import type { FirstState, FleetMember, FleetOverride, MemberStatus, ReportingGuard } from '../guard/fleet.js'
import { OneByOne } from '../lib/one-by-one.js'
import { inTime } from '../lib/promise.js'
import { messageLineOf } from '../lib/text.js'
import { CLOCK, DAY, SECOND } from '../lib/time.js'
import { LocalCopy } from './copy.js'
import { OwnSource } from './own-source.js'
import { FleetSums, type Report, readSums, reportOf } from './report.js'
import {
  hasExpired,
  isSameState,
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
  /** What the store failed with while the guard's own source was loaded. */
  #storeFailure: Error | undefined
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
      load: (signal) => this.#load(signal),
      hasChanged: () => this.#hasChanged(),
      watch: (changed, signal) => store.watch(changed, signal),
      behind: base.watch && { ...base, watch: (changed, signal) => base.watch!(this.#ownChanged(changed), signal) },
      origin: () => (this.#own.isFollowing ? base : undefined),
      accepted: () => this.#accepted(),
      failure: () => this.#storeFailure,
      warnings: (now) => (this.#isOwnInUse && base.warnings?.(now)) || []
      // The compiler refuses a property of a source that is forgotten here.
    } satisfies OpenSource & Record<keyof OpenSource, unknown>
  }

  get overrides(): readonly FleetOverride[] {
    return this.#offered?.overrides ?? []
  }

  async *firstStates(): AsyncGenerator<FirstState> {
    this.failure = undefined
    const [stored, copy] = await Promise.all([this.#read().catch((error: Error) => error), this.#readCopy()])
    // What has expired is remembered, and used no more.
    const usable = copy === undefined || hasExpired(copy, Date.now()) ? undefined : copy
    const spare = [...(usable?.directory === undefined ? [] : [usable.directory]), bundled]
    if (stored instanceof Error) this.failure = sourceError(this.source, stored)
    else if (stored !== null || copy !== undefined) {
      try {
        yield await this.#firstState(await this.#stateOf(stored, usable), { before: copy?.directory, spare })
      } catch (error) {
        this.failure = sourceError(this.source, error)
      }
    }
    if (usable !== undefined) {
      try {
        yield await this.#firstState(usable, { before: undefined, spare: [bundled] })
      } catch {
        // What the store failed with says more.
      }
    }
    this.#offered = undefined
    yield { directory: await this.#own.load(), overrides: [], before: undefined, spare: [] }
  }

  async #firstState(state: ReadState, rest: Pick<FirstState, 'before' | 'spare'>): Promise<FirstState> {
    this.#own.withdraw()
    const directory = state.directory ?? (await this.#own.load())
    this.#offered = state
    // For the guard's own list no other one takes its place, as without a fleet.
    const spare = state.directory === undefined ? [] : rest.spare
    return { directory, overrides: state.overrides, before: rest.before, spare }
  }

  refused(error: Error): void {
    this.failure ??= error
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

  async #read(): Promise<StoredState | null> {
    this.#seen = undefined
    const stored = await this.#store.read(LIMITS)
    this.#seen = stored === null ? null : stored.version
    return stored
  }

  async #stateOf(stored: StoredState | null, inUse: ReadState | undefined): Promise<ReadState> {
    if (stored !== null) return readState(stored, this.#settings, { inUse, signed: this.#signed }, Date.now())
    if (inUse === undefined) throw new Error('The store has no state any more. Publish it again.')
    const ids = inUse.overrides.map(({ id }) => id)
    const ended =
      ids.length === 0
        ? ''
        : ` That ends what is still in force here: set these overrides again, which status().overrides has: ${ids.join(', ')}.`
    throw new Error(`The store has no state any more; version ${inUse.version} is in use. Publish it again.${ended}`)
  }

  async #load(signal: AbortSignal): Promise<unknown> {
    // A caller that cannot wait aborts at once.
    await Promise.resolve()
    signal.throwIfAborted()
    this.#storeFailure = undefined
    let state: ReadState | undefined
    try {
      state = await this.#newState()
    } catch (error) {
      return this.#loadOwnDespite(error, signal)
    }
    if (state === undefined) {
      this.#offered = this.#inUse
      const own = this.#isOwnInUse ? await this.#own.loadNew(signal) : undefined
      return own ?? UNCHANGED
    }
    if (state.directory === undefined) {
      // Overrides do not wait for the guard's own source: it may be down, or have a list that is refused.
      const own = await this.#own.lastOrLoaded(signal)
      this.#offered = state
      return own
    }
    this.#own.withdraw()
    this.#offered = state
    return state.directory
  }

  /** A store that is away, or has a state that is refused, does not keep the guard's own source from being followed. */
  async #loadOwnDespite(failure: unknown, signal: AbortSignal): Promise<Directory> {
    if (!this.#isOwnInUse || !(await this.#own.isDue())) throw failure
    // Of two failures at a time, that of the store is reported.
    const own = await this.#own.loadNew(signal).catch(() => undefined)
    if (own === undefined) throw failure
    this.#offered = this.#inUse
    this.#storeFailure = sourceError(this.source, failure)
    return own
  }

  /** The state of the store; undefined where it is the one in use. */
  async #newState(): Promise<ReadState | undefined> {
    const stored = await this.#read()
    if (stored === null && this.#inUse === undefined) return undefined
    const state = await this.#stateOf(stored, this.#inUse)
    return isSameState(state, this.#inUse, this.#settings) ? undefined : state
  }

  /** Whether the list in use is that of the guard's own source. */
  get #isOwnInUse(): boolean {
    return this.#inUse?.directory === undefined
  }

  /** Called after a change of the guard's own source, which matters only while its list is in use. */
  #ownChanged(changed: () => void): () => void {
    return () => {
      if (!this.#isOwnInUse) return
      this.#own.changed()
      changed()
    }
  }

  /** Never rejects: after a failure there is something to load, which reports it. */
  async #hasChanged(): Promise<boolean> {
    this.#copy?.retry()
    try {
      if ((await this.#store.poll()) !== this.#seen) return true
    } catch {
      return true
    }
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
      const sums = await readSums(this.#store)
      return { ...own, ...sums, overrides, lastError: null, warnings }
    } catch (error) {
      const sums = new FleetSums(this.#inUse?.version ?? null)
      sums.add(this.#reportNow(this.#isClosed), 0)
      return { ...own, ...sums.result(), overrides, lastError: messageLineOf(error), warnings }
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
    ended.then(() => this.#store.close())
    await inTime(ended, LAST_REPORT)
  }
}
