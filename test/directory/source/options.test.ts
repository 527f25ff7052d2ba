import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import t from 'tap'
import { createGuard, type GuardOptions, loadGuard } from '../../../src/core.js'
import { sound } from '../../support/snapshots.js'

/** What options are refused for, as `path: message fix`. */
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
    ['https://lists.example/moengage.json', /^source: 'https:.*' is no source\. Write 'bundled', \{ file:/],
    [null, /^source: null is no source/],
    [{}, /^source: An object with \[\] is no source/],
    [{ fil: 'x.json' }, /^source: An object with \[ 'fil' \] is no source/],
    [{ file: 'x.json', ...https }, /^source: It names file and url: a list comes from one place\. Keep one/],
    [{ file: 'x.json', load }, /names file and load/],
    [{ file: '' }, /^source\.file: '' is no path\. Write it like '\.\/moengage\.json'/],
    [{ file: 5 }, /^source\.file: 5 is no path/],
    [{ file: 'https://lists.example/x.json' }, /^source\.file: .* is no path/],
    [{ file: new URL('https://lists.example/x.json') }, /^source\.file: .* is no path/],
    [{ file: 'x.json', intervall: 1000 }, /^source\.intervall: .* Did you mean "interval"\?/],
    [{ file: 'x.json', timeout: 1000 }, /^source\.timeout: There is no option "timeout"/],
    [{ file: 'x.json', interval: 5 }, /^source\.interval: 5 is not a number of milliseconds .* from 100 to 2147483647/],
    [{ file: 'x.json', maxBytes: '1MB' }, /^source\.maxBytes: '1MB' is not a number of bytes/],
    [{ url: 'lists.example/x.json' }, /^source\.url: .* is no URL of a web server\. Write it like 'https:/],
    [{ url: 'ftp://lists.example/x.json' }, /^source\.url: .* is no URL of a web server/],
    [{ url: 5 }, /^source\.url: 5 is no URL/],
    [{ url: 'http://lists.example/x.json?token=1' }, /^source\.url: Everybody on the way .* allowHttp: true/],
    [{ url: 'http://127.0.0.1.lists.example/' }, /allowHttp/],
    [{ url: 'https://me:secret@lists.example/x' }, /^source\.url: It carries a name or password\. .* headers/],
    [{ ...https, allowHttp: 'yes' }, /^source\.allowHttp: 'yes' is not true or false/],
    [{ ...https, interval: 60 }, /^source\.interval: 60 is not a number .* from 1000 to/],
    [{ ...https, timeout: 0 }, /^source\.timeout: 0 is not a number/],
    [{ ...https, timeout: Number.NaN }, /^source\.timeout: NaN is not a number/],
    [{ ...https, maxBytes: 0 }, /^source\.maxBytes: 0 is not a number/],
    [{ ...https, fetch: 'node-fetch' }, /^source\.fetch: 'node-fetch' is not a function/],
    [{ ...https, headers: { 'no header': 'x' } }, /^source\.headers: They cannot be sent: .* authorization/],
    [{ ...https, headers: null }, /^source\.headers: They cannot be sent: /],
    [{ ...https, header: {} }, /^source\.header: .* Did you mean "headers"\?/],
    [{ load }, /^source\.name: undefined is no name\. Say in a word/],
    [{ name: '', load }, /^source\.name: '' is no name/],
    [{ name: 'ours', load: 5 }, /^source\.load: 5 is not a function/],
    [{ name: 'ours', load, interval: 10 }, /^source\.interval: 10 is not a number .* from 1000/],
    [{ name: 'ours', load, timeout: -1 }, /^source\.timeout: -1 is not a number/],
    [{ name: 'ours', load, maxBytes: 1 }, /^source\.maxBytes: There is no option "maxBytes"/]
  ]
  for (const [source, refusal] of table) {
    const found = await refusals({ source })
    t.equal(found.length, 1, JSON.stringify(found))
    t.match(found[0], refusal)
  }
})

t.test('secrets of a source stand in no message', async (t) => {
  const secret = 'c2VjcmV0'
  for (const source of [
    { url: `https://me:${secret}@lists.example/` },
    { url: `http://lists.example/?token=${secret}` },
    { ...https, headers: { 'no header': secret } },
    { ...https, headers: { authorization: secret }, interval: 1 },
    { URL: 'https://lists.example/', headers: { authorization: secret } } as never
  ]) {
    await t.rejects(loadGuard({ dataCenters: 'DC-01', source }), { code: 'MOE_ERR_OPTIONS' })
    await loadGuard({ dataCenters: 'DC-01', source }).catch((error) => t.notMatch(inspect(error, { depth: 9 }), secret))
  }
})

t.test('what concerns the list is checked', async (t) => {
  const table: [options: object, refusal: RegExp][] = [
    [{ confirm: 'shrunk' }, /^confirm: 'shrunk' is no list\. Write a list: confirm: \['shrunk'\]/],
    [
      { confirm: ['older', 'shrinked'] },
      /^confirm\[1\]: 'shrinked' is nothing that can be confirmed\. Did you mean "shrunk"\?/
    ],
    [{ confirm: [Object.create(null)] }, /^confirm\[0\]: .* Use one of: wide, private, shrunk, older, future/],
    [{ gracePeriod: -1 }, /^gracePeriod: -1 is not a number of milliseconds\. .* from 0 to .* a day is 86400000/],
    [{ gracePeriod: '24h' }, /^gracePeriod: '24h' is not/],
    [{ gracePeriod: Number.POSITIVE_INFINITY }, /^gracePeriod: Infinity is not/],
    [{ staleAfter: 0 }, /^staleAfter: 0 is not a number of milliseconds\. .* from 1 to/],
    [{ rejectWhenStale: 'no' }, /^rejectWhenStale: 'no' is not true or false/],
    [{ onReload: 'log' }, /^onReload: 'log' is not a function\. Write \(error, status\) => …\./]
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
