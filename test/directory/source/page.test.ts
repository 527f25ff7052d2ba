import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createGuard, type GuardOptions, loadGuard, PageError, type Snapshot } from '../../../src/core.js'
import { type ImportLimits, PageReader } from '../../../src/directory/source/page.js'
import { UNCHANGED } from '../../../src/directory/source/source.js'
import { importPage } from '../../../src/help-page/import-page.js'
import { bundled, page, sample } from '../../help-page/pages.js'
import { TestClock } from '../../support/clock.js'
import { send } from '../../support/http.js'
import { serveText } from '../../support/text-server.js'

const DAY = 86_400_000
const HEAD = '| Channels | Data Center | IPs |\n| --- | --- | --- |\n'
/** A page that is right, and takes the importer seconds. */
const SLOW = `${HEAD}| SMS Campaigns | DC-01 | 9.9.9.1 |\n\n${`${'*a_'.repeat(300)}\n\n`.repeat(550)}`

async function guarding(t: Test, text: string, options: Partial<GuardOptions> = {}) {
  const server = await serveText(t, text, '/page.mdx')
  const guard = await loadGuard({ dataCenters: 'DC-01', source: { page: `${server.url}?token=1234` }, ...options })
  t.teardown(() => guard.close())
  const verdictOn = (peer: string) => guard.judge({ peer, headers: {} }).verified
  return { server, guard, verdictOn }
}

t.test('the page is the list: what it adds is accepted at once, what it removes has the grace period', async (t) => {
  const { server, guard, verdictOn } = await guarding(t, page('SMS | DC-01 | 9.9.9.1, 9.9.9.2, 9.9.9.3'))
  const { revision, provenance, source } = guard.status()
  t.match(revision, /^[0-9a-f]{12}$/)
  t.equal(provenance.page, server.url, 'without the query')
  t.equal(source, server.url)
  server.text = page('SMS | DC-01 | 9.9.9.2, 9.9.9.3, 9.9.9.4')
  t.notOk(verdictOn('9.9.9.4'))
  const status = await guard.reload()
  t.ok(verdictOn('9.9.9.4'))
  t.ok(verdictOn('9.9.9.1'))
  t.match(status.pendingRemovals, [{ prefix: '9.9.9.1/32', channel: 'sms' }])
  await guard.reload()
  t.strictSame(server.answers, [200, 200, 304], 'a page that has not changed is not sent again')
})

t.test('HTML is read as well, and what the importer warns of is a warning of the guard', async (t) => {
  const html = `<!doctype html><html><body><table><tr><th>Channel<th>Data Center<th>IPs</tr>
    <tr><td>SMS<td>DC-01<td>9.9.9.1</tr><tr><td>Pigeons<td>DC-01<td>9.9.9.2</tr></table>`
  const { guard } = await guarding(t, html)
  const messages = guard.status().warnings.map(({ code, message }) => `${code} ${message}`)
  t.ok(
    messages.some((message) => /^MOE_WARN_PAGE .*Pigeons/.test(message)),
    messages.join('\n')
  )
})

t.test('a page that changes many cells at once has to be confirmed', async (t) => {
  const rows = bundled.rows.filter(({ addresses }) => Array.isArray(addresses))
  const names: Record<string, string> = { 'content-api': 'Content API', streams: 'Streams' }
  const pageOf = (changed: number) =>
    page(
      ...rows.map(({ dataCenter, channel, addresses }, i) => {
        const cell = [...(addresses as string[]), ...(i < changed ? ['9.9.9.9'] : [])]
        const name = {
          connector: 'Connector Campaigns',
          sms: 'SMS',
          whatsapp: 'WhatsApp Campaigns',
          email: 'Email',
          push: 'Push'
        }[channel as string]
        return `${name ?? names[channel] ?? ROWS[channel]} | ${dataCenter} | ${cell.join(', ')}`
      })
    )
  const { server, guard, verdictOn } = await guarding(t, pageOf(0))
  server.text = pageOf(13)
  await t.rejects(guard.reload(), {
    code: 'MOE_ERR_SUSPICIOUS',
    message: /13 cells of the page changed at once, more than 12\./,
    fix: /confirm: \['changed'\]/
  })
  t.notOk(verdictOn('9.9.9.9'), 'the last good list stays')
  server.text = pageOf(12)
  await guard.reload()
  t.ok(verdictOn('9.9.9.9'), 'the rows of one data center may change at once')

  const confirmed = await guarding(t, pageOf(0), { confirm: ['changed'] })
  confirmed.server.text = pageOf(13)
  await confirmed.guard.reload()
  t.ok(confirmed.verdictOn('9.9.9.9'))
})

