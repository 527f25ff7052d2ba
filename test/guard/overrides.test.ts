import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { createGuard, type GuardOptions, type OptionsError, type Problem } from '../../src/core.js'
import guardFetch from '../../src/fetch.js'
import { loadGuard } from '../../src/guard/create-guard.js'
import type { OverrideOptions } from '../../src/guard/overrides.js'
import guardNode from '../../src/http.js'
import guardFastify from '../../src/index.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { TestClock } from '../support/clock.js'
import { listen, send } from '../support/http.js'
import { lineLogger } from '../support/logger.js'
import { FOUR, snapshotOf, sound } from '../support/snapshots.js'

const PUBLIC = '9.9.9.9'
const from = (peer: string) => ({ peer, headers: {} })
const guard = (options: Partial<GuardOptions> = {}) => createGuard({ dataCenters: 'DC-01', ...options })

t.test('an override accepts and rejects from the next request on, until it is removed', async (t) => {
  const own = guard()
  const allow = own.override({ allow: [PUBLIC, '2620:fe::/48'], note: 'ticket 4711' })
  const deny = own.override({ deny: [LISTED] })
  const decided = { id: allow.id, until: null, note: 'ticket 4711' }
  t.match(own.judge(from(PUBLIC)), {
    verified: true,
    dataCenter: null,
    channels: [],
    matched: '9.9.9.9/32',
    override: decided
  })
  t.match(own.judge(from('2620:fe::9')), { verified: true, matched: '2620:fe::/48', override: decided })
  t.match(own.judge(from(LISTED)), {
    verified: false,
    reason: 'denied',
    override: { id: deny.id, until: null, note: null },
    hint: `The address is denied by the override ${deny.id}, until it is removed.`
  })
  t.match(own.judge(from(STRANGER)), { verified: false, override: null }, 'no other request is touched')
  t.strictSame(own.status().overrides, [allow, deny])
  t.match(allow, { allow: ['9.9.9.9/32', '2620:fe::/48'], deny: [], mode: null, origin: 'local', since: /^\d{4}-.*Z$/ })
  t.match(own.explain(PUBLIC), {
    text: `9.9.9.9 is verified: 9.9.9.9/32 is in the override ${allow.id}.`,
    entries: [{ grant: `override ${allow.id} allow` }]
  })
  t.strictSame(own.senders().find(({ clientIp }) => clientIp === STRANGER)?.listedFor, [])

  for (const id of [allow, undefined, null, 5, [allow.id]] as unknown[]) {
    t.throws(() => own.removeOverride(id as never), {
      code: 'MOE_ERR_OPTIONS',
      mistakes: [
        {
          path: 'id',
          message: /is not the id of an override\.$/,
          fix: 'Pass its id: guard.removeOverride(override.id).'
        }
      ]
    })
  }
  t.strictSame(own.status().overrides, [allow, deny])
  t.equal(own.removeOverride(allow.id), true)
  t.equal(own.removeOverride(allow.id), false, 'it is gone')
  t.match(own.judge(from(PUBLIC)), { reason: 'not-listed' })
  t.match(own.judge(from(LISTED)), { reason: 'denied' }, 'the other one stays')
  t.strictSame(own.status().overrides, [deny])
})

t.test('an override decides only what nothing else does', async (t) => {
  const own = guard({ allow: ['9.9.9.10'], deny: ['9.9.9.11'] })
  own.override({ allow: [LISTED, '9.9.9.10', '9.9.9.11', '9.9.9.12'] })
  own.override({ deny: ['9.9.9.11', '9.9.9.12'] })
  t.match(own.judge(from(LISTED)), { verified: true, dataCenter: 'DC-01', override: null }, 'listed')
  t.match(own.judge(from('9.9.9.10')), { verified: true, override: null }, 'in the option allow')
  t.match(own.judge(from('9.9.9.11')), { reason: 'denied', override: null }, 'in the option deny')
  t.match(own.judge(from('9.9.9.12')), { reason: 'denied', override: { note: null } }, 'what is denied stays denied')
})

