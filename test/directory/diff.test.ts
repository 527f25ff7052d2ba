import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import {
  CHANNELS,
  createGuard,
  DATA_CENTERS,
  type DirectoryDiff,
  diffDirectories,
  directory,
  exportDirectory,
  type Grant,
  type Snapshot
} from '../../src/core.js'
import { Directory } from '../../src/directory/directory.js'
import { runs } from '../support/properties.js'

type Rows = Record<string, Snapshot['rows'][number]['addresses']>

/** A list from cells, each keyed `DC-01 sms`. */
function list(cells: Rows, revision = 'r1', unknown: NonNullable<Snapshot['unknown']> = []): Directory {
  const rows = Object.entries(cells).map(([key, addresses]) => {
    const [dataCenter, channel] = key.split(' ')
    return { dataCenter, channel, addresses } as Snapshot['rows'][number]
  })
  return new Directory({ provenance: { page: 'a test', revision, retrieved: '2026-11-23' }, rows, unknown })
}

const names = (grants: readonly Grant[]) => grants.map(({ dataCenter, channel }) => `${dataCenter} ${channel}`)

/** What changed, in short. */
function changes({ added, removed, moved, cells }: DirectoryDiff): string[] {
  return [
    ...added.map(({ prefix, grants }) => `+ ${prefix} ${names(grants)}`),
    ...removed.map(({ prefix, grants }) => `- ${prefix} ${names(grants)}`),
    ...moved.map(({ prefix, lost, gained }) => `${prefix} ${names(lost)} > ${names(gained)}`),
    ...cells.map(({ dataCenter, channel, from, to }) => {
      return `${dataCenter} ${channel}: ${JSON.stringify(from)} > ${JSON.stringify(to)}`
    })
  ]
}

t.test('a change of the list is told with the data centers and channels that it touches', async (t) => {
  const rows: [name: string, before: Rows, after: Rows, expected: string[]][] = [
    ['nothing', { 'DC-01 sms': ['192.0.2.1'] }, { 'DC-01 sms': ['192.0.2.1/32'] }, []],
    [
      'the order of rows and addresses',
      { 'DC-01 sms': ['192.0.2.1', '192.0.2.2'], 'DC-02 sms': ['192.0.2.3'] },
      { 'DC-02 sms': ['192.0.2.3'], 'DC-01 sms': ['192.0.2.2', '192.0.2.1'] },
      []
    ],
    [
      'an address that is listed twice in a cell',
      { 'DC-01 sms': ['192.0.2.1'] },
      { 'DC-01 sms': ['192.0.2.1', '::ffff:192.0.2.1'] },
      []
    ],
    [
      'addresses added and removed, in their order',
      { 'DC-01 sms': ['192.0.2.1', '2001:db8::1', '10.0.0.0/9', '10.0.0.0/8'] },
      {
        'DC-01 sms': ['192.0.2.1', '2001:db8::2', '2001:db8::1:0', '9.0.0.1', '200.0.0.0/30'],
        'DC-01 push': ['9.0.0.1']
      },
      [
        '+ 9.0.0.1/32 DC-01 sms,DC-01 push',
        '+ 200.0.0.0/30 DC-01 sms',
        '+ 2001:db8::2/128 DC-01 sms',
        '+ 2001:db8::1:0/128 DC-01 sms',
        '- 10.0.0.0/8 DC-01 sms',
        '- 10.0.0.0/9 DC-01 sms',
        '- 2001:db8::1/128 DC-01 sms',
        'DC-01 push: null > ["9.0.0.1/32"]'
      ]
    ],
    [
      'an address that moves to another data center',
      { 'DC-01 file-segment': ['192.0.2.1', '192.0.2.2'], 'DC-101 file-segment': ['192.0.2.3'] },
      { 'DC-01 file-segment': ['192.0.2.1'], 'DC-101 file-segment': ['192.0.2.3', '192.0.2.2'] },
      ['192.0.2.2/32 DC-01 file-segment > DC-101 file-segment']
    ],
    [
      'a channel less, and another more',
      { 'DC-01 sms': ['192.0.2.1', '192.0.2.2'], 'DC-01 push': ['192.0.2.1'] },
      { 'DC-01 sms': ['192.0.2.1', '192.0.2.2'], 'DC-01 push': ['192.0.2.2'] },
      ['192.0.2.1/32 DC-01 push > ', '192.0.2.2/32  > DC-01 push']
    ],
    [
      'cells that become NA, go, come, and are derived otherwise',
      {
        'DC-01 sms': ['192.0.2.1'],
        'DC-01 push': ['192.0.2.1'],
        'DC-01 email': 'NA',
        'DC-01 streams': 'NA',
        'DC-01 content-api': { derivedFrom: ['sms'] },
        'DC-02 content-api': { derivedFrom: ['sms', 'push'] }
      },
      {
        'DC-01 sms': ['192.0.2.1'],
        'DC-01 push': 'NA',
        'DC-01 email': ['192.0.2.1'],
        'DC-01 catalog': 'NA',
        'DC-01 content-api': { derivedFrom: ['sms', 'email'] },
        'DC-02 content-api': { derivedFrom: ['push', 'sms'] }
      },
      [
        '192.0.2.1/32 DC-01 push > DC-01 email',
        'DC-01 email: "NA" > ["192.0.2.1/32"]',
        'DC-01 push: ["192.0.2.1/32"] > "NA"',
        'DC-01 content-api: {"derivedFrom":["sms"]} > {"derivedFrom":["sms","email"]}',
        'DC-01 streams: "NA" > null',
        'DC-01 catalog: null > "NA"'
      ]
    ]
  ]
  for (const [name, before, after, expected] of rows) {
    const diff = diffDirectories(list(before), list(after))
    t.strictSame(changes(diff), expected, name)
    t.equal(diff.same, expected.length === 0, name)
  }
})

