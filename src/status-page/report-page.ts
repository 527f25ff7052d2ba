import { html } from 'ghtml'
import { type CanReject, GENUINE_WORDS } from '../report/conclusion.js'
import { spanText } from '../report/histogram.js'
import type { Rejections, Report } from '../report/report.js'
import { moreSenders } from '../report/sentences.js'
import { REASONS } from '../verdict/verdict.js'
import { findingPart } from './answers.js'
import { chartPart } from './chart.js'
import { documentOf, listOf, STATIC_POLICY, sectionOf, tableOf } from './document.js'
import { sendersTable } from './senders.js'
import { number, plural, REASON_WORDS, timeTag } from './words.js'

const CAN_REJECT: Readonly<Record<CanReject['answer'], string>> = { yes: 'Yes', no: 'Not yet', unclear: 'That depends' }

/** Minimum number of bars that a chart has room for, so that a single one is not as wide as the page. */
const ROOM = 24

/** The report on a log as one document without a script: it opens from a disk, and is safe whatever the log holds. */
export function reportPage(report: Report, made: Date): string {
  const { from, to, lines, notes } = report
  const span =
    from === null || to === null ? '' : html`From !${timeTag(Date.parse(from))} to !${timeTag(Date.parse(to))}. `
  return documentOf({
    title: 'MoEngage webhooks: report on a log',
    head: html`<meta http-equiv="content-security-policy" content="${STATIC_POLICY}">
`,
    body: html`<header class="top"><h1>MoEngage webhooks: report on a log</h1></header>
<main id="main">
!${statePart(report)}
!${answersPart(report)}
!${sectionsOf(report).map(sectionOf)}
</main>
<footer><p>!${span}${notes.map((note) => `${note} `).join('')}${plural(lines.read, 'line')} read, ${number(lines.own)} of them about senders. Made on !${timeTag(made.getTime())}.</p></footer>`
  })
}

function statePart({ diagnosis, doubts, genuine, canReject, lines, evidence }: Report): string {
  const isBad = genuine?.answer === 'yes' || genuine?.answer === 'likely' || canReject?.answer === 'no'
  const needsAttention = isBad || diagnosis.length > 0
  const tone = lines.own === 0 ? 'wait' : needsAttention ? 'bad' : doubts.length > 0 ? 'wait' : 'good'
  const sentence =
    lines.own === 0
      ? 'The log says nothing about senders.'
      : isBad
        ? 'Requests of this log that were not accepted are probably genuine.'
        : diagnosis.length > 0
          ? 'Something in this log needs your attention.'
          : 'Nothing in this log needs your attention.'
  const mark = { good: '✓', bad: '!', wait: '…' }[tone]
  const actions = diagnosis.length > 0 ? html`<h2>What to do</h2>!${listOf(diagnosis)}` : ''
  const doubtful = doubts.length > 0 ? html`<h2>Counts may be too low</h2>!${listOf(doubts)}` : ''
  return html`<div class="state !${tone}">
<p><span class="mark" aria-hidden="true">${mark}</span> <span>${sentence}</span></p>
!${actions}!${evidence.map(findingPart)}!${doubtful}
</div>`
}

function answersPart({ verified, rejected, tagged, genuine, canReject }: Report): string {
  const answers: [question: string, answer: string, detail: string][] = [
    ['Accepted', verified === null ? 'unknown' : number(verified), ''],
    ['Turned away', number(rejected.total), '']
  ]
  if (tagged.total > 0) {
    answers.push(['Let through by mode “tag”', number(tagged.total), 'They would be turned away.'])
  }
  if (genuine !== null) {
    answers.push(['Was any of it genuine?', GENUINE_WORDS[genuine.answer], genuine.evidence.join(' ')])
  }
  if (canReject !== null) {
    answers.push(['Can I switch to “reject”?', CAN_REJECT[canReject.answer], canReject.evidence.join(' ')])
  }
  const items = answers.map(
    ([question, answer, detail]) => html`<div><dt>${question}</dt><dd>${answer}</dd><dd>${detail}</dd></div>`
  )
  return html`<dl class="answers">!${items.join('\n')}</dl>`
}

function sectionsOf(report: Report) {
  const { senders, verified, withoutSender, histogram, firstUnreadable, rejected, tagged, unlogged } = report
  const bars = histogram.bars.map(({ from, count }) => ({ from: Date.parse(from), verified: 0, rejected: count }))
  const [first, last] = [bars[0], bars.at(-1)].map((bar) => (bar === undefined ? '' : utc(bar.from)))
  const more = moreSenders(report)
  const besides = [
    ...(more === '' ? [] : [more]),
    ...(withoutSender === 0 ? [] : [`${plural(withoutSender, 'request')} without a known sender besides.`])
  ].map((sentence) => html`<p>${sentence}</p>`)
  const named: [title: string, counts: Rejections][] = [
    ['Turned away', rejected],
    ['Let through by mode “tag”', tagged],
    ['Counted by summaries only', unlogged]
  ]
  return [
    {
      id: 'senders',
      title: 'Who was turned away',
      body: html`!${senders.length === 0 ? html`<p>No sender is named in the log.</p>` : sendersTable({ senders, dataCenters: [], hasVerified: verified !== 0, isAccepted: () => false, now: null })}!${besides}`
    },
    {
      id: 'reasons',
      title: 'Why',
      body:
        named
          .filter(([, { total }]) => total > 0)
          .map(reasonsTable)
          .join('') || html`<p>Nobody was turned away.</p>`
    },
    {
      id: 'time',
      title: 'Requests over time',
      body:
        bars.length === 0
          ? html`<p>No line has a time.</p>`
          : chartPart({
              title: `Turned away, one bar for ${spanText(histogram.width, 1)}`,
              bars,
              room: Math.max(ROOM, bars.length),
              ends: [first!, last!],
              hasVerified: false
            })
    },
    ...(firstUnreadable === null
      ? []
      : [
          {
            id: 'unreadable',
            title: 'The first line that could not be read',
            body: html`<p>${firstUnreadable.advice}</p><pre tabindex="0">${firstUnreadable.text}</pre>`
          }
        ])
  ]
}

const utc = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

function reasonsTable([title, { byReason }]: [title: string, counts: Rejections]): string {
  const rows = REASONS.filter((reason) => byReason[reason] > 0)
    .sort((a, b) => byReason[b] - byReason[a])
    .map((reason) => [REASON_WORDS[reason], number(byReason[reason])])
  return html`<h3>${title}</h3>!${tableOf({ caption: title, header: ['Why', 'Requests'], rows })}`
}
