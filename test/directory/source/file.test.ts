import { execFileSync } from 'node:child_process'
import { mkdirSync, promises, renameSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { Guard } from '../../../src/core.js'
import { loadGuard } from '../../../src/guard/create-guard.js'
import { TestClock } from '../../support/clock.js'
import { guarded } from '../../support/guarded.js'
import { until } from '../../support/http.js'
import { FOUR, sound } from '../../support/snapshots.js'

const json = (revision: string) => JSON.stringify(sound({ revision }))

/** A guard of a file, looked at when the test says so. */
async function watching(t: Test, file: string, maxBytes?: number) {
  const clock = new TestClock('2026-11-23')
  const told: (string | null)[] = []
  const onReload = (error: Error | null) => void told.push(error === null ? guard.status().revision : error.message)
  const guard: Guard = await loadGuard({ dataCenters: 'DC-01', source: { file, maxBytes }, onReload }, { clock })
  t.teardown(() => guard.close())
  /** Lets the interval pass, and waits until the next one is waited for. */
  const look = async () => {
    clock.pass(2_000)
    await until(() => clock.waiting.length > 0)
  }
  return { guard, told, look, revision: () => guard.status().revision }
}

t.test('a file that changes is loaded, in whatever way it changes', async (t) => {
  const folder = t.testdir({ 'list.json': json('r1'), data: { one: { 'list.json': json('r1') } } })
  const file = join(folder, 'list.json')
  const beside = join(folder, 'list.json.new')
  // As the kubelet lays out a ConfigMap: list.json -> ..data/list.json, ..data -> a folder for each version.
  const mount = join(folder, 'mount')
  mkdirSync(mount)
  const version = (name: string, revision: string) => {
    mkdirSync(join(mount, name))
    writeFileSync(join(mount, name, 'list.json'), json(revision))
    symlinkSync(name, join(mount, '..data_tmp'))
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
  }
  version('..2026_11_23', 'r1')
  symlinkSync('..data/list.json', join(mount, 'list.json'))
  const link = join(folder, 'link.json')
  symlinkSync(file, link)
  const table: [what: string, file: string, change: () => void][] = [
    ['rewritten in place', file, () => writeFileSync(file, json('r2'))],
    [
      'replaced by a rename',
      file,
      () => {
        writeFileSync(beside, json('r2'))
        renameSync(beside, file)
      }
    ],
    [
      'deleted and written anew',
      file,
      () => {
        unlinkSync(file)
        writeFileSync(file, json('r2'))
      }
    ],
    [
      'a ConfigMap',
      join(mount, 'list.json'),
      () => {
        version('..2026_11_24', 'r2')
        rmSync(join(mount, '..2026_11_23'), { recursive: true })
      }
    ],
    [
      'a symlink that is swapped',
      link,
      () => {
        writeFileSync(beside, json('r2'))
        unlinkSync(link)
        symlinkSync(beside, link)
      }
    ]
  ]
  for (const [what, path, change] of table) {
    writeFileSync(file, json('r1'))
    const { look, revision, told } = await watching(t, path)
    await look()
    await look()
    t.equal(revision(), 'r1', what)
    t.strictSame(told, [], `${what}: nothing is told while nothing changes`)
    change()
    await look()
    await look()
    t.equal(revision(), 'r2', what)
    t.strictSame(told, ['r2'], what)
  }
})

t.test('a file that is being written is left alone until it stays as it is', async (t) => {
  const file = join(t.testdir({ 'list.json': json('r1') }), 'list.json')
  const { look, revision, told } = await watching(t, file)
  const whole = json('r2')
  for (const length of [0, 10, 100, 200]) {
    writeFileSync(file, whole.slice(0, length))
    await look()
  }
  t.strictSame(told, [])
  writeFileSync(file, whole)
  await look()
  await look()
  t.equal(revision(), 'r2')
  t.strictSame(told, ['r2'])
})

t.test('a file that goes wrong is told once, and the list in use stays until it is mended', async (t) => {
  const folder = t.testdir({ 'list.json': json('r1') })
  const file = join(folder, 'list.json')
  const { guard, look, revision, told } = await watching(t, file, 4_096)
  const wrong: [what: string, spoil: () => void, why: RegExp][] = [
    ['deleted', () => {}, /"\/.*list\.json" failed: ENOENT/],
    ['a folder', () => mkdirSync(file), /failed: it is not a regular file/],
    ['empty', () => writeFileSync(file, ''), /failed: It is empty/],
    ['half written', () => writeFileSync(file, json('r2').slice(0, 100)), /failed: It is not JSON: /],
    ['a page', () => writeFileSync(file, '<!doctype html>'), /failed: It is not JSON: .*<!doctype/],
    ['not text', () => writeFileSync(file, Buffer.from([0x7b, 0xff, 0xfe])), /failed: .*utf-8/],
    ['of other JSON', () => writeFileSync(file, '{"prefixes":[]}'), /There are no rows/],
    ['large', () => writeFileSync(file, ' '.repeat(4_097)), /failed: It is larger than 4096 bytes \(maxBytes\)/],
    ['a pipe', () => execFileSync('mkfifo', [file]), /failed: it is not a regular file/]
  ]
  for (const [what, spoil, why] of wrong) {
    told.length = 0
    rmSync(file, { recursive: true, force: true })
    spoil()
    for (let i = 0; i < 4; i++) await look()
    t.equal(told.length, 1, what)
    t.match(told[0], why, what)
    t.match(guard.status(), { revision: 'r1', lastError: why }, what)
    t.equal(guard.judge({ peer: FOUR[0], headers: {} }).verified, true, what)
  }
  rmSync(file)
  writeFileSync(file, json('r1'))
  for (let i = 0; i < 3; i++) await look()
  t.equal(told.length, 2, 'that all is well again is told too')
  t.equal(guard.status().lastError, null)
  t.equal(revision(), 'r1')
})

t.test('a file on a file system that is away is reported, and occupies no more than one thread', async (t) => {
  const file = join(t.testdir({ 'list.json': json('r1') }), 'list.json')
  const { guard, look } = await watching(t, file)
  const back: (() => void)[] = []
  const lstat = mock.method(promises, 'lstat', () => new Promise((resolve) => back.push(() => resolve(statSync(file)))))
  t.teardown(() => lstat.mock.restore())
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const late = async () => {
    for (let i = 0; i < 3; i++) {
      await new Promise(setImmediate)
      mock.timers.tick(5_000)
    }
    mock.timers.reset()
    await until(() => guard.status().lastError !== null)
    mock.timers.enable({ apis: ['setTimeout'] })
  }
  void look()
  await late()
  t.match(guard.status(), { revision: 'r1', lastError: /did not answer within 5000 ms/ })
  void look()
  await late()
  t.equal(back.length, 1, 'while it is read, it is not read again')
  lstat.mock.restore()
  mock.timers.reset()
  writeFileSync(file, json('r2'))
  back[0]!()
  await guard.reload()
  t.match(guard.status(), { revision: 'r2', lastError: null })
})

t.test('a file may begin with a byte order mark', async (t) => {
  const file = join(t.testdir({ 'list.json': `\ufeff${json('r1')}` }), 'list.json')
  const { revision } = await watching(t, file)
  t.equal(revision(), 'r1')
})

t.test('a guard does not start without its file, nor with a broken one', async (t) => {
  const folder = t.testdir({ 'broken.json': '{"rows":' })
  for (const [file, why] of [
    ['missing.json', /ENOENT/],
    ['broken.json', /It is not JSON/]
  ] as const) {
    await t.rejects(loadGuard({ dataCenters: 'DC-01', source: { file: join(folder, file) } }), {
      code: 'MOE_ERR_SOURCE',
      message: why
    })
  }
})

t.test('a path is that of the day on which the guard was made', async (t) => {
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  process.chdir(t.testdir({ 'list.json': json('r1'), other: {} }))
  const { guard } = await watching(t, 'list.json')
  process.chdir('other')
  t.match(await guard.reload(), { revision: 'r1' })
})

t.test('a guarded Fastify follows its file, says so in its log, and lets go of it when it is closed', async (t) => {
  const file = join(t.testdir({ 'list.json': json('r1') }), 'list.json')
  const { app, lines } = await guarded({ source: { file, interval: 100 } })
  const get = (remoteAddress: string) => app.inject({ url: '/', remoteAddress })
  t.equal((await get('9.9.9.5')).statusCode, 403)
  writeFileSync(file, JSON.stringify(sound({ revision: 'r2' }, [...FOUR.slice(1), '9.9.9.5'])))
  await until(() => app.moengage!.status().revision === 'r2')
  t.match((await get('9.9.9.5')).json(), { verified: true, revision: 'r2', graceUntil: null })
  t.match((await get('9.9.9.1')).json(), { verified: true, revision: 'r2', graceUntil: /^\d{4}-/ })
  writeFileSync(file, json('r3').slice(0, 100))
  await until(() => app.moengage!.status().lastError !== null)
  const news = lines.filter(({ moengage }) => moengage !== undefined && !('reason' in moengage))
  t.match(news, [
    {
      level: 30,
      msg: 'The list in use is revision r2 of 2026-11-20, with 5 entries, and 1 removed for which the grace period runs.',
      moengage: { source: file, revision: 'r2', entries: 5, pendingRemovals: 1 }
    },
    {
      level: 50,
      msg: /^The list in use stays, revision r2 of 2026-11-20\. The source ".*list\.json" failed: It is not JSON: /,
      moengage: { code: 'MOE_ERR_SOURCE', source: file, revision: 'r2' }
    }
  ])
  t.equal(news.length, 2)
  await app.close()
  await t.rejects(app.moengage!.reload(), { code: 'MOE_ERR_SOURCE', message: /The guard is closed/ })
  t.match((await app.moengage!.explain('9.9.9.5')).verdict, { verified: true })
})
