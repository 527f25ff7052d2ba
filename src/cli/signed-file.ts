import { createReadStream } from 'node:fs'
import { FleetError } from '../errors.js'
import type { SignedMark, SignedMarks, SignerMemory } from '../fleet/signing.js'
import { isRecord } from '../lib/json.js'
import { regularFile } from '../lib/regular-file.js'
import { readText, withFullStop } from '../lib/text.js'
import { type Io, notify } from './io.js'

const MAX_BYTES = 1_000_000

const isMark = (value: unknown) =>
  isRecord(value) && Number.isSafeInteger(value.version) && typeof value.digest === 'string'

const isMarks = (value: unknown): value is SignedMarks =>
  isRecord(value) && ['list', 'overrides'].every((part) => value[part] === undefined || isMark(value[part]))

/** What was signed last for each fleet, in a file beside the key: whoever can write to the store cannot change it. */
export class SignedFile implements SignerMemory {
  readonly #path: string
  readonly #fleet: string
  readonly #io: Io

  /** @param fleet its server, scope and name, and the public key */
  constructor(path: string, fleet: string, io: Io) {
    this.#path = path
    this.#fleet = fleet
    this.#io = io
  }

  async read(): Promise<SignedMarks> {
    return (await this.#readAll())[this.#fleet] ?? {}
  }

  /** The file is written whole, or not at all. */
  async write(marks: SignedMarks): Promise<void> {
    try {
      const all = await this.#readAll()
      const merged = { ...all, [this.#fleet]: newest(all[this.#fleet], marks) }
      const { default: writeFileAtomic } = await import('write-file-atomic')
      await writeFileAtomic(this.#path, `${JSON.stringify(merged, null, 2)}\n`, { mode: 0o600 })
    } catch (error) {
      notify(
        this.#io,
        'warning',
        `What was signed could not be noted in ${this.#path}: ${(error as Error).message} The next change will not notice if the store has gone back to an older state.`
      )
    }
  }

  async #readAll(): Promise<Readonly<Record<string, SignedMarks>>> {
    let text: string
    try {
      if ((await regularFile(this.#path)) === undefined) return {}
      text = await readText(createReadStream(this.#path), MAX_BYTES)
    } catch (error) {
      throw this.#damaged((error as Error).message)
    }
    let all: unknown
    try {
      all = JSON.parse(text)
    } catch {
      // Refused below.
    }
    if (isRecord(all) && Object.values(all).every(isMarks)) return all as Record<string, SignedMarks>
    throw this.#damaged('it is damaged')
  }

  #damaged(why: string): FleetError {
    return new FleetError({
      value: this.#path,
      message: `${this.#path}, which says what was signed last, could not be read: ${withFullStop(why)}`,
      fix: 'Delete it, and look at each override that the next change signs.'
    })
  }
}

/** Of two commands at once, the older one may be the last to write. */
function newest(before: SignedMarks = {}, marks: SignedMarks): SignedMarks {
  const of = (part: keyof SignedMarks): Partial<SignedMarks> => {
    const [earlier, mark] = [before[part], marks[part]]
    const latest: SignedMark | undefined =
      earlier === undefined || (mark !== undefined && mark.version > earlier.version) ? mark : earlier
    return latest === undefined ? {} : { [part]: latest }
  }
  return { ...of('list'), ...of('overrides') }
}
