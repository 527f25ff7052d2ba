import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { BlockList } from 'node:net'
import rateLimit from '@fastify/rate-limit'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import express, { type ErrorRequestHandler } from 'express'
import { IpFilter } from 'express-ipfilter'
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController
} from 'fastify'
import { Hono, type MiddlewareHandler } from 'hono'
import { ipRestriction } from 'hono/ip-restriction'
import ipaddr from 'ipaddr.js'
import moengageAllowlist, { type MoEngageAllowlistOptions } from 'moengage-allowlist'
import { directory, RejectedError } from 'moengage-allowlist/core'
import guardExpress from 'moengage-allowlist/express'
import guardFetch from 'moengage-allowlist/fetch'
import guardHttp from 'moengage-allowlist/http'

/** An application with one webhook route, guarded or not. */
export interface App {
  readonly title: string
  /** The application without a guard that it is compared with. */
  readonly base: AppName
  readonly start: (log: boolean) => Promise<Server>
}

export type AppName =
  | 'fastify'
  | 'empty-hook'
  | 'ours'
  | 'ours-silent'
  | 'ours-logging'
  | 'ours-on-reject'
  | 'ours-request-ip'
  | 'prepared'
  | 'request-ip'
  | 'thrown'
  | 'ipaddr'
  | 'block-list'
  | 'rate-limit'
  | 'http'
  | 'http-empty'
  | 'http-reading'
  | 'http-ours'
  | 'express'
  | 'express-empty'
  | 'express-reading'
  | 'express-ours'
  | 'express-ipfilter'
  | 'hono'
  | 'hono-empty'
  | 'hono-reading'
  | 'hono-ours'
  | 'hono-ip-restriction'

const PROXIES = ['127.0.0.0/8', '10.0.0.0/8']
const OURS = { dataCenters: 'all', clientIp: { trustedProxies: PROXIES }, logLevel: 'silent' } as const
const LISTED = [...new Set(directory.entries.map(({ prefix }) => `${prefix.address}`))]

