import { LRUCache } from 'lru-cache'
import { textOfKey } from '../ip/address.js'
import { noCounts, REASONS, type Reason, totalOf } from '../verdict/verdict.js'
import type { Redact } from './redact.js'
import { SegmentedCache } from './segmented-cache.js'

/** A data center, and the channels in it, that an address is published for. */
export interface ListedFor {
  /** The data center. */
  readonly dataCenter: string
  /** The channels of the data center that the address is published for. */
  readonly channels: readonly string[]
}

/** Rejections of one sender, by reason. */
export interface RejectionsByReason {
  /** How many there are. */
  readonly reasons: Readonly<Partial<Record<Reason, number>>>
  /** How many of them carried your secret (`carriesSecret`). */
  readonly withSecret: Readonly<Partial<Record<Reason, number>>>
}

/** A client IP that was rejected, and how often. Times are milliseconds since 1970. */
export interface Sender {
  /** The address in canonical text, or its replacement by `redactAddress`. */
  readonly clientIp: string
  /**
   * How often it was rejected since `firstSeen`: an exact number. A sender that is forgotten, because more senders came than are
   * remembered, begins anew with its next rejection.
   */
  readonly count: number
  /** When it was rejected for the first time since it is remembered. */
  readonly firstSeen: number
  /** When it was rejected last. */
  readonly lastSeen: number
  /** How often for each reason, since `firstSeen`. */
  readonly reasons: Readonly<Partial<Record<Reason, number>>>
  /** How many of its rejected requests carried your secret (`carriesSecret`), by reason. */
  readonly withSecret: Readonly<Partial<Record<Reason, number>>>
  /** The patterns of the routes that it called: the first eight. */
  readonly routes: readonly string[]
  /** What MoEngage publishes the address for; empty for strangers. */
  readonly listedFor: readonly ListedFor[]
  /** The day (`YYYY-MM-DD`) on which a reload no longer found the address in MoEngage's list; null where none noticed. */
  readonly removed: string | null
  /** Whether it is part of your own set-up, a trusted proxy, an internal or a provider's address, and so cannot be MoEngage. */
  readonly isOwn: boolean
  /**
   * Those of its rejections that would be rejections now, by the reason that they would have now: a newer list or an override may have
   * mended some. Absent where that is not known: in a log, and of a replica whose version does not report it.
   */
  readonly open?: RejectionsByReason
}

/** A sender as it is remembered. */
export interface Remembered extends RejectionsByReason {
  readonly key: SenderRejections['key']
  /** The policies that rejected it for each reason, one bit each; 0 where they are not known. */
  readonly policies: Readonly<Partial<Record<Reason, number>>>
}

/** What is known of addresses beyond their rejections. */
export interface AddressBook {
  /** What MoEngage publishes an address for. */
  listedFor(clientIp: string): readonly ListedFor[]
  /** The day on which an address was found to be gone from the list; null where it was not. */
  removed(clientIp: string): string | null
  /** Whether an address is part of the receiver's own set-up. */
  isOwn(clientIp: string): boolean
  /** Which rejections of a sender are open: the sender itself where all are as they were. Absent where nothing is known. */
  open?(sender: Remembered): RejectionsByReason
}

/** What the rejections of all remembered senders would be now. */
export interface Outlook {
  /** Like {@link AddressBook.open}, for a sender that was remembered when the outlook was made. */
  readonly open: (sender: Remembered) => RejectionsByReason
  /** How many rejections are open, by the reason that they would have now. */
  readonly counts: Record<Reason, number>
  /** How many rejections there were. */
  readonly remembered: Record<Reason, number>
}

/** Which senders to list. */
export interface SenderQuery {
  /** At most this many (all); without a reason, those whose requests carried the secret are not left out for others. */
  readonly limit?: number
  /** Only senders with open rejections for this reason, in the order of how many they have. */
  readonly reason?: Reason
  /** Only addresses that MoEngage publishes, or only those that were removed from its list. */
  readonly only?: 'listedFor' | 'removed' | undefined
  /** Only senders of which requests carried the secret; with a reason, in the order of how many of its open ones did. */
  readonly withSecret?: true
  /** Only senders with these addresses. */
  readonly isWanted?: (clientIp: string, lastSeen: number) => boolean
}

/** Rejections of one sender: one, or several that one line of a log counts. */
export interface SenderRejections {
  /** A {@link ParsedAddress.key}, or the text that an address has in a log, in one piece of memory. */
  readonly key: number | string
  readonly reason: Reason
  /** The pattern of the route; null where there is none. */
  readonly pattern: string | null
  /** Milliseconds since 1970. */
  readonly time: number
  readonly count: number
  /** Whether all of them carried the secret. */
  readonly withSecret: boolean
  /** The policies that rejected it, one bit each; 0 where they are not known. */
  readonly policies: number
}

