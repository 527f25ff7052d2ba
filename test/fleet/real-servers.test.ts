import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Cluster, Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { redisClient } from '../../src/cli/redis-client.js'
import type { Snapshot } from '../../src/core.js'
import { FleetControl } from '../../src/fleet/control.js'
import { RedisStore } from '../../src/fleet/redis/store.js'
import { generateKeys, readPrivateKey } from '../../src/signing/keys.js'
import { LISTED, STRANGER } from '../support/addresses.js'
import { run } from '../support/cli.js'
import { idOf } from '../support/fake-redis.js'
import { controlOf, eventually, ForkedReplica, NAME, STATE, TIMES } from '../support/fleet.js'
import { freePort } from '../support/http.js'
import { RedisServer, SERVERS, skipWithoutServer } from '../support/redis-server.js'
import { sound } from '../support/snapshots.js'

const skip = skipWithoutServer()
const REPLICAS = 8
const KINDS = ['ioredis', 'iovalkey', 'redis']
const bundled = JSON.parse(readFileSync('src/directory/moengage.json', 'utf8')) as Snapshot
/** The bundled list under another revision, with further addresses for connector campaigns of DC-01. */
function list(revision: string, further: readonly string[] = []): Snapshot {
  const rows = bundled.rows.map((row) =>
    row.dataCenter === 'DC-01' && row.channel === 'connector'
      ? { ...row, addresses: [...(row.addresses as string[]), ...further] }
      : row
  )
  return { ...bundled, provenance: { ...bundled.provenance, revision }, rows }
}

const usesRevision = (revision: string) => async (replica: ForkedReplica) =>
  (await replica.status()).revision === revision
const all = async (replicas: readonly ForkedReplica[], isSo: (replica: ForkedReplica) => Promise<boolean>) =>
  (await Promise.all(replicas.map(isSo))).every(Boolean)
const everywhere = (replicas: readonly ForkedReplica[], isSo: (replica: ForkedReplica) => Promise<boolean>) =>
  eventually(() => all(replicas, isSo))

