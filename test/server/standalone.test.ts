import { once } from 'node:events'
import { createServer, IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer, type Server, Socket } from 'node:net'
import { mock } from 'node:test'
import express from 'express'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { GuardStatus, Snapshot, Verdict } from '../../src/core.js'
import guardExpress from '../../src/express.js'
import guardFetch from '../../src/fetch.js'
import guardNode from '../../src/http.js'
import guardFastify from '../../src/index.js'
import guardLambda from '../../src/lambda.js'
import type { StandaloneOptions } from '../../src/server/standalone.js'
import guardWorkers from '../../src/workers.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { send, until } from '../support/http.js'
import { lineLogger } from '../support/logger.js'
import { FOUR, snapshotOf, sound } from '../support/snapshots.js'
import { serveText } from '../support/text-server.js'

const OPTIONS = { dataCenters: 'DC-01' as const, clientIp: { trustedProxies: ['loopback'] } }
const DAY = 24 * 60 * 60 * 1000

type Options = Partial<Omit<StandaloneOptions<{ method?: string | undefined }, never>, 'clientIp' | 'dataCenters'>>
type Guard = ReturnType<typeof guardNode> | ReturnType<typeof guardExpress> | ReturnType<typeof guardFetch>

/** Each makes a guard and the server that it stands in, which answers with 200. */
const KINDS: Record<string, (options: typeof OPTIONS & Options) => { guard: Guard; listener: RequestListener }> = {
  Express(options) {
    const guard = guardExpress(options)
    return { guard, listener: express().use(guard, (_, response) => void response.end()) }
  },
  'node:http'(options) {
    const guard = guardNode(options)
    return { guard, listener: guard.listener((_, response) => response.end()) }
  },
  Fetch(options) {
    const guard = guardFetch(options)
    return {
      guard,
      async listener(incoming, outgoing) {
        const headers = Object.entries(incoming.headers as Record<string, string>)
        const request = new Request('http://localhost/', { method: incoming.method!, headers })
        const { response } = await guard.check(request, incoming)
        outgoing.writeHead(response?.status ?? 200).end(await response?.text())
      }
    }
  }
}

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

// biome-ignore lint/suspicious/noExplicitAny: lines are what they are
type Line = any

const unseen = (lines: readonly Line[]): Line[] =>
  lines.filter(({ moengage }) => moengage?.code === 'MOE_WARN_NO_REQUESTS')

