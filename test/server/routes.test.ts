import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import t from 'tap'
import { createGuard, loadGuard, type OptionsError, type Verdict } from '../../src/core.js'
import guardExpress from '../../src/express.js'
import guardFetch from '../../src/fetch.js'
import guardNode from '../../src/http.js'
import guardFastify from '../../src/index.js'
import guardLambda from '../../src/lambda.js'
import { redisFleet } from '../../src/redis.js'
import statusPage from '../../src/status-page.js'
import guardWorkers from '../../src/workers.js'
import { untilRejected } from '../support/failures.js'
import { lineLogger } from '../support/logger.js'

const base = { dataCenters: 'DC-01' } as const
const MOENGAGE = '52.6.248.125'
const logger = lineLogger([])

/** The mistakes of the options of a route, as each door reads them. */
const ROUTES: Record<string, (options: never) => unknown> = {
  async Fastify(moengage) {
    const app = Fastify()
    await app.register(guardFastify, base)
    app.get('/', { config: { moengage } }, async () => 'ok')
    await app.ready()
  },
  async verifyMoEngage(options) {
    const app = Fastify()
    await app.register(guardFastify, base)
    app.verifyMoEngage(options)
  },
  Express: async (options) => guardExpress(base).route(options),
  'node:http': async (options) => guardNode(base).listener(() => {}, options),
  Lambda: async (options) => guardLambda(base).handler(async () => ({}), options),
  Fetch: async (options) => guardFetch(base).check(new Request('http://localhost/'), '127.0.0.1', options)
}

const EXAMPLE =
  /^Write \{ channels: 'streams' \}, or another object with dataCenters, channels, mode, statusCode or onReject\.$/

for (const [door, route] of Object.entries(ROUTES)) {
  const mistakesOf = async (options: unknown) => {
    try {
      await route(options as never)
      return []
    } catch (error) {
      t.match(error, { code: 'MOE_ERR_OPTIONS', name: 'OptionsError' }, `${error}`)
      return (error as OptionsError).mistakes
    }
  }

  t.test(`${door}: a wrong option of a route says what to write, or where it belongs`, async (t) => {
    const table: [options: object, path: string, code: string, fix: RegExp][] = [
      [{ mode: 'tags' }, 'mode', 'MOE_ERR_OPTION_VALUE', /^Use one of: reject, tag\.$/],
      [{ statusCode: 204 }, 'statusCode', 'MOE_ERR_OPTION_VALUE', /^Write 403,/],
      [{ onReject: 5 }, 'onReject', 'MOE_ERR_OPTION_VALUE', /^Write /],
      [{ channels: 'segmentsync' }, 'channels', 'MOE_ERR_CHANNEL', /"segment-sync"/],
      [{ dataCenters: null }, 'dataCenters', 'MOE_ERR_OPTION_VALUE', /^Write 'DC-01', or leave it out\.$/],
      [{ channels: null }, 'channels', 'MOE_ERR_OPTION_VALUE', /^Write 'all', or leave it out\.$/],
      [{ channel: 'streams' }, 'channel', 'MOE_ERR_UNKNOWN_OPTION', /"channels"/],
      [
        { clientIp: {} },
        'clientIp',
        'MOE_ERR_UNKNOWN_OPTION',
        /^Move it to the options of the guard: it applies to all/
      ],
      [{ trustedProxies: [] }, 'trustedProxies', 'MOE_ERR_UNKNOWN_OPTION', /options of the guard, into clientIp/],
      [{ allow: ['9.9.9.9'] }, 'allow', 'MOE_ERR_UNKNOWN_OPTION', /^Move it/],
      [{ onVerdict: () => {} }, 'onVerdict', 'MOE_ERR_UNKNOWN_OPTION', /^Move it/],
      [{ methods: ['POST'] }, 'methods', 'MOE_ERR_UNKNOWN_OPTION', /^Use one of: dataCenters, channels, mode,/]
    ]
    for (const [options, path, code, fix] of table) {
      const found = await mistakesOf(options)
      t.match(found, [{ path: RegExp(`(^|\\W)${path}$`), code, fix }], JSON.stringify(options))
      t.equal(found.length, 1)
    }
    const noObjects: [options: unknown, fix: RegExp][] = [
      [true, /^Leave it out: the route is guarded without it\.$/],
      [null, /^Leave it out: the route has the options of the guard then\.$/],
      ['streams', /^Write \{ channels: 'streams' \}\.$/],
      ['Outbound Segment Sync', /^Write \{ channels: 'segment-sync' \}\.$/],
      [['streams', 'sms'], /^Write \{ channels: \['streams', 'sms'\] \}\.$/],
      ['dc-03', /^Write \{ dataCenters: 'DC-03' \}\.$/],
      [['DC-01', 'DC-03'], /^Write \{ dataCenters: \['DC-01', 'DC-03'\] \}\.$/],
      ['tag', /^Write \{ mode: 'tag' \}\.$/],
      ['reject', /^Write \{ mode: 'reject' \}\.$/],
      // Nothing in them says what was meant, and no example may open the route.
      ['', EXAMPLE],
      ['off', EXAMPLE],
      [5, EXAMPLE],
      [[], EXAMPLE],
      [['streams', 'off'], EXAMPLE],
      [['DC-01', 'streams'], EXAMPLE],
      [Array(11).fill('streams'), EXAMPLE]
    ]
    for (const [options, fix] of noObjects) {
      const expected = [{ code: 'MOE_ERR_OPTION_VALUE', message: /is not an object with options of a route\.$/, fix }]
      t.match(await mistakesOf(options), expected, JSON.stringify(options))
    }
    t.match(await mistakesOf(Promise.resolve({})), [
      { message: /^A promise was passed instead of options\.$/, fix: /^Await it/ }
    ])
  })

  t.test(`${door}: what somebody added to all objects is not an option`, async (t) => {
    const all = Object.prototype as { onReject?: string; statusCode?: number }
    Object.assign(all, { onReject: 'never', statusCode: 200 })
    try {
      t.strictSame(await mistakesOf({ channels: 'streams' }), [])
    } finally {
      delete all.onReject
      delete all.statusCode
    }
  })
}

t.test(
  'options of a route that stand where Fastify ignores them are refused, with the place and what to write',
  async (t) => {
    const narrow = { channels: 'catalog' }
    const table: [route: object, paths: string[]][] = [
      [{ config: { moEngage: narrow } }, ['POST /x config.moEngage']],
      [{ config: { MoEngage: narrow } }, ['POST /x config.MoEngage']],
      [{ config: { MOENGAGE: 'catalog', moengage: narrow } }, ['POST /x config.MOENGAGE']],
      [{ config: { moEngage: false } }, ['POST /x config.moEngage']],
      [{ moengage: narrow }, ['POST /x moengage']],
      [{ moEngage: narrow, config: {} }, ['POST /x moEngage']],
      [{ moengage: false, config: { moEngage: narrow } }, ['POST /x config.moEngage', 'POST /x moengage']],
      [{ config: { moEngage: undefined, other: narrow }, moengage: undefined }, []],
      [{ config: Object.create({ moEngage: narrow }) }, []]
    ]
    for (const [route, paths] of table) {
      for (const isEarly of [false, true]) {
        const app = Fastify()
        const isLoaded = app.register(guardFastify, base)
        if (!isEarly) await isLoaded
        app.route({ method: 'POST', url: '/x', handler: async () => 'ok', ...route })
        const expected = paths.map((path) => ({
          code: 'MOE_ERR_UNKNOWN_OPTION',
          path,
          message: 'Options of the guard have no effect at this place.',
          fix: 'Write config: { moengage: … }, with the same value.'
        }))
        const { mistakes = [] } = (await app.ready().then(
          () => ({}),
          (error) => error
        )) as Partial<OptionsError>
        t.match(mistakes, expected, JSON.stringify(route))
        t.equal(mistakes.length, paths.length, 'each once')
      }
    }
    const app = Fastify()
    await app.register(guardFastify, base)
    app.get('/get', { config: { moEngage: narrow } } as object, async () => 'ok')
    const error = (await Promise.resolve(app.ready()).catch((error: unknown) => error)) as OptionsError
    t.match(error.mistakes, [{ path: 'GET /get config.moEngage', value: '{ channels }' }])
    t.equal(error.mistakes.length, 1, 'its HEAD route is not named as well')
    const promised = Fastify()
    await promised.register(guardFastify, base)
    promised.post('/later', { config: { moEngage: Promise.reject(new Error('own')) } } as object, async () => 'ok')
    const refused = (await Promise.resolve(promised.ready()).catch((error: unknown) => error)) as OptionsError
    t.match(refused.mistakes, [{ path: 'POST /later config.moEngage', fix: 'Await it before you pass it.' }])
    await new Promise((resolve) => setImmediate(resolve))
  }
)

