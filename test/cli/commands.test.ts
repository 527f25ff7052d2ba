import { readFileSync } from 'node:fs'
import t from 'tap'
import { CHANNELS, DATA_CENTERS, type DirectoryDiff, directory, type Snapshot } from '../../src/core.js'
import { run } from '../support/cli.js'

const bundled: Snapshot = JSON.parse(readFileSync('src/directory/moengage.json', 'utf8'))
const json = async (argv: string[], stdin?: string) => {
  const { code, stdout, stderr } = await run([...argv, '--json'], stdin === undefined ? {} : { stdin })
  return { code, stderr, value: JSON.parse(stdout) }
}

/** A list from cells, each keyed `DC-01 sms`, as a snapshot's text. */
function snapshot(cells: Record<string, Snapshot['rows'][number]['addresses']>, more: object = {}): string {
  const rows = Object.entries(cells).map(([key, addresses]) => {
    const [dataCenter, channel] = key.split(' ')
    return { dataCenter, channel, addresses }
  })
  return JSON.stringify({ provenance: { page: 'a test', revision: 'r2', retrieved: '2026-11-30' }, rows, ...more })
}

t.test('list', async (t) => {
  t.test('prints a matrix of all data centers and channels, 80 columns wide at most', async (t) => {
    const { code, stdout, stderr } = await run(['list'])
    t.strictSame([code, stderr], [0, ''])
    const [head, ...lines] = stdout.split('\n')
    t.strictSame(head!.trim().split(/\s+/), [...DATA_CENTERS])
    for (const [i, channel] of CHANNELS.entries()) {
      const expected = DATA_CENTERS.map((dataCenter) => {
        const cell = directory.cell(dataCenter, channel)
        if (cell === undefined) return '-'
        if (cell === 'NA') return 'NA'
        return `${directory.prefixes(dataCenter, channel).length}${'derivedFrom' in cell ? '+' : ''}`
      })
      t.strictSame(lines[i]!.split(/\s+/), [channel, ...expected])
    }
    t.strictSame(
      stdout.split('\n').filter((line) => line.length > 80),
      [bundled.provenance.page],
      'nothing but the URL of the page, which must stay in one piece, is wider'
    )
    t.ok(stdout.includes(`Revision ${directory.revision} of ${bundled.provenance.retrieved}`))
    t.notMatch(stdout, '52.6.248.125', 'no address')
  })

  t.test('prints the addresses of a part, one a line', async (t) => {
    const { stdout } = await run([
      'list',
      '-d',
      'dc3,1',
      '--data-center',
      'DC-05',
      '-c',
      'Streams',
      '-c',
      'email,streams'
    ])
    const [matrix, addresses] = stdout.split('\n\n')
    t.strictSame(
      matrix!.split('\n').map((line) => line.trim().split(/\s+/)),
      [
        ['DC-01', 'DC-03', 'DC-05'],
        ['email', '1', '1', 'NA'],
        ['streams', '1', '1', '1']
      ]
    )
    t.strictSame(
      addresses!.split('\n').map((line) => line.split(/\s+/)),
      [
        ['DC-01', 'email', '52.6.248.125'],
        ['DC-01', 'streams', '52.6.248.125'],
        ['DC-03', 'email', '3.6.251.95'],
        ['DC-03', 'streams', '3.6.251.95'],
        ['DC-05', 'streams', '18.143.35.151']
      ]
    )
  })

  t.test('prints no addresses where there are none', async (t) => {
    const { code, stdout } = await run(['list', '-d', 'DC-05', '-c', 'connector'])
    t.equal(code, 0)
    t.match(stdout, /^ +DC-05\nconnector +NA\n\nNumbers/)
  })

  t.test('takes "all" for no filter', async (t) => {
    t.strictSame(await run(['list', '-d', 'DC-01', '-d', 'all', '-c', 'all']), await run(['list']))
  })

  t.test('prints networks as such, and IPv6', async (t) => {
    const stdin = snapshot({ 'DC-02 sms': ['198.51.100.0/28', '2001:db8::1', '2001:db8:1::/48', '2001:db8::/32'] })
    const { stdout } = await run(['list', '--from', '-', '-d', 'DC-02'], { stdin })
    t.strictSame(stdout.match(/(?<=DC-02 {2}sms {2}).*/g), [
      '198.51.100.0/28',
      '2001:db8::1',
      '2001:db8:1::/48',
      '2001:db8::/32'
    ])
  })

  t.test('as JSON has every cell of the page', async (t) => {
    const { code, value } = await json(['list'])
    t.equal(code, 0)
    const { cells, ...provenance } = value
    t.strictSame(provenance, bundled.provenance)
    t.equal(cells.length, bundled.rows.length)
    for (const { dataCenter, channel, addresses } of bundled.rows) {
      const { published, derivedFrom, ...cell } = cells.find(
        (cell: { dataCenter: string; channel: string }) => cell.dataCenter === dataCenter && cell.channel === channel
      )
      const prefixes = directory.prefixes(dataCenter, channel).map(String)
      t.strictSame(cell, { dataCenter, channel, addresses: prefixes })
      t.equal(published, addresses !== 'NA')
      t.strictSame(derivedFrom, (addresses as { derivedFrom?: string[] }).derivedFrom)
    }
    const part = await json(['list', '-d', 'DC-101'])
    t.strictSame(part.value.cells, [
      { dataCenter: 'DC-101', channel: 'file-segment', published: true, addresses: ['34.218.145.185/32'] }
    ])
  })
})

