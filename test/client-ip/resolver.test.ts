import { readFileSync } from 'node:fs'
import t from 'tap'
import { type ClientIpOptions, createClientIpResolver, type HeadersInput, parsePrefix } from '../../src/core.js'

interface Vector {
  name: string
  peer: string
  trusted: string[]
  header: string
  values: string[]
  expect: string | null
  accept?: (string | null)[]
}

const vectors: Vector[] = JSON.parse(readFileSync('test/fixtures/forwarded.json', 'utf8'))

/** The ways in which Node hands over the same header lines. */
function spellings({ header, values }: Vector): HeadersInput[] {
  const raw = values.flatMap((value) => [header.toUpperCase(), value, 'X-Other', '6.6.6.6'])
  const joined = values.length === 0 ? {} : { [header]: values.join(', ') }
  const list = values.length === 0 ? {} : { [header]: values }
  return [raw, joined, list as HeadersInput]
}

t.test('every vector of forwarded headers resolves as the rules have it', async (t) => {
  const failed = vectors.flatMap((vector) => {
    const resolve = createClientIpResolver({ trustedProxies: vector.trusted, header: vector.header })
    return spellings(vector).flatMap((headers) => {
      const { clientIp } = resolve(vector.peer, headers)
      const isSafe = clientIp === vector.expect || (vector.accept?.includes(clientIp) ?? false)
      return isSafe ? [] : [{ name: vector.name, headers, clientIp, expected: vector.expect }]
    })
  })
  t.equal(vectors.length, 349)
  t.strictSame(failed, [])
})

const trusting = (options: Partial<ClientIpOptions> = {}) =>
  createClientIpResolver({ trustedProxies: ['10.0.0.0/8', '2001:db8:ffff::/48'], ...options })

