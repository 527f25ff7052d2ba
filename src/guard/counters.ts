import type { EarlierVerdict } from '../client-ip/incoming.js'
import type { Cells } from '../directory/directory.js'
import type { Channel, DataCenter } from '../directory/names.js'
import { noCounts, type Reason, sumOf, type VerifiedVerdict } from '../verdict/verdict.js'

/** The verdicts on the requests that were judged by one policy, counted since the start. */
export interface PolicyCounts {
  /** The data centers that the policy accepts. */
  readonly dataCenters: readonly DataCenter[]
  /** The channels that the policy accepts. */
  readonly channels: readonly Channel[]
  /** How many requests were verified. */
  readonly verified: number
  /** How many requests were rejected, by reason; in mode `'tag'` they were let through. */
  readonly rejected: Readonly<Record<Reason, number>>
  /** How many of the rejected requests carried your secret, by reason: see the option `carriesSecret`. */
  readonly rejectedWithSecret: Readonly<Record<Reason, number>>
  /** How many of the verified requests did not carry your secret; counted with the option `expectSecret`. */
  readonly verifiedWithoutSecret: number
}

/** How many requests a prefix verified, since the start. */
export interface PrefixHits {
  /** In CIDR notation, always with the length: `52.6.248.125/32`. */
  readonly prefix: string
  /** The data center that it is published for; null for a prefix of your own `allow` list. */
  readonly dataCenter: DataCenter | null
  /** How many requests it verified. */
  readonly count: number
}

/** The verdicts of all policies together. */
export interface TotalCounts extends Omit<PolicyCounts, 'dataCenters' | 'channels'> {
  /** How many requests were verified by `allow` alone, the option's or an override's, and not by MoEngage's list. */
  readonly verifiedByAllow: number
}

/** The counts of one policy, while they grow. */
export interface GrowingCounts extends PolicyCounts {
  verified: number
  readonly rejected: Record<Reason, number>
  readonly rejectedWithSecret: Record<Reason, number>
  verifiedWithoutSecret: number
}

/** The hits of one prefix, while they grow. */
export interface GrowingHits extends PrefixHits {
  count: number
}

/** The last bit of a number, but for its sign. */
const MAX_BIT = 30

/** Counts verdicts by policy and by prefix. The counts outlive the lists and policies that they belong to. */
export class Counters {
  readonly #byPolicy = new Map<string, GrowingCounts>()
  readonly #hits = new Map<string, GrowingHits>()
  /** By the lists of channels in verdicts: each policy has its own. */
  readonly #byChannels = new WeakMap<readonly string[], GrowingCounts>()

  /** How many verdicts on verified senders came from the cache. */
  cacheHits = 0
  /** How many were made, because the cache had none. */
  cacheMisses = 0

  /** The counts of a policy: the same for all routes that accept the same. */
  of({ dataCenters, channels }: Cells): GrowingCounts {
    const key = `${dataCenters} ${channels}`
    let counts = this.#byPolicy.get(key)
    if (counts === undefined) {
      counts = {
        dataCenters,
        channels,
        verified: 0,
        rejected: noCounts(),
        rejectedWithSecret: noCounts(),
        verifiedWithoutSecret: 0
      }
      this.#byPolicy.set(key, counts)
    }
    return counts
  }

  /** Notes that verdicts with a list of channels are those of a policy. */
  noteChannels(channels: readonly Channel[], counts: GrowingCounts): void {
    this.#byChannels.set(channels, counts)
  }

  /** Takes back that a request was verified: it is counted once, as rejected. */
  takeBack({ dataCenter, channels, matched, carriesSecret }: EarlierVerdict & { readonly verified: true }): void {
    const counts = this.#byChannels.get(channels)!
    counts.verified--
    if (carriesSecret === false) counts.verifiedWithoutSecret--
    this.#hits.get(keyOf(matched, dataCenter))!.count--
  }

