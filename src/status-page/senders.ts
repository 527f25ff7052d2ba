import { html } from 'ghtml'
import { notableAddresses, providerAmong, purposeAmong } from '../client-ip/notable.js'
import { pasteFor } from '../evidence/findings.js'
import type { Replica } from '../guard/fleet.js'
import { originOf } from '../ip/special.js'
import { openOf } from '../senders/open.js'
import { dataCentersWith } from '../senders/places.js'
import type { Sender } from '../senders/senders.js'
import { REASONS, type Reason, totalOf } from '../verdict/verdict.js'
import { type Cell, tableOf } from './document.js'
import { listed, number, plural, REASON_WORDS, serversText, timeAgo, timeTag } from './words.js'

/** What to do about a sender, and the option to paste for it. */
interface Advice {
  readonly text: string
  readonly code?: string
}

/** An advice with an option to paste; there is none where it would hold a redacted address. */
const paste = (text: string, code: string | null): Advice =>
  code === null ? { text: `${text}.` } : { text: `${text}:`, code }

const UNPROVEN: Advice = {
  text: 'Another server reports it, which is no proof: before you let it in, look at the log or the page of that server.'
}
/** What has become of a sender that has no open rejections, or none of this server; null of the others. */
export type End = {
  readonly settled: 'accepted' | 'trusted'
  /** The other servers that have some, and run. */
  readonly elsewhere: readonly Pick<Replica, 'host' | 'pid'>[]
} | null

/** The same where nothing but the sender is known. */
export const endOf = (sender: Sender): End =>
  totalOf(openOf(sender).reasons) > 0 ? null : { settled: 'accepted', elsewhere: [] }

const SETTLED = {
  accepted: { alone: 'It is accepted by now', here: 'This server accepts it by now' },
  trusted: { alone: 'It is a trusted proxy by now', here: 'This server trusts it as a proxy by now' }
}

function ofSettled({ settled, elsewhere }: NonNullable<End>): Advice {
  if (elsewhere.length === 0) return { text: `${SETTLED[settled].alone}: do nothing.` }
  return { text: `${SETTLED[settled].here}; ${serversText(elsewhere)} rejected it, and would again: see its page.` }
}

/** Behind a proxy that is let in, everybody is. */
const IF_KNOWN = 'If you know the sender, and it is no proxy of yours, let it in'

/** What advice depends on, besides the sender. */
interface Surroundings {
  /** The data centers that are accepted. */
  readonly dataCenters: readonly string[]
  /** Whether MoEngage's list verified a request, as far as that is known. */
  readonly hasVerified: boolean
}

const ADVICE: Readonly<Record<Reason, (sender: Sender, surroundings: Surroundings) => Advice>> = {
  'not-listed': (sender, { hasVerified }) => {
    const { clientIp, removed, isOwn } = sender
    const allow = pasteFor([clientIp])
    if (removed !== null)
      return paste(`MoEngage’s until ${removed}. Let it in while MoEngage still calls from there`, allow)
    const notable = notableAddresses().match(clientIp)
    const purpose = purposeAmong(notable)
    if (purpose !== undefined) return { text: `The address ${purpose.about}: ${originOf(purpose)}.` }
    if (providerAmong(notable) !== undefined) return ofProxy(clientIp)
    if (isOwn)
      return { text: 'Of your own network or a proxy, which hides the sender: follow the hint in the server’s log.' }
    if (totalOf(openOf(sender).withSecret) > 0)
      return paste('MoEngage, from an address that the list lacks. Unless a proxy of yours has it, let it in', allow)
    if (!hasVerified) return paste(`A stranger, or MoEngage without static IPs. ${IF_KNOWN}`, allow)
    return paste(`A stranger: do nothing. ${IF_KNOWN}`, allow)
  },
  'other-data-center': ({ listedFor }, { dataCenters }) => {
    const own = listedFor.map(({ dataCenter }) => dataCenter)
    if (own.length > 0 && own.every((name) => dataCenters.includes(name))) {
      return {
        text: `A route does not accept ${listed(own)}, which you accept elsewhere: the first answers say how to widen it.`
      }
    }
    const customer = `Another customer of MoEngage, or your workspace is in ${listed(own) || 'another data center'}. If it is,`
    // What it was published for before it left the list is not known.
    return dataCenters.length === 0 || own.length === 0
      ? { text: `${customer} add it to dataCenters.` }
      : paste(`${customer} accept it`, dataCentersWith(dataCenters, own))
  },
  'other-channel': () => paste('MoEngage may use any address of a data center. Accept all of them', `channels: 'all'`),
  'stale-list': () => ({ text: 'The list is stale: load a newer one. The warning about it says how.' }),
  denied: () => ({ text: 'Your deny list or an override denies it. If it should get in, remove it there.' }),
  unresolved: () => ({ text: 'The hint in the server’s log names the header that is wrong.' }),
  'proxy-not-configured': ({ clientIp }) => ofProxy(clientIp),
  'permissive-trust': () => ({ text: 'List your proxies’ addresses in the framework’s trust setting.' })
}

