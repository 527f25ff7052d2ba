import type { Row } from './html.js'
import { looksLikeAddress, type Unreadable, unreadable, withoutBrackets, withoutFootnotes } from './marks.js'

/** Which column holds what. */
export interface Columns {
  /** Undefined where the table is about one channel, which its heading names. */
  readonly name: number | undefined
  readonly dataCenter: number
  readonly addresses: number
  /** Columns that nothing is read from. */
  readonly others: readonly number[]
  readonly headers: readonly string[]
}

const DATA_CENTER = /^(?:moengage )?(?:data ?-?cent(?:er|re)s?|dcs?)(?: names?)?$/i
const ADDRESSES = /\b(?:ips?|cidrs?|address(?:es)?|ip ?v[46])\b/i
const NAME = /\b(?:channels?|campaigns?|transfers?|features?|services?|types?|names?|products?|modules?|sources?)\b/i

/**
 * Reads a row as the header of a table of addresses by data center.
 *
 * @returns undefined where it is not one
 */
export function readColumns(row: Row): Columns | Unreadable | undefined {
  const headers = row.map((slot) => headerText(slot.text))
  const columns = [...headers.keys()]
  const dataCenters = columns.filter((column) => DATA_CENTER.test(headers[column]!))
  const addresses = columns.filter(
    (column) => ADDRESSES.test(headers[column]!) && !dataCenters.includes(column) && !looksLikeAddress(headers[column]!)
  )
  const [dataCenter] = dataCenters
  const [addressColumn] = addresses
  if (dataCenter === undefined || addressColumn === undefined) return undefined
  if (dataCenters.length > 1) return unreadable('Two columns are headed as data centers.')
  if (addresses.length > 1) return unreadable('Two columns are headed as addresses.')
  const rest = columns.filter((column) => column !== dataCenter && column !== addressColumn)
  const name = rest.find((column) => NAME.test(headers[column]!)) ?? rest.find((column) => column < dataCenter)
  return {
    name,
    dataCenter,
    addresses: addressColumn,
    others: rest.filter((column) => column !== name),
    headers
  }
}

const headerText = (text: string) =>
  withoutBrackets(withoutFootnotes(text), () => false)
    .replaceAll(/\s+/g, ' ')
    .trim()
