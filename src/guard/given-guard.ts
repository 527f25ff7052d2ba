import { OptionsError } from '../errors.js'

/**
 * Refuses what is not a guard. In Fastify a guard of another scope is `undefined`.
 *
 * @param call how the caller is written, with the guard of the scope
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
export function refuseNoGuard(guard: unknown, call: string): void {
  if (typeof (guard as { metrics?: unknown } | null | undefined)?.metrics === 'function') return
  const isMissing = guard === undefined
  const message = isMissing
    ? 'There is no guard in this scope: Fastify has app.moengage only in the scope that registers the plugin, and in scopes inside of it.'
    : 'The guard is not a guard.'
  const fix = isMissing
    ? `Write it in the scope of the plugin, after it is registered: ${call}.`
    : 'Pass app.moengage, or the return value of createGuard or of another door.'
  throw new OptionsError([{ code: 'MOE_ERR_OPTION_VALUE', path: 'guard', value: typeof guard, message, fix }])
}
