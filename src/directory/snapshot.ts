import { formatJson } from '../lib/json.js'
import type { Channel, DataCenter } from './names.js'

/**
 * The content of one cell of MoEngage's page: addresses or prefixes; `'NA'`, no published static address (which does not mean no
 * traffic); or the channels of the same data center whose addresses are used.
 */
export type Cell = readonly string[] | 'NA' | DerivedCell

/** A cell that has the addresses of other channels of its data center. */
export interface DerivedCell {
  /** The channels whose addresses are used. */
  readonly derivedFrom: readonly Channel[]
}

/** One dated version of the list that MoEngage publishes, as plain data: it can be written as JSON. */
export interface Snapshot {
  /** The page and version that the list was taken from. */
  readonly provenance: {
    /** The URL of the page. */
    readonly page: string
    /** The revision of the page, as its repository names it. */
    readonly revision: string
    /** The day on which the list was taken from the page, as `YYYY-MM-DD`. */
    readonly retrieved: string
    /**
     * The day on which the page was last read and still had the same list, as `YYYY-MM-DD`; never before `retrieved`. The age of a
     * list counts from here (`retrieved`).
     */
    readonly checked?: string
  }
  /** The cells. If a data center and channel have no row, the page has none. */
  readonly rows: readonly {
    /** The data center, by its id. */
    readonly dataCenter: DataCenter
    /** The channel, by its id. */
    readonly channel: Channel
    /** The content of the cell. */
    readonly addresses: Cell
  }[]
  /**
   * Rows of the page that belong to a data center or channel that this version does not know, by the names on the page. They are
   * kept for people to see; no request is matched against them.
   */
  readonly unknown?: readonly {
    /** The data center, as the page names it. */
    readonly dataCenter: string
    /** The row's name on the page. */
    readonly name: string
    /** The content of the cell. */
    readonly addresses: Cell
  }[]
  /** Doubts about addresses, shown when an address is met while this data center was expected. */
  readonly notes?: readonly {
    /** The doubtful address. */
    readonly address: string
    /** The data center that the address is expected of. */
    readonly dataCenter: DataCenter
    /** One or two sentences. */
    readonly text: string
  }[]
}

/** The day of a time, as `YYYY-MM-DD`. */
export const dayOf = (time: Date) => time.toISOString().slice(0, 10)

/** A snapshot as JSON with one row a line, so that a comparison of two files shows the rows that changed. */
export function formatSnapshot({ provenance, rows, unknown, notes }: Snapshot): string {
  const parts = [
    `  "provenance": ${indented(provenance)}`,
    `  "rows": ${listOfLines(rows)}`,
    ...(unknown === undefined ? [] : [`  "unknown": ${listOfLines(unknown)}`]),
    ...(notes === undefined ? [] : [`  "notes": ${indented(notes)}`])
  ]
  return `{\n${parts.join(',\n')}\n}\n`
}

const indented = (value: unknown) => formatJson(value, 2).replaceAll('\n', '\n  ')
const listOfLines = (values: readonly object[]) =>
  `[\n${values.map((value) => `    ${inOneLine(value)}`).join(',\n')}\n  ]`

/** JSON in one line with spaces. `JSON.stringify` writes one line without spaces, or many lines. */
export function inOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(', ')}]`
  if (typeof value !== 'object' || value === null) return formatJson(value)
  return `{ ${Object.entries(value)
    .map(([name, field]) => `${formatJson(name)}: ${inOneLine(field)}`)
    .join(', ')} }`
}
