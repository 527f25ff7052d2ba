import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import type { Output } from '../../src/cli/io.js'
import { Progress } from '../../src/cli/progress.js'
import { Histogram } from '../../src/report/histogram.js'
import { LONGEST_LINE, readLines } from '../../src/report/read-lines.js'
import { run } from '../support/cli.js'
import { guarded } from '../support/guarded.js'
import { runs } from '../support/properties.js'

const TIME = Date.UTC(2026, 10, 23, 12)

/** A line of the guard, as pino writes it. */
function line(own: object, rest: object = {}): string {
  const moengage = {
    event: 'moengage.rejected',
    mode: 'reject',
    reason: 'not-listed',
    clientIp: '198.51.100.7',
    listedFor: [],
    policy: { dataCenters: ['DC-01'], channels: 'all' },
    route: '/hooks',
    suppressed: 0,
    ...own
  }
  return JSON.stringify({ level: 40, time: TIME, pid: 1, hostname: 'h', moengage, msg: 'x', ...rest })
}

const summary = (own: object) =>
  line({ event: 'moengage.summary', suppressed: { reject: {}, tag: {} }, suppressedOf: [], verified: 0, ...own })

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
  const { found } = await report(log)
  t.match(found, {
    lines: { read: log.length, own: 4, broken: 0, tooLong: 0 },
    verified: 7,
    rejected: { total: 0 },
    tagged: { total: 9, byReason: { 'not-listed': 3, 'other-data-center': 5, unresolved: 1 } },
    senders: [
      { clientIp: '3.6.251.95', count: 5, routes: ['/hooks'], listedFor: [{ dataCenter: 'DC-03' }] },
      { clientIp: '198.51.100.7', count: 3, reasons: { 'not-listed': 3 } }
    ],
    withoutSender: 1,
    diagnosis: [/^3\.6\.251\.95 \(5 rejections\) is MoEngage DC-03, you accept DC-01/, /^1 of 9 rejections had no/],
    canReject: { answer: 'no' }
  })
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
    `{"time":${TIME},"payload":${line({ route: null })}}`,
    summary({
      verified: 12,
      suppressed: { reject: { 'not-listed': 5 }, tag: { unresolved: 2 } },
      suppressedOf: [{ clientIp: '198.51.100.7', mode: 'reject', reason: 'not-listed', count: 4 }, { clientIp: 7 }, 7]
    }),
    summary({ verified: 3, suppressedOf: 'none' })
  ])
  t.match(found, {
    lines: { read: 10, own: 10, broken: 0 },
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

t.test('broken lines are counted and passed over', async (t) => {
  const broken = [
    line({}).slice(0, -5),
    'Server listening at http://127.0.0.1:3000',
    '[]',
    '7',
    'null',
    line({ mode: 'dry-run' }),
    line({ reason: 'toString' }),
    line({ suppressed: -1 }),
    line({ suppressed: 1.5 }),
    line({ clientIp: { toString: 1 } }),
    summary({ verified: '1' }),
    summary({ suppressed: { reject: {} } }),
    summary({ suppressed: { reject: { x: 1 }, tag: {} } }),
    summary({ suppressed: { reject: { denied: '1' }, tag: {} } })
  ]
  const others = [
    '{"level":30,"msg":"incoming request"}',
    '{"moengage":{"code":"MOE_WARN_STALE"}}',
    '{"moengage":[]}',
    '',
    '{"a":{"moengage":null}}'
  ]
  const { found, code } = await report([
    ...broken,
    ...others,
    line({ listedFor: [7, {}], policy: null, route: 7 }),
    line({ listedFor: 'x' })
  ])
  t.equal(code, 0)
  t.match(found.lines, { read: broken.length + 6, own: 2, broken: broken.length, tooLong: 0 })
  t.match(found.senders, [{ clientIp: '198.51.100.7', listedFor: [], routes: [] }])
})

t.test('a byte order mark, CRLF and blank lines are no broken lines', async (t) => {
  const { found } = await report([`\ufeff${line({})}\r`, '\r', '  ', `${line({})}\r`])
  t.match(found.lines, { read: 2, own: 2, broken: 0 })
})

t.test('an address that the logger itself left out, or that is endless, costs no rejection', async (t) => {
  const endless = 'x'.repeat(5000)
  const { found } = await report([
    line({ clientIp: undefined }),
    line({ clientIp: endless, route: endless, removed: endless })
  ])
  t.match(found, {
    lines: { own: 2, broken: 0 },
    rejected: { total: 2 },
    withoutSender: 1,
    senders: [{ clientIp: 'x'.repeat(200), routes: ['x'.repeat(200)], removed: null }]
  })
})

t.test('files are read one after the other, packed or not, and what cannot be read is told', async (t) => {
  const packed = gzipSync(`${line({})}\n${line({})}\n`)
  const dir = t.testdir({
    'a.log': `${line({})}\r\n`,
    'b.log.gz': packed,
    'twice.gz': Buffer.concat([packed, packed]),
    'cut.gz': gzipSync(Array.from({ length: 20_000 }, (_, i) => line({ requestId: i * 7919 })).join('\n')).subarray(
      0,
      20_000
    ),
    'empty.log': '',
    'short.log': '\n'
  })
  const file = (name: string) => join(dir, name)
  const counts = async (...names: string[]) => {
    const { stdout } = await run(['report', '--json', ...names.map((name) => (name === '-' ? name : file(name)))], {
      stdin: packed
    })
    return JSON.parse(stdout).rejected.total
  }
  t.equal(await counts('a.log', 'b.log.gz', 'twice.gz', 'empty.log', 'short.log'), 7)
  t.equal(await counts('a.log', '-'), 3)
  const cut = await run(['report', '--json', file('cut.gz')])
  t.equal(cut.code, 0)
  t.match(cut.stderr, /warning: .*cut\.gz.* ends early \(unexpected end of file\); what could be unpacked is counted/)
  t.ok(JSON.parse(cut.stdout).rejected.total > 100)
  const cutInput = await run(['report', '-'], { stdin: gzipSync(line({})).subarray(0, 60) })
  t.match(cutInput, { code: 0, stderr: /^warning: Standard input ends early/ })
  const missing = await run(['report', file('missing.log')])
  t.strictSame([missing.code, missing.stdout], [2, ''])
  t.match(missing.stderr, /missing\.log.* cannot be read: ENOENT/)
  t.match(await run(['report', '--senders', 'x']), { code: 2, stderr: /Write a whole number/ })
})

t.test('the text says what to do next', async (t) => {
  const { stdout } = await run(['report', '--senders', '2'], {
    stdin: [
      ...Array.from({ length: 4 }, (_, i) => line({ clientIp: `198.51.100.${i}` }, { time: TIME + i * 3_600_000 })),
      line({ clientIp: 'x\n\u001b[2J`', suppressed: 1203, reason: 'proxy-not-configured' }),
      'broken',
      `{"${'x'.repeat(LONGEST_LINE)}":1}`,
      summary({ suppressed: { reject: { 'not-listed': 2 }, tag: {} } })
    ].join('\n')
  })
  t.equal(stdout, readFileSync('test/fixtures/report.txt', 'utf8'))
  const timeless = summary({ suppressedOf: [{ clientIp: '198.51.100.7', reason: 'denied', count: 1 }] })
  const { stdout: text } = await run(['report'], { stdin: timeless.replace('"time"', '"when"') })
  t.match(text, /^ {2}198\.51\.100\.7 +1 +denied +- +-$/m)
  t.match(
    (await run(['report'], { stdin: '' })).stdout,
    /^0 lines, 0 of them about senders\.\n\nNo line tells a time\./
  )
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
  t.match(stdout, /a bar for 6 hours \(UTC\)/)
  t.match(stdout, /^Rejected: 66,000$/m)
})

t.test('whether "tag" can become "reject" is answered by evidence', async (t) => {
  const tag = (reason: string) => line({ mode: 'tag', reason })
  const verified = summary({ verified: 5 })
  const COVERS = /^The log covers/
  const table: [lines: string[], answer: string, evidence: RegExp[]][] = [
    [[], 'unclear', [/^No line is about senders/]],
    [['{"level":30,"msg":"incoming request"}'], 'unclear', [/^No line is about senders/]],
    [[verified], 'yes', [/^5 requests verified/, /^The log covers 0 minutes: did every channel call/]],
    [[verified, summary({}).replace(`${TIME}`, `${TIME + 3 * 86_400_000}`)], 'yes', [/^5/, /covers 3 days/]],
    [[summary({}).replace(`"time":${TIME},`, '')], 'no', [/^0 requests verified/]],
    [
      [verified, tag('not-listed'), line({ mode: 'tag', clientIp: '18.1.2.3', removed: '2026-11-20', suppressed: 2 })],
      'no',
      [/^5/, /^3 requests from addresses that were removed/, /^1 request from addresses that are not/, COVERS]
    ],
    [[tag('not-listed')], 'unclear', [/no summary/, /^1 request from addresses that are not listed/, COVERS]],
    [[verified, tag('not-listed')], 'unclear', [/^5/, /do you know any of them/, COVERS]],
    [[verified, tag('denied')], 'yes', [/^5/, COVERS]],
    ...(
      [
        ['other-data-center', /of other data centers/],
        ['other-channel', /of other channels/],
        ['proxy-not-configured', /your own proxy/],
        ['permissive-trust', /could choose its address/],
        ['stale-list', /while the list was stale/],
        ['unresolved', /without a client IP/]
      ] as const
    ).map(([reason, words]): [string[], string, RegExp[]] => [[verified, tag(reason)], 'no', [/^5/, words, COVERS]])
  ]
  for (const [lines, answer, evidence] of table) {
    const { found } = await report(lines)
    t.match(found.canReject, { answer, evidence }, lines.join())
    t.equal(found.canReject.evidence.length, evidence.length)
  }
})

t.test('lines are the same however the stream is cut, and long ones are only counted', async () => {
  const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constant('x'.repeat(LONGEST_LINE + 1)), fc.constant('é€😀'))
  const lines = fc.array(
    text.map((line) => line.replaceAll('\n', ' ')),
    { maxLength: 8 }
  )
  const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(lines, cuts, fc.boolean(), async (lines, cuts, isPacked) => {
      const plain = Buffer.from(lines.join('\n'))
      const bytes = isPacked ? gzipSync(plain) : plain
      const chunks: Buffer[] = []
      let at = 0
      for (const cut of cuts) {
        chunks.push(bytes.subarray(at, at + cut))
        at += cut
      }
      chunks.push(bytes.subarray(at))
      const found: string[] = []
      let long = 0
      await readLines(Readable.from(chunks.filter(({ length }) => length > 0)), {
        line: (text) => found.push(text),
        tooLong: () => long++
      })
      const isLong = (line: string) => Buffer.byteLength(line) > LONGEST_LINE
      const expected = lines.filter((line) => line !== '' && !isLong(line))
      if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${found} are not ${expected}`)
      if (long !== lines.filter(isLong).length) throw new Error(`${long} long lines`)
    }),
    runs(60)
  )
})

t.test('a histogram keeps every count in few bars', async () => {
  const times = fc.array(
    fc.record({
      time: fc.integer({ min: 0, max: 253_402_300_799_999 }),
      near: fc.integer({ min: 0, max: 1e9 }),
      isNear: fc.boolean()
    }),
    { minLength: 0, maxLength: 300, size: 'max' }
  )
  fc.assert(
    fc.property(times, (times) => {
      const histogram = new Histogram()
      for (const { time, near, isNear } of times) histogram.add(isNear ? TIME + near : time, 2)
      const bars = histogram.bars()
      if (bars.length > 48) throw new Error(`${bars.length} bars`)
      if (bars.reduce((sum, { count }) => sum + count, 0) !== 2 * times.length) throw new Error('a count is lost')
      if (bars.some(({ from }, i) => i > 0 && from <= bars[i - 1]!.from)) throw new Error('they are not in order')
    }),
    runs(100)
  )
})

t.test('a bar on a terminal shows how far the reading is', async (t) => {
  const written: string[] = []
  const terminal = (isTTY: boolean) => ({ isTTY, write: (text: string) => written.push(text) }) as unknown as Output
  const progress = new Progress(terminal(true), 1000)
  for (const bytes of [5, 5, 1, 489, 900]) progress.add(bytes)
  progress.end()
  t.strictSame(written, [
    `\r[${'.'.repeat(30)}] 0 %`,
    `\r[${'.'.repeat(30)}] 1 %`,
    `\r[${'#'.repeat(15)}${'.'.repeat(15)}] 50 %`,
    `\r[${'#'.repeat(30)}] 100 %`,
    '\r\x1b[K'
  ])
  written.length = 0
  for (const silent of [new Progress(terminal(false), 1000), new Progress(terminal(true), 0)]) {
    silent.add(500)
    silent.end()
  }
  new Progress(terminal(true), 9).end()
  t.strictSame(written, [])
})
