import { IntervalTable } from './interval-table.js'
import type { Intervals } from './intervals.js'
import { narrow, type Values } from './narrow.js'

/**
 * Maps every IPv6 address to the value of the interval it lies in. The first 32 bits decide for most addresses: they are
 * looked up like an IPv4 address, and only where intervals begin inside such a block are the other 96 bits searched.
 */
export class TallTable {
  readonly #top: IntervalTable
  /** Values of the top table from here on are block numbers, shifted by this. */
  readonly #blocks: number
  /** Where the intervals of each block begin in the columns. */
  readonly #first: Uint32Array
  readonly #columns: [Uint32Array, Uint32Array, Uint32Array]
  readonly #values: Values

  /** @param limit above every value of an interval */
  constructor({ starts, sets, count }: Intervals, limit: number) {
    const isBlockStart = (i: number) => starts[4 * i + 1] === 0 && starts[4 * i + 2] === 0 && starts[4 * i + 3] === 0
    const tops: number[] = []
    const topValues: number[] = []
    const rows = new Rows(2 * count)
    const first: number[] = []
    let value = 0
    for (let i = 0, next = 0; i < count; i = next) {
      const top = starts[4 * i]!
      while (next < count && starts[4 * next] === top) next++
      const last = sets[next - 1]!
      tops.push(top)
      if (next - i === 1 && isBlockStart(i)) {
        topValues.push(last)
      } else {
        topValues.push(limit + first.length)
        first.push(rows.count)
        // The first interval of a block begins with the block, if only to go on with what was before it.
        if (!isBlockStart(i)) rows.push(0, 0, 0, value)
        for (let k = i; k < next; k++) rows.push(starts[4 * k + 1]!, starts[4 * k + 2]!, starts[4 * k + 3]!, sets[k]!)
        const nextIsTaken = next < count && starts[4 * next] === top + 1
        if (!nextIsTaken && top < 0xffffffff) {
          tops.push(top + 1)
          topValues.push(last)
        }
      }
      value = last
    }
    first.push(rows.count)
    this.#top = new IntervalTable(Uint32Array.from(tops), Uint32Array.from(topValues))
    this.#blocks = limit
    this.#first = Uint32Array.from(first)
    this.#columns = [rows.column(0), rows.column(1), rows.column(2)]
    this.#values = narrow(rows.column(3))
  }

  /** A bit for each 16 leading bits under which some value is not 0. */
  get leading(): Int32Array {
    return this.#top.leading
  }

  /** The value of the interval that holds the address, given as four signed words. */
  find(words: Int32Array): number {
    const block = this.#top.find(words[0]!) - this.#blocks
    if (block < 0) return block + this.#blocks
    const [column1, column2, column3] = this.#columns
    const word1 = words[1]! >>> 0
    const word2 = words[2]! >>> 0
    const word3 = words[3]! >>> 0
    let from = this.#first[block]!
    let to = this.#first[block + 1]!
    while (to - from > 1) {
      const middle = (from + to) >>> 1
      const start1 = column1[middle]!
      const start2 = column2[middle]!
      const isBehind = start1 !== word1 ? start1 > word1 : start2 !== word2 ? start2 > word2 : column3[middle]! > word3
      if (isBehind) to = middle
      else from = middle
    }
    return this.#values[from]!
  }

  /** The bytes that the table holds. */
  get byteLength(): number {
    const columns = 3 * this.#columns[0].byteLength
    return this.#top.byteLength + this.#first.byteLength + columns + this.#values.byteLength
  }
}

/** Rows of four numbers, as many as are pushed, column by column. */
class Rows {
  readonly #columns: readonly Uint32Array[]
  count = 0

  constructor(capacity: number) {
    this.#columns = [0, 1, 2, 3].map(() => new Uint32Array(capacity))
  }

  push(a: number, b: number, c: number, d: number): void {
    const [first, second, third, fourth] = this.#columns
    first![this.count] = a
    second![this.count] = b
    third![this.count] = c
    fourth![this.count++] = d
  }

  /** One number of each row, in an array of its own. */
  column(index: number): Uint32Array {
    return this.#columns[index]!.slice(0, this.count)
  }
}
