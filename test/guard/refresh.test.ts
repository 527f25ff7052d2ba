import { EventEmitter, on } from 'node:events'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { createGuard, type GuardOptions, type Snapshot, type Source } from '../../src/core.js'
import { Directory } from '../../src/directory/directory.js'
import { UNCHANGED } from '../../src/directory/source/source.js'
import { loadGuard } from '../../src/guard/create-guard.js'
import { Refresh } from '../../src/guard/refresh.js'
import { TestClock } from '../support/clock.js'
import { failingThenable, unreadableErrors } from '../support/failures.js'
import { until } from '../support/http.js'
import { FOUR, snapshotOf, sound } from '../support/snapshots.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A guard of a loader whose loads wait until they are answered. */
async function answering(t: Test, options: Partial<Source> = {}, further: Partial<GuardOptions> = {}) {
  const clock = new TestClock('2026-11-23')
  const loads: { answer: (snapshot: unknown) => void; fail: (error: unknown) => void; signal: AbortSignal }[] = []
  const load = (signal: AbortSignal) =>
    new Promise<Snapshot>((answer, fail) => loads.push({ answer: answer as (snapshot: unknown) => void, fail, signal }))
  const source = { name: 'ours', load, ...options }
  const loading = loadGuard({ dataCenters: 'DC-01', source, ...further }, { clock })
  loads[0]!.answer(sound({ revision: 'r1' }))
  const guard = await loading
  t.teardown(() => guard.close())
  return { guard, loads, clock }
}

t.test('a call during a load gets one more load after it, which all such calls share', async (t) => {
  const { guard, loads, clock } = await answering(t, { interval: 60_000 })
  clock.pass(60_000)
  t.equal(loads.length, 2, 'by time')
  const byHand = [guard.reload(), guard.reload()]
  t.equal(loads.length, 2, 'nothing runs side by side')
  loads[1]!.answer(sound({ revision: 'r2' }))
  await until(() => loads.length === 3)
  t.match(guard.status(), { revision: 'r2' }, 'what was read before the calls is in use meanwhile')
  loads[2]!.answer(sound({ revision: 'r3' }))
  t.match(await Promise.all(byHand), [{ revision: 'r3' }, { revision: 'r3' }])
  await until(() => clock.waiting.length > 0)
  const next = guard.reload()
  t.equal(loads.length, 4, 'what comes later loads anew')
  const afterFailure = guard.reload()
  loads[3]!.fail(new Error('away'))
  await t.rejects(next, { message: /"ours" failed: away\./ })
  await until(() => loads.length === 5)
  loads[4]!.answer(sound({ revision: 'r4' }))
  t.match(await afterFailure, { revision: 'r4' }, 'a load that failed is no answer to a later call')
  const long = guard.reload()
  loads[5]!.fail(new Error('x'.repeat(100_000)))
  await long.catch(({ message }) => t.ok(message.length < 500, 'an endless message is cut'))
})

t.test(
  'a loader that never answers is given up, blocks nobody, and changes nothing when it answers late',
  async (t) => {
    const { guard, loads } = await answering(t, { timeout: 30 })
    await t.rejects(guard.reload(), { code: 'MOE_ERR_SOURCE', message: /It did not answer within 30 ms\./ })
    t.equal(loads[1]!.signal.aborted, true, 'it is told so')
    const newer = guard.reload()
    loads[1]!.answer(sound({ revision: 'late' }))
    loads[2]!.answer(sound({ revision: 'newer' }))
    t.match(await newer, { revision: 'newer' })
    t.match(guard.status(), { revision: 'newer', lastError: null })
    t.equal(loads[2]!.signal.aborted, false)
    await t.rejects(guard.reload(), { message: /30 ms/ })
    loads[3]!.fail(new Error('late'))
    t.match(guard.status(), { revision: 'newer', lastError: /30 ms/ })
    await t.rejects(
      loadGuard({
        dataCenters: 'DC-01',
        source: { name: 'mute', load: () => new Promise<never>(() => {}), timeout: 30 }
      }),
      { message: /"mute" failed: It did not answer within 30 ms\./ },
      'nor does a guard start by it'
    )
  }
)