for (const [name, make] of Object.entries(KINDS)) {
  const serve = async (t: Test, options: Options = {}) => {
    const lines: Line[] = []
    const { guard, listener } = make({ ...OPTIONS, logger: lineLogger(lines), ...options })
    const server = createServer(listener)
    const port = await listen(t, server)
    /** Resolves when so many requests have come. */
    const arrivals = (count: number) =>
      new Promise<void>((resolve) => {
        let come = 0
        server.on('request', () => ++come === count && resolve())
      })
    const ask = (clientIp: string, method = 'GET') =>
      send({ port }, { method, headers: { 'x-forwarded-for': clientIp } }).then(({ status }) => status)
    const events = (event: string): Line[] => lines.filter(({ moengage }) => moengage?.event === `moengage.${event}`)
    return { guard, ask, lines, events, arrivals }
  }

  t.test(name, async (t) => {
    t.test('refuses wrong options at once', async (t) => {
      const options = { log: { linesPerSecond: 0, repeat: 1 }, onVerdict: 'log', logger: console }
      t.throws(() => make({ ...OPTIONS, ...(options as object) }), {
        code: 'MOE_ERR_OPTIONS',
        mistakes: [{ path: 'logger' }, { path: 'log' }, { path: 'log.linesPerSecond' }, { path: 'onVerdict' }]
      })
    })

    t.test('writes a line for a new sender, a summary when it is closed, and nothing in between', async (t) => {
      const { guard, ask, lines, events } = await serve(t)
      t.equal(await ask(LISTED), 200)
      for (let i = 0; i < 3; i++) t.equal(await ask(STRANGER, 'POST'), 403)
      t.match(lines, [
        {
          level: 40,
          msg: `${STRANGER} rejected: not-listed`,
          moengage: {
            event: 'moengage.rejected',
            mode: 'reject',
            method: 'POST',
            route: null,
            requestId: null,
            header: 'x-forwarded-for',
            peer: '127.0.0.1',
            suppressed: 0
          }
        }
      ])
      t.equal(lines.length, 1)
      guard.close()
      t.match(events('summary'), [
        { moengage: { suppressed: { reject: { 'not-listed': 2 } }, verified: 1, rejected: { 'not-listed': 3 } } }
      ])
      guard.close()
      t.equal(lines.length, 2, 'once')
      t.equal(await ask(LISTED), 200, 'and goes on to judge')
      t.match(guard.metrics(), { cache: { hits: 1, misses: 1 }, senders: 1 }, 'and to count')
      t.match(guard.senders(), [{ clientIp: STRANGER, count: 3 }])
    })

    t.test('writes as many lines as it is asked to', async (t) => {
      const { ask, events } = await serve(t, { log: { linesPerSecond: 0.1 } })
      for (let i = 1; i <= 3; i++) await ask(`198.51.100.${i}`)
      t.equal(events('rejected').length, 1)
    })

    t.test('tells onVerdict of every verdict, and logs once what it throws', async (t) => {
      const heard: unknown[] = []
      const onVerdict = (verdict: Verdict, { method }: { method?: string | undefined }) => {
        heard.push([verdict.verified, verdict.clientIp, method])
      }
      const { guard, ask } = await serve(t, { onVerdict })
      await ask(LISTED)
      await ask(STRANGER, 'PUT')
      t.strictSame(heard, [
        [true, LISTED, 'GET'],
        [false, STRANGER, 'PUT']
      ])
      guard.explain(LISTED)
      t.equal(heard.length, 2, 'not what is explained')
      const fail = () => {
        throw new Error('own')
      }
      for (const onVerdict of [fail, async () => fail(), () => [(async () => fail())()]]) {
        const { guard, ask, lines } = await serve(t, { onVerdict })
        t.equal(await ask(LISTED), 200)
        t.equal(await ask(STRANGER), 403)
        t.match(
          lines.filter(({ level }) => level === 50),
          [{ msg: /^onVerdict failed/, err: { message: 'own' } }]
        )
        t.equal(lines.length, 2, 'beside the rejection')
        guard.close()
      }
    })

    t.test('logs what comes of a reload, and tells onReload too', async (t) => {
      let list: () => Snapshot = () => sound({ revision: 'first' })
      const heard: [Error | null, GuardStatus][] = []
      const onReload = (error: Error | null, status: GuardStatus) => void heard.push([error, status])
      const source = { name: 'ours', load: async () => list() }
      const { guard, ask, lines } = await serve(t, { source, onReload })
      await guard.ready()
      t.strictSame(lines, [])
      list = () => {
        throw new Error('The table is gone.')
      }
      await t.rejects(guard.reload(), { code: 'MOE_ERR_SOURCE' })
      await t.rejects(guard.reload(), { code: 'MOE_ERR_SOURCE' })
      t.match(lines, [{ level: 50, msg: /^The list in use stays, revision first .*The table is gone\./ }])
      t.equal(lines.length, 1, 'the same failure once')
      t.equal(await ask('9.9.9.1'), 200)
      list = () => sound({ revision: 'second', retrieved: '2020-01-01' })
      await t.rejects(guard.reload(), { code: 'MOE_ERR_SUSPICIOUS' })
      list = () => sound({ revision: 'second', retrieved: '2026-11-21' })
      await guard.reload()
      t.match(lines.slice(1), [
        { level: 50, moengage: { code: 'MOE_ERR_SUSPICIOUS', revision: 'first' } },
        { level: 30, msg: /^The list in use is revision second/ }
      ])
      t.match(heard, [
        [{ code: 'MOE_ERR_SOURCE' }, { revision: 'first' }],
        [{ code: 'MOE_ERR_SUSPICIOUS' }, { revision: 'first' }],
        [null, { revision: 'second' }]
      ])
    })

    t.test('answers 503 when a source does not answer in time', async (t) => {
      const source = { name: 'mute', load: () => new Promise<Snapshot>(() => {}), timeout: 1 }
      const { guard, ask, lines } = await serve(t, { source })
      t.equal(await ask(LISTED), 503)
      await t.rejects(guard.ready(), { code: 'MOE_ERR_SOURCE', message: /did not answer within 1 ms/ })
      t.match(lines[0], { level: 50, err: { message: /did not answer within 1 ms/ } })
      guard.close()
    })

    t.test('asks its source by itself until it is closed, also when the first list comes only then', async (t) => {
      mock.timers.enable({ apis: ['setTimeout'] })
      t.teardown(() => mock.timers.reset())
      for (const [closes, expected] of [
        [false, 2],
        [true, 1]
      ] as const) {
        let loads = 0
        let arrive: (snapshot: Snapshot) => void = () => {}
        const load = () => {
          loads++
          return new Promise<Snapshot>((resolve) => {
            arrive = resolve
          })
        }
        const source = { name: 'slow', load, interval: 1000 }
        const { guard, ask, events, arrivals } = await serve(t, { source })
        const asked = [ask(STRANGER), ask(STRANGER), ask('9.9.9.1')]
        await arrivals(3)
        if (closes) guard.close()
        arrive(sound())
        t.strictSame(await Promise.all(asked), [403, 403, 200], 'those that waited are judged')
        mock.timers.tick(10_000)
        t.equal(loads, expected)
        if (!closes) guard.close()
        t.match(events('summary'), [{ moengage: { verified: 1, suppressed: { reject: { 'not-listed': 1 } } } }])
        t.equal(events('summary').length, 1)
      }
    })
  })
}

