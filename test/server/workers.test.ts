import { mock } from 'node:test'
import t, { type Test } from 'tap'
import guardLambda from '../../src/lambda.js'
import { redisFleet } from '../../src/redis.js'
import moengageAllowlist, { type MoEngageAllowlistOptions } from '../../src/workers.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { FakeRedis } from '../support/fake-redis.js'
import { SCENARIOS } from '../support/fixtures.js'
import { type LogLine, until } from '../support/http.js'
import { lineLogger } from '../support/logger.js'
import { sound as soundOf } from '../support/snapshots.js'

/** A list with an address that the bundled one has as well. */
const sound = (about: { revision: string }) => soundOf(about, [LISTED, '9.9.9.2'])

type Line = LogLine & { moengage?: { event?: string } }

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** A request as Cloudflare hands it to a Worker. */
function requestFrom(clientIp: string | undefined, headers: Record<string, string> = {}, cf: object | undefined = {}) {
  const request = new Request('https://hooks.example.com/', {
    headers: clientIp === undefined ? headers : { 'cf-connecting-ip': clientIp, ...headers }
  })
  return Object.assign(request, { cf })
}

/** The context of an event, with the promises that the Worker stays alive for. */
function contextOf() {
  const kept: Promise<unknown>[] = []
  return { kept, waitUntil: (promise: Promise<unknown>) => void kept.push(promise) }
}

function guarding(options: Partial<MoEngageAllowlistOptions> = {}) {
  const lines: Line[] = []
  const guard = moengageAllowlist({ dataCenters: 'DC-01', logger: lineLogger(lines), ...options })
  const ask = async (clientIp: string, context = contextOf()) => {
    const { response, verdict } = await guard.check(requestFrom(clientIp), context)
    return { status: response?.status ?? 200, verdict, context }
  }
  const events = (event: string) => lines.filter(({ moengage }) => moengage?.event === `moengage.${event}`)
  return { guard, ask, lines, events }
}

/** Lets time pass as it does for a Worker: without timers. */
function stopTime(t: Test): (milliseconds: number) => void {
  mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-24') })
  t.teardown(() => mock.timers.reset())
  return (milliseconds) => mock.timers.setTime(Date.now() + milliseconds)
}

t.test('a request is judged by the address that Cloudflare writes', async (t) => {
  const { guard } = guarding({ allow: ['2001:db8::7'] })
  const forged = { 'x-forwarded-for': LISTED, 'x-real-ip': LISTED, 'true-client-ip': LISTED }
  const noCf = /^The request has no cf: the Worker does not run on Cloudflare/
  const noAddress = /^The request carries no address in cf-connecting-ip: .*"Remove visitor IP headers"/
  const ofWorker = { 'cf-worker': 'example.com' }
  const unresolved = (hint: RegExp) => ({ reason: 'unresolved', hint })
  const table: [what: string, request: Request, status: number, rejection?: object][] = [
    ['a listed address', requestFrom(LISTED), 200],
    ['one of IPv6', requestFrom('2001:db8:0::7'), 200],
    ['a stranger', requestFrom(STRANGER), 403, { reason: 'not-listed' }],
    ['a stranger who sends other headers', requestFrom(STRANGER, forged), 403, { reason: 'not-listed' }],
    ['two values', requestFrom(`${LISTED}, ${STRANGER}`), 403, unresolved(/is not an IP address/)],
    ['no header', requestFrom(undefined, forged), 403, unresolved(noAddress)],
    ['the name of a unix socket', requestFrom('unix'), 403, unresolved(noAddress)],
    ['a subrequest of another Worker', requestFrom(LISTED, ofWorker), 403, unresolved(/another Worker \(cf-worker\)/)],
    ['a runtime that is not Cloudflare', Object.assign(requestFrom(LISTED), { cf: undefined }), 403, unresolved(noCf)],
    ['a runtime that has no such thing', Object.assign(requestFrom(LISTED), { cf: null }), 403, unresolved(noCf)],
    ['a runtime that says it is not', Object.assign(requestFrom(LISTED), { cf: false }), 403, unresolved(noCf)]
  ]
  for (const [what, request, status, rejection] of table) {
    const { response, verdict } = await guard.check(request, contextOf())
    t.equal(response?.status ?? 200, status, what)
    t.match(verdict, rejection === undefined ? { verified: true } : { verified: false, ...rejection }, what)
    t.match(guard.judge(request), verdict!, `${what}, judged alone`)
  }
})

