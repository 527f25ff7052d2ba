import { counted } from '../senders/diagnosis.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Widths of a bar, from fine to coarse; beyond, each is twice the one before. */
const WIDTHS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY]

/** Maximum number of bars. */
const MAX_BARS = 48

/** A count in a span of time. */
export interface Bar {
  /** The start of the span (ISO 8601). */
  readonly from: string
  readonly count: number
}

/** Counts over time in constant memory: bars are joined if there are too many. Times may come in any order. */
export class Histogram {
  #step = 0
  #bars = new Map<number, number>()

  add(time: number, count: number): void {
    const bar = Math.floor(time / this.width)
    this.#bars.set(bar, (this.#bars.get(bar) ?? 0) + count)
    while (this.#bars.size > MAX_BARS) this.#widen()
  }

  /** The length of a bar, in milliseconds. */
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

const UNITS = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE]
] as const

/**
 * A length of time in words, in the largest unit that fits.
 *
 * @param least minimum number of a unit, except of the smallest
 */
export function spanText(span: number, least: number): string {
  const [unit, length] = UNITS.find(([, length]) => span >= least * length) ?? UNITS[2]
  return counted(Math.round(span / length), unit)
}
