import type { RedisClient } from '../../src/redis.js'

interface IoOptions {
  readonly isCluster?: boolean
  readonly db?: number
  readonly sentinels?: readonly object[]
}

/** As much of a server as a fleet uses, in this process: for machines without one, and for failures that a real one has rarely. */
export class FakeRedis {
  readonly hashes = new Map<string, Map<string, string>>()
  readonly texts = new Map<string, { text: string; end: number }>()
  readonly scores = new Map<string, Map<string, number>>()
  /** When the keys of scores expire. */
  readonly ends = new Map<string, number>()
  readonly lists = new Map<string, string[]>()
  /** The commands that were received, by name. */
  readonly received: string[] = []
  /** New connections are refused, and open ones end. */
  isDown = false
  /** Nothing is answered any more, on any connection. */
  isMute = false
  /** What a command is answered with instead, by name. */
  readonly errors = new Map<string, string>()
  readonly #connections = new Set<FakeConnection>()
  /** What the scan under way began with. */
  #index: [member: string, score: number][] = []

  /** A client as ioredis has it, for a database; its cluster has another `duplicate`. */
  io({ isCluster = false, db = 0, sentinels }: IoOptions = {}): RedisClient {
    const duplicate = () => new FakeConnection(this, this.#connections)
    const options = isCluster ? {} : { db, sentinels }
    return { isCluster, duplicate, connect() {}, call() {}, options } as unknown as RedisClient
  }

  /** A client as node-redis has it; not every version shows the options of its cluster. */
  nodeRedis({ isCluster = false, hasOptions = false } = {}): RedisClient {
    const duplicate = () => new FakeConnection(this, this.#connections, isCluster)
    return {
      duplicate,
      connect() {},
      sendCommand() {},
      ...(isCluster ? { masters: [], ...(hasOptions && { _options: { defaults: {} } }) } : { options: { socket: {} } })
    } as unknown as RedisClient
  }

  set(state: { readonly isDown?: boolean; readonly isMute?: boolean }): void {
    Object.assign(this, state)
  }

  stop(): void {
    this.isDown = true
    for (const connection of this.#connections) connection.fail()
  }

  publish(channel: string): void {
    for (const connection of this.#connections) connection.receive(channel)
  }

  hash(key: string): Map<string, string> {
    const hash = this.hashes.get(key) ?? new Map<string, string>()
    this.hashes.set(key, hash)
    return hash
  }

  answer([command, ...args]: readonly string[]): unknown {
    this.received.push(command!)
    const error = this.errors.get(command!)
    if (error !== undefined) throw new Error(error)
    const [key, ...rest] = args as [string, ...string[]]
    const hash = this.hashes.get(key)
    switch (command) {
      case 'HSTRLEN':
        return Buffer.byteLength(hash?.get(rest[0]!) ?? '')
      case 'HGET':
        return hash?.get(rest[0]!) ?? null
      case 'HMGET':
        return rest.map((field) => hash?.get(field) ?? null)
      case 'TIME':
        return [`${Math.floor(now() / 1000)}`, `${Math.floor(now() % 1000) * 1000}`]
      case 'SET':
        this.texts.set(key, { text: rest[0]!, end: now() + Number(rest[2]) })
        return 'OK'
      case 'GETRANGE':
        return this.#text(key)?.text.slice(0, Number(rest[1]) + 1) ?? ''
      case 'PTTL': {
        const found = this.#text(key)
        return found === undefined ? -2 : Math.round(found.end - now())
      }
      case 'ZADD':
        for (let i = 0; i < rest.length; i += 2) this.#sorted(key).set(rest[i + 1]!, scoreOf(rest[i]!))
        return 1
      case 'ZSCAN':
        return this.#scanned(key, rest)
      case 'ZREMRANGEBYSCORE': {
        const [least, most] = rest.map(scoreOf) as [number, number]
        for (const [id, score] of this.#sorted(key)) if (score >= least && score <= most) this.#sorted(key).delete(id)
        return 1
      }
      case 'PEXPIRE':
        this.ends.set(key, now() + Number(rest[0]))
        return 1
      case 'EVAL':
        return rest[0] === '1' ? (this.lists.get(rest[1]!) ?? []) : this.#write(args)
      case 'LRANGE':
        return this.lists.get(key) ?? []
      default:
        return 1
    }
  }

  #text(key: string): { readonly text: string; readonly end: number } | undefined {
    const found = this.texts.get(key)
    return found === undefined || found.end <= now() ? undefined : found
  }

  #sorted(key: string): Map<string, number> {
    const isThere = (this.ends.get(key) ?? Number.POSITIVE_INFINITY) > now()
    const scores = (isThere ? this.scores.get(key) : undefined) ?? new Map<string, number>()
    this.scores.set(key, scores)
    return scores
  }

  /** `ZSCAN key cursor MATCH pattern COUNT count`: a small set comes as a whole, whatever the count. */
  #scanned(key: string, [cursor, , pattern, , count]: readonly string[]): [string, string[]] {
    const start = Number(cursor)
    if (start === 0) this.#index = [...this.#sorted(key)]
    const all = this.#index
    const end = all.length <= 128 ? all.length : start + Number(count)
    const isAsked = new RegExp(`^${pattern!.replaceAll('?', '.')}$`)
    const found = all.slice(start, end).filter(([member]) => isAsked.test(member))
    return [end < all.length ? `${end}` : '0', found.flatMap(([member, score]) => [member, `${score}`])]
  }

  #write([, , state, log, expect, version, list, overrides, entry, channel]: readonly string[]): number {
    const hash = this.hash(state!)
    if ((hash.get('version') ?? '') !== expect) return 0
    for (const [field, text] of Object.entries({ version, list, overrides })) {
      if (text) hash.set(field, text)
      else hash.delete(field)
    }
    this.lists.set(log!, [entry!, ...(this.lists.get(log!) ?? [])].slice(0, 50))
    this.publish(channel!)
    return 1
  }
}

/** The clock of the server, which no test that sets the clock of a replica changes. */
const now = () => performance.timeOrigin + performance.now()

/** @throws Error as the server does for what is no number */
function scoreOf(text: string): number {
  const score = Number(text.replace(/inf$/, 'Infinity'))
  if (Number.isNaN(score)) throw new Error('ERR value is not a valid float')
  return score
}

/** One connection, with the methods of all clients. */
class FakeConnection {
  readonly #server: FakeRedis
  readonly #all: Set<FakeConnection>
  readonly #isCluster: boolean
  readonly #listeners = new Map<string, ((...details: never[]) => void)[]>()
  readonly #channels = new Map<string, (() => void) | undefined>()
  #isOpen = false

