import { sourceError } from '../directory/source/load-directory.js'
import type { OpenSource } from '../directory/source/source.js'
import { callBack, isPromise, settled } from '../lib/promise.js'
import { type Clock, HOUR, hasPassed, MINUTE } from '../lib/time.js'
import { retryAfter } from './retry.js'

/** What a subscription leads to. */
export interface SubscriptionTo {
  /** Loads the list. Never rejects. */
  readonly load: () => Promise<void>
  /** How many loads have begun. */
  readonly begun: () => number
  /** Whether the list of the source is in use. If not, neither its changes nor its failures matter. */
  readonly isInUse: () => boolean
  /** Called with each failure of the subscription. */
  readonly fail: (error: Error) => void
}

/**
 * A subscription to the changes of a source, which is made again after a failure. What changed before it stood is loaded: nobody can know
 * whether it stands when the call returns, or when its promise is fulfilled.
 */
export class Subscription {
  readonly #source: OpenSource
  readonly #to: SubscriptionTo
  readonly #clock: Clock
  /** Ends the last attempt: listeners of one that failed must not stay until the guard is closed. */
  #stop = new AbortController()
  /** How many attempts in a row failed. */
  #failures = 0
  /** How long the last one waited for its turn. */
  #wait = 0
  /** How to call off what waits for its time. */
  readonly #waiting: { again?: () => void; missed?: () => void; stands?: () => void } = {}
  /** What it failed with last; undefined since it stands. */
  #failure: Error | undefined

  /** @param source has `watch` */
  constructor(source: OpenSource, to: SubscriptionTo, clock: Clock) {
    this.#source = source
    this.#to = to
    this.#clock = clock
    this.#begin()
  }

  /** What it failed with, until it stands again. */
  get failure(): Error | undefined {
    return this.#to.isInUse() ? this.#failure : undefined
  }

  /** Ends the subscription and its timers. */
  close(reason: Error): void {
    for (const cancel of Object.values(this.#waiting)) cancel()
    this.#stop.abort(reason)
  }

  #begin(): void {
    const stop = new AbortController()
    this.#stop = stop
    const { signal } = stop
    const begun = this.#clock.now()
    const changed = () => {
      if (signal.aborted) return
      this.#stands()
      void this.#to.load()
    }
    const stands = () => {
      if (signal.aborted) return
      this.#loadMissed()
      this.#stands()
    }
    callBack(
      () => {
        const answer = this.#source.watch!(changed, signal)
        refuseIterable(answer)
        if (!isPromise(answer)) {
          stands()
          return answer
        }
        this.#loadMissed()
        if (this.#failure !== undefined) this.#waiting.stands = this.#clock.after(MINUTE, stands)
        return settled(answer).then((result) => {
          refuseIterable(result)
          stands()
          return result
        })
      },
      (error) => {
        if (signal.aborted) return
        const endedAt = this.#clock.now()
        const failure = sourceError(this.#source, error)
        stop.abort(failure)
        this.#waiting.missed?.()
        this.#waiting.stands?.()
        // The guard may still be in the making.
        this.#waiting.again = this.#clock.after(0, () => {
          this.#failure = failure
          if (this.#to.isInUse()) this.#to.fail(failure)
          // What stood for a while has ended, and is not one more failure.
          const hasStood = hasPassed(Math.max(this.#wait, MINUTE), begun, endedAt)
          this.#failures = hasStood ? 1 : this.#failures + 1
          this.#wait = retryAfter(this.#failures, HOUR)
          this.#waiting.again = this.#clock.after(this.#wait, () => this.#begin())
        })
      }
    )
  }

  /** It has not failed, or has not failed again. */
  #stands(): void {
    this.#failure = undefined
    this.#waiting.stands?.()
  }

  /** Loads soon, unless a load begins until then. A source that is polled for changes gives at the next poll what was missed. */
  #loadMissed(): void {
    if (this.#source.hasChanged !== undefined && this.#failure === undefined) return
    const begun = this.#to.begun()
    this.#waiting.missed?.()
    this.#waiting.missed = this.#clock.after(0, async () => {
      if (this.#to.begun() === begun) await this.#to.load()
    })
  }
}

/** @throws TypeError where the answer is something to iterate over, and nobody does that. A stream may be one that events come from. */
function refuseIterable(answer: unknown): void {
  if (/^\[object (?:Async)?Generator\]$/.test(Object.prototype.toString.call(answer))) {
    throw new TypeError(
      'Its watch is a generator, which nobody iterates, so it does not run. Write async watch(changed, signal), without an asterisk, and call changed().'
    )
  }
  const { [Symbol.asyncIterator]: iterate, on } = Object(answer)
  if (typeof iterate !== 'function' || typeof on === 'function') return
  throw new TypeError(
    'Its watch returns an async iterable, which nobody iterates, so no change is seen. Write async watch(changed, signal), iterate it there, and call changed() for each change.'
  )
}
