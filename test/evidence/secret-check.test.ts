import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer as createNetServer, type Server as NetServer } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { createGuard, type OptionsError, secretHeader, type Verdict } from '../../src/core.js'
import guardNode from '../../src/http.js'
import moengageAllowlist from '../../src/index.js'
import { ADAPTERS } from '../support/adapters.js'
import { LISTED, LISTED_IN, UNLISTED } from '../support/addresses.js'
import { HIDDEN_REJECTIONS } from '../support/failures.js'
import { guarded } from '../support/guarded.js'
import { type LogLine, logging, send } from '../support/http.js'
import { lineLogger } from '../support/logger.js'

/** What a user's function may return or throw: whatever it is, and whenever it fails, the request gets its verdict. */
const ANSWERS: [what: string, answer: () => unknown, expected: boolean | null, said: RegExp | null][] = [
  ['true', () => true, true, null],
  ['false', () => false, false, null],
  ['undefined', () => undefined, null, /returned nothing/],
  ['null', () => null, null, /returned null/],
  ['a number', () => 1, null, /type number/],
  ['a text, which may be the secret', () => 'hush-hush', null, /type string/],
  ['an object', () => ({ valid: true }), null, /type object/],
  ['a boolean object', () => Object(true), null, /type object/],
  ['a function', () => () => true, null, /returned a function; pass the one that secretHeader/],
  ['a promise', async () => true, null, /returned a promise.*Remove "async"/],
  ['a promise that rejects', async () => Promise.reject(new Error('late')), null, /returned a promise/],
  [
    'a promise that rejects later',
    () => new Promise((_, reject) => setTimeout(() => reject(new Error('later')), 5)),
    null,
    /returned a promise/
  ],
  [
    'a thenable that throws',
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: this is what is tested
      then: () => {
        throw new Error('then')
      }
    }),
    null,
    /returned a promise/
  ],
  [
    'an object whose "then" cannot be read',
    () =>
      Object.defineProperty({}, 'then', {
        get: () => {
          throw new Error('no then')
        }
      }),
    null,
    /threw an error/
  ],
  [
    'an error',
    () => {
      throw new Error('hush-hush is no JSON')
    },
    null,
    /threw an error/
  ],
  [
    'a text that is thrown',
    () => {
      throw 'hush-hush'
    },
    null,
    /threw an error/
  ],
  ...HIDDEN_REJECTIONS.map(([what, make]): (typeof ANSWERS)[number] => [
    what,
    make,
    null,
    /a value of type object|a promise/
  ]),
  [
    'a promise that is thrown, and rejected',
    () => {
      throw Promise.reject(new Error('hush'))
    },
    null,
    /threw an error/
  ],
  [
    'null that is thrown',
    () => {
      throw null
    },
    null,
    /threw an error/
  ],
  [
    'a proxy that cannot be read',
    () => {
      throw new Proxy(
        {},
        {
          getPrototypeOf: () => {
            throw new Error('no')
          }
        }
      )
    },
    null,
    /threw an error/
  ]
]

const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

for (const adapter of ADAPTERS.filter(({ name }) => !name.startsWith('Nest') && name !== 'node:http2')) {
  t.test(`${adapter.name}: whatever carriesSecret returns or throws, the request gets its verdict`, async (t) => {
    for (const [what, answer, expected] of ANSWERS) {
      for (const mode of ['reject', 'tag'] as const) {
        const carriesSecret = answer as () => boolean
        const { port, takeVerdict } = await adapter.start(t, {
          dataCenters: 'DC-01',
          clientIp: { trustedProxies: ['loopback'] },
          mode,
          carriesSecret
        })
        const headers = { 'x-forwarded-for': UNLISTED, connection: 'close' }
        const { status } = await send({ port }, { method: 'POST', headers })
        t.equal(status < 300, mode === 'tag', `${what}: ${status}`)
        t.match(await takeVerdict(), { verified: false, reason: 'not-listed', carriesSecret: expected }, what)
      }
    }
    await new Promise((done) => setTimeout(done, 20))
    t.strictSame(unhandled, [])
  })
}

t.test('a function that fails is logged once, with what it returned or threw, and counted', async (t) => {
  for (const [what, answer, , said] of ANSWERS) {
    const { app, lines } = await guarded({ carriesSecret: answer as () => boolean }, (app) => {
      app.all('/', async () => app.moengage!.status())
    })
    for (let i = 0; i < 3; i++) await app.inject({ url: '/', headers: { 'x-forwarded-for': UNLISTED } })
    const errors = (lines as LogLine[]).filter(({ level }) => level === 50)
    t.equal(errors.length, said === null ? 0 : 1, what)
    if (said !== null) {
      t.match(errors[0]?.msg, said, what)
      t.notMatch(JSON.stringify(errors), /hush/, what)
    }
    const { evidence } = JSON.parse((await app.inject({ url: '/', headers: { 'x-forwarded-for': LISTED } })).body)
    const failed = evidence.filter(({ kind }: { kind: string }) => kind === 'check-failed')
    t.match(failed, said === null ? [] : [{ count: 3, sentence: /failed for 3 requests/ }], what)
    await app.close()
  }
})

