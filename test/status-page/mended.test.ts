import t, { type Test } from 'tap'
import { type GuardOptions, loadGuard, type Snapshot } from '../../src/core.js'
import { FleetSums, reportOf } from '../../src/fleet/report.js'
import { accessTo, type Guard } from '../../src/guard/guard.js'
import { DAY } from '../../src/lib/time.js'
import { StatusPage } from '../../src/status-page/page.js'
import { LISTED } from '../support/addresses.js'
import { TestClock } from '../support/clock.js'
import { type ReadPage, readPage } from './pages.js'

/** Of DC-01, and published for what the strict route accepts as well. */
const FIRST = LISTED
/** Of DC-01, and not published for what the strict route accepts. */
const SECOND = '9.9.9.1'
/** Of DC-03. */
const THIRD = '9.9.9.3'
/** Of nobody, until a newer list has it. */
const NEWCOMER = '9.9.9.9'

const SECRET = { 'x-secret': 'yes' }
const STRICT = { channels: 'segment-sync' } as const

const PUBLISHED: Readonly<Record<string, readonly string[]>> = {
  'DC-01 connector': [FIRST, SECOND],
  'DC-01 segment-sync': [FIRST],
  'DC-03 connector': [THIRD]
}

function listOf(published = PUBLISHED, retrieved = '2026-11-20'): Snapshot {
  const rows = Object.entries(published).map(([cell, addresses]) => {
    const [dataCenter, channel] = cell.split(' ')
    return { dataCenter, channel, addresses }
  })
  return { provenance: { page: 'a test', revision: `r${retrieved}`, retrieved }, rows } as Snapshot
}

/** One server of a situation. */
interface Server {
  readonly guard: Guard
  readonly call: (clientIp: string, about?: { withSecret?: true; strict?: true }) => boolean
  readonly load: (published: typeof PUBLISHED, retrieved?: string) => Promise<void>
}

/** Whatever happened before, whom the page must not forget, and what mends it. */
interface Situation {
  readonly options?: Partial<GuardOptions>
  readonly happens: (server: Server, clock: TestClock) => unknown
  /** Undefined where nothing does. */
  readonly mend?: (server: Server, clock: TestClock) => unknown
  /** Who called, and would be rejected again before the mend. */
  readonly callers: Parameters<Server['call']>[]
}

const moved = { ...PUBLISHED, 'DC-01 connector': [FIRST, SECOND, NEWCOMER] }
const secret = { withSecret: true } as const
const id = ({ guard }: Server) => guard.status().overrides[0]!.id

