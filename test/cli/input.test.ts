import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { run } from '../support/cli.js'
import { FakeRedis } from '../support/fake-redis.js'

const PAGE = 'test/fixtures/page-tables-sample.mdx'
const page = readFileSync(PAGE, 'utf8')
const SNAPSHOT = 'src/directory/moengage.json'
const snapshot = readFileSync(SNAPSHOT, 'utf8')
const html = `<!doctype html><table><tr><th>Channels</th><th>Data Center</th><th>IPs</th></tr>
<tr><td>SMS Campaigns</td><td>DC-01</td><td>192.0.2.1</td></tr></table>`
const markdown = `| Channels | Data Center | IPs |\n| --- | --- | --- |\n| SMS Campaigns | DC-01 | 192.0.2.1 |\n`

/** Serves over a real socket. */
async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The first DC-01 address for SMS of a list, and where the list says that it comes from. */
async function read(argument: string, world: Parameters<typeof run>[1] = {}) {
  const { code, stdout, stderr } = await run(['list', '--from', argument, '-d', 'DC-01', '-c', 'sms', '--json'], world)
  if (code !== 0) return { code, stderr }
  const { cells, page, retrieved } = JSON.parse(stdout)
  return { code, address: cells[0].addresses[0], page, retrieved }
}

const BUNDLED = { address: '52.6.248.125/32', retrieved: '2026-11-23' }
const SAMPLE = { address: '52.6.248.125/32', retrieved: '2026-11-30' }
const SMALL = { address: '192.0.2.1/32', retrieved: '2026-11-30' }

t.test('a list is a snapshot or a page, which its text decides', async (t) => {
  const folder = t.testdir({
    'page.html': html,
    'page.md': markdown,
    'saved without an extension': html,
    'snapshot.txt': `\n  ${snapshot}`,
    'byte-order-mark.json': `\ufeff${snapshot}`,
    'expression.mdx': `{/* a comment of MDX */}\n\n${markdown}`,
    'link.md': `[Home](/)\n\n${markdown}`,
    bundled: 'a file of this name is not what is meant'
  })
  const rows: [argument: string, expected: object][] = [
    ['bundled', BUNDLED],
    [SNAPSHOT, BUNDLED],
    [`${folder}/snapshot.txt`, BUNDLED],
    [`${folder}/byte-order-mark.json`, BUNDLED],
    [PAGE, { ...SAMPLE, page: 'page-tables-sample.mdx' }],
    [`${folder}/page.html`, { ...SMALL, page: 'page.html' }],
    [`${folder}/page.md`, SMALL],
    [`${folder}/saved without an extension`, SMALL],
    [`${folder}/expression.mdx`, SMALL],
    [`${folder}/link.md`, SMALL]
  ]
  for (const [argument, expected] of rows) t.match(await read(argument), { code: 0, ...expected }, argument)
  t.match(await read('-', { stdin: snapshot }), { code: 0, ...BUNDLED })
  t.match(await read('-', { stdin: page }), { code: 0, ...SAMPLE, page: 'standard input' })
  t.match(await read('-', { stdin: html }), { code: 0, ...SMALL })
})

t.test('a list comes from a URL', async (t) => {
  const served: Record<string, string> = { '/list': snapshot, '/page.mdx': page, '/page': html }
  const origin = await serve(t, ({ url }, response) => response.end(served[url!]))
  t.match(await read(`${origin}/list`, { fetch }), { code: 0, ...BUNDLED })
  t.match(await read(`${origin}/page.mdx`, { fetch }), { code: 0, ...SAMPLE, page: `${origin}/page.mdx` })
  t.match(await read(`${origin.replace('http', 'HTTP')}/page`, { fetch }), { code: 0, ...SMALL })
})

t.test('warnings about a page go to standard error', async (t) => {
  const { code, stdout, stderr } = await run(['list', '--from', '-', '--json'], { stdin: html })
  t.equal(code, 0)
  t.match(stderr, /^warning: rows: The page has no row "Streams" for DC-01/m)
  t.equal(JSON.parse(stdout).page, 'standard input')
})

t.test('a page and the bundled list can be compared', async (t) => {
  const { code, stdout } = await run(['diff', 'bundled', PAGE])
  t.equal(code, 1)
  t.match(stdout, '### Moved (1)\n\n- `34.218.145.185`: DC-101 (file-segment) → DC-01 (file-segment)\n')
})

