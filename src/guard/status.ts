import type { DirectoryDiff } from '../directory/diff.js'
import type { Cells, Directory } from '../directory/directory.js'
import type { Channel, DataCenter } from '../directory/names.js'
import type { Problem } from '../errors.js'
import type { Finding } from '../evidence/findings.js'
import type { Prefix } from '../ip/prefix.js'
import { DAY } from '../lib/time.js'
import type { Reason, VerdictOverride } from '../verdict/verdict.js'
import type { LastVerified } from './counters.js'

/** An address that left the list and is accepted for a grace period. */
export interface PendingRemoval {
  /** The prefix, as `3.6.251.95/32`. */
  readonly prefix: string
  /** The data center that it was published for. */
  readonly dataCenter: DataCenter
  /** The channel that it was published for. */
  readonly channel: Channel
  /** When its grace period ends (ISO 8601). */
  readonly until: string
}

/** What is known of the watched source. */
export interface WatchStatus {
  /** The name of the source. */
  readonly source: string
  /** When it was last loaded, or said that it has nothing newer, in milliseconds since 1970; null if never. */
  readonly checkedAt: number | null
  /** The revision of its list; null if it was never loaded. */
  readonly revision: string | null
  /** The changes from the list in use to that of the source; null if it was never loaded. */
  readonly differences: DirectoryDiff | null
  /** Since when it differs from the list in use, in milliseconds since 1970; null while it does not. */
  readonly since: number | null
  /** The message of the error that the last load failed with; null when it succeeded. */
  readonly error: string | null
}

/** What a guard counts of the watched source, for metrics. */
export interface WatchMetrics {
  /** How many addresses and cells differ from the list in use; null if it was never loaded. */
  readonly differences: number | null
  /** When it was last loaded, in milliseconds since 1970; null if never. */
  readonly checkedAt: number | null
  /** Whether it fails: its last load, or its `watch`. */
  readonly failing: boolean
}

/** What was set while the guard runs, with `guard.override` or for the whole fleet. */
export interface Override extends VerdictOverride {
  /** Prefixes that it accepts, as `203.0.113.9/32`. */
  readonly allow: readonly string[]
  /** Prefixes that it rejects. */
  readonly deny: readonly string[]
  /** The mode that replaces the guard's; null where it leaves the mode alone. */
  readonly mode: 'reject' | 'tag' | null
  /** When it was set (ISO 8601). */
  readonly since: string
  /** Whether it was set on this guard, or for all replicas of its fleet. */
  readonly origin: 'local' | 'fleet'
}

/** The state of a guard: the list in use, counters, and findings. */
export interface GuardStatus {
  /** The revision of MoEngage's page that the list in use was taken from. */
  readonly revision: string
  /** Where and when the list was taken. */
  readonly provenance: Directory['provenance']
  /**
   * How long ago the list was taken or last checked, or a watched list without a difference was, in milliseconds from the start of that
   * day (UTC).
   */
  readonly age: number
  /** How many entries the list has: addresses and prefixes, counted once for every data center and channel. */
  readonly entries: number
  /** Addresses that left the list and are still accepted. */
  readonly pendingRemovals: readonly PendingRemoval[]
  /** The overrides in force. */
  readonly overrides: readonly Override[]
  /** The name of the source. */
  readonly source: string
  /** How many requests were verified since the start. */
  readonly verified: number
  /**
   * How many of them were verified by `allow` alone, the option's or an override's: an uptime check of your own, for example. MoEngage's
   * list verified the others.
   */
  readonly verifiedByAllow: number
  /** How many were rejected since the start, by reason. */
  readonly rejected: Readonly<Record<Reason, number>>
  /**
   * How many of them are open, by the reason for which they would be rejected now: without those that a newer list or an override has
   * mended. Of senders that are forgotten, only those that were not listed are among them.
   */
  readonly open: Readonly<Record<Reason, number>>
  /** How many of the rejected requests were let through, in mode `'tag'`, by every route that judged them. */
  readonly tagged: number
  /**
   * How many of the rejected requests a route answered with a rejection, or cut off. What your code asks about with `judge` is not among
   * them, but in `createGuard` and `loadGuard`, where your code answers.
   */
  readonly turnedAway: number
  /** How many of the rejected requests carried your secret, by reason: see the option `carriesSecret`. */
  readonly rejectedWithSecret: Readonly<Record<Reason, number>>
  /** How many of the verified requests did not carry your secret; counted with the option `expectSecret`. */
  readonly verifiedWithoutSecret: number
  /** The last verified requests by route, data center and set of channels, the latest first. */
  readonly lastVerified: readonly LastVerified[]
  /** How many rejected senders are remembered. */
  readonly senders: number
  /** Likely causes of the rejections, each in one sentence that says what to do; what your secret gives away comes first. */
  readonly diagnosis: readonly string[]
  /** What your secret gives away in the last seven days, with what to paste; empty without the option `carriesSecret`. */
  readonly evidence: readonly Finding[]
  /**
   * The last success: when the source last gave a list that was accepted, or said that there is none newer, in
   * milliseconds since 1970.
   */
  readonly loadedAt: number
  /** The message of the error that the last reload failed with, or that `watch` of the source failed with and that lasts; null without one. */
  readonly lastError: string | null
  /** What is known of the watched source; null without the option `watch`. */
  readonly watch: WatchStatus | null
  /** Settings and findings that are valid, but probably not intended. */
  readonly warnings: readonly Problem[]
}

