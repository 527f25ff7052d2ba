import { countedBy, type EarlierVerdict, type Incoming } from '../client-ip/incoming.js'

/**
 * Requests that a user asked the guard about, before or behind its own hook. What the user asked is counted and not reported, and the
 * hook reports without counting again.
 */
export class AskedRequests {
  readonly #verdicts = new WeakMap<object, EarlierVerdict>()

  /** Notes a verdict. */
  note(request: object, verdict: EarlierVerdict): void {
    this.#verdicts.set(request, countedBy(this.#verdicts.get(request), verdict))
  }

  /** The verdict by which a request was counted: a rejection goes before a verified verdict. */
  earlier(request: unknown, { earlier }: Incoming): EarlierVerdict | undefined {
    return earlier?.verified === false ? earlier : (this.#verdicts.get(request as object) ?? earlier)
  }
}
