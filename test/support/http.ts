import { type Agent, createServer as createHttpServer, type RequestListener, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'

export interface Answer {
  status: number
  body: string
  headers: Record<string, unknown>
}

/** Sends one request over a real socket. */
export function send(
  origin: { port: number; host?: string } | { socketPath: string },
  options: {
    method?: string
    path?: string
    headers?: Record<string, string | string[]>
    body?: string | undefined
    agent?: Agent
    localAddress?: string
  } = {}
): Promise<Answer> {
  const { body, ...rest } = options
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', ...origin, ...rest }, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk) => {
        text += chunk
      })
      incoming.on('end', () => resolve({ status: incoming.statusCode!, body: text, headers: incoming.headers }))
      incoming.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** A Fastify whose log lines can be read. */
export function logging(options: FastifyServerOptions = {}): { app: FastifyInstance; lines: LogLine[] } {
  const lines: LogLine[] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) }
  return { app: Fastify({ ...options, logger: { level: 'trace', stream } }), lines }
}

export interface LogLine {
  level: number
  msg: string
  moengage?: { reason?: string; clientIp?: string; code?: string }
  err?: { message: string }
}

/** Listens on a free port of 127.0.0.1, or of another address. */
export async function listen(app: FastifyInstance, host = '127.0.0.1'): Promise<{ port: number }> {
  await app.listen({ host, port: 0 })
  return { port: (app.server.address() as AddressInfo).port }
}

/** Serves a listener of `node:http`. */
export async function listenTo(t: Test, listener: RequestListener) {
  const server = createHttpServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  return { port: (server.address() as AddressInfo).port }
}

/** A port of 127.0.0.1 that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Waits until something is so, at most five seconds. What follows checks it. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo() && i < 500; i++) await new Promise((resolve) => setTimeout(resolve, 10))
}
