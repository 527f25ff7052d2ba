// A Worker with guards at module level, one of which polls a list. LIST is put in by the bundler.
import moengageAllowlist from 'moengage-allowlist/workers'
import { judge } from './table.mjs'

// Time passes when a test says so.
let passed = 0
const { now } = Date
Date.now = () => now() + passed

const guard = moengageAllowlist({ dataCenters: 'DC-01', source: { url: LIST, interval: '1h' } })

export default {
  async fetch(request, _env, context) {
    const { pathname } = new URL(request.url)
    if (pathname === '/pass') {
      passed += Number(await request.text())
      return new Response('')
    }
    if (pathname === '/status') return Response.json(guard.status())
    if (pathname === '/table') {
      const check = (options, made, peer) => {
        // The peer of a Worker is what Cloudflare writes into this header.
        if (peer !== '') made.headers.set('cf-connecting-ip', peer)
        return moengageAllowlist(options).check(new Request(made, { cf: {} }), context)
      }
      return Response.json(await judge(await request.json(), check))
    }
    // Where nothing waits for a reload, the runtime ends it with the answer, and its timers.
    const { response, verdict } = await guard.check(request, pathname === '/cut' ? { waitUntil() {} } : context)
    return response ?? Response.json({ verdict })
  }
}
