// What the compilers of a user check, with every door; exported values have types that can be written down.
import { createServer } from 'node:http'
import fastifyGuard, { type MoEngageAllowlistOptions, type Verdict } from 'moengage-allowlist'
import { createGuard, type Guard, parseDataCenter } from 'moengage-allowlist/core'
import guardExpress, { type ExpressGuard } from 'moengage-allowlist/express'
import guardFetch, { type FetchGuard } from 'moengage-allowlist/fetch'
import guardNode, { type HttpGuard } from 'moengage-allowlist/http'
import guardLambda, { type LambdaAnswer, type LambdaGuard } from 'moengage-allowlist/lambda'
import { registerMetrics } from 'moengage-allowlist/prometheus'
import guardWorkers, { type WorkersGuard } from 'moengage-allowlist/workers'

export const options: MoEngageAllowlistOptions = { dataCenters: 'DC-01', channels: ['connector', 'streams'] }
// @ts-expect-error: the page has no such data center
export const wrong: MoEngageAllowlistOptions = { dataCenters: 'DC-99' }

export const core: Guard = createGuard({ dataCenters: parseDataCenter('dc 1'), allow: undefined })
export const verdict: Verdict = core.judge({ peer: '52.6.248.125', headers: {} })
export const express: ExpressGuard = guardExpress({ dataCenters: 'DC-01' })
export const node: HttpGuard = guardNode({ dataCenters: 'DC-01' })
export const web: FetchGuard = guardFetch({ dataCenters: 'DC-01' })
export const workers: WorkersGuard = guardWorkers({ dataCenters: 'DC-01' })
export const lambda: LambdaGuard = guardLambda({ dataCenters: 'DC-01' })

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
