import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadGuard } from '../../../src/core.js'
import { SOURCE } from '../../../src/directory/source/read-source.js'
import { LIST_OPTIONS } from '../../../src/guard/list-options.js'
import { Findings, Option } from '../../../src/lib/option.js'
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
    await app.moengage!.reload().catch(() => {})
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

t.test('the defaults that docs/sources.md names are those of the options', async (t) => {
  const scope = { path: '', findings: new Findings(), top: { table: {}, options: {} }, foreign: {} }
  const read = (source: object) => SOURCE.read(new Option('source', source, scope))!
  const url = read({ url: 'https://lists.example/' })
  for (const [option, milliseconds] of [
    ['interval', read({ file: 'list.json' }).interval],
    ['interval', url.interval],
    ['timeout', url.timeout],
    ['gracePeriod', LIST_OPTIONS.gracePeriod.fallback],
    ['staleAfter', LIST_OPTIONS.staleAfter.fallback]
  ] as const) {
    const named = `\`${option}\`(?: longer)? \\(${milliseconds!.toLocaleString('en')} ms`
    t.match(page, new RegExp(named), named)
  }
})
