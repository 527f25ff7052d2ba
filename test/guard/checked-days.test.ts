import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import type { GuardOptions, Snapshot } from '../../src/core.js'
import { loadGuard } from '../../src/guard/create-guard.js'
import { storeFleet } from '../../src/redis.js'
import { TestClock } from '../support/clock.js'
import { until } from '../support/http.js'
import { runs } from '../support/properties.js'
import { FOUR, snapshotOf, sound } from '../support/snapshots.js'

const DAY = 86_400_000
const START = Date.parse('2026-11-23T12:00:00Z')
const STALE_AFTER = 30 * DAY
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10)

/** A guard whose list was taken on the first day, and whose clock and lists the test holds. */
async function guarding(options: Partial<GuardOptions> = {}, first = sound({ retrieved: dayOf(START) }), off = 0) {
  const clock = new TestClock(new Date(START + off * DAY).toISOString())
  const held: { list: Snapshot; watched: Snapshot | undefined; loads: number } = {
    list: first,
    watched: undefined,
    loads: 0
  }
  const guard = await loadGuard(
    {
      dataCenters: 'DC-01',
      source: { name: 'ours', load: async () => held.list },
      watch: {
        name: 'theirs',
        load: async () => {
          held.loads++
          if (held.watched === undefined) throw new Error('away')
          return held.watched
        }
      },
      staleAfter: STALE_AFTER,
      rejectWhenStale: true,
      confirm: ['future'],
      ...options
    },
    { clock }
  )
  let real = START
  /** Lets real time pass, until the watched source was asked. */
  const pass = async (days: number) => {
    const { loads } = held
    real += days * DAY
    clock.pass(days * DAY)
    await until(() => held.loads > loads)
    const { watched } = held
    await until(() => watched === undefined || guard.status().watch!.checkedAt === clock.now())
    await setImmediate()
  }
  /** Sets the clock, which is then off by some days. */
  const set = (off: number) => clock.set(real + off * DAY)
  const judged = () => {
    const verdict = guard.judge({ peer: '9.9.9.1', headers: {} })
    return verdict.verified ? 'verified' : verdict.reason
  }
  const checked = () => {
    const day = guard.metrics().checked
    const age = Math.max(0, clock.now() - Date.parse(day))
    t.equal(guard.status().age, age)
    t.equal(judged(), age < STALE_AFTER ? 'verified' : 'stale-list')
    return day
  }
  /** The source gives the same list, which was checked on a day. */
  const reload = (day: string) => {
    held.list = { ...first, provenance: { ...first.provenance, checked: day } }
    return guard.reload()
  }
  return { guard, held, pass, set, checked, reload, now: () => real, close: () => guard.close() }
}

t.test('a check by a clock that is ahead does not keep a list from becoming stale', async (t) => {
  for (const by of ['watch', 'source'] as const) {
    const { held, pass, set, checked, reload, now, close } = await guarding()
    t.teardown(close)
    const check = async (off: number) => {
      set(off)
      const day = dayOf(now() + (off + 1) * DAY)
      if (by === 'watch') held.watched = sound({ retrieved: day })
      else await reload(dayOf(now() + off * DAY))
      await pass(1)
      held.watched = undefined
    }
    await check(0)
    await check(366)
    const last = dayOf(now() - (by === 'watch' ? 0 : DAY))
    set(0)
    t.equal(checked(), last, `${by}: by the clock as it is now`)
    await pass(40)
    t.equal(checked(), last, `${by}: the list has become stale`)
    await pass(340)
    t.equal(checked(), last, `${by}: nor is it fresh again when the day has come`)
    await check(0)
    t.equal(checked(), dayOf(now() - (by === 'watch' ? 0 : DAY)), `${by}: until it is checked again`)
  }
})

