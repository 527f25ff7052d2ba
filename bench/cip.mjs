import { Random } from './dist/measure/random.js'
const paths = process.argv.slice(2)
const CLIENT = '3.6.251.95', S = '198.51.100.7'
const hops = (n) => { const p = n === 1 ? [] : ['10.0.0.2', '10.0.0.3']; return [...new Array(n - 1 - p.length).fill(S), CLIENT, ...p].join(', ') }
const cases = { 1: hops(1), 3: hops(3), 20: hops(20), 200: hops(200), trusted20: [CLIENT, ...new Array(19).fill('10.0.0.9')].join(', '), v6: '2001:db8:85a3::8a2e:370:7334' }
const only = process.env.ONLY?.split(',')
const lanes = []
for (const p of paths) {
  const { createClientIpResolver } = await import(`${p}/src/core.js`)
  const resolve = createClientIpResolver({ trustedProxies: ['10.0.0.0/8'], header: 'x-forwarded-for' })
  const socket = { remoteAddress: '10.0.0.1' }
  for (const [name, text] of Object.entries(cases)) {
    if (only && !only.includes(name)) continue
    const buf = Buffer.from(text)
    lanes.push({ key: `${p.slice(-12)} ${name}`, name, buf, fn: new Function('resolve', `return function run(reqs) { let n = 0; for (let i = 0; i < reqs.length; i++) { const c = resolve(reqs[i].socket.remoteAddress, reqs[i].headers); n += c.clientIp.length } return n }`)(resolve), socket, t: [] })
  }
}
const B = 512
const random = new Random(5)
let sink = 0
for (let r = 0; r < 400; r++) for (const l of random.shuffle([...lanes])) {
  const reqs = []
  for (let i = 0; i < B; i++) reqs.push({ socket: l.socket, headers: { host: 'h', 'content-type': 'a', 'x-forwarded-for': l.buf.latin1Slice(0, l.buf.length) } })
  const s = process.hrtime.bigint(); sink += l.fn(reqs); l.t.push(Number(process.hrtime.bigint() - s) / B)
}
for (const l of lanes) { const a = l.t.sort((x, y) => x - y); console.log(l.key.padEnd(24), a[20].toFixed(0), a[100].toFixed(0), a[200].toFixed(0)) }