function raw(t: Test, url: string): Redis {
  const client = new Redis(url, { retryStrategy: null })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

t.test('eight replicas on a real server', { skip, timeout: 240_000 }, async (t) => {
  const folder = t.testdir({})
  const server = await RedisServer.start(t)
  const copy = (i: number) => join(folder, `copy-${i}.json`)
  const kinds = ['ioredis', 'iovalkey', 'redis']
  const start = (i: number) => ForkedReplica.start(t, server.url, { kind: kinds[i % 3], fleet: { copy: copy(i) } })
  let replicas = await Promise.all(Array.from({ length: REPLICAS }, (_, i) => start(i)))
  let control = controlOf(t, server.url)

  await t.test('all of them answer by a list soon after it is published', async (t) => {
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const address = `9.9.9.${round}`
      await control.publish(list(`round${round}`, [address]))
      const isIn = async (replica: ForkedReplica) => (await replica.judge(address)).status === 200
      times.push(...(await Promise.all(replicas.map((replica) => eventually(() => isIn(replica))))))
    }
    times.sort((a, b) => a - b)
    t.comment(`publish to answer: p50 ${times[times.length >> 1]!.toFixed(0)} ms, max ${times.at(-1)!.toFixed(0)} ms`)
    t.ok(times.at(-1)! < 5000)
  })

  await t.test('two hundred changes in a row end on the last one everywhere', async (t) => {
    await control.publish(list('quick'))
    const redis = raw(t, server.url)
    const version = Number(await redis.hget(STATE, 'version'))
    for (let i = 1; i <= 200; i++) {
      await redis.hset(STATE, { version: version + i, list: JSON.stringify(list(`quick${i}`)) })
      await redis.publish(`{moengage:${NAME}}:changed`, `${version + i}`)
    }
    t.ok(await everywhere(replicas, usesRevision('quick200')))
  })

  await t.test('two publishers at once: both changes are made, and all replicas end on the same', async (t) => {
    const other = controlOf(t, server.url)
    const [a, b] = await Promise.all([control.publish(list('one')), other.publish(list('two'))])
    t.not(a, b)
    const last = a > b ? 'one' : 'two'
    t.ok(await everywhere(replicas, usesRevision(last)))
    await t.rejects(control.publish(list('three'), { expect: Math.min(a, b) }), { code: 'MOE_ERR_FLEET' })
    const stranger = await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 ? control : other).override({ allow: [`9.9.8.${i}`] }))
    )
    t.equal((await control.status()).overrides.length, stranger.length, 'no override is lost')
    for (const { override } of stranger) await control.removeOverride(override.id)
  })

  await t.test('an override reaches all, decides, and ends by itself', async (t) => {
    const { override } = await control.override({
      allow: [STRANGER.replace('198.51.100', '9.9.7')],
      for: '3s',
      note: 'test'
    })
    const address = override.allow[0]!.replace('/32', '')
    await everywhere(replicas, async (replica) => (await replica.judge(address)).verdict?.verified === true)
    const { verdict } = await replicas[0]!.judge(address)
    t.match(verdict, { override: { id: override.id, note: 'test' } })
    await control.override({ mode: 'tag' })
    await everywhere(replicas, async (replica) => (await replica.judge(STRANGER)).status === 200)
    t.match((await replicas[1]!.status()).overrides, [{ id: override.id, origin: 'fleet' }, { mode: 'tag' }])
    await control.removeOverride('mode')
    await everywhere(replicas, async (replica) => (await replica.judge(STRANGER)).status === 403)
    await everywhere(replicas, async (replica) => (await replica.judge(address)).status === 403)
  })

  await t.test('a blocked replica catches up, and is waited for', async (t) => {
    replicas[0]!.child.send({ block: 1000 })
    const published = await run(['publish', '-', '--wait', '--json', '--redis', server.url, '--name', NAME], {
      stdin: JSON.stringify(list('blocked'))
    })
    t.match([published.code, JSON.parse(published.stdout).replicas], [0, { live: REPLICAS, current: REPLICAS }])
    t.match(await replicas[0]!.status(), { revision: 'blocked' })
  })

  await t.test('the fleet is counted once, whoever is killed', async (t) => {
    const before = await control.status()
    const requests = [LISTED, LISTED, STRANGER]
    for (const replica of replicas) for (const address of requests) await replica.judge(address)
    const isCounted = async () => {
      const { verified, senders } = await control.status()
      const count = (list: typeof senders) => list.find(({ clientIp }) => clientIp === STRANGER)?.count ?? 0
      return verified - before.verified === 2 * REPLICAS && count(senders) - count(before.senders) === REPLICAS
    }
    await eventually(isCounted)
    await replicas[7]!.kill()
    await eventually(async () => (await control.status()).replicas.some(({ state }) => state === 'gone'))
    t.ok(await isCounted(), 'its last figures stay')
    t.match(await replicas[0]!.fleet(), { live: REPLICAS - 1, lastError: null })
    replicas[7] = await start(7)
    await eventually(async () => (await control.status()).live === REPLICAS)
    t.ok(await isCounted(), 'and a new process begins at zero')
    const closing = replicas[6]!
    closing.child.send({ close: true })
    await once(closing.child, 'exit')
    t.ok(
      (await control.status()).replicas.some(({ state }) => state === 'closed'),
      'one that is closed says so'
    )
    t.ok(await isCounted())
    replicas[6] = await start(6)
  })

  await t.test('no content of the store changes what requests are judged by', async (t) => {
    await control.publish(list('good', ['9.9.6.6']))
    await everywhere(replicas, usesRevision('good'))
    const redis = raw(t, server.url)
    const good = (await redis.hgetall(STATE)) as Record<string, string>
    const wide = sound({ revision: 'bad' }, ['9.0.0.0/8'])
    const inside = JSON.stringify(list('bad'))
    const table: [what: string, fields: Record<string, string>, error: RegExp][] = [
      ['not JSON', { list: 'moengage' }, /not JSON/],
      ['200,000 levels', { list: `${'['.repeat(200_000)}${']'.repeat(200_000)}` }, /deeper|JSON/],
      ['__proto__', { list: '{"__proto__":{"rows":[]},"constructor":{}}' }, /damaged/],
      ['null', { list: 'null' }, /damaged/],
      ['an empty text', { list: '' }, /empty/],
      ['a wide prefix', { list: JSON.stringify(wide) }, /\/16/],
      ['half of the internet', { list: JSON.stringify(sound({}, ['0.0.0.0/1'])) }, /half of the internet/],
      ['a private address', { list: JSON.stringify(sound({}, ['10.0.0.1'])) }, /private/],
      ['too few addresses', { list: JSON.stringify(sound({ revision: 'bad' })) }, /are gone/],
      ['a data center is missing', { list: inside.replaceAll('"DC-01"', '"DC-05"') }, /damaged|no static address/],
      ['overrides that are no list', { overrides: '{"overrides":7}' }, /not a list/],
      [
        'a wide override',
        { overrides: '{"overrides":[{"id":"a","since":"2026-01-01","allow":["9.0.0.0/8"]}]}' },
        /\/16/
      ],
      [
        'an override for everybody',
        { overrides: '{"overrides":[{"id":"a","since":"2026-01-01","allow":["0.0.0.0/0"]}]}' },
        /half/
      ],
      [
        'an override that confirms itself',
        { overrides: '{"overrides":[{"id":"a","since":"2026-01-01","confirm":["wide"],"allow":["9.0.0.0/8"]}]}' },
        /confirms itself/
      ],
      ['a version that is none', { version: 'abc' }, /version/],
      ['a list of 2 MB', { list: ' '.repeat(2_000_000) }, /bytes/]
    ]
    let version = Number(good.version)
    for (const [what, fields, error] of table) {
      version++
      await redis.hset(STATE, { ...good, version: `${version}`, ...fields })
      await redis.publish(`{moengage:${NAME}}:changed`, `${version}`)
      await everywhere(replicas.slice(0, 3), async (replica) => error.test((await replica.status()).lastError ?? ''))
      t.match((await replicas[0]!.judge('9.9.6.6')).verdict, { verified: true, revision: 'good' }, what)
    }
    const others: [what: string, change: () => Promise<unknown>, error: RegExp][] = [
      ['an older version', () => redis.hset(STATE, { ...good, version: '5' }), /older than/],
      ['the list is gone', () => redis.hdel(STATE, 'list'), /older|lost/],
      ['emptied', () => redis.flushall(), /no state any more/],
      ['of the wrong type', () => redis.set(STATE, 'text'), /WRONGTYPE/]
    ]
    for (const [what, change, error] of others) {
      await change()
      await everywhere(replicas.slice(0, 3), async (replica) => error.test((await replica.status()).lastError ?? ''))
      t.match((await replicas[0]!.judge('9.9.6.6')).verdict, { verified: true, revision: 'good' }, what)
    }
    await redis.del(STATE)

    // Poisoned: what is there is refused, and the copy or the bundled list takes its place.
    await redis.hset(STATE, { version: `${version + 1}`, list: JSON.stringify(wide) })
    const [withCopy, without] = await Promise.all([
      ForkedReplica.start(t, server.url, { fleet: { copy: copy(0) } }),
      ForkedReplica.start(t, server.url)
    ])
    t.match(await withCopy!.status(), { revision: 'good', lastError: /\/16/ }, 'it starts by its copy')
    t.match(
      await without!.status(),
      { revision: bundled.provenance.revision.slice(0, 12), lastError: /\/16/ },
      'by the bundled list'
    )
    t.equal((await without!.judge(LISTED)).status, 200)
    for (const replica of [withCopy!, without!]) await replica.kill()
    await control.publish(list('mended'))
    t.ok(await everywhere(replicas, usesRevision('mended')), 'what is published then is used by all')
  })

  await t.test('a copy is whole, and readable by its owner alone', async (t) => {
    await eventually(async () => JSON.parse(readFileSync(copy(0), 'utf8')).list.includes('mended'))
    t.equal(statSync(copy(0)).mode & 0o777, 0o600)
  })

  await t.test('while the server is paused for six seconds, no request waits', async (t) => {
    server.pause()
    let slowest = 0
    const end = Date.now() + 6000
    while (Date.now() < end) {
      const started = performance.now()
      const { status } = await replicas[0]!.judge(LISTED)
      if (status !== 200) t.fail('it is not judged')
      slowest = Math.max(slowest, performance.now() - started)
    }
    t.comment(`slowest request while the server was paused: ${slowest.toFixed(0)} ms`)
    t.ok(slowest < 1000)
    await everywhere(replicas, async (replica) => (await replica.status()).lastError !== null)
    server.resume()
    await everywhere(replicas, async (replica) => (await replica.status()).lastError === null)
    await control.publish(list('resumed'))
    t.ok(await everywhere(replicas, usesRevision('resumed')))
  })

  await t.test('when the server is killed all go on, start by their copies, and follow it again', async (t) => {
    await eventually(async () => JSON.parse(readFileSync(copy(1), 'utf8')).list.includes('resumed'))
    await server.kill()
    await everywhere(replicas, async (replica) => (await replica.status()).lastError !== null)
    t.ok(await all(replicas, async (replica) => (await replica.judge(LISTED)).status === 200))
    await replicas[1]!.kill()
    replicas[1] = await start(1)
    const bare = await ForkedReplica.start(t, server.url)
    t.comment(`started without the store: ${replicas[1]!.startedIn} ms by the copy, ${bare.startedIn} ms without one`)
    t.match(await replicas[1]!.status(), { revision: 'resumed', lastError: /fleet webhooks/ })
    t.match(await bare.status(), { revision: bundled.provenance.revision.slice(0, 12), lastError: /fleet webhooks/ })
    t.match(await bare.fleet(), { live: 1, replicas: [{ version: null }], lastError: /./ }, 'it knows of itself')
    await server.start()
    control = controlOf(t, server.url)
    await everywhere(replicas, async (replica) => /no state any more/.test((await replica.status()).lastError ?? ''))
    const took = await eventually(async () => (await control.status()).live === REPLICAS + 1)
    t.comment(`all report again ${took.toFixed(0)} ms after the restart was seen`)
    await control.publish(list('after', ['9.9.5.5']))
    t.ok(await everywhere([...replicas, bare], async (replica) => (await replica.judge('9.9.5.5')).status === 200))
  })

  await t.test('forked replicas end with the process that forked them', async (t) => {
    const [replica] = replicas
    replica!.child.disconnect()
    await once(replica!.child, 'exit')
    replicas = replicas.slice(1)
    t.pass()
  })
})

