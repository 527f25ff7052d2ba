import { type Incoming, TEST_PEER } from '../client-ip/incoming.js'
import { isProxyName } from '../client-ip/trusted-proxies.js'
import type { Failure } from '../client-ip/unresolved.js'
import type { Grant } from '../directory/directory.js'
import { quoted } from '../lib/text.js'
import type { Reason, Rejection, VerdictOverride } from './verdict.js'

const list = (names: Iterable<string>) => [...new Set(names)].join(', ')

export function notListed(revision: string, retrieved: string): string {
  return (
    `The address is not on MoEngage's list of ${retrieved} (revision ${revision}). If the request is genuine: has MoEngage ` +
    'enabled static IPs for this channel, and has its list changed since?'
  )
}

/** Of an address in rows of the page whose data center or channel this version does not know. */
export function unknownRow(
  rows: readonly { readonly dataCenter: string; readonly name: string }[],
  revision: string,
  retrieved: string
): string {
  const names = list(rows.map(({ dataCenter, name }) => `${quoted(name)} of ${quoted(dataCenter)}`))
  return (
    `The address is on MoEngage's list of ${retrieved} (revision ${revision}), as ${names}, which this version of moengage-allowlist ` +
    'does not know, so no option accepts it by name. Update moengage-allowlist; until then, add the address to "allow" only if your ' +
    'workspace is in that data center and uses that channel.'
  )
}

export function staleList(revision: string, checked: string): string {
  return (
    `The address is on the list, but the list is stale: it was last checked on ${checked} (revision ${revision}), and ` +
    'rejectWhenStale is set. Load a newer one.'
  )
}

export function otherDataCenter(grants: readonly Grant[], accepted: readonly string[]): string {
  const own = list(grants.map((grant) => grant.dataCenter))
  return (
    `The address is MoEngage's, but of ${own}; this route accepts ${accepted.join(', ')}. If your workspace is in ${own}, ` +
    'add it to "dataCenters": the route\'s, or the guard\'s where the route sets none.'
  )
}

export function otherChannel(grants: readonly Grant[], accepted: readonly string[]): string {
  return (
    `The address is of your data center, but published for ${list(grants.map((grant) => grant.channel))}; this route ` +
    `accepts ${accepted.join(', ')}. MoEngage may use any address of a data center: consider channels: 'all'.`
  )
}

export const DENIED = 'The address is in your "deny" list.'

/** What the secret says about a rejection, in front of its hint. */
const WITH_SECRET: Readonly<Record<Reason, string>> = {
  // Of an address of one's own.
  'not-listed':
    'The request carries your secret, so it is a test of your own, or a proxy hides its sender: do not add the address to "allow".',
  'other-data-center':
    'The request carries your secret: MoEngage calls from a data center that this route does not accept.',
  'other-channel': "The request carries your secret, so it is MoEngage's call to you.",
  'stale-list': "The request carries your secret, so MoEngage's call is rejected for the age of the list alone.",
  denied: 'The request carries your secret, and a rule of your own rejects it: remove the address there.',
  unresolved:
    "The request carries your secret, so MoEngage's call is rejected for the way in which it reaches your server.",
  'proxy-not-configured':
    'The request carries your secret, so a proxy hides its sender: do not add the address to "allow".',
  'permissive-trust': 'The request carries your secret, and its address cannot be relied on.'
}

const LIST_AGED =
  'The request carries your secret and is not listed: MoEngage calls from an address that the list lacks, or static addresses are ' +
  'not enabled for this channel. Add the address to "allow", unless a proxy of yours has it, and ask MoEngage\'s support.'

const HIDES_SENDER =
  'so a proxy may hide its sender, or MoEngage sends that header from an address that the list lacks. Do not add the address to ' +
  '"allow" before you know that no proxy has it: behind one, that would let everybody in.'

/** A rejection of which it is known whether the request carries the secret. */
export function withSecret(rejection: Rejection, carriesSecret: boolean): Rejection {
  const { reason, hint, isOwn, isOnPage, forwards } = rejection
  const isUnlisted = reason === 'not-listed' && isOwn !== true
  if (!carriesSecret)
    return isUnlisted ? { ...rejection, hint: `${hint} The request does not carry your secret.` } : rejection
  if (forwards !== undefined) {
    return { reason, hint: `The request carries your secret and ${forwards}, ${HIDES_SENDER}`, isOwn: true }
  }
  if (isOnPage)
    return { ...rejection, hint: `The request carries your secret, so it is MoEngage's call to you. ${hint}` }
  return { ...rejection, hint: isUnlisted ? LIST_AGED : `${WITH_SECRET[reason]} ${hint}` }
}

/** What is said of a verified request that does not carry the secret. */
export function withoutSecret(dataCenter: string | null): string {
  const whose = dataCenter === null ? 'in your "allow" list' : `MoEngage's, of ${dataCenter}`
  const other = dataCenter === null ? 'its sender does not send it' : 'another customer of MoEngage calls you'
  return (
    `The address is ${whose}, and the request does not carry your secret: ${other}, or the secret was not entered for this channel. ` +
    'The request was let through.'
  )
}

