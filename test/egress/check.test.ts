import fc from 'fast-check'
import t from 'tap'
import { checkEgress, type EgressList, type EgressTarget, formatEgress } from '../../src/core.js'
import { untilRejected } from '../support/failures.js'
import { runs } from '../support/properties.js'
import { FORMS } from './forms.js'

const problems = (list: EgressList, target?: EgressTarget) => {
  const { errors, warnings } = checkEgress(list, target)
  return {
    errors: errors.map(({ path, message, fix }) => `${path}: ${message} ${fix}`),
    warnings: warnings.map(({ path, message, fix }) => `${path}: ${message} ${fix}`)
  }
}

/** Two sound entries, so that nothing is to be said about the list as a whole. */
const SOUND = '9.9.9.9 # NAT a\n9.9.9.10 # NAT b\n'

t.test('a sound list has its entries in canonical form, with names and lines', async (t) => {
  const list =
    '# ours\n9.9.9.9 # NAT a\n\n9.9.8.0/24#office\n\t9.9.7.5-9.9.7.6 \n9.9.6.0 - 9.9.6.255\n2620:FE::0:9/128\n'
  t.strictSame(checkEgress(list, 'api-firewall'), {
    ok: true,
    target: 'api-firewall',
    entries: [
      { value: '9.9.9.9', name: 'NAT a', line: 2 },
      { value: '9.9.8.0/24', name: 'office', line: 4 },
      { value: '9.9.7.5 - 9.9.7.6', name: undefined, line: 5 },
      { value: '9.9.6.0/24', name: undefined, line: 6 },
      { value: '2620:fe::9', name: undefined, line: 7 }
    ],
    errors: [],
    warnings: [],
    shortest: ['9.9.6.0/24', '9.9.7.5 - 9.9.7.6', '9.9.8.0/24', '9.9.9.9', '2620:fe::9']
  })
  t.equal(checkEgress(SOUND).target, null)
})

/** What is refused, why, and what the fix says to write, where it can say that. */
const REFUSED: [value: string, message: RegExp, advice?: string][] = [
  ['10.0.0.5', /private/],
  ['172.16.0.0/12', /private/],
  ['192.168.1.1 - 192.168.1.9', /private/],
  ['100.64.1.1', /carrier-grade NAT/],
  ['127.0.0.1', /loopback/],
  ['169.254.169.254', /link-local/],
  ['192.0.2.1', /documentation/],
  ['198.51.100.0/24', /documentation/],
  ['203.0.113.9', /documentation/],
  ['224.0.0.1', /multicast/],
  ['255.255.255.255', /for broadcast/],
  ['0.0.0.0', /not an address of a host/],
  ['8.0.0.0/6', /contains 10\.0\.0\.0\/8, which is a private address/],
  ['9.255.255.255 - 11.0.0.0', /contains 10\.0\.0\.0\/8, which is a private address/],
  ['223.255.255.0 - 224.0.0.0', /contains 224\.0\.0\.0\/4, which is for multicast/],
  ['fd00::1', /private address \(unique local\)/],
  ['fe80::1', /link-local/],
  ['2001:db8::1', /documentation/],
  ['ff02::1', /multicast/],
  ['::1', /loopback/],
  ['4000::/16', /not assigned to anybody/],
  ['0.0.0.0/0', /every address/],
  ['0.0.0.0 - 255.255.255.255', /every address/],
  ['::/0', /every address/],
  ['9.9.9.9/24', /bits set behind/, '9.9.9.0/24'],
  ['2620:fe::9/48', /bits set behind/, '2620:fe::/48'],
  ['api.example.com', /host name/],
  ['my-host.example.com', /host name/],
  ['*', /wildcard/],
  ['*.example.com', /wildcard/],
  ['9.9.*.*', /wildcard/, '9.9.0.0/16'],
  ['9.9.9.*', /wildcard/, '9.9.9.0/24'],
  ['9.*.9.9', /wildcard/],
  ['9.9.9.9*', /wildcard/],
  ['::ffff:9.9.9.9', /IPv4-mapped/, '9.9.9.9'],
  ['::ffff:9.9.9.0/120', /IPv4-mapped/, '9.9.9.0/24'],
  ['::ffff:9.9.9.9 - ::ffff:9.9.9.12', /IPv6 form/],
  ['9.9.9.12 - 9.9.9.9', /backwards/, '9.9.9.9 - 9.9.9.12'],
  ['9.9.9.9 - 12', /end "12" is not an address/, '9.9.9.9 - 9.9.9.12'],
  ['9.9.9.9-300', /end "300" is not an address/],
  ['9.9.9.9 -', /range whose end "" is not an address/],
  ['9.9.9.9 - gateway', /end "gateway" is not an address/],
  ['9.9.9.9 – 9.9.9.12', /dash that is not a hyphen/, '9.9.9.9 - 9.9.9.12'],
  ['9.9.9.0/30 - 9.9.9.8', /mixes a range with prefixes/],
  ['9.9.9.9 - 2620:fe::9', /one family .* to the other/],
  ['2620:fe::8 - 2620:fe::9', /IPv6 form/, '2620:fe::8/127'],
  ['2620:fe::1 - 2620:fe::ffff:ffff', /IPv6 form/],
  ['9.9.9.9 9.9.9.10', /several entries/],
  ['9.9.9.0 255.255.255.0', /netmask/, '9.9.9.0/24'],
  ['9.9.9.09', /leading zero/, '9.9.9.9'],
  ['9.9.9', /3 parts/],
  ['https://9.9.9.9/', /not an IP address/],
  ['9.9.9.9:443', /port/, '9.9.9.9'],
  ['"9.9.9.9"', /quotes/, '9.9.9.9'],
  ['٩.9.9.9', /not plain ASCII/],
  ['９.9.9.9', /not plain ASCII/],
  ['9.9.9.9\u00a0', /white space/, '9.9.9.9'],
  ['9.9.9.9\u200b', /not plain ASCII/],
  ['9.9.9.9'.repeat(20), /too long/]
]

