import type { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { checkIncoming, givenIncoming, isNodeRequest } from '../client-ip/given.js'
import { countedBy, type Incoming, NodeIncoming, type NodeRequest } from '../client-ip/incoming.js'
import { RejectedError } from '../errors.js'
import { refuseReply } from '../guard/given-fastify.js'
import type { PolicyOptions } from '../guard/guard.js'
import type { GuardRequest } from '../guard/options.js'
import { answerOf } from '../lib/promise.js'
import { refusal } from '../lib/refusal.js'
import { isLogger, type Logger } from '../log/logger.js'
import type { RejectedVerdict, Verdict } from '../verdict/verdict.js'
import { type Failure, failureBody, thrown } from './failure.js'
import { type ActionOptions, type Actions, type Route, withMode } from './routes.js'
import type { ReadyGuard, Standalone } from './standalone.js'

/** A response of Node's own servers. */
export type NodeResponse = ServerResponse | Http2ServerResponse

/** `onReject` where requests and responses are Node's. */
export type NodeOnReject<Request, Response> =
  | 'next'
  | ((request: Request, response: Response, verdict: RejectedVerdict) => unknown)

type RouteOptions<Request, Response> = PolicyOptions & ActionOptions<NodeOnReject<Request, Response>>

/** How a request goes on: to the next handler, or with an error to the one that answers errors. */
export interface Continuation {
  readonly pass: (verdict: Verdict) => void
  readonly fail: (error: Error) => void
}

/** Where a request keeps the verdicts before its latest one, of whatever guard and copy of this package. */
const BEFORE = Symbol.for('moengage-allowlist.before')

/** What guards leave on a request. */
interface Judged {
  /** The latest verdict. */
  moengage?: Verdict
  [BEFORE]?: readonly Verdict[]
}

/** Guards Node's requests, whether Express, Connect or nobody stands behind. */
export class NodeGuard<Request extends NodeRequest, Response extends NodeResponse> {
  readonly #standalone: Standalone<Request, NodeOnReject<Request, Response>>
  /**
   * The verdicts of this guard, to tell them from those of others on the same request. A mark on each request would cost 3 % of one of
   * Express, whose objects take a property in microseconds.
   */
  readonly #own = new WeakSet<Verdict>()

  readonly #fix: string

  /** @param fix what to do where it is called without a request and a response */
  constructor(standalone: Standalone<Request, NodeOnReject<Request, Response>>, fix: string) {
    this.#standalone = standalone
    this.#fix = fix
  }

  /**
   * Judges a request, waiting for the list where it is still on its way; then answers it or lets it pass.
   *
   * @throws OptionsError (`MOE_ERR_OPTIONS`) in a hook of Fastify, and without a request and a response
   */
  handle(
    request: Request,
    response: Response,
    options: RouteOptions<Request, Response> | undefined,
    next: Continuation
  ): void {
    this.#refuseNoResponse(request, response)
    refuseReply(response)
    const { ready } = this.#standalone
    if (ready !== undefined) this.#judge(ready, request, response, options, next)
    else this.#judgeLater(request, response, options, next)
  }

  async #judgeLater(
    request: Request,
    response: Response,
    options: RouteOptions<Request, Response> | undefined,
    next: Continuation
  ): Promise<void> {
    let arrived: NodeIncoming
    let ready: ReadyGuard<Request, NodeOnReject<Request, Response>>
    try {
      // A connection that is closed during the wait has no peer any more.
      arrived = this.#receive(request, undefined)
      ready = await this.#standalone.wait()
    } catch (error) {
      next.fail(thrown(error))
      return
    }
    this.#judge(ready, request, response, options, next, arrived)
  }

  /** A program that calls what it should have passed on, often with options, has no response. */
  #refuseNoResponse(request: unknown, response: unknown): void {
    if (typeof response === 'object' && response !== null) return
    throw isNodeRequest(request)
      ? refusal('response', response, 'is not a response', this.#fix)
      : refusal('request', request, 'is not a request', this.#fix)
  }

  /** Judges without an answer and without a line in the log. */
  judge(request: Request | GuardRequest, policy: PolicyOptions | undefined): Verdict {
    const { guard } = this.#standalone.guard
    if (!isNodeRequest(request)) return guard.decide(policy, undefined, givenIncoming(request), null)
    const own = request as Request
    const incoming = this.#receive(own, this.#earlier(own as Judged))
    checkIncoming(incoming.peer, incoming.headers)
    return guard.ask(policy, own, incoming, this.#standalone.patternOf(own))
  }

  #receive(request: Request, earlier: Verdict | undefined): NodeIncoming {
    const incoming = new NodeIncoming(request, earlier)
    this.#standalone.placement.noteRequest(request)
    return incoming
  }

  /** The verdict by which this guard counted a request before. */
  #earlier(judged: Judged): Verdict | undefined {
    const { moengage } = judged
    if (moengage === undefined) return undefined
    let earlier: Verdict | undefined
    for (const verdict of [...(judged[BEFORE] ?? []), moengage]) {
      if (this.#own.has(verdict)) earlier = countedBy(earlier, verdict)
    }
    return earlier
  }

  #note(judged: Judged, verdict: Verdict): void {
    const { moengage } = judged
    if (moengage !== undefined) judged[BEFORE] = [...(judged[BEFORE] ?? []), moengage]
    judged.moengage = verdict
    this.#own.add(verdict)
  }

  #judge(
    { guard, routes }: ReadyGuard<Request, NodeOnReject<Request, Response>>,
    request: Request,
    response: Response,
    options: RouteOptions<Request, Response> | undefined,
    next: Continuation,
    arrived?: NodeIncoming
  ): void {
    let incoming: Incoming
    let verdict: Verdict
    let route: Route<NodeOnReject<Request, Response>>
    let logger: Logger | undefined
    try {
      const earlier = this.#earlier(request as Judged)
      incoming = arrived === undefined ? this.#receive(request, earlier) : { ...arrived, earlier }
      route = routes.of(options)
      verdict = guard.decide(route.policy, request, incoming, this.#standalone.patternOf(request))
      logger = this.#loggerOf(request)
    } catch (error) {
      next.fail(thrown(error))
      return
    }
    this.#note(request as Judged, verdict)
    if (!verdict.verified) route = withMode(route, guard.mode)
    this.#standalone.report(verdict, incoming, route, request, logger)
    if (verdict.verified || route.actions.mode === 'tag') next.pass(verdict)
    else reject(request, response, verdict, route.actions, next)
  }

  /** The request's own logger, as pino-http adds it. */
  #loggerOf(request: Request): Logger | undefined {
    const { log } = request as { log?: unknown }
    return isLogger(log) ? log : undefined
  }
}

