import { ALLOCATION_FLAGS } from '../measure/allocation.js'
import { runChild } from '../measure/child.js'
import { addTimings, type Timings } from '../measure/rounds.js'
import { median, ratio, spread } from '../measure/statistics.js'
import { machineLine, versionsLine } from '../report/machine.js'
import { digits, quartiles, table } from '../report/markdown.js'
import { type Target, target, targetTable } from '../report/targets.js'
import type { Answers } from './answers.js'
import { type Case, GROUPS, type Group, lane } from './headers.js'
import { FASTIFY_PROXY_ADDR, OURS, PROXY_ADDR } from './resolvers.js'
import type { TimingTask } from './timing.js'

const ALL = Object.keys(GROUPS) as Group[]
const PROCESSES = 2

/** Measures headers → client IP, and gives back the section of the document. */
export async function clientIpPart(): Promise<string> {
  const timings: Timings = {}
  for (let seed = 1; seed <= PROCESSES; seed++) {
    for (const group of ALL) addTimings(timings, await timeGroup({ group, rounds: 9, seed }))
  }
  const answers = await answerGroups(ALL)
  return [
    '## Client IP',
    'From a peer and a header, new each time, to the client IP. A header of so many hops holds what strangers wrote, then ' +
      'the client, then two trusted proxies; with one hop the client alone. Peers are given a trust function compiled ' +
      'beforehand; they do not read Forwarded.',
    `${machineLine()} ${versionsLine([FASTIFY_PROXY_ADDR, PROXY_ADDR])}`,
    '### Targets',
    targetTable(clientIpTargets(timings)),
    '### Ordinary headers',
    caseTable([...GROUPS.ordinary, ...GROUPS['ordinary-forwarded']], timings, answers),
    '### Hostile headers of 16 KB',
    caseTable([...GROUPS.hostile, ...GROUPS['hostile-forwarded']], timings, answers)
  ].join('\n\n')
}

/** Nanoseconds of all resolvers that can read the headers of a group. */
export function timeGroup(task: TimingTask): Promise<Timings> {
  return runChild<Timings>(new URL('timing.js', import.meta.url), task)
}

/** Answers and garbage of all resolvers. */
export function answerGroups(groups: readonly Group[]): Promise<Answers> {
  return runChild<Answers>(new URL('answers.js', import.meta.url), { groups }, ALLOCATION_FLAGS)
}

function caseTable(cases: readonly Case[], timings: Timings, { clients, bytes }: Answers): string {
  const rows = cases.flatMap((one) =>
    [OURS, FASTIFY_PROXY_ADDR, PROXY_ADDR].flatMap((resolver) => {
      const name = lane(resolver, one.name)
      const samples = timings[name]
      if (samples === undefined) return []
      return [
        [
          resolver === OURS ? `**${one.name}**` : '',
          resolver,
          quartiles(spread(samples)),
          resolver === OURS ? '1' : quartiles(ratio(samples, timings[lane(OURS, one.name)]!)),
          digits(bytes[name]!),
          clients[name]!
        ]
      ]
    })
  )
  return table(['', '', 'ns', '× ours', 'bytes', 'answer'], rows)
}

/** What stands in the way where a hostile header costs too much, by what its name ends with. */
const FLOORS: readonly (readonly [name: RegExp, why: string])[] = [
  [/trusted hops$/, 'every address could be a proxy of your own, so 33 hops are parsed before the header is given up.'],
  [
    /quot|backslash/,
    'RFC 7239 does not bound quoted strings, so up to 1,024 characters are read, each once, before the entry is given up.'
  ]
]

/** What is asked of the client IP. */
export function clientIpTargets(timings: Timings): Target[] {
  const times = (value: number) => `${digits(value)} ×`
  const microseconds = (value: number) => `${digits(value)} µs`
  const lead = (name: string, wanted: number) =>
    target(
      `${name}: ours against ${FASTIFY_PROXY_ADDR}`,
      '≥',
      wanted,
      ratio(timings[lane(FASTIFY_PROXY_ADDR, name)]!, timings[lane(OURS, name)]!).median,
      times,
      'reading the client’s own characters, making its text and the result is what is left.'
    )
  const cost = (name: string) => median(timings[lane(OURS, name)]!) / 1000
  return [
    lead('1 hop', 15),
    lead('3 hops', 35),
    lead('20 hops', 45),
    lead('200 hops', 130),
    ...[...GROUPS.hostile, ...GROUPS['hostile-forwarded']].map(({ name }) =>
      target(`16 KB, ${name}`, '≤', 2.5, cost(name), microseconds, FLOORS.find(([pattern]) => pattern.test(name))?.[1])
    )
  ]
}
