import t from 'tap'
import { createGuard, parseAddress, type Snapshot, SnapshotError, SourceError } from '../../src/core.js'
import { Directory } from '../../src/directory/directory.js'

const provenance = { page: 'https://mirror.example/moengage', revision: 'r2', retrieved: '2027-01-31' }
const row = { dataCenter: 'DC-01', channel: 'sms', addresses: ['198.51.100.7'] }
const sound = { provenance, rows: [row] }

/** The error that a snapshot is refused with. */
function refused(snapshot: unknown): SnapshotError {
  try {
    new Directory(snapshot as Snapshot)
  } catch (error) {
    if (error instanceof SnapshotError) return error
    throw error
  }
  throw new Error(`${JSON.stringify(snapshot)} was accepted`)
}

/** The lines that list the damage. */
const damage = (snapshot: unknown) =>
  refused(snapshot)
    .message.split('\n')
    .filter((line) => line.startsWith('  - '))

const withRows = (...rows: unknown[]) => ({ provenance, rows: [row, ...rows] })
const withCell = (addresses: unknown) => withRows({ dataCenter: 'DC-02', channel: 'push', addresses })
const withNotes = (notes: unknown) => ({ ...sound, notes })
const withUnknown = (unknown: unknown) => ({ ...sound, unknown })
const stranger = { dataCenter: 'DC-07', name: 'Voice Campaigns', addresses: ['198.51.100.9'] }
const withProvenance = (change: object) => ({ ...sound, provenance: { ...provenance, ...change } })

t.test('a sound snapshot is accepted', async (t) => {
  const snapshots: [what: string, snapshot: unknown][] = [
    ['as small as can be', sound],
    ['with notes', withNotes([{ address: '198.51.100.7', dataCenter: 'DC-02', text: 'It was moved.' }])],
    ['with no notes', withNotes([])],
    ['with undefined notes', withNotes(undefined)],
    ['with a cell that is not published', withCell('NA')],
    ['with a derived cell', withRows({ dataCenter: 'DC-01', channel: 'push', addresses: { derivedFrom: ['sms'] } })],
    ['with a cell that is derived from an absent one', withCell({ derivedFrom: ['sms'] })],
    ['with prefixes', withCell(['203.0.113.0/24', '2001:db8::/32'])],
    ['with an address twice', withCell(['203.0.113.1', '203.0.113.1'])],
    ['with unknown rows', withUnknown([stranger, { ...stranger, addresses: 'NA' }])],
    ['with no unknown rows', withUnknown([])],
    ['with as many unknown rows as may be', withUnknown(Array(1000).fill({ ...stranger, name: 'x'.repeat(200) }))],
    ['with a leap day', withProvenance({ retrieved: '2028-02-29' })],
    ['that was checked later', withProvenance({ checked: '2027-02-07' })],
    ['that was checked on its day', withProvenance({ checked: '2027-01-31' })],
    ['with further fields', { ...sound, comment: 'ours', rows: [{ ...row, section: 'Campaign Sending' }] }],
    ['read from JSON', JSON.parse(JSON.stringify(withNotes([])))],
    ['without a prototype', Object.assign(Object.create(null), sound)]
  ]
  for (const [what, snapshot] of snapshots) {
    t.equal(new Directory(snapshot as Snapshot).prefixes('DC-01', 'sms').join(), '198.51.100.7/32', what)
  }
})