t.test(
  'a load that a server ended with its timer blocks no later one, whether it succeeds or fails after all',
  async (t) => {
    const { guard, loads, clock } = await answering(t, { timeout: 5_000 })
    const cutOff = guard.reload()
    const waiting = guard.reload()
    clock.pass(14_999)
    const shared = guard.reload()
    clock.pass(1)
    const newer = guard.reload()
    t.equal(loads.length, 3)
    loads[2]!.answer(sound({ revision: 'newer' }))
    t.match(await newer, { revision: 'newer', lastError: null })
    t.match(guard.metrics().reloads, { succeeded: 1, failed: 1 })
    loads[1]!.fail(new Error('late'))
    await t.rejects(cutOff, /late/)
    t.match(guard.status(), { revision: 'newer', lastError: null })
    await until(() => loads.length === 4)
    loads[3]!.answer(sound({ revision: 'newest' }))
    t.match(await Promise.all([waiting, shared]), [{ revision: 'newest' }, { revision: 'newest' }])
  }
)

t.test('the metrics say whether the last load failed', async (t) => {
  const { guard, loads } = await answering(t)
  const failing: boolean[] = [guard.metrics().sourceFailing]
  for (const revision of [null, 'r2']) {
    const reload = guard.reload().catch(() => {})
    if (revision === null) loads.at(-1)!.fail(new Error('no'))
    else loads.at(-1)!.answer(sound({ revision }))
    await reload
    failing.push(guard.metrics().sourceFailing)
  }
  t.strictSame(failing, [false, true, false])
})

t.test('every reload that came to something is told', async (t) => {
  const told: unknown[] = []
  const onReload: GuardOptions['onReload'] = (error, { revision }) => told.push(error?.message ?? revision)
  let answer: () => Snapshot = () => sound({ revision: 'r1' })
  const guard = createGuard({ dataCenters: 'DC-01', source: { name: 'ours', load: () => answer() }, onReload })
  await guard.reload()
  answer = () => {
    throw new Error('away')
  }
  await t.rejects(guard.reload())
  await t.rejects(guard.reload(), 'the second one fails too, and is no news')
  answer = () => sound({ revision: 'r2' })
  await guard.reload()
  t.match(told, ['r1', /away/, 'r2'])
})

t.test('an onReload that fails, at once or later, is reported once and changes nothing', async (t) => {
  const failures: [what: string, onReload: () => unknown, message: RegExp][] = [
    [
      'throws',
      () => {
        throw new Error('The listener is broken.')
      },
      /onReload failed.*The listener is broken\./
    ],
    [
      'throws null',
      () => {
        throw null
      },
      /onReload failed.*not an error/
    ],
    [
      'returns a promise that is rejected',
      async () => {
        throw new Error('Nobody is there.')
      },
      /Nobody is there\./
    ]
  ]
  for (const [what, onReload, message] of failures) {
    const guard = createGuard({ dataCenters: 'DC-01', onReload })
    const warnings: Error[] = []
    const listen = (warning: Error) => void warnings.push(warning)
    process.on('warning', listen)
    t.match(await guard.reload(), { lastError: null }, what)
    await guard.reload()
    t.match(guard.metrics().reloads, { succeeded: 2, failed: 0 }, what)
    await new Promise((resolve) => setTimeout(resolve, 5))
    process.off('warning', listen)
    t.match(warnings, [{ message }], what)
    t.equal(warnings.length, 1, what)
  }
})

t.test('an error of a subscription that cannot be read is reported all the same', async (t) => {
  for (const error of [...unreadableErrors(), null]) {
    const { guard, clock } = await answering(t, { watch: () => Promise.reject(error) })
    await turn()
    clock.pass(0)
    t.match(guard.status().lastError, /The source "ours" failed: /)
  }
})

t.test('a load that was cut off is given up, also after the clock was set back', async (t) => {
  const { guard, loads, clock } = await answering(t, { timeout: 5_000 })
  guard.reload().catch(() => {})
  clock.pass(-86_400_000)
  const newer = guard.reload()
  t.equal(loads.length, 3)
  loads[2]!.answer(sound({ revision: 'newer' }))
  t.match(await newer, { revision: 'newer' })
})

