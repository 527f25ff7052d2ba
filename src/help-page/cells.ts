import { CHANNELS, type Channel, DATA_CENTERS, type DataCenter, ROW_NAMES, readDataCenter } from '../directory/names.js'
import type { Cell } from '../directory/snapshot.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import { quoted } from '../lib/text.js'
import { BULLET, OBJECT } from './html.js'

/** Why a cell could not be read. */
export interface Unreadable {
  /** One sentence. */
  readonly unreadable: string
}

export const unreadable = (sentence: string): Unreadable => ({ unreadable: sentence })
export const isUnreadable = (value: unknown): value is Unreadable =>
  typeof value === 'object' && value !== null && 'unreadable' in value

/** An address or prefix, or something that looks like a damaged one. */
export const looksLikeAddress = (text: string) => /\d{1,3}(?:\.\d{1,3}){2}|[\da-f]{1,4}:[\da-f:]*:/i.test(text)

/** A footnote's mark behind a word: `[1]`, `[^a]`, `(2)`, `*`, `†`, `¹`. */
const FOOTNOTE = /(?:\[\^?[\w*†‡§]{1,3}\]|\(\d{1,2}\)|[*†‡§¹²³⁴⁵⁶⁷⁸⁹⁰]{1,3})(?=[\s,;]|$)/g

/** A text without the marks of footnotes. */
export const withoutFootnotes = (text: string) => text.replaceAll(FOOTNOTE, ' ')

/**
 * A text without the words in brackets that do not have to be read.
 *
 * @param keep whether words in brackets have to be read after all
 */
export function withoutBrackets(text: string, keep: (words: string) => boolean): string {
  let rest = text
  // From the inside out. Brackets that nest deeper stay, and are refused later.
  for (let depth = 0; depth < 3; depth++) {
    rest = rest.replaceAll(/\(([^()]*)\)/g, (whole, words: string) => (keep(words) ? whole : ' '))
  }
  return rest
}

const MARK = `[${BULLET}·▪◦‣●○*+–—-]`
const MARKED = new RegExp(`^${MARK}`)
const NUMBERED = /^\d{1,2}[.)](?=\s|$)/

/**
 * The items of a list, without their marks. A list may have lost its line breaks: `- a - b - c`. Without the first mark, `a - b`
 * may be a range, and stays as it is.
 */
function itemsOf(text: string): string[] {
  return linesOf(text).flatMap((line) => {
    const [mark] = MARKED.exec(line) ?? NUMBERED.exec(line) ?? []
    if (mark === undefined) return [line]
    const next = mark.length === 1 ? new RegExp(`\\s+\\${mark}\\s*`) : /\s+\d{1,2}[.)](?:\s+|$)/
    return line
      .slice(mark.length)
      .split(next)
      .map((item) => item.trim())
  })
}

/** The lines of a cell that hold something. */
const linesOf = (text: string) =>
  text
    .replaceAll(BULLET, `\n${BULLET}`)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** No name on the page is longer. Layout tables have whole pages in one cell. */
const MAX_NAME = 2000

/** The name of a row. */
export interface RowName {
  /** The name without footnotes, brackets and examples. */
  readonly name: string
  /** The channels that it names; empty if we know no row of this name. */
  readonly channels: readonly Channel[]
  /** The rest of a list in one line of which only the first name is a known row. */
  readonly rest: string | undefined
}

const EXAMPLES =
  /(?:^|[\s,;:])(?:for example|for instance|e\.\s?g\.|such as|including|namely|via|sent via)(?=[\s,:]|$).*$/i
/** Words that may be added to MoEngage's names, or left out, without a difference in meaning. */
const FILLERS = new Set(['campaign', 'and', 'or', 'the'])

/** The words of a name in singular, without fillers. */
export function wordsOf(name: string): string[] {
  return name
    .toLowerCase()
    .replaceAll(/\be[- ]mails?\b/g, 'email')
    .split(/[^a-z\d]+/)
    .map((word) => (word.length > 3 ? word.replace(/s$/, '') : word))
    .filter((word) => word !== '' && !FILLERS.has(word))
}

/** The same for names that differ in the order or repetition of words only. */
const meaning = (name: string) => [...new Set(wordsOf(name))].sort().join(' ')

const CHANNEL_BY_MEANING = new Map<string, Channel>(
  CHANNELS.flatMap((channel) => [channel, ...ROW_NAMES[channel]].map((name) => [meaning(name), channel] as const))
)

const channelOf = (name: string) => CHANNEL_BY_MEANING.get(meaning(name))

/** A line without what stands around the name. */
const nameIn = (line: string) =>
  withoutBrackets(withoutFootnotes(line.replaceAll(OBJECT, ' ')), () => false)
    .replace(EXAMPLES, '')
    .replaceAll(/\s+/g, ' ')
    .replace(/[\s:–—-]+$/, '')
    .trim()

/**
 * Reads the name of a row, which may be followed by examples, footnotes and a list of what belongs to it.
 *
 * @returns the reason, if it could mean several things or nothing
 */