const SITUATIONS: Readonly<Record<string, Situation>> = {
  'a newer list has a stranger with the secret': {
    happens: ({ call }) => call(NEWCOMER, secret),
    mend: ({ load }) => load(moved),
    callers: [[NEWCOMER, secret]]
  },
  'a newer list has a stranger, and another route is stricter': {
    happens: ({ call }) => [call(NEWCOMER), call(FIRST, { strict: true }), call(SECOND, { strict: true })],
    mend: ({ load }) => load({ ...moved, 'DC-01 segment-sync': [FIRST, SECOND] }),
    callers: [[NEWCOMER], [SECOND, { strict: true }]]
  },
  'a newer list has it in another data center': {
    happens: ({ call, load }) => [call(NEWCOMER, secret), load({ ...PUBLISHED, 'DC-03 connector': [THIRD, NEWCOMER] })],
    callers: [[NEWCOMER, secret]]
  },
  'a newer list has moved it to the data center': {
    happens: ({ call }) => call(THIRD),
    mend: ({ load }) =>
      load({ ...PUBLISHED, 'DC-01 connector': [FIRST, SECOND, THIRD], 'DC-03 connector': [NEWCOMER] }),
    callers: [[THIRD]]
  },
  'it has left the list of another data center': {
    options: { gracePeriod: 0 },
    happens: ({ call, load }) => [call(THIRD), load({ ...PUBLISHED, 'DC-03 connector': [NEWCOMER] })],
    callers: [[THIRD]]
  },
  'it was of another data center, and is denied by now': {
    happens: ({ call, guard }) => [call(THIRD), guard.override({ deny: [THIRD] })],
    callers: [[THIRD]]
  },
  'the list has a trusted proxy, which is no sender': {
    options: { clientIp: { trustedProxies: [SECOND] } },
    happens: ({ call }) => call(SECOND),
    callers: [[SECOND]]
  },
  'an override denied it and is over': {
    happens: (server) => [server.guard.override({ deny: [SECOND] }), server.call(SECOND)],
    mend: (server) => server.guard.removeOverride(id(server)),
    callers: [[SECOND]]
  },
  'an override denied it and is over, and it is not listed': {
    happens: (server) => [
      server.guard.override({ deny: [NEWCOMER] }),
      server.call(NEWCOMER, secret),
      server.guard.removeOverride(id(server))
    ],
    callers: [[NEWCOMER, secret]]
  },
  'an override denies what was not listed': {
    happens: ({ guard, call }) => [call(NEWCOMER, secret), guard.override({ deny: [NEWCOMER] })],
    callers: [[NEWCOMER, secret]]
  },
  'an override accepts it': {
    happens: ({ call }) => call(NEWCOMER, secret),
    mend: ({ guard, call }) => [guard.override({ allow: [NEWCOMER] }), call(NEWCOMER, secret)],
    callers: [[NEWCOMER, secret]]
  },
  'the list was stale': {
    options: { rejectWhenStale: true, staleAfter: '30d' },
    happens: ({ call }, clock) => [clock.pass(40 * DAY), call(SECOND)],
    mend: ({ load }) => load(PUBLISHED, '2027-01-03'),
    callers: [[SECOND]]
  },
  'the list was stale, and the fresh one lacks it': {
    options: { rejectWhenStale: true, staleAfter: '30d', gracePeriod: 0 },
    happens: ({ call, load }, clock) => [
      clock.pass(40 * DAY),
      call(SECOND),
      load({ ...PUBLISHED, 'DC-01 connector': [FIRST] }, '2027-01-03')
    ],
    callers: [[SECOND]]
  },
  'a call with the secret is mended, and another route rejects a request without it': {
    happens: ({ call, guard }) => [guard.override({ deny: [SECOND] }), call(SECOND, secret)],
    mend: (server) => [server.guard.removeOverride(id(server)), server.call(SECOND, secret)],
    callers: [[SECOND, secret]]
  },
  'it was of another data center, with the secret, and has left the list': {
    options: { gracePeriod: 0 },
    happens: ({ call, load }) => [call(THIRD, secret), load({ ...PUBLISHED, 'DC-03 connector': [NEWCOMER] })],
    callers: [[THIRD, secret]]
  },
  'a stranger is denied': { options: { deny: ['8.8.8.8'] }, happens: ({ call }) => call('8.8.8.8'), callers: [] },
  'a provider’s proxy is let in': {
    happens: ({ call, guard }) => [call('104.16.0.9'), guard.override({ allow: ['104.16.0.9'] })],
    callers: []
  }
}

/** What else may be so in each of them. */
const CIRCUMSTANCES = ([undefined, 'truncate'] as const).flatMap((redactAddress) =>
  [0, 60].flatMap((strangers) =>
    [1, 2].flatMap((replicas) =>
      [true, false].map((isVerified) => ({ redactAddress, strangers, replicas, isVerified }) as const)
    )
  )
)

async function serverOf(t: Test, clock: TestClock, options: Partial<GuardOptions>): Promise<Server> {
  let list = listOf()
  const guard = await loadGuard(
    {
      dataCenters: 'DC-01',
      source: { name: 'test', load: () => list },
      confirm: ['changed', 'grown', 'shrunk', 'older'],
      carriesSecret: (({ headers }: { headers: object }) => 'x-secret' in headers) as never,
      ...options
    },
    { clock }
  )
  t.teardown(() => guard.close())
  const call: Server['call'] = (peer, { withSecret, strict } = {}) =>
    guard.judge({ peer, headers: withSecret ? SECRET : {} }, strict && STRICT).verified
  const load: Server['load'] = async (published, retrieved) => {
    list = listOf(published, retrieved ?? '2026-11-21')
    await guard.reload()
  }
  return { guard, call, load }
}

