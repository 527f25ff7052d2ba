import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../support/cli.js'
import { answering, echoServer, resolveNames } from '../support/echo.js'
import { forwardProxy, listenOn } from '../support/forward-proxy.js'
import { freePort } from '../support/http.js'

const LIST = '9.9.9.0/24 # NAT\n2620:fe::/48\n'

/** Compares what services see with {@link LIST}. */
async function verify(urls: readonly string[], more: readonly string[] = [], env: Record<string, string> = {}) {
  const argv = ['egress', 'verify', '-', ...urls.flatMap((url) => ['--url', url]), ...more]
  return run(argv, { stdin: LIST, env })
}

/** The rows of the table, without the URL. */
const rows = (stdout: string) =>
  stdout
    .split('\n\n')[0]!
    .split('\n')
    .map((line) => line.split(/ {2,}/).slice(1))

t.test('a service is asked over IPv4 and IPv6 apart, several times', async (t) => {
  const port = await echoServer(t, answering('9.9.9.9', '9.9.9.9', '9.9.9.10'), answering('2620:fe::9\n'))
  resolveNames(t, { 'echo.example': [4, 6] })
  const { code, stdout, stderr } = await verify([`http://echo.example:${port}/`])
  t.strictSame(rows(stdout), [
    ['IPv4', '9.9.9.9 (2x)', 'listed: 9.9.9.0/24 (line 1)'],
    ['IPv4', '9.9.9.10 (1x)', 'listed: 9.9.9.0/24 (line 1)'],
    ['IPv6', '2620:fe::9 (3x)', 'listed: 2620:fe::/48 (line 2)']
  ])
  t.match(stdout, 'Every address that was seen is on the list.')
  t.match(stdout, "It does not show what MoEngage's lists hold, nor\nthat one is enforced")
  t.strictSame([code, stderr], [0, ''])
})

t.test('an address that is not on the list ends with 1', async (t) => {
  const port = await echoServer(t, answering('9.9.9.9', '9.9.8.8'))
  const { code, stdout } = await verify([`http://127.0.0.1:${port}/`], ['--times', '2'])
  t.equal(code, 1)
  t.strictSame(rows(stdout), [
    ['IPv4', '9.9.9.9 (1x)', 'listed: 9.9.9.0/24 (line 1)'],
    ['IPv4', '9.9.8.8 (1x)', 'NOT LISTED']
  ])
  t.match(stdout, 'This machine sends from an address that is not on the list.')
})

t.test('an address in the URL is asked over its own family', async (t) => {
  const port = await echoServer(t, answering('9.9.9.9'), answering('2620:fe::9'))
  t.strictSame(rows((await verify([`http://[::1]:${port}/`])).stdout), [
    ['IPv6', '2620:fe::9 (3x)', 'listed: 2620:fe::/48 (line 2)']
  ])
  t.strictSame(rows((await verify([`http://127.0.0.1:${port}/`])).stdout), [
    ['IPv4', '9.9.9.9 (3x)', 'listed: 9.9.9.0/24 (line 1)']
  ])
})

t.test('a family that is not there is named, and is no failure', async (t) => {
  const port = await echoServer(t, answering('9.9.9.9'))
  resolveNames(t, { 'echo.example': [4] })
  const { code, stdout } = await verify([`http://echo.example:${port}/`])
  t.equal(code, 0)
  t.strictSame(rows(stdout)[1], ['IPv6', 'no answer', 'getaddrinfo ENOTFOUND echo.example'])
})

t.test('a service that does not answer ends with 2, unless another saw an address that is not listed', async (t) => {
  const absent = `http://127.0.0.1:${await freePort()}/`
  const listed = `http://127.0.0.1:${await echoServer(t, answering('9.9.9.9'))}/`
  const unlisted = `http://127.0.0.1:${await echoServer(t, answering('9.9.8.8'))}/`
  for (const [urls, expected] of [
    [[absent], 2],
    [[listed, absent], 2],
    [[unlisted, absent], 1],
    [[listed, unlisted], 1],
    [[listed, listed], 0]
  ] as const) {
    t.equal((await verify(urls)).code, expected, urls.join(' '))
  }
  t.match((await verify([absent])).stdout, /no answer +connect ECONNREFUSED[\s\S]*A service did not answer/)
})

