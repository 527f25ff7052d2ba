import { ChannelError, DataCenterError, NoAddressesError, type Problem, type ProblemCode } from '../errors.js'
import type { Address } from '../ip/address.js'
import { compiling, type Matcher } from '../ip/matcher.js'
import type { Prefix } from '../ip/prefix.js'
import { lazily } from '../lib/lazily.js'
import { atOnce, each, type Steps } from '../lib/steps.js'
import { bounded, shown } from '../lib/text.js'
import moengage from './moengage.json' with { type: 'json' }
import { CHANNELS, type Channel, DATA_CENTERS, type DataCenter, readChannel, readDataCenter } from './names.js'
import { cellKey, type ReadCell, type ReadSnapshot, readingSnapshot, readSnapshot } from './read-snapshot.js'
import type { Snapshot } from './snapshot.js'

/** The data center and channel that an address is published for: one cell of MoEngage's page. The same cell is always the same object. */
export interface Grant {
  /** The data center, by its id. */
  readonly dataCenter: DataCenter
  /** The channel, by its id. */
  readonly channel: Channel
}

/** One published prefix with its data center and channel. */
export interface DirectoryEntry {
  /** The address or prefix. */
  readonly prefix: Prefix
  /** The cell of the page that has it. */
  readonly grant: Grant
}

/** Selects data centers and channels. Names may be written in any spelling that MoEngage or its partners use. */
export interface Selection {
  /** One data center, several, or `'all'`. */
  readonly dataCenters: string | readonly string[]
  /** `'all'` or channels by our ids or by the names of MoEngage's rows (`'all'`). */
  readonly channels?: string | readonly string[] | undefined
}

/** Data centers × channels: what a selection means. */
export interface Cells {
  readonly dataCenters: readonly DataCenter[]
  readonly channels: readonly Channel[]
}

/** All cells of the page. */
export const ALL_CELLS: Cells = { dataCenters: DATA_CENTERS, channels: CHANNELS }

const GRANTS = new Map<string, Grant>(
  DATA_CENTERS.flatMap((dataCenter) =>
    CHANNELS.map((channel) => [cellKey(dataCenter, channel), Object.freeze({ dataCenter, channel })] as const)
  )
)

const ERRORS: Partial<Record<ProblemCode, new (problem: Problem) => Error>> = {
  MOE_ERR_DATA_CENTER: DataCenterError,
  MOE_ERR_CHANNEL: ChannelError,
  MOE_ERR_NO_ADDRESSES: NoAddressesError
}

/** The list that MoEngage publishes: data centers × channels → prefixes, with its provenance. Immutable. */
export class Directory {
  readonly #read: () => ReadSnapshot
  #entries: readonly DirectoryEntry[] | undefined
  #matcher: Matcher<Grant> | undefined

  /**
   * @param snapshot what a source gave; it is checked at once
   * @param read in its place, a function that returns one which was read; it is called when that is first needed
   * @throws SnapshotError (`MOE_ERR_SNAPSHOT`)
   */
  constructor(snapshot: Snapshot | undefined, read?: () => ReadSnapshot) {
    this.#read = lazily(read ?? (() => readSnapshot(snapshot)))
    if (read === undefined) this.#read()
    Object.freeze(this)
  }

  /** Like the constructor, in steps. @internal */
  static *reading(snapshot: unknown): Steps<Directory> {
    const read = yield* readingSnapshot(snapshot)
    const directory = new Directory(undefined, () => read)
    yield* directory.#listing()
    return directory
  }

