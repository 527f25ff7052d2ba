import t from 'tap'
import {
  CHANNELS,
  type Channel,
  createGuard,
  DATA_CENTERS,
  type DataCenter,
  type DirectoryEntry,
  directory,
  exportDirectory,
  type GuardOptions,
  NoAddressesError,
  type OptionsError,
  parseAddress
} from '../../src/core.js'
import { Directory } from '../../src/directory/directory.js'
import guardExpress from '../../src/express.js'
import { CHANNEL_OF, fixture, fixtureText } from '../support/fixtures.js'
import { snapshotOf } from '../support/snapshots.js'

interface Row {
  name: string
  dataCenter: DataCenter
  ips: string[] | 'NA' | 'derived'
  derivedFrom?: string[]
  derivedIps?: string[]
}
const facts: { source: string; rows: Row[]; unionByDataCenter: Record<DataCenter, string[]> } =
  fixture('allowlist-facts.json')

const hosts = (entries: readonly DirectoryEntry[]) => [...new Set(entries.map(({ prefix }) => hostOf(`${prefix}`)))]
const hostOf = (prefix: string) => prefix.replace(/\/32$/, '')
const cellText = (dataCenter: DataCenter, channel: Channel) => {
  const cell = directory.cell(dataCenter, channel)
  if (cell === undefined || cell === 'NA') return cell
  return 'derivedFrom' in cell ? { derivedFrom: [...cell.derivedFrom] } : cell.map((prefix) => hostOf(`${prefix}`))
}

t.test('every row of the page is in the directory as the page has it, and no other', async (t) => {
  t.equal(facts.rows.length, 73)
  const failures = facts.rows.flatMap(({ name, dataCenter, ips, derivedFrom }) => {
    const channel = CHANNEL_OF[name]!
    const expected = ips === 'derived' ? { derivedFrom: derivedFrom!.map((row) => CHANNEL_OF[row]!) } : ips
    const found = cellText(dataCenter, channel)
    return JSON.stringify(found) === JSON.stringify(expected) ? [] : [{ dataCenter, name, found, expected }]
  })
  t.strictSame(failures, [])
  const cells = DATA_CENTERS.flatMap((dataCenter) => CHANNELS.map((channel) => directory.cell(dataCenter, channel)))
  t.equal(cells.filter((cell) => cell !== undefined).length, 73)
})

t.test('the prefixes of a row are its addresses, those it is derived from, or none', async (t) => {
  const failures = facts.rows.flatMap(({ name, dataCenter, ips, derivedIps }) => {
    const found = directory.prefixes(dataCenter, CHANNEL_OF[name]!).map((prefix) => hostOf(`${prefix}`))
    const expected = ips === 'derived' ? derivedIps! : ips === 'NA' ? [] : ips
    return JSON.stringify(found) === JSON.stringify(expected) ? [] : [{ dataCenter, name, found, expected }]
  })
  t.strictSame(failures, [])
})

t.test('not published, derived and absent are told apart', async (t) => {
  t.equal(directory.cell('DC-05', 'sms'), 'NA')
  t.equal(directory.cell('DC-02', 'segment-sync'), 'NA')
  t.equal(directory.cell('DC-101', 'sms'), undefined, 'the page has no such row')
  t.strictSame(cellText('DC-05', 'content-api'), { derivedFrom: ['connector', 'sms', 'whatsapp', 'email', 'push'] })
  t.strictSame(directory.prefixes('DC-05', 'content-api'), [], 'a derived row can come out empty')
  for (const [dataCenter, channel] of [
    ['DC-05', 'sms'],
    ['DC-101', 'sms'],
    ['DC-07', 'sms'],
    ['constructor', 'push']
  ]) {
    t.strictSame(directory.prefixes(dataCenter as DataCenter, channel as Channel), [], `${dataCenter} ${channel}`)
  }
  t.equal(directory.cell('__proto__' as DataCenter, 'constructor' as Channel), undefined)
})

t.test('the addresses of a data center are those that the facts sum up', async (t) => {
  t.strictSame(Object.keys(facts.unionByDataCenter).toSorted(), [...DATA_CENTERS].toSorted())
  for (const dataCenter of DATA_CENTERS) {
    const found = hosts(directory.select({ dataCenters: dataCenter }))
    t.strictSame(found.toSorted(), facts.unionByDataCenter[dataCenter].toSorted(), dataCenter)
  }
})

