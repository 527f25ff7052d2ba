import { html } from 'ghtml'
import type { CanReject, Genuine } from '../report/conclusion.js'
import { spanText } from '../report/histogram.js'
import type { Rejections, Report } from '../report/report.js'
import { answersOf, moreSenders } from '../report/sentences.js'
import { REASONS } from '../verdict/verdict.js'
import { findingPart } from './answers.js'
import { chartPart } from './chart.js'
import { documentOf, listOf, STATIC_POLICY, sectionOf, tableOf } from './document.js'
import { sendersTable } from './senders.js'
import { number, plural, REASON_WORDS, timeTag } from './words.js'

type Tone = 'good' | 'bad' | 'wait'

const GENUINE: Readonly<Record<Genuine['answer'], readonly [tone: Tone, sentence: string]>> = {
  yes: ['bad', 'Genuine requests were turned away.'],
  likely: ['bad', 'Requests that were turned away are probably genuine.'],
  possible: ['wait', 'Requests that were turned away may be genuine.'],
  no: ['good', 'Nothing genuine was turned away.'],
  unclear: ['wait', 'The log does not say whether anything genuine was turned away.']
}

const CAN_REJECT: Readonly<Record<CanReject['answer'], readonly [tone: Tone, sentence: string]>> = {
  yes: ['good', 'You can switch to “reject”.'],
  no: ['bad', 'Do not switch to “reject” yet.'],
  unclear: ['wait', 'Whether you can switch to “reject” depends on what is said below.']
}

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

function statePart(report: Report): string {
  const { diagnosis, doubts, evidence } = report
  const states = statesOf(report)
  const tones = [
    ...states.map(([tone]) => tone),
    ...(diagnosis.length > 0 ? ['bad'] : []),
    ...(doubts.length > 0 ? ['wait'] : [])
  ]
  const tone = (['bad', 'wait'] as const).find((tone) => tones.includes(tone)) ?? 'good'
  const mark = { good: '✓', bad: '!', wait: '…' }[tone]
  const actions = diagnosis.length > 0 ? html`<h2>What to do</h2>!${listOf(diagnosis)}` : ''
  const doubtful = doubts.length > 0 ? html`<h2>Counts may be too low</h2>!${listOf(doubts)}` : ''
  return html`<div class="state !${tone}">
<p><span class="mark" aria-hidden="true">${mark}</span> <span>${states.map(([, sentence]) => sentence).join(' ')}</span></p>
!${actions}!${evidence.map(findingPart)}!${doubtful}
</div>`
}

function statesOf({ genuine, canReject, lines }: Report): (readonly [tone: Tone, sentence: string])[] {
  if (lines.own === 0) {
    return [
      ['wait', lines.unreadable > 0 ? 'No line about senders could be read.' : 'The log says nothing about senders.']
    ]
  }
  return [
    ...(genuine === null ? [] : [GENUINE[genuine.answer]]),
    ...(canReject === null ? [] : [CAN_REJECT[canReject.answer]])
  ]
}

/** A count of which nothing may be known: a zero is one only where nothing is missing. */
const countOf = (count: number | null, isUnsure: boolean) =>
  count === null || (count === 0 && isUnsure) ? 'unknown' : number(count)

/** Whether there may be rejections that are counted nowhere, or whose mode is unknown. */
const mayLackRejections = ({ doubts, unlogged }: Report) => doubts.length > 0 || unlogged.total > 0

function answersPart(report: Report): string {
  const { verified, verifiedByAllow, rejected, tagged, doubts } = report
  const byAllow = verifiedByAllow ? `${number(verifiedByAllow)} of them by your own “allow”.` : ''
  const answers: [question: string, answer: string, detail: string][] = [
    ['Accepted', countOf(verified, doubts.length > 0), byAllow],
    ['Turned away', countOf(rejected.total, mayLackRejections(report)), '']
  ]
  if (tagged.total > 0) {
    answers.push(['Let through by mode “tag”', number(tagged.total), 'They would be turned away.'])
  }
  for (const { question, answer, evidence } of answersOf(report)) answers.push([question, answer, evidence.join(' ')])
  const items = answers.map(
    ([question, answer, detail]) => html`<div><dt>${question}</dt><dd>${answer}</dd><dd>${detail}</dd></div>`
  )
  return html`<dl class="answers">!${items.join('\n')}</dl>`
}

function sectionsOf(report: Report) {
  const { senders, verified, verifiedByAllow, histogram, firstUnreadable, rejected, tagged, unlogged, doubts } = report
  const nobody = doubts.length > 0 ? 'No rejection was counted.' : 'Nobody was turned away.'
  const bars = histogram.bars.map(({ from, count }) => ({ from: Date.parse(from), verified: 0, rejected: count }))
  const [first, last] = [bars[0], bars.at(-1)].map((bar) => (bar === undefined ? '' : utc(bar.from)))
  const table = {
    senders,
    dataCenters: [],
    hasVerified: (verified ?? 0) > (verifiedByAllow ?? 0),
    settled: () => null,
    unproven: new Set<string>(),
    now: null
  }
  const named: [title: string, counts: Rejections][] = [
    ['Turned away', rejected],
    ['Let through by mode “tag”', tagged],
    ['Counted by summaries only', unlogged]
  ]
  return [
    {
      id: 'senders',
      title: 'Who was rejected',
      body: html`!${senders.length === 0 ? '' : sendersTable(table)}!${besidesOf(report).map((sentence) => html`<p>${sentence}</p>`)}`
    },
    {
      id: 'reasons',
      title: 'Why',
      body:
        named
          .filter(([, { total }]) => total > 0)
          .map(reasonsTable)
          .join('') || html`<p>${nobody}</p>`
    },
    {
      id: 'time',
      title: 'Requests over time',
      body:
        bars.length === 0
          ? html`<p>${named.every(([, { total }]) => total === 0) ? nobody : 'No rejection has a time.'}</p>`
          : chartPart({
              title: `Rejected, one bar for ${spanText(histogram.width, 1)}`,
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

/** What is known of senders that are not in the table. */
function besidesOf(report: Report): string[] {
  const { senders, withoutSender, doubts } = report
  const more = moreSenders(report)
  const besides = [
    ...(more === '' ? [] : [more]),
    ...(withoutSender === 0 ? [] : [`${plural(withoutSender, 'request')} without a known sender besides.`])
  ]
  if (senders.length > 0 || besides.length > 0) return besides
  return [`No sender is named in ${doubts.length > 0 ? 'what was read of the log' : 'the log'}.`]
}

const utc = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

function reasonsTable([title, { byReason }]: [title: string, counts: Rejections]): string {
  const rows = REASONS.filter((reason) => byReason[reason] > 0)
    .sort((a, b) => byReason[b] - byReason[a])
    .map((reason) => [REASON_WORDS[reason], number(byReason[reason])])
  return html`<h3>${title}</h3>!${tableOf({ caption: title, header: ['Why', 'Requests'], rows })}`
}
