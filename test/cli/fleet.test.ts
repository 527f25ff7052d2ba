import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { redisClient } from '../../src/cli/redis-client.js'
import { directory, loadGuard } from '../../src/core.js'
import { redisFleet } from '../../src/redis.js'
import { generateKeys, readPrivateKey } from '../../src/signing/keys.js'
import { claimedDocument, signDocument } from '../../src/signing/signed-document.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { run, type World } from '../support/cli.js'
import { FakeRedis, idOf } from '../support/fake-redis.js'
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
  const { version: second } = JSON.parse((await command(['fleet', 'log', '--json'])).stdout)[1]
  t.match(await command(['rollback']), {
    code: 0,
    stdout: new RegExp(`^rolled back to revision r2 of 2026-11-20, which was version ${second}\\nversion`)
  })
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

t.test('a rollback leaves out no list that the log has without its content', async (t) => {
  const many = Array.from({ length: 4000 }, (_, i) => `2620:fe:aaaa:bbbb:cccc:dddd:${i.toString(16)}:ffff`)
  const log = `{moengage:${NAME}}:log`
  const lists = { a: list('aaa'), b: list('bbb'), long: list('long', many) }
  const table: [published: (keyof typeof lists)[], expected: RegExp][] = [
    [['a', 'b', 'long'], /^rolled back to revision bbb /],
    [['a', 'long', 'b'], /no list for version \d+ \(list long of .*\)\. It was too long .* Publish the file/]
  ]
  const withoutParts = (entry: string) => JSON.stringify({ ...JSON.parse(entry), part: undefined })
  for (const [published, expected] of table) {
    for (const isOld of [false, true]) {
      const { redis, command } = fleetOf()
      for (const name of published) await command(['publish', '-'], { stdin: lists[name] })
      await command(['override', 'allow', '8.8.8.8'])
      if (isOld) redis.lists.set(log, redis.lists.get(log)!.map(withoutParts))
      const { stdout, stderr } = await command(['rollback'])
      t.match(stdout + stderr, expected, `${published}${isOld ? ', in the log of an earlier version' : ''}`)
    }
  }
  const { redis, command } = fleetOf()
  for (const stdin of [lists.a, lists.b]) await command(['publish', '-'], { stdin })
  const damaged = (entry: string) => entry.replace('9.9.9.1', '9.9.9.1/8')
  redis.lists.set(log, redis.lists.get(log)!.map(damaged))
  t.match(await command(['rollback']), {
    code: 2,
    stderr: /no list for version \d+ .*9\.9\.9\.1\/8.* Publish the file/s
  })
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
  redis.errors.set('EVAL', 'ERR scripts are off')
  t.match(await command(['fleet', 'log']), { code: 2, stderr: /ERR scripts are off/ })
  redis.errors.set('EVAL', "NOPERM this user has no permissions to run the 'eval' command")
  t.match(await command(['fleet', 'log']), { code: 0 }, 'a user who may only read')
  const keys = 'NOPERM this user has no permissions to access one of the keys used as arguments'
  for (const [sent, error, argv, fix] of [
    [
      'TIME',
      "NOPERM this user has no permissions to run the 'time' command",
      ['publish', '-'],
      /Add \+time to the rule/
    ],
    [
      'HMGET',
      "NOPERM User a has no permissions to run the 'hmget' command",
      ['publish', '-'],
      /Add \+hmget to the rule/
    ],
    ['HMGET', keys, ['fleet', 'status'], /Add %R~\{moengage:webhooks\}:state to the rule/],
    [
      'HSTRLEN',
      'WRONGTYPE no',
      ['fleet', 'status'],
      /publish the list again: redis-cli DEL '\{moengage:webhooks\}:state'/
    ],
    ['ZSCAN', keys, ['fleet', 'status'], /Add %R~\{moengage:webhooks\}:replicas\* to the rule/],
    ['EVAL', 'WRONGTYPE no (LRANGE)', ['rollback'], /begins a new one: redis-cli DEL '\{moengage:webhooks\}:log'/],
    ['EVAL', "ERR The user executing the script can't run this command (LRANGE)", ['rollback'], /Add \+lrange to/],
    ['EVAL', 'ERR The user executing the script is not known', ['rollback'], /Look at the server/]
  ] as const) {
    redis.errors.clear()
    redis.errors.set(sent, error)
    t.match(await command(argv, { stdin: list('r2') }), { code: 2, stderr: fix }, `${sent}: ${error}`)
  }
  redis.errors.clear()
  for (const [error, fix] of [
    ["ERR The user executing the script can't run this command or subcommand (LPUSH)", 'Add +lpush to the rule'],
    ["NOPERM this user has no permissions to run the 'eval' command", 'Add +eval to the rule'],
    [
      'NOPERM this user has no permissions to access one of the keys used as arguments',
      'Add %RW~{moengage:webhooks}:state %RW~{moengage:webhooks}:log to the rule'
    ],
    [
      "ERR The user executing the script can't publish to the channel mentioned in the command (PUBLISH)",
      'Add &{moengage:webhooks}:changed to the rule'
    ],
    ['WRONGTYPE Operation against a key holding the wrong kind of value (LTRIM)', 'Delete it, and the next change'],
    ['NOPERM in other words', undefined],
    ['ERR scripts are off', undefined]
  ] as const) {
    redis.errors.set('EVAL', error)
    const { code, stderr } = await command(['publish', '-'], { stdin: list('r2') })
    t.equal(code, 2)
    t.match(stderr, `failed: ${error}. ${fix === undefined ? 'Look at the server' : `Nothing was changed. ${fix}`}`)
  }
  redis.errors.clear()
  redis.answer = (args) => (args[0] === 'EVAL' ? 0 : FakeRedis.prototype.answer.call(redis, args))
  t.match(await command(['publish', '-'], { stdin: list('r2') }), { code: 2, stderr: /20 times in a row/ })
  Reflect.deleteProperty(redis, 'answer')
  for (const version of ['x', '00017']) {
    redis.hash(STATE).set('version', version)
    t.match(await command(['publish', '-'], { stdin: list('r2') }), {
      code: 2,
      stderr: /redis-cli HSET '\{moengage:webhooks\}:state' version 1\./
    })
  }
  for (const version of ['1', `${Number.MAX_SAFE_INTEGER}`]) {
    redis.hash(STATE).set('version', version)
    const code = version === '1' ? 0 : 2
    t.match(await command(['publish', '-'], { stdin: list('r2') }), { code }, version)
  }
})

