import { html } from 'ghtml'
import { notableAddresses, providerAmong, purposeAmong } from '../client-ip/notable.js'
import { parseAddress } from '../ip/address.js'
import { originOf } from '../ip/special.js'
import type { Sender } from '../senders/senders.js'
import { REASONS, type Reason, totalOf } from '../verdict/verdict.js'
import { type Cell, tableOf } from './document.js'
import { listed, number, plural, REASON_WORDS, timeAgo, timeTag } from './words.js'

/** What to do about a sender, and the option to paste for it. */
interface Advice {
  readonly text: string
  readonly code?: string
}

/** An advice with an option to paste; there is none where it would hold a redacted address. */
const paste = (text: string, code: string | undefined): Advice =>
  code === undefined ? { text: `${text}.` } : { text: `${text}:`, code }

const listOption = (name: string, { clientIp }: Sender) =>
  parseAddress(clientIp) === undefined ? undefined : `${name}: ['${clientIp}']`

/** An address from which a provider forwards requests of anybody. */
const ofProvider = (name: string) =>
  paste(
    `An address of ${name}, from which anybody’s requests come: never let it in. If it stands in front of your server, trust it`,
    `clientIp: { trustedProxies: ['${name}'] }`
  )

const ADVICE: Readonly<Record<Reason, (sender: Sender, dataCenters: readonly string[]) => Advice>> = {
  'not-listed': (sender) => {
    const { clientIp, removed } = sender
    const allow = listOption('allow', sender)
    if (removed !== null)
      return paste(`MoEngage’s until ${removed}. Let it in while MoEngage still calls from there`, allow)
    const notable = notableAddresses().match(clientIp)
    const purpose = purposeAmong(notable)
    if (purpose !== undefined) return { text: `The address ${purpose.about}: ${originOf(purpose)}.` }
    const provider = providerAmong(notable)
    if (provider !== undefined) return ofProvider(provider)
    if (secretsOf(sender) > 0) return paste('MoEngage, from an address that the list lacks. Let it in', allow)
    return paste('A stranger: do nothing. If you know the sender, let it in', allow)
  },
  'other-data-center': ({ listedFor }, dataCenters) => {
    const own = listedFor.map(({ dataCenter }) => dataCenter)
    const names = [...new Set([...dataCenters, ...own])].map((name) => `'${name}'`).join(', ')
    const customer = `Another customer of MoEngage, or your workspace is in ${listed(own) || 'another data center'}. If it is,`
    return dataCenters.length === 0
      ? { text: `${customer} add it to dataCenters.` }
      : paste(`${customer} accept it`, `dataCenters: [${names}]`)
  },
  'other-channel': () => paste('MoEngage may use any address of a data center. Accept all of them', `channels: 'all'`),
  'stale-list': () => paste('Update the list', 'npm update moengage-allowlist'),
  denied: () => ({ text: 'Your deny list or an override denies it. If it should get in, remove it there.' }),
  unresolved: () => ({ text: 'The hint in the server’s log names the header that is wrong.' }),
  'proxy-not-configured': (sender) => {
    const provider = providerAmong(notableAddresses().match(sender.clientIp))
    if (provider !== undefined) return ofProvider(provider)
    const proxies = listOption('trustedProxies', sender)
    return paste('Your own proxy. Trust it', proxies === undefined ? undefined : `clientIp: { ${proxies} }`)
  },
  'permissive-trust': () => ({ text: 'List your proxies’ addresses in the framework’s trust setting.' })
}

/** How many of a sender's rejected requests carried your secret. */
const secretsOf = ({ withSecret }: Sender): number => totalOf(withSecret)

/** The reasons of a sender, the most frequent first. */
function reasonsOf({ reasons }: Sender): Reason[] {
  return REASONS.filter((reason) => reasons[reason] !== undefined).sort((a, b) => reasons[b]! - reasons[a]!)
}

/** What the table of senders is made for. */
export interface SendersView {
  readonly senders: readonly Sender[]
  /** The data centers that are accepted. */
  readonly dataCenters: readonly string[]
  /** The time of the page; null for a report, whose times are those of a log. */
  readonly now: number | null
}

/** Rejected senders, with what to do about each. */
export function sendersTable({ senders, dataCenters, now }: SendersView): string {
  const time = (at: number) => (at === 0 ? 'unknown' : now === null ? timeTag(at) : timeAgo(at, now))
  const rows = senders.map((sender): Cell[] => {
    const reasons = reasonsOf(sender)
    const secrets = secretsOf(sender)
    const advice = ADVICE[reasons[0]!](sender, dataCenters)
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
  return tableOf({ caption: 'Senders that were turned away', header, rows, isCards: true })
}
