import { ratio, type Spread, spread } from '../measure/statistics.js'
import { digits, quartiles, table } from '../report/markdown.js'
import type { ListName } from './lists.js'
import type { ListResult } from './measure-list.js'
import { MATCHER, READING, SUBJECTS } from './subjects.js'
import { lane, TRAFFIC, type TrafficName } from './traffic.js'

const TITLES: Record<ListName, string> = {
  real: "MoEngage's 41 addresses",
  '10k': '10,000 mixed prefixes',
  '50k': '50,000 mixed prefixes'
}

/** The cost of a subject relative to another with the same traffic. */
export function timesAs(result: ListResult, subject: string, traffic: TrafficName, other = MATCHER): Spread {
  return ratio(result.timings[lane(subject, traffic)]!, result.timings[lane(other, traffic)]!)
}

/** All tables of one list. */
export function listTables(result: ListResult): string {
  const parts = [`### ${TITLES[result.list]}`]
  for (const traffic of result.traffic) parts.push(`${TRAFFIC[traffic]}.`, checkTable(result, traffic))
  parts.push('Compiling the list, what is then held, and odd spellings of a listed address that pass for it.')
  parts.push(buildTable(result))
  return parts.join('\n\n')
}

function checkTable(result: ListResult, traffic: TrafficName): string {
  const { subjects, timings, answers } = result
  const rows = subjects.map((subject) => {
    const name = lane(subject, traffic)
    const wrong = answers.wrong[name]!
    return {
      cost: spread(timings[name]!).median,
      cells: [
        subject,
        quartiles(spread(timings[name]!)),
        subject === MATCHER ? '1' : quartiles(timesAs(result, subject, traffic)),
        digits(answers.bytes[name]!),
        subject === READING ? '–' : wrong === 0 ? '0' : `${digits(wrong * 100)} %`
      ]
    }
  })
  rows.sort((a, b) => a.cost - b.cost)
  return table(
    ['', 'ns a check', '× ours', 'bytes a check', 'wrong answers'],
    rows.map(({ cells }) => cells)
  )
}

function buildTable({ builds, answers }: ListResult): string {
  const rows = Object.entries(builds).map(([subject, { firstMs, laterMs, bytes }]) => [
    subject,
    digits(firstMs),
    digits(laterMs),
    digits(bytes / 1024),
    answers.fooled[subject] ?? '–'
  ])
  return table(['', 'first build, ms', 'later builds, ms', 'KB held', 'odd spellings accepted'], rows)
}

/** What a reader must know of each subject. */
export function subjectNotes(): string {
  return Object.entries(SUBJECTS)
    .flatMap(([name, { note }]) => (note === undefined ? [] : [`- ${name}: ${note}`]))
    .join('\n')
}
