import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import type { DirectoryDiff, Snapshot } from '../../src/core.js'
import moengageAllowlist, { type MoEngageAllowlistOptions, secretHeader, type Verdict } from '../../src/index.js'
import { registerMetrics } from '../../src/prometheus.js'
import { page } from '../help-page/pages.js'
import { run } from '../support/cli.js'
import { type LogLine, listen, logging, send, until } from '../support/http.js'

// MoEngage adds an address and tells nobody. Everything here goes over real sockets: the source, MoEngage, the strangers, the scrape.

const SECRET = 'shared-secret-1'
const LISTED = '52.6.248.125'
/** Not on the list: MoEngage has taken them into use today. */
const ADDED = ['52.6.248.126', '52.6.248.127', '52.6.248.128']

/** MoEngage's page and a list over HTTP. Both can be changed: MoEngage changes its page, and whoever keeps the list follows. */
async function startSource(t: Test) {
  const addresses = [LISTED]
  const onPage = [LISTED]
  const server = createServer(({ url }, response) => {
    if (url === '/page.md') return void response.end(page(`Connector Campaigns | DC-01 | ${onPage.join(', ')}`))
    const snapshot: Snapshot = {
      provenance: { page: 'a test', revision: `r${addresses.length}`, retrieved: '2026-11-20' },
      rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses: [...addresses] }]
    }
    response.end(JSON.stringify(snapshot))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/moengage.json`,
    page: `http://127.0.0.1:${port}/page.md`,
    publishOnPage: (added: readonly string[]) => void onPage.push(...added),
    publish: (added: readonly string[]) => void addresses.push(...added)
  }
}

/** The README's server, with three more lines: the secret, who is paged, the metrics. */
async function startServer(
  t: Test,
  { url, page }: Awaited<ReturnType<typeof startSource>>,
  options: Partial<MoEngageAllowlistOptions> = {}
) {
  const { app, lines } = logging()
  const paged: Verdict[] = []
  const drifts: DirectoryDiff[] = []
  const registry = new Registry()
  await app.register(async (hooks) => {
    await hooks.register(moengageAllowlist, {
      dataCenters: 'DC-01',
      clientIp: { trustedProxies: ['loopback'] },
      source: { url, interval: '1s' },
      watch: { page, interval: '1s' },
      onDrift: (differences) => void drifts.push(differences),
      log: { summaryEvery: '1s' },
      carriesSecret: secretHeader('x-moe-token', SECRET),
      onVerdict: (verdict) => void (!verdict.verified && verdict.carriesSecret === true && paged.push(verdict)),
      ...options
    })
    registerMetrics(hooks.moengage!, { registry })
    hooks.post('/moengage/connector', async () => ({ ok: true }))
    hooks.get('/status', { config: { moengage: false } }, async () => ({
      ...hooks.moengage!.status(),
      rejectedSenders: hooks.moengage!.senders()
    }))
    hooks.get('/metrics', { config: { moengage: false } }, async () => registry.metrics())
  })
  const { port } = await listen(app)
  t.teardown(() => app.close())
  const call = async (clientIp: string, secret?: string) => {
    const headers = { 'x-forwarded-for': clientIp, ...(secret !== undefined && { 'x-moe-token': secret }) }
    return (await send({ port }, { method: 'POST', path: '/moengage/connector', headers })).status
  }
  const get = async (path: string) => (await send({ port }, { path })).body
  const status = async () => JSON.parse(await get('/status'))
  return {
    app,
    call,
    paged,
    drifts,
    lines: lines as (LogLine & { moengage?: Record<string, unknown> })[],
    status,
    /** Waits until the page was compared with the list for the first time. */
    watched: async () => {
      while ((await status()).watch.checkedAt === null) await sleep(20)
    },
    metric: async (name: string) =>
      Number(new RegExp(`^moengage_${name.replace(/[{}]/g, '\\$&')} (\\d+)$`, 'm').exec(await get('/metrics'))?.[1])
  }
}

type Running = Awaited<ReturnType<typeof startServer>>

/** Where a sign of an aged list would be, each read as the operator reads it. */
const SIGNS: Readonly<Record<string, (server: Running) => Promise<unknown[]> | unknown[]>> = {
  'a line of the log': ({ lines }) => lines.filter(({ moengage }) => moengage?.carriesSecret === true),
  'another line of the log': ({ lines }) => lines.filter(({ msg }) => msg.includes('your secret')),
  'a call of onVerdict': ({ paged }) => paged,
  'evidence of the status': async ({ status }) => (await status()).evidence,
  'diagnosis of the status': async ({ status }) =>
    (await status()).diagnosis.filter((sentence: string) => sentence.includes('your secret')),
  'a sender': async ({ status }) =>
    (await status()).rejectedSenders.filter(
      ({ withSecret }: { withSecret: object }) => Object.keys(withSecret).length > 0
    ),
  'the counter of rejections': async ({ metric }) =>
    Array(await metric('rejected_with_secret_total{reason="not-listed"}')).fill(1),
  'the gauge of addresses': async ({ metric }) => Array(await metric('unlisted_senders_with_secret')).fill(1)
}

