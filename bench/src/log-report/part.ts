import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import moengageAllowlist from 'moengage-allowlist'
import { median, ratio, spread } from '../measure/statistics.js'
import { machineLine } from '../report/machine.js'
import { digits, quartiles, table } from '../report/markdown.js'
import { target, targetTable } from '../report/targets.js'

const ROUNDS = 7
const MEGABYTES = 200
/** To see whether memory grows with the log. */
const SMALL = 40
const BIN = fileURLToPath(new URL('../../../dist/src/cli/bin.js', import.meta.url))

/** The lines of a server that is asked by strangers and by others, one request of ten on the guarded route. */
async function sampleLines(): Promise<Buffer> {
  const lines: string[] = []
  const app = Fastify({ logger: { stream: { write: (line: string) => void lines.push(line) } } })
  app.get('/', async () => 'ok')
  await app.register(async (guarded) => {
    await guarded.register(moengageAllowlist, {
      dataCenters: 'DC-01',
      clientIp: { trustedProxies: ['127.0.0.0/8'] },
      log: { linesPerSecond: 10_000 }
    })
    guarded.post('/hook', async () => 'ok')
  })
  await app.ready()
  const kept: string[] = []
  for (let i = 0; i < 1000; i++) {
    const [url, method, clientIp] =
      i % 5 === 0 ? (['/hook', 'POST', `45.${i >> 8}.${i & 255}.7`] as const) : (['/', 'GET', '9.9.9.9'] as const)
    lines.length = 0
    await app.inject({ url, method, headers: { 'x-forwarded-for': clientIp } })
    // A stranger leaves two lines, of which one is ours; each other request leaves two as well.
    kept.push(...lines.slice(0, 2))
  }
  await app.close()
  return Buffer.from(kept.join(''))
}

function writeLog(file: string, sample: Buffer, megabytes: number): void {
  const log = openSync(file, 'w')
  for (let size = 0; size < megabytes * 1e6; size += sample.length) writeSync(log, sample)
  closeSync(log)
}

/** Reads a log by a program of its own. */
interface Reader {
  readonly name: string
  readonly command: string
  readonly args: (file: string) => string[]
}

const PARSING = `const { createReadStream } = require('node:fs'); const { createInterface } = require('node:readline')
  let ours = 0; createInterface({ input: createReadStream(process.argv[1]) })
    .on('line', (line) => { if (JSON.parse(line).moengage !== undefined) ours++ }).on('close', () => console.log(ours))`

const OURS = 'moengage-allowlist report'
const JQ = 'jq'
const READERS: readonly Reader[] = [
  { name: OURS, command: process.execPath, args: (file) => [BIN, 'report', file] },
  { name: 'JSON.parse of each line, in Node', command: process.execPath, args: (file) => ['-e', PARSING, file] },
  { name: JQ, command: 'jq', args: (file) => ['-c', 'select(.moengage != null) | .moengage.clientIp', file] }
]

const isInstalled = ({ command }: Reader) => spawnSync(command, ['--version']).error === undefined

/** Megabytes a second, by the clock. */
function speedOf({ command, args }: Reader, file: string): number {
  const start = performance.now()
  execFileSync(command, args(file), { maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'inherit'] })
  return (1000 * MEGABYTES) / (performance.now() - start)
}

/** Megabytes of memory at most. */
function memoryOf(file: string): number {
  const peak = 'process.on("exit", () => process.stderr.write("peak " + process.resourceUsage().maxRSS))'
  const { stderr } = spawnSync(process.execPath, ['--import', `data:text/javascript,${peak}`, BIN, 'report', file])
  return Number(/peak (\d+)/.exec(`${stderr}`)![1]) / 1000
}

/** Measures the command `report`, and returns the section of the document. */
export async function logReportPart(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const sample = await sampleLines()
    const [file, small] = [join(folder, 'large.log'), join(folder, 'small.log')]
    writeLog(file, sample, MEGABYTES)
    writeLog(small, sample, SMALL)
    const readers = READERS.filter(isInstalled)
    const speeds = new Map(readers.map(({ name }) => [name, [] as number[]]))
    for (let round = 0; round < ROUNDS; round++) {
      for (const reader of readers) speeds.get(reader.name)!.push(speedOf(reader, file))
    }
    const own = speeds.get(OURS)!
    const [large, less] = [memoryOf(file), memoryOf(small)]
    const jq = speeds.get(JQ)
    return [
      '## Reading a log',
      `A log of ${MEGABYTES} MB as Fastify writes it, one line of ten a rejection, read by a program from its start to its end.`,
      machineLine(),
      targetTable([
        target('`report`', '≥', 250, median(own), (value) => `${digits(value)} MB/s`),
        ...(jq === undefined
          ? []
          : [target('`report` against jq', '≥', 3, ratio(own, jq).median, (value) => `${digits(value)} ×`)])
      ]),
      table(
        ['', 'MB/s', '× ours'],
        readers.map(({ name }) => [
          name,
          quartiles(spread(speeds.get(name)!)),
          digits(ratio(speeds.get(name)!, own).median)
        ])
      ),
      `\`report\` takes ${digits(large)} MB of memory at most, and ${digits(less)} MB for a log of ${SMALL} MB.`
    ].join('\n\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
