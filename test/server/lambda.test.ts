import { mock } from 'node:test'
import awsLambdaFastify from '@fastify/aws-lambda'
import fc from 'fast-check'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { Verdict } from '../../src/core.js'
import guardFastify, { type MoEngageAllowlistOptions as FastifyOptions } from '../../src/index.js'
import moengageAllowlist, {
  type LambdaEvent,
  type LambdaGuard,
  type MoEngageAllowlistOptions,
  secretHeader
} from '../../src/lambda.js'
import { redisFleet } from '../../src/redis.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { failingThenable, HIDDEN_REJECTIONS, thenable, untilRejected } from '../support/failures.js'
import { FakeRedis } from '../support/fake-redis.js'
import { SCENARIOS } from '../support/fixtures.js'
import type { LogLine } from '../support/http.js'
import { lineLogger } from '../support/logger.js'
import { runs } from '../support/properties.js'
import { snapshotOf, sound as soundOf } from '../support/snapshots.js'

const sound = (about: { revision: string }) => soundOf(about, [LISTED, '9.9.9.2'])
const HOUR = 3_600_000
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** The lines of headers, in order. */
type Lines = [name: string, value: string][]

/** Groups lines as a gateway does: by name in lower case, or as they were spelled. */
function grouped(lines: Lines, spelled = (name: string) => name.toLowerCase()): Record<string, string[]> {
  const groups: Record<string, string[]> = {}
  for (const [name, value] of lines) groups[spelled(name)] = [...(groups[spelled(name)] ?? []), value]
  return groups
}
const mapped = <T>(groups: Record<string, string[]>, of: (values: string[]) => T) =>
  Object.fromEntries(Object.entries(groups).map(([name, values]) => [name, of(values)]))
const last = (values: string[]) => values.at(-1)!
const joined = (values: string[]) => values.join(',')

type Line = LogLine & { moengage?: { event?: string } }

interface Kind {
  name: string
  /** The event for a connection from `peer` that sent these lines. */
  make(peer: string, lines: Lines): LambdaEvent & object
  /** What the log names. */
  logged: { method: string; route: string | null; requestId: string | null }
}

const REST = { requestId: 'id-1', stage: 'prod' }

/** A load balancer appends to the last line of X-Forwarded-For, or adds one. */
function appended(peer: string, lines: Lines): Lines {
  const at = lines.findLastIndex(([name]) => name.toLowerCase() === 'x-forwarded-for')
  if (at === -1) return [...lines, ['x-forwarded-for', peer]]
  return lines.map(([name, value], i) => [name, i === at ? `${value}, ${peer}` : value])
}

const balanced = { httpMethod: 'POST', path: '/', requestContext: { elb: { targetGroupArn: 'arn:aws:…' } }, body: '' }

/** A kind of event in payload 2.0, with the route that AWS names in it. */
const payload2 = (name: string, routeKey: string, http: { method: string; path: string }): Kind => ({
  name,
  make: (peer, lines) => ({
    version: '2.0',
    routeKey,
    rawPath: http.path,
    headers: mapped(grouped(lines), joined),
    requestContext: { ...REST, http: { ...http, sourceIp: peer } }
  }),
  logged: { method: http.method, route: routeKey, requestId: 'id-1' }
})

const KINDS: Kind[] = [
  {
    name: 'API Gateway, REST',
    make: (peer, lines) => ({
      resource: '/hooks/{id}',
      path: '/hooks/1',
      httpMethod: 'POST',
      headers: mapped(grouped(lines, String), last),
      multiValueHeaders: grouped(lines, String),
      requestContext: { ...REST, resourcePath: '/hooks/{id}', identity: { sourceIp: peer } },
      body: null
    }),
    logged: { method: 'POST', route: '/hooks/{id}', requestId: 'id-1' }
  },
  {
    name: 'API Gateway, HTTP with payload 1.0',
    make: (peer, lines) => ({
      version: '1.0',
      resource: '/hooks',
      path: '/hooks',
      httpMethod: 'POST',
      headers: mapped(grouped(lines), last),
      multiValueHeaders: grouped(lines),
      requestContext: { ...REST, identity: { sourceIp: peer } },
      body: null
    }),
    logged: { method: 'POST', route: '/hooks', requestId: 'id-1' }
  },
  payload2('API Gateway, HTTP with payload 2.0', 'POST /hooks', { method: 'POST', path: '/hooks' }),
  payload2('a function URL', '$default', { method: 'GET', path: '/' }),
  {
    name: 'a load balancer, single-value headers',
    make: (peer, lines) => ({
      ...balanced,
      headers: mapped(grouped([...appended(peer, lines), ['x-amzn-trace-id', 'Root=1-2']]), last)
    }),
    logged: { method: 'POST', route: null, requestId: 'Root=1-2' }
  },
  {
    name: 'a load balancer, multi-value headers',
    make: (peer, lines) => ({ ...balanced, multiValueHeaders: grouped(appended(peer, lines)) }),
    logged: { method: 'POST', route: null, requestId: null }
  }
]