t.test('an override ends by the clock, at the request that comes then', async (t) => {
  const clock = new TestClock('2026-11-23')
  const own = await loadGuard({ dataCenters: 'DC-01' }, { clock })
  const ends: Partial<OverrideOptions>[] = [
    { for: '2h' },
    { for: 7_200_000 },
    { until: '2026-11-23T03:00:00+01:00' },
    { until: new Date('2026-11-23T02:00:00Z') }
  ]
  for (const [i, end] of ends.entries()) {
    const override = own.override({ allow: [`9.9.9.${i}`], ...end })
    t.equal(override.until, '2026-11-23T02:00:00.000Z')
  }
  const forever = own.override({ allow: [PUBLIC] })
  clock.pass(7_199_999)
  t.match(own.judge(from('9.9.9.0')), { verified: true, override: { until: '2026-11-23T02:00:00.000Z' } })
  clock.pass(1)
  for (const i of ends.keys()) t.match(own.judge(from(`9.9.9.${i}`)), { reason: 'not-listed' })
  t.strictSame(own.status().overrides, [forever])
  t.equal(own.judge(from(PUBLIC)).verified, true)
})

t.test('a clock that runs ahead for a while ends no override and no grace period for good', async (t) => {
  const clock = new TestClock('2026-11-23')
  let list = snapshotOf({ 'DC-01 connector': FOUR })
  const source = { name: 'ours', load: () => list }
  const own = await loadGuard({ dataCenters: 'DC-01', source }, { clock })
  list = snapshotOf({ 'DC-01 connector': FOUR.slice(1) }, { revision: 'r2' })
  await own.reload()
  const override = own.override({ allow: [PUBLIC], for: '2h' })
  const verified = () => [FOUR[0]!, PUBLIC].map((peer) => own.judge(from(peer)).verified)
  const wrong = 365 * 86_400_000
  for (const _ of [1, 2]) {
    clock.pass(wrong, { timersAreLate: true })
    t.strictSame(verified(), [false, false])
    t.match(own.status(), { overrides: [], pendingRemovals: [] })
    t.equal(own.removeOverride(override.id), false, 'it is over')
    clock.pass(-wrong)
    t.strictSame(verified(), [true, true])
    t.match(own.status(), { overrides: [{ id: override.id }], pendingRemovals: [{ prefix: `${FOUR[0]}/32` }] })
  }
  clock.pass(wrong, { timersAreLate: true })
  verified()
  clock.pass(3_600_000)
  clock.pass(-wrong)
  t.strictSame(verified(), [false, false], 'what is over for an hour is forgotten')
  t.strictSame(clock.waiting, [], 'and no timer is left')
})

t.test('a guard that is closed forgets nothing later, and leaves no timer', async (t) => {
  const clock = new TestClock('2026-11-23')
  const own = await loadGuard({ dataCenters: 'DC-01' }, { clock })
  own.override({ allow: [PUBLIC], for: '2h' })
  clock.pass(3 * 3_600_000, { timersAreLate: true })
  t.equal(own.judge(from(PUBLIC)).verified, false)
  t.ok(clock.waiting.includes(3_600_000), 'the override is forgotten in an hour')
  own.close()
  t.notOk(clock.waiting.includes(3_600_000))
})

t.test('the hint of an address that an override denies says until when, and why', async (t) => {
  const clock = new TestClock('2026-11-23')
  const own = await loadGuard({ dataCenters: 'DC-01' }, { clock })
  const { id } = own.override({ deny: [LISTED], for: '2h', note: 'ticket 4711' })
  t.match(own.judge(from(LISTED)), {
    hint: `The address is denied by the override ${id}, until 2026-11-23T02:00:00.000Z: ticket 4711.`
  })
})

