import { MAX_LINE, type Mark } from './read-lines.js'

/** A line as container runtimes write it: `P` is a part of a line of at least 16 KB that goes on, `F` is its end, or all of it. */
const CRI = /^(\d{4}-\S{10,40} (?:stdout|stderr)) ([PF]) (.*)$/s

/** The marks of a line that goes on in the next one. */
export const PARTIAL_MARKS: readonly Mark[] = [
  { text: ' stdout P ', part: 'P ' },
  { text: ' stderr P ', part: 'P ' }
]

/** Puts lines together that a container runtime has cut. */
export class PartialLines {
  /** The parts so far, by stream. */
  readonly #parts = new Map<string, string>()

  /** Whether the end of a line is still to come. */
  get isOpen(): boolean {
    return this.#parts.size > 0
  }

  /** @returns a whole line; undefined for a part whose end is still to come */
  add(line: string): string | undefined {
    const [, head, kind, text] = CRI.exec(line) ?? []
    if (head === undefined) return line
    const stream = head.slice(-'stdout'.length)
    const before = this.#parts.get(stream) ?? ''
    const whole = `${before}${text!.replace(/\r$/, '')}`
    if (kind === 'P' && whole.length < MAX_LINE) {
      this.#parts.set(stream, whole)
      return undefined
    }
    this.#parts.delete(stream)
    return `${head} F ${whole}`
  }

  /** The lines whose end is missing, at the end of a file. */
  takeOpen(): string[] {
    const open = [...this.#parts].map(([stream, text]) => `${stream} P ${text}`)
    this.#parts.clear()
    return open
  }
}
