import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect, createServer as createNetServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { Snapshot } from '../../src/core.js'
import moengageAllowlist, { type ListenerOptions, type MoEngageAllowlistOptions } from '../../src/http.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { failingThenable, HIDDEN_REJECTIONS, unreadableErrors, untilRejected } from '../support/failures.js'
import { type LogLine, send, until } from '../support/http.js'
import { lineLogger } from '../support/logger.js'
import { snapshotOf } from '../support/snapshots.js'

function guarding(options: Partial<MoEngageAllowlistOptions> = {}) {
  const lines: LogLine[] = []
  const guard = moengageAllowlist({
    dataCenters: 'DC-01',
    clientIp: { trustedProxies: ['loopback'] },
    logger: lineLogger(lines),
    ...options
  })
  return { guard, lines }
}

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** What a client of `net` gets before the end. */
async function talk(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('error', () => {})
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  return text
}

t.test('a request listener is called for whoever is let through, with the verdict', async (t) => {
  const { guard, lines } = guarding({ statusCode: 404 })
  const routes: Record<string, RequestListener> = {}
  for (const [path, options] of Object.entries<ListenerOptions>({
    '/': {},
    '/catalog': { channels: 'catalog', statusCode: 401 },
    '/tag': { mode: 'tag' },
    '/own': { onReject: (_, response, { reason }) => void response.end(reason) },
    '/fails': { onReject: () => Promise.reject(new Error('own')) },
    '/fails-late': {
      onReject: (_, response) => {
        response.writeHead(404)
        throw new Error('late')
      }
    }
  })) {
    routes[path] = guard.listener((_, response, verdict) => response.end(JSON.stringify(verdict)), options)
  }
  const port = await listen(
    t,
    createServer((request, response) => routes[request.url!]!(request, response))
  )
  const ask = (path: string, clientIp: string) => send({ port }, { path, headers: { 'x-forwarded-for': clientIp } })
  const table: [path: string, clientIp: string, status: number, body: RegExp][] = [
    ['/', LISTED, 200, /"verified":true/],
    ['/', STRANGER, 404, /"code":"MOE_ERR_REJECTED","error":"Not Found"/],
    ['/catalog', LISTED, 401, /Unauthorized/],
    ['/catalog', '52.1.205.204', 200, /catalog/],
    ['/tag', STRANGER, 200, /"verified":false/],
    ['/own', STRANGER, 404, /^not-listed$/],
    ['/fails', STRANGER, 500, /^\{"statusCode":500,"error":"Internal Server Error","message":"[^"]*"\}$/]
  ]
  for (const [path, clientIp, status, body] of table) {
    t.match(await ask(path, clientIp), { status, body }, `${path} ${clientIp}`)
  }
  await t.rejects(ask('/fails-late', STRANGER), 'an answer that has begun can only be cut off')
  t.match(
    lines.filter(({ err }) => err).map(({ err }) => err?.message),
    ['own', 'late'],
    'what fails is logged'
  )
})

t.test('an onReject that fails in any way is answered with 500', async (t) => {
  const { guard } = guarding()
  const failures = [...unreadableErrors().map((error) => () => Promise.reject(error)), () => failingThenable('own')]
  for (const onReject of failures) {
    const port = await listen(t, createServer(guard.listener((_, response) => response.end(), { onReject })))
    t.match(await send({ port }, { headers: { 'x-forwarded-for': STRANGER } }), { status: 500, body: /not be judged/ })
  }
})

t.test(
  'requests that fail for the same reason have one line an hour, and none where the log has the reason',
  async (t) => {
    mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 10, 23) })
    t.teardown(() => mock.timers.reset())
    let message = 'own'
    const onReject = () => {
      throw new Error(message)
    }
    const { guard, lines } = guarding({ onReject, logLevel: 'silent' })
    t.teardown(() => guard.close())
    const port = await listen(t, createServer(guard.listener((_, response) => response.end())))
    const ask = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const answer = await send({ port }, { headers: { 'x-forwarded-for': `198.51.100.${i}` } })
        t.match(answer, { status: 500, body: /not be judged/ })
      }
    }
    await ask(5)
    message = 'other'
    await ask(2)
    mock.timers.tick(60 * 60 * 1000)
    message = 'own'
    await ask(2)
    const line = (message: string, suppressed: number) => ({
      level: 50,
      msg: message,
      err: { message, stack: /http\.test/ },
      moengage: { suppressed }
    })
    t.match(lines, [line('own', 0), line('other', 0), line('own', 4)])
    t.equal(lines.length, 3)

    const source = { name: 'down', load: () => Promise.reject(new Error('gone')) }
    const without = guarding({ source })
    t.teardown(() => without.guard.close())
    const unready = await listen(t, createServer(without.guard.listener((_, response) => response.end())))
    for (let i = 0; i < 5; i++) t.match(await send({ port: unready }), { status: 503 })
    t.match(without.lines, [{ level: 50, msg: 'MoEngage requests cannot be judged.', err: { message: /gone/ } }])
    t.equal(without.lines.length, 1)
  }
)

