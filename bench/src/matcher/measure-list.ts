import { ALLOCATION_FLAGS } from '../measure/allocation.js'
import { runChild } from '../measure/child.js'
import { addTimings, type Timings } from '../measure/rounds.js'
import type { Answers, AnswersTask } from './answers.js'
import type { BuildCost, BuildTask } from './build-cost.js'
import type { ListName } from './lists.js'
import { LOOP, MATCHER, READING, subjectsFor } from './subjects.js'
import type { TimingTask } from './timing.js'
import type { TrafficName } from './traffic.js'

/** All that was measured with one list. */
export interface ListResult {
  readonly list: ListName
  readonly subjects: readonly string[]
  readonly traffic: readonly TrafficName[]
  readonly timings: Timings
  readonly answers: Answers
  readonly builds: Record<string, BuildCost>
}

const PLANS: Record<ListName, { traffic: readonly TrafficName[]; processes: number; rounds: number }> = {
  real: { traffic: ['senders', 'flood', 'neighbours', 'mapped', 'flood6'], processes: 3, rounds: 9 },
  '10k': { traffic: ['senders', 'flood', 'mapped', 'senders6', 'flood6'], processes: 3, rounds: 5 },
  '50k': { traffic: ['senders', 'flood', 'mapped', 'senders6', 'flood6'], processes: 2, rounds: 7 }
}

/** Nanoseconds a check. */
export function timeChecks(task: TimingTask): Promise<Timings> {
  return runChild<Timings>(new URL('timing.js', import.meta.url), task)
}

/** Wrong answers and garbage. */
export function answerChecks(task: AnswersTask): Promise<Answers> {
  return runChild<Answers>(new URL('answers.js', import.meta.url), task, ALLOCATION_FLAGS)
}

/** Measures checks of one list: several processes one after the other, since no two compile everything alike. */
export async function measureList(list: ListName): Promise<ListResult> {
  const { traffic, processes, rounds } = PLANS[list]
  const subjects = subjectsFor(list)
  const timings: Timings = {}
  for (let seed = 1; seed <= processes; seed++) {
    const task: TimingTask = { list, subjects, traffic, rounds, milliseconds: 1, seed }
    addTimings(timings, await timeChecks(task))
  }
  const question: AnswersTask = { list, subjects, traffic }
  const answers = await answerChecks(question)
  const builds: Record<string, BuildCost> = {}
  for (const subject of list === '50k' ? [MATCHER, LOOP] : subjects) {
    if (subject === READING) continue
    const task: BuildTask = { list, subject, times: list === '50k' ? 2 : 5 }
    builds[subject] = await runChild<BuildCost>(new URL('build-cost.js', import.meta.url), task)
  }
  return { list, subjects, traffic, timings, answers, builds }
}
