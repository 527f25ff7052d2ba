const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Widths of a bar, from fine to coarse; beyond, each is twice the one before. */
const WIDTHS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY]

/** So many bars there are at most. */
const BARS = 48

/** How much there was in a span of time. */
export interface Bar {
  /** Where the span begins (ISO 8601). */
  readonly from: string
  readonly count: number
}

/** Counts over time in constant memory: bars are joined when there are too many, whatever order times come in. */
export class Histogram {
  #step = 0
  #bars = new Map<number, number>()

  add(time: number, count: number): void {
    const bar = Math.floor(time / this.width)
    this.#bars.set(bar, (this.#bars.get(bar) ?? 0) + count)
    while (this.#bars.size > BARS) this.#widen()
  }

  /** How long a bar is, in milliseconds. */
  get width(): number {
    const last = WIDTHS.length - 1
    return this.#step <= last ? WIDTHS[this.#step]! : WIDTHS[last]! * 2 ** (this.#step - last)
  }

  #widen(): void {
    const before = this.width
    this.#step++
    const bars = new Map<number, number>()
    for (const [bar, count] of this.#bars) {
      const wider = Math.floor((bar * before) / this.width)
      bars.set(wider, (bars.get(wider) ?? 0) + count)
    }
    this.#bars = bars
  }

  /** The bars in order of time, without empty ones. */
  bars(): Bar[] {
    return [...this.#bars]
      .sort(([a], [b]) => a - b)
      .map(([bar, count]) => ({ from: new Date(bar * this.width).toISOString(), count }))
  }
}
