import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import t from 'tap'
import { run } from '../support/cli.js'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const BIN = [...process.execArgv, 'src/cli/bin.ts']
const COMMANDS = ['list', 'explain', 'import', 'diff', 'export', 'report']

t.test('the version is that of the package', async (t) => {
  t.strictSame(await run(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
})

t.test('the help names every command and the exit codes', async (t) => {
  const { code, stdout, stderr } = await run(['--help'])
  t.equal(code, 0)
  t.equal(stderr, '')
  for (const command of COMMANDS) t.match(stdout, new RegExp(`^ {2}${command} `, 'm'))
  t.match(stdout, /Exit codes: 0 same or accepted, 1 different or rejected, 2 an error\./)
})

t.test('every command has help with examples, its own options and --json, in 80 columns', async (t) => {
  for (const command of COMMANDS) {
    const { code, stdout } = await run([command, '--help'])
    t.equal(code, 0, command)
    t.match(stdout, new RegExp(`Examples:\n {2}\\$ moengage-allowlist ${command}`), command)
    t.match(stdout, /^ {2}--json /m, command)
    t.strictSame(
      stdout.split('\n').filter((line) => line.length > 80),
      [],
      command
    )
    t.equal((await run(['help', command])).stdout, stdout, command)
  }
})

t.test('without a command the help is an error', async (t) => {
  const { code, stdout, stderr } = await run([])
  t.strictSame([code, stdout], [2, ''])
  t.match(stderr, /^Usage: moengage-allowlist/)
})

t.test('mistakes in the arguments go to stderr, with the nearest right one', async (t) => {
  const rows: [argv: string[], message: RegExp][] = [
    [['lst'], /unknown command 'lst'\n\(Did you mean list\?\)/],
    [['list', '--form', 'x'], /unknown option '--form'\n\(Did you mean --from\?\)/],
    [['list', 'DC-01'], /too many arguments/],
    [['list', '--from'], /argument missing/],
    [['list', '-d', 'DC-1o'], /"DC-1o" is not a data center\. Did you mean "DC-01"\?/],
    [['list', '-d', 'DC-01,us'], /"us" is a region.*DC-01 or DC-04/],
    [['list', '-c', 'segmentsync'], /"segmentsync" is not a channel\. Did you mean "segment-sync"\?/],
    [['list', '-d', '["DC-01", "DC-02"]'], /It is a list in JSON\. Write DC-01,DC-02\.\n$/],
    [['list', '-c', ''], /"" is not a channel/],
    [['explain'], /missing required argument 'ip'/],
    [['diff', 'bundled'], /missing required argument 'new'/]
  ]
  for (const [argv, message] of rows) {
    const { code, stdout, stderr } = await run(argv)
    t.strictSame([code, stdout], [2, ''], argv.join(' '))
    t.match(stderr, message, argv.join(' '))
  }
})

t.test('with --json an error is an object on standard error', async (t) => {
  const table: [argv: string[], error: object][] = [
    [['list', '--from', 'absent.json'], { code: 'MOE_ERR_SOURCE', message: /ENOENT/, fix: /^Name "bundled"/ }],
    [['explain', '010.0.0.1'], { code: 'MOE_ERR_PREFIX', message: /leading zero/ }],
    [['diff', 'bundled', '-'], { code: 'MOE_ERR_SOURCE', message: /^Standard input cannot be read: It is empty/ }],
    [['import', 'absent.mdx'], { code: 'MOE_ERR_SOURCE', message: /absent\.mdx/ }],
    [['export', '-d', 'DC-05', '-c', 'sms'], { code: 'MOE_ERR_NO_ADDRESSES', path: 'channels' }],
    [['export', '-d', 'DC-01', '--port', '1'], { code: 'MOE_ERR_OPTIONS', mistakes: [{ path: 'port' }] }],
    [['report', 'absent.log'], { code: 'MOE_ERR_SOURCE', message: /"absent\.log" cannot be read: ENOENT/ }],
    [['list', '-d', 'DC-99'], { message: /^option '-d, --data-center <name>' argument 'DC-99' is invalid/ }],
    [['diff', 'bundled'], { message: "missing required argument 'new'" }]
  ]
  for (const [argv, error] of table) {
    const { code, stdout, stderr } = await run([...argv, '--json'])
    t.strictSame([code, stdout], [2, ''], argv.join(' '))
    t.match(JSON.parse(stderr), error, argv.join(' '))
  }
})

/** Fails each write as the system does. */
function broken(code: string): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(`write ${code}`), { code })) })
}

t.test('a reader that leaves early ends a command quietly, with its own exit code', async (t) => {
  t.strictSame(await run(['list'], { stdout: broken('EPIPE') }), { code: 0, stdout: '', stderr: '' })
  t.strictSame(await run(['explain', '192.0.2.1'], { stdout: broken('EPIPE') }), { code: 1, stdout: '', stderr: '' })
})

