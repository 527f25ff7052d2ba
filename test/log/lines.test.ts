import { mock } from 'node:test'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { createGuard, type RejectedVerdict } from '../../src/core.js'
import guardFetch from '../../src/fetch.js'
import moengageAllowlist, { type MoEngageAllowlistOptions, type Verdict } from '../../src/index.js'
import { rejectionLine, reloadLine } from '../../src/log/lines.js'
import { LISTED, LISTED_IN, STRANGER } from '../support/addresses.js'
import { guarded } from '../support/guarded.js'
import { logging } from '../support/http.js'
import { lineLogger } from '../support/logger.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

// biome-ignore lint/suspicious/noExplicitAny: lines are what they are
type Line = any

/** A guarded app whose clock stands still until `pass` is called. */
async function standing(t: Test, options: Partial<MoEngageAllowlistOptions> = {}, fastify: object = {}) {
  mock.timers.reset()
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.UTC(2026, 10, 23) })
  t.teardown(() => mock.timers.reset())
  const { app, lines } = await guarded(
    options,
    (app) => {
      app.all('/hooks/:id', async () => 'ok')
      app.get('/catalog', { config: { moengage: { channels: 'catalog', mode: 'tag' } } }, async () => 'ok')
      app.get('/quiet', { logLevel: 'error' }, async () => 'ok')
      app.get('/loud', { logLevel: 'info' }, async () => 'ok')
    },
    fastify
  )
  const send = (clientIp: string, url = '/hooks/1', headers: Record<string, string> = {}) =>
    app.inject({ url, headers: { 'x-forwarded-for': clientIp, ...headers } })
  const events = (event: string): Line[] =>
    (lines as Line[]).filter(({ moengage }) => moengage?.event === `moengage.${event}`)
  /** How many rejections all lines count together. */
  const counted = () => {
    const lines = events('rejected').map(({ moengage }) => 1 + moengage.suppressed)
    const summaries = events('summary').flatMap(({ moengage: { suppressed } }) =>
      [suppressed.reject, suppressed.tag].flatMap((counts) => Object.values(counts) as number[])
    )
    return [...lines, ...summaries].reduce((sum, count) => sum + count, 0)
  }
  return { app, lines, send, events, counted, pass: (ms: number) => mock.timers.tick(ms) }
}

t.test('a line has a stable set of fields', async (t) => {
  const { send, events } = await standing(t)
  await send(LISTED_IN['DC-03'], '/hooks/4711?x=1')
  const [line] = events('rejected')
  t.equal(line.msg, `${LISTED_IN['DC-03']} rejected: other-data-center`)
  const { hint, revision, listedFor, ...rest } = line.moengage
  t.match(hint, /DC-03/)
  t.match(revision, /^[0-9a-f]{12}$/)
  t.match(listedFor, [{ dataCenter: 'DC-03', channels: ['connector', 'sms'] }])
  t.strictSame(rest, {
    event: 'moengage.rejected',
    mode: 'reject',
    reason: 'other-data-center',
    clientIp: LISTED_IN['DC-03'],
    peer: '127.0.0.1',
    header: 'x-forwarded-for',
    removed: null,
    policy: { dataCenters: ['DC-01'], channels: 'all' },
    route: '/hooks/:id',
    method: 'GET',
    requestId: 'req-1',
    carriesSecret: null,
    paste: null,
    isOwn: false,
    suppressed: 0
  })
  await send(LISTED, '/catalog')
  t.match(events('rejected')[1], {
    msg: `${LISTED} would be rejected: other-channel`,
    moengage: { mode: 'tag', route: '/catalog', policy: { channels: ['catalog'] } }
  })
  await send(STRANGER, '/nowhere')
  t.match(events('rejected')[2], { moengage: { route: null, listedFor: [] } })
})

t.test('a sender that calls again and again gets few lines, and every rejection is counted', async (t) => {
  const { app, send, events, counted, pass } = await standing(t)
  for (let minute = 0; minute < 120; minute++) {
    for (let i = 0; i < 5; i++) await send(STRANGER)
    pass(MINUTE)
  }
  t.strictSame(
    events('rejected').map(({ moengage }) => moengage.suppressed),
    [0, 4, 9, 19, 39, 79, 159]
  )
  t.match(app.moengage!.senders(), [{ clientIp: STRANGER, count: 600 }])
  await app.close()
  t.equal(counted(), 600)
})

