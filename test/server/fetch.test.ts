import { once } from 'node:events'
import { createServer, get, IncomingMessage } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { runInThisContext } from 'node:vm'
import t from 'tap'
import { createClientIpResolver, createGuard, type OptionsError } from '../../src/core.js'
import moengageAllowlist, { type MoEngageAllowlistOptions, type RouteOptions } from '../../src/fetch.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { failingThenable, HIDDEN_REJECTIONS, untilRejected } from '../support/failures.js'
import { type LogLine, until } from '../support/http.js'
import { lineLogger } from '../support/logger.js'
import { snapshotOf } from '../support/snapshots.js'

function guarding(options: Partial<MoEngageAllowlistOptions> = {}) {
  const lines: LogLine[] = []
  const guard = moengageAllowlist({
    dataCenters: 'DC-01',
    clientIp: { trustedProxies: ['10.0.0.0/8'] },
    logger: lineLogger(lines),
    ...options
  })
  return { guard, lines }
}

const requestFrom = (...clientIps: string[]) => {
  const request = new Request('http://localhost/')
  for (const clientIp of clientIps) request.headers.append('X-Forwarded-For', clientIp)
  return request
}

t.test('a request is let through with its verdict, or comes with its answer', async (t) => {
  const { guard, lines } = guarding()
  t.match(await guard.check(requestFrom(LISTED), '10.0.0.1'), {
    response: undefined,
    verdict: { verified: true, clientIp: LISTED, peer: '10.0.0.1' }
  })
  const { response, verdict } = await guard.check(requestFrom(LISTED, STRANGER), '10.0.0.1')
  t.match(verdict, { verified: false, clientIp: STRANGER, reason: 'not-listed' })
  t.equal(response?.status, 403)
  t.equal(response?.headers.get('content-type'), 'application/json; charset=utf-8')
  t.match(await response?.json(), { code: 'MOE_ERR_REJECTED', error: 'Forbidden' })
  t.match(lines, [{ level: 40, msg: `${STRANGER} rejected: not-listed` }])
  for (const peer of [undefined, null, '']) {
    t.match((await guard.check(requestFrom(LISTED), peer)).verdict, { reason: 'unresolved', peer: null })
  }
})

