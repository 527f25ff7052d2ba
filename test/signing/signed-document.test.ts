import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { SignatureError } from '../../src/core.js'
import { parseStrictJson } from '../../src/lib/json.js'
import { generateKeys, readPrivateKey, readPublicKey } from '../../src/signing/keys.js'
import {
  loadJose,
  refuseReplay,
  type SignedDocument,
  signDocument,
  verifyDocument
} from '../../src/signing/signed-document.js'
import { runs } from '../support/properties.js'

const pair = generateKeys()
const privateKey = readPrivateKey(pair.privatePem)
const publicKey = readPublicKey(pair.publicLine)
const NOW = Date.parse('2026-11-25T00:00:00Z')
const DOCUMENT: SignedDocument = {
  kind: 'list',
  name: 'production',
  version: 7,
  expires: '2026-12-01T00:00:00Z',
  payload: { rows: [] }
}

const verifying = (text: unknown, publicKeys: readonly KeyObject[] = [publicKey], name: string | null = 'production') =>
  verifyDocument(text, { publicKeys, kind: 'list', name: name ?? undefined, now: NOW })

const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A JWS made by hand, without the library that is tested. */
function jws(header: unknown, payload: unknown, key: KeyObject = privateKey): string {
  const input = `${base64(header)}.${base64(payload)}`
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
}

const HEADER = { alg: 'EdDSA', typ: 'moengage-list+jws' }

t.test('a document that is signed is verified, with any of several keys', async (t) => {
  const text = await signDocument(DOCUMENT, privateKey)
  const other = generateKeys()
  t.match(await verifying(text), DOCUMENT)
  t.match(await verifying(`\n${text}\n`, [readPublicKey(other.publicPem), readPublicKey(pair.publicPem)]), DOCUMENT)
  t.match(await verifying(text, [publicKey], null), DOCUMENT, 'whatever its name is')
  t.match(await verifying(jws(HEADER, DOCUMENT)), DOCUMENT, 'also if another program signed it')
  const [header, payload, signature] = text.split('.') as [string, string, string]
  const input = Buffer.from(`${header}.${payload}`)
  t.ok(verify(null, input, createPublicKey(pair.publicPem), Buffer.from(signature, 'base64url')), 'as RFC 8037 says')
})

