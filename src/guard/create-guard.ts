import { chooseSource, type FrameworkIp } from '../client-ip/source.js'
import { type Directory, directory } from '../directory/directory.js'
import { loadDirectory, loadDirectoryNow } from '../directory/source/load-directory.js'
import { BUNDLED } from '../directory/source/source.js'
import { SecretCheck } from '../evidence/secret-check.js'
import type { OptionReader } from '../lib/option-reader.js'
import { callBack, type Keep, once } from '../lib/promise.js'
import { messageLineOf } from '../lib/text.js'
import { CLOCK, type Clock } from '../lib/time.js'
import { emitWarning } from '../lib/warning.js'
import { CurrentList } from './current-list.js'
import { type FirstState, type FleetMember, JOIN } from './fleet.js'
import { Guard } from './guard.js'
import { Ledger } from './ledger.js'
import type { ListOptions } from './list-options.js'
import {
  type GUARD_OPTIONS,
  type GuardOptions,
  type GuardRequest,
  openOptions,
  type PolicyOptions,
  readOptions,
  type Settings
} from './options.js'
import { Refresh } from './refresh.js'
import { type FrameworkTrust, Rejections } from './rejections.js'
import { longestRetry } from './retry.js'
import type { WatchStatus } from './status.js'
import { Watch } from './watch.js'

/** A framework that a guard stands in, as far as the client IP is concerned. */
export interface Framework<Request> extends FrameworkIp<Request>, FrameworkTrust<Request> {
  /** What is said where it believes everybody. */
  readonly permissiveTrust: string
}

/** What a server adds to the options of a guard. */
export interface GuardExtras<Request = never> {
  /** The options, where the server opened them together with its own. */
  readonly reader?: OptionReader<typeof GUARD_OPTIONS>
  /** Undefined where nothing but the peer is known. */
  readonly framework?: Framework<Request> | undefined
  /** Same arguments as `onReload`; writes the framework's log line. */
  readonly onReload?: NonNullable<ListOptions['onReload']>
  /** Called with what is news about the watched source; writes the framework's log line. */
  readonly onWatch?: (watch: WatchStatus, news: 'drift' | 'failure') => void
  /** Logs what a function of the user's failed with. */
  readonly logFailure?: (error: unknown, message: string) => void
  /** Called once a day, to log the warnings that came with time. */
  readonly onDay?: () => void
  /** Called with each promise that `onReload` returns. */
  readonly keep?: Keep | undefined
  readonly clock?: Clock
}

/**
 * Makes a guard from options and the bundled directory, or a source that answers at once.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options; SourceError (`MOE_ERR_SOURCE`); SuspiciousError
 * (`MOE_ERR_SUSPICIOUS`)
 * @example
 * const guard = createGuard({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['10.0.0.0/8'] } })
 * const verdict = guard.judge({ peer: request.socket.remoteAddress, headers: request.rawHeaders })
 */
export function createGuard(options: GuardOptions): Guard {
  const reader = openOptions(options)
  const settings = readOptions<GuardRequest>(reader)
  if (reader.findings.mistakes.length > 0) return compose(settings, directory, { reader })
  const member = settings.fleet?.[JOIN](settings.source)
  try {
    return compose(settings, loadDirectoryNow(member?.source ?? settings.source), { reader })
  } catch (error) {
    // The source of a fleet answers with a promise.
    member?.close()
    throw error
  }
}

/**
 * Like {@link createGuard}, for any source.
 *
 * @param extras what the server of a framework adds; leave it out
 * @throws (rejects with) OptionsError (`MOE_ERR_OPTIONS`), SourceError (`MOE_ERR_SOURCE`), SuspiciousError (`MOE_ERR_SUSPICIOUS`)
 */
export async function loadGuard<Request = GuardRequest>(
  options: GuardOptions<Request>,
  extras: GuardExtras<Request> = {}
): Promise<Guard<Request>> {
  const started = startGuard(options, extras)
  if (typeof started !== 'function') return started
  try {
    return await started()
  } catch (error) {
    await started.close()
    throw error
  }
}

/** Adds the routes that a server has already, by a function that throws OptionsError where the list has no address for one. */
export type AddRoutes = (addRoute: (policy: PolicyOptions) => void) => void

/** Loads the first list of a source and makes the guard; may be called again after a failure, of which nothing is left. */
export interface FirstLoad<Request> {
  /** @param addRoutes called with each list that is about to come into use; what it throws refuses the list */
  (addRoutes?: AddRoutes): Promise<Guard<Request>>
  /** Ends what the attempts have in common, where none has made a guard. Never rejects. */
  close(): Promise<void>
  /** The longest time between two attempts, in milliseconds; undefined where the source is only asked on demand. */
  readonly longestRetry: number | undefined
}

/**
 * A guard with the bundled directory, or a function that loads the source and makes one.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`): mistakes are reported before a source is loaded
 */
