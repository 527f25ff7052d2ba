import { Agent, createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type preHandlerHookHandler } from 'fastify'
import t from 'tap'
import moengageAllowlist, { type MoEngageAllowlistOptions, secretHeader, type Verdict } from '../../src/index.js'
import { LISTED, LISTED_IN, STRANGER } from '../support/addresses.js'
import { clientIpOf } from '../support/client-ip-hint.js'
import { failingThenable, HIDDEN_REJECTIONS, unreadableErrors, untilRejected } from '../support/failures.js'
import { guarded } from '../support/guarded.js'
import { listen, logging, send, until } from '../support/http.js'

const OPTIONS = { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } } satisfies MoEngageAllowlistOptions
const from = (clientIp: string) => ({ 'x-forwarded-for': clientIp })

const inject = (app: FastifyInstance, clientIp: string, url = '/', method: 'GET' | 'POST' | 'HEAD' = 'GET') =>
  app.inject({ method, url, headers: from(clientIp) })

t.test('a request from MoEngage reaches its handler with the verdict', async (t) => {
  const { app, rejections } = await guarded()
  const answer = await inject(app, LISTED)
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { verified: true, clientIp: LISTED, dataCenter: 'DC-01', peer: '127.0.0.1' })
  t.strictSame(rejections(), [])
})

t.test('anybody else is answered with a message that gives nothing away, and logged with the verdict', async (t) => {
  const { app, rejections } = await guarded()
  const answer = await inject(app, STRANGER, '/', 'POST')
  t.equal(answer.statusCode, 403)
  t.strictSame(answer.json(), {
    statusCode: 403,
    code: 'MOE_ERR_REJECTED',
    error: 'Forbidden',
    message: 'The sender of this request could not be verified.'
  })
  t.match(rejections(), [
    {
      level: 40,
      msg: `${STRANGER} rejected: not-listed`,
      moengage: { event: 'moengage.rejected', clientIp: STRANGER, reason: 'not-listed', hint: /documentation/ }
    }
  ])
  await inject(app, 'unknown')
  t.match(rejections()[1], { msg: 'Unknown client rejected: unresolved' })
})

t.test('tag mode lets everybody through, and logs who would be rejected', async (t) => {
  const { app, rejections } = await guarded({ mode: 'tag', logLevel: 'info' })
  const answer = await inject(app, STRANGER)
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { verified: false, reason: 'not-listed' })
  t.match(rejections(), [{ level: 30, msg: `${STRANGER} would be rejected: not-listed` }])
})

t.test('the level of the log line is the one asked for', async (t) => {
  const levels: [NonNullable<MoEngageAllowlistOptions['logLevel']>, number[]][] = [
    ['fatal', [60]],
    ['trace', [10]],
    ['silent', []]
  ]
  for (const [logLevel, expected] of levels) {
    const { app, rejections } = await guarded({ logLevel })
    await inject(app, STRANGER)
    t.strictSame(
      rejections().map(({ level }) => level),
      expected
    )
  }
})

t.test('a route changes what it accepts and what a rejection does', async (t) => {
  const { app } = await guarded({ statusCode: 404 }, (app) => {
    const handler = async () => 'ok'
    app.get('/own', handler)
    app.get('/open', { config: { moengage: false } }, handler)
    app.get('/catalog', { config: { moengage: { channels: 'catalog' } } }, handler)
    app.get(
      '/india',
      { config: { moengage: { dataCenters: 'https://dashboard-03.moengage.com', statusCode: 401 } } },
      handler
    )
    app.get('/tag', { config: { moengage: { mode: 'tag' } } }, handler)
    app.get('/answer', { config: { moengage: { onReject: () => ({ sorry: true }) } } }, handler)
  })
  const table: [url: string, clientIp: string, status: number][] = [
    ['/own', LISTED, 200],
    ['/own', STRANGER, 404],
    ['/open', STRANGER, 200],
    ['/catalog', LISTED, 404],
    ['/catalog', '52.1.205.204', 200],
    ['/india', LISTED_IN['DC-03'], 200],
    ['/india', LISTED, 401],
    ['/tag', STRANGER, 200],
    ['/answer', STRANGER, 404]
  ]
  for (const [url, clientIp, status] of table) {
    t.equal((await inject(app, clientIp, url)).statusCode, status, `${url} ${clientIp}`)
  }
  t.equal((await inject(app, STRANGER, '/answer')).body, '{"sorry":true}')
})

t.test('an unguarded route has no verdict', async (t) => {
  const app = Fastify()
  app.register(async (hooks) => {
    await hooks.register(moengageAllowlist, OPTIONS)
    hooks.get('/open', { config: { moengage: false } }, async (request) => ({ verdict: request.moengage }))
  })
  t.strictSame((await inject(app, STRANGER, '/open')).json(), { verdict: null })
})

t.test('onReject answers in every way that Fastify knows', async (t) => {
  type OnReject = NonNullable<MoEngageAllowlistOptions['onReject']>
  const table: [what: string, onReject: OnReject, status: number, body: RegExp][] = [
    ['sends and returns the reply', (_, reply) => reply.code(418).send('own'), 418, /^own$/],
    ['sends only', (_, reply) => void reply.code(418).send('own'), 418, /^own$/],
    ['sends only a body', (_, reply) => void reply.send('own'), 403, /^own$/],
    ['says that all is well', (_, reply) => void reply.code(200).send('own'), 200, /^own$/],
    ...[undefined, null, 0, ''].flatMap((nothing): [string, OnReject, number, RegExp][] => [
      [
        `throws ${nothing}`,
        () => {
          throw nothing
        },
        403,
        /MOE_ERR_REJECTED/
      ],
      [`rejects with ${nothing}`, () => Promise.reject(nothing), 403, /MOE_ERR_REJECTED/]
    ]),
    ['sends from an async function', async (_, reply) => reply.code(418).send('own'), 418, /^own$/],
    [
      'sends later',
      async (_, reply) => {
        await delay(1)
        return reply.code(418).send('own')
      },
      418,
      /^own$/
    ],
    ['gives back a payload', () => ({ own: true }), 403, /^\{"own":true\}$/],
    ['gives back a payload with a status', async (_, reply) => String(reply.code(451).statusCode), 451, /^451$/],
    ['gives back the verdict', (_request, _reply, { reason }) => reason, 403, /^not-listed$/],
    ['does nothing', () => undefined, 403, /MOE_ERR_REJECTED/],
    [
      'throws',
      () => {
        throw Object.assign(new Error('own'), { statusCode: 409 })
      },
      409,
      /own/
    ],
    ['rejects', () => Promise.reject(Object.assign(new Error('own'), { statusCode: 409 })), 409, /own/],
    ...unreadableErrors().map((error): [string, OnReject, number, RegExp] => [
      'rejects with an error that cannot be read',
      () => Promise.reject(error),
      500,
      /cannot be read/
    ]),
    ['returns a thenable that fails', () => failingThenable('own'), 500, /own/],
    [
      'sends what Fastify refuses',
      (_, reply) => void reply.type('text/plain').send({}),
      500,
      /FST_ERR_REP_INVALID_PAYLOAD_TYPE/
    ],
    ['redirects', (_, reply) => reply.redirect('https://example.com', 302), 302, /^$/]
  ]
  for (const [what, onReject, status, body] of table) {
    let handled = false
    const { app } = await guarded({ onReject }, (app) => {
      app.get('/', async () => {
        handled = true
      })
    })
    const answer = await inject(app, STRANGER)
    t.equal(answer.statusCode, status, what)
    t.match(answer.body, body, what)
    t.equal(handled, false, what)
  }
})

t.test('an answer that onReject has sent stays, however long it takes', async (t) => {
  type OnReject = NonNullable<MoEngageAllowlistOptions['onReject']>
  const table: [what: string, onReject: OnReject][] = [
    ['sends only', (_, reply) => void reply.code(418).send('own')],
    ['sends and returns the reply', (_, reply) => reply.code(418).send('own')],
    ['sends in an async function', async (_, reply) => void reply.code(418).send('own')],
    ['sends in an async function and returns the reply', async (_, reply) => reply.code(418).send('own')],
    ['sends a stream', (_, reply) => void reply.code(418).send(Readable.from(['own']))],
    ['sends a stream later', (_, reply) => delay(1).then(() => void reply.code(418).send(Readable.from(['own'])))],
    ['returns a stream', (_, reply) => Readable.from(reply.code(418).statusCode === 418 ? ['own'] : [])],
    [
      'sends a stream and throws',
      (_, reply) => {
        reply.code(418).send(Readable.from(['own']))
        throw new Error('late')
      }
    ]
  ]
  for (const isSlow of [false, true]) {
    for (const [what, onReject] of table) {
      const { app, lines } = logging()
      if (isSlow) app.addHook('onSend', (_request, _reply, payload) => delay(5, payload))
      await app.register(moengageAllowlist, { dataCenters: 'DC-01', onReject })
      app.get('/', async () => 'ok')
      const answer = await inject(app, STRANGER)
      t.strictSame([answer.statusCode, answer.body], [418, 'own'], `${what}, ${isSlow}`)
      await delay(isSlow ? 10 : 1)
      t.strictSame(
        lines.filter(({ level, moengage }) => level >= 40 && moengage === undefined),
        [],
        `${what}, ${isSlow}: nothing was sent twice`
      )
      await app.close()
    }
  }
})

