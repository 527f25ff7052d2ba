import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import ssh from 'ssh2'
import t, { type Test } from 'tap'
import { directory, type ExportFormat, type ExportOptions, exportDirectory } from '../../src/core.js'
import { freePort, send } from '../support/http.js'
import { listOf, MIXED } from './lists.js'

/** Loopback addresses of which one is listed, so that both kinds of sender can be played. */
const LISTED = '127.0.0.2'
const STRANGER = '127.0.0.3'
const LOOPBACK = listOf([['DC-01', 'catalog', LISTED, '2001:db8::/48']])
/** Written by somebody who hopes that a comment ends with it. */
const HOSTILE = listOf([['DC-01', 'catalog', LISTED]], { revision: '\nallow all;', page: 'https://x/\n}\n{$HOME}"\';' })
const LISTS = { bundled: directory, mixed: MIXED, loopback: LOOPBACK, hostile: HOSTILE }

const isRequired = process.env.REAL_PROXIES === 'required'

/** Why tests with a program are left out, if they are. */
function missing(command: string, args: string[]): string | false {
  if (isRequired || spawnSync(command, args).status === 0) return false
  const reason = `tests with the real ${command} left out: it cannot be run here`
  console.error(`# ${reason}`)
  return reason
}

const write = (format: ExportFormat, options: Partial<ExportOptions> = {}, list = LOOPBACK) =>
  exportDirectory(list, { format, dataCenters: 'all', ...options })

/** A folder for a server and its helpers, which run as other users. */
function folderFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'moengage-allowlist-'))
  chmodSync(folder, 0o755)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function save(folder: string, name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

/** Runs a check of a configuration; gives its words when it fails. */
function check(command: string, args: string[], env: Record<string, string> = {}): string | undefined {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env } })
  return status === 0 ? undefined : `${stdout}${stderr}`
}

/** Starts a server, waits until it listens, and ends it with the test. */
async function serve(t: Test, port: number, command: string, args: string[], env: Record<string, string> = {}) {
  const child: ChildProcess = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env }
  })
  let words = ''
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    words += text
  })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  t.teardown(async () => {
    child.kill()
    await ended
  })
  for (let attempt = 0; !(await accepts(port)); attempt++) {
    if (attempt === 250) throw new Error(`${command} does not listen: ${words}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy())
  })
}

/** A server behind a proxy; answers everything. */
async function backend(t: Test): Promise<number> {
  const server = createServer((_request, response) => response.end('ok'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

async function status(port: number, localAddress: string, path = '/'): Promise<number> {
  return (await send({ port }, { path, localAddress })).status
}

t.test('nginx', { skip: missing('nginx', ['-v']) }, async (t) => {
  const folder = folderFor(t)
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`
  )
  const configure = (port: number, to: number, file: string) => `events {}
    pid ${folder}/nginx.pid;
    http {
      access_log off; ${paths.join(' ')}
      server {
        listen 127.0.0.1:${port};
        location / { include ${file}; proxy_pass http://127.0.0.1:${to}; }
        location /open { proxy_pass http://127.0.0.1:${to}; }
        location /returned { include ${file}; return 200; }
      }
    }`
  for (const [name, list] of Object.entries(LISTS)) {
    const file = save(folder, `${name}.conf`, write('nginx', {}, list))
    const config = save(folder, 'nginx.conf', configure(80, 1, file))
    t.equal(check('nginx', ['-e', 'stderr', '-t', '-c', config]), undefined, `${name} is loaded`)
  }
  const port = await freePort()
  const config = save(folder, 'nginx.conf', configure(port, await backend(t), join(folder, 'loopback.conf')))
  await serve(t, port, 'nginx', ['-e', 'stderr', '-c', config, '-g', 'daemon off;'])
  t.equal(await status(port, LISTED), 200, 'MoEngage is let through')
  t.equal(await status(port, STRANGER), 403, 'a stranger is refused')
  t.equal(await status(port, STRANGER, '/open'), 200, 'and only where the file is included')
  t.equal(await status(port, STRANGER, '/returned'), 200, 'the trap that docs/export.md warns of')
})

