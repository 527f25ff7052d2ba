import { STATUS_CODES } from 'node:http'
import t from 'tap'
import { ERROR_TEXTS } from '../../src/server/failure.js'

t.test('the texts of errors are those of node:http', async (t) => {
  const errors = Object.entries(STATUS_CODES).filter(([status]) => Number(status) >= 400)
  t.strictSame(Object.entries(ERROR_TEXTS), errors)
})
