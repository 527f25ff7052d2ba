import type { Output } from './io.js'

const WIDTH = 30

/** A bar on a terminal that shows how much was read; nothing elsewhere, or where nobody knows how much there is. */
export class Progress {
  readonly #terminal: Output | undefined
  readonly #total: number
  #done = 0
  #shown = -1

  /** @param total how many bytes there are; 0 where that is not known */
  constructor(terminal: Output, total: number) {
    this.#terminal = terminal.isTTY && total > 0 ? terminal : undefined
    this.#total = total
  }

  add(bytes: number): void {
    this.#done += bytes
    // A log that is being written to grows while it is read.
    const percent = Math.min(100, Math.floor((100 * this.#done) / this.#total))
    if (this.#terminal === undefined || percent === this.#shown) return
    this.#shown = percent
    const bar = '#'.repeat(Math.floor((percent * WIDTH) / 100)).padEnd(WIDTH, '.')
    this.#terminal.write(`\r[${bar}] ${percent} %`)
  }

  /** Wipes the bar away. */
  end(): void {
    if (this.#shown !== -1) this.#terminal?.write('\r\x1b[K')
  }
}
