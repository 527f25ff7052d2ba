import type { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { RejectedError } from '../errors.js'
import type { PolicyOptions } from '../guard/guard.js'
import type { GuardRequest } from '../guard/options.js'
import { isLogger, type Logger } from '../log/rejection-log.js'
import type { RejectedVerdict, Verdict } from '../verdict/verdict.js'
import type { ActionOptions, Actions } from './actions.js'
import { type Failure, failureBody } from './failure-body.js'
import { type NodeRequest, serverOf } from './request-judge.js'
import type { Route } from './routes.js'
import type { Start, Started } from './standalone.js'
import { thrown } from './thrown.js'

/** A response of Node's own servers. */
export type NodeResponse = ServerResponse | Http2ServerResponse

/** `onReject` where requests and responses are Node's. */
export type NodeOnReject<Request, Response> =
  | 'next'
  | ((request: Request, response: Response, verdict: RejectedVerdict) => unknown)

type RouteOptions<Request, Response> = PolicyOptions & ActionOptions<NodeOnReject<Request, Response>>

/** What becomes of a request: on to whoever is next, or an error for whoever answers errors. */
export interface Ways {
  readonly pass: (verdict: Verdict) => void
  readonly fail: (error: Error) => void
}

/** Guards Node's requests, whether Express, Connect or nobody stands behind. */
export class NodeGuard<Request extends NodeRequest, Response extends NodeResponse> {
  readonly #start: Start<Request, NodeOnReject<Request, Response>>

  constructor(start: Start<Request, NodeOnReject<Request, Response>>) {
    this.#start = start
  }

  /** Judges a request, waiting for the list where it is still on its way; then answers it or lets it pass. */
  handle(request: Request, response: Response, options: RouteOptions<Request, Response> | undefined, ways: Ways): void {
    const { now } = this.#start
    if (now !== undefined) this.#decide(now, request, response, options, ways)
    else this.#start.wait().then((started) => this.#decide(started, request, response, options, ways), ways.fail)
  }

  /** Judges without an answer and without a line in the log. */
  judge(request: Request | GuardRequest, policy: PolicyOptions | undefined): Verdict {
    const { requests } = this.#start.started
    if (!('socket' in request)) return requests.judgeConnection(request, policy)
    return requests.judge(request, request, serverOf(request), policy, this.#start.routeOf(request))
  }

  #decide(
    { requests, routes }: Started<Request, NodeOnReject<Request, Response>>,
    request: Request,
    response: Response,
    options: RouteOptions<Request, Response> | undefined,
    ways: Ways
  ): void {
    let verdict: Verdict
    let route: Route<NodeOnReject<Request, Response>>
    try {
      route = routes.of(options)
      verdict = requests.judge(request, request, serverOf(request), route.policy, this.#start.routeOf(request))
    } catch (error) {
      ways.fail(thrown(error))
      return
    }
    ;(request as { moengage?: Verdict }).moengage = verdict
    this.#start.tell(verdict, route, request, this.#loggerOf(request))
    if (verdict.verified || route.actions.mode === 'tag') ways.pass(verdict)
    else reject(request, response, verdict, route.actions, ways)
  }

  /** The request's own logger, as pino-http adds it, or the guard's. */
  #loggerOf(request: Request): Logger {
    const { log } = request as { log?: unknown }
    return isLogger(log) ? log : this.#start.logger
  }
}

function reject<Request extends NodeRequest, Response extends NodeResponse>(
  request: Request,
  response: Response,
  verdict: RejectedVerdict,
  { statusCode, onReject }: Actions<NodeOnReject<Request, Response>>,
  { fail }: Ways
): void {
  const rejection = new RejectedError(verdict, statusCode)
  if (onReject === undefined) answerFailure(request, response, rejection)
  else if (onReject === 'next') fail(rejection)
  else answer(onReject, request, response, verdict, rejection, fail)
}

/**
 * Lets the user answer. Whether that was done cannot be told when the function returns (`response.render` and `sendFile`
 * answer later), so the answer is all its own, as in any handler. Never rejects.
 */
async function answer<Request extends NodeRequest, Response extends NodeResponse>(
  onReject: Exclude<NodeOnReject<Request, Response>, 'next'>,
  request: Request,
  response: Response,
  verdict: RejectedVerdict,
  rejection: RejectedError,
  fail: (error: Error) => void
): Promise<void> {
  // Whoever only sends a body does not mean 200.
  response.statusCode = rejection.statusCode as number
  try {
    await onReject(request, response, verdict)
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
