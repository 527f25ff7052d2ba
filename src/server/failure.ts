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
  if (typeof value !== 'object' || value === null) return new Error('A non-error value was thrown.', { cause: value })
  return isReadable(value) ? (value as Error) : new Error('An error was thrown whose properties cannot be read.')
}

/** Whether frameworks and loggers can read an error: one whose properties throw would end the process, or be answered with 200. */
function isReadable(value: object): boolean {
  try {
    const { message, stack, status, statusCode } = value as Partial<Record<string, unknown>>
    return [message, stack, status, statusCode].every((property) => typeof property !== 'symbol')
  } catch {
    return false
  }
}
