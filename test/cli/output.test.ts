import {
  chmodSync,
  mkdirSync,
  promises,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import * as files from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import t, { type Test } from 'tap'
import type { Io } from '../../src/cli/io.js'
import { findOutput, replaceOutput } from '../../src/cli/output.js'

/** What a command needs for its warnings, and the warnings. */
function warning() {
  const printed: string[] = []
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      printed.push(String(chunk))
      done()
    }
  })
  const io: Io = {
    stdin: Readable.from([]),
    stdout: stderr,
    stderr,
    env: {},
    fetch,
    now: () => new Date(),
    redis: () => Promise.reject()
  }
  return { io, printed }
}

/** A file in a folder of its own. */
function fileIn(t: Test, content: string) {
  const file = join(t.testdir({ 'list.json': content }), 'list.json')
  return { file, folder: join(file, '..') }
}

t.test('a file that is replaced keeps its mode, whatever the umask is', async (t) => {
  const { file, folder } = fileIn(t, 'old')
  const umask = process.umask(0o077)
  t.teardown(() => process.umask(umask))
  for (const mode of [0o640, 0o604, 0o777, 0o600]) {
    chmodSync(file, mode)
    const { io, printed } = warning()
    await replaceOutput(await findOutput(file), `mode ${mode}`, io)
    t.equal(statSync(file).mode & 0o7777, mode)
    t.equal(readFileSync(file, 'utf8'), `mode ${mode}`)
    t.strictSame(printed, [])
  }
  await replaceOutput(await findOutput(join(folder, 'new.json')), 'new', warning().io)
  t.equal(statSync(join(folder, 'new.json')).mode & 0o777, 0o600, 'a new file follows the umask')
  t.strictSame(readdirSync(folder).sort(), ['list.json', 'new.json'], 'no draft is left')
})

t.test('a file that is replaced keeps its owner', { skip: process.getuid?.() !== 0 }, async (t) => {
  const { file } = fileIn(t, 'old')
  await files.chown(file, 1000, 1001)
  chmodSync(file, 0o4750)
  await replaceOutput(await findOutput(file), 'new', warning().io)
  const { uid, gid, mode } = statSync(file)
  t.strictSame([uid, gid, mode & 0o7777], [1000, 1001, 0o4750])
})

t.test('where the owner cannot be kept, a warning says so and the file is written', async (t) => {
  const { file } = fileIn(t, 'old')
  const found = await findOutput(file)
  const { uid, gid } = found.before!
  /** As for a process that is not root. */
  const open = async (...options: Parameters<typeof files.open>) => {
    const handle = await files.open(...options)
    handle.chown = () => Promise.reject(new Error('EPERM: operation not permitted'))
    return handle
  }
  const { replaceOutput } = await t.mockImport<typeof import('../../src/cli/output.js')>('../../src/cli/output.js', {
    'node:fs/promises': { ...files, open }
  })
  for (const other of [{ uid: uid + 1 }, { gid: gid + 1 }]) {
    const { io, printed } = warning()
    const before = Object.assign(Object.create(found.before!), other)
    await replaceOutput({ path: file, before }, `new ${Object.keys(other)}`, io)
    t.equal(readFileSync(file, 'utf8'), `new ${Object.keys(other)}`)
    t.match(printed.join(''), `warning: ${file} now belongs to user ${uid}, group ${gid}, no longer to `)
    t.match(printed.join(''), /: EPERM: operation not permitted\.\n$/)
  }
})

t.test('a file that cannot be written stays as it was', async (t) => {
  const { file, folder } = fileIn(t, 'old')
  const found = await findOutput(file)
  const broken = { path: join(folder, 'none', 'list.json'), before: found.before }
  await t.rejects(replaceOutput(broken, 'new', warning().io), { code: 'ENOENT' })
  mkdirSync(join(folder, 'in-the-way'))
  writeFileSync(join(folder, 'in-the-way', 'x'), '')
  await t.rejects(replaceOutput({ path: join(folder, 'in-the-way'), before: undefined }, 'new', warning().io), {
    code: /EISDIR|ENOTEMPTY|EPERM/
  })
  t.equal(readFileSync(file, 'utf8'), 'old')
  t.strictSame(readdirSync(folder).sort(), ['in-the-way', 'list.json'], 'no draft is left')
})

t.test('links are followed, but not into nothing', async (t) => {
  const { file, folder } = fileIn(t, 'old')
  symlinkSync('list.json', join(folder, 'link'))
  symlinkSync('gone', join(folder, 'dangling'))
  t.equal((await findOutput(join(folder, 'link'))).path, await files.realpath(file))
  await t.rejects(findOutput(join(folder, 'dangling')), { message: /link to a file that does not exist/ })
  await t.rejects(findOutput(folder), { message: /not a regular file/ })
  await t.rejects(findOutput(join(file, 'x')), { code: 'ENOTDIR' })
  t.equal((await findOutput(join(folder, 'gone'))).before, undefined)
})

t.test('a file that another command makes while one looks at it is no link', async (t) => {
  for (const first of ['stat', 'lstat'] as const) {
    const { folder } = fileIn(t, 'old')
    const file = join(folder, 'new')
    const look = promises[first]
    t.teardown(() => {
      promises[first] = look
    })
    promises[first] = (async (path: string) => {
      promises[first] = look
      return look(path).finally(() => writeFileSync(file, ''))
    }) as never
    t.match(await findOutput(file), { path: file }, first)
    promises[first] = look
  }
})
