import fc from 'fast-check'
import t from 'tap'
import { HOUR, MINUTE, SECOND } from '../../src/lib/time.js'
import { Samples, type Totals } from '../../src/status-page/samples.js'
import { TestClock } from '../support/clock.js'

const START = '2026-11-23T09:59:30Z'

function watched(start = START) {
  const clock = new TestClock(start)
  const counts = { verified: 0, rejected: 0 }
  const samples = new Samples(() => ({ ...counts }), clock)
  return { clock, counts, samples }
}

const byTime = (bars: readonly (Totals & { from: number })[]) =>
  bars.map(({ from, verified, rejected }) => [new Date(from).toISOString().slice(11, 16), verified, rejected])

t.test('requests count for the minute and the hour in which they came', async (t) => {
  const { clock, counts, samples } = watched()
  counts.verified = 2
  clock.pass(30 * SECOND)
  counts.verified += 3
  counts.rejected = 1
  clock.pass(90 * SECOND)
  samples.take()
  t.strictSame(byTime(samples.minutes), [
    ['09:59', 2, 0],
    ['10:00', 3, 1],
    ['10:01', 0, 0]
  ])
  t.strictSame(byTime(samples.hours), [
    ['09:00', 2, 0],
    ['10:00', 3, 1]
  ])
})

t.test('a minute without a request has a bar, and the time before the first sample has none', async (t) => {
  const { clock, samples } = watched()
  t.strictSame(byTime(samples.minutes), [['09:59', 0, 0]])
  clock.pass(3 * MINUTE)
  t.equal(samples.minutes.length, 4)
  for (let i = 0; i < 100; i++) clock.pass(MINUTE)
  t.equal(samples.minutes.length, 60)
  clock.pass(100 * HOUR)
  t.equal(samples.hours.length, 48)
  t.ok(samples.hours.every(({ verified, rejected }) => verified + rejected === 0))
})

t.test('what was counted before the page began has no bar, and a guard without a list counts from 0', async (t) => {
  const clock = new TestClock(START)
  let totals: Totals | undefined = { verified: 7, rejected: 7 }
  const late = new Samples(() => totals, clock)
  late.take({ verified: 8, rejected: 7 })
  t.strictSame(byTime(late.minutes), [['09:59', 1, 0]])
  totals = undefined
  const early = new Samples(() => totals, clock)
  early.take()
  totals = { verified: 1, rejected: 2 }
  early.take()
  t.strictSame(byTime(early.minutes), [['09:59', 1, 2]])
})

t.test('a closed page takes no more samples', async (t) => {
  const { clock, samples } = watched()
  t.strictSame(clock.waiting, [30 * SECOND])
  clock.pass(MINUTE)
  t.strictSame(clock.waiting, [30 * SECOND], 'the next sample is at the end of a minute again')
  samples.close()
  t.strictSame(clock.waiting, [])
})

t.test('a clock that goes back breaks nothing', async (t) => {
  const { clock, samples } = watched()
  clock.pass(-2 * HOUR, { timersAreLate: true })
  samples.take({ verified: 1, rejected: 0 })
  t.strictSame(samples.minutes, [])
})

t.test('no request of the last hour is lost, and none is counted twice', async () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.nat({ max: 5 }), fc.nat({ max: 5 })), {
    maxLength: 60
  })
  fc.assert(
    fc.property(steps, (steps) => {
      const { clock, counts, samples } = watched()
      for (const [seconds, verified, rejected] of steps) {
        counts.verified += verified
        counts.rejected += rejected
        clock.pass(seconds * SECOND)
      }
      samples.take()
      for (const bars of [samples.minutes, samples.hours]) {
        const sum = (side: 'verified' | 'rejected') => bars.reduce((total, bar) => total + bar[side], 0)
        if (sum('verified') !== counts.verified || sum('rejected') !== counts.rejected)
          throw new Error('a count is wrong')
      }
    })
  )
})
