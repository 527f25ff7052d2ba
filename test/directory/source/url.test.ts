import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { Guard, UrlSource } from '../../../src/core.js'
import { loadGuard } from '../../../src/guard/create-guard.js'
import { consoleLogger } from '../../../src/log/console-logger.js'
import { TestClock } from '../../support/clock.js'
import { failingThenable, replaced, thenable, untilRejected } from '../../support/failures.js'
import { guarded } from '../../support/guarded.js'
import { freePort, until } from '../../support/http.js'
import { FOUR, sound } from '../../support/snapshots.js'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server that answers as it is told, and remembers what it was asked. */
async function serving(t: Test, first: Answer) {
  const server = { answer: first, requests: [] as IncomingMessage['headers'][], url: '' }
  const http = createServer((request, response) => {
    server.requests.push(request.headers)
    server.answer(request, response)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/moengage.json`
  t.teardown(() => {
    http.closeAllConnections()
    http.close()
  })
  return server
}

const list =
  (revision: string, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(200, headers).end(JSON.stringify(sound({ revision })))
  }

async function asking(t: Test, source: UrlSource) {
  const clock = new TestClock('2026-11-23T12:00:00Z')
  const told: (string | null)[] = []
  const onReload = (error: Error | null) => void told.push(error === null ? guard.status().revision : error.message)
  const guard: Guard = await loadGuard({ dataCenters: 'DC-01', source, onReload }, { clock })
  t.teardown(() => guard.close())
  const look = async (wait = 3_600_000) => {
    clock.pass(wait)
    await until(() => clock.waiting.length > 0)
  }
  return { guard, told, look, clock }
}

t.test('a list is asked for anew only where it has changed', async (t) => {
  const server = await serving(t, list('r1', { etag: '"one"', 'last-modified': 'Fri, 20 Nov 2026 00:00:00 GMT' }))
  const { guard, look, told, clock } = await asking(t, { url: server.url, headers: { authorization: 'Bearer x' } })
  t.match(server.requests, [{ authorization: 'Bearer x', accept: 'application/json' }])
  server.answer = (request, response) => {
    response.writeHead(request.headers['if-none-match'] === '"one"' ? 304 : 500).end()
  }
  const { loadedAt } = guard.status()
  await look()
  t.match(server.requests[1], { 'if-none-match': '"one"', 'if-modified-since': 'Fri, 20 Nov 2026 00:00:00 GMT' })
  t.match(guard.status(), { revision: 'r1', lastError: null, loadedAt: clock.now() })
  t.ok(clock.now() > loadedAt, 'that nothing has changed is a success')
  t.strictSame(told, [], 'and no news')
  server.answer = list('r2', { 'last-modified': 'Sat, 21 Nov 2026 00:00:00 GMT' })
  await look()
  t.strictSame(told, ['r2'])
  server.answer = list('r3')
  await look()
  t.notOk('if-none-match' in server.requests[3]!)
  t.match(server.requests[3], { 'if-modified-since': 'Sat, 21 Nov 2026 00:00:00 GMT' })
  await look()
  t.notOk('if-modified-since' in server.requests[4]!, 'a server that names no version is asked plainly')
})

t.test('a 304 for another version than the one that was asked about is not taken for "unchanged"', async (t) => {
  const server = await serving(t, list('r1', { etag: 'W/"one"' }))
  const { guard, look, told } = await asking(t, { url: server.url })
  server.answer = (request, response) => {
    if (request.headers['if-none-match'] === undefined) list('r2', { etag: '"two"' })(request, response)
    else response.writeHead(304, { etag: '"two"' }).end()
  }
  await look()
  t.match(guard.status(), { revision: 'r2', lastError: null })
  t.strictSame(told, ['r2'], 'it is loaded without validators')
  const { length } = server.requests
  for (const etag of ['"two"', 'W/"two"']) {
    server.answer = (_, response) => void response.writeHead(304, { etag }).end()
    await look()
  }
  t.equal(server.requests.length, length + 2, 'the same version in weak or strong form is unchanged')
  t.strictSame(told, ['r2'])
})

t.test('a list that changes twice within a second is not taken for unchanged', async (t) => {
  const now = 'Fri, 20 Nov 2026 00:00:00 GMT'
  const soon = 'Fri, 20 Nov 2026 00:00:01 GMT'
  const dates: [lastModified: string, date: string | undefined, sent: string | undefined][] = [
    [now, now, undefined],
    [now, soon, now],
    [now, 'Thu, 19 Nov 2026 00:00:00 GMT', undefined],
    [now, 'today', undefined],
    ['yesterday', soon, undefined],
    ['Fri, 20 Nov 2020 00:00:00 GMT', undefined, 'Fri, 20 Nov 2020 00:00:00 GMT'],
    [new Date(Date.now() + 60_000).toUTCString(), undefined, undefined]
  ]
  for (const [lastModified, date, sent] of dates) {
    const server = await serving(t, (request, response) => {
      response.sendDate = false
      list('r1', { 'last-modified': lastModified, ...(date !== undefined && { date }) })(request, response)
    })
    const { look } = await asking(t, { url: server.url })
    await look()
    t.equal(server.requests[1]!['if-modified-since'], sent, `${lastModified}, answered ${date}`)
  }
})

t.test('conditions among the headers of the caller are left out', async (t) => {
  const server = await serving(t, (request, response) => {
    if (request.headers['if-none-match'] === '"old"') response.writeHead(304).end()
    else list('r1')(request, response)
  })
  const headers = { 'If-None-Match': '"old"', 'If-Modified-Since': 'Fri, 20 Nov 2026 00:00:00 GMT' }
  const { guard, look } = await asking(t, { url: server.url, headers })
  await look()
  t.match(guard.status(), { revision: 'r1', lastError: null })
  for (const sent of server.requests) t.notOk('if-none-match' in sent || 'if-modified-since' in sent)
})

t.test('a list that was refused is not taken for the one in use', async (t) => {
  const server = await serving(t, list('r1', { etag: '"one"' }))
  const { guard, look, told } = await asking(t, { url: server.url })
  const shrunk: Answer = (request, response) => {
    if (request.headers['if-none-match'] === '"two"') response.writeHead(304).end()
    else response.writeHead(200, { etag: '"two"' }).end(JSON.stringify(sound({ revision: 'r2' }, ['9.9.9.1'])))
  }
  server.answer = shrunk
  for (let i = 0; i < 3; i++) await look()
  t.match(server.requests.slice(1), [
    { 'if-none-match': '"one"' },
    { 'if-none-match': '"one"' },
    { 'if-none-match': '"one"' }
  ])
  t.match(guard.status(), { revision: 'r1', lastError: /3 of the 4 addresses of DC-01 in use are gone/ })
  t.equal(told.length, 1)
  server.answer = (_, response) => void response.writeHead(304).end()
  await look()
  t.match(guard.status(), { revision: 'r1', lastError: null }, 'until the old one is back')
  t.strictSame(told.slice(1), ['r1'])
})

t.test('whatever a server does wrong, the list in use stays', async (t) => {
  const server = await serving(t, list('r1'))
  const source = { url: server.url, maxBytes: 4_096 }
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  const { guard, told, look } = await asking(t, source)
  const gone = `http://127.0.0.1:${await freePort()}/`
  const wrong: [what: string, answer: Answer, why: RegExp][] = [
    ['an error', (_, response) => void response.writeHead(500).end('oh'), /It answers with status 500\./],
    ['a 404', (_, response) => void response.writeHead(404).end(), /It answers with status 404\./],
    ['no content', (_, response) => void response.writeHead(204).end(), /It answers with status 204\./],
    ['a 304 that was not asked for', (_, response) => void response.writeHead(304).end(), /status 304\./],
    [
      'a redirect',
      (_, response) => void response.writeHead(302, { location: 'http://me:secret@169.254.169.254/?secret#x' }).end(),
      /It redirects to http:\/\/169\.254\.169\.254\/; redirects are not followed/
    ],
    ['a redirect to nowhere', (_, response) => void response.writeHead(301).end(), /It redirects; /],
    [
      'a body that is cut off',
      (_, response) => {
        response.writeHead(200, { 'content-length': '500' }).write('{"rows":[', () => response.destroy())
      },
      /failed: (terminated|other side closed)/
    ],
    [
      'a connection that is cut off',
      (request) => void request.socket.destroy(),
      /failed: fetch failed: other side closed/
    ],
    ['a body that is too large', (_, response) => void response.end(' '.repeat(4_097)), /larger than 4096 bytes/],
    [
      'a small body that decompresses to a large one',
      (_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
      },
      /larger than 4096 bytes/
    ],
    ['a body that never ends', (_, response) => endless(response), /larger than 4096 bytes/],
    ['a page', (_, response) => void response.end('<html>Sign in</html>'), /It is not JSON: .*<html>/],
    ['nothing', (_, response) => void response.end(), /It is empty\./],
    ['other JSON', (_, response) => void response.end('{"ips":["9.9.9.9"]}'), /There are no rows/]
  ]
  const errors: (string | null)[] = []
  for (const [what, answer, why] of wrong) {
    server.answer = answer
    await t.rejects(guard.reload(), { code: 'MOE_ERR_SOURCE', message: why }, what)
    t.match(guard.status(), { revision: 'r1', lastError: why }, what)
    errors.push(guard.status().lastError)
    t.equal(guard.judge({ peer: FOUR[0], headers: {} }).verified, true, what)
  }
  t.strictSame(told, [...new Set(errors)], 'each is told once')
  server.answer = list('r2')
  await look()
  t.equal(guard.status().revision, 'r2')
  await t.rejects(loadGuard({ dataCenters: 'DC-01', source: { url: gone } }), { message: /ECONNREFUSED/ })
})

t.test('a server that is slow to answer is given up, in the middle of its body too', async (t) => {
  const server = await serving(t, list('r1'))
  const { guard, told } = await asking(t, { url: server.url, timeout: 1_000 })
  const slow: Answer[] = [() => {}, (_, response) => void response.writeHead(200).write('{"rows":[')]
  for (const answer of slow) {
    server.answer = answer
    await t.rejects(guard.reload(), { code: 'MOE_ERR_SOURCE', message: /It did not answer within 1000 ms\./ })
    t.equal(guard.judge({ peer: FOUR[0], headers: {} }).verified, true)
  }
  t.equal(told.length, 1)
})

function endless(response: ServerResponse): void {
  response.writeHead(200)
  const more = () => {
    while (!response.destroyed && response.write(' '.repeat(1_024)));
  }
  response.on('drain', more)
  more()
}

t.test('after a failure it is asked sooner, then ever more rarely, and never by all at once', async (t) => {
  const server = await serving(t, list('r1'))
  const { look, clock, told } = await asking(t, { url: server.url, interval: 100_000 })
  const isWithin = ([wait]: number[], least: number, most: number) => t.ok(wait! > least && wait! <= most, `${wait}`)
  isWithin(clock.waiting, 90_000, 100_000)
  server.answer = (_, response) => void response.writeHead(503).end()
  for (const most of [10_000, 20_000, 40_000, 80_000, 100_000, 100_000]) {
    await look()
    isWithin(clock.waiting, most / 2, most)
  }
  t.equal(told.length, 1, 'the same failure is told once')
  server.answer = (_, response) => void response.writeHead(404).end()
  await look()
  t.equal(told.length, 2)
  server.answer = list('r1')
  await look()
  isWithin(clock.waiting, 90_000, 100_000)
  t.strictSame(told.slice(2), ['r1'])
})

t.test('what to fetch with can be chosen', async (t) => {
  const asked: { url: string; redirect: unknown; accept: unknown }[] = []
  let answer = (): Response => Response.json(sound())
  const fetch = async (url: unknown, { redirect, headers }: RequestInit = {}) => {
    asked.push({ url: String(url), redirect, accept: new Headers(headers).get('accept') })
    return answer()
  }
  const headers = { accept: 'application/vnd.list+json' }
  const source = { url: 'https://lists.example/list?token=1', fetch: fetch as typeof globalThis.fetch, headers }
  const { guard } = await asking(t, source)
  t.strictSame(asked, [{ url: source.url, redirect: 'manual', accept: headers.accept }])
  const table: [answer: () => Response, why: RegExp][] = [
    // As browsers answer where redirects are not to be followed.
    [() => Object.defineProperty(new Response(null), 'status', { value: 0 }), /It redirects; /],
    [() => new Response(null), /It is empty\./],
    [
      () => {
        throw new Error('fetch failed', { cause: Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }) })
      },
      /"https:\/\/lists\.example\/list" failed: fetch failed: ECONNREFUSED\./
    ]
  ]
  for (const [wrong, why] of table) {
    answer = wrong
    await t.rejects(guard.reload(), { message: why })
  }
})