t.test('an answer is an address as text or in JSON; anything else is no answer', async (t) => {
  const table: [answer: string, found: RegExp][] = [
    [' 9.9.9.9\r\n', /^9\.9\.9\.9/],
    ['::ffff:9.9.9.9', /^9\.9\.9\.9/],
    ['"9.9.9.9"', /^9\.9\.9\.9/],
    ['{"ip":"9.9.9.9"}', /^9\.9\.9\.9/],
    ['{ "address": "9.9.9.9" }', /^9\.9\.9\.9/],
    ['{"origin": "9.9.9.9"}', /^9\.9\.9\.9/],
    ['{"origin": "9.9.9.9, 9.9.9.10"}', /is not an address/],
    ['{"ip": 9}', /is not an address/],
    ['{', /is not an address/],
    ['', /It answers with "", which is not an address/],
    ['<html>', /is not an address/],
    ['x'.repeat(10_001), /larger than 10000 bytes/],
    ['10.0.0.5', /inside of your network\. "10\.0\.0\.5" is a private address/],
    ['127.0.0.1', /inside of your network/]
  ]
  for (const [answer, found] of table) {
    const { code, stdout } = await verify([`http://127.0.0.1:${await echoServer(t, answering(answer))}/`])
    const [, what, why] = rows(stdout)[0]!
    t.match(code === 0 ? what : why, found, answer.slice(0, 40))
    t.equal(code, found.source.startsWith('^') ? 0 : 2, answer.slice(0, 40))
  }
})

t.test('only status 200 is an answer, and redirects are not followed', async (t) => {
  for (const status of [204, 302, 403, 500]) {
    const port = await echoServer(t, (_request, response) => {
      response.writeHead(status, { location: '/other' }).end(status === 204 ? undefined : '9.9.9.9')
    })
    const { code, stdout } = await verify([`http://127.0.0.1:${port}/`])
    t.equal(code, 2)
    t.match(stdout, `It answers with status ${status}.`)
  }
})

t.test('a failure between answers is named beside them', async (t) => {
  let asked = 0
  const port = await echoServer(t, (_request, response) => {
    response.writeHead(asked++ === 1 ? 500 : 200).end('9.9.9.9')
  })
  const { code, stdout } = await verify([`http://127.0.0.1:${port}/`])
  t.equal(code, 0)
  t.strictSame(rows(stdout), [
    ['IPv4', '9.9.9.9 (2x)', 'listed: 9.9.9.0/24 (line 1)'],
    ['IPv4', 'no answer', 'It answers with status 500.']
  ])
})

t.test('with --json all of it is an object', async (t) => {
  const port = await echoServer(t, answering('9.9.8.8'))
  const url = `http://127.0.0.1:${port}/`
  const { code, stdout } = await verify([url], ['--times', '1', '--json'])
  t.equal(code, 1)
  t.strictSame(JSON.parse(stdout), {
    outcome: 'unlisted',
    results: [{ url, way: 'IPv4', seen: [{ address: '9.9.8.8', count: 1, listedAs: null }], failure: null }],
    doubts: []
  })
})

t.test('the proxy of the environment is used, and named', async (t) => {
  const port = await echoServer(t, answering('9.9.9.9'))
  const proxy = await forwardProxy(t, { hosts: { [`echo.example:${port}`]: port } })
  const url = `http://echo.example:${port}/ip`
  const { code, stdout, stderr } = await verify([url], [], { HTTP_PROXY: proxy.host, HTTPS_PROXY: proxy.host })
  t.equal(code, 0)
  t.strictSame(rows(stdout), [
    [`through the proxy http://${proxy.host} (HTTP_PROXY)`, '9.9.9.9 (3x)', 'listed: 9.9.9.0/24 (line 1)']
  ])
  t.strictSame(proxy.asked, [`GET ${url}`, `GET ${url}`, `GET ${url}`])
  t.match(
    stderr,
    /^warning: echo\.example:\d+ was asked through the proxy .*\(HTTP_PROXY\), but .*\(HTTPS_PROXY\)\.\n$/
  )
})

t.test('what is asked otherwise than MoEngage is a doubt', async (t) => {
  const port = await echoServer(t, answering('9.9.9.9'))
  const { stderr } = await verify([`http://127.0.0.1:${port}/`], [], { HTTPS_PROXY: 'http://proxy.example:3128' })
  t.match(
    stderr,
    /was asked directly, but requests to api-01\.moengage\.com leave through the proxy http:\/\/proxy\.example:3128 \(HTTPS_PROXY\)/
  )
})

