import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Redis, type RedisOptions } from 'ioredis'
import type { Test } from 'tap'
import type { GuardStatus, Verdict } from '../../src/core.js'
import { FleetControl } from '../../src/fleet/control.js'
import { RedisStore } from '../../src/fleet/redis/store.js'
import type { FleetStatus } from '../../src/redis.js'
import { send } from './http.js'

export const NAME = 'webhooks'
export const STATE = `{moengage:${NAME}}:state`

/** Short times, so that the tests are short. */
export const TIMES = { poll: 500, timeout: 300, report: 1000 }

/** A replica in a process of its own. */
export class ForkedReplica {
  readonly child: ChildProcess
  port = 0
  /** Milliseconds from the first line of the program to the first request that it takes. */
  startedIn = 0

  private constructor(child: ChildProcess) {
    this.child = child
  }

  static async start(t: Test, url: string, config: object = {}): Promise<ForkedReplica> {
    const { fleet, ...rest } = config as { fleet?: object }
    const settings = JSON.stringify({ url, fleet: { name: NAME, ...TIMES, ...fleet }, ...rest })
    const child = fork('test/support/replica.mjs', [settings], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc']
    })
    t.teardown(() => child.kill('SIGKILL'))
    const replica = new ForkedReplica(child)
    const [message] = (await once(child, 'message')) as [{ port: number; startedIn: number }]
    Object.assign(replica, message)
    return replica
  }

  async judge(clientIp: string): Promise<{ status: number; verdict: Verdict | undefined }> {
    const { status, body } = await send({ port: this.port }, { headers: { 'x-forwarded-for': clientIp } })
    return { status, verdict: status === 200 ? JSON.parse(body) : undefined }
  }

  async status(): Promise<GuardStatus> {
    return JSON.parse((await send({ port: this.port }, { path: '/status' })).body)
  }

  async fleet(): Promise<FleetStatus> {
    return JSON.parse((await send({ port: this.port }, { path: '/fleet' })).body)
  }

  /** How many sockets it has, with that of this request. */
  async sockets(): Promise<number> {
    return JSON.parse((await send({ port: this.port }, { path: '/sockets' })).body)
  }

  async kill(): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await ended
  }
}

/** What a publisher uses, on a store that may be called by a user of an ACL. */
export function controlOf(t: Test, url: string, options: Partial<RedisOptions> = {}): FleetControl {
  const client = new Redis(url, Object.assign({ lazyConnect: true }, options) as object)
  const store = new RedisStore({ client, scope: 'moengage', name: NAME, timeout: 5000, poll: 1000 })
  const control = new FleetControl(store, NAME)
  t.teardown(() => control.close())
  return control
}

/** Waits until something is so, at most ten seconds; resolves with the milliseconds that it took. */
export async function eventually(isSo: () => Promise<boolean>): Promise<number> {
  const started = performance.now()
  for (;;) {
    if (await isSo()) return performance.now() - started
    if (performance.now() - started > 10_000) throw new Error(`This did not become so: ${isSo}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