function guarding(options: Partial<MoEngageAllowlistOptions> = {}) {
  const lines: Line[] = []
  const guard = moengageAllowlist({ dataCenters: 'DC-01', logger: lineLogger(lines), ...options })
  const handler = guard.handler(async (_event: LambdaEvent, context: object, verdict) => ({
    statusCode: 200,
    body: JSON.stringify({ verdict, context })
  }))
  const call = (event: LambdaEvent) => handler(event, { own: true }) as Promise<{ statusCode: number; body: string }>
  const events = (event: string) => lines.filter(({ moengage }) => moengage?.event === `moengage.${event}`)
  return { guard, call, lines, events }
}

/** What a stranger sends who wants to be taken for MoEngage. */
const FORGED: Lines[] = [
  [['X-Forwarded-For', LISTED]],
  [
    ['X-Forwarded-For', LISTED],
    ['x-forwarded-for', LISTED]
  ],
  [['X-Forwarded-For', `${STRANGER}, ${LISTED}, `]],
  [
    ['Forwarded', `for=${LISTED}`],
    ['X-Real-IP', LISTED],
    ['True-Client-IP', LISTED],
    ['X-Amzn-Source-Ip', LISTED],
    ['x-aws-lambda-fastify-request', LISTED],
    ['x-apigateway-event', encodeURIComponent(JSON.stringify({ requestContext: { http: { sourceIp: LISTED } } }))]
  ]
]

for (const { name, make, logged } of KINDS) {
  t.test(name, async (t) => {
    t.test('the client is what AWS writes, whatever the client sends', async (t) => {
      const { call, events } = guarding({ allow: ['2001:db8::7'] })
      for (const peer of [LISTED, '2001:db8::7']) {
        const { statusCode, body } = await call(make(peer, [['X-Forwarded-For', STRANGER]]))
        t.equal(statusCode, 200)
        t.match(JSON.parse(body), { verdict: { verified: true, clientIp: peer }, context: { own: true } })
      }
      for (const lines of [[], ...FORGED] as Lines[]) {
        const { statusCode, body } = await call(make(STRANGER, lines))
        t.equal(statusCode, 403)
        t.match(JSON.parse(body), { code: 'MOE_ERR_REJECTED', error: 'Forbidden' })
      }
      t.match(events('rejected'), [{ moengage: { clientIp: STRANGER, reason: 'not-listed', ...logged } }])
    })

    t.test('an event that is judged before and in its handler is counted once, and reported', async (t) => {
      const { guard, events } = guarding()
      const handler = guard.handler(async (event) => void guard.judge(event), { mode: 'tag' })
      for (const peer of [LISTED, STRANGER]) {
        const event = make(peer, [])
        guard.judge(event)
        await handler(event, {})
      }
      t.match(guard.status(), { verified: 1, rejected: { 'not-listed': 1 } })
      t.equal(events('rejected').length, 1)
    })

    t.test('every spoofing scenario ends as it must', async (t) => {
      for (const { id, peer, headers, config, client, must_be } of SCENARIOS) {
        const { header, trusted: trustedProxies, allow, deny = [], requireHeader = false } = config
        // AWS always writes an address, and a balancer adds it to the very header.
        if (peer === '' || (name.includes('balancer') && (header === 'x-forwarded-for' || requireHeader))) continue
        const { guard } = guarding({ clientIp: { header, trustedProxies, requireHeader }, allow, deny })
        const verdict = guard.judge(make(peer, headers))
        t.match(verdict, { verified: must_be === 'accepted', clientIp: client }, id)
      }
    })

    t.test("the test of API Gateway's console is known by what stands in place of its address", async (t) => {
      const verdict = guarding().guard.judge(make('test-invoke-source-ip', []))
      // A balancer has no such test.
      const hint = name.includes('balancer')
        ? /wrote no address/
        : /^The request was made by the test of API Gateway's console, /
      t.match(verdict, { verified: false, reason: 'unresolved', hint })
    })

    t.test('a proxy of yours in front of it is walked past', async (t) => {
      const { guard } = guarding({ clientIp: { trustedProxies: ['10.0.0.0/8'] } })
      // API Gateway appends the address that connected, as the balancer does.
      const own: Lines = [['X-Forwarded-For', `${STRANGER}, ${LISTED}`]]
      t.match(guard.judge(make('10.0.0.1', own)), { verified: true, clientIp: LISTED })
      t.match(guard.judge(make(STRANGER, own)), { verified: false, clientIp: STRANGER })
    })

    t.test('under @fastify/aws-lambda the plugin finds the event and decides alike', async (t) => {
      for (const trustProxy of [false, true, ['127.0.0.1']]) {
        const app = Fastify({ trustProxy })
        t.teardown(() => app.close())
        // The root's decorator comes after the scope was made.
        await app.register(async (hooks) => {
          await hooks.register(guardFastify, { dataCenters: 'DC-01' })
          hooks.all('*', async ({ moengage }) => ({ verdict: moengage, again: hooks.moengage!.status().verified }))
        })
        const handler = awsLambdaFastify(app)
        const call = (event: object) => handler(event, {} as never) as Promise<{ statusCode: number; body: string }>
        const { statusCode, body } = await call(make(LISTED, [['X-Forwarded-For', STRANGER]]))
        t.match([statusCode, JSON.parse(body)], [200, { verdict: { verified: true, clientIp: LISTED } }])
        for (const lines of [[], ...FORGED] as Lines[]) {
          t.equal((await call(make(STRANGER, lines))).statusCode, 403, JSON.stringify(lines))
        }
      }
    })

    t.test("under @fastify/aws-lambda a proxy is trusted by clientIp, and not by Fastify's trustProxy", async (t) => {
      const verdictBy = async (clientIp: FastifyOptions['clientIp']) => {
        const verdicts: Verdict[] = []
        const app = Fastify({ trustProxy: ['104.16.0.0/13', '127.0.0.1'] })
        t.teardown(() => app.close())
        await app.register(guardFastify, {
          dataCenters: 'DC-01',
          clientIp,
          onVerdict: (verdict) => verdicts.push(verdict)
        })
        app.all('*', async () => 'in')
        await awsLambdaFastify(app)(make('104.16.0.9', [['X-Forwarded-For', `${LISTED}, 104.16.0.9`]]), {} as never)
        return verdicts[0]
      }
      const replaced =
        "pass clientIp: { trustedProxies: ['cloudflare', ...] } with all of your proxies, since it replaces Fastify's trustProxy"
      t.match(await verdictBy('request.ip'), {
        reason: 'proxy-not-configured',
        hint: `${replaced}, which does not apply to this request: its peer is what AWS writes into the event.`
      })
      t.match(await verdictBy({ trustedProxies: ['cloudflare'] }), { verified: true, clientIp: LISTED }, 'as it says')
    })
  })
}

