import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LISTED, UNLISTED } from './support/addresses.js'

const { name, exports, bin } = JSON.parse(readFileSync('package.json', 'utf8'))
const env = Object.fromEntries(
  Object.entries(process.env).filter(([variable]) => !/^(?:NODE_OPTIONS|NODE_V8_COVERAGE|npm_)/.test(variable))
)

interface Loaded {
  /** Names of packages. */
  packages: string[]
  /** Rooms of `src` whose code is in the files that were loaded; the doors themselves are no room. */
  rooms: string[]
  /** The code of those files. */
  code: string
}

/** Returns what a new process loads, ES modules and CommonJS alike: V8 reports every script whose code ran. */
function loadedBy(t: Test, ...argv: string[]): Loaded {
  const folder = join(t.testdir({ coverage: {} }), 'coverage')
  // tap loads itself into every Node that a test starts, by this variable.
  execFileSync('env', ['-u', 'NODE_OPTIONS', process.execPath, ...argv], {
    env: { ...env, NODE_V8_COVERAGE: folder },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const urls = readdirSync(folder).flatMap((file) => {
    const { result }: { result: { url: string }[] } = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    return result.map(({ url }) => url)
  })
  const matches = (pattern: RegExp) => {
    const found = urls.map((url) => pattern.exec(url)?.[1]).filter((match) => match !== undefined)
    return [...new Set(found)].sort()
  }
  const files = matches(/^(?!.*\/node_modules\/)file:\/\/(.*\/dist\/src\/.+\.js)$/)
  t.ok(files.length > 0, `files of ours are among what ${argv.join(' ')} loads`)
  const code = files.map((file) => readFileSync(file, 'utf8')).join('\n')
  // The bundler names the file that each part of a chunk comes from.
  const sources = [...code.matchAll(/^\/\/ src\/(?:([\w-]+)\/)?[\w./-]+$/gm)]
  t.ok(sources.length > 0, 'and say what they are made of')
  const rooms = [...new Set(sources.map(([, room]) => room).filter((room) => room !== undefined))].sort()
  return { packages: matches(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/), rooms, code }
}

const script = (code: string) => ['--input-type=module', '-e', code]

const PACKAGES = ['ipaddr.js', 'lru-cache', 'ms']
const GUARD = ['client-ip', 'directory', 'evidence', 'guard', 'ip', 'lib', 'senders', 'signing', 'verdict']
const SERVER = [...GUARD, 'log', 'server']

/** All packages and all rooms that a door may load. */
const DOORS: Readonly<Record<string, { packages: readonly string[]; rooms: readonly string[] }>> = {
  '.': { packages: [...PACKAGES, 'fastify-plugin'], rooms: SERVER },
  './core': { packages: PACKAGES, rooms: [...GUARD, 'egress', 'export'] },
  './express': { packages: PACKAGES, rooms: SERVER },
  './http': { packages: PACKAGES, rooms: SERVER },
  './fetch': { packages: PACKAGES, rooms: SERVER },
  './workers': { packages: PACKAGES, rooms: SERVER },
  './lambda': { packages: PACKAGES, rooms: SERVER },
  './status-page': { packages: [...PACKAGES, 'ghtml'], rooms: [...SERVER, 'export', 'report', 'status-page'] },
  './redis': {
    packages: ['ipaddr.js', 'ms'],
    rooms: ['directory', 'fleet', 'guard', 'ip', 'lib', 'senders', 'signing', 'verdict']
  },
  './prometheus': {
    packages: ['@opentelemetry/api', 'bintrees', 'prom-client', 'tdigest'],
    rooms: ['guard', 'lib', 'verdict']
  }
}

/** Doors that make a logger of their own where none is given. */
const OWN_LOGGER = ['./express', './http', './fetch']

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']

t.test('a door loads no more packages than it needs, and no room that is loaded on demand', async (t) => {
  const doors = Object.keys(exports).filter((door) => door !== './package.json')
  t.strictSame(doors.sort(), Object.keys(DOORS).sort(), 'every door has its row')
  for (const [door, { packages, rooms }] of Object.entries(DOORS)) {
    const loaded = loadedBy(t, ...script(`await import('${name}${door.slice(1)}')`))
    t.strictSame(loaded.packages, [...packages].sort(), door)
    t.strictSame(loaded.rooms, [...rooms].sort(), door)
    // A page and a fleet are for servers of Node.
    if (door === './status-page' || door === './redis') continue
    t.notMatch(loaded.code, /\bfrom "node:/, `${door} loads no module of Node before it is needed`)
    t.notMatch(loaded.code, /\bfrom "ipaddr\.js"/, `${door} has Node read no large CommonJS file in search of exports`)
    t.notMatch(loaded.code, /\bsetImmediate\b/, `${door} calls no timer that a Worker lacks`)
  }
})

t.test('only a guard that is given no logger loads pino', async (t) => {
  for (const door of OWN_LOGGER) {
    const guard = (options: string) => `import moengageAllowlist from '${name}${door.slice(1)}'
      const logger = Object.fromEntries(${JSON.stringify(LEVELS)}.map((level) => [level, () => {}]))
      moengageAllowlist(${options})`
    const given = loadedBy(t, ...script(guard("{ dataCenters: 'DC-01', logger }")))
    t.notOk(given.packages.includes('pino'), door)
    const own = loadedBy(t, ...script(guard("{ dataCenters: 'DC-01' }")))
    t.ok(own.packages.includes('pino'), `${door} without one`)
  }
})

t.test('a command that reads no page loads neither its parsers, nor a framework, nor pino', async (t) => {
  const { packages, rooms } = loadedBy(t, bin[name], 'list')
  const early = ['pino', 'fastify', 'express', 'help-page', 'marked', 'parse5']
  t.strictSame(
    early.filter((part) => [...packages, ...rooms].includes(part)),
    []
  )
})

/** Prints the files whose functions run for one request, once all that is made on demand is there. */
const WAY = `
  import { readFileSync } from 'node:fs'
  import { Session } from 'node:inspector/promises'
  import Fastify from 'fastify'
  import moengageAllowlist from '${name}'
  const [client] = process.argv.slice(1)
  const app = Fastify()
  await app.register(moengageAllowlist, { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } })
  app.post('/hook', async () => ({ ok: true }))
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const send = () => fetch(address + '/hook', { method: 'POST', headers: { 'x-forwarded-for': client } })
  await send()
  await send()
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  const { status } = await send()
  const { result } = await session.post('Profiler.takePreciseCoverage')
  const files = result.filter(({ url }) => url.includes('/dist/src/')).flatMap(({ url, functions }) => {
    const marks = [...readFileSync(new URL(url), 'utf8').matchAll(/^\\/\\/ src\\/([\\w./-]+)$/gm)]
    const called = functions.map(({ ranges }) => ranges[0]).filter(({ count }) => count > 0)
    return called.map(({ startOffset }) => marks.findLast(({ index }) => index < startOffset)[1])
  })
  process.stdout.write(JSON.stringify({ status, files: [...new Set(files)] }))
  process.exit()
`

interface Way {
  status: number
  files: string[]
}

/** The rooms in which nothing is decided: time, texts. */
const isDeciding = (file: string) => !file.startsWith('lib/')

t.test('a verified request passes 15 files, and a rejected one leaves them at the policy', async (t) => {
  const way = (client: string): Way => {
    const argv = ['-u', 'NODE_OPTIONS', process.execPath, ...script(WAY), client]
    const { status, files } = JSON.parse(execFileSync('env', argv, { env, encoding: 'utf8' }))
    return { status, files: files.filter(isDeciding).sort() }
  }
  const both = [
    'client-ip/hops.ts',
    'client-ip/incoming.ts',
    'client-ip/resolver.ts',
    'guard/counters.ts',
    'guard/current-list.ts',
    'guard/guard.ts',
    'guard/ledger.ts',
    'guard/policy.ts',
    'ip/address.ts',
    'ip/interval-table.ts',
    'ip/matcher.ts',
    'server/fastify.ts',
    'server/placement.ts',
    'server/routes.ts'
  ]
  t.strictSame(way(LISTED), { status: 200, files: [...both, 'guard/verdict-cache.ts'].sort() })
  const rejected = ['errors.ts', 'guard/rejections.ts', 'senders/senders.ts', 'verdict/verdict.ts']
  const log = ['log/logger.ts', 'log/rejection-log.ts', 'log/throttle.ts']
  t.strictSame(way(UNLISTED), { status: 403, files: [...both, ...rejected, ...log].sort() })
})
