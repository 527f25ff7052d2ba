import { createServer, type Server } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import express from 'express'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { createGuard, type RejectedVerdict } from '../../src/core.js'
import guardExpress from '../../src/express.js'
import guardFetch from '../../src/fetch.js'
import guardNode from '../../src/http.js'
import moengageAllowlist from '../../src/index.js'
import { type Logger, SafeLogger } from '../../src/log/logger.js'
import { RejectionLog } from '../../src/log/rejection-log.js'
import { TestClock } from '../support/clock.js'
import { failingThenable } from '../support/failures.js'
import { send, until } from '../support/http.js'

const STRANGER = '198.51.100.7'
const LISTED = '52.6.248.125'
const MINUTE = 60_000

// biome-ignore lint/suspicious/noExplicitAny: lines are what they are
type Line = any

/** A logger that does what `write` does, and keeps its lines. */
function loggerOf(write: () => unknown, lines: Line[] = []): Logger {
  const method = (level: string) => (fields: object, message: string) => {
    const outcome = write()
    lines.push({ level, message, ...fields })
    return outcome
  }
  const [fatal, error, warn] = [method('fatal'), method('error'), method('warn')]
  return { fatal, error, warn, info: method('info'), debug: method('debug'), trace: method('trace') }
}

const full = () => {
  throw new Error('ENOSPC: no space left on device')
}

/** The warnings of the process while a test runs. */
function processWarnings(t: Test): { message: string; code?: string }[] {
  const warnings: { message: string; code?: string }[] = []
  const onWarning = (warning: Error & { code?: string }) => {
    if (warning.code?.startsWith('MOE_') === true) warnings.push(warning)
  }
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  return warnings
}

/** Sends a stranger's request and a listed one to a server, and closes it. */
async function statusesOf(t: Test, server: Server): Promise<number[]> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const statuses: number[] = []
  for (const clientIp of [STRANGER, LISTED, 'unknown', STRANGER]) {
    const answer = await send({ port }, { headers: { 'x-forwarded-for': clientIp } })
    statuses.push(answer.status)
  }
  return statuses
}

const OPTIONS = { dataCenters: 'DC-01' as const, clientIp: { trustedProxies: ['loopback'] } }
const EXPECTED = [403, 200, 403, 403]
const throwing = () => {
  throw new Error('own')
}

const FAILURES: [what: string, write: () => unknown][] = [
  ['throws', full],
  ['returns a promise that rejects', async () => full()],
  ['returns a list of promises that reject', () => [1, 2].map(async () => full())],
  ['returns a promise of a list of promises that reject', async () => [1, 2].map(async () => full())],
  [
    'throws something that is not an error',
    () => {
      throw 'disk full'
    }
  ]
]

for (const [what, write] of FAILURES) {
  t.test(`a logger that ${what} changes no answer and ends no process`, async (t) => {
    const warnings = processWarnings(t)
    const logger = loggerOf(write)
    const onVerdict = throwing

    const node = guardNode({ ...OPTIONS, logger, onVerdict })
    const listener = node.listener((_request, response) => void response.end('ok'))
    t.strictSame(await statusesOf(t, createServer(listener)), EXPECTED, 'node:http')
    node.close()

    const middleware = guardExpress({ ...OPTIONS, logger, onVerdict })
    const app = express()
    app.use((request, _response, next) => {
      // As pino-http does.
      Object.assign(request, { log: logger })
      next()
    })
    app.use(middleware, (_request, response) => void response.end('ok'))
    t.strictSame(await statusesOf(t, createServer(app)), EXPECTED, 'Express')
    middleware.close()

    const fetchGuard = guardFetch({ ...OPTIONS, logger, onVerdict })
    const { response } = await fetchGuard.check(new Request('http://localhost/'), STRANGER)
    t.equal(response?.status, 403, 'Fetch')
    fetchGuard.close()

    const fastify = await failingFastify(write)
    await fastify.ready()
    t.strictSame(await statusesOf(t, fastify.server), EXPECTED, 'Fastify')
    await fastify.close()

    await setImmediate()
    t.equal(warnings.length, 4, 'one a guard')
    for (const warning of warnings) {
      t.match(warning, {
        code: 'MOE_WARN_LOGGER',
        message: /^The logger of moengage-allowlist failed: .*(?:ENOSPC|disk full)/
      })
    }
  })
}

