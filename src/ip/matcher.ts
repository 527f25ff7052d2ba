import { refusal } from '../lib/refusal.js'
import { atOnce, each, type Steps, sorted } from '../lib/steps.js'
import { type Address, ParsedAddress } from './address.js'
import { type Intervals, IPv4Table, IPv6Table, intervalsOf } from './interval-table.js'
import { wordMask } from './parsed-prefix.js'
import { comparePrefixes, Prefix, parsePrefix } from './prefix.js'

/** One line of an allowlist: a prefix, and what an address in it is granted. */
export interface Entry<G> {
  /** A prefix, or its text. */
  readonly prefix: Prefix | string
  /** Compared by identity: entries that mean the same share the same grant. */
  readonly grant: G
}

/** An {@link Entry} that contains an address. */
export interface FoundEntry<G> extends Entry<G> {
  /** The prefix, parsed. */
  readonly prefix: Prefix
}

/**
 * A compiled allowlist: maps an address to the set of grants of all entries that contain it. Immutable; a new list is a
 * new matcher. See {@link compileMatcher}.
 */
export class Matcher<G> {
  readonly #sets: GrantSets<G>
  readonly #ipv4: IPv4Table
  readonly #ipv6: IPv6Table
  readonly #leading: { readonly ipv4: Int32Array; readonly ipv6: Int32Array }
  /** The address that {@link Matcher.find} parses. */
  readonly #address = new ParsedAddress()
  /** The entries by their prefix's key, for each family and length that occurs, the longest first. */
  readonly #byLength: Readonly<Record<4 | 6, readonly Bucket<G>[]>>

  /** @internal */
  constructor({ sets, ipv4, ipv6, byLength }: Compiled<G>) {
    this.#sets = sets
    this.#ipv4 = ipv4
    this.#ipv6 = ipv6
    this.#leading = { ipv4: ipv4.leading, ipv6: ipv6.leading }
    this.#byLength = byLength
  }

  /** How many sets of grants there are. Sets are numbered from 0, which is the empty one: not listed. */
  get setCount(): number {
    return this.#sets.count
  }

  /**
   * The number of the set of grants that an address has; 0 when no entry contains it, or the text is not an address. Does
   * not allocate.
   */
  find(text: string): number {
    this.#address.parseWords(text, 0, text.length, this.#leading)
    return this.lookup(this.#address)
  }

  /** Like {@link find}, for an address that was parsed; 0 where there is none. @internal */
  lookup({ family, words }: ParsedAddress): number {
    if (family === 4) return this.#ipv4.lookup(words[0]!)
    return family === 6 ? this.#ipv6.lookup(words) : 0
  }

  /** The grants of a set, each once, in the order in which the entries first named them. */
  grantsOf(set: number): readonly G[] {
    return this.#sets.grantsOf(set)
  }

  /** The grants of all entries that contain the address; empty when there is none, or the text is not an address. */
  match(address: Address | string): readonly G[] {
    return this.grantsOf(this.find(String(address)))
  }

  /** The entries that contain the address, longest prefix first. */
  entriesFor(address: Address): FoundEntry<G>[] {
    return this.#entriesAround(address, 32 * address.words.length)
  }

  /** The entries that contain all addresses of a prefix, longest prefix first. @internal */
  entriesCovering({ address, length }: Prefix): FoundEntry<G>[] {
    return this.#entriesAround(address, length)
  }

  #entriesAround({ family, words }: Address, longest: number): FoundEntry<G>[] {
    const found: FoundEntry<G>[] = []
    for (const { length, entries } of this.#byLength[family]) {
      if (length <= longest) found.push(...(entries.get(keyOf(family, words, length)) ?? []))
    }
    return found
  }

  /**
   * The entries with the longest prefix that contains the address: the same list for each address of which it is the longest, and
   * so of which all entries are the same. Undefined where none contains it. @internal
   */
  innermost({ family, words }: AddressWords): readonly FoundEntry<G>[] | undefined {
    for (const { length, entries } of this.#byLength[family]) {
      const found = entries.get(keyOf(family, words, length))
      if (found !== undefined) return found
    }
    return undefined
  }
}

