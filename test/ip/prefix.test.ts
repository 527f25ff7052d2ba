import fc from 'fast-check'
import t from 'tap'
import { createGuard, OptionsError, PrefixError, parsePrefix } from '../../src/core.js'
import { readPrefix } from '../../src/ip/prefix.js'
import { coverHalf } from '../../src/ip/special.js'
import { fixture } from '../support/fixtures.js'
import {
  addresses,
  formatOracle,
  networkOf,
  type Oracle,
  readOracle,
  spell,
  spelledAddresses,
  spellings
} from '../support/oracle.js'
import { runs, scaled } from '../support/properties.js'

/** The error that a text is refused with. */
function refused(text: unknown): PrefixError {
  try {
    const prefix = parsePrefix(text as string)
    throw new Error(`${JSON.stringify(text)} was accepted as ${prefix}`)
  } catch (error) {
    if (error instanceof PrefixError) return error
    throw error
  }
}

/** The one text that a fix says to write, where it says only one. */
const toWrite = (fix: string) => /^Write (\S+)\.$/.exec(fix)?.[1]

t.test('every conformance vector of a prefix is read as it should be', async (t) => {
  const vectors: {
    in: string
    valid: boolean
    hostBits: boolean
    canonical: string | null
    suggest: string | null
    why: string
  }[] = fixture('cidr-strings.json')
  t.equal(vectors.length, 159)
  const failures = vectors.flatMap((vector) => {
    const outcome = readPrefix(vector.in)
    const found = 'fix' in outcome ? null : outcome.toString()
    if (found !== vector.canonical) return [{ ...vector, found }]
    const fix = 'fix' in outcome ? outcome.fix : ''
    return vector.suggest === null || fix.includes(`Write ${vector.suggest} `) ? [] : [{ ...vector, found: fix }]
  })
  t.strictSame(failures, [])
  t.ok(vectors.filter(({ hostBits }) => hostBits).length > 30, 'those with host bits are among them')
})