t.test(
  'a peer is taken as servers report it, also where a connection is closed; anything else is refused',
  async (t) => {
    const { guard } = guarding()
    const peers: unknown[] = [
      { address: '10.0.0.1', family: 'IPv4', port: 1 },
      { transport: 'tcp', hostname: '10.0.0.1', port: 1 },
      { remoteAddr: { transport: 'tcp', hostname: '10.0.0.1', port: 1 } },
      { remote: { address: '10.0.0.1' } },
      { remoteAddress: '10.0.0.1' }
    ]
    for (const peer of peers)
      t.match(await guard.check(requestFrom(LISTED), peer as never), { verdict: { verified: true } })
    const ring: { remote?: object } = {}
    ring.remote = ring
    const closed: unknown[] = [
      '',
      {},
      { address: undefined },
      { address: 5 },
      { remote: null },
      new Socket(),
      new IncomingMessage(new Socket())
    ]
    closed.push(ring, { remote: {} }, { remoteAddr: {} }, { remote: { remote: { address: '10.0.0.1' } } })
    for (const peer of closed) {
      const { verdict } = await guard.check(requestFrom(LISTED), peer as never)
      t.match(verdict, {
        reason: 'unresolved',
        peer: null,
        hint: /^The connection has no address: it was closed early/
      })
    }
    // Servers report null of a connection that is closed, such as Bun.
    for (const peer of [undefined, null]) {
      const { verdict } = await guard.check(requestFrom(LISTED), peer)
      const hint = /^No peer was passed, or the connection was closed early, .* Pass the address of each connection/
      t.match(verdict, { reason: 'unresolved', peer: null, hint })
    }
    const { rejected } = guard.status()
    const wrong: [peer: unknown, message: RegExp, fix: RegExp][] = [
      [{ address: Promise.resolve('10.0.0.1') }, /^an object of the class Promise is not an address/, /^Await it /],
      [Promise.resolve('10.0.0.1'), /^an object of the class Promise is not where/, /^Await it /],
      [Promise.resolve({ address: '10.0.0.1' }), /is not where/, /^Await it /],
      [Object.assign(Promise.resolve(), { address: '10.0.0.1' }), /is not where/, /^Await it /],
      [
        () => '10.0.0.1',
        /^a function is not where a request comes from\.$/,
        /^Call it, as in .*server\.requestIP\(request\)/
      ],
      [{ channels: 'catalog' }, /^\{ channels \} is not/, /second argument, and the options as the third/],
      [{ mode: 'tag' }, /^\{ mode \} is not/, /second argument, and the options as the third/],
      [
        { ip: '10.0.0.1' },
        /^\{ ip \} is not/,
        /^Pass the address of the connection, or .* address, hostname, remoteAddress,/
      ],
      [{ socket: { remoteAddress: '10.0.0.1' } }, /^\{ socket \} is not/, /on Node its own request\.$/],
      [new Request('http://localhost/'), /class Request is not/, /^Pass the address/],
      [['10.0.0.1'], /^\['10\.0\.0\.1'\] is not/, /^Pass the address/],
      [5, /^5 is not/, /^Pass the address/],
      [true, /^true is not/, /^Pass the address/],
      [Symbol('x'), /^Symbol\(x\) is not/, /^Pass the address/]
    ]
    for (const [peer, message, fix] of wrong) {
      const expected = { code: 'MOE_ERR_OPTIONS', mistakes: [{ path: 'peer', message, fix }] }
      await t.rejects(guard.check(requestFrom(LISTED), peer as never), expected)
      t.throws(() => guard.judge(requestFrom(LISTED), peer as never), expected as never)
    }
    t.match(guard.status(), { verified: peers.length, rejected }, 'what is refused is counted nowhere')
  }
)

t.test("Deno's unix sockets are recognized, and believed only where they are trusted", async (t) => {
  const unix = { transport: 'unix', path: '/run/x.sock' } as const
  const trusting = guarding({ clientIp: { trustedProxies: ['unix'] } }).guard
  for (const peer of [unix, { remoteAddr: unix }, { ...unix, transport: 'unixpacket' as const }]) {
    t.match(await trusting.check(requestFrom(LISTED), peer), { verdict: { verified: true, peer: 'unix' } })
    t.match(await guarding().guard.check(requestFrom(LISTED), peer), {
      verdict: { verified: false, hint: /^The request came over a unix socket/ }
    })
  }
})

t.test('a route changes what it accepts and what a rejection does', async (t) => {
  const { guard } = guarding()
  // A server goes on where there is no response: whatever else a function returns must not be taken for that.
  const table: [options: RouteOptions, clientIp: string, status: number | undefined, body: RegExp][] = [
    [{ channels: 'catalog' }, LISTED, 403, /MOE_ERR_REJECTED/],
    [{ mode: 'tag' }, STRANGER, undefined, /^$/],
    [{ statusCode: 404 }, STRANGER, 404, /Not Found/],
    [{ onReject: (_, { reason }) => new Response(reason, { status: 418 }) }, STRANGER, 418, /^not-listed$/],
    [{ onReject: async () => new Response('own') }, STRANGER, 200, /^own$/],
    ...[undefined, null, false, '', 0, 'text'].map((answer): (typeof table)[number] => [
      { onReject: (() => answer) as never },
      STRANGER,
      403,
      /MOE_ERR_REJECTED/
    ]),
    [{ onReject: (async () => false) as never }, STRANGER, 403, /MOE_ERR_REJECTED/]
  ]
  for (const [options, clientIp, status, body] of table) {
    const { response } = await guard.check(requestFrom(clientIp), '10.0.0.1', options)
    t.equal(response?.status, status)
    t.match((await response?.text()) ?? '', body)
  }
  await t.rejects(
    guard.check(requestFrom(STRANGER), '10.0.0.1', {
      onReject: () => {
        throw new Error('own')
      }
    }),
    { message: 'own' }
  )
  await t.rejects(guard.check(requestFrom(LISTED), '10.0.0.1', { channels: 'x' as never }), { code: 'MOE_ERR_OPTIONS' })
})

