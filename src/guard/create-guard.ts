import { loadDirectory, loadDirectoryNow } from '../directory/source.js'
import type { Problem } from '../problem.js'
import { Guard } from './guard.js'
import { type GuardOptions, type GuardRequest, readOptions } from './options.js'

/**
 * Makes a guard from options and the bundled directory, or a source that answers at once.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options; SourceError (`MOE_ERR_SOURCE`)
 * @example
 * const guard = createGuard({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['10.0.0.0/8'] } })
 * const verdict = guard.judge({ peer: request.socket.remoteAddress, headers: request.headers })
 */
export function createGuard(options: GuardOptions): Guard {
  const mistakes: Problem[] = []
  const settings = readOptions(options, [], mistakes)
  return new Guard(settings, loadDirectoryNow(settings.source), mistakes, options)
}

/**
 * Like {@link createGuard}, for any source.
 *
 * @throws (rejects with) OptionsError (`MOE_ERR_OPTIONS`), SourceError (`MOE_ERR_SOURCE`)
 */
export async function loadGuard<Request = GuardRequest>(
  options: GuardOptions<Request>,
  further: { readonly names: readonly string[]; readonly mistakes: Problem[] } = { names: [], mistakes: [] }
): Promise<Guard<Request>> {
  const { names, mistakes } = further
  const settings = readOptions<Request>(options, names, mistakes)
  return new Guard(settings, await loadDirectory(settings.source), mistakes, options)
}
