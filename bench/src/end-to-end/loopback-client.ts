import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Requests } from './requests.js'

const CONNECTIONS = 8

/** A few connections that are kept alive, each with one request under way. */
export class LoopbackClient {
  status = 0
  readonly #sockets: readonly Socket[]
  readonly #requests: Requests
  #unsent = 0
  #unanswered = 0
  #done: () => void = () => {}

  private constructor(sockets: readonly Socket[], requests: Requests) {
    this.#sockets = sockets
    this.#requests = requests
    for (const socket of sockets) socket.on('data', (chunk: Buffer) => this.#answered(socket, chunk))
  }

  static async connect(port: number, requests: Requests): Promise<LoopbackClient> {
    const sockets = Array.from({ length: CONNECTIONS }, () => connect({ port, host: '127.0.0.1', noDelay: true }))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    return new LoopbackClient(sockets, requests)
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
    socket.write(this.#requests())
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
