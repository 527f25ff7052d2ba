import type { PolicyCounts } from '../guard/counters.js'
import type { Guard } from '../guard/guard.js'
import type { GuardMetrics } from '../guard/ledger.js'
import { parseAddress } from '../ip/address.js'
import type { Sender } from '../senders/senders.js'
import { isRefusal, type Reason } from '../verdict/verdict.js'

/** What has become of a sender that was rejected: it would be accepted by now, or it is a proxy that is trusted by now. */
export type Settled = 'accepted' | 'trusted' | null

/**
 * Says what has become of rejected senders. That is not known of one that is redacted.
 *
 * @param since a proxy that is trusted, and was rejected after this time nevertheless, still hides its senders
 */
export function settling(
  guard: Pick<Guard, 'explainAll'>,
  { verdicts }: Pick<GuardMetrics, 'verdicts'>,
  since: number
): (sender: Sender) => Settled {
  const settled = (sender: Sender): Settled => {
    const { clientIp, reasons, listedFor, lastSeen } = sender
    if (parseAddress(clientIp) === undefined) return null
    const explained = guard.explainAll(clientIp)
    if (!explained.every(({ verdict }) => verdict.verified)) {
      const isTrusted = explained.some(({ isTrustedProxy }) => isTrustedProxy)
      return isTrusted && lastSeen < since ? 'trusted' : null
    }
    // Your "allow" list applies to all policies.
    const isAllowed = explained.some(({ verdict }) => verdict.verified && verdict.dataCenter === null)
    const isRefused = Object.keys(reasons).some((reason) => isRefusal(reason as Reason))
    // A policy that is only passed to `judge` is not explained, but counted.
    const isCovered = verdicts.every((policy) => listedFor.some((cell) => covers(policy, cell)))
    return isAllowed || !isRefused || isCovered ? 'accepted' : null
  }
  const known = new Map<Sender, Settled>()
  return (sender) => {
    const before = known.get(sender)
    if (before !== undefined) return before
    const now = settled(sender)
    known.set(sender, now)
    return now
  }
}

function covers({ dataCenters, channels }: PolicyCounts, cell: Sender['listedFor'][number]): boolean {
  return (
    dataCenters.some((dataCenter) => dataCenter === cell.dataCenter) &&
    channels.some((channel) => cell.channels.includes(channel))
  )
}
