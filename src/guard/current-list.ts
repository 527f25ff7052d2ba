import { type Cells, Directory } from '../directory/directory.js'
import { isSet, originOf } from '../directory/noted-day.js'
import type { OpenSource } from '../directory/source/source.js'
import { OptionsError, type Problem, SuspiciousError } from '../errors.js'
import type { Prefix } from '../ip/prefix.js'
import { frozen } from '../lib/frozen.js'
import { atOnce, inSlices, type Steps } from '../lib/steps.js'
import { type Clock, HOUR } from '../lib/time.js'
import { CheckedDays } from './checked-days.js'
import { CompiledList } from './compiled-list.js'
import { type FirstState, type FleetOverride, isOver } from './fleet.js'
import type { Ledger } from './ledger.js'
import { type PolicyOptions, readPolicy, type Settings } from './options.js'
import { type OpenOverride, type OverrideContext, openOverride } from './overrides.js'
import { Policy } from './policy.js'
import { onlyIn, type Removal, removalsAfter } from './removals.js'
import { isToCome, type Override, trustedSenders } from './status.js'
import { rewritten, suspicionsOf, unconfirmed } from './suspicions.js'

type Read = Pick<ReturnType<Directory['read']>, 'cells' | 'warnings'>

/** What requests are judged by besides the directory, and for a time only. */
interface Temporary {
  /** Those that are over by the clock are among them; see {@link FORGET}. */
  readonly overrides: readonly OpenOverride[]
  /** What the list has lost, that whose grace period is over among it. */
  readonly removals: readonly Removal[]
}

/** A directory that may take the place of the one in use. */
interface Prepared {
  readonly inUse: InUse
  readonly temporary: Temporary
  /** The prefixes that only the directory before has. */
  readonly gone: readonly Prefix[]
}

/** All that a reload replaces, behind one reference: a request sees the old list or the new one, never both. */
interface InUse {
  readonly list: CompiledList
  readonly policy: Policy
  readonly byRoute: WeakMap<PolicyOptions, Policy>
  readonly warnings: readonly Problem[]
  readonly overrides: readonly Override[]
  /** The mode that an override puts in the place of the guard's own. */
  readonly mode: Override['mode']
  /** The time, in milliseconds since 1970, between which it holds; infinite where the clock alone changes nothing. */
  readonly begins: number
  readonly ends: number
  /** See {@link originOf}: days of the list may count otherwise when the clock is set. */
  readonly origin: number
  /** Whether both are infinite: quicker to read than numbers, at every request. */
  readonly isTimeless: boolean
}

/** Maximum number of different options that are remembered: more than all sets of channels that anybody writes. */
const MAX_JUDGED_BY = 1000

/**
 * How long overrides and removals that are over are kept, by a timer: a clock that was wrong is corrected by then, and they hold
 * again.
 */
const FORGET = HOUR

/** The list that requests are judged by: takes the place of the one before if nothing speaks against it. */
export class CurrentList {
  readonly #settings: Settings<never>
  readonly #ledger: Ledger
  readonly #clock: Clock
  readonly #routes = new Map<string, PolicyOptions>()
  /** Options that a list was found right for, as text: callers often write a new object for each request. */
  readonly #judgedBy = new Set<string>()
  #temporary: Temporary
  /** How to call off the forgetting of what is over. */
  #forgetting: (() => void) | undefined
  /** Lists that may take the place of the first one; see {@link FirstState}. */
  #spare: readonly Directory[]
  /** Called when one of them did, with the reason. */
  onFallBack: ((error: Error) => void) | undefined
  #current: InUse
  readonly #checked: CheckedDays
  /** Counts what a directory that is being prepared depends on. */
  #version = 0

