import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkEgress, DATA_CENTERS, formatEgress, outboundHosts } from '../../src/core.js'
import { FORMS, TICKET } from '../egress/forms.js'
import { run } from '../support/cli.js'
import { answering, echoServer } from '../support/echo.js'

const COMMANDS = ['check', 'export', 'from', 'verify', 'explain-403', 'hosts']
const LIST = '9.9.9.9 # NAT a\n9.9.9.10 # NAT b\n'
const egress = (argv: readonly string[], stdin: string | Buffer = LIST) => run(['egress', ...argv], { stdin })

t.test('each command has help with examples and exit codes, in 80 columns', async (t) => {
  const { stdout: overview, code } = await egress(['--help'])
  t.equal(code, 0)
  for (const command of COMMANDS) {
    t.match(overview, new RegExp(`^ {2}${command} `, 'm'))
    const { stdout, code } = await egress([command, '--help'])
    t.equal(code, 0, command)
    t.match(stdout, new RegExp(`Examples:\n {2}\\$ .*moengage-allowlist egress ${command}`), command)
    t.match(stdout, /^ {2}--json /m, command)
    t.strictSame(
      `${overview}${stdout}`.split('\n').filter((line) => line.length > 80),
      [],
      command
    )
  }
  t.match(await egress([]), { code: 2, stdout: '', stderr: /^Usage: moengage-allowlist egress/ })
})

t.test('wrong arguments are an error, with --json as an object', async (t) => {
  const table: [argv: string[], message: RegExp][] = [
    [['chek', 'x'], /unknown command 'chek'/],
    [['check'], /missing required argument 'file'/],
    [['check', '-', '--for', 'api'], /Allowed choices are api-firewall, data-api, dashboard, open-analytics/],
    [['export', '-'], /required option '--for <form>' not specified/],
    [['export', '-', '--for', 'dashboard', '--format', 'xml'], /Allowed choices are text, json, csv, terraform/],
    [['export', '-', '--for', 'dashboard', '--format', 'csv', '--json'], /cannot be used with option/],
    [
      ['export', '-', '--for', 'api-firewall', '--category', 'campaign'],
      /no category "campaign"\. Did you mean "campaigns"\?/
    ],
    [['export', '-', '--for', 'data-api', '-d', 'US'], /"US" is a region.*DC-01 or DC-04/],
    [['export', '-', '--for', 'data-api', '--workspace', 'A'], /--data-center: data-api needs it as text/],
    [['export', '-', '--for', 'dashboard', '--workspace', 'A'], /--workspace: dashboard has no use for it/],
    [
      ['export', '-', '--for', 'api-firewall'],
      /--category: api-firewall needs it as text\. Name at least one of: Data,/
    ],
    [
      ['export', '-', '--for', 'data-api', '-d', 'DC-01,DC-02', '--workspace', 'A'],
      /A ticket names one data center\. Write a ticket for each\./
    ],
    [
      ['export', '-', '--for', 'open-analytics', '-d', 'DC-01', '--workspace', 'A', '--email', 'a@b.c', '--email', 'x'],
      /--email: 'x' is not an e-mail id/
    ],
    [['from', 'aws'], /Allowed choices are aws-nat, aws-addresses/],
    [['hosts'], /required option '-d, --data-center <name>' not specified/],
    [['hosts', '-d', 'DC-99'], /is a data center that this version of moengage-allowlist does not know/],
    [['hosts', '-d', 'DC-01', '--format', 'nginx'], /Allowed choices are text, squid/]
  ]
  for (const [argv, message] of table) {
    const { code, stdout, stderr } = await egress(argv)
    t.strictSame([code, stdout], [2, ''], argv.join(' '))
    t.match(stderr, message, argv.join(' '))
    const asJson = await egress([...argv, '--json'])
    t.match(JSON.parse(asJson.stderr).message, /./, argv.join(' '))
  }
})

