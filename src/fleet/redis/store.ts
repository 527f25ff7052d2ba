import type { FleetStore, FoundReport, StoredChange, StoredReport, StoredState, StoreLimits } from '../store.js'
import { type Connection, dialBy, type RedisClient } from './connection.js'
import { Line } from './line.js'

/** How many changes the log keeps. */
const LOGGED = 50
/** How many reports are asked for at once. */
const GROUP = 100
/** How many of the replicas that reported longest ago a report looks at: those whose report has expired leave the index. */
const CHECKED = 10
/** What `PTTL` answers for a key that does not exist. */
const NO_KEY = -2
/** The first wait before a new subscription; each further one doubles it. */
const FIRST_WAIT = 100

/** Compares the version and writes the change, in one step. A field that has no value is deleted. */
const WRITE = `
if (redis.call('HGET', KEYS[1], 'version') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2])
for i, field in ipairs({ 'list', 'overrides' }) do
  local text = ARGV[2 + i]
  if text == '' then redis.call('HDEL', KEYS[1], field) else redis.call('HSET', KEYS[1], field, text) end
end
redis.call('LPUSH', KEYS[2], ARGV[5])
redis.call('LTRIM', KEYS[2], 0, ${LOGGED - 1})
redis.call('PUBLISH', ARGV[6], ARGV[2])
return 1`

/** Where the keys of a fleet stand. All of them share a hash tag, so that a cluster keeps them on one node. */
export interface RedisStoreOptions {
  readonly client: RedisClient
  readonly scope: string
  readonly name: string
  /** Milliseconds. */
  readonly timeout: number
  /** Milliseconds; a subscription that failed is tried again at least this often. */
  readonly poll: number
}

/** Redis or Valkey as the store of a fleet, by two connections of its own: one for commands, one for messages. */
export class RedisStore implements FleetStore {
  readonly name: string
  readonly #keys: { readonly state: string; readonly log: string; readonly replicas: string; readonly changed: string }
  readonly #poll: number
  readonly #commands: Line
  readonly #messages: Line
  #changed: (() => void) | undefined