/** What pino, the console of a Worker and `console.error` write about an error. */
function written(t: Test, error: Error): string {
  let text = inspect(error, { depth: 9, showHidden: true })
  const write = (line: string) => {
    text += line
  }
  const { restore } = t.capture(console, 'error', write)
  consoleLogger().error({ err: error }, 'failed')
  restore()
  pino({ base: null }, { write }).error(error)
  return text
}

t.test('no secret of the URL, its headers or the error of a fetch is logged or thrown', async (t) => {
  const url = 'https://lists.example/list?token=sEsAmE%2B99&short=1'
  const headers = { authorization: 'Bearer oPeN.sEsAmE-1', 'x-key': 'sEsAmE with spaces', accept: 'application/json' }
  const axiosLike = { config: { url, headers }, request: { path: '/list?token=sEsAmE%2B99' }, code: 'ERR_NETWORK' }
  const thrown: [what: string, error: unknown, message: RegExp][] = [
    ['the URL', new Error(`request to ${url} failed`), /request to https:\/\/lists\.example\/list\?… failed\./],
    ['its query', new Error('no /list?token=sEsAmE%2B99'), /no \/list\?… Look/],
    ['a token', new Error('sEsAmE+99 is over (sEsAmE%2B99)'), /… is over \(…\)/],
    ['a header', new Error('Bearer oPeN.sEsAmE-1 is refused'), /failed: … is refused\./],
    ['a part of a header', new Error('unknown: oPeN.sEsAmE-1, sEsAmE with spaces'), /unknown: …, … Look/],
    ['properties', Object.assign(new Error('Network Error'), axiosLike), /Network Error\./],
    ['a cause', new TypeError('fetch failed', { cause: Object.assign(new Error(url), axiosLike) }), /fetch failed: /],
    ['an own class', Object.assign(new Error('x'), { name: `Error of ${url}`, code: url }), /x\./],
    ['a text', url, /failed: https:\/\/lists\.example\/list\?…/],
    ['an object', axiosLike, /failed: ERR_NETWORK\./],
    ['other content', new Error('It is not application/json'), /not application\/json\./]
  ]
  for (const [what, error, message] of thrown) {
    const fetch = () => Promise.reject(error)
    const failure = await loadGuard({ dataCenters: 'DC-01', source: { url, headers, fetch } }).catch((error) => error)
    t.match(failure, { code: 'MOE_ERR_SOURCE', message }, what)
    t.notMatch(written(t, failure), /sEsAmE/, what)
  }
})

