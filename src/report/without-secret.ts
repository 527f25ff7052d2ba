import type { SenderWithoutSecret } from '../evidence/findings.js'
import { nameOf } from './processes.js'
import type { WithoutSecretEvent } from './read-event.js'
import type { ProcessId } from './record.js'

/** Maximum number of senders, and of processes. */
const MAX_KEPT = 10_000
/** Maximum number of routes of a sender. */
const MAX_ROUTES = 8

/** What the log has of one process. */
interface Counts {
  lines: number
  summaries: number
}

/**
 * Verified requests without the secret. Lines name some of them, and the summaries of the same process count all of them but
 * those since the last one.
 */
export class WithoutSecretLog {
  readonly #senders = new Map<string, SenderWithoutSecret & { count: number; routes: string[] }>()
  readonly #byProcess = new Map<string, Counts>()
  #named = 0
  #hasOwn = false

  line(id: ProcessId, { clientIp, isOwn, route, count }: WithoutSecretEvent): void {
    this.#of(id).lines += count
    if (isOwn) this.#hasOwn = true
    if (clientIp === null) return
    let sender = this.#senders.get(clientIp)
    if (sender === undefined) {
      if (this.#senders.size === MAX_KEPT) return
      sender = { clientIp, isOwn, count: 0, routes: [] }
      this.#senders.set(clientIp, sender)
    }
    sender.count += count
    this.#named += count
    if (route !== null && sender.routes.length < MAX_ROUTES && !sender.routes.includes(route)) sender.routes.push(route)
  }

  summary(id: ProcessId, count: number): void {
    if (count > 0) this.#of(id).summaries += count
  }

  #of(id: ProcessId): Counts {
    const own = nameOf(id)
    // Processes beyond the maximum are compared together.
    const name = this.#byProcess.has(own) || this.#byProcess.size < MAX_KEPT ? own : ''
    const counts = this.#byProcess.get(name) ?? { lines: 0, summaries: 0 }
    this.#byProcess.set(name, counts)
    return counts
  }

  /** The addresses that lines name, those with the most requests first. */
  senders(): SenderWithoutSecret[] {
    return [...this.#senders.values()].sort((a, b) => b.count - a.count)
  }

  /** How many requests no line names an address for; none where they may be of your own senders in `allow`. */
  get unnamed(): number {
    if (this.#hasOwn) return 0
    const all = [...this.#byProcess.values()].reduce((sum, { lines, summaries }) => sum + Math.max(lines, summaries), 0)
    return all - this.#named
  }
}
