import { existsSync } from 'node:fs'
import t from 'tap'
import { PROVIDERS } from '../../src/client-ip/trusted-proxies.js'
import {
  createGuard,
  type GuardOptions,
  type HeadersInput,
  type RejectedVerdict,
  secretHeader
} from '../../src/core.js'
import guardFetch from '../../src/fetch.js'
import { UNLISTED_ROWS } from '../../src/verdict/unlisted.js'
import { lineLogger } from '../support/logger.js'

const LISTED = '52.6.248.125'
const trusting = (...trustedProxies: string[]): Partial<GuardOptions> => ({ clientIp: { trustedProxies } })
const reading = (header: string, options: object = {}): Partial<GuardOptions> => ({
  clientIp: { trustedProxies: ['10.0.0.0/8'], header, ...options }
})
const xff = (value: string) => ({ 'x-forwarded-for': value })

interface Case {
  row: string
  what: string
  options: Partial<GuardOptions>
  peer: string
  /** Null for an address without a request, which `explain` is asked about. */
  headers: HeadersInput | null
  reason: string
  hint: RegExp
}

const CASES: Case[] = [
  {
    row: 'a trusted proxy, of which no request is known',
    what: 'explain: a trusted proxy',
    options: reading('x-real-ip'),
    peer: '10.0.0.1',
    headers: null,
    reason: 'not-listed',
    hint: /^10\.0\.0\.1 is one of your trusted proxies, .*made from inside your network, .*or a hop wrote 10\.0\.0\.1 in place of the sender .*another forwarded header, .* set clientIp\.header .*; if they carry none, let the proxy set x-real-ip/
  },
  {
    row: 'a trusted proxy, of which no request is known',
    what: 'explain: Cloudflare, trusted',
    options: trusting('loopback', 'cloudflare'),
    peer: '104.16.0.9',
    headers: null,
    reason: 'not-listed',
    hint: /^104\.16\.0\.9 is one of your trusted proxies, .*made from cloudflare's own network, or a proxy behind cloudflare wrote 104\.16\.0\.9 in place of the sender/
  },
  {
    row: "a provider's address, of which no request is known",
    what: 'explain: Cloudflare',
    options: trusting('10.0.0.0/8'),
    peer: '104.16.0.9',
    headers: null,
    reason: 'not-listed',
    hint: /^104\.16\.0\.9 is an address of cloudflare: if its requests carry no forwarded header, .*; if they carry one, .*: add 'cloudflare' to clientIp\.trustedProxies\.$/
  },
  {
    row: 'an internal address, of which no request is known',
    what: 'explain: a private address',
    options: trusting('10.0.0.0/8'),
    peer: '192.168.3.3',
    headers: null,
    reason: 'not-listed',
    hint: /^192\.168\.3\.3 is a private address: if its requests carry no forwarded header, .*; if they carry one, .*: add '192\.168\.3\.3' to clientIp\.trustedProxies, if the proxy writes x-forwarded-for itself\.$/
  },
  {
    row: 'an internal address, of which no request is known',
    what: 'explain: a private address where addresses are redacted',
    options: { ...trusting('10.0.0.0/8'), redactAddress: 'truncate' },
    peer: '192.168.3.3',
    headers: null,
    reason: 'not-listed',
    hint: /list its address in clientIp\.trustedProxies, if the proxy writes x-forwarded-for itself\. redactAddress hides the address/
  },
  {
    row: 'every hop is a trusted proxy',
    what: 'curl through nginx on the same machine',
    options: trusting('loopback'),
    peer: '127.0.0.1',
    headers: xff('127.0.0.1'),
    reason: 'not-listed',
    hint: /made from inside your network/
  },
  {
    row: 'every hop is a trusted proxy',
    what: 'a pod behind a trusted ingress',
    options: trusting('10.244.0.0/16'),
    peer: '10.244.0.1',
    headers: xff('10.244.3.7'),
    reason: 'not-listed',
    hint: /made from inside your network/
  },
  {
    row: 'every hop is a trusted proxy',
    what: 'a node in place of the sender (externalTrafficPolicy: Cluster)',
    options: trusting('10.0.0.0/8'),
    peer: '10.0.9.9',
    headers: xff('10.0.3.7'),
    reason: 'not-listed',
    hint: /^Every address in x-forwarded-for is one of your proxies, .* or a hop wrote 10\.0\.3\.7 in place of the sender \(SNAT, .*: let it keep the sender\.$/
  },
  {
    row: 'every hop is a trusted proxy',
    what: "Cloudflare's address in place of the sender, by nginx with $remote_addr",
    options: trusting('loopback', 'cloudflare'),
    peer: '127.0.0.1',
    headers: xff('104.16.0.9'),
    reason: 'not-listed',
    hint: /: the request was made from cloudflare's own network, or a proxy behind cloudflare wrote 104\.16\.0\.9 in place of the sender \(nginx with \$remote_addr\)(?!.*inside)/
  },
  {
    row: 'a trusted proxy sends another header',
    what: 'Forwarded where X-Forwarded-For is read',
    options: trusting('10.0.0.0/8'),
    peer: '10.0.0.1',
    headers: { forwarded: `for=${LISTED}` },
    reason: 'proxy-not-configured',
    hint: /sends forwarded, not x-forwarded-for/
  },
  {
    row: 'an IPv6 visitor with Pseudo IPv4',
    what: "an address of Cloudflare's Pseudo IPv4",
    options: {},
    peer: '240.16.0.1',
    headers: {},
    reason: 'not-listed',
    hint: /^240\.16\.0\.1 is reserved: behind Cloudflare it is an IPv6 visitor whom Pseudo IPv4/
  },
  {
    row: 'a trusted proxy sends no header',
    what: 'nginx without proxy_set_header',
    options: trusting('loopback'),
    peer: '127.0.0.1',
    headers: {},
    reason: 'not-listed',
    hint: /let it set x-forwarded-for.*requireHeader/
  },
  {
    row: 'a trusted proxy sends another header',
    what: 'X-Forwarded-For where X-Real-IP is read',
    options: reading('x-real-ip'),
    peer: '10.0.0.1',
    headers: xff(LISTED),
    reason: 'proxy-not-configured',
    hint: /sends x-forwarded-for, not x-real-ip/
  },
  {
    row: 'a trusted proxy sends no header',
    what: 'nginx without proxy_set_header where X-Real-IP is read',
    options: reading('x-real-ip'),
    peer: '10.0.0.1',
    headers: {},
    reason: 'not-listed',
    hint: /let it set x-real-ip/
  },
  {
    row: "a provider's proxy that is not trusted",
    what: 'Cloudflare as the peer',
    options: trusting('10.0.0.0/8'),
    peer: '104.16.0.9',
    headers: xff(LISTED),
    reason: 'proxy-not-configured',
    hint: /address of cloudflare.*add 'cloudflare' to clientIp\.trustedProxies/
  },
  {
    row: "a provider's proxy that is not trusted",
    what: 'Cloudflare in front of a trusted proxy',
    options: trusting('10.0.0.0/8'),
    peer: '10.0.0.1',
    headers: xff(`${LISTED}, 104.16.0.9`),
    reason: 'proxy-not-configured',
    hint: /address of cloudflare/
  },
  {
    row: "a provider's address without a sender behind it",
    what: 'a worker at Cloudflare',
    options: {},
    peer: '104.16.0.9',
    headers: {},
    reason: 'not-listed',
    hint: /cloudflare's own network/
  },
  {
    row: 'an internal peer that forwards',
    what: 'a proxy that is not trusted',
    options: trusting('10.0.0.0/8'),
    peer: '192.168.0.5',
    headers: xff(LISTED),
    reason: 'proxy-not-configured',
    hint: /add '192\.168\.0\.5'/
  },
  {
    row: 'an internal peer that forwards',
    what: 'a proxy that is not trusted, with a header of its own',
    options: reading('x-client'),
    peer: '192.168.0.5',
    headers: { 'x-client': LISTED },
    reason: 'proxy-not-configured',
    hint: /add '192\.168\.0\.5'/
  },
  {
    row: 'an internal peer that forwards',
    what: 'a proxy that is not trusted and sends another header',
    options: trusting('10.0.0.0/8'),
    peer: '192.168.0.5',
    headers: { 'x-real-ip': LISTED },
    reason: 'proxy-not-configured',
    hint: /^192\.168\.0\.5 is an internal address and the request carries x-real-ip, so it seems to be your proxy and every sender looks like 192\.168\.0\.5\. If it is: add '192\.168\.0\.5' to clientIp\.trustedProxies, and set clientIp\.header to the one header that the proxy itself writes; if it writes none, let it set x-forwarded-for first\.$/
  },
  {
    row: 'an internal peer that forwards',
    what: 'the same without the option',
    options: { clientIp: undefined },
    peer: '192.168.0.5',
    headers: { 'x-real-ip': LISTED },
    reason: 'proxy-not-configured',
    hint: /If it is: pass clientIp: \{ trustedProxies: \['192\.168\.0\.5'\], header: '\.\.\.' \} with the one header that the proxy itself writes; if it writes none, let it set x-forwarded-for first\.$/
  },
  {
    row: 'an internal peer that forwards',
    what: 'the same where addresses are redacted',
    options: { clientIp: undefined, redactAddress: 'truncate' },
    peer: '192.168.0.5',
    headers: { 'x-real-ip': LISTED },
    reason: 'proxy-not-configured',
    hint: /If it is: list its address in clientIp: \{ trustedProxies: \[\.\.\.\], header: '\.\.\.' \} with the one header .* redactAddress hides/
  },
  {
    row: 'an internal hop in front of others',
    what: 'a second proxy',
    options: trusting('10.0.0.0/8'),
    peer: '10.0.0.1',
    headers: xff(`${LISTED}, 192.168.0.9`),
    reason: 'proxy-not-configured',
    hint: /add '192\.168\.0\.9'/
  },
  {
    row: 'an internal hop in front of others',
    what: 'a second proxy behind a third, which writes Forwarded',
    options: reading('forwarded'),
    peer: '10.0.0.1',
    headers: { forwarded: `for=${LISTED}, for="192.168.0.9:80";by=10.0.0.3, for=10.0.0.2` },
    reason: 'proxy-not-configured',
    hint: /^192\.168\.0\.9 is an internal address and forwarded names another hop left of it, .*add '192\.168\.0\.9'/
  },
  ...(
    [
      ['two trusted proxies', xff('192.168.0.9, 10.0.0.2'), {}],
      ['one that wrote an empty hop', xff(', 192.168.0.9, 10.0.0.2'), {}],
      ['two that write Forwarded', { forwarded: 'for=192.168.0.9, for=10.0.0.2' }, { header: 'forwarded' }]
    ] as const
  ).map(
    ([what, headers, options]): Case => ({
      row: 'an internal client',
      what: `an internal client behind ${what}`,
      options: { clientIp: { trustedProxies: ['10.0.0.0/8'], ...options } },
      peer: '10.0.0.1',
      headers,
      reason: 'not-listed',
      hint: /^192\.168\.0\.9 is a private address: the request was made in your own network/
    })
  ),
  {
    row: 'an internal client',
    what: 'an internal client of which a clientIp function knows',
    options: { clientIp: () => '192.168.0.9' },
    peer: '10.0.0.1',
    headers: xff(`${LISTED}, 10.0.0.2`),
    reason: 'not-listed',
    hint: /made in your own network/
  },
  {
    row: 'an internal client',
    what: 'the same behind a hop that is no address',
    options: { clientIp: () => '192.168.0.9' },
    peer: '10.0.0.1',
    headers: xff('192.168.0.9, unknown'),
    reason: 'not-listed',
    hint: /made in your own network/
  },
  {
    row: 'an internal peer without a sender behind it',
    what: "Docker's bridge",
    options: trusting('loopback'),
    peer: '172.18.0.1',
    headers: {},
    reason: 'not-listed',
    hint: /own network, or your proxy \(Docker's bridge/
  },
  {
    row: 'an internal client',
    what: 'a private client behind a trusted proxy',
    options: trusting('10.9.0.0/16'),
    peer: '10.9.0.1',
    headers: xff('10.1.2.3'),
    reason: 'not-listed',
    hint: /made in your own network/
  },
  {
    row: 'an internal client',
    what: 'X-Real-IP of a proxy in between',
    options: reading('x-real-ip'),
    peer: '10.0.0.1',
    headers: { 'x-real-ip': '172.22.17.40', ...xff(LISTED) },
    reason: 'not-listed',
    hint: /not trusted wrote its own address/
  },
  {
    row: 'an IPv4 host behind a translator or a tunnel',
    what: 'a sender of MoEngage through NAT64',
    options: trusting('10.0.0.0/8'),
    peer: '64:ff9b::3406:f87d',
    headers: xff('9.9.9.9'),
    reason: 'not-listed',
    hint: /^64:ff9b::3406:f87d is how a translator \(NAT64\) shows an IPv4 host; .* over IPv4/
  },
  {
    row: 'an IPv4 host behind a translator or a tunnel',
    what: 'the same in a header, by a network with a prefix of its own',
    options: trusting('10.0.0.0/8'),
    peer: '10.0.0.1',
    headers: xff('64:ff9b:1::3406:f87d'),
    reason: 'not-listed',
    hint: /translator/
  },
  {
    row: 'an IPv4 host behind a translator or a tunnel',
    what: 'translation without states',
    options: {},
    peer: '::ffff:0:52.6.248.125',
    headers: {},
    reason: 'not-listed',
    hint: /translator/
  },
  {
    row: 'an IPv4 host behind a translator or a tunnel',
    what: '6to4',
    options: {},
    peer: '2002:3406:f87d::1',
    headers: {},
    reason: 'not-listed',
    hint: /^2002:3406:f87d::1 is how a tunnel \(6to4\) shows an IPv4 host; (?!.*nobody)/
  },
  {
    row: 'an IPv4 host behind a translator or a tunnel',
    what: 'Teredo',
    options: {},
    peer: '2001::1',
    headers: {},
    reason: 'not-listed',
    hint: /^2001::1 is how a tunnel \(Teredo\) shows an IPv4 host; (?!.*nobody)/
  },
  {
    row: 'an IPv4 host behind a translator or a tunnel',
    what: 'an IPv4-compatible address',
    options: {},
    peer: '::52.6.248.125',
    headers: {},
    reason: 'not-listed',
    hint: /^::3406:f87d is an outdated way to write an IPv4 host \(IPv4-compatible\); (?!.*nobody)/
  },
  {
    row: 'a special-purpose address',
    what: 'an address for documentation',
    options: trusting('10.0.0.0/8'),
    peer: '10.0.0.1',
    headers: xff('198.51.100.7'),
    reason: 'not-listed',
    hint: /is for documentation/
  }
]

const guardOf = (options: Partial<GuardOptions>) => createGuard({ dataCenters: 'DC-01', ...options })
const verdictOn = ({ options, peer, headers }: Pick<Case, 'options' | 'peer' | 'headers'>) =>
  headers === null ? guardOf(options).explain(peer).verdict : guardOf(options).judge({ peer, headers })

t.test('what the guard knows about an unlisted client is said before anybody asks MoEngage', async (t) => {
  for (const { what, reason, hint, ...given } of CASES) {
    const verdict = verdictOn(given)
    t.match(verdict, { verified: false, reason, hint }, what)
    t.notMatch(verdict, { hint: /MoEngage|static IPs|support/ }, `${what}: MoEngage cannot have sent it`)
  }
  t.strictSame(
    [...new Set(CASES.map(({ row }) => row))].sort(),
    UNLISTED_ROWS.map(({ name }) => name).sort(),
    'each row of the table has a case'
  )
  t.match(
    guardOf({}).judge({ peer: '8.8.8.8', headers: {} }),
    { hint: /static IPs/ },
    'only a public address may be MoEngage'
  )
})

t.test('the advice is taken when it is followed', async (t) => {
  for (const { what, options, peer, headers, hint } of CASES) {
    const [, proxy, other] =
      /add '([^']+)' to clientIp\.trustedProxies(, and set clientIp\.header to)?/.exec(
        `${(verdictOn({ options, peer, headers }) as { hint: string }).hint}`
      ) ?? []
    if (proxy === undefined) continue
    const header = other === undefined ? {} : { header: Object.keys(headers!)[0]! }
    const { trustedProxies, ...rest } = (options.clientIp ?? { trustedProxies: [] }) as {
      trustedProxies: readonly string[]
    }
    const followed = guardOf({ clientIp: { ...rest, trustedProxies: [...trustedProxies, proxy], ...header } })
    const request = { peer, headers: headers ?? xff(LISTED) }
    t.match(followed.judge(request), { verified: true, clientIp: LISTED }, `${what}: ${hint}`)
  }
  const byHeader = guardOf(reading('forwarded')).judge({ peer: '10.0.0.1', headers: { forwarded: `for=${LISTED}` } })
  t.match(byHeader, { verified: true }, 'the header that the proxy writes')
  const inFramework = guardOf({}).judge({ peer: '10.0.0.1', headers: xff(LISTED) }) as { hint: string }
  const [, written] = /pass clientIp: (\{.*\})/.exec(inFramework.hint)!
  const clientIp = JSON.parse(written!.replaceAll("'", '"').replace('trustedProxies', '"trustedProxies"'))
  t.match(guardOf({ clientIp }).judge({ peer: '10.0.0.1', headers: xff(LISTED) }), { verified: true })
})

