/** Whether something is a promise, also one of another realm or library. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Calls a function the first time only, so that a failure that repeats is reported once. */
export function once<Args extends readonly unknown[]>(call: (...args: Args) => void): (...args: Args) => void {
  let wasCalled = false
  return (...args) => {
    if (wasCalled) return
    wasCalled = true
    call(...args)
  }
}

/** Takes a promise that a server which runs only while it answers has to wait for. It never rejects. */
export type Keep = (promise: PromiseLike<unknown>) => void

/** How many promises may be fulfilled with a further one, until they count as endless. */
const MAX_DEPTH = 100

/**
 * What a promise, or something like one, comes to. The language itself calls a `then` and drops what that returns: of a `then` that is an
 * async function, its rejection would end the process. Such a rejection is here that of the promise.
 */
export async function settled(promise: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown = promise
  for (let depth = 0; isPromise(value); depth++) {
    if (depth === MAX_DEPTH) throw new Error(`A promise was fulfilled with a further one ${MAX_DEPTH} times in a row.`)
    value = (await fulfilled(value)).value
  }
  return value
}

/** The value in a box: if it is like a promise, the language leaves it alone there. */
function fulfilled(promise: PromiseLike<unknown>): Promise<{ readonly value: unknown }> {
  return new Promise((resolve, reject) => {
    const own: unknown = promise.then((value) => resolve({ value }), reject)
    try {
      // Calling a `then` that is the user's might make a further promise.
      Promise.prototype.then.call(own, undefined, reject)
    } catch {
      // It is not a promise of the language, which alone would end the process.
    }
  })
}

/**
 * Whether something is a promise by all it has. A Fastify instance has a `then` alone, and boots when that is called; nothing of that
 * kind ends the process when it fails. What throws when it is read is not a promise.
 */
export function isWholePromise(value: unknown): value is PromiseLike<unknown> {
  try {
    return isPromise(value) && typeof (value as { catch?: unknown }).catch === 'function'
  } catch {
    return false
  }
}

/** How much of something of the user's is searched for promises, with what they come to. */
const MAX_ITEMS = 10_000

/** How many items may still be searched. */
interface Budget {
  items: number
}

/** Promises that were found inside of something: one that is returned again, in a list of those under way, gets no further handlers. */
const found = new WeakSet<object>()

/** The promises inside of a value: in lists, plain objects and what an error holds. A set or a map that is returned is mostly the user's own, as `Set.add` does. */
function promisesInside(value: unknown, budget: Budget): readonly PromiseLike<unknown>[] {
  const promises: PromiseLike<unknown>[] = []
  const lists = [value]
  // The list grows in the loop.
  for (const list of lists) {
    try {
      for (const part of partsOf(list)) {
        if (budget.items-- <= 0) return promises
        if (!isWholePromise(part)) lists.push(part)
        else if (!found.has(part)) {
          found.add(part)
          promises.push(part)
        }
      }
    } catch {
      // What throws when it is read has no promise to be found.
    }
  }
  return promises
}

/** Nothing that does something when it is iterated, such as a generator or a stream. */
function partsOf(value: unknown): Iterable<unknown> {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value
  if (value instanceof Error) return [value.cause, (value as Partial<AggregateError>).errors]
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null ? Object.values(value) : []
}

/** A value that is a promise, or the promises inside of it. */
function promisesIn(value: unknown, budget: Budget): readonly PromiseLike<unknown>[] {
  try {
    // One may be rejected with itself.
    if (isPromise(value)) return budget.items-- > 0 ? [value] : []
  } catch {
    // What throws when it is read is not a promise.
  }
  return promisesInside(value, budget)
}

/** Waits until promises have settled, and those in what they come to: one may be rejected with a further one. `failed` is called with each reason. */
async function allEnded(
  promises: readonly PromiseLike<unknown>[],
  failed: (error: unknown) => void,
  budget: Budget
): Promise<void> {
  await Promise.all(
    promises.map(async (promise) => {
      let outcome: unknown
      try {
        outcome = await settled(promise)
      } catch (error) {
        outcome = error
        failed(error)
      }
      await allEnded(promisesIn(outcome, budget), failed, budget)
    })
  )
}

/** Drops what a function of the user's threw or returned and nobody uses: a promise in it would end the process when rejected. */
export function drop(value: unknown): void {
  callBack(
    () => value,
    () => {}
  )
}

/**
 * Whether a promise was given where a value is due. What it comes to is of no use any more, but rejected and not handled, it would end
 * the process.
 */
export function isUnwantedPromise(value: unknown): boolean {
  if (!isWholePromise(value)) return false
  drop(value)
  return true
}

/** What to do where a promise was passed. */
export const AWAIT_FIX = 'Await it before you pass it.'

/** Drops the promises in a value that is refused, and returns what to do. */
export function fixFor(value: unknown, fix: string): string {
  drop([value])
  return isWholePromise(value) ? AWAIT_FIX : fix
}

/**
 * Calls a function of the user's. Rejects with what it throws, and what a promise that it returns is rejected with.
 */
export async function resultOf(run: () => unknown): Promise<unknown> {
  try {
    const answer = run()
    return isPromise(answer) ? await settled(answer) : answer
  } catch (error) {
    drop(error)
    throw error
  }
}

/** {@link resultOf} a function that answers: nobody waits for promises inside of the answer. */
export async function answerOf(run: () => unknown): Promise<unknown> {
  const answer = await resultOf(run)
  drop(answer)
  return answer
}

/**
 * The items of something of the user's that is iterated asynchronously. Whatever its methods return is settled: the language would drop
 * what a `then` of theirs returns.
 */
export async function* itemsOf<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
  const iterator = (await resultOf(() => items[Symbol.asyncIterator]())) as AsyncIterator<Item>
  // What throws, or says that it is done, has ended by itself.
  let hasEnded = true
  try {
    for (;;) {
      const { done, value } = (await resultOf(() => iterator.next())) as IteratorResult<Item>
      if (done) {
        drop([value])
        return
      }
      hasEnded = false
      yield (await resultOf(() => value)) as Item
      hasEnded = true
    }
  } finally {
    if (!hasEnded) await resultOf(() => iterator.return?.())
  }
}

/**
 * Calls a function of the user's whose result does not matter. What it throws, and what the first promise in its result is rejected
 * with, goes to `failed`, and nowhere else.
 *
 * @param keep called with a promise for the end of all promises in the result
 */
export function callBack(run: () => unknown, failed: (error: unknown) => void, keep?: Keep): void {
  try {
    const answer = run()
    if (answer === undefined) return
    const budget = { items: MAX_ITEMS }
    const promises = promisesIn(answer, budget)
    if (promises.length === 0) return
    const ended = allEnded(promises, once(failed), budget)
    keep?.(ended)
  } catch (error) {
    drop(error)
    failed(error)
  }
}

/**
 * Waits for a promise that never rejects, but no longer than some milliseconds.
 *
 * @returns whether it was fulfilled in time
 */
export async function inTime(promise: PromiseLike<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false)
  })
  const isInTime = await Promise.race([promise.then(() => true), late])
  clearTimeout(timer)
  return isInTime
}
