import { givenIncoming } from '../client-ip/given.js'
import { type Incoming, isNews, mayLackHeaders, type NodeRequest } from '../client-ip/incoming.js'
import type { ClientIpSource } from '../client-ip/source.js'
import { TOO_MANY_HEADERS } from '../client-ip/unresolved.js'
import type { Directory } from '../directory/directory.js'
import type { SecretCheck } from '../evidence/secret-check.js'
import { ParsedAddress } from '../ip/address.js'
import type { Prefix } from '../ip/prefix.js'
import { refusal } from '../lib/refusal.js'
import type { Clock } from '../lib/time.js'
import type { Sender } from '../senders/senders.js'
import {
  type RejectedVerdict,
  type Rejection,
  rejectedVerdict,
  type Verdict,
  withEvidence
} from '../verdict/verdict.js'
import { AskedRequests } from './asked-requests.js'
import type { CurrentList } from './current-list.js'
import { type Explanation, explain, type Judging, type PolicyExplanation } from './explain.js'
import type { FleetMember, FleetStatus, GuardFleet } from './fleet.js'
import type { EvidenceSources, GuardMetrics, Ledger } from './ledger.js'
import type { GuardRequest, PolicyOptions, Settings } from './options.js'
import type { OverrideOptions } from './overrides.js'
import { denies, type Policy } from './policy.js'
import type { Refresh } from './refresh.js'
import type { Rejections } from './rejections.js'
import { ageOf, ageWarnings, type GuardStatus, type Override } from './status.js'
import type { Watch } from './watch.js'

export type { PolicyOptions } from './options.js'

/** What a guard is made of. */
export interface GuardParts<Request> {
  readonly settings: Settings<Request>
  readonly source: ClientIpSource<Request>
  readonly rejections: Rejections<Request>
  readonly list: CurrentList
  readonly refresh: Refresh
  readonly watch: Watch | undefined
  readonly ledger: Ledger
  readonly clock: Clock
  /** Null where there is no `carriesSecret`. */
  readonly secretCheck: SecretCheck<Request> | null
  readonly member: FleetMember | undefined
}

/** The whole without a framework: resolves the client IP, matches it, and returns a verdict. See {@link createGuard}. */
export class Guard<Request = GuardRequest> {
  readonly #settings: Settings<Request>
  readonly #source: ClientIpSource<Request>
  readonly #rejections: Rejections<Request>
  readonly #list: CurrentList
  readonly #refresh: Refresh
  readonly #watch: Watch | undefined
  readonly #ledger: Ledger
  readonly #clock: Clock
  readonly #secretCheck: SecretCheck<Request> | null
  /** The check where it is asked about verified requests as well; null elsewhere. */
  readonly #verifiedCheck: SecretCheck<Request> | null
  readonly #member: FleetMember | undefined
  /** The fleet that the guard is a replica of; undefined where it stands alone. */
  readonly fleet: GuardFleet | undefined
  /** The client IP of the request that is being judged. No code of a user runs between its resolution and its last use. */
  readonly #client = new ParsedAddress()
  /** Undefined until a user asks about a request. */
  #asked: AskedRequests | undefined

  /** @internal Use {@link createGuard} or {@link loadGuard}. */
  constructor({
    settings,
    source,
    rejections,
    list,
    refresh,
    watch,
    ledger,
    clock,
    secretCheck,
    member
  }: GuardParts<Request>) {
    this.#settings = settings
    this.#source = source
    this.#rejections = rejections
    this.#list = list
    this.#refresh = refresh
    this.#watch = watch
    this.#ledger = ledger
    this.#clock = clock
    this.#secretCheck = secretCheck
    this.#verifiedCheck = secretCheck?.expectsSecret === true ? secretCheck : null
    this.#member = member
    this.fleet = member && { status: () => fleetStatusOf(member, secretCheck !== null) }
  }

  /**
   * Judges one request, and counts it.
   *
   * @param policy what the route accepts, where it differs from the guard's options. Pass the same object every time: it
   * is compiled once
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the request or the policy is wrong
   */
  judge(
    // The functions of a guard without a framework read what Node's own request has too, but for the peer.
    request: GuardRequest extends Request ? GuardRequest | NodeRequest : Request & (GuardRequest | NodeRequest),
    policy?: PolicyOptions
  ): Verdict {
    const incoming = givenIncoming(request)
    const verdict = this.decide(policy, request as Request, incoming, null)
    // There is no door that answers: the caller does.
    if (!verdict.verified) this.#ledger.noteOutcome(verdict, 'reject', incoming.earlier)
    return verdict
  }

