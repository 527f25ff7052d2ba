import { createReadStream } from 'node:fs'
import { readText } from '../lib/text.js'
import { LIMITS } from './state.js'
import type { StoredState } from './store.js'

/** Two texts with escapes, and a little around them. */
const MAX_BYTES = 2 * (LIMITS.list + LIMITS.overrides) + 1000

/** The local copy of the state that a replica accepted last: what it starts with when the store is away. */
export class LocalCopy {
  readonly #path: string
  readonly #name: string
  #writing: Promise<void> | undefined
  #next: StoredState | undefined
  /** Why the last attempt to write failed; null where it did not. */
  lastError: string | null = null

  /** @param name of the fleet: the copy of another fleet is not read */
  constructor(path: string, name: string) {
    this.#path = path
    this.#name = name
  }

  /** @throws (rejects with) an error if the file is missing, cut off, or that of another fleet */
  async read(): Promise<StoredState> {
    const copy: unknown = JSON.parse(await readText(createReadStream(this.#path), MAX_BYTES))
    const { fleet, version, list, overrides } = copy as Record<string, unknown>
    if (fleet !== this.#name) throw new Error(`The copy ${this.#path} is not one of the fleet "${this.#name}".`)
    if (!isText(list) || !isText(overrides)) throw new Error(`The copy ${this.#path} is damaged.`)
    return { version: version as number, list, overrides }
  }

  /** Writes a state, whole or not at all. One write is under way at a time; of those that wait, the last one is written. */
  write(state: StoredState): void {
    this.#next = state
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  /** Resolves when everything is written. */
  async written(): Promise<void> {
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    const { default: writeFileAtomic } = await import('write-file-atomic')
    while (this.#next !== undefined) {
      const { version, list, overrides } = this.#next
      this.#next = undefined
      const text = `${JSON.stringify({ fleet: this.#name, version, list, overrides })}\n`
      try {
        // Written beside it, synced and renamed. Overrides may say what others should not read.
        await writeFileAtomic(this.#path, text, { mode: 0o600 })
        this.lastError = null
      } catch (error) {
        this.lastError = `The local copy could not be written: ${(error as Error).message}`
      }
    }
  }
}

const isText = (value: unknown): value is string | null => value === null || typeof value === 'string'
