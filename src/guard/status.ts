import type { Directory } from '../directory/directory.js'
import type { Channel, DataCenter } from '../directory/names.js'
import type { Problem } from '../errors.js'
import type { Reason } from '../verdict/verdict.js'
import type { LastVerified } from './route-records.js'

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

/** The state of a guard: the list in use, counters, and findings. */
export interface GuardStatus {
  /** The revision of MoEngage's page that the list in use was taken from. */
  readonly revision: string
  /** Where and when the list was taken. */
  readonly provenance: Directory['provenance']
  /** How long ago the list was taken or last checked, in milliseconds from the start of that day (UTC). */
  readonly age: number
  /** How many entries the list has: addresses and prefixes, counted once for every data center and channel. */
  readonly entries: number
  /** Addresses that left the list and are still accepted. */
  readonly pendingRemovals: readonly PendingRemoval[]
  /** The name of the source. */
  readonly source: string
  /** How many requests were verified since the start. */
  readonly verified: number
  /** How many were rejected since the start, by reason. */
  readonly rejected: Readonly<Record<Reason, number>>
  /** The last verified requests by route, data center and set of channels, the latest first. */
  readonly lastVerified: readonly LastVerified[]
  /** How many rejected senders are remembered. */
  readonly senders: number
  /** Likely causes of the rejections, each in one sentence that says what to do. */
  readonly diagnosis: readonly string[]
  /**
   * The last success: when the source last gave a list that was accepted, or said that there is none newer, in
   * milliseconds since 1970.
   */
  readonly loadedAt: number
  /** The message of the error that the last reload failed with; null when it succeeded. */
  readonly lastError: string | null
  /** Settings and findings that are valid, but probably not intended. */
  readonly warnings: readonly Problem[]
}
