import { callback } from '../lib/option-rules.js'
import { callBack } from '../lib/promise.js'
import type { SafeLogger } from '../log/logger.js'
import type { Verdict } from '../verdict/verdict.js'

/** Called with every verdict and its request, before the request goes on or is answered. */
export type OnVerdict<Request> = (verdict: Verdict, request: Request) => unknown

/** The option `onVerdict`. */
export const ON_VERDICT = callback<OnVerdict<never>>('(verdict, request) => console.log(verdict)')

/** Calls the user's function, and lets nothing that it throws reach the request: it is logged, once. */
export class VerdictListener<Request> {
  readonly #onVerdict: OnVerdict<Request>
  readonly #log: SafeLogger
  #hasFailed = false

  constructor(onVerdict: OnVerdict<Request>, log: SafeLogger) {
    this.#onVerdict = onVerdict
    this.#log = log
  }

  notify(verdict: Verdict, request: Request): void {
    callBack(
      () => this.#onVerdict(verdict, request),
      (error) => this.#failed(error)
    )
  }

  #failed(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#log.error({ err: error }, 'onVerdict failed; further failures are not logged')
  }
}
