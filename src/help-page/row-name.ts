import { CHANNELS, type Channel, ROW_NAMES } from '../directory/names.js'
import { OBJECT } from './cell-text.js'
import {
  isUnreadable,
  itemsOf,
  looksLikeAddress,
  MAX_NAME,
  takeBrackets,
  type Unreadable,
  unreadable,
  withoutFootnotes
} from './words.js'

/** The name of a row. */
export interface RowName {
  /** The name without footnotes, brackets and examples. */
  readonly name: string
  /** The channels that it names; empty if we know no row of this name. */
  readonly channels: readonly Channel[]
  /** What was left aside: words in brackets, and the rest of a list in one line of which only the first name is a known row. */
  readonly remarks: readonly string[]
}

const FOR_EXAMPLE = 'for example|for instance|e\\.\\s?g\\.|such as|including|namely|via|sent via'
const EXAMPLES = new RegExp(`(?:^|[\\s,;:])(?:${FOR_EXAMPLE})(?=[\\s,:]|$).*$`, 'i')
const BEGINS_WITH_EXAMPLES = new RegExp(`^(?:${FOR_EXAMPLE})(?=[\\s,:]|$)`, 'i')
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
  withoutFootnotes(line)
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
  const { rest, remarks } = takeBrackets(text.replaceAll(OBJECT, ' '), () => false)
  const inBrackets = remarks.filter((words) => !BEGINS_WITH_EXAMPLES.test(words)).map((words) => `(${words})`)
  const names = itemsOf(rest)
    .map(nameIn)
    .filter((name) => name !== '')
  const [name] = names
  if (name === undefined) return unreadable('The name of the row is missing.')
  const known = names.flatMap((line) => channelOf(line) ?? [])
  const first = channelOf(name)
  if (known.length === names.length) {
    return { name: names.join(', '), channels: [...new Set(known)], remarks: inBrackets }
  }
  if (known.some((channel) => channel !== first)) return unreadable('It names several channels, and more.')
  if (first !== undefined) return { name, channels: [first], remarks: inBrackets }
  const inLine = readNamesInLine(name)
  return isUnreadable(inLine) ? inLine : { ...inLine, remarks: [...inBrackets, ...inLine.remarks] }
}

/** Reads `Connector, SMS and WhatsApp Campaigns`, and a list that lost its line breaks: `SMS Campaigns, Custom connectors`. */
function readNamesInLine(line: string): RowName | Unreadable {
  const all = channelsIn(line)
  if (all !== undefined) return { name: line, channels: all, remarks: [] }
  const [first, ...others] = partsOf(line)
  const known = new Set([first!, ...others].flatMap((part) => channelOf(part) ?? []))
  if (known.size === 0) return { name: line, channels: [], remarks: [] }
  if (known.size > 1 || channelOf(first!) === undefined) return unreadable('It names a channel that we know, and more.')
  return { name: first!, channels: [...known], remarks: [others.join(', ')] }
}

/** The channels that a line names, if it names nothing else. */
export function channelsIn(line: string): readonly Channel[] | undefined {
  const whole = channelOf(line)
  if (whole !== undefined) return [whole]
  const channels = partsOf(line).map(channelOf)
  const known = channels.filter((channel) => channel !== undefined)
  return known.length > 0 && known.length === channels.length ? [...new Set(known)] : undefined
}

const partsOf = (line: string) =>
  line
    .split(/[,;/&+]|\s[–—-]\s|\band\b/i)
    .map((part) => part.trim())
    .filter((part) => part !== '')
