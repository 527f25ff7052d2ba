/** The thread that imports a page: its slowest input takes seconds, which the event loop of a server must not notice. */
import { parentPort, workerData } from 'node:worker_threads'
import { type AboutPage, type Imported, importPage } from './import-page.js'

/** What the thread is given. */
export interface PageTask {
  readonly text: string
  readonly about: AboutPage
}

/** What the thread answers. A thread hands over the message of an error, and loses its other fields. */
export type PageAnswer =
  | { readonly imported: Imported }
  | { readonly failure: Readonly<Record<'name' | 'message' | 'code' | 'fix' | 'cells', unknown>> }

export function answerTo({ text, about }: PageTask): PageAnswer {
  try {
    return { imported: importPage(text, about) }
  } catch (error) {
    const { name, message, code, fix, cells } = error as Error & Partial<Record<'code' | 'fix' | 'cells', unknown>>
    return { failure: { name, message, code, fix, cells } }
  }
}

parentPort?.postMessage(answerTo(workerData))
