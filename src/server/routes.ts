import type { PolicyOptions } from '../guard/guard.js'
import { GUARD_OPTIONS, POLICY_OPTIONS, policyNamedBy } from '../guard/options.js'
import { hasProperty, type Option, type OptionTable, propertyOf } from '../lib/option.js'
import { placesOf } from '../lib/option-advice.js'
import { OptionReader } from '../lib/option-reader.js'
import { callback, numberOr, oneOf } from '../lib/option-rules.js'
import { callBack, type Keep, once } from '../lib/promise.js'
import { refusal } from '../lib/refusal.js'
import { shown } from '../lib/text.js'
import { isLogger, type Logger, type SafeLogger } from '../log/logger.js'
import { LOGGING_OPTIONS } from '../log/rejection-log.js'
import type { Verdict } from '../verdict/verdict.js'

/** What happens to a request that is not verified. */
export interface ActionOptions<OnReject> {
  /** `'tag'` lets the request pass with its verdict, and logs that it would be rejected (`'reject'`). */
  readonly mode?: 'reject' | 'tag' | undefined
  /** The status of a rejection, 4xx or 5xx (403). */
  readonly statusCode?: number | undefined
  /** Your own answer (a JSON error with the status). */
  readonly onReject?: OnReject | undefined
}

/** {@link ActionOptions} that are right. */
export interface Actions<OnReject> {
  readonly mode: 'reject' | 'tag'
  readonly statusCode: number
  readonly onReject: OnReject | undefined
  readonly form: OnRejectForm
}

/** How `onReject` is written in one framework, and where the options of a route stand. */
export interface OnRejectForm {
  /** Words that are accepted in place of a function. */
  readonly words: readonly unknown[]
  /** A function, as it is written in code. */
  readonly example: string
  readonly routePath: string
}

const MODES = ['reject', 'tag'] as const
const MODE = oneOf<(typeof MODES)[number]>(MODES, 'mode', 'reject')

const actionOptions = (form: OnRejectForm) => ({
  mode: MODE,
  statusCode: { fallback: 403, example: '403', read: readStatus },
  onReject: {
    fallback: undefined,
    example: form.example,
    read(option: Option): unknown {
      const { value } = option
      if (typeof value === 'function' || form.words.includes(value)) return value
      const words = form.words.map((word) => `'${word}' or `).join('')
      return option.refuse(`${shown(value)} is not a function.`, `Write ${words}${form.example}.`)
    }
  }
})

const isStatus = (status: number) => Number.isInteger(status) && status >= 400 && status <= 599

function readStatus(option: Option): number | undefined {
  const { value } = option
  if (typeof value === 'number' && isStatus(value)) return value
  const isSuccess = Number.isInteger(value) && (value as number) >= 200 && (value as number) < 300
  return option.refuse(
    isSuccess
      ? `${value} would answer rejected senders as if all were well.`
      : `${shown(value)} is not a 4xx or 5xx status.`,
    `Write ${numberOr(403, value, isStatus)}, or another status from 400 to 599.`
  )
}

/** The options of a guard in a framework, by name; the door of Fastify has no `logger`. */
export const doorOptions = (form: OnRejectForm) =>
  ({ ...GUARD_OPTIONS, ...actionOptions(form), ...LOGGING_OPTIONS, onVerdict: ON_VERDICT }) satisfies OptionTable

/** The option `logger`. */
export const LOGGER = {
  fallback: undefined,
  example: `pino()`,
  read(option: Option): Logger | undefined {
    const { value } = option
    if (isLogger(value)) return value
    const fix = `Write pino(), or pass a logger with pino's methods: fatal, error, warn, info, debug and trace.`
    return option.refuse(`${shown(value)} is not a logger.`, fix)
  }
}

/** Reads what happens to a rejected request; what is left out is inherited. */
export function readActions<OnReject>(
  reader: Pick<OptionReader<ReturnType<typeof actionOptions>>, 'read'>,
  form: OnRejectForm,
  inherited?: Actions<OnReject>
): Actions<OnReject> {
  return {
    mode: reader.read('mode', inherited?.mode),
    statusCode: reader.read('statusCode', inherited?.statusCode),
    onReject: reader.read('onReject', inherited?.onReject) as OnReject | undefined,
    form
  }
}

/** Called with every verdict and its request, before the request goes on or is answered. */
export type OnVerdict<Request> = (verdict: Verdict, request: Request) => unknown

/** The option `onVerdict`. */
export const ON_VERDICT = callback<OnVerdict<never>>('(verdict, request) => console.log(verdict)')

/** Options that apply to all routes, with what to do where one of them stands in the options of a route. */
const OF_THE_GUARD = Object.fromEntries(
  placesOf({ ...GUARD_OPTIONS, ...LOGGING_OPTIONS, onVerdict: ON_VERDICT }).map(({ name, group }) => [
    name,
    `Move it to the options of the guard${group === undefined ? '' : `, into ${group.name}`}: it applies to all routes.`
  ])
)

/** What to do where a route's options are something else. An example with mode 'tag' would open the route to everybody. */
const exampleFix = (table: OptionTable) => {
  const names = Object.keys(table)
  return `Write { channels: 'streams' }, or another object with ${names.slice(0, -1).join(', ')} or ${names.at(-1)}.`
}