t.test('what cannot be resolved says why', async (t) => {
  const hops = (count: number) => Array(count).fill('10.0.0.2').join(',')
  const table: [
    what: string,
    peer: string | null | undefined,
    header: string,
    value: string | undefined,
    reason: string
  ][] = [
    ['no peer', undefined, 'x-forwarded-for', '3.6.251.95', 'no-peer'],
    ['a null peer', null, 'x-forwarded-for', '3.6.251.95', 'no-peer'],
    ['an empty peer', '', 'x-forwarded-for', '3.6.251.95', 'no-peer'],
    ['a unix peer that is not named', 'unix', 'x-forwarded-for', '3.6.251.95', 'no-peer'],
    ['a peer with a zone', 'fe80::1%eth0', 'x-forwarded-for', '3.6.251.95', 'invalid-peer'],
    ['a peer that is a word', 'localhost', 'x-forwarded-for', '3.6.251.95', 'invalid-peer'],
    ['an entry that is a word', '10.0.0.1', 'x-forwarded-for', 'localhost', 'invalid-entry'],
    ['an empty header', '10.0.0.1', 'x-forwarded-for', '', 'invalid-entry'],
    ['an empty entry behind a comma', '10.0.0.1', 'x-forwarded-for', '3.6.251.95, ', 'invalid-entry'],
    ['an empty entry between hops', '10.0.0.1', 'x-forwarded-for', '3.6.251.95,,10.0.0.2', 'invalid-entry'],
    ['endless white space', '10.0.0.1', 'x-forwarded-for', `3.6.251.95${' '.repeat(16_000)}`, 'invalid-entry'],
    ['white space beyond any accident', '10.0.0.1', 'x-forwarded-for', `3.6.251.95${' '.repeat(65)}`, 'invalid-entry'],
    ['an endless entry', '10.0.0.1', 'x-forwarded-for', '1'.repeat(16_000), 'invalid-entry'],
    [
      'an entry whose end looks like one',
      '10.0.0.1',
      'x-forwarded-for',
      `${'x'.repeat(200)} 3.6.251.95`,
      'invalid-entry'
    ],
    ['blanks that cut an entry off', '10.0.0.1', 'x-forwarded-for', `x${' '.repeat(200)}3.6.251.95`, 'invalid-entry'],
    ['an empty entry in front', '10.0.0.1', 'x-forwarded-for', ',10.0.0.2', 'invalid-entry'],
    ['a port of six digits', '10.0.0.1', 'x-forwarded-for', '3.6.251.95:000080', 'invalid-entry'],
    [
      'a mapped address without its last colon',
      '10.0.0.1',
      'x-forwarded-for',
      '1.1.1.1:4711,::ffff.3.6.251.95',
      'invalid-entry'
    ],
    ['a peer with a zone that is not its own', 'fd00:fe80::1%eth0', 'x-forwarded-for', '3.6.251.95', 'invalid-peer'],
    ['several addresses without end', '10.0.0.1', 'x-real-ip', '1.1.1.1,'.repeat(2000), 'invalid-entry'],
    ['a node beyond the bound', '10.0.0.1', 'forwarded', `for="3.6.251.95:_${'p'.repeat(117)}"`, 'invalid-entry'],
    ['an unknown client', '10.0.0.1', 'x-forwarded-for', '3.6.251.95, Unknown', 'hidden-client'],
    ['an obfuscated client', '10.0.0.1', 'x-forwarded-for', '3.6.251.95, _hidden', 'hidden-client'],
    ['an unknown node', '10.0.0.1', 'forwarded', 'for=3.6.251.95, for=unknown', 'hidden-client'],
    ['an obfuscated node with a port', '10.0.0.1', 'forwarded', 'for="_gazonk:80"', 'hidden-client'],
    ['an element without a node', '10.0.0.1', 'forwarded', 'for=3.6.251.95, proto=https', 'invalid-entry'],
    ['an empty Forwarded', '10.0.0.1', 'forwarded', '', 'invalid-entry'],
    ['33 trusted hops', '10.0.0.1', 'x-forwarded-for', hops(34), 'too-many-hops'],
    ['two addresses for one', '10.0.0.1', 'x-real-ip', '3.6.251.95, 3.6.251.95', 'several-addresses'],
    ['a single address that is none', '10.0.0.1', 'x-real-ip', 'unknown', 'invalid-entry'],
    ['a single address without end', '10.0.0.1', 'x-real-ip', '1'.repeat(16_000), 'invalid-entry'],
    ['a viewer address without a port', '10.0.0.1', 'cloudfront-viewer-address', '3.6.251.95', 'invalid-entry'],
    [
      'a viewer address with a wrong port',
      '10.0.0.1',
      'cloudfront-viewer-address',
      '3.6.251.95:65536',
      'invalid-entry'
    ],
    [
      'a bracketed viewer address without a port',
      '10.0.0.1',
      'cloudfront-viewer-address',
      '[2001:db8::1]',
      'invalid-entry'
    ],
    [
      'a bracketed viewer address with more behind it',
      '10.0.0.1',
      'cloudfront-viewer-address',
      '[2001:db8::1]1:443',
      'invalid-entry'
    ],
    ['two viewer addresses', '10.0.0.1', 'cloudfront-viewer-address', '3.6.251.95:1,3.6.251.95:1', 'several-addresses'],
    ['a viewer address without end', '10.0.0.1', 'cloudfront-viewer-address', '1'.repeat(16_000), 'invalid-entry']
  ]
  for (const [what, peer, header, value, reason] of table) {
    t.strictSame(trusting({ header })(peer, { [header]: value }), { clientIp: null, reason }, what)
  }
})