  /**
   * The decision.
   *
   * @param options what the route accepts; undefined where it is what the guard accepts
   * @param request what a `clientIp` function or the framework resolves; undefined where they know nothing of it
   * @param pattern the route's URL pattern
   * @internal
   */
  decide(
    options: PolicyOptions | undefined,
    request: Request | undefined,
    incoming: Incoming,
    pattern: string | null
  ): Verdict {
    const policy = this.#list.policy(options)
    const earlier = this.#asked === undefined ? incoming.earlier : this.#asked.earlier(request, incoming)
    const client = this.#client
    const failure = mayLackHeaders(incoming) ? TOO_MANY_HEADERS : this.#source.resolve(request, incoming, client)
    if (failure !== null) {
      const rejection = this.#rejections.unresolved(failure, incoming)
      const verdict = this.#rejected({ clientIp: null, rejection, policy }, request, incoming, earlier)
      if (isNews(earlier, false)) this.#ledger.rejected(verdict, policy, pattern, false)
      return verdict
    }
    const set = policy.list.matcher.lookup(client)
    if (policy.isSender(set, client, this.#settings.resolver)) {
      const isFirst = isNews(earlier, true)
      let verdict = policy.verified(client, incoming.peer || null, isFirst)
      const check = this.#verifiedCheck
      if (check !== null) verdict = withEvidence(verdict, check.ask(request, earlier))
      if (isFirst) this.#ledger.verified(verdict, policy, pattern)
      else if (earlier?.verified === false) this.#ledger.gotThrough(verdict, pattern)
      return verdict
    }
    const clientIp = client.toString()
    const sender = client.key
    const rejection = this.#rejections.of(policy, set, client, incoming, request)
    const verdict = this.#rejected({ clientIp, rejection, policy }, request, incoming, earlier)
    if (isNews(earlier, false)) {
      this.#ledger.record(sender, verdict, policy, pattern)
      const isOwn = rejection.isOwn === true || rejection.forwards !== undefined
      this.#ledger.rejected(verdict, policy, pattern, isOwn)
    }
    return verdict
  }

  /**
   * Decides about a request that a user asks about: it counts, and its hook, which reports it, does not count it again.
   *
   * @internal
   */
  ask(
    options: PolicyOptions | undefined,
    request: Request & object,
    incoming: Incoming,
    pattern: string | null
  ): Verdict {
    const verdict = this.decide(options, request, incoming, pattern)
    this.#asked ??= new AskedRequests()
    this.#asked.note(request, verdict)
    return verdict
  }

  /**
   * Makes the verdict, and takes back that the request was counted as verified. The client is no longer needed: this calls the user's
   * `carriesSecret`.
   */
  #rejected(
    { clientIp, rejection, policy }: { clientIp: string | null; rejection: Rejection; policy: Policy },
    request: Request | undefined,
    incoming: Incoming,
    earlier: Incoming['earlier']
  ): RejectedVerdict {
    if (earlier?.verified === true) this.#ledger.takeBack(earlier)
    const check = this.#secretCheck
    const carriesSecret = check === null ? null : check.ask(request, earlier)
    const { reason, hint } =
      carriesSecret === null ? rejection : this.#rejections.withSecret(rejection, carriesSecret, clientIp)
    return rejectedVerdict({
      clientIp,
      reason,
      hint,
      override: rejection.override ?? null,
      peer: incoming.peer || null,
      revision: policy.list.revision,
      carriesSecret
    })
  }

  /** What a route accepts, compiled once an options object and list. @internal */
  policy(options: PolicyOptions | undefined): Policy {
    return this.#list.policy(options)
  }

  /** Checks what a route accepts at start-up, and again before every reload takes effect. @internal */
  addRoute(options: PolicyOptions): void {
    this.#list.addRoute(options)
  }

  get #judging(): Judging {
    return { rejections: this.#rejections, resolver: this.#settings.resolver }
  }

