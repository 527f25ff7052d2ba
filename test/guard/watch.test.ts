import t, { type Test } from 'tap'
import { type DirectoryDiff, directory, type GuardOptions, type GuardStatus, type Snapshot } from '../../src/core.js'
import expressGuard from '../../src/express.js'
import { loadGuard } from '../../src/guard/create-guard.js'
import { page } from '../help-page/pages.js'
import { run } from '../support/cli.js'
import { TestClock } from '../support/clock.js'
import { guarded } from '../support/guarded.js'
import { until } from '../support/http.js'
import { lineLogger } from '../support/logger.js'
import { FOUR, snapshotOf, sound } from '../support/snapshots.js'
import { serveText } from '../support/text-server.js'

const DAY = 86_400_000

type Loaded = Snapshot | Error

/** Lets promises that are settled go on, so many times. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined
}

/** A guard with a list and a watched list that the test holds. */
async function watching(t: Test, options: Partial<GuardOptions> = {}) {
  const clock = new TestClock('2026-11-23T12:00:00Z')
  const held: { list: Snapshot; watched: Loaded; loads: number } = { list: sound(), watched: sound(), loads: 0 }
  const drifts: DirectoryDiff[] = []
  const guard = await loadGuard(
    {
      dataCenters: 'DC-01',
      source: { name: 'ours', load: async () => held.list },
      watch: {
        name: 'theirs',
        load: async () => {
          held.loads++
          if (held.watched instanceof Error) throw held.watched
          return held.watched
        }
      },
      onDrift: (differences) => void drifts.push(differences),
      ...options
    },
    { clock }
  )
  t.teardown(() => guard.close())
  /** Lets the watched source be loaded. */
  const look = async (wait: number) => {
    const before = held.loads
    clock.pass(wait)
    await until(() => held.loads > before)
    await until(() => clock.waiting.length > 0)
  }
  const codes = () => guard.status().warnings.map(({ code }) => code)
  return { clock, held, drifts, guard, look, codes }
}

t.test('a watched source is loaded at once and once a day, compared, and never applied', async (t) => {
  const { clock, held, drifts, guard, look, codes } = await watching(t)
  t.match(guard.status().watch, { source: 'theirs', checkedAt: null, revision: null, differences: null, error: null })
  t.strictSame(guard.metrics().watch, { differences: null, checkedAt: null, failing: false })
  await look(0)
  t.match(guard.status().watch, { checkedAt: clock.now(), revision: 'r1', differences: { same: true }, since: null })
  t.strictSame(guard.metrics().watch, { differences: 0, checkedAt: clock.now(), failing: false })
  t.strictSame([drifts.length, codes()], [0, []], 'the same list is no news')

  held.watched = sound({ revision: 'r2' }, [...FOUR, '9.9.9.5'])
  await look(DAY)
  const { watch, warnings } = guard.status()
  t.match(watch, {
    revision: 'r2',
    since: clock.now(),
    differences: { added: [{ prefix: '9.9.9.5/32' }], removed: [] }
  })
  t.match(warnings, [
    {
      code: 'MOE_WARN_DRIFT',
      path: 'watch',
      value: 'theirs',
      message:
        '"theirs", revision r2, differs from the list in use since 2026-11-24T12:00:00Z: 1 added. It concerns DC-01.',
      fix: "Look at the differences and update the list. To accept what was added until then: allow: ['9.9.9.5/32']."
    }
  ])
  t.strictSame(guard.metrics().watch, { differences: 1, checkedAt: clock.now(), failing: false })
  t.notOk(guard.judge({ peer: '9.9.9.5', headers: {} }).verified, 'it is not applied')
  await look(DAY)
  t.equal(drifts.length, 1, 'the same difference is reported once')
  t.match(guard.status().watch, { since: clock.now() - DAY, checkedAt: clock.now() })

  held.watched = sound({ revision: 'r3' }, FOUR.slice(1))
  await look(DAY)
  t.match(guard.status(), {
    watch: { since: clock.now() - 2 * DAY },
    warnings: [
      { message: /list in use since 2026-11-24T12:00:00Z: 1 removed\. It concerns DC-01\.$/, fix: /update the list\.$/ }
    ]
  })
  held.watched = sound({ revision: 'r4' })
  await look(DAY)
  t.match(drifts, [{ added: [{}], removed: [] }, { added: [], removed: [{}] }, { same: true }], 'begins, changes, ends')
  t.strictSame(codes(), [])
})