t.test('a move carries all that the address is published for, before and after', async (t) => {
  const before = list({ 'DC-01 sms': ['192.0.2.1'], 'DC-01 push': ['192.0.2.1'] })
  const after = list({ 'DC-01 sms': ['192.0.2.1'], 'DC-01 email': ['192.0.2.1'] }, 'r2')
  const diff = diffDirectories(before, after)
  t.strictSame(names(diff.moved[0]!.from), ['DC-01 sms', 'DC-01 push'])
  t.strictSame(names(diff.moved[0]!.to), ['DC-01 sms', 'DC-01 email'])
  t.strictSame([diff.before.revision, diff.after.revision], ['r1', 'r2'])
})

t.test('rows that this version does not know are compared by all they say', async (t) => {
  const cells = { 'DC-01 sms': ['192.0.2.1'] }
  const before = list(cells, 'r1', [
    { dataCenter: 'DC-07', name: 'SMS Campaigns', addresses: ['192.0.2.1', '192.0.2.2'] },
    { dataCenter: 'DC-01', name: 'Carrier Pigeons', addresses: 'NA' },
    { dataCenter: 'DC-08', name: 'Telex', addresses: ['192.0.2.1'] },
    { dataCenter: 'DC-08', name: 'Fax', addresses: ['192.0.2.1'] },
    { dataCenter: 'DC-08', name: 'Pager', addresses: { derivedFrom: ['sms', 'push'] } }
  ])
  const after = list(cells, 'r2', [
    { dataCenter: 'DC-08', name: 'Fax', addresses: ['192.0.2.9'] },
    { dataCenter: 'DC-08', name: 'Pager', addresses: { derivedFrom: ['push', 'sms'] } },
    { dataCenter: 'DC-01', name: 'Carrier Pigeons', addresses: { derivedFrom: ['sms'] } },
    { dataCenter: 'DC-07', name: 'SMS Campaigns', addresses: ['192.0.2.2', '192.0.2.1', '192.0.2.1'] },
    { dataCenter: 'DC-07', name: 'Push Campaigns', addresses: ['192.0.2.1'] }
  ])
  const { same, unknown, ...rest } = diffDirectories(before, after)
  t.equal(same, false)
  t.strictSame(unknown, [
    { dataCenter: 'DC-01', name: 'Carrier Pigeons', from: 'NA', to: { derivedFrom: ['sms'] } },
    { dataCenter: 'DC-07', name: 'Push Campaigns', from: null, to: ['192.0.2.1/32'] },
    { dataCenter: 'DC-08', name: 'Fax', from: ['192.0.2.1/32'], to: ['192.0.2.9/32'] },
    { dataCenter: 'DC-08', name: 'Telex', from: ['192.0.2.1/32'], to: null }
  ])
  t.strictSame([rest.added, rest.removed, rest.moved, rest.cells], [[], [], [], []])
})

