import express from 'express'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { createGuard, type GuardOptions, loadGuard, type OverrideOptions } from '../../src/core.js'
import guardExpress from '../../src/express.js'
import guardFetch from '../../src/fetch.js'
import { FleetSums, reportOf } from '../../src/fleet/report.js'
import { accessTo } from '../../src/guard/guard.js'
import moengageAllowlist from '../../src/index.js'
import { MINUTE, SECOND } from '../../src/lib/time.js'
import { type FleetStatus, redisFleet } from '../../src/redis.js'
import { StatusPage } from '../../src/status-page/page.js'
import statusPage, { fetchStatusPage, nodeStatusPage } from '../../src/status-page.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { TestClock } from '../support/clock.js'
import { FakeRedis } from '../support/fake-redis.js'
import { listen, listenTo, send } from '../support/http.js'
import { lineLogger } from '../support/logger.js'
import { type ReadPage, readPage } from './pages.js'

const NEWCOMER = '185.199.108.153'
const from = (peer: string) => ({ peer, headers: {} })
const fleetOf = (redis: FakeRedis) =>
  redisFleet({ client: redis.io(), name: 'webhooks', poll: 100, timeout: 50, report: SECOND })

/** A replica in this process. */
async function replica(t: Test, redis: FakeRedis) {
  const guard = await loadGuard({ dataCenters: 'DC-01', fleet: fleetOf(redis) })
  t.teardown(() => guard.close())
  return guard
}

/** Looks at a page again until it is right, or the patience ends. */
async function eventually(open: () => Promise<ReadPage>, isRight: (page: ReadPage) => boolean): Promise<ReadPage> {
  let page = await open()
  for (let i = 0; i < 100 && !isRight(page); i++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    page = await open()
  }
  return page
}

t.test('in every door, the page of one server is about all servers of its fleet', async (t) => {
  const redis = new FakeRedis()
  const other = await replica(t, redis)
  other.judge(from(LISTED))
  for (let i = 0; i < 3; i++) other.judge(from(NEWCOMER))
  const options = { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } } as const
  const standalone = { ...options, logger: lineLogger([]) }
  const doors: [name: string, serve: () => Promise<() => Promise<string>>][] = [
    [
      'Fastify',
      async () => {
        const app = Fastify()
        t.teardown(() => app.close())
        await app.register(async (hooks) => {
          await hooks.register(moengageAllowlist, { ...options, fleet: fleetOf(redis) })
          await hooks.register(statusPage, { guard: hooks.moengage, prefix: '/status', public: true })
        })
        const origin = await listen(app)
        return async () => (await send(origin, { path: '/status' })).body
      }
    ],
    [
      'Express',
      async () => {
        const guard = guardExpress({ ...standalone, fleet: fleetOf(redis) })
        const page = nodeStatusPage({ guard, public: true })
        t.teardown(() => [guard, page].map((it) => it.close()))
        await guard.ready()
        const origin = await listenTo(t, express().use('/status', page))
        return async () => (await send(origin, { path: '/status' })).body
      }
    ],
    [
      'Fetch',
      async () => {
        const guard = guardFetch({ ...standalone, fleet: fleetOf(redis) })
        const page = fetchStatusPage({ guard, public: true })
        t.teardown(() => [guard, page].map((it) => it.close()))
        await guard.ready()
        return async () => (await page(new Request('http://x/status'))).text()
      }
    ]
  ]
  for (const [name, serve] of doors) {
    const ask = await serve()
    const open = async () => readPage(await ask())
    const isReported = ({ textOf }: ReadPage) =>
      textOf('fleet').includes('(this server)') && textOf('senders').includes(NEWCOMER)
    const { textOf } = await eventually(open, isReported)
    t.match(textOf('fleet'), /servers? of the fleet “webhooks” reports?\./, name)
    t.match(textOf('fleet'), new RegExp(` ${process.pid} \\(this server\\) running `), name)
    t.match(textOf('fleet'), / accepted 1 request and turned away 3 requests\.$/)
    t.match(textOf('state'), /All is well: MoEngage gets through/, name)
    t.match(
      textOf('answers'),
      /in the last hour\? Yes, less than a minute ago 0 requests accepted by this server since/
    )
    t.match(textOf('answers'), /turned away\? Yes, 3 requests 0 rejections in the last hour by this server/)
    t.match(textOf('answers'), /Was any of it genuine\? Possibly/)
    t.match(textOf('routes-body'), /\(no route\) less than a minute ago .* DC-01/)
    t.match(textOf('senders'), /By all servers of the fleet, .* 185\.199\.108\.153 3 Not on MoEngage’s list/)
  }
})