t.test('no hint says to read a header of which it is unknown whether a client wrote it', async (t) => {
  const condition =
    /the proxy writes that header, or it passes on what its client wrote: look into its configuration before you set clientIp\.header to the one header that the proxy itself writes; /
  const required: Partial<GuardOptions> = { clientIp: { trustedProxies: ['10.0.0.1'], requireHeader: true } }
  const hints = [
    ...CASES.map(verdictOn),
    verdictOn({ options: required, peer: '10.0.0.1', headers: { 'x-real-ip': LISTED } })
  ].flatMap((verdict) => ('hint' in verdict && verdict.hint.includes('clientIp.header') ? [verdict.hint] : []))
  t.equal(hints.length, 6)
  const untrusted = /clientIp\.header to the one header that the proxy itself writes; if it writes none, let it set /
  for (const hint of hints) t.ok(condition.test(hint) || untrusted.test(hint), hint)
  const forwards = { options: trusting('10.0.0.0/8'), peer: '192.168.0.5', headers: xff(LISTED) }
  t.match(verdictOn(forwards), {
    hint: /writes x-forwarded-for itself \(what a trusted proxy passes on is believed as well\)/
  })
  t.match(verdictOn({ ...forwards, headers: null }), {
    hint: /if it is your proxy: add '192\.168\.0\.5' to clientIp\.trustedProxies, if the proxy writes x-forwarded-for itself\./
  })
})

