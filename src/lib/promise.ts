/** Whether something is a promise, also one of another realm or library. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Calls a function the first time only, so that a failure that repeats is reported once. */
export function once<Args extends readonly unknown[]>(call: (...args: Args) => void): (...args: Args) => void {
  let wasCalled = false
  return (...args) => {
    if (wasCalled) return
    wasCalled = true
    call(...args)
  }
}

/** Takes a promise that a server which runs only while it answers has to wait for. It never rejects. */
export type Keep = (promise: PromiseLike<unknown>) => void

/**
 * What a promise, or something like one, comes to. A `then` that is an async function returns a promise of its own; if nobody
 * handled that, its rejection would end the process.
 */
export function settled(promise: PromiseLike<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const own: unknown = promise.then(resolve, reject)
    if (isPromise(own)) own.then(undefined, reject)
  })
}

/**
 * Calls a function of the user's whose result does not matter. What it throws, and what a promise that it returns is rejected
 * with, goes to `failed`, and nowhere else.
 *
 * @param keep called with the promise that it returns, handled
 */
export function callBack(run: () => unknown, failed: (error: unknown) => void, keep?: Keep): void {
  try {
    const answer = run()
    if (!isPromise(answer)) return
    const handled = settled(answer).then(undefined, failed)
    keep?.(handled)
  } catch (error) {
    failed(error)
  }
}
