import { CHANNELS, type Channel, type DataCenter } from '../directory/names.js'
import type { LastVerified } from '../guard/counters.js'
import type { Facts } from './facts.js'

/** What an address is published for. */
interface Published {
  readonly dataCenter: DataCenter
  readonly channels: Channel[]
}

/**
 * Says for which channels the address of a call may be published. A call names only those that its route accepts, and not the address:
 * the answer is about all addresses that it may have come from.
 */
export function publishing({ directory, metrics: { verdicts } }: Facts): (call: LastVerified) => Channel[] {
  const addresses = new Map<string, Published>()
  for (const { prefix, grant } of directory.entries) {
    const key = `${prefix} ${grant.dataCenter}`
    const known = addresses.get(key)
    if (known === undefined) addresses.set(key, { dataCenter: grant.dataCenter, channels: [grant.channel] })
    else known.channels.push(grant.channel)
  }
  return ({ dataCenter, channels }) => {
    const senders = [...addresses.values()].filter(
      (address) => address.dataCenter === dataCenter && channels.every((channel) => address.channels.includes(channel))
    )
    const accepted = senders.filter((address) =>
      verdicts.some(
        (policy) =>
          policy.dataCenters.includes(address.dataCenter) &&
          isSame(
            address.channels.filter((channel) => policy.channels.includes(channel)),
            channels
          )
      )
    )
    // Another server of a fleet may accept something else.
    const possible = accepted.length > 0 ? accepted : senders
    return CHANNELS.filter((channel) => possible.some((address) => address.channels.includes(channel)))
  }
}

const isSame = (some: readonly Channel[], others: readonly Channel[]) =>
  some.length === others.length && some.every((channel) => others.includes(channel))