t.test('a proxy that hides what a provider sends is to write the sender into the header that is read', async (t) => {
  const OWN: Record<string, [header: string, recipe: string]> = {
    cloudflare: ['cf-connecting-ip', 'cloudflare'],
    fastly: ['fastly-client-ip', 'fastly'],
    'google-cloud-load-balancing': ['x-forwarded-for', 'google-cloud']
  }
  for (const { name, prefixes } of PROVIDERS) {
    const address = prefixes[0]!.replace(/0\/\d+$/, '9')
    const [own, recipe] = OWN[name]!
    t.ok(existsSync(`docs/recipes/${recipe}.md`), recipe)
    for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', own]) {
      const options: Partial<GuardOptions> = { clientIp: { trustedProxies: ['loopback', name], header } }
      const text = header === 'forwarded' ? `for=${address}` : address
      const fix =
        header === 'x-forwarded-for'
          ? `hand on what ${name} sends (nginx with $proxy_add_x_forwarded_for)`
          : header === own
            ? `pass on ${own} as ${name} sends it`
            : `write into ${header} the sender that ${name} names in ${own}; docs/recipes/${recipe}.md says when that can be relied on`
      for (const headers of [{ [header]: text }, null]) {
        const verdict = verdictOn({ options, peer: headers === null ? address : '127.0.0.1', headers })
        t.ok(!verdict.verified && verdict.hint.includes(`a proxy did: let it ${fix}.`), `${name}, ${header}`)
      }
    }
  }
  const realIp: Partial<GuardOptions> = {
    clientIp: { trustedProxies: ['loopback', 'cloudflare'], header: 'x-real-ip' }
  }
  const followed = { options: realIp, peer: '127.0.0.1', headers: { 'x-real-ip': LISTED, 'cf-connecting-ip': LISTED } }
  t.match(verdictOn(followed), { verified: true, clientIp: LISTED }, 'as the hint says')
})