export function deniedByOverride({ id, until, note }: VerdictOverride): string {
  const end = until === null ? 'until it is removed' : `until ${until}`
  return `The address is denied by the override ${id}, ${end}${note === null ? '' : `: ${note}`}.`
}

/** What the sentences about an unresolved client IP depend on, besides the request. */
export interface ClientIpWording {
  /** The header that our resolver reads; null where the framework or a function resolves the client IP. */
  readonly header: string | null
  /** What is said where the framework believes everybody. */
  readonly permissiveTrust: string
  /** Whether addresses are redacted in logs: then no sentence holds a text that others wrote, or an address to paste. */
  readonly isRedacted: boolean
}

type Origin = Pick<Incoming, 'peer' | 'noPeer'>

type Sentence = (wording: ClientIpWording & Origin & { readonly name: string }, failure: Failure) => string

const NO_PEER =
  'The connection has no address: it was closed early, or the server got a unix socket with TLS as a file descriptor. Let such a server ' +
  'listen on the path of the socket.'

const SENTENCES: Readonly<Record<Failure['reason'], Sentence>> = {
  'no-peer': ({ noPeer }) => noPeer ?? NO_PEER,
  'invalid-peer': ({ isRedacted, peer }) =>
    `${isRedacted ? 'The peer' : quoted(`${peer}`)} is not an IP address. Pass the peer as its socket reports it (remoteAddress), without a ` +
    'name or a port.',
  'header-missing': ({ name }) =>
    `A trusted proxy sent no ${name}, which requireHeader demands: it made the request itself, such as a health check (which belongs on a ` +
    `route without the guard), or the header was removed on the way, or the proxy does not write it. ${chosenBehind(name)}`,
  'invalid-entry': ({ name }) =>
    `An entry of ${name} that decides is malformed: what your proxy wrote there is not an address.`,
  'hidden-client': ({ name }) => `A trusted proxy keeps the client's address to itself ("unknown" or "_…" in ${name}).`,
  'several-addresses': ({ name }) =>
    `${name} holds one address, but came with several: your proxy must replace what clients send.`,
  'too-many-hops': ({ name }) => `${name} names more than 32 trusted proxies in a row: somebody forges them.`,
  'too-many-headers': () =>
    'The request has as many header lines as the server keeps, or a thousand, so the line that your proxy wrote may be missing. ' +
    'No sender of MoEngage sends that many.',
  'no-answer': () => 'request.ip or your clientIp function returned nothing, so the client IP is unknown.',
  'invalid-answer': () =>
    'What request.ip or your clientIp function returned is not an address (does it carry a port?). ' +
    'clientIp: { trustedProxies: [...] } reads what proxies write.',
  'promise-answer': () =>
    'Your clientIp function returned a promise; it must return the address itself. Remove "async" from it, and look up what it ' +
    'needs before the request comes.',
  'failed-answer': ({ isRedacted }, { detail }) =>
    isRedacted
      ? 'request.ip or your clientIp function threw an error. Its message may hold an address, so redactAddress leaves it out: catch and ' +
        'log the error in the function.'
      : `request.ip or your clientIp function threw: ${detail}`,
  'not-asked': () =>
    'Your clientIp function was not called: it takes requests, and this is a connection, or a peer with headers, without one. Judge ' +
    'those by a guard without the function.',
  'permissive-trust': ({ permissiveTrust }) => permissiveTrust
}

const OVER_UNIX = 'The request came over a unix socket, which has no address'

const API_GATEWAY_TEST =
  'The request was made by the test of API Gateway\'s console, which writes "test-invoke-source-ip" in place of an address. Call the deployed ' +
  'stage over the internet instead.'

/** Why there is no client IP that can be relied on, in one or two sentences. */
export function unresolvedHint(failure: Failure, { peer, noPeer }: Origin, wording: ClientIpWording): string {
  if (failure.reason === 'invalid-peer' && peer === TEST_PEER) return API_GATEWAY_TEST
  const { header } = wording
  return SENTENCES[failure.reason]({ ...wording, name: header ?? 'the forwarded header', peer, noPeer }, failure)
}

/** What follows where a trusted proxy does not write the header that is read, of which a request without it is a sign. */
export const chosenBehind = (header: string) =>
  `As long as a trusted proxy does not write ${header} itself, each of its clients can send ${header} and so choose its own address.`

const BEFORE_ANOTHER_HEADER =
  'the proxy writes that header, or it passes on what its client wrote: look into its configuration before you'

/**
 * What is known of another forwarded header than the one that is read: a client can write one that its proxy passes on, and the guard
 * would then read what every client chooses.
 */
export const PASSED_ON = `${BEFORE_ANOTHER_HEADER} set clientIp.header to the one header that the proxy itself writes`

/** The same of a proxy that the framework trusts. */
export function passedOnBeside(setting: string): string {
  return `${BEFORE_ANOTHER_HEADER} ${withOtherHeader('...', setting)}`
}