t.test('the line about a function that threw has the place, and nothing else that the error carried', async (t) => {
  const carriesSecret = (): boolean => {
    throw Object.assign(new TypeError('vault: sesame'), { config: { token: 'sesame' } })
  }
  const { app, lines } = await guarded({ carriesSecret })
  await app.inject({ url: '/', headers: { 'x-forwarded-for': UNLISTED } })
  const errors = (lines as LogLine[]).filter(({ level }) => level === 50)
  t.match(errors, [{ err: { stack: /caused by: TypeError\n +at carriesSecret .*secret-check\.test/ } }])
  t.notMatch(JSON.stringify(errors), /sesame/)
  await app.close()
})

t.test('without a logger, the process warns once', async (t) => {
  const warnings: string[] = []
  const listen = ({ message }: Error) => void warnings.push(message)
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))
  const guard = createGuard({ dataCenters: 'DC-01', carriesSecret: (() => 1) as never })
  for (let i = 0; i < 3; i++) guard.judge({ peer: UNLISTED, headers: {} })
  await new Promise(setImmediate)
  t.match(warnings, [/^Your carriesSecret function returned a value of type number/])
  t.equal(guard.metrics().secretChecksFailed, 3)
})

/** A guard whose function counts its calls. */
function counting(options: object = {}) {
  const calls: unknown[] = []
  return {
    calls,
    options: {
      dataCenters: 'DC-01' as const,
      carriesSecret: (request: unknown) => {
        calls.push(request)
        return true
      },
      ...options
    }
  }
}

t.test('verified requests are asked about with expectSecret only, unverified ones always', async (t) => {
  const peers: [peer: string, isVerified: boolean][] = [
    [LISTED, true],
    [UNLISTED, false],
    [LISTED_IN['DC-03'], false],
    ['', false]
  ]
  for (const expectSecret of [false, true]) {
    const { calls, options } = counting({ expectSecret })
    const guard = createGuard(options)
    for (const [peer, verified] of peers) {
      const request = { peer, headers: {} }
      const isAsked = !verified || expectSecret
      t.match(guard.judge(request), { verified, carriesSecret: isAsked ? true : null }, peer)
      t.equal(calls.pop(), isAsked ? request : undefined, 'it gets what is passed to judge')
    }
  }
  const plain = createGuard({ dataCenters: 'DC-01' })
  for (const [peer] of peers) t.equal(plain.judge({ peer, headers: {} }).carriesSecret, null)
  t.equal(plain.explain(UNLISTED).verdict.carriesSecret, null)
})

t.test('the secret changes no decision, and nothing else of a verdict but the hint', async (t) => {
  const judged = (carriesSecret: boolean | undefined, peer: string) => {
    const { carriesSecret: _, ...rest } = createGuard({
      dataCenters: 'DC-01',
      deny: ['9.9.9.9'],
      expectSecret: carriesSecret !== undefined,
      ...(carriesSecret !== undefined && { carriesSecret: () => carriesSecret })
    }).judge({ peer, headers: {} })
    return { ...rest, hint: '' }
  }
  for (const peer of [LISTED, UNLISTED, LISTED_IN['DC-03'], '9.9.9.9', '10.0.0.1', 'x', '']) {
    for (const carriesSecret of [true, false]) t.strictSame(judged(carriesSecret, peer), judged(undefined, peer), peer)
  }
})

t.test('a request is asked about once, however many guards, hooks and routes it passes', async (t) => {
  for (const expectSecret of [false, true]) {
    const { calls, options } = counting({ expectSecret, clientIp: { trustedProxies: ['loopback'] } })
    const app = Fastify()
    await app.register(moengageAllowlist, { ...options, mode: 'tag' })
    const verdicts: (Verdict | null | undefined)[] = []
    app.get(
      '/',
      { onRequest: [app.verifyMoEngage(), app.verifyMoEngage({ channels: 'catalog' })] },
      async (request) => {
        verdicts.push(request.moengage, app.moengage!.judge(request))
        return 'ok'
      }
    )
    const table: [clientIp: string, calls: number][] = [
      [UNLISTED, 1],
      // Verified by the hook of the scope, and then of another channel on the route.
      [LISTED, 1]
    ]
    for (const [clientIp, expected] of table) {
      for (const method of ['GET', 'HEAD'] as const) {
        await app.inject({ method, url: '/', headers: { 'x-forwarded-for': clientIp } })
        t.equal(calls.splice(0).length, expected, `${method} ${clientIp}`)
      }
    }
    t.match(verdicts.slice(0, 2), [{ carriesSecret: true }, { carriesSecret: true }])
    await app.inject({ method: 'OPTIONS', url: '/nowhere', headers: { 'x-forwarded-for': UNLISTED } })
    t.equal(calls.length, 1, 'OPTIONS and 404')
    await app.close()
  }
})

