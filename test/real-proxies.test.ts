import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import moengageAllowlist, { type Verdict } from '../src/index.js'
import { LISTED, LISTED_IN, STRANGER } from './support/addresses.js'
import { freePort, listen, send } from './support/http.js'

/** HAProxy below 2.8 has no `option forwarded`. */
const haproxyVersion = versionOf('haproxy', ['-v'], /version (\d+\.\d+)/)
const nginxVersion = versionOf('nginx', ['-v'], /nginx\/(\d+\.\d+)/)
const missing = Object.entries({ nginx: nginxVersion, haproxy: haproxyVersion }).filter(([, version]) => !version)
const isRequired = process.env.REAL_PROXIES === 'required'
const skip =
  missing.length > 0 && !isRequired
    ? `tests with real proxies left out: ${missing.map(([name]) => name).join(' and ')} not installed (Debian: apt-get install nginx haproxy)`
    : false
if (skip) console.error(`# ${skip}`)

function versionOf(command: string, args: string[], pattern: RegExp): string | undefined {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return pattern.exec(`${stdout}${stderr}`)?.[1]
}

/** The configuration files of a recipe, as a reader copies them. */
function recipe(page: string): string[] {
  const text = readFileSync(`docs/recipes/${page}.md`, 'utf8')
  return [...text.matchAll(/```(?:nginx|haproxy)\n([\s\S]*?)```/g)].map(([, code]) => code!)
}

interface Wiring {
  /** Holds what the proxy writes. */
  folder: string
  port: number
  /** Where it hands requests to. */
  to: number
  /** With the PROXY protocol a connection says for whom it is, so that any client can be played. */
  anyClient: boolean
}

/** Puts ports and folders of the test into the recipe, and leaves what it teaches as it is. */
const configure = {
  nginx: (text: string, { folder, port, to, anyClient }: Wiring) => {
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`
    )
    const listen = anyClient
      ? `listen 127.0.0.1:${port} proxy_protocol; set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;`
      : `listen 127.0.0.1:${port}; listen [::1]:${port};`
    return text
      .replace(/listen 80;\s*listen \[::\]:80;/, listen)
      .replace('listen 8080 proxy_protocol', `listen 127.0.0.1:${port} proxy_protocol`)
      .replace('http {', `pid ${folder}/nginx-${port}.pid; http { access_log off; ${paths.join(' ')}`)
      .replace('127.0.0.1:3000', `127.0.0.1:${to}`)
  },
  haproxy: (text: string, { port, to, anyClient }: Wiring) =>
    text
      .replace(
        /bind :80\s*bind :::80 v6only/,
        `bind 127.0.0.1:${port}${anyClient ? ' accept-proxy' : `\n  bind ::1:${port}`}`
      )
      .replace('bind :8080', `bind 127.0.0.1:${port}`)
      .replace('127.0.0.1:3000', `127.0.0.1:${to}`)
}

const command = {
  nginx: (file: string) => ['-e', 'stderr', '-c', file, '-g', 'daemon off;'],
  haproxy: (file: string) => ['-q', '-db', '-f', file]
}

/** Starts a proxy in front of a port; gives the port it listens on. */
async function proxy(
  t: Test,
  kind: 'nginx' | 'haproxy',
  text: string,
  to: number,
  { anyClient = true } = {}
): Promise<number> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'moengage-allowlist-'))
  const file = join(folder, `${kind}.conf`)
  writeFileSync(file, configure[kind](text, { folder, port, to, anyClient }))
  const child = spawn(kind, command[kind](file), { stdio: ['ignore', 'inherit', 'inherit'] })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  t.teardown(async () => {
    child.kill()
    await ended
    rmSync(folder, { recursive: true })
  })
  for (let attempt = 0; !(await accepts(port)); attempt++) {
    if (attempt === 100) throw new Error(`${kind} does not listen: ${readFileSync(file, 'utf8')}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return port
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy())
  })
}

/** Sends a request as a client of any address, with header lines exactly as given. Gives the status. */
function sendAs(port: number, client: string, lines: readonly string[]): Promise<number> {
  const family = client.includes(':') ? 'TCP6' : 'TCP4'
  const server = client.includes(':') ? '2001:db8::80' : '203.0.113.80'
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text
    })
    socket.on('error', reject).on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])))
    const head = [
      'POST /events HTTP/1.1',
      'Host: hooks.example.com',
      'Content-Length: 0',
      ...lines,
      'Connection: close'
    ]
    socket.write(`PROXY ${family} ${client} ${server} 40000 80\r\n${head.join('\r\n')}\r\n\r\n`)
  })
}