t.test('every spoofing scenario ends as it must, with the peer in the header of Cloudflare', async (t) => {
  for (const { id, peer, headers, config, client, must_be } of SCENARIOS) {
    // The header of the peer is taken.
    if (headers.some(([name]) => name.toLowerCase() === 'cf-connecting-ip')) continue
    const { header, trusted: trustedProxies, allow, deny = [], requireHeader = false } = config
    const { guard } = guarding({ clientIp: { header, trustedProxies, requireHeader }, allow, deny })
    const request = requestFrom(peer || undefined)
    for (const [name, value] of headers) request.headers.append(name, value)
    const { response, verdict } = await guard.check(request, contextOf())
    t.equal(response?.status ?? 200, must_be === 'accepted' ? 200 : 403, id)
    t.match(verdict, { verified: must_be === 'accepted', clientIp: client, peer: peer || null }, id)
  }
})

t.test('wrong options are refused at module level', async (t) => {
  const options = { dataCenters: 'DC-99', channels: 'mail', log: { linesPerSecond: 0 }, logger: console }
  t.throws(() => moengageAllowlist(options as never), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: 'dataCenters' }, { path: 'channels' }, { path: 'logger' }, { path: 'log.linesPerSecond' }]
  })
  const fleet = redisFleet({ client: new FakeRedis().io(), name: 'webhooks' })
  t.throws(() => moengageAllowlist({ dataCenters: 'DC-01', fleet } as never), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: 'fleet', message: /runs only during requests/, fix: /source: \{ url: / }]
  })
  const source = { url: 'ftp://example.com/' }
  t.throws(() => moengageAllowlist({ dataCenters: 'DC-01', source }), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: 'source.url' }]
  })
})

t.test('nothing that a Worker forbids happens at module level, and no timer is ever set', async (t) => {
  // Node itself makes an AbortController for a request.
  const requests = [requestFrom(LISTED), requestFrom(STRANGER)]
  const forbidden = ['setTimeout', 'setInterval', 'setImmediate', 'AbortController', 'fetch'] as const
  const before = Object.fromEntries(forbidden.map((name) => [name, globalThis[name]]))
  const used: string[] = []
  const restore = () => Object.assign(globalThis, before)
  t.teardown(restore)
  for (const name of forbidden) {
    const forbid = () => {
      used.push(name)
      throw new Error(`Disallowed operation called within global scope: ${name}`)
    }
    Object.assign(globalThis, { [name]: forbid })
  }
  // The time of day is not known there either.
  mock.timers.enable({ apis: ['Date'], now: 0 })
  t.teardown(() => mock.timers.reset())
  const { guard: polling } = guarding({ source: { url: 'https://example.com/moengage.json' } })
  const { guard, events } = guarding()
  mock.timers.setTime(Date.parse('2026-11-24'))
  const checked = await Promise.all(requests.map((request) => guard.check(request, contextOf())))
  restore()
  t.match(checked, [{ response: undefined }, { response: { status: 403 } }])
  t.equal(events('rejected').length, 1)
  t.strictSame(used, [])
  guard.close()
  t.doesNotThrow(() => polling.close(), 'a guard that no request has made can be closed')
})

t.test('a list is loaded by the first request, and again by the one that finds it due', async (t) => {
  const pass = stopTime(t)
  const asked: string[] = []
  let revision = 'r1'
  const fetch = async () => {
    asked.push(revision)
    return Response.json(sound({ revision }))
  }
  const source = { url: 'https://example.com/moengage.json', fetch, interval: '1h' } as const
  const { guard, ask } = guarding({ source })
  t.strictSame(asked, [], 'at module level nothing is asked')
  t.throws(() => guard.status(), { code: 'MOE_ERR_NOT_READY' })
  const [first, second] = await Promise.all([ask(LISTED), ask(STRANGER)])
  t.match([first.status, second.status, asked.length], [200, 403, 1])
  t.equal(first.context.kept.length, 1, 'the Worker stays alive for the load, though the request may be cut off')
  await Promise.all(first.context.kept)

  revision = 'r2'
  pass(HOUR / 2)
  await Promise.all((await ask(LISTED)).context.kept)
  t.strictSame(asked, ['r1'], 'half an hour later the list is not due')
  pass(HOUR / 2)
  const { status, verdict, context } = await ask(LISTED)
  t.match({ status, verdict }, { status: 200, verdict: { revision: 'r1' } }, 'the request does not wait for it')
  await Promise.all(context.kept)
  t.strictSame(asked, ['r1', 'r2'])
  t.match((await ask(LISTED)).verdict, { revision: 'r2' })
})

