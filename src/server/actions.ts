import { OptionsError } from '../errors.js'
import type { PolicyOptions } from '../guard/guard.js'
import { copy } from '../guard/options.js'
import { checkNames, mistake, shown } from '../lib/option-reader.js'
import type { Problem } from '../problem.js'

/** What happens to a request that is not verified. */
export interface ActionOptions<OnReject> {
  /** `'tag'` lets the request through with its verdict, and logs what would be rejected (`'reject'`). */
  readonly mode?: 'reject' | 'tag' | undefined
  /** The status of a rejection, 4xx or 5xx (403). */
  readonly statusCode?: number | undefined
  /** Your own answer (a JSON error with the status). */
  readonly onReject?: OnReject | undefined
}

/** Checked {@link ActionOptions}. */
export interface Actions<OnReject> {
  readonly mode: 'reject' | 'tag'
  readonly statusCode: number
  readonly onReject: OnReject | undefined
  readonly form: OnRejectForm
}

/** How `onReject` is written in one framework, and where options of a route stand. */
export interface OnRejectForm {
  /** What may stand in place of a function. */
  readonly words: readonly unknown[]
  readonly fix: string
  readonly routePath: string
}

/** What is done where no option says otherwise. */
export function defaultActions(form: OnRejectForm): Actions<never> {
  return { mode: 'reject', statusCode: 403, onReject: undefined, form }
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Reads what happens to a rejected request; adds what is wrong to `mistakes`. */
export function readActions<OnReject>(
  options: ActionOptions<OnReject> & { logLevel?: unknown },
  mistakes: Problem[],
  inherited: Actions<OnReject>
): Actions<OnReject> {
  const {
    mode = inherited.mode,
    statusCode = inherited.statusCode,
    onReject = inherited.onReject,
    logLevel = 'warn'
  } = options
  if (mode !== 'reject' && mode !== 'tag') {
    mistakes.push(mistake('mode', mode, `${shown(mode)} is not a mode.`, `Write 'reject' or 'tag'.`))
  }
  if (!Number.isInteger(statusCode) || statusCode < 400 || statusCode > 599) {
    const why = Number.isInteger(statusCode) && statusCode >= 200 && statusCode < 300
    const message = why
      ? `${statusCode} would tell rejected senders that all is well.`
      : `${shown(statusCode)} is not a 4xx or 5xx status.`
    mistakes.push(mistake('statusCode', statusCode, message, 'Write 403, or another status from 400 to 599.'))
  }
  const { form } = inherited
  if (onReject !== undefined && typeof onReject !== 'function' && !form.words.includes(onReject)) {
    mistakes.push(mistake('onReject', onReject, `${shown(onReject)} is not a function.`, form.fix))
  }
  if (!LOG_LEVELS.includes(logLevel as string)) {
    mistakes.push(
      mistake('logLevel', logLevel, `${shown(logLevel)} is not a log level.`, `Use one of: ${LOG_LEVELS.join(', ')}.`)
    )
  }
  return { mode, statusCode, onReject, form }
}

/**
 * Reads the options of one route.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`); names of data centers and channels are checked by the guard
 */
export function readRouteOptions<OnReject>(
  options: PolicyOptions & ActionOptions<OnReject>,
  inherited: Actions<OnReject>
): { policy: PolicyOptions | undefined; actions: Actions<OnReject> } {
  const mistakes: Problem[] = []
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const fix = 'Write { dataCenters, channels, mode, statusCode, onReject }, each of them optional.'
    const { routePath } = inherited.form
    throw new OptionsError([mistake(routePath, options, `${shown(options)} is no route option.`, fix)], options)
  }
  checkNames(options, ['dataCenters', 'channels', 'mode', 'statusCode', 'onReject'], '', (problem) =>
    mistakes.push(problem)
  )
  const actions = readActions(options, mistakes, inherited)
  if (mistakes.length > 0) throw new OptionsError(mistakes, options)
  const dataCenters = copy(options.dataCenters)
  const channels = copy(options.channels)
  return {
    policy: dataCenters === undefined && channels === undefined ? undefined : { dataCenters, channels },
    actions
  }
}
