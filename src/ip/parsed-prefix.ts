import { type Family, ParsedAddress } from './address.js'

/** The bits of word `index` that belong to the first `length` bits of an address. */
export function wordMask(length: number, index: number): number {
  const bits = length - 32 * index
  return bits >= 32 ? -1 : bits <= 0 ? 0 : ~(0xffffffff >>> bits)
}

/** A prefix as it was parsed; like {@link ParsedAddress}, its owner uses it again. */
export class ParsedPrefix {
  readonly address = new ParsedAddress()
  length = 0

  /** The family, or 0 when the text is not a prefix or has host bits. */
  parse(text: unknown): Family {
    if (typeof text !== 'string') return 0
    const { address } = this
    const slash = text.indexOf('/')
    const end = slash < 0 ? text.length : slash
    const family = address.parse(text, 0, end)
    if (family === 0) return 0
    const isMapped = family === 4 && text.indexOf(':') >= 0
    const bits = family === 4 && !isMapped ? 32 : 128
    const written = slash < 0 ? bits : parseLength(text, slash + 1)
    this.length = isMapped ? written - 96 : written
    if (this.length < 0 || written > bits) return 0
    for (let i = 0; i < (family === 4 ? 1 : 4); i++) {
      if ((address.words[i]! & ~wordMask(this.length, i)) !== 0) return 0
    }
    return family
  }
}

/** Parses one to three digits without a leading zero; −1 for anything else. */
export function parseLength(text: string, start: number): number {
  const digits = text.length - start
  if (digits < 1 || digits > 3 || (digits > 1 && text.charCodeAt(start) === 48)) return -1
  let length = 0
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length
}