t.test('a first load that fails is repeated by later requests, and one that was cut off is made anew', async (t) => {
  const pass = stopTime(t)
  const outcomes = [
    () => Promise.reject(new Error('away')),
    () => new Promise<never>(() => {}),
    async () => sound({ revision: 'r3' })
  ]
  let loads = 0
  const source = { name: 'ours', timeout: '1s', load: () => outcomes[loads++]!() } as const
  const { guard, ask, lines } = guarding({ source })
  t.match(await ask(LISTED), { status: 503, verdict: null })
  t.match(lines, [{ msg: 'MoEngage requests cannot be judged.' }])
  t.equal((await ask(LISTED)).status, 503)
  t.equal(loads, 1, 'a source without an interval is not asked by each request')
  pass(MINUTE)
  const hanging = ask(LISTED)
  await until(() => loads === 2)
  pass(MINUTE)
  t.equal((await ask(LISTED)).status, 200)
  t.equal(loads, 3)
  t.match(guard.status(), { revision: 'r3' })
  t.equal((await hanging).status, 503, 'what waited for the load that was cut off is answered when it has failed')
})

t.test('judge alone begins a reload that is due', async (t) => {
  const pass = stopTime(t)
  let loads = 0
  const load = () => sound({ revision: `r${++loads}` })
  const { guard } = guarding({ source: { name: 'ours', load, interval: '1h' } })
  t.throws(() => guard.judge(requestFrom(LISTED)), { code: 'MOE_ERR_NOT_READY' })
  await until(() => {
    try {
      return guard.status().revision === 'r1'
    } catch {
      return false
    }
  })
  pass(HOUR)
  t.match(guard.judge(requestFrom(LISTED)), { verified: true, revision: 'r1' })
  await until(() => guard.status().revision === 'r2')
  t.match(guard.judge(requestFrom(LISTED)), { verified: true, revision: 'r2' })
})

t.test('a clock that was ahead and was set back holds up no reload', async (t) => {
  const pass = stopTime(t)
  let loads = 0
  const load = () => sound({ revision: `r${++loads}` })
  const { ask } = guarding({ source: { name: 'ours', load, interval: '1h' } })
  await ask(LISTED)
  pass(-24 * HOUR)
  await Promise.all((await ask(LISTED)).context.kept)
  t.equal(loads, 2)
  await ask(LISTED)
  t.equal(loads, 2)
})

t.test('a check without the context of the event is refused at once, with what to write', async (t) => {
  const { guard } = guarding()
  for (const context of [undefined, null, {}, { env: 1 }]) {
    await t.rejects(guard.check(requestFrom(LISTED), context as never), {
      code: 'MOE_ERR_OPTIONS',
      mistakes: [{ path: 'context', fix: 'Pass the third argument of fetch: guard.check(request, context).' }]
    })
  }
  t.match((await guard.check(requestFrom(LISTED), contextOf())).verdict, { verified: true })
  t.equal(guard.status().verified, 1, 'nothing was judged without it')
})

t.test('a reload that was cut off after the answer is begun anew, and changes nothing when it ends late', async (t) => {
  const pass = stopTime(t)
  const reloads: ((snapshot: ReturnType<typeof sound>) => void)[] = []
  let isFirst = true
  const load = () => {
    if (!isFirst) return new Promise<ReturnType<typeof sound>>((resolve) => reloads.push(resolve))
    isFirst = false
    return sound({ revision: 'r1' })
  }
  const { guard, ask } = guarding({ source: { name: 'ours', load, interval: '1h' } })
  await ask(LISTED)
  pass(HOUR)
  const { context: cutOff } = await ask(LISTED)
  t.equal(cutOff.kept.length, 1)
  pass(MINUTE - 1)
  await ask(LISTED)
  t.equal(reloads.length, 1, 'it may be under way')
  pass(1)
  const { status, context } = await ask(LISTED)
  t.match({ status, loads: reloads.length }, { status: 200, loads: 2 })
  t.match(guard.status(), { revision: 'r1', lastError: /The server ended the load before its timeout of 5000 ms\./ })
  reloads[1]!(sound({ revision: 'r3' }))
  await Promise.all(context.kept)
  t.match(guard.status(), { revision: 'r3', lastError: null })
  reloads[0]!(sound({ revision: 'r2' }))
  await Promise.all(cutOff.kept)
  t.match(guard.status(), { revision: 'r3', lastError: null })
  pass(HOUR)
  await ask(LISTED)
  t.equal(reloads.length, 3, 'both do not go on')
  reloads[2]!(sound({ revision: 'r4' }))
})

