import { forwardedHeader, isInternalLast, listsSeveral } from '../client-ip/forwarding.js'
import { type ClientIpResolver, type HeadersInput, UNIX_PEER } from '../client-ip/resolve.js'
import { INVALID_ANSWER, NO_ANSWER, NO_PEER, type Unresolved, type UnresolvedReason } from '../client-ip/unresolved.js'
import type { Directory, Selected } from '../directory/directory.js'
import { BUNDLED, loadDirectory } from '../directory/source.js'
import { OptionsError } from '../errors.js'
import { parseAddress, words } from '../net/address.js'
import type { Problem } from '../problem.js'
import { type Sender, Senders } from '../senders/senders.js'
import { Allowlist } from './allowlist.js'
import { type Explanation, explain } from './explain.js'
import { type ClientIpOrigin, otherHeader, proxyNotConfigured, trustFix, unresolvedHints } from './hints.js'
import type { Accepted, GuardRequest, Settings } from './options.js'
import type { Policy } from './policy.js'
import { type Reason, type RejectedVerdict, type Rejection, rejectedVerdict, type Verdict } from './verdict.js'
import { ageWarnings, trustedSenders } from './warnings.js'

/** What one route accepts; what is left out is taken from the guard's options. */
export type PolicyOptions = { readonly [Option in keyof Accepted]?: Accepted[Option] | undefined }

/** What a guard knows of itself. */
export interface GuardStatus {
  /** The revision of MoEngage's page that requests are judged by, and where and when it was taken. */
  readonly revision: string
  readonly provenance: Directory['provenance']
  /** The name of the source. */
  readonly source: string
  /** How many requests were verified since the start, and how many rejected, by reason. */
  readonly verified: number
  readonly rejected: Readonly<Record<Reason, number>>
  /** How many rejected senders are remembered. */
  readonly senders: number
  /** When the list was loaded last, in milliseconds since 1970, and what the last reload failed with, or null. */
  readonly loadedAt: number
  readonly lastError: string | null
  /** What is right in the options but may surprise. */
  readonly warnings: readonly Problem[]
}

