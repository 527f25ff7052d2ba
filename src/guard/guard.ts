import { forwardedHeader, isInternalLast, listsSeveral } from '../client-ip/forwarding.js'
import { type ClientIpResolver, type HeadersInput, UNIX_PEER } from '../client-ip/resolver.js'
import { INVALID_ANSWER, NO_ANSWER, NO_PEER, type Unresolved, type UnresolvedReason } from '../client-ip/unresolved.js'
import { parseAddress, words } from '../ip/address.js'
import type { Clock } from '../lib/time.js'
import type { About, Sender } from '../senders/senders.js'
import { type ClientIpOrigin, otherHeader, proxyNotConfigured, trustFix, unresolvedHints } from '../verdict/hints.js'
import { type RejectedVerdict, type Rejection, rejectedVerdict, type Verdict } from '../verdict/verdict.js'
import type { ListInUse } from './current-list.js'
import { type Explanation, explain } from './explain.js'
import type { Account, GuardMetrics } from './ledger.js'
import type { Accepted, GuardRequest, Settings } from './options.js'
import type { Policy } from './policy.js'
import type { Refresh } from './refresh.js'
import type { GuardStatus } from './status.js'
import { ageOf, ageWarnings } from './warnings.js'

/** What one route accepts; what is left out is taken from the guard's options. */
export type PolicyOptions = { readonly [Option in keyof Accepted]?: Accepted[Option] | undefined }

/** The framework-free whole: resolves the client IP, matches it, and says what it found. See {@link createGuard}. */
export class Guard<Request = GuardRequest> {
  readonly #settings: Settings<Request>
  readonly #origin: ClientIpOrigin
  readonly #unresolvedHints: Readonly<Record<UnresolvedReason, string>>
  readonly #resolver: ClientIpResolver
  readonly #account: Account
  readonly #list: ListInUse
  readonly #refresh: Refresh
  readonly #clock: Clock

  /** @internal Use {@link createGuard} or {@link loadGuard}. */
  constructor(
    settings: Settings<Request>,
    list: ListInUse,
    refresh: Refresh,
    account: Account,
    clock: Clock,
    frameworkFix: string
  ) {
    this.#settings = settings
    this.#list = list
    this.#refresh = refresh
    this.#clock = clock
    this.#resolver = settings.resolver
    this.#account = account
    this.#origin = { header: settings.header, trustFix: trustFix(settings.clientIp, frameworkFix) }
    this.#unresolvedHints = unresolvedHints(settings.header)
  }

  /**
   * Judges one request.
   *
   * @param policy what the route accepts, where it differs from the guard's options. Pass the same object every time: it
   * is compiled once
   * @throws OptionsError (`MOE_ERR_OPTIONS`) when the policy is wrong
   */
  judge(request: Request & GuardRequest, policy?: PolicyOptions): Verdict {
    const { clientIp } = this.#settings
    const { headers } = request
    const peer = request.peer || null
    if (typeof clientIp === 'function') {
      return this.judgeClient(clientIp(request), peer, headers, this.policy(policy), null)
    }
    return this.judgePeer(peer, headers, this.policy(policy), null)
  }

  /** Judges by our own resolver, or by the peer itself. @internal */
  judgePeer(peer: string | null, headers: HeadersInput, policy: Policy, route: string | null): Verdict {
    return this.#decide(this.#resolver.resolve(peer, headers), peer, headers, policy, route)
  }

  /** Judges a client IP that somebody else resolved. @internal */
  judgeClient(
    client: unknown,
    peer: string | null,
    headers: HeadersInput,
    policy: Policy,
    route: string | null
  ): Verdict {
    if (typeof client !== 'string' || client === '') {
      const isPeer = this.#settings.clientIp === 'request.ip' && (peer === null || peer === UNIX_PEER)
      return this.#decide(isPeer ? NO_PEER : NO_ANSWER, peer, headers, policy, route)
    }
    const found = this.#resolver.readClient(client)
    const isWrong = typeof found !== 'number' && client !== peer
    return this.#decide(isWrong ? INVALID_ANSWER : found, peer, headers, policy, route)
  }

  /** Rejects for what the glue found out about the request. @internal */
  rejectUnresolved(
    reason: UnresolvedReason,
    peer: string | null,
    policy: Policy,
    route: string | null
  ): RejectedVerdict {
    return this.#reject(null, { reason: 'unresolved', hint: this.#unresolvedHints[reason] }, peer, policy, route)
  }

  /** Rejects because the framework's own client IP can be chosen by whoever sends the request. @internal */
  rejectPermissiveTrust(hint: string, peer: string | null, policy: Policy, route: string | null): RejectedVerdict {
    return this.#reject(null, { reason: 'permissive-trust', hint }, peer, policy, route)
  }

