import { FleetError } from '../errors.js'
import type { RedisClient } from '../fleet/redis/connection.js'

/** Packages that can speak to the store, in the order in which they are tried. */
const PACKAGES = ['ioredis', 'iovalkey', 'redis'] as const

/** What is used of the packages. */
interface Loaded {
  readonly Redis: new (url: string, options: object) => RedisClient
  readonly createClient: (options: object) => RedisClient
}

/**
 * A client of the first package that is installed. It is not connected: the store makes connections by its options.
 *
 * @throws (rejects with) FleetError (`MOE_ERR_FLEET`) if none is installed
 */
export async function redisClient(
  url: string,
  load: (name: string) => Promise<unknown> = (name) => import(name)
): Promise<RedisClient> {
  for (const name of PACKAGES) {
    try {
      const { Redis, createClient } = (await load(name)) as Loaded
      return name === 'redis' ? createClient({ url }) : new Redis(url, { lazyConnect: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    }
  }
  throw new FleetError({
    value: PACKAGES,
    message: 'No package for Redis or Valkey is installed.',
    fix: 'Install one of them: npm install ioredis.'
  })
}
