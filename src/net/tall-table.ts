import { IntervalTable, narrow, type Values } from './interval-table.js'
import type { Intervals } from './intervals.js'

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
  constructor(intervals: Intervals, limit: number) {
    const tops: number[] = []
    const topValues: number[] = []
    const first: number[] = []
    const rows: { start: ArrayLike<number>; value: number }[] = []
    let value = 0
    for (let i = 0; i < intervals.count; ) {
      const top = intervals.start(i)[0]!
      const from = i
      while (i < intervals.count && intervals.start(i)[0] === top) i++
      const last = intervals.sets[i - 1]!
      tops.push(top)
      if (i - from === 1 && isBlockStart(intervals.start(from))) {
        topValues.push(last)
      } else {
        topValues.push(limit + first.length)
        first.push(rows.length)
        if (!isBlockStart(intervals.start(from))) rows.push({ start: [top, 0, 0, 0], value })
        for (let k = from; k < i; k++) rows.push({ start: intervals.start(k), value: intervals.sets[k]! })
        const nextIsTaken = i < intervals.count && intervals.start(i)[0] === top + 1
        if (!nextIsTaken && top < 0xffffffff) {
          tops.push(top + 1)
          topValues.push(last)
        }
      }
      value = last
    }
    first.push(rows.length)
    this.#top = new IntervalTable(Uint32Array.from(tops), topValues, limit + first.length)
    this.#blocks = limit
    this.#first = Uint32Array.from(first)
    const column = (word: number) => Uint32Array.from(rows, (row) => row.start[word]!)
    this.#columns = [column(1), column(2), column(3)]
    this.#values = narrow(
      rows.map((row) => row.value),
      limit
    )
  }

  /** The value of the interval that holds the address, given as four signed words. */
  find(words: Int32Array): number {
    const block = this.#top.find(words[0]!) - this.#blocks
    if (block < 0) return block + this.#blocks
    const [column1, column2, column3] = this.#columns
    const word1 = words[1]! >>> 0
    const word2 = words[2]! >>> 0
    const word3 = words[3]! >>> 0
    // The first interval of a block begins with the block, so the answer lies at or behind it.
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

function isBlockStart(start: Uint32Array): boolean {
  return start[1] === 0 && start[2] === 0 && start[3] === 0
}
