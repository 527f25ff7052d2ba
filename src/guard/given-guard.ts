import { OptionsError, type Problem } from '../errors.js'
import { AWAIT_FIX, isUnwantedPromise } from '../lib/promise.js'

/**
 * Refuses what is not a guard. In Fastify a guard of another scope is `undefined`.
 *
 * @param call how the caller is written, with the guard of the scope
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
export function refuseNoGuard(guard: unknown, call: string): void {
  if (typeof (guard as { metrics?: unknown } | null | undefined)?.metrics === 'function') return
  const problem = { code: 'MOE_ERR_OPTION_VALUE', path: 'guard', value: typeof guard } as const
  throw new OptionsError([{ ...problem, ...mistakeIn(guard, call) }])
}

function mistakeIn(guard: unknown, call: string): Pick<Problem, 'message' | 'fix'> {
  if (guard === undefined) {
    return {
      message:
        'There is no guard in this scope: Fastify has app.moengage only in the scope that registers the plugin, and in scopes inside of it.',
      fix: `Write it in the scope of the plugin, after it is registered: ${call}.`
    }
  }
  if (isUnwantedPromise(guard)) return { message: 'The guard is a promise.', fix: AWAIT_FIX }
  return {
    message: 'The guard is not a guard.',
    fix: 'Pass app.moengage, or the return value of createGuard or of another door.'
  }
}
