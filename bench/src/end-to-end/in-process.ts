import { answerParent } from '../measure/child.js'
import { Random } from '../measure/random.js'
import { APPS, type AppName } from './apps.js'
import type { Comparison, Measured } from './comparison.js'
import { FakeClient } from './fake-connection.js'
import { makeRequests } from './requests.js'
import { alternate, COPY } from './slices.js'

// Server time on fake sockets: applications, client and clock in this one process.

await answerParent(async (task: Comparison): Promise<Measured> => {
  const requests = makeRequests(task.traffic)
  const clients: Record<string, FakeClient> = {}
  for (const name of [task.base, COPY, ...task.others]) {
    const server = await APPS[name === COPY ? task.base : (name as AppName)].start(task.log)
    clients[name] = new FakeClient(server, requests)
  }
  const count = task.requests
  const slices = Object.entries(clients).map(([name, client]) => {
    const slice = async () => {
      const start = performance.now()
      await client.send(count)
      return ((performance.now() - start) * 1e6) / count
    }
    return [name, slice] as const
  })
  const timings = await alternate(Object.fromEntries(slices), { ...task, random: new Random(task.seed) })
  const statuses = Object.entries(clients).map(([name, client]) => [name, client.status] as const)
  return { timings, statuses: Object.fromEntries(statuses) }
})