/** A proxy, of the receiver or of anybody. How it is made known depends on the header that is read: a wrong setting lets strangers in. */
function ofProxy(clientIp: string): Advice {
  const provider = providerAmong(notableAddresses().match(clientIp))
  const whose = provider === undefined ? 'It' : `An address of ${provider}, which`
  return {
    text:
      `${whose} forwards requests of others: never let it in. If it stands in front of your server, follow the hint in the server’s log, ` +
      'which says how to make it known.'
  }
}

/** How many of a sender's rejected requests carried your secret. */
const secretsOf = ({ withSecret }: Sender): number => totalOf(withSecret)

/** The reasons of a sender, the most frequent first. */
function reasonsOf({ reasons }: Pick<Sender, 'reasons'>): Reason[] {
  return REASONS.filter((reason) => reasons[reason] !== undefined).sort((a, b) => reasons[b]! - reasons[a]!)
}

/** What the table of senders is made for. */
export interface SendersView extends Surroundings {
  readonly senders: readonly Sender[]
  /** What has become of a sender. */
  readonly settled: (sender: Sender) => End
  /** Addresses that nothing but a report is known of, which anybody may have written. */
  readonly unproven: ReadonlySet<string>
  /** The time of the page; null for a report, whose times are those of a log. */
  readonly now: number | null
}

/** Rejected senders, with what to do about each. */
export function sendersTable({ senders, settled, unproven, now, ...surroundings }: SendersView): string {
  const time = (at: number) => (at === 0 ? 'unknown' : now === null ? timeTag(at) : timeAgo(at, now))
  const rows = senders.map((sender): Cell[] => {
    const reasons = reasonsOf(sender)
    const secrets = secretsOf(sender)
    const end = settled(sender)
    const advice =
      end !== null
        ? ofSettled(end)
        : unproven.has(sender.clientIp)
          ? UNPROVEN
          : ADVICE[reasonsOf(openOf(sender))[0]!](sender, surroundings)
    const cells = sender.listedFor.map(({ dataCenter, channels }) =>
      channels.length > 4 ? `${dataCenter}, ${channels.length} channels` : `${dataCenter} ${channels.join(', ')}`.trim()
    )
    return [
      sender.clientIp,
      number(sender.count),
      [
        ...reasons.map((reason) => REASON_WORDS[reason]),
        ...(secrets > 0 ? [`${plural(secrets, 'request')} with your secret`] : [])
      ].join('; '),
      cells.length === 0 ? 'nothing' : cells.join('; '),
      { html: time(sender.firstSeen) },
      { html: time(sender.lastSeen) },
      sender.routes.join(' ') || '–',
      { html: html`${advice.text}!${advice.code === undefined ? '' : html` <code>${advice.code}</code>`}` }
    ]
  })
  const header = ['Sender', 'Requests', 'Why', 'MoEngage publishes it for', 'First', 'Last', 'Routes', 'What to do']
  return tableOf({ caption: 'Rejected senders', header, rows, isCards: true })
}
