import { type EarlierVerdict, isNews } from '../client-ip/incoming.js'
import type { ClientIpResolver } from '../client-ip/resolver.js'
import type { Channel, DataCenter } from '../directory/names.js'
import { dayOf } from '../directory/snapshot.js'
import { type Finding, findingsOf } from '../evidence/findings.js'
import { WithoutSecret } from '../evidence/without-secret.js'
import { parseAddress } from '../ip/address.js'
import { type Prefix, parsePrefix } from '../ip/prefix.js'
import { findBuiltin } from '../lib/builtin.js'
import { type Clock, DAY } from '../lib/time.js'
import { diagnose } from '../senders/diagnosis.js'
import type { PlacesContext } from '../senders/places.js'
import type { Redact } from '../senders/redact.js'
import { Refusals } from '../senders/refusals.js'
import {
  type AddressBook,
  type ListedFor,
  type Outlook,
  type Sender,
  type SenderQuery,
  Senders
} from '../senders/senders.js'
import {
  isRefusal,
  type Reason,
  type RefusalReason,
  type RejectedVerdict,
  totalOf,
  type Verdict,
  type VerifiedVerdict
} from '../verdict/verdict.js'
import { type CompiledList, isCell } from './compiled-list.js'
import {
  Counters,
  type LastVerified,
  type Moment,
  type PolicyCounts,
  type PrefixHits,
  RouteRecords,
  type TotalCounts
} from './counters.js'
import { openBy } from './open-rejections.js'
import type { Policy } from './policy.js'
import type { WatchMetrics } from './status.js'

/** What a guard counted since the start, for metrics. */
export interface GuardMetrics {
  /** The verdicts, by what the route accepts. */
  readonly verdicts: readonly PolicyCounts[]
  /**
   * How many requests each prefix verified; 0 for a prefix of the guard's data centers and channels, of `allow` or of an override that
   * never did.
   */
  readonly hits: readonly PrefixHits[]
  /** The last verified requests by route, data center and set of channels, the latest first. */
  readonly lastVerified: readonly LastVerified[]
  /** Loads of the list after the first one. */
  readonly reloads: {
    /** How many brought a list into use, or found that there is none newer. */
    readonly succeeded: number
    /** How many failed, or brought a list that was refused. */
    readonly failed: number
  }
  /** Whether the source of the list fails: its last load, or its `watch`. The list in use stays in use. */
  readonly sourceFailing: boolean
  /** The cache of verdicts on verified senders. */
  readonly cache: {
    /** How many verdicts came from the cache. */
    readonly hits: number
    /** How many verdicts were made. */
    readonly misses: number
  }
  /** How many rejected senders are remembered. */
  readonly senders: number
  /** How many addresses that are not listed sent your secret in the last seven days: more than 0 means that the list has aged. */
  readonly unlistedWithSecret: number
  /** How many of the requests with your secret that were rejected as `not-listed` came from addresses of your own set-up. */
  readonly ownWithSecret: number
  /** How often `carriesSecret` threw, or returned something else than true or false. */
  readonly secretChecksFailed: number
  /** How many entries the list in use has. */
  readonly entries: number
  /** The day on which the list in use was taken, as `YYYY-MM-DD`. */
  readonly retrieved: string
  /** The day on which the list was last known to be current, by itself or by a watched list without a difference, as `YYYY-MM-DD`. */
  readonly checked: string
  /** The age of the list in use, in milliseconds since the start of the day `checked` (UTC). */
  readonly age: number
  /** What is known of the watched source; null without the option `watch`. */
  readonly watch: WatchMetrics | null
}

/** Maximum number of prefixes that are remembered after they left the list. */
const MAX_REMOVED = 1000

/** For how many milliseconds verified requests share one reading of the clock, which costs as much as their verdict. */
const TIME_IS_FRESH = 100

/** For how long a sender with the secret is reported: a weekly campaign calls again within it. */
export const EVIDENCE_HOLDS = 7 * DAY

/** What a guard knows about rejected senders and its secret, besides what the ledger counts. */
export interface EvidenceSources {
  /** Whether an address is part of the receiver's own set-up. */
  readonly isOwn: (clientIp: string) => boolean
  /** Knows the trusted proxies. */
  readonly resolver: Pick<ClientIpResolver, 'trusts'>
  /** What to do about an address that seems to be one's own proxy, as the end of a sentence. */
  readonly proxyFix: (clientIp: string) => string
  /** How addresses are denied: by the deny list, by overrides. */
  readonly deniedBy: string
  /** How often the check failed. */
  readonly failures: number
}

