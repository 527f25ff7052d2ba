import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import * as files from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Io } from '../../src/cli/io.js'
import { loadGuard } from '../../src/core.js'
import { run, runJson } from '../support/cli.js'
import { sound } from '../support/snapshots.js'

async function withKeys(t: Test) {
  const folder = t.testdir({ 'list.json': JSON.stringify(sound({ revision: 'r1' })) })
  const at = (name: string) => join(folder, name)
  const { value } = await runJson(['keygen', at('my.key')])
  return { at, publicKey: value.publicKey as string, list: at('list.json'), key: at('my.key') }
}

t.test('keygen writes a private key that only its owner reads, and prints the public one', async (t) => {
  const folder = t.testdir({})
  const file = join(folder, 'my.key')
  const umask = process.umask(0)
  const { code, stdout, stderr } = await run(['keygen', file])
  process.umask(umask)
  t.strictSame([code, stderr], [0, ''])
  t.equal(statSync(file).mode & 0o777, 0o600)
  const pem = readFileSync(file, 'utf8')
  t.match(pem, /^-----BEGIN PRIVATE KEY-----\n/)
  t.notMatch(stdout, pem.split('\n')[1]!)
  t.match(stdout, /\n\n[\w-]{43}\n$/)
  t.match(readFileSync(`${file}.pub`, 'utf8'), /^-----BEGIN PUBLIC KEY-----\n/)
  t.match(await run(['keygen', file]), { code: 2, stderr: /exists already, and a key is never replaced/ })
  t.equal(readFileSync(file, 'utf8'), pem)
  t.match(await run(['keygen', join(folder, 'none', 'x.key')]), { code: 2, stderr: /cannot be written: ENOENT/ })
})

t.test('keygen leaves no part of a key behind on a full disk', async (t) => {
  const folder = t.testdir({})
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  const { keygenCommand } = await t.mockImport<typeof import('../../src/cli/keygen.js')>('../../src/cli/keygen.js', {
    'node:fs/promises': t.createMock(files, {
      open: async (...args: Parameters<typeof files.open>) => {
        const handle = await files.open(...args)
        return Object.assign(handle, { sync: () => Promise.reject(full) })
      }
    })
  })
  const command = keygenCommand({} as Io)
  await t.rejects(command.parseAsync([join(folder, 'my.key')], { from: 'user' }), {
    message: /cannot be written: ENOSPC: no space left on device/
  })
  t.strictSame(readdirSync(folder), [])
})

t.test('keygen writes no private key where the file of the public one is taken', async (t) => {
  const folder = t.testdir({ 'my.key.pub': 'somebody else' })
  t.match(await run(['keygen', join(folder, 'my.key')]), { code: 2, stderr: /my\.key\.pub exists already/ })
  t.strictSame(readdirSync(folder), ['my.key.pub'])
})

t.test('keygen replaces no private key that has lost its public one', async (t) => {
  const folder = t.testdir({ 'my.key': 'ours' })
  t.match(await run(['keygen', join(folder, 'my.key')]), { code: 2, stderr: /my\.key exists already/ })
  t.strictSame(readdirSync(folder), ['my.key'])
  t.equal(readFileSync(join(folder, 'my.key'), 'utf8'), 'ours')
})

t.test('a name that no signed document can have is refused as an option', async (t) => {
  for (const name of ['', ' x', 'x'.repeat(101), 'a\nb']) {
    const { code, stderr } = await run(['sign', 'bundled', '--key', 'none', '--name', name])
    t.match([code, stderr], [2, /option '--name <name>' argument .* is invalid\. It is not a text of 1 to 100/s], name)
  }
})

t.test('a list that sign wrote is what a guard with the public key loads', async (t) => {
  const { at, key, list, publicKey } = await withKeys(t)
  const argv = ['sign', list, '--key', key, '--name', 'production', '--list-version', '3', '--expires', '2999-01-01']
  t.match(await run(argv), { code: 2, stderr: /--expires 2999-01-01 is not a time within the next ten years/ })
  argv[argv.length - 1] = '2030-01-01'
  const { code, stdout, stderr } = await run(argv)
  t.strictSame([code, stderr], [0, 'Signed "production", version 3, expires 2030-01-01T00:00:00.000Z.\n'])
  t.match(stdout, /^eyJ[\w.-]+\n$/)
  const output = at('list.jws')
  const now = new Date().toISOString()
  const written = await runJson(['sign', list, '--key', key, '--name', 'production', '--output', output], { now })
  t.match(written, { code: 0, stderr: '', value: { version: Math.floor(Date.parse(now) / 1000) } })
  const guard = await loadGuard({ dataCenters: 'DC-01', source: { file: output, verify: { publicKeys: publicKey } } })
  t.teardown(() => guard.close())
  t.equal(guard.status().revision, 'r1')
  writeFileSync(output, stdout)
  await t.rejects(guard.reload(), { message: /version 3, older than/ })
  for (const other of ['bundled', 'test/fixtures/page-tables-sample.mdx']) {
    t.match(await run(['sign', other, '--key', key, '--name', 'x']), { code: 0, stdout: /^eyJ/ }, other)
  }
})

