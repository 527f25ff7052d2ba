import { answerParent } from '../measure/child.js'
import { Random } from '../measure/random.js'
import { type Contender, type Timings, timeRounds } from '../measure/rounds.js'
import { HOSTILE, lane, ORDINARY } from './headers.js'
import { freshRequests } from './requests.js'
import { type Request, resolversFor } from './resolvers.js'

/** Times the telling of client IPs. In a process of its own. */
export interface TimingTask {
  readonly rounds: number
  readonly seed: number
}

await answerParent(({ rounds, seed }: TimingTask): Promise<Timings> => {
  const byHeader = { 'x-forwarded-for': resolversFor('x-forwarded-for'), forwarded: resolversFor('forwarded') }
  const contenders: Contender<Request>[] = [...ORDINARY, ...HOSTILE].flatMap((one) =>
    Object.entries(byHeader[one.header]).map(([name, resolve]) => ({
      name: lane(name, one.name),
      run: resolve,
      fresh: freshRequests(one),
      batch: one.text.length > 4096 ? 32 : 512
    }))
  )
  return timeRounds(contenders, { rounds, milliseconds: 1, random: new Random(seed) })
})