t.test('a half-open connection is given up', { skip, timeout: 60_000 }, async (t) => {
  const server = await RedisServer.start(t)
  const proxy = await mutableProxy(t, server.port)
  const replicas = await Promise.all(
    ['ioredis', 'iovalkey', 'redis'].map((kind) => ForkedReplica.start(t, `redis://127.0.0.1:${proxy.port}`, { kind }))
  )
  const control = controlOf(t, server.url)
  await control.publish(list('before'))
  await everywhere(replicas, usesRevision('before'))
  proxy.mute()
  await control.publish(list('behind'))
  const took = await everywhere(replicas, usesRevision('behind'))
  t.comment(`half-open: recovered after ${took.toFixed(0)} ms (poll ${TIMES.poll}, time-out ${TIMES.timeout})`)
  t.ok(took < 10_000)
})

/** Stores to be reached in each way, and a replica for each way and each client. */
async function everyWay(t: Test) {
  const password = 'secret'
  const acl = ['--user', 'user', 'on', `>${password}`, 'allkeys', 'allchannels', 'allcommands']
  const server = await RedisServer.start(t, acl)
  const config = join(t.testdir({}), 'sentinel.conf')
  writeFileSync(config, `sentinel monitor mymaster 127.0.0.1 ${server.port} 1\n`)
  const sentinel = await RedisServer.start(t, [config, '--sentinel'])
  const silent = await silentServer(t)
  const cluster = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--requirepass', password]
  const node = await RedisServer.start(t, cluster)
  const nodeUrl = node.url.replace('//', `//:${password}@`)
  await raw(t, nodeUrl).call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383)
  const sentinels = [silent, sentinel.port].map((port) => ({ host: '127.0.0.1', port }))
  const ways: [way: string, url: string, config: object, kinds: readonly string[], most: number][] = [
    ['one server', server.url, {}, KINDS, 6],
    ['a password', server.url.replace('//', `//user:${password}@`), {}, KINDS, 6],
    ['a database', `${server.url}/2`, {}, KINDS, 6],
    // To a Sentinel that is given up, these keep the connection for two seconds.
    ['Sentinels of which the first never answers', '', { sentinels }, ['ioredis', 'iovalkey'], 30],
    ['a cluster', '', { nodes: [node.port], password }, KINDS, 6]
  ]
  const replicas = await Promise.all(
    ways.flatMap(([way, url, config, kinds, most]) =>
      kinds.map(async (kind) => ({
        what: `${kind}, ${way}`,
        most,
        replica: await ForkedReplica.start(t, url, { kind, ...config })
      }))
    )
  )
  const urls = [server.url, `${server.url}/2`, nodeUrl]
  const publish = (revision: string) => Promise.all(urls.map((url) => controlOf(t, url).publish(list(revision))))
  return { servers: [server, sentinel, node], replicas, publish }
}

