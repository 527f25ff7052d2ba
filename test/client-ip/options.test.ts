import { existsSync } from 'node:fs'
import t from 'tap'
import { type ClientIpOptions, createClientIpResolver, type OptionsError } from '../../src/core.js'
import { findingsOf } from '../support/advice.js'

const withProxies = (trustedProxies: unknown, rest: object = {}) =>
  findingsOf({ dataCenters: 'DC-01', clientIp: { trustedProxies, ...rest } })

t.test('no name of a proxy is guessed, and a provider without a preset is answered with its recipe', async (t) => {
  const table: [name: string, recipe: string][] = [
    ['cloudfront', 'cloudfront'],
    ['CloudFront', 'cloudfront'],
    ['cloud-front', 'cloudfront'],
    ['aws-cloudfront', 'cloudfront'],
    ['amazon cloudfront', 'cloudfront'],
    ['aws', 'aws-alb'],
    ['aws-alb', 'aws-alb'],
    ['alb', 'aws-alb'],
    ['elb', 'aws-alb'],
    ['loadbalancer', 'aws-alb'],
    ['load balancer', 'aws-alb'],
    ['frontdoor', 'azure'],
    ['app-gateway', 'azure'],
    ['applicationgateway', 'azure'],
    ['azure', 'azure'],
    ['azure_front_door', 'azure'],
    ['front-door', 'azure'],
    ['application-gateway', 'azure'],
    ['google', 'google-cloud'],
    ['gcp', 'google-cloud'],
    ['heroku', 'heroku'],
    ['fly', 'fly'],
    ['render', 'render'],
    ['nginx', 'nginx'],
    ['ingress-nginx', 'kubernetes-ingress'],
    ['traefik', 'kubernetes-ingress'],
    ['haproxy', 'haproxy'],
    ['caddy', 'caddy'],
    ['envoy', 'envoy']
  ]
  for (const [name, recipe] of table) {
    const page = `docs/recipes/${recipe}.md`
    t.ok(existsSync(page), page)
    const { mistakes } = withProxies([name])
    t.match(mistakes, [{ code: 'MOE_ERR_PREFIX', path: 'clientIp.trustedProxies[0]', value: name }], name)
    t.equal(mistakes[0]!.fix, `${page} says which addresses to list instead.`)
  }
  for (const name of [
    'akamai',
    'vercel',
    'cloudflair',
    'fastlyy',
    'lopback',
    'private',
    'docker',
    'albatross',
    'calb',
    'butterfly',
    'prerender',
    'anyone'
  ]) {
    const { message, fix } = withProxies([name]).mistakes[0]!
    t.equal(message, `'${name}' is not a name of proxies.`)
    t.notMatch(fix, /mean|Write/, 'nothing is guessed')
    t.match(fix, /the names are "loopback", .*"cloudflare", .*"unix"\.$/)
  }
  t.match(withProxies('cloudfront').mistakes, [
    { path: 'clientIp.trustedProxies', fix: /docs\/recipes\/cloudfront\.md/ }
  ])
})

t.test('what stands for everyone, or for this machine, is named as such', async (t) => {
  for (const [text, message] of [
    ['any', /stands for everyone/],
    ['*', /stands for everyone/],
    ['localhost', /host name/]
  ] as const) {
    t.match(withProxies([text]).mistakes, [{ code: 'MOE_ERR_PREFIX', message }])
  }
})

t.test('what is no list of proxies is refused with the reason, and with a list to write', async (t) => {
  const fix = `Write ['192.0.2.0/24'], a list with the addresses of your proxies.`
  const table: [value: unknown, code: string, message: RegExp][] = [
    [true, 'MOE_ERR_TRUSTS_EVERYONE', /^true trusts every peer, so any sender could choose its own address\.$/],
    [() => true, 'MOE_ERR_TRUSTS_EVERYONE', /^A function may trust strangers, which cannot be checked at start-up\.$/],
    [1, 'MOE_ERR_OPTION_VALUE', /^1 is a hop count; it cannot distinguish your proxy from a stranger/]
  ]
  for (const [value, code, message] of table) {
    t.match(withProxies(value).mistakes, [{ code, path: 'clientIp.trustedProxies', message, fix }], String(value))
  }
  t.match(withProxies(false).mistakes, [{ message: /^(?!.*(?:trusts|hop count))/ }], 'what is neither is no list')
})

