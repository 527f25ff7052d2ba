import type { Channel } from '../directory/names.js'
import { channelsIn } from './row-name.js'
import { MAX_NAME, reverses } from './words.js'

/** The channels of "the same IPs as that of the channel". */
const CAMPAIGN_CHANNELS: readonly Channel[] = ['connector', 'sms', 'whatsapp', 'email', 'push']
/** Words before and behind the channels that do not say which channels are meant. */
const PLAIN = new Set(
  'a above addresses all are by campaign campaigns for in ip ips listed mentioned moengage of on see sending static that the this those use used you your'.split(
    ' '
  )
)
const ADDRESSES = /\b(?:ips?|addresses)\b/i
const CHANNEL = /^channels?(?:['’]s?)?$/

/**
 * Reads a sentence that says that a row has the same addresses as channels: "PII and Content API use the same IPs as that of the
 * channel." Every word from "same" to the end of the sentence has to be understood.
 *
 * @returns undefined if the text is something else
 */
export function readSameChannels(text: string): readonly Channel[] | undefined {
  if (text.length > MAX_NAME || /\d/.test(text) || reverses(text)) return undefined
  const [sentence, another] = text.split('.').filter((sentence) => /\bsame\b/i.test(sentence))
  if (sentence === undefined || another !== undefined || !ADDRESSES.test(sentence)) return undefined
  const words = sentence.toLowerCase().match(/[^\s,;:()]+|[,;:]/g)!
  const same = words.indexOf('same')
  const as = words.indexOf('as', same)
  const channel = words.findIndex((word, i) => i > as && CHANNEL.test(word))
  if (same < 0 || as < 0 || channel < 0) return undefined
  if (!isPlain(words.slice(same + 1, as)) || !isPlain(words.slice(channel + 1))) return undefined
  const named = words.slice(as + 1, channel).filter((word) => !PLAIN.has(word))
  return named.length === 0 ? CAMPAIGN_CHANNELS : channelsIn(named.join(' '))
}

const isPlain = (words: readonly string[]) => words.every((word) => PLAIN.has(word) || /^[,;:]$/.test(word))