/** A server that accepts connections, and never answers nor ends one. */
async function silentServer(t: Test): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const outages: [what: string, begin: (server: RedisServer) => unknown, end: (server: RedisServer) => unknown][] = [
  ['hangs', (server) => server.pause(), (server) => server.resume()],
  ['is away', (server) => server.kill(), (server) => server.start()]
]
for (const [what, begin, end] of outages) {
  t.test(`while the store ${what}, attempts to connect are ended`, { skip, timeout: 120_000 }, async (t) => {
    const { servers, replicas, publish } = await everyWay(t)
    const all = replicas.map(({ replica }) => replica)
    await publish('before')
    await everywhere(all, usesRevision('before'))

    await Promise.all(servers.map(begin))
    await everywhere(all, async (replica) => (await replica.status()).lastError !== null)
    const inSeconds = async (seconds: number) => {
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds))
      return Promise.all(all.map((replica) => replica.sockets()))
    }
    const [early, late] = [await inSeconds(4), await inSeconds(6)]
    for (const [i, { what, most, replica }] of replicas.entries()) {
      t.comment(`${what}: ${early[i]} sockets, then ${late[i]}`)
      t.ok(late[i]! <= most, `${what}: at most ${most} sockets`)
      const { lastError } = await replica.status()
      t.match(lastError, /did not answer|timed out|unreachable|ECONNREFUSED|Failed to refresh/, `${what}: the reason`)
    }
    await Promise.all(servers.map(end))
    // A cluster takes a moment to be up.
    await eventually(() =>
      publish('after').then(
        () => true,
        () => false
      )
    )
    t.ok(await everywhere(all, usesRevision('after')), 'they follow the store again')

    await Promise.all(servers.map(begin))
    await inSeconds(2)
    await Promise.all(
      replicas.map(async ({ what, replica }) => {
        replica.child.send({ close: true })
        const late = new Promise((resolve) => setTimeout(resolve, 6000, 'not ended').unref())
        t.not(await Promise.race([once(replica.child, 'exit'), late]), 'not ended', `${what}: the process ends`)
      })
    )
  })
}

/** A proxy that can stop to hand on what connections carry, while they stay open. New ones work. */
async function mutableProxy(t: Test, to: number): Promise<{ port: number; mute: () => void }> {
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer((incoming) => {
    const outgoing = connect(to, '127.0.0.1')
    for (const [a, b] of [
      [incoming, outgoing],
      [outgoing, incoming]
    ] as const) {
      a.pipe(b)
      a.on('error', () => b.destroy())
    }
    pairs.add([incoming, outgoing])
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    mute() {
      for (const [incoming, outgoing] of pairs) {
        incoming.unpipe()
        outgoing.unpipe()
      }
    }
  }
}

/** The rules of docs/fleet.md, as a reader copies them. */
function documentedAcl(): string[][] {
  const blocks = [...readFileSync('docs/fleet.md', 'utf8').matchAll(/```text\n(user [\s\S]*?)```/g)]
  return blocks.flatMap(([, text]) => text!.trim().split('\n')).map((line) => line.split(' ').slice(1))
}

t.test('replicas and publishers need no more than the documented permissions', { skip, timeout: 60_000 }, async (t) => {
  const server = await RedisServer.start(t)
  const admin = raw(t, server.url)
  const rules = documentedAcl()
  t.strictSame(
    rules.map(([user]) => user),
    ['replica', 'publisher']
  )
  for (const rule of rules) await admin.call('ACL', 'SETUSER', ...rule)
  const as = (user: string) => server.url.replace('//', `//${user}:secret@`)
  const replicas = await Promise.all(
    ['ioredis', 'iovalkey', 'redis'].map((kind) => ForkedReplica.start(t, as('replica'), { kind }))
  )
  const control = controlOf(t, as('publisher'))
  await control.publish(list('first'))
  const { override } = await control.override({ allow: ['9.9.9.9'] })
  await everywhere(replicas, async (replica) => (await replica.judge('9.9.9.9')).status === 200)
  await control.removeOverride(override.id)
  await control.publish(list('second'))
  await control.rollback()
  await everywhere(replicas, usesRevision('first'))
  await eventually(async () => (await control.status()).current === 3)
  t.match(await replicas[0]!.fleet(), { live: 3, lastError: null })
  await control.log()
  t.strictSame(await admin.call('ACL', 'LOG'), [], 'nothing was denied')
  const replica = raw(t, as('replica'))
  for (const command of [
    ['hset', STATE, 'version', '9'],
    ['del', STATE],
    ['publish', `{moengage:${NAME}}:changed`, '1'],
    ['get', 'other']
  ]) {
    await t.rejects(replica.call(...(command as [string])), /NOPERM/, `a replica may not ${command[0]}`)
  }
  const [, rights] = /alone needs no right to write: `([^`]+)`/.exec(readFileSync('docs/fleet.md', 'utf8'))!
  await admin.call('ACL', 'SETUSER', 'viewer', 'on', '>secret', 'resetkeys', 'resetchannels', ...rights!.split(' '))
  const viewer = controlOf(t, as('viewer'))
  t.strictSame(await viewer.log(), await control.log(), 'one who may only read sees the log')
  t.match(await viewer.status(), { current: 3 })
  await t.rejects(viewer.publish(list('third')), /NOPERM/)
})

t.test(
  'replicas with the rule of an earlier version report, and say what to add',
  { skip, timeout: 60_000 },
  async (t) => {
    const server = await RedisServer.start(t)
    const admin = raw(t, server.url)
    for (const rule of documentedAcl()) {
      await admin.call('ACL', 'SETUSER', ...rule.map((word) => (word === '+zscan' ? '+zrevrange' : word)))
    }
    const as = (user: string) => server.url.replace('//', `//${user}:secret@`)
    const replicas = await Promise.all(
      ['ioredis', 'iovalkey', 'redis'].map((kind) => ForkedReplica.start(t, as('replica'), { kind }))
    )
    await controlOf(t, as('publisher')).publish(list('first'))
    await everywhere(replicas, usesRevision('first'))
    await eventually(async () => (await controlOf(t, server.url).status()).current === 3)
    const missing = /'zscan' command.*\. Add (\+zscan) to the rule of this user in the ACL\.$/
    for (const replica of replicas) t.match(await replica.fleet(), { live: 1, lastError: missing, warnings: [] })
    const [, addition] = missing.exec((await replicas[0]!.fleet()).lastError!)!
    await admin.call('ACL', 'SETUSER', 'replica', addition!)
    for (const replica of replicas) t.match(await replica.fleet(), { live: 3, lastError: null, warnings: [] })
  }
)

