import fc from 'fast-check'
import t from 'tap'
import {
  createGuard,
  DATA_CENTERS,
  directory,
  type GuardOptions,
  parseAddress,
  type Snapshot,
  secretHeader
} from '../../src/core.js'
import { SUSPICIONS } from '../../src/errors.js'
import { loadGuard } from '../../src/guard/create-guard.js'
import { formatWords } from '../../src/ip/address.js'
import { LISTED, LISTED_IN, STRANGER } from '../support/addresses.js'
import { TestClock } from '../support/clock.js'
import { SCENARIOS } from '../support/fixtures.js'
import { runs } from '../support/properties.js'
import { FOUR, snapshotOf } from '../support/snapshots.js'

const guardOf = (options: Partial<GuardOptions> = {}) =>
  createGuard({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['10.0.0.0/8'] }, ...options })

const forwardedFor = (clientIp: string) => ({ peer: '10.0.0.1', headers: { 'x-forwarded-for': clientIp } })

t.test('a verified request carries what the address is published for', async (t) => {
  const verdict = guardOf().judge(forwardedFor(LISTED))
  t.strictSame(verdict, {
    verified: true,
    clientIp: LISTED,
    dataCenter: 'DC-01',
    channels: ['connector', 'sms', 'whatsapp', 'email', 'content-api', 'warehouse-export', 'streams', 'segment-sync'],
    matched: `${LISTED}/32`,
    graceUntil: null,
    override: null,
    peer: '10.0.0.1',
    revision: directory.revision,
    carriesSecret: null
  })
  t.ok(Object.isFrozen(verdict))
  t.ok(verdict.verified && Object.isFrozen(verdict.channels))
})