t.test('overrides are set and removed', async (t) => {
  const { command } = fleetOf()
  const set = await command(['override', 'allow', '8.8.8.8', '--for', '24h', '--note', 'ticket 4711'])
  t.match(set, { code: 0, stdout: /^override \w{8}: allow 8\.8\.8\.8 until 20\S+Z\nversion \d+\n$/ })
  const { override } = JSON.parse(
    (await command(['override', 'deny', '2620:fe::/48', '--until', '2999-12-31T00:00:00Z', '--json'])).stdout
  )
  t.match(override, { deny: ['2620:fe::/48'], until: '2999-12-31T00:00:00.000Z', origin: 'fleet' })
  t.match(await command(['override', 'mode', 'tag']), { code: 0, stdout: /^override \w{8}: mode tag, no end\n/ })
  const status = await command(['fleet', 'status'])
  t.match(
    status.stdout,
    /allow 8\.8\.8\.8\/32 {2,}20\S+Z {2,}ticket 4711\n\w{8} {2}deny 2620:fe::\/48 .*\n\w{8} {2}mode tag {2,}no end\n$/
  )
  t.match(await command(['override', 'remove', '8.8.8.8']), {
    code: 0,
    stdout: /^removed:\noverride .*\n\w{8} {2}allow 8\.8\.8\.8\/32 .* ticket 4711\nversion \d+\n$/
  })
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
  for (const [time, error] of [
    ['1ms', /for: '1ms' is too short\./],
    ['100000d', /for: '100000d' is too long\./]
  ] as const) {
    t.match(await command(['override', 'allow', '8.8.8.8', '--for', time]), { code: 2, stderr: error })
  }
})

t.test('an option that an action has no use for is refused, and its advice leads on', async (t) => {
  const table: [argv: string, error: RegExp, instead: string][] = [
    [
      'override allow 8.8.8.8 --expires 24h',
      /--expires is about what is signed, and this change is not\. For an end of the override, write --for 24h\. For a signature, add --sign KEY; or leave --expires out\./,
      'override allow 8.8.8.8 --for 24h'
    ],
    [
      'override mode tag --expires 2030-01-01',
      /For an end of the override, write --until 2030-01-01T00:00Z\./,
      'override mode tag --until 2030-01-01T00:00Z'
    ],
    [
      'override remove 9.9.9.9 --for 2h',
      /^error: remove has no use for --for\. It ends overrides at once and for good\. Leave --for out\./,
      'override remove 9.9.9.9'
    ],
    ['override remove 9.9.9.9 --until 2030-01-01T00:00Z', /no use for --until/, 'override remove 9.9.9.9'],
    ['override remove 9.9.9.9 --note why', /no use for --note/, 'override remove 9.9.9.9'],
    ['override remove 9.9.9.9 --confirm wide', /no use for --confirm/, 'override remove 9.9.9.9'],
    [
      'override remove 9.9.9.9 --expires 2h',
      /this change is not\. For a signature, add --sign KEY; or leave/,
      'override remove 9.9.9.9'
    ],
    [
      'override mode tag --confirm wide',
      /^error: mode has no use for --confirm\. Leave --confirm out\./,
      'override mode tag'
    ],
    ['publish - --expires 7d', /For a signature, add --sign KEY; or leave --expires out\./, 'publish -'],
    ['rollback --expires 7d', /For a signature, add --sign KEY; or leave --expires out\./, 'rollback']
  ]
  for (const [argv, error, instead] of table) {
    const { redis, command } = fleetOf()
    for (const revision of ['r1', 'r2']) await command(['publish', '-'], { stdin: list(revision) })
    await overridesOf(command, ['allow 9.9.9.9'])
    const before = redis.hash(STATE).get('version')
    const refused = await command(argv.split(' '), { stdin: list('r3') })
    t.match(refused, { code: 2, stdout: '', stderr: error }, argv)
    t.equal(redis.hash(STATE).get('version'), before, 'nothing is changed')
    t.match(await command(instead.split(' '), { stdin: list('r3') }), { code: 0 }, instead)
  }
})

/** Sets overrides, each by its action and value, and resolves with their ids. */
async function overridesOf(command: ReturnType<typeof fleetOf>['command'], set: readonly string[]) {
  const ids: string[] = []
  for (const override of set) {
    const { stdout } = await command(['override', ...override.split(' '), '--json'])
    ids.push(JSON.parse(stdout).override.id)
  }
  return ids
}