/** The framework-free whole: resolves the client IP, matches it, and says what it found. See {@link createGuard}. */
export class Guard<Request = GuardRequest> {
  readonly #settings: Settings<Request>
  readonly #origin: ClientIpOrigin
  readonly #unresolvedHints: Readonly<Record<UnresolvedReason, string>>
  readonly #resolver: ClientIpResolver
  readonly #senders: Senders
  readonly #routes = new Map<string, PolicyOptions>()
  readonly #rejected: Record<Reason, number> = {
    'not-listed': 0,
    'other-data-center': 0,
    'other-channel': 0,
    denied: 0,
    unresolved: 0,
    'proxy-not-configured': 0,
    'permissive-trust': 0
  }
  #verified = 0
  #loadedAt = Date.now()
  #lastError: string | null = null
  #reloading: Promise<GuardStatus> | undefined
  /** All that a reload replaces, behind one reference: a request sees the old list or the new one, never both. */
  #current: {
    readonly allowlist: Allowlist
    readonly policy: Policy
    readonly byRoute: WeakMap<PolicyOptions, Policy>
    readonly warnings: readonly Problem[]
  }

  /** @internal Use {@link createGuard} or {@link loadGuard}. */
  constructor(
    settings: Settings<Request>,
    directory: Directory,
    mistakes: Problem[],
    value: unknown,
    frameworkFix = ''
  ) {
    const selected = directory.read(settings.selection)
    const problems = [...selected.problems, ...mistakes]
    if (problems.length > 0) throw new OptionsError(problems, value)
    this.#settings = settings
    this.#resolver = settings.resolver
    this.#senders = new Senders(settings.cacheSize)
    this.#origin = { header: settings.header, trustFix: trustFix(settings.clientIp, frameworkFix) }
    this.#unresolvedHints = unresolvedHints(settings.header)
    this.#current = this.#compile(directory, selected)
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
    if (typeof clientIp === 'function') return this.judgeClient(clientIp(request), peer, headers, this.policy(policy))
    return this.judgePeer(peer, headers, this.policy(policy))
  }

  /** Judges by our own resolver, or by the peer itself. @internal */
  judgePeer(peer: string | null, headers: HeadersInput, policy: Policy): Verdict {
    return this.#decide(this.#resolver.resolve(peer, headers), peer, headers, policy)
  }

  /** Judges a client IP that somebody else resolved. @internal */
  judgeClient(client: unknown, peer: string | null, headers: HeadersInput, policy: Policy): Verdict {
    if (typeof client !== 'string' || client === '') {
      const isPeer = this.#settings.clientIp === 'request.ip' && (peer === null || peer === UNIX_PEER)
      return this.#decide(isPeer ? NO_PEER : NO_ANSWER, peer, headers, policy)
    }
    const found = this.#resolver.readClient(client)
    const isWrong = typeof found !== 'number' && client !== peer
    return this.#decide(isWrong ? INVALID_ANSWER : found, peer, headers, policy)
  }

  /** Rejects for what the glue found out about the request. @internal */
  rejectUnresolved(reason: UnresolvedReason, peer: string | null): RejectedVerdict {
    return this.#reject(null, { reason: 'unresolved', hint: this.#unresolvedHints[reason] }, peer)
  }

  /** Rejects because the framework's own client IP can be chosen by whoever sends the request. @internal */
  rejectPermissiveTrust(hint: string, peer: string | null): RejectedVerdict {
    return this.#reject(null, { reason: 'permissive-trust', hint }, peer)
  }

  /** `client` is the family of the client IP, which was resolved last. */
  #decide(client: 4 | 6 | Unresolved, peer: string | null, headers: HeadersInput, policy: Policy): Verdict {
    if (typeof client !== 'number') {
      return this.rejectUnresolved(client.reason, peer)
    }
    const { allowlist } = this.#current
    const set = allowlist.matcher.findLast(client)
    if (policy.accepts[set] === 1) {
      this.#verified++
      return allowlist.verdictOf(policy, client, peer)
    }
    const clientIp = this.#resolver.lastClientIp()
    const sender = client === 4 ? words[0]! : clientIp
    const rejection = this.#diagnose(policy.rejection(set, client), client, clientIp, peer, headers)
    this.#senders.record(sender, rejection.reason)
    return this.#reject(clientIp, rejection, peer)
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

  #reject(clientIp: string | null, rejection: Rejection, peer: string | null): RejectedVerdict {
    this.#rejected[rejection.reason]++
    return rejectedVerdict(clientIp, rejection, peer, this.#current.allowlist.revision)
  }

  /** What a route accepts, compiled once an options object and list. @internal */
  policy(options: PolicyOptions | undefined): Policy {
    const { policy, byRoute, allowlist } = this.#current
    if (options === undefined) return policy
    let known = byRoute.get(options)
    if (known === undefined) {
      known = allowlist.policy(this.#select(allowlist.directory, options))
      byRoute.set(options, known)
    }
    return known
  }

  /** Checks what a route accepts at start-up, and again before every reload takes effect. @internal */
  addRoute(options: PolicyOptions): void {
    this.policy(options)
    this.#routes.set(JSON.stringify(options), options)
  }

  /** What a route accepts by a directory: its own names, the guard's for what it leaves out. */
  #select(directory: Directory, options: PolicyOptions): Selected {
    const whole = directory.read(this.#settings.selection)
    const selected = directory.read(options, whole)
    const problems = [...whole.problems, ...selected.problems]
    if (problems.length > 0) throw new OptionsError(problems, options)
    return selected
  }

  #compile(directory: Directory, selected: Selected) {
    const allowlist = new Allowlist(directory, this.#settings, this.#settings.cacheSize)
    return {
      allowlist,
      policy: allowlist.policy(selected),
      byRoute: new WeakMap<PolicyOptions, Policy>(),
      warnings: [
        ...this.#settings.warnings,
        ...selected.warnings,
        ...trustedSenders(this.#settings, directory, selected)
      ]
    }
  }

  /** Explains an address in one line, and shows what it is listed for. Counts nothing. */
  explain(ip: string, policy?: PolicyOptions): Explanation {
    return explain(ip, this.#current.allowlist, this.policy(policy))
  }

  /** Counters, the list in use, and what may surprise. */
  status(): GuardStatus {
    const { allowlist, warnings } = this.#current
    const { directory } = allowlist
    return {
      revision: directory.revision,
      provenance: directory.provenance,
      source: this.#settings.source?.name ?? BUNDLED,
      verified: this.#verified,
      rejected: { ...this.#rejected },
      senders: this.#senders.size,
      loadedAt: this.#loadedAt,
      lastError: this.#lastError,
      warnings: [...warnings, ...ageWarnings(directory)]
    }
  }

  /** Rejected senders, most recent first; at most `cacheSize` of them. */
  senders(): Sender[] {
    return this.#senders.list()
  }

  /**
   * Loads the directory anew from its source and puts it in force, for every route at once. Calls that overlap share one
   * load. On a timer, handle its rejection: `guard.reload().catch(log)`.
   *
   * @throws (rejects with) SourceError (`MOE_ERR_SOURCE`) when loading fails, or OptionsError (`MOE_ERR_OPTIONS`) when the new list has
   * no address for what a route accepts. The list in use stays in use.
   */
  reload(): Promise<GuardStatus> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = undefined
    })
    return this.#reloading
  }

  async #reload(): Promise<GuardStatus> {
    try {
      const directory = await loadDirectory(this.#settings.source)
      const next = this.#compile(directory, this.#select(directory, {}))
      for (const options of this.#routes.values()) this.#select(directory, options)
      this.#current = next
      this.#loadedAt = Date.now()
      this.#lastError = null
      return this.status()
    } catch (error) {
      this.#lastError = (error as Error).message
      throw error
    }
  }
}