t.test('of a load balancer only the rightmost hop counts, and what is no address there is not skipped', async (t) => {
  const table: [what: string, header: string[] | undefined, verified: boolean, clientIp: string | null][] = [
    ['append', [LISTED], true, LISTED],
    ['append with ports', [`${STRANGER}, ${LISTED}:46532`], true, LISTED],
    ['append with ports, IPv6', [`${LISTED}, [2001:db8::7]:46532`], false, '2001:db8::7'],
    ['a forged line before', [LISTED, STRANGER], false, STRANGER],
    ['remove, or a health check', undefined, false, null],
    ['nothing', [''], false, null],
    ['an empty hop', [`${LISTED}, `], false, null],
    ['no address', [`${LISTED}, unknown`], false, null],
    ['the name of a unix socket', ['unix'], false, null],
    // Nothing in the event distinguishes this mode: docs/runtimes.md says that everybody can choose an address then.
    ['preserve: what the client wrote is believed', [`${STRANGER}, ${LISTED}`], true, LISTED]
  ]
  for (const [what, header, verified, clientIp] of table) {
    const { guard } = guarding()
    const headers = header === undefined ? {} : { 'x-forwarded-for': header }
    t.match(guard.judge({ ...balanced, multiValueHeaders: headers }), { verified, clientIp }, what)
    const single = header === undefined ? {} : { 'x-forwarded-for': header.at(-1)! }
    t.match(guard.judge({ ...balanced, headers: single }), { verified, clientIp }, `${what}, single value`)
  }
  const { guard } = guarding()
  t.match(guard.judge({ ...balanced, headers: null }), {
    reason: 'unresolved',
    hint: /own health check has none: answer it before the guard\. .*xff_header_processing\.mode must be append/
  })
})

