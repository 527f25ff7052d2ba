import { createHash } from 'node:crypto'
import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { DATA_CENTERS, directory } from '../src/core.js'
import { rowName } from '../src/directory/names.js'
import { LISTED, LISTED_IN, STRANGER } from './support/addresses.js'
import { start } from './support/example.js'
import { SAMPLES, type Sample } from './support/fixtures.js'
import { send, until } from './support/http.js'

function sendAs({ method, path, headers, body }: Sample, port: number, clientIp: string, agent: Agent) {
  const text = body === null ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const length: Record<string, string> = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }
  return send(
    { port },
    { method, path, headers: { ...headers, ...length, 'x-forwarded-for': clientIp }, body: text, agent }
  )
}

/** What the page publishes for the row of a sample. */
function listed(row: string, isWanted: (dataCenter: string) => boolean) {
  return directory.entries
    .filter(({ grant }) => rowName(grant.channel) === row && isWanted(grant.dataCenter))
    .map(({ prefix }) => prefix.address.toString())
}

t.test('every documented request is answered 200 from every address of its row', async (t) => {
  const { port, rejections } = await start(t, 'webhook-server', { DATA_CENTERS: 'all' })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  t.equal(SAMPLES.length, 22)
  for (const { file, sample } of SAMPLES) {
    const addresses = listed(sample._meta.allowlistRow, () => true)
    t.ok(addresses.length > 0, file)
    const answers = await Promise.all(addresses.map((address) => sendAs(sample, port, address, agent)))
    t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]), `${file} from ${addresses}`)
  }
  t.strictSame(rejections(), [])
})

t.test('the same requests are answered 403 from elsewhere, and the log says why', async (t) => {
  const { port, rejections, output } = await start(t, 'webhook-server')
  const expected = new Set<string>()
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  for (const { file, sample } of SAMPLES) {
    const row = sample._meta.allowlistRow
    const own = listed(row, (dataCenter) => dataCenter === 'DC-01')
    const others = listed(row, (dataCenter) => dataCenter !== 'DC-01')
    t.ok(own.length > 0 && others.length > 0, file)
    const table: [clientIp: string, status: number, reason: string | undefined][] = [
      ...own.map((address) => [address, 200, undefined] as [string, number, undefined]),
      ...others.map((address) => [address, 403, 'other-data-center'] as [string, number, string]),
      [STRANGER, 403, 'not-listed'],
      [`${own[0]}, 198.51.100.7`, 403, 'not-listed'],
      [`${own[0]}, unknown`, 403, 'unresolved']
    ]
    for (const [clientIp, status, reason] of table) {
      const answer = await sendAs(sample, port, clientIp, agent)
      t.equal(answer.status, status, `${file} from ${clientIp}`)
      if (reason === undefined) continue
      t.notMatch(answer.body, /DC-|\d+\.\d+\.\d+\.\d+/, 'the answer gives nothing away')
      expected.add(`${reason === 'unresolved' ? null : clientIp.split(', ').at(-1)} ${reason}`)
    }
  }
  const told = () => new Set(rejections().map(({ moengage }) => `${moengage?.clientIp} ${moengage?.reason}`))
  await until(() => told().size === expected.size)
  t.strictSame(told(), expected, 'every sender and reason has a line')
  t.match(output(), /curl -i http:\/\/127\.0\.0\.1:\d+\/segments/)
})

t.test('a forged header from a peer that is no proxy changes nothing', async (t) => {
  const { port, rejections } = await start(t, 'webhook-server', { TRUSTED_PROXIES: '10.0.0.0/8' })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  for (const { file, sample } of SAMPLES) {
    const [address] = listed(sample._meta.allowlistRow, (dataCenter) => dataCenter === 'DC-01')
    t.equal((await sendAs(sample, port, address!, agent)).status, 403, file)
  }
  await until(() => rejections().length > 0)
  t.match(rejections(), [{ moengage: { reason: 'proxy-not-configured', clientIp: '127.0.0.1' } }])
  t.equal(rejections().length, 1, 'the same sender has one line')
})

t.test('the commands that the server prints do what they say', async (t) => {
  const { output } = await start(t, 'webhook-server')
  await until(() => /As a stranger:\n.*\n/.test(output()))
  const commands = [...output().matchAll(/curl -i (\S+) -H '([^:]+): ([^']+)' -H '([^:]+): ([^']+)' -d '([^']+)'/g)]
  const statuses = []
  for (const [, url, name, value, type, json, body] of commands) {
    const response = await fetch(url!, { method: 'POST', headers: { [name!]: value!, [type!]: json! }, body: body! })
    statuses.push(response.status)
  }
  t.strictSame(statuses, [200, 403])
})