/** A Fastify whose logger writes only lines of ours, which fail. */
async function failingFastify(write: () => unknown): Promise<FastifyInstance> {
  const failing = loggerOf(write)
  const quiet = loggerOf(() => {})
  const ours = (level: 'error' | 'warn' | 'info') => (fields: { moengage?: object; err?: Error }, message: string) =>
    fields.moengage !== undefined || message?.startsWith('onVerdict')
      ? failing[level](fields, message)
      : quiet[level](fields, message)
  const loggerInstance = {
    ...quiet,
    error: ours('error'),
    warn: ours('warn'),
    info: ours('info'),
    level: 'info',
    silent: () => {},
    child: () => loggerInstance
  }
  const app = Fastify({ loggerInstance: loggerInstance as never })
  await app.register(moengageAllowlist, { ...OPTIONS, onVerdict: throwing })
  app.all('/', async () => 'ok')
  return app as never
}

t.test('a server whose list cannot be loaded survives a logger that throws', async (t) => {
  const warnings = processWarnings(t)
  const source = { name: 'down', load: () => Promise.reject(new Error('down')) }
  const guard = guardNode({ ...OPTIONS, logger: loggerOf(full), source })
  const listener = guard.listener((_request, response) => void response.end('ok'))
  t.strictSame(await statusesOf(t, createServer(listener)), [503, 503, 503, 503])
  guard.close()
  t.equal(warnings.length, 1)
})

/** A log with a clock of its own, whose lines fail while `isFull`. */
function failingLog(fail: () => unknown) {
  const lines: Line[] = []
  const state = { isFull: true, lines, clock: new TestClock('2026-11-23T10:00:00Z') }
  const write = () => {
    return state.isFull ? fail() : undefined
  }
  const logged: Line[] = []
  const logger = loggerOf(write)
  const noted = Object.fromEntries(
    Object.entries(logger).map(([level, method]) => [
      level,
      (fields: object, message: string) => {
        const outcome = (method as (fields: object, message: string) => unknown)(fields, message)
        if (!state.isFull) logged.push({ level, message, ...fields })
        return outcome
      }
    ])
  ) as unknown as Logger
  const guard = createGuard({ dataCenters: 'DC-01' })
  const log = new RejectionLog<undefined>(guard, {
    level: 'warn',
    pace: { linesPerSecond: 10, summaryEvery: MINUTE },
    logger: new SafeLogger(noted),
    loggedRequest: () => ({ pattern: '/', method: 'POST', requestId: 1 }),
    clock: state.clock
  })
  const reject = (peer: string) => {
    const verdict = guard.judge({ peer, headers: {} }) as RejectedVerdict
    log.rejection(undefined, verdict, undefined, { policy: undefined, actions: { mode: 'reject' } }, undefined)
  }
  const events = (event: string) => logged.filter(({ moengage }) => moengage?.event === `moengage.${event}`)
  return { ...state, state, guard, log, reject, events }
}

const rejecting = () => Promise.reject(new Error('full'))
for (const [when, fail] of [
  ['at once', full],
  ['later', rejecting],
  ['later, by each of several loggers', () => [rejecting(), rejecting()]]
] as const) {
  t.test(`rejections whose line or summary is lost ${when} are counted in the next summary`, async (t) => {
    processWarnings(t)
    const { state, guard, log, reject, events, clock } = failingLog(fail)
    guard.judge({ peer: LISTED, headers: {} })
    for (let i = 0; i < 3; i++) reject(STRANGER)
    await setImmediate()
    clock.pass(2 * MINUTE)
    await setImmediate()
    clock.pass(MINUTE)
    await setImmediate()
    state.isFull = false
    clock.pass(MINUTE)
    t.match(events('summary'), [
      {
        level: 'warn',
        moengage: { suppressed: { reject: { 'not-listed': 3 } }, verified: 1, rejected: { 'not-listed': 3 } }
      }
    ])
    reject(STRANGER)
    t.match(events('rejected'), [{ moengage: { suppressed: 0 } }])
    log.close()
    t.match(events('summary')[1], {
      level: 'info',
      moengage: { verified: 0, rejected: { 'not-listed': 1 }, suppressed: { reject: {} } }
    })
    t.equal(events('summary').length, 2)
  })
}

