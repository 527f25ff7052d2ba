import { loadavg } from 'node:os'
import { createGuard } from 'moengage-allowlist/core'
import { fetchStatusPage } from 'moengage-allowlist/status-page'
import { machineLine } from '../report/machine.js'
import { digits, table } from '../report/markdown.js'

const SENDERS = 10_000
const PAGES = 400
/** Seconds of verdicts for each of both sides, in turns. */
const SECONDS = 6
const SLICE = 2000

/** Processor time of this process, in milliseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The median and the least of some measurements, with their unit. */
function figures(values: number[], unit: string): string[] {
  const sorted = values.sort((a, b) => a - b)
  return [sorted[sorted.length >> 1]!, sorted[0]!].map((value) => `${digits(value)} ${unit}`)
}

/** Measures the status page, and returns the section of the document. */
export async function statusPagePart(): Promise<string> {
  const guard = createGuard({ dataCenters: 'DC-01', cacheSize: SENDERS })
  for (let i = 0; i < SENDERS; i++) guard.judge({ peer: `45.${i >> 8}.${i & 255}.7`, headers: {} })
  for (let i = 0; i < 300; i++) guard.judge({ peer: '3.6.251.95', headers: {} })
  const handler = fetchStatusPage({ guard, public: true })
  const page = async () => (await handler(new Request('http://127.0.0.1/status'))).text()

  const pages: number[] = []
  for (let i = 0; i < PAGES; i++) {
    // A sender that is new, and pushes out another one.
    guard.judge({ peer: `46.${i >> 8}.${i & 255}.7`, headers: {} })
    const start = processorTime()
    await page()
    pages.push(processorTime() - start)
  }
  const request = { peer: '52.6.248.125', headers: {} }
  const sides = { alone: [] as number[], polled: [] as number[] }
  for (let second = 0; second < 2 * SECONDS; second++) {
    const side = second % 2 === 0 ? 'alone' : 'polled'
    if (side === 'polled') await page()
    for (const end = performance.now() + 1000; performance.now() < end; ) {
      const start = processorTime()
      for (let i = 0; i < SLICE; i++) guard.judge(request)
      sides[side].push((1e6 * (processorTime() - start)) / SLICE)
      await new Promise(setImmediate)
    }
  }
  handler.close()
  const busy = loadavg()[0]!.toFixed(1)
  return [
    '## Status page',
    `Processor time, with ${SENDERS.toLocaleString('en-US')} rejected senders remembered, and a new one before each page. A second of verdicts after a poll of the page, and one without, in turns.`,
    `${machineLine()} The load average was ${busy} at the end: where it is far above 1, other work shared the caches of the processor, and the least times say more.`,
    table(
      ['', 'median', 'least'],
      [
        ['a page', ...figures(pages.slice(PAGES / 2), 'ms')],
        ['a verdict, nobody reads the page', ...figures(sides.alone, 'ns')],
        ['a verdict, polled every second', ...figures(sides.polled, 'ns')]
      ]
    )
  ].join('\n\n')
}
