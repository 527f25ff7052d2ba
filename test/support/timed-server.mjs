// A real server whose guard is the built package's, and which measures how long its event loop holds requests up while it reloads
// the list. It ends with the process that forked it.
import { existsSync, readFileSync } from 'node:fs'
import Fastify from 'fastify'
import moengageAllowlist from 'moengage-allowlist'

process.on('disconnect', () => process.exit())

const TICK = 2
const SCHEDULER = '/proc/self/schedstat'

/** How long this thread has waited for a processor so far, in milliseconds, where the system says it: that is not the guard's doing. */
function waited() {
  return existsSync(SCHEDULER) ? Number(readFileSync(SCHEDULER, 'utf8').split(' ')[1]) / 1e6 : 0
}

/** Measures the longest time by which a timer came late, in milliseconds, without what the thread waited for a processor. */
function measureDelay() {
  let longest = 0
  let before = performance.now() - waited()
  const timer = setInterval(() => {
    const now = performance.now() - waited()
    longest = Math.max(longest, now - before - TICK)
    before = now
  }, TICK)
  return () => {
    clearInterval(timer)
    return longest
  }
}

const app = Fastify()
await app.register(moengageAllowlist, JSON.parse(process.argv[2]))
app.post('/', async (request) => ({ verified: request.moengage.verified }))
await app.listen({ host: '127.0.0.1', port: 0 })

process.on('message', async () => {
  const start = performance.now()
  const end = measureDelay()
  const status = await app.moengage.reload()
  process.send({ took: performance.now() - start, delay: end(), entries: status.entries })
})
process.send({ port: app.server.address().port })