t.test('HAProxy', { skip: missing('haproxy', ['-v']) }, async (t) => {
  const folder = folderFor(t)
  const sections = (port: number, to: number, acl: string) => `
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend hooks
  bind 127.0.0.1:${port}
${acl}
  default_backend app
backend app
  server app 127.0.0.1:${to}
`
  /** The lines that the file itself tells its reader to use, with another path. */
  const told = (text: string, file: string) =>
    [...text.matchAll(/^# {3}((?:acl|http-request) .*)$/gm)]
      .map(([, line]) => `  ${line!.replace(/\/etc\/haproxy\/\S+/, file)}`)
      .join('\n')
  for (const [name, list] of Object.entries(LISTS)) {
    const text = write('haproxy', {}, list)
    const file = save(folder, `${name}.acl`, text)
    const config = save(folder, 'haproxy.cfg', sections(1025, 1, told(text, file)))
    t.equal(check('haproxy', ['-c', '-q', '-f', config]), undefined, `${name} is loaded`)
  }
  const port = await freePort()
  const acl = told(write('haproxy'), join(folder, 'loopback.acl'))
  t.match(acl, /acl moengage src -f .*\n {2}http-request deny unless moengage$/)
  const config = save(folder, 'haproxy.cfg', sections(port, await backend(t), acl))
  await serve(t, port, 'haproxy', ['-q', '-db', '-f', config])
  t.equal(await status(port, LISTED), 200, 'MoEngage is let through')
  t.equal(await status(port, STRANGER), 403, 'a stranger is refused')
})

t.test('Caddy', { skip: missing('caddy', ['version']) }, async (t) => {
  const folder = folderFor(t)
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const sites = (port: number, to: number, file: string) => `{
	admin off
	auto_https off
}
http://127.0.0.1:${port} {
	handle /handled {
		import ${file}
		reverse_proxy 127.0.0.1:${to}
	}
	handle {
		reverse_proxy 127.0.0.1:${to}
	}
}
http://localhost:${port} {
	import ${file}
	handle /trap {
		reverse_proxy 127.0.0.1:${to}
	}
	reverse_proxy 127.0.0.1:${to}
}
`
  const args = (command: string, config: string) => [command, '--config', config, '--adapter', 'caddyfile']
  for (const [name, list] of Object.entries(LISTS)) {
    const file = save(folder, `${name}.caddy`, write('caddy', { name: 'feeds' }, list))
    const config = save(folder, 'Caddyfile', sites(1025, 1, file))
    t.equal(check('caddy', args('validate', config), env), undefined, `${name} is loaded`)
  }
  const port = await freePort()
  const config = save(folder, 'Caddyfile', sites(port, await backend(t), join(folder, 'loopback.caddy')))
  await serve(t, port, 'caddy', args('run', config), env)
  const site = async (localAddress: string, path = '/') =>
    (await send({ port }, { path, localAddress, headers: { host: `localhost:${port}` } })).status
  t.equal(await site(LISTED), 200, 'MoEngage is let through to a site')
  t.equal(await site(STRANGER), 403, 'a stranger is refused')
  t.equal(await site(STRANGER, '/trap'), 200, 'but not by a handle block beside: the trap that docs/export.md warns of')
  t.equal(await status(port, LISTED, '/handled'), 200, 'MoEngage is let through to a handle block')
  t.equal(await status(port, STRANGER, '/handled'), 403, 'a stranger is refused')
  t.equal(await status(port, STRANGER, '/other'), 200, 'and only where the file is imported')
})

t.test('nftables', { skip: missing('unshare', ['-rn', 'nft', 'list', 'ruleset']) }, async (t) => {
  const folder = folderFor(t)
  for (const [name, list] of Object.entries(LISTS)) {
    const file = save(folder, `${name}.nft`, write('nftables', {}, list))
    t.equal(check('unshare', ['-rn', 'nft', '-c', '-f', file]), undefined, `${name} is loaded`)
  }
  // In a network of its own: loaded twice, read back, and tried with real connections.
  const file = save(folder, 'rules.nft', write('nftables', { port: 2222 }))
  const script = `
    ip link set lo up && nft -f ${file} && nft -f ${file} || exit 1
    nft -j list ruleset
    exec ${process.execPath} -e '
      const { connect, createServer } = require("node:net")
      const listen = (port) => new Promise((resolve) => createServer((one) => one.end()).listen(port, "127.0.0.1", resolve))
      const attempt = (port, localAddress) => new Promise((resolve) => {
        const socket = connect({ port, host: "127.0.0.1", localAddress }, () => resolve("connected"))
        socket.on("error", ({ code }) => resolve(code)).resume()
      })
      const run = async () => {
        await listen(2222)
        await listen(2223)
        const found = []
        for (const [port, from] of [[2222, "${LISTED}"], [2222, "${STRANGER}"], [2223, "${STRANGER}"]]) {
          found.push(await attempt(port, from))
        }
        console.log(JSON.stringify(found))
        process.exit()
      }
      run()
    '`
  const output = execFileSync('unshare', ['-rn', 'sh', '-c', script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH }
  })
  const [ruleset, outcomes] = output.trim().split('\n') as [string, string]
  const sets: { name: string; elem: unknown }[] = JSON.parse(ruleset).nftables.flatMap(
    ({ set }: { set?: { name: string; elem: unknown } }) => set ?? []
  )
  t.strictSame(
    sets.map(({ name, elem }) => [name, elem]),
    [
      ['ipv4', [LISTED]],
      ['ipv6', [{ prefix: { addr: '2001:db8::', len: 48 } }]]
    ],
    'the sets are what was written, once'
  )
  t.strictSame(
    JSON.parse(outcomes),
    ['connected', 'ECONNREFUSED', 'connected'],
    'MoEngage is let through, a stranger is refused, another port is left alone'
  )
})

t.test('OpenSSH', { skip: missing('sh', ['-c', 'test -x /usr/sbin/sshd && mkdir -p /run/sshd']) }, async (t) => {
  const sshd = '/usr/sbin/sshd'
  mkdirSync('/run/sshd', { recursive: true })
  const folder = folderFor(t)
  const key = join(folder, 'key')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  const user = userInfo().username
  const configure = (port: number, file: string) => `
    Port ${port}
    ListenAddress 127.0.0.1
    HostKey ${key}
    PidFile none
    UsePAM no
    StrictModes no
    PasswordAuthentication no
    PermitRootLogin prohibit-password
    AuthorizedKeysFile ${key}.pub
    Include ${file}
    MaxSessions 3`
  const ofUser = (config: string, name: string, address: string) => {
    const connection = `user=${name},host=somewhere,addr=${address}`
    const text = execFileSync(sshd, ['-T', '-f', config, '-C', connection], { encoding: 'utf8' })
    t.match(text, /^maxsessions 3$/m, 'what comes after the file is for everybody')
    return /^denyusers (.*)$/m.exec(text)?.[1]
  }
  for (const [name, list] of Object.entries(LISTS)) {
    const file = save(folder, `${name}.conf`, write('sshd-match-address', { name: user }, list))
    const config = save(folder, 'sshd_config', configure(1025, file))
    t.equal(check(sshd, ['-t', '-f', config]), undefined, `${name} is loaded`)
    for (const { prefix } of list.entries) {
      t.equal(ofUser(config, user, `${prefix.address}`), undefined, `${name}: ${prefix} is let in`)
    }
    for (const address of ['198.51.100.7', '10.0.1.0', '2001:db8:fffe::1', '::1']) {
      t.equal(ofUser(config, user, address), user, `${name}: ${address} is shut out`)
      t.equal(ofUser(config, 'somebody', address), undefined, 'which concerns nobody else')
    }
  }
  const port = await freePort()
  const config = save(folder, 'sshd_config', configure(port, join(folder, 'loopback.conf')))
  await serve(t, port, sshd, ['-D', '-e', '-f', config])
  const login = (localAddress: string) =>
    new Promise<string>((resolve) => {
      const client = new ssh.Client()
      client.on('ready', () => client.end()).on('ready', () => resolve('ready'))
      client.on('error', ({ level }) => resolve(level!))
      client.connect({
        host: '127.0.0.1',
        port,
        localAddress,
        username: user,
        privateKey: execFileSync('cat', [key])
      })
    })
  t.equal(await login(LISTED), 'ready', 'MoEngage logs in')
  t.equal(await login(STRANGER), 'client-authentication', 'a stranger with the right key does not')
})