t.test('addresses come out in canonical text, whatever surrounds them', async (t) => {
  const table: [header: string, value: string, clientIp: string][] = [
    ['x-forwarded-for', '3.6.251.95', '3.6.251.95'],
    ['x-forwarded-for', '\t 3.6.251.95 \t', '3.6.251.95'],
    ['x-forwarded-for', '3.6.251.95:443', '3.6.251.95'],
    ['x-forwarded-for', '3.6.251.95:8', '3.6.251.95'],
    ['x-forwarded-for', '3.6.251.95:65535', '3.6.251.95'],
    ['forwarded', `for="3.6.251.95:_${'p'.repeat(116)}"`, '3.6.251.95'],
    ['cloudfront-viewer-address', '[2a00::1]:46532', '2a00::1'],
    ['x-forwarded-for', '[2A00:0:0::1]:443', '2a00::1'],
    ['x-forwarded-for', '[::ffff:306:fb5f]', '3.6.251.95'],
    ['x-forwarded-for', '::FFFF:3.6.251.95', '3.6.251.95'],
    ['x-forwarded-for', '0::ffff:3.6.251.95', '3.6.251.95'],
    ['x-forwarded-for', '203.0.113.4,::ffff:3.6.251.95', '3.6.251.95'],
    ['x-forwarded-for', '203.0.113.4.,::ffff:3.6.251.95', '3.6.251.95'],
    ['x-forwarded-for', `3.6.251.95, ${Array(32).fill('10.0.0.2').join(' , ')}`, '3.6.251.95'],
    ['forwarded', 'for="3.6.251\\.95:443"', '3.6.251.95'],
    ['forwarded', 'x.=1, for="3.6.251\\.95"', '3.6.251.95'],
    ['forwarded', 'for="[2a00::1]:_port"', '2a00::1'],
    ['forwarded', 'host="a\\"b,c;d\\\\";FOR=3.6.251.95;proto=https', '3.6.251.95'],
    ['forwarded', 'for=3.6.251.95;;', '3.6.251.95'],
    ['forwarded', ';for=3.6.251.95', '3.6.251.95'],
    ['forwarded', 'for=3.6.251.95, ;for=10.0.0.2', '3.6.251.95'],
    ['forwarded', 'host="a\tb";for=3.6.251.95', '3.6.251.95'],
    ['forwarded', `for=3.6.251.95${parameters(31)}`, '3.6.251.95'],
    ['forwarded', `for=3.6.251.95;x=${'y'.repeat(256)}`, '3.6.251.95'],
    ['forwarded', `for=3.6.251.95;${'y'.repeat(256)}=x`, '3.6.251.95'],
    ['forwarded', `for=3.6.251.95;x="${'y'.repeat(1022)}"`, '3.6.251.95'],
    ['cloudfront-viewer-address', '3.6.251.95:46532', '3.6.251.95'],
    ['cloudfront-viewer-address', ' 2A00::1:46532 ', '2a00::1'],
    ['cf-connecting-ip', '2A00::1', '2a00::1'],
    ['X-Real-IP', ' 3.6.251.95', '3.6.251.95']
  ]
  for (const [header, value, clientIp] of table) {
    t.strictSame(
      trusting({ header })('10.0.0.1', { [header.toLowerCase()]: value }),
      { clientIp },
      `${header}: ${value}`
    )
  }
})

t.test('what only looks like dotted decimal is not an address, wherever it stands', async (t) => {
  const resolve = trusting({})
  for (const entry of [
    ...['a.b.c.d', ':.:.:.:', '-.-.-.-', '/././.', '/./././', '+.+.+.+', '..........', '1.2.3.a', 'a.2.3.4', '1.a.3.4'],
    ...[
      '1.2.3.4.',
      '.1.2.3.4',
      '.2.3.4',
      '1.2.3',
      '1.2.3.4.5',
      '1..3.4',
      '1.2.3.4 5',
      '1 2 3 4',
      '1,2.3.4',
      '1.2.3.4;'
    ],
    ...[
      '256.2.3.4',
      '1.256.3.4',
      '1.2.3.256',
      '01.2.3.4',
      '1.02.3.4',
      '1.2.3.04',
      '001.2.3.4',
      '1.2.3.000',
      '1.2.3.1000'
    ]
  ]) {
    for (const value of [entry, `3.6.251.95, ${entry}`, `${entry}, 10.0.0.2`]) {
      t.match(resolve('10.0.0.1', { 'x-forwarded-for': value }), { clientIp: null, reason: 'invalid-entry' }, value)
    }
  }
})

/** As many different parameters, with the semicolon in front of each. */
const parameters = (count: number) => Array.from({ length: count }, (_, i) => `;p${i}=x`).join('')