t.test('what is removed ends whole overrides, each of which was named with all that it holds', async (t) => {
  const table: [set: string[], name: string][] = [
    [['allow 8.8.8.8', 'deny 8.8.4.4'], '8.8.8.8/32'],
    [['allow 8.8.8.8,8.8.4.4'], '8.8.8.8,8.8.4.4'],
    [['allow 8.8.8.8,8.8.4.4'], '8.8.4.4; 8.8.8.8'],
    [['allow 8.8.8.0/24', 'allow 8.8.8.8'], '8.8.8.0/24'],
    [['allow 2001:4860:0:0::1'], '2001:4860:0:0::1'],
    [['deny 2001:4860::1'], '2001:4860:0::0:1/128'],
    [['mode tag', 'deny 8.8.4.4'], 'mode']
  ]
  for (const [set, name] of table) {
    const { command } = fleetOf()
    const [first, ...others] = await overridesOf(command, set)
    const { code, stdout } = await command(['override', 'remove', name, '--json'])
    const removed = (found: string) => JSON.parse(found).removed.map(({ id }: { id: string }) => id)
    t.strictSame([code, removed(stdout)], [0, [first]], name)
    const { overrides } = JSON.parse((await command(['fleet', 'status', '--json'])).stdout)
    t.match(
      overrides,
      others.map((id) => ({ id })),
      `${name}: the others stay`
    )
  }
  const { command } = fleetOf()
  await overridesOf(command, ['allow 8.8.8.8', 'deny 8.8.4.4'])
  const both = await command(['override', 'remove', '8.8.8.8,8.8.4.4'])
  t.match(both, { code: 0, stdout: /^removed:\n.*\n.* {2}allow 8\.8\.8\.8\/32 .*\n.* {2}deny 8\.8\.4\.4\/32 / })
  const log = await command(['fleet', 'log'])
  t.match(
    log.stdout.split('\n')[0],
    /override \w{8} removed: allow 8\.8\.8\.8\/32; override \w{8} removed: deny 8\.8\.4\.4\/32$/
  )
  const many = Array.from({ length: 40 }, (_, i) => `8.8.4.${i}`).join()
  const [id] = await overridesOf(command, [`deny ${many}`])
  t.match(
    await command(['override', 'remove', id!]),
    { code: 0, stdout: /deny 8\.8\.4\.39\/32 / },
    'all parts are shown'
  )
  t.match((await command(['fleet', 'log'])).stdout.split('\n')[0], /, 8\.8\.4\.\d.*…$/)
})