t.test('promises inside of what onReject returns end no process', async (t) => {
  for (const [what, make] of HIDDEN_REJECTIONS) {
    const table: [onReject: NonNullable<MoEngageAllowlistOptions['onReject']>, body: RegExp][] = [
      [(_, reply) => [reply.send('own'), make()], /^own$/],
      [async (_, reply) => [reply.send('own'), make()], /^own$/],
      [make, /./]
    ]
    for (const [onReject, body] of table) {
      const { app } = await guarded({ onReject }, (app) => {
        app.get('/', async () => 'ok')
      })
      const answer = await inject(app, STRANGER)
      await untilRejected()
      t.not(answer.statusCode, 200, what)
      t.match(answer.body, body, what)
    }
  }
})

t.test('an error handler of the user decides about the answer', async (t) => {
  const { app } = await guarded({ statusCode: 404 }, (app) => {
    app.setErrorHandler(
      (error: Error & { code: string; verdict: { reason: string }; statusCode: number }, _, reply) => {
        const { code, verdict, statusCode, stack } = error
        reply
          .code(418)
          .send({ code, reason: verdict.reason, statusCode, stack: stack ?? null, keys: Object.keys(error) })
      }
    )
    app.get('/', async () => 'ok')
  })
  const answer = await inject(app, STRANGER)
  t.equal(answer.statusCode, 418)
  t.match(answer.json(), { code: 'MOE_ERR_REJECTED', reason: 'not-listed', statusCode: 404, stack: null })
  t.notOk(answer.json().keys.includes('verdict'), 'a handler that sends the error as it is gives nothing away')
})

t.test('an error handler of the user answers with the status of the rejection until it sets another', async (t) => {
  type ErrorHandler = Parameters<FastifyInstance['setErrorHandler']>[0]
  const own = (statusCode?: number) => Object.assign(new Error('own'), { statusCode })
  const table: [what: string, handler: ErrorHandler, status: number][] = [
    ['sends only', (_error, _request, reply) => void reply.send({ own: true }), 404],
    ['returns an answer', async () => ({ own: true }), 404],
    ['sends the error', (error, _request, reply) => void reply.send(error), 404],
    ['sets a status', (_error, _request, reply) => void reply.code(418).send({ own: true }), 418],
    ['throws an error with a status', () => Promise.reject(own(410)), 410],
    ['redirects', (_error, _request, reply) => void reply.redirect('/denied'), 302],
    ['throws an error without one', () => Promise.reject(own()), 500],
    [
      'has a mistake',
      () => {
        throw own()
      },
      500
    ]
  ]
  for (const [what, handler, status] of table) {
    const { app } = await guarded({ statusCode: 404 }, (app) => {
      app.setErrorHandler(handler)
      app.get('/', async () => 'ok')
    })
    t.equal((await inject(app, STRANGER)).statusCode, status, what)
    t.equal((await inject(app, LISTED)).statusCode, 200, what)
  }
})

t.test('what onReject throws keeps its status with an error handler that sends without one', async (t) => {
  const own = (fields: object) => Object.assign(new Error('own'), fields)
  const table: [what: string, onReject: () => unknown, status: number][] = [
    ['an error', () => Promise.reject(own({})), 500],
    ['an error with a status code', () => Promise.reject(own({ statusCode: 409 })), 409],
    ['an error with a status', () => Promise.reject(own({ status: 410 })), 410],
    ['an error with a status that is none of an error', () => Promise.reject(own({ statusCode: 200 })), 500],
    ['at once', () => thrower(own({ statusCode: 409 })), 409],
    ['a text', () => thrower('own'), 500],
    ['undefined', () => Promise.reject(undefined), 404],
    ['nothing', async () => {}, 404]
  ]
  for (const [what, onReject, status] of table) {
    const { app } = await guarded({ statusCode: 404, onReject }, (app) => {
      app.setErrorHandler((_error, _request, reply) => void reply.send({ own: true }))
      app.get('/', async () => 'ok')
    })
    const answer = await inject(app, STRANGER)
    t.match({ status: answer.statusCode, body: answer.body }, { status, body: '{"own":true}' }, what)
  }
})

function thrower(error: unknown): never {
  throw error
}

t.test('verifyMoEngage sets no status, since another method may let the request in', async (t) => {
  for (const [onReject, status] of [
    [undefined, 403],
    [() => thrower(new Error('own')), 500]
  ] as const) {
    const app = Fastify()
    await app.register(moengageAllowlist, OPTIONS)
    const verify = app.verifyMoEngage({ onReject })
    const preHandler: preHandlerHookHandler = function (request, reply, done) {
      verify.call(this, request, reply, (error) => done(request.headers['x-token'] === 'mine' ? undefined : error))
    }
    app.get('/', { config: { moengage: false }, preHandler }, async () => 'ok')
    const statusFor = async (headers: object) =>
      (await app.inject({ url: '/', headers: { 'x-forwarded-for': STRANGER, ...headers } })).statusCode
    t.equal(await statusFor({ 'x-token': 'mine' }), 200)
    t.equal(await statusFor({}), status)
  }
})

t.test('every route of the scope is guarded, and none outside', async (t) => {
  const app = Fastify()
  app.get('/before', async () => 'ok')
  app.register(async (hooks) => {
    hooks.get('/hooks/before', async () => 'ok')
    hooks.register(moengageAllowlist, OPTIONS)
    hooks.get('/hooks/after', async () => 'ok')
    hooks.get('/hooks/open', { config: { moengage: false } }, async () => 'ok')
    hooks.register(async (inner: FastifyInstance) => {
      inner.get('/hooks/inner', async () => 'ok')
    })
  })
  app.get('/after', async () => 'ok')
  const table: [url: string, status: number][] = [
    ['/before', 200],
    ['/after', 200],
    ['/hooks/before', 403],
    ['/hooks/after', 403],
    ['/hooks/inner', 403],
    ['/hooks/open', 200]
  ]
  for (const [url, status] of table) {
    t.equal((await inject(app, STRANGER, url)).statusCode, status, url)
    t.equal((await inject(app, LISTED, url)).statusCode, 200, url)
  }
  t.equal((await inject(app, STRANGER, '/hooks/after', 'HEAD')).statusCode, 403)
  t.equal((await inject(app, LISTED, '/hooks/after', 'HEAD')).statusCode, 200)
})

t.test('what a guarded scope does not have is told to nobody but MoEngage', async (t) => {
  const { app } = await guarded()
  t.equal((await inject(app, STRANGER, '/nothing')).statusCode, 403)
  t.equal((await inject(app, LISTED, '/nothing')).statusCode, 404)
  const scoped = Fastify()
  scoped.register(
    async (hooks) => {
      await hooks.register(moengageAllowlist, OPTIONS)
      hooks.setNotFoundHandler((_, reply) => reply.code(404).send('own'))
    },
    { prefix: '/hooks' }
  )
  t.equal((await inject(scoped, STRANGER, '/hooks/nothing')).statusCode, 403)
  t.equal((await inject(scoped, LISTED, '/hooks/nothing')).body, 'own')
  t.equal((await inject(scoped, STRANGER, '/nothing')).statusCode, 404)
})

t.test('one registration a scope: beside each other they work, twice or inside each other they do not', async (t) => {
  const siblings = Fastify()
  for (const [prefix, dataCenters] of [
    ['/us', 'DC-01'],
    ['/in', 'DC-03']
  ] as const) {
    siblings.register(
      async (hooks) => {
        await hooks.register(moengageAllowlist, { ...OPTIONS, dataCenters })
        hooks.get('/', async () => hooks.moengage!.status().verified)
      },
      { prefix }
    )
  }
  t.equal((await inject(siblings, LISTED, '/us')).statusCode, 200)
  t.equal((await inject(siblings, LISTED, '/in')).statusCode, 403)
  t.equal((await inject(siblings, LISTED_IN['DC-03'], '/in')).statusCode, 200)

  const twice = Fastify()
  twice.register(moengageAllowlist, OPTIONS)
  twice.register(moengageAllowlist, OPTIONS)
  await t.rejects(async () => twice.ready(), { code: 'MOE_ERR_REGISTERED_TWICE', fix: /config\.moengage/ })
  const nested = Fastify()
  nested.register(moengageAllowlist, OPTIONS)
  nested.register(async (inner: FastifyInstance) => void inner.register(moengageAllowlist, OPTIONS))
  await t.rejects(async () => nested.ready(), { code: 'MOE_ERR_REGISTERED_TWICE' })
})

