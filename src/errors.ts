/** Every code of an error or warning. Each has a section of the same name in `docs/errors.md`. */
export const PROBLEM_CODES = [
  'MOE_ERR_OPTIONS',
  'MOE_ERR_UNKNOWN_OPTION',
  'MOE_ERR_OPTION_VALUE',
  'MOE_ERR_PREFIX',
  'MOE_ERR_TRUSTS_EVERYONE',
  'MOE_ERR_DATA_CENTER',
  'MOE_ERR_CHANNEL',
  'MOE_ERR_NO_ADDRESSES',
  'MOE_ERR_SNAPSHOT',
  'MOE_ERR_PAGE',
  'MOE_ERR_SOURCE',
  'MOE_ERR_SUSPICIOUS',
  'MOE_ERR_SIGNATURE',
  'MOE_ERR_EXPORT',
  'MOE_ERR_EGRESS',
  'MOE_ERR_FLEET',
  'MOE_ERR_REGISTERED_TWICE',
  'MOE_ERR_EVENT',
  'MOE_ERR_ROUTE',
  'MOE_ERR_NOT_READY',
  'MOE_ERR_REJECTED',
  'MOE_WARN_DURATION',
  'MOE_WARN_TRUSTED_PROXIES',
  'MOE_WARN_EXTRA_ADDRESS',
  'MOE_WARN_CHANNEL',
  'MOE_WARN_STALE',
  'MOE_WARN_FUTURE',
  'MOE_WARN_SUSPICIOUS',
  'MOE_WARN_GUARD_REPEATED',
  'MOE_WARN_NO_REQUESTS',
  'MOE_WARN_UNGUARDED_ROUTE',
  'MOE_WARN_ANSWER_STATUS',
  'MOE_WARN_NO_RESPONSE',
  'MOE_WARN_DRIFT',
  'MOE_WARN_WATCH',
  'MOE_WARN_PAGE',
  'MOE_WARN_EGRESS',
  'MOE_WARN_LOGGER'
] as const

/** The code of an error or warning: a name that stays when the wording of the message changes. */
export type ProblemCode = (typeof PROBLEM_CODES)[number]

/** An error or warning: what is wrong, the value that causes it, and what to do. */
export interface Problem {
  /** The code, which is also the anchor in `docs/errors.md`. */
  readonly code: ProblemCode
  /** The option or place, as a path: `allow[0]`, `clientIp.header`. Empty where no option is at fault. */
  readonly path: string
  /**
   * The offending value. Of an object or a function it is a short description, of a secret `'…'`; of an unknown option it
   * is the name.
   */
  readonly value: unknown
  /** One sentence that says what is wrong. */
  readonly message: string
  /** One sentence that says what to do. */
  readonly fix: string
}

/** A problem as one line: path, message, fix. */
export function problemLine({ path, message, fix }: Omit<Problem, 'code' | 'value'>): string {
  return `${path === '' ? '' : `${path}: `}${message} ${fix}`
}

/** Every {@link Suspicion}. */
export const SUSPICIONS = ['wide', 'private', 'shrunk', 'grown', 'older', 'future', 'changed'] as const

/**
 * What can be suspicious about a list, as the option `confirm` names it:
 *
 * - `wide`: a prefix is shorter than /16, or /32 for IPv6.
 * - `private`: an address is private, loopback, documentation or otherwise reserved.
 * - `shrunk`: of the addresses that a route accepts of a data center, more than half are gone.
 * - `grown`: it covers more than ten times as many addresses as the list in use, and more than a /12, or a /28 for IPv6.
 * - `older`: it was retrieved before the list in use.
 * - `future`: it is newer than the list in use, and dated more than a day ahead.
 * - `changed`: the source is the help page, and more than twelve of its cells changed at once.
 */
export type Suspicion = (typeof SUSPICIONS)[number]

/** One reason why a list is suspicious. */
export interface SuspiciousReason {
  /** What the option `confirm` calls it. */
  readonly suspicion: Suspicion
  /** One sentence. */
  readonly message: string
}

