import express from 'express'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { createGuard, type GuardOptions, loadGuard, OptionsError, type Snapshot } from '../../src/core.js'
import guardExpress from '../../src/express.js'
import guardFetch from '../../src/fetch.js'
import moengageAllowlist, { type MoEngageAllowlistOptions } from '../../src/index.js'
import { HOUR } from '../../src/lib/time.js'
import { StatusPage } from '../../src/status-page/page.js'
import statusPage, { fetchStatusPage, type NodeHook, nodeStatusPage } from '../../src/status-page.js'
import { LISTED, LISTED_IN, STRANGER } from '../support/addresses.js'
import { TestClock } from '../support/clock.js'
import { failingThenable } from '../support/failures.js'
import { listen, listenTo, send, until } from '../support/http.js'
import { lineLogger } from '../support/logger.js'
import { readPage } from './pages.js'

const KEY = { authorization: 'Bearer open-sesame' }

/** A server with two routes and a status page that wants a key. */
async function serve(t: Test, options: Partial<MoEngageAllowlistOptions> = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  let reload: () => Promise<unknown> = async () => {}
  await app.register(async (hooks) => {
    await hooks.register(moengageAllowlist, {
      dataCenters: 'DC-01',
      clientIp: { trustedProxies: ['loopback'] },
      ...options
    })
    reload = () => hooks.moengage!.reload()
    hooks.post('/moengage/connector', async () => 'ok')
    hooks.post('/segments', { config: { moengage: { channels: 'segment-sync' } } }, async () => 'ok')
    await hooks.register(statusPage, {
      guard: hooks.moengage,
      prefix: '/status',
      hooks: {
        onRequest: async (request, reply) => {
          if (request.headers.authorization !== KEY.authorization) return reply.code(401).send('no')
        }
      }
    })
  })
  const origin = await listen(app)
  const post = (path: string, clientIp: string) =>
    send(origin, { method: 'POST', path, headers: { 'x-forwarded-for': clientIp } })
  const open = async (query = '') => {
    const answer = await send(origin, { path: `/status${query}`, headers: KEY })
    return { ...answer, ...readPage(answer.body) }
  }
  return { origin, post, open, reload }
}

t.test('a request without the credentials gets nothing of the page, and one from MoEngage neither', async (t) => {
  const { origin } = await serve(t)
  const paths = ['/status', '/status/', '/status?script', '/status?ip=52.6.248.125', '/status?format=nginx']
  for (const path of paths) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await send(origin, { method, path, headers: { 'x-forwarded-for': LISTED } })
      t.match(answer, { status: 401, body: method === 'HEAD' ? '' : 'no' }, `${method} ${path}`)
    }
  }
  t.equal((await send(origin, { path: '/status', headers: KEY })).status, 200, 'a stranger with credentials sees it')
})

t.test('the page answers what people come with', async (t) => {
  const { post, open } = await serve(t)
  const empty = await open()
  t.match(empty.textOf('state'), /Ready\. No request from MoEngage has been accepted yet.*Send a test/)
  t.match(
    empty.textOf('answers'),
    /in the last hour\? No No request of MoEngage was accepted since the server started\..*Was anybody turned away\? No Nobody/
  )
  t.match(empty.textOf('routes'), /No request has been accepted/)
  t.match(empty.textOf('senders'), /Nobody since/)
  await post('/moengage/connector', LISTED)
  await post('/moengage/connector', LISTED)
  const good = await open()
  t.match(good.textOf('state'), /✓ All is well: MoEngage gets through\. What to do now Nothing\./)
  t.match(good.textOf('answers'), /Yes, less than a minute ago 2 requests accepted since \d{4}-\d\d-\d\d \d\d:\d\d UTC/)
  t.match(
    good.textOf('answers'),
    /Which channel was it\? \/moengage\/connector The path tells the channel: .* 8 channels/
  )
  t.match(good.textOf('answers'), /Is the list current\? (?:Yes|No) Last checked/)
  await post('/moengage/connector', '185.199.108.153')
  const strangers = await open()
  t.match(strangers.textOf('state'), /All is well/)
  t.match(strangers.textOf('answers'), /Yes, 1 request 1 rejection in the last hour; from 1 remembered sender\. Who/)
  t.match(strangers.textOf('answers'), /Was any of it genuine\? Possibly 1 request from addresses that are not listed/)
  await post('/segments', LISTED_IN['DC-03'])
  const bad = await open()
  t.match(
    bad.textOf('state'),
    /! Requests that are probably genuine were turned away\..*is MoEngage DC-03, you accept DC-01/
  )
  t.match(
    bad.textOf('answers'),
    /Was any of it genuine\? Likely 1 request from MoEngage's addresses of other data centers/
  )
})

t.test(
  'when MoEngage last got through stands there for each route, with what it accepts the address for',
  async (t) => {
    const { post, open } = await serve(t)
    await post('/moengage/connector', LISTED)
    await post('/segments', LISTED)
    const { textOf } = await open()
    t.match(
      textOf('routes-body'),
      /Data center Accepted as .*\/segments less than a minute ago .* UTC DC-01 Outbound Segment Sync/
    )
    t.match(textOf('routes-body'), /\/moengage\/connector less than a minute ago .* UTC DC-01 Connector Campaigns,/)
    t.match(textOf('answers'), /Outbound Segment Sync \(\/segments\)/)
  }
)

t.test(
  'which channel called is said where MoEngage publishes the address for one alone, whatever the route accepts',
  async (t) => {
    const [ONE, THREE] = ['3.209.165.74', '52.1.205.204']
    const SHARED = 'The path tells the channel: MoEngage uses the same addresses for'
    const strict = { '/strict': { channels: 'segment-sync' } }
    const both = { '/import': { channels: 'data-import' } }
    type Call = [path: string, clientIp: string]
    const rows: [what: string, routes: object, calls: Call[], answer: RegExp][] = [
      [
        'a route that accepts one of eight',
        strict,
        [['/strict', LISTED]],
        new RegExp(`\\? /strict ${SHARED} 8 channels\\. Accepted as Outbound Segment Sync \\(/strict\\)\\. All calls`)
      ],
      [
        'a route that accepts all',
        strict,
        [['/all', LISTED]],
        new RegExp(`\\? /all ${SHARED} 8 channels\\. All calls`)
      ],
      [
        'both',
        strict,
        [
          ['/strict', LISTED],
          ['/all', LISTED]
        ],
        /\? \/(?:all and \/strict|strict and \/all) The path .* Accepted as Outbound/
      ],
      [
        'an address of one channel',
        {},
        [['/all', ONE]],
        /\? [^.]+ \(\/all\) Their addresses are published for these channels alone\. Was/
      ],
      [
        'one of three',
        both,
        [['/import', THREE]],
        new RegExp(`\\? /import ${SHARED} .* and .*\\. Accepted as .* \\(/import\\)\\.`)
      ],
      [
        'many routes',
        Object.fromEntries([1, 2, 3, 4].map((n) => [`/strict${n}`, { channels: 'segment-sync' }])),
        [1, 2, 3, 4].map((n): Call => [`/strict${n}`, LISTED]),
        /\? (?:\/strict\d(?:, | and )){3}1 more The path .* Accepted as (?:Outbound Segment Sync \(\/strict\d\)(?:, | and )){3}1 more\./
      ]
    ]
    for (const [what, routes, calls, answer] of rows) {
      const app = Fastify()
      t.teardown(() => app.close())
      await app.register(async (hooks) => {
        await hooks.register(moengageAllowlist, { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } })
        hooks.post('/all', async () => 'ok')
        for (const [path, moengage] of Object.entries(routes))
          hooks.post(path, { config: { moengage } }, async () => 'ok')
        await hooks.register(statusPage, { guard: hooks.moengage, prefix: '/status', public: true })
      })
      for (const [url, clientIp] of calls) {
        const answer = await app.inject({ method: 'POST', url, headers: { 'x-forwarded-for': clientIp } })
        t.equal(answer.statusCode, 200, `${what}: ${url}`)
      }
      const { textOf } = readPage((await app.inject('/status')).body)
      t.match(textOf('answers'), new RegExp(`Which channel was it${answer.source}`), what)
    }
  }
)

