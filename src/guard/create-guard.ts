import { type Directory, directory } from '../directory/directory.js'
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
  return new Guard(settings, mistakes.length > 0 ? directory : loadDirectoryNow(settings.source), mistakes, options)
}

/** What glue adds to the options of a guard. */
interface Further {
  /** Options that the glue reads itself, and what it found wrong with them. */
  readonly names: readonly string[]
  readonly mistakes: Problem[]
  /** What else can be done, in the framework, about a proxy that is not trusted. */
  readonly frameworkFix: string
}

/**
 * Like {@link createGuard}, for any source.
 *
 * @throws (rejects with) OptionsError (`MOE_ERR_OPTIONS`), SourceError (`MOE_ERR_SOURCE`)
 */
export async function loadGuard<Request = GuardRequest>(
  options: GuardOptions<Request>,
  further: Further = { names: [], mistakes: [], frameworkFix: '' }
): Promise<Guard<Request>> {
  const started = startGuard(options, further)
  return typeof started === 'function' ? started() : started
}

/**
 * A guard with the bundled directory, or a function that loads the source and makes one.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`): mistakes are told before a source is asked
 */
export function startGuard<Request>(
  options: GuardOptions<Request>,
  { names, mistakes, frameworkFix }: Further
): Guard<Request> | (() => Promise<Guard<Request>>) {
  const settings = readOptions<Request>(options, names, mistakes)
  const guardBy = (list: Directory) => new Guard(settings, list, mistakes, options, frameworkFix)
  if (mistakes.length > 0 || settings.source === undefined) return guardBy(directory)
  return async () => guardBy(await loadDirectory(settings.source))
}
