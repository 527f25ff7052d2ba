import fc from 'fast-check'
import t from 'tap'
import { OptionsError, type SecretRequest, secretHeader } from '../../src/core.js'
import { runs } from '../support/properties.js'

const SECRET = 'shared-secret-1'
const OLD = 'shared-secret-0'

/** The same header in every form in which `headers` come. */
const forms = (name: string, value: string): [form: string, request: SecretRequest][] => [
  ["Node's object", { headers: { host: 'a.example', [name.toLowerCase()]: value } }],
  ["an event's object", { headers: { Host: 'a.example', [name]: value } }],
  [
    'an event of a load balancer with multi-value headers',
    { multiValueHeaders: { Host: ['a.example'], [name]: [value] } }
  ],
  [
    'an event of a REST API',
    { headers: { Host: 'a.example', [name]: value }, multiValueHeaders: { Host: ['a.example'], [name]: [value] } }
  ],
  ['a raw list', { headers: ['Host', 'a.example', name, value] }],
  ['Headers', { headers: new Headers({ host: 'a.example', [name]: value }) }],
  ['a Fetch Request', new Request('http://a.example/', { headers: { [name]: value } })]
]

t.test('a secret is found in its header, in every form of headers', async (t) => {
  const table: [what: string, carries: (request: SecretRequest) => boolean, value: string, expected: boolean][] = [
    ['the secret', secretHeader('X-Moe-Token', SECRET), SECRET, true],
    ['another text of its length', secretHeader('X-Moe-Token', SECRET), OLD, false],
    ['the beginning', secretHeader('X-Moe-Token', SECRET), SECRET.slice(0, -1), false],
    ['more than the secret', secretHeader('X-Moe-Token', SECRET), `${SECRET}x`, false],
    ['in another case', secretHeader('X-Moe-Token', SECRET), SECRET.toUpperCase(), false],
    ['twice', secretHeader('X-Moe-Token', SECRET), `${SECRET},${SECRET}`, false],
    ['the new one of two', secretHeader('X-Moe-Token', [SECRET, OLD]), SECRET, true],
    ['the old one of two', secretHeader('X-Moe-Token', [SECRET, OLD]), OLD, true],
    ['none of two', secretHeader('X-Moe-Token', [SECRET, OLD]), 'shared-secret-2', false],
    ['a text that is longer than any secret', secretHeader('X-Moe-Token', SECRET), 'x'.repeat(8000), false],
    ['the longest secret', secretHeader('X-Moe-Token', 'x'.repeat(4096)), 'x'.repeat(4096), true],
    ['with a scheme of its own', secretHeader('X-Moe-Token', `Token ${SECRET}`), `Token ${SECRET}`, true]
  ]
  for (const [what, carries, value, expected] of table) {
    for (const [form, request] of forms('X-Moe-Token', value)) t.equal(carries(request), expected, `${what}: ${form}`)
    for (const [form, request] of forms('X-Other', value)) t.equal(carries(request), false, `elsewhere: ${form}`)
  }
})

t.test('an Authorization header is read by its scheme, in any case', async (t) => {
  const bearer = secretHeader('authorization', [SECRET, OLD], { scheme: 'bearer' })
  const basic = secretHeader('Authorization', ['moengage:pass:word', 'moengage:before'], { scheme: 'basic' })
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  const table: [carries: typeof bearer, value: string, expected: boolean][] = [
    [bearer, `Bearer ${SECRET}`, true],
    [bearer, `bearer  ${OLD}`, true],
    [bearer, `BEARER ${SECRET}`, true],
    [bearer, SECRET, false],
    [bearer, `Basic ${SECRET}`, false],
    [bearer, `Bearer${SECRET}`, false],
    [bearer, 'Bearer', false],
    [bearer, `Bearer ${' '.repeat(8000)}x`, false],
    [basic, `Basic ${encoded('moengage:pass:word')}`, true],
    [basic, `bAsIc ${encoded('moengage:before')}`, true],
    [basic, `Basic ${encoded('moengage:wrong!')}`, false],
    [basic, `Basic moengage:pass:word`, false],
    [basic, `Bearer ${encoded('moengage:pass:word')}`, false]
  ]
  for (const [carries, value, expected] of table) {
    for (const [form, request] of forms('Authorization', value))
      t.equal(carries(request), expected, `${value}: ${form}`)
  }
})

t.test('a request without headers carries nothing', async (t) => {
  const carries = secretHeader('x-moe-token', SECRET)
  for (const headers of [undefined, null, {}]) {
    t.equal(carries({ headers }), false)
    t.equal(carries({ headers, multiValueHeaders: headers }), false)
  }
})

t.test('of an event all lines of the header count, not only the last one', async (t) => {
  const carries = secretHeader('x-moe-token', SECRET)
  const headers = { 'X-Moe-Token': SECRET }
  t.equal(carries({ headers, multiValueHeaders: { 'X-Moe-Token': [OLD, SECRET] } }), false)
  t.equal(carries({ headers, multiValueHeaders: {} }), true)
})

t.test('a header that every object inherits is not one of the request', async (t) => {
  const carries = secretHeader('x-moe-token', SECRET)
  const prototype = Object.prototype as unknown as Record<string, unknown>
  prototype['x-moe-token'] = SECRET
  t.teardown(() => delete prototype['x-moe-token'])
  t.equal(carries({ headers: {} }), false)
})

