/** Whether something is a promise, also one of another realm or library. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/**
 * Calls a function of the user's whose result does not matter. What it throws, and what a promise that it returns is rejected
 * with, goes to `failed`, and nowhere else.
 */
export function callBack(run: () => unknown, failed: (error: unknown) => void): void {
  try {
    const answer = run()
    if (isPromise(answer)) answer.then(undefined, failed)
  } catch (error) {
    failed(error)
  }
}

/** The message of whatever was thrown. */
export function messageOfThrown(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message
  return typeof thrown === 'string' ? thrown : 'What was thrown is not an error.'
}
