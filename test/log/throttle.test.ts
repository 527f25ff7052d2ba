import fc from 'fast-check'
import t from 'tap'
import { Throttle, WITHHELD, type Withheld } from '../../src/log/throttle.js'
import { runs } from '../support/properties.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const PACE = { linesPerSecond: 10, repeatAfter: MINUTE, repeatAtMost: HOUR }
const START = Date.UTC(2026, 10, 23)

const sum = ({ byKind: counts }: Withheld) => counts.reduce((total, count) => total + count, 0)

t.test(
  'a new sender gets a line at once, the same again at growing intervals that tell what came between',
  async (t) => {
    const throttle = new Throttle(PACE, 2, 1)
    const lines: [minute: number, suppressed: number][] = []
    for (let second = 0; second <= 5 * 3600; second += 20) {
      const suppressed = throttle.admit('198.51.100.7', 0, 0, START + second * 1000)
      if (suppressed !== WITHHELD) lines.push([second / 60, suppressed])
    }
    t.strictSame(lines, [
      [0, 0],
      [1, 2],
      [3, 5],
      [7, 11],
      [15, 23],
      [31, 47],
      [63, 95],
      [123, 179],
      [183, 179],
      [243, 179]
    ])
  }
)

t.test('a sender that stayed away is new again', async (t) => {
  const throttle = new Throttle(PACE, 2, 1)
  const table: [minute: number, suppressed: number][] = [
    [0, 0],
    [1, 0],
    // Quiet for two minutes from here, and away for an hour after that.
    [3 + 60, 0],
    [3 + 60 + 0.5, WITHHELD],
    [3 + 60 + 1, 1]
  ]
  for (const [minute, suppressed] of table) {
    t.equal(throttle.admit('::1', 0, 0, START + minute * MINUTE), suppressed, `${minute}`)
  }
})

t.test('a sender that is rejected for another reason gets another line', async (t) => {
  const throttle = new Throttle(PACE, 2, 1)
  t.strictSame(
    [0, 0, 1, 1, 0].map((kind) => throttle.admit('198.51.100.7', kind, 0, START)),
    [0, WITHHELD, 0, WITHHELD, WITHHELD]
  )
})

t.test('a bucket bounds the lines of a flood, and no other bucket', async (t) => {
  const throttle = new Throttle(PACE, 2, 2)
  let lines = 0
  for (let i = 0; i < 100_000; i++) {
    // 10,000 strangers a second.
    if (throttle.admit(`198.51.${i >> 8}.${i & 255}`, 0, 0, START + i / 10) !== WITHHELD) lines++
  }
  t.equal(lines, 100 + 99, 'ten seconds at once, and as many in the ten seconds that the flood took')
  t.equal(throttle.admit('52.6.248.125', 1, 1, START + 10_000), 0)
  t.strictSame(throttle.take(START + 10_000, false), { byKind: [100_000 - 199, 0], bySender: [] })
  t.strictSame(throttle.take(START + 10_000, false), { byKind: [0, 0], bySender: [] })
})

t.test('what waits for a sender that does not come again is told when its time is over, or at the end', async (t) => {
  const throttle = new Throttle(PACE, 1, 1)
  for (let i = 0; i < 5; i++) throttle.admit('198.51.100.7', 0, 0, START)
  t.strictSame(throttle.take(START + 2 * MINUTE - 1, false), { byKind: [0], bySender: [] })
  t.strictSame(throttle.take(START + 2 * MINUTE, false), {
    byKind: [4],
    bySender: [{ sender: '198.51.100.7', kind: 0, count: 4 }]
  })
  for (let i = 0; i < 5; i++) throttle.admit('198.51.100.8', 0, 0, START + MINUTE)
  t.strictSame(throttle.take(START + MINUTE, true), {
    byKind: [4],
    bySender: [{ sender: '198.51.100.8', kind: 0, count: 4 }]
  })
})

t.test('a clock that is set back neither fills the bucket nor loses anything', async (t) => {
  const throttle = new Throttle({ ...PACE, linesPerSecond: 0.1 }, 1, 1)
  t.equal(throttle.admit('a', 0, 0, START), 0)
  t.equal(throttle.admit('b', 0, 0, START - HOUR), WITHHELD)
  t.equal(throttle.admit('b', 0, 0, START - HOUR + 9_000), WITHHELD)
  t.equal(throttle.admit('b', 0, 0, START - HOUR + 10_001), 0)
  t.strictSame(throttle.take(START, true).byKind, [2])
})

t.test(
  'a sender whose line was written before the clock was set back is not quiet until the clock is there again',
  async (t) => {
    const throttle = new Throttle(PACE, 1, 1)
    const year = 365 * 24 * HOUR
    for (const sender of ['a', 'b']) {
      t.equal(throttle.admit(sender, 0, 0, START + year), 0)
      t.equal(throttle.admit(sender, 0, 0, START + year), WITHHELD)
    }
    t.equal(throttle.admit('a', 0, 0, START), 1)
    t.strictSame(throttle.take(START, false).bySender, [{ sender: 'b', kind: 0, count: 1 }])
  }
)

t.test('every rejection is told exactly once, and lines stay within the pace', async () => {
  const rejection = fc.record({
    sender: fc.oneof(
      fc.constantFrom('198.51.100.1', '198.51.100.2', '2001:db8::1'),
      fc.integer({ min: 0, max: 20_000 }).map((n) => `10.0.${n >> 8}.${n & 255}`)
    ),
    kind: fc.integer({ min: 0, max: 2 }),
    wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 2 * HOUR })),
    isSummary: fc.boolean()
  })
  const pace = fc.record({
    linesPerSecond: fc.double({ min: 0.1, max: 3, noNaN: true }),
    repeatAfter: fc.integer({ min: 1, max: HOUR }),
    repeatAtMost: fc.integer({ min: HOUR, max: 4 * HOUR })
  })
  fc.assert(
    fc.property(fc.array(rejection, { maxLength: 400 }), pace, (rejections, pace) => {
      const throttle = new Throttle(pace, 3, 1)
      let now = START
      let told = 0
      let lines = 0
      for (const { sender, kind, wait, isSummary } of rejections) {
        now += wait
        const suppressed = throttle.admit(sender, kind, 0, now)
        if (suppressed !== WITHHELD) {
          told += 1 + suppressed
          lines++
        }
        if (isSummary) told += sum(throttle.take(now, false))
      }
      told += sum(throttle.take(now, true))
      if (told !== rejections.length) throw new Error(`${told} were told of ${rejections.length}`)
      const allowed = pace.linesPerSecond * (10 + (now - START) / 1000)
      if (lines > Math.max(allowed, 1) + 1e-6) throw new Error(`${lines} lines where ${allowed} are allowed`)
    }),
    runs(300)
  )
})
