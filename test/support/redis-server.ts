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
  if (SERVERS.includes('redis-server') || isRequired) return false
  const skip = 'tests with a real store left out: redis-server not installed (Debian: apt-get install redis-server)'
  console.error(`# ${skip}`)
  return skip
}

/** A server in a process of its own. */
export class RedisServer {
  readonly port: number
  readonly url: string
  readonly #program: string
  readonly #args: readonly string[]
  /** A replica writes what it gets of its primary, whatever its options say. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'moengage-redis-'))
  #child: ChildProcess | undefined

  private constructor(port: number, program: string, args: readonly string[]) {
    this.port = port
    this.url = `redis://127.0.0.1:${port}`
    this.#program = program
    this.#args = args
  }

  /** Starts a server that keeps nothing on disk, and ends it with the test. */
  static async start(t: Test, args: readonly string[] = [], program: string = 'redis-server'): Promise<RedisServer> {
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
    // A pipe that nobody reads would block it.
    this.#child = spawn(this.#program, [...own, ...this.#args], { stdio: 'ignore', cwd: this.#folder })
    for (let i = 0; i < 500; i++) {
      if (await canConnect(this.port)) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`${this.#program} did not start.`)
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  pause(): void {
    this.#child!.kill('SIGSTOP')
  }

  resume(): void {
    this.#child!.kill('SIGCONT')
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