/** A problem without its code, which the class of the error supplies. */
type Details = Omit<Problem, 'code' | 'path'> & { readonly path?: string }

/** An error that carries a {@link Problem}. */
function problemError(Base: ErrorConstructor) {
  return class<Code extends ProblemCode> extends Base implements Problem {
    /** The code, such as `MOE_ERR_OPTIONS`: a name that stays when the wording of the message changes. */
    readonly code: Code
    /** The status with which a server answers where nobody handles the error: 500. */
    readonly statusCode = 500
    readonly path: string
    readonly value: unknown
    readonly fix: string
    /** The section that explains the error, in this package. */
    readonly docs: string

    constructor(code: Code, { path = '', value, message, fix }: Details) {
      const docs = `docs/errors.md#${code.toLowerCase()}`
      super(`${problemLine({ path, message, fix })} (${docs})`)
      this.code = code
      this.path = path
      this.value = value
      this.fix = fix
      this.docs = docs
    }
  }
}

/** What the caller wrote is wrong. */
const CallerError = problemError(TypeError)
/** What came from elsewhere is wrong: a page, a source, an order of calls. */
const OutsideError = problemError(Error)

/** Whether an error is one of this package, with a {@link Problem}. */
export function isOwnError(error: unknown): error is Error & Problem {
  try {
    return error instanceof CallerError || error instanceof OutsideError
  } catch {
    // A proxy may throw where its prototype is read.
    return false
  }
}

/** A text is not an address or prefix that this package accepts. */
export class PrefixError extends CallerError<'MOE_ERR_PREFIX'> {
  constructor(details: Details) {
    super('MOE_ERR_PREFIX', details)
  }
}

/** A data center name is unknown, or could mean more than one. */
export class DataCenterError extends CallerError<'MOE_ERR_DATA_CENTER'> {
  constructor(details: Details) {
    super('MOE_ERR_DATA_CENTER', details)
  }
}

/** A channel name is unknown. */
export class ChannelError extends CallerError<'MOE_ERR_CHANNEL'> {
  constructor(details: Details) {
    super('MOE_ERR_CHANNEL', details)
  }
}

/** MoEngage publishes no address for what was selected, so no request could ever be verified. */
export class NoAddressesError extends CallerError<'MOE_ERR_NO_ADDRESSES'> {
  constructor(details: Details) {
    super('MOE_ERR_NO_ADDRESSES', details)
  }
}

/** A snapshot of the directory is damaged or incomplete. */
export class SnapshotError extends CallerError<'MOE_ERR_SNAPSHOT'> {
  constructor(details: Details) {
    super('MOE_ERR_SNAPSHOT', details)
  }
}

/** A cell of the help page that could not be read, or whose text got lost. */
export interface PageCell {
  /** The heading above the cell's table; empty where there is none. */
  readonly table: string
  /** The row, by its name and data center as the page writes them. */
  readonly row: string
  /** The column's header. */
  readonly column: string
  /** The text of the cell; may be empty. */
  readonly text: string
  /** One sentence that says why it could not be read. */
  readonly message: string
}

/** MoEngage's help page could not be read as a whole. Nothing is imported from it; `cells` lists the cells at fault. */
export class PageError extends OutsideError<'MOE_ERR_PAGE'> {
  /** Every cell that could not be read; empty where the page as such is at fault. */
  readonly cells: readonly PageCell[]

  constructor(details: Details, cells: readonly PageCell[] = []) {
    super('MOE_ERR_PAGE', details)
    this.cells = Object.freeze([...cells])
  }
}

/** A source could not deliver a directory. The list that was in use stays in use. */
export class SourceError extends OutsideError<'MOE_ERR_SOURCE'> {
  constructor(details: Details) {
    super('MOE_ERR_SOURCE', details)
  }
}

