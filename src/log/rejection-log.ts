import type { EarlierVerdict } from '../client-ip/incoming.js'
import { type Problem, problemLine } from '../errors.js'
import type { Guard, PolicyOptions } from '../guard/guard.js'
import type { GuardStatus } from '../guard/status.js'
import { type OptionRule, type OptionTable, type OptionValues, propertyOf } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import { duration, number, oneOf } from '../lib/option-rules.js'
import { shown } from '../lib/text.js'
import { CLOCK, type Clock, type Duration, hasPassed, LONGEST_TIMER, MINUTE, SECOND } from '../lib/time.js'
import { noCounts, type Reason, type RejectedVerdict, type VerifiedVerdict } from '../verdict/verdict.js'
import {
  type LoggedRequest,
  rejectionLine,
  reloadLine,
  type SummaryLine,
  summaryLine,
  summaryMessage,
  withoutSecretLine
} from './lines.js'
import { isLogger, LINE_LEVELS, type LineLevel, type Logger, type LogLevel, type SafeLogger } from './logger.js'
import { countOf, HourlyThrottle, type Mode, Throttle } from './throttle.js'

/** How a guard logs. */
export interface RejectionLogSettings<Request> {
  /** The level of a rejection. */
  readonly level: LogLevel
  readonly pace: LogPace
  /** Writes the lines that belong to no request. */
  readonly logger: SafeLogger
  /** What a line says about its request; called only for a line that is written. */
  readonly loggedRequest: (request: Request) => LoggedRequest
  readonly clock?: Clock
}

/** What the log needs to know of a route. */
export interface LoggedRoute {
  readonly policy: PolicyOptions | undefined
  readonly actions: { readonly mode: Mode }
}

/** The longest time without a summary, which also counts the verified requests. */
const LONGEST_WITHOUT_SUMMARY = 3_600_000

/** What the log reads from a guard. @internal */
type LoggedGuard = Pick<
  Guard,
  'status' | 'senders' | 'redacted' | 'redactedAddress' | 'about' | 'policy' | 'header' | 'isOwn' | 'noteOutcome'
>

/** A rejection that has a line. */
interface WrittenRejection<Request> {
  readonly verdict: RejectedVerdict
  readonly route: LoggedRoute
  readonly request: Request
  /** How many like it had none since the last one. */
  readonly suppressed: number
  readonly level: LineLevel
}

