import { LRUCache } from 'lru-cache'
import { noCounts, REASONS, type Reason, type RejectedVerdict, totalOf } from '../verdict/verdict.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * A copy of a text in one piece of memory. A slice of a header would keep the whole header in memory, and a text that was built
 * piece by piece takes several times its length.
 */
function flatCopy(text: string): string {
  return decoder.decode(encoder.encode(text))
}

/** What a route does with a request that is not verified. */
export type Mode = 'reject' | 'tag'

/** How many rejections have no line, by mode and reason. */
export type WithheldCounts = Readonly<Record<Mode, Record<Reason, number>>>

/** Rejections of one sender that have no line. */
export interface WithheldSender {
  readonly clientIp: string
  readonly mode: Mode
  readonly reason: Reason
  readonly count: number
  /** Whether they carried the secret. */
  readonly withSecret: boolean
}

/** Rejections that have no line and will have none. */
export interface Withheld {
  readonly counts: WithheldCounts
  /** How many of them carried the secret. */
  readonly withSecret: WithheldCounts
  /** Those of them whose sender had a line before. */
  readonly bySender: readonly WithheldSender[]
}

/** A sender that had a line, for one reason and in one mode. Times are milliseconds. */
interface LoggedSender {
  /** Null where the client IP could not be resolved. */
  readonly clientIp: string | null
  readonly mode: Mode
  readonly reason: Reason
  readonly withSecret: boolean
  quietUntil: number
  quietFor: number
  /** How many rejections wait for the next line of this sender. */
  waiting: number
}

/** Maximum number of senders whose last line is remembered. */
const MAX_SENDERS = 4096

/** How long a sender is quiet after its first line; twice as long after each further one. */
const QUIET_AFTER_FIRST = 60_000

/** The longest that a sender is quiet. A sender that stays away for as long is new again. */
const QUIET_AT_MOST = 3_600_000

/** How many seconds' worth of lines may come at once. */
const BURST_SECONDS = 10

/** Reasons of senders that MoEngage publishes: they have a bucket of lines that strangers cannot use up. */
const PUBLISHED: ReadonlySet<Reason> = new Set(['other-data-center', 'other-channel', 'stale-list'])

/**
 * Decides which rejections get a line. Its memory is bounded: a sender that is forgotten gets a line too many, and the bucket
 * pays for it. It begins empty and grows with the senders that are logged.
 *
 * Every rejection is counted exactly once: by its own line, by the next line of its sender, or by {@link take}.
 */