t.test('a page that is watched is newer than the list in use, whatever day the clock gave it', async (t) => {
  const { now } = Date
  t.capture(Date, 'now', () => now() - 20_000 * DAY)
  const server = await serveText(t, page('SMS | DC-01 | 9.9.9.1, 9.9.9.2'), '/page.mdx')
  const list = snapshotOf({ 'DC-01 sms': ['9.9.9.1'] })
  const options = { watch: { page: server.url }, source: { name: 'ours', load: async () => list } }
  const { clock, guard } = await watching(t, options)
  clock.pass(0)
  await until(() => guard.status().watch?.differences?.same === false)
  t.match(guard.status().warnings, [{ code: 'MOE_WARN_DRIFT', fix: /update the list\. To accept what was added/ }])
})

t.test('when the list in use catches up, the difference ends', async (t) => {
  const { held, drifts, guard, look, codes } = await watching(t)
  held.watched = sound({ revision: 'r2' }, [...FOUR, '9.9.9.5'])
  await guard.reload()
  t.strictSame(codes(), [], 'nothing is compared before the watched source was loaded')
  await look(0)
  t.strictSame(codes(), ['MOE_WARN_DRIFT'])
  held.list = sound({ revision: 'r2' }, [...FOUR, '9.9.9.5'])
  await guard.reload()
  t.strictSame(codes(), [])
  t.match(drifts, [{ same: false }, { same: true }])
})

t.test('two lists that come at the same moment are compared with each other, whichever is in use first', async (t) => {
  const gates: Record<'own' | 'theirs', () => void> = { own() {}, theirs() {} }
  const gate = (name: keyof typeof gates) => new Promise<void>((resolve) => (gates[name] = resolve))
  let list = sound()
  const clock = new TestClock('2026-11-23T12:00:00Z')
  const waitFor = async (name: keyof typeof gates) => {
    await gate(name)
    return list
  }
  const starting = loadGuard(
    {
      dataCenters: 'DC-01',
      source: { name: 'ours', load: () => waitFor('own') },
      watch: { name: 'theirs', load: () => waitFor('theirs') }
    },
    { clock }
  )
  await turns(5)
  gates.own()
  const guard = await starting
  t.teardown(() => guard.close())
  for (let head = -20; head <= 20; head++) {
    list = sound({ revision: `r${head}` }, [...FOUR, `9.9.9.${head + 30}`])
    clock.pass(DAY)
    const reload = guard.reload()
    await turns(20)
    const [first, second] = head < 0 ? (['own', 'theirs'] as const) : (['theirs', 'own'] as const)
    gates[first]()
    await turns(Math.abs(head))
    gates[second]()
    await reload
    await until(() => guard.status().watch!.revision === list.provenance.revision)
    t.match(guard.status().watch, { differences: { same: true, before: { revision: `r${head}` } }, since: null })
    // Then the watched source waits for the next day.
    await turns(50)
  }
})

t.test('the warning says what kinds of differences there are, and whether they concern what is accepted', async (t) => {
  const before = snapshotOf({ 'DC-01 sms': ['9.9.9.1'], 'DC-02 sms': ['8.8.4.4'], 'DC-03 push': 'NA' })
  const many = Array.from({ length: 6 }, (_, i) => `9.9.8.${i}`)
  const table: [watched: Snapshot, message: RegExp, fix: RegExp][] = [
    [
      snapshotOf({ 'DC-01 sms': ['9.9.9.1'], 'DC-02 sms': ['8.8.4.4', '8.8.4.5'], 'DC-03 push': 'NA' }),
      /: 1 added\. It concerns no data center that this guard accepts\./,
      /update the list\.$/
    ],
    [
      snapshotOf({ 'DC-01 sms': ['9.9.9.1', '8.8.4.4'], 'DC-02 sms': ['8.8.4.4'], 'DC-03 push': ['8.8.8.8'] }),
      /: 1 added, 1 moved, 1 cell changed\. It concerns DC-01\./,
      /update the list\.$/
    ],
    [
      { ...before, unknown: [{ dataCenter: 'DC-01', name: 'Pigeons', addresses: ['9.9.9.9'] }] },
      /: 1 unknown row changed\. It concerns no data center/,
      /./
    ],
    [
      snapshotOf({ 'DC-01 sms': ['9.9.9.1', ...many], 'DC-02 sms': ['8.8.4.4'], 'DC-03 push': 'NA' }),
      /: 6 added\. It concerns DC-01\./,
      /update the list\.$/
    ]
  ]
  for (const [watched, message, fix] of table) {
    const { held, guard, look } = await watching(t, { source: { name: 'ours', load: async () => before } })
    held.watched = watched
    await look(0)
    t.match(guard.status().warnings, [{ message, fix }], `${message}`)
  }
})

