import { totalOf } from '../verdict/verdict.js'
import { openOf } from './open.js'
import type { Sender } from './senders.js'

/**
 * The senders with the most rejections, those with the most first; those with open rejections that carried the secret are the
 * last to be left out.
 */
export function loudest<Item extends Sender>(senders: readonly Item[], limit: number): Item[] {
  const order = (a: Sender, b: Sender) => b.count - a.count || b.lastSeen - a.lastSeen
  const hasSecret = (sender: Sender) => Number(totalOf(openOf(sender).withSecret) > 0)
  return senders
    .toSorted((a, b) => hasSecret(b) - hasSecret(a) || order(a, b))
    .slice(0, limit)
    .sort(order)
}
