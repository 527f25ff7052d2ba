import fc from 'fast-check'
import t from 'tap'
import { Histogram, spanText } from '../../src/report/histogram.js'
import { runs } from '../support/properties.js'
import { TIME } from './lines.js'

t.test('a histogram keeps every count in few bars', async () => {
  const times = fc.array(
    fc.record({
      time: fc.integer({ min: 0, max: 253_402_300_799_999 }),
      near: fc.integer({ min: 0, max: 1e9 }),
      isNear: fc.boolean()
    }),
    { minLength: 0, maxLength: 300, size: 'max' }
  )
  fc.assert(
    fc.property(times, (times) => {
      const histogram = new Histogram()
      for (const { time, near, isNear } of times) histogram.add(isNear ? TIME + near : time, 2)
      const bars = histogram.bars()
      if (bars.length > 48) throw new Error(`${bars.length} bars`)
      if (bars.reduce((sum, { count }) => sum + count, 0) !== 2 * times.length) throw new Error('a count is lost')
      if (bars.some(({ from }, i) => i > 0 && from <= bars[i - 1]!.from)) throw new Error('they are not in order')
    }),
    runs(100)
  )
})

t.test('a length of time is said in the largest unit that fits', async (t) => {
  const table: [span: number, least: number, text: string][] = [
    [0, 2, '0 minutes'],
    [60_000, 1, '1 minute'],
    [3_600_000, 1, '1 hour'],
    [3_600_000, 2, '60 minutes'],
    [86_400_000, 2, '24 hours'],
    [3 * 86_400_000, 2, '3 days']
  ]
  for (const [span, least, text] of table) t.equal(spanText(span, least), text)
})