t.test('what cannot be a name is answered as an address that is wrong', async (t) => {
  for (const text of ['proxy.internal', 'my proxy!', '10.0.0.0/33']) {
    const { mistakes } = withProxies([text])
    t.match(mistakes, [{ code: 'MOE_ERR_PREFIX' }], text)
    t.notMatch(mistakes, [{ message: /is not a name of proxies/ }], text)
  }
})

t.test('names are read in any case', async (t) => {
  t.strictSame(withProxies(['LOOPBACK', 'unix', 'Fastly'], { header: 'fastly-client-ip' }).mistakes, [])
  t.match(withProxies(['Cloudflare']).warnings, [{ path: 'clientIp.header', message: /cloudflare/ }])
})

const OTHER = `Write 'x-forwarded-for', or another header in which your proxy writes the address.`

t.test('a wrong header is answered with the name that is left of it', async (t) => {
  const table: [header: unknown, fix: string][] = [
    ['X Real IP', `Write 'x-real-ip'.`],
    ['X  Real \t IP', `Write 'x-real-ip'.`],
    ['X-Real-IP:', `Write 'x-real-ip'.`],
    [' x-real-ip ', `Write 'x-real-ip'.`],
    ['X-Real-IP: 10.0.0.1', `Write 'x-real-ip'.`],
    ['x-forwarded-for, forwarded', OTHER],
    ['x-real-ip x-forwarded-for', OTHER],
    [['cf-connecting-ip', 'x-forwarded-for'], OTHER],
    ['', `Write 'x-forwarded-for'.`],
    [',', `Write 'x-forwarded-for'.`],
    [['CF-Connecting-IP'], `Write 'cf-connecting-ip'.`],
    [['$http_x_real_ip'], 'Did you mean "x-real-ip"?'],
    [['host'], OTHER],
    [['X Real IP'], `Write 'x-real-ip'.`],
    [[5], `Write 'x-forwarded-for'.`],
    [{ name: 'x-real-ip' }, `Write 'x-forwarded-for'.`]
  ]
  for (const [header, fix] of table) {
    t.match(withProxies(['10.0.0.1'], { header }).mistakes, [
      { code: 'MOE_ERR_OPTION_VALUE', path: 'clientIp.header', fix }
    ])
  }
})

t.test('a header as CGI writes it is answered with its name, and one of clients is refused', async (t) => {
  const table: [header: string, message: RegExp, fix: string | RegExp][] = [
    ['X_FORWARDED_FOR', /^'X_FORWARDED_FOR' is how CGI and logs write a header\.$/, 'Did you mean "x-forwarded-for"?'],
    ['HTTP_X_REAL_IP', /^'HTTP_X_REAL_IP' is how CGI/, 'Did you mean "x-real-ip"?'],
    ['$http_x_real_ip', /^'\$http_x_real_ip' is how CGI/, 'Did you mean "x-real-ip"?'],
    ['$x_real_ip', /^'\$x_real_ip' is how CGI/, 'Did you mean "x-real-ip"?'],
    ['REMOTE_ADDR', /^'REMOTE_ADDR' is the address of the peer, and no header\.$/, /^Write 'x-forwarded-for', or/],
    ['$remote_addr', /is the address of the peer/, /^Write 'x-forwarded-for', or/],
    [`\${X_REAL_IP}`, /is a variable whose value was not filled in, and no header/, /^Write 'x-forwarded-for', or/],
    ['$realip_remote_addr', /is a variable of a proxy, and no header/, /^Write 'x-forwarded-for', or/],
    ...[
      'host',
      'Authorization',
      'cookie',
      'User-Agent',
      'accept',
      'accept-language',
      'content-type',
      'sec-fetch-mode',
      'x-forwarded-host'
    ].map((header): [string, RegExp, RegExp] => [
      header,
      /is a header of clients; no proxy/,
      /^Write 'x-forwarded-for', or/
    ]),
    ['Host:', /is not the name of one header/, `Write 'x-forwarded-for'.`],
    [`x-\${NAME}`, /is not the name of one header/, `Write 'x-forwarded-for'.`],
    ['X_FORWARDED_FOR: 10.0.0.1', /is not the name of one header/, `Write 'x-forwarded-for'.`]
  ]
  for (const [header, message, fix] of table) {
    t.match(
      withProxies(['10.0.0.1'], { header }).mistakes,
      [{ code: 'MOE_ERR_OPTION_VALUE', path: 'clientIp.header', message, fix }],
      header
    )
  }
  for (const header of [
    'x_our_client',
    'x-forwarded',
    'acceptor-ip',
    'x-client-ip',
    'http_client',
    'x-visitor-from',
    'remote_addr_of_visitor'
  ]) {
    t.strictSame(withProxies(['10.0.0.1'], { header }).mistakes, [], header)
  }
  const { mistakes } = findingsOf({ dataCenters: 'DC-01', clientIp: 'user-agent' })
  t.match(mistakes, [{ fix: `Write { trustedProxies: ['192.0.2.0/24'] }, 'request.ip' or a function.` }])
})