t.test('a check by a clock that is behind does not make a list stale', async (t) => {
  const { held, pass, set, checked, now, close } = await guarding()
  t.teardown(close)
  held.watched = sound({ retrieved: dayOf(now() + 20 * DAY) })
  await pass(20)
  set(-20_000)
  held.watched = sound({ retrieved: dayOf(now() - 19_999 * DAY) })
  await pass(1)
  held.watched = undefined
  set(0)
  t.equal(checked(), dayOf(now() - DAY))
  await pass(28)
  t.equal(checked(), dayOf(now() - 29 * DAY))
})

t.test('a clock that is set back does not make a list stale that was checked since', async (t) => {
  const { held, pass, set, checked, now, close } = await guarding()
  t.teardown(close)
  held.watched = sound({ retrieved: dayOf(now() + 60 * DAY) })
  await pass(60)
  held.watched = undefined
  for (const back of [1, 10, 18]) {
    set(-back)
    t.equal(checked(), dayOf(now() - back * DAY), `${back} days`)
  }
})

t.test('a list that is dated ahead ages from the day on which it was loaded, and the warning stays', async (t) => {
  const { guard, pass, checked, close } = await guarding({}, sound({ retrieved: '2030-01-01' }))
  t.teardown(close)
  const codes = () =>
    guard
      .status()
      .warnings.map(({ code }) => code)
      .filter((code) => code !== 'MOE_WARN_WATCH')
  await pass(10)
  t.strictSame([checked(), codes()], ['2026-11-23', ['MOE_WARN_FUTURE']])
  await pass(30)
  await guard.reload()
  t.strictSame([checked(), codes()], ['2026-11-23', ['MOE_WARN_FUTURE', 'MOE_WARN_STALE']])
})

t.test('a list of the same revision whose date was corrected counts by the new date', async (t) => {
  const { guard, held, checked, close } = await guarding({ confirm: ['older'] })
  t.teardown(close)
  for (const [retrieved, expected] of [
    ['2026-11-01', '2026-11-01'],
    ['2026-11-05', '2026-11-05'],
    ['2026-11-02', '2026-11-02']
  ] as const) {
    held.list = sound({ retrieved })
    await guard.reload()
    t.equal(checked(), expected)
  }
})

t.test(
  'a list that takes the place of another one counts by its own date, however alike their revisions are',
  async (t) => {
    const first = (revision: string) => sound({ revision, retrieved: '2026-11-22' })
    const next = (revision: string, addresses?: string[]) => ({
      ...sound({ revision, retrieved: '2026-11-02' }),
      ...(addresses && { rows: snapshotOf({ 'DC-01 sms': addresses }).rows })
    })
    const older = { revision: 'ours', retrieved: '2026-11-02' }
    const table: [what: string, before: Snapshot, after: Snapshot][] = [
      [
        'the same start of the revision',
        first('production-2026-11'),
        next('production-2026-06', [...FOUR, '9.9.9.200'])
      ],
      ['the same revision, with one more address', first('ours'), next('ours', [...FOUR, '9.9.9.200'])],
      ['the same revision, with another address', first('ours'), next('ours', [...FOUR.slice(1), '9.9.9.200'])],
      ['the same revision, with one address less', first('ours'), sound(older, FOUR.slice(0, 3))],
      [
        'the same revision, with another address at the end',
        first('ours'),
        sound(older, [...FOUR.slice(0, 3), '9.9.9.200'])
      ],
      [
        'the same revision, with the same addresses for another channel',
        first('ours'),
        snapshotOf({ 'DC-01 sms': FOUR, 'DC-02 connector': ['8.8.4.4'] }, older)
      ],
      ['the same entries', first('ours'), next('ours')],
      ['the same entries, with another revision', first('ours'), next('theirs')]
    ]
    for (const [what, before, after] of table) {
      const options = { confirm: ['older', 'future', 'shrunk'] as const }
      const { guard, held, pass, checked, close } = await guarding(options, before)
      t.teardown(close)
      held.watched = before
      await pass(1)
      held.watched = undefined
      t.equal(checked(), '2026-11-22', what)
      held.list = after
      await guard.reload()
      const confirmed = what.startsWith('the same entries') ? '2026-11-22' : '2026-11-02'
      t.equal(checked(), confirmed, what)
    }
  }
)