t.test('check writes what is wrong; its exit code is 1 for an error', async (t) => {
  t.strictSame(await egress(['check', '-']), {
    code: 0,
    stdout: 'Standard input: 2 sound entries, 0 errors, 0 warnings.\n',
    stderr: ''
  })
  const list = '9.9.9.0/24\n10.0.0.1 # office\n9.9.9.9\n'
  const { code, stdout, stderr } = await egress(['check', '-', '--for', 'dashboard'], list)
  t.strictSame([code, stderr], [1, ''])
  t.match(
    stdout,
    new RegExp(
      [
        '^Standard input for Dashboard Firewall: 2 sound entries, 1 error, 1 warning\\.',
        'error: line 2: "10\\.0\\.0\\.1" is a private address.* Write the public address.*',
        'warning: line 3: 9\\.9\\.9\\.9 lies inside of 9\\.9\\.9\\.0/24 \\(line 1\\)\\. Remove one of the two\\.',
        '',
        'The shortest list with the same addresses:',
        '9\\.9\\.9\\.0/24\n$'
      ].join('\n')
    )
  )
  const json = await egress(['check', '-', '--for', 'dashboard', '--json'], list)
  t.equal(json.code, 1)
  t.strictSame(JSON.parse(json.stdout), JSON.parse(JSON.stringify(checkEgress(list, 'dashboard'))))
})

t.test('a file that is no list does not flood the terminal', async (t) => {
  const { code, stdout } = await egress(['check', '-'], 'x\n'.repeat(1000))
  t.equal(code, 1)
  t.equal(stdout.split('\n').length, 53)
  t.match(stdout, /\nerror: and 950 more \(--json has all\)\n$/)
})

t.test('colours are for a terminal only', async (t) => {
  const { stdout } = await run(['egress', 'check', '-'], { stdin: '10.0.0.1\n9.9.9.9', isTTY: true })
  t.match(stdout, '\u001b[31merror\u001b[39m: line 1')
  t.match(stdout, '\u001b[33mwarning\u001b[39m: ')
})

