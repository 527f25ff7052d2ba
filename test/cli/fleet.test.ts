import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { redisClient } from '../../src/cli/redis-client.js'
import { directory, loadGuard } from '../../src/core.js'
import { redisFleet } from '../../src/redis.js'
import { generateKeys } from '../../src/signing/keys.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { run, type World } from '../support/cli.js'
import { FakeRedis } from '../support/fake-redis.js'
import { until } from '../support/http.js'
import { snapshotOf } from '../support/snapshots.js'

const NAME = 'webhooks'
const STATE = `{moengage:${NAME}}:state`
const ENV = { MOENGAGE_REDIS_URL: 'redis://127.0.0.1:1', MOENGAGE_FLEET: NAME }
const list = (revision: string, addresses = ['9.9.9.1']) =>
  JSON.stringify(snapshotOf({ 'DC-01 connector': addresses }, { revision }))

/** A fleet on a fake server, with the command line. */
function fleetOf() {
  const redis = new FakeRedis()
  const now = new Date().toISOString()
  const command = (argv: readonly string[], world: World = {}) =>
    run(argv, { env: ENV, redis: redis.io(), now, ...world })
  return { redis, command }
}

async function replica(t: Test, redis: FakeRedis) {
  const source = { name: 'own', load: () => JSON.parse(list('own')) }
  const fleet = redisFleet({ client: redis.io(), name: NAME, poll: 100, report: 100 })
  const guard = await loadGuard({ dataCenters: 'DC-01', source, fleet })
  t.teardown(() => guard.close())
  return guard
}

t.test('a list is published, rolled back and logged', async (t) => {
  const { redis, command } = fleetOf()
  const published = await command(['publish', '-'], { stdin: list('r1') })
  t.match(published, { code: 0, stdout: /^published: revision r1 of 2026-11-20\nversion \d{13}\n$/, stderr: '' })
  t.match(await command(['rollback']), { code: 2, stderr: /no list before the last one/ })
  await command(['publish', '-'], { stdin: list('r2') })
  t.match(JSON.parse((await command(['publish', 'bundled', '--json'])).stdout), { version: Number })
  t.match(redis.hash(STATE).get('list'), directory.provenance.revision)
  t.match(await command(['rollback']), { code: 0, stdout: /^rolled back\n/ })
  t.match(redis.hash(STATE).get('list'), '"r2"')
  const log = await command(['fleet', 'log'])
  t.match(
    log.stdout,
    /^\d{13} {2}20\S+Z {2}\S+@\S+ {2}rollback to the list of version \d{13}\n.*\n.*list r2 of 2026-11-20\n.*list r1/
  )
  const changes = JSON.parse((await command(['fleet', 'log', '--json'])).stdout)
  t.equal(changes.length, 4)
  t.notOk('list' in changes[0], 'without the lists')
  redis.lists.set(`{moengage:${NAME}}:log`, ['{', 'null', '{"version":"x"}'])
  t.match(await command(['fleet', 'log']), { code: 0, stdout: 'no change\n' })
})

t.test('a change that another one came before is not made', async (t) => {
  const { redis, command } = fleetOf()
  t.match(await command(['publish', '-', '--expect', '0'], { stdin: list('r1') }), { code: 0 })
  t.match(await command(['publish', '-', '--expect', '7'], { stdin: list('r2') }), {
    code: 2,
    stderr: /The store has version \d+, not 7\./
  })
  redis.hashes.clear()
  t.match(await command(['rollback', '--expect', '7']), { code: 2 })
  t.match(await command(['publish', '-', '--expect', '7'], { stdin: list('r2') }), { stderr: /has no state, not 7/ })
  redis.errors.set('EVAL', 'NOPERM this user has no permissions')
  t.match(await command(['publish', '-'], { stdin: list('r2') }), {
    code: 2,
    stderr: /store of the fleet "webhooks" failed: NOPERM/
  })
  redis.errors.clear()
  redis.answer = (args) => (args[0] === 'EVAL' ? 0 : FakeRedis.prototype.answer.call(redis, args))
  t.match(await command(['publish', '-'], { stdin: list('r2') }), { code: 2, stderr: /20 times in a row/ })
  Reflect.deleteProperty(redis, 'answer')
  redis.hash(STATE).set('version', 'x')
  t.match(await command(['publish', '-'], { stdin: list('r2') }), {
    code: 2,
    stderr: /Delete the key \{moengage:webhooks\}:state/
  })
})

