import { measure } from 'mitata'
import { Quiet } from './quiet.js'
import type { Random } from './random.js'

/** Something to time: a function, and where its inputs come from. */
export interface Contender<Input> {
  readonly name: string
  readonly run: (input: Input) => unknown
  /** Makes the next input. Not timed; called for a whole batch before the clock starts. */
  readonly fresh: () => Input
  /** How many inputs are made ahead (512). */
  readonly batch?: number
}

/** Nanoseconds a call by name of the contender, one number a round. */
export type Timings = Record<string, number[]>

/** Adds the samples of another process. */
export function addTimings(timings: Timings, more: Timings): void {
  for (const [name, samples] of Object.entries(more)) timings[name] = [...(timings[name] ?? []), ...samples]
}

/**
 * Times contenders against each other: in each round every one of them for a few milliseconds, in random order, by the
 * median of mitata's batches. Whatever disturbs the machine for longer than a round hits all of them.
 */
export async function timeRounds<Input>(
  contenders: readonly Contender<Input>[],
  options: { rounds: number; milliseconds: number; random: Random }
): Promise<Timings> {
  const quiet = new Quiet()
  const lanes = contenders.map((contender) => ({
    ...contender,
    call: ownFunction(contender.run),
    samples: [] as number[]
  }))
  for (const lane of lanes) await timeSlice(lane, options.milliseconds)
  for (let round = 0; round < options.rounds; round++) {
    for (const lane of options.random.shuffle(lanes)) {
      lane.samples.push(await quiet.take(() => timeSlice(lane, options.milliseconds)))
    }
  }
  return Object.fromEntries(lanes.map(({ name, samples }) => [name, samples]))
}

interface Lane<Input> extends Contender<Input> {
  readonly call: (input: Input) => void
}

/** Nanoseconds a call, the median of a few milliseconds of batches. */
async function timeSlice<Input>({ call, fresh, batch = 512 }: Lane<Input>, milliseconds: number): Promise<number> {
  globalThis.gc?.({ type: 'minor' })
  const options = { gc: false, min_cpu_time: milliseconds * 1e6, min_samples: 3, batch_samples: batch }
  const { p50 } = await measure(
    function* () {
      yield { 0: fresh, bench: call }
    },
    options as Parameters<typeof measure>[1]
  )
  return p50
}

/**
 * Wraps a function so that its answer is used, and so that V8 compiles the wrapper for this function alone: closures made
 * at one place of the source share what V8 learned of all of them.
 */
export function ownFunction<Input>(run: (input: Input) => unknown): (input: Input) => void {
  return new Function('run', 'let count = 0; return (input) => { if (run(input)) count++ }')(run)
}