t.test('a header in which the load balancer wrote the client alone is not one that the client forwards', async (t) => {
  const inside = {
    reason: 'not-listed',
    hint: /carries no forwarded header that names a sender behind it: it was made in your own network/
  }
  const proxy = (carried: RegExp, fix: RegExp) => ({
    reason: 'proxy-not-configured',
    hint: new RegExp(`the request carries ${carried.source}, so it seems to be your proxy.* If it is: ${fix.source}`)
  })
  const balanced = (list: string, headers: object = {}) => ({
    httpMethod: 'POST',
    headers: { 'x-forwarded-for': list, ...headers },
    requestContext: { elb: {} }
  })
  const table: [what: string, event: ReturnType<typeof balanced>, verdict: object][] = [
    ['a host of the VPC', balanced('10.0.0.1'), inside],
    ['one with its port', balanced('10.0.0.1:46532'), inside],
    [
      'a proxy that appends to the list',
      balanced(`${STRANGER}, 10.0.0.1`),
      proxy(/x-forwarded-for/, /pass clientIp: \{ trustedProxies: \['10\.0\.0\.1'\] \}/)
    ],
    [
      'a proxy that hides its client',
      balanced('unknown, 10.0.0.1'),
      proxy(/x-forwarded-for/, /pass clientIp: \{ trustedProxies: \['10\.0\.0\.1'\] \}/)
    ],
    [
      'a proxy that writes another header',
      balanced('10.0.0.1', { 'x-real-ip': STRANGER }),
      proxy(/x-real-ip/, /pass clientIp: \{ trustedProxies: \['10\.0\.0\.1'\], header: '\.\.\.' \}/)
    ],
    [
      'a provider itself',
      balanced('104.16.0.9'),
      { reason: 'not-listed', hint: /carries no forwarded header .*: it comes from cloudflare's own network/ }
    ],
    [
      'a provider in front',
      balanced(`${STRANGER}, 104.16.0.9`),
      { reason: 'proxy-not-configured', hint: /every sender looks like cloudflare/ }
    ]
  ]
  for (const [what, event, verdict] of table) {
    const { guard } = guarding()
    t.match(guard.judge(event), { verified: false, ...verdict }, what)
  }
  const { guard } = guarding({ clientIp: { trustedProxies: ['10.0.0.1'] } })
  t.match(guard.judge(balanced('10.0.0.1')), { hint: /^Every address in x-forwarded-for is one of your proxies/ })
})

t.test('a handler that was passed and not called fails with one sentence', async (t) => {
  const { guard } = guarding()
  t.throws(() => guard.handler(balanced as never), { code: 'MOE_ERR_OPTIONS', mistakes: [{ path: 'handler' }] })
})

t.test('a secret is found in the events of every kind', async (t) => {
  for (const { name, make } of KINDS) {
    const { guard } = guarding({ carriesSecret: secretHeader('x-moe-token', 'a-shared-secret') })
    t.match(guard.judge(make(STRANGER, [['X-Moe-Token', 'a-shared-secret']])), { carriesSecret: true }, name)
    t.match(guard.judge(make(STRANGER, [['X-Moe-Token', 'another-secret!']])), { carriesSecret: false }, name)
  }
})

t.test('of a header in two spellings nobody knows the last line, so the client is unresolved', async (t) => {
  const { guard } = guarding({ clientIp: { trustedProxies: ['10.0.0.0/8'], header: 'x-forwarded-for' } })
  const requestContext = { identity: { sourceIp: '10.0.0.1' } }
  for (const [first, second] of [
    [STRANGER, LISTED],
    [LISTED, STRANGER]
  ] as const) {
    const headers = { 'X-Forwarded-For': first, 'x-forwarded-for': second }
    const unresolved = { verified: false, clientIp: null, reason: 'unresolved' }
    t.match(guard.judge({ httpMethod: 'POST', headers, requestContext }), unresolved)
    t.match(guard.judge({ ...balanced, headers }), unresolved)
    const multiValueHeaders = { 'X-Forwarded-For': [first], 'x-forwarded-for': [second] }
    t.match(guard.judge({ ...balanced, multiValueHeaders }), unresolved)
  }
})

t.test('what every object inherits was not written by AWS', async (t) => {
  const prototype = Object.prototype as unknown as Record<string, unknown>
  const table: [name: string, value: unknown, event: LambdaEvent][] = [
    ['sourceIp', LISTED, { version: '2.0', requestContext: { http: {} } }],
    ['x-forwarded-for', [LISTED], { ...balanced, headers: {} }],
    ['multiValueHeaders', { 'x-forwarded-for': [LISTED] }, { ...balanced, headers: { 'x-forwarded-for': STRANGER } }],
    ['headers', { 'x-forwarded-for': LISTED }, balanced]
  ]
  for (const [name, value, event] of table) {
    const { guard } = guarding()
    guard.judge({ ...balanced, headers: {} })
    prototype[name] = value
    try {
      t.match(guard.judge(event), { verified: false }, name)
    } finally {
      delete prototype[name]
    }
  }
})

t.test('for any lines of a client the hop that the balancer appended is the client', async () => {
  const text = fc.string({ unit: fc.constantFrom(...`${LISTED},:[] \t"x`), maxLength: 40 })
  const { guard } = guarding()
  fc.assert(
    fc.property(fc.array(text, { maxLength: 3 }), fc.boolean(), (sent, isMulti) => {
      const lines = appended(
        STRANGER,
        sent.map((value) => ['X-Forwarded-For', value])
      )
      const headers = isMulti ? grouped(lines) : mapped(grouped(lines), last)
      const event = isMulti ? { ...balanced, multiValueHeaders: headers } : { ...balanced, headers }
      return guard.judge(event as LambdaEvent).clientIp === STRANGER
    }),
    runs(300)
  )
})

t.test('events of unknown shape are refused, and fail the call', async (t) => {
  const { guard, call, lines } = guarding()
  const identity = { sourceIp: LISTED }
  const http = { method: 'GET', sourceIp: LISTED }
  const table: [what: string, event: unknown][] = [
    ['nothing', undefined],
    ['a text', 'event'],
    ['a queue', { Records: [{ eventSource: 'aws:sqs' }] }],
    ['a schedule', { source: 'aws.events', 'detail-type': 'Scheduled Event' }],
    ['no context', { httpMethod: 'GET', requestContext: null }],
    ['a WebSocket', { requestContext: { eventType: 'CONNECT', identity } }],
    ['an authorizer', { type: 'REQUEST', httpMethod: 'GET', requestContext: { identity } }],
    ['an authorizer of payload 2.0', { type: 'REQUEST', version: '2.0', requestContext: { http } }],
    ['VPC Lattice', { version: '2.0', method: 'GET', requestContext: { identity: { sourceVpcArn: 'arn' } } }],
    ['another version', { version: '3.0', requestContext: { http } }],
    ['two kinds at once', { httpMethod: 'GET', version: '2.0', requestContext: { http, identity } }],
    ['a balancer and a gateway', { httpMethod: 'GET', requestContext: { elb: {}, identity } }]
  ]
  for (const [what, event] of table) {
    await t.rejects(call(event as LambdaEvent), { code: 'MOE_ERR_EVENT', path: 'event' }, what)
    t.throws(() => guard.judge(event as LambdaEvent), { code: 'MOE_ERR_EVENT' }, what)
  }
  t.strictSame(lines, [])
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(guardFastify, { dataCenters: 'DC-01' })
  app.all('*', async () => 'ok')
  const handler = awsLambdaFastify(app)
  t.match(await handler({ httpMethod: 'GET', path: '/' } as object, {} as never), { statusCode: 403 })
})

t.test('an address that AWS did not write makes the client unresolved', async (t) => {
  for (const sourceIp of [undefined, '', 'unix', 7, `${LISTED}, ${STRANGER}`]) {
    const { guard } = guarding()
    for (const event of [
      { httpMethod: 'GET', requestContext: { identity: { sourceIp } } },
      { version: '2.0', requestContext: { http: { sourceIp } } }
    ]) {
      t.match(guard.judge(event), { verified: false, reason: 'unresolved', clientIp: null }, String(sourceIp))
    }
  }
})

t.test('a server of Fastify that also runs without Lambda judges its sockets by their peers', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(guardFastify, { dataCenters: 'DC-01' })
  app.get('/', async () => 'ok')
  awsLambdaFastify(app)
  const inject = (remoteAddress: string) => app.inject({ url: '/', remoteAddress })
  t.equal((await inject(LISTED)).statusCode, 200)
  t.equal((await inject(STRANGER)).statusCode, 403)
})

