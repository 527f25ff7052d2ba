import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from './http.js'

/** Servers that are on this machine; Valkey is the same to us. */
export const SERVERS = (['redis-server', 'valkey-server'] as const).filter(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
)

const isRequired = process.env.REAL_PROXIES === 'required'

/** Why tests with a real server are left out; false where they are not. Says so in one line. */
export function skipWithoutServer(): string | false {
  if (SERVERS.includes('redis-server') || isRequired || process.env.FLEET_SERVER !== undefined) return false
  const skip = 'tests with a real store left out: redis-server not installed (Debian: apt-get install redis-server)'
  console.error(`# ${skip}`)
  return skip
}

/** What all tests of a fleet run on: `FLEET_SERVER=valkey-server` runs them on Valkey. */
const PROGRAM = process.env.FLEET_SERVER ?? 'redis-server'

/** Starts a program, prints its number, and kills it when its own input ends: also when the process of the test is killed. */
const KEEPER = `"$@" </dev/null >/dev/null 2>&1 &
trap : HUP INT TERM
echo $!
cat >/dev/null
kill -9 $!
wait $!`

/** A server in a process of its own, which ends with this one. */
export class RedisServer {
  readonly port: number
  readonly url: string
  readonly #program: string
  readonly #args: readonly string[]
  /** A replica writes what it gets of its primary, whatever its options say. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'moengage-redis-'))
  #keeper: ChildProcess | undefined
  #pid = 0

  private constructor(port: number, program: string, args: readonly string[]) {
    this.port = port
    this.url = `redis://127.0.0.1:${port}`
    this.#program = program
    this.#args = args
  }

  /** Starts a server that keeps nothing on disk, and ends it with the test. */
  static async start(t: Test, args: readonly string[] = [], program = PROGRAM): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), program, args)
    t.teardown(async () => {
      await server.kill()
      rmSync(server.#folder, { recursive: true, force: true })
    })
    await server.start()
    return server
  }

  async start(): Promise<void> {
    const own = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const keeper = spawn('sh', ['-c', KEEPER, 'sh', this.#program, ...this.#args, ...own], {
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: this.#folder
    })
    this.#keeper = keeper
    const [line] = (await once(keeper.stdout, 'data')) as [Buffer]
    this.#pid = Number(`${line}`)
    for (let i = 0; i < 500; i++) {
      if (await canConnect(this.port)) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`${this.#program} did not start.`)
  }

  async kill(): Promise<void> {
    const keeper = this.#keeper
    if (keeper === undefined) return
    this.#keeper = undefined
    const ended = once(keeper, 'exit')
    keeper.stdin!.end()
    await ended
  }

  pause(): void {
    process.kill(this.#pid, 'SIGSTOP')
  }

  resume(): void {
    process.kill(this.#pid, 'SIGCONT')
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