t.test('the Worker stays alive for the first load of a watched source', async (t) => {
  const { guard, ask } = guarding({ watch: { name: 'theirs', load: async () => sound({ revision: 'r1' }) } })
  await ask(LISTED)
  const { context } = await ask(LISTED)
  await Promise.all(context.kept)
  t.match(guard.status().watch, { revision: 'r1' })
})

t.test('a source with an interval is asked again after a failure when a request finds that due', async (t) => {
  const pass = stopTime(t)
  let loads = 0
  const load = async () => {
    if (++loads < 3) throw new Error('away')
    return sound({ revision: 'r1' })
  }
  const { ask } = guarding({ source: { name: 'ours', load, interval: '1h' } })
  t.equal((await ask(LISTED)).status, 503)
  pass(10_000)
  const { status, context } = await ask(LISTED)
  t.equal(status, 503)
  await Promise.all(context.kept)
  pass(20_000)
  t.equal((await ask(LISTED)).status, 200, 'the request waits for the load that it began')
  t.equal(loads, 3)
})

t.test('a summary of rejections without a line is written when a request finds it due', async (t) => {
  const pass = stopTime(t)
  const { ask, events } = guarding({ log: { summaryEvery: '1m' } })
  for (let i = 0; i < 3; i++) await ask(STRANGER)
  t.equal(events('rejected').length, 1)
  // What waits for the next line of its sender waits for an hour at most.
  pass(2 * HOUR)
  await Promise.all((await ask(LISTED)).context.kept)
  t.match(events('summary'), [{ moengage: { suppressed: { reject: { 'not-listed': 2 } } } }])
})

t.test('the Worker stays alive for what your logger and your functions return', async (t) => {
  const pass = stopTime(t)
  const done: string[] = []
  const later = (what: string) => async () => {
    await new Promise((resolve) => setTimeout(resolve, 10))
    done.push(what)
  }
  const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']
  const logger = Object.fromEntries(levels.map((level) => [level, later(level)])) as never
  const load = async () => sound({ revision: `${done.length}` })
  const source = { name: 'ours', load, interval: '1h' } as const
  const { ask } = guarding({ logger, source, onVerdict: later('onVerdict'), onReload: later('onReload') })
  const { context } = await ask(STRANGER)
  await Promise.all(context.kept)
  t.strictSame(done.sort(), ['onVerdict', 'warn'])
  pass(HOUR)
  const { context: next } = await ask(LISTED)
  await Promise.all(next.kept)
  t.ok(done.includes('onReload'), 'also for what follows a reload that was due')
  t.equal(done.filter((what) => what === 'onVerdict').length, 2)
})

t.test('what was cut off with its request, and never settles, holds back no other one', async (t) => {
  const pass = stopTime(t)
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const isOpen = async ({ kept }: ReturnType<typeof contextOf>) => {
    let isSettled = false
    void Promise.all(kept).then(() => {
      isSettled = true
    })
    await turn()
    return !isSettled
  }
  let verdicts = 0
  let answer = (_: Response) => {}
  const { guard, ask } = guarding({
    onVerdict: async () => {
      if (++verdicts === 2) await new Promise(() => {})
    },
    onReject: () =>
      new Promise((resolve) => {
        answer = resolve
      })
  })
  const slow = contextOf()
  const answered = guard.check(requestFrom(STRANGER), slow)
  await turn()
  t.ok(await isOpen((await ask(LISTED)).context), 'the request that it belongs to is kept alive for it')
  for (let i = 0; i < 3; i++) t.notOk(await isOpen((await ask(LISTED)).context), 'later ones are not')
  pass(MINUTE)
  await ask(LISTED)
  answer(new Response('no', { status: 403 }))
  await answered
  t.notOk(await isOpen(slow), 'nor, a minute later, one that was there before')
})

