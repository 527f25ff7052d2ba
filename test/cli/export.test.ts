import { chmodSync, closeSync, lstatSync, openSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { main } from '../../src/cli/main.js'
import { directory, EXPORT_FORMATS, type ExportFormat, type ExportOptions, exportDirectory } from '../../src/core.js'

/** Runs the command line; gives its exit code and what it wrote. */
async function run(...argv: string[]) {
  const stdout = new PassThrough().setEncoding('utf8')
  const stderr = new PassThrough().setEncoding('utf8')
  const code = await main(['export', ...argv], {
    stdin: Readable.from([]),
    stdout,
    stderr,
    env: {},
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    now: () => new Date()
  })
  return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') }
}

const written = (format: ExportFormat, options: Omit<ExportOptions, 'format'>) =>
  exportDirectory(directory, { format, ...options })

t.test('a format is written to standard output', async (t) => {
  const table: [argv: string[], expected: string][] = [
    [['nginx', '--data-center', 'DC-03'], written('nginx', { dataCenters: 'DC-03' })],
    [['nginx', '--data-center', 'all'], written('nginx', { dataCenters: 'all' })],
    [['text', '-d', 'DC-01', '-d', 'dc3, DC-04'], written('text', { dataCenters: ['DC-01', 'DC-03', 'DC-04'] })],
    [['text', '-d', 'DC-01', '-d', 'all', '-c', 'all'], written('text', { dataCenters: 'all' })],
    [
      ['csv', '-d', 'DC-02', '-c', 'catalog', '--channel', 'Data Imports'],
      written('csv', { dataCenters: 'DC-02', channels: ['catalog', 'data-import'] })
    ],
    [['caddy', '-d', 'DC-02', '--name', 'feeds'], written('caddy', { dataCenters: 'DC-02', name: 'feeds' })],
    [['nftables', '-d', 'DC-02', '--port', '5432'], written('nftables', { dataCenters: 'DC-02', port: 5432 })],
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

t.test('a file that is replaced keeps its permissions, and a link leads to it still', async (t) => {
  const folder = t.testdir({ 'moengage.conf': 'deny all;\n', folder: {} })
  const file = join(folder, 'moengage.conf')
  const before = openSync(file, 'r')
  t.teardown(() => closeSync(before))
  chmodSync(file, 0o640)
  symlinkSync('moengage.conf', join(folder, 'link.conf'))
  t.equal((await run('nginx', '-d', 'DC-03', '-o', join(folder, 'link.conf'))).code, 0)
  t.equal(readFileSync(file, 'utf8'), written('nginx', { dataCenters: 'DC-03' }))
  t.equal(readFileSync(before, 'utf8'), 'deny all;\n', 'whoever reads the old file reads it to its end')
  t.equal(statSync(file).mode & 0o777, 0o640)
  t.ok(lstatSync(join(folder, 'link.conf')).isSymbolicLink())
  t.match(await run('nginx', '-d', 'DC-03', '-o', join(folder, 'folder')), { code: 2, stderr: /folder could.*EISDIR/ })
  t.equal((await run('nginx', '-d', 'DC-03', '-o', '/dev/null')).code, 0)
  t.ok(statSync('/dev/null').isCharacterDevice(), 'what is no file is not replaced')
  t.strictSame(readdirSync(folder).sort(), ['folder', 'link.conf', 'moengage.conf'], 'no draft is left')
})

t.test('a data center without an address for a channel is told, but keeps nobody waiting', async (t) => {
  const { code, stdout, stderr } = await run('text', '-d', 'DC-01,DC-05', '-c', 'sms,data-import')
  t.equal(code, 0)
  t.equal(stdout, written('text', { dataCenters: ['DC-01', 'DC-05'], channels: ['sms', 'data-import'] }))
  t.match(stderr, /^warning: .*no static address for sms in DC-05.*\n$/)
})

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
    [['nginx', '-d', 'DC-05', '-c', 'sms'], /no static address for sms in DC-05/],
    [['nginx', '-d', 'DC-01', '--name', 'x'], /names nothing/],
    [['caddy', '-d', 'DC-01', '--name', 'x {'], /is no name for caddy/],
    [['nftables', '-d', 'DC-01', '--port', '0x50'], /'0x50' is not a port/],
    [['nftables', '-d', 'DC-01', '--port', '99999'], /99999 is not a port/],
    [['nginx', '-d', 'DC-01', '--from', 'page.md'], /page\.md/]
  ]
  for (const [argv, stderr] of table) t.match(await run(...argv), { code: 2, stdout: '', stderr }, argv.join(' '))
})

t.test('the help has every format, and its examples run', async (t) => {
  const { code, stdout } = await run('--help')
  t.equal(code, 0)
  for (const format of EXPORT_FORMATS) t.match(stdout, new RegExp(`^ {2}${format} +\\S`, 'm'))
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
