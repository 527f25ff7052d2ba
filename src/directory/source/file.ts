import { builtin } from '../../lib/builtin.js'
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

  constructor(path: string, interval: number, maxBytes: number) {
    this.name = path
    this.interval = interval
    this.#path = path
    this.#maxBytes = maxBytes
  }

  async load(signal: AbortSignal): Promise<string> {
    const look = await this.#look()
    // An aborted load does not count as loaded.
    if (!signal.aborted) this.#loaded = look
    if ('error' in look) throw look.error
    return look.text
  }

  /** Two readings in a row must agree: a file that is being written changes between them. */
  async hasChanged(): Promise<boolean> {
    const look = await this.#look()
    const isSettled = same(this.#last, look)
    this.#last = look
    return isSettled && !same(this.#loaded, look)
  }

  async #look(): Promise<Look> {
    try {
      const { createReadStream, promises } = builtin('node:fs')
      // Opening a pipe would block until another process writes to it.
      if (!(await promises.stat(this.#path)).isFile()) throw new Error('It is not a file.')
      return { text: await readText(createReadStream(this.#path), this.#maxBytes) }
    } catch (error) {
      return { error: error as Error }
    }
  }
}
