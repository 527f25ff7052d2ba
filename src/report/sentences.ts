import { counted } from '../senders/diagnosis.js'
import type { Report } from './report.js'

/** The sentences that a report has as a text and as a page. */

/** How many senders are not listed; empty if all of them are. */
export function moreSenders({ senders, moreSenders: more }: Report): string {
  if (more.rejections === 0) return ''
  const rejections = counted(more.rejections, 'rejection')
  return more.isLeast
    ? `More senders than can be remembered, with ${rejections}.`
    : `${counted(more.senders, 'more sender')} with ${rejections}: --senders ${senders.length + more.senders} lists them.`
}
