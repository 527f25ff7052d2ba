/** The thread that imports a page: its slowest input takes seconds, which the event loop of a server must not notice. */
import { parentPort, workerData } from 'node:worker_threads'
import { importPage } from './import-page.js'

try {
  parentPort!.postMessage({ imported: importPage(workerData.text, workerData.about) })
} catch (error) {
  // A thread hands over the message of an error, and loses its other fields.
  const { name, message, code, fix, cells } = error as Error & Partial<Record<'code' | 'fix' | 'cells', unknown>>
  parentPort!.postMessage({ failure: { name, message, code, fix, cells } })
}
