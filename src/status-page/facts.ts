import type { Directory } from '../directory/directory.js'
import type { Finding } from '../evidence/findings.js'
import type { LastVerified } from '../guard/counters.js'
import type { FleetSender, Replica } from '../guard/fleet.js'
import type { Guard } from '../guard/guard.js'
import { EVIDENCE_HOLDS, type GuardMetrics } from '../guard/ledger.js'
import type { GuardStatus } from '../guard/status.js'
import { unlistedWithSecret } from '../report/conclusion.js'
import { NEVER_VERIFIED } from '../senders/diagnosis.js'
import { loudest } from '../senders/loudest.js'
import { NONE_OPEN, openOf } from '../senders/open.js'
import type { Sender } from '../senders/senders.js'
import { noCounts, REASONS, type Reason, sumOf, totalOf } from '../verdict/verdict.js'
import type { FleetFacts } from './fleet.js'
import { asReported, besides, diagnosisOfOthers, evidenceOfOthers, isAmong, joined } from './others.js'
import { type Outcomes, outcomesOf } from './outcomes.js'
import { type Proof, proofsOf } from './proofs.js'
import type { Bar, Samples, Totals } from './samples.js'
import { type End, endOf } from './senders.js'
import { isRejectedHere, type Settled, settling } from './settled.js'

/**
 * What the page reads of a guard: `app.moengage` in Fastify, or the return value of `createGuard` and of the other doors. Those that
 * can be replicas have a `fleet`.
 */
export type ShownGuard = Pick<Guard, 'status' | 'metrics' | 'senders' | 'directory' | 'explainAll'> &
  Partial<Pick<Guard, 'fleet'>>

/** Maximum number of rejected senders on the page. */
export const MAX_SENDERS = 50

/** What the page shows, all of one moment. */
export interface Facts {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly status: GuardStatus
  readonly metrics: GuardMetrics
  /** The rejected senders with the most rejections, of this server. */
  readonly senders: readonly Sender[]
  readonly directory: Directory
  /** Since when the page has counted; there are no bars of the time before. */
  readonly since: number
  readonly minutes: readonly Bar[]
  readonly hours: readonly Bar[]
  /** Null where the guard stands alone. */
  readonly fleet: FleetFacts | null
  /** The verdicts since the start: of all servers that run, where the fleet is known. */
  readonly counts: Pick<GuardStatus, 'rejected'> & {
    /** Whether MoEngage's list verified a request. */
    readonly hasVerified: boolean
  }
  /** What became of the rejected ones. */
  readonly outcomes: Outcomes
  /** The same of servers of the fleet that ended within a day. */
  readonly outcomesOfEnded: Outcomes
  /** How many rejections of unlisted addresses carried the secret, as far as they are among `counts`. */
  readonly unlistedWithSecret: number
  /** What the secret proves about rejections since the start: of all servers, where the fleet is known. */
  readonly proofs: readonly Proof[]
  /** What the secret gives away now: to all servers, where the fleet is known. */
  readonly evidence: readonly Finding[]
  /** Likely causes of the rejections, behind what the secret gives away: of all servers, where the fleet is known. */
  readonly diagnosis: readonly string[]
  /** The rejections that are open: of all servers that run, where the fleet is known. */
  readonly open: Readonly<Record<Reason, number>>
  /** The other servers that run and rejected a request, those with the most first. */
  readonly rejecting: readonly Replica[]
  /** The same, of those with open rejections of senders that this server accepts, where these are probably MoEngage's. */
  readonly stricter: { readonly servers: readonly Replica[]; readonly hasSecret: boolean }
  /** The last verified requests, the latest first: of all servers, where the fleet is known. */
  readonly calls: readonly LastVerified[]
  /** The rejected senders with the most rejections: of all servers, where the fleet is known. */
  readonly turnedAway: readonly Sender[]
  /** The addresses of those that only other servers report, where a report is no proof. */
  readonly unproven: ReadonlySet<string>
  /** What has become of a sender among {@link turnedAway}. */
  readonly settled: (sender: Sender) => End
}

