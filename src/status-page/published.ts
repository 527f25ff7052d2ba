import { CHANNELS, type Channel, type DataCenter } from '../directory/names.js'
import type { LastVerified } from '../guard/counters.js'
import type { Facts } from './facts.js'

/** What an address is published for. */
interface Published {
  readonly dataCenter: DataCenter
  readonly channels: Channel[]
}

/**
 * Says for which channels the address of a call may be published, or was until it left the list. A call names only those that its route
 * accepts, and not the address: the answer is about all addresses that it may have come from, and empty where nothing is known beyond
 * the channel of the call.
 */
export function publishing({ directory, status, metrics }: Facts): (call: LastVerified) => readonly Channel[] {
  const addresses = new Map<string, Published>()
  const add = (prefix: string, dataCenter: DataCenter, channel: Channel) => {
    const key = keyOf(prefix, dataCenter)
    const known = addresses.get(key)
    if (known === undefined) addresses.set(key, { dataCenter, channels: [channel] })
    else known.channels.push(channel)
  }
  for (const { prefix, grant } of directory.entries) add(`${prefix}`, grant.dataCenter, grant.channel)
  for (const { prefix, dataCenter, channel } of status.pendingRemovals) add(prefix, dataCenter, channel)
  // What an address was published for that has left the list is not known any more.
  const forgotten = metrics.hits.filter(
    ({ prefix, dataCenter, count }) => count > 0 && !addresses.has(keyOf(prefix, dataCenter))
  )
  return ({ dataCenter, channels }) => {
    const senders = [...addresses.values()].filter(
      (address) => address.dataCenter === dataCenter && channels.every((channel) => address.channels.includes(channel))
    )
    const accepted = senders.filter((address) =>
      metrics.verdicts.some(
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
    const published = CHANNELS.filter((channel) => possible.some((address) => address.channels.includes(channel)))
    const all = [...new Set([...published, ...channels])]
    const isKnown = possible.length > 0 && !forgotten.some((address) => address.dataCenter === dataCenter)
    return all.length > 1 || isKnown ? all : []
  }
}

const keyOf = (prefix: string, dataCenter: string | null) => `${prefix} ${dataCenter}`

const isSame = (some: readonly Channel[], others: readonly Channel[]) =>
  some.length === others.length && some.every((channel) => others.includes(channel))
