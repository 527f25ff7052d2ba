import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { CHANNELS, createGuard, directory, loadGuard, type Snapshot } from '../../src/core.js'
import guardFetch from '../../src/fetch.js'
import { LISTED, LISTED_IN, STRANGER } from '../support/addresses.js'
import { TestClock } from '../support/clock.js'
import { lineLogger } from '../support/logger.js'
import { runs } from '../support/properties.js'
import { FOUR, snapshotOf } from '../support/snapshots.js'

const from = (peer: string) => ({ peer, headers: {} })

function snapshot(address: string, revision = 'revision-2', retrieved = '2026-11-20'): Snapshot {
  return {
    provenance: { page: 'a test', revision, retrieved },
    rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses: [address] }]
  }
}

t.test('status counts what was judged and names the list', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', deny: ['9.9.9.9'] })
  for (const peer of [LISTED, LISTED, '9.9.9.9', STRANGER, STRANGER, LISTED_IN['DC-03'], '']) guard.judge(from(peer))
  const status = guard.status()
  t.match(status, {
    revision: directory.revision,
    provenance: { page: /ip-whitelisting-in-moengage/, retrieved: /^\d{4}-\d\d-\d\d$/ },
    source: 'bundled snapshot',
    verified: 2,
    rejected: { 'not-listed': 2, 'other-data-center': 1, 'other-channel': 0, denied: 1, unresolved: 1 },
    turnedAway: 5,
    tagged: 0,
    senders: 3,
    lastError: null,
    warnings: []
  })
  t.ok(status.loadedAt <= Date.now())
})

t.test('requests that allow alone verified are counted apart, whatever verifies or rejects them later', async (t) => {
  let address = '9.9.9.7'
  const source = async () => snapshot(address)
  const guard = await loadGuard({
    dataCenters: 'DC-01',
    allow: ['9.9.9.0/30', '9.9.9.7'],
    deny: ['9.9.9.1'],
    source,
    confirm: ['shrunk']
  })
  t.teardown(() => guard.close())
  guard.override({ allow: ['9.9.9.9'], for: '1h' })
  const counted = () => {
    const { verified, verifiedByAllow } = guard.status()
    return [verified, verifiedByAllow]
  }
  const rows: [what: string, peer: string, counts: [verified: number, byAllow: number]][] = [
    ['of MoEngage, and in allow as well', '9.9.9.7', [1, 0]],
    ['in allow', '9.9.9.2', [2, 1]],
    ['again, by the remembered verdict', '9.9.9.2', [3, 2]],
    ['allowed by an override', '9.9.9.9', [4, 3]],
    ['denied', '9.9.9.1', [4, 3]],
    ['a stranger', STRANGER, [4, 3]]
  ]
  for (const [what, peer, counts] of rows) {
    guard.judge(from(peer))
    t.strictSame(counted(), counts, what)
  }
  address = '9.9.9.8'
  await guard.reload()
  guard.judge(from('9.9.9.7'))
  t.strictSame(counted(), [5, 4], 'no longer on the list, and in allow')
  const page = guardFetch({ dataCenters: 'DC-01', allow: ['9.9.9.2'], logger: lineLogger([]) })
  t.teardown(() => page.close())
  const request = new Request('http://localhost/')
  page.judge(request, '9.9.9.2')
  page.override({ deny: ['9.9.9.2'], for: '1h' })
  page.judge(request, '9.9.9.2')
  t.match(page.status(), { verified: 0, verifiedByAllow: 0 }, 'a request that is rejected later')
})

t.test('rejected senders are listed, by how often, with why and what else they are published for', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', cacheSize: 4 })
  for (const peer of [
    '198.51.100.1',
    LISTED_IN['DC-03'],
    '198.51.100.1',
    LISTED,
    '198.51.100.2',
    '198.51.100.1',
    LISTED_IN['DC-03']
  ])
    guard.judge(from(peer))
  t.match(guard.senders(), [
    { clientIp: '198.51.100.1', count: 3, reasons: { 'not-listed': 3 }, listedFor: [], routes: [] },
    {
      clientIp: LISTED_IN['DC-03'],
      count: 2,
      reasons: { 'other-data-center': 2 },
      listedFor: [{ dataCenter: 'DC-03' }]
    },
    { clientIp: '198.51.100.2', count: 1, reasons: { 'not-listed': 1 } }
  ])
  t.equal(guard.senders().length, 3)
  guard.judge(from('2001:DB8::7'))
  guard.judge(from('2001:db8:0::7'))
  guard.judge(from('2001:db8::7'))
  t.match(guard.senders()[0], { clientIp: '2001:db8::7', count: 3 })
  for (const { firstSeen, lastSeen } of guard.senders()) t.ok(firstSeen <= lastSeen && lastSeen <= Date.now())
})