t.test('the page has 41 addresses, none of them in two data centers', async (t) => {
  t.equal(hosts(directory.entries).length, 41)
  const homes = new Map<string, Set<DataCenter>>()
  for (const { prefix, grant } of directory.entries) {
    homes.set(`${prefix}`, (homes.get(`${prefix}`) ?? new Set()).add(grant.dataCenter))
  }
  t.strictSame(
    [...homes].filter(([, dataCenters]) => dataCenters.size > 1),
    []
  )
  t.ok(directory.entries.every(({ prefix }) => prefix.length === 32 && prefix.address.family === 4))
})

t.test(
  'the directory agrees with an earlier revision of the page but for the one address that was moved',
  async (t) => {
    const moved = '34.218.145.185'
    const expected: string[] = []
    let channel: Channel | undefined
    for (const line of fixtureText('page-tables-sample.mdx').split('\n')) {
      if (line.startsWith('## ') && expected.length > 0) break
      if (line === '### Catalog and Feeds') channel = 'catalog'
      const [, name = '', dataCenter, addresses] =
        /^\| (?:([^|]*?)(?:<br.*?)? \| )?(DC-\d+) \| (.*) \|$/.exec(line) ?? ([] as string[])
      if (addresses === undefined) continue
      const row = CHANNEL_OF[name] ?? CHANNEL_OF[name.replace('/Partner Exports', '')] ?? channel
      for (const address of addresses.match(/[0-9]+(?:\.[0-9]+){3}/g) ?? [])
        expected.push(`${dataCenter} ${row} ${address}`)
    }
    const listed = directory.entries
      .filter(({ grant }) => grant.channel !== 'content-api')
      .map(({ prefix, grant }) => `${grant.dataCenter} ${grant.channel} ${hostOf(`${prefix}`)}`)
    const differing = [
      ...listed.filter((entry) => !expected.includes(entry)).map((entry) => `new: ${entry}`),
      ...expected.filter((entry) => !listed.includes(entry)).map((entry) => `gone: ${entry}`)
    ]
    t.ok(expected.length > 80, `${expected.length} cells and addresses were read`)
    t.strictSame(differing, [`new: DC-101 file-segment ${moved}`, `gone: DC-01 file-segment ${moved}`])
  }
)

t.test('the address that was moved is noted where someone expects it', async (t) => {
  const address = parseAddress('34.218.145.185')!
  t.match(directory.note(address, 'DC-01'), /DC-101/)
  t.equal(directory.note(address, 'DC-101'), undefined)
  t.equal(directory.note(address, 'DC-02'), undefined)
  t.equal(directory.note(parseAddress('184.72.243.80')!, 'DC-01'), undefined)
})

t.test('the directory says from which page, revision and day it is', async (t) => {
  const { page, revision, retrieved } = directory.provenance
  t.match(revision, /^[0-9a-f]{40}$/)
  t.ok(facts.source.endsWith(revision))
  t.match(
    page,
    /^https:\/\/github\.com\/moengage\/moengage-documentation\/blob\/[0-9a-f]{40}\/.*ip-whitelisting-in-moengage\.mdx$/
  )
  t.ok(page.includes(revision))
  t.match(retrieved, /^\d{4}-\d{2}-\d{2}$/)
  t.equal(directory.revision, revision.slice(0, 12))
})

t.test('nothing of a directory can be changed', async (t) => {
  const attempts: [what: string, change: () => unknown][] = [
    ['itself', () => Object.assign(directory, { entries: [] })],
    ['its entries', () => (directory.entries as DirectoryEntry[]).pop()],
    ['an entry', () => Object.assign(directory.entries[0]!, { prefix: null })],
    ['a grant', () => Object.assign(directory.entries[0]!.grant, { dataCenter: 'DC-06' })],
    ['a cell', () => (directory.cell('DC-01', 'sms') as unknown[]).pop()],
    ['a derived cell', () => Object.assign(directory.cell('DC-01', 'content-api')!, { derivedFrom: [] })],
    ['the provenance', () => Object.assign(directory.provenance, { retrieved: '1999-01-01' })],
    ['the data centers', () => (DATA_CENTERS as unknown as string[]).push('DC-07')],
    ['the channels', () => (CHANNELS as unknown as string[]).push('voice')]
  ]
  for (const [what, change] of attempts) t.throws(change, TypeError, what)
  const selected = directory.select({ dataCenters: 'DC-03' })
  selected.length = 0
  const prefixes = directory.prefixes('DC-03', 'content-api') as unknown[]
  prefixes.length = 0
  t.equal(directory.select({ dataCenters: 'DC-03' }).length > 0, true, 'a selection is the caller’s own')
  t.equal(directory.prefixes('DC-03', 'content-api').length, 4, 'and so are the prefixes of a derived row')
})