t.test(
  'the line to paste has only what the guard rails would take, and what the guard neither accepts nor denies',
  async (t) => {
    const none = 'Look at the differences and update the list.'
    const line = (addresses: string) => `${none} To accept what was added until then: allow: [${addresses}].`
    const dubious = (why: string) => `Look at the differences before you accept any of them. ${why}`
    const wide = '5.0.0.0/13: shorter than /16 (IPv4) or /32 (IPv6).'
    const table: [
      added: string[],
      options: Partial<GuardOptions>,
      fix: string,
      provenance?: Partial<Snapshot['provenance']>
    ][] = [
      [['5.0.0.0/13'], {}, dubious(wide)],
      [['5.0.0.0/13', '9.9.9.5'], {}, dubious(wide)],
      [['5.0.0.0/13'], { confirm: ['wide'] }, line("'5.0.0.0/13'")],
      [['10.9.8.7'], {}, dubious('10.9.8.7/32 (private): nobody on the internet sends from there.')],
      [
        ['9.9.9.5'],
        {},
        dubious('It is of 2026-01-01, older than the list in use, of 2026-11-20.'),
        { retrieved: '2026-01-01' }
      ],
      [['9.9.9.5', '9.9.9.6'], {}, line("'9.9.9.5/32', '9.9.9.6/32'")],
      [['9.9.9.5', '9.9.9.6'], { allow: ['9.9.9.5'] }, line("'9.9.9.6/32'")],
      [['9.9.9.5'], { allow: ['9.9.9.0/24'] }, none],
      [['9.9.9.5', '9.9.9.6'], { deny: ['9.9.9.6'] }, line("'9.9.9.5/32'")],
      [['9.9.9.0/24'], { deny: ['9.9.0.0/16'] }, none],
      [['9.9.9.4/30'], { deny: ['9.9.9.4'] }, line("'9.9.9.4/30'")],
      [['9.9.9.5'], { clientIp: { trustedProxies: ['9.9.9.5'] } }, none],
      [['173.245.48.1'], {}, none]
    ]
    for (const [added, options, fix, provenance] of table) {
      const { held, guard, look } = await watching(t, options)
      held.watched = sound({ revision: 'r2', ...provenance }, [...FOUR, ...added])
      await look(0)
      const [warning] = guard.status().warnings.filter(({ code }) => code === 'MOE_WARN_DRIFT')
      t.equal(warning?.fix, fix, `${added} ${JSON.stringify(options)}`)
    }
    const { held, guard, look } = await watching(t)
    held.watched = sound({ revision: 'r2' }, [...FOUR, '9.9.9.5', '9.9.9.6'])
    await look(0)
    const fixes = () => guard.status().warnings.map(({ fix }) => fix)
    guard.override({ allow: ['9.9.9.5'] })
    t.strictSame(fixes(), [line("'9.9.9.6/32'")])
    guard.override({ deny: ['9.9.9.6'] })
    t.strictSame(fixes(), [none])
  }
)