t.test('overrides are set and removed', async (t) => {
  const { command } = fleetOf()
  const set = await command(['override', 'allow', '8.8.8.8', '--for', '24h', '--note', 'ticket 4711'])
  t.match(set, { code: 0, stdout: /^override \w{8}: allow 8\.8\.8\.8 until 20\S+Z\nversion \d+\n$/ })
  const { override } = JSON.parse(
    (await command(['override', 'deny', '2620:fe::/48', '--until', '2999-12-31T00:00:00Z', '--json'])).stdout
  )
  t.match(override, { deny: ['2620:fe::/48'], until: '2999-12-31T00:00:00.000Z', origin: 'fleet' })
  t.match(await command(['override', 'mode', 'tag']), { code: 0, stdout: /^override \w{8}: mode tag\n/ })
  const status = await command(['fleet', 'status'])
  t.match(
    status.stdout,
    /allow 8\.8\.8\.8\/32 {2,}20\S+Z {2,}ticket 4711\n\w{8} {2}deny 2620:fe::\/48 .*\n\w{8} {2}mode tag {2,}no end\n$/
  )
  t.match(await command(['override', 'remove', '8.8.8.8']), { code: 0, stdout: /^removed: 8\.8\.8\.8\n/ })
  t.match(await command(['override', 'remove', override.id]), { code: 0 })
  t.match(await command(['override', 'remove', 'mode']), { code: 0 })
  t.match(await command(['override', 'remove', '8.8.8.8']), { code: 2, stderr: /No override of the fleet/ })
  const several = JSON.parse((await command(['override', 'allow', '8.8.8.8, 9.9.9.0/24', '--json'])).stdout)
  t.strictSame(several.override.allow, ['8.8.8.8/32', '9.9.9.0/24'])
  t.match(await command(['override', 'allow', '10.0.0.0/16']), { code: 2, stderr: /private.*MOE_ERR_SUSPICIOUS/s })
  t.match(await command(['override', 'allow', '10.0.0.0/16', '--confirm', 'private']), { code: 0 })
  t.match(await command(['override', 'mode', 'tags']), { code: 2, stderr: /not a mode/ })
  t.match(await command(['override', 'block', '8.8.8.8']), { code: 2, stderr: /block is not one of allow, deny/ })
  t.match(await command(['override', 'allow', '8.8.8.8', '--for', '24']), { code: 2, stderr: /Write a time like/ })
})