t.test('an answer has the form that the event wants', async (t) => {
  const { call } = guarding()
  const type = 'application/json; charset=utf-8'
  const answers = await Promise.all(KINDS.map(({ make }) => call(make(STRANGER, []))))
  const plain = { statusCode: 403, headers: { 'content-type': type }, isBase64Encoded: false }
  t.match(answers, [
    plain,
    plain,
    plain,
    plain,
    { ...plain, statusDescription: '403 Forbidden' },
    { statusCode: 403, statusDescription: '403 Forbidden', multiValueHeaders: { 'content-type': [type] } }
  ])
  const unnamed = guarding({ statusCode: 499 })
  t.match(await unnamed.call(KINDS[5]!.make(STRANGER, [])), { statusCode: 499, statusDescription: '499 Error' })
  t.notOk('headers' in answers[5]!)
  t.notOk('multiValueHeaders' in answers[4]!)
  const head = await call({ ...balanced, httpMethod: 'HEAD', headers: { 'x-forwarded-for': STRANGER } } as LambdaEvent)
  t.equal(head.body, '')
})

t.test('onReject answers, and a mode or policy of a handler is its own', async (t) => {
  const { guard } = guarding({ onReject: (_, { reason }) => ({ statusCode: 404, body: reason }) })
  const event = KINDS[2]!.make(STRANGER, [])
  const own = guard.handler(async () => 'passed')
  t.strictSame(await own(event, {}), { statusCode: 404, body: 'not-listed' })
  const tagging = guard.handler(async (_, __, { verified }) => verified, { mode: 'tag' })
  t.equal(await tagging(event, {}), false)
  const none = guard.handler(async () => 'passed', { onReject: () => undefined, statusCode: 401 })
  t.match(await none(event, {}), { statusCode: 401 })
  const segments = guard.handler(async () => 'passed', { channels: 'segment-sync' })
  t.match(await segments(KINDS[2]!.make('52.1.205.204', []), {}), { body: 'other-channel' })
  const failing = guard.handler(() => {
    throw new Error('own')
  })
  await t.rejects(failing(KINDS[2]!.make(LISTED, []), {}), { message: 'own' })
})

