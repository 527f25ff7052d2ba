import t from 'tap'
import { historyText } from '../../src/cli/history.js'
import { HISTORY } from '../../src/directory/history.js'
import { run, runJson } from '../support/cli.js'

t.test('prints the revisions, what each changed, and what is inferred', async (t) => {
  const { code, stdout, stderr } = await run(['history'])
  t.strictSame([code, stderr], [0, ''])
  t.match(
    stdout,
    /^help-centre-35329024618772 \(day not known\)\n {2}https:.*\n {2}40 addresses in 72 cells\.\n {2}Inferred: /
  )
  t.match(stdout, /\n00ee00ab\w+ \(day not known\)\n.*\n {2}No address changed\.\n/)
  t.match(stdout, '  DC-01 file-segment: +34.218.145.185\n')
  t.match(stdout, /\nf7b9336\w+ \(seen 2026-11-23\)\n/)
  t.match(stdout, '  DC-01 file-segment: -34.218.145.185\n  DC-101 file-segment: no row → 34.218.145.185\n')
})

t.test('prints the history as JSON', async (t) => {
  t.match(await runJson(['history']), { code: 0, stderr: '', value: JSON.parse(JSON.stringify(HISTORY)) })
})

t.test('prints cells of every kind', async (t) => {
  const cell = { dataCenter: 'DC-01', channel: 'sms' } as const
  const entry = { revision: 'r', page: 'p', seen: '2026-12-01', inferred: null, added: [], removed: [] }
  const cells = [
    { ...cell, from: null, to: 'NA' },
    { ...cell, from: 'NA', to: { derivedFrom: ['push'] } },
    { ...cell, from: ['9.9.9.1'], to: null }
  ] as const
  const text = historyText(
    [
      { ...entry, cells: [] },
      { ...entry, cells }
    ],
    (_format, text) => text
  )
  t.match(text, '\n  DC-01 sms: no row → NA\n  DC-01 sms: NA → those of push\n  DC-01 sms: 9.9.9.1 → no row\n')
  t.notMatch(text, 'Inferred')
})
