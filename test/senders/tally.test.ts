import fc from 'fast-check'
import t from 'tap'
import { type Entry, ROUTES, Tally } from '../../src/senders/tally.js'

const REASONS = ['stranger', 'neighbour'] as const
type Reason = (typeof REASONS)[number]

const all = (tally: Tally<Reason>) => new Map([...tally.entries()].map((entry) => [entry.key, { ...entry }]))

t.test('while all senders fit, every count is exact', async (t) => {
  const tally = new Tally(4, REASONS)
  const table: [key: number | string, reason: Reason, route: string | null, time: number][] = [
    [1, 'stranger', '/a', 10],
    ['2001:db8::1', 'neighbour', null, 20],
    [1, 'neighbour', '/b', 30],
    [-3, 'stranger', '/a', 40],
    [1, 'stranger', '/a', 50],
    [4, 'stranger', '/a', 60]
  ]
  for (const [key, reason, route, time] of table) tally.record(key, reason, route, time)
  const entries = all(tally)
  t.equal(tally.size, 4)
  t.ok(tally.isExact)
  t.strictSame(entries.get(1), {
    key: 1,
    count: 3,
    countError: 0,
    firstSeen: 10,
    lastSeen: 50,
    byReason: [2, 1],
    routes: ['/a', '/b']
  })
  t.match(entries.get('2001:db8::1'), { count: 1, byReason: [0, 1], routes: [], firstSeen: 20, lastSeen: 20 })
})

t.test('a rejection may stand for several, and come late', async (t) => {
  const tally = new Tally(2, REASONS)
  tally.record(1, 'stranger', null, 50, 7)
  tally.record(1, 'stranger', null, 20, 1200)
  t.match(all(tally).get(1), { count: 1207, byReason: [1207, 0], firstSeen: 20, lastSeen: 50 })
})

t.test('routes are kept up to a bound, each once', async (t) => {
  const tally = new Tally(2, REASONS)
  for (let i = 0; i < 100; i++) tally.record(1, 'stranger', `/${i % 50}`, i)
  t.strictSame(
    all(tally).get(1)?.routes,
    Array.from({ length: ROUTES }, (_, i) => `/${i}`)
  )
})

t.test('a million strangers push out neither frequent senders nor recent ones, and memory stays', async (t) => {
  const capacity = 2000
  const tally = new Tally(capacity, REASONS)
  const frequent = Array.from({ length: 20 }, (_, i) => `frequent-${i}`)
  const oracle = new Map<number | string, number>()
  const record = (key: number | string, time: number) => {
    oracle.set(key, (oracle.get(key) ?? 0) + 1)
    tally.record(key, 'stranger', '/', time)
  }
  for (let i = 0; i < 1_000_000; i++) {
    record(i, i)
    // Each of them calls once in 5,000 strangers, and has long lost its place when it calls again.
    if (i % 250 === 0) record(frequent[(i / 250) % 20]!, i)
  }
  record('late', 1_000_000)
  const entries = all(tally)
  t.equal(tally.size, entries.size)
  t.ok(entries.size > 0.95 * capacity && entries.size <= capacity, `${entries.size} of ${capacity}`)
  t.notOk(tally.isExact)
  for (const key of [...frequent, 'late']) t.ok(entries.has(key), `${key} is remembered`)
  const last = Array.from({ length: 20 }, (_, i) => 999_980 + i).filter((key) => entries.has(key))
  t.ok(last.length >= 10, `${last.length} of the last 20 strangers are remembered`)
  checkBounds(entries, oracle, (message) => t.fail(message))
  const top = [...entries.values()].sort((a, b) => b.count - b.countError - (a.count - a.countError)).slice(0, 20)
  t.strictSame(new Set(top.map(({ key }) => key)), new Set(frequent))
})

t.test('a sender that calls again is counted with its first call', async (t) => {
  const tally = new Tally(400, REASONS)
  for (let i = 0; i < 100_000; i++) tally.record(i, 'stranger', '/', i)
  tally.record('again', 'neighbour', '/a', 200_000)
  t.match(all(tally).get('again'), { firstSeen: 200_000, byReason: [0, 1], routes: ['/a'] }, 'it is shown at once')
  tally.record('again', 'stranger', '/b', 200_001)
  const { count, countError, ...entry } = all(tally).get('again')!
  t.equal(count - countError, 2)
  t.match(entry, { firstSeen: 200_000, lastSeen: 200_001, byReason: [1, 1], routes: ['/a', '/b'] })
})

t.test('whatever comes in whatever order: exact while all fit, and within the stated error beyond', async () => {
  const rejections = fc.array(
    fc.record({
      key: fc.oneof(
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: -90, max: 90 }),
        fc.constantFrom('a', 'b', '2001:db8::1')
      ),
      reason: fc.constantFrom(...REASONS),
      weight: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 30 }))
    }),
    { maxLength: 700 }
  )
  fc.assert(
    fc.property(rejections, fc.integer({ min: 1, max: 90 }), fc.boolean(), (list, capacity, isAsked) => {
      const tally = new Tally(capacity, REASONS)
      const oracle = new Map<number | string, number>()
      for (const [i, { key, reason, weight }] of list.entries()) {
        oracle.set(key, (oracle.get(key) ?? 0) + weight)
        tally.record(key, reason, null, i, weight)
        if (isAsked && tally.size > capacity) throw new Error(`${tally.size} are remembered of ${capacity}`)
      }
      const entries = all(tally)
      // A quarter of the places of a larger tally is for newcomers.
      const exact = capacity < 64 ? capacity : 0.75 * capacity
      if (entries.size < Math.min(oracle.size, exact)) throw new Error(`${entries.size} of ${oracle.size}`)
      if (oracle.size <= exact && !tally.isExact) throw new Error('It says that it is not exact.')
      if (tally.isExact && entries.size < oracle.size) throw new Error('It says that it is exact.')
      checkBounds(entries, oracle, (message) => {
        throw new Error(message)
      })
      if (!tally.isExact) return
      for (const { key, countError } of entries.values()) if (countError !== 0) throw new Error(`${key} is not exact`)
    }),
    { numRuns: 500 }
  )
})

/** The true count is within [count - countError, count], and what was seen by reason adds up. */
function checkBounds(
  entries: Map<number | string, Entry>,
  oracle: Map<number | string, number>,
  fail: (message: string) => void
): void {
  for (const { key, count, countError, byReason, firstSeen, lastSeen } of entries.values()) {
    const truth = oracle.get(key)!
    if (!(count - countError <= truth && truth <= count)) fail(`${key}: ${truth} is not in ${count} - ${countError}`)
    if (byReason.reduce((sum, n) => sum + n, 0) !== count - countError) fail(`${key}: ${byReason} of ${count}`)
    if (!(firstSeen <= lastSeen)) fail(`${key}: ${firstSeen} to ${lastSeen}`)
  }
}
