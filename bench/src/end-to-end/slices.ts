import { Quiet } from '../measure/quiet.js'
import type { Random } from '../measure/random.js'
import type { Timings } from '../measure/rounds.js'
import { ratio } from '../measure/statistics.js'

/** The name under which the second, identical copy of the base is measured. */
export const COPY = 'copy'

/** Takes slices of all lanes in turns, in random order each time; a slice gives back what it cost a request. */
export async function alternate(
  lanes: Readonly<Record<string, () => Promise<number>>>,
  options: { rounds: number; warmUp: number; random: Random }
): Promise<Timings> {
  const quiet = new Quiet()
  const timings: Timings = Object.fromEntries(Object.keys(lanes).map((name) => [name, []]))
  for (let round = -options.warmUp; round < options.rounds; round++) {
    for (const [name, slice] of options.random.shuffle(Object.entries(lanes))) {
      if (round < 0) await slice()
      else timings[name]!.push(await quiet.take(slice))
    }
  }
  return timings
}

/** By how much two identical copies differ: what a run cannot tell from nothing. */
export function discrepancy(timings: Timings, base: string): number {
  return Math.abs(ratio(timings[base]!, timings[COPY]!).median - 1)
}
