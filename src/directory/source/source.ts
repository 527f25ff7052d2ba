import type { Snapshot } from '../snapshot.js'

/**
 * Where a directory comes from, in your own hands. `load` is called once at the start and again at every reload; what it
 * throws is reported and leaves the list in use as it is.
 *
 * @example
 * const source = { name: 'our table', load: async (signal) => (await db.query(SQL, { signal })).rows[0].snapshot }
 */
export interface Source {
  /** Named in errors and in the status. */
  readonly name: string
  /**
   * Gives a snapshot, at once or as a promise. The signal is aborted when nobody waits for the answer any more: after
   * `timeout`, or when the guard is closed.
   */
  load(signal: AbortSignal): Snapshot | Promise<Snapshot>
  /** How often it is asked again by itself, in milliseconds (never: call `reload()`). */
  readonly interval?: number | undefined
  /** How long an answer may take, in milliseconds (`5_000`). */
  readonly timeout?: number | undefined
}

/** A snapshot in a JSON file, which is watched: it may be rewritten, replaced, deleted and put back. */
export interface FileSource {
  /** The path, or a `file:` URL. */
  readonly file: string | URL
  /** How often the file is read to see whether it has changed, in milliseconds (`2_000`). */
  readonly interval?: number | undefined
  /** The size up to which it is read (`1_048_576`). */
  readonly maxBytes?: number | undefined
}

/** A snapshot in JSON at a URL, which is asked for changes. Redirects are refused. */
export interface UrlSource {
  /** An `https:` URL; `http:` for this machine, or with `allowHttp`. */
  readonly url: string | URL
  /** How often it is asked, in milliseconds (`3_600_000`, an hour). After a failure sooner, then ever more rarely. */
  readonly interval?: number | undefined
  /** How long an answer may take, its body included, in milliseconds (`5_000`). */
  readonly timeout?: number | undefined
  /** The size of a body up to which it is read, after decompression (`1_048_576`). */
  readonly maxBytes?: number | undefined
  /** Sent with every request: `{ authorization: 'Bearer …' }`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** What to fetch with (Node's own `fetch`). */
  readonly fetch?: typeof fetch | undefined
  /** Takes a list over a connection in which everybody on the way can change it (`false`). */
  readonly allowHttp?: boolean | undefined
}

/** What the option `source` accepts: the bundled snapshot, a file, a URL, or a loader of your own. */
export type SourceOption = 'bundled' | FileSource | UrlSource | Source | Source['load']

/** The answer of a source whose list is still the one that was accepted last. */
export const UNCHANGED = Symbol('unchanged')

/** A source whose options were read. It belongs to one guard, since it may remember what it gave. */
export interface OpenSource {
  /** Named in errors and in the status; without credentials. */
  readonly name: string
  /** Milliseconds after which a load is given up. */
  readonly timeout: number
  /** Milliseconds after which it is looked at again; undefined where that is left to `reload()`. */
  readonly interval: number | undefined
  /**
   * A directory, a snapshot that nobody has checked yet, or {@link UNCHANGED}; at once or as a promise.
   */
  load(signal: AbortSignal): unknown
  /** Whether a look shows something new. Without it, every interval loads. Never rejects. */
  hasChanged?(): Promise<boolean>
  /** Told when what was loaded last has come into use. */
  accepted?(): void
}