const SECRET = 'a secret of the workspace'
const withSecret = { 'x-moe-token': SECRET }
const asking = (options: Partial<GuardOptions>) =>
  guardOf({ ...options, carriesSecret: secretHeader('x-moe-token', SECRET) })

t.test('a header that names the client alone names no further sender', async (t) => {
  const table: Record<string, string>[] = [
    xff('8.8.8.8'),
    xff('8.8.8.8, 8.8.8.8'),
    xff(',8.8.8.8,'),
    { 'x-real-ip': '8.8.8.8' },
    { 'cf-connecting-ip': '::ffff:8.8.8.8' },
    { 'cloudfront-viewer-address': '8.8.8.8:443' },
    { forwarded: 'for="8.8.8.8:443"' },
    xff(`${LISTED}${',8.8.8.8'.repeat(33)}`)
  ]
  for (const headers of table) {
    const guard = asking({})
    t.match(guard.judge({ peer: '8.8.8.8', headers: { ...headers, ...withSecret } }), { clientIp: '8.8.8.8' })
    t.match(guard.status().evidence, [{ kind: 'list-aged', count: 1 }], JSON.stringify(headers))
  }
  const guard = asking({})
  guard.judge({ peer: '8.8.8.8', headers: { ...xff(`${LISTED}${',8.8.8.8'.repeat(32)}`), ...withSecret } })
  t.match(guard.status().evidence, [{ kind: 'proxy', count: 1 }], 'as many hops as are walked')
})