t.test('a change that the server refuses in part is not made, and the error says what to do', { skip }, async (t) => {
  const server = await RedisServer.start(t)
  const admin = raw(t, server.url)
  const rule = documentedAcl()[1]!
  const [log, channel] = [`{moengage:${NAME}}:log`, `&{moengage:${NAME}}:changed`]
  const key = join(t.testdir({}), 'list-signing.key')
  await run(['keygen', key])
  const options = ['--name', NAME, '--redis', server.url.replace('//', '//publisher:secret@')]
  const command = (argv: readonly string[]) =>
    run([...argv, ...options], { now: new Date().toISOString(), stdin: JSON.stringify(list('next')) })
  const lacking = (right: string) => () => admin.call('ACL', 'SETUSER', ...rule.filter((word) => word !== right))
  const ofWrongType = async () => {
    await admin.del(log)
    await admin.hset(log, 'a', 'b')
  }
  const rows: [what: string, damage: () => Promise<unknown>, error: RegExp, fix: string][] = [
    ...['+hget', '+ltrim', '+hdel', '+publish', '+lpush', '+hset', '+eval', channel].map(
      (right): (typeof rows)[number] => [right, lacking(right), /NOPERM|user executing/, `Add ${right} to`]
    ),
    ['the log', lacking(`%RW~${log}`), /NOPERM/, `Add %RW~${STATE} %RW~${log} to`],
    ['a log of the wrong type', ofWrongType, /WRONGTYPE/, `redis-cli DEL '${log}'`]
  ]
  for (const argv of [
    ['override', 'allow', '9.9.9.9', '--for', '1h'],
    ['publish', '-'],
    ['publish', '-', '--sign', key]
  ]) {
    await t.test(argv.join(' '), async (t) => {
      await admin.flushall()
      for (const [what, damage, error, fix] of rows) {
        // A signer reads the version as well, before there is a change.
        if (what === '+hget' && argv.includes('--sign')) continue
        await damage()
        const before = await Promise.all([admin.hgetall(STATE), admin.call('DUMP', log)])
        const refused = await command(argv)
        t.match(refused, { code: 2, stdout: '', stderr: error }, what)
        t.match(refused.stderr, 'Nothing was changed. ', what)
        t.match(refused.stderr, fix, what)
        t.strictSame(await Promise.all([admin.hgetall(STATE), admin.call('DUMP', log)]), before, `${what}: no change`)
        const [, rights, del] = /Add (.+) to the rule|redis-cli (DEL) /.exec(refused.stderr)!
        if (del === undefined) await admin.call('ACL', 'SETUSER', 'publisher', ...rights!.split(' '))
        else await admin.del(log)
        t.match(await command(argv), { code: 0 }, `${what}: its advice is enough`)
        t.ok((await admin.llen(log)) > 0)
      }
    })
  }
})

t.test('what the server refuses to read is an error that says what to do, and that is enough', { skip }, async (t) => {
  const server = await RedisServer.start(t)
  const admin = raw(t, server.url)
  const rule = documentedAcl()[1]!
  const log = `{moengage:${NAME}}:log`
  const options = ['--name', NAME, '--redis', server.url.replace('//', '//publisher:secret@')]
  const command = (argv: readonly string[]) =>
    run([...argv, ...options], { now: new Date().toISOString(), stdin: JSON.stringify(list('next')) })
  const lacking = (right: string) => () => admin.call('ACL', 'SETUSER', ...rule.filter((word) => word !== right))
  const text = (key: string) => async () => {
    await admin.del(key)
    await admin.set(key, 'x')
  }
  const [publish, rollback, status] = [['publish', '-'], ['rollback'], ['fleet', 'status']]
  const rows: [argv: string[], what: string, damage: () => Promise<unknown>, after: number][] = [
    ...['+hmget', '+hstrlen', '+time'].map((right): (typeof rows)[number] => [publish, right, lacking(right), 0]),
    [rollback, '+lrange', lacking('+lrange'), 0],
    [['fleet', 'log'], '+lrange', lacking('+lrange'), 0],
    [status, 'no key of the state', lacking(`%RW~${STATE}`), 0],
    [status, 'no key of the reports', lacking(`%R~{moengage:${NAME}}:replicas*`), 0],
    [publish, 'a state of the wrong type', text(STATE), 0],
    [status, 'a state of the wrong type', text(STATE), 0],
    [['fleet', 'log'], 'a log of the wrong type', text(log), 0],
    // There is no list in a new log.
    [rollback, 'a log of the wrong type', text(log), 2]
  ]
  for (const [argv, what, damage, after] of rows) {
    await admin.flushall()
    await admin.call('ACL', 'SETUSER', ...rule)
    for (let i = 0; i < 2; i++) await command(publish)
    await damage()
    const { code, stderr } = await command(argv)
    const [, right, key] = /Add (\S+) to the rule of this user|: redis-cli DEL '(\S+)'\./.exec(stderr) ?? []
    t.ok(code === 2 && (right ?? key), `${argv}, ${what}: ${stderr}`)
    if (key === undefined) await admin.call('ACL', 'SETUSER', 'publisher', right!)
    else await admin.del(key)
    t.match(await command(argv), { code: after }, `${argv}, ${what}: the advice is enough`)
  }
})

