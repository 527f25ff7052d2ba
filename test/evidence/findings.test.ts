import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { givenIncoming } from '../../src/client-ip/given.js'
import {
  createGuard,
  type Finding,
  type Guard,
  type GuardOptions,
  type GuardRequest,
  type PolicyOptions,
  type Sender,
  type Snapshot,
  secretHeader
} from '../../src/core.js'
import { FINDING_KINDS, findingsOf } from '../../src/evidence/findings.js'
import { LISTED, LISTED_IN, UNLISTED } from '../support/addresses.js'

const SECRET = 'shared-secret-1'
const DAY = 86_400_000
const PROXY = '10.0.0.1'

const from = (clientIp: string, secret = SECRET): GuardRequest => ({
  peer: PROXY,
  headers: { 'x-forwarded-for': clientIp, ...(secret !== '' && { 'x-moe-token': secret }) }
})

const guardOf = (options: Partial<GuardOptions> = {}) =>
  createGuard({
    dataCenters: 'DC-01',
    clientIp: { trustedProxies: ['10.0.0.0/8'] },
    carriesSecret: secretHeader('x-moe-token', SECRET),
    ...options
  })

/** A clock that stands still at a day. */
function standing(t: Test, day = Date.UTC(2026, 10, 25)) {
  mock.timers.reset()
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: day })
  t.teardown(() => mock.timers.reset())
}

const OLD = () => ({
  provenance: { page: 'a test', revision: 'r1', retrieved: '2020-01-31' },
  rows: [{ dataCenter: 'DC-01' as const, channel: 'connector' as const, addresses: ['9.9.9.9'] }]
})

const SENDER: Sender = {
  clientIp: LISTED,
  count: 1,
  firstSeen: 0,
  lastSeen: 0,
  reasons: { 'other-data-center': 1 },
  withSecret: { 'other-data-center': 1 },
  routes: [],
  listedFor: [],
  removed: null,
  isOwn: false
}

interface Case {
  readonly options: Partial<GuardOptions>
  readonly request: GuardRequest
  /** How the hint of the verdict begins. */
  readonly hint: RegExp | null
  readonly finding: Partial<Record<keyof Finding, unknown>>
}

