import { formatWords, parseAddress } from '../ip/address.js'
import { wordMask } from '../ip/parsed-prefix.js'
import { builtin } from '../lib/builtin.js'
import type { Option, OptionRule, OptionTable } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'

/**
 * How addresses appear in logs: `'truncate'` keeps the prefix, /24 of IPv4 and /48 of IPv6. A `key` replaces an address by 64
 * bits of its HMAC-SHA-256, in hexadecimal: the same sender has the same text, and nobody without the key can find the address.
 */
export type RedactAddress =
  | 'truncate'
  | {
      /** A secret of 16 characters or more; the same one on every server whose logs are read together. */
      readonly key: string
    }

/** Returns the text that replaces an address. */
export interface Redact {
  (address: string): string
  /**
   * What all addresses have in common that have the same text, by their `ParsedAddress.key`: a value for a map, made without the text.
   * Absent where a text belongs to one address.
   */
  readonly joins?: (key: number | string) => number | string
}

/** An IPv4 address has only 32 bits: whoever guesses the key tries all addresses in minutes. */
const KEY_LENGTH = 16

const KEY = {
  key: {
    fallback: undefined,
    example: `'sixteen characters or more'`,
    isSecret: true,
    aliases: ['secret'],
    read: ({ value }) => value
  }
} satisfies OptionTable

/** The option `redactAddress`. */
export const REDACT_ADDRESS: OptionRule<Redact | undefined> = {
  fallback: undefined,
  example: `'truncate'`,
  isSecret: true,
  read: readRedaction,
  group: { table: KEY, beside: () => [] }
}

function readRedaction(option: Option): Redact | undefined {
  const { value } = option
  if (value === 'truncate') return truncate
  const isObject = typeof value === 'object' && value !== null
  const key = isObject ? OptionReader.inside(KEY, option).read('key') : undefined
  if (typeof key === 'string' && key.length >= KEY_LENGTH) return (address) => keyedHash(address, key)
  const fix = `Write 'truncate', or { key } with a text of ${KEY_LENGTH} characters or more that nobody can guess.`
  // A key that is too short, or that was passed in place of the object, is a secret nevertheless.
  const message =
    key === undefined ? 'The value is not a way to redact addresses.' : 'The key is too short to keep a secret.'
  return option.refuse(message, fix)
}

const KEPT = { 4: 24, 6: 48 } as const
/** How many characters of the key of an IPv6 address are kept: the first one marks it, each other one has 16 bits. */
const KEPT_OF_KEY = 1 + KEPT[6] / 16

const truncate: Redact = Object.assign(
  (address: string) => {
    const parsed = parseAddress(address)
    if (parsed === undefined) return unreadable(address)
    const { family, words } = parsed
    const prefix = words.map((word, i) => word & wordMask(KEPT[family], i))
    return `${formatWords(family, prefix)}/${KEPT[family]}`
  },
  {
    joins: (key: number | string) => {
      if (typeof key === 'number') return key & wordMask(KEPT[4], 0)
      return key.charCodeAt(0) === 0 ? key.slice(0, KEPT_OF_KEY) : truncate(key)
    }
  }
)

function keyedHash(address: string, key: string): string {
  const parsed = parseAddress(address)
  if (parsed === undefined) return unreadable(address)
  return `hmac:${builtin('node:crypto').createHmac('sha256', key).update(`${parsed}`).digest('hex').slice(0, 16)}`
}

/** A peer that is not an address: the word `unix`, or an address with a zone. */
function unreadable(address: string): string {
  return address === 'unix' ? address : 'unreadable'
}