t.test('a list is stale by what the clock says at each request', async (t) => {
  const clock = new TestClock('2026-11-23')
  const source = { name: 'ours', load: () => sound({ retrieved: '2026-11-20' }) }
  const day = 86_400_000
  const guard = await loadGuard(
    { dataCenters: 'DC-01', source, rejectWhenStale: true, staleAfter: 90 * day },
    { clock }
  )
  const request = { peer: FOUR[0], headers: {} }
  t.equal(guard.judge(request).verified, true)
  clock.pass(365 * day)
  t.match(guard.judge(request), { verified: false, reason: 'stale-list' })
  clock.pass(-365 * day)
  t.equal(guard.judge(request).verified, true, 'a clock that was wrong for a while leaves nothing behind')
})

t.test('a list that was refused is loaded again an hour later, though its source has nothing new', async (t) => {
  const clock = new TestClock('2026-01-01')
  let list = sound({ revision: 'r1', retrieved: '2025-12-31' })
  let loads = 0
  const texts = {
    name: 'ours',
    timeout: 1000,
    interval: 60_000,
    load: () => {
      loads++
      return list
    },
    hasChanged: async () => false
  }
  const told: (string | null)[] = []
  const refresh = new Refresh(
    texts,
    {
      prepare: async ({ provenance }) => {
        if (Date.parse(provenance.retrieved) > clock.now()) throw new Error('future')
        return () => {}
      },
      count: (error) => void told.push(error?.message ?? null),
      notify: () => {}
    },
    clock
  )
  t.teardown(() => refresh.close())
  list = sound({ revision: 'r2', retrieved: '2026-11-23' })
  await t.rejects(refresh.load(), { message: 'future' })
  const wait = async (milliseconds: number) => {
    clock.pass(milliseconds)
    await until(() => clock.waiting.length > 0)
  }
  for (let minutes = 1; minutes < 60; minutes++) await wait(60_000)
  t.equal(loads, 1)
  await wait(60_000)
  t.equal(loads, 2)
  await wait(400 * 86_400_000)
  t.equal(loads, 3)
  t.strictSame(told, ['future', 'future', null])
  await wait(86_400_000)
  t.equal(loads, 3, 'a list that was accepted is not loaded again')
})

t.test('a policy that judged by one list gets a verdict by every list after it', async (t) => {
  let list = snapshotOf({ 'DC-01 connector': FOUR, 'DC-01 sms': ['9.9.9.9'] })
  const source = { name: 'ours', load: () => list }
  const guard = createGuard({ dataCenters: 'DC-01', source, gracePeriod: 0, confirm: ['shrunk'] })
  const policy = { channels: 'sms' } as const
  const request = { peer: '9.9.9.9', headers: {} }
  t.equal(guard.judge(request, policy).verified, true)
  list = snapshotOf({ 'DC-01 connector': FOUR, 'DC-01 sms': 'NA' }, { revision: 'r2' })
  await guard.reload()
  t.match(guard.judge(request, policy), { verified: false, reason: 'not-listed', revision: 'r2' })
  t.match(guard.judge(request, { channels: 'sms' }), { reason: 'not-listed' }, 'also where it is written anew')
  t.throws(() => guard.judge(request, { channels: ['sms'] }), { code: 'MOE_ERR_OPTIONS' }, 'a new one is checked')
})

t.test('a closed guard judges on, and loads no more', async (t) => {
  const { guard, loads, clock } = await answering(t, { interval: 60_000 })
  guard.close()
  t.strictSame(clock.waiting, [], 'no timer is left')
  await t.rejects(guard.reload(), { code: 'MOE_ERR_SOURCE', message: /The guard is closed\./ })
  t.match(guard.status(), { revision: 'r1', lastError: null })
  t.equal(guard.judge({ peer: FOUR[0], headers: {} }).verified, true)
  t.equal(loads.length, 1)

  const busy = await answering(t, { interval: 60_000 })
  busy.clock.pass(60_000)
  busy.guard.close()
  t.equal(busy.loads[1]!.signal.aborted, true, 'a load under way is given up')
  busy.loads[1]!.answer(sound({ revision: 'r2' }))
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(busy.clock.waiting, [], 'and none follows')
  t.match(busy.guard.status(), { revision: 'r1', lastError: null })
})

