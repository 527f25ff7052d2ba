import { Agent } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Snapshot, Verdict } from '../../src/core.js'
import { send } from './http.js'
import { snapshotOf } from './snapshots.js'

/** On every list: for SMS on those with an even number, for Streams on the others. */
export const CORE = ['9.9.9.1', '9.9.9.2', '9.9.9.3', '9.9.9.4', '9.9.9.5', '9.9.9.6']
/** On a list when the bit of the address is set in the number of the list. */
export const COMING = ['9.9.8.1', '9.9.8.2', '9.9.8.3']
/** On no list. */
export const STRANGERS = ['1.1.1.1', '198.51.100.7', '2001:db8::7']

const isOn = (index: number, list: number) => ((list >> index) & 1) === 1
const channelOf = (list: number) => (list % 2 === 0 ? 'sms' : 'streams')

/** The list of a number. Its revision is that number, so that a verdict says by which list it was made. */
export function listOf(number: number): Snapshot {
  const coming = COMING.filter((_, index) => isOn(index, number))
  return snapshotOf({ [`DC-01 ${channelOf(number)}`]: [...CORE, ...coming] }, { revision: `v${number}` })
}

/** A request, and the client IP behind it: null where it cannot be resolved. */
export interface Request {
  readonly forwardedFor: string | string[]
  readonly clientIp: string | null
}

/** Senders that say nothing but their own address. */
export const GENUINE: readonly Request[] = [...CORE, ...COMING, ...STRANGERS].map((address) => ({
  forwardedFor: address,
  clientIp: address
}))

/** Senders that write what may mislead a resolver. The proxy, which is trusted, appends the last entry. */
export const HOSTILE: readonly Request[] = [
  { forwardedFor: '9.9.9.1, 198.51.100.8', clientIp: '198.51.100.8' },
  { forwardedFor: ['9.9.9.1', '198.51.100.9'], clientIp: '198.51.100.9' },
  { forwardedFor: '198.51.100.8, 9.9.9.2', clientIp: '9.9.9.2' },
  { forwardedFor: '::ffff:9.9.9.3', clientIp: '9.9.9.3' },
  { forwardedFor: '9.9.9.1, 127.0.0.1', clientIp: '9.9.9.1' },
  { forwardedFor: '9.9.9.1, unknown', clientIp: null },
  { forwardedFor: '9.9.9.1, 9.9.9', clientIp: null },
  { forwardedFor: '09.9.9.1', clientIp: null },
  { forwardedFor: `9.9.9.1${', 127.0.0.1'.repeat(40)}`, clientIp: null },
  { forwardedFor: `${'x'.repeat(4000)}9.9.9.1`, clientIp: null },
  { forwardedFor: '9.9.9.1\t\t,\t', clientIp: null }
]

const HEADER = 'x-verdict'

/** Adds the verdict to every answer, those to rejected requests too. */
export function revealVerdicts(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply) => {
    // Header values are Latin 1; hints are not.
    reply.header(HEADER, encodeURIComponent(JSON.stringify(request.moengage)))
  })
}

export interface Soak {
  readonly port: number
  readonly requests: readonly Request[]
  readonly clients: number
  /** Rejected requests are answered 403. */
  readonly mode: 'reject' | 'tag'
  /** Addresses that a list has lost are accepted for as long as the soak lasts. */
  readonly hasGrace: boolean
}

/** Keep-alive clients that send one request after another, and compare each answer with what the list in use says. */
export class Clients {
  /** Number of answers. */
  answers = 0
  verified = 0
  rejected = 0
  /** The first wrong answers. */
  readonly wrong: object[] = []
  /** Number of lists that answers were made by. */
  get lists(): number {
    return this.#revisions.size
  }

  readonly #revisions = new Set<number>()
  readonly #soak: Soak
  readonly #running: Promise<void>[]
  #isOver = false

  constructor(soak: Soak) {
    this.#soak = soak
    this.#running = Array.from({ length: soak.clients }, (_, offset) => this.#run(offset))
  }

  /** Ends the clients after the answers that they wait for. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#running)
  }

  async #run(offset: number): Promise<void> {
    const { port, requests } = this.#soak
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    let newest = 0
    for (let i = offset; !this.#isOver; i++) {
      const request = requests[i % requests.length]!
      const { status, headers } = await send({ port }, { headers: { 'x-forwarded-for': request.forwardedFor }, agent })
      const verdict: Verdict = JSON.parse(decodeURIComponent(String(headers[HEADER])))
      const list = Number(/^v(\d+)$/.exec(verdict.revision)?.[1])
      this.answers++
      if (verdict.verified) this.verified++
      else this.rejected++
      // A damaged list has another revision, and no list comes back once a newer one is in use.
      const isRight = list >= newest && status === this.#statusOf(verdict) && this.#isRight(request, verdict, list)
      if (!isRight && this.wrong.length < 10) this.wrong.push({ request, status, verdict, newest })
      newest = Math.max(newest, list)
      this.#revisions.add(list)
    }
    agent.destroy()
  }

  #statusOf({ verified }: Verdict): number {
    return verified || this.#soak.mode === 'tag' ? 200 : 403
  }

  #isRight({ clientIp }: Request, verdict: Verdict, list: number): boolean {
    if (verdict.clientIp !== clientIp) return false
    if (clientIp === null) return !verdict.verified && verdict.reason === 'unresolved'
    const coming = COMING.indexOf(clientIp)
    const isListed = CORE.includes(clientIp) || (coming >= 0 && isOn(coming, list))
    // Lists are numbered, so all with this bit set below the highest came earlier.
    const isGone = !isListed && coming >= 0 && this.#soak.hasGrace && list > 2 ** coming
    if (!isListed && !isGone) return !verdict.verified && verdict.reason === 'not-listed'
    if (!verdict.verified || (verdict.graceUntil !== null) !== isGone) return false
    return isGone || verdict.channels.join() === channelOf(list)
  }
}
