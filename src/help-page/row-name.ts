import { CHANNELS, type Channel, ROW_NAMES } from '../directory/names.js'
import { BULLET, OBJECT } from './cell-text.js'
import {
  LONGEST_NAME_CELL,
  looksLikeAddress,
  type Unreadable,
  unreadable,
  withoutBrackets,
  withoutFootnotes
} from './marks.js'

/** What the name of a row means. */
export interface RowName {
  /** The name without footnotes, brackets and examples. */
  readonly name: string
  /** The channels that it names; none where we know no such row. */
  readonly channels: readonly Channel[]
}

const EXAMPLES =
  /(?:^|[\s,;:])(?:for example|for instance|e\.\s?g\.|such as|including|namely|via|sent via)(?=[\s,:]|$).*$/i
/** Words that MoEngage's names have or have not, without a difference in meaning. */
const FILLERS = new Set(['campaign', 'and', 'or', 'the'])

/** The words of a name, in any order and number, without fillers. */
function meaning(name: string): string {
  const words = name
    .toLowerCase()
    .replaceAll(/\be[- ]mails?\b/g, 'email')
    .split(/[^a-z\d]+/)
    .map((word) => (word.length > 3 ? word.replace(/s$/, '') : word))
    .filter((word) => word !== '' && !FILLERS.has(word))
  return [...new Set(words)].sort().join(' ')
}

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
 * @returns why not, where it could mean several things or nothing
 */
export function readRowName(text: string): RowName | Unreadable {
  if (text.length > LONGEST_NAME_CELL) return unreadable('It is too long for the name of a row.')
  if (looksLikeAddress(text)) return unreadable('There is an address where the name of a row belongs.')
  // Brackets may reach over a line break.
  const lines = withoutBrackets(text.replaceAll(BULLET, `\n${BULLET}`), () => false).split('\n')
  const names = lines.map((line) => nameIn(line.replace(BULLET, ''))).filter((name) => name !== '')
  const [name] = names
  if (name === undefined) return unreadable('The name of the row is missing.')
  const known = names.flatMap((line) => channelOf(line) ?? [])
  const first = channelOf(name)
  if (known.length === names.length) return { name: names.join(', '), channels: [...new Set(known)] }
  if (known.some((channel) => channel !== first)) return unreadable('It names several channels, and more.')
  return { name, channels: first === undefined ? channelsOf(name) : [first] }
}

/** The channels of a name such as `Connector, SMS and WhatsApp Campaigns`, if it names nothing else. */
function channelsOf(name: string): Channel[] {
  const channels = name.split(/[,;/&+]|\band\b/i).map((part) => channelOf(part))
  return channels.every((channel) => channel !== undefined) ? [...new Set(channels)] : []
}
