import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { bounded, literal, messageOf, quoted, shown, withoutSecrets } from '../../src/lib/text.js'
import { runs } from '../support/properties.js'

t.test('a quoted text shows what cannot be seen, and is cut', async (t) => {
  const table: [text: string, expected: string][] = [
    ['DC-01', '"DC-01"'],
    ['', '""'],
    ['a\u00a0b\0', '"a\\u{a0}b\\u{0}"'],
    ['\uff11', '"\\u{ff11}"'],
    ['\u009b\u202e', '"\\u{9b}\\u{202e}"'],
    ['x'.repeat(61), `"${'x'.repeat(60)}…"`]
  ]
  for (const [text, expected] of table) t.equal(quoted(text), expected)
})

t.test('any value is shown in a few words', async (t) => {
  class Config {
    secret = 'sesame'
  }
  const table: [value: unknown, expected: string][] = [
    ['tags', `'tags'`],
    [5, '5'],
    [10n, '10n'],
    [Number.NaN, 'NaN'],
    [true, 'true'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('x'), 'Symbol(x)'],
    [() => 'sesame', 'a function'],
    [Config, 'a function'],
    [[], '[]'],
    [['a', 1, null, ['b'], { c: 1 }], `['a', 1, null, […], {…}]`],
    [Array(20).fill('a'), `[${"'a', ".repeat(10)}…]`],
    [{}, '{}'],
    [{ key: 'sesame' }, '{ key }'],
    [Object.fromEntries([...'abcdefghijkl'].map((name) => [name, 1])), '{ a, b, c, d, e, f, g, h, i, j, … }'],
    [Object.create(null), '{}'],
    [new Config(), 'an object of the class Config'],
    [Object.create({ x: 1 }), '{}'],
    [Object.create(Object.create(null)), '{}'],
    [{ constructor: Config }, '{ constructor }'],
    [new (class {})(), '{}'],
    [console, 'console'],
    [new IncomingMessage(new Socket()), 'an object of the class IncomingMessage']
  ]
  for (const [value, expected] of table) t.equal(shown(value), expected)
})

t.test('secrets of a URL are not shown', async (t) => {
  const table: [text: string, expected: string][] = [
    ['https://me:sesame@lists.example/a?b', 'https://…@lists.example/a?…'],
    ['https://lists.example/a#sesame', 'https://lists.example/a#…'],
    ['see http://a.example/?x=1 and http://b.example/', 'see http://a.example/?… and http://b.example/'],
    ['what?', 'what?'],
    [`https://me:${'x'.repeat(500)}@lists.example/`, 'https://…@lists.example/'],
    ['//user:hunter2@h/x', '//…@h/x'],
    ['https:///user:hunter2@h', 'https:///…@h'],
    ['//h/x?token=hunter2', '//h/x?…'],
    ['a/b?c', 'a/b?…'],
    ['DC-01?sesame', 'DC-01?…'],
    ['a?,b?sesame', 'a?,b?…'],
    ['?sesame', '?…'],
    ['DC-01?next=https://h/x?token=sesame', 'DC-01?…'],
    ['user:sesame@host', '…@host'],
    ['user:ses?me@host:80', '…@host:80'],
    ['me@example.com', 'me@example.com'],
    ['is it "DC-0?", or user:sesame@h?', 'is it "DC-0?", or …@h?'],
    ['a -----BEGIN EC PRIVATE KEY-----\\nsesame\\n-----END EC PRIVATE KEY----- b', 'a … b'],
    ['-----BEGIN PRIVATE KEY-----\nsesame', '…'],
    ['open "MC4CAQAwBQYDK2VwBCIEIsesame"', 'open "…"'],
    [`open "${Buffer.from('-----BEGIN PRIVATE KEY-----').toString('base64')}"`, 'open "…"']
  ]
  for (const [text, expected] of table) {
    t.equal(withoutSecrets(text), expected)
    t.equal(shown(text), `'${expected}'`)
    t.strictSame(bounded([text]), [expected])
  }
})

t.test('an error carries a value that is small and without secrets', async (t) => {
  const table: [value: unknown, expected: unknown][] = [
    ['10.0/8', '10.0/8'],
    [5, 5],
    [undefined, undefined],
    [null, null],
    [
      ['a', 5, ['b'], { key: 'sesame' }],
      ['a', 5, `['b']`, '{ key }']
    ],
    [{ key: 'sesame' }, '{ key }'],
    [console, 'console']
  ]
  for (const [value, expected] of table) t.strictSame(bounded(value), expected)
})

t.test('no value is shown at length, nor with the values of its properties', async (t) => {
  const secret = 'c2VjcmV0'
  const values = fc.anything({ maxDepth: 3, withBigInt: true, withNullPrototype: true })
  fc.assert(
    fc.property(values, (value) => {
      const hidden = { value, headers: { authorization: secret }, list: [{ secret }] }
      t.ok(shown(value).length < 1000 && shown(hidden).length < 1000)
      t.notMatch(shown(hidden) + inspect(bounded(hidden)) + inspect(bounded([hidden])), secret)
    }),
    runs(300)
  )
})

t.test('a literal is JavaScript for the value, or undefined', async (t) => {
  const plain = fc.oneof(fc.string({ maxLength: 80 }), fc.boolean(), fc.integer(), fc.double())
  fc.assert(
    fc.property(fc.oneof(plain, fc.array(plain, { maxLength: 15 })), (value) => {
      const code = literal(value)
      if (code !== undefined)
        t.ok(new Function(`return ${code}`)() === value || Number.isNaN(value) || Array.isArray(value), code)
      if (code !== undefined && Array.isArray(value)) t.strictSame(new Function(`return ${code}`)(), value)
    }),
    runs(500)
  )
  t.equal(literal(['10.0.0.0/8', 5, true]), `['10.0.0.0/8', 5, true]`)
  for (const value of [
    {},
    null,
    undefined,
    () => 1,
    `it's`,
    'a\\',
    'é',
    'x'.repeat(61),
    'a?sesame',
    Array(11).fill(1),
    [{}]
  ]) {
    t.equal(literal(value), undefined, inspect(value))
  }
})

t.test('the message of an error has that of its cause', async (t) => {
  const refused = Object.assign(new Error(''), { code: 'ECONNREFUSED' })
  t.equal(messageOf(new Error('a')), 'a')
  t.equal(messageOf(new Error('fetch failed', { cause: new Error('no route') })), 'fetch failed: no route')
  t.equal(messageOf(new Error('fetch failed', { cause: refused })), 'fetch failed: ECONNREFUSED')
  t.equal(messageOf(new Error('a', { cause: 'b' })), 'a')
  t.equal(messageOf(Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' })), 'ECONNREFUSED')
  t.equal(messageOf(new AggregateError([])), 'AggregateError')
  for (const thrown of [null, undefined, '', 0, {}, () => 1]) t.equal(messageOf(thrown), messageOf(undefined))
})
