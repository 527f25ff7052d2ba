import { hostname } from 'node:os'
import type { LastVerified } from '../guard/counters.js'
import type { FleetSender, FleetStatus, Replica, ReportingGuard } from '../guard/fleet.js'
import { isCount, isRecord } from '../lib/json.js'
import { loudest } from '../senders/loudest.js'
import { NONE_OPEN, openOf, openOfBoth } from '../senders/open.js'
import type { Sender } from '../senders/senders.js'
import { REASONS, totalOf } from '../verdict/verdict.js'
import type { FleetStore } from './store.js'

/** A report that is longer is left out of the sums. */
export const MAX_BYTES = 16_384
/** More replicas than this are not read. */
export const MAX_REPLICAS = 2_000
/** A replica is gone after this many reports that did not come. */
const MISSED = 3
/** Maximum number of senders of the whole fleet that are returned. */
const MAX_SENDERS = 100
/** Maximum number that are kept while the reports are read. */
const MAX_MERGED = 10_000
const MAX_TEXTS = 20
/** A report with a longer text is none. */
const MAX_TEXT = 500
/** Maximum number of replicas that are named for a sender. */
const MAX_REJECTING = 3

/** What a replica writes about itself. Each replica owns its document, so neither a retry nor a death counts anything twice. */
export interface Report
  extends Omit<
    Replica,
    | 'state'
    | 'verifiedByAllow'
    | 'rejected'
    | 'reasons'
    | 'open'
    | 'tagged'
    | 'turnedAway'
    | 'withSecret'
    | 'lastVerified'
  > {
  readonly isClosed: boolean
  /** Milliseconds until the next one. */
  readonly every: number
  /** An older version does not report it. */
  readonly verifiedByAllow?: number
  readonly rejected: Replica['reasons']
  /** Those that are open; an older version does not report it. */
  readonly open?: Replica['reasons']
  /** What became of them; an older version reports neither. */
  readonly tagged?: number
  readonly turnedAway?: number
  readonly lastVerified: readonly LastVerified[]
  readonly senders: readonly Sender[]
}

/** What a replica knows of itself beside its guard. */
export interface ReportBasis {
  readonly id: string
  readonly started: number
  readonly every: number
  /** Maximum number of senders in a report. */
  readonly senders: number
}

/** The report of a guard as JSON; the senders with the fewest rejections are left out where it would be too long. */
export function reportOf(
  guard: ReportingGuard,
  { id, started, every, senders }: ReportBasis,
  version: number | null,
  isClosed: boolean
): Report {
  const { revision, lastError, verified, verifiedByAllow, rejected, open, tagged, turnedAway, lastVerified } =
    guard.status()
  const report: Report = {
    id,
    host: hostname(),
    pid: process.pid,
    started,
    reported: Date.now(),
    isClosed,
    every,
    version,
    revision,
    lastError: lastError === null ? null : shortError(lastError),
    verified,
    verifiedByAllow,
    rejected: withoutNone(rejected),
    open: withoutNone(open),
    tagged,
    turnedAway,
    lastVerified: lastVerified.slice(0, MAX_TEXTS),
    senders: guard.senders(senders).map(withoutSame)
  }
  return shortened(report)
}

/** An error without its middle, where it is longer than a text of a report may be: at its end it says what to do. */
function shortError(text: string): string {
  const kept = Math.floor((MAX_TEXT - 1) / 2)
  return text.length <= MAX_TEXT ? text : `${text.slice(0, kept)}…${text.slice(-kept)}`
}

const withoutNone = (counts: Replica['reasons']) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))

/** A sender without what its totals say as well: most senders have nothing but open rejections. */
function withoutSame({ open, ...sender }: Sender): Sender {
  return isSameCounts(open!.reasons, sender.reasons) ? sender : { ...sender, open: open! }
}

const isSameCounts = (a: Replica['reasons'], b: Replica['reasons']) =>
  REASONS.every((reason) => a[reason] === b[reason])

