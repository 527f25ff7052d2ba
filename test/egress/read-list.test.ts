import fc from 'fast-check'
import t from 'tap'
import { checkEgress, type EgressEntry, type EgressList } from '../../src/core.js'
import { readCsv } from '../../src/egress/csv.js'
import { runs } from '../support/properties.js'

const read = (list: EgressList) => checkEgress(list).entries.map(({ value, name, line }) => [value, name, line])
const mistakes = (list: unknown) =>
  checkEgress(list as EgressList).errors.map(({ path, message, fix }) => `${path}: ${message} ${fix}`)

t.test('the first line decides the format of a text', async (t) => {
  const table: [what: string, text: string, entries: unknown[]][] = [
    [
      'text',
      '9.9.9.9\n9.9.9.10 # b',
      [
        ['9.9.9.9', undefined, 1],
        ['9.9.9.10', 'b', 2]
      ]
    ],
    ['text whose names have commas', '# a, b\n9.9.9.9 # NAT a, b', [['9.9.9.9', 'NAT a, b', 2]]],
    ['a byte order mark', '\ufeff9.9.9.9', [['9.9.9.9', undefined, 1]]],
    [
      'the line ends of Windows',
      '9.9.9.9 # a\r\n\r\n9.9.9.10\r\n',
      [
        ['9.9.9.9', 'a', 1],
        ['9.9.9.10', undefined, 3]
      ]
    ],
    [
      'the line ends of old Macs',
      '9.9.9.9\r9.9.9.10\r',
      [
        ['9.9.9.9', undefined, 1],
        ['9.9.9.10', undefined, 2]
      ]
    ],
    ['a name with signs in it', '9.9.9.9 # NAT #1 - a', [['9.9.9.9', 'NAT #1 - a', 1]]],
    ['an empty name', '9.9.9.9 #\n', [['9.9.9.9', undefined, 1]]],
    [
      'CSV',
      'value,name\n9.9.9.9,NAT a\n9.9.9.10,',
      [
        ['9.9.9.9', 'NAT a', 2],
        ['9.9.9.10', undefined, 3]
      ]
    ],
    ['CSV of one column', '\n# ours\nvalue\n9.9.9.9\n', [['9.9.9.9', undefined, 4]]],
    ['CSV in another order', 'Comment,NAME,Value\nx,a,9.9.9.9\n', [['9.9.9.9', 'a', 2]]],
    ['CSV with quotes', '"value","name"\r\n"9.9.9.9","NAT ""a"", b"\r\n', [['9.9.9.9', 'NAT "a", b', 2]]],
    [
      'CSV with a comment that has line breaks',
      'value,comment\n9.9.9.9,"a\nb\r\nc"\n9.9.9.10,\n',
      [
        ['9.9.9.9', undefined, 2],
        ['9.9.9.10', undefined, 5]
      ]
    ],
    [
      'JSON of texts',
      '["9.9.9.9",\n "9.9.9.10"]',
      [
        ['9.9.9.9', undefined, 1],
        ['9.9.9.10', undefined, 2]
      ]
    ],
    [
      'JSON of objects',
      '\n[\n{ "value": "9.9.9.9", "name": "a" },\n{ "value": " 9.9.9.10 ", "comment": "b" }\n]',
      [
        ['9.9.9.9', 'a', 3],
        ['9.9.9.10', undefined, 4]
      ]
    ]
  ]
  for (const [what, text, entries] of table) t.strictSame(read(text), entries, what)
  const list: (string | EgressEntry)[] = ['9.9.9.9', { value: '9.9.9.10', name: 'b', comment: 'c' }]
  t.strictSame(
    read(list),
    [
      ['9.9.9.9', undefined, undefined],
      ['9.9.9.10', 'b', undefined]
    ],
    'an array'
  )
})

