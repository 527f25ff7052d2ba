import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { createGuard, type OptionsError } from '../../src/core.js'
import type { Problem } from '../../src/errors.js'
import { secretHeader } from '../../src/evidence/secret-header.js'
import { placesOf } from '../../src/lib/option-advice.js'
import { redisFleet } from '../../src/redis.js'
import { findingsOf, followed, TABLE } from '../support/advice.js'
import { runs } from '../support/properties.js'

const base = { dataCenters: 'DC-01' }
const proxies = (trustedProxies: unknown, rest: object = {}) => ({ ...base, clientIp: { trustedProxies, ...rest } })

/** Options whose advice is followed to the letter, until nothing is wrong with them. */
const WRONG: object[] = [
  {},
  { dataCenters: null },
  { ...base, channels: null },
  { dataCenters: 'DC-1O' },
  { dataCenters: 'EU' },
  { dataCenters: 'DC-99' },
  { dataCenter: 'DC-01' },
  { DataCenters: 'DC-01' },
  { ...base, channels: 'conector' },
  { ...base, channels: 'segmentsync' },
  { ...base, channels: ['all'] },
  { dataCenters: ['DC-01', 'all'] },
  { ...base, allow: ['203.0.114.*'] },
  { ...base, clientIp: 'user-agent' },
  proxies(['10.0.0.1'], { header: 'X_FORWARDED_FOR' }),
  proxies(['10.0.0.1'], { header: 'host' }),
  { ...base, source: { page: true } },
  { ...base, gracePeriod: '24' },
  { ...base, channels: 'webhook' },
  { ...base, channels: ['Webhooks', 'e-mail'] },
  { ...base, channel: 'streams' },
  { ...base, clientIp: 'x-forwarded-for' },
  { ...base, clientIp: 'req.ip' },
  { ...base, clientIp: '10.0.0.1' },
  { ...base, clientIp: ['10.0.0.0/8', 'loopback'] },
  { ...base, clientIp: '10.0.0.0/8, 127.0.0.1' },
  { ...base, clientIp: '["10.0.0.0/8"]' },
  { ...base, clientIp: ['10.0.0.0/8', 'foo'] },
  { ...base, clientIp: Array(11).fill('10.0.0.1') },
  { ...base, clientIp: true },
  { ...base, clientIp: null },
  { ...base, clientIp: {} },
  { ...base, clientIp: { header: 'x-real-ip' } },
  proxies('10.0.0.1'),
  proxies('10.0.0.1,10.0.0.2'),
  proxies('10.0.0.1, loopback ; cloudflare'),
  proxies('a,b'),
  proxies(''),
  proxies(1),
  proxies(true),
  proxies(() => true),
  proxies({ '10.0.0.1': true }),
  proxies('0.0.0.0/0'),
  proxies(['10.0.0.0/33', '010.0.0.1', '203.0.113.9:443', '[2001:db8::1]']),
  proxies(['10.0.0.1'], { header: 'X Real IP' }),
  proxies(['10.0.0.1'], { header: 'X-Real-IP:' }),
  proxies(['10.0.0.1'], { header: 'x-forwarded-for, forwarded' }),
  proxies(['10.0.0.1'], { header: `it's me` }),
  proxies(['10.0.0.1'], { header: 'é' }),
  proxies(['10.0.0.1'], { header: ['x-real-ip'] }),
  proxies(['10.0.0.1'], { header: ['$http_x_real_ip'] }),
  proxies(['10.0.0.1'], { header: `\${X_REAL_IP}` }),
  proxies(['10.0.0.1'], { header: '' }),
  proxies(['10.0.0.1'], { requireHeader: 'yes' }),
  proxies(['10.0.0.1'], { require: true, headers: 'x-real-ip' }),
  { ...base, allow: '9.9.9.9' },
  { ...base, allow: '9.9.9.9,8.8.8.8' },
  { ...base, allow: 'a,b', deny: 'a' },
  { ...base, allow: '["9.9.9.9"]', deny: '[9.9.9.9, 8.8.8.8]' },
  { dataCenters: 'ALL', channels: 'All' },
  { dataCenters: ['DC-01', 'ALL'] },
  { ...base, allow: {}, deny: 5 },
  { ...base, allow: ['10.0.0.1/8', '10.0.0.0/255.0.0.0'] },
  { ...base, allowed: ['9.9.9.9'], blacklist: ['8.8.8.8'] },
  { ...base, whitelist: '9.9.9.9' },
  { ...base, confirm: 'wide' },
  { ...base, confirm: 'wide, private' },
  { ...base, confirm: 'broad' },
  { ...base, confirm: ['shrinked', 'x'] },
  { ...base, confirm: true },
  { ...base, gracePeriod: -1, staleAfter: 0 },
  { ...base, gracePeriod: 'a day', staleAfter: '90' },
  { ...base, rejectWhenStale: 'no' },
  { ...base, rejectWhenStale: [] },
  { ...base, cacheSize: '500', statusCode: '404' },
  { ...base, source: { url: 'https://lists.example/' }, intervl: '5s' },
  { ...base, onReload: 'log', onVerdict: {}, onReject: 'later' },
  { ...base, cacheSize: '10' },
  { ...base, source: 'https://lists.example/moengage.json' },
  { ...base, source: 'http://lists.example/moengage.json' },
  { ...base, source: new URL('https://lists.example/moengage.json') },
  { ...base, source: './moengage.json' },
  { ...base, source: 'bundle' },
  { ...base, source: null },
  { ...base, source: {} },
  { ...base, source: { path: 'moengage.json' } },
  { ...base, source: { file: '' } },
  { ...base, source: { file: 'https://lists.example/moengage.json' } },
  { ...base, source: { file: 'x.json', interval: 5 } },
  { ...base, source: { file: 'x.json', intervall: '5s' } },
  { ...base, source: { file: 'x.json', gracePeriod: '2d' } },
  { ...base, source: { file: 'x.json', staleAfter: 90 } },
  { ...base, source: { url: 'lists.example/moengage.json' } },
  { ...base, source: { url: 'ftp://lists.example/moengage.json' } },
  { ...base, source: { url: 'http://lists.example/moengage.json' } },
  { ...base, source: { url: 'https://lists.example/', interval: 60, timeout: 0, maxBytes: '1MB', allowHttp: 1 } },
  { ...base, source: { url: 'https://lists.example/', headers: 'Bearer x', fetch: 'node-fetch' } },
  { ...base, source: { load: () => ({}) } },
  { ...base, source: { name: 'ours', load: 5 } },
  { ...base, mode: 'tags', statusCode: 200 },
  { ...base, mode: 'monitor', statusCode: '403' },
  { ...base, logLevel: 'loud', logger: console },
  { ...base, log: 'warn' },
  { ...base, log: { linesPerSecond: 0, summaryEvery: '1' } },
  { ...base, log: { summaryEvry: '1m', logLevel: 'info' } },
  { ...base, linesPerSecond: 5, interval: '5m', timeout: '5s' },
  { ...base, redactAddress: 'hash' },
  { ...base, redactAddress: { key: 'sesame' } },
  { ...base, key: 'sixteen characters', maxBytes: 5000 },
  { ...base, trustedProxies: ['10.0.0.0/8'] },
  { ...base, trustProxy: true },
  { ...base, trustProxy: ['10.0.0.0/8'] },
  { ...base, trustProxy: 1 },
  { ...base, header: 'x-real-ip' },
  { ...base, header: ['x-real-ip'] },
  { ...base, header: 'X Real IP' },
  { ...base, requireHeader: true },
  { ...base, trustedProxies: ['10.0.0.0/8'], header: 'x-real-ip', requireHeader: true },
  { ...base, clientIp: { trustedProxies: ['10.0.0.0/8'] }, header: 'x-real-ip' },
  { ...base, clientIp: 'request.ip', trustedProxies: ['10.0.0.0/8'] },
  { ...base, url: 'https://lists.example/?token=1', headers: { authorization: 'x' } },
  { ...base, file: './moengage.json' },
  { ...base, load: () => ({}) },
  { ...base, source: { url: 'https://lists.example/' }, headers: { authorization: 'x' }, timeout: '5s' }
]