t.test('a line says which route of Express it was, by its pattern, and which request', async (t) => {
  const lines: Line[] = []
  const guard = guardExpress({ ...OPTIONS, logger: lineLogger(lines) })
  const app = express()
  let id: unknown
  app.use((request, _, next) => {
    if (id !== undefined) Object.assign(request, { id })
    next()
  })
  const router = express.Router()
  router.get('/hooks/:id', guard.route({}), (_, response) => void response.end())
  app.use('/api', router)
  app.get([/^\/x/, '/y'], guard.route({}))
  app.use(guard)
  const port = await listen(t, createServer(app))
  const table: [path: string, id: unknown, route: string | null, requestId: string | null][] = [
    ['/api/hooks/7?a=1', 'r-1', '/hooks/:id', 'r-1'],
    ['/xyz', 12, null, '12'],
    ['/elsewhere', undefined, null, null],
    ['/api/elsewhere', Object.create(null), null, null]
  ]
  for (const [i, [path, requestId, route, expected]] of table.entries()) {
    id = requestId
    const { status } = await send({ port }, { path, headers: { 'x-forwarded-for': `198.51.100.${i}` } })
    t.equal(status, 403)
    t.match(lines[i]?.moengage, { event: 'moengage.rejected', route, requestId: expected, method: 'GET' }, path)
  }
  guard.close()
  t.match(
    guard.senders().find(({ clientIp }) => clientIp === '198.51.100.0'),
    { routes: ['/hooks/:id'] }
  )
})

t.test('what a request that was made up does not tell is null', async (t) => {
  const lines: Line[] = []
  const guard = guardExpress({ ...OPTIONS, logger: lineLogger(lines) })
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  guard(request, response, () => t.fail('it is let through'))
  t.equal(response.statusCode, 403)
  t.match(lines[0]?.moengage, { reason: 'unresolved', clientIp: null, peer: null, method: null, requestId: null })
  guard.close()
})

t.test('a connection that is cut off has a line, and no request to tell anybody of', async (t) => {
  const lines: Line[] = []
  const heard: Verdict[] = []
  const onVerdict = (verdict: Verdict) => heard.push(verdict)
  const guard = guardNode({ dataCenters: 'DC-01', logger: lineLogger(lines), onVerdict })
  const port = await listen(t, createNetServer(guard.connectionListener((socket) => socket.end('hello'))))
  for (let i = 0; i < 3; i++) {
    const socket = connect(port, '127.0.0.1').resume()
    socket.on('error', () => {})
    await once(socket, 'close')
  }
  guard.close()
  t.match(lines, [
    {
      level: 40,
      msg: '127.0.0.1 rejected: not-listed',
      moengage: { event: 'moengage.rejected', header: null, route: null, method: null, requestId: null }
    },
    { moengage: { event: 'moengage.summary', suppressed: { reject: { 'not-listed': 2 } } } }
  ])
  t.strictSame(heard, [])
})

