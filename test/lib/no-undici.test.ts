import t from 'tap'
import { Agent, fetch, ProxyAgent } from '../../src/lib/no-undici.js'

t.test('a Worker that is to load through a proxy says what to do instead', async (t) => {
  for (const use of [Agent, ProxyAgent, fetch] as (() => unknown)[]) {
    t.throws(() => use(), /Remove HTTPS_PROXY and HTTP_PROXY/, use.name)
  }
})
