import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import express from 'express'
import express4 from 'express4'
import t, { type Test } from 'tap'
import type { Snapshot } from '../../src/core.js'
import moengageAllowlist, { type MoEngageAllowlistOptions, type OnReject } from '../../src/express.js'
import { LISTED, LISTED_IN, STRANGER } from '../support/addresses.js'
import { clientIpOf } from '../support/client-ip-hint.js'
import { failingThenable, unreadableErrors, untilRejected } from '../support/failures.js'
import { type LogLine, send } from '../support/http.js'
import { lineLogger } from '../support/logger.js'

const OPTIONS = { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } } satisfies MoEngageAllowlistOptions
const REJECTED = {
  statusCode: 403,
  code: 'MOE_ERR_REJECTED',
  error: 'Forbidden',
  message: 'The sender of this request could not be verified.'
}
const EXPRESSES = [
  ['Express 4', express4],
  ['Express 5', express]
] as const
type Options = Partial<MoEngageAllowlistOptions<express.Request, express.Response>>

const guarding = (options: Options = {}) => {
  const lines: LogLine[] = []
  const guard = moengageAllowlist<express.Request, express.Response>({
    ...OPTIONS,
    logger: lineLogger(lines),
    ...options
  })
  return { guard, lines, rejections: () => lines.filter(({ moengage }) => moengage?.reason !== undefined) }
}

const verdict: express.RequestHandler = (request, response) => void response.json(request.moengage ?? null)

/** Listens, and gives back how to ask. */
async function serve(t: Test, app: RequestListener) {
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  return {
    port,
    ask: (clientIp: string, path = '/', more: Parameters<typeof send>[1] = {}) =>
      send({ port }, { path, ...more, headers: { 'x-forwarded-for': clientIp, ...more.headers } })
  }
}

