import { dayOf } from '../directory/snapshot.js'
import { parseAddress } from '../ip/address.js'
import type { Clock } from '../lib/time.js'
import type { Findings } from '../senders/diagnosis.js'
import { diagnose } from '../senders/diagnosis.js'
import type { Redact } from '../senders/redact.js'
import { type About, type Sender, Senders } from '../senders/senders.js'
import type { Reason, RejectedVerdict, Verdict } from '../verdict/verdict.js'
import type { CompiledList } from './compiled-list.js'
import { Counters, type PolicyCounts, type PrefixHits } from './counters.js'
import { type ReloadEvent, reloadChannel, type VerdictEvent, verdictChannel } from './events.js'
import type { Policy } from './policy.js'

/** What a guard counted since the start, for metrics. */
export interface GuardMetrics {
  /** What became of requests, by what their route accepts. */
  readonly verdicts: readonly PolicyCounts[]
  /** How often each prefix of the guard's data centers and channels verified; 0 for those that never did. */
  readonly hits: readonly PrefixHits[]
  /** Loads of the list after the first one. */
  readonly reloads: {
    /** How many brought a list into use, or found that there is none newer. */
    readonly succeeded: number
    /** How many failed, or brought a list that was refused. */
    readonly failed: number
  }
  /** The verdicts of verified senders, which are remembered. */
  readonly cache: {
    /** How many were remembered. */
    readonly hits: number
    /** How many were made anew. */
    readonly misses: number
  }
  /** How many rejected senders are remembered. */
  readonly senders: number
  /** How many entries the list in use has. */
  readonly entries: number
  /** The day on which it was taken, as `YYYY-MM-DD`. */
  readonly retrieved: string
  /** The day on which it was last known to be current, as `YYYY-MM-DD`. */
  readonly checked: string
}

/** So many prefixes that are gone from the list are remembered. */
const REMOVED = 1000

/** What a guard remembers of what it judged: counters, rejected senders, and what went off the list. */
export class Account {
  readonly counters = new Counters()
  readonly #senders: Senders
  readonly #redact: Redact | undefined
  readonly #reloads = { succeeded: 0, failed: 0 }
  /** The day on which a prefix was found to be gone from the list. */
  readonly #removed = new Map<string, string>()
  readonly #clock: Clock

  constructor(capacity: number, redact: Redact | undefined, clock: Clock) {
    this.#senders = new Senders(capacity, redact)
    this.#redact = redact
    this.#clock = clock
  }

  /** Counts a verdict, and tells whoever listens. */
  verified(verdict: Verdict, policy: Policy, route: string | null): void {
    policy.counts.verified++
    if (verdictChannel.hasSubscribers) this.#publish(verdict, policy, route)
  }

  /** Notes a sender as {@link Senders.record} does. */
  record(key: number | string, reason: Reason, route: string | null): void {
    this.#senders.record(key, reason, route, this.#clock.now())
  }

  rejected(verdict: RejectedVerdict, policy: Policy, route: string | null): void {
    policy.counts.rejected[verdict.reason]++
    if (verdictChannel.hasSubscribers) this.#publish(this.redacted(verdict), policy, route)
  }

  #publish(verdict: Verdict, { dataCenters, channels }: Policy, route: string | null): void {
    verdictChannel.publish({ verdict, policy: { dataCenters, channels }, route } satisfies VerdictEvent)
  }

  /** A rejection as it may leave the process. */
  redacted(verdict: RejectedVerdict): RejectedVerdict {
    const redact = this.#redact
    if (redact === undefined) return verdict
    const { clientIp, peer } = verdict
    const known = [clientIp, peer].filter((address) => address !== null)
    return Object.freeze({
      ...verdict,
      clientIp: clientIp === null ? null : redact(clientIp),
      peer: peer === null ? null : redact(peer),
      hint: known.reduce((hint, address) => hint.replaceAll(address, redact(address)), verdict.hint)
    })
  }

  /** What an address is and was published for, whatever is accepted of it. */
  about(clientIp: string, { matcher }: CompiledList): ReturnType<About> {
    const channels = new Map<string, Set<string>>()
    for (const { grant } of matcher.entriesFor(parseAddress(clientIp)!)) {
      if (typeof grant === 'string') continue
      channels.set(grant.dataCenter, (channels.get(grant.dataCenter) ?? new Set()).add(grant.channel))
    }
    return {
      listedFor: [...channels].map(([dataCenter, names]) => ({ dataCenter, channels: [...names] })),
      removed: this.#removed.get(`${clientIp}/${clientIp.includes(':') ? 128 : 32}`) ?? null
    }
  }

  get senderCount(): number {
    return this.#senders.size
  }

  senders(allowlist: CompiledList, asked: Parameters<Findings['senders']>[0] = {}): Sender[] {
    return this.#senders.list((clientIp) => this.about(clientIp, allowlist), asked)
  }

  diagnosis(allowlist: CompiledList, { dataCenters }: Policy): string[] {
    return diagnose({
      ...this.counters.total(),
      dataCenters,
      senders: (asked) => this.senders(allowlist, asked),
      isCrowd: this.#senders.isCrowd
    })
  }

  /** Takes note of a list that takes another's place. */
  listChanged(before: CompiledList, after: CompiledList): void {
    before.verdicts.flush()
    const day = dayOf(new Date(this.#clock.now()))
    const listed = new Set(after.directory.entries.map(({ prefix }) => `${prefix}`))
    for (const prefix of listed) this.#removed.delete(prefix)
    for (const { prefix } of before.directory.entries) {
      if (!listed.has(`${prefix}`) && this.#removed.size < REMOVED) this.#removed.set(`${prefix}`, day)
    }
  }

  /** Counts what came of loading the list anew, and tells whoever listens. */
  reloaded(revision: string, error: Error | null): void {
    this.#reloads[error === null ? 'succeeded' : 'failed']++
    if (!reloadChannel.hasSubscribers) return
    reloadChannel.publish({ revision, error: error === null ? null : error.message } satisfies ReloadEvent)
  }

  metrics(allowlist: CompiledList, policy: Policy): GuardMetrics {
    const { directory } = allowlist
    allowlist.verdicts.flush()
    for (const { prefix, grant } of directory.entriesOf(policy)) {
      this.counters.hit({ matched: `${prefix}`, dataCenter: grant.dataCenter }, 0)
    }
    const { misses } = this.counters
    return {
      verdicts: this.counters.policies(),
      hits: this.counters.hits(),
      reloads: { ...this.#reloads },
      cache: { hits: this.counters.total().verified - misses, misses },
      senders: this.#senders.size,
      entries: directory.entries.length,
      retrieved: directory.provenance.retrieved,
      checked: directory.checked
    }
  }
}