const CASES: Readonly<Record<Finding['kind'], readonly Case[]>> = {
  'list-aged': [
    {
      options: {},
      request: from(UNLISTED),
      hint: /^The request carries your secret and is not listed: MoEngage calls from an address that the list lacks/,
      finding: {
        sentence:
          /^8\.8\.8\.8 \(1 request\) carries your secret and is not listed.*accept it with allow: \['8\.8\.8\.8'\]/,
        addresses: [UNLISTED],
        paste: `allow: ['${UNLISTED}']`,
        ticket:
          /Our workspace is in DC-01\.\n\n- 8\.8\.8\.8: 1 request, from 2026-11-25 00:00 UTC to 2026-11-25 00:00 UTC\n/
      }
    },
    {
      options: { redactAddress: 'truncate' },
      request: from(UNLISTED),
      hint: /^The request carries your secret and is not listed/,
      finding: {
        sentence: /^8\.8\.8\.0\/24 .* redactAddress hides the addresses; onVerdict receives them in full\.$/,
        addresses: ['8.8.8.0/24'],
        paste: null,
        ticket: null
      }
    },
    {
      options: { redactAddress: { key: 'sixteen characters or more' } },
      request: from('2a00:1450::1'),
      hint: /^The request carries your secret and is not listed/,
      finding: { addresses: [/^hmac:/], paste: null, ticket: null }
    }
  ],
  'stale-list': [
    {
      options: { source: OLD, rejectWhenStale: true },
      request: from('9.9.9.9'),
      hint: /^The request carries your secret, so MoEngage's call is rejected for the age of the list alone\. The address is on the list/,
      finding: { sentence: /rejected because the list is stale: load a newer one/, paste: null, ticket: null }
    }
  ],
  'other-data-center': [
    {
      options: {},
      request: from(LISTED_IN['DC-03']),
      hint: /^The request carries your secret: MoEngage calls from a data center that this route does not accept\. The address is MoEngage's, but of DC-03/,
      finding: { sentence: /your workspace is there/, paste: "dataCenters: ['DC-01', 'DC-03']", ticket: null }
    }
  ],
  'other-channel': [
    {
      options: { channels: 'catalog' },
      request: from(LISTED),
      hint: /^The request carries your secret, so it is MoEngage's call to you\. The address is of your data center/,
      finding: { sentence: /accept them all with channels: 'all'/, paste: "channels: 'all'", ticket: null }
    }
  ],
  denied: [
    {
      options: { deny: ['8.8.8.0/24'] },
      request: from(UNLISTED),
      hint: /^The request carries your secret, and a rule of your own rejects it: remove the address there\./,
      finding: { sentence: /is in your deny list: remove it there/, paste: null, ticket: null }
    }
  ],
  proxy: [
    {
      options: {},
      request: { peer: PROXY, headers: { 'x-moe-token': SECRET } },
      hint: /^The request carries your secret, so it is a test of your own, or a proxy hides its sender: do not add the address to "allow"\. The trusted proxy/,
      finding: {
        addresses: [PROXY],
        sentence: /hidden behind a proxy.*Do not add the address to allow/,
        paste: null,
        ticket: null
      }
    },
    {
      options: { clientIp: { trustedProxies: ['203.0.113.9'] } },
      request: { peer: '203.0.113.9', headers: { 'x-moe-token': SECRET } },
      hint: /^The request carries your secret, so it is a test of your own, or a proxy hides its sender/,
      finding: { addresses: ['203.0.113.9'], paste: null }
    },
    {
      options: {},
      request: { peer: '192.168.0.5', headers: { 'x-moe-token': SECRET, 'x-forwarded-for': LISTED } },
      hint: /^The request carries your secret, so a proxy hides its sender.* 192\.168\.0\.5 is an internal address/,
      finding: { addresses: ['192.168.0.5'], paste: null }
    },
    {
      options: {},
      request: from('104.16.0.9'),
      hint: /^The request carries your secret, so .*a proxy hides its sender/,
      finding: { addresses: ['104.16.0.9'], paste: null }
    },
    {
      options: {},
      request: { peer: PROXY, headers: { 'x-moe-token': SECRET, 'x-forwarded-for': '198.51.100.7' } },
      hint: /so it is a test of your own, .* 198\.51\.100\.7 is for documentation/,
      finding: {
        addresses: ['198.51.100.7'],
        sentence:
          /or nobody on the internet has it: it is a test of your own, or the sender is hidden behind a proxy, or MoEngage sends that header from an address that the list lacks\./,
        paste: null
      }
    }
  ],
  unresolved: [
    {
      options: {},
      request: from('unknown'),
      hint: /^The request carries your secret, so MoEngage's call is rejected for the way in which it reaches your server\. A trusted proxy/,
      finding: { sentence: /^1 request with your secret had no client IP/, addresses: [], paste: null, ticket: null }
    }
  ],
  'without-secret': [
    {
      options: { expectSecret: true },
      request: from(LISTED, 'another secret'),
      hint: null,
      finding: {
        sentence: /^Verified requests came without your secret, from .* \(1 request\): another customer/,
        addresses: [LISTED],
        paste: null
      }
    },
    {
      options: { expectSecret: true, allow: [UNLISTED] },
      request: from(UNLISTED, ''),
      hint: null,
      finding: {
        sentence:
          /^Requests that your own allow accepts came without your secret, from 8\.8\.8\.8 \(1 request\): let their sender send it as well\.$/,
        addresses: [UNLISTED]
      }
    }
  ],
  'check-failed': [
    {
      options: { carriesSecret: (() => 'yes') as never },
      request: from(UNLISTED),
      hint: /^The address is not on MoEngage's list/,
      finding: {
        sentence: /failed for 1 request: it threw, or returned something else than true or false/,
        addresses: []
      }
    }
  ]
}

t.test(
  'what the secret gives away is said in the hint, the status and the diagnosis, with what to paste',
  async (t) => {
    standing(t)
    process.on('warning', () => {})
    for (const kind of FINDING_KINDS) {
      for (const { options, request, hint, finding } of CASES[kind]) {
        const guard = guardOf(options)
        const verdict = guard.judge(request)
        if (hint !== null) t.match(verdict, { verified: false, hint }, kind)
        const { evidence, diagnosis } = guard.status()
        t.match(evidence, [{ kind, count: 1, ...finding }], kind)
        t.equal(evidence.length, 1, kind)
        t.equal(diagnosis[0], evidence[0]!.sentence, kind)
        if (kind === 'check-failed') continue
        // Without the secret there is no such finding, and no such hint.
        const other = guardOf(options)
        const { 'x-moe-token': _, ...headers } = request.headers as Record<string, string>
        const without = other.judge({ ...request, headers })
        const isExpected = kind === 'without-secret'
        t.equal(other.status().evidence.length, isExpected ? 1 : 0, kind)
        if (!without.verified) t.notMatch(without.hint, /carries your secret/)
      }
    }
  }
)