/** What a guard remembers of the requests it judged: counters, rejected senders, routes, and what left the list. */
export class Ledger {
  readonly counters = new Counters()
  /** How many rejected requests were let through, by mode `'tag'`. */
  tagged = 0
  /** How many were answered with a rejection, or cut off. */
  turnedAway = 0
  /** The verdicts on those that were let through: a later policy of the same request may reject it. */
  readonly #letThrough = new WeakSet<EarlierVerdict>()
  readonly #senders: Senders
  readonly #refusals = new Refusals()
  readonly #routes = new RouteRecords()
  readonly #withoutSecret = new WithoutSecret()
  /** How many rejections for `not-listed` were of addresses that are, or may be, of the receiver's own set-up. */
  #own = 0
  /** How many of them carried the secret. */
  #ownWithSecret = 0
  readonly #redact: Redact | undefined
  readonly #reloads = { succeeded: 0, failed: 0 }
  /** The day on which a prefix was found to be gone from the list. */
  readonly #removed = new Map<string, string>()
  readonly #clock: Clock
  /** The time of verified requests; undefined where it is older than {@link TIME_IS_FRESH}. */
  #moment: Moment | undefined

  constructor(capacity: number, redact: Redact | undefined, clock: Clock) {
    this.#senders = new Senders(capacity, redact)
    this.#redact = redact
    this.#clock = clock
  }

  /** Counts a verified request, and publishes its verdict. */
  verified(verdict: VerifiedVerdict, policy: Policy, pattern: string | null): void {
    policy.counts.verified++
    const route = this.#routes.of(pattern)
    const moment = this.#moment ?? this.#readTime()
    route.verified(verdict, moment)
    if (verdict.carriesSecret === false) {
      policy.counts.verifiedWithoutSecret++
      this.#withoutSecret.note(verdict, route.route, moment.time)
    }
    if (verdictChannel?.hasSubscribers) this.#publish(verdict, policy, route.route)
  }

  /** Notes when a request was verified that had been counted as a rejection, by another policy. It is not counted again. */
  gotThrough(verdict: VerifiedVerdict, pattern: string | null): void {
    this.#routes.of(pattern).verified(verdict, this.#moment ?? this.#readTime())
  }

  /** Takes back that a request was counted as verified: another policy rejects it. */
  takeBack(earlier: EarlierVerdict & { readonly verified: true }): void {
    this.counters.takeBack(earlier)
    this.#routes.takeBack(earlier)
  }

