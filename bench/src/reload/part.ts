import { type Guard, loadGuard, type Snapshot } from 'moengage-allowlist/core'
import { type Spread, spread } from '../measure/statistics.js'
import { machineLine } from '../report/machine.js'
import { quartiles, table } from '../report/markdown.js'

const ROUNDS = 15
const SIZES = [41, 600, 5_000, 19_900]
const LISTED = '52.0.0.0'

/** A list of so many addresses, of which one in a hundred is another in the next revision. */
function snapshot(size: number, revision: number): Snapshot {
  const addresses = Array.from({ length: size }, (_, i) => {
    const number = i > 0 && i % 100 === 0 ? 0x34800000 + 2 * i + (revision % 2) : 0x34000000 + 37 * i
    return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
  })
  return {
    provenance: { page: 'a benchmark', revision: `r${revision}`, retrieved: '2026-11-20' },
    rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses }]
  }
}

/** Judges a request each turn of the event loop until the work is done; returns the longest time between two, in milliseconds. */
async function longestWait(guard: Guard, work: () => unknown): Promise<number> {
  let longest = 0
  let isDone = false
  const judging = (async () => {
    let last = performance.now()
    do {
      await new Promise((resolve) => setImmediate(resolve))
      if (!guard.judge({ peer: LISTED, headers: {} }).verified) throw new Error(`${LISTED} is not verified.`)
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    } while (!isDone)
  })()
  await new Promise((resolve) => setImmediate(resolve))
  await work()
  isDone = true
  await judging
  return longest
}

interface Waits {
  readonly idle: Spread
  readonly reload: Spread
  readonly override: Spread
  readonly whole: Spread
}

async function measure(size: number): Promise<Waits> {
  let list = snapshot(size, 0)
  const guard = await loadGuard({ dataCenters: 'DC-01', source: { name: 'bench', load: async () => list } })
  const times: Record<keyof Waits, number[]> = { idle: [], reload: [], override: [], whole: [] }
  for (let round = 1; round <= ROUNDS; round++) {
    list = snapshot(size, round)
    const start = performance.now()
    times.reload.push(await longestWait(guard, () => guard.reload()))
    const whole = performance.now() - start
    times.whole.push(whole)
    times.idle.push(await longestWait(guard, () => new Promise((resolve) => setTimeout(resolve, whole))))
    const allow = [`9.9.9.${round}`]
    times.override.push(await longestWait(guard, () => guard.removeOverride(guard.override({ allow }).id)))
  }
  guard.close()
  return {
    idle: spread(times.idle),
    reload: spread(times.reload),
    override: spread(times.override),
    whole: spread(times.whole)
  }
}

/** Measures how long requests wait while a list comes into use, and returns the section of the document. */
export async function reloadPart(): Promise<string> {
  const rows: string[][] = []
  for (const size of SIZES) {
    const { idle, reload, override, whole } = await measure(size)
    rows.push([size.toLocaleString('en'), ...[reload, idle, override, whole].map((times) => quartiles(times))])
  }
  return [
    '## When the list changes',
    'A request is judged each turn of the event loop, and the longest time between two is taken: while a list with one address in a hundred ' +
      'changed is read and compiled, for as long without a reload, and while an override is set and ended. In milliseconds, of ' +
      `${ROUNDS} each. MoEngage publishes 41 addresses; a source brings 20,000 values at most, names and days among them. The wish is 10 ms.`,
    machineLine(),
    table(['addresses', 'a reload', 'nothing', 'an override', 'the whole reload'], rows)
  ].join('\n\n')
}