t.test('the advice is taken when it is followed', async (t) => {
  for (const kind of ['list-aged', 'other-data-center', 'other-channel'] as const) {
    const { options, request } = CASES[kind][0]!
    const guard = guardOf(options)
    guard.judge(request)
    const [finding] = guard.status().evidence
    const pasted = new Function(`return ({ ${finding!.paste} })`)() as Partial<GuardOptions>
    t.match(guardOf({ ...options, ...pasted }).judge(request), { verified: true }, kind)
  }
})

t.test('what a route alone rejects is evidence, and that route is to be widened', async (t) => {
  const of = (
    clientIp: string,
    dataCenters: readonly string[],
    policy: PolicyOptions | undefined,
    pattern: string | null = '/a'
  ) => ({
    dataCenters,
    requests: [{ clientIp, policy, pattern }]
  })
  const table: [
    what: string,
    {
      dataCenters: readonly string[]
      requests: { clientIp: string; policy: PolicyOptions | undefined; pattern: string | null }[]
    },
    sentence: RegExp,
    paste: string | null
  ][] = [
    [
      'the guard accepts more than the route',
      of(LISTED_IN['DC-03'], ['DC-01', 'DC-03'], { dataCenters: 'DC-01' }),
      / is MoEngage's, of DC-03, .*; you accept DC-03, but route \/a accepts DC-01 only: widen that route with dataCenters: \['DC-01', 'DC-03'\]\.$/,
      null
    ],
    [
      'the route accepts something else',
      of(LISTED, ['DC-01'], { dataCenters: 'DC-03' }, null),
      /; you accept DC-01, but a route accepts DC-03 only: widen that route with dataCenters: \['DC-01', 'DC-03'\]\.$/,
      null
    ],
    [
      'neither accepts it',
      of(LISTED_IN['DC-02'], ['DC-01'], { dataCenters: 'DC-03' }),
      /; route \/a accepts DC-03 only: widen that route with dataCenters: \['DC-02', 'DC-03'\]\.$/,
      null
    ],
    [
      'the guard rejects it on one route, and another route as well',
      {
        dataCenters: ['DC-01'],
        requests: [
          ...of(LISTED_IN['DC-02'], [], { dataCenters: 'DC-03' }).requests,
          ...of(LISTED_IN['DC-02'], [], undefined, '/b').requests
        ]
      },
      /; you accept DC-01: write dataCenters: \['DC-01', 'DC-02'\]; route \/a accepts DC-03 only: widen that route with dataCenters: \['DC-02', 'DC-03'\]\.$/,
      "dataCenters: ['DC-01', 'DC-02']"
    ],
    [
      'the channels are those of the guard',
      of(LISTED_IN['DC-03'], ['DC-01'], { channels: 'segment-sync' }),
      /a data center that you do not accept: .* Write dataCenters: \['DC-01', 'DC-03'\]\.$/,
      "dataCenters: ['DC-01', 'DC-03']"
    ],
    [
      'channels of one route',
      of(LISTED, ['DC-01'], { channels: 'catalog' }),
      /channels that are not accepted on route \/a: .* accept them all with channels: 'all' there\.$/,
      null
    ]
  ]
  for (const [what, { dataCenters, requests }, sentence, paste] of table) {
    const guard = guardOf({ dataCenters: dataCenters as never })
    for (const { clientIp, policy, pattern } of requests) {
      const request = from(clientIp)
      guard.decide(policy, request, givenIncoming(request), pattern)
    }
    t.match(guard.status().evidence, [{ sentence, paste, count: requests.length }], what)
    const [, written] = /widen that route with (.*?\])/.exec(guard.status().evidence[0]!.sentence) ?? []
    if (written === undefined) continue
    const widened = new Function(`return ({ ${written} })`)() as PolicyOptions
    t.match(guard.judge(from(requests[0]!.clientIp), widened), { verified: true }, `${what}: the advice is taken`)
  }
})

t.test('a flood of strangers does not make the guard forget which route refuses a data center', async (t) => {
  const guard = guardOf({ dataCenters: ['DC-01', 'DC-03'] })
  const sendTo = (pattern: string, clientIp: string, policy: PolicyOptions, isStranger = false) => {
    const request = isStranger ? { ...from(clientIp), headers: {} } : from(clientIp)
    guard.decide(policy, request, givenIncoming(request), pattern)
  }
  sendTo('/a', LISTED_IN['DC-03'], { dataCenters: 'DC-01' })
  sendTo('/b', LISTED, { channels: 'catalog' })
  for (let i = 0; i < 1100; i++) sendTo('/a', `8.8.${i >> 8}.${i & 255}`, { dataCenters: 'DC-01' }, true)
  t.match(guard.status().evidence, [
    { kind: 'other-data-center', sentence: /; you accept DC-03, but route \/a accepts DC-01 only: widen/ },
    { kind: 'other-channel', sentence: /on route \/b: / }
  ])
})

