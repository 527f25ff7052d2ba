import { Readable, Writable } from 'node:stream'
import type { Io } from '../../src/cli/io.js'
import { main } from '../../src/cli/main.js'
import { redisClient } from '../../src/cli/redis-client.js'
import type { RedisClient } from '../../src/redis.js'

/** A command's access to the process, where it is not the default of a test. */
export interface World {
  stdin?: string | Buffer
  /** Standard input is a terminal. */
  isInteractive?: boolean
  env?: Record<string, string>
  /** Standard output is a terminal. */
  isTTY?: boolean
  /** Takes the place of standard output. */
  stdout?: Writable
  /** Takes the place of standard error. */
  stderr?: Writable
  fetch?: typeof fetch
  /** The time (2026-11-30). */
  now?: string
  /** The client for the store of a fleet. */
  redis?: RedisClient
}

/** Runs a command in this process. */
export async function run(argv: readonly string[], world: World = {}) {
  const { stdin = '', isInteractive, env = {}, isTTY, fetch: fetchOf = noNetwork, now = '2026-11-30T23:59:59Z' } = world
  const out = capture()
  const err = capture()
  const io: Io = {
    stdin: Object.assign(Readable.from([Buffer.from(stdin)]), { isTTY: isInteractive }),
    stdout: Object.assign(world.stdout ?? out.stream, { isTTY }),
    stderr: world.stderr ?? err.stream,
    env,
    fetch: fetchOf,
    now: () => new Date(now),
    redis: async (url) => world.redis ?? redisClient(url)
  }
  const code = await main(argv, io)
  return { code, stdout: out.text(), stderr: err.text() }
}

/** Runs a command with `--json`, and parses its output. */
export async function runJson(argv: readonly string[], world: World = {}) {
  const { code, stdout, stderr } = await run([...argv, '--json'], world)
  return { code, stderr, value: JSON.parse(stdout) }
}

const noNetwork: typeof fetch = () => Promise.reject(new Error('a test uses the network'))

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
