import fc from 'fast-check'
import t from 'tap'
import { atOnce, each, filtered, inSlices, type Steps, sorted } from '../../src/lib/steps.js'
import { runs } from '../support/properties.js'

/** Long enough for several pauses. */
const manyNumbers = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 2000, size: 'max' })

t.test('a list is filtered and sorted in steps as it is at once', async (t) => {
  const property = fc.property(manyNumbers, (numbers) => {
    const items = numbers.map((number, place) => ({ number, place }))
    const isOdd = ({ number }: { number: number }) => number % 2 === 1
    const byNumber = (a: { number: number }, b: { number: number }) => a.number - b.number
    const seen: unknown[] = []
    atOnce(each(numbers, (number, index) => seen.push([number, index])))
    return (
      JSON.stringify(seen) === JSON.stringify(numbers.map((number, index) => [number, index])) &&
      JSON.stringify(atOnce(filtered(items, isOdd))) === JSON.stringify(items.filter(isOdd)) &&
      JSON.stringify(atOnce(sorted(items, byNumber))) === JSON.stringify(items.toSorted(byNumber))
    )
  })
  fc.assert(property, runs(100))
  t.pass()
})

t.test('a long list is worked through with pauses, a short one without', async (t) => {
  const pauses = (steps: Steps<unknown>) => {
    let count = 0
    while (steps.next().done !== true) count++
    return count
  }
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => -i)
  const descending = (a: number, b: number) => a - b
  for (const [count, expected] of [
    [0, 0],
    [255, 0],
    [256, 1],
    [1024, 4]
  ] as const) {
    t.equal(pauses(each(numbers(count), () => {})), expected, `${count} are visited`)
    t.equal(pauses(filtered(numbers(count), () => true)), expected, `${count} are filtered`)
  }
  t.equal(pauses(sorted(numbers(256), descending)), 0)
  t.ok(pauses(sorted(numbers(257), descending)) > 0)
  t.ok(pauses(sorted(numbers(10_000), descending)) > 10_000 / 256)
})

t.test('work in slices lets others pass, in its order, and ends with its result', async (t) => {
  let turns = 0
  const turn = () => {
    turns++
    if (turns < 10_000) setImmediate(turn)
  }
  setImmediate(turn)
  const seen: number[] = []
  function* slow(): Steps<string> {
    for (let i = 0; i < 10; i++) {
      const end = performance.now() + 2.5
      while (performance.now() < end);
      seen.push(turns)
      yield
    }
    return 'done'
  }
  t.equal(await inSlices(slow()), 'done')
  turns = 10_000
  t.equal(new Set(seen).size, 10, `each slice has a turn of its own: ${seen}`)
  t.strictSame(
    seen,
    seen.toSorted((a, b) => a - b)
  )
})

t.test('work that is short is not interrupted, and what it throws is passed on', async (t) => {
  let hasTurned = false
  setImmediate(() => {
    hasTurned = true
  })
  // biome-ignore lint/correctness/useYield: it has nothing to pause for.
  function* failing(): Steps<never> {
    throw new RangeError('wrong')
  }
  await t.rejects(inSlices(failing()), new RangeError('wrong'))
  t.throws(() => atOnce(failing()), new RangeError('wrong'))
  t.equal(hasTurned, false)
})
