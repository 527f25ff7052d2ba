import type { Directory } from '../directory/directory.js'
import type { OpenSource } from '../directory/source/source.js'
import type { OptionRule, OptionTable } from '../lib/option.js'
import { shown } from '../lib/text.js'
import type { Sender } from '../senders/senders.js'
import type { Reason } from '../verdict/verdict.js'
import type { LastVerified } from './counters.js'
import type { GuardStatus, Override } from './status.js'

/** The options by which a guard becomes a replica of a fleet. */
export interface FleetOptions {
  /**
   * Shares the list, overrides and what is seen with other replicas: `redisFleet(…)` of `moengage-allowlist/redis`. The guard's
   * `source` is then what it falls back to (none: the guard stands alone).
   */
  readonly fleet?: Fleet | undefined
}

/** Where a guard finds how to join a fleet: the same in two copies of this package. */
export const JOIN: unique symbol = Symbol.for('moengage-allowlist.fleet') as never

/** A fleet, as the option `fleet` takes it. Made by `redisFleet` or `storeFleet` of `moengage-allowlist/redis`. */
export interface Fleet {
  /** @internal */
  readonly [JOIN]: (base: OpenSource) => FleetMember
}

/** A list and overrides that a replica may start with. */
export interface FirstState {
  readonly directory: Directory
  /** The overrides of the fleet, not checked yet. */
  readonly overrides: readonly FleetOverride[]
  /** The list that was in use before the process was started, to compare with. */
  readonly before: Directory | undefined
  /** Lists that take its place if it has no address for a route that is added at start-up. */
  readonly spare: readonly Directory[]
}

/** An override of the fleet: what `guard.override` takes, with what the store says about it. */
export interface FleetOverride {
  readonly id: string
  readonly since: string
  readonly options: unknown
}

/** Whether an override has an end, and it has passed. */
export function isOver({ options }: FleetOverride, now: number): boolean {
  const { until } = options as { readonly until?: unknown }
  return typeof until === 'string' && Date.parse(until) <= now
}

/** What a guard needs of the fleet that it joins. */
export interface FleetMember {
  /** The list of the store. */
  readonly source: OpenSource
  /** What a guard may start with, in order: the store, the local copy, the source of the guard. */
  firstStates(): AsyncIterable<FirstState>
  /** A first state that was offered is not in use. */
  refused(error: Error): void
  /** Why the guard did not start with the state of the store; undefined if it did. */
  readonly failure: Error | undefined
  /** The overrides that came with the list that was loaded last. */
  readonly overrides: readonly FleetOverride[]
  /** Called when the guard is made. */
  joined(guard: ReportingGuard): void
  status(): Promise<MemberStatus>
  /** Resolves when the last report is written, and after a second at the latest. Never rejects. */
  close(): Promise<void>
}

/** What a replica knows of its fleet; whether it trusts reports depends on its guard as well. */
export type MemberStatus = Omit<FleetStatus, 'trustsReports'>

/** What a replica reports about its guard. */
export interface ReportingGuard {
  status(): GuardStatus
  senders(limit: number): Sender[]
}

/** One process of a fleet. */
export interface Replica {
  /** Names it; new at each start. */
  readonly id: string
  /** The name of the machine. */
  readonly host: string
  /** The id of the process. */
  readonly pid: number
  /** `live`: it reports. `gone`: it stopped without a word. `closed`: its guard was closed. Figures of both are its last ones. */
  readonly state: 'live' | 'gone' | 'closed'
  /** When it was started, in milliseconds since 1970 by its own clock. */
  readonly started: number
  /** When it reported last, in milliseconds since 1970 by its own clock. */
  readonly reported: number
  /** The version of the fleet's state that it uses; null where it uses none. */
  readonly version: number | null
  /** The revision of the list that it uses. */
  readonly revision: string
  /** What it failed with last: why it does not use what the store has, or what its own source failed with; null without one. */
  readonly lastError: string | null
  /** How many requests it verified. */
  readonly verified: number
  /** How many of them `allow` alone verified; null where its version does not report it. */
  readonly verifiedByAllow: number | null
  /** How many requests it rejected. */
  readonly rejected: number
  /** The same by reason. */
  readonly reasons: Readonly<Partial<Record<Reason, number>>>
  /** Those that are open, by the reason for which they would be rejected now; null where its version does not report it. */
  readonly open: Readonly<Partial<Record<Reason, number>>> | null
  /** How many of them mode `'tag'` let through; null where its version does not report it. */
  readonly tagged: number | null
  /** How many of them were answered with a rejection; null where its version does not report it. */
  readonly turnedAway: number | null
  /** How many requests of its rejected senders carried your secret. */
  readonly withSecret: number
  /** When it verified a request last, in milliseconds since 1970; null where it never did. */
  readonly lastVerified: number | null
}

/** A sender that replicas reported. Its `open` rejections are those of the other replicas than the one that read the reports. */
export interface FleetSender extends Sender {
  /** The ids of these others that run and have open rejections of it: the first few. */
  readonly rejecting: readonly string[]
}

/** All replicas together. */
export interface FleetStatus {
  /** The name of the fleet. */
  readonly name: string
  /** The `id` of the replica that read this; null for the command line. */
  readonly self: string | null
  /** The version of the state in the store; null where there is none. */
  readonly version: number | null
  /** The replicas that reported within a day: live ones first. */
  readonly replicas: readonly Replica[]
  /** How many replicas are live. */
  readonly live: number
  /** How many live replicas use the version of the store. */
  readonly current: number
  /** How many requests all replicas of the list verified. */
  readonly verified: number
  /** How many requests they rejected, by reason. */
  readonly rejected: Readonly<Partial<Record<string, number>>>
  /** The senders with the most rejections, of all replicas together. */
  readonly senders: readonly FleetSender[]
  /** The last verified requests by route, data center and channels, of all replicas, the latest first. */
  readonly lastVerified: readonly LastVerified[]
  /** The overrides of the fleet that are in force. */
  readonly overrides: readonly Override[]
  /** Whether this replica verifies signatures, so that the store is not trusted; false for the command line. */
  readonly isSigned: boolean
  /**
   * Whether senders that replicas report with your secret are taken for MoEngage: not where signatures are verified, because whoever can write
   * to the store can write a report; nor by a guard without `carriesSecret`, nor by the command line.
   */
  readonly trustsReports: boolean
  /** Why the store could not be read: then this is what this replica knows of itself; null where it could. */
  readonly lastError: string | null
  /** What else this replica failed at: the report of what it saw, or its local copy. */
  readonly warnings: readonly string[]
}

/** The fleet of a guard. */
export interface GuardFleet {
  /**
   * Reads what all replicas reported. Never rejects: without the store, `lastError` says why, and the only replica is this one.
   */
  status(): Promise<FleetStatus>
}

const isFleet = (value: unknown): value is Fleet =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Fleet>)[JOIN] === 'function'

const FLEET: OptionRule<Fleet | undefined> = {
  fallback: undefined,
  example: `redisFleet({ client, name: 'webhooks' })`,
  read: (option) =>
    isFleet(option.value)
      ? option.value
      : option.refuse(
          `${shown(option.value)} is not a fleet.`,
          `Write redisFleet({ client, name: 'webhooks' }), from moengage-allowlist/redis.`
        )
}

/** {@link FleetOptions}, by name. */
export const FLEET_OPTIONS = { fleet: FLEET } satisfies OptionTable