/** Maximum number of senders with the secret. They have places of their own, from which no stranger can push them out. */
const MAX_WITH_SECRET = 1024

/** How many rejections are counted together. */
const BATCH = 256

/** How many senders are collected before the last of them are dropped. */
const SORTED_AT_ONCE = 100

/** Maximum number of routes that are kept of a sender. */
const ROUTES = 8

/** What is counted of one sender, or of several that share a redacted name. */
interface Counts {
  count: number
  firstSeen: number
  lastSeen: number
  readonly reasons: Partial<Record<Reason, number>>
  readonly withSecret: Partial<Record<Reason, number>>
  readonly routes: string[]
}

/** What is counted of a sender that never sent the secret. */
const NONE: Partial<Record<Reason, number>> = Object.freeze({})

/** The reasons of a sender that was rejected once: most senders of a flood are, and what they share is not collected with them. */
const ONCE = Object.fromEntries(REASONS.map((reason) => [reason, Object.freeze({ [reason]: 1 })])) as Record<
  Reason,
  Partial<Record<Reason, number>>
>

/** The policies that rejected most senders: a server has few, and what senders share is not collected with them. */
const POLICIES = Object.fromEntries(REASONS.map((reason) => [reason, new Map()])) as Record<
  Reason,
  Map<number, Remembered['policies']>
>

function policiesFor(reason: Reason, policies: number): Remembered['policies'] {
  const shared = POLICIES[reason]
  const known = shared.get(policies) ?? Object.freeze({ [reason]: policies })
  shared.set(policies, known)
  return known
}

/** What is remembered of one sender. */
class SenderRecord {
  readonly key: number | string
  count: number
  firstSeen: number
  lastSeen: number
  /** Its own as soon as it was rejected twice. */
  reasons: Partial<Record<Reason, number>>
  withSecret = NONE
  policies: Remembered['policies']
  /** The first route; null where there was none. */
  readonly #route: string | null
  /** The routes; undefined as long as there is one at most. */
  #routes: string[] | undefined

  constructor({ key, reason, pattern, time, count, withSecret, policies }: SenderRejections) {
    this.key = key
    this.count = count
    this.firstSeen = time
    this.lastSeen = time
    this.reasons = count === 1 ? ONCE[reason] : { [reason]: count }
    this.policies = policiesFor(reason, policies)
    this.#route = pattern
    if (withSecret) this.#addSecret(reason, count)
  }

  add({ reason, pattern, time, count, withSecret, policies }: SenderRejections): void {
    const bits = this.policies[reason] ?? 0
    if ((bits | policies) !== bits) this.policies = { ...this.policies, [reason]: bits | policies }
    if (this.count === 1) this.reasons = { ...this.reasons }
    this.count += count
    this.firstSeen = Math.min(this.firstSeen, time)
    this.lastSeen = Math.max(this.lastSeen, time)
    this.reasons[reason] = (this.reasons[reason] ?? 0) + count
    if (pattern !== null && pattern !== this.#route) {
      this.#routes ??= this.routes
      addRoute(this.#routes, pattern)
    }
    if (withSecret) this.#addSecret(reason, count)
  }

  get routes(): string[] {
    return this.#routes ?? (this.#route === null ? [] : [this.#route])
  }

  #addSecret(reason: Reason, count: number): void {
    this.withSecret = { ...this.withSecret, [reason]: (this.withSecret[reason] ?? 0) + count }
  }

  get clientIp(): string {
    return textOfKey(this.key)
  }
}

function addRoute(routes: string[], pattern: string): void {
  if (routes.length < ROUTES && !routes.includes(pattern)) routes.push(pattern)
}

/** Remembers rejected senders in constant memory; see {@link SegmentedCache} for who is forgotten. */
export class Senders {
  readonly #records: SegmentedCache<number | string, SenderRecord>
  /** Senders of which a request carried the secret; undefined until there is one. */
  #withSecret: LRUCache<number | string, SenderRecord> | undefined
  readonly #redact: Redact | undefined
  /** Rejections that are not counted yet: the first {@link #notedCount} of them. */
  readonly #noted: SenderRejections[] = []
  #notedCount = 0

  /** @param capacity maximum number of senders that are remembered */
  constructor(capacity: number, redact: Redact | undefined) {
    this.#records = new SegmentedCache(capacity)
    this.#redact = redact
  }

