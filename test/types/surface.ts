/** Compiled by `npm run types`; nothing here runs. */
import { createServer, type IncomingMessage } from 'node:http'
import { createSecureServer, type Http2ServerRequest } from 'node:http2'
import type { Http2Bindings, HttpBindings } from '@hono/node-server'
import { expectTypeOf } from 'expect-type'
import express from 'express'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import {
  type Channel,
  type ClientIpOptions,
  compileMatcher,
  createClientIpResolver,
  createGuard,
  type DataCenter,
  type DataCenterName,
  type Duration,
  directory,
  type ExportFormat,
  exportDirectory,
  type GuardOptions,
  type GuardRequest,
  loadGuard,
  type OptionsError,
  type ProblemCode,
  parseAddress,
  parseChannel,
  parseDataCenter,
  RejectedError,
  type RejectedVerdict,
  type Snapshot,
  secretHeader,
  type UnresolvedReason,
  type Verdict,
  type VerifiedVerdict
} from '../../src/core.js'
import guardExpress from '../../src/express.js'
import guardFetch, { type Peer } from '../../src/fetch.js'
import guardNode from '../../src/http.js'
import moengageAllowlist, { type FastifyGuard, type MoEngageAllowlistOptions } from '../../src/index.js'

const app = Fastify()

await app.register(moengageAllowlist, {
  dataCenters: ['DC-01', 'https://dashboard-02.moengage.com'],
  channels: 'all',
  mode: 'tag',
  clientIp: (request) => {
    expectTypeOf(request).toEqualTypeOf<FastifyRequest>()
    return request.ip
  },
  onReject: (request, reply, verdict) => {
    expectTypeOf(request).toEqualTypeOf<FastifyRequest>()
    expectTypeOf(reply).toEqualTypeOf<FastifyReply>()
    expectTypeOf(verdict).toEqualTypeOf<RejectedVerdict>()
    return reply.code(404).send()
  }
})
// @ts-expect-error: the data centers are required
await app.register(moengageAllowlist, { channels: 'all' })
// @ts-expect-error: there is no such data center
await app.register(moengageAllowlist, { dataCenters: 'DC-99' })
// @ts-expect-error: nor one with this host
await app.register(moengageAllowlist, { dataCenters: 'https://dashboard-99.moengage.com' })
// @ts-expect-error: text from outside has to be read first
await app.register(moengageAllowlist, { dataCenters: process.env.DC ?? '' })
await app.register(moengageAllowlist, {
  dataCenters: parseDataCenter(process.env.DC ?? ''),
  channels: [parseChannel(process.env.CHANNEL ?? '')]
})
// @ts-expect-error: there is no such channel
await app.register(moengageAllowlist, { dataCenters: 'DC-01', channels: ['connector', 'conector'] })
// @ts-expect-error: nor on a route
app.get('/wrong', { config: { moengage: { channels: 'conector' } } }, async () => 'ok')
// @ts-expect-error: there is no such mode
await app.register(moengageAllowlist, { dataCenters: 'all', mode: 'monitor' })

app.get('/', { config: { moengage: { channels: 'streams', statusCode: 404 } } }, async (request) => {
  expectTypeOf(request.moengage).toEqualTypeOf<Verdict | null | undefined>()
  return request.moengage?.clientIp
})
app.get('/open', { config: { moengage: false } }, async () => 'ok')
app.get('/hook', { onRequest: app.verifyMoEngage({ channels: ['streams'] }) }, async () => 'ok')
expectTypeOf(app.moengage).toEqualTypeOf<FastifyGuard | undefined>()
expectTypeOf(app.moengage!.judge).parameter(0).extract<FastifyRequest>().not.toBeNever()

