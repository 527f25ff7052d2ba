import fc from 'fast-check'
import t from 'tap'
import { CLOCK, formatDuration, parseDuration } from '../../src/lib/time.js'
import { runs } from '../support/properties.js'

t.test('a time is parsed with its unit', async (t) => {
  const table: [text: string, milliseconds: number | undefined][] = [
    ['0ms', 0],
    ['500ms', 500],
    ['15s', 15_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['90d', 7_776_000_000],
    ['2w', 1_209_600_000],
    ['1y', 31_557_600_000],
    ['90 d', 7_776_000_000],
    ['2 Days', 172_800_000],
    ['.5s', 500],
    ['1.1h', 3_960_000],
    ['-5s', -5_000],
    ['', undefined],
    ['90', undefined],
    ['soon', undefined],
    ['h', undefined],
    ['1hd', undefined],
    ['1h30m', undefined],
    ['1d ', undefined],
    [' 1d', undefined],
    ['1e3s', undefined],
    ['1M', undefined],
    ['1.5 M', undefined],
    ['1 m', 60_000],
    ['2H', 7_200_000],
    ['P90D', undefined],
    [`${'9'.repeat(100)}d`, undefined]
  ]
  for (const [text, milliseconds] of table) t.equal(parseDuration(text), milliseconds, text)
})

t.test('what is formatted is parsed as the same time, in the largest whole unit', async (t) => {
  const LENGTHS: Record<string, bigint> = { ms: 1n, s: 1000n, m: 60_000n, h: 3_600_000n, d: 86_400_000n }
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 31 - 1 }), fc.constantFrom(1, 1000, 60_000, 3_600_000, 86_400_000), (n, unit) => {
      const time = n * unit
      const text = formatDuration(time)
      const [, amount, name] = /^(\d+)(ms|s|m|h|d)$/.exec(text)!
      t.equal(BigInt(amount!) * LENGTHS[name!]!, BigInt(time))
      t.equal(parseDuration(text), time)
    }),
    runs(500)
  )
  for (const [time, text] of [
    [0, '0ms'],
    [7_776_000_000, '90d'],
    [129_600_000, '36h'],
    [1_500, '1500ms']
  ] as const) {
    t.equal(formatDuration(time), text)
  }
})

t.test('the clock runs something once, unless it is cancelled', async (t) => {
  const runs: string[] = []
  const cancel = CLOCK.after(0, () => runs.push('cancelled'))
  cancel()
  await new Promise<void>((resolve) => {
    // The timer does not keep the process alive.
    const alive = setTimeout(() => {}, 10_000)
    CLOCK.after(0, () => {
      runs.push('run')
      clearTimeout(alive)
      resolve()
    })
  })
  t.strictSame(runs, ['run'])
  t.ok(Math.abs(CLOCK.now() - Date.now()) < 60_000)
})
