import { Address } from '../ip/address.js'
import { Prefix } from '../ip/prefix.js'

/** Consecutive addresses of one family, as numbers: an address, a prefix or an IPv4 range. */
export interface Block {
  readonly family: 4 | 6
  readonly first: bigint
  /** Belongs to the block. */
  readonly last: bigint
}

const bitsOf = (family: 4 | 6) => (family === 4 ? 32 : 128)

/** An address as a number. */
export function numberOf({ words }: Address): bigint {
  return words.reduce((number, word) => (number << 32n) | BigInt(word), 0n)
}

function addressOf(family: 4 | 6, number: bigint): Address {
  const words = Array.from({ length: bitsOf(family) / 32 }, (_, i) => Number((number >> BigInt(32 * i)) & 0xffffffffn))
  return new Address(family, words.reverse())
}

export function blockOf({ address, lastAddress }: Prefix): Block {
  return { family: address.family, first: numberOf(address), last: numberOf(lastAddress) }
}

/** How many addresses a block has. */
export const sizeOf = ({ first, last }: Block): bigint => last - first + 1n

/** The fewest prefixes that cover a block and nothing else, in order. */
export function prefixesOf({ family, first, last }: Block): Prefix[] {
  const bits = bitsOf(family)
  const prefixes: Prefix[] = []
  for (let from = first; from <= last; ) {
    let free = 0
    // A prefix begins at a multiple of its size, and ends within the block.
    while (free < bits && (from & (1n << BigInt(free))) === 0n && from + (2n << BigInt(free)) - 1n <= last) free++
    prefixes.push(new Prefix(addressOf(family, from), bits - free))
    from += 1n << BigInt(free)
  }
  return prefixes
}

/** The single addresses of a block, in order; for small blocks. */
export function addressesOf({ family, first, last }: Block): Block[] {
  return Array.from({ length: Number(last - first) + 1 }, (_, i) => {
    const number = first + BigInt(i)
    return { family, first: number, last: number }
  })
}

/** An address, a prefix in CIDR notation, or a range `a - b` where no single prefix covers the block. */
export function blockText(block: Block): string {
  const { family, first, last } = block
  const [prefix, ...others] = prefixesOf(block)
  return others.length === 0 ? prefix!.toShortString() : `${addressOf(family, first)} - ${addressOf(family, last)}`
}

/** For sorting: IPv4 first, then by first address, the larger of two first. */
export function compareBlocks(a: Block, b: Block): number {
  if (a.family !== b.family) return a.family - b.family
  if (a.first !== b.first) return a.first < b.first ? -1 : 1
  return a.last === b.last ? 0 : a.last > b.last ? -1 : 1
}

export function overlap(a: Block, b: Block): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last
}

/** The fewest blocks with the same addresses, in order. */
export function merge(blocks: readonly Block[]): Block[] {
  const merged: Block[] = []
  for (const block of blocks.toSorted(compareBlocks)) {
    const before = merged.at(-1)
    if (before === undefined || before.family !== block.family || block.first > before.last + 1n) merged.push(block)
    else if (block.last > before.last) merged[merged.length - 1] = { ...before, last: block.last }
  }
  return merged
}
