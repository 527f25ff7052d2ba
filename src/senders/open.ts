import { type Reason, sumOf, totalOf } from '../verdict/verdict.js'
import type { RejectionsByReason, Sender } from './senders.js'

/** Of a sender without open rejections. */
export const NONE_OPEN: RejectionsByReason = Object.freeze({
  reasons: Object.freeze({}),
  withSecret: Object.freeze({})
})

/** The rejections of a sender that are open; all of them where it is not known what has been mended. */
export const openOf = (sender: Sender): RejectionsByReason => sender.open ?? sender

/** A sender with its open rejections alone. */
export function onlyOpen(sender: Sender): Sender {
  const { reasons, withSecret } = openOf(sender)
  return { ...sender, count: totalOf(reasons), reasons, withSecret }
}

/** The open rejections of a sender that two servers rejected. */
export function openOfBoth(one: Sender, other: Sender): RejectionsByReason {
  const [a, b] = [openOf(one), openOf(other)]
  return { reasons: together(a.reasons, b.reasons), withSecret: together(a.withSecret, b.withSecret) }
}

/** Counts by reason, without those that are 0. */
function together(a: Sender['reasons'], b: Sender['reasons']): Partial<Record<Reason, number>> {
  return Object.fromEntries(Object.entries(sumOf(a, b)).filter(([, count]) => count > 0))
}
