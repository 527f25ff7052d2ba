import { SourceError } from '../../errors.js'
import { messageOfThrown } from '../../lib/callback.js'
import { messageOf } from '../../lib/message-of.js'
import { isPromise } from '../../lib/promise.js'
import { Directory } from '../directory.js'
import type { Snapshot } from '../snapshot.js'
import { checkBounds } from './bounds.js'
import { type OpenSource, UNCHANGED } from './source.js'

/**
 * Loads a directory.
 *
 * @param stop ends the wait when it is aborted; it is aborted when the time is up
 * @returns undefined where the source says that the directory it gave last is still the newest
 * @throws (rejects with) SourceError (`MOE_ERR_SOURCE`) when the source fails or does not answer in time, or what it gives is not a
 * sound snapshot
 */
export async function loadDirectory(source: OpenSource, stop = new AbortController()): Promise<Directory | undefined> {
  const { signal } = stop
  // Keeps the process alive: somebody waits for the answer, for a few seconds at most.
  const timer = setTimeout(
    () => stop.abort(new Error(`It did not answer within ${source.timeout} ms.`)),
    source.timeout
  )
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
  const load = async () => {
    signal.throwIfAborted()
    return source.load(signal)
  }
  try {
    const snapshot = await Promise.race([load(), stopped]).finally(() => clearTimeout(timer))
    return snapshot === UNCHANGED ? undefined : readDirectory(snapshot)
  } catch (error) {
    throw sourceError(source, error)
  }
}

/** Loads from a source that answers at once. */
export function loadDirectoryNow(source: OpenSource): Directory {
  const stop = new AbortController()
  let snapshot: unknown
  try {
    snapshot = source.load(stop.signal)
    if (!isPromise(snapshot)) return readDirectory(snapshot)
  } catch (error) {
    throw sourceError(source, error)
  }
  // Nobody waits for it any more; what it fails with would otherwise end the process.
  snapshot.then(undefined, () => {})
  stop.abort()
  throw new SourceError({
    path: 'source',
    value: source.name,
    message: `The source "${source.name}" answers with a promise.`,
    fix: 'Use await loadGuard(options) instead of createGuard(options).'
  })
}

function readDirectory(snapshot: unknown): Directory {
  if (snapshot instanceof Directory) return snapshot
  checkBounds(snapshot)
  return new Directory(snapshot as Snapshot)
}

function sourceError(source: OpenSource, error: unknown): SourceError {
  const failure = new SourceError({
    path: 'source',
    value: source.name,
    message: `The source "${source.name}" failed: ${shortened(reason(error))}`,
    fix: 'Look at what it loads.'
  })
  failure.cause = error
  return failure
}

function reason(error: unknown): string {
  const why = error instanceof Error ? messageOf(error) : messageOfThrown(error)
  return /[.)…]\s*$/.test(why) ? why : `${why}.`
}

const MAX_LINES = 12
const MAX_LINE = 300

/** Whoever gives a list of ten thousand wrong cells does not get to fill the log; `cause` has all of them. */
function shortened(message: string): string {
  const lines = message.split('\n').map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line))
  if (lines.length <= MAX_LINES) return lines.join('\n')
  return `${lines.slice(0, MAX_LINES).join('\n')}\n  … and ${lines.length - MAX_LINES} lines more. `
}