t.test('a rejected request carries the reason and what to do about it', async (t) => {
  const table: [what: string, options: Partial<GuardOptions>, clientIp: string, reason: string, hint: RegExp][] = [
    ['a stranger', {}, '8.8.8.8', 'not-listed', /static IPs .* list changed/],
    ['a documentation address', {}, STRANGER, 'not-listed', /is for documentation/],
    [
      'another data center',
      {},
      LISTED_IN['DC-03'],
      'other-data-center',
      /of DC-03; this route accepts DC-01.*"dataCenters"/
    ],
    ['a moved address', {}, '34.218.145.185', 'other-data-center', /of DC-101.*0be9a6f.*DC-01/],
    [
      'another channel',
      { channels: 'catalog' },
      LISTED,
      'other-channel',
      /published for connector, .*accepts catalog.*'all'/
    ],
    ['a denied stranger', { deny: ['198.51.100.0/24'] }, STRANGER, 'denied', /"deny"/],
    ['a denied sender', { deny: [LISTED] }, LISTED, 'denied', /"deny"/],
    [
      'a client that is denied and allowed',
      { deny: ['9.9.9.9'], allow: ['9.9.9.0/24'] },
      '9.9.9.9',
      'denied',
      /"deny"/
    ],
    ['a forged entry', {}, `${LISTED}, 8.8.8.8`, 'not-listed', /not on MoEngage's list/],
    ['an IPv6 stranger', {}, '2a00:1450::1', 'not-listed', /not on MoEngage's list/],
    [
      'an internal client behind the proxy',
      {},
      '192.168.1.1',
      'not-listed',
      /private address: the request was made in your own network/
    ]
  ]
  for (const [what, options, clientIp, reason, hint] of table) {
    const verdict = guardOf(options).judge(forwardedFor(clientIp))
    t.match(verdict, { verified: false, reason, hint, clientIp: clientIp.split(', ').at(-1), peer: '10.0.0.1' }, what)
    t.ok(Object.isFrozen(verdict), what)
  }
})

t.test('what cannot be resolved is rejected with the why', async (t) => {
  const table: [what: string, options: Partial<GuardOptions>, request: object, hint: RegExp][] = [
    ['no peer', {}, { peer: undefined, headers: {} }, /closed early/],
    [
      'a zone that is not link-local',
      {},
      { peer: '2001:db8::1%eth0', headers: {} },
      /^"2001:db8::1%eth0" is not an IP address\. Pass the peer as its socket reports it/
    ],
    ['a name as the peer', {}, { peer: 'localhost', headers: {} }, /^"localhost" is not an IP address/],
    ['a port', {}, { peer: '127.0.0.1:4711', headers: {} }, /^"127\.0\.0\.1:4711" is .*without a name or a port\.$/],
    [
      'a name where addresses are redacted',
      { redactAddress: 'truncate' },
      { peer: 'localhost', headers: {} },
      /^The peer is not an IP address\./
    ],
    ['a unix socket', {}, { peer: 'unix', headers: {} }, /unix socket.*'unix' to clientIp/],
    ['garbage', {}, forwardedFor('<x>'), /entry of x-forwarded-for/],
    ['a hidden client', {}, forwardedFor('unknown'), /keeps the client's address to itself/],
    ['endless proxies', {}, forwardedFor(Array(40).fill('10.0.0.1').join()), /more than 32/],
    [
      'a missing header',
      { clientIp: { trustedProxies: ['10.0.0.1'], header: 'forwarded', requireHeader: true } },
      { peer: '10.0.0.1', headers: {} },
      /sent no forwarded.*requireHeader/
    ],
    [
      'two addresses for one',
      { clientIp: { trustedProxies: ['10.0.0.1'], header: 'x-real-ip' } },
      { peer: '10.0.0.1', headers: { 'x-real-ip': '1.1.1.1, 2.2.2.2' } },
      /x-real-ip holds one address/
    ],
    ['a function without an answer', { clientIp: () => undefined }, forwardedFor(LISTED), /function returned nothing/],
    ['a function with nonsense', { clientIp: () => 'localhost' }, forwardedFor(LISTED), /not an address/]
  ]
  for (const [what, options, request, hint] of table) {
    t.match(
      guardOf(options).judge(request as never),
      { verified: false, clientIp: null, reason: 'unresolved', hint },
      what
    )
  }
})

t.test('a proxy that nobody configured is told apart from a stranger', async (t) => {
  const headers = { 'x-forwarded-for': LISTED }
  const table: [
    what: string,
    options: Partial<GuardOptions>,
    peer: string,
    headers: object,
    reason: string,
    hint: RegExp
  ][] = [
    [
      'an untrusted private peer',
      {},
      '192.168.0.5',
      headers,
      'proxy-not-configured',
      /add '192.168.0.5' to clientIp.trustedProxies/
    ],
    [
      'the peer itself',
      { clientIp: 'request.ip' },
      '10.0.0.1',
      headers,
      'proxy-not-configured',
      /pass clientIp: \{ trustedProxies: \['10\.0\.0\.1'\] \}\.$/
    ],
    [
      'a mapped peer',
      { clientIp: 'request.ip' },
      '::ffff:10.0.0.1',
      headers,
      'proxy-not-configured',
      /10\.0\.0\.1 is an internal/
    ],
    [
      'a loopback peer',
      { clientIp: 'request.ip' },
      '::1',
      { forwarded: `for=${LISTED}` },
      'proxy-not-configured',
      /::1 is/
    ],
    ['raw headers', {}, '192.168.0.5', ['X-Real-IP', LISTED], 'proxy-not-configured', /192\.168\.0\.5/],
    [
      'another header',
      {},
      '10.0.0.1',
      { 'cf-connecting-ip': LISTED },
      'proxy-not-configured',
      /sends cf-connecting-ip, not x-forwarded-for/
    ],
    ['a function', { clientIp: () => '10.9.9.9' }, '10.9.9.9', headers, 'proxy-not-configured', /function/],
    [
      'a middle proxy',
      {},
      '10.0.0.1',
      { 'x-forwarded-for': `${LISTED}, 192.168.0.9` },
      'proxy-not-configured',
      /add '192\.168\.0\.9'/
    ],
    ['a function without a header', { clientIp: () => '10.9.9.9' }, '10.0.0.1', {}, 'not-listed', /own network/],
    [
      'an internal client in a header for one address',
      { clientIp: { trustedProxies: ['10.0.0.1'], header: 'x-real-ip' } },
      '10.0.0.1',
      { 'x-real-ip': '192.168.0.9' },
      'not-listed',
      /own network/
    ],
    ['no forwarded header', {}, '192.168.0.5', {}, 'not-listed', /no forwarded header/],
    ['a public peer', {}, '8.8.8.8', headers, 'not-listed', /not on MoEngage/],
    [
      'a function that looked further',
      { clientIp: () => '10.9.9.9' },
      '10.0.0.1',
      headers,
      'not-listed',
      /own network/
    ],
    ['a function without a peer', { clientIp: () => '10.9.9.9' }, '', headers, 'not-listed', /own network/]
  ]
  for (const [what, options, peer, sent, reason, hint] of table) {
    t.match(guardOf(options).judge({ peer, headers: sent as never }), { verified: false, reason, hint }, what)
  }
})

t.test('a verdict names the peer where there was one', async (t) => {
  const guard = guardOf({ clientIp: () => LISTED })
  for (const [peer, shown] of [
    ['10.0.0.1', '10.0.0.1'],
    ['', null],
    [null, null],
    [undefined, null]
  ] as const) {
    t.match(guard.judge({ peer, headers: {} }), { verified: true, peer: shown }, `${peer}`)
  }
})

t.test('extra addresses are accepted on every route, and named as such', async (t) => {
  const guard = guardOf({ allow: ['9.9.9.0/24', '9.9.9.9', '2001:db8::/32', '52.6.248.0/24'] })
  t.match(guard.judge(forwardedFor('9.9.9.9')), {
    verified: true,
    dataCenter: null,
    channels: [],
    matched: '9.9.9.9/32'
  })
  t.match(guard.judge(forwardedFor('9.9.9.8')), { verified: true, dataCenter: null, matched: '9.9.9.0/24' })
  t.match(guard.judge(forwardedFor('[2001:DB8:0::1]:443')), {
    verified: true,
    clientIp: '2001:db8::1',
    matched: '2001:db8::/32'
  })
  t.match(guard.judge(forwardedFor('2001:db9::1')), { verified: false, clientIp: '2001:db9::1', reason: 'not-listed' })
  t.match(guard.judge(forwardedFor(LISTED)), { verified: true, dataCenter: 'DC-01', matched: `${LISTED}/32` })
  const catalog = { channels: 'catalog' } as const
  t.match(guard.judge(forwardedFor(LISTED), catalog), {
    verified: true,
    dataCenter: null,
    channels: [],
    matched: '52.6.248.0/24'
  })
})

t.test('a policy changes what one route accepts', async (t) => {
  const guard = guardOf()
  const catalog = { channels: 'catalog' } as const
  const elsewhere = { dataCenters: ['DC-03'] } as const
  t.match(guard.judge(forwardedFor(LISTED), catalog), { reason: 'other-channel' })
  t.match(guard.judge(forwardedFor('52.1.205.204'), catalog), { verified: true, channels: ['catalog'] })
  t.match(guard.judge(forwardedFor(LISTED_IN['DC-03']), elsewhere), { verified: true, dataCenter: 'DC-03' })
  t.match(guard.judge(forwardedFor(LISTED), elsewhere), { reason: 'other-data-center' })
  t.match(guard.judge(forwardedFor(LISTED)), { verified: true })
  t.throws(() => guard.judge(forwardedFor(LISTED), { channels: 'conector' as never }), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ code: 'MOE_ERR_CHANNEL', path: 'channels', value: 'conector', fix: /"connector"/ }]
  })
})