t.test('what waits for its time keeps no process alive', async (t) => {
  const { getActiveResourcesInfo } = process
  const timeouts = () => getActiveResourcesInfo.call(process).filter((name) => name === 'Timeout').length
  const before = timeouts()
  const source = { name: 'ours', load: () => sound(), interval: 60_000 }
  const guard = await loadGuard({ dataCenters: 'DC-01', source }, { onDay: () => {} })
  t.equal(timeouts(), before)
  guard.close()
})

t.test('a source that is pushed loads after every change', async (t) => {
  const watched: { changed: () => void; signal: AbortSignal }[] = []
  const watch = (changed: () => void, signal: AbortSignal) => void watched.push({ changed, signal })
  const { guard, loads, clock } = await answering(t, { watch })
  t.equal(watched.length, 1, 'it is subscribed to once')
  t.equal(loads.length, 1)
  for (let i = 0; i < 200; i++) watched[0]!.changed()
  t.equal(loads.length, 2, 'one load is under way')
  loads[1]!.answer(sound({ revision: 'r2' }))
  await until(() => loads.length === 3)
  loads[2]!.answer(sound({ revision: 'r3' }))
  await until(() => guard.status().revision === 'r3')
  t.equal(loads.length, 3, 'two hundred changes take one more load, which began after the last of them')
  watched[0]!.changed()
  loads[3]!.fail(new Error('away'))
  await until(() => guard.status().lastError !== null)
  t.match(guard.status(), { revision: 'r3', lastError: /away/ })
  t.ok(
    clock.waiting.every((wait) => wait <= 10_000),
    'it is tried again'
  )
  clock.pass(0)
  t.equal(loads.length, 4, 'what was missed before the subscription was loaded after the first change')
  guard.close()
  t.equal(watched[0]!.signal.aborted, true)
  watched[0]!.changed()
  t.equal(loads.length, 4, 'a closed guard loads no more')
})

t.test('a load that failed is tried again by itself, whatever it followed', async (t) => {
  let changed = () => {}
  const watch = (notify: () => void) => {
    changed = notify
  }
  const hour = 3_600_000
  type Begin = (answered: Awaited<ReturnType<typeof answering>>) => void
  const byHand: Begin = ({ guard }) => void guard.reload().catch(() => {})
  const table: [what: string, source: Partial<Source>, begin: Begin, longest: number][] = [
    ['the interval', { interval: hour }, ({ clock }) => clock.pass(hour), hour],
    ['a call', { interval: hour }, byHand, hour],
    ['a change', { watch }, () => changed(), 60_000],
    ['a change of a source that has an interval too', { watch, interval: hour }, () => changed(), hour],
    ['a call, where changes are notified', { watch }, byHand, 60_000],
    ['the subscription', { watch }, ({ clock }) => clock.pass(0), 60_000]
  ]
  for (const [what, source, begin, longest] of table) {
    const answered = await answering(t, source)
    const { guard, loads, clock } = answered
    begin(answered)
    for (let failures = 1; failures <= 10; failures++) {
      const { length } = loads
      t.equal(length, failures + 1, `${what}: load ${failures}`)
      loads.at(-1)!.fail(new Error('away'))
      await turn()
      await turn()
      const wait = Math.min(10_000 * 2 ** (failures - 1), longest)
      clock.pass(wait / 2 - 1)
      t.equal(loads.length, length, `${what}: not at once`)
      clock.pass(wait / 2 + 1)
    }
    loads.at(-1)!.answer(sound({ revision: 'r2' }))
    await until(() => guard.status().lastError === null)
    t.match(guard.status(), { revision: 'r2', lastError: null }, what)
    const { length } = loads
    clock.pass(longest / 2)
    t.equal(loads.length, length, `${what}: a load that succeeded is not tried again`)
  }
})