t.test('a watched source that fails is a warning, and is tried again soon', async (t) => {
  const { clock, held, drifts, guard, look, codes } = await watching(t)
  held.watched = new Error('away')
  await look(0)
  t.match(guard.status(), {
    lastError: null,
    watch: { checkedAt: null, differences: null, error: /"theirs" failed: away\./ },
    warnings: [
      {
        code: 'MOE_WARN_WATCH',
        message: /^The watched source has been failing since 2026-11-23T12:00:00Z: .*away\./,
        fix: /may not be noticed/
      }
    ]
  })
  t.ok(
    clock.waiting.every((wait) => wait <= 10_000),
    'within ten seconds'
  )
  held.watched = new Error('busy')
  await look(10_000)
  t.match(
    guard.status().warnings,
    [{ message: /^The watched source has been failing since 2026-11-23T12:00:00Z: .*busy\./ }],
    'since the first failure, whatever the reason is now'
  )
  t.ok(
    clock.waiting.every((wait) => wait > 5_000 && wait <= 20_000),
    'then within twenty'
  )
  held.watched = sound({ revision: 'r2' })
  await look(20_000)
  t.strictSame([codes(), drifts.length], [[], 0])
  t.ok(
    clock.waiting.every((wait) => wait > DAY * 0.8),
    'then once a day'
  )
  held.watched = new Error('away')
  await look(DAY)
  t.match(guard.status().warnings, [{ message: /has been failing since 2026-11-24T12:00:30Z: .*away\./ }], 'anew')
})

t.test('an onDrift that fails, at once or later, changes nothing and is reported once', async (t) => {
  const failures: (() => void)[] = [
    () => {
      throw new Error('broken')
    },
    (async () => {
      throw new Error('broken')
    }) as () => void
  ]
  for (const onDrift of failures) {
    const warnings: Error[] = []
    const listen = (warning: Error) => void warnings.push(warning)
    process.on('warning', listen)
    const { held, guard, look } = await watching(t, { onDrift })
    held.watched = sound({}, [...FOUR, '9.9.9.5'])
    await look(0)
    held.watched = sound({}, [...FOUR, '9.9.9.6'])
    await look(DAY)
    await until(() => warnings.length > 0)
    process.off('warning', listen)
    t.equal(warnings.length, 1)
    t.match(warnings[0]!.message, 'onDrift failed; further failures are not logged: broken')
    t.match(guard.status().watch, { error: null, differences: { added: [{ prefix: '9.9.9.6/32' }] } })
  }
})

t.test('a guard that is closed loads its watched source no more', async (t) => {
  const { clock, held, guard } = await watching(t)
  guard.close()
  clock.pass(10 * DAY)
  t.equal(held.loads, 0)
  t.strictSame(clock.waiting, [])
})

t.test('the options of watch are those of source', async (t) => {
  for (const [watch, message] of [
    [{ page: 'http://example.com/page' }, /watch\.page: Anybody on the way/],
    [{ url: 'https://example.com', intervall: 1 }, /watch\.intervall: .*interval/],
    ['budnled', /watch: .*'bundled'/]
  ] as const) {
    await t.rejects(loadGuard({ dataCenters: 'DC-01', watch: watch as never }), { message })
  }
  await t.rejects(loadGuard({ dataCenters: 'DC-01', onDrift: 'log' as never }), {
    message: /onDrift: .* Write \(differences\)/
  })
})

t.test('a server on the bundled list notices over HTTP that the page has moved on, and logs it', async (t) => {
  const { stdout } = await run(['import', 'test/fixtures/page-tables-sample.mdx', '--revision', 'r1'])
  const server = await serveText(t, stdout)
  const seen: [differences: DirectoryDiff, status: GuardStatus][] = []
  const { app, lines } = await guarded({
    watch: { url: server.url, interval: '1s' },
    onDrift: (...news) => void seen.push(news)
  })
  t.teardown(() => app.close())
  await until(() => seen.length === 1)
  t.match(seen[0], [{ moved: [{ prefix: '34.218.145.185/32' }] }, { watch: { revision: 'r1' } }])
  t.match(
    lines.filter(({ msg }) => /differs from the list in use/.test(msg)),
    [{ level: 40, moengage: { code: 'MOE_WARN_DRIFT' }, msg: /1 moved, 1 cell changed\. It concerns DC-01\./ }]
  )
  server.text = JSON.stringify({
    provenance: { page: 'p', revision: 'r2', retrieved: '2026-11-24' },
    rows: bundledRows()
  })
  await until(() => seen.length === 2)
  t.match(
    lines.filter(({ msg }) => /has the same list as the one in use again/.test(msg)),
    [{ level: 30, moengage: { event: 'moengage.watch', watch: server.url, revision: 'r2' } }]
  )
  server.status = 500
  await until(() => lines.some(({ msg }) => /has been failing/.test(msg)))
  t.match(
    lines.filter(({ msg }) => /has been failing/.test(msg)),
    [{ level: 40, moengage: { code: 'MOE_WARN_WATCH' } }]
  )
})