/** @throws NotReadyError (`MOE_ERR_NOT_READY`) while the guard has no list */
export function factsOf(guard: ShownGuard, samples: Samples, now: number, fleet: FleetFacts | null): Facts {
  const metrics = guard.metrics()
  samples.take(totalsOf(metrics))
  const { since, minutes, hours } = samples
  const [status, senders, directory] = [guard.status(), guard.senders(MAX_SENDERS), guard.directory()]
  const own = { now, status, metrics, senders, directory, since, minutes, hours, fleet }
  const { rejected, lastVerified } = status
  const hasVerified = isVerified(status) || lastVerified.some(isListed)
  const withSecret = sumOf(...metrics.verdicts.map(({ rejectedWithSecret }) => rejectedWithSecret))
  const ownOutcome = { ...status, rejected: totalOf(rejected) }
  const reported = fleet?.reading?.status
  if (reported === undefined)
    return {
      ...own,
      counts: { hasVerified, rejected },
      outcomes: outcomesOf([ownOutcome]),
      outcomesOfEnded: outcomesOf([]),
      unlistedWithSecret: withSecret['not-listed'],
      proofs: proofsOf(withSecret, metrics.ownWithSecret),
      evidence: status.evidence,
      diagnosis: status.diagnosis,
      settled: endOf,
      open: status.open,
      rejecting: [],
      stricter: { servers: [], hasSecret: false },
      calls: lastVerified,
      turnedAway: senders,
      unproven: new Set()
    }
  // This server knows more of itself than it reported.
  const others = reported.replicas.filter(({ id, state }) => state === 'live' && id !== reported.self)
  const ended = reported.replicas.filter(({ state }) => state !== 'live')
  const sum = (count: (replica: (typeof others)[number]) => number) =>
    others.reduce((sum, replica) => sum + count(replica), 0)
  const ofOthers = noCounts()
  for (const reason of REASONS) ofOthers[reason] = sum(({ reasons }) => reasons[reason] ?? 0)
  const counts = {
    hasVerified: hasVerified || others.some(isVerified) || reported.lastVerified.some(isListed),
    rejected: sumOf(rejected, ofOthers)
  }
  const { isSigned, trustsReports } = reported
  const theirs = trustsReports ? reported.senders : reported.senders.map((sender) => asReported(sender, senders))
  const elsewhere = theirs.map((sender) => besides(sender, senders))
  const started = reported.replicas.flatMap(({ state, started }) => (state === 'live' ? [started] : []))
  // Servers that are started one after the other have the new options when the last one has begun.
  const settled = settling(guard, metrics, Math.max(0, ...started))
  // Of its own senders the guard knows it, also where they are redacted.
  const settledHere = (sender: FleetSender): Settled => {
    const own = senders.find(({ clientIp }) => clientIp === sender.clientIp)
    if (own === undefined) return settled(sender)
    if (endOf(own) === null) return null
    return own.listedFor.length > 0 ? 'listed' : 'allowed'
  }
  const judged = theirs.map((sender) => judgedHere(sender, settledHere(sender), others))
  const turnedAway = loudest(
    joined(
      judged.map(({ sender }) => sender),
      senders
    ),
    MAX_SENDERS
  )
  const openOfOthers = sumOf(...others.map(({ open, reasons }) => open ?? reasons))
  const stricter = judged.filter(({ isProbablyGenuine }) => isProbablyGenuine)
  const known = {
    status,
    rejected: openOfOthers,
    hasVerified: counts.hasVerified,
    senders: judged
      .filter(({ sender, settled }) => isRejectedHere(settled) && sender.lastSeen >= now - EVIDENCE_HOLDS)
      .map(({ sender }) => sender),
    dataCenters: dataCentersOf(metrics),
    list: `of ${directory.checked} (revision ${directory.revision})`
  }
  const evidence = trustsReports ? evidenceOfOthers(known) : []
  return {
    ...own,
    counts,
    outcomes: outcomesOf([ownOutcome, ...others]),
    outcomesOfEnded: outcomesOf(ended),
    // Senders of servers that have ended are evidence as well, and their rejections are not counted.
    unlistedWithSecret:
      withSecret['not-listed'] +
      Math.min(
        unlistedWithSecret(elsewhere),
        sum(({ withSecret }) => withSecret)
      ),
    proofs: proofsOf(
      sumOf(withSecret, ...elsewhere.map(({ withSecret }) => withSecret)),
      metrics.ownWithSecret + unlistedWithSecret(elsewhere.filter(({ isOwn }) => isOwn))
    ),
    evidence: [...status.evidence, ...evidence],
    diagnosis: [
      // Another server may have verified one.
      ...status.diagnosis.filter((sentence) => !counts.hasVerified || !sentence.startsWith(NEVER_VERIFIED)),
      ...evidence.map(({ sentence }) => sentence),
      // Whoever can write to a store that is not trusted must not choose what is advised.
      ...(isSigned ? [] : diagnosisOfOthers(known, senders))
    ],
    settled: (sender) =>
      judged.find((one) => one.sender.clientIp === sender.clientIp && one.end !== null)?.end ?? endOf(sender),
    open: sumOf(status.open, openOfOthers),
    stricter: {
      servers: [...new Set(stricter.flatMap(({ servers }) => servers))],
      hasSecret: stricter.some(({ sender }) => totalOf(openOf(sender).withSecret) > 0)
    },
    rejecting: others.filter(({ rejected }) => rejected > 0).sort((a, b) => b.rejected - a.rejected),
    calls: latestOf([...lastVerified, ...reported.lastVerified]),
    turnedAway,
    unproven: new Set(
      trustsReports ? [] : turnedAway.map(({ clientIp }) => clientIp).filter((ip) => !isAmong(ip, senders))
    )
  }
}