t.test('a flood gets the lines of the bucket, a summary, and does not drown what MoEngage publishes', async (t) => {
  const { app, send, events, counted, pass } = await standing(t, { log: { linesPerSecond: 2 } })
  for (let i = 0; i < 500; i++) await send(`198.51.${i >> 8}.${i & 255}`)
  t.equal(events('rejected').length, 20)
  await send(LISTED_IN['DC-03'])
  t.match(events('rejected')[20], { moengage: { clientIp: LISTED_IN['DC-03'] } })
  for (let i = 0; i < 3; i++) await send('198.51.0.1')
  pass(MINUTE)
  const [summary] = events('summary')
  t.equal(summary.level, 40)
  t.match(
    summary.msg,
    /^504 rejections, 0 requests verified, 483 lines left out: 3\.6\.251\.95 \(1 rejection\) is MoEngage DC-03/
  )
  t.match(summary.moengage, {
    suppressed: { reject: { 'not-listed': 483 }, tag: {} },
    suppressedOf: [],
    verified: 0,
    rejected: { 'not-listed': 503, 'other-data-center': 1 },
    senders: 501,
    top: [{ clientIp: '198.51.0.1', count: 4, reasons: { 'not-listed': 4 }, listedFor: [] }],
    diagnosis: [/is MoEngage DC-03/, /^No request was ever verified/],
    revision: /^f7b/
  })
  t.equal(summary.moengage.top.length, 5)
  pass(30 * MINUTE)
  t.equal(events('summary').length, 1, 'nothing was left out since')
  await app.close()
  t.equal(counted(), 504)
})

t.test('a summary counts apart what allow alone verified, since the summary before', async (t) => {
  const { app, send, events, pass } = await standing(t, { allow: ['9.9.9.9'] })
  const ofSummaries = () => events('summary').map(({ moengage }) => [moengage.verified, moengage.verifiedByAllow])
  for (const clientIp of ['9.9.9.9', '9.9.9.9', LISTED]) await send(clientIp)
  pass(HOUR)
  for (const clientIp of ['9.9.9.9', LISTED]) await send(clientIp)
  await app.close()
  t.strictSame(ofSummaries(), [
    [3, 2],
    [2, 1]
  ])
})

t.test('a summary says since when it counts, also where one before it was lost', async (t) => {
  const start = Date.UTC(2026, 10, 23)
  mock.timers.reset()
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: start })
  t.teardown(() => mock.timers.reset())
  const lines: Line[] = []
  const logger = lineLogger(lines)
  let fail: ((error: Error) => void) | undefined
  let isLost = false
  const guard = guardFetch({
    dataCenters: 'DC-01',
    logger: {
      ...logger,
      info: (...line: Parameters<typeof logger.info>) => {
        if (isLost) return new Promise((_, reject) => (fail = reject))
        logger.info(...line)
      }
    }
  })
  const pass = () => {
    guard.judge(new Request('http://localhost/'), LISTED)
    mock.timers.tick(HOUR)
  }
  mock.timers.tick(3 * HOUR)
  pass()
  pass()
  isLost = true
  pass()
  isLost = false
  pass()
  fail!(new Error('full'))
  await new Promise(setImmediate)
  pass()
  guard.close()
  t.strictSame(
    lines.map(({ moengage: { since, verified } }) => [(Date.parse(since) - start) / HOUR, verified]),
    [
      [0, 1],
      [4, 1],
      [6, 1],
      [5, 2]
    ]
  )
})

t.test('a request that is rejected after a summary counted it as verified is one less in the next', async (t) => {
  mock.timers.reset()
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.UTC(2026, 10, 23) })
  t.teardown(() => mock.timers.reset())
  const lines: Line[] = []
  const logger = lineLogger(lines)
  const guard = guardFetch({ dataCenters: 'DC-01', carriesSecret: () => false, expectSecret: true, logger })
  const judge = (request: Request, policy = {}) => guard.judge(request, LISTED, policy)
  const summaryOf = (requests: () => void) => {
    requests()
    mock.timers.tick(HOUR)
    const { verified, verifiedWithoutSecret, rejected } = lines.at(-1).moengage
    return [verified, verifiedWithoutSecret, rejected]
  }
  const request = new Request('http://localhost/')
  t.strictSame(
    summaryOf(() => judge(request)),
    [1, 1, {}]
  )
  t.strictSame(
    summaryOf(() => judge(request, { channels: 'catalog' })),
    [0, 0, { 'other-channel': 1 }]
  )
  const others = [1, 2, 3].map(() => new Request('http://localhost/'))
  t.strictSame(
    summaryOf(() => others.forEach((other) => void judge(other))),
    [2, 2, {}]
  )
  guard.close()
})