t.test('an address is explained in one line', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', allow: ['9.9.9.0/24'], deny: ['192.168.7.0/24'] })
  const table: [ip: string, policy: object | undefined, text: RegExp, entries: number][] = [
    [LISTED, undefined, /^52\.6\.248\.125 is verified: 52\.6\.248\.125\/32 is in MoEngage DC-01 \(connector, /, 8],
    ['::ffff:52.6.248.125', { channels: 'streams' }, /^52\.6\.248\.125 is verified: .* DC-01 \(streams\)\.$/, 8],
    [LISTED, { channels: 'catalog' }, /^52\.6\.248\.125 is rejected \(other-channel\): /, 8],
    ['9.9.9.9', undefined, /^9\.9\.9\.9 is verified: 9\.9\.9\.0\/24 is in your "allow" list\.$/, 1],
    ['34.218.145.185', undefined, /rejected \(other-data-center\).*0be9a6f/, 1],
    [STRANGER, undefined, /rejected \(not-listed\)/, 0],
    [
      '2001:DB8::1',
      undefined,
      /^2001:db8::1 is rejected \(not-listed\): 2001:db8::1 is for documentation, so nobody /,
      0
    ],
    ['10.0.0.1', undefined, /^10\.0\.0\.1 is rejected \(not-listed\): 10\.0\.0\.1 is a private address/, 0],
    [
      '104.16.0.9',
      undefined,
      /^104\.16\.0\.9 is rejected \(not-listed\): 104\.16\.0\.9 is an address of cloudflare: if its requests carry /,
      0
    ],
    ['192.168.7.1', undefined, /^192\.168\.7\.1 is rejected \(denied\): .*"deny"/, 1],
    ['010.0.0.1', undefined, /^"010\.0\.0\.1" is not an IP address\.$/, 0],
    [undefined as never, undefined, /^"undefined" is not an IP address\.$/, 0]
  ]
  for (const [ip, policy, text, entries] of table) {
    const explanation = guard.explain(ip, policy)
    t.match(explanation.text, text, ip)
    t.notMatch(explanation.text, /\n/, ip)
    t.equal(explanation.entries.length, entries, ip)
    t.ok(Object.isFrozen(explanation.verdict), ip)
  }
  t.strictSame(guard.explain('9.9.9.9').entries, [{ prefix: '9.9.9.0/24', grant: 'allow' }])
  t.match(guard.explain('34.218.145.185').entries, [{ prefix: '34.218.145.185/32', grant: 'DC-101 file-segment' }])
  const { revision } = guard.status()
  const none = { verified: false, clientIp: null, reason: 'unresolved', override: null, peer: null, revision } as const
  t.equal(guard.explain('nowhere').isTrustedProxy, false)
  t.match(guard.explain('nowhere').verdict, { ...none, hint: '"nowhere" is not an IP address.', carriesSecret: null })
  t.match(guard.status(), { verified: 0, senders: 0 }, 'explaining counts nothing')
})

