/** What a text was read as: 0 for no address at all, or the address family. */
export type Family = 0 | 4 | 6

const DOT = 46
const ZERO = 48
const COLON = 58

/** The leading 16 bits of addresses, a bit for each, in both families. */
export interface LeadingBits {
  readonly ipv4: Int32Array
  readonly ipv6: Int32Array
}

const EVERY = new Int32Array(2048).fill(-1)
const EVERY_LEADING: LeadingBits = { ipv4: EVERY, ipv6: EVERY }

/**
 * An address as it was parsed, with the place in the text that it was parsed from. Its owner uses it again for the next
 * text, so that a request allocates nothing; what must outlive that is made by {@link ParsedAddress.toAddress} or
 * {@link ParsedAddress.toString}.
 */
export class ParsedAddress {
  /** 0 as long as nothing was parsed, or the last text was not an address. */
  family: Family = 0
  /** Signed 32-bit words: an IPv4 address in the first, an IPv6 address in all four. */
  readonly words = new Int32Array(4)
  /** The text that was parsed last; the address stands in `[start, end)`. */
  text = ''
  start = 0
  end = 0
  /** Room for the groups of an IPv6 text. */
  readonly #groups = new Uint16Array(8)
  /** The gap that the last IPv6 text has, if all else in it is canonical, or {@link UNUSUAL}. */
  #gap = UNUSUAL

  /**
   * Parses `text[start, end)` as one address, strictly: four decimal octets without leading zeros, or an RFC 4291 text
   * form without a zone. An IPv4-mapped IPv6 address is parsed as the IPv4 address that it carries.
   */
  parse(text: string, start: number, end: number): Family {
    this.text = text
    this.start = start
    this.end = end
    return this.parseWords(text, start, end, EVERY_LEADING)
  }

  /**
   * Like {@link ParsedAddress.parse}, without keeping the text, and only addresses with some leading bits: an address outside
   * of them is given up as soon as those are read, and reported as no address. Nothing that is listed is lost, and a flood of
   * strangers costs half.
   */
  parseWords(text: string, start: number, end: number, leading: LeadingBits): Family {
    const isMapped = text.charCodeAt(start) === COLON && startsMapped(text, start)
    const outcome = this.#parseIPv4(text, isMapped ? start + 7 : start, end, leading.ipv4)
    if (outcome === PARSED) this.family = 4
    else this.family = outcome === OTHER ? this.#parseIPv6(text, start, end, leading.ipv6) : 0
    return this.family
  }

