import { type Finding, findingsOf } from '../evidence/findings.js'
import type { FleetSender } from '../guard/fleet.js'
import type { GuardStatus } from '../guard/status.js'
import { diagnose } from '../senders/diagnosis.js'
import { onlyOpen, openOf, openOfBoth } from '../senders/open.js'
import type { Sender } from '../senders/senders.js'
import { REASONS, type Reason, totalOf } from '../verdict/verdict.js'

/** What is known of the other servers of a fleet, and how this one sees it. */
interface Others {
  readonly status: GuardStatus
  /** The open rejections by the others that run. */
  readonly rejected: Readonly<Record<Reason, number>>
  /** Whether MoEngage's list verified a request, on any server that runs. */
  readonly hasVerified: boolean
  /** What the others reported of senders that this server would reject, too. */
  readonly senders: readonly Sender[]
  /** The data centers that any route accepts. */
  readonly dataCenters: readonly string[]
  /** The list in use, as a ticket names it. */
  readonly list: string
}

/** Whether an address is that of a sender which this server rejected itself. */
export const isAmong = (ip: string, own: readonly Sender[]): boolean => knownIn(own, ip) !== undefined

const knownIn = (own: readonly Sender[], ip: string) => own.find(({ clientIp }) => clientIp === ip)

/** A sender with what this server knows itself of its secret and of the list: anybody may have written the report. */
export function asReported(sender: FleetSender, own: readonly Sender[]): FleetSender {
  const { withSecret = {}, removed = null } = knownIn(own, sender.clientIp) ?? {}
  return { ...sender, withSecret, removed, open: { ...openOf(sender), withSecret: {} } }
}

/**
 * What other servers reported of a sender. All reports are added up, and what this server counted is subtracted: it may be more than
 * it reported, so the result is a lower limit.
 */
export function besides(
  { withSecret, isOwn, ...sender }: Sender,
  own: readonly Sender[]
): Pick<Sender, 'withSecret' | 'isOwn'> {
  const counted = knownIn(own, sender.clientIp)?.withSecret ?? {}
  const rest = REASONS.map((reason) => [reason, Math.max(0, (withSecret[reason] ?? 0) - (counted[reason] ?? 0))])
  return { withSecret: Object.fromEntries(rest), isOwn }
}

/** The senders of all servers. Of one that this server rejected as well, the counts are the higher ones of each reason. */
export function joined(reported: readonly Sender[], own: readonly Sender[]): Sender[] {
  const both = reported.map((sender) => {
    const known = knownIn(own, sender.clientIp)
    return known === undefined ? sender : joinedWith(known, sender)
  })
  return [...both, ...own.filter(({ clientIp }) => !isAmong(clientIp, reported))]
}

function joinedWith(own: Sender, reported: Sender): Sender {
  const reasons = highest(own.reasons, reported.reasons)
  return {
    ...own,
    count: totalOf(reasons),
    firstSeen: Math.min(own.firstSeen, reported.firstSeen),
    lastSeen: Math.max(own.lastSeen, reported.lastSeen),
    reasons,
    withSecret: highest(own.withSecret, reported.withSecret),
    routes: [...new Set([...own.routes, ...reported.routes])],
    removed: own.removed ?? reported.removed,
    // The reports leave out what this server counted.
    open: openOfBoth(own, reported)
  }
}

/** The higher counts of each reason, without those that are 0. */
function highest(a: Sender['reasons'], b: Sender['reasons']): Sender['reasons'] {
  const counts = REASONS.map((reason) => [reason, Math.max(a[reason] ?? 0, b[reason] ?? 0)] as const)
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

/** What the secret gave away to other servers, beside what this server knows itself. */
export function evidenceOfOthers({ status, senders, dataCenters, list }: Others): Finding[] {
  const known = new Set(status.evidence.flatMap(({ addresses }) => addresses))
  const withSecret = senders.filter((sender) => totalOf(openOf(sender).withSecret) > 0 && !known.has(sender.clientIp))
  return findingsOf({
    senders: (reason, isOwn) =>
      withSecret.filter(
        (sender) => openOf(sender).withSecret[reason] !== undefined && (isOwn === undefined || sender.isOwn === isOwn)
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
  const others = senders
    .filter((sender) => totalOf(openOf(sender).withSecret) === 0 && !known.has(sender.clientIp))
    .map(onlyOpen)
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
      of(reason)
        .filter(({ removed }) => only !== 'removed' || removed !== null)
        .filter(({ listedFor }) => only !== 'listedFor' || listedFor.length > 0)
        .sort((a, b) => b.reasons[reason]! - a.reasons[reason]!)
        .slice(0, limit),
    isCrowd: false,
    // Senders that a fresh list accepts again are settled.
    isLeftOut: (reason) => status.open[reason] > 0 || (reason === 'stale-list' && of(reason).length === 0)
  })
}
