import type { Readable, Writable } from 'node:stream'

/** Everything that a command may touch of the world: the process's own, or a test's. */
export interface Io {
  readonly stdin: Readable
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly fetch: typeof fetch
  readonly now: () => Date
}

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined }

/** Ends a command with an exit code other than 0, after it has said what there is to say. */
export class Exit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

/** Writes what `--json` asks for. */
export function writeJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Tells an error or a warning. What it quotes may come from anywhere; it must not steer the terminal. */
export function tell(io: Io, kind: 'error' | 'warning', message: string): void {
  io.stderr.write(`${kind}: ${message.replaceAll(/(?!\n)\p{Cc}/gu, ' ')}\n`)
}
