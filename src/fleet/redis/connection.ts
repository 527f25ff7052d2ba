import type { Problem } from '../../errors.js'
import { shown } from '../../lib/text.js'

/** One connection to a server. It is used until it fails once, and then replaced by a new one. What waits for an answer is rejected when it ends. */
export interface Connection {
  send(args: readonly string[]): Promise<unknown>
  subscribe(channel: string, received: () => void): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
}

/**
 * Makes one connection, which does not reconnect by itself.
 *
 * @param signal ends it at once, also while it is being made: a server that hangs may never answer a password
 * @param ended called with the reason when a connection that was made ends by itself
 */
export type Dial = (signal: AbortSignal, ended: (reason: unknown) => void) => Promise<Connection>

/** A client of ioredis or iovalkey, or a cluster of them, as far as it is used. */
export interface IoClient {
  /** Makes a connection with the same options. */
  duplicate(...options: never[]): unknown
  /** Sends a command. */
  call(command: string, ...args: never[]): Promise<unknown>
}

/** A client of node-redis, or a cluster, as far as it is used. */
export interface NodeRedisClient {
  /** Makes a connection with the same options. */
  duplicate(options?: never): unknown
  /** Sends a command. */
  sendCommand(...args: never[]): Promise<unknown>
}

/** A client of ioredis, iovalkey or node-redis; or a cluster. The fleet makes connections of its own by its options. */
export type RedisClient = IoClient | NodeRedisClient

/** What the connections of a fleet do otherwise than the client that they are made from, whatever its library. */
interface IoConnection extends Omit<IoClient, 'call'> {
  readonly isCluster?: boolean
  readonly options: {
    readonly db?: number
    readonly redisOptions?: { readonly db?: number | undefined }
    readonly sentinels?: readonly unknown[] | null
  }
  call(...args: readonly string[]): Promise<unknown>
  connect(): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  disconnect(reconnect?: boolean): void
  on(event: string, listener: (detail: unknown) => void): unknown
}

/** Why no fleet can be made from a value; undefined where it is a client that one can be made from. */
export function refusalOf(value: unknown): Pick<Problem, 'message' | 'fix'> | undefined {
  const { duplicate, call, sendCommand, connect, getSentinelNode } = (value ?? {}) as Record<string, unknown>
  if (![duplicate, connect].every(isFunction) || !(isFunction(call) || isFunction(sendCommand))) {
    return {
      message: `${shown(value)} is not a client of ioredis, iovalkey or node-redis.`,
      fix: 'Write client: new Redis(), or createClient() of node-redis.'
    }
  }
  if (isFunction(getSentinelNode)) {
    return {
      message: 'A fleet cannot make connections from a Sentinel client of node-redis.',
      fix: `Write client: new Redis({ sentinels: [{ host: '127.0.0.1', port: 26379 }], name: 'mymaster' }) of ioredis, with your Sentinels.`
    }
  }
  // A cluster has no other database, and its client would go on in this one.
  const db = (value as Partial<IoConnection>).options?.redisOptions?.db ?? 0
  return db === 0 ? undefined : { message: `A cluster has no database ${db}.`, fix: 'Leave db out of redisOptions.' }
}

const isFunction = (value: unknown) => typeof value === 'function'

/** How to connect by the options of a client. */
export function dialBy(client: RedisClient, timeout: number): Dial {
  return 'call' in client && isFunction(client.call)
    ? dialIo(client as unknown as IoConnection, timeout)
    : dialNodeRedis(client as unknown as NodeRedisConnection, timeout)
}