  /**
   * Notes rejections of a sender. They are counted in batches: between two requests the records leave the processor's caches, and
   * counting each rejection at once made the rejection of a stranger 6 % slower.
   */
  record(rejections: SenderRejections): void {
    this.#noted[this.#notedCount++] = rejections
    if (this.#notedCount === BATCH) this.#counted()
  }

  /** The records, with all rejections that were noted. */
  #counted(): SegmentedCache<number | string, SenderRecord> {
    const records = this.#records
    for (let i = 0; i < this.#notedCount; i++) {
      const rejections = this.#noted[i]!
      if (this.#countWithSecret(rejections)) continue
      const known = records.again(rejections.key)
      if (known !== undefined) known.add(rejections)
      else records.add(rejections.key, new SenderRecord(rejections), rejections.count > 1)
    }
    this.#notedCount = 0
    return records
  }

  /** Counts rejections with the secret, and those of a sender that had it before. Returns whether they are such. */
  #countWithSecret(rejections: SenderRejections): boolean {
    const { key, withSecret } = rejections
    if (!withSecret && this.#withSecret === undefined) return false
    this.#withSecret ??= new LRUCache({ max: MAX_WITH_SECRET })
    const known = this.#withSecret.get(key)
    if (known !== undefined) {
      known.add(rejections)
      return true
    }
    if (!withSecret) return false
    const before = this.#records.take(key)
    before?.add(rejections)
    this.#withSecret.set(key, before ?? new SenderRecord(rejections))
    return true
  }

  /** How many senders are remembered. */
  get size(): number {
    return this.#counted().size + (this.#withSecret?.size ?? 0)
  }

  #all(): Iterable<SenderRecord> {
    const records = this.#counted().values()
    return this.#withSecret === undefined ? records : [...this.#withSecret.values(), ...records]
  }

  /** Senders with the secret have places of their own, so the others need not be looked at. */
  #allWithSecret(): Iterable<SenderRecord> {
    this.#counted()
    return this.#withSecret?.values() ?? []
  }

  /** Whether more senders came than are remembered. */
  get isCrowd(): boolean {
    return this.#counted().hasForgotten
  }

  /** Judges all remembered senders anew. */
  outlook(judge: (sender: Remembered) => RejectionsByReason): Outlook {
    const changed = new Map<Remembered, RejectionsByReason>()
    const [counts, remembered] = [noCounts(), noCounts()]
    for (const record of this.#all()) {
      const open = judge(record)
      if (open !== record) changed.set(record, open)
      add(counts, open.reasons)
      add(remembered, record.reasons)
    }
    return { open: (sender) => changed.get(sender) ?? sender, counts, remembered }
  }

  /** The remembered senders, those with the most rejections first. */
  list(book: AddressBook, query: SenderQuery = {}): Sender[] {
    const { limit = Number.POSITIVE_INFINITY, reason, only, withSecret = false, isWanted: isAddressWanted } = query
    const counts = withSecret ? 'withSecret' : 'reasons'
    const open = (record: SenderRecord) => book.open?.(record) ?? record
    const isWanted = (record: SenderRecord) =>
      (reason === undefined || open(record)[counts][reason] !== undefined) &&
      (!withSecret || record.withSecret !== NONE) &&
      (only === undefined || isIn(book, only, record.clientIp)) &&
      (isAddressWanted === undefined || isAddressWanted(record.clientIp, record.lastSeen))
    const rankOfRecord = (record: SenderRecord) => (reason === undefined ? record.count : open(record)[counts][reason]!)
    const rankOfNamed = (named: Named) => (reason === undefined ? named.count : (named.open ?? named)[counts][reason]!)
    const order = <Item extends Counts>(a: Item, b: Item, rank: (item: Item) => number) =>
      rank(b) - rank(a) || b.lastSeen - a.lastSeen
    // A crowd of strangers must not hide who carried the secret.
    const isPutFirst = (record: SenderRecord) =>
      reason === undefined && record.withSecret !== NONE && totalOf(open(record).withSecret) > 0
    const choice = (a: SenderRecord, b: SenderRecord) =>
      Number(isPutFirst(b)) - Number(isPutFirst(a)) || order(a, b, rankOfRecord)
    const nameOne = (record: SenderRecord) => nameAlone(record, book)
    const redact = this.#redact
    const records = withSecret ? this.#allWithSecret() : this.#all()
    // Addresses that become the same text are ranked together.
    const named =
      redact?.joins === undefined
        ? first(limit, choice, records, isWanted).map(nameOne)
        : first(
            limit,
            byRank,
            groups({ records, isWanted, joins: redact.joins, rankOf: rankOfRecord, isPutFirst })
          ).map(({ record, others = [] }) => [record, ...others].map(nameOne).reduce(join))
    return named.sort((a, b) => order(a, b, rankOfNamed)).map((sender) => describe(sender, book, redact))
  }
}