t.test('the bundled list is the same as itself', async (t) => {
  t.ok(diffDirectories(directory, directory).same)
})

t.test('what is not a directory is refused with how to make one, which is accepted', async (t) => {
  const snapshot: Snapshot = {
    provenance: { page: 'a test', revision: 'r1', retrieved: '2026-11-23' },
    rows: [{ dataCenter: 'DC-01', channel: 'sms', addresses: ['192.0.2.1'] }]
  }
  for (const wrong of [snapshot, JSON.stringify(snapshot), undefined, null, [], { select: () => [] }] as never[]) {
    const mistake = (path: string) => ({
      code: 'MOE_ERR_OPTIONS',
      mistakes: [
        { path, message: /is not a directory\.$/, fix: /^Pass directory, .*createGuard\(.*source: \(\) => snapshot/ }
      ]
    })
    t.throws(() => diffDirectories(wrong, directory), mistake('before'))
    t.throws(() => diffDirectories(directory, wrong), mistake('after'))
    t.throws(() => exportDirectory(wrong, { format: 'text', dataCenters: 'DC-01' }), mistake('directory'))
  }
  const confirm = ['private', 'shrunk'] as const
  const made = createGuard({ dataCenters: 'all', source: () => snapshot, confirm }).directory()
  t.ok(diffDirectories(made, list({ 'DC-01 sms': ['192.0.2.1'] })).same)
})

const address = fc.constantFrom('192.0.2.1', '192.0.2.0/31', '198.51.100.7', '2001:db8::/64', '2001:db8::1')
const cells = fc
  .dictionary(
    fc
      .tuple(
        fc.constantFrom(...DATA_CENTERS),
        fc.constantFrom(...CHANNELS.filter((channel) => channel !== 'content-api'))
      )
      .map((names) => names.join(' ')),
    fc.oneof(fc.constant('NA' as const), fc.uniqueArray(address, { minLength: 1 }))
  )
  .map(
    (rows): Rows => ({ ...rows, 'DC-01 sms': ['203.0.113.9'], 'DC-01 content-api': { derivedFrom: ['sms', 'push'] } })
  )

const lines = ({ entries }: Directory) => entries.map(({ prefix, grant }) => `${prefix} ${names([grant])}`).sort()

t.test(
  'what is told of two lists leads from one to the other and back, and is nothing for a list and itself',
  async () => {
    const property = fc.property(cells, cells, (old, now) => {
      const [before, after] = [list(old), list(now)]
      const { added, removed, moved, same, cells: changed } = diffDirectories(before, after)
      const held = new Set(lines(before))
      const each = (prefix: string, grants: readonly Grant[]) => names(grants).map((name) => `${prefix} ${name}`)
      for (const { prefix, grants } of removed) for (const line of each(prefix, grants)) held.delete(line)
      for (const { prefix, lost } of moved) for (const line of each(prefix, lost)) held.delete(line)
      for (const { prefix, grants } of added) for (const line of each(prefix, grants)) held.add(line)
      for (const { prefix, gained } of moved) for (const line of each(prefix, gained)) held.add(line)
      const back = diffDirectories(after, before)
      const turned = {
        same,
        before: after.provenance,
        after: before.provenance,
        added: removed,
        removed: added,
        moved: moved.map(({ prefix, from, to, lost, gained }) => ({
          prefix,
          from: to,
          to: from,
          lost: gained,
          gained: lost
        })),
        cells: changed.map(({ from, to, ...cell }) => ({ ...cell, from: to, to: from })),
        unknown: []
      }
      return (
        JSON.stringify([...held].sort()) === JSON.stringify(lines(after)) &&
        isDeepStrictEqual(back, turned) &&
        diffDirectories(after, list(now, 'r3')).same
      )
    })
    fc.assert(property, runs(200))
  }
)