t.test('exactly the requests whose header is one of the secrets carry one', async () => {
  const printable = fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
    minLength: 8,
    maxLength: 150
  })
  const secret = printable.filter((text) => text.trim() === text && text.length >= 8)
  // Secrets, what is near to one, and any text at all, also such as no header carries.
  const given = (secrets: string[]) =>
    fc.oneof(
      fc.constantFrom(...secrets),
      fc
        .tuple(fc.constantFrom(...secrets), fc.nat(), fc.string({ unit: 'binary', maxLength: 1 }))
        .map(([text, at, other]) => text.slice(0, at % text.length) + other + text.slice((at % text.length) + 1)),
      fc.tuple(fc.constantFrom(...secrets), fc.nat(20)).map(([text, length]) => text + '\0'.repeat(length)),
      fc
        .constantFrom(...secrets)
        .map((text) => [...text].map((c) => String.fromCharCode(c.charCodeAt(0) + 0x100)).join('')),
      fc.string({ unit: 'binary', maxLength: 200 })
    )
  const cases = fc
    .array(secret, { minLength: 1, maxLength: 3 })
    .chain((secrets) => fc.tuple(fc.constant(secrets), given(secrets)))
  fc.assert(
    fc.property(cases, ([secrets, text]) => {
      const isCarried = secretHeader('x-secret', secrets)({ headers: { 'x-secret': text } })
      return isCarried === secrets.includes(text)
    }),
    runs(2000)
  )
})

t.test('wrong arguments are one error with the fix, and no secret is shown', async (t) => {
  const short = 'hush-5'
  const table: [args: unknown[], path: string, fix: RegExp][] = [
    [['', SECRET], 'secretHeader name', /the name first, then the secret/],
    [['x moe', SECRET], 'secretHeader name', /the name first/],
    [[undefined, SECRET], 'secretHeader name', /the name first/],
    [[{ headers: { 'x-moe-token': SECRET } }], 'secretHeader name', /the name first/],
    [['x-moe-token'], 'secretHeader value', /set the variable/],
    [['x-moe-token', null], 'secretHeader value', /set the variable/],
    [['x-moe-token', ''], 'secretHeader value', /set the variable/],
    [['x-moe-token', '   '], 'secretHeader value', /set the variable/],
    [['x-moe-token', []], 'secretHeader value', /Write secretHeader/],
    [['x-moe-token', [SECRET, undefined]], 'secretHeader value[1]', /set the variable/],
    [[Promise.resolve('x-moe-token'), SECRET], 'secretHeader name', /Await it/],
    [['x-moe-token', SECRET, Promise.resolve({ scheme: 'basic' })], 'secretHeader options', /Await it/],
    [['x-moe-token', Promise.resolve(SECRET)], 'secretHeader value', /Await it/],
    [['x-moe-token', short], 'secretHeader value', /8 to 4096 characters/],
    [['x-moe-token', 'y'.repeat(4097)], 'secretHeader value', /8 to 4096 characters/],
    [['x-moe-token', `${SECRET}\n`], 'secretHeader value', /Remove it/],
    [['x-moe-token', ` ${SECRET}`], 'secretHeader value', /Remove it/],
    [['x-moe-token', `${SECRET}é`], 'secretHeader value', /another secret/],
    [['authorization', `Bearer ${SECRET}`, { scheme: 'bearer' }], 'secretHeader value', /Leave the scheme out/],
    [
      ['authorization', Buffer.from(`me:${SECRET}`).toString('base64'), { scheme: 'basic' }],
      'secretHeader value',
      /'user:password'/
    ],
    [['authorization', `moengage-${SECRET}:`, { scheme: 'basic' }], 'secretHeader value', /'user:password'/],
    [['authorization', SECRET, { scheme: 'Bearer' }], 'secretHeader options', /scheme: 'bearer'/],
    [['authorization', SECRET, { schema: 'bearer' }], 'secretHeader options', /scheme: 'bearer'/],
    [['x-moe-token', SECRET, OLD], 'secretHeader options', /one list/],
    [['x-moe-token', SECRET, null], 'secretHeader options', /one list/],
    [['x-moe-token', SECRET, [OLD]], 'secretHeader options', /one list/]
  ]
  for (const [args, path, fix] of table) {
    try {
      secretHeader(...(args as [string, string]))
      t.fail(`${args.slice(0, 1)} ${path}`)
    } catch (error) {
      t.ok(error instanceof OptionsError)
      const { mistakes, message, value } = error as OptionsError
      t.match(mistakes, [{ code: 'MOE_ERR_OPTION_VALUE', path, fix }], path)
      const shown = JSON.stringify([mistakes, message, value])
      for (const word of ['shared', short, 'yyyy', Buffer.from(SECRET).toString('base64')])
        t.notOk(shown.includes(word), path)
    }
  }
  t.throws(() => secretHeader('x-moe-token', ['', 'short']), /2 options are wrong/, 'all mistakes at once')
})

t.test('a header that is no text is refused without its value, which may be the secret', async (t) => {
  const carriesSecret = secretHeader('x-moe-token', SECRET)
  for (const headers of [
    { get: () => [SECRET] },
    ['x-moe-token', [SECRET]],
    { 'x-moe-token': { value: SECRET } },
    { 'x-moe-token': [[SECRET]] }
  ]) {
    const error: unknown = t.throws(() => carriesSecret({ headers } as never), { code: 'MOE_ERR_OPTIONS' })
    const { message, mistakes, value } = error as OptionsError
    t.match(mistakes, [{ path: 'headers.x-moe-token', message: /is not a text/ }])
    t.notOk(JSON.stringify([message, mistakes, value]).includes(SECRET))
  }
})
