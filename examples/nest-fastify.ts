/**
 * Webhooks in Nest on Fastify, behind a proxy on this machine. A connector counts Nest's 201 as a failure. A route differs by
 * `@RouteConfig`.
 */
import 'reflect-metadata'
import { Controller, Get, HttpCode, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication, RouteConfig } from '@nestjs/platform-fastify'
import moengageAllowlist from 'moengage-allowlist'

@Controller('moengage')
class Hooks {
  @Post('connector')
  @HttpCode(200)
  connector() {
    return { ok: true }
  }

  @Get('health')
  @RouteConfig({ moengage: false })
  health() {
    return { ok: true }
  }
}

@Module({ controllers: [Hooks] })
class App {}

const app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter({ logger: true }))
await app.register(moengageAllowlist, { dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } })
await app.listen(process.env.PORT ?? 3000, '127.0.0.1')
console.log('Server listening')