t.test('every listed address is verified, and by nothing but its own data center', async (t) => {
  const centers = DATA_CENTERS
  const guards = centers.map((dataCenters) => guardOf({ dataCenters }))
  for (const { prefix, grant } of directory.entries) {
    const verdicts = guards.map((guard) => guard.judge(forwardedFor(prefix.address.toString())))
    const verified = centers.filter((_, i) => verdicts[i]!.verified)
    t.strictSame(verified, [grant.dataCenter])
  }
})

t.test('a verdict does not depend on who was judged before', async (t) => {
  const allow = ['9.0.0.0/8', '2001:db8::/32', '3406:f87d::/32']
  const guard = guardOf({ cacheSize: 1, allow })
  const strict = { channels: 'segment-sync' } as const
  // 3406:f87d:: begins with the four bytes of 52.6.248.125.
  const senders = [
    '3406:f87d::',
    '9.9.9.9',
    LISTED,
    '3406:f87d::',
    '9.9.9.8',
    '2001:db8::1',
    '2001:db8::2',
    '2001:db8:1::2',
    '2001:db8:1:0:1::',
    LISTED_IN['DC-03']
  ]
  const judgeAll = (judge: typeof guard.judge) =>
    senders.flatMap((sender) =>
      ['10.0.0.1', '10.0.0.2'].flatMap((peer) => {
        const request = { peer, headers: { 'x-forwarded-for': sender } }
        return [judge(request), judge(request), judge(request, strict)]
      })
    )
  const fresh = judgeAll((request, policy) => guardOf({ allow }).judge(request, policy))
  t.strictSame(
    judgeAll((request, policy) => guard.judge(request, policy)),
    fresh
  )
  // With one slot all of them share it.
  for (const sender of [...senders, ...senders].filter((sender) => sender !== LISTED_IN['DC-03'])) {
    const { clientIp } = guard.judge(forwardedFor(sender))
    t.equal(clientIp, parseAddress(sender)?.toString(), sender)
  }
  for (const sender of [LISTED, '2001:db8:1:2:3:4:5:6']) {
    const [first, second] = [guard.judge(forwardedFor(sender)), guard.judge(forwardedFor(sender))]
    t.equal(first, second, 'a remembered verdict is the same object')
  }
})

