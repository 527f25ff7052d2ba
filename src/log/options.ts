import type { OptionRule, OptionTable, OptionValues } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import { duration, number, oneOf } from '../lib/option-rules.js'
import { shown } from '../lib/text.js'
import { type Duration, LONGEST_TIMER, MINUTE, SECOND } from '../lib/time.js'

/** How many lines about rejections are written. A rejection without a line is counted in a later one. */
export interface LogOptions {
  /**
   * Lines a second in the long run, from 0.1; ten seconds' worth may come at once (10). Senders whose address MoEngage
   * publishes for something else have as many lines again, which a flood of strangers cannot use up.
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
    example: `'1m'`,
    unit: 's'
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
  read: (option) =>
    typeof option.value === 'object' && option.value !== null
      ? OptionReader.inside(LOG_OPTIONS, option).readAll()
      : option.refuse(`${shown(option.value)} is not an object.`, 'Write { linesPerSecond: 1 }, or leave it out.')
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** The options that concern the log, by name. */
export const LOGGING_OPTIONS = {
  logLevel: oneOf<(typeof LEVELS)[number]>(LEVELS, 'log level', 'warn'),
  log: LOG
} satisfies OptionTable
