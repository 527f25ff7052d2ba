import { Readable, Writable } from 'node:stream'
import type { Io } from '../../src/cli/io.js'
import { main } from '../../src/cli/main.js'

/** The world of a command, where it is not the default of a test. */
export interface World {
  stdin?: string | Buffer
  env?: Record<string, string>
  /** Standard output is a terminal. */
  isTTY?: boolean
  /** Takes the place of standard output. */
  stdout?: Writable
  fetch?: typeof fetch
}

/** Runs a command in this process. */
export async function run(argv: readonly string[], world: World = {}) {
  const out = capture()
  const err = capture()
  const { stdin = '', env = {}, isTTY, stdout = out.stream, fetch: fetchOf = noNetwork } = world
  const io: Io = {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: Object.assign(stdout, { isTTY }),
    stderr: err.stream,
    env,
    fetch: fetchOf,
    now: () => new Date('2026-11-30T23:59:59Z')
  }
  const code = await main(argv, io)
  return { code, stdout: out.text(), stderr: err.text() }
}

const noNetwork: typeof fetch = () => Promise.reject(new Error('a test asks the network'))

function capture() {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    }
  })
  return { stream, text: () => text }
}