/**
 * A matcher with entries that were added to it, compiled by themselves: a long list is compiled once, however often something is
 * added to it or taken away. Answers as one {@link Matcher} of all entries does; the numbers of its sets are others.
 */
export class LayeredMatcher<G> {
  readonly #base: Matcher<G>
  readonly #added: Matcher<G> | undefined
  /** A set of the base and one of what was added, for each address in both that was looked up; numbered behind the sets of each. */
  readonly #pairs: { readonly base: number; readonly added: number }[] = []
  readonly #numbers = new Map<number, number>()
  readonly #firstAdded: number
  readonly #firstPair: number

  /** @param added undefined where nothing is */
  constructor(base: Matcher<G>, added: Matcher<G> | undefined) {
    this.#base = base
    this.#added = added
    this.#firstAdded = base.setCount
    this.#firstPair = base.setCount + (added?.setCount ?? 0)
  }

  /** How many sets of grants there are, but for those of addresses that both matchers contain. */
  get setCount(): number {
    return this.#firstPair
  }

  /** The number of the set of grants that an address has; 0 where there is none. */
  lookup(address: ParsedAddress): number {
    const base = this.#base.lookup(address)
    if (this.#added === undefined) return base
    const added = this.#added.lookup(address)
    if (added === 0) return base
    return base === 0 ? this.#firstAdded + added : this.#numberOf(base, added)
  }

  #numberOf(base: number, added: number): number {
    const key = base * this.#firstPair + added
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#firstPair + this.#pairs.push({ base, added }) - 1
      this.#numbers.set(key, number)
    }
    return number
  }

  /** See {@link Matcher.grantsOf}. */
  grantsOf(set: number): readonly G[] {
    if (set < this.#firstAdded) return this.#base.grantsOf(set)
    if (set < this.#firstPair) return this.#added!.grantsOf(set - this.#firstAdded)
    const { base, added } = this.#pairs[set - this.#firstPair]!
    return [...this.#base.grantsOf(base), ...this.#added!.grantsOf(added)]
  }

  /** See {@link Matcher.entriesFor}. */
  entriesFor(address: Address): FoundEntry<G>[] {
    const found = this.#base.entriesFor(address)
    if (this.#added === undefined) return found
    return [...found, ...this.#added.entriesFor(address)].sort((a, b) => b.prefix.length - a.prefix.length)
  }

  /** See {@link Matcher.innermost}; of two lists for the same prefix it is that of the base. */
  innermost(address: AddressWords): readonly FoundEntry<G>[] | undefined {
    const base = this.#base.innermost(address)
    const added = this.#added?.innermost(address)
    if (base === undefined || added === undefined) return base ?? added
    return added[0]!.prefix.length > base[0]!.prefix.length ? added : base
  }
}

/** An address, or one that was parsed. */
export interface AddressWords {
  readonly family: 4 | 6
  readonly words: ArrayLike<number>
}

/** What a matcher is made of. */
interface Compiled<G> {
  readonly sets: GrantSets<G>
  readonly ipv4: IPv4Table
  readonly ipv6: IPv6Table
  readonly byLength: Readonly<Record<4 | 6, readonly Bucket<G>[]>>
}

interface Bucket<G> {
  readonly length: number
  readonly entries: Map<number | string, FoundEntry<G>[]>
}

function* bucketsOf<G>(found: readonly FoundEntry<G>[], family: 4 | 6): Steps<Bucket<G>[]> {
  const buckets = new Map<number, Bucket<G>>()
  yield* each(found, (entry) => {
    const { address, length } = entry.prefix
    let bucket = buckets.get(length)
    if (bucket === undefined) {
      bucket = { length, entries: new Map() }
      buckets.set(length, bucket)
    }
    const key = keyOf(family, address.words, length)
    const others = bucket.entries.get(key)
    if (others === undefined) bucket.entries.set(key, [entry])
    else others.push(entry)
  })
  return [...buckets.values()].sort((a, b) => b.length - a.length)
}

/** The leading bits of an address: a number for IPv4, which a map hashes quicker than a text. */
function keyOf(family: 4 | 6, words: ArrayLike<number>, length: number): number | string {
  const word0 = words[0]! & wordMask(length, 0)
  if (family === 4) return word0
  return `${word0},${words[1]! & wordMask(length, 1)},${words[2]! & wordMask(length, 2)},${words[3]! & wordMask(length, 3)}`
}

/**
 * Interned sets of grants. A set is known by a small integer, so that a policy is a table over sets and one look-up
 * answers for every route.
 */
class GrantSets<G> {
  readonly #grants: readonly G[]
  readonly #members: number[][] = [[]]
  readonly #byMembers = new Map<string, number>([['', 0]])
  readonly #unions = new Map<number, number>()

  constructor(grants: readonly G[]) {
    this.#grants = grants
  }

  get count(): number {
    return this.#members.length
  }

  /** The set that holds the members of `set` and one grant more. Set 0 is the empty one. */
  with(set: number, grant: number): number {
    const key = set * this.#grants.length + grant
    let union = this.#unions.get(key)
    if (union === undefined) {
      const members = this.#members[set]!
      union = members.includes(grant) ? set : this.#intern([...members, grant].sort((a, b) => a - b))
      this.#unions.set(key, union)
    }
    return union
  }

  #intern(members: number[]): number {
    const key = members.join()
    let set = this.#byMembers.get(key)
    if (set === undefined) {
      set = this.#members.push(members) - 1
      this.#byMembers.set(key, set)
    }
    return set
  }

  grantsOf(set: number): G[] {
    return this.#members[set]!.map((grant) => this.#grants[grant]!)
  }
}

/**
 * Compiles an allowlist. IPv4 and IPv6, single addresses and prefixes; where entries overlap, an address has the grants
 * of all of them. An IPv6 prefix never contains an IPv4 address. Made for up to 50,000 entries.
 *
 * @param entries prefixes with what they grant; a bare address is the prefix of that one address
 * @throws PrefixError (`MOE_ERR_PREFIX`) on the first entry whose prefix is not one; OptionsError (`MOE_ERR_OPTIONS`) on what is not an
 * entry
 * @example
 * const matcher = compileMatcher([
 *   { prefix: '3.6.251.95', grant: 'moengage' },
 *   { prefix: '2001:db8::/32', grant: 'office' }
 * ])
 * matcher.match('::ffff:3.6.251.95') // ['moengage']
 */
export function compileMatcher<G>(entries: Iterable<Entry<G>>): Matcher<G> {
  const isList = typeof entries === 'object' && entries !== null && Symbol.iterator in entries
  if (!isList) throw refusal('entries', entries, 'is not a list of entries', `Write [${EXAMPLE}].`)
  return atOnce(compiling(entries))
}

const EXAMPLE = `{ prefix: '10.0.0.0/8', grant: 'office' }`

function isEntry<G>(entry: Entry<G>): boolean {
  return typeof entry === 'object' && entry !== null && (entry as Partial<Entry<G>>).prefix !== undefined
}

function refuseEntry(entry: unknown): never {
  const fix = `Write ${EXAMPLE}: a prefix, and what its addresses are granted.`
  throw refusal('entries', entry, 'is not an entry', fix)
}

/** Like {@link compileMatcher}, in steps. @internal */
export function* compiling<G>(entries: Iterable<Entry<G>>): Steps<Matcher<G>> {
  const found: Readonly<Record<4 | 6, FoundEntry<G>[]>> = { 4: [], 6: [] }
  const numbers = new Map<G, number>()
  yield* each(entries, (entry) => {
    const { prefix: given, grant } = isEntry(entry) ? entry : refuseEntry(entry)
    const prefix = given instanceof Prefix ? given : parsePrefix(given)
    found[prefix.address.family].push({ prefix, grant })
    if (!numbers.has(grant)) numbers.set(grant, numbers.size)
  })
  const sets = new GrantSets([...numbers.keys()])
  function* intervals(family: 4 | 6): Steps<Intervals> {
    const inOrder = yield* sorted(found[family], (a, b) => comparePrefixes(a.prefix, b.prefix))
    return yield* intervalsOf(inOrder, (set, { grant }) => sets.with(set, numbers.get(grant)!))
  }
  return new Matcher({
    sets,
    ipv4: new IPv4Table(yield* intervals(4)),
    ipv6: new IPv6Table(yield* intervals(6)),
    byLength: { 4: yield* bucketsOf(found[4], 4), 6: yield* bucketsOf(found[6], 6) }
  })
}
