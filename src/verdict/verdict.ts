import type { Channel, DataCenter } from '../directory/names.js'

/** Every {@link Reason}. */
export const REASONS = [
  'not-listed',
  'other-data-center',
  'other-channel',
  'stale-list',
  'denied',
  'unresolved',
  'proxy-not-configured',
  'permissive-trust'
] as const

/**
 * Why a request is not verified:
 *
 * - `not-listed`: the client IP is in no entry.
 * - `other-data-center`: it is MoEngage's, of a data center that the route does not accept.
 * - `other-channel`: it is of an accepted data center, published for other channels.
 * - `stale-list`: it is in an entry, but the list is stale and `rejectWhenStale` is set.
 * - `denied`: it is in the `deny` list, or an override denies it.
 * - `unresolved`: there is no client IP that can be relied on.
 * - `proxy-not-configured`: the client IP seems to be your own proxy, which is not trusted, or which is and sends another
 *   header than the one that is read.
 * - `permissive-trust`: Fastify trusts every sender's forwarded header, so the client IP may be forged.
 */
export type Reason = (typeof REASONS)[number]

/** The reasons that depend on what a route accepts. */
export type RefusalReason = Extract<Reason, 'other-data-center' | 'other-channel'>

export function isRefusal(reason: Reason): reason is RefusalReason {
  return reason === 'other-data-center' || reason === 'other-channel'
}

/** Whether a request is rejected for this reason because it has no client IP that can be relied on. */
export function isUnresolved(reason: Reason): boolean {
  return reason === 'unresolved' || reason === 'permissive-trust'
}

/** Counts by reason, to begin with. */
export const noCounts = () => Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>

/** How many requests counts by reason are together. */
export function totalOf(counts: Readonly<Partial<Record<Reason, number>>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** Counts by reason, together. */
export function sumOf(...all: readonly Readonly<Partial<Record<Reason, number>>>[]): Record<Reason, number> {
  const sum = noCounts()
  for (const counts of all) {
    for (const reason of REASONS) sum[reason] += counts[reason] ?? 0
  }
  return sum
}

/** The override that decided a verdict; see `guard.override`. */
export interface VerdictOverride {
  /** Names it in `status().overrides` and for `removeOverride`. */
  readonly id: string
  /** When it ends (ISO 8601); null where it has no end. */
  readonly until: string | null
  /** Why it was set; null where nobody said. */
  readonly note: string | null
}

/** The request comes from an address that the route accepts. Says who may have sent it, not that nobody else could. */
export interface VerifiedVerdict {
  /** Tells the two kinds of verdict apart. */
  readonly verified: true
  /** The client IP in canonical text. */
  readonly clientIp: string
  /** The data center that the address is published for; null when only your own `allow` list accepts it. */
  readonly dataCenter: DataCenter | null
  /** What the address is published for in that data center, as far as the route accepts it. */
  readonly channels: readonly Channel[]
  /** The most specific prefix that accepts the address. */
  readonly matched: string
  /**
   * Null where the list in use has the address. Otherwise it was removed, and until this time (ISO 8601) is accepted
   * nevertheless: see the option `gracePeriod`.
   */
  readonly graceUntil: string | null
  /** The override that accepts the address, where nothing else does; null otherwise. */
  readonly override: VerdictOverride | null
  /** The socket's remote address as the connection reports it; null without one. */
  readonly peer: string | null
  /** The revision of MoEngage's page that was judged by. */
  readonly revision: string
  /**
   * Whether the request carries your secret, by the option `carriesSecret`: null where the function was not called, which it is for
   * verified requests only with `expectSecret`, or where it failed.
   */
  readonly carriesSecret: boolean | null
}

/** The request does not come from an address that the route accepts, or that could not be told. */
export interface RejectedVerdict {
  /** Tells the two kinds of verdict apart. */
  readonly verified: false
  /** The client IP in canonical text; null when it could not be resolved. */
  readonly clientIp: string | null
  /** Why it is rejected. */
  readonly reason: Reason
  /** One or two sentences for whoever must explain or mend it. For your log, not for the sender. */
  readonly hint: string
  /** The override that denies the address; null where the request is rejected for another reason. */
  readonly override: VerdictOverride | null
  /** The socket's remote address as the connection reports it; null without one. */
  readonly peer: string | null
  /** The revision of MoEngage's page that was judged by. */
  readonly revision: string
  /**
   * Whether the request carries your secret, by the option `carriesSecret`; null where there is no such function, no request to call it
   * for, or where it failed. Changes nothing about the decision.
   */
  readonly carriesSecret: boolean | null
}

/** What the guard says of one request: frozen, and a union on `verified`. */
export type Verdict = VerifiedVerdict | RejectedVerdict

/** A reason with the words for it. */
export interface Rejection {
  readonly reason: Reason
  readonly hint: string
  /** Whether the client is part of the receiver's own set-up, such as a proxy, or may be, so that its address is not to be allowed. */
  readonly isOwn?: true
  /** What names a further sender behind an unlisted client, as in "the request carries another address in x-forwarded-for". */
  readonly forwards?: string
  /** Whether an unlisted client is on MoEngage's page, in a row that this version does not know. */
  readonly isOnPage?: true
  /** The override that rejects the address. */
  readonly override?: VerdictOverride
}

export function rejectedVerdict({
  clientIp,
  reason,
  hint,
  override,
  peer,
  revision,
  carriesSecret
}: Omit<RejectedVerdict, 'verified'>): RejectedVerdict {
  return Object.freeze({ verified: false, clientIp, reason, hint, override, peer, revision, carriesSecret })
}

/** The same verdict of a verified request of which it is known whether it carries the secret. */
export function withEvidence(
  { clientIp, dataCenter, channels, matched, graceUntil, override, peer, revision }: VerifiedVerdict,
  carriesSecret: boolean | null
): VerifiedVerdict {
  return Object.freeze({
    verified: true,
    clientIp,
    dataCenter,
    channels,
    matched,
    graceUntil,
    override,
    peer,
    revision,
    carriesSecret
  })
}
