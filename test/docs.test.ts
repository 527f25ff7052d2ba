import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { dirname, join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { CHANNELS, createGuard, OptionsError, secretHeader } from '../src/core.js'
import moengageAllowlist from '../src/express.js'
import { placesOf } from '../src/lib/option-advice.js'
import { parseDuration } from '../src/lib/time.js'
import { NOT_JUDGED } from '../src/log/lines.js'
import { redisFleet } from '../src/redis.js'
import { doorOptions } from '../src/server/routes.js'
import { REASONS } from '../src/verdict/verdict.js'
import { blocksOf, PAGES } from './support/blocks.js'
import { run as command } from './support/cli.js'
import { FakeRedis } from './support/fake-redis.js'
import { type LogLine, send, until } from './support/http.js'

const LISTED = '52.6.248.125'
const STRANGER = '198.51.100.7'

function read(file: string): string {
  return readFileSync(file, 'utf8')
}

/** The code of the fenced blocks of a page in a language. */
const blocks = (page: string, wanted: string) =>
  blocksOf(page)
    .filter(({ language }) => language === wanted)
    .map(({ code }) => code)

/** The headings of a page, without what stands in its blocks of code. */
function headings(page: string): string[] {
  const prose = read(page).replaceAll(/^\s*```[\s\S]*?^\s*```/gm, '')
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!)
}

/** A heading's anchor, as GitHub makes it. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')

t.test('links inside the repository lead to a file and a heading', async (t) => {
  for (const page of PAGES) {
    for (const [, target] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|mailto:)/.test(target!)) continue
      const [path, fragment] = target!.split('#')
      const file = path === '' ? page : join(dirname(page), path!)
      t.ok(existsSync(file), `${page}: ${target}`)
      if (fragment !== undefined) t.ok(headings(file).map(anchor).includes(fragment), `${page}: ${target}`)
    }
  }
})

t.test('no two pages have the same title, and the index links to every page', async (t) => {
  const titles = PAGES.map((page) => headings(page)[0]!)
  t.strictSame([...new Set(titles)], titles)
  const index = read('docs/README.md')
  for (const page of readdirSync('docs').filter((file) => file.endsWith('.md') && file !== 'README.md')) {
    t.ok(index.includes(`](${page})`), page)
  }
  for (const folder of ['docs/decisions', 'docs/recipes']) {
    const own = read(`${folder}/README.md`)
    for (const page of readdirSync(folder).filter((file) => file !== 'README.md')) {
      t.match(own, new RegExp(`\\]\\(${page}(?:#[^)]*)?\\)`), `${folder}: ${page}`)
    }
  }
})

t.test('the picture and the table of docs/architecture.md name places that exist', async (t) => {
  const places = [...read('docs/architecture.md').matchAll(/\bsrc\/[\w./-]*\w\/?/g)].map(([place]) => place)
  t.ok(places.length > 20, 'they are found')
  for (const place of places) t.ok(existsSync(place), place)
})

interface Row {
  /** The heading that the row stands under. */
  readonly section: string
  /** Its name: `cacheSize`, `log.summaryEvery`. */
  readonly name: string
  /** The default, as the page writes it: code or words. */
  readonly fallback: string
  readonly example: string
}

