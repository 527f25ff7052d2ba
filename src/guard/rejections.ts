import { type FurtherSender, furtherSenders } from '../client-ip/further-sender.js'
import { forwardedHeaders, headerText, type Incoming, SENDER_HEADERS, UNIX_PEER } from '../client-ip/incoming.js'
import { notableAddresses, providerAmong, purposeAmong } from '../client-ip/notable.js'
import { parsePeer } from '../client-ip/resolver.js'
import type { FrameworkIp } from '../client-ip/source.js'
import { writesHeader } from '../client-ip/trusted-proxies.js'
import type { Failure } from '../client-ip/unresolved.js'
import { ParsedAddress } from '../ip/address.js'
import { drop } from '../lib/promise.js'
import { ONLY_YOURS } from '../senders/diagnosis.js'
import {
  type ClientIpWording,
  FRAMEWORK_HEADER,
  otherHeaderPresent,
  type Reach,
  type TrustSetting,
  trustFix,
  unixNotTrusted,
  unixWithoutHeader,
  unresolvedHint,
  withSecret
} from '../verdict/hints.js'
import { namingSender, unfitHeader, unlisted, withBeside } from '../verdict/unlisted.js'
import type { Rejection } from '../verdict/verdict.js'
import type { Settings } from './options.js'
import type { Policy } from './policy.js'

/** The set of grants of an address that is in no entry. */
const UNLISTED = 0

/** How a proxy is made known to a framework that resolves the client IP. */
export interface FrameworkTrust<Request> extends TrustSetting, Pick<FrameworkIp<Request>, 'handles' | 'trustsClient'> {
  /** Why its setting does not apply to a request that it does not handle, as a sentence. */
  whyUnhandled(request: Request | undefined): string
}

/** What stands beside a client in a forwarded header. */
const BESIDE: Readonly<Record<Exclude<FurtherSender, 'none'>, (clientIp: string) => string>> = {
  'left-of-client': (clientIp) => `another hop left of ${clientIp}`,
  elsewhere: () => 'another address',
  hidden: () => 'a text that is no address'
}

const NO_REQUEST: Incoming = { peer: null, headers: {} }

/** Maximum number of addresses of a kind that are remembered; they are forgotten together. */
const MAX_REMEMBERED = 1000

/** Why a request is rejected, from what the guard knows about it, before anybody asks MoEngage. */
export class Rejections<Request> {
  readonly #settings: Pick<Settings<never>, 'resolver' | 'header' | 'clientIp'>
  readonly #wording: ClientIpWording
  readonly #framework: FrameworkTrust<Request> | undefined
  /** Clients that the framework trusts as proxies: it can only be asked with a request. */
  readonly #trusted = new Set<string>()
  /** Clients whose requests had the secret and named a further sender: each may be a proxy. */
  readonly #forwarding = new Set<string>()

  constructor(
    settings: Pick<Settings<never>, 'resolver' | 'header' | 'clientIp' | 'redact'>,
    permissiveTrust: string,
    framework: FrameworkTrust<Request> | undefined
  ) {
    this.#settings = settings
    this.#wording = { permissiveTrust, header: settings.header, isRedacted: settings.redact !== undefined }
    this.#framework = framework
  }