t.test(
  'a store that is dead does not keep the page from answering, and the page says why servers are missing',
  async (t) => {
    const redis = new FakeRedis()
    const guard = await replica(t, redis)
    guard.judge(from(NEWCOMER))
    const clock = new TestClock('2026-11-24T10:00:00Z')
    const page = new StatusPage(guard, clock)
    t.teardown(() => page.close())
    const open = async () => readPage((await page.respond(new URLSearchParams())).body)
    await eventually(open, ({ textOf }) => {
      clock.pass(2 * SECOND)
      return /this server/.test(textOf('fleet'))
    })
    const failures: [what: string, fail: () => unknown, error: RegExp][] = [
      ['mute', () => redis.set({ isMute: true }), /could not be read: It did not answer within 50 ms\./],
      ['down', () => [redis.set({ isMute: false }), redis.stop()], /could not be read: .*(?:closed|ECONNREFUSED)/]
    ]
    for (const [what, fail, error] of failures) {
      fail()
      clock.pass(2 * SECOND)
      const { textOf } = await open()
      t.match(textOf('fleet'), error, what)
      t.match(textOf('fleet'), /reported until 2026-11-24 .* UTC\. .*\(this server\)/, 'what was read last is there')
    }
    clock.pass(MINUTE)
    const { textOf } = await open()
    t.match(
      textOf('fleet'),
      /could not be read: .* The other servers are missing here; the whole page is about this server alone\.$/
    )
    t.match(textOf('senders'), /185\.199\.108\.153 1 /, 'this server goes on')
    t.notMatch(textOf('senders'), /all servers/)
  }
)

/** A page on a server whose fleet answers as the test says, beside guards that are not read. */
function pageOn(t: Test, status: () => Promise<FleetStatus>, options: Partial<GuardOptions> = {}) {
  const clock = new TestClock('2026-11-24T10:00:00Z')
  const guard = createGuard({ dataCenters: 'DC-01', ...options })
  const page = new StatusPage({ ...accessTo(() => guard), fleet: { status } }, clock)
  t.teardown(() => page.close())
  return { clock, guard, open: async () => readPage((await page.respond(new URLSearchParams())).body) }
}

interface Reported {
  readonly id: string
  readonly age?: number
  readonly started?: number
  readonly version?: number | null
  readonly isClosed?: boolean
  readonly lastError?: string
  readonly peers?: readonly string[]
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  /** An override that is set when the requests have come. */
  readonly since?: OverrideOptions
  readonly options?: Partial<GuardOptions>
  /** Peers whose requests carry the secret. */
  readonly withSecret?: readonly string[]
  /** What became of the requests, where that is not as the guard counted it, or an older version does not report it. */
  readonly became?: { readonly [Count in 'verifiedByAllow' | 'tagged' | 'turnedAway' | 'open']?: number | undefined }
}

const SECRET = { 'x-secret': 'yes' }
const carriesSecret = ({ headers }: { headers: object }) => 'x-secret' in headers

/** What a fleet reported, as it is read of a store that has version 7. */
function statusOf(replicas: readonly Reported[], own: Partial<FleetStatus> = {}): FleetStatus {
  const sums = new FleetSums('a')
  for (const { id, age = 0, started = 1, version = 7, isClosed = false, lastError = null, ...seen } of replicas) {
    const guard = createGuard({
      dataCenters: 'DC-01',
      carriesSecret: carriesSecret as never,
      allow: seen.allow,
      deny: seen.deny,
      ...seen.options
    })
    for (const peer of seen.withSecret ?? []) guard.judge({ peer, headers: SECRET })
    for (const peer of seen.peers ?? []) guard.judge(from(peer))
    if (seen.since !== undefined) guard.override(seen.since)
    const report = reportOf(guard, { id, started, every: 1000, senders: 10 }, version, isClosed)
    sums.add(
      {
        ...report,
        ...(seen.became as object),
        host: id,
        pid: 1,
        reported: Date.parse('2026-11-24T09:59:00Z'),
        lastError
      },
      age
    )
  }
  const basis = { name: 'webhooks', self: 'a', isSigned: false, trustsReports: true, lastError: null, warnings: [] }
  return { ...basis, ...sums.result(own.version === undefined ? 7 : own.version), overrides: [], ...own }
}

t.test('servers that need attention stand first, and those that ended last', async (t) => {
  const replicas = [
    { id: 'a', peers: [LISTED, STRANGER] },
    { id: 'b', version: 6, lastError: 'no disk' },
    { id: 'c', age: 60_000, peers: [STRANGER, STRANGER] },
    { id: 'd', age: 60_000, isClosed: true, peers: [LISTED] },
    { id: 'e', version: null }
  ]
  const { open } = pageOn(t, async () => statusOf(replicas, { warnings: ['This replica could not report: NOPERM'] }))
  const { textOf } = await open()
  const fleet = textOf('fleet')
  t.match(
    textOf('state'),
    /Look at the servers of the fleet, below: 2 servers not using what was published last and 1 server that stopped reporting\./
  )
  t.match(
    fleet,
    /This replica could not report: NOPERM 3 servers of the fleet “webhooks” report\. 2 of them do not use what was published last: the last error says why\. 1 server stopped reporting without a word/
  )
  t.strictSame(
    [...fleet.matchAll(/ ([a-e]), process 1(?: \(this server\))? (running|gone|ended) 1 minute ago/g)].map(
      ([, ...row]) => row
    ),
    [
      ['c', 'gone'],
      ['b', 'running'],
      ['e', 'running'],
      ['a', 'running'],
      ['d', 'ended']
    ]
  )
  t.match(fleet, / b, process 1 running 1 minute ago .* UTC version 6 \w+ 0 0 never no disk /)
  t.match(fleet, / e, process 1 running 1 minute ago .* UTC its own list /)
  t.match(fleet, / c, process 1 gone .* UTC what was published last \w+ 0 2 never none /, 'with its last figures')
  t.match(fleet, /all of them together, those that have ended too, accepted 2 requests and turned away 3 requests\.$/)
})

