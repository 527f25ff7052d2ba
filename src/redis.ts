/**
 * A fleet of replicas that share the list, overrides and what they see, by Redis, Valkey or another store.
 *
 * @module moengage-allowlist/redis
 */

import { fleetOf, REPLICA_OPTIONS, type ReplicaOptions, readName } from './fleet/options.js'
import { ownStore } from './fleet/own-store.js'
import { type RedisClient, refusalOf } from './fleet/redis/connection.js'
import { RedisStore } from './fleet/redis/store.js'
import type { FleetStore } from './fleet/store.js'
import type { Fleet } from './guard/fleet.js'
import type { OptionRule } from './lib/option.js'
import { OptionReader } from './lib/option-reader.js'
import { shown } from './lib/text.js'

export type { ReplicaOptions } from './fleet/options.js'
export type { IoClient, NodeRedisClient, RedisClient } from './fleet/redis/connection.js'
export type {
  FleetStore,
  FoundReport,
  StoredChange,
  StoredReport,
  StoredState,
  StoreLimits
} from './fleet/store.js'
export type { Fleet, FleetSender, FleetStatus, GuardFleet, Replica } from './guard/fleet.js'

/** Options of {@link redisFleet}. */
export interface RedisFleetOptions extends ReplicaOptions {
  /**
   * A client of ioredis, iovalkey or node-redis, or a cluster of one of them; for Sentinels, one of ioredis. Two connections are
   * made by its options, with time-outs; the client itself is not used, and need not be connected.
   */
  readonly client: RedisClient
  /** The first part of all keys, for several installations on one server (`'moengage'`). */
  readonly scope?: string | undefined
}

const CLIENT: OptionRule<RedisClient> = {
  fallback: undefined as never,
  example: 'new Redis()',
  required: 'Write client: new Redis(), a client of ioredis, iovalkey or node-redis.',
  read(option) {
    const refusal = refusalOf(option.value)
    return refusal === undefined ? (option.value as RedisClient) : option.refuse(refusal.message, refusal.fix)
  }
}

const REDIS_OPTIONS = {
  client: CLIENT,
  scope: { fallback: 'moengage', example: `'staging'`, read: readName } as OptionRule<string>,
  ...REPLICA_OPTIONS
}

/**
 * A fleet on Redis or Valkey, for the option `fleet` of a guard in any door.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options
 * @example
 * const fleet = redisFleet({ client: new Redis(process.env.REDIS_URL), name: 'webhooks', copy: '/var/lib/app/fleet.json' })
 * await app.register(moengageAllowlist, { dataCenters: 'DC-01', fleet })
 */
export function redisFleet(options: RedisFleetOptions): Fleet {
  const reader = OptionReader.open(REDIS_OPTIONS, options, `Write { client: new Redis(), name: 'webhooks' }.`)
  reader.checkNames()
  const { client, scope, ...replica } = reader.readAll()
  reader.throwMistakes()
  const { name, timeout, poll } = replica
  return fleetOf(replica, () => new RedisStore({ client, scope, name, timeout, poll }))
}

/** Options of {@link storeFleet}. */
export interface StoreFleetOptions extends Omit<ReplicaOptions, 'timeout'> {
  /** Opens the store; called once for each guard that joins the fleet. */
  readonly store: () => FleetStore
}

const STORE: OptionRule<() => FleetStore> = {
  fallback: undefined as never,
  example: '() => new OurStore()',
  required: 'Write store: () => new OurStore(), with a store of your own.',
  read: (option) =>
    typeof option.value === 'function'
      ? (option.value as () => FleetStore)
      : option.refuse(`${shown(option.value)} is not a function.`, 'Write () => new OurStore().')
}

const { timeout: TIMEOUT, ...WITHOUT_TIMEOUT } = REPLICA_OPTIONS
const STORE_OPTIONS = { store: STORE, ...WITHOUT_TIMEOUT }

/**
 * A fleet on a store of your own, such as NATS; see {@link FleetStore} for what it must do.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake in the options
 */
export function storeFleet(options: StoreFleetOptions): Fleet {
  const reader = OptionReader.open(STORE_OPTIONS, options, `Write { store: () => new OurStore(), name: 'webhooks' }.`)
  reader.checkNames()
  const { store, ...replica } = reader.readAll()
  reader.throwMistakes()
  return fleetOf({ ...replica, timeout: TIMEOUT.fallback }, () => ownStore(store()))
}
