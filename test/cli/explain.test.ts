import t from 'tap'
import { directory } from '../../src/core.js'
import { bundled } from '../help-page/pages.js'
import { run, runJson } from '../support/cli.js'
import { snapshotOf } from '../support/snapshots.js'

t.test('reports whether a guard accepts an address, and why not', async (t) => {
  const rows: [argv: string[], code: number, text: RegExp][] = [
    [['3.6.251.95'], 0, /^3\.6\.251\.95 is verified: .* DC-03 \(connector, .*\n\nListed for: DC-03 \(connector, sms, /],
    [['::FFFF:306:fb5f', '-d', 'DC-03'], 0, /^3\.6\.251\.95 is verified/],
    [['3.6.251.95', '-d', 'DC-03', '-c', 'segment-sync'], 0, /is in MoEngage DC-03 \(segment-sync\)\./],
    [['3.6.251.95', '-d', 'DC-01'], 1, /rejected \(other-data-center\).*but of DC-03.*\n\nListed for: DC-03 \(/],
    [['3.6.251.95', '-c', 'push'], 1, /rejected \(other-channel\)/],
    [['3.6.251.95', '-d', 'DC-01,DC-03', '-c', 'email', '-c', 'sms'], 0, /DC-03 \(email, sms\)/],
    [['192.0.2.1'], 1, /rejected \(not-listed\)/],
    [['34.218.145.185'], 0, /\n\nNote for DC-01: Revision 0be9a6f .*\n\nRevision f7b9336c727c of/]
  ]
  for (const [argv, code, text] of rows) {
    const result = await run(['explain', ...argv])
    t.strictSame([result.code, result.stderr], [code, ''], argv.join(' '))
    t.match(result.stdout, text, argv.join(' '))
  }
})

t.test('shows a note once', async (t) => {
  const { stdout } = await run(['explain', '34.218.145.185', '-d', 'DC-01'])
  t.equal(stdout.match(/0be9a6f/g)!.length, 1)
})

t.test('refuses a text that is not an address, and a guard that could never verify anything', async (t) => {
  const rows: [argv: string[], message: RegExp][] = [
    [['010.0.0.1'], /leading zero.*MOE_ERR_PREFIX/is],
    [
      ['3.6.251.95/32'],
      /"3\.6\.251\.95\/32" is a prefix, not one address\. Write an address of it, such as 3\.6\.251\.95\./
    ],
    [['example.com'], /example\.com/],
    [['52.6.248.125, 10.0.0.1'], /holds several entries in one string\. Ask about one address at a time\./],
    [[''], /^error: /],
    [
      ['3.6.251.95', '-d', 'DC-05', '-c', 'connector'],
      /no static address for connector in DC-05.* Leave "connector" out, or name another: .*MOE_ERR_NO_ADDRESSES/s
    ],
    [['3.6.251.95', '-d', 'DC-01,dc9'], /DC-01, DC-02/]
  ]
  for (const [argv, message] of rows) {
    const { code, stdout, stderr } = await run(['explain', ...argv])
    t.strictSame([code, stdout], [2, ''], argv.join(' '))
    t.match(stderr, message, argv.join(' '))
  }
})

t.test('of a prefix, or of a part of an address, it names the listed addresses that may be meant', async (t) => {
  const rows: [text: string, fix: RegExp][] = [
    ['3.6.251.0/24', /Write an address of it, such as 3\.6\.251\.95\. The list has 3\.6\.251\.95 in it\. /],
    ['198.51.100.0/24', /Write an address of it, such as 198\.51\.100\.0\. The list has no address in it\. /],
    ['0.0.0.0/0', /The list has (?:\d+\.\d+\.\d+\.\d+, ){4}\S+ and \d+ more in it\. /],
    ['52.6.248', /Write an address of 52\.6\.248\.0\/24, such as 52\.6\.248\.125\. The list has 52\.6\.248\.125 in /],
    ['52.6.248.*', /Write an address of 52\.6\.248\.0\/24, such as 52\.6\.248\.125\. /],
    ['52.6.248.125/24', /Write an address of 52\.6\.248\.0\/24, such as 52\.6\.248\.125\. /]
  ]
  for (const [text, fix] of rows) {
    const { code, stderr } = await run(['explain', text])
    t.equal(code, 2, text)
    t.match(stderr, fix, text)
    const [, advised] = / such as (\S+)\. /.exec(stderr)!
    t.match(await run(['explain', advised!]), { code: /^[01]$/, stderr: '' }, `${text}: ${advised}`)
  }
  const stdin = JSON.stringify(snapshotOf({ 'DC-01 sms': ['18.100.0.0/16'] }))
  const { stderr } = await run(['explain', '18.100.1.0/24', '--from', '-'], { stdin })
  t.match(stderr, /such as 18\.100\.1\.0\. The list has 18\.100\.0\.0\/16 in it\./)
})

/** The lines about neighbours of an address. */
async function neighbours(ip: string, stdin: string): Promise<string[]> {
  const { code, stdout } = await run(['explain', ip, '--from', '-'], { stdin })
  t.equal(code, 1, ip)
  const [, lines = ''] = /^Near it on the list:\n((?: {2}.*\n)*)Being near proves nothing/m.exec(stdout) ?? []
  return lines.split('\n').filter((line) => line !== '')
}

t.test('names listed addresses of the same block, and those one typing error away', async (t) => {
  const stdin = JSON.stringify(
    snapshotOf({
      'DC-01 sms': ['198.51.100.0/28', '198.51.100.32', '203.0.113.128', '9.0.0.1'],
      'DC-02 push': ['203.0.113.127', '203.0.113.128'],
      'DC-03 sms': ['2620:fe::1', '2620:fe:0:1::/64']
    })
  )
  const rows: [ip: string, nearest: string[]][] = [
    [
      '198.51.100.16',
      [
        '198.51.100.0/28 (1 address away, 27 leading bits in common): DC-01 (sms)',
        '198.51.100.32 (16 addresses away, 26'
      ]
    ],
    [
      '198.51.100.200',
      ['198.51.100.32 (168 addresses away, 24', '198.51.100.0/28 (185 addresses away, 24 leading bits in common)']
    ],
    [
      '203.0.113.129',
      [
        '203.0.113.128 (1 address away, 31 leading bits in common, 1 keystroke apart): DC-01 (sms), DC-02',
        '203.0.113.127 (2 addresses away, 24 leading bits in common, 1 keystroke apart): DC-02'
      ]
    ],
    ['203.0.113.130', ['203.0.113.128 (2 addresses away, 30 leading bits in common): ', '203.0.113.127 (3']],
    ['8.0.0.1', ['9.0.0.1 (1 keystroke apart)']],
    ['2620:fe::7', ['2620:fe::1 (6 addresses away, 125 leading bits in common, 1 keystroke apart)']],
    ['198.51.99.255', []],
    ['203.0.112.0', []],
    ['0.0.0.0', []],
    ['255.255.255.255', []],
    ['2620:fe:0:2::', []]
  ]
  for (const [ip, nearest] of rows) {
    const found = await neighbours(ip, stdin)
    t.equal(found.length, nearest.length, `${ip}: ${found}`)
    for (const [i, text] of nearest.entries()) t.ok(found[i]!.startsWith(`  ${text}`), `${ip}: ${found[i]}`)
  }
})

t.test('no address that is merely the nearest of all is a neighbour', async (t) => {
  for (const ip of ['198.51.100.7', '10.0.0.1', '3.6.252.1']) {
    const { stdout } = await run(['explain', ip])
    t.notMatch(stdout, /Near it|away|The list has no/, ip)
    t.strictSame((await runJson(['explain', ip])).value.nearest, [], ip)
  }
})

t.test('says what a special-purpose address is, and does not send anyone to support about it', async (t) => {
  const rows: [ip: string, text: RegExp][] = [
    ['198.51.100.7', /^198\.51\.100\.7 is rejected \(not-listed\): .*for documentation/],
    ['10.22.3.193', /is a private address: .* they were made in your own network, or your proxy/],
    ['104.16.0.9', /is an address of cloudflare: .* they come from cloudflare's own network/],
    [
      '64:ff9b::3406:f87d',
      /how a translator \(NAT64\) shows an IPv4 host; the guard does not read the IPv4 address in it/
    ],
    ['2002:3406:f87d::1', /how a tunnel \(6to4\) shows an IPv4 host; the guard does not read the IPv4 address in it/],
    ['127.0.0.1', /loopback/],
    ['2001:db8::1', /for documentation/]
  ]
  for (const [ip, text] of rows) {
    const { stdout } = await run(['explain', ip])
    t.match(stdout, text, ip)
    t.notMatch(stdout, /static IPs|support/, ip)
  }
  const stdin = JSON.stringify(snapshotOf({ 'DC-04 warehouse-export': ['10.22.3.193', '9.9.9.9'] }))
  const listed = await run(['explain', '10.22.3.193', '--from', '-'], { stdin })
  t.match(
    listed.stdout,
    /\n\n10\.22\.3\.193 is a private address: no request can come from there over the internet\.\n/
  )
  t.notMatch((await run(['explain', '9.9.9.9', '--from', '-'], { stdin })).stdout, 'over the internet')
  const tunnelled = JSON.stringify(snapshotOf({ 'DC-04 warehouse-export': ['2002:3406:f87d::1'] }))
  t.match(
    (await run(['explain', '2002:3406:f87d::1', '--from', '-'], { stdin: tunnelled })).stdout,
    /\n\n2002:3406:f87d::1 is how a tunnel \(6to4\) shows an IPv4 host: the guard does not read the IPv4 address in it\.\n/
  )
})

t.test(
  'says where an address is on the page that this version does not know, and that it may be a data center of a newer one',
  async (t) => {
    const unknown = [{ dataCenter: 'DC-07', name: 'Connector Campaigns', addresses: ['18.100.1.2'] }]
    const stdin = JSON.stringify({ ...snapshotOf({ 'DC-01 sms': ['9.9.9.9'] }), unknown })
    const { code, stdout } = await run(['explain', '18.100.1.2', '--from', '-'], { stdin })
    t.equal(code, 1)
    t.match(
      stdout,
      /^18\.100\.1\.2 is rejected \(not-listed\): The address is on .* as "Connector Campaigns" of "DC-07", which this/
    )
    t.notMatch(stdout, /static IPs/)
    const named = await run(['explain', '18.100.1.2', '--from', '-', '-d', 'DC-07'], { stdin })
    t.match(named, {
      code: 2,
      stderr: /"DC-07" is a data center that this version .* does not know: update it if MoEngage's page has it\. Use/
    })
  }
)

t.test('an address of a family that is not listed has no neighbours', async (t) => {
  t.match((await run(['explain', '2001:db8::1'])).stdout, /\n\nThe list has no IPv6 address\.\n/)
  const stdin = JSON.stringify(snapshotOf({ 'DC-01 sms': ['2001:db8::/64'] }))
  t.match((await run(['explain', '192.0.2.1', '--from', '-'], { stdin })).stdout, /The list has no IPv4 address\./)
})

t.test('a list that every guard refuses is a warning of the commands by which it lets somebody in', async (t) => {
  const folder = t.testdir({ 'list.json': JSON.stringify(snapshotOf({ 'DC-01 sms': ['3.0.0.0/8', '10.0.0.0/16'] })) })
  const file = `${folder}/list.json`
  t.match(await run(['keygen', `${folder}/my.key`]), { code: 0 })
  for (const argv of [
    ['explain', '3.1.2.3', '--from', file],
    ['export', 'nginx', '-d', 'DC-01', '--from', file],
    ['sign', file, '--key', `${folder}/my.key`, '--name', 'x']
  ]) {
    const { code, stderr } = await run(argv)
    t.equal(code, 0, argv[0]!)
    t.match(
      stderr,
      /^warning: .*list\.json": The list is suspicious: 3\.0\.0\.0\/8: shorter .* confirm names 'wide'\.$/m
    )
    t.match(stderr, /10\.0\.0\.0\/16 \(.*\): nobody on the internet sends from there\. .* confirm names 'private'\.$/m)
  }
  t.equal((await run(['list', '--from', file])).stderr, '')
})

t.test('as JSON', async (t) => {
  const listed = await runJson(['explain', '::ffff:34.218.145.185', '-d', 'DC-101'])
  t.equal(listed.code, 0)
  const { notes, ...rest } = listed.value
  t.match(notes, [{ dataCenter: 'DC-01', text: /0be9a6f/ }])
  t.strictSame(rest, {
    verdict: {
      verified: true,
      clientIp: '34.218.145.185',
      dataCenter: 'DC-101',
      channels: ['file-segment'],
      matched: '34.218.145.185/32',
      graceUntil: null,
      override: null,
      peer: null,
      revision: directory.revision,
      carriesSecret: null
    },
    entries: [{ prefix: '34.218.145.185/32', dataCenter: 'DC-101', channel: 'file-segment' }],
    nearest: [],
    list: bundled.provenance
  })
  const stranger = await runJson(['explain', '34.218.145.186'])
  t.equal(stranger.code, 1)
  t.strictSame(stranger.value.nearest, [
    {
      prefix: '34.218.145.185/32',
      grants: [{ dataCenter: 'DC-101', channel: 'file-segment' }],
      distance: 1,
      commonBits: 30,
      edits: 1
    }
  ])
  t.strictSame(stranger.value.entries, [])
  t.equal(stranger.value.verdict.reason, 'not-listed')
})