t.test('a clientIp function is asked with the request', async (t) => {
  const { guard } = guarding({ clientIp: (request) => request.headers.get('fly-client-ip') ?? undefined })
  const request = new Request('http://localhost/', { headers: { 'Fly-Client-IP': LISTED } })
  t.match(await guard.check(request, '10.0.0.1'), { verdict: { verified: true, clientIp: LISTED } })
  t.match(await guard.check(requestFrom(LISTED), undefined), { verdict: { reason: 'unresolved' } })
})

t.test('judging alone answers and logs nothing', async (t) => {
  const { guard, lines } = guarding()
  t.match(guard.judge(requestFrom(STRANGER), '10.0.0.1'), { verified: false })
  t.match(guard.judge(requestFrom(LISTED), '10.0.0.1', { channels: 'catalog' }), { reason: 'other-channel' })
  t.strictSame(lines, [])
  t.match(guard.status(), { rejected: { 'not-listed': 1 } })
})

t.test('a request that is judged before and behind its check is counted once, and reported', async (t) => {
  const { guard, lines } = guarding()
  for (const request of [requestFrom(LISTED), requestFrom(STRANGER)]) {
    for (let i = 0; i < 2; i++) guard.judge(request, '10.0.0.1')
    await guard.check(request, '10.0.0.1')
    guard.judge(request, '10.0.0.1')
  }
  t.match(guard.status(), { verified: 1, rejected: { 'not-listed': 1 } })
  t.equal(lines.length, 1)
})

t.test('a request that was rejected stays counted once, whatever it is judged by after that', async (t) => {
  const { guard } = guarding()
  const request = requestFrom(LISTED)
  t.match(guard.judge(request, '10.0.0.1', { channels: 'catalog' }), { reason: 'other-channel' })
  t.match(guard.judge(request, '10.0.0.1'), { verified: true })
  t.match(guard.judge(request, '10.0.0.1', { channels: 'catalog' }), { reason: 'other-channel' })
  t.match(guard.status(), { verified: 0, rejected: { 'other-channel': 1 } })
  const hidden = requestFrom('unknown')
  for (let i = 0; i < 2; i++) t.match(guard.judge(hidden, '10.0.0.1'), { reason: 'unresolved' })
  t.match(guard.status(), { rejected: { unresolved: 1 } })
})

t.test('a request that is rejected, verified and rejected again is counted and reported once', async (t) => {
  const verdicts: boolean[] = []
  const { guard, lines } = guarding({ mode: 'tag', onVerdict: ({ verified }) => void verdicts.push(verified) })
  const request = requestFrom(LISTED)
  for (const channels of ['catalog', 'streams', 'catalog'] as const)
    await guard.check(request, '10.0.0.1', { channels })
  t.match(guard.status(), { verified: 0, rejected: { 'other-channel': 1 } })
  t.match(guard.status().lastVerified, [{ channels: ['streams'] }], 'it was verified all the same')
  t.strictSame([verdicts, lines.length], [[false], 1])
})

