/** The answer to a failure: the fields of Fastify's own answers, in their order. */
export interface Failure {
  readonly statusCode: number
  readonly code?: string
  readonly message: string
}

/** The texts of `node:http`, which a Worker does not have. */
export const ERROR_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  418: "I'm a Teapot",
  421: 'Misdirected Request',
  422: 'Unprocessable Entity',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  506: 'Variant Also Negotiates',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  509: 'Bandwidth Limit Exceeded',
  510: 'Not Extended',
  511: 'Network Authentication Required'
}

/** The answer to a request that could not be judged. */
export const NOT_JUDGED: Failure = { statusCode: 500, message: 'This request could not be judged.' }

/** The JSON that a rejected sender is answered with. */
export function failureBody({ statusCode, code, message }: Failure): string {
  return JSON.stringify({ statusCode, code, error: ERROR_TEXTS[statusCode], message })
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
