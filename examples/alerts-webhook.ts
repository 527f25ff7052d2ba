/**
 * MoEngage's Alerts webhook: the one call that MoEngage signs, and one without a row in the list of addresses. The signature covers
 * the raw body, so its scope keeps the body as bytes. Try it:
 *
 *     body='{"alert_id":"1","alert_name":"Delivery Rate Breach"}'
 *     signature=$(printf '%s' "example-key|$body" | sha256sum | cut -d' ' -f1)
 *     curl -i -d "$body" -H 'content-type: application/json' -H "signature: $signature" 127.0.0.1:3000/moengage/alerts
 */
import Fastify from 'fastify'
import { LRUCache } from 'lru-cache'
import { verifyAlertSignature } from 'moengage-allowlist/core'

/** Both keys while one is regenerated: MoEngage signs with the new one at once. */
const KEYS = (process.env.MOENGAGE_REPORT_KEYS ?? 'example-key').split(',')
/** The scheme has no time in it, so a recorded call can be sent again: each alert is handled once. */
const seen = new LRUCache<string, true>({ max: 10_000 })

const app = Fastify({ logger: true })

app.register(async (alerts) => {
  alerts.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  alerts.post('/moengage/alerts', async (request, reply) => {
    const body = request.body as Buffer
    if (!verifyAlertSignature({ keys: KEYS, signature: request.headers.signature, body })) return reply.code(401).send()
    const alert = readAlert(body)
    if (alert === undefined) return reply.code(400).send()
    if (!seen.has(alert.id)) {
      seen.set(alert.id, true)
      request.log.info({ alert }, 'alert')
    }
    return { ok: true }
  })
})

/** Strict: UTF-8 and JSON without repair, and an object that has an id. */
function readAlert(body: Buffer): { id: string; name: unknown } | undefined {
  try {
    const { alert_id: id, alert_name: name } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return typeof id === 'string' || typeof id === 'number' ? { id: `${id}`, name } : undefined
  } catch {
    return undefined
  }
}

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })
