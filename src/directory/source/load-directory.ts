import { SnapshotError, SourceError } from '../../errors.js'
import { safeCause } from '../../lib/cause.js'
import { drop, fixFor, isUnwantedPromise, resultOf } from '../../lib/promise.js'
import { atOnce, inSlices, type Steps } from '../../lib/steps.js'
import { messageOf, visible, withoutSecrets } from '../../lib/text.js'
import { Directory } from '../directory.js'
import { type OpenSource, UNCHANGED } from './source.js'

/** MoEngage's own list holds about 600 values. What holds more than this is another list, and takes long to compile. */
const MAX_VALUES = 20_000
/** A snapshot nests five levels. */
const MAX_DEPTH = 10

/**
 * Loads a directory.
 *
 * @param stop ends the wait when it is aborted; it is aborted after the source's timeout
 * @returns undefined if the source says that the directory it gave last is still the newest
 * @throws (rejects with) SourceError (`MOE_ERR_SOURCE`) if the source fails or does not answer in time, or if the result is not a
 * sound snapshot
 */
export async function loadDirectory(source: OpenSource, stop = new AbortController()): Promise<Directory | undefined> {
  const { signal } = stop
  // This timer keeps the process alive: a caller waits for the answer.
  const timer = setTimeout(
    () => stop.abort(new Error(`It did not answer within ${source.timeout} ms.`)),
    source.timeout
  )
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
  const load = async () => {
    signal.throwIfAborted()
    const snapshot = await resultOf(() => source.load(signal))
    // Nobody reads it any more.
    if (signal.aborted) drop([snapshot])
    return snapshot
  }
  try {
    const snapshot = await Promise.race([load(), stopped]).finally(() => clearTimeout(timer))
    return snapshot === UNCHANGED ? undefined : await inSlices(reading(snapshot))
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
    if (!isUnwantedPromise(snapshot)) return readBounded(snapshot)
  } catch (error) {
    drop(error)
    throw sourceError(source, error)
  }
  stop.abort()
  throw new SourceError({
    path: 'source',
    value: source.name,
    message: `The source "${source.name}" answers with a promise.`,
    fix: 'Use await loadGuard(options) instead of createGuard(options).'
  })
}

/**
 * Checks a snapshot that may come from anywhere, and makes a directory of it; a directory stays as it is.
 *
 * @throws SnapshotError (`MOE_ERR_SNAPSHOT`)
 */
export function readBounded(snapshot: unknown): Directory {
  return atOnce(reading(snapshot))
}

function* reading(snapshot: unknown): Steps<Directory> {
  if (snapshot instanceof Directory) return snapshot
  checkBounds(snapshot)
  yield
  const directory = yield* Directory.reading(snapshot)
  // Derived cells repeat the addresses of others.
  if (directory.entries.length > MAX_VALUES) refuse(snapshot, `It makes more than ${MAX_VALUES} entries.`)
  return directory
}

/** Refuses a million values, or arrays in arrays in arrays, before anything is made of them. */
function checkBounds(snapshot: unknown): void {
  let count = 0
  let level: unknown[] = [snapshot]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) refuse(snapshot, `It nests deeper than ${MAX_DEPTH} levels.`)
    const inner: unknown[] = []
    for (const value of level) {
      // A promise is reported later, with its place: reading pauses, and a rejection would end the process meanwhile.
      if (typeof value !== 'object' || value === null || isUnwantedPromise(value)) continue
      const values = Object.values(value)
      // A list may have places without a value, all of which would be read.
      count += Array.isArray(value) ? value.length : values.length
      if (count > MAX_VALUES) refuse(snapshot, `It holds more than ${MAX_VALUES} values.`)
      inner.push(...values)
    }
    level = inner
  }
}

function refuse(snapshot: unknown, message: string): never {
  const fix = fixFor(snapshot, "Give MoEngage's list, which has some hundred.")
  throw new SnapshotError({ value: undefined, message, fix })
}

/** What an error says about its source. */
type FailedSource = Pick<OpenSource, 'name' | 'via' | 'secrets'>

/** The failure of a source, with what it failed with as its cause. It shows no secret of the source, nor does its cause. */
export function sourceError({ name, via, secrets }: FailedSource, error: unknown): SourceError {
  const failure = new SourceError({
    path: 'source',
    value: name,
    message: `The source "${name}" failed${through(via)}: ${shortened(reasonOf(error, secrets))}`,
    fix: 'Look at what it loads.'
  })
  failure.cause = safeCause(error, secrets)
  return failure
}

const through = (proxy: string | undefined) => (proxy === undefined ? '' : ` through the proxy ${proxy}`)

function reasonOf(error: unknown, secrets: readonly string[] | undefined): string {
  const why = visible(withoutSecrets(messageOf(error), secrets))
  return /[.…]\s*$/.test(why) ? why : `${why}.`
}

const MAX_LINES = 12
const MAX_LINE = 300

/** A list of ten thousand wrong cells must not fill the log; `cause` has all of them. */
function shortened(message: string): string {
  const lines = message.split('\n').map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line))
  if (lines.length <= MAX_LINES) return lines.join('\n')
  return `${lines.slice(0, MAX_LINES).join('\n')}\n  … and ${lines.length - MAX_LINES} more lines. `
}
