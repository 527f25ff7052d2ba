import type { Reason } from '../verdict/verdict.js'
import type { Asked, Sender } from './senders.js'

/** What a diagnosis is made of. */
export interface Findings {
  /** How many requests were verified; null where that is not known. */
  readonly verified: number | null
  readonly rejected: Readonly<Record<Reason, number>>
  /** The data centers that are accepted. */
  readonly dataCenters: readonly string[]
  /** Rejected senders, those with the highest counts first. */
  readonly senders: (asked: Asked) => readonly Sender[]
  /** Whether more senders came than are remembered. */
  readonly isCrowd: boolean
}

/** So many senders are named for one cause. */
const NAMED = 3

/** So many are searched for those with a cause. */
const SEARCHED = 100

/** How many, as a person writes it. */
export const counted = (count: number, word: string): string =>
  `${count.toLocaleString('en-US')} ${word}${count === 1 ? '' : 's'}`

/** Likely causes of the rejections, each in one sentence that says what to do; the gravest first. */
export function diagnose(findings: Findings): string[] {
  const { rejected } = findings
  const total = Object.values(rejected).reduce((sum, count) => sum + count, 0)
  const share = (count: number) =>
    count === total && count > 1
      ? `All ${counted(total, 'rejection')}`
      : count === total
        ? 'The only rejection'
        : `${count.toLocaleString('en-US')} of ${counted(total, 'rejection')}`
  return [
    ...permissive(rejected['permissive-trust'], share),
    ...proxies(findings, share),
    ...otherDataCenters(findings),
    ...otherChannels(findings),
    ...stale(rejected['stale-list'], share),
    ...denied(findings),
    ...unresolved(rejected.unresolved, share),
    ...removed(findings),
    ...neverVerified(findings),
    ...crowd(findings)
  ]
}

type Share = (count: number) => string

function permissive(count: number, share: Share): string[] {
  if (count === 0) return []
  return [
    `${share(count)}: the framework believes everybody's forwarded header, so no client IP can be relied on; list your ` +
      "proxies' addresses in its trust setting, or in clientIp.trustedProxies."
  ]
}

function proxies({ senders }: Findings, share: Share): string[] {
  return senders({ reason: 'proxy-not-configured', limit: NAMED }).map(
    ({ clientIp, reasons }) =>
      `${share(reasons['proxy-not-configured']!)} came from ${clientIp}, which seems to be your own proxy: add it to ` +
      'clientIp.trustedProxies, and set clientIp.header to the header that it writes.'
  )
}

function otherDataCenters({ senders, dataCenters }: Findings): string[] {
  return senders({ reason: 'other-data-center', limit: NAMED }).map(({ clientIp, reasons, listedFor }) => {
    const own = listedFor.map(({ dataCenter }) => dataCenter).join(', ')
    return (
      `${clientIp} (${counted(reasons['other-data-center']!, 'rejection')}) is MoEngage ${own}, you accept ` +
      `${dataCenters.join(', ')}: if your workspace is in ${own}, add it to dataCenters.`
    )
  })
}

function otherChannels({ senders }: Findings): string[] {
  return senders({ reason: 'other-channel', limit: NAMED }).map(({ clientIp, reasons, routes, listedFor }) => {
    const cells = listedFor.map(({ dataCenter, channels }) => `${dataCenter} ${channels.join(', ')}`).join('; ')
    const where = routes.length > 0 ? ` on ${routes.join(', ')}` : ''
    return (
      `${clientIp} (${counted(reasons['other-channel']!, 'rejection')}${where}) is MoEngage's for ${cells}: MoEngage may ` +
      "use any address of a data center, so consider channels: 'all'."
    )
  })
}

function stale(count: number, share: Share): string[] {
  if (count === 0) return []
  return [`${share(count)}: the list is stale, and rejectWhenStale is set; see to it that the list is loaded anew.`]
}

function denied({ senders }: Findings): string[] {
  return senders({ reason: 'denied', limit: SEARCHED })
    .filter(({ listedFor }) => listedFor.length > 0)
    .slice(0, NAMED)
    .map(
      ({ clientIp, reasons, listedFor }) =>
        `${clientIp} (${counted(reasons.denied!, 'rejection')}) is in your deny list, and MoEngage publishes it for ` +
        `${listedFor.map(({ dataCenter }) => dataCenter).join(', ')}.`
    )
}

function unresolved(count: number, share: Share): string[] {
  if (count === 0) return []
  return [
    `${share(count)} had no client IP that can be relied on: the hint in the log says what is wrong with the header or ` +
      'the connection.'
  ]
}

function removed({ senders }: Findings): string[] {
  return senders({ reason: 'not-listed', limit: SEARCHED })
    .filter((sender) => sender.removed !== null)
    .slice(0, NAMED)
    .map(
      ({ clientIp, reasons, removed }) =>
        `${clientIp} (${counted(reasons['not-listed']!, 'rejection')}) was removed from MoEngage's page, as seen on ` +
        `${removed}: ask MoEngage's support whether it still calls from there, and add it to allow until it does not.`
    )
}

function neverVerified({ verified, rejected }: Findings): string[] {
  if (verified !== 0 || rejected['not-listed'] === 0) return []
  return [
    "No request was ever verified: are static IPs enabled for this channel? Only MoEngage's support can tell, and until " +
      `then genuine requests may be among those from addresses that are not listed (${counted(rejected['not-listed'], 'rejection')}).`
  ]
}

/** So many rejections are more than a crowd of curious people. */
const FLOOD = 10_000

function crowd({ rejected, isCrowd }: Findings): string[] {
  const count = rejected['not-listed']
  if (!isCrowd || count < FLOOD) return []
  return [
    `${counted(count, 'rejection')} are of more senders than are remembered, from addresses that are not listed: a flood rather ` +
      'than missing webhooks; what `moengage-allowlist export` prints for your proxy or firewall keeps it away from this server.'
  ]
}