t.test('a flood of strangers pushes out no verdict of a genuine sender', async (t) => {
  const guard = guardOf({ cacheSize: 100 })
  const verdict = guard.judge(forwardedFor(LISTED))
  for (let i = 0; i < 5000; i++) guard.judge(forwardedFor(`198.18.${i >> 8}.${i & 255}`))
  t.equal(guard.judge(forwardedFor(LISTED)), verdict)
  t.equal(guard.senders().length, 100)
})

t.test('spoofing scenarios end as they must', async (t) => {
  t.ok(SCENARIOS.length > 30)
  for (const { id, peer, headers, config, client, must_be } of SCENARIOS) {
    const { trusted: trustedProxies, header, requireHeader = false, allow, deny = [] } = config
    const guard = guardOf({ clientIp: { trustedProxies, header, requireHeader }, allow, deny })
    const joined: Record<string, string> = {}
    for (const [name, value] of headers) {
      const key = name.toLowerCase()
      joined[key] = key in joined ? `${joined[key]}, ${value}` : value
    }
    for (const sent of [joined, headers.flat()]) {
      const verdict = guard.judge({ peer, headers: sent })
      t.equal(verdict.verified, must_be === 'accepted', id)
      t.equal(verdict.clientIp, client, id)
    }
  }
})

t.test('an address that is published for two data centers is verified for the one that is accepted', async (t) => {
  const snapshot: Snapshot = {
    provenance: { page: 'test', revision: 'r2', retrieved: '2026-11-23' },
    rows: [
      { dataCenter: 'DC-02', channel: 'sms', addresses: ['9.9.9.0/24', '2620:fe::/48'] },
      { dataCenter: 'DC-01', channel: 'streams', addresses: ['9.9.9.9'] },
      { dataCenter: 'DC-01', channel: 'catalog', addresses: ['9.9.0.0/16'] }
    ]
  }
  const source = { name: 'test', load: () => snapshot }
  t.match(guardOf({ source }).judge(forwardedFor('9.9.9.9')), {
    dataCenter: 'DC-01',
    channels: ['streams', 'catalog'],
    matched: '9.9.9.9/32',
    revision: 'r2'
  })
  t.match(guardOf({ source, dataCenters: 'all', channels: ['sms', 'catalog'] }).judge(forwardedFor('9.9.9.9')), {
    dataCenter: 'DC-02',
    channels: ['sms'],
    matched: '9.9.9.0/24'
  })
  t.match(guardOf({ source, dataCenters: 'DC-02' }).judge(forwardedFor('2620:fe::9')), { dataCenter: 'DC-02' })
})