  /** @throws OptionsError, SuspiciousError */
  constructor(
    settings: Settings<never>,
    first: Directory | FirstState,
    ledger: Ledger,
    clock: Clock,
    mistakes: readonly Problem[]
  ) {
    const { directory, overrides, before, spare } = first instanceof Directory ? firstOf(first) : first
    const { cells, ...read } = directory.read(settings.selection)
    const problems = [...read.problems, ...mistakes]
    if (problems.length > 0) throw new OptionsError(problems)
    this.#settings = settings
    this.#ledger = ledger
    this.#clock = clock
    this.#checked = new CheckedDays(clock)
    atOnce(this.#refuseSuspicious(directory, before, [cells]))
    this.#spare = spare
    this.#temporary = { overrides: this.#openAll(overrides, { directory, inUse: [cells] }), removals: [] }
    this.#checked.follow(directory, this.#loadedFrom)
    this.#current = atOnce(this.#compiling(directory, { cells, warnings: read.warnings }, this.#temporary))
  }

  /**
   * What is in use at this moment. The clock is asked only where something may end: an address that was removed, or a list
   * that is not to be used when it is stale.
   */
  get current(): InUse {
    const current = this.#current
    return current.isTimeless ? current : this.#atThisTime()
  }

  /** A clock that went wrong for a while must not leave anything behind, so it decides each time, in both directions. */
  #atThisTime(): InUse {
    const { list, begins, ends, origin } = this.#current
    const now = this.#clock.now()
    if (now >= ends || now < begins || (this.#settings.rejectWhenStale && isSet(origin, originOf(this.#clock)))) {
      this.#compileAnew(list.directory)
      this.#forgetting ??= this.#clock.after(FORGET, () => this.#forget())
    }
    return this.#current
  }

  /** Forgets what is over, so that the clock need not be asked for it at each request. */
  #forget(): void {
    this.#forgetting = undefined
    this.#temporary = inForce(this.#temporary, this.#clock.now())
    this.#compileAnew(this.#current.list.directory)
  }

