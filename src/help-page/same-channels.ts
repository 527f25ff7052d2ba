import type { Channel } from '../directory/names.js'
import { quoted } from '../lib/text.js'
import { channelsIn } from './row-name.js'
import { itemsOf, MAX_NAME, takeBrackets, type Unreadable, unreadable } from './words.js'

const setOf = (words: string) => new Set(words.split(' '))

/** The channels of "the same IPs as that of the channel". */
const CAMPAIGN_CHANNELS: readonly Channel[] = ['connector', 'sms', 'whatsapp', 'email', 'push']
/** Words before "same": the features of the row, and that they use addresses today. */
const SUBJECT = setOf(
  'a and api apis both calls content features fetch for it moengage note of or pii requests the these they this token tokens use uses'
)
/** Words before and behind the channels that do not say which channels are meant. */
const PLAIN = setOf(
  'a above addresses all are by campaign campaigns for in ip ips listed mentioned moengage of on see sending static that the this those use used you your'
)
/** Further words of a sentence that says what to do with the addresses. */
const ADVICE = setOf('allow allowlist and channel channels if more need one or plan so to whitelist')
const ADDRESSES = /^(?:ips?|addresses)$/
const CHANNEL = /^channels?(?:['’]s?)?$/

/**
 * Reads a sentence that says that a row has the same addresses as channels: "PII and Content API use the same IPs as that of the
 * channel." Every word of it has to be understood, and every word of the sentences beside it.
 *
 * @returns undefined if the text is something else
 */
export function readSameChannels(text: string): readonly Channel[] | Unreadable | undefined {
  if (!/\bsame\b/i.test(takeBrackets(text, () => false).rest)) return undefined
  if (text.length > MAX_NAME) return unreadable('It is too long for a sentence about the same addresses.')
  const sentences = itemsOf(text)
    .join(' ')
    .split(/\.(?=\s|$)/)
    .map(tokensOf)
  const at = sentences.findIndex((words) => words.includes('same'))
  const words = sentences[at] ?? []
  const same = words.indexOf('same')
  const as = words.indexOf('as', same)
  const channel = words.findIndex((word, i) => i > as && CHANNEL.test(word))
  if (as < 0 || channel < 0 || !words.some((word) => ADDRESSES.test(word))) {
    return unreadable('It does not say in words that are understood which channels have the same addresses.')
  }
  const unknown =
    words.slice(0, same).find(isNoneOf(SUBJECT)) ??
    [...words.slice(same + 1, as), ...words.slice(channel + 1)].find(isNoneOf(PLAIN)) ??
    sentences.toSpliced(at, 1).flat().find(isNoneOf(PLAIN, ADVICE))
  if (unknown !== undefined) {
    return unreadable(`The word ${quoted(unknown)} in a text about the same addresses is not understood.`)
  }
  const named = words.slice(as + 1, channel).filter((word) => !PLAIN.has(word))
  if (named.length === 0) return CAMPAIGN_CHANNELS
  const name = named.join(' ')
  return (
    channelsIn(name) ?? unreadable(`${quoted(name)} is not the name of a channel whose addresses could be the same.`)
  )
}

const tokensOf = (sentence: string): string[] => [...(sentence.toLowerCase().match(/[^\s,;:()]+|[,;:]/g) ?? [])]

const isNoneOf =
  (...sets: readonly ReadonlySet<string>[]) =>
  (word: string) =>
    !/^[,;:]$/.test(word) && !sets.some((set) => set.has(word))
