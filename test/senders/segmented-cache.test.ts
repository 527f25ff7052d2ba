import fc from 'fast-check'
import t from 'tap'
import { SegmentedCache } from '../../src/senders/segmented-cache.js'
import { runs } from '../support/properties.js'

interface Counted {
  readonly key: number
  count: number
}

/** Counts keys with a cache as the senders are counted. */
class Counter {
  readonly cache: SegmentedCache<number, Counted>

  constructor(capacity: number) {
    this.cache = new SegmentedCache(capacity)
  }

  /** Notes a key; returns whether it was remembered. */
  note(key: number, isReturning = false): boolean {
    const known = this.cache.again(key)
    if (known === undefined) this.cache.add(key, { key, count: 1 }, isReturning)
    else known.count++
    return known !== undefined
  }

  get counts(): Map<number, number> {
    return new Map([...this.cache.values()].map(({ key, count }) => [key, count]))
  }
}

const capacities = fc.integer({ min: 1, max: 40 })

t.test('counts are exact while a key is remembered, and no more keys are remembered than the capacity', async () => {
  const notes = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 500 })
  fc.assert(
    fc.property(notes, capacities, (keys, capacity) => {
      const counter = new Counter(capacity)
      // The count since the key was not remembered last.
      const oracle = new Map<number, number>()
      for (const key of keys) {
        oracle.set(key, counter.note(key) ? oracle.get(key)! + 1 : 1)
        if (counter.cache.size > capacity) throw new Error(`${counter.cache.size} keys are remembered`)
      }
      const { counts } = counter
      if (counts.size !== counter.cache.size) throw new Error('A key is remembered twice.')
      for (const [key, count] of counts) if (count !== oracle.get(key)) throw new Error(`${key}: ${count}`)
    }),
    runs(500)
  )
})

t.test('nothing is forgotten before more keys came than there are places, and then it is known', async () => {
  const notes = fc.array(fc.integer({ min: 0, max: 45 }), { maxLength: 300 })
  fc.assert(
    fc.property(notes, capacities, (keys, capacity) => {
      const counter = new Counter(capacity)
      for (const key of keys) counter.note(key)
      const distinct = new Set(keys)
      if (counter.cache.hasForgotten !== distinct.size > capacity) throw new Error(`${counter.cache.hasForgotten}`)
      if (counter.cache.size !== Math.min(distinct.size, capacity)) throw new Error(`${counter.cache.size} remembered`)
      if (distinct.size > capacity) return
      for (const [key, count] of counter.counts) {
        if (count !== keys.filter((other) => other === key).length) throw new Error(`${key}: ${count}`)
      }
    }),
    runs(500)
  )
})

t.test('no number of keys that come once pushes out a key that came twice', async () => {
  const scenario = fc.record({
    capacity: fc.integer({ min: 2, max: 60 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    // How many strangers come after each call of a returning key.
    gaps: fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 30 }),
    isFirstHeavy: fc.boolean()
  })
  fc.assert(
    fc.property(scenario, ({ capacity, share, gaps, isFirstHeavy }) => {
      const counter = new Counter(capacity)
      const returning = Math.floor(share * 0.8 * capacity)
      const oracle = new Map<number, number>()
      let stranger = -1
      for (let key = 0; key < returning; key++) {
        // One line of a log may stand for several calls: then the first note is enough.
        counter.note(key, isFirstHeavy)
        if (!isFirstHeavy) counter.note(key)
        oracle.set(key, isFirstHeavy ? 1 : 2)
      }
      for (const [i, gap] of gaps.entries()) {
        for (let n = 0; n < gap; n++) counter.note(stranger--)
        if (returning === 0) continue
        const key = i % returning
        if (!counter.note(key)) throw new Error(`${key} was forgotten`)
        oracle.set(key, oracle.get(key)! + 1)
      }
      const { counts } = counter
      for (const [key, count] of oracle) if (counts.get(key) !== count) throw new Error(`${key}: ${counts.get(key)}`)
    }),
    runs(500)
  )
})

t.test(
  'the last strangers are remembered, and a returning key that is pushed out by others gets another chance',
  async (t) => {
    const counter = new Counter(10)
    for (let key = 1; key <= 9; key++) {
      counter.note(key)
      counter.note(key)
    }
    t.strictSame(
      [...counter.counts].sort(([a], [b]) => a - b),
      Array.from({ length: 9 }, (_, i) => [i + 1, 2]),
      'nine keys came twice: eight are protected, the oldest is among the newcomers'
    )
    counter.note(100)
    t.ok(counter.note(1), 'the oldest is known, and protected again')
    t.equal(counter.counts.get(1), 3)
    for (let stranger = 1000; stranger < 1100; stranger++) counter.note(stranger)
    t.notOk(counter.counts.has(2), 'the least recent of the returning keys went with the strangers')
    t.ok(counter.counts.has(1099) && counter.counts.has(1098))
  }
)
