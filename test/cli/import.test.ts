import { spawnSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { bundled, current, htmlPage, mdxPage, page, sample } from '../help-page/pages.js'
import { run as runCommand, type World } from '../support/cli.js'

/** Runs the command in this process. */
const run = (argv: readonly string[], world: World = {}) =>
  runCommand(['import', ...argv], { fetch: globalThis.fetch, now: '2027-02-28T23:59:59Z', ...world })

/** Starts a server on loopback, and returns its URL. */
async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/ips.mdx`
}

const mdx = mdxPage(current)

t.test('a file becomes a snapshot on standard output, and the report goes to standard error', async (t) => {
  const folder = t.testdir({ 'page.mdx': mdx, 'page.html': htmlPage(current) })
  for (const name of ['page.mdx', 'page.html']) {
    const { code, stdout, stderr } = await run([join(folder, name), '--revision', 'f7b9336c727c'])
    t.equal(code, 0)
    t.strictSame(JSON.parse(stdout), {
      provenance: { page: name, revision: 'f7b9336c727c', retrieved: '2027-02-28' },
      rows: bundled.rows,
      notes: bundled.notes
    })
    t.equal(stderr, `${name}: 73 rows, 41 addresses (revision f7b9336c727c, 2027-02-28).\n`)
  }
})

t.test('standard input is read, with the place of the page as an option', async (t) => {
  const { code, stdout, stderr } = await run(['-', '--page', 'https://help.example/', '--retrieved', '2027-01-31'], {
    stdin: sample
  })
  t.equal(code, 0)
  t.match(JSON.parse(stdout).provenance, { page: 'https://help.example/', retrieved: '2027-01-31' })
  t.match(
    stderr,
    /^https:\/\/help\.example\/: 72 rows, 41 addresses .*\nwarning: rows: The page has no row "File Segment API" for DC-101/
  )
  t.match((await run(['-'], { stdin: sample })).stdout, /"page": "standard input"/)
})

t.test('the place of the page is written without what may be secret in its URL', async (t) => {
  const { stdout, stderr } = await run(['-', '--page', 'https://me:sesame@help.example/page?key=sesame#sesame'], {
    stdin: mdx
  })
  t.equal(JSON.parse(stdout).provenance.page, 'https://help.example/page')
  t.notMatch(stderr, 'sesame')
})

t.test('the format can be chosen', async (t) => {
  t.equal((await run(['-', '--format', 'markdown'], { stdin: mdx })).code, 0)
  t.match(await run(['-', '--format', 'html'], { stdin: mdx }), { code: 2, stdout: '', stderr: /outside of any table/ })
  t.match(await run(['-', '--format', 'pdf'], { stdin: mdx }), {
    code: 2,
    stderr: /Allowed choices are markdown, html/
  })
})

t.test('a page that cannot be read as a whole gives nothing, and every cell on a line of its own', async (t) => {
  const stdin = page('SMS | DC-01 | 3.6.251.95', 'SMS | DC-02 | ', 'SMS | DC-03 | 52.6.248.')
  const folder = t.testdir({ 'moengage.json': JSON.stringify(bundled) })
  const output = join(folder, 'moengage.json')
  for (const more of [[], ['--output', output]]) {
    const { code, stdout, stderr } = await run(['-', ...more], { stdin })
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(
      stderr,
      /^error: 2 cells of the page could not be read.*\n {2}- IPs \| SMS, DC-02 \| .*\n {2}- IPs \| SMS, DC-03 \| /
    )
  }
  const { code, stdout, stderr } = await run(['-', '--json'], { stdin })
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(JSON.parse(stderr), {
    code: 'MOE_ERR_PAGE',
    cells: [{ row: 'SMS, DC-02' }, { row: 'SMS, DC-03', text: '52.6.248.' }]
  })
  t.strictSame(JSON.parse(readFileSync(output, 'utf8')), bundled, 'the file is as it was')
  t.match(await run(['-', '--json', '--retrieved', 'today'], { stdin: mdx }), {
    code: 2,
    stderr: /'today' is invalid\. It is not a day\. Write it like 2027-02-28/
  })
  t.match(await run(['-', '--retrieved', '2027-03-02'], { stdin: mdx }), {
    code: 2,
    stdout: '',
    stderr: /'2027-03-02' is invalid\. The day is still to come\. Write the day on which the page was loaded\./
  })
  t.match(await run(['-', '--retrieved', '2027-03-01'], { stdin: mdx }), { code: 0 }, 'in some zone it is tomorrow')
  for (const option of ['--revision', '--page']) {
    t.match(await run(['-', option, ' '], { stdin: mdx }), { code: 2, stdout: '', stderr: /It is empty/ })
  }
})

t.test('the example of the documentation is refused as it says', async (t) => {
  const text = readFileSync('docs/import.md', 'utf8')
  const block = (language: string) => text.split(`\`\`\`${language}\n`)[1]!.split('```')[0]!
  t.equal((await run(['-'], { stdin: block('md') })).stderr, block('text'))
})