t.test('the channels of a verdict are those of its data center alone', async (t) => {
  const source = {
    name: 'ours',
    load: () =>
      snapshotOf({
        'DC-01 sms': ['9.9.9.9'],
        'DC-02 email': ['9.9.9.9'],
        'DC-02 sms': ['9.9.0.0/24'],
        'DC-01 email': ['9.9.0.0/24']
      })
  }
  const guard = guardOf({ dataCenters: ['DC-01', 'DC-02'], source, allow: ['9.9.0.1'] })
  const verdict = (clientIp: string) => guard.judge(forwardedFor(clientIp))
  t.match(verdict('9.9.9.9'), { dataCenter: 'DC-01', channels: ['sms'], matched: '9.9.9.9/32' })
  t.strictSame((verdict('9.9.9.9') as { channels?: unknown }).channels, ['sms'])
  t.match(verdict('9.9.0.2'), { dataCenter: 'DC-01', channels: ['email'], matched: '9.9.0.0/24' })
  t.match(verdict('9.9.0.1'), { dataCenter: 'DC-01', matched: '9.9.0.1/32' }, 'an own address that is also listed')
})

t.test('an address is kept for each channel that it left, until the last of them ends', async (t) => {
  const HOUR = 3_600_000
  const clock = new TestClock('2026-11-23')
  const start = clock.now()
  const rest = { 'DC-01 connector': FOUR }
  let list = snapshotOf({ ...rest, 'DC-01 sms': ['9.9.9.9'], 'DC-01 email': ['9.9.9.9'] })
  const source = { name: 'ours', load: () => list }
  const guard = await loadGuard({ dataCenters: 'DC-01', source, gracePeriod: '1d', confirm: ['shrunk'] }, { clock })
  const verdict = (policy?: object) => guard.judge({ peer: '9.9.9.9', headers: {} }, policy)
  const until = (hours: number) => new Date(start + hours * HOUR).toISOString()
  for (const channels of ['sms', 'email']) t.match(verdict({ channels }), { graceUntil: null, channels: [channels] })
  list = snapshotOf({ ...rest, 'DC-01 email': ['9.9.9.9'] }, { revision: 'r2' })
  await guard.reload()
  t.match(verdict({ channels: 'sms' }), { verified: true, graceUntil: until(24) }, 'it is still listed for email')
  t.match(verdict(), { verified: true, graceUntil: null, channels: ['email'] })
  clock.pass(HOUR)
  list = snapshotOf(rest, { revision: 'r3' })
  await guard.reload()
  t.match(verdict({ channels: 'sms' }), { graceUntil: until(24) })
  t.match(verdict({ channels: 'email' }), { graceUntil: until(25) })
  t.match(verdict(), { graceUntil: until(25), channels: ['sms', 'email'] })
  clock.pass(23 * HOUR)
  t.match(verdict({ channels: 'sms' }), { verified: false })
  t.match(verdict(), { verified: true, channels: ['email'] })
  guard.close()
})

t.test('a stale list is the reason wherever the route would accept the address', async (t) => {
  const cells = { 'DC-01 sms': ['9.9.9.9'], 'DC-02 sms': ['9.9.9.9', '8.8.8.8'], 'DC-01 email': ['8.8.4.4'] }
  const source = { name: 'ours', load: () => snapshotOf(cells, { retrieved: '2020-01-01' }) }
  const guard = guardOf({ source, rejectWhenStale: true })
  t.match(guard.judge(forwardedFor('9.9.9.9')), { reason: 'stale-list' })
  t.match(guard.judge(forwardedFor('8.8.8.8')), { reason: 'other-data-center' })
  t.match(guard.judge(forwardedFor('8.8.4.4'), { channels: 'sms' }), { reason: 'other-channel' })
})

