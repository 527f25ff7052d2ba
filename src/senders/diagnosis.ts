import { parseAddress } from '../ip/address.js'
import { type Reason, totalOf } from '../verdict/verdict.js'
import { openOf } from './open.js'
import { type Place, type PlacesContext, placesOf, routesText, stanceOf, wideningOf } from './places.js'
import type { Sender, SenderQuery } from './senders.js'

/** What a diagnosis is made of. */
export interface Findings extends PlacesContext {
  /** Whether MoEngage's list verified a request; null where that is not known. */
  readonly hasVerified: boolean | null
  /** The rejections that are open. */
  readonly rejected: Readonly<Record<Reason, number>>
  /** How many rejections there are, with those that are not open; where this is left out, all are open. */
  readonly total?: number
  /** How many of the rejections for `not-listed` came from addresses that are, or may be, of the receiver's own set-up. */
  readonly own: number
  /** Rejected senders, those with the highest counts first. */
  readonly senders: (query: SenderQuery & Required<Pick<SenderQuery, 'reason'>>) => readonly Sender[]
  /** Whether more senders came than are remembered. */
  readonly isCrowd: boolean
  /** What to do about an address that seems to be one's own proxy, as the end of a sentence. */
  readonly proxyFix?: (clientIp: string) => string
  /** How the senders are denied that are denied, behind "is". */
  readonly deniedBy?: string
  /**
   * Whether what the rejections for a reason have in common is left out: something else says it already, or it is over. Senders are
   * named nevertheless.
   */
  readonly isLeftOut?: (reason: Reason) => boolean
}

/** How the sentences begin that are said while MoEngage's list verified no request; your own `allow` may have. */
export const NEVER_VERIFIED = "No request was ever verified by MoEngage's list"

/** A count as a person writes it. */
export const counted = (count: number, word: string): string => `${number(count)} ${word}${count === 1 ? '' : 's'}`

const number = (count: number) => count.toLocaleString('en-US')

/** A cause of rejections, with one sentence that says what to do: about all of them, or about each of the loudest senders. */
type Cause = {
  /** The reason of the rejections that it explains. */
  readonly reason: Reason
  /** Whether it is likely. Where this is left out, one rejection for the reason is enough. */
  readonly isLikely?: (findings: Findings) => boolean
} & (CauseOfAll | CauseOfSender)

interface CauseOfAll {
  /** `count` is "2 rejections", `share` is "2 of 12 rejections". */
  readonly sentence: (count: string, share: string, findings: Findings) => string
}

interface CauseOfSender {
  /** Which senders are named. */
  readonly only?: SenderQuery['only']
  /** `named` is "192.0.2.1 (2 rejections)", `share` is "2 of 12 rejections". */
  readonly sentenceOf: (sender: Sender, named: string, share: string, findings: Findings) => string
}

/** Maximum number of senders that are named for one cause. */
const NAMED = 3

/** From this many rejections on, a crowd of senders is a flood. */
const FLOOD = 10_000

/** What has to be so before a proxy is trusted: a stranger can send through one, too. */
export const ONLY_YOURS = 'Do so only if it stands in front of your server: what a trusted proxy writes is believed.'

/** What to do about a proxy of which nothing but its address is known: what is read of it decides whether it can be trusted. */
const followHint = () => 'follow the hint in the log.'

/** How a sender is denied, where that is not known. */
export const DENIED_BY = 'in your deny list or denied by an override'

/** Whether `redactAddress` shortened an address or replaced it, so that it must not be pasted anywhere. */
export const isRedacted = (clientIp: string) => parseAddress(clientIp) === undefined

const dataCentersOf = ({ listedFor }: Sender) => listedFor.map(({ dataCenter }) => dataCenter).join(', ')

