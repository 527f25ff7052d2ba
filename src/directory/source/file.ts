import { builtin } from '../../lib/builtin.js'
import { regularFile } from '../../lib/regular-file.js'
import { readText } from '../../lib/text.js'
import type { OpenSource } from './source.js'

/** The file's text, or the error that prevented reading it. */
type Look = { readonly text: string } | { readonly error: Error }

const same = (a: Look | undefined, b: Look) =>
  a !== undefined &&
  ('text' in a ? 'text' in b && a.text === b.text : 'error' in b && a.error.message === b.error.message)

/**
 * The text of a file. It is read at every interval and compared by content. That detects renames, symlinks swapped above the
 * path, changes on network file systems and writes within one tick of the clock; `fs.watch` follows an inode, and a time stamp
 * may stay the same.
 */
export class WatchedFile implements OpenSource {
  readonly name: string
  readonly timeout = 5_000
  readonly interval: number
  readonly #path: string
  readonly #maxBytes: number
  #loaded: Look | undefined
  #last: Look | undefined
  /**
   * The reading under way, of which there is one at a time: on a network file system that is away it may never end, and each occupies one of
   * the few threads of Node.
   */
  #reading: Promise<Look> | undefined

  constructor(path: string, interval: number, maxBytes: number) {
    this.name = path
    this.interval = interval
    this.#path = path
    this.#maxBytes = maxBytes
  }

  async load(signal: AbortSignal): Promise<string> {
    while (this.#reading !== undefined) await this.#reading
    signal.throwIfAborted()
    const look = await this.#look()
    // An aborted load does not count as loaded.
    if (!signal.aborted) this.#loaded = look
    if ('error' in look) throw look.error
    return look.text
  }

  /** Two readings in a row must agree: a file that is being written changes between them. */
  async hasChanged(): Promise<boolean> {
    // The load waits for it, and reports it if it does not end.
    if (this.#reading !== undefined) return true
    const look = await this.#look()
    const isSettled = same(this.#last, look)
    this.#last = look
    return isSettled && !same(this.#loaded, look)
  }

  async #look(): Promise<Look> {
    this.#reading = this.#read()
    const look = await this.#reading
    this.#reading = undefined
    return look
  }

  async #read(): Promise<Look> {
    try {
      await regularFile(this.#path)
      return { text: await readText(builtin('node:fs').createReadStream(this.#path), this.#maxBytes) }
    } catch (error) {
      return { error: error as Error }
    }
  }
}
