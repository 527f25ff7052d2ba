import type { IncomingMessage } from 'node:http'
import type { Problem } from '../errors.js'
import { findBuiltin } from '../lib/builtin.js'
import { quoted } from '../lib/text.js'

/** Published by Node for each request whose response was sent: whatever stands before the guard has ended by then. */
const RESPONSE_FINISH = 'http.server.response.finish'

/** How often the same line of code makes a guard before it is taken for a request handler. */
const REPEATED = 3

/** How many requests pass a guard by before it is taken for one that is mounted at another path. */
const UNSEEN = 3

/** Maximum length of what is shown of a path, which a client chooses. */
const MAX_SHOWN = 40

/** Maximum number of places that are told apart. */
const MAX_PLACES = 100

/** A place where guards were made that were not closed. */
interface Place {
  /** How many of them count. */
  count: number
  /** Whether the guard that got its list last has judged a request. */
  hasJudged: () => boolean
}

/** Such places, by the calls that led there. */
const places = new Map<string, Place>()

/** How many guards count the requests of this process, or will: for these alone it is remembered which ones are guarded. */
let counting = 0

/** Requests of Node that a guard of this process was called with. */
const guarded = new WeakSet<object>()

/** Notes that a guard was called with a request of Node, whatever becomes of it. */
export function noteGuarded(request: object): void {
  if (counting > 0) guarded.add(request)
}

/** Where a guard stands, as far as a wrong place can be noticed. */
export class Placement {
  readonly #calls = callers()
  readonly #place: Place
  /** Which guard of its place it is, as far as they count; 0 where it does not. */
  #number = 0
  /** What listeners were made for, in a door that makes them. */
  readonly listensTo = new Set<'requests' | 'connections'>()
  #isCalled = false
  #isCounting = true
  #unsubscribe: (() => void) | undefined

  constructor() {
    counting++
    const known = places.get(this.#calls)
    this.#place = known ?? { count: 0, hasJudged: () => false }
    if (known === undefined && places.size < MAX_PLACES) places.set(this.#calls, this.#place)
    // Guards that are made before one of them has judged are made on purpose, at the start: one for each tenant, for example.
    if (known === undefined || known.hasJudged()) this.#number = ++this.#place.count
  }

  /** A warning where the same call has made guards before, which have judged requests and which nobody closed. */
  get repeated(): Problem | undefined {
    if (this.#calls === '' || this.#number !== REPEATED) return undefined
    return {
      code: 'MOE_WARN_GUARD_REPEATED',
      path: '',
      value: undefined,
      message: `The same line of code made ${REPEATED} guards, and none of them was closed: each has its own counters, timer and source.`,
      fix: 'Make the guard once, outside of the request handler, and use it for all requests; close guards that you no longer need.'
    }
  }

  /** Notes that this guard was called with a request of Node. */
  noteRequest(request: object): void {
    this.#isCalled = true
    noteGuarded(request)
  }

  /**
   * Counts the requests with a body that this process has answered and that no guard was called with, until this one is called. `GET` is
   * left out: health checks come first on any server.
   *
   * @param hasJudged whether the guard has judged one, of whatever server
   * @param warn called at most once
   */
  countRequests(hasJudged: () => boolean, warn: (problem: Problem) => void): void {
    this.#place.hasJudged = hasJudged
    const channels = findBuiltin('node:diagnostics_channel')
    if (channels === undefined) return
    let count = 0
    const onResponse = (message: unknown) => {
      if (this.#isCalled) {
        this.#stopCounting()
        return
      }
      const { request } = message as { request: IncomingMessage & { originalUrl?: string } }
      const { method } = request
      const isCounted = method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS' && !guarded.has(request)
      if (!isCounted || ++count < UNSEEN) return
      this.#stopCounting()
      if (hasJudged() || this.#isForConnections) return
      // Express changes the URL on the way.
      const path = beginningOf(request.originalUrl ?? request.url!)
      warn({
        code: 'MOE_WARN_NO_REQUESTS',
        path: '',
        value: path,
        message: `The servers of this process answered ${UNSEEN} requests that no guard judged, the last one ${method} ${quoted(path)}. This guard judged none: it protects nothing that was called.`,
        fix: 'If one of them belongs to MoEngage, mount the guard before its handler, at the whole path (Nest adds no global prefix to app.use).'
      })
    }
    channels.subscribe(RESPONSE_FINISH, onResponse)
    this.#unsubscribe = () => channels.unsubscribe(RESPONSE_FINISH, onResponse)
  }

  /** Such a guard stands in front of no request. */
  get #isForConnections(): boolean {
    return this.listensTo.has('connections') && !this.listensTo.has('requests')
  }

  #stopCounting(): void {
    this.#unsubscribe?.()
    if (this.#isCounting) counting--
    this.#isCounting = false
  }

  /** The guard was closed. */
  close(): void {
    this.#stopCounting()
    if (this.#number === 0) return
    this.#number = 0
    if (--this.#place.count === 0) places.delete(this.#calls)
  }
}

/** The first segment of a path, enough to see which part of a server was called: what follows may be a secret, as the query may. */
function beginningOf(url: string): string {
  const [, segment = '', more = ''] = /^(\/[^/?#]*)(\/)?/.exec(url) ?? []
  const rest = segment.length > MAX_SHOWN ? '…' : more && '/…'
  return `${segment.slice(0, MAX_SHOWN)}${rest}`
}

/** The calls that led here; empty where the runtime keeps none, or the process gives them another form. */
function callers(): string {
  const { stack } = new Error() as { readonly stack?: unknown }
  return typeof stack === 'string' ? stack.split('\n').slice(1).join('\n') : ''
}
