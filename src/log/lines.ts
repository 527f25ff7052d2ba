import { CHANNELS } from '../directory/names.js'
import { pasteFor } from '../evidence/findings.js'
import type { Guard, PolicyOptions } from '../guard/guard.js'
import type { GuardStatus } from '../guard/status.js'
import { counted } from '../senders/diagnosis.js'
import type { ListedFor, Sender } from '../senders/senders.js'
import { withoutSecret } from '../verdict/hints.js'
import { type Reason, type RejectedVerdict, totalOf, type VerifiedVerdict } from '../verdict/verdict.js'
import type { LogLine } from './logger.js'
import type { Mode, Withheld, WithheldSender } from './throttle.js'

/** What a line says about its request. */
export interface LoggedRequest {
  /** The pattern of the route, never the path of the request; null where there is none. */
  readonly pattern: string | null
  /** null for a connection without requests. */
  readonly method: string | null
  /** A text or a number; anything else, which a user's function may return, is logged as null. */
  readonly requestId: unknown
}

/** The fields of a line about a rejection. */
export interface RejectionLine {
  readonly event: 'moengage.rejected'
  /** `'tag'`: the request was let through, and would be rejected in mode `'reject'`. */
  readonly mode: Mode
  readonly reason: Reason
  readonly hint: string
  /** Null when it could not be resolved. */
  readonly clientIp: string | null
  readonly peer: string | null
  /** The header that the client IP is read from; null where the framework or a function resolves it. */
  readonly header: string | null
  /** What MoEngage publishes the address for; empty for strangers. */
  readonly listedFor: readonly ListedFor[]
  /** The day on which a reload no longer found the address in MoEngage's list; null where none noticed. */
  readonly removed: string | null
  /** What the route accepts. */
  readonly policy: { readonly dataCenters: readonly string[]; readonly channels: 'all' | readonly string[] }
  /** The pattern of the route; null where there is none. */
  readonly route: string | null
  readonly method: string | null
  readonly requestId: string | null
  /** The revision of the list. */
  readonly revision: string
  /** Whether the request carries your secret; null where that was not asked or is not known. */
  readonly carriesSecret: boolean | null
  /** What to paste into the options where the request carries your secret and its address is not listed; null elsewhere. */
  readonly paste: string | null
  /** Whether the address is your own proxy's or network's, so that it is not MoEngage's even with your secret. */
  readonly isOwn: boolean
  /** How many earlier rejections of this sender, for this reason and in this mode, the line counts besides its own. */
  readonly suppressed: number
}

/** A rejection that gets a line. */
export interface LoggedRejection {
  readonly verdict: RejectedVerdict
  readonly mode: Mode
  readonly policy: PolicyOptions | undefined
  readonly request: LoggedRequest
  readonly suppressed: number
}

/** The fields of a line about a verified request without the secret. */
export interface WithoutSecretLine {
  readonly event: 'moengage.without-secret'
  readonly hint: string
  readonly clientIp: string
  /** Null for an address of your own `allow` list. */
  readonly dataCenter: string | null
  readonly route: string | null
  readonly method: string | null
  readonly requestId: string | null
  readonly revision: string
  /** How many earlier requests of this address without the secret the line counts besides its own. */
  readonly suppressed: number
}

type ReasonCounts = Readonly<Partial<Record<Reason, number>>>

/** The fields of a summary. Counts are those since the summary before. */
export interface SummaryLine {
  readonly event: 'moengage.summary'
  /** When the summary before was written, or the guard was made (ISO 8601). */
  readonly since: string
  /** Rejections whose line was left out, by mode and reason. */
  readonly suppressed: Readonly<Record<Mode, ReasonCounts>>
  /** Those of them whose sender had a line before, the twenty with the most. */
  readonly suppressedOf: readonly WithheldSender[]
  /** Those of `suppressed` that carried the secret. */
  readonly suppressedWithSecret: Readonly<Record<Mode, ReasonCounts>>
  readonly verified: number
  /** Those of `verified` that `allow` alone verified, the option's or an override's. */
  readonly verifiedByAllow: number
  /** Those of `verified` that did not carry the secret; counted with `expectSecret`. */
  readonly verifiedWithoutSecret: number
  /** All rejections, with a line or without. */
  readonly rejected: ReasonCounts
  /** Those of `rejected` that carried the secret. */
  readonly rejectedWithSecret: ReasonCounts
  /** How many senders are remembered, and the five with the highest counts since the start. */
  readonly senders: number
  readonly top: readonly Pick<Sender, 'clientIp' | 'count' | 'reasons' | 'listedFor'>[]
  readonly diagnosis: readonly string[]
  readonly revision: string
}

/** Maximum length of a text that the client may have chosen. */
const MAX_CLIENT_TEXT = 64

/** Maximum length of a route's pattern. */
const MAX_PATTERN = 256

/** A text without control characters, cut where it is too long; null where there is neither text nor number. */
function bounded(text: unknown, maxLength = MAX_CLIENT_TEXT): string | null {
  if (typeof text === 'number') return `${text}`
  if (typeof text !== 'string') return null
  const short = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text
  return short.replace(/[\p{C}\p{Z}]/gu, ' ')
}

/** What is known of a client that could not be resolved. */
const UNKNOWN: Pick<Sender, 'listedFor' | 'removed'> = { listedFor: [], removed: null }

