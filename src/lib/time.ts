import ms from 'ms'

/** The time and the timers of a guard; a test brings its own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds since some moment; whoever sets the time of day does not change them. */
  elapsed(): number
  /**
   * Runs something once, and does not keep the process alive for it. Returns a function that cancels it.
   *
   * @param run may return a promise, which never rejects: a clock of a server that runs only while it answers waits for it
   */
  after(milliseconds: number, run: () => unknown): () => void
}

export const CLOCK: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds)
    timer.unref()
    return () => clearTimeout(timer)
  }
}

/** Whether some milliseconds have passed since a moment. A clock that was ahead and was set back must not hold up what is due. */
export const hasPassed = (milliseconds: number, since: number, now: number) => Math.abs(now - since) >= milliseconds

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** The longest time that a timer of Node waits, 24 days and a half. */
export const LONGEST_TIMER = 2 ** 31 - 1

/**
 * A time: a number of milliseconds, or a text with its unit: `'500ms'`, `'15s'`, `'5m'`, `'2h'`, `'90d'`, `'2w'`.
 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w'}`

/** Units from the largest, as {@link Duration} names them; weeks are written as days. */
const UNITS = [
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND]
] as const

/**
 * Parses a text such as `90d`, `1.5h` or `2 days`, as the package `ms` does. A number without a unit is not read, because
 * people mean seconds or days by it as often as milliseconds; nor is an upper-case M, by which they mean months.
 *
 * @returns milliseconds, rounded; undefined where the text is not a time
 */
export function parseDuration(text: string): number | undefined {
  if (!/[a-z]$/i.test(text) || /[\d\s]M$/.test(text)) return undefined
  const milliseconds = ms(text as ms.StringValue) as number | undefined
  return milliseconds === undefined ? undefined : Math.round(milliseconds)
}

/** Whether a value is a day as `YYYY-MM-DD`. `Date.parse` alone reads the thirtieth of February as the second of March. */
export function isDay(text: unknown): text is string {
  if (typeof text !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/** ISO 8601 with its zone: without one it would mean another time on another machine. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/

/** A time of the next day as people may write one: an advice with a fixed time would be over one day. */
export const timeOfTomorrow = (now: number) => `${new Date(now + DAY).toISOString().slice(0, 16)}Z`

/** Parses a point in time, such as `2026-12-31T18:00:00Z`, into milliseconds since 1970; undefined where the text is none. */
export function parseTime(text: string): number | undefined {
  const time = ISO_TIME.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

/** Formats milliseconds in the largest unit that leaves a whole number: `90d`, `36h`, `1500ms`. */
export function formatDuration(milliseconds: number): string {
  const [unit, length] = UNITS.find(([, length]) => milliseconds >= length && milliseconds % length === 0) ?? ['ms', 1]
  return `${milliseconds / length}${unit}`
}