t.test('overrides stay when a new list comes', async (t) => {
  let list = sound({ revision: 'r1' })
  const source = { name: 'ours', load: () => list }
  const own = guard({ source })
  own.override({ allow: ['8.8.8.8'] })
  list = sound({ revision: 'r2' })
  await own.reload()
  t.match(own.judge(from('8.8.8.8')), { verified: true, revision: 'r2', override: { until: null } })
})

t.test('an override accepts by a stale list, and an address for which the grace period runs', async (t) => {
  const clock = new TestClock('2026-11-23')
  let list = snapshotOf({ 'DC-01 connector': FOUR })
  const source = { name: 'ours', load: () => list }
  const own = await loadGuard({ dataCenters: 'DC-01', source, rejectWhenStale: true, staleAfter: '2d' }, { clock })
  list = snapshotOf({ 'DC-01 connector': FOUR.slice(1) }, { revision: 'r2' })
  await own.reload()
  own.override({ allow: [FOUR[0]!] })
  t.match(own.judge(from(FOUR[0]!)), { verified: true, graceUntil: null, override: { note: null } })
  clock.pass(10 * 86_400_000)
  t.equal(own.judge(from(FOUR[0]!)).verified, true)
  t.match(own.judge(from(FOUR[1]!)), { reason: 'stale-list' })
})

t.test('a trusted proxy is no sender, whatever an override accepts', async (t) => {
  const own = guard({ clientIp: { trustedProxies: [PUBLIC] } })
  own.override({ allow: [PUBLIC] })
  t.match(own.judge(from(PUBLIC)), { verified: false })
  t.match(own.status().warnings, [{ code: 'MOE_WARN_TRUSTED_PROXIES', value: '9.9.9.9/32' }])
})