t.test(
  'a selection has the entries of its data centers and channels, and the same cell is the same grant',
  async (t) => {
    const select = (dataCenters: string | string[], channels?: string | string[]) =>
      directory
        .select({ dataCenters, channels })
        .map(({ prefix, grant }) => `${grant.dataCenter} ${grant.channel} ${hostOf(`${prefix}`)}`)
    t.strictSame(select('DC-03', 'segment-sync'), ['DC-03 segment-sync 3.6.251.95'])
    t.strictSame(select('https://dashboard-03.moengage.com', 'Outbound Segment Sync'), [
      'DC-03 segment-sync 3.6.251.95'
    ])
    t.strictSame(select(['dc1', '3'], ['Streams/Partner Exports', 'segment_sync']), [
      'DC-01 streams 52.6.248.125',
      'DC-01 segment-sync 52.6.248.125',
      'DC-03 streams 3.6.251.95',
      'DC-03 segment-sync 3.6.251.95'
    ])
    t.strictSame(select(['DC-03', 'dc3', '03'], ['streams', 'Streams']), ['DC-03 streams 3.6.251.95'], 'named twice')
    t.strictSame(select('101'), ['DC-101 file-segment 34.218.145.185'], 'channels are all of them by default')
    t.strictSame(select('101', 'all'), select('101'))
    t.strictSame(
      directory.select({ dataCenters: 'all' }).map(({ grant }) => grant),
      directory.entries.map(({ grant }) => grant)
    )
    const everywhere = select('all', 'segment-sync')
    t.strictSame(
      everywhere,
      ['DC-01 segment-sync 52.6.248.125', 'DC-03 segment-sync 3.6.251.95'],
      'all skips what is empty'
    )
    const [a, b] = [directory.select({ dataCenters: 'DC-01' }), new Set(directory.entries.map(({ grant }) => grant))]
    t.ok(a.every(({ grant }) => b.has(grant)))
    t.equal(b.size, facts.rows.filter(({ ips, derivedIps }) => ips !== 'NA' && derivedIps?.length !== 0).length)
  }
)

t.test('a name that was typed and contributes no address is refused', async (t) => {
  const rows: [dataCenters: string | string[], channels: string | string[] | undefined, path: string, value: string][] =
    [
      [['DC-01', 'DC-101'], 'connector', 'dataCenters', 'DC-101'],
      [['DC-01', 'DC-05'], ['sms', 'push'], 'dataCenters', 'DC-05'],
      [['DC-02', 'DC-03'], ['segment-sync'], 'dataCenters', 'DC-02'],
      ['DC-02', ['streams', 'segment-sync'], 'channels', 'segment-sync'],
      ['DC-101', ['file-segment', 'catalog'], 'channels', 'catalog'],
      [['DC-05', 'DC-101'], ['file-segment', 'catalog'], 'channels', 'catalog']
    ]
  for (const [dataCenters, channels, path, value] of rows) {
    const name = JSON.stringify([dataCenters, channels])
    try {
      directory.select({ dataCenters, channels })
      t.fail(`${name} was accepted`)
    } catch (error) {
      t.ok(error instanceof NoAddressesError && error instanceof TypeError, name)
      t.match(error, { code: 'MOE_ERR_NO_ADDRESSES', path, value }, name)
      t.match(
        (error as Error).message,
        /MoEngage publishes no static address for .* in .*, so its requests could never/
      )
      t.match((error as NoAddressesError).fix, new RegExp(`Drop "${value}", or add the addresses .* "allow"`), name)
    }
  }
})