t.test('an address is explained as a request from there is judged', async (t) => {
  const guard = createGuard({
    dataCenters: 'DC-01',
    allow: ['10.0.0.0/8', '203.0.113.0/24'],
    deny: ['9.9.9.9', '10.0.2.0/24'],
    clientIp: { trustedProxies: ['10.0.1.0/24', '203.0.114.7', '104.16.0.0/20', '2001:db8::/64'] }
  })
  guard.override({ allow: ['8.8.4.0/24', '104.16.1.1'], deny: ['8.8.8.8', '10.0.1.9'] })
  const octets = (first: fc.Arbitrary<string>, count: number) =>
    fc
      .tuple(first, fc.array(fc.nat(255), { minLength: count, maxLength: count }))
      .map(([text, rest]) => [text, ...rest].join('.'))
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4().map((ip) => `::ffff:${ip}`),
    fc.constantFrom(...directory.entries.map(({ prefix }) => `${prefix.address}`)),
    octets(fc.constantFrom('10.0.1', '10.0.2', '203.0.113', '203.0.114', '8.8.4', '8.8.8', '9.9.9', '104.16.1'), 1),
    octets(fc.constantFrom('10.0', '172.18', '192.168', '104.16', '100.64', '169.254'), 2),
    octets(fc.constantFrom('127', '224', '240', '255'), 3),
    fc.constantFrom(
      '2001:db8::1',
      '2001:db8:1::1',
      '64:ff9b::3406:f87d',
      '2606:4700::1',
      'fe80::1',
      '203.0.114.7',
      '::1'
    )
  )
  const reasons = new Set<string>()
  const sameVerdict = (ip: string, policy: object | undefined) => {
    const { verdict, text } = guard.explain(ip, policy)
    const judged = guard.judge({ peer: ip, headers: {} }, policy)
    const reason = judged.verified ? 'verified' : `rejected (${judged.reason})`
    const hint = verdict.verified ? '' : verdict.hint
    assert.ok(text.startsWith(`${judged.clientIp} is ${reason}: `) && text.endsWith(hint), text)
    reasons.add(reason)
    if (!hint.includes('if its requests carry')) return assert.deepEqual({ ...verdict, peer: ip }, judged)
    // The headers decide, and are not known here.
    reasons.add('by its headers')
    assert.deepEqual({ ...verdict, peer: ip, hint: '' }, { ...judged, hint: '' })
    const behind = guard.judge({ peer: ip, headers: { forwarded: `for=${LISTED}` } }, policy)
    assert.match(behind.verified ? '' : behind.reason, /^proxy-not-configured$/)
    assert.match(hint, /proxy-not-configured/)
  }
  const policy = fc.constantFrom(undefined, { channels: 'catalog' }, { dataCenters: 'DC-02' })
  fc.assert(fc.property(address, policy, sameVerdict), runs(2000))
  t.equal(reasons.size, 6, [...reasons].join())
})

t.test('an address is explained for each policy of the routes, once for those that accept the same', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  guard.addRoute({ channels: 'catalog' })
  guard.addRoute({ channels: ['catalog'] })
  const found = guard.explainAll(LISTED).map(({ dataCenters, channels, text }) => [dataCenters, channels.length, text])
  t.match(found, [
    [['DC-01'], CHANNELS.length, /is verified/],
    [['DC-01'], 1, /is rejected \(other-channel\)/]
  ])
  t.equal(found.length, 2)
})

t.test('an address that is accepted and a trusted proxy is no sender; those beside it are', async (t) => {
  const guard = createGuard({
    dataCenters: 'DC-01',
    allow: ['10.0.0.9'],
    clientIp: { trustedProxies: ['10.0.0.0/8'] }
  })
  const through = (client: string) => guard.judge({ peer: '10.0.0.1', headers: { 'x-forwarded-for': client } })
  t.match(through('10.0.0.9'), { verified: false, clientIp: '10.0.0.9' })
  t.match(through(LISTED), { verified: true, clientIp: LISTED })
})

t.test('a reload puts the new list in force for every route at once', async (t) => {
  let current = snapshot('9.9.9.9', 'revision-1')
  const source = { name: 'our mirror', load: async () => current }
  const guard = await loadGuard({ dataCenters: 'DC-01', source, confirm: ['shrunk'], gracePeriod: 0 })
  const route = { channels: 'connector' } as const
  t.match(guard.judge(from('9.9.9.9'), route), { verified: true, revision: 'revision-1' })
  t.match(guard.judge(from('8.8.8.8'), route), { verified: false, revision: 'revision-1' })
  current = snapshot('8.8.8.8')
  t.match(await guard.reload(), { revision: 'revision-2', source: 'our mirror', lastError: null })
  for (const policy of [route, undefined]) {
    t.match(guard.judge(from('9.9.9.9'), policy), { verified: false, revision: 'revision-2' })
    t.match(guard.judge(from('8.8.8.8'), policy), { verified: true, revision: 'revision-2' })
  }
})

