import type { PolicyCounts } from '../guard/counters.js'
import type { Guard } from '../guard/guard.js'
import type { GuardMetrics } from '../guard/ledger.js'
import { parseAddress } from '../ip/address.js'
import type { Sender } from '../senders/senders.js'
import { isRefusal, type Reason } from '../verdict/verdict.js'

/**
 * What this server would do with a sender that others rejected: accept it, by MoEngage's list or not, trust it as a proxy, or reject it on every
 * route; null where that is not known.
 */
export type Settled = 'listed' | 'allowed' | 'trusted' | 'rejected' | null

/** Whether this server may reject a sender. */
export const isRejectedHere = (settled: Settled): settled is 'rejected' | null =>
  settled === null || settled === 'rejected'

/**
 * Says what has become of senders that other servers reported. That is not known of one that is redacted; of its own the guard says
 * which rejections are open.
 *
 * @param since a proxy that is trusted, and was rejected after this time nevertheless, still hides its senders
 */
export function settling(
  guard: Pick<Guard, 'explainAll'>,
  { verdicts }: Pick<GuardMetrics, 'verdicts'>,
  since: number
): (sender: Sender) => Settled {
  return ({ clientIp, reasons, listedFor, lastSeen }) => {
    if (parseAddress(clientIp) === undefined) return null
    const explained = guard.explainAll(clientIp)
    const accepting = explained.flatMap(({ verdict }) => (verdict.verified ? [verdict] : []))
    if (accepting.length === 0) {
      const isTrusted = explained.some(({ isTrustedProxy }) => isTrustedProxy)
      return isTrusted && lastSeen < since ? 'trusted' : 'rejected'
    }
    // Your "allow" list applies to all policies.
    if (accepting.some(({ dataCenter }) => dataCenter === null)) return 'allowed'
    // Which route it calls here is not known: one that refuses it as the other server did has to be widened.
    const isRefused = Object.keys(reasons).some((reason) => isRefusal(reason as Reason))
    // A policy that is only passed to `judge` is not explained, but counted.
    return !isRefused || verdicts.every((policy) => listedFor.some((cell) => covers(policy, cell))) ? 'listed' : null
  }
}

function covers({ dataCenters, channels }: PolicyCounts, cell: Sender['listedFor'][number]): boolean {
  return (
    dataCenters.some((dataCenter) => dataCenter === cell.dataCenter) &&
    channels.some((channel) => cell.channels.includes(channel))
  )
}