t.test('verified senders that push each other out of the cache get room, and keep their counts', async (t) => {
  const guard = guardOf({ allow: ['9.0.0.0/8'] })
  const request = (i: number) => forwardedFor(`9.0.${i >> 8}.${i & 255}`)
  const first = guard.judge(request(0))
  const judgeAll = () => {
    for (let i = 0; i < 2000; i++) if (!guard.judge(request(i)).verified) t.fail(`${i}`)
  }
  for (let round = 0; round < 9; round++) judgeAll()
  const before = guard.metrics().cache.hits
  judgeAll()
  const { hits, cache } = guard.metrics()
  t.ok(cache.hits - before > 1000, `${cache.hits - before} of 2000 are remembered`)
  t.match(
    hits.find(({ prefix }) => prefix === '9.0.0.0/8'),
    { count: 20_001 }
  )
  t.equal(cache.hits + cache.misses, 20_001)
  t.strictSame(guard.judge(request(0)), first)
})

t.test('a verdict is that of its own address, whichever address of the same prefix was judged before', async () => {
  const address = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }))
    .map(([a, b]) => `9.9.${a}.${b}`)
  const six = fc.integer({ min: 0, max: 7 }).map((last) => `2620:fe::${last}`)
  const prefix = fc.oneof(
    fc.tuple(address, fc.constantFrom(24, 30, 31, 32)).map(([text, length]) => maskedTo(text, length)),
    fc.tuple(six, fc.constantFrom(126, 127, 128)).map(([text, length]) => maskedTo(text, length))
  )
  const listed = fc.array(fc.tuple(fc.constantFrom('DC-01 sms', 'DC-01 push', 'DC-02 sms'), prefix), {
    minLength: 1,
    maxLength: 8
  })
  const scenario = fc.record({
    listed,
    allow: fc.array(prefix, { maxLength: 3 }),
    clients: fc.array(fc.oneof(address, six), { minLength: 1, maxLength: 20 })
  })
  await fc.assert(
    fc.asyncProperty(scenario, async ({ listed, allow, clients }) => {
      const cells: Record<string, string[]> = {
        'DC-01 sms': ['9.9.200.1'],
        'DC-01 push': ['9.9.200.3'],
        'DC-02 sms': ['9.9.200.2']
      }
      for (const [cell, text] of listed) cells[cell] = [...new Set([...(cells[cell] ?? []), text])]
      const options = {
        dataCenters: ['DC-01', 'DC-02'] as const,
        channels: ['sms', 'push'] as const,
        allow: [...new Set(allow)],
        source: { name: 'test', load: () => snapshotOf(cells) },
        confirm: SUSPICIONS
      }
      const used = await loadGuard(options)
      for (const peer of clients) {
        const verdict = used.judge({ peer, headers: {} })
        const fresh = (await loadGuard(options)).judge({ peer, headers: {} })
        if (JSON.stringify(verdict) !== JSON.stringify(fresh)) throw new Error(JSON.stringify([verdict, fresh]))
        const containing = [...Object.values(cells).flat(), ...allow].filter((text) => maskedLike(peer, text) === text)
        const [longest] = containing.sort((a, b) => lengthOf(b) - lengthOf(a))
        const matched = verdict.verified ? verdict.matched : undefined
        if (matched !== longest) throw new Error(`${peer} matched ${matched} instead of ${longest}`)
      }
    }),
    runs(100)
  )
})

/** An address and a length, with the bits behind it cleared. */
function maskedTo(text: string, length: number): string {
  const { family, words } = parseAddress(text)!
  const hostBits = (family === 4 ? 32 : 128) - length
  const last = (words.at(-1)! & ~(2 ** hostBits - 1)) >>> 0
  return `${formatWords(family, [...words.slice(0, -1), last])}/${length}`
}

const lengthOf = (prefix: string) => Number(prefix.split('/')[1])

/** The prefix of an address that is as long as another one. */
const maskedLike = (address: string, prefix: string) => maskedTo(address, lengthOf(prefix))