t.test('a source that is only asked on demand is not tried again: who asked has the error', async (t) => {
  const { guard, loads, clock } = await answering(t)
  const reload = guard.reload()
  loads[1]!.fail(new Error('away'))
  await t.rejects(reload, /away/)
  t.strictSame(clock.waiting, [])
})

t.test('what changed between the first load and the subscription is loaded once the subscription stands', async (t) => {
  let stands: (value?: unknown) => void = () => {}
  const pending = () =>
    new Promise((resolve) => {
      stands = resolve
    })
  const table: [what: string, watch: () => unknown][] = [
    ['a subscription that stands when the call returns', () => undefined],
    ['a subscription whose promise is never fulfilled, as that of a loop', pending]
  ]
  for (const [what, watch] of table) {
    const { guard, loads, clock } = await answering(t, { watch })
    clock.pass(0)
    t.equal(loads.length, 2, what)
    loads[1]!.answer(sound({ revision: 'r2' }))
    await until(() => guard.status().revision === 'r2')
    t.equal(guard.status().revision, 'r2', what)
    clock.pass(60_000)
    t.equal(loads.length, 2, `${what}, once`)
  }
  const { guard, loads, clock } = await answering(t, { watch: pending })
  stands()
  await turn()
  clock.pass(0)
  t.equal(loads.length, 2, 'both at once are one')
  loads[1]!.answer(sound({ revision: 'r2' }))
  await until(() => guard.status().revision === 'r2')

  const slow = await answering(t, { watch: pending })
  slow.clock.pass(0)
  slow.loads[1]!.answer(sound({ revision: 'r2' }))
  await until(() => slow.guard.status().revision === 'r2')
  stands()
  await turn()
  slow.clock.pass(0)
  t.equal(slow.loads.length, 3, 'a subscription that took long may have missed more')

  const closed = await answering(t, { watch: pending })
  closed.guard.close()
  t.strictSame(closed.clock.waiting, [])
  stands()
  await turn()
  t.strictSame(closed.clock.waiting, [], 'a closed guard loads nothing')
})

t.test('a watched source that is pushed is loaded once, after it was subscribed to', async (t) => {
  const done: string[] = []
  const load = () => {
    done.push('load')
    return sound()
  }
  const { clock, guard } = await answering(t, {}, { watch: { name: 'theirs', load, watch: () => done.push('watch') } })
  clock.pass(0)
  await until(() => guard.status().watch?.revision === 'r1')
  t.strictSame(done, ['watch', 'load'])
})

t.test('a source that can be asked whether it has changed is not loaded for its subscription', async (t) => {
  const clock = new TestClock('2026-11-23')
  let loads = 0
  const source = {
    name: 'ours',
    timeout: 1000,
    interval: 60_000,
    load: () => void loads++,
    hasChanged: async () => false,
    watch: () => {}
  }
  const to = { prepare: async () => () => {}, count: () => {}, notify: () => {} }
  const refresh = new Refresh(source, to, clock)
  t.teardown(() => refresh.close())
  clock.pass(0)
  t.equal(loads, 0)
})

t.test('a source that does not say in time whether it has changed is loaded', async (t) => {
  const clock = new TestClock('2026-11-23')
  const errors: string[] = []
  const source = {
    name: 'ours',
    timeout: 20,
    interval: 60_000,
    load: () => new Promise(() => {}),
    hasChanged: () => new Promise<boolean>(() => {})
  }
  const to = {
    prepare: async () => () => {},
    count: (error: Error | null) => void errors.push(`${error?.message}`),
    notify: () => {}
  }
  const refresh = new Refresh(source, to, clock)
  t.teardown(() => refresh.close())
  for (const count of [1, 2]) {
    await until(() => clock.waiting.length > 0)
    clock.pass(60_000)
    await until(() => errors.length === count)
    t.match(refresh.lastError, /"ours" failed: It did not answer within 20 ms/)
  }
})

