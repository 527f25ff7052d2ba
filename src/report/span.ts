import { counted } from '../senders/diagnosis.js'

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000]
] as const

/**
 * How long a time is, as a person says it: in the largest unit of which it is so many.
 *
 * @param least how many of a unit there must be, unless it is the smallest
 */
export function spanText(span: number, least: number): string {
  const [unit, length] = UNITS.find(([, length]) => span >= least * length) ?? UNITS[2]
  return counted(Math.round(span / length), unit)
}