/**
 * A list is well-formed, but differs so much from what MoEngage publishes, or from the list in use, that it may be a mistake
 * or an attack. The list that was in use stays in use; without one, the guard does not start.
 */
export class SuspiciousError extends OutsideError<'MOE_ERR_SUSPICIOUS'> {
  /** Every reason, with the word that confirms it. */
  readonly reasons: readonly SuspiciousReason[]

  constructor(reasons: readonly SuspiciousReason[], source: string) {
    const words = [...new Set(reasons.map(({ suspicion }) => `'${suspicion}'`))].join(', ')
    super('MOE_ERR_SUSPICIOUS', {
      path: 'source',
      value: source,
      message: `The list of "${source}" is suspicious:\n${reasons.map(({ message }) => `  - ${message}`).join('\n')}\n`,
      fix: `Look at it. If it is right, confirm it: confirm: [${words}].`
    })
    this.reasons = Object.freeze([...reasons])
  }
}

/**
 * A signed document is not accepted, or cannot be made: its signature, its name, version or expiry are wrong, a key cannot be read,
 * or the package `jose` is missing. The list that was in use stays in use.
 */
export class SignatureError extends OutsideError<'MOE_ERR_SIGNATURE'> {
  constructor(details: Details) {
    super('MOE_ERR_SIGNATURE', details)
  }
}

/** A format cannot express what was selected for an export. Nothing is written. */
export class ExportError extends CallerError<'MOE_ERR_EXPORT'> {
  constructor(details: Details) {
    super('MOE_ERR_EXPORT', details)
  }
}

/** A list may be wrong in every line; the message names the first ones. */
const MOST_LISTED = 20

/**
 * A list of your own addresses cannot be read, or a form of MoEngage cannot take it. Nothing is written; `mistakes` lists every
 * mistake that was found.
 */
export class EgressError extends CallerError<'MOE_ERR_EGRESS'> {
  /** All mistakes that were found. */
  readonly mistakes: readonly Problem[]

  constructor(mistakes: readonly Problem[], value: unknown) {
    const listed = mistakes.slice(0, MOST_LISTED).map((mistake) => `  - ${problemLine(mistake)}`)
    if (mistakes.length > MOST_LISTED) listed.push(`  - and ${mistakes.length - MOST_LISTED} more`)
    super('MOE_ERR_EGRESS', {
      value,
      message: `Your list has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${listed.join('\n')}\n`,
      fix: 'Correct the list.'
    })
    this.mistakes = Object.freeze([...mistakes])
  }
}

/** The store of a fleet could not be read or changed. */
export class FleetError extends OutsideError<'MOE_ERR_FLEET'> {
  constructor(details: Details) {
    super('MOE_ERR_FLEET', details)
  }
}

/** The plugin is registered where a registration is already in force. */
export class RegisteredTwiceError extends OutsideError<'MOE_ERR_REGISTERED_TWICE'> {
  constructor(details: Details) {
    super('MOE_ERR_REGISTERED_TWICE', details)
  }
}

/** A Lambda function was called with an event that none of the servers in front of functions sends, so it cannot be answered either. */
export class EventError extends OutsideError<'MOE_ERR_EVENT'> {
  constructor(details: Details) {
    super('MOE_ERR_EVENT', details)
  }
}

/** The options are wrong, or a list lacks what they name; `mistakes` has every mistake that was found. */
export class OptionsError extends CallerError<'MOE_ERR_OPTIONS'> {
  /** All mistakes that were found. Their values, by path, are the `value` of the error. */
  readonly mistakes: readonly Problem[]

  /**
   * @param list the source whose list lacks what right options name; undefined where the options themselves are wrong
   */
  constructor(mistakes: readonly Problem[], list?: string) {
    super('MOE_ERR_OPTIONS', {
      value: Object.fromEntries(mistakes.map(({ path, value }) => [path, value])),
      ...(list === undefined ? wrongOptions(mistakes) : lackingList(mistakes, list))
    })
    this.mistakes = Object.freeze([...mistakes])
  }
}