t.test('a policy that was right gets a verdict by every later list, also written anew for each request', async (t) => {
  const rows: Snapshot['rows'] = [{ dataCenter: 'DC-01', channel: 'streams', addresses: ['9.9.9.8'] }]
  let current: Snapshot = { ...snapshot('9.9.9.9', 'revision-1'), rows: [...snapshot('9.9.9.9').rows, ...rows] }
  const source = { name: 'our mirror', load: async () => current }
  const guard = await loadGuard({ dataCenters: 'DC-01', source, confirm: ['shrunk'], gracePeriod: 0 })
  t.match(guard.judge(from('9.9.9.8'), { channels: 'streams' }), { verified: true })
  current = snapshot('9.9.9.9')
  await guard.reload()
  t.match(guard.judge(from('9.9.9.8'), { channels: 'streams' }), { verified: false, reason: 'not-listed' })
  t.throws(() => guard.judge(from('9.9.9.8'), { channels: 'catalog' }), { code: 'MOE_ERR_OPTIONS' })
})

t.test('a failed reload leaves the list as it is and says why', async (t) => {
  const results: (() => Snapshot | Promise<Snapshot>)[] = [
    () => Promise.reject(new Error('connect ECONNREFUSED')),
    () => {
      throw 'a string'
    },
    () => ({ ...snapshot('9.9.9.9'), rows: [] }),
    () => undefined as never,
    () => ({ ...snapshot('9.9.9.9'), rows: [{ dataCenter: 'DC-02', channel: 'sms', addresses: ['9.9.9.9'] }] })
  ]
  const errors = [
    /our mirror.*ECONNREFUSED/,
    /a string/,
    /no rows/,
    /It returned nothing/,
    /The list of "our mirror" lacks what the options name:[\s\S]*DC-01/
  ]
  let load: () => Snapshot | Promise<Snapshot> = () => snapshot('9.9.9.9')
  const source = { name: 'our mirror', load: () => load() }
  const guard = createGuard({ dataCenters: 'DC-01', source, confirm: ['shrunk'] })
  for (const [i, result] of results.entries()) {
    load = result
    await t.rejects(guard.reload(), { message: errors[i], code: i === 4 ? 'MOE_ERR_OPTIONS' : 'MOE_ERR_SOURCE' })
    t.match(guard.status(), { lastError: errors[i], revision: 'revision-2' })
    t.match(guard.judge(from('9.9.9.9')), { verified: true })
  }
  load = () => snapshot('8.8.8.8')
  t.match(await guard.reload(), { lastError: null })
})

t.test('calls during a load share the one load after it', async (t) => {
  let loads = 0
  const source = { name: 'counted', load: async () => snapshot(`9.9.9.${++loads}`) }
  const guard = await loadGuard({ dataCenters: 'DC-01', source, confirm: ['shrunk'] })
  await Promise.all([guard.reload(), guard.reload(), guard.reload()])
  t.equal(loads, 3)
  await guard.reload()
  t.equal(loads, 4)
})

t.test('a guard does not start without a list', async (t) => {
  const failing = { name: 'failing', load: () => Promise.reject(new Error('no such file')) }
  await t.rejects(loadGuard({ dataCenters: 'DC-01', source: failing }), {
    code: 'MOE_ERR_SOURCE',
    value: 'failing',
    cause: { message: 'no such file' }
  })
  t.throws(() => createGuard({ dataCenters: 'DC-01', source: failing }), {
    code: 'MOE_ERR_SOURCE',
    fix: /await loadGuard/
  })
  const thenable = { name: 'thenable', load: () => runInNewContext('Promise.reject(1)') }
  t.throws(() => createGuard({ dataCenters: 'DC-01', source: thenable }), {
    code: 'MOE_ERR_SOURCE',
    fix: /await loadGuard/
  })
  await t.rejects(loadGuard({ dataCenters: 'DC-01', allow: ['x'], source: failing }), { code: 'MOE_ERR_OPTIONS' })
  t.throws(() => createGuard({ dataCenters: 'DC-01', allow: ['x'], source: failing }), { code: 'MOE_ERR_OPTIONS' })
  const broken = { name: 'broken', load: () => ({}) as Snapshot }
  t.throws(() => createGuard({ dataCenters: 'DC-01', source: broken }), {
    code: 'MOE_ERR_SOURCE',
    message: /It returned \{\} instead of a snapshot/
  })
})