t.test('promises inside of what onReject returns end no process', async (t) => {
  const { guard } = guarding()
  for (const [what, make] of HIDDEN_REJECTIONS) {
    const onReject: ListenerOptions['onReject'] = (_, response) => [response.end('own'), make()]
    const port = await listen(t, createServer(guard.listener((_, response) => response.end(), { onReject })))
    const answer = await send({ port }, { headers: { 'x-forwarded-for': STRANGER } })
    await untilRejected()
    t.match(answer, { status: 403, body: 'own' }, what)
  }
})

t.test('HTTP/2 is guarded with its bodies and its HEAD', async (t) => {
  const { guard } = guarding()
  const server = createHttp2Server(
    guard.listener(async (request, response, verdict) => {
      let length = 0
      for await (const chunk of request) length += chunk.length
      response.end(`${verdict.verified} ${length}`)
    })
  )
  const port = await listen(t, server)
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  t.teardown(() => session.close())
  const table: [method: string, clientIp: string, status: number, body: RegExp][] = [
    ['POST', LISTED, 200, /^true 100000$/],
    ['POST', STRANGER, 403, /MOE_ERR_REJECTED/],
    ['HEAD', STRANGER, 403, /^$/],
    ['POST', LISTED, 200, /^true 100000$/]
  ]
  for (const [method, clientIp, status, expected] of table) {
    const stream = session.request({ ':method': method, 'x-forwarded-for': clientIp })
    let body = ''
    stream.setEncoding('utf8').on('data', (chunk) => {
      body += chunk
    })
    stream.on('error', () => {})
    if (method === 'POST') stream.end('x'.repeat(100_000))
    const closed = once(stream, 'close')
    const [head] = await once(stream, 'response')
    t.equal(head[':status'], status, `${method} ${clientIp}`)
    await closed
    t.match(body, expected)
  }
})

t.test('a connection of a stranger is cut off before a byte is exchanged', async (t) => {
  const { guard, lines } = guarding({ clientIp: 'request.ip', allow: ['127.0.0.1'] })
  const welcome = guard.connectionListener((socket, { verified }) => socket.end(`verified: ${verified}`))
  t.equal(await talk(await listen(t, createNetServer(welcome))), 'verified: true')
  t.strictSame(lines, [])

  const strict = guarding({ clientIp: 'request.ip' })
  const greet = (socket: { end(text: string): unknown }) => socket.end('hello')
  t.equal(await talk(await listen(t, createNetServer(strict.guard.connectionListener(greet)))), '')
  t.match(strict.lines, [{ msg: '127.0.0.1 rejected: not-listed' }])
  const tagged = strict.guard.connectionListener(greet, { mode: 'tag', channels: 'catalog' })
  t.equal(await talk(await listen(t, createNetServer(tagged))), 'hello')
  t.match(strict.lines[1], { msg: '127.0.0.1 would be rejected: not-listed' })

  const behind = guarding()
  t.equal(
    await talk(await listen(t, createNetServer(behind.guard.connectionListener(greet)))),
    '',
    'a proxy is no sender'
  )
  const byFunction = guarding({ clientIp: () => '52.6.248.125' })
  t.equal(await talk(await listen(t, createNetServer(byFunction.guard.connectionListener(greet)))), '')
  const hint = /^Your clientIp function was not called: it takes requests, and this is a connection/
  t.match(byFunction.lines, [{ moengage: { reason: 'unresolved', hint } }])
  t.match(byFunction.guard.judge({ peer: LISTED, headers: {} }), { verified: false, reason: 'unresolved', hint })
})