const describe = (options: object) => inspect(options, { depth: 2, breakLength: Number.POSITIVE_INFINITY })
const line = ({ path, message, fix }: Problem) => `${path}: ${message} ${fix}`

t.test('advice is accepted when it is followed', async (t) => {
  for (const wrong of WRONG) {
    let options = wrong
    const name = describe(wrong)
    t.ok(findingsOf(wrong).mistakes.length > 0, `${name} is wrong`)
    for (let i = 0; i < 12; i++) {
      const { mistakes } = findingsOf(options)
      const [problem] = mistakes
      if (problem === undefined) break
      const alternatives = followed(options, problem)
      t.ok(alternatives.length > 0, `${name}: ${problem.path} has advice that can be followed: ${problem.fix}`)
      for (const alternative of alternatives) {
        const left = findingsOf(alternative).mistakes
        const isSolved = left.length < mistakes.length && !left.some(({ path }) => path === problem.path)
        t.ok(isSolved, `${name}: ${problem.path}: ${problem.fix}: ${left.map(line)}`)
      }
      options = alternatives[0] ?? base
    }
    t.strictSame(findingsOf(options).mistakes, [], name)
  }
})

/** Options in which one, at the top or in a group, has a value. */
function optionsWith({ name, group }: ReturnType<typeof placesOf>[number], value: unknown): object {
  if (group === undefined) return { ...base, [name]: value }
  const beside = group.beside(name, {}, true)!.map((other) => [other, EXAMPLES[other]])
  return { ...base, [group.name]: { ...Object.fromEntries(beside), [name]: value } }
}
const EXAMPLES: Record<string, unknown> = {
  trustedProxies: ['10.0.0.1'],
  url: 'https://lists.example/',
  name: 'ours',
  load: () => ({})
}
const places = placesOf(TABLE)

