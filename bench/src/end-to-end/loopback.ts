import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { answerParent } from '../measure/child.js'
import { Random } from '../measure/random.js'
import type { Comparison, Measured } from './comparison.js'
import { LoopbackClient } from './loopback-client.js'
import { makeRequests } from './requests.js'
import { alternate, COPY } from './slices.js'

// Server time over loopback: this process is the client. What counts is the processor time of the server's process, the
// kernel's part included, not the time that passes.

await answerParent(async (task: Comparison): Promise<Measured> => {
  const names = [task.base, COPY, ...task.others]
  const apps = names.map((name) => (name === COPY ? task.base : name))
  const server = fork(new URL('loopback-server.js', import.meta.url), [JSON.stringify({ apps, log: task.log })], {
    execArgv: ['--max-semi-space-size=16']
  })
  const [ports] = (await once(server, 'message')) as [number[]]
  const requests = makeRequests(task.traffic)
  const clients = await Promise.all(ports.map((port) => LoopbackClient.connect(port, requests)))
  const slices = clients.map((client, i) => {
    const slice = async () => {
      const before = await processorTime(server)
      await client.send(task.requests)
      return (((await processorTime(server)) - before) * 1000) / task.requests
    }
    return [names[i]!, slice] as const
  })
  const timings = await alternate(Object.fromEntries(slices), { ...task, random: new Random(task.seed) })
  const statuses = clients.map(({ status }, i) => [names[i]!, status] as const)
  for (const client of clients) client.close()
  server.disconnect()
  return { timings, statuses: Object.fromEntries(statuses) }
})

/** Microseconds of processor time that a process has used so far, by its own account. */
async function processorTime(child: ChildProcess): Promise<number> {
  child.send('processor time?')
  const [microseconds] = (await once(child, 'message')) as [number]
  return microseconds
}