  constructor(server: FakeRedis, all: Set<FakeConnection>, isCluster = false) {
    this.#server = server
    this.#all = all
    this.#isCluster = isCluster
  }

  on(event: string, listener: (...details: never[]) => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener])
  }

  #emit(event: string, ...details: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as (...all: unknown[]) => void)(...details)
  }

  async connect(): Promise<void> {
    if (this.#server.isMute) await new Promise(() => {})
    const refusal = this.#server.errors.get('CONNECT')
    if (refusal !== undefined) throw new Error(refusal)
    if (this.#server.isDown) {
      this.#emit('error', new Error('connect ECONNREFUSED'))
      throw new Error('Connection is closed.')
    }
    this.#isOpen = true
    this.#all.add(this)
  }

  fail(): void {
    this.#emit('error', new Error('Socket closed unexpectedly'))
    this.end()
  }

  end(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#all.delete(this)
    this.#emit('end')
  }

  disconnect(): void {
    this.end()
  }

  destroy(): void {
    if (!this.#isOpen) throw new Error('The client is closed')
    this.end()
  }

  call(...args: string[]): Promise<unknown> {
    return this.#run(() => this.#server.answer(args))
  }

  sendCommand(...args: unknown[]): Promise<unknown> {
    if (this.#isCluster && typeof args[0] !== 'string' && args[0] !== undefined)
      throw new Error('A cluster needs a key.')
    return this.#run(() => this.#server.answer((this.#isCluster ? args[2] : args[0]) as string[]))
  }

  subscribe(channel: string, received?: () => void): Promise<unknown> {
    return this.#run(() => {
      this.#server.answer(['SUBSCRIBE', channel])
      this.#channels.set(channel, received)
    })
  }

  unsubscribe(channel: string): Promise<unknown> {
    return this.#run(() => this.#channels.delete(channel))
  }

  receive(channel: string): void {
    if (this.#server.isMute || !this.#channels.has(channel)) return
    this.#channels.get(channel)?.()
    this.#emit('message', 'another channel')
    this.#emit('message', channel)
  }

  async #run(answer: () => unknown): Promise<unknown> {
    if (this.#server.isMute) await new Promise(() => {})
    if (!this.#isOpen) throw new Error('Connection is closed.')
    return answer()
  }
}

/** The id of a replica, by a number. */
export const idOf = (n: number): string => `00000000-0000-4000-8000-${`${n}`.padStart(12, '0')}`