const FORGERIES: readonly (readonly string[])[] = [
  [],
  [`X-Forwarded-For: ${LISTED}`],
  [`X-Forwarded-For: ${LISTED}`, `X-Forwarded-For: ${LISTED}, 127.0.0.1`],
  [`X-Forwarded-For: ${LISTED},`, 'X-Forwarded-For: unknown'],
  [`X_Forwarded_For: ${LISTED}`, `X-Real-IP: ${LISTED}`, `CF-Connecting-IP: ${LISTED}`],
  [`Forwarded: for=${LISTED}`],
  [`Forwarded: for=${LISTED};x="`, `Forwarded: for="${LISTED}`],
  [`Forwarded: for=${LISTED}, for=127.0.0.1`, 'Forwarded: for=unknown'],
  [`Connection: X-Forwarded-For, Forwarded`, `X-Forwarded-For: ${LISTED}`, `Forwarded: for=${LISTED}`]
]

/** Whatever clients write, each is taken for the one that it is. */
async function holds(t: Test, what: string, port: number, verdicts: readonly Verdict[]) {
  for (const lines of FORGERIES) {
    const shown = `${what}: ${lines.join(' | ')}`
    t.equal(await sendAs(port, LISTED, lines), 200, `MoEngage through ${shown}`)
    for (const client of [STRANGER, '2001:db8::7', LISTED_IN['DC-03']]) {
      const before = verdicts.length
      t.equal(await sendAs(port, client, lines), 403, `${client} through ${shown}`)
      t.equal(verdicts.length, before + 1)
      t.match(verdicts.at(-1), { verified: false, clientIp: client }, `${client} through ${shown}`)
    }
  }
}

/** A server that is guarded as the example is, and whose verdicts can be read: the log tells a sender once. */
async function behind(t: Test, header: string, trustedProxy = '127.0.0.1') {
  const verdicts: Verdict[] = []
  const app = Fastify()
  await app.register(moengageAllowlist, {
    dataCenters: 'DC-01',
    clientIp: { trustedProxies: [trustedProxy], header },
    onVerdict: (verdict) => verdicts.push(verdict)
  })
  app.post('/events', async () => ({ status: 'ok' }))
  t.teardown(() => app.close())
  return { ...(await listen(app)), verdicts }
}

t.test('configured as its recipe says, a proxy hands on who the client is', { skip }, async (t) => {
  const [nginxAppends, nginxReplaces, nginxForwarded] = recipe('nginx')
  const [haproxyAppends, haproxyReplaces, haproxyForwarded, haproxyOption] = recipe('haproxy')
  const list = await behind(t, 'x-forwarded-for')
  const forwarded = await behind(t, 'forwarded')
  const table: [what: string, kind: 'nginx' | 'haproxy', text: string | undefined, server: typeof list][] = [
    ['nginx that appends', 'nginx', nginxAppends, list],
    ['nginx that replaces', 'nginx', nginxReplaces, list],
    ['nginx with Forwarded', 'nginx', nginxForwarded, forwarded],
    ['HAProxy that appends', 'haproxy', haproxyAppends, list],
    ['HAProxy that replaces', 'haproxy', haproxyReplaces, list],
    ['HAProxy with Forwarded', 'haproxy', haproxyForwarded, forwarded]
  ]
  if (Number(haproxyVersion) >= 2.8) table.push(['HAProxy with option forwarded', 'haproxy', haproxyOption, forwarded])
  for (const [what, kind, text, { port, verdicts }] of table) {
    await holds(t, what, await proxy(t, kind, text!, port), verdicts)
  }
})

