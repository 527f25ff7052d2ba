import fc from 'fast-check'
import t from 'tap'
import { countOf, type Mode, Throttle, type Withheld } from '../../src/log/throttle.js'
import type { Reason, RejectedVerdict } from '../../src/verdict/verdict.js'
import { runs } from '../support/properties.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = Date.UTC(2026, 10, 23)
const STRANGER = '198.51.100.7'

const rejected = (clientIp: string | null, reason: Reason = 'not-listed', peer: string | null = null) =>
  ({
    verified: false,
    clientIp,
    reason,
    hint: '',
    override: null,
    peer,
    revision: 'r1',
    carriesSecret: null
  }) satisfies RejectedVerdict

/** The counts that are not zero. */
const counts = ({ counts }: Withheld) =>
  Object.fromEntries(
    (['reject', 'tag'] as const).map((mode) => [
      mode,
      Object.fromEntries(Object.entries(counts[mode]).filter(([, count]) => count !== 0))
    ])
  )

t.test('a new sender gets a line at once, then at growing intervals with the count of what came between', async (t) => {
  const throttle = new Throttle(10)
  const lines: [minute: number, suppressed: number][] = []
  for (let second = 0; second <= 5 * 3600; second += 20) {
    const suppressed = throttle.admit(rejected(STRANGER), 'reject', START + second * 1000)
    if (suppressed !== undefined) lines.push([second / 60, suppressed])
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
})

t.test('a sender that stayed away is new again', async (t) => {
  const throttle = new Throttle(10)
  const table: [minute: number, suppressed: number | undefined][] = [
    [0, 0],
    [1, 0],
    // Quiet for two minutes from here, and away for an hour after that.
    [3 + 60, 0],
    [3 + 60 + 0.5, undefined],
    [3 + 60 + 1, 1]
  ]
  for (const [minute, suppressed] of table) {
    t.equal(throttle.admit(rejected('::1'), 'reject', START + minute * MINUTE), suppressed, `${minute}`)
  }
})

t.test('another reason, another mode and another peer get lines of their own', async (t) => {
  const throttle = new Throttle(10)
  const table: [verdict: RejectedVerdict, mode: Mode, suppressed: number | undefined][] = [
    [rejected(STRANGER), 'reject', 0],
    [rejected(STRANGER), 'reject', undefined],
    [rejected(STRANGER), 'tag', 0],
    [rejected(STRANGER, 'denied'), 'reject', 0],
    [rejected(STRANGER, 'denied'), 'reject', undefined],
    [rejected(null, 'unresolved', '10.0.0.1'), 'reject', 0],
    [rejected(null, 'unresolved', '10.0.0.2'), 'reject', 0],
    [rejected(null, 'unresolved'), 'reject', 0],
    [rejected(null, 'unresolved', '10.0.0.1'), 'reject', undefined]
  ]
  for (const [verdict, mode, suppressed] of table) t.equal(throttle.admit(verdict, mode, START), suppressed)
  t.strictSame(counts(throttle.take(START, true)), {
    reject: { 'not-listed': 1, denied: 1, unresolved: 1 },
    tag: {}
  })
})

t.test('a bucket bounds the lines of a flood, and not those of senders that MoEngage publishes', async (t) => {
  const throttle = new Throttle(10)
  let lines = 0
  for (let i = 0; i < 100_000; i++) {
    // 10,000 strangers a second.
    const verdict = rejected(`198.51.${i >> 8}.${i & 255}`)
    if (throttle.admit(verdict, 'reject', START + i / 10) !== undefined) lines++
  }
  t.equal(lines, 100 + 99, 'ten seconds at once, and as many in the ten seconds that the flood took')
  for (const reason of ['other-data-center', 'other-channel', 'stale-list'] as const) {
    t.equal(throttle.admit(rejected('52.6.248.125', reason), 'reject', START + 10_000), 0, reason)
  }
  t.strictSame(counts(throttle.take(START + 10_000, false)), { reject: { 'not-listed': 100_000 - 199 }, tag: {} })
  t.equal(countOf(throttle.take(START + 10_000, false).counts), 0)
})

t.test(
  'what waits for a sender that does not come again is reported when its time is over, or at the end',
  async (t) => {
    const throttle = new Throttle(10)
    for (let i = 0; i < 5; i++) throttle.admit(rejected(STRANGER), 'tag', START)
    t.match(throttle.take(START + 2 * MINUTE - 1, false).bySender, [])
    t.equal(throttle.take(START + 2 * MINUTE - 1, false).bySender.length, 0)
    const late = throttle.take(START + 2 * MINUTE, false)
    t.strictSame(late.bySender, [
      { clientIp: STRANGER, mode: 'tag', reason: 'not-listed', count: 4, withSecret: false }
    ])
    t.strictSame(counts(late), { reject: {}, tag: { 'not-listed': 4 } })
    for (let i = 0; i < 5; i++) throttle.admit(rejected('198.51.100.8', 'denied'), 'reject', START + MINUTE)
    t.strictSame(throttle.take(START + MINUTE, true).bySender, [
      { clientIp: '198.51.100.8', mode: 'reject', reason: 'denied', count: 4, withSecret: false }
    ])
  }
)

t.test('a sender that is forgotten leaves what waited for its next line', async (t) => {
  const throttle = new Throttle(10_000)
  throttle.admit(rejected('::1', 'denied'), 'tag', START)
  throttle.admit(rejected('::1', 'denied'), 'tag', START)
  for (let i = 0; i < 4096; i++) throttle.admit(rejected(`198.51.${i >> 8}.${i & 255}`), 'reject', START)
  const withheld = throttle.take(START, false)
  t.strictSame(counts(withheld), { reject: {}, tag: { denied: 1 } })
  t.strictSame(withheld.bySender, [])
  t.equal(throttle.admit(rejected('::1', 'denied'), 'tag', START), 0, 'it is new again')
})

t.test('what could not be logged is counted in the next summary', async (t) => {
  const throttle = new Throttle(10)
  throttle.withhold('tag', 'denied', 3, false)
  const withheld = throttle.take(START, false)
  throttle.withhold('tag', 'denied', 1, false)
  throttle.putBack(withheld)
  t.strictSame(counts(throttle.take(START, false)), { reject: {}, tag: { denied: 4 } })
})

t.test('a clock that is set back neither fills the bucket nor loses anything', async (t) => {
  const throttle = new Throttle(0.1)
  t.equal(throttle.admit(rejected('::a'), 'reject', START), 0)
  t.equal(throttle.admit(rejected('::b'), 'reject', START - HOUR), undefined)
  t.equal(throttle.admit(rejected('::b'), 'reject', START - HOUR + 9_000), undefined)
  t.equal(throttle.admit(rejected('::b'), 'reject', START - HOUR + 10_001), 0)
  t.equal(countOf(throttle.take(START, true).counts), 2)
})

t.test('a sender whose line is in the future, since the clock was set back, is not quiet until then', async (t) => {
  const throttle = new Throttle(10)
  const year = 365 * 24 * HOUR
  for (const sender of ['::a', '::b']) {
    t.equal(throttle.admit(rejected(sender), 'reject', START + year), 0)
    t.equal(throttle.admit(rejected(sender), 'reject', START + year), undefined)
  }
  t.equal(throttle.admit(rejected('::a'), 'reject', START), 1)
  t.match(throttle.take(START, false).bySender, [{ clientIp: '::b', count: 1 }])
})

t.test(
  'every rejection is counted exactly once, with the secret or without, and lines stay within the pace',
  async () => {
    const rejection = fc.record({
      verdict: fc.record({
        verified: fc.constant(false as const),
        clientIp: fc.oneof(
          fc.constantFrom(null, '198.51.100.1', '198.51.100.2', '2001:db8::1'),
          fc.integer({ min: 0, max: 20_000 }).map((n) => `10.0.${n >> 8}.${n & 255}`)
        ),
        reason: fc.constantFrom<Reason>('not-listed', 'denied', 'unresolved'),
        hint: fc.constant(''),
        override: fc.constant(null),
        peer: fc.constantFrom(null, '10.0.0.1'),
        revision: fc.constant('r1'),
        carriesSecret: fc.constantFrom(true, false, null)
      }),
      mode: fc.constantFrom<Mode>('reject', 'tag'),
      wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 2 * HOUR })),
      isSummary: fc.boolean(),
      isLost: fc.boolean()
    })
    fc.assert(
      fc.property(
        fc.array(rejection, { maxLength: 400 }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        (rejections, linesPerSecond) => {
          const throttle = new Throttle(linesPerSecond)
          let now = START
          const counted = { all: 0, withSecret: 0 }
          const lines = { withSecret: 0, others: 0 }
          const countLine = ({ carriesSecret }: RejectedVerdict, count: number) => {
            counted.all += count
            if (carriesSecret === true) counted.withSecret += count
          }
          const count = ({ counts, withSecret }: Withheld) => {
            counted.all += countOf(counts)
            counted.withSecret += countOf(withSecret)
          }
          for (const { verdict, mode, wait, isSummary, isLost } of rejections) {
            now += wait
            const suppressed = throttle.admit(verdict, mode, now)
            if (suppressed !== undefined) {
              lines[verdict.carriesSecret === true ? 'withSecret' : 'others']++
              if (isLost) throttle.withhold(mode, verdict.reason, 1 + suppressed, verdict.carriesSecret === true)
              else countLine(verdict, 1 + suppressed)
            }
            if (!isSummary) continue
            const withheld = throttle.take(now, false)
            if (isLost) throttle.putBack(withheld)
            else count(withheld)
          }
          count(throttle.take(now, true))
          const withSecret = rejections.filter(({ verdict }) => verdict.carriesSecret === true).length
          if (counted.all !== rejections.length) throw new Error(`${counted.all} are counted of ${rejections.length}`)
          if (counted.withSecret !== withSecret) throw new Error(`${counted.withSecret} are counted of ${withSecret}`)
          const allowed = Math.max(linesPerSecond * (10 + (now - START) / 1000), 1) + 1e-6
          for (const [whose, number] of Object.entries(lines)) {
            if (number > allowed) throw new Error(`${number} lines of ${whose} where ${allowed} are allowed`)
          }
        }
      ),
      runs(300)
    )
  }
)
