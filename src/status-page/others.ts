import { type Finding, findingsOf } from '../evidence/findings.js'
import type { GuardStatus } from '../guard/status.js'
import { diagnose } from '../senders/diagnosis.js'
import type { Sender } from '../senders/senders.js'
import { type Reason, totalOf } from '../verdict/verdict.js'

/** What is known of the other servers of a fleet, and how this one sees it. */
interface Others {
  readonly status: GuardStatus
  /** The rejections by the others that run. */
  readonly rejected: Readonly<Record<Reason, number>>
  /** Whether MoEngage's list verified a request, on any server that runs. */
  readonly hasVerified: boolean
  /** Rejected senders that this server would reject, too. */
  readonly senders: readonly Sender[]
  /** The data centers that any route accepts. */
  readonly dataCenters: readonly string[]
  /** The list in use, as a ticket names it. */
  readonly list: string
}

/** What the secret gave away to other servers, beside what this server knows itself. */
export function evidenceOfOthers({ status, senders, dataCenters, list }: Others): Finding[] {
  const known = new Set(status.evidence.flatMap(({ addresses }) => addresses))
  const withSecret = senders.filter((sender) => totalOf(sender.withSecret) > 0 && !known.has(sender.clientIp))
  return findingsOf({
    senders: (reason, isOwn) =>
      withSecret.filter(
        (sender) => sender.withSecret[reason] !== undefined && (isOwn === undefined || sender.isOwn === isOwn)
      ),
    unresolved: 0,
    withoutSecret: [],
    failures: 0,
    dataCenters,
    list
  })
}

/**
 * Likely causes of the rejections by other servers, beside what this server says of its own. Senders with the secret are left to the
 * evidence.
 *
 * @param own the senders that this server rejected itself
 */
export function diagnosisOfOthers(
  { status, rejected, hasVerified, senders, dataCenters }: Others,
  own: readonly Sender[]
): string[] {
  const known = new Set(own.map(({ clientIp }) => clientIp))
  const others = senders.filter((sender) => totalOf(sender.withSecret) === 0 && !known.has(sender.clientIp))
  const of = (reason: Reason) => others.filter(({ reasons }) => reasons[reason] !== undefined)
  const sum = (reason: Reason, list = of(reason)) => list.reduce((sum, { reasons }) => sum + reasons[reason]!, 0)
  // A server that has ended rejected some of a sender's requests, but no longer gives the alarm.
  const counts = Object.entries(rejected).map(([reason, count]) => [
    reason,
    count === 0 ? 0 : Math.max(count, sum(reason as Reason))
  ])
  return diagnose({
    hasVerified,
    rejected: Object.fromEntries(counts) as Others['rejected'],
    own: sum(
      'not-listed',
      of('not-listed').filter(({ isOwn }) => isOwn)
    ),
    dataCenters,
    senders: ({ reason, limit, only }) =>
      of(reason!)
        .filter(({ removed }) => only !== 'removed' || removed !== null)
        .filter(({ listedFor }) => only !== 'listedFor' || listedFor.length > 0)
        .sort((a, b) => b.reasons[reason!]! - a.reasons[reason!]!)
        .slice(0, limit),
    isCrowd: false,
    isSaid: (reason) => status.rejected[reason] > 0
  })
}