t.test('a fleet is summed up in one sentence', async (t) => {
  const rows: [replicas: Reported[], own: Partial<FleetStatus>, sentence: RegExp][] = [
    [[{ id: 'a' }], {}, /^1 server of the fleet “webhooks” reports\. All of them use what was published last\. /],
    [[{ id: 'a' }, { id: 'b' }], {}, /^2 servers of the fleet “webhooks” report\. All of them use /],
    [[{ id: 'a', version: 6 }], {}, / reports\. 1 of them does not use what was published last: /],
    [[{ id: 'a', version: null }], { version: null }, /The store holds no list and no overrides, so each uses its own/],
    [[{ id: 'a' }], { version: null }, /no list and no overrides, and 1 server still uses what was published before\./],
    [[{ id: 'a' }, { id: 'b' }], { version: null }, /, and 2 servers still use what was published before\./],
    [[], {}, /^0 servers of the fleet “webhooks” report\. Within a day/]
  ]
  for (const [replicas, own, sentence] of rows) {
    const { open } = pageOn(t, async () => statusOf(replicas, own))
    const { textOf } = await open()
    t.match(textOf('fleet-body'), sentence)
    t.equal(/Look at the servers/.test(textOf('state')), /last error says why/.test(textOf('fleet')))
  }
})

t.test('figures of this server are its own, and those of servers that ended are not counted as running', async (t) => {
  const replicas = [
    { id: 'a', peers: [STRANGER] },
    { id: 'b', peers: [LISTED, NEWCOMER, NEWCOMER] },
    { id: 'c', age: 60_000, peers: ['3.6.251.95'] },
    { id: 'd', isClosed: true, peers: ['3.6.251.95'] }
  ]
  const { open, guard } = pageOn(t, async () => statusOf(replicas))
  for (let i = 0; i < 3; i++) guard.judge(from(STRANGER))
  const { textOf } = await open()
  t.match(
    textOf('answers'),
    /Yes, 5 requests Servers that have ended turned away 2 requests within a day\. 3 rejections in the last hour by this server/
  )
  t.match(textOf('answers'), /genuine\? Possibly /, 'what was rejected by servers that ended is no alarm any more')
  const senders = textOf('senders')
  t.match(senders, new RegExp(` ${STRANGER.replaceAll('.', '\\.')} 3 .* By this server alone .* ${STRANGER} 3 `))
  t.match(senders, / 3\.6\.251\.95 2 MoEngage, but another data center .* By this server alone /, 'yet they are listed')
})

t.test('what the secret gives away to one server is on the pages of all, until the sender is accepted', async (t) => {
  const strangers = Array.from({ length: 300 }, (_, i) => `11.0.0.${i % 150}`)
  let isAccepted = false
  const found = { id: 'b', withSecret: [NEWCOMER], peers: [LISTED, ...strangers] }
  const accepting = { allow: [NEWCOMER] }
  const { open, guard, clock } = pageOn(t, async () =>
    statusOf([{ id: 'a' }, { ...found, ...(isAccepted && { since: accepting }) }])
  )
  const page = await open()
  t.match(
    page.textOf('state'),
    /! Requests of MoEngage were turned away: they carry your secret and .* the list lacks\./
  )
  t.match(
    page.textOf('state'),
    /185\.199\.108\.153 \(1 request\) carries your secret .* To paste .* allow: \['185\.199\.108\.153'\]/
  )
  t.match(
    page.textOf('answers'),
    /genuine\? Yes 1 request with your secret from addresses that are not listed\. 300 requests from/
  )
  t.match(
    page.textOf('senders'),
    /185\.199\.108\.153 1 Not on MoEngage’s list; 1 request with your secret /,
    'no crowd hides it'
  )
  guard.override({ allow: [NEWCOMER] })
  const alone = await open()
  t.match(
    alone.textOf('state'),
    /^! Requests of MoEngage were turned away: they carry your secret\. What to do now Other servers reject what this one accepts, by another list, other options or an override: see the page of b, process 1\.$/
  )
  t.match(
    alone.textOf('senders'),
    /185\.199\.108\.153 .* This server accepts it by now; b, process 1 rejected it, and would again: see its page\./
  )
  isAccepted = true
  clock.pass(2 * SECOND)
  const later = await open()
  t.match(later.textOf('state'), /✓ All is well/)
  t.notMatch(later.textOf('senders'), /185\.199\.108\.153/, 'what is mended makes room for what is not')
})

