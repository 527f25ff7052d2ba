import { answerParent } from '../measure/child.js'
import { Random } from '../measure/random.js'
import { type Contender, type Timings, timeRounds } from '../measure/rounds.js'
import { type ListName, makeList } from './lists.js'
import { Reference } from './reference.js'
import { SUBJECTS } from './subjects.js'
import { freshStrings, lane, makeTraffic, type TrafficName } from './traffic.js'

/** Times checks of one list. In a process of its own. */
export interface TimingTask {
  readonly list: ListName
  readonly subjects: readonly string[]
  readonly traffic: readonly TrafficName[]
  readonly rounds: number
  readonly milliseconds: number
  readonly seed: number
}

await answerParent(async (task: TimingTask): Promise<Timings> => {
  const list = makeList(task.list)
  const reference = new Reference(list.texts)
  const traffic = task.traffic.map((name) => ({ name, texts: makeTraffic(name, list, reference) }))
  const contenders: Contender<string>[] = task.subjects.flatMap((subject) => {
    const check = SUBJECTS[subject]!.build(list)
    return traffic.map(({ name, texts }) => ({ name: lane(subject, name), run: check, fresh: freshStrings(texts) }))
  })
  return timeRounds(contenders, { ...task, random: new Random(task.seed) })
})
