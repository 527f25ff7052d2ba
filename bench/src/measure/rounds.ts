import { measure } from 'mitata'
import type { Random } from './random.js'

/** Something to time: a function, and where its inputs come from. */
export interface Contender<Input> {
  readonly name: string
  readonly run: (input: Input) => unknown
  /** Makes the next input. Not timed; called for a whole batch before the clock starts. */
  readonly fresh: () => Input
  /** How many inputs are made ahead (2,048). */
  readonly batch?: number
}

/** Nanoseconds a call by name of the contender, one number a round. */
export type Timings = Record<string, number[]>

/**
 * Times contenders against each other: in each round every one of them for a few milliseconds, in random order, by the
 * median of mitata's batches. Whatever disturbs the machine for longer than a round hits all of them.
 */
export async function timeRounds<Input>(
  contenders: readonly Contender<Input>[],
  options: { rounds: number; milliseconds: number; random: Random }
): Promise<Timings> {
  const timings: Timings = {}
  const lanes = contenders.map(({ name, run, fresh, batch = 2048 }) => ({
    samples: (timings[name] = []) as number[],
    call: ownFunction(run),
    fresh,
    batch
  }))
  // One round more than asked for: the first one warms up.
  for (let round = 0; round <= options.rounds; round++) {
    for (const { samples, call, fresh, batch } of options.random.shuffle(lanes)) {
      globalThis.gc?.({ type: 'minor' })
      const { p50 } = await measure(
        function* () {
          yield { [0]: fresh, bench: call }
        },
        {
          gc: false,
          min_cpu_time: options.milliseconds * 1e6,
          min_samples: 3,
          batch_samples: batch
        } as Parameters<typeof measure>[1]
      )
      if (round > 0) samples.push(p50)
    }
  }
  return timings
}

/**
 * Wraps a function so that its answer is used, and so that V8 compiles the wrapper for this function alone: closures made
 * at one place of the source share what V8 learned of all of them.
 */
export function ownFunction<Input>(run: (input: Input) => unknown): (input: Input) => void {
  return new Function('run', 'let count = 0; return (input) => { if (run(input)) count++ }')(run)
}
