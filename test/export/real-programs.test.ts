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
  for (const name of ['or', 'if', 'unless', 'not', 'src', 'acl', 'default', 'true', 'moengage_or']) {
    let text: string
    try {
      text = write('haproxy', { name })
    } catch {
      continue
    }
    const config = save(folder, 'haproxy.cfg', sections(1025, 1, told(text, save(folder, 'name.acl', text))))
    t.equal(check('haproxy', ['-c', '-q', '-f', config]), undefined, `the name ${name} is loaded, if it is accepted`)
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

t.test('Apache httpd', { skip: missing('apache2', ['-v']) }, async (t) => {
  const folder = folderFor(t)
  const modules = ['mpm_event', 'authz_core', 'authz_host', 'proxy', 'proxy_http']
  const configure = (port: number, to: number, file: string) => `
    ServerRoot ${folder}
    ServerName localhost
    PidFile ${folder}/apache.pid
    DefaultRuntimeDir ${folder}
    ErrorLog ${folder}/error.log
    User nobody
    Group nogroup
    Listen 127.0.0.1:${port}
    ${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
    ProxyPass / http://127.0.0.1:${to}/
    <Location />
      Require all granted
    </Location>
    <Location /hook>
      Include ${file}
    </Location>`
  for (const [name, list] of Object.entries(LISTS)) {
    const file = save(folder, `${name}.conf`, write('apache', {}, list))
    const config = save(folder, 'apache.conf', configure(1025, 1, file))
    t.equal(check('apache2', ['-t', '-f', config]), undefined, `${name} is loaded`)
  }
  const port = await freePort()
  const config = save(folder, 'apache.conf', configure(port, await backend(t), join(folder, 'loopback.conf')))
  await serve(t, port, 'apache2', ['-DFOREGROUND', '-f', config])
  t.equal(await status(port, LISTED, '/hook'), 200, 'MoEngage is let through')
  t.equal(await status(port, STRANGER, '/hook'), 403, 'a stranger is refused')
  t.equal(await status(port, STRANGER, '/'), 200, 'and only where the file is included')
})

/**
 * Runs a shell script in a network of its own with another host, which has the addresses 10.9.0.1 and 10.9.0.2, and connects
 * after it: from that host to port 2222, which is guarded, and to 2223, and from the host itself to 2222.
 */
function connectionsAfter(script: string) {
  const guest = `
    const { connect } = require("node:net")
    const attempt = (host, port, localAddress) => new Promise((resolve) => {
      const socket = connect({ port, host, localAddress }, () => resolve("connected"))
      socket.setTimeout(3000, () => resolve("no answer"))
      socket.on("error", ({ code }) => resolve(code)).resume()
    })`
  const server = `
    const { createServer } = require("node:net")
    for (const port of [2222, 2223]) createServer((one) => one.resume().on("error", () => {})).listen(port, "0.0.0.0")
    setTimeout(() => process.exit(), 30000)`
  const lines = `
    set -e
    ip link set lo up
    unshare -n sleep 30 & other=$!
    while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
    ip link add inside type veth peer name outside netns $other
    ip address add 10.9.0.254/24 dev inside
    ip link set inside up
    nsenter -t $other -n sh -c 'ip address add 10.9.0.1/24 dev outside; ip address add 10.9.0.2/24 dev outside; ip link set outside up'
    node -e '${server}' & server=$!
    while ! node -e '${guest}; attempt("127.0.0.1", 2222).then((found) => process.exit(found === "connected" ? 0 : 1))'; do sleep 0.1; done
    ${script}
    nsenter -t $other -n node -e '${guest}
      const run = async () => {
        const found = []
        for (const [port, from] of [[2222, "10.9.0.1"], [2222, "10.9.0.2"], [2223, "10.9.0.2"]]) {
          found.push(await attempt("10.9.0.254", port, from))
        }
        console.log(JSON.stringify(found))
        process.exit()
      }
      run()'
    node -e '${guest}; attempt("127.0.0.1", 2222).then((found) => { console.log(JSON.stringify(found)); process.exit() })'
    kill $other $server`
  const path = `${process.execPath.replace(/\/[^/]+$/, '')}:${process.env.PATH}`
  const output = execFileSync('unshare', ['-rn', 'sh', '-c', lines], { encoding: 'utf8', env: { PATH: path } })
  const found = output.trim().split('\n')
  return { output: found.slice(0, -2).join('\n'), guests: JSON.parse(found.at(-2)!), itself: JSON.parse(found.at(-1)!) }
}

/** 10.9.0.1 is MoEngage, 10.9.0.2 a stranger. */
const HOSTS = listOf([['DC-01', 'catalog', '10.9.0.1', '2001:db8::/48']])

t.test('nftables', { skip: missing('unshare', ['-rn', 'nft', 'list', 'ruleset']) }, async (t) => {
  const folder = folderFor(t)
  for (const [name, list] of Object.entries(LISTS)) {
    const file = save(folder, `${name}.nft`, write('nftables', {}, list))
    t.equal(check('unshare', ['-rn', 'nft', '-c', '-f', file]), undefined, `${name} is loaded`)
  }
  const file = save(folder, 'rules.nft', write('nftables', { port: 2222 }, HOSTS))
  const { output, guests, itself } = connectionsAfter(`nft -f ${file}; nft -f ${file}; nft -j list ruleset`)
  const sets: { name: string; elem: unknown }[] = JSON.parse(output).nftables.flatMap(
    ({ set }: { set?: { name: string; elem: unknown } }) => set ?? []
  )
  t.strictSame(
    sets.map(({ name, elem }) => [name, elem]),
    [
      ['ipv4', ['10.9.0.1']],
      ['ipv6', [{ prefix: { addr: '2001:db8::', len: 48 } }]]
    ],
    'the sets are what was written, once'
  )
  t.strictSame(
    guests,
    ['connected', 'ECONNREFUSED', 'connected'],
    'MoEngage is let through, a stranger is refused, another port is left alone'
  )
  t.equal(itself, 'connected', 'and the host reaches itself')
  const own = save(folder, 'own.nft', write('nftables', { port: 2222, allow: ['10.9.0.2'] }, HOSTS))
  t.strictSame(connectionsAfter(`nft -f ${own}`).guests, ['connected', 'connected', 'connected'], 'own hosts too')
})

t.test(
  'iptables and ipset',
  { skip: missing('unshare', ['-rn', 'sh', '-c', 'ipset list && iptables -L']) },
  async (t) => {
    const folder = folderFor(t)
    for (const [name, list] of Object.entries(LISTS)) {
      const text = write('ipset', {}, list)
      const file = save(folder, `${name}.ipset`, text)
      const rules = save(folder, `${name}.rules`, rulesIn(text))
      const rules6 = save(folder, `${name}.rules6`, rulesIn(text).replaceAll('ipv4', 'ipv6'))
      const restore = `ipset -exist restore < ${file} && iptables-restore --test --noflush ${rules} && ip6tables-restore --test --noflush ${rules6}`
      t.equal(check('unshare', ['-rn', 'sh', '-c', restore]), undefined, `${name} is loaded`)
    }
    const text = write('ipset', { port: 2222 }, HOSTS)
    const file = save(folder, 'hosts.ipset', text)
    const older = save(folder, 'older.ipset', write('ipset', { port: 2222 }, LOOPBACK))
    const rules = save(folder, 'hosts.rules', rulesIn(text))
    const [, once] = /^# And once: (iptables .*)$/m.exec(text)!
    const { output, guests, itself } = connectionsAfter(
      `ipset -exist restore < ${older}; iptables-restore --noflush ${rules}; ${once}
     iptables-restore --noflush ${rules}; ipset -exist restore < ${file}; ipset list -o save`
    )
    t.strictSame(
      output.split('\n').filter((line) => line.startsWith('add')),
      [
        'add moengage_ipv4 10.9.0.1 comment "DC-01: catalog"',
        'add moengage_ipv6 2001:db8::/48 comment "DC-01: catalog"'
      ],
      'the sets are what was written last, and no draft is left'
    )
    t.strictSame(guests, ['connected', 'ECONNREFUSED', 'connected'], 'only MoEngage reaches the port')
    t.equal(itself, 'connected', 'and the host reaches itself')
  }
)

/** The rules in the comment of the file, as it says to save them. */
const rulesIn = (text: string) => `${[...text.matchAll(/^# {3}(.*)$/gm)].map(([, rule]) => rule).join('\n')}\n`

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
