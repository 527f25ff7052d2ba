import fc from 'fast-check'
import t from 'tap'
import { parseAddress } from '../../src/core.js'
import { ParsedAddress, textOfKey } from '../../src/ip/address.js'
import { fixture } from '../support/fixtures.js'
import { formatOracle, readOracle, spelledAddresses } from '../support/oracle.js'
import { runs, scaled } from '../support/properties.js'

const canonical = (text: string) => parseAddress(text)?.toString()

t.test('every conformance vector of an address is read as it should be', async (t) => {
  const vectors: { in: string; valid: boolean; canonical: string | null; why: string }[] = fixture('ip-strings.json')
  t.equal(vectors.length, 1582)
  const failures = vectors.flatMap(({ in: text, canonical: expected, why }) => {
    const found = canonical(text) ?? null
    return found === expected ? [] : [{ text, expected, found, why }]
  })
  t.strictSame(failures, [])
})

t.test('an address has one canonical text and knows its family and words', async (t) => {
  const rows: [text: string, canonical: string, family: 4 | 6, words: number[]][] = [
    ['0.0.0.0', '0.0.0.0', 4, [0]],
    ['255.255.255.255', '255.255.255.255', 4, [0xffffffff]],
    ['128.0.0.1', '128.0.0.1', 4, [0x80000001]],
    ['::', '::', 6, [0, 0, 0, 0]],
    ['1::', '1::', 6, [0x10000, 0, 0, 0]],
    ['::1', '::1', 6, [0, 0, 0, 1]],
    ['FE80:0000::00A', 'fe80::a', 6, [0xfe800000, 0, 0, 10]],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3', 6, [0x10000, 2, 0, 3]],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4', 6, [0x10000, 2, 0x30000, 4]],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7', 6, [0x10000, 0x20003, 0x40005, 0x60007]],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0', 6, [0x10002, 0x30004, 0x50006, 0x70000]],
    ['::ffff:1.2.3.4', '1.2.3.4', 4, [0x01020304]],
    ['::FfFf:1.2.3.4', '1.2.3.4', 4, [0x01020304]],
    ['::ffff:102:304', '1.2.3.4', 4, [0x01020304]],
    ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4', 4, [0x01020304]],
    ['0000:0000:0000:0000:0000:FFFF:255.255.255.255', '255.255.255.255', 4, [0xffffffff]],
    ['::ffff:0:0', '0.0.0.0', 4, [0]],
    ['::1.2.3.4', '::102:304', 6, [0, 0, 0, 0x01020304]],
    ['::fffe:1.2.3.4', '::fffe:102:304', 6, [0, 0, 0xfffe, 0x01020304]],
    ['::1:ffff:1.2.3.4', '::1:ffff:102:304', 6, [0, 0, 0x1ffff, 0x01020304]],
    ['::ffff:0:1.2.3.4', '::ffff:0:102:304', 6, [0, 0, 0xffff0000, 0x01020304]],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304', 6, [0x64ff9b, 0, 0, 0x01020304]],
    ['2002:102:304::', '2002:102:304::', 6, [0x20020102, 0x03040000, 0, 0]]
  ]
  for (const [text, expected, family, words] of rows) {
    const address = parseAddress(text)!
    t.strictSame([address.toString(), address.family, [...address.words]], [expected, family, words], text)
  }
})

