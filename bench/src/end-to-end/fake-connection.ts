import type { Server } from 'node:http'
import { Duplex } from 'node:stream'
import type { Requests } from './requests.js'

const PEER = '10.0.0.1'

/**
 * A connection without a network: Node's HTTP server reads requests from it and writes responses to it as to a socket,
 * so that all of the server's work is there and none of the kernel's.
 */
export class FakeConnection extends Duplex {
  /** The status line and what follows, of the last response. */
  response = ''
  #answered: () => void = () => {}
  readonly #address = { address: PEER }

  constructor(server: Server) {
    super({ decodeStrings: false })
    server.emit('connection', this)
  }

  /** As in a real socket, a getter that looks into an object which was filled the first time. */
  get remoteAddress(): string {
    return this.#address.address
  }

  /** Sends a request; `answered` is called when the response is there. One at a time. */
  request(bytes: Buffer, answered: () => void): void {
    this.#answered = answered
    this.push(bytes)
  }

  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    const text = typeof chunk === 'string' ? chunk : chunk.toString('latin1')
    done()
    // Responses are small: each comes in one piece, or in a head and a body that this does not wait for.
    if (!text.startsWith('HTTP/1.1 ')) return
    this.response = text
    this.#answered()
  }
}

/** A few connections to a server, over which requests go in waves. */
export class FakeClient {
  readonly #connections: FakeConnection[]
  readonly #requests: Requests

  constructor(server: Server, requests: Requests, connections = 16) {
    this.#connections = Array.from({ length: connections }, () => new FakeConnection(server))
    this.#requests = requests
  }

  /** The status of the last response. */
  get status(): number {
    return Number(this.#connections[0]!.response.slice(9, 12))
  }

  /** Sends so many requests, in waves of one a connection, each wave when the one before is answered. */
  async send(count: number): Promise<void> {
    for (let sent = 0; sent < count; sent += this.#connections.length) {
      await new Promise<void>((resolve) => {
        let open = this.#connections.length
        const answered = () => {
          if (--open === 0) setImmediate(resolve)
        }
        for (const connection of this.#connections) {
          connection.request(this.#requests(), answered)
        }
      })
    }
  }
}