t.test('where there is no request, nothing is asked', async (t) => {
  const { calls, options } = counting({ logger: lineLogger([]) })
  const guard = guardNode(options)
  t.teardown(() => guard.close())
  const verdicts: Verdict[] = []
  const server: NetServer = createNetServer(
    guard.connectionListener(
      (socket, verdict) => {
        verdicts.push(verdict)
        socket.end()
      },
      { mode: 'tag' }
    )
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  await once(connect((server.address() as AddressInfo).port, '127.0.0.1').resume(), 'close')
  t.match(verdicts, [{ verified: false, carriesSecret: null }])
  t.match(
    guard.judge({ peer: UNLISTED, headers: {} }),
    { carriesSecret: null },
    'a connection that the door does not handle'
  )
  t.strictSame(calls, [])
})

t.test('a function that judges other requests changes no verdict', async (t) => {
  for (const peer of [LISTED, UNLISTED, '2a00:1450::1', LISTED_IN['DC-03']]) {
    const guard: ReturnType<typeof createGuard> = createGuard({
      dataCenters: 'DC-01',
      expectSecret: true,
      carriesSecret: (request) => {
        if (request.peer === '9.9.9.9') return true
        for (const other of [LISTED, '2a00:1450::2', UNLISTED]) guard.explain(other)
        return guard.judge({ peer: '9.9.9.9', headers: {} }).carriesSecret === true
      }
    })
    const plain = createGuard({ dataCenters: 'DC-01' })
    const { hint: _, ...verdict } = { hint: '', ...guard.judge({ peer, headers: {} }) }
    t.match(plain.judge({ peer, headers: {} }), { ...verdict, carriesSecret: null })
    t.ok(guard.senders().some(({ clientIp }) => clientIp === (verdict.verified ? '9.9.9.9' : peer)))
  }
})

t.test('mistakes in the options are errors with a fix, which do not show the secret', async (t) => {
  const table: [options: object, path: string, fix: RegExp][] = [
    [{ carriesSecret: 'hush-hush' }, 'carriesSecret', /^Write secretHeader\('x-moe-token', /],
    [{ carriesSecret: { secret: 'hush-hush' } }, 'carriesSecret', /^Write secretHeader/],
    [{ secret: 'hush-hush' }, 'secret', /^Write carriesSecret: secretHeader/],
    [{ expectSecret: true }, 'expectSecret', /^Write carriesSecret: secretHeader\(.*\) beside it/],
    [{ expectSecret: 'hush-hush', carriesSecret: () => true }, 'expectSecret', /^Write false, or true/],
    [{ expectSecret: true, carriesSecret: 'hush-hush' }, 'carriesSecret', /^Write secretHeader/]
  ]
  for (const [options, path, fix] of table) {
    try {
      createGuard({ dataCenters: 'DC-01', ...options } as never)
      t.fail(path)
    } catch (error) {
      const { mistakes, message, value } = error as OptionsError
      t.match(mistakes, [{ path, fix }])
      t.equal(mistakes.length, 1)
      t.notMatch(JSON.stringify([mistakes, message, value]), /hush/)
    }
  }
})

t.test('a logger that throws does not reach the request', async (t) => {
  const { app } = logging()
  await app.register(moengageAllowlist, { dataCenters: 'DC-01', carriesSecret: (() => 1) as never })
  app.get('/', async () => 'ok')
  await app.ready()
  app.log.error = () => {
    throw new Error('disk full')
  }
  const warned = once(process, 'warning')
  t.equal((await app.inject('/')).statusCode, 403)
  t.match(await warned, [{ code: 'MOE_WARN_LOGGER' }])
  await app.close()
})

t.test('secretHeader that is not called is refused at start-up, with the call to write', (t) => {
  t.throws(() => createGuard({ dataCenters: 'DC-01', carriesSecret: secretHeader as never }), {
    message: /carriesSecret: secretHeader was passed without a call; .* Write secretHeader\('x-moe-token', /
  })
  t.end()
})
