import { sourceError } from '../directory/source/load-directory.js'
import type { OpenSource } from '../directory/source/source.js'
import { callBack, isPromise, settled } from '../lib/promise.js'
import { type Clock, HOUR } from '../lib/time.js'
import { retryAfter } from './retry.js'

/** What a subscription leads to. */
export interface SubscriptionTo {
  /** Loads the list. Never rejects. */
  readonly load: () => Promise<void>
  /** How many loads have begun. */
  readonly begun: () => number
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
  readonly #closing = new AbortController()
  #failures = 0
  /** How to call off what waits for its time. */
  readonly #waiting: { again?: () => void; missed?: () => void } = {}

  /** @param source has `watch` */
  constructor(source: OpenSource, to: SubscriptionTo, clock: Clock) {
    this.#source = source
    this.#to = to
    this.#clock = clock
    this.#begin()
  }

  /** Ends the subscription and its timers. */
  close(reason: Error): void {
    for (const cancel of Object.values(this.#waiting)) cancel()
    this.#closing.abort(reason)
  }

  #begin(): void {
    const { signal } = this.#closing
    let hasFailed = false
    const changed = () => {
      if (!signal.aborted && !hasFailed) void this.#to.load()
    }
    const stands = () => {
      // A source that is polled for changes gives what was missed at the next poll.
      if (!signal.aborted && this.#source.hasChanged === undefined) this.#loadMissed()
    }
    callBack(
      () => {
        const answer = this.#source.watch!(changed, signal)
        stands()
        if (!isPromise(answer)) return answer
        return settled(answer).then((result) => {
          stands()
          return result
        })
      },
      (error) => {
        if (signal.aborted) return
        hasFailed = true
        this.#waiting.missed?.()
        // The guard may still be in the making.
        this.#waiting.again = this.#clock.after(0, () => {
          this.#to.fail(sourceError(this.#source, error))
          this.#failures++
          this.#waiting.again = this.#clock.after(retryAfter(this.#failures, HOUR), () => {
            this.#begin()
            this.#loadMissed()
          })
        })
      }
    )
  }

  /** Loads soon, unless a load begins until then. */
  #loadMissed(): void {
    const begun = this.#to.begun()
    this.#waiting.missed?.()
    this.#waiting.missed = this.#clock.after(0, async () => {
      if (this.#to.begun() === begun) await this.#to.load()
    })
  }
}