/** @internal Takes a guard's own members, which are not in the declarations. */
export function rejectionLine(
  guard: Pick<Guard, 'redacted' | 'about' | 'policy' | 'header' | 'isOwn'>,
  { verdict, mode, policy, request, suppressed }: LoggedRejection
): RejectionLine {
  const { reason, hint, clientIp, peer, revision, carriesSecret } = guard.redacted(verdict)
  const isOwn = verdict.clientIp !== null && guard.isOwn(verdict.clientIp)
  const { dataCenters, channels } = guard.policy(policy)
  return {
    event: 'moengage.rejected',
    mode,
    reason,
    hint,
    clientIp,
    peer: bounded(peer),
    header: guard.header,
    ...(verdict.clientIp === null ? UNKNOWN : guard.about(verdict.clientIp)),
    policy: { dataCenters, channels: channels.length === CHANNELS.length ? 'all' : channels },
    route: bounded(request.pattern, MAX_PATTERN),
    method: bounded(request.method),
    requestId: bounded(request.requestId),
    revision,
    carriesSecret,
    paste: carriesSecret === true && reason === 'not-listed' && !isOwn ? pasteFor([clientIp!]) : null,
    isOwn,
    suppressed
  }
}

/** The line about a verified request without the secret. */
export function withoutSecretLine(
  { clientIp, dataCenter, revision }: VerifiedVerdict,
  { pattern, method, requestId }: LoggedRequest,
  suppressed: number
): WithoutSecretLine {
  return {
    event: 'moengage.without-secret',
    hint: withoutSecret(dataCenter),
    clientIp,
    dataCenter,
    route: bounded(pattern, MAX_PATTERN),
    method: bounded(method),
    requestId: bounded(requestId),
    revision,
    suppressed
  }
}

/** What summaries counted, as a status has it. */
export interface Reported
  extends Pick<
    GuardStatus,
    'verified' | 'verifiedByAllow' | 'verifiedWithoutSecret' | 'rejected' | 'rejectedWithSecret'
  > {
  /** Up to when, in milliseconds since 1970. */
  readonly until: number
}

/** Maximum number of senders that a summary names. */
const NAMED = { suppressed: 20, top: 5 }

/** @internal Takes a guard's own members, which are not in the declarations. */
export function summaryLine(
  guard: Pick<Guard, 'redactedAddress' | 'senders'>,
  status: GuardStatus,
  before: Reported,
  { counts, withSecret, bySender }: Withheld
): SummaryLine {
  return {
    event: 'moengage.summary',
    since: new Date(before.until).toISOString(),
    suppressed: { reject: above(counts.reject), tag: above(counts.tag) },
    suppressedOf: bySender
      .toSorted((a, b) => b.count - a.count)
      .slice(0, NAMED.suppressed)
      .map((sender) => ({ ...sender, clientIp: guard.redactedAddress(sender.clientIp) })),
    suppressedWithSecret: { reject: above(withSecret.reject), tag: above(withSecret.tag) },
    // A request that was counted as verified may have been rejected since: the next summary has one less.
    verified: Math.max(0, status.verified - before.verified),
    verifiedByAllow: Math.max(0, status.verifiedByAllow - before.verifiedByAllow),
    verifiedWithoutSecret: Math.max(0, status.verifiedWithoutSecret - before.verifiedWithoutSecret),
    rejected: above(status.rejected, before.rejected),
    rejectedWithSecret: above(status.rejectedWithSecret, before.rejectedWithSecret),
    senders: status.senders,
    top: guard
      .senders(NAMED.top)
      .map(({ clientIp, count, reasons, listedFor }) => ({ clientIp, count, reasons, listedFor })),
    diagnosis: status.diagnosis,
    revision: status.revision
  }
}

/** The counts less those of `before`, without reasons that have none. */
function above(counts: Readonly<Record<Reason, number>>, before: ReasonCounts = {}): ReasonCounts {
  const entries = Object.entries(counts).map(([reason, count]) => [reason, count - (before[reason as Reason] ?? 0)])
  return Object.fromEntries(entries.filter(([, count]) => count !== 0))
}

/** The text of a summary: counts, and the likeliest cause. A rejection by `judge` gets no line, and none is left out for it. */
export function summaryMessage({ verified, rejected, diagnosis }: SummaryLine, withheld: number): string {
  const [cause] = diagnosis
  const requests = `${counted(totalOf(rejected), 'rejection')}, ${counted(verified, 'request')} verified`
  const counts = `${requests}, ${counted(withheld, 'line')} left out`
  return cause === undefined ? counts : `${counts}: ${cause}`
}

/** The message of the line about a first list that could not be loaded: until one is, every request is answered with 503. */
export const NOT_JUDGED = 'MoEngage requests cannot be judged.'

/** The line about a reload. */
export function reloadLine(error: Error | null, status: GuardStatus): LogLine {
  const { revision, provenance, source, entries, pendingRemovals } = status
  const list = `revision ${revision} of ${provenance.retrieved}`
  const moengage = { source, revision, retrieved: provenance.retrieved, entries }
  if (error !== null) {
    const { code } = error as { code?: string }
    // Errors that list their reasons do so on lines of their own.
    const why = error.message.replace(/^source: /, '').replaceAll(/\s*\n\s*/g, ' ')
    return {
      level: 'error',
      message: `The list in use stays, ${list}. ${why}`,
      fields: { moengage: { code, ...moengage } }
    }
  }
  const pending = pendingRemovals.length
  const removed = pending === 0 ? '' : `, and ${pending} removed for which the grace period runs`
  return {
    level: 'info',
    message: `The list in use is ${list}, with ${entries} entries${removed}.`,
    fields: { moengage: { ...moengage, pendingRemovals: pending } }
  }
}
