import { connect } from 'node:http2'
import t from 'tap'
import { directory } from '../../src/core.js'
import { rowName } from '../../src/directory/names.js'
import { ADAPTERS, type CommonOptions } from '../support/adapters.js'
import { SAMPLES, SCENARIOS } from '../support/fixtures.js'
import { type Answer, send } from '../support/http.js'

type Outgoing = {
  method?: string
  path?: string
  headers?: Record<string, string | string[]>
  body?: string | undefined
}

/** The same request over HTTP/2. */
function sendHttp2(port: number, { method = 'GET', path = '/', headers = {}, body }: Outgoing): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`)
    const { host: _, connection: __, ...others } = headers
    const stream = session.request({ ':method': method, ':path': path, ...others }, { endStream: false })
    let answer: Answer = { status: 0, body: '', headers: {} }
    session.on('error', reject)
    stream.on('error', reject)
    stream.on('response', (head) => {
      answer = { status: Number(head[':status']), body: '', headers: head }
    })
    stream.setEncoding('utf8').on('data', (chunk) => {
      answer.body += chunk
    })
    stream.on('end', () => session.close(() => resolve(answer)))
    stream.end(body)
  })
}

for (const adapter of ADAPTERS) {
  const request = (port: number, outgoing: Outgoing) =>
    adapter.http2 ? sendHttp2(port, outgoing) : send({ port }, outgoing)

  t.test(adapter.name, async (t) => {
    t.teardown(() => adapter.stop?.())
    t.test('ends every spoofing scenario as it must', async (t) => {
      for (const { id, peer, headers, config, client, must_be } of SCENARIOS) {
        const { header, trusted: trustedProxies, allow, deny = [], requireHeader = false } = config
        const clientIp = { header, trustedProxies, requireHeader }
        const options = { dataCenters: 'DC-01', clientIp, allow, deny } as const
        const { port, takeVerdict } = await adapter.start(t, options, peer)
        const sent: Record<string, string[]> = {}
        for (const [name, value] of headers) {
          const key = name.toLowerCase()
          sent[key] = [...(sent[key] ?? []), value]
        }
        const { status, body } = await request(port, { headers: { ...sent, connection: 'close' } })
        t.equal(status, must_be === 'accepted' ? 200 : 403, id)
        const verdict = await takeVerdict()
        t.match(verdict, { verified: must_be === 'accepted', clientIp: client, peer: peer || null }, id)
        if (must_be === 'rejected') t.strictSame(JSON.parse(body), adapter.rejected, id)
        else t.strictSame(JSON.parse(body).verdict, JSON.parse(JSON.stringify(verdict)), id)
      }
    })

    t.test('takes every documented request from its own row of its own data center', async (t) => {
      const options: CommonOptions = { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } }
      const { port, takeVerdict } = await adapter.start(t, options)
      for (const { sample } of SAMPLES) {
        const { method, path, headers, body, _meta } = sample
        const addressOf = (dataCenter: string) =>
          directory.entries
            .find(({ grant }) => rowName(grant.channel) === _meta.allowlistRow && grant.dataCenter === dataCenter)!
            .prefix.address.toString()
        const text = body === null ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
        const length: Record<string, string> = text ? { 'content-length': `${Buffer.byteLength(text)}` } : {}
        const from = (clientIp: string) =>
          request(port, {
            method,
            path,
            // A form or a plain text has no parser here; what counts is that the body arrives.
            headers: { ...headers, ...length, 'content-type': 'application/json', 'x-forwarded-for': clientIp },
            body: text
          })
        const what = `${method} ${path}`
        if (headers['content-type'] === undefined || headers['content-type'].includes('json')) {
          const own = addressOf('DC-01')
          const { status, body } = await from(own)
          t.equal(status < 300, true, what)
          t.match(JSON.parse(body).verdict, { verified: true, clientIp: own, dataCenter: 'DC-01' }, what)
        }
        const table: [clientIp: string, reason: string][] = [
          [addressOf('DC-03'), 'other-data-center'],
          ['198.51.100.7', 'not-listed'],
          [`${addressOf('DC-01')}, 198.51.100.7`, 'not-listed'],
          [`${addressOf('DC-01')}, unknown`, 'unresolved']
        ]
        for (const [clientIp, reason] of table) {
          const { status, body } = await from(clientIp)
          t.equal(status, 403, `${what} from ${clientIp}`)
          t.strictSame(JSON.parse(body), adapter.rejected)
          t.match(await takeVerdict(), { verified: false, reason }, `${what} from ${clientIp}`)
        }
      }
    })

    t.test('lets a route be narrower', async (t) => {
      const options: CommonOptions = { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } }
      const { port, takeVerdict } = await adapter.start(t, options)
      const post = (path: string, clientIp: string) =>
        request(port, {
          method: 'POST',
          path,
          headers: { 'x-forwarded-for': clientIp, 'content-type': 'application/json' },
          body: '{}'
        })
      const [segments] = directory.select({ dataCenters: 'DC-01', channels: 'segment-sync' })
      t.equal((await post('/segments', `${segments!.prefix.address}`)).status < 300, true)
      t.equal((await post('/segments', '52.1.205.204')).status, 403)
      t.match(await takeVerdict(), { reason: 'other-channel' })
      t.equal((await post('/others', '52.1.205.204')).status < 300, true)
    })
  })
}
