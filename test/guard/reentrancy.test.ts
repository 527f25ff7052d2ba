import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import t from 'tap'
import { createGuard, type GuardRequest, parseAddress, type Verdict } from '../../src/core.js'
import guardExpress from '../../src/express.js'
import moengageAllowlist from '../../src/index.js'

const LISTED = '52.6.248.125'
const OTHER = '3.6.251.95'
const STRANGER = '8.8.8.8'
const IPV6 = '2a00:1450::1'
const OPTIONS = { dataCenters: 'DC-01', clientIp: { trustedProxies: ['10.0.0.0/8'] } } as const
const forwardedFor = (clientIp: string): GuardRequest => ({
  peer: '10.0.0.1',
  headers: { 'x-forwarded-for': clientIp }
})

/** What a user's function may do in the middle of a verdict: parse, judge and explain other addresses. */
function meddle(guard: { judge(request: GuardRequest): unknown; explain(ip: string): unknown }) {
  for (const ip of [OTHER, STRANGER, IPV6, LISTED, 'no address']) {
    parseAddress(ip)
    guard.judge({ peer: '10.0.0.9', headers: { 'x-forwarded-for': ip } })
    guard.explain(ip)
  }
}

const CLIENTS = [LISTED, OTHER, STRANGER, IPV6, '::ffff:52.6.248.125', '10.1.2.3', 'unknown', '<x>']

/** A verdict without what may differ between two guards. */
const said = (verdict: Verdict) => JSON.stringify(verdict)

t.test('a clientIp function that judges others changes no verdict', async (t) => {
  for (const client of CLIENTS) {
    const plain = createGuard({ dataCenters: 'DC-01', clientIp: () => client })
    const guard: ReturnType<typeof createGuard> = createGuard({
      dataCenters: 'DC-01',
      clientIp: ({ peer }) => {
        if (peer === '10.0.0.1') meddle(guard)
        return client
      }
    })
    t.equal(said(guard.judge(forwardedFor('1.1.1.1'))), said(plain.judge(forwardedFor('1.1.1.1'))), client)
  }
})

t.test('headers that judge others while they are read change no verdict', async (t) => {
  const guard = createGuard(OPTIONS)
  for (const client of CLIENTS) {
    const get = (name: string) => {
      meddle(guard)
      return name === 'x-forwarded-for' ? client : null
    }
    t.equal(
      said(guard.judge({ peer: '10.0.0.1', headers: { get } })),
      said(createGuard(OPTIONS).judge(forwardedFor(client))),
      client
    )
  }
})

t.test('a subscriber of the diagnostics channel that judges others changes no verdict', async (t) => {
  const guard = createGuard(OPTIONS)
  let depth = 0
  const subscriber = () => {
    if (depth++ === 0) meddle(guard)
  }
  subscribe('moengage-allowlist:verdict', subscriber)
  t.teardown(() => unsubscribe('moengage-allowlist:verdict', subscriber))
  for (const client of CLIENTS) {
    depth = 0
    const verdict = guard.judge(forwardedFor(client))
    depth = 1
    t.equal(said(verdict), said(createGuard(OPTIONS).judge(forwardedFor(client))), client)
  }
})

t.test('what the user runs around a request of Fastify changes no verdict', async (t) => {
  const other = createGuard(OPTIONS)
  for (const client of CLIENTS) {
    const verdicts: string[] = []
    const run = async (options: object, isMeddling: boolean) => {
      const own = () => {
        if (isMeddling) meddle(other)
      }
      const app = Fastify({
        trustProxy: (address: string) => {
          own()
          return address.startsWith('10.')
        }
      })
      t.teardown(() => app.close())
      await app.register(moengageAllowlist, { dataCenters: 'DC-01', mode: 'tag', onVerdict: own, ...options })
      app.get('/', async (request) => verdicts.push(said(request.moengage!)))
      await app.inject({ url: '/', remoteAddress: '10.0.0.1', headers: { 'x-forwarded-for': client } })
    }
    for (const options of [{}, { clientIp: OPTIONS.clientIp }]) {
      verdicts.length = 0
      await run(options, true)
      await run(options, false)
      t.equal(verdicts.length, 2)
      t.equal(verdicts[0], verdicts[1], client)
    }
  }
})

t.test('a trustProxy that has the same guard judge others changes no verdict', async (t) => {
  const verdictBy = async (isMeddling: boolean) => {
    let isInside = false
    const app = Fastify({
      trustProxy: (address: string) => {
        if (isMeddling && !isInside) {
          isInside = true
          meddle(app.moengage!)
          isInside = false
        }
        return address.startsWith('10.')
      }
    })
    t.teardown(() => app.close())
    await app.register(moengageAllowlist, { dataCenters: 'DC-01', mode: 'tag' })
    app.get('/', async (request) => said(request.moengage!))
    return (await app.inject({ url: '/', remoteAddress: '10.0.0.1', headers: { 'x-forwarded-for': '10.1.2.3' } })).body
  }
  t.equal(await verdictBy(true), await verdictBy(false))
})

t.test("a logger that judges others changes no verdict of Express's guard", async (t) => {
  const other = createGuard(OPTIONS)
  const write = () => meddle(other)
  const logger = { fatal: write, error: write, warn: write, info: write, debug: write, trace: write }
  const guard = guardExpress({ ...OPTIONS, logger })
  t.teardown(() => guard.close())
  for (const client of CLIENTS) {
    t.equal(said(guard.judge(forwardedFor(client))), said(createGuard(OPTIONS).judge(forwardedFor(client))), client)
  }
})