t.test('a line that cannot be made is lost, and the rejection counted', async (t) => {
  const warnings = processWarnings(t)
  const lines: Line[] = []
  const guard = createGuard({ dataCenters: 'DC-01' })
  const log = new RejectionLog<{ readonly id: string }>(guard, {
    level: 'warn',
    pace: { linesPerSecond: 10, summaryEvery: MINUTE },
    logger: new SafeLogger(loggerOf(() => {}, lines)),
    loggedRequest: (request) => ({ pattern: null, method: null, requestId: request.id })
  })
  const verdict = guard.judge({ peer: STRANGER, headers: {} }) as RejectedVerdict
  const request = {
    get id(): string {
      throw new Error('own getter')
    }
  }
  log.rejection(undefined, verdict, undefined, { policy: undefined, actions: { mode: 'tag' } }, request)
  log.close()
  t.match(lines, [{ moengage: { event: 'moengage.summary', suppressed: { tag: { 'not-listed': 1 } } } }])
  t.equal(lines.length, 1)
  await setImmediate()
  t.match(warnings, [{ message: /own getter/ }])
})

t.test('an isLevelEnabled that returns a promise leaves the choice to the logger, and ends no process', async (t) => {
  const answers: [what: string, isLevelEnabled: () => unknown, count: number][] = [
    ['rejects', async () => full(), 1],
    ['is fulfilled', async () => false, 0],
    ['is like a promise that rejects', () => failingThenable('ENOSPC'), 1]
  ]
  for (const [what, isLevelEnabled, count] of answers) {
    const warnings = processWarnings(t)
    const lines: Line[] = []
    const logger = { ...loggerOf(() => {}, lines), isLevelEnabled } as Logger
    const guard = guardFetch({ ...OPTIONS, logger })
    for (let i = 0; i < 2; i++) {
      const { response } = await guard.check(new Request('http://localhost/'), STRANGER)
      t.equal(response?.status, 403, what)
    }
    await setImmediate()
    t.match(lines, [{ level: 'warn', message: `${STRANGER} rejected: not-listed` }], what)
    t.equal(warnings.length, count, what)
    guard.close()
    await setImmediate()
  }
})

t.test('a logger whose isLevelEnabled throws is asked to write every level', async (t) => {
  const warnings = processWarnings(t)
  const logger = new SafeLogger({ ...loggerOf(() => {}), isLevelEnabled: full })
  t.ok(logger.isEnabled('warn'))
  t.ok(logger.isEnabled('info'))
  await setImmediate()
  t.equal(warnings.length, 1)
  t.notOk(new SafeLogger({ ...loggerOf(() => {}), isLevelEnabled: () => false }).isEnabled('warn'))
  t.ok(new SafeLogger(loggerOf(() => {})).isEnabled('warn'), 'without it, every level is written')
})

t.test('a warning whose line is lost is logged the next time', async (t) => {
  processWarnings(t)
  const lines: Line[] = []
  let isFull = true
  const guard = createGuard({ dataCenters: 'DC-01', allow: ['9.9.9.9', '9.9.9.9'] })
  const log = new RejectionLog<undefined>(guard, {
    level: 'warn',
    pace: { linesPerSecond: 10, summaryEvery: MINUTE },
    logger: new SafeLogger(loggerOf(() => (isFull ? full() : undefined), lines)),
    loggedRequest: () => ({ pattern: null, method: null, requestId: null })
  })
  log.warnings()
  t.equal(lines.length, 0)
  isFull = false
  log.warnings()
  log.warnings()
  t.match(lines, [{ level: 'warn', moengage: { code: 'MOE_WARN_EXTRA_ADDRESS' } }])
  t.equal(lines.length, 1)
  log.close()
})

t.test('the default logger loads pino once, and loses no line that comes before', async (t) => {
  const lines: Line[] = []
  let made = 0
  const pino = (options: object) => {
    made++
    t.strictSame(options, { name: 'moengage-allowlist' })
    return loggerOf(() => {}, lines)
  }
  const { defaultLogger } = await t.mockImport<typeof import('../../src/log/default-logger.js')>(
    '../../src/log/default-logger.js',
    {
      pino: { default: pino }
    }
  )
  const logger = defaultLogger()
  for (const level of ['fatal', 'error', 'warn'] as const) logger[level]({ early: true }, level)
  t.strictSame(lines, [])
  await until(() => lines.length === 3)
  for (const level of ['info', 'debug', 'trace'] as const) logger[level]({}, level)
  t.match(lines, [
    { level: 'fatal', message: 'fatal', early: true },
    { level: 'error' },
    { level: 'warn' },
    { level: 'info' },
    { level: 'debug' },
    { level: 'trace' }
  ])
  t.equal(made, 1)
})
