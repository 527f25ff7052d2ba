import type { Prefix } from './prefix.js'

/** A prefix with the number of its grant. */
export interface Numbered {
  readonly prefix: Prefix
  readonly grant: number
}

/** Interned sets of grants, as {@link intervalsOf} extends them. */
export interface Sets {
  /** The set that holds the members of `set` and one grant more. Set 0 is the empty one. */
  with(set: number, grant: number): number
}

/** Consecutive intervals of the address space: the first address of each, as unsigned words, and its set of grants. */
export interface Intervals {
  readonly starts: readonly (readonly number[])[]
  readonly sets: readonly number[]
}

/**
 * Cuts the address space of one family into intervals with one set of grants each. Prefixes nest or are disjoint, so a
 * stack of those that are open holds all that a step needs.
 *
 * @param entries sorted by {@link comparePrefixes}: each follows those that contain it
 */
export function intervalsOf(entries: readonly Numbered[], sets: Sets): Intervals {
  const starts: (readonly number[])[] = []
  const setNumbers: number[] = []
  const open: { readonly prefix: Prefix; readonly next: readonly number[] | undefined; set: number }[] = []
  const currentSet = () => open.at(-1)?.set ?? 0
  const begin = (start: readonly number[]) => {
    // What begins where the last one did replaces it.
    if (starts.length > 0 && compareWords(starts.at(-1)!, start) === 0) {
      starts.pop()
      setNumbers.pop()
    }
    if ((setNumbers.at(-1) ?? 0) === currentSet()) return
    starts.push(start)
    setNumbers.push(currentSet())
  }
  const close = () => {
    const { next } = open.pop()!
    if (next !== undefined) begin(next)
  }
  for (const { prefix, grant } of entries) {
    while (open.length > 0 && !open.at(-1)!.prefix.contains(prefix)) close()
    const set = sets.with(currentSet(), grant)
    const top = open.at(-1)
    if (top !== undefined && top.prefix.length === prefix.length) top.set = set
    else open.push({ prefix, next: addressAfter(prefix), set })
    begin(prefix.address.words)
  }
  while (open.length > 0) close()
  return { starts, sets: setNumbers }
}

/** The first address behind a prefix; undefined where the prefix ends the address space. */
function addressAfter({ address, length }: Prefix): readonly number[] | undefined {
  if (length === 0) return undefined
  const words = [...address.words]
  const last = (length - 1) >>> 5
  words[last] = words[last]! + 2 ** (31 - ((length - 1) & 31))
  for (let i = last; words[i] === 2 ** 32; i--) {
    if (i === 0) return undefined
    words[i] = 0
    words[i - 1]!++
  }
  return words
}

function compareWords(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!
  }
  return 0
}
