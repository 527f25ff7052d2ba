import t from 'tap'
import type { DirectoryDiff, Snapshot } from '../../src/core.js'
import { run, runJson } from '../support/cli.js'
import { snapshotOf } from '../support/snapshots.js'

/** A list from cells, each keyed `DC-01 sms`, as a snapshot's text. */
const snapshot = (cells: Parameters<typeof snapshotOf>[0], more: Partial<Snapshot> = {}) =>
  JSON.stringify({ ...snapshotOf(cells, { revision: 'r2', retrieved: '2026-11-30' }), ...more })

const old = {
  'DC-01 sms': ['192.0.2.1', '192.0.2.2'],
  'DC-01 push': ['192.0.2.2'],
  'DC-01 file-segment': ['192.0.2.3'],
  'DC-01 email': ['192.0.2.1', '192.0.2.2'],
  'DC-02 sms': 'NA'
} as const
const now = {
  'DC-01 sms': ['192.0.2.1', '2001:db8::/64'],
  'DC-01 push': ['192.0.2.1'],
  'DC-01 file-segment': ['198.51.100.7'],
  'DC-01 email': ['192.0.2.1', '192.0.2.2'],
  'DC-101 file-segment': ['192.0.2.2'],
  'DC-02 sms': ['198.51.100.7'],
  'DC-02 content-api': { derivedFrom: ['sms', 'push'] }
} as const
const folder = t.testdir({ 'old.json': snapshot(old), 'now.json': snapshot(now) })
const paths = [`${folder}/old.json`, `${folder}/now.json`]

t.test('tells what changed in Markdown, with exit code 1', async (t) => {
  const { code, stdout, stderr } = await run(['diff', ...paths])
  t.strictSame([code, stderr], [1, ''])
  t.equal(
    stdout,
    `MoEngage's list changed from revision \`r2\` (2026-11-30) to revision \`r2\` (2026-11-30).

### Added (2)

- \`198.51.100.7\`: DC-01 (file-segment), DC-02 (sms, content-api)
- \`2001:db8::/64\`: DC-01 (sms)

### Removed (1)

- \`192.0.2.3\`: was DC-01 (file-segment)

### Moved (2)

- \`192.0.2.1\`: now also DC-01 (push)
- \`192.0.2.2\`: DC-01 (sms, push) → DC-101 (file-segment)

### Cells (3)

- DC-02 sms: NA → \`198.51.100.7\`
- DC-02 content-api: no row → those of sms, push
- DC-101 file-segment: no row → \`192.0.2.2\`
`
  )
  t.match((await run(['diff', ...paths.toReversed()])).stdout, '- `192.0.2.1`: no longer DC-01 (push)\n')
})

t.test('reads standard input for one list only', async (t) => {
  const { code, stdout, stderr } = await run(['diff', '-', '-'], { stdin: snapshot(old) })
  t.strictSame([code, stdout], [2, ''])
  t.match(stderr, /^error: Standard input can be only one of the two lists\. Name a file for the other\.\n/)
})

t.test('tells of rows that this version does not know', async (t) => {
  const unknown = [{ dataCenter: 'DC-07', name: 'Carrier `Pigeons`', addresses: ['192.0.2.9'] }]
  const { code, stdout } = await run(['diff', paths[0]!, '-'], { stdin: snapshot(old, { unknown }) })
  t.equal(code, 1)
  t.match(
    stdout,
    '\n### Rows that this version does not know (1)\n\n- `DC-07` `Carrier  Pigeons `: no row → `192.0.2.9`\n'
  )
})

t.test('a list that was only checked again is the same', async (t) => {
  const provenance = { page: 'a test', revision: 'r2', retrieved: '2026-11-30', checked: '2026-12-07' }
  const { code, stdout } = await run(['diff', paths[0]!, '-'], { stdin: snapshot(old, { provenance }) })
  t.equal(code, 0)
  t.equal(
    stdout,
    'No address changed from revision `r2` (2026-11-30) to revision `r2` (2026-11-30, checked 2026-12-07).\n'
  )
})

t.test('says that nothing changed, with exit code 0', async (t) => {
  const { code, stdout } = await run(['diff', paths[0]!, paths[0]!])
  t.equal(code, 0)
  t.equal(stdout, 'No address changed from revision `r2` (2026-11-30) to revision `r2` (2026-11-30).\n')
})

