import { runChild } from '../measure/child.js'
import { ratio, type Spread, spread } from '../measure/statistics.js'
import type { AppName } from './apps.js'
import type { Comparison, Measured } from './comparison.js'
import { COPY, discrepancy } from './slices.js'

const IN_PROCESS = new URL('in-process.js', import.meta.url)
const FLAGS = ['--max-semi-space-size=16']

/** Two identical copies of the base may differ by this much; a run in which they differ more is discarded. */
const TOLERANCE = 0.02

/** What an application costs beside its base, over all runs that were kept. */
export interface Cost {
  readonly app: AppName
  readonly comparison: Plan
  readonly status: number
  /** Nanoseconds a request, of the application and of its base. */
  readonly nanoseconds: number
  readonly baseNanoseconds: number
  /** The extra cost of the application over its base. */
  readonly times: Spread
  readonly kept: number
  readonly discarded: number
}

export type Plan = Omit<Comparison, 'seed'>

/** The cost of an application relative to its base, in process, by one run that is kept whatever it says. */
export async function compareOnce(plan: Plan, app: AppName): Promise<number> {
  const { timings } = await runChild<Measured>(IN_PROCESS, { ...plan, seed: 1 }, FLAGS)
  const bases = timings[plan.base]!.map((nanoseconds, i) => (nanoseconds + timings[COPY]![i]!) / 2)
  return ratio(timings[app]!, bases).median
}

/** Runs a comparison in several processes, and discards those in which two copies of the base disagree. */
export async function compare(plan: Plan, processes: number): Promise<Cost[]> {
  const kept: Measured[] = []
  let discarded = 0
  for (let seed = 1; kept.length < processes && discarded <= processes; seed++) {
    const measured = await runChild<Measured>(IN_PROCESS, { ...plan, seed }, FLAGS)
    if (discrepancy(measured.timings, plan.base) <= TOLERANCE) kept.push(measured)
    else discarded++
  }
  return plan.others.map((app) => {
    const samples = (name: string) => kept.flatMap(({ timings }) => timings[name]!)
    const bases = samples(plan.base).map((nanoseconds, i) => (nanoseconds + samples(COPY)[i]!) / 2)
    return {
      app,
      comparison: plan,
      status: kept[0]?.statuses[app] ?? 0,
      nanoseconds: spread(samples(app)).median,
      baseNanoseconds: spread(bases).median,
      times: ratio(samples(app), bases),
      kept: kept.length,
      discarded
    }
  })
}
