import createError, { type FastifyErrorConstructor } from '@fastify/error'
import { type Problem, type ProblemCode, problemLine, type SuspiciousReason } from './problem.js'

export type { Problem, ProblemCode, Suspicion, SuspiciousReason } from './problem.js'

/** Named here because the type that is inferred cannot be written into the declarations for every kind of resolution. */
type Coded<Code extends ProblemCode> = FastifyErrorConstructor<{ code: Code; statusCode: number }, []>

function codedError(code: ProblemCode, statusCode: number, Base: ErrorConstructor) {
  const Coded = createError<[string]>(code, '%s', statusCode, Base)
  return class extends Coded implements Problem {
    /** Which error it is, such as `MOE_ERR_OPTIONS`: a name that stays when the words of the message change. */
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

/** A cell of the help page that could not be read, or whose text got lost. */
export interface PageCell {
  /** The heading above the cell's table; empty where there is none. */
  readonly table: string
  /** The row, by its name and data center as the page writes them. */
  readonly row: string
  /** The column's header. */
  readonly column: string
  /** What stands in the cell; empty where nothing does. */
  readonly text: string
  /** One sentence that says why it could not be read. */
  readonly message: string
}

/** MoEngage's help page could not be read as a whole. Nothing is taken from such a page; `cells` names what is at fault. */
export class PageError extends codedError('MOE_ERR_PAGE', 500, Error) {
  /** Every cell that could not be read; empty where the page as such is at fault. */
  readonly cells: readonly PageCell[]

  constructor(problem: { value: unknown; message: string; fix: string }, cells: readonly PageCell[] = []) {
    super(problem)
    this.cells = Object.freeze([...cells])
  }
}

/** A source could not deliver a directory. The list that was in use stays in use. */
export class SourceError extends codedError('MOE_ERR_SOURCE', 500, Error) {}

/**
 * A list is sound, but so unlike what MoEngage publishes, or the list in use, that it may be a mistake or an attack. The list
 * that was in use stays in use; without one, the guard does not start.
 */
export class SuspiciousError extends codedError('MOE_ERR_SUSPICIOUS', 500, Error) {
  /** Every reason, with the word that confirms it. */
  readonly reasons: readonly SuspiciousReason[]

  constructor(reasons: readonly SuspiciousReason[], source: string) {
    const words = [...new Set(reasons.map(({ suspicion }) => `'${suspicion}'`))].join(', ')
    super({
      path: 'source',
      value: source,
      message: `The list of "${source}" is suspicious:\n${reasons.map(({ message }) => `  - ${message}`).join('\n')}\n`,
      fix: `Look at it. If it is right, confirm it: confirm: [${words}].`
    })
    this.reasons = Object.freeze([...reasons])
  }
}

/** A format cannot express what was selected for an export. Nothing is written. */
export class ExportError extends codedError('MOE_ERR_EXPORT', 500, TypeError) {}

/**
 * A list of your own addresses cannot be read, or a form of MoEngage cannot take it. Nothing is written; `mistakes` lists every
 * mistake that was found.
 */
export class EgressError extends codedError('MOE_ERR_EGRESS', 500, TypeError) {
  /** All mistakes that were found. */
  readonly mistakes: readonly Problem[]

  constructor(mistakes: readonly Problem[], value: unknown) {
    const listed = mistakes.slice(0, MOST_LISTED).map((mistake) => `  - ${problemLine(mistake)}`)
    if (mistakes.length > MOST_LISTED) listed.push(`  - and ${mistakes.length - MOST_LISTED} more`)
    super({
      value,
      message: `Your list has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${listed.join('\n')}\n`,
      fix: 'Correct the list.'
    })
    this.mistakes = Object.freeze([...mistakes])
  }
}

/** A list may be wrong in every line; the message names the first ones. */
const MOST_LISTED = 20

/** The plugin is registered where a registration is already in force. */
export class RegisteredTwiceError extends codedError('MOE_ERR_REGISTERED_TWICE', 500, Error) {}

/** The options are wrong; `mistakes` lists every mistake that was found. */
export class OptionsError extends codedError('MOE_ERR_OPTIONS', 500, TypeError) {
  /** All mistakes that were found. */
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
export const RouteError: Coded<'MOE_ERR_ROUTE'> = createError(
  'MOE_ERR_ROUTE',
  'This route is not set up correctly.',
  500 as number
)

/**
 * Answered (503) while the first list is not there: it is still loading, or its source failed and the log has why. Thrown
 * by a guard that is asked before it is ready.
 */
export const NotReadyError: Coded<'MOE_ERR_NOT_READY'> = createError(
  'MOE_ERR_NOT_READY',
  'The list of senders is not loaded yet.',
  503 as number
)

/** A rejected sender is told that it was refused, never why and never what would have been accepted. */
const Rejection: Coded<'MOE_ERR_REJECTED'> = createError(
  'MOE_ERR_REJECTED',
  'The sender of this request could not be verified.',
  403 as number,
  Error,
  false
)

/**
 * Thrown for a request that is not let through. It carries the verdict for your `setErrorHandler`, and no stack trace:
 * capturing one costs more than serving the request.
 */
export class RejectedError<V = unknown> extends Rejection {
  /** The status of the answer: the option `statusCode`, 403 unless it was set. */
  declare readonly statusCode: number
  readonly #verdict: V

  constructor(verdict: V, statusCode: number) {
    super()
    this.statusCode = statusCode
    this.#verdict = verdict
  }

  /** The same as `statusCode`, by the name that Express and its middleware use. */
  get status(): number {
    return this.statusCode
  }

  /** Why the request was rejected. Neither enumerable nor part of the answer; the guard's own log line has it. */
  get verdict(): V {
    return this.#verdict
  }
}
