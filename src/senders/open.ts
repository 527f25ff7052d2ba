import { totalOf } from '../verdict/verdict.js'
import type { RejectionsByReason, Sender } from './senders.js'

/** The rejections of a sender that are open; all of them where it is not known what has been mended. */
export const openOf = (sender: Sender): RejectionsByReason => sender.open ?? sender

/** A sender with its open rejections alone. */
export function onlyOpen(sender: Sender): Sender {
  const { reasons, withSecret } = openOf(sender)
  return { ...sender, count: totalOf(reasons), reasons, withSecret }
}
