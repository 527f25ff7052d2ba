/**
 * Webhooks in Nest on Express, behind a proxy on this machine. A connector counts Nest's 201 as a failure. With
 * `app.setGlobalPrefix('api')` the guard's path is '/api/moengage'.
 */
import 'reflect-metadata'
import { Controller, HttpCode, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import moengageAllowlist from 'moengage-allowlist/express'

@Controller('moengage')
class Hooks {
  @Post('connector')
  @HttpCode(200)
  connector() {
    return { ok: true }
  }
}

@Module({ controllers: [Hooks] })
class App {}

const app = await NestFactory.create(App)
app.use('/moengage', moengageAllowlist({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } }))
await app.listen(process.env.PORT ?? 3000, '127.0.0.1')
console.log('Server listening')
