// A server of node:http, and the runtime's own where it has one. Prints where they listen.
import { createServer } from 'node:http'
import guardFetch from 'moengage-allowlist/fetch'
import guardNode from 'moengage-allowlist/http'
import { judge } from './table.mjs'

// Without a logger, so that the default one has to work in every runtime and every bundle.
const options = { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } }
const say = (name, port) => console.log(`listening ${name} ${port}`)

const guarded = guardNode(options).listener((_, response, verdict) => response.end(JSON.stringify({ verdict })))
const server = createServer(async (request, response) => {
  if (request.url !== '/table') return guarded(request, response)
  let body = ''
  for await (const chunk of request) body += chunk
  const answers = await judge(JSON.parse(body), async (own, made, peer) => {
    const guard = guardFetch(own)
    const checked = await guard.check(made, peer)
    guard.close()
    return checked
  })
  response.end(JSON.stringify(answers))
})
server.listen(0, '127.0.0.1', () => say('node:http', server.address().port))

const { Bun, Deno } = globalThis
if (Bun !== undefined || Deno !== undefined) {
  const guard = guardFetch(options)
  const answer = async (request, peer) => {
    const { response, verdict } = await guard.check(request, peer)
    return response ?? Response.json({ verdict })
  }
  if (Bun !== undefined) {
    const fetch = (request, server) => answer(request, server.requestIP(request))
    say('Bun.serve', Bun.serve({ port: 0, hostname: '127.0.0.1', fetch }).port)
  } else {
    const { addr } = Deno.serve({ port: 0, hostname: '127.0.0.1', onListen() {} }, (request, info) =>
      answer(request, info.remoteAddr)
    )
    say('Deno.serve', addr.port)
  }
}
