import type { Directory, Grant } from '../directory/directory.js'
import { compileMatcher, type Entry, type Matcher } from '../ip/matcher.js'
import type { Settings } from './options.js'
import { type OpenOverride, type OverrideGrant, overrideEntries } from './overrides.js'
import type { Removal, RemovedGrant } from './removals.js'
import { VerdictCache } from './verdict-cache.js'

/**
 * What an entry of the compiled list stands for: a cell of MoEngage's page, one that the address was removed from a
 * while ago, one of the user's own lists, or an override.
 */
export type ListGrant = Grant | RemovedGrant | OverrideGrant | 'allow' | 'deny'

/** Whether a grant is a cell of MoEngage's page, as it is now or as it was. */
export function isCell(grant: ListGrant): grant is Grant | RemovedGrant {
  return typeof grant !== 'string' && 'dataCenter' in grant
}

/** Whether a grant is an override's. */
export function isOverride(grant: ListGrant): grant is OverrideGrant {
  return typeof grant !== 'string' && 'override' in grant
}

/** What a list is compiled from. */
export interface ListParts {
  readonly directory: Directory
  readonly own: Pick<Settings<never>, 'allow' | 'deny' | 'cacheSize' | 'trustedProxies'>
  /** What the directory has lost and is accepted nevertheless. */
  readonly removals: readonly Removal[]
  /** The overrides in force. */
  readonly overrides: readonly OpenOverride[]
  /** Whether the directory is too old to accept anything by it. */
  readonly isStale: boolean
}

/**
 * One version of all that requests are judged by: MoEngage's list and the user's own, compiled into one matcher, with
 * the verdicts that were remembered from it. A reload makes a new one, so nothing outlives the list that it belongs to.
 */
export class CompiledList {
  readonly directory: Directory
  readonly matcher: Matcher<ListGrant>
  readonly revision: string
  /** What the list has lost and is accepted nevertheless. */
  readonly removals: readonly Removal[]
  /** Whether it is too old to accept anything by it. */
  readonly isStale: boolean
  /** Whether a trusted proxy has an address that the list holds, so that a client may be a proxy. */
  readonly holdsProxies: boolean
  readonly verdicts: VerdictCache

  constructor({ directory, own, removals, overrides, isStale }: ListParts) {
    const ownEntries = (grant: 'allow' | 'deny') => own[grant].map((prefix) => ({ prefix, grant }))
    const entries: Entry<ListGrant>[] = [
      ...directory.entries,
      ...removals,
      ...ownEntries('allow'),
      ...ownEntries('deny'),
      ...overrides.flatMap(overrideEntries)
    ]
    this.directory = directory
    this.revision = directory.revision
    this.removals = removals
    this.isStale = isStale
    this.matcher = compileMatcher(entries)
    const senders = [
      ...directory.entries.map(({ prefix }) => prefix),
      ...own.allow,
      ...overrides.flatMap(({ allow }) => allow)
    ]
    this.holdsProxies = senders.some((sender) => own.trustedProxies.some((proxy) => proxy.overlaps(sender)))
    this.verdicts = new VerdictCache(own.cacheSize)
  }
}
