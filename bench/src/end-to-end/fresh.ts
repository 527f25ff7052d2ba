import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Random } from '../measure/random.js'
import { type Spread, spread } from '../measure/statistics.js'
import { percent, quartiles, table } from '../report/markdown.js'
import { type Target, target } from '../report/targets.js'
import { APPS, type AppName } from './apps.js'
import { LoopbackClient } from './loopback-client.js'
import { makeRequests, type Traffic } from './requests.js'

// What a user pays: each application in a process of its own, started anew for each sample, so that nothing which V8 learned of one
// colours another. Processor time of that process, the kernel's part included.

const WARM_UP = 6000
const REQUESTS = 20_000

/** Applications that are compared with the first one, which has no guard. */
export interface FreshPlan {
  readonly traffic: Traffic
  readonly apps: readonly [AppName, ...AppName[]]
}

export interface FreshCost {
  readonly app: AppName
  readonly traffic: Traffic
  readonly status: number
  /** Microseconds a request, one number a process. */
  readonly samples: readonly number[]
  /** Of the base's median. */
  readonly times: Spread
}

/** Starts each application `processes` times, in random order each time. */
export async function compareFresh({ traffic, apps }: FreshPlan, processes: number): Promise<FreshCost[]> {
  const random = new Random(7)
  const samples = new Map(apps.map((app) => [app, [] as number[]]))
  const statuses = new Map<AppName, number>()
  for (let i = 0; i < processes; i++) {
    for (const app of random.shuffle(apps)) {
      const { microseconds, status } = await costOf(app, traffic)
      samples.get(app)!.push(microseconds)
      statuses.set(app, status)
    }
  }
  const base = spread(samples.get(apps[0])!).median
  return apps.map((app) => {
    const own = samples.get(app)!
    return { app, traffic, status: statuses.get(app)!, samples: own, times: spread(own.map((sample) => sample / base)) }
  })
}

async function costOf(app: AppName, traffic: Traffic): Promise<{ microseconds: number; status: number }> {
  const server = fork(new URL('loopback-server.js', import.meta.url), [app])
  const [port] = (await once(server, 'message')) as [number]
  const processorTime = async () => {
    server.send('processor time?')
    const [microseconds] = (await once(server, 'message')) as [number]
    return microseconds
  }
  const client = await LoopbackClient.connect(port, makeRequests(traffic))
  await client.send(WARM_UP)
  const before = await processorTime()
  await client.send(REQUESTS)
  const microseconds = ((await processorTime()) - before) / REQUESTS
  client.close()
  server.disconnect()
  await once(server, 'exit')
  return { microseconds, status: client.status }
}

export function freshTable(costs: readonly FreshCost[]): string {
  const rows = costs.map(({ app, traffic, status, samples, times }) => [
    APPS[app].title,
    traffic,
    String(status),
    quartiles(spread(samples)),
    APPS[app].base === app
      ? '–'
      : `${percent(times.median - 1)} (${percent(times.low - 1)} to ${percent(times.high - 1)})`
  ])
  return table(['', 'from', 'answer', 'µs', 'more than no guard'], rows)
}

/** What is asked of whole requests over loopback. */
export function freshTargets(costs: readonly FreshCost[]): Target[] {
  const times = (app: AppName, traffic: Traffic = 'listed') =>
    costs.find((cost) => cost.app === app && cost.traffic === traffic)!.times.median
  const above = (app: AppName, empty: AppName) => times(app) - times(empty)
  const share = (n: number) => `${n.toFixed(3)} ×`
  return [
    target('Fastify, accepted: more than no guard', '≤', 0.06, times('ours') - 1, percent),
    target('Express, accepted: above an empty middleware', '≤', 0.04, above('express-ours', 'express-empty'), percent),
    target('`node:http`, accepted: above an empty function', '≤', 0.04, above('http-ours', 'http-empty'), percent),
    target('Fetch, accepted: above an empty middleware', '≤', 0.04, above('hono-ours', 'hono-empty'), percent),
    target('rejected, not logged: of the cost of serving', '≤', 0.95, times('ours', 'strangers'), share),
    target('rejected by a prepared `onReject`: of serving', '≤', 0.9, times('ours-on-reject', 'strangers'), share)
  ]
}
