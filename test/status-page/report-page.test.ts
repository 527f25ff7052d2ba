import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { line, summary, TIME } from '../report/lines.js'
import { LISTED_IN } from '../support/addresses.js'
import { run } from '../support/cli.js'
import { readPage } from './pages.js'

/** Another line, seven minutes later. */
const LATER = { time: TIME + 7 * 60_000 }

const GENUINE = {
  reason: 'other-data-center',
  clientIp: LISTED_IN['DC-03'],
  listedFor: [{ dataCenter: 'DC-03', channels: ['connector'] }]
}

/** Runs `report --html` over lines. */
async function report(t: Test, lines: readonly string[], ...argv: string[]) {
  const folder = t.testdir({ 'app.log': `${lines.join('\n')}\n` })
  const file = join(folder, 'report.html')
  const result = await run(['report', join(folder, 'app.log'), '--html', file, ...argv])
  const html = readFileSync(file, 'utf8')
  return { ...result, html, ...readPage(html) }
}

t.test('a log becomes a page that says what to do', async (t) => {
  const { textOf, code, stdout } = await report(t, [
    line(GENUINE),
    line({ clientIp: '185.199.108.1' }, LATER),
    line({ clientIp: '185.199.108.1' }, LATER),
    line({ clientIp: null, reason: 'unresolved' })
  ])
  t.equal(code, 0)
  t.match(stdout, /3\.6\.251\.95/, 'the report for the terminal is there as well')
  t.match(textOf('main'), /! Requests that were turned away are probably genuine\. What to do .*is MoEngage DC-03/)
  t.match(
    textOf('main'),
    /Accepted unknown Turned away 4 Was anything genuine turned away\? Likely\. .*of other data centers/
  )
  t.match(
    textOf('senders'),
    /185\.199\.108\.1 2 Not on MoEngage’s list nothing 2026-11-23 12:07 UTC .*\/hooks A stranger/
  )
  t.match(
    textOf('senders'),
    /or your workspace is in DC-03\. If it is, add it to dataCenters\..* 1 request without a known sender/
  )
  t.match(textOf('reasons'), /Turned away Why Requests Not on MoEngage’s list 2 /)
  t.match(
    textOf('time'),
    /one bar for 1 minute: 4 rejected; 2 at most in one bar\..*12:00 UTC 2 2026-11-23 12:07 UTC 2/
  )
})

t.test('a page says how many senders it does not list', async (t) => {
  const { textOf } = await report(t, [line({}), line({ clientIp: '45.33.32.1', suppressed: 2 })], '--senders', '1')
  t.match(textOf('senders'), /1 more sender with 1 rejection: --senders 2 lists them\./)
})

t.test('a log in mode "tag" answers whether the guard can reject', async (t) => {
  const { textOf } = await report(t, [
    line({ ...GENUINE, mode: 'tag' }),
    line({ mode: 'tag', clientIp: '185.199.108.153' })
  ])
  t.match(
    textOf('main'),
    /Let through by mode “tag” 2 They would be turned away\. Can I switch to "reject"\? Not yet\./
  )
  t.match(textOf('reasons'), /Let through by mode “tag”/)
  t.match(textOf('time'), /Rejected, one bar for 1 minute: 2 rejected; /)
  t.notMatch(`${textOf('time')} ${textOf('senders')}`, /turned away/i)
})

t.test('what an allow list of one’s own verified is said beside what was accepted', async (t) => {
  const stranger = line({ mode: 'tag', clientIp: '185.199.108.153' })
  const { textOf } = await report(t, [stranger, summary({ verified: 7, verifiedByAllow: 7 })])
  t.match(textOf('main'), /^(?:.* )?! Whether you can switch .* Accepted 7 7 of them by your own “allow”\. Turned away/)
  t.match(textOf('senders'), /A stranger, or MoEngage without static IPs\./)
})

t.test('a log without a finding, an empty one and an unreadable one say so', async (t) => {
  const calm = await report(t, [summary({ verified: 7 })])
  t.match(calm.textOf('main'), /^(?:.* )?✓ You can switch to “reject”\. Accepted 7 Turned away 0 /)
  t.match(calm.textOf('reasons'), /Nobody was turned away/)
  t.match(calm.textOf('time'), /Nobody was turned away\./)
  const empty = await report(t, ['hello'])
  t.equal(empty.code, 1)
  t.match(empty.textOf('main'), /… The log says nothing about senders\. Counts may be too low/)
  t.match(empty.textOf('senders'), /No sender is named in what was read of the log\./)
  const cut = await report(t, [line({}), line({}).slice(0, -60)])
  t.match(cut.textOf('unreadable'), /it is cut off.*moengage\.rejected/)
  t.match(cut.textOf('main'), /Counts may be too low One line mentions a record/)
})