function shortened(report: Report): Report {
  let short = report
  while (Buffer.byteLength(JSON.stringify(short)) > MAX_BYTES && short.senders.length + short.lastVerified.length > 0) {
    const half = (list: readonly unknown[]) => Math.floor(list.length / 2)
    short = {
      ...short,
      senders: loudest(short.senders, half(short.senders)),
      lastVerified: short.lastVerified.slice(0, half(short.lastVerified))
    }
  }
  return short
}

const isTime = (value: unknown): value is number => isCount(value) && value <= 8.64e15
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_TEXT
const isTexts = (value: unknown) => Array.isArray(value) && value.length <= MAX_TEXTS && value.every(isText)
const isOptionalCount = (value: unknown) => value === undefined || isCount(value)
const orNull = (isRight: (value: unknown) => boolean) => (value: unknown) => value === null || isRight(value)

/** Whether an object has properties of the right kind. */
function has(value: unknown, kinds: Readonly<Record<string, (field: unknown) => boolean>>): boolean {
  return (
    isRecord(value) &&
    Object.entries(kinds).every(([name, isRight]) => Object.hasOwn(value, name) && isRight(value[name]))
  )
}

const isCounts = (value: unknown) =>
  isRecord(value) &&
  Object.entries(value).every(([reason, count]) => REASONS.includes(reason as never) && isCount(count))

const isLastVerified = (value: unknown) =>
  has(value, { at: isTime, dataCenter: orNull(isText), channels: isTexts, route: orNull(isText) })

const isSender = (value: unknown) =>
  has(value, {
    clientIp: isText,
    count: isCount,
    firstSeen: isTime,
    lastSeen: isTime,
    // Each of its rejections had a reason.
    reasons: (value) => isCounts(value) && Object.keys(value as object).length > 0,
    withSecret: isCounts,
    routes: isTexts,
    removed: orNull(isText),
    listedFor: (list) =>
      Array.isArray(list) &&
      list.length <= MAX_TEXTS &&
      list.every((item) => has(item, { dataCenter: isText, channels: isTexts }))
  })

/** Whether the open rejections of a sender are some of all. */
function isOpen({ reasons, withSecret, open }: Sender): boolean {
  if (open === undefined) return true
  return (
    has(open, { reasons: isCounts, withSecret: isCounts }) &&
    totalOf(open.reasons) <= totalOf(reasons) &&
    totalOf(open.withSecret) <= Math.min(totalOf(withSecret), totalOf(open.reasons))
  )
}

