import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'

const { name, exports, dependencies, bin } = JSON.parse(readFileSync('package.json', 'utf8'))
const env = Object.fromEntries(
  Object.entries(process.env).filter(([variable]) => !/^(?:NODE_OPTIONS|NODE_V8_COVERAGE|npm_)/.test(variable))
)

/** The packages whose code a fresh process loads, by what V8 reports of it: ES modules and CommonJS alike. */
function packagesOf(t: Test, ...argv: string[]): string[] {
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
  t.ok(
    urls.some((url) => url.includes('/dist/src/')),
    'our own code is among what is reported'
  )
  const names = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1])
  return [...new Set(names.filter((name) => name !== undefined))].sort()
}

const CORE = ['@fastify/error', 'ipaddr.js', 'lru-cache']
const PINO = [
  '@pinojs/redact',
  'atomic-sleep',
  'on-exit-leak-free',
  'pino',
  'pino-std-serializers',
  'quick-format-unescaped',
  'safe-stable-stringify',
  'sonic-boom',
  'thread-stream'
]

const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  '.': [...CORE, 'fastify-plugin'],
  './core': CORE,
  './express': [...CORE, ...PINO],
  './http': [...CORE, ...PINO],
  './fetch': [...CORE, ...PINO],
  './prometheus': ['@opentelemetry/api', 'bintrees', 'prom-client', 'tdigest']
}

t.test('an entry loads no more packages than it needs', async (t) => {
  const entries = Object.keys(exports).filter((entry) => entry !== './package.json')
  t.strictSame(entries.sort(), Object.keys(ENTRIES).sort(), 'every entry is looked at')
  for (const [entry, packages] of Object.entries(ENTRIES)) {
    const loaded = packagesOf(t, '--input-type=module', '-e', `await import('${name}${entry.slice(1)}')`)
    t.strictSame(loaded, [...packages].sort(), entry)
  }
  t.strictSame(
    packagesOf(t, bin[name], 'list').filter((name) => name === 'pino' || name === 'fastify'),
    [],
    'nor does the command line'
  )
})

/** The rows of the table under a heading, as their cells. */
function rows(page: string, heading: string): string[][] {
  const [, section] = readFileSync(page, 'utf8').split(`## ${heading}\n`)
  return [...section!.split('\n## ')[0]!.matchAll(/^\| (`.*) \|$/gm)].map(([, row]) => row!.split(' | '))
}

t.test('every dependency has its reason, licence and size in docs/decisions/0010-dependencies.md', async (t) => {
  const table = rows('docs/decisions/0010-dependencies.md', 'Decision')
  t.strictSame(
    table.map(([dependency]) => dependency),
    Object.keys(dependencies).map((dependency) => `\`${dependency}\``)
  )
  const sizes = execFileSync(process.execPath, ['scripts/package-size.mjs'], { env, encoding: 'utf8' })
  for (const row of table) {
    const [dependency, reason, alternative, maintenance, licence, kilobytes] = row
    const bare = dependency!.slice(1, -1)
    for (const cell of [reason, alternative, maintenance]) t.ok(cell, `${bare} has every cell`)
    const manifest = JSON.parse(readFileSync(join('node_modules', bare, 'package.json'), 'utf8'))
    t.equal(licence, manifest.license, `${bare} is licensed so`)
    const [, printed] = new RegExp(`^ *(\\d+) kB {2}${bare}(?: |$)`, 'm').exec(sizes) ?? []
    const ratio = Number(kilobytes) / Number(printed)
    t.ok(ratio > 0.8 && ratio < 1.25, `${bare} takes about ${kilobytes} kB: ${printed}`)
  }
  t.match(sizes, /^ *\d+ kB {2}moengage-allowlist packed, \d+ files\n *\d+ kB {2}moengage-allowlist unpacked\n/)
  t.match(sizes, /\d+ kB {2}installed, with 21 packages besides\n$/)
})
