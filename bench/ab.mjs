import Fastify from 'fastify'
import { FakeClient } from './dist/end-to-end/fake-connection.js'
import { makeRequests } from './dist/end-to-end/requests.js'
import { Random } from './dist/measure/random.js'
const PROXIES = ['127.0.0.0/8', '10.0.0.0/8']
async function app(prepare) {
  const a = Fastify({ logger: false })
  await prepare?.(a)
  a.post('/moengage/connector', async () => ({ status: 'ok' }))
  await a.ready()
  return a.server
}
const plugin = (path, options = {}) => async (a) => a.register((await import(path)).default, { dataCenters: 'all', logLevel: 'silent', clientIp: { trustedProxies: PROXIES }, ...options })
const REJ = JSON.stringify({ statusCode: 403, code: 'MOE_ERR_REJECTED', error: 'Forbidden', message: 'The sender of this request could not be verified.' })
const mk = (await import('@fastify/error')).default
const E = mk('X', 'The sender of this request could not be verified.', 403, Error, false)
class P { constructor(v, s) { this.statusCode = s; this.v = v } get message() { return 'The sender of this request could not be verified.' } get code() { return 'MOE_ERR_REJECTED' } }
Object.setPrototypeOf(P.prototype, Error.prototype)
const shared = new E()
const lanes = {
  serve: () => app(),
  copy: () => app(),
  base: () => app(plugin('/tmp/ab/base/src/index.js')),
  now: () => app(plugin('/work/main/dist/src/index.js')),
  norecord: () => app(plugin('/tmp/ab/v/norecord/src/index.js')),
  noroute: () => app(plugin('/tmp/ab/v/noroute/src/index.js')),
  nowOnReject: () => app(plugin('/work/main/dist/src/index.js', { onReject: (_q, r) => r.header('content-type', 'application/json; charset=utf-8').send(REJ) })),
  err: () => app((a) => a.addHook('onRequest', (q, r, d) => d(new E()))),
  errshared: () => app((a) => a.addHook('onRequest', (q, r, d) => d(shared))),
  errplain: () => app((a) => a.addHook('onRequest', (q, r, d) => d(new P({a:1}, 403)))),
  errsend: () => app((a) => { a.setErrorHandler((e, q, r) => { r.code(e.statusCode).header('content-type', 'application/json; charset=utf-8').send(REJ) }); a.addHook('onRequest', (q, r, d) => d(new P({a:1}, 403))) }),
  hijack: () => app((a) => a.addHook('onRequest', (q, r, d) => { r.hijack(); r.raw.writeHead(403, {'content-type': 'application/json; charset=utf-8', 'content-length': REJ.length}); r.raw.end(REJ) })),
  string: () => app((a) => a.addHook('onRequest', (q, r, d) => { r.code(403).header('content-type', 'application/json; charset=utf-8').send(REJ) })),
}
const wanted = (process.env.LANES ?? Object.keys(lanes).join()).split(',')
const traffic = process.argv[2] ?? 'strangers'
const requests = makeRequests(traffic)
const clients = {}
for (const n of wanted) clients[n] = new FakeClient(await lanes[n](), requests)
const N = 300
const slice = async (c) => { const s = performance.now(); await c.send(N); return (performance.now() - s) * 1e3 / N }
for (const c of Object.values(clients)) for (let i = 0; i < 30; i++) await slice(c)
const t = Object.fromEntries(wanted.map((n) => [n, []]))
const random = new Random(3)
for (let r = 0; r < Number(process.env.ROUNDS ?? 400); r++) for (const n of random.shuffle([...wanted])) t[n].push(await slice(clients[n]))
const q = (a, p) => [...a].sort((x, y) => x - y)[Math.floor(a.length * p)]
for (const n of wanted) console.log(n.padEnd(10), q(t[n], .1).toFixed(2), q(t[n], .25).toFixed(2), q(t[n], .5).toFixed(2), 'ratio p10', (q(t[n], .1) / q(t.serve, .1)).toFixed(3), 'p25', (q(t[n], .25) / q(t.serve, .25)).toFixed(3), 'med', (q(t[n], .5) / q(t.serve, .5)).toFixed(3), clients[n].status)
process.exit(0)