t.test('the report can be JSON', async (t) => {
  const stdin = page('SMS | DC-01 | 3.6.251.95, 52.1.1.1', 'Voice | DC-01 | 3.6.251.95', 'Push | DC-01 | NA')
  const { stdout, stderr } = await run(['-', '--json'], { stdin })
  t.equal(JSON.parse(stdout).rows.length, 2)
  t.match(JSON.parse(stderr), {
    page: 'standard input',
    revision: /^[\da-f]{12}$/,
    retrieved: '2027-02-28',
    rows: 2,
    unknown: 1,
    addresses: 2,
    warnings: [{ code: 'MOE_WARN_PAGE', path: 'unknown', fix: /newer version/ }]
  })
  t.match((await run(['-'], { stdin })).stderr, /^standard input: 3 rows, 1 of them unknown, 2 addresses/)
})

t.test('a file is written as a whole, and of existing files only a snapshot is replaced', async (t) => {
  const folder = t.testdir({ 'notes.json': '{"rows": []}', 'README.md': '# Ours', empty: '', folder: {} })
  const file = join(folder, 'moengage.json')
  const { code, stdout, stderr } = await run(['-', '--output', file], { stdin: mdx })
  t.match({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, /73 rows, 41 addresses/, 'the report goes to standard output')
  symlinkSync('moengage.json', join(folder, 'link.json'))
  t.equal((await run(['-', '-o', join(folder, 'link.json')], { stdin: sample })).code, 0)
  t.ok(lstatSync(join(folder, 'link.json')).isSymbolicLink())
  t.equal(JSON.parse(readFileSync(file, 'utf8')).rows.length, 72, 'the target of the link is replaced')
  for (const name of ['notes.json', 'README.md', 'empty']) {
    const before = readFileSync(join(folder, name), 'utf8')
    t.match(await run(['-', '-o', join(folder, name)], { stdin: mdx }), {
      code: 2,
      stderr: /is not a snapshot, so it is not replaced/
    })
    t.equal(readFileSync(join(folder, name), 'utf8'), before)
  }
  t.match(await run(['-', '-o', join(folder, 'none', 'x.json')], { stdin: mdx }), {
    code: 2,
    stderr: /could not be written: ENOENT/
  })
  t.strictSame(
    readdirSync(folder).sort(),
    ['README.md', 'empty', 'folder', 'link.json', 'moengage.json', 'notes.json'],
    'no draft is left'
  )
  t.ok(statSync(join(folder, 'folder')).isDirectory())
})

t.test('an output that is not a regular file, leads nowhere or is too large is refused at once', async (t) => {
  const folder = t.testdir({ folder: {}, 'large.json': ' '.repeat(5_000_001) })
  symlinkSync('gone.json', join(folder, 'dangling.json'))
  symlinkSync('loop.json', join(folder, 'loop.json'))
  t.equal(spawnSync('mkfifo', [join(folder, 'pipe')]).status, 0)
  const table: [name: string, message: RegExp][] = [
    ['folder', /could not be read: it is not a regular file; leave --output out/],
    ['pipe', /it is not a regular file/],
    ['/dev/zero', /it is not a regular file/],
    ['/dev/stdout', /it is not a regular file/],
    ['dangling.json', /it is a link to a file that does not exist/],
    ['loop.json', /could not be read: ELOOP/],
    ['large.json', /is not a snapshot/]
  ]
  for (const [name, message] of table) {
    const file = name.startsWith('/') ? name : join(folder, name)
    t.match(await run(['-', '-o', file], { stdin: mdx }), { code: 2, stdout: '', stderr: message }, name)
  }
  t.ok(lstatSync(join(folder, 'dangling.json')).isSymbolicLink())
  t.strictSame(readdirSync(folder).sort(), ['dangling.json', 'folder', 'large.json', 'loop.json', 'pipe'])
})

t.test('a list that is still on the page only gets the day of the check', async (t) => {
  const file = join(t.testdir({}), 'moengage.json')
  const written = () => readFileSync(file, 'utf8')
  const check = (day: string, stdin: string, ...more: string[]) =>
    run(['-', '-o', file, '--retrieved', day, ...more], { stdin })
  await check('2027-01-30', mdx, '--revision', 'r1')
  const first = written()
  t.notMatch(first, 'checked')
  const { stdout } = await check(
    '2027-02-06',
    htmlPage(current),
    '--revision',
    'r2',
    '--page',
    'https://other.example/'
  )
  t.match(stdout, '(revision r1, 2027-01-30; the same list as before, checked 2027-02-06)')
  t.equal(written(), first.replace('"2027-01-30"', '"2027-01-30",\n    "checked": "2027-02-06"'), 'and nothing else')
  const second = written()
  await check('2027-02-01', mdx)
  t.equal(written(), second, 'an earlier check does not take it back')
  await check('2027-02-13', mdx, '--json')
  t.match(JSON.parse(written()).provenance, { revision: 'r1', retrieved: '2027-01-30', checked: '2027-02-13' })
  await check('2027-02-20', sample, '--revision', 'r3')
  const { page: _, ...provenance } = JSON.parse(written()).provenance
  t.strictSame(provenance, { revision: 'r3', retrieved: '2027-02-20' }, 'another list is a new one')
  writeFileSync(
    file,
    written().replace('"retrieved": "2027-02-20"', '"retrieved": "2027-02-20", "checked": "2027-02-19"')
  )
  t.match(await check('2027-02-27', sample), { code: 2, stderr: /is not a snapshot/ })
})

t.test('a prefix that a guard refuses is a warning', async (t) => {
  const wide = '| Channel | Data Center | IPs |\n| - | - | - |\n| SMS | DC-01 | 3.0.0.0/8, 10.1.2.3 |\n'
  const { code, stderr } = await run(['-'], { stdin: wide })
  t.equal(code, 0)
  t.match(
    stderr,
    'The list is suspicious: 3.0.0.0/8: shorter than /16 (IPv4) or /32 (IPv6). Look at it. A guard refuses it'
  )
  t.equal(stderr.match(/10\.1\.2\.3/g)?.length, 1, 'of an address that nobody sends from the import has said so')
  const json = await run(['-', '--json'], { stdin: wide })
  t.match(JSON.parse(json.stderr).warnings.at(-1), { code: 'MOE_WARN_SUSPICIOUS', value: 'wide' })
})

t.test('a file that is dated ahead of the clock keeps its day, and the report says so', async (t) => {
  const file = join(t.testdir({}), 'moengage.json')
  const now = '2030-01-01T12:00:00Z'
  await run(['-', '-o', file], { stdin: mdx, now })
  const first = readFileSync(file, 'utf8')
  const { code, stdout } = await run(['-', '-o', file], { stdin: mdx })
  t.equal(code, 0)
  t.match(stdout, `warning: ${file}: The list is of 2030-01-01, a day that is still to come`)
  t.equal(readFileSync(file, 'utf8'), first)
  const json = await run(['-', '-o', file, '--json'], { stdin: mdx })
  t.match(JSON.parse(json.stdout).warnings, [{ code: 'MOE_WARN_FUTURE', path: file, value: '2030-01-01' }])
  t.notMatch((await run(['-', '-o', file], { stdin: mdx, now })).stdout, 'warning')
})

t.test('no character of a page steers the terminal, in the report, in JSON or in an error', async (t) => {
  const hostile = 'V\u009b2Jo\u202eice\u2067\u00ad\u{e0001}'
  const good = page(`${hostile} | DC-01 | 3.6.251.95`, 'SMS | DC-01 | 3.6.251.95')
  const bad = page(`SMS | ${hostile} | 3.6.251.95`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\p{Cf}\u2028\u2029]/u
  for (const argv of [['-'], ['-', '--json'], ['-', '--page', hostile]]) {
    const { code, stdout, stderr } = await run(argv, { stdin: good })
    t.equal(code, 0)
    t.notMatch(stdout + stderr, steering, argv.join(' '))
    t.match(JSON.parse(stdout).unknown, [{ name: /^V\u009b2Jo\u202eice/ }], 'the name itself is kept')
  }
  for (const argv of [['-'], ['-', '--json']]) {
    const { code, stderr } = await run(argv, { stdin: bad })
    t.equal(code, 2)
    t.notMatch(stderr, steering, argv.join(' '))
    if (argv.length > 1) t.match(JSON.parse(stderr).cells, [{ text: /^V\u009b2Jo\u202eice/ }])
  }
})

t.test('a URL is read', async (t) => {
  const url = await serve(t, (_, reply) => reply.end(mdx))
  const { code, stdout } = await run([url])
  t.equal(code, 0)
  t.equal(JSON.parse(stdout).provenance.page, url)
})

t.test('a URL that does not answer with the page is refused', async (t) => {
  const redirect: RequestListener = (_, reply) =>
    reply.writeHead(302, { location: 'https://elsewhere.example/' }).end(mdx)
  t.match(await run([await serve(t, redirect)]), { code: 2, stdout: '', stderr: /cannot be read: .*redirect/ })
  const missing: RequestListener = (_, reply) => reply.writeHead(404).end(mdx)
  t.match(await run([await serve(t, missing)]), { code: 2, stdout: '', stderr: /cannot be read: .*404/ })
})

t.test('a file that is not there is named', async (t) => {
  t.match(await run([join(t.testdir({}), 'none.mdx')]), { code: 2, stderr: /none\.mdx" cannot be read: ENOENT/ })
  t.match(await run([]), { code: 2, stderr: /missing required argument 'page'/ })
})

t.test('the program reads a pipe', async (t) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/src/cli/bin.js', 'import', '-'], {
    input: mdx,
    encoding: 'utf8'
  })
  t.equal(status, 0)
  t.strictSame(JSON.parse(stdout).rows, bundled.rows)
  t.match(stderr, /^standard input: 73 rows/)
})
