import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'

const { name, exports, bin } = JSON.parse(readFileSync('package.json', 'utf8'))
const env = Object.fromEntries(
  Object.entries(process.env).filter(([variable]) => !/^(?:NODE_OPTIONS|NODE_V8_COVERAGE|npm_)/.test(variable))
)

interface Loaded {
  /** Names of packages. */
  packages: string[]
  /** Files of ours, relative to `src`, without their ending. */
  files: string[]
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
  const files = matches(/^(?!.*\/node_modules\/).*\/dist\/src\/(.+)\.js$/)
  t.ok(files.length > 0, `files of ours are among what ${argv.join(' ')} loads`)
  return { packages: matches(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/), files }
}

const script = (code: string) => ['--input-type=module', '-e', code]

const CORE = ['ipaddr.js', 'lru-cache', 'ms']

/** All packages that a door may load. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  '.': [...CORE, 'fastify-plugin'],
  './core': CORE,
  './express': CORE,
  './http': CORE,
  './fetch': CORE,
  './prometheus': ['@opentelemetry/api', 'bintrees', 'prom-client', 'tdigest']
}

/** Rooms that only the command line and page sources reach, when they need them. */
const LAZY = /^(?:help-page|cli)\//

/** Doors that make a logger of their own where none is given. */
const OWN_LOGGER = ['./express', './http', './fetch']

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']

t.test('a door loads no more packages than it needs, and no room that is loaded on demand', async (t) => {
  const doors = Object.keys(exports).filter((door) => door !== './package.json')
  t.strictSame(doors.sort(), Object.keys(DOORS).sort(), 'every door has its row')
  for (const [door, packages] of Object.entries(DOORS)) {
    const loaded = loadedBy(t, ...script(`await import('${name}${door.slice(1)}')`))
    t.strictSame(loaded.packages, [...packages].sort(), door)
    t.strictSame(
      loaded.files.filter((file) => LAZY.test(file)),
      [],
      door
    )
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
  const { packages, files } = loadedBy(t, bin[name], 'list')
  const rooms = files.map((file) => file.split('/')[0]!)
  const early = ['pino', 'fastify', 'express', 'help-page', 'marked', 'parse5']
  t.strictSame(
    early.filter((part) => [...packages, ...rooms].includes(part)),
    []
  )
})
