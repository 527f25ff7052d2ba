import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { Output } from '../../src/cli/io.js'
import { Progress } from '../../src/cli/report.js'
import { line, summary, TIME } from '../report/lines.js'
import { run, runJson } from '../support/cli.js'

const HOUR = 3_600_000

t.test('files are read one after the other, packed or not', async (t) => {
  const other = (pid: number) => line({}, { pid })
  const packed = (pid: number) => gzipSync(`${other(pid)}\n${line()}\n`)
  const folder = t.testdir({
    'a.log': `${line()}\r\n`,
    'b.log.gz': packed(2),
    'twice.gz': Buffer.concat([packed(3), packed(2)]),
    'powershell.log': Buffer.from(`\ufeff${other(4)}\r\n${line()}\r\n`, 'utf16le'),
    'empty.log': '',
    'short.log': '\n'
  })
  const count = async (...names: string[]) => {
    const files = names.map((name) => (name === '-' ? name : join(folder, name)))
    const { code, value } = await runJson(['report', ...files], { stdin: packed(5) })
    t.equal(code, 0)
    return value.rejected.total
  }
  t.equal(await count('a.log', 'b.log.gz', 'twice.gz', 'powershell.log', 'empty.log', 'short.log'), 9)
  t.equal(await count('a.log', '-'), 3)
  const missing = await run(['report', join(folder, 'missing.log')])
  t.strictSame([missing.code, missing.stdout], [2, ''])
  t.match(missing.stderr, /missing\.log.* cannot be read: ENOENT/)
  t.match(await run(['report'], { stdin: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) }), {
    code: 2,
    stderr: /Standard input cannot be read: it is packed with zstd; unpack it: zstd -dc FILE/
  })
  for (const senders of ['x', '', ' ', '-1', '1.5']) {
    t.match(await run(['report', `--senders=${senders}`]), { code: 2, stderr: /Write a whole number/ }, senders)
  }
  for (const route of ['', ' ']) {
    const stderr = /It is empty\. Write a route's pattern, such as \/hooks\/:id, or leave it out\./
    t.match(await run(['report', '--route', '/x', `--route=${route}`]), { code: 2, stderr })
  }
})

t.test('a span that no line can be in is refused', async (t) => {
  const rows: [since: string, until: string][] = [
    ['2026-11-28', '2026-11-27'],
    ['2026-11-27', '2026-11-27T00:00Z'],
    ['1h', '2h'],
    ['1h', '99999999999d']
  ]
  for (const [since, until] of rows) {
    const { code, stdout, stderr } = await run(['report', '--since', since, '--until', until], { stdin: line() })
    t.strictSame([code, stdout], [2, ''], `${since} to ${until}`)
    t.match(
      stderr,
      /^error: --until \((?:2026|1970)-\S+Z\) is not later than --since \(2026-\S+Z\), so no line is between them\. Write /
    )
  }
  t.match(await run(['report', '--since', '2h', '--until', '1h'], { stdin: line() }), { stderr: '' })
})

t.test('a route that no line names is said, beside the patterns that the log has', async (t) => {
  const lines = [line({ route: '/hooks/:id' }), line({ route: '/x\u001b[2J' }), summary({ verified: 1 })].join('\n')
  const note = 'No line names /hooks/1. A route has the name of its pattern, and the log names /hooks/:id, /x\u001b[2J.'
  const rows: [routes: string[], notes: string[]][] = [
    [['/hooks/1'], [note]],
    [['/hooks/1', '/hooks/:id'], [note]],
    [['/hooks/:id'], []],
    [[], []]
  ]
  for (const [routes, notes] of rows) {
    const argv = ['report', ...routes.flatMap((route) => ['--route', route])]
    t.strictSame((await runJson(argv, { stdin: lines })).value.notes, notes, `${routes}`)
    t.notMatch((await run(argv, { stdin: lines })).stdout, '\u001b[2J')
  }
  const many = Array.from({ length: 30 }, (_, i) => line({ route: `/${i}` })).join('\n')
  t.match((await runJson(['report', '--route', '/x'], { stdin: many })).value.notes, [/names \/0, .*, \/9\.$/])
  t.strictSame(
    (await runJson(['report', '--route', '/x'], { stdin: summary() })).value.notes,
    [],
    'no line has a route'
  )
})