t.test('what another server has mended for itself is open on a page of one that would reject it', async (t) => {
  let isAccepted = false
  const { open, clock } = pageOn(t, async () =>
    statusOf([
      { id: 'a' },
      { id: 'b', withSecret: [NEWCOMER], peers: [LISTED], ...(isAccepted && { since: { allow: [NEWCOMER] } }) }
    ])
  )
  await open()
  isAccepted = true
  clock.pass(2 * SECOND)
  const page = await open()
  t.match(page.textOf('state'), /^! Requests of MoEngage were turned away: they carry your secret/)
  t.notMatch(page.textOf('senders'), /It is accepted by now/)
})

t.test('where a report is no proof, what others report of the secret is neither pasted nor sent', async (t) => {
  const OTHER = '185.199.109.153'
  const guard = createGuard({ dataCenters: 'DC-01', carriesSecret: carriesSecret as never })
  guard.judge({ peer: OTHER, headers: SECRET })
  guard.judge(from(LISTED))
  const status = async () =>
    statusOf(
      [
        { id: 'a', withSecret: [OTHER] },
        { id: 'b', withSecret: [NEWCOMER, NEWCOMER, OTHER, OTHER, LISTED] },
        { id: 'c', peers: [STRANGER] },
        { id: 'd', isClosed: true, withSecret: [NEWCOMER] }
      ],
      { isSigned: true, trustsReports: false }
    )
  const page = new StatusPage({ ...accessTo(() => guard), fleet: { status } })
  t.teardown(() => page.close())
  const open = async () => readPage((await page.respond(new URLSearchParams())).body)
  const { textOf } = await open()
  t.match(
    textOf('state'),
    /b, process 1 reports 4 requests with your secret that it rejected\. A report is no proof here/
  )
  t.notMatch(textOf('state'), /[acd], process 1 reports/, 'nor does this server report itself, or one that has ended')
  t.notMatch(textOf('state'), new RegExp(NEWCOMER), 'neither an option nor a ticket')
  t.match(textOf('state'), /allow: \['185\.199\.109\.153'\]/, 'what this server knows itself is said')
  t.match(
    textOf('senders'),
    / 185\.199\.108\.153 3 Not on MoEngage’s list nothing .* Another server reports it, which is no proof/
  )
  t.match(textOf('senders'), / 185\.199\.109\.153 3 Not on MoEngage’s list; 1 request with your secret nothing /)
  t.notMatch(textOf('senders'), /allow: \['(?:185\.199\.108|198)/)
  guard.override({ allow: [NEWCOMER] })
  t.match(
    (await open()).textOf('senders'),
    / 185\.199\.108\.153 .* This server accepts it by now; b, process 1 rejected/
  )
})

t.test('advice is not repeated once it was followed, on the page of a server that was started since', async (t) => {
  const THIRD = '3.6.251.95'
  const PROXY = '10.9.0.1'
  const later = Date.now() + MINUTE
  const rows: [
    what: string,
    options: Partial<GuardOptions>,
    self: Omit<Reported, 'id'>,
    sender: string,
    words: RegExp | null
  ][] = [
    [
      'the data center is not accepted',
      {},
      {},
      THIRD,
      /your workspace is there\. Write dataCenters: \['DC-01', 'DC-03'\]/
    ],
    ['it is accepted by now', { dataCenters: ['DC-01', 'DC-03'] }, {}, THIRD, null],
    ['it is in "allow" by now', { allow: [THIRD] }, {}, THIRD, null],
    ['the proxy is not trusted', {}, { started: later }, PROXY, /10\.9\.0\.1 .* hidden behind a proxy/],
    ['it is trusted by now', { clientIp: { trustedProxies: [PROXY] } }, { started: later }, PROXY, null],
    [
      'it is trusted, and rejected since',
      { clientIp: { trustedProxies: [PROXY] } },
      {},
      PROXY,
      /10\.9\.0\.1 .* hidden behind/
    ]
  ]
  for (const [what, options, self, sender, words] of rows) {
    const ended = { id: 'b', isClosed: true, withSecret: [sender] }
    const { open } = pageOn(t, async () => statusOf([{ id: 'a', ...self }, ended]), options)
    const { textOf } = await open()
    if (words !== null) {
      t.match(textOf('state'), words, what)
      continue
    }
    t.match(
      textOf('state'),
      /^… Ready\. No request from MoEngage has been accepted yet\. What to do now Send a test/,
      what
    )
    t.match(textOf('senders'), /It is (?:accepted|a trusted proxy) by now: do nothing\./, what)
  }
})

t.test('a sender that a policy of judge alone refuses is not taken to be accepted', async (t) => {
  const { open, guard } = pageOn(t, async () => statusOf([{ id: 'a' }]), { dataCenters: ['DC-01', 'DC-03'] })
  const third = from('3.6.251.95')
  guard.judge(third, { dataCenters: 'DC-01' })
  t.match((await open()).textOf('senders'), /A route does not accept DC-03, which you accept elsewhere/)
})

t.test('what to do about the rejections by another server is on the page of each', async (t) => {
  const rows: [peers: string[], verified: boolean, state: RegExp][] = [
    [
      ['3.6.251.95'],
      true,
      /^! Requests that are probably genuine were turned away\. What to do now 3\.6\.251\.95 \(1 rejection\) is MoEngage DC-03, you accept DC-01: if your workspace is in DC-03, add it to dataCenters\./
    ],
    [
      ['', ''],
      true,
      /^! MoEngage gets through, but something needs your attention\. What to do now All 2 rejections had no client IP/
    ],
    [
      [NEWCOMER],
      false,
      /^! MoEngage has not got through yet, .* What to do now No request was ever verified by MoEngage's list: .* \(1 rejection\)/
    ],
    [
      ['10.9.0.1'],
      false,
      /^! MoEngage has not got through yet, .* No request was ever verified by MoEngage's list, and 1 rejection came from/
    ]
  ]
  for (const [peers, verified, state] of rows) {
    const { open, guard } = pageOn(t, async () => statusOf([{ id: 'a' }, { id: 'b', peers }]))
    if (verified) guard.judge(from(LISTED))
    t.match((await open()).textOf('state'), state, `${peers}`)
  }
})

t.test('that the list is stale is not said of another server once this one accepts its senders', async (t) => {
  const stale: Partial<GuardOptions> = {
    rejectWhenStale: true,
    source: () => ({
      provenance: { page: 'a test', revision: 'old', retrieved: '2025-01-01' },
      rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses: [LISTED] }]
    })
  }
  const STALE = /The only rejection: the list is stale/
  for (const [options, isSaid] of [[stale, true] as const, [{}, false] as const]) {
    const { open } = pageOn(
      t,
      async () => statusOf([{ id: 'a' }, { id: 'b', peers: [LISTED], options: stale }]),
      options
    )
    const { textOf } = await open()
    if (isSaid) t.match(textOf('state'), STALE)
    else t.notMatch(textOf('state'), STALE)
  }
})

