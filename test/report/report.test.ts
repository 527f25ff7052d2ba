import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import t from 'tap'
import guardFetch from '../../src/fetch.js'
import { MAX_LINE, readLines } from '../../src/report/read-lines.js'
import { ReportBuilder } from '../../src/report/report.js'
import { MARKS } from '../../src/report/unwrap.js'
import { LISTED } from '../support/addresses.js'
import { run } from '../support/cli.js'
import { guarded } from '../support/guarded.js'
import { runs } from '../support/properties.js'
import { line, summary, TIME } from './lines.js'

const HOUR = 3_600_000

/** Runs the command on lines from standard input. */
async function report(lines: readonly string[], argv: readonly string[] = []) {
  const { code, stdout, stderr } = await run(['report', '--json', ...argv], { stdin: lines.join('\n') })
  return { code, stderr, found: JSON.parse(stdout) }
}

t.test('a log of Fastify is read, whatever else is in it', async (t) => {
  const { app, lines } = await guarded({ mode: 'tag' }, (app) => void app.get('/hooks', async () => 'ok'))
  const send = (clientIp: string) => app.inject({ url: '/hooks', headers: { 'x-forwarded-for': clientIp } })
  for (let i = 0; i < 7; i++) await send('52.6.248.125')
  for (let i = 0; i < 5; i++) await send('3.6.251.95')
  for (let i = 0; i < 3; i++) await send('198.51.100.7')
  await send('unknown')
  await app.close()
  const log = lines.map((line) => JSON.stringify(line))
  const { found, code } = await report(log)
  t.match(found, {
    lines: { read: log.length, own: 4, unreadable: 0 },
    verified: 7,
    rejected: { total: 0 },
    tagged: { total: 9, byReason: { 'not-listed': 3, 'other-data-center': 5, unresolved: 1 } },
    senders: [
      { clientIp: '3.6.251.95', count: 5, routes: ['/hooks'], listedFor: [{ dataCenter: 'DC-03' }] },
      { clientIp: '198.51.100.7', count: 3, reasons: { 'not-listed': 3 } }
    ],
    withoutSender: 1,
    diagnosis: [/^3\.6\.251\.95 \(5 rejections\) is MoEngage DC-03, you accept DC-01/, /^1 of 9 rejections had no/],
    doubts: [],
    genuine: null,
    canReject: { answer: 'no' }
  })
  t.equal(code, 0)
})

t.test('a report names the route that refuses a data center or channel, as the guard itself does', async (t) => {
  const { app, lines } = await guarded({ dataCenters: ['DC-01', 'DC-03'], mode: 'tag' }, (app) => {
    app.get('/all', async () => 'ok')
    app.get('/usa', { config: { moengage: { dataCenters: 'DC-01' } } }, async () => 'ok')
    app.get('/sync', { config: { moengage: { channels: 'segment-sync' } } }, async () => 'ok')
  })
  const send = (clientIp: string, url: string) => app.inject({ url, headers: { 'x-forwarded-for': clientIp } })
  for (const url of ['/all', '/usa', '/sync']) await send('3.6.251.95', url)
  await send('198.51.100.7', '/all')
  const own = app.moengage!.status().diagnosis
  await app.close()
  const { found } = await report(lines.map((line) => JSON.stringify(line)))
  t.match(own.join(), /route \/usa accepts DC-01 only.*widen that route with dataCenters: \['DC-01', 'DC-03'\]/)
  t.match(found.diagnosis, [own[0]])
})

t.test('lines count for all that they stand for, in every layout', async (t) => {
  const at = '2026-11-23T12:30:00.000Z'
  const { found } = await report([
    line({ suppressed: 1203 }),
    line({ reason: 'other-channel', clientIp: '52.6.248.125', mode: 'tag' }, { time: at }),
    line({}, { time: undefined, timestamp: at }),
    line({}, { time: undefined, '@timestamp': at }),
    line({}, { time: TIME / 1000 }),
    line({}, { time: 'noon' }),
    line({}, { time: undefined }),
    JSON.stringify({
      ...JSON.parse(line()),
      moengage: undefined,
      payload: { moengage: JSON.parse(line({ route: null })).moengage },
      msg: '198.51.100.7 rejected: not-listed'
    }),
    summary({
      verified: 12,
      suppressed: { reject: { 'not-listed': 5 }, tag: { unresolved: 2 } },
      suppressedOf: [{ clientIp: '198.51.100.7', mode: 'reject', reason: 'not-listed', count: 4 }, { clientIp: 7 }, 7]
    }),
    summary({ verified: 3, suppressedOf: 'none' })
  ])
  t.match(found, {
    lines: { read: 10, own: 10, unreadable: 0 },
    from: new Date(TIME).toISOString(),
    to: at,
    verified: 15,
    rejected: { total: 1215 },
    tagged: { total: 3, byReason: { 'other-channel': 1, unresolved: 2 } },
    senders: [
      { clientIp: '198.51.100.7', count: 1214 },
      { clientIp: '52.6.248.125', count: 1 }
    ],
    withoutSender: 3
  })
  t.equal(
    found.histogram.bars.reduce((sum: number, { count }: { count: number }) => sum + count, 0),
    1216,
    'all but those without a time'
  )
})

t.test('lines of ours that cannot be read are a doubt, and the first is shown with what to do', async (t) => {
  const broken = [
    line({}).slice(0, 130),
    line({ mode: 'dry-run' }),
    line({ reason: 'toString' }),
    line({ suppressed: -1 }),
    line({ suppressed: 1.5 }),
    line({ clientIp: { toString: 1 } }),
    summary({ verified: '1' }),
    summary({ suppressed: { reject: {} } }),
    summary({ suppressed: { reject: { x: 1 }, tag: {} } }),
    summary({ suppressed: { reject: { denied: '1' }, tag: {} } }),
    summary({ rejected: { denied: '1' } })
  ]
  const others = [
    'Server listening at http://127.0.0.1:3000',
    '[]',
    '7',
    'null',
    '{"level":30,"msg":"incoming request"}',
    '{"moengage":{"code":"MOE_WARN_STALE"}}',
    '{"moengage":[]}',
    '{"a":{"moengage":null}}'
  ]
  const { found, code } = await report([
    ...broken,
    ...others,
    '',
    line({ listedFor: [7, {}], policy: null, route: 7 }),
    line({ listedFor: 'x' }),
    summary({ verified: 9, top: [7, { clientIp: 7 }] })
  ])
  t.equal(code, 1)
  t.match(found, {
    lines: { read: broken.length + others.length + 3, own: 3, unreadable: broken.length },
    senders: [{ clientIp: '198.51.100.7', listedFor: [], routes: [] }],
    firstUnreadable: { text: broken[0], advice: /^it is cut off/ },
    doubts: ['11 lines mention a record of the guard and could not be read: what it says is not counted.']
  })
  t.match((await report([line({}).slice(0, 130)])).found.doubts, [/^One line mentions a record of the guard/])
  const pretty = JSON.stringify(JSON.parse(line({})), null, 2).split('\n')
  t.match((await report(pretty)).found.firstUnreadable, {
    text: /^"event"/,
    advice: /jq -c 'arrays\[\], objects' FILE \| moengage-allowlist report/
  })
  const list = await report([`[${Array.from({ length: 5_000 }, () => line({})).join()}]`])
  t.match(list.found, {
    lines: { read: 1, own: 0, unreadable: 1 },
    firstUnreadable: { text: /…$/, advice: /^one line holds many: jq -c '\(arrays/ }
  })
  t.match((await report([`[${line({})},${line({})}]`])).found, {
    lines: { own: 1, unreadable: 0 },
    rejected: { total: 2 }
  })
})

t.test('the advice for a line that cannot be read is true of it', async (t) => {
  const inMessage = line({ hint: 'a "quoted" \\ text' }).replaceAll(/["\\]/g, '\\$&')
  const table: [what: string, line: string, advice: RegExp][] = [
    ['logfmt', `time="x" level=info msg="${inMessage}" a=b`, /^its JSON is in msg, where an application may write/],
    ['a place that nobody knows', JSON.stringify({ row: line() }), /or stands where an application may write/],
    ['pino-pretty', '      "event": "moengage.rejected",', /spread over several lines: jq/],
    ['a member that is cut off', '      "event": "moengage.rejected', /^it is cut off/],
    ["winston's prettyPrint", "    event: 'moengage.rejected',", /^it is written for people/],
    [
      'CloudWatch, the answer of a query',
      `      "value": ${JSON.stringify(line())},`,
      /^its JSON is spread over several lines: jq -c 'arrays\[\], objects' FILE/
    ],
    [
      'logcli, with a path among the labels',
      `2026-11-23T12:00:00Z {app="webhooks", filename="/var/log/app.log"} ${line()}`,
      /^labels stand in front of it, .*, logcli query -o raw QUERY \| moengage-allowlist report, or as JSON \(-o jsonl\)$/
    ],
    ['a message alone', PRETTY_MESSAGE, /^it is a message of the guard without its record: let the logger write/],
    ['the same in colours', inColours(PRETTY_MESSAGE), /^it is a message of the guard without its record/],
    ["winston's prettyPrint in colours", inColours("    event: 'moengage.rejected',"), /^it is written for people/],
    ['a line in colours for which there is a command', inColours(IN_COLOURS), /^it is in colours: sed /],
    ['YAML', '    event: moengage.rejected', /^it is YAML: write JSON, such as gcloud logging read/],
    ['a list of YAML', '- event: moengage.rejected', /^it is YAML/]
  ]
  for (const [what, text, advice] of table) {
    const { found } = await report([text])
    t.match(found.firstUnreadable?.advice, advice, what)
  }
  const pretty = prettyFactory({ colorize: false })
  const overLines = [line({}, { msg: '198.51.100.7 rejected: not-listed' }), line({}, { msg: 'x' })].map(pretty)
  for (const [log, unreadable] of [
    [overLines, 2],
    [[...overLines, PRETTY_MESSAGE, PRETTY_MESSAGE], 4],
    [[PRETTY_MESSAGE, line(), ...overLines], 3]
  ] as const) {
    const { found } = await report(log)
    t.equal(found.lines.unreadable, unreadable, 'a record that pino-pretty wrote is one doubt')
  }
  t.match((await report(overLines)).found.firstUnreadable, { text: /^"event"/, advice: /if pino-pretty wrote it/ })
  const results = { results: [[{ field: '@message', value: line() }]], statistics: { recordsMatched: 1 } }
  const labels = { filename: '/var/log/app.log' }
  for (const followed of [results, { labels, line: line(), timestamp: '2026-11-23T12:00:00Z' }]) {
    t.match((await report([JSON.stringify(followed)])).found, { lines: { own: 1, unreadable: 0 } })
  }
  const [[, input]] = table as [[string, string, RegExp]]
  const { advice } = (await report([input])).found.firstUnreadable
  const [, script = ''] = /sed -nE '([^']+)' FILE \| moengage-allowlist report$/.exec(advice)!
  const { stdout } = spawnSync('sed', ['-nE', script], { input: `other\n${input}\n`, encoding: 'utf8' })
  t.equal(stdout, `${line({ hint: 'a "quoted" \\ text' })}\n`)
  const followed = (await report([inColours(IN_COLOURS)])).found.firstUnreadable.advice
  const command = followed.replace('it is in colours: ', '').replace(/ FILE > plain\.log; .*/, '')
  const plain = spawnSync('sh', ['-c', command], { input: `${inColours(IN_COLOURS)}\u001b[K\n`, encoding: 'utf8' })
  t.equal(plain.stdout, `${IN_COLOURS}\n`)
})

const PRETTY_MESSAGE = '[12:00:00.000] WARN (1): 198.51.100.7 rejected: not-listed'
const IN_COLOURS = '"event": "moengage.rejected",'
const inColours = (text: string) => `\u001b[33m${text}\u001b[39m`

const HAS_JQ = spawnSync('jq', ['--version']).status === 0
t.test('the command for an export in one line works', { skip: HAS_JQ ? false : 'jq is not installed' }, async (t) => {
  const lines = Array.from({ length: 5_000 }, (_, i) => line({}, { time: TIME + i }))
  const [half, rest] = [lines.slice(0, 2_500), lines.slice(2_500)]
  const messages = lines.map((message) => ({ timestamp: TIME, message }))
  const entries = (part: string[]) => ({ stream: {}, values: part.map((text, i) => [`${TIME + i}000000`, text]) })
  const exports: [what: string, whole: unknown][] = [
    ['a list', lines.map((text) => JSON.parse(text))],
    ['CloudWatch, events', { events: messages, searchedLogStreams: [] }],
    ['CloudWatch, a subscription', { logEvents: messages }],
    ['Elastic', { hits: { total: 1, hits: lines.map((text) => ({ _source: JSON.parse(text) })) } }],
    ['Loki', { status: 'success', data: { resultType: 'streams', result: [entries(half), entries(rest)] } }],
    ['Log Analytics', { tables: [{ name: 'x', columns: [], rows: lines.map((text) => ['2026-11-23', text]) }] }],
    ['Datadog', { data: messages.map(({ message }) => ({ type: 'log', attributes: { message } })), meta: {} }]
  ]
  for (const [what, whole] of exports) {
    const input = JSON.stringify(whole)
    const { found } = await report([input])
    const [, filter = ''] = /^one line holds many: jq -c '([^']+)' FILE \| moengage-allowlist report$/.exec(
      found.firstUnreadable.advice
    )!
    const { stdout } = spawnSync('jq', ['-c', filter], { input, encoding: 'utf8', maxBuffer: 100_000_000 })
    const taken = await report([stdout])
    t.match(taken.found, { lines: { own: 5_000, unreadable: 0 }, rejected: { total: 5_000 }, doubts: [] }, what)
  }
})

