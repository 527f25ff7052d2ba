import { spanText } from '../report/histogram.js'
import type { Rejections, Report } from '../report/report.js'
import { answersOf, moreSenders } from '../report/sentences.js'
import { counted } from '../senders/diagnosis.js'
import { REASONS } from '../verdict/verdict.js'
import { printable, type Style, table } from './text.js'

const number = (count: number) => count.toLocaleString('en-US')
/** ISO 8601 without seconds. */
const minute = (time: string) => time.slice(0, 16).replace('T', ' ')

/** A report in words. Texts of the log may be hostile, and are made printable. */
export function reportText(report: Report, style: Style): string {
  const { from, to, rejected, tagged, unlogged, diagnosis, notes } = report
  const sections = [
    linesText(report),
    from === null || to === null ? '' : `From ${minute(from)} to ${minute(to)} UTC.`,
    notes.map(printable).join('\n'),
    verifiedText(report),
    reasonsText('Rejected', rejected),
    reasonsText('Let through by mode "tag", and would be rejected', tagged),
    reasonsText('Counted by summaries only: without a line, and so without a sender', unlogged),
    sendersText(report),
    histogramText(report),
    listText('Likely causes', diagnosis),
    doubtsText(report, style),
    ...answersOf(report).map(({ question, answer, evidence }) =>
      listText(`${question} ${printable(answer)}`, evidence)
    ),
    report.lines.own === 0 ? '' : pasteText(report)
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

function verifiedText({ verified, verifiedByAllow }: Report): string {
  if (verified === null) return ''
  const byAllow = verifiedByAllow ? `, ${number(verifiedByAllow)} of them by your own "allow"` : ''
  return `Verified: ${number(verified)}${byAllow}`
}

function linesText({ lines: { read, own, unreadable }, unwrapped }: Report): string {
  const broken = unreadable > 0 ? `, ${number(unreadable)} more that could not be read` : ''
  const from = unwrapped.map(({ wrapping, records }) => `${printable(wrapping)} (${number(records)})`)
  return [
    `${counted(read, 'line')}, ${number(own)} of them about senders${broken}.`,
    ...(from.length > 0 ? [`Unwrapped: ${from.join('; ')}.`] : [])
  ].join('\n')
}

function reasonsText(title: string, { total, byReason }: Rejections): string {
  if (total === 0) return ''
  const rows = REASONS.filter((reason) => byReason[reason] > 0)
    .sort((a, b) => byReason[b] - byReason[a])
    .map((reason) => [`  ${reason}`, number(byReason[reason])])
  return `${title}: ${number(total)}\n${table(rows)}`
}

function sendersText(report: Report): string {
  const { senders, withoutSender } = report
  const without =
    withoutSender === 0
      ? ''
      : `${number(withoutSender)} more without a known sender: the log counts them without an address.`
  const besides = [moreSenders(report), without].filter((sentence) => sentence !== '').join('\n')
  if (senders.length === 0) return besides
  const rows = senders.map((sender) => [
    `  ${printable(sender.clientIp)}`,
    number(sender.count),
    Object.keys(sender.reasons).join(', '),
    sender.listedFor.map(({ dataCenter }) => dataCenter).join(', ') || '-',
    sender.lastSeen === 0 ? '-' : minute(new Date(sender.lastSeen).toISOString()),
    sender.routes.map(printable).join(' ')
  ])
  const head = ['  sender', 'count', 'reason', 'listed', 'last seen', 'routes']
  return `Senders:\n${table([head, ...rows])}${besides === '' ? '' : `\n${besides}`}`
}

const BAR = 40

function histogramText({ histogram: { width, bars } }: Report): string {
  if (bars.length === 0) return ''
  const most = Math.max(...bars.map(({ count }) => count))
  const rows = bars.map(({ from, count }) => [
    `  ${minute(from)}`,
    '#'.repeat(Math.max(1, Math.round((BAR * count) / most))),
    number(count)
  ])
  return `Rejections, a bar for ${spanText(width, 1)} (UTC):\n${table(rows)}`
}

function doubtsText({ doubts, firstUnreadable }: Report, style: Style): string {
  const text = listText(style('yellow', 'The counts may be too low:'), doubts)
  if (firstUnreadable === null) return text
  return `${text}\n  The first line that could not be read (${firstUnreadable.advice}):\n    ${printable(firstUnreadable.text)}`
}

/** The findings that name something to paste, or to send. */
function pasteText({ evidence }: Report): string {
  const parts = evidence.flatMap(({ paste, ticket }) => [
    ...(paste === null ? [] : [`Paste into the options of the guard:\n  ${printable(paste)}`]),
    ...(ticket === null
      ? []
      : [
          `Send to MoEngage's support:\n${ticket
            .split('\n')
            .map((line) => `  ${printable(line)}`.trimEnd())
            .join('\n')}`
        ])
  ])
  return parts.join('\n\n')
}

function listText(title: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `${title}\n${items.map((item) => `  - ${printable(item)}`).join('\n')}`
}