t.test('an option left out of the table is not missed: every place has an example that is accepted', async (t) => {
  for (const place of places) {
    const known = { pino: () => TEST_LOGGER, snapshot: {}, secretHeader, redisFleet, client: TEST_CLIENT }
    const value = new Function(...Object.keys(known), `return (${place.rule.example})`)(...Object.values(known))
    const { mistakes, warnings } = findingsOf(optionsWith(place, value))
    t.strictSame(mistakes, [], place.name)
    t.strictSame(
      warnings.filter(({ message }) => !/is for documentation; no \w+ (?:comes|connects) from it/.test(message)),
      [],
      place.name
    )
  }
})

t.test('an example lets nobody in who exists, and is a warning where it was pasted', async (t) => {
  for (const [path, options] of [
    ['allow[0]', { allow: TABLE.allow.example }],
    ['clientIp.trustedProxies[0]', { clientIp: TABLE.clientIp.example }]
  ] as const) {
    const [name, example] = Object.entries(options)[0]!
    const { warnings } = findingsOf({ ...base, [name]: new Function(`return (${example})`)() })
    t.match(warnings, [{ path, message: /is for documentation; no/ }])
  }
  const table: [options: object, fix: RegExp][] = [
    [{ whitelist: 5 }, /^Write allow: \['192\.0\.2\.1'\]\.$/],
    [{ whitelist: '' }, /^Write allow: \['192\.0\.2\.1'\]\.$/],
    [{ blacklist: 'a stranger' }, /^Write deny: \['192\.0\.2\.1'\]\.$/],
    [{ allow: '' }, /^Write a list, such as \['192\.0\.2\.1'\]\.$/],
    [{ allow: true }, /^Write a list, such as \['192\.0\.2\.1'\]\.$/],
    [{ trustProxy: true }, /^Write clientIp: \{ trustedProxies: \['192\.0\.2\.0\/24'\] \}\.$/]
  ]
  for (const [options, fix] of table)
    t.match(findingsOf({ ...base, ...options }).mistakes, [{ fix }], describe(options))
})

