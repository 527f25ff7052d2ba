import type { Directory, DirectoryEntry, Grant } from '../directory/directory.js'
import { compileMatcher } from '../ip/matcher.js'
import type { Prefix } from '../ip/prefix.js'

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

export function isRemoved(grant: Grant | string): grant is RemovedGrant {
  return typeof grant !== 'string' && 'until' in grant
}

/**
 * What the list in use loses to the next one: what was pending stays pending with the time that it had, and what comes
 * back is no longer removed.
 *
 * @param until when that which is lost now ends
 */
export function removalsAfter(
  before: Directory,
  pending: readonly Removal[],
  after: Directory,
  until: number
): readonly Removal[] {
  const grants = new Map<Grant, RemovedGrant>()
  const lost = notCovered(before.entries, after.entries).map(({ prefix, grant }) => {
    let removed = grants.get(grant)
    if (removed === undefined) {
      removed = Object.freeze({ ...grant, until })
      grants.set(grant, removed)
    }
    return { prefix, grant: removed }
  })
  return [...notCovered(pending, after.entries), ...lost].slice(-MOST)
}

/** The entries whose prefix lies in no prefix of the others for the same cell. */
function notCovered<E extends DirectoryEntry>(entries: readonly E[], others: readonly DirectoryEntry[]): E[] {
  const matcher = compileMatcher(others)
  return entries.filter(
    ({ prefix, grant }) =>
      !matcher
        .entriesFor(prefix.address)
        .some(
          (other) =>
            other.prefix.length <= prefix.length &&
            other.grant.dataCenter === grant.dataCenter &&
            other.grant.channel === grant.channel
        )
  )
}

/** The prefixes that lie in none of the others. */
export function lostPrefixes(prefixes: readonly Prefix[], others: readonly Prefix[]): Prefix[] {
  const matcher = compileMatcher(others.map((prefix) => ({ prefix, grant: prefix })))
  return prefixes.filter(
    (prefix) => !matcher.entriesFor(prefix.address).some((other) => other.prefix.length <= prefix.length)
  )
}
