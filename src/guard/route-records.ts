import type { Channel, DataCenter } from '../directory/names.js'
import type { VerifiedVerdict } from '../verdict/verdict.js'

/** The last request that was verified for one route, data center and set of channels. */
export interface LastVerified {
  /** When it came, in milliseconds since 1970; at most a tenth of a second early. */
  readonly at: number
  /** The data center that its address is published for; null for an address of your own `allow` list. */
  readonly dataCenter: DataCenter | null
  /** The channels that its address is published for, as far as the route accepts them. */
  readonly channels: readonly Channel[]
  /** The pattern of the route; null where none is known, `(other)` for all routes beyond the first thousand. */
  readonly route: string | null
}

/** Maximum number of routes that are told apart: where a pattern comes from a request, its sender must not fill the memory. */
const MAX_ROUTES = 1000

/** A longer pattern is not one that somebody wrote. */
const MAX_LENGTH = 256

/** The name of all routes beyond the maximum. */
const OTHER = '(other)'

/** Maximum number of data centers and sets of channels that are told apart on a route; the list has about twenty. */
const MAX_ORIGINS = 64

/** What is remembered of one route. */
export class RouteRecord {
  /** The pattern, or what stands for it. */
  readonly route: string | null
  readonly #lastVerified: { at: number; dataCenter: DataCenter | null; channels: readonly Channel[] }[] = []

  constructor(route: string | null) {
    this.route = route
  }

  /** Notes a verified request. Allocates nothing but for the first one of a data center and set of channels. */
  verified({ dataCenter, channels }: VerifiedVerdict, now: number): void {
    const records = this.#lastVerified
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!
      if (record.dataCenter === dataCenter && isSame(record.channels, channels)) {
        record.at = now
        return
      }
    }
    if (records.length === MAX_ORIGINS) records.splice(oldest(records), 1)
    records.push({ at: now, dataCenter, channels })
  }

  get lastVerified(): LastVerified[] {
    return this.#lastVerified.map((record) => ({ ...record, route: this.route }))
  }
}

function isSame(a: readonly Channel[], b: readonly Channel[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function oldest(records: readonly { at: number }[]): number {
  const times = records.map(({ at }) => at)
  return times.indexOf(Math.min(...times))
}

/** The routes that requests came in on, by their patterns. */
export class RouteRecords {
  readonly #records = new Map<string | null, RouteRecord>([[null, new RouteRecord(null)]])
  readonly #other = new RouteRecord(OTHER)

  /** The record of a route: its own, or that of all routes beyond the maximum. */
  of(pattern: string | null): RouteRecord {
    return this.#records.get(pattern) ?? this.#begin(pattern!)
  }

  #begin(pattern: string): RouteRecord {
    if (this.#records.size > MAX_ROUTES || pattern.length > MAX_LENGTH) return this.#other
    const record = new RouteRecord(pattern)
    this.#records.set(pattern, record)
    return record
  }

  /** The last verified requests, the latest first. */
  lastVerified(): LastVerified[] {
    return [...this.#records.values(), this.#other]
      .flatMap(({ lastVerified }) => lastVerified)
      .sort((a, b) => b.at - a.at)
  }
}
