import type { Guard } from '../guard/guard.js'
import type { Reason, RejectedVerdict } from '../guard/verdict.js'
import { problemLine } from '../problem.js'

/** The levels of pino, and of a Fastify logger. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** A logger with pino's methods: the fields of a line first, then its text. */
export type Logger = Readonly<Record<Exclude<LogLevel, 'silent'>, (fields: object, message: string) => void>>

const METHODS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']

/** Whether something has a logger's methods. */
export function isLogger(logger: unknown): logger is Logger {
  const methods = logger as Record<string, unknown> | null | undefined
  return METHODS.every((method) => typeof methods?.[method] === 'function')
}

/** What a guard writes to the log, whatever framework it stands in. */
export class GuardLog {
  readonly #guard: Pick<Guard, 'status'>
  readonly #level: LogLevel
  readonly #diagnosed = new Set<Reason>()
  readonly #warned = new Set<string>()

  /** @param level of a rejection */
  constructor(guard: Pick<Guard, 'status'>, level: LogLevel) {
    this.#guard = guard
    this.#level = level
  }

  /** One line a rejection; a diagnosis is told once besides. */
  rejection(log: Logger, verdict: RejectedVerdict, mode: 'reject' | 'tag'): void {
    const { clientIp, reason, hint } = verdict
    if (isDiagnosis(reason) && !this.#diagnosed.has(reason)) {
      this.#diagnosed.add(reason)
      log.error({ moengage: verdict }, `${reason}: ${hint}`)
    }
    if (this.#level === 'silent') return
    const outcome = mode === 'tag' ? 'would be rejected' : 'rejected'
    log[this.#level]({ moengage: verdict }, `${clientIp ?? 'Unknown client'} ${outcome}: ${reason}`)
  }

  /** The warnings that were not told yet. */
  warnings(log: Pick<Logger, 'warn'>): void {
    for (const warning of this.#guard.status().warnings) {
      const line = problemLine(warning)
      if (!this.#warned.has(line)) log.warn({ moengage: warning }, line)
      this.#warned.add(line)
    }
  }
}

/** Whether a reason says more about the set-up than about the sender; such a one is told once, as an error. */
function isDiagnosis(reason: Reason): boolean {
  return reason === 'permissive-trust' || reason === 'proxy-not-configured'
}
