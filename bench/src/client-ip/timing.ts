import { answerParent } from '../measure/child.js'
import { Random } from '../measure/random.js'
import { type Contender, type Timings, timeRounds } from '../measure/rounds.js'
import { batchOf, GROUPS, type Group, lane } from './headers.js'
import { freshRequests } from './requests.js'
import { type Request, resolversFor } from './resolvers.js'

/** Times the telling of client IPs from one group of headers. In a process of its own. */
export interface TimingTask {
  readonly group: Group
  readonly rounds: number
  readonly seed: number
}

await answerParent(({ group, rounds, seed }: TimingTask): Promise<Timings> => {
  const cases = GROUPS[group]
  const resolvers = Object.entries(resolversFor(cases[0]!.header))
  const contenders: Contender<Request>[] = cases.flatMap((one) =>
    resolvers.map(([name, resolve]) => ({
      name: lane(name, one.name),
      run: resolve,
      fresh: freshRequests(one),
      batch: batchOf(one)
    }))
  )
  return timeRounds(contenders, { rounds, milliseconds: 1, random: new Random(seed) })
})
