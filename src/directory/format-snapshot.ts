import type { Snapshot } from './snapshot.js'

/** A snapshot as JSON with one row on a line, so that the difference of two files shows the rows that changed. */
export function formatSnapshot({ provenance, rows, unknown, notes }: Snapshot): string {
  const parts = [
    `  "provenance": ${indented(provenance)}`,
    `  "rows": ${listOfLines(rows)}`,
    ...(unknown === undefined ? [] : [`  "unknown": ${listOfLines(unknown)}`]),
    ...(notes === undefined ? [] : [`  "notes": ${indented(notes)}`])
  ]
  return `{\n${parts.join(',\n')}\n}\n`
}

const indented = (value: unknown) => JSON.stringify(value, null, 2).replaceAll('\n', '\n  ')
const listOfLines = (values: readonly object[]) =>
  `[\n${values.map((value) => `    ${inOneLine(value)}`).join(',\n')}\n  ]`

/** `JSON.stringify` knows one line without spaces, or many lines. */
function inOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{ ${Object.entries(value)
    .map(([name, field]) => `${JSON.stringify(name)}: ${inOneLine(field)}`)
    .join(', ')} }`
}
