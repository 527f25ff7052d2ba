// Runs two guarded servers under load for minutes: keep-alive clients, genuine and hostile; a file source that is swapped every
// 300 ms, with every kind of damage; a URL source whose server stops, starts and answers nonsense.
//   npm run soak -- --minutes 10
// Fails on a wrong verdict, on a count that is lost (in the status or in the log), on a list that does not come into use when its
// source has recovered, and on a heap that grows.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import type { MoEngageAllowlistOptions } from '../src/index.js'
import moengageAllowlist from '../src/index.js'
import { DAMAGE } from '../test/support/damage.js'
import { Clients, GENUINE, HOSTILE, listOf, revealVerdicts } from '../test/support/soak.js'

const CLIENTS = 5
const SWAP = 300
const SAMPLE = 1_000
/** Compiled code and caches fill up at first. */
const WARM_UP = 1 / 3
/** A heap that stands still differs by less than this, in bytes. */
const NOISE = 3e6

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: write a number of minutes, such as 10 or 0.5.`)
const { gc } = globalThis
if (gc === undefined) throw new Error('The heap can only be measured with node --expose-gc. Use npm run soak.')
const end = Date.now() + minutes * 60_000
const isOver = () => Date.now() >= end

const oneOf = <Value>(choices: readonly Value[]): Value => choices[Math.floor(Math.random() * choices.length)]!
const sum = (counts: object) => Object.values(counts).reduce((total: number, count: number) => total + count, 0)

/** Counts the rejections that log lines account for. */
class CountedLog {
  rejections = 0
  write(line: string): void {
    const { moengage } = JSON.parse(line)
    if (moengage?.event === 'moengage.rejected') this.rejections += 1 + moengage.suppressed
    if (moengage?.event === 'moengage.summary') this.rejections += sum(moengage.suppressed.reject)
  }
}

interface Guarded {
  readonly app: FastifyInstance
  readonly clients: Clients
  readonly log: CountedLog
}

async function guarded(source: MoEngageAllowlistOptions['source'] & object): Promise<Guarded> {
  const log = new CountedLog()
  const app = Fastify({ logger: { level: 'warn', stream: log } })
  revealVerdicts(app)
  await app.register(moengageAllowlist, {
    dataCenters: 'DC-01',
    clientIp: { trustedProxies: ['loopback'] },
    gracePeriod: 0,
    cacheSize: 16,
    source
  })
  app.get('/', async () => 'ok')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const requests = [...GENUINE, ...HOSTILE]
  return { app, clients: new Clients({ port, requests, clients: CLIENTS, mode: 'reject', hasGrace: false }), log }
}

/** A file that is swapped. */
class SwappedFile {
  readonly path: string
  #number = 1
  readonly #folder = mkdtempSync(join(tmpdir(), 'moengage-soak-'))

  constructor() {
    this.path = join(this.#folder, 'list.json')
    this.publish()
  }

  /** Puts the next sound list in the place of whatever is there. Returns its number. */
  publish(): number {
    this.#replace(JSON.stringify(listOf(++this.#number)))
    return this.#number
  }

  async swap(): Promise<void> {
    const ways = [
      () => this.publish(),
      () => this.publish(),
      () => this.#replace(oneOf(Object.values(DAMAGE))()),
      () => this.#replace(oneOf(Object.values(DAMAGE))()),
      () => this.#clear(),
      () => {
        this.#clear()
        mkdirSync(this.path)
      },
      () => {
        this.#clear()
        symlinkSync(join(this.#folder, 'absent.json'), this.path)
      },
      // As a program writes that does not know of temporary files.
      async () => {
        const text = JSON.stringify(listOf(++this.#number))
        this.#clear()
        writeFileSync(this.path, text.slice(0, text.length / 2))
        await sleep(SWAP / 3)
        writeFileSync(this.path, text)
      }
    ]
    await oneOf(ways)()
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true })
  }

  #clear(): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  #replace(content: string | Buffer): void {
    const draft = join(this.#folder, 'draft')
    writeFileSync(draft, content)
    // A folder cannot be replaced by a rename.
    this.#clear()
    renameSync(draft, this.path)
  }
}

/** A server of lists that fails in all ways. */
class FailingServer {
  #number = 1
  #answer: RequestListener
  #server: Server
  #port = 0

  constructor() {
    this.#answer = this.#list()
    this.#server = this.#made()
  }

  async start(): Promise<string> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
    return `http://127.0.0.1:${this.#port}/list.json`
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
    this.#server = this.#made()
  }

  /** Answers with the next sound list. Returns its number. */
  async publish(): Promise<number> {
    this.#number++
    this.#answer = this.#list()
    if (!this.#server.listening) await this.start()
    return this.#number
  }

  async change(): Promise<void> {
    const ways = [
      () => this.publish(),
      () => this.publish(),
      () => this.stop(),
      () => this.#fail((_, response) => response.writeHead(500).end('{}')),
      () => this.#fail((_, response) => response.writeHead(302, { location: '/other' }).end()),
      () => this.#fail((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip')),
      () =>
        this.#fail((_, response) =>
          response.writeHead(200, { 'content-length': 900 }).end('{"rows"', () => response.destroy())
        ),
      () => this.#fail((_, response) => response.destroy()),
      // Never answers.
      () => this.#fail(() => {}),
      () => {
        const content = oneOf(Object.values(DAMAGE))()
        return this.#fail((_, response) => response.end(content))
      }
    ]
    await oneOf(ways)()
  }

  async #fail(answer: RequestListener): Promise<void> {
    this.#answer = answer
    if (!this.#server.listening) await this.start()
  }

  #made(): Server {
    return createServer((request, response) => this.#answer(request, response))
  }

  #list(): RequestListener {
    const text = JSON.stringify(listOf(this.#number))
    const etag = `"${this.#number}"`
    return (request, response) => {
      if (request.headers['if-none-match'] === etag) response.writeHead(304).end()
      else response.setHeader('etag', etag).end(text)
    }
  }
}

