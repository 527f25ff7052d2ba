/** Webhooks in Express 4 or 5, behind a proxy on this machine. The guard stands before the body parser. */
import express from 'express'
import moengageAllowlist from 'moengage-allowlist/express'

const app = express()
const guard = moengageAllowlist({ dataCenters: 'DC-01', clientIp: { trustedProxies: ['loopback'] } })

app.use('/moengage', guard, express.json(), (request, response) => {
  response.json({ ok: true, sender: request.moengage })
})
app.post('/segments', guard.route({ channels: 'segment-sync' }), express.json({ limit: '8mb' }), (_, response) => {
  response.json({ status: 'ok' })
})

app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => console.log('Server listening'))
