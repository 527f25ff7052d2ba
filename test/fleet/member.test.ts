import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import { pathToFileURL } from 'node:url'
import express from 'express'
import Fastify from 'fastify'
import { Cluster } from 'ioredis'
import { createSentinel } from 'redis'
import t, { type Test } from 'tap'
import { createGuard, type Guard, type GuardOptions, loadGuard, type Snapshot } from '../../src/core.js'
import guardExpress from '../../src/express.js'
import { FleetControl } from '../../src/fleet/control.js'
import { RedisStore } from '../../src/fleet/redis/store.js'
import moengageAllowlist from '../../src/index.js'
import { type FleetStore, type RedisFleetOptions, redisFleet, storeFleet } from '../../src/redis.js'
import { generateKeys, readPrivateKey } from '../../src/signing/keys.js'
import { signDocument } from '../../src/signing/signed-document.js'
import { failingThenable, replaced, unreadableErrors, untilRejected } from '../support/failures.js'
import { FakeRedis, idOf } from '../support/fake-redis.js'
import { listenTo, send, until } from '../support/http.js'
import { lineLogger } from '../support/logger.js'
import { FOUR, snapshotOf, sound } from '../support/snapshots.js'

const NAME = 'webhooks'
const STATE = `{moengage:${NAME}}:state`
const from = (peer: string) => ({ peer, headers: {} })
const tick = () => new Promise((resolve) => setTimeout(resolve, 30))

function controlOf(t: Test, redis: FakeRedis, client = redis.io()): FleetControl {
  const store = new RedisStore({ client, scope: 'moengage', name: NAME, timeout: 200, poll: 200 })
  t.teardown(() => store.close())
  return new FleetControl(store, NAME)
}

const PROXIED = { trustedProxies: ['loopback'] }
const OWN = { name: 'own', load: () => sound({ revision: 'own' }) }

/** A replica of a fleet on a fake server, which falls back to a list of its own. */
async function replica(
  t: Test,
  redis: FakeRedis,
  { fleet, ...options }: Partial<Omit<GuardOptions, 'fleet'>> & { fleet?: Partial<RedisFleetOptions> } = {}
) {
  const guard = await loadGuard({
    dataCenters: 'DC-01',
    source: OWN,
    ...options,
    fleet: redisFleet({ client: redis.io(), name: NAME, poll: 100, timeout: 50, report: 100, ...fleet })
  })
  t.teardown(() => guard.close())
  return guard
}

t.test('what is published comes into use on every replica, with any client', async (t) => {
  const redis = new FakeRedis()
  const clients = [
    redis.io(),
    redis.io({ isCluster: true }),
    redis.io({ sentinels: [{ port: 26379 }, { port: 26380 }] }),
    redis.nodeRedis(),
    redis.nodeRedis({ isCluster: true, hasOptions: true })
  ]
  const guards = await Promise.all(clients.map((client) => replica(t, redis, { fleet: { client } })))
  const control = controlOf(t, redis, redis.nodeRedis({ isCluster: true }))
  await control.publish(sound({ revision: 'r1' }))
  await until(() => guards.every((guard) => guard.status().revision === 'r1'))
  for (const guard of guards) t.match(guard.status(), { revision: 'r1', lastError: null, source: `fleet ${NAME}` })
  const { override } = await control.override({ allow: ['8.8.8.8'], for: '1h', note: 'test' })
  await until(() => guards.every((guard) => guard.judge(from('8.8.8.8')).verified))
  for (const guard of guards) t.match(guard.judge(from('8.8.8.8')), { override: { id: override.id, note: 'test' } })
  t.match(await guards[0]!.fleet!.status(), {
    name: NAME,
    overrides: [{ id: override.id, origin: 'fleet' }],
    lastError: null
  })
  const own = guards[0]!.override({ deny: ['8.8.8.9'] })
  await control.removeOverride('8.8.8.8')
  await until(() => guards.every((guard) => !guard.judge(from('8.8.8.8')).verified))
  t.strictSame(guards[0]!.status().overrides, [own], 'an override of its own stays')
  t.equal(guards[0]!.removeOverride(override.id), false)
})

t.test('where the store was emptied, a replica names the overrides that end with the next publication', async (t) => {
  const redis = new FakeRedis()
  const control = controlOf(t, redis)
  await control.publish(sound({ revision: 'r1' }))
  const { override } = await control.override({ allow: ['8.8.8.8'], for: '1h' })
  const guard = await replica(t, redis)
  redis.hashes.delete(STATE)
  const ended = new RegExp(`version \\d+ is in use\\. Publish it again\\. That ends .*: ${override.id}\\.`)
  await t.rejects(guard.reload(), ended)
  t.match(guard.status(), { overrides: [{ id: override.id }], lastError: ended }, 'they stay in force')
  await control.publish(sound({ revision: 'r1' }))
  await until(() => guard.status().overrides.length === 0)
  redis.hashes.delete(STATE)
  await t.rejects(guard.reload(), /is in use\. Publish it again\.(?! That ends)/)
})

t.test('where the store that was emptied had no list, none is to be published', async (t) => {
  const redis = new FakeRedis()
  const control = controlOf(t, redis)
  const [first, second] = [
    await control.override({ allow: ['8.8.8.8'], for: '1h' }),
    await control.override({ deny: ['8.8.8.9'] })
  ]
  await control.override({ allow: ['8.8.4.5'], until: new Date(Date.now() + 100).toISOString() })
  const guard = await replica(t, redis)
  t.equal(guard.status().overrides.length, 3)
  await until(() => guard.status().overrides.length === 2)
  redis.hashes.delete(STATE)
  const ids = `${first.override.id}, ${second.override.id}`
  const advice = new RegExp(`is in use\\. The next override ends that\\. It ends all others .* has: ${ids}\\.`)
  t.match(await guard.reload(), { revision: 'own', overrides: [{}, {}], lastError: advice }, 'they stay in force')
  await control.override({ allow: ['8.8.8.8'] })
  await control.override({ deny: ['8.8.8.9'] })
  await until(() => guard.status().lastError === null && guard.status().overrides.length === 2)
  t.match(guard.status(), { revision: 'own', overrides: [{ allow: ['8.8.8.8/32'] }, { deny: ['8.8.8.9/32'] }] })
  await control.removeOverride('8.8.8.8')
  await control.removeOverride('8.8.8.9')
  await until(() => guard.status().overrides.length === 0)
  redis.hashes.delete(STATE)
  t.match(await guard.reload(), { lastError: /is in use\. The next override ends that\.(?! It ends)/ })
})

t.test(
  'a fleet whose version is too far ahead to be followed is followed again from the version that the error names',
  async (t) => {
    const redis = new FakeRedis()
    const control = controlOf(t, redis)
    await control.publish(sound({ revision: 'r1' }))
    redis.hash(STATE).set('version', `${Date.now() + 3 * 86_400_000}`)
    const guard = await replica(t, redis)
    redis.hashes.delete(STATE)
    await control.publish(sound({ revision: 'r2' }))
    const advice =
      /which is in use\. That is more than a day ahead of the clock, .* Set the version in the store to (\d+)\./
    await until(() => advice.test(guard.status().lastError ?? ''))
    const [, version] = advice.exec(guard.status().lastError!)!
    redis.hash(STATE).set('version', version!)
    t.match(await guard.reload(), { revision: 'r2', lastError: null })
    await control.publish(sound({ revision: 'r3' }))
    await until(() => guard.status().revision === 'r3')
    // Where the version in use is none of tomorrow, the next change is newer by itself.
    redis.hash(STATE).set('version', '5')
    const near = await replica(t, redis)
    redis.hash(STATE).set('version', '4')
    await t.rejects(near.reload(), /older than 5, which is in use\.(?! That)/)
  }
)

for (const library of ['io', 'nodeRedis'] as const) {
  t.test(`a store that fails leaves the last good state in use: ${library}`, async (t) => {
    const redis = new FakeRedis()
    const control = controlOf(t, redis)
    await control.publish(sound({ revision: 'r1' }))
    const guard = await replica(t, redis, { fleet: { client: redis[library]() } })
    t.match(guard.status(), { revision: 'r1', lastError: null })
    const failures: [what: string, fail: () => void, mend: () => void, error: RegExp][] = [
      ['down', () => redis.stop(), () => redis.set({ isDown: false }), /ECONNREFUSED|closed/],
      ['mute', () => redis.set({ isMute: true }), () => redis.set({ isMute: false }), /did not answer within 50 ms/],
      ['loading', () => void redis.errors.set('HSTRLEN', 'LOADING Redis'), () => redis.errors.clear(), /LOADING/],
      ['denied', () => void redis.errors.set('HMGET', 'NOPERM no'), () => void redis.errors.delete('HMGET'), /NOPERM/]
    ]
    for (const [what, fail, mend, error] of failures) {
      fail()
      redis.hash(STATE).set('version', '9999999999999')
      redis.publish(`{moengage:${NAME}}:changed`)
      await until(() => error.test(guard.status().lastError ?? ''))
      t.match(guard.status(), { revision: 'r1', lastError: error }, what)
      t.equal(guard.judge(from(FOUR[0]!)).verified, true)
      mend()
      await until(() => guard.status().lastError === null)
      t.equal(guard.status().lastError, null, `${what}, and mended`)
      redis.hash(STATE).set('version', '9999999999999')
    }
  })
}

