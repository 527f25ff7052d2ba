/**
 * A page for people: whether MoEngage gets through, who was turned away, and what to do.
 *
 * @module moengage-allowlist/status-page
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import { answerOf } from './lib/promise.js'
import { type Failure, thrown } from './server/failure.js'
import { answerFailure } from './server/node-guard.js'
import { readStatusPageOptions, type StatusPageOptions } from './status-page/options.js'
import { type Reply, StatusPage } from './status-page/page.js'

export type { ShownGuard } from './status-page/facts.js'
export type { StatusPageOptions } from './status-page/options.js'

/** Options of the plugin: `prefix` is the path of the page, and the hooks are Fastify's. */
export interface FastifyStatusPageOptions extends StatusPageOptions<onRequestHookHandler> {
  /** The path of the page, such as `/status`. */
  readonly prefix?: string | undefined
}

/**
 * A hook of Express, Connect or `node:http`: it answers the request, or calls `next`. Written as a method's type, so that a hook may
 * expect the requests and responses of its framework.
 */
export type NodeHook = {
  /** Answers the request, or calls `next`. */
  hook(request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): unknown
}['hook']

/** The page as a handler for Express, Connect and `node:http`. */
export interface NodeStatusPage {
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void
  /** Stops counting. Call it when the server is closed. */
  close(): void
}

/** A hook of servers of `Request` and `Response`: it returns an answer, or undefined to let the request pass. */
export type FetchHook = (request: Request) => Response | undefined | Promise<Response | undefined>

/** The page as a handler for servers of `Request` and `Response`. */
export interface FetchStatusPage {
  (request: Request): Promise<Response>
  /** Stops counting. Call it when the server is closed. */
  close(): void
}

const NOT_ALLOWED: Reply = {
  status: 405,
  headers: { allow: 'GET, HEAD', 'content-type': 'text/plain; charset=utf-8' },
  body: 'The page is read with GET.\n'
}

/**
 * Serves the status page as a Fastify plugin. The routes of the page are not guarded, also in the scope of a guard: `hooks.onRequest`
 * protects them.
 *
 * @throws (at start-up) OptionsError (`MOE_ERR_OPTIONS`) where the options are wrong, or nothing protects the page
 * @example
 * await app.register(async (hooks) => {
 *   await hooks.register(moengageAllowlist, { dataCenters: 'DC-01' })
 *   await hooks.register(statusPage, { guard: hooks.moengage, prefix: '/status', hooks: { onRequest: app.basicAuth } })
 * })
 */
export default async function statusPage(app: FastifyInstance, options: FastifyStatusPageOptions): Promise<void> {
  const { guard, hooks } = readStatusPageOptions(options)
  const page = new StatusPage(guard)
  app.addHook('onClose', async () => page.close())
  for (const hook of hooks) app.addHook('onRequest', hook)
  app.get('/', { config: { moengage: false }, logLevel: 'warn' }, async (request, reply) => {
    const { status, headers, body } = await page.respond(queryOf(request.url))
    return reply.code(status).headers(headers).send(body)
  })
}

/**
 * The status page as a handler for Express, Connect and `node:http`. It answers every request that reaches it: mount it at its path.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) where the options are wrong, or nothing protects the page
 * @example
 * app.use('/status', nodeStatusPage({ guard, hooks: { onRequest: requireLogin } }))
 */
export function nodeStatusPage(options: StatusPageOptions<NodeHook>): NodeStatusPage {
  const { guard, hooks } = readStatusPageOptions(options)
  const page = new StatusPage(guard)

  function handler(request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void {
    const fail = (error: unknown) => {
      if (next !== undefined) next(error)
      else answerFailure(request, response, FAILED)
    }
    const pass = (i: number): void => {
      const hook = hooks[i]
      if (hook === undefined) {
        replyTo(page, request.method, () => queryOf(`${request.url}`))
          .then((reply) => answerNode(request, response, reply))
          .catch((error) => fail(thrown(error)))
        return
      }
      const done = (error?: unknown) => (error ? fail(thrown(error)) : pass(i + 1))
      answerOf(() => hook(request, response, done)).catch((error) => fail(thrown(error)))
    }
    pass(0)
  }
  return Object.assign(handler, { close: () => page.close() })
}

const FAILED: Failure = { statusCode: 500, message: 'The page could not be protected or made, so it is not shown.' }

function answerNode(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? '' : body)
}

/**
 * The status page as a handler for Hono, Bun, Deno and other servers of `Request` and `Response`. It answers every request that
 * reaches it: route its path to it.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) where the options are wrong, or nothing protects the page. The handler rejects with what a
 * hook throws.
 * @example
 * const page = fetchStatusPage({ guard, hooks: { onRequest: requireLogin } })
 * app.get('/status', (c) => page(c.req.raw))
 */
export function fetchStatusPage(options: StatusPageOptions<FetchHook>): FetchStatusPage {
  const { guard, hooks } = readStatusPageOptions(options)
  const page = new StatusPage(guard)

  async function handler(request: Request): Promise<Response> {
    for (const hook of hooks) {
      const answer = await answerOf(() => hook(request))
      if (answer !== undefined) return answer as Response
    }
    const { status, headers, body } = await replyTo(page, request.method, () => queryOf(request.url))
    return new Response(request.method === 'HEAD' ? null : body, { status, headers })
  }
  return Object.assign(handler, { close: () => page.close() })
}

async function replyTo(page: StatusPage, method: string | undefined, query: () => URLSearchParams): Promise<Reply> {
  return method === 'GET' || method === 'HEAD' ? page.respond(query()) : NOT_ALLOWED
}

/** The query of a path or URL. */
function queryOf(url: string): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : url.slice(start + 1).split('#')[0])
}