for (const [name, make] of EXPRESSES) {
  t.test(name, async (t) => {
    t.test('lets MoEngage through with the verdict, and answers anybody else with JSON', async (t) => {
      const { guard, rejections } = guarding()
      const { ask } = await serve(t, make().use(guard, verdict))
      const accepted = await ask(LISTED)
      t.match(JSON.parse(accepted.body), { verified: true, clientIp: LISTED, dataCenter: 'DC-01', peer: '127.0.0.1' })
      t.strictSame(rejections(), [])
      for (const method of ['GET', 'POST', 'PUT']) {
        const answer = await ask(STRANGER, '/', { method })
        t.equal(answer.status, 403)
        t.match(answer.headers, { 'content-type': 'application/json; charset=utf-8' })
        t.strictSame(JSON.parse(answer.body), REJECTED)
      }
      t.match(await ask(STRANGER, '/', { method: 'HEAD' }), { status: 403, body: '' })
      t.match(rejections()[0], {
        level: 40,
        msg: `${STRANGER} rejected: not-listed`,
        moengage: { event: 'moengage.rejected', clientIp: STRANGER, hint: /documentation/ }
      })
    })

    t.test('guards routers and routes, each with its own options', async (t) => {
      const { guard } = guarding({ statusCode: 404 })
      const router = make.Router()
      router.use(guard)
      router.get('/own', verdict)
      const app = make()
      app.get('/before', verdict)
      app.use('/hooks', router)
      app.get('/catalog', guard.route({ channels: 'catalog' }), verdict)
      app.get('/india', guard.route({ dataCenters: 'DC-03', statusCode: 401 }), verdict)
      app.get('/tag', guard.route({ mode: 'tag' }), verdict)
      app.use('/sub', make().use(guard, verdict))
      const { ask } = await serve(t, app)
      const table: [path: string, clientIp: string, status: number][] = [
        ['/before', STRANGER, 200],
        ['/hooks/own', LISTED, 200],
        ['/hooks/own', STRANGER, 404],
        ['/hooks/nothing', STRANGER, 404],
        ['/catalog', LISTED, 404],
        ['/catalog', '52.1.205.204', 200],
        ['/india', LISTED_IN['DC-03'], 200],
        ['/india', LISTED, 401],
        ['/tag', STRANGER, 200],
        ['/sub', LISTED, 200],
        ['/sub', STRANGER, 404]
      ]
      for (const [path, clientIp, status] of table) {
        t.equal((await ask(clientIp, path)).status, status, `${path} ${clientIp}`)
      }
      t.equal((await ask(STRANGER, '/before')).body, 'null')
      t.match(JSON.parse((await ask(STRANGER, '/tag')).body), { verified: false, reason: 'not-listed' })
    })

    t.test('hands a rejection to the error handler where it is asked to', async (t) => {
      const { guard } = guarding({ statusCode: 404, onReject: 'next' })
      const onError: express.ErrorRequestHandler = (error, _, response, _next) => {
        const { status, statusCode, code, verdict, stack } = error
        response.status(status).json({ status, statusCode, code, reason: verdict.reason, stack: stack ?? null })
      }
      const app = make()
      app.use('/json', guard.route({ onReject: undefined }))
      app.use('/own', guard, verdict, onError)
      app.use('/builtin', guard, verdict)
      const { ask } = await serve(t, app.set('env', 'test'))
      const own = await ask(STRANGER, '/own')
      t.equal(own.status, 404)
      t.strictSame(JSON.parse(own.body), {
        status: 404,
        statusCode: 404,
        code: 'MOE_ERR_REJECTED',
        reason: 'not-listed',
        stack: null
      })
      const builtin = await ask(STRANGER, '/builtin')
      t.equal(builtin.status, 404)
      t.notMatch(builtin.body, /not-listed|MoEngage|\.js/, 'even then the sender learns nothing')
      t.equal((await ask(LISTED, '/own')).status, 200)
    })

    t.test('lets onReject answer in every way that Express knows', async (t) => {
      type Own = Exclude<OnReject<express.Request, express.Response>, 'next'>
      const fail = (error: unknown) => () => {
        throw error
      }
      const file = join(t.testdir({ 'sorry.txt': 'own' }), 'sorry.txt')
      const table: [what: string, onReject: Own, status: number, body: RegExp][] = [
        ['sends a status and a body', (_, response) => response.status(418).send('own'), 418, /^own$/],
        ['sends only a body', (_, response) => response.send('own'), 403, /^own$/],
        ['says that all is well', (_, response) => response.status(200).json('own'), 200, /^"own"$/],
        [
          'sends a file, which is sent later',
          (_, response) => response.sendFile(file, { dotfiles: 'allow' }),
          403,
          /^own$/
        ],
        ['redirects', (_, response) => response.redirect('/elsewhere'), 302, /elsewhere/],
        ['sends from an async function', async (_, response) => void response.send('own'), 403, /^own$/],
        ['sends the verdict', (_, response, { reason }) => void response.send(reason), 403, /^not-listed$/],
        [
          'sends later',
          async (_, response) => {
            await delay(1)
            response.status(451).end('own')
          },
          451,
          /^own$/
        ],
        ['throws', fail(Object.assign(new Error('own'), { status: 409 })), 409, /^caught own$/],
        ['throws an error without a status', fail(new Error('own')), 500, /^caught own$/],
        ['rejects', () => Promise.reject(Object.assign(new Error('own'), { status: 409 })), 409, /^caught own$/],
        ['throws what Express takes for "next route"', fail('route'), 500, /^caught A non-error value/],
        ['throws what Express takes for "next router"', fail('router'), 500, /^caught A non-error value/],
        ...unreadableErrors().map((error): [string, Own, number, RegExp] => [
          'throws an error that cannot be read',
          fail(error),
          500,
          /^caught An error was thrown whose properties/
        ]),
        ['returns a thenable that fails', () => failingThenable('own'), 500, /^caught own$/],
        ...[undefined, null, 0, ''].map((nothing): [string, Own, number, RegExp] => [
          `throws ${nothing}`,
          fail(nothing),
          403,
          /MOE_ERR_REJECTED/
        ]),
        ['throws after it has answered', (_, response) => response.end('own') && fail(new Error('own'))(), 403, /^own$/]
      ]
      for (const [what, onReject, status, body] of table) {
        const { guard } = guarding({ onReject })
        let handled = false
        const app = make()
        const handler: express.RequestHandler = (_, response) => {
          handled = true
          response.end()
        }
        app.get('/', guard, handler)
        app.use(handler)
        const onError: express.ErrorRequestHandler = (error, _, response, next) => {
          if (response.headersSent) return next(error)
          const { statusCode } = response
          response.status(error.status ?? (statusCode === 200 ? 500 : statusCode)).end(`caught ${error.message}`)
        }
        app.use(onError)
        const { ask } = await serve(t, app.set('env', 'test'))
        const answer = await ask(STRANGER)
        t.equal(answer.status, status, what)
        t.match(answer.body, body, what)
        t.equal(handled, false, what)
      }
    })

    t.test("takes Express's req.ip by default", async (t) => {
      const direct = make().use(guarding({ clientIp: 'request.ip', allow: ['127.0.0.1'] }).guard, verdict)
      t.match(JSON.parse((await (await serve(t, direct)).ask(LISTED)).body), { verified: true, clientIp: '127.0.0.1' })
      const { guard } = guarding({ clientIp: 'request.ip' })
      const proxied = make().set('trust proxy', 'loopback').use(guard, verdict)
      proxied.use('/sub', make().use(guard, verdict))
      const { ask } = await serve(t, proxied)
      t.match(JSON.parse((await ask(LISTED)).body), { verified: true, clientIp: LISTED, peer: '127.0.0.1' })
      t.equal((await ask(LISTED, '/sub')).status, 200)
      t.equal((await ask(STRANGER)).status, 403)
      t.equal((await ask(`${LISTED}:443`)).status, 403)
    })

    t.test("names Express's 'trust proxy' only for requests that Express handles", async (t) => {
      const { guard, rejections } = guarding({ clientIp: 'request.ip' })
      const { ask } = await serve(t, make().use(guard, verdict))
      await ask(LISTED)
      t.match(rejections()[0]?.moengage, { hint: /If it is: list it in Express's 'trust proxy', or pass / })
      const hints: unknown[] = []
      const upgrades = await serve(t, (request, response) => {
        const { headers } = request
        for (const outside of [request, { peer: '127.0.0.1', headers }]) {
          const judged = guard.judge(outside as express.Request)
          hints.push(judged.verified || judged.hint)
        }
        response.end()
      })
      await upgrades.ask(LISTED)
      for (const hint of hints) {
        t.match(
          hint,
          /replaces Express's 'trust proxy', which does not apply to this request: Express does not handle it\.$/
        )
      }
      t.equal(hints.length, 2)
      t.match(
        guard.explain('127.0.0.1').text,
        /, or, for requests that Express handles, list it in that setting, if the proxy writes x-forwarded-for\.$/
      )
    })

    t.test('the advice about a second proxy keeps what the first one was trusted for', async (t) => {
      const verdictsBy = async (trusted: string[], clientIp: MoEngageAllowlistOptions['clientIp']) => {
        const { guard } = guarding({ clientIp, mode: 'tag' })
        const { ask } = await serve(t, make().set('trust proxy', trusted).use(guard, verdict))
        return [JSON.parse((await ask(LISTED)).body), JSON.parse((await ask(`${LISTED}, 10.1.2.3`)).body)]
      }
      t.match(await verdictsBy(['loopback'], 'request.ip'), [
        { verified: true },
        { hint: /list it in Express's 'trust proxy', or pass .*'10\.1\.2\.3', \.\.\.\] } with all of your proxies/ }
      ])
      const both = [{ verified: true }, { verified: true }]
      t.match(await verdictsBy(['loopback', '10.1.2.3'], 'request.ip'), both)
      t.match(await verdictsBy(['loopback'], { trustedProxies: ['loopback', '10.1.2.3'] }), both)
    })

    t.test(
      'the advice about a proxy that writes another header than X-Forwarded-For is to read that one',
      async (t) => {
        const headers = { 'x-real-ip': LISTED }
        const verdictBy = async (trusted: string[], clientIp: Options['clientIp']) => {
          const { guard } = guarding({ clientIp, mode: 'tag' })
          const { port } = await serve(t, make().set('trust proxy', trusted).use(guard, verdict))
          return JSON.parse((await send({ port }, { path: '/', headers })).body)
        }
        for (const trusted of [[], ['127.0.0.1']]) {
          const { reason, hint } = await verdictBy(trusted, 'request.ip')
          t.equal(reason, 'proxy-not-configured')
          t.notMatch(hint, /list it in/)
          const clientIp = clientIpOf(hint, '127.0.0.1', 'x-real-ip')
          t.match(await verdictBy(trusted, clientIp), { verified: true, clientIp: LISTED }, `${trusted}`)
        }
      }
    )

    t.test("a proxy in Express's 'trust proxy' is not to be listed there again", async (t) => {
      const byHop = (address: string, hop: number) => address === (hop === 0 ? '127.0.0.1' : '10.0.0.9')
      const table: [what: string, trusted: unknown, client: string, hint: RegExp][] = [
        [
          'curl through nginx',
          'loopback',
          '127.0.0.1',
          /^Every address in x-forwarded-for is one of your proxies, 127\.0\.0\.1 /
        ],
        ['a health check of a function by hop', byHop, '10.0.0.9', /^Every address in x-forwarded-for is one of your/],
        [
          'a proxy with a public address',
          '127.0.0.1, 8.8.4.4',
          '8.8.4.4',
          /^Every address in x-forwarded-for is one of your/
        ],
        ['another host', byHop, '10.0.0.8', /^10\.0\.0\.8 is a private address: the request was made in your own/]
      ]
      for (const [what, trusted, client, hint] of table) {
        const { guard } = guarding({ clientIp: 'request.ip', mode: 'tag' })
        const { ask } = await serve(t, make().set('trust proxy', trusted).use(guard, verdict))
        t.match(JSON.parse((await ask(LISTED)).body), { verified: true }, what)
        t.match(JSON.parse((await ask(client)).body), { reason: 'not-listed', hint }, what)
        t.match(JSON.parse((await ask(LISTED)).body), { verified: true }, what)
      }
    })

    t.test('verifies nobody where Express trusts everyone, and notices when that is mended', async (t) => {
      const table: [trustProxy: unknown, reason: string][] = [
        [true, 'permissive-trust'],
        [1, 'permissive-trust'],
        [3, 'permissive-trust'],
        [() => true, 'permissive-trust'],
        [(address: string, hop: number) => hop > 0 || address === '127.0.0.1', 'permissive-trust'],
        [(address: string) => address.includes(':') || address === '127.0.0.1', 'permissive-trust'],
        [['0.0.0.0/1', '128.0.0.0/1'], 'permissive-trust'],
        [false, 'proxy-not-configured'],
        [0, 'proxy-not-configured'],
        [['10.0.0.0/8'], 'proxy-not-configured']
      ]
      for (const [trustProxy, reason] of table) {
        const { guard, rejections } = guarding({ clientIp: 'request.ip' })
        const app = make().set('trust proxy', trustProxy).use(guard, verdict)
        const { ask } = await serve(t, app)
        for (const _ of [1, 2]) t.equal((await ask(LISTED)).status, 403, String(trustProxy))
        t.strictSame(
          rejections().map(({ level, moengage }) => [level, moengage?.reason]),
          [
            [50, reason],
            [40, reason]
          ],
          `${trustProxy}: told once as an error, and the sender once`
        )
        t.match(rejections()[0]?.msg, /'trust proxy'/)
        app.set('trust proxy', 'loopback')
        t.equal((await ask(LISTED)).status, 200, 'mended')
        app.set('trust proxy', true)
        t.equal((await ask(LISTED)).status, 403, 'broken again')
      }
    })

    t.test("a function in 'trust proxy' that returns a promise is found out, and ends no process", async (t) => {
      const known = new Map([['127.0.0.1', { isProxy: true }]])
      const isProxy = async (address: string) => {
        await null
        return known.get(address)!.isProxy
      }
      const table: [what: string, trusted: (address: string) => unknown][] = [
        ['an async function', isProxy],
        ['one that looks up what it does not know', (address) => known.has(address) || isProxy(address)],
        ['one that is like a promise', () => failingThenable('own')],
        ['one for its proxies alone', (address) => address === '127.0.0.1' && Promise.reject(new Error('own'))],
        ['the same, like a promise', (address) => address === '127.0.0.1' && failingThenable('own')]
      ]
      for (const [what, trusted] of table) {
        const { guard, rejections } = guarding({ clientIp: 'request.ip' })
        const { ask } = await serve(t, make().set('trust proxy', trusted).use(guard, verdict))
        for (const _ of [1, 2]) t.equal((await ask(LISTED)).status, 403, what)
        await untilRejected()
        const hint = /\(true, a number of hops and a function that returns a promise all do\)/
        t.match(rejections()[0]?.moengage, { reason: 'permissive-trust', hint }, what)
      }
    })

    t.test("a function in 'trust proxy' may throw for addresses that no request came from", async (t) => {
      const known: Record<string, { isProxy: boolean }> = { '127.0.0.1': { isProxy: true } }
      const { guard } = guarding({ clientIp: 'request.ip', mode: 'tag' })
      const trusted = (address: string) => known[address]!.isProxy
      const { ask } = await serve(t, make().set('trust proxy', trusted).use(guard, verdict))
      t.match(JSON.parse((await ask(LISTED)).body), { verified: true, clientIp: LISTED })
      t.match(JSON.parse((await ask(STRANGER)).body), { reason: 'not-listed', clientIp: STRANGER })
      t.match(JSON.parse((await ask(`${LISTED}, ${STRANGER}`)).body), {
        reason: 'unresolved',
        hint: /threw: Cannot read/
      })
    })

    t.test('decides before a body is parsed', async (t) => {
      let parsed = 0
      const { guard } = guarding()
      const app = make()
      app.use(guard)
      app.use(make.json({ limit: '8mb', verify: () => void parsed++ }))
      app.post('/', (request, response) => void response.json({ users: request.body.length }))
      const { ask } = await serve(t, app)
      const users = Array.from({ length: 10_000 }, (_, i) => ({ moengage_distinct_id: `id-${i}`, uid: `uid-${i}` }))
      const more = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(users) }
      t.equal((await ask(STRANGER, '/', more)).status, 403)
      t.equal(parsed, 0)
      t.match(await ask(LISTED, '/', more), { status: 200, body: '{"users":10000}' })
      t.equal(parsed, 1)
    })

    t.test('closes the route when clientIp throws, whatever it throws', async (t) => {
      for (const thrown of [undefined, null, 0, 'route', 'router', new Error('own')]) {
        const clientIp = () => {
          throw thrown
        }
        const { guard } = guarding({ clientIp })
        let handled = false
        const app = make().set('env', 'test')
        app.get('/', guard, () => {
          handled = true
        })
        const { ask } = await serve(t, app)
        t.equal((await ask(LISTED)).status, 403, String(thrown))
        t.equal(handled, false, String(thrown))
      }
    })
  })
}

t.test('without Express the client is the peer, and next gets what there is', async (t) => {
  const { guard } = guarding({ clientIp: 'request.ip', allow: ['127.0.0.1'] })
  const next = (response: ServerResponse) => (error?: unknown) => response.end(String(error))
  const { ask } = await serve(t, (request, response) => guard(request, response, next(response)))
  t.match(await ask(STRANGER), { status: 200, body: 'undefined' })
  const strict = guarding({ onReject: 'next', clientIp: 'request.ip' })
  const { ask: askStrict } = await serve(t, (request, response) => {
    // Something else than Express may have set these; nobody knows by whose word.
    Object.assign(request, { ip: LISTED, app: { get: 'none' } })
    strict.guard(request, response, next(response))
  })
  t.match(await askStrict(LISTED), { body: /could not be verified/ })
})

t.test('a request logger of pino-http is used where there is one', async (t) => {
  const lines: LogLine[] = []
  const { guard, rejections } = guarding()
  const app = express().use((request, _, next) => {
    Object.assign(request, request.path === '/odd' ? { log: 'debug' } : { log: lineLogger(lines).child({ req: 7 }) })
    next()
  }, guard)
  const { ask } = await serve(t, app)
  await ask(STRANGER)
  t.match(lines, [{ req: 7, msg: /rejected/ }])
  t.strictSame(rejections(), [])
  await ask('198.51.100.8', '/odd')
  t.equal(rejections().length, 1)
})

t.test('a request that a test made up gets a verdict', async (t) => {
  const { guard } = guarding()
  const requests: object[] = [{ headers: {} }, { headers: {}, socket: null }, { headers: {}, socket: {} }, {}]
  for (const request of requests) {
    const failures: unknown[] = []
    const body = await new Promise((resolve) => {
      const response = { setHeader() {}, end: resolve }
      guard(request as never, response as never, (error) => resolve(failures.push(error)))
    })
    t.match(body, /MOE_ERR_REJECTED/)
    t.strictSame(failures, [])
  }
})

t.test('a guard that is called instead of passed on says so, and counts nothing', async (t) => {
  const { guard, lines } = guarding()
  const request = { headers: {}, socket: {} }
  const options = { channels: 'segment-sync' }
  const next = () => {}
  const table: [args: unknown[], path: string, message: RegExp][] = [
    [[], 'request', /^undefined is not a request\.$/],
    [[options], 'request', /^\{ channels \} is not a request\.$/],
    [[options, undefined, next], 'request', /^\{ channels \} is not/],
    [['segment-sync', null], 'request', /^'segment-sync' is not/],
    [[request], 'response', /^undefined is not a response\.$/],
    [[request, {}], 'next', /^undefined is not a function\.$/],
    [[request, {}, {}], 'next', /^\{\} is not a function\.$/]
  ]
  for (const [args, path, message] of table) {
    for (const middleware of [guard, guard.route({ channels: 'streams' })]) {
      t.throws(() => (middleware as (...args: unknown[]) => void)(...args), {
        code: 'MOE_ERR_OPTIONS',
        mistakes: [
          {
            path,
            message,
            fix: /^Pass the guard on .*app\.use\(guard\)\. .*guard\.route\(\{ channels: 'segment-sync' \}\)/
          }
        ]
      })
    }
  }
  t.match(guard.status(), { verified: 0, rejected: { unresolved: 0 } })
  t.strictSame(
    lines.filter(({ level }) => level >= 40),
    []
  )
})

t.test('the level of the log line is the one asked for', async (t) => {
  for (const [logLevel, levels] of [
    ['info', [30]],
    ['silent', []]
  ] as const) {
    const { guard, rejections } = guarding({ logLevel })
    await (await serve(t, express().use(guard))).ask(STRANGER)
    t.strictSame(
      rejections().map(({ level }) => level),
      levels
    )
  }
})

t.test('wrong options are told at once, all of them', async (t) => {
  const table: [options: object | undefined, paths: string[]][] = [
    [undefined, ['']],
    [{}, ['dataCenters']],
    [
      { dataCenters: 'US', statusCode: 200, onReject: 'log', logLevel: 'loud', logger: {}, mode: 'monitor', x: 1 },
      ['dataCenters', 'mode', 'statusCode', 'onReject', 'logLevel', 'logger', 'x']
    ]
  ]
  for (const [options, paths] of table) {
    t.throws(() => moengageAllowlist(options as never), {
      code: 'MOE_ERR_OPTIONS',
      mistakes: paths.map((path) => ({ path }))
    })
  }
  const { guard } = guarding()
  for (const [options, path] of [
    [{ channels: 'conector' }, 'channels'],
    [{ statusCode: 204 }, 'statusCode'],
    [{ logLevel: 'warn' }, 'logLevel'],
    [null, 'route'],
    [[], 'route']
  ] as const) {
    t.throws(() => guard.route(options as never), { code: 'MOE_ERR_OPTIONS', mistakes: [{ path }] })
  }
})

t.test('the guard judges, explains, tells its status and its senders, and reloads', async (t) => {
  let address = '9.9.9.9'
  const load = (): Snapshot => ({
    provenance: { page: 'test', revision: address, retrieved: '2020-01-01' },
    rows: [{ dataCenter: 'DC-01', channel: 'streams', addresses: [address, '9.9.9.1', '9.9.9.2'] }]
  })
  const { guard, lines } = guarding({ source: { name: 'test', load }, gracePeriod: 0 })
  await guard.ready()
  const app = express().get('/judge', (request, response) => void response.json(guard.judge(request)))
  const { ask } = await serve(t, app.use(guard, verdict))
  t.match(JSON.parse((await ask('9.9.9.9', '/judge')).body), { verified: true })
  t.match(JSON.parse((await ask(STRANGER, '/judge')).body), { verified: false })
  t.equal(lines.filter(({ msg }) => /rejected/.test(msg)).length, 0, 'which logs nothing')
  t.match(guard.judge({ peer: '9.9.9.9', headers: {} }, { channels: 'streams' }), { verified: true })
  t.match(guard.explain('9.9.9.9').text, /is verified/)
  t.match(guard.status(), { revision: '9.9.9.9', verified: 2, rejected: { 'not-listed': 1 } })
  t.match(guard.senders(), [{ clientIp: STRANGER }])
  address = '8.8.8.8'
  t.match(await guard.reload(), { revision: '8.8.8.8' })
  t.equal((await ask('9.9.9.9')).status, 403)
  t.equal(lines.filter(({ moengage }) => moengage?.code === 'MOE_WARN_STALE').length, 1, 'told once')
})

t.test('requests wait for a list that is still loading', async (t) => {
  let arrive: (snapshot: Snapshot) => void = () => {}
  const load = () =>
    new Promise<Snapshot>((resolve) => {
      arrive = resolve
    })
  const { guard } = guarding({ source: { name: 'slow', load } })
  const app = express()
  app.get('/sms', guard.route({ channels: 'sms' }), verdict)
  app.use(guard, verdict)
  const { ask } = await serve(t, app)
  const early = [ask('9.9.9.9'), ask(STRANGER), ask('9.9.9.9', '/sms')]
  for (const ask of [() => guard.status(), () => guard.senders(), () => guard.explain('9.9.9.9')]) {
    t.throws(ask, { code: 'MOE_ERR_NOT_READY' })
  }
  const reloaded = guard.reload()
  arrive({
    provenance: { page: 'test', revision: 'r', retrieved: new Date().toISOString().slice(0, 10) },
    rows: [
      { dataCenter: 'DC-01', channel: 'streams', addresses: ['9.9.9.9'] },
      { dataCenter: 'DC-01', channel: 'sms', addresses: ['8.8.8.8'] }
    ]
  })
  t.strictSame(
    (await Promise.all(early)).map(({ status }) => status),
    [200, 403, 403]
  )
  t.match(await reloaded, { revision: 'r' }, 'a reload that comes too early is the first load')
  t.equal(await guard.ready(), undefined)
})

t.test('a list that cannot be loaded closes the routes until a reload brings one', async (t) => {
  let attempts = 0
  const load = async (): Promise<Snapshot> => {
    if (++attempts < 3) throw new Error('ENOENT /secret/path')
    return {
      provenance: { page: 'test', revision: 'r', retrieved: '2026-11-23' },
      rows: [{ dataCenter: 'DC-01', channel: 'streams', addresses: ['9.9.9.9'] }]
    }
  }
  const { guard, lines } = guarding({ source: { name: 'gone', load } })
  const app = express().use(guard, verdict)
  const onError: express.ErrorRequestHandler = ({ status, statusCode, code, message }, _, response, _next) =>
    void response.status(statusCode).json({ status, code, message })
  const { ask } = await serve(t, app.use(onError))
  await t.rejects(guard.ready(), { code: 'MOE_ERR_SOURCE' })
  t.match(await ask('9.9.9.9'), { status: 503, body: /MOE_ERR_NOT_READY/ })
  t.notMatch((await ask('9.9.9.9')).body, /secret/)
  t.match(lines, [{ level: 50, err: { message: /secret/ } }])
  const [first, second] = [guard.reload(), guard.reload()]
  await t.rejects(first, { code: 'MOE_ERR_SOURCE' })
  await t.rejects(second, { code: 'MOE_ERR_SOURCE' })
  t.equal(attempts, 2, 'calls that overlap share one attempt')
  await guard.reload()
  t.equal((await ask('9.9.9.9')).status, 200)

  const never = guarding({ dataCenters: 'DC-02', source: { name: 'other', load } })
  await t.rejects(never.guard.ready(), { code: 'MOE_ERR_OPTIONS' })
  const wrongRoute = guarding({ source: { name: 'again', load } })
  wrongRoute.guard.route({ channels: 'conector' as never })
  await t.rejects(wrongRoute.guard.ready(), { code: 'MOE_ERR_OPTIONS' })
})

t.test('a unix socket is believed only where it is named', async (t) => {
  for (const [trustedProxies, status] of [
    [['unix'], 200],
    [['loopback'], 403]
  ] as const) {
    const server = createServer(express().use(guarding({ clientIp: { trustedProxies } }).guard, verdict))
    const socketPath = join(tmpdir(), `moengage-express-${process.pid}-${status}.sock`)
    await new Promise<void>((resolve) => server.listen(socketPath, resolve))
    t.equal((await send({ socketPath }, { headers: { 'x-forwarded-for': LISTED } })).status, status)
    t.equal((await send({ socketPath })).status, 403, 'without a header there is no client')
    server.close()
  }
})

t.test('a request with as many headers as Node keeps is not judged by what is left of them', async (t) => {
  const { guard, rejections } = guarding()
  const { port } = await serve(t, express().use(guard, verdict))
  const lines = ['GET / HTTP/1.1', 'Host: x', 'Connection: close', `X-Forwarded-For: ${LISTED}`]
  // 1,000 lines with the four others. Newer versions of Node refuse more than that, older ones drop them.
  const padding = Array.from({ length: 996 }, () => 'a:')
  const answer = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${[...lines, ...padding].join('\r\n')}\r\nX-Forwarded-For: ${STRANGER}\r\n\r\n`)
    })
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
  })
  t.match(answer, /^HTTP\/1\.1 403/)
  t.match(rejections(), [{ moengage: { reason: 'unresolved' } }])
})

t.test('a request that passes two guards or routes is counted, reported and logged once', async (t) => {
  const verdicts: boolean[] = []
  const { guard, rejections } = guarding({ onVerdict: ({ verified }) => void verdicts.push(verified) })
  const app = express()
    .use('/same', guard)
    .use('/same', guard, verdict)
    .use('/strict', guard, guard.route({ channels: 'catalog', mode: 'tag' }), verdict)
    .use('/twice', guard.route({ mode: 'tag' }), guard.route({ channels: 'catalog', mode: 'tag' }), verdict)
    .use(
      '/thrice',
      ...['catalog', 'streams', 'catalog'].map((channels) => guard.route({ channels, mode: 'tag' } as never)),
      verdict
    )
  const origin = await serve(t, app)
  const from = (address: string, path: string) => send(origin, { path, headers: { 'x-forwarded-for': address } })
  t.equal((await from(LISTED, '/same')).status, 200)
  t.strictSame([verdicts.length, rejections().length, guard.status().verified], [1, 0, 1])
  t.equal((await from(LISTED, '/strict')).status, 200)
  t.strictSame(verdicts, [true, true, false], 'a rejection after a verified verdict is news')
  t.match([rejections(), guard.status()], [[{ moengage: { reason: 'other-channel' } }], { verified: 1 }])
  t.equal((await from(STRANGER, '/twice')).status, 200)
  t.strictSame([verdicts.length, rejections().length], [4, 2], 'a second rejection is not')
  t.match(guard.status().rejected, { 'other-channel': 1, 'not-listed': 1 })
  t.equal((await from(LISTED, '/thrice')).status, 200)
  t.strictSame([verdicts.length, rejections().length], [5, 2], 'nor one that follows a verified verdict')
  t.match(guard.status(), { verified: 1, rejected: { 'other-channel': 2 } })
})

t.test('guards that judge the same request in turns each count it once', async (t) => {
  const [first, second] = [guarding({ mode: 'tag' }), guarding({ mode: 'tag', dataCenters: 'DC-02' })]
  const clear: express.RequestHandler = (request, _, next) => {
    request.moengage = null as never
    next()
  }
  const app = express()
    .use(first.guard, second.guard, first.guard, second.guard, first.guard, second.guard)
    .use('/cleared', clear, first.guard)
    .use(verdict)
  const origin = await serve(t, app)
  for (const address of [LISTED, STRANGER]) await send(origin, { headers: { 'x-forwarded-for': address } })
  t.match(first.guard.status(), { verified: 1, rejected: { 'not-listed': 1 } })
  t.match(second.guard.status(), { verified: 0, rejected: { 'other-data-center': 1, 'not-listed': 1 } })
  t.strictSame([first.rejections().length, second.rejections().length], [1, 2])
  await send(origin, { path: '/cleared', headers: { 'x-forwarded-for': STRANGER } })
  t.match(
    first.guard.status().rejected,
    { 'not-listed': 2 },
    'also where a handler writes to request.moengage between them'
  )
})

t.test('a request that is asked about before and behind the guard is counted once, and reported', async (t) => {
  const verdicts: boolean[] = []
  const { guard, rejections } = guarding({ mode: 'tag', onVerdict: ({ verified }) => void verdicts.push(verified) })
  const ask: express.RequestHandler = (request, _, next) => {
    guard.judge(request)
    next()
  }
  const origin = await serve(t, express().use(ask, ask, guard, ask, verdict))
  for (const address of [LISTED, STRANGER]) await send(origin, { headers: { 'x-forwarded-for': address } })
  t.match(guard.status(), { verified: 1, rejected: { 'not-listed': 1 } })
  t.strictSame([verdicts, rejections().length], [[true, false], 1])
})

t.test('a method that was passed and not called answers with one sentence', async (t) => {
  const { guard } = guarding()
  const messages: string[] = []
  const fail: express.ErrorRequestHandler = (error, _, response, __) => {
    messages.push(error.message)
    response.status(500).end()
  }
  const origin = await serve(t, express().use(guard.route as never, verdict, fail))
  t.equal((await send(origin)).status, 500)
  t.match(messages, [
    /an object of the class IncomingMessage was passed instead of options\. .* call it yourself, and pass on what it returns /
  ])
  t.equal(messages.length, 1)
})
