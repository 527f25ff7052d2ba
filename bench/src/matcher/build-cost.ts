import { answerParent } from '../measure/child.js'
import { median } from '../measure/statistics.js'
import { type ListName, makeList } from './lists.js'
import { SUBJECTS } from './subjects.js'

/** Builds one subject from one list. In a process of its own, so that the first build is as cold as at start-up. */
export interface BuildTask {
  readonly list: ListName
  readonly subject: string
  readonly times: number
}

export interface BuildCost {
  /** The first build, with everything still to be compiled, and the median of those after it. */
  readonly firstMs: number
  readonly laterMs: number
  /** What is held afterwards, typed arrays included. */
  readonly bytes: number
}

await answerParent(({ list: listName, subject, times }: BuildTask): BuildCost => {
  const list = makeList(listName)
  const { build } = SUBJECTS[subject]!
  const kept: unknown[] = []
  const milliseconds = Array.from({ length: times }, () => {
    kept.length = 0
    globalThis.gc!()
    const start = performance.now()
    kept.push(build(list))
    return performance.now() - start
  })
  const [firstMs, ...later] = milliseconds as [number, ...number[]]
  const held = usedBytes()
  kept.length = 0
  return { firstMs, laterMs: median(later), bytes: held - usedBytes() }
})

function usedBytes(): number {
  globalThis.gc!()
  globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