t.test('an address of MoEngage that is denied is probably genuine', async (t) => {
  const { textOf } = await report(t, [line({ reason: 'denied', listedFor: GENUINE.listedFor })])
  t.match(textOf('main'), /! Requests that were turned away are probably genuine\..*is in your deny list/)
})

t.test('a page draws the conclusions of the text, and none besides', async (t) => {
  const damaged = line({}).slice(0, 130)
  const total = summary({ verified: 9 })
  const table: [what: string, lines: string[], sentence: string, turnedAway: string, time?: RegExp][] = [
    [
      'a stranger that is tagged, and nobody verified',
      [line({ mode: 'tag' }), summary({ rejected: {} })],
      '! Do not switch to “reject” yet.',
      '0'
    ],
    [
      'tagged, and verified',
      [line({ mode: 'tag' }), total],
      '… Whether you can switch to “reject” depends on what is said below.',
      '0'
    ],
    [
      'lines that cannot be read',
      [damaged, damaged],
      '… No line about senders could be read.',
      'unknown',
      /No rejection was counted\./
    ],
    [
      'rejections that cannot be read',
      [total, damaged],
      '… Whether you can switch to “reject” depends on what is said below.',
      'unknown',
      /No rejection was counted\./
    ],
    ['strangers', [line({}), total], '… Requests that were turned away may be genuine.', '1'],
    ['denied', [line({ reason: 'denied' }), total], '✓ Nothing genuine was turned away.', '1'],
    [
      'denied, and a damaged line',
      [line({ reason: 'denied' }), total, damaged],
      '… The log does not say whether anything genuine was turned away.',
      '1'
    ],
    ['a data center', [line(GENUINE), total], '! Requests that were turned away are probably genuine.', '1'],
    [
      'the secret',
      [line({ carriesSecret: true, clientIp: '8.8.8.8' }), total],
      '! Genuine requests were turned away.',
      '1'
    ],
    [
      'both modes',
      [line({}), line({ mode: 'tag' }), total],
      '… Requests that were turned away may be genuine. Whether you can switch to “reject” depends on what is said below.',
      '1'
    ],
    [
      'your own network',
      [line({ isOwn: true, carriesSecret: true }), total],
      '! Requests that were turned away are probably genuine.',
      '1'
    ],
    ['verified only', [total], '✓ You can switch to “reject”.', '0', /Nobody was turned away\./],
    [
      'counted by summaries only',
      [summary({ verified: 9, rejected: { denied: 2 } })],
      '✓ You can switch to “reject”.',
      'unknown',
      /No rejection has a time\./
    ],
    [
      'without a time',
      [line({}, { time: undefined }), total],
      '… Requests that were turned away may be genuine.',
      '1',
      /No rejection has a time\./
    ],
    ['another log', ['hello'], '… The log says nothing about senders.', 'unknown', /No rejection was counted\./]
  ]
  const ANSWERS = /^(Was anything genuine turned away\?|Can I switch to "reject"\?) (.*)\n((?: {2}- .*\n)*)/gm
  for (const [what, lines, sentence, turnedAway, time] of table) {
    const { stdout, textOf } = await report(t, lines)
    const main = textOf('main')
    t.ok(main.startsWith(sentence), `${what}: ${main.slice(0, 200)}`)
    const answers = [...stdout.matchAll(ANSWERS)].map(([, question, answer, evidence]) =>
      [question, answer, ...evidence!.split(/\n? {2}- /)].join(' ').replaceAll(/\s+/g, ' ').trim()
    )
    for (const answer of answers) t.ok(main.includes(answer), `${what}: ${answer}`)
    t.equal([...main.matchAll(/Was anything genuine turned away\?|Can I switch to/g)].length, answers.length, what)
    const [, rejected = turnedAway] = /^Rejected: (\d+)$/m.exec(stdout) ?? []
    t.equal(rejected, turnedAway, what)
    t.match(main, ` Turned away ${turnedAway} `, what)
    if (time !== undefined) t.match(textOf('time'), time, what)
  }
  const { textOf } = await report(t, [line({}), total], '--senders', '0')
  t.notMatch(textOf('senders'), /No sender is named/)
})

