import { refusal } from '../lib/refusal.js'

const FIX =
  'Pass directory, or what directory() of a guard returns. A snapshot becomes one by ' +
  `createGuard({ dataCenters: 'all', source: () => snapshot }).directory().`

/**
 * Refuses what is not a directory, such as a snapshot.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
export function refuseNoDirectory(value: unknown, path: string): void {
  const { select, cell } = Object(value) as { readonly [method: string]: unknown }
  if (typeof select !== 'function' || typeof cell !== 'function') throw refusal(path, value, 'is not a directory', FIX)
}