t.test('a list that has aged is a warning', async (t) => {
  const aged = { name: 'aged', load: () => snapshot('9.9.9.9', 'old', '2020-01-01') }
  const { warnings } = createGuard({ dataCenters: 'DC-01', source: aged }).status()
  t.match(warnings, [{ code: 'MOE_WARN_STALE', value: 'old', message: /2020-01-01/, fix: /Update/ }])
})

t.test('all senders are listed, or as many as are asked for', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  for (let i = 0; i < 1500; i++) guard.judge({ peer: `10.0.${i >> 8}.${i & 255}`, headers: {} })
  guard.judge({ peer: '10.0.0.7', headers: {} })
  for (const [limit, length] of [
    [undefined, 1500],
    [3, 3],
    [Number.POSITIVE_INFINITY, 1500]
  ] as const) {
    const senders = guard.senders(limit)
    t.equal(senders.length, length)
    t.match(senders[0], { clientIp: '10.0.0.7', count: 2 })
  }
  t.equal(guard.status().senders, 1500)
})

t.test('a number of senders is a whole number', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  for (const peer of ['198.51.100.1', '198.51.100.2']) guard.judge({ peer, headers: {} })
  for (const limit of [Number.NaN, null, 'x', '1', -1, 1.5, Number.NEGATIVE_INFINITY]) {
    t.throws(() => guard.senders(limit as never), { code: 'MOE_ERR_OPTIONS' })
  }
  const found = [undefined, 0, 1, 10, Number.POSITIVE_INFINITY].map((limit) => guard.senders(limit).length)
  t.strictSame(found, [2, 0, 1, 2, 2])
})

/** Empties and overwrites all that can be changed in a value, as deep as it goes. */
function spoil(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  for (const [key, inner] of Object.entries(value)) {
    spoil(inner, seen)
    try {
      Object.assign(value, { [key]: 'spoilt' })
    } catch {
      // It is frozen.
    }
  }
  try {
    if (Array.isArray(value)) value.splice(0, value.length, null)
  } catch {
    // It is frozen.
  }
}

t.test('what a guard returns can be changed, and the guard does not change with it', async (t) => {
  const clock = new TestClock('2026-11-24T10:00:00Z')
  const list = (revision: string, addresses: readonly string[]) =>
    snapshotOf({ 'DC-01 connector': addresses, 'DC-01 streams': addresses }, { revision })
  const lists = [list('b', FOUR.slice(0, 3)), list('a', FOUR)]
  const guard = await loadGuard(
    {
      dataCenters: 'DC-01',
      channels: ['connector', 'streams'],
      clientIp: { trustedProxies: ['10.0.0.0/8', FOUR[0]!] },
      allow: ['8.8.0.0/17'],
      confirm: ['wide'],
      gracePeriod: '1h',
      source: { name: 'ours', load: () => lists.pop()! },
      watch: { name: 'watched', load: () => list('c', [...FOUR, '9.9.9.9']) },
      carriesSecret: ({ headers }: { headers: object }) => 'x-secret' in headers
    },
    { clock }
  )
  t.teardown(() => guard.close())
  await guard.reload()
  const returned: [what: string, read: () => unknown][] = [
    ['status', () => guard.status()],
    ['metrics', () => guard.metrics()],
    ['senders', () => guard.senders()],
    ['explain', () => guard.explain(FOUR[1]!)],
    ['explainAll', () => guard.explainAll('198.51.100.7')],
    ['directory', () => ({ ...guard.directory().provenance, entries: guard.directory().entries })],
    ['verdict', () => guard.judge({ peer: '8.8.8.8', headers: {} })]
  ]
  guard.addRoute({ channels: 'streams' })
  guard.override({ deny: ['8.8.4.4'], for: '1m' })
  guard.override({ allow: ['9.8.7.6'], mode: 'tag', note: 'ticket' })
  for (const peer of [FOUR[1]!, FOUR[3]!, '8.8.8.8', '8.8.4.4', '198.51.100.7']) {
    for (const headers of [{}, { 'x-secret': 'yes' }]) guard.judge({ peer, headers })
  }
  for (const [what, read] of returned) {
    const before = JSON.stringify(read())
    spoil(read())
    t.equal(JSON.stringify(read()), before, what)
  }
  t.match(guard.judge({ peer: '8.8.4.4', headers: {} }), { reason: 'denied' })
})