t.test('whatever a request is judged by, it counts once in status, prefix hits and metrics', async (t) => {
  const [broad, strict] = [{}, { channels: 'catalog' }] as const
  const table: [what: string, policies: (typeof broad | typeof strict)[], verified: number, cacheHits: number][] = [
    ['verified', [broad], 1, 0],
    ['verified twice', [broad, broad], 1, 1],
    ['verified and rejected', [broad, strict], 0, 0],
    ['verified twice and rejected', [broad, broad, strict], 0, 1],
    ['rejected and verified', [strict, broad], 0, 0],
    ['rejected and verified twice', [strict, broad, broad], 0, 1],
    ['verified, rejected and verified', [broad, strict, broad], 0, 1]
  ]
  for (const way of ['judge', 'check'] as const) {
    for (const [what, policies, verified, hits] of table) {
      const carriesSecret = () => false
      const { guard } = guarding({ mode: 'tag', carriesSecret, expectSecret: true })
      const request = requestFrom(LISTED)
      for (const policy of policies) await guard[way](request, '10.0.0.1', policy)
      const status = guard.status()
      const metrics = guard.metrics()
      const found = [
        [status.verified, status.verifiedWithoutSecret, status.rejected['other-channel']],
        metrics.verdicts.map((counts) => counts.verified).reduce((sum, count) => sum + count),
        metrics.hits.find(({ prefix }) => prefix === `${LISTED}/32`)?.count,
        metrics.cache
      ]
      const expected = [[verified, verified, 1 - verified], verified, verified, { hits, misses: 1 }]
      t.strictSame(found, expected, `${way}: ${what}`)
    }
  }
})

t.test(
  'what is like a promise, and rejects by its own then, rejects the check and does not end the process',
  async (t) => {
    const { guard } = guarding({ onReject: () => failingThenable('own') as never })
    await t.rejects(guard.check(requestFrom(STRANGER), '10.0.0.1'), { message: 'own' })
  }
)

t.test('an onReject that answers as if all were well is a warning, once', async (t) => {
  const { guard, lines } = guarding({ onReject: () => new Response('no') })
  const warnings = () => lines.filter(({ moengage }) => moengage?.code === 'MOE_WARN_ANSWER_STATUS')
  for (let i = 0; i < 2; i++) {
    t.equal((await guard.check(requestFrom(STRANGER), '10.0.0.1')).response?.status, 200)
    t.match(warnings(), [{ msg: /^onReject: onReject answered a rejected request with the status 200, .*status: 403/ }])
    t.equal(warnings().length, 1)
  }
  await guard.check(requestFrom(STRANGER), '10.0.0.1', { onReject: () => new Response(null, { status: 302 }) })
  t.equal(warnings().length, 1)
})

t.test('an onReject that returns no Response is a warning, and the guard answers', async (t) => {
  const table: [returned: unknown, message: RegExp | null][] = [
    [{ status: 404 }, /^onReject: A value of type object is not a Response/],
    [{ status: '404', headers: new Headers() }, /A value of type object/],
    [{ statusCode: 404, body: 'no' }, /A value of type object/],
    [{ status: 404, headers: { 'x-own': '1' } }, /A value of type object/],
    [[new Response('no')], /An array/],
    ['no', /A value of type string/],
    [false, /A value of type boolean/],
    [null, /null is not/],
    [() => new Response('no'), /A value of type function/],
    [undefined, null]
  ]
  for (const [returned, message] of table) {
    const { guard, lines } = guarding({ onReject: () => returned as never, statusCode: 404 })
    for (let i = 0; i < 2; i++) {
      const { response, verdict } = await guard.check(requestFrom(STRANGER), '10.0.0.1')
      t.match([response?.status, await response?.json()], [404, { code: 'MOE_ERR_REJECTED' }])
      t.match(verdict, { reason: 'not-listed' })
    }
    const warnings = lines.filter(({ moengage }) => moengage?.code === 'MOE_WARN_NO_RESPONSE')
    t.match(warnings, message === null ? [] : [{ msg: message }])
    t.equal(warnings.length, message === null ? 0 : 1)
  }
})

t.test('a Response of another library is one by its status and headers', async (t) => {
  const own = { status: 404, ok: false, headers: new Headers(), body: null }
  const { guard, lines } = guarding({ onReject: () => own as unknown as Response })
  t.equal((await guard.check(requestFrom(STRANGER), '10.0.0.1')).response, own)
  t.equal(lines.length, 1, 'the rejection alone is logged')
})

