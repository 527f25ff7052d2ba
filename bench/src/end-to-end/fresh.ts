import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Random } from '../measure/random.js'
import { median, ratio, type Spread, spread } from '../measure/statistics.js'
import { difference, percent, quartiles, table } from '../report/markdown.js'
import { type Target, target } from '../report/targets.js'
import { APPS, type AppName } from './apps.js'
import { LoopbackClient } from './loopback-client.js'
import { makeRequests, type Traffic } from './requests.js'

// What a user pays: each application in a process of its own, started anew for each sample, so that nothing which V8 learned of one
// colours another. Processor time of that process, the kernel's part included.

/** V8 compiles what these need, on threads whose time counts. */
export const WARM_UP = 20_000
const ROUNDS = 16
/** In each round every application answers one slice: noise of a second meets all of them. */
export const REQUESTS = 1000

/** Applications that are compared with the first one, which has no guard. */
export interface FreshPlan {
  readonly traffic: Traffic
  readonly apps: readonly [AppName, ...AppName[]]
}

export interface FreshCost {
  readonly app: AppName
  readonly traffic: Traffic
  readonly status: number
  /** Microseconds a request, one number a process: the median of its rounds. */
  readonly samples: readonly number[]
  /** Of the base: in each process the median of its rounds. */
  readonly times: Spread
  /** The same of the requests that come before. */
  readonly warmUpTimes: Spread
}

/** Starts all applications `processes` times, and lets them answer in turns. */
export async function compareFresh({ traffic, apps }: FreshPlan, processes: number): Promise<FreshCost[]> {
  const random = new Random(7)
  const costs = apps.map((app) => ({
    app,
    traffic,
    status: 0,
    samples: [] as number[],
    times: [] as number[],
    warmUp: [] as number[]
  }))
  for (let i = 0; i < processes; i++) {
    const servers = new Map<AppName, FreshServer>()
    for (const app of random.shuffle(apps)) servers.set(app, await FreshServer.start(app, traffic))
    const rounds = new Map(apps.map((app) => [app, [] as number[]]))
    for (let round = 0; round < ROUNDS; round++) {
      for (const app of random.shuffle(apps)) rounds.get(app)!.push(await servers.get(app)!.costOfRequest(REQUESTS))
    }
    for (const cost of costs) {
      const own = rounds.get(cost.app)!
      cost.samples.push(median(own))
      cost.times.push(ratio(own, rounds.get(apps[0])!).median)
      cost.warmUp.push(servers.get(cost.app)!.warmUp / servers.get(apps[0])!.warmUp)
      cost.status = servers.get(cost.app)!.status
    }
    for (const server of servers.values()) await server.close()
  }
  return costs.map(({ warmUp, ...cost }) => ({ ...cost, times: spread(cost.times), warmUpTimes: spread(warmUp) }))
}

/** One application in a process of its own, and a client of it. */
class FreshServer {
  readonly #process: ChildProcess
  readonly #client: LoopbackClient
  /** Microseconds of processor time for each of the first requests. */
  warmUp = 0

  private constructor(process: ChildProcess, client: LoopbackClient) {
    this.#process = process
    this.#client = client
  }

  static async start(app: AppName, traffic: Traffic): Promise<FreshServer> {
    const process = fork(new URL('loopback-server.js', import.meta.url), [app])
    const [port] = (await once(process, 'message')) as [number]
    const client = await LoopbackClient.connect(port, makeRequests(traffic))
    const server = new FreshServer(process, client)
    server.warmUp = await server.costOfRequest(WARM_UP)
    return server
  }

  get status(): number {
    return this.#client.status
  }

  /** Microseconds of processor time. */
  async costOfRequest(requests: number): Promise<number> {
    const before = await this.#processorTime()
    await this.#client.send(requests)
    return ((await this.#processorTime()) - before) / requests
  }

  async #processorTime(): Promise<number> {
    this.#process.send('processor time?')
    const [microseconds] = (await once(this.#process, 'message')) as [number]
    return microseconds
  }

  async close(): Promise<void> {
    this.#client.close()
    this.#process.disconnect()
    await once(this.#process, 'exit')
  }
}

export function freshTable(costs: readonly FreshCost[]): string {
  const rows = costs.map(({ app, traffic, status, samples, times, warmUpTimes }) => {
    const compared = APPS[app].base === app ? ['–', '–'] : [difference(times), difference(warmUpTimes)]
    return [APPS[app].title, traffic, String(status), quartiles(spread(samples)), ...compared]
  })
  return table(['', 'from', 'answer', 'µs', 'more than no guard', 'the first requests'], rows)
}

const IN_THE_GUARD =
  'by a profile of the warm server 2.9 % of its time is spent in the guard and in what it calls; an empty hook costs the rest, and ' +
  'the quartiles show how far processes differ.'
const WRITES_A_PROPERTY =
  'the floor in the table writes `request.moengage`: a property that is added to one of Express’s requests costs 2 to 5 % of the request.'
const ANSWERS =
  'the floor is a hook that rejects everybody without looking, in the table: the quicker serving is, the smaller the share that a ' +
  'rejection saves.'
const FETCHES =
  'the floor in the table reads the peer and one header; a promise for each of the two functions, and the request that is noted in a ' +
  '`WeakMap`, take the rest.'
const READS_A_HEADER =
  'the floor in the table reads the peer and one header, which a guard cannot do without: Node makes `headers` when they are first read.'

/** What is asked of whole requests over loopback. */
export function freshTargets(costs: readonly FreshCost[]): Target[] {
  const times = (app: AppName, traffic: Traffic = 'listed') =>
    costs.find((cost) => cost.app === app && cost.traffic === traffic)!.times.median
  const above = (app: AppName, empty: AppName) => times(app) - times(empty)
  const share = (n: number) => `${n.toFixed(3)} ×`
  return [
    target('Fastify, accepted: more than no guard', '≤', 0.06, times('ours') - 1, percent, IN_THE_GUARD),
    target(
      'Express, accepted: above an empty middleware',
      '≤',
      0.04,
      above('express-ours', 'express-empty'),
      percent,
      WRITES_A_PROPERTY
    ),
    target(
      '`node:http`, accepted: above an empty function',
      '≤',
      0.04,
      above('http-ours', 'http-empty'),
      percent,
      READS_A_HEADER
    ),
    target('Fetch, accepted: above an empty middleware', '≤', 0.04, above('hono-ours', 'hono-empty'), percent, FETCHES),
    target('rejected, not logged: of the cost of serving', '≤', 0.95, times('ours', 'strangers'), share, ANSWERS),
    target(
      'rejected by a prepared `onReject`: of serving',
      '≤',
      0.9,
      times('ours-on-reject', 'strangers'),
      share,
      ANSWERS
    )
  ]
}