t.test('a value that a list would hold stays in the advice', async (t) => {
  const table: [options: object, fix: string][] = [
    [{ whitelist: '203.0.114.9' }, `Write allow: ['203.0.114.9'].`],
    [{ whitelist: '203.0.114.9,203.0.114.10' }, `Write allow: ['203.0.114.9', '203.0.114.10'].`],
    [{ blacklist: '["203.0.114.9"]' }, `Write deny: ['203.0.114.9'].`],
    [{ trustedProxies: '10.20.0.0/16' }, `Write clientIp: { trustedProxies: ['10.20.0.0/16'] }.`],
    [{ trustProxy: 'loopback, 10.1.0.0/16' }, `Write clientIp: { trustedProxies: ['loopback', '10.1.0.0/16'] }.`],
    [{ trustedProxies: '10.20.0.0/16', header: 'x-real-ip' }, `Write clientIp: { trustedProxies: ['10.20.0.0/16'] }.`]
  ]
  for (const [options, fix] of table) {
    const wrong = { ...base, ...options }
    const [problem, ...others] = findingsOf(wrong).mistakes
    t.match(problem, { fix }, describe(options))
    const { mistakes, warnings } = findingsOf(followed(wrong, problem!)[0])
    t.strictSame([mistakes.length, warnings], [others.length, []], describe(options))
  }
  const header = findingsOf({ ...base, header: ['x-real-ip'] }).mistakes
  t.match(
    header,
    [{ fix: "Write clientIp: { trustedProxies: ['192.0.2.0/24'], header: 'x-real-ip' }." }],
    'out of a list'
  )
})

t.test('an option that is moved to its place takes nothing away that stands there', async (t) => {
  const load = async () => ({})
  const given: Record<string, object> = {
    source: [
      { file: 'x.json', verify: { publicKeys: [] } },
      { url: 'https://lists.example/x.json?token=1', headers: { a: 'b' }, allowHttp: false },
      { name: 'ours', load, watch: () => {} },
      load,
      'bundled'
    ],
    clientIp: [
      { trustedProxies: ['10.0.0.0/8'], header: 'cf-connecting-ip', requireHeader: true },
      () => '9.9.9.9',
      'request.ip'
    ],
    log: [{ linesPerSecond: 5, summaryEvery: '1m' }],
    redactAddress: [{ key: 'sixteen characters' }, 'truncate']
  }
  let moved = 0
  for (const { name, group } of places) {
    for (const value of group === undefined ? [] : Object.values(given[group.name] ?? [])) {
      const isThere = typeof value === 'object' && name in value
      const [problem] = findingsOf({ ...base, [group!.name]: value, [name]: null }).mistakes.filter(
        ({ code, path }) => code === 'MOE_ERR_UNKNOWN_OPTION' && path === name
      )
      if (isThere || problem === undefined || !problem.fix.startsWith('Write ')) continue
      const [, instead] = /, in place of (.+), which takes no options\.$/.exec(problem.fix) ?? []
      const [, kept = ''] = /, and keep (.+) in it\.$/.exec(problem.fix) ?? []
      const [written] = followed({}, problem) as Record<string, Record<string, unknown>>[]
      t.equal(typeof value !== 'object', instead !== undefined, `${name}: ${problem.fix}`)
      for (const [other, there] of typeof value === 'object' ? Object.entries(value) : []) {
        const stays = kept.split(' and ').includes(other)
        t.ok(stays || inspect(written![group!.name]![other]) === inspect(there), `${name}, ${other}: ${problem.fix}`)
      }
      moved++
    }
  }
  t.ok(moved > 20, `${moved}`)
})

t.test('null is a value of no option, and never counts as left out', async (t) => {
  for (const place of places) {
    const path = place.group === undefined ? place.name : `${place.group.name}.${place.name}`
    const { mistakes } = findingsOf(optionsWith(place, null))
    t.ok(
      mistakes.some((mistake) => mistake.path === path || path.startsWith(`${mistake.path}.`)),
      `${path}: ${mistakes.map(line)}`
    )
  }
  for (const options of [{ dataCenters: null }, { ...base, channels: null }]) {
    t.throws(() => createGuard(options as never), { code: 'MOE_ERR_OPTIONS', mistakes: [{ value: null }] })
  }
})

/** As much of a client of Redis as is asked for before anything connects. */
const TEST_CLIENT = { duplicate: () => ({}), connect: async () => {}, call: async () => {} }

const TEST_LOGGER = Object.fromEntries(
  ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((method) => [method, () => {}])
)