  /** The header that is read, by the guard or by the framework. */
  get #header(): string {
    return this.#settings.header ?? FRAMEWORK_HEADER
  }

  /** A request without a client IP that can be relied on. */
  unresolved(failure: Failure, incoming: Incoming): Rejection {
    const reason = failure.reason === 'permissive-trust' ? failure.reason : 'unresolved'
    return { reason, hint: this.#unresolvedHint(failure, incoming) }
  }

  #unresolvedHint(failure: Failure, incoming: Incoming): string {
    const { peer, headers } = incoming
    const header = this.#header
    const isMissing = failure.reason === 'header-missing'
    if (failure.reason === 'no-peer' && peer === UNIX_PEER) {
      return this.#settings.resolver.settings.trustUnix
        ? unixWithoutHeader(header, forwardedHeaders(headers, header))
        : unixNotTrusted(header, this.#trustFix('unix', { why: 'a unix socket has no address that it could list' }))
    }
    const present = isMissing ? forwardedHeaders(headers, header) : []
    return isMissing && present.length > 0
      ? otherHeaderPresent(header, present)
      : unresolvedHint(failure, incoming, this.#wording)
  }

  /**
   * Why a client is not let through, by its set of grants.
   *
   * @param incoming null where there is no request, but the address alone
   * @param request undefined where the framework does not handle it
   */
  of(
    policy: Policy,
    set: number,
    client: ParsedAddress,
    incoming: Incoming | null,
    request: Request | undefined
  ): Rejection {
    const rejection = policy.rejection(policy.accepts(set) ? UNLISTED : set, client)
    return rejection.reason === 'not-listed' ? this.#unlisted(rejection, client, incoming, request) : rejection
  }

  /** An unlisted client that is part of the receiver's own set-up, as far as that can be seen; `rejection` otherwise. */
  #unlisted(
    rejection: Rejection,
    client: ParsedAddress,
    incoming: Incoming | null,
    request: Request | undefined
  ): Rejection {
    const { set, isTrusted } = this.#standing(client)
    const clientIp = client.toString()
    // May run a function of the user's, after which the client is another one.
    const setting = this.#settingThatTrusts(request, incoming)
    if (setting !== undefined) remember(this.#trusted, clientIp)
    if (set !== 0 || isTrusted || setting !== undefined) {
      return this.#ofOwnSetUp(
        clientIp,
        { set, isTrusted: isTrusted || setting !== undefined, setting },
        incoming,
        request
      )
    }
    const forwards = rejection.isOnPage ? undefined : this.#furtherSender(clientIp, incoming ?? NO_REQUEST)
    return forwards === undefined ? rejection : namingSender(rejection, clientIp, forwards)
  }

  #ofOwnSetUp(
    clientIp: string,
    {
      set,
      isTrusted,
      setting
    }: { readonly set: number; readonly isTrusted: boolean; readonly setting: string | undefined },
    incoming: Incoming | null,
    request: Request | undefined
  ): Rejection {
    const { peer, headers, peerHeader } = incoming ?? NO_REQUEST
    const isPeer = isSameAddress(peer, clientIp)
    const grants = notableAddresses().grantsOf(set)
    const purpose = purposeAmong(grants)
    const header = this.#header
    const placeIn = (name: string) =>
      furtherSenders([[name, headerText(headers, name) ?? '']], clientIp, () => false)[0]!
    const isOfBalancer = (name: string) => isPeer && name === peerHeader && placeIn(name) === 'none'
    const present = forwardedHeaders(headers, header).filter((name) => isTrusted || !isOfBalancer(name))
    return unlisted({
      client: clientIp,
      isPeer,
      isTrusted,
      setting,
      about: purpose?.about,
      isInternal: purpose?.isInternal === true,
      isTranslated: purpose?.isTranslated === true,
      isPseudo: purpose?.isPseudo === true,
      provider: providerAmong(grants),
      header,
      isRequestKnown: incoming !== null,
      present,
      hasHopBefore: placeIn(header) === 'left-of-client',
      trustFix: (proxy) => this.#trustFix(proxy, this.#reachOf(request, incoming, present)),
      pasted: this.#wording.isRedacted ? null : clientIp
    })
  }

  /** What names a further sender behind a public client, as the object of "the request carries"; undefined where nothing does. */
  #furtherSender(clientIp: string, incoming: Incoming): string | undefined {
    // What a function of the user's reads is not known.
    if (typeof this.#settings.clientIp === 'function') return undefined
    const present = forwardedHeaders(incoming.headers, this.#header, SENDER_HEADERS)
    // Most strangers send none.
    return present.length === 0 ? undefined : this.#namedBeside(clientIp, incoming, present)
  }

  #namedBeside(clientIp: string, { peer, headers }: Incoming, present: readonly string[]): string | undefined {
    const texts = present.map((name) => [name, headerText(headers, name)!] as const)
    // Most are named alone: to look further would cost as much as the rest of the rejection.
    if (texts.every(([, text]) => text === clientIp)) return undefined
    // Behind a trusted proxy, one of the proxies in front may be named instead.
    const isPeer = isSameAddress(peer, clientIp)
    const isKnown = (hop: ParsedAddress) => !isPeer && isStanding(this.#standing(hop))
    const found = furtherSenders(texts, clientIp, isKnown).flatMap((place, i) => {
      if (place === 'none') return []
      return [`${BESIDE[place](clientIp)} in ${present[i]}`]
    })
    return found.length === 0 ? undefined : found.join(' and ')
  }

  /** What to do about a rejected client that seems to be one's own proxy, as the end of a sentence. */
  proxyFix(clientIp: string): string {
    const { set, isTrusted } = this.#standingOf(clientIp)
    const isOfFramework = this.#trusted.has(clientIp)
    if (isTrusted && !isOfFramework) {
      return 'set clientIp.header to the one header that it writes itself by its configuration; one that it passes on, anybody can write.'
    }
    const provider = providerAmong(notableAddresses().grantsOf(set))
    if (provider !== undefined && !writesHeader(provider, this.#header)) return unfitHeader(provider, this.#header)
    const trustFix = this.#trustFix(provider ?? clientIp, isOfFramework ? 'other-header' : 'unknown')
    const fix = provider === undefined ? trustFix : withBeside(trustFix, provider)
    return `${this.#settings.clientIp === 'request.ip' ? `add it to clientIp.trustedProxies: ${fix}` : fix} ${ONLY_YOURS}`
  }

  /** How to make a proxy known. */
  #trustFix(proxy: string | null, reach: Reach): string {
    return trustFix(proxy, this.#settings.clientIp, this.#framework, { reach, header: this.#header })
  }

  /** Whether the framework's setting applies to a request. */
  #reachOf(request: Request | undefined, incoming: Incoming | null, present: readonly string[]): Reach {
    if (incoming === null) return 'unknown'
    const framework = this.#framework
    if (framework?.handles(request, incoming) === false) return { why: framework.whyUnhandled(request) }
    return present.includes(this.#header) ? 'applies' : 'other-header'
  }

  /** The framework's setting, where it resolved the client IP and trusts that client as a proxy. */
  #settingThatTrusts(request: Request | undefined, incoming: Incoming | null): string | undefined {
    const framework = this.#framework
    if (framework === undefined || incoming === null || this.#settings.clientIp !== 'request.ip') return undefined
    if (!framework.handles(request, incoming)) return undefined
    try {
      return framework.trustsClient(request!) ? framework.setting : undefined
    } catch (error) {
      // Of the leftmost hop the framework did not ask the user's function, which may fail for it.
      drop(error)
      return undefined
    }
  }

  /** Whether an address is part of the receiver's own set-up, so that an unlisted client with it is not MoEngage. */
  isOwn(clientIp: string): boolean {
    return this.#forwarding.has(clientIp) || isStanding(this.#standingOf(clientIp))
  }

  /** A rejection of which it is known whether the request carries the secret. */
  withSecret(rejection: Rejection, carriesSecret: boolean, clientIp: string | null): Rejection {
    if (carriesSecret && rejection.forwards !== undefined) remember(this.#forwarding, clientIp!)
    return withSecret(rejection, carriesSecret)
  }

  #standingOf(clientIp: string): { set: number; isTrusted: boolean } {
    const client = new ParsedAddress()
    client.parse(clientIp, 0, clientIp.length)
    const { set, isTrusted } = this.#standing(client)
    return { set, isTrusted: isTrusted || this.#trusted.has(clientIp) }
  }

  #standing(client: ParsedAddress): { set: number; isTrusted: boolean } {
    return { set: notableAddresses().lookup(client), isTrusted: this.#settings.resolver.trusts(client) }
  }
}

function remember(addresses: Set<string>, clientIp: string): void {
  if (addresses.size === MAX_REMEMBERED) addresses.clear()
  addresses.add(clientIp)
}

const isStanding = ({ set, isTrusted }: { readonly set: number; readonly isTrusted: boolean }) => set !== 0 || isTrusted

function isSameAddress(peer: string | null | undefined, client: string): boolean {
  const address = new ParsedAddress()
  return typeof peer === 'string' && parsePeer(peer, address) === null && address.toString() === client
}
