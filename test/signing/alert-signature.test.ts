import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { verifyAlertSignature } from '../../src/core.js'
import { untilRejected } from '../support/failures.js'
import { runs } from '../support/properties.js'

const rejected = () => Promise.reject(new Error('own'))

/** MoEngage's scheme, with an example that was computed by hand: see the documents named in docs/unlisted-calls.md. */
const VECTOR = {
  keys: 'example-key',
  body: '{"alert_id":"1","alert_name":"Delivery Rate Breach"}',
  signature: '8806bf7598602afd8afa0061a1e2adf8a786dc907aa1037f491fc166f7820dbc'
}

t.test('a call is genuine when one of the keys signed exactly its bytes', async (t) => {
  const bytes = new TextEncoder().encode(VECTOR.body)
  const rows: [what: string, change: object, expected: boolean][] = [
    ['the documented vector', {}, true],
    ['the body as bytes', { body: bytes }, true],
    ['the body as a Buffer', { body: Buffer.from(bytes) }, true],
    ['a part of a larger buffer', { body: Buffer.concat([Buffer.from('x'), bytes]).subarray(1) }, true],
    ['an older key beside it', { keys: ['old-key', VECTOR.keys] }, true],
    ['a newer key beside it', { keys: [VECTOR.keys, 'new-key'] }, true],
    ['another key', { keys: 'other-key' }, false],
    ['another body', { body: `${VECTOR.body} ` }, false],
    ['a body with its keys in another order', { body: '{"alert_name":"Delivery Rate Breach","alert_id":"1"}' }, false],
    ['no signature', { signature: undefined }, false],
    ['a null signature', { signature: null }, false],
    ['an empty signature', { signature: '' }, false],
    ['upper case', { signature: VECTOR.signature.toUpperCase() }, false],
    ['a prefix', { signature: `sha256=${VECTOR.signature}` }, false],
    ['white space', { signature: ` ${VECTOR.signature}` }, false],
    ['a line break', { signature: `${VECTOR.signature}\n` }, false],
    ['too short', { signature: VECTOR.signature.slice(0, 62) }, false],
    ['too long', { signature: `${VECTOR.signature}00` }, false],
    ['a digit that is not hexadecimal', { signature: VECTOR.signature.replace('8', 'g') }, false],
    ['two headers', { signature: [VECTOR.signature, VECTOR.signature] }, false],
    ['the digest of the body alone', { signature: createHash('sha256').update(VECTOR.body).digest('hex') }, false]
  ]
  for (const [what, change, expected] of rows) {
    t.equal(verifyAlertSignature({ ...VECTOR, ...change }), expected, what)
  }
})

t.test('what cannot be verified by mistake is an error that shows no secret', async (t) => {
  const rows: [what: string, change: object, path: string, fix: RegExp][] = [
    ['a parsed body', { body: JSON.parse(VECTOR.body) }, 'body', /raw body/],
    ['no body', { body: undefined }, 'body', /raw body/],
    ['an array', { body: [1] }, 'body', /raw body/],
    ['an empty key', { keys: '' }, 'keys', /campaign report API key/],
    ['a blank key', { keys: [VECTOR.keys, '  '] }, 'keys', /campaign report API key/],
    ['a promise of a body', { body: rejected() }, 'body', /^Await it/],
    ['a promise of a key', { keys: rejected() }, 'keys', /^Await it/],
    ['a promise of a key in a list', { keys: [VECTOR.keys, rejected()], body: rejected() }, 'keys', /API key/],
    ['a promise of a signature', { signature: rejected() }, 'signature', /^Await it/],
    ['a promise of a signature in a list', { signature: [rejected()] }, 'signature', /^Await it/],
    ['no key', { keys: [] }, 'keys', /campaign report API key/],
    ['an unset variable', { keys: undefined }, 'keys', /campaign report API key/]
  ]
  for (const [what, change, path, fix] of rows) {
    t.throws(
      () => verifyAlertSignature({ ...VECTOR, ...change } as never),
      { code: 'MOE_ERR_OPTIONS', mistakes: [{ path, value: '…', fix }] },
      what
    )
  }
  t.throws(() => verifyAlertSignature(rejected() as never), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: '', fix: /^Await it/ }]
  })
  await untilRejected()
  for (const nothing of [undefined, null, 'secret', 5] as never[]) {
    t.throws(() => verifyAlertSignature(nothing), {
      code: 'MOE_ERR_OPTIONS',
      mistakes: [{ path: '', value: '…', fix: 'Pass { keys, signature, body }.' }]
    })
  }
})

t.test('whatever is signed is verified, and nothing else', async (t) => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }).filter((key) => key.trim() !== ''),
      fc.uint8Array(),
      fc.nat(),
      (key, body, flip) => {
        const signature = createHash('sha256')
          .update(Buffer.concat([Buffer.from(`${key}|`), body]))
          .digest('hex')
        const other = Buffer.from(signature, 'hex')
        other[flip % 32]! ^= 1 << (flip % 8)
        return (
          verifyAlertSignature({ keys: key, signature, body }) &&
          !verifyAlertSignature({ keys: key, signature: other.toString('hex'), body })
        )
      }
    ),
    runs(300)
  )
  t.pass()
})
