import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { createGuard, type GuardOptions, loadGuard, type Snapshot, type Source } from '../../../src/core.js'
import { Directory } from '../../../src/directory/directory.js'
import {
  failingThenable,
  HIDDEN_REJECTIONS,
  replaced,
  unreadableErrors,
  untilRejected
} from '../../support/failures.js'
import { sound } from '../../support/snapshots.js'

/** Mistakes in options, as `path: message fix`. */
async function refusals(options: unknown): Promise<string[]> {
  try {
    ;(await loadGuard({ dataCenters: 'DC-01', ...(options as object) } as GuardOptions)).close()
    return []
  } catch (error) {
    const { mistakes } = error as { mistakes?: { path: string; message: string; fix: string }[] }
    if (mistakes === undefined) throw error
    return mistakes.map(({ path, message, fix }) => `${path}: ${message} ${fix}`)
  }
}

const load = async () => sound()
const https = { url: 'https://lists.example/moengage.json' }

t.test('a source is one of a few shapes, and a mistake names what to write instead', async (t) => {
  const table: [source: unknown, refusal: RegExp][] = [
    ['https://lists.example/moengage.json', /^source: .* Write \{ url: 'https:\/\/lists\.example\/moengage\.json' \}/],
    [new URL('https://lists.example/a'), /^source: A URL .* Write \{ url: 'https:\/\/lists\.example\/a' \}/],
    ['https://lists.example/?token=1', /^source: 'https:\/\/lists\.example\/\?…' .* Write \{ file: /],
    ['http://lists.example/', /^source: .* Write \{ file: /],
    ['lists/moengage.json', /^source: .* Write \{ file: 'lists\/moengage\.json' \}/],
    ['bundle', /^source: .* Write 'bundled'\./],
    ['moengage', /^source: .* Write \{ file: /],
    [null, /^source: null is not a source\. Write \{ file: .*\{ name, load \}/],
    [{}, /^source: \{\} is not a source/],
    [{ path: '/lists/x.json' }, /^source: \{ path \} is not a source\. Write \{ file: '\/lists\/x\.json' \}/],
    [{ uri: 'https://lists.example/x.json' }, /^source: .* Write \{ url: 'https:\/\/lists\.example\/x\.json' \}/],
    [{ href: new URL('https://lists.example/x.json') }, /^source: .* Write \{ url: 'https:\S+x\.json' \}/],
    [{ uri: 'https://lists.example/?token=1' }, /^source: .* Write \{ file: '\.\/moengage\.json' \}/],
    [{ fil: 'x.json' }, /^source: \{ fil \} is not a source/],
    [
      { url: undefined },
      /^source\.url: It is undefined \(is an environment variable missing\?\)\. Write 'https:\S+', or set the variable\./
    ],
    [{ page: undefined }, /^source\.page: It is undefined .* Write 'https:\S+mdx', or set/],
    [{ file: undefined, interval: '5s' }, /^source\.file: It is undefined .* Write '\.\/moengage\.json', or set/],
    [{ name: 'ours', load: undefined }, /^source\.load: It is undefined .* Write async \(signal\) => snapshot, or set/],
    ['file:///tmp/moengage.json', /^source: .* Write \{ file: 'file:\/\/\/tmp\/moengage\.json' \}/],
    [{ file: 'file://elsewhere/m.json' }, /^source\.file: 'file:\/\/elsewhere\/m\.json' is not a path/],
    [{ file: new URL('file:///tmp/a%2fb.json') }, /^source\.file: .* is not a path/],
    [{ file: 'x.json', ...https }, /^source: It names file and url: .* Keep one/],
    [{ file: 'x.json', load }, /names file and load/],
    [{ file: '' }, /^source\.file: '' is not a path\. Write '\.\/moengage\.json'/],
    [{ file: 5 }, /^source\.file: 5 is not a path/],
    [{ file: 'https://lists.example/x.json' }, /^source\.file: .* is not a path/],
    [{ file: new URL('https://lists.example/x.json') }, /^source\.file: .* is not a path/],
    [{ file: 'x.json', intervall: 1000 }, /^source\.intervall: .* Did you mean "interval"\?/],
    [{ file: 'x.json', timeout: 1000 }, /^source\.timeout: .* Use one of: file, interval, maxBytes/],
    [
      { file: 'x.json', interval: 5 },
      /^source\.interval: 5 is a number of milliseconds, .* Write '5s'.* from '100ms' to '24d'/
    ],
    [{ file: 'x.json', interval: '2 weeks ago' }, /^source\.interval: '2 weeks ago' is not a time\. Write '2s'/],
    [{ file: 'x.json', maxBytes: '1MB' }, /^source\.maxBytes: '1MB' is not a number of bytes/],
    [{ url: 'lists.example/x.json' }, /^source\.url: .* Write 'https:\/\/lists\.example\/x\.json'\./],
    [
      { url: 'lists.example/x.json?token=1' },
      /^source\.url: 'lists\.example\/x\.json\?…' is not .* Write 'https:\/\/example\.com/
    ],
    [{ url: 'ftp://lists.example/x.json' }, /^source\.url: .* is not the URL of a web server/],
    [{ url: 'lists.example:8443/x.json' }, /Write 'https:\/\/lists\.example:8443\/x\.json'/],
    ...['moengage.json', 'moengage.zip', 'list.py', 'lists.example', 'lists.example:8443'].map(
      (name): [unknown, RegExp] => [
        { url: name },
        /^source\.url: .* is not the URL of a web server\. Write 'https:\/\/example\.com\/moengage\.json'/
      ]
    ),
    [{ page: 'page.md' }, /^source\.page: .* Write 'https:\/\/example\.com\/ip-whitelisting/],
    [{ url: 5 }, /^source\.url: '5' is not the URL/],
    [
      { url: 'http://lists.example/x.json' },
      /^source\.url: .* Write 'https:\/\/lists\.example\/x\.json', or set allowHttp/
    ],
    [{ url: 'http://lists.example/x.json?token=1' }, /^source\.url: .* Use https, or set allowHttp: true/],
    [{ url: 'http://127.0.0.1.lists.example/' }, /allowHttp/],
    [{ url: 'https://me:secret@lists.example/x' }, /^source\.url: It carries a user name or password\. .* headers/],
    [{ url: 'https://me@lists.example/x' }, /^source\.url: It carries/],
    [{ ...https, allowHttp: 'yes' }, /^source\.allowHttp: 'yes' is not true or false/],
    [{ ...https, interval: 60 }, /^source\.interval: 60 .* Write '60s', '60m' or '60h', or another time from '1s' to/],
    [
      { page: true },
      /^source\.page: 'true' is not .* Write 'https:\/\/example\.com\/ip-whitelisting\S+mdx', or the address of .* docs\/sources\.md/
    ],
    [{ ...https, timeout: 0 }, /^source\.timeout: 0 is .* too short/],
    [{ ...https, timeout: Number.NaN }, /^source\.timeout: NaN is not a time/],
    [{ ...https, maxBytes: 0 }, /^source\.maxBytes: 0 is not a number/],
    [{ ...https, fetch: 'node-fetch' }, /^source\.fetch: 'node-fetch' is not a function/],
    [{ ...https, headers: { 'no header': 'x' } }, /^source\.headers: A name of them is not allowed .* authorization/],
    [{ ...https, headers: { 'x-key': 'a\nb' } }, /^source\.headers: The value of "x-key" is not allowed in HTTP/],
    [{ ...https, headers: null }, /^source\.headers: They are not an object/],
    [{ ...https, header: {} }, /^source\.header: .* Did you mean "headers"\?/],
    [{ load }, /^source\.name: It is missing\. Write name: 'our table'/],
    [{ name: '', load }, /^source\.name: '' is not a name/],
    [{ name: 'ours', load: 5 }, /^source\.load: 5 is not a function/],
    [
      { name: 'ours', load, interval: 10 },
      /^source\.interval: 10 is .* too short\. Write '10s', '10m', '10h' or '10d'/
    ],
    [{ name: 'ours', load, timeout: -1 }, /^source\.timeout: -1 is .* too short/],
    [{ name: 'ours', load, maxBytes: 1 }, /^source\.maxBytes: There is no option "maxBytes"/]
  ]
  for (const [source, refusal] of table) {
    const found = await refusals({ source })
    t.equal(found.length, 1, JSON.stringify(found))
    t.match(found[0], refusal)
  }
})

t.test('what a source of another kind takes may be there as undefined', async (t) => {
  const unset = { url: undefined, page: undefined, load: undefined, timeout: undefined, headers: undefined }
  const file = join(t.testdir({ 'moengage.json': JSON.stringify(sound()) }), 'moengage.json')
  for (const source of [
    { ...unset, file },
    { file: `${pathToFileURL(file)}` },
    { file: pathToFileURL(file) },
    { ...unset, file: undefined, watch: undefined, name: 'ours', load },
    {
      file: undefined,
      name: undefined,
      watch: undefined,
      page: undefined,
      ...https,
      fetch: async () => Response.json(sound())
    }
  ]) {
    t.strictSame(await refusals({ source }), [], JSON.stringify(source))
  }
  const page = { ...unset, file: undefined, verify: undefined, name: undefined, page: https.url, interval: 'x' }
  t.match(await refusals({ source: page }), [/^source\.interval: 'x' is not a time/])
  t.match(await refusals({ source: { file, ulr: undefined } }), [/^source\.ulr: There is no option "ulr" here/])
})

t.test('times of a source are numbers of milliseconds or texts with a unit', async (t) => {
  for (const source of [
    { name: 'ours', load, interval: '1h', timeout: '5s' },
    { name: 'ours', load, interval: 3_600_000, timeout: 5_000 }
  ] as const) {
    const guard = await loadGuard({ dataCenters: 'DC-01', source })
    t.strictSame(guard.status().warnings, [])
    guard.close()
  }
  const guard = await loadGuard({ dataCenters: 'DC-01', source: { name: 'ours', load, timeout: 60 } })
  t.match(guard.status().warnings, [
    { code: 'MOE_WARN_DURATION', path: 'source.timeout', fix: /^Write '60s', '60m' or '60h', or '60ms' if it is\.$/ }
  ])
  guard.close()
})

t.test('headers are sent as they were given, whatever they are kept in', async (t) => {
  const sent: string[] = []
  const fetch = async (_: unknown, init?: RequestInit) => {
    sent.push(new Headers(init?.headers).get('authorization') ?? '')
    return Response.json(sound())
  }
  for (const headers of [
    { authorization: 'Bearer x' },
    { Authorization: 'Bearer x' },
    new Headers({ authorization: 'Bearer x' }),
    [['authorization', 'Bearer x']],
    new Map([['authorization', 'Bearer x']]),
    { authorization: 'Bearer x', 'x-version': 2, origin: 'nullable' }
  ]) {
    const source = { ...https, fetch, headers } as GuardOptions['source']
    ;(await loadGuard({ dataCenters: 'DC-01', source })).close()
  }
  t.strictSame(sent, Array(6).fill('Bearer x'))
})

t.test('a header whose text is missing, or is none, is a mistake that shows no value', async (t) => {
  const missing =
    /^source\.headers: The value of "authorization" is missing, or a part of it \(is an environment variable missing\?\)\. Set the/
  const table: [value: unknown, refusal: RegExp][] = [
    [undefined, missing],
    [null, missing],
    [Number.NaN, missing],
    ['undefined', missing],
    ['Bearer undefined', missing],
    [' Bearer null ', missing],
    ['Token token=undefined', missing],
    ['Bearer [object Promise]', missing],
    ['[object Object]', missing],
    [Promise.reject(new Error('own')), /is a promise\. Await it/],
    [Promise.resolve('Bearer x'), /^source\.headers: The value of "authorization" is a promise\. Await it/],
    [() => 'Bearer x', /^source\.headers: .* is not a text but function\. Write \{ authorization: /],
    [{ token: 's3cret' }, /^source\.headers: .* is not a text but object\./],
    [['s3cret', 's3cret'], /^source\.headers: .* is not a text but object\./],
    [true, /^source\.headers: .* is not a text but boolean\./]
  ]
  for (const [value, refusal] of table) {
    const kept: unknown[] = [{ authorization: value }, [['authorization', value]], new Map([['authorization', value]])]
    if (typeof value === 'string') kept.push(new Headers({ authorization: value }))
    for (const headers of kept) {
      const found = await refusals({ source: { ...https, headers } })
      t.equal(found.length, 1)
      t.match(found[0], refusal, String(value))
      t.notMatch(found[0], /s3cret/)
    }
  }
  const pairs = /^source\.headers: They are neither an object of headers nor pairs of a name and a value\. Write \{/
  for (const headers of [['authorization', 's3cret'], [['s3cret']], [['a', 'b', 'c']], [null], new Set([5])]) {
    t.match(await refusals({ source: { ...https, headers } }), [pairs])
  }
})

t.test('a source may be an object of a class', async (t) => {
  class Table {
    readonly name = 'our table'
    readonly #snapshot = sound()
    load() {
      return this.#snapshot
    }
  }
  const guard = await loadGuard({ dataCenters: 'DC-01', source: new Table() })
  t.match(guard.status(), { source: 'our table', revision: 'r1' })
  guard.close()
})

t.test('an object of a class keeps what it needs to load a list', async (t) => {
  class Database implements Source {
    readonly name = 'our table'
    readonly interval = undefined
    private readonly pool: { query(): Snapshot }
    private readonly url = 'https://example.com/a.json'
    private readonly headers = { authorization: 'sesame' }
    private readonly loader = 5
    private readonly page = 1
    constructor(pool: { query(): Snapshot }) {
      this.pool = pool
    }
    load(): Snapshot {
      t.match([this.url, this.headers.authorization, this.loader, this.page], [/example/, 'sesame', 5, 1])
      return this.pool.query()
    }
  }
  const pool = { query: () => sound() }
  const guard = await loadGuard({ dataCenters: 'DC-01', source: new Database(pool) })
  t.match(guard.status(), { source: 'our table', revision: 'r1' })
  guard.close()
  const wrong = Object.assign(new Database(pool), { Timeout: '5s', intervals: '9s' })
  t.match(await refusals({ source: wrong }), [
    /^source\.Timeout: .*Did you mean "timeout"\?/,
    /^source\.intervals: .*Did you mean "interval"\?/
  ])
  const fix = 'If it is a field of the class, give it another name, or make it private: #'
  for (const name of ['verfiy', 'verifyWith', '_verify', 'publicKeys', 'publickey', 'watcg', 'batch', 'timoeut']) {
    const misspelt = Object.assign(new Database(pool), { [name]: {} })
    const [refusal, ...others] = await refusals({ source: misspelt })
    t.match(refusal, new RegExp(`^source\\.${name}: There is no option .* ${fix}${name}\\.`), name)
    t.strictSame(others, [])
  }
  const fields = { _name: 'x', _timeout: 5, _load: null, timeouts: 0, batch: 5, timeout: 5_000, watch: () => {} }
  const whole = await loadGuard({ dataCenters: 'DC-01', source: Object.assign(new Database(pool), fields) })
  whole.close()
  const derived = Object.assign(Object.create({ name: 'derived', load: () => sound() }), { verifier: {} })
  t.match(await refusals({ source: derived }), [/^source\.verifier: There is no option/])
  const other = Object.assign(Object.create({ name: 'derived', load: () => sound() }), { pool })
  t.match(await refusals({ source: other }), [/^source\.pool: There is no option/], 'of an object, not of a class')
  const { name, load } = { name: 'plain', load: () => sound() }
  t.match(await refusals({ source: { name, load, pool } }), [/^source\.pool: There is no option "pool" here/])
  t.match(await refusals({ source: { name, load, url: 'https://example.com/a.json' } }), [/It names url and load/])
})

t.test('what concerns the list is checked', async (t) => {
  const table: [options: object, refusal: RegExp][] = [
    [{ confirm: new Array(1) }, /^confirm\[0\]: undefined is not a known suspicion/],
    [{ source: { url: Object.create(null) } }, /^source\.url: .* is not the URL of a web server/],
    [{ source: { page: Object.create(null) } }, /^source\.page: .* is not the URL of a web server/],
    [{ confirm: 'shrunk' }, /^confirm: 'shrunk' is not a list of suspicions\. Write \['shrunk'\]\./],
    [{ confirm: 'wide' }, /^confirm: .* Write \['wide'\]\./],
    [
      { confirm: ['older', 'shrinked'] },
      /^confirm\[1\]: 'shrinked' is not a known suspicion\. Did you mean "shrunk"\?/
    ],
    [{ confirm: [Object.create(null)] }, /^confirm\[0\]: .* Use one of: wide, private, shrunk, grown, older, future/],
    [{ gracePeriod: -1 }, /^gracePeriod: -1 is .* too short\. Write '1d', or another time from '0ms' to/],
    [{ gracePeriod: 'a day' }, /^gracePeriod: 'a day' is not a time\. Write '1d'/],
    [{ gracePeriod: Number.POSITIVE_INFINITY }, /^gracePeriod: Infinity is not a time/],
    [{ staleAfter: 0 }, /^staleAfter: 0 is .* too short\. Write '90d'/],
    [{ staleAfter: '90' }, /^staleAfter: '90' has no unit\. Write '90s', '90m', '90h' or '90d', or another time/],
    [{ gracePeriod: '24' }, /^gracePeriod: '24' has no unit\. Write '24s', '24m', '24h' or '24d', or/],
    [{ rejectWhenStale: 'no' }, /^rejectWhenStale: 'no' is not true or false/],
    [{ onReload: 'log' }, /^onReload: 'log' is not a function\. Write \(error, status\) => /]
  ]
  for (const [options, refusal] of table) {
    const found = await refusals(options)
    t.equal(found.length, 1, JSON.stringify(found))
    t.match(found[0], refusal)
  }
})

t.test('a source is named in the status', async (t) => {
  const path = `${t.testdir({ 'list.json': JSON.stringify(sound()) })}/list.json`
  const answers = async () => Response.json(sound())
  const table: [source: GuardOptions['source'], name: string][] = [
    [undefined, 'bundled snapshot'],
    ['bundled', 'bundled snapshot'],
    [{ name: 'our table', load }, 'our table'],
    [load, 'load'],
    [async () => sound(), 'loader'],
    [{ file: path }, path],
    [{ file: pathToFileURL(path) }, path],
    [{ url: 'https://lists.example/a/b.json?token=1#x', fetch: answers }, 'https://lists.example/a/b.json'],
    [{ url: new URL('http://lists.example'), fetch: answers, allowHttp: true }, 'http://lists.example/'],
    [{ url: 'http://localhost:1/', fetch: answers }, 'http://localhost:1/'],
    [{ url: 'http://127.1/', fetch: answers }, 'http://127.0.0.1/'],
    [{ url: 'http://[::1]/', fetch: answers }, 'http://[::1]/']
  ]
  for (const [source, name] of table) {
    const guard = await loadGuard({ dataCenters: 'DC-01', source })
    t.equal(guard.status().source, name)
    guard.close()
  }
})

t.test('createGuard takes a source that answers at once, and says what to use for others', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', source: () => sound() })
  t.equal(guard.status().revision, 'r1')
  guard.close()
  let signal: AbortSignal | undefined
  const late = async (given: AbortSignal) => {
    signal = given
    return sound()
  }
  for (const source of [late, { file: 'list.json' }, { ...https, fetch: async () => Response.json(sound()) }]) {
    t.throws(() => createGuard({ dataCenters: 'DC-01', source }), { code: 'MOE_ERR_SOURCE', fix: /await loadGuard/ })
  }
  t.equal(signal?.aborted, true, 'nobody waits for it')
})

t.test('what a source throws at once leaves nothing behind that ends a process', async (t) => {
  const rejected = () => Promise.reject(new Error('own'))
  for (const thrown of [rejected, () => [rejected()]]) {
    const load = () => {
      throw thrown()
    }
    t.throws(() => createGuard({ dataCenters: 'DC-01', source: load }), { code: 'MOE_ERR_SOURCE' })
    await untilRejected()
  }
})

t.test('a list with places that nothing stands in is refused before they are read', async (t) => {
  const rows = Object.assign([], { length: 2 ** 32 - 1 })
  t.throws(() => createGuard({ dataCenters: 'DC-01', source: () => ({ ...sound(), rows }) }), {
    code: 'MOE_ERR_SOURCE',
    message: /more than 20000 values/
  })
})

t.test('a source may fail in every way that a function can', async (t) => {
  const table: [load: () => unknown, message: RegExp][] = [
    [() => failingThenable('own'), /failed: own\./],
    [() => Promise.reject(unreadableErrors()[0]), /failed: Error\./],
    ...HIDDEN_REJECTIONS.map(([, make]): [load: () => unknown, message: RegExp] => [make, /failed: /]),
    [() => Promise.reject(null), /failed: What was thrown is not an error\./],
    [() => Promise.reject(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })), /failed: ECONNREFUSED\./],
    [() => Promise.reject(new Error('postgres://user:hunter2@db/?password=hunter2')), /^(?!.*hunter2).*…@db\/\?…/],
    [() => Promise.reject(new Error('a\u202eb\u009bc')), /a\\u\{202e\}b\\u\{9b\}c/]
  ]
  for (const [load, message] of table) {
    await t.rejects(loadGuard({ dataCenters: 'DC-01', source: load as never }), { code: 'MOE_ERR_SOURCE', message })
    await untilRejected()
  }
})

const rejected = () => Promise.reject(new Error('away'))

/** A snapshot with everything that there may be, and long enough for pauses while it is read. */
const whole = () => ({
  provenance: { page: 'a test', revision: 'r1', retrieved: '2026-11-20', checked: '2026-11-21' },
  rows: [
    { dataCenter: 'DC-01', channel: 'content-api', addresses: { derivedFrom: ['connector', 'sms'] } },
    {
      dataCenter: 'DC-01',
      channel: 'connector',
      addresses: Array.from({ length: 8_000 }, (_, i) => `9.9.${i >> 8}.${i & 255}`)
    },
    { dataCenter: 'DC-01', channel: 'sms', addresses: 'NA' }
  ],
  unknown: [{ dataCenter: 'DC-99', name: 'Telex', addresses: ['9.9.9.9'] }],
  notes: [{ address: '9.9.9.9', dataCenter: 'DC-01', text: 'Doubtful.' }]
})

const PARTS_OF_A_SNAPSHOT = [
  'provenance',
  'provenance.page',
  'provenance.revision',
  'provenance.retrieved',
  'provenance.checked',
  'rows',
  'rows.0',
  'rows.0.dataCenter',
  'rows.0.channel',
  'rows.0.addresses',
  'rows.0.addresses.derivedFrom',
  'rows.0.addresses.derivedFrom.1',
  'rows.1.addresses.0',
  'rows.1.addresses.7999',
  'unknown',
  'unknown.0',
  'unknown.0.dataCenter',
  'unknown.0.name',
  'unknown.0.addresses',
  'unknown.0.addresses.0',
  'notes',
  'notes.0',
  'notes.0.address',
  'notes.0.dataCenter',
  'notes.0.text'
]

t.test('a promise in the place of any part of a snapshot is named, and ends no process', async (t) => {
  ;(await loadGuard({ dataCenters: 'DC-01', source: () => whole() as never })).close()
  for (const part of PARTS_OF_A_SNAPSHOT) {
    // Whichever of the two is named, the other one is left.
    const snapshot = () => ({ ...replaced(whole(), part, rejected()), further: { inside: [rejected()] } })
    const path = part.replace('derivedFrom.1', 'derivedFrom').replaceAll(/\.(\d+)/g, '[$1]')
    const message = `- ${path}: It is a promise. Await it before you pass it.`
    const load = async () => snapshot() as never
    for (const source of [load, { name: 'ours', load }]) {
      const error = await loadGuard({ dataCenters: 'DC-01', source }).catch((error) => error)
      t.ok(error.message.includes(message), `${part}: ${error.message}`)
    }
    t.throws(() => createGuard({ dataCenters: 'DC-01', source: () => snapshot() as never }), { code: 'MOE_ERR_SOURCE' })
    const guard = await loadGuard({ dataCenters: 'DC-01', watch: load })
    for (let i = 0; i < 200 && guard.status().watch?.error === null; i++) await untilRejected()
    t.ok(guard.status().watch?.error?.includes(message), part)
    guard.close()
    await untilRejected()
  }
})

t.test('promises that nobody reads in what a source returns end no process', async (t) => {
  const table: [what: string, returned: () => unknown, message: RegExp | null][] = [
    ['beside a sound list', () => ({ ...sound(), further: rejected() }), null],
    [
      'in a list of an object of a class',
      () => Object.assign(new (class {})(), sound(), { rows: rejected() }),
      /rows: It/
    ],
    ['in a module', () => ({ default: rejected() }), /It returned a module/],
    ['in a Response', () => ({ json: () => {}, body: rejected() }), /It returned a Response/],
    [
      'in a list that is too long',
      () => ({ ...sound(), rows: Array(30_000).fill(rejected()) }),
      /more than 20000 values/
    ],
    ['in a list that is too deep', () => ({ rows: [[[[[[[[[[[[rejected()]]]]]]]]]]]] }), /deeper than 10 levels/]
  ]
  for (const [what, returned, message] of table) {
    const loading = loadGuard({ dataCenters: 'DC-01', source: async () => returned() as never })
    if (message === null) (await loading).close()
    else await t.rejects(loading, { message }, what)
    await untilRejected()
  }
  const late = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30))
    return { ...sound(), rows: rejected() } as never
  }
  const source = { name: 'late', load: late, timeout: 10 }
  await t.rejects(loadGuard({ dataCenters: 'DC-01', source }), { message: /did not answer within 10 ms/ })
  await new Promise((resolve) => setTimeout(resolve, 50))
})

t.test('a snapshot of a directory that holds promises is refused, and ends no process', async (t) => {
  for (const make of [() => replaced(sound(), 'rows', rejected()), rejected]) {
    t.throws(() => new Directory(make() as never), {
      code: 'MOE_ERR_SNAPSHOT',
      message: /Await it before you pass it\./
    })
    await untilRejected()
  }
})

t.test('a list whose derived cells make too many entries is refused', async (t) => {
  const addresses = Array.from({ length: 11_000 }, (_, i) => `9.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
  const list = {
    provenance: { page: 'a test', revision: 'r1', retrieved: '2026-11-20' },
    rows: [
      { dataCenter: 'DC-01', channel: 'connector', addresses },
      { dataCenter: 'DC-01', channel: 'content-api', addresses: { derivedFrom: ['connector'] } }
    ]
  }
  t.throws(() => createGuard({ dataCenters: 'DC-01', source: { name: 'ours', load: () => list as never } }), {
    code: 'MOE_ERR_SOURCE',
    message: /more than 20,?000 entries/
  })
})

t.test('what a function returned instead of a snapshot is named in one sentence, with what to return', async (t) => {
  const json = JSON.stringify(sound())
  const bytes = new TextEncoder().encode(json)
  const table: [returned: unknown, what: string, fix: RegExp][] = [
    [new Response(json), 'a Response', /^return await response\.json\(\)$/],
    [json, 'a text', /^return JSON\.parse\(text\)$/],
    [bytes, 'bytes', /^return JSON\.parse\(new TextDecoder\(\)\.decode\(bytes\)\)$/],
    [Buffer.from(json), 'bytes', /TextDecoder/],
    [bytes.buffer, 'bytes', /TextDecoder/],
    [{ default: sound() }, 'a module', /^return its default export$/],
    [undefined, 'nothing', /^return the snapshot$/],
    [null, 'null', /^return \{ provenance, rows \}$/],
    [() => sound(), 'a function', /^call it/],
    [['9.9.9.9'], `['9.9.9.9']`, /^return \{ provenance, rows \}$/],
    [{ dsn: 'postgres://me:sesame@db' }, '{ dsn }', /^return \{ provenance, rows \}$/],
    [5, '5', /^return \{ provenance, rows \}$/]
  ]
  for (const [returned, what, fix] of table) {
    const load = () => returned as never
    for (const source of [load, async () => load(), { name: 'load', load }]) {
      const { message } = await loadGuard({ dataCenters: 'DC-01', source }).catch((error) => error)
      const [, named, write] = /failed: It returned (.*) instead of a snapshot: (.*)\. Look at/.exec(message) ?? []
      t.equal(named, what)
      t.match(write, fix)
    }
    t.throws(() => createGuard({ dataCenters: 'DC-01', source: load }), { message: /instead of a snapshot/ })
  }
})
