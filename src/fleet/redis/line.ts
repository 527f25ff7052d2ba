import type { Connection, Dial } from './connection.js'

/** One attempt: a connection that is being made, or is made, until it is ended. */
interface Attempt {
  readonly connecting: Promise<Connection>
  /** Ends it, with the reason. */
  readonly controller: AbortController
}

/**
 * A connection that is made when it is needed. Whatever takes too long ends it, and the next command makes a new one: on a half-open
 * connection a client waits for ever, and what it has queued would be sent later.
 */
export class Line {
  readonly #dial: Dial
  readonly #timeout: number
  readonly #opened: ((connection: Connection) => Promise<unknown>) | undefined
  #attempt: Attempt | undefined
  #isClosed = false

  /** @param opened prepares each new connection */
  constructor(dial: Dial, timeout: number, opened?: (connection: Connection) => Promise<unknown>) {
    this.#dial = dial
    this.#timeout = timeout
    this.#opened = opened
  }

  /** Runs commands on the connection, in bounded time. */
  async use<Answer>(run: (connection: Connection) => Promise<Answer>): Promise<Answer> {
    if (this.#isClosed) throw closed()
    this.#attempt ??= this.#connect()
    const attempt = this.#attempt
    try {
      return await this.#inTime(run(await this.#inTime(attempt.connecting)))
    } catch (error) {
      // An answer that says no is no reason to give up the connection.
      if (isAnswer(error)) throw error
      this.#end(attempt, error)
      // What waited on a connection that was ended fails for the reason of that.
      throw attempt.controller.signal.reason
    }
  }

  /** Whether there is a connection, or one is being made. */
  get isOpen(): boolean {
    return this.#attempt !== undefined
  }

  close(): void {
    this.#isClosed = true
    if (this.#attempt !== undefined) this.#end(this.#attempt, closed())
  }

  #connect(): Attempt {
    const controller = new AbortController()
    const dialed = this.#dial(controller.signal, (reason) => this.#end(attempt, reason))
    const connecting = dialed.then(async (connection) => {
      await this.#opened?.(connection)
      return connection
    })
    const attempt = { connecting, controller }
    connecting.catch((error) => this.#end(attempt, error))
    return attempt
  }

  #end(attempt: Attempt, reason: unknown): void {
    if (this.#attempt === attempt) this.#attempt = undefined
    attempt.controller.abort(reason)
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

const closed = () => new Error('The store is closed.')

/** Whether an error is an answer of the server: `WRONGTYPE …`, `NOPERM …`. */
function isAnswer(error: unknown): boolean {
  return (
    /^[A-Z]{2,} /.test((error as Error).message) &&
    !/^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY) /.test((error as Error).message)
  )
}
