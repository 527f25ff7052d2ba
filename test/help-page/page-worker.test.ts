import t from 'tap'
import { importPage } from '../../src/help-page/import-page.js'
import { answerTo } from '../../src/help-page/page-worker.js'
import { about, page } from './pages.js'

t.test('the thread answers with what the importer returns, or with the fields of its error', async (t) => {
  const text = page('SMS | DC-01 | 9.9.9.1')
  t.strictSame(answerTo({ text, about }), { imported: importPage(text, about) })
  t.match(answerTo({ text: page('SMS | DC-01 | see above'), about }), {
    failure: { name: 'PageError', code: 'MOE_ERR_PAGE', message: /One cell/, fix: /./, cells: [{ text: 'see above' }] }
  })
})

t.test('the thread answers once, with what it was given', async (t) => {
  const answers: unknown[] = []
  const workerData = { text: page('SMS | DC-01 | 9.9.9.1'), about }
  await t.mockImport('../../src/help-page/page-worker.js', {
    'node:worker_threads': { workerData, parentPort: { postMessage: (answer: unknown) => answers.push(answer) } }
  })
  t.match(answers, [{ imported: { snapshot: { rows: [{ addresses: ['9.9.9.1'] }] } } }])
  t.equal(answers.length, 1)
})