t.test('malformed elements of Forwarded are never read as far as they seem to make sense', async (t) => {
  for (const value of [
    'for==3.6.251.95',
    '=3.6.251.95',
    'for="3.6.251.95"x',
    'for="3.6.251.95',
    '"3.6.251.95"',
    'for=3.6.251.95 proto=https',
    'for="3.6.251.95\\"',
    '"',
    'x="\u0001";for=3.6.251.95',
    'x="\u007f";for=3.6.251.95',
    'for="3.6.251.95;x=y"',
    'for="[3.6.251.95]"',
    'for="2a00::1"',
    'for="[2a00::1]x"',
    'for="[2a00::1"',
    'for="[2a00::1:80"',
    'for="3.6.251.95:_"',
    'for="3.6.251.95:_p!"',
    'for="é"',
    'fór=3.6.251.95',
    `for="${'1'.repeat(200)}"`,
    `for=3.6.251.95${';a=b'.repeat(40)}`,
    `for=3.6.251.95${';'.repeat(40)}`,
    `${'x'.repeat(300)}=y;for=3.6.251.95`,
    `x=${'y'.repeat(300)};for=3.6.251.95`,
    `x="${'y'.repeat(9000)}";for=3.6.251.95`,
    `for=3.6.251.95;x="${'\\\\'.repeat(9000)}"`,
    'host=;for=3.6.251.95',
    'for=3.6.251.95;host=',
    'for/3.6.251.95',
    'for:3.6.251.95',
    'for"3.6.251.95"',
    'for=3.6.251.95;=x',
    'for=3.6.251.95;="x"',
    'a:b=c;for=3.6.251.95',
    'for=3.6.251.95;[x]=c',
    'for=3.6.251.95;host="a\\"',
    'for=3.6.251.95;host="a\nb"',
    `for=3.6.251.95${parameters(32)}`,
    `for=3.6.251.95;x=${'y'.repeat(257)}`,
    `for=3.6.251.95;${'y'.repeat(257)}=x`,
    `for=3.6.251.95;x="${'y'.repeat(1023)}"`
  ]) {
    t.equal(trusting({ header: 'forwarded' })('10.0.0.1', { forwarded: value }).clientIp, null, value)
  }
})

t.test('only the one header is read, and only from a trusted peer', async (t) => {
  const everything = {
    'x-forwarded-for': '1.1.1.1',
    forwarded: 'for=2.2.2.2',
    'x-real-ip': '3.3.3.3',
    'cf-connecting-ip': '4.4.4.4'
  }
  for (const [header, clientIp] of Object.entries({ ...everything, forwarded: '2.2.2.2' })) {
    t.strictSame(trusting({ header })('10.0.0.1', everything), { clientIp }, header)
    t.strictSame(trusting({ header })('9.9.9.9', everything), { clientIp: '9.9.9.9' }, `${header} from a stranger`)
  }
  t.strictSame(trusting({ header: 'x-azure-socketip' })('10.0.0.1', everything), { clientIp: '10.0.0.1' })
})

t.test('a trusted peer without the header is the client, unless the header is required', async (t) => {
  for (const headers of [{}, [], ['Host', 'x'], ['X-Forwarded-For']]) {
    t.strictSame(trusting()('10.0.0.1', headers), { clientIp: '10.0.0.1' })
    t.strictSame(trusting({ requireHeader: true })('10.0.0.1', headers), { clientIp: null, reason: 'header-missing' })
    t.strictSame(
      trusting({ requireHeader: true })('9.9.9.9', headers),
      { clientIp: '9.9.9.9' },
      'a stranger needs none'
    )
  }
})

t.test('a unix peer is believed where it is named, and has no address of its own', async (t) => {
  const resolve = createClientIpResolver({ trustedProxies: ['unix', '10.0.0.0/8'] })
  t.strictSame(resolve('unix', { 'x-forwarded-for': '3.6.251.95, 10.0.0.1' }), { clientIp: '3.6.251.95' })
  t.strictSame(resolve('unix', {}), { clientIp: null, reason: 'no-peer' })
  t.strictSame(resolve(undefined, { 'x-forwarded-for': '3.6.251.95' }), { clientIp: null, reason: 'no-peer' })
})

t.test('a header named like something that objects inherit is only read when it was sent', async (t) => {
  for (const header of ['constructor', '__proto__', 'tostring']) {
    t.strictSame(trusting({ header })('10.0.0.1', {}), { clientIp: '10.0.0.1' }, header)
    t.strictSame(trusting({ header })('10.0.0.1', [header, '3.6.251.95']), { clientIp: '3.6.251.95' }, header)
  }
})

t.test('names stand for groups of proxies', async (t) => {
  const table: [name: string, peer: string, stranger: string][] = [
    ['loopback', '127.0.0.53', '126.0.0.1'],
    ['loopback', '::1', '::2'],
    ['linklocal', '169.254.1.1', '169.253.1.1'],
    ['linklocal', 'fe80::1', 'fec0::1'],
    ['uniquelocal', '10.1.1.1', '11.1.1.1'],
    ['UniqueLocal', '172.31.0.1', '172.32.0.1'],
    ['uniquelocal', '192.168.0.1', '192.169.0.1'],
    ['uniquelocal', 'fdff::1', 'fe00::1']
  ]
  for (const [name, peer, stranger] of table) {
    const resolve = createClientIpResolver({ trustedProxies: [name] })
    t.strictSame(resolve(peer, { 'x-forwarded-for': '3.6.251.95' }), { clientIp: '3.6.251.95' }, `${name} ${peer}`)
    t.strictSame(resolve(stranger, { 'x-forwarded-for': '3.6.251.95' }), { clientIp: stranger }, `${name} ${stranger}`)
  }
})

