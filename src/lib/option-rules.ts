import type { Option, OptionRule } from './option.js'
import { literal, shown } from './text.js'
import { DAY, formatDuration, HOUR, MINUTE, parseDuration, SECOND } from './time.js'

/** An option that is true or false. */
export function flag(fallback: boolean): OptionRule<boolean> {
  return {
    fallback,
    example: String(!fallback),
    read: (option) =>
      typeof option.value === 'boolean'
        ? option.value
        : option.refuse(`${shown(option.value)} is not true or false.`, `Write ${!fallback}.`)
  }
}

/** An option that is one of a few words. */
export function oneOf<Word extends string>(words: readonly Word[], what: string, fallback: Word): OptionRule<Word> {
  return {
    fallback,
    example: `'${fallback}'`,
    read: (option) =>
      words.includes(option.value as Word)
        ? (option.value as Word)
        : option.refuse(`${shown(option.value)} is not a ${what}.`, `Use one of: ${words.join(', ')}.`)
  }
}

/** An option that is a number between bounds. */
export function number({
  fallback,
  of,
  min,
  max,
  isWhole = true
}: {
  readonly fallback: number
  readonly of: string
  readonly min: number
  readonly max: number
  readonly isWhole?: boolean
}): OptionRule<number> {
  return {
    fallback,
    example: String(fallback),
    read(option) {
      const { value } = option
      const isInBounds = typeof value === 'number' && value >= min && value <= max
      if (isInBounds && (!isWhole || Number.isInteger(value))) return value
      const fix = `Write ${fallback}, or another ${isWhole ? 'whole number' : 'number'} from ${min} to ${max}.`
      return option.refuse(`${shown(value)} is not a number of ${of}.`, fix)
    }
  }
}

/** An option that is a function, which its caller must be able to call like `example`. */
export function callback<T>(example: string): OptionRule<T | undefined> {
  return {
    fallback: undefined,
    example,
    read: (option) =>
      typeof option.value === 'function'
        ? (option.value as T)
        : option.refuse(`${shown(option.value)} is not a function.`, `Write ${example}.`)
  }
}

/** What people mean by a number that is too small to be milliseconds: of the unit, and not more than that. */
const MEANT = { s: [SECOND, HOUR], m: [MINUTE, 4 * HOUR], d: [DAY, 1000 * DAY] } as const

/** Bounds of a time, all in milliseconds. */
interface DurationBounds<Fallback> {
  readonly fallback: Fallback
  readonly example: string
  readonly min: number
  readonly max: number
  /** A number below this one is probably of another unit. */
  readonly doubtful: number
  readonly unit: keyof typeof MEANT
}

/** An option that is a time: a number of milliseconds, or a text with a unit. */
export function duration<Fallback extends number | undefined>(
  bounds: DurationBounds<Fallback>
): OptionRule<number | Fallback> {
  return { fallback: bounds.fallback, example: bounds.example, read: (option) => readDuration(option, bounds) }
}

function readDuration(option: Option, bounds: DurationBounds<unknown>): number | undefined {
  const { value } = option
  const { min, max, doubtful } = bounds
  const time = typeof value === 'string' ? parseDuration(value) : value
  const range = `from '${formatDuration(min)}' to '${formatDuration(max >= DAY ? max - (max % DAY) : max)}'`
  const fix = `Write ${meant(value, bounds)}, or another time ${range}.`
  if (typeof time !== 'number' || !Number.isInteger(time)) {
    const isBare = typeof value === 'string' && /^\s*-?[\d.]+\s*$/.test(value)
    return option.refuse(isBare ? `${shown(value)} has no unit.` : `${shown(value)} is not a time.`, fix)
  }
  const amount = typeof value === 'number' ? `${value} is a number of milliseconds, and` : `${shown(value)} is`
  if (time < min) return option.refuse(`${amount} too short.`, fix)
  if (time > max) return option.refuse(`${amount} too long.`, fix)
  if (typeof value === 'number' && time > 0 && time < doubtful) {
    const message = `${value} is a number of milliseconds, which is hardly meant.`
    option.warn('MOE_WARN_DURATION', message, `Write ${meant(value, bounds)}, or '${value}ms' if it is.`)
  }
  return time
}

/** What was probably meant, as code: a number of the option's unit, or of seconds. */
function meant(value: unknown, { min, max, unit, example }: DurationBounds<unknown>): string {
  const amount = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
  const [length, most] = MEANT[unit]
  const time = amount * length <= most ? amount * length : amount * SECOND
  const isPossible = Number.isInteger(time) && time >= Math.max(min, 1) && time <= max
  return isPossible ? (literal(formatDuration(time)) as string) : example
}

/**
 * Reports a value that has to be a list. The fix is made from a text that holds the items, where they would be accepted.
 *
 * @param read what reads the list
 */
export function refuseNoList(
  option: Option,
  read: (option: Option) => unknown,
  what: string,
  example: string
): undefined {
  const { value } = option
  const message = `${shown(value)} is not a list of ${what}.`
  const parts = typeof value === 'string' ? value.split(/[\s,;]+/).filter((part) => part !== '') : []
  const mistakes = option.attempt(parts, read)
  const written = parts.length > 0 && mistakes.length === 0 ? literal(parts) : undefined
  if (written !== undefined) return option.refuse(message, `Write ${written}.`)
  const [first] = mistakes
  const details = first === undefined ? '' : ` ${first.message} ${first.fix}`
  return option.refuse(message, `Write a list, such as ${example}.${details}`)
}
