import { styleText } from 'node:util'
import type { Snapshot } from '../directory/snapshot.js'
import type { Io } from './io.js'

/** Colours a text on a terminal; elsewhere returns it as it is. */
export type Style = (format: Parameters<typeof styleText>[0], text: string) => string

/**
 * Colours for standard output: on a terminal, unless `NO_COLOR` or `FORCE_COLOR` says otherwise (in commander's order). Node's own
 * check reads the process's environment and streams, which are not always those of the command.
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

/** A text of a list or log in one line: it must not move the cursor, nor end the Markdown code that quotes it. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}`]+/gu, ' ')
}

/** The list that was used, in two lines because a page's URL is long. */
export function provenanceText({ page, revision, retrieved, checked }: Snapshot['provenance']): string {
  const last = checked === undefined ? '' : `, checked ${checked}`
  return `Revision ${printable(revision).slice(0, 12)} of ${retrieved}${last}, from\n${printable(page)}`
}

/** Rows as columns, each as wide as its widest text, two spaces between. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, text] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, text.length)
  }
  return rows
    .map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i]!))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}