t.test('the error of a source has a cause that says where its function failed', async (t) => {
  const load = () => Promise.reject(Object.assign(new TypeError('postgres://me:sesame@db refused'), { code: 'E_DB' }))
  const failure = await loadGuard({ dataCenters: 'DC-01', source: load }).catch((error) => error)
  const { cause } = failure
  t.ok(cause instanceof Error)
  t.match(cause, { name: 'TypeError', message: 'postgres://…@db refused', code: 'E_DB', stack: /at load .*url\.test/ })
  t.notMatch(written(t, failure), /sesame/)
})

t.test('the body of an answer that is not read is ended, whoever made it', async (t) => {
  let body: unknown = null
  let status = 200
  const answer = () =>
    status === 200 ? Response.json(sound(), { headers: { etag: '"1"' } }) : { status, headers: new Headers(), body }
  const fetch = (async () => answer()) as typeof globalThis.fetch
  const { guard } = await asking(t, { url: 'https://lists.example/', fetch })
  const readable = new Readable({ read() {} })
  const failing = new Readable({ read() {}, destroy: (_, done) => done(new Error('cut off')) })
  const web = new ReadableStream()
  const locked = new ReadableStream()
  locked.getReader()
  for (status of [304, 503]) {
    for (body of [Readable.from([]), Readable.from(['x']), readable, failing, web, locked, null]) {
      const reload = guard.reload()
      if (status === 304) t.match(await reload, { lastError: null })
      else await t.rejects(reload, { message: /It answers with status 503\./ })
    }
  }
  t.ok(readable.destroyed && failing.destroyed)
  t.equal((await web.getReader().read()).done, true)
})