t.test('explain', async (t) => {
  t.test('tells whether a guard accepts an address, and why not', async (t) => {
    const rows: [argv: string[], code: number, text: RegExp][] = [
      [
        ['3.6.251.95'],
        0,
        /^3\.6\.251\.95 is verified: .* DC-03 \(connector, .*\n\nListed for: DC-03 \(connector, sms, /
      ],
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

  t.test('does not tell a note twice', async (t) => {
    const { stdout } = await run(['explain', '34.218.145.185', '-d', 'DC-01'])
    t.equal(stdout.match(/0be9a6f/g)!.length, 1)
  })

  t.test('refuses what is no address, and a guard that could never verify anything', async (t) => {
    const rows: [argv: string[], message: RegExp][] = [
      [['010.0.0.1'], /leading zero.*MOE_ERR_PREFIX/is],
      [
        ['3.6.251.95/32'],
        /"3\.6\.251\.95\/32" is a prefix, not one address\. Write an address of it, such as 3\.6\.251\.95\./
      ],
      [['example.com'], /example\.com/],
      [[''], /^error: /],
      [
        ['3.6.251.95', '-d', 'DC-05', '-c', 'connector'],
        /no static address for connector in DC-05.*MOE_ERR_NO_ADDRESSES/s
      ]
    ]
    for (const [argv, message] of rows) {
      const { code, stdout, stderr } = await run(['explain', ...argv])
      t.strictSame([code, stdout], [2, ''], argv.join(' '))
      t.match(stderr, message, argv.join(' '))
    }
  })

  t.test('names what is nearest on the list: by number, by leading bits and by typing', async (t) => {
    const stdin = snapshot({
      'DC-01 sms': ['198.51.100.0/28', '198.51.100.32', '203.0.113.128', '9.0.0.1'],
      'DC-02 push': ['203.0.113.127', '203.0.113.128']
    })
    const rows: [ip: string, nearest: string[]][] = [
      [
        '198.51.100.16',
        [
          '198.51.100.32 (16 addresses away, 26 leading bits in common, 2 keystrokes apart)',
          '198.51.100.0/28 (1 address away, 27'
        ]
      ],
      ['198.51.100.200', ['198.51.100.32 (168 addresses away, 24']],
      ['198.51.99.255', ['198.51.100.0/28 (1 address away, 21']],
      ['203.0.113.129', ['203.0.113.128 (1 address away, 31 leading bits in common, 1 keystroke apart)']],
      ['203.0.113.130', ['203.0.113.128 (2 addresses away, 30 leading bits in common, 2']],
      ['203.0.112.0', ['203.0.113.127 (383 addresses away, 23']],
      ['8.0.0.1', ['9.0.0.1 (16777216 addresses away, 7 leading bits in common, 1 keystroke apart)']],
      ['0.0.0.0', ['9.0.0.1 (150994945 addresses away, 4 leading bits in common, 2 keystrokes apart)']],
      ['255.255.255.255', ['203.0.113.128 (889163391 addresses away, 2']]
    ]
    for (const [ip, nearest] of rows) {
      const { code, stdout } = await run(['explain', ip, '--from', '-'], { stdin })
      t.equal(code, 1, ip)
      const lines = stdout.split('\n')
      const found = lines.slice(
        lines.indexOf('Nearest on the list:') + 1,
        lines.findIndex((line) => line.startsWith('Being near'))
      )
      t.equal(found.length, nearest.length, `${ip}: ${found}`)
      for (const [i, text] of nearest.entries()) t.ok(found[i]!.startsWith(`  ${text}`), `${ip}: ${found[i]}`)
    }
  })

  t.test('an address of a family that is not listed has no neighbours', async (t) => {
    t.match((await run(['explain', '2001:db8::1'])).stdout, /\n\nThe list has no IPv6 address\.\n/)
    const stdin = snapshot({ 'DC-01 sms': ['2001:db8::/64'] })
    t.match((await run(['explain', '192.0.2.1', '--from', '-'], { stdin })).stdout, /The list has no IPv4 address\./)
    t.match(
      (await run(['explain', '2001:db8:0:1::', '--from', '-'], { stdin })).stdout,
      /2001:db8::\/64 \(1 address away, 63 leading bits in common/
    )
  })

  t.test('as JSON', async (t) => {
    const listed = await json(['explain', '::ffff:34.218.145.185', '-d', 'DC-101'])
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
        peer: null,
        revision: directory.revision
      },
      entries: [{ prefix: '34.218.145.185/32', dataCenter: 'DC-101', channel: 'file-segment' }],
      nearest: [],
      list: bundled.provenance
    })
    const stranger = await json(['explain', '34.218.145.186'])
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
})

t.test('diff', async (t) => {
  const old = {
    'DC-01 sms': ['192.0.2.1', '192.0.2.2'],
    'DC-01 push': ['192.0.2.2'],
    'DC-01 file-segment': ['192.0.2.3'],
    'DC-01 email': ['192.0.2.1', '192.0.2.2'],
    'DC-02 sms': 'NA'
  } as const
  const now = {
    'DC-01 sms': ['192.0.2.1', '2001:db8::/64'],
    'DC-01 push': ['192.0.2.1'],
    'DC-01 file-segment': ['198.51.100.7'],
    'DC-01 email': ['192.0.2.1', '192.0.2.2'],
    'DC-101 file-segment': ['192.0.2.2'],
    'DC-02 sms': ['198.51.100.7'],
    'DC-02 content-api': { derivedFrom: ['sms', 'push'] }
  } as const
  const folder = t.testdir({ 'old.json': snapshot(old), 'now.json': snapshot(now) })
  const paths = [`${folder}/old.json`, `${folder}/now.json`]

  t.test('tells what changed in Markdown, with exit code 1', async (t) => {
    const { code, stdout, stderr } = await run(['diff', ...paths])
    t.strictSame([code, stderr], [1, ''])
    t.equal(
      stdout,
      `MoEngage's list changed from revision \`r2\` (2026-11-30) to revision \`r2\` (2026-11-30).

### Added (2)

- \`198.51.100.7\`: DC-01 (file-segment), DC-02 (sms, content-api)
- \`2001:db8::/64\`: DC-01 (sms)

### Removed (1)

- \`192.0.2.3\`: was DC-01 (file-segment)

### Moved (2)

- \`192.0.2.1\`: now also DC-01 (push)
- \`192.0.2.2\`: DC-01 (sms, push) → DC-101 (file-segment)

### Cells (3)

- DC-02 sms: NA → \`198.51.100.7\`
- DC-02 content-api: no row → those of sms, push
- DC-101 file-segment: no row → \`192.0.2.2\`
`
    )
    t.match((await run(['diff', ...paths.toReversed()])).stdout, '- `192.0.2.1`: no longer DC-01 (push)\n')
  })

  t.test('tells of rows that this version does not know', async (t) => {
    const unknown = [{ dataCenter: 'DC-07', name: 'Carrier `Pigeons`', addresses: ['192.0.2.9'] }]
    const { code, stdout } = await run(['diff', paths[0]!, '-'], { stdin: snapshot(old, { unknown }) })
    t.equal(code, 1)
    t.match(
      stdout,
      '\n### Rows that this version does not know (1)\n\n- `DC-07` `Carrier  Pigeons `: no row → `192.0.2.9`\n'
    )
  })

  t.test('says when there is nothing to say, with exit code 0', async (t) => {
    const { code, stdout } = await run(['diff', paths[0]!, paths[0]!])
    t.equal(code, 0)
    t.equal(stdout, 'No address changed from revision `r2` (2026-11-30) to revision `r2` (2026-11-30).\n')
  })

  t.test('as JSON', async (t) => {
    const different = await json(['diff', ...paths])
    t.equal(different.code, 1)
    const { same, before, removed, moved }: DirectoryDiff = different.value
    t.equal(same, false)
    t.strictSame(before, { page: 'a test', revision: 'r2', retrieved: '2026-11-30' })
    t.strictSame(removed, [{ prefix: '192.0.2.3/32', grants: [{ dataCenter: 'DC-01', channel: 'file-segment' }] }])
    t.strictSame(
      moved.map(({ prefix }) => prefix),
      ['192.0.2.1/32', '192.0.2.2/32']
    )
    const equal = await json(['diff', 'bundled', 'bundled'])
    t.strictSame([equal.code, equal.value.same], [0, true])
  })

  t.test('a list cannot steer the terminal, nor the page that its revision is shown on', async (t) => {
    const stdin = snapshot(now, {
      provenance: { page: 'x\u001b[2Jy\nz', revision: 'r`\u001b]0;a', retrieved: '2026-11-30' },
      notes: [{ address: '192.0.2.1', dataCenter: 'DC-01', text: 'a\u001b[1mb\u202ec' }]
    })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/
    t.match((await run(['diff', paths[0]!, '-'], { stdin })).stdout, 'to revision `r ]0;a` (2026-11-30)')
    for (const argv of [
      ['diff', paths[0]!, '-'],
      ['list', '--from', '-'],
      ['explain', '192.0.2.1', '--from', '-']
    ]) {
      t.notMatch((await run(argv, { stdin })).stdout, steering, argv.join(' '))
    }
    const { code, stderr } = await run(['list', '--from', '-'], { stdin: '{"\u001b[2J": x}' })
    t.equal(code, 2)
    t.notMatch(stderr, steering)
  })
})