t.test('the file needs nothing else, runs nothing, and is one that a hostile log cannot change', async (t) => {
  const { html, elements } = await report(t, [
    line({ clientIp: '<script src=//evil.example></script>', route: '"><img src=x>' })
  ])
  const policy = elements.find(({ attributes }) => attributes['http-equiv'] === 'content-security-policy')
  t.match(
    policy?.attributes.content,
    /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; base-uri 'none'; form-action 'none'$/
  )
  t.notOk(elements.some(({ name }) => name === 'script' || name === 'img'))
  t.notMatch(html, /https?:\/\/(?!www\.w3\.org)/)
})

t.test('a file that cannot be written is an error, and --json goes with the page', async (t) => {
  const folder = t.testdir({ 'app.log': line({}) })
  const log = join(folder, 'app.log')
  t.match(await run(['report', log, '--html', join(folder, 'no', 'report.html')]), {
    code: 2,
    stdout: '',
    stderr: /could not be written/
  })
  await run(['report', log, '--html', join(folder, 'report.html')])
  const old = readFileSync(join(folder, 'report.html'), 'utf8')
  writeFileSync(join(folder, 'report.html'), old.slice(0, 1500))
  const { stdout } = await run(['report', log, '--json', '--html', join(folder, 'report.html')])
  t.equal(JSON.parse(stdout).rejected.total, 1)
  t.equal(readFileSync(join(folder, 'report.html'), 'utf8'), old)
  t.match(await run(['report', log, '--html', '/dev/null']), {
    code: 2,
    stderr: /could not be written: it is not a regular file; name a file behind --html\./
  })
})

t.test('a page takes the place of a page or of an empty file, and never that of a log', async (t) => {
  const log = `${line({})}\n${summary()}\n`
  const folder = t.testdir({
    'app.log': log,
    'app.log.1': log.replaceAll('198.51', '203.0'),
    'app.log.2.gz': gzipSync(log),
    'other.html': '<!doctype html><title>other</title>',
    'empty.html': '',
    'empty.log': '',
    'link.html': t.fixture('symlink', 'app.log')
  })
  const at = (name: string) => (/^-/.test(name) ? name : join(folder, name))
  const refused: [argv: string[], what: RegExp][] = [
    [['--html', 'app.log'], /app\.log is not a page of this command/],
    [['-', '--html', 'app.log'], /app\.log is not a page of this command/],
    [['app.log', '--html', 'app.log'], /app\.log is the log .*app\.log, so/],
    [['app.log', '--html', './app.log'], /is the log .*app\.log, so/],
    [['app.log', '--html', 'link.html'], /link\.html is the log .*app\.log, so/],
    [['link.html', '--html', 'app.log'], /app\.log is the log .*link\.html, so/],
    [['--html', 'app.log.1', 'app.log'], /app\.log\.1 is not a page/],
    [['--html', 'app.log.2.gz', 'app.log'], /app\.log\.2\.gz is not a page/],
    [['--html', 'other.html', 'app.log'], /other\.html is not a page of this command/],
    [['empty.log', '--html', 'empty.log'], /empty\.log is the log/]
  ]
  const contents = () => readdirSync(folder).map((name) => [name, readFileSync(at(name)).toString('latin1')])
  const before = contents()
  for (const [argv, what] of refused) {
    const { code, stdout, stderr } = await run(['report', ...argv.map(at)], { stdin: log })
    t.strictSame([code, stdout], [2, ''], `${argv}`)
    t.match(stderr, what, `${argv}`)
    t.match(stderr, /Name a new file behind --html, and the logs in front of it\./, `${argv}`)
    t.strictSame(contents(), before, `${argv}`)
  }
  for (const file of ['empty.html', 'new.html', 'new.html']) {
    t.equal((await run(['report', at('app.log'), '--html', at(file)])).code, 0)
    t.match(readFileSync(at(file), 'utf8'), /^<!doctype html>/, file)
  }
})

t.test('a line without a time leaves the time of its sender unknown', async (t) => {
  const { textOf } = await report(t, [line({}, { time: undefined })])
  t.match(textOf('senders'), /198\.51\.100\.7 1 Not on MoEngage’s list nothing unknown unknown \/hooks/)
})