t.test('every kind of damage is reported with its place and what to do', async (t) => {
  const rows: [what: string, snapshot: unknown, lines: RegExp[]][] = [
    ['no rows', { provenance }, [/rows: There are no rows\. Give the rows/]],
    ['rows that are no list', { provenance, rows: { 0: row } }, [/rows: There are no rows\./]],
    ['empty rows', { provenance, rows: [] }, [/rows: There are no rows\./]],
    [
      'only cells without addresses',
      { provenance, rows: [{ ...row, addresses: 'NA' }] },
      [/rows: No row has an address\./]
    ],
    [
      'only derived cells',
      { provenance, rows: [{ ...row, addresses: { derivedFrom: ['push'] } }] },
      [/rows: No row has an address\. Give the addresses/]
    ],
    [
      'no provenance',
      { rows: [row] },
      [/provenance\.page: It is missing/, /provenance\.revision: It is/, /retrieved: undefined is not a day/]
    ],
    ['a provenance that is a text', { provenance: 'page', rows: [row] }, [/page/, /revision/, /retrieved/]],
    ['a provenance that is null', { provenance: null, rows: [row] }, [/page/, /revision/, /retrieved/]],
    ['no page', withProvenance({ page: '' }), [/provenance\.page: It is missing\. Name where the list comes from/]],
    ['a page that is no text', withProvenance({ page: 5 }), [/provenance\.page: It is missing/]],
    ['no revision', withProvenance({ revision: undefined }), [/provenance\.revision: It is missing/]],
    [
      'a day that does not exist',
      withProvenance({ retrieved: '2026-02-30' }),
      [/'2026-02-30' is not a day.*2026-11-23/]
    ],
    ['a thirty-first of April', withProvenance({ retrieved: '2026-04-31' }), [/not a day/]],
    ['a leap day in a common year', withProvenance({ retrieved: '2027-02-29' }), [/not a day/]],
    ['a thirteenth month', withProvenance({ retrieved: '2026-13-01' }), [/not a day/]],
    ['a time of day', withProvenance({ retrieved: '2026-11-23T00:00:00Z' }), [/not a day/]],
    ['a day in another notation', withProvenance({ retrieved: '23.11.2026' }), [/not a day/]],
    ['a day that is a date', withProvenance({ retrieved: new Date(0) }), [/not a day/]],
    ['a day that is a number', withProvenance({ retrieved: 20261123 }), [/20261123 is not a day/]],
    ['a check on no day', withProvenance({ checked: '2027-02-30' }), [/checked: '2027-02-30' is not a day/]],
    ['a check without a day', withProvenance({ checked: null }), [/provenance\.checked: null is not a day/]],
    [
      'a check before',
      withProvenance({ checked: '2027-01-30' }),
      [/checked: It is before 2027-01-31, when .* Leave it/]
    ],
    [
      'a row that is null',
      withRows(null),
      [/rows\[1\]\.dataCenter: undefined is unknown/, /rows\[1\]\.channel/, /rows\[1\]\.addresses/]
    ],
    ['a row that is a text', withRows('sms'), [/rows\[1\]\.dataCenter/, /rows\[1\]\.channel/, /rows\[1\]\.addresses/]],
    [
      'an unknown data center',
      withRows({ ...row, dataCenter: 'DC-07' }),
      [/rows\[1\]\.dataCenter: 'DC-07' is unknown\. Use one of: DC-01/]
    ],
    ['a data center in another spelling', withRows({ ...row, dataCenter: 'dc-02' }), [/'dc-02' is unknown/]],
    [
      'a data center by a name of every object',
      withRows({ ...row, dataCenter: 'constructor' }),
      [/'constructor' is unknown/]
    ],
    [
      'an unknown channel',
      withRows({ ...row, channel: 'voice' }),
      [/rows\[1\]\.channel: 'voice' is unknown\. Use one of: connector/]
    ],
    ['a channel by a name of every object', withRows({ ...row, channel: '__proto__' }), [/'__proto__' is unknown/]],
    ['a second row for a cell', withRows(row), [/rows\[1\]: A second row for DC-01 sms\. Put/]],
    [
      'no addresses',
      withCell(undefined),
      [/rows\[1\]\.addresses: It is neither a list of addresses, "NA" nor derived\. Write "NA"/]
    ],
    ['an empty list of addresses', withCell([]), [/rows\[1\]\.addresses: It is neither/]],
    ['one address that is no list', withCell('198.51.100.7'), [/rows\[1\]\.addresses: It is neither/]],
    ['na in another case', withCell('na'), [/rows\[1\]\.addresses: It is neither/]],
    ['a cell that is null', withCell(null), [/rows\[1\]\.addresses: It is neither/]],
    ['a cell that is an empty object', withCell({}), [/rows\[1\]\.addresses: It is neither/]],
    ['a cell derived from nothing', withCell({ derivedFrom: [] }), [/rows\[1\]\.addresses: It is neither/]],
    [
      'a cell derived from an unknown channel',
      withCell({ derivedFrom: ['sms', 'voice'] }),
      [/rows\[1\]\.addresses: It is neither/]
    ],
    ['a cell derived from a text', withCell({ derivedFrom: 'sms' }), [/rows\[1\]\.addresses: It is neither/]],
    [
      'a cell derived from itself',
      withCell({ derivedFrom: ['push'] }),
      [/rows: DC-02 push is derived from push, which is derived itself\. Name the rows with addresses\./]
    ],
    [
      'cells derived from each other',
      withRows(
        { ...row, channel: 'push', addresses: { derivedFrom: ['email', 'sms'] } },
        { ...row, channel: 'email', addresses: { derivedFrom: ['push'] } }
      ),
      [/DC-01 push is derived from email/, /DC-01 email is derived from push/]
    ],
    [
      'a cell derived from a derived one',
      withRows(
        { ...row, channel: 'push', addresses: { derivedFrom: ['email'] } },
        { ...row, channel: 'email', addresses: { derivedFrom: ['sms'] } }
      ),
      [/DC-01 push is derived from email/]
    ],
    [
      'host bits',
      withCell(['198.51.100.7/24']),
      [/rows\[1\]\.addresses\[0\]: .*host or the network.*198\.51\.100\.0\/24/]
    ],
    [
      'what is no address',
      withCell(['198.51.100.7', 'sms.example', '']),
      [/addresses\[1\]: .*host name/, /addresses\[2\]: .*empty string/]
    ],
    [
      'addresses that are no texts',
      withCell([null, 5, ['1.2.3.4']]),
      [/\[0\]: null/, /\[1\]: A value of type number/, /\[2\]: An array/]
    ],
    [
      'all of IPv4',
      withCell(['0.0.0.0/0']),
      [/rows: They cover half of the internet or more\. Give the addresses of MoEngage/]
    ],
    ['all of IPv6', withCell(['::/0']), [/rows: They cover half of the internet/]],
    ['all of IPv4, IPv4-mapped', withCell(['::ffff:0:0/96']), [/rows: They cover half of the internet/]],
    [
      'half of IPv4 in two cells',
      {
        provenance,
        rows: [
          { ...row, addresses: ['0.0.0.0/2'] },
          { ...row, channel: 'push', addresses: ['64.0.0.0/2'] }
        ]
      },
      [/They cover half/]
    ],
    ['unknown rows that are no list', withUnknown({}), [/unknown: It is not a list\. Leave it out, or write/]],
    ['unknown rows that are null', withUnknown(null), [/unknown: It is not a list/]],
    ['too many unknown rows', withUnknown(Array(1001).fill(stranger)), [/unknown: It has more than 1000 rows/]],
    [
      'an unknown row that is null',
      withUnknown([null]),
      [/unknown\[0\]\.dataCenter: undefined is not a name/, /unknown\[0\]\.name: /, /unknown\[0\]\.addresses: /]
    ],
    [
      'an unknown row with wrong names',
      withUnknown([stranger, { ...stranger, dataCenter: '', name: 'x'.repeat(201) }]),
      [/unknown\[1\]\.dataCenter: '' is not a name of 1 to 200 characters\. Write it as/, /unknown\[1\]\.name: /]
    ],
    [
      'an unknown row with a wrong address',
      withUnknown([{ ...stranger, addresses: ['198.51.100.9', '198.51.100.256'] }]),
      [/unknown\[0\]\.addresses\[1\]: /]
    ],
    ['notes that are no list', withNotes({}), [/notes: It is not a list\. Leave it out, or write/]],
    ['notes that are null', withNotes(null), [/notes: It is not a list/]],
    [
      'a note that is null',
      withNotes([null]),
      [/notes\[0\]\.address: undefined is not an address/, /notes\[0\]\.dataCenter/, /notes\[0\]\.text: It is missing/]
    ],
    [
      'a note of no address',
      withNotes([{ address: '198.51.100.0/24', dataCenter: 'DC-01', text: 'x' }]),
      [/notes\[0\]\.address: '198\.51\.100\.0\/24' is not an address\. Write one/]
    ],
    [
      'a note of an unknown data center',
      withNotes([{ address: '::1', dataCenter: 'DC-07', text: 'x' }]),
      [/notes\[0\]\.dataCenter: 'DC-07' is unknown/]
    ],
    [
      'a note without words',
      withNotes([{ address: '::1', dataCenter: 'DC-01', text: '' }]),
      [/notes\[0\]\.text: It is missing\. Write what is doubtful/]
    ]
  ]
  for (const [what, snapshot, lines] of rows) {
    const found = damage(snapshot)
    t.equal(found.length, lines.length, `${what}: ${found.join('\n')}`)
    for (const [i, line] of lines.entries()) t.match(found[i], line, what)
  }
})

