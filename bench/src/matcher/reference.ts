import { isIP } from 'node:net'

/**
 * The independent answer: Node decides what an address is, and membership is plain arithmetic on 128-bit integers, one
 * set of network numbers for each prefix length. Slow, and obviously right.
 */
export class Reference {
  /** By family, and then by the number of bits behind the prefix: the numbers of the networks. */
  readonly #networks = { 4: new Map<number, Set<bigint>>(), 6: new Map<number, Set<bigint>>() }

  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const [address, length] = text.split('/') as [string, string?]
      const { family, value } = numberOf(address)!
      const bits = family === 4 ? 32 : 128
      const hostBits = bits - Number(length ?? bits)
      const numbers = this.#networks[family].get(hostBits) ?? new Set()
      numbers.add(value >> BigInt(hostBits))
      this.#networks[family].set(hostBits, numbers)
    }
  }

  has(text: string): boolean {
    const address = numberOf(text)
    if (address === undefined) return false
    for (const [hostBits, numbers] of this.#networks[address.family]) {
      if (numbers.has(address.value >> BigInt(hostBits))) return true
    }
    return false
  }
}

/** Every spelling of `::ffff:a.b.c.d` is the IPv4 address. */
function numberOf(text: string): { family: 4 | 6; value: bigint } | undefined {
  const version = isIP(text)
  if (version === 4) return { family: 4, value: numberOf4(text) }
  if (version !== 6 || text.includes('%')) return undefined
  const value = numberOf6(text)
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffffffffn } : { family: 6, value }
}

function numberOf4(text: string): bigint {
  return text.split('.').reduce((value, octet) => value * 256n + BigInt(octet), 0n)
}

function numberOf6(text: string): bigint {
  const dottedAt = text.lastIndexOf(':') + 1
  const tail = text.slice(dottedAt)
  const plain = tail.includes('.')
    ? `${text.slice(0, dottedAt)}${(numberOf4(tail) >> 16n).toString(16)}:${(numberOf4(tail) & 0xffffn).toString(16)}`
    : text
  const [left, right] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const missing = right === undefined ? 0 : 8 - left!.length - right.length
  const groups = [...left!, ...new Array(missing).fill('0'), ...(right ?? [])]
  return groups.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n)
}
