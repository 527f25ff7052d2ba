/** Work that pauses wherever it yields; what it returns is the result. */
export type Steps<Result> = Generator<undefined, Result, undefined>

/** How many items a loop visits before it pauses: less than a millisecond. */
const ITEMS = 256

/** For how many milliseconds work goes on before it lets requests pass. */
const SLICE = 2

/** Does the work without a pause. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/** Every runtime has this timer, Workers without Node's modules too; of `setImmediate` that is not so. */
const { setTimeout } = globalThis

/** Does the work in slices of a few milliseconds, between which requests are answered. */
export async function inSlices<Result>(steps: Steps<Result>): Promise<Result> {
  let end = performance.now() + SLICE
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() < end) continue
    await new Promise((resolve) => setTimeout(resolve, 0))
    end = performance.now() + SLICE
  }
}

/** Visits each item. */
export function* each<Item>(items: Iterable<Item>, visit: (item: Item, index: number) => void): Steps<void> {
  let index = 0
  for (const item of items) {
    visit(item, index)
    if (++index % ITEMS === 0) yield
  }
}

/** Like `items.filter(isWanted)`. */
export function* filtered<Item>(items: Iterable<Item>, isWanted: (item: Item) => boolean): Steps<Item[]> {
  const wanted: Item[] = []
  yield* each(items, (item) => {
    if (isWanted(item)) wanted.push(item)
  })
  return wanted
}

/** Like `items.toSorted(compare)`. */
export function* sorted<Item>(items: readonly Item[], compare: (a: Item, b: Item) => number): Steps<Item[]> {
  if (items.length <= ITEMS) return items.toSorted(compare)
  const middle = items.length >>> 1
  const left = yield* sorted(items.slice(0, middle), compare)
  yield
  const right = yield* sorted(items.slice(middle), compare)
  const merged: Item[] = []
  let next = 0
  yield* each(left, (item) => {
    while (next < right.length && compare(right[next]!, item) < 0) merged.push(right[next++]!)
    merged.push(item)
  })
  return merged.concat(right.slice(next))
}
