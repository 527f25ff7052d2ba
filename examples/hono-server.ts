/** Webhooks in Hono on Node, behind a proxy on this machine. */
import { type HttpBindings, serve } from '@hono/node-server'
import { Hono } from 'hono'
import moengageAllowlist from 'moengage-allowlist/fetch'

const app = new Hono<{ Bindings: HttpBindings }>()
const guard = moengageAllowlist({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } })

app.use('/moengage/*', async (c, next) => {
  const { response } = await guard.check(c.req.raw, c.env.incoming)
  return response ?? next()
})
app.post('/moengage/connector', (c) => c.json({ ok: true }))

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT ?? 3000) }, () =>
  console.log('Server listening')
)