t.test('a name that another decorator has taken is named', async (t) => {
  const table: [name: string, decorate: (app: FastifyInstance) => unknown][] = [
    ['app.moengage', (app) => app.decorate('moengage', {} as never)],
    ['app.verifyMoEngage', (app) => app.decorate('verifyMoEngage', (() => {}) as never)],
    ['request.moengage', (app) => app.decorateRequest('moengage', null)]
  ]
  for (const [value, decorate] of table) {
    const app = Fastify()
    decorate(app)
    app.register(async (inner) => void inner.register(moengageAllowlist, OPTIONS))
    const message = new RegExp(`^The name ${value} is taken by another decorator.*Give that decorator another name`)
    await t.rejects(async () => app.ready(), { code: 'MOE_ERR_REGISTERED_TWICE', value, message })
  }
})

t.test('a guard around a scope that is guarded already is refused in whatever order they load', async (t) => {
  const orders: [what: string, register: (app: ReturnType<typeof Fastify>) => unknown][] = [
    [
      'a plugin of the scope first',
      (app) => {
        app.register(async (inner: FastifyInstance) => void inner.register(moengageAllowlist, { dataCenters: 'DC-03' }))
        app.register(moengageAllowlist, OPTIONS)
      }
    ],
    [
      'two levels down',
      (app) => {
        app.register(async (middle: FastifyInstance) => {
          middle.register(
            async (inner: FastifyInstance) =>
              void inner.register(moengageAllowlist, { dataCenters: 'DC-03', mode: 'tag' }),
            { prefix: '/x' }
          )
        })
        app.register(moengageAllowlist, { ...OPTIONS, dataCenters: 'all' })
      }
    ],
    [
      'after the inner one was awaited',
      async (app) => {
        await app.register(async (inner: FastifyInstance) => void (await inner.register(moengageAllowlist, OPTIONS)))
        app.register(moengageAllowlist, OPTIONS)
      }
    ]
  ]
  for (const [what, register] of orders) {
    const app = Fastify()
    await register(app)
    await t.rejects(
      async () => app.ready(),
      { code: 'MOE_ERR_REGISTERED_TWICE', message: /scope inside of this one/ },
      what
    )
  }
})

t.test('a request that is judged twice is counted and reported once', async (t) => {
  const verdicts: Verdict[] = []
  const { app, rejections } = await guarded({ onVerdict: (verdict) => void verdicts.push(verdict) }, (app) => {
    app.get('/', { preHandler: app.verifyMoEngage() }, async (request) => app.moengage!.judge(request))
    app.get(
      '/tag',
      { config: { moengage: { mode: 'tag' } }, preHandler: app.verifyMoEngage({ mode: 'tag' }) },
      async () => 'ok'
    )
    app.get('/strict', { preHandler: app.verifyMoEngage({ channels: 'catalog' }) }, async () => 'ok')
    const tagged = (channels: 'catalog' | 'streams') => ({ channels, mode: 'tag' }) as const
    const hooks = [app.verifyMoEngage(tagged('streams')), app.verifyMoEngage(tagged('catalog'))]
    app.get('/thrice', { config: { moengage: tagged('catalog') }, preHandler: hooks }, async () => 'ok')
  })
  t.equal((await inject(app, LISTED)).statusCode, 200)
  t.equal((await inject(app, STRANGER, '/tag')).statusCode, 200)
  t.match(app.moengage!.status(), { verified: 1, rejected: { 'not-listed': 1 } })
  t.strictSame([verdicts.length, rejections().length], [2, 1])
  t.match(app.moengage!.senders(), [{ count: 1 }])
  t.equal((await inject(app, LISTED, '/strict')).statusCode, 403)
  t.match(app.moengage!.status(), { verified: 1, rejected: { 'other-channel': 1 } }, 'a later rejection counts instead')
  t.strictSame([verdicts.length, rejections().length], [4, 2])
  t.equal((await inject(app, LISTED, '/thrice')).statusCode, 200)
  t.match(app.moengage!.status(), { verified: 1, rejected: { 'other-channel': 2 } }, 'a second rejection does not')
  t.strictSame([verdicts.length, rejections().length], [5, 3])
})

t.test('a request that was verified and whose client is no longer known is a rejection, once', async (t) => {
  let asked = 0
  const clientIp = () => (asked++ === 0 ? LISTED : undefined)
  const { app } = await guarded({ clientIp }, (app) => {
    app.get('/', async (request) => [app.moengage!.judge(request), app.moengage!.judge(request)])
  })
  t.match((await inject(app, LISTED)).json(), [{ reason: 'unresolved' }, { reason: 'unresolved' }])
  t.match(app.moengage!.status(), { verified: 0, rejected: { unresolved: 1 } })
})

t.test('a request that was asked about by a narrower policy got through when its route verifies it', async (t) => {
  const { app } = logging()
  app.addHook('onRequest', async (request) => void app.moengage!.judge(request, { channels: 'catalog' }))
  await app.register(moengageAllowlist, OPTIONS)
  app.get('/hook', async () => 'ok')
  const before = Date.now() - 100
  t.equal((await inject(app, LISTED, '/hook')).statusCode, 200)
  const { verified, rejected, lastVerified } = app.moengage!.status()
  t.match({ verified, rejected }, { verified: 0, rejected: { 'other-channel': 1 } }, 'it is counted once')
  t.match(lastVerified, [{ route: '/hook', dataCenter: 'DC-01' }])
  t.ok(lastVerified[0]!.at >= before)
  t.equal((await inject(app, STRANGER, '/hook')).statusCode, 403)
  t.equal(app.moengage!.status().lastVerified.length, 1)
  t.notMatch(`${app.moengage!.status().diagnosis}`, /No request was ever verified/, 'one got through')
})

t.test('a request that a hook or a handler asks about is counted once, and reported by the guard', async (t) => {
  const verdicts: Verdict[] = []
  const { app, lines } = logging()
  const moengage = () => app.moengage!
  const asking: [hook: 'onRequest' | 'preHandler', policy?: object][] = [['onRequest'], ['onRequest'], ['preHandler']]
  for (const [hook] of asking) app.addHook(hook, async (request) => void moengage().judge(request))
  await app.register(moengageAllowlist, {
    ...OPTIONS,
    mode: 'tag',
    onVerdict: (verdict) => void verdicts.push(verdict)
  })
  app.get('/', async (request) => moengage().judge(request))
  app.get('/strict', { config: { moengage: { channels: 'catalog' } } }, async (request) => moengage().judge(request))
  const rejections = () => lines.filter(({ moengage }) => moengage?.reason !== undefined).length

  for (let i = 1; i <= 2; i++) await inject(app, LISTED)
  await inject(app, STRANGER)
  t.match(moengage().status(), { verified: 2, rejected: { 'not-listed': 1 } })
  t.match(moengage().senders(), [{ clientIp: STRANGER, count: 1 }])
  t.strictSame([verdicts.length, rejections()], [3, 1])
  await inject(app, LISTED, '/strict')
  t.match(moengage().status(), { verified: 2, rejected: { 'other-channel': 1 } }, 'a later rejection counts instead')
  t.strictSame([verdicts.length, rejections()], [4, 2])

  const handled = await guarded({ mode: 'tag' }, (app) => {
    app.get('/', async (request) => {
      for (let i = 0; i < 3; i++) app.moengage!.judge(request, { channels: 'catalog' })
      return app.moengage!.judge(request)
    })
  })
  await inject(handled.app, LISTED)
  t.match(handled.app.moengage!.status(), { verified: 0, rejected: { 'other-channel': 1 } })

  const strict = await guarded({ mode: 'tag', channels: 'catalog' }, (app) => {
    app.get('/', async (request) => {
      t.match(app.moengage!.judge(request, { channels: 'streams' }), { verified: true })
      return app.moengage!.judge(request)
    })
  })
  t.match((await inject(strict.app, LISTED)).json(), { reason: 'other-channel' })
  t.match(strict.app.moengage!.status(), { verified: 0, rejected: { 'other-channel': 1 } }, 'its hook had rejected it')
})

t.test("a request that another scope's guard has judged counts for both", async (t) => {
  const app = Fastify()
  let other: FastifyInstance['moengage']
  await app.register(async (scope) => {
    await scope.register(moengageAllowlist, OPTIONS)
    other = scope.moengage
  })
  await app.register(async (scope) => {
    await scope.register(moengageAllowlist, OPTIONS)
    scope.get('/', async (request) => other!.judge(request))
  })
  t.equal((await inject(app, LISTED)).statusCode, 200)
  t.equal(other!.status().verified, 1)
})

