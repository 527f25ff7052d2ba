import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadGuard } from '../../../src/core.js'
import { blocksOf } from '../../support/blocks.js'
import { guarded } from '../../support/guarded.js'

const page = readFileSync('docs/sources.md', 'utf8')
const blocks = blocksOf('docs/sources.md')
  .filter(({ language }) => language === 'json')
  .map(({ code }) => JSON.parse(code))
const NAME = '/etc/moengage/moengage.json'

t.test('the log lines of docs/sources.md are those that are written', async (t) => {
  const bundled = readFileSync('src/directory/moengage.json', 'utf8')
  const file = join(t.testdir({ 'moengage.json': bundled }), 'moengage.json')
  const { app, lines } = await guarded({ source: { file } })
  const written = async (text: string) => {
    const before = lines.length
    writeFileSync(file, text)
    await app.moengage.reload().catch(() => {})
    const { level, msg, moengage } = JSON.parse(JSON.stringify(lines[before]).replaceAll(file, NAME))
    return { level, moengage, msg }
  }
  const [, suspicious, failed, removed] = blocks
  const added = bundled.replaceAll('"52.6.248.125"', '"52.6.248.125", "10.0.0.0/16"')
  t.strictSame(await written(added), suspicious)
  t.strictSame(await written(''), failed)
  const fewer = bundled
    .replaceAll(', "34.207.33.10"', '')
    .replaceAll('f7b9336c727cc1a0f232a9588d49a6ae9e257d13"', '0123456789ab"')
  t.strictSame(await written(fewer), removed)
  await app.close()
})

t.test('the snapshot of docs/sources.md is one', async (t) => {
  const [snapshot] = blocks
  const guard = await loadGuard({ dataCenters: 'DC-01', source: async () => snapshot })
  t.match(guard.judge({ peer: '52.6.248.125', headers: {} }), { verified: true, channels: ['streams'] })
})

t.test('the defaults that docs/sources.md names are those of the code', async (t) => {
  const source = ['file', 'read-source'].map((name) => readFileSync(`src/directory/source/${name}.ts`, 'utf8')).join('')
  const options = readFileSync('src/guard/list-options.ts', 'utf8')
  for (const [doc, code] of [
    ['`interval` (2,000 ms)', 'interval = 2_000'],
    ['`interval` (3,600,000 ms', 'interval = 3_600_000'],
    ['`timeout` (5,000 ms)', 'TIMEOUT = 5_000'],
    ['`gracePeriod` longer (86,400,000 ms', 'gracePeriod = DAY'],
    ['`staleAfter` (7,776,000,000 ms, 90 days)', 'STALE_AFTER = 90 * DAY']
  ] as const) {
    t.ok(page.includes(doc), doc)
    t.ok((source + options).includes(code), code)
  }
})