t.test('what cannot be a caller on the internet, or no form takes, is an error with its line', async (t) => {
  for (const [value, message] of REFUSED) {
    const check = checkEgress(`${SOUND}${value}\n`)
    t.match(check, { ok: false, errors: [{ code: 'MOE_ERR_EGRESS', path: 'line 3', line: 3, value, message }] }, value)
    t.equal(check.errors.length, 1, value)
    t.equal(check.entries.length, 2, `${value}: the sound entries are there`)
    t.match(check.errors[0]!.fix, /^[A-Z].*\.$/, value)
    t.match(checkEgress([value]).errors, [{ path: '[0]', line: undefined, message }], `${value} in an array`)
  }
})

t.test('the advice is taken when it is followed', async (t) => {
  for (const [value, , advice] of REFUSED) {
    if (advice === undefined) continue
    t.match(
      checkEgress([value]).errors[0]!.fix,
      new RegExp(`Write ${advice.replaceAll(/[./]/g, '\\$&')}(?:[ ,.]|$)`),
      value
    )
    t.ok(checkEgress([advice]).ok, advice)
  }
})

t.test('several entries in one text are refused with how a list is written', async (t) => {
  for (const value of ['9.9.9.9 9.9.9.10', '9.9.9.9;']) {
    const [error] = checkEgress(`${SOUND}${value}\n`).errors
    t.equal(error!.fix, 'Write each as an entry of its own: a line of a text, an element of an array.', value)
    t.ok(checkEgress(`${SOUND}${value.replaceAll(/[ ;]/g, '\n')}\n`).ok, 'a line each')
  }
})

t.test('what is probably not meant is a warning', async (t) => {
  const table: [list: string, warnings: RegExp[]][] = [
    [SOUND, []],
    [`${SOUND}9.9.9.9`, [/^line 3: 9\.9\.9\.9 repeats 9\.9\.9\.9 \(line 1\)/]],
    [`${SOUND}9.9.9.9/32`, [/^line 3: 9\.9\.9\.9 repeats/]],
    [`${SOUND}9.9.9.0/24`, [/^line 1: .* lies inside of 9\.9\.9\.0\/24 \(line 3\)/, /^line 2: .* lies inside/]],
    [`9.9.8.0 - 9.9.8.9\n9.9.8.5 - 9.9.8.12`, [/^line 2: .* overlaps with 9\.9\.8\.0 - 9\.9\.8\.9 \(line 1\)/]],
    [`${SOUND}9.9.8.0/24`, []],
    [`${SOUND}9.9.6.0/23`, [/^line 3: 9\.9\.6\.0\/23 is wider than \/24/]],
    [`${SOUND}9.9.6.0 - 9.9.7.0`, [/^line 3: .* is wider than \/24/]],
    [`${SOUND}52.6.248.125`, [/^line 3: .* MoEngage calls you from \(DC-01\).* other direction.*export/]],
    [`${SOUND}52.6.248.0/24`, [/^line 3: .* MoEngage calls you from/]],
    [`${SOUND}2620:fe::/48`, [/^line 3: 2620:fe::\/48: .*only the page of the API Firewall states/]],
    [`${SOUND}2620:fe::/47`, [/wider than \/48/, /API Firewall/]],
    [`${SOUND}2620:fe::1\n2620:fe::2`, [/^line 3: 2620:fe::1 and 1 more: /]],
    ['9.9.9.9', [/^: The list has only one address/]],
    ['9.9.9.9\n9.9.9.9/32', [/^: The list has only one address/, /repeats/]],
    ['9.9.9.8/31', []]
  ]
  for (const [list, expected] of table) {
    const { errors, warnings } = problems(list)
    t.strictSame(errors, [], list)
    t.equal(warnings.length, expected.length, `${list}: ${warnings}`)
    for (const [i, pattern] of expected.entries()) t.match(warnings[i], pattern, list)
  }
  for (const { code } of checkEgress('9.9.9.9\n9.9.9.9').warnings) t.equal(code, 'MOE_WARN_EGRESS')
})