t.test(
  'Node refuses the PROXY protocol before any hook, and what reads it before Node hands on the client',
  { skip },
  async (t) => {
    const { port, verdicts } = await behind(t, 'x-forwarded-for')
    const [readByNginx, readByHaproxy] = recipe('proxy-protocol')
    const [haproxyAppends] = recipe('haproxy')
    const bytes = haproxyAppends!.replace('mode http', 'mode tcp').replace('option forwardfor', '')
    for (const version of ['send-proxy', 'send-proxy-v2']) {
      const announcing = bytes.replace('127.0.0.1:3000', `127.0.0.1:3000 ${version}`)
      const toNode = await proxy(t, 'haproxy', announcing, port)
      t.equal(await sendAs(toNode, LISTED, []), 400, `${version} to Node`)
      t.strictSame(verdicts, [], 'no guard sees it')
    }
    for (const [kind, text] of [
      ['nginx', readByNginx],
      ['haproxy', readByHaproxy]
    ] as const) {
      const reader = await proxy(t, kind, text!, port)
      await holds(t, `PROXY to ${kind}`, reader, verdicts)
      for (const version of ['send-proxy', 'send-proxy-v2']) {
        const announcing = bytes.replace('127.0.0.1:3000', `127.0.0.1:3000 ${version}`)
        await holds(t, `${version} to ${kind}`, await proxy(t, 'haproxy', announcing, reader), verdicts)
        verdicts.length = 0
      }
    }
  }
)

t.test(
  'a proxy that overwrites a header of its own, as API Gateway does, hands on who the client is',
  { skip },
  async (t) => {
    const { port, verdicts } = await behind(t, 'x-source-ip')
    const overwrites = recipe('nginx')[0]!.replace(/X-Forwarded-For \S+;/, 'X-Source-IP $remote_addr;')
    t.match(overwrites, /X-Source-IP/)
    const gateway = await proxy(t, 'nginx', overwrites, port)
    await holds(t, 'a gateway', gateway, verdicts)
    t.equal(await sendAs(gateway, STRANGER, [`X-Source-IP: ${LISTED}`, `x-source-ip: ${LISTED}`]), 403)
    t.match(verdicts.at(-1), { clientIp: STRANGER })
  }
)

t.test('two proxies in a row hand on who the client is', { skip }, async (t) => {
  const [nginxAppends] = recipe('nginx')
  const [haproxyAppends] = recipe('haproxy')
  const { port, verdicts } = await behind(t, 'x-forwarded-for')
  const nginx = await proxy(t, 'nginx', nginxAppends!, port, { anyClient: false })
  const haproxy = await proxy(t, 'haproxy', haproxyAppends!, port, { anyClient: false })
  await holds(t, 'HAProxy, nginx', await proxy(t, 'haproxy', haproxyAppends!, nginx), verdicts)
  await holds(t, 'nginx, HAProxy', await proxy(t, 'nginx', nginxAppends!, haproxy), verdicts)
  await holds(t, 'nginx, nginx', await proxy(t, 'nginx', nginxAppends!, nginx), verdicts)
})

t.test('clients of real IPv4 and IPv6 connections are told apart', { skip }, async (t) => {
  const [nginxAppends] = recipe('nginx')
  const [haproxyAppends] = recipe('haproxy')
  const { port, verdicts } = await behind(t, 'x-forwarded-for')
  for (const [kind, text] of [
    ['nginx', nginxAppends],
    ['haproxy', haproxyAppends]
  ] as const) {
    const origin = { port: await proxy(t, kind, text!, port, { anyClient: false }) }
    const headers = { 'x-forwarded-for': LISTED }
    for (const [host, localAddress] of [
      ['127.0.0.1', '127.0.0.2'],
      ['::1', '::1']
    ] as const) {
      const { status } = await send({ ...origin, host }, { method: 'POST', path: '/events', headers, localAddress })
      t.equal(status, 403, `${localAddress} through ${kind}`)
      t.match(verdicts.pop(), { clientIp: localAddress }, `${localAddress} through ${kind}`)
    }
  }
})

t.test(
  'a proxy that hands on bytes only must not be trusted, and is not believed when it is not',
  { skip },
  async (t) => {
    const { port, verdicts } = await behind(t, 'x-forwarded-for', '10.0.0.0/8')
    const [haproxyAppends] = recipe('haproxy')
    const bytes = haproxyAppends!.replace('mode http', 'mode tcp').replace('option forwardfor', '')
    const origin = await proxy(t, 'haproxy', bytes, port)
    for (const client of [LISTED, STRANGER]) {
      t.equal(await sendAs(origin, client, [`X-Forwarded-For: ${LISTED}`]), 403)
      t.equal(await sendAs(origin, client, []), 403)
    }
    t.strictSame(
      verdicts.map((verdict) => !verdict.verified && verdict.reason),
      ['proxy-not-configured', 'not-listed', 'proxy-not-configured', 'not-listed']
    )
  }
)