t.test('output that cannot be written is an error', async (t) => {
  const { code, stderr } = await run(['list'], { stdout: broken('ENOSPC') })
  t.equal(code, 2)
  t.equal(stderr, 'error: write ENOSPC\n')
})

t.test('only a terminal gets colours, unless the environment says otherwise', async (t) => {
  const rows: [name: string, isTTY: boolean, env: Record<string, string>, isColoured: boolean][] = [
    ['a terminal', true, {}, true],
    ['a pipe', false, {}, false],
    ['a dumb terminal', true, { TERM: 'dumb' }, false],
    ['NO_COLOR on a terminal', true, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR, which says nothing', true, { NO_COLOR: '' }, true],
    ['FORCE_COLOR in a pipe', false, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR on a dumb terminal', true, { FORCE_COLOR: '1', TERM: 'dumb' }, true],
    ['FORCE_COLOR=0 on a terminal', true, { FORCE_COLOR: '0' }, false],
    ['FORCE_COLOR=false on a terminal', true, { FORCE_COLOR: 'false' }, false],
    ['NO_COLOR and FORCE_COLOR', false, { NO_COLOR: '1', FORCE_COLOR: '1' }, false]
  ]
  for (const argv of [['list'], ['explain', '52.6.248.125'], ['explain', '192.0.2.1']]) {
    const plain = await run(argv)
    for (const [name, isTTY, env, isColoured] of rows) {
      const { stdout } = await run(argv, { isTTY, env })
      t.equal(stdout.includes('\x1b['), isColoured, `${argv[0]}: ${name}`)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
      t.equal(stdout.replaceAll(/\x1b\[\d+m/g, ''), plain.stdout, `${argv[0]}: ${name}`)
    }
    t.notMatch((await run([...argv, '--json'], { isTTY: true })).stdout, '\x1b[')
  }
})

t.test('as a program', async (t) => {
  const env = { ...process.env, NO_COLOR: '1' }
  const program = (argv: string[], input = '') => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...BIN, ...argv], { env, input, encoding: 'utf8' })
    return { code: status, stdout, stderr }
  }

  t.test('it says what it says in this process, and ends with the same codes', async (t) => {
    for (const argv of [
      ['list', '--json'],
      ['explain', '192.0.2.1', '-d', 'DC-01'],
      ['explain', '192.0.2']
    ]) {
      t.strictSame(program(argv), await run(argv), argv.join(' '))
    }
  })

  t.test('it reads standard input', async (t) => {
    const { code, stdout } = program(['diff', 'bundled', '-'], readFileSync('src/directory/moengage.json', 'utf8'))
    t.equal(code, 0)
    t.match(stdout, /^No address changed/)
    const page = program(
      ['list', '--from', '-', '--json'],
      readFileSync('test/fixtures/page-tables-sample.mdx', 'utf8')
    )
    t.match(JSON.parse(page.stdout).retrieved, /^\d{4}-\d{2}-\d{2}$/)
  })

  t.test('it ends when its reader leaves', async (t) => {
    const child = spawn(process.execPath, [...BIN, 'list', '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    t.strictSame(await once(child, 'close'), [0, null])
    t.equal(stderr, '')
  })

  t.test('it says so when a disk is full', { skip: !existsSync('/dev/full') }, async (t) => {
    const { status, stderr } = spawnSync('sh', ['-c', '"$@" > /dev/full', 'sh', process.execPath, ...BIN, 'list'], {
      env,
      encoding: 'utf8'
    })
    t.equal(status, 2)
    t.match(stderr, /^error: .*ENOSPC/)
  })
})

t.test('an error does not repeat what may be secret in an argument', async (t) => {
  const table: string[][] = [
    ['explain', '10.0.0.1', '--data-center', 'DC-01?sesame'],
    ['explain', '10.0.0.1', '--token=sesame'],
    ['explain', '10.0.0.1', '--token=sesame', '--json'],
    ['report', 'a?sesame'],
    ['report', '--since', 'user:sesame@host'],
    ['import', 'a.md?sesame'],
    ['import', 'https://user:sesame@127.0.0.1:1/x?sesame'],
    ['diff', 'bundled', 'user:sesame@host'],
    ['egress', 'check', 'a?sesame', '--for', 'api-firewall'],
    ['egress', 'verify', '-', '--url', 'https://127.0.0.1:1/?token=sesame'],
    ['egress', 'verify', '-', '--url', 'https://127.0.0.1:1/#sesame', '--json'],
    ['egress', 'verify', '-', '--url', 'https://user:sesame@127.0.0.1:1/'],
    ['egress', 'verify', '-', '--url', 'https://sesame@127.0.0.1:1/', '--json'],
    ['egress', 'verify', 'https://user:sesame@127.0.0.1:1/?sesame', '--url', 'https://127.0.0.1:1/'],
    ['publish', 'https://127.0.0.1:1/?sesame', '--redis', 'redis://user:sesame@127.0.0.1:1', '--name', 'x'],
    ['publish', 'bundled', '--redis', 'https://user:sesame@127.0.0.1:1', '--name', 'x'],
    ['publish', 'bundled', '--redis', 'redis://127.0.0.1:1', '--name', 'user:sesame@host'],
    ['a?sesame']
  ]
  for (const argv of table) {
    const { code, stdout, stderr } = await run(argv, { stdin: '8.8.8.8' })
    t.equal(code, 2, argv.join(' '))
    t.notMatch(stdout + stderr, /sesame/, argv.join(' '))
  }
})

t.test('an option that takes one value is refused when it is given twice, in every command', async (t) => {
  const table: [argv: string[], option: string][] = [
    [['export', 'nftables', '-d', 'DC-01', '--name', 'a', '--name', 'b'], '--name <name>'],
    [['export', 'text', '-d', 'DC-01', '--from', 'bundled', '--from', 'bundled'], '--from <list>'],
    [['export', 'text', '-d', 'DC-01', '-o', 'a', '--output', 'b'], '-o, --output <file>'],
    [['egress', 'export', '-', '--for', 'data-api', '-d', 'DC-01', '-d', 'DC-02'], '-d, --data-center <name>'],
    [['egress', 'export', '-', '--for', 'data-api', '--workspace', 'A', '--workspace=B'], '--workspace <id>'],
    [['egress', 'check', '-', '--for', 'data-api', '--for', 'dashboard'], '--for <form>'],
    [['override', 'allow', '8.8.8.8', '--note', 'a', '--note', 'b'], '--note <text>'],
    [['publish', 'bundled', '--wait', '1s', '--wait'], '--wait [time]'],
    [['fleet', 'status', '--name', 'a', '--name', 'b'], '--name <name>'],
    [['import', 'page.md', '--revision', 'a', '--revision', 'b'], '--revision <id>'],
    [['report', '--senders', '5', '--senders', '6'], '--senders <number>']
  ]
  for (const [argv, option] of table) {
    const { code, stdout, stderr } = await run(argv)
    t.strictSame([code, stdout], [2, ''], argv.join(' '))
    t.equal(
      stderr,
      `error: option '${option}' is given twice, and takes one value. Leave one out, or run the command for each.\n`
    )
  }
  for (const argv of [
    ['list', '-d', 'DC-01', '-d', 'DC-02', '-c', 'sms', '-c', 'push', '--json', '--json'],
    ['export', 'text', '-d', 'DC-01', '--allow', '8.8.8.8', '--allow', '8.8.4.4'],
    ['egress', 'export', '-', '--for', 'api-firewall', '--category', 'data', '--category', 'content'],
    ['report', '--route', '/a', '--route', '/b']
  ]) {
    t.notMatch((await run(argv, { stdin: '52.2.3.4' })).stderr, 'given twice', argv.join(' '))
  }
})

t.test('the output - is standard output', async (t) => {
  const key = join(t.testdir({}), 'my.key')
  await run(['keygen', key])
  const page = 'test/fixtures/page-tables-sample.mdx'
  const commands = [
    ['export', 'nginx', '-d', 'DC-01'],
    ['import', page],
    ['sign', 'bundled', '--key', key, '--name', 'x', '--expires', '30d', '--list-version', '1']
  ]
  for (const argv of commands) t.strictSame(await run([...argv, '-o', '-']), await run(argv), argv[0]!)
  t.notOk(existsSync('-'))
})

t.test('an empty name of a file, as of a variable that is not set, is refused as such', async (t) => {
  const table: [argv: string[], message: RegExp][] = [
    [
      ['export', 'nginx', '-d', 'DC-01', '-o', ''],
      /^error: option '-o, --output <file>' argument '' is invalid. It is empty: name a file.\n$/
    ],
    [['import', 'page.md', '--output', ' '], /It is empty: name a file/],
    [['sign', 'list.json', '--name', 'x', '--key', 'k', '-o', ''], /It is empty: name a file/],
    [['sign', 'list.json', '--name', 'x', '--key', ''], /It is empty: name a file/],
    [['report', '--html', ''], /It is empty: name a file/],
    [['keygen', ''], /It is empty: name a file/],
    [['publish', 'bundled', '--sign', ''], /It is empty: name a file/],
    [['sign', 'list.json', '--name', 'x', '--key', '-'], /'-' is invalid\. It must be a file\. Write \.\/- for/],
    [['keygen', '-'], /It must be a file/],
    [['report', '--html', '-'], /It must be a file/],
    [['import', ''], /^error: "" cannot be read: The name is empty\./],
    [['diff', '', 'bundled'], /The name is empty/]
  ]
  for (const [argv, message] of table) {
    const { code, stderr } = await run(argv)
    t.match([code, stderr], [2, message], argv.join(' '))
  }
})
