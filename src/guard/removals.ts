import { ALL_CELLS, type Cells, type Directory, type DirectoryEntry, type Grant } from '../directory/directory.js'
import type { Prefix } from '../ip/prefix.js'
import { filtered, type Steps } from '../lib/steps.js'

/** A cell that an address was removed from, and until when it is accepted nevertheless. */
export interface RemovedGrant extends Grant {
  /** Milliseconds since 1970. From then on the address is not accepted. */
  readonly until: number
}

/** An entry that the list has lost, and that is accepted for a while longer. */
export interface Removal {
  readonly prefix: Prefix
  readonly grant: RemovedGrant
}

/** So many are remembered, the newest: a list that loses others every hour must not grow without end. */
const MOST = 20_000

export function isRemoved(grant: Grant): grant is RemovedGrant {
  return Object.hasOwn(grant, 'until')
}

/**
 * What the list in use loses to the next one: what was pending stays pending with the time that it had, and what comes
 * back is no longer removed.
 *
 * @param until when that which is lost now ends
 */
export function* removalsAfter(
  before: Directory,
  pending: readonly Removal[],
  after: Directory,
  until: number
): Steps<readonly Removal[]> {
  const grants = new Map<Grant, RemovedGrant>()
  const lost = (yield* notCovered(before.entries, after)).map(({ prefix, grant }) => {
    let removed = grants.get(grant)
    if (removed === undefined) {
      removed = Object.freeze({ ...grant, until })
      grants.set(grant, removed)
    }
    return { prefix, grant: removed }
  })
  return [...(yield* notCovered(pending, after)), ...lost].slice(-MOST)
}

/** The entries whose prefix lies in no prefix of the directory for the same cell. */
function notCovered<E extends DirectoryEntry>(entries: readonly E[], { matcher }: Directory): Steps<E[]> {
  return filtered(
    entries,
    ({ prefix, grant }) =>
      !matcher
        .entriesCovering(prefix)
        .some((other) => other.grant.dataCenter === grant.dataCenter && other.grant.channel === grant.channel)
  )
}

/** The prefixes that lie in no prefix of these cells of the directory. */
export function lostPrefixes(prefixes: readonly Prefix[], directory: Directory, cells: Cells): Steps<Prefix[]> {
  const { matcher } = directory
  return filtered(
    prefixes,
    (prefix) =>
      !matcher
        .entriesCovering(prefix)
        .some(({ grant }) => cells.dataCenters.includes(grant.dataCenter) && cells.channels.includes(grant.channel))
  )
}

/** The prefixes that one directory has and the other does not, whatever for. */
export function* onlyIn(directory: Directory, other: Directory): Steps<Prefix[]> {
  if (directory === other) return []
  return yield* filtered(directory.prefixesOf(ALL_CELLS), (prefix) => !other.has(prefix))
}
