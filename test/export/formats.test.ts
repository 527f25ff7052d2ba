import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import t from 'tap'
import {
  CHANNELS,
  DATA_CENTERS,
  directory,
  EXPORT_FORMATS,
  ExportError,
  type ExportFormat,
  type ExportOptions,
  exportDirectory,
  NoAddressesError
} from '../../src/core.js'
import { bounded } from '../../src/lib/text.js'
import { runs } from '../support/properties.js'
import { listOf, MIXED, MIXED_IPV4, MIXED_IPV6, RETRIEVED, REVISION } from './lists.js'
import { READERS } from './readers.js'

const SNOWFLAKE = 'snowflake-network-policy'
const AZURE = 'azure-nsg'

/** Which of the prefixes a format has: Snowflake knows no IPv6, and Azure refuses a prefix inside of another. */
function expressible(format: ExportFormat, prefixes: readonly string[]): string[] {
  const inside = (inner: string, outer: string) => {
    const [[address, length], wider] = [ipaddr.parseCIDR(inner), ipaddr.parseCIDR(outer)]
    return inner !== outer && address.kind() === wider[0].kind() && length >= wider[1] && address.match(wider)
  }
  if (format === SNOWFLAKE) return prefixes.filter((text) => !text.includes(':'))
  if (format === AZURE) return prefixes.filter((one) => !prefixes.some((other) => inside(one, other)))
  return [...prefixes]
}
const selection = { dataCenters: ['DC-02', 'dc3'] }
const write = (format: ExportFormat, options: Partial<ExportOptions> = {}, list = MIXED) =>
  exportDirectory(list, { format, ...selection, ...options })

/** TAP reads braces and hash signs in a title. */
const titled = (value: unknown) => encodeURIComponent(JSON.stringify(value))

const NAMED: readonly ExportFormat[] = [
  'caddy',
  'haproxy',
  'traefik',
  'nftables',
  'ipset',
  'sshd-match-address',
  'aws-security-group-terraform',
  'aws-security-group-cloudformation',
  'aws-prefix-list-terraform',
  'aws-waf-ipset-terraform',
  'aws-waf-ipset-cloudformation',
  'aws-waf-ipset-cli',
  'azure-nsg',
  'kubernetes-network-policy',
  'snowflake-network-policy'
]
const WITH_PORT: readonly ExportFormat[] = [
  'nftables',
  'ipset',
  'aws-security-group-terraform',
  'aws-security-group-cloudformation',
  'aws-security-group-cli',
  'azure-nsg',
  'kubernetes-network-policy'
]

t.test('every format has each selected prefix once, in numeric order, and no other', async (t) => {
  for (const format of EXPORT_FORMATS) {
    const expected = expressible(format, [...MIXED_IPV4, ...MIXED_IPV6])
    t.strictSame(READERS[format](write(format)), expected, format)
    t.strictSame(READERS[format](write(format, { dataCenters: 'DC-01' })), ['8.8.8.8/32'], `${format}, one`)
    const catalog = READERS[format](write(format, { channels: 'Catalog and Feeds' }))
    const ofCatalog = ['9.0.0.1/32', '10.0.0.9/32', '100.64.0.0/10', '2001:db8:2::/64']
    t.strictSame(catalog, expressible(format, ofCatalog), `${format}, a channel`)
  }
})

t.test('the bundled list goes into every format as it is', async (t) => {
  for (const format of EXPORT_FORMATS) {
    for (const dataCenters of ['all', ...DATA_CENTERS]) {
      const found = READERS[format](exportDirectory(directory, { format, dataCenters }))
      const entries = directory.select({ dataCenters })
      t.strictSame(
        found.toSorted(),
        [...new Set(entries.map(({ prefix }) => `${prefix}`))].sort(),
        `${format} ${dataCenters}`
      )
    }
  }
})

t.test('every file says of which revision and day it is', async (t) => {
  for (const format of EXPORT_FORMATS) {
    const text = write(format)
    t.ok(text.includes(REVISION.slice(0, 12)), format)
    t.ok(text.includes(RETRIEVED), format)
    t.ok(text.endsWith('\n') && !text.endsWith('\n\n'), `${format} ends with one line break`)
  }
})