t.test('a header of a million blanks, commas or parameters costs as much as any other', async (t) => {
  const million = (text: string) => text.repeat(1_000_000 / text.length)
  const table: Record<string, string>[] = [
    { forwarded: `for="${million(' ')}b"` },
    { forwarded: `for${million(' ')}=${million(' ')}b` },
    { forwarded: million('for=",') },
    { forwarded: million(',;') },
    { 'x-real-ip': `,${million(' ')}b` },
    { 'cf-connecting-ip': `${million(' ')}b` },
    { 'true-client-ip': `unix:${million(' ')}b` },
    { 'x-original-forwarded-for': million(',') },
    xff(`${million(', ')}b`)
  ]
  for (const headers of table) {
    t.match(asking({}).judge({ peer: '8.8.8.8', headers }), { clientIp: '8.8.8.8', verified: false })
  }
})

t.test("a public client behind which a header names a further sender may be a proxy of one's own", async (t) => {
  const balancer = trusting('google-cloud-load-balancing')
  const table: [
    what: string,
    options: Partial<GuardOptions>,
    peer: string,
    headers: Record<string, string>,
    carries: string
  ][] = [
    ['a balancer that is not trusted', {}, '8.8.8.8', xff(LISTED), 'another address in x-forwarded-for'],
    [
      'one that appends',
      trusting('10.0.0.1'),
      '8.8.8.8',
      xff(`${LISTED}, 8.8.8.8`),
      'another hop left of 8.8.8.8 in x-forwarded-for'
    ],
    ['one that hides a name', {}, '8.8.8.8', xff(`unknown, ${LISTED}`), 'another address in x-forwarded-for'],
    ['the same behind it', {}, '8.8.8.8', xff(`${LISTED}, unknown`), 'another address in x-forwarded-for'],
    ...['unknown', '-', 'null', 'bad', '300.1.1.1'].map(
      (text): [string, Partial<GuardOptions>, string, Record<string, string>, string] => [
        `no address: ${text}`,
        {},
        '8.8.8.8',
        xff(text),
        'a text that is no address in x-forwarded-for'
      ]
    ),
    ['a name that hides it', {}, '8.8.8.8', { forwarded: 'for="_SEVKISEK"' }, 'a text that is no address in forwarded'],
    ...[`for=${LISTED};sig=a=;exp=1`, `proto=https, for=${LISTED}`, `for="[2001:4860::1]:1";a=b=`].map(
      (forwarded): [string, Partial<GuardOptions>, string, Record<string, string>, string] => [
        `Forwarded: ${forwarded}`,
        {},
        '8.8.8.8',
        { forwarded },
        'another address in forwarded'
      ]
    ),
    [
      'Forwarded that hides it, with what RFC 7239 does not allow',
      {},
      '8.8.8.8',
      { forwarded: 'for=unknown;sig=a=' },
      'a text that is no address in forwarded'
    ],
    [
      'two values of one address',
      {},
      '8.8.8.8',
      { 'x-real-ip': `${LISTED}, 8.8.8.8` },
      'a text that is no address in x-real-ip'
    ],
    [
      'a name left of the client',
      {},
      '8.8.8.8',
      xff('unknown, 8.8.8.8'),
      'another hop left of 8.8.8.8 in x-forwarded-for'
    ],
    [
      'nginx that writes another header than the one that is read',
      reading('x-real-ip'),
      '10.0.0.1',
      { 'x-real-ip': '8.8.8.8', ...xff(`${LISTED}, 8.8.8.8`) },
      'another hop left of 8.8.8.8 in x-forwarded-for'
    ],
    [
      'what nginx passes on beside $remote_addr',
      trusting('10.0.0.1'),
      '10.0.0.1',
      { ...xff('8.8.8.8'), 'cf-connecting-ip': LISTED },
      'another address in cf-connecting-ip'
    ],
    ['Forwarded', {}, '8.8.8.8', { forwarded: `for=${LISTED}` }, 'another address in forwarded'],
    [
      'ingress-nginx, which keeps what came in',
      trusting('10.244.0.0/16'),
      '10.244.0.7',
      { ...xff('8.8.8.8'), 'x-real-ip': '8.8.8.8', 'x-original-forwarded-for': `${LISTED}, 9.9.9.9` },
      'another address in x-original-forwarded-for'
    ],
    ...['incap-client-ip', 'x-client-ip', 'x-cluster-client-ip', 'x-envoy-external-address'].map(
      (name): [string, Partial<GuardOptions>, string, Record<string, string>, string] => [
        name,
        trusting('10.244.0.0/16'),
        '10.244.0.7',
        { ...xff('8.8.8.8'), [name]: LISTED },
        `another address in ${name}`
      ]
    ),
    [
      'CloudFront',
      {},
      '8.8.8.8',
      { 'cloudfront-viewer-address': `${LISTED}:443` },
      'another address in cloudfront-viewer-address'
    ],
    [
      'two headers',
      {},
      '2001:4860::8',
      { 'x-azure-clientip': LISTED, 'x-azure-socketip': LISTED },
      'another address in x-azure-clientip and another address in x-azure-socketip'
    ],
    [
      'behind nginx',
      trusting('10.0.0.1'),
      '10.0.0.1',
      xff(`${LISTED}, 8.8.8.8`),
      'another hop left of 8.8.8.8 in x-forwarded-for'
    ],
    [
      'Google appends two',
      balancer,
      '35.191.0.5',
      xff(`${LISTED},8.8.8.8`),
      'another hop left of 8.8.8.8 in x-forwarded-for'
    ],
    [
      'Forwarded behind nginx',
      reading('forwarded'),
      '10.0.0.1',
      { forwarded: `for=${LISTED}, for=8.8.8.8` },
      'another hop left of 8.8.8.8 in forwarded'
    ]
  ]
  for (const [what, options, peer, headers, carries] of table) {
    const verdict = guardOf(options).judge({ peer, headers })
    t.match(verdict, { reason: 'not-listed' }, what)
    const client = String((verdict as { clientIp: string }).clientIp)
    const { hint } = verdict as { hint: string }
    t.ok(
      hint.endsWith(
        `The request carries ${carries}: if ${client} is a proxy in front of your server, every sender behind it looks like ${client}, and docs/recipes shows how to make it known.`
      ),
      hint
    )
    t.notMatch(hint, /trustedProxies|add /, 'whom to trust is not guessed')
    const guard = asking(options)
    t.match(guard.judge({ peer, headers: { ...headers, ...withSecret } }), {
      reason: 'not-listed',
      carriesSecret: true,
      hint: new RegExp(
        `^The request carries your secret and ${carries}, so a proxy may hide its sender, .*Do not add the address to "allow"`
      )
    })
    const proxy = { kind: 'proxy', paste: null, ticket: null, sentence: /names a further sender in a header/ }
    t.match(guard.status().evidence, [{ ...proxy, count: 1 }])
    t.equal(guard.status().evidence.length, 1)
    const bare = {
      'x-forwarded-for': client,
      'x-real-ip': client,
      forwarded: `for="[${client}]"`.replace(/\[([\d.]+)\]/, '$1')
    }
    t.match(guard.judge({ peer, headers: peer === client ? withSecret : { ...bare, ...withSecret } }), {
      clientIp: client
    })
    t.match(guard.status().evidence, [{ ...proxy, count: 2 }], 'one request opens no door to what is behind the proxy')
    t.equal(guard.status().evidence.length, 1)
    t.match(guard.senders(), [{ clientIp: client, isOwn: true }])
    t.match(asking(options).judge({ peer, headers }), {
      reason: 'not-listed',
      hint: /known\. The request does not carry your secret\.$/
    })
    const redacting = guardOf({ ...options, redactAddress: 'truncate' })
    t.notOk(redacting.redacted(redacting.judge({ peer, headers }) as RejectedVerdict).hint.includes(client), 'redacted')
  }
})

