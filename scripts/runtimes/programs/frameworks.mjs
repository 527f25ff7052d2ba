// The same guard in Fastify and in Express. Prints where they listen.
import express from 'express'
import Fastify from 'fastify'
import moengageAllowlist from 'moengage-allowlist'
import guardExpress from 'moengage-allowlist/express'
import { SILENT } from './table.mjs'

const options = { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } }
const app = Fastify()
await app.register(moengageAllowlist, options)
app.get('/', async ({ moengage }) => ({ verdict: moengage }))
await app.listen({ port: 0, host: '127.0.0.1' })
console.log(`listening Fastify ${app.server.address().port}`)

const server = express()
  .use(guardExpress({ ...options, logger: SILENT }))
  .get('/', (request, response) => response.json({ verdict: request.moengage }))
  .listen(0, '127.0.0.1', () => console.log(`listening Express ${server.address().port}`))
