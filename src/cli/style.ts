import { styleText } from 'node:util'
import type { Io } from './io.js'

/** Dresses a text, or leaves it as it is where colours would end up in a file. */
export type Style = (format: Parameters<typeof styleText>[0], text: string) => string

/**
 * Colours for standard output: on a terminal, unless `NO_COLOR` says no or `FORCE_COLOR` says otherwise (the same order as
 * commander's). Node's own check looks at the process's environment and streams, which are not always those of the command.
 */
export function styleFor({ stdout, env }: Io): Style {
  return isColoured(stdout.isTTY === true, env)
    ? (format, text) => styleText(format, text, { validateStream: false })
    : (_format, text) => text
}

function isColoured(isTerminal: boolean, { NO_COLOR, FORCE_COLOR, TERM }: Io['env']): boolean {
  if (NO_COLOR || FORCE_COLOR === '0' || FORCE_COLOR === 'false') return false
  return Boolean(FORCE_COLOR) || (isTerminal && TERM !== 'dumb')
}