t.test('an override is checked like options, and through the guard rails', async (t) => {
  const own = guard({ channels: 'segment-sync' })
  const listed = own.explain(LISTED).entries[0]!.prefix
  const table: [options: unknown, code: string, path: string, fix: RegExp][] = [
    [undefined, 'MOE_ERR_OPTION_VALUE', '', /allow:/],
    [{}, 'MOE_ERR_OPTION_VALUE', 'allow', /allow, deny or mode/],
    [{ allow: [] }, 'MOE_ERR_OPTION_VALUE', 'allow', /allow, deny or mode/],
    [{ allows: [PUBLIC] }, 'MOE_ERR_UNKNOWN_OPTION', 'allows', /"allow"/],
    [{ allow: PUBLIC }, 'MOE_ERR_OPTION_VALUE', 'allow', /\['9.9.9.9'\]/],
    [{ allow: ['9.9.9.9/8'] }, 'MOE_ERR_PREFIX', 'allow[0]', /9\.0\.0\.0\/8/],
    [{ mode: 'tags' }, 'MOE_ERR_OPTION_VALUE', 'mode', /tag/],
    [{ mode: 'tag', for: 60 }, 'MOE_ERR_OPTION_VALUE', 'for', /^Write '60s', '60m', '60h' or '60d',/],
    [{ mode: 'tag', for: 24 }, 'MOE_ERR_OPTION_VALUE', 'for', /^Write '24s', '24m', '24h' or '24d',/],
    [{ mode: 'tag', for: '0s' }, 'MOE_ERR_OPTION_VALUE', 'for', /./],
    [{ mode: 'tag', until: '2026-12-31T18:00' }, 'MOE_ERR_OPTION_VALUE', 'until', /zone/],
    [{ mode: 'tag', until: 'on 2999-12-31T18:00Z' }, 'MOE_ERR_OPTION_VALUE', 'until', /zone/],
    [{ mode: 'tag', until: '2999-12-31T18:00Z or so' }, 'MOE_ERR_OPTION_VALUE', 'until', /zone/],
    [{ mode: 'tag', until: '2999-02-30T18:00Z' }, 'MOE_ERR_OPTION_VALUE', 'until', /zone/],
    [{ mode: 'tag', until: '2999-12-31T18:00:00.Z' }, 'MOE_ERR_OPTION_VALUE', 'until', /zone/],
    [{ mode: 'tag', until: ['2999-12-31T18:00Z'] }, 'MOE_ERR_OPTION_VALUE', 'until', /zone/],
    [{ mode: 'tag', until: new Date(Number.NaN) }, 'MOE_ERR_OPTION_VALUE', 'until', /zone/],
    [{ mode: 'tag', until: '2001-12-31T18:00Z' }, 'MOE_ERR_OPTION_VALUE', 'until', /still to come/],
    [{ mode: 'tag', until: new Date('2999-01-01'), for: '1h' }, 'MOE_ERR_OPTION_VALUE', 'until', /Keep/],
    [{ mode: 'tag', note: ['a note'] }, 'MOE_ERR_OPTION_VALUE', 'note', /ticket/],
    [{ mode: 'tag', note: '' }, 'MOE_ERR_OPTION_VALUE', 'note', /ticket/],
    [{ mode: 'tag', note: 'x'.repeat(201) }, 'MOE_ERR_OPTION_VALUE', 'note', /ticket/],
    [{ mode: 'tag', confirm: ['all'] }, 'MOE_ERR_OPTION_VALUE', 'confirm[0]', /wide/],
    [{ allow: ['0.0.0.0/0'], confirm: ['wide'] }, 'MOE_ERR_TRUSTS_EVERYONE', 'allow', /./],
    [{ allow: ['0.0.0.0/1'], confirm: ['wide', 'private'] }, 'MOE_ERR_TRUSTS_EVERYONE', 'allow', /./],
    [{ deny: ['::/0'] }, 'MOE_ERR_TRUSTS_EVERYONE', 'deny', /./],
    [{ allow: ['0.0.0.0/0'] }, 'MOE_ERR_TRUSTS_EVERYONE', 'allow', /^List the addresses that you mean\.$/],
    [{ deny: ['0.0.0.0/0'] }, 'MOE_ERR_TRUSTS_EVERYONE', 'deny', /^List the addresses that you mean\.$/],
    [{ allow: ['9.0.0.0/8'] }, 'MOE_ERR_SUSPICIOUS', 'allow', /confirm: \['wide'\]/],
    [{ deny: ['9.0.0.0/8'] }, 'MOE_ERR_SUSPICIOUS', 'deny', /confirm: \['wide'\]/],
    [{ allow: ['10.1.2.3'] }, 'MOE_ERR_SUSPICIOUS', 'allow', /confirm: \['private'\]/]
  ]
  const mistakesOf = (options: unknown): readonly Problem[] => {
    try {
      own.override(options as OverrideOptions)
      return []
    } catch (error) {
      return (error as { mistakes: readonly Problem[] }).mistakes
    }
  }
  for (const [options, code, path, fix] of table) {
    const mistake = mistakesOf(options).find((mistake) => mistake.path === path)
    t.match(mistake, { code, fix }, JSON.stringify(options))
  }
  t.strictSame(own.status().overrides, [], 'nothing of them is in force')
  t.equal(mistakesOf({ alow: [PUBLIC] }).length, 1, 'a misspelled name is one mistake')
  for (const name of ['allow', 'deny']) {
    t.match(mistakesOf({ [name]: ['9.0.0.0/8'] }), [{ path: name, value: ['9.0.0.0/8'] }])
    t.match(
      mistakesOf({ [name]: ['0.0.0.0/0'] }).map(({ code }) => code),
      ['MOE_ERR_TRUSTS_EVERYONE'],
      'what is never taken cannot be confirmed'
    )
  }
  t.ok(listed)
})

