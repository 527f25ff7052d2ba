// What the compilers of a user check, with every door; exported values have types that can be written down.
import { createServer } from 'node:http'
import fastifyGuard, { type MoEngageAllowlistOptions, type Verdict } from 'moengage-allowlist'
import { createGuard, type Guard, parseDataCenter } from 'moengage-allowlist/core'
import guardExpress, { type ExpressGuard } from 'moengage-allowlist/express'
import guardFetch, { type FetchGuard } from 'moengage-allowlist/fetch'
import guardNode, { type HttpGuard } from 'moengage-allowlist/http'
import guardLambda, { type LambdaAnswer, type LambdaGuard } from 'moengage-allowlist/lambda'
import { registerMetrics } from 'moengage-allowlist/prometheus'
import { type Fleet, redisFleet } from 'moengage-allowlist/redis'
import { type NodeStatusPage, nodeStatusPage } from 'moengage-allowlist/status-page'
import guardWorkers, {
  type WorkersGuard,
  type MoEngageAllowlistOptions as WorkersOptions
} from 'moengage-allowlist/workers'

export const options: MoEngageAllowlistOptions = { dataCenters: 'DC-01', channels: ['connector', 'streams'] }
// @ts-expect-error: the page has no such data center
export const wrong: MoEngageAllowlistOptions = { dataCenters: 'DC-99' }

/** The options that do not take `undefined`. */
type Demanded<Options> = {
  [Name in keyof Options]-?: undefined extends Required<Options>[Name] ? never : Name
}[keyof Options]
type Same<A, B> = [A, B] extends [B, A] ? true : never
// `logLevel` is an option of Fastify's own `register` as well, which does not take it either.
export const demanded: Same<Demanded<MoEngageAllowlistOptions>, 'dataCenters' | 'logLevel'> = true
export const elsewhere: Same<Demanded<WorkersOptions>, 'dataCenters'> = true

export const core: Guard = createGuard({ dataCenters: parseDataCenter('dc 1'), allow: undefined })
export const verdict: Verdict = core.judge({ peer: '52.6.248.125', headers: {} })
export const express: ExpressGuard = guardExpress({ dataCenters: 'DC-01' })
export const node: HttpGuard = guardNode({ dataCenters: 'DC-01' })
export const web: FetchGuard = guardFetch({ dataCenters: 'DC-01' })
export const workers: WorkersGuard = guardWorkers({ dataCenters: 'DC-01' })
export const lambda: LambdaGuard = guardLambda({ dataCenters: 'DC-01' })
export const page: NodeStatusPage = nodeStatusPage({ guard: express, public: true })
export const fleetOf: (options: Parameters<typeof redisFleet>[0]) => Fleet = redisFleet

interface HttpEvent {
  readonly version: string
  readonly headers: Record<string, string | undefined>
  readonly requestContext: { readonly http: { readonly sourceIp: string } }
}
type Handler = (event: HttpEvent, context: object) => Promise<{ statusCode: number } | LambdaAnswer>
export const handler: Handler = lambda.handler(async (event: HttpEvent) => ({
  statusCode: event.version === '' ? 400 : 200
}))
export const doors: readonly unknown[] = [fastifyGuard, registerMetrics]
createServer(node.listener((_, response) => response.end())).close()