const guard = createGuard({ dataCenters: 'DC-01' })
for (const source of [
  'bundled' as const,
  { file: new URL('list.json', import.meta.url), interval: 1_000 },
  { url: 'https://lists.example/', headers: { authorization: 'x' }, fetch },
  async (signal: AbortSignal) => (await fetch('https://lists.example/', { signal })).json() as Promise<Snapshot>,
  { name: 'ours', load: () => ({}) as Snapshot, interval: 60_000 }
]) {
  await loadGuard({
    dataCenters: 'DC-01',
    source,
    confirm: ['shrunk'],
    onReload: (error, { pendingRemovals }) => {
      expectTypeOf(error).toEqualTypeOf<Error | null>()
      expectTypeOf(pendingRemovals[0]!.until).toEqualTypeOf<string>()
    }
  })
}
// A guard without a framework, and those of Node's servers, judge Node's own request as well.
declare const incomingMessage: IncomingMessage
declare const http2Request: Http2ServerRequest
for (const judged of [incomingMessage, http2Request, { peer: null, headers: new Headers() }]) {
  guard.judge(judged)
  createGuard({ dataCenters: 'DC-01', carriesSecret: secretHeader('x', 'secret') }).judge(judged)
  ;(await loadGuard({ dataCenters: 'DC-01' })).judge(judged)
  guardNode({ dataCenters: 'DC-01' }).judge(judged)
  app.moengage!.judge(judged)
}
guardExpress({ dataCenters: 'DC-01' }).judge(incomingMessage)
// @ts-expect-error: there is neither a peer nor a socket
guard.judge({ headers: {} })
createGuard({ dataCenters: 'DC-01', clientIp: ({ peer }: GuardRequest) => peer }).judge(incomingMessage)
// @ts-expect-error: a guard without a framework gets no request of one
createGuard({ dataCenters: 'DC-01', clientIp: ({ ip }: { ip: string }) => ip })
// @ts-expect-error: there is nothing of that name to confirm
createGuard({ dataCenters: 'DC-01', confirm: ['everything'] })
// @ts-expect-error: a list comes from a file or a URL
createGuard({ dataCenters: 'DC-01', source: { path: 'list.json' } })
const verdict = guard.judge({ peer: undefined, headers: ['Host', 'x'] }, { channels: 'streams' })
if (verdict.verified) {
  expectTypeOf(verdict).toEqualTypeOf<VerifiedVerdict>()
  expectTypeOf(verdict.dataCenter).toEqualTypeOf<DataCenter | null>()
  expectTypeOf(verdict.graceUntil).toEqualTypeOf<string | null>()
  expectTypeOf(verdict.channels).toEqualTypeOf<readonly Channel[]>()
} else {
  expectTypeOf(verdict).toEqualTypeOf<RejectedVerdict>()
  expectTypeOf(verdict.clientIp).toEqualTypeOf<string | null>()
}
// @ts-expect-error: verdicts do not change
verdict.verified = true

expectTypeOf<'90d'>().toExtend<Duration>()
expectTypeOf<'90'>().not.toExtend<Duration>()
expectTypeOf<GuardOptions['staleAfter']>().toEqualTypeOf<Duration | undefined>()
expectTypeOf<OptionsError['code']>().toEqualTypeOf<'MOE_ERR_OPTIONS'>()
expectTypeOf<OptionsError['mistakes'][number]['code']>().toEqualTypeOf<ProblemCode>()
expectTypeOf(new RejectedError(verdict, 403).verdict).toEqualTypeOf<Verdict>()
expectTypeOf<RejectedError>().toExtend<Error>()

expectTypeOf<DataCenter>().toEqualTypeOf<'DC-01' | 'DC-02' | 'DC-03' | 'DC-04' | 'DC-05' | 'DC-06' | 'DC-101'>()
expectTypeOf<'dashboard-101.moengage.com'>().toExtend<DataCenterName>()
expectTypeOf<'dashboard-11.moengage.com'>().not.toExtend<DataCenterName>()
expectTypeOf<Channel>().extract<'segment-sync'>().toEqualTypeOf<'segment-sync'>()
expectTypeOf<MoEngageAllowlistOptions>().toExtend<Omit<GuardOptions<FastifyRequest>, never>>()
expectTypeOf<ClientIpOptions['requireHeader']>().toEqualTypeOf<boolean | undefined>()

const resolved = createClientIpResolver({ trustedProxies: ['unix'] })('unix', {})
if (resolved.clientIp === null) expectTypeOf(resolved.reason).toEqualTypeOf<UnresolvedReason>()
else expectTypeOf(resolved.clientIp).toEqualTypeOf<string>()

expectTypeOf(directory.select({ dataCenters: 'all' })[0]!.grant.channel).toEqualTypeOf<Channel>()
expectTypeOf(compileMatcher([{ prefix: '10.0.0.0/8', grant: 'office' as const }]).match('10.0.0.1')).toEqualTypeOf<
  readonly 'office'[]
>()
expectTypeOf(parseAddress('10.0.0.1')?.family).toEqualTypeOf<4 | 6 | undefined>()

