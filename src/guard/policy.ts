import type { Cells, Grant } from '../directory/directory.js'
import type { Channel, DataCenter } from '../directory/names.js'
import { lastAddress } from '../ip/address.js'
import { DENIED, notListed, otherChannel, otherDataCenter, staleList } from '../verdict/hints.js'
import type { Rejection } from '../verdict/verdict.js'
import type { Allowlist, ListGrant } from './compiled-list.js'
import type { GrowingCounts } from './counters.js'

let policies = 0

/** What a route accepts, as a table over the sets of grants of one allowlist: a look-up decides. */
export class Policy {
  readonly dataCenters: readonly DataCenter[]
  readonly channels: readonly Channel[]
  /** Tells the slots of one policy from those of another. */
  readonly salt = Math.imul(policies++, 0x85ebca6b)
  /** 1 for each set of grants that is accepted. */
  readonly accepts: Uint8Array
  /** What became of the requests that were judged by it. */
  readonly counts: GrowingCounts
  /** What it was compiled for; a request is judged by this one, even if another has come into use meanwhile. */
  readonly allowlist: Allowlist
  readonly #rejections: (Rejection | undefined)[]

  constructor(allowlist: Allowlist, { dataCenters, channels }: Cells, counts: GrowingCounts) {
    const { matcher } = allowlist
    this.allowlist = allowlist
    this.dataCenters = dataCenters
    this.channels = channels
    this.counts = counts
    this.accepts = Uint8Array.from({ length: matcher.setCount }, (_, set) => {
      const grants = matcher.grantsOf(set)
      return !grants.includes('deny') && grants.some((grant) => this.accepted(grant)) ? 1 : 0
    })
    this.#rejections = new Array(matcher.setCount).fill(undefined)
  }

  /** Whether a grant is one that the route accepts. */
  accepted(grant: ListGrant): boolean {
    if (typeof grant === 'string') return grant === 'allow'
    return !this.allowlist.isStale && this.#covers(grant)
  }

  #covers(grant: Grant): boolean {
    return this.dataCenters.includes(grant.dataCenter) && this.channels.includes(grant.channel)
  }

  /**
   * Why the address that was read last, and has this set of grants, is not accepted. The words are written once a set: a
   * flood of strangers writes none.
   */
  rejection(set: number, family: 4 | 6): Rejection {
    let rejection = this.#rejections[set]
    if (rejection === undefined) {
      rejection = this.#explain(set)
      this.#rejections[set] = rejection
    }
    return rejection.reason === 'other-data-center' ? this.#withNote(rejection, family) : rejection
  }

  #explain(set: number): Rejection {
    const { directory, matcher, revision, isStale } = this.allowlist
    const listed = matcher.grantsOf(set)
    const grants = listed.filter((grant): grant is Grant => typeof grant !== 'string')
    if (listed.includes('deny')) return { reason: 'denied', hint: DENIED }
    if (grants.length === 0) {
      return { reason: 'not-listed', hint: notListed(revision, directory.provenance.retrieved) }
    }
    if (isStale && grants.some((grant) => this.#covers(grant))) {
      return { reason: 'stale-list', hint: staleList(revision, directory.provenance.retrieved) }
    }
    const own = grants.filter((grant) => this.dataCenters.includes(grant.dataCenter))
    if (own.length > 0) return { reason: 'other-channel', hint: otherChannel(own, this.channels) }
    return { reason: 'other-data-center', hint: otherDataCenter(grants, this.dataCenters) }
  }

  /** Adds what the page once said of this address, where that explains the mismatch. */
  #withNote(rejection: Rejection, family: 4 | 6): Rejection {
    const address = lastAddress(family)
    const notes = this.dataCenters.flatMap((dataCenter) => this.allowlist.directory.note(address, dataCenter) ?? [])
    return { reason: rejection.reason, hint: [rejection.hint, ...notes].join(' ') }
  }
}