t.test('a summary names those of the senders with a line that did not come again', async (t) => {
  const { app, send, events, pass } = await standing(t)
  for (let i = 0; i < 3; i++) await send(STRANGER)
  for (let i = 0; i < 5; i++) await send(LISTED, '/catalog')
  for (let i = 0; i < 2; i++) await send('unknown')
  pass(2 * MINUTE)
  t.match(events('summary')[0]?.moengage, {
    suppressed: { reject: { 'not-listed': 2, unresolved: 1 }, tag: { 'other-channel': 4 } },
    suppressedOf: [
      { clientIp: LISTED, mode: 'tag', reason: 'other-channel', count: 4 },
      { clientIp: STRANGER, mode: 'reject', reason: 'not-listed', count: 2 }
    ]
  })
  t.equal(events('summary')[0]?.moengage.suppressedOf.length, 2, 'without a client IP there is no sender')
  await app.close()
})

t.test('every hour, and at the end, a summary counts the verified requests', async (t) => {
  const { app, send, events, pass } = await standing(t)
  pass(3 * HOUR)
  t.strictSame(events('summary'), [], 'there was no request')
  for (let i = 0; i < 3; i++) await send(LISTED)
  pass(HOUR)
  t.match(events('summary'), [{ level: 30, msg: '0 rejections, 3 requests verified, 0 lines left out' }])
  await send(LISTED)
  pass(MINUTE)
  t.equal(events('summary').length, 1)
  await app.close()
  t.match(events('summary')[1], { level: 30, moengage: { verified: 1, rejected: {}, diagnosis: [] } })
  pass(3 * HOUR)
  t.equal(events('summary').length, 2, 'the timer has ended')
})

t.test('a clock that is set back does not silence the hourly summary', async (t) => {
  const { app, send, events, pass } = await standing(t)
  await send(LISTED)
  t.intercept(Date, 'now', { value: () => Date.UTC(2020, 0, 1) })
  pass(MINUTE)
  t.match(events('summary'), [{ moengage: { verified: 1 } }])
  await app.close()
})

t.test('where the level is off nothing is written, and everything counted', async (t) => {
  for (const [logLevel, level] of [
    ['silent', 'info'],
    ['info', 'warn']
  ] as const) {
    const { app, lines } = logging()
    app.log.level = level
    await app.register(moengageAllowlist, { dataCenters: 'DC-01', logLevel })
    app.get('/', async () => 'ok')
    for (let i = 0; i < 3; i++) await app.inject({ url: '/' })
    await app.close()
    t.strictSame(
      (lines as Line[]).filter(({ moengage }) => moengage !== undefined),
      [],
      logLevel
    )
    t.match(app.moengage!.status(), { rejected: { 'not-listed': 3 } })
    t.match(app.moengage!.senders(), [{ clientIp: '127.0.0.1', count: 3, routes: ['/'] }])
  }
})

t.test("where requests' loggers write more than the guard's, they write its summaries", async (t) => {
  for (const level of ['error', 'warn'] as const) {
    const { app, send, events, counted, pass } = await standing(t)
    app.log.level = level
    for (let i = 0; i < 5; i++) await send(STRANGER, '/loud')
    pass(5 * MINUTE)
    t.equal(counted(), 5, level)
    await send(LISTED_IN['DC-03'], '/loud')
    for (let i = 0; i < 3; i++) await send(LISTED_IN['DC-03'], '/quiet')
    pass(MINUTE)
    await send(LISTED, '/loud')
    await app.close()
    t.equal(counted(), 9, level)
    t.strictSame(
      events('summary').map(({ level }) => level),
      [40, 40, 30],
      level
    )
  }
  const silent = await standing(t)
  silent.app.log.level = 'error'
  for (let i = 0; i < 5; i++) await silent.send(STRANGER)
  await silent.app.close()
  t.strictSame([silent.events('summary'), silent.events('rejected')], [[], []], 'what nobody asked for is not written')
})

t.test('a rejection whose line is switched off for its route is counted in the summary', async (t) => {
  const { app, send, events, counted, pass } = await standing(t, { mode: 'tag' })
  for (let i = 0; i < 15; i++) await send(LISTED_IN['DC-03'], '/quiet')
  for (let i = 0; i < 3; i++) await send(STRANGER)
  t.match(events('rejected'), [{ moengage: { route: '/hooks/:id' } }])
  t.equal(events('rejected').length, 1)
  pass(MINUTE)
  t.match(events('summary'), [{ level: 40, moengage: { suppressed: { tag: { 'other-data-center': 15 } } } }])
  t.strictSame(events('summary')[0]?.moengage.suppressedOf, [], 'whose sender had no line')
  await app.close()
  t.equal(counted(), 18)
})