  /** Explains an address in one line, by the verdict on a request with this client IP. Counts nothing. */
  explain(ip: string, policy?: PolicyOptions): Explanation {
    return explain(ip, this.policy(policy), this.#judging)
  }

  /** Like {@link explain}, for the guard's own policy and those of its routes; policies that accept the same are explained once. */
  explainAll(ip: string): PolicyExplanation[] {
    return this.#list.policies().map((policy) => {
      const { dataCenters, channels } = policy
      return { dataCenters, channels, ...explain(ip, policy, this.#judging) }
    })
  }

  /** The list in use. */
  directory(): Directory {
    return this.#list.current.list.directory
  }

  /** Counters, the list in use, and what may surprise. */
  status(): GuardStatus {
    const { list, policy, warnings, overrides } = this.#list.current
    const { directory, removals } = list
    const { checked } = this.#list
    const now = this.#clock.now()
    const totals = this.#ledger.totals(list)
    const { open, evidence, diagnosis } = this.#ledger.findings(policy, totals, this.#evidenceSources())
    return {
      revision: directory.revision,
      provenance: directory.provenance,
      age: ageOf(checked, now),
      entries: directory.entries.length,
      pendingRemovals: removals.map(({ prefix, grant: { dataCenter, channel, until } }) => ({
        prefix: `${prefix}`,
        dataCenter,
        channel,
        until: new Date(until).toISOString()
      })),
      overrides,
      source: this.#settings.source.name,
      ...totals,
      tagged: this.#ledger.tagged,
      turnedAway: this.#ledger.turnedAway,
      senders: this.#ledger.senderCount,
      lastVerified: this.#ledger.lastVerified(),
      open,
      diagnosis,
      evidence,
      loadedAt: this.#refresh.loadedAt,
      lastError: this.#refresh.lastError,
      watch: this.#watch?.status() ?? null,
      warnings: [
        ...warnings,
        ...ageWarnings(directory, checked, this.#settings.staleAfter, now),
        ...(this.#settings.source.warnings?.(now) ?? []),
        ...(this.#watch?.warnings({
          dataCenters: policy.dataCenters,
          lacks: (prefix) => this.#lacks(prefix, policy)
        }) ?? [])
      ]
    }
  }

  /** Whether a prefix is neither accepted nor denied, nor part of the receiver's own set-up. */
  #lacks(prefix: Prefix, policy: Policy): boolean {
    const around = policy.list.matcher.entriesFor(prefix.address).filter((entry) => entry.prefix.contains(prefix))
    const isDecided = around.some(({ grant }) => denies(grant) || policy.accepted(grant))
    return !isDecided && !this.isOwn(`${prefix.address}`)
  }

  /**
   * Rejected senders, those with the most rejections first. `cacheSize` of them are remembered: when more come, senders that called
   * once are forgotten first, and senders with your secret have 1,024 places of their own. Counts are exact: each is the number of
   * rejections since the sender's `firstSeen`.
   *
   * @param limit maximum number of senders (all that are remembered); those whose requests carried your secret are the last to be left
   * out. A few cost much less than all: a million block the process for
   * seconds
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the limit is not a whole number
   */
  senders(limit = Number.POSITIVE_INFINITY): Sender[] {
    refuseNoLimit(limit)
    return this.#ledger.senders(this.#list.current.list, this.#evidenceSources(), { limit })
  }

