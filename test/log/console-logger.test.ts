import t from 'tap'
import { consoleLogger } from '../../src/log/console-logger.js'
import { isLogger, type LineLevel } from '../../src/log/logger.js'
import { until } from '../support/http.js'

t.test('lines go to the method of the console for their level, as pino writes them', async (t) => {
  const written: { method: string; line: Record<string, unknown> }[] = []
  for (const method of ['error', 'warn', 'info', 'debug'] as const) {
    t.capture(console, method, (text: string) => void written.push({ method, line: JSON.parse(text) }))
  }
  const logger = consoleLogger()
  t.ok(isLogger(logger))
  const levels: LineLevel[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']
  for (const level of levels) logger[level]({ moengage: { event: 'x' } }, `a ${level}`)
  const fields = { name: 'moengage-allowlist', moengage: { event: 'x' } }
  t.match(written, [
    { method: 'error', line: { level: 60, ...fields, msg: 'a fatal' } },
    { method: 'error', line: { level: 50, msg: 'a error' } },
    { method: 'warn', line: { level: 40, msg: 'a warn' } },
    { method: 'info', line: { level: 30, msg: 'a info' } }
  ])
  t.equal(written.length, 4, 'what pino leaves out is left out')
  t.strictSame(
    levels.map((level) => logger.isLevelEnabled!(level)),
    [true, true, true, true, false, false]
  )
})

t.test('an error is written with its type, message, stack and code', async (t) => {
  const written: string[] = []
  t.capture(console, 'error', (text: string) => void written.push(text))
  const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER' })
  consoleLogger().error({ err: Object.assign(new Error('outer', { cause }), { cause }) }, 'failed')
  t.match(JSON.parse(written[0]!), {
    msg: 'failed',
    err: { type: 'Error', message: 'outer', stack: /outer/, cause: { type: 'TypeError', code: 'E_INNER' } }
  })
})

t.test('an error with properties that JSON cannot show is written without them', async (t) => {
  const written: string[] = []
  t.capture(console, 'error', (text: string) => void written.push(text))
  const around: { self?: object } = {}
  around.self = around
  const table: [what: string, thrown: unknown, expected: object][] = [
    [
      'leads back to itself',
      Object.assign(new TypeError('own'), { config: around }),
      { type: 'TypeError', stack: /own/ }
    ],
    ['a bigint', Object.assign(new Error('own'), { size: 7n }), { type: 'Error' }],
    ['a cause', new Error('own', { cause: around }), { type: 'Error' }],
    [
      'a getter that throws',
      Object.defineProperty(new Error('own'), 'code', {
        enumerable: true,
        get() {
          throw new Error('unreadable')
        }
      }),
      { type: 'Error' }
    ],
    ['no error', { message: 'own', around }, {}]
  ]
  for (const [what, err, expected] of table) {
    consoleLogger().error({ err }, 'failed')
    t.match(JSON.parse(written.pop()!), { msg: 'failed', level: 50, err: { message: /own/, ...expected } }, what)
  }
  consoleLogger().error({ err: new Error('fine'), around: { err: null, size: 1 } }, 'failed')
  t.match(JSON.parse(written.pop()!), { err: { message: 'fine' } })
})

t.test('where pino cannot be loaded or made, the default logger writes to the console', async (t) => {
  const written: string[] = []
  t.capture(console, 'warn', (text: string) => void written.push(text))
  const { defaultLogger } = await t.mockImport<typeof import('../../src/log/default-logger.js')>(
    '../../src/log/default-logger.js',
    {
      pino: {
        default() {
          throw new Error('Dynamic require of "node:os" is not supported')
        }
      }
    }
  )
  defaultLogger().warn({}, 'a line')
  await until(() => written.length === 1)
  t.match(JSON.parse(written[0]!), { msg: 'a line', level: 40 })
})
