import type { Connection, Dial } from './connection.js'

/**
 * A connection that is made when it is needed. Whatever takes too long ends it, and the next command makes a new one: on a half-open
 * connection a client waits for ever, and what it has queued would be sent later.
 */
export class Line {
  readonly #dial: Dial
  readonly #timeout: number
  readonly #opened: ((connection: Connection) => Promise<unknown>) | undefined
  #connecting: Promise<Connection> | undefined
  #isClosed = false

  /** @param opened prepares each new connection */
  constructor(dial: Dial, timeout: number, opened?: (connection: Connection) => Promise<unknown>) {
    this.#dial = dial
    this.#timeout = timeout
    this.#opened = opened
  }

  /** Runs commands on the connection, in bounded time. */
  async use<Answer>(run: (connection: Connection) => Promise<Answer>): Promise<Answer> {
    if (this.#isClosed) throw new Error('The store is closed.')
    this.#connecting ??= this.#connect()
    const connecting = this.#connecting
    try {
      return await this.#inTime(run(await this.#inTime(connecting)))
    } catch (error) {
      // An answer that says no is no reason to give up the connection.
      if (!isAnswer(error)) this.#end(connecting)
      throw error
    }
  }

  /** Whether there is a connection, or one is being made. */
  get isOpen(): boolean {
    return this.#connecting !== undefined
  }

  close(): void {
    this.#isClosed = true
    if (this.#connecting !== undefined) this.#end(this.#connecting)
  }

  #connect(): Promise<Connection> {
    const dialed = Promise.resolve().then(() => this.#dial(() => this.#end(connecting)))
    const connecting: Promise<Connection> = dialed.then(async (connection) => {
      try {
        await this.#inTime(Promise.resolve(this.#opened?.(connection)))
      } catch (error) {
        connection.destroy()
        throw error
      }
      return connection
    })
    connecting.catch(() => this.#end(connecting))
    return connecting
  }

  #end(connecting: Promise<Connection>): void {
    if (this.#connecting === connecting) this.#connecting = undefined
    connecting.then(
      (connection) => connection.destroy(),
      () => {}
    )
  }

  #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`It did not answer within ${this.#timeout} ms.`)), this.#timeout)
    })
    // What is late may still fail.
    answer.catch(() => {})
    return Promise.race([answer, late]).finally(() => clearTimeout(timer))
  }
}

/** Whether an error is an answer of the server: `WRONGTYPE …`, `NOPERM …`. */
function isAnswer(error: unknown): boolean {
  return (
    /^[A-Z]{2,} /.test((error as Error).message) &&
    !/^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY) /.test((error as Error).message)
  )
}
