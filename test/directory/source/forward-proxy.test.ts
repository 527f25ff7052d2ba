import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { loadGuard } from '../../../src/core.js'
import { run } from '../../support/cli.js'
import { forwardProxy, listenOn } from '../../support/forward-proxy.js'
import { freePort } from '../../support/http.js'

const snapshot = readFileSync('src/directory/moengage.json', 'utf8')
const LIST = 'http://lists.example/moengage.json'
const PASSWORD = 's3cret'

/** Serves the list and what is asked for it. */
async function listServer(t: Test) {
  const headers: Record<string, unknown>[] = []
  const server = createServer((request, response) => {
    headers.push(request.headers)
    if (request.headers['if-none-match'] !== undefined) response.writeHead(304).end()
    else response.setHeader('etag', '"1"').end(snapshot)
  })
  return { port: await listenOn(t, server), headers }
}

/** Sets a variable of this process until the test ends. */
function setVariable(t: Test, name: string, value: string): void {
  const before = process.env[name]
  process.env[name] = value
  t.teardown(() => {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  })
}

const load = (more: object = {}) =>
  loadGuard({ dataCenters: 'DC-01', source: { url: LIST, allowHttp: true, ...more } as never })

t.test('a URL source asks the proxy that the environment names', async (t) => {
  const { port, headers } = await listServer(t)
  const proxy = await forwardProxy(t, { hosts: { 'lists.example': port } })
  setVariable(t, 'HTTP_PROXY', `http://me:${PASSWORD}@${proxy.host}`)
  const guard = await load({ headers: { 'x-token': 'abc' } })
  t.teardown(() => guard.close())
  await guard.reload()
  t.strictSame(proxy.asked, [`GET ${LIST}`, `GET ${LIST}`], 'not by a tunnel, which proxies refuse to port 80')
  t.strictSame(
    proxy.credentials.map((text) => Buffer.from(text!.replace('Basic ', ''), 'base64').toString()),
    [`me:${PASSWORD}`, `me:${PASSWORD}`]
  )
  t.match(headers, [{ host: 'lists.example', 'x-token': 'abc' }, { 'if-none-match': '"1"' }])
})

t.test('an error names the proxy, without its password', async (t) => {
  const refusing = await forwardProxy(t, { refuse: 403 })
  const absent = `127.0.0.1:${await freePort()}`
  const table: [host: string, why: string][] = [
    [refusing.host, 'It answers with status 403.'],
    [absent, `connect ECONNREFUSED ${absent}`]
  ]
  for (const [host, why] of table) {
    setVariable(t, 'HTTP_PROXY', `http://me:${PASSWORD}@${host}`)
    const message = ` through the proxy http://${host} (HTTP_PROXY): ${why}`
    await t.rejects(load(), { code: 'MOE_ERR_SOURCE', message: new RegExp(message.replaceAll(/[.()]/g, '\\$&')) })
    const env = { HTTPS_PROXY: process.env.HTTP_PROXY! }
    const { code, stderr } = await run(['list', '--from', LIST.replace('http', 'https')], { env })
    t.equal(code, 2)
    t.match(stderr, ` cannot be read through the proxy http://${host} (HTTPS_PROXY): `)
    t.notMatch(stderr, PASSWORD)
  }
})

t.test('a tunnel that the proxy refuses is an error with its status', async (t) => {
  const { host, asked } = await forwardProxy(t, { refuse: 407 })
  const from = 'https://lists.example/moengage.json'
  const { stderr } = await run(['list', '--from', from], { env: { HTTPS_PROXY: host } })
  t.match(
    stderr,
    ` cannot be read through the proxy http://${host} (HTTPS_PROXY): The proxy refuses the tunnel with status 407.`
  )
  t.strictSame(asked, ['CONNECT lists.example:443'])
})

t.test('a variable that names no proxy is an error', async (t) => {
  const from = LIST.replace('http', 'https')
  const { code, stderr } = await run(['list', '--from', from], { env: { HTTPS_PROXY: 'socks5://proxy:1080' } })
  t.equal(code, 2)
  t.match(stderr, /cannot be read: HTTPS_PROXY does not name an http or https proxy\. Write it like http/)
  const plain = await run(['list', '--from', LIST], { env: { HTTP_PROXY: 'http://proxy.example' } })
  t.match(plain.stderr, /cannot be read: Everyone on the way/, 'plain http is refused before a proxy is chosen')
  setVariable(t, 'HTTP_PROXY', 'socks5://proxy:1080')
  await t.rejects(load(), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: 'source.url', message: /HTTP_PROXY/ }]
  } as never)
})

t.test('a fetch of your own is left alone', async (t) => {
  const { host, asked } = await forwardProxy(t, { refuse: 403 })
  setVariable(t, 'HTTP_PROXY', host)
  const guard = await load({ fetch: async () => new Response(snapshot) })
  guard.close()
  t.strictSame(asked, [])
})

t.test('a proxy that never answers is given up with the source', async (t) => {
  const silent = createServer(() => {})
  setVariable(t, 'HTTP_PROXY', `127.0.0.1:${await listenOn(t, silent)}`)
  const message = /failed through the proxy http.* \(HTTP_PROXY\): It did not answer within 50 ms/
  await t.rejects(load({ timeout: 50 }), { code: 'MOE_ERR_SOURCE', message })
})
