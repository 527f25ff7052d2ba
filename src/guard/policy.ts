import type { ClientIpResolver } from '../client-ip/resolver.js'
import type { Cells, Grant } from '../directory/directory.js'
import type { Channel, DataCenter } from '../directory/names.js'
import { Address, formatWords, type ParsedAddress } from '../ip/address.js'
import type { AddressWords, FoundEntry } from '../ip/matcher.js'
import {
  DENIED,
  deniedByOverride,
  notListed,
  otherChannel,
  otherDataCenter,
  staleList,
  unknownRow
} from '../verdict/hints.js'
import type { Reason, Rejection, VerifiedVerdict } from '../verdict/verdict.js'
import { type CompiledList, isCell, isOverride, type ListGrant } from './compiled-list.js'
import type { Counters, GrowingCounts, GrowingHits } from './counters.js'
import { isRemoved } from './removals.js'
import type { Salted } from './verdict-cache.js'

let policies = 0

/** What the verdicts on all addresses of one innermost prefix have in common. */
interface CommonToPrefix
  extends Pick<VerifiedVerdict, 'dataCenter' | 'channels' | 'matched' | 'graceUntil' | 'override'> {
  /** Where its hits are counted; undefined until there is one. */
  hits: GrowingHits | undefined
}

/** What a route accepts, by the sets of grants of one list: a lookup decides. */
export class Policy implements Salted {
  readonly dataCenters: readonly DataCenter[]
  readonly channels: readonly Channel[]
  readonly salt = Math.imul(policies++, 0x85ebca6b)
  /** Names it among the policies of the guard. */
  readonly bit: number
  /** What became of the requests that were judged by it. */
  readonly counts: GrowingCounts
  /** What it was compiled for; a request is judged by this one, even if another has come into use meanwhile. */
  readonly list: CompiledList
  readonly #counters: Counters
  /** Whether a set of grants is accepted, for each set that an address was found to have. */
  readonly #isAccepted: (boolean | undefined)[]
  readonly #rejections: (Rejection | undefined)[]
  readonly #channelLists = new Map<string, readonly Channel[]>()
  /** Rejections of single addresses, by their entries. */
  readonly #withNotes = new Map<readonly FoundEntry<ListGrant>[], Rejection>()
  /** By the entries of the innermost prefix. */
  readonly #common = new Map<readonly FoundEntry<ListGrant>[], CommonToPrefix>()

  constructor(list: CompiledList, cells: Cells, counters: Counters) {
    const { dataCenters, channels } = cells
    this.list = list
    // Counters, explanations and events hand them out.
    this.dataCenters = Object.freeze(dataCenters)
    this.channels = Object.freeze(channels)
    this.counts = counters.of(cells)
    this.bit = counters.bitOf(this.counts)
    this.#counters = counters
    // V8 reads a list that is filled to its end quicker than one with gaps.
    this.#isAccepted = new Array(list.matcher.setCount).fill(undefined)
    this.#rejections = new Array(list.matcher.setCount).fill(undefined)
  }

  /** Whether an address with this set of grants is accepted. */
  accepts(set: number): boolean {
    return this.#isAccepted[set] ?? this.#judge(set)
  }

  /** Whether a client is let through. An address that is accepted, and yet a trusted proxy's, is never a sender. */
  isSender(set: number, client: ParsedAddress, resolver: Pick<ClientIpResolver, 'trusts'>): boolean {
    return this.accepts(set) && !(this.list.holdsProxies && resolver.trusts(client))
  }