t.test('the Worker stays alive for what onVerdict returned, also where onReject throws', async (t) => {
  let isDone = false
  const { guard } = guarding({
    onVerdict: async () => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      isDone = true
    },
    onReject: () => {
      throw new Error('own')
    }
  })
  const context = contextOf()
  await t.rejects(guard.check(requestFrom(STRANGER), context), { message: 'own' })
  await Promise.all(context.kept)
  t.ok(isDone)
})

t.test('a source is neither loaded nor subscribed to before the first request', async (t) => {
  const calls: string[] = []
  const pushed = {
    name: 'pushed',
    load: () => {
      calls.push('load')
      return sound({ revision: 'r1' })
    },
    watch: () => void calls.push('watch')
  }
  for (const options of [{ source: pushed }, { watch: pushed }, { source: pushed, watch: pushed }]) {
    const { guard, ask } = guarding(options)
    const lambda = guardLambda({ dataCenters: 'DC-01', ...options })
    lambda.handler(async () => ({}), { channels: 'connector' })
    if (!('source' in options)) {
      const wrong = { channels: 'conector' as never }
      t.throws(() => lambda.handler(async () => ({}), wrong), { code: 'MOE_ERR_OPTIONS' })
    }
    t.strictSame(calls, [], Object.keys(options).join())
    await Promise.all((await ask(LISTED)).context.kept)
    t.ok(calls.includes('watch'), Object.keys(options).join())
    guard.close()
    lambda.close()
    calls.length = 0
  }
})

t.test('a rejection is answered as elsewhere, or by your own function, or not at all', async (t) => {
  const { guard } = guarding({ onReject: (_, { reason }) => new Response(reason, { status: 404 }) })
  const own = await guard.check(requestFrom(STRANGER), contextOf())
  t.match([own.response?.status, await own.response?.text()], [404, 'not-listed'])
  const tagged = await guard.check(requestFrom(STRANGER), contextOf(), { mode: 'tag' })
  t.match(tagged, { response: undefined, verdict: { verified: false } })
  const { guard: plain } = guarding()
  const { response } = await plain.check(requestFrom(STRANGER), contextOf())
  t.match(await response?.json(), { code: 'MOE_ERR_REJECTED', statusCode: 403 })
  const twice = requestFrom(STRANGER)
  const before = plain.status().rejected['not-listed']
  await plain.check(twice, contextOf())
  await plain.check(twice, contextOf())
  t.equal(plain.status().rejected['not-listed'], before + 1, 'a request is counted once')
  const asked = requestFrom(STRANGER)
  plain.judge(asked)
  await plain.check(asked, contextOf())
  plain.judge(asked)
  t.equal(plain.status().rejected['not-listed'], before + 2, 'also one that is asked about')
})

t.test('the guard explains, lists senders, counts and reloads as elsewhere', async (t) => {
  const { guard, ask, events } = guarding({ source: () => sound({ revision: 'r1' }) })
  await ask(STRANGER)
  await ask(STRANGER)
  t.match(guard.explain(STRANGER), { verdict: { reason: 'not-listed' } })
  t.match(guard.senders(), [{ clientIp: STRANGER, count: 2 }])
  t.match(guard.metrics(), { reloads: { succeeded: 0 } })
  t.ok(guard.explainAll(STRANGER))
  t.equal(guard.directory().revision, 'r1')
  const { id } = guard.override({ allow: [STRANGER], for: '1h', confirm: ['private'] })
  const { response } = await guard.check(requestFrom(STRANGER), contextOf())
  t.equal(response, undefined)
  t.ok(guard.removeOverride(id))
  t.match(await guard.reload(), { revision: 'r1' })
  guard.close()
  t.equal(events('summary').length, 1)
})

t.test('without a logger, lines go to the console of the Worker', async (t) => {
  const warned: string[] = []
  t.capture(console, 'warn', (line: string) => void warned.push(line))
  const guard = moengageAllowlist({ dataCenters: 'DC-01' })
  await guard.check(requestFrom(STRANGER), contextOf())
  t.match(JSON.parse(warned[0]!), { level: 40, name: 'moengage-allowlist', msg: `${STRANGER} rejected: not-listed` })
})
