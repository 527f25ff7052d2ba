import { join } from 'node:path'
import t from 'tap'
import { CHANNELS, DATA_CENTERS, directory } from '../../src/core.js'
import { bundled } from '../help-page/pages.js'
import { run, runJson } from '../support/cli.js'
import { snapshotOf } from '../support/snapshots.js'

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
  const stdin = JSON.stringify(
    snapshotOf({ 'DC-02 sms': ['198.51.100.0/28', '2001:db8::1', '2001:db8:1::/48', '2001:db8::/32'] })
  )
  const { stdout } = await run(['list', '--from', '-', '-d', 'DC-02'], { stdin })
  t.strictSame(stdout.match(/(?<=DC-02 {2}sms {2}).*/g), [
    '198.51.100.0/28',
    '2001:db8::1',
    '2001:db8:1::/48',
    '2001:db8::/32'
  ])
})

t.test('as JSON has every cell of the page', async (t) => {
  const { code, value } = await runJson(['list'])
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
  const part = await runJson(['list', '-d', 'DC-101'])
  t.strictSame(part.value.cells, [
    { dataCenter: 'DC-101', channel: 'file-segment', published: true, addresses: ['34.218.145.185/32'] }
  ])
})

t.test('names the day of the last check where the list has one', async (t) => {
  const list = snapshotOf({ 'DC-01 connector': ['9.9.9.9'] })
  const checked = { ...list, provenance: { ...list.provenance, checked: '2026-11-22' } }
  const file = join(t.testdir({ 'list.json': JSON.stringify(checked) }), 'list.json')
  t.match((await run(['list', '--from', file])).stdout, /of 2026-11-20, checked 2026-11-22, from/)
  t.match(
    (await run(['export', 'nginx', '-d', 'DC-01', '--from', file])).stdout,
    /retrieved 2026-11-20, checked 2026-11-22/
  )
})