t.test('where nothing of a selection has an address, the advice names no part that has to stay', async (t) => {
  const rows: [dataCenters: string | string[], channels: string | string[]][] = [
    ['DC-05', 'sms'],
    ['DC-05', ['sms', 'push']],
    ['DC-05', 'content-api'],
    ['DC-101', ['connector']],
    [['DC-05', 'DC-101'], 'connector'],
    ['DC-02', 'segment-sync']
  ]
  for (const [dataCenters, channels] of rows) {
    const name = JSON.stringify([dataCenters, channels])
    const [problem, ...others] = directory.read({ dataCenters, channels }).problems
    t.strictSame(others, [], name)
    t.match(problem, {
      code: 'MOE_ERR_NO_ADDRESSES',
      path: 'channels',
      value: Array.isArray(channels) && channels.length > 1 ? channels : [channels].flat()[0],
      fix: `Write channels: 'all', and put the addresses that MoEngage's support gave you into "allow".`
    })
    const allow = ['8.8.8.8']
    const guard = createGuard({ dataCenters, channels: 'all', allow } as GuardOptions)
    t.match(guard.judge({ peer: '8.8.8.8', headers: {} }), { verified: true }, name)
    t.throws(() => createGuard({ dataCenters, channels, allow } as never), { code: 'MOE_ERR_OPTIONS' }, name)
    const route = guardExpress({ dataCenters: dataCenters as DataCenter[], allow })
    t.throws(() => route.route({ channels } as never), /Write channels: 'all', and put/)
    t.doesNotThrow(() => route.route({ channels: 'all' }))
    t.match(exportDirectory(directory, { format: 'text', dataCenters, channels: 'all', allow }), '8.8.8.8/32')
  }
  const inherited = guardExpress({ dataCenters: 'DC-01', channels: 'connector', allow: ['8.8.8.8'] })
  t.throws(() => inherited.route({ dataCenters: 'DC-05' }), /for connector in DC-05.* Write channels: 'all'/)
  t.doesNotThrow(() => inherited.route({ dataCenters: 'DC-05', channels: 'all' }))
})

t.test('a data center without any address is not helped by other channels', async (t) => {
  const list = new Directory(snapshotOf({ 'DC-01 sms': ['8.8.8.8'] }))
  for (const channels of [undefined, 'sms', 'all']) {
    t.match(list.read({ dataCenters: 'DC-05', channels }).problems, [
      {
        path: 'dataCenters',
        value: 'DC-05',
        message: channels === 'sms' ? /for sms in DC-05,/ : /for any channel in DC-05,/,
        fix: 'Name the data center of your workspace (DC-01), or load a list that has its addresses.'
      }
    ])
  }
  t.match(list.read({ dataCenters: ['DC-01', 'DC-05'] }).problems, [{ value: 'DC-05', fix: /^Drop "DC-05"/ }])
})

t.test('channels without a valid data center are not said to have no address', async (t) => {
  for (const dataCenters of [undefined, '', [], 'DC-07', 'All', [undefined]]) {
    for (const channels of ['connector', ['connector', 'streams']]) {
      for (const options of [
        { dataCenters, channels },
        { dataCenter: 'DC-01', dataCenters, channels }
      ]) {
        try {
          createGuard(options as never)
          t.fail(`${JSON.stringify(options)} was accepted`)
        } catch (error) {
          const { mistakes } = error as OptionsError
          t.notMatch(mistakes, [{ path: 'channels' }], JSON.stringify(options))
          t.notMatch((error as Error).message, 'publishes no static address')
        }
      }
    }
  }
})

t.test('the message of a fruitless name says which pair has no addresses', async (t) => {
  const rows: [dataCenters: string[], channels: string[], pair: string][] = [
    [['DC-05'], ['sms', 'push'], 'for sms, push in DC-05,'],
    [['DC-05', 'DC-101'], ['file-segment', 'catalog'], 'for catalog in DC-05, DC-101,']
  ]
  for (const [dataCenters, channels, pair] of rows) {
    const [problem] = directory.read({ dataCenters, channels }).problems
    t.ok(problem?.message.includes(pair), pair)
  }
})

t.test('all promises nothing of any one name, so it is not refused for what it does not hold', async (t) => {
  for (const [dataCenters, channels] of [
    ['all', 'all'],
    ['all', 'segment-sync'],
    ['DC-05', 'all'],
    ['DC-101', 'all']
  ] as const) {
    const { problems } = directory.read({ dataCenters, channels })
    t.strictSame(problems, [], `${dataCenters} and ${channels}`)
  }
})