t.test('an answer of onReject has the status of the rejection until it sets another', async (t) => {
  const event = KINDS[2]!.make(STRANGER, [])
  const rejected = { statusCode: 401, body: /MOE_ERR_REJECTED/ }
  const table: [answer: unknown, expected: object][] = [
    [false, rejected],
    ['', rejected],
    [0, rejected],
    ['no', rejected],
    [null, rejected],
    [undefined, rejected],
    [{ message: 'no' }, { message: 'no', statusCode: 401 }],
    [
      { statusCode: undefined, body: 'no' },
      { statusCode: 401, body: 'no' }
    ],
    [{ statusCode: 404 }, { statusCode: 404 }]
  ]
  for (const [answer, expected] of table) {
    for (const onReject of [() => answer, async () => answer]) {
      const { call } = guarding({ onReject, statusCode: 401 })
      t.match(await call(event), expected, JSON.stringify(answer))
    }
  }
})

t.test('an override of the mode counts for all handlers that do not set their own', async (t) => {
  const event = () => KINDS[2]!.make(STRANGER, [])
  for (const [mode, before, overriding, after] of [
    ['reject', 403, 'tag', 200],
    ['tag', 200, 'reject', 403]
  ] as const) {
    const { guard, call, events } = guarding({ mode })
    const own = guard.handler(async () => ({ statusCode: 200 }), { mode })
    t.match(await call(event()), { statusCode: before })
    guard.override({ mode: overriding, for: '1h' })
    t.match(await call(event()), { statusCode: after }, `${mode}, then ${overriding}`)
    t.match(await own(event(), {}), { statusCode: before }, 'a mode of its own stays')
    t.match(
      events('rejected').map(({ moengage }) => moengage),
      [{ mode }, { mode: overriding }],
      'the line names the mode that decided'
    )
  }
})

t.test('an event that several handlers judge is counted and reported once, as rejected', async (t) => {
  const sms = { channels: 'sms' } as const
  const table: [what: string, client: string, policies: object[]][] = [
    ['rejected twice', STRANGER, [{}, sms]],
    ['rejected, verified and rejected again', '9.9.9.1', [sms, {}, sms]]
  ]
  for (const [what, client, policies] of table) {
    const verdicts: boolean[] = []
    const { guard, events } = guarding({
      mode: 'tag',
      source: () => snapshotOf({ 'DC-01 connector': ['9.9.9.1'], 'DC-01 sms': ['9.9.9.2'] }),
      onVerdict: ({ verified }) => verdicts.push(verified)
    })
    let handler = async (_event: LambdaEvent, _context: object): Promise<unknown> => 'ok'
    for (const policy of policies.toReversed()) handler = guard.handler(handler, policy)
    t.equal(await handler(KINDS[2]!.make(client, []), {}), 'ok')
    guard.close()
    const { verified, rejected } = guard.status()
    const count = Object.values(rejected).reduce((sum, each) => sum + each, 0)
    t.strictSame({ verdicts, verified, count }, { verdicts: [false], verified: 0, count: 1 }, what)
    t.equal(events('rejected').length, 1, what)
    const [summary] = events('summary') as { moengage?: { suppressed?: object } }[]
    t.strictSame(summary?.moengage?.suppressed, { reject: {}, tag: {} }, what)
  }
})

/** A logger whose lines are written later, in some way. */
const METHODS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']
const loggerBy = (method: (line: string) => unknown, flush?: (done: (error?: unknown) => void) => unknown) =>
  ({
    ...Object.fromEntries(METHODS.map((level) => [level, (_: object, line: string) => method(line)])),
    ...(flush && { flush })
  }) as never

const later = (run: () => void) => new Promise<void>((resolve) => setTimeout(() => resolve(run()), 10))

