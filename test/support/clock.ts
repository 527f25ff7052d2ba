import type { Clock } from '../../src/lib/time.js'

/** A clock that stands still until it is told to go on. */
export class TestClock implements Clock {
  #now: number
  readonly #timers = new Set<{ at: number; run: () => void }>()

  constructor(now: string) {
    this.#now = Date.parse(now)
  }

  now(): number {
    return this.#now
  }

  after(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#now + milliseconds, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** How long each timer has still to wait, in milliseconds. */
  get waiting(): number[] {
    return [...this.#timers].map(({ at }) => at - this.#now)
  }

  /** Lets time pass; timers run when their time has come, unless they are late. */
  pass(milliseconds: number, { timersAreLate = false } = {}): void {
    this.#now += milliseconds
    if (timersAreLate) return
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue
      this.#timers.delete(timer)
      timer.run()
    }
  }
}