t.test('what jq is advised for can be read', { skip: HAS_JQ ? false : 'jq is not installed' }, async (t) => {
  const own = line({}, { msg: '198.51.100.7 rejected: not-listed' })
  const run = async (input: string) => {
    const { advice } = (await report([input])).found.firstUnreadable
    const script =
      /(?<=: |, |\()[a-z]+ -[a-zA-Z]+ '[^']+' FILE(?: \| jq -c '[^']+')?(?= \| moengage-allowlist report(?:\)|$))/.exec(
        advice
      )
    const command = script![0].replace(' FILE', '')
    return (await report([spawnSync('sh', ['-c', command], { input, encoding: 'utf8' }).stdout])).found
  }
  const fields: object[] = [
    { time: 1, host: 'vm', event: JSON.parse(own) },
    { time: 1, host: 'vm', event: `web-1 ${own}` },
    { event: { line: JSON.parse(own), source: 'stdout' }, time: '1.5', host: 'vm' },
    { _time: '2026-11-23T12:00:00Z', data: JSON.parse(own) },
    { timestamp: 1, payload: own },
    { timestamp: 1, body: own, attributes: {} }
  ]
  for (const value of fields) {
    const input = `{"a":1}\n${JSON.stringify(value)}\n`
    t.match(await run(input), { lines: { own: 1, unreadable: 0 } }, input)
  }
  const spread = JSON.stringify(JSON.parse(own), null, 4)
  t.match(await run(`2026-11-23T12:00:00Z ecs/app/0123 ${spread}\n`.repeat(2)), { rejected: { total: 2 }, doubts: [] })
})

t.test('the paths in front of lines can be cut off as advised, and a line that is read needs no advice', async (t) => {
  const own = line({}, { msg: '198.51.100.7 rejected: not-listed' })
  const paths = [
    '/var/log/syslog:Nov 20 00:00:01 vm node[2]: ',
    'C:\\logs\\web.log:12:',
    '/srv/my app/current:',
    'Nov 20 00:00:01 vm /usr/bin/node[2]: ',
    '/ecs/webhooks ecs/app/0123abc ',
    '/aws/lambda/hooks 2026/11/27/[$LATEST]abc 2026-11-20T00:00:01Z ',
    'source=/var/log/web sourcetype=json ',
    'data:    /srv/webhooks/server.js:8522 - '
  ]
  for (const path of paths) {
    const input = `${path}${own}\n`
    t.match((await report([`/var/log/syslog:${input}`])).found, { lines: { own: 0, unreadable: 1 } }, path)
    const { found } = await report([input])
    t.match(found, { lines: { own: 0, unreadable: 1 }, firstUnreadable: { advice: /grep -h/ } }, path)
    const [, command] = /: (sed .*) FILE \| moengage-allowlist report$/.exec(found.firstUnreadable.advice)!
    const { stdout } = spawnSync('sh', ['-c', command!], { input, encoding: 'utf8' })
    t.match((await report([stdout])).found, { lines: { own: 1, unreadable: 0 }, doubts: [] }, stdout)
  }
})

