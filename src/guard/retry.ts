import type { OpenSource } from '../directory/source/source.js'
import { MINUTE } from '../lib/time.js'

/** The first wait after a failure; each further one doubles it, up to the interval. */
const RETRY = 10_000

/**
 * How long to wait after failures in a row, in milliseconds; at random, since servers that were started together fail together.
 *
 * @param longest is never exceeded
 */
export function retryAfter(failures: number, longest: number): number {
  return Math.min(longest, RETRY * 2 ** (failures - 1)) * (1 - Math.random() / 2)
}

/** How a source is followed without anybody's call. */
type Followed = Pick<OpenSource, 'interval' | 'watch'>

/** The longest time between two attempts, in milliseconds; undefined where the source is only asked on demand. */
export const longestRetry = ({ interval, watch }: Followed): number | undefined => interval ?? (watch && MINUTE)

/**
 * How long to wait until a source is looked at again, in milliseconds; undefined where only a change or a call leads to that.
 *
 * @param failures in a row
 */
export function waitAfter(failures: number, source: Followed): number | undefined {
  if (failures > 0) {
    const longest = longestRetry(source)
    return longest && retryAfter(failures, longest)
  }
  // Servers that were started together do not ask together.
  return source.interval && source.interval * (1 - Math.random() / 10)
}