t.test('a reader sees what an address is for, where the format has room for it', async (t) => {
  const WITHOUT: readonly ExportFormat[] = [
    'aws-waf-ipset-cloudformation',
    'aws-waf-ipset-cli',
    'azure-nsg',
    'json',
    'text'
  ]
  for (const format of EXPORT_FORMATS) {
    t.equal(write(format).includes('DC-02: catalog; DC-03: connector, catalog'), !WITHOUT.includes(format), format)
  }
  t.strictSame(JSON.parse(write('json')).prefixes[0], {
    prefix: '9.0.0.1/32',
    family: 4,
    purposes: [
      { dataCenter: 'DC-02', channels: ['catalog'] },
      { dataCenter: 'DC-03', channels: ['connector', 'catalog'] }
    ]
  })
  t.match(write('text'), "# MoEngage's addresses for DC-02, DC-03 (all channels)\n")
  t.match(write('nginx', { channels: ['catalog', 'connector'] }), ' for DC-02, DC-03 (catalog, connector)\n')
})

t.test('what does not deny by itself ends with a denial', async (t) => {
  t.match(write('nginx'), /\ndeny all;\n$/)
  t.match(write('caddy'), /\n@not_moengage not \{\n[^}]*\n\}\nrespond @not_moengage 403\n$/)
  t.match(write('nftables'), /\n\t\ttcp dport 443 counter reject with tcp reset\n\t\}\n\}\n$/)
  t.match(write('ipset'), '\n#   -A moengage -p tcp -j REJECT --reject-with tcp-reset\n#   COMMIT\n')
  t.match(write('apache'), /\n<RequireAny>\n(?: {2}.*\n)+<\/RequireAny>\n$/)
  t.match(write('sshd-match-address'), /\n\tDenyUsers moengage\nMatch all\n$/)
  t.match(write('haproxy'), '\n#   http-request deny unless moengage\n')
})

t.test('own prefixes are in every format, beside those of MoEngage and never in place of them', async (t) => {
  const allow = ['192.168.0.0/16', '9.0.0.1', '2001:db9::/64', '192.168.0.0/16']
  const own = ['192.168.0.0/16', '9.0.0.1/32', '2001:db9::/64']
  const prefixes = (format: ExportFormat, all: readonly string[]) => expressible(format, [...new Set(all)]).sort()
  for (const format of EXPORT_FORMATS) {
    const text = write(format, { allow })
    const expected = prefixes(format, [...MIXED_IPV4, ...MIXED_IPV6, ...own])
    t.strictSame(READERS[format](text).toSorted(), expected, format)
    t.throws(() => write(format, { dataCenters: 'DC-05', allow }), { code: 'MOE_ERR_NO_ADDRESSES' }, format)
    if (text.includes('DC-02: catalog')) {
      t.match(text, 'DC-02: catalog; DC-03: connector, catalog; your own', `${format}: an address of both`)
    }
    t.equal(write(format, { allow: [] }), write(format), format)
  }
  const [both, , , other] = JSON.parse(write('json', { allow })).prefixes
  t.match(both, { prefix: '9.0.0.1/32', isOwn: true, purposes: [{ dataCenter: 'DC-02' }, { dataCenter: 'DC-03' }] })
  t.notOk('isOwn' in other)
})

t.test('own prefixes that are wrong are refused, all at once', async (t) => {
  t.throws(() => write('nginx', { allow: ['10.0.0.1/8', 'localhost', '10.0.0.0/8'] }), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [
      { code: 'MOE_ERR_PREFIX', path: 'allow[0]', fix: /Write 10\.0\.0\.0\/8 for the/ },
      { code: 'MOE_ERR_PREFIX', path: 'allow[1]', fix: /127\.0\.0\.0\/8/ }
    ]
  })
  for (const allow of [['0.0.0.0/0'], ['0.0.0.0/1', '128.0.0.0/1'], ['2000::/3']]) {
    t.throws(() => write('nginx', { allow }), {
      code: 'MOE_ERR_OPTIONS',
      mistakes: [{ code: 'MOE_ERR_TRUSTS_EVERYONE', path: 'allow' }]
    })
  }
  t.throws(() => write('nginx', { allow: '10.0.0.0/8' as never }), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [{ path: 'allow', fix: "Write ['10.0.0.0/8']." }]
  })
})