  get #snapshot(): ReadSnapshot {
    return this.#read()
  }

  /** Every published prefix with its data center and channel. */
  get entries(): readonly DirectoryEntry[] {
    return this.#entries ?? atOnce(this.#listing())
  }

  *#listing(): Steps<readonly DirectoryEntry[]> {
    this.#entries ??= Object.freeze(yield* this.#entriesIn(ALL_CELLS))
    return this.#entries
  }

  /** The entries, compiled. @internal */
  get matcher(): Matcher<Grant> {
    return this.#matcher ?? atOnce(this.compiling())
  }

  /** Like {@link matcher}, in steps. @internal */
  *compiling(): Steps<Matcher<Grant>> {
    this.#matcher ??= yield* compiling(yield* this.#listing())
    return this.#matcher
  }

  /** The page's revision, shortened as git does; every verdict carries it. */
  get revision(): string {
    return this.#snapshot.provenance.revision.slice(0, 12)
  }

  /** The page and version that the list was taken from. */
  get provenance(): Snapshot['provenance'] {
    return this.#snapshot.provenance
  }

  /** The day on which the page was last known to have this list, as `YYYY-MM-DD`: the age of the list counts from it. */
  get checked(): string {
    return this.provenance.checked ?? this.provenance.retrieved
  }

  /**
   * Rows of the page that belong to a data center or channel that this version does not know. No request is matched against
   * them.
   */
  get unknown(): ReadSnapshot['unknown'] {
    return this.#snapshot.unknown
  }

  /**
   * The cell of a data center and channel: prefixes, `'NA'` (no published static address, which does not mean no traffic), the
   * channels it is derived from, or undefined if the page has no such row.
   */
  cell(dataCenter: DataCenter, channel: Channel): ReadCell | undefined {
    return this.#snapshot.cells.get(cellKey(dataCenter, channel))
  }

  /**
   * The prefixes of a cell, or of the channels it is derived from, each once; empty if the page gives none. The same prefix is the
   * same object in all cells.
   */
  prefixes(dataCenter: DataCenter, channel: Channel): readonly Prefix[] {
    const cell = this.cell(dataCenter, channel)
    if (cell === undefined || cell === 'NA') return []
    if (!('derivedFrom' in cell)) return cell
    return [...new Set(cell.derivedFrom.flatMap((source) => this.prefixes(dataCenter, source)))]
  }

  /**
   * The entries of a part of the directory.
   *
   * @throws DataCenterError, ChannelError on a name that is unknown or could mean several;
   * NoAddressesError if a name that was given has no address, so that no request could be verified by it
   * @example
   * directory.select({ dataCenters: 'DC-03', channels: 'segment-sync' }).map(({ prefix }) => `${prefix}`) // ['3.6.251.95/32']
   */
  select(selection: Selection): DirectoryEntry[] {
    if (selection.dataCenters === undefined) {
      throw new DataCenterError({
        path: 'dataCenters',
        value: undefined,
        message: 'No data center is named.',
        fix: `Write it like { dataCenters: 'DC-01' }, or { dataCenters: 'all' }.`
      })
    }
    const { cells, problems } = this.read(selection)
    const [problem] = problems
    if (problem !== undefined) throw new ERRORS[problem.code]!(problem)
    return this.entriesOf(cells)
  }

  /**
   * Reads the names of a selection and reports everything that is wrong with it.
   *
   * @param selection names of data centers and channels; what is left out is taken from `inherited`
   * @param inherited cells of a wider scope, which were read before and are not checked again
   * @returns the cells, to be used only if there are no problems; warnings are about selections that are valid, but probably not
   * intended
   * @internal
   */
  read(
    selection: { readonly [Option in keyof Selection]?: Selection[Option] | undefined },
    inherited: Cells = { dataCenters: [], channels: CHANNELS }
  ): { readonly cells: Cells; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
    const problems: Problem[] = []
    const dataCenters = readNames(selection.dataCenters, 'dataCenters', DATA_CENTERS, readDataCenter, problems)
    const channels = readNames(selection.channels, 'channels', CHANNELS, readChannel, problems)
    const cells = {
      dataCenters: dataCenters?.names ?? inherited.dataCenters,
      channels: channels?.names ?? inherited.channels
    }
    const warnings: Problem[] = []
    // Data centers that are missing or not valid are reported as that.
    if (problems.length === 0 && cells.dataCenters.length > 0) {
      if (dataCenters?.typed || channels?.typed) this.#checkWhole(cells, problems)
      if (dataCenters?.typed && problems.length === 0) this.#checkContribution('dataCenters', cells, problems)
      if (channels?.typed && problems.length === 0) this.#checkContribution('channels', cells, problems)
      if (channels?.typed && problems.length === 0) this.#warnOfGaps(cells, warnings)
    }
    return { cells, problems, warnings }
  }

  /** Whether some cell has exactly this prefix. @internal */
  has(prefix: Prefix): boolean {
    return this.matcher.entriesCovering(prefix)[0]?.prefix.length === prefix.length
  }

  /** The doubt about an address that is met while this data center was expected, if there is one. */
  note(address: Address, dataCenter: DataCenter): string | undefined {
    return this.#snapshot.notes.find(
      (note) => note.dataCenter === dataCenter && note.address.toString() === address.toString()
    )?.text
  }

  /** The prefixes of data centers × channels that were read before, each once. @internal */
  prefixesOf({ dataCenters, channels }: Cells): Prefix[] {
    const all = new Set<Prefix>()
    for (const dataCenter of dataCenters) {
      for (const channel of channels) {
        for (const prefix of this.prefixes(dataCenter, channel)) all.add(prefix)
      }
    }
    return [...all]
  }

  /** The entries of data centers × channels that were read before. @internal */
  entriesOf(cells: Cells): DirectoryEntry[] {
    return atOnce(this.#entriesIn(cells))
  }

  *#entriesIn({ dataCenters, channels }: Cells): Steps<DirectoryEntry[]> {
    const entries: DirectoryEntry[] = []
    for (const dataCenter of dataCenters) {
      for (const channel of channels) {
        const grant = GRANTS.get(cellKey(dataCenter, channel))!
        yield* each(this.prefixes(dataCenter, channel), (prefix) => {
          entries.push(Object.freeze({ prefix, grant }))
        })
      }
    }
    return entries
  }

  #isEmpty({ dataCenters, channels }: Cells): boolean {
    return dataCenters.every((dataCenter) =>
      channels.every((channel) => this.prefixes(dataCenter, channel).length === 0)
    )
  }

  /** Where nothing is left that could be verified, no name can be dropped. */
  #checkWhole(cells: Cells, problems: Problem[]): void {
    if (!this.#isEmpty(cells)) return
    const { dataCenters, channels } = cells
    const hasOthers = !this.#isEmpty({ dataCenters, channels: CHANNELS })
    const [path, names] = hasOthers ? (['channels', channels] as const) : (['dataCenters', dataCenters] as const)
    problems.push({
      code: 'MOE_ERR_NO_ADDRESSES',
      path,
      value: names.length === 1 ? names[0] : names,
      message: noAddressFor(cells),
      fix: hasOthers
        ? `Write channels: 'all', and put the addresses that MoEngage's support gave you into "allow".`
        : this.#otherDataCenters()
    })
  }

  #otherDataCenters(): string {
    const others = DATA_CENTERS.filter(
      (dataCenter) => !this.#isEmpty({ dataCenters: [dataCenter], channels: CHANNELS })
    )
    return `Name the data center of your workspace (${others.join(', ')}), or load a list that has its addresses.`
  }

  /** A user who types a name expects that requests are verified by it. A name without any address is a mistake. */
  #checkContribution(option: 'dataCenters' | 'channels', cells: Cells, problems: Problem[]): void {
    const partOf = (name: DataCenter | Channel): Cells => ({ ...cells, [option]: [name] })
    const barren = cells[option].filter((name: DataCenter | Channel) => this.#isEmpty(partOf(name)))
    for (const name of barren) {
      problems.push({
        code: 'MOE_ERR_NO_ADDRESSES',
        path: option,
        value: name,
        message: noAddressFor(partOf(name)),
        fix: `Drop "${name}", or add the addresses that MoEngage's support gave you to "allow" and leave the name out.`
      })
    }
  }

  #warnOfGaps({ dataCenters, channels }: Cells, warnings: Problem[]): void {
    for (const dataCenter of dataCenters) {
      for (const channel of channels) {
        if (this.prefixes(dataCenter, channel).length > 0) continue
        warnings.push({
          code: 'MOE_WARN_CHANNEL',
          path: 'channels',
          value: channel,
          message: `MoEngage publishes no static address for ${channel} in ${dataCenter}: such requests will be rejected.`,
          fix: 'Ask MoEngage support which addresses they come from, and add those to "allow".'
        })
      }
    }
  }
}