t.test('a list may come from a file, a URL or standard input, as odd as files are', async (t) => {
  const folder = t.testdir({
    'list.txt': LIST,
    'bom.csv': '\ufeffvalue,name\r\n9.9.9.9,NAT a\r\n9.9.9.10,NAT b\r\n',
    'empty.txt': '',
    'comments.txt': '# nothing\n',
    'latin-1.txt': Buffer.from('9.9.9.9 # caf\xe9', 'latin1'),
    folder: {}
  })
  const url = `http://127.0.0.1:${await echoServer(t, answering(LIST))}/`
  const table: [file: string, code: number, output: RegExp][] = [
    [join(folder, 'list.txt'), 0, /list\.txt": 2 sound entries/],
    [join(folder, 'bom.csv'), 0, /2 sound entries/],
    [url, 0, /2 sound entries/],
    [join(folder, 'comments.txt'), 1, /0 sound entries, 1 error.*\nerror: The list has no entry/],
    [join(folder, 'empty.txt'), 2, /cannot be read: It is empty/],
    [join(folder, 'folder'), 2, /cannot be read: EISDIR/],
    [join(folder, 'absent.txt'), 2, /cannot be read: ENOENT.*MOE_ERR_SOURCE/i],
    [join(folder, 'latin-1.txt'), 2, /cannot be read: .*utf-8/]
  ]
  for (const [file, expected, output] of table) {
    const { code, stdout, stderr } = await run(['egress', 'check', file], { fetch })
    t.equal(code, expected, file)
    t.match(`${stdout}${stderr}`, output, file)
  }
  const large = join(folder, 'large.txt')
  writeFileSync(large, '9'.repeat(100_000_000))
  t.match(await egress(['check', large]), { code: 2, stderr: /larger than 5000000 bytes/ })
})

t.test('export writes what formatEgress returns, and what a person must know to standard error', async (t) => {
  for (const target of FORMS) {
    for (const format of ['text', 'json', 'csv', 'terraform'] as const) {
      const isTicket = format === 'text' || format === 'json' || target === 'api-firewall'
      const options = isTicket ? TICKET[target] : {}
      const argv = [
        ...(options.categories ?? []).flatMap((category) => ['--category', category.toUpperCase()]),
        ...(options.workspace === undefined ? [] : ['--workspace', options.workspace]),
        ...(options.dataCenter === undefined ? [] : ['--data-center', 'dc1']),
        ...(options.emails ?? []).flatMap((email) => ['--email', email])
      ]
      const { code, stdout, stderr } = await egress(['export', '-', '--for', target, '--format', format, ...argv])
      t.equal(code, 0, `${target} ${format}: ${stderr}`)
      t.equal(stdout, formatEgress(LIST, { ...options, target, format }), `${target} ${format}`)
      const hasNotes = format === 'json' || (target === 'api-firewall' && format === 'text')
      t.equal(/^note: A call that succeeds does not show/m.test(stderr), !hasNotes, `${target} ${format}`)
    }
    const json = await egress(['export', '-', '--for', 'dashboard', '--json'])
    t.equal(json.stdout, formatEgress(LIST, { target: 'dashboard', format: 'json' }))
  }
  const all = await egress(['export', '-', '--for', 'api-firewall', '--format', 'csv', '--category', 'all'])
  t.match(all.stdout, '"Data, Segmentation, Campaigns, Partner Integration, Content"')
  const alsoAll = ['--category', 'data,ALL', '--category', 'content']
  t.strictSame(await egress(['export', '-', '--for', 'api-firewall', '--format', 'csv', ...alsoAll]), all)
  const two = await egress(['export', '-', '--for', 'api-firewall', '--category', 'partner-integration, data'])
  t.match(two.stdout, 'Data, Partner Integration')
})

t.test('export of a list with a mistake writes nothing', async (t) => {
  const { code, stdout, stderr } = await egress(['export', '-', '--for', 'dashboard'], '9.9.9.9\n10.0.0.1')
  t.strictSame([code, stdout], [2, ''])
  t.match(stderr, /^error: Your list has a mistake:\n {2}- line 2: .*docs\/errors\.md#moe_err_egress/s)
  const json = await egress(['export', '-', '--for', 'dashboard', '--json'], '10.0.0.1')
  t.match(JSON.parse(json.stderr), { code: 'MOE_ERR_EGRESS', mistakes: [{ line: 1, value: '10.0.0.1' }] })
})

t.test('export repeats the warnings of check', async (t) => {
  const { stderr } = await egress(['export', '-', '--for', 'dashboard'], `${LIST}9.9.8.5 - 9.9.8.7`)
  t.match(stderr, /^warning: line 3: Dashboard Firewall takes addresses and prefixes/)
})

t.test('from makes a list that check accepts', async (t) => {
  const output = JSON.stringify({
    NatGateways: [
      { NatGatewayId: 'nat-1', NatGatewayAddresses: [{ PublicIp: '9.9.9.9' }, { PublicIp: '9.9.9.10' }] },
      { NatGatewayId: 'nat-2', State: 'deleted' }
    ]
  })
  const text = await egress(['from', 'aws-nat'], output)
  t.strictSame(text, {
    code: 0,
    stdout: '9.9.9.9   # nat-1\n9.9.9.10  # nat-1\n',
    stderr: 'warning: Left out: nat-2 is deleted.\n'
  })
  const json = await egress(['from', 'aws-nat', '-', '--json'], output)
  for (const { stdout } of [text, json]) {
    t.match(checkEgress(stdout), { ok: true, entries: [{ value: '9.9.9.9', name: 'nat-1' }, { value: '9.9.9.10' }] })
  }
  t.match(await egress(['from', 'azure-public-ips'], '[]'), { code: 2, stderr: /It holds no public address/ })
})

t.test('explain-403 says what a body shows and what it does not; 1 where no document names it', async (t) => {
  const body = '{"error":"IP Validation Required","message":"IP Validation Failed. Please check your IP!!"}'
  const { code, stdout } = await egress(['explain-403'], body)
  t.equal(code, 0)
  t.match(stdout, /^The Data API whitelisting .*\n\nIt shows:\n {2}- .*\nIt does not show:\n {2}- /s)
  const json = await egress(['explain-403', '-', '--json'], '{}')
  t.equal(json.code, 1)
  t.match(JSON.parse(json.stdout), { mechanism: null })
  t.match(await egress(['explain-403'], ''), { code: 2, stderr: /It is empty/ })
})

t.test('hosts are written as text, JSON and rules for squid', async (t) => {
  t.equal((await egress(['hosts', '-d', 'DC-03'])).stdout, `${outboundHosts('DC-03').join('\n')}\n`)
  const json = await egress(['hosts', '-d', 'all', '--json'])
  t.strictSame(Object.keys(JSON.parse(json.stdout)), [...DATA_CENTERS])
  const squid = await egress(['hosts', '-d', 'DC-01,DC-02', '--format', 'squid'])
  t.match(
    squid.stdout,
    /^# MoEngage's hosts that customers call, for DC-01, DC-02\.[\s\S]*\nhttp_access allow CONNECT /
  )
})