t.test('a cell of CSV that holds a line is read, whatever the other columns are', async (t) => {
  const own = line({}, { msg: '198.51.100.7 rejected: not-listed', reqId: 'req-1' })
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`
  const tables: [header: string, row: string][] = [
    ['@timestamp,@message,reqId', `2026-11-23 12:00:00.000,${cell(own)},req-1`],
    ['"_raw","_time",host,"moengage.event"', `${cell(own)},"2026-11-23T12:00:00.000+0000","h","moengage.rejected"`],
    ['timestamp,message,msg', `2026-11-23,${cell(own)},198.51.100.7 rejected: not-listed`],
    ['timestamp,event', `2026-11-23T12:00:00Z,${cell(own)}`]
  ]
  for (const [header, row] of tables)
    t.match((await report([header, row])).found, { lines: { own: 1, unreadable: 0 }, doubts: [] }, header)
  const url = `2026-11-23T12:00:00Z INFO GET /moengage/b,${cell(own)}`
  t.match((await report(['2026-11-23T00:00:00Z INFO GET /a,message', url])).found, { lines: { own: 0 } })
})

t.test('no request makes a log doubtful, whatever its user, user agent or body is', async (t) => {
  const said = '1.1.1.1 rejected: not-listed'
  const deep = (depth: number) => `${'['.repeat(depth)}{"event":"moengage.rejected","x":"${said}"}${']'.repeat(depth)}`
  const time = '2026-11-23T12:00:00Z'
  const lines = [
    `203.0.113.66 - ${said} [23/Nov/2026:12:00:01 +0000] "GET /moengage/connector HTTP/1.1" 401 172 "-" "curl/8.5.0"`,
    `203.0.113.66 - moengage ${said} [23/Nov/2026:12:00:01 +0000] /moengage/connector 401`,
    `[23/Nov/2026:12:00:01 +0000] moengage ${said} "GET /moengage HTTP/1.1" 401`,
    `[23/Nov/2026:12:00:01 +0000] ${said} "GET /moengage HTTP/1.1" 401`,
    `[203.0.113.66] ${said} /moengage`,
    `[2001:db8::1] ${said} /moengage`,
    `Nov 23 12:00:00 h sshd[1]: Invalid user moengage ${said} from 192.0.2.1`,
    `${time} ERROR Unknown user moengage ${said}`,
    `${time} WARN blocked agent moengage ${said}`,
    `${time} 192.0.2.1 403 moengage ${said}`,
    `moengage webhook: 203.0.113.66 rejected: not-listed`,
    `time=x level=info agent=moengage ${said}`,
    `${time} ERROR "${said}" is no user of moengage`,
    JSON.stringify({ level: 'info', message: `WARN ${said} is no user of moengage` }),
    JSON.stringify({ log: `203.0.113.66 - ${said} /moengage`, time }),
    ...[20, 5_000, 50_000].flatMap((depth) => [
      `{"time":"${time}","method":"POST","url":"/moengage/x","status":403,"ip":"203.0.113.66","body":${deep(depth)}}`,
      `{"time":"${time}","data":${deep(depth)}}`,
      JSON.stringify({ time, log: `{"method":"POST","body":${deep(depth)}}` })
    ])
  ]
  const own = summary({ verified: 5 })
  for (const text of lines)
    t.match((await report([own, text])).found, { lines: { own: 1, unreadable: 0 }, doubts: [] }, text.slice(0, 200))
})

t.test('a message of the guard without its record is a doubt behind what a logger writes', async (t) => {
  const said = '198.51.100.7 rejected: not-listed'
  const fronts = [
    'warn: ',
    '[moengage] ',
    '2026-11-23T12:00:00.123Z [warn] ',
    '2026-11-23T12:00:00+00:00 stdout F WARN ',
    '2026-11-23 12:00:00,123 | WARN | ',
    '[07:15:54.176] WARN (8522): ',
    '[07:15:54.176] WARN (@hooks/web/8522): ',
    '[2026-11-23T12:00:00.123Z] [WARN] [default] - ',
    '[Nest] 8522  - 11/27/2026, 7:15:54 AM    WARN [MoEngage] ',
    '\u001b[33mWARN\u001b[39m '
  ]
  for (const front of fronts) {
    const text = `${front}${said} moengage=[object Object]`
    t.match((await report([text])).found, { lines: { own: 0, unreadable: 1 } }, text)
    const docker = JSON.stringify({ log: `${text}\n`, stream: 'stdout', time: '2026-11-23T12:00:00Z' })
    t.match((await report([docker])).found, { lines: { own: 0, unreadable: 1 } }, docker)
  }
  const long = `${'warn: '.repeat(200)}${said} moengage=[object Object]`
  t.match((await report([long])).found, { lines: { unreadable: 0 } })
})

t.test('a log is read as it is kept, and the report says what it was taken out of', async (t) => {
  const docker = (text: string) => JSON.stringify({ log: `${text}\n`, stream: 'stdout', time: '2020-01-31T00:00:00Z' })
  const { found, code } = await report([
    docker(line({})),
    docker(summary({ verified: 2 })),
    `2026-11-23T12:00:00Z stdout F ${line({})}`,
    line({})
  ])
  t.equal(code, 0)
  t.match(found, {
    lines: { read: 4, own: 4 },
    unwrapped: [
      { wrapping: 'field "log"', records: 2 },
      { wrapping: 'text around the JSON', records: 1 }
    ],
    from: new Date(TIME).toISOString(),
    to: new Date(TIME).toISOString(),
    verified: 2,
    rejected: { total: 3 }
  })
  const many = Array.from({ length: 30 }, (_, i) =>
    Array.from({ length: i }).reduce((inner: object) => ({ log: inner }), JSON.parse(line()))
  ).map((fields) => JSON.stringify(fields))
  t.equal((await report(many)).found.unwrapped.length, 20)
})

t.test('lines that a container runtime has cut are put together', async (t) => {
  const at = '2026-11-23T12:00:00.123456789Z'
  const text = line({ hint: 'x'.repeat(200) })
  const cuts = [20, text.indexOf('moengage') + 3, text.indexOf('rejected') + 3, text.length - 1]
  for (const cut of cuts) {
    const { found, code } = await report([
      `${at} stdout P ${text.slice(0, cut)}`,
      `${at} stderr P ${summary({ verified: 4 }).slice(0, 30)}`,
      `${at} stdout F ${text.slice(cut)}\r`,
      `${at} stdout F {"msg":"incoming request"}`,
      `${at} stderr P ${summary({ verified: 4 }).slice(30, 60)}`,
      `${at} stderr F ${summary({ verified: 4 }).slice(60)}`,
      `${at} stdout F ${line()}`
    ])
    t.match(found, { lines: { read: 7, own: 3, unreadable: 0 }, rejected: { total: 2 }, verified: 4 }, `${cut}`)
    t.equal(code, 0)
  }
  const cut = text.indexOf('suppressed')
  for (const rest of [[], [`${at} stdout P ${'x'.repeat(MAX_LINE)}`]]) {
    const { found, code } = await report([`${at} stdout P ${text.slice(0, cut)}`, ...rest])
    t.match(found, { lines: { unreadable: 1 }, doubts: [/could not be read/] })
    t.equal(code, 1)
  }
  const { found } = await report([`${at} stdout P ${text.slice(0, cut)}`])
  t.match(found.firstUnreadable, { text: /^stdout P \{/, advice: /container runtime has cut it/ })
})

t.test('a byte order mark, CRLF and blank lines are no broken lines', async (t) => {
  const { found } = await report([`\ufeff${line({})}\r`, '\r', '  ', `${line({})}\r`])
  t.match(found.lines, { read: 2, own: 2, unreadable: 0 })
})

t.test(
  'an address that the logger itself left out or replaced, or a text that is endless, costs no rejection',
  async (t) => {
    const endless = 'x'.repeat(5000)
    const { found } = await report([
      line({ clientIp: undefined }),
      line({ clientIp: '[Redacted]' }),
      line({ clientIp: endless }),
      line({ clientIp: '198.51.100.7', route: endless, removed: endless })
    ])
    t.match(found, {
      lines: { own: 4, unreadable: 0 },
      rejected: { total: 4 },
      withoutSender: 3,
      senders: [{ clientIp: '198.51.100.7', routes: ['x'.repeat(200)], removed: null }]
    })
  }
)

t.test('the text says what to do next', async (t) => {
  const { stdout } = await run(['report', '--senders', '2'], {
    stdin: [
      ...Array.from({ length: 4 }, (_, i) => line({ clientIp: `198.51.100.${i}` }, { time: TIME + i * HOUR })),
      line({ clientIp: '10.0.0.3', route: 'x\n\u001b[2J`', suppressed: 1203, reason: 'proxy-not-configured' }),
      'a line of another program',
      line({}).slice(0, 130),
      `{"${'x'.repeat(MAX_LINE)}":1}`,
      `app | ${summary({ suppressed: { reject: { 'not-listed': 2 }, tag: {} }, rejected: { denied: 7 } })}`
    ].join('\n')
  })
  t.equal(stdout, readFileSync('test/fixtures/report.txt', 'utf8'))
  const timeless = summary({ suppressedOf: [{ clientIp: '198.51.100.7', reason: 'denied', count: 1 }] })
  const { stdout: text } = await run(['report'], { stdin: timeless.replace('"time"', '"when"') })
  t.match(text, /^ {2}198\.51\.100\.7 +1 +denied +- +-$/m)
  t.equal(
    (await run(['report'], { stdin: '' })).stdout,
    '0 lines, 0 of them about senders.\n\nThe counts may be too low:\n  - The log is empty.\n'
  )
})

t.test('a guard without a list answers everybody with 503, and no line counts that', async (t) => {
  const written: string[] = []
  const logger = pino({}, { write: (text: string) => written.push(text) })
  const load = () => Promise.reject(new Error('no such list'))
  const guard = guardFetch({ dataCenters: 'DC-01', source: { name: 'ours', load }, logger })
  const { response } = await guard.check(new Request('http://localhost/'), LISTED)
  t.equal(response?.status, 503)
  t.match(await response?.json(), { code: 'MOE_ERR_NOT_READY' })
  guard.close()
  const [failed] = written
  const said = /^One line says that requests cannot be judged, .* 503 \(MOE_ERR_NOT_READY\), and no line counts them\.$/
  const alone = await report([failed!])
  t.equal(alone.code, 1)
  t.match(alone.found.doubts, [said])
  t.equal(alone.found.doubts.length, 1)
  const total = summary({ verified: 5 })
  t.match((await report([failed!, failed!, line(), total])).found, {
    doubts: [/^2 lines say that requests cannot be judged, /],
    genuine: { answer: 'possible' }
  })
  const later = await report([failed!], ['--since', '2100-01-01'])
  t.strictSame(later.found.doubts, ['No line about senders is of the time and the routes that were asked for.'])
})

t.test('a sender that was forgotten is counted since it came again', async (t) => {
  const listedFor = [{ dataCenter: 'DC-03', channels: ['sms'] }]
  const lines = Array.from({ length: 60_000 }, (_, i) =>
    line({ clientIp: `10.0.${i >> 8}.${i & 255}`, listedFor }, { time: TIME + i * 10_000 })
  )
  const again = Array.from({ length: 6000 }, () => line({ clientIp: '10.0.35.40' }))
  const { stdout } = await run(['report', '--senders', '1'], { stdin: [...lines, ...again].join('\n') })
  // Its first line was forgotten: more than 10,000 senders came after it.
  t.match(stdout, /^ {2}10\.0\.35\.40 +6,000 /m)
  t.match(stdout, /^More senders than can be remembered, with 60,000 rejections\.$/m)
  t.match(stdout, /a bar for 6 hours \(UTC\)/)
  t.match(stdout, /^Rejected: 66,000$/m)
})

t.test('senders that are not listed are counted', async (t) => {
  const lines = Array.from({ length: 30 }, (_, i) => line({ clientIp: `45.33.32.${i}`, suppressed: i < 10 ? 1 : 5 }))
  const withheld = summary({ suppressed: { reject: { 'not-listed': 7 }, tag: {} } })
  const table: [argv: string[], senders: number, rejections: number][] = [
    [[], 10, 20],
    [['--senders', '30'], 0, 0],
    [['--senders', '29'], 1, 2],
    [['--senders', '0'], 30, 140]
  ]
  for (const [argv, senders, rejections] of table) {
    const { found } = await report([...lines, withheld], argv)
    t.strictSame(found.moreSenders, { senders, isLeast: false, rejections }, `${argv}`)
    const { stdout } = await run(['report', ...argv], { stdin: [...lines, withheld].join('\n') })
    const [, advice] = /^\d+ more senders? with \d+ rejections: (--senders \d+) lists them\.$/m.exec(stdout) ?? []
    t.equal(advice, senders === 0 ? undefined : '--senders 30', `${argv}`)
  }
})