export class Throttle {
  readonly #published: Bucket
  readonly #others: Bucket
  /** Rejections with the secret, which strangers do not have. */
  readonly #withSecret: Bucket
  readonly #senders = new LRUCache<string, LoggedSender>({
    // With `max`, lru-cache would allocate all places at once; with `maxSize` it grows.
    maxSize: MAX_SENDERS,
    sizeCalculation: () => 1,
    dispose: ({ mode, reason, waiting, withSecret }) => this.withhold(mode, reason, waiting, withSecret)
  })
  #withheld = { counts: emptyCounts(), withSecret: emptyCounts() }

  /** @param linesPerSecond lines a second in the long run; ten seconds' worth may come at once */
  constructor(linesPerSecond: number) {
    this.#published = new Bucket(linesPerSecond)
    this.#others = new Bucket(linesPerSecond)
    this.#withSecret = new Bucket(linesPerSecond)
  }

  /**
   * Decides whether a rejection gets a line. An empty bucket is found first: then no sender is looked up.
   *
   * @returns how many earlier rejections of this sender the line has to count, or undefined where there is no line
   */
  admit(verdict: RejectedVerdict, mode: Mode, now: number): number | undefined {
    const { reason } = verdict
    const withSecret = verdict.carriesSecret === true
    const bucket = withSecret ? this.#withSecret : PUBLISHED.has(reason) ? this.#published : this.#others
    if (!bucket.hasLine(now)) {
      this.withhold(mode, reason, 1, withSecret)
      return undefined
    }
    const key = `${mode} ${reason} ${withSecret ? 'secret ' : ''}${verdict.clientIp ?? `peer ${verdict.peer}`}`
    const sender = this.#senders.get(key)
    if (sender === undefined) {
      bucket.takeLine()
      this.#begin(key, verdict, mode, now)
      return 0
    }
    if (now < sender.quietUntil && !isAhead(sender, now)) {
      sender.waiting++
      return undefined
    }
    bucket.takeLine()
    const { waiting } = sender
    sender.waiting = 0
    sender.quietFor =
      now < sender.quietUntil + QUIET_AT_MOST ? Math.min(2 * sender.quietFor, QUIET_AT_MOST) : QUIET_AFTER_FIRST
    sender.quietUntil = now + sender.quietFor
    return waiting
  }

  #begin(key: string, { clientIp, reason, carriesSecret }: RejectedVerdict, mode: Mode, now: number): void {
    this.#senders.set(flatCopy(key), {
      clientIp: clientIp === null ? null : flatCopy(clientIp),
      mode,
      reason,
      withSecret: carriesSecret === true,
      quietUntil: now + QUIET_AFTER_FIRST,
      quietFor: QUIET_AFTER_FIRST,
      waiting: 0
    })
  }

  /** Counts rejections that will not have a line. */
  withhold(mode: Mode, reason: Reason, count: number, withSecret: boolean): void {
    this.#withheld.counts[mode][reason] += count
    if (withSecret) this.#withheld.withSecret[mode][reason] += count
  }

  /**
   * Returns and resets the counts of rejections that got no line: those that found the bucket empty, and those whose sender
   * did not come again for a while when it could have had a line.
   *
   * @param isLast whether nothing comes after this, so that nothing may be left waiting
   */
  take(now: number, isLast: boolean): Withheld {
    const bySender: WithheldSender[] = []
    for (const sender of this.#senders.values()) {
      const { clientIp, mode, reason, waiting, withSecret } = sender
      // A sender that calls all the time gets the chance to have it counted by its next line.
      const isLate = now >= sender.quietUntil + QUIET_AFTER_FIRST || isAhead(sender, now)
      if (waiting === 0 || !(isLate || isLast)) continue
      if (clientIp !== null) bySender.push({ clientIp, mode, reason, count: waiting, withSecret })
      this.withhold(mode, reason, waiting, withSecret)
      sender.waiting = 0
    }
    const withheld = this.#withheld
    this.#withheld = { counts: emptyCounts(), withSecret: emptyCounts() }
    return { ...withheld, bySender }
  }

  /** Takes counts back that could not be logged, for the next summary. */
  putBack({ counts, withSecret }: Withheld): void {
    for (const mode of ['reject', 'tag'] as const) {
      for (const reason of REASONS) {
        const evidence = withSecret[mode][reason]
        this.withhold(mode, reason, evidence, true)
        this.withhold(mode, reason, counts[mode][reason] - evidence, false)
      }
    }
  }
}

/** How many rejections they are together. */
export function countOf(counts: WithheldCounts): number {
  return totalOf(counts.reject) + totalOf(counts.tag)
}

const emptyCounts = (): WithheldCounts => ({ reject: noCounts(), tag: noCounts() })

/** Whether the sender's line was written later than now: the clock was set back, and its quiet time means nothing. */
function isAhead({ quietUntil, quietFor }: LoggedSender, now: number): boolean {
  return now < quietUntil - quietFor
}

/**
 * Decides which lines of one kind are written: of each key, such as an address, one an hour, with the number of those in between. They have a
 * bucket of their own, so that they use up no other lines.
 */
export class HourlyThrottle {
  readonly #bucket: Bucket
  readonly #keys = new LRUCache<string, { quietUntil: number; waiting: number }>({
    maxSize: MAX_SENDERS,
    sizeCalculation: () => 1
  })

  constructor(linesPerSecond: number) {
    this.#bucket = new Bucket(linesPerSecond)
  }

  /** Returns how many earlier ones of this key the line has to count, or undefined where there is no line. */
  admit(key: string, now: number): number | undefined {
    let known = this.#keys.get(key)
    if (known === undefined) {
      known = { quietUntil: now, waiting: 0 }
      this.#keys.set(flatCopy(key), known)
    }
    const { quietUntil, waiting } = known
    // A clock that was set back must not silence a key for longer.
    const isQuiet = now < quietUntil && now >= quietUntil - QUIET_AT_MOST
    if (isQuiet || !this.#bucket.hasLine(now)) {
      known.waiting++
      return undefined
    }
    this.#bucket.takeLine()
    known.quietUntil = now + QUIET_AT_MOST
    known.waiting = 0
    return waiting
  }
}

/** Lines that may be written now. */
class Bucket {
  readonly #linesPerSecond: number
  #lines: number
  #filledAt = 0

  constructor(linesPerSecond: number) {
    this.#linesPerSecond = linesPerSecond
    this.#lines = linesPerSecond * BURST_SECONDS
  }

  hasLine(now: number): boolean {
    // A clock that was set back fills nothing.
    const passed = Math.max(0, now - this.#filledAt)
    const most = this.#linesPerSecond * BURST_SECONDS
    this.#lines = Math.min(most, this.#lines + (passed / 1000) * this.#linesPerSecond)
    this.#filledAt = now
    return this.#lines >= 1
  }

  takeLine(): void {
    this.#lines--
  }
}
