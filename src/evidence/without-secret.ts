import { LRUCache } from 'lru-cache'
import type { VerifiedVerdict } from '../verdict/verdict.js'
import type { SenderWithoutSecret } from './findings.js'

/** Maximum number of addresses that are remembered. */
const MAX_SENDERS = 1024
/** Maximum number of routes of an address. */
const MAX_ROUTES = 8

/** Remembers verified addresses whose requests did not carry the secret, in constant memory. */
export class WithoutSecret {
  readonly #senders = new LRUCache<
    string,
    { readonly isOwn: boolean; count: number; lastSeen: number; readonly routes: string[] }
  >({ maxSize: MAX_SENDERS, sizeCalculation: () => 1 })

  note({ clientIp, dataCenter }: VerifiedVerdict, route: string | null, now: number): void {
    let sender = this.#senders.get(clientIp)
    if (sender === undefined) {
      sender = { isOwn: dataCenter === null, count: 0, lastSeen: now, routes: [] }
      this.#senders.set(clientIp, sender)
    }
    sender.count++
    sender.lastSeen = now
    if (route !== null && sender.routes.length < MAX_ROUTES && !sender.routes.includes(route)) sender.routes.push(route)
  }

  /** The addresses that were seen since a time, those with the most requests first. */
  since(time: number): SenderWithoutSecret[] {
    return [...this.#senders]
      .filter(([, { lastSeen }]) => lastSeen >= time)
      .map(([clientIp, { isOwn, count, routes }]) => ({ clientIp, isOwn, count, routes }))
      .sort((a, b) => b.count - a.count)
  }
}
