import { setTimeout as sleep } from 'node:timers/promises'

/** A slice counts as disturbed when the yardstick took this much longer than at its best, before or after it. */
const TOLERANCE = 1.15
const MOST_ATTEMPTS = 4
/** Through a buffer, since a repeated string is a tree of pieces until the garbage collector flattens it. */
const TEXT = Buffer.from('3.6.251.95,52.6.248.125,'.repeat(400)).toString('latin1')

/**
 * Takes measurements while the machine is quiet. A neighbour on the same core makes code up to twice as slow, and not all
 * code alike, so even ratios suffer; it comes and goes within milliseconds. A fixed piece of work, timed before and after
 * each slice, tells.
 */
export class Quiet {
  /**
   * Milliseconds that may still be spent on waiting, in this process; on a machine that is never quiet they run out, and
   * everything is taken as it comes.
   */
  #patience: number

  constructor() {
    this.#patience = Number(process.env.BENCH_PATIENCE ?? 2_500)
    for (let i = 0; i < 200; i++) yardstick()
  }

  /** Takes a slice again until it was undisturbed; the last attempt is kept in any case. */
  async take<T>(slice: () => T | Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      await this.#wait()
      const start = performance.now()
      const result = await slice()
      const isQuiet = isUndisturbed()
      if (isQuiet || attempt === MOST_ATTEMPTS || this.#patience <= 0) return result
      this.#patience -= performance.now() - start
    }
  }

  async #wait(): Promise<void> {
    const start = performance.now()
    while (!isUndisturbed() && performance.now() - start < this.#patience) await sleep(5)
    this.#patience -= performance.now() - start
  }
}

function isUndisturbed(): boolean {
  return yardstick() <= bestYardstick() * TOLERANCE
}

let best = Number(process.env.BENCH_YARDSTICK ?? Number.POSITIVE_INFINITY)

/** The least time that the yardstick ever took, here or in the process that started this one. */
export function bestYardstick(): number {
  return best
}

/** Finds the best time of the yardstick, and tells it to the processes that are started from here. */
export async function calibrate(): Promise<void> {
  for (let i = 0; i < 300; i++) {
    yardstick()
    await sleep(3)
  }
  process.env.BENCH_YARDSTICK = String(best)
}

/** Milliseconds that the fixed piece of work takes; the best of three, as being interrupted is no disturbance of a slice. */
function yardstick(): number {
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 3; attempt++) {
    const start = performance.now()
    for (let i = 0; i < 8; i++) work()
    least = Math.min(least, performance.now() - start)
  }
  best = Math.min(best, least)
  return least
}

let sink = 0

/** Reads characters into independent sums: work that feels a neighbour on the same core at once. */
function work(): void {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  for (let i = 0; i < TEXT.length; i += 4) {
    a = (a + TEXT.charCodeAt(i)) | 0
    b = (b ^ (TEXT.charCodeAt(i + 1) * 31)) | 0
    c = (c + (TEXT.charCodeAt(i + 2) & 15)) | 0
    d = (d + b) | 0
  }
  sink = (sink + a + b + c + d) | 0
}
