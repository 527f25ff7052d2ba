import t from 'tap'
import { DATA_CENTERS, outboundHosts } from '../../src/core.js'
import { squidRules } from '../../src/egress/hosts.js'

t.test('each data center has its hosts', async (t) => {
  t.strictSame(outboundHosts('DC-01'), [
    'api-01.moengage.com',
    'pushapi-01.moengage.com',
    'sdk-01.moengage.com',
    'fileimports-data-api-01.moengage.com',
    'sandbox-api-01.moengage.com',
    'dashboard-01.moengage.com',
    'oauth2-01.moengage.com'
  ])
  t.equal(outboundHosts('dashboard-101.moengage.com')[0], 'api-101.moengage.com')
  t.equal(new Set(DATA_CENTERS.flatMap(outboundHosts)).size, 7 * DATA_CENTERS.length)
  t.throws(() => outboundHosts('US' as never), { code: 'MOE_ERR_DATA_CENTER', message: /DC-01 or DC-04/ })
})

t.test('the rules of squid name each host once', async (t) => {
  const rules = squidRules(['DC-01', 'DC-03'])
  const hosts = [...rules.matchAll(/^acl moengage_hosts dstdomain (\S+)$/gm)].map(([, host]) => host)
  t.strictSame(hosts, [...outboundHosts('DC-01'), ...outboundHosts('DC-03')])
})
