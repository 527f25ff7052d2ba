import { createHmac } from 'node:crypto'
import { formatWords, parseAddress } from '../ip/address.js'
import { wordMask } from '../ip/parsed-prefix.js'
import { mistake, shown } from '../lib/option-reader.js'
import type { Problem } from '../problem.js'

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
  /** Whether several addresses have the same text. */
  readonly joins?: boolean
}

/** An IPv4 address has only 32 bits: whoever guesses the key tries all addresses in minutes. */
const KEY_LENGTH = 16

/** Reads the option; adds what is wrong with it to `mistakes`. */
export function readRedaction(value: unknown, mistakes: Problem[]): Redact | undefined {
  if (value === undefined) return undefined
  if (value === 'truncate') return truncate
  const key = (value as { key?: unknown } | null)?.key
  if (typeof key === 'string' && key.length >= KEY_LENGTH) return (address) => keyedHash(address, key)
  mistakes.push(
    mistake(
      'redactAddress',
      // A key that is too short is a secret nevertheless.
      key === undefined ? value : { key: '…' },
      key === undefined ? `${shown(value)} is no way to redact addresses.` : 'The key is too short to keep a secret.',
      `Write 'truncate', or { key } with a text of ${KEY_LENGTH} characters or more that nobody can guess.`
    )
  )
  return undefined
}

const KEPT = { 4: 24, 6: 48 } as const

const truncate: Redact = Object.assign(
  (address: string) => {
    const parsed = parseAddress(address)
    if (parsed === undefined) return unreadable(address)
    const { family, words } = parsed
    const prefix = words.map((word, i) => word & wordMask(KEPT[family], i))
    return `${formatWords(family, prefix)}/${KEPT[family]}`
  },
  { joins: true }
)

function keyedHash(address: string, key: string): string {
  const parsed = parseAddress(address)
  if (parsed === undefined) return unreadable(address)
  return `hmac:${createHmac('sha256', key).update(`${parsed}`).digest('hex').slice(0, 16)}`
}

/** A peer that is not an address: the word `unix`, or an address with a zone. */
function unreadable(address: string): string {
  return address === 'unix' ? address : 'unreadable'
}