/** The first comment of a file, or what takes its place in JSON. */
function firstComment(text: string): string {
  const [line] = text.split('\n')
  if (line !== '{') return line!
  const { Description, metadata } = JSON.parse(text)
  return Description ?? metadata?.description ?? ''
}

t.test('a file that shuts somebody out says so first', async (t) => {
  /** Sets and lists do nothing by themselves. The list of rules for the command line has no room for a comment. */
  const HARMLESS: readonly ExportFormat[] = [
    'aws-security-group-cli',
    'aws-prefix-list-terraform',
    'aws-waf-ipset-terraform',
    'aws-waf-ipset-cloudformation',
    'aws-waf-ipset-cli',
    'cloudflare-list',
    'json',
    'csv',
    'text'
  ]
  const SHUT_OUT =
    /everyone else|[Ee]very other (?:host|address)|no other address|[Oo]nly these addresses|accept nothing else/
  for (const format of EXPORT_FORMATS) {
    t.equal(
      SHUT_OUT.test(firstComment(write(format))),
      !HARMLESS.includes(format),
      `${format}: ${firstComment(write(format))}`
    )
  }
  t.match(firstComment(write('nftables', { port: 5432 })), /out of TCP port 5432: your own applications .* --allow/)
  t.match(firstComment(write('sshd-match-address', { name: 'sftp' })), /The user sftp is shut out/)
})

t.test('a host keeps its own connections, and those that are there already', async (t) => {
  t.match(write('nftables'), /policy accept;\n\t\tiifname "lo" accept\n\t\tct state established,related accept\n/)
  t.match(
    write('ipset'),
    /-A moengage -i lo -j RETURN\n# {3}-A moengage -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN\n/
  )
})

