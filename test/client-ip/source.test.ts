import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import express from 'express'
import Fastify from 'fastify'
import t from 'tap'
import { createGuard } from '../../src/core.js'
import guardExpress from '../../src/express.js'
import guardFetch from '../../src/fetch.js'
import moengageAllowlist from '../../src/index.js'
import guardWorkers from '../../src/workers.js'
import { STRANGER } from '../support/addresses.js'
import { HIDDEN_REJECTIONS } from '../support/failures.js'
import { type LogLine, send } from '../support/http.js'
import { lineLogger } from '../support/logger.js'

const LISTED = '52.6.248.125'
const later = (value: unknown) => new Promise((resolve) => setImmediate(() => resolve(value)))

/** Something that only looks like a promise. */
const thenable = (then: (resolve: unknown, reject: (error: Error) => void) => void) =>
  Object.defineProperty({}, 'then', { value: then })

function throwing(message: string): never {
  throw new Error(message)
}

function throwingValue(value: unknown): never {
  throw value
}

/** What a clientIp function may return or throw instead of an address, and what the verdict says then. */
const ANSWERS: [what: string, clientIp: () => unknown, hint: RegExp][] = [
  ['a list with an address', () => [LISTED], /is not an address/],
  ['a list of addresses', () => [LISTED, LISTED], /is not an address/],
  ['a promise of an address', async () => LISTED, /returned a promise/],
  ['a promise that is rejected at once', () => Promise.reject(new Error('own')), /returned a promise/],
  [
    'a promise that is rejected later',
    () => later(0).then(() => Promise.reject(new Error('own'))),
    /returned a promise/
  ],
  ['a thenable', () => thenable((_, failed) => failed(new Error('own'))), /returned a promise/],
  ['a thenable whose then is an async function', () => thenable(async () => throwing('own')), /returned a promise/],
  ['a thenable that throws', () => thenable(() => throwing('own')), /returned a promise/],
  [
    'an object whose then throws',
    () => Object.defineProperty({}, 'then', { get: () => throwing('own then') }),
    /threw: own then/
  ],
  [
    'an error',
    () => {
      throw new Error('own')
    },
    /threw: own/
  ],
  [
    'a text that is thrown',
    () => {
      throw 'own'
    },
    /threw: own/
  ],
  [
    'null that is thrown',
    () => {
      throw null
    },
    /not an error/
  ],
  [
    'an error of another realm',
    () => {
      throw runInNewContext(`new TypeError('foreign')`)
    },
    /threw: foreign/
  ],
  [
    'an error whose message cannot be read',
    () => {
      throw Object.defineProperty(new Error(), 'message', { get: () => throwing('own message') })
    },
    /threw: Error$/
  ],
  [
    'a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      throw proxy
    },
    /not an error/
  ],
  [
    'a message with what a sender wrote',
    () => throwing(`bad header ${'\u009b\u202e\n'.repeat(5000)}`),
    /^[ -~…]{1,3000}$/
  ],
  ['a message with a password', () => throwing('no answer of postgres://user:hunter2@db/'), /postgres:\/\/…@db\/$/],
  ['nothing', () => undefined, /returned nothing/],
  ['a number', () => 42, /not an address/],
  ['an object', () => ({}), /not an address/],
  ['a function', () => () => LISTED, /not an address/],
  ['a list', () => [LISTED], /not an address/],
  ...HIDDEN_REJECTIONS.flatMap(([what, make]): typeof ANSWERS => [
    [what, make, /not an address|returned a promise/],
    [`${what}, thrown`, () => throwingValue(make()), /not an error|threw: (?:AggregateError|own)$/]
  ]),
  [
    'a promise that is thrown, and rejected',
    () => {
      throw Promise.reject(new Error('thrown'))
    },
    /not an error/
  ],
  ['null', () => null, /returned nothing/],
  ['an empty text', () => '', /returned nothing/],
  ['an address with a port', () => `${LISTED}:443`, /not an address/]
]

const unhandled: unknown[] = []
process.on('unhandledRejection', (error) => unhandled.push(error))

t.test('whatever a clientIp function returns or throws ends in a verdict', async (t) => {
  for (const [what, clientIp, hint] of ANSWERS) {
    const guard = createGuard({ dataCenters: 'DC-01', clientIp: clientIp as never })
    t.match(
      guard.judge({ peer: LISTED, headers: {} }),
      { verified: false, reason: 'unresolved', clientIp: null, hint },
      what
    )
  }
})

t.test('it is the same in Fastify', async (t) => {
  for (const [what, clientIp, hint] of ANSWERS) {
    const app = Fastify()
    const hints: unknown[] = []
    await app.register(moengageAllowlist, {
      dataCenters: 'DC-01',
      clientIp: clientIp as never,
      onVerdict: (verdict) => void hints.push('hint' in verdict && verdict.hint)
    })
    app.get('/', async () => 'ok')
    t.equal((await app.inject({ url: '/', remoteAddress: LISTED })).statusCode, 403, what)
    t.match(hints, [hint], what)
    await app.close()
  }
})

