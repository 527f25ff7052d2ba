import { senderHeaderOf, writesHeader } from '../client-ip/trusted-proxies.js'
import { chosenBehind, PASSED_ON, passedOnBeside } from './hints.js'
import type { Reason, Rejection } from './verdict.js'

/** What the guard knows about a client that is not listed, and that looks like part of the receiver's own set-up. */
export interface UnlistedFacts {
  /** The client IP in canonical text. */
  readonly client: string
  /** Whether the client is the peer itself, and not an address out of a header. */
  readonly isPeer: boolean
  /** Whether the client is a trusted proxy. */
  readonly isTrusted: boolean
  /** What the address is set aside for, as a sentence goes on: "is a private address"; undefined where it is public. */
  readonly about: string | undefined
  /** Whether hosts of one's own network have such addresses. */
  readonly isInternal: boolean
  /** Whether a translator or a tunnel shows an IPv4 host by such an address. */
  readonly isTranslated: boolean
  /** Whether Cloudflare's Pseudo IPv4 shows an IPv6 visitor by such an address. */
  readonly isPseudo: boolean
  /** The provider whose published address it is. */
  readonly provider: string | undefined
  /** The framework's setting by which the client is a trusted proxy; undefined where our resolver trusts it, or nobody does. */
  readonly setting: string | undefined
  /** The header that is read, or should be where nothing is known of what a function reads. */
  readonly header: string
  /** Whether there is a request, and not the address alone: then nothing is known of headers and hops. */
  readonly isRequestKnown: boolean
  /** The forwarded headers that the request carries, but for one in which a load balancer wrote an untrusted client alone. */
  readonly present: readonly string[]
  /** Whether the list of hops names another one left of the client, which the client forwarded the request for. */
  readonly hasHopBefore: boolean
  /** How to make a proxy known, as the end of a sentence. */
  readonly trustFix: (proxy: string | null) => string
  /** The client as it may be pasted; null where addresses are redacted in logs. */
  readonly pasted: string | null
}

/** One row of the table: when it applies, and what is said then. */
interface Row {
  readonly name: string
  readonly applies: (facts: UnlistedFacts) => boolean
  readonly reason: Extract<Reason, 'not-listed' | 'proxy-not-configured'>
  readonly hint: (facts: UnlistedFacts) => string
}

/** Also where a load balancer wrote its client into a header. */
const NAMES_NOBODY = 'the request carries no forwarded header that names a sender behind it'

const readsHeader = ({ header, present }: UnlistedFacts) => present.includes(header)

/** What a proxy has to be before it is trusted: one that passes a header on hands over what clients wrote. */
const writesItself = ({ header }: UnlistedFacts) =>
  `one that writes ${header} itself (what a trusted proxy passes on is believed as well)`

/** How a proxy behind a provider hands on the sender in the header that is read. */
function handingOn(facts: UnlistedFacts, provider: string): string {
  const name = facts.header
  if (name === 'x-forwarded-for') return `hand on what ${provider} sends (nginx with $proxy_add_x_forwarded_for)`
  const { header, recipe } = senderHeaderOf(provider)
  if (name === header) return `pass on ${name} as ${provider} sends it`
  return `write into ${name} the sender that ${provider} names in ${header}; ${recipe} says when that can be relied on`
}

/** What to do where a provider stands in front of the server. */
function providerFix(facts: UnlistedFacts, provider: string): string {
  const { header, isPeer, isRequestKnown, trustFix } = facts
  if (writesHeader(provider, header)) return withBeside(trustFix(provider), provider)
  if (isRequestKnown && !isPeer) return `let the proxy behind it ${handingOn(facts, provider)}.`
  return unfitHeader(provider, header)
}

/** How to make a provider known, and what else has to be trusted beside it. */
export function withBeside(fix: string, provider: string): string {
  const { beside } = senderHeaderOf(provider)
  return beside === undefined ? fix : `${fix} ${beside}`
}

/** What to do about a provider that passes on the header which is read: trusted, it would let every client choose its address. */
export function unfitHeader(provider: string, header: string): string {
  const { header: own, recipe } = senderHeaderOf(provider)
  return (
    `if ${provider} connects to your server itself, read ${own}, which ${provider} writes itself, as ${recipe} shows; if a proxy of yours ` +
    `stands between, let that one write the sender into ${header}. Do not trust ${provider} beside ${header}, which it passes on as clients ` +
    'send it.'
  )
}