t.test('a list that gets old while the server runs is told once a day', async (t) => {
  t.teardown(() => mock.timers.reset())
  const guards: Record<string, (options: Options & { dataCenters: 'DC-01' }, lines: Line[]) => Promise<() => unknown>> =
    {
      async Fastify({ dataCenters, source, staleAfter }, lines) {
        const stream = { write: (line: string) => void lines.push(JSON.parse(line)) }
        const app = Fastify({ logger: { level: 'info', stream } })
        await app.register(guardFastify, { dataCenters, source, staleAfter })
        await app.ready()
        return () => app.close()
      },
      async others(options, lines) {
        const guard = guardFetch({ ...options, logger: lineLogger(lines) })
        await guard.ready()
        return () => guard.close()
      }
    }
  const source = { name: 'ours', load: () => sound({ retrieved: '2026-11-20' }) }
  for (const [name, make] of Object.entries(guards)) {
    mock.timers.reset()
    mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.UTC(2026, 10, 23, 12) })
    const lines: Line[] = []
    const close = await make({ dataCenters: 'DC-01', source, staleAfter: 5 * DAY }, lines)
    const stale = () => lines.filter(({ moengage }) => moengage?.code === 'MOE_WARN_STALE').length
    const table: [days: number, told: number][] = [
      [1, 0],
      [2, 1],
      [3, 2]
    ]
    for (const [days, told] of table) {
      mock.timers.tick(DAY)
      t.equal(stale(), told, `${name} after ${days} days`)
    }
    await close()
  }
})

t.test('an onReload that fails is logged once, outside Fastify as well', async (t) => {
  const lines: Line[] = []
  const onReload = () => {
    throw new Error('own')
  }
  const guard = guardNode({ ...OPTIONS, logger: lineLogger(lines), onReload })
  t.teardown(() => guard.close())
  await guard.reload()
  await guard.reload()
  t.match(
    lines.filter(({ level }) => level >= 50),
    [{ msg: /^onReload failed/, err: { message: 'own' } }]
  )
})

t.test(
  'a first load that fails is tried again by itself, unless the guard was closed or loaded meanwhile',
  async (t) => {
    const lines: Line[] = []
    let loads = 0
    const source = {
      name: 'ours',
      interval: 1000,
      load: async () => {
        if (++loads < 2) throw new Error('away')
        return sound()
      }
    }
    const make = async () => {
      loads = 0
      const guard = guardNode({ dataCenters: 'DC-01', source, logger: lineLogger(lines) })
      t.teardown(() => guard.close())
      await t.rejects(guard.ready(), { code: 'MOE_ERR_SOURCE' })
      t.throws(() => guard.status(), { code: 'MOE_ERR_NOT_READY' })
      return guard
    }
    const alone = await make()
    await until(() => loads === 2)
    await alone.ready()
    t.match(alone.status(), { revision: 'r1' })
    alone.close()

    const closed = await make()
    closed.close()
    const byHand = await make()
    await byHand.reload()
    t.match(byHand.status(), { revision: 'r1' }, 'by hand it is at once')
    byHand.close()
    await new Promise((resolve) => setTimeout(resolve, 1100))
    t.equal(loads, 2, 'neither a closed guard nor one that has its list loads a first list again')
  }
)

t.test(
  'a first list that lacks a route is loaded again until it has it, also from a server that sends it once',
  async (t) => {
    const server = await serveText(t, JSON.stringify(sound()))
    const guard = guardNode({ dataCenters: 'DC-01', source: { url: server.url }, logger: lineLogger([]) })
    t.teardown(() => guard.close())
    guard.listener(() => {}, { channels: 'sms' })
    for (let i = 0; i < 3; i++) await t.rejects(guard.reload(), { code: 'MOE_ERR_OPTIONS', message: /sms in DC-01/ })
    server.text = JSON.stringify(snapshotOf({ 'DC-01 sms': FOUR }, { revision: 'right' }))
    t.match(await guard.reload(), { revision: 'right' })
  }
)

t.test('a pushed source whose first load fails is tried again by itself', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let loads = 0
  let subscriptions = 0
  const source = {
    name: 'ours',
    load: async () => {
      if (++loads < 8) throw new Error('away')
      return sound()
    },
    watch: () => void subscriptions++
  }
  const guard = guardNode({ dataCenters: 'DC-01', source, logger: lineLogger([]) })
  t.teardown(() => guard.close())
  await t.rejects(guard.ready(), { code: 'MOE_ERR_SOURCE' })
  for (let attempts = 2; attempts <= 8; attempts++) {
    mock.timers.tick(60_000)
    await guard.ready().catch(() => {})
    t.equal(loads, attempts, 'once a minute at least')
  }
  t.match(guard.status(), { revision: 'r1' })
  t.equal(subscriptions, 1)
})