t.test('a wrong override is answered in the words of a command line', async (t) => {
  const { command } = fleetOf()
  const table: [argv: string[], stderr: RegExp, never?: RegExp][] = [
    [
      ['mode', 'tag', '--until', '2026-12-01'],
      /--until.*Write a time with its zone, like \d{4}-\d\d-\d\dT\d\d:\d\dZ\./,
      /Date/
    ],
    [['allow', '10.0.0.0/8', '--confirm', 'wide,broad'], /--confirm.*Write one or more of: wide, private\./],
    [['allow', '10.0.0.0/16'], /If it is right, confirm it: --confirm private\./, /confirm: \[/],
    [['allow', '0.0.0.0/0'], /MOE_ERR_TRUSTS_EVERYONE/, /confirm/],
    [['allow', '8.8.8.8 9.9.9.9'], /several entries in one string\. Write a comma between them\./, /array/],
    [['allow', '8.8.8.8,9.9.9.300'], /allow\[1\]: "9\.9\.9\.300"/, /array/],
    [['deny', '0.0.0.0/0'], /MOE_ERR_TRUSTS_EVERYONE/, /confirm/],
    [['list'], /list is not one of allow, deny, mode, remove\. To see the overrides: moengage-allowlist fleet status/],
    [['allow'], /missing required argument 'value'/]
  ]
  for (const [argv, stderr, never] of table) {
    const found = await command(['override', ...argv])
    t.match(found, { code: 2, stdout: '', stderr }, argv.join(' '))
    if (never !== undefined) t.notMatch(found.stderr, never)
  }
  for (const confirm of [['wide,private'], ['wide, private'], ['wide', 'private'], ['wide', '--confirm', 'private']]) {
    const argv = ['override', 'allow', '10.0.0.0/8', '--confirm', ...confirm]
    t.match(await command(argv), { code: 0 }, confirm.join(' '))
  }
  t.match(await command(['override', '--help']), { stdout: /override \[options\] <action> <value>/ })
})

t.test('signed changes', async (t) => {
  const { redis, command } = fleetOf()
  const key = join(t.testdir({}), 'key.pem')
  writeFileSync(key, generateKeys().privatePem, { mode: 0o600 })
  t.match(await command(['publish', '-', '--sign', key], { stdin: list('r1') }), { code: 0, stderr: '' })
  t.match(redis.hash(STATE).get('list'), /^eyJ/)
  t.match(redis.hash(STATE).get('overrides'), /^eyJ/, 'that there are no overrides is signed as well')
  t.match(await command(['override', 'deny', '8.8.8.8', '--sign', key, '--expires', '7d']), { code: 0 })
  t.match(await command(['fleet', 'status']), { code: 0, stdout: /deny 8\.8\.8\.8/ })
  t.match(await command(['override', 'deny', '8.8.8.9']), { code: 2, stderr: /--sign KEY/ })
  t.match(await command(['publish', '-', '--sign', 'missing.pem'], { stdin: list('r1') }), {
    code: 2,
    stderr: /could not be read/
  })
})

t.test('a list that no replica would read is not published', async (t) => {
  const { redis, command } = fleetOf()
  const addresses = Array.from(
    { length: 19_000 },
    (_, i) => `2620:fe:aaaa:bbbb:cccc:${(i >> 8).toString(16)}:${i.toString(16)}:ffff`
  )
  const text = JSON.stringify({
    ...JSON.parse(list('r1', addresses)),
    notes: [{ address: '9.9.9.1', dataCenter: 'DC-01', text: 'x'.repeat(900_000) }]
  })
  t.match(await command(['publish', '-'], { stdin: text }), { code: 2, stderr: /would take more than 1500000 bytes/ })
  t.match(
    await command(['publish', '-'], { stdin: list('r1', addresses.slice(0, 4000)) }),
    { code: 0 },
    'a long one is not kept in the log'
  )
  t.match(await command(['rollback']), { code: 2 })
  const note = 'n'.repeat(200)
  const overrides = Array.from({ length: 563 }, (_, i) => ({
    id: `id${i}`,
    since: '2026-01-01',
    deny: [`9.9.${i >> 8}.${i & 255}`],
    note
  }))
  redis.hash(STATE).set('overrides', JSON.stringify({ overrides }))
  t.match(await command(['override', 'deny', '9.8.7.6', '--note', 'n'.repeat(200)]), {
    code: 2,
    stderr: /overrides would take more/
  })
})

t.test('publish --wait waits until all live replicas use the list', async (t) => {
  const { redis, command } = fleetOf()
  const lonely = await command(['publish', '-', '--wait', '1ms', '--json'], { stdin: list('r0') })
  t.match(lonely, { code: 1, stderr: /No replica reports/ })
  const guard = await replica(t, redis)
  for (const peer of [LISTED, STRANGER, '9.9.9.1']) guard.judge({ peer, headers: {} })
  await until(() => redis.texts.size > 0)
  let progress = ''
  const stderr = new Writable({
    write(chunk, _, done) {
      progress += chunk
      done()
    }
  })
  const published = await command(['publish', '-', '--wait'], {
    stdin: list('r1'),
    stderr: Object.assign(stderr, { isTTY: true })
  })
  t.match(published, { code: 0, stdout: /\n1 of 1 live replicas use it\n$/ })
  t.match(progress, /1 of 1 live replicas use version \d+\n/)
  t.equal(guard.status().revision, 'r1')
  await until(() => [...redis.texts.values()].some(({ text }) => text.includes(STRANGER)))
  t.match((await command(['fleet', 'senders'])).stdout, /198\.51\.100\.7 {2,}1 {2,}not-listed 1 /)
  t.match(await command(['fleet', 'status']), {
    stdout: /used by 1 of 1 live replicas\nverified 1, rejected 2 \(not-listed 2\)\n\nreplica .*\n\S+ \d+ {2}live /s
  })
  const watched = await command(['fleet', 'watch', '--for', '1ms'])
  t.match(watched, { code: 0, stdout: /^version \d+: 1 of 1 live replicas, 0 gone, 0 overrides\n$/ })
  t.match(JSON.parse((await command(['fleet', 'watch', '--for', '600ms', '--json'])).stdout), { live: 1, current: 1 })
  const refused = await command(['publish', '-', '--wait', '300ms'], { stdin: list('bad', ['9.0.0.0/8']) })
  t.match(refused, { code: 1, stdout: /0 of 1 live replicas use it/, stderr: /does not use it: .*\/16/s })
})

t.test('a replica that did not get there is named', async (t) => {
  const { redis, command } = fleetOf()
  const report = {
    ...{
      id: 'a',
      host: 'h',
      pid: 7,
      started: 1,
      reported: 2,
      isClosed: false,
      every: 1000,
      version: null,
      revision: 'r'
    },
    ...{ lastError: null, verified: 0, rejected: {}, lastVerified: [], senders: [] }
  }
  const replicas = `{moengage:${NAME}}:replicas`
  redis.scores.set(replicas, new Map(Object.entries({ a: 1, gone: 2, other: 3 })))
  redis.texts.set(`${replicas}:a`, { text: JSON.stringify(report), end: Date.now() + 86_400_000 })
  redis.texts.set(`${replicas}:other`, { text: JSON.stringify(report), end: Date.now() + 86_400_000 })
  const published = await command(['publish', '-', '--wait', '1ms'], { stdin: list('r1') })
  t.match(published, { code: 1, stderr: 'warning: h 7 does not use it\n' })
  t.match(await command(['fleet', 'status']), {
    stdout: /used by 0 of 1 live replicas\n.*\n\n.*\nh 7 {6}live {3}none /s
  })
})

t.test('a fleet that nobody reports to is shown', async (t) => {
  const { command } = fleetOf()
  t.match(await command(['fleet', 'status']), {
    code: 0,
    stdout: 'webhooks: version none, used by 0 of 0 live replicas\nverified 0, rejected 0\n'
  })
  t.match(await command(['fleet', 'senders']), { code: 0, stdout: 'no sender was rejected\n' })
  t.match(JSON.parse((await command(['fleet', 'senders', '--json'])).stdout), [])
  t.match(await command(['fleet', 'watch', '--for', '1ms']), { stdout: /^version none:/ })
})

t.test('a command says which store and which fleet it lacks', async (t) => {
  const { command } = fleetOf()
  const table: [argv: string[], env: Record<string, string>, error: RegExp][] = [
    [[], {}, /No store is named/],
    [['--redis', 'http://localhost'], {}, /not a URL of Redis/],
    [['--redis', 'redis://localhost'], {}, /No fleet is named/],
    [
      ['--redis', 'redis://localhost', '--name', 'a b'],
      {},
      /^error: --name: "a b" is not a name .* Write --name webhooks/
    ],
    [
      ['--redis', 'redis://localhost'],
      { MOENGAGE_FLEET: 'a/b' },
      /^error: MOENGAGE_FLEET: "a\/b" is not a name .* or set/
    ],
    [
      ['--redis', 'redis://localhost', '--name', 'a', '--scope', '{}'],
      {},
      /^error: --scope: "\{\}" .* Write --scope staging/
    ],
    [['--redis', 'redis://localhost', '--name', 'a', '--scope', ''], {}, /^error: --scope: "" is not a name/],
    [['--expect', 'x'], ENV, /version that fleet status shows/],
    [['--wait', '0s'], ENV, /Write a time/]
  ]
  for (const [argv, env, error] of table) {
    const command_ = argv.some((word) => /--expect|--wait/.test(word)) ? ['rollback'] : ['fleet', 'status']
    t.match(await command([...command_, ...argv], { env }), { code: 2, stderr: error }, argv.join(' '))
  }
  const failed = await command(['fleet', 'status', '--json'], { env: {} })
  t.match(JSON.parse(failed.stderr), { code: 'MOE_ERR_FLEET', fix: /MOENGAGE_REDIS_URL/ })
})

t.test('the commands of docs/fleet.md do what they say', async (t) => {
  const { redis, command } = fleetOf()
  const guard = await replica(t, redis)
  const key = join(t.testdir({}), 'key.pem')
  writeFileSync(key, generateKeys().privatePem, { mode: 0o600 })
  const lines = readFileSync('docs/fleet.md', 'utf8').match(/^moengage-allowlist .*$/gm)!
  t.equal(lines.length, 8)
  for (const line of lines) {
    const [, ...argv] = line.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''))
    const words = argv.map((word) => ({ 'list-signing.key': key })[word] ?? word)
    const { code, stderr } = await command(
      words.map((word) => (word === 'moengage.json' ? '-' : word)),
      { stdin: list('r1') }
    )
    // There is nothing to roll back to after one list.
    t.equal(code, argv[0] === 'rollback' ? 2 : 0, `${line}: ${stderr}`)
    if (argv.includes('--wait')) t.equal(guard.status().revision, 'r1')
  }
})

t.test('the first package that is installed makes the client', async (t) => {
  const missing = (name: string) => Promise.reject(Object.assign(new Error(name), { code: 'ERR_MODULE_NOT_FOUND' }))
  for (const installed of ['ioredis', 'iovalkey', 'redis']) {
    const client = await redisClient('redis://127.0.0.1:1', (name) =>
      name === installed ? import(name) : missing(name)
    )
    t.type((client as { duplicate?: unknown }).duplicate, 'function', installed)
  }
  t.ok(await redisClient('redis://127.0.0.1:1'))
  await t.rejects(redisClient('redis://127.0.0.1:1', missing), { code: 'MOE_ERR_FLEET' })
  await t.rejects(
    redisClient('redis://127.0.0.1:1', () => Promise.reject(new Error('broken'))),
    /broken/
  )
})
