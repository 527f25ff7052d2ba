/** Runs a task, one run at a time: requests during a run lead to one more run after it. */
export class OneByOne {
  readonly #run: () => Promise<void>
  #isDue = false
  #running: Promise<void> | undefined

  /** @param run never rejects */
  constructor(run: () => Promise<void>) {
    this.#run = run
  }

  request(): void {
    this.#isDue = true
    this.#running ??= this.#runAll()
  }

  /** Resolves when no run is due any more. */
  async ended(): Promise<void> {
    await this.#running
  }

  async #runAll(): Promise<void> {
    // What changes at the moment of the request is part of the run.
    await Promise.resolve()
    while (this.#isDue) {
      this.#isDue = false
      await this.#run()
    }
    // In one step with the last look: a request between the two would wait for the next one.
    this.#running = undefined
  }
}
