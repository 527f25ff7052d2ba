import fc from 'fast-check'
import t from 'tap'
import {
  CHANNELS,
  ChannelError,
  DATA_CENTERS,
  DataCenterError,
  directory,
  parseChannel,
  parseDataCenter
} from '../../src/core.js'
import { readChannel, readDataCenter, rowName } from '../../src/directory/names.js'
import { CHANNEL_OF, fixture } from '../support/fixtures.js'
import { runs, scaled } from '../support/properties.js'

const names: { canonical: string[]; dataCenters: Record<string, { identifiers: string[] }>; ambiguous: string[] } =
  fixture('dc-names.json')
const facts: { rows: { name: string }[]; rowNameAliases: Record<string, string[]> } = fixture('allowlist-facts.json')

/** The data center that a name means, or what is wrong with it. */
function dataCenter(text: unknown) {
  const outcome = readDataCenter(text)
  return 'ok' in outcome ? outcome.ok : outcome.problem
}

function channel(text: unknown) {
  const outcome = readChannel(text)
  return 'ok' in outcome ? outcome.ok : outcome.problem
}

t.test('the data centers are those of MoEngage, in order', async (t) => {
  t.strictSame([...DATA_CENTERS], names.canonical)
})

t.test('every spelling of a data center is understood, in any case and with white space around', async (t) => {
  const changes: [how: string, change: (text: string) => string][] = [
    ['as it is', (text) => text],
    ['in upper case', (text) => text.toUpperCase()],
    ['in lower case', (text) => text.toLowerCase()],
    [
      'in mixed case',
      (text) => text.replaceAll(/../g, (two) => two.charAt(0).toUpperCase() + two.charAt(1).toLowerCase())
    ],
    ['with spaces around', (text) => `  ${text} `],
    ['with a line break behind', (text) => `\t${text}\r\n`]
  ]
  let count = 0
  const failures = Object.entries(names.dataCenters).flatMap(([expected, { identifiers }]) =>
    identifiers.flatMap((identifier) =>
      changes.flatMap(([how, change]) => {
        count++
        const found = dataCenter(change(identifier))
        return found === expected ? [] : [{ identifier, how, found, expected }]
      })
    )
  )
  t.strictSame(failures, [])
  t.ok(count > 700, `${count}`)
})

t.test('a data center is understood in the spellings that are near the documented ones', async (t) => {
  const rows: [text: string, expected: string][] = [
    ['data-center-01', 'DC-01'],
    ['DataCenter1', 'DC-01'],
    ['data_center 1', 'DC-01'],
    ['dc 1', 'DC-01'],
    ['DC__01', 'DC-01'],
    ['http://dashboard-03.moengage.com', 'DC-03'],
    ['https://dashboard-03.moengage.com/#/campaigns?x=1', 'DC-03'],
    ['https://api-101.moengage.com:443/v1/customer/1', 'DC-101'],
    ['dashboard-1.moengage.com', 'DC-01'],
    ['sdk-02.moengage.com?x', 'DC-02'],
    ['US-DC-04', 'DC-04'],
    ['sgp-dc-05', 'DC-05'],
    ['IDN_DC_06', 'DC-06']
  ]
  for (const [text, expected] of rows) t.equal(dataCenter(text), expected, text)
})

t.test('a number means one data center and never a part of another', async (t) => {
  for (const [text, expected] of [
    ['1', 'DC-01'],
    ['01', 'DC-01'],
    ['101', 'DC-101'],
    ['DC-1', 'DC-01'],
    ['dashboard-1.moengage.com', 'DC-01'],
    ['dashboard-101.moengage.com', 'DC-101']
  ] as const) {
    t.equal(dataCenter(text), expected, text)
  }
  const texts = [
    ...[
      '7',
      '07',
      '10',
      '11',
      '99',
      '100',
      '102',
      '1010',
      '1011',
      '0101',
      '001',
      '0001',
      '0',
      '00',
      'DC-7',
      'DC-10',
      'DC-001'
    ],
    ...[
      'DC-00',
      'DC-0101',
      'DC-1O1',
      'dashboard-07.moengage.com',
      'dashboard-001.moengage.com',
      'dashboard-0.moengage.com'
    ],
    ...[
      '-1',
      '+1',
      '1.0',
      '1e0',
      '0x1',
      '1 1',
      '1,2',
      '1;',
      '1-',
      'DC-01-',
      'DC-01.',
      'DC-01,DC-02',
      'DC-01/DC-02',
      'dc-l'
    ],
    ...['١', '１', 'DC-０１', '100000000000000000000000000101', `1${'0'.repeat(400)}`, '9'.repeat(1000)]
  ]
  const accepted = texts.filter((text) => typeof dataCenter(text) === 'string')
  t.strictSame(accepted, [])
})