t.test('requests of different proxies and strangers do not disturb each other', async (t) => {
  const resolve = trusting()
  const headers = { 'x-forwarded-for': '3.6.251.95' }
  for (const _ of [1, 2]) {
    t.strictSame(resolve('10.0.0.1', headers), { clientIp: '3.6.251.95' })
    t.strictSame(resolve('9.9.9.9', headers), { clientIp: '9.9.9.9' })
    t.strictSame(resolve('10.0.0.1', headers), { clientIp: '3.6.251.95' })
    t.strictSame(resolve('10.0.0.2', {}), { clientIp: '10.0.0.2' })
    t.strictSame(resolve('2001:db8:ffff::1', {}), { clientIp: '2001:db8:ffff::1' })
  }
})

t.test('one request leaves nothing behind that changes the next', async (t) => {
  const listed = trusting({})
  t.strictSame(listed('10.0.0.1', { 'x-forwarded-for': '3.6.251.95,10.0.0.2' }), { clientIp: '3.6.251.95' })
  t.strictSame(listed('10.0.0.1', { 'x-forwarded-for': ',10.0.0.2,9.9.9.9' }), { clientIp: '9.9.9.9' })
  const forwarded = trusting({ header: 'forwarded' })
  t.match(forwarded('10.0.0.1', { forwarded: 'for="\\_x"' }), { reason: 'hidden-client' })
  t.match(forwarded('10.0.0.1', { forwarded: '"' }), { reason: 'invalid-entry' })
})

t.test('raw headers are read by their names, and a name without a value is none', async (t) => {
  const resolve = trusting({})
  // As long as the name of the header.
  t.strictSame(resolve('10.0.0.1', ['Accept-Language', '9.9.9.9', 'X-Forwarded-For', '3.6.251.95']), {
    clientIp: '3.6.251.95'
  })
  t.strictSame(resolve('10.0.0.1', ['X-Forwarded-For', '3.6.251.95', 'Accept-Language', '9.9.9.9']), {
    clientIp: '3.6.251.95'
  })
  t.strictSame(resolve('10.0.0.1', ['X-Forwarded-For', '3.6.251.95', 'X-Forwarded-For']), { clientIp: '3.6.251.95' })
})

t.test('the mistakes in its options are told all at once', async (t) => {
  const options = { trustedProxies: ['*', '10.0.0.1/8'], header: 'X Real IP', requireHeader: 1, trustProxies: [] }
  try {
    createClientIpResolver(options as never)
    t.fail('it must throw')
  } catch (error) {
    t.match(error, { code: 'MOE_ERR_OPTIONS', statusCode: 500 })
    const paths = (error as { mistakes: { path: string }[] }).mistakes.map(({ path }) => path)
    t.strictSame(paths, ['trustProxies', 'trustedProxies[0]', 'trustedProxies[1]', 'header', 'requireHeader'])
  }
})

