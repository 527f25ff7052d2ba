// One replica of a fleet: a real HTTP server whose guard is the built package's. It ends with the process that forked it.
import { createServer } from 'node:http'
import { Cluster, Redis } from 'ioredis'
import { Redis as Valkey, Cluster as ValkeyCluster } from 'iovalkey'
import moengageAllowlist from 'moengage-allowlist/http'
import { redisFleet } from 'moengage-allowlist/redis'
import { createClient, createCluster } from 'redis'

process.on('disconnect', () => process.exit())

const {
  url,
  nodes,
  sentinels,
  password,
  tls,
  kind = 'ioredis',
  shift = 0,
  fleet,
  options
} = JSON.parse(process.argv[2])
const { now } = Date
Date.now = () => now() + shift
const started = Date.now()
const io = { lazyConnect: true, ...(tls && { tls }), ...(sentinels && { sentinels, name: 'mymaster' }) }
const urls = nodes?.map((port) => ({ host: '127.0.0.1', port }))
const client = nodes
  ? kind === 'redis'
    ? createCluster({ rootNodes: urls.map((socket) => ({ socket })), defaults: { password } })
    : new (kind === 'ioredis' ? Cluster : ValkeyCluster)(urls, { lazyConnect: true, redisOptions: { password } })
  : kind === 'redis'
    ? createClient({ url, ...(tls && { socket: { tls: true, ...tls } }) })
    : new (kind === 'ioredis' ? Redis : Valkey)(url, io)
const silent = Object.fromEntries(
  ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((level) => [level, () => {}])
)
const guard = moengageAllowlist({
  dataCenters: 'DC-01',
  clientIp: { trustedProxies: ['loopback'] },
  logger: silent,
  ...options,
  fleet: redisFleet({ client, ...fleet })
})
await guard.ready()
const isSocket = (name) => name === 'TCPSocketWrap'
const guarded = guard.listener((_, response, verdict) => response.end(JSON.stringify(verdict)))
const server = createServer(async (request, response) => {
  if (request.url === '/status') response.end(JSON.stringify(guard.status()))
  else if (request.url === '/sockets')
    response.end(JSON.stringify(process.getActiveResourcesInfo().filter(isSocket).length))
  else if (request.url === '/fleet') response.end(JSON.stringify(await guard.fleet.status()))
  else guarded(request, response)
})
process.on('message', (message) => {
  if (message.block) {
    const end = Date.now() + message.block
    while (Date.now() < end);
  }
  if (message.close) {
    guard.close()
    server.close()
    // It ends by itself, when the last report is written.
    process.removeAllListeners('disconnect')
    process.disconnect()
  }
})
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port, startedIn: Date.now() - started }))