t.test('a prefix has one canonical text, always with its length', async (t) => {
  const rows: [text: string, canonical: string][] = [
    ['3.6.251.95', '3.6.251.95/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['128.0.0.0/1', '128.0.0.0/1'],
    ['255.255.255.255/32', '255.255.255.255/32'],
    ['2001:DB8::', '2001:db8::/128'],
    ['2001:0db8:0000::/32', '2001:db8::/32'],
    ['::/0', '::/0'],
    ['8000::/1', '8000::/1'],
    ['::ffff:1.2.3.4', '1.2.3.4/32'],
    ['::ffff:1.2.3.4/128', '1.2.3.4/32'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::FFFF:a00:0/104', '10.0.0.0/8'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['::10.0.0.0/120', '::a00:0/120'],
    ['64:ff9b::/96', '64:ff9b::/96']
  ]
  for (const [text, canonical] of rows) {
    const prefix = parsePrefix(text)
    t.equal(prefix.toString(), canonical, text)
    t.equal(`${prefix.address}/${prefix.length}`, canonical, `${text} in parts`)
    t.throws(() => Object.assign(prefix, { length: 0 }), TypeError, `${text} cannot be changed`)
  }
})

t.test('a refused prefix is explained, and the fix says what to write', async (t) => {
  const rows: [text: string, message: RegExp, fix: RegExp | string][] = [
    // Bits behind the length.
    ['10.0.0.1/8', /host or the network/, 'Write 10.0.0.0/8 for the network, or 10.0.0.1 for the one address.'],
    [
      '2001:db8::1/32',
      /host or the network/,
      'Write 2001:db8::/32 for the network, or 2001:db8::1 for the one address.'
    ],
    ['::ffff:10.0.0.1/104', /host or the network/, /10\.0\.0\.0\/8 .* 10\.0\.0\.1 /],
    ['::ffff:10.0.0.0/8', /mapped.*IPv4 prefix length.*every IPv4/, /Write 10\.0\.0\.0\/8 .* 10\.0\.0\.0 /],
    ['::ffff:a00:1/8', /mapped.*IPv4 prefix length/, /Write 10\.0\.0\.0\/8 .* 10\.0\.0\.1 /],
    ['::ffff:10.0.0.0/33', /mapped prefix below \/96/, 'Write 10.0.0.0 for the one address, or an IPv4 prefix.'],
    ['::ffff:0:0/95', /mapped prefix below \/96.*every IPv4/, 'Write 0.0.0.0 for the one address, or an IPv4 prefix.'],
    [
      '::ffff:10.0.0.1/32',
      /mapped.*IPv4 prefix length/,
      'Write 10.0.0.1/32 for the network, or 10.0.0.1 for the one address.'
    ],
    // Masks.
    ['10.0.0.0  255.0.0.0', /netmask/, 'Write 10.0.0.0/8.'],
    ['10.0.0.0 255.0.0.0 10.0.0.9', /several entries/, /one entry a string/],
    ['a.b.c.d 255.0.0.0', /is not an IP address/, /Write it like/],
    ['10.0.0.0/255.0.0.0', /netmask/, 'Write 10.0.0.0/8.'],
    ['10.0.0.0 255.0.0.0', /netmask/, 'Write 10.0.0.0/8.'],
    ['10.0.0.0\t255.255.0.0', /netmask/, 'Write 10.0.0.0/16.'],
    ['10.0.0.5/255.0.0.0', /netmask/, 'Write 10.0.0.0/8 for the network, or 10.0.0.5 for the one address.'],
    ['10.0.0.5/255.255.255.255', /netmask/, 'Write 10.0.0.5/32.'],
    ['192.168.4.0/255.255.252.0', /netmask/, 'Write 192.168.4.0/22.'],
    ['10.0.0.0/0.255.255.255', /wildcard mask/, 'Write 10.0.0.0/8.'],
    ['192.168.4.0 0.0.3.255', /wildcard mask/, 'Write 192.168.4.0/22.'],
    ['192.168.4.1/0.0.3.255', /wildcard mask/, /192\.168\.4\.0\/22 .* 192\.168\.4\.1 /],
    ['10.0.0.0/0.0.0.0', /mask of zeros/, 'Write 10.0.0.0 for the one address.'],
    ['10.0.0.0/255.255.0.255', /netmask with holes/, /one prefix for each/],
    ['::ffff:10.0.0.0/255.0.0.0', /netmask/, /Write 10\.0\.0\.0\/8 /],
    ['10.0.0.0/::1', /netmask with holes/, /one prefix for each/],
    ['2001:db8::/255.0.0.0', /netmask with holes/, /one prefix for each/],
    // Lengths.
    ['10.0.0.0/', /no prefix length/, /10\.0\.0\.0 for one address/],
    ['10.0.0.0/33', /IPv6 prefix length on an IPv4.*0 to 32/, /10\.0\.0\.0\/32 or a shorter/],
    ['10.0.0.0/128', /IPv6 prefix length on an IPv4.*0 to 32/, /10\.0\.0\.0\/32 or a shorter/],
    ['10.0.0.0/129', /out of bounds.*IPv4.*0 to 32/, /10\.0\.0\.0\/32 or a shorter/],
    ['2001:db8::/129', /out of bounds.*IPv6.*0 to 128/, /2001:db8::\/128 or a shorter/],
    ['10.0.0.0/08', /leading zero/, 'Write 10.0.0.0/8.'],
    ['0.0.0.0/00', /leading zero/, 'Write 0.0.0.0/0.'],
    ['10.0.0.1/08', /leading zero/, /10\.0\.0\.0\/8 .* 10\.0\.0\.1 /],
    ['10.0.0.0/099', /leading zero/, 'Write a number from 0 to 32.'],
    ['::/0999', /leading zero/, 'Write a number from 0 to 128.'],
    ['10.0.0.0/008', /leading zero/, 'Write 10.0.0.0/8.'],
    ['10.0.0.0/100', /IPv6 prefix length on an IPv4/, /10\.0\.0\.0\/32 or a shorter/],
    ['10.0.0.0/08x', /not a number/, 'Write a number from 0 to 32.'],
    ['10.0.0.0/1:', /not a number/, 'Write a number from 0 to 32.'],
    ['10.0.0.0/+8', /not a number/, 'Write a number from 0 to 32.'],
    ['::/-1', /not a number/, 'Write a number from 0 to 128.'],
    ['10.0.0.0/8/8', /not a number/, /0 to 32/],
    ['10.0.0.0/ 8', /not a number/, /0 to 32/],
    ['/8', /no address/, /before the "\/"/],
    // Ranges.
    ['10.0.0.0-10.0.0.255', /is a range/, /prefixes that cover/],
    ['10.0.0.0 - 10.0.0.255', /is a range/, /prefixes that cover/],
    ['2001:db8::1-2001:db8::9', /is a range/, /prefixes that cover/],
    ['10.0.0.9-10.0.0.9', /is a range/, /prefixes that cover/],
    ['203.0.113.10-20', /range whose end "20" is not an address/, /prefixes that cover/],
    ['10.0.0.20-10.0.0.3', /backwards/, 'Write the prefixes that cover 10.0.0.3 to 10.0.0.20.'],
    ['2001:db8:1::-2001:db8::ffff:1', /backwards/, /2001:db8::ffff:1 to 2001:db8:1::/],
    ['203.0.113.1-2001:db8::1', /mixes IPv4 and IPv6/, /each family/],
    ['::ffff:10.0.0.1-10.0.0.3', /is a range; only/, /prefixes that cover/],
    ['203.0.113.0/25-203.0.113.128/25', /mixes a range with prefixes/, /one prefix an entry/],
    ['10.0.0.1-10.0.0.2-10.0.0.3', /not an IP address/, /203\.0\.113\.9/],
    ['office-network', /host name/, /addresses/],
    // Ports, brackets, zones.
    ['203.0.113.9:443', /port/, 'Write 203.0.113.9.'],
    ['203.0.113.9:', /port/, 'Write 203.0.113.9.'],
    ['1.2.3:80', /port/, 'Write the address alone.'],
    ['10.0.0.0:80/8', /port/, 'Write 10.0.0.0/8.'],
    ['[2001:db8::1]:443', /brackets or a port/, 'Write 2001:db8::1.'],
    ['[2001:db8::1]', /brackets or a port/, 'Write 2001:db8::1.'],
    ['[2001:db8::]/32', /"\[2001:db8::\]" in "\[2001:db8::\]\/32" has brackets/, 'Write 2001:db8::/32.'],
    ['[2001:db8::1]/32', /brackets/, /2001:db8::\/32 .* 2001:db8::1 /],
    ['[2001:db8::/32]', /"\[2001:db8::" in/, /Write it like/],
    ['[]', /brackets/, 'Write the address alone.'],
    ['fe80::1%eth0', /zone/, /without it/],
    ['fe80::%eth0/10', /zone/, /without it/],
    // Numbers in other notations.
    ['010.0.0.1', /leading zero.*as 8\.0\.0\.1, others as 10\.0\.0\.1/, 'Write 10.0.0.1 or 8.0.0.1.'],
    ['010.0.0.0/8', /leading zero/, 'Write 10.0.0.0/8 or 8.0.0.0/8.'],
    ['1.2.3.04', /leading zero\./, 'Write 1.2.3.4.'],
    ['1.2.3.09', /leading zero\./, 'Write 1.2.3.9.'],
    ['0300.1.1.1', /leading zero/, 'Write 192.1.1.1.'],
    ['0999.1.1.1', /leading zero/, 'Write four decimal numbers with dots, without leading zeros.'],
    ['010.0.0.1/8', /leading zero/, 'Write four decimal numbers with dots, without leading zeros.'],
    ['0x0a000001', /hexadecimal/, 'Write four decimal numbers with dots.'],
    ['0X7F.0.0.1', /hexadecimal/, /four decimal numbers/],
    ['127.0x0.0.1', /hexadecimal/, /four decimal numbers/],
    ['1', /hop count or an incomplete address/, /four decimal numbers/],
    ['2130706433', /hop count or an incomplete address/, /four decimal numbers/],
    ['0/0', /"0" in "0\/0" is a hop count/, /four decimal numbers/],
    // Too few and too many parts, or too large ones.
    ['203.0.113', /3 parts; an IPv4 address has four/, 'Write 203.0.113.0/24 if you mean the network.'],
    ['10.1', /2 parts/, 'Write 10.1.0.0/16 if you mean the network.'],
    ['10.0/8', /2 parts/, 'Write 10.0.0.0/8 if you mean the network.'],
    ['10.1/8', /2 parts/, 'Write four decimal numbers with dots.'],
    ['300.1', /2 parts/, 'Write four decimal numbers with dots.'],
    ['1.2.3.4.5', /5 parts/, 'Write four decimal numbers with dots.'],
    ['1..2.3', /empty part/, /four decimal numbers/],
    ['1.2.3.', /empty part/, /four decimal numbers/],
    ['256.0.0.1', /above 255/, /0 to 255/],
    ['1.2.3.999/24', /above 255/, /0 to 255/],
    ['2001:db8::1::/64', /two "::"/, /zeros of one/],
    // Wildcards and everyone.
    ['203.0.114.*', /wildcard/, 'Write 203.0.114.0/24.'],
    ['10.*.*.*', /wildcard/, 'Write 10.0.0.0/8.'],
    ['10.20.*', /wildcard/, 'Write 10.20.0.0/16.'],
    ['*.*.*.*', /wildcard/, 'Write the prefixes that cover it.'],
    ['10.*.0.*', /wildcard/, 'Write the prefixes that cover it.'],
    ['10.0.0.1*', /wildcard/, 'Write the prefixes that cover it.'],
    ['300.0.0.*', /wildcard/, 'Write the prefixes that cover it.'],
    ['*', /everyone/, /addresses or prefixes that you mean/],
    ['any', /everyone/, /addresses or prefixes/],
    ['ALL', /everyone/, /addresses or prefixes/],
    // Quotes and white space.
    ['"203.0.113.9"', /quotes/, 'Write 203.0.113.9.'],
    [`'10.0.0.0/8'`, /quotes/, 'Write 10.0.0.0/8.'],
    ['`10.0.0.0/8`', /quotes/, 'Write 10.0.0.0/8.'],
    ['“10.0.0.0/8”', /quotes/, 'Write 10.0.0.0/8.'],
    ['" 10.0.0.0/8"', /quotes/, 'Write 10.0.0.0/8.'],
    ['"10.0.0.1/8"', /quotes/, /10\.0\.0\.0\/8 .* 10\.0\.0\.1 /],
    ['"foo"', /quotes/, 'Remove the quotes.'],
    ['""', /quotes/, 'Remove the quotes.'],
    [' 10.0.0.0/8', /white space around/, 'Write 10.0.0.0/8.'],
    ['10.0.0.0/8\n', /white space around/, 'Write 10.0.0.0/8.'],
    ['10.0.0.1/8 ', /white space around/, /10\.0\.0\.0\/8 .* 10\.0\.0\.1 /],
    ['\ufeff10.0.0.1', /\\u\{feff\}10.*white space around/, 'Write 10.0.0.1.'],
    ['foo ', /white space around/, 'Remove the white space.'],
    ['', /empty string.*environment variable/, /set the variable/],
    [' \t\n', /nothing but white space.*environment variable/, /set the variable/],
    // Several in one string.
    ['10.0.0.0/8,192.168.0.0/16', /several entries/, /one entry a string/],
    ['10.0.0.0/8, 192.168.0.0/16', /several entries/, /one entry a string/],
    ['10.0.0.0/8;', /several entries/, /one entry a string/],
    ['10.0.0.0/8 192.168.0.0/16', /several entries/, /one entry a string/],
    ['10.0.0.1 10.0.0.2', /several entries/, /one entry a string/],
    ['10.0.0.1\n10.0.0.2\n10.0.0.3', /several entries/, /one entry a string/],
    // Names.
    ['office.example.com', /host name.*DNS/, 'Write its addresses.'],
    ['dead.beef', /host name/, 'Write its addresses.'],
    ['localhost', /host name/, 'Write 127.0.0.0/8 and ::1.'],
    ['Localhost', /host name/, /127\.0\.0\.0\/8/],
    ['constructor', /host name/, /addresses/],
    ['https://1.2.3.4', /not an IP address/, /203\.0\.113\.9/],
    // Characters that cannot be seen, or look like others.
    ['10.0.0.0/8\u200b', /"10\.0\.0\.0\/8\\u\{200b\}" holds a character that is not plain ASCII/, 'Type it anew.'],
    ['10.0.0.0/8\0', /\\u\{0\}" holds a character/, 'Type it anew.'],
    ['１０.0.0.0/8', /\\u\{ff11\}\\u\{ff10\}\.0/, 'Type it anew.'],
    ['10。0。0。0/8', /\\u\{3002\}/, 'Type it anew.'],
    ['10.0.0.0/8\ud83d\ude00', /\\u\{1f600\}/, 'Type it anew.'],
    ['10.0.0.0/8\ud83d', /\\u\{d83d\}/, 'Type it anew.'],
    // The rest.
    ['1:2:3', /not an IP address/, /203\.0\.113\.9, 10\.0\.0\.0\/8 or 2001:db8::\/32/],
    ['2001:db8::g', /not an IP address/, /203\.0\.113\.9/],
    ['...', /empty part/, /four decimal numbers/],
    ['---', /not an IP address/, /203\.0\.113\.9/],
    ['/', /no address/, /before the/],
    ['%', /zone/, /without/],
    // What looks like another mistake from one end only.
    ['all.example.com', /host name/, /Write its addresses/],
    ['db0x.example.com', /host name/, /Write its addresses/],
    ['[2001:db8::1]:80x', /is not an IP address/, /Write it like/],
    ['10.*.x', /is not an IP address/, /Write it like/],
    ['10.0.0.0.0/8', /5 parts/, 'Write four decimal numbers with dots.'],
    ['10.0.101.300', /above 255/, /0 to 255/],
    ['010.0.0.101', /some programs read it as 8\.0\.0\.101/, 'Write 10.0.0.101 or 8.0.0.101.'],
    ['019.0.0.1', /leading zero\. Write/, 'Write 19.0.0.1.']
  ]
  for (const [text, message, fix] of rows) {
    const error = refused(text)
    t.match(error.message, message, `${JSON.stringify(text)}: message`)
    if (typeof fix === 'string') t.equal(error.fix, fix, `${JSON.stringify(text)}: fix`)
    else t.match(error.fix, fix, `${JSON.stringify(text)}: fix`)
    t.equal(error.value, text)
  }
  const wrong = rows.map(([text]) => toWrite(refused(text).fix)).filter((text) => text !== undefined && !accepts(text))
  t.strictSame(wrong, [], 'what a fix says to write is accepted')
})

t.test('a value that is not a text is refused by its kind', async (t) => {
  const rows: [value: unknown, message: RegExp][] = [
    [null, /^null is not a text\./],
    [undefined, /^A value of type undefined is not a text\./],
    [[], /^An array is not a text\./],
    [['10.0.0.0/8'], /^An array is not a text\./],
    [{}, /^A value of type object is not a text\./],
    [{ toString: () => '10.0.0.0/8' }, /^A value of type object/],
    [new String('10.0.0.0/8'), /^A value of type object/],
    [5, /^A value of type number/],
    [Number.NaN, /^A value of type number/],
    [10n, /^A value of type bigint/],
    [true, /^A value of type boolean/],
    [Symbol('10.0.0.0/8'), /^A value of type symbol/],
    [() => '10.0.0.0/8', /^A value of type function/]
  ]
  for (const [value, message] of rows) {
    const error = refused(value)
    t.match(error, { message, fix: 'Write the address or prefix as a string.' })
    t.ok(Object.is(error.value, value))
  }
})

t.test('a promise of a prefix is refused with the advice to await it, and ends no process', async (t) => {
  t.match(refused(Promise.reject(new Error('away'))), { fix: 'Await it before you pass it.' })
  await new Promise((resolve) => setImmediate(resolve))
})

t.test('an error of a prefix carries its code, and names the section that explains it', async (t) => {
  const error = refused('10.0.0.1/8')
  t.ok(error instanceof TypeError)
  t.match(error, { code: 'MOE_ERR_PREFIX', path: '', value: '10.0.0.1/8', docs: 'docs/errors.md#moe_err_prefix' })
  t.match(error.message, error.fix)
})

t.test('every mistake in a list is told in one error, with its place', async (t) => {
  const allow = ['3.6.251.95', '10.0.0.1/8', '2001:db8::/129', null, ''] as string[]
  try {
    createGuard({ dataCenters: 'DC-01', allow })
    t.fail('the options were accepted')
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error
    t.strictSame(
      error.mistakes.map(({ path, value }) => [path, value]),
      [1, 2, 3, 4].map((i) => [`allow[${i}]`, allow[i]])
    )
  }
})

t.test('a very long text is refused with a short explanation', async (t) => {
  const sixty = 'a'.repeat(60)
  t.match(refused(sixty).message, `"${sixty}" is a host name`)
  t.match(refused(`${sixty}b`).message, `"${sixty}…" is a host name`)
  const long = 100_000
  const parts = [
    '1',
    '1.',
    '.',
    ':',
    '::',
    '[',
    ']:1',
    '{',
    '-',
    '/',
    '%',
    '"',
    ' ',
    'a',
    '0',
    '*',
    ',',
    '1-',
    'é',
    '\0'
  ]
  const texts = parts.flatMap((part) => {
    const filler = part.repeat(long)
    return [filler, `10.0.0.0/${filler}`, `[${filler}]/8`, `10.0.0.0-${filler}`, `${filler}/8`, `"${filler}"`]
  })
  const wordy = texts.filter((text) => `${refused(text)}`.length > 1000)
  t.strictSame(
    wordy.map((text) => text.slice(0, 20)),
    []
  )
})

t.test('an address with a length is the network, or refused for its host bits', async (t) => {
  const seen = { networks: 0, hosts: 0 }
  const written = fc
    .tuple(addresses, fc.nat(128), fc.boolean(), spellings)
    .map(([address, upTo, isNetwork, spelling]) => {
      const length = address.family === 4 ? upTo % 33 : upTo
      const network = { ...address, value: networkOf(address, length) }
      const host = isNetwork ? network : address
      return [host, network, length, spell(host, spelling)] as const
    })
    .filter(([host, network]) => isItself(host) && isItself(network))
  fc.assert(
    fc.property(written, ([host, network, length, text]) => {
      const isMapped = host.family === 4 && text.includes(':')
      const outcome = readPrefix(`${text}/${isMapped ? length + 96 : length}`)
      const canonical = `${formatOracle(network)}/${length}`
      if (host.value === network.value) {
        seen.networks++
        return !('fix' in outcome) && outcome.toString() === canonical && outcome.address.family === host.family
      }
      seen.hosts++
      const fix = `Write ${canonical} for the network, or ${formatOracle(host)} for the one address.`
      return 'fix' in outcome && outcome.fix === fix && accepts(canonical)
    }),
    runs(3000)
  )
  t.ok(seen.networks > scaled(500) && seen.hosts > scaled(500), JSON.stringify(seen))
})

t.test(
  'whatever the text, it is a prefix of its canonical form, or refused with words and a fix that works',
  async (t) => {
    const length = fc.oneof(
      fc.nat(140).map((length) => `/${length}`),
      fc.constantFrom('', '', '/', '/08', '/255.0.0.0', '/255.255.255.255', '/0.0.0.255', '/0.0.0.0', ' 255.255.255.0')
    )
    const plain = fc.tuple(spelledAddresses, length).map(([[, address], length]) => address + length)
    const wrappers: ((text: string) => string)[] = [
      (text) => text,
      (text) => `"${text}"`,
      (text) => `'${text}`,
      (text) => ` ${text}\n`,
      (text) => `\u00a0${text}`,
      (text) => `${text}:80`,
      (text) => `[${text}]`,
      (text) => text.replace(/^(.*?)(?=\/|$)/, '[$1]'),
      (text) => text.replace(/^(.*?)(?=\/|$)/, '[$1]:443'),
      (text) => text.replace(/(?=\/|$)/, ':443'),
      (text) => text.replace(/(?=\/|$)/, '%eth0'),
      (text) => text.replaceAll(/(?<![0-9])(?=[0-9]+\.)/g, '0'),
      (text) => text.replace('.0', ''),
      (text) => text.replace(/[0-9]+(?=\/|$)/, '*'),
      (text) => `${text}-${text}`,
      (text) => `${text}, ${text}`,
      (text) => `${text} ${text}`,
      (text) => `https://${text}/`,
      (text) => `${text}\0`,
      (text) => text.replace('1', '１')
    ]
    const wrapped = fc
      .tuple(plain, fc.array(fc.constantFrom(...wrappers), { minLength: 1, maxLength: 3 }))
      .map(([text, chosen]) => chosen.reduce((result, wrap) => wrap(result), text))
    const soup = fc
      .array(fc.constantFrom(...'0123456789abf::../[]" -%,*\0é\ud83d'), { maxLength: 20 })
      .map((characters) => characters.join(''))
    const text = fc.oneof(plain, wrapped, wrapped, soup, fc.string({ unit: 'binary' }))
    const seen = { accepted: 0, refused: 0, toWrite: 0 }
    fc.assert(
      fc.property(text, (text) => {
        const outcome = readPrefix(text)
        if (!('fix' in outcome)) {
          seen.accepted++
          const [address = ''] = text.split('/')
          return readOracle(address) !== undefined && readPrefix(outcome.toString()).toString() === outcome.toString()
        }
        seen.refused++
        const written = toWrite(outcome.fix)
        if (written !== undefined) seen.toWrite++
        return (
          outcome.message.length > 10 &&
          /^[\x20-\x7e…]*$/.test(outcome.message) &&
          (written === undefined || accepts(written))
        )
      }),
      runs(6000)
    )
    t.ok(seen.accepted > scaled(100) && seen.toWrite > scaled(60), JSON.stringify(seen))
  }
)

t.test('prefixes that cover half of what is public are told from those that do not', async (t) => {
  const rows: [prefixes: string[], covers: boolean][] = [
    [[], false],
    [['0.0.0.0/0'], true],
    [['0.0.0.0/1'], true],
    [['128.0.0.0/1'], true],
    [['0.0.0.0/2'], false],
    [['0.0.0.0/2', '128.0.0.0/2'], true],
    [['0.0.0.0/2', '0.0.0.0/2'], false],
    [['0.0.0.0/2', '0.0.0.0/3', '32.0.0.0/3'], false],
    [['0.0.0.0/2', '64.0.0.0/3', '96.0.0.0/3'], true],
    [['0.0.0.0/2', '2000::/5'], false],
    [['::ffff:0:0/96'], true],
    [['::/0'], true],
    [['::/1'], true],
    [['8000::/1'], true],
    [['::/2'], true],
    [['2000::/3'], true],
    [['2000::/4'], true],
    [['3000::/4'], true],
    [['2000::/5', '3000::/5'], true],
    [['2000::/5', '2000::/6'], false],
    [['4000::/2', 'c000::/2'], false],
    [['::/3', '4000::/3'], false],
    [['fc00::/7', '2001:db8::/32', '10.0.0.0/8'], false]
  ]
  for (const [prefixes, covers] of rows) t.equal(coverHalf(prefixes.map(parsePrefix)), covers, prefixes.join(' '))
})

t.test('a prefix is contained, overlapping or apart, as its bits say', async (t) => {
  const rows: [a: string, b: string, relation: 'same' | 'around' | 'inside' | 'apart'][] = [
    ['10.0.0.0/8', '10.0.0.0/8', 'same'],
    ['10.0.0.0/8', '10.255.255.255', 'around'],
    ['10.0.0.0/8', '11.0.0.0/8', 'apart'],
    ['10.0.0.1', '10.0.0.0/31', 'inside'],
    ['0.0.0.0/0', '255.255.255.255', 'around'],
    ['::/0', '1.2.3.4', 'apart'],
    ['::/0', '::1', 'around'],
    ['::ffff:0:0/96', '1.2.3.4', 'around'],
    ['2001:db8:0:1::/64', '2001:db8::/32', 'inside'],
    ['2001:db8:0:1::/64', '2001:db8:0:2::/64', 'apart'],
    ['2001:db8::/33', '2001:db8:8000::/33', 'apart'],
    ['::8000:0:0/128', '::8000:0:0/82', 'inside'],
    ['2001:db8::/32', '32.1.13.184/32', 'apart']
  ]
  for (const [textA, textB, relation] of rows) {
    const [a, b] = [parsePrefix(textA), parsePrefix(textB)]
    const message = `${textA} and ${textB}`
    t.equal(a.contains(b), relation === 'same' || relation === 'around', message)
    t.equal(b.contains(a), relation === 'same' || relation === 'inside', message)
    t.equal(a.overlaps(b), relation !== 'apart', message)
    t.equal(b.overlaps(a), relation !== 'apart', message)
  }
})

t.test('a prefix knows its last address, and whether it is one address', async (t) => {
  const rows: [prefix: string, last: string, short: string, isSingle: boolean][] = [
    ['10.0.0.0/8', '10.255.255.255', '10.0.0.0/8', false],
    ['10.0.0.1', '10.0.0.1', '10.0.0.1', true],
    ['0.0.0.0/0', '255.255.255.255', '0.0.0.0/0', false],
    ['2001:db8::/33', '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff', '2001:db8::/33', false],
    ['::1', '::1', '::1', true],
    ['::ffff:10.0.0.0/104', '10.255.255.255', '10.0.0.0/8', false]
  ]
  for (const [text, last, short, isSingle] of rows) {
    const prefix = parsePrefix(text)
    t.strictSame([`${prefix.lastAddress}`, prefix.toShortString(), prefix.isSingle], [last, short, isSingle], text)
  }
})

function accepts(text: string): boolean {
  return !('fix' in readPrefix(text))
}

/** An IPv6 network that is IPv4-mapped is read as IPv4; such ones have rows of their own. */
function isItself({ family, value }: Oracle): boolean {
  return family === 4 || value >> 32n !== 0xffffn
}