t.test('an address that has left the list is not said to be published for one channel alone', async (t) => {
  type List = Partial<Record<'connector' | 'sms', string[]>>
  const [BEFORE, AFTER]: [List, List] = [
    { connector: ['9.9.9.1', '9.9.9.2', '9.9.9.3'], sms: ['9.9.9.1', '9.9.9.5'] },
    { connector: ['9.9.9.2', '9.9.9.3'], sms: ['9.9.9.5'] }
  ]
  const SHARED =
    'The path tells the channel: MoEngage uses the same addresses for Connector Campaigns and SMS Campaigns'
  const rows: [what: string, options: Partial<GuardOptions>, clientIp: string, after: List, answer: RegExp][] = [
    ['a shared one in its grace period', {}, '9.9.9.1', AFTER, new RegExp(`\\? a path [^.]+ ${SHARED}\\. All calls`)],
    [
      'the same, of which one channel is accepted',
      { channels: 'connector' },
      '9.9.9.1',
      AFTER,
      new RegExp(`${SHARED}\\. Accepted as Connector Campaigns \\(a path`)
    ],
    [
      'a shared one that is not accepted any more',
      { gracePeriod: 0 },
      '9.9.9.1',
      AFTER,
      new RegExp(`\\? a path [^.]+ ${SHARED}\\. All calls`)
    ],
    [
      'the same, of which one channel was accepted: for what else it was published is not known',
      { gracePeriod: 0, channels: 'connector' },
      '9.9.9.1',
      AFTER,
      /\? Connector Campaigns \(a path that the guard does not know\) Was/
    ],
    [
      'one of one channel in its grace period',
      {},
      '9.9.9.3',
      { connector: ['9.9.9.1', '9.9.9.2'], sms: ['9.9.9.1', '9.9.9.5'] },
      /\? Connector Campaigns \([^)]+\) Their addresses are published for these channels alone\. Was/
    ]
  ]
  for (const [what, options, clientIp, after, answer] of rows) {
    let list = BEFORE
    const guard = await loadGuard({ dataCenters: 'DC-01', source: () => snapshotOf(list), ...options })
    t.teardown(() => guard.close())
    t.equal(guard.judge({ peer: clientIp, headers: {} }).verified, true, what)
    list = after
    await guard.reload()
    const page = fetchStatusPage({ guard, public: true })
    t.teardown(() => page.close())
    const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
    t.match(textOf('answers'), answer, what)
  }

  function snapshotOf(list: List): Snapshot {
    return {
      provenance: { page: 'a test', revision: `${list.connector}`, retrieved: new Date().toISOString().slice(0, 10) },
      rows: Object.entries(list).map(([channel, addresses]) => ({
        dataCenter: 'DC-01',
        channel: channel as 'connector' | 'sms',
        addresses
      }))
    }
  }
})

t.test('requests from the own allow list are not taken for MoEngage', async (t) => {
  const { post, open } = await serve(t, { allow: ['192.0.2.1'] })
  await post('/moengage/connector', '192.0.2.1')
  const { textOf } = await open()
  t.match(
    textOf('state'),
    /Ready\. No request from MoEngage has been accepted yet, unless from an address of your own “allow”\./
  )
  t.match(textOf('routes-body'), /\/moengage\/connector .* your "allow" list/)
})

t.test('the matrix counts an address in each of its channels, and names the routes that accept a cell', async (t) => {
  const { post, open } = await serve(t)
  for (let i = 0; i < 3; i++) await post('/moengage/connector', LISTED)
  const { textOf } = await open()
  const matrix = textOf('matrix')
  t.match(matrix, /An address that serves several channels counts in each of them/)
  t.match(matrix, /Connector Campaigns 3 1 of 9 addresses used · A 1 address /)
  t.match(matrix, /Outbound Segment Sync 3 1 of 1 address used · A B no address/)
  t.match(matrix, /Push Campaigns 0 0 of 3 addresses used · A/)
  t.match(matrix, /A DC-01, every channel 3 0 B DC-01, Outbound Segment Sync 0 0/)
  t.match(matrix, /14 entries of 15 without a request so far/)
})

t.test('a guard for every data center has a name for it, and 30 policies have 30 letters', async (t) => {
  const guard = createGuard({ dataCenters: 'all' })
  const channels = ['connector', 'sms', 'whatsapp', 'email', 'push'] as const
  const pairs = channels.flatMap((a) => channels.map((b) => ({ channels: [a, b] })))
  for (const policy of [
    ...pairs,
    ...channels.map((channel) => ({ channels: channel, dataCenters: 'DC-03' as const }))
  ]) {
    guard.judge({ peer: LISTED, headers: {} }, policy)
  }
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
  t.match(textOf('matrix'), / A every data center, every channel 0 0 /)
  t.match(textOf('matrix'), / A1 DC-03, Connector Campaigns 0 1 /)
})

t.test('each rejected sender has its reason, what it is listed for, and what to paste', async (t) => {
  const source = () => (isReloaded ? snapshot(['9.9.9.9']) : snapshot(['9.9.9.9', '8.8.8.8']))
  let isReloaded = false
  const { post, open, reload } = await serve(t, {
    deny: ['185.199.108.1'],
    source,
    confirm: ['shrunk'],
    gracePeriod: 0
  })
  const rows: [clientIp: string, path: string, text: RegExp][] = [
    [
      '185.199.108.153',
      '/moengage/connector',
      /1 Not on MoEngage’s list nothing .*\/moengage\/connector A stranger, or MoEngage without static IPs\. If you know the sender, and it is no proxy of yours, let it in: allow: \['185\.199\.108\.153'\]/
    ],
    [
      '10.0.0.3',
      '/moengage/connector',
      /The address is a private address: it is a host or a proxy of your own network/
    ],
    [STRANGER, '/moengage/connector', /The address is for documentation: nobody on the internet sends from it/],
    [
      '104.16.0.9',
      '/moengage/connector',
      /An address of cloudflare, which forwards .*: never let it in\. If it stands .*, follow the hint in the server’s log, which says how to make it known\.$/
    ],
    ['64:ff9b::808:808', '/moengage/connector', /the guard does not read the IPv4 address in it/],
    ['240.16.0.1', '/moengage/connector', /The address is reserved: Cloudflare.{1,6}s Pseudo IPv4 shows IPv6 visitors/],
    [
      '7.7.7.7',
      '/moengage/connector',
      /MoEngage, but another data center DC-03 connector .* dataCenters: \['DC-01', 'DC-03'\]/
    ],
    ['9.9.9.9', '/segments', /MoEngage, but another channel DC-01 connector .* channels: 'all'/],
    ['185.199.108.1', '/moengage/connector', /Denied by your deny list or an override .* remove it there/],
    ['8.8.8.8', '/moengage/connector', /MoEngage’s until \d{4}-\d\d-\d\d\. Let it in .* allow: \['8\.8\.8\.8'\]/]
  ]
  for (const [clientIp, path] of rows.slice(0, -1)) await post(path, clientIp)
  isReloaded = true
  await reload()
  for (const [clientIp, path] of rows.slice(-1)) await post(path, clientIp)
  const { textOf } = await open()
  for (const [clientIp, , text] of rows) {
    const row = textOf('senders')
      .split(/(?=(?:^| )(?:(?:\d+\.){3}\d+|64:[\da-f:]+) \d+ )/)
      .find((part) => part.trim().startsWith(`${clientIp} `))
    t.match(row, text, clientIp)
  }

  function snapshot(connector: string[]): Snapshot {
    return {
      provenance: { page: 'a test', revision: 'r', retrieved: new Date().toISOString().slice(0, 10) },
      rows: [
        { dataCenter: 'DC-01', channel: 'connector', addresses: connector },
        { dataCenter: 'DC-01', channel: 'segment-sync', addresses: ['9.9.9.8'] },
        { dataCenter: 'DC-03', channel: 'connector', addresses: ['7.7.7.7'] }
      ]
    }
  }
})