t.test('what is no snapshot at all is refused as one', async (t) => {
  for (const snapshot of [undefined, null, 5, '', '{}', true, [], [sound], () => sound, Symbol('snapshot'), 10n, {}]) {
    const error = refused(snapshot)
    t.match(error.message, /rows: There are no rows\./)
    t.match(error.message, /provenance\.page: It is missing\./)
    t.equal(error.value, snapshot)
  }
})

t.test('all damage is reported at once, in one coded error', async (t) => {
  const error = refused({
    provenance: { page: '', revision: 'r', retrieved: 'today' },
    rows: [
      row,
      row,
      { dataCenter: 'DC-07', channel: 'voice', addresses: [] },
      { dataCenter: 'DC-01', channel: 'push', addresses: ['10.0.0.1/8', '2001:db8::/129'] },
      { dataCenter: 'DC-02', channel: 'push', addresses: { derivedFrom: ['push'] } }
    ],
    notes: [{ address: 'x', dataCenter: 'DC-01', text: 'x' }]
  })
  t.ok(error instanceof TypeError)
  t.match(error, { code: 'MOE_ERR_SNAPSHOT', path: '', fix: 'Load it again from its source.' })
  const places = error.message.split('\n').flatMap((line) => /^ {2}- ([^:]+): /.exec(line)?.[1] ?? [])
  t.strictSame(places, [
    'provenance.page',
    'provenance.retrieved',
    'rows[1]',
    'rows[2].dataCenter',
    'rows[2].channel',
    'rows[2].addresses',
    'rows[3].addresses[0]',
    'rows[3].addresses[1]',
    'rows',
    'notes[0].address'
  ])
})