t.test('a misconfiguration is logged by the first request whose logger takes it', async (t) => {
  const { app, events } = await standing(t)
  app.log.level = 'fatal'
  const proxied = { remoteAddress: '10.11.12.13', headers: { 'x-forwarded-for': LISTED } }
  await app.inject({ url: '/hooks/1', ...proxied })
  t.equal(events('diagnosis').length, 0)
  await app.inject({ url: '/quiet', ...proxied })
  await app.inject({ url: '/quiet', ...proxied })
  t.match(events('diagnosis'), [{ level: 50, moengage: { reason: 'proxy-not-configured' } }])
  t.equal(events('diagnosis').length, 1)
  await app.close()
})

t.test('where the level of rejections is off, the hourly summary counts them at level info', async (t) => {
  const { app, send, events, counted, pass } = await standing(t, { logLevel: 'debug' })
  app.log.level = 'info'
  for (let i = 0; i < 3; i++) await send(STRANGER)
  pass(30 * MINUTE)
  t.equal(events('summary').length, 0)
  pass(30 * MINUTE)
  t.match(events('summary'), [
    { level: 30, moengage: { suppressed: { reject: { 'not-listed': 3 } }, rejected: { 'not-listed': 3 } } }
  ])
  app.log.level = 'error'
  await send(STRANGER)
  await send(LISTED)
  pass(2 * HOUR)
  t.equal(events('summary').length, 1, 'neither level is on')
  app.log.level = 'info'
  await app.close()
  t.match(events('summary')[1], { moengage: { verified: 1, rejected: { 'not-listed': 1 } } })
  t.equal(counted(), 4)
})

t.test('a summary without rejections waits as long as level info is off', async (t) => {
  const { app, send, events, pass } = await standing(t)
  app.log.level = 'warn'
  await send(LISTED)
  pass(2 * HOUR)
  t.equal(events('summary').length, 0)
  app.log.level = 'info'
  pass(MINUTE)
  t.match(events('summary'), [{ level: 30, moengage: { verified: 1, rejected: {} } }])
  await app.close()
  t.equal(events('summary').length, 1)
})

t.test('text of a client is bounded and cannot break a line', async (t) => {
  const { send, events, app } = await standing(t, {}, { requestIdHeader: 'x-request-id' })
  const id = `${'a'.repeat(300)}`
  await send(STRANGER, '/hooks/1', { 'x-request-id': id })
  t.equal(events('rejected')[0]?.moengage.requestId, `${'a'.repeat(63)}…`)
  const cased = await standing(t, {}, { genReqId: () => 'a\n\u001b[31m\u2028b\u202e' })
  await cased.send(STRANGER)
  t.equal(cased.events('rejected')[0]?.moengage.requestId, 'a  [31m b ')
  await app.close()
})

t.test('a request id may be anything that the user makes of it, and a rejection stays one', async (t) => {
  for (const [id, logged] of [
    [4711, '4711'],
    [{ id: 1 }, null],
    [undefined, null]
  ]) {
    const { app, send, events } = await standing(t, {}, { genReqId: () => id })
    t.equal((await send(STRANGER)).statusCode, 403)
    t.equal((await send(STRANGER, '/catalog')).statusCode, 200, 'let through with its tag')
    t.equal(events('rejected')[0]?.moengage.requestId, logged)
    await app.close()
  }
})

t.test('what a framework does not know is null', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', channels: 'streams' })
  const verdict = guard.judge({ peer: null, headers: {} }) as RejectedVerdict
  const request = { pattern: null, method: 'GET', requestId: null }
  const line = rejectionLine(guard, { verdict, mode: 'reject', policy: undefined, request, suppressed: 0 })
  t.match(line, { clientIp: null, peer: null, header: null, route: null, requestId: null, listedFor: [] })
  t.strictSame(line.policy, { dataCenters: ['DC-01'], channels: ['streams'] })
})

