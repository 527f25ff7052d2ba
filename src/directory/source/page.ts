import type { Worker } from 'node:worker_threads'
import { PageError, type Problem } from '../../errors.js'
import { builtin } from '../../lib/builtin.js'
import { CLOCK, SECOND } from '../../lib/time.js'
import { CHANNELS } from '../names.js'
import { type Dating, type NotedDay, pastDay } from '../noted-day.js'
import { dayOf, type Snapshot } from '../snapshot.js'
import { type Reader, UNCHANGED } from './source.js'

/**
 * How many cells of the page may change at once. A data center has as many rows, and one address stands in up to ten of them: a
 * change of one address or one data center passes, a page that was rewritten waits for a person.
 */
export const MAX_CHANGED_CELLS = CHANNELS.length

/** The longest import that is waited for, in milliseconds. MoEngage's page takes a tenth of a second. */
const TIME_LIMIT = 15 * SECOND
/** The most memory that an import may take, in megabytes. MoEngage's page takes ten. */
const MEMORY_LIMIT = 256

/** A program of its own, which is not part of what a server loads: help-page/page-worker.ts, built. */
const WORKER = '#page-worker'

/** A page that was imported. */
interface Imported {
  readonly snapshot: Snapshot
  readonly warnings: readonly Problem[]
}

/** A list of a page, and when it was taken. */
interface Dated extends Imported {
  readonly taken: NotedDay
}

/** What the worker answers. */
type Answer = { readonly imported: Imported } | { readonly failure: { readonly message: string } }

/** Bounds of an import. */
export interface ImportLimits {
  /** Milliseconds. */
  readonly time: number
  /** Megabytes. */
  readonly memory: number
}

/** Reads MoEngage's help page. */
export class PageReader implements Reader {
  readonly #page: string
  readonly #clock: Dating
  readonly #limits: ImportLimits
  #offered: Dated | undefined
  #inUse: Dated | undefined

  /** @param page the URL of the page, without secrets */
  constructor(page: string, clock: Dating = CLOCK, limits: ImportLimits = { time: TIME_LIMIT, memory: MEMORY_LIMIT }) {
    this.#page = page
    this.#clock = clock
    this.#limits = limits
  }

  async read(text: unknown, signal: AbortSignal): Promise<Snapshot> {
    const taken = { day: this.#today(), at: this.#clock.elapsed() }
    const about = { page: this.#page, retrieved: taken.day }
    const imported = await importInWorker({ text, about }, this.#limits, signal)
    const before = this.#inUse
    const isSame = before?.snapshot.provenance.revision === imported.snapshot.provenance.revision
    this.#offered = isSame ? { ...this.#datedToday(before), warnings: imported.warnings } : { ...imported, taken }
    return this.#offered.snapshot
  }

  /** A page that is still the same is current: the age of the list counts from the last day on which it was looked at. */
  unchanged(): unknown {
    const before = this.#inUse!
    this.#offered = this.#datedToday(before)
    return this.#offered === before ? UNCHANGED : this.#offered.snapshot
  }

  accepted(): void {
    this.#inUse = this.#offered
  }

  warnings(): readonly Problem[] {
    return this.#inUse?.warnings ?? []
  }

  /** A list that was read before, as of today. The clock may have been wrong when it was dated last. */
  #datedToday(before: Dated): Dated {
    const { snapshot, taken } = before
    const { checked, ...page } = snapshot.provenance
    const [retrieved, today] = [pastDay(taken, this.#clock), this.#today()]
    const last = today > retrieved ? today : undefined
    if (retrieved === page.retrieved && last === checked) return before
    const provenance = { ...page, retrieved, ...(last !== undefined && { checked: last }) }
    return { ...before, snapshot: { ...snapshot, provenance } }
  }

  #today(): string {
    return dayOf(new Date(this.#clock.now()))
  }
}

/**
 * Imports a page in a thread of its own, which ends in any case.
 *
 * @throws (rejects with) the error of the importer; PageError (`MOE_ERR_PAGE`) if the thread exceeds a limit or breaks down; the
 * reason of the signal if it is aborted
 */
async function importInWorker(
  workerData: object,
  { time, memory }: ImportLimits,
  signal: AbortSignal
): Promise<Imported> {
  const { Worker } = builtin('node:worker_threads')
  signal.throwIfAborted()
  const worker = new Worker(new URL(import.meta.resolve(WORKER)), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: memory },
    // What a server preloads, such as instrumentation, has no place in a thread that reads one page.
    execArgv: []
  })
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<Imported>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      timer = setTimeout(() => reject(brokenOff(`took longer than ${time} ms`)), time)
      answerOf(worker, memory).then(resolve, reject)
    })
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

function answerOf(worker: Worker, memory: number): Promise<Imported> {
  return new Promise((resolve, reject) => {
    let answer: Answer | undefined
    worker.once('message', (message: Answer) => {
      answer = message
    })
    worker.once('error', ({ message }: Error) => {
      reject(brokenOff(`failed within its ${memory} MB of memory (${message})`))
    })
    worker.once('exit', (code) => {
      if (answer === undefined) reject(brokenOff(`ended without an answer (exit code ${code})`))
      else if ('imported' in answer) resolve(answer.imported)
      else reject(Object.assign(new Error(answer.failure.message), answer.failure))
    })
  })
}

function brokenOff(what: string): PageError {
  return new PageError({
    value: what,
    message: `The import ${what} and was broken off.`,
    fix: 'Look at the page: is it the help page, and nothing else?'
  })
}