/** MoEngage's names of the rows, as far as they differ from ours. */
const ROWS: Record<string, string> = {
  'data-import': 'Data Imports',
  'warehouse-export': 'Data Warehouse Exports',
  'segment-sync': 'Outbound Segment Sync',
  'file-segment': 'File Segment API',
  catalog: 'Catalog and Feeds'
}

t.test('a page that cannot be used leaves the last good list in use, and says why', async (t) => {
  const { server, guard, verdictOn } = await guarding(t, page('SMS | DC-01 | 9.9.9.1'))
  const pages: [what: string, text: string, status: number, message: RegExp][] = [
    ['no page at all', 'Hello.', 200, /The page has no table of addresses/],
    ['half of a page', page('SMS | DC-01 | see above'), 200, /One cell of the page could not be read/],
    ['an address list that is private', page('SMS | DC-01 | 9.9.9.1, 10.0.0.1'), 200, /10\.0\.0\.1\/32 \(private\)/],
    ['too long', 'x'.repeat(1_100_000), 200, /larger than 1048576 bytes/],
    ['nothing', '', 200, /The page has no table/],
    ['an error of the server', '', 500, /answers with status 500/],
    ['JSON', JSON.stringify(bundled), 200, /The page has no table|could not be read/]
  ]
  for (const [what, text, status, message] of pages) {
    Object.assign(server, { text, status })
    await t.rejects(guard.reload(), { code: /^MOE_ERR_(?:SOURCE|SUSPICIOUS)$/, message, fix: /./ }, what)
    t.ok(verdictOn('9.9.9.1'), what)
    t.match(guard.status().lastError, message, what)
  }
  Object.assign(server, { text: page('SMS | DC-01 | 9.9.9.1', 'SMS | DC-02 | 9.9.9.2'), status: 200 })
  t.match(await guard.reload(), { lastError: null, entries: 2 })
})

/** Reads a page under limits of the test. */
const reading = (text: string, limits?: ImportLimits, signal = new AbortController().signal) =>
  new PageReader('a page', undefined, limits).read(text, signal)

t.test('an import that exceeds a limit is broken off, and its thread ended', async (t) => {
  const html = `<!doctype html><html><body>${'<p>x'.repeat(200_000)}`
  const cases: [what: string, text: string, limits: ImportLimits, message: RegExp][] = [
    ['time', SLOW, { time: 50, memory: 256 }, /The import took longer than 50 ms and was broken off/],
    [
      'memory',
      html,
      { time: 60_000, memory: 8 },
      /The import failed within its 8 MB of memory \(.*memory limit.*\) and was broken off/
    ]
  ]
  for (const [what, text, limits, message] of cases) {
    const error = await reading(text, limits).catch((error) => error)
    t.ok(error instanceof PageError, what)
    t.match(error, { code: 'MOE_ERR_PAGE', message, fix: /Look at the page/ }, what)
  }
  await t.rejects(reading(123 as unknown as string), { message: /not a function/ }, 'what is no text')
})

t.test('closing the guard ends an import that is under way', async (t) => {
  const { server, guard } = await guarding(t, page('SMS | DC-01 | 9.9.9.1'))
  server.text = SLOW
  const reload = guard.reload()
  const rejected = t.rejects(reload, { message: /The guard is closed/ })
  await sleep(100)
  guard.close()
  await rejected
  const stop = new AbortController()
  stop.abort(new Error('Too late.'))
  await t.rejects(reading(sample, undefined, stop.signal), { message: 'Too late.' })
})