const HUGE = 40_000_000

/** What a server has sent to all its clients, in bytes. */
async function sentBy(server: Redis): Promise<number> {
  return Number(/total_net_output_bytes:(\d+)/.exec(await server.info('stats'))![1])
}

t.test('what a stranger wrote in the place of the index or of a report is named, or left out', { skip }, async (t) => {
  const server = await RedisServer.start(t)
  const admin = raw(t, server.url)
  const replica = await ForkedReplica.start(t, server.url)
  const index = `{moengage:${NAME}}:replicas`
  await eventually(async () => (await replica.fleet()).lastError === null)
  await admin.zadd(index, 1e15, idOf(1))
  await admin.zadd(`${index}:${idOf(1)}`, 1, 'x')
  t.match(await replica.fleet(), { live: 1, replicas: { length: 1 }, lastError: null, warnings: [] })
  await admin.set(index, 'x')
  const mend = /WRONGTYPE .*value\. Delete it, .*: redis-cli (DEL) '(\S+)'\.$/
  await eventually(async () => (await replica.fleet()).warnings.some((warning) => mend.test(warning)))
  const [, command, key] = mend.exec((await replica.fleet()).lastError!)!
  await admin.call(command!, key!)
  const isWell = async () => {
    const { live, lastError, warnings } = await replica.fleet()
    return live === 1 && lastError === null && warnings.length === 0
  }
  t.ok(await eventually(async () => isWell()))
})

t.test(
  'what is too long stays on the server, and the error has the command that mends it',
  { skip, timeout: 60_000 },
  async (t) => {
    const server = await RedisServer.start(t)
    const admin = raw(t, server.url)
    for (const rule of documentedAcl()) await admin.call('ACL', 'SETUSER', ...rule)
    const as = (user: string) => server.url.replace('//', `//${user}:secret@`)
    const replicas = await Promise.all(
      ['ioredis', 'iovalkey', 'redis'].map((kind) =>
        ForkedReplica.start(t, as('replica'), { kind, fleet: { timeout: 2000 } })
      )
    )
    const control = controlOf(t, as('publisher'))
    await control.publish(list('first'))
    await everywhere(replicas, usesRevision('first'))
    const before = await sentBy(admin)

    await t.test('members of the index, which a replica can write', async (t) => {
      const stranger = raw(t, as('replica'))
      const index = `{moengage:${NAME}}:replicas`
      for (const score of [-1, 1e15]) await stranger.zadd(index, score, `${score}${'x'.repeat(HUGE)}`)
      const reported = async () => (await control.status()).replicas.map(({ reported }) => reported)
      const last = Math.max(...(await reported()))
      await eventually(async () => (await reported()).every((time) => time > last))
      for (const replica of replicas) t.match(await replica.fleet(), { live: 3, lastError: null, warnings: [] })
      await admin.del(index)
      await eventually(async () => (await control.status()).live === 3)
    })

    await t.test('fields of the state', async (t) => {
      const table: [field: string, revision: string][] = [
        ['version', 'second'],
        ['list', 'third'],
        ['overrides', 'fourth']
      ]
      for (const [field, revision] of table) {
        await admin.hset(STATE, { version: Date.now(), [field]: '7'.repeat(HUGE) })
        const mend = new RegExp(
          `Its ${field} has ${HUGE} bytes, more than \\d+\\. .*: redis-cli (\\w+) '(\\S+)' (.*?)\\.(?: |$)`
        )
        await everywhere(replicas, async (replica) => mend.test((await replica.status()).lastError ?? ''))
        for (const replica of replicas) t.match(await replica.judge(LISTED), { status: 200 })
        const [, command, key, rest] = mend.exec(await control.publish(list(revision)).catch(({ message }) => message))!
        await admin.call(command!, key!, ...rest!.split(' '))
        await control.publish(list(revision))
        await everywhere(replicas, usesRevision(revision))
        t.ok(await everywhere(replicas, async (replica) => (await replica.status()).lastError === null), field)
      }
    })

    await t.test('entries of the log', async (t) => {
      await admin.lpush(`{moengage:${NAME}}:log`, 'x'.repeat(HUGE))
      t.match(await control.log(), [{ what: /^list fourth/ }, { what: /^list third/ }, {}, {}])
      t.match(await control.rollback(), { list: { provenance: { revision: 'third' } } })
    })

    t.ok((await sentBy(admin)) - before < HUGE / 2, 'none of it was sent')
  }
)

