import type { Clock } from '../../src/lib/time.js'

/** A clock that stands still until it is told to go on. */
export class TestClock implements Clock {
  #now: number
  #elapsed = 0
  readonly #timers = new Set<{ at: number; run: () => void }>()

  constructor(now: string) {
    this.#now = Date.parse(now)
  }

  now(): number {
    return this.#now
  }

  elapsed(): number {
    return this.#elapsed
  }

  /** Sets the time of day, while no time passes. */
  set(now: number): void {
    this.#now = now
  }

  after(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#elapsed + milliseconds, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** How long each timer has still to wait, in milliseconds. */
  get waiting(): number[] {
    return [...this.#timers].map(({ at }) => at - this.#elapsed)
  }

  /** Lets time pass; timers run when their time has come, unless they are late. */
  pass(milliseconds: number, { timersAreLate = false } = {}): void {
    this.#now += milliseconds
    this.#elapsed += milliseconds
    if (timersAreLate) return
    for (const timer of this.#timers) {
      if (timer.at > this.#elapsed) continue
      this.#timers.delete(timer)
      timer.run()
    }
  }
}