function reject<Request extends NodeRequest, Response extends NodeResponse>(
  request: Request,
  response: Response,
  verdict: RejectedVerdict,
  { statusCode, onReject }: Actions<NodeOnReject<Request, Response>>,
  { fail }: Continuation
): void {
  const rejection = new RejectedError(verdict, statusCode)
  if (onReject === undefined) answerFailure(request, response, rejection)
  else if (onReject === 'next') fail(rejection)
  else answer(onReject, request, response, verdict, rejection, fail)
}

/**
 * Runs the user's `onReject`. We cannot know on return whether it has answered (`response.render` and `sendFile` answer
 * later), so the answer is all its own, as in any handler. Never rejects.
 */
async function answer<Request extends NodeRequest, Response extends NodeResponse>(
  onReject: Exclude<NodeOnReject<Request, Response>, 'next'>,
  request: Request,
  response: Response,
  verdict: RejectedVerdict,
  rejection: RejectedError,
  fail: (error: Error) => void
): Promise<void> {
  // A function that only sends a body does not mean 200.
  response.statusCode = rejection.statusCode as number
  try {
    await answerOf(() => onReject(request, response, verdict))
  } catch (error) {
    if (!response.headersSent) response.statusCode = 200
    if (error) fail(thrown(error))
    else answerFailure(request, response, rejection)
  }
}

/** Answers with the JSON that Fastify would answer with. */
export function answerFailure(request: NodeRequest, response: NodeResponse, failure: Failure): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = failureBody(failure)
  response.statusCode = failure.statusCode
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('content-length', Buffer.byteLength(body))
  response.end(request.method === 'HEAD' ? '' : body)
}