  /** What was counted since the start, for metrics. */
  metrics(): GuardMetrics {
    const { list, policy } = this.#list.current
    const { checked } = this.#list
    return {
      ...this.#ledger.metrics(list, policy, this.#evidenceSources()),
      checked,
      age: ageOf(checked, this.#clock.now()),
      sourceFailing: this.#refresh.lastError !== null,
      watch: this.#watch?.metrics() ?? null
    }
  }

  #evidenceSources(): EvidenceSources {
    return {
      isOwn: (clientIp) => this.#rejections.isOwn(clientIp),
      resolver: this.#settings.resolver,
      proxyFix: (clientIp) => this.#rejections.proxyFix(clientIp),
      deniedBy: deniedBy(this.#settings.deny, this.#list.current.overrides),
      failures: this.#secretCheck?.failures ?? 0
    }
  }

  /** Whether an address is part of the receiver's own set-up, such as a proxy. @internal */
  isOwn(clientIp: string): boolean {
    return this.#rejections.isOwn(clientIp)
  }

  /** What MoEngage publishes an address for, and when it was removed, whatever is accepted of it. @internal */
  about(clientIp: string): Pick<Sender, 'listedFor' | 'removed'> {
    return this.#ledger.about(clientIp, this.#list.current.list)
  }

  /** Notes what a door does with a rejected request; whether that is news. @internal */
  noteOutcome(verdict: RejectedVerdict, mode: 'reject' | 'tag', earlier: Incoming['earlier']): boolean {
    return this.#ledger.noteOutcome(verdict, mode, earlier)
  }

  /** A rejection as it may leave the process, by `redactAddress`. @internal */
  redacted(verdict: RejectedVerdict): RejectedVerdict {
    return this.#ledger.redacted(verdict)
  }

  /** An address as it may leave the process. @internal */
  redactedAddress(address: string): string {
    return this.#settings.redact?.(address) ?? address
  }

  /** The header that our resolver reads; null where something else tells the client IP. @internal */
  get header(): string | null {
    return this.#settings.header
  }

  /**
   * Loads the directory anew from its source and puts it in use, for every route at once. A call
   * during a load gets one more load after it. On a timer, handle its rejection: `guard.reload().catch(log)`.
   *
   * @throws (rejects with) SourceError (`MOE_ERR_SOURCE`) when loading fails; SuspiciousError (`MOE_ERR_SUSPICIOUS`) when the new list
   * may be a mistake or an attack; OptionsError (`MOE_ERR_OPTIONS`) when it has no address for what a route accepts. The list in
   * use stays in use.
   */
  async reload(): Promise<GuardStatus> {
    await this.#refresh.load()
    return this.status()
  }

  /**
   * Accepts or rejects further addresses, or changes the mode, on every route from the next request on, until the override ends or
   * is removed. Its prefixes are checked like the options `allow` and `deny`, and by the guard rails of a list; half of the internet
   * or more is never taken. What is denied, by an option or an override, stays denied. A restart ends it.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake
   * @example
   * guard.override({ allow: ['203.0.114.9'], for: '24h', note: 'new address of DC-01, ticket 4711' })
   * guard.override({ mode: 'tag', for: '2h' })
   */
  override(options: OverrideOptions): Override {
    return this.#list.override(options)
  }

  /**
   * Ends an override that was set on this guard, by its `id`. Returns false where there is none.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the id is not a text
   */
  removeOverride(id: string): boolean {
    if (typeof (id as unknown) !== 'string') {
      throw refusal('id', id, 'is not the id of an override', 'Pass its id: guard.removeOverride(override.id).')
    }
    return this.#list.removeOverride(id)
  }

  /** The mode that an override puts in the place of the guard's own; null where none does. @internal */
  get mode(): Override['mode'] {
    return this.#list.current.mode
  }

  /**
   * Ends what runs in the background: neither the source nor the watched one is loaded any more. The list in use stays in use. Resolves
   * when a replica of a fleet has written its last report, and after a second at the latest; never rejects.
   */
  async close(): Promise<void> {
    this.#refresh.close()
    this.#watch?.close()
    this.#list.close()
    await this.#member?.close()
  }
}

/** What is known of the fleet; a guard without a secret cannot judge what others report about theirs. */
async function fleetStatusOf(member: FleetMember, hasSecret: boolean): Promise<FleetStatus> {
  const status = await member.status()
  return { ...status, trustsReports: !status.isSigned && hasSecret }
}

/** A wrong limit would hide senders without a word. */
function refuseNoLimit(limit: unknown): void {
  const isLimit = (Number.isInteger(limit) || limit === Number.POSITIVE_INFINITY) && (limit as number) >= 0
  if (!isLimit) {
    throw refusal(
      'limit',
      limit,
      'is not a number of senders',
      'Pass a whole number such as 10, or nothing for all of them.'
    )
  }
}

/** How addresses are denied, as a sentence says it. */
function deniedBy(deny: readonly unknown[], overrides: readonly Override[]): string {
  const denying = overrides.filter((override) => override.deny.length > 0)
  const override = denying.length === 1 ? `the override ${denying[0]!.id}` : 'an override'
  const ways = [
    ...(deny.length > 0 ? ['in your deny list'] : []),
    ...(denying.length > 0 ? [`denied by ${override}`] : [])
  ]
  return ways.join(' or ')
}

/** What every door offers of its guard, besides verdicts. */
export type GuardAccess = Pick<
  Guard,
  'explain' | 'explainAll' | 'directory' | 'status' | 'reload' | 'senders' | 'metrics' | 'override' | 'removeOverride'
>

/** Access to a guard that may not be made yet: each call asks for it. */
export function accessTo(guard: () => GuardAccess): GuardAccess {
  return {
    explain: (ip, policy) => guard().explain(ip, policy),
    explainAll: (ip) => guard().explainAll(ip),
    directory: () => guard().directory(),
    status: () => guard().status(),
    reload: () => guard().reload(),
    senders: (limit) => guard().senders(limit),
    metrics: () => guard().metrics(),
    override: (options) => guard().override(options),
    removeOverride: (id) => guard().removeOverride(id)
  }
}