t.test('no message is needed: a poll that differs is enough', async (t) => {
  const redis = new FakeRedis()
  const guard = await replica(t, redis)
  redis
    .hash(STATE)
    .set('version', '7')
    .set('list', JSON.stringify(sound({ revision: 'polled' })))
  await until(() => guard.status().revision === 'polled')
  t.equal(guard.status().revision, 'polled')
  redis.errors.set('SUBSCRIBE', 'NOPERM no')
  const deaf = await replica(t, redis)
  t.match(deaf.status(), { revision: 'polled', lastError: null }, 'a replica that is denied them starts')
  const before = redis.received.length
  await until(() => redis.received.length > before + 20)
  t.match(guard.status(), { revision: 'polled', lastError: /NOPERM no/ }, 'it loads, although messages are denied')
  redis.errors.clear()
  await until(() => guard.status().lastError === null)
  t.equal(guard.status().lastError, null, 'until they are allowed')
  redis
    .hash(STATE)
    .set('version', '8')
    .set('list', JSON.stringify(sound({ revision: 'again' })))
  await until(() => deaf.status().revision === 'again')
  t.equal(deaf.status().revision, 'again')
})

t.test('content that is wrong is refused, with the reason', async (t) => {
  const redis = new FakeRedis()
  const good = sound({ revision: 'good' })
  await controlOf(t, redis).publish(good)
  const guard = await replica(t, redis)
  const override = (item: object) => ({
    overrides: JSON.stringify({ overrides: [{ id: 'a', since: '2026-01-01', ...item }] })
  })
  const table: [what: string, fields: Record<string, string | undefined>, error: RegExp][] = [
    ['not JSON', { list: 'moengage' }, /Its list is refused.*not JSON/],
    ['damaged', { list: 'null' }, /damaged/],
    ['too long', { list: 'x'.repeat(1_500_001) }, /1500001 bytes/],
    ['wide', { list: JSON.stringify(sound({}, ['9.0.0.0/8'])) }, /\/16/],
    ['the list is gone', { list: undefined }, /lost its list/],
    ['overrides: not JSON', { overrides: '{' }, /Its overrides are refused/],
    [
      'overrides: null',
      { overrides: 'null' },
      /overrides are not a list: they have to be an object with a list named overrides/
    ],
    ['overrides: a number', { overrides: '{"overrides":7}' }, /overrides are not a list/],
    ['overrides: too many', { overrides: JSON.stringify({ overrides: new Array(1001).fill({}) }) }, /more than 1000/],
    ['overrides: an item that is none', { overrides: '{"overrides":[7]}' }, /override 0 is 7/],
    ['overrides: no id', override({ id: 'a b' }), /id of its override/],
    ['overrides: no time', override({ since: 'x' }), /time of its override/],
    ['overrides: confirmed', override({ confirm: ['wide'] }), /confirms itself/],
    ['overrides: allow is a text', override({ allow: 'x' }), /override 0 has "allow" with the value 'x'/],
    ['overrides: deny is a list of objects', override({ deny: [{}] }), /override 0 has "deny" with the value/],
    ['overrides: mode', override({ mode: 'off' }), /override 0 has "mode" with the value 'off'/],
    ['overrides: until', override({ until: '\u001b[2J' }), /override 0 has "until" with the value '\\u\{1b\}\[2J'/],
    ['overrides: note', override({ note: 7 }), /override 0 has "note" with the value 7/],
    ['overrides: an end that begins anew', override({ for: '1h' }), /override 0 has "for" with the value '1h'/],
    ['overrides: wide', override({ allow: ['9.0.0.0/8'] }), /\/16/],
    ['overrides: nothing', override({}), /changes nothing/],
    ['a version that is none', { version: 'x' }, /Its version is NaN/],
    ['a version of zero', { version: '0' }, /Its version is 0/],
    ['an older version', { version: '5' }, /version 5, older than/],
    ['no version', { version: undefined }, /no version/]
  ]
  const state = redis.hash(STATE)
  const before = new Map(state)
  let version = Number(before.get('version'))
  for (const [what, fields, error] of table) {
    state.clear()
    for (const [name, text] of [...before, ['version', `${++version}`], ...Object.entries(fields)]) {
      if (text === undefined) state.delete(name!)
      else state.set(name!, text)
    }
    redis.publish(`{moengage:${NAME}}:changed`)
    await until(() => error.test(guard.status().lastError ?? ''))
    t.match(guard.status(), { revision: 'good', lastError: error }, what)
  }
  redis.hashes.delete(STATE)
  await until(() => /no state any more/.test(guard.status().lastError ?? ''))
  await t.rejects(guard.reload(), /no state any more/)
  state.clear()
  redis.hashes.set(
    STATE,
    new Map([
      ...before,
      ['version', `${version + 1}`],
      ...Object.entries(override({ allow: ['8.8.8.8'], until: '2001-01-01T00:00:00Z' }))
    ] as [string, string][])
  )
  await until(() => guard.status().lastError === null)
  t.match(guard.status(), { lastError: null, overrides: [] }, 'an override that is over is left out')
})

t.test('a replica starts by the store, its copy, or its own source: the first that passes', async (t) => {
  const folder = t.testdir({})
  const file = join(folder, 'copy.json')
  const redis = new FakeRedis()
  const control = controlOf(t, redis)
  const own = { name: 'own', load: () => sound({ revision: 'own' }) }
  const copy = pathToFileURL(file)
  const first = await replica(t, redis, { source: own, fleet: { copy } })
  t.match(first.status(), { revision: 'own', lastError: null }, 'nothing is published')
  await control.publish(sound({ revision: 'r1' }))
  await until(() => first.status().revision === 'r1')
  await control.publish(sound({ revision: 'r2' }))
  await until(() => first.status().revision === 'r2')
  const isCopied = (revision: string) => {
    try {
      return JSON.parse(readFileSync(file, 'utf8')).list.includes(revision)
    } catch {
      return false
    }
  }
  await until(() => isCopied('r2'))
  t.match(await first.fleet!.status(), { live: 1, current: 1, lastError: null })
  t.equal(statSync(file).mode & 0o777, 0o600)
  first.close()

  const state = redis.hash(STATE)
  const good = new Map(state)
  state.set('list', JSON.stringify(sound({}, ['9.0.0.0/8']))).set('version', `${Number(good.get('version')) + 1}`)
  const poisoned = await replica(t, redis, { source: own, fleet: { copy } })
  t.match(poisoned.status(), { revision: 'r2', lastError: /\/16/ }, 'the copy')
  const bare = await replica(t, redis, { source: own })
  t.match(bare.status(), { revision: 'own', lastError: /\/16/ }, 'its own source')
  await tick()
  t.match(bare.status(), { lastError: /\/16/ }, 'which does not forget why')
  state.set('list', JSON.stringify(sound({ revision: 'few' }, FOUR.slice(0, 1))))
  const shrunk = await replica(t, redis, { source: own, fleet: { copy } })
  t.match(shrunk.status(), { revision: 'r2', lastError: /are gone/ }, 'the copy is what the list is compared with')
  redis.errors.set('CONNECT', 'WRONGPASS invalid password')
  for (const client of [redis.io(), redis.nodeRedis()]) {
    const refused = await replica(t, redis, { source: own, fleet: { client } })
    t.match(refused.status(), { revision: 'own', lastError: /WRONGPASS/ })
  }
  redis.errors.clear()
  redis.hashes.delete(STATE)
  t.match((await replica(t, redis, { source: own, fleet: { copy } })).status(), {
    revision: 'r2',
    lastError: /no state any more/
  })
  redis.stop()
  t.match((await replica(t, redis, { source: own, fleet: { copy } })).status(), {
    revision: 'r2',
    lastError: /ECONNREFUSED/
  })
  t.match(
    (await replica(t, redis, { source: 'bundled' })).status(),
    { source: `fleet ${NAME}`, lastError: /ECONNREFUSED/ },
    'the bundled list'
  )
  const other = await replica(t, redis, { source: own, fleet: { client: redis.nodeRedis() } })
  t.match(other.status(), { revision: 'own', lastError: /closed|ECONNREFUSED/ })
  const alone = await replica(t, redis, { source: own })
  t.match(await alone.fleet!.status(), { version: null, lastError: /ECONNREFUSED|closed/ })
  const damages: [what: string, text: string][] = [
    ['of another fleet', '{"fleet":"other","version":1,"list":null,"overrides":null}'],
    ['damaged', `{"fleet":"${NAME}","version":1,"list":7,"overrides":null}`],
    ['with overrides that are none', `{"fleet":"${NAME}","version":1,"list":null,"overrides":7}`],
    ['with a list that is none', `{"fleet":"${NAME}","version":1,"list":"moengage","overrides":null}`],
    ['cut off', '{']
  ]
  for (const [what, text] of damages) {
    writeFileSync(file, text)
    t.match((await replica(t, redis, { source: own, fleet: { copy: file } })).status(), { revision: 'own' }, what)
  }
  writeFileSync(
    file,
    JSON.stringify({ fleet: NAME, version: 1, list: JSON.stringify(sound({}, ['9.0.0.0/8'])), overrides: null })
  )
  t.match(
    (await replica(t, redis, { source: own, fleet: { copy } })).status(),
    { revision: 'own' },
    'a copy goes through the guard rails'
  )
  const gone = { name: 'gone', load: () => Promise.reject(new Error('away')) }
  await t.rejects(replica(t, redis, { source: gone }), /"gone" failed: away/, 'without any list there is no guard')
  await t.rejects(replica(t, redis, { source: gone, fleet: { copy: file } }), /"gone" failed/)
  writeFileSync(file, JSON.stringify({ fleet: NAME, version: 1, list: null, overrides: null }))
  await t.rejects(replica(t, redis, { source: gone, fleet: { copy: file } }), /"gone" failed/)
  await t.rejects(
    replica(t, redis, { dataCenters: 'DC-99' as 'DC-01' }),
    { code: 'MOE_ERR_OPTIONS' },
    'what the user wrote is wrong'
  )
})

