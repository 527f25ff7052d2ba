import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const list = 'src/directory/moengage.json'

t.test('the script appends a list that has changed, once', async (t) => {
  const folder = t.testdir({})
  const [history, changed] = [join(folder, 'history.json'), join(folder, 'list.json')]
  copyFileSync('src/directory/history.json', history)
  const run = (file: string) =>
    execFileSync(process.execPath, ['scripts/append-history.mjs', file, history], { encoding: 'utf8' })
  t.equal(run(list), 'No cell changed.\n')
  t.equal(readFileSync(history, 'utf8'), readFileSync('src/directory/history.json', 'utf8'))
  const snapshot = JSON.parse(readFileSync(list, 'utf8'))
  snapshot.provenance = { page: 'p', revision: 'new', retrieved: '2026-12-01' }
  snapshot.rows[1].addresses = ['9.9.9.9']
  writeFileSync(changed, JSON.stringify(snapshot))
  t.equal(run(changed), 'Appended revision new.\n')
  t.equal(run(changed), 'No cell changed.\n')
  t.match(JSON.parse(readFileSync(history, 'utf8')).slice(4), [
    {
      revision: 'new',
      seen: '2026-12-01',
      inferred: null,
      added: ['9.9.9.9'],
      removed: [],
      cells: [{ channel: 'connector' }]
    }
  ])
})