t.test('a header that clients can set is warned of, with what to do at its provider', async (t) => {
  const table: [header: string, message: RegExp, fix: RegExp][] = [
    ['x-azure-clientip', /Clients can set X-Azure-ClientIP/, /Write 'x-azure-socketip'/],
    [
      'fastly-client-ip',
      /keeps the Fastly-Client-IP that a client sends/,
      /Set it in VCL as docs\/recipes\/fastly\.md/
    ],
    ['true-client-ip', /keeps the True-Client-IP that a client sends/, /At Cloudflare write 'cf-connecting-ip'/]
  ]
  for (const [header, message, fix] of table) {
    t.match(
      withProxies(['10.0.0.1'], { header }).warnings,
      [{ code: 'MOE_WARN_TRUSTED_PROXIES', message, fix }],
      header
    )
  }
  for (const header of ['x-azure-socketip', 'cf-connecting-ip', 'x-real-ip']) {
    t.strictSame(withProxies(['10.0.0.1'], { header }).warnings, [], header)
  }
})

t.test('a resolver of its own refuses the same, by paths without a group', async (t) => {
  const table: [options: unknown, paths: string[]][] = [
    [undefined, ['']],
    [['10.0.0.1'], ['']],
    [{}, ['trustedProxies']],
    [
      { trustedProxies: ['cloudfront'], header: ':', requireHeader: 1, hops: 1 },
      ['hops', 'trustedProxies[0]', 'header', 'requireHeader']
    ],
    [{ clientIp: { trustedProxies: [] } }, ['clientIp', 'trustedProxies']]
  ]
  for (const [options, paths] of table) {
    try {
      createClientIpResolver(options as ClientIpOptions)
      t.fail('it was accepted')
    } catch (error) {
      t.match(error, { code: 'MOE_ERR_OPTIONS' })
      t.strictSame(
        (error as OptionsError).mistakes.map(({ path }) => path),
        paths
      )
    }
  }
  t.type(createClientIpResolver({ trustedProxies: [] }), 'function', 'a warning is not an error')
})

t.test('proxies or a header in the place of clientIp are answered with the option to write', async (t) => {
  const example = `trustedProxies: ['192.0.2.0/24']`
  const table: [value: unknown, written: string][] = [
    ['10.0.0.1', `trustedProxies: ['10.0.0.1']`],
    [['10.0.0.1', '10.0.0.2'], `trustedProxies: ['10.0.0.1', '10.0.0.2']`],
    ['loopback', `trustedProxies: ['loopback']`],
    ['10.0.0.0/8, 127.0.0.1', `trustedProxies: ['10.0.0.0/8', '127.0.0.1']`],
    ['["10.0.0.0/8"]', `trustedProxies: ['10.0.0.0/8']`],
    ['', example],
    ['x-forwarded-for', `${example}, header: 'x-forwarded-for'`],
    ['X-Real-IP', `${example}, header: 'X-Real-IP'`],
    ['cf-connecting-ip', `${example}, header: 'cf-connecting-ip'`],
    ['forwarded', example],
    ['-real-ip', example],
    ['the x-real-ip', example],
    ['x-real-ip please', example],
    ['x1-real', example],
    ['x-', example],
    [['x-forwarded-for'], example],
    [['0.0.0.0/0'], example],
    [[], 'trustedProxies: []'],
    [true, example],
    [1, example],
    [undefined, '']
  ]
  for (const [clientIp, written] of table) {
    const { mistakes } = findingsOf({ dataCenters: 'DC-01', clientIp })
    const fixes = mistakes.map(({ fix }) => fix)
    t.strictSame(fixes, written === '' ? [] : [`Write { ${written} }, 'request.ip' or a function.`], String(clientIp))
  }
  const mixed =
    /^Write \{ trustedProxies: \['192\.0\.2\.0\/24'\] \}, .* 'foo' is not a name of proxies\. List addresses/
  for (const clientIp of [['10.0.0.0/8', 'foo'], '10.0.0.0/8, foo']) {
    t.match(
      findingsOf({ dataCenters: 'DC-01', clientIp }).mistakes,
      [{ path: 'clientIp', fix: mixed }],
      String(clientIp)
    )
  }
})