export function readRowName(text: string): RowName | Unreadable {
  if (text.length > MAX_NAME) return unreadable('It is too long for the name of a row.')
  if (looksLikeAddress(text)) return unreadable('There is an address where the name of a row belongs.')
  // Brackets may span a line break.
  const names = itemsOf(withoutBrackets(text, () => false))
    .map(nameIn)
    .filter((name) => name !== '')
  const [name] = names
  if (name === undefined) return unreadable('The name of the row is missing.')
  const known = names.flatMap((line) => channelOf(line) ?? [])
  const first = channelOf(name)
  if (known.length === names.length) return { name: names.join(', '), channels: [...new Set(known)], rest: undefined }
  if (known.some((channel) => channel !== first)) return unreadable('It names several channels, and more.')
  return first === undefined ? readNamesInLine(name) : { name, channels: [first], rest: undefined }
}

/** Reads `Connector, SMS and WhatsApp Campaigns`, and a list that lost its line breaks: `SMS Campaigns, Custom connectors`. */
function readNamesInLine(line: string): RowName | Unreadable {
  const parts = line
    .split(/[,;/&+]|\s[–—-]\s|\band\b/i)
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const channels = parts.map(channelOf)
  const known = [...new Set(channels.filter((channel) => channel !== undefined))]
  if (known.length === 0) return { name: line, channels: [], rest: undefined }
  if (channels.every((channel) => channel !== undefined)) return { name: line, channels: known, rest: undefined }
  if (known.length > 1 || channels[0] === undefined) return unreadable('It names a channel that we know, and more.')
  return { name: parts[0]!, channels: known, rest: parts.slice(1).join(', ') }
}

/** The data centers of a row: those that we know, and the names of the others. */
export type DataCenters = readonly (DataCenter | { readonly unknown: string })[]

const ALL = /^all(?: of)?(?: the)?(?: moengage)?(?: data[ -]?cent(?:er|re)s?| dcs?)?\s*(?::\s*(.+)|\((.+)\))?$/is
const RANGE = /^(.*\d)\s*(?:[-–—−]|\bto\b|\bthrough\b)\s*((?:dc|data[ -]?cent(?:er|re))?[-_ ]?\d+)$/i
const WITH_NUMBER = /^(?:dc|data[ -]?cent(?:er|re))[-_ ]?(\d{1,5})$/i
const UNKNOWN = /^(?:dc|data[ -]?cent(?:er|re))[-_ ]?[a-z\d]{1,20}$/i
/** A longer range is more likely a mistake. */
const MAX_RANGE = 20

/** Reads a cell that names data centers: one, several, a range (from its first to its last number), or all. */
export function readDataCenterCell(text: string): DataCenters | Unreadable {
  if (text.length > MAX_NAME) return unreadable('It is too long for the name of a data center.')
  const bare = itemsOf(withoutFootnotes(text)).join('\n').trim()
  if (bare === '') return unreadable('The data center is missing.')
  const [all, afterColon, inBrackets] = ALL.exec(bare) ?? []
  const named = afterColon ?? inBrackets
  if (all !== undefined && named === undefined) return DATA_CENTERS
  const list = withoutBrackets(named ?? bare, (words) => /\d|\b(?:not|except|without|only)\b/i.test(words)).trim()
  const found = readDataCenters(list) ?? readDataCenterList(list)
  return found ?? unreadable('It is not the name of a data center.')
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
/** The channels of "the same IPs as that of the channel". */
const CAMPAIGN_CHANNELS: readonly Channel[] = ['connector', 'sms', 'whatsapp', 'email', 'push']
const NOT_PUBLISHED = /^(?:n[./\s]?a\.?|none|nil|not applicable|not available)$/i
/** Only alone. With a footnote it is the mark of an item whose text got lost. */
const DASH = /^(?:-{1,3}|[–—−])$/
const DERIVED = /\bsame\b[^.]*\b(?:ips?|addresses)\b[^.]*\bchannels?\b/i
/** Words that may reverse the meaning of a sentence or of the address before them. */
const REVERSING =
  /\b(?:no|not|never|except|excluding|without|former|formerly|old|deprecated|retired|removed|unused|until|only|other|different)\b|n't\b|n’t\b/i

/** A netmask (255.255.255.0) or its inverse (0.0.0.255) behind an address; nobody sends from either. */
const MASK = /^(?:255|0)(?:\.\d{1,3}){3}$/

/** Reads a cell of addresses. Every word of it has to be understood; none is dropped. */
export function readAddressCell(text: string): AddressCell | Unreadable {
  if (text.length > MAX_ADDRESSES) return unreadable('It is too long for a list of addresses.')
  if (DERIVED.test(text) && !REVERSING.test(text) && !/\d/.test(text)) {
    return { addresses: { derivedFrom: CAMPAIGN_CHANNELS }, remarks: [] }
  }
  const remarks: string[] = []
  const bare = withoutBrackets(withoutFootnotes(text), (words) => {
    const keep = words.trim() === '' || /\d/.test(words) || REVERSING.test(words)
    if (!keep) remarks.push(words.trim())
    return keep
  })
  if (bare.trim() === '') return unreadable('The cell is empty: its text got lost.')
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