t.test('a list that cannot be read is an error, which names it', async (t) => {
  const folder = t.testdir({
    'empty.json': '',
    'blank.md': ' \n',
    'broken.json': snapshot.slice(0, 2000),
    'array.json': '[]',
    'text.md': '# Nothing to see here',
    'lost.md': markdown.replace('192.0.2.1', ''),
    'latin-1.json': Buffer.from('{ "provenance": "\xe9" }', 'latin1'),
    'large.json': ' '.repeat(5_000_001),
    folder: {}
  })
  const rows: [argument: string, message: RegExp][] = [
    [`${folder}/absent.json`, /absent\.json" cannot be read: ENOENT.*"bundled".*MOE_ERR_SOURCE/is],
    ['bundeld', /"bundeld" cannot be read: ENOENT/],
    [`${folder}/folder`, /cannot be read: EISDIR/],
    [`${folder}/empty.json`, /cannot be read: It is empty\. Name/],
    [`${folder}/blank.md`, /cannot be read: It is empty\. Name/],
    [`${folder}/broken.json`, /broken\.json": It is not JSON: .*MOE_ERR_SNAPSHOT/is],
    [`${folder}/array.json`, /array\.json": The snapshot is damaged/],
    [`${folder}/text.md`, /text\.md": The page has no table.*MOE_ERR_PAGE/is],
    [`${folder}/lost.md`, /lost\.md": One cell of the page could not be read.*SMS Campaigns.*DC-01/s],
    [`${folder}/latin-1.json`, /cannot be read: .*utf-8/],
    [`${folder}/large.json`, /cannot be read: It is larger than 5000000 bytes/],
    ['http://', /cannot be read: Invalid URL\. Name/],
    ['ftp://example.com/list', /cannot be read: ENOENT/]
  ]
  for (const [argument, message] of rows) {
    const { code, stderr } = await run(['list', '--from', argument])
    t.equal(code, 2, argument)
    t.match(stderr, message, argument)
    t.match(stderr, /^error: "/, argument)
  }
})

t.test('a signed list is named as such by every command that reads a list', async (t) => {
  const key = `${t.testdir({})}/my.key`
  await run(['keygen', key])
  const { stdout: stdin } = await run(['sign', 'bundled', '--key', key, '--name', 'production'])
  for (const argv of [
    ['list', '--from', '-'],
    ['explain', '192.0.2.1', '--from', '-'],
    ['export', 'nginx', '-d', 'DC-01', '--from', '-'],
    ['diff', '-', 'bundled'],
    ['publish', '-', '--name', 'production'],
    ['import', '-'],
    ['sign', '-', '--key', key, '--name', 'production']
  ]) {
    const { code, stderr } = await run(argv, { stdin })
    t.equal(code, 2, argv.join(' '))
    t.match(
      stderr,
      /^error: Standard input is a signed list, .* Name the list that was signed, .*moe_err_source/,
      argv.join(' ')
    )
  }
})

t.test('a list that is dated ahead of the clock is named by every command that reads a list', async (t) => {
  const ahead = snapshot.replace('"2026-11-23"', '"2030-01-01"')
  const folder = t.testdir({ 'list.json': ahead })
  const list = `${folder}/list.json`
  const key = `${folder}/my.key`
  await run(['keygen', key])
  const commands = [
    ['list', '--from', list],
    ['explain', '52.6.248.125', '--from', list],
    ['export', 'text', '-d', 'DC-01', '--from', list],
    ['diff', 'bundled', list],
    ['sign', list, '--key', key, '--name', 'production'],
    ['publish', list, '--redis', 'redis://127.0.0.1:1', '--name', 'webhooks']
  ]
  for (const argv of commands) {
    const { code, stderr } = await run(argv, { redis: new FakeRedis().io() })
    t.equal(code, 0, argv[0]!)
    t.equal(
      stderr.split('\n')[0],
      `warning: "${list}": The list is of 2030-01-01, a day that is still to come: its age is unknown. Correct the date in the list, or the clock of this machine, and load the list again.`
    )
    const later = await run(argv, { redis: new FakeRedis().io(), now: '2029-12-31T00:00:00Z' })
    t.notMatch(later.stderr, 'warning', 'not when it is tomorrow')
  }
})

t.test('standard input is bounded', async (t) => {
  t.match(await read('-', { stdin: ' '.repeat(5_000_001) }), { code: 2, stderr: /Standard input cannot be .* larger/ })
})

t.test('a server that does not deliver is an error', async (t) => {
  const origin = await serve(t, ({ url }, response) => {
    if (url === '/moved') response.writeHead(302, { location: 'https://example.com/list' }).end()
    else if (url === '/endless') {
      const more = () => {
        while (response.write(' '.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    } else if (url === '/cut') {
      response.writeHead(200, { 'content-length': 1000 }).write('{', () => response.destroy())
    } else response.writeHead(503).end('{}')
  })
  const rows: [path: string, message: RegExp][] = [
    ['/moved', /cannot be read: It redirects to https:\/\/example\.com\/list; redirects are not followed/],
    ['/busy', /cannot be read: It answers with status 503\. Name/],
    ['/endless', /cannot be read: It is larger than 5000000 bytes/],
    ['/cut', /cannot be read: .+/]
  ]
  for (const [path, message] of rows) {
    t.match(await read(`${origin}${path}`, { fetch }), { code: 2, stderr: message }, path)
  }
  t.match(await read('http://127.0.0.1:1/', { fetch }), { code: 2, stderr: /cannot be read: fetch failed: \S/ })
  // The error of Node if none of a name's addresses answers.
  const cause = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' })
  const refused: typeof fetch = () => Promise.reject(new TypeError('fetch failed', { cause }))
  const { stderr } = await read('https://example.com/', { fetch: refused })
  t.match(stderr, 'cannot be read: fetch failed: ECONNREFUSED. Name')
})

t.test('plain http is refused except for this machine, and so are names and passwords in a URL', async (t) => {
  const never: typeof fetch = () => Promise.reject(new Error('it was asked'))
  const message = async (url: string) => (await run(['list', '--from', url], { fetch: never })).stderr
  for (const host of ['example.com', '10.0.0.1', 'localhost.example.com', '[2001:db8::1]', '127.0.0.1.example.com']) {
    const text = await message(`http://${host}/list?token=secret`)
    t.match(text, /^error: "http:\/\/.*\/list" cannot be read: .*over plain http\. Use https/, host)
    t.notMatch(text, /secret|it was asked/, host)
  }
  for (const host of ['localhost', '127.0.0.2', '[::1]']) t.match(await message(`http://${host}/list`), /it was asked/)
  const text = await message('https://me:secret@example.com/list')
  t.match(text, /^error: "https:\/\/example\.com\/list" cannot be read: The URL carries a name or password\./)
  t.notMatch(text, 'secret')
})

t.test('the query of a URL stays out of messages and of the list', async (t) => {
  const answer: typeof fetch = async (url) => new Response(String(url).includes('page') ? html : '{')
  t.match(await read('https://example.com/page?token=secret', { fetch: answer }), {
    code: 0,
    page: 'https://example.com/page'
  })
  const { stderr } = await run(['list', '--from', 'https://example.com/list?token=secret#x'], { fetch: answer })
  t.match(stderr, /^error: "https:\/\/example\.com\/list": The page has no table/)
  t.notMatch(stderr, 'secret')
})

t.test('a server that does not answer is given up', async (t) => {
  const asked: RequestInit[] = []
  const slow: typeof fetch = async (_url, init) => {
    asked.push(init!)
    throw new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  }
  t.match(await read('https://example.com/', { fetch: slow }), {
    code: 2,
    stderr: /cannot be read: .* due to timeout\. Name/
  })
  t.ok(asked[0]!.signal instanceof AbortSignal)
})

t.test('a hostile snapshot is refused', async (t) => {
  const provenance = '"provenance": { "page": "x", "revision": "r", "retrieved": "2026-11-23" }'
  const row = '{ "dataCenter": "DC-01", "channel": "sms", "addresses": ["192.0.2.1"] }'
  const entry = (text: string) =>
    `{ ${provenance}, "rows": [${row}, { "dataCenter": "DC-02", "channel": "sms", "addresses": ${text} }] }`
  const rows: [name: string, stdin: string, message: RegExp][] = [
    ['deep JSON', entry(`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`), /deeper than|holds more than/],
    ['deep JSON that is not closed', `{"rows":${'['.repeat(4_000_000)}`, /It is not JSON/],
    ['the whole internet', entry('["0.0.0.0/0"]'), /half of the internet/],
    ['a hundred thousand entries', entry(JSON.stringify(Array(100_000).fill('192.0.2.1'))), /holds more than/],
    [
      'an unknown data center',
      entry('["192.0.2.1"]').replace('DC-02', '__proto__'),
      /"__proto__"|'__proto__' is unknown/
    ],
    ['rows of the prototype', `{ "__proto__": { ${provenance}, "rows": [${row}] } }`, /There are no rows/]
  ]
  for (const [name, stdin, message] of rows) t.match(await read('-', { stdin }), { code: 2, stderr: message }, name)
  const polluting = `{ "__proto__": { "polluted": true }, "constructor": { "prototype": { "polluted": true } }, ${provenance}, "rows": [${row}] }`
  t.match(await read('-', { stdin: polluting }), { code: 0, address: '192.0.2.1/32' })
  t.notOk('polluted' in {})
})

t.test('a command that reads standard input says at a terminal what it waits for', async (t) => {
  for (const argv of [
    ['list', '--from', '-'],
    ['import', '-'],
    ['egress', 'check', '-'],
    ['egress', 'explain-403']
  ]) {
    const { stderr } = await run(argv, { stdin: '', isInteractive: true })
    t.match(
      stderr,
      /^hint: Reading standard input from the terminal; end it with Ctrl\+D, or name a file\.\n/,
      argv.join(' ')
    )
    t.notMatch((await run(argv, { stdin: '' })).stderr, 'hint')
  }
})