t.test('the end of an override may be written in each way that has a zone', async (t) => {
  const clock = new TestClock('2026-11-23T12:00:00Z')
  const own = await loadGuard({ dataCenters: 'DC-01' }, { clock })
  const table: [until: string | Date, expected: string][] = [
    ['2999-12-31T18:00Z', '2999-12-31T18:00:00.000Z'],
    ['2999-12-31T18:00:05Z', '2999-12-31T18:00:05.000Z'],
    ['2999-12-31T18:00:05.25Z', '2999-12-31T18:00:05.250Z'],
    ['2999-12-31T18:00:05.123+05:30', '2999-12-31T12:30:05.123Z'],
    [new Date('2999-12-31T18:00Z'), '2999-12-31T18:00:00.000Z']
  ]
  for (const [until, expected] of table) {
    const override = own.override({ allow: [PUBLIC], deny: ['8.8.8.8'], until, note: 'x'.repeat(200) })
    t.match(override, { until: expected, id: /^[0-9a-f]{8}$/, origin: 'local', note: /^x{200}$/ })
  }
  t.throws(() => own.override({ mode: 'tag', until: new Date(clock.now()) }), /over already/, 'now is over')
  own.close()
})

t.test('the end that a refusal says to write is taken, in any year', async (t) => {
  for (const today of ['2026-12-31T23:30:00Z', '2035-02-28T00:00:00Z']) {
    const own = await loadGuard({ dataCenters: 'DC-01' }, { clock: new TestClock(today) })
    t.teardown(() => own.close())
    const wrong: object[] = [{ until: 'tomorrow' }, { until: '2035-01-01' }, { until: '2026-01-01T00:00Z' }]
    for (const end of wrong) {
      try {
        own.override({ mode: 'tag', ...end })
        t.fail('it was taken')
      } catch (error) {
        const [{ fix }] = (error as OptionsError).mistakes as [Problem]
        const [, until] = /'(\d{4}-.*?)'/.exec(fix) ?? []
        t.equal(own.override({ mode: 'tag', until: until! }).until, new Date(until!).toISOString())
      }
    }
  }
})

t.test('what is written instead of an override is named without an address that would be refused', async (t) => {
  const own = guard()
  for (const options of [undefined, null, '9.9.9.9', ['9.9.9.9']]) {
    t.throws(() => own.override(options as never), {
      message: /Write \{ allow: \[…\], for: '24h' \} with the addresses/
    })
  }
})

t.test('the mode that was set last holds, whatever else is set after it', async (t) => {
  const own = guard()
  t.equal(own.mode, null)
  const first = own.override({ mode: 'tag' })
  own.override({ allow: [PUBLIC] })
  t.equal(own.mode, 'tag')
  const second = own.override({ mode: 'reject' })
  t.equal(own.mode, 'reject')
  own.removeOverride(second.id)
  t.equal(own.mode, 'tag')
  own.removeOverride(first.id)
  t.equal(own.mode, null)
})

t.test('who confirms a suspicion gets what it is about', async (t) => {
  const own = guard()
  own.override({ allow: ['10.1.0.0/16'], confirm: ['private'] })
  own.override({ allow: ['9.0.0.0/8'], confirm: ['wide'] })
  t.equal(own.judge(from('10.1.2.3')).verified, true)
  t.equal(own.judge(from(PUBLIC)).verified, true)
  const lenient = guard({ confirm: ['private'] })
  lenient.override({ allow: ['10.1.2.3'] })
  t.equal(lenient.judge(from('10.1.2.3')).verified, true, 'the option of the guard counts as well')
  t.doesNotThrow(() => own.override({ deny: ['10.2.0.0/16'] }), 'denying a private address harms nobody')
})