t.test('a database needs a permission of its own, as documented', { skip, timeout: 60_000 }, async (t) => {
  const server = await RedisServer.start(t)
  const admin = raw(t, server.url)
  for (const rule of documentedAcl()) await admin.call('ACL', 'SETUSER', ...rule)
  const as = (user: string) => `${server.url.replace('//', `//${user}:secret@`)}/2`
  await controlOf(t, `${server.url}/2`).publish(list('two'))
  const replicas = await Promise.all(
    ['ioredis', 'iovalkey', 'redis'].map((kind) => ForkedReplica.start(t, as('replica'), { kind }))
  )
  for (const replica of replicas) t.match(await replica.status(), { lastError: /NOPERM.*select/ })
  const packages = ['ioredis', 'iovalkey', 'redis']
  const publish = async (url: string) => {
    const clients = packages.map((name) =>
      redisClient(url, (other) => (other === name ? import(name) : Promise.reject({ code: 'ERR_MODULE_NOT_FOUND' })))
    )
    return Promise.all(
      clients.map(async (client) =>
        run(['publish', '-', '--redis', url, '--name', NAME], {
          stdin: JSON.stringify(list('three')),
          redis: await client
        })
      )
    )
  }
  for (const refused of await publish(as('publisher'))) t.match(refused, { code: 2, stderr: /NOPERM.*select/ })
  for (const refused of await publish(`${server.url}/99`)) t.match(refused, { code: 2, stderr: /out of range/ })
  t.equal(await admin.dbsize(), 0, 'nothing is written to database 0')
  const [addition] = /`\+select`/.exec(readFileSync('docs/fleet.md', 'utf8')) ?? []
  t.equal(addition, '`+select`')
  for (const user of ['replica', 'publisher']) await admin.call('ACL', 'SETUSER', user, '+select')
  await everywhere(replicas, usesRevision('two'))
  for (const published of await publish(as('publisher'))) t.match(published, { code: 0 })
  t.ok(await everywhere(replicas, usesRevision('three')))
  t.equal(await admin.dbsize(), 0)
})

t.test('the primary is found by its Sentinels', { skip, timeout: 60_000 }, async (t) => {
  const server = await RedisServer.start(t)
  const config = join(t.testdir({}), 'sentinel.conf')
  writeFileSync(config, `sentinel monitor mymaster 127.0.0.1 ${server.port} 1\n`)
  const sentinel = await RedisServer.start(t, [config, '--sentinel'])
  const client = new Redis({
    sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
    name: 'mymaster',
    lazyConnect: true
  })
  const store = new RedisStore({ client, scope: 'moengage', name: NAME, timeout: 2000, poll: 1000 })
  t.teardown(() => store.close())
  await new FleetControl(store, NAME).publish(list('by a Sentinel'))
  t.match((await controlOf(t, server.url).log())[0], { what: /^list by a Sentin/ })
})

