/**
 * Posts newly rejected senders to a chat: `onVerdict` collects them, and once a minute one message goes to the incoming
 * webhook of a chat that takes `{ text }`, as Slack, Mattermost and Google Chat do.
 * From the environment: PORT (3000), CHAT_WEBHOOK (required), DIGEST_EVERY in milliseconds (60000).
 */
import Fastify from 'fastify'
import moengageAllowlist, { type Verdict } from 'moengage-allowlist'

const { PORT = '3000', CHAT_WEBHOOK, DIGEST_EVERY = '60000' } = process.env
if (CHAT_WEBHOOK === undefined) throw new Error('Set CHAT_WEBHOOK to the URL of an incoming webhook.')
const webhook = CHAT_WEBHOOK

/** Bounded in a flood: beyond REMEMBERED senders, old ones are posted again, and a digest names the first NAMED. */
const REMEMBERED = 10_000
const NAMED = 10

const posted = new Set<string>()
const news = new Map<string, string>()

function collect(verdict: Verdict): void {
  if (verdict.verified || verdict.clientIp === null || posted.has(verdict.clientIp)) return
  if (posted.size >= REMEMBERED) posted.clear()
  posted.add(verdict.clientIp)
  news.set(verdict.clientIp, verdict.reason)
}

const app = Fastify({ logger: true })

await app.register(async (hooks) => {
  await hooks.register(moengageAllowlist, {
    dataCenters: 'DC-01',
    clientIp: { trustedProxies: ['loopback'] },
    onVerdict: collect
  })
  hooks.post('/moengage/connector', async () => ({ ok: true }))

  async function digest(): Promise<void> {
    if (news.size === 0) return
    const senders = [...news].slice(0, NAMED).map(([clientIp, reason]) => `• ${clientIp}: ${reason}`)
    const more = news.size > NAMED ? [`… and ${news.size - NAMED} more`] : []
    const causes = hooks.moengage!.status().diagnosis.map((cause) => `→ ${cause}`)
    const text = [`MoEngage webhooks: ${news.size} new rejected senders`, ...senders, ...more, ...causes].join('\n')
    news.clear()
    const response = await fetch(webhook, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
      signal: AbortSignal.timeout(10_000)
    })
    if (!response.ok) throw new Error(`The chat answered ${response.status}.`)
  }

  const timer = setInterval(() => {
    digest().catch((error) => hooks.log.error(error, 'The digest could not be posted.'))
  }, Number(DIGEST_EVERY))
  timer.unref()
  hooks.addHook('onClose', async () => clearInterval(timer))
})

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