t.test('a client that every header names, or none, is a sender: with the secret, it is to be allowed', async (t) => {
  const table: [what: string, options: Partial<GuardOptions>, peer: string, headers: Record<string, string>][] = [
    ['no header', {}, '8.8.8.8', {}],
    [
      'a platform that writes the peer into headers',
      {},
      '8.8.8.8',
      { ...xff('8.8.8.8'), 'cf-connecting-ip': '8.8.8.8', forwarded: 'for=8.8.8.8' }
    ],
    ['a list of itself', {}, '8.8.8.8', xff('::ffff:8.8.8.8, 8.8.8.8:443')],
    ['a list of itself behind nginx', trusting('10.0.0.1'), '10.0.0.1', xff('8.8.8.8, 8.8.8.8')],
    ['an edge that appends itself', {}, '8.8.8.8', xff('8.8.8.8, 70.132.60.12')],
    [
      "proxies of one's own in another header",
      reading('x-real-ip'),
      '10.0.0.1',
      { 'x-real-ip': '8.8.8.8', ...xff('10.0.0.7, 104.16.0.9') }
    ],
    ['blank headers', {}, '8.8.8.8', { ...xff(' , '), 'x-real-ip': '', forwarded: '' }],
    ['behind nginx', trusting('10.0.0.1'), '10.0.0.1', { ...xff('8.8.8.8'), 'x-real-ip': '8.8.8.8' }],
    ['a single header', reading('x-real-ip'), '10.0.0.1', { 'x-real-ip': '8.8.8.8', ...xff('8.8.8.8, 10.0.0.1') }],
    ['a function', { clientIp: () => '8.8.8.8' }, '8.8.8.8', xff(LISTED)],
    [
      'Vercel, whose Forwarded RFC 7239 does not allow',
      trusting('10.0.0.1'),
      '10.0.0.1',
      { ...xff('8.8.8.8'), forwarded: 'for=8.8.8.8;host=a.example;proto=https;sig=0QmVhcmVy=;exp=1677402508' }
    ],
    [
      'OpenShift',
      trusting('10.0.0.1'),
      '10.0.0.1',
      { ...xff('8.8.8.8'), forwarded: 'for=8.8.8.8;host=a.example:8443;proto=https;proto-version=' }
    ],
    ...[
      'proto=https;host=a.example',
      'by=10.0.0.1;proto=https',
      'secret=a=',
      ',=,',
      'for=8.8.8.8;a=b=, proto=https'
    ].map((forwarded): [string, Partial<GuardOptions>, string, Record<string, string>] => [
      `Forwarded: ${forwarded}`,
      trusting('10.0.0.1'),
      '10.0.0.1',
      { ...xff('8.8.8.8'), forwarded }
    ]),
    [
      'a list that begins with it, beside its proxies in another header',
      reading('true-client-ip'),
      '10.0.0.1',
      { 'true-client-ip': '8.8.8.8', ...xff('8.8.8.8, 23.32.1.2'), 'x-real-ip': '23.32.1.2' }
    ],
    [
      'nginx that appends what it has put in place',
      trusting('10.0.0.1'),
      '10.0.0.1',
      xff('8.8.8.8, 10.0.1.7, 8.8.8.8')
    ],
    [
      'ingress-nginx, which keeps what came in',
      trusting('10.244.0.0/16'),
      '10.244.0.7',
      { ...xff('8.8.8.8'), 'x-original-forwarded-for': '8.8.8.8, 9.9.9.9', 'x-client-ip': '8.8.8.8' }
    ],
    ['a peer on a unix socket', trusting('10.0.0.1'), '10.0.0.1', { ...xff('8.8.8.8'), 'x-real-ip': 'unix:' }]
  ]
  for (const [what, options, peer, headers] of table) {
    t.match(guardOf(options).judge({ peer, headers }), { reason: 'not-listed', hint: /changed since\?$/ }, what)
    t.match(
      asking(options).judge({ peer, headers: { ...headers, ...withSecret } }),
      {
        reason: 'not-listed',
        hint: /Add the address to "allow", unless a proxy of yours has it, and ask MoEngage's support\.$/
      },
      what
    )
  }
})