t.test('a text that is not exactly one address is none', async (t) => {
  const groups = (count: number, group = '1') => Array(count).fill(group).join(':')
  const texts = [
    ...['', ' ', '.', ':', '...', ':::', '::::', '1', '1.2.3', '1.2.3.4.5', '1.2.3.4.', '.1.2.3.4', '1..2.3', '1.2.3.'],
    ...[
      '256.1.1.1',
      '1.1.1.256',
      '1.1.1.1000',
      '01.1.1.1',
      '1.1.1.00',
      '0x1.1.1.1',
      '1.1.1.1e0',
      '+1.1.1.1',
      '1.1.1.-1'
    ],
    ...[
      ' 1.2.3.4',
      '1.2.3.4 ',
      '1.2.3.4\n',
      '1.2.3.4\0',
      '\0',
      '1.2.3.4\u00001',
      '1\0.2.3.4',
      '1.2.3.4/32',
      '1.2.3.4:80'
    ],
    ...[
      '1:2',
      ':1',
      '1:',
      '1::2::3',
      '1:::2',
      '::1:',
      ':1::',
      groups(7),
      groups(9),
      `${groups(8)}::`,
      `::${groups(8)}`,
      `::${groups(9)}`,
      `${groups(5)}::${groups(4)}`
    ],
    ...[`${groups(4)}::${groups(4)}`, '12345::', '::00001', '::g', '::G', '::-1', '::@', '::`', '::/', '::é', '::١'],
    ...['1.2.3.4::', '::1.2.3.4:1', '::1.2.3', '::1.2.3.4.5', '::1.2.3.256', '::01.2.3.4', `${groups(7)}:1.2.3.4`],
    ...[`1::${groups(6)}:1.2.3.4`, `::${groups(7)}:1.2.3.4`, `${groups(7)}::1.2.3.4`],
    ...[`${groups(8)}:1.2.3.4`, '::ffff:1.2.3.04', '::ffff:1.2.3', '::ffff:', '::ffff:1.2.3.4 ', '::ffff:256.1.1.1'],
    ...[
      '[::1]',
      '::1%eth0',
      '::1%',
      'fe80::1%25eth0',
      '::1/128',
      '::ffff.1.2.3.4',
      '::fffg:1.2.3.4',
      ':ffff:1.2.3.4',
      ':affff:1.2.3.4'
    ],
    ...[
      '\ud800',
      '1.2.3.4\ud800',
      '::\udfff',
      '１.２.３.４',
      '1。2。3。4',
      '１::',
      '::\u0080',
      '::\u0130',
      '::\u212a',
      '::1\u200b',
      '\ufeff::1'
    ],
    ...[
      'localhost',
      'constructor',
      '__proto__',
      'toString',
      'abcdef0',
      'abcdefabc',
      '4294967295',
      '0x7f000001',
      '017700000001'
    ]
  ]
  t.strictSame(
    texts.filter((text) => parseAddress(text) !== undefined),
    []
  )
})

t.test('a very long text is no address, whatever it begins or ends with', async (t) => {
  const long = 1e6
  const texts = ['1', '1.', '.', ':', '0', 'f', '::', '0:', ' ', '\0', '1.1.1.1', '::1', 'é'].map((part) =>
    part.repeat(long)
  )
  const padded = ['1.2.3.4', '::1', '::ffff:1.2.3.4'].flatMap((text) => [
    text + ' '.repeat(long),
    `${text}\0${'0'.repeat(long)}`,
    '0'.repeat(long) + text
  ])
  t.strictSame(
    [...texts, ...padded].filter((text) => parseAddress(text) !== undefined).map((text) => text.slice(0, 20)),
    []
  )
  t.equal(canonical('0000:0000:0000:0000:0000:0000:255.255.255.255'), '::ffff:ffff', 'the longest spelling is 45 long')
})

t.test('what is not a text is no address', async (t) => {
  const values = [
    undefined,
    null,
    0,
    5,
    10n,
    true,
    Symbol('::1'),
    {},
    [],
    ['1.2.3.4'],
    new String('1.2.3.4'),
    () => '::1'
  ]
  for (const value of values) t.equal(parseAddress(value as string), undefined, typeof value)
})

t.test('an address cannot be changed', async (t) => {
  for (const text of ['1.2.3.4', '2001:db8::1']) {
    const address = parseAddress(text)!
    t.throws(() => Object.assign(address, { family: 9 }), TypeError)
    t.throws(() => Object.assign(address.words, { 0: 9 }), TypeError)
    t.equal(parseAddress('9.9.9.9')?.toString(), '9.9.9.9')
    t.equal(address.toString(), text, 'reading another one leaves it as it is')
  }
})

t.test('a part of a text is read without looking at what is around it', async (t) => {
  const surroundings = [
    ['', ''],
    ['1', '1'],
    [':', ':'],
    ['::ffff:', '.1'],
    ['"[', ']:80"'],
    ['0', '0'],
    ['f', 'f'],
    ['.', '.']
  ] as const
  const failures: unknown[] = []
  const property = fc.property(
    spelledAddresses,
    fc.constantFrom(...surroundings),
    ([address, text], [before, after]) => {
      const parsed = new ParsedAddress()
      const family = parsed.parse(before + text + after, before.length, before.length + text.length)
      const found = family === 0 ? undefined : parsed.toString()
      if (found !== formatOracle(address)) failures.push({ before, text, after, found })
      return failures.length === 0
    }
  )
  fc.assert(property, runs(1000))
  for (const [text, end, expected] of [
    ['::ffff:1.2.3.4', 2, '::'],
    ['::ffff:1.2.3.4', 6, '::ffff'],
    ['::ffff:1.2.3.4', 7, undefined],
    ['::ffff:1.2.3.4', 13, undefined],
    ['1.2.3.44', 7, '1.2.3.4'],
    ['1::2', 3, '1::'],
    ['1::2', 2, undefined],
    ['::1', 1, undefined],
    ['::1', 0, undefined]
  ] as const) {
    const parsed = new ParsedAddress()
    const family = parsed.parse(text, 0, end)
    t.equal(family === 0 ? undefined : parsed.toAddress().toString(), expected, `${text} up to ${end}`)
  }
  t.strictSame(failures, [])
})

