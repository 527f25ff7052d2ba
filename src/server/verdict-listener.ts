import { mistake, shown } from '../lib/option-reader.js'
import { callBack } from '../lib/promise.js'
import type { SafeLogger } from '../log/logger.js'
import type { Problem } from '../problem.js'
import type { Verdict } from '../verdict/verdict.js'

/** Called with every verdict and its request, before the request goes on or is answered. */
export type OnVerdict<Request> = (verdict: Verdict, request: Request) => unknown

/** Reads the option `onVerdict`; adds what is wrong with it to `mistakes`. */
export function readOnVerdict<Request>(value: unknown, mistakes: Problem[]): OnVerdict<Request> | undefined {
  if (value === undefined || typeof value === 'function') return value as OnVerdict<Request> | undefined
  mistakes.push(mistake('onVerdict', value, `${shown(value)} is not a function.`, 'Write (verdict, request) => ….'))
  return undefined
}

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
