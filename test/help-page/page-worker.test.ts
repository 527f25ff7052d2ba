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