t.test('a fetch that returns no Response is refused in one sentence', async (t) => {
  const axiosLike = { status: 200, data: sound(), headers: {} }
  const table: [answer: unknown, what: RegExp][] = [
    [axiosLike, /\{ status, data, headers \}/],
    [{ ...axiosLike, headers: new Headers() }, /\{ status, data, headers \}/],
    [{ headers: new Headers(), body: null }, /\{ headers, body \}/],
    [undefined, /undefined/],
    [null, /null/],
    ['{}', /'\{\}'/]
  ]
  const refusal = (answer: unknown) => {
    const fetch = (async () => answer) as typeof globalThis.fetch
    return loadGuard({ dataCenters: 'DC-01', source: { url: 'https://lists.example/', fetch } })
  }
  for (const [answer, what] of table) {
    const sentence =
      /failed: Your fetch returned (.*), not a Response: return new Response\(body, \{ status, headers \}\)/
    const { message } = await refusal(answer).catch((error) => error)
    t.match(sentence.exec(message)?.[1], what)
  }
  const { status, data, headers } = axiosLike
  ;(await refusal(new Response(JSON.stringify(data), { status, headers }))).close()
})

t.test('a fetch, headers and a body that are like promises, or iterated in an odd way, end no process', async (t) => {
  const again: PromiseLike<never> = thenable((resolve) => resolve(again))
  const json = new TextEncoder().encode(JSON.stringify(sound({ revision: 'r2' })))
  const answer = (parts: object) => ({ status: 200, headers: new Headers(), body: null, ...parts })
  const body = (iterator: () => unknown) => answer({ body: { [Symbol.asyncIterator]: iterator } })
  const headers = (get: (name: string) => unknown) => answer({ headers: { get }, body: new Response(json).body })
  let ended = 0
  const table: [what: string, answer: () => unknown, error: RegExp | null][] = [
    ['a then that rejects', () => failingThenable('own'), /failed: own\./],
    ['a promise for itself', () => again, /fulfilled with a further one 100 times/],
    ['an iterator that is like a promise', () => body(() => failingThenable('own')), /failed: own\./],
    ['no iterator', () => body(() => ({})), /next is not a function\./],
    ['a next that is like a promise', () => body(() => ({ next: () => failingThenable('own') })), /failed: own\./],
    [
      'a chunk that is',
      () => body(() => ({ next: () => ({ value: failingThenable('own') }), return: () => void ended++ })),
      /failed: own\./
    ],
    [
      'a body that is too large, and cannot be ended',
      () => body(() => ({ next: () => ({ value: new Uint8Array(5_000) }), return: () => failingThenable('end') })),
      /larger than 4096 bytes/
    ],
    [
      'a body that is too large, without a return',
      () => body(() => ({ next: () => ({ value: new Uint8Array(5_000) }) })),
      /larger than 4096 bytes/
    ],
    ['headers that are like promises', () => headers(() => failingThenable('own')), /have \{\} as "etag", not a text/],
    ['headers that reject', () => headers(async () => throwing()), /have a promise as "etag"/],
    ['headers that are lists', () => headers(() => ['a']), /have \['a'\] as "etag", not a text or null/],
    ['headers of a map', () => headers(() => undefined), null],
    [
      'a body of a generator',
      () =>
        body(async function* () {
          yield json
        }),
      null
    ]
  ]
  for (const [what, next, error] of table) {
    let answers = 0
    const fetch = (() => (answers++ === 0 ? new Response(JSON.stringify(sound())) : next())) as never
    const guard = await loadGuard({
      dataCenters: 'DC-01',
      source: { url: 'https://lists.example/', fetch, maxBytes: 4096 }
    })
    const failure = await guard.reload().then(
      () => null,
      ({ message }) => message
    )
    if (error === null) t.equal(failure, null, what)
    else t.match(failure, error, what)
    guard.close()
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(ended, 1, 'what has not ended by itself is ended')
})

t.test('a promise in the place of any part of a Response is named, and ends no process', async (t) => {
  const rejected = () => Promise.reject(new Error('away'))
  const bytes = new TextEncoder().encode(JSON.stringify(sound()))
  const response = () => ({ status: 200, headers: new Headers(), body: new Response(bytes).body as unknown })
  const got = (name: string, value: () => unknown) => ({
    ...response(),
    headers: { get: (asked: string) => (asked === name ? value() : null) }
  })
  const chunks = (next: () => unknown) => ({ ...response(), body: { [Symbol.asyncIterator]: () => ({ next }) } })
  const instead = (part: string) =>
    new RegExp(`an object whose ${part} is a promise, .* await it, and return new Response`)
  const header = (name: string) => new RegExp(`have a promise as "${name}", .* Await it`)
  class Own {
    readonly [name: string]: unknown
    constructor(parts: object) {
      Object.assign(this, parts)
    }
  }
  const failing = () => {
    const body = new Readable({ read() {} })
    setImmediate(() => body.destroy(new Error('reset')))
    return body
  }
  const table: [what: string, answer: () => object, error: RegExp][] = [
    ...['status', 'headers', 'body'].flatMap((part): [string, () => object, RegExp][] => [
      [part, () => replaced(response(), part, rejected()), instead(part)],
      [`${part} of a class`, () => new Own(replaced(response(), part, rejected())), instead(part)]
    ]),
    ['all of them', () => new Own({ status: rejected(), headers: rejected(), body: rejected() }), instead('status')],
    [
      'what is beside a body that is none',
      () => ({ ...response(), body: 'text', data: [rejected()] }),
      /not a Response/
    ],
    [
      'the status, with a stream of Node that breaks',
      () => ({ ...response(), status: rejected(), body: failing() }),
      instead('status')
    ],
    [
      'a header, with a stream of Node that breaks',
      () => ({ ...got('etag', rejected), body: failing() }),
      header('etag')
    ],
    ...['etag', 'last-modified'].map((name): [string, () => object, RegExp] => [
      name,
      () => got(name, rejected),
      header(name)
    ]),
    ['a header in a list', () => got('etag', () => [rejected()]), /have \[\{…\}\] as "etag"/],
    ['a chunk in a list', () => chunks(() => ({ value: [rejected()] })), /has \[\{…\}\] in it, not bytes\./],
    ['a chunk that is a text', () => chunks(() => ({ value: '{}' })), /has '\{\}' in it, not bytes\./],
    ['what the end of a body comes with', () => chunks(() => ({ done: true, value: rejected() })), /It is empty/],
    [
      'a status that is not 200, and a header',
      () => ({ ...got('location', rejected), status: 302 }),
      header('location')
    ]
  ]
  for (const [what, answer, message] of table) {
    const source = { url: 'https://lists.example/', fetch: (async () => answer()) as never }
    await t.rejects(loadGuard({ dataCenters: 'DC-01', source }), { message }, what)
    await untilRejected()
  }
})

t.test('the body of an own fetch may come as buffers', async (t) => {
  const bytes = new TextEncoder().encode(JSON.stringify(sound({ revision: 'buffers' })))
  async function* body() {
    for (let i = 0; i < bytes.length; i += 100) yield bytes.slice(i, i + 100).buffer
  }
  const answer = { status: 200, headers: new Headers(), body: body() }
  const guard = await loadGuard({
    dataCenters: 'DC-01',
    source: { url: 'https://lists.example/', fetch: (async () => answer) as never }
  })
  t.teardown(() => guard.close())
  t.equal(guard.status().revision, 'buffers')
})

function throwing(): never {
  throw new Error('own')
}

t.test('a fetch that pays no heed to its signal changes nothing when it answers late', async (t) => {
  const late: ((answer: Response) => void)[] = []
  const fetch = (() => new Promise((resolve) => late.push(resolve))) as unknown as typeof globalThis.fetch
  const versioned = (revision: string) => Response.json(sound({ revision }), { headers: { etag: `"${revision}"` } })
  const loading = asking(t, { url: 'https://lists.example/', fetch, timeout: 50 })
  late[0]!(versioned('r1'))
  const { guard } = await loading
  await t.rejects(guard.reload(), { message: /did not answer within 50 ms/ })
  const newer = guard.reload()
  late[2]!(versioned('r3'))
  late[1]!(versioned('r2'))
  t.match(await newer, { revision: 'r3' })
  await new Promise((resolve) => setImmediate(resolve))
  t.match(guard.status(), { revision: 'r3' })
})

t.test('a guarded Fastify keeps serving while its server is away', async (t) => {
  const server = await serving(t, list('r1'))
  const { app, lines } = await guarded({ source: { url: server.url, interval: '1s' } })
  server.answer = (_, response) => void response.writeHead(502).end()
  await until(() => app.moengage!.status().lastError !== null)
  t.match((await app.inject({ url: '/', remoteAddress: FOUR[0]! })).json(), { verified: true, revision: 'r1' })
  t.match(
    lines.filter(({ level }) => level >= 50),
    [{ level: 50, msg: /^The list in use stays, revision r1 of 2026-11-20\. .* It answers with status 502\./ }]
  )
  // A load that is under way when the server stops is given up, and told to nobody.
  server.answer = () => {}
  const before = server.requests.length
  const reload = app.moengage!.reload()
  await until(() => server.requests.length > before)
  await Promise.all([t.rejects(reload, { message: /The guard is closed/ }), app.close()])
  t.equal(lines.filter(({ level }) => level >= 50).length, 1)
})
