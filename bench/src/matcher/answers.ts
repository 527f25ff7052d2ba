import { bytesPerCall } from '../measure/allocation.js'
import { answerParent } from '../measure/child.js'
import { type ListName, makeList } from './lists.js'
import { Reference } from './reference.js'
import { type Check, SUBJECTS } from './subjects.js'
import { freshStrings, lane, makeTraffic, oddSpellings, type TrafficName } from './traffic.js'

/** Counts the wrong answers and the garbage of some subjects. In a process of its own, with a large nursery. */
export interface AnswersTask {
  readonly list: ListName
  readonly subjects: readonly string[]
  readonly traffic: readonly TrafficName[]
}

export interface Answers {
  /** Bytes a check by subject and traffic. */
  readonly bytes: Record<string, number>
  /** The share of questions that were answered otherwise than by the reference, by subject and traffic. */
  readonly wrong: Record<string, number>
  /** How many spellings that are no listed address were taken for one, by subject. */
  readonly fooled: Record<string, string>
}

const MOST_QUESTIONS = 5000
const MOST_MS = 150

// Hono's middleware is not awaited, so what it throws on an odd spelling nobody catches.
process.on('unhandledRejection', () => {})

await answerParent((task: AnswersTask): Answers => {
  const list = makeList(task.list)
  const reference = new Reference(list.texts)
  const traffic = task.traffic.map((name) => ({ name, texts: makeTraffic(name, list, reference) }))
  const odd = list.texts.filter((text) => /^[\d.]+$/.test(text)).slice(0, 10)
  const spellings = odd.flatMap(oddSpellings)
  const answers: Answers = { bytes: {}, wrong: {}, fooled: {} }
  for (const subject of task.subjects) {
    const check = SUBJECTS[subject]!.build(list)
    for (const { name, texts } of traffic) {
      answers.bytes[lane(subject, name)] = bytesPerCall({ run: check, fresh: freshStrings(texts) })
      answers.wrong[lane(subject, name)] = wrongShare(check, texts, reference)
    }
    const accepted = spellings.filter((text) => safely(check, text) === true)
    answers.fooled[subject] = `${accepted.length / odd.length} of ${spellings.length / odd.length}`
  }
  return answers
})

function wrongShare(check: Check, texts: readonly string[], reference: Reference): number {
  const deadline = performance.now() + MOST_MS
  let asked = 0
  let wrong = 0
  for (const text of texts.slice(0, MOST_QUESTIONS)) {
    asked++
    if (safely(check, text) !== reference.has(text)) wrong++
    if (performance.now() > deadline) break
  }
  return wrong / asked
}

/** What throws gives no answer. */
function safely(check: Check, text: string): boolean | undefined {
  try {
    return check(text)
  } catch {
    return undefined
  }
}
