import createError from '@fastify/error'

/**
 * Every error and warning this package can produce, by code. Each has a section of the same name in `docs/errors.md`.
 */
export type ProblemCode =
  | 'MOE_ERR_OPTIONS'
  | 'MOE_ERR_UNKNOWN_OPTION'
  | 'MOE_ERR_OPTION_VALUE'
  | 'MOE_ERR_PREFIX'
  | 'MOE_ERR_TRUSTS_EVERYONE'
  | 'MOE_ERR_DATA_CENTER'
  | 'MOE_ERR_CHANNEL'
  | 'MOE_ERR_NO_ADDRESSES'
  | 'MOE_ERR_SNAPSHOT'
  | 'MOE_ERR_SOURCE'
  | 'MOE_ERR_REGISTERED_TWICE'
  | 'MOE_ERR_ROUTE'
  | 'MOE_ERR_REJECTED'
  | 'MOE_WARN_TRUSTED_PROXIES'
  | 'MOE_WARN_EXTRA_ADDRESS'
  | 'MOE_WARN_CHANNEL'
  | 'MOE_WARN_STALE'

/** What went wrong, in words for a person: the problem, the value that caused it, and what to do. */
export interface Problem {
  /** The code, which is also the anchor in `docs/errors.md`. */
  readonly code: ProblemCode
  /** The option or place, as a path: `allow[0]`, `clientIp.header`. Empty where no option is at fault. */
  readonly path: string
  /** The offending value. */
  readonly value: unknown
  /** One sentence that says what is wrong. */
  readonly message: string
  /** One sentence that says what to do. */
  readonly fix: string
}

/** A problem as one line: path, message, fix. */
export function problemLine({ path, message, fix }: Problem): string {
  return `${path === '' ? '' : `${path}: `}${message} ${fix}`
}

function codedError(code: ProblemCode, statusCode: number, Base: ErrorConstructor) {
  const Coded = createError<[string]>(code, '%s', statusCode, Base)
  return class extends Coded implements Problem {
    declare readonly code: ProblemCode
    readonly path: string
    readonly value: unknown
    readonly fix: string
    /** Where the error is explained, inside this package. */
    readonly docs: string

    constructor({ path = '', value, message, fix }: Omit<Problem, 'code' | 'path'> & { path?: string }) {
      super(`${problemLine({ code, path, value, message, fix })} (docs/errors.md#${code.toLowerCase()})`)
      this.path = path
      this.value = value
      this.fix = fix
      this.docs = `docs/errors.md#${code.toLowerCase()}`
    }
  }
}

/** A text is not an address or prefix that this package accepts. */
export class PrefixError extends codedError('MOE_ERR_PREFIX', 500, TypeError) {}

/** A data center name is unknown, or could mean more than one. */
export class DataCenterError extends codedError('MOE_ERR_DATA_CENTER', 500, TypeError) {}

/** A channel name is unknown. */
export class ChannelError extends codedError('MOE_ERR_CHANNEL', 500, TypeError) {}

/** MoEngage publishes no address for what was selected, so nothing could ever be verified. */
export class NoAddressesError extends codedError('MOE_ERR_NO_ADDRESSES', 500, TypeError) {}

/** A snapshot of the directory is damaged or incomplete. */
export class SnapshotError extends codedError('MOE_ERR_SNAPSHOT', 500, TypeError) {}

/** A source could not deliver a directory. The list that was in use stays in use. */
export class SourceError extends codedError('MOE_ERR_SOURCE', 500, Error) {}

/** The plugin is registered where a registration is already in force. */
export class RegisteredTwiceError extends codedError('MOE_ERR_REGISTERED_TWICE', 500, Error) {}

const BY_CODE: Partial<Record<ProblemCode, new (problem: Problem) => Error>> = {
  MOE_ERR_PREFIX: PrefixError,
  MOE_ERR_DATA_CENTER: DataCenterError,
  MOE_ERR_CHANNEL: ChannelError,
  MOE_ERR_NO_ADDRESSES: NoAddressesError
}

/** A problem as the error of its code. */
export function problemError(problem: Problem): Error {
  return new BY_CODE[problem.code]!(problem)
}

/** The options are wrong; `mistakes` lists every mistake that was found. */
export class OptionsError extends codedError('MOE_ERR_OPTIONS', 500, TypeError) {
  /** All mistakes, in the order of the options. */
  readonly mistakes: readonly Problem[]

  constructor(mistakes: readonly Problem[], value: unknown) {
    super({
      value,
      message: `${mistakes.length === 1 ? 'One option is' : `${mistakes.length} options are`} wrong:\n${mistakes
        .map((mistake) => `  - ${problemLine(mistake)} (${mistake.code})`)
        .join('\n')}\n`,
      fix: 'Correct the options.'
    })
    this.mistakes = Object.freeze([...mistakes])
  }
}

/**
 * Answered (500) on a route whose `config.moengage` turned out to be wrong at its first request, because the route was
 * added before the plugin was loaded. The log has the mistakes; the sender is told nothing of them.
 */
export const RouteError = createError('MOE_ERR_ROUTE', 'This route is not set up correctly.', 500)

/** What a rejected sender is told: that it was refused, never why and never what would have been accepted. */
export const REJECTION_MESSAGE = 'The sender of this request could not be verified.'

const Rejection = createError('MOE_ERR_REJECTED', REJECTION_MESSAGE, 403 as number, Error, false)

/**
 * Thrown for a request that is not let through. It carries the verdict for your `setErrorHandler`, and no stack trace:
 * capturing one costs more than serving the request.
 */
export class RejectedError<V = unknown> extends Rejection {
  readonly #verdict: V

  constructor(verdict: V, statusCode: number) {
    super()
    this.statusCode = statusCode
    this.#verdict = verdict
  }

  /** Why the request was rejected. Neither enumerable nor part of the answer; the guard's own log line has it. */
  get verdict(): V {
    return this.#verdict
  }
}
