import Fastify from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import fastifyGuard from '../../src/index.js'
import { Findings, Option } from '../../src/lib/option.js'
import { findingsOf, TABLE } from '../support/advice.js'

const base = { dataCenters: 'DC-01' } as const
const DEFAULTS = { linesPerSecond: 10, summaryEvery: 60_000 }

/** An option as a guard reads it. */
function read<T>(rule: { read: (option: Option) => T }, value: unknown) {
  const findings = new Findings()
  const scope = { path: '', findings, top: { table: {}, options: {} }, foreign: {} }
  return { result: rule.read(new Option('x', value, scope)), ...findings }
}

t.test('the option log has defaults, and every wrong value is found', async (t) => {
  const table: [log: unknown, expected: object | undefined, paths: string[]][] = [
    [{}, DEFAULTS, []],
    [{ linesPerSecond: 0.1 }, { ...DEFAULTS, linesPerSecond: 0.1 }, []],
    [{ summaryEvery: '5s' }, { ...DEFAULTS, summaryEvery: 5000 }, []],
    [{ linesPerSecond: 0, summaryEvery: '1' }, DEFAULTS, ['log.linesPerSecond', 'log.summaryEvery']],
    [{ linesPerSecond: Number.NaN, summaryEvery: 2 ** 31 }, DEFAULTS, ['log.linesPerSecond', 'log.summaryEvery']],
    [{ repeatAfter: 1, repeatAtMost: 1 }, DEFAULTS, ['log.repeatAfter', 'log.repeatAtMost']],
    [{ linesPerMinute: 1 }, DEFAULTS, ['log.linesPerMinute']],
    ['warn', undefined, ['log']],
    [null, undefined, ['log']]
  ]
  t.strictSame(TABLE.log.fallback, DEFAULTS)
  for (const [log, expected, paths] of table) {
    t.strictSame(read(TABLE.log, log).result, expected, JSON.stringify(log))
    t.strictSame(
      findingsOf({ ...base, log }).mistakes.map(({ path }) => path),
      paths
    )
  }
  t.match(findingsOf({ ...base, log: { repeatAfter: 60_000 } }).mistakes, [
    { code: 'MOE_ERR_UNKNOWN_OPTION', path: 'log.repeatAfter', message: /"repeatAfter"/ }
  ])
})

t.test('a logger in the place of log is one mistake, and the advice is accepted', async (t) => {
  const own = pino({ level: 'silent' })
  class OwnLogger {
    info() {}
    warn() {}
    error() {}
  }
  const table: [log: unknown, message: RegExp, fix: RegExp][] = [
    [own, /^.* is a logger, while log says how many lines are written\.$/, /^Pass it as logger, in place of log\.$/],
    [own.child({}), /is a logger/, /^Pass it as logger/],
    [
      console,
      /^console is a logger/,
      /^Leave it out, or write logger: pino\(\): any logger with pino's methods fatal, error,/
    ],
    [new OwnLogger(), /^an object of the class OwnLogger is a logger/, /^Leave it out, or write logger/]
  ]
  for (const [log, message, fix] of table) {
    t.match(findingsOf({ ...base, log }).mistakes, [{ code: 'MOE_ERR_OPTION_VALUE', path: 'log', message, fix }])
    t.equal(findingsOf({ ...base, log }).mistakes.length, 1)
  }
  t.strictSame(findingsOf({ ...base, logger: own }).mistakes, [])
  const app = Fastify({ loggerInstance: own })
  const error = await Promise.resolve(app.register(fastifyGuard, { ...base, log: app.log } as never)).catch(
    (error) => error
  )
  t.match(error.mistakes, [{ path: 'log', fix: /Fastify\(\{ loggerInstance: pino\(\) \}\)/ }])
  t.equal(error.mistakes.length, 1)
})

t.test('levels, loggers and functions are checked', async (t) => {
  const table: [options: object, path: string, fix: RegExp][] = [
    [{ logLevel: 'loud' }, 'logLevel', /^Use one of: fatal, .*, silent\.$/],
    [{ logLevel: 5 }, 'logLevel', /^Use one of/],
    [{ logger: console }, 'logger', /^Write pino\(\), or pass a logger with pino's methods/],
    [{ logger: {} }, 'logger', /pino/],
    [{ logger: null }, 'logger', /pino/],
    [{ onVerdict: 'log' }, 'onVerdict', /^Write \(verdict, request\) => /]
  ]
  for (const [options, path, fix] of table) t.match(findingsOf({ ...base, ...options }).mistakes, [{ path, fix }])
  const { message } = findingsOf({ ...base, logger: console }).mistakes[0]!
  t.equal(message, 'console is not a logger.', 'one sentence')
  const methods = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((method) => [method, () => {}])
  t.strictSame(findingsOf({ ...base, logger: Object.fromEntries(methods), onVerdict: () => {} }).mistakes, [])
})