t.test('a request that cannot be read is an error, and not let through', async (t) => {
  const guard = guardExpress({ ...OPTIONS, logger: lineLogger([]) })
  t.teardown(() => guard.close())
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  for (const name of ['rawHeaders', 'log']) {
    Object.defineProperty(request, name, {
      configurable: true,
      get: () => {
        throw new Error(`unreadable ${name}`)
      }
    })
    const errors: unknown[] = []
    guard(request, response, (error) => errors.push(error))
    t.match(errors, [{ message: `unreadable ${name}` }])
    delete (request as unknown as { [name: string]: unknown })[name]
  }
})

t.test('a guard that a request handler makes is noticed at the third request, once', async (t) => {
  const lines: Line[] = []
  const logger = lineLogger(lines)
  const guards: ReturnType<typeof guardExpress>[] = []
  const app = express().use((request, response, next) => {
    const guard = guardExpress({ ...OPTIONS, logger })
    guards.push(guard)
    guard(request, response, next)
  })
  const port = await listen(t, createServer(app.use((_, response) => void response.end())))
  t.teardown(() => {
    for (const guard of guards) guard.close()
  })
  const warnings = () => lines.filter((line: Line) => line.moengage?.code === 'MOE_WARN_GUARD_REPEATED')
  const post = () => send({ port }, { headers: { 'x-forwarded-for': LISTED } })
  for (const expected of [0, 0, 1, 1, 1]) {
    await post()
    t.equal(warnings().length, expected)
  }
  t.match(warnings()[0], {
    level: 40,
    msg: /^The same line of code made 3 guards.* Make the guard once, outside of the/s
  })
})

t.test('guards that are made at the start, one for each tenant, are not repeated', async (t) => {
  const lines: Line[] = []
  const logger = lineLogger(lines)
  const makeAll = () =>
    (['DC-01', 'DC-02', 'DC-03', 'DC-04'] as const).map((dataCenters) => guardNode({ dataCenters, logger }))
  const guards = makeAll()
  for (const guard of guards) guard.judge({ peer: LISTED, headers: {} })
  for (const guard of guards) guard.close()
  const again = makeAll()
  const warnings = () => lines.filter(({ level }: Line) => level > 30)
  t.strictSame(warnings(), [])
  for (const guard of again) guard.close()
  const source = { name: 'ours', load: async () => sound() }
  const loading = Array.from({ length: 4 }, () => guardNode({ dataCenters: 'DC-01', logger, source }))
  for (const guard of loading) await guard.ready()
  t.strictSame(warnings(), [], 'nor while their lists are on their way')
  for (const guard of loading) guard.close()
})

t.test('a process that gives stacks another form makes guards as well', async (t) => {
  const { prepareStackTrace } = Error
  t.teardown(() => {
    Error.prepareStackTrace = prepareStackTrace
  })
  Error.prepareStackTrace = (_, calls) => calls
  const guard = guardNode({ ...OPTIONS, logger: lineLogger([]) })
  guard.close()
  t.equal(guard.judge({ peer: LISTED, headers: {} }).verified, true)
})

t.test('guards of different places, and guards that were closed, are not repeated', async (t) => {
  const lines: Line[] = []
  const logger = lineLogger(lines)
  const repeated = () => lines.filter((line: Line) => line.moengage?.code === 'MOE_WARN_GUARD_REPEATED')
  const make = () => {
    const guard = guardNode({ ...OPTIONS, logger })
    guard.judge({ peer: LISTED, headers: {} })
    return guard
  }
  const open = [make(), make(), make()]
  for (let i = 0; i < 10; i++) {
    const pair = [make(), make()]
    for (const guard of pair) guard.close()
    for (const guard of pair) guard.close()
  }
  t.strictSame(repeated(), [])
  for (const guard of open) guard.close()
  const { stackTraceLimit } = Error
  t.teardown(() => {
    Error.stackTraceLimit = stackTraceLimit
  })
  for (const limit of [0, undefined]) {
    Error.stackTraceLimit = limit as number
    const guards = Array.from({ length: 5 }, make)
    t.strictSame(repeated(), [], 'a runtime that keeps no stack')
    for (const guard of guards) guard.close()
  }
})