t.test(
  'a replica whose clock is off by more than a day is seen, and sees all others',
  { skip, timeout: 60_000 },
  async (t) => {
    const server = await RedisServer.start(t)
    const shifts = [0, -90_000_000, 90_000_000]
    const replicas = await Promise.all(shifts.map((shift) => ForkedReplica.start(t, server.url, { shift })))
    const control = controlOf(t, server.url)
    await eventually(async () => (await control.status()).live === 3)
    // Each of them reports once a second.
    for (let i = 0; i < 30; i++) {
      t.match(await control.status(), { live: 3 })
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    for (const replica of replicas) t.match(await replica.fleet(), { live: 3 })
    await control.publish(list('clocks'))
    await eventually(async () => (await control.status()).current === 3)

    const redis = raw(t, server.url)
    const index = `{moengage:${NAME}}:replicas`
    await redis.zadd(index, 0, idOf(1), 0.5, idOf(2))
    await eventually(async () => (await redis.zcard(index)) === 3)
    t.match(await control.status(), { live: 3, replicas: { length: 3 } }, 'what has no report leaves the index')
  }
)

t.test('a store that is not trusted changes nothing without a signature', { skip, timeout: 60_000 }, async (t) => {
  const folder = t.testdir({})
  const server = await RedisServer.start(t)
  const { privatePem, publicLine } = generateKeys()
  const sign = readPrivateKey(privatePem)
  const fleet = { verify: { publicKeys: [publicLine] }, copy: join(folder, 'copy.json') }
  const replica = await ForkedReplica.start(t, server.url, { fleet })
  const control = controlOf(t, server.url)
  const redis = raw(t, server.url)
  await control.publish(list('unsigned'))
  await eventually(async () => /not signed/.test((await replica.status()).lastError ?? ''))
  await redis.del(STATE)
  await control.publish(list('signed1'), { sign })
  await eventually(async () => (await replica.status()).revision === 'signed1')
  await t.rejects(control.publish(list('unsigned')), /signed, and this change is not/)
  const old = (await redis.hgetall(STATE)) as Record<string, string>
  const { override } = await control.override({ allow: ['9.9.9.9'] }, { sign })
  await eventually(async () => (await replica.judge('9.9.9.9')).status === 200)
  const allowing = (await redis.hgetall(STATE)) as Record<string, string>
  await control.publish(list('signed2'), { sign })
  await control.removeOverride(override.id, { sign })
  await eventually(
    async () => (await replica.status()).revision === 'signed2' && (await replica.judge('9.9.9.9')).status === 403
  )
  const current = (await redis.hgetall(STATE)) as Record<string, string>
  let version = Number(current.version)
  const table: [what: string, fields: Record<string, string>, error: RegExp][] = [
    ['an older list is replayed', { list: old.list! }, /older than/],
    ['older overrides are replayed', { overrides: allowing.overrides! }, /older than/],
    ['a list in the place of the overrides', { overrides: current.list! }, /override/],
    ['an unsigned list', { list: JSON.stringify(list('unsigned')) }, /not signed/],
    ['unsigned overrides', { overrides: '{"overrides":[]}' }, /not signed/]
  ]
  for (const [what, fields, error] of table) {
    await redis.hset(STATE, { ...current, version: `${++version}`, ...fields })
    await eventually(async () => error.test((await replica.status()).lastError ?? ''))
    t.equal((await replica.judge('9.9.9.9')).status, 403, what)
    t.equal((await replica.status()).revision, 'signed2', what)
  }
  await redis.hset(STATE, { ...current, version: `${++version}` })
  await redis.hdel(STATE, 'overrides')
  await eventually(async () => /lost its overrides/.test((await replica.status()).lastError ?? ''))
  await replica.kill()
  await redis.hset(STATE, { ...current, version: `${++version}`, list: old.list! })
  const again = await ForkedReplica.start(t, server.url, { fleet })
  t.match(await again.status(), { revision: 'signed2', lastError: /older than/ }, 'a restart remembers by the copy')
})

t.test('the store is reached by TLS with an own authority', { skip, timeout: 60_000 }, async (t) => {
  const folder = t.testdir({})
  const file = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test authority')
  openssl(
    'req',
    '-x509',
    ...ec,
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-keyout',
    'server.key',
    '-out',
    'server.crt',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1,DNS:localhost',
    '-addext',
    'basicConstraints=critical,CA:FALSE'
  )
  const tlsPort = await freePort()
  await RedisServer.start(t, [
    '--tls-port',
    `${tlsPort}`,
    '--tls-cert-file',
    file('server.crt'),
    '--tls-key-file',
    file('server.key'),
    '--tls-ca-cert-file',
    file('ca.crt'),
    '--tls-auth-clients',
    'no'
  ])
  const url = `rediss://127.0.0.1:${tlsPort}`
  const tls = { ca: readFileSync(file('ca.crt'), 'utf8') }
  const replicas = await Promise.all(
    ['ioredis', 'iovalkey', 'redis'].map((kind) => ForkedReplica.start(t, url, { kind, tls }))
  )
  await controlOf(t, url, { tls }).publish(list('secret'))
  t.ok(await everywhere(replicas, usesRevision('secret')))
  const distrusting = await ForkedReplica.start(t, url)
  t.match(
    await distrusting.status(),
    { lastError: /certificate|self-signed|issuer/ },
    'another authority is not believed'
  )
})

t.test('in a cluster, a primary that is killed is replaced', { skip, timeout: 90_000 }, async (t) => {
  const folder = t.testdir({})
  const password = 'secret'
  const args = (i: number) => [
    ...['--cluster-enabled', 'yes', '--cluster-config-file', join(folder, `nodes-${i}.conf`)],
    ...['--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0'],
    ...['--requirepass', password, '--masterauth', password]
  ]
  const servers: RedisServer[] = []
  for (let i = 0; i < 6; i++) servers.push(await RedisServer.start(t, args(i)))
  const nodes = servers.map(({ port }) => port)
  const addresses = nodes.map((port) => `127.0.0.1:${port}`)
  const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes']
  execFileSync('redis-cli', ['-a', password, ...create], { stdio: 'ignore' })
  const replicas = await Promise.all(
    ['ioredis', 'iovalkey', 'redis'].map((kind) => ForkedReplica.start(t, '', { nodes, password, kind }))
  )
  const client = new Cluster(
    nodes.map((port) => ({ host: '127.0.0.1', port })),
    { lazyConnect: true, redisOptions: { password } }
  )
  const store = new RedisStore({ client, scope: 'moengage', name: NAME, timeout: 2000, poll: 1000 })
  const control = new FleetControl(store, NAME)
  t.teardown(() => control.close())
  await eventually(async () => (await control.publish(list('before')).catch(() => 0)) > 0)
  await everywhere(replicas, usesRevision('before'))
  const first = raw(t, servers[0]!.url.replace('//', `//:${password}@`))
  const key = await first.call('CLUSTER', 'KEYSLOT', STATE)
  const slots = (await first.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
  const primary = slots.find(([first, last]) => first <= (key as number) && (key as number) <= last)![2][1]
  await servers.find(({ port }) => port === primary)!.kill()
  t.ok(await all(replicas, async (replica) => (await replica.judge(LISTED)).status === 200))
  const took = await eventually(async () => (await control.publish(list('after')).catch(() => 0)) > 0)
  await everywhere(replicas, usesRevision('after'))
  t.comment(`cluster: published again ${took.toFixed(0)} ms after a primary was killed`)
  await everywhere(replicas, async (replica) => (await replica.status()).lastError === null)
  t.pass()
})

t.test('a server ends when the process that started it is killed', { skip, timeout: 60_000 }, async (t) => {
  const program = `import { RedisServer } from './test/support/redis-server.ts'
    const { port } = await RedisServer.start({ teardown() {} })
    process.send(port)
    setInterval(() => {}, 1000)`
  const loader = ['--import', '@tapjs/typescript/import', '--input-type=module', '--eval', program]
  const child = spawn(process.execPath, loader, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [port] = (await once(child, 'message')) as [number]
  const answers = async () => {
    const client = raw(t, `redis://127.0.0.1:${port}`)
    return (await client.ping().catch(() => 'no')) === 'PONG'
  }
  t.ok(await answers())
  child.kill('SIGKILL')
  await eventually(async () => !(await answers()))
})

t.test('the example tells its story', { skip, timeout: 60_000 }, async (t) => {
  const server = await RedisServer.start(t)
  const env = { PATH: process.env.PATH, REDIS_URL: server.url }
  const story = execFileSync('env', ['-u', 'NODE_OPTIONS', process.execPath, 'dist/examples/fleet/story.js'], {
    env,
    encoding: 'utf8'
  })
  t.match(story, /3 of 3 live replicas use it/)
  t.match(story, /not listed: 403 403 403\n/)
  t.match(story, /From now on: 200 200 200\n/)
  t.match(story, /used by 2 of 2 live replicas\n/)
})

t.test(
  'Valkey does as well',
  { skip: skip || (SERVERS.includes('valkey-server') ? false : 'valkey-server is not installed') },
  async (t) => {
    const server = await RedisServer.start(t, [], 'valkey-server')
    const replicas = await Promise.all(
      ['ioredis', 'iovalkey', 'redis'].map((kind) => ForkedReplica.start(t, server.url, { kind }))
    )
    const control = controlOf(t, server.url)
    await control.publish(list('valkey'))
    await control.override({ deny: [LISTED] })
    t.ok(
      await everywhere(
        replicas,
        async (replica) =>
          (await replica.status()).revision === 'valkey' && (await replica.judge(LISTED)).status === 403
      )
    )
    t.match(await control.status(), { live: 3 })
  }
)
