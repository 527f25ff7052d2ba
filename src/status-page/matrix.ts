import { html } from 'ghtml'
import { CHANNELS, type Channel, DATA_CENTERS, type DataCenter, rowName } from '../directory/names.js'
import type { PolicyCounts } from '../guard/counters.js'
import { totalOf } from '../verdict/verdict.js'
import { type Cell, scrolling, tableOf } from './document.js'
import type { Facts } from './facts.js'
import { channelNames, listed, number, plural } from './words.js'

/** What a policy accepts, in words. */
export function policyName({ dataCenters, channels }: Pick<PolicyCounts, 'dataCenters' | 'channels'>): string {
  const where = dataCenters.length === DATA_CENTERS.length ? 'every data center' : listed(dataCenters)
  return `${where}, ${channels.length === CHANNELS.length ? 'every channel' : channelNames(channels)}`
}

/** A name for the n-th policy: A, B, … Z, A1, B1, … */
export const policyLetter = (index: number): string =>
  `${String.fromCharCode(65 + (index % 26))}${index < 26 ? '' : Math.floor(index / 26)}`

/** MoEngage's table of addresses as its help page has it, with what came from them. */
export function matrixPart(facts: Facts): string {
  const { metrics } = facts
  const policies = metrics.verdicts
  const counts = new Map(metrics.hits.map(({ prefix, dataCenter, count }) => [`${prefix} ${dataCenter}`, count]))
  const header = DATA_CENTERS.map((dataCenter) => html`<th scope="col">${dataCenter}</th>`)
  const rows = CHANNELS.map((channel) => {
    const cells = DATA_CENTERS.map((dataCenter) => cellOf(facts, { dataCenter, channel }, counts))
    return html`<tr><th scope="row">${rowName(channel)}</th>!${cells}</tr>`
  })
  const name = 'Accepted requests by channel and data center'
  const table = html`<table class="matrix"><caption class="hidden">${name}</caption>
<thead><tr><th scope="col">Channel</th>!${header}</tr></thead>
<tbody>!${rows.join('\n')}</tbody></table>`
  return html`<p>Requests that were accepted since the server started, by what MoEngage publishes their address for. An address that
serves several channels counts in each of them. Coloured cells are accepted; the letters name the routes that accept them.</p>
!${scrolling(name, table)}
!${policiesTable(policies)}
!${silentPart(facts)}`
}

function cellOf(
  { directory, metrics }: Facts,
  { dataCenter, channel }: { readonly dataCenter: DataCenter; readonly channel: Channel },
  counts: ReadonlyMap<string, number>
): string {
  const prefixes = directory.prefixes(dataCenter, channel)
  const letters = metrics.verdicts.flatMap((policy, i) =>
    policy.dataCenters.includes(dataCenter) && policy.channels.includes(channel) ? [policyLetter(i)] : []
  )
  if (prefixes.length === 0) return html`<td>no address</td>`
  if (letters.length === 0) return html`<td>${plural(prefixes.length, 'address', 'addresses')}</td>`
  const hits = prefixes.map((prefix) => counts.get(`${prefix} ${dataCenter}`) ?? 0)
  const total = hits.reduce((sum, count) => sum + count, 0)
  const silent = hits.filter((count) => count === 0).length
  const used = `${number(prefixes.length - silent)} of ${plural(prefixes.length, 'address', 'addresses')} used`
  return html`<td class="open"><strong class="count">${number(total)}</strong> <span class="small">${used} · ${letters.join(' ')}</span></td>`
}

function policiesTable(policies: readonly PolicyCounts[]): string {
  const rows = policies.map((policy, i): Cell[] => {
    return [policyLetter(i), policyName(policy), number(policy.verified), number(totalOf(policy.rejected))]
  })
  return tableOf({
    caption: 'What routes accept',
    header: ['Letter', 'Routes that accept', 'Accepted', 'Rejected'],
    rows
  })
}

/** Addresses that never sent anything: MoEngage may have given them up, or does not use them for this workspace. */
function silentPart({ metrics }: Facts): string {
  const own = metrics.hits.filter(({ dataCenter }) => dataCenter !== null)
  const silent = own.filter(({ count }) => count === 0)
  if (silent.length === 0) return ''
  const items = silent.map(({ prefix, dataCenter }) => html`<li><code>${prefix}</code> ${dataCenter}</li>`)
  return html`<details><summary>${plural(silent.length, 'entry', 'entries')} of ${number(own.length)} without a request so far</summary>
<p>That is normal: MoEngage may use one or all of its addresses.</p>
<ul>!${items}</ul></details>`
}