t.test('a hundred places are told apart, and no more', async (t) => {
  const lines: Line[] = []
  const logger = lineLogger(lines)
  const guards: Guard[] = []
  t.teardown(() => {
    for (const guard of guards) guard.close()
  })
  const placeOf = (name: number) => {
    const make = new Function('make', `return make() //# sourceURL=place-${name}.js`) as (make: () => Guard) => Guard
    return () => {
      const guard = make(() => guardNode({ ...OPTIONS, logger })) as ReturnType<typeof guardNode>
      guard.judge({ peer: LISTED, headers: {} })
      guards.push(guard)
    }
  }
  const places = Array.from({ length: 101 }, (_, name) => placeOf(name))
  const [known, late] = [places.at(0)!, places.at(-1)!]
  const warnings = [...places, late, late, late, known, known].map((place) => {
    place()
    return lines.length
  })
  t.strictSame([warnings.at(-2), warnings.at(-1)], [0, 1], 'a place that was known goes on being counted')
  t.match(lines, [{ moengage: { code: 'MOE_WARN_GUARD_REPEATED' } }])
})

t.test('a verified request without the secret is logged, in every door', async (t) => {
  for (const [name, make] of Object.entries(KINDS)) {
    const lines: Line[] = []
    const options = { carriesSecret: () => false, expectSecret: true, logger: lineLogger(lines) }
    const { guard, listener } = make({ ...OPTIONS, ...options } as never)
    t.teardown(() => guard.close())
    const port = await listen(t, createServer(listener))
    t.equal((await send({ port }, { headers: { 'x-forwarded-for': LISTED } })).status, 200, name)
    t.match(lines, [{ moengage: { event: 'moengage.without-secret', clientIp: LISTED } }], name)
  }
})

t.test('a guard that requests pass by says so, once', async (t) => {
  const lines: Line[] = []
  const logger = lineLogger(lines)
  const guard = guardExpress({ ...OPTIONS, logger })
  const seen = guardExpress({ ...OPTIONS, logger })
  const closed = guardExpress({ ...OPTIONS, logger })
  t.teardown(() => {
    for (const each of [guard, seen]) each.close()
  })
  closed.close()
  // What Nest makes of setGlobalPrefix('api').
  const app = express().use('/moengage', guard).use('/seen', seen)
  const port = await listen(t, createServer(app.use((_, response) => void response.end('open'))))
  const post = (method: string) =>
    send({ port }, { method, path: '/api/moengage/hook?token=secret', headers: { 'x-forwarded-for': LISTED } })
  await send({ port }, { path: '/seen', headers: { 'x-forwarded-for': LISTED } })
  for (const method of ['GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']) await post(method)
  t.strictSame(unseen(lines), [])
  for (let i = 0; i < 3; i++) t.equal((await post('POST')).body, 'open')
  await until(() => unseen(lines).length > 0)
  t.match(unseen(lines), [
    {
      level: 40,
      moengage: { value: '/api/…' },
      msg: /^The servers of this process answered 3 requests that no guard judged, the last one POST "\/api\/…"\. This guard judged none/
    }
  ])
  t.notMatch(JSON.stringify(lines), /hook|secret/, 'a path may hold a secret, as a query may')
})

t.test('a guard that judges requests late, behind other middleware, is not said to be passed by', async (t) => {
  const lines: Line[] = []
  const guard = guardExpress({ ...OPTIONS, logger: lineLogger(lines) })
  t.teardown(() => guard.close())
  const waiting: (() => void)[] = []
  const app = express()
    .use((_, __, next) => void waiting.push(next))
    .use('/moengage', guard, (_, response) => void response.end())
  const port = await listen(t, createServer(app))
  const request = () =>
    send({ port }, { method: 'POST', path: '/moengage/hook', headers: { 'x-forwarded-for': LISTED } })
  const answers = [request(), request(), request()]
  await until(() => waiting.length === 3)
  for (const next of waiting) next()
  for (const { status } of await Promise.all(answers)) t.equal(status, 200)
  t.equal(guard.status().verified, 3)
  t.strictSame(unseen(lines), [])
})

