/**
 * Measures what `guard.fleet.status()` costs with a thousand replicas in a real redis-server, for docs/fleet.md. Run it as
 * `npm run soak` runs its script.
 */
import { loadavg } from 'node:os'
import { Redis } from 'ioredis'
import { createGuard, loadGuard } from '../src/core.js'
import { RedisStore } from '../src/fleet/redis/store.js'
import { reportOf } from '../src/fleet/report.js'
import { DAY } from '../src/lib/time.js'
import { redisFleet } from '../src/redis.js'
import { idOf } from '../test/support/fake-redis.js'
import { RedisServer } from '../test/support/redis-server.js'

const REPLICAS = Number(process.argv[2] ?? 1000)
const RUNS = 20
const ROUTES = ['/moengage/connector', '/moengage/content/:id', '/moengage/streams', '/moengage/segments']

const endings: (() => unknown)[] = []
const server = await RedisServer.start({ teardown: (end: () => unknown) => endings.push(end) } as never)
const client = new Redis(server.url, { lazyConnect: true })
const store = new RedisStore({ client, scope: 'moengage', name: 'measured', timeout: 5000, poll: 5000 })

/** Ten senders, half of them known to all replicas, and verified calls of four routes. */
function reportText(i: number): string {
  const guard = createGuard({ dataCenters: 'DC-01' })
  const judge = (peer: string, n: number) =>
    guard.decide(undefined, undefined, { peer, headers: {} }, ROUTES[n % ROUTES.length]!)
  for (let n = 0; n < 12; n++) judge(['52.6.248.125', '44.205.83.206', '34.224.89.62'][n % 3]!, n)
  for (let n = 0; n < 40; n++) judge(n % 2 === 0 ? `185.199.108.${n % 10}` : `45.${i >> 8}.${i & 255}.${n % 10}`, n)
  const report = reportOf(guard, { id: idOf(i), started: Date.now(), every: 5000, senders: 10 }, 1, false)
  return JSON.stringify(report)
}

let bytes = 0
for (let i = 0; i < REPLICAS; i++) {
  const text = reportText(i)
  bytes += text.length
  await store.report({ id: idOf(i), text }, DAY)
}

const guard = await loadGuard({
  dataCenters: 'DC-01',
  fleet: redisFleet({ client, name: 'measured', timeout: '5s', report: false })
})
const processor = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const figures = { time: [] as number[], processor: [] as number[] }
for (let run = 0; run < RUNS; run++) {
  const [started, used] = [performance.now(), processor()]
  const { live } = await guard.fleet!.status()
  if (live !== REPLICAS) throw new Error(`${live} replicas are live.`)
  figures.time.push(performance.now() - started)
  figures.processor.push(processor() - used)
}
const { gc } = globalThis as unknown as { gc(): void }
gc()
const before = process.memoryUsage().heapUsed
let peak = before
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().heapUsed)
}, 1)
const status = await guard.fleet!.status()
clearInterval(watch)
gc()
const kept = process.memoryUsage().heapUsed - before

const summary = (values: number[]) => {
  const sorted = values.sort((a, b) => a - b)
  return `${sorted[sorted.length >> 1]!.toFixed(0)} ms typical, ${sorted[0]!.toFixed(0)} ms at least`
}
const mega = (size: number) => `${(size / 1e6).toFixed(1)} MB`
console.log(`${REPLICAS} replicas, reports of ${Math.round(bytes / REPLICAS)} bytes, load average ${loadavg()[0]!.toFixed(1)}
time: ${summary(figures.time)}
processor time: ${summary(figures.processor)}
heap: ${mega(peak - before)} more at most, garbage included; ${mega(kept)} for the result (${status.senders.length} senders)`)
guard.close()
store.close()
for (const end of endings) await end()