/** Where a sign would be that MoEngage's page has moved on. */
const SIGNS_OF_DRIFT: typeof SIGNS = {
  'a line of the log': ({ lines }) => lines.filter(({ moengage }) => moengage?.code === 'MOE_WARN_DRIFT'),
  'a call of onDrift': ({ drifts }) => drifts,
  'the watch of the status': async ({ status }) => {
    const { differences } = (await status()).watch
    return [...differences.added, ...differences.removed]
  },
  'a warning of the status': async ({ status }) =>
    (await status()).warnings.filter(({ code }: { code: string }) => code === 'MOE_WARN_DRIFT'),
  'the gauge of differences': async ({ metric }) => Array(await metric('watch_differences')).fill(1)
}

/** The report on the log so far, as text and as JSON. */
async function report({ lines }: Running) {
  const stdin = lines.map((line) => JSON.stringify(line)).join('\n')
  const { stdout } = await run(['report', '-'], { stdin })
  return { text: stdout, json: JSON.parse((await run(['report', '-', '--json'], { stdin })).stdout) }
}

const strangers = (count: number) => Array.from({ length: count }, (_, i) => `20.${i >> 8}.${i & 255}.7`)

t.test('MoEngage adds addresses: every place says so and what to paste, and what is pasted is accepted', async (t) => {
  const source = await startSource(t)
  const server = await startServer(t, source)
  t.equal(await server.call(LISTED, SECRET), 200)
  await server.watched()
  for (const [sign, read] of Object.entries(SIGNS_OF_DRIFT)) t.strictSame(await read(server), [], sign)
  source.publishOnPage(ADDED)
  for (const clientIp of strangers(150)) t.equal(await server.call(clientIp), 403)
  for (const clientIp of ADDED) t.equal(await server.call(clientIp, SECRET), 403, 'a genuine call is rejected')
  t.equal(await server.call(ADDED[0]!, SECRET), 403)

  for (const [sign, read] of Object.entries(SIGNS)) t.ok((await read(server)).length > 0, sign)

  const [line] = server.lines.filter(({ moengage }) => moengage?.clientIp === ADDED[0])
  t.match(line, {
    msg: `${ADDED[0]} rejected: not-listed, and carries your secret`,
    moengage: {
      carriesSecret: true,
      paste: `allow: ['${ADDED[0]}']`,
      hint: /^The request carries your secret and is not listed: MoEngage calls from an address that the list lacks, or static addresses are not enabled/
    }
  })
  const { evidence, diagnosis, rejectedSenders, rejectedWithSecret } = await server.status()
  const paste = `allow: ['${ADDED[0]}', '${ADDED[2]}', '${ADDED[1]}']`
  t.match(evidence, [{ kind: 'list-aged', count: 4, addresses: { length: 3 }, paste }])
  t.match(diagnosis[0], paste)
  t.match(
    evidence[0].ticket,
    /^Subject: [\s\S]*2026-11-20 \(revision r1\)[\s\S]*- 52\.6\.248\.126: 2 requests, from 20[\s\S]*\/moengage\/connector/
  )
  t.equal(rejectedWithSecret['not-listed'], 4)
  t.match(rejectedSenders[0], { clientIp: ADDED[0], count: 2, withSecret: { 'not-listed': 2 } })
  t.equal(await server.metric('rejected_with_secret_total{reason="not-listed"}'), 4)
  t.equal(await server.metric('unlisted_senders_with_secret'), 3)
  t.match(server.paged, { length: 4 })

  await until(() => server.lines.some(({ moengage }) => moengage?.event === 'moengage.summary'))
  const { text, json } = await report(server)
  t.match(text, /Was anything genuine turned away\? Yes, these three addresses are MoEngage's: /)
  t.ok(text.includes(`allow: [`) && text.includes("Send to MoEngage's support:\n  Subject: "), text)
  t.match(json, { genuine: { answer: 'yes' }, evidence: [{ kind: 'list-aged', addresses: { length: 3 } }] })

  await until(() => server.drifts.length > 0)
  for (const [sign, read] of Object.entries(SIGNS_OF_DRIFT)) t.ok((await read(server)).length > 0, sign)
  const { watch, warnings } = await server.status()
  t.match(watch.differences.added, { length: 3 })
  t.match(warnings, [
    {
      message: /differs from the list in use since .*: 3 added\. It concerns DC-01\.$/,
      fix: "Look at the differences and update the list. To accept what was added until then: allow: ['52.6.248.126/32', '52.6.248.127/32', '52.6.248.128/32']."
    }
  ])
  t.equal(await server.metric('watch_differences'), 3)

  // The operator pastes it, and restarts the server.
  const pasted = new Function(`return ({ ${evidence[0].paste} })`)() as Partial<MoEngageAllowlistOptions>
  const restarted = await startServer(t, source, pasted)
  for (const clientIp of ADDED) t.equal(await restarted.call(clientIp, SECRET), 200, 'it is verified')
  t.strictSame((await restarted.status()).evidence, [])

  // The other server learns of them from the source, within one interval.
  source.publish(ADDED)
  await until(() => server.lines.some(({ msg }) => msg.includes('revision r4')))
  for (const clientIp of ADDED) t.equal(await server.call(clientIp, SECRET), 200)
  t.strictSame((await server.status()).evidence, [], 'what is listed by now is no finding')
  t.equal(await server.metric('unlisted_senders_with_secret'), 0)
  await until(() => server.drifts.length > 1)
  t.match(server.drifts.at(-1), { same: true }, 'the page is the list again')
})

t.test('in mode "tag", the report says that it is too early to reject', async (t) => {
  const source = await startSource(t)
  const server = await startServer(t, source, { mode: 'tag' })
  t.equal(await server.call(LISTED, SECRET), 200)
  t.equal(await server.call(ADDED[0]!, SECRET), 200)
  await server.app.close()
  const { text, json } = await report(server)
  t.match(text, /Can I switch to "reject"\? No, this address is MoEngage's: 52\.6\.248\.126\.\n/)
  t.match(text, /Paste into the options of the guard:\n {2}allow: \['52\.6\.248\.126'\]/)
  t.match(json, { canReject: { answer: 'no' }, genuine: null })
})

t.test('the mirror: strangers, with another secret or with none, leave none of these signs', async (t) => {
  const source = await startSource(t)
  const server = await startServer(t, source)
  t.equal(await server.call(LISTED, SECRET), 200)
  for (const clientIp of strangers(150)) {
    t.equal(await server.call(clientIp), 403)
    t.equal(await server.call(clientIp, 'shared-secret-2'), 403)
  }
  await until(() => server.lines.some(({ moengage }) => moengage?.event === 'moengage.summary'))
  await server.watched()
  for (const [sign, read] of Object.entries({ ...SIGNS, ...SIGNS_OF_DRIFT })) t.strictSame(await read(server), [], sign)
  const { text, json } = await report(server)
  t.match(json, { genuine: { answer: 'possible' }, evidence: [] })
  t.match(text, /turned away\? Possibly\.\n/)
  t.notMatch(text, /Paste|Subject/)
})

t.test('the secret in the hands of strangers does not help them: what is verified is the address', async (t) => {
  const source = await startSource(t)
  const server = await startServer(t, source)
  t.equal(await server.call(strangers(1)[0]!, SECRET), 403)
})

t.test('expectSecret: a listed address without the secret is served, and reported in the same places', async (t) => {
  const source = await startSource(t)
  const verdicts: Verdict[] = []
  const server = await startServer(t, source, {
    expectSecret: true,
    onVerdict: (verdict) => void verdicts.push(verdict)
  })
  for (const secret of [SECRET, undefined, 'shared-secret-2', undefined])
    t.equal(await server.call(LISTED, secret), 200)
  t.match(
    verdicts.map(({ verified, carriesSecret }) => [verified, carriesSecret]),
    [
      [true, true],
      [true, false],
      [true, false],
      [true, false]
    ]
  )
  const lines = server.lines.filter(({ moengage }) => moengage?.event === 'moengage.without-secret')
  t.match(lines, [
    {
      level: 40,
      msg: `${LISTED} verified, without your secret`,
      moengage: {
        clientIp: LISTED,
        dataCenter: 'DC-01',
        route: '/moengage/connector',
        method: 'POST',
        suppressed: 0,
        hint: /another customer of MoEngage calls you, or the secret was not entered for this channel/
      }
    }
  ])
  t.equal(lines.length, 1, 'one an hour')
  const { evidence, verifiedWithoutSecret } = await server.status()
  t.match(evidence, [
    {
      kind: 'without-secret',
      count: 3,
      addresses: [LISTED],
      paste: null,
      ticket: null,
      sentence: /on \/moengage\/connector came without your secret, from 52\.6\.248\.125 \(3 requests\)/
    }
  ])
  t.equal(verifiedWithoutSecret, 3)
  t.equal(await server.metric('verified_without_secret_total'), 3)
  await server.app.close()
  const { json } = await report(server)
  t.match(json, {
    verified: 4,
    evidence: [
      {
        kind: 'without-secret',
        count: 3,
        addresses: [LISTED],
        sentence:
          /^3 verified requests came without your secret, some of them on \/moengage\/connector, from 52\.6\.248\.125 \(1 request\): /
      }
    ]
  })
  t.match(server.lines.find(({ moengage }) => moengage?.event === 'moengage.summary')?.moengage, {
    verified: 4,
    verifiedWithoutSecret: 3
  })
})