t.test('it is the same in Express', async (t) => {
  for (const [what, clientIp, hint] of ANSWERS) {
    const lines: LogLine[] = []
    const guard = guardExpress({ dataCenters: 'DC-01', clientIp: clientIp as never, logger: lineLogger(lines) })
    const server = createServer((request, response) => guard(request, response, () => response.end('ok'))).listen(
      0,
      '127.0.0.1'
    )
    await once(server, 'listening')
    const { status } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    t.equal(status, 403, what)
    t.match(
      lines.map(({ moengage }) => moengage),
      [{ reason: 'unresolved', hint }],
      what
    )
    guard.close()
    server.close()
    server.closeAllConnections()
  }
})

t.test('it is the same in Fetch', async (t) => {
  for (const [what, clientIp, hint] of ANSWERS) {
    const guard = guardFetch({ dataCenters: 'DC-01', clientIp: clientIp as never, logger: lineLogger([]) })
    const { response, verdict } = await guard.check(new Request('http://localhost/'), LISTED)
    t.equal(response?.status, 403, what)
    t.match(verdict, { reason: 'unresolved', hint }, what)
    guard.close()
  }
})

t.test("a framework's request.ip that throws is a verdict as well", async (t) => {
  const app = Fastify({
    trustProxy: () => {
      throw new Error('own trust')
    }
  })
  t.teardown(() => app.close())
  const hints: unknown[] = []
  await app.register(moengageAllowlist, {
    dataCenters: 'DC-01',
    onVerdict: (verdict) => void hints.push('hint' in verdict && verdict.hint)
  })
  app.get('/', async () => 'ok')
  t.equal(
    (await app.inject({ url: '/', remoteAddress: LISTED, headers: { 'x-forwarded-for': LISTED } })).statusCode,
    403
  )
  t.match(hints, [/threw: own trust/])
})

t.test(
  'an empty request.ip is no client IP, though the connection has a peer; a filled one is, though it has none',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'ip-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const rows: [what: string, path: string, ip: unknown, expected: object][] = [
      [
        'nothing',
        '',
        undefined,
        { reason: 'unresolved', hint: /request\.ip or your clientIp function returned nothing/ }
      ],
      ['an empty text', '', '', { reason: 'unresolved', hint: /returned nothing/ }],
      ['null', '', null, { reason: 'unresolved', hint: /returned nothing/ }],
      [
        'nothing on a unix socket',
        'unix',
        undefined,
        { reason: 'unresolved', hint: /unix socket, which has no address/ }
      ],
      ['an address on a unix socket', 'unix', LISTED, { verified: true, clientIp: LISTED }]
    ]
    for (const [what, path, ip, expected] of rows) {
      const verdicts: unknown[] = []
      const guard = guardExpress({
        dataCenters: 'DC-01',
        mode: 'tag',
        onVerdict: (verdict) => void verdicts.push(verdict)
      })
      const app = express()
      app.use((request, _response, next) => {
        Object.defineProperty(request, 'ip', { value: ip })
        next()
      })
      app.use(guard)
      app.use((_request, response) => void response.end('ok'))
      const socketPath = join(folder, `${what}.sock`)
      const server = path === 'unix' ? app.listen(socketPath) : app.listen(0, '127.0.0.1')
      await once(server, 'listening')
      await send(path === 'unix' ? { socketPath } : { port: (server.address() as AddressInfo).port })
      t.match(verdicts, [expected], what)
      guard.close()
      server.close()
      server.closeAllConnections()
    }
  }
)

t.test('the zone of a link-local peer is cut off, and no other one', async (t) => {
  const clientIp = { trustedProxies: ['linklocal'] }
  const judge = (peer: string, options: object = { clientIp }) =>
    createGuard({ dataCenters: 'DC-01', ...options }).judge({ peer, headers: { 'x-forwarded-for': LISTED } })
  t.match(judge('fe80::1%eth0'), { verified: true, clientIp: LISTED, peer: 'fe80::1%eth0' })
  t.match(judge('febf:1::2%en0'), { verified: true })
  for (const peer of [
    'fec0::1%eth0',
    '2001:db8::1%eth0',
    'fe80::1%',
    'fe80::1%a%b',
    'fe80:%eth0',
    'f:fe80::1%eth0',
    '169.254.1.1%eth0'
  ]) {
    t.match(judge(peer), { verified: false, reason: 'unresolved' }, peer)
  }
  t.match(judge('fe80::1%eth0', {}), { clientIp: 'fe80::1', reason: 'proxy-not-configured' }, 'the peer itself')
})

t.test('polluted prototypes forge no header', async (t) => {
  const prototype = Object.prototype as unknown as Record<string, unknown>
  prototype['x-forwarded-for'] = LISTED
  t.teardown(() => delete prototype['x-forwarded-for'])
  const guard = createGuard({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['10.0.0.1'] } })
  t.match(guard.judge({ peer: '10.0.0.1', headers: {} }), { verified: false })
})

