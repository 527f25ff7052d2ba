/** The time and the timers of a guard; a test brings its own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs something once. Gives back how to call it off. Does not keep the process alive. */
  after(milliseconds: number, run: () => void): () => void
}

export const CLOCK: Clock = {
  now: () => Date.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds)
    timer.unref()
    return () => clearTimeout(timer)
  }
}