function isIn(book: AddressBook, list: 'listedFor' | 'removed', clientIp: string): boolean {
  return list === 'removed' ? book.removed(clientIp) !== null : book.listedFor(clientIp).length > 0
}

/** The first of some items in an order, without sorting them all. */
function first<Item>(
  limit: number,
  order: (a: Item, b: Item) => number,
  items: Iterable<Item>,
  isWanted: (item: Item) => boolean = () => true
): Item[] {
  let found: Item[] = []
  let last: Item | undefined
  for (const item of items) {
    if ((last !== undefined && order(item, last) > 0) || !isWanted(item)) continue
    found.push(item)
    if (found.length < 2 * limit + SORTED_AT_ONCE) continue
    found = found.sort(order).slice(0, limit)
    last = found.at(-1)
  }
  return found.sort(order).slice(0, limit)
}

/** What is counted under one name. */
interface Named extends Counts {
  /** The addresses that have this name. */
  readonly addresses: string[]
  /** Undefined where it is not known what has been mended. */
  readonly open: { readonly [Counts in keyof RejectionsByReason]: Partial<Record<Reason, number>> } | undefined
}

function nameAlone(record: SenderRecord, book: AddressBook): Named {
  const { clientIp, count, firstSeen, lastSeen, reasons, withSecret, routes } = record
  const open = book.open?.(record)
  return {
    open: open && { reasons: { ...open.reasons }, withSecret: { ...open.withSecret } },
    addresses: [clientIp],
    count,
    firstSeen,
    lastSeen,
    reasons: { ...reasons },
    withSecret: { ...withSecret },
    routes: [...routes]
  }
}

/** Senders that have the same redacted text: as little of each as ranks it, since few of them are listed. */
interface Group {
  rank: number
  isPutFirst: boolean
  lastSeen: number
  readonly record: SenderRecord
  /** The other ones; undefined where there is none. */
  others: SenderRecord[] | undefined
}

const byRank = (a: Group, b: Group) =>
  Number(b.isPutFirst) - Number(a.isPutFirst) || b.rank - a.rank || b.lastSeen - a.lastSeen

interface Grouping {
  readonly records: Iterable<SenderRecord>
  readonly isWanted: (record: SenderRecord) => boolean
  readonly joins: NonNullable<Redact['joins']>
  readonly rankOf: (record: SenderRecord) => number
  readonly isPutFirst: (record: SenderRecord) => boolean
}

function groups({ records, isWanted, joins, rankOf, isPutFirst }: Grouping): Iterable<Group> {
  const found = new Map<number | string, Group>()
  for (const record of records) {
    if (!isWanted(record)) continue
    const common = joins(record.key)
    const group = found.get(common)
    if (group === undefined) {
      const { lastSeen } = record
      found.set(common, { rank: rankOf(record), isPutFirst: isPutFirst(record), lastSeen, record, others: undefined })
      continue
    }
    group.rank += rankOf(record)
    group.isPutFirst ||= isPutFirst(record)
    group.lastSeen = Math.max(group.lastSeen, record.lastSeen)
    if (group.others === undefined) group.others = [record]
    else group.others.push(record)
  }
  return found.values()
}

function join(joined: Named, other: Named): Named {
  joined.addresses.push(...other.addresses)
  joined.count += other.count
  joined.firstSeen = Math.min(joined.firstSeen, other.firstSeen)
  joined.lastSeen = Math.max(joined.lastSeen, other.lastSeen)
  add(joined.reasons, other.reasons)
  add(joined.withSecret, other.withSecret)
  if (joined.open !== undefined) {
    add(joined.open.reasons, other.open!.reasons)
    add(joined.open.withSecret, other.open!.withSecret)
  }
  for (const route of other.routes) addRoute(joined.routes, route)
  return joined
}

/** Adds counts by reason to others. */
function add(counts: Partial<Record<Reason, number>>, further: Readonly<Partial<Record<Reason, number>>>): void {
  for (const reason of Object.keys(further) as Reason[]) counts[reason] = (counts[reason] ?? 0) + further[reason]!
}

function describe({ addresses, open, ...counts }: Named, book: AddressBook, redact: Redact | undefined): Sender {
  const [clientIp] = addresses as [string]
  return {
    clientIp: redact?.(clientIp) ?? clientIp,
    ...counts,
    listedFor: addresses.map((address) => book.listedFor(address)).find(({ length }) => length > 0) ?? [],
    removed: addresses.map((address) => book.removed(address)).find((day) => day !== null) ?? null,
    isOwn: addresses.some((address) => book.isOwn(address)),
    ...(open !== undefined && { open })
  }
}