t.test('whether MoEngage called is not known where another server rejected requests without a client IP', async (t) => {
  const rows: [peers: string[], verified: boolean, answer: RegExp][] = [
    [
      [''],
      false,
      /\? None that was accepted No request of MoEngage was accepted by any server of the fleet\. Other servers rejected requests without a client IP that can be relied on, and whether MoEngage’s are among those is not known here\./
    ],
    [[''], true, /\? Yes, less than a minute ago/],
    [[], false, /\? No No request of MoEngage was accepted by any server/]
  ]
  for (const [peers, verified, answer] of rows) {
    const { open, guard } = pageOn(t, async () => statusOf([{ id: 'a' }, { id: 'b', peers }]))
    if (verified) guard.judge(from(LISTED))
    t.match((await open()).textOf('answers'), answer, `${peers.length}, ${verified}`)
  }
  const { open, guard, clock } = pageOn(t, async () => statusOf([{ id: 'a' }, { id: 'b', peers: [''] }]), {
    carriesSecret: carriesSecret as never
  })
  guard.judge({ peer: NEWCOMER, headers: SECRET })
  clock.set(Date.now() + 2 * 3_600_000)
  t.match(
    (await open()).textOf('answers'),
    /\? None that was accepted No request .* The last call with your secret that was turned away came 2 hours ago\. Other servers/
  )
  guard.override({ allow: [NEWCOMER] })
  clock.set(Date.now() + 2 * 3_600_000)
  guard.judge({ peer: NEWCOMER, headers: SECRET })
  t.match(
    (await open()).textOf('answers'),
    /The last call with your secret that was turned away came 2 hours ago\. Your own “allow” or an override accepted a request .* after that\. Other servers/
  )
})

t.test('what another server denies and this one accepts is explained on the page of the other', async (t) => {
  const other = { id: 'b', peers: [LISTED, STRANGER], deny: [LISTED] }
  const rows: [deny: string[], state: RegExp][] = [
    [
      [LISTED],
      /probably genuine were turned away\. What to do now 52\.6\.248\.125 \(1 rejection\) is in your deny list or denied/
    ],
    [
      [],
      /probably genuine were turned away\. What to do now Other servers reject what this one accepts, by another list, other options or an override: see the page of b, process 1\.$/
    ]
  ]
  for (const [deny, state] of rows) {
    const { open, guard } = pageOn(t, async () => statusOf([{ id: 'a' }, other]), { deny })
    guard.judge(from('52.1.205.204'))
    t.match((await open()).textOf('state'), state, `${deny}`)
  }
})

t.test('of signed reports nothing is said but which server rejected something, now that it would again', async (t) => {
  const rows: [what: string, other: Partial<Reported>, state: RegExp][] = [
    ['it would', { peers: ['', ''] }, /What to do now Other servers rejected them: see the page of b, process 1\.$/],
    [
      'an older version does not report it',
      { peers: ['3.6.251.95'], became: { open: undefined } },
      /What to do now Other servers rejected them: see the page of b, process 1\.$/
    ],
    ['it would not', { peers: ['3.6.251.95'], since: { allow: ['3.6.251.95'] } }, /^… Ready\./],
    ['strangers are denied', { peers: ['8.8.8.8'], deny: ['8.8.8.8'] }, /^… Ready\./]
  ]
  for (const [what, other, state] of rows) {
    const { open } = pageOn(t, async () => statusOf([{ id: 'a' }, { id: 'b', ...other }], { isSigned: true }))
    t.match((await open()).textOf('state'), state, what)
  }
})

