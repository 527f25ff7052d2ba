import type { Worker } from 'node:worker_threads'
import { PageError, type Problem } from '../../errors.js'
import { builtin } from '../../lib/builtin.js'
import { CLOCK, SECOND } from '../../lib/time.js'
import { CHANNELS } from '../names.js'
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
  readonly #now: () => number
  readonly #limits: ImportLimits
  #offered: Imported | undefined
  #inUse: Imported | undefined

  /** @param page the URL of the page, without secrets */
  constructor(page: string, now = CLOCK.now, limits: ImportLimits = { time: TIME_LIMIT, memory: MEMORY_LIMIT }) {
    this.#page = page
    this.#now = now
    this.#limits = limits
  }

  async read(text: unknown, signal: AbortSignal): Promise<Snapshot> {
    const about = { page: this.#page, retrieved: this.#today() }
    const imported = await importInWorker({ text, about }, this.#limits, signal)
    const before = this.#inUse?.snapshot
    const isSame = before?.provenance.revision === imported.snapshot.provenance.revision
    const snapshot = isSame ? this.#checkedToday(before) : imported.snapshot
    this.#offered = { snapshot, warnings: imported.warnings }
    return snapshot
  }

  /** A page that is still the same is current: the age of the list counts from the last day on which it was looked at. */
  unchanged(): unknown {
    const { snapshot, warnings } = this.#inUse!
    const checked = this.#checkedToday(snapshot)
    this.#offered = { snapshot: checked, warnings }
    return checked === snapshot ? UNCHANGED : checked
  }

  accepted(): void {
    this.#inUse = this.#offered
  }

  warnings(): readonly Problem[] {
    return this.#inUse?.warnings ?? []
  }

  #checkedToday(snapshot: Snapshot): Snapshot {
    const { provenance } = snapshot
    const today = this.#today()
    if (today <= (provenance.checked ?? provenance.retrieved)) return snapshot
    return { ...snapshot, provenance: { ...provenance, checked: today } }
  }

  #today(): string {
    return dayOf(new Date(this.#now()))
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