t.test('requests that another guard of the process is called with are none that pass a guard by', async (t) => {
  const options = { ...OPTIONS, logger: lineLogger([]) }
  const ended = (_: unknown, response: ServerResponse) => void response.end()
  const serve = async (name: keyof typeof KINDS, more: Options = {}) => {
    const { guard, listener } = KINDS[name]!({ ...options, ...more })
    t.teardown(() => guard.close())
    return listen(t, createServer(listener))
  }
  const table: [what: string, port: number | Promise<number>, status: number][] = [
    ['Express', serve('Express'), 200],
    ['node:http', serve('node:http'), 200],
    ['Fetch with the request of Node', serve('Fetch'), 200],
    ['a guard that has no list', serve('node:http', { source: { name: 'down', load: () => Promise.reject() } }), 503]
  ]
  const asked = guardNode(options)
  t.teardown(() => asked.close())
  const asking = createServer((request, response) => ended(asked.judge(request), response))
  table.push(['a guard that is asked', listen(t, asking), 200])
  for (const isAsked of [false, true]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(guardFastify, OPTIONS)
    app.post('/guarded', { config: isAsked ? { moengage: false } : {} }, async (request) => {
      if (isAsked) app.moengage!.judge(request)
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    table.push([`Fastify${isAsked ? ', asked' : ''}`, (app.server.address() as AddressInfo).port, 200])
  }
  const open = await listen(t, createServer(ended))
  for (const [what, opening, status] of table) {
    const lines: Line[] = []
    const idle = guardNode({ ...OPTIONS, logger: lineLogger(lines) })
    const post = (port: number, path: string) =>
      send({ port }, { method: 'POST', path, headers: { 'x-forwarded-for': LISTED } })
    for (let i = 0; i < 3; i++) t.match(await post(await opening, '/guarded'), { status }, what)
    for (let i = 0; i < 3; i++) await post(open, '/open')
    await until(() => unseen(lines).length > 0)
    t.match(unseen(lines), [{ moengage: { value: '/open' } }], `${what}: others pass it by`)
    idle.close()
  }
})

t.test('a guard of connections alone is passed by no request', async (t) => {
  const guards = [['connections'], ['requests', 'connections'], []].map((uses) => {
    const lines: Line[] = []
    const guard = guardNode({ ...OPTIONS, logger: lineLogger(lines) })
    t.teardown(() => guard.close())
    if (uses.includes('connections')) guard.connectionListener(() => {})
    if (uses.includes('requests')) guard.listener(() => {})
    return lines
  })
  const port = await listen(
    t,
    createServer((_, response) => void response.end())
  )
  for (let i = 0; i < 3; i++) await send({ port }, { method: 'POST' })
  await until(() => unseen(guards.at(-1)!).length > 0)
  t.strictSame(
    guards.map((lines) => unseen(lines).length),
    [0, 1, 1]
  )
})

t.test('what a client chose as a path is shown by its beginning', async (t) => {
  const table: [path: string, shown: string][] = [
    ['/', '/'],
    ['/hook', '/hook'],
    ['/hook?token=secret', '/hook'],
    ['/hook/secret?a', '/hook/…'],
    ['//secret', '//…'],
    [`/${'p'.repeat(12_000)}`, `/${'p'.repeat(39)}…`],
    ['*', ''],
    ['http://host/secret', '']
  ]
  for (const [path, shown] of table) {
    const lines: Line[] = []
    const guard = guardNode({ ...OPTIONS, logger: lineLogger(lines) })
    const port = await listen(
      t,
      createServer((_, response) => response.end())
    )
    const socket = connect(port, '127.0.0.1')
    const request = `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n`
    socket.write(Buffer.from(request.repeat(3), 'latin1'))
    await until(() => unseen(lines).length > 0)
    socket.destroy()
    guard.close()
    const [{ moengage, msg }] = unseen(lines)
    t.equal(moengage.value, shown)
    t.ok(msg.length < 500 && moengage.message.length < 300)
    t.notMatch(JSON.stringify(lines), /secret/)
  }
})

type Modes = readonly ('reject' | 'tag')[]
/** Sends one request through checks, and resolves with the status of the first answer; 200 where all let it through. */
async function throughChecks(
  modes: Modes,
  check: (mode: Modes[number]) => Promise<{ readonly response: Response | undefined }>
): Promise<number> {
  for (const mode of modes) {
    const { response } = await check(mode)
    if (response !== undefined) return response.status
  }
  return 200
}

type Judging = typeof OPTIONS & { logger: ReturnType<typeof lineLogger> }

/** Each sends a request of a stranger through routes of one guard, one behind the other, and resolves with the status of the answer. */
const ONE_BEHIND_THE_OTHER: Record<
  string,
  (t: Test, options: Judging) => { guard: { status(): GuardStatus }; pass(modes: Modes): Promise<number | undefined> }
> = {
  Express(t, options) {
    const guard = guardExpress(options)
    const pass = async (modes: Modes) => {
      const app = express().use(...modes.map((mode) => guard.route({ mode })), (_, response) => void response.end())
      const port = await listen(t, createServer(app))
      return (await send({ port }, { headers: { 'x-forwarded-for': STRANGER } })).status
    }
    return { guard, pass }
  },
  'node:http'(t, options) {
    const guard = guardNode(options)
    const pass = async (modes: Modes) => {
      const listener = modes.reduceRight<RequestListener>(
        (inner, mode) => guard.listener(inner, { mode }),
        (_, response) => void response.end()
      )
      const port = await listen(t, createServer(listener))
      return (await send({ port }, { headers: { 'x-forwarded-for': STRANGER } })).status
    }
    return { guard, pass }
  },
  Fetch(_, options) {
    const guard = guardFetch(options)
    const pass = (modes: Modes) => {
      const request = new Request('http://x/')
      return throughChecks(modes, (mode) => guard.check(request, STRANGER, { mode }))
    }
    return { guard, pass }
  },
  Workers(_, options) {
    const guard = guardWorkers(options)
    const pass = (modes: Modes) => {
      const request = new Request('http://x/', { headers: { 'cf-connecting-ip': STRANGER } })
      Object.assign(request, { cf: {} })
      return throughChecks(modes, (mode) => guard.check(request, { waitUntil: () => {} }, { mode }))
    }
    return { guard, pass }
  },
  Lambda(_, options) {
    const guard = guardLambda(options)
    const pass = async (modes: Modes) => {
      const requestContext = { http: { method: 'POST', sourceIp: STRANGER } }
      const handler = modes.reduceRight<(event: never, context: unknown) => Promise<unknown>>(
        (inner, mode) => guard.handler((event, context) => inner(event as never, context), { mode }) as never,
        async () => ({ statusCode: 200 })
      )
      const answer = await handler({ version: '2.0', headers: {}, requestContext } as never, null)
      return (answer as { statusCode: number }).statusCode
    }
    return { guard, pass }
  },
  Fastify(t, { logger: loggerInstance, ...options }) {
    const app: FastifyInstance = Fastify({ loggerInstance: loggerInstance as FastifyBaseLogger })
    t.teardown(() => app.close())
    const guard = { status: () => app.moengage!.status() }
    const pass = async (modes: Modes) => {
      await app.register(guardFastify, options)
      const hooks = modes.slice(1).map((mode) => app.verifyMoEngage({ mode }))
      app.get('/x', { config: { moengage: { mode: modes[0] } }, preHandler: hooks }, async () => 'ok')
      return (await app.inject({ url: '/x', headers: { 'x-forwarded-for': STRANGER } })).statusCode
    }
    return { guard, pass }
  }
}

for (const [door, make] of Object.entries(ONE_BEHIND_THE_OTHER)) {
  t.test(`${door}: a request that one route lets through and a later one rejects is turned away, once`, async (t) => {
    const rows: [modes: Modes, status: number, counted: Partial<GuardStatus>, logged: Modes][] = [
      [['tag', 'tag'], 200, { tagged: 1, turnedAway: 0 }, ['tag']],
      [['tag', 'reject'], 403, { tagged: 0, turnedAway: 1 }, ['tag', 'reject']],
      [['tag', 'tag', 'reject'], 403, { tagged: 0, turnedAway: 1 }, ['tag', 'reject']],
      [['reject', 'tag'], 403, { tagged: 0, turnedAway: 1 }, ['reject']]
    ]
    for (const [modes, status, counted, logged] of rows) {
      const lines: Line[] = []
      const { guard, pass } = make(t, { ...OPTIONS, logger: lineLogger(lines) })
      t.equal(await pass(modes), status, `${modes}`)
      t.match(guard.status(), { ...counted, rejected: { 'not-listed': 1 } }, `${modes}`)
      const written = lines.flatMap(({ moengage }) => (moengage?.event === 'moengage.rejected' ? [moengage.mode] : []))
      t.strictSame(written, logged, `${modes}`)
    }
  })
}

t.test('a request that a guard behind an answer rejects once more is counted and logged once', async (t) => {
  const lines: Line[] = []
  const guard = guardFetch({ ...OPTIONS, logger: lineLogger(lines) })
  t.teardown(() => guard.close())
  const request = new Request('http://x/')
  for (const mode of ['tag', 'reject', 'reject', 'tag'] as const) await guard.check(request, STRANGER, { mode })
  t.match(guard.status(), { tagged: 0, turnedAway: 1, rejected: { 'not-listed': 1 } })
  t.equal(lines.filter(({ moengage }) => moengage?.event === 'moengage.rejected').length, 2)
  guard.close()
  t.match(lines.at(-1), { moengage: { event: 'moengage.summary' } })
  t.strictSame(lines.at(-1)?.moengage?.suppressed, { reject: {}, tag: {} })
})
