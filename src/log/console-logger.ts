import { messageOf } from '../lib/text.js'
import { type LineLevel, type Logger, methodsByLevel } from './logger.js'

/** The numbers by which pino writes its levels, and the method of the console for each. */
const LEVELS = {
  fatal: [60, 'error'],
  error: [50, 'error'],
  warn: [40, 'warn'],
  info: [30, 'info'],
  debug: [20, 'debug'],
  trace: [10, 'debug']
} as const

/** The level from which lines are written, as in pino. */
const LOWEST = LEVELS.info[0]

/**
 * Writes the lines that pino would write, in JSON, with the methods of the console: for runtimes that collect what is written there,
 * with its level. A line is written when the method returns.
 */
export function consoleLogger(): Logger {
  const method = (level: LineLevel) => (fields: object, message: string) => {
    const [number, write] = LEVELS[level]
    if (number < LOWEST) return
    const line = { level: number, time: Date.now(), name: 'moengage-allowlist', ...fields, msg: message }
    console[write](jsonOf(line))
  }
  return {
    ...methodsByLevel(method),
    isLevelEnabled: (level) => LEVELS[level as LineLevel][0] >= LOWEST
  }
}

function jsonOf(line: object): string {
  try {
    return JSON.stringify(line, plainError)
  } catch {
    return JSON.stringify(line, briefError)
  }
}

/** An error has no properties that JSON shows. */
function plainError(_: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const { name, message, stack, cause } = value
  return { ...value, type: name, message, stack, cause }
}

/** What was thrown, without what JSON cannot show: a property that leads back to it, a bigint, a getter that throws. */
function briefError(name: string, value: unknown): unknown {
  if (name !== 'err' && !(value instanceof Error)) return value
  const { name: type, stack } = Object(value) as Partial<Error>
  return { type, message: messageOf(value), stack }
}
