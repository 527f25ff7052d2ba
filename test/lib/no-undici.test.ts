import t from 'tap'
import { Agent, fetch, ProxyAgent } from '../../src/lib/no-undici.js'

t.test('a Worker that is to load through a proxy says what to do instead', async (t) => {
  for (const used of [Agent, ProxyAgent, fetch]) {
    t.throws(used as () => void, /Remove HTTPS_PROXY and HTTP_PROXY/)
  }
})