t.test('a file that is named twice is read once, and a copy of it is a doubt', async (t) => {
  const log = `${line()}\n${summary({ verified: 1 })}\n`
  const folder = t.testdir({
    'app.log': log,
    'app.log.gz': gzipSync(log),
    'later.log': log.replaceAll(`${TIME}`, `${TIME + 1}`),
    'link.log': t.fixture('symlink', 'app.log')
  })
  const of = (...names: string[]) =>
    runJson(['report', ...names.map((name) => (name === '-' ? name : `${folder}/${name}`))], { stdin: log })
  for (const names of [
    ['app.log', './app.log'],
    ['app.log', 'link.log'],
    ['-', '-']
  ]) {
    const { code, value, stderr } = await of(...names)
    t.strictSame([code, value.rejected.total, value.doubts], [0, 1, []], `${names}`)
    t.match(stderr, /^warning: .* is the same file as .*, and is read once\.\n$/, `${names}`)
  }
  for (const names of [
    ['app.log', 'app.log.gz'],
    ['-', 'app.log']
  ]) {
    const { code, value } = await of(...names)
    t.equal(code, 1, `${names}`)
    t.match(value.doubts, [/ and .*app\.log.* begin with the same line about senders: .*Name it once\.$/], `${names}`)
  }
  t.strictSame((await of('app.log', 'later.log')).value.doubts, [])
})

t.test('a damaged archive is a doubt, and costs no line that can be unpacked', async (t) => {
  const lines = Array.from({ length: 2_000 }, (_, i) => line({ requestId: i * 7919 })).join('\n')
  const packed = gzipSync(`${lines}\n`)
  const flipped = Buffer.from(packed)
  flipped[packed.length >> 1]! ^= 0x55
  const folder = t.testdir({
    'garbage.gz': Buffer.concat([packed, Buffer.from('garbage')]),
    'cut.gz': packed.subarray(0, -10),
    'flipped.gz': Buffer.concat([flipped, packed])
  })
  const table: [name: string, least: number, doubt: RegExp][] = [
    [
      'garbage.gz',
      2_000,
      /garbage\.gz has other bytes between or behind its parts; all that could be unpacked is counted/
    ],
    ['cut.gz', 1_900, /cut\.gz ends early; all/],
    ['flipped.gz', 2_800, /flipped\.gz (?:is damaged|does not match its checksum); all/]
  ]
  for (const [name, least, doubt] of table) {
    const { code, value } = await runJson(['report', join(folder, name)])
    t.equal(code, 1, name)
    t.ok(
      value.doubts.some((text: string) => doubt.test(text)),
      `${name}: ${value.doubts}`
    )
    t.ok(value.rejected.total >= least, `${name}: ${value.rejected.total}`)
  }
  const { value } = await runJson(['report', '-', join(folder, 'garbage.gz'), join(folder, 'garbage.gz')], {
    stdin: Buffer.concat([gzipSync(line()), Buffer.from('x')])
  })
  t.match(value.doubts, [/^Standard input has other bytes/, /garbage\.gz has other bytes/])
  t.equal(value.doubts.length, 2, 'the same is said once')
})

t.test('a report can be of a time', async (t) => {
  const stdin = [0, 1, 2, 3, 4]
    .map((hours) => line({ suppressed: 10 ** hours }, { time: TIME + hours * HOUR }))
    .join('\n')
  const world = { stdin, now: new Date(TIME + 4.5 * HOUR).toISOString() }
  const table: [argv: string[], from: number, to: number][] = [
    [['--since', '2h'], 3, 4],
    [['--since', '2 hours'], 3, 4],
    [['--since', '150m'], 2, 4],
    [['--since', '0.1d'], 3, 4],
    [['--since', '1w'], 0, 4],
    [['--since', '9000s', '--until', '1h'], 2, 3],
    [['--since', '2026-11-23T13:00:00Z'], 1, 4],
    [['--since', '2026-11-23T15:00:00+02:00'], 1, 4],
    [['--since', '2026-11-23 13:00', '--until', '2026-11-23T15:00Z'], 1, 2],
    [['--until', `${TIME + HOUR}`], 0, 0],
    [['--since', '2026-11-23'], 0, 4]
  ]
  for (const [argv, from, to] of table) {
    const { value } = await runJson(['report', ...argv], world)
    const expected = [0, 1, 2, 3, 4].filter((hours) => hours >= from && hours <= to)
    t.equal(
      value.rejected.total,
      expected.reduce((sum, hours) => sum + 1 + 10 ** hours, 0),
      argv.join(' ')
    )
    t.equal(value.lines.own, expected.length, argv.join(' '))
  }
  for (const text of ['yesterday', '2', '90', '-2h', '2026-11-31', '', '202611230800', '20261123080000']) {
    t.match(
      await run(['report', '--since', text], world),
      { code: 2, stderr: /Write a time like .* 90m, 2h, 7d/ },
      text
    )
  }
})

t.test('a summary behind the end of the time is no summary that is missing', async (t) => {
  const stdin = [line(), summary({}, { time: TIME + HOUR }), line({}, { time: TIME + 9 * HOUR })].join('\n')
  const { code, value } = await runJson(['report', '--until', '2026-11-23T12:30Z'], { stdin })
  t.strictSame([code, value.doubts, value.rejected.total], [0, [], 1])
})