/** Writes what a guard logs: rejections, summaries, reloads and warnings. A logger that fails affects nothing else. */
export class RejectionLog<Request> {
  readonly #guard: LoggedGuard
  readonly #settings: RejectionLogSettings<Request>
  readonly #logger: SafeLogger
  readonly #clock: Clock
  readonly #throttle: Throttle
  readonly #withoutSecret: HourlyThrottle
  readonly #diagnosed = new Set<Reason>()
  readonly #warned = new Set<string>()
  /** What all summaries reported together, and up to when. */
  readonly #reported = {
    until: 0,
    verified: 0,
    verifiedByAllow: 0,
    verifiedWithoutSecret: 0,
    rejected: noCounts(),
    rejectedWithSecret: noCounts()
  }
  #lastSummary: number
  /** The logger of the last request that had a line; undefined where requests have none. */
  #lineLogger: Logger | undefined
  #stopTimer: () => void

  /** @internal */
  constructor(guard: LoggedGuard, settings: RejectionLogSettings<Request>) {
    this.#guard = guard
    this.#settings = settings
    this.#logger = settings.logger
    this.#clock = settings.clock ?? CLOCK
    this.#throttle = new Throttle(settings.pace.linesPerSecond)
    this.#withoutSecret = new HourlyThrottle(settings.pace.linesPerSecond)
    this.#lastSummary = this.#clock.now()
    this.#reported.until = this.#lastSummary
    this.#stopTimer = this.#startTimer()
  }

  #startTimer(): () => void {
    return this.#clock.after(this.#settings.pace.summaryEvery, () => {
      this.#stopTimer = this.#startTimer()
      this.#summarize(false)
    })
  }

  /**
   * Logs a rejection once a request and mode, unless it is throttled; a misconfiguration is also logged once, as an error.
   *
   * @param logger the logger of the request; undefined where it has none
   * @param earlier the verdict by which the request was counted before
   */
  rejection(
    logger: Logger | undefined,
    verdict: RejectedVerdict,
    earlier: EarlierVerdict | undefined,
    route: LoggedRoute,
    request: Request
  ): void {
    const { level } = this.#settings
    const { mode } = route.actions
    const { reason, carriesSecret } = verdict
    const withSecret = carriesSecret === true
    if (!this.#guard.noteOutcome(verdict, mode, earlier)) return
    if (isMisconfiguration(reason) && !this.#diagnosed.has(reason)) this.#logDiagnosis(logger, verdict)
    if (level === 'silent') return
    if (!this.#logger.isEnabled(level, logger)) {
      this.#throttle.withhold(mode, reason, 1, withSecret)
      return
    }
    const suppressed = this.#throttle.admit(verdict, mode, this.#clock.now())
    // Written apart: a function with a closure allocates what the closure sees at each call, and most rejections have no line.
    if (suppressed !== undefined) this.#writeRejection(logger, { verdict, route, request, suppressed, level })
  }

  #writeRejection(
    logger: Logger | undefined,
    { verdict, route, request, suppressed, level }: WrittenRejection<Request>
  ): void {
    const { mode } = route.actions
    const { reason } = verdict
    const withSecret = verdict.carriesSecret === true
    this.#lineLogger = logger
    const makeLine = () => {
      const loggedRequest = this.#settings.loggedRequest(request)
      const rejection = { verdict, mode, policy: route.policy, request: loggedRequest, suppressed }
      const line = rejectionLine(this.#guard, rejection)
      const outcome = mode === 'tag' ? 'would be rejected' : 'rejected'
      const evidence = withSecret ? ', and carries your secret' : ''
      const message = `${line.clientIp ?? 'Unknown client'} ${outcome}: ${reason}${evidence}`
      return { level, fields: { moengage: line }, message }
    }
    this.#logger.write(makeLine, () => this.#throttle.withhold(mode, reason, 1 + suppressed, withSecret), logger)
  }

  /**
   * Logs a verified request that does not carry the secret, of each address once an hour.
   *
   * @param logger the logger of the request; undefined where it has none
   */
  withoutSecret(logger: Logger | undefined, verdict: VerifiedVerdict, request: Request): void {
    const { level } = this.#settings
    if (level === 'silent' || !this.#logger.isEnabled(level, logger)) return
    const suppressed = this.#withoutSecret.admit(verdict.clientIp, this.#clock.now())
    if (suppressed === undefined) return
    const makeLine = () => {
      const line = withoutSecretLine(verdict, this.#settings.loggedRequest(request), suppressed)
      return { level, fields: { moengage: line }, message: `${line.clientIp} verified, without your secret` }
    }
    this.#logger.write(makeLine, undefined, logger)
  }

  #logDiagnosis(logger: Logger | undefined, verdict: RejectedVerdict): void {
    const { reason } = verdict
    if (!this.#logger.isEnabled('error', logger)) return
    this.#diagnosed.add(reason)
    const makeLine = () => {
      const { hint } = this.#guard.redacted(verdict)
      const fields = { moengage: { event: 'moengage.diagnosis', reason, hint } }
      return { level: 'error' as const, fields, message: `${reason}: ${hint}` }
    }
    this.#logger.write(makeLine, undefined, logger)
  }

  /** Logs the warnings that were not logged yet. */
  warnings(): void {
    for (const warning of this.#guard.status().warnings) this.warning(warning)
  }

  /** Logs a warning, unless it was logged before. */
  warning(warning: Problem): void {
    const message = problemLine(warning)
    if (this.#warned.has(message)) return
    this.#warned.add(message)
    const line = { level: 'warn' as const, fields: { moengage: warning }, message }
    this.#logger.write(
      () => line,
      () => this.#warned.delete(message)
    )
  }

  /** Logs the outcome of a reload, and the warnings that came with it. */
  reloaded(error: Error | null, status: GuardStatus): void {
    this.#logger.write(() => reloadLine(error, status))
    this.warnings()
  }

  /** Stops the timer, and logs a last summary. */
  close(): void {
    this.#stopTimer()
    this.#summarize(true)
  }

  /**
   * Logs a summary of the rejections without a line; hourly and on close, also the number of verified requests. Where lines of
   * the configured level are off, the rejections wait for the hourly summary, which then has level `info`. Where the guard's logger
   * leaves out what the requests' loggers write, the summary goes to one of these: it counts what belongs to their lines.
   */
  #summarize(isLast: boolean): void {
    const { level } = this.#settings
    if (level === 'silent') return
    const now = this.#clock.now()
    const isDue = isLast || hasPassed(LONGEST_WITHOUT_SUMMARY, this.#lastSummary, now)
    const isLevelOn = this.#writes(level)
    if (!isLevelOn && !(isDue && this.#writes('info'))) return
    const withheld = this.#throttle.take(now, isLast)
    const count = countOf(withheld.counts)
    if (count === 0 && !isDue) return
    const line = summaryLine(this.#guard, this.#guard.status(), this.#reported, withheld)
    const lineLevel = count > 0 && isLevelOn ? level : 'info'
    const isEmpty = count === 0 && line.verified === 0 && Object.keys(line.rejected).length === 0
    if (isEmpty || !this.#writes(lineLevel)) return
    this.#lastSummary = now
    const { until } = this.#reported
    this.#reported.until = now
    this.#report(line, 1)
    this.#logger.write(
      () => ({ level: lineLevel, fields: { moengage: line }, message: summaryMessage(line, count) }),
      () => {
        this.#throttle.putBack(withheld)
        this.#report(line, -1)
        // The next summary counts them. Another one may have been written in between.
        this.#reported.until = Math.min(until, this.#reported.until)
      },
      this.#logger.isEnabled(lineLevel) ? undefined : this.#lineLogger
    )
  }

  /** Whether a summary of this level would be written, by the guard's logger or a request's. */
  #writes(level: LineLevel): boolean {
    return this.#logger.isEnabled(level) || this.#logger.isEnabled(level, this.#lineLogger)
  }

  /** Adds the counts of a summary to what was reported, or takes them back. */
  #report(line: SummaryLine, sign: 1 | -1): void {
    const reported = this.#reported
    reported.verified += sign * line.verified
    reported.verifiedByAllow += sign * line.verifiedByAllow
    reported.verifiedWithoutSecret += sign * line.verifiedWithoutSecret
    for (const name of ['rejected', 'rejectedWithSecret'] as const) {
      for (const [reason, count] of Object.entries(line[name])) reported[name][reason as Reason] += sign * count
    }
  }
}

/** Whether a reason says more about the configuration than about the sender. */
function isMisconfiguration(reason: Reason): boolean {
  return reason === 'permissive-trust' || reason === 'proxy-not-configured'
}

/** How many lines about rejections are written. A rejection without a line is counted in a later one. */
export interface LogOptions {
  /**
   * Lines a second in the long run, from 0.1; ten seconds' worth may come at once (10). Senders whose address MoEngage
   * publishes for something else have as many lines again, which a flood of strangers cannot use up; so have senders with your
   * secret, and verified ones without it.
   */
  readonly linesPerSecond?: number | undefined
  /** Interval between summaries of the rejections that got no line, from `'1s'` (`'1m'`). */
  readonly summaryEvery?: Duration | undefined
}

/** The options inside of `log`, by name. */
const LOG_OPTIONS = {
  linesPerSecond: number({ fallback: 10, of: 'lines a second', min: 0.1, max: 10_000, isWhole: false }),
  summaryEvery: duration({
    min: SECOND,
    max: LONGEST_TIMER,
    doubtful: SECOND,
    fallback: MINUTE,
    example: `'1m'`
  })
} satisfies OptionTable

/** {@link LogOptions} that are right. */
export type LogPace = Readonly<OptionValues<typeof LOG_OPTIONS>>

const DEFAULTS: LogPace = {
  linesPerSecond: LOG_OPTIONS.linesPerSecond.fallback,
  summaryEvery: LOG_OPTIONS.summaryEvery.fallback
}

const LOG: OptionRule<LogPace> = {
  fallback: DEFAULTS,
  example: '{ linesPerSecond: 1 }',
  group: { table: LOG_OPTIONS, beside: () => [] },
  read(option) {
    const { value, scope } = option
    if (typeof value !== 'object' || value === null) {
      return option.refuse(`${shown(value)} is not an object.`, 'Write { linesPerSecond: 1 }, or leave it out.')
    }
    if (!isMuchLikeLogger(value)) return OptionReader.inside(LOG_OPTIONS, option).readAll()
    const message = `${shown(value)} is a logger, while log says how many lines are written.`
    return option.refuse(message, scope.foreign.logger ?? loggerFix(value))
  }
}

/** Whether something has methods of a logger: the console lacks some of pino's. */
function isMuchLikeLogger(value: object): boolean {
  return ['info', 'warn', 'error'].every((method) => typeof propertyOf(value, method) === 'function')
}

function loggerFix(value: object): string {
  return isLogger(value)
    ? 'Pass it as logger, in place of log.'
    : `Leave it out, or write logger: pino(): any logger with pino's methods ${LINE_LEVELS.join(', ')}.`
}

const LEVELS = [...LINE_LEVELS, 'silent'] as const

/** The options that concern the log, by name. */
export const LOGGING_OPTIONS = {
  logLevel: oneOf<(typeof LEVELS)[number]>(LEVELS, 'log level', 'warn'),
  log: LOG
} satisfies OptionTable