export const APPS: Record<AppName, App> = {
  fastify: { title: 'Fastify, no guard', base: 'fastify', start: (log) => fastify(log) },
  'empty-hook': {
    title: 'an `onRequest` hook that does nothing',
    base: 'fastify',
    start: (log) => fastify(log, (app) => app.addHook('onRequest', (_request, _reply, done) => done()))
  },
  ours: {
    title: 'ours, own resolver',
    base: 'fastify',
    start: (log) => guarded(log, { clientIp: { trustedProxies: PROXIES } })
  },
  'ours-silent': {
    title: "the same with `logLevel: 'silent'`",
    base: 'ours',
    start: () => webhookLog('silent')
  },
  'ours-logging': {
    title: 'ours, logging as in `examples/webhook-server.ts`',
    base: 'ours-silent',
    start: () => webhookLog('warn')
  },
  'ours-on-reject': {
    title: 'ours, own resolver, answered by `onReject` with a prepared text',
    base: 'fastify',
    start: (log) =>
      guarded(log, { clientIp: { trustedProxies: PROXIES }, onReject: (_request, reply) => refuse(reply) })
  },
  'ours-request-ip': {
    title: 'ours, over `request.ip`',
    base: 'fastify',
    start: (log) => guarded(log, {}, { trustProxy: PROXIES })
  },
  thrown: {
    title: 'an `onRequest` hook that throws at everybody, without a stack: the floor of throwing',
    base: 'fastify',
    start: (log) =>
      fastify(log, (app) => app.addHook('onRequest', (_request, _reply, done) => done(new RejectedError(null, 403))))
  },
  prepared: {
    title: 'an `onRequest` hook that answers everybody with a prepared text: the floor',
    base: 'fastify',
    start: (log) => fastify(log, (app) => app.addHook('onRequest', (_request, reply) => void refuse(reply)))
  },
  'request-ip': {
    title: '`request.ip` read, and nothing done with it',
    base: 'fastify',
    start: (log) => checking(log, ({ ip }) => ip !== '')
  },
  ipaddr: {
    title: 'hand-written hook: `ipaddr.js` over `request.ip`',
    base: 'fastify',
    start: (log) => {
      const list = LISTED.map((text) => ipaddr.parse(text))
      return checking(log, ({ ip }) => {
        const address = ipaddr.process(ip)
        return list.some((listed) => listed.kind() === address.kind() && address.match(listed as never, 32))
      })
    }
  },
  'block-list': {
    title: 'hand-written hook: `net.BlockList` over `request.ip`',
    base: 'fastify',
    start: (log) => {
      const list = new BlockList()
      for (const text of LISTED) list.addAddress(text)
      return checking(log, ({ ip }) => list.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4'))
    }
  },
  'rate-limit': {
    title: '`@fastify/rate-limit`, beyond the limit: its 429',
    base: 'fastify',
    start: (log) => fastify(log, (app) => app.register(rateLimit as never, { max: 1, timeWindow: '1 day' } as never))
  },
  http: { title: '`node:http`, no guard', base: 'http', start: async () => createServer(answerJson) },
  'http-empty': {
    title: '`node:http`, a function that calls the handler',
    base: 'http',
    start: async () => createServer((request, response) => answerJson(request, response))
  },
  'http-reading': {
    title: '`node:http`, a function that reads peer and header: the floor',
    base: 'http',
    start: async () =>
      createServer((request, response) => {
        if (isFromSomebody(request)) answerJson(request, response)
      })
  },
  'http-ours': {
    title: '`node:http`, ours',
    base: 'http',
    start: async () => createServer(guardHttp(OURS).listener(answerJson))
  },
  express: { title: 'Express, no guard', base: 'express', start: async () => expressServer() },
  'express-empty': {
    title: 'Express, a middleware that does nothing',
    base: 'express',
    start: async () => expressServer((_request, _response, next) => next())
  },
  'express-reading': {
    title: 'Express, a middleware that reads peer and header, and writes `request.moengage`: the floor',
    base: 'express',
    start: async () =>
      expressServer((request, _response, next) => {
        request.moengage = isFromSomebody(request) as never
        next()
      })
  },
  'express-ours': { title: 'Express, ours', base: 'express', start: async () => expressServer(guardExpress(OURS)) },
  'express-ipfilter': {
    title: 'express-ipfilter',
    base: 'express',
    start: async () => expressServer(IpFilter(LISTED, { mode: 'allow', log: false, trustProxy: PROXIES }))
  },
  hono: { title: 'Hono, no guard', base: 'hono', start: async () => honoServer() },
  'hono-empty': {
    title: 'Fetch (Hono), a middleware that does nothing',
    base: 'hono',
    start: async () => honoServer((_context, next) => next())
  },
  'hono-reading': {
    title: 'Fetch (Hono), a middleware that reads peer and header: the floor',
    base: 'hono',
    start: async () =>
      honoServer(async (context, next) => {
        const { socket } = (context.env as HttpBindings).incoming
        if (socket.remoteAddress !== undefined && context.req.raw.headers.get('x-forwarded-for') !== null) await next()
      })
  },
  'hono-ours': {
    title: 'Fetch (Hono), ours',
    base: 'hono',
    start: async () => {
      const guard = guardFetch(OURS)
      return honoServer(async (context, next) => {
        const { response } = await guard.check(context.req.raw, (context.env as HttpBindings).incoming)
        return response ?? (await next())
      })
    }
  },
  'hono-ip-restriction': {
    title: 'Hono ip-restriction, over X-Forwarded-For as it comes',
    base: 'hono',
    start: async () =>
      honoServer(ipRestriction((context) => context.req.header('x-forwarded-for') ?? '', { allowList: LISTED }))
  }
}

const REFUSAL = JSON.stringify({ statusCode: 403, error: 'Forbidden', message: 'The sender is not listed.' })

function refuse(reply: { code(status: number): FastifyReply }): FastifyReply {
  return reply.code(403).header('content-type', 'application/json; charset=utf-8').send(REFUSAL)
}

/** Leaves the lines of rejected requests to the guard. */
class WebhookLog extends LogController {
  override incomingRequest(): void {}

  override isLogDisabled(request: FastifyRequest): boolean {
    return (request as { moengage?: { verified: boolean } | null }).moengage?.verified === false
  }
}

/** The guard in an application with the log of the example. */
function webhookLog(logLevel: 'silent' | 'warn'): Promise<Server> {
  return guarded(true, { clientIp: { trustedProxies: PROXIES }, logLevel }, { logController: new WebhookLog() })
}

async function fastify(
  log: boolean,
  prepare?: (app: FastifyInstance) => unknown,
  options: FastifyServerOptions = {}
): Promise<Server> {
  const app = Fastify({ logger: log && { file: '/dev/null' }, ...options })
  await prepare?.(app as unknown as FastifyInstance)
  app.post('/moengage/connector', async () => ({ status: 'ok' }))
  await app.ready()
  return app.server
}

function guarded(
  log: boolean,
  options: Partial<MoEngageAllowlistOptions>,
  fastifyOptions?: FastifyServerOptions
): Promise<Server> {
  const logLevel = log ? 'warn' : 'silent'
  return fastify(
    log,
    (app) => app.register(moengageAllowlist as never, { dataCenters: 'all', logLevel, ...options } as never),
    fastifyOptions
  )
}

function checking(log: boolean, isListed: (request: FastifyRequest) => boolean): Promise<Server> {
  return fastify(
    log,
    (app) =>
      app.addHook('onRequest', (request, reply, done) => {
        if (isListed(request)) return done()
        request.log.warn({ ip: request.ip }, 'rejected')
        reply.code(403).send({ statusCode: 403, error: 'Forbidden', message: 'The sender is not listed.' })
      }),
    { trustProxy: PROXIES }
  )
}

function expressServer(filter?: express.RequestHandler): Server {
  const app = express()
  if (filter !== undefined) app.use(filter)
  app.use(express.json())
  app.post('/moengage/connector', (_request, response) => {
    response.json({ status: 'ok' })
  })
  const refuse: ErrorRequestHandler = (_error, _request, response, _next) => {
    response.status(403).json({ error: 'Forbidden' })
  }
  app.use(refuse)
  return createServer(app)
}

/** Reads what says who sends, and nothing of it. */
const isFromSomebody = ({ socket, headers }: IncomingMessage) =>
  socket.remoteAddress !== undefined && headers['x-forwarded-for'] !== undefined

const answerJson: RequestListener = (request, response) => {
  request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{"status":"ok"}'))
}

function honoServer(restriction?: MiddlewareHandler): Server {
  const app = new Hono()
  if (restriction !== undefined) app.use(restriction)
  app.post('/moengage/connector', async (context) => {
    await context.req.json()
    return context.json({ status: 'ok' })
  })
  return createAdaptorServer({ fetch: app.fetch }) as Server
}