/** How to read a proxy that the framework's setting cannot make known. Which header it writes itself, the request does not show. */
const withOtherHeader = (items: string, setting: string) =>
  `pass clientIp: { trustedProxies: [${items}], header: '...' } with all of your proxies and the one header that the proxy itself writes, ` +
  `since ${setting} reads ${FRAMEWORK_HEADER} alone`

/** `header-missing` where another forwarded header is there. */
export function otherHeaderPresent(header: string, present: readonly string[]): string {
  return (
    `A trusted proxy sends ${present.join(' and ')}, and no ${header}, which requireHeader demands, with this request. ` +
    eitherHeader(header)
  )
}

/** A request over a unix socket that is not trusted. */
export const unixNotTrusted = (header: string, trustFix: string) =>
  `${OVER_UNIX}. If your proxy connects there, let it set ${header} itself, and ${trustFix}`

/** A request over a unix socket that is trusted, without the header that is read. */
export function unixWithoutHeader(header: string, present: readonly string[]): string {
  return present.length === 0
    ? `${OVER_UNIX}, and your proxy, which is trusted, sent no ${header}: let it set that header. ${chosenBehind(header)}`
    : `${OVER_UNIX}, and your proxy, which is trusted, sends ${present.join(' and ')}, not ${header}. ${eitherHeader(header)}`
}

const eitherHeader = (header: string) =>
  `Either ${PASSED_ON}; if it writes none, let it set ${header}. ${chosenBehind(header)}`

/** The setting by which a framework is given the proxies that it trusts. */
export interface TrustSetting {
  /** Its name: `Fastify's trustProxy`. */
  readonly setting: string
  /** What else to know about it, in parentheses with a space before them; may be empty. */
  readonly note: string
  /** What it applies to, as in "for requests that Fastify handles". */
  readonly handled: string
}

/** The one header that the settings of frameworks read. */
export const FRAMEWORK_HEADER = 'x-forwarded-for'

/** Whether the framework's setting applies to a request; `unknown` where there is an address alone. */
export type Reach = 'applies' | 'other-header' | 'unknown' | { readonly why: string }

const REDACTED = 'redactAddress hides the address in the log; the verdict has it in full.'

/**
 * How to make a proxy known, by the way in which the client IP is resolved. Of a framework's setting only the framework knows what it trusts
 * already, so all proxies have to be named where an object takes its place.
 *
 * @param proxy its address or name as it may be pasted; null where `redactAddress` shortens or replaces it, since a shortened one trusts a
 * whole network
 */
export function trustFix(
  proxy: string | null,
  clientIp: unknown,
  framework: TrustSetting | undefined,
  { reach, header }: { readonly reach: Reach; readonly header: string }
): string {
  if (typeof clientIp === 'function') return 'let your clientIp function read the header of that proxy.'
  const isKnown = proxy !== null && isProxyName(proxy)
  const fix =
    clientIp !== 'trusted-proxies' && framework !== undefined
      ? besideSetting(proxy, framework, reach)
      : inTrustedProxies(proxy, clientIp === 'trusted-proxies', { reach: isKnown ? 'applies' : reach, header })
  return proxy === null ? `${fix} ${REDACTED}` : fix
}

/** A provider is known to write the header that is read. Of another proxy a request shows what it sends, and not what it writes itself. */
function inTrustedProxies(
  proxy: string | null,
  isSet: boolean,
  { reach, header }: { readonly reach: Reach; readonly header: string }
): string {
  const isOther = reach === 'other-header'
  const option = isSet
    ? 'clientIp.trustedProxies'
    : `clientIp: { trustedProxies: [${proxy === null ? '...' : `'${proxy}'`}]${isOther ? ", header: '...'" : ''} }`
  const fix =
    proxy === null ? `list its address in ${option}` : isSet ? `add '${proxy}' to ${option}` : `pass ${option}`
  if (!isOther) return reach === 'unknown' ? `${fix}, if the proxy writes ${header} itself.` : `${fix}.`
  return (
    `${fix}${isSet ? ', and set clientIp.header to' : ' with'} the one header that the proxy itself writes; if it writes none, let it set ` +
    `${header} first.`
  )
}

function besideSetting(proxy: string | null, { setting, note, handled }: TrustSetting, reach: Reach): string {
  const it = proxy === null ? 'its address' : isProxyName(proxy) ? 'its addresses' : 'it'
  const items = proxy === null ? '...' : `'${proxy}', ...`
  const object = `pass clientIp: { trustedProxies: [${items}] } with all of your proxies, since it replaces`
  if (reach === 'applies') return `list ${it} in ${setting}${note}, or ${object} that setting.`
  if (reach === 'other-header') return `${withOtherHeader(items, setting)}.`
  if (reach === 'unknown') {
    const condition = `if the proxy writes ${FRAMEWORK_HEADER}`
    return `${object} ${setting}, or, for ${handled}, list ${it} in that setting${note}, ${condition}.`
  }
  return `${object} ${setting}, which does not apply to this request: ${reach.why}.`
}
