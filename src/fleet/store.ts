/** What all replicas of a fleet share. */
export interface StoredState {
  /** A whole number that grows with each change. */
  readonly version: number
  /** The list: a snapshot as JSON, or a signed document; null where none was published. */
  readonly list: string | null
  /** The overrides: JSON, or a signed document; null where none was set. */
  readonly overrides: string | null
}

/** What one replica reported last. */
export interface StoredReport {
  /** The id of the replica. */
  readonly id: string
  /** What it wrote: JSON of at most 16 KB; a longer text was cut off. */
  readonly text: string
}

/** A report, as a store returns it. */
export interface FoundReport extends StoredReport {
  /** How long ago it was written, in milliseconds by the clock of the store: those of replicas may differ. */
  readonly age: number
}

/** Bounds of what is read: a store that holds more is refused before it is read. */
export interface StoreLimits {
  /** Bytes of the list. */
  readonly list: number
  /** Bytes of the overrides. */
  readonly overrides: number
}

/** One change of the state. */
export interface StoredChange {
  /** The version that the change was made from; null where there was no state. */
  readonly expect: number | null
  /** The state that takes the place of the stored one. */
  readonly state: StoredState
  /** What the log says about it: JSON. */
  readonly entry: string
}

/**
 * What a fleet needs of a store; `redisFleet` has it for Redis and Valkey, `storeFleet` takes any other. Every method rejects within a
 * bounded time if the store does not answer, and connects again by itself when it is called next.
 */
export interface FleetStore {
  /** Shown in errors and in the status, without credentials. */
  readonly name: string
  /** Reads the state; null where there is none. Rejects if a part is larger than its bound, without reading it. */
  read(limits: StoreLimits): Promise<StoredState | null>
  /** Reads the version alone, and finds out whether changes still arrive; if not, subscribes again. */
  poll(): Promise<number | null>
  /** Writes a change if the version is still the expected one, in one step, and notifies all replicas. Resolves with false if it is not. */
  write(change: StoredChange): Promise<boolean>
  /** The time of the store, in milliseconds since 1970. */
  time(): Promise<number>
  /**
   * Calls `changed` after each change, and after each new subscription, because changes may have been missed before it. Never
   * rejects: what fails is tried again until the signal is aborted.
   */
  watch(changed: () => void, signal: AbortSignal): void
  /** Keeps the report of a replica for some milliseconds. */
  report(report: StoredReport, keepFor: number): Promise<void>
  /** The reports of replicas, the newest first, in groups: at most `limit` of them, each cut off after `bytes`. */
  reports(limit: number, bytes: number): AsyncIterable<readonly FoundReport[]>
  /** The entries of the log, the newest first: the last fifty. */
  log(): Promise<readonly string[]>
  /** Ends the connections. */
  close(): void
}

/** What a replica needs of a store. */
export type ReplicaStore = Pick<FleetStore, 'read' | 'poll' | 'watch' | 'report' | 'reports' | 'close'>