/** A page of the first of some servers, which are replicas if there are several. */
function pageOf(t: Test, clock: TestClock, [first, ...others]: readonly Server[]) {
  const status = async () => {
    const sums = new FleetSums('0')
    for (const [i, { guard }] of [first!, ...others].entries()) {
      const report = reportOf(guard, { id: `${i}`, started: 1, every: 1000, senders: 100 }, null, false)
      sums.add({ ...report, host: `web-${i}` }, 0)
    }
    const basis = { name: 'webhooks', self: '0', isSigned: false, trustsReports: true, lastError: null, warnings: [] }
    return { ...basis, ...sums.result(null), overrides: [] }
  }
  const access = accessTo(() => first!.guard)
  const page = new StatusPage(others.length === 0 ? access : { ...access, fleet: { status } }, clock)
  t.teardown(() => page.close())
  return async () => {
    clock.pass(5000)
    return readPage((await page.respond(new URLSearchParams())).body)
  }
}

/** Sentences of which no page may have both. */
const CONTRADICTIONS: [one: RegExp, other: RegExp][] = [
  [/✓ All is well/, /To paste into|A text for MoEngage/],
  [/^[^…✓]*! .*Requests/, /What to do now Nothing/],
  [/The list is stale/, /Is the list current\? Yes/],
  [/Your deny list or an override denies it/, /Overrides None/],
  [/Not on MoEngage’s list DC-01 [^.]*A stranger: do nothing/, /9\.9\.9\.9/],
  [/9\.9\.9\.9 \([^)]*\) carries your secret and is not listed/, /It is accepted by now/]
]

const textOf = (page: ReadPage) =>
  ['state', 'answers', 'senders', 'overrides'].map((part) => page.textOf(part)).join(' ')

t.test('what is mended is no trouble on any page, and what is not is trouble with something to do', async (t) => {
  for (const [what, { options = {}, happens, mend, callers }] of Object.entries(SITUATIONS)) {
    for (const circumstances of CIRCUMSTANCES) {
      const { redactAddress, strangers, replicas, isVerified } = circumstances
      const clock = new TestClock('2026-11-24T10:00:00Z')
      const servers: Server[] = []
      for (let i = 0; i < replicas; i++) servers.push(await serverOf(t, clock, { ...options, redactAddress }))
      const pages = servers.map((server) => pageOf(t, clock, [server, ...servers.filter((other) => other !== server)]))
      const all = async (act: Situation['happens']) => {
        for (const server of servers) await Promise.all([await act(server, clock)].flat())
      }
      // The clock is that of all of them.
      const [first, ...rest] = servers
      await Promise.all([happens(first!, clock)].flat())
      for (const server of rest) await Promise.all([happens(server, { pass: () => {} } as never)].flat())
      await all(({ call }) => Array.from({ length: 2 * strangers }, (_, i) => call(`11.${i >> 1}.0.1`)))
      if (isVerified) await all(({ call }) => call(FIRST))
      const check = async (isMended: boolean, patched = servers.length) => {
        if (isVerified && isMended) await all(({ call }) => call(FIRST))
        for (const [i, open] of pages.entries()) {
          const page = await open()
          const state = page.textOf('state')
          const about = `${what}, ${JSON.stringify(circumstances)}, ${isMended ? 'mended' : 'open'} on ${patched}, page ${i}: ${state}`
          const text = textOf(page)
          if (/^!/.test(state)) t.notMatch(state, /What to do now Nothing/, about)
          for (const [one, other] of CONTRADICTIONS) {
            if (options.deny === undefined) t.notOk(one.test(text) && other.test(text), `${one}: ${about}`)
          }
          const isRejected = callers.some((caller) => servers.some(({ call }) => !call(...caller)))
          t.equal(isRejected, !isMended && callers.length > 0, `the caller: ${about}`)
          const isWithSecret = callers.some(([, { withSecret } = {}]) => withSecret === true)
          if (isRejected && isWithSecret) t.match(state, /^! Requests of MoEngage were/, about)
          if (isMended && isVerified) t.match(state, /^✓ All is well/, about)
          if (isMended && !isVerified) t.match(state, /^(?:[…✓]|!.*No request was ever verified)/, about)
        }
      }
      await check(false)
      if (mend === undefined) continue
      await mend(first!, clock)
      if (servers.length > 1) {
        await check(false, 1)
        for (const server of rest) await mend(server, clock)
      }
      await check(true)
    }
  }
})
