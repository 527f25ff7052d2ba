/** Whether something is a promise, also one of another realm or library. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Takes a promise that a server which runs only while it answers has to wait for. It never rejects. */
export type Keep = (promise: PromiseLike<unknown>) => void

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
    const handled = answer.then(undefined, failed)
    keep?.(handled)
  } catch (error) {
    failed(error)
  }
}

/** The message of whatever was thrown. */
export function messageOfThrown(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message
  return typeof thrown === 'string' ? thrown : 'What was thrown is not an error.'
}