t.test('the page explains an address as the command line does, for every policy of a route', async (t) => {
  const { open } = await serve(t)
  const rows: [asked: string, text: RegExp][] = [
    [LISTED, new RegExp(`✓ accepted ${LISTED} is verified: .* DC-01 .* On routes that accept DC-01, every channel`)],
    [
      '44.205.83.206',
      /✓ accepted .*every channel.* ✗ rejected .*other-channel.*On routes that accept DC-01, Outbound Segment Sync/
    ],
    [' 52.6.248.126 ', /✗ rejected .*not-listed.*Near it on the list: 52\.6\.248\.125 .*Being near proves nothing/],
    ['3.6.251.95', /other-data-center.*Listed for: DC-03/],
    ['10.0.0.1', /10\.0\.0\.1 is a private address: no request can come from there over the internet/],
    ['10.22.3.193', /private address/],
    ['52.6.248.0/24', /is a prefix, not one address\. Write an address of it, such as 52\.6\.248\.125\./],
    ['52.6.248', /has 3 parts; an IPv4 address has four\./],
    ['<b>', /"<b>" is not/]
  ]
  for (const [asked, text] of rows) {
    const { textOf, status } = await open(`?ip=${encodeURIComponent(asked)}`)
    t.equal(status, 200)
    t.match(textOf('explanation'), text, asked)
  }
  t.equal((await open()).textOf('explanation'), '')
})