  /** `client` is the family of the client IP, which was resolved last. */
  #decide(
    client: 4 | 6 | Unresolved,
    peer: string | null,
    headers: HeadersInput,
    policy: Policy,
    route: string | null
  ): Verdict {
    if (typeof client !== 'number') {
      return this.rejectUnresolved(client.reason, peer, policy, route)
    }
    const { allowlist } = policy
    const set = allowlist.matcher.findLast(client)
    if (policy.accepts[set] === 1) {
      const verdict = allowlist.verdictOf(policy, client, peer)
      this.#account.verified(verdict, policy, route)
      return verdict
    }
    const clientIp = this.#resolver.lastClientIp()
    const sender = client === 4 ? words[0]! : clientIp
    const rejection = this.#diagnose(policy.rejection(set, client), client, clientIp, peer, headers)
    this.#account.record(sender, rejection.reason, route)
    return this.#reject(clientIp, rejection, peer, policy, route)
  }

  /** What looks like a stranger may be a proxy of our own. */
  #diagnose(
    rejection: Rejection,
    family: 4 | 6,
    clientIp: string,
    peer: string | null,
    headers: HeadersInput
  ): Rejection {
    if (rejection.reason !== 'not-listed' || !isInternalLast(family)) return rejection
    const hint = this.#untrustedProxy(clientIp, peer, headers)
    return hint === undefined ? rejection : { reason: 'proxy-not-configured', hint }
  }

  /** An internal client, while the request was forwarded for somebody: says what to configure. */
  #untrustedProxy(client: string, peer: string | null, headers: HeadersInput): string | undefined {
    const { header } = this.#settings
    if (peer === null || parseAddress(peer)?.toString() !== client) {
      return listsSeveral(headers, header) ? proxyNotConfigured(client, this.#origin) : undefined
    }
    const present = forwardedHeader(headers, header)
    if (present === undefined) return undefined
    return this.#resolver.trusts(peer)
      ? otherHeader(client, header!, present)
      : proxyNotConfigured(client, this.#origin)
  }

  #reject(
    clientIp: string | null,
    rejection: Rejection,
    peer: string | null,
    policy: Policy,
    route: string | null
  ): RejectedVerdict {
    const verdict = rejectedVerdict(clientIp, rejection, peer, this.#list.revision)
    this.#account.rejected(verdict, policy, route)
    return verdict
  }

  /** What a route accepts, compiled once an options object and list. @internal */
  policy(options: PolicyOptions | undefined): Policy {
    return this.#list.policy(options)
  }

  /** Checks what a route accepts at start-up, and again before every reload takes effect. @internal */
  addRoute(options: PolicyOptions): void {
    this.#list.addRoute(options)
  }

  /** Explains an address in one line, and shows what it is listed for. Counts nothing. */
  explain(ip: string, policy?: PolicyOptions): Explanation {
    return explain(ip, this.policy(policy))
  }

  /** Counters, the list in use, and what may surprise. */
  status(): GuardStatus {
    const { allowlist, policy, warnings } = this.#list.current
    const { directory, removals } = allowlist
    const now = this.#clock.now()
    return {
      revision: directory.revision,
      provenance: directory.provenance,
      age: ageOf(directory, now),
      entries: directory.entries.length,
      pendingRemovals: removals.map(({ prefix, grant: { dataCenter, channel, until } }) => ({
        prefix: `${prefix}`,
        dataCenter,
        channel,
        until: new Date(until).toISOString()
      })),
      source: this.#settings.source.name,
      ...this.#account.counters.total(),
      senders: this.#account.senderCount,
      diagnosis: this.#account.diagnosis(allowlist, policy),
      loadedAt: this.#refresh.loadedAt,
      lastError: this.#refresh.lastError,
      warnings: [...warnings, ...ageWarnings(directory, this.#settings.staleAfter, now)]
    }
  }

  /**
   * Rejected senders, those that certainly called most first; at most `cacheSize` of them. While no more than three quarters of
   * that came, all counts are exact; beyond, those seen last and those with the highest counts are remembered, each with its
   * error.
   */
  senders(): Sender[] {
    return this.#account.senders(this.#list.current.allowlist)
  }

  /** The first of {@link senders}, without looking up what all the others are listed for. @internal */
  topSenders(limit: number): Sender[] {
    return this.#account.senders(this.#list.current.allowlist, { limit })
  }

  /** What was counted since the start, for metrics. */
  metrics(): GuardMetrics {
    const { allowlist, policy } = this.#list.current
    return this.#account.metrics(allowlist, policy)
  }

  /** What MoEngage publishes an address for, and when it was removed, whatever is accepted of it. @internal */
  about(clientIp: string): ReturnType<About> {
    return this.#account.about(clientIp, this.#list.current.allowlist)
  }

  /** A rejection as it may leave the process, by `redactAddress`. @internal */
  redacted(verdict: RejectedVerdict): RejectedVerdict {
    return this.#account.redacted(verdict)
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
   * Loads the directory anew from its source and puts it in use, for every route at once. Calls that overlap share one
   * load. On a timer, handle its rejection: `guard.reload().catch(log)`.
   *
   * @throws (rejects with) SourceError (`MOE_ERR_SOURCE`) when loading fails; SuspiciousError (`MOE_ERR_SUSPICIOUS`) when the new list
   * may be a mistake or an attack; OptionsError (`MOE_ERR_OPTIONS`) when it has no address for what a route accepts. The list in
   * use stays in use.
   */
  async reload(): Promise<GuardStatus> {
    await this.#refresh.load()
    return this.status()
  }

  /** Ends what runs in the background: the source is no longer looked at. The list in use stays in use. */
  close(): void {
    this.#refresh.close()
  }
}