t.test('a list without an address for a route makes way for one that has', async (t) => {
  const redis = new FakeRedis()
  await controlOf(t, redis).publish(snapshotOf({ 'DC-01 connector': FOUR }, { revision: 'narrow' }))
  const guard = await replica(t, redis)
  t.equal(guard.status().revision, 'narrow')
  guard.addRoute({ channels: 'connector' })
  t.throws(
    () => guard.addRoute({ channels: 'conector' as 'connector' }),
    { code: 'MOE_ERR_OPTIONS' },
    'but not for a mistake'
  )
  guard.addRoute({ channels: 'streams' })
  t.not(guard.status().revision, 'narrow', 'the bundled list is in use')
  await tick()
  t.match(guard.status().lastError, /streams/)
  t.throws(() => guard.addRoute({ dataCenters: 'DC-05', channels: 'sms' }), { code: 'MOE_ERR_OPTIONS' })
})

/** Cells without DC-05 sms, which the bundled list lacks as well. */
const CELLS = { 'DC-01 connector': FOUR, 'DC-05 connector': ['8.8.4.4'] }

t.test('a replica whose first lists lack a route joins the fleet with the first one that has it', async (t) => {
  const lacking = snapshotOf(CELLS, { revision: 'lacking' })
  const right = snapshotOf({ ...CELLS, 'DC-05 sms': FOUR }, { revision: 'right' })
  const table: [what: string, stored: Snapshot | undefined, own: Snapshot | undefined][] = [
    ['its own source gets it', undefined, lacking],
    ['it is published', lacking, lacking],
    ['it is published while the own source is down', lacking, undefined]
  ]
  for (const [what, stored, first] of table) {
    const redis = new FakeRedis()
    const control = controlOf(t, redis)
    if (stored !== undefined) await control.publish(stored)
    let own = first
    let subscriptions = 0
    const source = {
      name: 'own',
      interval: 1000,
      load: () => own ?? throwing(new Error('down'))(),
      watch: () => void subscriptions++
    }
    const fleet = redisFleet({ client: redis.io(), name: NAME, poll: 100, timeout: 50, report: 100 })
    const guard = guardExpress({
      dataCenters: ['DC-01', 'DC-05'],
      source,
      fleet,
      clientIp: PROXIED,
      logger: lineLogger([])
    })
    t.teardown(() => guard.close())
    const app = express().use(
      guard.route({ dataCenters: 'DC-05', channels: 'sms' }),
      (_, response) => void response.end()
    )
    const { port } = await listenTo(t, app)
    const ask = async () => (await send({ port }, { headers: { 'x-forwarded-for': FOUR[0]! } })).status
    await t.rejects(guard.ready(), what)
    t.equal(await ask(), 503, what)
    if (stored === undefined) own = right
    else await control.publish(right)
    const isReady = async () => {
      try {
        await guard.ready()
        return true
      } catch {
        return false
      }
    }
    for (let i = 0; i < 100 && !(await isReady()); i++) await tick()
    t.match(guard.status(), { revision: 'right', lastError: null }, what)
    t.equal(await ask(), 200, what)
    t.equal(subscriptions, 1, `${what}: nothing subscribes before there is a list`)
    t.match(
      await guard.fleet!.status(),
      { live: 1, replicas: [{ state: 'live' }], warnings: [], lastError: null },
      what
    )
    await control.override({ deny: [FOUR[0]!] })
    await until(() => guard.status().overrides.length > 0)
    t.equal(await ask(), 403, what)
  }
})

t.test('where the list of the store lacks a route, a replica starts with its own list that has it', async (t) => {
  const redis = new FakeRedis()
  await controlOf(t, redis).publish(snapshotOf(CELLS, { revision: 'lacking' }))
  const source = { name: 'own', load: () => snapshotOf({ ...CELLS, 'DC-05 sms': FOUR }, { revision: 'own' }) }
  const fleet = redisFleet({ client: redis.io(), name: NAME, poll: 100, timeout: 50, report: 100 })
  const guard = guardExpress({ dataCenters: ['DC-01', 'DC-05'], source, fleet, logger: lineLogger([]) })
  t.teardown(() => guard.close())
  guard.route({ dataCenters: 'DC-05', channels: 'sms' })
  await guard.ready()
  t.match(guard.status(), { revision: 'own', lastError: /sms in DC-05/ })

  const listed = guardExpress({ dataCenters: 'DC-01', source, fleet, logger: lineLogger([]) })
  t.teardown(() => listed.close())
  listed.route({ channels: 'streams' })
  await listed.ready()
  t.not(listed.status().revision, 'own', 'the bundled list comes first')
  t.match(listed.status().lastError, /streams/)
  await tick()
})

t.test('after a list that made way, one that is taken out of the store leaves the own source', async (t) => {
  const redis = new FakeRedis()
  const control = controlOf(t, redis)
  const narrow = snapshotOf({ 'DC-01 sms': FOUR, 'DC-02 connector': ['8.8.4.4'] }, { revision: 'narrow' })
  await control.publish(narrow)
  const guard = await replica(t, redis, { confirm: ['shrunk'] })
  guard.addRoute({ channels: 'connector' })
  t.not(guard.status().revision, 'narrow', 'the bundled list is in use')
  const state = redis.hash(STATE)
  state.delete('list')
  await control.override({ allow: ['8.8.8.8'] })
  await until(() => guard.judge(from('8.8.8.8')).verified)
  t.match(guard.status(), { revision: 'own', lastError: null })
})

t.test(
  'an override that denies most of the addresses in use is refused by a replica that starts, unless it confirms that',
  async (t) => {
    const redis = new FakeRedis()
    await controlOf(t, redis).override({ deny: FOUR.slice(0, 3) })
    const guard = await replica(t, redis)
    t.match(guard.status(), { overrides: [], lastError: /It denies 3 of the 4 addresses of DC-01 in use/ })
    t.match(guard.judge(from(FOUR[0]!)), { verified: true })
    const confirming = await replica(t, redis, { confirm: ['shrunk'] })
    t.match(confirming.status(), { overrides: [{}], lastError: null })
    t.match(confirming.judge(from(FOUR[0]!)), { verified: false })
  }
)

t.test('without a list in the store the own source is followed', async (t) => {
  const redis = new FakeRedis()
  const folder = t.testdir({ 'list.json': JSON.stringify(sound({ revision: 'f1' })) })
  const file = join(folder, 'list.json')
  const guard = await replica(t, redis, { source: { file, interval: '100ms' } })
  await controlOf(t, redis).override({ allow: ['8.8.8.8'] })
  await until(() => guard.judge(from('8.8.8.8')).verified)
  t.match(guard.judge(from('8.8.8.8')), { verified: true, revision: 'f1' })
  await guard.reload()
  writeFileSync(file, JSON.stringify(sound({ revision: 'f2' })))
  await until(() => guard.status().revision === 'f2')
  t.match(guard.judge(from('8.8.8.8')), { verified: true, revision: 'f2' })
  await guard.reload()
  t.match(guard.status(), { revision: 'f2', lastError: null })
  const answers = [new Response(JSON.stringify(sound({ revision: 'u1' })), { headers: { etag: '"1"' } })]
  const ask = async () => answers.pop() ?? new Response(null, { status: 304, headers: { etag: '"1"' } })
  const polled = await replica(t, new FakeRedis(), { source: { url: 'https://config.example/list', fetch: ask } })
  await polled.reload()
  t.match(polled.status(), { revision: 'u1', lastError: null }, 'a source that says that nothing is new')
  const empty = new FakeRedis()
  let revision = 'a'
  const counted = await replica(t, empty, { source: { name: 'own', load: () => sound({ revision }), interval: '1s' } })
  revision = 'b'
  await counted.reload()
  t.equal(counted.status().revision, 'b')
  revision = 'c'
  await until(() => counted.status().revision === 'c')
  t.equal(counted.status().revision, 'c', 'by its interval')
})