t.test('mistakes are named, and no private key is printed', async (t) => {
  const { at, key, list } = await withKeys(t)
  const secret = readFileSync(key, 'utf8').split('\n')[1]!
  writeFileSync(at('rest.txt'), `${secret} is no key`)
  const table: [argv: string[], stderr: RegExp][] = [
    [['--key', at('none')], /none could not be read: ENOENT/],
    [['--key', at('rest.txt')], /^error: The key file holds no Ed25519 private key in PEM/],
    [['--key', `${key}.pub`], /^error: The key file holds a public key, .* file without "\.pub"/],
    [['--key', '/dev/null'], /^error: The key file holds no Ed25519 private key in PEM/],
    [['--key', key, '--list-version', '0'], /not a whole number from 1/],
    [['--key', key, '--expires', 'soon'], /--expires soon is not a time/],
    [['--key', key, '--expires', '2026-01-01'], /is not a time within/],
    [['--key', key, '--output', at('none/list.jws')], /could not be written: ENOENT/],
    [
      ['--key', key, '--output', key],
      /could not be written: it holds a private key, which is never replaced\. Name another/
    ],
    [['--key', key, '--output', at('link')], /could not be written: it holds a private key/]
  ]
  const pem = readFileSync(key, 'utf8')
  symlinkSync(key, at('link'))
  for (const [argv, stderr] of table) {
    const found = await run(['sign', list, '--name', 'production', ...argv])
    t.match(found, { code: 2, stdout: '', stderr }, argv.join(' '))
    t.notMatch(found.stderr, secret)
  }
  const late = await run(['sign', list, '--name', 'x', '--key', key, '--expires', '2026-01-01'])
  const [, day] = /Write it like 30d or (\S+)\. /.exec(late.stderr) ?? []
  t.match(await run(['sign', list, '--name', 'x', '--key', key, '--expires', day!]), { code: 0 }, 'the advice is taken')
  t.match(await run(['sign', list, '--key', key, '--name', ' ']), {
    code: 2,
    stderr: /argument ' ' is invalid\. It is not a text of 1 to 100/
  })
  t.match(await run(['export', 'nginx', '-d', 'DC-01', '--output', key]), {
    code: 2,
    stderr: /could not be written: it holds a private key, which is never replaced\. Name another file\./
  })
  t.equal(readFileSync(key, 'utf8'), pem)
  const packed = Buffer.from(pem).toString('base64')
  for (const text of [pem, pem.trim(), pem.replaceAll('\n', '\\n'), secret, packed]) {
    const inPlace: [argv: string[], stderr: RegExp][] = [
      [
        ['sign', list, '--name', 'x', '--key', text],
        /^error: The name of the key file is a private key itself.*name the file/
      ],
      [['publish', list, '--name', 'x', '--sign', text], /^error: The name of the key file is a private key itself/],
      [['sign', list, '--name', 'x', `--key=${text}`], /^error: The name of the key file is a private key itself/],
      [['sign', text, '--name', 'x', '--key', key], /…/],
      [['sign', list, '--name', 'x', '--key', key, '--output', join('none', text)], /could not be written/],
      [['sign', list, '--name', 'x', '--key', key, '--expires', text], /is not a time/],
      [['list', '--from', text], /cannot be read/],
      [['keygen', at(join('none', text))], /cannot be written/],
      [['report', text], /…/]
    ]
    for (const [argv, stderr] of inPlace) {
      for (const json of [[], ['--json']]) {
        const found = await run([...argv, ...json])
        if (json.length === 0) t.match(found, { code: 2, stderr }, argv.join(' '))
        for (const shown of [secret, packed.slice(20, 60)])
          t.notMatch(found.stdout + found.stderr, shown, argv.join(' '))
      }
    }
  }
  chmodSync(key, 0o644)
  t.match(await run(['sign', list, '--key', key, '--name', 'x']), {
    code: 0,
    stderr: /^warning: Others can read .*chmod 600/
  })
})