  /** Digit by digit without a loop over them, which takes a quarter off; every read is inside of the text, as V8 likes it. */
  #parseIPv4(text: string, start: number, end: number, leading: Int32Array): number {
    if (end - start < 7 || end - start > 15) return OTHER
    let value = 0
    let i = start
    for (let dots = 0; ; dots++) {
      let octet = text.charCodeAt(i) - ZERO
      if (octet < 0 || octet > 9) return OTHER
      if (++i < end) {
        const second = text.charCodeAt(i) - ZERO
        if (second >= 0 && second <= 9) {
          if (octet === 0) return OTHER
          octet = octet * 10 + second
          if (++i < end) {
            const third = text.charCodeAt(i) - ZERO
            if (third >= 0 && third <= 9) {
              octet = octet * 10 + third
              if (octet > 255) return OTHER
              i++
            }
          }
        }
      }
      value = (value << 8) | octet
      if (dots === 3) break
      if (dots === 1 && !isLeading(leading, value)) return UNLISTED
      if (i + 1 >= end || text.charCodeAt(i) !== DOT) return OTHER
      i++
    }
    if (i !== end) return OTHER
    this.words[0] = value
    return PARSED
  }

  #parseIPv6(text: string, start: number, end: number, leading: Int32Array): Family {
    const { words } = this
    const groups = this.#groups
    if (end - start < 2 || end - start > 45) return 0
    let count = 0
    let gap = -1
    let digits = 0
    let isUsual = true
    let i = start
    if (text.charCodeAt(i) === COLON) {
      if (text.charCodeAt(i + 1) !== COLON) return 0
      gap = 0
      i += 2
    }
    while (i < end) {
      if (count === 8) return 0
      const first = i
      let group = 0
      let code = 0
      for (; i < end; i++) {
        code = text.charCodeAt(i)
        const digit = code < 128 ? HEX[code]! : -1
        if (digit < 0) break
        digits |= digit
        group = (group << 4) | (digit & 15)
      }
      if (code === DOT) {
        // A dotted quad may end the address, in the place of the last two groups.
        if (count > 6 || this.#parseIPv4(text, first, end, EVERY) !== PARSED) return 0
        groups[count++] = words[0]! >>> 16
        groups[count++] = words[0]! & 0xffff
        isUsual = false
        break
      }
      if (i === first || i - first > 4) return 0
      if (i - first > 1 && text.charCodeAt(first) === ZERO) isUsual = false
      groups[count++] = group
      if (i === end) break
      // Zeros may lead to an IPv4-mapped address, whose own leading bits come last.
      if (count === 1 && gap < 0 && group !== 0 && !isLeading(leading, group)) return 0
      if (code !== COLON || ++i === end) return 0
      if (text.charCodeAt(i) === COLON) {
        if (gap >= 0) return 0
        gap = count
        i++
      }
    }
    if (gap < 0) {
      if (count !== 8) return 0
    } else {
      // RFC 4291 section 2.2: "::" stands for one or more groups of zeros.
      if (count === 8) return 0
      const tail = count - gap
      for (let k = 0; k < tail; k++) groups[7 - k] = groups[count - 1 - k]!
      groups.fill(0, gap, 8 - tail)
    }
    words[0] = (groups[0]! << 16) | groups[1]!
    words[1] = (groups[2]! << 16) | groups[3]!
    words[2] = (groups[4]! << 16) | groups[5]!
    words[3] = (groups[6]! << 16) | groups[7]!
    if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) {
      words[0] = words[3]!
      return 4
    }
    this.#gap = !isUsual || digits >= UPPER ? UNUSUAL : gap < 0 ? NO_GAP : gapOf(gap, 8 - count)
    return 6
  }

  /** Takes over an IPv4 address that a reader of hops parsed digit by digit. */
  setIPv4(word: number, text: string, start: number, end: number): 4 {
    this.family = 4
    this.words[0] = word
    this.text = text
    this.start = start
    this.end = end
    return 4
  }

  /** Notes that there is nothing readable at this place. */
  clear(): 0 {
    this.family = 0
    this.start = 0
    this.end = 0
    return 0
  }

  /** The address as a value of its own. Call it only when there is one. */
  toAddress(): Address {
    const { family, words } = this
    return new Address(family as 4 | 6, family === 4 ? [words[0]!] : [words[0]!, words[1]!, words[2]!, words[3]!])
  }

  /** Becomes the address that a {@link ParsedAddress.key} stands for. */
  readKey(key: number | string): void {
    this.text = ''
    this.#gap = UNUSUAL
    if (typeof key === 'number') {
      this.family = 4
      this.words[0] = key
      return
    }
    this.family = 6
    for (let i = 0; i < 4; i++) this.words[i] = wordOfKey(key, i)
  }

  /** The canonical text: sliced where the address was written so, since to build it takes longer. */
  toString(): string {
    const { family, text, start, end, words } = this
    const isCanonical = family === 4 ? isDotted(text, start) : findGap(words) === this.#gap
    return isCanonical ? text.slice(start, end) : formatWords(family as 4 | 6, words)
  }

  /** What an address is known by in a map: a number, or a text that is quicker to make than the canonical one; see {@link textOfKey}. */
  get key(): number | string {
    const { family, words } = this
    if (family === 4) return words[0]!
    return String.fromCharCode(
      0,
      words[0]! >>> 16,
      words[0]! & 0xffff,
      words[1]! >>> 16,
      words[1]! & 0xffff,
      words[2]! >>> 16,
      words[2]! & 0xffff,
      words[3]! >>> 16,
      words[3]! & 0xffff
    )
  }
}

/** Whether an IPv4 address is written as one, and not as an IPv4-mapped IPv6 address, whose first dot comes later. */
function isDotted(text: string, start: number): boolean {
  return text.charCodeAt(start + 1) === DOT || text.charCodeAt(start + 2) === DOT || text.charCodeAt(start + 3) === DOT
}

/** Whether the text starts with `::ffff:` and so most likely goes on in dotted decimal. */
function startsMapped(text: string, start: number): boolean {
  return (
    text.charCodeAt(start + 6) === COLON &&
    text.charCodeAt(start + 1) === COLON &&
    (text.charCodeAt(start + 2) | 32) === 102 &&
    (text.charCodeAt(start + 3) | 32) === 102 &&
    (text.charCodeAt(start + 4) | 32) === 102 &&
    (text.charCodeAt(start + 5) | 32) === 102
  )
}

