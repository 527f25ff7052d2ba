/** Compiled by `npm run types`; nothing here runs. */
import { expectTypeOf } from 'expect-type'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import {
  type Channel,
  type ClientIpOptions,
  compileMatcher,
  createClientIpResolver,
  createGuard,
  type DataCenter,
  directory,
  type ExportFormat,
  exportDirectory,
  type GuardOptions,
  loadGuard,
  parseAddress,
  type RejectedVerdict,
  type Snapshot,
  type UnresolvedReason,
  type Verdict,
  type VerifiedVerdict
} from '../../src/core.js'
import moengageAllowlist, { type FastifyGuard, type MoEngageAllowlistOptions } from '../../src/index.js'

const app = Fastify()

await app.register(moengageAllowlist, {
  dataCenters: ['DC-01', 'dc2'],
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
// @ts-expect-error: there is no such mode
await app.register(moengageAllowlist, { dataCenters: 'all', mode: 'monitor' })

app.get('/', { config: { moengage: { channels: 'streams', statusCode: 404 } } }, async (request) => {
  expectTypeOf(request.moengage).toEqualTypeOf<Verdict | null>()
  return request.moengage?.clientIp
})
app.get('/open', { config: { moengage: false } }, async () => 'ok')
app.get('/hook', { onRequest: app.verifyMoEngage({ channels: ['streams'] }) }, async () => 'ok')
expectTypeOf(app.moengage).toEqualTypeOf<FastifyGuard>()
expectTypeOf(app.moengage.judge).parameter(0).extract<FastifyRequest>().not.toBeNever()

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

expectTypeOf<DataCenter>().toEqualTypeOf<'DC-01' | 'DC-02' | 'DC-03' | 'DC-04' | 'DC-05' | 'DC-06' | 'DC-101'>()
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
