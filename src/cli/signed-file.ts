import { createReadStream } from 'node:fs'
import { FleetError } from '../errors.js'
import type { Remembered, SignedMark, SignedMarks, SignerMemory } from '../fleet/signing.js'
import { isRecord } from '../lib/json.js'
import { regularFile } from '../lib/regular-file.js'
import { readText, withFullStop } from '../lib/text.js'
import { type Io, notify } from './io.js'

const MAX_BYTES = 1_000_000

const isMark = (value: unknown) =>
  isRecord(value) && Number.isSafeInteger(value.version) && typeof value.digest === 'string'

const isMarks = (value: unknown): value is SignedMarks =>
  isRecord(value) && ['list', 'overrides'].every((part) => value[part] === undefined || isMark(value[part]))

/** A server and its database, however a URL names them: with and without `/0`, the port, upper case. */
function serverOf(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  const database = Number(pathname.slice(1))
  return `${hostname.toLowerCase()}:${port || 6379}${database === 0 ? '' : `/${database}`}`
}

/** The key of a fleet in the file. An earlier version wrote the server as the URL had it. */
function canonical(key: string): string {
  const [server, ...fleet] = key.split(' ')
  const url = `redis://${server}`
  return URL.canParse(url) ? [serverOf(url), ...fleet].join(' ') : key
}

/** What was signed last for each fleet, in a file beside the key: whoever can write to the store cannot change it. */
export class SignedFile implements SignerMemory {
  readonly #path: string
  readonly #fleet: string
  /** The fleet, with its server. */
  readonly #own: string
  readonly #io: Io

  /** @param about the server, and what names the fleet on each server: scope, name and public key */
  constructor(path: string, { url, fleet }: { readonly url: string; readonly fleet: string }, io: Io) {
    this.#path = path
    this.#fleet = ` ${fleet}`
    this.#own = serverOf(url) + this.#fleet
    this.#io = io
  }

  async read(): Promise<Remembered> {
    const all = await this.#readAll()
    const marks = all[this.#own] ?? {}
    if (marks.overrides !== undefined) return { marks }
    // The same store may have another name: `localhost`, or that of the server which took over.
    const others = Object.entries(all).flatMap(([key, { overrides }]) =>
      key.endsWith(this.#fleet) && overrides !== undefined
        ? [{ server: key.slice(0, -this.#fleet.length), overrides }]
        : []
    )
    const [latest] = others.sort((a, b) => b.overrides.version - a.overrides.version)
    return latest === undefined
      ? { marks }
      : { marks: { ...marks, overrides: latest.overrides }, server: latest.server }
  }

  /** The file is written whole, or not at all. */
  async write(marks: SignedMarks, replaced: readonly string[]): Promise<void> {
    try {
      const all = await this.#readAll()
      // Another name of the store, where the same documents were remembered for it.
      const isSame = (key: string, before: SignedMarks) =>
        key.endsWith(this.#fleet) && Object.values(before).some(({ digest }) => replaced.includes(digest))
      const merged = Object.fromEntries(
        Object.entries({ [this.#own]: {}, ...all }).map(([key, before]) => [
          key,
          key === this.#own || isSame(key, before) ? newest(before, marks) : before
        ])
      )
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
    if (!isRecord(all) || !Object.values(all).every(isMarks)) throw this.#damaged('it is damaged')
    const read: Record<string, SignedMarks> = {}
    for (const [key, marks] of Object.entries(all as Record<string, SignedMarks>)) {
      read[canonical(key)] = newest(read[canonical(key)], marks)
    }
    return read
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