  #judge(set: number): boolean {
    const grants = this.list.matcher.grantsOf(set)
    const isAccepted = !grants.some(denies) && grants.some((grant) => this.accepted(grant))
    this.#isAccepted[set] = isAccepted
    return isAccepted
  }

  /** Whether a grant is one that the route accepts. */
  accepted(grant: ListGrant): boolean {
    if (isCell(grant)) return !this.list.isStale && this.covers(grant)
    return grant === 'allow' || (isOverride(grant) && grant.effect === 'allow')
  }

  /** Whether it accepts what an address is published for. */
  covers(grant: Grant): boolean {
    return this.dataCenters.includes(grant.dataCenter) && this.channels.includes(grant.channel)
  }

  /**
   * The verdict on an accepted client, from the cache or made.
   *
   * @param isCounted whether the request counts for the prefix
   */
  verified(client: ParsedAddress, peer: string | null, isCounted: boolean): VerifiedVerdict {
    const { verdicts } = this.list
    const remembered = verdicts.get(this, client, peer, isCounted)
    if (remembered !== undefined) {
      this.#counters.cacheHits++
      return remembered
    }
    this.#counters.cacheMisses++
    const address = client as AddressWords
    const common = this.#commonTo(address)
    const verdict = this.#verdict(common, address, peer)
    common.hits ??= this.#counters.hitsOf(common)
    verdicts.put(this, client, verdict, common.hits, isCounted)
    return verdict
  }

  /** The verdict on an accepted address; neither counted nor remembered. */
  verdictOn(address: Address): VerifiedVerdict {
    return this.#verdict(this.#commonTo(address), address, null)
  }

  #verdict(common: CommonToPrefix, { family, words }: AddressWords, peer: string | null): VerifiedVerdict {
    return Object.freeze({
      verified: true,
      // Written anew from the address: a slice of a header would keep the whole header alive.
      clientIp: formatWords(family, words),
      dataCenter: common.dataCenter,
      channels: common.channels,
      matched: common.matched,
      graceUntil: common.graceUntil,
      override: common.override,
      peer,
      revision: this.list.revision,
      carriesSecret: null
    } as const)
  }

  /** Found once a prefix: the look-ups of all its entries cost ten times what a verdict costs. */
  #commonTo(address: AddressWords): CommonToPrefix {
    const innermost = this.list.matcher.innermost(address)!
    let common = this.#common.get(innermost)
    if (common === undefined) {
      common = this.#findCommon(address)
      this.#common.set(innermost, common)
    }
    return common
  }

  #findCommon({ family, words }: AddressWords): CommonToPrefix {
    const address = new Address(family, family === 4 ? [words[0]!] : Array.from(words))
    const all = this.list.matcher.entriesFor(address).filter(({ grant }) => this.accepted(grant))
    const listed = all.filter(({ grant }) => !isCell(grant) || !isRemoved(grant))
    const accepted = listed.length > 0 ? listed : all
    const grants = accepted.map(({ grant }) => grant).filter(isCell)
    const overrides = accepted.map(({ grant }) => grant).filter(isOverride)
    const dataCenter = grants[0]?.dataCenter ?? null
    return {
      dataCenter,
      channels: this.#shared(
        this.channels.filter((channel) =>
          grants.some((grant) => grant.dataCenter === dataCenter && grant.channel === channel)
        )
      ),
      matched: accepted[0]!.prefix.toString(),
      graceUntil:
        listed.length > 0
          ? null
          : new Date(Math.max(...grants.filter(isRemoved).map(({ until }) => until))).toISOString(),
      override: overrides.length === accepted.length ? overrides[0]!.override : null,
      hits: undefined
    }
  }

  /** The same list for the same channels, of which there are as many as the list in use has sets of grants. */
  #shared(channels: readonly Channel[]): readonly Channel[] {
    const key = channels.join()
    let shared = this.#channelLists.get(key)
    if (shared === undefined) {
      shared = Object.freeze(channels)
      this.#counters.noteChannels(shared, this.counts)
      this.#channelLists.set(key, shared)
    }
    return shared
  }

  /**
   * Why an address with this set of grants is not accepted. The sentences are made once a set: a flood of strangers makes
   * none.
   */
  rejection(set: number, address: ParsedAddress): Rejection {
    const rejection = this.#rejectionOf(set)
    if (rejection.reason === 'other-data-center') return this.#withNote(rejection, address)
    return rejection.reason === 'not-listed' ? this.#orUnknownRow(rejection, address) : rejection
  }

  /** Why an address with this set of grants is not accepted, without the words for it. */
  reasonFor(set: number): Reason {
    return this.#rejectionOf(set).reason
  }

  #rejectionOf(set: number): Rejection {
    let rejection = this.#rejections[set]
    if (rejection === undefined) {
      rejection = this.#explain(set)
      this.#rejections[set] = rejection
    }
    return rejection
  }

  #explain(set: number): Rejection {
    const { directory, matcher, revision, isStale, checked } = this.list
    const listed = matcher.grantsOf(set)
    const grants = listed.filter(isCell)
    if (listed.includes('deny')) return { reason: 'denied', hint: DENIED }
    const denying = listed.filter(isOverride).find(denies)
    if (denying !== undefined) {
      return { reason: 'denied', hint: deniedByOverride(denying.override), override: denying.override }
    }
    if (grants.length === 0) {
      return { reason: 'not-listed', hint: notListed(revision, directory.provenance.retrieved) }
    }
    if (isStale && grants.some((grant) => this.covers(grant))) {
      return { reason: 'stale-list', hint: staleList(revision, checked) }
    }
    const own = grants.filter((grant) => this.dataCenters.includes(grant.dataCenter))
    if (own.length > 0) return { reason: 'other-channel', hint: otherChannel(own, this.channels) }
    return { reason: 'other-data-center', hint: otherDataCenter(grants, this.dataCenters) }
  }

  /** An address of the page, in rows that this version does not know; `rejection` for every other. */
  #orUnknownRow(rejection: Rejection, address: ParsedAddress): Rejection {
    const { unknown, revision, directory } = this.list
    const rows = unknown?.grantsOf(unknown.lookup(address)) ?? []
    if (rows.length === 0) return rejection
    const hint = unknownRow(rows, revision, directory.provenance.retrieved)
    return { reason: rejection.reason, hint, isOnPage: true }
  }

  /** Adds what the page once said of this address, where that explains the mismatch: once an address that is listed by itself. */
  #withNote(rejection: Rejection, parsed: ParsedAddress): Rejection {
    const innermost = this.list.matcher.innermost(parsed as AddressWords)!
    return this.#withNotes.get(innermost) ?? this.#findNotes(rejection, parsed, innermost)
  }

  #findNotes(rejection: Rejection, parsed: ParsedAddress, innermost: readonly FoundEntry<ListGrant>[]): Rejection {
    const address = parsed.toAddress()
    const notes = this.dataCenters.flatMap((dataCenter) => this.list.directory.note(address, dataCenter) ?? [])
    const noted: Rejection = { reason: rejection.reason, hint: [rejection.hint, ...notes].join(' ') }
    if (innermost[0]!.prefix.isSingle) this.#withNotes.set(innermost, noted)
    return noted
  }
}

/** Whether a grant rejects an address, whatever else accepts it. */
export function denies(grant: ListGrant): boolean {
  return grant === 'deny' || (isOverride(grant) && grant.effect === 'deny')
}
