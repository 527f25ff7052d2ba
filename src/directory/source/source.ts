import type { Problem } from '../../errors.js'
import { parseJson } from '../../lib/json.js'
import { resultOf } from '../../lib/promise.js'
import type { Duration } from '../../lib/time.js'
import { directory } from '../directory.js'
import type { Snapshot } from '../snapshot.js'

/**
 * A loader of your own. `load` is called at the start and at every reload. An error it throws is reported, and the list in use
 * stays in use.
 *
 * @example
 * const source = { name: 'our table', load: async (signal) => (await db.query(SQL, { signal })).rows[0].snapshot }
 */
export interface Source {
  /** Shown in errors and in the status. */
  readonly name: string
  /**
   * Returns a snapshot (with `verify`, the text of a signed list), or a promise for one. The signal is aborted when the answer
   * is no longer needed: after `timeout`, or when the guard is closed.
   */
  load(signal: AbortSignal): Snapshot | string | Promise<Snapshot | string>
  /** Interval between automatic loads, from `'1s'` (none: call `reload()`). Shorter after a failure, then doubled up to this. */
  readonly interval?: Duration | undefined
  /** Maximum time of a load (`'5s'`). */
  readonly timeout?: Duration | undefined
  /** Accepts only lists that are signed with one of these keys (no check of a signature). */
  readonly verify?: VerifyOptions | undefined
  /**
   * Subscribes to changes: calls `changed` after each of them, and after a gap in which it may have missed some; each call is followed
   * by a load that began after it, and is tried again if it fails. The signal is aborted when the guard is closed, and after an error. An
   * error that it throws or rejects with is reported as that of a load; then it is called again after ten seconds at most, later less
   * often, and the list is loaded unless the attempt fails at once. A promise that is fulfilled says that the subscription stands, as do a call of
   * `changed` and a minute without an error. When the call has returned, and when its promise is fulfilled, the list is loaded once: it may
   * have changed before.
   */
  watch?(changed: () => void, signal: AbortSignal): unknown
}

/**
 * Which signed lists are accepted: those that the command `sign` wrote with the private half of one of the keys, that have not
 * expired, and that are not older than the list in use. Needs the package `jose`.
 *
 * @example
 * const verify = { publicKeys: [process.env.LIST_KEY, process.env.NEXT_LIST_KEY], name: 'production' }
 */
export interface VerifyOptions {
  /**
   * Ed25519 public keys: each as PEM (`-----BEGIN PUBLIC KEY-----`), or in one line, the 43 characters that `keygen` prints. While
   * a key is replaced, name the old one and the new one.
   */
  readonly publicKeys: string | readonly string[]
  /** The name that a list has to carry (that of the first list). */
  readonly name?: string | undefined
}

/** A snapshot in a JSON file, which is watched: it may be rewritten, replaced, deleted and put back. */
export interface FileSource {
  /** The path, or a `file:` URL. */
  readonly file: string | URL
  /** How often the file is read to see whether it has changed, from `'100ms'` (`'2s'`). */
  readonly interval?: Duration | undefined
  /** Maximum size, in bytes (`1_048_576`). */
  readonly maxBytes?: number | undefined
  /** Accepts only lists that are signed with one of these keys (no check of a signature). */
  readonly verify?: VerifyOptions | undefined
}

/** How a URL is polled. */
export interface Polling {
  /** Maximum size of a body after decompression, in bytes (`1_048_576`). */
  readonly maxBytes?: number | undefined
  /** Sent with every request: `{ authorization: 'Bearer …' }`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Another `fetch`, such as one with a client certificate (Node's own, through the proxy that `HTTPS_PROXY` or `HTTP_PROXY` names
   * unless `NO_PROXY` lists the host).
   */
  readonly fetch?: typeof fetch | undefined
  /** Accepts a list over plain `http:`, in which everyone on the way can change it (`false`). */
  readonly allowHttp?: boolean | undefined
}

/** A snapshot in JSON at a URL, which is polled for changes. Redirects are refused. */
export interface UrlSource extends Polling {
  /** An `https:` URL; `http:` for this machine, or with `allowHttp`. */
  readonly url: string | URL
  /** Interval between requests, from `'1s'` (`'1h'`). Shorter after a failure, then doubled up to this. */
  readonly interval?: Duration | undefined
  /** Maximum time of a request, its body included (`'5s'`). */
  readonly timeout?: Duration | undefined
  /** Accepts only lists that are signed with one of these keys (no check of a signature). */
  readonly verify?: VerifyOptions | undefined
}

/**
 * MoEngage's help page itself, in Markdown, MDX or HTML, which is polled for changes and imported in a worker thread. A page that
 * cannot be read as a whole is refused, and one that changes many rows at once has to be confirmed (`'changed'`).
 */
