import type { Rejections, Report } from '../report/report.js'
import { spanText } from '../report/span.js'
import { REASONS } from '../verdict/verdict.js'
import { printable, table } from './text.js'

const number = (count: number) => count.toLocaleString('en-US')
/** ISO 8601 without seconds. */
const minute = (time: string) => time.slice(0, 16).replace('T', ' ')

/** A report for a person. What came out of the log may be anything, and is made printable. */
export function reportText(report: Report): string {
  const { lines, from, to, verified, rejected, tagged, diagnosis, canReject } = report
  const sections = [
    `${number(lines.read)} lines, ${number(lines.own)} of them about senders${lines.broken > 0 ? `, ${number(lines.broken)} broken` : ''}${
      lines.tooLong > 0 ? `, ${number(lines.tooLong)} too long` : ''
    }.`,
    from === null || to === null ? 'No line tells a time.' : `From ${minute(from)} to ${minute(to)} UTC.`,
    verified === null ? 'No summary tells how many requests were verified.' : `Verified: ${number(verified)}`,
    reasonsText('Rejected', rejected),
    reasonsText('Let through by mode "tag", and would be rejected', tagged),
    sendersText(report),
    histogramText(report),
    listText('Likely causes', diagnosis),
    listText(`Can I switch to "reject"? ${ANSWERS[canReject.answer]}`, canReject.evidence)
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

const ANSWERS = { yes: 'Yes.', no: 'Not yet.', unclear: 'That depends.' }

function reasonsText(title: string, { total, byReason }: Rejections): string {
  if (total === 0) return ''
  const rows = REASONS.filter((reason) => byReason[reason] > 0)
    .sort((a, b) => byReason[b] - byReason[a])
    .map((reason) => [`  ${reason}`, number(byReason[reason])])
  return `${title}: ${number(total)}\n${table(rows)}`
}

function sendersText({ senders, withoutSender }: Report): string {
  const without = withoutSender === 0 ? '' : `${number(withoutSender)} rejections are of no sender that the log names.`
  if (senders.length === 0) return without
  const rows = senders.map((sender) => [
    `  ${printable(sender.clientIp)}`,
    number(sender.count),
    Object.keys(sender.reasons).join(', '),
    sender.listedFor.map(({ dataCenter }) => dataCenter).join(', ') || '-',
    sender.lastSeen === 0 ? '-' : minute(new Date(sender.lastSeen).toISOString()),
    sender.routes.map(printable).join(' ')
  ])
  const head = ['  sender', 'count', 'reason', 'listed', 'last seen', 'routes']
  return `Senders:\n${table([head, ...rows])}${without === '' ? '' : `\n${without}`}`
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

function listText(title: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `${title}\n${items.map((item) => `  - ${printable(item)}`).join('\n')}`
}
