import type { Readable, Writable } from 'node:stream'
import type { RedisClient } from '../fleet/redis/connection.js'
import { formatJson } from '../lib/json.js'
import { visible } from '../lib/text.js'

/** A command's only access to the process: streams, environment, network, clock. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined }
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly fetch: typeof fetch
  readonly now: () => Date
  /** A client of Redis or Valkey for a URL; not connected. */
  readonly redis: (url: string) => Promise<RedisClient>
}

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined }

/** Ends a command with an exit code other than 0, after it has written its output. */
export class Exit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

/** Writes the output of `--json`. */
export function writeJson(output: Output, value: unknown): void {
  output.write(`${formatJson(value, 2)}\n`)
}

/** Prints a message on standard error. It may quote any text, which must not steer the terminal. */
export function notify(io: Io, kind: 'error' | 'warning' | 'hint', message: string): void {
  io.stderr.write(`${kind}: ${visible(message)}\n`)
}

/** Says what a command waits for that reads standard input, if a person would have to type it. */
export function hintAtTerminal(io: Io, what: string): void {
  if (io.stdin.isTTY) notify(io, 'hint', `Reading ${what} from the terminal; end it with Ctrl+D, or name a file.`)
}