t.test('every spelling of an address is that address', async (t) => {
  fc.assert(
    fc.property(spelledAddresses, ([address, text]) => {
      const found = parseAddress(text)
      return found?.family === address.family && found.toString() === formatOracle(address)
    }),
    runs(3000)
  )
  t.pass()
})

t.test('any text is judged as the oracle does: changed addresses, and soup of their characters', async (t) => {
  const character = fc.constantFrom(...'0123456789abfABFgx:::...%/[] \t\n\0-+é１。\ud83d')
  const soup = fc.array(character, { maxLength: 20 }).map((characters) => characters.join(''))
  const edit = fc.tuple(fc.nat(45), fc.nat(1), fc.oneof(fc.constantFrom(...'0123456789abcdef:.'), character))
  const changed = fc.tuple(spelledAddresses, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([[, text], edits]) =>
    edits.reduce((result, [at, cut, added]) => {
      const place = at % (result.length + 1)
      return result.slice(0, place) + added + result.slice(place + cut)
    }, text)
  )
  const seen = { valid: 0, invalid: 0 }
  fc.assert(
    fc.property(fc.oneof(changed, changed, soup, fc.string({ unit: 'binary' })), (text) => {
      const expected = readOracle(text)
      seen[expected === undefined ? 'invalid' : 'valid']++
      return canonical(text) === (expected && formatOracle(expected))
    }),
    runs(6000)
  )
  t.ok(seen.valid > scaled(300) && seen.invalid > scaled(300), `both kinds were met: ${JSON.stringify(seen)}`)
})

t.test('reading the canonical text of an address gives the same address', async (t) => {
  fc.assert(
    fc.property(spelledAddresses, ([, text]) => {
      const address = parseAddress(text)!
      const again = parseAddress(address.toString())!
      return again.toString() === address.toString() && again.words.join() === address.words.join()
    }),
    runs(1000)
  )
  t.pass()
})

t.test('an address that was parsed has its canonical text and its key, however it was written before', async () => {
  const texts = fc.array(spelledAddresses, { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(texts, fc.constantFrom('', 'x, '), (texts, before) => {
      const parsed = new ParsedAddress()
      for (const [address, text] of texts) {
        // The one before is not to be seen in the next.
        parsed.parse(`${before}${text}`, before.length, before.length + text.length)
        const canonical = formatOracle(address)
        if (`${parsed}` !== canonical) throw new Error(`${text}: ${parsed} instead of ${canonical}`)
        if (textOfKey(parsed.key) !== canonical) throw new Error(`${text}: key ${textOfKey(parsed.key)}`)
        const again = new ParsedAddress()
        again.readKey(parsed.key)
        if (`${again}` !== canonical || again.key !== parsed.key) throw new Error(`${text}: ${again} by its key`)
      }
    }),
    runs(2000)
  )
})

t.test(
  'an address has nothing of the one that was parsed before it, and no zeros that its canonical text leaves out',
  async (t) => {
    const parsed = new ParsedAddress()
    const rows: [text: string, canonical: string][] = [
      ['2001:db8::1', '2001:db8::1'],
      // Its lower words and gap could be those of the one before.
      ['::ffff:1.2.3.4', '1.2.3.4'],
      ['::01', '::1'],
      ['::0a:0', '::a:0'],
      ['0db8::', 'db8::'],
      ['02:03:04:05:06:07:08:09', '2:3:4:5:6:7:8:9'],
      ['0:0::', '::'],
      ['::1.2.3.4', '::102:304']
    ]
    for (const [text, canonical] of rows) {
      parsed.parse(text, 0, text.length)
      t.equal(`${parsed}`, canonical, text)
      t.equal(textOfKey(parsed.key), canonical, `${text}: key`)
    }
  }
)

t.test('what is almost an IPv4-mapped address is not one, whatever stands before it', async (t) => {
  const parsed = new ParsedAddress()
  for (const group of ['efff', 'feff', 'ffef', 'fffe', '0fff', 'f0ff']) {
    for (const before of ['', 'ffff,', 'FFFF, ']) {
      const text = `${before}::${group}:1.2.3.4`
      t.equal(parsed.parse(text, before.length, text.length), 6, text)
    }
  }
})

t.test('only what a key can be is read as one', async (t) => {
  for (const text of [
    '',
    '\0',
    '\0short',
    '\0far too long',
    'nine-long',
    '2001:db8::1',
    'hmac:0123456789abcdef',
    'unix'
  ]) {
    t.equal(textOfKey(text), text)
  }
})
