import type { ParsedAddress } from '../ip/address.js'
import type { VerifiedVerdict } from '../verdict/verdict.js'
import type { GrowingHits } from './counters.js'

/** What verdicts belong to: the same address has another verdict by another policy. */
export interface Salted {
  /** Tells the slots of one policy from those of another. */
  readonly salt: number
}

/** A table with a place for each of MoEngage's addresses, several times over. */
const FIRST_SLOTS = 256
const MOST_SLOTS = 0x10000

/**
 * Verdicts of verified senders, in a table that an address points straight into. Strangers are never put in, so they cannot
 * push anyone out. It begins small, and doubles when verified senders push each other out.
 */
export class VerdictCache {
  readonly #most: number
  #verdicts: (VerifiedVerdict | undefined)[] = []
  /** The address in each slot, and the policy that it was judged by. */
  #families = new Uint8Array(0)
  #words = new Int32Array(0)
  #policies: (Salted | undefined)[] = []
  /** How often the verdict in each slot was returned on a request that counts, and where that is counted. */
  #hits = new Float64Array(0)
  #counts: GrowingHits[] = []
  #mask = 0
  /** How many verdicts were pushed out since the table has this size. */
  #pushedOut = 0

  /** @param capacity how many verdicts are remembered at most */
  constructor(capacity: number) {
    this.#most = Math.min(2 ** Math.floor(Math.log2(capacity)), MOST_SLOTS)
    this.#clear(Math.min(FIRST_SLOTS, this.#most))
  }

  #clear(slots: number): void {
    this.#verdicts = new Array(slots).fill(undefined)
    this.#families = new Uint8Array(slots)
    this.#words = new Int32Array(4 * slots)
    this.#policies = new Array(slots).fill(undefined)
    this.#hits = new Float64Array(slots)
    this.#counts = new Array(slots).fill(undefined)
    this.#mask = slots - 1
    this.#pushedOut = 0
  }

  /** The remembered verdict; undefined where there is none. */
  get(policy: Salted, client: ParsedAddress, peer: string | null, isCounted: boolean): VerifiedVerdict | undefined {
    const slot = this.#slotOf(policy, client.family, client.words)
    if (this.#policies[slot] !== policy || !this.#isIn(slot, client)) return undefined
    const verdict = this.#verdicts[slot]!
    if (verdict.peer !== peer) return undefined
    if (isCounted) this.#hits[slot]!++
    return verdict
  }

  /** Remembers a verdict that was returned once, and where that is counted. */
  put(policy: Salted, client: ParsedAddress, verdict: VerifiedVerdict, counts: GrowingHits, isCounted: boolean): void {
    if (this.#pushedOut > this.#mask && this.#mask + 1 < this.#most) this.#grow()
    const slot = this.#slotOf(policy, client.family, client.words)
    if (this.#verdicts[slot] !== undefined) this.#pushedOut++
    this.#flush(slot)
    this.#hits[slot] = isCounted ? 1 : 0
    this.#counts[slot] = counts
    this.#verdicts[slot] = verdict
    this.#policies[slot] = policy
    this.#families[slot] = client.family
    this.#words.set(client.words, 4 * slot)
  }

  /** Counts what was not counted yet. */
  flush(): void {
    for (let slot = 0; slot <= this.#mask; slot++) this.#flush(slot)
  }

  #flush(slot: number): void {
    if (this.#hits[slot] === 0) return
    this.#counts[slot]!.count += this.#hits[slot]!
    this.#hits[slot] = 0
  }

  /** Twice as many slots; what is remembered moves along. */
  #grow(): void {
    this.flush()
    const { length } = this.#verdicts
    const [verdicts, policies, counts] = [this.#verdicts, this.#policies, this.#counts]
    const [families, words] = [this.#families, this.#words]
    this.#clear(2 * length)
    for (let i = 0; i < length; i++) {
      if (verdicts[i] === undefined) continue
      const own = words.subarray(4 * i, 4 * i + 4)
      const slot = this.#slotOf(policies[i]!, families[i]!, own)
      this.#verdicts[slot] = verdicts[i]
      this.#policies[slot] = policies[i]
      this.#counts[slot] = counts[i]!
      this.#families[slot] = families[i]!
      this.#words.set(own, 4 * slot)
    }
  }

  #slotOf({ salt }: Salted, family: number, words: Int32Array): number {
    const mixed = family === 4 ? words[0]! : words[0]! ^ words[1]! ^ words[2]! ^ words[3]!
    return (Math.imul(mixed ^ salt, 0x9e3779b1) >>> 16) & this.#mask
  }

  #isIn(slot: number, { family, words }: ParsedAddress): boolean {
    const at = 4 * slot
    const own = this.#words
    if (this.#families[slot] !== family || own[at] !== words[0]) return false
    return family === 4 || (own[at + 1] === words[1] && own[at + 2] === words[2] && own[at + 3] === words[3])
  }
}
