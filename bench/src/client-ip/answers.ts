import { bytesPerCall } from '../measure/allocation.js'
import { answerParent } from '../measure/child.js'
import { batchOf, GROUPS, type Group, lane } from './headers.js'
import { freshRequests } from './requests.js'
import { resolversFor } from './resolvers.js'

/** What is said of each header, and the garbage that it leaves. In a process of its own, with a large nursery. */
export interface Answers {
  readonly clients: Record<string, string>
  readonly bytes: Record<string, number>
}

await answerParent(({ groups }: { groups: readonly Group[] }): Answers => {
  const answers: Answers = { clients: {}, bytes: {} }
  for (const one of groups.flatMap((group) => GROUPS[group])) {
    for (const [name, resolve] of Object.entries(resolversFor(one.header))) {
      const fresh = freshRequests(one)
      const answer = resolve(fresh())
      answers.clients[lane(name, one.name)] = answer.length > 40 ? `${answer.length} characters` : answer
      answers.bytes[lane(name, one.name)] = bytesPerCall({ run: resolve, fresh, batch: batchOf(one) })
    }
  }
  return answers
})