/** The rows of the bundled list, derived cells as their addresses do not count. */
function bundledRows(): Snapshot['rows'] {
  const cells = ['DC-01', 'DC-02', 'DC-03', 'DC-04', 'DC-05', 'DC-06', 'DC-101'] as const
  const channels = [...new Set(directory.entries.map(({ grant }) => grant.channel))]
  return cells.flatMap((dataCenter) =>
    channels.flatMap((channel) => {
      const cell = directory.cell(dataCenter, channel)
      if (cell === undefined) return []
      return { dataCenter, channel, addresses: cell === 'NA' || 'derivedFrom' in cell ? cell : cell.map(String) }
    })
  )
}

t.test('a guard outside Fastify logs it too', async (t) => {
  const lines: Parameters<typeof lineLogger>[0] = []
  const guard = expressGuard({
    dataCenters: 'DC-01',
    logger: lineLogger(lines),
    watch: { name: 'theirs', load: async () => sound() }
  })
  t.teardown(() => guard.close())
  await until(() => lines.length > 0)
  t.match(lines, [{ level: 40, moengage: { code: 'MOE_WARN_DRIFT' } }])
})

t.test('a list that the watched source confirms is as old as the day on which that was known', async (t) => {
  for (const rejectWhenStale of [true, false]) {
    const source = { name: 'ours', load: async () => sound({ retrieved: '2026-08-01' }) }
    const { clock, held, guard, look, codes } = await watching(t, { source, rejectWhenStale })
    const isStale = () => {
      const { verified } = guard.judge({ peer: '9.9.9.1', headers: {} })
      t.equal(verified, !(rejectWhenStale && codes().includes('MOE_WARN_STALE')))
      return codes().includes('MOE_WARN_STALE')
    }
    const ageFrom = (day: string) => {
      const age = clock.now() - Date.parse(day)
      t.match([guard.status().age, guard.metrics()], [age, { age, checked: day }], day)
    }
    held.watched = sound({ checked: '2026-11-20' })
    t.equal(isStale(), true)
    ageFrom('2026-08-01')
    const rows: [what: string, watched: Loaded, checked: string][] = [
      ['the same list', sound({ checked: '2026-11-20' }), '2026-11-20'],
      ['an older copy of it', sound({ checked: '2026-11-20', retrieved: '2026-11-10' }), '2026-11-20'],
      ['a copy from before', sound({ retrieved: '2026-11-10' }), '2026-11-20'],
      ['a day that is still to come', sound({ checked: '2027-11-20' }), '2026-11-20'],
      ['a list that differs', sound({ checked: '2026-11-25' }, [...FOUR, '9.9.9.5']), '2026-11-20'],
      ['no list', new Error('gone'), '2026-11-20'],
      ['the same list again', sound({ checked: '2026-11-26' }), '2026-11-26'],
      ['a day that begins this moment', sound({ checked: '2026-12-01' }), '2026-12-01']
    ]
    for (const [what, watched, checked] of rows) {
      held.watched = watched
      const midnight = Date.parse('2026-12-01') - clock.now()
      await look(what === 'the same list' ? 0 : what === 'a day that begins this moment' ? midnight : DAY)
      const isDone = ({ checkedAt, error }: NonNullable<GuardStatus['watch']>) =>
        watched instanceof Error ? error !== null : checkedAt === clock.now()
      await until(() => isDone(guard.status().watch!))
      ageFrom(checked)
      t.equal(isStale(), false, what)
    }
    await guard.reload()
    ageFrom('2026-12-01')
    held.watched = new Error('gone')
    clock.pass(Date.parse('2026-12-01') + 90 * DAY - 1 - clock.now())
    t.equal(isStale(), false)
    clock.pass(1)
    t.equal(isStale(), true)
    const { verdict } = guard.explain('9.9.9.1')
    if (rejectWhenStale) t.match(verdict, { reason: 'stale-list', hint: /it was last checked on 2026-12-01/ })
  }
})
