import { type Cells, Directory } from '../directory/directory.js'
import { OptionsError, type Problem, SuspiciousError } from '../errors.js'
import { type Clock, HOUR } from '../lib/time.js'
import { CompiledList } from './compiled-list.js'
import type { FirstState, FleetOverride } from './fleet.js'
import type { Ledger } from './ledger.js'
import type { PolicyOptions, Settings } from './options.js'
import { type OpenOverride, type OverrideContext, openOverride } from './overrides.js'
import { Policy } from './policy.js'
import { type Removal, removalsAfter } from './removals.js'
import { type Override, trustedSenders } from './status.js'
import { rewritten, suspicionsOf } from './suspicions.js'

type Read = Pick<ReturnType<Directory['read']>, 'cells' | 'warnings'>

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
  /** Overrides, those that are over by the clock among them; see {@link FORGET}. */
  #overrides: readonly OpenOverride[] = []
  /** What the list has lost, that whose grace period is over among it. */
  #removals: readonly Removal[] = []
  /** How to call off the forgetting of what is over. */
  #forgetting: (() => void) | undefined
  /** Lists that may take the place of the first one; see {@link FirstState}. */
  #spare: readonly Directory[] = []
  /** Called when one of them did, with the reason. */
  onFallBack: ((error: Error) => void) | undefined
  #current: InUse

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
    this.#refuseSuspicious(directory, before, before === undefined ? [] : [cells])
    this.#spare = spare
    this.#overrides = this.#openAll(overrides, { directory, inUse: [cells] })
    this.#current = this.#compile(directory, { cells, warnings: read.warnings })
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
    const { list, begins, ends } = this.#current
    const now = this.#clock.now()
    if (now >= ends || now < begins) {
      this.#compileAnew(list.directory)
      this.#forgetting ??= this.#clock.after(FORGET, () => this.#forget())
    }
    return this.#current
  }

  /** Forgets what is over, so that the clock need not be asked for it at each request. */
  #forget(): void {
    this.#forgetting = undefined
    const { overrides, removals } = this.#inForce(this.#clock.now())
    this.#overrides = overrides
    this.#removals = removals
    this.#compileAnew(this.#current.list.directory)
  }

  /** The overrides and removals that are not over. */
  #inForce(now: number): { overrides: OpenOverride[]; removals: Removal[] } {
    return {
      overrides: this.#overrides.filter(({ endsAt }) => endsAt > now),
      removals: this.#removals.filter(({ grant }) => grant.until > now)
    }
  }

  /** Puts a directory in use that was checked before, by the overrides and removals of this moment. */
  #compileAnew(directory: Directory): void {
    this.#put(this.#compile(directory, this.#select(directory, {})))
  }

  /** Ends what waits for its time. */
  close(): void {
    this.#forgetting?.()
  }

  /** The revision that requests are judged by. */
  get revision(): string {
    return this.#current.list.revision
  }

  /** What a route accepts, compiled once an options object and list. */
  policy(options: PolicyOptions | undefined): Policy {
    const { policy, byRoute, list } = this.current
    if (options === undefined) return policy
    let known = byRoute.get(options)
    if (known === undefined) {
      const text = JSON.stringify(options)
      let read: Read
      try {
        read = this.#select(list.directory, options, this.#judgedBy.has(text))
      } catch (error) {
        if (!this.#fallBack(options)) throw error
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
  }

  /**
   * Puts a directory in the place of the one in use. What it no longer has stays accepted for the grace period.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when it has no address for what a route accepts; SuspiciousError
   * (`MOE_ERR_SUSPICIOUS`)
   */
  replace(directory: Directory, overrides?: readonly FleetOverride[]): void {
    const { directory: before } = this.current.list
    const selected = this.#selectFromNew(directory, {})
    const routes = [...this.#routes.values()].map((options) => this.#selectFromNew(directory, options).cells)
    this.#refuseSuspicious(directory, before, [selected.cells, ...routes])
    const now = this.#clock.now()
    const { gracePeriod } = this.#settings
    this.#removals = gracePeriod === 0 ? [] : removalsAfter(before, this.#removals, directory, now + gracePeriod)
    if (overrides !== undefined) {
      const opened = this.#openAll(overrides, { directory, inUse: [selected.cells, ...routes] })
      this.#overrides = [...opened, ...this.#overrides.filter(({ override }) => override.origin === 'local')]
    }
    this.#spare = []
    this.#put(this.#compile(directory, selected))
  }

  /** Puts a spare list in use that has addresses for the options of one more route. Returns whether there is one. */
  #fallBack(options: PolicyOptions): boolean {
    const isRight = (directory: Directory) => {
      try {
        for (const route of [options, ...this.#routes.values()]) this.#select(directory, route)
        this.#refuseSuspicious(directory, undefined, [])
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
      const { until } = fleet.options as { until?: unknown }
      if (typeof until === 'string' && Date.parse(until) <= now) return []
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
    this.#setOverrides([...this.#overrides, override])
    return override.override
  }

  /** Ends one override that was set on this guard. Returns whether there was one with this id. */
  removeOverride(id: string): boolean {
    const left = this.#overrides.filter(({ override }) => override.origin !== 'local' || override.id !== id)
    const isFound = this.current.overrides.some((override) => override.origin === 'local' && override.id === id)
    if (isFound) this.#setOverrides(left)
    return isFound
  }

  #setOverrides(overrides: readonly OpenOverride[]): void {
    const { directory } = this.current.list
    this.#overrides = overrides
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

  #put(next: InUse): void {
    this.#ledger.listChanged(this.#current.list, next.list)
    this.#current = next
  }

  #refuseSuspicious(directory: Directory, before: Directory | undefined, inUse: readonly Cells[]): void {
    const { confirm, source } = this.#settings
    const found = [
      ...suspicionsOf(directory, before, inUse, this.#clock.now()),
      ...(before === undefined ? [] : rewritten(directory, before, source.maxChangedCells))
    ]
    const reasons = found.filter(({ suspicion }) => !confirm.has(suspicion))
    if (reasons.length > 0) throw new SuspiciousError(reasons, source.name)
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
      throw new OptionsError((error as OptionsError).mistakes, this.#settings.source.name)
    }
  }

  #compile(directory: Directory, { cells, warnings }: Read): InUse {
    const settings = this.#settings
    const staleAt = settings.rejectWhenStale
      ? Date.parse(directory.checked) + settings.staleAfter
      : Number.POSITIVE_INFINITY
    const now = this.#clock.now()
    const isStale = now >= staleAt
    const { overrides, removals } = this.#inForce(now)
    const list = new CompiledList({ directory, own: settings, removals, overrides, isStale })
    let [begins, ends] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (const time of [
      staleAt,
      ...this.#overrides.map(({ endsAt }) => endsAt),
      ...this.#removals.map(({ grant }) => grant.until)
    ]) {
      if (time > now) ends = Math.min(ends, time)
      else begins = Math.max(begins, time)
    }
    const allow = [...settings.allow, ...overrides.flatMap((override) => override.allow)]
    return {
      list,
      policy: new Policy(list, cells, this.#ledger.counters),
      byRoute: new WeakMap(),
      warnings: [...settings.warnings, ...warnings, ...trustedSenders({ ...settings, allow }, directory, cells)],
      overrides: overrides.map(({ override }) => override),
      mode: lastModeOf(overrides),
      begins,
      ends,
      isTimeless: begins === Number.NEGATIVE_INFINITY && ends === Number.POSITIVE_INFINITY
    }
  }
}

/** The mode that was set last, on this guard or for the fleet. */
function lastModeOf(overrides: readonly OpenOverride[]): Override['mode'] {
  const setAt = ({ override }: OpenOverride) => Date.parse(override.since)
  const modes = overrides.filter(({ override }) => override.mode !== null).sort((a, b) => setAt(a) - setAt(b))
  return modes.at(-1)?.override.mode ?? null
}

const firstOf = (directory: Directory): FirstState => ({ directory, overrides: [], before: undefined, spare: [] })
