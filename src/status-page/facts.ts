import type { Directory } from '../directory/directory.js'
import type { Guard } from '../guard/guard.js'
import type { GuardMetrics } from '../guard/ledger.js'
import type { GuardStatus } from '../guard/status.js'
import type { Sender } from '../senders/senders.js'
import type { Bar, Samples, Totals } from './samples.js'

/** What the page reads of a guard: `app.moengage` in Fastify, or the return value of `createGuard` and of the other doors. */
export type ShownGuard = Pick<Guard, 'status' | 'metrics' | 'senders' | 'directory' | 'explainAll'>

/** Maximum number of rejected senders on the page. */
export const MAX_SENDERS = 50

/** What the page shows, all of one moment. */
export interface Facts {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly status: GuardStatus
  readonly metrics: GuardMetrics
  /** The rejected senders with the most rejections. */
  readonly senders: readonly Sender[]
  readonly directory: Directory
  /** Since when the page has counted; there are no bars of the time before. */
  readonly since: number
  readonly minutes: readonly Bar[]
  readonly hours: readonly Bar[]
}

/** @throws NotReadyError (`MOE_ERR_NOT_READY`) while the guard has no list */
export function factsOf(guard: ShownGuard, samples: Samples, now: number): Facts {
  const metrics = guard.metrics()
  samples.take(totalsOf(metrics))
  const { since, minutes, hours } = samples
  const [status, senders, directory] = [guard.status(), guard.senders(MAX_SENDERS), guard.directory()]
  return { now, status, metrics, senders, directory, since, minutes, hours }
}

export function totalsOf({ verdicts }: GuardMetrics): Totals {
  let [verified, rejected] = [0, 0]
  for (const counts of verdicts) {
    verified += counts.verified
    for (const count of Object.values(counts.rejected)) rejected += count
  }
  return { verified, rejected }
}
