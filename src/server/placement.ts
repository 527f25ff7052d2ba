import type { IncomingMessage } from 'node:http'
import type { Problem } from '../errors.js'
import { findBuiltin } from '../lib/builtin.js'
import { quoted } from '../lib/text.js'

/** Published by Node for each request, before any handler runs. */
const REQUEST_START = 'http.server.request.start'

/** How often the same line of code makes a guard before it is taken for a request handler. */
const REPEATED = 3

/** How many requests pass a guard by before it is taken for one that is mounted at another path. */
const UNSEEN = 3

/** Maximum number of places that are told apart. */
const MAX_PLACES = 100

/** Guards that were not closed, by the calls that made them. */
const made = new Map<string, number>()

/** Where a guard stands, as far as a wrong place can be noticed. */
export class Placement {
  readonly #place = callers()
  #stopCounting: (() => void) | undefined

  constructor() {
    if (made.size < MAX_PLACES || made.has(this.#place)) made.set(this.#place, this.#count + 1)
  }

  get #count(): number {
    return made.get(this.#place) ?? 0
  }

  /** A warning where the same call has made guards before, and nobody closed them. */
  get repeated(): Problem | undefined {
    if (this.#place === '' || this.#count !== REPEATED) return undefined
    return {
      code: 'MOE_WARN_GUARD_REPEATED',
      path: '',
      value: undefined,
      message: `The same line of code made ${REPEATED} guards, and none of them was closed: each has its own counters, timer and source.`,
      fix: 'Make the guard once, outside of the request handler, and use it for all requests; close guards that you no longer need.'
    }
  }

  /**
   * Counts the requests with a body that this process gets. `GET` is left out: health checks come first on any server.
   *
   * @param hasJudged whether the guard has seen one
   * @param warn called at most once
   */
  countRequests(hasJudged: () => boolean, warn: (problem: Problem) => void): void {
    const channels = findBuiltin('node:diagnostics_channel')
    if (channels === undefined) return
    let count = 0
    const onRequest = (message: unknown) => {
      const { method, url } = (message as { request: IncomingMessage }).request
      if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || ++count < UNSEEN) return
      this.#stopCounting!()
      if (hasJudged()) return
      const [path] = url!.split('?')
      warn({
        code: 'MOE_WARN_NO_REQUESTS',
        path: '',
        value: path,
        message: `The servers of this process got ${UNSEEN} requests, the last one ${method} ${quoted(path!)}, and this guard judged none: it protects nothing that was called.`,
        fix: 'If one of them belongs to MoEngage, mount the guard before its handler, at the whole path (Nest adds no global prefix to app.use).'
      })
    }
    channels.subscribe(REQUEST_START, onRequest)
    this.#stopCounting = () => channels.unsubscribe(REQUEST_START, onRequest)
  }

  /** The guard was closed. */
  close(): void {
    this.#stopCounting?.()
    if (this.#count > 1) made.set(this.#place, this.#count - 1)
    else made.delete(this.#place)
  }
}

/** The calls that led here; empty where the runtime keeps none. */
function callers(): string {
  return new Error().stack?.split('\n').slice(1).join('\n') ?? ''
}