t.test('the addresses are shown as firewall rules in the chosen format', async (t) => {
  const { open } = await serve(t)
  t.match((await open('?format=nginx')).textOf('rules'), /everyone else gets 403.* allow 52\.6\.248\.125\/32; # DC-01/)
  const sync = await open('?format=text&accepts=B')
  t.match(sync.textOf('rules-text'), /^#.* 52\.6\.248\.125\/32$/)
  t.notMatch(sync.textOf('rules-text'), /44\.205\.83\.206/)
  t.notOk((await open('?format=nothing')).textOf('rules-text'), 'a format that does not exist')
  t.match(
    sync.elements.filter(({ attributes }) => 'selected' in attributes).map(({ attributes }) => attributes.value),
    ['text', 'B']
  )
})

t.test('rules leave out names without an address, and a format that cannot express a list says so', async (t) => {
  const rows = [
    { dataCenter: 'DC-01' as const, channel: 'connector' as const, addresses: ['2001:4860::8888'] },
    { dataCenter: 'DC-02' as const, channel: 'sms' as const, addresses: ['8.8.8.8'] }
  ]
  const source = () => ({ provenance: { page: 'a test', revision: 'r', retrieved: '2026-11-23' }, rows })
  const guard = createGuard({ dataCenters: 'all', source })
  t.teardown(() => guard.close())
  const policies = [{ channels: ['connector', 'sms'] }, { dataCenters: 'DC-01' }] as const
  for (const policy of policies) guard.judge({ peer: STRANGER, headers: {} }, policy)
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const open = async (query: string) => readPage(await (await page(new Request(`http://x/${query}`))).text())
  for (const accepts of ['A', 'B']) {
    const { textOf } = await open(`?format=text&accepts=${accepts}`)
    t.match(textOf('rules-text'), /8\.8\.8\.8\/32 2001:4860::8888\/128$/, accepts)
  }
  t.match((await open('?format=text&accepts=C')).textOf('rules-text'), / for DC-01 .* 2001:4860::8888\/128$/)
  const { textOf } = await open('?format=snowflake-network-policy&accepts=C')
  t.match(textOf('rules'), /IPv4/)
  t.notOk(textOf('rules-text'))
})

t.test('addresses are redacted where redactAddress says so', async (t) => {
  const { post, open } = await serve(t, { redactAddress: 'truncate' })
  await post('/moengage/connector', '185.199.108.153')
  await post('/segments', LISTED_IN['DC-03'])
  const { body, textOf } = await open()
  t.match(
    textOf('senders'),
    /185\.199\.108\.0\/24 1 .*A stranger, or MoEngage without static IPs\. If you know the sender, and it is no proxy of yours, let it in\./
  )
  await post('/moengage/connector', LISTED)
  t.match(
    (await open()).textOf('senders'),
    /185\.199\.108\.0\/24 1 .*A stranger: do nothing\. If you know the sender, and it is no proxy of yours, let it in\./
  )
  t.notMatch(body, /185\.199\.108\.153/)
  t.notMatch(body, new RegExp(LISTED_IN['DC-03'].replaceAll('.', '\\.')))
})

t.test('the page says that it needs no other resource, and its policy forbids any', async (t) => {
  const { open, origin } = await serve(t)
  const { headers, elements, body } = await open()
  const policy = `${headers['content-security-policy']}`
  t.match(
    policy,
    /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; script-src 'self'; connect-src 'self';/
  )
  t.match(policy, /require-trusted-types-for 'script'; trusted-types moengage-status$/)
  t.match(headers, {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer'
  })
  const urls = elements.flatMap(({ attributes: { src, href, action } }) =>
    [src, href, action].filter((url) => url !== undefined)
  )
  t.ok(urls.length > 3)
  for (const url of urls) t.match(url, /^(?:\?script=[0-9a-f]{16}|#\w+|data:image\/svg\+xml,.*)$/)
  t.notOk(
    elements.some(({ attributes }) => Object.keys(attributes).some((name) => name === 'style' || name.startsWith('on')))
  )
  const [, style] = /<style>([\s\S]*)<\/style>/.exec(body)!
  t.ok(policy.includes(await sha256(style!)), 'the style is the one that the policy allows')
  const script = await send(origin, { path: '/status?script=1', headers: KEY })
  t.match(script.headers['content-type'], /^text\/javascript/)
  t.match(script.body, /^\(function live\(view, every\)/)
})

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64')
}

t.test('a page that nothing protects is refused at start-up, unless it is public', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  const hook: NodeHook = (_request, _response, next) => next()
  const refused: [what: string, options: unknown, message: RegExp][] = [
    ['nothing', { guard }, /hooks\.onRequest: Nothing protects the status page/],
    ['hooks without one', { guard, hooks: {} }, /hooks: \{\} holds no function/],
    ['an empty list', { guard, hooks: { onRequest: [] } }, /holds no function that protects the page/],
    ['a hook that is undefined', { guard, hooks: { onRequest: undefined } }, /holds no function/],
    ['a list with a text', { guard, hooks: { onRequest: [hook, 'auth'] } }, /holds no function/],
    ['a text', { guard, hooks: 'auth' }, /holds no function/],
    ['public by another word', { guard, public: 'yes' }, /public: 'yes' is not true or false/],
    ['not public', { guard, public: false }, /Nothing protects/],
    ['another option', { guard, public: true, path: '/status' }, /path/],
    ['no guard', { public: true }, /There is no guard in this scope/],
    ['another guard', { guard: {}, public: true }, /The guard is not a guard/],
    [
      'a promise of a guard',
      { guard: Promise.reject(new Error('away')), public: true },
      /guard: .* is not a value\. Await it/
    ],
    ['no options', undefined, /status|options/]
  ]
  for (const [what, options, message] of refused) {
    for (const make of [nodeStatusPage, fetchStatusPage] as ((options: never) => unknown)[]) {
      t.throws(() => make(options as never), { code: 'MOE_ERR_OPTIONS', message }, what)
    }
    const app = Fastify()
    app.register(statusPage, options as never)
    await t.rejects(async () => app.ready(), OptionsError, what)
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(statusPage, { guard, public: true, prefix: '/status' })
  t.equal((await app.inject('/status')).statusCode, 200)
})

t.test('Express and node:http serve the same page, behind their own hook', async (t) => {
  const guard = guardExpress({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] }, logLevel: 'silent' })
  const requireKey: NodeHook = (request, response, next) => {
    if (request.headers.authorization === KEY.authorization) return next()
    if (request.headers.authorization === undefined) return response.writeHead(401).end('no')
    next(new Error('a wrong key'))
  }
  const page = nodeStatusPage({ guard, hooks: { onRequest: [requireKey, (_request, _response, next) => next()] } })
  t.teardown(() => page.close())
  const app = express()
  app.post('/hook', guard, (_, response) => void response.end('ok'))
  app.use('/status', page)
  app.use(((error: Error, _request: unknown, response: express.Response, _next: unknown) => {
    response.status(500).end(error.message)
  }) as express.ErrorRequestHandler)
  const servers = { Express: await listenTo(t, app), 'node:http': await listenTo(t, page) }
  await send(servers.Express, { method: 'POST', path: '/hook', headers: { 'x-forwarded-for': LISTED } })
  for (const [name, origin] of Object.entries(servers)) {
    const get = (headers: Record<string, string>, options = {}) =>
      send(origin, { path: '/status?ip=1.1.1.1', headers, ...options })
    t.match(await get({}), { status: 401, body: 'no' }, name)
    t.match(await get({ authorization: 'x' }), {
      status: 500,
      body: name === 'Express' ? 'a wrong key' : /could not be protected/
    })
    const { status, body } = await get(KEY)
    t.equal(status, 200, name)
    t.match(readPage(body).textOf('state'), /All is well/)
    t.match(readPage(body).textOf('explanation'), /not-listed/)
    t.match(await get(KEY, { method: 'HEAD' }), { status: 200, body: '', headers: { 'content-length': /^\d{5}$/ } })
    t.match(await get(KEY, { method: 'POST' }), { status: 405, headers: { allow: 'GET, HEAD' } })
  }
})

t.test('a hook of Node that fails shows nothing', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  const failing: [what: string, hook: NodeHook][] = [
    [
      'throws',
      () => {
        throw new Error('secret')
      }
    ],
    [
      'rejects',
      async () => {
        throw new Error('secret')
      }
    ],
    [
      'rejects without an error',
      async () => {
        throw 'secret'
      }
    ],
    ['returns what is like a promise that rejects', () => failingThenable('secret')],
    ['passes a text', (_request, _response, next) => next('route')]
  ]
  for (const [what, hook] of failing) {
    const page = nodeStatusPage({ guard, hooks: { onRequest: hook } })
    t.teardown(() => page.close())
    const { status, body } = await send(await listenTo(t, page), { path: '/' })
    t.match(
      JSON.parse(body),
      { statusCode: 500, message: 'The page could not be protected or made, so it is not shown.' },
      what
    )
    t.equal(status, 500)
  }
})

t.test('Fetch servers serve the same page, behind their own hook', async (t) => {
  const guard = guardFetch({ dataCenters: 'DC-01', logLevel: 'silent' })
  await guard.check(new Request('http://x/hook', { method: 'POST' }), LISTED)
  const page = fetchStatusPage({
    guard,
    hooks: {
      onRequest: (request) =>
        request.headers.get('authorization') === KEY.authorization ? undefined : new Response('no', { status: 401 })
    }
  })
  t.teardown(() => page.close())
  const ask = (headers: Record<string, string>, method = 'GET') =>
    page(new Request('http://x/status?ip=52.6.248.125#explain', { headers, method }))
  t.equal((await ask({})).status, 401)
  const answer = await ask(KEY)
  t.match(answer.headers.get('content-security-policy'), /^default-src 'none'/)
  const { textOf } = readPage(await answer.text())
  t.match(textOf('state'), /All is well/)
  t.match(textOf('explanation'), /52\.6\.248\.125 is verified/)
  t.equal(await (await ask(KEY, 'HEAD')).text(), '')
  t.equal((await ask(KEY, 'DELETE')).status, 405)
  const failing = fetchStatusPage({ guard, hooks: { onRequest: () => failingThenable('own') as Promise<never> } })
  t.teardown(() => failing.close())
  await t.rejects(failing(new Request('http://x/status')), { message: 'own' })
})

t.test('a guard that has no list yet says so, and the page follows when it comes', async (t) => {
  let isDown = true
  const guard = guardFetch({
    dataCenters: 'DC-01',
    logLevel: 'silent',
    logger: Object.assign(
      () => {},
      Object.fromEntries(['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((level) => [level, () => {}]))
    ) as never,
    source: async () => {
      if (isDown) throw new Error('down')
      return {
        provenance: { page: 'a test', revision: 'r', retrieved: new Date().toISOString().slice(0, 10) },
        rows: [{ dataCenter: 'DC-01' as const, channel: 'connector' as const, addresses: ['9.9.9.9'] }]
      }
    }
  })
  t.teardown(() => guard.close())
  await t.rejects(guard.ready())
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const ask = async () => {
    const answer = await page(new Request('http://x/'))
    return { status: answer.status, ...readPage(await answer.text()) }
  }
  const before = await ask()
  t.equal(before.status, 503)
  t.match(before.textOf('state'), /not loaded yet.*the server’s log/)
  isDown = false
  await guard.reload()
  await guard.check(new Request('http://x/hook'), '9.9.9.9')
  const after = await ask()
  t.equal(after.status, 200)
  t.match(after.textOf('answers'), /1 request accepted/)
})

t.test('a list that could not be loaded, or is old, is what the page says first', async (t) => {
  let retrieved = '2020-01-31'
  const source = () => {
    if (retrieved === '') throw new Error('the disk is gone')
    return {
      provenance: { page: 'a test', revision: 'r', retrieved },
      rows: [{ dataCenter: 'DC-01' as const, channel: 'connector' as const, addresses: ['9.9.9.9', '9.9.9.8'] }]
    }
  }
  const guard = createGuard({ dataCenters: 'DC-01', source, confirm: ['shrunk'], gracePeriod: '1d' })
  t.teardown(() => guard.close())
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const ask = async () => readPage(await (await page(new Request('http://x/'))).text())
  guard.judge({ peer: '9.9.9.9', headers: {} })
  const old = await ask()
  t.match(old.textOf('state'), /The list of MoEngage’s addresses is old\..*was last checked \d+ days ago/)
  t.match(old.textOf('answers'), /Is the list current\? No/)
  retrieved = '2999-01-01'
  const ahead = createGuard({ dataCenters: 'DC-01', source })
  t.teardown(() => ahead.close())
  const pageAhead = fetchStatusPage({ guard: ahead, public: true })
  t.teardown(() => pageAhead.close())
  const future = readPage(await (await pageAhead(new Request('http://x/'))).text())
  t.match(future.textOf('state'), /The list is of 2999-01-01, a day that is still to come/)
  t.match(future.textOf('answers'), /Is the list current\? Not known It is dated in the future\./)
  retrieved = ''
  await t.rejects(guard.reload())
  const failed = await ask()
  t.match(
    failed.textOf('state'),
    /may get out of date: its source has failed\..*the disk is gone.*The list of r stays in use/
  )
  t.match(failed.textOf('list'), /Last error .*the disk is gone/)
})

t.test('an address that left the page is shown until its grace ends', async (t) => {
  let addresses = ['9.9.9.9', '9.9.9.8', '9.9.9.7']
  const source = () => ({
    provenance: { page: 'a test', revision: 'r', retrieved: new Date().toISOString().slice(0, 10) },
    rows: [{ dataCenter: 'DC-01' as const, channel: 'connector' as const, addresses }]
  })
  const guard = createGuard({ dataCenters: 'DC-01', source, gracePeriod: '1d' })
  t.teardown(() => guard.close())
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  addresses = ['9.9.9.9', '9.9.9.8']
  await guard.reload()
  const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
  t.match(textOf('list'), /No longer on MoEngage’s page, and still accepted .* 9\.9\.9\.7\/32 DC-01 connector \d{4}-/)
})

t.test('a crowd of senders is cut to those with the most requests', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  for (let i = 0; i < 70; i++) for (let j = 0; j <= i % 2; j++) guard.judge({ peer: `185.199.108.${i}`, headers: {} })
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
  t.match(
    textOf('senders'),
    /The page shows 50 of 70 addresses: those with your secret, and those with the most requests\.$/
  )
  t.match(textOf('state'), /MoEngage has not got through yet, and requests were turned away/)
})

t.test('requests of one’s own network with the secret are its own, however many addresses send them', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', carriesSecret: ({ headers }) => 'x-secret' in (headers as object) })
  t.teardown(() => guard.close())
  for (let i = 0; i < 60; i++) guard.judge({ peer: `10.1.3.${i}`, headers: { 'x-secret': 'yes' } })
  guard.judge({ peer: '10.1.3.0', headers: {} })
  t.equal(guard.metrics().ownWithSecret, 60)
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
  t.match(
    textOf('answers'),
    /genuine\? Likely 60 requests with your secret from your own network or a provider in front of it, or from what may be a proxy\. 1 request from/
  )
})

t.test('senders with the secret are MoEngage: the page says so first, with what to paste and to send', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', carriesSecret: ({ headers }) => 'x-secret' in (headers as object) })
  t.teardown(() => guard.close())
  for (let i = 0; i < 3; i++) guard.judge({ peer: '185.199.108.153', headers: { 'x-secret': 'yes' } })
  guard.judge({ peer: '185.199.108.1', headers: {} })
  for (const peer of ['10.0.0.3', '104.16.0.9', '172.64.0.9']) {
    guard.judge({
      peer,
      headers: { 'x-secret': 'yes', ...(peer === '172.64.0.9' && { 'x-forwarded-for': '1.1.1.1' }) }
    })
  }
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
  t.match(
    textOf('state'),
    /! Requests of MoEngage were turned away: they carry your secret and come from addresses that the list lacks\. .* To paste .* allow: \['185\.199\.108\.153'\]/
  )
  t.match(textOf('state'), /A text for MoEngage’s support .*185\.199\.108\.153/)
  t.match(textOf('answers'), /Was any of it genuine\? Yes /)
  t.match(
    textOf('senders'),
    /185\.199\.108\.153 3 Not on MoEngage’s list; 3 requests with your secret .*MoEngage, from an address that the list lacks\. Unless a proxy of yours has it, let it in: allow: \['185/
  )
  t.equal(textOf('senders').match(/never let it in\./g)?.length, 2, 'but not where a provider forwards for anybody')
  t.match(textOf('senders'), /10\.0\.0\.3 1 .*The address is a private address/)
  t.equal(textOf('senders').match(/allow: \[/g)?.length, 2, 'nor is an address of one’s own let in')
})

t.test('a data center that another route accepts needs no option of the guard', async (t) => {
  const guard = createGuard({ dataCenters: ['DC-01', 'DC-03'] })
  t.teardown(() => guard.close())
  guard.judge({ peer: LISTED_IN['DC-03'], headers: {} }, { dataCenters: 'DC-01' })
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
  t.match(
    textOf('senders'),
    /A route does not accept DC-03, which you accept elsewhere: the first answers say how to widen it\./
  )
  t.match(textOf('state'), /you accept, but .* accepts DC-01 only/)
})

t.test('what carries the secret is genuine, whatever it was rejected for', async (t) => {
  const carriesSecret = ({ headers }: { headers: object }) => 'x-secret' in headers
  const rows: [options: object, peer: string, words: RegExp][] = [
    [{ deny: [LISTED] }, LISTED, /1 request with your secret from addresses that are denied\./],
    [{ dataCenters: 'DC-03' }, LISTED, /1 request from MoEngage.s addresses of other data centers\./]
  ]
  for (const [options, peer, words] of rows) {
    const guard = createGuard({ dataCenters: 'DC-01', carriesSecret: carriesSecret as never, ...options })
    t.teardown(() => guard.close())
    guard.judge({ peer, headers: { 'x-secret': 'yes' } })
    const page = fetchStatusPage({ guard, public: true })
    t.teardown(() => page.close())
    const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
    t.match(textOf('state'), /! Requests of MoEngage were turned away: they carry your secret\./)
    t.match(textOf('answers'), new RegExp(`genuine\\? Yes .*${words.source}`))
  }
})

t.test(
  'a proxy of one’s own is never let in, and one that may be anybody’s is no sign of genuine requests',
  async (t) => {
    const guard = createGuard({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['9.9.9.9'] } })
    t.teardown(() => guard.close())
    const through = (headers: Record<string, string>) => guard.judge({ peer: '9.9.9.9', headers })
    for (let i = 0; i < 9; i++) through({ 'x-forwarded-for': LISTED })
    through({ 'x-forwarded-for': `${LISTED}, 104.16.0.9` })
    through({})
    const page = fetchStatusPage({ guard, public: true })
    t.teardown(() => page.close())
    const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
    t.match(
      textOf('senders'),
      /9\.9\.9\.9 1 .* Of your own network or a proxy, which hides the sender: follow the hint/
    )
    t.match(
      textOf('answers'),
      /genuine\? Possibly 1 request from what is your own proxy if it stands in front of your server/
    )
    t.match(
      textOf('state'),
      /! MoEngage gets through, but something needs your attention\. .*'cloudflare'.* Do so only if /
    )
  }
)

t.test('checks of one’s own do not hide that MoEngage never got through', async (t) => {
  const { post, open } = await serve(t, { allow: ['9.9.9.9'] })
  for (const clientIp of ['9.9.9.9', '9.9.9.9', '185.199.108.153']) await post('/moengage/connector', clientIp)
  const { textOf } = await open()
  t.match(textOf('state'), /What to do now No request was ever verified by MoEngage's list: are static IPs enabled/)
  t.match(textOf('senders'), /A stranger, or MoEngage without static IPs\./)
})

t.test('in mode "tag" requests are let through, and the page says so', async (t) => {
  const { post, open } = await serve(t, { mode: 'tag' })
  await post('/moengage/connector', '185.199.108.153')
  const first = await open()
  t.match(first.textOf('state'), /! MoEngage has not got through yet, and requests would be turned away\./)
  t.match(
    first.textOf('answers'),
    /turned away\? No, but 1 request would be Mode “tag” let 1 of them through\. 1 rejection in/
  )
  await post('/moengage/connector', LISTED_IN['DC-03'])
  t.match((await open()).textOf('state'), /! Requests that are probably genuine would be turned away\./)
})

t.test('the page says what became of rejected requests, as far as the guard decides that', async (t) => {
  const options = { dataCenters: 'DC-01', mode: 'tag', logger: lineLogger([]) } as const
  type Did = 'let through' | 'turned away' | 'asked'
  const rows: [did: Did[], state: RegExp, answer: RegExp][] = [
    [['let through'], /would be turned away\./, /No, but 1 request would be Mode “tag” let 1 of them through\./],
    [
      ['let through', 'turned away', 'turned away'],
      /were rejected\./,
      /Yes, 2 requests Mode “tag” let 1 more through\./
    ],
    [
      ['asked', 'asked'],
      /would be turned away\./,
      /Not by a route, but 2 requests would be Your code asked about 2 of them with “judge”; what became of them is not known here\. 2 rej/
    ],
    [
      ['asked', 'let through', 'turned away'],
      /were rejected\./,
      /Yes, 1 request Mode “tag” let 1 more through\. Your code asked about 1 more with “judge”; /
    ]
  ]
  for (const [did, state, answer] of rows) {
    const guard = guardFetch(options)
    const page = fetchStatusPage({ guard, public: true })
    t.teardown(() => [guard, page].map((it) => it.close()))
    for (const what of did) {
      const request = new Request('http://x/')
      if (what === 'asked') guard.judge(request, '185.199.108.153')
      else await guard.check(request, '185.199.108.153', { mode: what === 'let through' ? 'tag' : 'reject' })
    }
    const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
    for (const part of ['time', 'matrix', 'senders']) {
      const words = textOf(`${part}-body`).replace('its requests were let through and would be turned away', '')
      t.match(words, /rejected/i, `${did}: ${part}`)
      t.notMatch(words, /turned away/i, `${did}: ${part} is about all rejections`)
    }
    t.match(textOf('time'), new RegExp(`0 requests accepted, ${did.length} rejected;`))
    t.match(textOf('state'), state, `${did}`)
    t.match(textOf('answers'), answer, `${did}`)
  }
})

t.test('all is well only while MoEngage calls and nothing is to be done', async (t) => {
  const clock = new TestClock('2026-11-24T10:00:00Z')
  const provenance = { page: 'a test', revision: 'r', retrieved: '2026-11-24' }
  const source = (): Snapshot => ({
    provenance,
    rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses: [LISTED] }]
  })
  const guard = await loadGuard({ dataCenters: 'DC-01', source }, { clock })
  t.teardown(() => guard.close())
  guard.judge({ peer: LISTED, headers: {} })
  const page = new StatusPage(guard, clock)
  t.teardown(() => page.close())
  const state = async () => readPage((await page.respond(new URLSearchParams())).body).textOf('state')
  clock.pass(8 * 24 * HOUR - 1)
  t.match(await state(), /✓ All is well/)
  clock.pass(1)
  t.match(
    await state(),
    /… Nothing is wrong here, and MoEngage last got through 8 days ago\. .* see whether the request reached this server/
  )
})