t.test('IPv6 senders that differ in one word are never taken for each other, however many there are', async (t) => {
  const guard = guardOf({ allow: ['2620:fe::/32'], cacheSize: 1000 })
  const spellings: ((hex: string) => string)[] = [
    (hex) => `2620:fe:0:${hex}::1`,
    (hex) => `2620:fe:0:0:0:${hex}:0:1`,
    (hex) => `2620:fe::${hex}`
  ]
  for (const spell of spellings) {
    const wrong: string[] = []
    for (let times = 0; times < 2; times++) {
      for (let i = 1; i < 2000; i++) {
        const address = `${parseAddress(spell(i.toString(16)))}`
        // The same peer: a verdict is remembered for one.
        const verdict = guard.judge(forwardedFor(address))
        if (!verdict.verified || verdict.clientIp !== address) wrong.push(address)
      }
    }
    t.strictSame(wrong, [])
  }
})

t.test('one of several trusted proxies that is also a sender is a proxy, and is warned of alone', async (t) => {
  const clientIp = { trustedProxies: ['10.0.0.0/8', LISTED] }
  const guard = createGuard({ dataCenters: 'DC-01', clientIp })
  t.match(guard.judge({ peer: LISTED, headers: {} }), { verified: false }, 'without a header it speaks for nobody')
  t.match(guard.judge({ peer: '10.0.0.1', headers: { 'x-forwarded-for': LISTED } }), { verified: false })
  const { warnings } = guard.status()
  const about = warnings.filter(({ message }) => message.includes('both trusted as a proxy'))
  t.strictSame(
    about.map(({ value }) => value),
    [`${LISTED}/32`]
  )
})

t.test('a note about one address of a prefix is said of no other one', async (t) => {
  const source = {
    name: 'ours',
    load: (): Snapshot => ({
      ...snapshotOf({ 'DC-01 sms': ['9.9.9.9'], 'DC-02 sms': ['9.9.8.0/24'] }),
      notes: [{ address: '9.9.8.7', dataCenter: 'DC-01', text: 'The page had it here once.' }]
    })
  }
  const guard = guardOf({ source })
  for (let times = 0; times < 2; times++) {
    t.match(guard.judge(forwardedFor('9.9.8.7')), { reason: 'other-data-center', hint: /once\.$/ })
    const other = guard.judge(forwardedFor('9.9.8.8'))
    t.match(other, { reason: 'other-data-center' })
    t.notMatch(other, { hint: /once|Stryker/ })
  }
})

t.test('an address in a row of the page that this version does not know is said to be on the page', async (t) => {
  const source = (): Snapshot => ({
    ...snapshotOf({ 'DC-01 sms': ['9.9.9.1'] }),
    unknown: [
      { dataCenter: 'DC-07', name: 'Connector Campaigns', addresses: ['9.9.9.2', '9.9.9.3'] },
      { dataCenter: 'DC-01', name: 'RCS Campaigns', addresses: ['9.9.9.3', '10.1.1.1'] },
      { dataCenter: 'DC-02', name: 'RCS Campaigns', addresses: 'NA' }
    ]
  })
  const carriesSecret = secretHeader('x-moe-token', 'shared-secret-1')
  const guard = createGuard({ dataCenters: 'DC-01', source, carriesSecret })
  const hintOf = (peer: string, headers = {}) => (guard.judge({ peer, headers }) as { hint: string }).hint
  const secret = { 'x-moe-token': 'shared-secret-1' }
  t.match(
    hintOf('9.9.9.2'),
    /^The address is on MoEngage's list of 2026-11-20 \(revision r1\), as "Connector Campaigns" of "DC-07", which this version of/
  )
  t.match(
    hintOf('9.9.9.3'),
    /, as "Connector Campaigns" of "DC-07", "RCS Campaigns" of "DC-01", which .*Update moengage-allowlist; /
  )
  t.match(hintOf('9.9.9.3'), / The request does not carry your secret\.$/)
  t.match(
    hintOf('9.9.9.3', secret),
    /^The request carries your secret, so it is MoEngage's call to you\. The address is on MoEngage's/
  )
  t.match(hintOf('9.9.9.4'), /^The address is not on MoEngage's list/)
  t.match(hintOf('10.1.1.1'), /^10\.1\.1\.1 is a private address/)
  t.match(createGuard({ dataCenters: 'DC-01', source, allow: ['9.9.9.2'] }).explain('9.9.9.2').verdict, {
    verified: true
  })
})