t.test('the commands that the server prints fit the proxy that it is configured for', async (t) => {
  const table: [env: Record<string, string>, statuses: number[], text: RegExp][] = [
    [{ HEADER: 'X-Real-IP' }, [200, 403], /-H 'X-Real-IP: [\d.]+'/],
    [{ HEADER: 'forwarded' }, [200, 403], /-H 'forwarded: for=[\d.]+'/],
    [{ TRUSTED_PROXIES: '10.0.0.0/8, loopback' }, [200, 403], /As MoEngage's DC-01/],
    [
      { TRUSTED_PROXIES: '10.0.0.0/8' },
      [403],
      /No call from this machine is MoEngage's: TRUSTED_PROXIES \(10\.0\.0\.0\/8\)/
    ]
  ]
  for (const [env, statuses, text] of table) {
    const { output, child } = await start(t, 'webhook-server', env)
    await until(() => /As a stranger:\n.*\n/.test(output()))
    t.match(output(), text)
    const found: number[] = []
    for (const [line, url] of output().matchAll(/curl -i (\S+) .*/g)) {
      const headers = Object.fromEntries(
        [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name!, value!])
      )
      found.push((await fetch(url!, { method: 'POST', headers, body: '{}' })).status)
    }
    t.strictSame(found, statuses, JSON.stringify(env))
    child.kill()
  }
})

t.test('a server that is told to end ends', async (t) => {
  const { child } = await start(t, 'webhook-server')
  const ended = new Promise((resolve) => child.on('exit', resolve))
  child.kill('SIGTERM')
  t.equal(await ended, 0)
})

t.test('a flood of strangers gets few lines, and every rejection is counted in them', async (t) => {
  const { port, output, child } = await start(t, 'webhook-server')
  const agent = new Agent({ keepAlive: true, maxSockets: 20 })
  t.teardown(() => agent.destroy())
  const clients = Array.from({ length: 2000 }, (_, i) => `198.51.${i >> 8}.${i & 255}`)
  const answers = await Promise.all(
    clients.map((clientIp) =>
      send({ port }, { method: 'POST', path: '/segments', headers: { 'x-forwarded-for': clientIp }, agent })
    )
  )
  t.ok(answers.every(({ status }) => status === 403))
  const ended = new Promise((resolve) => child.on('close', resolve))
  child.kill('SIGTERM')
  await ended
  const lines = output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  const own = lines.map((line) => JSON.parse(line).moengage).filter((own) => own !== undefined)
  const told = own.flatMap(({ event, suppressed }) =>
    event === 'moengage.summary' ? [suppressed.reject['not-listed']] : [1 + suppressed]
  )
  t.equal(
    told.reduce((sum, count) => sum + count, 0),
    2000
  )
  t.ok(lines.length < 500, `${lines.length} lines`)
})

t.test('the OpenTelemetry example counts verdicts and reloads with the real SDK', async (t) => {
  const { port, output, child } = await start(t, 'opentelemetry')
  const post = (path: string, clientIp: string) =>
    send({ port }, { method: 'POST', path, headers: { 'x-forwarded-for': clientIp } })
  for (const clientIp of [LISTED, STRANGER, '198.51.100.8']) await post('/moengage/connector', clientIp)
  t.equal((await post('/reload', STRANGER)).status, 200)
  const ended = new Promise((resolve) => child.on('close', resolve))
  child.kill('SIGTERM')
  await ended
  const exported = output()
  t.match(exported, /name: 'moengage\.verdicts'/)
  t.match(exported, /result: 'verified',\s+data_centers: 'DC-01',\s+route: '\/moengage\/connector'[\s\S]*?value: 1/)
  t.match(exported, /result: 'rejected',\s+reason: 'not-listed',[\s\S]*?value: 2/)
  t.match(exported, /name: 'moengage\.reloads'[\s\S]*result: 'succeeded'/)
})

t.test('the chat example posts a digest of new rejected senders, each once', async (t) => {
  const posted: string[] = []
  const chat = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      posted.push(JSON.parse(body).text)
      response.end('ok')
    })
  })
  await new Promise<void>((resolve) => chat.listen(0, '127.0.0.1', resolve))
  t.teardown(() => chat.close())
  const { port: chatPort } = chat.address() as AddressInfo
  const { port } = await start(t, 'chat-digest', {
    CHAT_WEBHOOK: `http://127.0.0.1:${chatPort}/hook`,
    DIGEST_EVERY: '50'
  })
  const post = (clientIp: string) =>
    send({ port }, { method: 'POST', path: '/moengage/connector', headers: { 'x-forwarded-for': clientIp } })
  for (let i = 0; i < 3; i++) await post(STRANGER)
  await post(LISTED)
  await post(LISTED_IN['DC-03'])
  const lines = () => posted.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('•'))
  await until(() => lines().length === 2)
  await post('198.51.100.8')
  await until(() => lines().length === 3)
  t.strictSame(lines(), ['• 198.51.100.7: not-listed', '• 3.6.251.95: other-data-center', '• 198.51.100.8: not-listed'])
  t.match(posted.at(-1), /→ 3\.6\.251\.95 \(1 rejection\) is MoEngage DC-03, you accept DC-01/)
})

