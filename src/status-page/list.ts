import { html } from 'ghtml'
import { grantsText } from '../directory/about-address.js'
import type { CellChange, DirectoryDiff } from '../directory/diff.js'
import type { WatchStatus } from '../guard/status.js'
import { type Cell, tableOf } from './document.js'
import type { Facts } from './facts.js'
import { ago, listed, number, timeAgo, timeTag } from './words.js'

/** The list of addresses: which one it is, how old, where from, and what is about to change. */
export function listPart({ status, metrics, directory, now }: Facts): string {
  const { provenance, source, loadedAt, lastError, pendingRemovals, entries, watch } = status
  const facts: [name: string, text: string][] = [
    ['Source', html`<code>${source}</code>`],
    ['Page', html`${provenance.page}`],
    ['Revision', html`<code>${directory.revision}</code>`],
    ['Taken from the page', html`${provenance.retrieved}`],
    ['Last checked', html`${metrics.checked}, ${ago(now - Date.parse(metrics.checked))}`],
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
  }
!${watch === null ? '' : watchPart(watch, now)}`
}

/** What was set while the guard runs, with its end. */
export function overridesPart({ status }: Facts): string {
  const rows = status.overrides.map(({ id, allow, deny, mode, since, until, note, origin }): Cell[] => [
    [
      ...(mode === null ? [] : [`mode "${mode}"`]),
      ...(allow.length === 0 ? [] : [`accepts ${listed(allow)}`]),
      ...(deny.length === 0 ? [] : [`rejects ${listed(deny)}`])
    ].join(', '),
    until === null ? 'no end' : { html: timeTag(Date.parse(until)) },
    { html: timeTag(Date.parse(since)) },
    origin === 'fleet' ? 'all replicas' : 'this server',
    note ?? '–',
    id
  ])
  const header = ['Override', 'Ends', 'Since', 'For', 'Note', 'Id']
  if (rows.length === 0) return html`<p>None: the options of the server apply.</p>`
  return tableOf({ caption: 'Overrides in force', header, rows, isCards: true })
}

/** The source that is compared with the list in use, and what differs. */
function watchPart({ source, checkedAt, revision, differences, since, error }: WatchStatus, now: number): string {
  const facts: [name: string, text: string][] = [
    ['Watched source', html`<code>${source}</code>`],
    ['Last compared', checkedAt === null ? 'never' : timeAgo(checkedAt, now)],
    ['Its revision', revision === null ? 'unknown' : html`<code>${revision}</code>`],
    ['Differs', since === null ? 'no' : html`yes, since !${timeTag(since)}`],
    ['Last error', error === null ? 'none' : html`${error}`]
  ]
  const items = facts.map(([name, text]) => html`<dt>${name}</dt><dd>!${text}</dd>`)
  const rows = differences === null || differences.same ? [] : differenceRows(differences)
  return html`<h3>Compared with another source</h3>
<dl class="facts">!${items.join('\n')}</dl>
!${rows.length === 0 ? '' : tableOf({ caption: 'Differences', header: ['Change', 'What', 'In the list', 'In the source'], rows })}`
}

function differenceRows({ added, removed, moved, cells, unknown }: DirectoryDiff): Cell[][] {
  const kind = (cell: CellChange['from']) =>
    cell === null ? 'no row' : cell === 'NA' ? 'NA' : 'derivedFrom' in cell ? listed(cell.derivedFrom) : 'addresses'
  return [
    ...added.map(({ prefix, grants }) => ['added', prefix, '', grantsText(grants)]),
    ...removed.map(({ prefix, grants }) => ['removed', prefix, grantsText(grants), '']),
    ...moved.map(({ prefix, from, to }) => ['moved', prefix, grantsText(from), grantsText(to)]),
    ...cells.map(({ dataCenter, channel, from, to }) => ['cell', `${dataCenter} ${channel}`, kind(from), kind(to)]),
    ...unknown.map(({ dataCenter, name, from, to }) => ['unknown row', `${dataCenter} ${name}`, kind(from), kind(to)])
  ]
}
