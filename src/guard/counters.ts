import type { Cells } from '../directory/directory.js'
import type { Channel, DataCenter } from '../directory/names.js'
import { noCounts, REASONS, type Reason, type VerifiedVerdict } from '../verdict/verdict.js'

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

/** The counts of one policy, while they grow. */
export interface GrowingCounts extends PolicyCounts {
  verified: number
  readonly rejected: Record<Reason, number>
}

/** Counts verdicts by policy and by prefix. The counts outlive the lists and policies that they belong to. */
export class Counters {
  readonly #byPolicy = new Map<string, GrowingCounts>()
  readonly #hits = new Map<string, { prefix: string; dataCenter: DataCenter | null; count: number }>()

  /** How many verdicts on verified senders were made, because the cache had none. */
  misses = 0

  /** The counts of a policy: the same for all routes that accept the same. */
  of({ dataCenters, channels }: Cells): GrowingCounts {
    const key = `${dataCenters} ${channels}`
    let counts = this.#byPolicy.get(key)
    if (counts === undefined) {
      counts = { dataCenters, channels, verified: 0, rejected: noCounts() }
      this.#byPolicy.set(key, counts)
    }
    return counts
  }

  policies(): PolicyCounts[] {
    return [...this.#byPolicy.values()].map((counts) => ({ ...counts, rejected: { ...counts.rejected } }))
  }

  /** The counts of all policies together. */
  total(): Pick<PolicyCounts, 'verified' | 'rejected'> {
    const rejected = noCounts()
    let verified = 0
    for (const counts of this.#byPolicy.values()) {
      verified += counts.verified
      for (const reason of REASONS) rejected[reason] += counts.rejected[reason]
    }
    return { verified, rejected }
  }

  /** Notes a prefix, and how many requests it verified. */
  hit({ matched, dataCenter }: Pick<VerifiedVerdict, 'matched' | 'dataCenter'>, count: number): void {
    const key = `${matched} ${dataCenter}`
    const hits = this.#hits.get(key)
    if (hits === undefined) this.#hits.set(key, { prefix: matched, dataCenter, count })
    else hits.count += count
  }

  hits(): PrefixHits[] {
    return [...this.#hits.values()].map((hits) => ({ ...hits }))
  }
}