t.test('whatever stands in an option, the advice solves the mistake, and no secret is shown', async (t) => {
  const secret = 'c2VjcmV0'
  const words = fc.constantFrom(
    '10.0.0.1',
    'loopback',
    'a,b',
    'wide',
    '5m',
    'DC-01',
    'x y',
    './x.json',
    'https://a.example/x'
  )
  const holders = fc.constantFrom<unknown>(
    { authorization: secret },
    [{ key: secret }],
    { url: `https://me:${secret}@a.example/?token=${secret}` },
    `https://a.example/?token=${secret}`,
    () => secret,
    new Map([['key', secret]])
  )
  const values = fc.oneof(fc.anything(), fc.string(), words, fc.array(words), fc.integer(), fc.boolean(), holders)
  fc.assert(
    fc.property(fc.constantFrom(...places), values, (place, value) => {
      const options = optionsWith(place, value)
      const { mistakes, warnings } = findingsOf(options)
      t.notMatch(inspect([mistakes, warnings], { depth: 9 }), secret)
      for (const problem of mistakes) {
        for (const alternative of followed(options, problem)) {
          const left = findingsOf(alternative).mistakes
          t.notOk(
            left.some(({ path, fix }) => path === problem.path && fix === problem.fix),
            line(problem)
          )
          t.ok(left.length < mistakes.length, line(problem))
        }
      }
    }),
    runs(1500)
  )
})

t.test('secrets are in no part of the error', async (t) => {
  const secret = 'c2VjcmV0'
  for (const options of [
    { source: { url: `https://me:${secret}@lists.example/` } },
    { source: { url: `lists.example/?token=${secret}` } },
    { source: { url: `me:${secret}@lists.example` } },
    { source: { url: `http://lists.example/?token=${secret}` } },
    { source: `https://lists.example/?token=${secret}` },
    { source: new URL(`https://lists.example/?token=${secret}`) },
    { source: { url: 'https://lists.example/', headers: { 'no header': secret } } },
    { source: { url: 'https://lists.example/', headers: { authorization: `Bearer ${secret}\nx` } } },
    { source: { url: 'https://lists.example/', headers: { [`authorization: Bearer ${secret}`]: '' } } },
    { source: { url: 'https://lists.example/', headers: `Bearer ${secret}` } },
    { source: { url: 'https://lists.example/', headers: [[secret]] } },
    { source: { url: 'https://lists.example/', headers: { authorization: secret }, interval: 1 } },
    { source: { URL: 'https://lists.example/', headers: { authorization: secret } } },
    { sorce: { url: 'https://lists.example/', headers: { authorization: secret } } },
    { headers: { authorization: secret }, url: `https://lists.example/?token=${secret}` },
    { redactAddress: { key: secret } },
    { redactAddress: secret },
    { redactAddress: { kye: `${secret}${secret}` } },
    { redactAdress: { key: `${secret}${secret}` }, cacheSize: 0 },
    { redactAddress: { key: `${secret}${secret}` }, cacheSize: 0 },
    { key: `${secret}${secret}` },
    { redactAddress: { secret: `${secret}${secret}` } },
    { bearer: secret },
    { source: { url: 'https://lists.example/', bearer: secret } },
    { redactAddress: { key: `${secret}${secret}`, bearer: secret } },
    { redactAddress: { key: `${secret}${secret}`, timeot: secret } },
    { hedaer: secret, headr: secret, heders: secret, names: secret, timeot: secret },
    { clientIp: { trustedProxies: [], token: secret } },
    { dataCenters: { secret } },
    { channels: [{ secret }] },
    { allow: [{ secret }], deny: { secret } }
  ]) {
    try {
      createGuard({ ...base, ...options } as never)
      t.fail(inspect(options))
    } catch (error) {
      const { message, mistakes, value } = error as OptionsError
      t.match(error, { code: 'MOE_ERR_OPTIONS' })
      t.notMatch(
        `${message}${JSON.stringify([mistakes, value])}${inspect(error, { depth: 9, showHidden: true })}`,
        secret
      )
    }
  }
})

const FILE_ONLY = /^Use one of: file, interval, maxBytes, verify\.$/
const TOP = /^Use one of: dataCenters, channels, clientIp, /
const OWN = { name: 'db', load: () => ({}) }