const listOf = (isRight: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.length <= 1000 && value.every(isRight)

/** Reads a report, which anybody who can write to the store may have written; undefined where it is not one. */
export function readReport(text: string): Report | undefined {
  let report: unknown
  try {
    report = JSON.parse(text)
  } catch {
    return undefined
  }
  const isReport = has(report, {
    id: isText,
    host: isText,
    pid: isCount,
    started: isTime,
    reported: isTime,
    isClosed: (value) => typeof value === 'boolean',
    every: isCount,
    version: orNull(isCount),
    revision: isText,
    lastError: orNull(isText),
    verified: isCount,
    rejected: isCounts,
    lastVerified: listOf(isLastVerified),
    senders: listOf((sender) => isSender(sender) && isOpen(sender as Sender))
  })
  if (!isReport) return undefined
  const { verifiedByAllow, tagged, turnedAway, rejected, open = {} } = report as Report
  const isSum = isCounts(open) && totalOf(open) <= totalOf(rejected)
  const isRight = [verifiedByAllow, tagged, turnedAway].every(isOptionalCount) && isSum
  return isRight ? (report as Report) : undefined
}

/** What is in the reports of all replicas. */
type Sums = Omit<FleetStatus, 'name' | 'self' | 'isSigned' | 'trustsReports' | 'overrides' | 'lastError' | 'warnings'>

/** Adds up reports as they come, in bounded memory. */
export class FleetSums {
  readonly #self: string | null
  readonly #replicas: Replica[] = []
  #verified = 0
  readonly #rejected: Record<string, number> = {}
  readonly #senders = new Map<string, FleetSender>()
  readonly #lastVerified = new Map<string, LastVerified>()

  /** @param self the replica that reads the reports; null where none does */
  constructor(self: string | null = null) {
    this.#self = self
  }

  /** @param age milliseconds since it was written */
  add(report: Report, age: number): void {
    const { lastVerified, rejected, senders, isClosed, every, ...own } = report
    const { open = null, verifiedByAllow = null, tagged = null, turnedAway = null } = report
    const isLate = age > MISSED * every
    const state = isClosed ? 'closed' : isLate ? 'gone' : 'live'
    this.#replicas.push({
      ...own,
      verifiedByAllow,
      state,
      open,
      rejected: totalOf(rejected),
      reasons: rejected,
      tagged,
      turnedAway,
      withSecret: senders.reduce((sum, sender) => sum + totalOf(sender.withSecret), 0),
      lastVerified: lastVerified.reduce<number | null>((latest, { at }) => Math.max(latest ?? at, at), null)
    })
    this.#verified += own.verified
    for (const [reason, count] of Object.entries(rejected))
      this.#rejected[reason] = (this.#rejected[reason] ?? 0) + count!
    // Anybody who can write to the store may have written something else.
    for (const sender of senders) {
      const open = own.id === this.#self ? NONE_OPEN : openOf(sender)
      const isRejecting = state === 'live' && totalOf(open.reasons) > 0
      this.#addSender({ ...sender, isOwn: sender.isOwn === true, open, rejecting: isRejecting ? [own.id] : [] })
    }
    for (const last of lastVerified) this.#addLast(last)
  }

  #addSender(sender: FleetSender): void {
    const known = this.#senders.get(sender.clientIp)
    if (known === undefined) {
      if (this.#senders.size < MAX_MERGED) this.#senders.set(sender.clientIp, sender)
      return
    }
    this.#senders.set(sender.clientIp, {
      ...known,
      ...(sender.lastSeen > known.lastSeen && { listedFor: sender.listedFor, removed: sender.removed }),
      count: known.count + sender.count,
      firstSeen: Math.min(known.firstSeen, sender.firstSeen),
      lastSeen: Math.max(known.lastSeen, sender.lastSeen),
      reasons: added(known.reasons, sender.reasons),
      withSecret: added(known.withSecret, sender.withSecret),
      routes: [...new Set([...known.routes, ...sender.routes])].slice(0, MAX_TEXTS),
      isOwn: known.isOwn || sender.isOwn,
      open: openOfBoth(known, sender),
      rejecting: [...known.rejecting, ...sender.rejecting].slice(0, MAX_REJECTING)
    })
  }

  #addLast(last: LastVerified): void {
    const key = JSON.stringify([last.route, last.dataCenter, last.channels])
    const known = this.#lastVerified.get(key)
    if (known === undefined ? this.#lastVerified.size < MAX_MERGED : last.at > known.at)
      this.#lastVerified.set(key, last)
  }

  /** @param version the version in the store */
  result(version: number | null): Sums {
    const order = { live: 0, gone: 1, closed: 2 }
    const live = this.#replicas.filter(({ state }) => state === 'live')
    return {
      version,
      replicas: this.#replicas.sort((a, b) => order[a.state] - order[b.state] || b.reported - a.reported),
      live: live.length,
      current: live.filter((replica) => replica.version === version).length,
      verified: this.#verified,
      rejected: this.#rejected,
      senders: loudest([...this.#senders.values()], MAX_SENDERS),
      lastVerified: [...this.#lastVerified.values()].sort((a, b) => b.at - a.at).slice(0, MAX_SENDERS)
    }
  }
}

function added(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum = { ...a }
  for (const [reason, count] of Object.entries(b)) sum[reason] = (sum[reason] ?? 0) + count
  return sum
}

/** Reads and adds up what all replicas reported; see {@link FleetSums} for `self`. */
export async function readSums(store: Pick<FleetStore, 'poll' | 'reports'>, self: string | null = null): Promise<Sums> {
  const sums = new FleetSums(self)
  for await (const group of store.reports(MAX_REPLICAS, MAX_BYTES + 1)) {
    for (const { id, text, age } of group) {
      const report = readReport(text)
      if (report?.id === id) sums.add(report, age)
    }
  }
  // Read last: what a replica uses is no newer, unless the store has gone back.
  return sums.result(await store.poll())
}
