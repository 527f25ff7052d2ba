import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { answerParent } from '../measure/child.js'
import { Random } from '../measure/random.js'
import type { Comparison, Measured } from './comparison.js'
import { makeRequests } from './requests.js'
import { alternate, COPY } from './slices.js'

// Server time over loopback: this process is the client. What counts is the processor time of the server's process, the
// kernel's part included, not the time that passes.

const CONNECTIONS = 8
const REQUESTS = 1200

await answerParent(async (task: Comparison): Promise<Measured> => {
  const names = [task.base, COPY, ...task.others]
  const apps = names.map((name) => (name === COPY ? task.base : name))
  const server = fork(new URL('loopback-server.js', import.meta.url), [JSON.stringify({ apps, log: task.log })], {
    execArgv: ['--max-semi-space-size=16']
  })
  const [ports] = (await once(server, 'message')) as [number[]]
  const requests = makeRequests(task.traffic)
  const clients = await Promise.all(ports.map((port) => Client.connect(port, requests)))
  const slices = clients.map((client, i) => {
    const slice = async () => {
      const before = await processorTime(server)
      await client.send(REQUESTS)
      return (((await processorTime(server)) - before) * 1000) / REQUESTS
    }
    return [names[i]!, slice] as const
  })
  const timings = await alternate(Object.fromEntries(slices), { ...task, warmUp: 6, random: new Random(task.seed) })
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

/** A few connections that are kept alive, each with one request under way. */
class Client {
  status = 0
  readonly #sockets: readonly Socket[]
  readonly #requests: readonly Buffer[]
  #next = 0
  #unsent = 0
  #unanswered = 0
  #done: () => void = () => {}

  private constructor(sockets: readonly Socket[], requests: readonly Buffer[]) {
    this.#sockets = sockets
    this.#requests = requests
    for (const socket of sockets) socket.on('data', (chunk: Buffer) => this.#answered(socket, chunk))
  }

  static async connect(port: number, requests: readonly Buffer[]): Promise<Client> {
    const sockets = Array.from({ length: CONNECTIONS }, () => connect({ port, host: '127.0.0.1', noDelay: true }))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    return new Client(sockets, requests)
  }

  send(count: number): Promise<void> {
    this.#unsent = count
    this.#unanswered = count
    return new Promise((resolve) => {
      this.#done = resolve
      for (const socket of this.#sockets) this.#request(socket)
    })
  }

  #request(socket: Socket): void {
    if (this.#unsent === 0) return
    this.#unsent--
    socket.write(this.#requests[this.#next]!)
    this.#next = (this.#next + 1) % this.#requests.length
  }

  #answered(socket: Socket, chunk: Buffer): void {
    const head = chunk.toString('latin1', 0, 12)
    // A body may come in a piece of its own, which is no further answer.
    if (!head.startsWith('HTTP/1.1 ')) return
    this.status = Number(head.slice(9))
    if (--this.#unanswered === 0) this.#done()
    else this.#request(socket)
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
