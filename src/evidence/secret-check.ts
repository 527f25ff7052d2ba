import type { EarlierVerdict } from '../client-ip/incoming.js'
import { placeOf } from '../lib/cause.js'
import { drop, isPromise } from '../lib/promise.js'

/** Asks the user's `carriesSecret` function, once a request. Whatever the function does ends in an answer. */
export class SecretCheck<Request> {
  /** Whether verified requests are asked about as well. */
  readonly expectsSecret: boolean
  readonly #carriesSecret: (request: Request) => unknown
  readonly #failed: (error: Error) => void
  #failures = 0

  /** @param failed called with the first failure, with a message that says what happened */
  constructor(carriesSecret: (request: Request) => unknown, expectsSecret: boolean, failed: (error: Error) => void) {
    this.#carriesSecret = carriesSecret
    this.expectsSecret = expectsSecret
    this.#failed = failed
  }

  /** How often the function threw, or returned something else than true or false. */
  get failures(): number {
    return this.#failures
  }

  /**
   * Whether a request carries the secret; null where that is not known.
   *
   * @param request undefined for a connection that the framework does not handle
   */
  ask(request: Request | undefined, earlier: EarlierVerdict | undefined): boolean | null {
    if (earlier !== undefined && (this.expectsSecret || !earlier.verified)) return earlier.carriesSecret
    if (request === undefined) return null
    try {
      const carriesSecret = this.#carriesSecret
      const answer = carriesSecret(request)
      if (typeof answer === 'boolean') return answer
      this.#fail(new Error(wrongAnswer(answer)))
    } catch (error) {
      drop(error)
      this.#fail(new Error(THREW, { cause: placeOf(error) }))
    }
    return null
  }

  #fail(error: Error): void {
    this.#failures++
    if (this.#failures === 1) this.#failed(error)
  }
}

const THREW =
  'Your carriesSecret function threw an error. Its message may hold the secret or an address, so it is left out: catch and log the error in ' +
  'the function.'

/** Why an answer is of no use. It may be the secret, so it is not shown. */
function wrongAnswer(answer: unknown): string {
  drop(answer)
  if (isPromise(answer)) {
    return (
      'Your carriesSecret function returned a promise; it must return true or false itself. Remove "async" from it, and load what it ' +
      'needs before the request comes.'
    )
  }
  if (typeof answer === 'function') {
    return 'Your carriesSecret function returned a function; pass the one that secretHeader(name, value) returns.'
  }
  const what = answer === null ? 'null' : answer === undefined ? 'nothing' : `a value of type ${typeof answer}`
  return `Your carriesSecret function returned ${what}; it must return true or false.`
}