t.test('attacks are refused', async (t) => {
  const good = await signDocument(DOCUMENT, privateKey)
  const [header, payload, signature] = good.split('.') as [string, string, string]
  const stranger = readPrivateKey(generateKeys().privatePem)
  const hmac = (key: string | Buffer) => {
    const input = `${base64({ ...HEADER, alg: 'HS256' })}.${payload}`
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
  }
  const inside = (changed: object) => jws(HEADER, { ...DOCUMENT, ...changed })
  const embedded = { ...HEADER, jwk: createPublicKey(stranger).export({ format: 'jwk' }) }
  const attacks: [what: string, text: unknown, message: RegExp][] = [
    ['the key of a stranger', jws(HEADER, DOCUMENT, stranger), /by none of the public keys/],
    ['the key that the document brings along', jws(embedded, DOCUMENT, stranger), /header has "jwk"/],
    ['another key named', jws({ ...HEADER, kid: '../../key' }, DOCUMENT), /header has "kid"/],
    ['a payload that was altered', `${header}.${base64({ ...DOCUMENT, version: 8 })}.${signature}`, /altered/],
    ['a header that was altered', `${base64({ typ: HEADER.typ, alg: HEADER.alg })}.${payload}.${signature}`, /altered/],
    ['no signature', `${header}.${payload}.`, /not the form of a JWS/],
    ['alg none', `${base64({ alg: 'none', typ: HEADER.typ })}.${payload}.`, /not the form of a JWS/],
    ['alg none with a signature', `${base64({ ...HEADER, alg: 'none' })}.${payload}.${signature}`, /algorithm 'none'/],
    ['HS256 with the public key in PEM', hmac(pair.publicPem), /algorithm 'HS256'/],
    ['HS256 with the public key in one line', hmac(Buffer.from(pair.publicLine, 'base64url')), /algorithm 'HS256'/],
    ['no algorithm', jws({ typ: HEADER.typ }, DOCUMENT), /algorithm undefined/],
    ['an extension that is critical', jws({ ...HEADER, crit: ['exp'], exp: 1 }, DOCUMENT), /header has "crit"/],
    [
      'an extension that changes the payload',
      jws({ ...HEADER, b64: false, crit: ['b64'] }, DOCUMENT),
      /header has "b64"/
    ],
    [
      'an override as a list',
      await signDocument({ ...DOCUMENT, kind: 'override' }, privateKey),
      /type is 'moengage-override/
    ],
    ['an override in the type of a list', inside({ kind: 'override' }), /of the kind "override"/],
    ['another kind', inside({ kind: 'key' }), /kind is 'key'/],
    ['another name', inside({ name: 'staging' }), /name is "staging", not "production"/],
    ['no name', inside({ name: '' }), /name is ''/],
    ['a time that is over', inside({ expires: '2026-11-25T00:00:00Z' }), /has expired on 2026-11-25/],
    ['a time that is none', inside({ expires: '2026-13-45T00:00:00Z' }), /not a time/],
    ['a time in another form', inside({ expires: 'Dec 1 2999' }), /not a time/],
    ['a time as a number', inside({ expires: 4_000_000_000 }), /not a time/],
    ['no version', inside({ version: undefined }), /members/],
    ['a version that is no whole number', inside({ version: 7.5 }), /version is 7.5/],
    [
      'a version beyond all numbers',
      jws(HEADER, JSON.stringify(DOCUMENT).replace('7', '1e999')),
      /version is Infinity/
    ],
    ['a version of 0', inside({ version: 0 }), /version is 0/],
    ['another member', inside({ admin: true }), /members/],
    ['a member twice', jws(HEADER, JSON.stringify(DOCUMENT).replace('{', '{"version":9,')), /every name is unique/],
    [
      'a member twice, once escaped',
      jws(HEADER, JSON.stringify(DOCUMENT).replace('{', '{"\\u006eame":"x",')),
      /unique/
    ],
    [
      'a member twice in the header',
      jws('{"alg":"none","alg":"EdDSA","typ":"moengage-list+jws"}', DOCUMENT),
      /header is not JSON/
    ],
    ['a prototype', jws(HEADER, JSON.stringify(DOCUMENT).replace('{', '{"__proto__":{},')), /members/],
    ['text that is not JSON', jws(HEADER, 'rows'), /content is not JSON/],
    ['a list instead of an object', jws(HEADER, '[1]'), /members/],
    ['null', jws(HEADER, 'null'), /content is null/],
    ['a snapshot without a signature', JSON.stringify(DOCUMENT.payload), /not the form of a JWS/],
    ['a JWS in JSON', JSON.stringify({ payload, protected: header, signature }), /not the form of a JWS/],
    ['two parts', `${header}.${payload}`, /not the form of a JWS/],
    ['five parts, as of an encrypted one', `${good}.${payload}.${payload}`, /not the form of a JWS/],
    ['padding', `${header}.${payload}.${signature}==`, /not the form of a JWS/],
    ['spaces inside', `${header}. ${payload}.${signature}`, /not the form of a JWS/],
    ['loose bits', loosened(good), /not the form of a JWS/],
    ['a huge text', `${header}.${'A'.repeat(5_000_000)}.${signature}`, /longer than 4000000/],
    ['nothing', '', /not the form of a JWS/],
    ['no text', { rows: [] }, /not the text of a signed document/]
  ]
  for (const [what, text, message] of attacks) {
    const error = await verifying(text).then(
      () => undefined,
      (error) => error
    )
    t.ok(error instanceof SignatureError, what)
    t.match(error, { code: 'MOE_ERR_SIGNATURE', message, fix: /./ }, what)
    t.notMatch(`${error.message}${JSON.stringify(error)}`, /PRIVATE/, what)
  }
  t.match(await verifying(good), DOCUMENT, 'and the genuine one is not')
})

/** The last character of an Ed25519 signature has four bits that mean nothing: another spelling of the same bytes. */
function loosened(text: string): string {
  const last = text.at(-1)!
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1]!
}

t.test('a document is not replaced by an older one', async (t) => {
  const at = async (changed: Partial<SignedDocument>) =>
    verifying(await signDocument({ ...DOCUMENT, ...changed }, privateKey), [publicKey], null)
  const last = await at({})
  refuseReplay(last, undefined)
  refuseReplay(await at({}), last)
  refuseReplay(await at({ version: 8, payload: 1 }), last)
  for (const [changed, message] of [
    [{ version: 6 }, /version 6, older than 7/],
    [{ payload: 1 }, /version 7 again, with another content/],
    [{ expires: '2027-01-01T00:00:00Z' }, /another content/],
    [{ name: 'staging', version: 9 }, /name is "staging", not "production" as before/]
  ] as const) {
    const document = await at(changed)
    t.throws(() => refuseReplay(document, last), { code: 'MOE_ERR_SIGNATURE', message })
  }
})