t.test('a page that is still the same keeps its day, and gets the day of the check', async (t) => {
  const clock = new TestClock('2026-11-23T10:00:00Z')
  const reader = new PageReader('a page', clock)
  const { signal } = new AbortController()
  t.strictSame(reader.warnings(), [])
  const read = async (text: string) => (await reader.read(text, signal)) as Snapshot
  const first = await read(page('SMS | DC-01 | 9.9.9.1'))
  t.match(first.provenance, { retrieved: '2026-11-23', checked: undefined })
  reader.accepted()
  t.equal(reader.unchanged(), UNCHANGED, 'on the same day nothing is new')
  reader.accepted()
  clock.pass(DAY)
  const next = reader.unchanged() as Snapshot
  t.match(next.provenance, { retrieved: '2026-11-23', checked: '2026-11-24' })
  reader.accepted()
  clock.pass(DAY)
  const other = await read(`Other words.\n\n${page('SMS | DC-01 | 9.9.9.1')}`)
  t.match(other.provenance, { retrieved: '2026-11-23', checked: '2026-11-25' }, 'also if other words changed')
  reader.accepted()
  clock.pass(10 * DAY)
  t.match(await read(page('SMS | DC-01 | 9.9.9.2')), { provenance: { retrieved: '2026-12-05', checked: undefined } })
})

t.test('the days of a page are those of the clock as it is now, whatever it was before', async (t) => {
  const real = Date.parse('2026-11-23T12:00:00Z')
  /** How many days the clock is off at each poll, a day apart, and the days of the list then. */
  const table: [what: string, polls: [off: number, retrieved: string, checked?: string][]][] = [
    [
      'ahead at the start',
      [
        [10, '2026-12-03'],
        [0, '2026-11-23', '2026-11-24'],
        [0, '2026-11-23', '2026-11-25']
      ]
    ],
    [
      'ahead for one poll',
      [
        [0, '2026-11-23'],
        [366, '2026-11-23', '2027-11-25'],
        [0, '2026-11-23', '2026-11-25']
      ]
    ],
    [
      'behind at the start',
      [
        [-366, '2025-11-22'],
        [0, '2025-11-22', '2026-11-24']
      ]
    ],
    [
      'behind for one poll',
      [
        [0, '2026-11-23'],
        [-366, '2025-11-22', '2025-11-23'],
        [0, '2026-11-23', '2026-11-25']
      ]
    ]
  ]
  for (const [what, polls] of table) {
    const clock = new TestClock('2026-11-23T12:00:00Z')
    const reader = new PageReader('a page', clock)
    for (const [i, [off, retrieved, checked]] of polls.entries()) {
      if (i > 0) clock.pass(DAY)
      clock.set(real + (i + off) * DAY)
      const text = page('SMS | DC-01 | 9.9.9.1')
      const list = i === 0 ? await reader.read(text, new AbortController().signal) : reader.unchanged()
      const { provenance } = list as Snapshot
      t.strictSame([provenance.retrieved, provenance.checked], [retrieved, checked], `${what}, poll ${i}`)
      reader.accepted()
    }
  }
})

t.test('a clock that was ahead when a page was read keeps no later page out', async (t) => {
  const { now } = Date
  let off = 10 * DAY
  t.capture(Date, 'now', () => now() + off)
  const { server, guard, verdictOn } = await guarding(t, page('SMS | DC-01 | 9.9.9.1'))
  off = 0
  t.match(guard.status().warnings, [{ code: 'MOE_WARN_FUTURE', fix: /load the list again\.$/ }])
  const today = new Date(now()).toISOString().slice(0, 10)
  t.match(await guard.reload(), { provenance: { retrieved: today }, warnings: [] }, 'which is what the warning advises')
  server.text = page('SMS | DC-01 | 9.9.9.1, 9.9.9.2')
  await guard.reload()
  t.ok(verdictOn('9.9.9.2'))
  off = 10 * DAY
  server.text = page('SMS | DC-01 | 9.9.9.1, 9.9.9.3')
  await guard.reload()
  off = 0
  server.text = page('SMS | DC-01 | 9.9.9.1, 9.9.9.4')
  await guard.reload()
  t.ok(verdictOn('9.9.9.4'), 'also if nothing was loaded in between')
})