expectTypeOf(exportDirectory(directory, { format: 'nginx', dataCenters: 'DC-01' })).toEqualTypeOf<string>()
expectTypeOf<ExportFormat>().extract<'aws-waf-ipset-cli'>().toEqualTypeOf<'aws-waf-ipset-cli'>()
// @ts-expect-error: the syntax is part of the name
exportDirectory(directory, { format: 'aws-waf-ipset', dataCenters: 'DC-01' })
// @ts-expect-error: the data centers are required
exportDirectory(directory, { format: 'nginx' })
const middleware = guardExpress({
  dataCenters: 'DC-01',
  onReject: (request: express.Request, response: express.Response, verdict) => {
    expectTypeOf(verdict).toEqualTypeOf<RejectedVerdict>()
    return response.status(404).json({ path: request.path })
  }
})
express()
  .use('/hooks', middleware)
  .post('/segments', middleware.route({ channels: 'segment-sync', onReject: 'next' }), (request, response) => {
    expectTypeOf(request.moengage).toEqualTypeOf<Verdict | undefined>()
    response.end()
  })
// @ts-expect-error: there is no such data center
guardExpress({ dataCenters: 'DC-99' })
// @ts-expect-error: there is no such channel
middleware.route({ channels: 'conector' })
guardExpress({ dataCenters: 'all', onReject: (_, response) => response.end() })

const nodeGuard = guardNode({ dataCenters: 'DC-01' })
createServer(nodeGuard.listener((request, response, verdict) => response.end(`${request.url} ${verdict.verified}`)))
createSecureServer(
  nodeGuard.listener((request, response) =>
    response.stream.respond({ ':status': 200 }, { endStream: !request.aborted })
  )
)
// @ts-expect-error: nobody is next
nodeGuard.listener(() => {}, { onReject: 'next' })

const { response, verdict: checked } = await guardFetch({ dataCenters: 'DC-01' }).check(
  new Request('http://x'),
  '10.0.0.1'
)
if (response) expectTypeOf(checked).toEqualTypeOf<RejectedVerdict | null>()
else expectTypeOf(checked).toEqualTypeOf<Verdict>()

// A header as a framework has it is an answer of `clientIp`, however the framework types it.
await app.register(moengageAllowlist, { dataCenters: 'DC-01', clientIp: ({ headers }) => headers['x-client-ip'] })
guardExpress({ dataCenters: 'DC-01', clientIp: ({ headers }) => headers['x-client-ip'] })
guardNode({ dataCenters: 'DC-01', clientIp: ({ headers }) => headers['x-client-ip'] })
guardFetch({ dataCenters: 'DC-01', clientIp: ({ headers }) => headers.get('x-client-ip') })
// @ts-expect-error: a promise is not an answer
guardFetch({ dataCenters: 'DC-01', clientIp: async ({ headers }) => headers.get('x-client-ip') })

// Hono's `c.env.incoming`, with `HttpBindings`, `Http2Bindings` or both.
expectTypeOf<HttpBindings['incoming']>().toExtend<Peer>()
expectTypeOf<Http2Bindings['incoming']>().toExtend<Peer>()
expectTypeOf<(HttpBindings | Http2Bindings)['incoming']>().toExtend<Peer>()

// `carriesSecret` gets the request of its door, and `secretHeader` fits in each of them.
const carriesSecret = secretHeader('x-moe-token', process.env.MOENGAGE_SECRET, { scheme: 'bearer' })
await app.register(moengageAllowlist, { dataCenters: 'DC-01', carriesSecret, expectSecret: true })
await app.register(moengageAllowlist, {
  dataCenters: 'DC-01',
  carriesSecret: (request) => {
    expectTypeOf(request).toEqualTypeOf<FastifyRequest>()
    return true
  }
})
guardExpress({ dataCenters: 'DC-01', carriesSecret })
guardNode({ dataCenters: 'DC-01', carriesSecret })
guardFetch({ dataCenters: 'DC-01', carriesSecret })
createGuard({ dataCenters: 'DC-01', carriesSecret })
// @ts-expect-error: a promise is not an answer
createGuard({ dataCenters: 'DC-01', carriesSecret: async () => true })
// @ts-expect-error: there is no such scheme
secretHeader('authorization', 'secret', { scheme: 'digest' })
expectTypeOf<Verdict['carriesSecret']>().toEqualTypeOf<boolean | null>()
