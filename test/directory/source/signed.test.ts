import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createGuard, type GuardOptions, loadGuard, type Snapshot } from '../../../src/core.js'
import { SignedListReader } from '../../../src/directory/source/signed.js'
import { generateKeys, readPrivateKey, readPublicKey } from '../../../src/signing/keys.js'
import { type SignedDocument, signDocument } from '../../../src/signing/signed-document.js'
import { until } from '../../support/http.js'
import { FOUR, sound } from '../../support/snapshots.js'
import { serveText } from '../../support/text-server.js'

const keys = generateKeys()
const strangers = generateKeys()

function signed(payload: unknown, changed: Partial<SignedDocument> = {}, { privatePem } = keys): Promise<string> {
  const document = {
    kind: 'list',
    name: 'production',
    version: 1,
    expires: '2999-01-01T00:00:00Z',
    payload,
    ...changed
  } as const
  return signDocument(document, readPrivateKey(privatePem))
}

const FIVE = [...FOUR, '9.9.9.5']
const verify = { publicKeys: keys.publicLine, name: 'production' }

async function guarding(t: Test, text: string, options: Partial<GuardOptions> = {}) {
  const server = await serveText(t, text, '/moengage.jws')
  const guard = await loadGuard({ dataCenters: 'DC-01', source: { url: server.url, verify }, ...options })
  t.teardown(() => guard.close())
  return { server, guard, isAccepted: (peer: string) => guard.judge({ peer, headers: {} }).verified }
}

t.test('a signed list comes into use, from a URL, a file and a function', async (t) => {
  const text = await signed(sound({ revision: 'r1' }))
  const { guard, isAccepted } = await guarding(t, text)
  t.match(guard.status(), { revision: 'r1' })
  t.ok(isAccepted(FOUR[0]!))
  const file = join(t.testdir({}), 'list.jws')
  writeFileSync(file, `${text}\n`)
  const sources: GuardOptions['source'][] = [
    { file, verify: { publicKeys: [strangers.publicPem, keys.publicPem] } },
    { name: 'ours', load: async () => readFileSync(file, 'utf8'), verify }
  ]
  for (const source of sources) {
    const other = await loadGuard({ dataCenters: 'DC-01', source })
    t.match(other.status(), { revision: 'r1' })
    other.close()
  }
})

t.test('a signed source may push as others do', async (t) => {
  let text = await signed(sound({ revision: 'r1' }))
  let push = () => {}
  const watch = (changed: () => void) => {
    push = changed
  }
  const source = { name: 'ours', load: async () => text, watch, verify }
  const guard = await loadGuard({ dataCenters: 'DC-01', source } as GuardOptions)
  t.teardown(() => guard.close())
  text = await signed(sound({ revision: 'r2' }), { version: 2 })
  await until(() => {
    push()
    return guard.status().revision === 'r2'
  })
  t.equal(guard.status().revision, 'r2')
})