t.test('a snapshot that is changed later does not change the directory', async (t) => {
  const snapshot = {
    provenance: { ...provenance },
    rows: [
      { ...row, addresses: ['198.51.100.7'] },
      { dataCenter: 'DC-01', channel: 'push', addresses: { derivedFrom: ['sms'] } }
    ],
    notes: [{ address: '198.51.100.7', dataCenter: 'DC-02', text: 'It was moved.' }]
  }
  const directory = new Directory(snapshot as Snapshot)
  snapshot.provenance.revision = 'r3'
  ;(snapshot.rows[0]!.addresses as string[])[0] = '0.0.0.0/0'
  ;(snapshot.rows[1]!.addresses as { derivedFrom: string[] }).derivedFrom.pop()
  snapshot.rows.pop()
  snapshot.notes[0]!.text = 'changed'
  t.equal(directory.revision, 'r2')
  t.strictSame(
    directory.entries.map(({ prefix, grant }) => `${grant.channel} ${prefix}`),
    ['sms 198.51.100.7/32', 'push 198.51.100.7/32']
  )
  t.strictSame(directory.prefixes('DC-01', 'push').map(String), ['198.51.100.7/32'])
  t.equal(directory.note(parseAddress('198.51.100.7')!, 'DC-02'), 'It was moved.')
})

t.test('a long snapshot is read, and every mistake of a long one is told', async (t) => {
  const addresses = Array.from({ length: 5000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
  t.equal(new Directory({ ...sound, rows: [{ ...row, addresses }] } as Snapshot).entries.length, 5000)
  t.equal(damage({ ...sound, rows: [{ ...row, addresses: addresses.map((text) => `${text}.1`) }] }).length, 5000)
})

t.test('a guard of a custom snapshot verifies by its IPv4 and IPv6 prefixes', async (t) => {
  const load = () =>
    ({
      provenance,
      rows: [
        { dataCenter: 'DC-01', channel: 'sms', addresses: ['2001:db8:1::/48', '198.51.100.0/28'] },
        { dataCenter: 'DC-02', channel: 'sms', addresses: ['2001:db8:2::/48'] },
        { dataCenter: 'DC-01', channel: 'content-api', addresses: { derivedFrom: ['sms'] } }
      ]
    }) as Snapshot
  const guard = createGuard({ dataCenters: 'DC-01', source: { name: 'ours', load }, confirm: ['private'] })
  const rows: [peer: string, outcome: string][] = [
    ['2001:db8:1::', '2001:db8:1::/48 r2'],
    ['2001:0DB8:1:ffff:ffff:ffff:ffff:ffff', '2001:db8:1::/48 r2'],
    ['198.51.100.15', '198.51.100.0/28 r2'],
    ['::ffff:198.51.100.15', '198.51.100.0/28 r2'],
    ['2001:db8:2::1', 'other-data-center r2'],
    ['2001:db8:3::', 'not-listed r2'],
    ['198.51.100.16', 'not-listed r2'],
    ['52.6.248.125', 'not-listed r2']
  ]
  for (const [peer, outcome] of rows) {
    const verdict = guard.judge({ peer, headers: {} })
    t.equal(`${verdict.verified ? verdict.matched : verdict.reason} ${verdict.revision}`, outcome, peer)
    if (verdict.verified) t.strictSame(verdict.channels.toSorted(), ['content-api', 'sms'])
  }
})

t.test('a guard whose source gives a damaged snapshot does not start', async (t) => {
  const load = () => withCell(['0.0.0.0/0']) as Snapshot
  try {
    createGuard({ dataCenters: 'DC-01', source: { name: 'ours', load } })
    t.fail('it started')
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    t.match(error.message, /"ours" failed: .*They cover half of the internet/s)
    t.ok(error.cause instanceof SnapshotError)
  }
})
