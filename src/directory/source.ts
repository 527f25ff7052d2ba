import { SourceError } from '../errors.js'
import { Directory, directory } from './directory.js'
import type { Snapshot } from './snapshot.js'

/**
 * Where a directory comes from. `load` is called once at the start and again at every reload; what it throws is reported
 * and leaves the list in use as it is.
 *
 * @example
 * const source = { name: 'our mirror', load: async () => JSON.parse(await readFile('moengage.json', 'utf8')) }
 */
export interface Source {
  /** Named in errors and in the status. */
  readonly name: string
  /** Gives a snapshot, at once or as a promise. */
  load(): Snapshot | Promise<Snapshot>
}

/** The snapshot that is part of this package. */
export const BUNDLED = 'bundled snapshot'

/**
 * Loads a directory.
 *
 * @throws SourceError (`MOE_ERR_SOURCE`) when the source fails, or what it gives is not a sound snapshot
 */
export async function loadDirectory(source: Source | undefined): Promise<Directory> {
  if (source === undefined) return directory
  try {
    return new Directory(await source.load())
  } catch (error) {
    throw sourceError(source, error)
  }
}

/** Loads from a source that answers at once. */
export function loadDirectoryNow(source: Source | undefined): Directory {
  if (source === undefined) return directory
  let snapshot: Snapshot | Promise<Snapshot>
  try {
    snapshot = source.load()
    if (!isPromise(snapshot)) return new Directory(snapshot)
  } catch (error) {
    throw sourceError(source, error)
  }
  // Nobody waits for it any more; what it fails with would otherwise end the process.
  snapshot.then(undefined, () => {})
  throw new SourceError({
    path: 'source',
    value: source.name,
    message: `The source "${source.name}" answers with a promise.`,
    fix: 'Use await loadGuard(options) instead of createGuard(options).'
  })
}

/** Also one of another realm or library. */
function isPromise(value: Snapshot | Promise<Snapshot>): value is Promise<Snapshot> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function'
}

function sourceError(source: Source, error: unknown): SourceError {
  const failure = new SourceError({
    path: 'source',
    value: source.name,
    message: `The source "${source.name}" failed: ${error instanceof Error ? error.message : String(error)}`,
    fix: 'Look at what it loads.'
  })
  failure.cause = error
  return failure
}
