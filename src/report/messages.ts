import { REASONS } from '../verdict/verdict.js'
import type { Mark } from './read-lines.js'

/** The messages that the guard writes beside its records. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
const COLOURS = /\u001b\[[\d;]*[A-Za-z]/g

/** A text without the colours of a terminal, and what programs write beside these to erase and to move. */
export const withoutColours = (text: string) => text.replaceAll(COLOURS, '')

/** How the message of a summary begins. */
export const COUNTS = '[\\d,]{1,20} rejections?, [\\d,]{1,20} requests? verified, [\\d,]{1,20} lines? left out'
/** What the guard writes beside a record, perhaps behind a prefix of the logger's: what a client sent stands beside other texts. */
const MESSAGE_OF_GUARD = new RegExp(
  [
    '^\\S.{0,160} (?:would be rejected|rejected): [a-z-]+(?:, and carries your secret)?$',
    '^\\S.{0,160} verified, without your secret$',
    `^(?:\\S.{0,80} )?${COUNTS}(?:$|: )`
  ].join('|')
)

/** Whether a text is a message that the guard writes. */
export const isMessageOfGuard = (value: unknown) =>
  typeof value === 'string' && MESSAGE_OF_GUARD.test(withoutColours(value).trim())

const CLIENT = '(?:Unknown client|hmac:[\\da-f]{16}|(?=[\\da-f]{0,4}[.:])[\\da-f.:]{2,45}(?:/\\d{1,3})?)'
/** The same, in words that no application chances to write. */
const MESSAGE_OF_RECORD = new RegExp(
  `(?:(?:^|[\\s"])${CLIENT} (?:(?:would be )?rejected: (?:${REASONS.join('|')})|verified, without your secret)|${COUNTS})(?![\\w-])`
)

/** Every message that the guard writes beside a record holds one of these texts. */
export const MESSAGE_MARKS: readonly Mark[] = [
  { text: ' rejected: ', part: 'rejected: ' },
  { text: ' verified, ', part: 'verified, ' }
]

/** Whether a text holds a message that the guard writes beside a record, and certainly nobody else. */
export const hasMessageOfRecord = (text: string) =>
  MESSAGE_MARKS.some((mark) => text.includes(mark.text)) && MESSAGE_OF_RECORD.test(text)

/** Where such a message begins in a text; undefined if there is none. */
export function placeOfMessage(text: string): number | undefined {
  return MESSAGE_OF_RECORD.exec(text)?.index
}

/** Whether a value is such a message. */
export const isMessageOfRecord = (value: unknown) => isMessageOfGuard(value) && hasMessageOfRecord(value as string)