function dialIo(client: IoConnection, timeout: number): Dial {
  const own = {
    // A prefix would be that of one program; another one, and the command line, would not find the keys.
    keyPrefix: '',
    // Selected below.
    db: 0,
    lazyConnect: true,
    retryStrategy: null,
    sentinelRetryStrategy: null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    // Both would send commands that a replica needs no permission for.
    enableReadyCheck: false,
    disableClientInfo: true,
    protocol: 2,
    connectTimeout: timeout,
    commandTimeout: timeout,
    sentinelCommandTimeout: timeout,
    socketTimeout: 2 * timeout,
    // A server that hangs does not end its side.
    disconnectTimeout: 0
  }
  const duplicate = client.duplicate.bind(client) as (...options: unknown[]) => IoConnection
  const { db = 0, sentinels } = client.options
  return async (signal, ended) => {
    const { lazyConnect, keyPrefix, ...redisOptions } = own
    const made = client.isCluster
      ? duplicate([], {
          lazyConnect,
          keyPrefix,
          clusterRetryStrategy: null,
          slotsRefreshTimeout: timeout,
          enableOfflineQueue: false,
          // Not every version adds those of the client, such as its password.
          redisOptions: { ...client.options.redisOptions, ...redisOptions }
        })
      : duplicate(sentinels ? { ...own, sentinels: fromAny(sentinels) } : own)
    signal.addEventListener('abort', () => made.disconnect())
    // `connect()` says no more than that the connection is closed.
    let reason: unknown
    made.on('error', (error) => {
      reason = error
    })
    try {
      await made.connect()
      // Where the server refuses the database, the client itself would go on in database 0.
      if (db !== 0) await made.call('SELECT', `${db}`)
    } catch (error) {
      throw reason ?? error
    }
    made.on('end', () => ended(reason ?? new Error('The connection has ended.')))
    const channels = new Map<string, () => void>()
    made.on('message', (channel) => channels.get(channel as string)?.())
    return {
      send: (args) => made.call(...args),
      subscribe(channel, received) {
        channels.set(channel, received)
        return made.subscribe(channel)
      },
      unsubscribe: (channel) => made.unsubscribe(channel)
    }
  }
}

/** The same in their order, from one at random on: a first Sentinel that hangs takes all the time of an attempt. */
function fromAny<Item>(items: readonly Item[]): Item[] {
  const start = Math.floor(Math.random() * items.length)
  return [...items.slice(start), ...items.slice(0, start)]
}

interface NodeRedisConnection {
  readonly options?: { readonly socket?: object }
  /** Those of a cluster, whose `defaults` have the password of its nodes. */
  readonly _options?: { readonly defaults?: { readonly socket?: object } }
  duplicate(options: object): NodeRedisConnection
  connect(): Promise<unknown>
  sendCommand(...args: readonly unknown[]): Promise<unknown>
  subscribe(channel: string, received: () => void): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  destroy(): void
  on(event: string, listener: (error: unknown) => void): unknown
}

function dialNodeRedis(client: NodeRedisConnection, timeout: number): Dial {
  const isCluster = 'masters' in client
  const given = isCluster ? client._options?.defaults : client.options
  const own = {
    keyPrefix: '',
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    pingInterval: undefined
  }
  const socket = { ...given?.socket, reconnectStrategy: false, connectTimeout: timeout, socketTimeout: undefined }
  return async (signal, ended) => {
    // `destroy()` ends no socket that is connecting, nor that by which a cluster asks for its nodes. The signal of `node:net` ends all.
    const options = { ...own, socket: { ...socket, signal } }
    const made = client.duplicate(isCluster ? { RESP: 2, defaults: { ...given, ...options } } : options)
    signal.addEventListener('abort', () => {
      try {
        made.destroy()
      } catch {
        // It has ended by itself.
      }
    })
    // A cluster says no more than that none of its nodes could be asked; one of several is no reason to give up.
    let reason: unknown
    made.on('error', (error) => {
      reason = error
    })
    try {
      await made.connect()
    } catch (error) {
      throw reason ?? error
    }
    made.on('error', ended)
    return {
      // A cluster has to be told which key decides about the node: the second of our arguments is always one.
      send: (args) => (isCluster ? made.sendCommand(keyOf(args), false, args) : made.sendCommand(args)),
      subscribe: (channel, received) => made.subscribe(channel, received),
      unsubscribe: (channel) => made.unsubscribe(channel)
    }
  }
}

/** The key of a command; behind the script and the number of keys for a script. */
const keyOf = (args: readonly string[]) => (args[0] === 'EVAL' ? args[3] : args[1])
