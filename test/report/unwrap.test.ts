import type { IncomingMessage, ServerResponse } from 'node:http'
import fc from 'fast-check'
import { type LoggerOptions, type Logger as PinoLogger, pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import t from 'tap'
import guardHttp from '../../src/http.js'
import { NOT_JUDGED } from '../../src/log/lines.js'
import { LINE_LEVELS, type Logger } from '../../src/log/logger.js'
import { readTime, timeOfLine } from '../../src/report/log-time.js'
import { readEvent } from '../../src/report/read-event.js'
import { findRecords, type LineContent } from '../../src/report/unwrap.js'
import { LISTED } from '../support/addresses.js'
import { listenTo, send } from '../support/http.js'
import { runs } from '../support/properties.js'
import { line, rejection, summary, TIME } from './lines.js'

const plain = line()
const record = rejection()
/** The hint of a sender of another data center quotes an option. */
const quoting = line({ hint: 'add it to "dataCenters"' })
/** A line as the guard writes it. */
const whole = line({ hint: 'The address is of nobody.' }, { msg: '198.51.100.7 rejected: not-listed' })
/** A line of pino with a nested key. */
const nestedKey = (moengage: object, msg = '198.51.100.7 rejected: not-listed, and carries your secret') =>
  JSON.stringify({ level: 40, time: TIME, pid: 1, hostname: 'h', payload: { moengage }, msg })
/** Paths in front of a line, which may be those of a request. */
const BEHIND_PATHS = [
  '/var/log/syslog:',
  '/var/log/syslog: ',
  '/var/log/messages-20261120:12:',
  '/srv/webhooks/current:',
  '/var/log/my app/app.log:',
  '/data/app=prod/x.json:',
  '/srv/m\u00e4rz/app.log:',
  'C:/logs/web:',
  'C:\\logs\\web.log:',
  '/var/log/syslog:Nov 20 00:00:01 vm node[2]: ',
  '/var/log/syslog:Nov 20 00:00:01 vm /usr/bin/node[2]: ',
  'Nov 20 00:00:01 vm /usr/bin/node[2]: ',
  'Nov 20 00:00:01 vm /usr/bin/node: ',
  '/ecs/webhooks ecs/app/0123abc ',
  '/ecs/webhooks ecs/app/0123abc 2026-11-20T00:00:01Z ',
  '/aws/lambda/hooks 2026/11/27/[$LATEST]abc ',
  'source=/var/log/web ',
  'source=/var/log/web sourcetype=json ',
  'data:    /srv/webhooks/server.js:8522 - '
]
const ISO = '2026-11-23T12:00:00.123456789Z'
const CLF = '23/Nov/2026:12:00:00 +0000'
/** A row of CSV with a line in it. */
const csv = (line: string) => `${ISO},"${line.replaceAll('"', '""')}"`

/** What is found in a line, in short. */
const found = (text: string) =>
  findRecords(text)?.records.map(({ record, time, wrapping }) => ({ clientIp: record.clientIp, time, wrapping }))

t.test('a record is found in whatever stands around it', async (t) => {
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`
  const table: [what: string, line: string, wrapping: string][] = [
    ['pino', plain, ''],
    ["Docker's json-file", JSON.stringify({ log: `${plain}\n`, stream: 'stdout', time: ISO }), 'field "log"'],
    ['CRI', `${ISO} stdout F ${plain}`, 'text around the JSON'],
    ['kubectl logs --timestamps', `${ISO} ${plain}`, 'text around the JSON'],
    ['kubectl logs --prefix', `[pod/web-7d/app] ${plain}`, 'text around the JSON'],
    ['docker compose logs, in colours', `\u001b[36mweb-1  | \u001b[0m${plain}\u001b[0m`, 'text around the JSON'],
    ['syslog', `<14>Nov 23 12:00:00 host webhooks[7]: ${plain}`, 'text around the JSON'],
    ...[
      '-',
      '[timeQuality tzKnown="1" isSynced="0"]',
      `[a@1 b="x \\" \\] {"][origin x-info="https://a.example/"]`
    ].flatMap((data): [what: string, line: string, wrapping: string][] =>
      ['', '\ufeff'].flatMap((mark): [what: string, line: string, wrapping: string][] => [
        [
          `syslog with ${data}`,
          `<13>1 ${ISO} host web 7 ID - ${mark}${plain}`.replace(' - ', ` ${data} `),
          'text around the JSON'
        ],
        [
          `syslog with ${data}, in an envelope`,
          JSON.stringify({ message: `297 <134>1 ${ISO} host web - - ${data} ${mark}${plain}` }),
          'field "message", text around the JSON'
        ]
      ])
    ),
    ['a prefix with braces', `{web} {1} ${plain}`, 'text around the JSON'],
    ['journald', JSON.stringify({ MESSAGE: plain, __REALTIME_TIMESTAMP: '1' }), 'field "MESSAGE"'],
    ['journald with bytes', JSON.stringify({ MESSAGE: [...Buffer.from(plain)] }), 'field "MESSAGE"'],
    ['a nested key', nestedKey(record), 'field "payload"'],
    [
      'a nested key, of a tagged request',
      nestedKey(record, 'Unknown client would be rejected: unresolved'),
      'field "payload"'
    ],
    [
      'a nested key, of a summary',
      nestedKey(record, '1,000 rejections, 1 request verified, 0 lines left out: x'),
      'field "payload"'
    ],
    ['Elastic', JSON.stringify({ _source: { '@timestamp': ISO, moengage: record } }), 'field "_source"'],
    ['Elastic with a message', JSON.stringify({ _source: { message: plain } }), 'field "_source.message"'],
    [
      'CloudWatch',
      JSON.stringify({ logEvents: [{ id: '1', timestamp: 1, message: plain }] }),
      'field "logEvents.message"'
    ],
    ['Loki', JSON.stringify({ result: [{ values: [[`${TIME}000000`, plain]] }] }), 'field "result.values"'],
    ['a list', JSON.stringify([1, JSON.parse(plain)]), ''],
    ['colours of jq', plain.replaceAll(/"[\w.-]+"/g, '\u001b[34;1m$&\u001b[0m'), ''],
    ['colours of grep', plain.replace('rejected', '\u001b[01;31m\u001b[K$&\u001b[m\u001b[K'), ''],
    ['CSV', `${ISO},${cell(plain)},stdout`, 'text around the JSON, doubled quotes'],
    ['logfmt', `level=warn line="${plain.replaceAll('"', '\\"')}"`, 'text around the JSON, escaped quotes'],
    [
      'logfmt, with quotes in a hint',
      `level=warn line=${JSON.stringify(quoting)}`,
      'text around the JSON, escaped quotes'
    ],
    ['quotes as numbers', JSON.stringify({ log: plain }).replaceAll('\\"', '\\u0022'), 'field "log"'],
    ['XML', `<log>${plain.replaceAll('"', '&quot;')}</log>`, 'text around the JSON, escapes of XML'],
    ['HTML with numbers', plain.replaceAll('"', '&#34;'), 'text around the JSON, escapes of XML'],
    ['HTML in HTML', plain.replaceAll('"', '&amp;quot;'), 'text around the JSON, escapes of XML'],
    [
      'CSV in an envelope',
      JSON.stringify({ message: cell(plain) }),
      'field "message", text around the JSON, doubled quotes'
    ],
    [
      'envelopes in envelopes',
      JSON.stringify({ log: JSON.stringify({ fields: { line: plain } }) }),
      'field "log.fields.line"'
    ],
    ['the fields alone', JSON.stringify(record), ''],
    ['a line of JSON over several lines', `  "message": ${JSON.stringify(quoting)},`, 'field "message"'],
    [
      'Docker in CloudWatch, over several lines',
      `  "message": ${JSON.stringify(JSON.stringify({ log: quoting }))}`,
      'field "message.log"'
    ],
    ['an object before it and behind it', `{} ${plain} {"a":"}"} }`, 'text around the JSON'],
    ['labels before it', `{app="web", pod="x{1}"} ${plain}`, 'text around the JSON'],
    [
      'labels with names that applications use as well',
      `${ISO} {path="app.log", service_url="web"} ${plain}`,
      'text around the JSON'
    ],
    ...[
      'time=1 level=warn pid=7 ',
      'env=prod: webhooks: ',
      'webhooks | ',
      'docker.x-webhooks: ',
      'kube.x-1: ',
      'error: ',
      '[request_id=1] ',
      'requestId=1 '
    ].map((before): [what: string, line: string, wrapping: string] => [
      before,
      `${before}${plain}`,
      'text around the JSON'
    ]),
    ['movements of a terminal', `\u001b[1G\u001b[0J${plain}`, '']
  ]
  for (const [what, text, wrapping] of table) {
    const [first, ...others] = found(text)!
    t.match(first, { clientIp: '198.51.100.7', wrapping }, what)
    t.equal(first!.wrapping, wrapping, what)
    t.strictSame(others, [], what)
    t.equal(findRecords(text)!.unreadable, 0, what)
  }
})

t.test('every line that a guard writes is found, whatever logger writes it', async (t) => {
  /** A logger that writes a line from the guard's fields and message. */
  const made = (write: (fields: object, message: string, level: string) => string) => (lines: string[]) =>
    Object.fromEntries(
      LINE_LEVELS.map((level) => [level, (fields: object, text: string) => void lines.push(write(fields, text, level))])
    ) as unknown as Logger
  const byPino = (options: LoggerOptions) => (lines: string[]) =>
    pino(options, { write: (line) => void lines.push(line) }) as unknown as Logger
  const pretty = (own: object) => (lines: string[]) =>
    byPino({})({ push: (line: string) => lines.push(prettyFactory({ singleLine: true, ...own })(line)) } as never)
  const json = (line: object) => JSON.stringify(line)
  const loggers: [what: string, logger: (lines: string[]) => Logger][] = [
    ['pino', byPino({})],
    ['pino with a nested key', byPino({ nestedKey: 'payload' })],
    ['pino with another key for messages', byPino({ messageKey: 'text' })],
    ['pino with a prefix of messages', byPino({ msgPrefix: '[guard of webhooks] ' })],
    ['pino with names of levels', byPino({ formatters: { level: (level) => ({ level }) }, base: null })],
    ['a child of pino', (lines) => (byPino({})(lines) as unknown as PinoLogger).child({ path: '/x' }) as never],
    ['pino-pretty', pretty({ colorize: false })],
    ['pino-pretty in colours', pretty({ colorize: true })],
    ['bunyan', made((fields, msg) => json({ name: 'web', hostname: 'h', pid: 1, level: 40, ...fields, msg, v: 0 }))],
    ['winston', made((fields, message, level) => json({ ...fields, level, message, timestamp: ISO }))],
    ['winston as text', made((fields, message, level) => `${level}: ${message} ${json(fields)}`)],
    ['winston as text, with a time', made((fields, text, level) => `${ISO} ${level}: ${text} ${json(fields)}`)],
    ['a logger that leaves the message out', made((fields, _, level) => json({ level, ...fields }))],
    ["Google's", made((fields, message) => json({ jsonPayload: { message, ...fields }, timestamp: ISO }))],
    ["Datadog's", made((fields, message) => json({ message, attributes: fields, service: 'web' }))],
    ["Elastic's", made((fields, message) => json({ '@timestamp': ISO, 'log.level': 'warn', message, ...fields }))]
  ]
  for (const [what, logger] of loggers) {
    const lines: string[] = []
    const carriesSecret = ({ headers }: Pick<IncomingMessage, 'headers'>) => headers['x-secret'] === 'yes'
    const clientIp = { trustedProxies: ['loopback'] }
    const secret = { carriesSecret, expectSecret: true }
    const guard = guardHttp({ dataCenters: 'DC-01', mode: 'tag', logger: logger(lines), clientIp, ...secret })
    const origin = await listenTo(
      t,
      guard.listener((_: IncomingMessage, response: ServerResponse) => response.end())
    )
    for (const forwarded of ['198.51.100.7', 'unknown', LISTED]) {
      await send(origin, { headers: { 'x-forwarded-for': forwarded } })
    }
    await send(origin, { headers: { 'x-forwarded-for': '185.199.108.153', 'x-secret': 'yes' } })
    guard.close()
    const contents = lines.map(findRecords)
    const events = contents.flatMap((content) => (content?.records ?? []).map(({ record }) => record.event))
    t.strictSame(
      events.sort(),
      ['moengage.rejected', 'moengage.rejected', 'moengage.rejected', 'moengage.summary', 'moengage.without-secret'],
      what
    )
    t.ok(
      contents.every((content) => (content?.unreadable ?? 0) === 0),
      what
    )
  }
})

t.test('what a client chose is no record of ours, and no damaged one', async (t) => {
  const own = { level: 30, time: TIME, pid: 1, hostname: 'h' }
  const rows = (forged: string, escaped = forged.replaceAll('"', '\\"')): [what: string, line: string][] => [
    ['a URL', JSON.stringify({ ...own, req: { method: 'POST', url: `/hook?${forged}` }, msg: 'incoming request' })],
    ['an absolute URL', JSON.stringify({ ...own, target: `http://a.example/?${forged}` })],
    ['the message of a 404', JSON.stringify({ ...own, msg: `Route POST:/nothing?${forged} not found` })],
    ['a header', JSON.stringify({ ...own, req: { headers: { 'user-agent': forged } } })],
    ['a header in fields of ECS', JSON.stringify({ '@timestamp': ISO, user_agent: { original: forged } })],
    ['an error', JSON.stringify({ ...own, err: { message: forged } })],
    ['a body', JSON.stringify({ ...own, body: JSON.parse(forged) })],
    ['a query', JSON.stringify({ ...own, query: JSON.parse(forged) })],
    ['rows of a database', JSON.stringify({ ...own, rows: [[forged]], columns: ['text'], msg: 'found' })],
    ['a line in an envelope', JSON.stringify({ log: JSON.stringify({ ...own, req: { url: `/?${forged}` } }) })],
    ['an access log', `10.0.0.1 - - [23/Nov/2026:12:00:00 +0000] "GET /?${escaped} HTTP/1.1" 404 1 "-" "curl"`],
    ['its user agent', `10.0.0.1 - - [23/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 404 1 "-" "${escaped}"`],
    ['its user agent, unescaped', `10.0.0.1 "GET / HTTP/2.0" 404 "bot ${forged}"`],
    ['a line of a development server', `GET /hook?${forged} 404 1.2 ms`],
    ['a path without its method', `not found: /hook/${forged}`],
    ['a path as a field', `status=404 path=/hook?a=${forged}`],
    ['a quoted path', `{ method: 'GET', url: '/hook?${forged}' }`],
    ['a URL in text', `fetched (https://a.example/?${forged})`],
    [
      'the message of a 404, of a method that is rare',
      JSON.stringify({ ...own, msg: `Route PROPFIND:/${forged} not found` })
    ],
    ['a message', JSON.stringify({ ...own, msg: forged })],
    ['a message beside a facility', JSON.stringify({ ...own, facility: 'hooks', msg: forged })],
    ['a message under another key', JSON.stringify({ ...own, message: `Route PROPFIND:/${forged} not found` })],
    ['an absolute URL of any scheme', JSON.stringify({ ...own, msg: `Route GET:foo://a/${forged} not found` })],
    [
      'an event in an absolute URL',
      JSON.stringify({ ...own, msg: 'Route GET:x://a/event=moengage.rejected not found' })
    ],
    ['an absolute URL in text', `GET HTTP://a/${forged} 404 1.2 ms - 10`],
    ['a path in text', `404 on /a:${forged}`],
    ['a path in quotes', `not found: "/a:${forged}"`],
    ['a path with odd white space', `GET /\u00a0${forged} 404`],
    ['a body in text', `received body: ${forged}`],
    ['an error that quotes', `Unexpected token 'x', "${forged}" is not valid JSON`],
    ['a user name in an access log', `10.0.0.1 - ${forged} [23/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 404 1`],
    ['captured headers', `Nov 23 12:00:00 lb haproxy[1]: 10.0.0.1:5 fe be/s 200 {${forged}} "GET / HTTP/1.1"`],
    ['a user agent behind a quote', `level=info ua="x line=\\"${escaped}\\""`],
    ['a user agent as logfmt', `level=info method=GET ua="${escaped}"`],
    ['a row of an access log', `${ISO},GET,/hook,"${forged.replaceAll('"', '""')}"`],
    ['an element of a page', `<path>${forged.replaceAll('"', '&quot;')}</path>`],
    ['a path of a page', `<td>GET /${forged.replaceAll('"', '&quot;')}</td>`],
    ['structured data', `<13>1 ${ISO} host web 7 - [req@1 message="${escaped.replaceAll(']', '\\]')}"] received`],
    ['a path behind structured data', `<13>1 ${ISO} host web 7 - [a b="c"] GET /${forged} 404`],
    [
      'a user agent of an access log that is a notice of the guard',
      `10.0.0.1 - ${NOT_JUDGED} [${CLF}] "GET / HTTP/1.1" 401 1`
    ],
    ['the same, of a method that nobody knows', `10.0.0.1 - ${NOT_JUDGED} [${CLF}] "FETCH-ALL / HTTP/1.1" 405 1`],
    ['a user agent in a cell of CSV', csv(JSON.stringify({ ...own, req: { headers: { 'user-agent': forged } } }))],
    [
      'a user agent that names an event, in a cell of CSV',
      csv(JSON.stringify({ ...own, req: { headers: { 'user-agent': `event ${record.event}` } } }))
    ],
    [
      'the same, in logfmt',
      `time=${ISO} log=${JSON.stringify(JSON.stringify({ ...own, req: { headers: { 'user-agent': forged } } }))}`
    ],
    ['a body behind structured data', `<13>1 ${ISO} host web 7 - [a b="c"] received body: ${forged}`],
    ['a message of logfmt with a path', `level=info msg="GET /${escaped}"`],
    ['a path before a line', `GET /hook?${forged} 404 ${plain}`],
    ['an event of Lambda', JSON.stringify({ level: 'INFO', timestamp: ISO, event: { original: '', body: forged } })],
    ['a body of Lambda', JSON.stringify({ level: 'INFO', message: { body: forged, headers: {} } })],
    ['a body as JSON, in an object with headers', JSON.stringify({ level: 'info', headers: {}, body: forged })],
    ['a nested key with another message', nestedKey(JSON.parse(forged).moengage, 'received')],
    ...[
      'http_user_agent',
      'http_referer',
      'x_forwarded_for',
      'request_User-Agent',
      'args',
      'request_body',
      'host',
      'ua'
    ].map((name): [string, string] => [name, JSON.stringify({ time: ISO, status: 404, [name]: forged })]),
    ...['body', 'payload', 'data', 'rawBody', 'content', 'json', 'attributes', 'fields', 'line'].flatMap(
      (name): [string, string][] => [
        [
          `${name} of an application`,
          JSON.stringify({ level: 'info', message: 'POST', timestamp: ISO, [name]: forged })
        ],
        [`${name} as an object`, JSON.stringify({ level: 'info', message: 'POST', [name]: JSON.parse(forged) })],
        [`${name} beside fields of pino`, JSON.stringify({ ...own, [name]: JSON.parse(forged) })]
      ]
    ),
    ['a body that a collector has flattened', JSON.stringify({ time: ISO, 'body.moengage.event': record.event })],
    ['the same, with another sign', JSON.stringify({ time: ISO, request_body_moengage_event: record.event })],
    ['the same, beside a message', JSON.stringify({ ...own, msg: 'POST', 'json.moengage.event': record.event })],
    [
      'a body in a list of fields',
      JSON.stringify({ attributes: ['http.target', 'body', 'query'].map((key) => ({ key, value: forged })) })
    ],
    [
      'a nested key beside a user agent that is as a message of ours',
      JSON.stringify({ ...own, ua: 'a rejected: b', content: JSON.parse(forged), msg: 'received' })
    ],
    [
      'a message of an application that is much like ours',
      JSON.stringify({ ...own, msg: 'order 7 rejected: denied', route: '/moengage', content: record.event })
    ],
    [
      'a user agent that is as a message of ours',
      JSON.stringify({ ...own, ua: '192.0.2.1 rejected: denied', agent: '192.0.2.1 rejected: denied', msg: 'moengage' })
    ],
    ['a field for what MoEngage sent', JSON.stringify({ ...own, moengage_text: forged, msg: 'received' })],
    ['an event in a URL', `GET /?event=moengage.rejected HTTP/1.1`],
    ['an event in a field', JSON.stringify({ ...own, req: { url: '/?event=moengage.summary' } })]
  ]
  const inUrl = whole.replaceAll(' ', '\\u0020')
  const counts = '1 rejection, 2 requests verified, 0 lines left out'
  const table: [what: string, line: string][] = [
    ...rows(JSON.stringify({ moengage: record })),
    ...rows(whole),
    ['a URL alone', `/hook:${inUrl}`],
    ['a URL and a status', `/hook:${inUrl} 404 1.2 ms`],
    ['a URL in JSON that is not escaped', `{"url":"/hook?${inUrl}"}`],
    ['a URL that names a log', `/hook.log:${inUrl}`],
    ['a URL that names a log, behind a level', `WARN /hook.json:${inUrl}`],
    ['a URL that names a log, and a status', `/hook.log:${whole} 404 - 1 ms`],
    ['a URL that names a log in a message', JSON.stringify({ level: 'info', message: `/hook.log:${whole}` })],
    ['a URL that looks like the tag of syslog', `${ISO} INFO /moengage/x[7]: ${whole}`],
    ['the same behind an address', `${ISO} 192.0.2.1 /moengage/x[7]: ${whole}`],
    ['a body behind a level and a path', `INFO /hook:${whole}`],
    ['a body behind a path that names a log', `/hook.json: ${whole}`],
    ['a body behind a path that names a log and a line of it', `/hook.json:7: ${whole}`],
    ['a user agent behind a URL', `/hook a/b/c ${whole} 404`],
    ['the same behind a time', `[${CLF}] /x curl1 ${whole}`],
    ['the same behind an address', `192.0.2.1 - /x curl1 ${whole}`],
    ['a body in the message of a logger', JSON.stringify({ level: 'info', message: `/hook:${whole}` })],
    ['a user agent in it', JSON.stringify({ level: 'info', message: `/hook a/b/c ${whole}` })],
    ['a file of a request', `level=info file=/up/x ${whole}`],
    ['the source of a request', `level=info source=/up/x ${whole}`],
    ...['user', 'remote', 'type', 'id', 'topic'].flatMap((name): [what: string, line: string][] => [
      [`a payload beside ${name}`, JSON.stringify({ time: ISO, [name]: 'x', payload: JSON.parse(whole) })],
      [`data beside ${name}`, JSON.stringify({ time: ISO, [name]: 'x', data: whole })]
    ]),
    ...['/hook ', '/hook: ', '/hook - ', '/hook 200 ', '/hook application/json ', '/hook received '].flatMap(
      (before): [what: string, line: string][] => [
        [`a body behind ${before}`, `${before}${whole}`],
        [`a body behind a time and ${before}`, `${ISO} INFO ${before}${whole}`]
      ]
    ),
    ['a path that was decoded', `not found: /a ${whole}`],
    ['a body behind a route', `level=info route=/hook ${whole}`],
    ['a body behind a path', `path=/hook ${whole}`],
    ['a body beside a status', JSON.stringify({ time: ISO, status: 404, body: whole })],
    ['a body beside a method', JSON.stringify({ time: ISO, method: 'POST', body: JSON.parse(whole) })],
    ['a payload beside a URL', JSON.stringify({ time: ISO, url: '/hook', payload: whole })],
    ['a URL in data', JSON.stringify({ time: ISO, data: { id: 7, text: `GET /${whole}` } })],
    ['a URL in a payload', JSON.stringify({ time: ISO, payload: `GET /${whole}` })],
    ['a payload beside a level', JSON.stringify({ time: ISO, level: 'info', payload: whole })],
    ['an event of HTTP', JSON.stringify({ time: ISO, event: { headers: { 'x-a': whole }, body: whole } })],
    ['counts in a URL', `GET /${counts}: ${whole}`],
    ['counts in the message of a 404', JSON.stringify({ ...own, msg: `Route GET:/${counts}: ${whole} not found` })]
  ]
  for (const [what, text] of table) {
    // Collectors write a prefix in front of a line as a logger writes it.
    const prefixes = text.startsWith('{"')
      ? ['', `${ISO} stdout F `, 'Nov 23 12:00:00 vm node[7]: ', 'web-1  | ']
      : ['']
    for (const prefix of prefixes) {
      const { records = [], unreadable = 0 } = findRecords(`${prefix}${text}`) ?? {}
      t.strictSame([records.length, unreadable], [0, 0], `${prefix}${what}`)
    }
  }
  const genuine: [what: string, line: string][] = [
    ['a file and its line', `/var/log/webhooks.log:${whole}`],
    ['a file, the number of a line and its line', `/var/log/webhooks.log.1:12:${whole}`],
    ['a file and a line of Docker', `/var/lib/docker/a-json.log:${JSON.stringify({ log: `${whole}\n`, time: ISO })}`],
    ['a file and a line of CRI', `/var/log/pods/a/0.log:${ISO} stdout F ${whole}`],
    [
      'a file and a line of text',
      `/srv/web.out:${ISO} warn: 198.51.100.7 rejected: not-listed {"moengage":${JSON.stringify(record)}}`
    ],
    [
      'a file and a line in colours',
      `/var/log/web.log:\u001b[32mINFO\u001b[39m: \u001b[36m198.51.100.7 rejected: not-listed\u001b[39m \u001b[35m${whole}\u001b[39m`
    ],
    ['a file and a list of lines', `/srv/export.json:[${JSON.stringify({ level: 30, msg: 'x' })},${whole}]`],
    ['the body of an envelope with a level', JSON.stringify({ level: 'info', body: plain })],
    ['an address and a time of an access log', `10.0.0.1 - - [23/Nov/2026:12:00:00 +0000] ${plain}`],
    ['JSON of rsyslog', JSON.stringify({ msg: ` ${plain}`, rawmsg: `<13>a node[7]: ${plain}`, syslogtag: 'node[7]:' })],
    ['JSON of syslog', JSON.stringify({ host: 'h', facility: 'user', severity: 'info', msg: plain })],
    ['GELF', JSON.stringify({ version: '1.1', host: 'h', level: 6, short_message: plain })],
    ['Loki with labels', JSON.stringify({ labels: { app: 'web' }, line: plain, timestamp: ISO })],
    ["Loki's API", JSON.stringify({ status: 'success', data: { result: [{ values: [[`${TIME}000000`, plain]] }] } })],
    ['Splunk', JSON.stringify({ preview: false, result: { _raw: plain } })],
    ["Splunk's collector", JSON.stringify({ time: 1, sourcetype: 'json', event: plain })],
    ["Datadog's API", JSON.stringify({ service: 'web', message: 'x', attributes: JSON.parse(plain) })],
    ['CloudWatch Insights', JSON.stringify({ results: [[{ field: '@message', value: plain }]] })],
    ['Log Analytics', JSON.stringify({ tables: [{ columns: [{ name: 'Log' }], rows: [[ISO, plain]] }] })],
    ['Lambda', JSON.stringify({ timestamp: ISO, level: 'WARN', requestId: 'x', message: JSON.parse(plain) })],
    ["ECS' original", JSON.stringify({ message: 'x', event: { original: plain } })],
    ['a stream of CloudWatch', `${ISO} web/app/2026/11/23/[$LATEST]abc ${plain}`],
    ['an element of a cut list', `[${plain},{"le`],
    ['the body of an envelope', JSON.stringify({ severityText: 'WARN', body: { stringValue: plain } })]
  ]
  for (const [what, text] of genuine) t.match(findRecords(text), { records: [{ record }], unreadable: 0 }, what)
  const numbersOf = ({ records = [], unreadable = 0 }: Partial<LineContent> = {}) => [records.length, unreadable]
  for (const line of [whole, summary(), plain]) {
    for (let cut = 1; cut < line.length; cut++) {
      const text = line.slice(0, cut)
      t.strictSame(numbersOf(findRecords(`/var/log/webhooks.log:${text}`)), numbersOf(findRecords(text)), text)
    }
  }
})

t.test('a record in a place that nobody knows is not counted, and is a doubt', async (t) => {
  const table: [what: string, line: string][] = [
    ['text in a field', JSON.stringify({ time: ISO, row: plain })],
    ['an object in a field', JSON.stringify({ time: ISO, unknown: JSON.parse(plain) })],
    ['a message of logfmt', `time="${ISO}" level=info msg="${plain.replaceAll('"', '\\"')}"`],
    ['behind values in brackets', `[request ua="x"] ${plain}`],
    ['text in quotes', `web "${plain.replaceAll('"', '\\"')}"`],
    ['a row with a URL behind it', `${ISO},"${plain.replaceAll('"', '""')}",https://a.example/`],
    ['behind signs', `** ${plain}`],
    ['behind a long text', `${'x'.repeat(1001)} ${plain}`],
    ...BEHIND_PATHS.map((before): [what: string, line: string] => [before, `${before}${whole}`]),
    ['behind the path of another file, in an envelope', `/var/log/web:${JSON.stringify({ time: ISO, data: whole })}`],
    ['behind a log file, cut off', `/var/log/web.log:${plain.slice(0, 130)}`],
    ['behind a log file, with text behind it', `/var/log/web.log:${whole} web`],
    [
      'of Fluent Bit, behind a log file',
      `/var/log/web.log:[0] web: [[1.5, {}], ${JSON.stringify({ unknown: whole })}]`
    ],
    ['text behind a message of the guard', 'warn: 198.51.100.7 rejected: not-listed moengage=[object Object]'],
    ...['event', 'data', 'payload', 'body'].flatMap((name): [what: string, line: string][] => [
      [`text in ${name}`, JSON.stringify({ time: ISO, host: 'vm', [name]: `web-1 ${whole}` })],
      [`a line in ${name}`, JSON.stringify({ time: ISO, [name]: { line: JSON.parse(whole), tag: 'x' } })],
      [`a list in ${name}`, JSON.stringify({ specversion: '1.0', id: 'a', type: 'log', [name]: [JSON.parse(whole)] })]
    ]),
    ...[
      'blocked user-agent: curl ',
      'blocked user-agent=curl ',
      'received body: hello ',
      'request_body=hi ',
      'Referer: x ',
      'invalid payload: [',
      'headers: x-a=b ',
      'X-Forwarded-For: x ',
      'X_Forwarded_For: x ',
      'user_agent=curl ',
      'http_user_agent=curl ',
      'User agent: curl ',
      'requestBody=',
      'rawBody: hi ',
      'requestHeaders: ',
      'queryString: a ',
      'query string: a ',
      'invalid cookies: a ',
      'Host: a ',
      'Origin: a ',
      'data: ',
      'event: ',
      'input=hi ',
      'form: a ',
      'remoteUser=x ',
      'username=Hello ',
      'username: Hello ',
      'comment=',
      'nombre=a ',
      't\u0435\u043b\u043e: a ',
      'body -> ',
      'body - a ',
      '[body] ',
      '(query) a ',
      'user agent is curl '
    ].flatMap((before): [what: string, line: string][] => [
      [`text of a client: ${before}`, `${ISO} WARN ${before}${plain}`],
      [
        `text of a client in a message: ${before}`,
        JSON.stringify({ level: 'warn', message: `${before}${plain}`, timestamp: ISO })
      ]
    ]),
    ['a quoted text behind a name', `user:\t"${plain.replaceAll('"', '""')}"`],
    ['behind a log file and a blank', `/var/log/web.log: ${whole}`],
    ['behind a log file, a number and a blank', `/var/log/web.log.1:12: ${whole}`],
    ...[
      '3.6.251.95 would be rejected: other-data-center',
      '1 rejection, 2 requests verified, 0 lines left out'
    ].flatMap((message): [what: string, line: string][] => [
      ['a message without its record', `[12:00:00.000] WARN (21750): ${message}`],
      ['the same in colours', `[12:00:00.000] \u001b[33mWARN\u001b[39m (1): \u001b[36m${message}\u001b[39m`],
      ['the same in JSON', JSON.stringify({ level: 40, time: TIME, msg: message })],
      ['the same in JSON, behind a prefix', JSON.stringify({ level: 40, time: TIME, msg: `[guard] ${message}` })],
      ['the same of Nest', `[Nest] 8522  - 11/27/2026, 7:15:54 AM    WARN [Hooks] ${message}`]
    ]),
    ["an object in colours, of Node.js'", `  \u001b[32mevent\u001b[39m: \u001b[32m'${record.event}'\u001b[39m,`],
    ['the same, in an envelope', JSON.stringify({ log: `  event: \u001b[32m'${record.event}'\u001b[39m,\n` })],
    ['an endless nesting', `{"a":${'{"a":'.repeat(40_000)}${whole}${'}'.repeat(40_001)}`],
    ['a cut line with a path of its own', `{"level":40,"req":{"url":"/hooks"},${plain.slice(1, 130)}`]
  ]
  for (const [what, text] of table) t.match(findRecords(text), { records: [], unreadable: 1 }, what)
})

t.test('a message of the guard that another program repeats is no doubt', async (t) => {
  for (const before of ['login failed for ', 'alert sent: ', 'Slack said ']) {
    const msg = `${before}198.51.100.7 rejected: not-listed`
    for (const line of [
      JSON.stringify({ level: 30, time: TIME, msg }),
      JSON.stringify({ level: 'info', message: msg, timestamp: ISO }),
      `[12:00:00.000] INFO (7): ${msg}`
    ]) {
      t.notOk(findRecords(line)?.unreadable, line)
    }
  }
})

t.test('a number or an identifier that was rejected is none of the guard', async (t) => {
  for (const message of [
    'Payment 4711 rejected: denied',
    'order 65f1b1b21e1a rejected: unresolved',
    'abcd rejected: denied'
  ]) {
    for (const text of [
      `[12:00:00.000] WARN (1): ${message}`,
      JSON.stringify({ level: 40, time: TIME, msg: message })
    ]) {
      t.notOk(findRecords(text)?.unreadable, text)
    }
  }
  t.match(findRecords('[12:00:00.000] WARN (1): ::1 rejected: denied'), { unreadable: 1 })
})

t.test('a record in a form that is not read is a doubt', async (t) => {
  const own = { ...JSON.parse(plain), msg: '198.51.100.7 rejected: not-listed' }
  const flat = (value: object, sign: string, prefix = ''): [name: string, value: unknown][] =>
    Object.entries(value).flatMap(([name, value]) =>
      typeof value === 'object' && !Array.isArray(value)
        ? flat(value, sign, `${prefix}${name}${sign}`)
        : [[`${prefix}${name}`, value]]
    )
  const flattened = (sign: string, prefix = '', value: object = own) => Object.fromEntries(flat(value, sign, prefix))
  const lists = Object.fromEntries(flat(own, '.').map(([name, value]) => [name, [value].flat()]))
  const otlp = (value: unknown): object =>
    typeof value === 'string'
      ? { stringValue: value }
      : typeof value === 'object'
        ? { kvlistValue: { values: pairs(value!) } }
        : { intValue: `${value}` }
  const pairs = (fields: object) => Object.entries(fields).map(([key, value]) => ({ key, value: otlp(value) }))
  const logRecords = (record: object) => ({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] })
  const text = JSON.stringify(record)
  const table: [what: string, line: object][] = [
    ["Elasticsearch's fields", { _index: 'logs', fields: lists }],
    ["a hit of Kibana's", { _index: 'logs', _score: null, fields: lists, sort: [1] }],
    ['names that are joined by _', flattened('_')],
    ['the same, without the message of the guard', { ...flattened('_'), msg: 'x' }],
    ['the same, of Google', { jsonPayload: flattened('_'), timestamp: ISO }],
    ['GELF', { version: '1.1', host: 'h', level: 4, short_message: own.msg, ...flattened('_', '_') }],
    ['GELF, as text', { version: '1.1', host: 'h', level: 4, short_message: 'x', _moengage: text }],
    ['names with a prefix', flattened('.', 'json.')],
    ['names with the prefix of a collector', flattened('_', 'jsonPayload_')],
    ['capital letters', { MOENGAGE: { EVENT: record.event, MODE: 'reject' } }],
    ['an event in a list', { ...own, moengage: { ...record, event: [record.event] } }],
    ['text among attributes', { timestamp: ISO, message: own.msg, attributes: { moengage: text } }],
    ['text in text', { timestamp: ISO, message: own.msg, customDimensions: JSON.stringify({ moengage: text }) }],
    ['what a logger made of an object', { level: 40, msg: own.msg, moengage: '[Object]' }],
    [
      'the same, of a summary',
      { level: 30, msg: '[web] 1 rejection, 2 requests verified, 0 lines left out', moengage: '[Object]' }
    ],
    ['the same, without the secret', { message: 'hmac:0123456789abcdef verified, without your secret', moengage: {} }],
    ['the same, in the body of OpenTelemetry', logRecords({ severityText: 'WARN', body: otlp(own.msg), moengage: 1 })],
    ['attributes of OpenTelemetry', logRecords({ severityText: 'WARN', body: otlp('x'), attributes: pairs(own) })],
    ['the body of OpenTelemetry', logRecords({ timeUnixNano: `${TIME}000000`, body: otlp(own) })],
    [
      'CloudWatch Insights, field by field',
      { results: [flat(own, '.').map(([field, value]) => ({ field, value: `${value}` }))] }
    ]
  ]
  for (const [what, line] of table) {
    t.match(findRecords(JSON.stringify(line)), { records: [], unreadable: 1 }, what)
    t.match(findRecords(`${ISO} web-1 ${JSON.stringify(line)}`), { records: [], unreadable: 1 }, `${what}, in text`)
  }
})

t.test('a long line of mentions is read in a moment', async (t) => {
  const mention = '{"event":"moengage.rejected"} '
  for (const text of [
    JSON.stringify({ level: 'info', unknown: mention.repeat(30_000) }),
    mention.repeat(30_000),
    `x "${mention.repeat(30_000)}`,
    `GET /${'{}'.repeat(400_000)} event=moengage.rejected`,
    ...['\\"', '"\\', '\\', '"{'].flatMap((part) => {
      const open = `bad webhook body: ${'{'.repeat(8)}"event":"moengage.rejectedx`
      return [`${open}${part.repeat(50_000)}`, `${open}\\"${part.repeat(50_000)}\\`]
    }),
    ...[',"""', '\\"'].map((text) => `INFO body ${text.repeat(100_000)}${mention}${text.repeat(100_000)}`),
    `/${'.log'.repeat(200_000)}${plain}`,
    `${'/a '.repeat(250_000)}${whole}`,
    `${'/a[1]: '.repeat(100_000)}${whole}`,
    `${'a=b '.repeat(200_000)}source=/x ${whole}`,
    `${'{"a":"'.repeat(100_000)}${whole}`,
    JSON.stringify({ event: { text: whole.repeat(2_000) } }),
    JSON.stringify({ msg: `moengage ${'1'.repeat(900_000)} rejections` }),
    JSON.stringify({ msg: `moengage ${'"a:'.repeat(300_000)} rejected: denied` }),
    `{a="${mention.replaceAll('"', '\\"').repeat(25_000)}", ${plain}`,
    JSON.stringify(Object.fromEntries(Array.from({ length: 25_000 }, (_, i) => [`a${i}`, { event: record.event }]))),
    JSON.stringify({
      attributes: Array.from({ length: 15_000 }, () => ({ key: 'moengage.event', value: record.event }))
    }),
    JSON.stringify({ row: mention.repeat(10_000), log: Array.from({ length: 2_000 }, () => JSON.parse(plain)) })
  ]) {
    const start = performance.now()
    findRecords(text)
    const took = performance.now() - start
    t.ok(took < 3000, `${text.slice(0, 30)}: ${took} ms`)
  }
})

t.test('a record that an envelope holds twice is found once', async (t) => {
  const fields = JSON.parse(plain)
  const table: [what: string, line: object][] = [
    ['Filebeat', { message: plain, json: fields }],
    ['Fluent Bit', { log: plain, log_processed: fields }],
    ['Datadog', { content: { message: plain, attributes: fields } }],
    ['ECS', { event: { original: plain }, pino: fields }]
  ]
  for (const [what, line] of table) t.equal(findRecords(JSON.stringify(line))!.records.length, 1, what)
  const counts = summary({ verified: 2 })
  t.match(findRecords(`${csv(counts)},"${counts.replaceAll('"', '""')}"`), { records: { length: 1 } }, 'two cells')
  for (const line of [plain, counts]) {
    const value = JSON.stringify(line)
    t.match(findRecords(`time=${ISO} line=${value} log=${value}`), { records: { length: 1 } }, 'two values of logfmt')
  }
  const event = { 'moengage.event': [record.event] }
  const all = { ...event, 'moengage.reason': [record.reason], 'moengage.clientIp': [record.clientIp], msg: ['x'] }
  const named = (value: string) => [
    { key: 'moengage.event', value: { stringValue: record.event } },
    { key: 'moengage.clientIp', value: { stringValue: value } },
    { key: 'http.url', value: { stringValue: '/?ip="192.0.2.1"' } }
  ]
  const row = (clientIp: string) => [
    { field: '@message', value: plain },
    { field: 'moengage.event', value: record.event },
    { field: 'moengage.clientIp', value: clientIp }
  ]
  const inPart: [what: string, line: object][] = [
    ['Elasticsearch, with all fields', { _source: fields, fields: all }],
    ['Elasticsearch, with the event', { _source: { message: plain }, fields: event }],
    ['CloudWatch Insights', { results: [row(record.clientIp)] }],
    ['OpenTelemetry', { severityText: 'WARN', body: { stringValue: plain }, attributes: named(record.clientIp) }],
    ['Graylog, with the event', { level: 4, short_message: plain, _moengage_event: record.event }],
    ['Log Analytics', { TableName: 'PrimaryResult', LogMessage: plain, moengage_event: record.event }],
    ['Google', { jsonPayload: fields, labels: { moengage_event: record.event } }],
    ['Loki, with the event', { labels: { app: 'web', event: record.event }, line: plain }],
    ['Loki, with the reason', { labels: { event: record.event, reason: record.reason }, line: plain }],
    ['a field with what is not of the record', { log: plain, labels: event, kubernetes: { ip: '10.0.0.1' } }],
    ['a value that the record has not', { log: plain, json: fields, row: plain, labels: event, since: 'undefined' }]
  ]
  const labels = { app: 'web', moengage_event: record.event, moengage_reason: record.reason, ip: record.clientIp }
  const repeated: [what: string, line: string][] = [
    ['Loki, with the fields among its labels', JSON.stringify({ labels, line: plain, timestamp: ISO })],
    [
      'a line of Loki',
      `${ISO} {app="web", event="moengage.rejected", reason="not-listed", ip="198.51.100.7"} ${plain}`
    ],
    [
      'Graylog, with fields of its own',
      JSON.stringify({
        level: 4,
        short_message: plain,
        _moengage_event: record.event,
        _moengage_reason: record.reason,
        _moengage_clientIp: record.clientIp
      })
    ],
    ['any field', JSON.stringify({ log: plain, row: plain })],
    ...['@message', 'message', 'log'].flatMap((name): [what: string, line: string][] => [
      [
        `a part of the flattened record beside ${name}`,
        JSON.stringify({
          '@timestamp': ISO,
          [name]: plain,
          'moengage.event': record.event,
          'moengage.clientIp': record.clientIp
        })
      ],
      [
        `a part of it in front of ${name}, in a list`,
        JSON.stringify([{ 'moengage.event': record.event, [name]: JSON.parse(plain) }])
      ]
    ]),
    ...inPart.flatMap(([what, line]): [what: string, line: string][] => [
      [what, JSON.stringify(line)],
      [`${what}, in text`, `${ISO} web-1 ${JSON.stringify(line)}`],
      [`${what}, in a list`, JSON.stringify({ hits: [line] })]
    ]),
    ['a line of Loki, of which one label is of the record', `${ISO} {app="web", event="moengage.rejected"} ${plain}`]
  ]
  for (const [what, line] of repeated) t.match(findRecords(line), { records: [{ record }], unreadable: 0 }, what)
  const unlike: [what: string, line: string][] = [
    ['another sender', JSON.stringify({ labels: { ...labels, ip: '192.0.2.1' }, line: plain })],
    ['another event', JSON.stringify({ labels: { ...labels, moengage_event: 'moengage.summary' }, line: plain })],
    ['another request', JSON.stringify({ row: line({ requestId: 'req-1' }), log: line({ requestId: 'req-2' }) })],
    ['no request', JSON.stringify({ row: line({ requestId: null }), log: line({ requestId: 'req-2' }) })],
    [
      'another sender, in fields',
      JSON.stringify({ _source: fields, fields: { ...all, 'moengage.clientIp': ['::1'] } })
    ],
    [
      'another sender, among attributes',
      JSON.stringify({ level: 'WARN', body: plain, attributes: named('192.0.2.1') })
    ],
    ['another sender, in a row', JSON.stringify([row('192.0.2.1')])],
    [
      'another sender, in a part of a flattened record',
      JSON.stringify({ log: plain, 'moengage.event': record.event, 'moengage.clientIp': '192.0.2.1' })
    ],
    ['another row', JSON.stringify([[row('')[0]], [row('')[1]]])],
    ['another reason', JSON.stringify({ labels: { ...labels, moengage_reason: 'denied' }, line: plain })],
    [
      'a line behind it that is cut off',
      `${ISO} ${JSON.stringify({ log: plain, labels: event })} ${plain.slice(0, 150)}`
    ],
    ['a part of an object behind another', `${plain} ${JSON.stringify({ fields: event })}`],
    ['one more', JSON.stringify({ row: [plain, plain], log: plain })],
    ['another entry', JSON.stringify({ logEvents: [{ message: plain }, { row: plain }] })],
    ['another sender, in a line of Loki', `${ISO} {event="moengage.rejected", ip="192.0.2.1"} ${plain}`]
  ]
  for (const [what, line] of unlike) t.match(findRecords(line), { records: [{ record: {} }], unreadable: 1 }, what)
  const stream = { moengage_event: record.event, moengage_reason: record.reason }
  const values = Array.from({ length: 20 }, (_, i) => [`${TIME + i}`, line({ clientIp: `198.51.100.${i}` })])
  t.match(findRecords(JSON.stringify({ data: { result: [{ stream, values }] }, status: 'success' })), {
    records: { length: 20 },
    unreadable: 0
  })
  const two = [plain, line({ clientIp: '198.51.100.8' })].map((message) => ({ message }))
  for (const [clientIp, unreadable] of [
    ['198.51.100.8', 0],
    ['198.51.100.9', 1]
  ] as const) {
    const row = `${plain} ${line({ clientIp })}`
    t.match(findRecords(JSON.stringify({ logEvents: two, row })), { records: { length: 2 }, unreadable }, clientIp)
  }
  const many = {
    json: fields,
    values: [
      [`${TIME}`, plain],
      [`${TIME + 1}`, quoting]
    ]
  }
  t.equal(findRecords(JSON.stringify(many))!.records.length, 1, 'whatever the order')
  const atOnce = {
    log: plain,
    raw: line({}, { time: TIME + 1 }),
    line: summary({ verified: 1 }),
    _raw: summary({ verified: 1, rejected: {} })
  }
  t.equal(findRecords(JSON.stringify(atOnce))!.records.length, 4, 'others are kept, wherever they stand')
  const same = [plain, plain].map((message) => ({ message }))
  t.equal(findRecords(JSON.stringify({ logEvents: same }))!.records.length, 2, 'equal lines beside each other are two')
  const twice = (rest: object, timestamp = ISO) => {
    const one = line({ requestId: 'req-1' })
    const other = JSON.parse(line({ requestId: 'req-1' }, { time: undefined, ...rest }))
    return findRecords(JSON.stringify({ log: one, timestamp, json: other }))!.records.length
  }
  const requests: [what: string, records: number, ofTwo: number][] = [
    ['of one process', twice({ time: TIME }), 1],
    ['the same, with the time of the envelope', twice({}), 1],
    ['the same, with a time of any zone', twice({}, '2026-11-23 17:30'), 1],
    ['without a process', twice({ pid: undefined, hostname: undefined }), 1],
    ['of another process', twice({ pid: 2 }), 2],
    ['of another host', twice({ hostname: 'other' }), 2],
    ['an hour later', twice({ time: TIME + 3_600_000 }), 2]
  ]
  for (const [what, records, count] of requests) t.equal(records, count, `two records of a request id, ${what}`)
  const others = [plain, line({ requestId: 'req-2' }), summary({ verified: 1 }), summary({ verified: 2 })]
  t.equal(
    findRecords(JSON.stringify(others.map((line, i) => ({ [['log', 'raw', 'line', '_raw'][i]!]: line }))))!.records
      .length,
    4
  )
})

t.test('all records are found that are written one after another', async (t) => {
  const envelope = (text: string) => JSON.stringify({ logEvents: [{ message: text }, { message: quoting }] })
  const table: [text: string, count: number][] = [
    [plain + quoting, 2],
    [`${plain}\0${quoting}\0`, 2],
    [envelope(plain) + envelope(quoting), 4],
    [`${plain},${plain.slice(0, 40)}`, 1]
  ]
  for (const [text, count] of table) t.equal(findRecords(text)!.records.length, count, text)
})

t.test('a flattened summary has lost the objects without a field', async (t) => {
  const flat = { 'moengage.event': 'moengage.summary', 'moengage.verified': 5, 'moengage.suppressed.tag.not-listed': 2 }
  const [first] = findRecords(JSON.stringify(flat))!.records
  t.match(readEvent(first!.record), { verified: 5, rejected: {}, suppressed: { reject: {}, tag: { 'not-listed': 2 } } })
  const [text] = findRecords(JSON.stringify({ ...flat, 'moengage.suppressed': 'none' }))!.records
  t.equal(readEvent(text!.record), undefined, 'what is there and is no object is not taken for nothing')
})

t.test('parts of a record that a log store has written as text are read', async (t) => {
  const texts = (record: object, prefix = '') =>
    Object.entries(record).map(([name, value]) => [
      `${prefix}${name}`,
      typeof value === 'string' ? value : JSON.stringify(value)
    ])
  const own = rejection({ suppressed: 3, removed: null, listedFor: [{ dataCenter: 'DC-03', channels: ['sms'] }] })
  for (const text of [
    JSON.stringify(Object.fromEntries(texts(own, 'moengage.'))),
    JSON.stringify({ events: [{ timestamp: TIME, message: 'x', moengage: JSON.stringify(own) }] }),
    JSON.stringify([{ 'moengage.event': own.event, ...Object.fromEntries(texts(own, 'moengage.')) }])
  ]) {
    const [first] = findRecords(text)!.records
    t.match(
      readEvent(first!.record),
      {
        count: 4,
        dataCenters: ['DC-01'],
        listedFor: [{ dataCenter: 'DC-03', channels: ['sms'] }],
        clientIp: own.clientIp
      },
      text
    )
  }
  const odd = { 'moengage.event': 'moengage.rejected', 'moengage.listedFor': '[odd]' }
  t.equal(findRecords(JSON.stringify(odd))!.records[0]!.record.listedFor, null)
})

t.test('fields that a log store has flattened are put together again', async (t) => {
  const flat = {
    '@timestamp': '2026-11-23 12:00:00,5',
    'moengage.event': 'moengage.rejected',
    'moengage.policy.dataCenters': ['DC-01'],
    'moengage.policy.channels': 'all',
    'moengage.__proto__.polluted': true,
    'moengage.constructor.prototype.polluted': true,
    'moengage.route': '/x',
    'moengage.route.deeper': 1,
    msg: 'x'
  }
  const [first] = findRecords(JSON.stringify(flat))!.records
  t.match(first, { time: TIME + 500, record: { route: '/x', policy: { dataCenters: ['DC-01'], channels: 'all' } } })
  t.notOk('polluted' in {})
})

t.test('the time is that of the logger, or else of the nearest envelope', async (t) => {
  const timeless = JSON.stringify({ moengage: record })
  const table: [line: string, time: number | undefined][] = [
    [JSON.stringify({ log: plain, time: '2020-01-31T00:00:00Z' }), TIME],
    [JSON.stringify({ log: timeless, time: ISO }), TIME + 123],
    [`2020-01-31T00:00:00Z ${JSON.stringify({ log: timeless, time: ISO })}`, TIME + 123],
    [`${ISO} stdout F ${timeless}`, TIME + 123],
    [`2026-11-23 12:00:00,5 INFO ${timeless}`, TIME + 500],
    [JSON.stringify({ MESSAGE: timeless, __REALTIME_TIMESTAMP: `${TIME}000` }), TIME],
    [JSON.stringify({ values: [[`${TIME}000000`, timeless]] }), TIME],
    [
      JSON.stringify({ jsonPayload: { moengage: record }, timestamp: { seconds: TIME / 1000, nanos: 5e8 } }),
      TIME + 500
    ],
    [JSON.stringify({ Time: ISO, moengage: record }), TIME + 123],
    [JSON.stringify({ EventTime: 'Mon, 23 Nov 2026 12:00:00 GMT', moengage: record }), TIME],
    [JSON.stringify({ '@timestamp': '23/Nov/2026:12:00:00 +0000', moengage: record }), TIME],
    [`10.0.0.1 - - [23/Nov/2026:12:00:00 +0000] ${timeless}`, TIME],
    [`Mon, 23 Nov 2026 12:00:00 +0000 ${timeless}`, TIME],
    [`[2026-11-23 17:30:00.250 +0530] WARN (7): x ${timeless}`, TIME + 250],
    [`2026-11-23 07:00:00 -05:00 ${timeless}`, TIME],
    [`2026-11-23 12:00:00.5 +0000 UTC ${timeless}`, TIME + 500],
    [`2026-11-23 12:00:00 GMT ${timeless}`, TIME],
    [`2026-11-23 12:00:00 -9999 ${timeless}`, TIME],
    [`2026-11-23 12:00:00 IST ${timeless}`, TIME],
    [`23 Nov 2026 12:00:00 ${timeless}`, TIME],
    [JSON.stringify({ time: '2026-11-23 12:00:00 IST', moengage: record }), TIME],
    [JSON.stringify({ update: ISO, moengage: record }), undefined],
    [timeless, undefined]
  ]
  for (const [text, time] of table) t.equal(found(text)![0]!.time, time, text)
})

t.test('a time is read in every unit and form', async (t) => {
  const table: [value: unknown, time: number | undefined][] = [
    [TIME, TIME],
    [TIME / 1000, TIME],
    [TIME / 1000 + 0.5, TIME + 500],
    [TIME * 1000, TIME],
    [TIME * 1_000_000, TIME],
    [`${TIME}`, TIME],
    [`${TIME}000000`, TIME],
    [` ${TIME / 1000}.25 `, TIME + 250],
    ['2026-11-23T12:00:00Z', TIME],
    ['2026-11-23T12:00:00.123456789Z', TIME + 123],
    ['2026-11-23T14:00:00+02:00', TIME],
    ['2026-11-23T14:00:00+0200', TIME],
    ['2026-11-23 12:00:00 UTC', TIME],
    ['2026-11-23 12:00:00,25', TIME + 250],
    ['2026-11-23T12:00', TIME],
    ['Mon, 23 Nov 2026 12:00:00 GMT', TIME],
    ['23 Nov 2026 14:00 +0200', TIME],
    ['23/Nov/2026:07:00:00 -0500', TIME],
    ['31 Feb 2026 12:00:00 GMT', undefined],
    ['23/Nix/2026:07:00:00 -0500', undefined],
    [{ seconds: TIME / 1000, nanos: 250_000_000 }, TIME + 250],
    [{ seconds: `${TIME / 1000}` }, TIME],
    [{ epochSecond: TIME / 1000, nanoOfSecond: 1 }, TIME],
    ['noon', undefined],
    ['2026-13-23T12:00:00Z', undefined],
    ['2026-11-31T12:00:00Z', undefined],
    [-1, undefined],
    [Number.NaN, undefined],
    [1e30, undefined],
    [{}, undefined],
    [{ seconds: 'x' }, undefined],
    [null, undefined],
    [true, undefined],
    [[TIME], undefined]
  ]
  for (const [value, time] of table) t.equal(readTime(value), time, JSON.stringify(value))
})

t.test('a line that is about something else is not ours, and a damaged one of ours is noticed', async (t) => {
  const others = [
    '',
    'Server listening at http://127.0.0.1:3000',
    '{"level":30,"req":{"url":"/moengage/connector"},"msg":"incoming request"}',
    '{"moengage":{"event":"moengage.diagnosis"}}',
    '{"moengage":{"code":"MOE_WARN_STALE"}}',
    '{"msg":"moengage.rejected and moengage.summary are our events"}',
    '{"MESSAGE":[1,2,3]}',
    '{"MESSAGE": "x"}'
  ]
  for (const text of others) {
    const content = findRecords(text)
    t.notOk(content !== undefined && (content.records.length > 0 || content.unreadable > 0), text)
  }
  const damaged = [
    plain.slice(0, plain.indexOf('"suppressed"')),
    plain.slice(0, plain.indexOf('rejected') + 3),
    plain.slice(0, plain.indexOf('.rejected')),
    `${plain.slice(0, 100)}${plain}`.slice(0, 180),
    '    "event": "moengage.rejected",',
    JSON.stringify({ log: plain.slice(0, 200) }),
    JSON.stringify({ logEvents: [{ message: plain }, { message: plain.slice(0, 200) }] }),
    `${plain.slice(0, 150)}${summary()}`,
    `${summary()}${plain.slice(0, 150)}`,
    `${plain} ${'{'.repeat(9)} ${summary()}`,
    plain.replaceAll('"', '\\u0022').slice(0, 190)
  ]
  for (const text of damaged) t.equal(findRecords(text)!.unreadable, 1, text)
})

t.test('the start of a server is read behind the path of a log file, and not behind that of a request', async (t) => {
  const start = JSON.stringify({ level: 30, time: TIME, pid: 1, msg: 'Server listening at http://127.0.0.1:3000' })
  t.match(findRecords(`/var/log/web.log:${start}`), { starts: [{ time: TIME }], unreadable: 0 })
  const text = findRecords(`/var/log/web.log:${ISO} info: Server listening at http://127.0.0.1:3000`)
  t.match(text, { starts: [{ time: Date.parse(ISO) }], unreadable: 0 })
  const others = [`/hook:${start}`, `/hook.log:${start} 404`, `/hook.log:${start.replaceAll(' ', '\\u0020')}`]
  for (const text of others) t.match(findRecords(text)?.starts ?? [], [], text)
})

t.test('a line of ours behind one that is cut off is a doubt, wherever the cut is', async (t) => {
  const request = JSON.stringify({
    level: 30,
    time: TIME,
    pid: 1,
    hostname: 'h',
    req: { method: 'POST', url: '/moengage/connector', host: 'localhost:80' },
    msg: 'GET / is "slow"'
  })
  for (const own of [whole, plain]) {
    for (let cut = 1; cut < request.length; cut++) {
      const text = `${request.slice(0, cut)}${own}`
      t.match(findRecords(text), { records: [], unreadable: 1 }, text)
      t.match(findRecords(`${ISO} stdout F ${text}`), { records: [], unreadable: 1 }, text)
    }
  }
  const envelopes: ((line: string) => object)[] = [
    (line) => ({ log: `${line}\n`, stream: 'stdout', time: ISO }),
    (line) => ({ __CURSOR: 'x', MESSAGE: line, _PID: '1' }),
    (line) => ({ message: JSON.stringify({ log: line }), timestamp: ISO })
  ]
  for (const envelope of envelopes) {
    const [first, other] = [request, whole].map((line) => JSON.stringify(envelope(line))) as [string, string]
    for (let cut = 1; cut < first.length; cut++) {
      const text = `${first.slice(0, cut)}${other}`
      t.match(findRecords(text), { records: [], unreadable: 1 }, text)
    }
  }
})

t.test('the summary of a text logger is read, whatever its causes quote', async (t) => {
  const fields = JSON.stringify({ moengage: JSON.parse(summary()).moengage })
  const message =
    '1,400 rejections, 0 requests verified, 11 lines left out: 192.0.2.1 (10 rejections on /a) is not for GET /b: add "sms" to "channels".'
  const layouts: ((level: string) => string)[] = [
    () => '',
    (level) => `${level}: `,
    (level) => `${ISO} [${level}] `,
    (level) => `${ISO} [${level.toUpperCase()}]: `,
    (level) => `${ISO} | ${level} | `,
    (level) => `[${ISO}] [${level.toUpperCase()}] default - `,
    (level) => `[Nest] 8522  - 11/27/2026, 7:15:54 AM    ${level.toUpperCase()} [MoEngage] `
  ]
  for (const layout of layouts) {
    const text = `${layout('warn')}${message} ${fields}`
    t.match(findRecords(text), { records: [{ record: { event: 'moengage.summary' } }], unreadable: 0 }, text)
  }
})

t.test('a line that is cut off behind our fields is read', async (t) => {
  const [first] = findRecords(line({}, { pid: 7, hostname: 'web-1' }).slice(0, -5))!.records
  t.match(first, { time: TIME, process: { pid: '7', hostname: 'web-1' }, record: { clientIp: '198.51.100.7' } })
})

t.test('an endless nesting, or a hundred braces, ends', async (t) => {
  let nested = JSON.parse(plain)
  for (let i = 0; i < 50; i++) nested = { log: nested }
  t.match(findRecords(JSON.stringify(nested)), { records: [], unreadable: 1 })
  t.match(findRecords(JSON.stringify({ MESSAGE: null })), { records: [], unreadable: 0, leftOut: 1 })
  t.match(findRecords(`${'{'.repeat(100_000)}${plain}`), { unreadable: 1 })
})

t.test('a server says where it starts, and any line its time', async (t) => {
  const listening = JSON.stringify({
    level: 30,
    time: TIME,
    pid: 1,
    hostname: 'web-1',
    msg: 'Server listening at http://x'
  })
  const own = { process: { pid: '1', hostname: 'web-1' }, time: TIME }
  const unknown = { process: { pid: '', hostname: '' }, time: undefined }
  const starts: [line: string, start: object | undefined][] = [
    [listening, own],
    [JSON.stringify({ log: listening, hostname: 'node-7', pid: 9 }), own],
    [`${ISO} stdout F ${listening}`, own],
    ['Server listening at http://x', unknown],
    [`${ISO} [web] INFO: Server listening at http://x`, { ...unknown, time: TIME + 123 }],
    [JSON.stringify({ level: 30, req: { headers: { 'x-a': 'Server listening at' } }, msg: 'x' }), undefined],
    [JSON.stringify({ level: 30, agent: 'Server listening at http://x', msg: 'x' }), undefined],
    [JSON.stringify({ level: 30, msg: 'Route GET:/Server listening at' }), undefined]
  ]
  for (const [line, start] of starts) {
    t.strictSame(
      findRecords(line)!.starts.map(({ process, time }) => ({ process, time })),
      start === undefined ? [] : [start],
      line
    )
  }
  t.strictSame(findRecords(plain)!.starts, [])
  const notJudged = JSON.stringify({ level: 50, time: TIME, pid: 1, hostname: 'web-1', err: {}, msg: NOT_JUDGED })
  const failures: [line: string, start: object | undefined][] = [
    [notJudged, own],
    [JSON.stringify({ log: notJudged }), own],
    [`${ISO} [web] ERROR: ${NOT_JUDGED}`, { ...unknown, time: TIME + 123 }],
    [JSON.stringify({ level: 30, agent: NOT_JUDGED, msg: 'x' }), undefined],
    [JSON.stringify({ level: 30, msg: `Route GET:/${NOT_JUDGED}` }), undefined],
    [`GET /${NOT_JUDGED} HTTP/1.1`, undefined]
  ]
  for (const [line, failure] of failures) {
    const { notJudged, starts } = findRecords(line)!
    t.strictSame(
      notJudged.map(({ process, time }) => ({ process, time })),
      failure === undefined ? [] : [failure],
      line
    )
    t.strictSame(starts, [])
  }
  const times: [line: string, time: number | undefined][] = [
    [listening, TIME],
    [`web-1  | ${listening}`, TIME],
    [`${ISO} stdout F ${listening}`, TIME],
    [`${ISO} stdout F x`, TIME + 123],
    [`${ISO} stdout F {"msg":"x"}`, TIME + 123],
    [`${ISO} stdout F {"msg":"x`, TIME + 123],
    [`[${ISO}] x`, TIME + 123],
    [`time="${ISO}" level=info msg=x`, TIME + 123],
    [`time=${TIME} level=info msg=x`, TIME],
    [`"${ISO}","x"`, TIME + 123],
    ['x', undefined],
    ['{}', undefined],
    [`{"level":30,"time":${TIME}`, undefined],
    [`time=${TIME}`, undefined],
    [`level=info msg="GET /?time=${TIME} 404"`, undefined],
    [`::ffff:127.0.0.1 - - [${CLF}] "POST /hook HTTP/1.1" 200 2 "-" "node"`, TIME],
    [`10.0.0.1 - - [${CLF}] "GET /?time=${TIME + 1} HTTP/1.1" 404`, TIME],
    [`10.0.0.1 - ${ISO} [${CLF}] "GET / HTTP/1.1" 404`, TIME],
    [`10.0.0.1 - a [24/Nov/2026:12:00:00 +0000] [${CLF}] "GET / HTTP/1.1" 404`, TIME],
    [`10.0.0.1 - a [24/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" [${CLF}] "GET / HTTP/1.1" 404`, undefined],
    [`${ISO} stdout F 127.0.0.1 - - [${CLF}] "POST /hook HTTP/1.1" 200 2`, TIME],
    [`${ISO} POST /hook HTTP/1.1 200`, TIME + 123],
    [`web-1  | ${ISO} POST /hook HTTP/1.1 200 "[24/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1"`, TIME + 123],
    [`POST /hook HTTP/1.1 200 ${ISO}`, undefined],
    [`::1 ${ISO} POST /hook HTTP/1.1 200`, undefined],
    [`10.0.0.1 - ${ISO} "POST /hook HTTP/1.1" 200`, undefined],
    [`received body: {"time":${TIME}}`, undefined],
    [`not found: /${ISO}`, undefined],
    [`info: ${ISO} x`, TIME + 123],
    [`ts=${ISO} level=info`, TIME + 123],
    ['Mon, 23 Nov 2026 12:00:00 GMT x', TIME],
    [`Nov 23 12:00:00 vm node[2]: ${ISO} x`, TIME + 123],
    [`Next backup scheduled for ${ISO}`, undefined],
    [`[cron] next run: ${ISO}`, undefined],
    [`Token expires (${ISO})`, undefined],
    [`waiting until ${ISO}`, undefined],
    [`No request since ${ISO}`, undefined],
    [`Backup at ${ISO}`, undefined],
    ...['web-7d5f app ', 'prod ', 'LOG:  ', 'crit ', 'SEVERE ', 'VERBOSE ', 'http ', 'at=', 'level=info at="'].map(
      (before): [line: string, time: number] => [`${before}${ISO} Healthcheck ok`, TIME + 123]
    ),
    [`/var/log/web.log:${ISO} ok`, TIME + 123],
    [`/var/log/web.log:${plain}`, TIME],
    [`/var/log/web:${plain}`, undefined],
    [`level=info next=${ISO}`, undefined]
  ]
  for (const [line, time] of times) t.equal(timeOfLine(line), time, line)
})

t.test('whatever wraps a line, its record and time are those of the line', async () => {
  const layers = fc.constantFrom<(text: string) => string>(
    (text) => JSON.stringify({ log: `${text}\n`, stream: 'stdout', time: ISO }),
    (text) => JSON.stringify({ _source: { message: text, '@timestamp': ISO } }),
    (text) => JSON.stringify({ MESSAGE: text, __REALTIME_TIMESTAMP: '1' }),
    (text) => JSON.stringify({ logEvents: [{ timestamp: 5, message: text }] }),
    (text) => JSON.stringify({ MESSAGE: [...Buffer.from(text)] }),
    (text) => `${ISO} stdout F ${text}`,
    (text) => `web-1  | ${text}`
  )
  const lines = fc.record({
    clientIp: fc.ipV4(),
    route: fc.string({ maxLength: 30 }),
    time: fc.integer({ min: 1e12, max: 2e12 }),
    isSummary: fc.boolean()
  })
  fc.assert(
    fc.property(lines, fc.array(layers, { maxLength: 4 }), ({ clientIp, route, time, isSummary }, layers) => {
      const own = { clientIp, route }
      const text = layers.reduce((text, layer) => layer(text), isSummary ? summary(own, { time }) : line(own, { time }))
      const content = findRecords(text)!
      const [first] = content.records
      return (
        content.records.length === 1 &&
        content.unreadable === 0 &&
        first!.time === time &&
        first!.record.clientIp === clientIp &&
        first!.record.route === route
      )
    }),
    runs(200)
  )
})

t.test('no line makes the search fail', async () => {
  fc.assert(
    fc.property(fc.json(), fc.string(), fc.nat(400), (json, text, at) => {
      for (const hostile of [json, text + plain, plain.slice(0, at) + text + plain.slice(at), plain.slice(at) + text]) {
        findRecords(hostile)
        timeOfLine(hostile)
      }
    }),
    runs(200)
  )
})