t.test('a name that is unknown or could mean several is refused with the question to answer', async (t) => {
  const rows: [text: unknown, message: RegExp, fix: RegExp][] = [
    ['US', /"US" is a region/, /^Which one: DC-01 or DC-04\? .*dashboard-01\.moengage\.com/],
    ['usa', /region/, /DC-01 or DC-04/],
    ['United States', /region/, /DC-01 or DC-04/],
    ['america', /region/, /DC-01 or DC-04/],
    ['EU', /region/, /^Did you mean "DC-02"\?$/],
    ['Europe', /region/, /"DC-02"/],
    ['IN', /region/, /"DC-03"/],
    ['IND', /region/, /"DC-03"/],
    ['india', /region/, /"DC-03"/],
    ['SG', /region/, /"DC-05"/],
    ['Singapore', /region/, /"DC-05"/],
    ['ID', /region/, /"DC-06"/],
    ['Indonesia', /region/, /"DC-06"/],
    ['api-0X', /placeholder/, /^Put your number in\. .*dashboard-01\.moengage\.com.* is DC-01\.$/],
    ['api-{dc}', /placeholder/, /number/],
    ['https://api-{dc}.moengage.com/v1', /placeholder/, /number/],
    ['https://dashboard-0x.moengage.com', /placeholder/, /number/],
    ['DC-XX', /placeholder/, /number/],
    ['DC-0X', /placeholder/, /number/],
    ['DC-<your data center>', /placeholder/, /number/],
    ['{dc}', /placeholder/, /number/],
    ['api.moengage.com', /no data center number/, /dashboard-01\.moengage\.com/],
    ['app.moengage.com', /no data center number/, /dashboard-01/],
    ['https://dashboard.moengage.com/#/', /no data center number/, /dashboard-01/],
    ['7', /does not know/, /DC-01, DC-02, DC-03, DC-04, DC-05, DC-06, DC-101/],
    ['DC-10', /does not know/, /Use one of: DC-01/],
    ['dashboard-99.moengage.com', /does not know/, /DC-101/],
    ['001', /"001" is not a data center/, /DC-01|DC-101/],
    ['0', /"0" is not a data center/, /DC-01/],
    ['DC-O1', /not a data center/, /^Did you mean "DC-01"\?$/],
    ['DC-01,DC-02', /"DC-01,DC-02" holds several names in one string/, /^Write a list, each name/],
    ['1;2', /several names/, /^Write a list/],
    ['all data centers', /not a data center/, /Use one of: DC-01/],
    ['', /"" is not a data center/, /^Write it like 'DC-01'\.$/],
    ['SGP-DC-04', /not a data center/, /DC-04/],
    ['US-DC-05', /not a data center/, /DC-05/],
    ['us-dc-01', /not a data center/, /DC-01/],
    ['evil.com/dashboard-01.moengage.com', /not a data center/, /DC-01/],
    ['https://dashboard-01.moengage.com.evil.com', /not a data center/, /DC-01/],
    ['https://user@dashboard-01.moengage.com', /not a data center/, /DC-01/],
    ['dashboard-01.moengage.org', /not a data center/, /DC-01/],
    ['dashboard-01-moengage.com', /not a data center/, /DC-01/],
    ['constructor', /not a data center/, /DC-01/],
    ['__proto__', /not a data center/, /DC-01/],
    ['toString', /not a data center/, /DC-01/],
    ['DC-01\0', /"DC-01\\u\{0\}" is not/, /"DC-01"/],
    ['DC-\ud800', /"DC-\\u\{d800\}" is not/, /DC-0/],
    [undefined, /A data center is a text, not undefined/, /^Write it like 'DC-01'\.$/],
    [null, /not null/, /'DC-01'/],
    [1, /A data center is a text, not 1\./, /'DC-01'/],
    [101, /not 101/, /'DC-01'/],
    [1n, /not 1n/, /'DC-01'/],
    [Number.NaN, /not NaN/, /'DC-01'/],
    [true, /not true/, /'DC-01'/],
    [['DC-01'], /not \['DC-01'\]/, /'DC-01'/],
    [{ dataCenter: 'DC-01' }, /not \{ dataCenter/, /'DC-01'/],
    [Symbol('DC-01'), /not Symbol\(DC-01\)/, /'DC-01'/],
    [() => 'DC-01', /not A function|not a function/, /'DC-01'/]
  ]
  for (const [text, message, fix] of rows) {
    const problem = dataCenter(text)
    if (typeof problem === 'string') {
      t.fail(`${String(text)} was taken for ${problem}`)
      continue
    }
    t.match(problem.message, message, String(text))
    t.match(problem.fix, fix, `${String(text)}: fix`)
    t.equal(problem.code, 'MOE_ERR_DATA_CENTER')
    t.ok(Object.is(problem.value, text))
  }
})

t.test('every name that the domain file calls ambiguous is refused', async (t) => {
  const quotedNames = names.ambiguous.flatMap((line) => [...line.matchAll(/'([^']+)'/g)].map(([, name]) => name!))
  t.ok(quotedNames.length >= 8, quotedNames.join())
  const accepted = quotedNames.filter((name) => typeof dataCenter(name) === 'string')
  t.strictSame(accepted, ['1', '101'], 'but for the two that are only never to be confused')
})

t.test('the errors of a name reach the caller with the place of the name', async (t) => {
  t.throws(() => directory.select({ dataCenters: 'US' }), {
    code: 'MOE_ERR_DATA_CENTER',
    path: 'dataCenters',
    value: 'US'
  })
  t.throws(() => directory.select({ dataCenters: ['DC-01', 'DC-1O1'] }), {
    code: 'MOE_ERR_DATA_CENTER',
    path: 'dataCenters[1]',
    value: 'DC-1O1',
    fix: 'Did you mean "DC-101"?'
  })
  t.throws(() => directory.select({ dataCenters: 'all', channels: ['sms', 'voice'] }), {
    code: 'MOE_ERR_CHANNEL',
    path: 'channels[1]',
    value: 'voice'
  })
  for (const [selection, Expected] of [
    [{ dataCenters: 'US' }, DataCenterError],
    [{ dataCenters: 'all', channels: 'voice' }, ChannelError]
  ] as const) {
    try {
      directory.select(selection)
      t.fail('it was accepted')
    } catch (error) {
      t.ok(error instanceof Expected && error instanceof TypeError, Expected.name)
    }
  }
})

t.test(
  'a channel is understood by our id and by the names of the rows of the page, however they are written',
  async (t) => {
    t.strictSame([...CHANNELS], Object.values(CHANNEL_OF), 'the channels are those of the page, in order')
    t.strictSame([...new Set(facts.rows.map(({ name }) => name))], Object.keys(CHANNEL_OF))
    const aliases = Object.entries(facts.rowNameAliases).flatMap(([name, more]) =>
      more.map((alias) => [alias, CHANNEL_OF[name]!])
    )
    t.ok(aliases.length > 0)
    const rows = [
      ...Object.entries(CHANNEL_OF),
      ...Object.values(CHANNEL_OF).map((id) => [id, id]),
      ...aliases,
      ['Content API', 'content-api']
    ]
    for (const [name = '', id] of rows) {
      const spellings = [
        name,
        name.toUpperCase(),
        name.toLowerCase(),
        ` ${name}\n`,
        name.replaceAll(' ', '  '),
        name.replaceAll(' ', '_'),
        name.replaceAll(' ', '-'),
        name.replaceAll('-', ' '),
        name.replaceAll('-', '_')
      ]
      for (const spelling of spellings) t.equal(channel(spelling), id, spelling)
    }
    for (const id of CHANNELS) t.equal(CHANNEL_OF[rowName(id)], id, `${id} names its row`)
  }
)

t.test('a channel that is unknown is refused with the nearest name, or with all', async (t) => {
  const all = `Use one of: ${CHANNELS.join(', ')}.`
  const unlisted = 'Leave the channel out, keep its route unguarded, and check a secret there.'
  const rows: [text: unknown, message: RegExp, fix: string][] = [
    ['smss', /"smss" is not a channel/, 'Did you mean "sms"?'],
    ['conector', /not a channel/, 'Did you mean "connector"?'],
    ['segment_synk', /not a channel/, 'Did you mean "segment-sync"?'],
    ['Segment Sync API', /not a channel/, 'Did you mean "segment-sync"?'],
    ['voice', /"voice" is not a channel/, all],
    ['webhook', /"webhook" is not a channel/, 'Did you mean "connector"?'],
    ['Web-Hooks', /"Web-Hooks" is not a channel/, 'Did you mean "connector"?'],
    ['custom connector', /is not a channel/, 'Did you mean "connector"?'],
    ['e-mail', /is not a channel/, 'Did you mean "email"?'],
    ['PII tokens', /is not a channel/, 'Did you mean "content-api"?'],
    ['audience_sync', /is not a channel/, 'Did you mean "segment-sync"?'],
    ['rcs', /MoEngage's page has no row for "rcs"/, unlisted],
    ['Alerts', /has no row for "Alerts"/, unlisted],
    ['oauth-token', /has no row/, unlisted],
    ['in-app', /has no row/, unlisted],
    ['coupons', /has no row/, unlisted],
    ['data export', /is not a channel/, all],
    ['warehouse imports', /is not a channel/, all],
    ['export', /is not a channel/, 'Did you mean "warehouse-export"?'],
    ['data import job', /is not a channel/, 'Did you mean "data-import"?'],
    ['all', /"all" is not a channel/, all],
    ['*', /"\*" is not a channel/, "Write 'all' in the place of the list."],
    ['', /"" is not a channel/, all],
    ['sms,push', /several names in one string/, 'Write a list, each name a string of its own.'],
    ['sms;', /several names/, 'Write a list, each name a string of its own.'],
    ['__proto__', /not a channel/, all],
    ['hasOwnProperty', /not a channel/, all],
    ['sms\0', /"sms\\u\{0\}" is not/, 'Did you mean "sms"?'],
    ['\udc00', /"\\u\{dc00\}" is not/, all],
    [undefined, /A channel is a text, not undefined/, all],
    [null, /not null/, all],
    [5, /not 5/, all],
    [['sms'], /not \['sms'\]/, all],
    [Symbol('sms'), /not Symbol\(sms\)/, all]
  ]
  for (const [text, message, fix] of rows) {
    const problem = channel(text)
    if (typeof problem === 'string') {
      t.fail(`${String(text)} was taken for ${problem}`)
      continue
    }
    t.match(problem.message, message, String(text))
    t.equal(problem.fix, fix, `${String(text)}: fix`)
    t.equal(problem.code, 'MOE_ERR_CHANNEL')
    t.equal(problem.value, text)
  }
  for (const text of ['constructor', 'toString', 'valueOf']) t.equal(typeof channel(text), 'object', text)
})

t.test('a very long name is refused with a short message', async (t) => {
  const long = 100_000
  const parts = ['1', '0', 'a', '-', ' ', '{', '<', '//a', 'x-', '-0x', 'dc-', 'é', '\0', 'https://']
  const texts = parts.flatMap((part) => [
    part.repeat(long),
    `DC-01${part.repeat(long)}!`,
    `https://a-01.moengage.com.${part.repeat(long)}`
  ])
  const failures = texts.filter((text) =>
    [dataCenter(text), channel(text)].some(
      (problem) => typeof problem === 'string' || `${problem.message}${problem.fix}`.length > 1500
    )
  )
  t.strictSame(
    failures.map((text) => text.slice(0, 40)),
    []
  )
})

t.test('no text but a spelling with the right number means a data center', async (t) => {
  const piece = fc.constantFrom(
    ...[
      'DC',
      'dc',
      '-',
      '_',
      ' ',
      '0',
      '1',
      '01',
      '101',
      '6',
      'data',
      'center',
      'dashboard',
      '.moengage.com',
      'https://',
      '/',
      'us',
      'x',
      '(RudderStack)'
    ]
  )
  const text = fc.oneof(
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary' })
  )
  let understood = 0
  fc.assert(
    fc.property(text, (text) => {
      const found = dataCenter(text)
      if (typeof found !== 'string') return found.message !== '' && found.fix !== ''
      understood++
      // Whatever is around them, the first digits are the number, with at most one zero in front; in a host the last.
      const number = String(Number(found.slice(3)))
      const [digits = ''] = /[0-9]+(?=\.moengage)/i.exec(text) ?? /[0-9]+/.exec(text) ?? []
      return digits === number || digits === `0${number}` || /rudderstack/i.test(text)
    }),
    runs(3000)
  )
  t.ok(understood > scaled(30), `${understood} were understood`)
})

t.test('text from configuration is read into an id, or refused with the fix', async (t) => {
  const table: [text: string, id: string][] = [
    ['dc1', 'DC-01'],
    ['https://dashboard-101.moengage.com', 'DC-101'],
    [' DATA_CENTER_03 ', 'DC-03']
  ]
  for (const [text, id] of table) t.equal(parseDataCenter(text), id, text)
  t.equal(parseChannel('Outbound Segment Sync'), 'segment-sync')
  t.throws(() => parseDataCenter('US'), { code: 'MOE_ERR_DATA_CENTER', value: 'US', fix: /DC-01 or DC-04/ })
  t.throws(() => parseDataCenter(undefined as never), { code: 'MOE_ERR_DATA_CENTER' })
  t.throws(() => parseChannel('conector'), { code: 'MOE_ERR_CHANNEL', value: 'conector', fix: /"connector"/ })
  t.throws(() => parseChannel(''), { code: 'MOE_ERR_CHANNEL' })
})