function isLeading(leading: Int32Array, bits: number): boolean {
  return (leading[bits >>> 5]! & (1 << (bits & 31))) !== 0
}

const PARSED = 1
const UNLISTED = 2
const OTHER = 3

/** Added to the value of a digit in upper case. */
const UPPER = 16

/** The value of a hexadecimal digit by its character code, −1 for every other character below 128. */
const HEX = new Int8Array(128).fill(-1)
for (const [digit, code] of [...'0123456789abcdef'].entries()) {
  HEX[code.toUpperCase().charCodeAt(0)] = UPPER + digit
  HEX[code.charCodeAt(0)] = digit
}

/** The canonical text of the address that a {@link ParsedAddress.key} stands for; another text is returned as it is. */
export function textOfKey(key: number | string): string {
  if (typeof key === 'number') return formatWords(4, [key])
  if (key.charCodeAt(0) !== 0 || key.length !== 9) return key
  return formatWords(
    6,
    [0, 1, 2, 3].map((i) => wordOfKey(key, i))
  )
}

const wordOfKey = (key: string, i: number) => (key.charCodeAt(2 * i + 1) << 16) | key.charCodeAt(2 * i + 2)

/**
 * One IPv4 or IPv6 address, immutable. An IPv4-mapped IPv6 address (`::ffff:a.b.c.d` in any spelling) is the IPv4 address
 * it carries; `::a.b.c.d`, NAT64 and 6to4 addresses stay IPv6 (RFC 4291 section 2.5.5, RFC 6052, RFC 3056).
 */
export class Address {
  /** 4 or 6. */
  readonly family: 4 | 6
  /** The address as unsigned 32-bit words, most significant first: one for IPv4, four for IPv6. */
  readonly words: readonly number[]

  constructor(family: 4 | 6, addressWords: readonly number[]) {
    this.family = family
    this.words = Object.freeze(addressWords.map((word) => word >>> 0))
    Object.freeze(this)
  }

  /** The canonical text: dotted decimal, or RFC 5952 (lower case, the longest run of zeros as `::`). */
  toString(): string {
    return formatWords(this.family, this.words)
  }
}

/** The canonical text of an address given as words. */
export function formatWords(family: 4 | 6, source: ArrayLike<number>): string {
  if (family === 4) {
    const word = source[0]!
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
  }
  return formatIPv6(source)
}

/** Where the groups of zeros stand that `::` is written for, and how many they are, as one number. */
const gapOf = (from: number, length: number) => from * 16 + length

/** No group is left out. */
const NO_GAP = gapOf(8, 1)

/** Something else than the gap makes a text not canonical. */
const UNUSUAL = -1

/** The longest run of two or more zeros, the first of equals (RFC 5952 section 4.2). */
function findGap(source: ArrayLike<number>): number {
  let gap = 8
  let gapLength = 1
  for (let from = 0; from < 8; from++) {
    let to = from
    while (to < 8 && groupOf(source, to) === 0) to++
    if (to - from > gapLength) {
      gap = from
      gapLength = to - from
    }
    from = to
  }
  return gapOf(gap, gapLength)
}

/** RFC 5952 section 4: lower case, no leading zeros, and `::` for the longest run of zeros. */
function formatIPv6(source: ArrayLike<number>): string {
  const found = findGap(source)
  const gap = found >>> 4
  const gapLength = found & 15
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (i === gap) {
      text += '::'
      i += gapLength - 1
    } else {
      if (i > 0 && i !== gap + gapLength) text += ':'
      text += groupOf(source, i).toString(16)
    }
  }
  return text
}

function groupOf(source: ArrayLike<number>, i: number): number {
  const word = source[i >>> 1]!
  return i & 1 ? word & 0xffff : word >>> 16
}

/**
 * Reads an address, strictly.
 *
 * Accepted are four decimal octets without leading zeros and the text forms of RFC 4291 section 2.2; nothing around them,
 * no zone, no port, no brackets. What other parsers take for an address (`127.1`, `0x7f000001`, `010.0.0.1`) is none.
 *
 * @returns the address, or undefined when the text is not one
 * @example
 * parseAddress('::FFFF:102:304')?.toString() // '1.2.3.4'
 * parseAddress('010.0.0.1') // undefined: some programs read it as 8.0.0.1
 */
export function parseAddress(text: string): Address | undefined {
  const parsed = new ParsedAddress()
  return typeof text === 'string' && parsed.parse(text, 0, text.length) !== 0 ? parsed.toAddress() : undefined
}
