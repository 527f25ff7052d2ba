import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'

const FILE = join(import.meta.dirname, 'snippet.ts')
const SNIPPET = `
import Fastify from 'fastify'
import moengageAllowlist, { type Duration, type RouteOptions } from '../../src/index.js'
import guardExpress from '../../src/express.js'
import { createGuard } from '../../src/core.js'
const app = Fastify()
const express = guardExpress({ dataCenters: 'DC-01' })
const shared: RouteOptions = { channels: 'streams' }
const either: RouteOptions | false = process.env.OPEN ? false : shared
const written = { config: { moengage: { channels: 'streams' as const } } }
`
const ROUTE = (moengage: string) => `app.get('/', { config: { moengage: ${moengage} } }, async () => 'ok')`

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile('test/tsconfig.json', ts.sys.readFile).config,
  ts.sys,
  'test'
)

/** What the compiler says about each line, behind a common beginning; all lines are compiled at once. */
function messagesOf(lines: readonly string[]): string[] {
  const text = `${SNIPPET}${lines.join('\n')}\n`
  const host = ts.createCompilerHost(options)
  const own: ts.CompilerHost = {
    ...host,
    fileExists: (file) => file === FILE || host.fileExists(file),
    readFile: (file) => (file === FILE ? text : host.readFile(file)),
    getSourceFile: (file, ...rest) =>
      file === FILE ? ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true) : host.getSourceFile(file, ...rest)
  }
  const program = ts.createProgram([FILE], options, own)
  const source = program.getSourceFile(FILE)!
  const messages = lines.map(() => '')
  const before = SNIPPET.split('\n').length - 1
  for (const { start, messageText } of [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source)
  ]) {
    const { line } = source.getLineAndCharacterOfPosition(start!)
    messages[line - before] += ts.flattenDiagnosticMessageText(messageText, '\n')
  }
  return messages
}

t.test('the compiler names the value of a wrong option', async (t) => {
  const table: [line: string, named: RegExp][] = [
    [ROUTE(`{ channels: 'segmentsync' }`), /"segmentsync"/],
    [ROUTE(`{ channels: ['streams', 'segmentsync'] }`), /"segmentsync"/],
    [ROUTE(`{ dataCenters: 'DC-99' }`), /"DC-99"/],
    [ROUTE(`{ mode: 'tags' }`), /"tags"/],
    [ROUTE(`{ mode: 'tag', statusCode: '403' }`), /"403"/],
    [ROUTE(`{ onReject: 'next' }`), /"next"/],
    [ROUTE(`{ channel: 'streams' }`), /there is no option channel"/],
    [
      ROUTE(`{ channels: 'streams', chanels: 'sms', mod: 'tag' }`),
      /there is no option chanels" \| "there is no option mod"/
    ],
    [ROUTE(`{ clientIp: { trustedProxies: [] } }`), /there is no option clientIp"/],
    [ROUTE('true'), /'true'/],
    [ROUTE(`'tag'`), /'string'/],
    [ROUTE('null'), /null/],
    [
      `app.get<{ Body: string }>('/', { config: { moengage: { channels: 'segmentsync' } } }, async () => 'ok')`,
      /"segmentsync"/
    ],
    [
      `app.route({ method: 'GET', url: '/', config: { moengage: { mode: 'tags' } }, handler: async () => 'ok' })`,
      /"tags"/
    ],
    [`app.route({ method: 'GET', url: '/', config: { moengage: true }, handler: async () => 'ok' })`, /'true'/],
    [
      `app.get('/', { config: { moengage: { channel: 'sms' } }, handler: async () => 'ok' })`,
      /there is no option channel"/
    ],
    [`app.verifyMoEngage({ channels: 'segmentsync' })`, /"segmentsync"/],
    [`app.verifyMoEngage({ channel: 'streams' })`, /'channel' does not exist in type 'RouteOptions'|'channels'/],
    [`express.route({ mode: 'tags' })`, /"tags"/],
    [`createGuard({ dataCenters: 'DC-01', clientIp: { trustedProxies: '10.0.0.1' } })`, /'string'/],
    [`createGuard({ dataCenters: 'DC-01', trustedProxies: ['10.0.0.1'] })`, /'trustedProxies'/],
    [`createGuard({ dataCenters: 'DC-01', confirm: ['wider'] })`, /"wider"/],
    [`createGuard({ dataCenters: 'DC-01', gracePeriod: 'a day' })`, /"a day"/],
    [`createGuard({ dataCenters: 'DC-01', gracePeriod: '90' })`, /"90"/],
    [
      `createGuard({ dataCenters: 'DC-01', source: { file: 'x.json', interval: '5 minutes' } })`,
      /"5 minutes"|'string'/
    ],
    [`void app.register(moengageAllowlist, { dataCenters: 'DC-99' })`, /"DC-99"/],
    [
      `void app.register(moengageAllowlist, { dataCenters: 'DC-01', log: { summaryEvery: '1 min' } })`,
      /"1 min"|'string'/
    ]
  ]
  const messages = messagesOf(table.map(([line]) => line))
  for (const [i, [line, named]] of table.entries()) {
    t.match(messages[i], named, line)
    t.notMatch(messages[i], /does not exist in type 'never'/, line)
  }
})

t.test('right options compile, wherever they come from', async (t) => {
  const lines = [
    ROUTE('false'),
    ROUTE('{}'),
    ROUTE('undefined'),
    ROUTE('shared'),
    ROUTE('either'),
    ROUTE(`{ ...shared, mode: 'tag' }`),
    ROUTE(`{ channels: ['streams', 'sms'], dataCenters: 'all', mode: 'tag', statusCode: 404 }`),
    ROUTE(`{ channels: undefined, onReject: undefined }`),
    ROUTE(`{ mode: process.env.ENFORCE ? 'reject' : 'tag' }`),
    ROUTE(`{ onReject: (request, reply, { hint }) => reply.code(404).send(request.url + hint) }`),
    `app.get('/', { config: { moengage: { mode: 'tag' }, rateLimit: { max: 1 } } }, async () => 'ok')`,
    `app.get('/', written, async () => 'ok')`,
    `app.get<{ Body: string }>('/', { config: { moengage: { channels: 'streams' } } }, async () => 'ok')`,
    `app.route({ method: 'GET', url: '/', config: { moengage: { channels: 'streams' } }, handler: async () => 'ok' })`,
    `app.addHook('onRoute', ({ config }) => void config?.moengage)`,
    `createGuard({ dataCenters: 'DC-01', gracePeriod: '1.5h', staleAfter: 5_000, source: { file: 'x', interval: '5s' } })`,
    `const times: Duration[] = ['500ms', '15s', '5m', '2h', '90d', '2w', 1_000]; void times`
  ]
  for (const [i, message] of messagesOf(lines).entries()) t.equal(message, '', lines[i]!)
})