const CALLED_FIX =
  'A framework called this method with its request: call it yourself, and pass on what it returns (app.verifyMoEngage() in Fastify, ' +
  `guard.route({ channels: 'streams' }) in Express).`

/** What to do where something else was passed in the place of a route's options, made from it where it names something. */
function routeFix(value: unknown, table: OptionTable): string {
  if (value === true) return 'Leave it out: the route is guarded without it.'
  if (value === null) return 'Leave it out: the route has the options of the guard then.'
  if (value === false) return 'Leave it out. A route that is to be open to everybody has no guard in front of it.'
  if (MODES.includes(value as (typeof MODES)[number])) return `Write { mode: '${value}' }.`
  const named = policyNamedBy(value)
  return named === undefined ? exampleFix(table) : `Write ${named}.`
}

/** Opens the options of a route, whose names are still to be checked. */
function openRoute<Table extends OptionTable>(
  table: Table,
  options: unknown,
  path: string,
  foreign: Readonly<Record<string, string>>
): OptionReader<Table> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw refusal(path, options, 'is not an object with options of a route', routeFix(options, table))
  }
  return OptionReader.open(table, options, hasProperty(options, 'headers') ? CALLED_FIX : exampleFix(table), foreign)
}

/**
 * Refuses what is not a function: a server that was given a method of the guard, and not what it returns, calls it with its request.
 *
 * @param call how the method is called
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
export function refuseNoFunction(value: unknown, path: string, call: string): void {
  if (typeof value === 'function') return
  throw refusal(path, value, 'was passed instead of a function', `Write ${call}.`)
}

/**
 * Reads the options of one route.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`); names of data centers and channels are checked by the guard
 */
export function readRouteOptions<OnReject>(
  options: PolicyOptions & ActionOptions<OnReject>,
  inherited: Actions<OnReject>,
  path = inherited.form.routePath
): Route<OnReject> {
  const { form } = inherited
  const table = { ...POLICY_OPTIONS, ...actionOptions(form) }
  const reader = openRoute(table, options, path, OF_THE_GUARD)
  const actions = readActions(reader, form, inherited)
  const policy = { dataCenters: reader.read('dataCenters'), channels: reader.read('channels') }
  reader.checkNames()
  reader.throwMistakes()
  return {
    policy: policy.dataCenters === undefined && policy.channels === undefined ? undefined : policy,
    actions,
    ownsMode: propertyOf(options, 'mode') !== undefined
  }
}

const NO_ANSWER = 'Leave it out: a connection is cut off, and not answered.'

/**
 * Checks the options of a listener for connections, which lacks those of a route that concern the answer.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
export function checkConnectionOptions(options: unknown): void {
  const foreign = { ...OF_THE_GUARD, statusCode: NO_ANSWER, onReject: NO_ANSWER }
  const reader = openRoute({ ...POLICY_OPTIONS, mode: MODE }, options, 'options', foreign)
  reader.checkNames()
  reader.readAll()
  reader.throwMistakes()
}

/** What one route accepts and does; `policy` is undefined where it is the guard's. */
export interface Route<OnReject> {
  readonly policy: PolicyOptions | undefined
  readonly actions: Actions<OnReject>
  /** Whether the route sets its own mode. */
  readonly ownsMode: boolean
}

/** A route as it is at this moment: an override of the mode replaces the guard's, and not one that the route sets. */
export function withMode<OnReject>(route: Route<OnReject>, mode: Actions<OnReject>['mode'] | null): Route<OnReject> {
  return mode === null || route.ownsMode ? route : { ...route, actions: { ...route.actions, mode } }
}

/** The routes of a guard: the options of each are read once. */
export class Routes<OnReject> {
  readonly #check: (policy: PolicyOptions) => void
  readonly #plain: Route<OnReject>
  readonly #known = new WeakMap<object, Route<OnReject>>()

  /** @param check what a route accepts */
  constructor(check: (policy: PolicyOptions) => void, actions: Actions<OnReject>) {
    this.#check = check
    this.#plain = { policy: undefined, actions, ownsMode: false }
  }

  /**
   * @param path where the options stand, if it is another place than usual
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the options are wrong
   */
  of(options: (PolicyOptions & ActionOptions<OnReject>) | undefined, path?: string): Route<OnReject> {
    if (options === undefined) return this.#plain
    let route = this.#known.get(options)
    if (route === undefined) {
      route = readRouteOptions(options, this.#plain.actions, path)
      if (route.policy !== undefined) this.#check(route.policy)
      this.#known.set(options, route)
    }
    return route
  }
}

/** Calls the user's function, and lets nothing that it throws reach the request: it is logged, once. */
export class VerdictListener<Request> {
  readonly #onVerdict: OnVerdict<Request>
  readonly #failed: (error: unknown) => void
  readonly #keep: Keep | undefined

  /** @param keep called with each promise that the function returns */
  constructor(onVerdict: OnVerdict<Request>, log: SafeLogger, keep?: Keep) {
    this.#onVerdict = onVerdict
    this.#failed = once((error) => log.error({ err: error }, 'onVerdict failed; further failures are not logged'))
    this.#keep = keep
  }

  notify(verdict: Verdict, request: Request): void {
    callBack(() => this.#onVerdict(verdict, request), this.#failed, this.#keep)
  }
}
