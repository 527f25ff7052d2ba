import t from 'tap'
import { guarded } from '../support/guarded.js'
import { listen } from '../support/http.js'
import { Clients, GENUINE, HOSTILE, listOf, revealVerdicts } from '../support/soak.js'

/** `npm run soak` does the same for minutes, with sources that fail. */
const SWAPS = 400

for (const gracePeriod of [0, 3_600_000]) {
  t.test(`no verdict is wrong while the list is swapped under load, with a grace of ${gracePeriod} ms`, async (t) => {
    let current = 0
    const { app } = await guarded(
      {
        mode: 'tag',
        gracePeriod,
        cacheSize: 16,
        source: { name: 'swapped', load: async () => listOf(current) }
      },
      (app) => {
        revealVerdicts(app)
        app.get('/', async () => 'ok')
      }
    )
    const { port } = await listen(app)
    t.teardown(() => app.close())

    const clients = new Clients({
      port,
      requests: [...GENUINE, ...HOSTILE],
      clients: 8,
      mode: 'tag',
      hasGrace: gracePeriod > 0
    })
    for (current = 1; current <= SWAPS; current++) {
      await app.moengage!.reload()
      const target = clients.answers + 2
      // The next list comes when this one was used.
      while (clients.answers < target) await new Promise((resolve) => setImmediate(resolve))
    }
    await clients.stop()
    t.strictSame(clients.wrong, [])
    t.ok(clients.lists > SWAPS / 2, `${clients.lists} lists were used by ${clients.answers} requests`)
    const { verified, rejected } = app.moengage!.status()
    const counted = Object.values(rejected).reduce((sum, count) => sum + count, 0)
    t.strictSame([verified, counted], [clients.verified, clients.rejected], 'every answer is counted')
  })
}