t.test('whether "tag" can become "reject" is answered by evidence', async (t) => {
  const tag = (reason: string) => line({ mode: 'tag', reason })
  const verified = summary({ verified: 5 })
  const COVERS = /^The log covers/
  const table: [lines: string[], answer: string, evidence: RegExp[]][] = [
    [[], 'unclear', []],
    [['{"level":30,"msg":"incoming request"}'], 'unclear', []],
    [[verified], 'yes', [/^5 requests verified/, /^The log covers 0 minutes: did every channel call/]],
    [[verified, summary({}, { time: TIME + 72 * HOUR })], 'yes', [/^5/, /covers 3 days/]],
    [[summary({}, { time: undefined })], 'no', [/^0 requests verified/]],
    [
      [verified, tag('not-listed'), line({ mode: 'tag', clientIp: '18.1.2.3', removed: '2026-11-20', suppressed: 2 })],
      'no',
      [/^5/, /^3 requests from addresses that were removed/, /^1 request from addresses that are not/, COVERS]
    ],
    [[tag('not-listed')], 'unclear', [/no summary/, /^1 request from addresses that are not listed/, COVERS]],
    [[verified, tag('not-listed')], 'unclear', [/^5/, /do you know any of them/, COVERS]],
    [[verified, tag('denied')], 'yes', [/^5/, COVERS]],
    [[verified, tag('denied'), tag('denied').slice(0, 130)], 'unclear', [/^5/, COVERS]],
    ...(
      [
        ['other-data-center', /of other data centers/],
        ['other-channel', /of other channels/],
        ['permissive-trust', /could choose its address/],
        ['stale-list', /while the list was stale/]
      ] as const
    ).map(([reason, words]): [string[], string, RegExp[]] => [[verified, tag(reason)], 'no', [/^5/, words, COVERS]]),
    // What any stranger can cause.
    [[verified, tag('proxy-not-configured')], 'unclear', [/^5/, /a stranger's if not/, COVERS]],
    [[tag('proxy-not-configured'), summary({})], 'no', [/^0/, /from what seems to be your own proxy/, COVERS]],
    [[verified, tag('unresolved')], 'unclear', [/^5/, /your proxy is why, or what any stranger can send/, COVERS]],
    [[tag('unresolved'), summary({})], 'no', [/^0/, /without a client IP that can be relied on\.$/, COVERS]],
    [
      [verified, line({ mode: 'tag', reason: 'unresolved', clientIp: null, carriesSecret: true })],
      'no',
      [/^5/, /any stranger/, /^1 request with your secret and without a client IP/, COVERS]
    ]
  ]
  for (const [lines, answer, evidence] of table) {
    const { found } = await report(lines)
    t.match(found.canReject, { answer, evidence }, lines.join())
    t.equal(found.canReject.evidence.length, evidence.length)
    t.equal(found.genuine, null)
  }
})

t.test('for a log in mode "reject" the question is whether anything genuine was turned away', async (t) => {
  const verified = summary({ verified: 5 })
  const removed = line({ clientIp: '18.1.2.3', removed: '2026-11-20' })
  const table: [lines: string[], answer: string, evidence: RegExp[]][] = [
    [[verified, line({ reason: 'other-data-center' })], 'likely', [/^5/, /of other data centers/]],
    [[verified, removed], 'likely', [/^5/, /removed from MoEngage's page/]],
    [[verified, line({})], 'possible', [/^5/, /do you know any of them/]],
    [[line({})], 'possible', [/no summary/, /do you know/]],
    [[summary({}), line({ reason: 'unresolved', clientIp: null })], 'likely', [/^0/, /without a client IP/]],
    [[verified, line({ reason: 'unresolved', clientIp: null })], 'possible', [/^5/, /any stranger can send/]],
    [
      [verified, line({ reason: 'unresolved', clientIp: null, carriesSecret: true })],
      'yes',
      [/^5/, /any stranger can send/, /with your secret and without/]
    ],
    [[verified, line({ reason: 'denied' })], 'no', [/^5/]],
    [[verified, line({ reason: 'denied' }), line({}).slice(0, 130)], 'unclear', [/^5/]]
  ]
  for (const [lines, answer, evidence] of table) {
    const { found } = await report(lines)
    t.match(found.genuine, { answer, evidence }, lines.join())
    t.equal(found.genuine.evidence.length, evidence.length)
    t.equal(found.canReject, null)
    const { stdout } = await run(['report'], { stdin: lines.join('\n') })
    t.match(stdout, /^Was anything genuine turned away\? /m)
    t.notMatch(stdout, 'Can I switch')
  }
  const both = await report([verified, line({}), line({ mode: 'tag' })])
  t.match(
    both.found,
    { genuine: { answer: 'possible' }, canReject: { answer: 'unclear' } },
    'a log of both modes has both'
  )
})

t.test('rejections that only summaries count are counted, by their reason', async (t) => {
  const total = { 'other-data-center': 15, 'not-listed': 3 }
  const { found } = await report([
    line({ mode: 'tag', suppressed: 1 }),
    summary({ verified: 9, rejected: total, suppressed: { reject: {}, tag: { 'other-data-center': 5 } } }),
    line({}, { pid: 2 }),
    summary({ verified: 1, rejected: { 'not-listed': 1 } }, { pid: 2 })
  ])
  t.match(found, {
    unlogged: { total: 11, byReason: { 'other-data-center': 10, 'not-listed': 1 } },
    canReject: { answer: 'no', evidence: [/^10/, /^15 requests from MoEngage's addresses of other data centers/] }
  })
  const all = await report([
    line({}),
    summary({ rejected: { 'not-listed': 1 } }),
    line({}),
    summary({ rejected: { 'not-listed': 1 } })
  ])
  t.equal(all.found.unlogged.total, 0)
})

t.test('a log of summaries only has no sentence with holes', async (t) => {
  const counts = { 'other-data-center': 4, 'other-channel': 2, denied: 1, 'not-listed': 1 }
  const of = Object.entries(counts).map(([reason, count]) => ({ clientIp: '3.6.251.95', mode: 'tag', reason, count }))
  const { found } = await report([
    summary({
      suppressed: { reject: {}, tag: counts },
      suppressedOf: of,
      rejected: counts,
      top: [{ clientIp: '3.6.251.95', listedFor: [{ dataCenter: 'DC-03', channels: ['sms'] }] }]
    })
  ])
  t.match(found.senders, [{ clientIp: '3.6.251.95', listedFor: [{ dataCenter: 'DC-03' }] }], 'known from the summary')
  for (const sentence of found.diagnosis) t.notMatch(sentence, / ,|: :| {2}|accept :|is MoEngage ,/, sentence)
})

t.test('summaries that are missing are a doubt', async (t) => {
  const at = (hours: number, pid = 1) => ({ time: TIME + hours * HOUR, pid })
  const verified = summary({ verified: 5 }, at(0))
  const listening = (hours: number, pid: number, hostname = 'h') =>
    JSON.stringify({ level: 30, ...at(hours, pid), hostname, msg })
  const about = (since: number, hours: number) =>
    summary({ verified: 5, since: new Date(TIME + since * HOUR).toISOString() }, at(hours))
  const closing = (rejected: object, since: number, hours: number, process: object) =>
    summary({ rejected, since: new Date(TIME + since * HOUR).toISOString() }, { ...at(hours), ...process })
  const nobody = { pid: undefined, hostname: undefined }
  const msg = 'Server listening at http://127.0.0.1:3000'
  const request = '::ffff:127.0.0.1 - - [23/Nov/2026:21:00:00 +0000] "POST /hook HTTP/1.1" 200 2'
  const GAP = /^No summary of process 1 on h follows the rejections of 2026-11-23 13:00 UTC within an hour/
  const KILLED = /^The last summary of process 1 on h is missing, and a server started after it/
  const table: [name: string, lines: string[], doubts: RegExp[]][] = [
    ['a summary an hour later', [verified, line({}, at(1)), summary({}, at(2))], []],
    ['the end of the log', [verified, line({}, at(1)), line({}, at(1.5))], []],
    ['none while the log goes on', [verified, line({}, at(1)), line({}, at(4))], [GAP]],
    ['none, while another line goes on', [verified, line({}, at(1)), JSON.stringify(at(9))], [GAP]],
    ['none, while an access log goes on', [verified, line({}, at(1)), request], [GAP]],
    [
      'none, while that of a container goes on',
      [verified, line({}, at(1)), `2026-11-23T21:00:00Z stdout F ${request}`],
      [GAP]
    ],
    ['a late one', [verified, line({}, at(1)), summary({}, at(9))], [GAP]],
    ['a late one that is about them', [line({}, at(1)), about(0, 9), JSON.stringify(at(19))], []],
    ['one of a clock that was set back', [line({}, at(1)), about(9, 1), JSON.stringify(at(19))], []],
    ['several, in any order', [about(2, 8), line({}, at(1)), about(1, 2), line({}, at(7)), JSON.stringify(at(19))], []],
    ['two at a time', [line({}, at(1)), about(8, 9), about(0, 9), JSON.stringify(at(19))], []],
    ['one that is about later ones', [line({}, at(1)), about(1.5, 1.6), JSON.stringify(at(19))], [GAP]],
    ['that of another process', [verified, line({}, at(1)), summary({}, at(2, 2)), line({}, at(9, 2))], [GAP]],
    ['files in the wrong order', [summary({}, at(2)), line({}, at(9)), summary({}, at(9.5)), line({}, at(1))], []],
    ['a restart', [verified, line({}, at(1)), listening(1.1, 2), line({}, at(1.2, 2))], [KILLED]],
    [
      'a restart of a container that was killed, whose process has the same number',
      [listening(0.5, 1), line({}, at(1)), listening(1.1, 1), line({}, at(1.2)), summary({ verified: 1 }, at(1.3))],
      [KILLED]
    ],
    [
      'a restart that the envelope names otherwise',
      [line({}, at(1)), listening(1.1, 2), summary({}, at(1.2, 2))].map((log) =>
        JSON.stringify({ hostname: 'node-7', log })
      ),
      [KILLED]
    ],
    [
      'a restart without process and host',
      [
        line({}, { ...at(1), ...nobody }),
        JSON.stringify({ ...at(1.1), ...nobody, msg }),
        summary({}, { ...at(1.2), ...nobody })
      ],
      [/^The last summary of the server is missing/]
    ],
    [
      'a new server without process and host, before the old one sums up',
      [
        line({}, { ...at(1), ...nobody }),
        JSON.stringify({ ...at(1.1), ...nobody, msg }),
        closing({ 'not-listed': 1 }, 0.5, 1.2, nobody),
        closing({}, 1.1, 2, nobody)
      ],
      []
    ],
    [
      'the same, where the old one was killed',
      [
        line({}, { ...at(1), ...nobody }),
        JSON.stringify({ ...at(1.1), ...nobody, msg }),
        line({}, { ...at(1.2), ...nobody }),
        closing({ 'not-listed': 1 }, 1.05, 2, nobody)
      ],
      [/^The last summary of the server is missing/]
    ],
    [
      'the same, beside a third one without rejections',
      [
        line({}, { ...at(1), ...nobody }),
        JSON.stringify({ ...at(1.1), ...nobody, msg }),
        closing({}, 0.5, 1.2, nobody)
      ],
      [/^The last summary of the server is missing/]
    ],
    [
      'a start before, in the file behind',
      [line({}, at(1)), listening(0.5, 1), line({}, at(0.6)), summary({}, at(0.7))],
      []
    ],
    ['a worker that starts and one that goes on', [line({}, at(1)), listening(1.1, 2), summary({}, at(1.2))], []],
    [
      'a restart in a container',
      [verified, line({}, at(1)), listening(1.1, 1), summary({ verified: 1 }, at(1.2, 2))],
      [KILLED]
    ],
    ['a restart after the summary', [line({}, at(1)), summary({}, at(1.1)), listening(1.2, 2)], []],
    ['another worker', [listening(1, 1), line({}, at(1)), listening(1, 2), line({}, at(1.1))], []],
    ['another host', [line({}, at(1)), listening(1.1, 2, 'other')], []],
    [
      'no process and host',
      [line({}, { ...at(1), pid: undefined, hostname: undefined }), JSON.stringify(at(9))],
      [/^No summary of the server follows/]
    ],
    [
      'no host',
      [line({}, { ...at(1), hostname: undefined }), JSON.stringify(at(9))],
      [/^No summary of process 1 follows/]
    ],
    ['no times', [line({}, { time: undefined }), JSON.stringify(at(9))], []],
    ['a last line of a stranger', [line({}, at(1)), '10.0.0.1 "GET /?time=99999999999 HTTP/1.1" 404'], []],
    ['a last line that is cut off', [line({}, at(1)), '{"level":30,"time":17954352000'], []],
    ['a last line of another age', [line({}, at(1)), JSON.stringify({ time: '2539-01-01T00:00:00Z' })], []],
    [
      'many processes',
      [...Array.from({ length: 9 }, (_, i) => line({}, at(1, i))), JSON.stringify(at(9))],
      [/process 0/, /process 1/, /process 2/, /^The same holds for 6 other processes\.$/]
    ]
  ]
  for (const [name, lines, doubts] of table) {
    const { found, code } = await report(lines)
    t.match(found.doubts, doubts, name)
    t.equal(found.doubts.length, doubts.length, `${name}: ${found.doubts}`)
    t.equal(code, doubts.length > 0 ? 1 : 0, name)
  }
})

t.test('a part of a log counts what belongs to it, and says what may not', async (t) => {
  const at = (minutes: number) => ({ time: TIME + minutes * 60_000 })
  const time = (minutes: number) => new Date(TIME + minutes * 60_000).toISOString()
  const withheld = (counts: object) => ({ suppressed: { reject: counts, tag: {} } })
  const log = [
    JSON.stringify({ level: 30, ...at(0), pid: 1, hostname: 'h', msg: 'Server listening at http://127.0.0.1:3000' }),
    ...[5, 6, 7].map((minute) => line({}, at(minute))),
    line({ reason: 'denied', route: '/other' }, at(50)),
    summary({ rejected: { 'not-listed': 3, denied: 1 }, verified: 1 }, at(60)),
    line({ suppressed: 4 }, at(70)),
    summary({ rejected: { 'not-listed': 7 }, ...withheld({ 'not-listed': 2 }), verified: 1 }, at(120)),
    summary({ verified: 1 }, at(180))
  ]
  const BEYOND = (count: string) =>
    new RegExp(`^Lines and summaries that reach beyond the time .* count ${count} without a line`)
  const VERIFIED = /^Only summaries that reach beyond the time that was asked for count verified requests \(1\)/
  const ROUTES = (count: string) => new RegExp(`^The log counts ${count} without a route`)
  const table: [argv: string[], rejected: number, unlogged: number, doubts: RegExp[]][] = [
    [[], 11, 0, []],
    [['--since', time(30)], 8, 0, [BEYOND('6 rejections')]],
    [['--since', time(65)], 7, 0, [BEYOND('6 rejections')]],
    [['--since', time(90)], 2, 0, [BEYOND('2 rejections')]],
    [['--since', time(130)], 0, 0, [VERIFIED]],
    [['--until', time(5)], 0, 0, [/^No line about senders/, BEYOND('2 rejections'), VERIFIED]],
    [['--until', time(30)], 3, 0, [BEYOND('6 rejections'), VERIFIED]],
    [['--until', time(90)], 9, 0, [BEYOND('2 rejections')]],
    [['--until', time(120)], 9, 0, [BEYOND('2 rejections')]],
    [['--since', time(60), '--until', time(121)], 7, 0, [BEYOND('6 rejections')]],
    [['--route', '/hooks'], 4, 0, [ROUTES('6 more rejections')]],
    [['--route', '/other'], 1, 0, [ROUTES('6 more rejections')]],
    [['--route', '/other', '--until', time(65)], 1, 0, [ROUTES('2 more rejections')]],
    [['--route', '/other', '--until', time(60)], 1, 0, [ROUTES('2 more rejections')]]
  ]
  for (const [argv, rejected, unlogged, doubts] of table) {
    const { found, code } = await report(log, argv)
    t.strictSame([found.rejected.total, found.unlogged.total], [rejected, unlogged], `${argv}`)
    t.match(found.doubts, doubts, `${argv}`)
    t.equal(found.doubts.length, doubts.length, `${argv}: ${found.doubts}`)
    t.equal(code, doubts.length === 0 ? 0 : 1, `${argv}`)
  }
  const old = { pid: 7, time: TIME - 9 * HOUR }
  t.strictSame((await report([line({}, old), ...log], ['--since', time(65)])).found.doubts.length, 1, 'of another time')
  const lost = [...log.slice(0, 1), ...log.slice(2)]
  t.match((await report(lost)).found, { unlogged: { total: 1 }, doubts: [] }, 'a line that is missing is counted')
  t.match((await report(lost, ['--until', time(61)])).found, {
    unlogged: { total: 1 },
    doubts: [BEYOND('7 rejections')]
  })
  t.match((await report(lost, ['--since', time(65)])).found, {
    unlogged: { total: 1 },
    doubts: [BEYOND('7 rejections')]
  })
  t.match((await report(lost, ['--route', '/other'])).found.doubts, [ROUTES('7 more rejections')])
})

t.test('a summary counts since the time that it names, whatever else the log has', async (t) => {
  const time = (minutes: number) => new Date(TIME + minutes * 60_000).toISOString()
  const of = (verified: number, minutes: number, since: unknown, process: object = {}) =>
    summary({ verified, since }, { time: TIME + minutes * 60_000, ...process })
  const BEYOND = [/^Only summaries that reach beyond the time that was asked for count verified requests/]
  const table: [what: string, log: string[], argv: string[], doubts: RegExp[]][] = [
    ['the guard was made behind the start', [of(5, 10, time(0))], ['--since', time(0)], []],
    ['all of the time before the log', [of(5, 10, time(0))], ['--since', '2020-01-01'], []],
    ['the guard was made before the start', [of(5, 10, time(0))], ['--since', time(1)], BEYOND],
    ['an earlier version, which may count since any time', [of(5, 10, undefined)], ['--since', '2020-01-01'], BEYOND],
    ['a time that is none', [of(5, 10, 'x')], ['--since', '2020-01-01'], BEYOND],
    ['a summary before it was lost', [of(5, 10, time(0)), of(0, 70, time(10))], ['--since', time(0)], []],
    ['the one before is another guard\u2019s', [of(0, 9, time(0)), of(5, 10, time(0))], ['--since', time(5)], BEYOND],
    ['it was made behind the end', [of(5, 10, time(5))], ['--until', time(5)], [/^No line about senders/]],
    ['the clock was set back', [of(5, 10, time(60))], ['--since', time(0), '--until', time(30)], []]
  ]
  const start = JSON.stringify({ level: 30, time: TIME, pid: 1, hostname: 'h', msg: 'Server listening at http://a' })
  const withheld = summary(
    { since: time(0), suppressed: { reject: { 'not-listed': 2 }, tag: {} }, rejected: { 'not-listed': 2 } },
    { time: TIME + 10 * 60_000 }
  )
  const WITHHELD = [/^Lines and summaries that reach beyond .* count 2 rejections without a line/]
  table.push(
    ['a rejection may have waited since before it', [withheld], ['--since', time(0)], WITHHELD],
    ['an hour is long enough', [withheld], ['--since', time(-60)], []],
    ['no rejection is older than the start', [start, withheld], ['--since', time(0)], []],
    ['it counts what was before the end', [withheld], ['--until', time(-5)], [/^No line about senders/, ...WITHHELD]]
  )
  for (const [what, log, argv, doubts] of table) {
    const { found, code } = await report(log, argv)
    t.match(found.doubts, doubts, what)
    t.equal(found.doubts.length, doubts.length, `${what}: ${found.doubts}`)
    t.equal(code, doubts.length === 0 ? 0 : 1, what)
  }
})

t.test('a line counts back to the summary before it, where summaries are far apart', async (t) => {
  const at = (hours: number) => ({ time: TIME + hours * HOUR })
  const time = (hours: number) => new Date(TIME + hours * HOUR).toISOString()
  const late = line({ suppressed: 3 }, at(6))
  const sum = (since: number | undefined, hours: number) =>
    summary({ verified: 1, since: since === undefined ? undefined : time(since) }, at(hours))
  const start = JSON.stringify({ level: 30, ...at(0), pid: 1, hostname: 'h', msg: 'Server listening at http://x' })
  const BEYOND = [/^Lines and summaries that reach beyond the time .* count 3 rejections without a line/]
  const table: [what: string, log: string[], argv: string[], doubts: RegExp[]][] = [
    ['an hour after the one before', [late, sum(5, 6.1)], ['--since', time(4.9)], []],
    ['the same, and all of the hour is asked for', [late, sum(5, 6.1)], ['--since', time(5)], []],
    ['the same, of which a part may be earlier', [late, sum(5, 6.1)], ['--since', time(5.5)], BEYOND],
    ['six hours after it', [late, sum(0, 6.1)], ['--since', time(0.5)], BEYOND],
    ['six hours after it, and a day is asked for', [late, sum(0, 6.1)], ['--since', time(-2)], []],
    ['six hours after it, and the time before is asked for', [late, sum(0, 6.1)], ['--until', time(2)], BEYOND],
    ['no summary follows', [sum(0, 1), late], ['--since', time(0.5)], BEYOND],
    ['no summary follows, soon after the one before', [sum(0, 5), late], ['--since', time(0)], []],
    [
      'one follows that does not say since when it counts',
      [sum(0, 5), late, sum(undefined, 7)],
      ['--since', time(0)],
      []
    ],
    ['the server started before', [start, late], ['--since', time(-2)], []],
    ['nothing is known of the time before', [late], ['--since', time(-99)], BEYOND],
    ['two lines in ten minutes', [late, late, sum(5, 6.1)], ['--until', time(5.5)], [/count 6 rejections/]]
  ]
  for (const [what, log, argv, doubts] of table) {
    const { found } = await report(log, argv)
    const about = found.doubts.filter((doubt: string) => doubt.startsWith('Lines and summaries'))
    t.match(about, doubts, what)
    t.equal(about.length, doubts.length, `${what}: ${found.doubts}`)
  }
  const withheld = summary({ suppressed: { reject: { 'not-listed': 3 }, tag: {} }, since: time(0.5) }, at(1.5))
  for (const [since, doubts] of [
    [-0.2, 0],
    [0.2, 1]
  ] as const) {
    const { found } = await report([start, sum(0, 0.5), withheld], ['--since', time(since)])
    const about = found.doubts.filter((doubt: string) => doubt.startsWith('Lines and summaries'))
    t.equal(about.length, doubts, `nothing waited since before the server started: ${since}`)
  }
  const many = Array.from({ length: 10_001 }, (_, i) => [
    line({ suppressed: 1 }, at(i / 6)),
    summary({ since: time(i / 6) }, at(i / 6))
  ])
  const { found } = await report(many.flat(), ['--since', time(0)])
  t.match(found.doubts, [/^Lines and summaries .* count [67] rejections/], 'of a log of months')
})

t.test('the counts of another time are a doubt, and a summary of it is no log without one', async (t) => {
  const at = (minutes: number) => ({ time: TIME + minutes * 60_000 })
  const time = (minutes: number) => new Date(TIME + minutes * 60_000).toISOString()
  const log = [
    JSON.stringify({ level: 30, ...at(0), pid: 1, hostname: 'h', msg: 'Server listening at http://x' }),
    line({ reason: 'denied', mode: 'tag' }, at(59.5)),
    summary({ verified: 900, rejected: { denied: 1 } }, at(60)),
    summary({}, at(120))
  ]
  for (const lines of [log, log.toReversed()]) {
    t.match((await report(lines, ['--since', time(59), '--until', time(61)])).found, {
      canReject: { answer: 'unclear' },
      doubts: [
        /^Only summaries that reach beyond .* verified requests \(900\): whether any of them belongs to it is unknown\.$/
      ]
    })
    t.match((await report(lines, ['--since', time(0), '--until', time(61)])).found, {
      canReject: { answer: 'yes' },
      doubts: []
    })
  }
  const { found } = await report(log, ['--until', time(59.9)])
  t.match(found.canReject.evidence, [/^No summary is of the time that was asked for, so the number of verified/])
})

t.test('a process that was killed is noticed in any order of its files', async (t) => {
  const at = (minutes: number) => ({ time: TIME + minutes * 60_000 })
  const start = (minutes: number) =>
    JSON.stringify({ level: 30, ...at(minutes), pid: 1, hostname: 'h', msg: 'Server listening at http://x' })
  const denied = (minutes: number) => line({ reason: 'denied', mode: 'tag' }, at(minutes))
  const older = [start(0), denied(1), denied(2)]
  const newer = [
    start(5),
    denied(6),
    summary({ verified: 10, rejected: { denied: 1 } }, at(20)),
    denied(21),
    denied(22)
  ]
  for (const lines of [
    [...older, ...newer],
    [...newer, ...older]
  ]) {
    t.match((await report(lines)).found, {
      doubts: [/^The last summary of process 1 on h is missing, and a server started after it/],
      canReject: { answer: 'unclear' }
    })
  }
})

t.test('a process that was killed is noticed in the time that was asked for, not in the time behind it', async (t) => {
  const at = (minutes: number, pid: number) => ({ time: TIME + minutes * 60_000, pid })
  const time = (minutes: number) => new Date(TIME + minutes * 60_000).toISOString()
  const start = (minutes: number, pid: number, hostname = 'h') =>
    JSON.stringify({ level: 30, ...at(minutes, pid), hostname, msg: 'Server listening at http://x' })
  const denied = (minutes: number, pid = 1) => line({ reason: 'denied', mode: 'tag' }, at(minutes, pid))
  const total = (minutes: number, since: number, counts: object, pid: number) =>
    summary({ verified: 5, rejected: counts, since: time(since) }, at(minutes, pid))
  const KILLED = [/^The last summary of process 1 on h is missing, and a server started after it/]
  const GAP = [/^No summary of process 1 on h follows the rejections of 2026-11-23 12:10 UTC within an hour/]
  const next = [start(50, 2), total(110, 50, {}, 2), total(170, 110, {}, 2)]
  const same = [start(50, 1), total(110, 50, {}, 1), total(170, 110, {}, 1)]
  const other = [total(60, 41, {}, 2), total(120, 60, {}, 2)]
  const table: [what: string, log: string[], argv: string[], doubts: RegExp[]][] = [
    ['killed behind its start', [denied(10), ...next], ['--since', time(40)], KILLED],
    ['several rejections before it', [denied(5), denied(10), denied(7), ...next], ['--since', time(40)], KILLED],
    ['hours after its last rejection', [denied(-300), ...next], ['--since', time(40)], KILLED],
    ['killed behind its end', [denied(10), ...next], ['--since', time(9), '--until', time(45)], KILLED],
    ['killed before it', [denied(10), ...next], ['--since', time(55)], []],
    ['killed before it, and another start in it', [denied(10), ...next, start(60, 3)], ['--since', time(55)], []],
    ['a container, killed in it', [denied(10), ...same], ['--since', time(40)], KILLED],
    ['a container, killed before it', [denied(10), ...same], ['--since', time(55)], []],
    ['it had summed up', [denied(10), total(30, 0, { denied: 1 }, 1), ...next], ['--since', time(40)], []],
    ['it sums up later', [denied(10), start(50, 2), total(60, 0, { denied: 1 }, 1)], ['--since', time(40)], []],
    ['another host', [denied(10), start(50, 2, 'other'), ...other], ['--since', time(75)], []],
    ['killed and not started again', [denied(10), ...other], ['--since', time(40)], GAP],
    ['the same, with a start before', [start(5, 1), denied(10), ...other], ['--since', time(40)], GAP],
    ['the same, with an older rejection beside it', [denied(12), denied(11), ...other], ['--since', time(71.5)], GAP],
    ['killed more than an hour before it', [denied(10), ...other], ['--since', time(71)], []],
    ['it rejects behind its end', [denied(200), ...other], ['--until', time(190)], []]
  ]
  for (const [what, log, argv, doubts] of table) {
    for (const lines of [log, log.toReversed()]) {
      const about = (await report(lines, argv)).found.doubts.filter((doubt: string) => /summary of/i.test(doubt))
      t.match(about, doubts, what)
      t.equal(about.length, doubts.length, `${what}: ${about}`)
    }
  }
})

t.test('lines that no summary counts prove that one is missing', async (t) => {
  const at = (minutes: number) => ({ time: TIME + minutes * 60_000 })
  const denied = (minutes: number, suppressed = 0, clientIp: string | null = '198.51.100.7') =>
    line({ reason: 'denied', mode: 'tag', suppressed, clientIp }, at(minutes))
  const total = (minutes: number, rejected: object | undefined, withheld = 0, mode = 'tag') =>
    summary(
      {
        verified: 10,
        rejected,
        suppressed: { reject: {}, tag: {}, [mode]: { denied: withheld } },
        suppressedOf: [{ clientIp: '198.51.100.7', mode, reason: 'denied', count: withheld, withSecret: false }]
      },
      at(minutes)
    )
  const LOST = /^The lines of process 1 on h count more rejections than its summaries, so one of these is missing/
  const table: [what: string, lines: string[], doubts: RegExp[]][] = [
    ['killed', [denied(1), total(65, {}), total(125, {})], [LOST]],
    ['counted', [denied(1), total(65, { denied: 1 }), total(125, {})], []],
    ['counted in part', [denied(1), denied(2), total(65, { denied: 1 }), total(125, {})], [LOST]],
    ['a rejection that the next summary may count', [denied(1), total(65, { denied: 1 }), denied(66)], []],
    [
      'a rejection that the next summary does not count',
      [denied(1), total(2, { denied: 1 }), denied(3), total(4, {})],
      [LOST]
    ],
    ['killed, and started again at once', [denied(1), denied(2), total(3, { denied: 1 })], [LOST]],
    ['killed, with rejections without a line', [denied(1), denied(2), total(3, { denied: 2 }, 1)], [LOST]],
    ['rejections without a line, counted by the summary', [denied(1), total(3, { denied: 2 }, 1)], []],
    ['rejections of before the log, without a line', [denied(1), total(3, { denied: 1 }, 5, 'reject')], []],
    ['rejections of before the log, in the first line', [denied(1, 5), total(3, { denied: 1 })], []],
    [
      'rejections of the log, in a later line',
      [denied(1), total(2, { denied: 1 }), denied(3, 5), total(4, { denied: 1 })],
      [LOST]
    ],
    ['an unknown sender', [denied(1, 0, null), denied(2, 5, null), total(3, { denied: 2 })], []],
    ['a rejection at the time of the last summary', [total(3, {}), denied(3)], []],
    [
      'without times',
      [denied(1), denied(2), total(3, { denied: 1 })].map((text) => text.replace('"time"', '"when"')),
      []
    ],
    ['summaries of an earlier version', [denied(1), total(65, undefined), total(125, undefined)], []]
  ]
  for (const [what, lines, doubts] of table) {
    const { found } = await report(lines)
    t.match(found.doubts, doubts, what)
    t.equal(found.doubts.length, doubts.length, `${what}: ${found.doubts}`)
  }
  const older = [line({ suppressed: 5, reason: 'denied', mode: 'tag' }, at(1)), total(2, { denied: 1 })]
  const newer = [denied(3), total(4, { denied: 1 })]
  t.match((await report([...newer, ...older])).found.doubts, [], 'rejections of before the log, in the file behind')
  const isLost = async (since: number, ...lines: string[]) => {
    const { found } = await report(lines, ['--since', new Date(TIME + since * 60_000).toISOString()])
    return found.doubts.some((doubt: string) => LOST.test(doubt))
  }
  const killed = [denied(1), denied(2), total(3, { denied: 1 })]
  t.ok(await isLost(0, ...killed), 'of the time that was asked for')
  t.notOk(await isLost(200, ...killed, denied(201), total(202, { denied: 1 })), 'killed before that time')
  t.ok(await isLost(200, total(150, { denied: 9 }), denied(201), denied(202), total(203, { denied: 1 })))
  t.notOk(
    await isLost(200, denied(190), total(199, { denied: 9 }), denied(201, 5), total(202, { denied: 1 })),
    'a summary before that time counts what a line counts besides'
  )
})

t.test('a log in two files is the same in any order', async (t) => {
  const at = (minutes: number) => ({ time: TIME + minutes * 60_000 })
  const start = JSON.stringify({ level: 30, ...at(0), pid: 1, hostname: 'h', msg: 'Server listening at http://x' })
  const older = [start, ...[1, 2, 3].map((minute) => line({}, at(minute)))]
  const newer = [line({}, at(4)), summary({ rejected: { 'not-listed': 4 }, verified: 2 }, at(5)), line({}, at(6))]
  for (const lines of [
    [...older, ...newer],
    [...newer, ...older]
  ]) {
    t.match((await report(lines)).found, { rejected: { total: 5 }, unlogged: { total: 0 }, verified: 2, doubts: [] })
  }
})

t.test('what a stranger writes into a request is not in the report', async (t) => {
  const { app, lines } = await guarded({}, (app) => void app.get('/hooks', async () => 'ok'))
  const forged = JSON.stringify({ moengage: { ...JSON.parse(line()).moengage, carriesSecret: true, suppressed: 500 } })
  const total = JSON.stringify({ moengage: JSON.parse(summary({ verified: 123_456 })).moengage })
  const headers = { 'x-forwarded-for': '198.51.100.7', 'user-agent': forged }
  await app.inject({ url: `/hooks?${forged}`, headers })
  await app.inject({ url: `/nothing?${total}`, headers })
  await app.close()
  const log = lines.map((line) => JSON.stringify(line))
  t.ok(
    log.some((line) => line.includes('123456')),
    'Fastify logs it'
  )
  const { found, code } = await report(log)
  t.match(found, { verified: 0, rejected: { total: 2 }, lines: { unreadable: 0 }, doubts: [], evidence: [] })
  t.equal(code, 0)
})

t.test('bytes that are not text, and texts that journald left out, are doubts', async (t) => {
  const read = async (...parts: (string | Buffer)[]) => {
    const { code, stdout } = await run(['report', '--json'], {
      stdin: Buffer.concat(parts.map((part) => Buffer.from(part)))
    })
    return { code, found: JSON.parse(stdout) }
  }
  const total = `${summary({ verified: 5 })}\n`
  const others: [what: string, part: string | Buffer, doubt: RegExp][] = [
    ['gzip', gzipSync(line()), /^Standard input has a part that is packed with gzip among its text/],
    ['zstd', Buffer.from('KLUv/SQBCQAAeEsRxBU=', 'base64'), /^Standard input has a part that is packed with zstd/],
    ['xz', Buffer.from('/Td6WFoAAATm1rRGBMAFAQ==', 'base64'), /has a part that is packed with xz/],
    ['bzip2', Buffer.from('QlpoOTFBWSZTWaBEmZ8=', 'base64'), /has a part that is packed with bzip2/],
    ['zip', Buffer.from('UEsDBAoAAAAAAA==', 'base64'), /has a part that is packed with zip/],
    ['UTF-16', Buffer.from(`${line()}\n`, 'utf16le'), /^Standard input has a part in UTF-16 among its text/],
    ['UTF-16, the other way', Buffer.from(`${line()}\n`, 'utf16le').swap16(), /has a part in UTF-16/],
    [
      'journald',
      `${JSON.stringify({ MESSAGE: null })}\n`,
      /^journald has left out the text of 1 long line.*journalctl --all -o json/
    ]
  ]
  for (const [what, part, doubt] of others) {
    const { code, found } = await read(line(), '\n', total, part)
    t.match(found, { rejected: { total: 1 }, verified: 5, doubts: [doubt], genuine: { answer: 'possible' } }, what)
    t.equal(code, 1, what)
  }
  const word = JSON.stringify({ level: 30, req: { url: '/?BZh91AY&SY' } })
  t.strictSame((await read(line(), '\n', total, word)).found.doubts, [], 'a client may write what bzip2 begins with')
  const { found } = await read(Buffer.alloc(1_500_000), line(), '\n', total)
  t.match(
    found,
    { lines: { read: 2 }, rejected: { total: 1 }, doubts: [] },
    'zeros that copytruncate leaves are skipped'
  )
})

t.test('a report of a log is the same whether lines without a mark are skipped or read', async () => {
  const time = fc.integer({ min: TIME, max: TIME + HOUR }).map((time) => new Date(time).toISOString())
  const own = fc.oneof(
    fc.constantFrom('198.51.100.7', '203.0.113.9').map((clientIp) => line({ clientIp })),
    fc.constant(summary({ verified: 3 })),
    fc.constant(line().slice(0, 60))
  )
  const wrapped = fc.constantFrom<(text: string) => string>(
    (text) => text,
    (text) => JSON.stringify({ log: `${text}\n`, stream: 'stdout' }),
    (text) => JSON.stringify({ MESSAGE: [...Buffer.from(text)] }),
    (text) => `2026-11-23T12:00:00Z stdout F ${text}`,
    (text) => `"${text.replaceAll('"', '""')}"`
  )
  const foreign = fc.oneof(
    time.map((time) => JSON.stringify({ level: 30, time, msg: 'request completed' })),
    fc.constantFrom('', '   ', '{"level":30,"hostname":"h","msg":"Server listening at http://0.0.0.0:80"}', 'moengage'),
    fc.string({ maxLength: 30 })
  )
  const lines = fc.array(
    fc.oneof(
      fc.tuple(own, wrapped).map(([text, wrap]) => wrap(text)),
      foreign
    ),
    { maxLength: 15 }
  )
  const reportOn = async (bytes: Buffer, marks: typeof MARKS) => {
    const builder = new ReportBuilder()
    builder.file('a log')
    await readLines(Readable.from([bytes]), builder, marks)
    const { lines, ...rest } = builder.report(10)
    return { rest, read: lines.read, own: lines.own, unreadable: lines.unreadable, skipped: lines.skipped }
  }
  let skippedInAll = 0
  await fc.assert(
    fc.asyncProperty(lines, async (lines) => {
      const bytes = Buffer.from(lines.map((text) => text.replaceAll('\n', ' ')).join('\n'))
      const { skipped, ...quick } = await reportOn(bytes, MARKS)
      const { skipped: none, ...thorough } = await reportOn(bytes, [{ text: '', part: '' }])
      skippedInAll += skipped
      if (none !== 0 || JSON.stringify(quick) !== JSON.stringify(thorough))
        throw new Error(JSON.stringify([quick, thorough]))
    }),
    runs(300)
  )
  if (skippedInAll === 0) throw new Error('no line was skipped')
})

t.test('a denied sender with the secret is evidence, whatever denies it', async (t) => {
  const { found } = await report([
    line({ reason: 'denied', carriesSecret: true, clientIp: '8.8.8.8' }),
    summary({ verified: 1, rejected: { denied: 1 } })
  ])
  t.match(found.evidence, [
    { kind: 'denied', sentence: /^8\.8\.8\.8 .*is in your deny list or denied by an override: remove it there\.$/ }
  ])
})

t.test('what a logger put in place of addresses makes no sender of several', async (t) => {
  const withSecret = { carriesSecret: true, suppressed: 2 }
  const rows: [what: string, clientIp: unknown, byName: boolean][] = [
    ['removed', undefined, false],
    ['replaced', '[Redacted]', false],
    ['masked', '8.8.8.x', false],
    ['truncated by redactAddress', '8.8.8.0/24', true],
    ['hashed by redactAddress', 'hmac:0123456789abcdef', true]
  ]
  for (const [what, clientIp, isNamed] of rows) {
    const { found } = await report([
      line({ ...withSecret, clientIp }),
      line({ ...withSecret, clientIp, reason: 'other-data-center' }),
      line({ clientIp: isNamed ? '10.0.0.0/24' : clientIp, isOwn: true }),
      summary({
        suppressed: { reject: { denied: 1 }, tag: {} },
        suppressedOf: [{ clientIp, reason: 'denied', count: 1 }],
        top: [{ clientIp, listedFor: [] }],
        verified: 1
      })
    ])
    t.match(found.rejected.total, 8, what)
    t.equal(found.withoutSender, isNamed ? 0 : 8, what)
    t.strictSame(
      found.evidence.map(({ kind }: { kind: string }) => kind),
      isNamed ? ['list-aged', 'other-data-center'] : [],
      what
    )
    const unnamed =
      '6 requests with your secret from a sender that no line names: status().evidence of the server does.'
    t.equal(found.genuine.evidence.includes(unnamed), !isNamed, what)
    t.notMatch(found.genuine.evidence.join(), /without a client IP/, what)
  }
  const { found } = await report([
    line({ carriesSecret: true, clientIp: null, reason: 'permissive-trust' }),
    line({ carriesSecret: true, clientIp: null, reason: 'unresolved' }),
    line({ clientIp: '[Redacted]', isOwn: true }),
    summary({ verified: 0 })
  ])
  t.match(found.evidence, [{ kind: 'unresolved', count: 2 }])
  t.match(found.diagnosis.at(-1), /and 1 rejection came from addresses of your own network/)
})

t.test('whether requests that an allow list of one’s own verified are MoEngage’s is not known', async (t) => {
  const tagged = line({ mode: 'tag', reason: 'denied' })
  const rows: [summaries: string[], answer: string, evidence: string, text: RegExp][] = [
    [
      [summary({ verified: 1200, verifiedByAllow: 1200 })],
      'unclear',
      '1,200 requests verified, by your own "allow" and none by MoEngage\'s list: whether MoEngage sent them is not known.',
      /^Verified: 1,200, 1,200 of them by your own "allow"$/m
    ],
    [
      [summary({ verified: 5, verifiedByAllow: 2 }), summary({ verified: 5, verifiedByAllow: 5 })],
      'yes',
      '10 requests verified, 7 of them by your own "allow" and not by MoEngage\'s list.',
      /^Verified: 10, 7 of them by your own "allow"$/m
    ],
    [[summary({ verified: 0, verifiedByAllow: 0 })], 'no', '0 requests verified.', /^Verified: 0$/m],
    [[summary({ verified: 5, verifiedByAllow: 0 })], 'yes', '5 requests verified.', /^Verified: 5$/m],
    [[summary({ verified: 5 })], 'yes', '5 requests verified.', /^Verified: 5$/m]
  ]
  for (const [summaries, answer, sentence, text] of rows) {
    const stdin = [tagged, ...summaries].join('\n')
    const { canReject, verifiedByAllow } = JSON.parse((await run(['report', '-', '--json'], { stdin })).stdout)
    t.match(canReject, { answer, evidence: [sentence] })
    t.equal(verifiedByAllow === null, !stdin.includes('verifiedByAllow'), 'an older version does not count them')
    t.match((await run(['report'], { stdin })).stdout, text)
  }
})

t.test('verified requests without the secret are as many as their lines or the summaries count', async (t) => {
  const without = (own: object, rest: object = {}) =>
    line({ event: 'moengage.without-secret', reason: undefined, mode: undefined, clientIp: '9.9.9.9', ...own }, rest)
  const total = (count: number, rest: object = {}) => summary({ verified: count, verifiedWithoutSecret: count }, rest)
  const [first, second] = [{ pid: 1 }, { pid: 2 }]
  const later = { time: TIME + HOUR }
  const rows: [what: string, lines: string[], argv: string[], count: number, sentence: RegExp][] = [
    [
      'a line for the first of them',
      [without({}), total(100)],
      [],
      100,
      /^100 verified requests came without your secret, some of them on \/hooks, from 9\.9\.9\.9 \(1 request\): /
    ],
    [
      'lines for all of them',
      [without({ suppressed: 4 }), total(5)],
      [],
      5,
      /^Verified requests on \/hooks came .*from/
    ],
    ['lines after the last summary', [without({}), total(1), without({ suppressed: 3 })], [], 5, /^Verified requests/],
    [
      'one process that was killed, and another one',
      [without({ suppressed: 8 }, first), without({}, second), total(2, second)],
      [],
      11,
      /^11 verified requests/
    ],
    ['no line', [total(1)], [], 1, /^1 verified request came without your secret: another/],
    ['an address that the logger replaced', [without({ clientIp: '[Redacted]' })], [], 1, /^1 verified request came/],
    ['one that it removed', [without({ clientIp: undefined, suppressed: 1 })], [], 2, /^2 verified requests came/],
    [
      'a part of the time',
      [without({}), total(100), without({}, later), total(7, later)],
      ['--since', '2026-11-23T12:30Z'],
      7,
      /^7 verified requests/
    ],
    [
      'a sender of one’s own',
      [without({ dataCenter: null, suppressed: 2 }), total(100)],
      [],
      3,
      /^Requests on \/hooks that your own allow accepts came without your secret, from 9\.9\.9\.9 \(3 requests\): let /
    ],
    [
      'a route',
      [without({}), without({ route: '/a' }), total(100)],
      ['--route', '/a'],
      1,
      /^Verified requests on \/a came/
    ]
  ]
  for (const [what, lines, argv, count, sentence] of rows) {
    const { found } = await report(lines, argv)
    t.match(found.evidence, [{ kind: 'without-secret', count, sentence }], what)
    t.equal(found.evidence.length, 1, what)
  }
  const many = Array.from({ length: 10_002 }, (_, pid) => without({ clientIp: undefined }, { pid }))
  const { found } = await report([...many, total(1, { pid: 10_000 }), total(4, { pid: 10_001 }), total(2, first)])
  t.match(found.evidence, [{ count: 10_000 - 1 + 2 + 5 }])
})

t.test('what carried the secret is known as far as the lines say it', async (t) => {
  const UNLISTED = '8.8.8.8'
  const report = async (...lines: string[]) =>
    JSON.parse((await run(['report', '-', '--json'], { stdin: lines.join('\n') })).stdout)
  const secret = (own: object) => line({ carriesSecret: true, clientIp: UNLISTED, revision: 'r1', ...own })
  const without = (own: object) =>
    line({ event: 'moengage.without-secret', reason: undefined, mode: undefined, clientIp: '9.9.9.9', ...own })
  const total = summary({ verified: 5 })

  t.match(await report(secret({ suppressed: 4 }), secret({ clientIp: null, reason: 'unresolved' }), total), {
    genuine: { answer: 'yes', evidence: { 2: '5 requests with your secret from addresses that are not listed.' } },
    evidence: [
      {
        kind: 'list-aged',
        count: 5,
        addresses: [UNLISTED],
        paste: "allow: ['8.8.8.8']",
        ticket:
          /your page \(revision r1\) does not list\. Our workspace is in DC-01\.\n\n- 8\.8\.8\.8: 5 requests, from 2026-11-23 12:00 UTC/
      },
      { kind: 'unresolved', count: 1 }
    ],
    senders: [{ withSecret: { 'not-listed': 5 } }]
  })
  t.match(await report(secret({ isOwn: true }), total), {
    genuine: {
      answer: 'likely',
      evidence: {
        1: '1 request with your secret from your own network or a provider in front of it, or from what may be a proxy.',
        length: 2
      }
    },
    evidence: [{ kind: 'proxy', paste: null }]
  })
  t.match(
    await report(secret({ isOwn: true }), line({ isOwn: true, clientIp: UNLISTED, carriesSecret: false }), total),
    {
      genuine: {
        evidence: {
          1: '1 request with your secret from your own network or a provider in front of it, or from what may be a proxy.',
          2: '1 request from addresses that are not listed, none of them with your secret: do you know any of them?'
        }
      }
    }
  )
  const listed = {
    reason: 'denied',
    clientIp: '44.205.83.206',
    listedFor: [{ dataCenter: 'DC-01', channels: ['sms'] }]
  }
  t.match(await report(secret(listed), total), {
    genuine: { answer: 'yes', evidence: { 1: '1 request with your secret from addresses that are denied.', length: 2 } }
  })
  t.match(await report(line(listed), total), {
    genuine: { answer: 'likely', evidence: { 1: "1 request from addresses on MoEngage's page that are denied." } }
  })
  t.match(await report(secret({ ...listed, mode: 'tag' }), total), { canReject: { answer: 'no' } })
  const gone = { removed: '2026-11-20', clientIp: '7.7.7.7' }
  t.match(await report(secret(gone), line({ clientIp: '6.6.6.6' }), total), {
    genuine: {
      answer: 'yes',
      evidence: {
        1: '1 request with your secret from addresses that are not listed.',
        2: '1 request from addresses that are not listed: do you know any of them?'
      }
    }
  })
  const own = await report(line({ isOwn: true, clientIp: '10.9.9.9' }), summary({ verified: 0 }))
  t.match(own.diagnosis, [
    /^No request was ever verified by MoEngage's list, and 1 rejection came from addresses of your own network/
  ])
  t.equal(own.diagnosis.length, 1)
  t.match(await report(secret({ clientIp: '8.8.8.0/24' }), total), {
    evidence: [{ kind: 'list-aged', paste: null, ticket: null }]
  })
  const elsewhere = { reason: 'other-data-center', clientIp: '3.6.251.95' }
  const listedFor = [{ dataCenter: 'DC-03', channels: ['connector'] }]
  t.match(await report(secret({ ...elsewhere, listedFor }), total), {
    evidence: [{ kind: 'other-data-center', paste: "dataCenters: ['DC-01', 'DC-03']" }]
  })
  t.match(await report(secret(elsewhere), total), {
    evidence: [{ kind: 'other-data-center', sentence: /Add it to dataCenters\.$/, paste: null }]
  })
  const untimed = line({ carriesSecret: true, clientIp: UNLISTED, route: null }, { time: undefined })
  t.match(await report(untimed, total), { evidence: [{ ticket: /\n\n- 8\.8\.8\.8: 1 request\n/ }] })
  t.match(await report(line({ carriesSecret: false }), total), {
    genuine: {
      answer: 'possible',
      evidence: {
        1: '1 request from addresses that are not listed, none of them with your secret: do you know any of them?'
      }
    },
    evidence: []
  })
  t.match(await report(line({ carriesSecret: 'maybe' }), total), {
    genuine: { evidence: { 1: '1 request from addresses that are not listed: do you know any of them?' } }
  })

  // A route whose lines are off: the summary counts them.
  const withheld = { suppressed: { reject: {}, tag: { 'not-listed': 3 } }, verified: 1 }
  t.match(await report(summary({ ...withheld, suppressedWithSecret: { reject: {}, tag: { 'not-listed': 3 } } })), {
    canReject: {
      answer: 'no',
      evidence: {
        1: '3 requests with your secret from a sender that no line names: status().evidence of the server does.'
      }
    }
  })
  const suppressedOf = [{ clientIp: UNLISTED, mode: 'tag', reason: 'not-listed', count: 3, withSecret: true }]
  t.match(
    await report(
      summary({ ...withheld, suppressedOf, suppressedWithSecret: { reject: {}, tag: { 'not-listed': 3 } } })
    ),
    { canReject: { answer: 'no' }, evidence: [{ kind: 'list-aged', count: 3, addresses: [UNLISTED] }] }
  )

  const routes = Array.from({ length: 10 }, (_, i) => without({ route: `/${i}` }))
  t.match(await report(without({ route: null, suppressed: 2 }), without({ clientIp: '9.9.9.8' }), ...routes, total), {
    evidence: [{ kind: 'without-secret', count: 14, addresses: ['9.9.9.9', '9.9.9.8'] }],
    rejected: { total: 0 }
  })
  t.match(await report(without({ clientIp: 5 }), total), { lines: { unreadable: 1 } })
  const many = Array.from({ length: 10_010 }, (_, i) => without({ clientIp: `10.0.${i >> 8}.${i & 255}` }))
  t.match(await report(...many), { evidence: [{ count: 10_010 }] })
})

t.test('the text names the addresses, what to paste and the ticket', async (t) => {
  const of = async (...addresses: string[]) => {
    const lines = addresses.map((clientIp) => line({ carriesSecret: true, clientIp, mode: 'tag' }))
    return (await run(['report', '-'], { stdin: [...lines, summary({ verified: 1 })].join('\n') })).stdout
  }
  t.match(await of('8.8.8.8'), /Can I switch to "reject"\? No, this address is MoEngage's: 8\.8\.8\.8\.\n/)
  const three = await of('8.8.8.1', '8.8.8.2', '8.8.8.3')
  t.match(three, /No, these three addresses are MoEngage's: 8\.8\.8\.\d, /)
  t.match(three, /\n\nPaste into the options of the guard:\n {2}allow: \['8/)
  t.match(three, /\n\nSend to MoEngage's support:\n {2}Subject: .*\n\n {2}Our server received/)
  t.match(await of(...Array.from({ length: 12 }, (_, i) => `8.8.8.${i}`)), /No, these 12 addresses are MoEngage's: /)
})
