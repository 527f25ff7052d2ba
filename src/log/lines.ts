import { CHANNELS } from '../directory/names.js'
import type { Guard, PolicyOptions } from '../guard/guard.js'
import type { GuardStatus } from '../guard/status.js'
import type { About, ListedFor, Sender } from '../senders/senders.js'
import { REASONS, type Reason, type RejectedVerdict } from '../verdict/verdict.js'
import type { Withheld } from './throttle.js'

/** What a line says of its request. */
export interface Facts {
  /** The pattern of the route, never the path that was asked for; null where there is none. */
  readonly route: string | null
  /** null for a connection without requests. */
  readonly method: string | null
  /** A text or a number: a framework takes whatever the user's function makes. */
  readonly requestId: unknown
}

/** The fields of a line about a rejection. */
export interface RejectionLine {
  readonly event: 'moengage.rejected'
  /** `'tag'`: the request was let through, and would have been rejected. */
  readonly mode: 'reject' | 'tag'
  readonly reason: Reason
  readonly hint: string
  /** Null when it could not be resolved. */
  readonly clientIp: string | null
  readonly peer: string | null
  /** The header that the client IP is read from; null where something else tells it. */
  readonly header: string | null
  /** What MoEngage publishes the address for; empty for strangers. */
  readonly listedFor: readonly ListedFor[]
  /** The day on which a reload found that the address is gone from MoEngage's list; null where none did. */
  readonly removed: string | null
  /** What the route accepts. */
  readonly policy: { readonly dataCenters: readonly string[]; readonly channels: 'all' | readonly string[] }
  readonly route: string | null
  readonly method: string | null
  readonly requestId: string | null
  /** The revision of the list. */
  readonly revision: string
  /** How many earlier rejections of this sender, for this reason and in this mode, this line tells besides. */
  readonly suppressed: number
}

type Counts = Readonly<Partial<Record<Reason, number>>>

/** The fields of a summary. Counts are those since the summary before. */
export interface SummaryLine {
  readonly event: 'moengage.summary'
  /** Rejections that no line tells, by mode and reason. */
  readonly suppressed: { readonly reject: Counts; readonly tag: Counts }
  /** Those of them whose sender had a line before, the twenty with the most. */
  readonly suppressedOf: readonly {
    readonly clientIp: string
    readonly mode: 'reject' | 'tag'
    readonly reason: Reason
    readonly count: number
  }[]
  readonly verified: number
  /** All rejections, those with a line and those without. */
  readonly rejected: Counts
  /** How many senders are remembered, and the five with the highest counts since the start. */
  readonly senders: number
  readonly top: readonly Pick<Sender, 'clientIp' | 'count' | 'countError' | 'reasons' | 'listedFor'>[]
  readonly diagnosis: readonly string[]
  readonly revision: string
}

/** The longest text that a client may have a say in. */
const LONGEST = 64

/** What is left of a text that a client may have chosen: no control characters, and not too long. */
function bounded(text: unknown): string | null {
  if (typeof text === 'number') return `${text}`
  if (typeof text !== 'string') return null
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
  return short.replace(/[\p{C}\p{Z}]/gu, ' ')
}

/** What is known of a client that could not be resolved. */
const UNKNOWN: ReturnType<About> = { listedFor: [], removed: null }

/** @internal It is handed a guard's own members, which are not in the declarations. */
export function rejectionLine(
  guard: Pick<Guard, 'redacted' | 'about' | 'policy' | 'header'>,
  verdict: RejectedVerdict,
  mode: 'reject' | 'tag',
  policyOptions: PolicyOptions | undefined,
  { route, method, requestId }: Facts,
  suppressed: number
): RejectionLine {
  const { reason, hint, clientIp, peer, revision } = guard.redacted(verdict)
  const { dataCenters, channels } = guard.policy(policyOptions)
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
    route,
    method: bounded(method),
    requestId: bounded(requestId),
    revision,
    suppressed
  }
}

/** So many senders a summary names. */
const NAMED = { suppressed: 20, top: 5 }

/** The number of a kind of rejections, for the throttle: each has lines of its own. */
export function kindOf(reason: Reason, mode: 'reject' | 'tag'): number {
  return 2 * REASONS.indexOf(reason) + (mode === 'tag' ? 1 : 0)
}

const NO_SENDER = 'peer '

/** What stands for the sender of requests whose client IP could not be resolved. */
export const noSender = (peer: string | null) => `${NO_SENDER}${peer}`
const isNoSender = (sender: string) => sender.startsWith(NO_SENDER)

/** How many kinds there are. */
export const KINDS = 2 * REASONS.length

/**
 * @param before the counts at the summary before
 * @internal
 */
export function summaryLine(
  guard: Pick<Guard, 'redactedAddress' | 'topSenders'>,
  status: GuardStatus,
  before: Pick<GuardStatus, 'verified' | 'rejected'>,
  { byKind, bySender }: Withheld
): SummaryLine {
  return {
    event: 'moengage.summary',
    suppressed: {
      reject: counts((reason) => byKind[kindOf(reason, 'reject')]!),
      tag: counts((reason) => byKind[kindOf(reason, 'tag')]!)
    },
    suppressedOf: bySender
      .filter(({ sender }) => !isNoSender(sender))
      .toSorted((a, b) => b.count - a.count)
      .slice(0, NAMED.suppressed)
      .map(({ sender, kind, count }) => ({
        clientIp: guard.redactedAddress(sender),
        mode: kind % 2 === 1 ? 'tag' : 'reject',
        reason: REASONS[kind >> 1]!,
        count
      })),
    verified: status.verified - before.verified,
    rejected: counts((reason) => status.rejected[reason] - before.rejected[reason]),
    senders: status.senders,
    top: guard.topSenders(NAMED.top).map(({ clientIp, count, countError, reasons, listedFor }) => ({
      clientIp,
      count,
      countError,
      reasons,
      listedFor
    })),
    diagnosis: status.diagnosis,
    revision: status.revision
  }
}

function counts(count: (reason: Reason) => number): Counts {
  const entries = REASONS.map((reason) => [reason, count(reason)] as const)
  return Object.fromEntries(entries.filter(([, count]) => count > 0))
}
