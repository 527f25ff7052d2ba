import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import express from 'express'
import express4 from 'express4'
import Fastify from 'fastify'
import { Hono } from 'hono'
import type { Test } from 'tap'
import type { GuardOptions, SecretRequest, Verdict } from '../../src/core.js'
import guardExpress from '../../src/express.js'
import guardFetch from '../../src/fetch.js'
import guardNode from '../../src/http.js'
import guardFastify from '../../src/index.js'
import { lineLogger } from './logger.js'

/** Options that mean the same everywhere. */
export type CommonOptions = Omit<GuardOptions<never>, 'clientIp' | 'carriesSecret'> & {
  carriesSecret?: (request: SecretRequest) => boolean
  clientIp?: Exclude<GuardOptions['clientIp'], (...args: never) => unknown>
  statusCode?: number
  mode?: 'reject' | 'tag'
}

export interface Adapter {
  name: string
  http2?: true
  /** The answer to a rejected request; every other server's is the same. */
  rejected: object
  /**
   * Starts a server whose routes are all guarded, `/segments` for that channel only, and which answers with the verdict.
   *
   * @param peer what the server is told of every connection instead of 127.0.0.1: no test can connect from the internet
   */
  start(t: Test, options: CommonOptions, peer?: string): Promise<Running>
  stop?(): void
}

export interface Running {
  port: number
  /** What `onVerdict` was told last, once. */
  takeVerdict(): Verdict | undefined | Promise<Verdict | undefined>
}

const REJECTED = {
  statusCode: 403,
  code: 'MOE_ERR_REJECTED',
  error: 'Forbidden',
  message: 'The sender of this request could not be verified.'
}
const SEGMENTS = { channels: 'segment-sync' } as const
const answer = (verdict: Verdict | null | undefined, body: unknown = null) => ({ verdict, body })

/** Options that hear of every verdict, and write no line to standard output. */
function listening() {
  let last: Verdict | undefined
  const onVerdict = (verdict: Verdict) => {
    last = verdict
  }
  const takeVerdict = () => {
    const taken = last
    last = undefined
    return taken
  }
  return { hearing: { onVerdict, logger: lineLogger([]) }, takeVerdict }
}

/** Express's own type of request and response differs between 4 and 5; the tests only need this much. */
function onExpress(makeApp: typeof express): Adapter['start'] {
  return async (t, options, peer) => {
    const app = makeApp()
    const { hearing, takeVerdict } = listening()
    const guard = guardExpress({ ...options, ...hearing })
    const handler: express.RequestHandler = (request, response) =>
      void response.json(answer(request.moengage, request.body))
    app.post('/segments', guard.route(SEGMENTS), makeApp.json({ limit: '8mb' }), handler)
    app.use(guard, makeApp.json({ limit: '8mb' }), handler)
    return { port: await listenAs(t, createServer(app), peer), takeVerdict }
  }
}

/** Nest runs in another process: see there. */
function onNest(platform: 'express' | 'fastify'): Pick<Adapter, 'start' | 'stop'> {
  let child: ChildProcess | undefined
  /** Every message has one answer; a process that ends has none. */
  function ask<Answer>(message: object): Promise<Answer> {
    child ??= fork('test/support/nest-server.mjs', [platform], { execArgv: [] })
    const process = child
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`Nest has ended with ${code}.`))
      process.once('exit', ended).once('message', (answer) => {
        process.off('exit', ended)
        resolve(answer as Answer)
      })
      process.send(message)
    })
  }
  return {
    async start(_, options, peer) {
      const { port } = await ask<{ port: number }>({ options, peer })
      return { port, takeVerdict: async () => (await ask<{ verdict?: Verdict }>({})).verdict }
    },
    stop: () => child?.kill()
  }
}