t.test('channels that the guard and a route do not accept are named for both', async (t) => {
  const guard = guardOf({ channels: 'catalog' })
  const request = from(LISTED)
  guard.decide(undefined, request, givenIncoming(request), '/a')
  guard.decide({ channels: 'data-import' }, request, givenIncoming(request), '/b')
  t.match(guard.status().evidence, [
    { sentence: /the route does not accept: .* channels: 'all', on route \/b as well\.$/, paste: "channels: 'all'" }
  ])
})

t.test(
  'what a route rejected is no evidence once it is accepted there, and is still where the route is forgotten',
  async (t) => {
    const guard = guardOf({ dataCenters: ['DC-01', 'DC-03'] })
    guard.judge(from(LISTED_IN['DC-03']), { dataCenters: 'DC-01' })
    t.match(guard.status().evidence, [{ kind: 'other-data-center' }])
    guard.override({ allow: [LISTED_IN['DC-03']] })
    t.strictSame(guard.status().evidence, [])

    const rows = [
      { dataCenter: 'DC-01', channel: 'sms', addresses: ['9.9.9.9'] },
      { dataCenter: 'DC-02', channel: 'sms', addresses: ['20.1.0.0/20'] }
    ] as const
    const source = () => ({ provenance: { page: 'a test', revision: 'r1', retrieved: '2026-11-20' }, rows })
    const crowded = guardOf({ source, dataCenters: ['DC-01', 'DC-02'], confirm: ['wide'] })
    for (let i = 0; i <= 1000; i++) crowded.judge(from(`20.1.${i >> 8}.${i & 255}`), { dataCenters: 'DC-01' })
    t.match(crowded.status().evidence, [{ kind: 'other-data-center', count: 1001 }])
  }
)

t.test('a log that does not say what its routes accept is not given an option that the guard has', async (t) => {
  const sender = { ...SENDER, listedFor: [{ dataCenter: 'DC-01', channels: ['sms'] }] }
  const [finding] = findingsOf({
    senders: (reason) => (reason === 'other-data-center' ? [sender] : []),
    unresolved: 0,
    withoutSecret: [],
    failures: 0,
    dataCenters: ['DC-01', 'DC-03'],
    list: ''
  })
  t.match(finding, {
    sentence: /you accept it, but a route does not: add it to the dataCenters of that route\.$/,
    paste: null
  })
})

t.test('an unlisted request without the secret says so in its hint', async (t) => {
  t.match(guardOf().judge(from(UNLISTED, '')), { carriesSecret: false, hint: / does not carry your secret\.$/ })
  t.notMatch(guardOf().judge(from('10.1.2.3', '')), { hint: /secret/ })
})