t.test('what is not whole is not signed', async (t) => {
  for (const changed of [
    { name: ' ' },
    { version: 0 },
    { expires: 'soon' },
    { payload: undefined },
    { kind: 'x' as never }
  ]) {
    await t.rejects(signDocument({ ...DOCUMENT, ...changed }, privateKey), { code: 'MOE_ERR_SIGNATURE' })
  }
})

t.test('a text is verified if and only if its form and its signature are right', async () => {
  const good = await signDocument(DOCUMENT, privateKey)
  const key = createPublicKey(pair.publicPem)
  /** Verifies by hand what the signature covers; the rest of the rules is in the table above. */
  const isGenuine = (text: string) => {
    const found = /^([\w-]+)\.([\w-]+)\.([\w-]{86})$/.exec(text)
    if (found === null) return false
    const [, header, payload, signature] = found as unknown as [string, string, string, string]
    const bytes = Buffer.from(signature, 'base64url')
    return bytes.toString('base64url') === signature && verify(null, Buffer.from(`${header}.${payload}`), key, bytes)
  }
  const change = fc.record({
    at: fc.nat(good.length - 1),
    to: fc.constantFrom('', 'A', '-', '.', 'é', ' ', 'AA'),
    cut: fc.nat(2)
  })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 2 }), async (changes) => {
      const text = changes.reduce((text, { at, to, cut }) => text.slice(0, at) + to + text.slice(at + cut), good)
      const outcome = await verifying(text).then(
        () => true,
        () => false
      )
      // White space around the text does not belong to it.
      return outcome === isGenuine(text.trim())
    }),
    runs(500)
  )
})

t.test('JSON with two members of the same name is refused, and no other', async () => {
  const member = fc.tuple(fc.constantFrom('a', 'b', '\\u0061', '__proto__', 'a":"', ':'), fc.jsonValue({ maxDepth: 2 }))
  fc.assert(
    fc.property(fc.array(member, { maxLength: 4 }), fc.jsonValue(), (members, value) => {
      const names = members.map(
        ([name]) => JSON.parse(name.startsWith('\\') ? `"${name}"` : JSON.stringify(name)) as string
      )
      const text = members
        .map(
          ([name, value], i) =>
            `${name.startsWith('\\') ? `"${name}"` : JSON.stringify(names[i])} : ${JSON.stringify(value)}`
        )
        .join(', ')
      const whole = `[{${text}}, ${JSON.stringify(value)}]`
      let isRead = true
      try {
        parseStrictJson(whole)
      } catch {
        isRead = false
      }
      return isRead === (new Set(names).size === names.length)
    }),
    runs(2_000)
  )
})

t.test('keys are read in PEM or in one line, and never shown', async (t) => {
  t.ok(readPublicKey(` ${pair.publicPem}\n`).equals(readPublicKey(pair.publicLine)))
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const wrong: [text: string, message: RegExp][] = [
    [pair.privatePem, /It is a private key/],
    [rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string, /not an Ed25519 public key/],
    [pair.publicLine.slice(1), /not an Ed25519 public key/],
    ['x', /not an Ed25519 public key/]
  ]
  for (const [text, message] of wrong) {
    try {
      readPublicKey(text)
      t.fail(text)
    } catch (error) {
      t.match(error, { code: 'MOE_ERR_SIGNATURE', value: '…', message })
      t.notOk((error as Error).message.includes(text.split('\n')[1] ?? text.repeat(9)))
    }
  }
  t.throws(() => readPrivateKey(pair.publicPem), { code: 'MOE_ERR_SIGNATURE', message: /holds a public key/ })
  for (const text of [rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, '']) {
    t.throws(() => readPrivateKey(text), { code: 'MOE_ERR_SIGNATURE', message: /no Ed25519 private key/ })
  }
})

t.test('without the package jose, the error says what to install', async (t) => {
  const failing = (code: string) => loadJose(() => Promise.reject(Object.assign(new Error('gone'), { code })))
  await t.rejects(failing('ERR_MODULE_NOT_FOUND'), { code: 'MOE_ERR_SIGNATURE', fix: 'Install it: npm install jose.' })
  await t.rejects(failing('EMFILE'), { code: 'EMFILE' }, 'another error is not hidden')
})
