import type { ClientIpResolver } from '../client-ip/resolver.js'
import { ParsedAddress } from '../ip/address.js'
import type { RejectionsByReason, Remembered } from '../senders/senders.js'
import type { Reason } from '../verdict/verdict.js'
import type { CompiledList } from './compiled-list.js'
import type { Counters } from './counters.js'
import { Policy } from './policy.js'

const UNLISTED: readonly Reason[] = ['not-listed']

/**
 * Says which rejections of a remembered sender are open: what they would be by a list, by the policies that made them. The sender itself
 * where they are what they were.
 */
export function openBy(
  list: CompiledList,
  counters: Counters,
  resolver: Pick<ClientIpResolver, 'trusts'>
): (sender: Remembered) => RejectionsByReason {
  const address = new ParsedAddress()
  const policies = new Map<number, Policy[]>()
  const policiesOf = (bits: number) => {
    const known = policies.get(bits) ?? counters.cellsOf(bits).map((cells) => new Policy(list, cells, counters))
    policies.set(bits, known)
    return known
  }
  const reasonsNow = (set: number, bits: number): readonly Reason[] =>
    set === 0 || (list.holdsProxies && resolver.trusts(address))
      ? UNLISTED
      : policiesOf(bits).flatMap((policy) => (policy.accepts(set) ? [] : [policy.reasonFor(set)]))
  return (sender) => {
    const { key, policies: bits, reasons, withSecret } = sender
    address.readKey(key)
    const set = list.matcher.lookup(address)
    const now = (reason: Reason) => reasonNow(reason, reasonsNow(set, bits[reason]!), withSecret)
    if ((Object.keys(reasons) as Reason[]).every((reason) => now(reason) === reason)) return sender
    return { reasons: moved(reasons, now), withSecret: moved(withSecret, now) }
  }
}

/** What a rejection would be now; null where the request would be accepted. */
function reasonNow(
  reason: Reason,
  now: readonly Reason[],
  withSecret: RejectionsByReason['withSecret']
): Reason | null {
  // Whoever lets a proxy in lets in everybody behind it: that mends nothing.
  if (reason === 'proxy-not-configured' || now.includes(reason)) return reason
  const [first = null] = now
  // What the data center was that the address has left is no longer known. Without the secret, whose address it is now is not known either.
  const hasLeft = reason === 'other-data-center' && first === 'not-listed'
  return hasLeft && withSecret[reason] === undefined ? reason : first
}

function moved(
  counts: RejectionsByReason['reasons'],
  now: (reason: Reason) => Reason | null
): Partial<Record<Reason, number>> {
  const open: Partial<Record<Reason, number>> = {}
  for (const [reason, count] of Object.entries(counts)) {
    const to = now(reason as Reason)
    if (to !== null) open[to] = (open[to] ?? 0) + count
  }
  return open
}