t.test('a proxy that refuses or is not there is no answer, and a variable that names none an error', async (t) => {
  const refusing = await forwardProxy(t, { refuse: 403 })
  const absent = await freePort()
  resolveNames(t, { 'both.example': [4, 6] })
  const table: [proxy: string, message: RegExp][] = [
    [refusing.host, /through the proxy .* +no answer +The proxy refuses the tunnel with status 403/],
    [`127.0.0.1:${absent}`, /no answer +connect ECONNREFUSED/],
    [`both.example:${absent}`, /no answer +ECONNREFUSED/]
  ]
  for (const [proxy, message] of table) {
    const { code, stdout } = await verify(['https://echo.example/'], [], { HTTPS_PROXY: proxy })
    t.equal(code, 2)
    t.match(stdout, message)
  }
  const { code, stderr } = await verify(['https://echo.example/'], [], { HTTPS_PROXY: 'socks5://x' })
  t.equal(code, 2)
  t.match(stderr, /^error: HTTPS_PROXY does not name .*MOE_ERR_SOURCE/i)
})

t.test('the query of a service is sent, and not shown', async (t) => {
  const asked: (string | undefined)[] = []
  const port = await echoServer(t, (request, response) => {
    asked.push(request.url)
    if (request.url === '/?key=open') response.end('9.9.9.9')
    else response.writeHead(401).end()
  })
  const urls = ['open', 'sesame'].map((key) => `http://127.0.0.1:${port}/?key=${key}`)
  const { code, stdout } = await verify(urls, ['--times', '1', '--json'])
  t.strictSame(asked.sort(), ['/?key=open', '/?key=sesame'])
  const { outcome, results } = JSON.parse(stdout)
  const url = `http://127.0.0.1:${port}/?…`
  t.match(results, [
    { url, failure: null },
    { url, failure: /status 401/ }
  ])
  t.strictSame([code, outcome], [2, 'unknown'], 'each is judged by itself')
})

t.test('a list with a mistake is not compared', async (t) => {
  const { code, stderr } = await run(['egress', 'verify', '-', '--url', 'http://127.0.0.1:1/'], { stdin: '10.0.0.1' })
  t.equal(code, 2)
  t.match(stderr, /^error: Your list has a mistake:\n {2}- line 1: "10\.0\.0\.1" is a private address/)
})

t.test('wrong arguments are named', async (t) => {
  const table: [argv: string[], message: RegExp][] = [
    [[], /required option '--url <url>' not specified/],
    [['--url', 'echo.example'], /Write an http\(s\) URL/],
    [['--url', 'ftp://echo.example'], /Write an http\(s\) URL/],
    ...['0', '101', '1.5', '-1', 'x', ''].map((times): [string[], RegExp] => {
      return [['--url', 'http://127.0.0.1:1/', '--times', times], /Write a whole number from 1 to 100/]
    })
  ]
  for (const [argv, message] of table) {
    const { code, stderr } = await run(['egress', 'verify', '-', ...argv], { stdin: LIST })
    t.equal(code, 2, argv.join(' '))
    t.match(stderr, message, argv.join(' '))
  }
})

const isRequired = process.env.REAL_PROXIES === 'required'

function missing(command: string, args: string[]): string | false {
  const path = `${process.env.PATH}:/usr/sbin`
  if (isRequired || spawnSync(command, args, { env: { ...process.env, PATH: path } }).status === 0) return false
  const reason = `tests with the real ${command} left out: it cannot be run here`
  console.error(`# ${reason}`)
  return reason
}

t.test('as a program, over https through a tunnel', { skip: missing('openssl', ['version']) }, async (t) => {
  const folder = t.testdir({})
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=echo.example', '-addext', 'subjectAltName=DNS:echo.example']
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert]
  execFileSync('openssl', [...request, ...subject], { stdio: 'ignore' })
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    response.end(request.url === '/egress.txt' ? LIST : '9.9.9.9')
  })
  const proxy = await forwardProxy(t, { hosts: { 'echo.example:443': await listenOn(t, server) } })
  const argv = [
    'src/cli/bin.ts',
    'egress',
    'verify',
    'https://echo.example/egress.txt',
    '--url',
    'https://echo.example/'
  ]
  const child = spawn(process.execPath, [...process.execArgv, ...argv], {
    env: { ...process.env, HTTPS_PROXY: `http://me:s3cret@${proxy.host}`, NODE_EXTRA_CA_CERTS: cert },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  t.strictSame(await once(child, 'close'), [0, null], output)
  t.match(output, `through the proxy http://${proxy.host} (HTTPS_PROXY)  9.9.9.9 (3x)`)
  t.notMatch(output, /s3cret|warning/)
  t.strictSame(proxy.asked, Array(4).fill('CONNECT echo.example:443'))
  t.equal(proxy.credentials[0], `Basic ${Buffer.from('me:s3cret').toString('base64')}`)
})