t.test('what is no list is an error that says where', async (t) => {
  const table: [what: string, list: unknown, expected: RegExp[]][] = [
    ['nothing', '', [/^: The list has no entry\. Write/]],
    ['white space', ' \n\t\n', [/no entry/]],
    ['comments only', '# a\n#b', [/no entry/]],
    ['a byte order mark only', '\ufeff', [/no entry/]],
    ['an empty array', [], [/no entry/]],
    ['empty JSON', '[]', [/no entry/]],
    ['a header only', 'value,name\n', [/no entry/]],
    ['mistakes in an array', ['10.0.0.1', '9.9.9.9', '10.0.0.2'], [/^\[0\]: /, /^\[2\]: /]],
    ['a number', 7, [/^: 7 is not a list/]],
    ['null', null, [/^: null is not a list/]],
    ['CSV without a header', '9.9.9.9,NAT a', [/^line 1: The first line is not the header.*"value,name,comment"/]],
    ['CSV without a value', '\nname,comment\na,b', [/^line 2: The first line is not the header/]],
    ['CSV with another column', 'value,port\n9.9.9.9,443', [/not the header/]],
    ['CSV with a column twice', 'value,value\n9.9.9.9,9.9.9.9', [/not the header/]],
    ['CSV of a spreadsheet with semicolons', 'value;name\n9.9.9.9;a', [/not the header/]],
    ['too few fields', 'value,name\n9.9.9.9\n9.9.9.10,b', [/^line 2: The line has 1 fields, and the header 2/]],
    ['too many fields', 'value\n9.9.9.9,NAT, a', [/^line 2: The line has 3 fields/]],
    ['an open quote', 'value,name\n9.9.9.9,"a\n9.9.9.10,b', [/^line 2: A quoted field has no end/]],
    ['text behind a quote', 'value,name\n"9.9.9.9" ,a', [/^line 2: Text stands behind a quoted field/]],
    ['a quote inside', 'value,name\n9.9.9.9,a"b', [/^line 2: A quote stands inside/]],
    ['a quote that opens the first line', '"value,name', [/^line 1: A quoted field has no end/]],
    ['broken JSON', '["9.9.9.9"\n "9.9.9.10"]', [/It is not JSON/]],
    ['JSON of a cloud', '{ "NatGateways": [] }', [/^: The JSON is an object with NatGateways, .*egress from/]],
    ['an empty object', '{}', [/object with nothing/]],
    ['a number in JSON', '[\n7]', [/^line 2: 7 is not an entry/]],
    ['null in JSON', '[null]', [/^line 1: null is not an entry/]],
    ['an object without a value', '[{ "ip": "9.9.9.9" }]', [/^line 1: \{ ip \} is not an entry/]],
    ['an unknown field', '[{ "value": "9.9.9.9", "port": 443 }]', [/^line 1: There is no field "port"/]],
    ['a value that is no text', '[{ "value": 9 }]', [/^line 1: 9 is not a text/]],
    ['a name that is no text', '[{ "value": "9.9.9.9", "name": 9 }]', [/^line 1: 9 is not a name/]],
    ['an empty name', [{ value: '9.9.9.9', name: ' ' }], [/^\[0\]: ' ' is not a name/]],
    ['a long name', [{ value: '9.9.9.9', name: 'a'.repeat(201) }], [/longer than 200/]],
    ['a name of two lines', [{ value: '9.9.9.9', name: 'a\nb' }], [/cannot be seen/]],
    ['a name that turns the line', [{ value: '9.9.9.9', name: 'a\u2028b' }], [/cannot be seen/]],
    ['a name that turns the reading', [{ value: '9.9.9.9', name: 'a\u202eb' }], [/cannot be seen/]],
    ['half of a character', [{ value: '9.9.9.9', name: '\ud800' }], [/cannot be seen/]],
    ['too many', Array(10_001).fill('9.9.9.9'), [/more than 10000 entries/]],
    ['too many lines', '9.9.9.9\n'.repeat(10_001), [/more than 10000 entries/]],
    ['too many records', `value\n${'9.9.9.9\n'.repeat(10_001)}`, [/more than 10000 entries/]],
    [
      'mistakes of several kinds',
      'value,name\n10.0.0.1,a\n9.9.9.9\n10.0.0.2,b',
      [/^line 2: /, /^line 3: The line has/, /^line 4: /]
    ]
  ]
  for (const [what, list, expected] of table) {
    const found = mistakes(list)
    t.equal(found.length, expected.length, `${what}: ${found}`)
    for (const [i, pattern] of expected.entries()) t.match(found[i], pattern, what)
  }
})

t.test('a long value is cut where it is shown', async (t) => {
  const { errors } = checkEgress(`9.9.9.9\n${'x'.repeat(1_000_000)}`)
  t.match(errors, [{ line: 2, value: /^x{200}…$/ }])
  t.ok(errors[0]!.message.length < 200)
})

t.test('a hostile text takes no longer than its length', async (t) => {
  // Each of these would take minutes where a pattern backtracks.
  const long = 1_000_000
  for (const text of [
    `9${' '.repeat(long)}9`,
    `${' '.repeat(long)}x`,
    '\n'.repeat(long),
    '#'.repeat(long),
    '"'.repeat(long),
    `["${'\\\\'.repeat(long)}"]`,
    `[${'['.repeat(1000)}`,
    `value\n${','.repeat(long)}`,
    `value\n"${'"'.repeat(long)}`,
    '-'.repeat(long)
  ]) {
    t.notOk(checkEgress(text).ok, text.slice(0, 10))
  }
})

t.test('any records can be read back from CSV', async () => {
  const field = fc
    .array(fc.constantFrom('a', ',', '"', '\n', '\r\n', '\r', ' ', '#', 'é'), { maxLength: 5 })
    .map((parts) => parts.join(''))
  const records = fc.array(fc.array(field, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(records, fc.constantFrom('\n', '\r\n', '\r'), (rows, end) => {
      const text = rows.map((row) => row.map((one) => `"${one.split('"').join('""')}"`).join(',')).join(end)
      const found = readCsv(text, 5)
      return (
        found.mistake === undefined &&
        JSON.stringify(found.records.map(({ fields }) => fields)) === JSON.stringify(rows)
      )
    }),
    runs(200)
  )
})

t.test('every element of JSON has its line, wherever the line breaks are', async () => {
  const gap = fc.constantFrom('', ' ', '\n', '\n\n', '\r\n')
  const element = fc.constantFrom(
    '"10.0.0.1"',
    '{ "value": "10.0.0.1" }',
    '{"name":"a, [\\"]}",\n"value":"10.0.0.1"}',
    '[\n1,\n[2]]',
    '7'
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(gap, element, gap), { minLength: 1, maxLength: 6 }), (elements) => {
      let text = '['
      const lines: number[] = []
      for (const [i, [before, json, after]] of elements.entries()) {
        text += `${i === 0 ? '' : ','}${before}`
        lines.push(text.split('\n').length)
        text += json + after
      }
      return JSON.stringify(checkEgress(`${text}]`).errors.map(({ line }) => line)) === JSON.stringify(lines)
    }),
    runs(500)
  )
})