/** Who made a request whose header names proxies alone. Whether a hop hides the sender cannot be seen in the request itself. */
function fromProxiesAlone(facts: UnlistedFacts): string {
  const { client, provider } = facts
  return provider === undefined
    ? `made from inside your network, for example by a health check or by a test on the machine itself, or a hop wrote ${client} in ` +
        'place of the sender (SNAT, as by a load balancer that does not preserve the client IP or by externalTrafficPolicy: Cluster; ' +
        '$remote_addr of nginx behind another proxy). If requests from outside look like this, a hop did: let it keep the sender.'
    : `made from ${provider}'s own network, or a proxy behind ${provider} wrote ${client} in place of the sender (nginx with ` +
        `$remote_addr). If requests from outside look like this, a proxy did: let it ${handingOn(facts, provider)}.`
}

/**
 * What an unlisted client is, in the order in which the rows are tried. MoEngage is not mentioned in any of them: no such
 * request can have come from there.
 */
export const UNLISTED_ROWS: readonly Row[] = [
  {
    name: 'a trusted proxy, of which no request is known',
    applies: ({ isTrusted, isRequestKnown }) => isTrusted && !isRequestKnown,
    reason: 'not-listed',
    hint: (facts) =>
      `${facts.client} is one of your trusted proxies, and no sender: if its requests carry ${facts.header} with addresses of your ` +
      `proxies alone, they were ${fromProxiesAlone(facts)} If they carry another forwarded header, which the log calls ` +
      `proxy-not-configured, ${PASSED_ON}; if they carry none, let the proxy set ${facts.header}, and set clientIp.requireHeader to ` +
      'true.'
  },
  {
    name: "a provider's address, of which no request is known",
    applies: ({ provider, isRequestKnown }) => provider !== undefined && !isRequestKnown,
    reason: 'not-listed',
    hint: (facts) =>
      `${facts.client} is an address of ${facts.provider}: if its requests carry no forwarded header, they come from ${facts.provider}'s ` +
      'own network, and not from a sender behind it; if they carry one, which the log calls proxy-not-configured, every sender looks like ' +
      `${facts.provider}, and if ${facts.provider} stands in front of your server: ${providerFix(facts, facts.provider!)}`
  },
  {
    name: 'an internal address, of which no request is known',
    applies: ({ isInternal, isRequestKnown }) => isInternal && !isRequestKnown,
    reason: 'not-listed',
    hint: (facts) =>
      `${facts.client} ${facts.about}: if its requests carry no forwarded header, they were made in your own network, or your proxy ` +
      `(Docker's bridge, for example) has to set ${facts.header} and to be trusted; if they carry one, which the log calls ` +
      `proxy-not-configured, every sender looks like ${facts.client}, and if it is your proxy: ` +
      facts.trustFix(facts.pasted)
  },
  {
    name: 'every hop is a trusted proxy',
    applies: (facts) => facts.isTrusted && readsHeader(facts),
    reason: 'not-listed',
    hint: (facts) =>
      `Every address in ${facts.header} is one of your proxies, ${facts.client} the first of them: the request was ` +
      fromProxiesAlone(facts)
  },
  {
    name: 'a trusted proxy sends another header',
    applies: ({ isTrusted, present }) => isTrusted && present.length > 0,
    reason: 'proxy-not-configured',
    hint: (facts) =>
      `The trusted proxy ${facts.client} sends ${facts.present.join(' and ')}, not ${facts.header}, with this request, so its sender ` +
      `looks like ${facts.client}. Either ${facts.setting === undefined ? PASSED_ON : passedOnBeside(facts.setting)}; if it writes none, let it set ${facts.header}. ` +
      chosenBehind(facts.header)
  },
  {
    name: 'a trusted proxy sends no header',
    applies: ({ isTrusted }) => isTrusted,
    reason: 'not-listed',
    hint: (facts) =>
      `The trusted proxy ${facts.client} forwards no client address: let it set ${facts.header}` +
      `${facts.setting === undefined ? ', and set clientIp.requireHeader to true' : ''}. If ${facts.client} made the request itself, ` +
      `it is not a sender. ${chosenBehind(facts.header)}`
  },
  {
    name: "a provider's proxy that is not trusted",
    applies: ({ provider, present }) => provider !== undefined && present.length > 0,
    reason: 'proxy-not-configured',
    hint: (facts) =>
      `${facts.client} is an address of ${facts.provider} and the request carries a forwarded header, so every sender looks like ` +
      `${facts.provider}. If ${facts.provider} stands in front of your server: ${providerFix(facts, facts.provider!)}`
  },
  {
    name: "a provider's address without a sender behind it",
    applies: ({ provider }) => provider !== undefined,
    reason: 'not-listed',
    hint: ({ client, provider }) =>
      `${client} is an address of ${provider}, and ${NAMES_NOBODY}: it comes from ${provider}'s own ` +
      'network, and not from a sender behind it.'
  },
  {
    name: 'an internal peer that forwards',
    applies: ({ isInternal, isPeer, present }) => isInternal && isPeer && present.length > 0,
    reason: 'proxy-not-configured',
    hint: (facts) =>
      `${facts.client} is an internal address and the request carries ${facts.present.join(' and ')}, so it seems to be your proxy` +
      `${readsHeader(facts) ? `, ${writesItself(facts)},` : ''} and every sender looks like ${facts.client}. If it is: ${facts.trustFix(facts.pasted)}`
  },
  {
    name: 'an internal hop in front of others',
    applies: ({ isInternal, isPeer, hasHopBefore }) => isInternal && !isPeer && hasHopBefore,
    reason: 'proxy-not-configured',
    hint: (facts) =>
      `${facts.client} is an internal address and ${facts.header} names another hop left of it, so it seems to be your proxy, ` +
      `${writesItself(facts)}, and every sender behind it looks like ${facts.client}. If it is: ${facts.trustFix(facts.pasted)}`
  },
  {
    name: 'an internal peer without a sender behind it',
    applies: ({ isInternal, isPeer }) => isInternal && isPeer,
    reason: 'not-listed',
    hint: (facts) =>
      `${facts.client} ${facts.about}, and ${NAMES_NOBODY}: it was made in your own network, or your ` +
      `proxy (Docker's bridge, for example) does not forward the client's address. Let the proxy set ${facts.header}, and ` +
      'trust its address.'
  },
  {
    name: 'an internal client',
    applies: ({ isInternal }) => isInternal,
    reason: 'not-listed',
    hint: (facts) =>
      `${facts.client} ${facts.about}: the request was made in your own network, or a proxy that is not trusted wrote its own ` +
      'address in the place of the client.'
  },
  {
    name: 'an IPv4 host behind a translator or a tunnel',
    applies: ({ isTranslated }) => isTranslated,
    reason: 'not-listed',
    hint: ({ client, about }) =>
      `${client} ${about}; the guard does not read the IPv4 address in it. Let requests reach your server, or its proxy, over IPv4 without ` +
      'a translator or a tunnel.'
  },
  {
    name: 'an IPv6 visitor with Pseudo IPv4',
    applies: ({ isPseudo }) => isPseudo,
    reason: 'not-listed',
    hint: ({ client, about }) =>
      `${client} ${about}: behind Cloudflare it is an IPv6 visitor whom Pseudo IPv4 gave an address by overwriting the header, and ` +
      'elsewhere somebody wrote it by hand.'
  },
  {
    name: 'a special-purpose address',
    // What is left.
    applies: () => true,
    reason: 'not-listed',
    hint: ({ client, about }) =>
      `${client} ${about}, so nobody on the internet sends from it: somebody wrote it by hand, in a test or in a forged header.`
  }
]

/** What an unlisted client is by the first row that applies. One does: the client is a trusted proxy, a provider's or a special address. */
export function unlisted(facts: UnlistedFacts): Rejection {
  const row = UNLISTED_ROWS.find(({ applies }) => applies(facts))!
  return { reason: row.reason, hint: row.hint(facts), isOwn: true }
}

/**
 * A public client behind which the request names a further sender: a proxy of the receiver's own, or a stranger who wrote the header.
 *
 * @param forwards see {@link Rejection}
 */
export function namingSender(rejection: Rejection, client: string, forwards: string): Rejection {
  const hint =
    `${rejection.hint} The request carries ${forwards}: if ${client} is a proxy in front of your server, every sender behind it looks ` +
    `like ${client}, and docs/recipes shows how to make it known.`
  return { reason: rejection.reason, hint, forwards }
}
