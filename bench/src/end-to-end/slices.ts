import { Quiet } from '../measure/quiet.js'
import type { Random } from '../measure/random.js'
import type { Timings } from '../measure/rounds.js'
import { ratio } from '../measure/statistics.js'

/** The name under which the second, identical copy of the base is measured. */
export const COPY = 'copy'

const WARM_UP_MS = 250

/** Takes slices of all lanes in turns, in random order each time; a slice gives back what it cost a request. */
export async function alternate(
  lanes: Readonly<Record<string, () => Promise<number>>>,
  options: { rounds: number; random: Random }
): Promise<Timings> {
  for (const slice of Object.values(lanes)) {
    const end = performance.now() + WARM_UP_MS
    while (performance.now() < end) await slice()
  }
  const quiet = new Quiet()
  const timings: Timings = Object.fromEntries(Object.keys(lanes).map((name) => [name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const [name, slice] of options.random.shuffle(Object.entries(lanes))) {
      timings[name]!.push(await quiet.take(slice))
    }
  }
  return timings
}

/** By how much two identical copies differ: what a run cannot tell from nothing. */
export function discrepancy(timings: Timings, base: string): number {
  return Math.abs(ratio(timings[base]!, timings[COPY]!).median - 1)
}