/** What another server reported of a sender, and what this one makes of it. */
interface Judged {
  readonly sender: Sender
  readonly settled: Settled
  /** The servers that run and have open rejections of it, though this one accepts it. */
  readonly servers: readonly Replica[]
  /** What has become of the sender; null where that follows from its open rejections. */
  readonly end: End
  /** Whether these servers reject what is probably MoEngage's. */
  readonly isProbablyGenuine: boolean
}

function judgedHere(sender: FleetSender, settled: Settled, others: readonly Replica[]): Judged {
  const servers = isRejectedHere(settled) ? [] : others.filter(({ id }) => sender.rejecting.includes(id))
  if (servers.length === 0) {
    // A server that has ended knows nothing of the options that others were started with since.
    const isOver = !isRejectedHere(settled)
    // What the other servers have mended is open here as long as this one would reject it.
    const isOpenHere = settled === 'rejected' && totalOf(openOf(sender).reasons) === 0
    const { reasons, withSecret } = sender
    return {
      sender: isOver
        ? { ...sender, open: NONE_OPEN }
        : isOpenHere
          ? { ...sender, open: { reasons, withSecret } }
          : sender,
      settled,
      servers,
      end: null,
      isProbablyGenuine: false
    }
  }
  const { reasons, withSecret } = openOf(sender)
  const isStranger = settled !== 'listed' && Object.keys(reasons).every((reason) => reason === 'not-listed')
  return {
    sender,
    settled,
    servers,
    end: { settled: settled === 'trusted' ? 'trusted' : 'accepted', elsewhere: servers },
    isProbablyGenuine: totalOf(withSecret) > 0 || !isStranger
  }
}

/** Whether MoEngage's list verified a request; a server of an older version does not report which ones `allow` verified. */
const isVerified = ({ verified, verifiedByAllow }: Pick<Replica, 'verified' | 'verifiedByAllow'>) =>
  verified > (verifiedByAllow ?? 0)

/** Whether MoEngage's list verified a call. */
const isListed = ({ dataCenter }: LastVerified) => dataCenter !== null

/** The data centers that are accepted by any route. */
export const dataCentersOf = ({ verdicts }: GuardMetrics): string[] => [
  ...new Set(verdicts.flatMap(({ dataCenters }) => dataCenters))
]

/** The latest of each route, data center and channels. */
function latestOf(calls: readonly LastVerified[]): LastVerified[] {
  const latest = new Map<string, LastVerified>()
  for (const call of [...calls].sort((a, b) => b.at - a.at)) {
    const key = JSON.stringify([call.route, call.dataCenter, call.channels])
    if (!latest.has(key)) latest.set(key, call)
  }
  return [...latest.values()]
}

/** Whether the facts are of all servers of the fleet. */
export const isOfFleet = ({ fleet }: Facts): boolean => fleet?.reading != null

export function totalsOf({ verdicts }: GuardMetrics): Totals {
  let [verified, rejected] = [0, 0]
  for (const counts of verdicts) {
    verified += counts.verified
    for (const count of Object.values(counts.rejected)) rejected += count
  }
  return { verified, rejected }
}