t.test('an override does not wait for the own source, which may be down or refused', async (t) => {
  const redis = new FakeRedis()
  let load: () => Snapshot = () => sound({ revision: 'own' })
  const guard = await replica(t, redis, { source: { name: 'own', load: () => load() } })
  const control = controlOf(t, redis)
  load = () => {
    throw new Error('down')
  }
  await control.override({ allow: ['8.8.8.8'] })
  await until(() => guard.judge(from('8.8.8.8')).verified)
  t.match(guard.status(), { revision: 'own', lastError: null }, 'nor is it loaded before it is due')
  await t.rejects(guard.reload(), /"own" failed: down/)
  load = () => sound({ revision: 'bad' }, ['10.0.0.1'])
  await control.override({ allow: ['8.8.4.4'] })
  await until(() => guard.judge(from('8.8.4.4')).verified)
  await t.rejects(guard.reload(), /10\.0\.0\.1/)
  await control.override({ deny: ['8.8.8.8'] })
  await until(() => !guard.judge(from('8.8.8.8')).verified)
  t.equal(guard.status().revision, 'own', 'what was refused is not put in use by an override')
  load = () => sound({ revision: 'better' })
  await guard.reload()
  t.match(guard.status(), { revision: 'better', lastError: null })
  await control.publish(sound({ revision: 'r1' }))
  await until(() => guard.status().revision === 'r1')
})

t.test('the mode that was set last decides, on this guard or for the fleet', async (t) => {
  const redis = new FakeRedis()
  const guard = await loadGuard({
    dataCenters: 'DC-01',
    fleet: redisFleet({ client: redis.io(), name: NAME, poll: 100, timeout: 50, report: 100 })
  })
  t.teardown(() => guard.close())
  const control = controlOf(t, redis)
  guard.override({ mode: 'tag' })
  await tick()
  await control.override({ mode: 'reject' })
  await until(() => guard.mode === 'reject')
  t.equal(guard.mode, 'reject')
  await tick()
  guard.override({ mode: 'tag' })
  t.equal(guard.mode, 'tag')
})

t.test('a replica accepts only what it is told to', async (t) => {
  const redis = new FakeRedis()
  const control = controlOf(t, redis)
  await control.publish(sound({ revision: 'r1' }))
  await control.override({ allow: ['8.8.8.8'] })
  await control.override({ deny: ['8.8.8.9'] })
  const guard = await replica(t, redis, {
    source: { name: 'own', load: () => sound({ revision: 'own' }) },
    fleet: { accept: ['deny'] }
  })
  t.match(guard.status(), { revision: 'own', overrides: [{ deny: ['8.8.8.9/32'] }] })
  t.equal(guard.judge(from('8.8.8.8')).verified, false)
})

t.test('with a key only signed documents are accepted, and none is replayed', async (t) => {
  const redis = new FakeRedis()
  const { privatePem, publicLine } = generateKeys()
  const sign = readPrivateKey(privatePem)
  const control = controlOf(t, redis)
  const guard = await replica(t, redis, { fleet: { verify: { publicKeys: publicLine } } })
  await control.publish(sound({ revision: 'unsigned' }))
  await until(() => /not signed/.test(guard.status().lastError ?? ''))
  await control.publish(sound({ revision: 's1' }), { sign })
  await until(() => guard.status().revision === 's1')
  const state = redis.hash(STATE)
  const old = state.get('list')!
  await control.override({ allow: ['8.8.8.8'] }, { sign, expires: Date.now() + 60_000 })
  await until(() => guard.judge(from('8.8.8.8')).verified)
  t.match((await control.status()).overrides, [{ allow: ['8.8.8.8/32'] }], 'they are shown without a key')
  await t.rejects(control.override({ allow: ['8.8.8.7'] }), /overrides in the store are signed/)
  await t.rejects(control.publish(sound()), /list in the store is signed/)
  await t.rejects(
    control.removeOverride('8.8.8.8', { sign: readPrivateKey(generateKeys().privatePem) }),
    /none of the public keys/
  )
  await control.publish(sound({ revision: 's2' }), { sign })
  await until(() => guard.status().revision === 's2')
  const overrides = state.get('overrides')!
  state.delete('overrides')
  state.set('version', `${Number(state.get('version')) + 1}`)
  await until(() => /lost its overrides/.test(guard.status().lastError ?? ''))
  t.match(guard.status().lastError, /lost its overrides/)
  state.set('overrides', overrides)
  state.set('list', old).set('version', `${Number(state.get('version')) + 1}`)
  await until(() => /older than/.test(guard.status().lastError ?? ''))
  t.match(guard.status(), { revision: 's2', lastError: /older than/ })
  const { privatePem: otherPem, publicLine: otherLine } = generateKeys()
  const other = new FakeRedis()
  const brief = await replica(t, other, { fleet: { verify: { publicKeys: otherLine } } })
  const otherControl = controlOf(t, other)
  await otherControl.publish(sound({ revision: 'brief' }), {
    sign: readPrivateKey(otherPem),
    expires: Date.now() + 1000
  })
  await until(() => brief.status().revision === 'brief')
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const otherSign = { sign: readPrivateKey(otherPem) }
  await t.rejects(
    otherControl.override({ allow: ['8.8.8.8'] }, otherSign),
    /It has expired .* They are an empty list/,
    'what has expired is not signed again without a word'
  )
  await otherControl.override({ allow: ['8.8.8.8'] }, { ...otherSign, adopt: 'none' })
  await until(() => brief.judge(from('8.8.8.8')).verified)
  t.match(
    brief.status(),
    { revision: 'brief', lastError: null },
    'a list that has expired in use keeps no override out'
  )
  state.set('overrides', 'eyJhbGciOiJub25lIn0')
  await t.rejects(control.status(), /It is not signed: it has not the form of a JWS/)
})

/** A key, and a replica that accepts nothing but what it signed. */
async function signedFleet(t: Test, { fleet }: { fleet?: Partial<RedisFleetOptions> } = {}) {
  const redis = new FakeRedis()
  const { privatePem, publicLine } = generateKeys()
  const sign = readPrivateKey(privatePem)
  const start = () => replica(t, redis, { fleet: { verify: { publicKeys: publicLine }, ...fleet } })
  return { redis, sign, start, control: controlOf(t, redis), state: redis.hash(STATE) }
}

t.test('where signatures are verified, the version of the store decides nothing', async (t) => {
  const { redis, sign, start, control, state } = await signedFleet(t)
  const guard = await start()
  const reported = async () => (await guard.fleet!.status()).replicas.map(({ version }) => version)
  const first = await control.publish(sound({ revision: 's1' }), { sign })
  await until(() => guard.status().revision === 's1')
  const before = redis.received.length
  state.set('version', `${Number.MAX_SAFE_INTEGER}`)
  await until(() => redis.received.length > before + 10)
  await guard.reload()
  t.strictSame(await reported(), [first], 'it reports the version that is signed')
  t.match(guard.status(), { revision: 's1', lastError: null })
  const second = await control.publish(sound({ revision: 's2' }), { sign })
  await until(() => guard.status().revision === 's2')
  t.match(guard.status(), { revision: 's2', lastError: null }, 'and what is published next comes into use')
  t.ok(second > first && second < Date.now() + 1000, 'with a version by the clock')
  state.set('version', '7')
  await control.override({ deny: [FOUR[0]!] }, { sign })
  await until(() => !guard.judge(from(FOUR[0]!)).verified)
  t.match(guard.status(), { lastError: null })
})

t.test('reports are proof only for a guard with a secret whose store is trusted', async (t) => {
  const { publicLine } = generateKeys()
  const table: [options: object, verify: object, trustsReports: boolean][] = [
    [{ carriesSecret: () => true }, {}, true],
    [{}, {}, false],
    [{ carriesSecret: () => true }, { verify: { publicKeys: publicLine } }, false]
  ]
  for (const [options, verify, trustsReports] of table) {
    for (const isDown of [false, true]) {
      const redis = new FakeRedis()
      redis.set({ isDown })
      const guard = await replica(t, redis, { fleet: verify, ...options })
      t.match(await guard.fleet!.status(), { trustsReports })
    }
  }
})

t.test('a signed version that is far ahead of the clock would keep all others out, and is refused', async (t) => {
  const { sign, start, state } = await signedFleet(t)
  const guard = await start()
  const [now, expires] = [Date.now(), '2999-01-01T00:00:00Z']
  const signed = (kind: 'list' | 'override', version: number, payload: unknown) =>
    signDocument({ kind, name: NAME, version, expires, payload }, sign)
  const ahead = await signed('list', now + 90_000_000, sound({ revision: 'ahead' }))
  state.set('version', '1').set('list', ahead)
  await until(() => guard.status().lastError !== null)
  t.match(
    guard.status().lastError,
    /Its list is refused\. It is version \d+, more than a day ahead of the clock\. Publish/
  )
  const skewed = await signed('list', now + 80_000_000, sound({ revision: 'skewed' }))
  state.set('version', '2').set('list', skewed)
  await until(() => guard.status().revision === 'skewed')
  t.match(guard.status(), { lastError: null })
})