t.test('the watched source stands beside the list, with each difference', async (t) => {
  const retrieved = new Date().toISOString().slice(0, 10)
  const snapshotOf = (rows: Snapshot['rows'], unknown: NonNullable<Snapshot['unknown']> = []): Snapshot => ({
    provenance: { page: 'a test', revision: 'r', retrieved },
    rows,
    unknown
  })
  const source = () =>
    snapshotOf([
      { dataCenter: 'DC-01', channel: 'connector', addresses: ['9.9.9.9', '9.9.9.8'] },
      { dataCenter: 'DC-01', channel: 'sms', addresses: 'NA' },
      { dataCenter: 'DC-01', channel: 'push', addresses: ['9.9.9.7'] }
    ])
  const other = snapshotOf(
    [
      { dataCenter: 'DC-01', channel: 'connector', addresses: ['9.9.9.9', '8.8.8.8', '9.9.9.7'] },
      { dataCenter: 'DC-01', channel: 'sms', addresses: { derivedFrom: ['connector', 'push'] } },
      { dataCenter: 'DC-01', channel: 'push', addresses: 'NA' }
    ],
    [{ dataCenter: 'DC-99', name: 'Moon', addresses: ['7.7.7.7'] }]
  )
  const folder = t.testdir({ 'other.json': JSON.stringify(other) })
  const guard = createGuard({ dataCenters: 'DC-01', source, watch: { file: `${folder}/other.json` } })
  t.teardown(() => guard.close())
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const open = async () => readPage(await (await page(new Request('http://x/'))).text()).textOf('list')
  t.match(
    await open(),
    /Compared with another source .* Last compared never Its revision unknown Differs no Last error none$/
  )
  await until(() => guard.status().watch?.differences !== null)
  const list = await open()
  t.match(list, /Differs yes, since \d{4}-.* UTC Last error none/)
  t.match(
    list,
    /added 8\.8\.8\.8\/32 DC-01 \(connector.*\) removed 9\.9\.9\.8\/32 DC-01 \(connector\) moved 9\.9\.9\.7\/32 DC-01 \(push\)/
  )
  t.match(list, /cell DC-01 sms NA Connector|cell DC-01 sms NA connector and push/)
  t.match(list, /unknown row DC-99 Moon no row addresses$/)
})