function noAddressFor({ dataCenters, channels }: Cells): string {
  const which = channels.length === CHANNELS.length ? 'any channel' : channels.join(', ')
  return `MoEngage publishes no static address for ${which} in ${dataCenters.join(', ')}, so its requests could never be verified.`
}

interface Names<T> {
  readonly names: readonly T[]
  /** False for `'all'`, which does not promise an address for every name. */
  readonly typed: boolean
}

const isAll = (text: unknown) => typeof text === 'string' && text.trim().toLowerCase() === 'all'

function readNames<T>(
  value: unknown,
  option: string,
  all: readonly T[],
  read: (text: unknown, path: string) => { ok: T } | { problem: Problem },
  problems: Problem[]
): Names<T> | undefined {
  if (value === undefined) return undefined
  if (value === 'all') return { names: all, typed: false }
  const names = new Set<T>()
  const list = Array.isArray(value) ? value : [value]
  if (list.some(isAll)) {
    const isListed = Array.isArray(value)
    problems.push({
      code: option === 'channels' ? 'MOE_ERR_CHANNEL' : 'MOE_ERR_DATA_CENTER',
      path: option,
      value: bounded(value),
      message: isListed
        ? `'all' stands in a list of names, and is none.`
        : `The word is 'all', in small letters, and not ${shown(value)}.`,
      fix: `Write 'all'${isListed ? ' by itself' : ''}${list.length > 1 ? ', or the names without it' : ''}.`
    })
    return undefined
  }
  for (const [i, text] of list.entries()) {
    const outcome = read(text, Array.isArray(value) ? `${option}[${i}]` : option)
    if ('ok' in outcome) names.add(outcome.ok)
    else problems.push({ ...outcome.problem, value: bounded(text) })
  }
  if (list.length === 0) {
    problems.push({
      code: 'MOE_ERR_NO_ADDRESSES',
      path: option,
      value,
      message: 'The list is empty, so no request could ever be verified.',
      fix: `Name at least one, or write 'all'.`
    })
  }
  return { names: [...names], typed: true }
}

/** The directory that is bundled with this package. Its `provenance` names the revision and the day. */
export const directory = new Directory(undefined, () => readSnapshot(moengage))
