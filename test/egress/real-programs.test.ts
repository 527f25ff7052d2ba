import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { checkEgress, DATA_CENTERS, formatEgress, outboundHosts } from '../../src/core.js'
import { readToolOutput } from '../../src/egress/from-tool.js'
import { squidRules } from '../../src/egress/hosts.js'
import { run } from '../support/cli.js'
import { answering, echoServer } from '../support/echo.js'
import { freePort } from '../support/http.js'
import { FORMS, TICKET } from './forms.js'

const isRequired = process.env.REAL_PROXIES === 'required'
// Debian keeps squid where only root looks.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }

/** Why tests with a program are left out, if they are. */
function missing(command: string, isOnDebian: boolean): string | false {
  if ((isRequired && isOnDebian) || spawnSync(command, ['-v'], { env }).status === 0) return false
  const reason = `tests with the real ${command} left out: it cannot be run here`
  console.error(`# ${reason}`)
  return reason
}

function folderFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'moengage-allowlist-'))
  // Started by root, squid runs as another user.
  chmodSync(folder, 0o777)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts squid with rules; the names mean loopback to it. Resolves to its port when it listens. */
async function squid(t: Test, rules: string, names: readonly string[]): Promise<number> {
  const folder = folderFor(t)
  const port = await freePort()
  writeFileSync(join(folder, 'hosts'), `127.0.0.1 ${names.join(' ')}\n`)
  writeFileSync(join(folder, 'rules.conf'), rules)
  const config = join(folder, 'squid.conf')
  writeFileSync(
    config,
    `http_port 127.0.0.1:${port}
pid_filename none
cache_log ${folder}/cache.log
access_log none
cache deny all
pinger_enable off
hosts_file ${folder}/hosts
shutdown_lifetime 0 seconds
include ${folder}/rules.conf
http_access deny all
`
  )
  const parsed = spawnSync('squid', ['-k', 'parse', '-f', config], { env, encoding: 'utf8' })
  t.equal(parsed.status, 0, parsed.stderr)
  t.notMatch(parsed.stderr, /WARNING|ERROR|FATAL/)
  const child = spawn('squid', ['-N', '-f', config], { env, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  for (let attempt = 0; !(await accepts(port)); attempt++) {
    if (attempt === 250) throw new Error('squid does not listen')
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

/** The status with which a proxy answers a request for a tunnel. */
function tunnel(port: number, to: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method: 'CONNECT', path: to })
    outgoing.on('connect', ({ statusCode }, socket) => {
      socket.destroy()
      resolve(statusCode!)
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

t.test('squid loads the rules, and lets out what they name', { skip: missing('squid', true) }, async (t) => {
  const hosts = DATA_CENTERS.flatMap(outboundHosts)
  const others = ['echo.example', 'api-01.moengage.com.example', 'x.api-01.moengage.com', 'api-99.moengage.com']
  const port = await squid(t, squidRules(DATA_CENTERS), [...hosts, ...others])
  // Nothing listens there on port 443, so a tunnel that is allowed is answered with 503.
  for (const host of hosts) t.not(await tunnel(port, `${host}:443`), 403, `${host} is let out`)
  for (const host of others) t.equal(await tunnel(port, `${host}:443`), 403, `${host} is not`)
  t.equal(await tunnel(port, `${hosts[0]}:8443`), 403, 'nor another port')
  const one = await squid(t, squidRules(['DC-03']), hosts)
  t.not(await tunnel(one, 'api-03.moengage.com:443'), 403)
  t.equal(await tunnel(one, 'api-01.moengage.com:443'), 403, 'nor another data center')
})

t.test('verify and a list from a URL go through a real squid', { skip: missing('squid', true) }, async (t) => {
  const echo = await echoServer(t, answering('9.9.9.9'))
  const port = await squid(t, 'http_access allow all\n', ['echo.example', 'lists.example'])
  const HTTP_PROXY = `http://127.0.0.1:${port}`
  const argv = ['egress', 'verify', '-', '--url', `http://echo.example:${echo}/`]
  const { code, stdout } = await run(argv, { env: { HTTP_PROXY }, stdin: '9.9.9.0/24\n' })
  t.equal(code, 0, stdout)
  t.match(stdout, `through the proxy ${HTTP_PROXY} (HTTP_PROXY)  9.9.9.9 (3x)  listed: 9.9.9.0/24 (line 1)`)
  // Nothing listens there, so squid answers 503.
  const absent = `https://lists.example:${await freePort()}/egress.txt`
  const denied = await run(['egress', 'check', absent], { env: { HTTPS_PROXY: HTTP_PROXY } })
  const why = 'The proxy refuses the tunnel with status 503.'
  t.match(denied.stderr, `cannot be read through the proxy ${HTTP_PROXY} (HTTPS_PROXY): ${why}`)
})

t.test(
  'Terraform reads the locals block, and its output can be read again',
  { skip: missing('terraform', false) },
  async (t) => {
    const name = `${'$'}{path.module} %{if true} $${'$'}{ "quoted" \\ é💡`
    const list = [{ value: '9.9.9.8/31', name }, { value: '9.9.8.5 - 9.9.8.7' }, { value: '2620:fe::9' }]
    const folder = folderFor(t)
    const terraform = (...argv: string[]) =>
      execFileSync('terraform', [`-chdir=${folder}`, ...argv], {
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe']
      })
    for (const target of FORMS) {
      const { categories } = TICKET[target]
      const text = formatEgress(list, { target, format: 'terraform', categories })
      writeFileSync(join(folder, `${target}.tf`), text)
    }
    t.equal(terraform('fmt', '-check', '-diff'), '', 'it is formatted as Terraform formats it')
    const outputs = FORMS.map((target) => {
      const local = `local.moengage_${target.replace('-', '_')}`
      return `output "${target}" {\n  value = ${local}\n}\noutput "${target}_values" {\n  value = [for one in ${local} : one.value]\n}\n`
    })
    writeFileSync(join(folder, 'outputs.tf'), outputs.join(''))
    terraform('init', '-no-color')
    terraform('apply', '-auto-approve', '-no-color')
    const json = terraform('output', '-json')
    const read = JSON.parse(json)
    for (const target of FORMS) {
      const { rules, entries } = JSON.parse(formatEgress(list, { ...TICKET[target], target, format: 'json' }))
      const expected = (rules ?? entries).map(({ value, name }: { value: string; name: string }) => [value, name])
      t.strictSame(
        read[target].value.map(({ value, name }: { value: string; name: string }) => [value, name]),
        expected,
        target
      )
    }
    const { entries, leftOut } = readToolOutput('terraform-output', terraform('output', '-json', 'dashboard_values'))
    t.strictSame(leftOut, [])
    t.strictSame(checkEgress(entries).shortest, checkEgress(list).shortest)
  }
)