t.test('a reload has one line, whatever its outcome', async (t) => {
  const { provenance, ...status } = createGuard({ dataCenters: 'DC-01' }).status()
  const removal = {
    prefix: '9.9.9.9/32',
    dataCenter: 'DC-01',
    channel: 'sms',
    until: '2026-12-01T00:00:00.000Z'
  } as const
  const reloaded = { ...status, provenance: { ...provenance, retrieved: '2026-11-20' }, revision: 'r2', entries: 5 }
  t.match(reloadLine(null, reloaded), {
    level: 'info',
    message: 'The list in use is revision r2 of 2026-11-20, with 5 entries.',
    fields: { moengage: { revision: 'r2', retrieved: '2026-11-20', entries: 5, pendingRemovals: 0 } }
  })
  t.match(reloadLine(null, { ...reloaded, pendingRemovals: [removal] }), {
    message:
      'The list in use is revision r2 of 2026-11-20, with 5 entries, and 1 removed for which the grace period runs.'
  })
  const error = Object.assign(new Error('source: It failed:\n  - once\n  - twice'), { code: 'MOE_ERR_SOURCE' })
  t.match(reloadLine(error, reloaded), {
    level: 'error',
    message: 'The list in use stays, revision r2 of 2026-11-20. It failed: - once - twice',
    fields: { moengage: { code: 'MOE_ERR_SOURCE', revision: 'r2' } }
  })
})

t.test('addresses are redacted wherever they leave the guard', async (t) => {
  const seen: Verdict[] = []
  const { app, lines, send, events } = await standing(t, {
    redactAddress: 'truncate',
    clientIp: { trustedProxies: ['127.0.0.1'] },
    onVerdict: (verdict) => void seen.push(verdict)
  })
  await send(STRANGER)
  await send(STRANGER)
  await app.inject({ url: '/hooks/1', remoteAddress: '10.11.12.13', headers: { 'x-forwarded-for': LISTED } })
  await send('unknown')
  await app.close()
  t.match(events('rejected')[0], {
    msg: '198.51.100.0/24 rejected: not-listed',
    moengage: { clientIp: '198.51.100.0/24', peer: '127.0.0.0/24' }
  })
  t.match(events('rejected')[1]?.moengage.hint, /^10\.11\.12\.0\/24 is an internal address/)
  t.match(events('diagnosis')[0]?.msg, /^proxy-not-configured: 10\.11\.12\.0\/24 is/)
  t.match(events('summary')[0]?.moengage.suppressedOf, [{ clientIp: '198.51.100.0/24', count: 1 }])
  const own = (lines as Line[]).filter(({ moengage }) => moengage !== undefined)
  t.notMatch(JSON.stringify(own), /198\.51\.100\.7|10\.11\.12\.13|127\.0\.0\.1/)
  t.match(seen[0], { clientIp: STRANGER }, 'your own function gets the address')
})

t.test(
  'onVerdict is called with every verdict, and an error that it throws is logged once and changes nothing',
  async (t) => {
    const seen: [boolean, string][] = []
    const { send } = await standing(t, { onVerdict: (verdict, request) => seen.push([verdict.verified, request.url]) })
    await send(LISTED)
    await send(STRANGER, '/hooks/2')
    t.strictSame(seen, [
      [true, '/hooks/1'],
      [false, '/hooks/2']
    ])
    const throwing = () => {
      throw new Error('own')
    }
    const failing: NonNullable<MoEngageAllowlistOptions['onVerdict']>[] = [throwing, async () => throwing()]
    for (const onVerdict of failing) {
      const { send, lines, app } = await standing(t, { onVerdict })
      t.equal((await send(LISTED)).statusCode, 200)
      t.equal((await send(STRANGER)).statusCode, 403)
      await app.close()
      t.match(
        lines.filter(({ level }) => level === 50),
        [{ msg: /^onVerdict failed/, err: { message: 'own' } }]
      )
      t.equal(lines.filter(({ level }) => level === 50).length, 1)
    }
  }
)

t.test('a logger that knows no levels is written to, and options are checked', async (t) => {
  const written: string[] = []
  const write = (_: object, message: string) => void written.push(message)
  const logger = {
    level: 'info',
    fatal: write,
    error: write,
    warn: write,
    info: write,
    debug: write,
    trace: write,
    silent: write
  }
  const loggerInstance = { ...logger, child: () => loggerInstance } as Line
  const app = Fastify({ loggerInstance })
  await app.register(moengageAllowlist, { dataCenters: 'DC-01' })
  app.get('/', async () => 'ok')
  await app.inject('/')
  t.ok(written.includes('127.0.0.1 rejected: not-listed'))
  const wrong = Fastify()
  wrong.register(moengageAllowlist, { dataCenters: 'DC-01', log: { linesPerSecond: 0 }, onVerdict: 'x' as never })
  await t.rejects(async () => wrong.ready(), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: 'log.linesPerSecond' }, { path: 'onVerdict' }]
  })
})