t.test('wrong options keep the server from starting', async (t) => {
  const table: [options: object, paths: string[]][] = [
    [{}, ['dataCenters']],
    [
      { dataCenters: 'US', statusCode: 200, mode: 'monitor', onReject: 'log', logLevel: 'loud', allowed: [] },
      ['dataCenters', 'mode', 'statusCode', 'onReject', 'logLevel', 'allowed']
    ],
    [{ dataCenters: 'DC-01', statusCode: 302 }, ['statusCode']],
    [{ dataCenters: 'DC-01', statusCode: '403' }, ['statusCode']]
  ]
  for (const [options, paths] of table) {
    const app = Fastify()
    app.register(moengageAllowlist, options as MoEngageAllowlistOptions)
    const error = await app.ready().then(
      () => undefined,
      (error) => error
    )
    t.match(error, { code: 'MOE_ERR_OPTIONS' })
    t.strictSame(
      error?.mistakes.map(({ path }: { path: string }) => path),
      paths
    )
  }
})

t.test('wrong options of a route keep the server from starting', async (t) => {
  const table: [config: unknown, code: string, path: string][] = [
    [{ channels: 'conector' }, 'MOE_ERR_CHANNEL', 'channels'],
    [{ dataCenters: 'DC-02', channels: 'segment-sync' }, 'MOE_ERR_NO_ADDRESSES', 'channels'],
    [{ statusCode: 204 }, 'MOE_ERR_OPTION_VALUE', 'statusCode'],
    [{ logLevel: 'warn' }, 'MOE_ERR_UNKNOWN_OPTION', 'logLevel'],
    [true, 'MOE_ERR_OPTION_VALUE', 'config.moengage'],
    [null, 'MOE_ERR_OPTION_VALUE', 'config.moengage'],
    [0, 'MOE_ERR_OPTION_VALUE', 'config.moengage'],
    ['', 'MOE_ERR_OPTION_VALUE', 'config.moengage'],
    [[], 'MOE_ERR_OPTION_VALUE', 'config.moengage'],
    ['off', 'MOE_ERR_OPTION_VALUE', 'config.moengage']
  ]
  for (const [moengage, code, path] of table) {
    const app = Fastify()
    await app.register(moengageAllowlist, OPTIONS)
    app.get('/', { config: { moengage: moengage as never } }, async () => 'ok')
    const where = path.startsWith('config') ? path : `config.moengage.${path}`
    await t.rejects(
      async () => app.ready(),
      { code: 'MOE_ERR_OPTIONS', mistakes: [{ code, path: `GET / ${where}` }] },
      JSON.stringify(moengage)
    )
  }
})

t.test('all wrong routes are reported at once, each with its method and URL', async (t) => {
  const app = Fastify()
  await app.register(moengageAllowlist, OPTIONS)
  app.get('/a', { config: { moengage: { channels: 'conector' as never } } }, async () => 'ok')
  app.register(
    async (scope) => {
      scope.post('/b', { config: { moengage: { mode: 'tags' as never, statusCode: 200 } } }, async () => 'ok')
    },
    { prefix: '/in' }
  )
  app.route({ method: ['PUT', 'PATCH'], url: '/c', config: { moengage: 1 as never }, handler: async () => 'ok' })
  app.get('/right', { config: { moengage: { channels: 'streams' } } }, async () => 'ok')
  const error = await app.ready().then(
    () => undefined,
    (error) => error
  )
  t.strictSame(error?.mistakes.map(({ path }: { path: string }) => path).sort(), [
    'GET /a config.moengage.channels',
    'POST /in/b config.moengage.mode',
    'POST /in/b config.moengage.statusCode',
    'PUT,PATCH /c config.moengage'
  ])
})

t.test('polluted prototypes open no route', async (t) => {
  const { app } = await guarded({}, (app) => void app.get('/', async () => 'ok'))
  await app.ready()
  const prototype = Object.prototype as unknown as Record<string, unknown>
  prototype.moengage = false
  t.teardown(() => delete prototype.moengage)
  t.equal((await inject(app, STRANGER)).statusCode, 403)
})

t.test(
  'wrong options of a route that was added before the plugin was loaded keep the server from starting',
  async (t) => {
    const wrong = { config: { moengage: { channels: 'conector' as never } } }
    const table: [what: string, add: (app: FastifyInstance) => unknown, place: string][] = [
      [
        'before the registration',
        async (app) => {
          app.get('/early', wrong, async () => 'ok')
          await app.register(moengageAllowlist, OPTIONS)
        },
        'GET /early'
      ],
      [
        'behind a registration without await',
        (app) => {
          app.register(moengageAllowlist, OPTIONS)
          app.post('/early', wrong, async () => 'ok')
        },
        'POST /early'
      ],
      [
        'in a scope with a prefix',
        (app) =>
          app.register(
            async (scope) => {
              scope.put('/early', wrong, async () => 'ok')
              await scope.register(moengageAllowlist, OPTIONS)
              scope.put('/late', { config: { moengage: { mode: 'tag' } } }, async () => 'ok')
            },
            { prefix: '/in' }
          ),
        'PUT /in/early'
      ]
    ]
    for (const [what, add, place] of table) {
      const app = Fastify()
      await add(app)
      const error = await app.ready().then(
        () => undefined,
        (error) => error
      )
      t.match(error, { code: 'MOE_ERR_OPTIONS', mistakes: [{ path: `${place} config.moengage.channels` }] }, what)
      t.match(error.message, /"conector"/, what)
      t.equal(error.mistakes.length, 1, what)
    }
    const apart = Fastify()
    apart.get('/', wrong, async () => 'ok')
    await apart.register(async (scope) => void (await scope.register(moengageAllowlist, OPTIONS)))
    await apart.ready()
    t.pass('routes outside of the scope are not its own')
  }
)

t.test('a route that could not be checked at the start is closed while its options are wrong', async (t) => {
  const { app, lines } = logging()
  // As if the server was made before this package was loaded.
  app.server = createServer()
  app.register(moengageAllowlist, OPTIONS)
  app.get('/', { config: { moengage: { channels: 'conector' as never } } }, async () => 'ok')
  for (const clientIp of [LISTED, STRANGER]) {
    const answer = await inject(app, clientIp)
    t.equal(answer.statusCode, 500)
    t.notMatch(answer.body, /conector/)
  }
  t.equal(lines.filter(({ err }) => /conector/.test(err?.message ?? '')).length, 1, 'the log says once what is wrong')
})

t.test('warnings are logged at start-up', async (t) => {
  const { lines } = await guarded({ clientIp: { trustedProxies: ['uniquelocal', 'loopback'] } })
  t.match(
    lines.filter(({ level }) => level === 40),
    [{ msg: /covers all private networks/, moengage: { code: 'MOE_WARN_TRUSTED_PROXIES' } }]
  )
})

t.test('the list is loaded from a source, and loaded anew on demand', async (t) => {
  let address = '9.9.9.9'
  const load = async () => ({
    provenance: { page: 'test', revision: address, retrieved: '2026-11-23' },
    rows: [{ dataCenter: 'DC-01', channel: 'streams', addresses: [address] } as const]
  })
  const { app } = await guarded({ source: { name: 'test', load }, confirm: ['shrunk'], gracePeriod: 0 }, (app) => {
    app.get('/', { config: { moengage: { channels: 'streams' } } }, async () => 'ok')
  })
  t.equal((await inject(app, '9.9.9.9')).statusCode, 200)
  address = '8.8.8.8'
  t.match(await app.moengage!.reload(), { revision: '8.8.8.8' })
  t.equal((await inject(app, '9.9.9.9')).statusCode, 403)
  t.equal((await inject(app, '8.8.8.8')).statusCode, 200)
  t.match(app.moengage!.senders(), [{ clientIp: '9.9.9.9', count: 1 }])
  t.match(app.moengage!.explain('8.8.8.8').text, /is verified/)

  const broken = Fastify()
  broken.register(moengageAllowlist, {
    ...OPTIONS,
    source: { name: 'gone', load: () => Promise.reject(new Error('ENOENT')) }
  })
  await t.rejects(async () => broken.ready(), { code: 'MOE_ERR_SOURCE' })
})