t.test('overrides stand there with their ends', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  t.teardown(() => guard.close())
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const open = async () => readPage(await (await page(new Request('http://x/'))).text()).textOf('overrides')
  t.match(await open(), /None: the options of the server apply/)
  guard.override({ allow: ['9.9.9.9'], deny: ['8.8.8.8'], for: '1h', note: 'ticket 4711' })
  guard.override({ mode: 'tag', for: '2h' })
  const overrides = await open()
  t.match(
    overrides,
    /accepts 9\.9\.9\.9\/32, rejects 8\.8\.8\.8\/32 \d{4}-\S+ \S+ UTC \d{4}-\S+ \S+ UTC this server ticket 4711/
  )
  t.match(overrides, /mode "tag" \d{4}-\S+ \S+ UTC .* this server – /)
})

t.test('a last call of yesterday is one that did not come in the last hour', async (t) => {
  const clock = new TestClock('2026-11-24T10:00:00Z')
  const guard = await loadGuard({ dataCenters: 'DC-01' }, { clock })
  t.teardown(() => guard.close())
  guard.judge({ peer: LISTED, headers: {} })
  const page = new StatusPage(guard, clock)
  t.teardown(() => page.close())
  clock.pass(26 * HOUR)
  const { textOf } = readPage((await page.respond(new URLSearchParams())).body)
  t.match(
    textOf('answers'),
    /last hour\? No, the last call came 1 day ago 2026-11-24 10:00 UTC Which channel was it\? None was accepted in the last hour/
  )
  t.match(textOf('routes-body'), /\(no route\) 1 day ago 2026-11-24 10:00 UTC DC-01/)
})

t.test('a request with the secret that was rejected is a call, and its path stands for its channel', async (t) => {
  for (const [mode, outcome] of [['reject', 'was'] as const, ['tag', 'would be'] as const]) {
    const { post, open } = await serve(t, { mode, carriesSecret: () => true })
    await post('/moengage/connector', '185.199.108.153')
    await post('/segments', LISTED_IN['DC-03'])
    t.match(
      (await open()).textOf('answers'),
      new RegExp(
        `Yes, and it ${outcome} turned away .* None was accepted in the last hour Requests with your secret were rejected on (?:/\\S+ and /\\S+)\\. Was`
      )
    )
  }
})

