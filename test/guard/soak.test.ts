import { Agent } from 'node:http'
import t from 'tap'
import type { Snapshot } from '../../src/core.js'
import moengageAllowlist from '../../src/index.js'
import { listen, logging, send } from '../support/http.js'
import { snapshotOf } from '../support/snapshots.js'

const SWAPS = 400
const CLIENTS = 8

/** Always on the list, now for one channel and then for another. */
const CORE = ['9.9.9.1', '9.9.9.2', '9.9.9.3', '9.9.9.4', '9.9.9.5', '9.9.9.6']
/** Come and go with the bits of the number of the list. */
const COMING = ['9.9.8.1', '9.9.8.2', '9.9.8.3']

const isOn = (index: number, version: number) => ((version >> index) & 1) === 1
const channelOf = (version: number) => (version % 2 === 0 ? 'sms' : 'streams')

function version(number: number): Snapshot {
  const coming = COMING.filter((_, index) => isOn(index, number))
  return snapshotOf({ [`DC-01 ${channelOf(number)}`]: [...CORE, ...coming] }, { revision: `v${number}` })
}

for (const gracePeriod of [0, 3_600_000]) {
  t.test(`no verdict is wrong while the list is swapped under load, with a grace of ${gracePeriod} ms`, async (t) => {
    let current = 0
    const { app } = logging()
    await app.register(moengageAllowlist, {
      dataCenters: 'DC-01',
      clientIp: { trustedProxies: ['loopback'] },
      mode: 'tag',
      gracePeriod,
      cacheSize: 16,
      source: { name: 'swapped', load: async () => version(current) }
    })
    app.get('/', async (request) => request.moengage)
    const { port } = await listen(app)
    t.teardown(() => app.close())

    const wrong: unknown[] = []
    const revisions = new Set<string>()
    let judged = 0
    let isOver = false
    const client = async (offset: number) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const peers = [...CORE, ...COMING, '1.1.1.1']
      for (let i = offset; !isOver; i++) {
        const clientIp = peers[i % peers.length]!
        const { status, body } = await send({ port }, { headers: { 'x-forwarded-for': clientIp }, agent })
        const verdict = JSON.parse(body)
        const number = Number(verdict.revision.slice(1))
        const coming = COMING.indexOf(clientIp)
        const isListed = CORE.includes(clientIp) || (coming >= 0 && isOn(coming, number))
        // What any list before this one had, and this one has not, is in its grace period.
        const isGone = !isListed && coming >= 0 && gracePeriod > 0 && number > 2 ** coming
        const isRight =
          status === 200 &&
          verdict.clientIp === clientIp &&
          verdict.verified === (isListed || isGone) &&
          (!verdict.verified || (verdict.graceUntil !== null) === isGone) &&
          (!isListed || verdict.channels.join() === channelOf(number))
        if (!isRight) wrong.push(verdict)
        revisions.add(verdict.revision)
        judged++
      }
      agent.destroy()
    }
    const clients = Array.from({ length: CLIENTS }, (_, offset) => client(offset))
    for (current = 1; current <= SWAPS; current++) {
      await app.moengage.reload()
      const target = judged + 2
      // The next list comes when this one was used.
      while (judged < target) await new Promise((resolve) => setImmediate(resolve))
    }
    isOver = true
    await Promise.all(clients)
    t.strictSame(wrong, [])
    t.ok(revisions.size > SWAPS / 2, `${revisions.size} lists were used by ${judged} requests`)
  })
}