t.test('a request that Fastify does not handle is judged without trustProxy, and the hint says so', async (t) => {
  const forwarded = { peer: '127.0.0.1', headers: from(LISTED) }
  const judging = async (clientIp: MoEngageAllowlistOptions['clientIp']) => {
    const app = Fastify({ trustProxy: ['127.0.0.1'] })
    await app.register(moengageAllowlist, { dataCenters: 'DC-01', clientIp })
    app.get('/raw', async (request) => app.moengage!.judge(request.raw))
    app.get('/judged', { config: { moengage: false } }, async (request) => app.moengage!.judge(request))
    return { app, verdict: app.moengage!.judge(forwarded) }
  }
  const { app, verdict } = await judging('request.ip')
  t.match(verdict, { verified: false, reason: 'proxy-not-configured' })
  const fix =
    "pass clientIp: { trustedProxies: ['127.0.0.1', ...] } with all of your proxies, since it replaces Fastify's trustProxy, which does " +
    'not apply to this request: Fastify does not handle it.'
  t.ok(!verdict.verified && verdict.hint.endsWith(fix))
  const { diagnosis } = app.moengage!.status()
  for (const text of [diagnosis[0], app.moengage!.explain('127.0.0.1').text]) {
    t.match(
      text,
      /pass clientIp: \{ trustedProxies: \['127\.0\.0\.1', \.\.\.\] \} .*, or, for requests that Fastify handles over a socket, list it in that setting/,
      'of the address alone it is unknown whether Fastify handles its requests'
    )
  }
  t.match(diagnosis, [/seems to be your own proxy: add it to clientIp\.trustedProxies/])
  t.match((await judging({ trustedProxies: ['127.0.0.1'] })).verdict, { verified: true }, 'as the hint says')
  t.equal((await app.inject({ url: '/raw', headers: from(LISTED) })).json().verified, false)
  t.match(app.moengage!.status(), { verified: 1, rejected: { 'proxy-not-configured': 2 } }, 'counted on its own')
  const unlisted = { url: '/judged', remoteAddress: '10.0.0.5', headers: from(LISTED) }
  t.match((await app.inject(unlisted)).json().hint, /list it in Fastify's trustProxy .*'10\.0\.0\.5', \.\.\.\] }/)
})

t.test('the advice about a second proxy keeps what the first one was trusted for', async (t) => {
  const verdictsBy = async (trustProxy: string | string[], clientIp: MoEngageAllowlistOptions['clientIp']) => {
    const app = Fastify({ trustProxy })
    await app.register(moengageAllowlist, { dataCenters: 'DC-01', mode: 'tag', clientIp })
    app.get('/', async (request) => request.moengage)
    const ask = async (forwarded: string) => (await app.inject({ url: '/', headers: from(forwarded) })).json()
    return [await ask(LISTED), await ask(`${LISTED}, 10.1.2.3`)]
  }
  const [direct, behind] = await verdictsBy('loopback', 'request.ip')
  t.match(direct, { verified: true })
  t.match(behind, {
    clientIp: '10.1.2.3',
    reason: 'proxy-not-configured',
    hint:
      "If it is: list it in Fastify's trustProxy (a number there trusts nobody since Fastify 5.12.1), or pass clientIp: { trustedProxies: " +
      "['10.1.2.3', ...] } with all of your proxies, since it replaces that setting."
  })
  const table: [what: string, trustProxy: string | string[], clientIp: MoEngageAllowlistOptions['clientIp']][] = [
    ['listed in the setting', ['loopback', '10.1.2.3'], 'request.ip'],
    ['all of the proxies in the object', 'loopback', { trustedProxies: ['10.1.2.3', 'loopback'] }]
  ]
  for (const [what, trustProxy, clientIp] of table) {
    const verdicts = await verdictsBy(trustProxy, clientIp)
    t.match(verdicts, [{ verified: true }, { verified: true }], what)
  }
})

t.test('the advice about a proxy that writes another header than X-Forwarded-For is to read that one', async (t) => {
  const table: [remoteAddress: string, header: string, trusted: string][] = [
    ['10.0.0.1', 'x-real-ip', '10.0.0.1'],
    ['104.16.0.9', 'cf-connecting-ip', '104.16.0.0/13']
  ]
  for (const [remoteAddress, header, trusted] of table) {
    const judging = async (trustProxy: string[], clientIp: MoEngageAllowlistOptions['clientIp']) => {
      const app = Fastify(trustProxy.length > 0 ? { trustProxy } : {})
      await app.register(moengageAllowlist, { dataCenters: 'DC-01', mode: 'tag', clientIp })
      app.get('/', async (request) => request.moengage)
      const verdict = (await app.inject({ url: '/', remoteAddress, headers: { [header]: LISTED } })).json()
      return { verdict, diagnosis: app.moengage!.status().diagnosis }
    }
    for (const trustProxy of [[], [trusted]]) {
      const { verdict, diagnosis } = await judging(trustProxy, 'request.ip')
      t.equal(verdict.reason, 'proxy-not-configured')
      t.notMatch(verdict.hint, /list its? /, 'no setting that reads X-Forwarded-For alone')
      t.match(
        verdict.hint,
        /the one header that the proxy itself writes, since Fastify's trustProxy reads x-forwarded-for alone/
      )
      const mended = await judging(trustProxy, clientIpOf(verdict.hint, trusted, header))
      t.match(mended.verdict, { verified: true, clientIp: LISTED }, `${header}, ${trustProxy}`)
      if (trustProxy.length > 0) {
        t.notMatch(diagnosis[0], /list its? /, 'it is listed there')
        const all = await judging(trustProxy, clientIpOf(diagnosis[0]!, trusted, header))
        t.match(all.verdict, { verified: true, clientIp: LISTED }, 'the diagnosis leads there at once')
        continue
      }
      t.match(diagnosis, [/, list its? .*in that setting .*, if the proxy writes x-forwarded-for\. /])
      const half = await judging(trustProxy, clientIpOf(diagnosis[0]!, trusted, header))
      t.match(
        half.verdict,
        { hint: new RegExp(`sends ${header}, not x-forwarded-for`) },
        'the diagnosis leads there as well'
      )
    }
  }
})

t.test("a proxy in Fastify's trustProxy is not to be listed there again", async (t) => {
  const fragile = (address: string) => {
    if (address === '10.1.2.3') throw Promise.reject(new Error('own trust'))
    return address === '127.0.0.1'
  }
  const inside = /^Every address in x-forwarded-for is one of your proxies, .* made from inside your network/
  const noHeader = /^The trusted proxy 127\.0\.0\.1 forwards no client address: let it set x-forwarded-for\. If /
  const table: [what: string, trustProxy: unknown, peer: string, forwarded: string | null, hint: RegExp][] = [
    ['curl through nginx', 'loopback', '127.0.0.1', '127.0.0.1', inside],
    ['the same on a socket for IPv6', 'loopback', '::ffff:127.0.0.1', '127.0.0.1', inside],
    ['a pod behind two proxies', ['loopback', '10.0.0.0/8'], '127.0.0.1', '10.1.2.3, 10.0.0.1', inside],
    [
      'nginx that hides Cloudflare',
      ['104.16.0.0/13', '10.0.0.1'],
      '10.0.0.1',
      '104.16.0.9',
      /^Every .* wrote 104\.16\.0\.9 in place of/
    ],
    ['nginx without proxy_set_header', 'loopback', '127.0.0.1', null, noHeader],
    [
      'a client that is not trusted',
      'loopback',
      '127.0.0.1',
      '10.1.2.3',
      /^10\.1\.2\.3 is a private address: the request was made in/
    ],
    [
      'one for which the function fails',
      fragile,
      '127.0.0.1',
      '10.1.2.3',
      /^10\.1\.2\.3 is a private address: the request was made in/
    ]
  ]
  for (const [what, trustProxy, remoteAddress, forwarded, hint] of table) {
    const app = Fastify({ trustProxy: trustProxy as string })
    await app.register(moengageAllowlist, { dataCenters: 'DC-01', mode: 'tag' })
    app.get('/', async (request) => request.moengage)
    const ask = async (clientIp: string | null) =>
      (await app.inject({ url: '/', remoteAddress, headers: clientIp === null ? {} : from(clientIp) })).json()
    t.match(await ask(LISTED), { verified: true }, what)
    t.match(await ask(forwarded), { reason: 'not-listed', hint }, what)
    t.match(await ask(LISTED), { verified: true }, what)
    t.strictSame(app.moengage!.status().diagnosis, [], `${what}: no proxy to add`)
  }
})

t.test(
  "a proxy with a public address in Fastify's trustProxy that hides its sender is not to be allowed",
  async (t) => {
    const proxy = '8.8.4.4'
    for (const headers of [{ 'x-moe-token': 'a-shared-secret' }, {}]) {
      const { app, rejections } = await guarded(
        { clientIp: 'request.ip', mode: 'tag', carriesSecret: secretHeader('x-moe-token', 'a-shared-secret') },
        undefined,
        { trustProxy: proxy }
      )
      await app.inject({ url: '/', remoteAddress: proxy, headers })
      const hides = /The trusted proxy 8\.8\.4\.4 forwards no client address: let it set x-forwarded-for\. /
      t.match(rejections()[0]?.moengage, { reason: 'not-listed', hint: hides, isOwn: true, paste: null })
      const { evidence } = app.moengage!.status()
      t.notMatch(JSON.stringify(evidence), /paste":"|to "allow"/)
      t.match(app.moengage!.senders(), [{ clientIp: proxy, isOwn: true }])
    }
  }
)

t.test('proxies that the framework trusts are remembered up to 1,000, and the last of them in any case', async (t) => {
  const { app } = await guarded({ clientIp: 'request.ip', mode: 'tag' }, undefined, { trustProxy: '8.8.0.0/16' })
  const proxies = Array.from({ length: 1001 }, (_, index) => `8.8.${index >> 8}.${index & 255}`)
  for (const remoteAddress of proxies) await app.inject({ url: '/', remoteAddress })
  const own = app.moengage!.senders().filter(({ isOwn }) => isOwn)
  t.ok(own.length <= 1000)
  t.ok(own.some(({ clientIp }) => clientIp === proxies.at(-1)))
})

t.test(
  'where the framework trusts proxies, a provider is listed by its addresses and a redacted one is not shown',
  async (t) => {
    const hintBy = async (redactAddress: 'truncate' | undefined, remoteAddress: string) => {
      const app = Fastify()
      await app.register(moengageAllowlist, { dataCenters: 'DC-01', mode: 'tag', redactAddress })
      app.get('/', async (request) => request.moengage)
      return (await app.inject({ url: '/', remoteAddress, headers: from(LISTED) })).json().hint
    }
    t.match(
      await hintBy(undefined, '104.16.0.9'),
      /: list its addresses in Fastify's trustProxy .* \{ trustedProxies: \['cloudflare', \.\.\.\] \}/
    )
    t.match(
      await hintBy('truncate', '10.0.0.5'),
      /: list its address in Fastify's trustProxy .* \{ trustedProxies: \[\.\.\.\] \} .* setting\. redactAddress hides the address/
    )
  }
)

t.test('app.moengage judges Fastify requests and bare connections, and logs neither', async (t) => {
  const { app, rejections } = await guarded({}, (app) => {
    app.get('/', { config: { moengage: false } }, async (request) =>
      request.server.moengage!.judge(request, { channels: 'catalog' })
    )
  })
  t.match((await inject(app, LISTED)).json(), { verified: false, reason: 'other-channel' })
  t.match(app.moengage!.judge({ peer: '::1', headers: from(LISTED) }), { verified: true, peer: '::1' })
  t.match(app.moengage!.judge({ peer: LISTED, headers: {} }, { channels: 'catalog' }), { reason: 'other-channel' })
  t.match(app.moengage!.judge({ peer: undefined, headers: from(LISTED) }), { reason: 'unresolved', peer: null })
  t.strictSame(rejections(), [])

  const upgrade = new Promise<Verdict>((resolve) => {
    app.server.on('upgrade', (request, socket) => {
      resolve(app.moengage!.judge(request))
      socket.end('HTTP/1.1 426 Upgrade Required\r\n\r\n')
    })
  })
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(() => app.close())
  await send({ port: Number(port) }, { headers: { ...from(LISTED), upgrade: 'x', connection: 'upgrade' } })
  t.match(await upgrade, { verified: true, clientIp: LISTED, peer: '127.0.0.1' }, 'a request of node:http has a socket')

  const byFunction = await guarded({ clientIp: (request) => request.headers['x-client'] as string })
  t.equal((await byFunction.app.inject({ url: '/', headers: { 'x-client': LISTED } })).statusCode, 200)
  t.equal((await byFunction.app.inject({ url: '/' })).statusCode, 403)
  t.match(byFunction.app.moengage!.judge({ peer: LISTED, headers: {} }), { reason: 'unresolved' })
  const outside = await guarded({}, (app) => {
    app.register(async (hooks) => {
      hooks.setNotFoundHandler((request) => Promise.resolve(app.moengage!.judge(request)))
    })
  })
  t.match((await inject(outside.app, LISTED, '/nowhere')).json(), { verified: true }, 'also where there is no route')
  t.match(outside.app.moengage!.metrics(), { cache: { hits: 1, misses: 1 }, senders: 0 })
})

t.test('verifyMoEngage guards where the scope does not', async (t) => {
  const { app } = await guarded({}, (app) => {
    const open = { moengage: false } as const
    app.get('/all', { config: open, preHandler: app.verifyMoEngage() }, async () => 'ok')
    app.get('/catalog', { config: open, preHandler: app.verifyMoEngage({ channels: 'catalog' }) }, async () => 'ok')
    t.throws(() => app.verifyMoEngage({ channels: 'x' as never }), { code: 'MOE_ERR_OPTIONS' })
    t.throws(() => app.verifyMoEngage('tag' as never), {
      mistakes: [{ path: 'verifyMoEngage', fix: "Write { mode: 'tag' }." }]
    } as never)
  })
  t.equal((await inject(app, LISTED, '/all')).statusCode, 200)
  t.equal((await inject(app, STRANGER, '/all')).statusCode, 403)
  t.equal((await inject(app, LISTED, '/catalog')).statusCode, 403)
})

t.test('a trustProxy that trusts strangers behind a proxy verifies nobody', async (t) => {
  type Trust = (address: string, hop: number) => boolean
  const balancer = '127.0.0.1'
  const inner = '10.0.0.2'
  const table: [name: string, trust: Trust, forwarded: string][] = [
    ['at the next hop', (address, hop) => (hop === 0 ? address === balancer : hop === 1), `${LISTED}, ${STRANGER}`],
    ['at any later hop', (address, hop) => address === balancer || hop > 0, `${LISTED}, ${STRANGER}`],
    ['at any later hop, without a stranger', (address, hop) => address === balancer || hop > 0, LISTED],
    [
      'behind the second proxy',
      (address, hop) => (hop === 0 ? address === balancer : hop === 1 ? address === inner : true),
      `${LISTED}, ${STRANGER}, ${inner}`
    ],
    [
      'by IPv6',
      (address, hop) => address === balancer || (hop === 1 && address.includes(':')),
      `${LISTED}, 2001:db8::7`
    ]
  ]
  for (const [name, trustProxy, forwarded] of table) {
    const { app, lines } = logging({ trustProxy })
    await app.register(moengageAllowlist, { dataCenters: 'DC-01' })
    app.get('/', async () => 'ok')
    t.equal((await app.inject({ url: '/' })).statusCode, 403)
    t.equal((await inject(app, forwarded)).statusCode, 403, name)
    t.equal((await inject(app, LISTED)).statusCode, 403, `${name}, from then on`)
    t.match(
      lines.filter(({ level }) => level === 50),
      [{ moengage: { reason: 'permissive-trust' } }],
      name
    )
  }
})

t.test('a trustProxy of addresses is tried once a chain of proxies', async (t) => {
  let calls = 0
  const proxies = ['127.0.0.1', '10.0.0.2', '10.0.0.3']
  const trustProxy = (address: string) => {
    calls++
    return proxies.includes(address)
  }
  const app = Fastify({ trustProxy })
  await app.register(moengageAllowlist, { dataCenters: 'DC-01' })
  app.get('/', async (request) => request.moengage)
  const callsOf = async (forwarded: string) => {
    calls = 0
    t.match((await inject(app, forwarded)).json(), { verified: true, clientIp: LISTED })
    return calls
  }
  for (const hops of [1, 2, 3]) {
    const forwarded = [LISTED, ...proxies.slice(1, hops)].join()
    t.ok((await callsOf(forwarded)) > 2 * hops, 'a new chain is tried')
    t.equal(await callsOf(forwarded), 2 * hops, 'a known one is only walked, by us for promises and by Fastify')
    t.equal(await callsOf(`${STRANGER}, ${forwarded}`), 2 * (hops + 1), 'whatever the client wrote')
  }
  proxies.push(...Array.from({ length: 1000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`))
  for (const proxy of proxies.slice(3)) await callsOf(`${LISTED}, ${proxy}`)
  t.equal(await callsOf(`${LISTED}, ${proxies.at(-1)}`), 4)
  t.ok((await callsOf(LISTED)) > 1, 'a thousand chains are remembered')
})

t.test('a request.ip that somebody else defined is the client', async (t) => {
  const app = Fastify()
  app.addHook('onRequest', async (request) => void Object.defineProperty(request, 'ip', { value: LISTED }))
  await app.register(moengageAllowlist, { dataCenters: 'DC-01' })
  app.get('/', async (request) => request.moengage)
  for (const headers of [{}, from(STRANGER)]) {
    t.match((await app.inject({ url: '/', headers })).json(), { verified: true, clientIp: LISTED })
  }
})

t.test('a list of proxies that cannot be read leaves the client a sender', async (t) => {
  const app = Fastify({ trustProxy: '127.0.0.1' })
  app.addHook('onRequest', async (request) => {
    Object.defineProperty(request, 'ips', {
      get() {
        throw new Error('own')
      }
    })
  })
  await app.register(moengageAllowlist, { dataCenters: 'DC-01', clientIp: 'request.ip', mode: 'tag' })
  app.get('/', async (request) => request.moengage)
  const answer = await app.inject({ url: '/', remoteAddress: '8.8.8.8' })
  t.match(answer.json(), { reason: 'not-listed', clientIp: '8.8.8.8', hint: /static IPs/ })
})

t.test('request.ip is the client where Fastify resolves it', async (t) => {
  const requestIp = { clientIp: 'request.ip' } as const
  const direct = Fastify()
  await direct.register(moengageAllowlist, { ...OPTIONS, ...requestIp, allow: ['127.0.0.1'] })
  direct.get('/', async (request) => request.moengage)
  t.match((await inject(direct, LISTED)).json(), { verified: true, clientIp: '127.0.0.1', matched: '127.0.0.1/32' })

  const proxied = Fastify({ trustProxy: '127.0.0.1' })
  await proxied.register(moengageAllowlist, { ...OPTIONS, ...requestIp })
  proxied.get('/', async (request) => request.moengage)
  t.match((await inject(proxied, LISTED)).json(), { verified: true, clientIp: LISTED, peer: '127.0.0.1' })
  t.equal((await inject(proxied, STRANGER)).statusCode, 403)
})

t.test('a Fastify that trusts everyone verifies nobody', async (t) => {
  const table: [trustProxy: unknown, reason: string][] = [
    [true, 'permissive-trust'],
    [() => true, 'permissive-trust'],
    [(address: string) => address.includes(':') || address === '127.0.0.1', 'permissive-trust'],
    [['0.0.0.0/1', '128.0.0.0/1'], 'permissive-trust'],
    ['0.0.0.0/1', 'permissive-trust'],
    [1, 'proxy-not-configured'],
    [['10.0.0.0/8'], 'proxy-not-configured'],
    [(address: string) => address === '10.0.0.1', 'proxy-not-configured']
  ]
  for (const [trustProxy, reason] of table) {
    const { app, lines } = logging({ trustProxy: trustProxy as never })
    await app.register(moengageAllowlist, { dataCenters: 'DC-01' })
    app.get('/', async () => 'ok')
    for (const _ of [1, 2]) t.equal((await inject(app, LISTED)).statusCode, 403, String(trustProxy))
    const told = lines.filter(({ moengage }) => moengage)
    t.strictSame(
      told.map(({ level, moengage }) => [level, moengage?.reason]),
      [
        [50, reason],
        [40, reason]
      ],
      `${trustProxy}: the diagnosis is told once as an error, besides the line of the rejection`
    )
    t.match(
      told[0]?.msg,
      reason === 'permissive-trust' ? /trustProxy/ : /a number there trusts nobody since Fastify 5\.12\.1/
    )
  }
})

/** A Fastify that keeps its options where nobody finds them. */
function withHiddenOptions(app: FastifyInstance): FastifyInstance {
  const key = Object.getOwnPropertySymbols(app).find(({ description }) => description === 'fastify.options')!
  delete (app as unknown as Record<symbol, unknown>)[key]
  return app
}

t.test('a trustProxy function that returns a promise is found out, and ends no process', async (t) => {
  const known = new Map([['127.0.0.1', { isProxy: true }]])
  const isProxy = async (address: string) => {
    await null
    return known.get(address)!.isProxy
  }
  const table: [what: string, trustProxy: (address: string) => unknown][] = [
    ['an async function', isProxy],
    ['one that looks up what it does not know', (address) => known.has(address) || isProxy(address)],
    ['one that is like a promise', () => failingThenable('own')]
  ]
  for (const [what, trustProxy] of table) {
    const { app, lines } = logging({ trustProxy: trustProxy as never })
    await app.register(async (scope) => {
      await scope.register(moengageAllowlist, { dataCenters: 'DC-01' })
      scope.get('/', async () => 'ok')
    })
    for (const _ of [1, 2]) t.equal((await inject(app, LISTED)).statusCode, 403, what)
    await untilRejected()
    const hint = /\(true and a function that returns a promise both do\)/
    t.match(
      lines.filter(({ level }) => level === 50),
      [{ moengage: { reason: 'permissive-trust', hint } }],
      what
    )
  }
})

t.test('a trustProxy function that returns a promise for its proxies alone verifies nobody', async (t) => {
  const promises: ((address: string) => unknown)[] = [
    async () => false,
    () => Promise.reject(new Error('own')),
    () => failingThenable('own')
  ]
  for (const promise of promises) {
    const trustProxy = (address: string) => address === '127.0.0.1' && promise(address)
    // The line of Fastify's own logger about a request would read request.ip.
    const app = Fastify({ trustProxy: trustProxy as never })
    await app.register(moengageAllowlist, { dataCenters: 'DC-01', mode: 'tag' })
    app.get('/', async (request) => request.moengage)
    for (const _ of [1, 2]) t.match((await inject(app, LISTED)).json(), { reason: 'permissive-trust' })
    await untilRejected()
  }
})

t.test('a trustProxy function that returns a promise for a peer on a unix socket verifies nobody', async (t) => {
  const trustProxy = (address: string | undefined) => address === undefined && Promise.reject(new Error('own'))
  const app = Fastify({ trustProxy: trustProxy as never })
  await app.register(moengageAllowlist, { dataCenters: 'DC-01', mode: 'tag' })
  app.get('/', async (request) => request.moengage)
  t.teardown(() => app.close())
  const socketPath = join(tmpdir(), `moengage-allowlist-${process.pid}-promise.sock`)
  await app.listen({ path: socketPath })
  for (const _ of [1, 2]) {
    const { body } = await send({ socketPath }, { headers: from(LISTED) })
    t.match(JSON.parse(body), { reason: 'permissive-trust' })
  }
  await untilRejected()
})

t.test('a trustProxy function may throw for addresses that no request came from', async (t) => {
  const known: Record<string, { isProxy: boolean }> = { '127.0.0.1': { isProxy: true }, '10.0.0.2': { isProxy: true } }
  const table: [what: string, make: (trustProxy: (address: string) => boolean) => FastifyInstance][] = [
    ['a server', (trustProxy) => Fastify({ trustProxy })],
    ['one that hides its options', (trustProxy) => withHiddenOptions(Fastify({ trustProxy }))]
  ]
  for (const [what, make] of table) {
    const app = make((address) => known[address]!.isProxy)
    await app.register(moengageAllowlist, { dataCenters: 'DC-01', mode: 'tag' })
    app.get('/', async (request) => request.moengage)
    for (const forwarded of [LISTED, `${LISTED}, 10.0.0.2`]) {
      t.match((await inject(app, forwarded)).json(), { verified: true, clientIp: LISTED }, `${what}, ${forwarded}`)
    }
    t.match((await inject(app, STRANGER)).json(), { reason: 'not-listed', clientIp: STRANGER }, what)
    t.match(
      (await inject(app, `${LISTED}, ${STRANGER}`)).json(),
      { reason: 'unresolved', hint: /threw: Cannot read/ },
      `${what}: Fastify itself asks about a stranger`
    )
  }
})

t.test('a trustProxy function that believes strangers is found out also where Fastify hides its options', async (t) => {
  const app = withHiddenOptions(Fastify({ trustProxy: (address, hop) => address === '127.0.0.1' || hop > 0 }))
  await app.register(moengageAllowlist, { dataCenters: 'DC-01', mode: 'tag' })
  app.get('/', async (request) => request.moengage)
  for (const _ of [1, 2]) t.match((await inject(app, LISTED)).json(), { reason: 'permissive-trust' })
})

t.test('a clientIp function that throws closes the route, whatever it throws', async (t) => {
  for (const thrown of [undefined, null, 0, new Error('own')]) {
    const clientIp = () => {
      throw thrown
    }
    let handled = false
    const { app } = await guarded({ clientIp }, (app) => {
      app.get('/', async () => {
        handled = true
      })
    })
    t.equal((await inject(app, LISTED)).statusCode, 403)
    t.equal(handled, false)
  }
})

t.test('a request with as many headers as Node keeps is not judged by what is left of them', async (t) => {
  for (const maxHeadersCount of [undefined, 50, 0]) {
    const reasons: unknown[] = []
    const onVerdict = (verdict: Verdict) => void reasons.push('reason' in verdict && verdict.reason)
    const { app } = await guarded({ onVerdict })
    if (maxHeadersCount !== undefined) app.server.maxHeadersCount = maxHeadersCount
    const { port } = await listen(app)
    t.teardown(() => app.close())
    const kept = maxHeadersCount || 1000
    const expected: string[] = []
    for (const lines of [kept / 2, kept, kept + 50]) {
      const padding = Array.from({ length: lines }, () => 'a:')
      const request = ['GET / HTTP/1.1', 'Host: x', 'Connection: close', `X-Forwarded-For: ${LISTED}`, ...padding]
      const answer = await new Promise<string>((resolve) => {
        let text = ''
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(`${request.join('\r\n')}\r\nX-Forwarded-For: ${STRANGER}\r\n\r\n`)
        })
        socket.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        socket.on('close', () => resolve(text))
      })
      // Newer versions of Node refuse what older ones drop without a word.
      t.match(
        answer,
        lines < kept ? /^HTTP\/1\.1 403/ : /^HTTP\/1\.1 (?:403|431)/,
        `${lines} lines where Node keeps ${kept}`
      )
      if (answer.includes(' 403 ')) expected.push(lines < kept ? 'not-listed' : 'unresolved')
    }
    t.strictSame(reasons, expected, `where Node keeps ${kept}`)
  }
})

t.test('request.ip that is no address is told apart from a bad connection', async (t) => {
  const { app, lines } = logging({ trustProxy: '127.0.0.1' })
  await app.register(moengageAllowlist, { dataCenters: 'DC-01' })
  app.get('/', async () => 'ok')
  t.equal((await inject(app, `${LISTED}:443`)).statusCode, 403)
  t.match(
    lines.find(({ moengage }) => moengage),
    { moengage: { reason: 'unresolved', hint: /carry a port/ } }
  )
})

t.test('warnings follow the list', async (t) => {
  let retrieved = new Date().toISOString().slice(0, 10)
  const load = () => ({
    provenance: { page: 'test', revision: 'r', retrieved },
    rows: [{ dataCenter: 'DC-01', channel: 'streams', addresses: ['9.9.9.9'] } as const]
  })
  const { app, lines } = await guarded({ source: { name: 'test', load }, confirm: ['older'] })
  t.strictSame(app.moengage!.status().warnings, [])
  retrieved = '2020-01-01'
  await app.moengage!.reload()
  await app.moengage!.reload()
  t.match(app.moengage!.status().warnings, [{ code: 'MOE_WARN_STALE' }])
  t.equal(lines.filter(({ moengage }) => moengage?.code === 'MOE_WARN_STALE').length, 1, 'told once')
})

t.test('an IPv4 peer of a dual-stack listener is told as IPv4', async (t) => {
  const { app } = await guarded({ clientIp: { trustedProxies: ['127.0.0.1'] } })
  const { port } = await listen(app, '::')
  t.teardown(() => app.close())
  const answer = await send({ port }, { headers: from(LISTED) })
  t.match(JSON.parse(answer.body), { verified: true, peer: '::ffff:127.0.0.1' })
  t.equal((await send({ port, host: '::1' }, { headers: from(LISTED) })).status, 403, 'another peer is not trusted')
})

t.test('a unix socket is believed only where it is named', async (t) => {
  for (const [trustedProxies, status] of [
    [['unix'], 200],
    [['loopback'], 403]
  ] as const) {
    const { app } = await guarded({ clientIp: { trustedProxies } })
    const socketPath = join(tmpdir(), `moengage-allowlist-${process.pid}-${status}.sock`)
    await app.listen({ path: socketPath })
    t.equal((await send({ socketPath }, { headers: from(LISTED) })).status, status)
    t.equal((await send({ socketPath })).status, 403, 'without a header there is no client')
    await app.close()
  }
})

t.test('a connection without an address is never verified', async (t) => {
  const { app: onSocket, rejections } = await guarded({ clientIp: 'request.ip' })
  const socketPath = join(tmpdir(), `moengage-allowlist-${process.pid}.sock`)
  await onSocket.listen({ path: socketPath })
  t.equal((await send({ socketPath }, { headers: from(LISTED) })).status, 403)
  t.match(rejections(), [{ moengage: { reason: 'unresolved', hint: /unix socket/, peer: 'unix' } }])
  await onSocket.close()

  // A client that is gone when its turn comes: the socket has forgotten who it was.
  let verdict: unknown
  const gone = Fastify()
  gone.addHook('onRequest', async (request) => {
    request.raw.socket.destroy()
  })
  await gone.register(moengageAllowlist, {
    ...OPTIONS,
    clientIp: { trustedProxies: ['unix', 'loopback'] },
    onReject: (request) => {
      verdict = request.moengage
    }
  })
  gone.get('/', async () => t.fail('nobody is to be let through'))
  const { port } = await listen(gone)
  t.teardown(() => gone.close())
  await t.rejects(send({ port }, { headers: from(LISTED) }))
  t.match(verdict, { verified: false, reason: 'unresolved', peer: null })
})

t.test('two clients behind one proxy share a connection and not a verdict', async (t) => {
  const { app } = await guarded()
  const { port } = await listen(app)
  t.teardown(() => app.close())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const statuses: number[] = []
  for (const clientIp of [LISTED, STRANGER, LISTED, STRANGER]) {
    statuses.push((await send({ port }, { headers: from(clientIp), agent })).status)
  }
  agent.destroy()
  t.strictSame(statuses, [200, 403, 200, 403])
})

t.test('a body of 10,000 users is rejected before it is read', async (t) => {
  let parsed = 0
  const { app } = await guarded({}, (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => {
      parsed++
      done(null, JSON.parse(String(body)))
    })
    app.post('/', { bodyLimit: 8 * 1024 * 1024 }, async (request) => ({ users: (request.body as unknown[]).length }))
  })
  const { port } = await listen(app)
  t.teardown(() => app.close())
  const body = JSON.stringify(
    Array.from({ length: 10_000 }, (_, i) => ({ moengage_distinct_id: `id-${i}`, uid: `uid-${i}` }))
  )
  const post = (clientIp: string) =>
    send({ port }, { method: 'POST', headers: { ...from(clientIp), 'content-type': 'application/json' }, body })
  t.equal((await post(STRANGER)).status, 403)
  t.equal(parsed, 0)
  t.match(await post(LISTED), { status: 200, body: '{"users":10000}' })
  t.equal(parsed, 1)
})

t.test('a request that is aborted harms nobody', async (t) => {
  const { app } = await guarded({ onReject: () => delay(5).then(() => 'late') })
  const { port } = await listen(app)
  t.teardown(() => app.close())
  for (const clientIp of [LISTED, STRANGER]) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(`POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${clientIp}\r\nContent-Length: 1000\r\n\r\n{"cut`)
        setImmediate(() => socket.destroy())
      })
      socket.on('close', () => resolve())
    })
  }
  t.equal((await send({ port }, { headers: from(LISTED) })).status, 200)
  t.equal((await send({ port }, { headers: from(STRANGER) })).body, 'late')
})

