/**
 * Interned sets of grants. A set is known by a small integer, so that a policy is a table over sets and one look-up
 * answers for every route. Set 0 is the empty one: an address in no entry.
 */
export class GrantSets<G> {
  /** The distinct grants, by their number. */
  readonly grants: readonly G[]
  readonly #members: number[][] = [[]]
  readonly #byMembers = new Map<string, number>([['', 0]])
  readonly #unions = new Map<number, number>()

  constructor(grants: readonly G[]) {
    this.grants = grants
  }

  /** How many sets there are, the empty one included. */
  get count(): number {
    return this.#members.length
  }

  /** The set that holds the members of `set` and one grant more. */
  with(set: number, grant: number): number {
    const key = set * this.grants.length + grant
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

  /** The grants of a set, in the order in which they were first listed. */
  grantsOf(set: number): G[] {
    return this.#members[set]!.map((grant) => this.grants[grant]!)
  }
}