t.test('the name is used where the format names something, and refused elsewhere', async (t) => {
  for (const format of EXPORT_FORMATS) {
    if (NAMED.includes(format)) {
      // Tables and sets of a host begin with "moengage".
      const name = format === 'nftables' || format === 'ipset' ? 'moengage_feeds' : 'feeds'
      const text = write(format, { name })
      t.match(text, new RegExp(`\\b(?:not_)?${name}`), format)
      t.notMatch(text.replaceAll(/moengage-allowlist|^\s*(?:#|--).*$/gm, '').replaceAll(name, ''), /moengage/, format)
    } else {
      t.throws(
        () => write(format, { name: 'feeds' }),
        { code: 'MOE_ERR_OPTIONS', mistakes: [{ path: 'name' }] },
        format
      )
    }
  }
})

t.test('a name that could mean more than a name is refused', async (t) => {
  const names = [
    '',
    ' ',
    'a b',
    'a\n',
    '\na',
    'a\r',
    'a;b',
    'a"b',
    "a'b",
    'a`b',
    'a\\b',
    'a,b',
    'a*',
    'a?',
    '!a',
    'a{b}',
    `a$${'{b}'}`,
    '%{a}',
    'a#b',
    'a/b',
    'a:b',
    'a=b',
    'a(b)',
    '[a]',
    '<a>',
    'a|b',
    'a&b',
    'a@b',
    '-a',
    '.a',
    'é',
    'а',
    'a\u0000',
    'a\u2028b',
    'a'.repeat(300),
    5,
    null,
    {},
    ['a']
  ]
  for (const format of NAMED) {
    for (const name of names) {
      t.throws(
        () => write(format, { name: name as string }),
        { code: 'MOE_ERR_OPTIONS', mistakes: [{ code: 'MOE_ERR_OPTION_VALUE', path: 'name', value: bounded(name) }] },
        `${format} ${titled(name)}`
      )
    }
  }
  const particular: [ExportFormat, string][] = [
    ['nftables', '1a'],
    ['nftables', 'table'],
    ['nftables', 'filter'],
    ['nftables', 'moengage-1'],
    ['nftables', `moengage${'a'.repeat(24)}`],
    ['ipset', `moengage${'a'.repeat(15)}`],
    ['ipset', 'feeds'],
    ['caddy', 'a-b'],
    ['haproxy', 'a.b'],
    ['aws-security-group-cli', 'a'],
    ['aws-security-group-terraform', 'sg-1'],
    ['aws-security-group-terraform', 'default'],
    ['azure-nsg', 'a-'],
    ['azure-nsg', 'a'.repeat(76)],
    ['kubernetes-network-policy', 'A'],
    ['kubernetes-network-policy', 'a-'],
    ['snowflake-network-policy', 'a-b'],
    ...['table', 'Order', 'SELECT', 'account', 'if', 'with'].map((name): [ExportFormat, string] => [SNOWFLAKE, name]),
    ...['or', 'OR', 'TRUE', 'LOCALHOST', 'HTTP_1_1', 'METH_GET'].map((name): [ExportFormat, string] => [
      'haproxy',
      name
    ])
  ]
  for (const [format, name] of particular)
    t.throws(() => write(format, { name }), { code: 'MOE_ERR_OPTIONS' }, `${format} ${name}`)
  t.throws(() => write('haproxy', { name: 'or' }), {
    mistakes: [
      { path: 'name', message: `'or' has a meaning of its own in haproxy.`, fix: 'Write moengage, or another name.' }
    ]
  } as never)
  for (const name of ['ordering', 'orders', 'true', 'table_1']) {
    for (const format of ['haproxy', SNOWFLAKE] as const) {
      if (format === 'haproxy' || name !== 'true') t.match(write(format, { name }), name, `${format} ${name}`)
    }
  }
})

t.test('the port is used where the format guards one, and refused elsewhere', async (t) => {
  for (const format of EXPORT_FORMATS) {
    if (WITH_PORT.includes(format)) {
      t.match(write(format), /\b443\b/, format)
      t.match(write(format, { port: 5432 }), /\b5432\b/, format)
      t.notMatch(write(format, { port: 5432 }), /\b443\b/, format)
      for (const port of [0, -1, 65_536, 1.5, Number.NaN, '443', '443 accept', null]) {
        t.throws(
          () => write(format, { port: port as number }),
          { code: 'MOE_ERR_OPTIONS', mistakes: [{ path: 'port', value: port }] },
          `${format} ${port}`
        )
      }
      t.throws(
        () => write(format, { port: '8443' as never }),
        { code: 'MOE_ERR_OPTIONS', mistakes: [{ fix: /^Write 8443, / }] },
        format
      )
    } else {
      t.throws(() => write(format, { port: 443 }), { code: 'MOE_ERR_OPTIONS', mistakes: [{ path: 'port' }] }, format)
    }
  }
})

t.test('mistakes are reported all at once, with what would be right', async (t) => {
  t.throws(() => write('nginx', { name: 'a', port: 1, channel: 'sms' } as never), {
    code: 'MOE_ERR_OPTIONS',
    mistakes: [
      { code: 'MOE_ERR_UNKNOWN_OPTION', path: 'channel', fix: 'Did you mean "channels"?' },
      { path: 'name', fix: 'Leave the name out.' },
      { path: 'port', fix: 'Leave the port out.' }
    ]
  })
  const table: [format: unknown, fix: string | RegExp][] = [
    ['ngnix', 'Did you mean "nginx"?'],
    ['aws-security-group', /^Use one of: aws-security-group-terraform, .*-cloudformation, aws-security-group-cli\.$/],
    ['aws-waf-ipset', /^Use one of: aws-waf-ipset-terraform, /],
    ['iptables', 'Did you mean "ipset"?'],
    ['ip6tables', 'Did you mean "ipset"?'],
    ['nft', 'Did you mean "nftables"?'],
    ['openssh', 'Did you mean "sshd-match-address"?'],
    ['sshd', 'Did you mean "sshd-match-address"?'],
    ['httpd', 'Did you mean "apache"?'],
    ['apache2', 'Did you mean "apache"?'],
    ['k8s', 'Did you mean "kubernetes-network-policy"?'],
    ['Caddyfile', 'Did you mean "caddy"?'],
    ['NGINX', 'Did you mean "nginx"?'],
    ['google', 'Did you mean "gcp-cloud-armor"?'],
    ['txt', 'Did you mean "text"?'],
    ['snowflake', 'Use one of: snowflake-network-policy.'],
    ['terraform', /^Use one of: aws-security-group-terraform, aws-prefix-list-terraform, aws-waf-ipset-terraform\.$/],
    ['cloudformation', /^Use one of: aws-security-group-cloudformation, aws-waf-ipset-cloudformation\.$/],
    ['toString', /./],
    ['__proto__', /./],
    [undefined, /./],
    [7, /./]
  ]
  for (const [format, fix] of table) {
    t.throws(
      () => write(format as ExportFormat),
      { mistakes: [{ path: 'format', value: format, fix }] } as never,
      `${format}`
    )
  }
  t.throws(() => write(Object.create(null)), { mistakes: [{ path: 'format', fix: /^Use one of/ }] } as never)
})

t.test('a list without addresses is never written', async (t) => {
  const table: [options: Partial<ExportOptions>, code: string][] = [
    [{ dataCenters: undefined as never }, 'MOE_ERR_DATA_CENTER'],
    [{ dataCenters: [] }, 'MOE_ERR_NO_ADDRESSES'],
    [{ dataCenters: 'US' }, 'MOE_ERR_DATA_CENTER'],
    [{ dataCenters: 'all', channels: [] }, 'MOE_ERR_NO_ADDRESSES'],
    [{ dataCenters: 'all', channels: 'fax' }, 'MOE_ERR_CHANNEL'],
    [{ dataCenters: 'DC-05' }, 'MOE_ERR_NO_ADDRESSES'],
    [{ dataCenters: 'DC-01', channels: 'catalog' }, 'MOE_ERR_NO_ADDRESSES'],
    [{ dataCenters: ['DC-01', 'DC-02'], channels: ['sms'] }, 'MOE_ERR_NO_ADDRESSES']
  ]
  for (const format of EXPORT_FORMATS) {
    for (const [options, code] of table) t.throws(() => write(format, options), { code }, `${format} ${code}`)
  }
})

t.test('whatever is selected of the bundled list, the file has an address or there is no file', async () => {
  const some = <T>(values: readonly T[]) => fc.oneof(fc.constant('all' as const), fc.subarray([...values]))
  fc.assert(
    fc.property(
      some(DATA_CENTERS),
      some(CHANNELS),
      fc.constantFrom(...EXPORT_FORMATS),
      (dataCenters, channels, format) => {
        try {
          return READERS[format](exportDirectory(directory, { format, dataCenters, channels })).length > 0
        } catch (error) {
          return error instanceof NoAddressesError
        }
      }
    ),
    runs(100)
  )
})

t.test('what a format cannot express is refused as a whole', async (t) => {
  const hosts = (count: number) => Array.from({ length: count }, (_, i) => `9.0.${i >> 8}.${i & 255}`)
  const table: [format: ExportFormat, addresses: string[], message: RegExp | undefined][] = [
    ['aws-security-group-terraform', hosts(60), undefined],
    ['aws-security-group-terraform', hosts(61), /61 IPv4 prefixes, and a security group has room for 60/],
    ['aws-security-group-cloudformation', hosts(61), /room for 60/],
    ['aws-security-group-cli', hosts(61), /room for 60/],
    ['aws-security-group-cli', hosts(61).map((host, i) => (i === 0 ? '2001:db8::1' : host)), undefined],
    ['aws-prefix-list-terraform', hosts(1_000), undefined],
    ['aws-prefix-list-terraform', hosts(1_001), /1001 IPv4 prefixes, and a prefix list has room for 1000/],
    ['ipset', hosts(1_000), undefined],
    ['aws-waf-ipset-cli', hosts(10_000), undefined],
    ['aws-waf-ipset-cli', hosts(10_001), /10001 IPv4 prefixes, and an IP set has room for 10000/],
    ['aws-waf-ipset-terraform', hosts(10_001), /room for 10000/],
    ['aws-waf-ipset-cloudformation', hosts(10_001), /room for 10000/],
    ['azure-nsg', ['9.0.0.0/16', ...hosts(4001)], undefined],
    ['azure-nsg', hosts(4000), undefined],
    ['azure-nsg', hosts(4001), /4001 prefixes, and a network security group has room for 4000/],
    ['cloudflare-list', ['9.0.0.0/8', '2001:db0::/28', '2001:db8::/64'], undefined],
    ['cloudflare-list', ['8.0.0.0/7'], /8\.0\.0\.0\/7 cannot be .* IPv4 prefixes of \/8 to \/32/],
    ['cloudflare-list', ['2001:db8::1'], /2001:db8::1\/128 cannot be .* IPv6 prefixes of \/12 to \/64/],
    ['cloudflare-list', ['2000::/11'], /2000::\/11 cannot be/],
    [SNOWFLAKE, ['2001:db8::/64'], /IPv6 prefixes only/]
  ]
  for (const [format, addresses, message] of table) {
    const list = listOf([['DC-01', 'sms', ...addresses]])
    const shown = `${format}: ${addresses.length}, ${addresses[0]}`
    if (message === undefined) {
      t.ok(READERS[format](write(format, { dataCenters: 'all' }, list)).length > 0, shown)
    } else {
      t.throws(() => write(format, { dataCenters: 'all' }, list), { code: 'MOE_ERR_EXPORT', message }, shown)
    }
  }
})

t.test('what Snowflake has no rules for is named as left out', async (t) => {
  const text = write(SNOWFLAKE)
  for (const cidr of MIXED_IPV6) t.match(text, new RegExp(`^-- Left out, .* IPv4 only: ${cidr}$`, 'm'))
  t.notMatch(write(SNOWFLAKE, { dataCenters: 'DC-01' }), 'Left out')
})

t.test('Cloud Armor gets ten prefixes a rule, and a rule for everybody else behind them', async (t) => {
  const { parse } = await import('yaml')
  for (const [count, rules] of [
    [10, [10]],
    [11, [10, 1]],
    [25, [10, 10, 5]]
  ] as const) {
    const list = listOf([['DC-01', 'sms', ...Array.from({ length: count }, (_, i) => `9.0.0.${i}`)]])
    const found: { priority: number; action: string; match: { config: { srcIpRanges: string[] } } }[] = parse(
      write('gcp-cloud-armor', { dataCenters: 'all' }, list)
    ).rules
    t.strictSame(
      found.map(({ match }) => match.config.srcIpRanges.length),
      [...rules, 1]
    )
    t.strictSame(
      found.map(({ priority }) => priority),
      [...rules.map((_, i) => 1000 + i), 2147483647]
    )
    t.match(found.at(-1), { action: 'deny(403)', match: { config: { srcIpRanges: ['*'] } } })
  }
})

t.test('an address that is for everything stays within the bounds of a description', async (t) => {
  const list = listOf(
    DATA_CENTERS.flatMap((dataCenter) => CHANNELS.map((channel) => [dataCenter, channel, '9.0.0.1'] as const))
  )
  const everything = (format: ExportFormat) => write(format, { dataCenters: 'all' }, list)
  const [{ IpRanges }] = JSON.parse(everything('aws-security-group-cli'))
  t.equal(IpRanges[0].Description.length, 255)
  t.match(IpRanges[0].Description, /^DC-01: .*\.\.\. \(revision f7b9336c727c, retrieved 2026-11-23\)$/)
  const { Resources } = JSON.parse(everything('aws-security-group-cloudformation'))
  t.equal(Resources.SecurityGroup.Properties.SecurityGroupIngress[0].Description.length, 255)
  const [, description] = /"9\.0\.0\.1\/32" = "(.*)"/.exec(everything('aws-security-group-terraform'))!
  t.equal(description!.length, 255)
  const [{ comment }] = JSON.parse(everything('cloudflare-list'))
  t.equal(comment.length, 500)
})

/** What whoever wrote a snapshot could try. */
const HOSTILE = [
  '\nallow all;',
  '\n  all: x',
  '";}\nallow',
  "'; DROP x;--",
  `$${'{file("x")}'}`,
  '%{ if x }',
  '{$HOME}',
  '*/ \u2028 \r',
  '=cmd|x!A1',
  ']]>&"\'\\'
]

t.test('a hostile snapshot cannot write rules of its own', async (t) => {
  for (const text of HOSTILE) {
    const list = listOf([['DC-01', 'sms', '9.0.0.1', '2001:db8::/48']], { revision: text, page: `https://x/${text}` })
    const tame = listOf([['DC-01', 'sms', '9.0.0.1', '2001:db8::/48']], { revision: 'r', page: 'https://x/' })
    for (const format of EXPORT_FORMATS) {
      const shown = `${format} ${titled(text)}`
      const written = write(format, { dataCenters: 'all' }, list)
      const expected = write(format, { dataCenters: 'all' }, tame)
      t.strictSame(READERS[format](written), READERS[format](expected), shown)
      t.equal(written.split('\n').length, expected.split('\n').length, `${shown}: as many lines`)
      // JSON escapes by itself; in the others nothing is left that could mean something.
      if (format !== 'json') t.notMatch(written, /[\r\u2028]|[$%]\{|\{\$|DROP x;|"\/x|=cmd\|/, shown)
    }
    t.match(JSON.parse(write('json', { dataCenters: 'all' }, list)).provenance, { revision: text })
  }
})

/** Networks as numbers would give them: the host bits of random octets cut off by hand. */
const network = (octets: number, shortest: number, longest: number, mark: number) =>
  fc
    .tuple(fc.uint8Array({ minLength: octets, maxLength: octets }), fc.integer({ min: shortest, max: longest }))
    .map(([bytes, length]) => {
      const kept = [...bytes].map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))) & 0xff)
      kept[0] = mark
      return `${ipaddr.fromByteArray(kept)}/${length}`
    })
const prefixes = fc.uniqueArray(fc.oneof(network(4, 8, 32, 9), network(16, 16, 64, 0x20)), {
  minLength: 1,
  maxLength: 20
})
const cell = fc.tuple(fc.constantFrom(...DATA_CENTERS), fc.constantFrom(...CHANNELS), prefixes)

t.test('any list can be read back from any format', async () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(cell, {
        minLength: 1,
        maxLength: 2,
        selector: ([dataCenter, channel]) => `${dataCenter} ${channel}`
      }),
      fc.constantFrom(...EXPORT_FORMATS),
      (cells, format) => {
        const list = listOf(
          cells.map(([dataCenter, channel, addresses]) => [dataCenter, channel, ...addresses] as const)
        )
        const all = [...new Set(cells.flatMap(([, , addresses]) => addresses))]
        const expected = expressible(format, all)
        let text: string
        try {
          text = exportDirectory(list, { format, dataCenters: 'all' })
        } catch (error) {
          return format === SNOWFLAKE && expected.length === 0 && error instanceof ExportError
        }
        const found = READERS[format](text)
        const canonical = (cidr: string) => ipaddr.parseCIDR(cidr).join('/')
        return JSON.stringify(found.map(canonical).sort()) === JSON.stringify(expected.map(canonical).sort())
      }
    ),
    runs(500)
  )
})

t.test('the order is that of the numbers', async () => {
  const number = (cidr: string) => {
    const [address, length] = ipaddr.parseCIDR(cidr)
    const bytes = address.toByteArray()
    return `${bytes.length.toString().padStart(2, '0')}${Buffer.from(bytes).toString('hex')}${String(length).padStart(3, '0')}`
  }
  fc.assert(
    fc.property(prefixes, (addresses) => {
      const list = listOf([['DC-01', 'sms', ...addresses]])
      const found = READERS.text(exportDirectory(list, { format: 'text', dataCenters: 'all' })).map(number)
      return found.join() === found.toSorted().join()
    }),
    runs(100)
  )
})
