import type { WatchStatus } from '../guard/status.js'
import type { SafeLogger } from '../log/logger.js'
import type { RejectionLog } from '../log/rejection-log.js'

/**
 * Logs what is news about the watched source. Differences and failures are warnings of the guard, which name the time since when
 * they hold; that there is no difference any more is a line of its own.
 */
export function logWatch(
  { source, revision, differences }: WatchStatus,
  news: 'drift' | 'failure',
  log: Pick<RejectionLog<unknown>, 'warnings'>,
  logger: SafeLogger
): void {
  log.warnings()
  if (news === 'failure' || !differences!.same) return
  logger.write(() => ({
    level: 'info',
    fields: { moengage: { event: 'moengage.watch', watch: source, revision } },
    message: `"${source}", revision ${revision}, has the same list as the one in use again.`
  }))
}
