import t, { type Test } from 'tap'
import { createGuard, type GuardOptions, type Snapshot, type Source } from '../../src/core.js'
import { loadGuard } from '../../src/guard/create-guard.js'
import { TestClock } from '../support/clock.js'
import { until } from '../support/http.js'
import { FOUR, sound } from '../support/snapshots.js'

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

t.test('reloads by hand and by time that overlap share one load', async (t) => {
  const { guard, loads, clock } = await answering(t, { interval: 60_000 })
  clock.pass(60_000)
  t.equal(loads.length, 2, 'by time')
  const byHand = [guard.reload(), guard.reload()]
  t.equal(loads.length, 2, 'and by hand')
  loads[1]!.answer(sound({ revision: 'r2' }))
  t.match(await Promise.all(byHand), [{ revision: 'r2' }, { revision: 'r2' }])
  await until(() => clock.waiting.length > 0)
  const next = guard.reload()
  t.equal(loads.length, 3, 'what comes later loads anew')
  loads[2]!.fail(new Error('away'))
  await t.rejects(next, { message: /"ours" failed: away\./ })
  const long = guard.reload()
  loads[3]!.fail(new Error('x'.repeat(100_000)))
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

t.test('a listener that throws harms nobody, and is not swallowed', async (t) => {
  const onReload = () => {
    throw new Error('The listener is broken.')
  }
  const guard = createGuard({ dataCenters: 'DC-01', onReload })
  const warning = new Promise<Error>((resolve) => process.once('warning', resolve))
  t.match(await guard.reload(), { lastError: null })
  t.match(await warning, { message: 'The listener is broken.' })
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
