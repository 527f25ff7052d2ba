/**
 * Nest in a process of its own, with the built package: the loader that tests run under cannot resolve Nest 12. Its argument
 * is the platform. A message with options is answered with the port of a server by them, one without with the last verdict.
 * The decorators are called as functions, which is all that their syntax does.
 */
import 'reflect-metadata'
import { All, Controller, Module, Post, Req } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, RouteConfig } from '@nestjs/platform-fastify'
import guardFastify from 'moengage-allowlist'
import guardExpress from 'moengage-allowlist/express'
import { pino } from 'pino'

const SEGMENTS = { channels: 'segment-sync' }

class Hooks {
  handle({ moengage, body }) {
    return { verdict: moengage, body }
  }
  segments({ moengage, body }) {
    return { verdict: moengage, body }
  }
}
const describe = (name, ...decorators) => {
  for (const decorate of decorators)
    decorate(Hooks.prototype, name, Object.getOwnPropertyDescriptor(Hooks.prototype, name))
  Req()(Hooks.prototype, name, 0)
}
describe('segments', Post('segments'), RouteConfig({ moengage: SEGMENTS }))
// Each platform writes a wildcard in its own way.
describe('handle', All(['/', process.argv[2] === 'express' ? '*path' : '*']))
Controller()(Hooks)
class App {}
Module({ controllers: [Hooks] })(App)

let verdict
const onVerdict = (heard) => {
  verdict = heard
}

async function onExpress(options) {
  const app = await NestFactory.create(App, { logger: false })
  const guard = guardExpress({ ...options, onVerdict, logger: pino({ enabled: false }) })
  app.use('/segments', guard.route(SEGMENTS))
  app.use(guard)
  return app
}

async function onFastify(options) {
  const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false })
  await app.register(guardFastify, { ...options, onVerdict })
  return app
}

let app
process.on('message', async ({ options, peer }) => {
  if (options === undefined) {
    process.send({ verdict })
    verdict = undefined
    return
  }
  await app?.close()
  app = await (process.argv[2] === 'express' ? onExpress(options) : onFastify(options))
  const server = app.getHttpServer()
  if (peer !== undefined) {
    server.prependListener('connection', (socket) => Object.defineProperty(socket, 'remoteAddress', { value: peer }))
  }
  await app.listen(0, '127.0.0.1')
  process.send({ port: server.address().port })
})