t.test('each form is checked for what its page says', async (t) => {
  const RANGE = `${SOUND}9.9.8.5 - 9.9.8.10`
  const PREFIX = `${SOUND}9.9.8.0/30`
  const V6 = `${SOUND}2620:fe::/48`
  const table: [target: EgressTarget, list: string, warning: RegExp | undefined][] = [
    ['api-firewall', RANGE, undefined],
    ['api-firewall', PREFIX, undefined],
    ['api-firewall', V6, undefined],
    [
      'data-api',
      RANGE,
      /^line 3: Data API whitelisting takes addresses and prefixes.* becomes 4 .*9\.9\.8\.5, 9\.9\.8\.6\/31/
    ],
    ['data-api', PREFIX, undefined],
    ['data-api', V6, /^line 3: 2620:fe::\/48: MoEngage's page does not state whether Data API whitelisting takes IPv6/],
    ['dashboard', RANGE, /Dashboard Firewall takes addresses and prefixes/],
    ['dashboard', PREFIX, undefined],
    ['dashboard', V6, /does not state whether Dashboard Firewall takes IPv6/],
    ['open-analytics', RANGE, /Open Analytics takes single addresses.* becomes 6 .* and so on/],
    ['open-analytics', PREFIX, /Open Analytics takes single addresses.* becomes 4 .*9\.9\.8\.3\./],
    ['open-analytics', `${SOUND}2620:fe::1`, /does not state whether Open Analytics takes IPv6/]
  ]
  for (const [target, list, warning] of table) {
    const found = problems(list, target)
    t.strictSame(found.errors, [], `${target} ${list}`)
    t.equal(found.warnings.length, warning === undefined ? 0 : 1, `${target} ${list}: ${found.warnings}`)
    if (warning !== undefined) t.match(found.warnings[0], warning, `${target} ${list}`)
  }
  const tooMany = '9.9.8.0/25\n9.9.9.0/25\n9.9.10.1'
  t.match(checkEgress(tooMany, 'open-analytics'), {
    ok: false,
    errors: [{ path: '', message: 'Open Analytics takes single addresses, and these are 257.', fix: /256 at most/ }],
    shortest: []
  })
  t.ok(checkEgress('9.9.8.0/25\n9.9.9.0/25\n9.9.8.1', 'open-analytics').ok, 'each address counts once')
  t.match(problems(V6, 'open-analytics').errors, [/these are \d{20,}/])
})

t.test('a promise in the place of a list or of a part of it is named, and ends no process', async (t) => {
  const rejected = () => Promise.reject(new Error('away'))
  const table: [list: () => unknown, path: string][] = [
    [rejected, ''],
    [() => ['9.9.9.9', rejected(), rejected()], '[1]'],
    [() => [{ value: rejected(), name: rejected() }], '[0]'],
    [() => [{ value: '9.9.9.9', name: rejected(), comment: rejected() }], '[0]']
  ]
  for (const [list, path] of table) {
    t.match(problems(list() as EgressList).errors[0], `${path}: `)
    t.match(problems(list() as EgressList).errors[0], /Await it before you pass it\.$/)
    t.throws(() => formatEgress(list() as EgressList, { target: 'dashboard' }), { message: /Await it/ })
    await untilRejected()
  }
  const long = [...Array(10_001).fill('9.9.9.9'), rejected()]
  t.match(problems(long).errors.at(-1), /more than 10000 entries/)
  t.throws(() => checkEgress(SOUND, rejected() as never), { mistakes: [{ path: 'target', fix: /^Await it/ }] } as never)
  t.throws(() => formatEgress(rejected() as never, {} as never), { code: 'MOE_ERR_OPTIONS' })
  await untilRejected()
})

t.test('a form that does not exist is an error with the nearest', async (t) => {
  for (const [target, fix] of [
    ['api-firewal', 'Did you mean "api-firewall"?'],
    ['toString', /./],
    [null, /./],
    [7, /./]
  ] as const) {
    t.throws(() => checkEgress(SOUND, target as never), {
      code: 'MOE_ERR_OPTIONS',
      mistakes: [{ path: 'target', fix }]
    } as never)
  }
})

t.test('every text has an answer, and an entry that was read is read again as itself', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '9.9.9.9',
      '9.9.8.0/24',
      ' - ',
      '-',
      '#',
      ',',
      '"',
      '\n',
      '\r\n',
      '[',
      '{',
      '"value"',
      ':',
      '2620:fe::',
      '/',
      ' '
    ),
    fc.string({ unit: 'binary', maxLength: 3 })
  )
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(text, fc.constantFrom(undefined, ...FORMS), (list, target) => {
      const { ok, entries, errors, shortest } = checkEgress(list, target)
      return (
        ok === (errors.length === 0) &&
        (ok ? entries.length > 0 : true) &&
        errors.every(({ message, fix }) => message !== '' && fix !== '') &&
        entries.every(({ value }) => checkEgress([value]).entries[0]?.value === value) &&
        shortest.every((value) => checkEgress([value]).ok)
      )
    }),
    runs(2000)
  )
})
