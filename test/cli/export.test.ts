import { closeSync, lstatSync, openSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { directory, EXPORT_FORMATS, type ExportFormat, type ExportOptions, exportDirectory } from '../../src/core.js'
import { run as runCommand } from '../support/cli.js'
import { snapshotOf } from '../support/snapshots.js'

const run = (...argv: string[]) => runCommand(['export', ...argv])

const written = (format: ExportFormat, options: Omit<ExportOptions, 'format'>) =>
  exportDirectory(directory, { format, ...options })

t.test('a format is written to standard output', async (t) => {
  const table: [argv: string[], expected: string][] = [
    [['nginx', '--data-center', 'DC-03'], written('nginx', { dataCenters: 'DC-03' })],
    [['nginx', '--data-center', 'all'], written('nginx', { dataCenters: 'all' })],
    [['text', '-d', 'DC-01', '-d', 'dc3, DC-04'], written('text', { dataCenters: ['DC-01', 'DC-03', 'DC-04'] })],
    ...[['all,DC-01'], ['DC-01, ALL'], ['DC-01', '-d', 'all'], ['all', '-d', 'DC-01'], ['ALL', '-c', 'All']].map(
      (names): [string[], string] => [['text', '-d', ...names], written('text', { dataCenters: 'all' })]
    ),
    [['text', '-d', 'DC-01;DC-03'], written('text', { dataCenters: ['DC-01', 'DC-03'] })],
    [
      ['csv', '-d', 'DC-02', '-c', 'catalog', '--channel', 'Data Imports'],
      written('csv', { dataCenters: 'DC-02', channels: ['catalog', 'data-import'] })
    ],
    [['caddy', '-d', 'DC-02', '--name', 'feeds'], written('caddy', { dataCenters: 'DC-02', name: 'feeds' })],
    [['nftables', '-d', 'DC-02', '--port', '5432'], written('nftables', { dataCenters: 'DC-02', port: 5432 })],
    [
      ['text', '-d', 'DC-02', '--allow', '10.0.0.0/8, 192.168.0.1', '--allow', '2001:db8::/32'],
      written('text', { dataCenters: 'DC-02', allow: ['10.0.0.0/8', '192.168.0.1', '2001:db8::/32'] })
    ],
    [['json', '-d', 'DC-02'], written('json', { dataCenters: 'DC-02' })],
    [['--json', '-d', 'DC-02'], written('json', { dataCenters: 'DC-02' })],
    [['json', '--json', '-d', 'DC-02', '--from', 'bundled'], written('json', { dataCenters: 'DC-02' })]
  ]
  for (const [argv, stdout] of table) t.strictSame(await run(...argv), { code: 0, stdout, stderr: '' }, argv.join(' '))
})

t.test('a file is written instead, as a whole or not at all', async (t) => {
  const file = join(t.testdir({ 'moengage.conf': 'deny all;\n' }), 'moengage.conf')
  t.match(await run('nginx', '-d', 'DC-05', '-c', 'sms', '--output', file), { code: 2, stdout: '' })
  t.equal(readFileSync(file, 'utf8'), 'deny all;\n', 'an error leaves the file as it was')
  t.strictSame(await run('nginx', '-d', 'DC-03', '-o', file), { code: 0, stdout: '', stderr: '' })
  t.equal(readFileSync(file, 'utf8'), written('nginx', { dataCenters: 'DC-03' }))
  t.match(await run('nginx', '-d', 'DC-03', '-o', join(file, 'x')), {
    code: 2,
    stdout: '',
    stderr: /ENOTDIR.*Check the folder/
  })
})

t.test('a link is followed, and what is not a regular file is not written', async (t) => {
  const folder = t.testdir({ 'moengage.conf': 'deny all;\n', folder: {} })
  const file = join(folder, 'moengage.conf')
  const before = openSync(file, 'r')
  t.teardown(() => closeSync(before))
  symlinkSync('moengage.conf', join(folder, 'link.conf'))
  t.equal((await run('nginx', '-d', 'DC-03', '-o', join(folder, 'link.conf'))).code, 0)
  t.equal(readFileSync(file, 'utf8'), written('nginx', { dataCenters: 'DC-03' }))
  t.equal(readFileSync(before, 'utf8'), 'deny all;\n', 'a program that has the old file open reads it to its end')
  t.ok(lstatSync(join(folder, 'link.conf')).isSymbolicLink())
  for (const name of [join(folder, 'folder'), '/dev/null', '/dev/stdout']) {
    t.match(
      await run('nginx', '-d', 'DC-03', '-o', name),
      { code: 2, stdout: '', stderr: /is not a regular file; leave --output out .* Name another file\. / },
      name
    )
  }
  t.ok(statSync('/dev/null').isCharacterDevice())
  t.strictSame(readdirSync(folder).sort(), ['folder', 'link.conf', 'moengage.conf'], 'no draft is left')
})

t.test('a data center without an address for a channel is a warning', async (t) => {
  const { code, stdout, stderr } = await run('text', '-d', 'DC-01,DC-05', '-c', 'sms,data-import')
  t.equal(code, 0)
  t.equal(stdout, written('text', { dataCenters: ['DC-01', 'DC-05'], channels: ['sms', 'data-import'] }))
  t.match(stderr, /^warning: .*no static address for sms in DC-05.*\n$/)
})

/** Sixty prefixes of one's own, as options. */
const sixty = Array.from({ length: 60 }, (_, i) => ['--allow', `8.8.8.${i * 4}`]).flat()

t.test('what cannot be exported is said, and nothing is written', async (t) => {
  const table: [argv: string[], stderr: RegExp][] = [
    [[], /required option '-d, --data-center <name>' not specified/],
    [['nginx'], /required option '-d, --data-center <name>' not specified/],
    [['-d', 'DC-01'], /Name a format/],
    [['nginx', '--json', '-d', 'DC-01'], /--json is the format json, not nginx/],
    [['ngnix', '-d', 'DC-01'], /no format 'ngnix'.*Did you mean "nginx"\?/],
    [['nginx', '-d', 'US'], /DC-01 or DC-04/],
    [['nginx', '-d', ''], /is not a data center/],
    [['nginx', '-d', 'DC-01', '-c', 'fax'], /"fax" is not a channel/],
    [
      ['nginx', '-d', 'DC-05', '-c', 'sms'],
      /no static address for sms in DC-05.*Leave "sms" out, or name another.* goes into --allow\./
    ],
    [
      ['nginx', '-d', 'DC-05', '-c', 'sms,push', '--allow', '8.8.8.8'],
      /for sms, push in DC-05.*Leave "sms", "push" out, or name another: moengage-allowlist list shows what has addresses\. \(/
    ],
    [['nginx', '-d', 'DC-01,DC-05', '-c', 'sms'], /sms in DC-05.*Leave "DC-05" out/],
    [
      ['aws-security-group-terraform', '-d', 'DC-01', ...sixty],
      /^error: allow: These are 75 IPv4 prefixes, .* room for 60\. Name fewer or wider prefixes in "allow" \(--allow\): 60 /
    ],
    [
      ['aws-security-group-terraform', '-d', 'all', ...sixty.slice(2)],
      /^error: dataCenters: .* Select fewer data centers or channels\. Or: Name fewer .* \(--allow\): 59 of these are your own\./
    ],
    [['nginx', '-d', 'DC-01', '--name', 'x'], /names nothing/],
    [['caddy', '-d', 'DC-01', '--name', 'x {'], /is not a name for caddy/],
    [
      ['nftables', '-d', 'DC-01', '--port', '22', '--port', '2222'],
      /option '--port <port>' is given twice, and takes one value\. Leave one out, or run the command for each\./
    ],
    [['nftables', '-d', 'DC-01', '--port', '0x50'], /'0x50' is not a port/],
    [['nftables', '-d', 'DC-01', '--port', '99999'], /99999 is not a port/],
    [['nginx', '-d', 'DC-01', '--allow', '10.0.0.1/8,x'], /allow\[0\]: .*allow\[1\]: "x" is a host name/s],
    [['nginx', '-d', 'DC-01', '--allow', '9.9.9.9 9.9.9.8'], /several entries .* or with an --allow of its own/],
    [['nginx', '-d', 'DC-01', '--allow', ''], /allow\[0\]: It is an empty string/],
    [
      ['nginx', '-d', 'DC-01', '--allow', '["8.8.8.8","10.0.0.0/8"]'],
      /a list in JSON\. Write 8\.8\.8\.8,10\.0\.0\.0\/8\.\n$/
    ],
    [['nginx', '-d', 'DC-01', '--allow', '0.0.0.0/0'], /half of the internet/],
    [['nginx', '-d', 'DC-01', '--from', 'page.md'], /page\.md/]
  ]
  for (const [argv, stderr] of table) t.match(await run(...argv), { code: 2, stdout: '', stderr }, argv.join(' '))
})

t.test('a data center that has no address is not to be left out where it is the only one', async (t) => {
  const from = join(t.testdir({ 'list.json': JSON.stringify(snapshotOf({ 'DC-01 sms': ['8.8.8.8'] })) }), 'list.json')
  t.match(await run('text', '-d', 'DC-05', '--from', from), {
    code: 2,
    stderr: /for any channel in DC-05.* Name another: moengage-allowlist list shows what has addresses\./
  })
  t.match(await run('text', '-d', 'DC-01', '--from', from), { code: 0 })
  t.match(
    await run('text', '-d', 'DC-05', '--allow', '8.8.8.8'),
    { code: 0, stdout: /8\.8\.8\.8/ },
    'what is advised is done'
  )
})

t.test('the help has every format, and its examples run', async (t) => {
  const { code, stdout } = await run('--help')
  t.equal(code, 0)
  for (const format of EXPORT_FORMATS) t.match(stdout, new RegExp(`^ {2}${format}\n {6}\\S`, 'm'))
  const words = stdout.split('\n').filter((line) => line.length > 80)
  t.strictSame(words, [], 'in 80 columns')
  t.match(stdout, /Traefik 3: an ipAllowList middleware, as dynamic configuration in YAML/, 'whole words')
  const examples = [...stdout.matchAll(/^ {2}\$ moengage-allowlist export (.*)$/gm)].map(([, argv]) => argv!)
  t.equal(examples.length, 5)
  for (const example of examples) await runExample(t, example)
})

async function runExample(t: Test, example: string) {
  const argv = example.replace(/ --output \S+/, '').split(' ')
  const { code, stdout, stderr } = await run(...argv)
  t.equal(code, 0, `${example}: ${stderr}`)
  t.not(stdout, '')
}