t.test('the advice about a signed part is about that part', async (t) => {
  const { redis, sign, start, control, state } = await signedFleet(t)
  const guard = await start()
  await control.publish(sound({ revision: 's1' }), { sign })
  await until(() => guard.status().revision === 's1')
  const good = new Map(state)
  const table: [part: string, text: string, error: RegExp][] = [
    [
      'list',
      JSON.stringify(sound()),
      /Its list is refused\..* Publish the list again: moengage-allowlist publish LIST --sign/
    ],
    [
      'overrides',
      '{"overrides":[]}',
      /Its overrides are refused\..* sign them again: moengage-allowlist override, with/
    ]
  ]
  for (const [part, text, error] of table) {
    state.set('overrides', good.get('overrides')!).set('list', good.get('list')!).set(part, text)
    redis.publish(`{moengage:${NAME}}:changed`)
    await until(() => error.test(guard.status().lastError ?? ''))
    const { lastError } = guard.status()
    t.match(lastError, error)
    t.equal(lastError!.split('It is not signed').length, 2, 'it is said once')
    t.notMatch(lastError, /moengage-allowlist sign/)
  }
})

t.test(
  'where a store without a list was emptied, and the copy has expired, the overrides are to be set again',
  async (t) => {
    const copy = join(t.testdir({}), 'copy.json')
    const { redis, sign, start, control } = await signedFleet(t, { fleet: { copy } })
    const first = await start()
    await control.override({ deny: ['8.8.8.8'] }, { sign, expires: Date.now() + 500 })
    await until(() => existsSync(copy))
    await first.close()
    redis.hashes.delete(STATE)
    await new Promise((resolve) => setTimeout(resolve, 500))
    t.match((await start()).status(), { overrides: [], lastError: /has no state any more\. Set its overrides again\./ })
  }
)

t.test('a replica that accepts no list goes with the versions of the fleet', async (t) => {
  const { sign, start, control, state } = await signedFleet(t, { fleet: { accept: ['deny'] } })
  const guard = await start()
  const version = async () => (await guard.fleet!.status()).replicas[0]?.version
  await control.override({ deny: ['8.8.8.8'] }, { sign })
  await until(() => guard.judge(from('8.8.8.8')).verified === false && guard.status().overrides.length > 0)
  const published = await control.publish(sound({ revision: 's1' }), { sign })
  for (let i = 0; i < 100 && (await version()) !== published; i++) await tick()
  t.equal(await version(), published)
  state.set('list', 'x').set('version', '3')
  for (let i = 0; i < 100 && (await version()) === published; i++) await tick()
  t.ok((await version())! < published, 'a list that is not signed counts for nothing')
  t.match(guard.status(), { revision: 'own', lastError: null })
  const alone = await signedFleet(t, { fleet: { accept: ['deny'] } })
  alone.state.set('list', 'x').set('version', '3')
  const idle = await alone.start()
  t.match((await idle.fleet!.status()).replicas, [{ version: null }], 'nothing that is signed is in use')
})

t.test('a copy that has expired is not used, and what it says about versions is not forgotten', async (t) => {
  const file = join(t.testdir({}), 'copy.json')
  const { redis, sign, start, control, state } = await signedFleet(t, { fleet: { copy: file } })
  const first = await start()
  await control.publish(sound({ revision: 's1' }), { sign })
  await control.override({ allow: ['8.8.8.8'] }, { sign })
  await until(() => first.judge(from('8.8.8.8')).verified)
  const old = state.get('overrides')!
  await control.removeOverride('8.8.8.8', { sign, expires: Date.now() + 500 })
  const latest = state.get('overrides')!
  const isCopied = () => {
    try {
      return JSON.parse(readFileSync(file, 'utf8')).overrides === latest
    } catch {
      return false
    }
  }
  await until(isCopied)
  t.ok(isCopied())
  first.close()
  await new Promise((resolve) => setTimeout(resolve, 500))
  state.set('overrides', old).set('version', '7')
  const second = await start()
  t.match(second.status(), { revision: 'own', overrides: [], lastError: /older than \d+, which was accepted before/ })
  state.set('version', '8')
  await until(() => redis.received.splice(0).includes('HMGET'))
  t.match(await second.reload(), { lastError: /older than/ }, 'nor is it forgotten after the start')
  t.equal(second.judge(from('8.8.8.8')).verified, false)
  state.set('overrides', latest)
  t.match(await second.reload(), { lastError: /It has expired/ }, 'what has expired is not taken as fresh')
  state.delete('overrides')
  t.match(await second.reload(), { lastError: /It has lost its overrides/ })
  state.set('overrides', old).delete('list')
  t.match(await second.reload(), { lastError: /It has lost its list/ })
  second.close()
  redis.hashes.delete(STATE)
  t.match((await start()).status(), { revision: 'own', lastError: /has no state any more\. Publish it again/ })
})

t.test('a database that the server refuses is not replaced by another', async (t) => {
  const redis = new FakeRedis()
  const client = redis.io({ db: 2 })
  redis.errors.set('SELECT', 'NOPERM this user has no permissions')
  const [guard, control] = [await replica(t, redis, { fleet: { client } }), controlOf(t, redis, client)]
  t.match(guard.status(), { revision: 'own', lastError: /NOPERM/ })
  await t.rejects(control.publish(sound({ revision: 'r1' })), /NOPERM/)
  await t.rejects(control.status(), /NOPERM/)
  await tick()
  t.strictSame([...new Set(redis.received)], ['SELECT'], 'no other command is sent')
  redis.errors.clear()
  await control.publish(sound({ revision: 'r1' }))
  await until(() => guard.status().revision === 'r1')
  t.match(guard.status(), { revision: 'r1', lastError: null })
  redis.errors.set('SELECT', 'ERR DB index is out of range')
  redis.stop()
  redis.set({ isDown: false })
  await until(() => guard.status().lastError !== null)
  t.match(guard.status(), { revision: 'r1', lastError: /out of range/ }, 'nor after a reconnection')
})