t.test(
  'a channel that was typed is warned of where it has no addresses, next to data centers where it has',
  async (t) => {
    const warned = (dataCenters: string | string[], channels?: string | string[]) =>
      directory.read({ dataCenters, channels }).warnings.map(({ code, path, value, message, fix }) => {
        t.match(
          { code, path, fix },
          { code: 'MOE_WARN_CHANNEL', path: 'channels', fix: /Ask MoEngage support.*"allow"/ }
        )
        t.ok(message.includes(`${value} in DC-`), message)
        return message.replace(/.* for (.*):.*/, '$1')
      })
    t.strictSame(warned(['DC-01', 'DC-02'], ['streams', 'segment-sync']), ['segment-sync in DC-02'])
    t.strictSame(warned(['DC-01', 'DC-06'], ['sms', 'catalog', 'warehouse-export']), [
      'catalog in DC-06',
      'warehouse-export in DC-06'
    ])
    t.strictSame(warned('all', 'segment-sync'), [
      'segment-sync in DC-02',
      'segment-sync in DC-04',
      'segment-sync in DC-05',
      'segment-sync in DC-06',
      'segment-sync in DC-101'
    ])
    t.strictSame(warned('all', 'content-api'), ['content-api in DC-05', 'content-api in DC-101'])
    t.strictSame(warned(['DC-01', 'DC-05']), [], 'who names no channel is not bothered')
    t.strictSame(warned(['DC-01', 'DC-05'], 'all'), [])
    t.strictSame(warned('DC-01', ['sms', 'streams']), [])
    t.strictSame(warned('DC-02', ['streams', 'segment-sync']), [], 'a mistake comes first')
  }
)

t.test('everything that is wrong with the names of a selection is told at once', async (t) => {
  const { problems, warnings } = directory.read({
    dataCenters: ['US', 'DC-01', 5 as unknown as string, ''],
    channels: ['voice', 'sms', undefined as unknown as string]
  })
  t.strictSame(
    problems.map(({ code, path }) => `${code} ${path}`),
    [
      'MOE_ERR_DATA_CENTER dataCenters[0]',
      'MOE_ERR_DATA_CENTER dataCenters[2]',
      'MOE_ERR_DATA_CENTER dataCenters[3]',
      'MOE_ERR_CHANNEL channels[0]',
      'MOE_ERR_CHANNEL channels[2]'
    ]
  )
  t.strictSame(warnings, [])
  const { problems: fruitless } = directory.read({
    dataCenters: ['DC-05', 'DC-101', 'DC-01'],
    channels: ['sms', 'push']
  })
  t.strictSame(
    fruitless.map(({ path, value }) => [path, value]),
    [
      ['dataCenters', 'DC-05'],
      ['dataCenters', 'DC-101']
    ]
  )
})

t.test('a selection that names no data center, or none at all, is refused', async (t) => {
  const rows: [selection: object, code: string, path: string][] = [
    [{}, 'MOE_ERR_DATA_CENTER', 'dataCenters'],
    [{ dataCenters: undefined }, 'MOE_ERR_DATA_CENTER', 'dataCenters'],
    [{ channels: 'sms' }, 'MOE_ERR_DATA_CENTER', 'dataCenters'],
    [{ dataCenters: null }, 'MOE_ERR_DATA_CENTER', 'dataCenters'],
    [{ dataCenters: 1 }, 'MOE_ERR_DATA_CENTER', 'dataCenters'],
    [{ dataCenters: { 0: 'DC-01' } }, 'MOE_ERR_DATA_CENTER', 'dataCenters'],
    [{ dataCenters: [null] }, 'MOE_ERR_DATA_CENTER', 'dataCenters[0]'],
    [{ dataCenters: [['DC-01']] }, 'MOE_ERR_DATA_CENTER', 'dataCenters[0]'],
    [{ dataCenters: new Array(1) }, 'MOE_ERR_DATA_CENTER', 'dataCenters[0]'],
    [{ dataCenters: [] }, 'MOE_ERR_NO_ADDRESSES', 'dataCenters'],
    [{ dataCenters: 'DC-01', channels: [] }, 'MOE_ERR_NO_ADDRESSES', 'channels'],
    [{ dataCenters: 'DC-01', channels: null }, 'MOE_ERR_CHANNEL', 'channels'],
    [{ dataCenters: 'DC-01', channels: [5] }, 'MOE_ERR_CHANNEL', 'channels[0]'],
    [{ dataCenters: ['all'] }, 'MOE_ERR_DATA_CENTER', 'dataCenters'],
    [{ dataCenters: ['DC-01', 'all'] }, 'MOE_ERR_DATA_CENTER', 'dataCenters'],
    [{ dataCenters: 'DC-01', channels: ['all'] }, 'MOE_ERR_CHANNEL', 'channels'],
    ['DC-01' as unknown as object, 'MOE_ERR_DATA_CENTER', 'dataCenters']
  ]
  for (const [selection, code, path] of rows) {
    t.throws(() => directory.select(selection as { dataCenters: string }), { code, path }, JSON.stringify(selection))
  }
})

