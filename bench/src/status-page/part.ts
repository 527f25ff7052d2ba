import { createGuard } from 'moengage-allowlist/core'
import { fetchStatusPage } from 'moengage-allowlist/status-page'
import { machineLine } from '../report/machine.js'
import { digits, percent, table } from '../report/markdown.js'

const SENDERS = 10_000
const PAGES = 200
/** Seconds of verdicts for each of both sides, in turns. */
const SECONDS = 6
const SLICE = 2000

/** Processor time of this process, in milliseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number

/** Measures the status page, and returns the section of the document. */
export async function statusPagePart(): Promise<string> {
  const guard = createGuard({ dataCenters: 'DC-01', cacheSize: SENDERS })
  for (let i = 0; i < SENDERS; i++) guard.judge({ peer: `45.${i >> 8}.${i & 255}.7`, headers: {} })
  for (let i = 0; i < 300; i++) guard.judge({ peer: '3.6.251.95', headers: {} })
  const handler = fetchStatusPage({ guard, public: true })
  const page = async () => (await handler(new Request('http://127.0.0.1/status'))).text()

  const pages: number[] = []
  for (let i = 0; i < PAGES; i++) {
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
  const [alone, polled] = [median(sides.alone), median(sides.polled)]
  return [
    '## Status page',
    `Processor time, with ${SENDERS.toLocaleString('en-US')} rejected senders remembered. A second of verdicts after a poll of the page, and one without, in turns.`,
    machineLine(),
    table(
      ['', 'median'],
      [
        ['a page', `${digits(median(pages.slice(PAGES / 2)))} ms`],
        ['a verdict, nobody reads the page', `${digits(alone)} ns`],
        ['a verdict, polled every second', `${digits(polled)} ns (${percent(polled / alone - 1)})`]
      ]
    )
  ].join('\n\n')
}
