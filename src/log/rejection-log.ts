import { problemLine } from '../errors.js'
import type { Guard, PolicyOptions } from '../guard/guard.js'
import type { GuardStatus } from '../guard/status.js'
import { counted } from '../senders/diagnosis.js'
import type { Reason, RejectedVerdict } from '../verdict/verdict.js'
import { type Facts, KINDS, kindOf, noSender, rejectionLine, summaryLine } from './lines.js'
import type { LogPace } from './options.js'
import { reloadNews } from './reload-line.js'
import { Throttle, WITHHELD } from './throttle.js'

/** The levels of pino, and of a Fastify logger. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** A logger with pino's methods: the fields of a line first, then its text. */
export type Logger = Readonly<Record<Exclude<LogLevel, 'silent'>, (fields: object, message: string) => void>> & {
  /** Spares what is not written anyway. */
  readonly isLevelEnabled?: (level: string) => boolean
}

/** How a guard logs. */
export interface RejectionLogSettings<Request> {
  /** The level of a rejection. */
  readonly level: LogLevel
  readonly pace: LogPace
  /** Takes the lines that belong to no request. */
  readonly logger: Logger
  /** What a line says of its request; only asked when the line is written. */
  readonly facts: (request: Request) => Facts
}

/** A summary is due after so long, whatever happened: it tells how many requests were verified. */
const SUMMARY_AT_MOST = 3_600_000

/** A bucket of lines for those that MoEngage publishes, which strangers cannot use up, and one for everybody else. */
const LISTED: ReadonlySet<Reason> = new Set(['other-data-center', 'other-channel', 'stale-list'])

/** What is asked of a guard. @internal */
type Log = Pick<Guard, 'status' | 'topSenders' | 'redacted' | 'redactedAddress' | 'about' | 'policy' | 'header'>

const METHODS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']

/** Whether something has a logger's methods. */
export function isLogger(logger: unknown): logger is Logger {
  const methods = logger as Record<string, unknown> | null | undefined
  return METHODS.every((method) => typeof methods?.[method] === 'function')
}

/** What a guard writes to the log, whatever framework it stands in. */
export class RejectionLog<Request> {
  readonly #guard: Log
  readonly #settings: RejectionLogSettings<Request>
  readonly #throttle: Throttle
  readonly #diagnosed = new Set<Reason>()
  readonly #warned = new Set<string>()
  readonly #timer: NodeJS.Timeout
  #summarized: { readonly at: number; readonly verified: number; readonly rejected: Readonly<Record<Reason, number>> }

  /** @internal */
  constructor(guard: Log, settings: RejectionLogSettings<Request>) {
    this.#guard = guard
    this.#settings = settings
    this.#throttle = new Throttle(settings.pace, KINDS, 2)
    const { verified, rejected } = guard.status()
    this.#summarized = { at: Date.now(), verified, rejected }
    this.#timer = setInterval(() => this.#summarize(false), settings.pace.summaryEvery).unref()
  }

  /** A line for a rejection that is worth one; a diagnosis is told once besides. */
  rejection(
    log: Logger,
    verdict: RejectedVerdict,
    mode: 'reject' | 'tag',
    policy: PolicyOptions | undefined,
    request: Request
  ): void {
    const { level } = this.#settings
    const { reason } = verdict
    if (isDiagnosis(reason) && !this.#diagnosed.has(reason)) {
      this.#diagnosed.add(reason)
      const { hint } = this.#guard.redacted(verdict)
      log.error({ moengage: { event: 'moengage.diagnosis', reason, hint } }, `${reason}: ${hint}`)
    }
    if (level === 'silent' || log.isLevelEnabled?.(level) === false) return
    const sender = verdict.clientIp ?? noSender(verdict.peer)
    const bucket = LISTED.has(reason) ? 1 : 0
    const suppressed = this.#throttle.admit(sender, kindOf(reason, mode), bucket, Date.now())
    if (suppressed === WITHHELD) return
    const line = rejectionLine(this.#guard, verdict, mode, policy, this.#settings.facts(request), suppressed)
    const outcome = mode === 'tag' ? 'would be rejected' : 'rejected'
    log[level]({ moengage: line }, `${line.clientIp ?? 'Unknown client'} ${outcome}: ${reason}`)
  }

  /** The warnings that were not told yet. */
  warnings(): void {
    for (const warning of this.#guard.status().warnings) {
      const line = problemLine(warning)
      if (!this.#warned.has(line)) this.#settings.logger.warn({ moengage: warning }, line)
      this.#warned.add(line)
    }
  }

  /** Tells what came of a reload, and the warnings that came with it. */
  reloaded(error: Error | null, status: GuardStatus): void {
    const { level, line, moengage } = reloadNews(error, status)
    this.#settings.logger[level]({ moengage }, line)
    this.warnings()
  }

  /** Tells what is left to tell, and stops. */
  close(): void {
    clearInterval(this.#timer)
    this.#summarize(true)
  }

  /** Tells what no line told; and every hour, and at the end, how many requests there were. */
  #summarize(isLast: boolean): void {
    const { logger, level } = this.#settings
    if (level === 'silent') return
    const now = Date.now()
    const withheld = this.#throttle.take(now, isLast)
    const missing = withheld.byKind.reduce((sum, count) => sum + count, 0)
    // A clock that was set back must not silence what is due every hour.
    const isDue = isLast || Math.abs(now - this.#summarized.at) >= SUMMARY_AT_MOST
    if (missing === 0 && !isDue) return
    const status = this.#guard.status()
    const line = summaryLine(this.#guard, status, this.#summarized, withheld)
    if (missing === 0 && line.verified === 0 && Object.keys(line.rejected).length === 0) return
    this.#summarized = { at: now, verified: status.verified, rejected: status.rejected }
    const [cause] = line.diagnosis
    const message = `${counted(missing, 'rejection')} without a line, ${counted(line.verified, 'request')} verified${
      cause === undefined ? '' : `: ${cause}`
    }`
    logger[missing === 0 ? 'info' : level]({ moengage: line }, message)
  }
}

/** Whether a reason says more about the set-up than about the sender; such a one is told once, as an error. */
function isDiagnosis(reason: Reason): boolean {
  return reason === 'permissive-trust' || reason === 'proxy-not-configured'
}