t.test('a proxy that this server trusts by now is one that another server has to trust', async (t) => {
  const PROXY = '10.9.0.1'
  const { open } = pageOn(
    t,
    async () =>
      statusOf([
        { id: 'a', started: Date.now() + MINUTE },
        { id: 'b', withSecret: [PROXY] }
      ]),
    { clientIp: { trustedProxies: [PROXY] }, carriesSecret: carriesSecret as never }
  )
  const { textOf } = await open()
  t.match(
    textOf('state'),
    /^! Requests of MoEngage .* Other servers reject what this one accepts, by another list, other options or an override: see the page of b,/
  )
  t.match(textOf('senders'), /This server trusts it as a proxy by now; b, process 1 rejected it, and would again/)
})

t.test('what other servers rejected is not said again where this server says it of its own', async (t) => {
  const ended = { id: 'c', isClosed: true, peers: ['3.6.251.95', '3.6.251.95'] }
  const { open, guard } = pageOn(t, async () =>
    statusOf([{ id: 'a' }, { id: 'b', peers: ['', STRANGER, '3.6.251.95', '3.108.107.52'] }, ended])
  )
  for (const peer of ['', STRANGER]) guard.judge(from(peer))
  const before = (await open()).textOf('state')
  for (const words of [/no client IP/g, /No request was ever verified/g])
    t.equal(before.match(words)?.length, 1, `${words}`)
  t.match(before, /3\.6\.251\.95 \(3 rejections\) is MoEngage DC-03/)
  guard.judge(from('3.6.251.95'))
  const after = (await open()).textOf('state')
  t.equal(after.match(/3\.6\.251\.95 \(/g)?.length, 1, 'a sender is named once')
})

t.test('that no request was ever verified is not said where another server verified one of MoEngage', async (t) => {
  const rows: [what: string, seen: Partial<Reported>, state: RegExp][] = [
    ['MoEngage', { peers: [LISTED] }, /^✓ All is well/],
    [
      'allow',
      { peers: ['9.9.9.9'] },
      /^! MoEngage has not got through yet, unless from an address of your own “allow”, .* No request was ever verified by MoEngage's/
    ],
    [
      'an older version does not report what allow verified',
      { peers: ['9.9.9.9'], became: { verifiedByAllow: undefined } },
      /^… Ready\. No request from MoEngage has been accepted yet, unless from an address of your own “allow”\. What to do now Send a test/
    ]
  ]
  for (const [what, seen, state] of rows) {
    const { open, guard } = pageOn(t, async () => statusOf([{ id: 'a' }, { id: 'b', ...seen, allow: ['9.9.9.9'] }]))
    guard.judge(from(NEWCOMER))
    t.match(guard.status().diagnosis, [/No request was ever verified/])
    t.match((await open()).textOf('state'), state, what)
  }
})

t.test('strangers are counted beside what carried the secret, on servers that run', async (t) => {
  const strangers = Array.from({ length: 5 }, (_, i) => `185.199.108.${i}`)
  const ofSecret = [NEWCOMER, NEWCOMER, NEWCOMER, '185.199.108.154']
  const rows: [what: string, replicas: Reported[], words: RegExp][] = [
    [
      'a server that has ended got the secret',
      [
        { id: 'b', peers: strangers },
        { id: 'c', isClosed: true, withSecret: ofSecret }
      ],
      /5 requests from addresses that are not listed: do you know/
    ],
    [
      'a server that runs got it',
      [{ id: 'b', peers: strangers, withSecret: ofSecret }],
      /4 requests with your secret .* 5 requests from addresses that are not listed: do you know/
    ]
  ]
  for (const [what, replicas, words] of rows) {
    const { open } = pageOn(t, async () => statusOf([{ id: 'a' }, ...replicas]))
    t.match((await open()).textOf('answers'), words, what)
  }
})

t.test('a sender of several servers has the secret on the page of each, where one of them saw it', async (t) => {
  const PRIVATE = '10.9.0.1'
  const five = (peer: string) => Array.from({ length: 5 }, () => peer)
  const rows: [what: string, own: Partial<Reported>, other: Partial<Reported>, answer: RegExp, sender: RegExp][] = [
    [
      'without it here',
      { peers: [NEWCOMER] },
      { withSecret: five(NEWCOMER) },
      /Yes 5 requests with your secret from addresses that are not listed\. 1 request from addresses that are not listed/,
      / 6 Not on MoEngage’s list; 5 requests with your secret/
    ],
    [
      'more often without it here',
      { peers: [...five(NEWCOMER), ...five(NEWCOMER)] },
      { withSecret: five(NEWCOMER) },
      /Yes 5 requests with your secret from addresses that are not listed\. 10 requests from addresses/,
      / 15 Not on MoEngage’s list; 5 requests with your secret/
    ],
    [
      'with it here as well',
      { withSecret: [NEWCOMER] },
      { withSecret: five(NEWCOMER) },
      /Yes 6 requests with your secret from addresses that are not listed\. Is/,
      / 6 Not on MoEngage’s list; 6 requests with your secret/
    ],
    [
      'without it elsewhere',
      { withSecret: [NEWCOMER] },
      { peers: five(NEWCOMER) },
      /Yes 1 request with your secret from addresses that are not listed\. 5 requests from addresses/,
      / 6 Not on MoEngage’s list; 1 request with your secret/
    ],
    [
      'of a network of one’s own',
      { peers: [PRIVATE] },
      { withSecret: five(PRIVATE) },
      /Likely 5 requests with your secret from your own network .*\. 1 request from addresses that are not listed/,
      / 6 Not on MoEngage’s list; 5 requests with your secret/
    ]
  ]
  for (const [what, own, other, answer, sender] of rows) {
    const reported: Reported[] = [
      { id: 'a', ...own },
      { id: 'b', ...other }
    ]
    const { open, guard } = pageOn(t, async () => statusOf(reported), { carriesSecret: carriesSecret as never })
    for (const peer of own.withSecret ?? []) guard.judge({ peer, headers: SECRET })
    for (const peer of own.peers ?? []) guard.judge(from(peer))
    const { textOf } = await open()
    t.match(textOf('answers'), new RegExp(`Was any of it genuine\\? ${answer.source}`), what)
    t.match(textOf('senders'), sender, what)
  }
})

t.test('what this server counted since its report does not hide that another one saw the secret', async (t) => {
  const reported = statusOf([{ id: 'a' }, { id: 'b', withSecret: [NEWCOMER, NEWCOMER] }])
  const { open, guard } = pageOn(t, async () => reported, { carriesSecret: carriesSecret as never })
  for (let i = 0; i < 9; i++) guard.judge(from(NEWCOMER))
  guard.judge(from('3.6.251.95'))
  const { textOf } = await open()
  t.match(textOf('state'), /! Requests of MoEngage were turned away: .* allow: \['185\.199\.108\.153'\]/)
  t.match(
    textOf('answers'),
    /genuine\? Yes .* 2 requests with your secret from addresses that are not listed\. 9 requests/
  )
  t.match(textOf('senders'), / 185\.199\.108\.153 9 Not on MoEngage’s list; 2 requests with your secret/)
})

t.test('what this server knows itself is not said twice', async (t) => {
  const clock = new TestClock('2026-11-24T10:00:00Z')
  const guard = createGuard({ dataCenters: 'DC-01', carriesSecret: carriesSecret as never })
  const status = async () =>
    statusOf([
      { id: 'a', withSecret: [NEWCOMER] },
      { id: 'b', withSecret: [NEWCOMER, '10.9.0.1'] }
    ])
  const page = new StatusPage({ ...accessTo(() => guard), fleet: { status } }, clock)
  t.teardown(() => page.close())
  guard.judge({ peer: NEWCOMER, headers: SECRET })
  const { textOf } = readPage((await page.respond(new URLSearchParams())).body)
  t.equal(textOf('state').match(/carries your secret and is not listed/g)?.length, 1)
  t.match(textOf('state'), /10\.9\.0\.1 \(1 request\) carries your secret and is of your own network or of a provider/)
})

t.test('what servers turned away that have ended was turned away', async (t) => {
  const { open } = pageOn(t, async () => statusOf([{ id: 'a' }, { id: 'b', isClosed: true, withSecret: [NEWCOMER] }]))
  const { textOf } = await open()
  t.match(textOf('state'), /^! Requests of MoEngage were turned away: they carry your secret/)
  t.match(textOf('answers'), /Servers that have ended turned away 1 request within a day/)
})

t.test('servers that have ended are not those that run', async (t) => {
  const ended = { id: 'b', isClosed: true, peers: [STRANGER, STRANGER] }
  const { open, guard } = pageOn(t, async () =>
    statusOf([{ id: 'a' }, ended, { id: 'c', age: 60_000, peers: [STRANGER] }])
  )
  guard.judge(from(LISTED))
  t.match(
    (await open()).textOf('answers'),
    /turned away\? Not by a server that runs Servers that have ended turned away 3 requests within a day\. Who it was/
  )
})

t.test(
  'what became of the requests that a fleet rejected is known of each server, but of older versions',
  async (t) => {
    const tagged = { tagged: 2, turnedAway: 0 }
    const unknown = { tagged: undefined, turnedAway: undefined }
    const peers = [STRANGER, STRANGER]
    const rows: [servers: Omit<Reported, 'id'>[], state: RegExp, answer: RegExp, fleet: RegExp][] = [
      [
        [{ peers, became: tagged }],
        /would be turned away\./,
        /No, but 2 requests would be Mode “tag” let 2 of them through\. 0 rejections in the last hour by this server/,
        / 0, and 2 let through never .* accepted 0 requests and let 2 through by mode “tag”\.$/
      ],
      [
        [{ peers, became: tagged }, { peers }],
        /were rejected\./,
        /Yes, 2 requests Mode “tag” let 2 more through\./,
        / accepted 0 requests, turned away 2 requests and let 2 through by mode “tag”\.$/
      ],
      [
        [{ peers, became: unknown }, { became: unknown }],
        /may have been turned away\./,
        /Perhaps, up to 2 requests Servers of an older version rejected 2 of them, and do not report whether/,
        / at most 2 never .* 0 never .* accepted 0 requests and turned away or let through 2, which an older version does not report\.$/
      ],
      [
        [
          { peers, became: { tagged: 0, turnedAway: 0 }, isClosed: true },
          { peers: [STRANGER], became: { tagged: 0, turnedAway: 0 } }
        ],
        /would be turned away\./,
        /Not by a route, but 1 request would be/,
        / accepted 0 requests and were asked about 3 with “judge”\.$/
      ],
      [
        [{ peers, became: tagged, isClosed: true }],
        /Ready\./,
        /turned away\? No Servers that have ended let 2 through by mode “tag” within a day\./,
        /let 2 through by mode “tag”\.$/
      ]
    ]
    for (const [servers, state, answer, fleet] of rows) {
      const replicas = servers.map((server, i) => ({ id: `${i}`, ...server }))
      const { open } = pageOn(t, async () => statusOf(replicas))
      const { textOf } = await open()
      t.match(textOf('state'), state)
      t.match(textOf('answers'), answer)
      t.match(textOf('fleet'), fleet)
    }
  }
)

t.test('where no server called or was called, the page says so of all of them', async (t) => {
  const { open } = pageOn(t, async () => statusOf([{ id: 'a' }, { id: 'b' }]))
  const { textOf } = await open()
  t.match(
    textOf('answers'),
    /No request of MoEngage was accepted by any server of the fleet\..* Nobody, by any server\./
  )
  t.match(textOf('routes'), /No request has been accepted by any server of the fleet/)
  t.match(textOf('senders'), /Nobody, by any server of the fleet/)
})

t.test('a call of the same route counts once, by its latest time', async (t) => {
  const { open, guard } = pageOn(t, async () => statusOf([{ id: 'b', peers: [LISTED] }]))
  guard.judge(from(LISTED))
  const { textOf } = await open()
  t.equal([...textOf('routes-body').matchAll(/\(no route\)/g)].length, 1)
})

t.test('a thousand servers are cut to those that need attention', async (t) => {
  const live = Array.from({ length: 1000 }, (_, i) => ({ id: `live${i}` }))
  const { open } = pageOn(t, async () => statusOf([...live, { id: 'lost', age: 60_000 }]))
  const fleet = (await open()).textOf('fleet')
  t.match(
    fleet,
    /1,000 servers of the fleet .* lost, process 1 gone .* 951 more without a problem; the page shows 50\./
  )
})

t.test('pages share one reading of the store', async (t) => {
  let readings = 0
  const { open, clock } = pageOn(t, async () => {
    readings++
    return statusOf([{ id: 'a' }])
  })
  await Promise.all([open(), open(), open()])
  clock.pass(SECOND)
  await open()
  t.equal(readings, 1)
  clock.pass(SECOND)
  await open()
  t.equal(readings, 2)
})

t.test('a reading that takes longer than a second is not waited for, and is there for the next page', async (t) => {
  let answer: (status: FleetStatus) => void = () => {}
  let readings = 0
  const { open, clock } = pageOn(t, () => {
    readings++
    return new Promise((resolve) => {
      answer = resolve
    })
  })
  const ask = async (milliseconds: number) => {
    const opened = open()
    await new Promise(setImmediate)
    clock.pass(milliseconds)
    return (await opened).textOf('fleet')
  }
  t.match(await ask(SECOND), /could not be read: It did not answer within 1000 ms\. The other servers are missing here/)
  t.match(await ask(SECOND), /did not answer within 1000 ms/)
  t.equal(readings, 1, 'it is not asked again while it is asked')
  answer(statusOf([{ id: 'a' }, { id: 'b' }]))
  await new Promise(setImmediate)
  t.match(await ask(0), /2 servers of the fleet “webhooks” report/)
})

t.test('a fleet that fails, and a guard without one', async (t) => {
  const { open } = pageOn(t, async () => {
    throw new Error('broken')
  })
  t.match((await open()).textOf('fleet'), /could not be read: broken/)
  const { open: openAgain, clock } = pageOn(t, () => {
    throw new Error('broken at once')
  })
  await openAgain()
  clock.pass(SECOND)
  t.match((await openAgain()).textOf('fleet'), /could not be read: broken at once/)
  const guard = createGuard({ dataCenters: 'DC-01' })
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const { body, textOf } = await page(new Request('http://x/')).then(async (answer) => {
    const body = await answer.text()
    return { body, ...readPage(body) }
  })
  t.equal(textOf('fleet'), '')
  t.notMatch(body, /fleet/i)
})
