import type { Cells, Directory, Grant } from '../directory/directory.js'
import { lastAddress, words } from '../ip/address.js'
import { compileMatcher, type Entry, type Matcher } from '../ip/matcher.js'
import type { VerifiedVerdict } from '../verdict/verdict.js'
import type { Counters } from './counters.js'
import type { Settings } from './options.js'
import { Policy } from './policy.js'
import { isRemoved, type Removal, type RemovedGrant } from './removals.js'

/**
 * What an entry of the compiled list stands for: a cell of MoEngage's page, one that the address was removed from a
 * while ago, or one of the user's own lists.
 */
export type ListGrant = Grant | RemovedGrant | 'allow' | 'deny'

/**
 * One version of all that requests are judged by: MoEngage's list and the user's own, compiled into one matcher, with
 * the verdicts that were remembered from it. A reload makes a new one, so nothing outlives the list it belongs to.
 */
export class Allowlist {
  readonly directory: Directory
  readonly matcher: Matcher<ListGrant>
  readonly revision: string
  /** What the list has lost and is accepted nevertheless. */
  readonly removals: readonly Removal[]
  /** Whether it is too old to accept anything by it. */
  readonly isStale: boolean
  /**
   * Verdicts of verified senders, in a table that an address points straight into. Strangers are never put in, so they
   * cannot push anyone out; see docs/decisions.md for what was measured.
   */
  readonly #verified: (VerifiedVerdict | undefined)[]
  /** The address in each slot, and the policy it was judged by. */
  readonly #families: Uint8Array
  readonly #words: Int32Array
  readonly #policies: (Policy | undefined)[]
  readonly #slotMask: number
  readonly #counters: Counters
  /** How often the verdict in each slot was given. */
  readonly #hits: Float64Array

  constructor(
    directory: Directory,
    own: Pick<Settings<never>, 'allow' | 'deny' | 'cacheSize'>,
    removals: readonly Removal[],
    isStale: boolean,
    counters: Counters
  ) {
    const ownEntries = (grant: 'allow' | 'deny') => own[grant].map((prefix) => ({ prefix, grant }))
    const entries: Entry<ListGrant>[] = [
      ...directory.entries,
      ...removals,
      ...ownEntries('allow'),
      ...ownEntries('deny')
    ]
    this.directory = directory
    this.revision = directory.revision
    this.removals = removals
    this.isStale = isStale
    this.matcher = compileMatcher(entries)
    const slots = Math.min(2 ** Math.floor(Math.log2(own.cacheSize)), 0x10000)
    this.#verified = new Array(slots).fill(undefined)
    this.#families = new Uint8Array(slots)
    this.#words = new Int32Array(4 * slots)
    this.#policies = new Array(slots).fill(undefined)
    this.#slotMask = slots - 1
    this.#counters = counters
    this.#hits = new Float64Array(slots)
  }

  /** Compiles what a route accepts. */
  policy(cells: Cells): Policy {
    return new Policy(this, cells, this.#counters.of(cells))
  }

  /** The verdict of an accepted address, which is the one read last; counts it. */
  verdictOf(policy: Policy, family: 4 | 6, peer: string | null): VerifiedVerdict {
    const mixed = family === 4 ? words[0]! : words[0]! ^ words[1]! ^ words[2]! ^ words[3]!
    const slot = (Math.imul(mixed ^ policy.salt, 0x9e3779b1) >>> 16) & this.#slotMask
    if (this.#policies[slot] === policy && this.#isIn(slot, family)) {
      const remembered = this.#verified[slot]!
      if (remembered.peer === peer) {
        this.#hits[slot]!++
        return remembered
      }
    }
    this.#flush(slot)
    this.#counters.misses++
    const verdict = this.newVerdict(policy, family, peer)
    this.#hits[slot] = 1
    this.#verified[slot] = verdict
    this.#policies[slot] = policy
    this.#families[slot] = family
    this.#words.set(words, 4 * slot)
    return verdict
  }

  /** Whether the address that was read last is the one in the slot. */
  #isIn(slot: number, family: 4 | 6): boolean {
    const at = 4 * slot
    if (this.#families[slot] !== family || this.#words[at] !== words[0]) return false
    return (
      family === 4 ||
      (this.#words[at + 1] === words[1] && this.#words[at + 2] === words[2] && this.#words[at + 3] === words[3])
    )
  }

  /** Hands what was counted over to the counters. */
  flush(): void {
    for (let slot = 0; slot <= this.#slotMask; slot++) this.#flush(slot)
  }

  #flush(slot: number): void {
    if (this.#hits[slot] === 0) return
    this.#counters.hit(this.#verified[slot]!, this.#hits[slot]!)
    this.#hits[slot] = 0
  }

  /** The verdict of an accepted address, which is the one read last; neither counted nor remembered. */
  newVerdict(policy: Policy, family: 4 | 6, peer: string | null): VerifiedVerdict {
    const address = lastAddress(family)
    const all = this.matcher.entriesFor(address).filter(({ grant }) => policy.accepted(grant))
    const listed = all.filter(({ grant }) => !isRemoved(grant))
    const accepted = listed.length > 0 ? listed : all
    const grants = accepted.flatMap(({ grant }) => (typeof grant === 'string' ? [] : [grant]))
    const dataCenter = grants[0]?.dataCenter ?? null
    return Object.freeze({
      verified: true,
      // Written anew from the address: a slice of a header would keep the whole header alive.
      clientIp: address.toString(),
      dataCenter,
      channels: Object.freeze(
        policy.channels.filter((channel) =>
          grants.some((grant) => grant.dataCenter === dataCenter && grant.channel === channel)
        )
      ),
      matched: accepted[0]!.prefix.toString(),
      graceUntil:
        listed.length > 0
          ? null
          : new Date(Math.max(...grants.filter(isRemoved).map(({ until }) => until))).toISOString(),
      peer,
      revision: this.revision
    } as const)
  }
}