t.test('several addresses are one finding, those with the most requests first', async (t) => {
  const guard = guardOf()
  for (let i = 0; i < 30; i++) for (let times = 0; times <= i; times++) guard.judge(from(`8.8.8.${i}`))
  const [finding] = guard.status().evidence
  t.equal(finding!.count, 465)
  t.equal(finding!.addresses.length, 20)
  t.equal(finding!.addresses[0], '8.8.8.29')
  t.match(
    finding!.sentence,
    /^30 addresses \(8\.8\.8\.29, 8\.8\.8\.28, 8\.8\.8\.27, and 27 more; 465 requests\) carry your secret and are/
  )
  t.match(finding!.sentence, /accept the first 20 with allow: \['8\.8\.8\.29', /, 'the others stay rejected')
  t.equal(guard.metrics().unlistedWithSecret, 30)
})

t.test('a flood of strangers pushes no sender with the secret out', async (t) => {
  const guard = guardOf({ cacheSize: 10 })
  const flood = (start: number) => {
    for (let i = 0; i < 5000; i++) {
      const stranger = from(`20.${(start + i) >> 8}.${i & 255}.7`, '')
      guard.judge(stranger)
      guard.judge(stranger)
    }
  }
  guard.judge(from(UNLISTED, ''))
  guard.judge(from(UNLISTED))
  flood(0)
  guard.judge(from('2a00:1450::1'))
  flood(10_000)
  guard.judge(from(UNLISTED, ''))
  t.match(guard.status().evidence, [{ kind: 'list-aged', count: 2, addresses: [UNLISTED, '2a00:1450::1'] }])
  const sender = guard.senders().find(({ clientIp }) => clientIp === UNLISTED)
  t.match(sender, { count: 3, withSecret: { 'not-listed': 1 } }, 'with what was counted before the secret came')
})

t.test('at most 1,024 senders with the secret are remembered', async (t) => {
  const guard = guardOf({ cacheSize: 1 })
  for (let i = 0; i < 2000; i++) guard.judge(from(`20.1.${i >> 8}.${i & 255}`))
  t.equal(guard.senders().length, 1024)
  t.equal(guard.status().senders, 1024)
})

t.test('a finding about an address holds for seven days', async (t) => {
  standing(t)
  const guard = guardOf({ expectSecret: true })
  guard.judge(from(UNLISTED))
  guard.judge(from(LISTED, ''))
  mock.timers.tick(7 * DAY)
  t.equal(guard.status().evidence.length, 2)
  mock.timers.tick(1)
  t.strictSame(guard.status().evidence, [])
})

t.test('a finding ends when the list in use no longer rejects its senders, and only then', async (t) => {
  const list = (dataCenter: 'DC-01' | 'DC-02', retrieved: string, revision: string): Snapshot => ({
    provenance: { page: 'a test', revision, retrieved },
    rows: [
      { dataCenter, channel: 'connector', addresses: ['9.9.9.9'] },
      { dataCenter: 'DC-01', channel: 'sms', addresses: ['8.8.4.4'] },
      { dataCenter: 'DC-02', channel: 'sms', addresses: ['8.8.4.4'] }
    ]
  })
  const kindsOf = (guard: Guard) => guard.status().evidence.map(({ kind }) => kind)
  standing(t)

  let loaded = list('DC-02', '2026-11-20', 'r1')
  const source = { name: 'ours', load: () => loaded }
  const moving = guardOf({ source })
  moving.judge(from('9.9.9.9'))
  t.strictSame(kindsOf(moving), ['other-data-center'])
  await moving.reload()
  t.strictSame(kindsOf(moving), ['other-data-center'], 'the same list rejects it still')
  loaded = list('DC-01', '2026-11-21', 'r2')
  await moving.reload()
  t.strictSame(kindsOf(moving), [], 'it is of the data center now')

  loaded = list('DC-01', '2026-01-31', 'r1')
  const aged = guardOf({ source, rejectWhenStale: true })
  aged.judge(from('9.9.9.9'))
  t.strictSame(kindsOf(aged), ['stale-list'])
  loaded = list('DC-01', '2026-11-24', 'r2')
  await aged.reload()
  t.strictSame(kindsOf(aged), [])

  const denying = guardOf()
  const { id } = denying.override({ deny: ['8.8.8.8'] })
  denying.judge(from('8.8.8.8'))
  t.match(denying.status().evidence, [
    {
      kind: 'denied',
      sentence: `8.8.8.8 (1 request) carries your secret and is denied by the override ${id}: remove it there.`
    }
  ])
  denying.removeOverride(id)
  t.strictSame(kindsOf(denying), ['list-aged'], 'it would be rejected again, as it is not listed')
  const own = guardOf({ deny: ['8.8.8.8'] })
  own.judge(from('8.8.8.8'))
  own.override({ mode: 'tag' })
  t.strictSame(kindsOf(own), ['denied'])

  const unlisted = guardOf()
  unlisted.judge(from(UNLISTED))
  t.strictSame(kindsOf(unlisted), ['list-aged'])
  unlisted.override({ allow: [UNLISTED] })
  t.strictSame(kindsOf(unlisted), [])
})

t.test('addresses that are one by their redacted text are one in a finding', async (t) => {
  const guard = guardOf({ redactAddress: 'truncate' })
  for (const clientIp of ['8.8.8.1', '8.8.8.2', '8.8.9.1']) guard.judge(from(clientIp))
  t.match(guard.status().evidence, [{ count: 3, addresses: ['8.8.8.0/24', '8.8.9.0/24'], paste: null }])
  t.match(guard.senders()[0], { withSecret: { 'not-listed': 2 } })
})

t.test('routes without the secret are named, at most eight of an address, and addresses are bounded', async (t) => {
  const guard = guardOf({ expectSecret: true, allow: ['20.0.0.0/16'] })
  for (let i = 0; i < 10; i++) guard.decide(undefined, from(LISTED, ''), from(LISTED, ''), `/${i}`)
  t.match(guard.status().evidence[0], { count: 10, sentence: /^Verified requests on \/0, \/1, \/2 came without/ })
  for (let i = 0; i < 2000; i++) guard.judge(from(`20.0.${i >> 8}.${i & 255}`, ''))
  t.match(guard.status().evidence[0], { count: 1024, addresses: { length: 20 } })
})