t.test('what all objects were given says nothing about a request', async (t) => {
  const logger = lineLogger([])
  const options = { dataCenters: 'DC-01', clientIp: { trustedProxies: ['10.0.0.1'] }, logger } as const
  const { logger: _, ...bare } = options
  const guard = createGuard(bare)
  const own = guardExpress(options)
  const fetched = guardFetch({ dataCenters: 'DC-01', logger })
  const workers = guardWorkers({ dataCenters: 'DC-01', logger })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(moengageAllowlist, { dataCenters: 'DC-01' })
  const request = (headers = {}) => new Request('http://localhost/', { headers })
  const socket = { remoteAddress: LISTED }
  const forwarded = { 'x-forwarded-for': LISTED }
  const refused = (judge: () => unknown) => () => {
    t.throws(judge, { code: 'MOE_ERR_OPTIONS' })
    return { verified: false }
  }
  const table: [all: Record<string, unknown>, judge: () => unknown][] = [
    [{ peer: LISTED }, refused(() => guard.judge({ headers: {} } as never))],
    [{ headers: forwarded }, () => own.judge({ socket: { remoteAddress: '10.0.0.1' } } as never)],
    [{ peer: LISTED }, refused(() => own.judge({ headers: {} } as never))],
    [{ peer: LISTED }, refused(() => app.moengage!.judge({ headers: {} } as never))],
    [{ socket }, () => own.judge({ peer: STRANGER, headers: {} })],
    [{ raw: { socket }, routeOptions: {}, ip: LISTED }, () => app.moengage!.judge({ peer: STRANGER, headers: {} })],
    [{ remoteAddress: LISTED }, () => own.judge({ socket: {}, headers: {} } as never)],
    [{ server: { address: () => 'x' } }, () => own.judge({ socket: {}, headers: {} } as never)],
    [{ rawHeaders: [], socket }, () => fetched.judge(request(), { address: STRANGER })],
    [{ cf: {} }, () => workers.judge(request({ 'cf-connecting-ip': LISTED }))],
    ...[{ address: LISTED }, { hostname: LISTED }, { remoteAddress: LISTED }].flatMap((all) =>
      [
        {},
        { hostname: STRANGER },
        { address: STRANGER },
        { remote: { address: STRANGER } },
        { remoteAddr: { hostname: STRANGER } },
        { transport: 'unix', path: '/run/x.sock' }
      ].map((peer): (typeof table)[number] => [all, () => fetched.judge(request(), peer as never)])
    ),
    ...[{ remote: { address: LISTED } }, { remoteAddr: { hostname: LISTED } }].map((all): (typeof table)[number] => [
      all,
      () => fetched.judge(request(), {})
    ])
  ]
  for (const [all, judge] of table) {
    judge()
    Object.assign(Object.prototype, all)
    let verdict: unknown
    try {
      verdict = judge()
    } finally {
      for (const name of Object.keys(all)) delete (Object.prototype as unknown as Record<string, unknown>)[name]
    }
    t.match(verdict, { verified: false }, JSON.stringify(all))
    if (all.server !== undefined) t.match(verdict, { peer: null })
  }
  Object.assign(Object.prototype, { peer: STRANGER })
  try {
    t.match(
      own.judge({ socket, headers: {} } as never),
      { verified: true, peer: LISTED },
      'what the request has itself counts'
    )
  } finally {
    delete (Object.prototype as { peer?: string }).peer
  }
})

t.test('what all objects were given changes no grant', async (t) => {
  const all: Record<string, unknown> = {
    until: 1,
    override: {},
    effect: 'deny',
    dataCenter: 'DC-02',
    about: 'x',
    prefixes: []
  }
  Object.assign(Object.prototype, all)
  let verdicts: unknown
  try {
    const guard = createGuard({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['10.0.0.1'] } })
    guard.override({ allow: ['9.9.9.9'] })
    const judge = (peer: string) => guard.judge({ peer, headers: { 'x-real-ip': LISTED } })
    verdicts = [LISTED, '9.9.9.9', '104.16.0.9', '172.18.0.1'].map(judge)
  } finally {
    for (const name of Object.keys(all)) delete (Object.prototype as unknown as Record<string, unknown>)[name]
  }
  t.match(verdicts, [
    { verified: true, dataCenter: 'DC-01', graceUntil: null, override: null },
    { verified: true, dataCenter: null },
    { verified: false, hint: /is an address of cloudflare/ },
    { verified: false, hint: /^172\.18\.0\.1 is an internal address/ }
  ])
})

t.test('nothing of all that is left unhandled', async (t) => {
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.strictSame(unhandled, [])
})

t.test("a bare connection has the peer alone where the framework's request.ip is read", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(moengageAllowlist, { dataCenters: 'DC-01' })
  t.match(app.moengage!.judge({ peer: LISTED, headers: {} }), { verified: true })
  t.match(app.moengage!.judge({ peer: undefined, headers: {} }), { reason: 'unresolved' })
  t.match(app.moengage!.judge({ peer: 'unix', headers: {} }), { reason: 'unresolved', hint: /unix socket/ })
})

t.test('a function may return the peer as it is, with its zone', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', clientIp: ({ peer }) => peer as string })
  t.match(guard.judge({ peer: 'fe80::1%eth0', headers: {} }), { clientIp: 'fe80::1', reason: 'not-listed' })
})