/** The rows of the tables of docs/options.md. */
function optionRows(): Row[] {
  return read('docs/options.md')
    .split(/^#+ /m)
    .flatMap((section) =>
      [...section.matchAll(/^\| `([\w.]+)` \|[^|]*\| ([^|]*) \| `([^|]*)` \|/gm)].map(
        ([, name, fallback, example]) => ({
          section: section.split('\n')[0]!,
          name: name!,
          fallback: fallback!,
          example: example!
        })
      )
    )
}

/** What each kind of source needs. */
const SOURCES: Readonly<Record<string, object>> = {
  file: { file: './moengage.json' },
  url: { url: 'https://config.example.com/moengage.json', fetch: async () => new Response('{}') },
  page: { page: 'https://config.example.com/page.mdx', fetch: async () => new Response('') },
  name: { name: 'our table', load: () => ({}) }
}

const sourceOf = (section: string) => SOURCES[/source: \{ (\w+)/.exec(section)?.[1] ?? '']

/** Options with one of them set. */
function withOption({ section, name }: Row, value: unknown): object {
  const [group, member] = name.split('.') as [string, string | undefined]
  if (member === undefined) return { ...(group === 'expectSecret' && { carriesSecret: () => true }), [group]: value }
  const beside = { clientIp: { trustedProxies: ['loopback'] }, source: sourceOf(section) }[group]
  return { [group]: { ...beside, [member]: value } }
}

/** The mistakes in some options of a guard for Express, which takes all of them. */
function mistakesIn(options: object): OptionsError['mistakes'] {
  try {
    const logger = pino({ enabled: false })
    moengageAllowlist({ dataCenters: 'DC-01', logger, ...options }).close()
    return []
  } catch (error) {
    if (error instanceof OptionsError) return error.mistakes
    throw error
  }
}

t.test('docs/options.md has every option', async (t) => {
  const rows = optionRows()
  const unknown = 'q'.repeat(40)
  const groups: [row: Row | undefined, options: object][] = [
    [undefined, { [unknown]: 1 }],
    ...['clientIp', 'log'].map((group): [Row, object] => {
      const row = rows.find(({ name }) => name.startsWith(`${group}.`))!
      return [row, withOption({ ...row, name: `${group}.${unknown}` }, 1)]
    }),
    ...Object.keys(SOURCES).map((kind): [Row, object] => {
      const row = rows.find(({ section }) => section.includes(`source: { ${kind}`))!
      return [row, withOption({ ...row, name: `source.${unknown}` }, 1)]
    })
  ]
  for (const [row, options] of groups) {
    const group = row?.name.split('.')[0]
    const [, names] = /Use one of: (.*)\.$/.exec(mistakesIn(options)[0]!.fix)!
    const documented = rows.filter(
      ({ name, section }) =>
        (group === undefined ? !name.includes('.') : name.startsWith(`${group}.`)) &&
        (group !== 'source' || section === row!.section)
    )
    t.strictSame(
      documented.map(({ name }) => name.split('.').at(-1)).sort(),
      names!.split(', ').sort(),
      row?.section ?? 'at the top'
    )
  }
  for (const channel of CHANNELS) t.ok(read('docs/options.md').includes(`\`${channel}\``), channel)
})

t.test('a guard takes every example of docs/options.md', async (t) => {
  for (const row of optionRows()) {
    const names = { pino, loadFromDatabase: async () => ({}), secretHeader, redisFleet, client: new FakeRedis().io() }
    const value = new Function(...Object.keys(names), `return (${row.example})`)(...Object.values(names))
    t.strictSame(mistakesIn(withOption(row, value)), [], `${row.name}: ${row.example}`)
  }
})

t.test('the defaults of docs/options.md are those of the options', async (t) => {
  const places = placesOf(doorOptions({ words: [], example: '', routePath: '' }))
  const path = (place: (typeof places)[number]) => [place.group?.name, place.name].filter(Boolean).join('.')
  let compared = 0
  for (const { name, fallback } of optionRows().filter((row) => !row.name.startsWith('source.'))) {
    const rule = places.find((place) => path(place) === name)?.rule
    if (!['number', 'boolean', 'string'].includes(typeof rule?.fallback)) continue
    const value = new Function(`return ${fallback.replaceAll('`', '')}`)()
    const isTime = typeof value === 'string' && typeof rule!.fallback === 'number'
    t.equal(isTime ? parseDuration(value) : value, rule!.fallback, `${name}: ${fallback}`)
    compared++
  }
  t.ok(compared >= 10, 'they are found')
})

t.test("the README's options are those of docs/options.md", async (t) => {
  const [, table] = read('README.md').split('## The options that most people need\n')
  const names = [...table!.split('\n## ')[0]!.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!)
  t.equal(names.length, 8)
  const all = optionRows().map(({ name }) => name)
  for (const name of names) t.ok(all.includes(name), name)
})

t.test('the page for support explains every reason', async (t) => {
  const page = read('docs/when-a-webhook-is-missing.md')
  t.ok(page.includes(`grep '${NOT_JUDGED.slice(0, -1)}' app.log`), 'and the line of a guard that has no list')
  for (const reason of REASONS) t.match(page, new RegExp(`^\\| \`${reason}\`[^|]* \\|`, 'm'), reason)
})

t.test(
  'wherever a proxy is to be added to trustedProxies, one that is trusted already has advice as well',
  async (t) => {
    const pages: [page: string, line: RegExp][] = [
      ['docs/when-a-webhook-is-missing.md', /^\| `proxy-not-configured` .*$/m],
      ['docs/monitoring/README.md', /^\| `MoEngageProxyNotConfigured` .*$/m],
      ['docs/monitoring/alerts.yml', /summary: Your own proxy is taken for the sender\s+description: (?:.*\n)+?\n/]
    ]
    for (const [page, line] of pages) {
      const [advice] = line.exec(read(page))!
      t.match(
        advice,
        /trustedProxies`, or, if it is trusted already, set `clientIp\.header` to the one header that it\s+writes itself/,
        page
      )
    }
  }
)

t.test("the README's first example guards its route, as the page for support shows it", async (t) => {
  const server = await startProgram(t, blocks('README.md', 'ts')[0]!)
  const [line, answer] = blocks('docs/when-a-webhook-is-missing.md', 'json').map((json) => JSON.parse(json))
  t.match(await server.post(LISTED), { status: 200, body: '{"ok":true}' })
  const { status, body } = await server.post('3.6.251.95')
  t.equal(status, 403)
  t.strictSame(JSON.parse(body), answer)
  await until(() => server.events('moengage.rejected').length > 0)
  t.match(server.events('moengage.rejected')[0], line)
  t.equal(await server.end('SIGTERM'), 0)
})

t.test('the programs of docs/shutting-down.md lose nothing on SIGTERM', async (t) => {
  const programs = blocks('docs/shutting-down.md', 'ts')
  t.equal(programs.length, 2)
  for (const program of programs) {
    // Slow enough for a request to be under way when the signal comes.
    const slow = program
      .replace('async () => ({ ok: true })', 'async () => new Promise((done) => setTimeout(done, 300, { ok: true }))')
      .replace('response.json({ ok: true })', 'setTimeout(() => response.json({ ok: true }), 300)')
    const server = await startProgram(t, slow.replaceAll(/(dataCenters: 'DC-01')/g, "$1, mode: 'tag'"))
    const agent = new Agent({ keepAlive: true })
    t.teardown(() => agent.destroy())
    for (const clientIp of [LISTED, STRANGER, STRANGER]) await server.post(clientIp, agent)
    const last = server.post(STRANGER, agent)
    await until(() => server.requests() === 4)
    const code = server.end('SIGTERM')
    t.equal((await last).status, 200, 'the request under way is answered')
    t.equal(await code, 0, 'and its connection, kept alive, does not hold the server up')
    const report = await command(['report', '-', '--json'], { stdin: server.output() })
    t.match(JSON.parse(report.stdout), { verified: 1, tagged: { total: 3 } })
  }
})

t.test('the alert of docs/unlisted-calls.md is genuine', async (t) => {
  const code = blocks('docs/unlisted-calls.md', 'ts').find((block) => block.includes('verifyAlertSignature'))!
  const { stdout } = spawnSync(process.execPath, [program(t, code)], { encoding: 'utf8' })
  t.equal(stdout, 'true\n')
})

t.test('the example without a framework prints its verdict', async (t) => {
  const code = blocks('docs/frameworks.md', 'ts').find((block) => block.includes('createGuard'))!
  const { stdout } = spawnSync(process.execPath, [program(t, code)], { encoding: 'utf8' })
  t.match(stdout, /^true 3\.6\.251\.95 is rejected \(other-data-center\)/)
})

t.test('CommonJS loads the doors as docs/frameworks.md shows', async (t) => {
  const [code] = blocks('docs/frameworks.md', 'js')
  const folder = t.testdir({ 'program.cjs': `${code}\nconsole.log(typeof moengageAllowlist, typeof createGuard)` })
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'program.cjs')], { encoding: 'utf8' })
  t.strictSame([stdout, stderr], ['function function\n', ''])
})

t.test('the options of every recipe are right', async (t) => {
  for (const page of PAGES.filter((file) => file.startsWith('docs/recipes/'))) {
    const found = blocks(page, 'ts')
    t.ok(found.length > 0 || page.endsWith('README.md'), page)
    for (const block of found) {
      const [, options] = /moengageAllowlist, (\{[\s\S]*?\n\})\)/.exec(block) ?? []
      t.ok(options, `${page}: ${block}`)
      const evaluate = new Function('frontDoorPrefixes', `return (${options})`)
      t.doesNotThrow(() => createGuard(evaluate(['147.243.0.0/16'])), `${page}: ${options}`)
    }
  }
})

/** Writes a program inside this package, where it finds the package by its name. Gives its path. */
function program(t: Test, code: string): string {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
  })
  const folder = t.testdir({})
  writeFileSync(join(folder, 'program.mjs'), outputText)
  return join(folder, 'program.mjs')
}

/** Says when a server listens, and how many requests have come. */
const OBSERVED = `import { Server } from 'node:http'
const { emit } = Server.prototype
Server.prototype.emit = function (event, ...args) {
  if (event === 'request') process.stderr.write('request\\n')
  if (event === 'listening') process.stderr.write('listening on ' + this.address().port + '\\n')
  return emit.call(this, event, ...args)
}`

/** Starts a program of a page on a free port. Resolves when it listens. */
async function startProgram(t: Test, code: string) {
  const file = program(t, code.replaceAll(/\b3000\b/g, '0'))
  const observed = join(dirname(file), 'observed.mjs')
  writeFileSync(observed, OBSERVED)
  const child = spawn(process.execPath, ['--import', observed, file])
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  let seen = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    seen += text
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const isListening = () => /listening on (\d+)/.exec(seen)
  await until(() => isListening() !== null)
  const port = Number(isListening()![1])
  return {
    port,
    output: () => output,
    requests: () => seen.split('request\n').length - 1,
    events: (event: string) =>
      output
        .split('\n')
        .filter((line) => line.includes(`"event":"${event}"`))
        .map((line) => (JSON.parse(line) as LogLine).moengage!),
    post: (clientIp: string, agent?: Agent) => {
      const headers = { 'x-forwarded-for': clientIp }
      return send({ port }, { method: 'POST', path: '/moengage/connector', headers, ...(agent && { agent }) })
    },
    end: (signal: NodeJS.Signals) => {
      child.kill(signal)
      return ended
    }
  }
}