t.test('a provider is not to be trusted beside a header that it passes on', async (t) => {
  for (const { name, prefixes } of PROVIDERS) {
    const address = prefixes[0]!.replace(/0\/\d+$/, '9')
    const own = name === 'cloudflare' ? 'cf-connecting-ip' : name === 'fastly' ? 'fastly-client-ip' : 'x-forwarded-for'
    for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip', 'fastly-client-ip']) {
      const text = header === 'forwarded' ? `for=${LISTED}` : LISTED
      const isWritten = header === own || header === 'x-forwarded-for'
      const given = { options: reading(header), peer: address }
      for (const headers of [{ [header]: text }, null]) {
        const { hint } = verdictOn({ ...given, headers }) as { hint: string }
        t.equal(hint.includes(`add '${name}' to clientIp.trustedProxies.`), isWritten, `${name}, ${header}`)
        if (isWritten) continue
        t.ok(hint.includes(`read ${own}, which ${name} writes itself, as docs/recipes/`), hint)
        t.ok(hint.endsWith(`Do not trust ${name} beside ${header}, which it passes on as clients send it.`), hint)
      }
      const guard = guardOf(reading(header))
      guard.judge({ peer: address, headers: { [header]: text } })
      t.match(
        guard.status().diagnosis,
        [isWritten ? /own proxy: add '/ : /own proxy: if .* read .* Do not trust .*$/],
        `${name}, ${header}`
      )
      const options: Partial<GuardOptions> = { clientIp: { trustedProxies: ['10.0.0.0/8', name], header } }
      const warning = {
        path: 'clientIp.header',
        message: new RegExp(`passes on ${header} as clients send it, unless`),
        fix: new RegExp(`^If ${name} connects to your server itself, read '${own}', .* remove '${name}'\\.$`)
      }
      const warnings = guardOf(options)
        .status()
        .warnings.filter(({ message }) => message.includes('passes on'))
      if (isWritten) t.strictSame(warnings, [])
      else t.match(warnings, [warning])
    }
    const nginx = { options: reading('x-real-ip'), peer: '10.0.0.1', headers: { 'x-real-ip': address } }
    t.match(verdictOn(nginx), {
      hint: new RegExp(`server: let the proxy behind it write into x-real-ip the sender that ${name} names in ${own}`)
    })
  }
  const google = { options: {}, peer: '35.191.0.5', headers: xff(`${LISTED},8.8.8.8`) }
  const { hint } = verdictOn(google) as { hint: string }
  t.match(
    hint,
    /pass clientIp: .* List the address of your balancer beside it, .* as docs\/recipes\/google-cloud\.md shows\.$/
  )
  t.match(
    verdictOn({ ...google, options: trusting('google-cloud-load-balancing', '8.8.8.8') }),
    { verified: true },
    'as it says'
  )
})

