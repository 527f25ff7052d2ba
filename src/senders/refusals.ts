import { LRUCache } from 'lru-cache'
import { lazily } from '../lib/lazily.js'
import type { RefusalReason } from '../verdict/verdict.js'

/** What a route accepted when it rejected an address that MoEngage publishes. */
export interface Refusal {
  readonly reason: RefusalReason
  /** The pattern; null where there is none. */
  readonly route: string | null
  readonly dataCenters: readonly string[]
  readonly channels: readonly string[]
}

/** The refusals of a sender, by its name in a list of senders. */
export type RefusalsOf = (clientIp: string) => readonly Refusal[]

/** Maximum number of addresses: more than MoEngage's page has. */
const MAX_ADDRESSES = 1000
/** Maximum number of refusals of one address. */
const MAX_REFUSALS = 8

/** Remembers what the routes accepted that rejected addresses of MoEngage, in constant memory. */
export class Refusals {
  /** Made for the first one: it takes its places at once. */
  readonly #byAddress = lazily(() => new LRUCache<string, Refusal[]>({ max: MAX_ADDRESSES }))

  note(clientIp: string, refusal: Refusal): void {
    const known = this.#byAddress().get(clientIp)
    if (known === undefined) this.#byAddress().set(clientIp, [refusal])
    else if (known.length < MAX_REFUSALS && !known.some((other) => isSame(other, refusal))) known.push(refusal)
  }

  /** The refusals of an address; empty where they are forgotten. */
  of(clientIp: string): readonly Refusal[] {
    return this.#byAddress().get(clientIp) ?? []
  }

  /** The refusals of senders as they are listed: addresses that become the same text share them. */
  byName(redact: (clientIp: string) => string): RefusalsOf {
    // Most readers find no sender to ask about.
    const named = lazily(() => {
      const names = new Map<string, Refusal[]>()
      for (const [clientIp, refusals] of this.#byAddress().entries()) {
        const name = redact(clientIp)
        names.set(name, [...(names.get(name) ?? []), ...refusals])
      }
      return names
    })
    return (clientIp) => named().get(clientIp) ?? []
  }
}

function isSame(a: Refusal, b: Refusal): boolean {
  return (
    a.reason === b.reason &&
    a.route === b.route &&
    isSameList(a.dataCenters, b.dataCenters) &&
    isSameList(a.channels, b.channels)
  )
}

/** Those of one policy are one array: comparing texts for each rejection would cost more than the verdict. */
const isSameList = (a: readonly string[], b: readonly string[]) => a === b || `${a}` === `${b}`
