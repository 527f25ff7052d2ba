import t from 'tap'
import * as none from '../../src/lib/no-undici.js'

t.test('a Worker that is to load through a proxy says what to do instead', async (t) => {
  for (const name of ['Agent', 'ProxyAgent', 'fetch'] as const) {
    t.throws(() => (none[name] as () => void)(), /Remove HTTPS_PROXY and HTTP_PROXY/, name)
  }
})
