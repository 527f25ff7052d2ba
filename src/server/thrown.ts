/**
 * What was thrown, as something that no framework takes for "go on": `next()`, `done(null)` and Express's `next('route')`
 * would let the request through.
 */
export function thrown(value: unknown): Error {
  if (typeof value === 'object' && value !== null) return value as Error
  return new Error('What was thrown is no error.', { cause: value })
}