t.test('a failure that is not that of a load is counted at once, and reported when the guard is made', async (t) => {
  const clock = new TestClock('2026-11-23')
  const reported: (string | undefined)[] = []
  const counted: (string | undefined)[] = []
  const to = {
    prepare: async () => () => {},
    count: (error: Error | null) => void counted.push(error?.message),
    notify: (error: Error | null) => void reported.push(error?.message)
  }
  const refresh = new Refresh({ name: 'ours', timeout: 1000, interval: undefined, load: () => undefined }, to, clock)
  refresh.fail(new Error('no store'))
  t.equal(refresh.lastError, 'no store')
  t.strictSame([counted, reported], [['no store'], []])
  clock.pass(0)
  t.strictSame(reported, ['no store'])
  refresh.fail(new Error('no copy'))
  refresh.close()
  refresh.fail(new Error('late'))
  clock.pass(0)
  t.strictSame(reported, ['no store'], 'a guard that is closed reports nothing')
  t.strictSame(clock.waiting, [])
})

t.test('a subscription that fails is reported, and tried again with a load', async (t) => {
  const failures: [what: string, fail: () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('No such channel.')
      }
    ],
    ['rejects', () => Promise.reject(new Error('No such channel.'))],
    ['rejects with a text', () => Promise.reject('No such channel.')],
    ['rejects by its own then', () => failingThenable('No such channel.')],
    ['rejects in a list', () => [Promise.reject(new Error('No such channel.'))]],
    ['rejects in a list of a promise', async () => [Promise.reject(new Error('No such channel.'))]]
  ]
  for (const [what, fail] of failures) {
    let calls = 0
    const changes: (() => void)[] = []
    const watch = (changed: () => void) => {
      changes.push(changed)
      return ++calls === 1 ? fail() : undefined
    }
    const { guard, loads, clock } = await answering(t, { watch })
    await turn()
    clock.pass(0)
    t.match(guard.status().lastError, /The source "ours" failed: No such channel\./, what)
    changes[0]!()
    t.equal(loads.length, 1, 'the failed subscription is over')
    clock.pass(10_000)
    t.equal(calls, 2, what)
    t.equal(loads.length, 2, 'what was missed is loaded')
    loads[1]!.answer(sound({ revision: 'r2' }))
    await until(() => guard.status().lastError === null)
    t.match(guard.status(), { revision: 'r2', lastError: null })
  }
  const reject: ((error: Error) => void)[] = []
  const { guard, clock } = await answering(t, { watch: () => new Promise((_, fail) => reject.push(fail)) })
  guard.close()
  reject[0]!(new Error('late'))
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(guard.status().lastError, null, 'the end of the guard is not a failure')
  t.strictSame(clock.waiting, [])
})

t.test(
  'the failure of a subscription stands until the subscription stands again, whatever is loaded meanwhile',
  async (t) => {
    const MINUTE = 60_000
    const rejecting = async () => {
      throw new Error('no route')
    }
    const throwing = () => {
      throw new Error('no route')
    }
    type Attempt = (changed: () => void) => unknown
    let stands: (value?: unknown) => void = () => {}
    const pending = () =>
      new Promise((resolve) => {
        stands = resolve
      })
    let change = () => {}
    const changing: Attempt = (changed) => {
      change = changed
      return pending()
    }
    const ways: [how: string, attempt: Attempt, then: (clock: TestClock) => void][] = [
      ['returns', () => undefined, () => {}],
      ['fulfils its promise', pending, () => stands()],
      ['calls back', changing, () => change()],
      ['has not failed for a minute', pending, (clock) => clock.pass(MINUTE)]
    ]
    for (const [what, fail] of [
      ['throws', throwing],
      ['rejects', rejecting]
    ] as const) {
      for (const [how, attempt, then] of ways) {
        let attempts = 0
        let isDown = true
        const reported: (string | null)[] = []
        const onReload = (error: Error | null) => void reported.push(error && 'failed')
        const watch: Attempt = (changed) => {
          attempts++
          return isDown ? fail() : attempt(changed)
        }
        const { guard, loads, clock } = await answering(t, { watch }, { onReload })
        const name = `${what}, then ${how}`
        const load = async () => {
          const reload = guard.reload()
          loads.at(-1)!.answer(sound())
          await reload
        }
        await turn()
        clock.pass(0)
        t.match(guard.status().lastError, /no route/, name)
        t.strictSame(reported, ['failed'], name)
        clock.pass(10_000)
        await turn()
        clock.pass(0)
        t.equal(attempts, 2, name)
        if (fail === throwing) t.equal(loads.length, 1, 'nothing is loaded for an attempt that failed at once')
        for (const { answer } of loads) answer(sound())
        await turn()
        t.equal(reported.filter((outcome) => outcome === 'failed').length, 1, 'what fails as before is no news')
        await load()
        t.match([guard.status().lastError, guard.metrics().sourceFailing], [/no route/, true], name)
        isDown = false
        clock.pass(20_000)
        await turn()
        t.equal(attempts, 3, name)
        clock.pass(0)
        for (const { answer } of loads) answer(sound())
        await turn()
        if (attempt !== ways[0]![1]) t.match(guard.status().lastError, /no route/, `${name}: it may fail yet`)
        then(clock)
        await turn()
        clock.pass(0)
        for (const { answer } of loads) answer(sound())
        await until(() => guard.status().lastError === null)
        t.match([guard.status().lastError, guard.metrics().sourceFailing], [null, false], name)
        t.equal(reported.at(-1), null, name)
        clock.pass(10 * MINUTE)
        t.equal(attempts, 3, 'one that stands is not made again')
      }
    }
  }
)