t.test('a list in use that is loaded again with a day ahead was checked on the day of that load', async (t) => {
  const { pass, reload, checked, close } = await guarding()
  t.teardown(close)
  await pass(3)
  t.equal(checked(), '2026-11-23')
  await reload('2030-01-01')
  t.equal(checked(), '2026-11-26')
})

t.test('of a list in the store of a fleet whose date was corrected, the new date counts', async (t) => {
  let [version, retrieved] = [1, '2026-11-22']
  const store = {
    name: 'held',
    read: async () => ({ version, list: JSON.stringify(sound({ retrieved })), overrides: null }),
    poll: async () => version,
    write: async () => false,
    time: async () => START,
    watch: () => {},
    report: async () => {},
    async *reports() {},
    log: async () => [],
    close: () => {}
  }
  const fleet = storeFleet({ store: () => store, name: 'held' })
  const guard = await loadGuard(
    { dataCenters: 'DC-01', fleet, confirm: ['older', 'future'] },
    { clock: new TestClock('2026-11-23') }
  )
  t.teardown(() => guard.close())
  t.equal(guard.metrics().checked, retrieved)
  version++
  retrieved = '2026-11-02'
  await guard.reload()
  t.equal(guard.metrics().checked, retrieved)
})

t.test('a list that is older is refused whatever the clock does', async (t) => {
  for (const off of [0, -400, 400]) {
    const { guard, held, set, close } = await guarding()
    t.teardown(close)
    set(off)
    held.list = sound({ revision: 'r2', retrieved: '2026-11-22' })
    await t.rejects(guard.reload(), { code: 'MOE_ERR_SUSPICIOUS', message: /is of 2026-11-22, older than/ }, `${off}`)
    t.equal(guard.status().revision, 'r1')
  }
})

t.test('however the clock jumps, a right one judges a list by the days of its checks', async (t) => {
  const off = fc.oneof(fc.constant(0), fc.integer({ min: -800, max: 800 }))
  const step = fc.record({
    off,
    days: fc.integer({ min: 1, max: 40 }),
    by: fc.constantFrom('watch', 'source', 'nobody'),
    /** Whether the day is that of the clock, or a right one from outside. */
    isByClock: fc.boolean(),
    isRead: fc.boolean()
  })
  const property = fc.asyncProperty(off, fc.array(step, { maxLength: 12 }), async (first, steps) => {
    const { held, pass, set, checked, reload, now, close } = await guarding({}, undefined, first)
    try {
      let [right, latest] = [START, START]
      for (const { off, days, by, isByClock, isRead } of steps) {
        set(off)
        const atEnd = by === 'watch' ? days : 0
        const day = now() + (atEnd + (isByClock ? off : 0)) * DAY
        held.watched = by === 'watch' ? sound({ retrieved: dayOf(day) }) : undefined
        // A check before the list was taken is refused in any list.
        if (by === 'source' && day >= START) await reload(dayOf(day))
        if (by !== 'nobody' && day >= START) latest = now() + atEnd * DAY
        // Of a list that is dated ahead of the clock, nobody can know whether it is right.
        const isRight = off === 0 || (!isByClock && off > 0)
        if (by !== 'nobody' && isRight) right = now() + atEnd * DAY
        // A list from outside counts by the date that it has now.
        if (by === 'source' && day >= START) right = Math.min(right, day)
        if (isRead) checked()
        await pass(days)
        if (isRead) checked()
        set(0)
        const last = checked()
        if (last < dayOf(right)) throw new Error(`${last} is before the last check by a right clock, ${dayOf(right)}.`)
        if (last > dayOf(latest)) throw new Error(`${last} is after the last check, ${dayOf(latest)}.`)
      }
    } finally {
      close()
    }
  })
  await fc.assert(property, runs(200))
  t.pass()
})
