import { DATA_CENTERS, type DataCenter, readDataCenter } from '../directory/names.js'
import type { Cell } from '../directory/snapshot.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import { quoted } from '../lib/text.js'
import { BULLET, OBJECT } from './cell-text.js'
import { readSameChannels } from './same-channels.js'
import {
  ambiguousEnd,
  isUnreadable,
  itemsOf,
  looksLikeAddress,
  MAX_NAME,
  reversal,
  reverses,
  takeBrackets,
  type Unreadable,
  unreadable,
  withoutFootnotes
} from './words.js'

/** The data centers of a row: those that we know, and the names of the others. */
export type DataCenters = readonly (DataCenter | { readonly unknown: string })[]

/** A cell of data centers that was read as a whole. */
export interface DataCenterCell {
  readonly dataCenters: DataCenters
  /** Words in brackets that were left aside. */
  readonly remarks: readonly string[]
}

const ALL = /^all(?: of)?(?: the)?(?: moengage)?(?: data[ -]?cent(?:er|re)s?| dcs?)?\s*(?::\s*(.+)|\((.+)\))?$/is
const RANGE = /^(.*\d)\s*(?:[-–—−]|\bto\b|\bthrough\b)\s*((?:dc|data[ -]?cent(?:er|re))?[-_ ]?\d+)$/i
const WITH_NUMBER = /^(?:dc|data[ -]?cent(?:er|re))[-_ ]?(\d{1,5})$/i
const UNKNOWN = /^(?:dc|data[ -]?cent(?:er|re))[-_ ]?[a-z\d]{1,20}$/i
/** A longer range is more likely a mistake. */
const MAX_RANGE = 20

/** Reads a cell that names data centers: one, several, a range (from its first to its last number), or all. */
export function readDataCenterCell(text: string): DataCenterCell | Unreadable {
  if (text.length > MAX_NAME) return unreadable('It is too long for the name of a data center.')
  const ambiguous = ambiguousEnd(text, (end) => typeof byNumber(Number(/\d+$/.exec(end)![0])) === 'string')
  if (ambiguous !== undefined) return ambiguous
  const bare = itemsOf(withoutFootnotes(text)).join('\n').trim()
  if (bare === '') return unreadable('The data center is missing.')
  const [all, afterColon, inBrackets] = ALL.exec(bare) ?? []
  const named = afterColon ?? inBrackets
  if (all !== undefined && named === undefined) return { dataCenters: DATA_CENTERS, remarks: [] }
  const { rest, remarks } = takeBrackets(named ?? bare, (words) => /\d/.test(words) || reverses(words))
  const dataCenters = readDataCenters(rest.trim()) ?? readDataCenterList(rest)
  if (dataCenters !== undefined) return { dataCenters, remarks }
  return reversal(text) ?? unreadable('It is not the name of a data center.')
}

function readDataCenterList(text: string): DataCenters | undefined {
  const parts = text.split(/[,;/&+\n]|\band\b/i).map((part) => part.trim())
  const found = parts.filter((part) => part !== '').map(readDataCenters)
  return found.length > 0 && found.every((part) => part !== undefined) ? found.flat() : undefined
}

/** Reads one name, or a range. */
function readDataCenters(written: string): DataCenters | undefined {
  // A word processor makes another dash of the hyphen.
  const text = written.replaceAll(/(?<=^dc|data[ -]?cent(?:er|re)|[^a-z]dc)\s?[‒–—−]\s?(?=\d)/gi, '-')
  const known = readDataCenter(text)
  if ('ok' in known) return [known.ok]
  const [, first, last] = RANGE.exec(text) ?? []
  if (first !== undefined && last !== undefined) return readRange(first.trim(), last)
  const [, number] = WITH_NUMBER.exec(text) ?? []
  if (number !== undefined) return [byNumber(Number(number))]
  return UNKNOWN.test(text) ? [{ unknown: text.toUpperCase().replaceAll(/[_ ]/g, '-') }] : undefined
}

