import { type Address, ParsedAddress } from './address.js'
import { IPv4Table, IPv6Table, intervalsOf, type Numbered, type Sets } from './interval-table.js'
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
  constructor(entries: Iterable<Entry<G>>) {
    const found: FoundEntry<G>[] = []
    for (const { prefix, grant } of entries) {
      found.push({ prefix: prefix instanceof Prefix ? prefix : parsePrefix(prefix), grant })
    }
    const numbers = new Map<G, number>()
    for (const { grant } of found) if (!numbers.has(grant)) numbers.set(grant, numbers.size)
    this.#sets = new GrantSets([...numbers.keys()])
    const numbered = (family: 4 | 6): Numbered[] =>
      found
        .filter(({ prefix }) => prefix.address.family === family)
        .map(({ prefix, grant }) => ({ prefix, grant: numbers.get(grant)! }))
        .sort((a, b) => comparePrefixes(a.prefix, b.prefix))
    this.#ipv4 = new IPv4Table(intervalsOf(numbered(4), this.#sets))
    this.#ipv6 = new IPv6Table(intervalsOf(numbered(6), this.#sets))
    this.#leading = { ipv4: this.#ipv4.leading, ipv6: this.#ipv6.leading }
    this.#byLength = { 4: bucketsOf(found, 4), 6: bucketsOf(found, 6) }
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
  entriesFor({ family, words }: Address): FoundEntry<G>[] {
    return this.#byLength[family].flatMap(({ length, entries }) => entries.get(keyOf(family, words, length)) ?? [])
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

/** An address, or one that was parsed. */
export interface AddressWords {
  readonly family: 4 | 6
  readonly words: ArrayLike<number>
}

interface Bucket<G> {
  readonly length: number
  readonly entries: Map<number | string, FoundEntry<G>[]>
}

function bucketsOf<G>(found: readonly FoundEntry<G>[], family: 4 | 6): Bucket<G>[] {
  const buckets = new Map<number, Bucket<G>>()
  for (const entry of found) {
    const { address, length } = entry.prefix
    if (address.family !== family) continue
    let bucket = buckets.get(length)
    if (bucket === undefined) {
      bucket = { length, entries: new Map() }
      buckets.set(length, bucket)
    }
    const key = keyOf(family, address.words, length)
    const others = bucket.entries.get(key)
    if (others === undefined) bucket.entries.set(key, [entry])
    else others.push(entry)
  }
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
class GrantSets<G> implements Sets {
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
 * @throws PrefixError (`MOE_ERR_PREFIX`) on the first entry that is not a prefix
 * @example
 * const matcher = compileMatcher([
 *   { prefix: '3.6.251.95', grant: 'moengage' },
 *   { prefix: '2001:db8::/32', grant: 'office' }
 * ])
 * matcher.match('::ffff:3.6.251.95') // ['moengage']
 */
export function compileMatcher<G>(entries: Iterable<Entry<G>>): Matcher<G> {
  return new Matcher(entries)
}
