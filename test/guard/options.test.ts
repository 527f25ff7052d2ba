import { readFileSync } from 'node:fs'
import t from 'tap'
import { createGuard, type GuardOptions, type Problem } from '../../src/core.js'
import { GUARD_OPTIONS } from '../../src/guard/options.js'
import { doorOptions, LOGGER } from '../../src/server/routes.js'

function mistakesOf(options: unknown): readonly Problem[] {
  try {
    createGuard(options as GuardOptions)
    return []
  } catch (error) {
    t.match(error, { code: 'MOE_ERR_OPTIONS', name: 'OptionsError', message: /docs\/errors\.md#moe_err_options/ })
    return (error as { mistakes: readonly Problem[] }).mistakes
  }
}

const warningsOf = (options: Partial<GuardOptions>) =>
  createGuard({ dataCenters: 'DC-01', ...options }).status().warnings

t.test('every configuration mistake is found at start-up', async (t) => {
  interface Mistake {
    id: string
    level: 'error' | 'warning' | 'info'
    config: { trustedProxies?: unknown; header?: unknown; allow?: unknown; statusCode?: number }
  }
  const mistakes: Mistake[] = JSON.parse(readFileSync('test/fixtures/config-mistakes.json', 'utf8'))
  // What is seen in requests or in the wiring, and what another library's options are, has tests of its own.
  const elsewhere =
    /^(trust-missing-behind-proxy|datacenter-|channel-not-in|no-options|fail-open|status-200|registered-|unix-socket|typo-)/
  // A trust function is refused rather than tried: see docs/decisions/0002-the-client-ip-is-never-guessed.md.
  const stricter = new Set(['trust-function-true'])
  for (const { id, level, config } of mistakes.filter((mistake) => !elsewhere.test(mistake.id))) {
    const { trustedProxies, header, allow } = config
    const proxies = id === 'trust-function-true' ? () => true : trustedProxies
    const options = { dataCenters: 'DC-01', clientIp: { trustedProxies: proxies, header }, allow } as GuardOptions
    const found = mistakesOf(options)
    if (level === 'error' || stricter.has(id)) {
      t.ok(found.length > 0, id)
      for (const { path, message, fix } of found)
        t.match({ path, message, fix }, { path: /./, message: /./, fix: /./ }, id)
    } else {
      t.strictSame(found, [], id)
      const codes = createGuard(options)
        .status()
        .warnings.map(({ code }) => code)
        // The samples allow documentation addresses, which is a warning of its own.
        .filter((code) => id.startsWith('allow-') || code !== 'MOE_WARN_EXTRA_ADDRESS')
      t.equal(codes.length > 0, level === 'warning', `${id}: ${codes}`)
    }
  }
})

t.test('a mistake names the option, the value and the fix', async (t) => {
  const base = { dataCenters: 'DC-01' }
  const table: [options: unknown, code: string, path: string, fix: RegExp][] = [
    [undefined, 'MOE_ERR_OPTION_VALUE', '', /dataCenters: 'DC-01'/],
    [null, 'MOE_ERR_OPTION_VALUE', '', /dataCenters: 'DC-01'/],
    [{}, 'MOE_ERR_OPTION_VALUE', 'dataCenters', /dataCenters: 'DC-01'/],
    [{ ...base, dataCenter: 'DC-01' }, 'MOE_ERR_UNKNOWN_OPTION', 'dataCenter', /"dataCenters"/],
    [{ ...base, allowed: [] }, 'MOE_ERR_UNKNOWN_OPTION', 'allowed', /"allow"/],
    [{ ...base, onUnresolvable: 'allow' }, 'MOE_ERR_UNKNOWN_OPTION', 'onUnresolvable', /one of: dataCenters, channels/],
    [{ ...base, clientIp: { trustedProxies: [['cloudflare']] } }, 'MOE_ERR_PREFIX', 'clientIp.trustedProxies[0]', /./],
    [
      { ...base, clientIp: { trustedProxies: [Object.create(null)] } },
      'MOE_ERR_PREFIX',
      'clientIp.trustedProxies[0]',
      /./
    ],
    [
      { ...base, clientIp: { trustedProxies: [], header: Object.create(null) } },
      'MOE_ERR_OPTION_VALUE',
      'clientIp.header',
      /./
    ],
    [{ dataCenters: 'US' }, 'MOE_ERR_DATA_CENTER', 'dataCenters', /DC-01 or DC-04/],
    [{ dataCenters: ['DC-01', 'DC-1O'] }, 'MOE_ERR_DATA_CENTER', 'dataCenters[1]', /"DC-01"/],
    [{ dataCenters: [] }, 'MOE_ERR_NO_ADDRESSES', 'dataCenters', /'all'/],
    [{ dataCenters: 'DC-05', channels: 'sms' }, 'MOE_ERR_NO_ADDRESSES', 'channels', /"allow"/],
    [{ ...base, channels: 'conector' }, 'MOE_ERR_CHANNEL', 'channels', /"connector"/],
    [{ dataCenters: 'all', channels: [] }, 'MOE_ERR_NO_ADDRESSES', 'channels', /'all'/],
    [
      { dataCenters: 'DC-02', channels: ['sms', 'segment-sync'] },
      'MOE_ERR_NO_ADDRESSES',
      'channels',
      /Drop "segment-sync"/
    ],
    [{ ...base, clientIp: 'x-forwarded-for' }, 'MOE_ERR_OPTION_VALUE', 'clientIp', /trustedProxies/],
    [{ ...base, clientIp: null }, 'MOE_ERR_OPTION_VALUE', 'clientIp', /'request.ip'/],
    [{ ...base, clientIp: {} }, 'MOE_ERR_OPTION_VALUE', 'clientIp.trustedProxies', /\['192\.0\.2/],
    [
      { ...base, clientIp: { trustedProxies: '10.0.0.1' } },
      'MOE_ERR_OPTION_VALUE',
      'clientIp.trustedProxies',
      /\['10.0.0.1'\]/
    ],
    [
      { ...base, clientIp: { trustedProxies: [], hops: 1 } },
      'MOE_ERR_UNKNOWN_OPTION',
      'clientIp.hops',
      /trustedProxies/
    ],
    [
      { ...base, clientIp: { trustedProxies: ['lopback'] } },
      'MOE_ERR_PREFIX',
      'clientIp.trustedProxies[0]',
      /"loopback"/
    ],
    [
      { ...base, clientIp: { trustedProxies: ['0.0.0.0/1'] } },
      'MOE_ERR_TRUSTS_EVERYONE',
      'clientIp.trustedProxies',
      /only/
    ],
    [
      { ...base, clientIp: { trustedProxies: [], header: '' } },
      'MOE_ERR_OPTION_VALUE',
      'clientIp.header',
      /x-forwarded-for/
    ],
    [{ ...base, allow: '9.9.9.9' }, 'MOE_ERR_OPTION_VALUE', 'allow', /\['9.9.9.9'\]/],
    [{ ...base, allow: ['203.0.114.*'] }, 'MOE_ERR_PREFIX', 'allow[0]', /^Write 203\.0\.114\.0\/24\.$/],
    [{ ...base, allow: ['loopback'] }, 'MOE_ERR_PREFIX', 'allow[0]', /^Trust proxies in clientIp\.trustedProxies, and/],
    [{ ...base, deny: ['Cloudflare'] }, 'MOE_ERR_PREFIX', 'deny[0]', /^Trust proxies in clientIp\.trustedProxies, and/],
    [{ ...base, allow: ['DC-03'] }, 'MOE_ERR_PREFIX', 'allow[0]', /^Name data centers in dataCenters, and list/],
    [{ ...base, allow: ['03'] }, 'MOE_ERR_PREFIX', 'allow[0]', /^(?!Name data centers)/],
    [{ ...base, allow: 'unix' }, 'MOE_ERR_OPTION_VALUE', 'allow', /"unix" is a name of proxies/],
    [{ ...base, channels: ['all'] }, 'MOE_ERR_CHANNEL', 'channels', /^Write 'all' by itself\.$/],
    [
      { dataCenters: ['DC-01', 'all'] },
      'MOE_ERR_DATA_CENTER',
      'dataCenters',
      /^Write 'all' by itself, or the names without it\.$/
    ],
    [{ ...base, channels: 'ALL' }, 'MOE_ERR_CHANNEL', 'channels', /^Write 'all'\.$/],
    [{ dataCenters: ' All' }, 'MOE_ERR_DATA_CENTER', 'dataCenters', /^Write 'all'\.$/],
    [{ dataCenters: ['ALL'] }, 'MOE_ERR_DATA_CENTER', 'dataCenters', /^Write 'all' by itself\.$/],
    [{ dataCenters: '["DC-01"]' }, 'MOE_ERR_DATA_CENTER', 'dataCenters', /^Parse it: JSON\.parse/],
    [{ ...base, channels: '["sms", "email"]' }, 'MOE_ERR_CHANNEL', 'channels', /^Parse it: JSON\.parse/],
    [{ dataCenters: '*' }, 'MOE_ERR_DATA_CENTER', 'dataCenters', /^Write 'all' in the place of the list\.$/],
    [{ ...base, channels: ['Any'] }, 'MOE_ERR_CHANNEL', 'channels[0]', /^Write 'all' in the place of the list\.$/],
    [
      { ...base, allow: ['["8.8.8.8"]'] },
      'MOE_ERR_PREFIX',
      'allow[0]',
      /^Write one entry a string: an array of strings\.$/
    ],
    [{ ...base, allow: {} }, 'MOE_ERR_OPTION_VALUE', 'allow', /list/],
    [{ ...base, deny: ['10.0.0.1/8'] }, 'MOE_ERR_PREFIX', 'deny[0]', /10\.0\.0\.0\/8.*10\.0\.0\.1/],
    [{ ...base, allow: ['0.0.0.0/0'] }, 'MOE_ERR_TRUSTS_EVERYONE', 'allow', /that you mean/],
    [{ ...base, deny: ['::/0'] }, 'MOE_ERR_TRUSTS_EVERYONE', 'deny', /that you mean/],
    [{ ...base, cacheSize: 0 }, 'MOE_ERR_OPTION_VALUE', 'cacheSize', /1 to 1000000/],
    [{ ...base, cacheSize: 1.5 }, 'MOE_ERR_OPTION_VALUE', 'cacheSize', /whole number/],
    [{ ...base, cacheSize: () => 1 }, 'MOE_ERR_OPTION_VALUE', 'cacheSize', /whole number/],
    [{ ...base, cacheSize: '10' }, 'MOE_ERR_OPTION_VALUE', 'cacheSize', /whole number/],
    [{ ...base, cacheSize: 10n }, 'MOE_ERR_OPTION_VALUE', 'cacheSize', /whole number/],
    [{ ...base, source: 'https://example.com' }, 'MOE_ERR_OPTION_VALUE', 'source', /name, load/],
    [{ ...base, source: null }, 'MOE_ERR_OPTION_VALUE', 'source', /name, load/],
    [{ ...base, source: { name: 'x' } }, 'MOE_ERR_OPTION_VALUE', 'source', /name, load/]
  ]
  for (const [options, code, path, fix] of table) {
    t.match(mistakesOf(options), [{ code, path, fix, message: /./ }], `${path} ${code}`)
  }
})

t.test('all mistakes are told in one error', async (t) => {
  const options = {
    dataCenters: ['US', 'DC-09'],
    channels: 'post',
    clientIp: { trustedProxies: ['*', '10.0.0.0/33'], header: 'X-Real-IP:' },
    allow: ['office.example.com'],
    cacheSize: -1,
    allowed: []
  }
  const paths = mistakesOf(options).map(({ path }) => path)
  t.strictSame(
    paths.sort(),
    [
      'allow[0]',
      'allowed',
      'cacheSize',
      'channels',
      'clientIp.header',
      'clientIp.trustedProxies[0]',
      'clientIp.trustedProxies[1]',
      'dataCenters[0]',
      'dataCenters[1]'
    ].sort()
  )
})

t.test('trust in everyone is refused however it is put together', async (t) => {
  const everyone = [
    ['0.0.0.0/0'],
    ['128.0.0.0/1'],
    ['::/0'],
    ['8000::/1'],
    ['2000::/3'],
    ['2000::/4'],
    ['::ffff:0:0/96'],
    ['0.0.0.0/2', '64.0.0.0/2'],
    ['0.0.0.0/2', '0.0.0.0/3', '64.0.0.0/3', '128.0.0.0/3'],
    ['2000::/5', '2800::/5']
  ]
  for (const trustedProxies of everyone) {
    const found = mistakesOf({ dataCenters: 'DC-01', clientIp: { trustedProxies } })
    t.match(found, [{ code: 'MOE_ERR_TRUSTS_EVERYONE', value: trustedProxies }], trustedProxies.join())
  }
  const some = [
    ['0.0.0.0/2', '0.0.0.0/3', '0.0.0.0/4'],
    ['::/64'],
    ['fc00::/7', '10.0.0.0/8'],
    ['2000::/5', '2000::/6']
  ]
  for (const trustedProxies of some) {
    t.strictSame(mistakesOf({ dataCenters: 'DC-01', clientIp: { trustedProxies } }), [], trustedProxies.join())
  }
})

t.test('an option of the guards of frameworks is named as such by a guard without one', async (t) => {
  const doors = { ...doorOptions({ words: [], example: '() => {}', routePath: '' }), logger: LOGGER }
  const others = Object.keys(doors).filter((name) => !Object.hasOwn(GUARD_OPTIONS, name))
  t.strictSame(others.toSorted(), ['log', 'logLevel', 'logger', 'mode', 'onReject', 'onVerdict', 'statusCode'])
  for (const name of others) {
    t.match(mistakesOf({ dataCenters: 'DC-01', [name]: 'tag' }), [
      {
        path: name,
        fix: /^Leave it out: this guard returns a verdict.* The guards of frameworks have it: the Fastify plugin/
      }
    ])
  }
})

t.test('what is right but may surprise is a warning', async (t) => {
  const trusting = (...trustedProxies: string[]) => ({ clientIp: { trustedProxies } })
  const table: [options: Partial<GuardOptions>, code: string, path: string, message: RegExp][] = [
    [trusting('uniquelocal'), 'MOE_WARN_TRUSTED_PROXIES', 'clientIp.trustedProxies', /all private networks/],
    [
      trusting('10.0.0.0/8', '172.0.0.0/8', '192.168.0.0/16'),
      'MOE_WARN_TRUSTED_PROXIES',
      'clientIp.trustedProxies',
      /private/
    ],
    [trusting('100.64.0.0/10'), 'MOE_WARN_TRUSTED_PROXIES', 'clientIp.trustedProxies[0]', /carrier-grade NAT/],
    [trusting('100.0.0.0/8'), 'MOE_WARN_TRUSTED_PROXIES', 'clientIp.trustedProxies[0]', /carrier-grade NAT/],
    [
      trusting('10.0.0.0/8', '192.0.2.0/24'),
      'MOE_WARN_TRUSTED_PROXIES',
      'clientIp.trustedProxies[1]',
      /192\.0\.2\.0\/24 is for documentation; no proxy connects from it/
    ],
    [
      trusting('2001:db8:1::/48'),
      'MOE_WARN_TRUSTED_PROXIES',
      'clientIp.trustedProxies[0]',
      /2001:db8:1::\/48 is for documentation/
    ],
    [trusting(), 'MOE_WARN_TRUSTED_PROXIES', 'clientIp.trustedProxies', /empty/],
    [
      { clientIp: { trustedProxies: ['10.0.0.1'], header: 'X-Azure-ClientIP' } },
      'MOE_WARN_TRUSTED_PROXIES',
      'clientIp.header',
      /Azure/
    ],
    [
      { clientIp: { trustedProxies: ['fastly'], header: 'fastly-client-ip' } },
      'MOE_WARN_TRUSTED_PROXIES',
      'clientIp.header',
      /VCL/
    ],
    [
      { clientIp: { trustedProxies: ['10.0.0.1'], header: 'true-client-ip' } },
      'MOE_WARN_TRUSTED_PROXIES',
      'clientIp.header',
      /Managed/
    ],
    [
      trusting('cloudflare'),
      'MOE_WARN_TRUSTED_PROXIES',
      'clientIp.header',
      /code can send from the addresses of cloudflare/
    ],
    [trusting('52.0.0.0/8'), 'MOE_WARN_TRUSTED_PROXIES', 'clientIp.trustedProxies', /52\.0\.0\.0\/8 is both/],
    [
      { ...trusting('9.9.9.9'), allow: ['9.9.9.0/24'] },
      'MOE_WARN_TRUSTED_PROXIES',
      'clientIp.trustedProxies',
      /9\.9\.9\.9/
    ],
    [{ allow: ['9.9.9.9', '9.9.9.9/32'] }, 'MOE_WARN_EXTRA_ADDRESS', 'allow[1]', /repeats allow\[0\]/],
    [{ allow: ['203.0.113.0/24'] }, 'MOE_WARN_EXTRA_ADDRESS', 'allow[0]', /documentation/],
    [
      { dataCenters: ['DC-01', 'DC-02'], channels: ['segment-sync', 'sms'] },
      'MOE_WARN_CHANNEL',
      'channels',
      /segment-sync in DC-02/
    ]
  ]
  for (const [options, code, path, message] of table) {
    t.match(warningsOf(options), [{ code, path, message, fix: /./ }], `${path} ${message}`)
  }
  const quiet: Partial<GuardOptions>[] = [
    {},
    { dataCenters: 'all' },
    { clientIp: 'request.ip' },
    { clientIp: () => '52.6.248.125' },
    { gracePeriod: '2d', staleAfter: '30d' },
    { clientIp: { trustedProxies: ['cloudflare'], header: 'cf-connecting-ip' } },
    trusting('google-cloud-load-balancing'),
    trusting('10.0.0.0/8', 'loopback', 'unix', '100.64.0.7'),
    // Half of it is public.
    trusting('192.0.2.0/23'),
    { allow: ['192.0.2.0/23'] },
    { deny: ['203.0.113.0/24'], allow: ['9.9.9.9'] }
  ]
  for (const options of quiet) t.strictSame(warningsOf(options), [], JSON.stringify(options))
})
