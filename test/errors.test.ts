import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import express from 'express'
import Fastify from 'fastify'
import t from 'tap'
import * as core from '../src/core.js'
import { PROBLEM_CODES, type Problem } from '../src/errors.js'
import * as root from '../src/index.js'
import { send } from './support/http.js'

const {
  ChannelError,
  DataCenterError,
  EgressError,
  FleetError,
  EventError,
  ExportError,
  NoAddressesError,
  NotReadyError,
  OptionsError,
  PageError,
  PrefixError,
  RegisteredTwiceError,
  RejectedError,
  RouteError,
  SignatureError,
  SnapshotError,
  SourceError,
  SuspiciousError
} = core

const details = { path: 'allow[0]', value: '10.0/8', message: 'It is short.', fix: 'Write 10.0.0.0/8.' }
const problem: Problem = { code: 'MOE_ERR_PREFIX', ...details }
const cell = { table: 'US', row: 'Streams', column: 'IPs', text: '?', message: 'It cannot be read.' }

/** Every error, by the name of its class. */
const ERRORS: Record<string, Error & { code: string; statusCode: number }> = {
  PrefixError: new PrefixError(details),
  DataCenterError: new DataCenterError(details),
  ChannelError: new ChannelError(details),
  NoAddressesError: new NoAddressesError(details),
  SnapshotError: new SnapshotError(details),
  PageError: new PageError(details, [cell]),
  SourceError: new SourceError(details),
  SuspiciousError: new SuspiciousError([{ suspicion: 'wide', message: '9.0.0.0/8 is wide.' }], 'list.json'),
  SignatureError: new SignatureError(details),
  ExportError: new ExportError(details),
  FleetError: new FleetError(details),
  EgressError: new EgressError([{ code: 'MOE_ERR_EGRESS', ...details }], 'a list'),
  RegisteredTwiceError: new RegisteredTwiceError(details),
  EventError: new EventError(details),
  OptionsError: new OptionsError([problem]),
  RouteError: new RouteError(),
  NotReadyError: new NotReadyError(),
  RejectedError: new RejectedError({ reason: 'not-listed' }, 404)
}
const STATUS: Record<string, number> = { NotReadyError: 503, RejectedError: 404 }

const page = readFileSync('docs/errors.md', 'utf8')
const sections = [...page.matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading!)

t.test('every code has its section in docs/errors.md, and every section its code', async (t) => {
  t.strictSame(sections.sort(), [...PROBLEM_CODES].sort())
})

t.test('an error has the name of its class, a code, a status and a page', async (t) => {
  const exported = Object.entries(core).filter(([name]) => name.endsWith('Error'))
  t.strictSame(exported.map(([name]) => name).sort(), Object.keys(ERRORS).sort())
  for (const [name, error] of Object.entries(ERRORS)) {
    t.equal((root as Record<string, unknown>)[name], error.constructor, `both doors export ${name}`)
    t.ok(error instanceof Error, name)
    t.equal(error.name, name)
    t.equal(`${error}`.split(':')[0], name)
    t.ok(
      PROBLEM_CODES.some((code) => code === error.code),
      error.code
    )
    t.equal(error.statusCode, STATUS[name] ?? 500, name)
    t.notOk(Object.keys(error).includes('name'), 'a log line has the name once, as the type')
  }
})

t.test('an error at start-up names the place, the value, the fix and its section', async (t) => {
  for (const error of Object.values(ERRORS)) {
    if (!('fix' in error)) continue
    const { code, message, docs } = error as unknown as Problem & { docs: string }
    t.equal(docs, `docs/errors.md#${code.toLowerCase()}`)
    t.ok(message.endsWith(`(${docs})`), message)
    t.match(inspect(error), /errors\.test\./, 'the stack leads to the caller')
  }
  t.match(ERRORS.PrefixError, {
    ...details,
    message: 'allow[0]: It is short. Write 10.0.0.0/8. (docs/errors.md#moe_err_prefix)'
  })
  t.match(ERRORS.PageError, { cells: [cell] })
  t.match(ERRORS.SuspiciousError, {
    path: 'source',
    value: 'list.json',
    fix: /confirm: \['wide'\]/,
    reasons: [{ suspicion: 'wide' }]
  })
  t.strictSame(new PageError(details).cells, [], 'the page as such may be at fault')
})