t.test('a list that must not come into use leaves the last good one in use', async (t) => {
  const first = await signed(sound({ revision: 'r1' }), { version: 5 })
  const { server, guard, isAccepted } = await guarding(t, first)
  const next = sound({ revision: 'r2' }, FIVE)
  const good = await signed(next, { version: 6 })
  const refused: [what: string, text: string, message: RegExp][] = [
    ['unsigned', JSON.stringify(next), /It is not signed/],
    ['by the key of a stranger', await signed(next, { version: 6 }, strangers), /by none of the public keys/],
    ['altered', good.replace(/\.(.)/, (_, first) => `.${first === 'e' ? 'f' : 'e'}`), /altered|not JSON/],
    ['expired', await signed(next, { version: 6, expires: '2026-11-01T00:00:00Z' }), /has expired/],
    ['of another name', await signed(next, { version: 6, name: 'staging' }), /name is "staging"/],
    ['older', await signed(next, { version: 4 }), /version 4, older than 5/],
    ['the same version with another content', await signed(next, { version: 5 }), /version 5 again/],
    ['an override', await signed(next, { version: 6, kind: 'override' }), /type is 'moengage-override/],
    ['signed, and no snapshot', await signed({ rows: 1 }, { version: 6 }), /snapshot is damaged/],
    ['signed, and suspicious', await signed(sound({}, [...FOUR, '10.0.0.1']), { version: 6 }), /private/]
  ]
  for (const [what, text, message] of refused) {
    server.text = text
    await t.rejects(guard.reload(), { code: /^MOE_ERR_(?:SOURCE|SUSPICIOUS)$/, message }, what)
    t.match(guard.status(), { revision: 'r1', lastError: message }, what)
    t.notOk(isAccepted('9.9.9.5'), what)
  }
  server.text = good
  t.match(await guard.reload(), { revision: 'r2' }, 'a list that was refused did not raise the version')
  t.ok(isAccepted('9.9.9.5'))
  server.text = first
  await t.rejects(guard.reload(), { message: /version 5, older than 6/ }, 'a replay')
})

t.test('without a name, the first list sets it', async (t) => {
  const server = await serveText(t, await signed(sound(), { name: 'a' }))
  const source = { url: server.url, verify: { publicKeys: keys.publicLine } }
  const guard = await loadGuard({ dataCenters: 'DC-01', source })
  t.teardown(() => guard.close())
  server.text = await signed(sound({}, FIVE), { name: 'b', version: 2 })
  await t.rejects(guard.reload(), { message: /name is "b", not "a" as before/ })
})

t.test('a list that expires while it is in use stays in use, with a warning', async (t) => {
  const publicKeys = [readPublicKey(keys.publicLine)]
  const reader = new SignedListReader({ publicKeys, name: undefined }, () => 0)
  t.strictSame(reader.warnings(0), [])
  await reader.read(await signed(sound(), { expires: '1970-01-02T00:00:00Z' }))
  reader.accepted()
  t.strictSame(reader.warnings(86_399_999), [])
  t.match(reader.warnings(86_400_000), [
    {
      code: 'MOE_WARN_STALE',
      value: 'production',
      message: /Version 1 of the signed list "production" has expired on 1970-01-02/
    }
  ])
})

t.test('mistakes in verify stop the server at start-up, without a word of a key', async (t) => {
  const file = './moengage.json'
  const wrong: [verify: unknown, message: RegExp][] = [
    [{}, /source\.verify\.publicKeys: It is missing\. Write publicKeys: \['/],
    [{ publicKeys: [] }, /publicKeys: It names 0 keys/],
    [{ publicKeys: Array(11).fill(keys.publicLine) }, /publicKeys: It names 11 keys/],
    [{ publicKeys: [keys.publicLine, ''] }, /publicKeys\[1\]: .*environment variable empty/],
    [{ publicKeys: undefined, name: 'a' }, /publicKeys: It is missing/],
    [{ publicKeys: [7] }, /publicKeys\[0\]: It is not a text/],
    [{ publicKeys: keys.privatePem }, /publicKeys\[0\]: It is a private key/],
    [{ publicKeys: 'abc' }, /not an Ed25519 public key/],
    [{ publicKeys: keys.publicLine, name: '' }, /verify\.name: '' is not a name/],
    [{ publicKeys: keys.publicLine, names: 'a' }, /verify\.names: .*"name"/],
    [keys.publicLine, /source\.verify: It does not name public keys/],
    [keys.privatePem, /source\.verify: It does not name public keys/],
    [[keys.publicLine], /source\.verify: It does not name public keys/]
  ]
  const secret = keys.privatePem.split('\n')[1]!
  for (const [verify, message] of wrong) {
    let error: (Error & { mistakes?: unknown; value?: unknown }) | undefined
    try {
      createGuard({ dataCenters: 'DC-01', source: { file, verify } as never })
    } catch (thrown) {
      error = thrown as Error
    }
    t.match(error?.message, message)
    t.notMatch(JSON.stringify([error?.message, error?.mistakes, error?.value]), secret)
  }
})

t.test('what a function returned instead of the text of a signed list is named, with what to return', async (t) => {
  const verify = { publicKeys: keys.publicPem }
  const text = await signed(sound())
  const table: [returned: unknown, what: string, fix: RegExp][] = [
    [new Response(text), 'a Response', /^return await response\.text\(\)$/],
    [new TextEncoder().encode(text), 'bytes', /^return new TextDecoder\(\)\.decode\(bytes\)$/],
    [Buffer.from(text), 'bytes', /^return new TextDecoder\(\)\.decode\(bytes\)$/],
    [undefined, 'nothing', /^return the text$/],
    [{ default: text }, 'a module', /^return its default export$/],
    [() => text, 'a function', /^call it/],
    [sound(), '{ provenance, rows }', /^return the text that moengage-allowlist sign writes$/],
    [null, 'null', /^return the text that/]
  ]
  for (const [returned, what, fix] of table) {
    for (const load of [() => returned, async () => returned]) {
      const source = { name: 'ours', load: load as never, verify }
      const { message } = await loadGuard({ dataCenters: 'DC-01', source }).catch((error) => error)
      const words = /failed: It returned (.*) instead of the text of a signed list: (.*)\. Look at/
      const [, named, write] = words.exec(message) ?? []
      t.equal(named, what, message)
      t.match(write, fix)
    }
  }
})

t.test('a promise inside of what is returned instead of the text of a signed list ends no process', async (t) => {
  const verify = { publicKeys: keys.publicPem }
  for (const returned of [
    () => [Promise.reject(new Error('away'))],
    () => ({ text: Promise.reject(new Error('away')) })
  ]) {
    const source = { name: 'ours', load: (async () => returned()) as never, verify }
    await t.rejects(loadGuard({ dataCenters: 'DC-01', source }), { message: /instead of the text of a signed list/ })
    await new Promise((resolve) => setImmediate(resolve))
  }
})

t.test('a signed list without verify is refused with the option that reads it', async (t) => {
  const text = await signed(sound())
  const server = await serveText(t, text)
  const load = (async () => text) as unknown as () => Promise<Snapshot>
  for (const source of [{ url: server.url }, load]) {
    await t.rejects(loadGuard({ dataCenters: 'DC-01', source }), { message: /verify: \{ publicKeys \}/ })
  }
})