  /** The policies of requests, as one bit each; all from the 31st on share one. */
  bitOf(counts: PolicyCounts): number {
    return 1 << Math.min(MAX_BIT, [...this.#byPolicy.values()].indexOf(counts as GrowingCounts))
  }

  /** What the policies accept that have some bits. */
  cellsOf(bits: number): Cells[] {
    return [...this.#byPolicy.values()].filter((counts) => (bits & this.bitOf(counts)) !== 0)
  }

  policies(): PolicyCounts[] {
    return [...this.#byPolicy.values()].map((counts) => ({
      ...counts,
      rejected: { ...counts.rejected },
      rejectedWithSecret: { ...counts.rejectedWithSecret }
    }))
  }

  /** The counts of all policies together. */
  total(): TotalCounts {
    const all = [...this.#byPolicy.values()]
    const byAllow = [...this.#hits.values()].filter(({ dataCenter }) => dataCenter === null)
    return {
      verified: all.reduce((sum, { verified }) => sum + verified, 0),
      verifiedByAllow: byAllow.reduce((sum, { count }) => sum + count, 0),
      rejected: sumOf(...all.map(({ rejected }) => rejected)),
      rejectedWithSecret: sumOf(...all.map(({ rejectedWithSecret }) => rejectedWithSecret)),
      verifiedWithoutSecret: all.reduce((sum, { verifiedWithoutSecret }) => sum + verifiedWithoutSecret, 0)
    }
  }

  /** The hits of a prefix: the same for all policies and lists. */
  hitsOf({ matched, dataCenter }: Pick<VerifiedVerdict, 'matched' | 'dataCenter'>): GrowingHits {
    const key = keyOf(matched, dataCenter)
    let hits = this.#hits.get(key)
    if (hits === undefined) {
      hits = { prefix: matched, dataCenter, count: 0 }
      this.#hits.set(key, hits)
    }
    return hits
  }

  /**
   * The hits of all prefixes that verified a request, and of further ones that may not have. The latter are not remembered: a list
   * that changes every hour must not grow the metrics without end.
   */
  hits(further: Iterable<Pick<PrefixHits, 'prefix' | 'dataCenter'>>): PrefixHits[] {
    const all = new Map<string, PrefixHits>()
    for (const [key, hits] of this.#hits) all.set(key, { ...hits })
    for (const { prefix, dataCenter } of further) {
      const key = keyOf(prefix, dataCenter)
      if (!all.has(key)) all.set(key, { prefix, dataCenter, count: 0 })
    }
    return [...all.values()]
  }
}

const keyOf = (prefix: string, dataCenter: string | null) => `${prefix} ${dataCenter}`

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

/** One reading of the clock: passed on as an object, since a number of milliseconds would be put into a new one at each call. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly time: number
}

/** Maximum number of routes that are told apart: where a pattern comes from a request, its sender must not fill the memory. */
const MAX_ROUTES = 1000

/** A longer pattern is not one that somebody wrote. */
const MAX_LENGTH = 256

/** The name of all routes beyond the maximum. */
const OTHER = '(other)'

/** Maximum number of data centers and sets of channels that are told apart on a route; the list has about twenty. */
const MAX_ORIGINS = 64

/** What tells the verdicts on verified requests apart on a route; those of one policy share their lists of channels. */
type Origin = Pick<EarlierVerdict & { readonly verified: true }, 'dataCenter' | 'channels'>

/** The last verified request of one data center and set of channels. */
interface OriginRecord {
  moment: Moment
  /** The moment of the request before it; undefined where there is none, or it has taken the place of one that was taken back. */
  before: Moment | undefined
  readonly dataCenter: DataCenter | null
  readonly channels: readonly Channel[]
}

/** What is remembered of one route. */
export class RouteRecord {
  /** The pattern, or what stands for it. */
  readonly route: string | null
  readonly #lastVerified: OriginRecord[] = []

  constructor(route: string | null) {
    this.route = route
  }

  /** Notes a verified request. Allocates nothing but for the first one of a data center, a set of channels and a policy. */
  verified(verdict: VerifiedVerdict, moment: Moment): void {
    const records = this.#lastVerified
    // Verdicts of one policy share their lists of channels.
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!
      if (record.channels === verdict.channels && record.dataCenter === verdict.dataCenter) {
        record.before = record.moment
        record.moment = moment
        return
      }
    }
    this.#begin(verdict, moment)
  }

  /** Apart, since a function that makes a closure allocates what the closure sees at each call. */
  #begin({ dataCenter, channels }: VerifiedVerdict, moment: Moment): void {
    const records = this.#lastVerified
    const same = records.findIndex((record) => record.dataCenter === dataCenter && isSame(record.channels, channels))
    const before = records[same]?.moment
    if (same >= 0) records.splice(same, 1)
    else if (records.length === MAX_ORIGINS) records.splice(oldest(records), 1)
    records.push({ moment, before, dataCenter, channels })
  }

  /** When the last request came that had a verdict like another one. */
  at(origin: Origin): number {
    return this.#recordOf(origin)?.moment.time ?? Number.NEGATIVE_INFINITY
  }

  /** Takes back the last request that had a verdict like another one. */
  takeBack(origin: Origin): void {
    const record = this.#recordOf(origin)
    if (record === undefined) return
    if (record.before === undefined) {
      this.#lastVerified.splice(this.#lastVerified.indexOf(record), 1)
      return
    }
    record.moment = record.before
    record.before = undefined
  }

  #recordOf({ dataCenter, channels }: Origin): OriginRecord | undefined {
    return this.#lastVerified.find((record) => record.channels === channels && record.dataCenter === dataCenter)
  }

  get lastVerified(): LastVerified[] {
    return this.#lastVerified.map(({ moment: { time }, dataCenter, channels }) => ({
      at: time,
      dataCenter,
      channels,
      route: this.route
    }))
  }
}

function isSame(a: readonly Channel[], b: readonly Channel[]): boolean {
  return a.length === b.length && a.every((channel, i) => channel === b[i])
}

function oldest(records: readonly { readonly moment: Moment }[]): number {
  const times = records.map(({ moment: { time } }) => time)
  return times.indexOf(Math.min(...times))
}

/** The routes that requests came in on, by their patterns. */
export class RouteRecords {
  readonly #records = new Map<string | null, RouteRecord>([[null, new RouteRecord(null)]])
  readonly #other = new RouteRecord(OTHER)
  #latestPattern: string | null = null
  #latest = this.#records.get(null)!

  /** The record of a route: its own, or that of all routes beyond the maximum. */
  of(pattern: string | null): RouteRecord {
    if (pattern !== this.#latestPattern) {
      this.#latestPattern = pattern
      this.#latest = this.#records.get(pattern) ?? this.#begin(pattern!)
    }
    return this.#latest
  }

  #begin(pattern: string): RouteRecord {
    if (this.#records.size > MAX_ROUTES || pattern.length > MAX_LENGTH) return this.#other
    const record = new RouteRecord(pattern)
    this.#records.set(pattern, record)
    return record
  }

  /** Takes back that a request was verified, on the route where the last one like it was. */
  takeBack(origin: Origin): void {
    const records = [...this.#records.values(), this.#other]
    records.reduce((last, record) => (record.at(origin) > last.at(origin) ? record : last)).takeBack(origin)
  }

  /** The last verified requests, the latest first. */
  lastVerified(): LastVerified[] {
    return [...this.#records.values(), this.#other]
      .flatMap(({ lastVerified }) => lastVerified)
      .sort((a, b) => b.at - a.at)
  }
}