function readRange(first: string, last: string): DataCenters | undefined {
  const [from, to] = [WITH_NUMBER.exec(first)?.[1], /\d+$/.exec(last)?.[0]].map(Number) as [number, number]
  if (!(from <= to && to - from < MAX_RANGE)) return undefined
  return Array.from({ length: to - from + 1 }, (_, i) => byNumber(from + i))
}

/** The data center of a number; for an unknown one, the name that MoEngage would give it. */
function byNumber(number: number): DataCenters[number] {
  const known = readDataCenter(`${number}`)
  return 'ok' in known ? known.ok : { unknown: `DC-${`${number}`.padStart(2, '0')}` }
}

/** An address cell that was read as a whole. */
export interface AddressCell {
  readonly addresses: Cell
  /** Words in brackets that were left aside. */
  readonly remarks: readonly string[]
}

/** About a thousand addresses. */
const MAX_ADDRESSES = 20_000
const NOT_PUBLISHED = /^(?:n[./\s]?a\.?|none|nil|not applicable|not available)$/i
/** Only alone. With a footnote it is the mark of an item whose text got lost. */
const DASH = /^(?:-{1,3}|[–—−])$/
/** A netmask (255.255.255.0) or its inverse (0.0.0.255) behind an address; nobody sends from either. */
const MASK = /^(?:255|0)(?:\.\d{1,3}){3}$/

/** Reads a cell of addresses. Every word of it has to be understood; none is dropped. */
export function readAddressCell(text: string): AddressCell | Unreadable {
  if (text.length > MAX_ADDRESSES) return unreadable('It is too long for a list of addresses.')
  const derivedFrom = readSameChannels(text)
  if (isUnreadable(derivedFrom)) return derivedFrom
  if (derivedFrom !== undefined) return { addresses: { derivedFrom }, remarks: [] }
  const ambiguous = ambiguousEnd(text, (address) => readPrefix(address) instanceof Prefix)
  if (ambiguous !== undefined) return ambiguous
  const { rest: bare, remarks } = takeBrackets(
    withoutFootnotes(text),
    (words) => words.trim() === '' || /\d/.test(words) || reverses(words)
  )
  if (bare.trim() === '') return unreadable('The cell is empty: its text got lost.')
  const [inBrackets, words] = /\(([^()]*[a-z][^()]*)\)/i.exec(bare) ?? []
  if (words !== undefined && !looksLikeAddress(words)) {
    return (
      reversal(inBrackets!) ??
      unreadable(`${quoted(inBrackets!)} has a number, or a word that may reverse its meaning.`)
    )
  }
  if (DASH.test(text.replace(BULLET, '')) || NOT_PUBLISHED.test(bare.replace(BULLET, '').trim()))
    return { addresses: 'NA', remarks }
  const addresses = new Set<string>()
  const items = itemsOf(bare)
  for (const [i, written] of items.entries()) {
    // A comma at the end of all items but the last only separates.
    const item = i < items.length - 1 ? written.replace(/[,;]$/, '') : written
    if (item === '') return unreadable('An item of its list is empty: its text got lost.')
    for (const part of item.split(/[,;]/)) {
      if (part.trim() === '') return unreadable('There is nothing behind or before a comma: its text got lost.')
      for (const [n, word] of part
        .trim()
        .split(/\s+|\band\b|&/)
        .entries()) {
        if (word === '') continue
        if (word.includes(OBJECT)) return unreadable('It holds something that is not text, or that readers do not see.')
        if (n > 0 && MASK.test(word)) {
          return unreadable(`${quoted(word)} is a netmask: the address before it may stand for a network.`)
        }
        const prefix = readPrefix(word)
        if (!(prefix instanceof Prefix)) return unreadable(prefix.message)
        addresses.add(prefix.toShortString())
      }
    }
  }
  return { addresses: [...addresses], remarks }
}