const failures: string[] = []

/** Waits until a list is in use. The back-off of a source that failed often takes some seconds. */
async function isInUse({ app }: Guarded, number: number): Promise<boolean> {
  for (let i = 0; i < 300 && app.moengage!.status().revision !== `v${number}`; i++) await sleep(100)
  return app.moengage!.status().revision === `v${number}`
}

/** Ends a server, and compares its counts with what its clients saw. */
async function settle(name: string, { app, clients, log }: Guarded): Promise<void> {
  await clients.stop()
  const { verified, rejected } = app.moengage!.status()
  await app.close()
  const counts = { verified, rejected: sum(rejected), logged: log.rejections }
  const seen = { verified: clients.verified, rejected: clients.rejected, logged: clients.rejected }
  console.log(
    `${name}: ${clients.answers} answers, ${clients.verified} verified, ${clients.rejected} rejected, by ${clients.lists} lists`
  )
  for (const wrong of clients.wrong) failures.push(`${name}: a wrong answer: ${JSON.stringify(wrong)}`)
  if (JSON.stringify(counts) !== JSON.stringify(seen)) {
    failures.push(`${name}: counted ${JSON.stringify(counts)}, but the clients saw ${JSON.stringify(seen)}`)
  }
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

/** Compares the end of the soak with the time after the warm-up. */
function checkHeap(heaps: readonly number[]): void {
  const steady = heaps.slice(Math.floor(heaps.length * WARM_UP))
  const middle = Math.floor(steady.length / 2)
  const [before, after] = [median(steady.slice(0, middle)), median(steady.slice(middle))]
  console.log(`heap: ${megabytes(before)} after the warm-up, ${megabytes(after)} at the end`)
  if (after > before + NOISE) failures.push(`The heap grows: from ${megabytes(before)} to ${megabytes(after)}`)
}

const file = new SwappedFile()
const lists = new FailingServer()
const url = await lists.start()
const servers = {
  file: await guarded({ file: file.path, interval: 100 }),
  url: await guarded({ url, interval: 1_000, timeout: 500 })
}
const heaps: number[] = []

const until = async (each: number, run: () => void | Promise<void>) => {
  while (!isOver()) {
    await run()
    await sleep(each)
  }
}
await Promise.all([
  until(SWAP, () => file.swap()),
  until(2_000, () => lists.change()),
  until(SAMPLE, () => {
    gc()
    heaps.push(process.memoryUsage().heapUsed)
  })
])

if (!(await isInUse(servers.file, file.publish()))) failures.push('The last list of the file does not come into use.')
if (!(await isInUse(servers.url, await lists.publish())))
  failures.push('The last list of the URL does not come into use.')
for (const [name, server] of Object.entries(servers)) await settle(name, server)
await lists.stop()
file.remove()
checkHeap(heaps)
for (const failure of failures) console.error(`failed: ${failure}`)
process.exitCode = failures.length === 0 ? 0 : 1