t.test('the roll-out example lets strangers through, tags them and lists them', async (t) => {
  const { port, rejections } = await start(t, 'roll-out')
  const post = (path: string, clientIp: string) =>
    send({ port }, { method: 'POST', path, headers: { 'x-forwarded-for': clientIp } })
  t.match(await post('/moengage/connector', STRANGER), { status: 200, body: '{"verified":false}' })
  t.match(await post('/moengage/connector', LISTED), { status: 200, body: '{"verified":true}' })
  t.match(await post('/segments', STRANGER), { status: 403 })
  const senders = JSON.parse((await send({ port }, { path: '/senders' })).body)
  t.match(senders, { status: { 'not-listed': 2 }, senders: [{ clientIp: STRANGER, count: 2 }] })
  await until(() => rejections().length === 2)
  t.strictSame(
    rejections().map(({ msg }) => msg),
    ['198.51.100.7 would be rejected: not-listed', '198.51.100.7 rejected: not-listed']
  )
})

t.test('the shared-secret example wants the address and the token', async (t) => {
  const { port } = await start(t, 'shared-secret', { MOENGAGE_SECRET: 'open-sesame' })
  const table: [path: string, clientIp: string, token: string, status: number][] = [
    ['/moengage/connector', LISTED, 'open-sesame', 200],
    ['/moengage/connector', LISTED, 'wrong', 401],
    ['/moengage/connector', STRANGER, 'open-sesame', 403],
    ['/streams', LISTED, 'open-sesame', 200],
    ['/streams', LISTED, 'wrong', 401],
    ['/streams', '44.205.83.206', 'open-sesame', 403]
  ]
  for (const [path, clientIp, token, status] of table) {
    const headers = { 'x-forwarded-for': clientIp, authorization: `Bearer ${token}` }
    t.equal((await send({ port }, { method: 'POST', path, headers })).status, status, `${path} ${clientIp} ${token}`)
  }
})

t.test('the alerts example wants the signature of the raw body, and handles each alert once', async (t) => {
  const { port, output } = await start(t, 'alerts-webhook', { MOENGAGE_REPORT_KEYS: 'new-key,old-key' })
  const sign = (key: string, body: string) => createHash('sha256').update(`${key}|${body}`).digest('hex')
  const alert = '{"alert_id":"1","alert_name":"Delivery Rate Breach"}'
  const rows: [what: string, body: string, signature: string | undefined, status: number][] = [
    ['the new key', alert, sign('new-key', alert), 200],
    ['the old key, replayed', alert, sign('old-key', alert), 200],
    ['another key', alert, sign('other-key', alert), 401],
    ['the same JSON in other bytes', alert.replace(',', ', '), sign('new-key', alert), 401],
    ['no signature', alert, undefined, 401],
    ['text behind the JSON', `${alert}\u0080`, sign('new-key', `${alert}\u0080`), 400],
    ['no id', '{}', sign('new-key', '{}'), 400],
    ['null', 'null', sign('new-key', 'null'), 400]
  ]
  for (const [what, body, signature, status] of rows) {
    const headers = { 'content-type': 'application/json', ...(signature === undefined ? {} : { signature }) }
    t.equal((await send({ port }, { method: 'POST', path: '/moengage/alerts', headers, body })).status, status, what)
  }
  await until(() => output().includes('Delivery Rate Breach'))
  t.equal(output().split('Delivery Rate Breach').length - 1, 1, 'one line')
})

t.test('the example server starts for every data center, and its curl lines do what they say', async (t) => {
  for (const dataCenter of [...DATA_CENTERS, 'all', 'DC-01,DC-03']) {
    const { port, output, child } = await start(t, 'webhook-server', { DATA_CENTERS: dataCenter })
    await until(() => output().includes('As a stranger:'))
    const statuses: number[] = []
    for (const [line] of output().matchAll(/curl -i .*/g)) {
      const [, path] = /127\.0\.0\.1:\d+(\S*)/.exec(line)!
      const headers = Object.fromEntries(
        [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name!, value!])
      )
      const [, body] = /-d '([^']*)'/.exec(line)!
      statuses.push((await send({ port }, { method: 'POST', path: path!, headers, body: body! })).status)
    }
    t.strictSame(statuses, [200, 403], dataCenter)
    await until(() => output().includes('request completed'))
    const completed = output()
      .split('\n')
      .filter((line) => line.includes('request completed'))
      .map((line) => JSON.parse(line))
    t.match(
      completed,
      [{ method: 'POST', route: '/segments', verdict: { verified: true }, status: 200 }],
      `${dataCenter}: one line for the verified request`
    )
    child.kill()
  }
})