  /** Puts a directory in use that was checked before, by the overrides and removals of this moment. */
  #compileAnew(directory: Directory): void {
    const inUse = atOnce(this.#compiling(directory, this.#select(directory, {}), this.#temporary))
    const gone = atOnce(onlyIn(this.#current.list.directory, directory))
    this.#put({ inUse, temporary: this.#temporary, gone })
  }

  /** Ends what waits for its time. */
  close(): void {
    this.#forgetting?.()
  }

  /** The revision that requests are judged by. */
  get revision(): string {
    return this.#current.list.revision
  }

  /** The day on which the list was last known to be current, as `YYYY-MM-DD`: by itself, or by a watched list without a difference. */
  get checked(): string {
    return this.#lastCheckOf(this.current.list.directory)
  }

  #lastCheckOf(directory: Directory): string {
    return this.#checked.last(directory, this.#loadedFrom)
  }

  /** A watched list has no difference to the one in use, and was known to be current on this day. */
  confirm(day: string): void {
    const { directory } = this.current.list
    if (isToCome(day, this.#clock.now())) return
    const before = this.#lastCheckOf(directory)
    this.#checked.confirm(day)
    if (this.#settings.rejectWhenStale && this.#lastCheckOf(directory) !== before) this.#compileAnew(directory)
  }

  /** What a route accepts, compiled once an options object and list. */
  policy(options: PolicyOptions | undefined): Policy {
    const { policy, byRoute, list } = this.current
    if (options === undefined) return policy
    let known = byRoute.get(options)
    if (known === undefined) {
      const accepted = readPolicy(options)
      const text = JSON.stringify(accepted)
      let read: Read
      try {
        read = this.#select(list.directory, accepted, this.#judgedBy.has(text))
      } catch (error) {
        if (!this.#fallBack(accepted)) throw error
        this.onFallBack!(error as Error)
        return this.policy(options)
      }
      const { cells } = read
      if (this.#judgedBy.size < MAX_JUDGED_BY) this.#judgedBy.add(text)
      known = new Policy(list, cells, this.#ledger.counters)
      byRoute.set(options, known)
    }
    return known
  }

  /** The guard's own policy, and those of the routes that accept something else. */
  policies(): Policy[] {
    const all = [this.current.policy, ...[...this.#routes.values()].map((options) => this.policy(options))]
    return [...new Map(all.map((policy) => [`${policy.dataCenters} ${policy.channels}`, policy])).values()]
  }

  /** Checks what a route accepts at start-up, and again before every reload takes effect. */
  addRoute(options: PolicyOptions): void {
    this.policy(options)
    this.#routes.set(JSON.stringify(options), options)
    this.#version++
  }

  /**
   * Checks and compiles a directory, while requests are judged by the one in use.
   *
   * @returns puts it in the place of the one in use
   * @throws (rejects with, and so may what it returns) OptionsError (`MOE_ERR_OPTIONS`) when it has no address for what a route
   * accepts; SuspiciousError (`MOE_ERR_SUSPICIOUS`)
   */
  async prepare(directory: Directory, overrides?: readonly FleetOverride[]): Promise<() => void> {
    const version = this.#version
    const prepared = await inSlices(this.#preparing(directory, overrides))
    return () => {
      // An override or a route that came meanwhile counts.
      const isUpToDate = version === this.#version
      this.#put(isUpToDate ? prepared : atOnce(this.#preparing(directory, overrides)))
      this.#spare = []
    }
  }

  /** What it no longer has stays accepted for the grace period. */
  *#preparing(directory: Directory, overrides: readonly FleetOverride[] | undefined): Steps<Prepared> {
    const { directory: before } = this.current.list
    const selected = this.#selectFromNew(directory, {})
    const routes = [...this.#routes.values()].map((options) => this.#selectFromNew(directory, options).cells)
    const inUse = [selected.cells, ...routes]
    yield* directory.compiling()
    yield* this.#refuseSuspicious(directory, before, inUse)
    const { gracePeriod } = this.#settings
    const { removals: pending, overrides: earlier } = this.#temporary
    const until = this.#clock.now() + gracePeriod
    const temporary = {
      removals: gracePeriod === 0 ? [] : yield* removalsAfter(before, pending, directory, until),
      overrides:
        overrides === undefined
          ? earlier
          : [
              ...this.#openAll(overrides, { directory, inUse }),
              ...earlier.filter(({ override }) => override.origin === 'local')
            ]
    }
    return {
      inUse: yield* this.#compiling(directory, selected, temporary),
      temporary,
      gone: yield* onlyIn(before, directory)
    }
  }

  /** Puts a spare list in use that has addresses for the options of one more route. Returns whether there is one. */
  #fallBack(options: PolicyOptions): boolean {
    const isRight = (directory: Directory) => {
      try {
        for (const route of [options, ...this.#routes.values()]) this.#select(directory, route)
        atOnce(this.#refuseSuspicious(directory, undefined, []))
        return true
      } catch {
        return false
      }
    }
    const directory = this.#spare.find(isRight)
    if (directory === undefined) return false
    this.#spare = []
    this.#compileAnew(directory)
    return true
  }

  /** Checks the overrides of a fleet; those that are over are left out. */
  #openAll(overrides: readonly FleetOverride[], lists: Pick<OverrideContext, 'directory' | 'inUse'>): OpenOverride[] {
    const now = this.#clock.now()
    return overrides.flatMap((fleet) => {
      if (isOver(fleet, now)) return []
      return openOverride(fleet.options, { ...lists, confirmed: this.#settings.confirm, now, fleet })
    })
  }

  /**
   * Puts an override in force, with what was in force before.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake and every suspicion that is not confirmed
   */
  override(options: unknown): Override {
    const { directory } = this.current.list
    const override = openOverride(options, { ...this.#rails(directory), now: this.#clock.now() })
    this.#setOverrides([...this.#temporary.overrides, override])
    return override.override
  }

  /** Ends one override that was set on this guard. Returns whether there was one with this id. */
  removeOverride(id: string): boolean {
    const left = this.#temporary.overrides.filter(({ override }) => override.origin !== 'local' || override.id !== id)
    const isFound = this.current.overrides.some((override) => override.origin === 'local' && override.id === id)
    if (isFound) this.#setOverrides(left)
    return isFound
  }

  #setOverrides(overrides: readonly OpenOverride[]): void {
    const { directory } = this.current.list
    this.#temporary = { ...this.#temporary, overrides }
    this.#compileAnew(directory)
  }

  /** What an override is checked against. */
  #rails(directory: Directory) {
    const routes = [{}, ...this.#routes.values()]
    return {
      directory,
      inUse: routes.map((options) => this.#select(directory, options, true).cells),
      confirmed: this.#settings.confirm
    }
  }

  #put({ inUse, temporary, gone }: Prepared): void {
    this.#ledger.listChanged(this.#current.list, inUse.list, gone)
    this.#checked.follow(inUse.list.directory, this.#loadedFrom)
    this.#current = inUse
    this.#temporary = temporary
    this.#version++
  }

  *#refuseSuspicious(directory: Directory, before: Directory | undefined, inUse: readonly Cells[]): Steps<void> {
    const { confirm } = this.#settings
    const source = this.#loadedFrom
    const found = [
      ...(yield* suspicionsOf(directory, before, inUse, this.#clock.now())),
      ...(before === undefined ? [] : yield* rewritten(directory, before, source.maxChangedCells))
    ]
    const reasons = unconfirmed(found, confirm, source)
    if (reasons.length > 0) throw new SuspiciousError(reasons, source.name)
  }

  /** The source of the list that was loaded last. */
  get #loadedFrom(): OpenSource {
    const { source } = this.#settings
    return source.origin?.() ?? source
  }

  /** What a route accepts by a directory: its own names, the guard's for what it leaves out. */
  #select(directory: Directory, options: PolicyOptions, isKnown = false): Read {
    const whole = directory.read(this.#settings.selection)
    const selected = directory.read(options, whole.cells)
    // What was judged by an earlier list gets a verdict by this one as well, though it be that nothing is listed.
    const problems = [...whole.problems, ...selected.problems].filter(
      ({ code }) => !(isKnown && code === 'MOE_ERR_NO_ADDRESSES')
    )
    if (problems.length > 0) throw new OptionsError(problems)
    return selected
  }

  /** Options that were right for the list in use and are not for a new one: the new list is at fault. */
  #selectFromNew(directory: Directory, options: PolicyOptions): Read {
    try {
      return this.#select(directory, options)
    } catch (error) {
      throw new OptionsError((error as OptionsError).mistakes, this.#loadedFrom.name)
    }
  }

  *#compiling(directory: Directory, { cells, warnings }: Read, temporary: Temporary): Steps<InUse> {
    const settings = this.#settings
    const checked = this.#lastCheckOf(directory)
    const staleAt = settings.rejectWhenStale ? Date.parse(checked) + settings.staleAfter : Number.POSITIVE_INFINITY
    const now = this.#clock.now()
    const isStale = now >= staleAt
    const { overrides, removals } = inForce(temporary, now)
    const list = yield* CompiledList.compiling({ directory, own: settings, removals, overrides, isStale, checked })
    let [begins, ends] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (const time of [
      staleAt,
      ...temporary.overrides.map(({ endsAt }) => endsAt),
      ...temporary.removals.map(({ grant }) => grant.until)
    ]) {
      if (time > now) ends = Math.min(ends, time)
      else begins = Math.max(begins, time)
    }
    const allow = [...settings.allow, ...overrides.flatMap((override) => override.allow)]
    return {
      list,
      policy: new Policy(list, cells, this.#ledger.counters),
      byRoute: new WeakMap(),
      warnings: frozen([
        ...settings.warnings,
        ...warnings,
        // Also of those that are over: one that ended too soon may have been meant to last longer.
        ...temporary.overrides.flatMap((override) => override.warnings),
        ...(list.holdsProxies ? trustedSenders({ ...settings, allow }, directory, cells) : [])
      ]),
      overrides: frozen(overrides.map(({ override }) => override)),
      mode: lastModeOf(overrides),
      begins,
      ends,
      origin: originOf(this.#clock),
      isTimeless: begins === Number.NEGATIVE_INFINITY && ends === Number.POSITIVE_INFINITY
    }
  }
}

/** The overrides and removals that are not over. */
function inForce({ overrides, removals }: Temporary, now: number): Temporary {
  return {
    overrides: overrides.filter(({ endsAt }) => endsAt > now),
    removals: removals.filter(({ grant }) => grant.until > now)
  }
}

/** The mode that was set last, on this guard or for the fleet. */
function lastModeOf(overrides: readonly OpenOverride[]): Override['mode'] {
  const setAt = ({ override }: OpenOverride) => Date.parse(override.since)
  const modes = overrides.filter(({ override }) => override.mode !== null).sort((a, b) => setAt(a) - setAt(b))
  return modes.at(-1)?.override.mode ?? null
}

const firstOf = (directory: Directory): FirstState => ({ directory, overrides: [], before: undefined, spare: [] })
