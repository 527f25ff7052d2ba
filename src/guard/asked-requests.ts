import { countedBy, type Incoming } from '../client-ip/incoming.js'

type Earlier = NonNullable<Incoming['earlier']>

/**
 * Requests that a user asked the guard about, before or behind its own hook. What the user asked is counted and not reported, and the
 * hook reports without counting again.
 */
export class AskedRequests {
  readonly #verdicts = new WeakMap<object, Earlier>()

  /** Notes a verdict. */
  note(request: object, verdict: Earlier): void {
    this.#verdicts.set(request, countedBy(this.#verdicts.get(request), verdict))
  }

  /** The verdict by which a request was counted: a rejection goes before a verified verdict. */
  earlier(request: unknown, { earlier }: Incoming): Earlier | undefined {
    return earlier?.verified === false ? earlier : (this.#verdicts.get(request as object) ?? earlier)
  }
}
