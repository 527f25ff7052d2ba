import type { Option, OptionRule } from './option.js'
import { literal, shown } from './text.js'
import { DAY, formatDuration, parseDuration } from './time.js'

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

/** Bounds of a time, all in milliseconds. */
interface DurationBounds<Fallback> {
  readonly fallback: Fallback
  readonly example: string
  readonly min: number
  readonly max: number
  /** A number below this one is probably of another unit. */
  readonly doubtful: number
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
    return option.refuse(isBare(value) ? `${shown(value)} has no unit.` : `${shown(value)} is not a time.`, fix)
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

/** In which units a number is written that has none. */
const UNITS = ['s', 'm', 'h', 'd']

/** What may be meant, as code: the number in each unit that is accepted. Which of them, only its author knows. */
function meant(value: unknown, { min, max, example }: DurationBounds<unknown>): string {
  const amount = typeof value === 'number' || isBare(value) ? Number(value) : Number.NaN
  const texts = UNITS.map((unit) => `${amount}${unit}`).filter((text) => {
    const time = parseDuration(text)
    return time !== undefined && time >= Math.max(min, 1) && time <= max
  })
  const last = texts.pop()
  if (last === undefined) return example
  return [...(texts.length === 0 ? [] : [texts.map((text) => `'${text}'`).join(', ')]), `'${last}'`].join(' or ')
}

const isBare = (value: unknown) => typeof value === 'string' && /^\s*-?[\d.]+\s*$/.test(value)

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