  constructor({ client, scope, name, timeout, poll }: RedisStoreOptions) {
    const tag = `{${scope}:${name}}`
    this.name = tag
    this.#keys = {
      state: `${tag}:state`,
      log: `${tag}:log`,
      replicas: `${tag}:replicas`,
      changed: `${tag}:changed`
    }
    this.#poll = poll
    const dial = dialBy(client, timeout)
    this.#commands = new Line(dial, timeout)
    this.#messages = new Line(dial, timeout, (connection) => this.#subscribe(connection))
  }

  #subscribe(connection: Connection): Promise<unknown> {
    return connection.subscribe(this.#keys.changed, () => this.#changed?.())
  }

  async read(limits: StoreLimits): Promise<StoredState | null> {
    const { state } = this.#keys
    return this.#commands.use(async ({ send }) => {
      // A value of any size may be there; its length costs nothing.
      const [list, overrides] = await Promise.all([
        send(['HSTRLEN', state, 'list']),
        send(['HSTRLEN', state, 'overrides'])
      ])
      refuseLong('list', list, limits.list)
      refuseLong('overrides', overrides, limits.overrides)
      const found = (await send(['HMGET', state, 'version', 'list', 'overrides'])) as (string | null)[]
      const [version, ...texts] = found
      if (version === null || version === undefined) {
        if (texts.every((text) => text === null)) return null
        throw new Error('It has no version.')
      }
      return { version: readVersion(version), list: texts[0]!, overrides: texts[1]! }
    })
  }

  async poll(): Promise<number | null> {
    const [version] = await Promise.all([
      this.#commands.use(({ send }) => send(['HGET', this.#keys.state, 'version'])),
      // On a connection that is half open no message arrives, and nobody notices.
      this.#changed === undefined ? undefined : this.#checkMessages()
    ])
    return version === null ? null : readVersion(version as string)
  }

  /** An answer on the connection for messages proves that it is alive. On it, nothing but a subscription is answered. */
  async #checkMessages(): Promise<void> {
    const wasOpen = this.#messages.isOpen
    await this.#messages.use(async (connection) => {
      if (!wasOpen) return
      const channel = `${this.#keys.changed}:alive`
      await connection.subscribe(channel, () => {})
      await connection.unsubscribe(channel)
    })
    // A new subscription may have missed changes.
    if (!wasOpen) this.#changed?.()
  }

  async write({ expect, state: { version, list, overrides }, entry }: StoredChange): Promise<boolean> {
    const { state, log, changed } = this.#keys
    const values = [expect === null ? '' : `${expect}`, `${version}`, list ?? '', overrides ?? '', entry, changed]
    return (await this.#commands.use(({ send }) => send(['EVAL', WRITE, '2', state, log, ...values]))) === 1
  }

  async time(): Promise<number> {
    const [seconds, micros] = (await this.#commands.use(({ send }) => send(['TIME']))) as [string, string]
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
  }

  watch(changed: () => void, signal: AbortSignal): void {
    this.#changed = () => {
      if (!signal.aborted) changed()
    }
    void this.#keepWatching(signal)
  }

  /** Subscribes, and again soon after the connection has ended. */
  async #keepWatching(signal: AbortSignal): Promise<void> {
    let wait = FIRST_WAIT
    while (!signal.aborted) {
      try {
        if (!this.#messages.isOpen) {
          await this.#messages.use(async () => {})
          this.#changed?.()
        }
        wait = FIRST_WAIT
      } catch {
        // `poll` reports it.
        wait = Math.min(2 * wait, this.#poll)
      }
      await new Promise<void>((resolve) => {
        setTimeout(resolve, wait).unref()
      })
    }
  }

  /**
   * The index has the replicas in the order of their reports: each report gets the next number. No clock is in it: that of a replica may be
   * wrong by days, and would sort out others, or itself.
   */
  async report({ id, text }: StoredReport, keepFor: number): Promise<void> {
    const { replicas } = this.#keys
    await this.#commands.use(async ({ send }) => {
      const [[, newest], oldest] = (await Promise.all([
        send(['ZREVRANGE', replicas, '0', '0', 'WITHSCORES']),
        send(['ZREVRANGE', replicas, `-${CHECKED}`, '-1'])
      ])) as [string[], string[]]
      const [left] = await Promise.all([
        Promise.all(oldest.map((other) => send(['PTTL', `${replicas}:${other}`]))),
        send(['SET', `${replicas}:${id}`, text, 'PX', `${keepFor}`]),
        // No number where the index is empty, or where somebody wrote something else.
        send(['ZADD', replicas, `${(Number(newest) || 0) + 1}`, id]),
        send(['PEXPIRE', replicas, `${keepFor}`])
      ])
      const expired = oldest.filter((other, i) => other !== id && left[i] === NO_KEY)
      if (expired.length === 0) return
      // In two steps, because replicas have no permission to remove a member by its name.
      await send(['ZADD', replicas, ...expired.flatMap((other) => ['-inf', other])])
      await send(['ZREMRANGEBYSCORE', replicas, '-inf', '-inf'])
    })
    this.#keepFor = keepFor
  }

  #keepFor = 86_400_000

  async *reports(limit: number, bytes: number): AsyncGenerator<readonly FoundReport[]> {
    const { replicas } = this.#keys
    const ids = (await this.#commands.use(({ send }) => send(['ZREVRANGE', replicas, '0', `${limit - 1}`]))) as string[]
    for (let i = 0; i < ids.length; i += GROUP) {
      const group = ids.slice(i, i + GROUP)
      const found = await this.#commands.use(({ send }) =>
        Promise.all(
          group.flatMap((id) => [
            send(['GETRANGE', `${replicas}:${id}`, '0', `${bytes - 1}`]),
            send(['PTTL', `${replicas}:${id}`])
          ])
        )
      )
      yield group.flatMap((id, n) => {
        const [text, left] = [found[2 * n] as string, found[2 * n + 1] as number]
        return text === '' ? [] : [{ id, text, age: this.#keepFor - left }]
      })
    }
  }

  async log(): Promise<readonly string[]> {
    return (await this.#commands.use(({ send }) => send(['LRANGE', this.#keys.log, '0', `${LOGGED - 1}`]))) as string[]
  }

  close(): void {
    this.#commands.close()
    this.#messages.close()
  }
}

function refuseLong(part: string, length: unknown, most: number): void {
  if ((length as number) > most) throw new Error(`Its ${part} has ${length} bytes, more than ${most}.`)
}

function readVersion(text: string): number {
  return /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
}
