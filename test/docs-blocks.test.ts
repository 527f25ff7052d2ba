import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { parseAllDocuments } from 'yaml'
import { current, htmlPage, mdxPage } from './help-page/pages.js'
import { type Block, blocksOf, PAGES } from './support/blocks.js'
import { run } from './support/cli.js'
import { start as startExample } from './support/example.js'
import { send } from './support/http.js'

// Compiling every block takes most of tap's 30 seconds on a busy machine.
t.setTimeout(180_000)

const blocks = PAGES.flatMap(blocksOf)
const at = ({ page, line, language }: Block) => `${page}:${line} (${language || 'no language'})`
const inLanguages = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language))

/** Blocks that are checked by the test that knows what they must be; it names the page. */
const ELSEWHERE: readonly [page: RegExp, languages: readonly string[], test: string][] = [
  [
    /^docs\/export\.md$/,
    ['nginx', 'apache', 'caddyfile', 'text', 'yaml', 'hcl', 'json', 'sql'],
    'test/export/docs.test.ts: what the command writes'
  ],
  [/^docs\/egress\.md$/, ['text'], 'test/egress/docs.test.ts: what the commands write'],
  [/^docs\/fleet\.md$/, ['text'], 'test/fleet/real-servers.test.ts: permissions; test/cli/fleet.test.ts: commands'],
  [/^docs\/import\.md$/, ['md', 'text'], 'test/cli/import.test.ts: a page and its report'],
  [
    /^docs\/recipes\/(?:nginx|haproxy|proxy-protocol)\.md$/,
    ['nginx', 'haproxy'],
    'test/real-proxies.test.ts: loaded by the proxy'
  ]
]

/** Blocks that nothing here can check, with the reason. */
const UNCHECKED: readonly [page: string, language: string, reason: string][] = [
  ['docs/recipes/fastly.md', 'vcl', 'runs at Fastly only'],
  ['docs/recipes/caddy.md', 'caddyfile', 'read below where Caddy is installed'],
  ['docs/runtimes.md', 'mjs', 'run by npm run test:runtimes, but for Next.js; the page says which versions ran'],
  ['docs/recipes/apache.md', 'apache', 'its source says what was run'],
  ['docs/architecture.md', 'mermaid', 'test/docs.test.ts: the places that it names exist'],
  ['docs/export.md', '', 'the usage; its options are those of the commands below it, which run']
]

const HERE = ['ts', 'js', 'sh', 'console', 'json', 'yaml']

t.test('every block is checked by something', async (t) => {
  t.ok(blocks.length > 100, 'they are found')
  for (const block of blocks) {
    const { page, language } = block
    const elsewhere = ELSEWHERE.find(([pages, languages]) => pages.test(page) && languages.includes(language))
    const unchecked = UNCHECKED.find(([name, other]) => name === page && other === language)
    t.ok(elsewhere ?? unchecked ?? HERE.includes(language), at(block))
  }
  for (const [pages, languages, test] of ELSEWHERE) {
    const found = blocks.filter(({ page, language }) => pages.test(page) && languages.includes(language))
    t.ok(found.length > 0, `${test} has blocks to check`)
    const [file] = test.split(':')
    t.match(
      readFileSync(file!, 'utf8'),
      /docs\/(?:recipes|egress\.md|export\.md|import\.md|fleet\.md)/,
      `${file} reads the page`
    )
  }
  for (const [page, language] of UNCHECKED) {
    t.ok(
      blocks.some((block) => block.page === page && block.language === language),
      `${page} ${language} is there`
    )
  }
})

