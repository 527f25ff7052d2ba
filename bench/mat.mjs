import { Random } from './dist/measure/random.js'
const paths = process.argv.slice(2)
import ipaddr from 'ipaddr.js'
const random = new Random(5)
const lanes = []
for (const p of paths) {
  const { directory, compileMatcher } = await import(`${p}/src/core.js`)
  const m = compileMatcher(directory.entries)
  const texts = [...new Set(directory.entries.map(({ prefix }) => `${prefix.address}`))].slice(0, 8)
  const flood = Array.from({ length: 20000 }, () => [1 + random.below(222), random.below(256), random.below(256), random.below(256)].join('.'))
  const near = Array.from({ length: 20000 }, () => [...texts[random.below(8)].split('.').slice(0, 2), random.below(256), random.below(256)].join('.'))
  const sets = { senders: texts, flood, near, mapped: texts.map((x) => `::ffff:${x}`) }
  for (const [name, list] of Object.entries(sets)) {
    const bufs = list.map((x) => Buffer.from(x))
    lanes.push({ key: `${p.slice(-12)} ${name}`, bufs, t: [], at: 0, fn: new Function('m', 'return function run(a) { let n = 0; for (let i = 0; i < a.length; i++) n += m.find(a[i]); return n }')(m) })
    if (p === paths[0] && process.env.LOOP) { const L = [...new Set(directory.entries.map(({ prefix }) => `${prefix.address}`))].map((x) => ipaddr.parse(x)); lanes.push({ key: `loop ${name}`, bufs, t: [], at: 0, fn: (a) => { let n = 0; for (const x of a) { const y = ipaddr.process(x); n += L.some((l) => l.kind() === y.kind() && y.match(l, 32)) ? 1 : 0 } return n } }) }
    if (p === paths[0]) lanes.push({ key: `chars ${name}`, bufs, t: [], at: 0, fn: new Function('return function run(a) { let n = 0; for (let i = 0; i < a.length; i++) { const s = a[i]; for (let k = 0; k < s.length; k++) n += s.charCodeAt(k) } return n }')() })
  }
}
const B = 512
let sink = 0
for (let r = 0; r < 500; r++) for (const l of random.shuffle([...lanes])) {
  const a = []
  for (let i = 0; i < B; i++) { const b = l.bufs[l.at++ % l.bufs.length]; a.push(b.latin1Slice(0, b.length)) }
  const s = process.hrtime.bigint(); sink += l.fn(a); l.t.push(Number(process.hrtime.bigint() - s) / B)
}
for (const l of lanes) { const a = l.t.sort((x, y) => x - y); console.log(l.key.padEnd(24), a[25].toFixed(1), a[125].toFixed(1), a[250].toFixed(1)) }