t.test('a request whose sender hangs up while the first list is loading is judged by its peer', async (t) => {
  let arrive = () => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const source = { name: 'slow', load: () => arrived.then(() => snapshotOf({ 'DC-01 connector': [LISTED] })) }
  const { guard } = guarding({ source, clientIp: { trustedProxies: ['loopback'] } })
  const asked: Promise<unknown>[] = []
  const server = createServer((incoming, response) => {
    const request = requestFrom(LISTED)
    // Two at once count once.
    asked.push(guard.check(request, incoming), guard.check(request, incoming.socket))
    response.on('close', arrive)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const headers = { 'x-forwarded-for': LISTED }
  const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', headers })
  client.on('error', () => {})
  await until(() => asked.length === 2)
  client.destroy()
  const verified = { verdict: { verified: true, clientIp: LISTED, peer: '127.0.0.1' } }
  t.match(await Promise.all(asked), [verified, verified])
  t.match(guard.status(), { verified: 1, rejected: { unresolved: 0 } })
})

t.test('the advice for onReject, taken as it is written, answers with the status of a rejection', async (t) => {
  const error: unknown = t.throws(() => guarding({ onReject: 'no' as never }))
  const { fix } = (error as OptionsError).mistakes[0]!
  const onReject = runInThisContext(/^Write (.*)\.$/.exec(fix)![1]!)
  const { response } = await guarding({ onReject }).guard.check(requestFrom(STRANGER), '10.0.0.1')
  t.match([response?.status, await response?.text()], [403, 'no'])
})

t.test('promises inside of what onReject returns end no process', async (t) => {
  for (const [what, make] of HIDDEN_REJECTIONS) {
    const { guard } = guarding({ onReject: make as never })
    await guard.check(requestFrom(STRANGER), '10.0.0.1').catch(() => {})
    await untilRejected()
    t.equal(guard.status().turnedAway, 1, what)
  }
})

t.test('a list that cannot be loaded answers 503', async (t) => {
  const { guard } = guarding({ source: { name: 'gone', load: () => Promise.reject(new Error('ENOENT')) } })
  const { response, verdict } = await guard.check(requestFrom(LISTED), '10.0.0.1')
  t.equal(verdict, null)
  t.equal(response?.status, 503)
  t.match(await response?.json(), { code: 'MOE_ERR_NOT_READY', error: 'Service Unavailable' })
  t.throws(() => guard.judge(requestFrom(LISTED), '10.0.0.1'), { code: 'MOE_ERR_NOT_READY' })
})

t.test('the core reads the headers of a Fetch request', async (t) => {
  const resolve = createClientIpResolver({ trustedProxies: ['10.0.0.0/8'] })
  t.strictSame(resolve('10.0.0.1', requestFrom('6.6.6.6', LISTED).headers), { clientIp: LISTED })
  t.strictSame(resolve('10.0.0.1', requestFrom('unknown').headers), { clientIp: null, reason: 'hidden-client' })
  t.strictSame(resolve('10.0.0.1', new Headers()), { clientIp: '10.0.0.1' })
  for (const header of ['get', 'constructor', 'x-real-ip']) {
    const single = createClientIpResolver({ trustedProxies: ['10.0.0.0/8'], header, requireHeader: true })
    t.strictSame(single('10.0.0.1', new Headers({ [header]: LISTED })), { clientIp: LISTED }, header)
    t.strictSame(single('10.0.0.1', new Headers()), { clientIp: null, reason: 'header-missing' }, header)
    t.strictSame(single('10.0.0.1', {}), { clientIp: null, reason: 'header-missing' }, header)
    t.strictSame(single('10.0.0.1', { [header]: LISTED }), { clientIp: LISTED }, header)
  }
  const guard = createGuard({ dataCenters: 'DC-01' })
  t.match(guard.judge({ peer: '10.0.0.1', headers: requestFrom(LISTED).headers }), { reason: 'proxy-not-configured' })
})