/** What a fragment takes for granted: added where the code uses it and does not bring it along. */
const GIVEN: readonly [uses: RegExp, brings: RegExp, declaration: string][] = [
  [/\bhooks\./, /\(hooks\)/, `declare const hooks: import('fastify').FastifyInstance`],
  [/\bhandler\)/, /\bhandler =/, `declare const handler: import('fastify').RouteHandlerMethod`],
  [/register\(moengageAllowlist/, /import moengageAllowlist/, `import moengageAllowlist from 'moengage-allowlist'`],
  [
    /app\.use\('[^']*', moengageAllowlist\(/,
    /import moengageAllowlist/,
    `import moengageAllowlist from 'moengage-allowlist/express'`
  ],
  [/guard\.check\(/, /import moengageAllowlist/, `import moengageAllowlist from 'moengage-allowlist/fetch'`],
  [
    /guard\.connectionListener\(/,
    /import moengageAllowlist/,
    `import moengageAllowlist from 'moengage-allowlist/http'
     import { createServer } from 'node:net'
     declare const sshServer: import('ssh2').Server`
  ],
  [
    /\bc\.env\.incoming/,
    /new Hono/,
    `declare const app: import('hono').Hono<{ Bindings: import('@hono/node-server').HttpBindings }>`
  ],
  [
    /\bNestFactory\b/,
    /import .*NestFactory/,
    `import { NestFactory } from '@nestjs/core'
     import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
     declare const App: new () => object`
  ],
  [/\bapp\.(?:moengage|register)\b/, /\bapp =/, `declare const app: import('fastify').FastifyInstance`],
  [
    /StatusPage\(\{ guard/,
    /\bguard =/,
    `declare const guard: import('moengage-allowlist/core').Guard<import('moengage-allowlist/core').GuardRequest>`
  ],
  [/\bauthenticate\b/, /authenticate =/, `declare const authenticate: import('fastify').onRequestHookHandler`],
  [
    /nodeStatusPage\(/,
    /requireLogin =/,
    `declare const app: import('express').Express
     declare const requireLogin: import('express').RequestHandler
     declare const checkLogin: (request: Request) => Promise<Response | undefined>`
  ],
  [/\bfrontDoorPrefixes\b/, /frontDoorPrefixes =/, 'declare const frontDoorPrefixes: string[]'],
  [
    /\bloadFromDatabase\b/,
    /function loadFromDatabase/,
    `declare function loadFromDatabase(options: { signal: AbortSignal }): Promise<import('moengage-allowlist').Snapshot>`
  ]
]

/** Declarations for what a fragment uses; a whole program needs none. */
function given(code: string): string {
  return GIVEN.filter(([uses, brings]) => uses.test(code) && !brings.test(code))
    .map(([, , declaration]) => declaration)
    .join('\n')
}

/** Lines that each show the options are the elements of a list. */
function asProgram(code: string): string {
  if (!code.startsWith('{')) return `${given(code)}\n${code}\nexport {}`
  const elements = code.trimEnd().split('\n')
  return `${given(code)}\n;[\n${elements.join('\n').replaceAll(/\n\{/g, '\n,{')}\n] satisfies import('moengage-allowlist').MoEngageAllowlistOptions[]\nexport {}`
}

t.test('the compiler accepts every block of TypeScript', async (t) => {
  const found = inLanguages('ts', 'js')
  const names = found.map((_, i) => `block-${i}.ts`)
  const folder = t.testdir(Object.fromEntries(found.map(({ code }, i) => [names[i]!, asProgram(code)])))
  const program = ts.createProgram({
    rootNames: names.map((name) => join(folder, name)),
    options: {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: true
    }
  })
  for (const [i, block] of found.entries()) {
    const source = program.getSourceFile(join(folder, names[i]!))
    const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    t.strictSame(
      diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
      [],
      at(block)
    )
  }
})

/** Prints the port of every server, and takes a free one instead of the port that a page names. */
const LISTENING = `import { Server } from 'node:net'
const { listen } = Server.prototype
Server.prototype.listen = function (...args) {
  this.once('listening', () => process.stderr.write('listening on ' + this.address().port + '\\n'))
  return listen.apply(this, args)
}`

t.test('every whole program runs, and the servers guard', async (t) => {
  const programs = inLanguages('ts', 'js').filter(({ code }) => code.includes('import ') && given(code) === '')
  t.ok(programs.length >= 6, 'they are found')
  for (const block of programs) {
    const folder = t.testdir({ 'moengage.json': readFileSync('src/directory/moengage.json', 'utf8') })
    const { outputText } = ts.transpileModule(block.code, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
    })
    writeFileSync(
      join(folder, 'program.mjs'),
      outputText.replaceAll('/etc/moengage', folder).replaceAll(/\b3000\b/g, '0')
    )
    writeFileSync(join(folder, 'listening.mjs'), LISTENING)
    const isServer = block.code.includes('.listen(') && !block.code.includes(`'node:test'`)
    await (isServer ? serves(t, folder, at(block)) : ends(t, folder, at(block)))
  }
})

const start = (t: Test, folder: string) => {
  const child = spawn(process.execPath, ['--import', './listening.mjs', 'program.mjs'], { cwd: folder })
  t.teardown(() => child.kill())
  child.stdout.resume()
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<string>((resolve) => child.on('close', (code) => resolve(`exit code ${code}: ${stderr}`)))
  return { child, ended, stderr: () => stderr }
}

async function serves(t: Test, folder: string, name: string): Promise<void> {
  const { child, ended, stderr } = start(t, folder)
  const port = new Promise<string>((resolve) => {
    child.stderr.on('data', () => {
      const [, found] = /listening on (\d+)/.exec(stderr()) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  const first = await Promise.race([port, ended])
  t.match(first, /^\d+$/, `${name} listens`)
  for (const [clientIp, status] of [
    ['52.6.248.125', 200],
    ['198.51.100.7', 403]
  ] as const) {
    const headers = { 'x-forwarded-for': clientIp }
    const answer = await send({ port: Number(first) }, { method: 'POST', path: '/moengage/connector', headers })
    t.equal(answer.status, status, `${name} answers ${clientIp}`)
  }
  child.kill()
  await ended
}

async function ends(t: Test, folder: string, name: string): Promise<void> {
  const ended = await start(t, folder).ended
  t.equal(ended.replaceAll(/listening on \d+\n/g, ''), 'exit code 0: ', `${name} runs`)
}

/** Programs that a block of shell may name, besides our own, and why they only pretend to run. */
const STAND_INS: Readonly<Record<string, string>> = {
  aws: 'changes an account of the reader',
  curl: 'asks a server of the reader',
  gcloud: 'asks an account of the reader',
  mail: 'writes to people',
  npm: 'runs these tests, or installs; what follows it is a command of npm or a script of package.json',
  prometheus: 'runs until it is stopped; test/monitoring.test.ts runs it with this configuration',
  node: 'runs an example that was saved by the reader',
  git: 'asks a repository of the reader: hands over the list that was committed'
}

/** What ends with 1 when it worked and found something. */
const FINDS = /^(?:diff|explain|report) /

/** Asks the reader's own store, or needs the reader's key: here the command is read, and ends there. test/fleet runs them. */
const OF_THE_FLEET = /^(?:publish|override|rollback|fleet)\b/
const ENDS_THERE = /connect ECONNREFUSED|signing\.key could not be read/

/** Answers every URL with MoEngage's page. */
const NETWORK = `import { readFileSync } from 'node:fs'
globalThis.fetch = async (url) => {
  if (!/^https:\\/\\/[\\w.-]+\\/[\\w/.-]+\\.mdx$/.test(url)) throw new Error('no page: ' + url)
  return new Response(readFileSync(new URL('page.mdx', import.meta.url)))
}`

t.test('every block of shell runs as it stands', async (t) => {
  const cli = join(process.cwd(), 'dist/src/cli/bin.js')
  const bundled = readFileSync('src/directory/moengage.json', 'utf8')
  const log = '{"level":40,"time":1795471200000,"moengage":{"event":"moengage.rejected"},"msg":"x"}\n'
  for (const block of inLanguages('sh', 'console')) {
    const folder = t.testdir({
      bin: {},
      'page.mdx': mdxPage(current),
      'saved.html': htmlPage(current),
      'moengage.json': bundled,
      'app.log': log,
      'webhooks.log': log,
      'network.mjs': NETWORK
    })
    const executable = (name: string, text: string) => {
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`)
      chmodSync(join(folder, 'bin', name), 0o755)
    }
    const network = join(folder, 'network.mjs')
    const ours = `"${process.execPath}" --import "${network}" "${cli}" "$@"; code=$?; echo "$code $*" >>"${folder}/calls"; exit $code`
    executable('moengage-allowlist', ours)
    executable('npx', `test "$1" = moengage-allowlist || exit 9; shift; exec moengage-allowlist "$@"`)
    for (const name of Object.keys(STAND_INS)) {
      executable(name, name === 'git' ? `cat "${folder}/moengage.json"` : 'exit 0')
    }
    const script = (block.language === 'console' ? commands(block.code) : block.code).replaceAll(
      '/etc/',
      `${folder}/etc/`
    )
    for (const [file] of script.matchAll(new RegExp(`${folder}/etc/[\\w./-]+`, 'g'))) {
      mkdirSync(dirname(file), { recursive: true })
    }
    const env = { PATH: [join(folder, 'bin'), '/usr/bin', '/bin'].join(delimiter), PAGE: 'page.mdx', HOME: folder }
    const { status, stderr } = spawnSync('sh', ['-uc', script], {
      cwd: folder,
      env: { ...env, ...VARIABLES },
      encoding: 'utf8'
    })
    t.notMatch(stderr, /not found|unbound|not set|Syntax/i, `${at(block)}: ${stderr}`)
    const calls = existsSync(join(folder, 'calls'))
      ? readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n')
      : []
    const named = script.split('\n').filter((line) => /(?:^|\| |npx )moengage-allowlist /.test(line))
    t.equal(calls.length, named.length, `${at(block)} calls moengage-allowlist as often as it says`)
    for (const call of calls) {
      const [, code, argv] = /^(\d+) (.*)$/.exec(call)!
      const isRead = code === '2' && OF_THE_FLEET.test(argv!) && ENDS_THERE.test(stderr)
      t.ok(code === '0' || isRead || (code === '1' && FINDS.test(argv!)), `${at(block)}: ${call}\n${stderr}`)
    }
    if (calls.length === 0) t.equal(status, 0, at(block))
  }
})

t.test('the report of docs/roll-out.md is that of its example', async (t) => {
  const [session] = blocksOf('docs/roll-out.md').filter(({ language }) => language === 'console')
  const { port, output, child } = await startExample(t, 'roll-out')
  for (const [clientIp, count] of [
    ['52.6.248.125', 8],
    ['3.6.251.95', 5],
    ['198.51.100.7', 2]
  ] as const) {
    for (let i = 0; i < count; i++) {
      const headers = { 'x-forwarded-for': clientIp }
      await send({ port }, { method: 'POST', path: '/moengage/connector', headers })
    }
  }
  const closed = new Promise((resolve) => child.on('close', resolve))
  child.kill('SIGTERM')
  await closed
  // All in one minute, as if the clock had stood still.
  const { stdout } = await run(['report', '-'], { stdin: output().replaceAll(/"time":\d+/g, '"time":1795474531324') })
  const timeless = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'then')
  t.equal(timeless(`$ moengage-allowlist report webhooks.log\n${stdout}`), timeless(session!.code))
})

/** What the reader sets. */
const VARIABLES = {
  ALB_ARN: 'arn',
  TARGET_GROUP_ARN: 'arn',
  API_ID: 'api',
  INTEGRATION_ID: 'integration',
  ACCOUNT: 'account',
  LIST: 'list',
  TOKEN: 'token'
}

/** The commands of a session: what stands behind the prompt. */
const commands = (session: string) => [...session.matchAll(/^\$ (.*)$/gm)].map(([, command]) => command).join('\n')

t.test('scripts that a page names are scripts of package.json', async (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  for (const block of inLanguages('sh')) {
    for (const [, script] of block.code.matchAll(/\bnpm (?:run )?([\w:]+)/g)) {
      t.ok(['ci', 'install', 'pack'].includes(script!) || script! in scripts, `${at(block)}: ${script}`)
    }
  }
})

t.test('JSON and YAML can be read', async (t) => {
  for (const block of inLanguages('json', 'yaml')) {
    if (ELSEWHERE.some(([page, languages]) => page.test(block.page) && languages.includes(block.language))) continue
    if (block.language === 'json') t.doesNotThrow(() => JSON.parse(block.code), at(block))
    else
      t.strictSame(
        parseAllDocuments(block.code).flatMap(({ errors }) => errors),
        [],
        at(block)
      )
  }
})

const noCaddy = spawnSync('caddy', ['version']).status === 0 ? false : 'Caddy is not installed'
if (noCaddy && process.env.REAL_PROXIES === 'required') throw new Error(noCaddy)

t.test("Caddy reads the recipe's files", { skip: noCaddy }, async (t) => {
  for (const block of blocksOf('docs/recipes/caddy.md').filter(({ language }) => language === 'caddyfile')) {
    const folder = t.testdir({ Caddyfile: block.code })
    const { status, stderr } = spawnSync('caddy', ['adapt', '--config', join(folder, 'Caddyfile')], {
      encoding: 'utf8'
    })
    t.equal(status, 0, `${at(block)}: ${stderr}`)
  }
})
