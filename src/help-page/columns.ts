import type { Row } from './html.js'
import {
  looksLikeAddress,
  MAX_NAME,
  reversal,
  reversalByTitles,
  takeBrackets,
  type Unreadable,
  unreadable,
  withoutFootnotes
} from './words.js'

/** The meaning of each column. */
export interface Columns {
  /** Undefined if the table is about one channel, which its heading names. */
  readonly name: number | undefined
  readonly dataCenter: number
  readonly addresses: number
  /** Columns that are not read. */
  readonly others: readonly number[]
  readonly headers: readonly string[]
  /** Words in brackets and in the tags of the headers of the columns that are read. */
  readonly remarks: readonly { readonly column: number; readonly text: string }[]
}

const DATA_CENTER = /^(?:moengage )?(?:data ?-?cent(?:er|re)s?|dcs?)(?: names?)?$/i
const ADDRESSES = /\b(?:ips?|cidrs?|address(?:es)?|ip ?v[46])\b/i
const NAME = /\b(?:channels?|campaigns?|transfers?|features?|services?|types?|names?|products?|modules?|sources?)\b/i

/** Whether a text heads a column of addresses. */
export const isAddressHeader = (text: string) => ADDRESSES.test(text) && !looksLikeAddress(text)

/**
 * Reads a row as the header of a table of addresses by data center.
 *
 * @returns undefined if it is not such a header
 */
export function readColumns(row: Row): Columns | Unreadable | undefined {
  const read = row.map((slot) =>
    takeBrackets(slot.text.length > MAX_NAME ? '' : withoutFootnotes(slot.text), () => false)
  )
  const headers = read.map(({ rest }) => rest.replaceAll(/\s+/g, ' ').trim())
  const columns = [...headers.keys()]
  const dataCenters = columns.filter((column) => DATA_CENTER.test(headers[column]!))
  const addresses = columns.filter((column) => isAddressHeader(headers[column]!) && !dataCenters.includes(column))
  const [dataCenter] = dataCenters
  const [addressColumn] = addresses
  if (dataCenter === undefined || addressColumn === undefined) return undefined
  if (dataCenters.length > 1) return unreadable('Two columns are headed as data centers.')
  if (addresses.length > 1) return unreadable('Two columns are headed as addresses.')
  const rest = columns.filter((column) => column !== dataCenter && column !== addressColumn)
  const name = rest.find((column) => NAME.test(headers[column]!)) ?? rest.find((column) => column < dataCenter)
  const used = [...(name === undefined ? [] : [name]), dataCenter, addressColumn]
  const [reversed] = used.flatMap((column) => reversal(row[column]!.text) ?? reversalByTitles(row[column]!) ?? [])
  if (reversed !== undefined) return reversed
  return {
    name,
    dataCenter,
    addresses: addressColumn,
    others: rest.filter((column) => column !== name),
    headers,
    remarks: used.flatMap((column) =>
      [...read[column]!.remarks, ...row[column]!.titles].map((text) => ({ column, text }))
    )
  }
}