t.test('what a narrower scope leaves out is taken from the wider one, and not checked again', async (t) => {
  const { cells: wide } = directory.read({ dataCenters: ['DC-01', 'DC-02'], channels: ['streams', 'segment-sync'] })
  t.strictSame(wide, { dataCenters: ['DC-01', 'DC-02'], channels: ['streams', 'segment-sync'] })
  const rows: [
    narrow: object,
    dataCenters: string[],
    channels: readonly string[],
    problems: string[],
    warnings: number
  ][] = [
    [{}, ['DC-01', 'DC-02'], ['streams', 'segment-sync'], [], 0],
    [{ channels: 'streams' }, ['DC-01', 'DC-02'], ['streams'], [], 0],
    [{ channels: 'segment-sync' }, ['DC-01', 'DC-02'], ['segment-sync'], [], 1],
    [{ channels: 'all' }, ['DC-01', 'DC-02'], CHANNELS, [], 0],
    [{ dataCenters: 'DC-02' }, ['DC-02'], ['streams', 'segment-sync'], [], 0],
    [{ dataCenters: 'DC-101' }, ['DC-101'], ['streams', 'segment-sync'], ['channels streams,segment-sync'], 0],
    [{ dataCenters: 'DC-02', channels: 'segment-sync' }, ['DC-02'], ['segment-sync'], ['channels segment-sync'], 0]
  ]
  for (const [narrow, dataCenters, channels, problems, warnings] of rows) {
    const read = directory.read(narrow, wide)
    const name = JSON.stringify(narrow)
    t.strictSame(read.cells, { dataCenters, channels }, name)
    t.strictSame(
      read.problems.map(({ path, value }) => `${path} ${value}`),
      problems,
      name
    )
    t.equal(read.warnings.length, warnings, name)
  }
})

t.test('a long list of names that repeat is read as its distinct names', async (t) => {
  const dataCenters = Array.from({ length: 20_000 }, (_, i) => `dc-0${(i % 4) + 1}`)
  t.strictSame(directory.read({ dataCenters }).cells.dataCenters, ['DC-01', 'DC-02', 'DC-03', 'DC-04'])
})

t.test('a directory of another snapshot knows only what is in that', async (t) => {
  const other = new Directory({
    provenance: { page: 'https://mirror.example/moengage', revision: 'r2', retrieved: '2027-01-31' },
    rows: [
      { dataCenter: 'DC-01', channel: 'sms', addresses: ['2001:db8::/48', '198.51.100.0/28', '::ffff:203.0.113.9'] },
      { dataCenter: 'DC-01', channel: 'content-api', addresses: { derivedFrom: ['sms', 'push'] } },
      { dataCenter: 'DC-02', channel: 'sms', addresses: 'NA' }
    ]
  })
  t.equal(other.revision, 'r2')
  const texts = (dataCenters: string, channels?: string) =>
    other.select({ dataCenters, channels }).map(({ prefix, grant }) => `${grant.channel} ${prefix}`)
  t.strictSame(texts('DC-01'), [
    'sms 2001:db8::/48',
    'sms 198.51.100.0/28',
    'sms 203.0.113.9/32',
    'content-api 2001:db8::/48',
    'content-api 198.51.100.0/28',
    'content-api 203.0.113.9/32'
  ])
  t.throws(() => other.select({ dataCenters: 'DC-02' }), { code: 'MOE_ERR_NO_ADDRESSES', value: 'DC-02' })
  t.throws(() => other.select({ dataCenters: 'DC-03' }), { code: 'MOE_ERR_NO_ADDRESSES', value: 'DC-03' })
  t.equal(other.note(parseAddress('34.218.145.185')!, 'DC-01'), undefined)
})