t.test('denying more than half of the addresses in use must be confirmed', async (t) => {
  const source = { name: 'ours', load: () => snapshotOf({ 'DC-01 connector': FOUR }) }
  const own = guard({ source })
  t.doesNotThrow(() => own.override({ deny: FOUR.slice(0, 2) }), 'half of them')
  t.throws(() => own.override({ deny: FOUR.slice(0, 3) }), /deny: It denies 3 of the 4 addresses of DC-01/)
  t.match(own.override({ deny: FOUR, confirm: ['shrunk'], note: 'all of them' }), { note: 'all of them' })
  t.match(own.judge(from(FOUR[3]!)), { reason: 'denied', hint: /: all of them\.$/ })
})

t.test('a mode override replaces the mode of the guard, and not that of a route that sets its own', async (t) => {
  const app = Fastify()
  await app.register(guardFastify, { dataCenters: 'DC-01' })
  app.get('/', async ({ moengage }) => moengage)
  app.get('/own', { config: { moengage: { mode: 'reject' } } }, async () => 'handler')
  app.get('/status', { config: { moengage: { statusCode: 404 } } }, async () => 'handler')
  const origin = await listen(app)
  t.teardown(() => app.close())
  const statuses = async () => {
    const answers = await Promise.all(['/', '/own', '/status'].map((path) => send(origin, { path })))
    return answers.map(({ status }) => status)
  }
  t.strictSame(await statuses(), [403, 403, 404])
  const tagged = app.moengage!.override({ mode: 'tag' })
  t.strictSame(await statuses(), [200, 403, 200])
  const again = app.moengage!.override({ mode: 'reject' })
  t.strictSame(await statuses(), [403, 403, 404], 'the last one decides')
  t.equal(app.moengage!.removeOverride(again.id), true)
  t.strictSame(await statuses(), [200, 403, 200])
  app.moengage!.removeOverride(tagged.id)
  t.strictSame(await statuses(), [403, 403, 404])
})

t.test('every door has overrides', async (t) => {
  const logger = lineLogger([])
  const node = guardNode({ dataCenters: 'DC-01', logger })
  const web = createServer(node.listener((_, response) => response.end()))
  const bare = createNetServer(node.connectionListener((socket) => socket.end('in')))
  for (const server of [web, bare]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
  }
  const port = (server: typeof web | typeof bare) => (server.address() as AddressInfo).port
  const received = async () => {
    let text = ''
    for await (const chunk of connect(port(bare), '127.0.0.1').setEncoding('utf8')) text += chunk
    return text
  }
  t.equal((await send({ port: port(web) })).status, 403)
  t.equal(await received(), '')
  const { id } = node.override({ mode: 'tag' })
  t.equal((await send({ port: port(web) })).status, 200)
  t.equal(await received(), 'in')
  t.ok(node.removeOverride(id))

  const fetch = guardFetch({ dataCenters: 'DC-01', logger })
  const check = async () => (await fetch.check(new Request('http://localhost/'), STRANGER)).response?.status
  t.equal(await check(), 403)
  const override = fetch.override({ mode: 'tag' })
  t.equal(await check(), undefined)
  fetch.removeOverride(override.id)
  t.equal(await check(), 403)
})

t.test('a duration that is hardly meant is warned of in the status, also when the override is over', async (t) => {
  const clock = new TestClock('2026-11-23')
  const guard = await loadGuard({ dataCenters: 'DC-01' }, { clock })
  const { id } = guard.override({ mode: 'tag', for: 3600 })
  const found = () => guard.status().warnings.filter(({ code }) => code === 'MOE_WARN_DURATION')
  const warning = {
    path: `override ${id} for`,
    value: 3600,
    message: /hardly meant/,
    fix: /^Write '3600s', '3600m', '3600h' or '3600d', or '3600ms' if it is\.$/
  }
  t.match(found(), [warning])
  clock.pass(4000)
  t.strictSame(guard.status().overrides, [])
  t.match(found(), [warning])
  guard.override({ mode: 'tag', for: '1h' })
  t.equal(found().length, 1)
  clock.pass(2 * 3_600_000)
  t.strictSame(found(), [])
  guard.close()
})
