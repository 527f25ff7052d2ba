import { jsonList, listIn } from './list-in-text.js'
import type { Option, OptionRule } from './option.js'
import { literal, shown } from './text.js'
import { DAY, formatDuration, parseDuration } from './time.js'

/** An option that is true or false. */
export function flag(fallback: boolean): OptionRule<boolean> {
  return {
    fallback,
    example: String(!fallback),
    read(option) {
      const { value } = option
      if (typeof value === 'boolean') return value
      return option.refuse(`${shown(value)} is not true or false.`, `Write ${meantFlag(value) ?? 'true or false'}.`)
    }
  }
}

/** Words for true and false, as variables of the environment hold them. */
const WORDS = { true: ['true', 'yes', 'on', '1'], false: ['false', 'no', 'off', '0', ''] } as const

/** What a text or a number says about a flag; undefined where nobody knows. */
function meantFlag(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const word = String(value).trim().toLowerCase()
  return Object.entries(WORDS).find(([, words]) => (words as readonly string[]).includes(word))?.[0]
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
      const isRight = (amount: number) => amount >= min && amount <= max && (!isWhole || Number.isInteger(amount))
      if (typeof value === 'number' && isRight(value)) return value
      const written = numberOr(fallback, value, isRight)
      const fix = `Write ${written}, or another ${isWhole ? 'whole number' : 'number'} from ${min} to ${max}.`
      return option.refuse(`${shown(value)} is not a number of ${of}.`, fix)
    }
  }
}

/** The number that a text or a big integer holds, where it is right; else another one. */
export function numberOr(other: number, value: unknown, isRight: (amount: number) => boolean): number {
  const isNumber = typeof value === 'bigint' || (typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value))
  return isNumber && isRight(Number(value)) ? Number(value) : other
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
    return option.refuse(`${shown(value)} ${whyNoTime(value)}.`, fix)
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

function whyNoTime(value: unknown): string {
  if (isBare(value)) return 'has no unit'
  return monthsIn(value) === undefined ? 'is not a time' : 'may be minutes or months'
}

/** The number before an upper-case M, which people write for months and the package `ms` reads as minutes. */
function monthsIn(value: unknown): number | undefined {
  const [, amount] = (typeof value === 'string' && /^\s*(\d+(?:\.\d+)?)\s*M$/.exec(value)) || []
  return amount === undefined ? undefined : Number(amount)
}

/** In which units a number is written that has none. */
const UNITS = ['s', 'm', 'h', 'd']

/** What may be meant, as code: the number in each unit that is accepted. Which of them, only its author knows. */
function meant(value: unknown, { min, max, example }: DurationBounds<unknown>): string {
  const amount = typeof value === 'number' || isBare(value) ? Number(value) : Number.NaN
  if (amount === 0 && min === 0) return `'0ms'`
  const months = monthsIn(value)
  const candidates = months === undefined ? UNITS.map((unit) => `${amount}${unit}`) : [`${months}m`, `${30 * months}d`]
  const texts = candidates.filter((text) => {
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
  const inJson = typeof value === 'string' ? jsonList(value) : undefined
  const items = typeof value === 'string' ? listIn(value) : []
  const mistakes = option.attempt(items, read)
  const isAccepted = items.length > 0 && mistakes.length === 0
  const written = isAccepted ? literal(items) : undefined
  if (isAccepted && inJson !== undefined) {
    const list = written === undefined ? 'Parse' : `Write ${written}, or parse`
    return option.refuse(message, `${list} the text before you pass it: JSON.parse(…).`)
  }
  if (written !== undefined) return option.refuse(message, `Write ${written}.`)
  const [first] = mistakes
  const details = first === undefined ? '' : ` ${first.message} ${first.fix}`
  return option.refuse(message, `Write a list, such as ${example}.${details}`)
}