interface Lists {
  readonly trustedProxies: readonly Prefix[]
  readonly allow: readonly Prefix[]
}

/** A trusted proxy is believed about everybody else; an address that is also a sender's can speak for any sender. */
export function trustedSenders({ trustedProxies, allow }: Lists, directory: Directory, cells: Cells): Problem[] {
  const senders = [...directory.prefixesOf(cells), ...allow]
  return trustedProxies
    .filter((prefix) => senders.some((sender) => prefix.overlaps(sender)))
    .map((prefix) => ({
      code: 'MOE_WARN_TRUSTED_PROXIES',
      path: 'clientIp.trustedProxies',
      value: `${prefix}`,
      message: `${prefix} is both trusted as a proxy and accepted as a sender: it can claim any client address.`,
      fix: 'Keep proxies and senders apart.'
    }))
}

/** How long ago a list was last known to be current, on the day `checked`, in milliseconds; 0 if the clock is behind it. */
export function ageOf(checked: string, now: number): number {
  return Math.max(0, now - Date.parse(checked))
}

/** Whether a day (UTC) has not begun anywhere: the clock may be behind, and a zone may be ahead of UTC. */
export const isToCome = (day: string, now: number): boolean => Date.parse(day) > now + DAY

/** What follows of a day that is still to come, as the end of a sentence about the list. */
export const FUTURE = {
  retrieved: (day: string) => `is of ${day}, a day that is still to come: its age is unknown.`,
  checked: (day: string) => `was checked on ${day}, a day that is still to come: its age is unknown.`
}

/** Whether the list is dated ahead of the clock, so that its age says nothing. */
export function futureWarnings({ provenance, checked }: Directory, now: number, path = 'source'): Problem[] {
  if (!isToCome(checked, now)) return []
  const { retrieved } = provenance
  const what = isToCome(retrieved, now) ? FUTURE.retrieved(retrieved) : FUTURE.checked(checked)
  return [
    {
      code: 'MOE_WARN_FUTURE',
      path,
      value: checked,
      message: `The list ${what}`,
      fix: 'Correct the date in the list, or the clock of this machine, and load the list again.'
    }
  ]
}

/** Whether the list, which was last known to be current on the day `checked`, has aged by now, or cannot age. */
export function ageWarnings(directory: Directory, checked: string, staleAfter: number, now: number): Problem[] {
  const age = ageOf(checked, now)
  const future = futureWarnings(directory, now)
  if (age < staleAfter) return future
  const { revision } = directory
  return [
    ...future,
    {
      code: 'MOE_WARN_STALE',
      path: 'source',
      value: revision,
      message: `The list was last checked ${Math.floor(age / DAY)} days ago, on ${checked}; MoEngage changes its addresses.`,
      fix: 'Update moengage-allowlist, or load the list from a source that is checked regularly.'
    }
  ]
}