t.test(
  'a unix socket is recognized where the server does not know its path, a closed connection of TCP never',
  async (t) => {
    const path = join(tmpdir(), `moengage-http-${process.pid}.sock`)
    const options = { clientIp: { trustedProxies: ['unix'] } }
    const { guard, lines } = guarding(options)
    const serve = async (server: Server) => {
      server.listen(path)
      await once(server, 'listening')
      return server
    }
    const server = createServer(guard.listener((_, response) => response.end('ok')))
    t.equal(server.address(), null, 'this server does not know the path')
    const front = await serve(createNetServer((socket) => server.emit('connection', socket)))
    const call = (headers: Record<string, string>) =>
      send({ socketPath: path }, { headers: { connection: 'close', ...headers } })
    t.match(await call({ 'x-forwarded-for': LISTED }), { status: 200 })
    t.match(await call({ 'x-forwarded-for': STRANGER }), { status: 403 })
    front.close()
    const bare = await serve(createNetServer(guard.connectionListener((socket) => socket.end('hello'))))
    const caller = connect(path).resume()
    await once(caller, 'close')
    bare.close()
    t.match(lines, [
      { moengage: { clientIp: STRANGER, peer: 'unix' } },
      {
        moengage: {
          reason: 'unresolved',
          peer: 'unix',
          hint: /^The request came over a unix socket, which has no address/
        }
      }
    ])

    const closed = { headers: { 'x-forwarded-for': LISTED }, rawHeaders: [] }
    const tcp = createNetServer()
    const port = await listen(t, tcp)
    const client = connect(port, '127.0.0.1')
    const [socket] = (await once(tcp, 'connection')) as [Socket]
    socket.destroy()
    client.destroy()
    await once(socket, 'close')
    t.match(guard.judge({ ...closed, socket } as never), {
      verified: false,
      peer: null,
      hint: /^The connection has no address/
    })
  }
)