t.test(
  'a trusted proxy without the header that is read is said to let its clients choose their addresses',
  async (t) => {
    const trusted = { trustedProxies: ['10.0.0.1', 'unix'] }
    for (const header of ['x-forwarded-for', 'x-real-ip']) {
      const choose = `As long as a trusted proxy does not write ${header} itself, each of its clients can send ${header} and so choose its own address.`
      for (const requireHeader of [false, true]) {
        const options: Partial<GuardOptions> = { clientIp: { ...trusted, header, requireHeader } }
        for (const peer of ['10.0.0.1', 'unix']) {
          for (const headers of [{}, { 'true-client-ip': '8.8.4.4' }]) {
            const { hint } = verdictOn({ options, peer, headers }) as { hint: string }
            t.ok(hint.endsWith(choose), `${peer}: ${hint}`)
          }
          t.match(verdictOn({ options, peer, headers: { [header]: LISTED } }), { verified: true }, 'as it says')
        }
      }
    }
  }
)

t.test('of a unix socket that is trusted, the hint says which header its proxy sends', async (t) => {
  const table: [trusted: string[], headers: HeadersInput, hint: RegExp][] = [
    [
      ['unix'],
      {},
      /^The request came over a unix socket, which has no address, and your proxy, which is trusted, sent no x-forwarded-for: let it set that header\. As long as/
    ],
    [
      ['unix'],
      { 'x-real-ip': LISTED },
      /, which is trusted, sends x-real-ip, not x-forwarded-for\. Either the proxy writes that header, or it passes on .*; if it writes none, let it set x-forwarded-for\. As long as/
    ],
    [
      ['loopback'],
      { 'x-real-ip': LISTED },
      /^The request came over a unix socket, which has no address\. If your proxy connects there, let it set x-forwarded-for itself, and add 'unix' to clientIp\.trustedProxies\.$/
    ],
    [['loopback'], xff(LISTED), /itself, and add 'unix' to clientIp\.trustedProxies\.$/]
  ]
  for (const [trusted, headers, hint] of table) {
    t.match(guardOf(trusting(...trusted)).judge({ peer: 'unix', headers }), { reason: 'unresolved', hint })
  }
  t.match(guardOf(trusting('unix')).judge({ peer: 'unix', headers: xff(LISTED) }), { verified: true }, 'as it says')
  t.match(guardOf({ clientIp: undefined }).judge({ peer: 'unix', headers: xff(LISTED) }), {
    hint: /itself, and pass clientIp: \{ trustedProxies: \['unix'\] \}\.$/
  })
  t.match(guardOf(trusting('unix')).judge({ peer: undefined, headers: {} }), { hint: /^The connection has no address/ })
})

t.test('a header that is required names the one that is there', async (t) => {
  const required = { trustedProxies: ['10.0.0.1'], requireHeader: true }
  const judge = (headers: HeadersInput) => guardOf({ clientIp: required }).judge({ peer: '10.0.0.1', headers })
  t.match(judge({}), { reason: 'unresolved', hint: /sent no x-forwarded-for/ })
  t.match(judge({ forwarded: `for=${LISTED}` }), {
    reason: 'unresolved',
    hint: /sends forwarded, and no x-forwarded-for.*clientIp\.header/
  })
})

t.test('a proxy is never verified as a sender, whatever else accepts its address', async (t) => {
  const guard = guardOf({ allow: ['10.0.0.0/8'], clientIp: { trustedProxies: ['10.0.1.0/24'] } })
  t.match(guard.judge({ peer: '10.0.1.5', headers: {} }), {
    verified: false,
    reason: 'not-listed',
    hint: /forwards no client address/
  })
  t.match(guard.judge({ peer: '10.0.1.5', headers: xff('10.0.1.6') }), { verified: false, hint: /made from inside/ })
  t.match(guard.judge({ peer: '10.0.1.5', headers: xff('10.0.2.5') }), { verified: true, matched: '10.0.0.0/8' })
  t.match(guard.judge({ peer: '10.0.2.5', headers: {} }), { verified: true })
  t.match(guard.senders(), [{ clientIp: '10.0.1.5' }, { clientIp: '10.0.1.6' }].reverse())
})

t.test('a Fetch guard says that no peer was passed, and takes what servers report of a connection', async (t) => {
  const guard = guardFetch({
    dataCenters: 'DC-01',
    logger: lineLogger([]),
    clientIp: { trustedProxies: ['127.0.0.1'] }
  })
  t.teardown(() => guard.close())
  const request = () => new Request('http://localhost/', { headers: xff(LISTED) })
  for (const peer of [undefined, null]) {
    t.match(guard.judge(request(), peer as never), { reason: 'unresolved', hint: /No peer was passed/ }, `${peer}`)
  }
  for (const peer of [
    '127.0.0.1',
    { address: '127.0.0.1', port: 1, family: 'IPv4' },
    { hostname: '127.0.0.1' },
    { remote: { address: '127.0.0.1' } }
  ]) {
    t.match(guard.judge(request(), peer), { verified: true, clientIp: LISTED }, JSON.stringify(peer))
  }
})