t.test('a source that is polled for changes is loaded when its subscription stands again', async (t) => {
  const clock = new TestClock('2026-11-23')
  let attempts = 0
  let loads = 0
  const source = {
    name: 'ours',
    timeout: 1000,
    interval: undefined,
    load: () => {
      loads++
      return UNCHANGED
    },
    hasChanged: async () => false,
    watch: () => {
      if (++attempts === 1) throw new Error('no route')
    }
  }
  const reported: (string | undefined)[] = []
  const notify = (error: Error | null) => void reported.push(error?.message)
  const refresh = new Refresh(source, { prepare: async () => () => {}, count: () => {}, notify }, clock)
  t.teardown(() => refresh.close())
  clock.pass(0)
  t.match(refresh.lastError, /no route/)
  clock.pass(10_000)
  clock.pass(0)
  await turn()
  t.match([attempts, loads, refresh.lastError], [2, 1, null])
  t.match(reported, [/no route/, undefined])
})

t.test('a watch that is a generator is an error: nobody iterates it', async (t) => {
  const table: [what: string, watch: () => unknown][] = [
    ['an async one', async function* () {}],
    ['one that is not', function* () {}],
    ['one that a promise comes to', async () => (async function* () {})()]
  ]
  for (const [what, watch] of table) {
    const { guard, clock } = await answering(t, { watch })
    await turn()
    clock.pass(0)
    const error = /Its watch is a generator, .* Write async watch\(changed, signal\), without an asterisk/
    t.match(guard.status().lastError, error, what)
  }
})

t.test('a watch that returns another async iterable is an error, and one that returns a stream is none', async (t) => {
  const events = new EventEmitter()
  const iterable = { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) }
  const table: [what: string, watch: (changed: () => void, signal: AbortSignal) => unknown, isRefused: boolean][] = [
    ['the events of an emitter', (_, signal) => on(events, 'change', { signal }), true],
    ['what a promise comes to', async () => iterable, true],
    ['a stream', () => Readable.from([]), false],
    ['an emitter', () => events, false],
    ['a list', () => [], false]
  ]
  for (const [what, watch, isRefused] of table) {
    const { guard, clock } = await answering(t, { watch })
    await turn()
    clock.pass(0)
    const error = isRefused ? /Its watch returns an async iterable, .* iterate it there, and call changed\(\)/ : null
    t.match(guard.status().lastError, error, what)
  }
})