t.test('a route that is open to everybody is not written as false where there is no such option', async (t) => {
  const fix = /^Leave it out\. A route that is to be open to everybody has no guard in front of it\.$/
  for (const door of ['verifyMoEngage', 'Express', 'node:http', 'Lambda', 'Fetch']) {
    await t.rejects(
      ROUTES[door]!(false as never) as Promise<unknown>,
      { code: 'MOE_ERR_OPTIONS', mistakes: [{ fix }] },
      door
    )
  }
})

t.test('a method of a route that a framework calls itself says that it is to be called', async (t) => {
  const app = Fastify()
  await app.register(guardFastify, base)
  app.get('/', { config: { moengage: false }, preHandler: app.verifyMoEngage as never }, async () => 'ok')
  const expected = /was passed instead of options\. A framework called this method with its request: call it yourself/
  const response = await app.inject('/')
  t.equal(response.statusCode, 500)
  t.match(response.json(), { message: expected })
  const guard = guardExpress({ ...base, logger })
  t.throws(() => guard.route(new IncomingMessage(new Socket()) as never), { message: expected })
})

t.test('a door that is passed on instead of being called says so in one sentence', async (t) => {
  const request = new IncomingMessage(new Socket())
  for (const door of [guardExpress, guardNode, guardFetch]) {
    try {
      door(request as never)
      t.fail('it was accepted')
    } catch (error) {
      const { message, mistakes, value } = error as OptionsError
      t.equal(mistakes.length, 1)
      t.match(
        message,
        /class IncomingMessage was passed instead of options\. Write moengageAllowlist\(\{ dataCenters: 'DC-01' \}\)/
      )
      t.ok(message.length < 400 && JSON.stringify(value).length < 100, 'nothing of the request is in it')
    }
  }
})

t.test('a door that is passed to Fastify names the import that Fastify takes', async (t) => {
  const expected = {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [
      {
        path: '',
        message: 'A Fastify instance was passed instead of options.',
        fix: `In Fastify, import moengage-allowlist: await app.register(moengageAllowlist, { dataCenters: 'DC-01' }).`
      }
    ]
  }
  // What Fastify calls a plugin with. An error that a plugin throws at once ends the process, whatever the caller of `register` catches.
  for (const door of [guardExpress, guardNode, guardFetch, guardWorkers, guardLambda, createGuard] as const) {
    t.throws(() => (door as (app: unknown, options: unknown) => unknown)(Fastify(), base), expected)
  }
  const error: unknown = await loadGuard(Fastify() as never).catch((error) => error)
  t.match(error, expected)
})