const onNode =
  (makeServer: (listener: never) => NetServer): Adapter['start'] =>
  async (t, options, peer) => {
    const { hearing, takeVerdict } = listening()
    const guard = guardNode({ ...options, ...hearing })
    const listenerFor = (routeOptions?: typeof SEGMENTS) =>
      guard.listener(async (request, response, verdict) => {
        let body = ''
        for await (const chunk of request) body += chunk
        response.end(JSON.stringify(answer(verdict, body)))
      }, routeOptions)
    const segments = listenerFor(SEGMENTS)
    const others = listenerFor()
    const listener: typeof others = (request, response) =>
      (request.url === '/segments' ? segments : others)(request, response)
    return { port: await listenAs(t, makeServer(listener as never), peer), takeVerdict }
  }

function onHono(
  peerOf: (c: Parameters<typeof getConnInfo>[0]) => Parameters<ReturnType<typeof guardFetch>['check']>[1]
) {
  return async (t: Test, options: CommonOptions, peer?: string) => {
    const app = new Hono<{ Bindings: HttpBindings; Variables: { verdict: Verdict } }>()
    const { hearing, takeVerdict } = listening()
    const guard = guardFetch({ ...options, ...hearing })
    app.use(async (c, next) => {
      const route = c.req.path === '/segments' ? SEGMENTS : undefined
      const { response, verdict } = await guard.check(c.req.raw, peerOf(c), route)
      if (response) return response
      c.set('verdict', verdict)
      return next()
    })
    app.all('*', async (c) => c.json(answer(c.var.verdict, await c.req.text())))
    return { port: await listenAs(t, createAdaptorServer({ fetch: app.fetch }) as Server, peer), takeVerdict }
  }
}

/** Nest replaces Fastify's error handler with its own, which writes less. */
const { code: _, error: __, ...REJECTED_BY_NEST } = REJECTED

const WITHOUT_ANSWERS: Omit<Adapter, 'rejected'>[] = [
  {
    name: 'Fastify',
    async start(t, options, peer) {
      const app = Fastify({ bodyLimit: 8 << 20 })
      const { hearing, takeVerdict } = listening()
      await app.register(guardFastify, { ...options, onVerdict: hearing.onVerdict })
      app.post('/segments', { config: { moengage: SEGMENTS } }, async ({ moengage, body }) => answer(moengage, body))
      app.all('*', async ({ moengage, body }) => answer(moengage, body))
      await app.ready()
      return { port: await listenAs(t, app.server, peer), takeVerdict }
    }
  },
  { name: 'Express 4', start: onExpress(express4) },
  { name: 'Express 5', start: onExpress(express) },
  { name: 'Nest on Express', ...onNest('express') },
  { name: 'Nest on Fastify', ...onNest('fastify') },
  { name: 'node:http', start: onNode((listener) => createServer(listener)) },
  { name: 'node:http2', http2: true, start: onNode((listener) => createHttp2Server(listener)) },
  {
    name: 'Express middleware on node:http',
    async start(t, options, peer) {
      const { hearing, takeVerdict } = listening()
      const guard = guardExpress({ ...options, ...hearing })
      const segments = guard.route(SEGMENTS)
      const server = createServer((request, response) => {
        const isSegments = request.url === '/segments'
        ;(isSegments ? segments : guard)(request, response, (error) => {
          response.statusCode = error === undefined ? 200 : 500
          response.end(JSON.stringify(answer((request as { moengage?: Verdict }).moengage)))
        })
      })
      return { port: await listenAs(t, server, peer), takeVerdict }
    }
  },
  { name: 'Hono with its incoming message', start: onHono((c) => c.env.incoming) },
  { name: 'Hono with an address', start: onHono((c) => getConnInfo(c).remote.address) }
]

export const ADAPTERS: Adapter[] = WITHOUT_ANSWERS.map((adapter) => ({
  ...adapter,
  rejected: adapter.name === 'Nest on Fastify' ? REJECTED_BY_NEST : REJECTED
}))

async function listenAs(t: Test, server: NetServer, peer: string | undefined): Promise<number> {
  if (peer !== undefined) {
    server.prependListener('connection', (socket) => Object.defineProperty(socket, 'remoteAddress', { value: peer }))
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}