t.test('a subscription that has stood for a week is made again as soon as after its first failure', async (t) => {
  const attempts: { signal: AbortSignal; fail: (error: Error) => void }[] = []
  const watch = (_: () => void, signal: AbortSignal) => new Promise((_, fail) => attempts.push({ signal, fail }))
  const { guard, clock } = await answering(t, { watch })
  const fails = async () => {
    attempts.at(-1)!.fail(new Error('The connection has ended.'))
    await turn()
    clock.pass(0)
  }
  for (let i = 0; i < 5; i++) {
    await fails()
    clock.pass(160_000)
  }
  t.equal(attempts.length, 6)
  await fails()
  clock.pass(10_000)
  t.equal(attempts.length, 6, 'one that fails at once waits longer each time')
  clock.pass(400_000)
  for (const count of [8, 9]) {
    clock.pass(7 * 86_400_000)
    await fails()
    clock.pass(10_000)
    t.equal(attempts.length, count)
  }
  const isOver = () => attempts.map(({ signal }) => signal.aborted)
  t.strictSame(isOver(), [...Array(8).fill(true), false], 'each attempt has its own signal, which ends with it')
  guard.close()
  t.equal(isOver().at(-1), true)
})

/** A list that takes many slices to compile. */
const long = (revision: string, count = 20_000) =>
  sound(
    { revision },
    Array.from({ length: count }, (_, i) => `52.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`)
  )

/** Answers a reload with a long list that was read, and waits until that is being compiled. */
async function compiling({ guard, loads }: Awaited<ReturnType<typeof answering>>, list: Snapshot) {
  const before = loads.length
  const reload = guard.reload()
  reload.catch(() => {})
  loads[before]!.answer(new Directory(list))
  await turn()
  await turn()
  return { reload }
}

t.test('requests are judged by the list in use while a long one is compiled', async (t) => {
  const answered = await answering(t, {}, { confirm: ['shrunk', 'grown'] })
  const { guard } = answered
  const { reload } = await compiling(answered, long('r2', 15_000))
  let turns = 0
  for (; guard.status().revision === 'r1'; turns++) {
    t.equal(guard.judge({ peer: FOUR[0], headers: {} }).verified, true)
    t.equal(guard.judge({ peer: '52.0.0.1', headers: {} }).verified, false)
    await turn()
  }
  await reload
  t.ok(turns > 5, `${turns} turns`)
  t.equal(guard.judge({ peer: '52.0.58.151', headers: {} }).verified, true)
})

t.test('what is set while a long list is compiled counts when it comes into use', async (t) => {
  const answered = await answering(t, {}, { confirm: ['shrunk', 'grown'] })
  const { guard } = answered
  const { reload } = await compiling(answered, long('r2', 15_000))
  const set: string[] = []
  for (; guard.status().revision === 'r1'; await turn()) {
    const address = `8.8.${set.length >>> 8}.${set.length & 255}`
    guard.override({ allow: [address], for: '1h' })
    t.equal(guard.judge({ peer: address, headers: {} }).verified, true)
    set.push(address)
  }
  const { overrides } = await reload
  t.strictSame(
    overrides.flatMap(({ allow }) => allow),
    set.map((address) => `${address}/32`)
  )
  t.ok(set.length > 2, `${set.length} were set`)
  for (const peer of [...set, '52.0.0.1']) t.equal(guard.judge({ peer, headers: {} }).verified, true, peer)
})

t.test('a route that is added while a list is compiled is not forgotten', async (t) => {
  const answered = await answering(t, {}, { confirm: ['shrunk', 'grown'] })
  const { guard } = answered
  const { reload } = await compiling(answered, snapshotOf({ 'DC-01 connector': long('r2', 15_000).rows[0]!.addresses }))
  t.match(guard.status(), { revision: 'r1' })
  guard.addRoute({ dataCenters: 'DC-02' })
  await t.rejects(reload, { code: 'MOE_ERR_OPTIONS' }, 'the new list has no address for it')
  t.match(guard.status(), { revision: 'r1' })
})

t.test('a guard that is closed while a list is compiled keeps the one that it has', async (t) => {
  const answered = await answering(t, {}, { confirm: ['shrunk', 'grown'] })
  const { guard } = answered
  const { reload } = await compiling(answered, long('r2', 15_000))
  guard.close()
  await t.rejects(reload, { message: /closed/ })
  t.match(guard.status(), { revision: 'r1', lastError: null })
})