t.test('the call ends when the log is written and your functions have ended', async (t) => {
  const done: string[] = []
  const event = KINDS[0]!.make(STRANGER, [])
  const call = async (guard: LambdaGuard) => guard.handler(async () => 'ok')(event, {})
  const slow = loggerBy((line) => later(() => done.push(line)))
  await call(moengageAllowlist({ dataCenters: 'DC-01', logger: slow, onVerdict: () => later(() => done.push('told')) }))
  t.strictSame(done.sort(), [`${STRANGER} rejected: not-listed`, 'told'])

  const buffer: string[] = []
  const written: string[] = []
  const flush = (finish: (error?: unknown) => void) => {
    written.push(...buffer.splice(0))
    setTimeout(finish, 10)
  }
  await call(moengageAllowlist({ dataCenters: 'DC-01', logger: loggerBy((line) => buffer.push(line), flush) }))
  t.strictSame(written, [`${STRANGER} rejected: not-listed`])

  const warnings: string[] = []
  t.capture(process, 'emitWarning', (message: string) => void warnings.push(message))
  const broken = (finish: (error?: unknown) => void) => finish(new Error('disk full'))
  t.match(await call(moengageAllowlist({ dataCenters: 'DC-01', logger: loggerBy(() => {}, broken) })), {
    statusCode: 403
  })
  t.match(warnings, [/disk full/])
})

t.test('however a flush ends, the call is answered, and its failure is reported once', async (t) => {
  const failed = async () => {
    throw new Error('disk full')
  }
  const table: [what: string, flush: (done: (error?: unknown) => void) => unknown, warning?: RegExp][] = [
    ['returns a promise', async () => {}],
    ['calls back, and returns a promise', async (done) => done()],
    ['rejects', failed, /disk full/],
    [
      'rejects after it called back',
      async (done) => {
        done()
        return failed()
      },
      /disk full/
    ],
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
      /disk full/
    ],
    ['returns what is like a promise, whose then rejects', () => failingThenable('disk full'), /disk full/]
  ]
  for (const [what, flush, warning] of table) {
    const warnings: string[] = []
    t.capture(process, 'emitWarning', (message: string) => void warnings.push(message))
    const { call } = guarding({ logger: loggerBy(() => {}, flush) })
    for (let i = 0; i < 2; i++) t.equal((await call(KINDS[2]!.make(LISTED, []))).statusCode, 200, what)
    await new Promise((resolve) => setImmediate(resolve))
    t.match(warnings, warning === undefined ? [] : [warning], what)
    t.equal(warnings.length, warning === undefined ? 0 : 1, what)
  }
})

t.test('what never ends holds an answer back for two seconds, and is reported once', async (t) => {
  const endless = () => new Promise<never>(() => {})
  const table: [what: string, options: Partial<MoEngageAllowlistOptions>, calls: number[], warning: RegExp][] = [
    [
      'a flush',
      {
        logger: loggerBy(
          () => {},
          () => {}
        )
      },
      [2000, 2000],
      /Its flush neither called back nor ended/
    ],
    ['a flush by promise', { logger: loggerBy(() => {}, endless) }, [2000, 2000], /within 2000 ms/],
    ['onVerdict', { onVerdict: endless }, [2000, 2000], /has not ended within 2000 ms/],
    ['a line of the logger', { logger: loggerBy(endless) }, [2000, 0], /has not ended within 2000 ms/]
  ]
  for (const [what, options, waits, warning] of table) {
    const warnings: string[] = []
    t.capture(process, 'emitWarning', (message: string) => {
      if (message.includes('moengage-allowlist')) warnings.push(message)
    })
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const { call } = guarding(options)
      for (const milliseconds of waits) {
        let answer: { statusCode: number } | undefined
        const answered = call(KINDS[2]!.make(STRANGER, [])).then((given) => {
          answer = given
        })
        await turn()
        if (milliseconds > 0) {
          mock.timers.tick(milliseconds - 1)
          await turn()
          t.equal(answer, undefined, what)
          mock.timers.tick(1)
        }
        await answered
        t.match(answer, { statusCode: 403 }, what)
      }
      t.match(warnings, [warning], what)
      t.equal(warnings.length, 1, what)
    } finally {
      mock.timers.reset()
    }
  }
})

t.test('what is like a promise, and rejects by its own then, fails the call and not the process', async (t) => {
  const thenable = () => failingThenable('own')
  const { call } = guarding({ onReject: thenable })
  await t.rejects(call(KINDS[2]!.make(STRANGER, [])), { message: 'own' })
  const { guard } = guarding()
  await t.rejects(guard.handler(thenable as () => Promise<never>)(KINDS[2]!.make(LISTED, []), {}), { message: 'own' })
})

t.test('promises inside of what onReject returns end no process; those of a handler are its own', async (t) => {
  for (const [what, make] of HIDDEN_REJECTIONS) {
    const { call } = guarding({ onReject: () => ({ statusCode: 404, body: make() }) })
    const { statusCode } = await call(KINDS[2]!.make(STRANGER, []))
    await untilRejected()
    t.equal(statusCode, 404, what)
  }
  const { guard } = guarding()
  const body = thenable(() => t.fail('not asked'))
  const answer = await guard.handler(() => ({ statusCode: 200, body }) as never)(KINDS[2]!.make(LISTED, []), {})
  t.equal(answer.body, body)
})