/** An option of a source elsewhere: a source that is not there, or has no such option, is no place for it. */
const TWINS: [options: object, path: string, fix: RegExp][] = [
  [{ watch: { file: './w.json', timeout: '9s' } }, 'watch.timeout', FILE_ONLY],
  [{ source: { url: 'https://a.b/c' }, watch: { file: './w.json', timeout: '9s' } }, 'watch.timeout', FILE_ONLY],
  [{ source: { file: './m.json' }, watch: { file: './w.json', headers: {} } }, 'watch.headers', FILE_ONLY],
  [
    { watch: { page: 'https://a.b/c', name: 'help page' } },
    'watch.name',
    /^Use one of: page, interval, timeout, maxBytes, /
  ],
  [{ watch: { ...OWN, headers: {} } }, 'watch.headers', /^Use one of: name, load, /],
  [
    { watch: { file: './w.json', staleAfter: '3d' } },
    'watch.staleAfter',
    /^Write staleAfter: '3d' at the top level\.$/
  ],
  [{ log: { interval: '1m' } }, 'log.interval', /^Use one of: linesPerSecond, summaryEvery\.$/],
  [{ source: 'bundled', log: { interval: '1m' } }, 'log.interval', /^Use one of: linesPerSecond, summaryEvery\.$/],
  [
    { source: { file: './m.json' }, log: { timeout: '1m' } },
    'log.timeout',
    /^Use one of: linesPerSecond, summaryEvery\.$/
  ],
  [
    { source: { file: './m.json' }, log: { interval: '1m' } },
    'log.interval',
    /^Write source: \{ file: '\.\/m\.json', interval: '1m' \} at the top level\.$/
  ],
  [{ source: { file: './m.json' }, headers: {} }, 'headers', TOP],
  [{ source: { file: './m.json' }, url: 'https://a.b/c' }, 'url', TOP],
  [
    { source: { file: './m.json' }, maxBytes: 9 },
    'maxBytes',
    /^Write source: \{ file: '\.\/m\.json', maxBytes: 9 \}\.$/
  ]
]

t.test('a name is not taken for another place because it looks a little like it', async (t) => {
  const table: [options: object, path: string, fix: RegExp][] = [
    ...['time', 'rate', 'safe', 'body', 'path', 'bearer', 'filter', 'headr', 'trustedProxie', 'requireHeadr'].map(
      (name) => [{ [name]: 'x' }, name, /^Use one of: dataCenters, channels, clientIp, /] as [object, string, RegExp]
    ),
    [{ log: { alow: ['9.9.9.9'] } }, 'log.alow', /^Use one of: linesPerSecond, summaryEvery\.$/],
    [{ log: { allows: ['9.9.9.9'] } }, 'log.allows', /^Use one of: linesPerSecond, summaryEvery\.$/],
    [{ log: { denys: ['9.9.9.9'] } }, 'log.denys', /^Use one of: linesPerSecond, summaryEvery\.$/],
    [{ log: { clientIps: 'request.ip' } }, 'log.clientIps', /^Use one of: linesPerSecond, summaryEvery\.$/],
    ...TWINS,
    [{ log: { bearer: 'x' } }, 'log.bearer', /^Use one of: linesPerSecond, summaryEvery\.$/],
    [
      { redactAddress: { key: 'sixteen characters', secret: 'x' } },
      'redactAddress.secret',
      /^Write key: 'sixteen characters or more'\.$/
    ],
    [{ code: 404 }, 'code', /^Did you mean "statusCode"\?$/],
    [
      { timeot: '9s' },
      'timeot',
      /^Write source: \{ url: 'https:\/\/example\.com\/moengage\.json', timeout: '5s' \}\.$/
    ],
    [{ timeout: '9s' }, 'timeout', /timeout: '9s' \}\.$/],
    [{ statusCode: '404' }, 'statusCode', /^Write 404, /],
    [{ statusCode: '200' }, 'statusCode', /^Write 403, /]
  ]
  for (const [options, path, fix] of table) {
    t.match(findingsOf({ ...base, ...options }).mistakes, [{ path, fix }], describe(options))
  }
})
