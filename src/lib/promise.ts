/** Whether something is a promise, also one of another realm or library. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

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
 */
export function callBack(run: () => unknown, failed: (error: unknown) => void): void {
  try {
    const answer = run()
    if (isPromise(answer)) settled(answer).then(undefined, failed)
  } catch (error) {
    failed(error)
  }
}