t.test('whether MoEngage called is also said of requests that were rejected', async (t) => {
  const [MOENGAGE, OTHER, SCAN] = [LISTED, LISTED_IN['DC-03'], '185.199.108.153']
  type Request = [peer: string, isSecret: boolean, hoursAgo: number]
  const rows: [what: string, requests: Request[], options: object, answer: RegExp][] = [
    [
      'nothing',
      [],
      {},
      /No No request of MoEngage was accepted since the server started\. Which .*\? None was accepted/
    ],
    [
      'the secret, and never accepted',
      [[OTHER, true, 0.5]],
      {},
      /Yes, and it was turned away It carries your secret and came 30 minutes ago\. No request of MoEngage was accepted since the server started\./
    ],
    [
      'the secret, after an accepted request',
      [
        [MOENGAGE, false, 3],
        [OTHER, true, 0.5],
        [SCAN, true, 0.6]
      ],
      {},
      /Yes, and it was turned away It .* came 30 minutes ago\. The last accepted request of MoEngage came 3 hours ago/
    ],
    [
      'an accepted request, after the secret',
      [
        [OTHER, true, 0.6],
        [MOENGAGE, false, 0.5]
      ],
      {},
      /Yes, 30 minutes ago 1 request accepted/
    ],
    [
      'the secret, hours ago',
      [[OTHER, true, 2]],
      {},
      /No, the last call came 2 hours ago, and it was turned away No request/
    ],
    [
      'the secret, hours ago, and an accepted request after it',
      [
        [OTHER, true, 3],
        [MOENGAGE, false, 2]
      ],
      {},
      /No, the last call came 2 hours ago 2026/
    ],
    [
      'the secret from a network of one’s own',
      [['10.0.0.9', true, 0.5]],
      {},
      /None that was accepted No request .* whether MoEngage’s are among those is not known here\./
    ],
    [
      'no secret',
      [[SCAN, false, 0.5]],
      {},
      /None that was accepted No request .* Requests were rejected within the hour, and whether MoEngage’s are among those is not known here\. Which channel was it\? None was accepted in the last hour Was/
    ],
    [
      'no secret, and an accepted request long ago',
      [
        [MOENGAGE, false, 2],
        [SCAN, false, 0.5]
      ],
      {},
      /None that was accepted The last accepted request of MoEngage came 2 hours ago/
    ],
    ['no client IP', [['unknown', false, 0.5]], {}, /None that was accepted No request/],
    [
      'the secret without a client IP',
      [
        [SCAN, false, 0.6],
        ['unknown', true, 0.5]
      ],
      {},
      /Yes, and it was turned away It carries your secret, has no client IP that can be relied on, and came within the hour\. No request/
    ],
    [
      'the secret without a client IP, hours ago, and a stranger',
      [
        ['unknown', true, 2],
        [SCAN, false, 0.5]
      ],
      {},
      /None that was accepted No request .* Requests were rejected within the hour, and whether MoEngage’s are among those is not known/
    ],
    ['the secret without a client IP, hours ago', [['unknown', true, 2]], {}, /No No request of MoEngage was accepted/],
    [
      'a stranger who is denied',
      [['8.8.8.8', false, 0.5]],
      { deny: ['8.8.8.8'] },
      /No No request of MoEngage was accepted/
    ],
    ['a stranger, hours ago', [[SCAN, false, 2]], {}, /No No request of MoEngage was accepted/],
    [
      'an address of one’s own allow list',
      [
        [SCAN, false, 0.6],
        ['8.8.8.8', false, 0.5]
      ],
      { allow: ['8.8.8.8'] },
      /That depends Your own “allow” or an override accepted a request 30 minutes ago: if the address is MoEngage’s, it called\. No request of/
    ],
    [
      'an address of one’s own allow list, hours ago',
      [['8.8.8.8', false, 2]],
      { allow: ['8.8.8.8'] },
      /No No request of MoEngage was accepted/
    ],
    [
      'the secret, and later none from the same address',
      [
        [OTHER, true, 2],
        [OTHER, false, 0.5]
      ],
      {},
      /None that was accepted No request of MoEngage .* is not known here\./
    ],
    [
      'the secret, and none from the same address, within the hour',
      [
        [OTHER, true, 0.6],
        [OTHER, false, 0.5]
      ],
      {},
      /Yes, and it was turned away It carries your secret and came within the hour\. No request of MoEngage was accepted/
    ]
  ]
  for (const [what, requests, options, answer] of rows) {
    const clock = new TestClock('2026-11-24T10:00:00Z')
    const carriesSecret = ({ headers }: { headers: object }) => 'x-secret' in headers
    const guard = await loadGuard(
      { dataCenters: 'DC-01', carriesSecret: carriesSecret as never, ...options },
      { clock }
    )
    t.teardown(() => guard.close())
    const page = new StatusPage(guard, clock)
    t.teardown(() => page.close())
    for (const [i, [peer, isSecret, hoursAgo]] of requests.entries()) {
      guard.judge({ peer, headers: isSecret ? { 'x-secret': 'yes' } : {} })
      clock.pass((hoursAgo - (requests[i + 1]?.[2] ?? 0)) * HOUR)
    }
    const { textOf } = readPage((await page.respond(new URLSearchParams())).body)
    t.match(textOf('answers'), new RegExp(`in the last hour\\? ${answer.source}`), what)
  }
})

t.test('a call that was turned away is not the last one where an override has accepted a later request', async (t) => {
  const SCAN = '185.199.108.153'
  const rows: [what: string, hours: number, answer: RegExp][] = [
    [
      'within the hour',
      0.5,
      /\? Yes A request with your secret was turned away: it came 45 minutes ago\. Your own “allow” or an override accepted a request 30 minutes ago: if the address is MoEngage’s, it called after that\. The last accepted/
    ],
    [
      'an hour after the first one',
      0.9,
      /\? That depends Your own “allow” or an override accepted a request 54 minutes/
    ],
    [
      'hours later',
      2,
      /\? No, the last call with your secret that was turned away came 2 hours ago Your own “allow” or an override accepted a request 2 hours ago: if the address is MoEngage’s, it called after that\. The last accepted/
    ]
  ]
  for (const [what, hours, answer] of rows) {
    const clock = new TestClock('2026-11-24T10:00:00Z')
    const carriesSecret = ({ headers }: { headers: object }) => 'x-secret' in headers
    const guard = await loadGuard({ dataCenters: 'DC-01', carriesSecret: carriesSecret as never }, { clock })
    t.teardown(() => guard.close())
    const page = new StatusPage(guard, clock)
    t.teardown(() => page.close())
    guard.judge({ peer: LISTED, headers: {} })
    clock.pass(2 * HOUR)
    t.equal(guard.judge({ peer: SCAN, headers: { 'x-secret': 'yes' } }).verified, false)
    clock.pass(HOUR / 4)
    guard.override({ allow: [SCAN], for: '1d' })
    t.equal(guard.judge({ peer: SCAN, headers: { 'x-secret': 'yes' } }).verified, true)
    clock.pass(hours * HOUR)
    const { textOf } = readPage((await page.respond(new URLSearchParams())).body)
    t.match(textOf('answers'), answer, what)
  }
})

t.test('what a newer list or an override has mended is no trouble any more', async (t) => {
  type List = Record<'DC-01 connector' | 'DC-01 sms' | 'DC-03 connector', string[]>
  const BEFORE: List = { 'DC-01 connector': ['9.9.9.1'], 'DC-01 sms': ['9.9.9.2'], 'DC-03 connector': ['8.8.4.4'] }
  const FRESH = '2026-11-24'
  const rows: [what: string, options: Partial<GuardOptions>, peer: string, taken: string, mend: Partial<List>][] = [
    ['a stale list', { rejectWhenStale: true, staleAfter: '30d' }, '9.9.9.1', '2026-10-01', {}],
    [
      'another data center',
      {},
      '8.8.4.4',
      FRESH,
      { 'DC-01 connector': ['9.9.9.1', '8.8.4.4'], 'DC-03 connector': ['8.8.4.5'] }
    ],
    ['another channel', { channels: 'sms' }, '9.9.9.1', FRESH, { 'DC-01 sms': ['9.9.9.1', '9.9.9.2'] }],
    ['an address that left the list', { gracePeriod: 0 }, '9.9.9.3', FRESH, {}]
  ]
  for (const [what, options, peer, taken, mend] of rows) {
    const clock = new TestClock('2026-11-24T10:00:00Z')
    let [list, retrieved] = [BEFORE, taken]
    const source = (): Snapshot => ({
      provenance: { page: 'a test', revision: JSON.stringify(list), retrieved },
      rows: Object.entries(list).map(([cell, addresses]) => {
        const [dataCenter, channel] = cell.split(' ') as ['DC-01', 'sms']
        return { dataCenter, channel, addresses }
      })
    })
    const isLeaving = what.includes('left')
    if (isLeaving) list = { ...BEFORE, 'DC-01 connector': ['9.9.9.1', peer] }
    const guard = await loadGuard({ dataCenters: 'DC-01', source, confirm: ['shrunk'], ...options }, { clock })
    t.teardown(() => guard.close())
    const page = new StatusPage(guard, clock)
    t.teardown(() => page.close())
    const state = async () => readPage((await page.respond(new URLSearchParams())).body).textOf('state')
    if (isLeaving) {
      list = BEFORE
      await guard.reload()
    }
    const rejected = guard.judge({ peer, headers: {} })
    t.equal(rejected.verified, false, what)
    t.match(await state(), /! Requests that are probably genuine were turned away\./, what)
    if (isLeaving) guard.override({ allow: [peer], for: '30d' })
    list = { ...list, ...mend }
    retrieved = FRESH
    await guard.reload()
    t.equal(guard.judge({ peer, headers: {} }).verified, true, `${what}, mended`)
    if (!isLeaving) t.strictSame(guard.status().diagnosis, [], what)
    t.notMatch(guard.status().diagnosis, [/removed from/], what)
    t.notMatch(await state(), /probably genuine/, what)
    if (!isLeaving) t.match(await state(), /✓ All is well/, what)
  }
})