t.test('a fleet is checked like every option', async (t) => {
  const redis = new FakeRedis()
  const client = redis.io()
  const sentinels = createSentinel({ name: 'mymaster', sentinelRootNodes: [{ host: '127.0.0.1', port: 26379 }] })
  const cluster = new Cluster([{ port: 1 }], { lazyConnect: true, redisOptions: { db: 2 } })
  const table: [options: unknown, path: string, fix: RegExp][] = [
    [{ name: NAME }, 'client', /new Redis/],
    [{ client: {}, name: NAME }, 'client', /new Redis/],
    [{ client: null, name: NAME }, 'client', /new Redis/],
    [{ client: sentinels, name: NAME }, 'client', /^Write client: new Redis\(\{ sentinels: .* of ioredis/],
    [{ client: cluster, name: NAME }, 'client', /^Leave db out of redisOptions\.$/],
    [{ client }, 'name', /'webhooks'/],
    [{ client, name: 'a b' }, 'name', /'webhooks'/],
    [{ client, name: NAME, scope: '{x}' }, 'scope', /'webhooks'/],
    [{ client, name: NAME, copy: 7 }, 'copy', /path/],
    [
      { client, name: NAME, accept: ['lists'] },
      'accept[0]',
      /^Use one of: list, allow, deny, mode\. For all of them, leave accept out\.$/
    ],
    [{ client, name: NAME, accept: 'all' }, 'accept', /Use one of: list, allow, deny, mode\. For all/],
    [{ client, name: NAME, accept: [7] }, 'accept[0]', /list, allow/],
    [{ client, name: NAME, accept: 'list' }, 'accept', /\['list'\]/],
    [{ client, name: NAME, report: 'x' }, 'report', /'5s'/],
    [{ client, name: NAME, senders: 51 }, 'senders', /50/],
    [{ client, name: NAME, verify: {} }, 'verify.publicKeys', /publicKeys/],
    [{ client, name: NAME, polls: 1 }, 'polls', /"poll"/]
  ]
  for (const [options, path, fix] of table) {
    try {
      redisFleet(options as RedisFleetOptions)
      t.fail(path)
    } catch (error) {
      t.match((error as { mistakes: unknown }).mistakes, [{ path, fix }], JSON.stringify(path))
    }
  }
  t.throws(() => storeFleet({ name: NAME } as never), /store/)
  t.throws(() => storeFleet({ name: NAME, store: 7 } as never), /function/)
  t.throws(() => createGuard({ dataCenters: 'DC-01', fleet: {} as never }), /not a fleet/)
  t.throws(() => createGuard({ dataCenters: 'DC-01', fleet: redisFleet({ client, name: NAME }) }), /await loadGuard/)
  t.throws(() => createGuard({ fleet: redisFleet({ client, name: NAME }) } as never), /dataCenters/)
  await tick()
  t.strictSame(redis.received, [], 'no connection is made for it')
})

t.test('a store of your own serves as well, in any door', async (t) => {
  const redis = new FakeRedis()
  const store = () => new RedisStore({ client: redis.io(), scope: 'own', name: NAME, timeout: 50, poll: 100 })
  const guard = guardExpress({
    dataCenters: 'DC-01',
    logger: lineLogger([]),
    fleet: storeFleet({ store, name: NAME, report: false })
  })
  await guard.ready()
  t.match(
    await guard.fleet!.status(),
    { name: NAME, replicas: [], version: null, lastError: null, warnings: [] },
    'nothing is reported'
  )
  guard.close()
  guard.close()
  const alone = guardExpress({ dataCenters: 'DC-01', logger: lineLogger([]) })
  t.equal(alone.fleet, undefined)
  alone.close()
})

/** A store without a state, whose methods do nothing but what is given. */
function ownStore(methods: Partial<FleetStore> = {}): FleetStore {
  return {
    name: 'own',
    read: async () => null,
    poll: async () => null,
    write: async () => true,
    time: async () => 0,
    watch: () => {},
    report: async () => {},
    reports: async function* () {},
    log: async () => [],
    close: () => {},
    ...methods
  }
}

/** A guard whose fleet is on a store of the user's. */
async function onOwnStore(t: Test, methods: Partial<FleetStore>, source: GuardOptions['source'] = OWN) {
  const fleet = storeFleet({ store: () => ownStore(methods), name: NAME, poll: 100, report: 100 })
  const guard = await loadGuard({ dataCenters: 'DC-01', source, fleet })
  t.teardown(() => guard.close())
  return guard
}

const throwing = (error: unknown) => () => {
  throw error
}
const rejecting = (error: unknown) => async () => {
  throw error
}

t.test('whatever a store of your own throws or rejects with is reported, and ends no process', async (t) => {
  const thenable = () => failingThenable('own')
  const errors: [error: unknown, message: RegExp][] = [
    [new Error('own'), /own/],
    ['own', /own/],
    [null, /What was thrown is not an error/],
    [undefined, /What was thrown is not an error/],
    ...unreadableErrors().map((error): [unknown, RegExp] => [error, /own|Error|What was thrown|revoked/])
  ]
  const failures = errors.flatMap(([error, message]): [fail: () => never, message: RegExp][] => [
    [throwing(error), message],
    [rejecting(error) as () => never, message]
  ])
  for (const [fail, message] of [...failures, [thenable as () => never, /own/] as const]) {
    const unreported = await onOwnStore(t, { report: fail })
    const warned = async () => {
      for (let i = 0; i < 100; i++) {
        const { warnings } = await unreported.fleet!.status()
        if (warnings.length > 0) return warnings
        await tick()
      }
      return []
    }
    t.match(await warned(), [message])

    const uncounted = await onOwnStore(t, { reports: fail })
    t.match(await uncounted.fleet!.status(), { lastError: message, live: 1 })

    const unread = await onOwnStore(t, { reports: fail, read: fail, poll: fail, watch: fail })
    t.match(await unread.fleet!.status(), { lastError: message, live: 1 })
    t.match(unread.status(), { revision: 'own', lastError: message })
  }
})

t.test('a store of your own that cannot be closed is a warning of the process', async (t) => {
  for (const close of [throwing(new Error('drain')), rejecting(new Error('drain')), () => failingThenable('drain')]) {
    const warnings: string[] = []
    t.capture(process, 'emitWarning', (message: string) => void warnings.push(message))
    const guard = await onOwnStore(t, { close: close as () => void })
    guard.close()
    await until(() => warnings.length > 0)
    t.strictSame(warnings, ['The store of a fleet could not be closed: drain'])
  }
})

t.test('the store of a fleet is closed wherever no guard comes of it', async (t) => {
  const down = { name: 'own', load: rejecting(new Error('down')) as never }
  const late = { name: 'own', load: async () => tick().then(throwing(new Error('down'))) }
  const code = (expected: string) => ({ code: expected })
  const inExpress = (options: Partial<GuardOptions> & Pick<GuardOptions, 'fleet'>) =>
    guardExpress({ dataCenters: 'DC-01', source: down, logger: lineLogger([]), ...options } as never)
  const doors: [door: string, fail: (fleet: GuardOptions['fleet']) => unknown][] = [
    ['createGuard', (fleet) => t.throws(() => createGuard({ dataCenters: 'DC-01', fleet }), code('MOE_ERR_SOURCE'))],
    [
      'createGuard, a wrong option',
      (fleet) => t.throws(() => createGuard({ dataCenters: 'DC-01', cacheSize: 0, fleet }), code('MOE_ERR_OPTIONS'))
    ],
    [
      'loadGuard',
      (fleet) => t.rejects(loadGuard({ dataCenters: 'DC-01', source: down, fleet }), code('MOE_ERR_SOURCE'))
    ],
    [
      'loadGuard, a wrong option',
      (fleet) => t.rejects(loadGuard({ dataCenters: 'DC-01', cacheSize: 0, fleet }), code('MOE_ERR_OPTIONS'))
    ],
    [
      'Fastify',
      async (fleet) => {
        const app = Fastify().register(moengageAllowlist, { dataCenters: 'DC-01', source: down, fleet })
        await t.rejects(Promise.resolve(app.ready()), code('MOE_ERR_SOURCE'))
        await app.close()
      }
    ],
    [
      'Fastify, a route that no list has an address for',
      async (fleet) => {
        const app = Fastify().register(moengageAllowlist, { dataCenters: 'DC-05', fleet })
        app.post('/sms', { config: { moengage: { channels: 'sms' } } }, async () => 'ok')
        await t.rejects(Promise.resolve(app.ready()), code('MOE_ERR_OPTIONS'))
        await app.close()
      }
    ],
    [
      'Express',
      async (fleet) => {
        const guard = inExpress({ fleet })
        await t.rejects(guard.ready(), code('MOE_ERR_SOURCE'))
        await guard.close()
        await guard.close()
        await t.rejects(guard.reload(), code('MOE_ERR_SOURCE'), 'which loads no more')
      }
    ],
    [
      'Express, closed before it fails',
      async (fleet) => {
        const guard = inExpress({ fleet, source: late })
        const failed = t.rejects(guard.ready(), code('MOE_ERR_SOURCE'))
        await guard.close()
        await failed
      }
    ],
    [
      'Express, closed during a further attempt',
      async (fleet) => {
        const guard = inExpress({ fleet, source: late })
        await t.rejects(guard.ready(), code('MOE_ERR_SOURCE'))
        const failed = t.rejects(guard.reload(), code('MOE_ERR_SOURCE'))
        await Promise.resolve()
        await guard.close()
        await failed
      }
    ]
  ]
  for (const [door, fail] of doors) {
    const calls: string[] = []
    const store = () => {
      calls.push('open')
      return ownStore({
        report: async () => void calls.push('report'),
        read: async () => {
          calls.push('read')
          return null
        },
        close: () => void calls.push('close')
      })
    }
    await fail(storeFleet({ store, name: NAME, poll: 100, report: 100 }))
    await tick()
    const [opened, closed] = ['open', 'close'].map((name) => calls.filter((call) => call === name).length)
    t.equal(closed, opened, `${door}: ${calls}`)
    const before = calls.length
    await new Promise((resolve) => setTimeout(resolve, 250))
    t.equal(calls.length, before, `${door}: nothing follows`)
    if (door !== 'Fastify, a route that no list has an address for') t.notOk(calls.includes('report'), door)
  }
})

t.test('a store of your own that is a promise is refused, whatever it comes to', async (t) => {
  for (const store of [async () => ownStore(), rejecting(new Error('own'))]) {
    const fleet = storeFleet({ store: store as never, name: NAME })
    await t.rejects(loadGuard({ dataCenters: 'DC-01', fleet }), { message: /"store" of storeFleet returned a promise/ })
  }
})

t.test('a replica follows its own source, also after the clock was set back', async (t) => {
  let loads = 0
  const load = () => sound({ revision: `r${++loads}` })
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const guard = await onOwnStore(t, {}, { name: 'ours', load, interval: '1h' })
  t.equal(loads, 1)
  mock.timers.setTime(Date.now() - 7_200_000)
  await until(() => guard.status().revision === 'r2')
  t.match(guard.status(), { revision: 'r2' })
})

t.test('a poll proves that messages arrive, on a channel of its own that it leaves again', async (t) => {
  const redis = new FakeRedis()
  for (const client of [
    redis.io(),
    redis.io({ isCluster: true }),
    redis.nodeRedis(),
    redis.nodeRedis({ isCluster: true })
  ]) {
    const store = new RedisStore({ client, scope: 'own', name: NAME, timeout: 1000, poll: 60_000 })
    const stop = new AbortController()
    store.watch(() => {}, stop.signal)
    for (let i = 0; i < 3; i++) t.equal(await store.poll(), null)
    // The channel of changes, and that of two polls at least.
    t.ok(redis.received.splice(0).filter((command) => command === 'SUBSCRIBE').length >= 3)
    stop.abort()
    store.close()
  }
})

t.test('no replica judges the report of another by its own clock', async (t) => {
  const redis = new FakeRedis()
  const store = new RedisStore({ client: redis.io(), scope: 'moengage', name: NAME, timeout: 1000, poll: 1000 })
  t.teardown(() => store.close())
  const start = Date.now()
  mock.timers.enable({ apis: ['Date'], now: start })
  t.teardown(() => mock.timers.reset())
  const reported = async () => {
    for await (const group of store.reports(10, 10)) return group.map(({ text }) => text)
    return []
  }
  const day = 86_400_000
  const clocks = { behind: -400, right: 0, ahead: 400, other: 0 }
  for (const [i, [text, days]] of Object.entries(clocks).entries()) {
    mock.timers.setTime(start + days * day)
    await store.report({ id: idOf(i), text }, day)
  }
  t.strictSame(await reported(), ['other', 'ahead', 'right', 'behind'], 'the one that reported last comes first')
  mock.timers.setTime(start - 400 * day)
  await store.report({ id: idOf(0), text: 'behind' }, day)
  t.strictSame(await reported(), ['behind', 'other', 'ahead', 'right'])
})

t.test('a replica whose report has expired leaves the index, whatever else stands in it', async (t) => {
  const redis = new FakeRedis()
  const store = new RedisStore({ client: redis.io(), scope: 'moengage', name: NAME, timeout: 1000, poll: 1000 })
  t.teardown(() => store.close())
  const index = () => [...redis.scores.get(`{moengage:${NAME}}:replicas`)!.keys()]
  const report = (n: number, keepFor = 60_000) => store.report({ id: idOf(n), text: '{}' }, keepFor)
  for (let i = 0; i < 15; i++) await report(i, 200)
  await report(20)
  await new Promise((resolve) => setTimeout(resolve, 200))
  await report(21)
  t.strictSame(index(), [10, 11, 12, 13, 14, 20, 21].map(idOf), 'ten at a time')
  await report(21)
  t.strictSame(index(), [20, 21].map(idOf))
  // Whoever can write to the store may have written anything.
  redis.scores.get(`{moengage:${NAME}}:replicas`)!.set('hostile', -1).set(idOf(30), Number.POSITIVE_INFINITY)
  await report(22)
  t.strictSame(index(), [idOf(20), idOf(21), 'hostile', idOf(22)])
})

t.test('of an index with many replicas a report looks at a few, and the next one at others', async (t) => {
  const redis = new FakeRedis()
  const store = new RedisStore({ client: redis.io(), scope: 'moengage', name: NAME, timeout: 1000, poll: 1000 })
  t.teardown(() => store.close())
  const scores = new Map(Array.from({ length: 500 }, (_, i) => [idOf(i), i]))
  redis.scores.set(`{moengage:${NAME}}:replicas`, scores)
  for (let i = 0; i < 500; i++) {
    if (i % 20 > 0) redis.texts.set(`{moengage:${NAME}}:replicas:${idOf(i)}`, { text: '{}', end: Date.now() + 60_000 })
  }
  const before = redis.received.length
  for (let i = 0; i < 50; i++) await store.report({ id: idOf(1000), text: '{}' }, 60_000)
  t.ok(redis.received.length - before < 50 * 17, `${redis.received.length - before} commands for 50 reports`)
  t.ok(scores.get(idOf(1000))! > 400, 'its number is above those that it saw')
  for (let i = 0; i < 10; i++) await store.report({ id: idOf(1000), text: '{}' }, 60_000)
  t.equal(scores.size, 1 + (500 * 19) / 20, 'all that have expired left the index')
})

t.test('a store that is closed answers no more', async (t) => {
  const redis = new FakeRedis()
  const control = controlOf(t, redis)
  await control.publish(sound())
  control.close()
  await t.rejects(control.status(), /The store is closed/)
  await t.rejects(control.publish(sound()), /The store is closed/)
})

t.test(
  'a copy that is no regular file is neither read nor replaced, and one that cannot be read is said',
  async (t) => {
    const redis = new FakeRedis()
    await controlOf(t, redis).publish(sound({ revision: 'r1' }))
    const path = (name: string) => join(folder, name)
    const folder = t.testdir({
      folder: {},
      cut: '{"fleet":',
      none: 'null',
      other: '{"fleet":"other","version":1,"list":null,"overrides":null}'
    })
    execFileSync('mkfifo', [path('pipe')])
    symlinkSync('gone', path('link'))
    const notRegular = /could not be (read|written): it is not a regular file\.$/
    const table: [file: string, warning: RegExp | undefined, isReplaced: boolean][] = [
      ['folder', notRegular, false],
      ['pipe', notRegular, false],
      ['link', /could not be (read|written): it is a link to a file that does not exist\.$/, false],
      ['cut', /could not be read: it is damaged\.$/, true],
      ['none', /could not be read: it is damaged\.$/, true],
      ['other', /could not be read: it is not one of the fleet "webhooks"\.$/, true],
      ['new', undefined, true]
    ]
    const kindOf = (file: string) => lstatSync(path(file), { throwIfNoEntry: false })?.mode
    for (const [file, warning, isReplaced] of table) {
      const before = kindOf(file)
      const guard = await replica(t, redis, { fleet: { copy: path(file) } })
      const warnings = async () => (await guard.fleet!.status()).warnings
      t.match(guard.status(), { revision: 'r1', lastError: null }, file)
      t.strictSame((await warnings()).length, warning === undefined ? 0 : 1, file)
      if (warning !== undefined) t.match(await warnings(), [warning], file)
      await controlOf(t, redis).publish(sound({ revision: `of ${file}` }))
      await until(() => guard.status().revision === `of ${file}`)
      const isCopied = () => {
        try {
          return !isReplaced || readFileSync(path(file), 'utf8').includes(`of ${file}`)
        } catch {
          return false
        }
      }
      await until(isCopied)
      await tick()
      t.equal((await warnings()).length, isReplaced ? 0 : 1, file)
      if (!isReplaced) t.equal(kindOf(file), before, file)
      guard.close()
      await controlOf(t, redis).publish(sound({ revision: 'r1' }))
    }
  }
)

t.test('the last report is written, at whatever moment the guard is closed', async (t) => {
  const closings = Array.from({ length: 20 }, async (_, moment) => {
    const reports: { isClosed: boolean }[] = []
    const close = async () => {
      for (let i = 0; i < moment; i++) await undefined
      guard.close()
    }
    const guard: Guard = await onOwnStore(t, {
      report: async ({ text }) => {
        if (reports.push(JSON.parse(text)) === 2) void close()
      }
    })
    await until(() => reports.length > 1)
    await tick()
    t.match(reports.at(-1), { isClosed: true }, `${moment} microtasks after a report`)
  })
  await Promise.all(closings)
})

t.test('who ends a process after close() loses no report, and waits a second at most', async (t) => {
  const table: [what: string, report: () => Promise<void>, isWritten: boolean][] = [
    ['a store that takes its time', () => new Promise((resolve) => setTimeout(resolve, 100)), true],
    ['a store that hangs', () => new Promise(() => {}), false],
    ['a store that fails', rejecting(new Error('away')), true],
    ['a store that throws', throwing('away') as never, true]
  ]
  for (const [what, report, isWritten] of table) {
    const written: boolean[] = []
    const methods: Partial<FleetStore> = {
      report: async ({ text }) => {
        const { isClosed } = JSON.parse(text)
        if (isClosed) await report()
        written.push(isClosed)
      }
    }
    const doors: [door: string, open: () => Promise<{ close(): PromiseLike<unknown> }>][] = [
      ['without a framework', () => onOwnStore(t, methods)],
      [
        'Express',
        async () => {
          const fleet = storeFleet({ store: () => ownStore(methods), name: NAME })
          const guard = guardExpress({ dataCenters: 'DC-01', logger: lineLogger([]), fleet })
          await guard.ready()
          return guard
        }
      ],
      [
        'Fastify',
        async () => {
          const fleet = storeFleet({ store: () => ownStore(methods), name: NAME })
          const app = Fastify()
          await app.register(moengageAllowlist, { dataCenters: 'DC-01', clientIp: { trustedProxies: [] }, fleet })
          await app.ready()
          return app
        }
      ]
    ]
    for (const [door, open] of doors) {
      const guard = await open()
      await until(() => written.length > 0)
      written.length = 0
      const begun = performance.now()
      await guard.close()
      t.ok(performance.now() - begun < 1500, `${what}, ${door}: ${performance.now() - begun} ms`)
      const hasFailed = /fails|throws/.test(what)
      t.strictSame(written, isWritten && !hasFailed ? [true] : [], `${what}, ${door}`)
    }
  }
})

t.test('a store of your own that is none is refused, with what to return', async (t) => {
  const { read: _, poll: __, ...rest } = ownStore()
  const table: [store: unknown, message: string][] = [
    [
      undefined,
      'returned nothing instead of a store. Return an object with the methods read, poll, watch, report, reports, close.'
    ],
    [
      null,
      'returned null instead of a store. Return an object with the methods read, poll, watch, report, reports, close.'
    ],
    [rest, 'instead of a store. Return an object with the methods read, poll.']
  ]
  for (const [store, message] of table) {
    const { message: thrown } = await loadGuard({
      dataCenters: 'DC-01',
      fleet: storeFleet({ store: () => store as never, name: NAME })
    }).catch((error) => error)
    t.ok(thrown.endsWith(message), thrown)
  }
})

t.test('reports of a store of your own that are iterated in an odd way end no process', async (t) => {
  const iterating = (iterator: unknown) => () => ({ [Symbol.asyncIterator]: () => iterator }) as never
  const table: [what: string, reports: FleetStore['reports']][] = [
    ['iterators that reject', iterating(Promise.reject(new Error('own')))],
    ['an iterator that is like a promise', iterating(failingThenable('own'))],
    ['a next that is', iterating({ next: () => failingThenable('own') })],
    ['an item that is', iterating({ next: async () => ({ done: false, value: failingThenable('own') }) })]
  ]
  for (const [what, reports] of table) {
    const guard = await onOwnStore(t, { reports })
    t.match(await guard.fleet!.status(), { lastError: /own/, live: 1 }, what)
  }
})

t.test('what the methods of a store of your own return is checked, with what to return instead', async (t) => {
  const list = JSON.stringify(sound({ revision: 'stored' }))
  const state = (changed: object) => async () => ({ version: 5, list, overrides: null, ...changed })
  const text = 'Return the text that was written, or null where there is none.'
  const states: [read: () => Promise<unknown>, message: string][] = [
    [
      async () => undefined,
      'returned undefined. Return { version, list, overrides }, or null where there is no state.'
    ],
    [async () => [5, list], 'Return { version, list, overrides }, or null where there is no state.'],
    [state({ version: '5' }), "returned '5' as the version. Return a number."],
    [state({ version: 5n }), 'returned 5n as the version. Return a number.'],
    [state({ list: undefined }), `returned undefined as the list. ${text}`],
    [state({ list: sound() }), `returned { provenance, rows } as the list. ${text}`],
    [state({ list: Buffer.from(list) }), `returned an object of the class Buffer as the list. ${text}`],
    [state({ overrides: undefined }), `returned undefined as the overrides. ${text}`],
    [state({ overrides: [] }), `returned [] as the overrides. ${text}`]
  ]
  for (const [read, message] of states) {
    const guard = await onOwnStore(t, { read: read as FleetStore['read'] })
    const { revision, lastError } = guard.status()
    t.equal(revision, 'own')
    t.ok(lastError?.includes('The method "read" of your store ') && lastError.includes(message), `${lastError}`)
  }
  const polled = await onOwnStore(t, { poll: (async () => undefined) as never })
  t.equal(
    (await polled.fleet!.status()).lastError,
    'The method "poll" of your store returned undefined. Return the version, a number, or null where there is no state.'
  )
  const report = { id: 'a', text: '{}', age: 1 }
  const groups = 'Write async *reports() { yield [{ id, text, age }] }, with any number of reports in a list.'
  const reports: [reports: () => unknown, message: string][] = [
    [async () => undefined, `returned undefined. ${groups}`],
    [async () => [report], `returned [{…}]. ${groups}`],
    [
      async function* () {
        yield report
      },
      `returned { id, text, age } as a list of reports. ${groups}`
    ],
    [
      async function* () {
        yield [null]
      },
      `returned null as a report. ${groups}`
    ],
    [
      async function* () {
        yield [{ ...report, age: '1' }]
      },
      `returned { id, text, age } as a report. ${groups}`
    ]
  ]
  for (const [read, message] of reports) {
    const guard = await onOwnStore(t, { reports: read as FleetStore['reports'] })
    t.equal((await guard.fleet!.status()).lastError, `The method "reports" of your store ${message}`)
  }
  const right = await onOwnStore(t, {
    reports: async function* () {
      yield [report]
    }
  })
  t.match(await right.fleet!.status(), { lastError: null, replicas: [] }, 'what a report says is checked elsewhere')
})

t.test(
  'a promise in the place of any part of what a store of your own returns is named, and ends no process',
  async (t) => {
    const rejected = () => Promise.reject(new Error('away'))
    class Row {
      readonly [name: string]: unknown
      constructor(parts: object) {
        Object.assign(this, parts)
      }
    }
    const state = () => ({ version: 5, list: null, overrides: null })
    const group = () => [
      { id: 'a', text: '{}', age: 1 },
      { id: 'b', text: '{}', age: 1 }
    ]
    const unawaited = (what: string) => `returned a promise as ${what}. Await it before you pass it.`
    const states: [read: () => unknown, message: string][] = [
      ...['version', 'list', 'overrides'].flatMap((part): [() => unknown, string][] => [
        [() => replaced(state(), part, rejected()), unawaited(`the ${part}`)],
        [() => new Row(replaced(state(), part, rejected())), unawaited(`the ${part}`)]
      ]),
      [() => new Row({ version: 5, list: rejected(), overrides: rejected() }), unawaited('the list')],
      [() => ({ version: rejected(), list: rejected(), overrides: [rejected()] }), unawaited('the version')],
      [() => [rejected()], 'returned [{…}]. Return { version, list, overrides }']
    ]
    for (const [read, message] of states) {
      const guard = await onOwnStore(t, { read: (async () => read()) as never })
      t.ok(guard.status().lastError?.includes(message), `${guard.status().lastError}`)
      await untilRejected()
    }
    const groups: [reports: () => unknown, message: string][] = [
      [() => [...group(), rejected()], unawaited('a report')],
      [() => [rejected(), rejected()], unawaited('a report')],
      ...['id', 'text', 'age'].map((part): [() => unknown, string] => [
        () => [...replaced(group(), `0.${part}`, rejected()), new Row({ text: rejected() })],
        unawaited(`the ${part} of a report`)
      ]),
      [() => ({ reports: rejected() }), 'returned { reports } as a list of reports.']
    ]
    for (const [yielded, message] of groups) {
      const reports = async function* () {
        yield yielded() as never
      }
      const guard = await onOwnStore(t, { reports })
      t.match((await guard.fleet!.status()).lastError, new RegExp(message.replaceAll(/[{}[\].]/g, '\\$&')))
      await untilRejected()
    }
    const others: [methods: object, message: string | null][] = [
      [{ poll: async () => [rejected()] }, 'The method "poll" of your store returned [{…}].'],
      [{ reports: async () => [rejected()] }, 'The method "reports" of your store returned [{…}].'],
      [{ report: async () => [rejected()] }, null]
    ]
    for (const [methods, message] of others) {
      const guard = await onOwnStore(t, methods)
      await tick()
      const { lastError } = await guard.fleet!.status()
      t.equal(lastError?.slice(0, message?.length) ?? null, message)
      await untilRejected()
    }
    const fleet = storeFleet({ store: () => ownStore({ read: rejected(), poll: rejected() } as never), name: NAME })
    await t.rejects(loadGuard({ dataCenters: 'DC-01', fleet }), { message: /an object with the methods read, poll\./ })
    await untilRejected()
  }
)

t.test('a copy that could not be written is written when that is possible again', async (t) => {
  const redis = new FakeRedis()
  const folder = join(t.testdir({}), 'volume')
  const copy = join(folder, 'copy.json')
  const guard = await replica(t, redis, { fleet: { copy, report: false } })
  await controlOf(t, redis).publish(sound({ revision: 'r1' }))
  await until(() => guard.status().revision === 'r1')
  const warnings = async () => (await guard.fleet!.status()).warnings
  for (let i = 0; i < 100 && (await warnings()).length === 0; i++) await tick()
  t.match(await warnings(), [/could not be written: ENOENT/])
  mkdirSync(folder)
  for (let i = 0; i < 100 && (await warnings()).length > 0; i++) await tick()
  t.strictSame(await warnings(), [])
  t.match(readFileSync(copy, 'utf8'), /r1/)
  const { mtimeMs } = statSync(copy)
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.equal(statSync(copy).mtimeMs, mtimeMs, 'and not at every poll')
})

t.test('the state that a replica starts with is copied when it has been in use for two seconds', async (t) => {
  const redis = new FakeRedis()
  await controlOf(t, redis).publish(sound({ revision: 'r1' }))
  const copy = join(t.testdir({}), 'copy.json')
  await replica(t, redis)
  await replica(t, redis, { fleet: { copy } })
  await until(() => existsSync(copy))
  t.match(readFileSync(copy, 'utf8'), /r1/)
})

t.test('what cannot be reported or copied is shown', async (t) => {
  const redis = new FakeRedis()
  const guard = await replica(t, redis, { fleet: { copy: join(t.testdir({}), 'no', 'such', 'folder.json') } })
  const control = controlOf(t, redis)
  await control.publish(sound({ revision: 'r1' }))
  await until(() => guard.status().revision === 'r1')
  const warned = async (count: number) => {
    for (let i = 0; i < 100; i++) {
      const status = await guard.fleet!.status()
      if (status.warnings.length === count) return status
      await tick()
    }
    throw new Error(`There are no ${count} warnings.`)
  }
  const copy = /local copy .*folder\.json could not be written: ENOENT.*\.$/
  t.match(await warned(1), { warnings: [copy], lastError: null })
  redis.errors.set('SET', 'NOPERM No permissions to access a key')
  const right =
    /could not report: NOPERM .*\. Add %RW~\{moengage:webhooks\}:replicas\* to the rule of this user in the ACL\./
  t.match(await warned(2), { warnings: [right, copy], lastError: null })
  redis.stop()
  const own = await guard.fleet!.status()
  t.match(own, { live: 1, replicas: [{ id: own.self, state: 'live' }], lastError: /./ }, 'it knows of itself')
})