t.test('as JSON', async (t) => {
  const different = await runJson(['diff', ...paths])
  t.equal(different.code, 1)
  const { same, before, removed, moved }: DirectoryDiff = different.value
  t.equal(same, false)
  t.strictSame(before, { page: 'a test', revision: 'r2', retrieved: '2026-11-30' })
  t.strictSame(removed, [{ prefix: '192.0.2.3/32', grants: [{ dataCenter: 'DC-01', channel: 'file-segment' }] }])
  t.strictSame(
    moved.map(({ prefix }) => prefix),
    ['192.0.2.1/32', '192.0.2.2/32']
  )
  const equal = await runJson(['diff', 'bundled', 'bundled'])
  t.strictSame([equal.code, equal.value.same], [0, true])
})

t.test('a list cannot steer the terminal, nor the page that its revision is shown on', async (t) => {
  const stdin = snapshot(now, {
    provenance: { page: 'x\u001b[2Jy\nz', revision: 'r`\u001b]0;a', retrieved: '2026-11-30' },
    notes: [{ address: '192.0.2.1', dataCenter: 'DC-01', text: 'a\u001b[1mb\u202ec' }]
  })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/
  t.match((await run(['diff', paths[0]!, '-'], { stdin })).stdout, 'to revision `r ]0;a` (2026-11-30)')
  for (const argv of [
    ['diff', paths[0]!, '-'],
    ['list', '--from', '-'],
    ['explain', '192.0.2.1', '--from', '-']
  ]) {
    t.notMatch((await run(argv, { stdin })).stdout, steering, argv.join(' '))
  }
  const { code, stderr } = await run(['list', '--from', '-'], { stdin: '{"\u001b[2J": x}' })
  t.equal(code, 2)
  t.notMatch(stderr, steering)
})

t.test('writes a message for Slack that can be posted as it is', async (t) => {
  const { code, stdout, stderr } = await run(['diff', ...paths, '--format', 'slack'])
  t.strictSame([code, stderr], [1, ''])
  const { text } = JSON.parse(stdout)
  t.match(
    text,
    /^MoEngage's list changed from revision `r2` \(2026-11-30\) to revision `r2` \(2026-11-30\)\.\n\n\*Added \(2\)\*\n• `198/
  )
  t.match(text, '\n\n*Moved (2)*\n• `192.0.2.1`: now also DC-01 (push)\n')
  const same = await run(['diff', paths[0]!, paths[0]!, '--format', 'slack'])
  t.match(JSON.parse(same.stdout), { text: /^No address changed from .*\.$/ })
  const unknown = [{ dataCenter: 'DC-07', name: 'A <!channel> & `b`\n*c*', addresses: ['192.0.2.9'] }]
  const hostile = { stdin: snapshot(old, { unknown } as never) }
  const slack = await run(['diff', paths[0]!, '-', '--format', 'slack'], hostile)
  t.match(JSON.parse(slack.stdout), { text: /`A &lt;!channel&gt; &amp; +b +\*c\*`: no row → `192\.0\.2\.9`$/ })
  const markdown = await run(['diff', paths[0]!, '-', '--format', 'markdown'], hostile)
  t.match(markdown.stdout, /- `DC-07` `A <!channel> & +b +\*c\*`: no row → `192\.0\.2\.9`\n$/)
})

t.test('a message for Slack is short, however long the list is', async (t) => {
  const many = Array.from({ length: 300 }, (_, i) => `9.9.${Math.floor(i / 250)}.${i % 250}`)
  const { stdout } = await run(['diff', paths[0]!, '-', '--format', 'slack'], {
    stdin: snapshot({ ...old, 'DC-03 sms': many })
  })
  t.match(JSON.parse(stdout).text, /\*Added \(300\)\*\n(?:• .*\n){20}• and 280 more\n/)
})

t.test('--format json is --json, and both at once are refused', async (t) => {
  const json = await run(['diff', ...paths, '--json'])
  t.strictSame(await run(['diff', ...paths, '--format', 'json']), json)
  t.match(await run(['diff', ...paths, '--format', 'slack', '--json']), { code: 2, stderr: /cannot be used with/ })
  t.match(await run(['diff', ...paths, '--format', 'xml']), {
    code: 2,
    stderr: /Allowed choices are markdown, slack, json/
  })
})
