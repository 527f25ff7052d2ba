import { html } from 'ghtml'
import { tableOf } from './document.js'
import type { Bar } from './samples.js'
import { number, plural, timeTag } from './words.js'

/** A chart of requests over time. */
export interface Chart {
  /** What it shows: "Requests by minute". */
  readonly title: string
  readonly bars: readonly Bar[]
  /** Number of bars that there is room for; the last one is at the right. */
  readonly room: number
  /** What stands below the left and the right end. */
  readonly ends: readonly [first: string, last: string]
  /** Whether accepted requests are known; a report knows rejections only. */
  readonly hasVerified: boolean
}

const WIDTH = 720
/** The height of either side of the axis at its highest bar. */
const SIDE = 60

/** Accepted requests above the axis, rejected ones below, so that it can be read without colours; and the same as a table. */
export function chartPart({ title, bars, room, ends, hasVerified }: Chart): string {
  const most = Math.max(0, ...bars.flatMap(({ verified, rejected }) => [verified, rejected]))
  const total = (side: 'verified' | 'rejected') => bars.reduce((sum, bar) => sum + bar[side], 0)
  const accepted = `${plural(total('verified'), 'request')} accepted, `
  const label = `${title}: ${hasVerified ? accepted : ''}${number(total('rejected'))} rejected; ${number(most)} at most in one bar.`
  const axis = hasVerified ? SIDE : 0
  const step = WIDTH / room
  const rect = (side: 'verified' | 'rejected', i: number, count: number) => {
    // One request among many thousands is seen as well.
    const height = Math.max(2, Math.round((SIDE * count) / most))
    const x = (room - bars.length + i) * step
    const y = side === 'verified' ? axis - height : axis
    return html`<rect class="!${side}" x="${(x + 1).toFixed(1)}" y="${y}" width="${(step - 2).toFixed(1)}" height="${height}"/>`
  }
  const rects = bars.flatMap(({ verified, rejected }, i) => [
    ...(verified > 0 ? [rect('verified', i, verified)] : []),
    ...(rejected > 0 ? [rect('rejected', i, rejected)] : [])
  ])
  const rows = bars
    .filter(({ verified, rejected }) => verified + rejected > 0)
    .map(({ from, verified, rejected }) => [
      { html: timeTag(from) },
      ...(hasVerified ? [number(verified)] : []),
      number(rejected)
    ])
  const header = ['From', ...(hasVerified ? ['Accepted'] : []), 'Rejected']
  const table =
    rows.length === 0
      ? ''
      : html`<details><summary>${title}, as a table</summary>!${tableOf({ caption: title, header, rows })}</details>`
  return html`<h3>${title}</h3>
<svg class="chart" viewBox="0 0 ${WIDTH} ${axis + SIDE}" preserveAspectRatio="none" role="img" aria-label="${label}">
!${rects}
<line class="axis" x1="0" x2="${WIDTH}" y1="${axis}" y2="${axis}"/>
</svg>
<div class="ends"><span>${ends[0]}</span><span>${ends[1]}</span></div>
!${hasVerified ? KEY : ''}
<p class="small quiet">${label}</p>
!${table}`
}

const KEY = html`<ul class="key"><li><span class="verified"></span>accepted, above the line</li><li><span class="rejected"></span>rejected, below it</li></ul>`