  #readTime(): Moment {
    const moment = { time: this.#clock.now() }
    this.#moment = moment
    this.#clock.after(TIME_IS_FRESH, () => {
      this.#moment = undefined
    })
    return moment
  }

  /** Notes a rejected sender; for `key` see {@link SenderRejections}. */
  record(
    key: number | string,
    { reason, carriesSecret }: RejectedVerdict,
    { bit: policies }: Policy,
    pattern: string | null
  ): void {
    const { route } = this.#routes.of(pattern)
    const withSecret = carriesSecret === true
    this.#senders.record({ key, reason, pattern: route, time: this.#clock.now(), count: 1, withSecret, policies })
  }

  /**
   * Counts a rejected request, and publishes its verdict.
   *
   * @param isOwn whether the client is part of the receiver's own set-up, or may be
   */
  rejected(verdict: RejectedVerdict, policy: Policy, pattern: string | null, isOwn: boolean): void {
    policy.counts.rejected[verdict.reason]++
    if (isRefusal(verdict.reason)) this.#noteRefusal(verdict.clientIp!, verdict.reason, policy, pattern)
    if (isOwn && verdict.reason === 'not-listed') {
      this.#own++
      if (verdict.carriesSecret === true) this.#ownWithSecret++
    }
    if (verdict.carriesSecret === true) policy.counts.rejectedWithSecret[verdict.reason]++
    if (verdictChannel?.hasSubscribers) this.#publish(this.redacted(verdict), policy, this.#routes.of(pattern).route)
  }

  /**
   * Notes what a door does with a rejected request.
   *
   * @param earlier the verdict by which the door counted the request before
   * @returns whether that is news: the first rejection of the request, or that it is turned away after it was let through
   */
  noteOutcome(verdict: RejectedVerdict, mode: 'reject' | 'tag', earlier: EarlierVerdict | undefined): boolean {
    const isFirst = isNews(earlier, false)
    if (mode === 'tag') {
      if (!isFirst) return false
      this.tagged++
      this.#letThrough.add(verdict)
      return true
    }
    if (!isFirst) {
      if (!this.#letThrough.delete(earlier!)) return false
      this.tagged--
    }
    this.turnedAway++
    return true
  }

  #noteRefusal(clientIp: string, reason: RefusalReason, policy: Policy, pattern: string | null): void {
    const { dataCenters, channels } = policy
    this.#refusals.note(clientIp, { reason, route: this.#routes.of(pattern).route, dataCenters, channels })
  }

  #publish(verdict: Verdict, { dataCenters, channels }: Policy, route: string | null): void {
    verdictChannel!.publish({ verdict, policy: { dataCenters, channels }, route } satisfies VerdictEvent)
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
  about(clientIp: string, list: CompiledList): Pick<Sender, 'listedFor' | 'removed'> {
    return { listedFor: listedFor(clientIp, list), removed: this.#removedOn(clientIp) }
  }

  #removedOn(clientIp: string): string | null {
    return this.#removed.get(`${clientIp}/${clientIp.includes(':') ? 128 : 32}`) ?? null
  }

  get senderCount(): number {
    return this.#senders.size
  }

  senders(list: CompiledList, sources: EvidenceSources, query: SenderQuery = {}): Sender[] {
    return this.#list(list, sources, this.#openBy(list, sources), query)
  }

  #openBy(list: CompiledList, { resolver }: EvidenceSources) {
    return openBy(list, this.counters, resolver)
  }

  #list(list: CompiledList, { isOwn }: EvidenceSources, open: Outlook['open'], query: SenderQuery): Sender[] {
    if (query.only === 'removed' && this.#removed.size === 0) return []
    const book: AddressBook = {
      listedFor: (clientIp) => listedFor(clientIp, list),
      removed: (clientIp) => this.#removedOn(clientIp),
      isOwn,
      open
    }
    return this.#senders.list(book, query)
  }

  /** What all policies counted, up to this moment. */
  totals({ verdicts }: CompiledList): TotalCounts {
    verdicts.flush()
    return this.counters.total()
  }

  /** What the rejections of all senders would be by the list in use, and what the secret and they themselves give away. */
  findings(policy: Policy, totals: TotalCounts, sources: EvidenceSources): LedgerFindings {
    const { list } = policy
    const outlook = this.#senders.outlook(this.#openBy(list, sources))
    const open = openCounts(totals.rejected, outlook)
    const evidence = this.#evidence(policy, totals, sources, outlook)
    return {
      open,
      evidence,
      diagnosis: [
        ...evidence.map(({ sentence }) => sentence),
        ...this.#diagnosis(policy, totals, sources, outlook, open)
      ]
    }
  }

  /** What the secret gives away about senders that the list in use rejects. */
  #evidence(
    policy: Policy,
    { rejectedWithSecret }: TotalCounts,
    sources: EvidenceSources,
    { open }: Outlook
  ): Finding[] {
    const { directory, revision } = policy.list
    return findingsOf({
      senders: (reason, isOwn) => this.#withSecret(policy.list, sources, open, { reason, isOwn }),
      unresolved: rejectedWithSecret.unresolved + rejectedWithSecret['permissive-trust'],
      withoutSecret: this.#withoutSecret.since(this.#clock.now() - EVIDENCE_HOLDS),
      failures: sources.failures,
      ...this.#placesContext(policy),
      deniedBy: sources.deniedBy,
      list: `of ${directory.checked} (revision ${revision})`
    })
  }

  #placesContext({ dataCenters, channels }: Policy): PlacesContext {
    return { dataCenters, channels, refusals: this.#refusals.byName(this.#redact ?? ((clientIp) => clientIp)) }
  }

  /** Senders of whose rejections with the secret some are open for a reason. */
  #withSecret(
    list: CompiledList,
    sources: EvidenceSources,
    open: Outlook['open'],
    { reason, isOwn }: { readonly reason: Reason; readonly isOwn: boolean | undefined }
  ): Sender[] {
    const since = this.#clock.now() - EVIDENCE_HOLDS
    const isWanted = (clientIp: string, lastSeen: number) =>
      lastSeen >= since && (isOwn === undefined || sources.isOwn(clientIp) === isOwn)
    return this.#list(list, sources, open, { reason, withSecret: true, isWanted })
  }

  /** Likely causes of the rejections that are open. */
  #diagnosis(
    policy: Policy,
    { rejected, verified, verifiedByAllow }: TotalCounts,
    sources: EvidenceSources,
    outlook: Outlook,
    open: Readonly<Record<Reason, number>>
  ): string[] {
    return diagnose({
      rejected: open,
      total: totalOf(rejected),
      // One that another policy rejected before is not counted.
      hasVerified: verified > verifiedByAllow || this.lastVerified().some(({ dataCenter }) => dataCenter !== null),
      own: Math.min(this.#own, open['not-listed']),
      ...this.#placesContext(policy),
      senders: (query) => this.#list(policy.list, sources, outlook.open, query),
      isCrowd: this.#senders.isCrowd,
      proxyFix: sources.proxyFix,
      deniedBy: sources.deniedBy
    })
  }

  /** The last verified requests, the latest first. */
  lastVerified(): LastVerified[] {
    return this.#routes.lastVerified()
  }

  /** Notes that one list takes the place of another, and the prefixes that only the one before has. */
  listChanged(before: CompiledList, after: CompiledList, gone: readonly Prefix[]): void {
    before.verdicts.flush()
    const day = dayOf(new Date(this.#clock.now()))
    for (const text of this.#removed.keys()) {
      if (after.directory.has(parsePrefix(text))) this.#removed.delete(text)
    }
    for (const prefix of gone.slice(0, MAX_REMOVED - this.#removed.size)) this.#removed.set(`${prefix}`, day)
  }

  /** Counts the outcome of a reload, and publishes it. */
  reloaded(revision: string, error: Error | null): void {
    this.#reloads[error === null ? 'succeeded' : 'failed']++
    if (!reloadChannel?.hasSubscribers) return
    reloadChannel.publish({ revision, error: error === null ? null : error.message } satisfies ReloadEvent)
  }

  metrics(
    list: CompiledList,
    policy: Policy,
    sources: EvidenceSources
  ): Omit<GuardMetrics, 'checked' | 'age' | 'sourceFailing' | 'watch'> {
    const { directory } = list
    list.verdicts.flush()
    const listed = [...directory.entriesOf(policy), ...list.removals.filter(({ grant }) => policy.covers(grant))]
    const { cacheHits, cacheMisses } = this.counters
    return {
      verdicts: this.counters.policies(),
      hits: this.counters.hits([
        ...listed.map(({ prefix, grant: { dataCenter } }) => ({ prefix: `${prefix}`, dataCenter })),
        // Prometheus sees the first hit only as a step from 0.
        ...list.allowed.map((prefix) => ({ prefix: `${prefix}`, dataCenter: null }))
      ]),
      lastVerified: this.lastVerified(),
      reloads: { ...this.#reloads },
      cache: { hits: cacheHits, misses: cacheMisses },
      senders: this.#senders.size,
      unlistedWithSecret: this.#withSecret(list, sources, this.#openBy(list, sources), {
        reason: 'not-listed',
        isOwn: false
      }).length,
      ownWithSecret: this.#ownWithSecret,
      secretChecksFailed: sources.failures,
      entries: directory.entries.length,
      retrieved: directory.provenance.retrieved
    }
  }
}

/** What a guard finds out about its rejections. */
export interface LedgerFindings {
  readonly open: Readonly<Record<Reason, number>>
  readonly evidence: readonly Finding[]
  readonly diagnosis: readonly string[]
}

/**
 * How many rejections are open. Those that no remembered sender is known of count where they have no client IP, or where strangers make
 * them; of the others nobody could say whom to let in.
 */
function openCounts(
  rejected: Readonly<Record<Reason, number>>,
  { counts, remembered }: Outlook
): Record<Reason, number> {
  const open = { ...counts }
  for (const reason of ['not-listed', 'unresolved', 'permissive-trust'] as const) {
    open[reason] += rejected[reason] - remembered[reason]
  }
  return open
}

function listedFor(clientIp: string, { matcher }: CompiledList): ListedFor[] {
  const channels = new Map<string, Set<string>>()
  for (const { grant } of matcher.entriesFor(parseAddress(clientIp)!)) {
    if (!isCell(grant)) continue
    channels.set(grant.dataCenter, (channels.get(grant.dataCenter) ?? new Set()).add(grant.channel))
  }
  return [...channels].map(([dataCenter, names]) => ({ dataCenter, channels: [...names] }))
}

/** Published to the diagnostics channel `moengage-allowlist:verdict` for each request that is judged. */
export interface VerdictEvent {
  /** Addresses of rejected senders are redacted by `redactAddress`. */
  readonly verdict: Verdict
  /** What the route accepts. */
  readonly policy: {
    /** Its data centers. */
    readonly dataCenters: readonly DataCenter[]
    /** Its channels. */
    readonly channels: readonly Channel[]
  }
  /** The pattern of the route; null where none is known, `(other)` for all routes beyond the first thousand. */
  readonly route: string | null
}

/** Published to the diagnostics channel `moengage-allowlist:reload` after each load of the list, successful or not. */
export interface ReloadEvent {
  /** The revision in use after the load. */
  readonly revision: string
  /** The message of the error; null when the load succeeded. */
  readonly error: string | null
}

/** Undefined where the runtime has no such channels. */
const channel = (name: string) => findBuiltin('node:diagnostics_channel')?.channel(name)

/** Costs a look at `hasSubscribers` while nobody listens. */
const verdictChannel = channel('moengage-allowlist:verdict')
const reloadChannel = channel('moengage-allowlist:reload')