t.test('lines without a time, and a time without lines, are doubts', async (t) => {
  const timeless = await runJson(['report', '--since', '2020-01-31'], {
    stdin: [line(), line({}, { time: undefined })].join('\n')
  })
  t.match(timeless, { code: 1, value: { rejected: { total: 1 }, doubts: [/^One line has no time/] } })
  const none = await runJson(['report', '--until', '2020-01-31'], { stdin: line() })
  t.match(none, {
    code: 1,
    value: { lines: { own: 0 }, doubts: [/^No line about senders is of the time and the routes/] }
  })
  const text = await run(['report', '--until', '2020-01-31'], { stdin: line() })
  t.notMatch(text.stdout, /Can I switch|genuine/, 'no question is answered')
})

t.test('a time without a zone is taken as UTC, which the report says', async (t) => {
  const timeless = line({}, { time: undefined })
  const table: [line: string, isAssumed: boolean][] = [
    [line(), false],
    [timeless, false],
    [line({}, { time: `${TIME / 1000}.5` }), false],
    ...['Z', 'UTC', ' GMT', ' +0530', '+05:30', '-0500', '', ' IST', ' EST', ',25', '.25'].flatMap(
      (zone): [line: string, isAssumed: boolean][] => {
        const isAssumed = !/Z|UTC|GMT|\d\d:?\d\d/.test(zone)
        return [
          [line({}, { time: `2026-11-23 12:00:00${zone}` }), isAssumed],
          [`[2026-11-23 12:00:00${zone}] WARN: ${timeless}`, isAssumed]
        ]
      }
    ),
    [line({}, { time: 'Mon, 23 Nov 2026 12:00:00 EST' }), true],
    [line({}, { time: 'Mon, 23 Nov 2026 12:00:00 GMT' }), false],
    [JSON.stringify({ time: '2026-11-23 12:00', log: line() }), false],
    [JSON.stringify({ time: '2026-11-23 12:00', log: timeless }), true],
    [JSON.stringify({ values: [[`${TIME}000000`, timeless]] }), false]
  ]
  const NOTE = 'One record has a time without a zone such as Z or +05:30, taken as UTC'
  for (const [text, isAssumed] of table) {
    const { code, value } = await runJson(['report'], { stdin: text })
    t.strictSame([code, value.notes, value.doubts], [0, isAssumed ? [`${NOTE}.`] : [], []], text)
  }
  const local = [line({}, { time: '2026-11-23 12:00:00' }), line({}, { time: '2026-11-21 12:00:00' })].join('\n')
  const notes = '2 records have times without a zone such as Z or +05:30, taken as UTC.'
  t.match((await run(['report'], { stdin: local })).stdout, new RegExp(`UTC\\.\n\n${notes.replace('+', '\\+')}\n`))
  const borders: [argv: string[], isDoubtful: boolean][] = [
    [['--since', '2026-11-20'], false],
    [['--since', '2026-11-23T11:00Z'], true],
    [['--since', '2026-11-23T13:00Z'], true],
    [['--until', '2026-11-22T23:00Z'], true],
    [['--until', '2026-11-24T00:00Z'], true],
    [['--until', '2026-11-24T00:01Z'], false],
    [['--since', '2026-11-22T00:30Z'], false]
  ]
  for (const [argv, isDoubtful] of borders) {
    const { value } = await runJson(['report', ...argv], { stdin: local })
    const doubts = value.doubts.filter((doubt: string) => doubt.includes('without a zone'))
    const doubt = `${NOTE}: if it is another, whether these belong to the time that was asked for is unknown.`
    t.strictSame(doubts, isDoubtful ? [doubt] : [], `${argv}`)
  }
  t.match(await run(['report', '--since', '2026-11-23 12:00 IST'], { stdin: local }), {
    code: 2,
    stderr: /Write a time/
  })
})

t.test('a report can be of routes', async (t) => {
  const lines = [line({ route: '/a' }), line({ route: '/b' }), line({ route: '/c' }), line({ route: null })]
  const later = line({}, { time: TIME + 9 * HOUR })
  const of = (total: object) =>
    runJson(['report', '--route', '/a', '--route', '/b'], {
      stdin: [...lines, summary({ verified: 9, rejected: total }), later].join('\n')
    })
  const lost = await of({ 'not-listed': 4, denied: 100 })
  t.equal(lost.code, 1)
  t.match(lost.value, { rejected: { total: 2 }, doubts: [/^The log counts 100 more rejections without a route/] })
  const { code, value } = await of({ 'not-listed': 4 })
  t.equal(code, 0)
  t.match(value, {
    lines: { own: 2 },
    verified: null,
    rejected: { total: 2 },
    unlogged: { total: 0 },
    genuine: { evidence: [/^Summaries do not name routes/, /^2 requests from addresses/] }
  })
})

t.test('a person who starts it without a log gets a hint', async (t) => {
  const stdin = line()
  t.match(await run(['report'], { stdin, isInteractive: true }), {
    code: 0,
    stderr: /^hint: .*Ctrl\+D, or name a file\.\n$/
  })
  t.equal((await run(['report'], { stdin })).stderr, '')
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