t.test('nothing is removed where a part of an override or several are named, and the error says what is', async (t) => {
  const table: [set: string[], name: string, message: RegExp][] = [
    [
      ['allow 8.8.8.8,8.8.4.4'],
      '8.8.8.8',
      /'8\.8\.8\.8' is only a part of an override:\n {2}- (\w{8}): allow 8\.8\.8\.8\/32, 8\.8\.4\.4\/32\n End it .* remove \1\./
    ],
    [
      ['allow 8.8.8.8', 'deny 8.8.8.8'],
      '8.8.8.8',
      /in 2 overrides:\n {2}- \w{8}: allow 8.*\n {2}- \w{8}: deny 8.*\n End one as a whole, by its id: .* remove ID\./
    ],
    [['allow 8.8.8.8', 'allow 8.8.4.4,8.8.4.5'], '8.8.8.8,8.8.4.4', /in 2 overrides/],
    [['mode tag', 'mode reject'], 'mode', /in 2 overrides:\n {2}- \w{8}: mode tag\n {2}- \w{8}: mode reject\n/],
    [['allow 8.8.8.8'], '8.8.8.8,8.8.4.4', /No override of the fleet has the id or the prefix '8\.8\.4\.4'\./],
    [['allow 8.8.8.0/24'], '8.8.8.8', /No override of the fleet has/],
    [['allow 8.8.8.8'], 'the first', /No override of the fleet has the id or the prefix 'the first'\./]
  ]
  for (const [set, name, message] of table) {
    const { command } = fleetOf()
    const ids = await overridesOf(command, set)
    t.match(await command(['override', 'remove', name]), { code: 2, stdout: '', stderr: message }, name)
    const { overrides } = JSON.parse((await command(['fleet', 'status', '--json'])).stdout)
    t.match(
      overrides,
      ids.map((id) => ({ id })),
      `${name}: all stay`
    )
    for (const id of ids) t.match(await command(['override', 'remove', id]), { code: 0 }, 'by its id each ends')
  }
  t.match(
    (await fleetOf().command(['override', '--help'])).stdout,
    /remove ends whole overrides, at once and for good\. It takes the id/
  )
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
    [['allow', '["8.8.8.8","9.9.9.9"]'], /It is a list in JSON\. Write 8\.8\.8\.8,9\.9\.9\.9\.\n$/, /quotes/],
    [['remove', '["8.8.8.8"]'], /It is a list in JSON\. Write 8\.8\.8\.8\.\n$/],
    [['deny', '[]'], /It is a list in JSON\. Leave it out\.\n$/],
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

t.test('what was published is said, also where nobody can see whether it is used', async (t) => {
  const { redis, command } = fleetOf()
  redis.errors.set('ZSCAN', "NOPERM this user has no permissions to run the 'zscan' command")
  const published = await command(['publish', '-', '--wait'], { stdin: list('r1') })
  t.match(published, { code: 2, stdout: /r1.*\nversion \d+\n/s, stderr: /NOPERM .*Add \+zscan/ })
  const json = await command(['publish', '-', '--wait', '--json'], { stdin: list('r2') })
  t.match(json, { code: 2, stdout: /"version": \d+/, stderr: /NOPERM/ })
})

t.test('signed changes', async (t) => {
  const { redis, command } = fleetOf()
  const key = join(t.testdir({}), 'key.pem')
  writeFileSync(key, generateKeys().privatePem, { mode: 0o600 })
  t.match(await command(['publish', '-', '--sign', key], { stdin: list('r1') }), { code: 0, stderr: '' })
  t.match(redis.hash(STATE).get('list'), /^eyJ/)
  t.match(redis.hash(STATE).get('overrides'), /^eyJ/, 'that there are no overrides is signed as well')
  t.match(await command(['override', 'deny', '8.8.8.8', '--sign', key, '--expires', '7d']), {
    code: 0,
    stdout: /: deny 8\.8\.8\.8, no end\n/,
    stderr:
      'warning: The override has no end: --expires is about the signature. For an end of the override, write --for 7d.\n'
  })
  t.match(await command(['override', 'deny', '8.8.4.4', '--sign', key, '--expires', '7d', '--for', '7d']), {
    code: 0,
    stderr: ''
  })
  t.match(await command(['fleet', 'status']), { code: 0, stdout: /deny 8\.8\.8\.8/ })
  t.match(await command(['override', 'deny', '8.8.8.9']), { code: 2, stderr: /--sign KEY/ })
  redis.errors.set('ZSCAN', "NOPERM this user has no permissions to run the 'zscan' command")
  const blind = await command(['override', 'deny', '8.8.8.9', '--sign', key])
  t.match(
    blind,
    { code: 2, stderr: /NOPERM .*'zscan' command\. Add \+zscan to the rule of this user in the ACL\./ },
    'what replicas report is compared'
  )
  redis.errors.clear()
  t.match(await command(['publish', '-', '--sign', 'missing.pem'], { stdin: list('r1') }), {
    code: 2,
    stderr: /could not be read/
  })
})

/** A fleet whose changes are signed, and what a stranger can do to its store. */
function signedFleetOf(t: Test) {
  const fleet = fleetOf()
  // A test may have several keys, in a folder each.
  const folder = mkdtempSync(join(tmpdir(), 'moengage-key-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const key = join(folder, 'key.pem')
  const { privatePem, publicLine } = generateKeys()
  writeFileSync(key, privatePem, { mode: 0o600 })
  const signed = (argv: readonly string[], world: World = {}) => fleet.command([...argv, '--sign', key], world)
  const publish = (...argv: string[]) => signed(['publish', '-', ...argv], { stdin: list('r1') })
  return { ...fleet, key, publicLine, signed, publish, state: fleet.redis.hash(STATE), memory: `${key}.signed.json` }
}

const forged = (item: object = {}) =>
  JSON.stringify({ overrides: [{ id: 'feedbeef', since: '2026-11-26', allow: ['203.0.114.66/32'], ...item }] })

t.test('what a stranger wrote into the store is not signed with the next change', async (t) => {
  const other = signedFleetOf(t)
  const signedByOther = async () => {
    await other.publish('--adopt', 'none')
    await other.signed(['override', 'allow', '203.0.114.66'])
    return other.state.get('overrides')!
  }
  const table: [what: string, forge: () => string | Promise<string>, error: RegExp][] = [
    ['not signed', forged, /It is not signed/],
    ['by another key', signedByOther, /Its signature is by none of the public keys/]
  ]
  for (const [what, forge, error] of table) {
    const { signed, publish, state, command, redis } = signedFleetOf(t)
    await publish()
    const [good, overrides] = [state.get('overrides')!, await forge()]
    state.set('overrides', overrides).set('version', `${Number(state.get('version')) + 1}`)
    const refused = await signed(['override', 'deny', '198.51.101.7'])
    t.match(refused, { code: 2, stdout: '', stderr: error }, what)
    t.match(refused.stderr, /They are:\n {2}- \w{8}: allow 203\.0\.114\.66\/32\n/, 'it is shown')
    t.equal(state.get('overrides'), overrides, 'nothing is changed')
    const [, digest] = /--adopt ([\da-f]{40})\./.exec(refused.stderr)!
    const adopted = await signed(['override', 'deny', '198.51.101.7', '--adopt', digest!])
    t.match(adopted, {
      code: 0,
      stdout: /\nsigned: 2 overrides\n.*\n\w{8} {2}allow 203\.0\.114\.66\/32 .*\n\w{8} {2}deny 198/
    })
    state.set('overrides', forged({ note: 'another one' }))
    t.match(await signed(['override', 'mode', 'tag', '--adopt', digest!]), {
      code: 2,
      stderr: /not those that were shown/
    })
    redis.hash(STATE).delete('overrides')
    t.match(await signed(['override', 'mode', 'tag', '--adopt', digest!]), {
      code: 2,
      stderr: /not those that were shown/
    })
    state.set('overrides', overrides)
    const fresh = await signed(['override', 'mode', 'tag', '--adopt', 'none', '--json'])
    t.match(JSON.parse(fresh.stdout), { signed: [{ mode: 'tag', allow: [] }] })
    t.equal(JSON.parse(fresh.stdout).signed.length, 1)
    state.set('overrides', forged())
    const published = await publish()
    t.match(published, { code: 2, stderr: /It is not signed.*They are:/s }, 'nor is a list published beside it')
    t.match(await publish('--adopt', 'none'), { code: 0, stdout: /\nsigned: no override\n/ })
    t.not(state.get('overrides'), good)
    t.match(await command(['fleet', 'status']), { code: 0 })
  }
})

t.test('overrides that cannot be read are not adopted', async (t) => {
  const { signed, publish, state } = signedFleetOf(t)
  await publish()
  for (const overrides of ['{', forged({ allow: 'x' }), forged({ allow: [{}] }), 'eyJhbGciOiJub25lIn0']) {
    state.set('overrides', overrides)
    const { stderr } = await signed(['override', 'deny', '198.51.101.7'])
    t.match(stderr, /They cannot be read: .* To start without any override, add --adopt none\./, overrides)
    t.notMatch(stderr, /--adopt [\da-f]/)
  }
  state.set('overrides', forged({ allow: ['8.8.8.8, 9.9.9.9'], note: 'x\n  - a: deny \u001b[31m' }))
  const { stderr } = await signed(['override', 'deny', '198.51.101.7'])
  t.match(
    stderr,
    /They are:\n {2}- feedbeef: allow "8\.8\.8\.8, 9\.9\.9\.9": "x\\u\{a\} {2}- a: deny \\u\{1b\}\[31m"\n Look/
  )
})

t.test('an older state of the store is not signed as the newest', async (t) => {
  const { signed, publish, state, memory, key, command } = signedFleetOf(t)
  await publish()
  await signed(['override', 'allow', '203.0.114.9'])
  const old = new Map(state)
  await signed(['override', 'remove', '203.0.114.9'])
  const [, good] = [await publish(), new Map(state)]
  t.equal(statSync(memory).mode & 0o777, 0o600)
  const put = (...parts: [string, string | undefined][]) => {
    for (const [name, text] of [...good, ...parts]) {
      if (text === undefined) state.delete(name)
      else state.set(name, text)
    }
  }
  const override = () => signed(['override', 'deny', '198.51.101.7'])
  put(['overrides', old.get('overrides')])
  const replayed = await override()
  t.match(replayed, {
    code: 2,
    stderr: /It is version \d+, and version \d+ was signed here later\. They are:\n.*203\.0\.114\.9/
  })
  t.match(await publish(), { code: 2, stderr: /was signed here later/ })
  put(['overrides', undefined])
  t.match(await override(), { code: 2, stderr: /There are none, and version \d+ was signed here\./ })
  t.match(await publish(), { code: 2, stderr: /There are none/ }, 'nor is it signed that there are none')
  put(['list', old.get('list')])
  t.match(await override(), {
    code: 2,
    stderr: /The list .* was signed here later\. Publish the list again: .* publish LIST/
  })
  put(['list', undefined])
  t.match(await override(), { code: 2, stderr: /There is none, and version/ })
  put(['list', list('r9')])
  t.match(await override(), { code: 2, stderr: /It is not signed/ })
  const twice = await signDocument(
    {
      kind: 'list',
      name: NAME,
      version: claimedDocument(good.get('list')!).version,
      expires: '2999-01-01T00:00:00Z',
      payload: {}
    },
    readPrivateKey(readFileSync(key, 'utf8'))
  )
  put(['list', twice])
  t.match(await override(), { code: 2, stderr: /with another content than was signed here/ })
  t.match(await publish(), { code: 0 }, 'which is mended by publishing')
  t.match(await override(), { code: 0 })
  const another = { env: { ...ENV, MOENGAGE_REDIS_URL: 'redis://user:secret@127.0.0.1:2/3' } }
  put(['overrides', old.get('overrides')], ['list', old.get('list')])
  const elsewhere = await signed(['override', 'deny', '9.9.9.9'], another)
  t.match(elsewhere, {
    code: 2,
    stderr: /signed here later for 127\.0\.0\.1:1, which may be this store by another name\./
  })
  const [, digest] = /--adopt ([\da-f]{40})\./.exec(elsewhere.stderr)!
  t.match(await signed(['override', 'deny', '9.9.9.9', '--adopt', digest!], another), { code: 0 })
  t.match(await signed(['override', 'deny', '9.9.9.8'], another), { code: 0 }, 'another server is another fleet')
  t.notMatch(readFileSync(memory, 'utf8'), /secret/)
  t.match(await command(['override', 'deny', '9.9.9.9', '--adopt', 'none']), { code: 2, stderr: /Add --sign KEY/ })
  t.match(await command(['override', 'deny', '9.9.9.9', '--adopt', 'all']), { code: 2, stderr: /or none to start/ })
})

t.test('the memory of a signer does not depend on how the URL is written', async (t) => {
  const at = (url: string) => ({ env: { ...ENV, MOENGAGE_REDIS_URL: url } })
  const table: [first: string, second: string][] = [
    ['redis://redis.example:6379', 'redis://redis.example'],
    ['redis://127.0.0.1:1', 'redis://127.0.0.1:1/'],
    ['redis://127.0.0.1:1', 'rediss://user:secret@127.0.0.1:1/0'],
    ['redis://127.0.0.1:1/2', 'redis://127.0.0.1:1/02'],
    ['redis://Redis.Example:1', 'redis://redis.example:1'],
    // These have another name, which the memory cannot know.
    ['redis://127.0.0.1:1', 'redis://localhost:1'],
    ['redis://primary.example', 'redis://failover.example/1']
  ]
  for (const [first, second] of table) {
    for (const isUsed of [false, true]) {
      const { signed, state } = signedFleetOf(t)
      const publish = (url: string) => signed(['publish', '-'], { ...at(url), stdin: list('r1') })
      await publish(first)
      // The store is known by both names from its first change on.
      if (isUsed) t.match(await publish(second), { code: 0, stderr: '' }, `${first}, then ${second}`)
      await signed(['override', 'allow', '203.0.114.9'], at(first))
      const old = state.get('overrides')!
      await signed(['override', 'remove', '203.0.114.9'], at(first))
      state.set('overrides', old)
      const replayed = await signed(['override', 'deny', '198.51.101.7'], at(second))
      t.match(replayed, { code: 2, stderr: /was signed here later/ }, `${first}, then ${second}`)
    }
  }
})

t.test('two stores of a fleet are told apart after the first change of each', async (t) => {
  const staging = { env: { ...ENV, MOENGAGE_REDIS_URL: 'redis://staging.example' } }
  const { signed, redis, memory } = signedFleetOf(t)
  const publish = (...argv: string[]) => signed(['publish', '-', ...argv], { stdin: list('r1') })
  await publish()
  const other = fleetOf()
  const world = { ...staging, redis: other.redis.io(), stdin: list('r1') }
  const first = await signed(['publish', '-'], world)
  t.match(first, {
    code: 2,
    stderr: /There are none, .* signed here for 127\.0\.0\.1:1, which may be this store by another name\..*--adopt none/
  })
  t.match(await signed(['publish', '-', '--adopt', 'none'], world), { code: 0 })
  for (const address of ['9.9.9.1', '9.9.9.2']) {
    t.match(await signed(['override', 'deny', address]), { code: 0 })
    t.match(await signed(['override', 'deny', address], world), { code: 0 })
  }
  // As an earlier version wrote it.
  const all = JSON.parse(readFileSync(memory, 'utf8')) as Record<string, object>
  const earlier = Object.entries(all).map(([key, marks]) => [key.replace('127.0.0.1:1', '127.0.0.1:1/0'), marks])
  writeFileSync(memory, JSON.stringify({ ...Object.fromEntries(earlier), 'a:b c': {} }))
  t.match(await signed(['override', 'deny', '9.9.9.3']), { code: 0 })
  t.match(Object.keys(JSON.parse(readFileSync(memory, 'utf8'))), { length: 3 })
  redis.hash(STATE).set('overrides', other.redis.hash(STATE).get('overrides')!)
  t.match(await signed(['override', 'deny', '9.9.9.4']), { code: 2, stderr: /was signed here later\./ })
})

t.test('what was signed last is noted beside the key', async (t) => {
  const { redis, publish, memory } = signedFleetOf(t)
  for (const text of ['{', '[]', '{"a":7}', '{"a":{"list":7}}', '{"a":{"overrides":{"version":"1","digest":"x"}}}']) {
    writeFileSync(memory, text)
    t.match(await publish(), { code: 2, stderr: /key\.pem\.signed\.json, .* it is damaged\. Delete it/ }, text)
  }
  rmSync(memory)
  mkdirSync(memory)
  t.match(await publish(), { code: 2, stderr: /could not be read: it is not a regular file\. Delete it/ })
  rmdirSync(memory)
  const answer = redis.answer.bind(redis)
  redis.answer = (args) => {
    if (args[0] === 'EVAL') mkdirSync(memory)
    return answer(args)
  }
  t.match(await publish(), { code: 0, stderr: /^warning: What was signed could not be noted in .*older state\.\n$/s })
  rmdirSync(memory)
  redis.answer = (args) => {
    const later = { version: 9e15, digest: 'x' }
    if (args[0] === 'EVAL') {
      const [fleet] = Object.keys(JSON.parse(readFileSync(memory, 'utf8')))
      writeFileSync(memory, JSON.stringify({ [fleet!]: { overrides: later } }))
    }
    return answer(args)
  }
  writeFileSync(memory, '{"127.0.0.1:1 other":{}}')
  t.match(await publish('--adopt', 'none'), { code: 0 })
  t.match(readFileSync(memory, 'utf8'), /9000000000000000/, 'of two commands at once, the later one is noted')
})

t.test('a state that is older than a replica reports is not signed', async (t) => {
  const { redis, signed, publish, state, publicLine, memory } = signedFleetOf(t)
  const fleet = redisFleet({
    client: redis.io(),
    name: NAME,
    poll: 100,
    report: 100,
    verify: { publicKeys: publicLine }
  })
  const source = { name: 'own', load: () => JSON.parse(list('own')) }
  const guard = await loadGuard({ dataCenters: 'DC-01', source, fleet })
  t.teardown(() => guard.close())
  await publish('--wait')
  await signed(['override', 'allow', '203.0.114.9', '--wait'])
  const old = new Map(state)
  await signed(['override', 'remove', '203.0.114.9', '--wait'])
  for (const [name, text] of old) state.set(name, text)
  rmSync(memory)
  const refused = await signed(['override', 'deny', '198.51.101.7'])
  t.match(refused, { code: 2, stderr: /The state of the store is of version \d+, and a replica reports version \d+\./ })
  state.clear()
  t.match(await publish(), { code: 2, stderr: /The store has no state, and a replica reports version \d+\./ })
  state.set('version', `${Number.MAX_SAFE_INTEGER}`)
  t.match(await publish('--adopt', 'none', '--wait'), { code: 0, stdout: /1 of 1 live replicas use it/ })
  const { version } = await guard.fleet!.status()
  t.ok(version! < Date.now() + 1000, 'a version that is far ahead is not followed')
})

t.test('a document that is far ahead of the clock is not followed', async (t) => {
  const { signed, publish, state, key } = signedFleetOf(t)
  const version = Date.now() + 2 * 3_600_000
  const about = { name: NAME, version, expires: '2999-01-01T00:00:00Z', payload: { overrides: [] } }
  await publish()
  state.set('overrides', await signDocument({ kind: 'override', ...about }, readPrivateKey(readFileSync(key, 'utf8'))))
  t.match(await signed(['override', 'deny', '8.8.8.8']), {
    code: 2,
    stderr: /which is ahead of the clock of this machine/
  })
  t.match(await signed(['override', 'deny', '8.8.8.8', '--adopt', 'none']), { code: 0 })
  t.ok(claimedDocument(state.get('overrides')!).version < version)
})

t.test('where lists are signed there is no rollback: the log of the store is not signed', async (t) => {
  const { command, signed, publish } = signedFleetOf(t)
  await command(['publish', '-'], { stdin: list('r1') })
  await command(['publish', '-'], { stdin: list('r2') })
  const fix = /Publish the file of the list that you mean: moengage-allowlist publish LIST --sign KEY/
  t.match(await signed(['rollback']), { code: 2, stderr: fix }, 'lists of a time without signatures')
  await publish()
  t.match(await command(['rollback']), { code: 2, stderr: fix })
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
    stdout: /used by 1 of 1 live replicas\nverified 1, rejected 2 \(not-listed 2\)\n\nreplica .*\n\S+ \d+ {2,}live /s
  })
  const watched = await command(['fleet', 'watch', '--for', '1ms'])
  t.match(watched, { code: 0, stdout: /^version \d+: 1 of 1 live replicas, 0 gone, 0 overrides\n$/ })
  t.match(JSON.parse((await command(['fleet', 'watch', '--for', '600ms', '--json'])).stdout), { live: 1, current: 1 })
  const bad = { stdin: list('bad', ['9.0.0.0/8']) }
  const unconfirmed = await command(['publish', '-'], bad)
  const message =
    /^error: Every replica refuses Standard input, and each later change with it, unless its own option confirm names 'wide'\. Look at the list\. .* publish it with (--confirm wide)\. /
  t.match(unconfirmed, { code: 2, stdout: '', stderr: message })
  t.equal(guard.status().revision, 'r1')
  const [, ...advice] = message.exec(unconfirmed.stderr)!
  const refused = await command(['publish', '-', '--wait', '300ms', ...advice[0]!.split(' ')], bad)
  t.match(refused, { code: 1, stdout: /0 of 1 live replicas use it/, stderr: /does not use it: .*\/16/s })
})

t.test('a replica that did not get there is named', async (t) => {
  const { redis, command } = fleetOf()
  const report = {
    ...{
      id: idOf(1),
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
  redis.scores.set(replicas, new Map([1, 2, 3].map((n) => [idOf(n), n])))
  redis.texts.set(`${replicas}:${idOf(1)}`, { text: JSON.stringify(report), end: Date.now() + 86_400_000 })
  redis.texts.set(`${replicas}:${idOf(3)}`, { text: JSON.stringify(report), end: Date.now() + 86_400_000 })
  const published = await command(['publish', '-', '--wait', '1ms'], { stdin: list('r1') })
  t.match(published, { code: 1, stderr: 'warning: h 7 does not use it\n' })
  t.match(await command(['fleet', 'status']), {
    stdout: /used by 0 of 1 live replicas\n.*\n\n.*\nh 7 {6}live {3}none /s
  })
})

t.test('--wait counts replicas that use what was published, or what came after it', async (t) => {
  const { redis, command } = fleetOf()
  const replicas = `{moengage:${NAME}}:replicas`
  const report = (n: number, host: string, version: number | null, lastError: string | null) => {
    const id = idOf(n)
    const own = { id, host, pid: 7, started: 1, reported: 2, isClosed: false, every: 1000, version, revision: 'r' }
    const text = JSON.stringify({ ...own, lastError, verified: 0, rejected: {}, lastVerified: [], senders: [] })
    redis.texts.set(`${replicas}:${id}`, { text, end: Date.now() + 86_400_000 })
    redis.scores.set(replicas, (redis.scores.get(replicas) ?? new Map()).set(id, 1))
  }
  const later = Date.now() + 60_000
  // Another change comes right after the one that is waited for.
  const answer = redis.answer.bind(redis)
  redis.answer = (args) => {
    const answered = answer(args)
    if (args[0] === 'EVAL') {
      redis.hash(STATE).set('version', `${later}`)
      report(1, 'newer', later, null)
      report(2, 'watching', later, 'The source "own" failed: LISTEN failed.')
      // The store has lost the state that it uses, and the clock of the server went back.
      report(3, 'stuck', later + 1, 'It is older \u001b[31m')
    }
    return answered
  }
  const published = await command(['publish', '-', '--wait', '1ms'], { stdin: list('r1') })
  t.match(published, {
    code: 1,
    stdout: /\n2 of 3 live replicas use it\n/,
    stderr: /^warning: stuck 7 does not use it: It is older[^\n]*\n$/
  })
  redis.answer = (args) => {
    const answered = answer(args)
    // Versions so far ahead are not followed.
    if (args[0] !== 'EVAL') return answered
    report(1, 'newer', Date.now() + 2 * 86_400_000, null)
    redis.hashes.clear()
    return answered
  }
  t.match(await command(['publish', '-', '--wait', '1ms'], { stdin: list('r2') }), {
    code: 1,
    stdout: /\n0 of 3 live replicas use it\n/
  })
})

t.test('--wait never counts a later version that is not based on the change: the store has lost it', async (t) => {
  const lost =
    /error: The store has lost this change: version \d+, which it has now, is not based on version \d+\. Make the change again\./
  /** What comes right after the change, by other commands, and whether the change is lost. */
  const table: [argv: string[], what: string, next: string[][], isLost: boolean][] = [
    [['override', 'deny', '8.8.8.8'], 'state', [['publish', '-']], true],
    [['override', 'deny', '8.8.8.8'], 'all', [['override', 'deny', '9.9.9.9']], true],
    [['override', 'deny', '8.8.8.8'], 'nothing', [['publish', '-']], false],
    [['override', 'deny', '8.8.8.8'], 'nothing', [['override', 'remove', '8.8.8.8']], false],
    [['override', 'deny', '8.8.8.8', '--for', '1h'], 'nothing but time', [['publish', '-']], false],
    [['override', 'deny', '8.8.8.8'], 'all', [], false],
    [['override', 'remove', '7.7.7.7'], 'all', [['override', 'deny', '9.9.9.9']], false],
    [['publish', '-'], 'all', [['override', 'deny', '9.9.9.9']], true],
    [['publish', '-'], 'nothing', [['override', 'deny', '9.9.9.9']], false],
    [['publish', '-'], 'all', [['publish', '-']], false]
  ]
  for (const [argv, what, next, isLost] of table) {
    const { redis, command } = fleetOf()
    const { now } = Date
    await command(['publish', '-'], { stdin: list('r1') })
    await command(['override', 'deny', '7.7.7.7'])
    const answer = redis.answer.bind(redis)
    let following: Promise<unknown> | undefined
    redis.answer = (args) => {
      const answered = answer(args)
      if (args[0] === 'EVAL' && following === undefined) {
        if (!what.startsWith('nothing')) redis.hashes.delete(STATE)
        if (what === 'nothing but time') Date.now = () => now() + 2 * 3_600_000
        if (what === 'all') redis.lists.clear()
        following = Promise.all(next.map((others) => command(others, { stdin: list('r3') })))
      }
      return answered
    }
    const found = await command([...argv, '--wait', '500ms'], { stdin: list('r2') })
    const name = `${argv.join(' ')}; lost ${what}; ${next.join(';')}`
    t.match(found.stdout, /\nversion \d+\n/, name)
    if (isLost) t.match(found, { code: 2, stderr: lost }, name)
    else t.match(found, { code: 1, stderr: 'warning: No replica reports.\n' }, name)
    await following
    Date.now = now
  }
})

t.test('overrides that nobody can read are an error with the command that removes them', async (t) => {
  for (const overrides of ['x', '[]', '{"overrides":[null]}']) {
    const { redis, command } = fleetOf()
    await command(['publish', '-'], { stdin: list('r1') })
    for (const argv of [
      ['fleet', 'status'],
      ['override', 'deny', '8.8.8.8'],
      ['override', 'remove', '8.8.8.8']
    ]) {
      redis.hash(STATE).set('overrides', overrides)
      const found = await command(argv)
      const mend = /cannot be read\. .*set them again: redis-cli HDEL '(\S+)' (\w+)\./s.exec(found.stderr)
      t.strictSame([found.code, mend?.slice(1)], [2, [STATE, 'overrides']], `${overrides}: ${argv}: ${found.stderr}`)
      redis.hash(STATE).delete('overrides')
    }
    t.match(await command(['override', 'deny', '8.8.8.8']), { code: 0 }, 'the command is enough')
  }
})

t.test('what a stranger wrote into the store does not steer the terminal', async (t) => {
  const { redis, command } = fleetOf()
  const overrides = forged({ allow: ['\u001b[31m'], note: 'a\u001b[2Jb', until: '2999-01-01T00:00Z' })
  redis.hash(STATE).set('version', '1').set('overrides', overrides)
  const { code, stdout } = await command(['fleet', 'status'])
  t.equal(code, 0)
  t.notOk(stdout.includes('\u001b'))
  for (const item of [{ allow: 'x' }, { allow: [{}] }, { until: 'now\u001b[31m' }]) {
    redis.hash(STATE).set('overrides', forged(item))
    const found = await command(['fleet', 'status'])
    t.match(found, { code: 2, stderr: /Its override 0 has "(allow|until)" with the value/ }, JSON.stringify(item))
    t.notMatch(found.stderr, /is not a function/)
    t.notOk(found.stderr.includes('\u001b'))
  }
})

t.test('what a list or the log says of itself does not steer the terminal', async (t) => {
  const { redis, command } = fleetOf()
  const hostile = '\u001b[31mr\u202e\u009b2J'
  for (const revision of [hostile, 'r2']) {
    const { stdout } = await command(['publish', '-'], { stdin: list(revision) })
    t.match(stdout, /^published: revision [\x20-\x7e]+\nversion \d+\n$/)
  }
  t.match((await command(['rollback'])).stdout, /^rolled back to revision [\x20-\x7e]+\nversion \d+\n$/)
  redis.lists.set(`{moengage:${NAME}}:log`, [
    JSON.stringify({ version: 1, at: hostile, by: hostile, what: `list ${hostile}` }),
    JSON.stringify({ version: 1, at: hostile, by: hostile, what: `list ${hostile}` })
  ])
  for (const argv of [['fleet', 'log'], ['rollback']]) {
    const { stdout, stderr } = await command(argv)
    t.match(stdout + stderr, /^[\x20-\x7e\n]+$/, argv.join(' '))
  }
})

t.test('an emptied store goes on above the versions that replicas report, whatever its clock says', async (t) => {
  const { redis, command } = fleetOf()
  const guard = await replica(t, redis)
  await command(['publish', '-'], { stdin: list('r1') })
  const ahead = Date.now() + 300_000
  redis.hash(STATE).set('version', `${ahead}`)
  await until(() => [...redis.texts.values()].some(({ text }) => text.includes(`"version":${ahead}`)))
  redis.hashes.clear()
  const published = await command(['publish', '-', '--wait'], { stdin: list('r2') })
  t.match(published, { code: 0, stdout: new RegExp(`\\nversion ${ahead + 1}\\n1 of 1 live`) })
  t.match(guard.status(), { revision: 'r2', lastError: null })
  redis.errors.set('ZSCAN', 'WRONGTYPE Operation against a key')
  t.match(
    await command(['publish', '-'], { stdin: list('r3') }),
    { code: 0 },
    'reports that cannot be read stop nobody'
  )
})

t.test('a damaged version is an error with its fix', async (t) => {
  const { redis, command } = fleetOf()
  await command(['publish', '-'], { stdin: list('r1') })
  redis.hash(STATE).set('version', 'abc')
  t.match(await command(['fleet', 'status']), {
    code: 2,
    stdout: '',
    stderr: /Set it, and run the command again: redis-cli HSET '\{moengage:webhooks\}:state' version 1\./
  })
  redis.hash(STATE).set('version', '1')
  t.match(await command(['fleet', 'status']), { code: 0, stdout: /version 1,/ })
})

t.test('watch goes on when the store fails for a while', async (t) => {
  const { redis, command } = fleetOf()
  redis.errors.set('HGET', 'LOADING Redis is loading')
  t.match(
    await command(['fleet', 'watch', '--for', '1s']),
    { code: 2, stderr: /LOADING/ },
    'the first look must succeed'
  )
  redis.errors.clear()
  const watched = command(['fleet', 'watch', '--for', '2200ms'])
  await until(() => redis.received.includes('ZSCAN'))
  await new Promise((resolve) => setTimeout(resolve, 100))
  redis.errors.set('HGET', 'LOADING Redis is loading')
  await new Promise((resolve) => setTimeout(resolve, 1100))
  redis.errors.clear()
  t.match(await watched, {
    code: 0,
    stdout: /^version none: .*\nversion none: .*\n$/,
    stderr: /^warning: The store could not be read, and is asked again: LOADING Redis is loading\.\n$/
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
    [['--redis', 'redis://localhost/two'], {}, /not a URL of Redis/],
    [['--redis', 'redis://localhost?db=2'], {}, /not a URL of Redis.*with \/2 behind it for database 2/],
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
  const { redis, command: unsigned } = fleetOf()
  const guard = await replica(t, redis)
  const key = join(t.testdir({}), 'key.pem')
  writeFileSync(key, generateKeys().privatePem, { mode: 0o600 })
  const lines = readFileSync('docs/fleet.md', 'utf8').match(/^moengage-allowlist .*$/gm)!
  t.equal(lines.length, 8)
  const signedFleet = fleetOf()
  for (const line of lines) {
    const { command } = line.includes('--sign') ? signedFleet : { command: unsigned }
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