/** Lets time pass as it does for a function that is frozen between its calls. */
function stopTime(t: Test): (milliseconds: number) => void {
  mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-24') })
  t.teardown(() => mock.timers.reset())
  return (milliseconds) => mock.timers.setTime(Date.now() + milliseconds)
}

t.test('a list is loaded by the first event, and again within the event that finds it due', async (t) => {
  const pass = stopTime(t)
  let loads = 0
  const load = () => later(() => loads++).then(() => sound({ revision: `r${loads}` }))
  const { guard, call } = guarding({ source: { name: 'ours', load, interval: '1h' } })
  const event = KINDS[3]!.make(LISTED, [])
  t.equal(loads, 0)
  t.equal((await call(event)).statusCode, 200)
  pass(HOUR / 2)
  await call(event)
  t.equal(loads, 1)
  pass(HOUR)
  t.match(JSON.parse((await call(event)).body), { verdict: { revision: 'r1' } })
  t.match(guard.status(), { revision: 'r2' }, 'it is in use when the call has ended')
})

t.test('judge alone begins a reload that is due', async (t) => {
  const pass = stopTime(t)
  let loads = 0
  const load = () => sound({ revision: `r${++loads}` })
  const { guard, call } = guarding({ source: { name: 'ours', load, interval: '1h' } })
  const event = KINDS[3]!.make(LISTED, [])
  await call(event)
  pass(HOUR)
  t.match(guard.judge(event), { verified: true, revision: 'r1' })
  for (let turns = 0; guard.status().revision === 'r1' && turns < 500; turns++) await turn()
  t.match(guard.judge(event), { verified: true, revision: 'r2' })
  t.equal(loads, 2)
})

t.test(
  'a clock that was ahead and was set back holds up no reload, and no further attempt at the first load',
  async (t) => {
    const pass = stopTime(t)
    let loads = 0
    const load = async () => {
      if (++loads === 1) throw new Error('away')
      return sound({ revision: `r${loads}` })
    }
    const { call } = guarding({ source: { name: 'ours', load } })
    const event = KINDS[3]!.make(LISTED, [])
    t.equal((await call(event)).statusCode, 503)
    pass(-24 * HOUR)
    t.equal((await call(event)).statusCode, 200)
    const polled = guarding({ source: { name: 'ours', load, interval: '1h' } })
    await polled.call(event)
    pass(-24 * HOUR)
    await polled.call(event)
    t.equal(loads, 4)
  }
)

t.test('without a list, events are answered with 503', async (t) => {
  const { call, guard } = guarding({ source: { name: 'ours', load: () => Promise.reject(new Error('away')) } })
  t.match(await call(KINDS[5]!.make(LISTED, [])), { statusCode: 503, statusDescription: '503 Service Unavailable' })
  t.throws(() => guard.judge(KINDS[5]!.make(LISTED, [])), { code: 'MOE_ERR_NOT_READY' })
})

t.test('wrong options are refused outside of the handler', async (t) => {
  t.throws(() => moengageAllowlist({ dataCenters: 'DC-99' as never }), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: 'dataCenters' }]
  })
  const fleet = redisFleet({ client: new FakeRedis().io(), name: 'webhooks' })
  t.throws(() => moengageAllowlist({ dataCenters: 'DC-01', fleet } as never), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: 'fleet', message: /runs only during requests/ }]
  })
  const table: [options: unknown, mistake: object][] = [
    [{ channel: 'streams' }, { path: 'channel', fix: 'Did you mean "channels"?' }],
    [{ channels: 'mail' }, { path: 'channels', code: 'MOE_ERR_CHANNEL' }],
    [{ mode: 'off' }, { path: 'mode' }],
    ['streams', { path: 'options', fix: `Write { channels: 'streams' }.` }],
    [null, { path: 'options', fix: /^Leave it out/ }]
  ]
  const { guard, call } = guarding()
  for (const isMade of [false, true]) {
    for (const [options, mistake] of table) {
      const wrong = () => guard.handler(async () => 'ok', options as never)
      t.throws(wrong, { code: 'MOE_ERR_OPTIONS', mistakes: [mistake] }, `${JSON.stringify(options)} ${isMade}`)
    }
    await call(KINDS[0]!.make(LISTED, []))
  }
  t.match(guard.status(), { verified: 2 })
})

t.test('what options of a handler name is checked by the list that the source gives', async (t) => {
  const { guard } = guarding({ source: { name: 'ours', load: async () => soundOf() } })
  t.throws(() => guard.handler(async () => 'ok', { channel: 'sms' } as never), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: 'channel' }]
  })
  const handler = guard.handler(async () => 'ok', { channels: 'mail' as never })
  await t.rejects(handler(KINDS[0]!.make(LISTED, []), {}), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: 'channels' }]
  })
})