t.test('a header of Fastify itself cannot stand in for the one that was sent', async (t) => {
  const app = Fastify()
  app.addHook('onRequest', async (request) => {
    request.headers = { 'x-forwarded-for': LISTED }
  })
  await app.register(moengageAllowlist, OPTIONS)
  app.get('/', async () => 'ok')
  t.equal((await inject(app, STRANGER)).statusCode, 403)
})

t.test('an onReload that fails is logged once', async (t) => {
  const onReload = async () => {
    throw new Error('Nobody is there.')
  }
  const { app, lines } = await guarded({ onReload })
  await app.moengage!.reload()
  await app.moengage!.reload()
  await until(() => lines.some(({ msg }) => msg.startsWith('onReload failed')))
  t.match(
    lines.filter(({ level }) => level >= 50),
    [{ msg: /^onReload failed/, err: { message: 'Nobody is there.' } }]
  )
})

t.test(
  'a route with options of the guard that stands where no guard is, is warned of when the server starts',
  async (t) => {
    const { app, lines } = logging()
    t.teardown(() => app.close())
    const handler = async () => 'ok'
    const guardedScope = async (scope: FastifyInstance) => {
      await scope.register(moengageAllowlist, OPTIONS)
      scope.post('/inside', { config: { moengage: { channels: 'sms' } } }, handler)
      scope.register(async (inner) => void inner.post('/within', { config: { moengage: { mode: 'tag' } } }, handler))
    }
    app.register(guardedScope, { prefix: '/a' })
    app.register(guardedScope, { prefix: '/b' })
    app.get('/hook', { config: { moengage: { channels: 'segment-sync' } } }, handler)
    app.get('/open', { config: { moengage: false } }, handler)
    app.get('/plain', handler)
    await app.ready()
    const warnings = lines.filter(({ moengage }) => moengage?.code === 'MOE_WARN_UNGUARDED_ROUTE')
    t.match(warnings, [
      {
        level: 40,
        msg: /The route "\/hook" has options of the guard, and no scope around it registers the guard: they have no effect\./
      }
    ])
    t.equal(warnings.length, 1)
  }
)