t.test('whether requests were genuine is said of all since the start, as the secret proves it', async (t) => {
  const [OTHER, SCAN, PRIVATE] = [LISTED_IN['DC-03'], '8.8.8.8', '10.0.0.9']
  type Request = [peer: string, isSecret: boolean]
  const rows: [what: string, requests: Request[], options: object, days: number, answer: RegExp][] = [
    [
      'an unlisted address',
      [[SCAN, true]],
      {},
      0,
      /Yes 1 request with your secret from addresses that are not listed\. Is/
    ],
    [
      'the same, of last week',
      [[SCAN, true]],
      {},
      8,
      /Yes 1 request with your secret from addresses that are not listed\. Is/
    ],
    [
      'the same beside a stranger',
      [
        [SCAN, true],
        ['9.9.9.9', false]
      ],
      {},
      8,
      /Yes 1 request with your secret from .* not listed\. 1 request from addresses that are not listed: do you know any of them\? Is/
    ],
    ['a stranger', [[SCAN, false]], {}, 8, /Possibly 1 request from addresses that are not listed: do you know any/],
    [
      'another data center',
      [[OTHER, true]],
      {},
      8,
      /Yes 1 request from MoEngage's addresses of other data centers\. Is/
    ],
    [
      'a denied address',
      [[SCAN, true]],
      { deny: [SCAN] },
      8,
      /Yes 1 request with your secret from addresses that are denied\. Is/
    ],
    [
      'a network of one’s own',
      [
        [PRIVATE, true],
        [PRIVATE, true]
      ],
      {},
      0,
      /Likely 2 requests with your secret from your own network or a provider in front of it, or from what may be a proxy\. Is/
    ],
    [
      'the same, which left the secret out once',
      [
        [PRIVATE, true],
        [PRIVATE, false]
      ],
      {},
      0,
      /Likely 1 request with your secret from your own .*\. 1 request from addresses that are not listed: do you know any of them\? Is/
    ]
  ]
  for (const [what, requests, options, days, answer] of rows) {
    const clock = new TestClock('2026-11-24T10:00:00Z')
    const guard = await loadGuard(
      {
        dataCenters: 'DC-01',
        carriesSecret: (({ headers }: { headers: object }) => 'x-secret' in headers) as never,
        ...options
      },
      { clock }
    )
    t.teardown(() => guard.close())
    const page = new StatusPage(guard, clock)
    t.teardown(() => page.close())
    for (const [peer, isSecret] of requests) guard.judge({ peer, headers: isSecret ? { 'x-secret': 'yes' } : {} })
    clock.pass(days * 24 * HOUR)
    const { textOf } = readPage((await page.respond(new URLSearchParams())).body)
    t.match(textOf('answers'), new RegExp(`Was any of it genuine\\? ${answer.source}`), what)
    if (days > 7) t.notMatch(textOf('state'), /carry your secret/, `${what}: it is no news`)
  }
})

t.test(
  'a path stands for the channel of a request with the secret where it is the only one of its sender',
  async (t) => {
    const carriesSecret = ({ headers }: { headers: object }) => 'x-secret' in headers
    const rows: [paths: string[], answer: RegExp][] = [
      [['/moengage/connector', '/moengage/connector'], /were rejected on \/moengage\/connector\. Was/],
      [['/moengage/connector', '/segments'], /Which channel was it\? None was accepted in the last hour Was/]
    ]
    for (const [[first, second], answer] of rows) {
      const { origin, post, open } = await serve(t, { carriesSecret: carriesSecret as never })
      const headers = { 'x-forwarded-for': '8.8.8.8', 'x-secret': 'yes' }
      await send(origin, { method: 'POST', path: first!, headers })
      await post(second!, '8.8.8.8')
      t.match((await open()).textOf('answers'), answer)
    }
  }
)

t.test('of requests without a client IP no sender is known, and nobody says that nobody was rejected', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  t.teardown(() => guard.close())
  guard.judge({ peer: 'garbage', headers: {} })
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const open = async () => readPage(await (await page(new Request('http://x/'))).text())
  const { textOf } = await open()
  t.match(
    textOf('senders'),
    /1 request had no client IP that can be relied on, so no sender is known of them: the hint/
  )
  t.match(textOf('answers'), /in the last hour; from 0 remembered senders, and 1 request without a client IP\./)
})

t.test('no row says to trust a proxy, which the header that is read decides', async (t) => {
  const rows: [clientIp: GuardOptions['clientIp'], peer: string, header: string][] = [
    [{ trustedProxies: ['192.0.2.1'] }, '10.0.0.3', 'x-forwarded-for'],
    [{ trustedProxies: ['192.0.2.1'], header: 'x-real-ip' }, '104.16.0.9', 'x-real-ip'],
    [{ trustedProxies: ['cloudflare'], header: 'cf-connecting-ip' }, '151.101.1.1', 'cf-connecting-ip'],
    [() => '104.16.0.9', '104.16.0.9', 'x-forwarded-for']
  ]
  for (const [clientIp, peer, header] of rows) {
    const guard = createGuard({ dataCenters: 'DC-01', clientIp })
    t.teardown(() => guard.close())
    guard.judge({ peer, headers: { [header]: LISTED } })
    const page = fetchStatusPage({ guard, public: true })
    t.teardown(() => page.close())
    const row = readPage(await (await page(new Request('http://x/'))).text()).textOf('senders')
    t.match(
      row,
      /forwards requests of others: never let it in\. If it stands .*, follow the hint in the server’s log, which says how to make it known\.$/
    )
    t.notMatch(row, /trustedProxies/)
  }
})

t.test('a policy for a data center beside that of the guard has its cells', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  t.teardown(() => guard.close())
  guard.judge({ peer: LISTED, headers: {} }, { dataCenters: 'DC-03', channels: 'segment-sync' })
  const page = fetchStatusPage({ guard, public: true })
  t.teardown(() => page.close())
  const { textOf } = readPage(await (await page(new Request('http://x/'))).text())
  t.match(textOf('matrix'), /Outbound Segment Sync 0 0 of 1 address used · A no address 0 0 of 1 address used · B/)
})

t.test('a stranger that breaks its request makes nothing probably genuine', async (t) => {
  const { origin, post, open } = await serve(t)
  const stranger = { host: 'a', 'x-forwarded-for': STRANGER, a: Array(1000).fill('') }
  const sendBroken = () => send(origin, { method: 'POST', path: '/moengage/connector', headers: stranger })
  await post('/moengage/connector', LISTED)
  t.match(await sendBroken(), { status: 403 })
  const { textOf } = await open()
  t.match(
    textOf('state'),
    /! MoEngage gets through, .* The only rejection had no client IP .*: the hint in the log says/
  )
  t.match(
    textOf('answers'),
    /Was any of it genuine\? Possibly 1 request without a client IP .* what any stranger can send/
  )
})

t.test('an address of MoEngage that is denied is said to be turned away, while others get through', async (t) => {
  const { post, open } = await serve(t, { deny: ['44.205.83.206'] })
  await post('/moengage/connector', LISTED)
  await post('/moengage/connector', '44.205.83.206')
  t.match(
    (await open()).textOf('state'),
    /! Requests that are probably genuine were turned away\..*is in your deny list/
  )
})
