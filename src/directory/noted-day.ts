import { type Clock, HOUR } from '../lib/time.js'
import { dayOf } from './snapshot.js'

/** A day, and when it was noted. */
export interface NotedDay {
  readonly day: string
  /** By {@link Clock.elapsed}. */
  readonly at: number
}

/** What a time of day takes from a clock that no person or server sets. */
export type Dating = Pick<Clock, 'now' | 'elapsed'>

/** How far the two clocks may drift apart before that counts as a clock that was set. */
const DRIFT = HOUR

/**
 * A day of the past: not later than the day on which it was noted, by the clock as it is now. What noted it, a clock or a list from
 * outside, may have been ahead.
 */
export function pastDay({ day, at }: NotedDay, clock: Dating): string {
  const notedOn = dayOf(new Date(clock.now() - (clock.elapsed() - at) + DRIFT))
  return day < notedOn ? day : notedOn
}

/** When the process began to count, by the clock as it is now: it changes when the clock is set. */
export const originOf = (clock: Dating) => clock.now() - clock.elapsed()

/** Whether a clock was set between two moments. */
export const isSet = (before: number, after: number) => Math.abs(after - before) > DRIFT