t.test('a method that was passed and not called answers with one sentence, and ends no process', async (t) => {
  const { guard, lines } = guarding()
  const port = await listen(t, createServer(guard.listener as never))
  for (let i = 0; i < 2; i++) t.match(await send({ port }), { status: 500 })
  const message =
    /listener: an object of the class IncomingMessage was passed instead of a function\. Write createServer\(guard\.listener/
  t.match(lines, [{ level: 50, msg: message }])
  t.equal(lines.length, 1)
  const bare = guarding()
  t.equal(await talk(await listen(t, createNetServer(bare.guard.connectionListener as never))), '')
  t.match(bare.lines, [
    { level: 50, msg: /connectionListener: an object of the class Socket was passed instead of a function/ }
  ])
  for (const wrong of [undefined, null, {}, 'x']) {
    t.throws(() => guard.listener(wrong as never), { code: 'MOE_ERR_OPTIONS', mistakes: [{ path: 'listener' }] })
    t.throws(() => guard.connectionListener(wrong as never), {
      code: 'MOE_ERR_OPTIONS',
      mistakes: [{ path: 'connectionListener' }]
    })
  }
})

t.test('requests and connections wait for the first list', async (t) => {
  const snapshot: Snapshot = {
    provenance: { page: 'test', revision: 'r', retrieved: new Date().toISOString().slice(0, 10) },
    rows: [{ dataCenter: 'DC-01', channel: 'streams', addresses: ['9.9.9.9'] }]
  }
  for (const fails of [false, true]) {
    let arrive = () => {}
    const load = () =>
      new Promise<Snapshot>((resolve, reject) => {
        arrive = () => (fails ? reject(new Error('gone')) : resolve(snapshot))
      })
    const source = { name: 'slow', load }
    const { guard } = guarding({ clientIp: 'request.ip', allow: ['127.0.0.1'], source })
    const http = await listen(t, createServer(guard.listener((_, response) => response.end('hello'))))
    let connected = 0
    const netServer = createNetServer(guard.connectionListener((socket) => socket.end('hello')))
    netServer.on('connection', (socket) => {
      // A client that is gone before the list is there; how its socket ends is up to the system.
      if (++connected === 1) socket.emit('error', new Error('ECONNRESET'))
      else arrive()
    })
    const net = await listen(t, netServer)
    const request = send({ port: http })
    const gone = connect(net, '127.0.0.1')
    await once(gone, 'connect')
    gone.resetAndDestroy()
    const greeting = talk(net)
    t.match(await request, fails ? { status: 503, body: /MOE_ERR_NOT_READY/ } : { status: 200, body: 'hello' })
    t.equal(await greeting, fails ? '' : 'hello')
  }
})

t.test('the guard judges requests and connections without a line in the log', async (t) => {
  t.match(moengageAllowlist({ dataCenters: 'DC-01' }).judge({ peer: LISTED, headers: {} }), { verified: true })
  const { guard, lines } = guarding()
  await guard.ready()
  const server = createServer((request, response) => response.end(JSON.stringify(guard.judge(request))))
  const port = await listen(t, server)
  const { body } = await send({ port }, { headers: { 'x-forwarded-for': STRANGER } })
  t.match(JSON.parse(body), { verified: false, reason: 'not-listed' })
  t.match(guard.judge({ peer: LISTED, headers: {} }, { channels: 'catalog' }), { reason: 'other-channel' })
  t.strictSame(lines, [])
  t.match(guard.status(), { rejected: { 'not-listed': 1, 'other-channel': 1 } })
  guard.close()
  t.match(lines, [
    {
      moengage: {
        event: 'moengage.summary',
        suppressed: { reject: {} },
        rejected: { 'not-listed': 1, 'other-channel': 1 }
      },
      msg: /^2 rejections, 0 requests verified, 0 lines left out/
    }
  ])
  t.throws(() => guard.listener(() => {}, { onReject: 'next' as never }), /onReject/)
  t.throws(() => guard.connectionListener(() => {}, { channels: 'x' as never }), /channels/)
  for (const answer of [{ statusCode: 404 }, { onReject: () => {} }]) {
    t.throws(() => guard.connectionListener(() => {}, answer as never), /Leave it out: a connection is cut off/)
  }
  for (const [options, fix] of [
    ['streams', `Write { channels: 'streams' }.`],
    [5, `Write { channels: 'streams' }, or another object with dataCenters, channels or mode.`]
  ]) {
    t.throws(() => guard.connectionListener(() => {}, options as never), {
      code: 'MOE_ERR_OPTIONS',
      mistakes: [{ path: 'options', fix }]
    })
  }
})

/** Sends a request with many lines and the line of a proxy last, on a connection that may be used before. */
async function sendLines(port: number, lines: number, before: () => unknown = () => {}): Promise<number[]> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => text.includes('\r\n\r\n'))
  before()
  const padding = Array(lines).fill('a:').join('\r\n')
  socket.write(
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: ${LISTED}\r\n${padding}\r\nX-Forwarded-For: ${STRANGER}\r\n\r\n`
  )
  await once(socket, 'close')
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
}

t.test('a request with as many header lines as its connection keeps is not judged by them', async (t) => {
  const { guard } = guarding()
  t.teardown(() => guard.close())
  const unresolved = { verified: false, reason: 'unresolved' }
  const rows: [
    what: string,
    ofServer: number | undefined,
    ofParser: number | undefined,
    lines: number,
    verdict: object
  ][] = [
    ['fewer than the server keeps', 50, undefined, 49, { verified: true }],
    ['as many as the server keeps', 50, undefined, 50, unresolved],
    ['fewer than the parser keeps', undefined, 100, 49, { verified: true }],
    ['as many as the parser keeps', undefined, 100, 50, unresolved],
    ['as many as the parser keeps, of a server that keeps more by now', 500, 100, 50, unresolved],
    ['as many as the server keeps, of a parser that keeps more', 50, 1000, 50, unresolved],
    ['fewer than a thousand, without limits', 0, 0, 999, { verified: true }],
    ['a thousand, without limits', 0, 0, 1000, unresolved],
    ['a thousand, with greater limits', 5000, 10_000, 1000, unresolved]
  ]
  for (const [what, maxHeadersCount, maxHeaderPairs, lines, verdict] of rows) {
    const request = {
      headers: { 'x-forwarded-for': LISTED },
      rawHeaders: Array(2 * lines).fill('a'),
      socket: {
        remoteAddress: '127.0.0.1',
        server: { maxHeadersCount, address: () => null },
        parser: maxHeaderPairs === undefined ? null : { maxHeaderPairs }
      }
    }
    t.match(guard.judge(request as unknown as IncomingMessage), verdict, what)
  }
})

t.test('the limit of header lines is that of the connection, and a thousand at most', async (t) => {
  const { guard } = guarding()
  t.teardown(() => guard.close())
  const rows: [what: string, atFirst: number | undefined, later: number | undefined, lines: number][] = [
    ['the default', undefined, undefined, 1100],
    ['a limit that was raised after the connection was opened', 50, 5000, 100],
    ['a limit that was taken away after the connection was opened', 50, 0, 100],
    ['a limit above a thousand', 5000, undefined, 1100],
    ['no limit', 0, undefined, 1100]
  ]
  for (const [what, atFirst, later, lines] of rows) {
    const reasons: unknown[] = []
    const server = createServer({ maxHeaderSize: 100_000 }, (request, response) => {
      const verdict = guard.judge(request)
      reasons.push('hint' in verdict && verdict.reason)
      response.end('ok')
    })
    if (atFirst !== undefined) server.maxHeadersCount = atFirst
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const change = () => {
      if (later !== undefined) server.maxHeadersCount = later
    }
    const [, status] = await sendLines((server.address() as AddressInfo).port, lines, change)
    // Newer versions of Node answer 431 themselves, where older ones drop lines.
    t.strictSame(reasons.slice(1), status === 431 ? [] : ['unresolved'], `${what}: ${status}`)
    server.close()
  }
})

t.test('a request whose sender hangs up while the first list is loading is judged by its peer', async (t) => {
  const path = join(tmpdir(), `moengage-hangs-up-${process.pid}.sock`)
  const headers = { 'x-forwarded-for': LISTED }
  const overHttp = (options: object) => {
    const request = get({ ...options, headers })
    request.on('error', () => {})
    return () => request.destroy()
  }
  const overHttp2 = ({ port }: { port?: number }) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    session.on('error', () => {})
    session.request(headers).on('error', () => {})
    return () => session.destroy()
  }
  const table: [
    what: string,
    make: typeof createServer,
    ask: (to: { port?: number }) => () => unknown,
    peer: string
  ][] = [
    ['HTTP/1', createServer, overHttp, '127.0.0.1'],
    ['a unix socket', createServer, () => overHttp({ socketPath: path }), 'unix'],
    ['HTTP/2', createHttp2Server as never, overHttp2, '127.0.0.1']
  ]
  for (const [what, make, ask, peer] of table) {
    let arrive = () => {}
    const isClosed = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const { guard } = guarding({
      source: { name: 'slow', load: () => isClosed.then(() => snapshotOf({ 'DC-01 connector': [LISTED] })) },
      clientIp: { trustedProxies: ['loopback', 'unix'] }
    })
    t.teardown(() => guard.close())
    const peers: unknown[] = []
    const listener = guard.listener((_request: IncomingMessage, _response: ServerResponse, verdict) =>
      peers.push(verdict.peer)
    )
    let asked = 0
    const server = make((request, response) => {
      asked++
      response.on('close', () => setImmediate(arrive))
      listener(request, response)
      listener(request, response)
    })
    server.listen(peer === 'unix' ? { path } : { port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    t.teardown(() => server.close())
    const hangUp = ask(peer === 'unix' ? {} : (server.address() as AddressInfo))
    await until(() => asked === 1)
    hangUp()
    await guard.ready()
    t.strictSame(peers, [peer, peer], what)
    t.match(guard.status(), { verified: 1, rejected: { unresolved: 0 } }, `${what}: one request is counted once`)
  }
})
