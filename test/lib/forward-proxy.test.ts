import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import t from 'tap'
import { proxyFor } from '../../src/lib/forward-proxy.js'
import { runs } from '../support/properties.js'

const PROXY = 'http://proxy.example:3128'
const nameFor = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.name

t.test('the variable of the scheme names the proxy', async (t) => {
  const table: [url: string, env: Record<string, string>, name: string | undefined][] = [
    ['https://a.example', {}, undefined],
    ['https://a.example', { HTTPS_PROXY: '' }, undefined],
    ['https://a.example', { HTTPS_PROXY: ' ' }, undefined],
    ['https://a.example', { HTTPS_PROXY: PROXY }, `${PROXY} (HTTPS_PROXY)`],
    ['https://a.example', { HTTP_PROXY: PROXY }, undefined],
    ['http://a.example', { HTTP_PROXY: PROXY }, `${PROXY} (HTTP_PROXY)`],
    ['http://a.example', { HTTPS_PROXY: PROXY }, undefined],
    ['https://a.example', { https_proxy: PROXY, HTTPS_PROXY: 'http://other' }, `${PROXY} (https_proxy)`],
    ['https://a.example', { https_proxy: '', HTTPS_PROXY: PROXY }, `${PROXY} (HTTPS_PROXY)`],
    ['https://a.example', { HTTPS_PROXY: 'proxy.example:3128' }, `${PROXY} (HTTPS_PROXY)`],
    ['https://a.example', { HTTPS_PROXY: '10.1.2.3:8080' }, 'http://10.1.2.3:8080 (HTTPS_PROXY)'],
    ['https://a.example', { HTTPS_PROXY: 'https://proxy.example' }, 'https://proxy.example (HTTPS_PROXY)'],
    ['https://a.example', { HTTPS_PROXY: 'http://me:s3cret@proxy.example:3128' }, `${PROXY} (HTTPS_PROXY)`]
  ]
  for (const [url, env, name] of table) t.equal(nameFor(url, env), name, `${url} ${JSON.stringify(env)}`)
})

t.test('a variable that names no proxy is an error, which does not show the value', async (t) => {
  for (const value of ['socks5://me:s3cret@proxy:1080', 'http://me:s3cret@', 'http://me:s3cret@[', 'file:///s3cret']) {
    t.throws(
      () => nameFor('https://a.example', { HTTPS_PROXY: value }),
      { message: /^HTTPS_PROXY does not name/ },
      value
    )
    try {
      nameFor('https://a.example', { HTTPS_PROXY: value })
    } catch (error) {
      t.notMatch((error as Error).message, 's3cret')
    }
  }
})

t.test('NO_PROXY lists hosts that are reached directly', async (t) => {
  const table: [list: string, url: string, isDirect: boolean][] = [
    ['*', 'https://a.example', true],
    ['*', 'https://9.0.0.1', true],
    ['a.example', 'https://a.example', true],
    ['A.Example', 'https://a.EXAMPLE', true],
    ['a.example', 'https://b.a.example', true],
    ['.a.example', 'https://a.example', true],
    ['*.a.example', 'https://b.a.example', true],
    ['a.example.', 'https://a.example', true],
    ['a.example', 'https://a.example.', true],
    ['a.example', 'https://ba.example', false],
    ['a.example', 'https://a.example.org', false],
    ['x.example, a.example', 'https://a.example', true],
    ['x.example a.example', 'https://a.example', true],
    ['a.example:443', 'https://a.example', true],
    ['a.example:8443', 'https://a.example', false],
    ['a.example:8443', 'https://a.example:8443', true],
    ['a.example:80', 'http://a.example', true],
    ['9.0.0.1', 'https://9.0.0.1', true],
    ['9.0.0.1', 'https://9.0.0.10', false],
    ['9.0.0.1:443', 'https://9.0.0.1', true],
    ['9.0.0.1:80', 'https://9.0.0.1', false],
    ['9.0.0.0/8', 'https://9.1.2.3', true],
    ['9.0.0.0/8', 'https://10.1.2.3', false],
    ['9.0.0.0/33', 'https://9.0.0.0', false],
    ['9.0.0.0/x', 'https://9.0.0.0', false],
    ['9.0.0.0/', 'https://9.0.0.0', false],
    ['2620:fe::9', 'https://[2620:fe::9]', true],
    ['[2620:fe::9]', 'https://[2620:fe::9]', true],
    ['[2620:fe::9]:443', 'https://[2620:FE::9]', true],
    ['[2620:fe::9]:80', 'https://[2620:fe::9]', false],
    ['2620:fe::/32', 'https://[2620:fe::9]', true],
    ['2620:fe::/32', 'https://9.0.0.1', false],
    ['2620:fe::/129', 'https://[2620:fe::]', false],
    ['example', 'https://9.0.0.1', false],
    [',, ,', 'https://a.example', false],
    ['.', 'https://a.example', false],
    ['', 'https://localhost', true],
    ['', 'https://127.9.9.9:8443', true],
    ['', 'https://[::1]:8443', true]
  ]
  for (const [list, url, isDirect] of table) {
    t.equal(
      nameFor(url, { HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY, NO_PROXY: list }) === undefined,
      isDirect,
      `${list} ${url}`
    )
  }
  t.equal(nameFor('https://a.example', { HTTPS_PROXY: PROXY, no_proxy: '*', NO_PROXY: 'b' }), undefined)
  t.equal(nameFor('https://a.example', { HTTPS_PROXY: PROXY, no_proxy: '', NO_PROXY: '*' }), undefined)
})

const label = fc.constantFrom('a', 'b', 'ab')
const name = fc.array(label, { minLength: 1, maxLength: 3 })

t.test('a name excepts itself and what is below it, label by label', async () => {
  fc.assert(
    fc.property(name, name, (host, entry) => {
      const isBelow = entry.every((_, i) => entry.at(-1 - i) === host.at(-1 - i))
      const found = nameFor(`https://${host.join('.')}`, { HTTPS_PROXY: PROXY, NO_PROXY: entry.join('.') })
      return (found === undefined) === isBelow
    }),
    runs(200)
  )
})

t.test('a prefix excepts the addresses that it contains', async () => {
  // Few different bytes, so that an address is often inside.
  const address = fc.tuple(...[9, 0, 0, 0].map((byte) => fc.constantFrom(byte, byte + 1, 200)))
  fc.assert(
    fc.property(address, address, fc.integer({ min: 0, max: 32 }), (host, net, length) => {
      const isInside = ipaddr.parse(host.join('.')).match(ipaddr.parse(net.join('.')), length)
      const found = nameFor(`https://${host.join('.')}`, { HTTPS_PROXY: PROXY, NO_PROXY: `${net.join('.')}/${length}` })
      return (found === undefined) === isInside
    }),
    runs(200)
  )
})
