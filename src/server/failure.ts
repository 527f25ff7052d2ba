import { STATUS_CODES } from 'node:http'

/** The answer to a failure: the fields of Fastify's own answers, in their order. */
export interface Failure {
  readonly statusCode: number
  readonly code?: string
  readonly message: string
}

/** The answer to a request that could not be judged. */
export const NOT_JUDGED: Failure = { statusCode: 500, message: 'This request could not be judged.' }

/** The JSON that a rejected sender is answered with. */
export function failureBody({ statusCode, code, message }: Failure): string {
  return JSON.stringify({ statusCode, code, error: STATUS_CODES[statusCode], message })
}

/**
 * What was thrown, as something that no framework takes for "go on": `next()`, `done(null)` and Express's `next('route')`
 * would let the request through.
 */
export function thrown(value: unknown): Error {
  if (typeof value === 'object' && value !== null) return value as Error
  return new Error('A non-error value was thrown.', { cause: value })
}
