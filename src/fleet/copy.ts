import { createReadStream } from 'node:fs'
import { parsed } from '../lib/json.js'
import { OneByOne } from '../lib/one-by-one.js'
import { regularFile } from '../lib/regular-file.js'
import { messageLineOf, readText, withFullStop } from '../lib/text.js'
import { LIMITS } from './state.js'
import type { StoredState } from './store.js'

/** Two texts with escapes, and a little around them. */
const MAX_BYTES = 2 * (LIMITS.list + LIMITS.overrides) + 1000

/** The local copy of the state that a replica accepted last: what it starts with when the store is away. */
export class LocalCopy {
  readonly #path: string
  readonly #name: string
  /** One write is under way at a time; of the states that wait, the last one is written. */
  readonly #writes = new OneByOne(() => this.#write())
  #next: StoredState | undefined
  /** Whether the last write failed. */
  #isUnwritten = false
  /** Why the file was not read or written the last time; null where it was, or where there is none yet. */
  lastError: string | null = null

  /** @param name of the fleet: the copy of another fleet is not read */
  constructor(path: string, name: string) {
    this.#path = path
    this.#name = name
  }

  /** Undefined if there is none yet, and if it cannot be read or is that of another fleet. */
  async read(): Promise<StoredState | undefined> {
    try {
      if ((await regularFile(this.#path)) === undefined) return undefined
      return this.#parse(await readText(createReadStream(this.#path), MAX_BYTES))
    } catch (error) {
      this.#failed('read', error)
      return undefined
    }
  }

  #parse(text: string): StoredState {
    // An error of JSON would quote what others should not read.
    const { fleet, version, list, overrides } = Object(parsed(text)) as Record<string, unknown>
    if (fleet === undefined || !isText(list) || !isText(overrides)) throw new Error('it is damaged')
    if (fleet !== this.#name) throw new Error(`it is not one of the fleet "${this.#name}"`)
    return { version: version as number, list, overrides }
  }

  /** Writes a state, whole or not at all. */
  write(state: StoredState): void {
    this.#next = state
    this.#writes.request()
  }

  /** Writes the last state again where that failed: the disk may have been full, or away. */
  retry(): void {
    if (this.#isUnwritten) this.#writes.request()
  }

  /** Resolves when everything is written. */
  written(): Promise<void> {
    return this.#writes.ended()
  }

  async #write(): Promise<void> {
    const { version, list, overrides } = this.#next!
    const text = `${JSON.stringify({ fleet: this.#name, version, list, overrides })}\n`
    try {
      const { default: writeFileAtomic } = await import('write-file-atomic')
      await regularFile(this.#path)
      // Written beside it, synced and renamed. Overrides may say what others should not read.
      await writeFileAtomic(this.#path, text, { mode: 0o600 })
      this.#isUnwritten = false
      this.lastError = null
    } catch (error) {
      this.#isUnwritten = true
      this.#failed('written', error)
    }
  }

  #failed(what: 'read' | 'written', error: unknown): void {
    this.lastError = `The local copy ${this.#path} could not be ${what}: ${withFullStop(messageLineOf(error))}`
  }
}

const isText = (value: unknown): value is string | null => value === null || typeof value === 'string'
