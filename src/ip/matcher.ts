import { Address, type Family, readAddress, words } from './address.js'
import { GrantSets } from './grant-sets.js'
import { IntervalTable } from './interval-table.js'
import { TallTable } from './ipv6-table.js'
import { Networks } from './networks.js'
import { Prefix, refusePrefix } from './prefix.js'
import { networkLength, readNetwork } from './read-network.js'

/** One line of an allowlist: a prefix, and what an address in it is granted. */
export interface Entry<G> {
  /** A prefix, or its text. */
  readonly prefix: Prefix | string
  /** Compared by identity: entries that mean the same share the same grant. */
  readonly grant: G
}

/** An {@link Entry} that contains an address. */
export interface FoundEntry<G> extends Entry<G> {
  /** The prefix, read. */
  readonly prefix: Prefix
}

/**
 * A compiled allowlist: maps an address to the set of grants of all entries that contain it. Immutable; a new list is a
 * new matcher. See {@link compileMatcher}.
 */
export class Matcher<G> {
  readonly #sets: GrantSets<G>
  readonly #networks: { 4: Networks; 6: Networks }
  readonly #ipv4: IntervalTable
  readonly #ipv6: TallTable

  /** @internal */
  constructor(entries: Iterable<Entry<G>>) {
    const numbers = new Map<G, number>()
    const networks = { 4: new Networks(1), 6: new Networks(4) }
    for (const { prefix, grant } of entries) {
      let number = numbers.get(grant)
      if (number === undefined) {
        number = numbers.size
        numbers.set(grant, number)
      }
      if (prefix instanceof Prefix) {
        networks[prefix.address.family].add(prefix.address.words, prefix.length, number)
      } else {
        const family = readNetwork(prefix)
        if (family === 0) refusePrefix(prefix)
        networks[family].add(words, networkLength, number)
      }
    }
    this.#sets = new GrantSets([...numbers.keys()])
    this.#networks = networks
    networks[4].sort()
    networks[6].sort()
    const ipv4 = networks[4].intervals(this.#sets)
    const ipv6 = networks[6].intervals(this.#sets)
    this.#ipv4 = new IntervalTable(ipv4.starts, ipv4.sets)
    this.#ipv6 = new TallTable(ipv6, this.#sets.count)
  }

  /** How many sets of grants there are. Sets are numbered from 0, which is the empty one: not listed. */
  get setCount(): number {
    return this.#sets.count
  }

  /**
   * The number of the set of grants that an address has; 0 when no entry contains it, or the text is no address. Does
   * not allocate.
   */
  find(text: string): number {
    return this.findLast(readAddress(text, 0, text.length, this.#ipv4.leading, this.#ipv6.leading))
  }

  /** Like {@link find}, for the address that was read last. @internal */
  findLast(family: Family): number {
    if (family === 4) return this.#ipv4.find(words[0]!)
    return family === 6 ? this.#ipv6.find(words) : 0
  }

  /** The grants of a set, each once, in the order in which the entries first named them. */
  grantsOf(set: number): readonly G[] {
    return this.#sets.grantsOf(set)
  }

  /** The grants of all entries that contain the address; empty when there is none, or the text is no address. */
  match(address: Address | string): readonly G[] {
    return this.grantsOf(this.find(String(address)))
  }

  /** The entries that contain the address, longest prefix first. For explanations: it takes microseconds. */
  entriesFor(address: Address): FoundEntry<G>[] {
    const { family } = address
    return this.#networks[family].containing(address.words).map((row) => ({
      prefix: new Prefix(new Address(family, [...row.words]), row.length),
      grant: this.#sets.grants[row.grant]!
    }))
  }

  /** The bytes held by the compiled tables and the list they were compiled from. */
  get byteLength(): number {
    const { 4: ipv4, 6: ipv6 } = this.#networks
    return this.#ipv4.byteLength + this.#ipv6.byteLength + ipv4.byteLength + ipv6.byteLength
  }
}

/**
 * Compiles an allowlist. IPv4 and IPv6, single addresses and prefixes; where entries overlap, an address has the grants
 * of all of them. An IPv6 prefix never contains an IPv4 address.
 *
 * @param entries prefixes with what they grant; a bare address is the prefix of that one address
 * @throws PrefixError (`MOE_ERR_PREFIX`) on the first entry that is no prefix
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