export interface PageSource extends Polling {
  /** An `https:` URL; `http:` for this machine, or with `allowHttp`. */
  readonly page: string | URL
  /** Interval between requests, from `'1s'` (`'1d'`). Shorter after a failure, then doubled up to this. */
  readonly interval?: Duration | undefined
  /** Maximum time of a request and the import together (`'30s'`). */
  readonly timeout?: Duration | undefined
}

/** What the options `source` and `watch` accept: the bundled snapshot, a file, a URL, the help page, or a loader of your own. */
export type SourceOption = 'bundled' | FileSource | UrlSource | PageSource | Source | Source['load']

/** Returned by a source whose list is still the one that was accepted last. */
export const UNCHANGED = Symbol('unchanged')

/** A source whose options were read. It belongs to one guard, because it may remember the list it gave. */
export interface OpenSource {
  /** Shown in errors and in the status; without credentials. */
  readonly name: string
  /** Milliseconds after which a load is aborted. */
  readonly timeout: number
  /** Milliseconds between automatic loads; undefined if only `reload()` loads. */
  readonly interval: number | undefined
  /** The proxy through which it is loaded, as errors name it. */
  readonly via?: string | undefined
  /** What no error may show: secrets of its options. */
  readonly secrets?: readonly string[] | undefined
  /** How many cells may change at once without a confirmation; undefined if any number may. */
  readonly maxChangedCells?: number | undefined
  /**
   * Returns a directory, an unchecked snapshot, or {@link UNCHANGED}; or a promise for one of them.
   */
  load(signal: AbortSignal): unknown
  /** Whether there is something new to load. Without it, every interval loads; what was refused is loaded again once an hour. Never rejects. */
  hasChanged?(): Promise<boolean>
  /** Subscribes to changes; see {@link Source.watch}. */
  watch?(changed: () => void, signal: AbortSignal): unknown
  /** Called when the list that was loaded last came into use. */
  accepted?(): void
  /** Called when the list that was loaded last, or what came with it, was refused. */
  refused?(error: Error): void
  /** Called before a load that a caller asked for. */
  asked?(): void
  /** Doubts about the list that came into use last. */
  warnings?(now: number): readonly Problem[]
  /** Whether each of its lists is newer than the one before, whatever their days. */
  readonly isOrdered?: boolean | undefined
  /** Whether the clock of this machine dates its lists; it may have been wrong for a while. */
  readonly isDatedHere?: boolean | undefined
  /** The source that stands behind it, whose changes lead to a load as well. */
  readonly behind?: SourceBehind | undefined
  /** The source by whose rules the list that was loaded last is checked, if that is another one. */
  origin?(): OpenSource | undefined
  /** What failed all the same while a list was loaded that came into use. */
  failure?(): Error | undefined
}

/** A source that stands behind another one. */
export interface SourceBehind extends OpenSource {
  /** Whether its list is in use. If not, neither its changes nor its failures matter. */
  isInUse(): boolean
  /** Called before a load, since it may have changed. */
  changed(): void
}

/** What makes a snapshot of the text that a source gives. */
export interface Reader {
  /** Reads a text that is new, or throws what is wrong with it. */
  read(text: unknown, signal: AbortSignal): unknown
  /** Called when the text is still that of the list in use. */
  unchanged?(): unknown
  /** Called when the list that was read last came into use. */
  accepted?(): void
  /** Doubts about the list in use. */
  warnings?(now: number): readonly Problem[]
}

/** Whether a text is a JWS, as `sign` writes it. */
export const isSigned = (text: string) => /^eyJ[\w-]+\.[\w-]+\.[\w-]+\s*$/.test(text)

/** @throws Error that names the option for a signed list, where a text is one */
export function refuseSigned(text: string): void {
  if (isSigned(text)) throw new Error('It is a signed list. Name the public key: verify: { publicKeys }.')
}

/** Reads snapshots in JSON. */
export const JSON_READER: Reader = {
  read(text) {
    refuseSigned(text as string)
    return parseJson(text as string)
  }
}

/** A source of texts with what reads them. */
export function readBy(texts: OpenSource, reader: Reader): OpenSource {
  const { name, timeout, interval, via, secrets } = texts
  return {
    name,
    timeout,
    interval,
    via,
    secrets,
    async load(signal) {
      const text = await resultOf(() => texts.load(signal))
      if (text === UNCHANGED) return reader.unchanged?.() ?? UNCHANGED
      return reader.read(text, signal)
    },
    ...(texts.hasChanged !== undefined && { hasChanged: () => texts.hasChanged!() }),
    ...(texts.watch !== undefined && { watch: (changed, signal) => texts.watch!(changed, signal) }),
    accepted() {
      texts.accepted?.()
      reader.accepted?.()
    },
    warnings: (now) => reader.warnings?.(now) ?? []
  }
}

/** The snapshot that is part of this package. */
export const BUNDLED: OpenSource = {
  name: 'bundled snapshot',
  timeout: 5_000,
  interval: undefined,
  load: () => directory
}
