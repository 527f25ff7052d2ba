import { checkNames, mistake, shown } from '../lib/option-reader.js'
import type { Problem } from '../problem.js'

/** How many lines about rejections are written. A rejection without a line is counted in a later one. */
export interface LogOptions {
  /**
   * Lines a second in the long run, from 0.1; ten seconds' worth may come at once (10). Senders whose address MoEngage
   * publishes for something else have as many lines again, which a flood of strangers cannot use up.
   */
  readonly linesPerSecond?: number | undefined
  /** Interval between summaries of the rejections that got no line, in milliseconds (60,000). */
  readonly summaryEvery?: number | undefined
}

/** Checked {@link LogOptions}. */
export interface LogPace {
  readonly linesPerSecond: number
  readonly summaryEvery: number
}

/** The longest time that a timer of Node waits. */
const LONGEST = 2 ** 31 - 1

const BOUNDS = {
  linesPerSecond: { fallback: 10, min: 0.1, max: 10_000, unit: 'lines a second' },
  summaryEvery: { fallback: 60_000, min: 1000, max: LONGEST, unit: 'milliseconds' }
} as const

/** Reads the option `log`; adds what is wrong with it to `mistakes`. */
export function readLogOptions(options: unknown, mistakes: Problem[]): LogPace {
  const read = (name: keyof LogOptions): number => {
    const { fallback, min, max, unit } = BOUNDS[name]
    const value: unknown = (options as LogOptions | undefined)?.[name]
    if (value === undefined) return fallback
    if (typeof value === 'number' && value >= min && value <= max) return value
    const fix = `Write a number from ${min} to ${max}.`
    mistakes.push(mistake(`log.${name}`, value, `${shown(value)} is not a number of ${unit}.`, fix))
    return fallback
  }
  const isObject = typeof options === 'object' && options !== null
  if (options !== undefined && !isObject) {
    const fix = 'Write an object such as { linesPerSecond: 1 }, or leave it out.'
    mistakes.push(mistake('log', options, `${shown(options)} is not an object.`, fix))
  } else if (isObject) {
    checkNames(options, Object.keys(BOUNDS), 'log', (problem) => mistakes.push(problem))
  }
  return { linesPerSecond: read('linesPerSecond'), summaryEvery: read('summaryEvery') }
}