t.test('a clock that was behind at one poll of a page does not make the list stale', async (t) => {
  const { now } = Date
  let off = 0
  t.capture(Date, 'now', () => now() + off)
  const { guard, verdictOn } = await guarding(t, page('SMS | DC-01 | 9.9.9.1'), { rejectWhenStale: true })
  off = -20_000 * DAY
  await guard.reload()
  t.ok(verdictOn('9.9.9.1'))
  off = 0
  t.ok(verdictOn('9.9.9.1'))
  t.ok(guard.status().age < DAY)
})

t.test('MoEngage does not sign its page, so verify is refused beside page', async (t) => {
  const source = { page: 'https://example.com/page.mdx', verify: { publicKeys: 'x' } }
  t.throws(() => createGuard({ dataCenters: 'DC-01', source } as unknown as GuardOptions), {
    message: /source: MoEngage does not sign its help page.* Remove verify/
  })
  const wrong: [options: object, message: RegExp][] = [
    [
      { page: 'http://example.com/page.mdx' },
      /source\.page: Anybody on the way.* Write 'https:\/\/example\.com\/page\.mdx'/
    ],
    [{ page: './page.mdx' }, /source\.page: .* is not the URL of a web server/],
    [{ page: 'https://example.com/a', url: 'https://example.com/b' }, /It names url and page/],
    ['https://example.com/page.mdx' as unknown as object, /Write \{ page: 'https:\/\/example\.com\/page\.mdx' \}/]
  ]
  for (const [options, message] of wrong) {
    t.throws(() => createGuard({ dataCenters: 'DC-01', source: options as never }), { message })
  }
  t.throws(() => createGuard({ dataCenters: 'DC-01', source: { page: 'https://e.com/' } }), { message: /promise/ })
})

t.test('while a page takes the importer four seconds, 200 requests a second are judged without delay', async (t) => {
  const server = await serveText(t, page('SMS | DC-01 | 9.9.9.1'))
  const clientIp = { trustedProxies: ['loopback'] }
  const options = JSON.stringify({ dataCenters: 'DC-01', clientIp, source: { page: server.url } })
  const child = fork('test/support/timed-server.mjs', [options], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const post = () => send({ port }, { method: 'POST', headers: { 'x-forwarded-for': '9.9.9.1' }, agent })
  for (let i = 0; i < 100; i++) await post()

  // What other processes do to the event loop can only add to its delay: one import without any is enough.
  const slow = slowPage(4000)
  let longest = Number.POSITIVE_INFINITY
  for (let i = 1; longest > 20 && i <= 5; i++) {
    server.text = `${slow}Import ${i}.`
    const answers: Promise<string>[] = []
    const begin = performance.now()
    const timer = setInterval(() => {
      while (answers.length < (performance.now() - begin) / 5) answers.push(post().then(({ body }) => body))
    }, 5)
    child.send('reload')
    const [{ took, delay, entries }] = await once(child, 'message')
    clearInterval(timer)
    t.ok(took > 1000, `the page is slow: ${Math.round(took)} ms`)
    t.equal(entries, 2, 'and it came into use')
    t.strictSame(new Set(await Promise.all(answers)), new Set(['{"verified":true}']), `${answers.length} requests`)
    longest = delay
  }
  t.ok(longest <= 20, `the event loop held requests up for ${longest.toFixed(1)} ms at most`)
})

/** A page that is right, and takes the importer about as many milliseconds on this machine; at most as long as a page may be. */
function slowPage(time: number): string {
  const paragraph = `${'*a_'.repeat(3000)}\n\n`
  const table = `${page('SMS | DC-01 | 9.9.9.1, 9.9.9.2')}\n\n`
  const start = performance.now()
  importPage(table + paragraph.repeat(4), { page: 'a page', retrieved: '2026-11-26' })
  const each = (performance.now() - start) / 4
  return table + paragraph.repeat(Math.min(Math.ceil(time / each), 55))
}