t.test(
  'a middleware or a listener that is added to Fastify as a hook lets nobody through, and names the import',
  async (t) => {
    const silent = { ...base, logger: lineLogger([]) }
    const hooks: [door: string, hook: (...args: never[]) => unknown][] = [
      ['Express', guardExpress(silent)],
      ['a route of Express', guardExpress(silent).route({})],
      ['node:http', guardNode(silent).listener(() => {})]
    ]
    for (const [door, hook] of hooks) {
      for (const remoteAddress of ['52.6.248.125', '198.51.100.7']) {
        const app = Fastify()
        app.addHook('onRequest', hook as never)
        app.get('/', async () => 'ok')
        const response = await app.inject({ url: '/', remoteAddress })
        t.equal(response.statusCode, 500, `${door}, ${remoteAddress}`)
        t.match(
          response.json(),
          { message: /added to Fastify as a hook.*await app\.register\(moengageAllowlist/ },
          door
        )
      }
    }
  }
)

t.test('the plugin of Fastify that is called elsewhere names the imports for there', async (t) => {
  const plugin = guardFastify as unknown as (...args: unknown[]) => never
  const request = new IncomingMessage(new Socket())
  const table: [args: unknown[], passed: RegExp][] = [
    [[base], /^\{ dataCenters \} was passed instead of a Fastify instance/],
    [[express(), base], /^a function was passed/],
    [[request, {}, () => {}], /^an object of the class IncomingMessage was passed/],
    [[], /^undefined was passed/],
    [[null, base], /^null was passed/]
  ]
  for (const [args, passed] of table) {
    // At once: nobody waits for a promise here.
    t.throws(() => plugin(...args), {
      code: 'MOE_ERR_OPTIONS',
      mistakes: [{ message: passed, fix: /moengage-allowlist\/express;.*moengage-allowlist\/http;.*app\.register\(/ }]
    })
  }
})

t.test('options of Fastify itself say where they belong', async (t) => {
  for (const [option, fix] of [
    ['logger', /Fastify\(\{ loggerInstance: pino\(\) \}\)/],
    ['prefix', /app\.register\(scope, \{ prefix \}\)/],
    ['trustProxy', /clientIp: \{ trustedProxies: /]
  ] as const) {
    const app = Fastify()
    const error = await app.register(guardFastify, { ...base, [option]: true } as never).then(
      () => undefined,
      (error: OptionsError) => error
    )
    t.match(error?.mistakes, [{ path: option, fix }])
  }
})

const given = { peer: MOENGAGE, headers: {} }

/** The verdict on a request from an address of the list, by a policy of its own. */
const JUDGES: Record<string, (policy: never) => Verdict | Promise<Verdict>> = {
  core: (policy) => createGuard(base).judge(given, policy),
  'explain of core': (policy) => createGuard(base).explain(MOENGAGE, policy).verdict,
  async Fastify(policy) {
    const app = Fastify()
    await app.register(guardFastify, base)
    return app.moengage!.judge(given, policy)
  },
  Express: (policy) => guardExpress({ ...base, logger }).judge(given, policy),
  'node:http': (policy) => guardNode({ ...base, logger }).judge(given, policy),
  Fetch: (policy) => guardFetch({ ...base, logger }).judge(new Request('http://localhost/'), MOENGAGE, policy),
  Workers(policy) {
    const request = new Request('http://localhost/', { headers: { 'cf-connecting-ip': MOENGAGE } })
    return guardWorkers({ ...base, logger }).judge(Object.assign(request, { cf: {} }), policy)
  },
  Lambda(policy) {
    const event = { version: '2.0', requestContext: { http: { method: 'POST', sourceIp: MOENGAGE } } }
    return guardLambda({ ...base, logger }).judge(event, policy)
  }
}

for (const [door, judge] of Object.entries(JUDGES)) {
  t.test(`${door}: a policy that is not one is refused, and never taken for none`, async (t) => {
    const judgedBy = async (policy: unknown) => judge(policy as never)
    t.match(await judgedBy({ channels: 'catalog' }), { verified: false, reason: 'other-channel' })
    t.match(await judgedBy({ channels: undefined }), { verified: true })
    const table: [policy: unknown, code: string, fix: RegExp][] = [
      [{ channel: 'catalog' }, 'MOE_ERR_UNKNOWN_OPTION', /^Did you mean "channels"\?$/],
      [{ Channels: 'catalog' }, 'MOE_ERR_UNKNOWN_OPTION', /"channels"/],
      [{ chanels: ['catalog'] }, 'MOE_ERR_UNKNOWN_OPTION', /"channels"/],
      [{ dataCenter: 'DC-03' }, 'MOE_ERR_UNKNOWN_OPTION', /"dataCenters"/],
      [{ datacenters: 'DC-03' }, 'MOE_ERR_UNKNOWN_OPTION', /"dataCenters"/],
      [
        { config: { moengage: { channels: 'catalog' } } },
        'MOE_ERR_UNKNOWN_OPTION',
        /^Use one of: dataCenters, channels\.$/
      ],
      [{ channels: 'catalogue' }, 'MOE_ERR_CHANNEL', /"catalog"/],
      [['catalog'], 'MOE_ERR_OPTION_VALUE', /^Write \{ channels: \['catalog'\] \}/],
      ['all of them', 'MOE_ERR_OPTION_VALUE', /^Write \{ channels: 'streams' \}/],
      ['catalog', 'MOE_ERR_OPTION_VALUE', /^Write \{ channels: 'catalog' \}, or leave the policy out/],
      ['DC-03', 'MOE_ERR_OPTION_VALUE', /^Write \{ dataCenters: 'DC-03' \}, or leave/],
      [null, 'MOE_ERR_OPTION_VALUE', /^Write \{ channels: 'streams' \}/]
    ]
    for (const [policy, code, fix] of table) {
      const expected = { name: 'OptionsError', code: 'MOE_ERR_OPTIONS', mistakes: [{ code, fix }] }
      await t.rejects(judgedBy(policy), expected, JSON.stringify(policy))
    }
    t.match(await judgedBy({ channels: 'streams' }), { verified: true }, 'the fix is accepted')
  })
}

const rejected = () => Promise.reject(new Error('refused'))

const LOOPBACK = { trustedProxies: ['loopback'] }

/** The verdict on what is passed in the place of a request. */
const GIVEN: Record<string, (given: never) => Verdict | Promise<Verdict>> = {
  core: (given) => createGuard({ ...base, clientIp: LOOPBACK }).judge(given),
  async Fastify(given) {
    const app = Fastify()
    await app.register(guardFastify, { ...base, clientIp: LOOPBACK })
    return app.moengage!.judge(given)
  },
  Express: (given) => guardExpress({ ...base, clientIp: LOOPBACK, logger }).judge(given),
  'node:http': (given) => guardNode({ ...base, clientIp: LOOPBACK, logger }).judge(given)
}

for (const [door, judge] of Object.entries(GIVEN)) {
  t.test(`${door}: a request that is not one is refused with what to pass, which is accepted`, async (t) => {
    const judged = async (given: unknown) => judge(given as never)
    const headers = { 'x-forwarded-for': MOENGAGE }
    const noTexts: [value: unknown, message: RegExp, fix: RegExp][] = [
      [rejected(), /^A value of type object is not a text\.$/, /^Await it/],
      [[MOENGAGE, rejected()], /^A value of type object is not a text\.$/, /^Await it/],
      [[rejected(), 'x'], /^A value of type object is not a text\.$/, /^Await it/],
      [52, /^A value of type number is not a text\.$/, /as one text/],
      [[{ value: MOENGAGE }], /^A value of type object is not a text\.$/, /as one text/],
      [[null], /^null is not a text\.$/, /as one text/],
      [[[MOENGAGE]], /^An array is not a text\.$/, /as one text/]
    ]
    const table: [given: unknown, path: string, message: RegExp, fix: RegExp][] = [
      [undefined, 'request', /^undefined is not a request\.$/, /^Pass a request of node:http, or \{ peer:/],
      [null, 'request', /^null is not/, /^Pass a request/],
      ['127.0.0.1', 'request', /^'127\.0\.0\.1' is not/, /^Pass a request/],
      [{ ip: '127.0.0.1', headers }, 'request', /^\{ ip, headers \} has neither a peer nor/, /^Pass a request/],
      [{}, 'request', /^\{\} has neither/, /^Pass a request/],
      [{ peer: 5, headers }, 'peer', /^5 is not an address as a text/, /^Pass request\.socket\.remoteAddress/],
      [{ peer: { address: '127.0.0.1' }, headers }, 'peer', /^\{ address \} is not/, /remoteAddress/],
      [{ peer: '127.0.0.1' }, 'headers', /^undefined are not headers/, /rawHeaders .*\{\}/],
      [{ peer: '127.0.0.1', headers: null }, 'headers', /^null are not/, /rawHeaders/],
      [{ peer: '127.0.0.1', headers: [['x-forwarded-for', MOENGAGE]] }, 'headers', /are not/, /rawHeaders/],
      [
        { peer: '127.0.0.1', headers: { get: () => [MOENGAGE] } },
        'headers.x-forwarded-for',
        /not a text/,
        /as one text/
      ],
      [
        { peer: '127.0.0.1', headers: { get: async () => MOENGAGE } },
        'headers.x-forwarded-for',
        /not a text/,
        /Await it/
      ],
      [rejected(), 'request', /^an object of the class Promise has neither/, /^Await it/],
      [{ peer: rejected(), headers }, 'peer', /is not an address as a text/, /^Await it/],
      [{ peer: '127.0.0.1', headers: rejected() }, 'headers', /are not headers/, /^Await it/],
      [{ socket: { remoteAddress: rejected() }, headers }, 'peer', /is not an address as a text/, /^Await it/],
      [{ socket: { remoteAddress: '127.0.0.1' }, headers: 5 }, 'headers', /^5 are not headers/, /rawHeaders/],
      ...noTexts.map(([value, message, fix]): [unknown, string, RegExp, RegExp] => [
        { peer: '127.0.0.1', headers: { 'x-forwarded-for': value } },
        'headers.x-forwarded-for',
        message,
        fix
      ]),
      [
        { peer: '127.0.0.1', headers: { 'X-Forwarded-For': 52 } },
        'headers.X-Forwarded-For',
        /^A value of type number/,
        /as one text/
      ]
    ]
    for (const [given, path, message, fix] of table) {
      const expected = { code: 'MOE_ERR_OPTIONS', mistakes: [{ code: 'MOE_ERR_OPTION_VALUE', path, message, fix }] }
      await t.rejects(judged(given), expected, `${path}: ${message}`)
    }
    const socket = { remoteAddress: '127.0.0.1' }
    const accepted: unknown[] = [
      { socket, headers, rawHeaders: [] },
      { peer: socket.remoteAddress, headers: ['X-Forwarded-For', MOENGAGE] },
      { peer: '127.0.0.1', headers: { 'X-Forwarded-For': MOENGAGE } },
      { peer: '127.0.0.1', headers: { 'X-Forwarded-For': ['9.9.9.9', MOENGAGE] } },
      { peer: '127.0.0.1', headers: { 'X-FORWARDED-FOR': undefined, 'X-Forwarded-For': MOENGAGE } },
      { peer: '127.0.0.1', headers: { 'x-forwarded-for': null, 'X-Forwarded-For': MOENGAGE } },
      { peer: '127.0.0.1', headers: new Map([['x-forwarded-for', MOENGAGE]]) },
      { peer: MOENGAGE, headers: {} },
      { peer: MOENGAGE, headers: [] }
    ]
    for (const given of accepted) t.match(await judged(given), { verified: true, clientIp: MOENGAGE })
    const spellings = { 'X-Forwarded-For': MOENGAGE, 'X-FORWARDED-FOR': MOENGAGE }
    t.match(
      await judged({ peer: '127.0.0.1', headers: spellings }),
      { reason: 'unresolved' },
      'of two spellings nobody knows which line came last'
    )
    const lines = Array.from({ length: 1000 }, () => ['a', 'b']).flat()
    t.match(
      await judged({ socket, headers, rawHeaders: lines }),
      { hint: /as many header lines/ },
      'Node may have dropped some'
    )
  })
}

const LIST = { url: 'https://lists.example/moengage.json' }

/** The names of each group of options, with what else the group has to have. */
const GROUPS: readonly [path: string, given: object, names: string, call: (group: never) => unknown][] = [
  ['', base, 'dataCenters channels clientIp allow deny source confirm gracePeriod staleAfter', createGuard],
  ['', base, 'rejectWhenStale onReload watch onDrift carriesSecret fleet cacheSize redactAddress', createGuard],
  ['', { ...base, carriesSecret: () => true }, 'expectSecret', createGuard],
  ['', { ...base, logger }, 'mode statusCode onReject onVerdict log logger logLevel', guardExpress],
  [
    'source',
    LIST,
    'url interval timeout maxBytes headers fetch allowHttp verify',
    (source) => loadGuard({ ...base, source })
  ],
  ['source', { file: '/none.json' }, 'file interval', (source) => loadGuard({ ...base, source })],
  ['source', { page: LIST.url }, 'page interval headers', (source) => loadGuard({ ...base, source })],
  ['source.verify', {}, 'publicKeys', (verify) => loadGuard({ ...base, source: { ...LIST, verify } })],
  ['watch', LIST, 'url interval headers', (watch) => createGuard({ ...base, watch })],
  [
    'clientIp',
    { trustedProxies: [] },
    'trustedProxies header requireHeader',
    (clientIp) => createGuard({ ...base, clientIp })
  ],
  ['redactAddress', {}, 'key', (redactAddress) => createGuard({ ...base, redactAddress })],
  [
    '',
    { allow: [MOENGAGE] },
    'allow deny mode for until note confirm',
    (override) => createGuard(base).override(override)
  ],
  ['', { client: {}, name: 'x' }, 'client name copy verify accept poll timeout report senders', redisFleet],
  ['', { hooks: {} }, 'guard hooks public', (options) => Fastify().register(statusPage, options)]
]

t.test(
  'a promise in the place of an argument is refused with the advice to await it, and ends no process',
  async (t) => {
    const core = createGuard(base)
    const middleware = guardExpress({ ...base, logger })
    const fetched = guardFetch({ ...base, logger })
    const worker = guardWorkers({ ...base, logger })
    const lambda = guardLambda(base)
    const request = new Request('http://localhost/')
    const calls: [path: string, call: (promise: never) => unknown][] = [
      ['limit', (limit) => core.senders(limit)],
      ['id', (id) => core.removeOverride(id)],
      ['', (policy) => core.judge({ peer: MOENGAGE, headers: {} }, policy)],
      ['dataCenters', (dataCenters) => core.judge({ peer: MOENGAGE, headers: {} }, { dataCenters })],
      ['channels', (channels) => core.judge({ peer: MOENGAGE, headers: {} }, { channels })],
      ['channels[0]', (channel) => middleware.route({ channels: [channel] })],
      ['mode', (mode) => middleware.route({ mode })],
      ['', (options) => middleware.route(options)],
      ['request', (request) => fetched.check(request, MOENGAGE)],
      ['peer', (peer) => fetched.check(request, peer)],
      ['', (options) => fetched.check(request, MOENGAGE, options)],
      ['request', (request) => worker.check(request, { waitUntil() {} })],
      ['context', (context) => worker.check(request, context)],
      ['handler', (handler) => lambda.handler(handler)],
      ['allow', (allow) => createGuard({ ...base, allow })],
      ['allow[0]', (address) => createGuard({ ...base, allow: [address] })],
      ['clientIp', (clientIp) => createGuard({ ...base, clientIp })],
      ['log', (log) => guardExpress({ ...base, logger, log })],
      ['carriesSecret', (carriesSecret) => createGuard({ ...base, carriesSecret })]
    ]
    for (const [path, call] of calls) {
      const expected = { code: 'MOE_ERR_OPTIONS', mistakes: [{ path, fix: 'Await it before you pass it.' }] }
      await t.rejects(async () => call(rejected() as never), expected, path)
    }
    for (const [group, given, names, call] of GROUPS) {
      for (const name of names.split(' ')) {
        const path = group === '' ? name : `${group}.${name}`
        try {
          await call({ ...given, [name]: rejected() } as never)
          t.fail(path)
        } catch (error) {
          const mistakes = (error as OptionsError).mistakes ?? []
          const mistake = mistakes.find((one) => one.path === path)
          t.match(mistake, { fix: 'Await it before you pass it.' }, `${path}: ${error}`)
        }
      }
    }
    t.throws(() => createGuard({ ...base, unknown: rejected() } as never), { code: 'MOE_ERR_OPTIONS' })
    t.throws(() => lambda.judge(rejected() as never), { code: 'MOE_ERR_EVENT' })
    t.equal(core.explain(rejected() as never).text, 'A promise is not an IP address. Await it before you pass it.')
    await untilRejected()
  }
)

t.test('Fetch and Workers refuse what is not a Request, and check rejects', async (t) => {
  const fetched = guardFetch({ ...base, logger })
  const worker = guardWorkers({ ...base, logger })
  const context = { waitUntil() {} }
  const honoRequest = { raw: new Request('http://localhost/'), header: () => undefined }
  for (const wrong of [undefined, null, MOENGAGE, 5, honoRequest]) {
    const request = wrong as never
    const expected = {
      code: 'MOE_ERR_OPTIONS',
      mistakes: [{ path: 'request', message: /is not a Request\.$/, fix: /in Hono, c\.req\.raw/ }]
    }
    await t.rejects(fetched.check(request, honoRequest.raw as never), expected)
    await t.rejects(worker.check(request, context), expected)
    t.throws(() => fetched.judge(request, MOENGAGE), expected as never)
    t.throws(() => worker.judge(request), expected as never)
  }
  t.match(fetched.judge(honoRequest.raw, MOENGAGE), { verified: true })
})
