import { ALL_CELLS, type Directory, type Grant } from '../directory/directory.js'
import { compiling, type Entry, LayeredMatcher, type Matcher } from '../ip/matcher.js'
import type { Prefix } from '../ip/prefix.js'
import { filtered, type Steps } from '../lib/steps.js'
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
  return typeof grant !== 'string' && Object.hasOwn(grant, 'dataCenter')
}

/** Whether a grant is an override's. */
export function isOverride(grant: ListGrant): grant is OverrideGrant {
  return typeof grant !== 'string' && Object.hasOwn(grant, 'override')
}

/** A row of the page that belongs to a data center or channel which this version does not know. */
export type UnknownRow = Directory['unknown'][number]

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
  /** The day on which it was last known to be current, where that is not what the directory says. */
  readonly checked?: string
}

/** What is found out about a list when it is compiled. */
type Found = Pick<CompiledList, 'matcher' | 'allowed' | 'holdsProxies' | 'unknown'>

/**
 * One version of all that requests are judged by: MoEngage's list and the user's own, compiled into one matcher, with
 * the verdicts that were remembered from it. A reload makes a new one, so nothing outlives the list that it belongs to.
 */
export class CompiledList {
  readonly directory: Directory
  readonly matcher: LayeredMatcher<ListGrant>
  readonly revision: string
  /** What the list has lost and is accepted nevertheless. */
  readonly removals: readonly Removal[]
  /** What the user accepts beside it, by the option `allow` and by overrides. */
  readonly allowed: readonly Prefix[]
  /** Whether it is too old to accept anything by it. */
  readonly isStale: boolean
  /** The day on which it was last known to be current, when it was compiled. */
  readonly checked: string
  /** Whether a trusted proxy has an address that the list holds, so that a client may be a proxy. */
  readonly holdsProxies: boolean
  /** The rows of the page that this version does not know, by their addresses; undefined where there are none. */
  readonly unknown: Matcher<UnknownRow> | undefined
  readonly verdicts: VerdictCache

  private constructor({ directory, own, removals, isStale, checked }: ListParts, found: Found) {
    this.directory = directory
    this.revision = directory.revision
    this.removals = removals
    this.isStale = isStale
    this.checked = checked ?? directory.checked
    this.matcher = found.matcher
    this.allowed = found.allowed
    this.holdsProxies = found.holdsProxies
    this.unknown = found.unknown
    this.verdicts = new VerdictCache(own.cacheSize)
  }

  static *compiling(parts: ListParts): Steps<CompiledList> {
    const { directory, own, removals, overrides } = parts
    const ownEntries = (grant: 'allow' | 'deny') => own[grant].map((prefix) => ({ prefix, grant }))
    const added: Entry<ListGrant>[] = [
      ...removals,
      ...ownEntries('allow'),
      ...ownEntries('deny'),
      ...overrides.flatMap(overrideEntries)
    ]
    const published: Matcher<ListGrant> = yield* directory.compiling()
    const matcher = new LayeredMatcher(published, added.length === 0 ? undefined : yield* compiling(added))
    const allowed = [...own.allow, ...overrides.flatMap(({ allow }) => allow)]
    const senders = [...directory.prefixesOf(ALL_CELLS), ...allowed]
    const isProxy = (sender: Prefix) => own.trustedProxies.some((proxy) => proxy.overlaps(sender))
    const holdsProxies = (yield* filtered(senders, isProxy)).length > 0
    const unknownEntries = directory.unknown.flatMap((grant) =>
      Array.isArray(grant.cell) ? grant.cell.map((prefix) => ({ prefix, grant })) : []
    )
    const unknown = unknownEntries.length === 0 ? undefined : yield* compiling(unknownEntries)
    return new CompiledList(parts, { matcher, allowed, holdsProxies, unknown })
  }
}
