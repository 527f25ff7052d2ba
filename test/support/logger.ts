import { pino } from 'pino'
import type { LogLine } from './http.js'

/** A pino logger whose lines can be read. */
export function lineLogger(lines: LogLine[]) {
  return pino({ level: 'trace' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
}