export function startGuard<Request>(
  options: GuardOptions<Request>,
  extras: GuardExtras<Request>
): Guard<Request> | FirstLoad<Request> {
  const { reader = openOptions(options) } = extras
  const settings = readOptions<Request>(reader)
  const guardBy = (list: Directory, addRoutes?: AddRoutes) => compose(settings, list, { ...extras, reader, addRoutes })
  if (reader.findings.mistakes.length > 0) return guardBy(directory)
  const member = settings.fleet?.[JOIN](settings.source)
  if (member !== undefined) {
    const { source } = member
    const own = { ...settings, source }
    const first = (addRoutes?: AddRoutes) =>
      firstThatPasses(member, (state) => compose(own, state, { ...extras, reader, member, addRoutes }))
    return Object.assign(first, { close: () => member.close(), longestRetry: longestRetry(source) })
  }
  if (settings.source === BUNDLED) return guardBy(directory)
  // The first answer of a source is never that nothing is new.
  const load = async (addRoutes?: AddRoutes) => guardBy((await loadDirectory(settings.source))!, addRoutes)
  // Nobody is subscribed to the changes of a pushed source before there is a guard.
  return Object.assign(load, { close: async () => {}, longestRetry: longestRetry(settings.source) })
}

/**
 * Checks options, and follows no source: neither `source` nor `watch` is called.
 *
 * @returns a guard with the bundled directory, to check routes with; undefined where the list is another one
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
export function checkOptions<Request>(
  extras: GuardExtras<Request> & Required<Pick<GuardExtras, 'reader'>>
): Guard<Request> | undefined {
  const { reader } = extras
  const settings = readOptions<Request>(reader)
  const isOther = reader.findings.mistakes.length === 0 && settings.source !== BUNDLED
  return isOther ? undefined : compose({ ...settings, watch: undefined }, directory, extras)
}

/** Nothing that the store of a fleet holds keeps a replica from starting: what is refused makes way for what comes next. */
async function firstThatPasses<Request>(
  member: FleetMember,
  make: (state: FirstState) => Guard<Request>
): Promise<Guard<Request>> {
  let refusal: unknown
  for await (const state of member.firstStates()) {
    try {
      return make(state)
    } catch (error) {
      refusal = error
      member.refused(error as Error)
    }
  }
  throw refusal
}

function compose<Request>(
  settings: Settings<Request>,
  loaded: Directory | FirstState,
  {
    member,
    addRoutes,
    reader,
    framework,
    onReload,
    onWatch,
    onDay,
    logFailure = warnOfFailure,
    keep,
    clock = CLOCK
  }: GuardExtras<Request> &
    Required<Pick<GuardExtras, 'reader'>> & {
      readonly member?: FleetMember
      readonly addRoutes?: AddRoutes | undefined
    }
): Guard<Request> {
  const ledger = new Ledger(settings.cacheSize, settings.redact, clock)
  const list = new CurrentList(settings, loaded, ledger, clock, reader.findings.mistakes)
  /** Reports a list that was refused, as soon as something follows the source. */
  let reportRefused: ((error: Error) => void) | undefined
  if (member !== undefined)
    list.onFallBack = (error) => {
      member.refused(error)
      reportRefused?.(error)
    }
  // Before anything follows the source: to the next attempt, a source that was told of a list in use would say that nothing is new.
  addRoutes?.((policy) => list.addRoute(policy))
  const failureOf = (name: string) =>
    once((error: unknown) => logFailure(error, `${name} failed; further failures are not logged`))
  const onReloadFailed = failureOf('onReload')
  const onDriftFailed = failureOf('onDrift')
  const notify = (error: Error | null) => {
    const status = guard.status()
    onReload?.(error, status)
    if (settings.onReload !== undefined) callBack(() => settings.onReload!(error, status), onReloadFailed, keep)
  }
  const prepare = async (next: Directory) => {
    const reportDrift = await watch?.prepare(next)
    const put = await list.prepare(next, member?.overrides)
    return () => {
      put()
      reportDrift?.()
    }
  }
  const count = (error: Error | null) => ledger.reloaded(list.revision, error)
  const refresh = new Refresh(settings.source, { prepare, count, notify, onDay }, clock)
  reportRefused = (error) => refresh.fail(error)
  const notifyOfWatch = (news: 'drift' | 'failure') => {
    const state = watch!.status()
    onWatch?.(state, news)
    if (news === 'drift' && settings.onDrift !== undefined) {
      callBack(() => settings.onDrift!(state.differences!, guard.status()), onDriftFailed, keep)
    }
  }
  const inUse = () => list.current.list.directory
  const watch =
    settings.watch &&
    new Watch(
      settings.watch,
      { inUse, confirm: (day) => list.confirm(day), notify: notifyOfWatch, confirmed: settings.confirm },
      clock
    )
  const guard: Guard<Request> = new Guard({
    settings,
    source: chooseSource(settings.clientIp, settings.resolver, framework),
    rejections: new Rejections(settings, framework?.permissiveTrust ?? '', framework),
    list,
    refresh,
    watch,
    ledger,
    clock,
    secretCheck:
      settings.carriesSecret === undefined
        ? null
        : new SecretCheck(settings.carriesSecret, settings.expectSecret, (error) =>
            logFailure(
              error,
              `${error.message} Such requests are judged as if it was not there; further failures are not logged`
            )
          ),
    member
  })
  if (member?.failure !== undefined) refresh.fail(member.failure)
  member?.joined(guard)
  return guard
}

/** Where there is no logger, the process says it. */
function warnOfFailure(error: unknown, message: string): void {
  emitWarning(`${message}: ${messageLineOf(error)}`)
}