/** All causes, the most serious first. */
const CAUSES: readonly Cause[] = [
  {
    reason: 'permissive-trust',
    sentence: (_, share) =>
      `${share}: the framework believes everybody's forwarded header, so no client IP can be relied on; list your proxies' ` +
      'addresses in its trust setting, or in clientIp.trustedProxies.'
  },
  {
    reason: 'proxy-not-configured',
    sentenceOf: ({ clientIp }, _, share, { proxyFix = followHint }) =>
      `${share} came from ${clientIp}, which seems to be your own proxy: ` +
      (isRedacted(clientIp) ? followHint() : proxyFix(clientIp))
  },
  {
    reason: 'other-data-center',
    sentenceOf: (sender, named, _, findings) => {
      const own = dataCentersOf(sender)
      if (own === '') {
        return (
          `${named} was MoEngage's, of a data center that you do not accept: compare dataCenters with the data center ` +
          'of your workspace.'
        )
      }
      const { stance, fix } = otherDataCenter(sender, findings)
      return `${named} is MoEngage ${own}, ${stance}: if your workspace is in ${own}, ${fix}.`
    }
  },
  {
    reason: 'other-channel',
    sentenceOf: (sender, _, __, findings) => {
      const { clientIp, routes, listedFor } = sender
      const where = routes.length > 0 ? ` on ${routes.join(', ')}` : ''
      const places = placesOf('other-channel', [sender], findings)
      const there = places.some(({ isGuard }) => isGuard)
        ? ''
        : places.map((place) => ` on ${routesText(place, 'that route')}`).join('')
      const cells = listedFor
        .map(({ dataCenter, channels }) => `${dataCenter} ${channels.join(', ')}`.trim())
        .join('; ')
      const publishedFor = cells === '' ? 'for channels that you do not accept' : `for ${cells}`
      return (
        `${clientIp} (${counted(openOf(sender).reasons['other-channel']!, 'rejection')}${where}) is MoEngage's ${publishedFor}: MoEngage may ` +
        `use any address of a data center, so consider channels: 'all'${there}.`
      )
    }
  },
  {
    reason: 'stale-list',
    sentence: (_, share) =>
      `${share}: the list is stale, and rejectWhenStale is set; make sure that the list is reloaded.`
  },
  {
    reason: 'denied',
    only: 'listedFor',
    sentenceOf: (sender, named, _, { deniedBy = DENIED_BY }) =>
      `${named} is ${deniedBy}, and MoEngage publishes it for ${dataCentersOf(sender)}.`
  },
  {
    reason: 'unresolved',
    sentence: (_, share) =>
      `${share} had no client IP that can be relied on: the hint in the log says what is wrong with the header or the ` +
      'connection.'
  },
  {
    reason: 'not-listed',
    only: 'removed',
    sentenceOf: ({ clientIp, removed }, named) =>
      `${named} was removed from MoEngage's page, as seen on ${removed}: ask MoEngage's support whether it still calls from ` +
      (isRedacted(clientIp)
        ? 'there, and accept the address until it does not. redactAddress hides it here; onVerdict receives it in full.'
        : 'there, and add it to allow until it does not.')
  },
  {
    reason: 'not-listed',
    isLikely: ({ hasVerified, rejected, own }) => hasVerified === false && rejected['not-listed'] > own,
    sentence: (_, __, { rejected, own }) =>
      `${NEVER_VERIFIED}: are static IPs enabled for this channel? Only MoEngage's support can tell, and until ` +
      'then genuine requests may be among those from addresses that are not listed ' +
      `(${counted(rejected['not-listed'] - own, 'rejection')}).`
  },
  {
    reason: 'not-listed',
    isLikely: ({ hasVerified, rejected, own }) => hasVerified === false && rejected['not-listed'] === own,
    sentence: (count) =>
      `${NEVER_VERIFIED}, and ${count} came from addresses of your own network or of a provider in front of it, or that may be of a proxy, or that ` +
      'nobody on the internet has: the hint in the log says what each of them is, and how to mend a proxy that hides the senders.'
  },
  {
    reason: 'not-listed',
    isLikely: ({ isCrowd, rejected }) => isCrowd && rejected['not-listed'] >= FLOOD,
    sentence: (count) =>
      `${count} are of more senders than are remembered, from addresses that are not listed: a flood rather than missing ` +
      'webhooks; what `moengage-allowlist export` prints for your proxy or firewall keeps it away from this server.'
  }
]

/** What accepts another data center than a sender's, and what to do there if the workspace is in it. */
function otherDataCenter(sender: Sender, findings: Findings): { stance: string; fix: string } {
  const { dataCenters } = findings
  const isAccepted = sender.listedFor.every(({ dataCenter }) => dataCenters.includes(dataCenter))
  const places = placesOf('other-data-center', [sender], findings)
  if (places.length > 0) {
    const stance = places.map(stanceOf).join(', ')
    const [place] = places as [Place]
    return {
      stance: isAccepted ? `which you accept, but ${stance}` : stance,
      fix:
        places.length > 1
          ? 'add it to dataCenters in each of them'
          : place.isGuard
            ? 'add it to dataCenters'
            : wideningOf(place)
    }
  }
  if (dataCenters.length === 0) return { stance: 'which you do not accept', fix: 'add it to dataCenters' }
  if (isAccepted)
    return { stance: 'which you accept, but a route does not', fix: 'add it to the dataCenters of that route' }
  return { stance: `you accept ${dataCenters.join(', ')}`, fix: 'add it to dataCenters' }
}

/** Likely causes of the rejections, each in one sentence that says what to do; the most serious first. */
export function diagnose(findings: Findings): string[] {
  const { rejected, senders, isLeftOut = () => false } = findings
  const { total = totalOf(rejected) } = findings
  const likely = CAUSES.filter(({ reason, isLikely }) => rejected[reason] > 0 && isLikely?.(findings) !== false)
  return likely.flatMap((cause) => {
    const { reason } = cause
    if ('sentence' in cause) {
      if (isLeftOut(reason)) return []
      return [cause.sentence(counted(rejected[reason], 'rejection'), shareOf(rejected[reason], total), findings)]
    }
    const { only, sentenceOf } = cause
    return senders({ reason, limit: NAMED, only }).map((sender) => {
      const count = openOf(sender).reasons[reason]!
      const named = `${sender.clientIp} (${counted(count, 'rejection')})`
      return sentenceOf(sender, named, shareOf(count, total), findings)
    })
  })
}

function shareOf(count: number, total: number): string {
  if (count !== total) return `${number(count)} of ${counted(total, 'rejection')}`
  return count === 1 ? 'The only rejection' : `All ${counted(total, 'rejection')}`
}