t.test('presets stand for the published addresses of a provider', async (t) => {
  const table: [name: string, peer: string, stranger: string][] = [
    ['cloudflare', '173.245.48.9', '173.245.64.1'],
    ['cloudflare', '2606:4700::1', '2606:4701::1'],
    ['fastly', '151.101.0.1', '151.100.0.1'],
    ['google-cloud-load-balancing', '35.191.255.255', '35.192.0.0'],
    ['google-cloud-load-balancing', '130.211.3.255', '130.211.4.0']
  ]
  for (const [name, peer, stranger] of table) {
    const resolve = createClientIpResolver({ trustedProxies: [name], header: 'x-client' })
    t.strictSame(resolve(peer, { 'x-client': '3.6.251.95' }), { clientIp: '3.6.251.95' }, `${name} ${peer}`)
    t.strictSame(resolve(stranger, { 'x-client': '3.6.251.95' }), { clientIp: stranger }, `${name} ${stranger}`)
    const preset = JSON.parse(readFileSync(`src/client-ip/presets/${name}.json`, 'utf8'))
    t.match(preset, { name, source: /^https:\/\//, retrieved: /^\d{4}-\d\d-\d\d$/ })
    t.strictSame(
      preset.prefixes,
      [...new Set(preset.prefixes.map((text: string) => `${parsePrefix(text)}`))],
      'canonical'
    )
  }
})

t.test(
  'Forwarded is read as proxies write it, and a parameter that repeats or a node that is none is malformed',
  async (t) => {
    const rows: [value: string, clientIp: string | null][] = [
      ['for=52.6.248.125;host=example.com:8443;proto=https', '52.6.248.125'],
      ['for=52.6.248.125:4711', '52.6.248.125'],
      ['for=[::ffff:52.6.248.125];host=a', '52.6.248.125'],
      ['for=[2001:db8::1]:443', '2001:db8::1'],
      ['for=52.6.248.125;by=10.0.0.2', '52.6.248.125'],
      ['by=unknown;for=52.6.248.125', '52.6.248.125'],
      ['by="_proxy:_1";for=52.6.248.125', '52.6.248.125'],
      ['by="[::1]:80";for="52.6.248.125"', '52.6.248.125'],
      ['for=52.6.248.125;ext=1;other=2', '52.6.248.125'],
      ['for=52.6.248.125;by="[::1]:"', null],
      ['for=52.6.248.125;by=proxy', null],
      ['for=52.6.248.125;by=2001:db8::1', null],
      ['for=52.6.248.125;by=""', null],
      ['for=52.6.248.125;For=52.6.248.125', null],
      ['for=52.6.248.125;host=a;HOST=a', null],
      ['for=52.6.248.125;proto=http;proto=https', null],
      ['for=52.6.248.125;by=10.0.0.2;by=10.0.0.2', null],
      ['for=52.6.248.125;ext=1;Ext=2', null],
      ['for-x=52.6.248.125', null],
      ['fox=52.6.248.125', null],
      ['bx=1;for=52.6.248.125', '52.6.248.125'],
      ['hosts=1;prota=2;hosx=3;for=52.6.248.125', '52.6.248.125'],
      ['for52.6.248.125', null]
    ]
    for (const [value, clientIp] of rows) {
      t.equal(trusting({ header: 'forwarded' })('10.0.0.1', { forwarded: value }).clientIp, clientIp, value)
    }
  }
)

t.test('raw headers of a thousand lines are not read, since the line of the proxy may be missing', async (t) => {
  const raw = (lines: number) => [
    'X-Forwarded-For',
    '52.6.248.125',
    ...Array(lines - 1)
      .fill(['a', ''])
      .flat()
  ]
  t.strictSame(trusting()('10.0.0.1', raw(999)), { clientIp: '52.6.248.125' })
  t.strictSame(trusting()('10.0.0.1', raw(1000)), { clientIp: null, reason: 'too-many-headers' })
})

t.test('a resolver refuses what is neither a peer nor headers', async (t) => {
  const resolve = createClientIpResolver({ trustedProxies: ['10.0.0.1'] })
  const table: [peer: unknown, headers: unknown, message: RegExp][] = [
    [5, {}, /peer: 5 is not an address as a text/],
    ['10.0.0.1', undefined, /headers: undefined are not headers/],
    ['10.0.0.1', [['x-forwarded-for', '9.9.9.9']], /headers: .* are not headers/],
    ['10.0.0.1', { get: () => ['9.9.9.9'] }, /headers\.x-forwarded-for: An array is not a text\. Pass the lines/],
    ['10.0.0.1', { get: async () => Promise.reject(new Error('own')) }, /is not a text\. Await it before/],
    ['10.0.0.1', ['x-forwarded-for', 9], /headers\.x-forwarded-for: A value of type number is not a text/],
    ['10.0.0.1', ['x-forwarded-for', '9.9.9.9', 'x-forwarded-for', null], /null is not a text/]
  ]
  for (const [peer, headers, message] of table) t.throws(() => resolve(peer as never, headers as never), message)
  for (const headers of [new Map(), new Headers()]) {
    t.strictSame(resolve('10.0.0.1', headers as never), resolve('10.0.0.1', {}), 'a header that is not there')
  }
})
