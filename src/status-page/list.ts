import { html } from 'ghtml'
import { tableOf } from './document.js'
import type { Facts } from './facts.js'
import { ago, number, timeAgo, timeTag } from './words.js'

/** The list of addresses: which one it is, how old, where from, and what is about to change. */
export function listPart({ status, directory, now }: Facts): string {
  const { provenance, source, loadedAt, lastError, pendingRemovals, entries } = status
  const facts: [name: string, text: string][] = [
    ['Source', html`<code>${source}</code>`],
    ['Page', html`${provenance.page}`],
    ['Revision', html`<code>${directory.revision}</code>`],
    ['Taken from the page', html`${provenance.retrieved}`],
    ['Last checked', html`${directory.checked}, ${ago(now - Date.parse(directory.checked))}`],
    ['Last loaded', timeAgo(loadedAt, now)],
    ['Last error', lastError === null ? 'none' : html`${lastError}`],
    ['Entries', html`${number(entries)}, counted for every data center and channel`]
  ]
  const items = facts.map(([name, text]) => html`<dt>${name}</dt><dd>!${text}</dd>`)
  const removals = pendingRemovals.map(({ prefix, dataCenter, channel, until }) => [
    prefix,
    `${dataCenter} ${channel}`,
    { html: timeTag(Date.parse(until)) }
  ])
  const header = ['Address', 'Removed from', 'Accepted until']
  return html`<dl class="facts">!${items.join('\n')}</dl>
!${
    removals.length === 0
      ? ''
      : html`<h3>No longer on MoEngage’s page, and still accepted</h3>!${tableOf({ caption: 'Pending removals', header, rows: removals })}`
  }`
}