t.test('an error of options lists every mistake, with the values by path', async (t) => {
  const one = new OptionsError([problem])
  t.match(one, { mistakes: [problem], value: { 'allow[0]': '10.0/8' }, fix: 'Correct the options.' })
  t.match(
    one.message,
    /^One option is wrong:\n {2}- allow\[0\]: It is short\. Write 10\.0\.0\.0\/8\. \(MOE_ERR_PREFIX\)\n Correct/
  )
  const two = new OptionsError([problem, { ...problem, path: '' }])
  t.match(two.message, /^2 options are wrong:\n.*\n {2}- It is short\./)
  t.throws(() => (two.mistakes as Problem[]).push(problem), TypeError, 'the mistakes do not change')
})

t.test('a long list of mistakes is cut in the message, and whole in the error', async (t) => {
  const mistakes = Array.from({ length: 25 }, (_, i) => ({ ...problem, path: `line ${i}` }))
  const error = new EgressError(mistakes, 'a list')
  t.match(error.message, /25 mistakes:[\s\S]*line 19: [\s\S]*- and 5 more/)
  t.notMatch(error.message, /line 20/)
  t.strictSame(error.mistakes, mistakes)
})

t.test('where a list lacks what right options name, the list is at fault', async (t) => {
  const lacking: Problem = { ...problem, code: 'MOE_ERR_NO_ADDRESSES', path: 'dataCenters', value: 'DC-05' }
  const error = new OptionsError([lacking], 'list.json')
  t.match(error, { code: 'MOE_ERR_OPTIONS', mistakes: [lacking], fix: /^Correct the list/ })
  t.match(error.message, /\n {2}- dataCenters: It has no address for DC-05\. \(MOE_ERR_NO_ADDRESSES\)\n/)
  t.match(error.message, /^The list of "list\.json" lacks what the options name:/)
  t.notMatch(error.message, /Correct the options|Write/)
})

t.test('a rejection has a verdict that is neither enumerable nor answered, and no stack', async (t) => {
  const verdict = { reason: 'not-listed', clientIp: '198.51.100.7' }
  const error = new RejectedError(verdict, 404)
  t.equal(error.verdict, verdict)
  t.equal(error.status, 404)
  t.equal(error.stack, undefined)
  t.notMatch(JSON.stringify(error) + inspect(error), /not-listed|198\.51/)
  t.ok(RejectedError.prototype instanceof Error)
  t.equal(new Error('x').message, 'x', 'other errors are as they were')
  t.type(new Error('x').stack, 'string')
})

t.test('Fastify and Express answer with code, status and message', async (t) => {
  const app = Fastify()
  const server = express()
  for (const name of ['RejectedError', 'NotReadyError', 'RouteError']) {
    app.get(`/${name}`, async () => {
      throw ERRORS[name]
    })
    server.get(`/${name}`, (_request, _response, next) => next(ERRORS[name]))
    t.match(ERRORS[name], { status: ERRORS[name]!.statusCode, expose: true }, 'as http-errors, for Koa and Nest')
  }
  // Express's own handler answers with HTML, by the status alone.
  server.use(
    (error: Error & { status?: number }, _: unknown, response: express.Response, next: express.NextFunction) => {
      if (response.headersSent) next(error)
      else response.status(error.status ?? 500).json({ name: error.name })
    }
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as { port: number }
  for (const name of ['RejectedError', 'NotReadyError', 'RouteError']) {
    const { code, statusCode, message } = ERRORS[name]!
    const answer = await send({ port }, { path: `/${name}` })
    t.equal(answer.status, statusCode)
    t.match(JSON.parse(answer.body), { code, statusCode, message })
  }
  const listening = server.listen(0, '127.0.0.1')
  await new Promise((resolve) => listening.once('listening', resolve))
  t.teardown(() => listening.close())
  for (const [name, status] of [
    ['RejectedError', 404],
    ['NotReadyError', 503]
  ] as const) {
    const answer = await send(listening.address() as { port: number }, { path: `/${name}` })
    t.match(answer, { status, body: `{"name":"${name}"}` })
  }
})
