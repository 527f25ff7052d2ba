import { callBack, inTime, type Keep, once } from '../lib/promise.js'
import { messageLineOf, withFullStop } from '../lib/text.js'
import { SECOND } from '../lib/time.js'
import { emitWarning } from '../lib/warning.js'

/** Every {@link LineLevel}. */
export const LINE_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

/** A level at which a line can be written. */
export type LineLevel = (typeof LINE_LEVELS)[number]

/** The levels of pino, and of a Fastify logger. */
export type LogLevel = LineLevel | 'silent'

/** A logger with pino's methods: the fields of a line first, then its text. */
export type Logger = Readonly<Record<LineLevel, (fields: object, message: string) => void>> & {
  /** Whether a line of this level would be written; without it, every level is. */
  readonly isLevelEnabled?: (level: string) => boolean
  /**
   * Writes what is still in a buffer, as pino's `flush` does; called at the end of each call of a Lambda function. It has ended when
   * `done` is called, or when a promise that it returns has settled; the call waits for it no longer than two seconds.
   */
  readonly flush?: (done: (error?: unknown) => void) => unknown
}

/** How long a flush is waited for: MoEngage waits five seconds for the whole answer. */
const LONGEST_FLUSH = 2 * SECOND

/** One line of a log. */
export interface LogLine {
  readonly level: LineLevel
  readonly fields: object
  readonly message: string
}

/** Whether a value has a logger's methods. */
export function isLogger(logger: unknown): logger is Logger {
  const methods = logger as Record<string, unknown> | null | undefined
  return LINE_LEVELS.every((method) => typeof methods?.[method] === 'function')
}

/** A method of a logger for each level. */
export function methodsByLevel(
  method: (level: LineLevel) => Logger[LineLevel]
): Readonly<Record<LineLevel, Logger[LineLevel]>> {
  return Object.fromEntries(LINE_LEVELS.map((level) => [level, method(level)])) as Record<LineLevel, Logger[LineLevel]>
}

/**
 * Writes to a logger that may throw, or return a promise that rejects: neither reaches a request, and neither ends the process.
 * The first failure is reported as a warning of the process.
 */
export class SafeLogger {
  readonly #logger: Logger
  readonly #keep: Keep | undefined
  readonly #warn = once(warnOfLogger)

  /** @param keep called with each promise of the logger */
  constructor(logger: Logger, keep?: Keep) {
    this.#logger = logger
    this.#keep = keep
  }

  /** Writes a line of level `error`. */
  error(fields: object, message: string): void {
    this.write(() => ({ level: 'error', fields, message }))
  }

  /**
   * Writes a line.
   *
   * @param makeLine makes the line; it may throw as well
   * @param lost called where the line was not written: at once, or when a promise of the logger rejects
   * @param to a logger of one request, where the line is about that
   */
  write(makeLine: () => LogLine, lost: () => void = () => {}, to: Logger = this.#logger): void {
    callBack(
      () => {
        const { level, fields, message } = makeLine()
        return to[level](fields, message)
      },
      (error) => {
        lost()
        this.#warn(error)
      },
      this.#keep
    )
  }

  /** Resolves when the logger has written what is still in its buffer, or has not ended in time. Never rejects. */
  async flush(): Promise<void> {
    const logger = this.#logger
    if (logger.flush === undefined) return
    const flushed = new Promise<void>((resolve) => {
      const failed = (error: unknown) => {
        this.#warn(error)
        resolve()
      }
      const done = (error?: unknown) => (error ? failed(error) : resolve())
      callBack(
        () => logger.flush!(done),
        failed,
        (ended) => ended.then(() => resolve())
      )
    })
    if (await inTime(flushed, LONGEST_FLUSH)) return
    this.#warn(new Error(`Its flush neither called back nor ended within ${LONGEST_FLUSH} ms`))
  }

  /** Whether a line of this level would be written. */
  isEnabled(level: LineLevel, to: Logger = this.#logger): boolean {
    let answer: unknown
    const ask = () => {
      answer = to.isLevelEnabled?.(level)
      return answer
    }
    callBack(ask, this.#warn)
    // A promise is no answer, and neither is an error: the line is written, or the logger leaves it out by itself.
    return answer !== false
  }
}

function warnOfLogger(error: unknown): void {
  emitWarning(
    `The logger of moengage-allowlist failed: ${withFullStop(messageLineOf(error))} Its lines are lost; rejections without a line are ` +
      'counted in the next summary. Further failures are not reported.',
    { code: 'MOE_WARN_LOGGER', detail: 'docs/errors.md#moe_warn_logger' }
  )
}