function wrongOptions(mistakes: readonly Problem[]): Pick<Problem, 'message' | 'fix'> {
  const lines = mistakes.map((mistake) => `  - ${problemLine(mistake)} (${mistake.code})`)
  return {
    message: `${mistakes.length === 1 ? 'One option is' : `${mistakes.length} options are`} wrong:\n${lines.join('\n')}\n`,
    fix: 'Correct the options.'
  }
}

function lackingList(mistakes: readonly Problem[], list: string): Pick<Problem, 'message' | 'fix'> {
  const lines = mistakes.map(({ path, value, code }) => `  - ${path}: It has no address for ${value}. (${code})`)
  return {
    message: `The list of "${list}" lacks what the options name:\n${lines.join('\n')}\n`,
    fix: 'Correct the list: the options were right for the list in use, which stays in use.'
  }
}

/** An error that is answered, with a message that is written for the sender. */
abstract class AnsweredError<Code extends ProblemCode, Status extends number> extends Error {
  /** A name that stays when the wording of the message changes. */
  readonly code: Code
  /** The status of the answer. */
  readonly statusCode: Status

  constructor(code: Code, statusCode: Status, message: string) {
    super(message)
    this.code = code
    this.statusCode = statusCode
  }

  /** The same as `statusCode`, by the name that Express and its middleware use. */
  get status(): Status {
    return this.statusCode
  }

  /** That the sender may see the message, by the name that Koa, Nest and `http-errors` use. */
  get expose(): true {
    return true
  }
}

/**
 * Answered (500) on a route whose `config.moengage` is wrong, where that could not be seen at the start. The
 * mistakes are logged; the sender does not see them.
 */
export class RouteError extends AnsweredError<'MOE_ERR_ROUTE', 500> {
  constructor() {
    super('MOE_ERR_ROUTE', 500, 'This route is not set up correctly.')
  }
}

/**
 * Answered (503) while there is no list yet: it is still loading, or its source failed and the log has the reason. Also
 * thrown by the methods of a guard that is not ready.
 */
export class NotReadyError extends AnsweredError<'MOE_ERR_NOT_READY', 503> {
  constructor() {
    super('MOE_ERR_NOT_READY', 503, 'The list of senders is not loaded yet.')
  }
}

/** `Error` without its constructor, which captures a stack: that alone takes 200 times as long as all of `RejectedError`. */
const StacklessError = function StacklessError() {} as unknown as new () => Error
Object.defineProperty(StacklessError, 'prototype', { value: Error.prototype })

/**
 * Thrown for a request that is rejected. It carries the verdict for your `setErrorHandler`, and no stack: capturing one
 * costs more than serving the request. The message names neither the reason nor what would have been accepted.
 */
export class RejectedError<V = unknown> extends StacklessError {
  /** A name that stays when the wording of the message changes. */
  readonly code = 'MOE_ERR_REJECTED'
  /** The status of the answer: the option `statusCode`, 403 unless it was set. */
  readonly statusCode: number
  /** The same for every rejection. */
  override readonly message = 'The sender of this request could not be verified.'
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

  /** That the sender may see the message, by the name that Koa, Nest and `http-errors` use. */
  get expose(): true {
    return true
  }

  /** Why the request was rejected. Neither enumerable nor part of the answer; the guard's own log line has it. */
  get verdict(): V {
    return this.#verdict
  }
}

const CLASSES = {
  PrefixError,
  DataCenterError,
  ChannelError,
  NoAddressesError,
  SnapshotError,
  PageError,
  SourceError,
  SuspiciousError,
  SignatureError,
  ExportError,
  EgressError,
  FleetError,
  RegisteredTwiceError,
  EventError,
  OptionsError,
  RouteError,
  NotReadyError,
  RejectedError
}
// Written out, because a minifier may rename the classes.
for (const [name, { prototype }] of Object.entries(CLASSES)) Object.defineProperty(prototype, 'name', { value: name })
